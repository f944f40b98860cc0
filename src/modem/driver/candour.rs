//! The modem's own word on its settings: asked for right after it was set up, and whenever it is
//! looked after.
//!
//! An `OK` is no proof: a command typed too early may be swallowed and the next one's result taken for
//! its own, and a modem may reset itself at any time. But the word of some is worth nothing: they do
//! not know the question, or always give the same answer. So a setting counts as lost only on a modem
//! that showed it as it was set before.

use super::arm::ask;
use super::attached::Attached;
use super::{Down, RestingClass};

/// What a modem's word on a setting is worth.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Word {
    /// It was never asked.
    #[default]
    Unknown,
    /// It once did not answer the question; one that does not know it does so again.
    Doubtful,
    /// It has shown the setting as it was set.
    Good,
    /// It never did.
    Worthless,
}

impl Word {
    /// Takes an answer (`None` if it says nothing): whether the setting is lost. After a second attempt
    /// at a modem that nothing is known of, it is its word that is worth nothing.
    fn shows_loss(&mut self, as_set: Option<bool>, second_attempt: bool) -> bool {
        let (word, lost) = match (*self, as_set) {
            (_, Some(true)) | (Self::Good, None) => (Self::Good, false),
            (Self::Good, Some(false)) => (Self::Good, true),
            (Self::Unknown | Self::Doubtful, Some(false)) if !second_attempt => {
                (Self::Unknown, true)
            }
            (Self::Unknown, None) => (Self::Doubtful, false),
            (Self::Unknown | Self::Doubtful | Self::Worthless, _) => (Self::Worthless, false),
        };
        *self = word;
        lost
    }
}

/// What a modem's word is worth.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Candour {
    caller_id: Word,
    class: Word,
}

impl Attached {
    /// What is not as it was set up, in words. At the `second_attempt` in a row only what this modem
    /// has shown rightly before.
    pub(super) async fn discrepancy(
        &mut self,
        second_attempt: bool,
    ) -> Result<Option<String>, Down> {
        if self.caller_id && self.candour.caller_id != Word::Worthless {
            let answer = ask(&mut self.connection, "AT+VCID?").await?;
            let as_set = number(&answer).map(|mode| mode != 0);
            let word = &mut self.candour.caller_id;
            if word.shows_loss(as_set, second_attempt) {
                return Ok(Some("the modem has switched caller ID off".into()));
            }
            if as_set == Some(false) {
                tracing::warn!(
                    "the modem says that caller ID is off, whatever it is told; should calls come \
                     without caller ID, unplug it and plug it in again"
                );
            }
        }
        if self.candour.class != Word::Worthless {
            let answer = ask(&mut self.connection, "AT+FCLASS?").await?;
            let wanted: &[u32] = match self.class {
                RestingClass::Data => &[0],
                RestingClass::Fax => &[1, 2],
                RestingClass::Voice => &[8],
            };
            let as_set = number(&answer).map(|class| wanted.contains(&class));
            let word = &mut self.candour.class;
            if word.shows_loss(as_set, second_attempt) {
                return Ok(Some(format!("the modem is in service class {answer}")));
            }
            if as_set == Some(false) && self.class == RestingClass::Fax {
                // In the data class it would answer as a modem. (In the voice class it has taken the
                // format of samples, whatever it says.)
                self.class = RestingClass::Data;
            }
        }
        Ok(None)
    }
}

/// The number in an answer such as `8`, `8.0` or `+FCLASS: 8`.
fn number(answer: &str) -> Option<u32> {
    let value = answer.rsplit(':').next()?.trim();
    value.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_all_dresses() {
        for (answer, expected) in [
            ("8", Some(8)),
            ("8.0", Some(8)),
            ("+FCLASS: 8", Some(8)),
            (" 8 ", Some(8)),
            ("18", Some(18)),
            ("+VCID: 0", Some(0)),
            ("", None),
            ("ON", None),
        ] {
            assert_eq!(number(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn a_setting_is_lost_only_where_it_was_shown_rightly_before() {
        let mut word = Word::default();
        assert!(!word.shows_loss(Some(true), false));
        for second_attempt in [false, true] {
            assert!(word.shows_loss(Some(false), second_attempt));
            assert!(
                !word.shows_loss(None, second_attempt),
                "a reply that was lost"
            );
        }
        let mut word = Word::default();
        assert!(
            word.shows_loss(Some(false), false),
            "it may have been swallowed"
        );
        assert!(!word.shows_loss(Some(false), true));
        assert_eq!(word, Word::Worthless);
    }

    #[test]
    fn one_that_does_not_know_the_question_is_not_asked_a_third_time() {
        let mut word = Word::default();
        assert!(!word.shows_loss(None, false));
        assert_eq!(word, Word::Doubtful, "the answer may have been lost");
        assert!(!word.shows_loss(None, false));
        assert_eq!(word, Word::Worthless);
        let mut word = Word::Doubtful;
        assert!(!word.shows_loss(Some(true), false));
        assert!(word.shows_loss(Some(false), false));
    }
}
