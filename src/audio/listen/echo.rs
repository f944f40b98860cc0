//! Takes our own playback out of what is heard.
//!
//! The modem's hybrid sends back what we play, 6–20 dB weaker, after a delay that depends on the
//! buffers on the way. The delay is found once by correlation at a quarter of the rate, then a short
//! adaptive filter (normalised LMS) models the hybrid. It learns in the background and is used only
//! where it is proven to be better, so a caller who speaks or presses keys meanwhile spoils nothing.
//! While nothing is played it costs nothing.

use super::front_end::FrontEnd;
use super::lanes::{Lanes, all, lanes, total};
use super::observation::Position;

/// Samples of playback remembered: up to half a second ahead and half a second back.
const MEMORY: usize = 8192;
const TAPS: usize = 64;
/// Taps before the delay that the correlation found.
const LEAD: u64 = 16;
const QUARTER: usize = 4;
/// Delays tried, in quarter-rate samples: 0 to 0.5 s.
const DELAYS: usize = 1024;
/// Quarter-rate samples with playback in them (0.25 s) before the correlation is looked at.
const GATHERED: u32 = 500;
/// Share of the correlation that the next stretch begins with.
const KEPT: f32 = 0.8;
/// Stretches without a peak after which the line is taken to have no echo; from then on it is only
/// looked for in one stretch of eight.
const FRUITLESS: u32 = 8;
/// The seven stretches between.
const REST: u32 = 7 * GATHERED;
/// What 8 bits make of silence is far above this: there is nothing to correlate.
const NOTHING: f32 = 1e-4;
/// How far a peak of the correlation has to stand out, in squares of its mean.
const DISTINCT: f32 = 25.0;
/// Trials (1 s) after which it is looked whether the canceller is any good.
const REVIEW: u32 = 25;
/// What a canceller that is any good has once in this time taken out: all but a fifth.
const GOOD: f32 = 5.0;
const STEP_SIZE: f32 = 0.05;
/// Samples over which the two filters are compared.
const TRIAL: u32 = 320;
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
        if h.abs() > NOTHING {
            let h = all(h);
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

/// A filter: what it takes of the playback, the latest first.
type Taps = [Lanes; TAPS / 4];
const SILENT: Taps = [Lanes::ZERO; TAPS / 4];

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
    used: Taps,
    learning: Taps,
    trial: (u32, f32, f32, f32),
    proven: bool,
    review: (u32, f32),
    poor: u32,
    searching: bool,
    echo_power: f32,
    gains: u32,
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
            used: SILENT,
            learning: SILENT,
            trial: (0, 0.0, 0.0, 0.0),
            proven: false,
            review: (0, 0.0),
            poor: 0,
            searching: true,
            echo_power: 0.0,
            gains: 0,
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
        if self.searching
            && let Some(found) = self.search.push(now, left)
        {
            let found = found.saturating_sub(LEAD);
            let elsewhere = |delay: u64| delay.abs_diff(found) > LEAD / 2;
            if self.delay.is_none_or(elsewhere) {
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
        self.place = (self.place + TAPS - 1) % TAPS;
        self.norm += newest * newest - self.line[self.place] * self.line[self.place];
        self.line[self.place] = newest;
        self.line[self.place + TAPS] = newest;
        self.norm = self.norm.max(0.0);
        if self.norm < AUDIBLE * TAPS as f32 {
            self.echo_power *= 0.998;
            return heard;
        }
        self.filter(heard)
    }

    fn begin(&mut self, delay: u64) {
        self.delay = Some(delay);
        self.used = SILENT;
        self.learning = SILENT;
        self.proven = false;
    }

    fn filter(&mut self, heard: f32) -> f32 {
        let line = &self.line[self.place..self.place + TAPS];
        let (mut echo, mut guess) = (Lanes::ZERO, Lanes::ZERO);
        for ((x, used), learning) in lanes(line).zip(&self.used).zip(&self.learning) {
            echo += x * *used;
            guess += x * *learning;
        }
        let (echo, guess) = (total(echo), total(guess));
        let (left, error) = (heard - echo, heard - guess);
        self.echo_power += 0.01 * (echo * echo - self.echo_power);
        let gain = all(STEP_SIZE * error / (self.norm + AUDIBLE * TAPS as f32));
        for (x, learning) in lanes(line).zip(&mut self.learning) {
            *learning += gain * x;
        }
        self.trial.0 += 1;
        self.trial.1 += heard * heard;
        self.trial.2 += left * left;
        self.trial.3 += error * error;
        if self.trial.0 == TRIAL {
            self.compare();
        }
        left
    }

    /// The better filter is used, the worse one begins again from it.
    fn compare(&mut self) {
        let (_, heard, left, error) = self.trial;
        self.trial = (0, 0.0, 0.0, 0.0);
        // Next to a key's tone the learning filter also seems a little better, by bending the tone:
        // so it has to be much better, or a little better for a long time.
        self.gains = if error < 0.9 * left {
            self.gains + 1
        } else {
            0
        };
        let much = error < 0.4 * left && error < 0.4 * heard;
        if much || self.gains >= 8 {
            self.used = self.learning;
            self.proven |= error < 0.2 * heard;
            self.gains = 0;
        } else if error > 1.3 * left {
            self.learning = self.used;
        }
        if left > 1.5 * heard {
            self.used = SILENT;
        }
        self.review.0 += 1;
        self.review.1 = self.review.1.max(heard / (left + f32::MIN_POSITIVE));
        if self.review.0 == REVIEW {
            let (_, best) = std::mem::take(&mut self.review);
            // Not once was it any good: either the caller speaks all the time or the delay is wrong. It
            // is looked for again.
            if best < GOOD {
                self.poor += 1;
                self.searching |= self.poor >= 2;
                self.proven &= self.poor < 2;
            } else {
                self.poor = 0;
                self.searching = false;
            }
        }
    }

    /// Mean square of our echo that may be left in what [`Self::cancel`] returns.
    pub(super) fn left_over(&self) -> f32 {
        if self.proven {
            0.1 * self.echo_power
        } else {
            // Not yet known: a hybrid sends back up to a quarter of the power.
            0.25 * self.played_power
        }
    }
}
