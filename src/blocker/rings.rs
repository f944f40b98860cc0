//! The rings of one call, and the signs that somebody else's have begun among them.
//!
//! An exchange keeps its beat as long as one caller rings, and one line keeps it for years. So a burst
//! off the beat, a beat that was missed, and a handset that was lifted each say that whoever rang before
//! may be gone. Nothing here ends a call for that: it only counts when caller ID comes
//! ([`Ringing`](super::ringing::Ringing)).

use super::machine::{Effect, Moment};
use crate::modem::driver::RING_WINDOW;
use std::time::{Duration, Instant};

/// RINGs closer together than this are one burst: the double rings of the UK and others.
const BURST_GAP: Duration = Duration::from_millis(1500);

/// A caller's own RING is no older than this when his caller ID comes: 1 s is usual, 3.5 s are
/// reported.
pub(super) const CALLER_ID_AFTER_RING: Duration = Duration::from_millis(3500);

/// The beats of the world's exchanges, for a line whose own is not known yet.
const ANY_BEAT: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(6));

/// How far a burst may be from where the beat of those before it has it.
const OFF_BEAT: Duration = Duration::from_secs(1);

/// Two gaps that differ by less are the beat of the line.
const SAME_GAP: Duration = Duration::from_millis(300);

/// The rings of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Rings {
    pub(super) last: Option<Instant>,
    pub(super) bursts: u32,
    /// When the last burst began.
    pub(super) burst: Option<Moment>,
    /// Between the last two bursts.
    gap: Option<Duration>,
    /// From one burst to the next on this line, once it is known.
    pub(super) beat: Option<Duration>,
    /// When somebody else may have begun to ring, or somebody answered, last.
    turned: Option<Instant>,
}

impl Rings {
    /// None yet, on a line with this beat.
    pub(super) fn on_line(beat: Option<Duration>) -> Self {
        Self {
            beat,
            ..Self::default()
        }
    }

    /// Only this burst, the first of another call.
    pub(super) fn beginning(burst: Moment, beat: Option<Duration>) -> Self {
        Self {
            last: Some(burst.now),
            bursts: 1,
            burst: Some(burst),
            ..Self::on_line(beat)
        }
    }

    pub(super) fn ring(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        if self
            .last
            .is_none_or(|last| at.now.duration_since(last) >= BURST_GAP)
        {
            self.burst(at);
            effects.push(Effect::Rang(self.bursts));
        }
        self.last = Some(at.now);
    }

    fn burst(&mut self, at: Moment) {
        if let Some(before) = self.burst.replace(at) {
            let gap = at.now.duration_since(before.now);
            let same = self.gap.is_some_and(|last| gap.abs_diff(last) < SAME_GAP);
            if same && gap + SAME_GAP > ANY_BEAT.0 && gap < ANY_BEAT.1 + SAME_GAP {
                self.beat = Some(gap);
            }
            let (shortest, longest) = self.expected_gap();
            if gap + OFF_BEAT < shortest || gap > longest + OFF_BEAT {
                self.turned = Some(at.now);
            }
            self.gap = Some(gap);
        }
        self.bursts += 1;
    }

    fn expected_gap(&self) -> (Duration, Duration) {
        self.beat.or(self.gap).map_or(ANY_BEAT, |beat| (beat, beat))
    }

    /// Somebody in the house answers.
    pub(super) fn handset_lifted(&mut self, now: Instant) {
        self.turned = Some(now);
    }

    /// Whether whoever rang or was announced `since` then may be gone by `now`.
    pub(super) fn turned_since(&self, since: Instant, now: Instant) -> bool {
        let missed_a_beat = self
            .burst
            .is_some_and(|burst| now.duration_since(burst.now) > self.expected_gap().1 + OFF_BEAT);
        missed_a_beat || self.turned.is_some_and(|turned| turned > since)
    }

    /// The last burst, if it is the one that a caller ID coming now goes with.
    pub(super) fn of_caller_id(&self, now: Instant) -> Option<Moment> {
        self.burst.filter(|burst| {
            self.last
                .is_some_and(|last| now.duration_since(last) < CALLER_ID_AFTER_RING)
                && self.turned.is_none_or(|turned| turned <= burst.now)
        })
    }

    /// Whether the line rings: only then may it be picked up.
    pub(super) fn rings_at(&self, now: Instant) -> bool {
        self.last
            .is_some_and(|last| now.duration_since(last) < RING_WINDOW)
    }
}
