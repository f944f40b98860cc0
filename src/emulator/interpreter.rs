//! Carries out command lines.

use super::chip::Family;
use super::command::{Argument, Command, parse};
use super::fault::{Cure, FaultKind, Trigger};
use super::journal::Happening;
use super::modem::{Due, EmulatedModem, HandshakeKind, Reply, State, Then};
use super::scenario::StoredResults;
use super::settings::{Settings, Stored, Voice};
use std::time::{Duration, Instant};

/// What a command comes to.
pub(super) enum Outcome {
    Ok,
    /// Information text, then the result of the line.
    Text(String),
    /// The same, without a blank line before the result.
    CloseText(String),
    Error,
    /// OK, but only after so long.
    OkAfter(Duration),
    /// CONNECT, and audio from then on.
    Connect(Voice),
    /// The command answers in its own time; nothing after it on the line counts.
    Underway,
    /// A long text that stops for a key.
    Pager(String),
    /// Never answered.
    Silent,
    /// Another result than OK or ERROR.
    Result(&'static str),
}

impl EmulatedModem {
    pub(super) fn take_command_line(&mut self, now: Instant, bytes: &[u8]) {
        let line: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        // Whatever stands before AT is noise, a stray semicolon for instance.
        let upper = line.to_ascii_uppercase();
        let Some(body) = upper.find("AT").and_then(|at| line.get(at + 2..)) else {
            if !line.trim().is_empty() {
                let what = format!("no AT in {line:?}");
                self.journal.note(now, Happening::Violation(what));
            }
            return;
        };
        let body = body.to_owned();
        self.journal.note(now, Happening::Command(line));
        let Some(commands) = parse(&body).filter(|_| bytes.len() <= 256) else {
            self.state = State::Executing;
            self.reply_after(now, self.quirks.latency, "ERROR", Then::Command);
            return;
        };
        if self.confused == Some(Cure::SoftReset) && body.trim().eq_ignore_ascii_case("Z") {
            self.confused = None;
        }
        if self.confused.is_some() {
            self.state = State::Executing;
            self.reply_after(now, self.quirks.latency, "ERROR", Then::Command);
            return;
        }
        let (mut late, mut ring_inside) = (Duration::ZERO, false);
        if let Some(kind) = self.fault_for(&commands) {
            match kind {
                FaultKind::NoReply => {
                    self.journal.note(now, Happening::Fault("no reply".into()));
                    return;
                }
                FaultKind::Error => return self.decline(now, "ERROR"),
                FaultKind::NoCarrier => return self.decline(now, "NO CARRIER"),
                FaultKind::Pretend => return self.decline(now, "OK"),
                FaultKind::Late(by) => {
                    self.journal.note(now, Happening::Fault("late".into()));
                    late = by;
                }
                FaultKind::DigitalLine
                | FaultKind::Wedge
                | FaultKind::Recover
                | FaultKind::Forget
                | FaultKind::Reset
                | FaultKind::Stream
                | FaultKind::Hang(_)
                | FaultKind::Confuse(_)
                | FaultKind::Unplug(_) => {
                    self.strike(now, &kind);
                    return;
                }
                FaultKind::RingInside => {
                    self.journal
                        .note(now, Happening::Fault("ring inside".into()));
                    ring_inside = true;
                }
                FaultKind::Garbage(_) | FaultKind::Code(_) | FaultKind::Line(_) => {
                    self.strike(now, &kind);
                }
            }
        }
        self.carry_out(now, &commands, late, ring_inside);
    }

    /// Answers a command with this result, and does nothing.
    fn decline(&mut self, now: Instant, result: &str) {
        let what = format!("{result} and nothing done");
        self.journal.note(now, Happening::Fault(what));
        self.state = State::Executing;
        self.reply_after(now, self.quirks.latency, result, Then::Command);
    }

    /// The fault that strikes this line, if one does; it is used up.
    fn fault_for(&mut self, commands: &[Command]) -> Option<FaultKind> {
        let written: Vec<String> = commands
            .iter()
            .map(|command| command.written().to_ascii_uppercase().replace(' ', ""))
            .collect();
        for armed in &mut self.faults {
            let Trigger::Command(prefix) = &armed.fault.when else {
                continue;
            };
            let prefix = prefix.to_ascii_uppercase().replace(' ', "");
            let hit = written.iter().any(|line| line.starts_with(&prefix));
            if !hit || armed.left == Some(0) {
                continue;
            }
            armed.left = armed.left.map(|left| left - 1);
            return Some(armed.fault.does.clone());
        }
        None
    }

    fn carry_out(&mut self, now: Instant, commands: &[Command], late: Duration, ring_inside: bool) {
        self.state = State::Executing;
        let mut after = self.quirks.latency + late;
        let mut reply = Reply {
            text: Vec::new(),
            result: "OK".to_owned(),
            close: false,
            then: Then::Command,
        };
        for command in commands {
            match self.command(now, command) {
                Outcome::Ok => {
                    if command.name == "Z" || command.name == "&F" {
                        after = after.max(self.profile.reset_latency + late);
                    }
                }
                Outcome::Text(text) => {
                    reply.text.extend(self.settings.frame_text(&text));
                    reply.close = false;
                }
                Outcome::CloseText(text) => {
                    reply.text.extend(self.settings.frame_text(&text));
                    reply.close = true;
                }
                Outcome::OkAfter(more) => after += more,
                Outcome::Error => {
                    "ERROR".clone_into(&mut reply.result);
                    break;
                }
                Outcome::Connect(voice) => {
                    "CONNECT".clone_into(&mut reply.result);
                    reply.then = Then::Voice(voice);
                    break;
                }
                Outcome::Pager(text) => {
                    reply.text.extend(self.settings.frame_text(&text));
                    reply.result = String::new();
                    reply.then = Then::Pager;
                    break;
                }
                Outcome::Result(result) => {
                    result.clone_into(&mut reply.result);
                    break;
                }
                Outcome::Underway => return,
                Outcome::Silent => {
                    self.state = State::Command;
                    return;
                }
            }
        }
        if ring_inside {
            reply.text.extend(self.ring());
            reply.close = false;
        }
        self.dues.add(now + after, Due::Reply(reply));
    }

    fn command(&mut self, now: Instant, command: &Command) -> Outcome {
        let number = command.number();
        match (command.name.as_str(), number) {
            ("Z" | "&F", Some(0 | 1)) => {
                self.go_on_hook(now);
                let factory = Stored {
                    echo: true,
                    results: StoredResults::Words,
                };
                let stored = if command.name == "&F" {
                    factory
                } else {
                    self.stored
                };
                self.settings = Settings::after_reset(self.profile, stored);
                Outcome::Ok
            }
            ("E", Some(flag @ (0 | 1))) => {
                self.settings.echo = flag == 1;
                Outcome::Ok
            }
            ("V", Some(flag @ (0 | 1))) => {
                let stuck = self.stored.results == StoredResults::NumericForGood;
                self.settings.verbose = flag == 1 && !stuck;
                Outcome::Ok
            }
            ("Q", Some(flag @ (0 | 1))) => {
                self.settings.quiet = flag == 1;
                Outcome::Ok
            }
            ("&D", Some(how @ 0..=3)) => {
                self.settings.dtr_hangs_up = how >= 2;
                Outcome::Ok
            }
            ("&W", Some(0 | 1)) => {
                self.stored = self.settings.stored();
                Outcome::Ok
            }
            ("&V", _) => self.show_profile(),
            ("I", Some(number)) => self.information(number),
            ("H", Some(0)) => {
                self.go_on_hook(now);
                if self.profile.hang_up_leaves_voice {
                    self.settings.class = "0".into();
                }
                Outcome::Ok
            }
            ("H", Some(1)) => {
                self.go_off_hook(now);
                Outcome::Ok
            }
            ("A", Some(0)) => self.answer(now),
            ("D", _) => self.dial(now, command.value().unwrap_or("")),
            ("B" | "L" | "M" | "N" | "O" | "P" | "T" | "W" | "X" | "Y", Some(_)) => Outcome::Ok,
            (name, _) if name.starts_with('S') => self.register(command),
            (name, Some(_)) if name.starts_with(['&', '\\', '%']) => Outcome::Ok,
            (name, _) if name.starts_with(['+', '-', '#', '!', '*']) => {
                self.extended_command(now, command)
            }
            _ => Outcome::Error,
        }
    }

    fn information(&self, number: u32) -> Outcome {
        let found = self
            .profile
            .information
            .iter()
            .find(|(known, _)| u32::from(*known) == number);
        match found {
            Some((_, text)) => Outcome::Text((*text).to_owned()),
            None if number <= 9 => Outcome::Ok,
            None => Outcome::Error,
        }
    }

    fn register(&mut self, command: &Command) -> Outcome {
        let Ok(register) = command.name.get(1..).unwrap_or("").parse::<u16>() else {
            return Outcome::Error;
        };
        match &command.argument {
            Argument::Query => {
                let value = self.settings.registers.get(&register).copied();
                Outcome::Text(format!("{:03}", value.unwrap_or(0)))
            }
            Argument::Value(value) => match value.parse::<u8>() {
                Ok(value) if register <= 255 => {
                    self.settings.registers.insert(register, value);
                    Outcome::Ok
                }
                _ => Outcome::Error,
            },
            Argument::None if register <= 255 => Outcome::Ok,
            _ => Outcome::Error,
        }
    }

    fn show_profile(&self) -> Outcome {
        let echo = u8::from(self.settings.echo);
        let flags = "L2 M1 N0 Q0 T V1 W0 X4 Y0 &C1 &D2 &G0 &J0 &K3 &Q5 &R1 &S0 &T5 &X0 &Y0";
        let registers = "S00:0 S01:0 S02:43 S03:13 S04:10 S05:8 S06:2 S07:50 S08:1 S09:6";
        let text = format!("ACTIVE PROFILE:\r\nB1 E{echo} {flags}\r\n{registers}");
        if self.profile.family == Family::UsRobotics {
            let pause = "Press any key to continue; ESC to quit.";
            Outcome::Pager(format!("{text}\r\n{pause}"))
        } else {
            Outcome::Text(text)
        }
    }

    fn extended_command(&mut self, now: Instant, command: &Command) -> Outcome {
        let name = command.name.as_str();
        if matches!(command.argument, Argument::None) {
            let known = self.profile.identity.iter().find(|(key, _)| *key == name);
            if let Some((_, text)) = known {
                return Outcome::Text((*text).to_owned());
            }
        }
        match name {
            "+FCLASS" => self.service_class(command),
            "+VCID" | "#CID" => self.caller_id_command(command),
            "+VRID" => self.repeat_caller_id(),
            "+GCI" => self.country(command),
            "+VDR" | "+IPR" | "+IFC" | "+ICF" | "+PCW" | "+MS" | "+DS" => self.remember(command),
            "-STE" | "-TTE" | "-TRV" | "-SCID" | "-SDR" | "!4886" | "!4892" => {
                self.conexant_command(command)
            }
            _ if name.starts_with("+V") => {
                if self.settings.class == "8" {
                    self.voice_command(now, command)
                } else {
                    Outcome::Error
                }
            }
            _ => Outcome::Error,
        }
    }

    fn service_class(&mut self, command: &Command) -> Outcome {
        match &command.argument {
            // The Conexant parts no blank line here, and only here.
            Argument::Query if self.profile.family == Family::Conexant => {
                Outcome::CloseText(self.settings.class.clone())
            }
            Argument::Query => Outcome::Text(self.settings.class.clone()),
            Argument::Test => Outcome::Text(self.profile.classes.join(",")),
            Argument::Value(class) if self.profile.has_class(class) => {
                self.settings.class.clone_from(class);
                Outcome::Ok
            }
            _ => Outcome::Error,
        }
    }

    fn caller_id_command(&mut self, command: &Command) -> Outcome {
        match &command.argument {
            Argument::Query => Outcome::Text(self.settings.caller_id.to_string()),
            Argument::Test => Outcome::Text("0,1,2".into()),
            Argument::Value(value) => match value.parse() {
                Ok(mode @ 0..=2) => {
                    self.settings.caller_id = mode;
                    Outcome::Ok
                }
                _ => Outcome::Error,
            },
            Argument::None => Outcome::Error,
        }
    }

    /// `+VRID=0` on a Conexant prints the last caller ID again.
    fn repeat_caller_id(&self) -> Outcome {
        if self.profile.family != Family::Conexant {
            return Outcome::Error;
        }
        let Some(caller) = &self.last_caller_id else {
            return Outcome::Ok;
        };
        let block = caller.block(super::caller_id::Form::Plain, self.profile.spaces);
        let text: String = block.iter().map(|byte| char::from(*byte)).collect();
        Outcome::Text(text.trim().to_owned())
    }

    fn country(&mut self, command: &Command) -> Outcome {
        const KNOWN: [&str; 24] = [
            "B5", "B4", "3D", "42", "A0", "59", "7B", "0F", "A6", "0A", "A5", "82", "31", "3C",
            "8A", "2E", "8B", "46", "09", "7E", "00", "73", "20", "F6",
        ];
        match &command.argument {
            Argument::Query => Outcome::Text(format!("+GCI: {}", self.settings.country)),
            Argument::Test => Outcome::Text(format!("+GCI: ({})", KNOWN.join(","))),
            Argument::Value(code) if KNOWN.contains(&code.to_ascii_uppercase().as_str()) => {
                self.settings.country = code.to_ascii_uppercase();
                Outcome::Ok
            }
            _ => Outcome::Error,
        }
    }

    fn conexant_command(&mut self, command: &Command) -> Outcome {
        if self.profile.family != Family::Conexant {
            return Outcome::Error;
        }
        match (command.name.as_str(), &command.argument) {
            ("-STE", Argument::Query) => Outcome::Text(format!("-STE: {}", self.settings.ste)),
            ("-STE", Argument::Test) => Outcome::Text("-STE: (0-7)".into()),
            ("-STE", Argument::Value(value)) => match value.parse() {
                Ok(mask @ 0..=7) => {
                    self.settings.ste = mask;
                    Outcome::Ok
                }
                _ => Outcome::Error,
            },
            // Off-hook a few volts are left of the exchange's 48.
            ("-TRV", Argument::None) => {
                let off_hook = self.line.modem_is_off_hook() || self.line.handset_is_off_hook();
                Outcome::Text(if off_hook { "7.50" } else { "48.00" }.into())
            }
            ("-TTE", Argument::None | Argument::Query) => Outcome::Text("1000,200,500".into()),
            _ => self.remember(command),
        }
    }

    /// Parameters whose value changes nothing here.
    pub(super) fn remember(&mut self, command: &Command) -> Outcome {
        match &command.argument {
            Argument::Value(value) if value.len() <= 64 => {
                let (name, value) = (command.name.clone(), value.clone());
                self.settings.remembered.insert(name, value);
                Outcome::Ok
            }
            Argument::Query => {
                let value = self.settings.remembered.get(&command.name);
                Outcome::Text(value.cloned().unwrap_or_else(|| "0".into()))
            }
            Argument::Test => Outcome::Text("(0-255)".into()),
            _ => Outcome::Error,
        }
    }

    /// `+VSM`, in class 8.
    pub(super) fn compression_command(&mut self, command: &Command) -> Outcome {
        match &command.argument {
            Argument::Query => Outcome::Text(format!("{},8000,0,0", self.settings.compression)),
            Argument::Test => {
                let lines = self.profile.compressions.iter().map(|c| c.2);
                Outcome::Text(lines.collect::<Vec<_>>().join("\r\n"))
            }
            Argument::Value(value) => {
                let mut parts = value.split(',').map(str::trim);
                let method = parts.next().and_then(|part| part.parse::<u16>().ok());
                let rate_fits = parts.next().is_none_or(|rate| rate == "8000");
                match method.and_then(|m| self.profile.format_of(m).map(|f| (m, f))) {
                    Some((method, format)) if rate_fits => {
                        self.settings.compression = method;
                        self.settings.format = format;
                        Outcome::Ok
                    }
                    _ => Outcome::Error,
                }
            }
            Argument::None => Outcome::Error,
        }
    }

    pub(super) fn begin_handshake(&mut self, now: Instant, kind: HandshakeKind) -> Outcome {
        let handshake = super::modem::Handshake { since: now, kind };
        self.state = State::Handshake(handshake);
        Outcome::Underway
    }
}
