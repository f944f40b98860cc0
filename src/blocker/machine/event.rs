//! What happens to the machine.

use crate::audio::listen::LineQuality;
use crate::clock::Timestamp;
use crate::modem::driver::{RestingClass, VoiceEnd};
use crate::modem::line_code::LineCode;
use crate::screen::Caller;
use crate::store::CallKey;
use std::time::Instant;

/// When an event happened.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Monotonic time, for everything that lasts.
    pub now: Instant,
    /// Wall time, for the log.
    pub wall: Timestamp,
}

/// What happens to the machine.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The modem is gone.
    PortLost,
    /// The line rings.
    Ring,
    /// Caller ID.
    CallerId {
        /// Who calls.
        caller: Caller,
        /// It adds to the caller ID given last and is not another call's.
        revision: bool,
    },
    /// A code about the line.
    Code(LineCode),
    /// A DTMF key went down.
    Digit(char),
    /// We are off-hook, in this class.
    PickedUp(RestingClass),
    /// The modem did not do what was asked last.
    Refused {
        /// What, in words.
        what: String,
    },
    /// The voice stream is open.
    VoiceStarted,
    /// What was to be played has been heard.
    PlaybackFinished,
    /// The voice stream is over.
    VoiceEnded(VoiceEnd),
    /// The sound says that the far end is gone.
    FarEndGone,
    /// What the line's quality was, by all that was heard.
    LineQuality(LineQuality),
    /// The fax answer is over.
    FaxEnded,
    /// We are on-hook.
    OnHook,
    /// The recording's file exists, under this path relative to the data folder.
    RecordingCreated {
        /// Whose.
        call: CallKey,
        /// Where.
        path: String,
    },
    /// The recording is closed; if something was lost, it says what.
    RecordingClosed {
        /// Whose.
        call: CallKey,
        /// What went wrong.
        trouble: Option<String>,
    },
    /// The call is to be ended: asked by the handler.
    EndCall,
    /// Time passed up to [`Blocker::deadline`](super::Blocker::deadline).
    TimePassed,
    /// The daemon is to stop.
    Stop,
}
