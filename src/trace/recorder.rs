//! What a tap tells goes to a file, line by line, without ever holding up whoever handles calls.
//!
//! Between the tap and the disk is a queue of [`MOST_QUEUED`] entries. A disk that is slower than that
//! costs lines of the trace, and the trace says how many; one that is full costs lines until it has
//! room. What was written survives a crash: nothing is kept back but a line of masked text that is not
//! complete.

use super::form::{Header, MAGIC, PortChange, Record, What, write_header, write_record};
use super::mask::{Mask, Masker};
use super::tap::Sink;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Entries between the tap and the disk: some ten seconds of audio both ways.
const MOST_QUEUED: usize = 1024;
/// Entries written at once.
const BATCH: usize = 128;
/// The end of a process does not wait longer for a slow disk.
const LAST_LINES: Duration = Duration::from_millis(800);

/// Why a trace cannot be written to a file.
#[derive(Debug, thiserror::Error)]
pub enum TraceFileError {
    /// Something else is in its place.
    #[error("{} is there and is no trace; name another file", path.display())]
    NoTrace {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be opened, or not written.
    #[error("{} cannot be written: {source}; name another file", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A file that a trace is written to. One that has a trace in it is appended to.
#[derive(Debug)]
pub struct TraceFile {
    file: File,
    path: PathBuf,
}

impl TraceFile {
    /// Opens or creates it, readable for its owner alone: voices may be in it.
    pub fn open(path: &Path) -> Result<Self, TraceFileError> {
        let unwritable = |source| TraceFileError::Unwritable {
            path: path.to_owned(),
            source,
        };
        let is_regular = path.metadata().map_or(true, |found| found.is_file());
        let mut file = OpenOptions::new()
            .read(is_regular)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(unwritable)?;
        if is_regular {
            match ends_how(&mut file).map_err(unwritable)? {
                End::Clean => {}
                End::InMidLine => file.write_all(b"\n").map_err(unwritable)?,
                End::NoTrace => {
                    let path = path.to_owned();
                    return Err(TraceFileError::NoTrace { path });
                }
            }
        }
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Begins a trace. Must be called inside a tokio runtime, whose time it tells.
    pub fn record(self, header: &Header, mask: Option<Mask>) -> (Sink, Recorder) {
        let (for_tap, entries) = mpsc::channel(MOST_QUEUED);
        let missed = Arc::new(AtomicU64::new(0));
        let mut text = String::new();
        write_header(header, &mut text);
        let writing = Writing {
            file: Arc::new(self.file),
            path: self.path,
            entries,
            masker: mask.map(Masker::new),
            text,
            told: 0,
            unwritten: 0,
            missed: Arc::clone(&missed),
            latest: Duration::ZERO,
            complained: false,
        };
        let sink = Sink {
            entries: for_tap,
            start: Instant::now(),
            missed,
        };
        let task = tokio::spawn(writing.run());
        (sink, Recorder { task })
    }
}

enum End {
    /// Empty, or at the end of a line.
    Clean,
    /// A process was killed while it wrote.
    InMidLine,
    /// Not ours.
    NoTrace,
}

fn ends_how(file: &mut File) -> io::Result<End> {
    let mut start = [0; MAGIC.len()];
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(End::Clean);
    }
    if length < MAGIC.len() as u64 {
        return Ok(End::NoTrace);
    }
    file.read_exact(&mut start)?;
    if start != MAGIC.as_bytes() {
        return Ok(End::NoTrace);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(if last == *b"\n" {
        End::Clean
    } else {
        End::InMidLine
    })
}

/// What the tap told, on its way to the disk.
#[derive(Debug)]
pub(super) struct Entry {
    /// Entries that found no room before this one.
    pub(super) missed_before: u64,
    pub(super) at: Duration,
    pub(super) what: What,
}

/// The task that writes.
#[derive(Debug)]
pub struct Recorder {
    task: JoinHandle<()>,
}

impl Recorder {
    /// Waits until all has been written, but not for ever. To be called when no tap is left.
    pub async fn finish(self) {
        match tokio::time::timeout(LAST_LINES, self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the trace ended badly"),
            Err(_) => tracing::warn!("the disk is slow: the end of the trace is missing"),
        }
    }
}

struct Writing {
    file: Arc<File>,
    path: PathBuf,
    entries: mpsc::Receiver<Entry>,
    masker: Option<Masker>,
    /// Lines to be written next, and how many entries they tell.
    text: String,
    told: u64,
    /// Entries that the disk did not take.
    unwritten: u64,
    /// Entries that found no room in the queue.
    missed: Arc<AtomicU64>,
    latest: Duration,
    complained: bool,
}

impl Writing {
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            self.write().await;
            if self.entries.recv_many(&mut batch, BATCH).await == 0 {
                break;
            }
            for entry in batch.drain(..) {
                self.take(entry);
            }
        }
        let missing = self.missed.swap(0, Ordering::Relaxed) + std::mem::take(&mut self.unwritten);
        self.missing(missing);
        if let Some(masker) = &mut self.masker {
            let mut records = Vec::new();
            masker.finish(&mut records);
            for record in records {
                write_record(&record, &mut self.text);
            }
        }
        self.write().await;
    }

    fn take(&mut self, entry: Entry) {
        self.latest = entry.at;
        let missing = entry.missed_before + std::mem::take(&mut self.unwritten);
        self.missing(missing);
        self.record(entry.what);
        self.told += 1;
    }

    fn missing(&mut self, count: u64) {
        if count > 0 {
            self.record(What::Port(PortChange::Missing(count)));
        }
    }

    fn record(&mut self, what: What) {
        let at = self.latest;
        let record = Record { at, what };
        match &mut self.masker {
            None => write_record(&record, &mut self.text),
            Some(masker) => {
                let mut ready = Vec::new();
                masker.mask(record, &mut ready);
                for record in ready {
                    write_record(&record, &mut self.text);
                }
            }
        }
    }

    /// Writes what there is to write; what cannot be written is given up.
    async fn write(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || (&*file).write_all(text.as_bytes()));
        let told = std::mem::take(&mut self.told);
        let error = match written.await {
            Ok(Ok(())) => {
                self.complained = false;
                return;
            }
            Ok(Err(error)) => error,
            Err(error) => error.into(),
        };
        self.unwritten += told;
        // It may have ended in the middle of a line.
        self.text.push('\n');
        if !std::mem::replace(&mut self.complained, true) {
            tracing::warn!(
                "{}: the trace cannot be written: {error}",
                self.path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::{LinkOptions, MemoryModem, Scenario};
    use crate::modem::port::{Jack as _, Port};
    use crate::trace::form::parse;
    use crate::trace::tap::TappedJack;

    fn header() -> Header {
        Header {
            program: "callblock/0".into(),
            started: "then".into(),
            baud: 115_200,
            masked: false,
            device: "emulated".into(),
        }
    }

    /// A port under a tap that tells `path`.
    fn port(path: &Path) -> (Box<dyn Port>, Recorder) {
        let (sink, recorder) = TraceFile::open(path).unwrap().record(&header(), None);
        let modem = MemoryModem::new(Scenario::default(), LinkOptions::default());
        let mut jack = TappedJack::new(Box::new(modem.jack()), sink);
        (jack.open().unwrap(), recorder)
    }

    /// The disk is slow: the task that writes does not get on. Nobody waits for it, and the trace says
    /// how much it lacks.
    #[tokio::test(start_paused = true)]
    async fn what_finds_no_room_is_left_out_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modem.trace");
        let (mut port, recorder) = port(&path);
        for _ in 0..MOST_QUEUED + 500 {
            port.set_dtr(true).unwrap();
        }
        // Now it does.
        while recorder_is_behind(&path) {
            tokio::task::yield_now().await;
        }
        port.set_dtr(false).unwrap();
        drop(port);
        recorder.finish().await;
        let trace = parse(&std::fs::read(&path).unwrap()).unwrap();
        let changes: Vec<_> = trace.records.iter().map(|record| &record.what).collect();
        let is = |change| {
            changes
                .iter()
                .filter(|what| ***what == What::Port(change))
                .count()
        };
        assert_eq!(is(PortChange::DtrUp), MOST_QUEUED - 1);
        assert_eq!(is(PortChange::Missing(501)), 1);
        assert!(changes.ends_with(&[
            &What::Port(PortChange::Missing(501)),
            &What::Port(PortChange::DtrDown),
            &What::Port(PortChange::Closed)
        ]));
    }

    fn recorder_is_behind(path: &Path) -> bool {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().count() < 1 + MOST_QUEUED
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_costs_lines_and_nothing_else() {
        let (mut port, recorder) = port(Path::new("/dev/full"));
        port.set_dtr(true).unwrap();
        drop(port);
        recorder.finish().await;
    }
}
