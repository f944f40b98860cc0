//! Taking a trace apart, in one pass.
//!
//! What the modem says is cut into lines and shielded codes. Between a command and its final result a
//! line is part of the reply unless it looks like news (a ring, caller ID); after that, and always for
//! shielded codes, it is news. Between `CONNECT` of a voice command and the end of the stream all is
//! the stream's.

use super::{Exchange, Host, HostSaid, News, Piece, Script, Stream, Unasked};
use crate::modem::caller_id::{Field, latin1};
use crate::modem::protocol::{is_line_news, is_ring};
use crate::modem::raw_caller_id;
use crate::modem::wire::{DLE, ETX};
use crate::trace::form::{Direction, MOST_RECORDS, PortChange, Record, What};
use std::time::Duration;

/// The longest line; what is longer is noise, and handed on in pieces.
const LONGEST_LINE: usize = 1024;

pub(super) fn build(records: Vec<Record>) -> Script {
    let mut builder = Builder::default();
    for record in records {
        match record.what {
            What::Bytes(Direction::ToModem, bytes) => builder.host_said(record.at, &bytes),
            What::Bytes(Direction::FromModem, bytes) => builder.modem_said(record.at, &bytes),
            What::Port(change) => builder.port_changed(record.at, change),
        }
    }
    builder.end_token();
    builder.script
}

/// Where the modem's bytes belong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// The last command is done, or there was none.
    #[default]
    Idle,
    /// The last command has no final result yet.
    Replying,
    /// A voice stream; the host has ended it if `ended`.
    Streaming { ended: bool },
    /// After `DLE ETX`: text up to the final result.
    StreamOver,
}

#[derive(Debug, Default)]
struct Builder {
    script: Script,
    host: Host,
    state: State,
    /// When the host ended the stream.
    stream_ended: Duration,
    /// The line or code being read, with the times of its bytes.
    token: Vec<(Duration, u8)>,
    /// A CR has just ended a line; an LF belongs to it.
    after_cr: bool,
    /// Where that line went.
    last: Target,
    after_dle: bool,
    lost: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Target {
    #[default]
    News,
    Reply,
    Body,
    Ending,
}

impl Builder {
    fn host_said(&mut self, at: Duration, bytes: &[u8]) {
        for &byte in bytes {
            match self.host.take(byte) {
                None => {}
                Some(HostSaid::Command(command)) => self.command(at, command),
                Some(HostSaid::StreamEnd) => {
                    self.state = State::Streaming { ended: true };
                    self.stream_ended = at;
                    if self.stream().is_some_and(|stream| !stream.receives) {
                        self.state = State::StreamOver;
                    }
                }
            }
        }
    }

    fn command(&mut self, at: Duration, command: Vec<u8>) {
        if command.is_empty() {
            // A bare line end: what makes sure of the command state after a stream has one.
            if self.state == State::Replying {
                self.end_token();
                self.state = State::Idle;
            }
            return;
        }
        self.end_token();
        self.after_dle = false;
        if self.script.exchanges.len() >= MOST_RECORDS {
            self.state = State::Idle;
            return;
        }
        self.state = State::Replying;
        self.script.exchanges.push(Exchange {
            at,
            command,
            reply: Vec::new(),
            stream: None,
        });
    }

    fn port_changed(&mut self, at: Duration, change: PortChange) {
        if !matches!(
            change,
            PortChange::Opened | PortChange::Closed | PortChange::Lost
        ) {
            return;
        }
        self.end_token();
        match change {
            PortChange::Lost if !std::mem::replace(&mut self.lost, true) => {
                self.news(at, Unasked::Unplugged);
            }
            PortChange::Opened if std::mem::take(&mut self.lost) => {
                self.news(at, Unasked::Plugged);
            }
            _ => {}
        }
        self.host.forget();
        self.state = State::Idle;
    }

    fn news(&mut self, at: Duration, what: Unasked) {
        self.script.news.push(News { at, what });
    }

    fn stream(&mut self) -> Option<&mut Stream> {
        self.script.exchanges.last_mut()?.stream.as_mut()
    }

    fn modem_said(&mut self, at: Duration, bytes: &[u8]) {
        let mut start = 0;
        for (index, &byte) in bytes.iter().enumerate() {
            if let State::Streaming { .. } = self.state {
                if self.streamed(byte) {
                    self.say(self.stream_target(), at, &bytes[start..=index]);
                    start = index + 1;
                    self.state = State::StreamOver;
                }
            } else {
                start = index + 1;
                self.text(at, byte);
            }
        }
        if start < bytes.len() {
            self.say(self.stream_target(), at, &bytes[start..]);
        }
    }

    const fn stream_target(&self) -> Target {
        match self.state {
            State::Streaming { ended: true } => Target::Ending,
            _ => Target::Body,
        }
    }

    /// One byte of a stream; `true` if it ends it.
    fn streamed(&mut self, byte: u8) -> bool {
        if std::mem::take(&mut self.after_dle) {
            if byte != ETX {
                return false;
            }
            if self.state == (State::Streaming { ended: false })
                && let Some(stream) = self.stream()
            {
                stream.ended_by_modem = true;
                self.host.streaming = false;
            }
            return true;
        }
        self.after_dle = byte == DLE;
        false
    }

    /// One byte of text.
    fn text(&mut self, at: Duration, byte: u8) {
        if std::mem::take(&mut self.after_cr) && byte == b'\n' && self.token.is_empty() {
            self.say(self.last, at, b"\n");
            return;
        }
        self.token.push((at, byte));
        if std::mem::take(&mut self.after_dle) {
            self.end_token();
            return;
        }
        let begun = self.token.iter().any(|(_, b)| !matches!(b, b'\r' | b'\n'));
        match byte {
            DLE => {
                // A line that was cut by a code ends here.
                let code = self.token.split_off(self.token.len() - 1);
                self.end_token();
                self.token = code;
                self.after_dle = true;
            }
            b'\r' | b'\n' if begun => {
                self.end_token();
                self.after_cr = byte == b'\r';
            }
            _ if self.token.len() >= LONGEST_LINE => self.end_token(),
            _ => {}
        }
    }

    /// The line or code that was read goes where it belongs.
    fn end_token(&mut self) {
        self.after_cr = false;
        let token = std::mem::take(&mut self.token);
        if token.is_empty() {
            return;
        }
        let bytes: Vec<u8> = token.iter().map(|(_, byte)| *byte).collect();
        let line = latin1(&bytes);
        let line = line.trim();
        let target = self.target(&bytes, line);
        for run in token.chunk_by(|a, b| a.0 == b.0) {
            let bytes: Vec<u8> = run.iter().map(|(_, byte)| *byte).collect();
            self.say(target, run[0].0, &bytes);
        }
        self.last = target;
        self.result(target, line);
    }

    fn target(&self, bytes: &[u8], line: &str) -> Target {
        match self.state {
            State::StreamOver => match self.script.exchanges.last().map(|e| &e.stream) {
                Some(Some(stream)) if stream.ended_by_modem => Target::Body,
                _ => Target::Ending,
            },
            State::Replying if bytes[0] != DLE && !is_news(line) => Target::Reply,
            _ => Target::News,
        }
    }

    /// What a line that was a final result changes.
    fn result(&mut self, target: Target, line: &str) {
        if target == Target::News {
            return;
        }
        let Some(exchange) = self.script.exchanges.last_mut() else {
            return;
        };
        let connected = line == "CONNECT" || line.starts_with("CONNECT ") || line == "VCON";
        if let (Target::Reply, true, Some(receives)) =
            (target, connected, voice_stream(&exchange.command))
        {
            exchange.stream = Some(Stream {
                receives,
                ..Stream::default()
            });
            self.state = State::Streaming { ended: false };
            self.host.streaming = true;
            self.after_dle = false;
        } else if is_final(line) {
            self.state = State::Idle;
        }
    }

    fn say(&mut self, target: Target, at: Duration, bytes: &[u8]) {
        let ended = self.stream_ended;
        let exchange = self.script.exchanges.last_mut();
        let (pieces, since) = match (target, exchange) {
            (Target::Reply, Some(exchange)) => (Some(&mut exchange.reply), exchange.at),
            (Target::Body, Some(exchange)) => {
                let at = exchange.at;
                (exchange.stream.as_mut().map(|stream| &mut stream.body), at)
            }
            (Target::Ending, Some(exchange)) => {
                (exchange.stream.as_mut().map(|s| &mut s.ending), ended)
            }
            (Target::News, _) | (_, None) => (None, at),
        };
        let after = at.saturating_sub(since);
        match (pieces, self.script.news.last_mut()) {
            (Some(pieces), _) => match pieces.last_mut() {
                Some(piece) if piece.after == after => piece.bytes.extend(bytes),
                _ => pieces.push(Piece {
                    after,
                    bytes: bytes.into(),
                }),
            },
            (
                None,
                Some(News {
                    at: then,
                    what: Unasked::Said(said),
                }),
            ) if *then == at => {
                said.extend(bytes);
            }
            (None, _) => self.news(at, Unasked::Said(bytes.into())),
        }
    }
}

/// Whether a command opens a voice stream, and whether audio comes in by it.
fn voice_stream(command: &[u8]) -> Option<bool> {
    let has = |part: &[u8]| command.windows(part.len()).any(|window| window == part);
    if has(b"+VRX") || has(b"+VTR") || has(b"#VRX") {
        Some(true)
    } else if has(b"+VTX") || has(b"#VTX") {
        Some(false)
    } else {
        None
    }
}

/// Lines that may stand between a command and its reply and are no part of it.
fn is_news(line: &str) -> bool {
    let is_caller_id = line
        .split_once('=')
        .is_some_and(|(key, _)| Field::of(&key.trim().to_ascii_uppercase()).is_some());
    is_caller_id || is_ring(line) || is_line_news(line) || raw_caller_id::parse_line(line).is_some()
}

/// A numeric result is not known from an answer that is a number; the next command ends it then.
fn is_final(line: &str) -> bool {
    let finals = [
        "OK",
        "ERROR",
        "VCON",
        "NO CARRIER",
        "NO ANSWER",
        "NO DIALTONE",
        "NO DIAL TONE",
        "BUSY",
    ];
    finals.contains(&line)
}
