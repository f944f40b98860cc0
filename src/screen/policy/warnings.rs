//! What the user should know of his policy.

use super::Policy;
use crate::call::VerdictClass;
use crate::screen::list::List;
use std::fmt;

/// Something about the lists that the user should know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Warning {
    /// A file of the allow list cannot be read: nobody can tell whom it would let ring.
    AllowListUnreadable,
    /// The allow list has lines, but not one that can be used.
    AllowListWithoutGoodLine,
    /// Lines of the allow list say what to do with the call.
    AllowListWithActions,
    /// A file of the block list cannot be read: its callers ring through.
    BlockListUnreadable,
    /// Rules are for callers with the line's own number, or one like it, and nobody said which it is.
    OwnNumberUnknown,
    /// No list and no block of withheld numbers: nothing will ever be blocked.
    NothingIsBlocked,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllowListUnreadable => "the allow list cannot be read: everybody may ring",
            Self::AllowListWithoutGoodLine => {
                "the allow list has no line that can be used: everybody may ring"
            }
            Self::AllowListWithActions => {
                "lines of the allow list name an action: it does nothing, these callers ring"
            }
            Self::BlockListUnreadable => {
                "a block list cannot be read: callers that only it names will ring"
            }
            Self::OwnNumberUnknown => {
                "the rules self and neighbour match nobody without --my-number NUMBER"
            }
            Self::NothingIsBlocked => {
                "neither a list nor the blocking of withheld numbers was asked for: \
                 nothing will be blocked, calls are only logged"
            }
        })
    }
}

impl Policy {
    /// What the user should know about this policy: to be logged and shown when it is put in force.
    pub fn warnings(&self) -> Vec<Warning> {
        let nothing = self.allow.is_none()
            && self.block.is_none()
            && !self.block_private
            && self.quiet_hours.is_none()
            && self.unknown != Some(VerdictClass::Block);
        let block_unreadable = self.block.as_ref().is_some_and(|list| !list.is_whole());
        let own_unknown = self.numbering.own_number().is_none()
            && [&self.allow, &self.block]
                .into_iter()
                .flatten()
                .any(List::asks_for_own_number);
        let allow_actions = self.allow.as_ref().is_some_and(List::has_actions);
        [
            self.allow_list_fault(),
            allow_actions.then_some(Warning::AllowListWithActions),
            block_unreadable.then_some(Warning::BlockListUnreadable),
            own_unknown.then_some(Warning::OwnNumberUnknown),
            nothing.then_some(Warning::NothingIsBlocked),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Why the allow list cannot decide anything. A truly empty list can: it blocks everybody.
    pub(super) fn allow_list_fault(&self) -> Option<Warning> {
        let list = self.allow.as_ref()?;
        if !list.is_whole() {
            Some(Warning::AllowListUnreadable)
        } else if list.is_empty() && list.has_bad_lines() {
            Some(Warning::AllowListWithoutGoodLine)
        } else {
            None
        }
    }
}
