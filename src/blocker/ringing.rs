//! A call that rings and has not been answered, and whether caller ID that comes meanwhile is its.
//!
//! A network may say who calls twice, the second time with a mark such as `O` to mask the number; it
//! may say it late; and one caller may give up and another ring within the 8 s before the first call
//! is known to be over. So, of a block that comes while a call rings:
//!
//! - the same number again is this call's, and changes nothing unless it brings the name that lacked;
//! - where no number is known yet, it is this call's, up to its second burst (no network is later): the
//!   caller is screened again;
//! - a mark after a number, in the same pause between bursts or the next, says nothing: the number
//!   stands; a number after a mark stands, too;
//! - another number is somebody else's, unless it comes within 3.5 s of the first without a RING
//!   between: that is one announcement, of which the first number counts;
//! - whatever comes later than so is somebody else's;
//! - and so is a block that does not repeat the number after the [rings](super::rings) said that another
//!   may have begun: off the beat, after a beat was missed, or after a handset was lifted.
//!
//! Somebody else's call began with the RING at most 3.5 s before his block. Without one he is not
//! picked up before the next RING: he may be knocking on a conversation that began just now.
//!
//! A masked caller whose first ring comes in the beat of a friend who gave up after one ring passes for
//! the friend: rather that than to hang up on a friend.

use super::call::OpenCall;
use super::machine::{Decide, Effect, Moment};
use super::rings::{CALLER_ID_AFTER_RING, Rings};
use crate::call::{Outcome, VerdictClass};
use crate::modem::driver::RING_WINDOW;
use crate::screen::{Caller, CallerNumber};
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) call: OpenCall,
    pub(super) rings: Rings,
    /// Who calls, as far as he was announced.
    announced: Option<Announced>,
    pub(super) verdict: Option<VerdictClass>,
}

#[derive(Debug)]
struct Announced {
    caller: Caller,
    at: Instant,
    /// Bursts before it.
    bursts: u32,
}

/// Some networks announce after the second burst, none later.
const LATEST_BURST: u32 = 2;

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
            announced: None,
            verdict: None,
        }
    }

    /// Decides about who calls: it was said now, or will not be said any more.
    pub(super) fn screen(&mut self, caller: Caller, now: Instant, decide: Decide<'_>) {
        let verdict = decide(&caller);
        self.call.set_caller(&caller);
        self.call.set_verdict(&verdict);
        self.verdict = Some(verdict.class);
        self.announced = Some(Announced {
            caller,
            at: now,
            bursts: self.rings.bursts,
        });
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.verdict == Some(VerdictClass::Block)
    }

    /// What caller ID that comes now is; `revision` if it adds to the block before.
    pub(super) fn announced(&self, new: &Caller, revision: bool, now: Instant) -> Announcement {
        let missing = &CallerNumber::Missing;
        let Some(Announced {
            caller: known,
            at: since,
            bursts,
        }) = self
            .announced
            .as_ref()
            .filter(|before| before.caller.number != *missing)
        else {
            let ours = revision
                || new.number == *missing
                || self.rings.bursts <= LATEST_BURST
                    && !self.rings.turned_since(self.call.began, now);
            return if ours {
                Announcement::Ours
            } else {
                Announcement::SomebodyElses
            };
        };
        if new.number == known.number {
            return match (&known.name, &new.name) {
                (None, Some(_)) => Announcement::Ours,
                (Some(old), Some(new)) if revision && old != new => Announcement::Ours,
                _ => Announcement::Repeated,
            };
        }
        let bursts_since = self.rings.bursts - bursts;
        let turned = !revision && self.rings.turned_since(*since, now);
        match (&known.number, &new.number) {
            // It says less than was known.
            (_, CallerNumber::Missing) => Announcement::Repeated,
            _ if turned || bursts_since > 1 => Announcement::SomebodyElses,
            (CallerNumber::Known(_), CallerNumber::Known(_)) if revision => Announcement::Ours,
            (CallerNumber::Known(_), CallerNumber::Known(_)) => {
                if bursts_since > 0 || now.duration_since(*since) >= CALLER_ID_AFTER_RING {
                    Announcement::SomebodyElses
                } else {
                    Announcement::Repeated
                }
            }
            (_, CallerNumber::Known(_)) => Announcement::Ours,
            // What masks a number.
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
