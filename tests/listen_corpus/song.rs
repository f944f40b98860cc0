//! Held and sung vowels: the sound that comes nearest to a key, two overtones of one voice between
//! 700 and 1600 Hz, lifted by the formants there.

use super::speech::{Resonance, VOWELS, telephone_band};
use super::{RATE, add_noise, between, pick, samples};
use fastrand::Rng;

/// One vowel: a voice's pitch from here to there, swaying.
pub(crate) struct Vowel {
    pub(crate) seconds: f32,
    pub(crate) hz: (f32, f32),
    /// Depth of the vibrato, as a share of the pitch, and its rate in Hz.
    pub(crate) vibrato: (f32, f32),
    pub(crate) formants: [f32; 3],
    /// Of the formants, as a factor of a usual voice's.
    pub(crate) width: f32,
}

impl Vowel {
    fn any(rng: &mut Rng) -> Self {
        let hz = 80.0 * 6.25_f32.powf(rng.f32());
        let glide = pick(rng, &[0.0, 0.02, 0.1, 0.3]);
        let tract = between(rng, 0.95, 1.4);
        Self {
            seconds: between(rng, 0.05, 0.6),
            hz: (hz, hz * (1.0 + between(rng, -glide, glide))),
            vibrato: (pick(rng, &[0.0, 0.0, 0.01, 0.03]), between(rng, 4.0, 7.0)),
            formants: pick(rng, &VOWELS).map(|hz| hz * tract),
            width: between(rng, 0.5, 1.5),
        }
    }

    /// At no particular level.
    pub(crate) fn sound(&self, out: &mut Vec<f32>) {
        let mut tract = [Resonance::default(); 3];
        for (k, resonance) in tract.iter_mut().enumerate() {
            resonance.tune(self.formants[k], [70.0, 100.0, 150.0][k] * self.width);
        }
        let count = samples(self.seconds);
        let mut phase = 0.0_f32;
        for n in 0..count {
            let sway = (std::f32::consts::TAU * self.vibrato.1 * n as f32 / RATE).sin();
            let part = n as f32 / count as f32;
            let hz = (self.hz.0 + (self.hz.1 - self.hz.0) * part) * (1.0 + self.vibrato.0 * sway);
            phase = (phase + hz / RATE).fract();
            let edge = 0.01 * RATE;
            let ends = (n as f32 / edge).min((count - n) as f32 / edge).min(1.0);
            let pulse = pulse(phase, hz) * ends;
            out.push(tract.iter_mut().fold(pulse, |x, formant| formant.run(x)));
        }
    }
}

/// All overtones below 3.8 kHz, falling by 6 dB an octave from 500 Hz on. No sharp pulses: what a sampled
/// one would fold back spoils the likeness.
fn pulse(phase: f32, hz: f32) -> f32 {
    let (sine, cosine) = (std::f32::consts::TAU * phase).sin_cos();
    let (mut re, mut im) = (1.0_f32, 0.0_f32);
    (1..=(3800.0 / hz) as usize)
        .map(|overtone| {
            (re, im) = (re * cosine - im * sine, re * sine + im * cosine);
            re / (1.0 + overtone as f32 * hz / 500.0)
        })
        .sum()
}

/// So many seconds of vowels of all pitches from 80 to 500 Hz, one after the other or with pauses; at no
/// particular level.
pub(crate) fn song(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut out = Vec::new();
    while out.len() < samples(seconds) {
        let from = out.len();
        Vowel::any(rng).sound(&mut out);
        let power = super::mean_square(&out[from..]).max(1e-12);
        out[from..]
            .iter_mut()
            .for_each(|x| *x *= 0.1 / power.sqrt());
        let breath = pick(rng, &[0.0, 0.0, 0.003, 0.01]);
        add_noise(&mut out[from..], breath, rng);
        let pause = pick(rng, &[0.0, 0.1, 0.3]);
        out.extend(std::iter::repeat_n(0.0, samples(pause)));
    }
    out.truncate(samples(seconds));
    telephone_band(&mut out);
    out
}
