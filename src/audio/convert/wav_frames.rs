//! The samples of a WAV file of any usual kind, mixed to one channel.

use super::{ConvertError, Shortfall, Source, check_rate};
use crate::audio::wav::{Format, WavError, read_layout};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Take};
use std::path::Path;
use std::time::Duration;

/// About how many bytes are read at a time.
const BLOCK_BYTES: usize = 16 * 1024;
/// Larger samples of a floating-point file than this are damage, not sound; full scale is 1.
const LARGEST: f32 = 100.0;

/// Programs that write to a pipe put a length like this or a greater one in the header.
const NO_LENGTH: u32 = 0x7fff_0000;
/// An end that is missing and that nobody would miss.
const UNHEARD: Duration = Duration::from_millis(100);

/// How a sample is coded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    /// Up to 8 bits, unsigned.
    Unsigned,
    /// Little-endian two's complement of 2, 3 or 4 bytes.
    Signed,
    Float32,
    Float64,
    ALaw,
    MuLaw,
}

impl Coding {
    fn of(format: Format) -> Option<Self> {
        Some(match (format.coding, format.bits) {
            (1, 1..=8) => Self::Unsigned,
            (1, 9..=32) => Self::Signed,
            (3, 32) => Self::Float32,
            (3, 64) => Self::Float64,
            (6, 8) => Self::ALaw,
            (7, 8) => Self::MuLaw,
            _ => return None,
        })
    }

    /// The value of a sample, full scale being 1.
    fn decode(self, sample: &[u8]) -> f32 {
        match (self, sample) {
            (Self::Unsigned, &[byte]) => (f32::from(byte) - 128.0) / 128.0,
            (Self::Signed, &[low, high]) => f32::from(i16::from_le_bytes([low, high])) / 32768.0,
            (Self::Signed, &[low, middle, high]) => full_scale([0, low, middle, high]),
            (Self::Signed, &[a, b, c, d]) => full_scale([a, b, c, d]),
            (Self::Float32, &[a, b, c, d]) => finite(f32::from_le_bytes([a, b, c, d])),
            (Self::Float64, bytes) => bytes
                .try_into()
                .map_or(0.0, |bytes| finite(f64::from_le_bytes(bytes) as f32)),
            (Self::ALaw, &[byte]) => a_law(byte),
            (Self::MuLaw, &[byte]) => mu_law(byte),
            _ => 0.0,
        }
    }
}

fn full_scale(bytes: [u8; 4]) -> f32 {
    i32::from_le_bytes(bytes) as f32 / 2_147_483_648.0
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-LARGEST, LARGEST)
    } else {
        0.0
    }
}

/// ITU-T G.711 A-law, 13 bits.
fn a_law(byte: u8) -> f32 {
    let code = byte ^ 0x55;
    let (segment, step) = ((code >> 4) & 7, f32::from(code & 15));
    let magnitude = match segment {
        0 => 2.0 * step + 1.0,
        _ => (2.0 * step + 33.0) * f32::from(1_u16 << (segment - 1)),
    };
    let sign = if code & 0x80 == 0 { -1.0 } else { 1.0 };
    sign * magnitude / 4096.0
}

/// ITU-T G.711 µ-law, 14 bits.
fn mu_law(byte: u8) -> f32 {
    let code = !byte;
    let (segment, step) = ((code >> 4) & 7, f32::from(code & 15));
    let magnitude = (2.0 * step + 33.0) * f32::from(1_u16 << segment) - 33.0;
    let sign = if code & 0x80 == 0 { 1.0 } else { -1.0 };
    sign * magnitude / 8192.0
}

/// Reads a WAV file of integer, floating-point, A-law or µ-law samples; channels are averaged.
#[derive(Debug)]
pub(in crate::audio) struct WavFrames<R> {
    audio: Take<R>,
    format: Format,
    coding: Coding,
    /// Bytes of a sample of one channel.
    sample_bytes: usize,
    /// Samples of one channel.
    samples: u64,
    /// The same, as the header has it.
    declared: Option<u64>,
    block: Vec<u8>,
}

impl WavFrames<File> {
    /// Opens a file. What is no plain file (a folder, a pipe) is an error at once.
    pub(in crate::audio) fn open(path: &Path) -> Result<Self, ConvertError> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a file").into());
        }
        Self::new(File::open(path)?)
    }

    /// Opens a file that has at least one sample.
    pub(in crate::audio) fn open_audible(path: &Path) -> Result<Self, ConvertError> {
        let frames = Self::open(path)?;
        if frames.samples == 0 {
            return Err(WavError::Empty.into());
        }
        Ok(frames)
    }
}

impl<R: Read + Seek> WavFrames<R> {
    pub(super) fn new(mut file: R) -> Result<Self, ConvertError> {
        let layout = read_layout(&mut file)?;
        let format = layout.format;
        let coding = Coding::of(format).ok_or(ConvertError::Coding { found: format })?;
        check_rate(format.rate)?;
        let channels = usize::from(format.channels);
        if channels == 0 {
            return Err(WavError::Damaged {
                what: "it has no channels",
            }
            .into());
        }
        let sample_bytes = usize::from(format.bits.div_ceil(8));
        let frame_bytes = channels * sample_bytes;
        // Fewer bytes than the bits need cannot be: some programs leave that field as it was, or empty.
        // With more of them, nobody can tell which of the two is right.
        if usize::from(layout.frame_bytes) > frame_bytes {
            return Err(WavError::Damaged {
                what: "the bits and the bytes of its samples contradict each other",
            }
            .into());
        }
        let declared = u64::from(layout.claimed_bytes) / frame_bytes as u64;
        let samples = layout.data_bytes / frame_bytes as u64;
        file.seek(SeekFrom::Start(layout.data_start))?;
        Ok(Self {
            audio: file.take(samples * frame_bytes as u64),
            format,
            coding,
            sample_bytes,
            samples,
            declared: (layout.claimed_bytes < NO_LENGTH).then_some(declared),
            block: vec![0; frame_bytes * (BLOCK_BYTES / frame_bytes).max(1)],
        })
    }

    /// The kind of file.
    pub(in crate::audio) const fn format(&self) -> Format {
        self.format
    }
}

impl<R: Read + Seek> Source for WavFrames<R> {
    fn rate(&self) -> u32 {
        self.format.rate
    }

    fn samples(&self) -> Option<u64> {
        Some(self.samples)
    }

    fn shortfall(&self) -> Option<Shortfall> {
        Shortfall::of(self.samples, self.declared?, self.format.rate, UNHEARD)
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool, ConvertError> {
        let wanted = self.audio.limit().min(self.block.len() as u64) as usize;
        let block = &mut self.block[..wanted];
        if let Err(error) = self.audio.read_exact(block) {
            // The file became shorter while it was read.
            return match error.kind() {
                io::ErrorKind::UnexpectedEof => Ok(false),
                _ => Err(error.into()),
            };
        }
        let (coding, channels) = (self.coding, usize::from(self.format.channels));
        let frames = block.chunks_exact(channels * self.sample_bytes);
        samples.extend(frames.map(|frame| {
            let sum: f32 = frame
                .chunks_exact(self.sample_bytes)
                .map(|sample| coding.decode(sample))
                .sum();
            sum / channels as f32
        }));
        Ok(wanted > 0)
    }
}
