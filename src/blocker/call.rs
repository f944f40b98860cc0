//! The row of a call while the call lasts, and the rings of it.

use super::machine::{Effect, Moment};
use crate::call::{ActionKind, CallRecord, Outcome, VerdictClass};
use crate::screen::{Caller, ListAction, Verdict};
use crate::store::CallKey;
use std::time::{Duration, Instant};

/// A row is written this long after the call's first sign at the latest, decided or not, so that
/// within a second a crash would leave a trace of it.
const ROW_DUE: Duration = Duration::from_millis(700);

/// RINGs closer together than this are one burst: the double rings of the UK and others.
const BURST_GAP: Duration = Duration::from_millis(1500);

/// A ring that is older than this says nothing of the line now: cadences repeat every 3 to 6 s.
pub(super) const RING_WINDOW: Duration = Duration::from_secs(8);

/// A caller's own RING is no older than this when his caller ID comes: 1 s is usual, 3.5 s are
/// reported.
pub(super) const CALLER_ID_AFTER_RING: Duration = Duration::from_millis(3500);

/// How far a burst may be from where the beat of those before it has it.
const OFF_BEAT: Duration = Duration::from_secs(1);

/// The rings of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Rings {
    pub(super) last: Option<Instant>,
    pub(super) bursts: u32,
    /// When the last burst began.
    pub(super) burst: Option<Moment>,
    /// From the first burst to the second: the exchange keeps to it as long as one caller rings.
    beat: Option<Duration>,
    /// A burst came off the beat: somebody else's ringing may have begun.
    pub(super) off_beat: bool,
}

impl Rings {
    pub(super) fn ring(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        if self
            .last
            .is_none_or(|last| at.now.duration_since(last) >= BURST_GAP)
        {
            self.burst(at);
            effects.push(Effect::Rang(self.bursts));
        }
        self.last = Some(at.now);
    }

    fn burst(&mut self, at: Moment) {
        if let Some(before) = self.burst.replace(at) {
            let gap = at.now.duration_since(before.now);
            let beat = *self.beat.get_or_insert(gap);
            self.off_beat |= gap.abs_diff(beat) > OFF_BEAT;
        }
        self.bursts += 1;
    }

    /// The last burst, if it is the one that a caller ID coming now goes with.
    pub(super) fn of_caller_id(&self, now: Instant) -> Option<Moment> {
        self.burst.filter(|_| {
            self.last
                .is_some_and(|last| now.duration_since(last) < CALLER_ID_AFTER_RING)
        })
    }

    /// Only this burst, the first of another call.
    pub(super) fn beginning(burst: Moment) -> Self {
        Self {
            last: Some(burst.now),
            bursts: 1,
            burst: Some(burst),
            ..Self::default()
        }
    }

    /// Whether the line rings: only then may it be picked up.
    pub(super) fn rings_at(&self, now: Instant) -> bool {
        self.last
            .is_some_and(|last| now.duration_since(last) < RING_WINDOW)
    }
}

/// A call that is not over, and its row.
#[derive(Clone, Debug)]
pub(super) struct OpenCall {
    pub(super) key: CallKey,
    pub(super) record: CallRecord,
    pub(super) began: Instant,
    /// What the line of the list that blocked it wants done, if not the usual.
    pub(super) wanted: Option<ListAction>,
    saved: bool,
}

impl OpenCall {
    pub(super) fn new(key: CallKey, at: Moment) -> Self {
        let record = CallRecord {
            started: at.wall,
            number: None,
            normalised: None,
            name: None,
            verdict: VerdictClass::Ring,
            reason: "rang once, without caller ID".into(),
            source: None,
            action: ActionKind::None,
            picked_up: None,
            ended: None,
            outcome: None,
            recording: None,
            dtmf: String::new(),
            quality: None,
            trouble: None,
        };
        Self {
            key,
            record,
            began: at.now,
            wanted: None,
            saved: false,
        }
    }

    pub(super) fn set_caller(&mut self, caller: &Caller) {
        self.record.number = caller.number.as_received().map(Into::into);
        self.record.normalised = caller.number.normalised().map(std::borrow::Cow::into_owned);
        self.record.name.clone_from(&caller.name);
    }

    pub(super) fn set_verdict(&mut self, verdict: &Verdict) {
        self.wanted.clone_from(&verdict.action);
        self.record.verdict = verdict.class;
        self.record.reason.clone_from(&verdict.reason);
        self.record.source = verdict.source.as_ref().map(ToString::to_string);
    }

    pub(super) fn key_pressed(&mut self, digit: char) {
        // A caller who leans on a key must not fill the log.
        const MOST_KEYS: usize = 256;
        if self.record.dtmf.len() < MOST_KEYS {
            self.record.dtmf.push(digit);
        }
    }

    pub(super) fn trouble(&mut self, what: &str) {
        match &mut self.record.trouble {
            Some(trouble) if trouble.contains(what) => {}
            Some(trouble) => {
                trouble.push_str("; ");
                trouble.push_str(what);
            }
            none => *none = Some(what.to_owned()),
        }
    }

    /// When the row must be written, if it is not yet.
    pub(super) fn row_due(&self) -> Option<Instant> {
        (!self.saved).then(|| self.began + ROW_DUE)
    }

    pub(super) fn save(&mut self, effects: &mut Vec<Effect>) {
        self.saved = true;
        effects.push(Effect::Save(self.key, self.record.clone()));
    }

    /// The call is over.
    pub(super) fn end(&mut self, outcome: Outcome, now: Instant, effects: &mut Vec<Effect>) {
        self.record.ended = Some(now.duration_since(self.began));
        self.record.outcome = Some(outcome);
        self.save(effects);
        effects.push(Effect::Ended(self.key, self.record.clone()));
    }
}
