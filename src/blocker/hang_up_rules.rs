//! When the line's codes alone mean that the caller has hung up: where there is no sound to judge by.
//!
//! A modem takes speech for busy or dial tone now and then, but it repeats a true one: Rockwell's and
//! other chips every 4 s (busy) or 3 s (dial tone), so that the host can ignore the first.

use crate::modem::line_code::LineCode;
use std::time::{Duration, Instant};

/// A tone reported again within this time is believed.
const REPEATED_WITHIN: Duration = Duration::from_secs(6);
/// Two reports closer together than this are one.
const SAME_REPORT: Duration = Duration::from_millis(300);
/// Some exchanges interrupt or reverse the loop when a call is answered.
const ANSWER_TRANSIENT: Duration = Duration::from_secs(1);

/// Watches the codes of one call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct HangUpRules {
    last_tone: Option<(LineCode, Instant)>,
}

impl HangUpRules {
    /// Whether, with this code, the caller is known to be gone.
    pub(crate) fn caller_is_gone(
        &mut self,
        code: LineCode,
        now: Instant,
        off_hook_for: Duration,
    ) -> bool {
        match code {
            LineCode::NoCarrier => true,
            LineCode::LoopBreak => off_hook_for >= ANSWER_TRANSIENT,
            LineCode::Busy | LineCode::Reorder | LineCode::DialTone => {
                let since = match self.last_tone {
                    Some((tone, at)) if tone == code => Some(now.duration_since(at)),
                    _ => None,
                };
                if since.is_some_and(|since| since < SAME_REPORT) {
                    return false;
                }
                self.last_tone = Some((code, now));
                since.is_some_and(|since| since <= REPEATED_WITHIN)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(codes: &[(u64, LineCode)]) -> Option<u64> {
        let answered = Instant::now();
        let mut rules = HangUpRules::default();
        codes.iter().find_map(|&(at, code)| {
            let off_hook_for = Duration::from_millis(at);
            rules
                .caller_is_gone(code, answered + off_hook_for, off_hook_for)
                .then_some(at)
        })
    }

    #[test]
    fn one_tone_is_a_hint_and_its_repetition_the_end() {
        use LineCode::{Busy, DialTone, LoopBreak, NoCarrier, Quiet, Reorder, Silence};
        for (codes, end) in [
            (&[(5000, Busy)][..], None),
            (&[(5000, Busy), (9000, Busy)], Some(9000)),
            (&[(5000, Busy), (5010, Busy)], None),
            (&[(5000, Busy), (20_000, Busy)], None),
            (&[(5000, Busy), (7000, DialTone)], None),
            (&[(5000, DialTone), (8000, DialTone)], Some(8000)),
            (&[(5000, Reorder), (9000, Reorder)], Some(9000)),
            (&[(300, LoopBreak)], None),
            (&[(5000, LoopBreak)], Some(5000)),
            (&[(100, NoCarrier)], Some(100)),
            (&[(5000, Silence), (6000, Quiet)], None),
        ] {
            assert_eq!(gone(codes), end, "{codes:?}");
        }
    }
}
