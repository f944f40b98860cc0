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
            if self.audio_in >= SUMMARY {
                tracing::trace!("<< {} bytes of audio", std::mem::take(&mut self.audio_in));
            }
        } else {
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
            if self.audio_out >= SUMMARY {
                tracing::trace!(">> {} bytes of audio", std::mem::take(&mut self.audio_out));
            }
        } else {
            tracing::trace!(">> {}", bytes.escape_ascii());
        }
    }
}
