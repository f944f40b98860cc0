//! Converting a file to a file, and taking one in as if it had come over the line.

use super::compressed::CompressedAudio;
use super::level::to_line;
use super::line_audio::AtLineRate;
use super::{ConvertError, Level, LineAudio, Shortfall, Source, WavFrames};
use crate::audio::wav::{Format, WavError, WavReader, WavWriter, is_convertible};
use crate::audio::{SAMPLE_RATE, duration_of};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What came of a conversion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Converted {
    /// How long the new file lasts.
    pub duration: Duration,
    /// What was missing in the old one.
    pub shortfall: Option<Shortfall>,
}

/// Converts a WAV, FLAC, MP3, Ogg Vorbis or AIFF file to a WAV file of the line's format, and
/// returns how long it lasts. One that is in that format already is copied, sample for sample. Of one
/// that is damaged, what there is is converted.
///
/// The new file gets its name when it is whole; of a conversion that fails nothing is left. A file
/// that is already there is replaced only with `force`, and the input never. `progress` is told
/// after each second of sound which share of the work is done, 0 to 1, if that can be known; it may
/// break the conversion off.
pub fn convert_file(
    input: &Path,
    output: &Path,
    force: bool,
    mut progress: impl FnMut(Option<f32>) -> ControlFlow<()>,
) -> Result<Converted, ConvertError> {
    if !fs::metadata(input)?.is_file() {
        return Err(io::Error::other("it is not a file").into());
    }
    require_place(input, output, force)?;
    // Behind a symbolic link: the link stays one.
    let output = fs::canonicalize(output).unwrap_or_else(|_| output.to_path_buf());
    let unfinished = Unfinished::of(&output);
    let writer = WavWriter::create(&unfinished.0).map_err(ConvertError::Unwritten)?;
    let mut report = |share| match progress(share) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ConvertError::BrokenOff),
    };
    let (samples, shortfall) = match WavFrames::open(input) {
        Ok(frames) if frames.format() == Format::LINE => {
            copy(input, writer, &mut report).map(|samples| (samples, frames.shortfall()))
        }
        Ok(_) => convert(|| WavFrames::open(input), writer, &mut report),
        Err(ConvertError::Wav(WavError::NotWav { what })) => {
            convert(|| compressed(input, what), writer, &mut report)
        }
        Err(error) => Err(error),
    }?;
    // Conversion may have taken a while.
    require_place(input, &output, force)?;
    fs::rename(&unfinished.0, &output).map_err(|error| ConvertError::Unwritten(error.into()))?;
    Ok(Converted {
        duration: duration_of(samples),
        shortfall,
    })
}

/// Whether the output may be written where it is to be.
fn require_place(input: &Path, output: &Path, force: bool) -> Result<(), ConvertError> {
    let (input, found) = match (fs::metadata(input), fs::symlink_metadata(output)) {
        (_, Err(_)) => return Ok(()),
        (input, Ok(_)) => (input?, fs::metadata(output)),
    };
    match found {
        Ok(found) if (found.dev(), found.ino()) == (input.dev(), input.ino()) => {
            Err(ConvertError::Itself)
        }
        Ok(found) if !found.is_file() => Err(ConvertError::Unwritten(
            io::Error::other("there is something else of that name").into(),
        )),
        _ if force => Ok(()),
        _ => Err(ConvertError::Exists),
    }
}

/// Where a file is written until it is whole. Dropped, it is removed, if it has not got its own name
/// by then.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Beside the file it becomes, and not called like one that anybody plays.
    fn of(output: &Path) -> Self {
        let mut name = output.as_os_str().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        Self(name.into())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Is told the share of the work that is done.
type Report<'a> = &'a mut dyn FnMut(Option<f32>) -> Result<(), ConvertError>;

/// Returns the number of samples.
fn copy(input: &Path, mut writer: WavWriter, report: Report<'_>) -> Result<u64, ConvertError> {
    let mut reader = WavReader::open(input)?;
    loop {
        let block = reader.read_block(SAMPLE_RATE as usize)?;
        if block.is_empty() {
            return finish(writer);
        }
        writer.write(&block).map_err(ConvertError::Unwritten)?;
        report(Some(writer.samples() as f32 / reader.samples() as f32))?;
    }
}

/// Opens a file that is no WAV file but `what`, by its first bytes.
fn compressed(path: &Path, what: &str) -> Result<CompressedAudio, ConvertError> {
    CompressedAudio::open(path).map_err(|error| match (error, what) {
        (ConvertError::Unknown, "an empty file") => ConvertError::NoBytes,
        (ConvertError::Unknown, what) if is_convertible(what) => ConvertError::NoBeginning,
        (error, _) => error,
    })
}

/// Goes through the source twice: the first time for its level. Returns the number of samples, and what
/// was missing.
fn convert<S: Source>(
    open: impl Fn() -> Result<S, ConvertError>,
    mut writer: WavWriter,
    report: Report<'_>,
) -> Result<(u64, Option<Shortfall>), ConvertError> {
    let source = open()?;
    let seconds = source
        .samples()
        .map(|samples| samples / u64::from(source.rate()));
    let seconds = seconds.filter(|seconds| *seconds > 0);
    let mut watch =
        |done: u64| report(seconds.map(|seconds| (done as f32 / (2 * seconds) as f32).min(1.0)));
    let level = Level::measure(source, None, &mut watch)?;
    let measured = level.samples() / u64::from(SAMPLE_RATE);
    let mut audio = LineAudio::new(open()?, &level)?;
    for second in 1.. {
        let block = audio.read_block()?;
        if block.is_empty() {
            break;
        }
        writer.write(&block).map_err(ConvertError::Unwritten)?;
        watch(measured + second)?;
    }
    finish(writer).map(|samples| (samples, audio.shortfall()))
}

fn finish(writer: WavWriter) -> Result<u64, ConvertError> {
    match writer.finish().map_err(ConvertError::Unwritten)? {
        0 => Err(WavError::Empty.into()),
        samples => Ok(samples),
    }
}

/// A sound file as the line would have delivered it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AsRecorded {
    /// Mono, 8-bit unsigned, 8000 a second.
    pub samples: Vec<u8>,
    /// What is missing of what the file says that it holds.
    pub shortfall: Option<Shortfall>,
}

/// Reads a sound file as the line would have delivered it: mixed to mono and brought to the line's
/// rate, but with the level, the offset and the noise that it has. A file in the line's format comes
/// as it is.
pub fn as_recorded(path: &Path) -> Result<AsRecorded, ConvertError> {
    match WavFrames::open(path) {
        Ok(frames) if frames.format() == Format::LINE => Ok(AsRecorded {
            samples: WavReader::open(path)?.read_block(usize::MAX)?,
            shortfall: frames.shortfall(),
        }),
        Ok(frames) => rounded(frames),
        Err(ConvertError::Wav(WavError::NotWav { what })) => rounded(compressed(path, what)?),
        Err(error) => Err(error),
    }
}

fn rounded(source: impl Source) -> Result<AsRecorded, ConvertError> {
    let mut audio = AtLineRate::new(source)?;
    let mut samples = Vec::new();
    loop {
        let block = audio.next_block()?;
        if block.is_empty() {
            let shortfall = audio.shortfall();
            return Ok(AsRecorded { samples, shortfall });
        }
        samples.extend(block.into_iter().map(to_line));
    }
}
