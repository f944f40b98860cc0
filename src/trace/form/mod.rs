//! The text form of a trace: a header, then a line for each piece that crossed the port.
//!
//! Writing gives lines of at most [`LONGEST_LINE`] bytes; reading takes any bytes, passes over lines
//! that are wrong (they are told), and never needs more memory than [`MOST_RECORDS`] and
//! [`MOST_BYTES`] allow. No I/O, no clock. `docs/trace.md` describes the form.

mod encoding;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{Problem, ProblemKind, TraceError, parse};
pub use writer::{write_header, write_record};

use std::time::Duration;

/// The first word of a trace.
pub const MAGIC: &str = "callblock-trace";
/// The version of the form that is written, and the latest that is read.
pub const VERSION: u32 = 1;
/// The longest line, its end not counted.
pub const LONGEST_LINE: usize = 640;
/// Records of a trace that are read; the rest is left out. Two hours of audio both ways.
pub const MOST_RECORDS: usize = 500_000;
/// Bytes that crossed the port which are read; the rest is left out.
pub const MOST_BYTES: usize = 64 << 20;

/// What a trace says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Name and version of the program that wrote it: `callblock/0.1.0`.
    pub program: String,
    /// When it was begun, in UTC, for people; no blanks.
    pub started: String,
    /// Bits a second of the port.
    pub baud: u32,
    /// Whether numbers and names were replaced.
    pub masked: bool,
    /// The device as the user named it.
    pub device: String,
}

/// To the modem or from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the computer (DTE) to the modem (DCE).
    ToModem,
    /// From the modem to the computer.
    FromModem,
}

/// What happened to the port itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortChange {
    /// Opened, with DTR raised.
    Opened,
    /// Closed by the program.
    Closed,
    /// Gone: unplugged, or a read or write failed.
    Lost,
    /// Data Terminal Ready raised.
    DtrUp,
    /// Data Terminal Ready dropped.
    DtrDown,
    /// What had been written and not sent was thrown away: not all that is told may have arrived.
    OutputDiscarded,
    /// What had come and was not read was thrown away.
    InputDiscarded,
    /// The USB port was reset.
    BusReset,
    /// So many records are missing here: the disk was too slow or full.
    Missing(u64),
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Bytes crossed the port. Never empty.
    Bytes(Direction, Vec<u8>),
    /// Something happened to the port.
    Port(PortChange),
}

/// What happened, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Since the start of the trace; written in microseconds.
    pub at: Duration,
    /// What happened.
    pub what: What,
}

/// A trace that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// Of the first part, if it has several.
    pub header: Header,
    /// In the order of time. A file that was appended to is one trace: later parts follow at once.
    pub records: Vec<Record>,
    /// The first lines that could not be read.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more_problems: usize,
}

impl PortChange {
    /// Those without a number.
    const WORDS: [(&'static str, Self); 8] = [
        ("opened", Self::Opened),
        ("closed", Self::Closed),
        ("lost", Self::Lost),
        ("dtr-up", Self::DtrUp),
        ("dtr-down", Self::DtrDown),
        ("output-discarded", Self::OutputDiscarded),
        ("input-discarded", Self::InputDiscarded),
        ("bus-reset", Self::BusReset),
    ];
}
