//! Scenarios and calls built in Rust.

use super::{Cadence, Call, CallerIdTime, Dial, Ending, MessageWaiting, Scenario};
use crate::emulator::caller_id::Format;
use crate::emulator::chip::Chip;
use crate::emulator::fault::Fault;
use crate::emulator::sound::Sound;
use std::time::Duration;

impl Scenario {
    /// With this modem.
    #[must_use]
    pub fn chip(mut self, chip: Chip) -> Self {
        self.chip = chip;
        self
    }

    /// With this ring cadence.
    #[must_use]
    pub fn cadence(mut self, cadence: Cadence) -> Self {
        self.cadence = cadence;
        self
    }

    /// With one more call.
    #[must_use]
    pub fn call(mut self, call: Call) -> Self {
        self.calls.push(call);
        self
    }

    /// With one more fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// With call waiting: a second caller's ID is sent into a call.
    #[must_use]
    pub fn with_call_waiting(mut self) -> Self {
        self.call_waiting = true;
        self
    }

    /// With one more message-waiting indication.
    #[must_use]
    pub fn message_waiting(mut self, at: Duration, count: u8) -> Self {
        self.message_waiting.push(MessageWaiting { at, count });
        self
    }

    /// With somebody (or nobody) at the other end when the modem dials.
    #[must_use]
    pub fn dial(mut self, dial: Dial) -> Self {
        self.dial = Some(dial);
        self
    }
}

impl From<&str> for Call {
    /// A call from this number.
    fn from(number: &str) -> Self {
        Self {
            number: Some(number.to_owned()),
            ..Self::default()
        }
    }
}

impl Call {
    /// A call whose caller ID never comes.
    pub fn without_caller_id() -> Self {
        Self::default().caller_id(CallerIdTime::Never)
    }

    /// With this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Beginning so long after the modem was made.
    #[must_use]
    pub fn at(mut self, at: Duration) -> Self {
        self.at = Some(at);
        self.after = None;
        self
    }

    /// Beginning so long after the end of the call before.
    #[must_use]
    pub fn after(mut self, after: Duration) -> Self {
        self.after = Some(after);
        self.at = None;
        self
    }

    /// With the caller ID at this time.
    #[must_use]
    pub fn caller_id(mut self, time: CallerIdTime) -> Self {
        self.caller_id = time;
        self
    }

    /// With the caller ID written like this.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Given up after so many rings.
    #[must_use]
    pub fn rings(mut self, rings: u32) -> Self {
        self.rings = rings;
        self
    }

    /// Saying this as well, after what was said before.
    #[must_use]
    pub fn says(mut self, sound: Sound) -> Self {
        self.says.push(sound);
        self
    }

    /// Ending like this when all is said.
    #[must_use]
    pub fn ends(mut self, ending: Ending) -> Self {
        self.ends = ending;
        self
    }
}
