//! What was on the line in a burst, and the rows that the log must have of it.

use crate::plan::Planned;
use std::time::Duration;

/// From the line to the daemon.
pub const ON_THE_WAY: Duration = Duration::from_millis(60);

/// Whose a row is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Rings that nobody caused.
    Nobody,
    /// The call of this index.
    Call(usize),
    /// Somebody who knocked.
    Knock(String),
}

/// A row that the log must have.
#[derive(Debug)]
pub struct Expected {
    pub who: Who,
    /// More than one where the daemon may not have listened to the first ring; with the time that it
    /// may take to come through.
    pub began: Vec<(Duration, Duration)>,
    /// It may have been lost with the process, or the daemon may not have listened yet.
    pub certain: bool,
}

impl Expected {
    /// How far from `at` it began, if it can be that which began then.
    pub fn began_near(&self, at: Duration) -> Option<Duration> {
        let off = |&(began, delay): &(Duration, Duration)| {
            let off = at.abs_diff(began);
            (off < ON_THE_WAY || at > began && off < delay).then_some(off)
        };
        self.began.iter().filter_map(off).min()
    }
}

/// One call as the line saw it.
#[derive(Debug)]
pub struct Call<'a> {
    pub planned: &'a Planned,
    pub began: Duration,
    pub announced: bool,
    /// It rang while the daemon took the line for its own.
    pub blurred: bool,
    /// It rang while the modem may not have told of it, or its caller ID came then: it may pass for two
    /// calls that rang once, and the second begin at any of its rings.
    pub doubtful: bool,
    pub rings: Vec<Duration>,
    pub picked_up: Vec<Duration>,
    pub on_hook: Option<Duration>,
    pub voice: Duration,
}

/// What was on the line in a burst.
#[derive(Debug)]
pub struct Line<'a> {
    pub calls: Vec<Call<'a>>,
    pub rows: Vec<Expected>,
    /// At some time more than one byte may have come for a sample.
    pub more_bytes: bool,
}

/// A block of caller ID.
pub struct Block {
    /// When it is complete.
    pub due: Duration,
    pub who: Who,
    pub number: String,
    /// Whether the daemon listens for certain.
    pub armed: bool,
}
