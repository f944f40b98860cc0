//! The rules: allow list, block list, withheld numbers, and their order.
//!
//! A decision is a look-up in memory. It never reads a file, and it explains itself.

use super::caller::{Caller, CallerNumber};
use super::list::{List, Match};
use crate::call::VerdictClass;
use std::fmt;
use std::path::PathBuf;

/// Where a rule was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The list, as the user named it.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: u32,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Whether a caller may ring, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Ring or block.
    pub class: VerdictClass,
    /// Why, in a few words for a person.
    pub reason: String,
    /// The line of the list that decided, if one did.
    pub source: Option<Source>,
}

impl Verdict {
    /// A verdict by no list, with its reason in words.
    pub fn new(class: VerdictClass, reason: impl Into<String>) -> Self {
        Self {
            class,
            reason: reason.into(),
            source: None,
        }
    }

    fn listed(class: VerdictClass, list: &str, found: Match<'_>) -> Self {
        let reason = match found.name {
            Some(name) => format!("on the {list} list ({name})"),
            None => format!("on the {list} list"),
        };
        Self {
            class,
            reason,
            source: Some(Source {
                file: found.file.to_path_buf(),
                line: found.line,
            }),
        }
    }
}

/// Something about the lists that the user should know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Warning {
    /// A file of the allow list cannot be read: nobody can tell whom it would let ring.
    AllowListUnreadable,
    /// The allow list has lines, but not one that can be used.
    AllowListWithoutGoodLine,
    /// A file of the block list cannot be read: its callers ring through.
    BlockListUnreadable,
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
            Self::BlockListUnreadable => {
                "a block list cannot be read: callers that only it names will ring"
            }
            Self::NothingIsBlocked => {
                "neither a list nor the blocking of withheld numbers was asked for: \
                 nothing will be blocked, calls are only logged"
            }
        })
    }
}

/// Who may ring.
///
/// In this order: a caller on the allow list rings; an allow list that is unusable lets everybody
/// ring, whatever else is asked for; a caller on the block list is blocked; withheld and
/// out-of-area numbers are blocked if `block_private` is set; with an allow list alone everybody
/// else is blocked; else everybody rings.
#[derive(Debug, Default)]
pub struct Policy {
    /// Callers that ring whatever else is said. Alone, without a block list, it blocks all others;
    /// an empty one blocks everybody.
    pub allow: Option<List>,
    /// Callers that are blocked.
    pub block: Option<List>,
    /// Whether withheld and out-of-area numbers are blocked. A missing caller ID is not.
    pub block_private: bool,
}

impl Policy {
    /// The verdict on a caller.
    pub fn screen(&self, caller: &Caller) -> Verdict {
        use VerdictClass::{Block, Ring};

        let text = caller.number.as_received();
        if let Some(found) = find(self.allow.as_ref(), text) {
            return Verdict::listed(Ring, "allow", found);
        }
        if self.allow_list_fault().is_some() {
            return Verdict::new(Ring, "the allow list cannot be used: everybody rings");
        }
        if let Some(found) = find(self.block.as_ref(), text) {
            return Verdict::listed(Block, "block", found);
        }
        let absence = match caller.number {
            CallerNumber::Known(_) => None,
            CallerNumber::Withheld(_) => Some("number withheld"),
            CallerNumber::OutOfArea(_) => Some("number out of area"),
            CallerNumber::Missing => Some("no caller ID"),
        };
        if self.block_private
            && let CallerNumber::Withheld(_) | CallerNumber::OutOfArea(_) = caller.number
            && let Some(absence) = absence
        {
            return Verdict::new(Block, absence);
        }
        if self.allow.is_some() && self.block.is_none() {
            return match absence {
                Some(absence) => Verdict::new(Block, format!("{absence}, not on the allow list")),
                None => Verdict::new(Block, "not on the allow list"),
            };
        }
        Verdict::new(Ring, "no rule applies")
    }

    /// What the user should know about this policy: to be logged and shown when it is put in force.
    pub fn warnings(&self) -> Vec<Warning> {
        let nothing = self.allow.is_none() && self.block.is_none() && !self.block_private;
        let block_unreadable = self.block.as_ref().is_some_and(|list| !list.is_whole());
        [
            self.allow_list_fault(),
            block_unreadable.then_some(Warning::BlockListUnreadable),
            nothing.then_some(Warning::NothingIsBlocked),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Why the allow list cannot decide anything. A truly empty list can: it blocks everybody.
    fn allow_list_fault(&self) -> Option<Warning> {
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

fn find<'a>(list: Option<&'a List>, text: Option<&str>) -> Option<Match<'a>> {
    list?.find(text?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use VerdictClass::{Block, Ring};

    fn list(text: &str) -> List {
        List::parse("list.csv".as_ref(), text.as_bytes()).list
    }

    fn unreadable() -> List {
        List::load(&["/nonexistent/list.csv"]).list
    }

    fn policy(
        allow: impl Into<Option<List>>,
        block: impl Into<Option<List>>,
        block_private: bool,
    ) -> Policy {
        Policy {
            allow: allow.into(),
            block: block.into(),
            block_private,
        }
    }

    const NUMBERS: [Option<&str>; 6] = [
        Some("5055550101"), // on the allow list
        Some("5055550102"), // on the block list
        Some("5055550103"), // on both
        Some("P"),
        Some("O"),
        None,
    ];
    const ALLOW: &str = "5055550101,Example Friend\n5055550103,\n";
    const BLOCK: &str = "# spam\n5055550102,Example Solar\n5055550103,\n";

    fn classes(policy: &Policy) -> [VerdictClass; 6] {
        NUMBERS.map(|number| policy.screen(&Caller::from_line(number, None)).class)
    }

    #[test]
    fn each_combination_of_lists_decides_as_documented() {
        let table = [
            (
                policy(None, None, false),
                [Ring, Ring, Ring, Ring, Ring, Ring],
            ),
            (
                policy(None, None, true),
                [Ring, Ring, Ring, Block, Block, Ring],
            ),
            (
                policy(None, list(BLOCK), false),
                [Ring, Block, Block, Ring, Ring, Ring],
            ),
            (
                policy(None, list(BLOCK), true),
                [Ring, Block, Block, Block, Block, Ring],
            ),
            (
                policy(list(ALLOW), None, false),
                [Ring, Block, Ring, Block, Block, Block],
            ),
            (
                policy(list(ALLOW), None, true),
                [Ring, Block, Ring, Block, Block, Block],
            ),
            (
                policy(list(ALLOW), list(BLOCK), false),
                [Ring, Block, Ring, Ring, Ring, Ring],
            ),
            (
                policy(list(ALLOW), list(BLOCK), true),
                [Ring, Block, Ring, Block, Block, Ring],
            ),
            (policy(list(""), None, false), [Block; 6]),
            (policy(list("# nobody yet\n\n"), None, false), [Block; 6]),
            (policy(None, list(""), false), [Ring; 6]),
            (policy(list(",nobody\n"), None, false), [Ring; 6]),
            (policy(unreadable(), None, false), [Ring; 6]),
            (policy(unreadable(), list(BLOCK), true), [Ring; 6]),
            (policy(None, unreadable(), false), [Ring; 6]),
            (
                policy(list("P,\n0000000000,\n"), None, true),
                [Block, Block, Block, Ring, Block, Block],
            ),
        ];
        for (policy, expected) in table {
            assert_eq!(classes(&policy), expected, "{policy:?}");
        }
    }

    #[test]
    fn a_verdict_names_its_rule() {
        let both = policy(list(ALLOW), list(BLOCK), true);
        let verdict = |policy: &Policy, number| policy.screen(&Caller::from_line(number, None));
        let blocked = verdict(&both, Some("505-555-0102"));
        assert_eq!(blocked.reason, "on the block list (Example Solar)");
        assert_eq!(blocked.source.unwrap().to_string(), "list.csv:2");
        let allowed = verdict(&both, Some("5055550103"));
        assert_eq!(allowed.reason, "on the allow list");
        assert_eq!(allowed.source.unwrap().to_string(), "list.csv:2");
        assert_eq!(verdict(&both, Some("O")).reason, "number out of area");
        assert_eq!(verdict(&both, None).reason, "no rule applies");
        let broken = policy(unreadable(), list(BLOCK), false);
        assert_eq!(
            verdict(&broken, Some("5055550102")).reason,
            "the allow list cannot be used: everybody rings"
        );
        let only = policy(list(ALLOW), None, false);
        assert_eq!(verdict(&only, Some("1")).reason, "not on the allow list");
        assert_eq!(
            verdict(&only, Some("Restricted")).reason,
            "number withheld, not on the allow list"
        );
        assert_eq!(
            verdict(&only, None).reason,
            "no caller ID, not on the allow list"
        );
    }

    #[test]
    fn the_user_is_warned_of_what_will_surprise_him() {
        let table = [
            (policy(None, None, false), vec![Warning::NothingIsBlocked]),
            (policy(None, None, true), vec![]),
            (policy(list(""), list(""), false), vec![]),
            (
                policy(unreadable(), None, false),
                vec![Warning::AllowListUnreadable],
            ),
            (
                policy(list(",x"), None, false),
                vec![Warning::AllowListWithoutGoodLine],
            ),
            (policy(list(",x\n1,"), None, false), vec![]),
            (
                policy(None, unreadable(), false),
                vec![Warning::BlockListUnreadable],
            ),
        ];
        for (policy, expected) in table {
            assert_eq!(policy.warnings(), expected, "{policy:?}");
        }
    }
}
