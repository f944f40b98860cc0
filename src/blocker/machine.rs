//! The call's state machine: an event and a moment in, effects out.
//!
//! Pure: no I/O, no clock, no task. It knows when a call begins and ends, when the line may be picked
//! up, and what comes after what in each block action. What a call's caller is worth is decided by
//! the function passed to [`Blocker::handle`]; how effects are carried out is the
//! [daemon](super::daemon)'s business.
//!
//! Two rules hold in every state: nothing is picked up unless a ring was seen in the last 8 s, and
//! whatever was picked up is hung up.

mod effect;
mod event;
mod next_caller;
mod on_hook;

pub use effect::Effect;
pub use event::{Event, Moment};

pub(super) use on_hook::Handled;

use super::BlockAction;
use super::call::OpenCall;
use super::off_hook::{OffHook, Phase, RangAfter};
use super::ringing::{Announcement, Ringing};
use super::rings::Rings;
use crate::audio::listen::{EndOfCall, EndRules};
use crate::call::{Outcome, VerdictClass};
use crate::screen::{Caller, Verdict};
use crate::store::CallKey;
use std::time::{Duration, Instant};

/// Decides about a caller.
pub type Decide<'a> = &'a mut dyn FnMut(&Caller) -> Verdict;

#[derive(Debug)]
enum State {
    OnHook {
        /// The call handled last, while rings may still be its.
        handled: Option<Handled>,
    },
    Ringing(Ringing),
    OffHook(OffHook),
}

/// The state machine.
#[derive(Debug)]
pub struct Blocker {
    action: BlockAction,
    /// How long the line is held where the action's own course is not possible.
    hold: Duration,
    /// Whether the special information tones go first.
    sit: bool,
    state: State,
    /// From one ring to the next on this line, once it is known.
    beat: Option<Duration>,
    next_key: u64,
    /// The calls that ended last: their recordings may still be on their way to the disk, and the
    /// newest may ring again.
    over: Vec<OpenCall>,
}

impl Blocker {
    /// A machine that deals with blocked calls by `action`; where the modem cannot, it holds the line
    /// for `hold` and hangs up.
    pub fn new(action: BlockAction, hold: Duration) -> Self {
        Self {
            action,
            hold,
            sit: false,
            state: State::OnHook { handled: None },
            beat: None,
            next_key: 1,
            over: Vec::new(),
        }
    }

    /// With the special information tones ("no such number") before whatever is sent, and before a
    /// mere hang-up.
    #[must_use]
    pub const fn with_special_information(mut self, sit: bool) -> Self {
        self.sit = sit;
        self
    }

    /// Whether the line is ours now.
    pub const fn is_off_hook(&self) -> bool {
        matches!(self.state, State::OffHook(_))
    }

    /// After how much silence of the caller something is to be played to him.
    pub fn silence(&self) -> Option<Duration> {
        match &self.state {
            State::OffHook(off_hook) => off_hook.action.silence(),
            _ => None,
        }
    }

    /// Whether a call is going on.
    pub const fn in_call(&self) -> bool {
        !matches!(self.state, State::OnHook { .. })
    }

    /// When [`Event::TimePassed`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::OnHook { handled } => handled.as_ref().map(|handled| handled.until),
            State::Ringing(ringing) => Some(ringing.deadline()),
            State::OffHook(off_hook) => off_hook.deadline(),
        }
    }

    /// Takes one event. Effects are to be carried out in their order.
    #[must_use]
    pub fn handle(&mut self, event: Event, at: Moment, decide: Decide<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::RecordingCreated { call, path } => {
                self.recording_created(call, path, &mut effects);
            }
            Event::RecordingClosed { call, trouble } => {
                self.recording_closed(call, trouble, &mut effects);
            }
            Event::PortLost => self.end_now(Outcome::PortLost, at, &mut effects),
            Event::Stop => self.end_now(Outcome::Stopped, at, &mut effects),
            event => {
                let state = std::mem::replace(&mut self.state, State::OnHook { handled: None });
                self.state = match state {
                    State::OnHook { handled } => {
                        self.on_hook(handled, &event, at, decide, &mut effects)
                    }
                    State::Ringing(ringing) => {
                        self.ringing(ringing, &event, at, decide, &mut effects)
                    }
                    State::OffHook(off_hook) => {
                        self.off_hook(off_hook, &event, at, decide, &mut effects)
                    }
                };
            }
        }
        effects
    }

    fn new_call(&mut self, at: Moment) -> OpenCall {
        let key = CallKey(self.next_key);
        self.next_key += 1;
        OpenCall::new(key, at)
    }

    // ----- ringing -----

    fn ringing(
        &mut self,
        mut ringing: Ringing,
        event: &Event,
        at: Moment,
        decide: Decide<'_>,
        effects: &mut Vec<Effect>,
    ) -> State {
        match event {
            Event::Ring => {
                ringing.rings.ring(at, effects);
                self.beat = ringing.rings.beat;
                match ringing.verdict {
                    Some(VerdictClass::Block) => self.pick_up(ringing.call, None, at, effects),
                    None if ringing.rings.bursts >= 2 => {
                        self.screen(ringing, Caller::from_line(None, None), at, decide, effects)
                    }
                    _ => State::Ringing(ringing),
                }
            }
            Event::CallerId { caller, revision } => {
                match ringing.announced(caller, *revision, at.now) {
                    Announcement::Repeated => State::Ringing(ringing),
                    Announcement::Ours => self.screen(ringing, caller.clone(), at, decide, effects),
                    Announcement::SomebodyElses => {
                        // The one before gave up.
                        let next = self.called_by_another(&ringing.rings, at);
                        ringing.end(at, effects);
                        self.screen(next, caller.clone(), at, decide, effects)
                    }
                }
            }
            Event::TimePassed => {
                if ringing.over_at() <= at.now {
                    ringing.end(at, effects);
                    return State::OnHook { handled: None };
                }
                if ringing.call.row_due().is_some_and(|due| due <= at.now) {
                    ringing.call.save(effects);
                }
                State::Ringing(ringing)
            }
            Event::Code(code) if code.is_handset() => {
                ringing.rings.handset_lifted(at.now);
                State::Ringing(ringing)
            }
            _ => State::Ringing(ringing),
        }
    }

    /// The call of somebody else than whose rings these were: the last of them may be his already.
    fn called_by_another(&mut self, rings: &Rings, at: Moment) -> Ringing {
        match rings.of_caller_id(at.now) {
            Some(burst) => {
                let rings = Rings::beginning(burst, self.beat);
                Ringing::new(self.new_call(burst), rings)
            }
            None => Ringing::new(self.new_call(at), Rings::on_line(self.beat)),
        }
    }

    /// Decides about a caller, and picks up if he is blocked and the line rings.
    fn screen(
        &mut self,
        mut ringing: Ringing,
        caller: Caller,
        at: Moment,
        decide: Decide<'_>,
        effects: &mut Vec<Effect>,
    ) -> State {
        ringing.screen(caller, at.now, decide);
        let (key, record) = (ringing.call.key, ringing.call.record.clone());
        let state = if ringing.is_blocked() && ringing.rings.rings_at(at.now) {
            self.pick_up(ringing.call, None, at, effects)
        } else {
            ringing.call.save(effects);
            State::Ringing(ringing)
        };
        effects.push(Effect::Screened(key, record));
        state
    }

    // ----- off-hook -----

    fn pick_up(
        &self,
        mut call: OpenCall,
        rang_on: Option<Handled>,
        at: Moment,
        effects: &mut Vec<Effect>,
    ) -> State {
        let action = match &call.wanted {
            Some(wanted) => self.action.instead(wanted, self.hold),
            None => self.action.clone(),
        };
        let class = action.class(self.sit);
        effects.push(if rang_on.is_some() {
            Effect::PickUpAgain(class)
        } else {
            Effect::PickUp(class)
        });
        call.record.action = action.kind();
        State::OffHook(OffHook {
            call,
            since: at.now,
            rang_on,
            action,
            hold: self.hold,
            sit: self.sit,
            phase: Phase::PickingUp,
            end_of_call: Box::new(EndOfCall::new(EndRules::CODES_ONLY)),
            over: None,
            still_rang: false,
            last_ring: at.now,
            knocked: None,
            rang_after: None,
            next: None,
        })
    }

    fn off_hook(
        &mut self,
        mut off_hook: OffHook,
        event: &Event,
        at: Moment,
        decide: Decide<'_>,
        effects: &mut Vec<Effect>,
    ) -> State {
        let given_up = matches!(off_hook.phase, Phase::HangingUp(_));
        if given_up && self.said_of_next(&mut off_hook, event, at, decide, effects) {
            return State::OffHook(off_hook);
        }
        if let Event::CallerId {
            caller,
            revision: false,
        } = event
        {
            if off_hook.phase == Phase::PickingUp
                && let Some(handled) = off_hook.rang_on.take()
            {
                self.rings_were_anothers(&mut off_hook, handled, caller, at, decide, effects);
            } else if self.call_waiting(caller, at, decide, effects) {
                off_hook.knocked = Some(at.now);
            }
            return State::OffHook(off_hook);
        }
        if *event == Event::OnHook {
            return self.went_on_hook(off_hook, at, effects);
        }
        off_hook.take(event, at, effects);
        State::OffHook(off_hook)
    }

    /// Caller ID while the line is ours: somebody knocks. He is logged and never answered. Whether he
    /// may ring.
    fn call_waiting(
        &mut self,
        caller: &Caller,
        at: Moment,
        decide: Decide<'_>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let verdict = decide(caller);
        let mut call = self.new_call(at);
        call.set_caller(caller);
        call.set_verdict(&verdict);
        call.end(Outcome::CallWaiting, at.now, effects);
        verdict.class != VerdictClass::Block
    }

    fn went_on_hook(&mut self, off_hook: OffHook, at: Moment, effects: &mut Vec<Effect>) -> State {
        let mut call = off_hook.call;
        effects.push(Effect::StopRecording);
        let outcome = match off_hook.phase {
            Phase::HangingUp(outcome) => outcome,
            _ => Outcome::Finished,
        };
        call.end(outcome, at.now, effects);
        let key = call.key;
        self.remember(call);
        if let Some(next) = off_hook.next {
            return self.next_may_be_answered(*next, at, effects);
        }
        let mut rings = Rings::on_line(self.beat);
        let rang = match off_hook.rang_after {
            Some(RangAfter::Another(_)) => {
                return State::Ringing(self.next_call(off_hook.rang_after, at, effects));
            }
            Some(RangAfter::ThisCall(rang)) => {
                rings.ring(rang, effects);
                Some(rang)
            }
            None => None,
        };
        State::OnHook {
            handled: Some(Handled {
                answered_again: off_hook.rang_on.is_some(),
                knocked: off_hook.knocked.is_some(),
                rang: rang.filter(|_| off_hook.rang_on.is_none()),
                ..Handled::new(key, at.now, rings)
            }),
        }
    }

    /// Whatever is going on is over, without a word to the modem.
    fn end_now(&mut self, outcome: Outcome, at: Moment, effects: &mut Vec<Effect>) {
        let state = std::mem::replace(&mut self.state, State::OnHook { handled: None });
        let (mut call, ended, rings_on) = match state {
            State::OnHook { .. } if outcome == Outcome::PortLost => {
                // The call handled last may ring on all the same.
                self.state = state;
                return;
            }
            State::OnHook { .. } => return,
            State::Ringing(Ringing { call, .. }) => {
                let rings_on = call.is_still_to_be_answered();
                (call, at.now, rings_on)
            }
            State::OffHook(mut off_hook) => {
                effects.push(Effect::StopRecording);
                let ended = off_hook.ended(at.now);
                if let Some(next) = off_hook.next {
                    off_hook.call.end(outcome, ended, effects);
                    self.remember(off_hook.call);
                    let rings_on = next.call.is_still_to_be_answered();
                    (next.call, at.now, rings_on)
                } else {
                    let rings_on = off_hook.rings_on();
                    (off_hook.call, ended, rings_on)
                }
            }
        };
        call.end(outcome, ended, effects);
        if outcome == Outcome::PortLost && rings_on {
            let rings = Rings::on_line(self.beat);
            self.state = State::OnHook {
                handled: Some(Handled::new(call.key, at.now, rings)),
            };
        }
        self.remember(call);
    }

    // ----- recordings -----

    fn remember(&mut self, call: OpenCall) {
        // A recording is closed within moments; more would mean a disk that never answers.
        const MOST: usize = 16;
        if self.over.len() == MOST {
            self.over.remove(0);
        }
        self.over.push(call);
    }

    fn call_mut(&mut self, key: CallKey) -> Option<&mut OpenCall> {
        let open = match &mut self.state {
            State::OffHook(off_hook) => Some(&mut off_hook.call),
            State::Ringing(ringing) => Some(&mut ringing.call),
            State::OnHook { .. } => None,
        };
        open.into_iter()
            .chain(&mut self.over)
            .find(|call| call.key == key)
    }

    fn recording_created(&mut self, key: CallKey, path: String, effects: &mut Vec<Effect>) {
        if let Some(call) = self.call_mut(key) {
            if call.record.recording.is_some() {
                call.trouble(&format!("second recording: {path}"));
            } else {
                call.record.recording = Some(path);
            }
            call.save(effects);
        }
    }

    fn recording_closed(
        &mut self,
        key: CallKey,
        trouble: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        if let (Some(call), Some(trouble)) = (self.call_mut(key), trouble) {
            call.trouble(&trouble);
            call.save(effects);
            effects.push(Effect::Warn(trouble));
        }
    }
}
