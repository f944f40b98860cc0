//! The call log behind a task of its own.
//!
//! Rows are written in order, in jobs on the blocking pool. A row that could not be written is kept
//! and tried again with the next one, and every minute, so that a full disk costs no row once there
//! is room again.

use super::{Store, StoreError};
use crate::call::CallRecord;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

/// How long after a failure the rows that wait are tried again.
const RETRY_INTERVAL: Duration = Duration::from_mins(1);
/// The most rows that wait for the disk to take them; beyond it the oldest is given up.
const MAX_WAITING: usize = 1000;
/// How many calls are remembered with their rows. A call is written a handful of times in a row.
const MAX_KNOWN: usize = 32;

/// Names one call of this process. All records saved under a key are versions of one row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallKey(pub u64);

enum Message {
    Save(CallKey, Box<CallRecord>),
    Retry,
    /// Who is told when it is done, if anybody waits for it.
    Close(Option<oneshot::Sender<()>>),
}

/// A handle on the task that writes the call log.
#[derive(Clone, Debug)]
pub struct CallLog {
    messages: mpsc::UnboundedSender<Message>,
}

impl CallLog {
    /// Starts the task. It ends with [`close`](Self::close), or after all handles are dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(store: Store) -> Self {
        let (messages, inbox) = mpsc::unbounded_channel();
        // Detached: `close` waits for the task through its answer.
        drop::<JoinHandle<()>>(tokio::spawn(write_rows(store, inbox)));
        Self { messages }
    }

    /// Writes a call: the first time as a new row, later over that row. Returns at once; a failure
    /// is logged, and the row is tried again later.
    pub fn save(&self, key: CallKey, record: CallRecord) {
        if self
            .messages
            .send(Message::Save(key, Box::new(record)))
            .is_err()
        {
            tracing::error!(call = key.0, "the call log is closed: a call is not logged");
        }
    }

    /// Waits until everything saved so far is on disk (or has failed once more), and ends the task.
    pub async fn close(self) {
        let (done, closed) = oneshot::channel();
        if self.messages.send(Message::Close(Some(done))).is_ok() {
            // An error means that the task is gone, and then there is nothing to wait for.
            let _ = closed.await;
        }
    }
}

async fn write_rows(store: Store, mut inbox: mpsc::UnboundedReceiver<Message>) {
    let mut writer = Writer::new(store);
    let closed = loop {
        let mut closing = None;
        let mut next = Some(next_message(&mut inbox, !writer.waiting.is_empty()).await);
        while let Some(message) = next {
            match message {
                Message::Save(key, record) => writer.enqueue(key, *record),
                Message::Retry => {}
                Message::Close(closed) => {
                    closing = Some(closed);
                    break;
                }
            }
            next = inbox.try_recv().ok();
        }
        let job = spawn_blocking(move || {
            writer.write();
            writer
        });
        writer = match job.await {
            Ok(writer) => writer,
            Err(error) => {
                tracing::error!(%error, "the call log's writer is gone");
                return;
            }
        };
        if let Some(closed) = closing {
            break closed;
        }
    };
    if !writer.waiting.is_empty() {
        let rows = writer.waiting.len();
        tracing::error!(rows, "calls could not be logged before the end");
    }
    // Closing a database writes to it, too. What a failure would change, nobody is left to do.
    let _ = spawn_blocking(move || drop(writer)).await;
    if let Some(closed) = closed {
        let _ = closed.send(());
    }
}

/// The next message; without one, `Close` when all handles are gone, and `Retry` after a while if
/// rows wait.
async fn next_message(inbox: &mut mpsc::UnboundedReceiver<Message>, rows_wait: bool) -> Message {
    let received = if rows_wait {
        match timeout(RETRY_INTERVAL, inbox.recv()).await {
            Ok(received) => received,
            Err(_) => return Message::Retry,
        }
    } else {
        inbox.recv().await
    };
    received.unwrap_or(Message::Close(None))
}

/// What is to be written, and where it was written before.
struct Writer {
    store: Store,
    /// The newest record of each call that is not on disk yet, in the order of their first save.
    waiting: VecDeque<(CallKey, CallRecord)>,
    /// The rows of the latest calls.
    known: VecDeque<(CallKey, i64)>,
    failing: bool,
}

impl Writer {
    const fn new(store: Store) -> Self {
        Self {
            store,
            waiting: VecDeque::new(),
            known: VecDeque::new(),
            failing: false,
        }
    }

    fn enqueue(&mut self, key: CallKey, record: CallRecord) {
        if let Some(older) = self.waiting.iter_mut().find(|entry| entry.0 == key) {
            older.1 = record;
            return;
        }
        if self.waiting.len() == MAX_WAITING {
            self.waiting.pop_front();
            tracing::error!("too many calls wait for the call log: the oldest is given up");
        }
        self.waiting.push_back((key, record));
    }

    /// Writes what waits, in order, up to the first failure.
    fn write(&mut self) {
        while let Some((key, record)) = self.waiting.front() {
            let (key, written) = (*key, self.write_one(*key, record));
            match written {
                Ok(row) => {
                    self.waiting.pop_front();
                    self.remember(key, row);
                }
                Err(error) => {
                    if !self.failing {
                        tracing::error!(%error, call = key.0, "a call is not logged yet; it is kept and tried again with the next one");
                    }
                    self.failing = true;
                    return;
                }
            }
        }
        if self.failing {
            tracing::info!("the call log can be written again");
            self.failing = false;
        }
    }

    fn write_one(&self, key: CallKey, record: &CallRecord) -> Result<i64, StoreError> {
        match self.known.iter().find(|entry| entry.0 == key) {
            Some(&(_, row)) => self.store.update(row, record).map(|()| row),
            None => self.store.insert(record),
        }
    }

    fn remember(&mut self, key: CallKey, row: i64) {
        if self.known.iter().any(|entry| entry.0 == key) {
            return;
        }
        if self.known.len() == MAX_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back((key, row));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call, scratch};
    use super::*;
    use crate::call::Outcome;

    #[tokio::test]
    async fn a_call_is_one_row_however_often_it_is_saved() {
        let (_folder, file) = scratch();
        let log = CallLog::start(Store::open(&file).unwrap());
        let mut first = call("5550101");
        log.save(CallKey(1), first.clone());
        log.save(CallKey(2), call("5550102"));
        tokio::task::yield_now().await;
        first.outcome = Some(Outcome::Finished);
        log.clone().save(CallKey(1), first.clone());
        log.close().await;
        let rows = Store::open(&file).unwrap().recent(10).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].number.as_deref(), Some("5550101"));
        assert_eq!(rows[0].outcome.as_deref(), Some("finished"));
        assert_eq!(rows[1].outcome, None);
    }

    #[tokio::test]
    async fn a_row_is_on_disk_while_the_call_lasts() {
        let (_folder, file) = scratch();
        let log = CallLog::start(Store::open(&file).unwrap());
        log.save(CallKey(1), call("5550101"));
        let reader = Store::open(&file).unwrap();
        while reader.recent(1).unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        log.close().await;
    }

    #[tokio::test]
    async fn saving_after_the_end_does_no_harm() {
        let (_folder, file) = scratch();
        let log = CallLog::start(Store::open(&file).unwrap());
        let other = log.clone();
        log.close().await;
        other.save(CallKey(1), call("5550101"));
        other.close().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_failed_is_tried_again_without_another_call() {
        let (_folder, file) = scratch();
        let store = Store::open(&file).unwrap();
        let disk = fill(&file);
        let log = CallLog::start(store);
        log.save(CallKey(1), call("5550101"));
        tokio::time::sleep(RETRY_INTERVAL * 3).await;
        disk.execute_batch("DROP TRIGGER full").unwrap();
        tokio::time::sleep(RETRY_INTERVAL * 2).await;
        let rows = Store::open(&file).unwrap().recent(10).unwrap();
        assert_eq!(rows.len(), 1);
        log.close().await;
    }

    /// A trigger stands in for a disk without room.
    fn fill(file: &std::path::Path) -> rusqlite::Connection {
        let disk = rusqlite::Connection::open(file).unwrap();
        disk.execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON calls BEGIN SELECT raise(ABORT, 'full'); END",
        )
        .unwrap();
        disk
    }

    #[test]
    fn a_row_that_failed_is_written_later_in_its_newest_form() {
        let (_folder, file) = scratch();
        let store = Store::open(&file).unwrap();
        let disk = fill(&file);
        let mut writer = Writer::new(store);
        let mut first = call("5550101");
        writer.enqueue(CallKey(1), first.clone());
        writer.enqueue(CallKey(2), call("5550102"));
        writer.write();
        assert!(writer.failing);
        first.trouble = Some("disk".into());
        writer.enqueue(CallKey(1), first);
        writer.write();
        assert_eq!(writer.waiting.len(), 2);
        disk.execute_batch("DROP TRIGGER full").unwrap();
        writer.enqueue(CallKey(3), call("5550103"));
        writer.write();
        assert!(!writer.failing && writer.waiting.is_empty());
        let rows = writer.store.recent(10).unwrap();
        let numbers: Vec<_> = rows.iter().filter_map(|row| row.number.clone()).collect();
        assert_eq!(numbers, ["5550101", "5550102", "5550103"]);
        assert_eq!(rows[0].trouble.as_deref(), Some("disk"));
    }

    #[test]
    fn what_waits_and_what_is_remembered_is_bounded() {
        let (_folder, file) = scratch();
        let mut writer = Writer::new(Store::open(&file).unwrap());
        for key in 0..1500 {
            writer.enqueue(CallKey(key), call("5550101"));
        }
        assert_eq!(writer.waiting.len(), MAX_WAITING);
        assert_eq!(
            writer.waiting.front().map(|entry| entry.0),
            Some(CallKey(500))
        );
        writer.waiting.truncate(100);
        writer.write();
        assert_eq!(writer.known.len(), MAX_KNOWN);
    }
}
