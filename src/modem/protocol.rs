//! The protocol of a voice modem, without I/O and without a clock.
//!
//! Bytes in, [`Event`]s out; a [`Command`] in, bytes out. Unsolicited lines (RING, caller ID, line
//! news) are told from replies wherever they stand, echoes are dropped, and the events are the same
//! however the bytes were cut. Time comes in as [`Instant`]s, and only caller ID depends on it.

use super::caller_id::{CallerId, CallerIdReader, Completed, LineWas, MessageWaiting, latin1};
use super::command::{Command, Expected, Reply, ResultCode};
use super::line_code::{LineCode, is_dtmf_digit};
use super::wire::{DLE, DataState, Frame, Wire};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// `RING` and `ERROR` with `ATV0`.
const NUMERIC_RING: &str = "2";
const NUMERIC_ERROR: &str = "4";

/// Lines of text kept of one reply; `AT&V` prints a dozen.
const LONGEST_REPLY: usize = 64;

/// A modem that stops in the middle of a line, or after a DLE, for so long has given it up, or it was
/// noise: what follows is unrelated, however the bytes are cut.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the modem said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The line rings.
    Ring(RingForm),
    /// Caller ID, complete.
    CallerId {
        /// The block.
        id: CallerId,
        /// It adds to the block given before and is not another call's.
        revision: bool,
    },
    /// The message-waiting indicator changed.
    MessageWaiting(MessageWaiting),
    /// A code about the line.
    Code(LineCode),
    /// A DTMF key went down or came up. A modem that reports whole key presses gives both at once.
    Digit {
        /// `0`–`9`, `A`–`D`, `*`, `#`.
        digit: char,
        /// Down, not up.
        pressed: bool,
    },
    /// Audio from the line: 8-bit unsigned samples.
    Audio(Vec<u8>),
    /// The modem ended the stream (`DLE ETX`).
    StreamEnd,
    /// The answer to the pending command.
    Reply(Reply),
    /// A line that means nothing here, decoded as Latin-1.
    Unknown(String),
}

/// How the modem reports a ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RingForm {
    /// `RING`.
    Text,
    /// `2`, in numeric form (`ATV0`).
    Numeric,
    /// `DLE R`, the way of the voice class.
    Shielded,
}

/// The protocol's state.
#[derive(Debug, Default)]
pub struct Protocol {
    wire: Wire,
    pending: Option<Pending>,
    caller_id: CallerIdReader,
    key: Key,
    /// The modem gave its last result as a number.
    numeric: bool,
    /// When the modem said something last.
    heard: Option<Instant>,
    events: VecDeque<Event>,
}

#[derive(Debug)]
struct Pending {
    command: String,
    expected: Expected,
    lines: Vec<String>,
}

impl Pending {
    /// Keeps a line of the reply, unless it has more than any reply has.
    fn keep(&mut self, line: String) {
        if self.lines.len() < LONGEST_REPLY {
            self.lines.push(line);
        }
    }
}

/// The key being reported: between `DLE /` and `DLE ~` a digit is repeated every 70 ms.
#[derive(Debug, Default)]
struct Key {
    shielded: bool,
    down: Option<char>,
}

impl Protocol {
    /// Nothing sent, nothing received.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `command` the pending one and gives the bytes to send.
    pub fn begin(&mut self, command: &Command) -> Vec<u8> {
        self.expect(&command.text, command.expected);
        let mut bytes = command.text.clone().into_bytes();
        bytes.push(b'\r');
        bytes
    }

    /// From now on the modem's word on the end of a stream is the pending reply.
    pub fn expect_stream_over(&mut self) {
        self.expect("", Expected::StreamOver);
    }

    fn expect(&mut self, command: &str, expected: Expected) {
        self.pending = Some(Pending {
            command: command.to_owned(),
            expected,
            lines: Vec::new(),
        });
    }

    /// The pending command is given up: its answer, should it come, is unknown text.
    pub fn abandon(&mut self) {
        self.pending = None;
    }

    /// The modem is in the command state, whatever was thought before.
    pub fn assume_command_state(&mut self) {
        self.wire.enter(DataState::Command);
        self.key = Key::default();
    }

    /// Whether the modem gave its last result as a number (`ATV0`).
    pub const fn answers_in_numbers(&self) -> bool {
        self.numeric
    }

    /// How the modem's bytes are read now.
    pub const fn data_state(&self) -> DataState {
        self.wire.state()
    }

    /// Reads what the modem said.
    pub fn receive(&mut self, mut bytes: &[u8], now: Instant) {
        let stale = |heard| now.duration_since(heard) >= LONGEST_PAUSE;
        if self.heard.replace(now).is_some_and(stale)
            && let Some(line) = self.wire.give_up_unfinished()
        {
            // Half a number is no number, and must not become that of the next call.
            let text = format!("unfinished: {}", latin1(&line));
            self.events.push_back(Event::Unknown(text));
        }
        while let Some(frame) = self.wire.next_frame(&mut bytes) {
            match frame {
                Frame::Line(line) => self.line(&line, now),
                Frame::Code(code) => self.code(code, now),
                // The "Jump" modem sends the name in a report of its own: only what completes a block
                // elsewhere completes it here.
                Frame::ReportEnd => {}
                Frame::Audio(audio) => self.events.push_back(Event::Audio(audio)),
                Frame::StreamEnd => {
                    self.key_up();
                    self.events.push_back(Event::StreamEnd);
                }
            }
        }
    }

    /// The next event, oldest first.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Protocol::time_passed`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.caller_id.deadline()
    }

    /// Completes what silence completes.
    pub fn time_passed(&mut self, now: Instant) {
        let completed = self.caller_id.quiet(now);
        self.completed(completed);
    }

    fn line(&mut self, line: &[u8], now: Instant) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        match self.caller_id.line(line, now) {
            LineWas::Part(completed) => return self.completed(completed),
            LineWas::Damaged(error) => {
                let text = format!("{error}: {}", latin1(line));
                return self.events.push_back(Event::Unknown(text));
            }
            LineWas::SomethingElse => {}
        }
        let text = latin1(line);
        if is_ring(&text) {
            return self.ring(RingForm::Text, now);
        }
        // Only a modem that reset itself says so; an answer that is a number has its question.
        let asked = self.pending.as_ref().map(|pending| pending.expected);
        let numeric_form = !self.wire.line_was_framed();
        if text == NUMERIC_RING && numeric_form && asked != Some(Expected::Text) {
            return self.ring(RingForm::Numeric, now);
        }
        let Some(pending) = &mut self.pending else {
            return self.unsolicited(text);
        };
        if !pending.command.is_empty() && text.eq_ignore_ascii_case(&pending.command) {
            return;
        }
        let numeric = || match pending.expected {
            // A line of text may be a number; the result comes after it, or there is only an error.
            Expected::Text if !self.numeric => None,
            Expected::Text if pending.lines.is_empty() && text != NUMERIC_ERROR => None,
            _ => ResultCode::parse_numeric(&text),
        };
        let in_words = ResultCode::parse(&text);
        match in_words.or_else(numeric) {
            Some(result) if pending.expected.ends_with(result) => {
                let lines = std::mem::take(&mut pending.lines);
                if let (Expected::Stream(mode), ResultCode::Connect | ResultCode::VoiceConnect) =
                    (pending.expected, result)
                {
                    self.wire.enter(mode.data_state());
                }
                self.pending = None;
                self.numeric = in_words.is_none();
                self.events.push_back(Event::Reply(Reply {
                    lines,
                    result,
                    numeric: self.numeric,
                }));
            }
            Some(ResultCode::Connect) => pending.keep(text),
            Some(_) => self.unsolicited(text),
            None if is_line_news(&text) => self.unsolicited(text),
            None => pending.keep(text),
        }
    }

    fn unsolicited(&mut self, text: String) {
        self.events.push_back(match ResultCode::parse(&text) {
            Some(ResultCode::NoCarrier | ResultCode::Busy | ResultCode::NoAnswer) => {
                Event::Code(LineCode::NoCarrier)
            }
            _ => Event::Unknown(text),
        });
    }

    fn code(&mut self, code: u8, now: Instant) {
        match code {
            b'R' => self.ring(RingForm::Shielded, now),
            b'/' => {
                self.key_up();
                self.key.shielded = true;
            }
            b'~' => self.key_up(),
            digit if is_dtmf_digit(digit) => self.digit(char::from(digit)),
            _ => {
                if let Some(code) = LineCode::from_byte(code) {
                    if code.is_handset() {
                        // Whoever is talked to from now on was announced before.
                        let completed = self.caller_id.complete(now);
                        self.completed(completed);
                    }
                    self.events.push_back(Event::Code(code));
                } else {
                    let text = format!("shielded code {code:#04x}");
                    self.events.push_back(Event::Unknown(text));
                }
            }
        }
    }

    fn ring(&mut self, form: RingForm, now: Instant) {
        let completed = self.caller_id.complete(now);
        self.completed(completed);
        self.events.push_back(Event::Ring(form));
    }

    fn completed(&mut self, completed: Option<Completed>) {
        self.events
            .extend(completed.map(|completed| match completed {
                Completed::Call { id, revision } => Event::CallerId { id, revision },
                Completed::MessageWaiting(waiting) => Event::MessageWaiting(waiting),
            }));
    }

    fn digit(&mut self, digit: char) {
        if self.key.down == Some(digit) {
            return;
        }
        let shielded = self.key.shielded;
        self.key_up();
        self.key = Key {
            shielded,
            down: Some(digit),
        };
        self.events.push_back(Event::Digit {
            digit,
            pressed: true,
        });
        if !shielded {
            self.key_up();
        }
    }

    fn key_up(&mut self) {
        if let Some(digit) = std::mem::take(&mut self.key).down {
            self.events.push_back(Event::Digit {
                digit,
                pressed: false,
            });
        }
    }
}

/// `RING`, and what distinctive ring makes of it: `RING A`, `RING 1`.
pub(crate) fn is_ring(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    match text.strip_prefix("RING") {
        Some("") => true,
        Some(rest) => rest.len() == 2 && rest.starts_with(' '),
        None => false,
    }
}

/// Lines that the modem prints of its own accord and that are no reply to anything.
pub(crate) fn is_line_news(text: &str) -> bool {
    let news = [
        "DIGITAL LINE DETECTED",
        "CALL WAITING DETECTED",
        "LINE REVERSAL DETECTED",
        "OFF-HOOK INTRUSION",
        "NO LINE",
    ];
    let cadence = ["DRON", "DROF", "CPON", "CPOF", "CWON", "CWOF", "ERRM"];
    news.contains(&text)
        || text
            .split_once('=')
            .is_some_and(|(key, _)| cadence.contains(&key.trim_end()))
}

/// The bytes that end whatever stream a modem may be in, each harmless where it does not apply: the
/// end of transmit at once, the end of receive, the end of duplex, the end of a line.
pub const LEAVE_ANY_STREAM: &[u8] = &[
    0,
    DLE,
    super::wire::CAN,
    DLE,
    super::wire::ETX,
    DLE,
    b'!',
    DLE,
    b'^',
    b'\r',
];

#[cfg(test)]
mod tests;
