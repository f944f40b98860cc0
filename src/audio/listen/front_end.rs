//! From line samples to a clean signal: centred, without DC offset and mains hum.
//!
//! A fourth-order Butterworth high-pass at 240 Hz: the lowest call progress tone (330 Hz) passes,
//! 50/60 Hz hum and its first overtones do not.

use super::observation::SAMPLES_PER_SECOND;

const CUT_HZ: f32 = 240.0;

/// Full scale is 1.0: a level in dB relative to full scale, of a mean square.
pub(super) fn dbfs(mean_square: f32) -> f32 {
    10.0 * (mean_square + 1e-10).log10()
}

/// A line sample (8-bit unsigned, 128 is the middle) as a number from −1 to 1.
pub(super) fn centred(sample: u8) -> f32 {
    (f32::from(sample) - 128.0) / 128.0
}

#[derive(Clone, Debug)]
struct HighPass {
    b0: f32,
    a1: f32,
    a2: f32,
    s1: f32,
    s2: f32,
}

impl HighPass {
    fn new(quality: f32) -> Self {
        let angle = std::f32::consts::TAU * CUT_HZ / SAMPLES_PER_SECOND as f32;
        let alpha = angle.sin() / (2.0 * quality);
        let a0 = 1.0 + alpha;
        Self {
            b0: f32::midpoint(1.0, angle.cos()) / a0,
            a1: -2.0 * angle.cos() / a0,
            a2: (1.0 - alpha) / a0,
            s1: 0.0,
            s2: 0.0,
        }
    }

    #[inline]
    fn filter(&mut self, x: f32) -> f32 {
        let y = self.b0 * x + self.s1;
        self.s1 = self.s2 - 2.0 * self.b0 * x - self.a1 * y;
        self.s2 = self.b0 * x - self.a2 * y;
        y
    }

    /// Lets the tail of a sound end: on a line that is silent to the bit it would fade for ever, in
    /// numbers so small (denormal) that each takes a hundred times as long.
    fn settle(&mut self) {
        for state in [&mut self.s1, &mut self.s2] {
            if state.abs() < 1e-15 {
                *state = 0.0;
            }
        }
    }
}

/// The high-pass and the offset the line began with, so that no step is heard at the start.
#[derive(Clone, Debug)]
pub(super) struct FrontEnd {
    start: Option<f32>,
    stages: [HighPass; 2],
}

impl FrontEnd {
    pub(super) fn new() -> Self {
        Self {
            start: None,
            // The two pole pairs of a fourth-order Butterworth filter.
            stages: [HighPass::new(0.5412), HighPass::new(1.3066)],
        }
    }

    /// Cleans line samples (8-bit unsigned) into as many numbers from −1 to 1.
    pub(super) fn clean(&mut self, samples: &[u8], cleaned: &mut [f32]) {
        let Some(&first) = samples.first() else {
            return;
        };
        let start = *self.start.get_or_insert(centred(first));
        let [first, second] = &mut self.stages;
        for (sample, clean) in samples.iter().zip(cleaned) {
            *clean = second.filter(first.filter(centred(*sample) - start));
        }
        self.stages.iter_mut().for_each(HighPass::settle);
    }
}
