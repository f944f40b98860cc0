//! WAV files, 8-bit unsigned PCM, mono, 8000 samples a second.
//!
//! The one module that knows `hound` and puts right what it does not do: it finds the `data` chunk
//! behind chunks of odd length, believes the file rather than its header about how much data there
//! is, pads odd lengths, and makes a file that a crash left behind whole again. Nothing here
//! converts audio: a file of another kind is refused with a word on how to convert it.

mod layout;
mod reader;
mod writer;

pub use layout::Format;
pub(super) use layout::read_layout;
pub use reader::{WavReader, probe};
pub use writer::{WavWriter, repair};
pub(super) use writer::{mend, shorten};

use super::SAMPLE_RATE;
use std::io;

/// Why a file cannot be used as, or written as, a WAV file. The file is not named.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not a WAV file at all.
    #[error("it is {what}, not a WAV file; {hint}", hint = hint_for(what))]
    NotWav {
        /// What it is instead, as far as its first bytes tell.
        what: &'static str,
    },
    /// It begins as a WAV file, but has no audio or no description of it.
    #[error("it is a damaged WAV file: {what}")]
    Damaged {
        /// What is missing.
        what: &'static str,
    },
    /// It is a WAV file of another kind.
    #[error("it is {found}, but the line takes {line}; {hint}", line = Format::LINE, hint = CONVERT)]
    Unsuitable {
        /// What it holds.
        found: Format,
    },
    /// It is a WAV file of the right kind without a single sample.
    #[error("it is a WAV file without any sound")]
    Empty,
    /// A WAV file cannot hold more (4 GiB, or six days).
    #[error("a WAV file cannot be longer than 4 GiB")]
    Full,
    /// `hound` refused what this module gave it.
    #[error("{0}")]
    Codec(hound::Error),
}

impl From<hound::Error> for WavError {
    fn from(error: hound::Error) -> Self {
        match error {
            hound::Error::IoError(error) => Self::Io(error),
            other => Self::Codec(other),
        }
    }
}

/// What to do with a file of another kind.
const CONVERT: &str = "convert it with: callblock convert INPUT OUTPUT.wav";

/// What to do with a file that is no WAV file.
fn hint_for(what: &str) -> &'static str {
    if is_convertible(what) {
        CONVERT
    } else {
        "make a WAV file of it with sox or ffmpeg"
    }
}

/// Whether what a file [is](WavError::NotWav) instead of a WAV file can be made one here.
pub(super) fn is_convertible(what: &str) -> bool {
    ["an MP3 file", "an Ogg file", "a FLAC file", "an AIFF file"].contains(&what)
}

/// The kind of WAV file that is read and written here, for `hound`.
const SPEC: hound::WavSpec = hound::WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE,
    bits_per_sample: 8,
    sample_format: hound::SampleFormat::Int,
};

/// Header of a file of this [`SPEC`] as `hound` writes it: RIFF, a `fmt ` chunk of 16 bytes, and
/// the head of the `data` chunk.
const HEADER_BYTES: u64 = 44;

/// `hound` presents the unsigned samples of an 8-bit file as signed ones.
const fn to_signed(sample: u8) -> i8 {
    (sample ^ 0x80).cast_signed()
}

const fn to_unsigned(sample: i8) -> u8 {
    sample.cast_unsigned() ^ 0x80
}

#[cfg(test)]
mod tests;
