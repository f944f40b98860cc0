//! Compressed audio, and AIFF: the one module that knows `symphonia`.

use super::{ConvertError, Shortfall, Source, check_rate};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::default::{get_codecs, get_probe};

/// Damaged packets that are passed over, one after the other, before the file is given up.
const MOST_BAD_PACKETS: usize = 100;

/// An MP3 file may have an estimate of its length only, and encoders count what they put before and
/// after the sound in different ways: a tenth may be missing. Of the others, a moment.
const UNHEARD: Duration = Duration::from_millis(100);
const UNHEARD_OF_MP3: Duration = Duration::from_millis(250);

/// The first track of a file that is decoded as it is read; channels are averaged.
pub(super) struct CompressedAudio {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    samples: Option<u64>,
    /// Samples that were decoded, and that were in packets which could not be.
    decoded: u64,
    undecoded: u64,
    is_mp3: bool,
    interleaved: Vec<f32>,
}

impl CompressedAudio {
    pub(super) fn open(path: &Path) -> Result<Self, ConvertError> {
        let stream = MediaSourceStream::new(
            Box::new(Untagged::open(path)?),
            MediaSourceStreamOptions::default(),
        );
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
            hint.with_extension(extension);
        }
        let format = get_probe()
            .probe(
                &hint,
                stream,
                FormatOptions::default(),
                MetadataOptions::default(),
            )
            .map_err(unknown)?;
        let track = format.default_track(TrackType::Audio);
        let parameters =
            track.and_then(|track| Some((track, track.codec_params.as_ref()?.audio()?)));
        let Some((track, parameters)) = parameters else {
            return Err(ConvertError::Unknown);
        };
        let rate = parameters.sample_rate.ok_or(ConvertError::Unknown)?;
        let decoder = get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(unknown)?;
        Ok(Self {
            track: track.id,
            rate: check_rate(rate)?,
            samples: track.num_frames,
            decoded: 0,
            undecoded: 0,
            is_mp3: parameters.codec == CODEC_ID_MP3,
            decoder,
            format,
            interleaved: Vec::new(),
        })
    }
}

impl Source for CompressedAudio {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn samples(&self) -> Option<u64> {
        self.samples
    }

    fn shortfall(&self) -> Option<Shortfall> {
        let least = self.decoded.saturating_add(self.undecoded);
        if !self.is_mp3 {
            let declared = self.samples.unwrap_or(0).max(least);
            return Shortfall::of(self.decoded, declared, self.rate, UNHEARD);
        }
        let declared = self
            .samples
            .filter(|samples| samples - samples / 10 > self.decoded);
        let declared = declared.unwrap_or(0).max(least);
        Shortfall::of(self.decoded, declared, self.rate, UNHEARD_OF_MP3)
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool, ConvertError> {
        let mut bad_packets = 0;
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(false),
                Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(false);
                }
                Err(error) => return Err(undecodable(error)),
            };
            if packet.track_id != self.track {
                continue;
            }
            let decoded = match self.decoder.decode(&packet) {
                Ok(decoded) => decoded,
                Err(Error::DecodeError(_)) if bad_packets < MOST_BAD_PACKETS => {
                    bad_packets += 1;
                    self.undecoded = self.undecoded.saturating_add(packet.dur.get());
                    continue;
                }
                Err(error) => return Err(undecodable(error)),
            };
            let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
            if rate != self.rate {
                return Err(ConvertError::Undecodable {
                    why: format!("its sampling rate changes from {} to {rate} Hz", self.rate),
                });
            }
            decoded.copy_to_vec_interleaved(&mut self.interleaved);
            let frames = self.interleaved.chunks_exact(channels.max(1));
            self.decoded += frames.len() as u64;
            samples.extend(frames.map(|frame| frame.iter().sum::<f32>() / frame.len() as f32));
            return Ok(true);
        }
    }
}

/// A file without the `ID3v2` tags before its sound, which may hold pictures of any size.
struct Untagged {
    file: File,
    /// Where the sound begins.
    start: u64,
    length: u64,
}

impl Untagged {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut start = 0;
        while let Some(next) = after_tag(&mut file, start)?.filter(|next| *next <= length) {
            start = next;
        }
        file.seek(SeekFrom::Start(start))?;
        Ok(Self {
            file,
            start,
            length: length - start,
        })
    }
}

/// Where the `ID3v2` tag ends that begins at `start`, if one does: ten bytes of header, of which the
/// last four give the length of the rest, seven bits each (id3.org, `ID3v2.4`, 3.1).
fn after_tag(file: &mut File, start: u64) -> io::Result<Option<u64>> {
    const FOOTER_PRESENT: u8 = 0x10;
    file.seek(SeekFrom::Start(start))?;
    let mut header = [0; 10];
    match file.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let [b'I', b'D', b'3', _, _, flags, length @ ..] = header else {
        return Ok(None);
    };
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
    let footer = if flags & FOOTER_PRESENT == 0 { 0 } else { 10 };
    Ok(Some(start + 10 + length + footer))
}

impl Read for Untagged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Untagged {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => SeekFrom::Start(self.start.saturating_add(at)),
            other => other,
        };
        let at = self.file.seek(to)?;
        at.checked_sub(self.start)
            .ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

impl MediaSource for Untagged {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// What the library says of a file that it cannot open is of no help to anybody.
fn unknown(error: Error) -> ConvertError {
    match error {
        Error::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => error.into(),
        _ => ConvertError::Unknown,
    }
}

fn undecodable(error: Error) -> ConvertError {
    match error {
        Error::IoError(error) => error.into(),
        _ => ConvertError::Undecodable {
            why: "it is damaged".into(),
        },
    }
}
