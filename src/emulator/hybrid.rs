//! The hybrid of the line: some of what the modem sends comes back in what it receives.

use super::sound::{SILENCE, samples_in};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// From the modem to the hybrid and back.
const DELAY: u64 = 16;
/// Sent samples remembered: more than a piece of the receive stream, and the delay.
const MEMORY: usize = 16_000;

/// What was sent in one voice state, and what of it comes back.
#[derive(Debug)]
pub(crate) struct Hybrid {
    started: Instant,
    /// Amplitude of the echo, in thousandths of what was sent.
    gain: i32,
    sent: VecDeque<u8>,
    /// Place of the sample after the last one sent, in samples since the start.
    end: u64,
}

impl Hybrid {
    /// An echo that is so many dB weaker than what was sent.
    pub(crate) fn new(started: Instant, loss_db: u8) -> Self {
        Self {
            started,
            gain: (1000.0 * 10_f64.powf(-f64::from(loss_db) / 20.0)).round() as i32,
            sent: VecDeque::new(),
            end: 0,
        }
    }

    fn place(&self, at: Instant) -> u64 {
        samples_in(at.saturating_duration_since(self.started) + Duration::from_micros(60))
    }

    /// These samples went out on the line from `at` on.
    pub(crate) fn sent(&mut self, at: Instant, samples: &[u8]) {
        let from = self.place(at);
        for _ in self.end..from.min(self.end + MEMORY as u64) {
            self.sent.push_back(SILENCE);
        }
        self.sent.extend(samples);
        self.end = from.max(self.end) + samples.len() as u64;
        let old = self.sent.len().saturating_sub(MEMORY);
        self.sent.drain(..old);
    }

    /// Adds the echo to what comes from the line from `at` on.
    pub(crate) fn mix(&self, at: Instant, line: &mut [u8]) {
        let begin = self.end - self.sent.len() as u64;
        for (sample, place) in line.iter_mut().zip(self.place(at)..) {
            let sent = place
                .checked_sub(DELAY + begin)
                .and_then(|index| self.sent.get(usize::try_from(index).ok()?));
            if let Some(sent) = sent {
                let echo = (i32::from(*sent) - 128) * self.gain / 1000;
                *sample = (i32::from(*sample) + echo).clamp(0, 255) as u8;
            }
        }
    }
}
