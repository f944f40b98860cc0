//! What is new in a sound: what a linear predictor cannot tell of it from the samples before.
//!
//! A steady tone is told almost wholly, noise not at all, and of speech, pitch by pitch, what a
//! throat makes of it. So what a filter learns from sounds that went through the predictor is not
//! governed by the loudest pitch.

use super::lanes::{lanes, total};

/// Samples of a block that a predictor is made for (50 ms).
pub(super) const BLOCK: usize = 400;
/// Samples that a predictor looks back: two for each of six pitches.
pub(super) const ORDER: usize = 12;
/// White noise that is taken to be in every sound, as a share of its power (−50 dB): keeps the solution
/// within what an `f32` can tell.
const NOISE: f32 = 1e-5;

/// Makes predictors.
#[derive(Clone, Debug)]
pub(super) struct Prediction {
    /// Hann's window.
    window: Box<[f32; BLOCK]>,
    /// Noise in every block besides, mean square.
    floor: f32,
}

impl Prediction {
    /// With noise of this mean square in every block, which nothing is told of.
    pub(super) fn new(floor: f32) -> Self {
        let angle = |n: usize| std::f32::consts::TAU * (n as f32 + 0.5) / BLOCK as f32;
        Self {
            window: Box::new(std::array::from_fn(|n| 0.5 - 0.5 * angle(n).cos())),
            floor,
        }
    }

    /// The predictor that leaves the least of this block.
    pub(super) fn predictor(&self, block: &[f32; BLOCK]) -> Predictor {
        let mut windowed = [0.0; BLOCK + ORDER];
        for ((to, from), window) in windowed.iter_mut().zip(block).zip(self.window.iter()) {
            *to = from * window;
        }
        let mut correlation: [f32; ORDER + 1] = std::array::from_fn(|lag| {
            let products = lanes(&windowed)
                .zip(lanes(&windowed[lag..lag + BLOCK]))
                .map(|(a, b)| a * b);
            total(products.sum())
        });
        // A Hann window leaves three eighths of the power.
        let floor = 0.375 * BLOCK as f32 * self.floor;
        correlation[0] += NOISE * correlation[0] + floor;
        Predictor(levinson(&correlation))
    }
}

/// What is expected of a sample by those before it, the latest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Predictor([f32; ORDER]);

impl Predictor {
    /// What the predictor does not tell of `samples`, the latest first: as many as have [`ORDER`] others
    /// before them.
    pub(super) fn residual<const COUNT: usize>(&self, samples: &[f32]) -> [f32; COUNT] {
        let mut rest = [0.0; COUNT];
        rest.copy_from_slice(&samples[..COUNT]);
        for (back, factor) in (1..).zip(self.0) {
            for (rest, before) in rest.iter_mut().zip(&samples[back..]) {
                *rest -= factor * before;
            }
        }
        rest
    }
}

/// Solves for the predictor of a sound with this autocorrelation, by Levinson's recursion.
fn levinson(correlation: &[f32; ORDER + 1]) -> [f32; ORDER] {
    let mut factors = [0.0; ORDER];
    let mut error = correlation[0];
    for order in 0..ORDER {
        let known = factors[..order]
            .iter()
            .zip(correlation[1..=order].iter().rev());
        let told: f32 = known.map(|(factor, c)| factor * c).sum();
        let reflection = (correlation[order + 1] - told) / error;
        let shorter = factors;
        for (factor, mirrored) in factors[..order]
            .iter_mut()
            .zip(shorter[..order].iter().rev())
        {
            *factor -= reflection * mirrored;
        }
        factors[order] = reflection;
        error *= 1.0 - reflection * reflection;
    }
    factors
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    const FLOOR: f32 = 5e-6;

    /// What is left of a block, dB beside it.
    fn left_db(block: &[f32; BLOCK]) -> f32 {
        let rest: [f32; BLOCK - ORDER] = Prediction::new(FLOOR).predictor(block).residual(block);
        let power = |samples: &[f32]| samples.iter().map(|x| x * x).sum::<f32>();
        10.0 * (power(&rest) / power(&block[..BLOCK - ORDER])).log10()
    }

    #[test]
    fn a_tone_is_told_beforehand() {
        for hz in [350.0, 425.0, 1400.0, 3600.0] {
            let block = std::array::from_fn(|n| {
                0.3 * (std::f32::consts::TAU * hz * n as f32 / 8000.0).sin()
            });
            let left = left_db(&block);
            assert!(left < -25.0, "{hz} Hz: {left} dB");
        }
    }

    #[test]
    fn noise_is_not() {
        let mut rng = Rng::with_seed(9);
        let block = std::array::from_fn(|_| 0.3 * (rng.f32() - 0.5));
        assert!(left_db(&block).abs() < 1.0, "{}", left_db(&block));
    }

    #[test]
    fn what_is_fainter_than_the_floor_is_left_as_it_is() {
        let block = std::array::from_fn(|n| 1e-4 * (n as f32 * 0.3).sin());
        let rest: [f32; BLOCK - ORDER] = Prediction::new(FLOOR).predictor(&block).residual(&block);
        for (rest, sample) in rest.iter().zip(&block) {
            assert!((rest - sample).abs() < 1e-5, "{rest} {sample}");
        }
        let silent = Prediction::new(FLOOR).predictor(&[0.0; BLOCK]);
        assert!(silent.0.iter().all(|factor| *factor == 0.0), "{silent:?}");
    }
}
