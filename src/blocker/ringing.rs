//! A call that rings and has not been answered, and whether caller ID that comes meanwhile is its.
//!
//! A network may say who calls twice, the second time with a mark such as `O` to mask the number; it
//! may say it late; and one caller may give up and another ring within the 8 s before the first call
//! is known to be over. So, of a block that comes while a call rings:
//!
//! - the same number again is this call's, and changes nothing unless it brings the name that lacked;
//! - where no number is known yet, it is this call's: the caller is screened again;
//! - a mark (or a block without number) after a number says nothing: the number stands;
//! - another number is somebody else's, unless it comes within 3.5 s of the first without a RING
//!   between: that is one announcement, of which the first number counts;
//! - after a RING off the beat of those before, a block is somebody else's unless it repeats the
//!   number: an exchange keeps its cadence as long as one caller rings.
//!
//! Somebody else's call began with the RING at most 3.5 s before his block. Without one he is not
//! picked up before the next RING: he may be knocking on a conversation that began just now.
//!
//! A masked caller who rings in the beat of a friend who gave up, or after a single ring of his, passes
//! for the friend: rather that than to hang up on a friend.

use super::call::{CALLER_ID_AFTER_RING, OpenCall, RING_WINDOW, Rings};
use super::machine::{Effect, Moment};
use crate::call::{Outcome, VerdictClass};
use crate::screen::{Caller, CallerNumber};
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) call: OpenCall,
    pub(super) rings: Rings,
    /// Who calls, and since when that is known.
    pub(super) caller: Option<(Caller, Instant)>,
    pub(super) verdict: Option<VerdictClass>,
}

/// What a block of caller ID is to the call that rings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Announcement {
    /// It says nothing new.
    Repeated,
    /// It says who calls, or says it better.
    Ours,
    /// It is another call's.
    SomebodyElses,
}

impl Ringing {
    /// A call that has begun.
    pub(super) const fn new(call: OpenCall, rings: Rings) -> Self {
        Self {
            call,
            rings,
            caller: None,
            verdict: None,
        }
    }

    /// What caller ID that comes now is; `revision` if it adds to the block before.
    pub(super) fn announced(&self, new: &Caller, revision: bool, now: Instant) -> Announcement {
        let Some((known, since)) = &self.caller else {
            return Announcement::Ours;
        };
        let same = new.number == known.number && new.number != CallerNumber::Missing;
        if same {
            return match (&known.name, &new.name) {
                (None, Some(_)) => Announcement::Ours,
                (Some(old), Some(new)) if revision && old != new => Announcement::Ours,
                _ => Announcement::Repeated,
            };
        }
        if self.rings.off_beat && !revision && known.number != CallerNumber::Missing {
            return Announcement::SomebodyElses;
        }
        match (&known.number, &new.number) {
            (CallerNumber::Known(_), CallerNumber::Known(_)) if revision => Announcement::Ours,
            (CallerNumber::Known(_), CallerNumber::Known(_)) => {
                let rang_between = self.rings.burst.is_some_and(|burst| burst.now > *since);
                if rang_between || now.duration_since(*since) >= CALLER_ID_AFTER_RING {
                    Announcement::SomebodyElses
                } else {
                    Announcement::Repeated
                }
            }
            (_, CallerNumber::Known(_)) | (CallerNumber::Missing, _) => Announcement::Ours,
            // What masks a number, or says less than was known.
            _ => Announcement::Repeated,
        }
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
