//! Compressed audio, and AIFF: the one module that knows `symphonia`.

use super::{ConvertError, Source, check_rate};
use std::fs::File;
use std::io;
use std::path::Path;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::default::{get_codecs, get_probe};

/// Damaged packets that are passed over, one after the other, before the file is given up.
const MOST_BAD_PACKETS: usize = 100;

/// The first track of a file that is decoded as it is read; channels are averaged.
pub(super) struct CompressedAudio {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    samples: Option<u64>,
    interleaved: Vec<f32>,
}

impl CompressedAudio {
    pub(super) fn open(path: &Path) -> Result<Self, ConvertError> {
        let stream = MediaSourceStream::new(
            Box::new(File::open(path)?),
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
            .map_err(|error| unknown(&error))?;
        let track = format.default_track(TrackType::Audio);
        let parameters =
            track.and_then(|track| Some((track, track.codec_params.as_ref()?.audio()?)));
        let Some((track, parameters)) = parameters else {
            return Err(ConvertError::Unknown {
                why: "no sound in it".into(),
            });
        };
        let rate = parameters.sample_rate.ok_or(ConvertError::Unknown {
            why: "it does not tell its sampling rate".into(),
        })?;
        let decoder = get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| unknown(&error))?;
        Ok(Self {
            track: track.id,
            rate: check_rate(rate)?,
            samples: track.num_frames,
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

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool, ConvertError> {
        let mut bad_packets = 0;
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(false),
                Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(false);
                }
                Err(error) => return Err(undecodable(&error)),
            };
            if packet.track_id != self.track {
                continue;
            }
            let decoded = match self.decoder.decode(&packet) {
                Ok(decoded) => decoded,
                Err(Error::DecodeError(_)) if bad_packets < MOST_BAD_PACKETS => {
                    bad_packets += 1;
                    continue;
                }
                Err(error) => return Err(undecodable(&error)),
            };
            let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
            if rate != self.rate {
                return Err(ConvertError::Undecodable {
                    why: format!("its sampling rate changes from {} to {rate} Hz", self.rate),
                });
            }
            decoded.copy_to_vec_interleaved(&mut self.interleaved);
            let frames = self.interleaved.chunks_exact(channels.max(1));
            samples.extend(frames.map(|frame| frame.iter().sum::<f32>() / frame.len() as f32));
            return Ok(true);
        }
    }
}

fn unknown(error: &Error) -> ConvertError {
    ConvertError::Unknown {
        why: error.to_string(),
    }
}

fn undecodable(error: &Error) -> ConvertError {
    ConvertError::Undecodable {
        why: error.to_string(),
    }
}
