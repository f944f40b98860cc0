//! The call log behind a task of its own.
//!
//! The database is opened and rows are written, in order, in jobs on the blocking pool; while a job
//! runs, rows wait. A row that could not be written is kept and tried again with the next one, and
//! every minute, so that a full disk costs no row once there is room again; and so is a database that
//! could not be opened. Nothing here keeps anybody waiting who screens calls.

use super::writer::{LogPlace, Patience, Writer};
use crate::call::CallRecord;
use crate::clock::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

/// How long after a failure the rows that wait are tried again.
const RETRY_INTERVAL: Duration = Duration::from_mins(1);
/// The most rows that wait for the disk to take them; beyond it the oldest is given up.
const MAX_WAITING: usize = 1000;

/// Names one call of this process. All records saved under a key are versions of one row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallKey(pub u64);

enum Message {
    Save(CallKey, Box<CallRecord>),
    /// Who is told when it is done.
    Close(oneshot::Sender<()>),
}

/// A handle on the task that writes the call log.
#[derive(Clone, Debug)]
pub struct CallLog {
    messages: mpsc::UnboundedSender<Message>,
    last_ring_before: Arc<OnceLock<Timestamp>>,
}

impl CallLog {
    /// Starts the task, which opens the database, completes the calls that a crash left in it, and
    /// writes what is saved. It ends with [`close`](Self::close), or after all handles are dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(place: LogPlace) -> Self {
        let (messages, inbox) = mpsc::unbounded_channel();
        let last_ring_before = Arc::default();
        let patience = Arc::new(Patience::default());
        let writer = Writer::new(place, Arc::clone(&patience), Arc::clone(&last_ring_before));
        // Detached: `close` waits for the task through its answer.
        drop::<JoinHandle<()>>(tokio::spawn(write_rows(writer, patience, inbox)));
        Self {
            messages,
            last_ring_before,
        }
    }

    /// When the last call of earlier processes began, as soon as the database was opened.
    pub fn last_ring_before(&self) -> Option<Timestamp> {
        self.last_ring_before.get().copied()
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
    /// A check of the database that is going on is cut short.
    pub async fn close(self) {
        let (done, closed) = oneshot::channel();
        if self.messages.send(Message::Close(done)).is_ok() {
            // An error means that the task is gone, and then there is nothing to wait for.
            let _ = closed.await;
        }
    }
}

/// The newest record of each call that waits, in the order of their first save; bounded.
#[derive(Default)]
pub(super) struct Queue(VecDeque<(CallKey, CallRecord)>);

impl Queue {
    pub(super) fn push(&mut self, key: CallKey, record: CallRecord) {
        if let Some(older) = self.0.iter_mut().find(|entry| entry.0 == key) {
            older.1 = record;
            return;
        }
        if self.0.len() == MAX_WAITING {
            self.0.pop_front();
            tracing::error!("too many calls wait for the call log: the oldest is given up");
        }
        self.0.push_back((key, record));
    }

    pub(super) fn front(&self) -> Option<&(CallKey, CallRecord)> {
        self.0.front()
    }

    pub(super) fn pop_front(&mut self) -> Option<(CallKey, CallRecord)> {
        self.0.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What came in and was not handed to a job yet.
struct Intake {
    inbox: mpsc::UnboundedReceiver<Message>,
    rows: Queue,
    /// Set at the end, with whoever waits for it.
    closing: Option<oneshot::Sender<()>>,
    patience: Arc<Patience>,
}

impl Intake {
    /// Takes the next message in; without one that is the end, and after it there is none.
    async fn receive(&mut self) {
        if self.closing.is_some() {
            return std::future::pending().await;
        }
        let message = self.inbox.recv().await;
        // All handles are gone: it is the end, and nobody waits for it.
        self.take(message.unwrap_or_else(|| Message::Close(oneshot::channel().0)));
    }

    fn receive_all_there_is(&mut self) {
        while self.closing.is_none()
            && let Ok(message) = self.inbox.try_recv()
        {
            self.take(message);
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Save(key, record) => self.rows.push(key, *record),
            Message::Close(closed) => {
                self.closing = Some(closed);
                self.patience.end();
            }
        }
    }
}

async fn write_rows(
    mut writer: Writer,
    patience: Arc<Patience>,
    inbox: mpsc::UnboundedReceiver<Message>,
) {
    let mut intake = Intake {
        inbox,
        rows: Queue::default(),
        closing: None,
        patience,
    };
    loop {
        writer.take(&mut intake.rows);
        let mut job = spawn_blocking(move || {
            writer.work();
            writer
        });
        let done = loop {
            tokio::select! {
                biased;
                done = &mut job => break done,
                () = intake.receive() => {}
            }
        };
        writer = match done {
            Ok(writer) => writer,
            Err(error) => {
                tracing::error!(%error, "the call log's writer is gone");
                return;
            }
        };
        if intake.rows.is_empty() && intake.closing.is_none() {
            if writer.has_work() {
                // Nothing came: it is time to try again.
                let _ = timeout(RETRY_INTERVAL, intake.receive()).await;
            } else {
                intake.receive().await;
            }
            intake.receive_all_there_is();
        }
        if intake.rows.is_empty() && intake.closing.is_some() {
            break;
        }
    }
    if writer.waiting() > 0 {
        let rows = writer.waiting();
        tracing::error!(rows, "calls could not be logged before the end");
    }
    // Closing a database writes to it, too. What a failure would change, nobody is left to do.
    let _ = spawn_blocking(move || drop(writer)).await;
    if let Some(closed) = intake.closing {
        let _ = closed.send(());
    }
}

#[cfg(test)]
mod tests;
