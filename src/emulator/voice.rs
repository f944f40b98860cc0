//! The modem's voice states: what audio and shielded codes do to it, and how they end.

use super::hybrid::Hybrid;
use super::journal::Happening;
use super::modem::{DLE, ETX, EmulatedModem, State, Streams, Then};
use super::settings::Voice;
use super::stream::{Receive, SilenceDetector, Transmit};
use std::time::Instant;

/// The DTE is taken not to read any more when so many bytes wait for it.
const OVERRUN: usize = 4096;

/// A code of the DTE, what it means depending on the state.
enum Order {
    /// Literal bytes 0x10.
    Literal(usize),
    /// Nothing but a sign of life, or a volume nobody listens to.
    Nothing,
    PlayOut,
    Clear,
    Pause(bool),
    /// The stream ends; what waits to be played is dropped or played.
    End {
        play_out: bool,
    },
    /// Not known in this state.
    Unknown,
}

fn order(code: u8, transmits: bool, receives: bool) -> Order {
    match code {
        DLE => Order::Literal(1),
        0x1a => Order::Literal(2),
        0x00 | b'u' | b'd' | b'/' | b'~' | 0x1c | 0x12 => Order::Nothing,
        ETX if transmits => Order::PlayOut,
        0x18 | b'E' | 0x04 if transmits => Order::Clear,
        b'p' | b'r' if transmits => Order::Pause(code == b'p'),
        b'!' | 0x14 => Order::End { play_out: false },
        b'^' if transmits && receives => Order::End { play_out: true },
        0x1b if receives => Order::End { play_out: true },
        _ => Order::Unknown,
    }
}

impl Streams {
    /// When something is to be done about them.
    pub(super) fn due(&self) -> Option<Instant> {
        let transmit = self.transmit.as_ref().and_then(Transmit::due);
        let receive = self.receive.as_ref().map(Receive::due);
        transmit.into_iter().chain(receive).min()
    }
}

impl EmulatedModem {
    pub(super) fn begin_voice(&mut self, at: Instant, voice: Voice) {
        let format = self.settings.format;
        let silence = (self.profile.detects_silence && self.settings.silence_tenths > 0)
            .then(|| SilenceDetector::new(self.settings.silence_tenths));
        let transmit = voice
            .transmits()
            .then(|| Transmit::new(at, self.profile.transmit_buffer, format));
        let receive = voice
            .receives()
            .then(|| Receive::new(at, self.profile.piece, format, silence));
        let echo = self
            .quirks
            .echo
            .filter(|_| transmit.is_some() && receive.is_some());
        let hybrid = echo.map(|loss_db| Hybrid::new(at, loss_db));
        self.state = State::Voice(Box::new(Streams {
            transmit,
            receive,
            hybrid,
        }));
        self.journal
            .note(at, Happening::VoiceBegins(voice.command()));
    }

    pub(super) fn take_voice_byte(&mut self, now: Instant, byte: u8) {
        let State::Voice(streams) = &mut self.state else {
            return;
        };
        let (transmits, receives) = (streams.transmit.is_some(), streams.receive.is_some());
        let escaped = match (&mut streams.transmit, &mut streams.receive) {
            (Some(transmit), _) => &mut transmit.escaped,
            (None, Some(receive)) => &mut receive.escaped,
            (None, None) => return,
        };
        if !std::mem::replace(escaped, false) {
            if byte == DLE {
                *escaped = true;
            } else {
                self.take_audio(now, byte, 1);
            }
            return;
        }
        match order(byte, transmits, receives) {
            Order::Literal(count) => self.take_audio(now, DLE, count),
            Order::Nothing => {}
            Order::PlayOut => self.with_transmit(|transmit| transmit.ending = true),
            Order::Clear => self.with_transmit(Transmit::clear),
            Order::Pause(paused) => self.with_transmit(|transmit| transmit.pause(paused)),
            Order::End { play_out: true } if transmits => {
                self.with_transmit(|transmit| transmit.ending = true);
            }
            Order::End { .. } => self.end_voice(now),
            Order::Unknown => {
                let what = format!("<DLE> 0x{byte:02x} means nothing here; both bytes are lost");
                self.journal.note(now, Happening::Violation(what));
            }
        }
    }

    /// Takes the bytes up to the next code at once, as far as there is room, if they are audio to be
    /// played; tells how many it took.
    pub(super) fn take_plain_audio(&mut self, bytes: &[u8]) -> usize {
        let works = self.works();
        let State::Voice(streams) = &mut self.state else {
            return 0;
        };
        let transmit = streams.transmit.as_mut();
        let Some(transmit) = transmit.filter(|t| works && !t.escaped && !t.ending) else {
            return 0;
        };
        let audio = bytes.iter().take_while(|byte| **byte != DLE);
        let count = audio.take(transmit.room()).count();
        transmit.extend(&bytes[..count]);
        count
    }

    fn with_transmit(&mut self, change: impl FnOnce(&mut Transmit)) {
        if let State::Voice(streams) = &mut self.state
            && let Some(transmit) = &mut streams.transmit
        {
            change(transmit);
        }
    }

    /// A byte of audio, so many times.
    fn take_audio(&mut self, now: Instant, byte: u8, count: usize) {
        let State::Voice(streams) = &mut self.state else {
            return;
        };
        // In the receive state whatever is no code is ignored.
        let Some(transmit) = &mut streams.transmit else {
            return;
        };
        if transmit.ending {
            if !std::mem::replace(&mut transmit.complained, true) {
                let what = "audio after the end of the stream".to_owned();
                self.journal.note(now, Happening::Violation(what));
            }
            return;
        }
        for _ in 0..count {
            transmit.push(byte);
        }
    }

    /// Lets the audio that is due by `now` go out on the line.
    pub(super) fn let_time_pass(&mut self, now: Instant) {
        if let State::Voice(streams) = &mut self.state
            && let Some(transmit) = &mut streams.transmit
            && let Some(played) = transmit.play(now)
        {
            if let Some(hybrid) = &mut streams.hybrid {
                hybrid.sent(played.at, &played.samples);
            }
            self.journal
                .note_heard(played.at, &played.samples, played.continues);
        }
    }

    /// A piece of the receive stream is complete, or the transmit buffer is empty.
    pub(super) fn streams_due(&mut self, at: Instant) {
        self.let_time_pass(at);
        let State::Voice(streams) = &mut self.state else {
            return;
        };
        if streams.receive.as_ref().is_some_and(|r| r.due() <= at) {
            self.flush_receive(at);
        }
        let State::Voice(streams) = &mut self.state else {
            return;
        };
        let Some(transmit) = &mut streams.transmit else {
            return;
        };
        if transmit.is_over() {
            self.end_voice(at);
        } else if transmit.due().is_some_and(|due| due <= at) && transmit.ran_dry() {
            self.journal.note(at, Happening::Underrun);
            self.send_code(at, b'u');
        }
    }

    /// Sends what was said up to `at`.
    pub(super) fn flush_receive(&mut self, at: Instant) {
        self.let_time_pass(at);
        let backlog = self.output_backlog();
        let State::Voice(streams) = &mut self.state else {
            return;
        };
        let Some(receive) = &mut streams.receive else {
            return;
        };
        let Some(stretch) = receive.take(at) else {
            return;
        };
        if backlog > OVERRUN {
            if !std::mem::replace(&mut receive.overrun, true) {
                self.journal.note(at, Happening::Overrun);
            }
            return;
        }
        let mut samples = Vec::with_capacity(stretch.count as usize);
        if self.quirks.deaf_under_vls1 && self.settings.line_selection == 1 {
            samples.resize(stretch.count as usize, super::sound::SILENCE);
        } else {
            self.line.listen(stretch.from, stretch.count, &mut samples);
            if let Some(hybrid) = &streams.hybrid {
                hybrid.mix(stretch.from, &mut samples);
            }
        }
        let continues = !std::mem::replace(&mut receive.first, false);
        let overrun = std::mem::replace(&mut receive.overrun, false);
        let bytes = receive.shield(&samples, self.quirks.double_dle_as_sub);
        let silence = receive.silence_code(&samples);
        if overrun {
            self.put(&[DLE, b'o']);
            self.journal.note(at, Happening::Code(b'o'));
        }
        self.put(&bytes);
        self.journal.note_said(stretch.from, &samples, continues);
        if let Some(code) = silence {
            self.put(&[DLE, code]);
            self.journal.note(at, Happening::Code(code));
        }
    }

    /// The voice state ends: the rest of what was said, `<DLE><ETX>` where it belongs, then OK.
    pub(super) fn end_voice(&mut self, at: Instant) {
        if !matches!(self.state, State::Voice(_)) {
            return;
        }
        self.flush_receive(at);
        let State::Voice(streams) = std::mem::replace(&mut self.state, State::Executing) else {
            return;
        };
        if streams.receive.is_some() || self.profile.transmit_ends_with_etx {
            self.put(&[DLE, ETX]);
        }
        self.journal.note(at, Happening::VoiceEnds);
        self.reply_after(at, self.quirks.latency, "OK", Then::Command);
    }
}
