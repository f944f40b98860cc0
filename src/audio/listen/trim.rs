//! How much of a recording to keep: tones and dead air after the last sound are cut off, nothing else.

use super::end_of_call::{CallEnd, EndReason};
use super::observation::{Position, SAMPLES_PER_SECOND};

/// Samples to keep of a recording of `recorded` samples: never more, never fewer than a second after
/// the last real sound, and all of them unless tones or silence ended the call.
pub fn samples_to_keep(recorded: u64, end: Option<&CallEnd>) -> u64 {
    let Some(end) = end else { return recorded };
    let cut = match end.reason {
        EndReason::DialTone
        | EndReason::Busy
        | EndReason::Reorder
        | EndReason::Howler
        | EndReason::SpecialInformation
        | EndReason::Silence => true,
        EndReason::LoopBreak | EndReason::NoCarrier | EndReason::RepeatedCode => false,
    };
    if !cut {
        return recorded;
    }
    let Position(last) = end.last_sound.unwrap_or_default();
    last.saturating_add(SAMPLES_PER_SECOND).min(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn end(reason: EndReason, last: Option<u64>) -> CallEnd {
        CallEnd {
            reason,
            at: Position(100_000),
            last_sound: last.map(Position),
        }
    }

    #[test]
    fn a_second_is_kept_after_the_last_sound() {
        let busy = end(EndReason::Busy, Some(50_000));
        assert_eq!(samples_to_keep(100_000, Some(&busy)), 58_000);
        let nothing_heard = end(EndReason::DialTone, None);
        assert_eq!(samples_to_keep(100_000, Some(&nothing_heard)), 8000);
    }

    #[test]
    fn a_call_that_ended_otherwise_is_kept_whole() {
        assert_eq!(samples_to_keep(100_000, None), 100_000);
        let line = end(EndReason::LoopBreak, Some(10));
        assert_eq!(samples_to_keep(100_000, Some(&line)), 100_000);
    }

    proptest! {
        #[test]
        fn it_only_shortens(recorded in 0_u64..10_000_000, last in 0_u64..10_000_000) {
            let kept = samples_to_keep(recorded, Some(&end(EndReason::Silence, Some(last))));
            prop_assert!(kept <= recorded);
            prop_assert!(kept == recorded || kept >= last + 8000);
        }
    }
}
