//! What commands do to the line: hook, answering, dialling, voice.

use super::chip::Family;
use super::command::{Argument, Command};
use super::fault::Trigger;
use super::interpreter::Outcome;
use super::journal::Happening;
use super::line::Line;
use super::modem::{Due, EmulatedModem, Handshake, HandshakeKind, Reply, State, Then};
use super::scenario::FaxResult;
use super::settings::Voice;
use std::time::{Duration, Instant};

/// Fax answer tone, then the preamble, then CONNECT (class 1).
const CED: Duration = Duration::from_millis(3300);
const FAX_PREAMBLE: Duration = Duration::from_secs(1);
/// A class 1 modem gives up waiting for a frame from the DTE.
const FAX_DATA_TIMEOUT: Duration = Duration::from_secs(5);
/// A class 2 modem gives up waiting for the other fax (T1).
const FAX_T1: Duration = Duration::from_secs(35);
/// S7: waiting for a carrier, or for somebody to answer.
const CARRIER_TIMEOUT: Duration = Duration::from_secs(50);
/// A line feed after the carriage return of a command does not abort it.
const LINE_FEED_GRACE: Duration = Duration::from_millis(100);

impl EmulatedModem {
    pub(super) fn go_off_hook(&mut self, now: Instant) {
        if self.line.modem_is_off_hook() {
            return;
        }
        self.journal.note(now, Happening::OffHook);
        self.line.off_hook(now);
        for (index, armed) in self.faults.iter().enumerate() {
            if let Trigger::AfterPickUp(after) = armed.fault.when {
                self.dues.add(now + after, Due::Fault(index));
            }
        }
    }

    pub(super) fn go_on_hook(&mut self, now: Instant) {
        self.settings.line_selection = 0;
        if self.line.modem_is_off_hook() {
            self.journal.note(now, Happening::OnHook);
            self.line.on_hook(now);
        }
    }

    /// `ATA`
    pub(super) fn answer(&mut self, now: Instant) -> Outcome {
        self.go_off_hook(now);
        let class = self.settings.class.clone();
        match class.as_str() {
            "8" => Outcome::Ok,
            "1" | "1.0" => {
                self.journal.note(now, Happening::FaxAnswer);
                self.reply_after(now, CED + FAX_PREAMBLE, "CONNECT", Then::FaxData);
                self.begin_handshake(now, HandshakeKind::FaxClass1)
            }
            "0" => {
                self.reply_after(now, CARRIER_TIMEOUT, "NO CARRIER", Then::OnHook);
                self.begin_handshake(now, HandshakeKind::DataAnswer)
            }
            _ => {
                self.journal.note(now, Happening::FaxAnswer);
                self.answer_class_2(now, class == "2");
                self.begin_handshake(now, HandshakeKind::FaxClass2)
            }
        }
    }

    /// The reports of a class 2 (or 2.0) answer, all to come.
    fn answer_class_2(&mut self, now: Instant, old_spelling: bool) {
        let words = if old_spelling {
            [
                "+FCON",
                "+FTSI: \"+1 505 503 4455\"",
                "+FDCS: 0,5,0,2,0,0,0,0",
                "+FHNG:11",
            ]
        } else {
            [
                "+FCO",
                "+FTI:\"+1 505 503 4455\"",
                "+FCS:0,5,0,2,0,0,0,0",
                "+FHS:11",
            ]
        };
        let report = |text: &str, result: &str, then| {
            Due::Reply(Reply {
                text: format!("\r\n{text}\r\n").into_bytes(),
                result: result.to_owned(),
                close: false,
                then,
            })
        };
        let preamble = now + CED + FAX_PREAMBLE;
        let second = Duration::from_secs(1);
        if self.line.is_fax() {
            self.dues
                .add(preamble, report(words[0], "", Then::Continue));
            self.dues
                .add(preamble + second, report(words[1], "", Then::Continue));
            self.dues
                .add(preamble + second * 3, report(words[2], "OK", Then::Command));
        } else {
            self.dues
                .add(now + FAX_T1, report(words[3], "OK", Then::OnHook));
        }
    }

    pub(super) fn begin_fax_data(&mut self, at: Instant) {
        self.state = State::FaxData { escaped: false };
        let (result, then) = match self.quirks.fax_result {
            FaxResult::Ok => ("OK", Then::Command),
            FaxResult::Error => ("ERROR", Then::Command),
            FaxResult::NoCarrier => ("NO CARRIER", Then::OnHook),
        };
        self.reply_after(at, FAX_DATA_TIMEOUT, result, then);
    }

    /// `ATD`
    pub(super) fn dial(&mut self, now: Instant, number: &str) -> Outcome {
        if self.line.handset_is_off_hook() && self.settings.ste & 1 != 0 {
            return Outcome::Result("LINE IN USE");
        }
        let digits = number
            .bytes()
            .filter(|b| super::sound::dtmf(b.to_ascii_uppercase()).is_some())
            .count();
        self.go_off_hook(now);
        self.line.dial(now, digits);
        let dialling = Line::dialling_time(digits);
        let voice = self.settings.class == "8";
        if number.trim_end().ends_with(';') {
            self.reply_after(now, dialling, "OK", Then::Command);
        } else {
            let result = if voice { "NO ANSWER" } else { "NO CARRIER" };
            self.reply_after(now, dialling + CARRIER_TIMEOUT, result, Then::OnHook);
        }
        self.begin_handshake(now, HandshakeKind::Dial { voice })
    }

    pub(super) fn far_end_answered(&mut self, at: Instant) {
        let State::Handshake(handshake) = &self.state else {
            return;
        };
        // A data call goes on waiting for a carrier that never comes.
        if handshake.kind == (HandshakeKind::Dial { voice: true }) {
            self.dues.retain(|due| !matches!(due, Due::Reply(_)));
            let after = self.settings.ringback_gone_away();
            self.reply_after(at, after, "OK", Then::Command);
        }
    }

    pub(super) fn dialling_failed(&mut self, at: Instant, result: &str) {
        if matches!(&self.state, State::Handshake(h) if matches!(h.kind, HandshakeKind::Dial { .. }))
        {
            self.dues.retain(|due| !matches!(due, Due::Reply(_)));
            self.reply_after(at, self.quirks.latency, result, Then::OnHook);
        }
    }

    /// Any character aborts an answer or a dialling.
    pub(super) fn handshake_byte(&mut self, now: Instant, byte: u8, handshake: Handshake) {
        let since = now.saturating_duration_since(handshake.since);
        if byte == b'\n' && since < LINE_FEED_GRACE {
            return;
        }
        self.dues.retain(|due| !matches!(due, Due::Reply(_)));
        let what = format!("byte 0x{byte:02x} aborts {:?}", handshake.kind);
        self.journal.note(now, Happening::Violation(what));
        self.state = State::Executing;
        let after = self.quirks.latency;
        match handshake.kind {
            HandshakeKind::FaxClass2 => {
                let old = self.settings.class == "2";
                let text = if old {
                    "\r\n+FHNG:2\r\n"
                } else {
                    "\r\n+FHS:2\r\n"
                };
                let reply = Reply {
                    text: text.into(),
                    result: "OK".into(),
                    close: false,
                    then: Then::OnHook,
                };
                self.dues.add(now + after, Due::Reply(reply));
            }
            _ => self.reply_after(now, after, "NO CARRIER", Then::OnHook),
        }
    }

    /// The `+V` commands of class 8.
    pub(super) fn voice_command(&mut self, now: Instant, command: &Command) -> Outcome {
        match (command.name.as_str(), &command.argument) {
            ("+VSM", _) => self.compression_command(command),
            ("+VLS", _) => self.line_selection(now, command),
            ("+VTX", Argument::None) => self.connect(Voice::Transmit),
            ("+VRX", Argument::None) => self.connect(Voice::Receive),
            ("+VTR", Argument::None) => self.connect(Voice::Duplex),
            ("+VTS", Argument::Value(tones)) => self.play_tones(now, tones),
            ("+VSD", _) => self.silence_detection(command),
            ("+VIP", Argument::None) => Outcome::Ok,
            ("+VBQ", Argument::Query) => Outcome::Text(self.profile.transmit_buffer.to_string()),
            (
                "+VGR" | "+VGT" | "+VIT" | "+VNH" | "+VRA" | "+VRN" | "+VTD" | "+VEM" | "+VBT"
                | "+VDT" | "+VPR" | "+VGM" | "+VGS",
                _,
            ) => self.remember(command),
            _ => Outcome::Error,
        }
    }

    fn line_selection(&mut self, now: Instant, command: &Command) -> Outcome {
        match &command.argument {
            Argument::Query => Outcome::Text(self.settings.line_selection.to_string()),
            Argument::Test => {
                let known = self.profile.line_selections.iter().map(u8::to_string);
                Outcome::Text(known.collect::<Vec<_>>().join(","))
            }
            Argument::Value(value) => {
                let selection = value.parse::<u8>().ok();
                let known = selection.filter(|n| self.profile.line_selections.contains(n));
                let Some(selection) = known else {
                    return Outcome::Error;
                };
                if !self.profile.seizing.contains(&selection) {
                    self.go_on_hook(now);
                } else if !self.profile.ignores_vls {
                    self.go_off_hook(now);
                }
                self.settings.line_selection = selection;
                // With the handset lifted, these modems say so again at every change.
                if self.line.handset_is_off_hook() && self.profile.family != Family::Conexant {
                    self.send_code(now, b'H');
                }
                Outcome::Ok
            }
            Argument::None => Outcome::Error,
        }
    }

    fn connect(&self, voice: Voice) -> Outcome {
        let believes_off_hook = self.profile.ignores_vls && self.settings.line_selection > 0;
        if self.line.modem_is_off_hook() || believes_off_hook {
            Outcome::Connect(voice)
        } else {
            Outcome::Error
        }
    }

    /// `+VSD=level,tenths`. A Conexant takes it and does nothing.
    fn silence_detection(&mut self, command: &Command) -> Outcome {
        match &command.argument {
            Argument::Query => Outcome::Text(format!("128,{}", self.settings.silence_tenths)),
            Argument::Test => Outcome::Text("(0-255),(0-255)".into()),
            Argument::Value(value) => {
                let tenths = value.split(',').nth(1).and_then(|t| t.trim().parse().ok());
                match tenths {
                    Some(tenths @ 0..=255) => {
                        if self.profile.detects_silence {
                            self.settings.silence_tenths = tenths;
                        }
                        Outcome::Ok
                    }
                    Some(_) => Outcome::Error,
                    None => Outcome::Ok,
                }
            }
            Argument::None => Outcome::Error,
        }
    }

    /// `+VTS`: OK comes when all is played.
    fn play_tones(&mut self, now: Instant, tones: &str) -> Outcome {
        if self.profile.bare_tone_hangs && tones.len() == 1 {
            return Outcome::Silent;
        }
        let Some(length) = tones_length(tones) else {
            return Outcome::Error;
        };
        self.journal.note(now, Happening::Tones(tones.to_owned()));
        Outcome::OkAfter(length.min(Duration::from_mins(1)))
    }
}

/// How long `[f1,f2,t]`, `{digit,t}` (t in 10 ms) and bare digits take.
fn tones_length(tones: &str) -> Option<Duration> {
    const BARE: Duration = Duration::from_secs(1);
    let mut length = Duration::ZERO;
    let mut rest = tones.trim();
    while let Some(first) = rest.chars().next() {
        let closing = match first {
            '[' => Some(']'),
            '{' => Some('}'),
            _ => None,
        };
        if let Some(closing) = closing {
            let (inside, after) = rest.get(1..)?.split_once(closing)?;
            let mut parts = inside.split(',').map(str::trim);
            let time = parts.clone().next_back()?.parse::<u32>().ok()?;
            let frequencies_fit =
                first == '{' || parts.all(|part| part.parse::<u16>().is_ok_and(|f| f <= 3300));
            if !frequencies_fit {
                return None;
            }
            length += Duration::from_millis(10) * time.min(6000);
            rest = after;
        } else {
            let key = u8::try_from(first).ok()?;
            let known = key == b'!' || super::sound::dtmf(key.to_ascii_uppercase()).is_some();
            if !known {
                return None;
            }
            length += BARE;
            rest = rest.get(1..)?;
        }
        rest = rest.trim_start_matches([',', ' ']);
    }
    Some(length)
}
