//! A trace as a modem: it answers as the modem did, and rings when it rang.
//!
//! What is said unasked (rings, caller ID, unplugging) comes as long after the command before it as it
//! did in the trace; each command that comes in the order of the trace sets that clock anew. A command
//! that the trace has elsewhere is answered as there, and one that it does not have with `ERROR`. Only
//! picking up passes over rings that are due soon: a host may be quicker now than it was then. A voice
//! stream longer than that of the trace goes on in silence, and news wait until it is over.
//!
//! No I/O and no clock: a shell of the [emulator](crate::emulator) puts it on a link. Nothing happens
//! before the first command.

use super::form::Trace;
use super::script::{Exchange, Host, HostSaid, Piece, Script, Unasked};
use crate::audio::SILENCE;
use crate::emulator::{Happening, Journal, LinkedModem, PlugChange};
use crate::modem::caller_id::latin1;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Rings of the next so many seconds are passed over by picking up.
const EARLY: Duration = Duration::from_secs(30);
/// Silence is said in pieces of so many samples.
const SILENT_PIECE: usize = 160;
/// A piece of silence lasts so long.
const SILENT_TIME: Duration = Duration::from_millis(20);
/// Bytes kept while the host does not read.
const MOST_OUTPUT: usize = 64 * 1024;

/// Which part of an exchange is being said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Reply,
    Body,
    Ending,
    /// The stream goes on, and the trace does not.
    Silence,
}

/// What is being said.
#[derive(Clone, Copy, Debug)]
struct Speech {
    exchange: usize,
    part: Part,
    /// The next piece of it.
    piece: usize,
    /// Pieces are due after this.
    since: Instant,
}

/// A modem that does what one did in a trace.
#[derive(Debug)]
pub struct Replay {
    script: Script,
    journal: Journal,
    host: Host,
    /// An instant, and what time of the trace it is; nothing happens before the first command.
    clock: Option<(Instant, Duration)>,
    /// The exchange whose command comes next, if all goes as it went.
    next_exchange: usize,
    next_news: usize,
    speech: Option<Speech>,
    /// The exchange whose stream is open.
    stream: Option<usize>,
    output: VecDeque<u8>,
    plugged: bool,
    plug_changes: VecDeque<PlugChange>,
}

impl Replay {
    /// A modem that has just been plugged in.
    pub fn new(trace: Trace, now: Instant) -> Self {
        Self {
            script: Script::of(trace),
            journal: Journal::new(now),
            host: Host::default(),
            clock: None,
            next_exchange: 0,
            next_news: 0,
            speech: None,
            stream: None,
            output: VecDeque::new(),
            plugged: true,
            plug_changes: VecDeque::new(),
        }
    }

    /// Whether all that happened unasked has happened.
    pub fn is_over(&self) -> bool {
        self.next_news == self.script.news.len()
    }

    fn command(&mut self, now: Instant, command: &[u8]) {
        if command.is_empty() {
            return;
        }
        self.journal.note(now, Happening::Command(latin1(command)));
        let time = self.trace_time(now);
        let found = if let Some(index) = self.in_order(command, time) {
            let at = self.script.exchanges[index].at;
            self.clock = Some((now, at));
            self.next_exchange = index + 1;
            while self.news_at().is_some_and(|news| news <= at) {
                self.next_news += 1;
            }
            Some(index)
        } else {
            self.clock.get_or_insert((now, Duration::ZERO));
            self.elsewhere(command)
        };
        self.speech = found.map(|exchange| Speech {
            exchange,
            part: Part::Reply,
            piece: 0,
            since: now,
        });
        match (found, command) {
            (Some(_), _) => {}
            (None, b"AT") => self.put(b"\r\nOK\r\n"),
            (None, _) => {
                self.put(b"\r\nERROR\r\n");
                let result = "ERROR, for the trace has no such command".into();
                self.journal.note(now, Happening::Reply(result));
            }
        }
    }

    fn trace_time(&self, now: Instant) -> Duration {
        self.clock.map_or(Duration::ZERO, |(instant, time)| {
            time + now.saturating_duration_since(instant)
        })
    }

    fn news_at(&self) -> Option<Duration> {
        self.script.news.get(self.next_news).map(|news| news.at)
    }

    /// The next exchange with this command that can be gone on to without passing over news.
    fn in_order(&self, command: &[u8], time: Duration) -> Option<usize> {
        let ahead = &self.script.news[self.next_news..];
        let barrier = if picks_up(command) {
            let stays = |news: &&super::script::News| {
                news.at > time + EARLY || !matches!(news.what, Unasked::Said(_))
            };
            ahead.iter().find(stays)
        } else {
            ahead.first()
        };
        let upto = barrier.map_or(Duration::MAX, |news| news.at);
        let mut ahead = self
            .script
            .exchanges
            .iter()
            .enumerate()
            .skip(self.next_exchange);
        ahead
            .find(|(_, exchange)| exchange.at > upto || exchange.command == command)
            .filter(|(_, exchange)| exchange.at <= upto)
            .map(|(index, _)| index)
    }

    /// The nearest exchange with this command, those before first.
    fn elsewhere(&self, command: &[u8]) -> Option<usize> {
        let same = |exchange: &Exchange| exchange.command == command && !exchange.reply.is_empty();
        let (before, after) = self.script.exchanges.split_at(self.next_exchange);
        let after = || Some(self.next_exchange + after.iter().position(same)?);
        before.iter().rposition(same).or_else(after)
    }

    /// The host ended the stream.
    fn end_stream(&mut self, now: Instant) {
        self.host.streaming = false;
        let Some(exchange) = self.stream.take() else {
            return;
        };
        self.journal.note(now, Happening::VoiceEnds);
        self.speech = Some(Speech {
            exchange,
            part: Part::Ending,
            piece: 0,
            since: now,
        });
        if self.pieces(exchange, Part::Ending).is_empty() {
            self.speech = None;
            self.put(b"\x10\x03\r\nOK\r\n");
        }
        self.let_news_wait(now);
    }

    /// What should have been said during the stream is said now, at the distances it had.
    fn let_news_wait(&mut self, now: Instant) {
        if let Some(at) = self.news_at().filter(|at| *at < self.trace_time(now)) {
            self.clock = Some((now, at));
        }
    }

    fn pieces(&self, exchange: usize, part: Part) -> &[Piece] {
        let exchange = &self.script.exchanges[exchange];
        match (part, &exchange.stream) {
            (Part::Reply, _) => &exchange.reply,
            (Part::Body, Some(stream)) => &stream.body,
            (Part::Ending, Some(stream)) => &stream.ending,
            _ => &[],
        }
    }

    /// When the next piece of the speech is due.
    fn speech_due(&self) -> Option<Instant> {
        let speech = self.speech?;
        if speech.part == Part::Silence {
            return Some(speech.since + SILENT_TIME);
        }
        let pieces = self.pieces(speech.exchange, speech.part);
        pieces
            .get(speech.piece)
            .map(|piece| speech.since + piece.after)
    }

    /// When the next news is due; during a stream only a plug is.
    fn news_due(&self) -> Option<Instant> {
        let (instant, time) = self.clock?;
        let news = self.script.news.get(self.next_news)?;
        if self.stream.is_some() && matches!(news.what, Unasked::Said(_)) {
            return None;
        }
        Some(instant + news.at.saturating_sub(time))
    }

    fn say_piece(&mut self, now: Instant) {
        let Some(speech) = &mut self.speech else {
            return;
        };
        if speech.part == Part::Silence {
            speech.since += SILENT_TIME;
            self.put(&[SILENCE; SILENT_PIECE]);
            return;
        }
        let (exchange, part, index) = (speech.exchange, speech.part, speech.piece);
        speech.piece += 1;
        let piece = self.pieces(exchange, part).get(index);
        let bytes = piece.map_or_else(Vec::new, |piece| piece.bytes.clone());
        self.put(&bytes);
        self.go_on(now);
    }

    /// After the last piece of a part comes the next part.
    fn go_on(&mut self, now: Instant) {
        let Some(speech) = self.speech else {
            return;
        };
        if speech.piece < self.pieces(speech.exchange, speech.part).len() {
            return;
        }
        let stream = self.script.exchanges[speech.exchange].stream.as_ref();
        let next = match (speech.part, stream) {
            (Part::Reply, Some(_)) => {
                self.stream = Some(speech.exchange);
                self.journal.note(now, Happening::VoiceBegins("stream"));
                self.host.streaming = true;
                Some((Part::Body, speech.since))
            }
            (Part::Body, Some(stream)) if stream.ended_by_modem => {
                self.stream = None;
                self.host.streaming = false;
                self.journal.note(now, Happening::VoiceEnds);
                self.let_news_wait(now);
                None
            }
            (Part::Body, Some(stream)) if stream.receives => Some((Part::Silence, now)),
            _ => None,
        };
        self.speech = next.map(|(part, since)| Speech {
            part,
            piece: 0,
            since,
            ..speech
        });
        if matches!(next, Some((Part::Body, _))) {
            self.go_on(now);
        }
    }

    fn happen(&mut self, now: Instant) {
        let Some(news) = self.script.news.get(self.next_news) else {
            return;
        };
        self.next_news += 1;
        let at = news.at;
        match &news.what {
            Unasked::Said(bytes) => {
                let bytes = bytes.clone();
                self.journal.note(now, Happening::Said(latin1(&bytes)));
                self.put(&bytes);
            }
            Unasked::Unplugged => self.pull_out(now),
            Unasked::Plugged => {
                self.journal.note(now, Happening::Plugged);
                self.plugged = true;
                let other_node = false;
                self.plug_changes
                    .push_back(PlugChange::Plugged { other_node });
            }
        }
        // Commands before it are in the past.
        let exchanges = &self.script.exchanges;
        self.next_exchange = self
            .next_exchange
            .max(exchanges.partition_point(|e| e.at < at));
    }

    fn pull_out(&mut self, now: Instant) {
        self.speech = None;
        self.stream = None;
        self.host.forget();
        self.output.clear();
        if std::mem::take(&mut self.plugged) {
            self.journal.note(now, Happening::Unplugged);
            self.plug_changes.push_back(PlugChange::Unplugged);
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.plugged && self.output.len() + bytes.len() <= MOST_OUTPUT {
            self.output.extend(bytes);
        }
    }
}

/// Commands after which a modem does not ring.
fn picks_up(command: &[u8]) -> bool {
    let has = |part: &[u8]| command.windows(part.len()).any(|window| window == part);
    command == b"ATA" || command == b"ATH1" || command.starts_with(b"ATD") || {
        let voice: [&[u8]; 5] = [b"+VLS=1", b"+VLS=5", b"+VRX", b"+VTX", b"+VTR"];
        voice.into_iter().any(has)
    }
}

impl LinkedModem for Replay {
    fn advance(&mut self, now: Instant) {
        loop {
            let (speech, news) = (self.speech_due(), self.news_due());
            match (speech, news) {
                (Some(due), news) if due <= now && news.is_none_or(|news| due <= news) => {
                    self.say_piece(due);
                }
                (_, Some(due)) if due <= now => self.happen(due),
                _ => return,
            }
        }
    }

    fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        self.advance(now);
        for &byte in bytes {
            match self.host.take(byte) {
                None => {}
                Some(HostSaid::Command(command)) => self.command(now, &command),
                Some(HostSaid::StreamEnd) => self.end_stream(now),
            }
        }
        self.advance(now);
        bytes.len()
    }

    fn room(&self) -> usize {
        usize::MAX
    }

    fn output(&mut self) -> &[u8] {
        self.output.make_contiguous()
    }

    fn sent(&mut self, bytes: usize) {
        self.output.drain(..bytes.min(self.output.len()));
    }

    fn next_wake(&self) -> Option<Instant> {
        [self.speech_due(), self.news_due()]
            .into_iter()
            .flatten()
            .min()
    }

    fn is_plugged(&self) -> bool {
        self.plugged
    }

    fn take_plug_change(&mut self) -> Option<PlugChange> {
        self.plug_changes.pop_front()
    }

    fn unplug(&mut self, now: Instant) {
        self.pull_out(now);
    }

    fn journal(&self) -> Journal {
        self.journal.clone()
    }
}

#[cfg(test)]
mod tests;
