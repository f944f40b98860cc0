//! What was seen on the line and of the daemon, in one order.

use callblock::blocker::daemon::{Notice, Observer};
use callblock::call::Outcome;
use callblock::emulator::{Entry, Happening, Journal};
use callblock::modem::driver::RestingClass;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

use crate::plan::KNOCK;

/// One thing that was seen, so long after the episode began.
#[derive(Clone, Debug)]
pub struct Sight {
    pub at: Duration,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Line(Happening),
    Armed {
        class: RestingClass,
        caller_id: bool,
    },
    /// The daemon has lost the modem, in words.
    Lost(String),
    /// A process begins.
    Begins,
    /// The daemon says that the line is its.
    Answered,
    /// The daemon is done with a call; the outcome.
    Ended(&'static str),
    /// It has ended, or said something else of interest.
    Daemon(String),
    /// The storm itself does something.
    Storm(String),
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:10.3} ", self.at.as_secs_f64())?;
        match &self.what {
            What::Line(happening) => write!(f, "  {happening}"),
            What::Armed { class, caller_id } => write!(f, "* armed {class:?} {caller_id}"),
            What::Lost(why) => write!(f, "* lost: {why}"),
            What::Begins => write!(f, "* a process begins"),
            What::Answered => write!(f, "* answered"),
            What::Ended(outcome) => write!(f, "* ended: {outcome}"),
            What::Daemon(what) => write!(f, "* {what}"),
            What::Storm(what) => write!(f, "! {what}"),
        }
    }
}

/// Whether a call that ends so was none that the line was taken for.
pub fn is_call_waiting(outcome: &str) -> bool {
    outcome == Outcome::CallWaiting.as_str()
}

/// Why the daemon is gone if it was killed.
pub const KILLED: &str = "killed";
/// The same if it was told to end.
pub const STOPPED: &str = "told to stop";

/// Whether this fault leaves the modem deaf until it is set up again.
pub fn needs_arming(fault: &str) -> bool {
    ["Wedge", "Hang", "Forget", "Reset"]
        .iter()
        .any(|kind| fault.starts_with(kind))
}

#[derive(Clone)]
pub struct Seen(Arc<Mutex<Inner>>);

#[expect(
    clippy::struct_excessive_bools,
    reason = "the modem, the line, the daemon and the caller each are in a state of their own"
)]
struct Inner {
    began: Instant,
    sights: Vec<Sight>,
    armed: bool,
    off_hook: bool,
    /// The daemon takes the line for its own.
    in_call: bool,
    /// A call is on the line that did not end.
    call: bool,
    last: Instant,
}

impl Seen {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            began: Instant::now(),
            sights: Vec::new(),
            armed: false,
            off_hook: false,
            in_call: false,
            call: false,
            last: Instant::now(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub fn note(&self, what: What) {
        let mut inner = self.inner();
        match &what {
            What::Armed { .. } => inner.armed = true,
            What::Lost(_) => (inner.armed, inner.in_call) = (false, false),
            What::Answered => inner.in_call = true,
            What::Ended(outcome) => inner.in_call &= is_call_waiting(outcome),
            What::Line(Happening::Fault(fault)) if needs_arming(fault) => inner.armed = false,
            What::Line(Happening::OffHook) => inner.off_hook = true,
            What::Line(Happening::OnHook) => inner.off_hook = false,
            What::Line(Happening::CallBegins(number)) if !number.starts_with(KNOCK) => {
                inner.call = true;
            }
            What::Line(Happening::CallEnded) => inner.call = false,
            _ => {}
        }
        inner.last = Instant::now();
        let at = inner.last - inner.began;
        let sight = Sight { at, what };
        inner.sights.push(sight);
    }

    /// Armed, on-hook, and nothing has happened for so long.
    pub fn is_quiet(&self, since: Duration) -> bool {
        let inner = self.inner();
        inner.armed
            && !inner.off_hook
            && !inner.in_call
            && !inner.call
            && inner.last.elapsed() >= since
    }

    pub fn call_is_on(&self) -> bool {
        self.inner().call
    }

    pub fn now(&self) -> Duration {
        self.inner().began.elapsed()
    }

    /// What was seen since this was asked last.
    pub fn take(&self) -> Vec<Sight> {
        std::mem::take(&mut self.inner().sights)
    }

    pub fn watch_line(&self, journal: &Journal) {
        let seen = self.clone();
        journal.listen(move |Entry { what, .. }| seen.note(What::Line(what.clone())));
    }

    pub fn observer(&self) -> Observer {
        let seen = self.clone();
        Box::new(move |notice| {
            let what = match notice {
                Notice::Armed { armed, .. } => What::Armed {
                    class: armed.class,
                    caller_id: armed.caller_id,
                },
                Notice::Waiting(why) | Notice::PortLost(why) => What::Lost((*why).to_owned()),
                Notice::Deaf { .. } => What::Lost("deaf".into()),
                Notice::Screened(record) => What::Daemon(format!(
                    "screened {:?}: {}",
                    record.number,
                    record.verdict.as_str()
                )),
                Notice::Answered => What::Answered,
                Notice::Ended(record) => What::Ended(record.outcome.map_or("", Outcome::as_str)),
                Notice::Ring(burst) => What::Daemon(format!("ring {burst}")),
                _ => return,
            };
            seen.note(what);
        })
    }
}
