//! What other programs ask about the lists, and what they are told, as JSON.
//!
//! One set of words for the running daemon, which answers on its control socket, and for the commands
//! that ask it or answer by themselves. Values in, values out. A request is an object with the key
//! `command`; an answer with the key `error` says why there is no other.

use super::{
    BadTime, Caller, Country, Hit, Hits, List, Match, Matched, Moment, Numbering, Permit, Policy,
    Source, Verdict,
};
use crate::call::VerdictClass;
use crate::clock::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most rules that an answer names; it has to fit into a message.
const MOST_RULES: usize = 10_000;
/// Exact numbers are told one by one if there are not more than this, else only those that were hit.
const MOST_EXACT: usize = 1000;
/// The most permits at a time.
const MOST_PERMITS: usize = 100;
/// The longest permit: a year.
const LONGEST_PERMIT: Duration = Duration::from_hours(366 * 24);

/// Why a request cannot be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRequest {
    /// A permit needs a time.
    #[error("a permit needs whole seconds, from 1 to a year")]
    Seconds,
    /// As many permits are in force as there may be.
    #[error("there are {MOST_PERMITS} permits in force already")]
    TooManyPermits,
    /// A time that is none.
    #[error(transparent)]
    Time(#[from] BadTime),
}

/// The answer to a request about the lists; `None` if it is about something else. A permit asked for is
/// added to the policy.
pub fn answer(policy: &mut Policy, hits: &Hits, request: &Value, now: Moment) -> Option<Value> {
    let answer = match request["command"].as_str()? {
        "check" => Check::from_json(request)
            .verdict(policy, now)
            .map(|verdict| check_json(&verdict)),
        "permit" => PermitWish::from_json(request).and_then(|wish| {
            policy.permits.retain(|permit| now.instant < permit.until());
            if policy.permits.len() >= MOST_PERMITS {
                return Err(BadRequest::TooManyPermits);
            }
            let permit = wish.permit(&policy.numbering, now.instant);
            let told = permit_json(&permit);
            policy.permits.push(permit);
            Ok(told)
        }),
        "lists" => Ok(lists_json(policy, Some(hits))),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|error| json!({ "error": error.to_string() })))
}

/// The question what would be done with a caller.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Check {
    /// The number, as a line would deliver it; `None` for a call without.
    pub number: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The time of the call, as [`Moment::moved_to`] reads it; without it, now.
    pub at: Option<String>,
}

impl Check {
    /// As a request.
    pub fn to_json(&self) -> Value {
        json!({ "command": "check", "number": self.number, "name": self.name, "at": self.at })
    }

    /// From a request.
    pub fn from_json(request: &Value) -> Self {
        let text = |key: &str| request[key].as_str().map(Into::into);
        Self {
            number: text("number"),
            name: text("name"),
            at: text("at"),
        }
    }

    /// The verdict on this caller.
    pub fn verdict(&self, policy: &Policy, now: Moment) -> Result<Verdict, BadRequest> {
        let at = match &self.at {
            Some(at) => now.moved_to(at)?,
            None => now,
        };
        let caller = Caller::from_line_in(
            &policy.numbering,
            self.number.as_deref(),
            self.name.as_deref(),
        );
        Ok(policy.screen(&caller, at))
    }
}

/// A verdict: `verdict` (`ring`, `block`), `reason`, `source` (`file:line` or null), `action` (`none`,
/// `default` or the list's own), `by` and `rule` that decided, and `also`: what else matched, each with
/// `by`, `rule`, `source`, `action` and, for people, `reason`.
pub fn check_json(verdict: &Verdict) -> Value {
    let action = match (verdict.class, &verdict.action) {
        (VerdictClass::Ring, _) => "none".into(),
        (VerdictClass::Block, Some(action)) => action.to_string(),
        (VerdictClass::Block, None) => "default".into(),
    };
    let also: Vec<Value> = verdict.also.iter().map(matched_json).collect();
    json!({
        "verdict": verdict.class.as_str(),
        "reason": verdict.reason,
        "source": verdict.source.as_ref().map(Source::to_string),
        "action": action,
        "also": also,
        "by": verdict.by.as_str(),
        "rule": verdict.rule,
    })
}

fn matched_json(matched: &Matched) -> Value {
    json!({
        "by": matched.by.as_str(),
        "rule": matched.rule,
        "reason": matched.to_string(),
        "source": matched.source.as_ref().map(Source::to_string),
        "action": matched.action.as_ref().map(ToString::to_string),
    })
}

/// The wish that somebody may ring for a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PermitWish {
    /// Who; `None` for whoever calls next.
    pub number: Option<String>,
    /// How long.
    pub lasting: Duration,
}

impl PermitWish {
    /// As a request.
    pub fn to_json(&self) -> Value {
        json!({
            "command": "permit",
            "number": self.number,
            "seconds": self.lasting.as_secs(),
        })
    }

    /// From a request.
    pub fn from_json(request: &Value) -> Result<Self, BadRequest> {
        let lasting = request["seconds"]
            .as_u64()
            .map(Duration::from_secs)
            .filter(|lasting| !lasting.is_zero() && *lasting <= LONGEST_PERMIT)
            .ok_or(BadRequest::Seconds)?;
        let number = request["number"].as_str().map(Into::into);
        Ok(Self { number, lasting })
    }

    /// The permit, if it begins now.
    pub fn permit(&self, numbering: &Numbering, now: Timestamp) -> Permit {
        let until = now.after(self.lasting);
        match &self.number {
            Some(number) => Permit::number(numbering, number, until),
            None => Permit::next_call(until),
        }
    }
}

/// A permit: `who` (the number as compared, or `next`) and `until`, in nanoseconds since 1970.
pub fn permit_json(permit: &Permit) -> Value {
    json!({ "who": permit.who(), "until": permit.until().as_nanos() })
}

/// The lists in force: `country` and `files` with `file` (an absolute path), `side`, `format`, `entries`
/// and `bad_lines`. With `hits`, also `rules` with `source`, `rule`, `hits` and `last_hit` (nanoseconds,
/// or null): patterns, and exact numbers, of which only those that were hit if there are more than a
/// thousand; `numbers_never_hit` counts the others then. Of rules that are too many to tell,
/// `rules_left_out` says how many.
pub fn lists_json(policy: &Policy, hits: Option<&Hits>) -> Value {
    let lists = [("allow", &policy.allow), ("block", &policy.block)];
    let lists: Vec<(&str, &List)> = lists
        .into_iter()
        .filter_map(|(side, list)| Some((side, list.as_ref()?)))
        .collect();
    let files = lists.iter().flat_map(|(side, list)| {
        list.files().map(move |file| {
            json!({
                "file": absolute(file.file),
                "side": side,
                "format": file.format.to_string(),
                "entries": file.exact + file.rules,
                "bad_lines": file.bad_lines,
            })
        })
    });
    let mut answer = Map::new();
    answer.insert("files".into(), files.collect());
    let country = policy.numbering.country().map(Country::iso);
    answer.insert("country".into(), country.into());
    if let Some(hits) = hits {
        let told = rules_json(&lists, hits);
        answer.insert("rules".into(), told.rules.into());
        answer.insert("rules_left_out".into(), told.left_out.into());
        answer.insert("numbers_never_hit".into(), told.numbers_never_hit.into());
    }
    Value::Object(answer)
}

/// What is told of rules, as far as there is room.
#[derive(Default)]
struct Told {
    rules: Vec<Value>,
    known: HashSet<(PathBuf, String)>,
    left_out: usize,
    /// Exact numbers that were never hit, and are not told one by one.
    numbers_never_hit: usize,
}

impl Told {
    fn listed(&mut self, rule: &Match<'_>, hits: &Hits) {
        let hit = hits.of(rule.file, &rule.rule);
        let (file, text) = (rule.file.to_path_buf(), rule.rule.clone().into_owned());
        self.known.insert((file, text));
        let source = format!("{}:{}", rule.file.display(), rule.line);
        self.rule(&source, &rule.rule, hit);
    }

    fn rule(&mut self, source: &str, rule: &str, hit: Option<Hit>) {
        if self.rules.len() == MOST_RULES {
            self.left_out += 1;
            return;
        }
        self.rules.push(json!({
            "source": source,
            "rule": rule,
            "hits": hit.map_or(0, |hit| hit.count),
            "last_hit": hit.map(|hit| hit.last.as_nanos()),
        }));
    }
}

fn rules_json(lists: &[(&str, &List)], hits: &Hits) -> Told {
    let lists = || lists.iter().map(|(_, list)| list);
    let mut told = Told::default();
    for rule in lists().flat_map(|list| list.rules()) {
        told.listed(&rule, hits);
    }
    let exact: usize = lists()
        .flat_map(|list| list.files())
        .map(|file| file.exact)
        .sum();
    if exact <= MOST_EXACT {
        let mut exact: Vec<Match<'_>> = lists().flat_map(|list| list.exact()).collect();
        exact.sort_by(|a, b| (a.file, a.line).cmp(&(b.file, b.line)));
        for rule in exact {
            told.listed(&rule, hits);
        }
    }
    // Numbers of longer lists, and rules that are there no more.
    let mut others: Vec<_> = hits
        .iter()
        .filter(|(file, rule, _)| {
            let place = ((*file).to_path_buf(), (*rule).to_owned());
            !told.known.contains(&place)
        })
        .collect();
    if exact > MOST_EXACT {
        told.numbers_never_hit = exact.saturating_sub(others.len());
    }
    others.sort_by_key(|(file, rule, hit)| (std::cmp::Reverse(hit.last), *file, *rule));
    for (file, rule, hit) in others {
        told.rule(&file.display().to_string(), rule, Some(hit));
    }
    told
}

/// Who asks may be in another folder.
fn absolute(file: &Path) -> String {
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
    whole.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Reading;

    fn policy() -> Policy {
        let reading = Reading {
            numbering: Numbering::new("US".parse().ok()),
            ..Reading::default()
        };
        let text = b"5055550134,Solar\n+1900*,Dear,fax\nname:SPAM*,\nno good,,days=never\n";
        Policy {
            block: Some(List::parse_as(&reading, Path::new("/b.csv"), text).list),
            numbering: reading.numbering,
            ..Policy::default()
        }
    }

    fn now() -> Moment {
        Moment {
            instant: Timestamp::from_nanos(7),
            local: super::super::LocalTime {
                date: "2027-01-31".parse().unwrap(),
                minute: 0,
            },
        }
    }

    fn ask(policy: &mut Policy, hits: &Hits, request: &Value) -> Value {
        answer(policy, hits, request, now()).unwrap()
    }

    #[test]
    fn a_verdict_tells_rule_line_action_and_what_else_matched() {
        let check = Check {
            number: Some("19005550134".into()),
            name: Some("SPAM? LIKELY".into()),
            at: None,
        };
        assert_eq!(Check::from_json(&check.to_json()), check);
        let told = ask(&mut policy(), &Hits::default(), &check.to_json());
        assert_eq!(
            told,
            json!({
                "verdict": "block",
                "reason": "on the block list (Dear)",
                "source": "/b.csv:2",
                "action": "fax",
                "by": "block-list",
                "rule": "+1900*",
                "also": [{
                    "by": "block-list",
                    "rule": "name:SPAM*",
                    "reason": "block list: name:SPAM* (/b.csv:3)",
                    "source": "/b.csv:3",
                    "action": null,
                }],
            })
        );
        let ring = ask(
            &mut policy(),
            &Hits::default(),
            &json!({ "command": "check" }),
        );
        assert_eq!(
            (&ring["verdict"], &ring["action"]),
            (&json!("ring"), &json!("none"))
        );
        let wrong = json!({ "command": "check", "at": "noon" });
        let told = ask(&mut policy(), &Hits::default(), &wrong);
        assert!(told["error"].as_str().unwrap().contains("23:30"), "{told}");
    }

    #[test]
    fn a_permit_asked_for_is_in_force() {
        let mut policy = policy();
        let wish = PermitWish {
            number: Some("(505) 555-0134".into()),
            lasting: Duration::from_secs(1),
        };
        let told = ask(&mut policy, &Hits::default(), &wish.to_json());
        assert_eq!(
            told,
            json!({ "who": "+15055550134", "until": 1_000_000_007 })
        );
        let check = json!({ "command": "check", "number": "5055550134" });
        let told = ask(&mut policy, &Hits::default(), &check);
        assert_eq!(told["by"], "permit");
        assert_eq!(told["also"][0]["source"], "/b.csv:1");
        for seconds in [json!(0), json!(-1), json!("1"), json!(1e12), Value::Null] {
            let wrong = json!({ "command": "permit", "number": null, "seconds": seconds });
            let told = ask(&mut policy, &Hits::default(), &wrong);
            assert!(told["error"].is_string(), "{told}");
        }
        assert_eq!(policy.permits.len(), 1);
    }

    #[test]
    fn permits_are_bounded_in_number_and_length() {
        let mut policy = policy();
        let wish = |number: &str, seconds| json!({ "command": "permit", "number": number, "seconds": seconds });
        let long = "N".repeat(1_000_000);
        let told = ask(&mut policy, &Hits::default(), &wish(&long, 1));
        assert!(told["who"].as_str().unwrap().len() <= 64, "{told}");
        for number in 1..MOST_PERMITS {
            let told = ask(
                &mut policy,
                &Hits::default(),
                &wish(&number.to_string(), 60),
            );
            assert!(told["error"].is_null(), "{told}");
        }
        let told = ask(&mut policy, &Hits::default(), &wish("5055550134", 60));
        assert!(told["error"].is_string(), "{told}");
        // Those whose time is over make room.
        let later = Moment {
            instant: now().instant.after(Duration::from_secs(2)),
            ..now()
        };
        let told = answer(
            &mut policy,
            &Hits::default(),
            &wish("5055550134", 60),
            later,
        );
        assert!(told.unwrap()["error"].is_null());
    }

    #[test]
    fn lists_are_told_with_counts_and_hits() {
        let mut policy = policy();
        let mut hits = Hits::default();
        for number in ["5055550134", "19005550134"] {
            let check = Check {
                number: Some(number.into()),
                ..Check::default()
            };
            hits.record(&check.verdict(&policy, now()).unwrap(), now().instant);
        }
        let told = ask(&mut policy, &hits, &json!({ "command": "lists" }));
        let rule = |source: &str, rule: &str, hits: u64, last: Option<i64>| json!({ "source": source, "rule": rule, "hits": hits, "last_hit": last });
        assert_eq!(
            told,
            json!({
                "country": "US",
                "files": [{
                    "file": "/b.csv", "side": "block", "format": "CSV list", "entries": 3,
                    "bad_lines": 1,
                }],
                "rules": [
                    rule("/b.csv:2", "+1900*", 1, Some(7)),
                    rule("/b.csv:3", "name:SPAM*", 0, None),
                    rule("/b.csv:1", "15055550134", 1, Some(7)),
                ],
                "rules_left_out": 0,
                "numbers_never_hit": 0,
            })
        );
        assert_eq!(lists_json(&policy, None).get("rules"), None);
        // Of a long list, only what was hit.
        let long: Vec<String> = (0..=MOST_EXACT).map(|n| format!("505{n:07}")).collect();
        let long = long.join("\n");
        let mut policy = Policy {
            block: Some(
                List::parse_as(&Reading::default(), Path::new("/b.csv"), long.as_bytes()).list,
            ),
            ..Policy::default()
        };
        let check = Check {
            number: Some("5050000007".into()),
            ..Check::default()
        };
        let mut hits = Hits::default();
        hits.record(&check.verdict(&policy, now()).unwrap(), now().instant);
        let told = ask(&mut policy, &hits, &json!({ "command": "lists" }));
        assert_eq!(told["numbers_never_hit"], MOST_EXACT);
        assert_eq!(
            told["rules"],
            json!([rule("/b.csv", "5050000007", 1, Some(7))])
        );
        assert_eq!(
            answer(&mut policy, &hits, &json!({ "command": "status" }), now()),
            None
        );
    }
}
