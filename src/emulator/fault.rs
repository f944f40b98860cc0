//! What goes wrong with the modem, and when.

use super::journal::Happening;
use super::modem::{Due, EmulatedModem, State};
use super::scenario::seconds;
use super::settings::Voice;
use serde::Deserialize;
use std::time::{Duration, Instant};

/// One thing that goes wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When it strikes.
    pub when: Trigger,
    /// What happens.
    pub does: FaultKind,
    /// With a command as trigger: how often, 0 for always.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that strikes once.
    pub fn new(when: Trigger, does: FaultKind) -> Self {
        Self {
            when,
            does,
            times: 1,
        }
    }

    /// A fault that strikes the first command line that begins like this; `AT` left out, case and
    /// spaces ignored.
    pub fn on(command: &str, does: FaultKind) -> Self {
        Self::new(Trigger::Command(command.to_owned()), does)
    }

    /// With a command as trigger: strikes so often, 0 for always.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// When a fault strikes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// So long after the modem was made.
    #[serde(deserialize_with = "seconds")]
    At(Duration),
    /// So long after the modem went off-hook.
    #[serde(deserialize_with = "seconds")]
    AfterPickUp(Duration),
    /// At a command line that has a command beginning like this, without `AT`.
    Command(String),
}

/// What goes wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The command is not carried out and never answered.
    NoReply,
    /// The command is not carried out and answered with `ERROR`.
    Error,
    /// The command is not carried out and answered with `NO CARRIER`.
    NoCarrier,
    /// The command is not carried out and answered with `OK`.
    Pretend,
    /// The command is carried out, the answer comes so much later.
    #[serde(deserialize_with = "seconds")]
    Late(Duration),
    /// A ring is reported in the middle of the reply: after the echo and any text, before the result.
    RingInside,
    /// The line guard trips (loop current above 150 mA): `DIGITAL LINE DETECTED`, on-hook again.
    DigitalLine,
    /// The modem stops until it is pulled out and plugged in again: it answers nothing and, its
    /// buffer being full, soon takes nothing.
    Wedge,
    /// The modem stops in the same way until it is treated so, or in a way that is rougher.
    Hang(Cure),
    /// The modem answers every command with `ERROR` and carries none out, until it is treated so, or in
    /// a way that is rougher.
    Confuse(Cure),
    /// A modem that stopped, or answered with errors only, comes to itself.
    Recover,
    /// The modem loses its settings without a word, as after a brown-out.
    Forget,
    /// The modem resets itself: on-hook and without its settings, without a word.
    Reset,
    /// The modem goes off-hook and sends what it hears, as if somebody else had told it to.
    Stream,
    /// The modem is pulled out.
    Unplug(Unplug),
    /// So many random bytes come out of the modem.
    Garbage(usize),
    /// DLE-shielded codes that nothing on the line caused: the second byte of each.
    Code(String),
    /// A line of text that nobody asked for.
    Line(String),
}

/// What brings a modem back that has stopped; each does what the ones before it do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cure {
    /// `ATZ`, though it answers nothing else.
    SoftReset,
    /// Data Terminal Ready goes down and up.
    Dtr,
    /// A reset of its USB port.
    UsbReset,
    /// Pulling it out and plugging it in again.
    Replug,
}

/// How a modem comes back after it was pulled out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unplug {
    /// It is plugged in again after so long; never if left out.
    #[serde(deserialize_with = "super::scenario::some_seconds")]
    pub back_after: Option<Duration>,
    /// It comes back under another device name.
    pub other_node: bool,
}

impl EmulatedModem {
    /// Nothing more goes wrong; what has, stays so.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
        self.dues.retain(|due| !matches!(due, Due::Fault(_)));
    }

    /// A fault strikes that does not concern the answer to a command.
    pub(super) fn strike(&mut self, at: Instant, kind: &FaultKind) {
        if !self.is_plugged() {
            return;
        }
        self.journal.note(at, Happening::Fault(format!("{kind:?}")));
        match kind {
            FaultKind::Unplug(how) => {
                self.unplug(at);
                if let Some(after) = how.back_after {
                    let other_node = how.other_node;
                    self.dues.add(at + after, Due::Plug { other_node });
                }
            }
            FaultKind::Wedge => self.wedge(Cure::Replug),
            FaultKind::Hang(cure) => self.wedge(*cure),
            FaultKind::Confuse(cure) => self.confused = Some(*cure),
            FaultKind::Recover => self.recover(),
            FaultKind::Forget => self.forget(),
            FaultKind::Reset => self.reset_itself(at),
            FaultKind::Stream => {
                self.go_off_hook(at);
                self.begin_voice(at, Voice::Receive);
            }
            FaultKind::Garbage(count) => {
                let count = (*count).min(4096);
                let bytes: Vec<u8> = (0..count).map(|_| self.random.u8(..)).collect();
                self.put(&bytes);
            }
            FaultKind::Code(codes) => {
                for code in codes.bytes() {
                    self.send_code(at, code);
                }
            }
            FaultKind::Line(text) => {
                let line = format!("\r\n{text}\r\n");
                self.put(line.as_bytes());
            }
            FaultKind::DigitalLine => self.trip_line_guard(at),
            FaultKind::RingInside => self.report_ring(at),
            FaultKind::NoReply
            | FaultKind::Error
            | FaultKind::NoCarrier
            | FaultKind::Pretend
            | FaultKind::Late(_) => {}
        }
    }

    /// The line guard: too much loop current, on-hook again.
    fn trip_line_guard(&mut self, at: Instant) {
        if self.takes_text() {
            self.put(b"\r\nDIGITAL LINE DETECTED\r\n");
        }
        if self.line.modem_is_off_hook() && !matches!(self.state, State::Voice(_)) {
            self.go_on_hook(at);
        }
    }
}
