//! Where the audio lies in a WAV file, and of what kind it is.

use super::WavError;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

/// More chunks than this before the audio are not a WAV file that anybody wrote.
const MAX_CHUNKS: usize = 1000;

const PCM: u16 = 0x0001;
const EXTENSIBLE: u16 = 0xfffe;

/// The kind of audio in a WAV file: the fields of its `fmt ` chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Format {
    /// The coding (`wFormatTag`): 1 is linear PCM, 3 floating point, 6 A-law, 7 µ-law.
    pub coding: u16,
    /// 1 is mono.
    pub channels: u16,
    /// Samples a second.
    pub rate: u32,
    /// Bits in a sample. Eight are unsigned, more are signed.
    pub bits: u16,
}

impl Format {
    /// What a telephone line with a voice modem takes.
    pub const LINE: Self = Self {
        coding: PCM,
        channels: 1,
        rate: super::SAMPLE_RATE,
        bits: 8,
    };
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-bit ", self.bits)?;
        match self.coding {
            PCM if self.bits <= 8 => f.write_str("unsigned PCM"),
            PCM => f.write_str("signed PCM"),
            0x0002 | 0x0011 => f.write_str("ADPCM"),
            0x0003 => f.write_str("floating point"),
            0x0006 => f.write_str("A-law"),
            0x0007 => f.write_str("µ-law"),
            0x0031 => f.write_str("GSM"),
            0x0055 => f.write_str("MP3"),
            other => write!(f, "audio of coding {other:#06x}"),
        }?;
        match self.channels {
            1 => f.write_str(", mono"),
            2 => f.write_str(", stereo"),
            more => write!(f, ", {more} channels"),
        }?;
        write!(f, ", {} Hz", self.rate)
    }
}

/// A WAV file's inner layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::audio) struct Layout {
    pub(in crate::audio) format: Format,
    /// Bytes of one sample of all channels as the header has it (`nBlockAlign`).
    pub(in crate::audio) frame_bytes: u16,
    /// Offset of the first sample.
    pub(in crate::audio) data_start: u64,
    /// Bytes of audio that are really there.
    pub(in crate::audio) data_bytes: u64,
    /// Bytes of audio as the header has it.
    pub(in crate::audio) claimed_bytes: u32,
    /// Bytes after the first eight as the RIFF head has it.
    pub(in crate::audio) claimed_riff_bytes: u32,
    /// Bytes from the first sample to the end of the file.
    pub(in crate::audio) rest_bytes: u64,
}

/// Walks the chunks up to the audio.
pub(in crate::audio) fn read_layout(file: &mut (impl Read + Seek)) -> Result<Layout, WavError> {
    let file_bytes = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut riff = [0; 12];
    let got = read_up_to(file, &mut riff)?;
    if got < riff.len() || &riff[..4] != b"RIFF" || &riff[8..] != b"WAVE" {
        return Err(WavError::NotWav {
            what: kind_of(&riff[..got]),
        });
    }
    let mut format = None;
    let mut position = 12;
    for _ in 0..MAX_CHUNKS {
        file.seek(SeekFrom::Start(position))?;
        let mut head = [0; 8];
        if read_up_to(file, &mut head)? < head.len() {
            break;
        }
        let [i0, i1, i2, i3, n0, n1, n2, n3] = head;
        let length = u32::from_le_bytes([n0, n1, n2, n3]);
        position += 8;
        match &[i0, i1, i2, i3] {
            b"fmt " => format = Some(read_format(file, length)?),
            b"data" => {
                let (format, frame_bytes) = format.ok_or(WavError::Damaged {
                    what: "its audio is not described",
                })?;
                let rest_bytes = file_bytes.saturating_sub(position);
                let data_bytes = if has_no_length(length, &riff, position) {
                    rest_bytes
                } else {
                    u64::from(length).min(rest_bytes)
                };
                return Ok(Layout {
                    format,
                    frame_bytes,
                    data_start: position,
                    data_bytes,
                    claimed_bytes: length,
                    claimed_riff_bytes: riff_length(&riff),
                    rest_bytes,
                });
            }
            _ => {}
        }
        // A chunk of odd length is followed by a pad byte that its length does not count.
        position += u64::from(length) + u64::from(length % 2);
    }
    Err(WavError::Damaged {
        what: "it has no audio",
    })
}

/// Whether the program that wrote the file never came to write the length of its audio: it wrote
/// to a pipe (all ones), or crashed (0, and by the RIFF head the file ends before the audio).
fn has_no_length(data_length: u32, riff: &[u8; 12], data_start: u64) -> bool {
    let riff_end = u64::from(riff_length(riff)) + 8;
    data_length == u32::MAX || (data_length == 0 && riff_end <= data_start)
}

const fn riff_length(riff: &[u8; 12]) -> u32 {
    u32::from_le_bytes([riff[4], riff[5], riff[6], riff[7]])
}

/// The format, and how many bytes a sample of all channels has.
fn read_format(file: &mut impl Read, length: u32) -> Result<(Format, u16), WavError> {
    let damaged = WavError::Damaged {
        what: "the description of its audio is cut off",
    };
    let mut fields = [0; 26];
    let wanted = fields.len().min(length as usize);
    let got = read_up_to(file, &mut fields[..wanted])?;
    if got < 16 {
        return Err(damaged);
    }
    let word = |at: usize| u16::from_le_bytes([fields[at], fields[at + 1]]);
    let mut coding = word(0);
    if coding == EXTENSIBLE {
        if got < fields.len() {
            return Err(damaged);
        }
        // WAVEFORMATEXTENSIBLE: the sub-format begins with the real coding.
        coding = word(24);
    }
    let format = Format {
        coding,
        channels: word(2),
        rate: u32::from_le_bytes([fields[4], fields[5], fields[6], fields[7]]),
        bits: word(14),
    };
    Ok((format, word(12)))
}

/// Fills the buffer as far as the file goes.
fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// What a file that is no WAV file is, by its first bytes.
fn kind_of(start: &[u8]) -> &'static str {
    match start {
        [] => "an empty file",
        [b'I', b'D', b'3', ..] | [0xff, 0xe2..=0xff, ..] => "an MP3 file",
        [b'O', b'g', b'g', b'S', ..] => "an Ogg file",
        [b'f', b'L', b'a', b'C', ..] => "a FLAC file",
        [b'F', b'O', b'R', b'M', ..] => "an AIFF file",
        [b'.', b's', b'n', b'd', ..] => "an AU file",
        [b'R', b'F', b'6', b'4', ..] => "a 64-bit RF64 file",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "an MP4 file",
        _ => "something else",
    }
}
