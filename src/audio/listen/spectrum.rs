//! Short-time spectrum: 64 ms (512 samples, Hann window) every 20 ms, and what in it is a pure tone.
//!
//! One 256-point complex transform costs less than a bank of sixteen Goertzel filters over the same
//! window and covers every pitch, so a tone can be told from a note by what else sounds with it.

use super::observation::SAMPLES_PER_SECOND;

/// Samples in a window.
pub(super) const WINDOW: usize = 512;
const HALF: usize = WINDOW / 2;
/// Distance of two bins in Hz.
const BIN_HZ: f32 = SAMPLES_PER_SECOND as f32 / WINDOW as f32;
/// Bins of the telephone band: 281–3600 Hz.
const LOW: usize = 18;
const HIGH: usize = 230;
/// Bins on each side of a peak that belong to it: the window's main lobe, a 25 Hz modulation included.
const SPAN: usize = 3;
const PEAKS: usize = 4;

/// The power in each bin; scaled so that the sum over a pure tone is its mean square.
#[derive(Clone, Copy, Debug)]
pub(super) struct Power([f32; HIGH + 1]);

impl Power {
    pub(super) const NONE: Self = Self([0.0; HIGH + 1]);

    /// Power within `width` Hz of `centre`.
    pub(super) fn band(&self, centre: f32, width: f32) -> f32 {
        let from = ((centre - width) / BIN_HZ).ceil().max(0.0) as usize;
        let to = ((centre + width) / BIN_HZ).floor().max(0.0) as usize;
        self.0
            .get(from..=to.min(HIGH))
            .map_or(0.0, |bins| bins.iter().sum())
    }

    /// The strongest peaks as a single shape.
    pub(super) fn shape(&self) -> Shape {
        let total: f32 = self.0[LOW - 2..].iter().sum();
        let mut rest = self.0;
        let mut peaks = [(0.0_f32, 0.0_f32, 0.0_f32); PEAKS];
        let mut found = 0;
        let mut kept = 0.0;
        for peak in &mut peaks {
            let Some(bin) = strongest(&rest) else { break };
            let cluster = &mut rest[bin - SPAN..=(bin + SPAN).min(HIGH)];
            let (mut power, mut moment, mut second) = (0.0, 0.0, 0.0);
            for (offset, value) in cluster.iter_mut().enumerate() {
                let at = (bin - SPAN + offset) as f32;
                power += *value;
                moment += *value * at;
                second += *value * at * at;
                *value = 0.0;
            }
            // A weaker peak counts if it is heard at all beside the first: within 12 dB.
            if found > 0 && power < kept / found as f32 * 0.06 {
                break;
            }
            *peak = (power, moment, second);
            kept += power;
            found += 1;
            let share = kept / (total + 1e-12);
            if share >= PURE && found != 3 {
                break;
            }
        }
        let power = kept + 1e-12;
        let mean = peaks.iter().map(|p| p.1).sum::<f32>() / power;
        let square = peaks.iter().map(|p| p.2).sum::<f32>() / power;
        Shape {
            total,
            power: kept,
            hz: mean * BIN_HZ,
            spread_hz: (square - mean * mean).max(0.0).sqrt() * BIN_HZ,
            share: kept / (total + 1e-12),
            peaks: found,
        }
    }
}

/// Share of all power that a tone must have: at 10 dB signal to noise it is 0.9.
pub(super) const PURE: f32 = 0.82;

/// The same for four pitches in pulses that are hardly longer than a window.
const PURE_HOWLER: f32 = 0.7;

fn strongest(bins: &[f32; HIGH + 1]) -> Option<usize> {
    let mut best = LOW;
    for bin in LOW..=HIGH - SPAN {
        if bins[bin] > bins[best] {
            best = bin;
        }
    }
    (bins[best] > 0.0).then_some(best)
}

/// The tonal part of a spectrum, summed up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// Mean square of everything in the band.
    pub(super) total: f32,
    /// Mean square of the peaks.
    pub(super) power: f32,
    /// Their centre of gravity.
    pub(super) hz: f32,
    /// Standard deviation of their pitch: about 14 Hz for a single pure tone (the window's own).
    pub(super) spread_hz: f32,
    /// `power` as a share of `total`.
    pub(super) share: f32,
    /// Peaks counted.
    pub(super) peaks: usize,
}

impl Shape {
    /// One or two pitches, and next to nothing beside them; or the four of a howler.
    pub(super) fn is_tone(&self) -> bool {
        let howler = self.peaks == PEAKS
            && (2040.0..2220.0).contains(&self.hz)
            && (390.0..550.0).contains(&self.spread_hz);
        self.share >= PURE && self.peaks <= 2 || self.share >= PURE_HOWLER && howler
    }
}

/// Turns windows into spectra; holds its tables and workspace.
#[derive(Clone, Debug)]
pub(super) struct Transform {
    window: [f32; WINDOW],
    /// exp(−2πi k / 512).
    turns: [(f32, f32); HALF],
    work: [(f32, f32); HALF],
}

impl Transform {
    pub(super) fn new() -> Self {
        let mut window = [0.0; WINDOW];
        for (n, value) in window.iter_mut().enumerate() {
            let angle = std::f32::consts::TAU * (n as f32 + 0.5) / WINDOW as f32;
            *value = 0.5 - 0.5 * angle.cos();
        }
        let mut turns = [(0.0, 0.0); HALF];
        for (k, turn) in turns.iter_mut().enumerate() {
            let angle = -std::f32::consts::TAU * k as f32 / WINDOW as f32;
            *turn = (angle.cos(), angle.sin());
        }
        Self {
            window,
            turns,
            work: [(0.0, 0.0); HALF],
        }
    }

    /// The power spectrum of the last 512 samples of a ring, the oldest being at `oldest`.
    pub(super) fn power(&mut self, ring: &[f32; WINDOW], oldest: usize) -> Power {
        // Even samples are the real part, odd ones the imaginary part, in bit-reversed order.
        for n in 0..HALF {
            let even = (oldest + 2 * n) % WINDOW;
            let odd = (even + 1) % WINDOW;
            let place = (n as u32).reverse_bits() >> (32 - HALF.trailing_zeros());
            self.work[place as usize] = (
                ring[even] * self.window[2 * n],
                ring[odd] * self.window[2 * n + 1],
            );
        }
        self.transform();
        let mut power = Power::NONE;
        // Mean square of a tone = 2·Σ|X|² / (N·Σw²), with Σw² = 3N/8 of a Hann window.
        let scale = 2.0 / (WINDOW as f32 * WINDOW as f32 * 0.375);
        for (k, value) in power.0.iter_mut().enumerate().skip(LOW - SPAN) {
            let (ar, ai) = self.work[k];
            let (br, bi) = self.work[HALF - k];
            let (even_r, even_i) = (0.5 * (ar + br), 0.5 * (ai - bi));
            let (odd_r, odd_i) = (0.5 * (ai + bi), 0.5 * (br - ar));
            let (c, s) = self.turns[k];
            let re = even_r + c * odd_r - s * odd_i;
            let im = even_i + c * odd_i + s * odd_r;
            *value = scale * (re * re + im * im);
        }
        power
    }

    fn transform(&mut self) {
        let mut half = 1;
        while half < HALF {
            // Twiddles of this stage: exp(−2πi j / (2·half)) = turns[j · 512 / (2·half)].
            let step = HALF / half;
            for group in self.work.chunks_exact_mut(2 * half) {
                let (low, high) = group.split_at_mut(half);
                for (j, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let (c, s) = self.turns[j * step];
                    let (tr, ti) = (b.0 * c - b.1 * s, b.0 * s + b.1 * c);
                    *b = (a.0 - tr, a.1 - ti);
                    *a = (a.0 + tr, a.1 + ti);
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sines(parts: &[(f32, f32)]) -> [f32; WINDOW] {
        let mut out = [0.0; WINDOW];
        for (n, value) in out.iter_mut().enumerate() {
            for &(hz, amplitude) in parts {
                *value += amplitude * (std::f32::consts::TAU * hz * n as f32 / 8000.0 + 0.3).sin();
            }
        }
        out
    }

    #[test]
    fn a_sine_is_found_with_its_pitch_and_power() {
        for hz in [330.0, 425.0, 613.3, 1100.0, 2225.0, 3300.0] {
            let shape = Transform::new().power(&sines(&[(hz, 0.5)]), 0).shape();
            assert!(shape.is_tone(), "{shape:?}");
            assert!((shape.hz - hz).abs() < 1.0, "{shape:?}");
            assert!((shape.power - 0.125).abs() < 0.003, "{shape:?}");
            assert!(shape.spread_hz < 16.0, "{shape:?}");
        }
    }

    #[test]
    fn two_tones_have_their_mean_and_spread() {
        let ring = sines(&[(350.0, 0.3), (440.0, 0.3)]);
        let shape = Transform::new().power(&ring, 0).shape();
        assert!(shape.is_tone());
        assert!((shape.hz - 395.0).abs() < 8.0, "{shape:?}");
        assert!((shape.spread_hz - 47.0).abs() < 8.0, "{shape:?}");
    }

    #[test]
    fn a_ring_may_begin_anywhere() {
        let straight = sines(&[(700.0, 0.3)]);
        let mut turned = straight;
        turned.rotate_right(100);
        let a = Transform::new().power(&straight, 0);
        let b = Transform::new().power(&turned, 100);
        for (x, y) in a.0.iter().zip(&b.0) {
            assert!((x - y).abs() < 1e-9);
        }
    }

    #[test]
    fn a_note_with_overtones_is_no_tone() {
        let parts = [
            (220.0, 0.2),
            (440.0, 0.2),
            (660.0, 0.15),
            (880.0, 0.1),
            (1320.0, 0.1),
        ];
        assert!(!Transform::new().power(&sines(&parts), 0).shape().is_tone());
    }
}
