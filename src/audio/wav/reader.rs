//! Reading a WAV file in blocks.

use super::layout::{Format, read_layout};
use super::{SPEC, WavError, to_unsigned};
use crate::audio::duration_of;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read, Seek, SeekFrom, Take};
use std::path::Path;
use std::time::Duration;

/// A clean header, and the audio alone behind it.
type CleanStream<R> = Chain<Cursor<Vec<u8>>, BufReader<Take<R>>>;

/// Reads the samples of a WAV file of the [line's format](Format::LINE), in constant memory.
pub struct WavReader<R> {
    decoder: hound::WavReader<CleanStream<R>>,
    samples: u64,
}

impl<R> fmt::Debug for WavReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WavReader")
            .field("samples", &self.samples)
            .finish_non_exhaustive()
    }
}

impl WavReader<File> {
    /// Opens a file. What is no plain file (a folder, a pipe) is an error at once.
    pub fn open(path: &Path) -> Result<Self, WavError> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a file").into());
        }
        Self::new(File::open(path)?)
    }

    /// Opens a file that has at least one sample.
    pub fn open_audible(path: &Path) -> Result<Self, WavError> {
        let reader = Self::open(path)?;
        if reader.samples == 0 {
            return Err(WavError::Empty);
        }
        Ok(reader)
    }
}

impl<R: Read + Seek> WavReader<R> {
    /// Begins to read a WAV file.
    pub fn new(mut file: R) -> Result<Self, WavError> {
        let layout = read_layout(&mut file)?;
        if layout.format != Format::LINE {
            return Err(WavError::Unsuitable {
                found: layout.format,
            });
        }
        let samples = layout.data_bytes.min(u64::from(u32::MAX));
        file.seek(SeekFrom::Start(layout.data_start))?;
        let header = clean_header(samples as u32)?;
        let audio = BufReader::new(file.take(samples));
        Ok(Self {
            decoder: hound::WavReader::new(Cursor::new(header).chain(audio))?,
            samples,
        })
    }

    /// How many samples the file has.
    pub const fn samples(&self) -> u64 {
        self.samples
    }

    /// The next samples, at most `max`; an empty block is the end.
    pub fn read_block(&mut self, max: usize) -> Result<Vec<u8>, WavError> {
        let mut block = Vec::with_capacity(max.min(self.samples as usize));
        for sample in self.decoder.samples::<i8>().take(max) {
            block.push(to_unsigned(sample?));
        }
        Ok(block)
    }
}

/// Looks whether a file can be played, and how long it would last.
pub fn probe(path: &Path) -> Result<Duration, WavError> {
    Ok(duration_of(WavReader::open_audible(path)?.samples()))
}

/// The header that `hound` would have written for so many samples.
fn clean_header(samples: u32) -> Result<Vec<u8>, WavError> {
    let mut header = Vec::new();
    drop(hound::WavWriter::new(Cursor::new(&mut header), SPEC)?);
    let data_length = header.len() - 4;
    header[data_length..].copy_from_slice(&samples.to_le_bytes());
    Ok(header)
}
