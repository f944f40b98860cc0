//! DTMF from the sound: 20 ms windows every 5 ms, and in each the eight pitches of the keys.
//!
//! A key is accepted when row and column carry nearly all the power, stand within 8 dB (row louder)
//! or 4 dB (column louder) of each other with 2 dB of grace, are each within 1.9 % of their pitch, and
//! last 35 ms. The pitch is measured by how the phase turns from window to window, so a tone 1.5 % off
//! is always taken and one 3.5 % off never. Pitches: ITU-T Q.23; limits as in ITU-T Q.24 and Bellcore's
//! receivers (40 ms taken, 20 ms refused).

use super::lanes::{Lanes, all, lanes, sum_of_squares, total};
use super::observation::{Event, Key, Observation, Position, SAMPLES_PER_SECOND};

const HZ: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0];
pub(super) const WINDOW: usize = 160;
/// Samples from one window to the next.
pub(super) const STEP: usize = 40;
/// Below −44 dB (mean square) nothing is looked for: the weakest tone pair is −28 dB.
const QUIETEST: f32 = 4e-5;
/// Share of the power in row and column, with 15 dB signal to noise: 0.97.
const SHARE: f32 = 0.925;
/// Row over column.
const TWIST: std::ops::RangeInclusive<f32> = 0.1..=10.0;
const OFF_PITCH: f32 = 0.019;
/// A voice's overtones glide; a key's pitches stay where they are from window to window.
/// In Hz, of row and column.
const GLIDE: [f32; 2] = [14.0, 16.0];
/// Windows within 6 dB of the loudest that make a key: 35 ms.
const LONG_ENOUGH: usize = 7;
/// The same in the middle of another sound, which may have taken a key's shape by chance: 55 ms.
const LONG_ENOUGH_IN_SOUND: usize = 11;
/// Steps (15 ms) back to where it is looked for another sound.
const BACK: usize = 3;
/// Share of a key's power that makes what was before it another sound.
const LOUD_BEFORE: f32 = 0.12;
/// Windows fully inside the tone, with everything right.
const FULL: u32 = 4;
/// Windows without the tone that end a key: 15 ms.
const GONE: u32 = 3;
const EARLY: usize = 16;

#[derive(Clone, Debug)]
struct Press {
    key: (usize, usize),
    first: u64,
    before: f32,
    last: u64,
    early: [f32; EARLY],
    count: usize,
    peak: f32,
    full: u32,
    /// How row and column turned in these: elsewhere a glide is on its way from or to another pitch.
    turn: [(f32, f32); 2],
    /// Least and most Hz that row and column were off, from window to window.
    range: [(f32, f32); 2],
    missing: u32,
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
struct Look {
    key: (usize, usize),
    row: f32,
    column: f32,
    share: f32,
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

    /// Takes the window that ends before position `end`, 40 samples after the last.
    pub(super) fn push(
        &mut self,
        heard: &[f32; WINDOW],
        end: u64,
        out: &mut impl FnMut(Observation),
    ) {
        self.powers.rotate_right(1);
        self.powers[0] = 0.0;
        let look = self.look(heard);
        self.follow(look, end, out);
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
        let turns = [turn(row), turn(column)];
        self.before = value;
        // Of a tone's power under a Hann window, 3/N·|X|² is found at its pitch.
        let scale = 3.0 / WINDOW as f32;
        let row_power = scale * square(row) * off_centre(off_pitch(turns[0]));
        let column_power = scale * square(column) * off_centre(off_pitch(turns[1]));
        Some(Look {
            key: (row, column - 4),
            row: row_power,
            column: column_power,
            share: (row_power + column_power) / (power + 1e-12),
            turn: turns,
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

    fn follow(&mut self, look: Option<Look>, end: u64, out: &mut impl FnMut(Observation)) {
        let Some(press) = &mut self.press else {
            self.press = look.filter(|l| l.share > 0.4).map(|l| Press::new(&l, end));
            return;
        };
        if let Some(look) = look
            .as_ref()
            .filter(|l| !press.accepted && press.yields_to(l))
        {
            *press = Press::new(look, end);
            return;
        }
        if let Some(look) = look.filter(|l| press.continues(l)) {
            press.take(&look, end);
            if !press.accepted && press.acceptable() {
                press.accepted = true;
                out(Observation {
                    from: Position(press.from()),
                    at: Position(end),
                    event: Event::KeyDown { key: press.key() },
                });
            }
            return;
        }
        press.missing += 1;
        if press.missing >= GONE {
            if press.accepted {
                out(Observation {
                    from: Position(press.last),
                    at: Position(end),
                    event: Event::KeyUp { key: press.key() },
                });
            }
            self.press = None;
        }
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
            full: 0,
            turn: [(0.0, 0.0); 2],
            range: [(f32::MAX, f32::MIN); 2],
            missing: 0,
            accepted: false,
        };
        press.take(look, end);
        press
    }

    fn key(&self) -> Key {
        Key::at(self.key.0, self.key.1)
    }

    fn continues(&self, look: &Look) -> bool {
        look.key == self.key && look.row + look.column >= 0.25 * self.peak && look.share > 0.4
    }

    /// What was taken for a key so far was something else, fainter.
    fn yields_to(&self, look: &Look) -> bool {
        look.key != self.key && look.row + look.column > 0.5 * self.peak && look.share > 0.4
    }

    fn take(&mut self, look: &Look, end: u64) {
        let power = look.row + look.column;
        self.peak = self.peak.max(power);
        if self.count < EARLY {
            self.early[self.count] = power;
        }
        self.count += 1;
        self.missing = 0;
        // Half the window in the tone gives half the amplitude: the edge is in the window's middle.
        self.last = end.saturating_sub(WINDOW as u64 / 2);
        if power >= 0.6 * self.peak {
            let twist = look.row / (look.column + 1e-12);
            if look.share >= SHARE && TWIST.contains(&twist) {
                self.full += 1;
                for (sum, turn) in self.turn.iter_mut().zip(look.turn) {
                    sum.0 += turn.0;
                    sum.1 += turn.1;
                }
                for (range, turn) in self.range.iter_mut().zip(look.turn) {
                    let hz = off_pitch(turn);
                    *range = (range.0.min(hz), range.1.max(hz));
                }
            }
        }
    }

    fn loud_windows(&self) -> usize {
        let early = &self.early[..self.count.min(EARLY)];
        let loud = early.iter().filter(|&&p| p >= 0.25 * self.peak).count();
        loud + self.count.saturating_sub(EARLY)
    }

    fn acceptable(&self) -> bool {
        let (row, column) = self.key;
        // `before` is a sum over a window, the peak is scaled alike.
        let long_enough = if self.before > LOUD_BEFORE * self.peak {
            LONG_ENOUGH_IN_SOUND
        } else {
            LONG_ENOUGH
        };
        let right = |turn: (f32, f32), hz: f32| off_pitch(turn).abs() <= OFF_PITCH * hz;
        self.full >= FULL
            && self.loud_windows() >= long_enough
            && right(self.turn[0], HZ[row])
            && right(self.turn[1], HZ[column + 4])
            && self.range[0].1 - self.range[0].0 <= GLIDE[0]
            && self.range[1].1 - self.range[1].0 <= GLIDE[1]
    }

    fn from(&self) -> u64 {
        let late = self
            .early
            .iter()
            .take_while(|&&p| p < 0.25 * self.peak)
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
