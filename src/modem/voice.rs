//! Voice streams: their modes and how fast to write.
//!
//! The modem takes 8000 bytes a second and says nothing of how many it holds; the kernel would queue
//! 2.5 s in front of it, and an abort would be heard as late. So the clock decides: [`Pacer`] says how
//! many samples may be written now, and never lets more than [`AHEAD`] lie ahead of the line.

use super::wire::DataState;
use crate::audio::SAMPLE_RATE;
use std::time::{Duration, Instant};

/// The most audio that lies ahead of the line.
pub const AHEAD: Duration = Duration::from_millis(360);

/// How often audio is written while a stream lasts.
const STEP: Duration = Duration::from_millis(120);

/// How long an underrun is not believed against the count.
const CREDULITY: Duration = Duration::from_secs(10);

/// The direction of a voice stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VoiceMode {
    /// `+VRX`: from the line to us.
    Receive,
    /// `+VTX`: from us to the line.
    Transmit,
    /// `+VTR`: both.
    Duplex,
}

impl VoiceMode {
    /// The command that starts it.
    pub const fn command(self) -> &'static str {
        match self {
            Self::Receive => "AT+VRX",
            Self::Transmit => "AT+VTX",
            Self::Duplex => "AT+VTR",
        }
    }

    /// How the modem's bytes are to be read while it lasts.
    pub const fn data_state(self) -> DataState {
        match self {
            Self::Receive | Self::Duplex => DataState::Receive,
            Self::Transmit => DataState::Transmit,
        }
    }

    /// Whether we send audio.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Transmit | Self::Duplex)
    }

    /// Whether we are sent audio.
    pub const fn receives(self) -> bool {
        matches!(self, Self::Receive | Self::Duplex)
    }
}

/// Says how much audio may be written when.
#[derive(Debug)]
pub struct Pacer {
    /// When sample 0 of the current count was taken by the line.
    origin: Instant,
    /// Samples written since.
    written: u64,
    next_step: Instant,
}

impl Pacer {
    /// A stream that begins now.
    pub const fn starting(now: Instant) -> Self {
        Self {
            origin: now,
            written: 0,
            next_step: now,
        }
    }

    /// When to write next.
    pub const fn next_step(&self) -> Instant {
        self.next_step
    }

    /// How many samples to write now so that [`AHEAD`] lies ahead of the line.
    pub fn due(&self, now: Instant) -> usize {
        let target = samples(now.saturating_duration_since(self.origin) + AHEAD);
        usize::try_from(target.saturating_sub(self.written)).unwrap_or(0)
    }

    /// `count` samples were written now.
    pub fn wrote(&mut self, count: usize, now: Instant) {
        self.written += count as u64;
        self.next_step = now + STEP;
    }

    /// When the sample written last will have been taken by the line.
    pub fn played_out(&self) -> Instant {
        self.origin + duration(self.written)
    }

    /// The modem says that it has nothing to play: we were late, or its clock runs faster than ours.
    /// The count starts again, so that the next write restores the full [`AHEAD`] and no more. A
    /// report that contradicts the count is believed once in a while only: modems send one at the
    /// start of every stream, and a false one would let audio pile up.
    pub fn ran_dry(&mut self, now: Instant) {
        let late = self.played_out() <= now;
        if late || now.saturating_duration_since(self.origin) > CREDULITY {
            self.discarded(now);
        }
    }

    /// What was written but not yet played was thrown away.
    pub fn discarded(&mut self, now: Instant) {
        self.origin = now;
        self.written = 0;
        self.next_step = now;
    }
}

/// Samples in a time, rounded down.
fn samples(time: Duration) -> u64 {
    u64::try_from(time.as_nanos() * u128::from(SAMPLE_RATE) / 1_000_000_000).unwrap_or(u64::MAX)
}

/// The time that `samples` take.
fn duration(samples: u64) -> Duration {
    Duration::from_secs(samples / u64::from(SAMPLE_RATE))
        + Duration::from_secs(samples % u64::from(SAMPLE_RATE)) / SAMPLE_RATE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_the_limit_lies_ahead_and_never_nothing() {
        let start = Instant::now();
        let mut pacer = Pacer::starting(start);
        let mut written = 0;
        let mut now = start;
        while now < start + Duration::from_mins(1) {
            now = pacer.next_step().max(now);
            let taken = samples(now - start);
            assert!(
                now == start || written > taken,
                "underrun at {:?}",
                now - start
            );
            let due = pacer.due(now);
            written += due as u64;
            pacer.wrote(due, now);
            assert!(written - taken <= samples(AHEAD) + 1);
        }
    }

    #[test]
    fn a_modem_with_a_faster_clock_gets_its_lead_back() {
        let start = Instant::now();
        let mut pacer = Pacer::starting(start);
        pacer.wrote(pacer.due(start), start);
        let dry = start + 2 * AHEAD;
        pacer.ran_dry(dry);
        assert_eq!(pacer.due(dry) as u64, samples(AHEAD));
    }

    #[test]
    fn an_underrun_reported_at_the_start_changes_nothing() {
        let start = Instant::now();
        let mut pacer = Pacer::starting(start);
        pacer.wrote(pacer.due(start), start);
        pacer.ran_dry(start + Duration::from_millis(5));
        assert_eq!(pacer.due(start), 0);
    }
}
