//! Takes our own playback out of what is heard.
//!
//! The modem's hybrid sends back what we play, 6–20 dB weaker, after a delay that depends on the
//! buffers on the way. The delay is looked for by correlation at a quarter of the rate, until a short
//! filter there, which models the hybrid by [least squares](super::least_squares), has borne it out;
//! nothing is taken out that the filter has not shown to be there. While nothing is played it costs
//! nothing.

use super::front_end::FrontEnd;
use super::lanes::{Lanes, all, lanes, total};
use super::least_squares::{LeastSquares, Outcome, TAPS};
use super::observation::Position;

/// Samples of playback remembered: up to half a second ahead and half a second back.
const MEMORY: usize = 8192;
/// Taps before the delay that the correlation found. Speech resembles itself, so the peak may lie beside
/// the echo.
const LEAD: u64 = 40;
const QUARTER: usize = 4;
/// Delays tried, in quarter-rate samples: 0 to 0.5 s.
const DELAYS: usize = 1024;
/// What is heard counts by how little it is, down to here: −48 dB of four samples together. Else a loud
/// word of the caller outweighs all that was played before.
const QUIET: f32 = 3e-4;
/// Quarter-rate samples with playback in them (0.15 s) before the correlation is looked at.
const GATHERED: u32 = 300;
/// Share of the correlation that the next stretch begins with.
const KEPT: f32 = 0.8;
/// Stretches without a peak after which the line is taken to have no echo; from then on it is only
/// looked for in one stretch of eight.
const FRUITLESS: u32 = 20;
/// The seven stretches between.
const REST: u32 = 7 * GATHERED;
/// What 8 bits make of silence is far above this: there is nothing to correlate.
const NOTHING: f32 = 1e-4;
/// How far a peak of the correlation has to stand out, in squares of its mean.
const DISTINCT: f32 = 25.0;
/// Share of the filter's record that a block (50 ms) of nothing but echo takes the place of; one in which
/// much else is heard tells less, and takes less.
const RENEWED: f32 = 0.1;
/// The least to judge by: as much as a block of nothing but echo.
const ENOUGH: f32 = 1.0;
/// Blocks that have to bear a filter out: a steady vowel is like itself a few pitch periods on, so that a
/// filter in the wrong place does well until it ends.
const BORNE_OUT: u32 = 20;
/// So much of what it makes is found in what is heard by a filter in the right place.
const RIGHT: f32 = 0.75;
/// Blocks of a filter after which its place is looked at again.
const PLACED: u32 = 10;
/// Taps that the middle of the filter may lie off its place: else the echo is at its edge, or beyond.
const ASIDE: u64 = 26;
/// So much of what the filter makes has to be found in what is heard: with less, to take it out would
/// put in more than it takes.
const FOUND: f32 = 0.5;
/// Below −60 dB a playback is silence.
const AUDIBLE: f32 = 1e-6;

/// Finds the delay between what is played and its echo.
#[derive(Clone, Debug)]
struct DelaySearch {
    /// The latest first, twice over, so that a straight slice is always at hand.
    played: Box<[f32; 2 * DELAYS]>,
    place: usize,
    correlation: Box<[Lanes; DELAYS / 4]>,
    sums: (f32, f32),
    before: (f32, f32),
    /// Mean square of what was heard lately.
    power: f32,
    phase: usize,
    gathered: u32,
    fruitless: u32,
    /// Quarter-rate samples still to let pass.
    resting: u32,
    candidate: Option<usize>,
}

impl DelaySearch {
    fn new() -> Self {
        Self {
            played: Box::new([0.0; 2 * DELAYS]),
            place: 0,
            correlation: Box::new([Lanes::ZERO; DELAYS / 4]),
            sums: (0.0, 0.0),
            before: (0.0, 0.0),
            power: 0.0,
            phase: 0,
            gathered: 0,
            fruitless: 0,
            resting: 0,
            candidate: None,
        }
    }

    fn push(&mut self, played: f32, heard: f32) -> Option<u64> {
        self.sums.0 += played;
        self.sums.1 += heard;
        self.phase += 1;
        if self.phase < QUARTER {
            return None;
        }
        self.phase = 0;
        // The difference whitens speech, so that the peak stands alone.
        let (p, h) = (self.sums.0 - self.before.0, self.sums.1 - self.before.1);
        self.before = self.sums;
        self.sums = (0.0, 0.0);
        self.place = (self.place + DELAYS - 1) % DELAYS;
        self.played[self.place] = p;
        self.played[self.place + DELAYS] = p;
        if self.resting > 0 {
            self.resting -= 1;
            return None;
        }
        if p != 0.0 {
            self.gathered += 1;
        }
        self.power += 0.01 * (h * h - self.power);
        if h.abs() > NOTHING {
            let h = all(h / (self.power + QUIET));
            let played = lanes(&self.played[self.place..self.place + DELAYS]);
            for (sum, played) in self.correlation.iter_mut().zip(played) {
                *sum += h * played;
            }
        }
        (self.gathered >= GATHERED)
            .then(|| self.verdict())
            .flatten()
    }

    /// The delay, if two stretches one after the other agree on it: speech resembles itself a pitch
    /// period later, but the period changes.
    fn verdict(&mut self) -> Option<u64> {
        let squares = self.correlation.iter().map(|c| *c * *c);
        let power: f32 = total(squares.sum());
        let all = self.correlation.iter().flat_map(|c| c.to_array());
        let (delay, peak) = all.enumerate().fold((0, 0.0_f32), |best, (i, c)| {
            if c.abs() > best.1 { (i, c.abs()) } else { best }
        });
        self.restart();
        if peak * peak < DISTINCT * power / DELAYS as f32 {
            self.candidate = None;
            self.fruitless += 1;
            if self.fruitless >= FRUITLESS {
                self.resting = REST;
            }
            return None;
        }
        self.fruitless = 0;
        let agreed = self
            .candidate
            .is_some_and(|before| delay.abs_diff(before) <= 1);
        self.candidate = Some(delay);
        agreed.then_some((delay * QUARTER) as u64)
    }

    fn restart(&mut self) {
        // What was seen before counts on: pitch periods change and their peaks fade, the echo's stays.
        for sum in self.correlation.iter_mut() {
            *sum *= all(KEPT);
        }
        self.gathered = 0;
    }
}

/// How well a filter did: it is judged by what it made of blocks that it had not learned from yet, the
/// last ones most. A filter that is new, or in the wrong place, makes much that is not there.
#[derive(Clone, Copy, Debug)]
struct Record {
    /// Blocks since it began.
    blocks: u32,
    found: f32,
    made: f32,
}

impl Record {
    const NONE: Self = Self {
        blocks: 0,
        found: 0.0,
        made: 0.0,
    };

    fn add(&mut self, outcome: Outcome) {
        self.blocks = self.blocks.saturating_add(1);
        let kept = 1.0 - RENEWED * outcome.made.min(1.0);
        self.found = kept * self.found + outcome.found;
        self.made = kept * self.made + outcome.made;
    }

    /// Whether less is left without the filter's echo than with it, however loud anything else is.
    fn helps(&self) -> bool {
        self.made > 0.0 && self.found >= FOUND * self.made
    }

    /// Whether it does as well as one in the right place.
    fn seems_right(&self) -> bool {
        self.made >= ENOUGH && self.found >= RIGHT * self.made
    }

    /// Whether it is in the right place.
    fn is_right(&self) -> bool {
        self.seems_right() && self.blocks >= BORNE_OUT
    }
}

/// The canceller.
#[derive(Clone, Debug)]
pub(super) struct EchoCanceller {
    front: FrontEnd,
    played: Box<[f32]>,
    /// One past the last sample played.
    end: u64,
    search: DelaySearch,
    delay: Option<u64>,
    /// The last samples played, twice over, so that a straight slice is always at hand.
    line: [f32; 2 * TAPS],
    place: usize,
    norm: f32,
    filter: LeastSquares,
    /// A block of the filter is being heard.
    learning: bool,
    record: Record,
    echo_power: f32,
    played_power: f32,
}

impl EchoCanceller {
    pub(super) fn new() -> Self {
        Self {
            front: FrontEnd::new(),
            played: vec![0.0; MEMORY].into_boxed_slice(),
            end: 0,
            search: DelaySearch::new(),
            delay: None,
            line: [0.0; 2 * TAPS],
            place: 0,
            norm: 0.0,
            filter: LeastSquares::new(),
            learning: false,
            record: Record::NONE,
            echo_power: 0.0,
            played_power: 0.0,
        }
    }

    /// Remembers what is played from `at` on.
    pub(super) fn transmitted(&mut self, at: Position, samples: &[u8]) {
        let begin = at.0.max(self.end);
        for position in self.end.max(begin.saturating_sub(MEMORY as u64))..begin {
            self.played[position as usize % MEMORY] = 0.0;
        }
        let late = usize::try_from(begin - at.0).unwrap_or(usize::MAX);
        let mut fresh = samples.get(late..).unwrap_or_default();
        self.end = begin;
        while !fresh.is_empty() {
            let place = self.end as usize % MEMORY;
            let now;
            (now, fresh) = fresh.split_at(fresh.len().min(MEMORY - place));
            self.front
                .clean(now, &mut self.played[place..place + now.len()]);
            self.end += now.len() as u64;
        }
    }

    fn played_at(&self, position: u64) -> f32 {
        if position < self.end && position + MEMORY as u64 >= self.end {
            self.played[position as usize % MEMORY]
        } else {
            0.0
        }
    }

    /// Takes our own playback out of what was heard from `position` on.
    pub(super) fn cancel(&mut self, position: u64, heard: &mut [f32]) {
        if self.is_over(position) {
            return;
        }
        for (position, heard) in (position..).zip(heard) {
            *heard = self.cancelled(position, *heard);
        }
        // Fading powers end; see the front end.
        for power in [&mut self.echo_power, &mut self.played_power] {
            if *power < 1e-15 {
                *power = 0.0;
            }
        }
    }

    /// Long after the last playback there is nothing to take out.
    fn is_over(&mut self, position: u64) -> bool {
        let over = self.end == 0 || position > self.end + MEMORY as u64;
        if over {
            self.echo_power = 0.0;
            self.played_power = 0.0;
        }
        over
    }

    #[inline]
    fn cancelled(&mut self, position: u64, heard: f32) -> f32 {
        if self.is_over(position) {
            return heard;
        }
        let now = self.played_at(position);
        self.played_power = (self.played_power * 0.9998).max(now * now * 0.1);
        let left = self.without_echo(position, heard);
        // What is left is searched: an echo that is taken out already cannot be found in the wrong place.
        if !self.record.is_right()
            && let Some(found) = self.search.push(now, left)
        {
            let found = found.saturating_sub(LEAD);
            let elsewhere = |delay: u64| delay.abs_diff(found) > LEAD / 4;
            // The search errs where the caller speaks: a filter that does well is not given up for it.
            if !self.record.seems_right() && self.delay.is_none_or(elsewhere) {
                self.begin(found);
            }
        }
        left
    }

    #[inline]
    fn without_echo(&mut self, position: u64, heard: f32) -> f32 {
        let Some(delay) = self.delay else {
            return heard;
        };
        let newest = position
            .checked_sub(delay)
            .map_or(0.0, |then| self.played_at(then));
        if !self.learning
            && let Some(line) = self.line[self.place..].first_chunk()
        {
            self.filter.begins(line);
        }
        self.place = (self.place + TAPS - 1) % TAPS;
        self.norm += newest * newest - self.line[self.place] * self.line[self.place];
        self.line[self.place] = newest;
        self.line[self.place + TAPS] = newest;
        self.norm = self.norm.max(0.0);
        self.learning = self.norm >= AUDIBLE * TAPS as f32;
        if !self.learning {
            self.echo_power *= 0.998;
            return heard;
        }
        let Some(line) = self.line[self.place..].first_chunk() else {
            return heard;
        };
        let echo = self.filter.echo(line);
        let left = if self.record.helps() {
            heard - echo
        } else {
            heard
        };
        self.echo_power += 0.01 * (echo * echo - self.echo_power);
        if let Some(outcome) = self.filter.push(line, heard, echo) {
            self.record.add(outcome);
            if self.record.blocks.is_multiple_of(PLACED) && self.record.helps() {
                self.look_at_the_place();
            }
        }
        left
    }

    fn begin(&mut self, delay: u64) {
        self.delay = Some(delay);
        self.filter.forget();
        self.learning = false;
        self.record = Record::NONE;
    }

    /// Begins anew in a better place where the echo is at the filter's edge, or beyond.
    fn look_at_the_place(&mut self) {
        let middle = self.filter.middle();
        if let Some(delay) = self.delay
            && middle.abs_diff(LEAD) > ASIDE
        {
            let moved = (delay + middle).saturating_sub(LEAD);
            if moved != delay {
                self.begin(moved);
            }
        }
    }

    /// Mean square of our echo that may be left in what [`Self::cancel`] returns.
    pub(super) fn left_over(&self) -> f32 {
        if self.is_known() {
            0.1 * self.echo_power
        } else {
            // Not yet known: a hybrid sends back up to a quarter of the power.
            0.25 * self.played_power
        }
    }

    /// Whether that is judged by our echo, and not by what is played.
    pub(super) fn is_known(&self) -> bool {
        self.record.seems_right()
    }
}
