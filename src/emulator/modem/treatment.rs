//! What is done to the modem other than by bytes: DTR, a reset of its USB port, the plug.

use super::super::fault::Cure;
use super::super::journal::Happening;
use super::super::settings::Settings;
use super::{Due, EmulatedModem, PlugChange, State, Wedged};
use std::time::Instant;

impl EmulatedModem {
    /// Stops until it is treated so.
    pub(in crate::emulator) fn wedge(&mut self, cure: Cure) {
        self.wedged = Some(Wedged {
            cure,
            taken: Vec::new(),
        });
        self.dues.retain(|due| !matches!(due, Due::Reply(_)));
        self.state = State::Command;
    }

    /// Data Terminal Ready goes up or down. Down hangs up, unless `AT&D0` was given.
    pub fn set_dtr(&mut self, raised: bool, now: Instant) {
        self.advance(now);
        if std::mem::replace(&mut self.dtr, raised) == raised {
            return;
        }
        self.journal.note(now, Happening::Dtr(raised));
        if !raised {
            self.treat(Cure::Dtr);
        }
        if raised || !self.plugged || self.wedged.is_some() || !self.settings.dtr_hangs_up {
            return;
        }
        self.break_off(now);
    }

    /// On-hook, whatever it was doing.
    fn break_off(&mut self, now: Instant) {
        if matches!(self.state, State::Voice(_)) {
            self.journal.note(now, Happening::VoiceEnds);
        }
        self.dues.retain(|due| !matches!(due, Due::Reply(_)));
        self.state = State::Command;
        self.command_line.clear();
        self.typed_ahead.clear();
        self.go_on_hook(now);
    }

    /// Resets itself: whatever it was doing is over, without a word.
    pub(in crate::emulator) fn reset_itself(&mut self, now: Instant) {
        if self.works() {
            self.break_off(now);
            self.forget();
        }
    }

    /// Loses its settings.
    pub(in crate::emulator) fn forget(&mut self) {
        self.settings = Settings::after_reset(self.profile, self.stored);
    }

    /// Resets its USB port: it goes and comes back, without losing power.
    pub fn usb_reset(&mut self, now: Instant) {
        self.advance(now);
        let (wedged, confused) = (self.wedged.take(), self.confused);
        self.unplug(now);
        (self.wedged, self.confused) = (wedged, confused);
        self.treat(Cure::UsbReset);
        self.plug(now, false);
    }

    /// Does what it is told again.
    pub(in crate::emulator) fn recover(&mut self) {
        self.treat(Cure::Replug);
    }

    fn treat(&mut self, treatment: Cure) {
        self.wedged.take_if(|wedged| wedged.cure <= treatment);
        self.confused.take_if(|cure| *cure <= treatment);
    }

    /// Pulls the modem out of its socket.
    pub fn unplug(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.plugged, false) {
            return;
        }
        self.journal.note(now, Happening::Unplugged);
        self.dues.retain(|due| !matches!(due, Due::Reply(_)));
        self.state = State::Command;
        self.go_on_hook(now);
        self.command_line.clear();
        self.typed_ahead.clear();
        self.output.clear();
        self.settings = Settings::after_reset(self.profile, self.stored);
        self.wedged = None;
        self.confused = None;
        self.plug_changes.push_back(PlugChange::Unplugged);
    }

    /// Plugs it in again; it has just been powered up.
    pub fn plug(&mut self, now: Instant, other_node: bool) {
        if !std::mem::replace(&mut self.plugged, true) {
            self.journal.note(now, Happening::Plugged);
            self.plug_changes
                .push_back(PlugChange::Plugged { other_node });
        }
    }
}
