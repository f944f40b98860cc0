//! The folder of recordings: how its files are named, what a crash left in it, and how much is kept.
//!
//! Only files that are named as a recording are ever touched. One that is being written is locked
//! (`flock`), in whichever process, and left alone. All functions here wait for the disk.

use super::TimeZone;
use super::wav;
use crate::clock::Timestamp;
use chrono::DateTime;
use rustix::fs::statvfs;
use std::fs::{DirEntry, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest part of the caller's number in a file's name, in characters.
const MAX_NUMBER_CHARS: usize = 64;
/// A moment as it stands in front of a file's name, with the characters that it has.
const STAMP: &str = "%Y-%m-%d %H-%M-%S%z";
const STAMP_CHARS: usize = "2026-11-20 14-05-33+0100".len();
/// 2020-01-01: who recorded before this had a clock that was not set.
const CLOCK_NOT_SET: Timestamp = Timestamp::from_nanos(1_577_836_800_000_000_000);
const DAY: Duration = Duration::from_hours(24);

/// The folder of recordings, and what may be in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recordings {
    /// Where they are.
    pub folder: PathBuf,
    /// The zone of the times in their names.
    pub zone: TimeZone,
    /// How much is kept.
    pub limits: RecordingLimits,
}

/// How much is recorded and kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordingLimits {
    /// Recordings are removed after so many days.
    pub keep_days: Option<u32>,
    /// The oldest recordings are removed when all together have more bytes than this.
    pub keep_bytes: Option<u64>,
    /// Nothing is recorded while the disk has less free room than this, in bytes.
    pub min_free: u64,
}

impl Default for RecordingLimits {
    /// Everything is kept until 50 MB are left.
    fn default() -> Self {
        Self {
            keep_days: None,
            keep_bytes: None,
            min_free: 50_000_000,
        }
    }
}

/// What was removed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Removed {
    /// Recordings.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// A recording that may be removed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Recorded {
    started: Timestamp,
    name: String,
    bytes: u64,
}

impl Recordings {
    /// The name of a recording without its extension: start in local time, then the number, of which
    /// only characters stay that are harmless in a file name.
    pub(super) fn stem(&self, started: Timestamp, number: Option<&str>) -> String {
        let number: String = number
            .unwrap_or_default()
            .chars()
            .take(MAX_NUMBER_CHARS)
            .map(|c| if is_harmless(c) { c } else { '_' })
            .collect();
        let number = if number.is_empty() {
            "unknown"
        } else {
            &number
        };
        format!("{} {number}", self.zone.file_stamp(started))
    }

    /// The free room of the disk if it is too little to record, in bytes. A disk that does not say
    /// how much it has is recorded to.
    pub(super) fn scarce_room(&self) -> Option<u64> {
        // The folder may be missing and is created again then.
        let place = [Some(self.folder.as_path()), self.folder.parent()];
        let disk = place
            .into_iter()
            .flatten()
            .find_map(|folder| statvfs(folder).ok())?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        (free < self.limits.min_free).then_some(free)
    }

    /// Makes the recordings whole that a crash or a power cut left in the middle: after it they can
    /// be played. Returns how many needed it.
    pub fn mend(&self) -> io::Result<usize> {
        let mut mended = 0;
        for entry in std::fs::read_dir(&self.folder)? {
            let Some((path, _)) = self.recording(&entry?) else {
                continue;
            };
            match mend_unless_running(&path) {
                Ok(Some(samples)) => {
                    mended += 1;
                    tracing::info!(
                        recording = %path.display(),
                        samples,
                        "an interrupted recording was made whole"
                    );
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(recording = %path.display(), "cannot be made whole: {error}");
                }
            }
        }
        Ok(mended)
    }

    /// Removes the recordings that are beyond the limits, oldest first. Their ages are left out of
    /// account if there is no trust in `now`.
    pub fn tidy(&self, now: Option<Timestamp>) -> io::Result<Removed> {
        let mut removed = Removed::default();
        if self.limits.keep_days.is_none() && self.limits.keep_bytes.is_none() {
            return Ok(removed);
        }
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            if let Some((path, started)) = self.recording(&entry)
                && let Ok(found) = entry.metadata()
                && let Some(name) = path.file_name()
            {
                all.push(Recorded {
                    started,
                    name: name.to_string_lossy().into_owned(),
                    bytes: found.len(),
                });
            }
        }
        all.sort_unstable();
        let mut bytes: u64 = all.iter().map(|recorded| recorded.bytes).sum();
        let mut failure = None;
        for recorded in all {
            let too_much = self.limits.keep_bytes.is_some_and(|keep| bytes > keep);
            if !too_much && !self.is_too_old(&recorded, now) {
                continue;
            }
            match remove_unless_running(&self.folder.join(&recorded.name)) {
                Ok(true) => {
                    bytes -= recorded.bytes;
                    removed.files += 1;
                    removed.bytes += recorded.bytes;
                }
                Ok(false) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(removed), Err)
    }

    /// Whether it was recorded too many days ago. One whose time cannot be right has no age.
    fn is_too_old(&self, recorded: &Recorded, now: Option<Timestamp>) -> bool {
        let (Some(days), Some(now)) = (self.limits.keep_days, now) else {
            return false;
        };
        recorded.started >= CLOCK_NOT_SET && recorded.started.after(DAY.saturating_mul(days)) < now
    }

    /// The path and time of an entry that is a recording.
    fn recording(&self, entry: &DirEntry) -> Option<(PathBuf, Timestamp)> {
        let name = entry.file_name();
        let started = recorded_at(name.to_str()?)?;
        let is_file = entry.file_type().ok()?.is_file();
        is_file.then(|| (self.folder.join(name), started))
    }
}

const fn is_harmless(c: char) -> bool {
    matches!(c, '0'..='9' | 'A'..='Z' | 'a'..='z' | '+' | '_' | '-')
}

/// The call's start by the name of its recording; `None` if this is not the name of one.
fn recorded_at(name: &str) -> Option<Timestamp> {
    let stem = name.strip_suffix(".wav")?;
    let (stamp, rest) = stem.split_at_checked(STAMP_CHARS)?;
    let rest = rest.strip_prefix(' ')?;
    let number = match rest.split_once(" (") {
        None => rest,
        Some((number, copy)) => {
            copy.strip_suffix(')')?.parse::<u32>().ok()?;
            number
        }
    };
    if number.is_empty() || !number.chars().all(is_harmless) {
        return None;
    }
    let started = DateTime::parse_from_str(stamp, STAMP).ok()?;
    started.timestamp_nanos_opt().map(Timestamp::from_nanos)
}

/// Its number of samples, if it needed to be mended.
fn mend_unless_running(path: &Path) -> Result<Option<u64>, wav::WavError> {
    let file = File::options().read(true).write(true).open(path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        // A disk that knows no locks: there is one daemon, and it has just started.
        Ok(()) | Err(TryLockError::Error(_)) => wav::mend(path),
    }
}

fn remove_unless_running(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    std::fs::remove_file(path)?;
    Ok(true)
}

#[cfg(test)]
mod tests;
