//! The voice streams: audio towards the line at exactly 8000 samples a second, and from it.

use super::chip::SampleFormat;
use super::sound::{RATE, SILENCE, samples_in, time_of};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So long after CONNECT the modem says that nothing was written yet.
const GRACE: Duration = Duration::from_millis(10);
/// A sample further than this from the middle is voice; the rest is quiet (about -30 dB).
const VOICE_LEVEL: u8 = 4;

/// Audio from the DTE on its way to the line.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one stream"
)]
pub(crate) struct Transmit {
    buffer: VecDeque<u8>,
    capacity: usize,
    format: SampleFormat,
    started: Instant,
    /// Sample times gone by, silent ones included.
    elapsed: u64,
    /// Whether the sample time before this one was audio.
    flowing: bool,
    /// Whether the DTE was told that the buffer is dry.
    dry_told: bool,
    paused: bool,
    /// Whether the DTE has said that no more will come.
    pub(crate) ending: bool,
    /// Whether the last byte was a DLE.
    pub(crate) escaped: bool,
    /// Whether the DTE was already found at fault in this stream.
    pub(crate) complained: bool,
}

/// Audio that has gone out on the line.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) at: Instant,
    pub(crate) samples: Vec<u8>,
    /// Whether it follows the audio before without a gap.
    pub(crate) continues: bool,
}

impl Transmit {
    pub(crate) fn new(started: Instant, capacity: usize, format: SampleFormat) -> Self {
        Self {
            buffer: VecDeque::with_capacity(capacity),
            capacity,
            format,
            started,
            elapsed: 0,
            flowing: false,
            dry_told: false,
            paused: false,
            ending: false,
            escaped: false,
            complained: false,
        }
    }

    fn instant_of(&self, sample: u64) -> Instant {
        self.started + time_of(sample)
    }

    /// Lets time pass up to `now`; what is due goes out on the line.
    pub(crate) fn play(&mut self, now: Instant) -> Option<Played> {
        let elapsed = samples_in(now.saturating_duration_since(self.started));
        let due = elapsed.saturating_sub(self.elapsed);
        let at = self.instant_of(self.elapsed);
        let count = if self.paused {
            0
        } else {
            self.queued().min(due as usize)
        };
        let bytes = count * self.format.bytes() as usize;
        let bytes: Vec<u8> = self.buffer.drain(..bytes).collect();
        let continues = self.flowing;
        // A gap is a sample time in which nothing could be sent.
        self.flowing = if count as u64 == due {
            self.flowing || count > 0
        } else {
            false
        };
        self.elapsed = self.elapsed.max(elapsed);
        (count > 0).then(|| Played {
            at,
            samples: to_unsigned(&bytes, self.format),
            continues,
        })
    }

    /// When the buffer runs dry, if nothing more comes.
    fn dry(&self) -> Instant {
        self.instant_of(self.elapsed + self.queued() as u64)
    }

    /// When something is to be done: the end of the stream, or an underrun.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.paused {
            None
        } else if self.ending || self.queued() > 0 {
            Some(self.dry())
        } else if self.dry_told {
            None
        } else {
            Some(self.dry().max(self.started + GRACE))
        }
    }

    /// Whether all is played and no more will come.
    pub(crate) fn is_over(&self) -> bool {
        self.ending && self.queued() == 0
    }

    /// Whether the DTE is to be told, once, that the buffer is dry.
    pub(crate) fn ran_dry(&mut self) -> bool {
        self.queued() == 0 && !self.ending && !std::mem::replace(&mut self.dry_told, true)
    }

    /// How many more bytes it can hold.
    pub(crate) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.buffer.len())
    }

    /// When there will be room for a USB packet or two.
    pub(crate) fn room_at(&self) -> Instant {
        self.instant_of(self.elapsed + self.queued().min(128) as u64)
    }

    pub(crate) fn push(&mut self, byte: u8) {
        self.buffer.push_back(byte);
        self.dry_told = false;
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend(bytes);
        self.dry_told &= bytes.is_empty();
    }

    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.flowing = false;
        // Whoever empties the buffer need not be told that it is empty.
        self.dry_told = true;
    }

    pub(crate) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Samples that wait for the line.
    pub(crate) fn queued(&self) -> usize {
        self.buffer.len() / self.format.bytes() as usize
    }
}

/// Audio from the line on its way to the DTE.
#[derive(Debug)]
pub(crate) struct Receive {
    started: Instant,
    sent: u64,
    piece: u64,
    format: SampleFormat,
    silence: Option<SilenceDetector>,
    /// Whether the last byte from the DTE was a DLE.
    pub(crate) escaped: bool,
    /// Whether audio was lost and the DTE does not know yet.
    pub(crate) overrun: bool,
    /// Whether nothing was said yet in this session.
    pub(crate) first: bool,
}

/// A stretch of the receive stream that is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) from: Instant,
    pub(crate) count: u64,
}

impl Receive {
    pub(crate) fn new(
        started: Instant,
        piece: u64,
        format: SampleFormat,
        silence: Option<SilenceDetector>,
    ) -> Self {
        Self {
            started,
            sent: 0,
            piece,
            format,
            silence,
            escaped: false,
            overrun: false,
            first: true,
        }
    }

    /// When the next piece is complete.
    pub(crate) fn due(&self) -> Instant {
        let next = (self.sent / self.piece + 1) * self.piece;
        self.started + time_of(next)
    }

    /// The samples that `now` makes due; they count as sent.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Stretch> {
        let elapsed = samples_in(now.saturating_duration_since(self.started));
        let count = elapsed.saturating_sub(self.sent);
        let from = self.started + time_of(self.sent);
        self.sent += count;
        (count > 0).then_some(Stretch { from, count })
    }

    /// The bytes of these samples, shielded.
    pub(crate) fn shield(&self, samples: &[u8], double_as_sub: bool) -> Vec<u8> {
        let bytes = from_unsigned(samples, self.format);
        let mut shielded = Vec::with_capacity(bytes.len() + 16);
        let mut rest = bytes.as_slice();
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            shielded.push(*byte);
            if *byte == 0x10 {
                if double_as_sub && rest.first() == Some(&0x10) {
                    shielded.push(0x1a);
                    rest = rest.get(1..).unwrap_or_default();
                } else {
                    shielded.push(0x10);
                }
            }
        }
        shielded
    }

    /// The code that silence detection has for these samples, if any.
    pub(crate) fn silence_code(&mut self, samples: &[u8]) -> Option<u8> {
        self.silence.as_mut()?.hear(samples)
    }
}

/// `+VSD`: tells once that nothing was said from the start (`s`), or that it became quiet (`q`).
#[derive(Debug)]
pub(crate) struct SilenceDetector {
    limit: u64,
    quiet: u64,
    voice: bool,
    told: bool,
}

impl SilenceDetector {
    /// After so many tenths of a second.
    pub(crate) fn new(tenths: u32) -> Self {
        Self {
            limit: u64::from(tenths) * RATE / 10,
            quiet: 0,
            voice: false,
            told: false,
        }
    }

    fn hear(&mut self, samples: &[u8]) -> Option<u8> {
        if samples.iter().any(|s| s.abs_diff(SILENCE) > VOICE_LEVEL) {
            self.voice = true;
            self.quiet = 0;
        } else {
            self.quiet += samples.len() as u64;
        }
        if self.told || self.quiet < self.limit {
            return None;
        }
        self.told = true;
        Some(if self.voice { b'q' } else { b's' })
    }
}

/// What the line hears of bytes in this format.
fn to_unsigned(bytes: &[u8], format: SampleFormat) -> Vec<u8> {
    match format {
        SampleFormat::Unsigned8 | SampleFormat::Opaque8 => bytes.to_vec(),
        SampleFormat::Signed8 => bytes.iter().map(|b| b ^ 0x80).collect(),
        SampleFormat::Linear16 => bytes
            .chunks(2)
            .map(|pair| pair.last().copied().unwrap_or(0) ^ 0x80)
            .collect(),
    }
}

fn from_unsigned(samples: &[u8], format: SampleFormat) -> Vec<u8> {
    match format {
        SampleFormat::Unsigned8 | SampleFormat::Opaque8 => samples.to_vec(),
        SampleFormat::Signed8 => samples.iter().map(|s| s ^ 0x80).collect(),
        SampleFormat::Linear16 => samples.iter().flat_map(|s| [0, s ^ 0x80]).collect(),
    }
}
