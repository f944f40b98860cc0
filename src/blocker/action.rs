//! What is done with a blocked call, and with which parameters.

use crate::call::ActionKind;
use crate::modem::driver::RestingClass;
use crate::screen::ListAction;
use std::path::PathBuf;
use std::time::Duration;

/// The longest call where nobody set one.
const USUAL_LIMIT: Duration = Duration::from_mins(2);

/// What to do with a blocked call. Each ends with the line on-hook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BlockAction {
    /// Pick up, hold the line for `hold`, hang up. Less than a second may not register as an answer
    /// at the exchange, which then goes on ringing.
    HangUp {
        /// Off-hook time.
        hold: Duration,
    },
    /// Answer as a fax machine.
    Fax,
    /// Play a file once, whole, then hang up.
    Message {
        /// The WAV file.
        file: PathBuf,
    },
    /// Record the caller.
    Record {
        /// The longest recording.
        limit: Duration,
    },
    /// Send audio: the file, then silence. Keys the caller presses are received.
    Transmit {
        /// The WAV file to begin with.
        file: Option<PathBuf>,
        /// The longest call.
        limit: Duration,
    },
    /// Record and send together.
    Duplex {
        /// The WAV file to begin with.
        file: Option<PathBuf>,
        /// The longest call.
        limit: Duration,
        /// After this much silence of the caller, a file of the play folder is played.
        silence: Option<Duration>,
    },
}

impl BlockAction {
    /// The service class in which a modem can do this. With the special information tones before it
    /// (`sit`), even a mere hang-up takes a voice stream.
    pub const fn class(&self, sit: bool) -> RestingClass {
        match self {
            Self::HangUp { .. } if !sit => RestingClass::Data,
            Self::Fax => RestingClass::Fax,
            _ => RestingClass::Voice,
        }
    }

    /// What the line of a list wants done instead of this; `hold` is for a mere hang-up.
    #[must_use]
    pub fn instead(&self, wanted: &ListAction, hold: Duration) -> Self {
        let own_limit = match self {
            Self::Record { limit } | Self::Transmit { limit, .. } | Self::Duplex { limit, .. } => {
                *limit
            }
            _ => USUAL_LIMIT,
        };
        let own_file = match self {
            Self::Transmit { file, .. } | Self::Duplex { file, .. } => file.clone(),
            _ => None,
        };
        match wanted {
            ListAction::HangUp | ListAction::Ring => Self::HangUp { hold },
            ListAction::Fax => Self::Fax,
            ListAction::Message(file) => Self::Message { file: file.clone() },
            ListAction::Record(limit) => Self::Record {
                limit: limit.unwrap_or(own_limit),
            },
            ListAction::Transmit(limit) => Self::Transmit {
                file: own_file,
                limit: limit.unwrap_or(own_limit),
            },
            ListAction::Duplex(limit) => Self::Duplex {
                file: own_file,
                limit: limit.unwrap_or(own_limit),
                silence: self.silence(),
            },
        }
    }

    /// After how much silence of the caller a file of the play folder is played.
    pub const fn silence(&self) -> Option<Duration> {
        match self {
            Self::Duplex { silence, .. } => *silence,
            _ => None,
        }
    }

    /// The action without its parameters, as the log has it.
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::HangUp { .. } => ActionKind::HangUp,
            Self::Fax => ActionKind::Fax,
            Self::Message { .. } => ActionKind::Message,
            Self::Record { .. } => ActionKind::Record,
            Self::Transmit { .. } => ActionKind::Transmit,
            Self::Duplex { .. } => ActionKind::Duplex,
        }
    }
}
