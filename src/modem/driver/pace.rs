//! How a modem wants to be talked to: how long it may take to answer, and for how long it must be left
//! alone after an answer. Learnt from what went wrong. Pure.
//!
//! Most answer within 5 ms and take the next command at once. V.250 lets a modem ask for 100 ms after
//! each result code, and some swallow what comes earlier; others take a second for each answer.

use std::time::Duration;
use tokio::time::Instant;

/// How long a modem is left alone after a result: at first, once it swallowed a command that followed
/// one closely, and once it did so again.
const GAPS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(250),
];
/// A modem that took so long for an answer is slow.
const SLOW: Duration = Duration::from_millis(600);
/// The patience with one that is.
const SLOW_PATIENCE: Duration = Duration::from_secs(4);

/// The pace of one modem.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// An index of [`GAPS`].
    gap: usize,
    slow: bool,
    /// When the last result came.
    answered: Option<Instant>,
    /// The last command followed a result so closely that it may have been swallowed.
    closely: bool,
    /// Commands in a row that did and were not answered. One may be a reply that was lost.
    unanswered: u32,
}

impl Pace {
    /// When the next command may go out; `None` for at once.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        let gap = GAPS[self.gap];
        self.answered
            .filter(|_| !gap.is_zero())
            .map(|answered| answered + gap)
    }

    /// How long the answer may take that usually takes less than `usual`.
    pub(super) fn patience(&self, usual: Duration) -> Duration {
        if self.slow {
            usual.max(SLOW_PATIENCE)
        } else {
            usual
        }
    }

    /// A command goes out.
    pub(super) fn asks(&mut self, now: Instant) {
        self.closely = self
            .answered
            .is_some_and(|answered| now.duration_since(answered) < GAPS[GAPS.len() - 1]);
    }

    /// A result came.
    pub(super) const fn answers(&mut self, now: Instant) {
        if self.closely {
            self.unanswered = 0;
        }
        self.answered = Some(now);
    }

    /// A command that takes no time was answered after so long.
    pub(super) fn took(&mut self, time: Duration) {
        self.slow |= time >= SLOW;
    }

    /// Whether the command asked last followed a result closely.
    pub(super) const fn asked_closely(&self) -> bool {
        self.closely
    }

    /// The modem did not answer a command that followed a result closely, and is there.
    pub(super) fn swallowed(&mut self) {
        self.unanswered += 1;
        if self.unanswered > 1 {
            self.gap = (self.gap + 1).min(GAPS.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_was_swallowed_widens_the_gap() {
        let mut pace = Pace::default();
        let start = Instant::now();
        pace.asks(start);
        assert!(!pace.asked_closely());
        pace.answers(start + 3 * MS);
        assert_eq!(pace.next_turn(), None);
        pace.asks(start + 3 * MS);
        assert!(pace.asked_closely());
        pace.swallowed();
        assert_eq!(pace.next_turn(), None, "a reply may have been lost");
        for gap in [100, 250, 250] {
            pace.swallowed();
            assert_eq!(pace.next_turn(), Some(start + 3 * MS + gap * MS));
        }
        pace.asks(start + 2000 * MS);
        assert!(!pace.asked_closely());
    }

    #[test]
    fn replies_lost_now_and_then_change_nothing() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..10 {
            for _ in 0..5 {
                pace.asks(now);
                pace.answers(now + 3 * MS);
                now += 4 * MS;
            }
            pace.asks(now);
            pace.swallowed();
            assert_eq!(pace.next_turn(), None);
        }
    }

    #[test]
    fn a_late_answer_earns_patience() {
        let mut pace = Pace::default();
        let usual = 1000 * MS;
        pace.took(500 * MS);
        assert_eq!(pace.patience(usual), usual);
        pace.took(700 * MS);
        assert_eq!(pace.patience(usual), SLOW_PATIENCE);
        assert_eq!(pace.patience(2 * SLOW_PATIENCE), 2 * SLOW_PATIENCE);
    }
}
