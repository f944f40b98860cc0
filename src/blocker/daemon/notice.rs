//! What a daemon tells whoever shows it to people.

use crate::call::CallRecord;
use crate::modem::caller_id::MessageWaiting;
use crate::modem::driver::Armed;
use std::path::Path;
use std::time::Duration;

/// What happens, for whoever shows it to people.
#[derive(Debug)]
pub enum Notice<'a> {
    /// There is no modem yet; why.
    Waiting(&'a str),
    /// The modem waits for rings.
    Armed {
        /// Where it is.
        device: &'a str,
        /// What it can do.
        armed: &'a Armed,
    },
    /// The modem is gone; why.
    PortLost(&'a str),
    /// The modem is there and hung: no call is screened.
    Deaf {
        /// When it is tried again.
        again_in: Duration,
        /// It used to work for this process: a fresh one may do better.
        give_up: bool,
    },
    /// What the daemon is doing, in words, with the age of the last ring; comes when it changes, and
    /// before [`Alive`](Self::Alive) when it has aged.
    Status(&'a str),
    /// The loop turns, and the modem answers, is absent, or was hung from the beginning; comes as
    /// often as was asked for. After [`Deaf`](Self::Deaf) with `give_up` it stays away, until there is a
    /// modem again or none at all.
    Alive,
    /// The line rings, for the n-th time.
    Ring(u32),
    /// A caller was screened.
    Screened(&'a CallRecord),
    /// We picked up.
    Answered,
    /// A file is played.
    Playing(&'a Path),
    /// The call is recorded to this file, relative to the data folder.
    Recording(&'a str),
    /// The caller pressed a key.
    Digit(char),
    /// The caller has been silent for the time asked for.
    CallerSilent,
    /// A call is over.
    Ended(&'a CallRecord),
    /// The message-waiting indicator changed.
    MessageWaiting(MessageWaiting),
}

/// Shows people what happens.
pub type Observer = Box<dyn FnMut(&Notice<'_>) + Send>;
