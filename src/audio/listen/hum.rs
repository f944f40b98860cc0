//! What sounds on the line all the while is the line's own: overtones of the mains, the whine of a power
//! supply. It is found in each pitch by itself, as the least that was heard there for long, and taken out
//! of the spectra, so that tones and pauses are seen beside it.
//!
//! Only what stands out as a pitch is taken out; noise is left as it is. What may be a dial tone is hum if it
//! was there before somebody spoke and after, or for longer than a dial tone lasts without ending the call.

use super::lanes::{Lanes, all};
use super::spectrum::{BIN_HZ, BINS, HIGH, LOW, Power, SPAN};

/// Spectra (20 ms) in a stretch.
const STRETCH: usize = 20;
/// Stretches that a pitch has to last (6 s): no dial tone is looked at for longer.
const LONG: usize = 15;
/// The same (1.6 s) where it is too high for a dial tone: longer than a pulse of any cadence that ends a call.
const SHORT: usize = 4;
/// The first bin that is too high.
const ABOVE_DIAL_TONES: usize = (500.0 / BIN_HZ) as usize;
/// The same (2.4 s) where somebody spoke meanwhile and it was as loud before as after: longer than a dial tone
/// sounds before it ends the call.
const SPOKEN_OVER: usize = 6;
/// Of these, spoken ones (1.2 s) through which no voice keeps a pitch.
const NO_VOICE: usize = 3;
/// Somebody spoke where so many spectra of a stretch have so much more (8 dB) than what lasted through it.
const SPOKEN: usize = 5;
const LOUDER: f32 = 6.0;
/// Share of a spectrum in the mean of the last ones.
const SMOOTH: f32 = 0.3;
/// A pitch stands out if it has 12 dB more than half of the bins have, and is heard at all: −54 dB.
const DISTINCT: f32 = 16.0;
const LEAST: f32 = 4e-6;
/// Whatever is louder than −27 dB is no hum.
const MOST: f32 = 2e-3;
/// What wavers by no more than so many times in one stretch at least is steady; tones that come in pulses,
/// and voices, are not.
const STEADY: f32 = 2.0;
/// The least is less than the mean: up to so many times of it is hum.
const WAVERS: f32 = 3.0;

/// Follows the least of each bin.
#[derive(Clone, Debug)]
pub(super) struct Hum {
    smooth: Power,
    lowest: Power,
    highest: Power,
    /// Powers of the spectra of this stretch.
    totals: [f32; STRETCH],
    frames: usize,
    stretches: [Power; LONG],
    /// Bins that were steady in the last stretches.
    steady: [[bool; BINS]; SPOKEN_OVER],
    /// Somebody spoke in it, for the last stretches.
    spoken: [bool; SPOKEN_OVER],
    /// The least of each bin that hums; 0 of the others.
    found: Power,
    /// There is any.
    hums: bool,
}

impl Hum {
    pub(super) fn new() -> Self {
        Self {
            smooth: Power::NONE,
            lowest: Power::NONE,
            highest: Power::NONE,
            totals: [0.0; STRETCH],
            frames: 0,
            stretches: [Power::NONE; LONG],
            steady: [[false; BINS]; SPOKEN_OVER],
            spoken: [false; SPOKEN_OVER],
            found: Power::NONE,
            hums: false,
        }
    }

    /// Learns from the next spectrum, which holds nothing that we play.
    pub(super) fn learn(&mut self, power: &Power) {
        let weight = all(SMOOTH);
        self.smooth = self
            .smooth
            .with(power, |mean, new| mean + weight * (new - mean));
        if self.frames == 0 {
            self.lowest = self.smooth;
            self.highest = self.smooth;
        } else {
            self.lowest = self.lowest.with(&self.smooth, Lanes::fast_min);
            self.highest = self.highest.with(&self.smooth, Lanes::fast_max);
        }
        self.totals[self.frames] = power.total();
        self.frames += 1;
        if self.frames == STRETCH {
            self.frames = 0;
            self.stretch_ends();
            self.find();
        }
    }

    fn stretch_ends(&mut self) {
        let loud = LOUDER * self.lowest.total();
        let spoken = self.totals.iter().filter(|&&total| total > loud).count() >= SPOKEN;
        self.spoken.rotate_right(1);
        self.spoken[0] = spoken;
        self.steady.rotate_right(1);
        let bounds = self.lowest.0.iter().zip(&self.highest.0);
        for (steady, (low, high)) in self.steady[0].iter_mut().zip(bounds) {
            *steady = *high <= STEADY * low;
        }
        self.stretches.rotate_right(1);
        self.stretches[0] = self.lowest;
    }

    /// The least of each bin in the time that makes it hum.
    fn lasting(&self) -> Power {
        let least = |stretches: &[Power]| {
            let least = |least: Power, one: &Power| least.with(one, Lanes::fast_min);
            stretches.iter().fold(stretches[0], least)
        };
        let short = least(&self.stretches[..SHORT]);
        // What is hum already stays so, but does not become louder by a tone of the same pitch.
        let mut lasting = least(&self.stretches).with(&self.found, Lanes::fast_max);
        lasting = lasting.with(&short, Lanes::fast_min);
        lasting.0[ABOVE_DIAL_TONES..].copy_from_slice(&short.0[ABOVE_DIAL_TONES..]);
        let middle = &self.spoken[1..SPOKEN_OVER - 1];
        if let Some(spoken) = middle.iter().position(|&is| is) {
            let whole = least(&self.stretches[..SPOKEN_OVER]);
            let (before, after) = (&self.stretches[SPOKEN_OVER - 1].0, &self.stretches[0].0);
            // A voice may have a pitch for a while; it does not keep it, and it is not steady.
            let kept_for_long = middle.iter().filter(|&&is| is).count() >= NO_VOICE;
            for bin in 0..ABOVE_DIAL_TONES {
                let was_steady = || self.steady[spoken + 2..].iter().any(|steady| steady[bin]);
                if whole.0[bin] >= 0.5 * before[bin].max(after[bin])
                    && (kept_for_long || was_steady())
                {
                    lasting.0[bin] = whole.0[bin];
                }
            }
        }
        lasting
    }

    /// The pitches that have lasted.
    fn find(&mut self) {
        let lasting = self.lasting();
        let mut sorted = [0.0; HIGH - LOW];
        sorted.copy_from_slice(&lasting.0[LOW..HIGH]);
        let (_, median, _) = sorted.select_nth_unstable_by((HIGH - LOW) / 2, f32::total_cmp);
        let least = LEAST.max(DISTINCT * *median);
        let before = std::mem::replace(&mut self.found, Power::NONE);
        self.hums = false;
        for bin in LOW - SPAN..=HIGH - SPAN {
            // By chance noise seems steady, too, but not in the very time that is looked at.
            let looked_at = if bin < ABOVE_DIAL_TONES {
                SPOKEN_OVER
            } else {
                SHORT
            };
            let mut steady = self.steady[..looked_at].iter().map(|steady| steady[bin]);
            let steady = before.0[bin] > 0.0 || steady.any(|is| is);
            if steady && (least..MOST).contains(&lasting.0[bin]) {
                self.hums = true;
                let around = bin - SPAN..=bin + SPAN;
                self.found.0[around.clone()].copy_from_slice(&lasting.0[around]);
            }
        }
    }

    /// The spectrum without the hum.
    pub(super) fn taken_out_of(&self, power: &Power) -> Power {
        let mut rest = *power;
        if self.hums {
            for (rest, hum) in rest.0.iter_mut().zip(&self.found.0) {
                *rest = if *rest <= WAVERS * hum {
                    0.0
                } else {
                    *rest - hum
                };
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIN: usize = 27;
    const HIGH_BIN: usize = 64;

    /// A spectrum of noise with these bins louder.
    fn spectrum(louder: &[(usize, f32)]) -> Power {
        let mut power = Power([1e-7; crate::audio::listen::spectrum::BINS]);
        for &(bin, value) in louder {
            power.0[bin] = value;
        }
        power
    }

    fn hear(hum: &mut Hum, seconds: f32, power: &Power) {
        for _ in 0..(seconds * 50.0) as usize {
            hum.learn(power);
        }
    }

    fn is_taken_out(hum: &Hum, bin: usize) -> bool {
        hum.taken_out_of(&spectrum(&[(bin, 1e-4)])).0[bin] == 0.0
    }

    #[test]
    fn a_whine_is_hum_after_two_seconds_and_no_longer_when_it_stops() {
        let mut hum = Hum::new();
        hear(&mut hum, 1.2, &spectrum(&[(HIGH_BIN, 1e-4)]));
        assert!(!is_taken_out(&hum, HIGH_BIN));
        hear(&mut hum, 0.8, &spectrum(&[(HIGH_BIN, 1e-4)]));
        assert!(is_taken_out(&hum, HIGH_BIN));
        hear(&mut hum, 0.8, &spectrum(&[]));
        assert!(!is_taken_out(&hum, HIGH_BIN));
    }

    #[test]
    fn what_may_be_a_dial_tone_is_hum_only_after_six_seconds() {
        let mut hum = Hum::new();
        hear(&mut hum, 2.0, &spectrum(&[]));
        hear(&mut hum, 5.0, &spectrum(&[(BIN, 1e-4)]));
        assert!(!is_taken_out(&hum, BIN));
        hear(&mut hum, 2.0, &spectrum(&[(BIN, 1e-4)]));
        assert!(is_taken_out(&hum, BIN));
    }

    #[test]
    fn what_was_there_before_somebody_spoke_and_after_is_hum() {
        let mut hum = Hum::new();
        hear(&mut hum, 1.6, &spectrum(&[(BIN, 1e-4)]));
        for frame in 0..20 {
            let speech = if frame % 10 < 3 { 1e-2 } else { 1e-7 };
            hum.learn(&spectrum(&[(BIN, 1e-4), (40, speech), (50, speech)]));
        }
        hear(&mut hum, 0.8, &spectrum(&[(BIN, 1e-4)]));
        assert!(is_taken_out(&hum, BIN));
    }

    #[test]
    fn a_voice_of_a_dial_tones_pitch_before_it_does_not_make_it_hum() {
        let mut hum = Hum::new();
        for frame in 0..40 {
            let voice = if frame % 20 < 12 { 1e-4 } else { 3e-3 };
            hum.learn(&spectrum(&[(BIN, voice), (40, voice)]));
        }
        for _ in 0..5 {
            hear(&mut hum, 0.4, &spectrum(&[(BIN, 1.1e-4)]));
            assert!(!is_taken_out(&hum, BIN));
        }
    }

    #[test]
    fn a_dial_tone_of_its_pitch_does_not_make_the_hum_louder() {
        let mut hum = Hum::new();
        hear(&mut hum, 8.0, &spectrum(&[(BIN, 1e-4)]));
        hear(&mut hum, 4.0, &spectrum(&[(BIN, 1.9e-3)]));
        let rest = hum.taken_out_of(&spectrum(&[(BIN, 1.9e-3)])).0[BIN];
        assert!(rest > 1.7e-3, "{rest}");
    }

    #[test]
    fn pulses_after_noise_that_seems_steady_are_no_hum() {
        let mut hum = Hum::new();
        hear(&mut hum, 0.8, &spectrum(&[]));
        for frame in 0..100 {
            let howler = if frame % 10 < 5 { 1e-3 } else { 1e-7 };
            hum.learn(&spectrum(&[(HIGH_BIN, howler)]));
            assert!(!is_taken_out(&hum, HIGH_BIN));
        }
    }

    #[test]
    fn noise_is_left_as_it_is() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut hum = Hum::new();
        let mut noise = spectrum(&[]);
        for _ in 0..1000 {
            noise
                .0
                .iter_mut()
                .for_each(|bin| *bin = 1e-4 * -rng.f32().ln());
            hum.learn(&noise);
            assert!(!hum.hums);
        }
    }
}
