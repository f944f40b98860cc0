//! Call progress tones per country: a table, not code.
//!
//! Pitches and cadences are those of the `indications.conf` sample that Asterisk ships, which follows
//! ITU-T E.180 supplement 2 ("Various tones used in national networks"); of the countries that it has
//! not, those of the longer list of its configurator `FreePBX`.

use super::Meaning::{Busy, Dial, Reorder, Ringback};
use super::{Meaning, Signal, TonePlan};

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

const NORTH_AMERICAN_DIAL: Signal = signal(Dial, &[350.0, 440.0], &[]);
const BUSY_480_620: Signal = signal(Busy, &[480.0, 620.0], &[(500, 500)]);
const REORDER_480_620: Signal = signal(Reorder, &[480.0, 620.0], &[(250, 250)]);
const DIAL_400: Signal = signal(Dial, &[400.0], &[]);
const DIAL_425: Signal = signal(Dial, &[425.0], &[]);
const DIAL_450: Signal = signal(Dial, &[450.0], &[]);
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
            BUSY_480_620,
            signal(Ringback, &[440.0, 480.0], &[(2000, 4000)]),
            REORDER_480_620,
        ],
    },
    TonePlan {
        countries: &["GB", "UK"],
        signals: &[
            NORTH_AMERICAN_DIAL,
            DIAL_400,
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
        countries: &["NL", "BG", "ID", "MO", "UG", "VE"],
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
        countries: &["FI", "EE"],
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
            DIAL_400,
            signal(Busy, &[400.0], &[(500, 500)]),
            signal(Ringback, &[400.0, 450.0], &[(400, 200), (400, 2000)]),
            signal(Reorder, &[400.0], &[(250, 250)]),
        ],
    },
    TonePlan {
        countries: &["JP"],
        signals: &[
            DIAL_400,
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
            DIAL_450,
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
            BUSY_480_620,
            signal(Ringback, &[440.0, 480.0], &[(1000, 2000)]),
            REORDER_480_620,
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
    TonePlan {
        countries: &["HK"],
        signals: &[
            NORTH_AMERICAN_DIAL,
            BUSY_480_620,
            signal(Ringback, &[440.0, 480.0], &[(400, 200), (400, 3000)]),
            REORDER_480_620,
        ],
    },
    TonePlan {
        countries: &["PH"],
        signals: &[
            DIAL_425,
            BUSY_480_620,
            signal(Ringback, &[425.0, 480.0], &[(1000, 4000)]),
            REORDER_480_620,
        ],
    },
    TonePlan {
        countries: &["MY"],
        signals: &[
            DIAL_425,
            BUSY_425_500,
            signal(Ringback, &[425.0], &[(400, 200), (400, 2000)]),
        ],
    },
    TonePlan {
        countries: &["TR"],
        signals: &[
            DIAL_450,
            signal(Busy, &[450.0], &[(500, 500)]),
            signal(Ringback, &[450.0], &[(2000, 4000)]),
            signal(
                Reorder,
                &[450.0],
                &[(200, 200), (200, 200), (200, 200), (600, 200)],
            ),
        ],
    },
    TonePlan {
        countries: &["RO"],
        signals: &[
            DIAL_450,
            signal(Busy, &[450.0], &[(167, 167)]),
            modulated(Ringback, &[450.0], 25.0, &[(1850, 4150)]),
            signal(Reorder, &[450.0], &[(500, 500)]),
        ],
    },
    TonePlan {
        countries: &["LT"],
        signals: &[
            DIAL_425,
            signal(Busy, &[425.0], &[(350, 350)]),
            RING_425_1_4,
            REORDER_425_200,
        ],
    },
    TonePlan {
        countries: &["IE"],
        signals: &[
            DIAL_425,
            signal(Busy, &[425.0], &[(450, 450)]),
            signal(Ringback, &[400.0, 450.0], &[(400, 200), (400, 2000)]),
            signal(Reorder, &[425.0], &[(375, 375)]),
        ],
    },
    TonePlan {
        countries: &["IR"],
        signals: &[
            DIAL_425,
            BUSY_425_500,
            RING_425_1_4,
            signal(Reorder, &[425.0], &[(240, 240)]),
        ],
    },
    TonePlan {
        countries: &["AR"],
        signals: &[
            DIAL_425,
            BUSY_425_300,
            signal(Ringback, &[425.0], &[(1000, 4500)]),
            signal(Reorder, &[425.0], &[(200, 300)]),
        ],
    },
    TonePlan {
        countries: &["CL"],
        signals: &[
            DIAL_400,
            signal(Busy, &[400.0], &[(500, 500)]),
            signal(Ringback, &[400.0], &[(1000, 3000)]),
            signal(Reorder, &[400.0], &[(200, 200)]),
        ],
    },
    TonePlan {
        countries: &["CR"],
        signals: &[
            DIAL_450,
            signal(Busy, &[450.0], &[(330, 330)]),
            signal(Ringback, &[450.0], &[(1200, 4900)]),
        ],
    },
    TonePlan {
        countries: &["PA"],
        signals: &[
            DIAL_425,
            signal(Busy, &[425.0], &[(320, 320)]),
            signal(Ringback, &[425.0], &[(1200, 4650)]),
        ],
    },
];
