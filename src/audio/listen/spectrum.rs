//! Short-time spectrum: 64 ms (512 samples, Hann window) every 20 ms, and what in it is a pure tone.
//!
//! One 256-point complex transform costs less than a bank of sixteen Goertzel filters over the same
//! window and covers every pitch, so a tone can be told from a note by what else sounds with it.

use super::fourier::{Fourier, POINTS, QUARTER, Quad, angle, by_fours};
use super::lanes::{self, Lanes, all, lanes, sum_of_squares};
use super::observation::SAMPLES_PER_SECOND;

/// Samples in a window.
pub(super) const WINDOW: usize = 512;
const _: () = assert!(POINTS * 2 == WINDOW);
/// Distance of two bins in Hz.
pub(super) const BIN_HZ: f32 = SAMPLES_PER_SECOND as f32 / WINDOW as f32;
/// Bins of the telephone band: 281–3600 Hz.
pub(super) const LOW: usize = 18;
pub(super) const HIGH: usize = 230;
/// Bins kept: up to the band's end, four by four.
pub(super) const BINS: usize = 232;
/// What sounds beside a tone is looked for from here on (203 Hz), where the front end still lets through
/// enough of it.
const BESIDE: usize = 13;
/// Bins on each side of a peak that belong to it: the window's main lobe, a 25 Hz modulation included.
pub(super) const SPAN: usize = 3;
const PEAKS: usize = 4;

/// The power in each bin; scaled so that the sum over a pure tone is its mean square.
#[derive(Clone, Copy, Debug)]
pub(super) struct Power(pub(super) [f32; BINS]);

impl Power {
    pub(super) const NONE: Self = Self([0.0; BINS]);

    /// Each bin of two spectra made into one.
    pub(super) fn with(&self, other: &Self, one: impl Fn(Lanes, Lanes) -> Lanes) -> Self {
        let mut out = Self::NONE;
        let both = lanes(&self.0).zip(lanes(&other.0));
        for (out, (a, b)) in out.0.as_chunks_mut().0.iter_mut().zip(both) {
            *out = one(a, b).to_array();
        }
        out
    }

    /// Mean square of everything in the band.
    pub(super) fn total(&self) -> f32 {
        lanes::total(lanes(&self.0[LOW - 2..]).fold(Lanes::ZERO, |sum, four| sum + four))
    }

    /// Power within `width` Hz of `centre`.
    pub(super) fn band(&self, centre: f32, width: f32) -> f32 {
        let from = ((centre - width) / BIN_HZ).ceil().max(0.0) as usize;
        let to = ((centre + width) / BIN_HZ).floor().max(0.0) as usize;
        self.0
            .get(from..=to.min(HIGH))
            .map_or(0.0, |bins| bins.iter().sum())
    }

    /// Adds another spectrum to a sum of several.
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, power) in self.0.iter_mut().zip(&other.0) {
            *sum += power;
        }
    }

    /// The pitches that sound together, the strongest first, of a sum of many spectra: in it noise is even.
    pub(super) fn components(&self) -> Components {
        let mut rest = self.0;
        let mut components = [Component::default(); COMPONENTS];
        let mut loudest = 0.0;
        for component in &mut components {
            let peak = (BESIDE..=HIGH - SPAN)
                .filter(|&bin| rest[bin] >= self.0[bin - 1] && rest[bin] >= self.0[bin + 1])
                .max_by(|&a, &b| rest[a].total_cmp(&rest[b]));
            let Some(peak) = peak else { break };
            let cluster = &mut rest[peak - SPAN..=peak + SPAN];
            let power: f32 = cluster.iter().sum();
            if power <= HEARD_BESIDE * loudest {
                break;
            }
            let offsets = cluster.iter().enumerate();
            let moment: f32 = offsets.map(|(n, &bin)| n as f32 * bin).sum();
            cluster.fill(0.0);
            loudest = power.max(loudest);
            let bin = (peak - SPAN) as f32 + moment / power;
            component.hz = bin * BIN_HZ;
            component.share = power / loudest;
        }
        components
    }

    /// The strongest peaks, of what is `total` altogether, as a single shape.
    pub(super) fn shape(&self, total: f32) -> Shape {
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
            if found > 0 && power < kept / found as f32 * HEARD_BESIDE {
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

/// One pitch of several that sound together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Component {
    pub(super) hz: f32,
    /// Its power, the strongest one's being 1; 0 where there is no further one.
    pub(super) share: f32,
}

/// Pitches looked for: a plan's two, a foreign one and one of the mains.
const COMPONENTS: usize = 4;
pub(super) type Components = [Component; COMPONENTS];

/// What is heard beside a louder pitch: within 12 dB of it.
const HEARD_BESIDE: f32 = 0.06;

/// Share of all power that a tone must have: at 10 dB signal to noise it is 0.9.
pub(super) const PURE: f32 = 0.82;

/// The same for four pitches in pulses that are hardly longer than a window.
const PURE_HOWLER: f32 = 0.7;

fn strongest(bins: &[f32; BINS]) -> Option<usize> {
    let candidates = &bins[LOW..=HIGH - SPAN];
    let beyond = candidates.as_chunks::<4>().1.iter().copied();
    let most = lanes(candidates)
        .fold(Lanes::ZERO, Lanes::fast_max)
        .to_array()
        .into_iter()
        .chain(beyond)
        .fold(0.0, f32::max);
    let place = candidates.iter().position(|&bin| bin >= most)?;
    (most > 0.0).then_some(LOW + place)
}

/// Below −57 dB, less than what 8 bits make of silence, there is no spectrum to speak of.
const NOTHING: f32 = 2e-6;

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

/// Below the lowest pitch of any exchange there may still be an overtone of the mains' hum: 300 Hz.
const LOWEST_TONE_HZ: f32 = 315.0;

impl Shape {
    /// Of a sound too faint to look into.
    pub(super) fn faint(total: f32) -> Self {
        Self {
            total,
            ..Self::default()
        }
    }

    /// One or two pitches, and next to nothing beside them; or the four of a howler.
    pub(super) fn is_tone(&self) -> bool {
        let howler = self.peaks == PEAKS
            && (2040.0..2220.0).contains(&self.hz)
            && (390.0..550.0).contains(&self.spread_hz);
        let tone = self.peaks <= 2 && self.hz >= LOWEST_TONE_HZ;
        self.share >= PURE && tone || self.share >= PURE_HOWLER && howler
    }
}

/// Turns windows into spectra.
#[derive(Clone, Debug)]
pub(super) struct Transform {
    /// The window at its even and at its odd places.
    window: [[Lanes; QUARTER]; 2],
    /// exp(−2πi k / 512).
    turns: [Quad; QUARTER],
    fourier: Fourier,
}

impl Transform {
    pub(super) fn new() -> Self {
        let hann = |n: usize| 0.5 - 0.5 * angle(n as f32 + 0.5, WINDOW).cos();
        Self {
            window: [0, 1].map(|odd| by_fours(|n| hann(2 * n + odd))),
            turns: Quad::by_fours(|k| angle(-(k as f32), WINDOW)),
            fourier: Fourier::new(),
        }
    }

    /// The power spectrum of a window.
    pub(super) fn power(&mut self, heard: &[f32; WINDOW]) -> Power {
        let mut power = Power::NONE;
        if sum_of_squares(heard) < NOTHING * WINDOW as f32 {
            return power;
        }
        // Even samples are the real part, odd ones the imaginary part.
        let eights = heard.as_chunks::<8>().0;
        let mut points = [Quad::ZERO; QUARTER];
        for (n, (point, x)) in points.iter_mut().zip(eights).enumerate() {
            point.re = Lanes::new([x[0], x[2], x[4], x[6]]) * self.window[0][n];
            point.im = Lanes::new([x[1], x[3], x[5], x[7]]) * self.window[1][n];
        }
        let points = self.fourier.transform(&points);
        // Mean square of a tone = 2·Σ|X|² / (N·Σw²), with Σw² = 3N/8 of a Hann window.
        let scale = all(2.0 / (WINDOW as f32 * WINDOW as f32 * 0.375));
        let half = all(0.5);
        let fours = power.0.as_chunks_mut().0.iter_mut().enumerate();
        for (n, bins) in fours.skip((BESIDE - 1) / 4) {
            let a = points[n];
            let b = Quad::backwards(&points[QUARTER - n], &points[QUARTER - n - 1]);
            let even = Quad::new(half * (a.re + b.re), half * (a.im - b.im));
            let odd = Quad::new(half * (a.im + b.im), half * (b.re - a.re));
            let bin = even + odd * self.turns[n];
            *bins = (scale * (bin.re * bin.re + bin.im * bin.im)).to_array();
        }
        power.0[HIGH + 1..].fill(0.0);
        power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(window: &[f32; WINDOW]) -> Shape {
        let power = Transform::new().power(window);
        power.shape(power.total())
    }

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
            let shape = shape_of(&sines(&[(hz, 0.5)]));
            assert!(shape.is_tone(), "{shape:?}");
            assert!((shape.hz - hz).abs() < 1.0, "{shape:?}");
            assert!((shape.power - 0.125).abs() < 0.003, "{shape:?}");
            assert!(shape.spread_hz < 16.0, "{shape:?}");
        }
    }

    #[test]
    fn two_tones_have_their_mean_and_spread() {
        let ring = sines(&[(350.0, 0.3), (440.0, 0.3)]);
        let shape = shape_of(&ring);
        assert!(shape.is_tone());
        assert!((shape.hz - 395.0).abs() < 8.0, "{shape:?}");
        assert!((shape.spread_hz - 47.0).abs() < 8.0, "{shape:?}");
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
        assert!(!shape_of(&sines(&parts)).is_tone());
    }
}
