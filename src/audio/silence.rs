//! How long the caller has been silent.
//!
//! Pure: samples in, a duration out. Energy alone decides, measured in frames of 20 ms (a whole
//! period of 50 Hz hum) without their mean (a DC offset is no sound), against a noise floor that
//! follows the line, so that it works at any receive gain. It cannot tell voice from other sounds.

use super::{SAMPLE_RATE, duration_of};
use std::collections::VecDeque;
use std::time::Duration;

/// 20 ms.
const FRAME_SAMPLES: usize = SAMPLE_RATE as usize / 50;
/// The noise floor is the quietest frame of the last 4 s, kept as minima of half a second. Speech
/// has a pause in each such window; a noise that begins and stays is the new floor after it.
const FLOOR_WINDOWS: usize = 8;
const FRAMES_PER_WINDOW: usize = 25;
/// Mean square of the quantisation alone, with a little dither: no floor is lower. The threshold is
/// then a mean square of 1.0: voice of -42 dB below full scale is heard.
const LOWEST_FLOOR: f32 = 0.2;
/// A frame is loud at 7 dB above the floor. The quietest of 200 frames of noise lies 1.6 dB below
/// their mean and the loudest less than 2 dB above it, so steady noise is never loud.
const LOUD_RATIO: f32 = 5.0;
/// Voice is heard when 3 of the last 5 frames are loud: a click is not a voice.
const RECENT_FRAMES: u8 = 5;
const LOUD_FRAMES: u32 = 3;

/// Measures the caller's silence.
#[derive(Clone, Debug)]
pub struct SilenceMeter {
    frame: Frame,
    /// The quietest frame of each finished window, oldest first, at most [`FLOOR_WINDOWS`].
    minima: VecDeque<f32>,
    /// The quietest frame of the window that is running, and how many frames it has.
    running: (f32, usize),
    /// The last frames, one bit each: loud or not.
    recent: u8,
    silent_samples: u64,
}

/// Sums over the samples of a frame that is not full yet.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    samples: usize,
    sum: u32,
    squares: u32,
}

impl Default for SilenceMeter {
    fn default() -> Self {
        Self::new()
    }
}

impl SilenceMeter {
    /// A meter at the start of a call.
    pub fn new() -> Self {
        Self {
            frame: Frame::default(),
            minima: VecDeque::with_capacity(FLOOR_WINDOWS + 1),
            running: (f32::INFINITY, 0),
            recent: 0,
            silent_samples: 0,
        }
    }

    /// Takes in what came from the line.
    pub fn process(&mut self, samples: &[u8]) {
        for sample in samples {
            let value = u32::from(*sample);
            self.frame.samples += 1;
            self.frame.sum += value;
            self.frame.squares += value * value;
            if self.frame.samples == FRAME_SAMPLES {
                let frame = std::mem::take(&mut self.frame);
                self.hear(frame.mean_square());
            }
        }
    }

    /// How long the caller has been silent, in steps of 20 ms.
    pub const fn silent_for(&self) -> Duration {
        duration_of(self.silent_samples)
    }

    /// Begins to count anew, as if the caller had just spoken: after a prompt was played, say. What
    /// is known of the line is kept.
    pub const fn reset(&mut self) {
        self.silent_samples = 0;
    }

    fn hear(&mut self, power: f32) {
        let loud = power > LOUD_RATIO * self.floor().min(power).max(LOWEST_FLOOR);
        self.recent = ((self.recent << 1) | u8::from(loud)) & ((1 << RECENT_FRAMES) - 1);
        if self.recent.count_ones() >= LOUD_FRAMES {
            self.silent_samples = 0;
        } else {
            self.silent_samples += FRAME_SAMPLES as u64;
        }
        self.learn(power);
    }

    fn floor(&self) -> f32 {
        self.minima.iter().copied().fold(self.running.0, f32::min)
    }

    fn learn(&mut self, power: f32) {
        self.running.0 = self.running.0.min(power);
        self.running.1 += 1;
        if self.running.1 == FRAMES_PER_WINDOW {
            if self.minima.len() == FLOOR_WINDOWS {
                self.minima.pop_front();
            }
            self.minima.push_back(self.running.0);
            self.running = (f32::INFINITY, 0);
        }
    }
}

impl Frame {
    /// The power without the mean, in steps of the samples, squared.
    fn mean_square(self) -> f32 {
        let count = FRAME_SAMPLES as u32;
        // n * sum(x^2) - sum(x)^2, in whole numbers: at most 160^2 * 255^2, which fits.
        let scaled = count * self.squares - self.sum * self.sum;
        scaled as f32 / (count * count) as f32
    }
}
