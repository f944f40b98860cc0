//! The time between our going off-hook and our hanging up: what comes after what in each action.

use super::BlockAction;
use super::call::OpenCall;
use super::machine::{Effect, Event, Handled, Moment};
use super::ringing::Ringing;

use crate::audio::listen::{EndOfCall, Position};
use crate::call::{ActionKind, Outcome};
use crate::modem::driver::{RING_WINDOW, RestingClass, VoiceEnd};
use crate::modem::line_code::LineCode;
use crate::modem::voice::VoiceMode;
use std::time::{Duration, Instant};

/// A RING so soon after our picking up was on its way already.
const RING_IN_FLIGHT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct OffHook {
    pub(super) call: OpenCall,
    pub(super) since: Instant,
    /// The call that this is, if it was answered before and rang on.
    pub(super) rang_on: Option<Handled>,
    pub(super) action: BlockAction,
    /// How long the line is held at least, and where the action's own course is not possible.
    pub(super) hold: Duration,
    /// The special information tones go before what is sent, or before a mere hang-up.
    pub(super) sit: bool,
    pub(super) phase: Phase,
    /// What the codes alone say, where there is no sound to judge by.
    pub(super) end_of_call: Box<EndOfCall>,
    /// When the call was over, though the modem is not on-hook yet.
    pub(super) over: Option<Instant>,
    /// It rang while we were off-hook.
    pub(super) still_rang: bool,
    /// The last RING, or our picking up.
    pub(super) last_ring: Instant,
    /// When somebody knocked who is to ring: what rings after our hanging up may be he.
    pub(super) knocked: Option<Instant>,
    /// The first RING that came when the line was being given up already.
    pub(super) rang_after: Option<RangAfter>,
    /// Who was announced when the line was being given up already.
    pub(super) next: Option<Box<Ringing>>,
}

/// A RING before the modem's word that it is on-hook.
#[derive(Clone, Copy, Debug)]
pub(super) enum RangAfter {
    /// As far as is known of this call.
    ThisCall(Moment),
    Another(Moment),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    PickingUp,
    /// The line is held until then.
    Holding(Instant),
    AnsweringAsFax,
    StartingVoice,
    /// A stream is open, until then at most.
    Streaming(Option<Instant>),
    /// The message is being played out.
    Finishing,
    /// We are hanging up.
    HangingUp(Outcome),
}

impl OffHook {
    /// It is not answered, or not answered again, as far as the modem has said.
    pub(super) fn rings_on(&self) -> bool {
        self.phase == Phase::PickingUp || self.call.is_still_to_be_answered()
    }

    /// When the call ends if the modem is lost now: it may have hung while it was hanging up.
    pub(super) fn ended(&self, now: Instant) -> Instant {
        let picked_up = self.call.record.picked_up.unwrap_or_default();
        self.over
            .map_or(now, |over| over.max(self.call.began + picked_up))
    }

    /// When time alone changes something.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Holding(until) => Some(until),
            Phase::Streaming(limit) => limit,
            _ => None,
        };
        let next = self.next.as_ref().map(|next| next.deadline());
        [phase, self.call.row_due(), next]
            .into_iter()
            .flatten()
            .min()
    }

    /// Everything but caller ID and the end of it.
    pub(super) fn take(&mut self, event: &Event, at: Moment, effects: &mut Vec<Effect>) {
        match event {
            Event::PickedUp(class) => self.picked_up(*class, at, effects),
            Event::Refused { what } => self.refused(what, at, effects),
            Event::VoiceStarted => self.voice_started(at, effects),
            Event::PlaybackFinished => {
                let nothing_follows = matches!(
                    self.action,
                    BlockAction::Message { .. } | BlockAction::HangUp { .. }
                );
                if nothing_follows && matches!(self.phase, Phase::Streaming(_)) {
                    self.phase = Phase::Finishing;
                    effects.push(Effect::FinishVoice);
                }
            }
            Event::VoiceEnded(end) => self.voice_ended(*end, at, effects),
            Event::FarEndGone => self.hang_up(Outcome::CallerHungUp, at, effects),
            Event::LineQuality(quality) => self.call.record.quality = Some(*quality),
            Event::FaxEnded | Event::EndCall => self.hang_up(Outcome::Finished, at, effects),
            Event::Code(code) => self.code(*code, at, effects),
            Event::Digit(digit) => self.call.key_pressed(*digit),
            Event::CallerId { caller, .. } => {
                // The rest of the caller ID that brought us here.
                self.call.set_caller(caller);
                self.call.save(effects);
            }
            Event::Ring => self.rang(at, effects),
            Event::TimePassed => self.time_passed(at, effects),
            _ => {}
        }
    }

    fn picked_up(&mut self, class: RestingClass, at: Moment, effects: &mut Vec<Effect>) {
        if self.phase != Phase::PickingUp {
            return self.really_picked_up(at, effects);
        }
        if self.rang_on.is_some() {
            self.call
                .trouble("rang on after it was answered; answered again");
        }
        if class != self.action.class(self.sit) {
            self.make_do();
        }
        let record = &mut self.call.record;
        record
            .picked_up
            .get_or_insert(at.now.duration_since(self.call.began));
        let voice = match &self.action {
            BlockAction::HangUp { .. } if self.sit => Some(VoiceMode::Transmit),
            BlockAction::HangUp { hold } => {
                self.phase = Phase::Holding(at.now + *hold);
                None
            }
            BlockAction::Fax => {
                self.phase = Phase::AnsweringAsFax;
                None
            }
            BlockAction::Message { .. } | BlockAction::Transmit { .. } => Some(VoiceMode::Transmit),
            BlockAction::Record { .. } => Some(VoiceMode::Receive),
            BlockAction::Duplex { .. } => Some(VoiceMode::Duplex),
        };
        if let Some(mode) = voice {
            self.phase = Phase::StartingVoice;
            effects.push(Effect::StartVoice(mode));
        }
        self.call.save(effects);
        effects.push(Effect::Answered(self.call.key, self.action.kind()));
    }

    /// The line was taken the other way, so it was not ours before: all that lasts counts from now.
    fn really_picked_up(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        let picked_up = Some(at.now.duration_since(self.call.began));
        match (&mut self.phase, &self.action) {
            // It is given up already, perhaps before the modem's word on the first way came.
            (Phase::HangingUp(_), _) if self.call.record.picked_up.is_some() => return,
            (Phase::Holding(until), BlockAction::HangUp { hold }) => *until = at.now + *hold,
            (
                Phase::Streaming(Some(until)),
                BlockAction::Record { limit }
                | BlockAction::Transmit { limit, .. }
                | BlockAction::Duplex { limit, .. },
            ) => *until = at.now + *limit,
            _ => {}
        }
        self.call.record.picked_up = picked_up;
        self.call.save(effects);
    }

    /// The modem picked up in another class than the action needs.
    fn make_do(&mut self) {
        let sit = std::mem::replace(&mut self.sit, false);
        if !matches!(self.action, BlockAction::HangUp { .. }) {
            let wanted = self.action.kind().as_str();
            self.call
                .trouble(&format!("the modem cannot do {wanted}; hung up instead"));
            self.action = BlockAction::HangUp { hold: self.hold };
            self.call.record.action = ActionKind::HangUp;
        } else if sit {
            self.call
                .trouble("the modem cannot send tones; hung up without them");
        }
    }

    /// What the action needs is not to be had: the call is hung up on instead.
    fn refused(&mut self, what: &str, at: Moment, effects: &mut Vec<Effect>) {
        self.call.trouble(what);
        effects.push(Effect::Warn(what.to_owned()));
        match self.phase {
            Phase::PickingUp => {
                // Nothing was done, as far as the modem says.
                self.call.record.action = ActionKind::None;
                self.call.record.picked_up = None;
                self.hang_up(Outcome::Finished, at, effects);
            }
            Phase::StartingVoice => {
                self.call.trouble("hung up instead");
                self.call.record.action = ActionKind::HangUp;
                self.action = BlockAction::HangUp { hold: self.hold };
                self.phase = Phase::Holding(at.now + self.hold);
            }
            Phase::AnsweringAsFax => {
                let at_once = at.now.duration_since(self.since) < RING_IN_FLIGHT;
                self.no_fax(at_once, at, effects);
            }
            _ => {}
        }
    }

    /// The modem does not answer as a fax: the call is hung up on instead, if the line `rings`.
    fn no_fax(&mut self, rings: bool, at: Moment, effects: &mut Vec<Effect>) {
        self.call.trouble("hung up instead");
        self.call.record.action = ActionKind::HangUp;
        if !rings {
            // The modem answered, and gave up later: nobody may be calling any more.
            return self.hang_up(Outcome::Finished, at, effects);
        }
        self.call.record.picked_up = None;
        self.sit = false;
        self.action = BlockAction::HangUp { hold: self.hold };
        self.phase = Phase::PickingUp;
        effects.push(Effect::PickUpOtherWay);
    }

    fn voice_started(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        if self.phase != Phase::StartingVoice {
            return;
        }
        let (limit, file, records) = match &self.action {
            BlockAction::Message { file } => (None, Some(file), false),
            BlockAction::Record { limit } => (Some(*limit), None, true),
            BlockAction::Transmit { file, limit } => (Some(*limit), file.as_ref(), false),
            BlockAction::Duplex { file, limit, .. } => (Some(*limit), file.as_ref(), true),
            // For the tones alone.
            BlockAction::HangUp { .. } => (None, None, false),
            BlockAction::Fax => return,
        };
        self.phase = Phase::Streaming(limit.map(|limit| at.now + limit));
        if records {
            effects.push(Effect::StartRecording {
                call: self.call.key,
                started: self.call.record.started,
                number: self.call.record.number.clone(),
            });
        }
        if self.sit && !matches!(self.action, BlockAction::Record { .. }) {
            effects.push(Effect::PlaySpecialInformation);
        }
        effects.extend(file.cloned().map(Effect::Play));
    }

    fn voice_ended(&mut self, end: VoiceEnd, at: Moment, effects: &mut Vec<Effect>) {
        effects.push(Effect::StopRecording);
        match (self.phase, end) {
            (Phase::HangingUp(_), _) => {}
            (_, VoiceEnd::ByModem) => self.hang_up(Outcome::CallerHungUp, at, effects),
            (_, VoiceEnd::Stuck) => {
                self.call.trouble("the modem took or gave no more audio");
                self.hang_up(Outcome::Finished, at, effects);
            }
            (_, VoiceEnd::Asked) => {
                // After less sound than the line is to be held for.
                match self.held_until().filter(|until| at.now < *until) {
                    Some(until) => self.phase = Phase::Holding(until),
                    None => self.hang_up(Outcome::Finished, at, effects),
                }
            }
        }
    }

    /// Until when the line is held at least, however little was sent: an exchange may ring on a caller
    /// who was answered too shortly.
    fn held_until(&self) -> Option<Instant> {
        let hold = match self.action {
            BlockAction::HangUp { hold } => hold,
            _ => self.hold,
        };
        Some(self.call.began + self.call.record.picked_up? + hold)
    }

    fn code(&mut self, code: LineCode, at: Moment, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::HangingUp(_)) {
            return;
        }
        if code.is_handset() {
            return self.hang_up(Outcome::Handset, at, effects);
        }
        let off_hook_for = at.now.duration_since(self.since);
        if self.depends_on_codes()
            && self
                .end_of_call
                .code(code, Position(0).after(off_hook_for))
                .is_some()
        {
            self.hang_up(Outcome::CallerHungUp, at, effects);
        }
    }

    /// While a fax answer is going on, the modem's own result code comes, and ends it. Where there is
    /// sound, the sound decides.
    fn depends_on_codes(&self) -> bool {
        !matches!(self.phase, Phase::AnsweringAsFax | Phase::HangingUp(_)) && !self.hears()
    }

    /// Whether the caller is listened to: codes are hints then, and [`Event::FarEndGone`] decides.
    fn hears(&self) -> bool {
        matches!(self.phase, Phase::Streaming(_))
            && matches!(
                self.action,
                BlockAction::Record { .. } | BlockAction::Duplex { .. }
            )
    }

    fn rang(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        let silent_for = at
            .now
            .duration_since(std::mem::replace(&mut self.last_ring, at.now));
        if matches!(self.phase, Phase::HangingUp(_)) {
            self.rang_after.get_or_insert(RangAfter::ThisCall(at));
        } else if silent_for >= RING_WINDOW {
            self.another_rang(at, effects);
        } else if at.now.duration_since(self.since) > RING_IN_FLIGHT {
            self.still_ringing(at, effects);
        }
    }

    /// A ring so long after the last is not this call's, and nobody else may be picked up. Where there
    /// is a stream the modem may be mistaken; a modem that answers as a fax says nothing meanwhile, and
    /// has not answered.
    fn another_rang(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        if self.phase == Phase::AnsweringAsFax {
            let what = "the modem did not answer as a fax";
            self.call.trouble(what);
            effects.push(Effect::Warn(what.into()));
            self.call.record.action = ActionKind::None;
            self.call.record.picked_up = None;
            self.rang_after = Some(RangAfter::Another(at));
            self.hang_up(Outcome::Finished, at, effects);
        } else {
            self.call.trouble("a ring was reported in mid-call");
        }
    }

    /// The modem says that it is off-hook, and the line rings: it gets one more chance.
    fn still_ringing(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        if self.phase == Phase::PickingUp {
            // It has not said so yet.
            return;
        }
        if std::mem::replace(&mut self.still_rang, true) {
            return;
        }
        self.call
            .trouble("rang on although the modem said it was off-hook");
        if self.knocked.is_some() {
            // Who was announced since rings now, and may.
            return;
        }
        if self.phase == Phase::AnsweringAsFax {
            let what = "the modem does not answer as a fax";
            self.call.trouble(what);
            effects.push(Effect::Warn(what.into()));
            self.no_fax(true, at, effects);
        } else {
            effects.push(Effect::PickUpOtherWay);
        }
    }

    fn time_passed(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Holding(until) if until <= at.now => {
                self.hang_up(Outcome::Finished, at, effects);
            }
            Phase::Streaming(Some(limit)) if limit <= at.now => {
                self.hang_up(Outcome::TimeLimit, at, effects);
            }
            _ => {}
        }
        if self.call.row_due().is_some_and(|due| due <= at.now) {
            self.call.save(effects);
        }
        let next_is_over = |next: &mut Box<Ringing>| next.over_at() <= at.now;
        if let Some(next) = self.next.take_if(next_is_over) {
            next.end(at, effects);
        }
    }

    pub(super) fn hang_up(&mut self, outcome: Outcome, at: Moment, effects: &mut Vec<Effect>) {
        if !matches!(self.phase, Phase::HangingUp(_)) {
            self.phase = Phase::HangingUp(outcome);
            self.over = Some(at.now);
            effects.push(Effect::HangUp);
        }
    }
}
