//! A call as it is logged: what came, what was decided, what was done, how it ended.
//!
//! Plain values shared by the blocker, which fills them in, and the [store](crate::store), which
//! keeps them. Knows nothing of modems, so that calls on other kinds of line fit the same log.

use crate::audio::listen::LineQuality;
use crate::clock::Timestamp;
use std::time::Duration;

/// What is done with a blocked call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActionKind {
    /// Nothing: the call rings through.
    None,
    /// Pick up, hold the line a moment, hang up.
    HangUp,
    /// Answer as a fax machine.
    Fax,
    /// Play one message, whole, then hang up.
    Message,
    /// Record the caller.
    Record,
    /// Send audio; keys the caller presses are received.
    Transmit,
    /// Record and send together.
    Duplex,
}

impl ActionKind {
    /// The word in the call log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::HangUp => "hangup",
            Self::Fax => "fax",
            Self::Message => "message",
            Self::Record => "record",
            Self::Transmit => "transmit",
            Self::Duplex => "duplex",
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The far end hung up while we had the line.
    CallerHungUp,
    /// The action was done to its end.
    Finished,
    /// The action's time was up.
    TimeLimit,
    /// Somebody lifted a handset in the house and has the line now.
    Handset,
    /// The daemon was told to stop.
    Stopped,
    /// The modem went away.
    PortLost,
    /// The ringing stopped: the caller gave up, or somebody answered (a modem cannot tell).
    RingsStopped,
    /// Caller ID without a ring: another call is on the line, and this one knocked.
    CallWaiting,
    /// The process died during the call; written at the next start.
    Interrupted,
}

impl Outcome {
    /// The word in the call log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallerHungUp => "caller-hung-up",
            Self::Finished => "finished",
            Self::TimeLimit => "time-limit",
            Self::Handset => "handset",
            Self::Stopped => "stopped",
            Self::PortLost => "port-lost",
            Self::RingsStopped => "rings-stopped",
            Self::CallWaiting => "call-waiting",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Whether a caller may ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerdictClass {
    /// The phone rings.
    Ring,
    /// The call is dealt with.
    Block,
}

impl VerdictClass {
    /// The word in the call log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Block => "block",
        }
    }
}

/// One row of the table `calls`. A row is written when the call begins and again, whole, whenever
/// it has changed; after its end it has an [`Outcome`].
#[derive(Clone, PartialEq, Debug)]
pub struct CallRecord {
    /// When the first sign of the call came (ring or caller ID).
    pub started: Timestamp,
    /// The number as received, if one came.
    pub number: Option<String>,
    /// The number in the form it was compared in.
    pub normalised: Option<String>,
    /// The caller's name as received, if one came.
    pub name: Option<String>,
    /// Ring or block.
    pub verdict: VerdictClass,
    /// Why, in words.
    pub reason: String,
    /// The list and line that decided, as `file:line`.
    pub source: Option<String>,
    /// What was done.
    pub action: ActionKind,
    /// When we went off-hook, after `started`.
    pub picked_up: Option<Duration>,
    /// When the call was over, after `started`.
    pub ended: Option<Duration>,
    /// How it ended; `None` while it lasts.
    pub outcome: Option<Outcome>,
    /// The recording, relative to the data folder.
    pub recording: Option<String>,
    /// The keys the caller pressed.
    pub dtmf: String,
    /// The line's quality, if the caller was listened to.
    pub quality: Option<LineQuality>,
    /// What went wrong on our side, in words; several troubles are joined by `; `.
    pub trouble: Option<String>,
}
