//! The telephone line: exchange, callers, the handset in the house.
//!
//! Knows whether the modem and the handset are off-hook, and nothing else of the modem. Passes on
//! what a modem can notice on the wire as [`LineEvent`]s.

use super::agenda::Agenda;
use super::caller_id::CallerId;
use super::far_end::{DIAL_TONE_CODE, FarEnd, Repeated, dial_tone, ringback};
use super::journal::{Happening, Journal};
use super::scenario::{Cadence, Call, CallerIdTime, Dial, Ending, Scenario};
use super::sound::{SILENCE, samples_in};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// From on-hook to the first ring of an exchange that did not notice, or did not care.
const RINGS_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Waiting for dial tone (S6) and the length of one dialled digit with its pause.
const BEFORE_DIALLING: Duration = Duration::from_secs(2);
const DIALLED_DIGIT: Duration = Duration::from_millis(200);

/// What a modem can notice on the wire.
#[derive(Clone, Debug)]
pub(crate) enum LineEvent {
    Ring,
    CallerId(CallerId),
    /// Caller ID of a second caller, in the middle of a call.
    CallWaiting(CallerId),
    MessageWaiting(u8),
    /// A tone or key that detectors know: the second byte of its code.
    Code(u8),
    LoopBreak,
    HandsetLifted,
    HandsetReplaced,
    FarEndAnswered,
    FarEndBusy,
    NoDialTone,
}

#[derive(Debug)]
enum Due {
    CallBegins(usize),
    RingCycle(u32),
    Burst,
    StrayRing,
    CallerId,
    GiveUp,
    PersonAnswers,
    HandsetLifted,
    HandsetReplaced,
    Code(u8),
    Repeat(Repeated),
    FarEndHangsUp,
    FarEndAnswers,
    FarEndBusy,
    NoDialTone,
    MessageWaiting(u8),
}

#[derive(Debug)]
enum State {
    Idle,
    Ringing {
        call: usize,
        rings: u32,
        announces: Option<CallerIdTime>,
    },
    Connected {
        /// `None` for a call that the modem made.
        call: Option<usize>,
        since: Instant,
        far_end: FarEnd,
        /// Rings left when it was picked up.
        rings: u32,
    },
    Dialling {
        dialled: Instant,
    },
}

/// The line and everybody on it.
#[derive(Debug)]
pub(crate) struct Line {
    /// Those that are not over, by the order in which they were added.
    calls: BTreeMap<usize, Call>,
    added: usize,
    cadence: Cadence,
    call_waiting: bool,
    shortest_answer: Duration,
    dial: Option<Dial>,
    agenda: Agenda<Due>,
    state: State,
    modem_since: Option<Instant>,
    handset_off_hook: bool,
    journal: Journal,
}

impl Line {
    pub(crate) fn new(scenario: &Scenario, start: Instant, journal: Journal) -> Self {
        let mut line = Self {
            calls: BTreeMap::new(),
            added: 0,
            cadence: scenario.cadence.clone(),
            call_waiting: scenario.call_waiting,
            shortest_answer: scenario.shortest_answer,
            dial: scenario.dial.clone(),
            agenda: Agenda::new(),
            state: State::Idle,
            modem_since: None,
            handset_off_hook: false,
            journal,
        };
        for waiting in &scenario.message_waiting {
            let due = Due::MessageWaiting(waiting.count);
            line.agenda.add(start + waiting.at, due);
        }
        for call in &scenario.calls {
            line.add_call(start, call.clone());
        }
        line
    }

    /// Adds a call. Its `at` counts from `start`; its `after` from the end of the call before it, or
    /// from `start` if there is none.
    pub(crate) fn add_call(&mut self, start: Instant, call: Call) {
        let (at, after) = (call.at, call.after);
        let index = self.take_in(call);
        if let Some(at) = at {
            self.agenda.add(start + at, Due::CallBegins(index));
        } else if index == 0 {
            let after = after.unwrap_or(Duration::from_secs(2));
            self.agenda.add(start + after, Due::CallBegins(index));
        }
    }

    fn take_in(&mut self, call: Call) -> usize {
        let index = self.added;
        self.calls.insert(index, call);
        self.added += 1;
        index
    }

    /// Begins a call at once.
    pub(crate) fn ring_now(&mut self, now: Instant, mut call: Call) {
        // It does not wait for the end of the call before it.
        call.at = Some(Duration::ZERO);
        let index = self.take_in(call);
        self.agenda.add(now, Due::CallBegins(index));
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.agenda.next()
    }

    /// The next thing noticed by `now`, with its instant.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Instant, Option<LineEvent>)> {
        let (at, due) = self.agenda.pop(now)?;
        Some((at, self.happen(at, &due)))
    }

    fn happen(&mut self, at: Instant, due: &Due) -> Option<LineEvent> {
        match *due {
            Due::CallBegins(index) => self.call_begins(at, index),
            Due::RingCycle(number) => {
                self.ring_cycle(at, number);
                None
            }
            Due::Burst | Due::StrayRing => Some(LineEvent::Ring),
            Due::CallerId => self.announcement().map(LineEvent::CallerId),
            Due::GiveUp => {
                self.end_call(at);
                None
            }
            Due::PersonAnswers => self.person_answers(at),
            Due::HandsetLifted => {
                self.handset_off_hook = true;
                self.journal.note(at, Happening::HandsetLifted);
                Some(LineEvent::HandsetLifted)
            }
            Due::HandsetReplaced => {
                self.handset_off_hook = false;
                self.journal.note(at, Happening::HandsetReplaced);
                if self.modem_since.is_none() {
                    self.end_call(at);
                }
                Some(LineEvent::HandsetReplaced)
            }
            Due::Code(code) => Some(LineEvent::Code(code)),
            Due::Repeat(repeated) => {
                self.agenda.add(at + repeated.every, Due::Repeat(repeated));
                Some(LineEvent::Code(repeated.code))
            }
            Due::FarEndHangsUp => self.far_end_hangs_up(at),
            Due::FarEndAnswers => {
                let dial = self.dial.clone().unwrap_or_default();
                self.journal.note(at, Happening::FarEndAnswered);
                self.connect(at, None, FarEnd::new(dial.says, dial.ends), 0);
                Some(LineEvent::FarEndAnswered)
            }
            Due::FarEndBusy => Some(LineEvent::FarEndBusy),
            Due::NoDialTone => Some(LineEvent::NoDialTone),
            Due::MessageWaiting(count) => {
                let free = self.modem_since.is_none() && !self.handset_off_hook;
                free.then_some(LineEvent::MessageWaiting(count))
            }
        }
    }

    fn call_begins(&mut self, at: Instant, index: usize) -> Option<LineEvent> {
        let call = self.calls.get(&index)?;
        let number = call.number.clone().unwrap_or_default();
        let announcement = call.announcement();
        let in_use = self.modem_since.is_some() || self.handset_off_hook;
        if in_use || !matches!(self.state, State::Idle) {
            let connected = matches!(self.state, State::Connected { .. });
            let waiting = announcement.filter(|_| self.call_waiting && connected);
            if waiting.is_some() {
                self.journal.note(at, Happening::CallBegins(number));
            } else {
                self.journal.note(at, Happening::CallerFoundBusy(number));
            }
            self.schedule_after(at, index);
            return waiting.map(LineEvent::CallWaiting);
        }
        self.journal.note(at, Happening::CallBegins(number));
        let before_ring = call.caller_id == CallerIdTime::BeforeFirstRing;
        let first_ring = if before_ring {
            at + call.delay.unwrap_or(Duration::from_millis(300))
        } else {
            at
        };
        if let Some(after) = call.person_answers {
            self.agenda.add(first_ring + after, Due::PersonAnswers);
        }
        self.state = State::Ringing {
            call: index,
            rings: call.rings,
            announces: Some(call.caller_id),
        };
        self.agenda.add(first_ring, Due::RingCycle(0));
        announcement
            .filter(|_| before_ring)
            .map(LineEvent::CallerId)
    }

    fn ring_cycle(&mut self, at: Instant, number: u32) {
        let State::Ringing {
            call,
            rings,
            announces,
        } = self.state
        else {
            return;
        };
        if number >= rings {
            self.agenda.add(at, Due::GiveUp);
            return;
        }
        let mut last = at;
        for offset in self.cadence.reports() {
            last = at + offset;
            self.agenda.add(last, Due::Burst);
        }
        let announces_now = matches!(
            (announces, number),
            (Some(CallerIdTime::AfterFirstRing), 0) | (Some(CallerIdTime::AfterSecondRing), 1)
        );
        if announces_now {
            let delay = self.calls.get(&call).and_then(|call| call.delay);
            let delay = delay.unwrap_or(Duration::from_secs(1));
            self.agenda.add(last + delay, Due::CallerId);
        }
        self.agenda
            .add(at + self.cadence.cycle(), Due::RingCycle(number + 1));
    }

    fn announcement(&self) -> Option<CallerId> {
        match self.state {
            State::Ringing { call, .. } => self.calls.get(&call)?.announcement(),
            _ => None,
        }
    }

    fn person_answers(&mut self, at: Instant) -> Option<LineEvent> {
        let State::Ringing { call, rings, .. } = self.state else {
            return None;
        };
        let answered = self.calls.get(&call)?;
        let far_end = FarEnd::new(answered.says.clone(), answered.ends);
        let talks = answered.person_talks;
        self.handset_off_hook = true;
        self.journal.note(at, Happening::HandsetLifted);
        self.connect(at, Some(call), far_end, rings);
        self.agenda.add(at + talks, Due::HandsetReplaced);
        Some(LineEvent::HandsetLifted)
    }

    fn connect(&mut self, at: Instant, call: Option<usize>, far_end: FarEnd, rings: u32) {
        self.agenda.retain(Due::outlives_a_call);
        for (after, code) in far_end.key_codes() {
            self.agenda.add(at + after, Due::Code(code));
        }
        if let Some(after) = far_end.hangs_up() {
            self.agenda.add(at + after, Due::FarEndHangsUp);
        }
        self.journal.note(at, Happening::Connected);
        self.state = State::Connected {
            call,
            since: at,
            far_end,
            rings,
        };
    }

    fn far_end_hangs_up(&mut self, at: Instant) -> Option<LineEvent> {
        let State::Connected { far_end, .. } = &self.state else {
            return None;
        };
        self.journal.note(at, Happening::FarEndHungUp);
        if let Some(repeated) = far_end.ending_code() {
            self.agenda.add(at + repeated.first, Due::Repeat(repeated));
        }
        (far_end.ending() == Ending::LoopBreak).then_some(LineEvent::LoopBreak)
    }

    fn schedule_after(&mut self, end: Instant, index: usize) {
        self.calls.remove(&index);
        let Some(next) = self.calls.get(&(index + 1)) else {
            return;
        };
        if next.at.is_none() {
            let after = next.after.unwrap_or(Duration::from_secs(2));
            self.agenda.add(end + after, Due::CallBegins(index + 1));
        }
    }

    fn end_call(&mut self, at: Instant) {
        self.agenda.retain(Due::outlives_a_call);
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Ringing { call, .. }
            | State::Connected {
                call: Some(call), ..
            } => {
                self.journal.note(at, Happening::CallEnded);
                self.schedule_after(at, call);
            }
            State::Connected { call: None, .. } => self.journal.note(at, Happening::CallEnded),
            State::Idle | State::Dialling { .. } => {}
        }
    }

    /// The modem seizes the line.
    pub(crate) fn off_hook(&mut self, now: Instant) {
        if self.modem_since.is_some() {
            return;
        }
        self.modem_since = Some(now);
        match self.state {
            State::Ringing { call, rings, .. } => self.modem_answers(now, call, rings),
            State::Idle if !self.handset_off_hook => {
                let tone = DIAL_TONE_CODE;
                self.agenda.add(now + tone.first, Due::Repeat(tone));
            }
            _ => {}
        }
    }

    fn modem_answers(&mut self, now: Instant, index: usize, rings: u32) {
        let Some(call) = self.calls.get(&index).cloned() else {
            return;
        };
        self.connect(now, Some(index), FarEnd::new(call.says, call.ends), rings);
        for number in 1..=call.stray_rings.min(100) {
            let later = self.cadence.cycle() * number;
            self.agenda.add(now + later, Due::StrayRing);
        }
        if let Some(after) = call.handset_lifted {
            self.agenda.add(now + after, Due::HandsetLifted);
            let back = now + after + call.handset_back;
            self.agenda.add(back, Due::HandsetReplaced);
        }
    }

    /// The modem releases the line.
    pub(crate) fn on_hook(&mut self, now: Instant) {
        if self.modem_since.take().is_none() || self.handset_off_hook {
            return;
        }
        let State::Connected {
            call: Some(index),
            since,
            rings,
            ..
        } = self.state
        else {
            self.end_call(now);
            return;
        };
        let Some(call) = self.calls.get_mut(&index) else {
            return;
        };
        let unnoticed = now.saturating_duration_since(since) < self.shortest_answer;
        let again = if unnoticed {
            rings
        } else {
            std::mem::take(&mut call.rings_again)
        };
        if again == 0 {
            self.end_call(now);
            return;
        }
        self.agenda.retain(Due::outlives_a_call);
        self.state = State::Ringing {
            call: index,
            rings: again,
            announces: None,
        };
        self.agenda.add(now + RINGS_AGAIN_AFTER, Due::RingCycle(0));
    }

    /// The modem, off-hook, dials so many digits.
    pub(crate) fn dial(&mut self, now: Instant, digits: usize) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        self.agenda.retain(Due::outlives_a_call);
        let dialled = now + BEFORE_DIALLING + DIALLED_DIGIT * digits.min(64) as u32;
        self.state = State::Dialling { dialled };
        let dial = self.dial.clone().unwrap_or_default();
        if dial.no_dial_tone {
            self.agenda.add(now + BEFORE_DIALLING, Due::NoDialTone);
        } else if dial.busy {
            let heard = dialled + Duration::from_secs(3);
            self.agenda.add(heard, Due::FarEndBusy);
        } else if let Some(after) = dial.answers {
            self.agenda.add(dialled + after, Due::FarEndAnswers);
        }
    }

    /// How long dialling so many digits takes.
    pub(crate) fn dialling_time(digits: usize) -> Duration {
        BEFORE_DIALLING + DIALLED_DIGIT * digits.min(64) as u32
    }

    pub(crate) fn modem_is_off_hook(&self) -> bool {
        self.modem_since.is_some()
    }

    pub(crate) fn handset_is_off_hook(&self) -> bool {
        self.handset_off_hook
    }

    /// Whether the caller is a fax machine.
    pub(crate) fn is_fax(&self) -> bool {
        match self.state {
            State::Connected {
                call: Some(call), ..
            } => self.calls.get(&call).is_some_and(|call| call.fax),
            _ => false,
        }
    }

    /// What is on the line from `from` on.
    pub(crate) fn listen(&self, from: Instant, count: u64, into: &mut Vec<u8>) {
        let index_since = |since: Instant| samples_in(from.saturating_duration_since(since));
        match &self.state {
            State::Connected { since, far_end, .. } => {
                far_end.listen(index_since(*since), count, into);
            }
            State::Dialling { dialled } if from >= *dialled => {
                let base = index_since(*dialled);
                into.extend((base..base + count).map(ringback));
            }
            State::Idle if !self.handset_off_hook => {
                let base = self.modem_since.map_or(0, index_since);
                into.extend((base..base + count).map(dial_tone));
            }
            _ => into.extend((0..count).map(|_| SILENCE)),
        }
    }
}

impl Due {
    /// Whether it is about the future rather than about the call that is ending or being answered.
    fn outlives_a_call(&self) -> bool {
        matches!(self, Self::CallBegins(_) | Self::MessageWaiting(_))
    }
}
