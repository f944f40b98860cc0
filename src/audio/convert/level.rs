//! How loud audio is, and how its samples become 8 bits.
//!
//! The loudest sample is brought to -4 dB below full scale, as in the prompts that come with
//! callblock, and a DC offset is taken out. What is next to silent is raised by 30 dB at most, so
//! that an empty recording stays one. Where a file becomes louder than what was measured, the gain
//! falls for the rest of it: nothing is ever clipped.

/// Where the loudest sample goes: -4 dB.
const PEAK: f32 = 0.631;
/// The most by which audio is raised: 30 dB.
const MAX_GAIN: f32 = 31.6;
/// No sample goes beyond this, dither included.
const CEILING: f32 = 0.98;
/// Steps of a sample of 8 bits from silence to full scale.
const STEPS: f32 = 128.0;
/// The noise is always the same: a file that is converted twice is the same twice.
const DITHER_SEED: u64 = 0x7064_6674;

/// What was measured of a stretch of audio.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::audio) struct Level {
    lowest: f32,
    highest: f32,
    sum: f64,
    samples: u64,
}

impl Level {
    /// Of no audio at all.
    pub(super) const NONE: Self = Self {
        lowest: f32::INFINITY,
        highest: f32::NEG_INFINITY,
        sum: 0.0,
        samples: 0,
    };

    /// Takes more samples in.
    pub(super) fn add(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.lowest = self.lowest.min(sample);
            self.highest = self.highest.max(sample);
            self.sum += f64::from(sample);
        }
        self.samples += samples.len() as u64;
    }

    /// How many samples were measured.
    pub(super) const fn samples(&self) -> u64 {
        self.samples
    }

    fn offset(&self) -> f32 {
        (self.sum / self.samples.max(1) as f64) as f32
    }
}

/// Turns samples of full scale 1 into those of the line.
#[derive(Clone, Debug)]
pub(super) struct Quantiser {
    offset: f32,
    gain: f32,
    noise: fastrand::Rng,
}

impl Quantiser {
    /// For audio of which this was measured.
    pub(super) fn new(level: &Level) -> Self {
        let offset = level.offset();
        let peak = (level.highest - offset).max(offset - level.lowest);
        let gain = if peak > 0.0 { PEAK / peak } else { 1.0 };
        Self {
            offset,
            gain: gain.min(MAX_GAIN),
            noise: fastrand::Rng::with_seed(DITHER_SEED),
        }
    }

    /// The samples of a block, with noise of triangular density two steps wide.
    pub(super) fn quantise(&mut self, samples: &[f32]) -> Vec<u8> {
        let loudest = samples.iter().fold(0.0_f32, |most, sample| {
            most.max((sample - self.offset).abs())
        });
        if loudest * self.gain > CEILING {
            self.gain = CEILING / loudest;
        }
        samples
            .iter()
            .map(|sample| {
                let noise = self.noise.f32() - self.noise.f32();
                to_line((sample - self.offset) * self.gain + noise / STEPS)
            })
            .collect()
    }
}

/// The sample of the line that is nearest to one of full scale 1.
pub(super) fn to_line(sample: f32) -> u8 {
    ((sample * STEPS).round() + STEPS).clamp(0.0, 255.0) as u8
}
