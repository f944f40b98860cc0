//! What the machine makes of the line while it is on-hook, above all of rings right after a call was
//! dealt with. Ends nothing, and picks up only what it has picked up before.

use super::super::ringing::Ringing;
use super::super::rings::{CALLER_ID_AFTER_RING, Rings};
use super::{Blocker, Decide, Effect, Event, Moment, State};
use crate::store::CallKey;
use std::time::{Duration, Instant};

/// A RING so soon after our going on-hook, without a new caller ID, is still the call just handled.
const SAME_CALL_WINDOW: Duration = Duration::from_secs(8);

/// The call handled last, and what became of it.
#[derive(Debug)]
pub(in crate::blocker) struct Handled {
    pub(super) call: CallKey,
    pub(super) until: Instant,
    /// It has been answered a second time already.
    pub(super) answered_again: bool,
    /// Somebody who may ring knocked meanwhile: it may be he who rings now.
    pub(super) knocked: bool,
    /// Rings since, which are its unless caller ID says otherwise.
    pub(super) rings: Rings,
    /// The first of them, unless it is not to be answered again, or somebody did answer.
    pub(super) rang: Option<Moment>,
}

impl Handled {
    /// A call that was dealt with just now, and may be answered once more.
    pub(super) fn new(call: CallKey, now: Instant, rings: Rings) -> Self {
        Self {
            call,
            until: now + SAME_CALL_WINDOW,
            answered_again: false,
            knocked: false,
            rings,
            rang: None,
        }
    }
}

impl Blocker {
    pub(super) fn on_hook(
        &mut self,
        handled: Option<Handled>,
        event: &Event,
        at: Moment,
        decide: Decide<'_>,
        effects: &mut Vec<Effect>,
    ) -> State {
        let handled = handled.filter(|handled| at.now < handled.until);
        match (event, handled) {
            (Event::Ring, Some(handled)) => self.ring_after_handled(handled, at, effects),
            (Event::Ring, None) => {
                let mut rings = Rings::on_line(self.beat);
                rings.ring(at, effects);
                State::Ringing(Ringing::new(self.new_call(at), rings))
            }
            (
                Event::CallerId {
                    caller,
                    revision: true,
                },
                Some(handled),
            ) => {
                if let Some(call) = self.call_mut(handled.call) {
                    call.set_caller(caller);
                    call.save(effects);
                }
                State::OnHook {
                    handled: Some(handled),
                }
            }
            (Event::CallerId { caller, .. }, handled) => {
                let ringing = match handled {
                    Some(handled) => self.called_after(handled, at),
                    None => Ringing::new(self.new_call(at), Rings::on_line(self.beat)),
                };
                self.screen(ringing, caller.clone(), at, decide, effects)
            }
            (Event::Code(code), Some(mut handled)) if code.is_handset() => {
                // Whoever rang since is being talked to.
                handled.rings.handset_lifted(at.now);
                handled.rang = None;
                State::OnHook {
                    handled: Some(handled),
                }
            }
            (_, handled) => State::OnHook { handled },
        }
    }

    /// The line rings although the call was just dealt with: the exchange did not notice, unless
    /// caller ID says that this is somebody else. Picking up at once would cut a friend off who calls
    /// right after a robot; picking up between rings, one who was answered meanwhile; and picking up
    /// off the beat, one who has only begun to ring.
    fn ring_after_handled(
        &mut self,
        mut handled: Handled,
        at: Moment,
        effects: &mut Vec<Effect>,
    ) -> State {
        // As long as it rings on it is this call, not a new one without caller ID.
        handled.until = at.now + SAME_CALL_WINDOW;
        handled.rings.ring(at, effects);
        self.beat = handled.rings.beat;
        if handled.answered_again {
            if let Some(call) = self.call_mut(handled.call) {
                call.trouble("went on ringing after it was answered twice");
                call.save(effects);
            }
        } else if !handled.knocked {
            let first = handled.rang.get_or_insert(at).now;
            if handled.rings.turned_since(first, at.now) {
                handled.rang = Some(at);
            } else if at.now.duration_since(first) >= CALLER_ID_AFTER_RING {
                return self.answer_again(handled, at, effects);
            }
        }
        State::OnHook {
            handled: Some(handled),
        }
    }

    fn answer_again(&mut self, handled: Handled, at: Moment, effects: &mut Vec<Effect>) -> State {
        let Some(over) = self.over.iter().position(|call| call.key == handled.call) else {
            return State::OnHook { handled: None };
        };
        let call = self.over.remove(over);
        self.pick_up(call, Some(handled), at, effects)
    }

    /// The call of somebody who is announced now, after another that was dealt with: the rings since
    /// are his.
    pub(super) fn called_after(&mut self, handled: Handled, at: Moment) -> Ringing {
        match handled.rang {
            Some(rang) => Ringing::new(self.new_call(rang), handled.rings),
            None => self.called_by_another(&handled.rings, at),
        }
    }
}
