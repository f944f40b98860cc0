//! What a modem can be busy with, and what it has still to do.

use super::super::hybrid::Hybrid;
use super::super::settings::Voice;
use super::super::stream::{Receive, Transmit};
use std::time::Instant;

/// What bytes from the DTE mean at present.
#[derive(Debug)]
pub(in crate::emulator) enum State {
    /// Characters of a command line.
    Command,
    /// Characters typed ahead: a command is being carried out.
    Executing,
    /// Any character aborts: the modem answers or dials.
    Handshake(Handshake),
    /// Audio and shielded codes.
    Voice(Box<Streams>),
    /// HDLC data of a class 1 fax; a DLE is pending or not.
    FaxData { escaped: bool },
    /// Any key ends the pause in a long text.
    Pager,
}

/// The streams of a voice state.
#[derive(Debug)]
pub(in crate::emulator) struct Streams {
    pub(in crate::emulator) transmit: Option<Transmit>,
    pub(in crate::emulator) receive: Option<Receive>,
    pub(in crate::emulator) hybrid: Option<Hybrid>,
}

/// What goes on while any character aborts.
#[derive(Clone, Copy, Debug)]
pub(in crate::emulator) struct Handshake {
    pub(in crate::emulator) since: Instant,
    pub(in crate::emulator) kind: HandshakeKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::emulator) enum HandshakeKind {
    DataAnswer,
    FaxClass1,
    FaxClass2,
    /// Dialling; in voice, the result is `OK` once somebody answers.
    Dial {
        voice: bool,
    },
}

/// What the modem itself has to do later.
#[derive(Debug)]
pub(in crate::emulator) enum Due {
    Reply(Reply),
    Fault(usize),
    Plug { other_node: bool },
}

/// The answer to a command, and what comes after it.
#[derive(Debug)]
pub(in crate::emulator) struct Reply {
    /// Information text, framed.
    pub(in crate::emulator) text: Vec<u8>,
    /// The result code, verbose; empty for none.
    pub(in crate::emulator) result: String,
    /// Whether the result follows the text without a blank line.
    pub(in crate::emulator) close: bool,
    pub(in crate::emulator) then: Then,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::emulator) enum Then {
    Command,
    Voice(Voice),
    FaxData,
    Pager,
    OnHook,
    /// An intermediate result: the handshake goes on.
    Continue,
}
