//! The serial transcript of `-vv`: what crosses the port, text with escapes, audio as a count.

use crate::modem::wire::DataState;
use tracing::Level;

/// Audio bytes after which a line is written: one second.
const SUMMARY: usize = 8000;

#[derive(Default)]
pub(super) struct Transcript {
    audio_in: usize,
    audio_out: usize,
}

impl Transcript {
    pub(super) fn received(&mut self, bytes: &[u8], state: DataState) {
        if !tracing::enabled!(Level::TRACE) {
            return;
        }
        if state == DataState::Receive {
            self.audio_in += bytes.len();
            self.sum_up_if_long();
        } else {
            self.sum_up();
            tracing::trace!("<< {}", bytes.escape_ascii());
        }
    }

    pub(super) fn sent(&mut self, bytes: &[u8], state: DataState) {
        if !tracing::enabled!(Level::TRACE) {
            return;
        }
        // The codes that end a stream are short; audio comes in tenths of a second.
        if state != DataState::Command && bytes.len() > 16 {
            self.audio_out += bytes.len();
            self.sum_up_if_long();
        } else {
            self.sum_up();
            tracing::trace!(">> {}", bytes.escape_ascii());
        }
    }

    fn sum_up_if_long(&mut self) {
        if self.audio_in.max(self.audio_out) >= SUMMARY {
            self.sum_up();
        }
    }

    /// Before anything else is written, so that all stands where it belongs.
    fn sum_up(&mut self) {
        for (arrow, audio) in [("<<", &mut self.audio_in), (">>", &mut self.audio_out)] {
            let bytes = std::mem::take(audio);
            if bytes > 0 {
                tracing::trace!("{arrow} {bytes} bytes of audio");
            }
        }
    }
}
