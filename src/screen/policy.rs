//! The order of things: permits, allow list, block list, withheld numbers, quiet hours, the rest.
//!
//! A decision is a look-up in memory. It never reads a file or a clock, and it explains itself.

mod permit;
mod verdict;
mod warnings;

pub use permit::Permit;
pub use verdict::{Decider, Matched, Source, Verdict};
pub use warnings::Warning;

use super::asked::Asked;
use super::caller::{Caller, CallerNumber};
use super::list::{List, ListAction};
use super::numbering::Numbering;
use super::time::{Hours, Moment};
use crate::call::VerdictClass;
use crate::clock::Timestamp;

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
            .filter(|permit| permit.is_valid(now.instant));
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
            let take = permit.is_for_next_call() && std::mem::take(&mut used);
            !take && permit.is_valid(now)
        });
    }
}

#[cfg(test)]
mod tests;
