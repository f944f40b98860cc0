//! The row of a call while the call lasts, and the rings of it.

use super::machine::{Effect, Moment};
use crate::call::{ActionKind, CallRecord, Outcome, VerdictClass};
use crate::screen::{Caller, ListAction, Verdict};
use crate::store::CallKey;
use std::time::{Duration, Instant};

/// A row is written this long after the call's first sign at the latest, decided or not, so that
/// within a second a crash would leave a trace of it.
const ROW_DUE: Duration = Duration::from_millis(700);

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

    /// It is to be blocked, and the modem has not picked it up: it rings on.
    pub(super) fn is_still_to_be_answered(&self) -> bool {
        self.record.verdict == VerdictClass::Block && self.record.picked_up.is_none()
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
