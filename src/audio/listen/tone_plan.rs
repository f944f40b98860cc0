//! What call progress tones are, and which are listened for. Those of each country are in [`PLANS`].
//!
//! A chosen plan is matched with the tolerance of a real exchange; with no plan chosen the tones of all
//! are accepted, and the timing has to be more exact instead.

mod plans;

pub use plans::PLANS;

use super::observation::Tone;

/// What a signal of a plan means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// The exchange waits for a number (or says that a number cannot be had): continuous or slow.
    Dial,
    /// Busy.
    Busy,
    /// Reorder, congestion.
    Reorder,
    /// Ringback.
    Ringback,
    /// Off-hook warning.
    Howler,
}

impl Meaning {
    /// The tone to report.
    pub const fn tone(self) -> Tone {
        match self {
            Self::Dial => Tone::Dial,
            Self::Busy => Tone::Busy,
            Self::Reorder => Tone::Reorder,
            Self::Ringback => Tone::Ringback,
            Self::Howler => Tone::Howler,
        }
    }
}

/// One signal of a country's exchange.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Signal {
    /// What it means.
    pub meaning: Meaning,
    /// Pitches sounding together, Hz, equally loud.
    pub hz: &'static [f32],
    /// Modulated in amplitude by this many Hz (90 % deep); 0 for none.
    pub modulation_hz: f32,
    /// (on, off) in milliseconds, repeated for ever; empty for a continuous tone.
    pub cadence: &'static [(u16, u16)],
}

impl Signal {
    /// Length of the whole cadence in milliseconds; 0 for a continuous tone.
    pub fn cycle_ms(&self) -> u32 {
        self.cadence
            .iter()
            .map(|&(on, off)| u32::from(on) + u32::from(off))
            .sum()
    }
}

/// The signals of one country.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TonePlan {
    /// ISO 3166 codes it serves.
    pub countries: &'static [&'static str],
    /// Its signals.
    pub signals: &'static [Signal],
}

impl TonePlan {
    /// The plan of a country, by ISO 3166 code in either case (`UK` is understood as `GB`).
    pub fn for_country(code: &str) -> Option<&'static Self> {
        PLANS.iter().find(|plan| {
            plan.countries
                .iter()
                .any(|country| country.eq_ignore_ascii_case(code))
        })
    }
}

/// Which tones are listened for.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum ToneSet {
    /// Those of any plan, with stricter timing.
    #[default]
    Any,
    /// Those of one country.
    Country(&'static TonePlan),
}

impl ToneSet {
    /// The signals listened for. The howler is the same everywhere.
    pub(super) fn signals(self) -> impl Iterator<Item = &'static Signal> {
        let plans = match self {
            Self::Any => PLANS,
            Self::Country(plan) => std::slice::from_ref(plan),
        };
        plans
            .iter()
            .flat_map(|plan| plan.signals)
            .chain(std::iter::once(&HOWLER))
    }
}

/// The off-hook warning of North America, which other countries' equipment has taken over.
pub const HOWLER: Signal = Signal {
    meaning: Meaning::Howler,
    hz: &[1400.0, 2060.0, 2450.0, 2600.0],
    modulation_hz: 0.0,
    cadence: &[(100, 100)],
};

#[cfg(test)]
mod tests {
    use super::Meaning::{Busy, Dial, Ringback};
    use super::*;

    #[test]
    fn a_plan_is_found_by_iso_code_in_either_case() {
        assert_eq!(
            TonePlan::for_country("uk"),
            TonePlan::for_country("GB"),
            "the common name is understood too"
        );
        assert!(TonePlan::for_country("de").is_some());
        assert!(TonePlan::for_country("XX").is_none());
    }

    #[test]
    fn every_plan_has_a_dial_tone_a_busy_tone_and_a_ringback() {
        let countries: usize = PLANS.iter().map(|plan| plan.countries.len()).sum();
        assert!(countries >= 30);
        for plan in PLANS {
            for meaning in [Dial, Busy, Ringback] {
                assert!(
                    plan.signals.iter().any(|s| s.meaning == meaning),
                    "{:?} has no {meaning:?}",
                    plan.countries
                );
            }
        }
    }

    #[test]
    fn no_country_is_in_two_plans() {
        let mut seen = std::collections::BTreeSet::new();
        for country in PLANS.iter().flat_map(|plan| plan.countries) {
            assert!(seen.insert(country), "{country} twice");
        }
    }
}
