//! A trace taken apart: what the modem answered to which command, what it said unasked, and what it
//! streamed.
//!
//! Times are those of the trace. What belongs to a command is told relative to it, so that it can be
//! said again whenever that command comes again.

mod builder;
mod host;
#[cfg(test)]
mod tests;

pub(super) use host::{Host, HostSaid};
use std::time::Duration;

/// Bytes to be said together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// After the command; in [`Stream::ending`], after the host ended the stream.
    pub(super) after: Duration,
    pub(super) bytes: Vec<u8>,
}

/// A command line and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Exchange {
    pub(super) at: Duration,
    /// As compared: in capitals, without blanks.
    pub(super) command: Vec<u8>,
    /// The echo, lines of text, the result; empty if the modem said nothing.
    pub(super) reply: Vec<Piece>,
    /// The voice stream that it opened.
    pub(super) stream: Option<Stream>,
}

/// A voice stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Stream {
    /// Audio comes in: `+VRX`, `+VTR`.
    pub(super) receives: bool,
    /// Audio and codes from the modem, up to where the host ended the stream.
    pub(super) body: Vec<Piece>,
    /// The modem ended it itself: the end is in the body.
    pub(super) ended_by_modem: bool,
    /// What the modem said after the host ended it.
    pub(super) ending: Vec<Piece>,
}

/// What happened of the modem's own accord.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct News {
    pub(super) at: Duration,
    pub(super) what: Unasked,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Unasked {
    Said(Vec<u8>),
    Unplugged,
    Plugged,
}

/// A trace, ready to be played.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Script {
    /// In the order of time.
    pub(super) exchanges: Vec<Exchange>,
    /// In the order of time.
    pub(super) news: Vec<News>,
}

impl Script {
    /// Takes a trace apart.
    pub(super) fn of(trace: super::Trace) -> Self {
        builder::build(trace.records)
    }
}
