//! The emulated modem itself: bytes from the DTE in, bytes to the DTE out, time passed in.

mod state;
mod treatment;

pub(super) use state::{Due, Handshake, HandshakeKind, Reply, State, Streams, Then};

use super::agenda::Agenda;
use super::caller_id::CallerId;
use super::chip::Profile;
use super::fault::{Cure, Fault, Trigger};
use super::journal::{Happening, Journal};
use super::line::Line;
use super::scenario::{Call, FaxResult, Scenario};
use super::settings::{Settings, Stored};
use super::stream::Transmit;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub(super) const DLE: u8 = 0x10;
pub(super) const ETX: u8 = 0x03;

/// Bytes that may be typed ahead while a command is carried out.
const TYPED_AHEAD: usize = 512;
/// Bytes of output kept while the DTE does not read.
const MOST_OUTPUT: usize = 8 * 1024;
/// The longest command line; what is longer is answered with ERROR.
const LONGEST_LINE: usize = 256;
/// What a modem that has stopped still takes.
const WEDGED_BUFFER: usize = 1024;

/// A modem that has stopped.
#[derive(Debug)]
struct Wedged {
    cure: Cure,
    /// What it took since.
    taken: Vec<u8>,
}

/// A modem with a telephone line behind it, without I/O.
///
/// Whoever owns one passes time in: [`receive`](Self::receive) and [`advance`](Self::advance) take
/// the present instant, which never goes back, and [`next_wake`](Self::next_wake) tells when to call
/// again. Bytes for the DTE are taken with [`output`](Self::output) and [`sent`](Self::sent).
#[derive(Debug)]
pub struct EmulatedModem {
    pub(super) profile: &'static Profile,
    pub(super) settings: Settings,
    pub(super) line: Line,
    pub(super) journal: Journal,
    pub(super) state: State,
    pub(super) dues: Agenda<Due>,
    pub(super) faults: Vec<ArmedFault>,
    pub(super) quirks: Quirks,
    pub(super) stored: Stored,
    pub(super) last_caller_id: Option<CallerId>,
    output: VecDeque<u8>,
    typed_ahead: VecDeque<u8>,
    command_line: Vec<u8>,
    /// When the last result code was given.
    last_result: Option<Instant>,
    pub(super) random: fastrand::Rng,
    plugged: bool,
    /// Stopped for good; so many bytes were taken since.
    wedged: Option<Wedged>,
    /// It answers everything with `ERROR` until it is treated so.
    pub(super) confused: Option<Cure>,
    dtr: bool,
    plug_changes: VecDeque<PlugChange>,
    start: Instant,
}

/// The modem was pulled out of its socket or put into one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlugChange {
    /// Gone: the port is dead for good.
    Unplugged,
    /// There is a modem again.
    Plugged {
        /// Under another device name than before.
        other_node: bool,
    },
}

/// Peculiarities of a unit rather than of its chip.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quirks {
    pub(super) deaf_under_vls1: bool,
    pub(super) ends_voice_itself: bool,
    pub(super) double_dle_as_sub: bool,
    /// How much weaker our own audio comes back, in dB.
    pub(super) echo: Option<u8>,
    pub(super) fax_result: FaxResult,
    /// How long a command takes.
    pub(super) latency: Duration,
    deaf_after_result: Duration,
}

/// A fault of the scenario and how often it will still strike; `None` for always.
#[derive(Debug)]
pub(super) struct ArmedFault {
    pub(super) fault: Fault,
    pub(super) left: Option<u32>,
}

impl EmulatedModem {
    /// A modem that has just been plugged in. The same seed gives the same random bytes.
    pub fn new(scenario: Scenario, start: Instant, seed: u64) -> Self {
        let journal = Journal::new(start);
        let profile = scenario.chip.profile();
        let stored = Stored {
            echo: profile.stored_echo,
            results: scenario.stored_results,
        };
        let line = Line::new(&scenario, start, journal.clone());
        let mut modem = Self {
            profile,
            settings: Settings::after_reset(profile, stored),
            line,
            journal,
            state: State::Command,
            dues: Agenda::new(),
            faults: Vec::new(),
            quirks: Quirks {
                deaf_under_vls1: scenario.deaf_under_vls1,
                ends_voice_itself: scenario.ends_voice_itself,
                double_dle_as_sub: scenario.double_dle_as_sub,
                echo: scenario.echo,
                fax_result: scenario.fax_result,
                latency: scenario.latency.unwrap_or(profile.latency),
                deaf_after_result: scenario.deaf_after_result,
            },
            stored,
            last_caller_id: None,
            output: VecDeque::new(),
            typed_ahead: VecDeque::new(),
            command_line: Vec::new(),
            last_result: None,
            random: fastrand::Rng::with_seed(seed),
            plugged: true,
            wedged: None,
            confused: None,
            dtr: true,
            plug_changes: VecDeque::new(),
            start,
        };
        for fault in scenario.faults {
            modem.add_fault(fault);
        }
        modem
    }

    /// Adds a fault. The time of [`Trigger::At`] counts from the modem's beginning.
    pub fn add_fault(&mut self, fault: Fault) {
        let index = self.faults.len();
        if let Trigger::At(after) = fault.when {
            self.dues.add(self.start + after, Due::Fault(index));
        }
        let left = (fault.times > 0).then_some(fault.times);
        self.faults.push(ArmedFault { fault, left });
    }

    /// Begins a call now, whatever its `at` and `after` say.
    pub fn call_now(&mut self, now: Instant, call: Call) {
        self.advance(now);
        self.line.ring_now(now, call);
        self.advance(now);
    }

    /// The journal of this modem.
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Whether it is in its socket.
    pub fn is_plugged(&self) -> bool {
        self.plugged
    }

    /// Whether it is in its socket and has not stopped.
    pub(super) fn works(&self) -> bool {
        self.plugged && self.wedged.is_none()
    }

    /// The oldest change of [`is_plugged`](Self::is_plugged) that was not taken yet.
    pub fn take_plug_change(&mut self) -> Option<PlugChange> {
        self.plug_changes.pop_front()
    }

    /// What is to be sent to the DTE, oldest byte first.
    pub fn output(&mut self) -> &[u8] {
        self.output.make_contiguous()
    }

    /// Tells that so many bytes of [`output`](Self::output) were sent.
    pub fn sent(&mut self, bytes: usize) {
        self.output.drain(..bytes.min(self.output.len()));
    }

    /// Samples that wait in the modem for the line.
    pub fn queued_samples(&self) -> usize {
        match &self.state {
            State::Voice(streams) => streams.transmit.as_ref().map_or(0, Transmit::queued),
            _ => 0,
        }
    }

    /// Whether bytes from the DTE are audio at present.
    pub fn is_transmitting(&self) -> bool {
        matches!(&self.state, State::Voice(streams) if streams.transmit.is_some())
    }

    /// How many bytes it would take now; 0 is back-pressure.
    pub fn room(&self) -> usize {
        if !self.plugged {
            return usize::MAX;
        }
        if let Some(wedged) = &self.wedged {
            return match wedged.cure {
                Cure::SoftReset => TYPED_AHEAD,
                _ => WEDGED_BUFFER.saturating_sub(wedged.taken.len()),
            };
        }
        match &self.state {
            State::Executing => TYPED_AHEAD.saturating_sub(self.typed_ahead.len()),
            State::Voice(streams) => match &streams.transmit {
                Some(transmit) if !transmit.ending => transmit.room(),
                _ => TYPED_AHEAD,
            },
            _ => TYPED_AHEAD,
        }
    }

    /// Takes bytes from the DTE and tells how many it took. What it does not take has to wait: it
    /// exerts back-pressure, and [`next_wake`](Self::next_wake) tells when it will take more.
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        self.advance(now);
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first()
            && self.room() > 0
        {
            let audio = self.take_plain_audio(rest);
            if audio > 0 {
                rest = rest.get(audio..).unwrap_or_default();
            } else {
                self.take_byte(now, *byte);
                rest = after;
            }
        }
        self.advance(now);
        bytes.len() - rest.len()
    }

    /// When a transmit buffer that is full will take more.
    fn more_room_at(&self) -> Option<Instant> {
        match &self.state {
            State::Voice(streams) if self.room() == 0 => {
                streams.transmit.as_ref().map(Transmit::room_at)
            }
            _ => None,
        }
    }

    /// When to call [`advance`](Self::advance) again; never, unless bytes arrive, if `None`.
    pub fn next_wake(&self) -> Option<Instant> {
        let due = self.next_due().into_iter();
        due.chain(self.more_room_at()).min()
    }

    fn next_due(&self) -> Option<Instant> {
        let streams = match &self.state {
            State::Voice(streams) => streams.due(),
            _ => None,
        };
        [self.line.next(), self.dues.next(), streams]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does everything that is due by `now`, each thing at its own instant.
    pub fn advance(&mut self, now: Instant) {
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            if self.line.next() == Some(due) {
                if let Some((at, event)) = self.line.pop(due) {
                    self.let_time_pass(at);
                    if let Some(event) = event {
                        self.line_event(at, event);
                    }
                }
            } else if self.dues.next() == Some(due) {
                if let Some((at, due)) = self.dues.pop(due) {
                    self.let_time_pass(at);
                    self.do_due(at, due);
                }
            } else {
                self.streams_due(due);
            }
        }
        self.let_time_pass(now);
    }

    fn do_due(&mut self, at: Instant, due: Due) {
        match due {
            Due::Reply(reply) => self.give_reply(at, reply),
            Due::Fault(index) => {
                if let Some(armed) = self.faults.get(index) {
                    let kind = armed.fault.does.clone();
                    self.strike(at, &kind);
                }
            }
            Due::Plug { other_node } => self.plug(at, other_node),
        }
    }

    /// Whether it has given a result a moment ago and takes nothing yet.
    fn is_deaf_at(&self, now: Instant) -> bool {
        let deaf = self.quirks.deaf_after_result;
        self.last_result
            .is_some_and(|result| now.saturating_duration_since(result) < deaf)
    }

    fn take_byte(&mut self, now: Instant, byte: u8) {
        if !self.plugged {
            return;
        }
        if let Some(wedged) = &mut self.wedged {
            wedged.taken.push(byte);
            if wedged.cure == Cure::SoftReset && byte == b'\r' {
                let line = std::mem::take(&mut wedged.taken);
                if line.to_ascii_uppercase().ends_with(b"ATZ\r") {
                    self.wedged = None;
                    for byte in b"ATZ\r" {
                        self.take_command_byte(now, *byte);
                    }
                }
            }
            return;
        }
        let deaf = self.is_deaf_at(now);
        match &mut self.state {
            State::Command if deaf => {}
            State::Command => self.take_command_byte(now, byte),
            State::Executing => self.typed_ahead.push_back(byte),
            State::Handshake(handshake) => {
                let handshake = *handshake;
                self.handshake_byte(now, byte, handshake);
            }
            State::Voice(_) => self.take_voice_byte(now, byte),
            State::FaxData { escaped } => {
                let ends = *escaped && byte == ETX;
                *escaped = byte == DLE && !*escaped;
                if ends {
                    self.dues.retain(|due| !matches!(due, Due::Reply(_)));
                    self.reply_after(now, self.quirks.latency, "OK", Then::Command);
                }
            }
            State::Pager => {
                self.state = State::Executing;
                self.reply_after(now, self.quirks.latency, "OK", Then::Command);
            }
        }
    }

    fn take_command_byte(&mut self, now: Instant, byte: u8) {
        if self.settings.echo {
            self.put(&[byte]);
        }
        match byte {
            b'\r' => {
                let line = std::mem::take(&mut self.command_line);
                self.take_command_line(now, &line);
            }
            0x08 => {
                self.command_line.pop();
            }
            // Other control characters are not part of a command line.
            0..=0x1f => {}
            _ if self.command_line.len() <= LONGEST_LINE => self.command_line.push(byte),
            _ => {}
        }
    }

    /// Sends bytes to the DTE. What a DTE that does not read has coming is bounded.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        if self.works() && self.output.len() + bytes.len() <= MOST_OUTPUT {
            self.output.extend(bytes);
        }
    }

    /// Bytes that wait for the DTE.
    pub(super) fn output_backlog(&self) -> usize {
        self.output.len()
    }

    /// Gives an answer later.
    pub(super) fn reply_after(&mut self, now: Instant, after: Duration, result: &str, then: Then) {
        let reply = Reply {
            text: Vec::new(),
            result: result.to_owned(),
            close: false,
            then,
        };
        self.dues.add(now + after, Due::Reply(reply));
    }

    fn give_reply(&mut self, at: Instant, reply: Reply) {
        let framed = self.settings.frame_result(&reply.result, reply.close);
        self.put(&reply.text);
        self.put(&framed);
        if !reply.result.is_empty() {
            self.last_result = Some(at);
            self.journal.note(at, Happening::Reply(reply.result));
        }
        match reply.then {
            Then::Command => self.state = State::Command,
            Then::OnHook => {
                self.go_on_hook(at);
                self.state = State::Command;
            }
            Then::Voice(voice) => self.begin_voice(at, voice),
            Then::FaxData => self.begin_fax_data(at),
            Then::Pager => self.state = State::Pager,
            Then::Continue => return,
        }
        while !matches!(self.state, State::Executing) && self.room() > 0 {
            let Some(byte) = self.typed_ahead.pop_front() else {
                break;
            };
            self.take_byte(at, byte);
        }
    }
}
