//! A call that rings and has not been answered.

use super::call::{OpenCall, RING_WINDOW, Rings};
use super::machine::{Effect, Moment};
use crate::call::{Outcome, VerdictClass};
use crate::screen::Caller;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) call: OpenCall,
    pub(super) rings: Rings,
    pub(super) caller: Option<Caller>,
    pub(super) verdict: Option<VerdictClass>,
}

impl Ringing {
    pub(super) fn is_without_number(&self) -> bool {
        self.caller
            .as_ref()
            .is_none_or(|caller| caller.number.as_received().is_none())
    }

    /// When time alone changes something.
    pub(super) fn deadline(&self) -> Instant {
        let over = self.over_at();
        self.call.row_due().map_or(over, |due| due.min(over))
    }

    /// When, without another ring, the call is over.
    pub(super) fn over_at(&self) -> Instant {
        self.rings.last.unwrap_or(self.call.began) + RING_WINDOW
    }

    pub(super) fn end(mut self, at: Moment, effects: &mut Vec<Effect>) {
        let outcome = if self.rings.last.is_some() {
            Outcome::RingsStopped
        } else {
            Outcome::CallWaiting
        };
        self.call.end(outcome, at.now, effects);
    }
}
