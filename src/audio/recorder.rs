//! Recording a call, with the disk kept out of the audio's way.
//!
//! Blocks of samples are taken in at once and written about once a second by ordered jobs on the
//! blocking pool; after each job the file on disk can be played. A slow disk makes the jobs bigger,
//! up to a minute of audio; what comes beyond that is lost, counted and reported. Nothing that goes
//! wrong here ends a call.

use super::listen::{CallEnd, samples_to_keep};
use super::recordings::Recordings;
use super::wav::{WavError, WavWriter, repair, shorten};
use super::{SAMPLE_RATE, duration_of};
use crate::clock::Timestamp;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};

/// How often the file on disk is brought up to date: with the time that the job takes, a crash costs
/// less than a second of the call.
const WRITE_INTERVAL: Duration = Duration::from_millis(800);
/// The most audio that waits for the disk: 60 s.
const MAX_WAITING_SAMPLES: u64 = 60 * SAMPLE_RATE as u64;
/// The most recordings of one caller that begin in the same second.
const MAX_SAME_NAME: u32 = 1000;

/// Why a recording is not whole.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file could not be created: there is no recording.
    #[error("the recording {} cannot be created: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: WavError,
    },
    /// The file could not be written to its end.
    #[error("the recording {} is not whole: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: WavError,
    },
    /// The disk has too little free room to record, or to go on recording.
    #[error("the recording was not made, or not to its end: only {} MB are free", free / 1_000_000)]
    NoRoom {
        /// Bytes that are free.
        free: u64,
    },
    /// Somebody deleted the file during the call.
    #[error("the recording {} was deleted while it was written", path.display())]
    Deleted {
        /// The file.
        path: PathBuf,
    },
    /// The jobs that write were cancelled: the program is ending.
    #[error("the recording was given up")]
    Cancelled,
}

/// What came of a recording.
#[derive(Debug)]
pub struct RecordingSummary {
    /// The file, if one was created.
    pub path: Option<PathBuf>,
    /// Samples in the file.
    pub samples: u64,
    /// Samples that did not reach the file.
    pub lost: u64,
    /// The first thing that went wrong.
    pub error: Option<RecordError>,
}

impl RecordingSummary {
    /// What went wrong, in words for the call log.
    pub fn trouble(&self) -> Option<String> {
        let lost = duration_of(self.lost).as_secs_f64();
        match (&self.error, self.lost) {
            (None, 0) => None,
            (None, _) => Some(format!(
                "the recording lost {lost:.1} s: the disk is too slow"
            )),
            (Some(error), 0) => Some(error.to_string()),
            (Some(error), _) => Some(format!("{error} ({lost:.1} s lost)")),
        }
    }
}

/// A recording that is going on.
///
/// A recorder that is dropped ends its file, too, but nobody learns what came of it.
#[derive(Debug)]
pub struct Recorder {
    blocks: mpsc::UnboundedSender<Vec<u8>>,
    intake: Arc<Intake>,
    created: watch::Receiver<Option<PathBuf>>,
    task: JoinHandle<RecordingSummary>,
}

/// Samples on their way from `push` to the disk.
#[derive(Debug, Default)]
struct Intake {
    waiting: AtomicU64,
    lost: AtomicU64,
}

impl Recorder {
    /// Starts a recording, named by the call's start and the caller's number as received. Returns at
    /// once; the file is created by the first job. A folder that is gone is created again, if the
    /// one it was in is still there.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(recordings: &Recordings, started: Timestamp, number: Option<&str>) -> Self {
        let (blocks, inbox) = mpsc::unbounded_channel();
        let (announce, created) = watch::channel(None);
        let intake = Arc::new(Intake::default());
        let task = tokio::spawn(record(
            recordings.clone(),
            recordings.stem(started, number),
            inbox,
            Arc::clone(&intake),
            announce,
        ));
        Self {
            blocks,
            intake,
            created,
            task,
        }
    }

    /// Takes samples in. Never waits: what the disk cannot take within a minute is lost and counted.
    pub fn push(&self, block: Vec<u8>) {
        let samples = block.len() as u64;
        let waiting = self.intake.waiting.fetch_add(samples, Ordering::Relaxed) + samples;
        if waiting > MAX_WAITING_SAMPLES || self.blocks.send(block).is_err() {
            self.intake.waiting.fetch_sub(samples, Ordering::Relaxed);
            self.intake.lost.fetch_add(samples, Ordering::Relaxed);
        }
    }

    /// Resolves when the file is there, to its path; or to `None` when it is certain that there
    /// will be none. Does not borrow the recorder.
    pub fn created(&self) -> impl Future<Output = Option<PathBuf>> + Send + use<> {
        let mut created = self.created.clone();
        async move {
            match created.wait_for(Option::is_some).await {
                Ok(path) => path.clone(),
                Err(_) => None,
            }
        }
    }

    /// Ends the recording as [`finish`](Self::finish) does, then cuts the tones or the dead air that
    /// ended the call off its end. The call's sound is counted from the first sample of the recording;
    /// one that is not whole is not cut.
    pub async fn finish_trimmed(self, end: CallEnd) -> RecordingSummary {
        let mut summary = self.finish().await;
        let whole = summary.error.is_none() && summary.lost == 0;
        let keep = samples_to_keep(summary.samples, Some(&end));
        let Some(path) = summary.path.clone() else {
            return summary;
        };
        if whole && keep < summary.samples {
            match spawn_blocking(move || shorten(&path, keep)).await {
                Ok(Ok(samples)) => summary.samples = samples,
                Ok(Err(error)) => tracing::warn!("the end of the recording is not cut: {error}"),
                Err(_) => {}
            }
        }
        summary
    }

    /// Ends the recording: writes what is left, and waits until it is safe on the disk.
    pub async fn finish(self) -> RecordingSummary {
        drop(self.blocks);
        self.task.await.unwrap_or(RecordingSummary {
            path: None,
            samples: 0,
            lost: 0,
            error: Some(RecordError::Cancelled),
        })
    }
}

/// The task of a recording: creates the file, and then has the blocks of each interval written.
async fn record(
    recordings: Recordings,
    stem: String,
    mut inbox: mpsc::UnboundedReceiver<Vec<u8>>,
    intake: Arc<Intake>,
    announce: watch::Sender<Option<PathBuf>>,
) -> RecordingSummary {
    let created = spawn_blocking(move || Recording::create(recordings, &stem)).await;
    let Ok(mut recording) = created else {
        return cancelled(&intake);
    };
    if let Some(path) = &recording.summary.path {
        announce.send_replace(Some(path.clone()));
    }
    // Dropped without a path, it says that there will be no file.
    drop(announce);
    while let Some(pending) = gather(&mut inbox).await {
        let samples = pending.len() as u64;
        recording = match spawn_blocking(move || recording.write(&pending)).await {
            Ok(recording) => recording,
            Err(_) => return cancelled(&intake),
        };
        intake.waiting.fetch_sub(samples, Ordering::Relaxed);
    }
    let lost = intake.lost.load(Ordering::Relaxed);
    match spawn_blocking(move || recording.finish(lost)).await {
        Ok(summary) => summary,
        Err(_) => cancelled(&intake),
    }
}

/// All blocks that come within the interval that the first one begins; `None` at the end.
async fn gather(inbox: &mut mpsc::UnboundedReceiver<Vec<u8>>) -> Option<Vec<u8>> {
    let mut pending = inbox.recv().await?;
    let over = tokio::time::sleep(WRITE_INTERVAL);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            block = inbox.recv() => match block {
                Some(block) => pending.extend_from_slice(&block),
                None => return Some(pending),
            },
            () = &mut over => return Some(pending),
        }
    }
}

fn cancelled(intake: &Intake) -> RecordingSummary {
    RecordingSummary {
        path: None,
        samples: 0,
        lost: intake.lost.load(Ordering::Relaxed) + intake.waiting.load(Ordering::Relaxed),
        error: Some(RecordError::Cancelled),
    }
}

/// The file of a recording, and what has come of it so far. The methods wait for the disk.
#[derive(Debug)]
struct Recording {
    recordings: Recordings,
    /// `None` after a failure: what comes then is lost.
    writer: Option<WavWriter>,
    summary: RecordingSummary,
}

impl Recording {
    fn create(recordings: Recordings, stem: &str) -> Self {
        let created = match recordings.scarce_room() {
            Some(free) => Err(RecordError::NoRoom { free }),
            None => create_file(&recordings.folder, stem),
        };
        let (writer, path, error) = match created {
            Ok((path, writer)) => (Some(writer), Some(path), None),
            Err(error) => (None, None, Some(error)),
        };
        Self {
            recordings,
            writer,
            summary: RecordingSummary {
                path,
                samples: 0,
                lost: 0,
                error,
            },
        }
    }

    /// Appends samples and makes the file whole again.
    fn write(mut self, samples: &[u8]) -> Self {
        let Some(writer) = &mut self.writer else {
            self.summary.lost += samples.len() as u64;
            return self;
        };
        let given = writer.samples() + samples.len() as u64;
        if let Some(free) = self.recordings.scarce_room() {
            self.fail(RecordError::NoRoom { free }, given);
        } else if let Err(source) = writer.write(samples).and_then(|()| writer.sync_header()) {
            self.fail(self.write_error(source), given);
        }
        self
    }

    fn write_error(&self, source: WavError) -> RecordError {
        let path = self.summary.path.clone().unwrap_or_default();
        RecordError::Write { path, source }
    }

    /// Ends the file; `never_given` samples were lost on their way here.
    fn finish(mut self, never_given: u64) -> RecordingSummary {
        if let Some(writer) = self.writer.take() {
            let given = writer.samples();
            match writer.finish() {
                Ok(samples) => self.summary.samples = samples,
                Err(source) => self.fail(self.write_error(source), given),
            }
        }
        let mut summary = self.summary;
        if let Some(path) = summary.path.take_if(|path| !path.exists()) {
            summary.lost += std::mem::take(&mut summary.samples);
            summary.error = Some(RecordError::Deleted { path });
        }
        summary.lost += never_given;
        summary
    }

    /// The recording stops here: of the samples given, those are kept that the disk has taken.
    fn fail(&mut self, error: RecordError, given: u64) {
        self.writer = None;
        if let Some(path) = &self.summary.path {
            self.summary.samples = repair(path).unwrap_or_default();
            // What it has is to be safe, as at any other end; the trouble is known already.
            let _ = File::open(path).and_then(|file| file.sync_all());
        }
        self.summary.lost += given.saturating_sub(self.summary.samples);
        self.summary.error = Some(error);
    }
}

/// Creates `STEM.wav`, or `STEM (2).wav` and so on where files are already there. Its name is safe
/// from a power cut then: the row of the call is about to refer to it.
fn create_file(folder: &Path, stem: &str) -> Result<(PathBuf, WavWriter), RecordError> {
    let mut path = folder.join(format!("{stem}.wav"));
    let mut copy = 1;
    let mut folder_tried = false;
    loop {
        let source = match WavWriter::create(&path) {
            Ok(writer) => {
                // A disk that cannot do this has told us of no trouble with the file itself.
                let _ = File::open(folder).and_then(|folder| folder.sync_all());
                return Ok((path, writer));
            }
            Err(source) => source,
        };
        let WavError::Io(cause) = &source else {
            return Err(RecordError::Create { path, source });
        };
        match cause.kind() {
            io::ErrorKind::AlreadyExists if copy < MAX_SAME_NAME => {
                copy += 1;
                path = folder.join(format!("{stem} ({copy}).wav"));
            }
            // Only the last folder: if the one above it is missing, so is a disk.
            io::ErrorKind::NotFound if !folder_tried && std::fs::create_dir(folder).is_ok() => {
                folder_tried = true;
            }
            _ => return Err(RecordError::Create { path, source }),
        }
    }
}

#[cfg(test)]
mod tests;
