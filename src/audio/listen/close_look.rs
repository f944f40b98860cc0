//! A closer look at a tone that sounds on: in two seconds of it, pitches half a hertz apart are two.
//!
//! A window of 64 ms shows a chord of two neighbouring notes, a tone that beats and one that is
//! modulated as the same broad peak. So the band of all dial tones is kept, thinned out to 250 numbers a
//! second, while a tone sounds, and transformed once, when somebody asks what it is.

use super::fourier::angle;
use super::observation::SAMPLES_PER_SECOND;
use super::pulse::HOP;
use super::spectrum::WINDOW;
use super::tone_plan::Signal;

/// Samples that one number of the band stands for.
const THIN: usize = 32;
/// Numbers in a spectrum's step.
const FRESH: usize = HOP as usize / THIN;
/// Numbers a second.
const RATE: f32 = SAMPLES_PER_SECOND as f32 / THIN as f32;
/// Numbers looked at: 1.8 s, less than a tone has sounded when it is looked at.
const KEPT: usize = 450;
/// The band's middle; a filter of 16 ms (Hann) around it.
const MIDDLE_HZ: f32 = 400.0;
const FILTER: usize = 128;
/// The band looked at, in steps of half a hertz: the pitches of all dial tones and some more.
const LOWEST_HZ: f32 = 310.0;
const STEP_HZ: f32 = 0.5;
const STEPS: usize = 361;
/// Steps on each side of a pitch that are its own: the main lobe of a Hann window of 1.8 s.
const LOBE: usize = 3;
/// Pitches that belong together are off by the same factor, to so many Hz. A semitone of the
/// well-tempered scale is 0.2 Hz off the pair of Australia.
const OUT_OF_TUNE_HZ: f32 = 0.15;
/// Pitches this far apart may each come from an oscillator of its own.
const APART_HZ: f32 = 80.0;
/// Share of the band's power that a signal's pitches have: all but the noise.
const SHARE: f32 = 0.9;
/// Steps on each side of a pitch in which its own swaying would be seen: 12 Hz.
const SWAY: usize = 24;
/// The overtones of 50 and 60 Hz mains that lie in the band, and steps that they drift.
const OVERTONES_HZ: [f32; 6] = [350.0, 360.0, 400.0, 420.0, 450.0, 480.0];
const DRIFT: usize = 5;
/// A pitch may be so much louder or fainter beside the others than the plan has it: 6.5 dB.
const TWIST: f32 = 4.5;
/// Power of each sideband of a modulation 90 % deep, the carrier's being 1.
const SIDEBAND: f32 = 0.2025;

/// Keeps the band.
#[derive(Clone, Debug)]
pub(super) struct CloseLook {
    /// The filter around the band's middle.
    filter: [(f32, f32); FILTER],
    /// The last numbers of the band, from `place` on.
    kept: [(f32, f32); KEPT],
    place: usize,
}

/// How exact a pitch has to be.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// It may be so much off, as a share of it.
    off_pitch: f32,
    /// Power that its own swaying may have, as a share of its power.
    swaying: f32,
}

/// Where any plan's tones are taken. A note's vibrato of 0.2 % or tremolo of 15 % sways more.
const ANYWHERE: Limits = Limits {
    off_pitch: 0.018,
    swaying: 0.01,
};
/// Where the exchange is known, in whose tones each pitch may be off by itself.
const AT_HOME: Limits = Limits {
    off_pitch: 0.022,
    swaying: 0.05,
};

/// Power at each half hertz of the band.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen([f32; STEPS]);

/// A pitch that a signal has.
#[derive(Clone, Copy, Debug)]
struct Expected {
    hz: f32,
    /// Its power; only the proportions matter.
    power: f32,
}

/// The finest pitches of a signal: two, or a carrier and its sidebands.
type Pitches = [Option<Expected>; 3];

/// A pitch found, with its power.
type Found = (f32, f32);

impl CloseLook {
    pub(super) fn new() -> Self {
        Self {
            filter: std::array::from_fn(|n| {
                let weight = 0.5 - 0.5 * angle(n as f32 + 0.5, FILTER).cos();
                let turn = angle(-(n as f32) * MIDDLE_HZ, SAMPLES_PER_SECOND as usize);
                (weight * turn.cos(), weight * turn.sin())
            }),
            kept: [(0.0, 0.0); KEPT],
            place: 0,
        }
    }

    /// Takes a spectrum's window, one step after the last.
    pub(super) fn push(&mut self, heard: &[f32; WINDOW]) {
        for n in 0..FRESH {
            let end = WINDOW - (FRESH - 1 - n) * THIN;
            let part = heard[end - FILTER..end].iter().zip(&self.filter);
            self.kept[self.place] = part.fold((0.0, 0.0), |(re, im), (x, turn)| {
                (re + x * turn.0, im + x * turn.1)
            });
            self.place = (self.place + 1) % KEPT;
        }
    }

    /// What sounded for the last two seconds.
    pub(super) fn look(&self) -> Seen {
        Seen(self.spectrum())
    }

    /// Power at each half hertz of the band.
    fn spectrum(&self) -> [f32; STEPS] {
        let order = |n: usize| self.kept[(self.place + n) % KEPT];
        let windowed: [(f32, f32); KEPT] = std::array::from_fn(|n| {
            let weight = 0.5 - 0.5 * angle(n as f32 + 0.5, KEPT).cos();
            let (re, im) = order(n);
            (weight * re, weight * im)
        });
        std::array::from_fn(|step| {
            let hz = LOWEST_HZ + STEP_HZ * step as f32;
            let (sine, cosine) = (-std::f32::consts::TAU * hz / RATE).sin_cos();
            let (mut turn, mut sum) = ((1.0_f32, 0.0_f32), (0.0_f32, 0.0_f32));
            for (re, im) in windowed {
                sum.0 += re * turn.0 - im * turn.1;
                sum.1 += re * turn.1 + im * turn.0;
                turn = (
                    turn.0 * cosine - turn.1 * sine,
                    turn.0 * sine + turn.1 * cosine,
                );
            }
            (sum.0 * sum.0 + sum.1 * sum.1) / through_filter(hz - MIDDLE_HZ)
        })
    }
}

impl Seen {
    /// Whether it has exactly this signal's pitches, each of them steady, and nothing beside them.
    ///
    /// The pitches of an exchange that is known need not be in tune with one another.
    pub(super) fn is(&self, signal: &Signal, known: bool) -> bool {
        let limits = if known { AT_HOME } else { ANYWHERE };
        let mut band = self.0;
        let total: f32 = band.iter().sum();
        let expected = pitches(signal);
        let mut found = [None; 3];
        let mut own = 0.0;
        for (found, expected) in found.iter_mut().zip(&expected) {
            let Some(expected) = expected else { continue };
            let Some(pitch) = take_loudest(&mut band, expected.hz, limits) else {
                return false;
            };
            own += pitch.1;
            *found = Some((pitch.0, pitch.1 / expected.power));
        }
        own >= SHARE * total && equally_loud(&found) && (known || in_tune(signal, &found))
    }
}

/// What the filter lets through of a pitch so many Hz from its middle, as a factor of power.
fn through_filter(hz: f32) -> f32 {
    let x = hz * FILTER as f32 / SAMPLES_PER_SECOND as f32;
    if x.abs() < 0.02 {
        return 1.0;
    }
    let angle = std::f32::consts::PI * x;
    let response = angle.sin() / angle / (1.0 - x * x);
    response * response
}

fn pitches(signal: &Signal) -> Pitches {
    let at = |hz, power| Some(Expected { hz, power });
    match *signal.hz {
        [hz] if signal.modulation_hz > 0.0 => [
            at(hz, 1.0),
            at(hz - signal.modulation_hz, SIDEBAND),
            at(hz + signal.modulation_hz, SIDEBAND),
        ],
        [hz] => [at(hz, 1.0), None, None],
        [low, high] => [at(low, 1.0), at(high, 1.0), None],
        _ => [None; 3],
    }
}

/// The loudest pitch near this one, which is taken out of the band; `None` if it is not steady.
fn take_loudest(band: &mut [f32; STEPS], hz: f32, limits: Limits) -> Option<Found> {
    let off = limits.off_pitch;
    let step = |hz: f32| (((hz - LOWEST_HZ) / STEP_HZ).max(1.0) as usize).min(STEPS - 2);
    let near = step(hz * (1.0 - off)).max(LOBE)..=step(hz * (1.0 + off)) + 1;
    let peak = near
        .filter(|&n| n + LOBE < STEPS)
        .filter(|&n| band[n] >= band[n - 1] && band[n] >= band[n + 1])
        .max_by(|&a, &b| band[a].total_cmp(&band[b]))?;
    // The top of the parabola through the levels of three steps.
    let level = |n: usize| (band[n] + f32::MIN_POSITIVE).ln();
    let (before, top, after) = (level(peak - 1), level(peak), level(peak + 1));
    let curve = before - 2.0 * top + after;
    let beside = if curve < -1e-6 {
        (0.5 * (before - after) / curve).clamp(-1.0, 1.0)
    } else {
        0.0
    };
    let lobe = &mut band[peak - LOBE..=peak + LOBE];
    let power = lobe.iter().sum::<f32>();
    lobe.fill(0.0);
    let around = peak.saturating_sub(SWAY)..(peak + SWAY + 1).min(STEPS);
    let swaying = band.get(around)?.iter().sum::<f32>() - hum_beside(band, peak);
    let found = LOWEST_HZ + STEP_HZ * (peak as f32 + beside);
    ((found / hz - 1.0).abs() <= off && swaying <= limits.swaying * power).then_some((found, power))
}

/// Power of the mains' overtones beside a pitch: what sways has two sides, hum has one.
fn hum_beside(band: &[f32; STEPS], peak: usize) -> f32 {
    let around = |step: usize| -> f32 {
        let steps = step.saturating_sub(DRIFT)..(step + DRIFT + 1).min(STEPS);
        band[steps].iter().sum()
    };
    let step = |hz: f32| ((hz - LOWEST_HZ) / STEP_HZ) as usize;
    OVERTONES_HZ
        .map(step)
        .into_iter()
        .filter(|hum| (DRIFT..=SWAY).contains(&hum.abs_diff(peak)))
        .map(|hum| (around(hum) - around((2 * peak).saturating_sub(hum))).max(0.0))
        .sum()
}

/// Close pitches come from one source: two are off by the same factor, sidebands lie evenly.
fn in_tune(signal: &Signal, found: &[Option<Found>; 3]) -> bool {
    let near = |hz: f32, other: f32| (hz - other).abs() < OUT_OF_TUNE_HZ;
    match (signal.hz, found) {
        ([_], [Some(carrier), Some(low), Some(high)]) => {
            let apart = f32::midpoint(high.0, -low.0);
            near(f32::midpoint(high.0, low.0), carrier.0)
                && (apart / signal.modulation_hz - 1.0).abs() < ANYWHERE.off_pitch
        }
        ([low, high], [Some(one), Some(other), _]) if high - low < APART_HZ => {
            let scale = (one.0 + other.0) / (low + high);
            near(one.0, low * scale)
        }
        _ => true,
    }
}

fn equally_loud(found: &[Option<Found>; 3]) -> bool {
    let loud = || found.iter().flatten().map(|found| found.1);
    let (least, most) = (loud().fold(f32::MAX, f32::min), loud().fold(0.0, f32::max));
    most <= TWIST * least
}

#[cfg(test)]
mod tests {
    use super::super::tone_plan::{Meaning, PLANS};
    use super::*;

    /// What is seen of these sines, (Hz, amplitude), after two seconds.
    fn seen(parts: &[(f32, f32)]) -> Seen {
        let mut close = CloseLook::new();
        for step in 0..100_u16 {
            close.push(&std::array::from_fn(|n| {
                let at = f32::from(step) * 160.0 + n as f32;
                let wave = |&(hz, loud): &(f32, f32)| {
                    let cycles = (f64::from(hz) * f64::from(at) / 8000.0).fract() as f32;
                    loud * (cycles * std::f32::consts::TAU).sin()
                };
                parts.iter().map(wave).sum()
            }));
        }
        close.look()
    }

    fn dial(country: &str, which: usize) -> &'static Signal {
        let plan = PLANS.iter().find(|plan| plan.countries.contains(&country));
        let mut dials = plan.expect("a plan").signals.iter();
        dials
            .by_ref()
            .filter(|signal| signal.meaning == Meaning::Dial)
            .nth(which)
            .expect("a dial tone")
    }

    #[test]
    fn a_tone_is_what_it_is_within_its_tolerance_and_nothing_else() {
        let modulated = |hz: f32, by: f32| vec![(hz, 0.2), (hz - by, 0.09), (hz + by, 0.09)];
        let tones = [
            (dial("DE", 0), vec![(425.0, 0.2)]),
            (dial("US", 0), vec![(350.0, 0.2), (440.0, 0.1)]),
            (dial("FR", 1), vec![(330.0, 0.1), (440.0, 0.2)]),
            (dial("AU", 0), vec![(413.0, 0.2), (438.0, 0.15)]),
            (dial("IN", 0), modulated(400.0, 25.0)),
            (dial("ZA", 0), modulated(400.0, 33.0)),
            (dial("ZA", 1), vec![(383.0, 0.2), (417.0, 0.2)]),
        ];
        for error in [0.985, 1.0, 1.015] {
            for (n, (_, parts)) in tones.iter().enumerate() {
                let parts: Vec<_> = parts.iter().map(|&(hz, a)| (hz * error, a)).collect();
                let seen = seen(&parts);
                for (other, (signal, _)) in tones.iter().enumerate() {
                    assert_eq!(seen.is(signal, false), n == other, "{parts:?} {signal:?}");
                }
            }
        }
    }

    #[test]
    fn pitches_out_of_tune_are_taken_only_where_the_exchange_is_known() {
        let semitone = seen(&[(415.3, 0.2), (440.0, 0.2)]);
        assert!(!semitone.is(dial("AU", 0), false));
        assert!(semitone.is(dial("AU", 0), true));
    }

    #[test]
    fn a_note_that_sways_is_no_tone() {
        for (sideband, known) in [(0.06, true), (0.03, false)] {
            let swaying = [(425.0, 0.2), (420.0, sideband), (430.0, sideband)];
            assert!(!seen(&swaying).is(dial("DE", 0), known));
        }
    }
}
