//! Numbers and names of callers replaced in a trace, so that it can be given away.
//!
//! The same number becomes the same other number wherever it stands in the trace, and a name likewise;
//! lengths, framing, times and checksums stay as they are, so that every parser does with the masked
//! trace what it did with the real one. Words in the place of a number (`P`, `OUT OF AREA`) stay, and
//! so do the keys that callers press and all audio: voices are not masked.
//!
//! A number may be cut into pieces anywhere, so records are held back while a line is not complete.

mod field;
mod line;
#[cfg(test)]
mod tests;

use super::form::{Direction, Record, What};
use crate::modem::wire::{DLE, ETX};
pub use field::Mask;
use line::masked_line;
use std::collections::VecDeque;

/// What is longer is no line of text; it is held back no longer.
const LONGEST_HELD_LINE: usize = 1024;
/// Records held back while one direction's line is not complete.
const MOST_HELD: usize = 512;

/// Masks one record after the other.
#[derive(Debug)]
pub struct Masker {
    mask: Mask,
    held: VecDeque<Record>,
    /// The number of the first record in `held`, counted from the start of the trace.
    first_held: u64,
    to_modem: Line,
    from_modem: Line,
}

/// The line that is not complete yet, in one direction.
#[derive(Debug, Default)]
struct Line {
    /// Its bytes without shielded codes, each with the record and the place where it stands.
    bytes: Vec<(u8, u64, usize)>,
    after_dle: bool,
}

impl Masker {
    /// Nothing read yet.
    pub fn new(mask: Mask) -> Self {
        Self {
            mask,
            held: VecDeque::new(),
            first_held: 0,
            to_modem: Line::default(),
            from_modem: Line::default(),
        }
    }

    /// Takes a record; `finished` gets those that are ready, in order.
    pub fn mask(&mut self, record: Record, finished: &mut Vec<Record>) {
        let number = self.first_held + self.held.len() as u64;
        let crossed = match &record.what {
            What::Bytes(direction, bytes) => Some((*direction, bytes.clone())),
            What::Port(_) => None,
        };
        self.held.push_back(record);
        match crossed {
            Some((direction, bytes)) => {
                for (place, byte) in bytes.into_iter().enumerate() {
                    self.byte(direction, byte, number, place);
                }
            }
            // Whatever was being said, it will not go on.
            None => self.end_lines(),
        }
        if self.held.len() > MOST_HELD {
            self.end_lines();
        }
        self.release(finished);
    }

    /// There is no more: what is held back is ready as it is.
    pub fn finish(&mut self, finished: &mut Vec<Record>) {
        self.end_lines();
        self.release(finished);
    }

    fn byte(&mut self, direction: Direction, byte: u8, number: u64, place: usize) {
        let line = match direction {
            Direction::ToModem => &mut self.to_modem,
            Direction::FromModem => &mut self.from_modem,
        };
        match (std::mem::take(&mut line.after_dle), byte) {
            // The ends of a line, of a report and of a stream.
            (true, b'X' | b'.' | ETX) | (false, b'\r' | b'\n') => self.end_line(direction),
            // Other codes may stand in the middle of a line.
            (true, _) | (false, 0) => {}
            (false, DLE) => line.after_dle = true,
            (false, _) => {
                line.bytes.push((byte, number, place));
                if line.bytes.len() >= LONGEST_HELD_LINE {
                    self.end_line(direction);
                }
            }
        }
    }

    fn end_lines(&mut self) {
        self.end_line(Direction::ToModem);
        self.end_line(Direction::FromModem);
    }

    fn end_line(&mut self, direction: Direction) {
        let line = match direction {
            Direction::ToModem => &mut self.to_modem,
            Direction::FromModem => &mut self.from_modem,
        };
        if line.bytes.is_empty() {
            return;
        }
        let places = std::mem::take(&mut line.bytes);
        let text: Vec<u8> = places.iter().map(|(byte, ..)| *byte).collect();
        let Some(masked) = masked_line(self.mask, &text) else {
            return;
        };
        for ((_, number, place), byte) in places.into_iter().zip(masked) {
            let index = (number - self.first_held) as usize;
            if let Some(What::Bytes(_, bytes)) = self.held.get_mut(index).map(|r| &mut r.what)
                && let Some(there) = bytes.get_mut(place)
            {
                *there = byte;
            }
        }
    }

    fn release(&mut self, finished: &mut Vec<Record>) {
        let begun = |line: &Line| line.bytes.first().map(|(_, number, _)| *number);
        let begins = [begun(&self.to_modem), begun(&self.from_modem)];
        let needed = begins.into_iter().flatten().min();
        let upto = needed.map_or(self.held.len(), |n| (n - self.first_held) as usize);
        finished.extend(self.held.drain(..upto));
        self.first_held += upto as u64;
    }
}
