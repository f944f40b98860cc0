//! What commands set, and how results are framed accordingly.

use super::chip::{Profile, SampleFormat};
use super::scenario::StoredResults;
use std::collections::BTreeMap;
use std::time::Duration;

/// What commands have set.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command set"
)]
pub(super) struct Settings {
    pub(super) echo: bool,
    pub(super) verbose: bool,
    pub(super) quiet: bool,
    pub(super) dtr_hangs_up: bool,
    /// `+FCLASS`: `0`, `1`, `8` and so on.
    pub(super) class: String,
    /// `+VCID`: 0 off, 1 formatted, 2 raw.
    pub(super) caller_id: u8,
    /// `-STE`, a bit mask: 1 line in use, 2 handset lifted, 4 far end hung up.
    pub(super) ste: u8,
    pub(super) compression: u16,
    pub(super) format: SampleFormat,
    /// `+VLS`
    pub(super) line_selection: u8,
    /// `+VSD`, the second number, in 0.1 s; 0 is off.
    pub(super) silence_tenths: u32,
    pub(super) country: String,
    pub(super) registers: BTreeMap<u16, u8>,
    /// Parameters that are only remembered: `+VGR` and the like.
    pub(super) remembered: BTreeMap<String, String>,
}

/// What `&W` has stored and a reset brings back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) echo: bool,
    pub(super) results: StoredResults,
}

/// The voice states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Voice {
    Transmit,
    Receive,
    Duplex,
}

impl Voice {
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Transmit => "VTX",
            Self::Receive => "VRX",
            Self::Duplex => "VTR",
        }
    }

    pub(super) const fn transmits(self) -> bool {
        !matches!(self, Self::Receive)
    }

    pub(super) const fn receives(self) -> bool {
        !matches!(self, Self::Transmit)
    }
}

impl Settings {
    /// As after power-up or `ATZ`.
    pub(super) fn after_reset(profile: &Profile, stored: Stored) -> Self {
        let format = profile.format_of(profile.default_compression);
        Self {
            echo: stored.echo,
            verbose: !matches!(
                stored.results,
                StoredResults::Numeric | StoredResults::NumericForGood
            ),
            quiet: stored.results == StoredResults::None,
            dtr_hangs_up: true,
            class: "0".into(),
            caller_id: 0,
            ste: 0,
            compression: profile.default_compression,
            format: format.unwrap_or(SampleFormat::Unsigned8),
            line_selection: 0,
            silence_tenths: 0,
            country: profile.country.into(),
            registers: [
                (0, 0),
                (1, 0),
                (2, 43),
                (3, 13),
                (4, 10),
                (5, 8),
                (6, 2),
                (7, 50),
            ]
            .into_iter()
            .collect(),
            remembered: BTreeMap::new(),
        }
    }

    /// What `&W` stores.
    pub(super) fn stored(&self) -> Stored {
        let results = match (self.quiet, self.verbose) {
            (true, _) => StoredResults::None,
            (false, true) => StoredResults::Words,
            (false, false) => StoredResults::Numeric,
        };
        Stored {
            echo: self.echo,
            results,
        }
    }

    /// The bytes of a result code. With `close`, no blank line parts it from the text before.
    pub(super) fn frame_result(&self, result: &str, close: bool) -> Vec<u8> {
        if result.is_empty() || (self.quiet && result != "RING") {
            return Vec::new();
        }
        if !self.verbose {
            return format!("{}\r", numeric(result)).into_bytes();
        }
        let before = if close { "" } else { "\r\n" };
        format!("{before}{result}\r\n").into_bytes()
    }

    pub(super) fn frame_text(&self, text: &str) -> Vec<u8> {
        if self.verbose {
            format!("\r\n{text}\r\n").into_bytes()
        } else {
            format!("{text}\r\n").into_bytes()
        }
    }

    /// `+VRA`: 0.1 s of no ringback before the far end is taken to have answered.
    pub(super) fn ringback_gone_away(&self) -> Duration {
        let tenths = self.remembered.get("+VRA").and_then(|v| v.parse().ok());
        Duration::from_millis(100 * tenths.unwrap_or(50_u64).min(600))
    }
}

/// The number of a result code with `ATV0`.
fn numeric(result: &str) -> &str {
    match result {
        "OK" => "0",
        "CONNECT" => "1",
        "RING" => "2",
        "NO CARRIER" => "3",
        "ERROR" => "4",
        "NO DIALTONE" | "NO DIAL TONE" => "6",
        "BUSY" => "7",
        "NO ANSWER" => "8",
        other => other,
    }
}
