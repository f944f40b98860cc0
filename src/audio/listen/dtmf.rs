//! DTMF from the sound: 20 ms windows every 5 ms, and in each the eight pitches of the keys.
//!
//! A voice's overtones stand on two of these pitches as well, now and then for 100 ms, but hardly ever as
//! still as a key. So a press is judged as a whole, by all of its windows that lie fully in it: row and
//! column carry 94 % of the power, stand within 8 dB (row louder) or 4 dB (column louder) of each other
//! with 2 dB of grace, are each within 1.7 % of their pitch, neither glide nor swell, and last 35 ms, or
//! 55 ms next to another sound: so it is judged when it ends, or when it has lasted that long. (While we
//! play, that sound may be our echo: then after 35 ms.)
//!
//! The pitch is measured by how the phase turns from window to window, at 15 dB signal to noise to 0.2 %:
//! a tone 1.5 % off is always taken and one 3.5 % off never. Pitches: ITU-T Q.23; limits as in ITU-T Q.24
//! and Bellcore's receivers (40 ms taken, 20 ms refused).

use super::lanes::{Lanes, all, lanes, sum_of_squares, total};
use super::observation::{Event, Key, Observation, Position, SAMPLES_PER_SECOND};

const HZ: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0];
pub(super) const WINDOW: usize = 160;
/// Samples from one window to the next.
pub(super) const STEP: usize = 40;
/// Below −44 dB (mean square) nothing is looked for: the weakest tone pair is −28 dB.
const QUIETEST: f32 = 4e-5;
/// Share of the power in row and column, with 15 dB signal to noise: 0.97.
const SHARE: f32 = 0.94;
/// Row over column.
const TWIST: std::ops::RangeInclusive<f32> = 0.1..=10.0;
const OFF_PITCH: f32 = 0.017;
/// How far the pitch may stray around its mean from window to window, in Hz (RMS), of row and column:
/// what noise does to the weaker of the two.
const GLIDE: [f32; 2] = [3.5, 5.5];
/// How far the power may rise and fall (2.2 and 2.8 dB), of row and column.
const SWELL: [f32; 2] = [1.66, 1.9];
/// A window half in the tone shows a quarter of its power: from there on it is counted.
const LOUD: f32 = 0.25;
/// Windows that make a key: 35 ms.
const LONG_ENOUGH: usize = 7;
/// The same next to another sound, before or after, which may have taken a key's shape by chance: 55 ms.
const LONG_ENOUGH_BESIDE: usize = 11;
/// Steps (15 ms) back to where it is looked for another sound.
const BACK: usize = 3;
/// Share of a key's power that makes what is next to it another sound.
const LOUD_BESIDE: f32 = 0.12;
/// Steps (10 ms) from the middle of a window to its ends.
const HALF: usize = WINDOW / STEP / 2;
/// Share of a window's power that is left half a window later where the tone ends just there: less than
/// a quarter.
const LEFT_AT_END: f32 = 0.15;
/// Windows fully inside the tone.
const FULL: u32 = 4;
/// Windows without the tone that end a key: 15 ms.
const GONE: u32 = 3;
const EARLY: usize = 16;

/// What the windows fully inside a press show together of its row, or of its column.
#[derive(Clone, Copy, Debug)]
struct Tone {
    power: f32,
    /// Least and most power.
    range: (f32, f32),
    turn: (f32, f32),
    /// Sums of the Hz off the pitch, and of their squares.
    off: (f32, f32),
}

#[derive(Clone, Debug)]
struct Press {
    key: (usize, usize),
    first: u64,
    before: f32,
    last: u64,
    early: [f32; EARLY],
    count: usize,
    peak: f32,
    /// The last windows, the latest first: the one in the middle lies fully inside the tone if those at
    /// both ends hold it as well.
    recent: [Look; 2 * HALF + 1],
    /// Windows fully inside, and the sum of their power.
    full: u32,
    power: f32,
    tones: [Tone; 2],
    missing: u32,
    /// Least power since it is missing.
    after: f32,
    accepted: bool,
}

/// The detector.
#[derive(Clone, Debug)]
pub(super) struct DtmfDetector {
    window: [f32; WINDOW],
    /// For each sample of a window: the window, times exp(iωn) of the eight pitches, n counted back
    /// from the window's end; four real parts, four imaginary parts, and the same of the columns.
    waves: Box<[[Lanes; 4]; WINDOW]>,
    /// exp(−iω·STEP) of each pitch.
    step: [(f32, f32); 8],
    before: [(f32, f32); 8],
    /// Power in the last windows, the latest first.
    powers: [f32; BACK + 1],
    press: Option<Press>,
}

/// What one window shows.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    key: (usize, usize),
    power: f32,
    /// Power in row and column.
    tones: [f32; 2],
    turn: [(f32, f32); 2],
    /// Power of what was heard 15 ms earlier.
    before: f32,
}

impl DtmfDetector {
    pub(super) fn new() -> Self {
        let mut window = [0.0; WINDOW];
        for (n, value) in window.iter_mut().enumerate() {
            let angle = std::f32::consts::TAU * (n as f32 + 0.5) / WINDOW as f32;
            *value = 0.5 - 0.5 * angle.cos();
        }
        let turn = |hz: f32, samples: f32| {
            let angle = std::f32::consts::TAU * hz * samples / SAMPLES_PER_SECOND as f32;
            (angle.cos(), angle.sin())
        };
        let mut waves = Box::new([[Lanes::ZERO; 4]; WINDOW]);
        for (n, (waves, weight)) in waves.iter_mut().zip(window).enumerate() {
            let part = |from: usize, part: fn((f32, f32)) -> f32| {
                let at = |k: usize| weight * part(turn(HZ[from + k], (WINDOW - n) as f32));
                Lanes::new([at(0), at(1), at(2), at(3)])
            };
            *waves = [
                part(0, |turn| turn.0),
                part(0, |turn| turn.1),
                part(4, |turn| turn.0),
                part(4, |turn| turn.1),
            ];
        }
        Self {
            window,
            waves,
            step: HZ.map(|hz| turn(hz, -(STEP as f32))),
            before: [(0.0, 0.0); 8],
            powers: [0.0; BACK + 1],
            press: None,
        }
    }

    /// The key that is down.
    pub(super) fn down(&self) -> bool {
        self.press.as_ref().is_some_and(|press| press.accepted)
    }

    /// Takes the window that ends before position `end`, 40 samples after the last. While we play, what
    /// comes after a key may be our own echo, so it is not waited for.
    pub(super) fn push(
        &mut self,
        heard: &[f32; WINDOW],
        end: u64,
        playing: bool,
        out: &mut impl FnMut(Observation),
    ) {
        self.powers.rotate_right(1);
        self.powers[0] = 0.0;
        let look = self.look(heard);
        self.follow(look, end, playing, out);
    }

    fn look(&mut self, heard: &[f32; WINDOW]) -> Option<Look> {
        if sum_of_squares(heard) < QUIETEST * WINDOW as f32 * 0.25 {
            self.before = [(0.0, 0.0); 8];
            return None;
        }
        let weighted = lanes(heard).zip(lanes(&self.window));
        let weighted = weighted.map(|(x, weight)| x * weight);
        let power = total(weighted.fold(Lanes::ZERO, |sum, x| sum + x * x));
        let value = self.correlate(heard);
        self.powers[0] = power;
        let square = |k: usize| value[k].0 * value[k].0 + value[k].1 * value[k].1;
        let loudest = |from: usize| {
            (from..from + 4).fold(
                from,
                |best, k| if square(k) > square(best) { k } else { best },
            )
        };
        let (row, column) = (loudest(0), loudest(4));
        let turn = |k: usize| {
            let (a, b) = (value[k], self.before[k]);
            let straight = (a.0 * b.0 + a.1 * b.1, a.1 * b.0 - a.0 * b.1);
            let (c, s) = self.step[k];
            (
                straight.0 * c - straight.1 * s,
                straight.0 * s + straight.1 * c,
            )
        };
        let turn = [turn(row), turn(column)];
        self.before = value;
        // Of a tone's power under a Hann window, 3/N·|X|² is found at its pitch.
        let scale = 3.0 / WINDOW as f32;
        let row_power = scale * square(row) * off_centre(off_pitch(turn[0]));
        let column_power = scale * square(column) * off_centre(off_pitch(turn[1]));
        Some(Look {
            key: (row, column - 4),
            power,
            tones: [row_power, column_power],
            turn,
            before: self.powers[BACK],
        })
    }

    /// How much of each pitch there is, with its phase at the window's end: the phase turns on with
    /// every step.
    fn correlate(&self, heard: &[f32; WINDOW]) -> [(f32, f32); 8] {
        let (mut row_re, mut row_im) = (Lanes::ZERO, Lanes::ZERO);
        let (mut column_re, mut column_im) = (Lanes::ZERO, Lanes::ZERO);
        for (sample, waves) in heard.iter().zip(self.waves.iter()) {
            let sample = all(*sample);
            row_re += sample * waves[0];
            row_im += sample * waves[1];
            column_re += sample * waves[2];
            column_im += sample * waves[3];
        }
        let (row_re, row_im) = (row_re.to_array(), row_im.to_array());
        let (column_re, column_im) = (column_re.to_array(), column_im.to_array());
        std::array::from_fn(|k| {
            if k < 4 {
                (row_re[k], row_im[k])
            } else {
                (column_re[k - 4], column_im[k - 4])
            }
        })
    }

    fn follow(
        &mut self,
        look: Option<Look>,
        end: u64,
        playing: bool,
        out: &mut impl FnMut(Observation),
    ) {
        let begun = look.filter(Look::is_like_a_key);
        let Some(press) = &mut self.press else {
            self.press = begun.map(|look| Press::new(&look, end));
            return;
        };
        if let Some(look) = begun.filter(|look| press.continues(look)) {
            press.take(&look, end);
            if playing || press.loud_windows() >= LONG_ENOUGH_BESIDE {
                press.decide(end, out);
            }
            return;
        }
        press.miss(look);
        let next = begun.filter(|look| press.yields_to(look));
        if next.is_some() || press.missing >= GONE {
            press.decide(end, out);
            if press.accepted {
                out(Observation {
                    from: Position(press.last),
                    at: Position(end),
                    event: Event::KeyUp { key: press.key() },
                });
            }
            self.press = next.map(|look| Press::new(&look, end));
        }
    }
}

impl Look {
    fn tone_power(&self) -> f32 {
        self.tones[0] + self.tones[1]
    }

    fn is_like_a_key(&self) -> bool {
        self.tone_power() > 0.4 * self.power
    }
}

impl Tone {
    const NONE: Self = Self {
        power: 0.0,
        range: (f32::MAX, 0.0),
        turn: (0.0, 0.0),
        off: (0.0, 0.0),
    };

    fn take(&mut self, power: f32, turn: (f32, f32)) {
        self.power += power;
        self.range = (self.range.0.min(power), self.range.1.max(power));
        self.turn.0 += turn.0;
        self.turn.1 += turn.1;
        let off = off_pitch(turn);
        self.off.0 += off;
        self.off.1 += off * off;
    }

    /// Of so many windows; `k` is 0 for the row, 1 for the column.
    fn is_still(&self, windows: f32, k: usize) -> bool {
        let mean = self.off.0 / windows;
        let variance = self.off.1 / windows - mean * mean;
        variance <= GLIDE[k] * GLIDE[k] && self.range.1 <= SWELL[k] * self.range.0
    }
}

impl Press {
    fn new(look: &Look, end: u64) -> Self {
        let mut press = Self {
            key: look.key,
            first: end,
            before: look.before,
            last: end,
            early: [0.0; EARLY],
            count: 0,
            peak: 0.0,
            recent: [Look::default(); 2 * HALF + 1],
            full: 0,
            power: 0.0,
            tones: [Tone::NONE; 2],
            missing: 0,
            after: 0.0,
            accepted: false,
        };
        press.take(look, end);
        press
    }

    fn key(&self) -> Key {
        Key::at(self.key.0, self.key.1)
    }

    fn continues(&self, look: &Look) -> bool {
        look.key == self.key && look.tone_power() >= LOUD * self.peak
    }

    /// What was taken for a key so far was something else, fainter.
    fn yields_to(&self, look: &Look) -> bool {
        !self.accepted && look.key != self.key && look.tone_power() > 0.5 * self.peak
    }

    fn take(&mut self, look: &Look, end: u64) {
        let power = look.tone_power();
        self.peak = self.peak.max(power);
        if self.count < EARLY {
            self.early[self.count] = power;
        }
        self.count += 1;
        self.missing = 0;
        self.after = 0.0;
        // Half the window in the tone gives half the amplitude: the edge is in the window's middle.
        self.last = end.saturating_sub(WINDOW as u64 / 2);
        self.look_inside(*look);
    }

    fn miss(&mut self, look: Option<Look>) {
        let power = look.map_or(0.0, |look| look.power);
        self.after = if self.missing == 0 {
            power
        } else {
            self.after.min(power)
        };
        self.missing += 1;
        let fading = look.filter(|look| look.key == self.key);
        self.look_inside(fading.unwrap_or_default());
    }

    /// Takes the window half a window ago, if it lies fully inside.
    fn look_inside(&mut self, latest: Look) {
        self.recent.rotate_right(1);
        self.recent[0] = latest;
        let [after, .., before] = &self.recent;
        let middle = &self.recent[HALF];
        let power = middle.tone_power();
        let ends = after.tone_power().min(before.tone_power());
        if power < LOUD * self.peak || ends < LEFT_AT_END * power {
            return;
        }
        self.full += 1;
        self.power += middle.power;
        for (k, tone) in self.tones.iter_mut().enumerate() {
            tone.take(middle.tones[k], middle.turn[k]);
        }
    }

    fn loud_windows(&self) -> usize {
        let early = &self.early[..self.count.min(EARLY)];
        let loud = early.iter().filter(|&&p| p >= LOUD * self.peak).count();
        loud + self.count.saturating_sub(EARLY)
    }

    /// Takes it for a key, if it is one.
    fn decide(&mut self, end: u64, out: &mut impl FnMut(Observation)) {
        if self.accepted || !self.is_key() {
            return;
        }
        self.accepted = true;
        out(Observation {
            from: Position(self.from()),
            at: Position(end),
            event: Event::KeyDown { key: self.key() },
        });
    }

    fn is_key(&self) -> bool {
        // These are sums over a window, the peak is scaled alike.
        let beside = self.before.max(self.after);
        let long_enough = if beside > LOUD_BESIDE * self.peak {
            LONG_ENOUGH_BESIDE
        } else {
            LONG_ENOUGH
        };
        let [row, column] = &self.tones;
        let hz = [HZ[self.key.0], HZ[self.key.1 + 4]];
        self.full >= FULL
            && self.loud_windows() >= long_enough
            && row.power + column.power >= SHARE * self.power
            && TWIST.contains(&(row.power / column.power))
            && self.tones.iter().enumerate().all(|(k, tone)| {
                off_pitch(tone.turn).abs() <= OFF_PITCH * hz[k]
                    && tone.is_still(self.full as f32, k)
            })
    }

    fn from(&self) -> u64 {
        let late = self
            .early
            .iter()
            .take_while(|&&p| p < LOUD * self.peak)
            .count();
        (self.first + (late * STEP) as u64).saturating_sub(WINDOW as u64 / 2)
    }
}

/// How many Hz off the pitch is, from the turn of the phase in one step.
fn off_pitch(turn: (f32, f32)) -> f32 {
    turn.1.atan2(turn.0) / std::f32::consts::TAU * (SAMPLES_PER_SECOND as f32 / STEP as f32)
}

/// What a Hann window loses of a tone that is this many Hz off its pitch, as a factor of power.
fn off_centre(hz: f32) -> f32 {
    let x = (hz * WINDOW as f32 / SAMPLES_PER_SECOND as f32).clamp(-0.85, 0.85);
    if x.abs() < 0.02 {
        return 1.0;
    }
    let angle = std::f32::consts::PI * x;
    let response = angle.sin() / angle / (1.0 - x * x);
    1.0 / (response * response)
}
