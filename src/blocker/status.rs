//! What the daemon says of itself when it is asked.

use crate::clock::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Lines that mean nothing here are kept for a bug report: the newest so many.
const UNKNOWN_LINES: usize = 50;
/// The longest part of such a line kept, in characters.
const LONGEST_LINE: usize = 200;

/// In which state the daemon is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// The modem is being set up.
    Starting,
    /// It waits for rings.
    Armed,
    /// There is no modem.
    Waiting,
    /// The modem answers nothing.
    Deaf,
}

/// The daemon's state, for other programs.
#[derive(Debug)]
pub(super) struct Status {
    state: State,
    device: String,
    modem: Option<String>,
    last_ring: Option<Timestamp>,
    unknown_lines: VecDeque<(Timestamp, String)>,
}

impl Status {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Starting,
            device: String::new(),
            modem: None,
            last_ring: None,
            unknown_lines: VecDeque::new(),
        }
    }

    pub(super) fn device(&self) -> &str {
        &self.device
    }

    pub(super) fn opened(&mut self, device: String) {
        self.device = device;
        self.state = State::Starting;
    }

    pub(super) fn armed(&mut self, modem: String) {
        self.modem = Some(modem);
        self.state = State::Armed;
    }

    pub(super) const fn is(&mut self, state: State) {
        self.state = state;
    }

    pub(super) const fn rang(&mut self, at: Timestamp) {
        self.last_ring = Some(at);
    }

    pub(super) fn unknown(&mut self, at: Timestamp, line: &str) {
        if self.unknown_lines.len() == UNKNOWN_LINES {
            self.unknown_lines.pop_front();
        }
        // Whoever prints it must not steer his terminal; what came can still be read.
        let printable = line.chars().flat_map(|c| {
            let escape = c.is_control().then(|| c.escape_default());
            let plain = escape.is_none().then_some(c);
            escape.into_iter().flatten().chain(plain)
        });
        let line = printable.take(LONGEST_LINE).collect();
        self.unknown_lines.push_back((at, line));
    }

    /// `state,device,modem,last_ring,unknown_lines`; times as UTC nanoseconds.
    pub(super) fn json(&self, in_call: bool) -> Value {
        let state = match self.state {
            State::Armed if in_call => "in-call",
            State::Armed => "armed",
            State::Starting => "starting",
            State::Waiting => "waiting",
            State::Deaf => "deaf",
        };
        let unknown_lines: Vec<Value> = self
            .unknown_lines
            .iter()
            .map(|(at, line)| json!({ "at": at.as_nanos(), "line": line }))
            .collect();
        json!({
            "state": state,
            "device": self.device,
            "modem": self.modem,
            "last_ring": self.last_ring.map(Timestamp::as_nanos),
            "unknown_lines": unknown_lines,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_does_not_grow_it() {
        let mut status = Status::new();
        for n in 0..1000 {
            status.unknown(Timestamp::from_nanos(n), &"x".repeat(5000));
        }
        let json = status.json(false);
        let lines = json["unknown_lines"].as_array().unwrap();
        assert_eq!(lines.len(), UNKNOWN_LINES);
        assert_eq!(lines[0]["at"], 950);
        assert!(lines[0]["line"].as_str().unwrap().len() <= LONGEST_LINE);
    }

    #[test]
    fn what_the_line_sent_steers_no_terminal() {
        let mut status = Status::new();
        status.unknown(Timestamp::from_nanos(1), "A\u{9b}2J\u{1b}é\t");
        assert_eq!(
            status.json(false)["unknown_lines"][0]["line"],
            "A\\u{9b}2J\\u{1b}é\\t"
        );
    }
}
