//! What the modem tells the DTE about the line without being asked: rings, caller ID, codes.

use super::caller_id::{CallerId, Form, message_waiting};
use super::chip::Family;
use super::journal::Happening;
use super::line::LineEvent;
use super::modem::{DLE, EmulatedModem, State};
use std::time::Instant;

impl EmulatedModem {
    pub(super) fn line_event(&mut self, at: Instant, event: LineEvent) {
        match event {
            LineEvent::Ring => self.report_ring(at),
            LineEvent::CallerId(caller) => {
                if !self.line.modem_is_off_hook() {
                    self.report_caller_id(at, &caller, false);
                }
            }
            LineEvent::CallWaiting(caller) => self.report_caller_id(at, &caller, true),
            LineEvent::MessageWaiting(count) => {
                if self.settings.caller_id > 0 && self.works() && self.takes_text() {
                    let block = message_waiting(count, self.profile.spaces);
                    let text = String::from_utf8_lossy(&block).trim().to_owned();
                    self.put(&block);
                    self.journal.note(at, Happening::CallerId(text));
                }
            }
            LineEvent::Code(code) => {
                if self.line.modem_is_off_hook() {
                    self.send_code(at, code);
                    if self.quirks.ends_voice_itself && matches!(code, b'b' | b'd' | b'K') {
                        self.end_voice(at);
                    }
                }
            }
            LineEvent::LoopBreak => {
                let reported = self.profile.reports_loop_break || self.settings.ste & 4 != 0;
                if reported && self.line.modem_is_off_hook() {
                    self.send_code(at, b'l');
                }
            }
            LineEvent::HandsetLifted => self.report_handset(at, b'P', b'H'),
            LineEvent::HandsetReplaced => self.report_handset(at, b'p', b'h'),
            LineEvent::FarEndAnswered => self.far_end_answered(at),
            LineEvent::FarEndBusy => self.dialling_failed(at, "BUSY"),
            LineEvent::NoDialTone => self.dialling_failed(at, self.profile.no_dial_tone),
        }
    }

    /// Whether lines of text can be sent: not into a stream or a handshake.
    pub(super) fn takes_text(&self) -> bool {
        matches!(self.state, State::Command | State::Executing)
    }

    /// How a ring is written in the present class.
    pub(super) fn ring(&self) -> Vec<u8> {
        if self.settings.class == "8" {
            vec![DLE, b'R']
        } else {
            self.settings.frame_result("RING", false)
        }
    }

    pub(super) fn report_ring(&mut self, at: Instant) {
        let streaming = self.settings.class == "8" && matches!(self.state, State::Voice(_));
        if self.works() && (streaming || self.takes_text()) {
            let ring = self.ring();
            self.shielded(at, &ring);
            self.journal.note(at, Happening::Ring);
        }
    }

    fn report_caller_id(&mut self, at: Instant, caller: &CallerId, waiting: bool) {
        self.last_caller_id = Some(caller.clone());
        if self.settings.caller_id == 0 || !self.works() {
            return;
        }
        if self.settings.caller_id == 1 && caller.fails_checksum() {
            self.journal
                .note(at, Happening::Fault("caller ID checksum".into()));
            return;
        }
        let voice = self.settings.class == "8";
        let streaming = matches!(self.state, State::Voice(_));
        if !voice && !self.takes_text() {
            return;
        }
        let form = match (voice, streaming) {
            (_, true) => Form::DleX,
            (true, false) => self.profile.voice_caller_id,
            (false, false) => Form::Plain,
        };
        let block = if self.settings.caller_id == 2 && !streaming {
            caller.raw()
        } else {
            caller.block(form, self.profile.spaces)
        };
        if waiting && voice && self.profile.family != Family::Conexant {
            self.send_code(at, b'w');
        }
        self.shielded(at, &block);
        let text: String = block.iter().map(|byte| char::from(*byte)).collect();
        self.journal.note(at, Happening::CallerId(text));
    }

    fn report_handset(&mut self, at: Instant, conexant: u8, others: u8) {
        match self.profile.family {
            Family::Conexant => {
                if self.settings.ste & 2 != 0 && self.line.modem_is_off_hook() {
                    self.send_code(at, conexant);
                }
            }
            _ => self.send_code(at, others),
        }
    }

    /// Sends a DLE-shielded code. Only class 8 has them, and not while it answers or dials.
    pub(super) fn send_code(&mut self, at: Instant, code: u8) {
        let listens = matches!(self.state, State::Voice(_)) || self.takes_text();
        if self.settings.class == "8" && self.works() && listens {
            self.shielded(at, &[DLE, code]);
            self.journal.note(at, Happening::Code(code));
        }
    }

    /// Sends bytes that may stand in the middle of audio: after the audio that was said before them.
    pub(super) fn shielded(&mut self, at: Instant, bytes: &[u8]) {
        self.flush_receive(at);
        self.put(bytes);
    }
}
