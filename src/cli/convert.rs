//! `callblock convert`: a sound file of another kind made into one for the line.

use super::Failure;
use callblock::audio::{ConvertError, convert_file};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Work that takes less than this is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Make a WAV file for the line of a WAV, FLAC, MP3, Ogg Vorbis or AIFF file.
#[derive(Debug, clap::Args)]
pub(crate) struct ConvertArgs {
    /// Overwrite OUT.wav if it is there.
    #[arg(long)]
    force: bool,
    /// The file to convert.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to make: mono, 8 bit, 8000 Hz.
    #[arg(value_name = "OUT.wav")]
    output: PathBuf,
}

/// Converts, and says on standard error how far it is, if that is a terminal.
pub(crate) fn run(args: &ConvertArgs) -> Result<(), Failure> {
    let begun = Instant::now();
    let watched = io::stderr().is_terminal();
    let mut shown = None;
    let converted = convert_file(&args.input, &args.output, args.force, |share| {
        let percent = (share * 100.0) as u32;
        if watched && shown != Some(percent) && begun.elapsed() > PATIENCE {
            // Who cannot see it can do without.
            let _ = write!(io::stderr(), "\r{percent:3} %");
            shown = Some(percent);
        }
    });
    if shown.is_some() {
        let _ = write!(io::stderr(), "\r     \r");
    }
    converted.map(drop).map_err(|error| {
        let file = match error {
            ConvertError::Exists | ConvertError::Unwritten(_) => &args.output,
            _ => &args.input,
        };
        Failure::Usage(format!("{}: {error}", file.display()))
    })
}
