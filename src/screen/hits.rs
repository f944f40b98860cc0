//! How often each rule decided, and when last.

use super::policy::{Matched, Verdict};
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

/// The hits of all rules. A rule is known by its file and its text, so that it keeps its hits when
/// lines before it come and go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hits(HashMap<(PathBuf, String), Hit>);

impl Hits {
    /// Counts a call, decided now. To be called once for each call: a call may be screened twice.
    pub fn record(&mut self, verdict: &Verdict, now: Timestamp) {
        if let (Some(source), Some(rule)) = (&verdict.source, &verdict.rule) {
            self.add(
                source.file.clone(),
                rule.clone(),
                Hit {
                    count: 1,
                    last: now,
                },
            );
        }
    }

    /// Adds hits counted elsewhere, such as in the call log.
    pub fn add(&mut self, file: PathBuf, rule: String, hit: Hit) {
        let known = self
            .0
            .entry((file, rule))
            .or_insert(Hit { count: 0, ..hit });
        known.count += hit.count;
        known.last = known.last.max(hit.last);
        if self.0.len() > MAX_RULES {
            let oldest = self.0.iter().min_by_key(|(_, hit)| hit.last);
            if let Some(oldest) = oldest.map(|(rule, _)| rule.clone()) {
                self.0.remove(&oldest);
            }
        }
    }

    /// The hits of a rule: its text as [`Match::rule`](super::Match::rule) has it.
    pub fn of(&self, file: &Path, rule: &str) -> Option<Hit> {
        self.0.get(&(file.to_path_buf(), rule.to_owned())).copied()
    }

    /// The hits of a rule that matched.
    pub fn of_matched(&self, matched: &Matched) -> Option<Hit> {
        self.of(&matched.source.as_ref()?.file, matched.rule.as_deref()?)
    }

    /// All rules with hits.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &str, Hit)> {
        let rules = self.0.iter();
        rules.map(|((file, rule), hit)| (file.as_path(), rule.as_str(), *hit))
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
}
