//! Call progress tones per country: a table, not code.
//!
//! Pitches and cadences are those of the `indications.conf` sample that Asterisk ships, which follows
//! ITU-T E.180 supplement 2 ("Various tones used in national networks"). A chosen plan is matched with
//! the tolerance of a real exchange; with no plan chosen the tones of all are accepted, and the timing
//! has to be more exact instead.

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

const fn signal(meaning: Meaning, hz: &'static [f32], cadence: &'static [(u16, u16)]) -> Signal {
    Signal {
        meaning,
        hz,
        modulation_hz: 0.0,
        cadence,
    }
}

const fn modulated(
    meaning: Meaning,
    hz: &'static [f32],
    modulation_hz: f32,
    cadence: &'static [(u16, u16)],
) -> Signal {
    Signal {
        meaning,
        hz,
        modulation_hz,
        cadence,
    }
}

use Meaning::{Busy, Dial, Reorder, Ringback};

const NORTH_AMERICAN_DIAL: Signal = signal(Dial, &[350.0, 440.0], &[]);
const DIAL_425: Signal = signal(Dial, &[425.0], &[]);
const RING_425_1_4: Signal = signal(Ringback, &[425.0], &[(1000, 4000)]);
const RING_425_1_5: Signal = signal(Ringback, &[425.0], &[(1000, 5000)]);
const BUSY_425_500: Signal = signal(Busy, &[425.0], &[(500, 500)]);
const BUSY_425_300: Signal = signal(Busy, &[425.0], &[(300, 300)]);
const BUSY_425_250: Signal = signal(Busy, &[425.0], &[(250, 250)]);
const REORDER_425_200: Signal = signal(Reorder, &[425.0], &[(200, 200)]);
const REORDER_425_250: Signal = signal(Reorder, &[425.0], &[(250, 250)]);

/// The plan that many countries share: 425 Hz, busy 500/500, reorder 200/200, ringback 1/4 s.
const EUROPEAN_SIGNALS: &[Signal] = &[DIAL_425, BUSY_425_500, RING_425_1_4, REORDER_425_200];

/// Every plan known.
pub const PLANS: &[TonePlan] = &[
    TonePlan {
        countries: &["US", "CA"],
        signals: &[
            NORTH_AMERICAN_DIAL,
            signal(Busy, &[480.0, 620.0], &[(500, 500)]),
            signal(Ringback, &[440.0, 480.0], &[(2000, 4000)]),
            signal(Reorder, &[480.0, 620.0], &[(250, 250)]),
        ],
    },
    TonePlan {
        countries: &["GB", "UK"],
        signals: &[
            NORTH_AMERICAN_DIAL,
            signal(Dial, &[400.0], &[]),
            signal(Busy, &[400.0], &[(375, 375)]),
            signal(Ringback, &[400.0, 450.0], &[(400, 200), (400, 2000)]),
            signal(Reorder, &[400.0], &[(400, 350), (225, 525)]),
        ],
    },
    TonePlan {
        countries: &["DE"],
        signals: &[
            DIAL_425,
            signal(Busy, &[425.0], &[(480, 480)]),
            RING_425_1_4,
            signal(Reorder, &[425.0], &[(240, 240)]),
        ],
    },
    TonePlan {
        countries: &["FR"],
        signals: &[
            signal(Dial, &[440.0], &[]),
            signal(Dial, &[330.0, 440.0], &[]),
            signal(Busy, &[440.0], &[(500, 500)]),
            signal(Ringback, &[440.0], &[(1500, 3500)]),
            signal(Reorder, &[440.0], &[(250, 250)]),
        ],
    },
    TonePlan {
        countries: &["IT"],
        signals: &[
            signal(Dial, &[425.0], &[(200, 200), (600, 1000)]),
            BUSY_425_500,
            RING_425_1_4,
            REORDER_425_200,
        ],
    },
    TonePlan {
        countries: &["ES"],
        signals: &[
            DIAL_425,
            signal(Busy, &[425.0], &[(200, 200)]),
            signal(Ringback, &[425.0], &[(1500, 3000)]),
            signal(Reorder, &[425.0], &[(200, 200), (200, 200), (200, 600)]),
        ],
    },
    TonePlan {
        countries: &["NL"],
        signals: &[DIAL_425, BUSY_425_500, RING_425_1_4, REORDER_425_250],
    },
    TonePlan {
        countries: &["BE"],
        signals: &[
            DIAL_425,
            BUSY_425_500,
            signal(Ringback, &[425.0], &[(1000, 3000)]),
            signal(Reorder, &[425.0], &[(167, 167)]),
        ],
    },
    TonePlan {
        countries: &["CH", "NO", "DK"],
        signals: EUROPEAN_SIGNALS,
    },
    TonePlan {
        countries: &["AT"],
        signals: &[
            signal(Dial, &[420.0], &[]),
            signal(Busy, &[420.0], &[(400, 400)]),
            signal(Ringback, &[420.0], &[(1000, 5000)]),
            signal(Reorder, &[420.0], &[(200, 200)]),
        ],
    },
    TonePlan {
        countries: &["SE"],
        signals: &[
            DIAL_425,
            BUSY_425_250,
            RING_425_1_5,
            signal(Reorder, &[425.0], &[(250, 750)]),
        ],
    },
    TonePlan {
        countries: &["FI"],
        signals: &[DIAL_425, BUSY_425_300, RING_425_1_4, REORDER_425_200],
    },
    TonePlan {
        countries: &["PL"],
        signals: &[DIAL_425, BUSY_425_500, RING_425_1_4],
    },
    TonePlan {
        countries: &["CZ"],
        signals: &[
            signal(Dial, &[425.0], &[(330, 330), (660, 660)]),
            signal(Busy, &[425.0], &[(330, 330)]),
            RING_425_1_4,
            signal(Reorder, &[425.0], &[(165, 165)]),
        ],
    },
    TonePlan {
        countries: &["PT"],
        signals: &[DIAL_425, BUSY_425_500, RING_425_1_5, REORDER_425_200],
    },
    TonePlan {
        countries: &["GR"],
        signals: &[
            signal(Dial, &[425.0], &[(200, 300), (700, 800)]),
            BUSY_425_300,
            RING_425_1_4,
            REORDER_425_200,
        ],
    },
    TonePlan {
        countries: &["HU"],
        signals: &[
            DIAL_425,
            BUSY_425_300,
            signal(Ringback, &[425.0], &[(1250, 3750)]),
        ],
    },
    TonePlan {
        countries: &["AU"],
        signals: &[
            signal(Dial, &[413.0, 438.0], &[]),
            signal(Busy, &[425.0], &[(375, 375)]),
            signal(Ringback, &[413.0, 438.0], &[(400, 200), (400, 2000)]),
        ],
    },
    TonePlan {
        countries: &["NZ"],
        signals: &[
            signal(Dial, &[400.0], &[]),
            signal(Busy, &[400.0], &[(500, 500)]),
            signal(Ringback, &[400.0, 450.0], &[(400, 200), (400, 2000)]),
            signal(Reorder, &[400.0], &[(250, 250)]),
        ],
    },
    TonePlan {
        countries: &["JP"],
        signals: &[
            signal(Dial, &[400.0], &[]),
            signal(Busy, &[400.0], &[(500, 500)]),
            modulated(Ringback, &[400.0], 15.0, &[(1000, 2000)]),
        ],
    },
    TonePlan {
        countries: &["IN"],
        signals: &[
            modulated(Dial, &[400.0], 25.0, &[]),
            signal(Busy, &[400.0], &[(750, 750)]),
            modulated(Ringback, &[400.0], 25.0, &[(400, 200), (400, 2000)]),
            signal(Reorder, &[400.0], &[(250, 250)]),
        ],
    },
    TonePlan {
        countries: &["CN"],
        signals: &[
            signal(Dial, &[450.0], &[]),
            signal(Busy, &[450.0], &[(350, 350)]),
            signal(Ringback, &[450.0], &[(1000, 4000)]),
            signal(Reorder, &[450.0], &[(700, 700)]),
        ],
    },
    TonePlan {
        countries: &["BR"],
        signals: &[
            DIAL_425,
            BUSY_425_250,
            RING_425_1_4,
            signal(Reorder, &[425.0], &[(250, 250), (750, 250)]),
        ],
    },
    TonePlan {
        countries: &["MX"],
        signals: &[DIAL_425, BUSY_425_250, RING_425_1_4],
    },
    TonePlan {
        countries: &["ZA"],
        signals: &[
            modulated(Dial, &[400.0], 33.0, &[]),
            signal(Dial, &[383.0, 417.0], &[]),
            signal(Busy, &[400.0], &[(500, 500)]),
            modulated(Ringback, &[400.0], 33.0, &[(400, 200), (400, 2000)]),
            signal(Reorder, &[400.0], &[(250, 250)]),
        ],
    },
    TonePlan {
        countries: &["RU"],
        signals: &[
            DIAL_425,
            signal(Busy, &[425.0], &[(350, 350)]),
            RING_425_1_4,
            signal(Reorder, &[425.0], &[(175, 175)]),
        ],
    },
    TonePlan {
        countries: &["TW"],
        signals: &[
            NORTH_AMERICAN_DIAL,
            signal(Busy, &[480.0, 620.0], &[(500, 500)]),
            signal(Ringback, &[440.0, 480.0], &[(1000, 2000)]),
            signal(Reorder, &[480.0, 620.0], &[(250, 250)]),
        ],
    },
    TonePlan {
        countries: &["SG"],
        signals: &[
            DIAL_425,
            signal(Busy, &[425.0], &[(750, 750)]),
            modulated(Ringback, &[425.0], 24.0, &[(400, 200), (400, 2000)]),
            REORDER_425_250,
        ],
    },
    TonePlan {
        countries: &["IL"],
        signals: &[
            signal(Dial, &[414.0], &[]),
            signal(Busy, &[414.0], &[(500, 500)]),
            signal(Ringback, &[414.0], &[(1000, 3000)]),
            signal(Reorder, &[414.0], &[(250, 250)]),
        ],
    },
];

#[cfg(test)]
mod tests {
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
