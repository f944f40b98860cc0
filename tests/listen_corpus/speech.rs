//! Speech of nobody: a pulse train or noise through three moving formants, in syllables and phrases.

use super::{RATE, between, mean_square, normal, pick, samples};
use fastrand::Rng;

/// Formants of vowels (Hz), those of a man; women's and children's are scaled up.
pub(crate) const VOWELS: [[f32; 3]; 10] = [
    [270.0, 2290.0, 3010.0],
    [390.0, 1990.0, 2550.0],
    [530.0, 1840.0, 2480.0],
    [660.0, 1720.0, 2410.0],
    [730.0, 1090.0, 2440.0],
    [570.0, 840.0, 2410.0],
    [440.0, 1020.0, 2240.0],
    [300.0, 870.0, 2240.0],
    [640.0, 1190.0, 2390.0],
    [490.0, 1350.0, 1690.0],
];

/// A resonance whose pitch may move.
#[derive(Clone, Copy, Default)]
pub(crate) struct Resonance {
    y1: f32,
    y2: f32,
    a1: f32,
    a2: f32,
    gain: f32,
}

impl Resonance {
    pub(crate) fn tune(&mut self, hz: f32, width: f32) {
        let radius = (-std::f32::consts::PI * width / RATE).exp();
        let angle = std::f32::consts::TAU * hz.min(3700.0) / RATE;
        self.a1 = 2.0 * radius * angle.cos();
        self.a2 = -radius * radius;
        self.gain = 1.0 - self.a1 - self.a2;
    }

    pub(crate) fn run(&mut self, x: f32) -> f32 {
        let y = self.gain * x + self.a1 * self.y1 + self.a2 * self.y2;
        self.y2 = self.y1;
        self.y1 = y;
        y
    }
}

struct Speaker {
    pitch: f32,
    tract: f32,
    speed: f32,
    breath: f32,
    phase: f32,
    formants: [Resonance; 3],
    at: [f32; 3],
    tilt: f32,
}

impl Speaker {
    fn new(rng: &mut Rng) -> Self {
        let (pitch, tract) = match rng.u8(..5) {
            0 | 1 => (between(rng, 85.0, 140.0), between(rng, 0.95, 1.05)),
            2 | 3 => (between(rng, 165.0, 250.0), between(rng, 1.1, 1.2)),
            _ => (between(rng, 240.0, 340.0), between(rng, 1.25, 1.4)),
        };
        Self {
            pitch,
            tract,
            speed: between(rng, 0.8, 1.3),
            breath: between(rng, 0.01, 0.08),
            phase: 0.0,
            formants: [Resonance::default(); 3],
            at: [500.0, 1500.0, 2500.0],
            tilt: 0.0,
        }
    }

    fn vowel(
        &mut self,
        out: &mut Vec<f32>,
        seconds: f32,
        pitch: (f32, f32),
        loud: f32,
        rng: &mut Rng,
    ) {
        let target = pick(rng, &VOWELS).map(|hz| hz * self.tract);
        let count = samples(seconds).max(1);
        let glide = samples(0.05).min(count);
        let from = self.at;
        for n in 0..count {
            if n % 40 == 0 {
                let part = (n as f32 / glide as f32).min(1.0);
                for (k, formant) in self.formants.iter_mut().enumerate() {
                    self.at[k] = from[k] + (target[k] - from[k]) * part;
                    formant.tune(self.at[k], [70.0, 100.0, 150.0][k]);
                }
            }
            let part = n as f32 / count as f32;
            let hz = pitch.0 + (pitch.1 - pitch.0) * part;
            self.phase += hz * (1.0 + 0.01 * normal(rng)) / RATE;
            let mut pulse = self.breath * normal(rng);
            if self.phase >= 1.0 {
                self.phase -= 1.0;
                pulse += 8.0;
            }
            // The throat's own tilt, and an envelope with soft ends.
            self.tilt = 0.85 * self.tilt + pulse;
            let ends = (part * 8.0).min((1.0 - part) * 6.0).clamp(0.0, 1.0);
            let mut value = self.tilt * loud * ends;
            for formant in &mut self.formants {
                value = formant.run(value);
            }
            out.push(value);
        }
    }

    fn hiss(out: &mut Vec<f32>, seconds: f32, loud: f32, rng: &mut Rng) {
        let mut formant = Resonance::default();
        formant.tune(between(rng, 1800.0, 3600.0), 800.0);
        let count = samples(seconds).max(1);
        for n in 0..count {
            let part = n as f32 / count as f32;
            let ends = (part * 5.0).min((1.0 - part) * 5.0).min(1.0);
            out.push(formant.run(normal(rng)) * loud * ends);
        }
    }

    fn syllable(&mut self, out: &mut Vec<f32>, pitch: (f32, f32), rng: &mut Rng) {
        let quick = 1.0 / self.speed;
        match rng.u8(..6) {
            0 | 1 => {
                out.extend(std::iter::repeat_n(
                    0.0,
                    samples(between(rng, 0.03, 0.08) * quick),
                ));
                Self::hiss(out, between(rng, 0.008, 0.03), 0.5, rng);
            }
            2 => Self::hiss(out, between(rng, 0.05, 0.13) * quick, 0.25, rng),
            _ => {}
        }
        let (length, loud) = (between(rng, 0.07, 0.24), between(rng, 0.5, 1.0));
        self.vowel(out, length * quick, pitch, loud, rng);
    }
}

/// So many seconds of a speaker, in phrases with pauses; at no particular level.
pub(crate) fn speech(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut speaker = Speaker::new(rng);
    let mut out = Vec::new();
    while out.len() < samples(seconds) {
        let syllables = rng.usize(2..14);
        let top = speaker.pitch * between(rng, 1.0, 1.3);
        for n in 0..syllables {
            let fall = |n: usize| top * (1.0 - 0.3 * n as f32 / syllables as f32);
            let accent = between(rng, 0.92, 1.1);
            speaker.syllable(&mut out, (fall(n) * accent, fall(n + 1)), rng);
        }
        let pause = if rng.u8(..6) == 0 {
            between(rng, 0.8, 2.5)
        } else {
            between(rng, 0.1, 0.7)
        };
        out.extend(std::iter::repeat_n(0.0, samples(pause)));
    }
    out.truncate(samples(seconds));
    telephone_band(&mut out);
    out
}

/// 300–3400 Hz, as the network passes it.
pub(crate) fn telephone_band(signal: &mut [f32]) {
    let (mut low, mut before, mut high) = (0.0, 0.0, 0.0);
    for value in signal {
        // First order each: the slopes of a cheap telephone.
        high = 0.81 * (high + *value - before);
        before = *value;
        low += 0.93 * (high - low);
        *value = low;
    }
}

/// Which frames of 20 ms hold sound above `power` (mean square).
pub(crate) fn loud_frames(signal: &[f32], power: f32) -> Vec<bool> {
    signal
        .chunks(160)
        .map(|frame| mean_square(frame) > power)
        .collect()
}
