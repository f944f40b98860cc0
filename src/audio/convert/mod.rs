//! Audio of any kind made fit for the line: 8-bit unsigned PCM, mono, 8000 samples a second.
//!
//! Channels are averaged, the rate is changed behind a low-pass, a DC offset is taken out, the
//! level is set (see [`level`]), and what 8 bits cannot hold becomes a faint hiss rather than
//! distortion. Everything is streamed: memory does not grow with the file. A file that is in the
//! line's format already is never touched by any of this.
//!
//! The daemon converts WAV files only, with code of its own; the decoders of compressed audio serve
//! [`convert_file`], so that no file in the play folder can reach them.

mod compressed;
mod copies;
mod file;
mod level;
mod line_audio;
mod rate;
mod wav_frames;

pub use copies::ConvertedCopies;
pub(super) use copies::UnfinishedCopy;
pub use file::{AsRecorded, Converted, as_recorded, convert_file};
pub(super) use level::Level;
pub(super) use line_audio::LineAudio;
pub(super) use wav_frames::WavFrames;

use super::wav::{Format, WavError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The sampling rates that are converted, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 1000..=384_000;

/// Why audio cannot be used. The file is not named.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// It cannot be read or written as a WAV file.
    #[error(transparent)]
    Wav(#[from] WavError),
    /// It is a WAV file, but its samples are coded in a way that is not known here.
    #[error("it is {found}, which callblock cannot read; make plain PCM of it with sox or ffmpeg")]
    Coding {
        /// What it holds.
        found: Format,
    },
    /// Its sampling rate is out of all reason.
    #[error(
        "its sampling rate is {rate} Hz; it must be from {low} to {high}",
        low = RATES.start(),
        high = RATES.end()
    )]
    Rate {
        /// In Hz.
        rate: u32,
    },
    /// There is nothing in it.
    #[error("it is an empty file")]
    NoBytes,
    /// It begins as a sound file of a known kind, but there is no sound to be found in it.
    #[error("it is cut off or damaged before its sound begins")]
    NoBeginning,
    /// No decoder knows it.
    #[error("it is no sound file that callblock can read (WAV, FLAC, MP3, Ogg Vorbis or AIFF)")]
    Unknown,
    /// Its sound is damaged, or changes its kind in the middle.
    #[error("its sound cannot be decoded: {why}")]
    Undecodable {
        /// What is wrong with it.
        why: String,
    },
    /// There is a file of that name, and nobody said it may go.
    #[error("it is there already; --force overwrites it")]
    Exists,
    /// The input and the output are one file.
    #[error("it is the file to be converted; name another for the result")]
    Itself,
    /// Whoever watches the progress wants no more of it.
    #[error("broken off; nothing was made")]
    BrokenOff,
    /// The converted file cannot be written.
    #[error("it cannot be written: {0}")]
    Unwritten(WavError),
}

/// Audio that is shorter than its file says: it is cut off, or parts of it cannot be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "it is cut off or damaged: only {:.1} of {:.1} seconds could be read",
    found.as_secs_f32(),
    declared.as_secs_f32()
)]
pub struct Shortfall {
    /// How long the audio that could be read lasts.
    pub found: Duration,
    /// How long it should last.
    pub declared: Duration,
}

impl Shortfall {
    /// `None` if no more is missing than this.
    fn of(found: u64, declared: u64, rate: u32, tolerated: Duration) -> Option<Self> {
        let lasting = |samples: u64| {
            Duration::from_millis(samples.saturating_mul(1000) / u64::from(rate.max(1)))
        };
        let (found, declared) = (lasting(found), lasting(declared));
        (declared.saturating_sub(found) > tolerated).then_some(Self { found, declared })
    }
}

impl From<io::Error> for ConvertError {
    fn from(error: io::Error) -> Self {
        Self::Wav(error.into())
    }
}

/// Audio of one channel that comes in blocks.
pub(super) trait Source {
    /// Samples a second, within [`RATES`].
    fn rate(&self) -> u32;

    /// How many samples there are, as far as that is known.
    fn samples(&self) -> Option<u64>;

    /// What is missing, by all that is known so far: at the end of the audio, everything.
    fn shortfall(&self) -> Option<Shortfall>;

    /// Appends the next samples, full scale being 1, some thousand at most. `false` is the end.
    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool, ConvertError>;
}

/// Whether a file can be played to the line, as it is or converted: a WAV file of any usual kind
/// with at least one sample. Reads the header only.
pub fn playable(path: &Path) -> Result<(), ConvertError> {
    WavFrames::open_audible(path).map(drop)
}

/// A sampling rate that can be converted.
fn check_rate(rate: u32) -> Result<u32, ConvertError> {
    if RATES.contains(&rate) {
        Ok(rate)
    } else {
        Err(ConvertError::Rate { rate })
    }
}

#[cfg(test)]
mod tests;
