//! Converting a file to a file.

use super::compressed::CompressedAudio;
use super::{ConvertError, Level, LineAudio, Source, WavFrames};
use crate::audio::wav::{Format, WavError, WavReader, WavWriter};
use crate::audio::{SAMPLE_RATE, duration_of};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Converts a WAV, FLAC, MP3, Ogg Vorbis or AIFF file to a WAV file of the line's format, and
/// returns how long it lasts. One that is in that format already is copied, sample for sample.
///
/// A file that is already there is overwritten only with `force`, and then only after all went
/// well; of a conversion that fails nothing is left. `progress` is told now and then which share of
/// the work is done, 0 to 1, as long as that can be known.
pub fn convert_file(
    input: &Path,
    output: &Path,
    force: bool,
    mut progress: impl FnMut(f32),
) -> Result<Duration, ConvertError> {
    if !fs::metadata(input)?.is_file() {
        return Err(io::Error::other("it is not a file").into());
    }
    let written = if force {
        unfinished(output)
    } else {
        output.to_path_buf()
    };
    let writer = match WavWriter::create(&written) {
        Err(WavError::Io(error)) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(ConvertError::Exists);
        }
        created => created.map_err(ConvertError::Unwritten)?,
    };
    let converted = match WavFrames::open(input) {
        Ok(frames) if frames.format() == Format::LINE => copy(input, writer),
        Ok(_) => convert(|| WavFrames::open(input), writer, &mut progress),
        Err(ConvertError::Wav(WavError::NotWav { .. })) => {
            convert(|| CompressedAudio::open(input), writer, &mut progress)
        }
        Err(error) => Err(error),
    };
    let placed = converted.and_then(|samples| {
        if force {
            fs::rename(&written, output).map_err(|error| ConvertError::Unwritten(error.into()))?;
        }
        Ok(duration_of(samples))
    });
    if placed.is_err() {
        let _ = fs::remove_file(&written);
    }
    placed
}

/// Where the new version of a file is written.
fn unfinished(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

/// Returns the number of samples.
fn copy(input: &Path, mut writer: WavWriter) -> Result<u64, ConvertError> {
    let mut reader = WavReader::open(input)?;
    loop {
        let block = reader.read_block(SAMPLE_RATE as usize)?;
        if block.is_empty() {
            return finish(writer);
        }
        writer.write(&block).map_err(ConvertError::Unwritten)?;
    }
}

/// Goes through the source twice: the first time for its level. Returns the number of samples.
fn convert<S: Source>(
    open: impl Fn() -> Result<S, ConvertError>,
    mut writer: WavWriter,
    progress: &mut impl FnMut(f32),
) -> Result<u64, ConvertError> {
    let source = open()?;
    let seconds = source
        .samples()
        .map(|samples| samples / u64::from(source.rate()));
    let mut report = |done: u64| {
        if let Some(seconds) = seconds.filter(|seconds| *seconds > 0) {
            progress((done as f32 / (2 * seconds) as f32).min(1.0));
        }
    };
    let level = Level::measure(source, None, &mut report)?;
    let measured = level.samples() / u64::from(SAMPLE_RATE);
    let mut audio = LineAudio::new(open()?, &level)?;
    for second in 1.. {
        let block = audio.read_block()?;
        if block.is_empty() {
            break;
        }
        writer.write(&block).map_err(ConvertError::Unwritten)?;
        report(measured + second);
    }
    finish(writer)
}

fn finish(writer: WavWriter) -> Result<u64, ConvertError> {
    match writer.finish().map_err(ConvertError::Unwritten)? {
        0 => Err(WavError::Empty.into()),
        samples => Ok(samples),
    }
}
