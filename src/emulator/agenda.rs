//! What is due when: a queue of things to do, in the order of their instants.

use std::collections::BTreeMap;
use std::time::Instant;

/// Things due at instants; things due at the same instant come out in the order they were put in.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    due: BTreeMap<(Instant, u64), T>,
    sequence: u64,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self {
            due: BTreeMap::new(),
            sequence: 0,
        }
    }

    pub(crate) fn add(&mut self, at: Instant, what: T) {
        self.sequence += 1;
        self.due.insert((at, self.sequence), what);
    }

    /// When the next thing is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Takes out the next thing if it is due by `now`, with the instant it was due at.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Instant, T)> {
        let entry = self.due.first_entry()?;
        let at = entry.key().0;
        (at <= now).then(|| (at, entry.remove()))
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.due.retain(|_, what| keep(what));
    }
}
