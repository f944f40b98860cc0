//! Silence, or something to be heard: a level above a noise floor that follows the line.
//!
//! The floor is the lowest level of the last three seconds, so it neither follows speech up nor stays
//! behind when the line gets quieter; receive gain and hum shift it and nothing else.

use super::observation::{Activity, Event, Observation, Position};
use super::pulse::HOP;

/// Frames (20 ms) in one of the stretches whose lowest levels are kept.
const STRETCH: u32 = 20;
const STRETCHES: usize = 8;
/// The lowest level of many is below their mean: for white noise over this memory, by 0.8 dB.
const BIAS: f32 = 1.2;
/// A frame is loud from 3 dB above the floor.
pub(super) const ABOVE_FLOOR: f32 = 2.0;
/// Half a step of the 8 bits, −50 dB: no floor is lower.
const LOWEST_FLOOR: f32 = 1e-5;
/// No floor is higher than −26 dB: at the very start there is nothing else to compare with.
const HIGHEST_FLOOR: f32 = 2.5e-3;
/// Quiet frames that end a voice.
const QUIET: u32 = 7;
/// Frames of tone that make the sound tonal.
const TONAL: u32 = 10;

/// One frame of 20 ms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Position of its first sample.
    pub(super) from: u64,
    /// Mean square.
    pub(super) power: f32,
    /// Mean square of our own echo that may be left in it.
    pub(super) echo: f32,
    /// Whether that is measured, and not what the worst hybrid would send back.
    pub(super) echo_known: bool,
    /// A pure tone sounds.
    pub(super) tonal: bool,
}

/// The lowest level of the last three seconds.
#[derive(Clone, Debug)]
struct Floor {
    smooth: [f32; 2],
    stretch_minimum: f32,
    stretch_frames: u32,
    minima: [f32; STRETCHES],
}

impl Floor {
    const UNKNOWN: Self = Self {
        smooth: [HIGHEST_FLOOR; 2],
        stretch_minimum: f32::MAX,
        stretch_frames: 0,
        minima: [f32::MAX; STRETCHES],
    };

    /// Mean square.
    fn level(&self) -> f32 {
        let lowest = self
            .minima
            .iter()
            .fold(self.stretch_minimum, |low, &m| low.min(m));
        (lowest * BIAS).clamp(LOWEST_FLOOR, HIGHEST_FLOOR)
    }

    fn learn(&mut self, power: f32) {
        let mean = (self.smooth[0] + self.smooth[1] + power) / 3.0;
        self.smooth = [self.smooth[1], power];
        self.stretch_minimum = self.stretch_minimum.min(mean);
        self.stretch_frames += 1;
        if self.stretch_frames == STRETCH {
            self.minima.rotate_right(1);
            self.minima[0] = self.stretch_minimum;
            self.stretch_minimum = mean;
            self.stretch_frames = 0;
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct ActivityTracker {
    now: Activity,
    floor: Floor,
    /// The same of all that was heard, our echo too.
    quietest: Floor,
    loud: u32,
    quiet: u32,
    tonal: u32,
    tonal_from: u64,
    loud_from: u64,
    loud_until: u64,
    started: bool,
    /// The floor last said.
    floor_said: f32,
}

impl ActivityTracker {
    pub(super) fn new() -> Self {
        Self {
            now: Activity::Silence,
            floor: Floor::UNKNOWN,
            quietest: Floor::UNKNOWN,
            loud: 0,
            quiet: 0,
            tonal: 0,
            tonal_from: 0,
            loud_from: 0,
            loud_until: 0,
            started: false,
            floor_said: 0.0,
        }
    }

    /// What is heard now.
    pub(super) fn now(&self) -> Activity {
        self.now
    }

    /// The noise floor, mean square.
    pub(super) fn floor(&self) -> f32 {
        self.floor.level()
    }

    pub(super) fn push(&mut self, frame: &Frame, at: u64, out: &mut impl FnMut(Observation)) {
        if !self.started {
            self.started = true;
            self.say(Activity::Silence, 0, at, out);
        }
        let floor = self.floor();
        let loud = frame.power > ABOVE_FLOOR * floor + frame.echo;
        if !frame.tonal {
            self.quietest.learn(frame.power);
        }
        if frame.echo <= floor {
            self.floor.learn(frame.power);
        }
        self.say_if_unclear(frame, loud, at, out);
        if frame.tonal {
            if self.tonal == 0 {
                self.tonal_from = frame.from;
            }
            self.tonal += 1;
            if self.tonal >= TONAL && self.now != Activity::Tonal {
                self.loud = 0;
                self.say(Activity::Tonal, self.tonal_from, at, out);
            }
            if self.now == Activity::Tonal {
                self.quiet = 0;
                self.loud_until = frame.from + HOP;
            }
            return;
        }
        self.tonal = 0;
        self.say_floor(at, out);
        if loud {
            if self.loud == 0 {
                self.loud_from = frame.from;
            }
            self.loud = (self.loud + 2).min(8);
            // Three loud frames in a row, or four of five, are a voice; one alone is a click.
            if self.loud >= 6 && self.now != Activity::Voice {
                self.say(Activity::Voice, self.loud_from, at, out);
            }
            if self.now == Activity::Voice {
                self.quiet = 0;
                self.loud_until = frame.from + HOP;
            }
        } else {
            self.loud = self.loud.saturating_sub(1);
        }
        if !loud || self.now == Activity::Tonal {
            self.quiet += 1;
            if self.quiet >= QUIET && self.now != Activity::Silence {
                self.loud = 0;
                self.say(Activity::Silence, self.loud_until, at, out);
            }
        }
    }

    /// While we play: says what may be the caller, down to what is too faint to be told from our echo as long
    /// as that is not known, or the floor. What is `loud` counts elsewhere, unless it may be an echo or is
    /// a tone too short to be one.
    fn say_if_unclear(
        &self,
        frame: &Frame,
        loud: bool,
        at: u64,
        out: &mut impl FnMut(Observation),
    ) {
        let floor = self.floor().min(self.quietest.level());
        let echo = if frame.echo_known { frame.echo } else { 0.0 };
        let counts_elsewhere = loud && frame.echo_known && !frame.tonal;
        let audible = frame.power > ABOVE_FLOOR * floor + echo;
        if frame.echo > 0.0 && audible && !counts_elsewhere {
            out(Observation {
                from: Position(frame.from),
                at: Position(at),
                event: Event::Unclear,
            });
        }
    }

    /// Says the floor if it has moved by 3 dB.
    fn say_floor(&mut self, at: u64, out: &mut impl FnMut(Observation)) {
        let floor = self.floor();
        if floor > 2.0 * self.floor_said || floor < 0.5 * self.floor_said {
            self.floor_said = floor;
            out(Observation {
                from: Position(at),
                at: Position(at),
                event: Event::NoiseFloor {
                    dbfs: super::front_end::dbfs(floor),
                },
            });
        }
    }

    fn say(&mut self, now: Activity, from: u64, at: u64, out: &mut impl FnMut(Observation)) {
        self.now = now;
        self.quiet = 0;
        self.floor_said = self.floor();
        out(Observation {
            from: Position(from.min(at)),
            at: Position(at),
            event: Event::Activity {
                now,
                floor_dbfs: super::front_end::dbfs(self.floor_said),
            },
        });
    }
}
