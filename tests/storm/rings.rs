//! Rings that follow each other, what was said of who rings, and the signs that another began among
//! them.

use std::time::Duration;

/// A line may only be picked up if it rang within this time; without a ring for so long a call that
/// nobody answered is over.
pub const RINGS: Duration = Duration::from_secs(8);
/// What comes so soon after a block and does not contradict it is the rest of it.
const REST_OF_BLOCK: Duration = Duration::from_secs(2);
/// Two rings closer together are one burst of two.
const ONE_BURST: Duration = Duration::from_millis(1500);
/// Caller ID is never later after its ring.
const AFTER_RING: Duration = Duration::from_millis(3500);
/// How far a burst of the same caller may be off the beat.
const OFF_BEAT: Duration = Duration::from_secs(1);
/// Two gaps that differ by less are the beat of the line.
const SAME_GAP: Duration = Duration::from_millis(300);
const SHORTEST_BEAT: Duration = Duration::from_secs(3);
const LONGEST_BEAT: Duration = Duration::from_secs(6);

/// What was said of a caller.
#[derive(Clone, Debug)]
pub struct Told {
    pub number: String,
    pub at: Duration,
    /// Bursts before it.
    pub bursts: u32,
}

impl Told {
    /// A letter in the place of a number.
    pub fn is_mark(&self) -> bool {
        self.number.len() == 1
    }
}

/// Rings that follow each other without a pause in which the call would be over.
#[derive(Clone, Debug)]
pub struct Ringing {
    /// The index of its row.
    pub row: usize,
    pub began: Duration,
    pub last: Option<Duration>,
    pub bursts: u32,
    pub burst: Option<Duration>,
    pub gap: Option<Duration>,
    /// When a burst came off the beat, or a handset was lifted, last.
    pub turned: Option<Duration>,
    pub told: Option<Told>,
    /// It was answered already, and what rings until then is taken for it.
    pub answered_until: Option<Duration>,
    /// The first ring.
    pub first: Option<Duration>,
}

impl Ringing {
    pub fn new(row: usize, began: Duration) -> Self {
        Self {
            row,
            began,
            last: None,
            bursts: 0,
            burst: None,
            gap: None,
            turned: None,
            told: None,
            answered_until: None,
            first: None,
        }
    }

    pub fn is_over(&self, at: Duration) -> bool {
        at >= self
            .answered_until
            .unwrap_or_else(|| self.last.unwrap_or(self.began) + RINGS)
    }

    /// What the next gap must be like if the same caller rings on.
    pub fn beat(&self, known: Option<Duration>) -> (Duration, Duration) {
        known
            .or(self.gap)
            .map_or((SHORTEST_BEAT, LONGEST_BEAT), |beat| (beat, beat))
    }

    pub fn ring(&mut self, at: Duration, known: &mut Option<Duration>) {
        if self
            .last
            .is_none_or(|last| at.saturating_sub(last) >= ONE_BURST)
        {
            if let Some(before) = self.burst.replace(at) {
                let gap = at.saturating_sub(before);
                let same = self.gap.is_some_and(|last| gap.abs_diff(last) < SAME_GAP);
                if same && gap + SAME_GAP > SHORTEST_BEAT && gap < LONGEST_BEAT + SAME_GAP {
                    *known = Some(gap);
                }
                let (shortest, longest) = self.beat(*known);
                if gap + OFF_BEAT < shortest || gap > longest + OFF_BEAT {
                    self.turned = Some(at);
                }
                self.gap = Some(gap);
            }
            self.bursts += 1;
        }
        self.first.get_or_insert(at);
        self.last = Some(at);
    }

    /// Whether a block is that of another than who rings.
    pub fn is_anothers(&self, new: &Told, known: Option<Duration>) -> bool {
        let since = self.told.as_ref().map_or(self.began, |told| told.at);
        let missed = self
            .burst
            .is_some_and(|burst| new.at.saturating_sub(burst) > self.beat(known).1 + OFF_BEAT);
        let turned = missed || self.turned.is_some_and(|turned| turned > since);
        let Some(told) = &self.told else {
            return turned || self.bursts > 2;
        };
        if told.number == new.number {
            return false;
        }
        let soon = new.at.saturating_sub(told.at);
        if new.is_mark() && soon < REST_OF_BLOCK {
            return false;
        }
        let bursts = self.bursts - told.bursts;
        let two_numbers = !told.is_mark() && !new.is_mark();
        turned || bursts > 1 || two_numbers && (bursts > 0 || soon >= AFTER_RING)
    }

    /// The last burst, if a block goes with it.
    pub fn burst_of(&self, new: &Told) -> Option<Duration> {
        let near = self
            .last
            .is_some_and(|last| new.at.saturating_sub(last) < AFTER_RING);
        self.burst
            .filter(|burst| near && self.turned.is_none_or(|turned| turned <= *burst))
    }
}
