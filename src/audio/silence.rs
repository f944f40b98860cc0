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

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    /// A line: hum and noise of an RMS given in sample steps, round an offset.
    struct Line {
        rng: fastrand::Rng,
        offset: f32,
        noise: f32,
        hum: f32,
        time: usize,
    }

    impl Line {
        fn new(offset: f32, noise: f32, hum: f32) -> Self {
            Self {
                rng: fastrand::Rng::with_seed(1),
                offset,
                noise,
                hum,
                time: 0,
            }
        }

        /// So many milliseconds of the line with a voice of this RMS: a chord that swells and fades
        /// four times a second, as syllables do.
        fn say(&mut self, milliseconds: usize, voice: f32) -> Vec<u8> {
            (0..milliseconds * 8).map(|_| self.sample(voice)).collect()
        }

        fn sample(&mut self, voice: f32) -> u8 {
            let seconds = self.time as f32 / 8000.0;
            self.time += 1;
            let wave = |hertz: f32| (TAU * hertz * seconds).sin();
            // Twelve uniform numbers add up to a normal one.
            let normal: f32 = (0..12).map(|_| self.rng.f32()).sum::<f32>() - 6.0;
            let syllable = 1.0 - wave(4.0);
            let spoken = voice * syllable * (wave(180.0) + wave(420.0) + wave(1130.0)) / 1.5;
            let hum = self.hum * std::f32::consts::SQRT_2 * wave(50.0);
            (128.0 + self.offset + self.noise * normal + hum + spoken)
                .round()
                .clamp(0.0, 255.0) as u8
        }
    }

    fn silent_ms(meter: &SilenceMeter) -> i64 {
        i64::try_from(meter.silent_for().as_millis()).unwrap()
    }

    /// Lines from a dead one to one at -20 dB below full scale of noise, humming, with an offset.
    fn lines() -> Vec<(Line, f32)> {
        let mut lines = Vec::new();
        for offset in [-40.0, -0.5, 0.0, 0.3, 25.0] {
            for (noise, hum, voice) in [
                (0.0, 0.0, 1.6),
                (0.3, 0.0, 1.6),
                (0.6, 0.5, 2.6),
                (1.0, 0.0, 3.5),
                (1.0, 4.0, 13.0),
                (4.0, 0.0, 13.0),
                (4.0, 0.0, 30.0),
            ] {
                lines.push((Line::new(offset, noise, hum), voice));
            }
        }
        lines
    }

    #[test]
    fn silence_is_timed_on_any_line() {
        for (mut line, voice) in lines() {
            let of = format!(
                "offset {} noise {} hum {}",
                line.offset, line.noise, line.hum
            );
            let mut meter = SilenceMeter::new();
            meter.process(&line.say(3000, 0.0));
            assert!(
                (silent_ms(&meter) - 3000).abs() <= 40,
                "{of}: at first {}",
                silent_ms(&meter)
            );
            meter.process(&line.say(3000, voice));
            assert!(
                silent_ms(&meter) <= 200,
                "{of}: voice {}",
                silent_ms(&meter)
            );
            meter.process(&line.say(7000, 0.0));
            assert!(
                (silent_ms(&meter) - 7000).abs() <= 200,
                "{of}: then {}",
                silent_ms(&meter)
            );
            meter.process(&line.say(500, voice));
            assert!(
                silent_ms(&meter) <= 200,
                "{of}: again {}",
                silent_ms(&meter)
            );
        }
    }

    #[test]
    fn long_speech_is_never_taken_for_silence() {
        let mut line = Line::new(3.0, 1.0, 0.0);
        let mut meter = SilenceMeter::new();
        for _ in 0..1200 {
            meter.process(&line.say(100, 8.0));
            assert!(silent_ms(&meter) <= 400, "{}", silent_ms(&meter));
        }
    }

    #[test]
    fn a_noise_that_begins_and_stays_is_silence_after_a_while() {
        let mut line = Line::new(0.0, 0.5, 0.0);
        let mut meter = SilenceMeter::new();
        meter.process(&line.say(5000, 0.0));
        line.noise = 5.0;
        meter.process(&line.say(1000, 0.0));
        assert_eq!(silent_ms(&meter), 0);
        meter.process(&line.say(9000, 0.0));
        assert!(silent_ms(&meter) >= 5000, "{}", silent_ms(&meter));
    }

    #[test]
    fn a_click_is_no_voice() {
        let mut line = Line::new(0.0, 0.5, 0.0);
        let mut meter = SilenceMeter::new();
        for _ in 0..10 {
            meter.process(&line.say(990, 0.0));
            meter.process(&[255; 80]);
        }
        assert_eq!(silent_ms(&meter), 10_000);
    }

    #[test]
    fn chunks_of_any_size_mean_the_same() {
        let mut line = Line::new(1.0, 1.0, 0.0);
        let mut samples = line.say(1500, 0.0);
        samples.extend(line.say(700, 20.0));
        samples.extend(line.say(1234, 0.0));
        let mut whole = SilenceMeter::new();
        whole.process(&samples);
        for size in [1, 64, 128, 159, 161, 8000] {
            let mut meter = SilenceMeter::new();
            samples.chunks(size).for_each(|chunk| meter.process(chunk));
            assert_eq!(meter.silent_for(), whole.silent_for());
        }
    }

    #[test]
    fn a_reset_counts_anew_and_the_loudest_line_does_no_harm() {
        let mut meter = SilenceMeter::new();
        meter.process(&[128; 16_000]);
        assert_eq!(meter.silent_for(), Duration::from_secs(2));
        meter.reset();
        assert_eq!(meter.silent_for(), Duration::ZERO);
        let square: Vec<u8> = (0..16_000)
            .map(|index| if index % 2 == 0 { 0 } else { 255 })
            .collect();
        meter.process(&square);
        assert_eq!(meter.silent_for(), Duration::ZERO);
        let mut constant = SilenceMeter::new();
        constant.process(&[255; 16_000]);
        assert_eq!(constant.silent_for(), Duration::from_secs(2));
    }
}
