//! What came of a decision: ring or block, and which rules had a say.

use crate::call::VerdictClass;
use crate::screen::list::{ListAction, Match};
use std::fmt;
use std::path::PathBuf;

/// Where a rule was written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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

/// What decided, or would have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decider {
    /// A temporary permit for this number.
    Permit,
    /// A temporary permit for whoever calls next.
    NextPermit,
    /// A line of the allow list.
    AllowList,
    /// An allow list that cannot be used: everybody rings.
    BrokenAllowList,
    /// A line of the block list.
    BlockList,
    /// The blocking of withheld and out-of-area numbers.
    BlockPrivate,
    /// The quiet hours.
    QuietHours,
    /// What is done with callers that nothing else is said of.
    Default,
}

impl Decider {
    /// Its name, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::NextPermit => "permit-next",
            Self::AllowList => "allow-list",
            Self::BrokenAllowList => "allow-list-unusable",
            Self::BlockList => "block-list",
            Self::BlockPrivate => "block-private",
            Self::QuietHours => "quiet-hours",
            Self::Default => "default",
        }
    }
}

/// A rule that matched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matched {
    /// What it belongs to.
    pub by: Decider,
    /// The pattern as written, or the number in the form it is compared in.
    pub rule: Option<String>,
    /// The name beside it.
    pub name: Option<String>,
    /// Where it was written.
    pub source: Option<Source>,
    /// What it wants done.
    pub action: Option<ListAction>,
}

impl Matched {
    pub(super) const fn bare(by: Decider) -> Self {
        Self {
            by,
            rule: None,
            name: None,
            source: None,
            action: None,
        }
    }

    pub(super) fn listed(by: Decider, found: &Match<'_>) -> Self {
        Self {
            by,
            rule: Some(found.rule.clone().into_owned()),
            name: found.name.map(Into::into),
            source: Some(Source {
                file: found.file.to_path_buf(),
                line: found.line,
            }),
            action: found.action.cloned(),
        }
    }
}

impl fmt::Display for Matched {
    /// `block list: +1900* (Premium) (block.csv:3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.by {
            Decider::Permit => "temporary permit",
            Decider::NextPermit => "permit for the next call",
            Decider::AllowList => "allow list",
            Decider::BrokenAllowList => "the allow list cannot be used",
            Decider::BlockList => "block list",
            Decider::BlockPrivate => "blocking of withheld numbers",
            Decider::QuietHours => "quiet hours",
            Decider::Default => "default",
        })?;
        if let Some(rule) = &self.rule {
            write!(f, ": {rule}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        Ok(())
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
    /// What decided.
    pub by: Decider,
    /// The pattern that decided, if one did: as written, or an exact number as it is compared.
    pub rule: Option<String>,
    /// What to do with a blocked call instead of the default block action.
    pub action: Option<ListAction>,
    /// What else matched, in the order in which it would have decided.
    pub also: Vec<Matched>,
}

impl Verdict {
    /// A verdict by no rule, for handlers that decide by themselves.
    pub fn new(class: VerdictClass, reason: impl Into<String>) -> Self {
        Self::by(class, reason, Matched::bare(Decider::Default))
    }

    pub(super) fn by(class: VerdictClass, reason: impl Into<String>, matched: Matched) -> Self {
        Self {
            class,
            reason: reason.into(),
            source: matched.source,
            by: matched.by,
            rule: matched.rule,
            action: matched.action.filter(|_| class == VerdictClass::Block),
            also: Vec::new(),
        }
    }
}
