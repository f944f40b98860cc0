//! The ladder up which a modem is treated that does not answer.
//!
//! Resync and soft reset come first, on the open port ([`Attached`](super::attached::Attached)); what
//! is here begins when they did not help. Pure.

use std::time::Duration;

/// What it means that the modem does not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Silence {
    /// Something is wrong that was not before.
    News,
    /// The modem is known to be hung and is tried again: one line for the whole attempt is enough.
    Known,
}

impl Silence {
    /// Logs trouble with the modem.
    pub(super) fn tell(self, what: &str) {
        match self {
            Self::News => tracing::warn!("{what}"),
            Self::Known => tracing::debug!("{what}"),
        }
    }
}

/// The next thing to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It is unplugged: nothing to try.
    WaitForPort,
    /// Close the port with DTR dropped and open it again.
    Reopen,
    /// Reset the bus port.
    ResetBus,
    /// Nothing helps: leave it alone for so long.
    Rest {
        /// How long.
        time: Duration,
        /// A fresh process may do better.
        give_up: bool,
    },
}

/// How long a hung modem is left alone, from the first time on; the last counts for all after it.
const RESTS: [Duration; 4] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
];

/// How far up the ladder we are.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    tried: usize,
    rests: usize,
    /// It was left alone since it answered last.
    left_alone: bool,
    /// The modem has worked for this process.
    ever_answered: bool,
}

impl Recovery {
    /// The modem was set up: the next trouble begins at the bottom.
    pub(super) fn modem_answered(&mut self) {
        self.start_over();
        self.ever_answered = true;
    }

    /// It was unplugged while it was left alone, so it had its power taken away: the next trouble begins
    /// at the bottom.
    pub(super) fn unplugged(&mut self) {
        self.start_over();
    }

    fn start_over(&mut self) {
        self.tried = 0;
        self.rests = 0;
        self.left_alone = false;
    }

    /// It said something while it was left alone: the attempt that this gives rise to is one more, and
    /// puts off none.
    pub(super) fn roused(&mut self) {
        self.rests = self.rests.saturating_sub(1);
    }

    pub(super) const fn silence(&self) -> Silence {
        if self.left_alone {
            Silence::Known
        } else {
            Silence::News
        }
    }

    /// The modem did not answer (again).
    pub(super) fn next_step(&mut self) -> Step {
        self.tried += 1;
        match self.tried {
            1 => Step::Reopen,
            2 => Step::ResetBus,
            _ => {
                self.tried = 0;
                let time = RESTS[self.rests.min(RESTS.len() - 1)];
                self.rests += 1;
                self.left_alone = true;
                Step::Rest {
                    time,
                    give_up: self.ever_answered,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests(recovery: &mut Recovery, count: usize) -> Vec<(u64, bool)> {
        std::iter::from_fn(|| Some(recovery.next_step()))
            .filter_map(|step| match step {
                Step::Rest { time, give_up } => Some((time.as_secs() / 60, give_up)),
                _ => None,
            })
            .take(count)
            .collect()
    }

    #[test]
    fn rougher_and_rougher_then_rarer_and_rarer() {
        let mut recovery = Recovery::default();
        assert_eq!(recovery.next_step(), Step::Reopen);
        assert_eq!(recovery.next_step(), Step::ResetBus);
        let times = [
            (1, false),
            (5, false),
            (15, false),
            (60, false),
            (60, false),
        ];
        assert_eq!(rests(&mut recovery, 5), times);
    }

    #[test]
    fn one_that_was_unplugged_while_it_was_left_alone_begins_at_the_bottom() {
        let mut recovery = Recovery::default();
        assert_eq!(recovery.silence(), Silence::News);
        rests(&mut recovery, 2);
        assert_eq!(recovery.silence(), Silence::Known);
        recovery.unplugged();
        assert_eq!(recovery.silence(), Silence::News);
        assert_eq!(recovery.next_step(), Step::Reopen);
        assert_eq!(rests(&mut recovery, 1), [(1, false)]);
    }

    #[test]
    fn an_attempt_that_it_gave_rise_to_itself_puts_off_none() {
        let mut recovery = Recovery::default();
        assert_eq!(rests(&mut recovery, 2), [(1, false), (5, false)]);
        recovery.roused();
        assert_eq!(recovery.silence(), Silence::Known);
        assert_eq!(rests(&mut recovery, 2), [(5, false), (15, false)]);
    }

    #[test]
    fn one_that_used_to_work_is_given_up() {
        let mut recovery = Recovery::default();
        recovery.next_step();
        recovery.modem_answered();
        assert_eq!(recovery.next_step(), Step::Reopen);
        assert_eq!(rests(&mut recovery, 1), [(1, true)]);
    }
}
