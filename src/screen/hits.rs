//! How often each rule decided, and when last.

use super::caller::Caller;
use super::policy::{Matched, Policy, Verdict};
use crate::clock::Timestamp;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The most rules whose hits are kept; those hit longest ago make room.
const MAX_RULES: usize = 10_000;

/// The hits of one rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// How many calls it decided.
    pub count: u64,
    /// When the last of them came.
    pub last: Timestamp,
}

/// A call of the log that a line of a list decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedDecision {
    /// When the call began.
    pub started: Timestamp,
    /// The number as received.
    pub number: Option<String>,
    /// The caller's name.
    pub name: Option<String>,
    /// Why, in the words of the verdict.
    pub reason: String,
    /// The file and line that decided: `block.csv:3`.
    pub source: String,
}

/// The hits of all rules. A rule is known by its file and its text, so that it keeps its hits when
/// lines before it come and go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hits(HashMap<PathBuf, HashMap<Box<str>, Hit>>);

impl Hits {
    /// Counts a call, decided now. To be called once for each call: a call may be screened twice.
    pub fn record(&mut self, verdict: &Verdict, now: Timestamp) {
        if let (Some(source), Some(rule)) = (&verdict.source, &verdict.rule) {
            let (count, last) = (1, now);
            self.add(&source.file, rule, Hit { count, last });
        }
    }

    /// Counts a call of the log, if the rule that decided it is still there.
    pub fn record_logged(&mut self, policy: &Policy, call: &LoggedDecision) {
        let (number, name) = (call.number.as_deref(), call.name.as_deref());
        let caller = Caller::from_line_in(&policy.numbering, number, name);
        let decided = policy.rule_that_decided(&caller, &call.reason, &call.source);
        if let Some(Matched {
            source: Some(source),
            rule: Some(rule),
            ..
        }) = decided
        {
            let (count, last) = (1, call.started);
            self.add(&source.file, &rule, Hit { count, last });
        }
    }

    /// Adds hits counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (file, rule, hit) in other.iter() {
            self.add(file, rule, hit);
        }
    }

    fn add(&mut self, file: &Path, rule: &str, hit: Hit) {
        if !self.0.contains_key(file) {
            self.0.insert(file.to_path_buf(), HashMap::new());
        }
        let Some(rules) = self.0.get_mut(file) else {
            return;
        };
        if let Some(known) = rules.get_mut(rule) {
            known.count += hit.count;
            known.last = known.last.max(hit.last);
        } else {
            rules.insert(rule.into(), hit);
            self.make_room();
        }
    }

    fn make_room(&mut self) {
        if self.0.values().map(HashMap::len).sum::<usize>() <= MAX_RULES {
            return;
        }
        let oldest = self.iter().min_by_key(|(_, _, hit)| hit.last);
        if let Some((file, rule)) = oldest.map(|(file, rule, _)| (file.to_owned(), rule.to_owned()))
            && let Some(rules) = self.0.get_mut(&file)
        {
            rules.remove(&*rule);
        }
    }

    /// The hits of a rule: its text as [`Match::rule`](super::Match::rule) has it.
    pub fn of(&self, file: &Path, rule: &str) -> Option<Hit> {
        self.0.get(file)?.get(rule).copied()
    }

    /// The hits of a rule that matched.
    pub fn of_matched(&self, matched: &Matched) -> Option<Hit> {
        self.of(&matched.source.as_ref()?.file, matched.rule.as_deref()?)
    }

    /// All rules with hits.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &str, Hit)> {
        self.0.iter().flat_map(|(file, rules)| {
            let rules = rules.iter();
            rules.map(move |(rule, hit)| (file.as_path(), &**rule, *hit))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::{Caller, List, LocalTime, Moment, Policy};

    #[test]
    fn a_rule_keeps_its_hits_when_its_line_moves() {
        let caller = Caller::from_line(Some("9005550134"), None);
        let policy = |text: &str| Policy {
            block: Some(List::parse("b.csv".as_ref(), text.as_bytes()).list),
            ..Policy::default()
        };
        let now = |seconds: i64| Moment {
            instant: Timestamp::from_nanos(seconds * 1_000_000_000),
            local: LocalTime {
                date: "2026-11-20".parse().unwrap(),
                minute: 0,
            },
        };
        let mut hits = Hits::default();
        for (text, second) in [("+1900*,\n", 5), ("# more\n\n+1900*,\n", 3)] {
            let verdict = policy(text).screen(&caller, now(second));
            hits.record(&verdict, now(second).instant);
        }
        let hit = hits.of("b.csv".as_ref(), "+1900*").unwrap();
        assert_eq!((hit.count, hit.last), (2, now(5).instant));
        let nobody = Policy::default().screen(&caller, now(1));
        hits.record(&nobody, now(1).instant);
        assert_eq!(hits.iter().count(), 1);
        assert_eq!(hits.of("b.csv".as_ref(), "+1901*"), None);
    }

    #[test]
    fn a_call_of_the_log_counts_for_the_rule_that_decided_it_wherever_it_stands_now() {
        let policy = |text: &str| Policy {
            block: Some(List::parse("/b.csv".as_ref(), text.as_bytes()).list),
            ..Policy::default()
        };
        let call = |number: &str, reason: &str, source: &str, second: i64| LoggedDecision {
            started: Timestamp::from_nanos(second),
            number: Some(number.into()),
            name: None,
            reason: reason.into(),
            source: source.into(),
        };
        let now = policy("# moved\n+1900*,Dear,hours=03:00-03:01\n+1*,\n5055550134,Solar\n");
        let mut hits = Hits::default();
        for call in [
            call("9005550134", "on the block list (Dear)", "/b.csv:1", 3),
            call("9005550135", "on the block list (Dear)", "/b.csv:2", 2),
            call("9005550134", "on the block list", "/b.csv:3", 4),
            call("5055550134", "on the block list (Solar)", "/b.csv:3", 5),
            // The rule is gone, says something else, or was in another file.
            call("9015550134", "on the block list (Dear)", "/b.csv:1", 6),
            call("9005550134", "on the block list (Expensive)", "/b.csv:2", 7),
            call("9005550134", "on the block list (Dear)", "/c.csv:1", 8),
            call("9005550134", "on the allow list (Dear)", "/b.csv:1", 9),
            call("9005550134", "on the block list (Dear)", "", 10),
        ] {
            hits.record_logged(&now, &call);
        }
        let of = |rule: &str| {
            hits.of("/b.csv".as_ref(), rule)
                .map(|hit| (hit.count, hit.last.as_nanos()))
        };
        assert_eq!(of("+1900*"), Some((2, 3)));
        assert_eq!(of("+1*"), Some((1, 4)));
        assert_eq!(of("15055550134"), Some((1, 5)));
        assert_eq!(hits.iter().count(), 3);
        let mut twice = hits.clone();
        twice.merge(&hits);
        assert_eq!(twice.of("/b.csv".as_ref(), "+1900*").unwrap().count, 4);
    }
}
