//! Sound: WAV files in and out, recordings, prompts, and what is heard on the line.
//!
//! All audio is 8-bit unsigned PCM, mono, 8000 samples a second, so a sample is a byte and 0x80 is
//! silence; files of other kinds are converted to that. Files are read and written in ordered jobs on
//! the blocking pool, a bounded number of them ahead: a slow SD card must never be heard. This room
//! knows nothing of modems.

mod convert;
pub mod listen;
mod play_folder;
mod player;
mod recorder;
mod recordings;
mod timezone;
mod unusable;
pub mod wav;

pub use convert::{
    AsRecorded, ConvertError, Converted, ConvertedCopies, Shortfall, as_recorded, convert_file,
    playable,
};
pub use play_folder::PlayFolder;
pub use player::Player;
pub use recorder::{RecordError, Recorder, RecordingSummary};
pub use recordings::{RecordingLimits, Recordings, Removed};
pub use timezone::{TimeZone, UnknownTimeZone};
pub use unusable::UnusableFiles;

use std::time::Duration;

/// Samples (and bytes) in a second of audio.
pub const SAMPLE_RATE: u32 = 8000;

/// The sample of silence.
pub const SILENCE: u8 = 0x80;

/// How long so many samples last.
pub const fn duration_of(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(1_000_000 / SAMPLE_RATE as u64))
}
