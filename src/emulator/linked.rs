//! What a shell puts on a link: any modem without I/O.

use super::journal::Journal;
use super::modem::{EmulatedModem, PlugChange};
use std::time::Instant;

/// A modem that bytes and time are passed into, and bytes taken out of. Instants never go back.
pub trait LinkedModem: Send + 'static {
    /// Does everything that is due by `now`.
    fn advance(&mut self, now: Instant);

    /// Takes bytes from the DTE and tells how many it took; the rest has to wait.
    fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize;

    /// How many bytes [`receive`](Self::receive) would take.
    fn room(&self) -> usize;

    /// Bytes for the DTE.
    fn output(&mut self) -> &[u8];

    /// So many of them are on their way.
    fn sent(&mut self, bytes: usize);

    /// When to call [`advance`](Self::advance) again; never, unless bytes arrive, if `None`.
    fn next_wake(&self) -> Option<Instant>;

    /// Whether there is a modem.
    fn is_plugged(&self) -> bool;

    /// What was done with its plug, oldest first.
    fn take_plug_change(&mut self) -> Option<PlugChange>;

    /// Pulls the modem out of its socket.
    fn unplug(&mut self, now: Instant);

    /// What happens to it.
    fn journal(&self) -> Journal;

    /// Data Terminal Ready goes up or down.
    fn set_dtr(&mut self, _raised: bool, _now: Instant) {}

    /// Resets its USB port.
    fn usb_reset(&mut self, _now: Instant) {}

    /// Whether bytes from the DTE are audio at present, consumed at the line's speed; only then it
    /// wants to know how many are on their way.
    fn is_transmitting(&self) -> bool {
        false
    }

    /// So many bytes are on their way to it.
    fn note_queue(&mut self, _bytes: usize) {}
}

impl LinkedModem for EmulatedModem {
    fn advance(&mut self, now: Instant) {
        self.advance(now);
    }

    fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        self.receive(now, bytes)
    }

    fn room(&self) -> usize {
        self.room()
    }

    fn output(&mut self) -> &[u8] {
        self.output()
    }

    fn sent(&mut self, bytes: usize) {
        self.sent(bytes);
    }

    fn next_wake(&self) -> Option<Instant> {
        self.next_wake()
    }

    fn is_plugged(&self) -> bool {
        self.is_plugged()
    }

    fn take_plug_change(&mut self) -> Option<PlugChange> {
        self.take_plug_change()
    }

    fn unplug(&mut self, now: Instant) {
        self.unplug(now);
    }

    fn journal(&self) -> Journal {
        self.journal()
    }

    fn set_dtr(&mut self, raised: bool, now: Instant) {
        self.set_dtr(raised, now);
    }

    fn usb_reset(&mut self, now: Instant) {
        self.usb_reset(now);
    }

    fn is_transmitting(&self) -> bool {
        self.is_transmitting()
    }

    fn note_queue(&mut self, bytes: usize) {
        let queued = bytes + self.queued_samples();
        self.journal().note_queue(queued);
    }
}
