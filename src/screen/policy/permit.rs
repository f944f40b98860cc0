//! Permits to ring for a time, whatever the lists say.

use super::verdict::{Decider, Matched};
use crate::clock::Timestamp;
use crate::screen::asked::{Asked, Exact};
use crate::screen::numbering::Numbering;

/// Who has a temporary permit.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Permitted {
    Exactly { exact: Exact, text: String },
    Next,
}

/// A permit to ring for a time, whatever the lists say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permit {
    who: Permitted,
    until: Timestamp,
}

impl Permit {
    /// For this number, until this instant.
    pub fn number(numbering: &Numbering, text: &str, until: Timestamp) -> Self {
        let number = numbering.read(text);
        Self {
            who: Permitted::Exactly {
                exact: Exact::of(&number, numbering),
                text: number
                    .normalised()
                    .map_or_else(|| number.as_received().into(), Into::into),
            },
            until,
        }
    }

    /// For one call of whoever calls next, until this instant.
    pub const fn next_call(until: Timestamp) -> Self {
        Self {
            who: Permitted::Next,
            until,
        }
    }

    /// The number, or `next`.
    pub fn who(&self) -> &str {
        match &self.who {
            Permitted::Exactly { text, .. } => text,
            Permitted::Next => "next",
        }
    }

    /// When it ends.
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        now < self.until
    }

    pub(super) const fn is_for_next_call(&self) -> bool {
        matches!(self.who, Permitted::Next)
    }

    pub(super) fn matched(&self, asked: &Asked<'_>) -> Option<Matched> {
        let mut matched = Matched::bare(Decider::NextPermit);
        if let Permitted::Exactly { exact, text } = &self.who {
            if asked.exact.as_ref() != Some(exact) {
                return None;
            }
            matched.by = Decider::Permit;
            matched.rule = Some(text.clone());
        }
        Some(matched)
    }
}
