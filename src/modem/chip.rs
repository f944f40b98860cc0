//! What differs between families of modem chips.
//!
//! One table; nothing else in the driver asks which chip it talks to. Sources: the Conexant and US
//! Robotics manuals, V.253, and what users of other daemons measured on their sticks.

use super::line_code::LineCode;
use super::voice::VoiceMode;
use super::wire::{CAN, DLE, ETX};
use std::time::Duration;

/// A family of chips that behave alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Conexant and Rockwell: CX93001, CX93010, ACF; most USB sticks.
    Conexant,
    /// US Robotics USR5637.
    UsRobotics,
    /// Multi-Tech MT9234.
    MultiTech,
    /// Anything else that speaks V.253.
    Generic,
}

/// The answers by which a modem is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// `ATI0`: the product code.
    pub product: String,
    /// `ATI3`: firmware.
    pub firmware: String,
    /// `AT+GMI`: the maker.
    pub maker: String,
    /// `AT+FCLASS=?`: the service classes on offer.
    pub classes: Vec<String>,
}

impl Identity {
    /// Whether a service class is on offer. A modem that does not answer the question is asked by
    /// trying.
    pub fn offers(&self, class: &str) -> bool {
        self.classes.is_empty() || self.classes.iter().any(|offered| offered == class)
    }

    /// The family, as far as the answers tell.
    pub fn family(&self) -> Family {
        let all = format!("{} {} {}", self.product, self.firmware, self.maker).to_ascii_uppercase();
        let says = |words: &[&str]| words.iter().any(|word| all.contains(word));
        if says(&["CX9", "CX8", "CONEXANT", "ROCKWELL", "ACF"]) || self.product == "56000" {
            Family::Conexant
        } else if says(&["U.S. ROBOTICS", "US ROBOTICS", "USR"]) || self.product == "5601" {
            Family::UsRobotics
        } else if says(&["MT9234", "MULTI-TECH", "MULTITECH"]) {
            Family::MultiTech
        } else {
            Family::Generic
        }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = [&self.firmware, &self.product, &self.maker]
            .into_iter()
            .find(|answer| !answer.is_empty());
        f.write_str(name.map_or("unknown modem", String::as_str))
    }
}

/// How a family is driven.
#[derive(Debug)]
pub struct Chip {
    /// `+VSM` arguments for 8-bit unsigned PCM at 8000 samples a second, the likeliest first. Always
    /// sent: the default of USR is 16-bit.
    pub sample_formats: &'static [&'static str],
    /// Settings for the voice class; a modem that refuses one does well without.
    pub voice_settings: &'static [&'static str],
    /// Settings for any class, likewise.
    pub settings: &'static [&'static str],
    /// `+VLS` label to change to before `+VRX`, where receiving is deaf otherwise.
    pub line_for_receive: Option<&'static str>,
    /// Ends a receive stream, to be tried in this order.
    pub end_receive: &'static [&'static [u8]],
    /// Codes of this chip that are taken for speech too often to mean anything.
    unreliable: &'static [LineCode],
}

const END_RECEIVE: &[&[u8]] = &[&[DLE, b'!'], &[DLE, 0x1B]];

static CONEXANT: Chip = Chip {
    sample_formats: &["1,8000,0,0", "128,8000", "130"],
    voice_settings: &["AT+VGR=128", "AT+VGT=128"],
    // Line in use, extension pick-up and remote hang-up: without it a lifted handset is never
    // reported. ATZ turns it off again.
    settings: &["AT-STE=7"],
    line_for_receive: None,
    end_receive: END_RECEIVE,
    unreliable: &[],
};

static US_ROBOTICS: Chip = Chip {
    sample_formats: &["128,8000"],
    voice_settings: &["AT+VIT=0", "AT+VSD=128,0"],
    settings: &[],
    // Example 7 of its manual; newer firmware records nothing under +VLS=1.
    line_for_receive: Some("AT+VLS=5"),
    end_receive: END_RECEIVE,
    // vgetty ignores both d and i on this chip.
    unreliable: &[LineCode::DialTone],
};

static MULTI_TECH: Chip = Chip {
    sample_formats: &["128,8000", "1,8000,0,0"],
    // Otherwise it ends streams by itself when it hears nothing for a while.
    voice_settings: &["AT+VIT=0", "AT+VSD=128,0"],
    settings: &[],
    line_for_receive: None,
    end_receive: END_RECEIVE,
    unreliable: &[],
};

static GENERIC: Chip = Chip {
    sample_formats: &["1,8000,0,0", "128,8000", "130"],
    voice_settings: &["AT+VIT=0"],
    settings: &[],
    line_for_receive: None,
    end_receive: END_RECEIVE,
    unreliable: &[],
};

/// After our own pick-up, `DLE H` is the modem's own relay on some chips.
const OWN_RELAY: Duration = Duration::from_millis(1500);

impl Chip {
    /// The row of the table.
    pub fn of(family: Family) -> &'static Self {
        match family {
            Family::Conexant => &CONEXANT,
            Family::UsRobotics => &US_ROBOTICS,
            Family::MultiTech => &MULTI_TECH,
            Family::Generic => &GENERIC,
        }
    }

    /// Whether a code can be meant, so long after our own pick-up.
    pub fn believes(&self, code: LineCode, off_hook_for: Duration) -> bool {
        match code {
            LineCode::LocalPhoneOffHook => off_hook_for >= OWN_RELAY,
            _ => !self.unreliable.contains(&code),
        }
    }

    /// What ends a stream at once, to be tried in this order.
    pub fn end_of(&self, mode: VoiceMode) -> &'static [&'static [u8]] {
        match mode {
            VoiceMode::Receive => self.end_receive,
            VoiceMode::Transmit => &[&[DLE, CAN, DLE, ETX], &[DLE, ETX]],
            VoiceMode::Duplex => &[&[DLE, CAN, DLE, b'^'], &[DLE, ETX], &[DLE, b'!']],
        }
    }

    /// What ends a stream when everything sent has been played.
    pub fn end_when_played(&self, mode: VoiceMode) -> &'static [&'static [u8]] {
        match mode {
            VoiceMode::Transmit => &[&[DLE, ETX]],
            VoiceMode::Receive | VoiceMode::Duplex => self.end_of(mode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_by_their_answers() {
        for (product, firmware, maker, family) in [
            (
                "56000",
                "CX93001-EIS_V0.2002-V92",
                "CONEXANT",
                Family::Conexant,
            ),
            ("", "ACF3_V1.200-V90_2M_SCF", "", Family::Conexant),
            (
                "5601",
                "U.S. Robotics 56K FAX USB V1.2.23",
                "",
                Family::UsRobotics,
            ),
            ("5601", "", "", Family::UsRobotics),
            ("MT9234MU", "", "MultiTech", Family::MultiTech),
            ("3361", "V2.21", "ZyXEL", Family::Generic),
            ("", "", "", Family::Generic),
        ] {
            let identity = Identity {
                product: product.into(),
                firmware: firmware.into(),
                maker: maker.into(),
                classes: Vec::new(),
            };
            assert_eq!(identity.family(), family, "{identity:?}");
        }
    }

    #[test]
    fn our_own_relay_is_no_handset() {
        let chip = Chip::of(Family::UsRobotics);
        assert!(!chip.believes(LineCode::LocalPhoneOffHook, Duration::from_millis(200)));
        assert!(chip.believes(LineCode::LocalPhoneOffHook, Duration::from_secs(3)));
        assert!(chip.believes(LineCode::ExtensionOffHook, Duration::ZERO));
    }
}
