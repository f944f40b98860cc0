//! Copies of converted files, kept in a folder of callblock's own, so that a file is converted once.
//!
//! A copy is named by a hash of the file's path, length, inode and time of change: a file that was
//! changed or replaced has another copy. Copies are only there to save work; one that cannot be kept or
//! read is done without. Files beyond ten minutes are converted whenever they are played, and when all
//! copies together become too large, the oldest go.

use crate::audio::wav::{WavError, WavReader, WavWriter};
use crate::audio::{SAMPLE_RATE, duration_of};
use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The longest audio of which a copy is kept.
const LONGEST: Duration = Duration::from_mins(10);
/// The most bytes of copies: ten of the longest, 48 MB.
const MOST_BYTES: u64 = 10 * LONGEST.as_secs() * SAMPLE_RATE as u64;
/// Part of every name: raised when files are converted in another way.
const GENERATION: u8 = 1;

/// The folder of copies. It is made when the first copy is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConvertedCopies {
    folder: PathBuf,
}

impl ConvertedCopies {
    /// In this folder. Only files named as copies are ever removed from it.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The copy of a file, if there is one.
    pub(in crate::audio) fn find(&self, path: &Path) -> Option<WavReader<File>> {
        WavReader::open(&self.path_of_copy(path).ok()?).ok()
    }

    /// Begins a copy of a file. `None` if it cannot be kept, or is being made elsewhere.
    pub(in crate::audio) fn begin(&self, path: &Path) -> Option<UnfinishedCopy> {
        let begun = self.try_begin(path);
        begun
            .inspect_err(|error| tracing::debug!("no copy of {}: {error}", path.display()))
            .ok()
    }

    fn try_begin(&self, path: &Path) -> Result<UnfinishedCopy, WavError> {
        fs::create_dir_all(&self.folder)?;
        let finished = self.path_of_copy(path)?;
        let unfinished = finished.with_extension("part");
        remove_if_abandoned(&unfinished)?;
        Ok(UnfinishedCopy {
            writer: Some(WavWriter::create(&unfinished)?),
            unfinished,
            finished,
        })
    }

    fn path_of_copy(&self, path: &Path) -> io::Result<PathBuf> {
        let metadata = fs::metadata(path)?;
        let mut hasher = DefaultHasher::new();
        (GENERATION, fs::canonicalize(path)?, metadata.len()).hash(&mut hasher);
        // Unlike the time of its last change, which a file may bring along, this is its own.
        (metadata.ino(), metadata.ctime(), metadata.ctime_nsec()).hash(&mut hasher);
        Ok(self.folder.join(format!("{:016x}.wav", hasher.finish())))
    }
}

/// Removes what a crash left. A copy that is being written at this moment is locked, and stays.
fn remove_if_abandoned(unfinished: &Path) -> io::Result<()> {
    match File::open(unfinished) {
        Ok(file) => match file.try_lock() {
            Ok(()) => fs::remove_file(unfinished),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(TryLockError::Error(error)) => Err(error),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A copy that is being written. Dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub(in crate::audio) struct UnfinishedCopy {
    writer: Option<WavWriter>,
    unfinished: PathBuf,
    finished: PathBuf,
}

impl UnfinishedCopy {
    /// Appends samples. After an error (the copy becomes too long, the disk is full) it is to be
    /// dropped.
    pub(in crate::audio) fn write(&mut self, samples: &[u8]) -> Result<(), WavError> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        writer.write(samples)?;
        if duration_of(writer.samples()) > LONGEST {
            return Err(WavError::Full);
        }
        Ok(())
    }

    /// Makes it the copy, and removes the oldest ones if there are too many.
    pub(in crate::audio) fn finish(mut self) -> Result<(), WavError> {
        if let Some(writer) = self.writer.take() {
            writer.finish()?;
            fs::rename(&self.unfinished, &self.finished)?;
        }
        if let Some(folder) = self.finished.parent() {
            remove_oldest(folder, &self.finished, MOST_BYTES)?;
        }
        Ok(())
    }
}

impl Drop for UnfinishedCopy {
    fn drop(&mut self) {
        // After `finish` it has another name.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// Whether a file is named as a copy is, finished or not: 16 hexadecimal digits.
fn is_named_as_copy(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().as_encoded_bytes();
    stem.len() == 16 && stem.iter().all(u8::is_ascii_hexdigit)
}

/// Removes copies, oldest first, until they take no more than `most` bytes, and what crashes left of
/// unfinished ones. The newest one stays.
pub(super) fn remove_oldest(folder: &Path, newest: &Path, most: u64) -> io::Result<()> {
    let mut copies: Vec<(SystemTime, PathBuf, u64)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, metadata) = (entry.path(), entry.metadata()?);
        if path == newest || !metadata.is_file() || !is_named_as_copy(&path) {
            continue;
        }
        if path
            .extension()
            .is_some_and(|extension| extension == "part")
        {
            // One that is being written is none of ours.
            let _ = remove_if_abandoned(&path);
        } else {
            copies.push((metadata.modified()?, path, metadata.len()));
        }
    }
    copies.sort_unstable();
    let mut bytes = fs::metadata(newest)?.len() + copies.iter().map(|copy| copy.2).sum::<u64>();
    for (_, path, length) in copies {
        if bytes <= most {
            break;
        }
        fs::remove_file(path)?;
        bytes -= length;
    }
    Ok(())
}
