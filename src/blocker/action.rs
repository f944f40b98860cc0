//! What is done with a blocked call, and with which parameters.

use crate::call::ActionKind;
use std::path::PathBuf;
use std::time::Duration;

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
