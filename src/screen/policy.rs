//! The order of things: permits, allow list, block list, withheld numbers, quiet hours, the rest.
//!
//! A decision is a look-up in memory. It never reads a file or a clock, and it explains itself.

use super::asked::{Asked, Exact};
use super::caller::{Caller, CallerNumber};
use super::list::{List, ListAction, Match};
use super::numbering::Numbering;
use super::time::{Hours, Moment};
use crate::call::VerdictClass;
use crate::clock::Timestamp;
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
    const fn bare(by: Decider) -> Self {
        Self {
            by,
            rule: None,
            name: None,
            source: None,
            action: None,
        }
    }

    fn listed(by: Decider, found: &Match<'_>) -> Self {
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

    fn by(class: VerdictClass, reason: impl Into<String>, matched: Matched) -> Self {
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

/// Numbers and names of the kinds that lines deliver.
const REHEARSED: [(&str, &str); 5] = [
    ("2125550123", "WIRELESS CALLER"),
    ("+15055550134", "V4231749020000150"),
    ("9005550198", "SPAM? LIKELY"),
    ("0123456789", "Smith, John"),
    ("8665550176", "+15055550176"),
];

/// Of the lines of one side that match, so many have a say and are told; the most special first.
const MOST_MATCHES: usize = 100;

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

    fn matched(&self, asked: &Asked<'_>) -> Option<Matched> {
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

/// Who may ring.
///
/// In this order: a caller with a temporary permit rings; a caller on the allow list rings; an allow
/// list that is unusable lets everybody ring, whatever else is asked for; a caller on the block list
/// is blocked; withheld and out-of-area numbers are blocked if `block_private` is set; in the quiet
/// hours everybody else is blocked; with an allow list alone everybody else is blocked, unless
/// `unknown` says otherwise; else everybody rings.
///
/// What its lists hold is shared by all clones of it.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// How numbers are read. The lists must have been read with the same.
    pub numbering: Numbering,
    /// Callers that ring whatever else is said. Alone, without a block list, it blocks all others;
    /// an empty one blocks everybody.
    pub allow: Option<List>,
    /// Callers that are blocked.
    pub block: Option<List>,
    /// Whether withheld and out-of-area numbers are blocked. A missing caller ID is not.
    pub block_private: bool,
    /// Hours in which only the allow list rings.
    pub quiet_hours: Option<Hours>,
    /// What is done with callers that nothing else is said of; by default they ring, unless only an
    /// allow list is given.
    pub unknown: Option<VerdictClass>,
    /// Temporary permits.
    pub permits: Vec<Permit>,
}

impl Policy {
    /// The verdict on a caller who calls now.
    pub fn screen(&self, caller: &Caller, now: Moment) -> Verdict {
        let asked = Asked::new(&self.numbering, caller);
        let mut candidates = self.candidates(&asked, now).into_iter();
        // There is always the default.
        let first = candidates
            .next()
            .unwrap_or_else(|| Matched::bare(Decider::Default));
        let (class, reason) = self.words(caller, &first);
        let mut verdict = Verdict::by(class, reason, first);
        verdict.also = candidates
            .filter(|other| other.by != Decider::Default)
            .collect();
        verdict
    }

    /// Decides about a few callers that there are not. Regular expressions build their tables when they
    /// are first used, each thread its own; so the thread that decides calls should do this before
    /// there is one.
    pub fn rehearse(&self, now: Moment) {
        for (number, name) in REHEARSED {
            let caller = Caller::from_line_in(&self.numbering, Some(number), Some(name));
            self.screen(&caller, now);
        }
    }

    /// Everything that has a say, the first first; the last is the default.
    fn candidates(&self, asked: &Asked<'_>, now: Moment) -> Vec<Matched> {
        let mut candidates = Vec::new();
        let valid = self
            .permits
            .iter()
            .filter(|permit| now.instant < permit.until);
        candidates.extend(valid.filter_map(|permit| permit.matched(asked)));
        // A permit for a number is not the one for the next call: that one is kept.
        candidates.sort_by_key(|matched| matched.by == Decider::NextPermit);

        let lines = |list: &Option<List>, by| -> Vec<Matched> {
            let found = list
                .iter()
                .flat_map(|list| list.matching(asked, Some(now.local)))
                .take(MOST_MATCHES);
            found.map(|found| Matched::listed(by, &found)).collect()
        };
        candidates.extend(lines(&self.allow, Decider::AllowList));
        if self.allow_list_fault().is_some() {
            candidates.push(Matched::bare(Decider::BrokenAllowList));
        }
        let quiet = self
            .quiet_hours
            .is_some_and(|hours| hours.contains(now.local));
        let mut blocked = lines(&self.block, Decider::BlockList);
        if quiet {
            // "Only log" lets nobody ring at night.
            blocked.sort_by_key(|matched| matched.action == Some(ListAction::Ring));
        }
        let only_logged = blocked
            .iter()
            .position(|matched| quiet && matched.action == Some(ListAction::Ring))
            .unwrap_or(blocked.len());
        let after_quiet = blocked.split_off(only_logged);
        candidates.append(&mut blocked);
        if self.block_private
            && let CallerNumber::Withheld(_) | CallerNumber::OutOfArea(_) = asked.caller.number
        {
            candidates.push(Matched::bare(Decider::BlockPrivate));
        }
        if quiet {
            candidates.push(Matched::bare(Decider::QuietHours));
        }
        candidates.extend(after_quiet);
        candidates.push(Matched::bare(Decider::Default));
        candidates
    }

    /// What it means that this decided.
    fn words(&self, caller: &Caller, by: &Matched) -> (VerdictClass, String) {
        use VerdictClass::{Block, Ring};

        let on_list = |list: &str| match &by.name {
            Some(name) => format!("on the {list} list ({name})"),
            None => format!("on the {list} list"),
        };
        let absence = match caller.number {
            CallerNumber::Known(_) => None,
            CallerNumber::Withheld(_) => Some("number withheld"),
            CallerNumber::OutOfArea(_) => Some("number out of area"),
            CallerNumber::Missing => Some("no caller ID"),
        };
        match by.by {
            Decider::Permit => (Ring, "temporary permit for this number".into()),
            Decider::NextPermit => (Ring, "temporary permit for the next call".into()),
            Decider::AllowList => (Ring, on_list("allow")),
            Decider::BrokenAllowList => (
                Ring,
                "the allow list cannot be used: everybody rings".into(),
            ),
            Decider::BlockList if by.action == Some(ListAction::Ring) => {
                (Ring, format!("{}, only logged", on_list("block")))
            }
            Decider::BlockList => (Block, on_list("block")),
            Decider::BlockPrivate => (Block, absence.unwrap_or_default().into()),
            Decider::QuietHours => (Block, "quiet hours".into()),
            Decider::Default => match self.unknown_class() {
                Ring => (Ring, "no rule applies".into()),
                Block => {
                    let unlisted = match (&self.allow, &self.block) {
                        (Some(_), _) => "not on the allow list",
                        _ => "unknown callers are blocked",
                    };
                    let absence = absence.map(|absence| format!("{absence}, "));
                    (Block, absence.unwrap_or_default() + unlisted)
                }
            },
        }
    }

    /// Which of its rules decided a call of the log: the one on the line that `source` names if it
    /// still says what the log says, else one of that file that does; lines come and go.
    pub fn rule_that_decided(
        &self,
        caller: &Caller,
        reason: &str,
        source: &str,
    ) -> Option<Matched> {
        let (file, line) = source.rsplit_once(':')?;
        let asked = Asked::new(&self.numbering, caller);
        let sides = [
            (&self.allow, Decider::AllowList),
            (&self.block, Decider::BlockList),
        ];
        let rules = sides.into_iter().flat_map(|(list, by)| {
            let found = list.iter().flat_map(|list| list.matching(&asked, None));
            let found = found.filter(|found| found.file.as_os_str() == file);
            found.map(move |found| Matched::listed(by, &found))
        });
        let rules = rules.filter(|matched| self.words(caller, matched).1 == reason);
        let is_on_line = |matched: &Matched| {
            let source = matched.source.as_ref();
            source.is_some_and(|source| line.parse() == Ok(source.line))
        };
        // The first one, unless there is one on the line.
        rules.min_by_key(|matched| !is_on_line(matched))
    }

    fn unknown_class(&self) -> VerdictClass {
        self.unknown
            .unwrap_or(if self.allow.is_some() && self.block.is_none() {
                VerdictClass::Block
            } else {
                VerdictClass::Ring
            })
    }

    /// Takes back a permit for one call, once a call that rang by it is over, and those whose time is
    /// over.
    pub fn spend_permits(&mut self, verdict: &Verdict, now: Timestamp) {
        let mut used = verdict.by == Decider::NextPermit;
        self.permits.retain(|permit| {
            let take = permit.who == Permitted::Next && std::mem::take(&mut used);
            !take && now < permit.until
        });
    }

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

#[cfg(test)]
mod tests;
