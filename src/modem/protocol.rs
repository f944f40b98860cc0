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
use std::time::Instant;

/// Lines of text kept of one reply; `AT&V` prints a dozen.
const LONGEST_REPLY: usize = 64;

/// What the modem said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The line rings: `RING` or `DLE R`.
    Ring,
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

/// The protocol's state.
#[derive(Debug, Default)]
pub struct Protocol {
    wire: Wire,
    pending: Option<Pending>,
    caller_id: CallerIdReader,
    key: Key,
    events: VecDeque<Event>,
}

#[derive(Debug)]
struct Pending {
    command: String,
    expected: Expected,
    lines: Vec<String>,
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

    /// How the modem's bytes are read now.
    pub const fn data_state(&self) -> DataState {
        self.wire.state()
    }

    /// Reads what the modem said.
    pub fn receive(&mut self, mut bytes: &[u8], now: Instant) {
        while let Some(frame) = self.wire.next_frame(&mut bytes) {
            match frame {
                Frame::Line(line) => self.line(&line, now),
                Frame::Code(code) => self.code(code, now),
                Frame::ReportEnd => {
                    let completed = self.caller_id.complete(now);
                    self.completed(completed);
                }
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
            return self.ring(now);
        }
        let Some(pending) = &mut self.pending else {
            return self.unsolicited(text);
        };
        if !pending.command.is_empty() && text.eq_ignore_ascii_case(&pending.command) {
            return;
        }
        let numeric = || match pending.expected {
            Expected::Text => None,
            _ => ResultCode::parse_numeric(&text),
        };
        match ResultCode::parse(&text).or_else(numeric) {
            Some(result) if pending.expected.ends_with(result) => {
                let lines = std::mem::take(&mut pending.lines);
                if let (Expected::Stream(mode), ResultCode::Connect | ResultCode::VoiceConnect) =
                    (pending.expected, result)
                {
                    self.wire.enter(mode.data_state());
                }
                self.pending = None;
                self.events.push_back(Event::Reply(Reply { lines, result }));
            }
            Some(ResultCode::Connect) => pending.lines.push(text),
            Some(_) => self.unsolicited(text),
            None if is_line_news(&text) => self.unsolicited(text),
            None if pending.lines.len() < LONGEST_REPLY => pending.lines.push(text),
            None => {}
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
            b'R' => self.ring(now),
            b'/' => {
                self.key_up();
                self.key.shielded = true;
            }
            b'~' => self.key_up(),
            digit if is_dtmf_digit(digit) => self.digit(char::from(digit)),
            _ => {
                if let Some(code) = LineCode::from_byte(code) {
                    self.events.push_back(Event::Code(code));
                } else {
                    let text = format!("shielded code {code:#04x}");
                    self.events.push_back(Event::Unknown(text));
                }
            }
        }
    }

    fn ring(&mut self, now: Instant) {
        let completed = self.caller_id.complete(now);
        self.completed(completed);
        self.events.push_back(Event::Ring);
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
fn is_ring(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    match text.strip_prefix("RING") {
        Some("") => true,
        Some(rest) => rest.len() == 2 && rest.starts_with(' '),
        None => false,
    }
}

/// Lines that the modem prints of its own accord and that are no reply to anything.
fn is_line_news(text: &str) -> bool {
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
mod tests {
    use super::*;
    use crate::modem::voice::VoiceMode;
    use proptest::prelude::*;

    fn events(protocol: &mut Protocol, bytes: &[u8], now: Instant) -> Vec<Event> {
        protocol.receive(bytes, now);
        std::iter::from_fn(|| protocol.next_event()).collect()
    }

    fn reply(lines: &[&str], result: ResultCode) -> Event {
        Event::Reply(Reply {
            lines: lines.iter().map(|&l| l.into()).collect(),
            result,
        })
    }

    fn call(number: &str, name: Option<&str>) -> Event {
        Event::CallerId {
            id: CallerId {
                number: Some(number.into()),
                name: name.map(Into::into),
                ..CallerId::default()
            },
            revision: false,
        }
    }

    #[test]
    fn replies_with_and_without_echo() {
        let now = Instant::now();
        let mut p = Protocol::new();
        assert_eq!(p.begin(&Command::ask("ATI3")), b"ATI3\r");
        let transcript = b"ATI3\r\r\nCX93001-EIS_V0.2002-V92\r\n\r\nOK\r\n";
        let answer = [reply(&["CX93001-EIS_V0.2002-V92"], ResultCode::Ok)];
        assert_eq!(events(&mut p, transcript, now), answer);
        p.begin(&Command::ask("ATI3"));
        assert_eq!(events(&mut p, &transcript[5..], now), answer);
        p.begin(&Command::ask("AT+FCLASS?"));
        assert_eq!(
            events(&mut p, b"AT+FCLASS?\r\r\n0\r\nOK\r\n", now),
            [reply(&["0"], ResultCode::Ok)]
        );
    }

    #[test]
    fn news_in_the_middle_of_a_reply() {
        let now = Instant::now();
        let mut p = Protocol::new();
        p.begin(&Command::ask("ATI0"));
        let transcript = b"\r\nRING\r\n\r\nDIGITAL LINE DETECTED\r\nATI0\r\r\n56000\r\n\
            \r\nNMBR = 12\r\nNAME = X\r\n\r\nNO CARRIER\r\n\r\nOK\r\n";
        assert_eq!(
            events(&mut p, transcript, now),
            [
                Event::Ring,
                Event::Unknown("DIGITAL LINE DETECTED".into()),
                call("12", Some("X")),
                Event::Code(LineCode::NoCarrier),
                reply(&["56000"], ResultCode::Ok),
            ]
        );
    }

    #[test]
    fn names_that_look_like_something_else() {
        let now = Instant::now();
        for name in [
            "RING",
            "OK",
            "SPRINGFIELD MO",
            "TIMESHARE CO",
            "A = B",
            "NO CARRIER",
        ] {
            let mut p = Protocol::new();
            p.begin(&Command::set("AT"));
            let block = format!("\r\nNMBR = 12\r\nNAME = {name}\r\n");
            assert_eq!(
                events(&mut p, block.as_bytes(), now),
                [call("12", Some(name))]
            );
        }
    }

    #[test]
    fn numeric_results_of_a_stored_profile() {
        let now = Instant::now();
        let mut p = Protocol::new();
        p.begin(&Command::reset());
        assert_eq!(
            events(&mut p, b"ATZ\r0\r", now),
            [reply(&[], ResultCode::Ok)]
        );
    }

    #[test]
    fn connect_begins_the_stream_at_the_next_byte() {
        let now = Instant::now();
        let mut p = Protocol::new();
        p.begin(&Command::stream(VoiceMode::Receive));
        assert_eq!(
            events(
                &mut p,
                b"\r\nCONNECT\r\n\n\x80\x10b\x80\x10\x03\r\nOK\r\n",
                now
            ),
            [
                reply(&[], ResultCode::Connect),
                Event::Audio(vec![b'\n', 0x80]),
                Event::Code(LineCode::Busy),
                Event::Audio(vec![0x80]),
                Event::StreamEnd,
                Event::Unknown("OK".into()),
            ]
        );
    }

    #[test]
    fn keys_repeated_between_shields_are_one_press() {
        let now = Instant::now();
        let mut p = Protocol::new();
        let press = |digit, pressed| Event::Digit { digit, pressed };
        assert_eq!(
            events(&mut p, b"\x10/\x105\x105\x105\x10~\x10/\x105\x10~", now),
            [
                press('5', true),
                press('5', false),
                press('5', true),
                press('5', false)
            ]
        );
        assert_eq!(
            events(&mut p, b"\x10*\x10*", now),
            [
                press('*', true),
                press('*', false),
                press('*', true),
                press('*', false)
            ]
        );
    }

    #[test]
    fn a_ring_completes_caller_id() {
        let now = Instant::now();
        let mut p = Protocol::new();
        assert_eq!(events(&mut p, b"\r\nDATE = 1107\r\nNMBR", now), []);
        assert!(matches!(
            events(&mut p, b" = 12\r\n\r\nRING\r\n", now).as_slice(),
            [
                Event::CallerId {
                    revision: false,
                    ..
                },
                Event::Ring
            ]
        ));
        assert_eq!(events(&mut p, b"\x10R", now), [Event::Ring]);
    }

    #[test]
    fn the_jump_modem_s_form() {
        let now = Instant::now();
        let mut p = Protocol::new();
        let seen = events(
            &mut p,
            b"\x10R\x10X\n\nDATE=0117\nTIME=1452\nNMBR=12\n\x10.\x10XNAME=LATE\n\x10.",
            now,
        );
        assert!(matches!(
            seen.as_slice(),
            [
                Event::Ring,
                Event::CallerId {
                    revision: false,
                    ..
                },
                Event::CallerId {
                    revision: true,
                    id: CallerId { name: Some(_), .. }
                },
            ]
        ));
    }

    /// Replies, calls, noise and streams in one conversation.
    fn conversation() -> impl Strategy<Value = Vec<u8>> {
        let pieces: Vec<&'static [u8]> = vec![
            b"\r\nRING\r\n",
            b"\x10R",
            b"\r\nOK\r\n",
            b"\r\nERROR\r\n",
            b"\r\nCONNECT\r\n",
            b"\r\nNO CARRIER\r\n",
            b"ATZ\r\r\nOK\r\n",
            b"\r\nDATE = 1107\r\nTIME = 1152\r\nNMBR = 2125550147\r\n",
            b"NAME = V\xE4h = RING\r\n",
            b"\x10XNMBR=12\rNAME=OK\r\x10.",
            b"82030B01FF70\r\n",
            b"\x10/\x105\x105\x10~",
            b"\x80\x81\x10\x10\x10\x1a\x10u",
            b"\x10\x03",
            b"DIGITAL LINE DETECTED\r\n",
        ];
        let piece = prop_oneof![
            5 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
            1 => prop::collection::vec(any::<u8>(), 0..8),
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_events(
            bytes in conversation(),
            cut in prop::collection::vec(1..6usize, 1..40),
            command in prop::sample::select(vec![
                Command::reset(),
                Command::ask("ATI3"),
                Command::stream(VoiceMode::Duplex),
                Command::stream(VoiceMode::Transmit),
            ]),
        ) {
            let now = Instant::now();
            let mut whole = Protocol::new();
            whole.begin(&command);
            let mut pieces = Protocol::new();
            pieces.begin(&command);
            let mut rest = bytes.as_slice();
            let mut cut_events = Vec::new();
            for size in cut.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, after) = rest.split_at(rest.len().min(*size));
                rest = after;
                cut_events.extend(events(&mut pieces, piece, now));
            }
            prop_assert_eq!(joined(events(&mut whole, &bytes, now)), joined(cut_events));
        }
    }

    fn joined(events: Vec<Event>) -> Vec<Event> {
        let mut all: Vec<Event> = Vec::new();
        for event in events {
            match (all.last_mut(), event) {
                (Some(Event::Audio(before)), Event::Audio(more)) => before.extend(more),
                (_, event) => all.push(event),
            }
        }
        all
    }
}
