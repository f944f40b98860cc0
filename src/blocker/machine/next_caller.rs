//! The next caller, who is announced while the line is not free yet: while it is being given up, for the
//! modem's word on that may be seconds late, or while it is about to be taken once more. Picks nothing up
//! before the modem has said that it is on-hook: the line may still be ours.

use super::super::off_hook::{OffHook, RangAfter};
use super::super::ringing::{Announcement, Ringing};
use super::super::rings::Rings;
use super::{Blocker, Decide, Effect, Event, Handled, Moment, State};
use crate::call::Outcome;
use crate::screen::Caller;

impl Blocker {
    /// A call that rang on is being answered again, and caller ID says that the rings were another's:
    /// it is not answered. A modem that was busy with itself has not picked up yet.
    pub(super) fn rings_were_anothers(
        &mut self,
        off_hook: &mut OffHook,
        handled: Handled,
        caller: &Caller,
        at: Moment,
        decide: Decide<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let next = off_hook
            .next
            .insert(Box::new(self.called_after(handled, at)));
        announce(next, caller, at, decide, effects);
        let outcome = off_hook.call.record.outcome.unwrap_or(Outcome::Finished);
        off_hook.hang_up(outcome, at, effects);
    }

    /// Takes what is said of the next caller while we hang up; whether it was that.
    pub(super) fn said_of_next(
        &mut self,
        off_hook: &mut OffHook,
        event: &Event,
        at: Moment,
        decide: Decide<'_>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        match (event, &mut off_hook.next) {
            (Event::CallerId { caller, revision }, Some(next)) => {
                match next.announced(caller, *revision, at.now) {
                    Announcement::Repeated => return true,
                    Announcement::Ours => {}
                    Announcement::SomebodyElses => {
                        let another = self.called_by_another(&next.rings, at);
                        std::mem::replace(next.as_mut(), another).end(at, effects);
                    }
                }
                announce(next, caller, at, decide, effects);
            }
            (
                Event::CallerId {
                    caller,
                    revision: false,
                },
                next,
            ) => {
                let next = next.insert(Box::new(self.next_call(off_hook.rang_after, at, effects)));
                announce(next, caller, at, decide, effects);
            }
            (Event::Ring, Some(next)) => {
                next.rings.ring(at, effects);
                self.beat = next.rings.beat;
            }
            (Event::Code(code), Some(next)) if code.is_handset() => {
                next.rings.handset_lifted(at.now);
            }
            _ => return false,
        }
        true
    }

    /// The call of somebody who rang when the last call was over, or is announced now.
    pub(super) fn next_call(
        &mut self,
        rang: Option<RangAfter>,
        at: Moment,
        effects: &mut Vec<Effect>,
    ) -> Ringing {
        let mut rings = Rings::on_line(self.beat);
        let began = match rang {
            Some(RangAfter::ThisCall(rang) | RangAfter::Another(rang)) => {
                rings.ring(rang, effects);
                rang
            }
            None => at,
        };
        Ringing::new(self.new_call(began), rings)
    }

    /// The line is ours no more, and may be picked up for the next caller.
    pub(super) fn next_may_be_answered(
        &self,
        next: Ringing,
        at: Moment,
        effects: &mut Vec<Effect>,
    ) -> State {
        if next.is_blocked() && next.rings.rings_at(at.now) {
            self.pick_up(next.call, None, at, effects)
        } else {
            State::Ringing(next)
        }
    }
}

/// Decides about the next caller.
fn announce(
    next: &mut Ringing,
    caller: &Caller,
    at: Moment,
    decide: Decide<'_>,
    effects: &mut Vec<Effect>,
) {
    next.screen(caller.clone(), at.now, decide);
    next.call.save(effects);
    effects.push(Effect::Screened(next.call.key, next.call.record.clone()));
}
