//! What is known of modem and daemon from one burst to the next.

use crate::seen::What;
use callblock::emulator::Happening;
use callblock::modem::driver::RestingClass;
use std::time::Duration;

/// What is known when a burst begins.
#[derive(Default)]
pub struct Memory {
    pub class: Option<RestingClass>,
    pub caller_id: bool,
    /// More than one byte may come for a sample: the modem only pretended to change the format, or it
    /// reset itself, says nothing of it and echoes what it is sent. Until it is set up again.
    pub more_bytes: bool,
    /// The last command sets the format.
    sets_format: bool,
    /// The process has heard three bursts of one caller, so it knows the beat of the line.
    pub beat: Option<Duration>,
}

impl Memory {
    pub fn remember(&mut self, what: &What) {
        match what {
            What::Armed { class, caller_id } => {
                self.class = Some(*class);
                self.caller_id = *caller_id;
            }
            What::Begins => self.beat = None,
            What::Line(Happening::Command(line)) if line.starts_with("AT+VSM=") => {
                self.more_bytes = false;
                self.sets_format = true;
            }
            What::Line(Happening::Command(_)) => self.sets_format = false,
            What::Line(Happening::Fault(fault)) => {
                self.more_bytes |= fault == "Reset" || self.sets_format && fault.starts_with("OK");
            }
            _ => {}
        }
    }
}
