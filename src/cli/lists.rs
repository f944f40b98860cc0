//! `callblock lists`: which lists are in force, and what their rules are good for.

use super::Failure;
use super::asking::{ask, printable};
use super::check::by_lists;
use super::list_flags::ListFlags;
use callblock::audio::TimeZone;
use callblock::clock::{SystemClock, Timestamp, WallClock as _};
use callblock::screen::answer::lists_json;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show the lists of the running daemon, how often each rule decided, and rules that never did. With
/// lists named here, only counts what they hold. Exit code 3: no lists and no daemon.
#[derive(clap::Args, Debug)]
pub(crate) struct ListsArgs {
    /// Print it as JSON: `files`, `rules`
    #[arg(long)]
    json: bool,
    /// The daemon's control socket, if it is not at one of the usual places
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    #[command(flatten)]
    lists: ListFlags,
}

pub(crate) fn run(args: ListsArgs) -> Result<ExitCode, Failure> {
    let answer = if let Some(settings) = by_lists(args.lists)? {
        let today = settings.time_zone.moment(SystemClock.now()).local.date;
        let loaded = settings.load(today);
        loaded.complain();
        lists_json(&loaded.policy, None)
    } else {
        ask(args.socket, &json!({ "command": "lists" }))?
    };
    if args.json {
        println!("{answer}");
    } else {
        print!("{}", in_words(&answer));
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(answer: &Value) -> String {
    let text = |value: &Value| printable(value.as_str().unwrap_or("?"));
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let mut words = String::new();
    let files = answer["files"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if files.is_empty() {
        words.push_str("no lists\n");
    }
    for file in files {
        let bad = match count(&file["bad_lines"]) {
            0 => String::new(),
            bad => format!(", {bad} bad lines"),
        };
        words.extend([format!(
            "{:<5}  {}: {} entries{bad} ({})\n",
            text(&file["side"]),
            text(&file["file"]),
            count(&file["entries"]),
            text(&file["format"])
        )]);
    }
    if let Some(country) = answer["country"].as_str() {
        words.extend([format!("numbers are read as in {}\n", printable(country))]);
    }
    let rules = answer["rules"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let (mut hit, never): (Vec<&Value>, Vec<&Value>) =
        rules.iter().partition(|rule| count(&rule["hits"]) > 0);
    hit.sort_by_key(|rule| std::cmp::Reverse(count(&rule["hits"])));
    if !hit.is_empty() {
        words.push_str("\nhits  last                     rule\n");
    }
    words.extend(hit.into_iter().map(|rule| {
        let last = rule["last_hit"].as_i64().map(Timestamp::from_nanos);
        let last = last.map_or_else(String::new, |last| TimeZone::UTC.local_time(last));
        let hits = count(&rule["hits"]);
        format!(
            "{hits:>4}  {last:<23}  {} ({})\n",
            text(&rule["rule"]),
            text(&rule["source"])
        )
    }));
    let numbers = count(&answer["numbers_never_hit"]);
    if !never.is_empty() || numbers > 0 {
        words.push_str("\nnever hit\n");
    }
    words.extend(
        never
            .into_iter()
            .map(|rule| format!("  {} ({})\n", text(&rule["rule"]), text(&rule["source"]))),
    );
    if numbers > 0 {
        words.extend([format!("  {numbers} exact numbers\n")]);
    }
    if let Some(more @ 1..) = answer["rules_left_out"].as_u64() {
        words.extend([format!("and {more} more rules\n")]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_first_then_rules_by_their_hits() {
        let rule = |rule: &str, hits: u64, last: Option<i64>| json!({ "source": "b.csv:2", "rule": rule, "hits": hits, "last_hit": last });
        let answer = json!({
            "files": [{
                "file": "/b.csv", "side": "block", "format": "CSV list", "entries": 3,
                "bad_lines": 1,
            }],
            "rules": [rule("withheld", 0, None), rule("+1900*", 2, Some(0)), rule("+1*", 7, Some(0))],
            "numbers_never_hit": 2000,
        });
        assert_eq!(
            in_words(&answer),
            "block  /b.csv: 3 entries, 1 bad lines (CSV list)\n\
             \nhits  last                     rule\n   \
             7  1970-01-01 00:00:00 UTC  +1* (b.csv:2)\n   \
             2  1970-01-01 00:00:00 UTC  +1900* (b.csv:2)\n\
             \nnever hit\n  withheld (b.csv:2)\n  2000 exact numbers\n"
        );
        assert_eq!(in_words(&json!({ "files": [] })), "no lists\n");
    }
}
