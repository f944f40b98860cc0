//! AT commands and what ends them.
//!
//! A command knows its text, how long the modem may take, and which result codes answer it. Result
//! codes that do not (a `NO CARRIER` while a setting is made) are the line's news, not an answer.
//! Facts: result codes of the US Robotics and Conexant manuals; measured latencies are 2–5 ms a
//! command and 18 ms for `ATZ`.

use std::time::Duration;

/// For settings and questions.
const USUAL_PATIENCE: Duration = Duration::from_secs(1);
/// For `ATZ`; Multi-Tech modems take 1.5 s.
const RESET_PATIENCE: Duration = Duration::from_millis(2500);
/// For `CONNECT` of a voice stream.
const STREAM_PATIENCE: Duration = Duration::from_secs(2);
/// For an answered outgoing call: dialling, ringback and S7.
const DIAL_PATIENCE: Duration = Duration::from_secs(90);

/// No echo, result codes, and these in words: what the driver reads. A stored profile may hold any of
/// the three the other way, and `ATZ` brings it back.
pub const PLAIN_WORDS: &str = "ATE0Q0V1";
/// For `ATZ` of a modem whose stored profile has no result codes: it is not answered.
const UNANSWERED_RESET: Duration = Duration::from_millis(1500);

/// A final result code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResultCode {
    /// Done.
    Ok,
    /// A data state begins.
    Connect,
    /// Not understood, or not possible now.
    Error,
    /// The connection is over or did not come about.
    NoCarrier,
    /// No dial tone before dialling.
    NoDialTone,
    /// The called line is engaged.
    Busy,
    /// The called line does not answer.
    NoAnswer,
    /// Rockwell's `#CLS=8` set: a voice connection.
    VoiceConnect,
    /// The modem declines to dial: `DELAYED`, `BLACKLISTED`, `LINE IN USE`.
    Refused,
}

impl ResultCode {
    /// Reads a line in verbose form (`ATV1`).
    pub fn parse(line: &str) -> Option<Self> {
        Some(match line {
            "OK" => Self::Ok,
            "ERROR" => Self::Error,
            "NO CARRIER" => Self::NoCarrier,
            "NO DIALTONE" | "NO DIAL TONE" => Self::NoDialTone,
            "BUSY" => Self::Busy,
            "NO ANSWER" => Self::NoAnswer,
            "VCON" => Self::VoiceConnect,
            "DELAYED" | "BLACKLISTED" | "BLACKLIST FULL" | "LINE IN USE" | "LINE-IN-USE" => {
                Self::Refused
            }
            _ if line == "CONNECT" || line.starts_with("CONNECT ") => Self::Connect,
            _ => return None,
        })
    }

    /// Reads a line in numeric form (`ATV0`), as a stored profile may have it.
    pub fn parse_numeric(line: &str) -> Option<Self> {
        Some(match line {
            "0" => Self::Ok,
            "1" => Self::Connect,
            "3" => Self::NoCarrier,
            "4" => Self::Error,
            _ => return None,
        })
    }
}

/// Which result codes end a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// `OK` or `ERROR`, with lines of text before it.
    Text,
    /// `OK` or `ERROR`, without text: here a bare `0` or `4` is a numeric result.
    Done,
    /// `CONNECT` into the given stream, or a refusal.
    Stream(super::voice::VoiceMode),
    /// The outcome of dialling.
    Dialled,
    /// The outcome of `ATA`: in a fax class `CONNECT` is only half of it.
    Answered,
    /// The modem's word after the end of a voice stream.
    StreamOver,
}

impl Expected {
    /// Whether `code` ends a command of this kind.
    pub const fn ends_with(self, code: ResultCode) -> bool {
        match self {
            Self::Text | Self::Done => {
                matches!(
                    code,
                    ResultCode::Ok | ResultCode::Error | ResultCode::VoiceConnect
                )
            }
            Self::Stream(_) => !matches!(code, ResultCode::Busy | ResultCode::NoAnswer),
            Self::Dialled => true,
            Self::Answered | Self::StreamOver => !matches!(code, ResultCode::Connect),
        }
    }
}

/// A command, ready to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The line without its CR.
    pub text: String,
    /// How long the modem may take to answer.
    pub patience: Duration,
    /// What ends it.
    pub expected: Expected,
}

impl Command {
    /// A setting: `OK` or `ERROR`.
    pub fn set(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            patience: USUAL_PATIENCE,
            expected: Expected::Done,
        }
    }

    /// A question: text, then `OK`.
    pub fn ask(text: impl Into<String>) -> Self {
        Self {
            expected: Expected::Text,
            ..Self::set(text)
        }
    }

    /// `ATZ`.
    pub fn reset() -> Self {
        Self {
            patience: RESET_PATIENCE,
            ..Self::set("ATZ")
        }
    }

    /// `ATZ` of a modem that is known not to answer it.
    pub fn unanswered_reset() -> Self {
        Self::reset().within(UNANSWERED_RESET)
    }

    /// `+VRX`, `+VTX` or `+VTR`.
    pub fn stream(mode: super::voice::VoiceMode) -> Self {
        Self {
            text: mode.command().into(),
            patience: STREAM_PATIENCE,
            expected: Expected::Stream(mode),
        }
    }

    /// `ATDT`. Only what a modem dials is kept of `number`.
    pub fn dial(number: &str) -> Self {
        let digits: String = number
            .chars()
            .filter(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | ',' | 'W' | 'A'..='D'))
            .collect();
        Self {
            text: format!("ATDT{digits}"),
            patience: DIAL_PATIENCE,
            expected: Expected::Dialled,
        }
    }

    /// `ATA`.
    pub fn answer() -> Self {
        Self {
            expected: Expected::Answered,
            ..Self::set("ATA")
        }
    }

    /// The same with this patience.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

/// The modem's answer to a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Lines of text before the result.
    pub lines: Vec<String>,
    /// The result.
    pub result: ResultCode,
    /// It came as a number (`ATV0`).
    pub numeric: bool,
}

impl Reply {
    /// Whether the command was obeyed.
    pub fn is_ok(&self) -> bool {
        matches!(
            self.result,
            ResultCode::Ok | ResultCode::Connect | ResultCode::VoiceConnect
        )
    }

    /// The first line of text, or nothing.
    pub fn text(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }
}
