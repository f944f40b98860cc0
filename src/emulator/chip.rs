//! The modems that can be emulated, as data: what each answers and what each can do.
//!
//! From the makers' manuals and from logs of real units. Where no source tells what a unit answers,
//! a plausible text stands here; a driver must not depend on it.

use super::caller_id::Form;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A kind of modem.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Chip {
    /// Conexant CX93001, firmware V0.2002 (`TRENDnet` TFM-561U): no fax class 2.
    #[default]
    #[serde(rename = "cx93001-2002")]
    Cx93001V2002,
    /// Conexant CX93001, firmware V0.2013 (LB-Link BL-UM03B).
    #[serde(rename = "cx93001-2013")]
    Cx93001V2013,
    /// US Robotics USR5637, firmware 1.2.23.
    #[serde(rename = "usr5637")]
    Usr5637,
    /// USR5637 with older firmware: answers `OK` to `+VLS=1` and stays on-hook.
    #[serde(rename = "usr5637-old")]
    Usr5637Old,
    /// Zoom 3095 (Conexant) whose stored profile has the echo off.
    #[serde(rename = "zoom3095")]
    Zoom3095,
    /// Multi-Tech MT9234MU: V.253, slow to reset.
    #[serde(rename = "mt9234mu")]
    Mt9234mu,
    /// A modem that follows ITU-T V.253 and is nothing in particular.
    #[serde(rename = "v253")]
    V253,
    /// A data modem: caller ID, but neither voice nor fax.
    #[serde(rename = "data-only")]
    DataOnly,
}

const NAMES: [(&str, Chip); 8] = [
    ("cx93001-2002", Chip::Cx93001V2002),
    ("cx93001-2013", Chip::Cx93001V2013),
    ("usr5637", Chip::Usr5637),
    ("usr5637-old", Chip::Usr5637Old),
    ("zoom3095", Chip::Zoom3095),
    ("mt9234mu", Chip::Mt9234mu),
    ("v253", Chip::V253),
    ("data-only", Chip::DataOnly),
];

impl Chip {
    /// Every chip there is.
    pub const ALL: [Self; 8] = [
        Self::Cx93001V2002,
        Self::Cx93001V2013,
        Self::Usr5637,
        Self::Usr5637Old,
        Self::Zoom3095,
        Self::Mt9234mu,
        Self::V253,
        Self::DataOnly,
    ];

    /// What it answers and can do.
    pub(crate) fn profile(self) -> &'static Profile {
        match self {
            Self::Cx93001V2002 => &CX93001_V2002,
            Self::Cx93001V2013 => &CX93001_V2013,
            Self::Usr5637 => &USR5637,
            Self::Usr5637Old => &USR5637_OLD,
            Self::Zoom3095 => &ZOOM3095,
            Self::Mt9234mu => &MT9234MU,
            Self::V253 => &V253,
            Self::DataOnly => &DATA_ONLY,
        }
    }
}

impl fmt::Display for Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, chip)| chip == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

impl FromStr for Chip {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, chip)| *chip).ok_or_else(|| {
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("no such chip; known are {}", known.join(", "))
        })
    }
}

/// Whose command set it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Conexant,
    UsRobotics,
    V253,
}

/// How voice samples look on the serial side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SampleFormat {
    /// 8-bit unsigned linear.
    Unsigned8,
    /// 8-bit signed linear.
    Signed8,
    /// 16-bit signed linear, low byte first.
    Linear16,
    /// Anything else (companded, ADPCM): bytes are carried as they are, so that it is noise to
    /// whoever takes it for linear.
    Opaque8,
}

impl SampleFormat {
    pub(crate) const fn bytes(self) -> u64 {
        match self {
            Self::Linear16 => 2,
            _ => 1,
        }
    }
}

/// A modem as data.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a trait that chips have or lack"
)]
pub(crate) struct Profile {
    pub(crate) family: Family,
    /// `ATI0` and so on: number and answer.
    pub(crate) information: &'static [(u8, &'static str)],
    /// `+GMI`, `+GMI9`, `+GMM`, `+GMR`, `-PV`: answers without framing; absent: ERROR.
    pub(crate) identity: &'static [(&'static str, &'static str)],
    /// `+FCLASS=?`
    pub(crate) classes: &'static [&'static str],
    /// `+VSM=?`: number, what it stands for, the line.
    pub(crate) compressions: &'static [(u16, SampleFormat, &'static str)],
    pub(crate) default_compression: u16,
    /// `+VLS` numbers accepted, and those of them that seize the line.
    pub(crate) line_selections: &'static [u8],
    pub(crate) seizing: &'static [u8],
    /// Whether the stored profile has the echo on.
    pub(crate) stored_echo: bool,
    /// Caller ID with spaces round `=`.
    pub(crate) spaces: bool,
    /// How caller ID is wrapped in class 8.
    pub(crate) voice_caller_id: Form,
    /// `+GCI` at the start.
    pub(crate) country: &'static str,
    pub(crate) latency: Duration,
    pub(crate) reset_latency: Duration,
    /// Bytes of voice it holds on the way to the line.
    pub(crate) transmit_buffer: usize,
    /// Samples in one piece of the receive stream.
    pub(crate) piece: u64,
    /// Says `OK` to `+VLS=1` without going off-hook.
    pub(crate) ignores_vls: bool,
    /// `+VTS=9` (no brackets) is never answered.
    pub(crate) bare_tone_hangs: bool,
    /// `ATH` also leaves class 8.
    pub(crate) hang_up_leaves_voice: bool,
    /// `<DLE><ETX>` is sent before the OK that ends a transmission.
    pub(crate) transmit_ends_with_etx: bool,
    /// Silence detection works (`+VSD`, codes `s` and `q`).
    pub(crate) detects_silence: bool,
    /// A loop break is reported without `-STE`.
    pub(crate) reports_loop_break: bool,
    pub(crate) no_dial_tone: &'static str,
}

impl Profile {
    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.classes.contains(&class)
    }

    pub(crate) fn format_of(&self, compression: u16) -> Option<SampleFormat> {
        let found = self.compressions.iter().find(|c| c.0 == compression);
        found.map(|c| c.1)
    }
}

use SampleFormat::{Linear16, Opaque8, Signed8, Unsigned8};

const CX93001_V2013: Profile = Profile {
    family: Family::Conexant,
    information: &[
        (0, "56000"),
        (1, "255"),
        (3, "CX93001-EIS_V0.2013-V92"),
        (4, "a007040284C6002F"),
        (5, "B5"),
        (6, "RCV56DPF-PLL L8773A Rev 14.00/34.00"),
    ],
    identity: &[
        ("+GMI", "+GMI: CONEXANT"),
        ("+GMI9", "+GMI9: CONEXANT ACF"),
        ("+GMM", "+GMM: V90"),
        ("+GMR", "+GMR: CX93001-EIS_V0.2013-V92"),
        ("-PV", "F10574"),
    ],
    classes: &["0", "1", "1.0", "2", "8"],
    compressions: &[
        (0, Signed8, "0,\"SIGNED PCM\",8,0,8000,0,0"),
        (1, Unsigned8, "1,\"UNSIGNED PCM\",8,0,8000,0,0"),
        (129, Opaque8, "129,\"IMA ADPCM\",4,0,8000,0,0"),
        (130, Unsigned8, "130,\"UNSIGNED PCM\",8,0,8000,0,0"),
        (131, Opaque8, "131,\"Mu-Law\",8,0,8000,0,0"),
        (132, Opaque8, "132,\"A-Law\",8,0,8000,0,0"),
        (133, Linear16, "133,\"14 bit PCM\",14,0,8000,0,0"),
    ],
    default_compression: 1,
    line_selections: &[0, 1, 2, 3, 4, 5, 8, 9, 11, 14, 18, 19],
    seizing: &[1, 3, 5, 9],
    stored_echo: true,
    spaces: true,
    voice_caller_id: Form::Plain,
    country: "B5",
    latency: Duration::from_millis(3),
    reset_latency: Duration::from_millis(18),
    transmit_buffer: 1024,
    piece: 128,
    ignores_vls: false,
    bare_tone_hangs: false,
    hang_up_leaves_voice: false,
    transmit_ends_with_etx: false,
    detects_silence: false,
    reports_loop_break: false,
    no_dial_tone: "NO DIAL TONE",
};

const CX93001_V2002: Profile = Profile {
    information: &[
        (0, "56000"),
        (1, "255"),
        (3, "CX93001-EIS_V0.2002-V92"),
        (4, "a007040284C6002F"),
        (5, "B5"),
        (6, "RCV56DPF-PLL L8773A Rev 14.00/34.00"),
    ],
    identity: &[
        ("+GMI", "+GMI: CONEXANT"),
        ("+GMI9", "+GMI9: CONEXANT ACF"),
        ("+GMM", "+GMM: V90"),
        ("+GMR", "+GMR: CX93001-EIS_V0.2002-V92"),
        ("-PV", "F10574"),
    ],
    classes: &["0", "1", "1.0", "8"],
    ..CX93001_V2013
};

const ZOOM3095: Profile = Profile {
    information: &[
        (0, "56000"),
        (3, "ACF3_V1.200-V90_2M_SCF"),
        (5, "B5"),
        (6, "RCV56DPF-PLL L8773A Rev 14.00/34.00"),
    ],
    identity: &[
        ("+GMI", "+GMI: CONEXANT"),
        ("+GMI9", "+GMI9: CONEXANT ACF"),
        ("+GMM", "+GMM: V90"),
        ("-PV", "F10574"),
    ],
    compressions: &[
        (1, Unsigned8, "1,\"UNSIGNED PCM\",8,0,8000,0,0"),
        (129, Opaque8, "129,\"IMA ADPCM\",4,0,8000,0,0"),
        (130, Unsigned8, "130,\"UNSIGNED PCM\",8,0,8000,0,00"),
        (140, Opaque8, "140,\"2 Bit ADPCM\",2,0,8000,0,0"),
        (141, Opaque8, "141,\"4 Bit ADPCM\",4,0,8000,0,0"),
    ],
    stored_echo: false,
    piece: 64,
    ..CX93001_V2013
};

const USR5637: Profile = Profile {
    family: Family::UsRobotics,
    information: &[
        (0, "5601"),
        (1, "3D05"),
        (3, "U.S. Robotics 56K FAX USB V1.2.23"),
        (9, "United States"),
    ],
    identity: &[
        ("+GMI", "+GMI: U.S. Robotics"),
        ("+GMM", "+GMM: U.S. Robotics 56K FAX USB V1.2.23"),
        ("+GMR", "+GMR: 1.2.23"),
    ],
    classes: &["0", "1", "1.0", "2", "2.0", "2.1", "8"],
    compressions: &[
        (128, Unsigned8, "128,\"8-BIT LINEAR\",(7200,8000,11025)"),
        (129, Linear16, "129,\"16-BIT LINEAR\",(7200,8000,11025)"),
        (130, Opaque8, "130,\"8-BIT ALAW\",(8000)"),
        (131, Opaque8, "131,\"8-BIT ULAW\",(8000)"),
        (132, Opaque8, "132,\"IMA ADPCM\",(7200,8000,11025)"),
    ],
    default_compression: 129,
    line_selections: &[0, 1, 2, 3, 4, 5, 6, 7],
    seizing: &[1, 2, 3, 5, 7],
    stored_echo: true,
    spaces: false,
    voice_caller_id: Form::DleX,
    country: "F6",
    latency: Duration::from_millis(5),
    reset_latency: Duration::from_millis(120),
    transmit_buffer: 2048,
    piece: 64,
    ignores_vls: false,
    bare_tone_hangs: true,
    hang_up_leaves_voice: true,
    transmit_ends_with_etx: false,
    detects_silence: true,
    reports_loop_break: false,
    no_dial_tone: "NO DIALTONE",
};

const USR5637_OLD: Profile = Profile {
    information: &[
        (0, "5601"),
        (1, "3D05"),
        (3, "U.S. Robotics 56K FAX USB V1.1.12"),
        (9, "United States"),
    ],
    identity: &[
        ("+GMI", "+GMI: U.S. Robotics"),
        ("+GMM", "+GMM: U.S. Robotics 56K FAX USB V1.1.12"),
        ("+GMR", "+GMR: 1.1.12"),
    ],
    ignores_vls: true,
    ..USR5637
};

const MT9234MU: Profile = Profile {
    family: Family::V253,
    information: &[
        (0, "MT9234MU"),
        (1, "V1.24"),
        (2, "OK"),
        (3, "MT9234MU V1.24"),
    ],
    identity: &[
        ("+GMI", "+GMI: Multi-Tech Systems, Inc."),
        ("+GMM", "+GMM: MT9234MU"),
        ("+GMR", "+GMR: V1.24"),
    ],
    compressions: &[
        (128, Unsigned8, "128,\"8-BIT LINEAR\",8,0,(8000),0,0"),
        (129, Linear16, "129,\"16-BIT LINEAR\",16,0,(8000),0,0"),
        (130, Opaque8, "130,\"8-BIT ALAW\",8,0,(8000),0,0"),
        (131, Opaque8, "131,\"8-BIT ULAW\",8,0,(8000),0,0"),
        (132, Opaque8, "132,\"IMA ADPCM\",4,0,(8000),0,0"),
    ],
    default_compression: 132,
    country: "B5",
    latency: Duration::from_millis(4),
    reset_latency: Duration::from_millis(400),
    piece: 128,
    bare_tone_hangs: false,
    hang_up_leaves_voice: false,
    transmit_ends_with_etx: true,
    ..USR5637
};

const V253: Profile = Profile {
    information: &[(0, "56K"), (3, "V.253 VOICE MODEM")],
    identity: &[("+GMI", "+GMI: Generic"), ("+GMM", "+GMM: V.253")],
    compressions: &[
        (0, Signed8, "0,\"SIGNED PCM\",8,0,(8000),(0),(0)"),
        (1, Unsigned8, "1,\"UNSIGNED PCM\",8,0,(8000),(0),(0)"),
        (4, Opaque8, "4,\"G.711U\",8,0,(8000),(0),(0)"),
        (5, Opaque8, "5,\"G.711A\",8,0,(8000),(0),(0)"),
    ],
    default_compression: 4,
    reset_latency: Duration::from_millis(30),
    transmit_buffer: 1500,
    reports_loop_break: true,
    ..MT9234MU
};

const DATA_ONLY: Profile = Profile {
    information: &[(0, "33600"), (3, "DATA MODEM V1.0")],
    identity: &[("+GMI", "+GMI: Generic"), ("+GMM", "+GMM: DATA")],
    classes: &["0"],
    compressions: &[],
    ..V253
};
