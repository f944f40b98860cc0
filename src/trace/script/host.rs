//! What the computer (the host, DTE) says: command lines, and the ends of streams.

use crate::modem::wire::{DLE, ETX};

/// The longest command line that is kept.
const LONGEST_COMMAND: usize = 1024;
const ESCAPE: u8 = 0x1B;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::trace) enum HostSaid {
    /// A command line, in capitals, without blanks.
    Command(Vec<u8>),
    /// The code that ends a stream.
    StreamEnd,
}

/// Reads what the host says, byte by byte.
#[derive(Debug, Default)]
pub(in crate::trace) struct Host {
    /// A stream is open: what is said is audio. To be set by whoever knows the modem's answer.
    pub(in crate::trace) streaming: bool,
    after_dle: bool,
    line: Vec<u8>,
}

impl Host {
    pub(in crate::trace) fn take(&mut self, byte: u8) -> Option<HostSaid> {
        if std::mem::take(&mut self.after_dle) {
            let ends = matches!(byte, ETX | b'!' | b'^' | ESCAPE);
            return (self.streaming && ends).then(|| {
                self.streaming = false;
                HostSaid::StreamEnd
            });
        }
        match byte {
            DLE => self.after_dle = true,
            _ if self.streaming => {}
            b'\r' => return Some(HostSaid::Command(std::mem::take(&mut self.line))),
            // Control characters of a host that makes sure of the command state.
            0..=b' ' | 0x7F.. => {}
            _ if self.line.len() < LONGEST_COMMAND => self.line.push(byte.to_ascii_uppercase()),
            _ => {}
        }
        None
    }

    /// The port was closed, or the modem is another.
    pub(in crate::trace) fn forget(&mut self) {
        *self = Self::default();
    }
}
