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
    /// It never did. It is asked all the same: its answers may have been answers to something else.
    Worthless,
    /// It says nothing at all to the question, and is not asked again: that takes 10 s.
    Mute,
}

/// What a modem says of a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    AsSet,
    Otherwise,
    /// It does not know the question.
    Meaningless,
    Silence,
}

impl Word {
    /// Takes an answer: whether the setting is lost. After a second attempt at a modem that nothing is
    /// known of, it is its word that is worth nothing.
    fn shows_loss(&mut self, answer: Answer, second_attempt: bool) -> bool {
        let (word, lost) = match (*self, answer) {
            (_, Answer::AsSet) | (Self::Good, Answer::Meaningless | Answer::Silence) => {
                (Self::Good, false)
            }
            (Self::Good, Answer::Otherwise) => (Self::Good, true),
            (Self::Unknown | Self::Doubtful, Answer::Otherwise) if !second_attempt => {
                (Self::Unknown, true)
            }
            (Self::Unknown, Answer::Meaningless | Answer::Silence) => (Self::Doubtful, false),
            (Self::Doubtful | Self::Mute, Answer::Silence) => (Self::Mute, false),
            (Self::Unknown | Self::Doubtful | Self::Worthless | Self::Mute, _) => {
                (Self::Worthless, false)
            }
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
        if self.caller_id && self.candour.caller_id != Word::Mute {
            let (answer, _) = self.shown("AT+VCID?", |mode| mode != 0).await?;
            let word = &mut self.candour.caller_id;
            let before = *word;
            if word.shows_loss(answer, second_attempt) {
                return Ok(Some("the modem has switched caller ID off".into()));
            }
            if answer == Answer::Otherwise && before != Word::Worthless {
                tracing::warn!(
                    "the modem says that caller ID is off, whatever it is told; should calls come \
                     without caller ID, unplug it and plug it in again"
                );
            }
        }
        if self.candour.class != Word::Mute {
            let wanted: &[u32] = match self.class {
                RestingClass::Data => &[0],
                RestingClass::Fax => &[1, 2],
                RestingClass::Voice => &[8],
            };
            let (answer, text) = self
                .shown("AT+FCLASS?", |class| wanted.contains(&class))
                .await?;
            let word = &mut self.candour.class;
            if word.shows_loss(answer, second_attempt) {
                return Ok(Some(format!("the modem is in service class {text}")));
            }
            if answer == Answer::Otherwise && self.class == RestingClass::Fax {
                // In the data class it would answer as a modem. (In the voice class it has taken the
                // format of samples, whatever it says.)
                self.class = RestingClass::Data;
            }
        }
        Ok(None)
    }

    /// What the modem says of a setting, whose number `is_as_set` or not; its words, too.
    async fn shown(
        &mut self,
        question: &str,
        is_as_set: impl Fn(u32) -> bool,
    ) -> Result<(Answer, String), Down> {
        let Some(text) = ask(&mut self.connection, question).await? else {
            return Ok((Answer::Silence, String::new()));
        };
        let answer = match number(&text) {
            Some(number) if is_as_set(number) => Answer::AsSet,
            Some(_) => Answer::Otherwise,
            None => Answer::Meaningless,
        };
        Ok((answer, text))
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

    const UNANSWERED: [Answer; 2] = [Answer::Meaningless, Answer::Silence];

    #[test]
    fn a_setting_is_lost_only_where_it_was_shown_rightly_before() {
        let mut word = Word::default();
        assert!(!word.shows_loss(Answer::AsSet, false));
        for second_attempt in [false, true] {
            assert!(word.shows_loss(Answer::Otherwise, second_attempt));
            for answer in UNANSWERED {
                assert!(!word.shows_loss(answer, second_attempt), "a lost reply");
            }
        }
        let mut word = Word::default();
        assert!(
            word.shows_loss(Answer::Otherwise, false),
            "it may have been swallowed"
        );
        assert!(!word.shows_loss(Answer::Otherwise, true));
        assert_eq!(word, Word::Worthless);
    }

    #[test]
    fn one_that_says_nothing_to_the_question_is_not_asked_a_third_time() {
        let mut word = Word::default();
        for expected in [Word::Doubtful, Word::Mute] {
            assert!(!word.shows_loss(Answer::Silence, false));
            assert_eq!(word, expected, "the answer may have been lost");
        }
        let mut word = Word::Doubtful;
        assert!(!word.shows_loss(Answer::AsSet, false));
        assert!(word.shows_loss(Answer::Otherwise, false));
    }

    #[test]
    fn one_whose_word_was_worth_nothing_is_believed_once_it_is_right() {
        for wrong in [Answer::Meaningless, Answer::Otherwise, Answer::Silence] {
            let mut word = Word::Worthless;
            assert!(!word.shows_loss(wrong, false));
            assert_eq!(word, Word::Worthless);
            assert!(!word.shows_loss(Answer::AsSet, false));
            assert!(word.shows_loss(Answer::Otherwise, false));
        }
    }
}
