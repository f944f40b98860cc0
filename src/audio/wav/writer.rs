//! Writing a WAV file that is whole after each second, and making whole what a crash left.

use super::layout::{Format, Layout, read_layout};
use super::{HEADER_BYTES, SPEC, WavError, to_signed};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The most samples in a file: all lengths in its header must fit into 32 bits, pad byte included.
const MAX_SAMPLES: u64 = u32::MAX as u64 - HEADER_BYTES;

/// Writes a WAV file of the [line's format](Format::LINE).
///
/// After each [`sync_header`](Self::sync_header) the file on disk is valid and can be played, up to
/// the last even number of samples; [`finish`](Self::finish) ends it, with a pad byte if need be. A
/// writer that is only dropped leaves a valid file, too.
pub struct WavWriter {
    encoder: hound::WavWriter<BufWriter<File>>,
    /// The same open file, for what `hound` leaves undone.
    file: File,
    samples: u64,
    /// The last sample of an odd number: kept back, so that the file never needs a pad byte in the
    /// middle of a recording.
    odd: Option<u8>,
}

impl fmt::Debug for WavWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WavWriter")
            .field("samples", &self.samples)
            .finish_non_exhaustive()
    }
}

impl WavWriter {
    /// Creates a file, with the header of an empty one. A file that is already there is an error of
    /// kind `AlreadyExists`, never overwritten. Where the disk has no room for a header, no file is left.
    pub fn create(path: &Path) -> Result<Self, WavError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Self::begin(file).inspect_err(|_| {
            // What cannot be removed either is mended or passed over at the next start.
            let _ = std::fs::remove_file(path);
        })
    }

    fn begin(file: File) -> Result<Self, WavError> {
        // Tells those who mend and remove recordings that this one is being written. A disk that
        // knows no locks is no reason not to record.
        let _ = file.lock();
        let mut encoder = hound::WavWriter::new(BufWriter::new(file.try_clone()?), SPEC)?;
        encoder.flush()?;
        Ok(Self {
            encoder,
            file,
            samples: 0,
            odd: None,
        })
    }

    /// Appends samples. They reach the file with the next [`sync_header`](Self::sync_header).
    pub fn write(&mut self, samples: &[u8]) -> Result<(), WavError> {
        let Some((last, rest)) = samples.split_last() else {
            return Ok(());
        };
        if self.samples + samples.len() as u64 > MAX_SAMPLES {
            return Err(WavError::Full);
        }
        self.samples += samples.len() as u64;
        for sample in self.odd.take().iter().chain(rest) {
            self.encoder.write_sample(to_signed(*sample))?;
        }
        if self.samples % 2 == 1 {
            self.odd = Some(*last);
        } else {
            self.encoder.write_sample(to_signed(*last))?;
        }
        Ok(())
    }

    /// Brings the file on disk up to date, header last.
    pub fn sync_header(&mut self) -> Result<(), WavError> {
        Ok(self.encoder.flush()?)
    }

    /// How many samples were written.
    pub const fn samples(&self) -> u64 {
        self.samples
    }

    /// Ends the file and waits until it is safe from a power cut. Returns the number of samples.
    pub fn finish(mut self) -> Result<u64, WavError> {
        if let Some(last) = self.odd.take() {
            self.encoder.write_sample(to_signed(last))?;
        }
        self.encoder.finalize()?;
        write_lengths(&mut self.file, self.samples)?;
        self.file.sync_all()?;
        Ok(self.samples)
    }
}

/// Makes a recording that a crash left in the middle whole again: its header takes in all samples
/// that are in the file. Returns their number.
///
/// A file that is whole, or that [`WavWriter`] did not write, is not changed.
pub fn repair(path: &Path) -> Result<u64, WavError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let layout = read_layout(&mut file)?;
    if layout.format != Format::LINE {
        return Err(WavError::Unsuitable {
            found: layout.format,
        });
    }
    if layout.data_start != HEADER_BYTES || is_whole(&layout) {
        return Ok(layout.data_bytes);
    }
    complete(&mut file, samples_in(&layout))
}

/// The same for a file that is known to be a recording of ours: even its header may be missing, if
/// the power went before that reached the disk. Returns the number of samples if it was changed.
pub(in crate::audio) fn mend(path: &Path) -> Result<Option<u64>, WavError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    match read_layout(&mut file) {
        Ok(layout) if layout.data_start != HEADER_BYTES || is_whole(&layout) => return Ok(None),
        Ok(layout) if layout.format == Format::LINE => {
            return complete(&mut file, samples_in(&layout)).map(Some);
        }
        Err(error @ (WavError::Io(_) | WavError::Codec(_))) => return Err(error),
        Ok(_) | Err(_) => {}
    }
    if !may_be_our_header(&mut file)? {
        return Ok(None);
    }
    let length = file.metadata()?.len();
    let samples = length.saturating_sub(HEADER_BYTES).min(MAX_SAMPLES);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&EMPTY_FILE)?;
    complete(&mut file, samples).map(Some)
}

/// Whether a file begins with what a power cut can leave of a header of ours: bytes of it, and zeros
/// where they did not reach the disk. Anything else is somebody's own, whatever it is called.
fn may_be_our_header(file: &mut File) -> Result<bool, WavError> {
    let mut begin = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(HEADER_BYTES).read_to_end(&mut begin)?;
    let lengths = |at: usize| (4..8).contains(&at) || (40..44).contains(&at);
    let ours = |(at, (&found, &written)): (usize, (&u8, &u8))| {
        found == 0 || found == written || lengths(at)
    };
    Ok(begin.iter().zip(&EMPTY_FILE).enumerate().all(ours))
}

/// Cuts the end off a finished recording of ours, so that `samples` are left (one more if that is an
/// odd number); it never grows. Returns the number of samples left.
///
/// The header goes first, so that the file is valid at every moment: what lies behind the audio that
/// it claims is passed over by whoever reads it.
pub(in crate::audio) fn shorten(path: &Path, samples: u64) -> Result<u64, WavError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let _ = file.lock();
    let layout = read_layout(&mut file)?;
    // With a pad byte, a sample would have to be overwritten before the header says so.
    let keep = samples.saturating_add(samples % 2);
    let ours = layout.format == Format::LINE && layout.data_start == HEADER_BYTES;
    if !ours || !is_whole(&layout) || keep >= layout.data_bytes {
        return Ok(layout.data_bytes);
    }
    claim(&mut file, keep, layout.data_bytes)?;
    file.set_len(HEADER_BYTES + keep)?;
    file.sync_all()?;
    Ok(keep)
}

/// Writes the header of a file with so many samples, an even number, and waits until it is on the disk.
/// The file goes on holding all its samples `of` before, without a pad byte: whoever mends it after a
/// crash takes what is there for samples.
pub(super) fn claim(file: &mut File, samples: u64, of: u64) -> Result<(), WavError> {
    file.set_len(HEADER_BYTES + of)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header(samples)?)?;
    Ok(file.sync_all()?)
}

fn header(samples: u64) -> Result<[u8; HEADER_BYTES as usize], WavError> {
    let word = |length: u64| u32::try_from(length).map_err(|_| WavError::Full);
    let mut header = EMPTY_FILE;
    header[4..8].copy_from_slice(&word(HEADER_BYTES - 8 + samples)?.to_le_bytes());
    header[40..].copy_from_slice(&word(samples)?.to_le_bytes());
    Ok(header)
}

/// Header of a file without samples.
const EMPTY_FILE: [u8; HEADER_BYTES as usize] =
    *b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0";

/// Whether the header of a file of ours tells the truth.
fn is_whole(layout: &Layout) -> bool {
    let claimed = u64::from(layout.claimed_bytes);
    let padded = claimed + claimed % 2;
    layout.rest_bytes == padded && u64::from(layout.claimed_riff_bytes) == HEADER_BYTES - 8 + padded
}

/// How many samples a file has whose header may be wrong: one byte behind an odd number of them is
/// their pad byte.
fn samples_in(layout: &Layout) -> u64 {
    let claimed = u64::from(layout.claimed_bytes);
    if claimed % 2 == 1 && layout.rest_bytes == claimed + 1 {
        claimed
    } else {
        layout.rest_bytes.min(MAX_SAMPLES)
    }
}

/// Brings the lengths of a file of so many samples up to date, and waits until it is safe from a
/// power cut. Returns the number of samples.
fn complete(file: &mut File, samples: u64) -> Result<u64, WavError> {
    let samples = match write_lengths(file, samples) {
        // A full disk has no room for the pad byte: better without the last sample than without all.
        Err(_) if samples % 2 == 1 => {
            file.set_len(HEADER_BYTES + samples - 1)?;
            write_lengths(file, samples - 1)?;
            samples - 1
        }
        written => written.map(|()| samples)?,
    };
    file.sync_all()?;
    Ok(samples)
}

/// Writes the lengths of a finished file, and the pad byte if the number of samples is odd.
fn write_lengths(file: &mut File, samples: u64) -> Result<(), WavError> {
    let pad = samples % 2;
    if pad == 1 {
        file.seek(SeekFrom::Start(HEADER_BYTES + samples))?;
        file.write_all(&[0])?;
    }
    let word = |length: u64| {
        u32::try_from(length)
            .map(u32::to_le_bytes)
            .map_err(|_| WavError::Full)
    };
    let (riff, data) = (word(HEADER_BYTES - 8 + samples + pad)?, word(samples)?);
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&riff)?;
    file.seek(SeekFrom::Start(HEADER_BYTES - 4))?;
    file.write_all(&data)?;
    Ok(())
}
