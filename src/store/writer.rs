//! The side of the call log that waits for the disk: opens the database, checks it, puts one that is
//! of no use aside, and writes rows. Everything here runs in jobs on the blocking pool; nothing here
//! knows of tokio.

use super::call_log::{CallKey, Queue};
use super::set_aside::set_aside;
use super::{Store, StoreError};
use crate::call::CallRecord;
use crate::clock::{Timestamp, WallClock};
use rusqlite::InterruptHandle;
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How many calls are remembered with their rows. A call is written a handful of times in a row.
const MAX_KNOWN: usize = 32;

/// Where the call log is, and how much of it is kept.
#[derive(Clone, Debug)]
pub struct LogPlace {
    /// The database. The folder it is in is made if it is missing, but not the one above that: if
    /// that is missing, so is a disk.
    pub file: PathBuf,
    /// For the end of interrupted calls, and the name of a database that is set aside.
    pub clock: Arc<dyn WallClock>,
    /// The most rows kept; all of them if `None`.
    pub keep_calls: Option<NonZeroU32>,
}

/// Lets somebody who has to end soon cut short the check of a big database.
#[derive(Default)]
pub(super) struct Patience(Mutex<PatienceState>);

#[derive(Default)]
enum PatienceState {
    #[default]
    Idle,
    Checking(InterruptHandle),
    Over,
}

impl Patience {
    /// Ends a check that is going on, and lets none begin.
    pub(super) fn end(&self) {
        if let PatienceState::Checking(check) = self.set(PatienceState::Over) {
            check.interrupt();
        }
    }

    fn check(&self, store: &Store) -> Result<(), StoreError> {
        {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*state, PatienceState::Over) {
                return Ok(());
            }
            *state = PatienceState::Checking(store.interrupt_handle());
        }
        let checked = store.check();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, PatienceState::Checking(_)) {
            *state = PatienceState::Idle;
        }
        checked
    }

    fn set(&self, new: PatienceState) -> PatienceState {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut state, new)
    }
}

/// What is to be written, and where it was written before.
pub(super) struct Writer {
    place: LogPlace,
    patience: Arc<Patience>,
    store: Option<OpenStore>,
    /// The newest record of each call that is not on disk yet.
    waiting: Queue,
    /// The rows of the latest calls.
    known: VecDeque<(CallKey, i64)>,
    /// The calls that an earlier process died in have their outcome.
    completed: bool,
    /// When the last call of earlier processes began.
    last_ring_before: Arc<OnceLock<Timestamp>>,
    failing: bool,
}

struct OpenStore {
    store: Store,
    /// Device and inode, by which a file that was moved or deleted is noticed: SQLite would go on
    /// writing into it.
    identity: Option<(u64, u64)>,
}

impl Writer {
    pub(super) fn new(
        place: LogPlace,
        patience: Arc<Patience>,
        last_ring_before: Arc<OnceLock<Timestamp>>,
    ) -> Self {
        Self {
            place,
            patience,
            store: None,
            waiting: Queue::default(),
            known: VecDeque::new(),
            completed: false,
            last_ring_before,
            failing: false,
        }
    }

    /// Takes over what came meanwhile.
    pub(super) fn take(&mut self, intake: &mut Queue) {
        while let Some((key, record)) = intake.pop_front() {
            self.waiting.push(key, record);
        }
    }

    /// How many calls are not on disk.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether something is left that may succeed later.
    pub(super) fn has_work(&self) -> bool {
        self.store.is_none() || !self.waiting.is_empty()
    }

    /// Does all that can be done now.
    pub(super) fn work(&mut self) {
        if let Some(open) = &self.store
            && open.identity != identity(&self.place.file)
        {
            tracing::error!("the call log was moved or deleted: a new one is begun");
            self.close();
        }
        if (self.store.is_some() || self.open()) && !self.write() {
            // Found to be damaged while it was written: the next one has to take the rows.
            if self.open() {
                self.write();
            }
        }
    }

    fn close(&mut self) {
        self.store = None;
        self.known.clear();
    }

    fn open(&mut self) -> bool {
        let store = match self.place.open(&self.patience) {
            Ok(store) => store,
            Err(error) => {
                self.failed(&error);
                return false;
            }
        };
        if !std::mem::replace(&mut self.completed, true) {
            complete_interrupted(&store, self.place.clock.as_ref());
            // It is only for show.
            if let Ok(Some(last_ring)) = store.last_ring() {
                let _ = self.last_ring_before.set(last_ring);
            }
        }
        self.store = Some(OpenStore {
            identity: identity(&self.place.file),
            store,
        });
        self.prune();
        if self.waiting.is_empty() {
            self.succeeded();
        }
        true
    }

    /// Writes what waits, in order, up to the first failure. Returns false if the database turned
    /// out to be of no use, and is closed.
    fn write(&mut self) -> bool {
        let mut calls_ended = false;
        while let (Some(open), Some((key, record))) = (&self.store, self.waiting.front()) {
            let key = *key;
            match write_one(&open.store, self.known_row(key), record) {
                Ok(row) => {
                    let outcome = record.outcome.map(crate::call::Outcome::as_str);
                    calls_ended |= outcome.is_some();
                    tracing::debug!(call = key.0, row, outcome, "the call is on disk");
                    self.waiting.pop_front();
                    self.remember(key, row);
                }
                Err(error) => {
                    self.failed(&error);
                    let is_final = error.is_final();
                    if is_final {
                        self.close();
                    }
                    return !is_final;
                }
            }
        }
        self.succeeded();
        if calls_ended {
            self.prune();
        }
        true
    }

    fn failed(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(%error, "calls are screened, but not logged for now; they are kept and tried again");
        }
    }

    fn succeeded(&mut self) {
        if std::mem::take(&mut self.failing) {
            tracing::info!("the call log can be written again");
        }
    }

    fn prune(&self) {
        let (Some(keep), Some(open)) = (self.place.keep_calls, &self.store) else {
            return;
        };
        match open.store.prune(keep.get()) {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "the oldest calls were removed from the log"),
            Err(error) => tracing::warn!("the oldest calls stay in the log: {error}"),
        }
    }

    fn known_row(&self, key: CallKey) -> Option<i64> {
        let known = self.known.iter().find(|entry| entry.0 == key);
        known.map(|&(_, row)| row)
    }

    fn remember(&mut self, key: CallKey, row: i64) {
        if self.known_row(key).is_some() {
            return;
        }
        if self.known.len() == MAX_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back((key, row));
    }
}

impl LogPlace {
    /// Opens and checks the database; one that is of no use is set aside for a new one.
    fn open(&self, patience: &Patience) -> Result<Store, StoreError> {
        if let Some(folder) = self.file.parent().filter(|folder| !folder.exists()) {
            // If it cannot be made, SQLite will say so.
            let _ = std::fs::create_dir(folder);
        }
        let opened = Store::open(&self.file).and_then(|store| {
            patience.check(&store)?;
            Ok(store)
        });
        let unusable = match opened {
            Err(error) if error.is_final() => error,
            other => return other,
        };
        match set_aside(&self.file, self.clock.now()) {
            Ok(aside) => {
                tracing::error!(
                    "{unusable}; it is kept as {}, and a new one is begun",
                    aside.display()
                );
                Store::open(&self.file)
            }
            Err(source) => Err(StoreError::InTheWay {
                unusable: Box::new(unusable),
                source,
            }),
        }
    }
}

fn write_one(store: &Store, row: Option<i64>, record: &CallRecord) -> Result<i64, StoreError> {
    match row {
        Some(row) => store.update(row, record).map(|()| row),
        None => store.insert(record),
    }
}

fn complete_interrupted(store: &Store, clock: &dyn WallClock) {
    match store.complete_interrupted(clock.now()) {
        Ok(0) => {}
        Ok(calls) => tracing::info!(calls, "calls that were interrupted are completed"),
        Err(error) => tracing::warn!("interrupted calls stay incomplete: {error}"),
    }
}

fn identity(file: &Path) -> Option<(u64, u64)> {
    let found = file.metadata().ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests;
