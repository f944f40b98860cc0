//! `callblock check`: what becomes of a caller, and why.

use super::Failure;
use super::asking::{ask, printable};
use super::flags::Environment;
use super::list_flags::{ListFlags, ListSettings};
use callblock::clock::{SystemClock, WallClock as _};
use callblock::screen::answer::{Check, check_json};
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
With -b, -w, -p, --unknown or --quiet-hours these decide; without, the running daemon is asked.
Exit code 0: the caller rings; 1: he is blocked; 2: wrong command line; 3: no lists and no daemon.";

/// Say what becomes of a caller, by which rule, and what else matches. With lists, they decide; without,
/// the running daemon is asked. Exit code 0: the caller rings; 1: is blocked; 2: wrong command line;
/// 3: no lists and no daemon.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// The number as a line would deliver it, such as 5055550134 or P; empty for a call without one
    number: String,
    /// The caller's name
    #[arg(long)]
    name: Option<String>,
    /// When the call comes: `23:30`, or `2027-01-31 23:30` [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Print it as JSON: `verdict`, `reason`, `source`, `action`, `also`
    #[arg(long)]
    json: bool,
    /// The daemon's control socket, if it is not at one of the usual places
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    #[command(flatten)]
    lists: ListFlags,
}

pub(crate) fn run(args: CheckArgs) -> Result<ExitCode, Failure> {
    let check = Check {
        number: Some(args.number),
        name: args.name,
        at: args.at,
    };
    let answer = if let Some(settings) = by_lists(args.lists)? {
        answer_by_lists(&settings, &check)?
    } else {
        checked_time(&check)?;
        ask(args.socket, &check.to_json())?
    };
    if args.json {
        println!("{answer}");
    } else {
        print!("{}", in_words(&answer));
    }
    match answer["verdict"].as_str() {
        Some("ring") => Ok(ExitCode::SUCCESS),
        Some("block") => Ok(ExitCode::FAILURE),
        _ => Err(Failure::NoDaemon(
            "the daemon's answer is no verdict".into(),
        )),
    }
}

/// The lists given, if any; without, the daemon is to be asked.
pub(crate) fn by_lists(flags: ListFlags) -> Result<Option<ListSettings>, Failure> {
    if flags.name_lists() {
        let settings = ListSettings::new(flags, &Environment::of_process());
        return settings
            .map(Some)
            .map_err(|error| Failure::Usage(error.to_string()));
    }
    match flags.idle_flag() {
        None => Ok(None),
        Some(flag) => Err(Failure::Usage(format!(
            "{flag} does nothing without lists: give -b or -w too; without both, the running daemon \
             answers by its own"
        ))),
    }
}

fn answer_by_lists(settings: &ListSettings, check: &Check) -> Result<Value, Failure> {
    let now = settings.time_zone.moment(SystemClock.now());
    let loaded = settings.load(now.local.date);
    loaded.complain();
    check
        .verdict(&loaded.policy, now)
        .map(|verdict| check_json(&verdict))
        .map_err(|error| Failure::Usage(format!("--at: {error}")))
}

/// A wrong time is the user's mistake, not the daemon's.
fn checked_time(check: &Check) -> Result<(), Failure> {
    let now = callblock::audio::TimeZone::UTC.moment(SystemClock.now());
    match check.at.as_deref().map(|at| now.moved_to(at)) {
        Some(Err(error)) => Err(Failure::Usage(format!("--at: {error}"))),
        _ => Ok(()),
    }
}

/// ```text
/// blocked: on the block list (Premium)
/// rule     +1900*
/// source   block.csv:3
/// action   the default block action
/// also     allow list: ...
/// ```
fn in_words(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().map(printable);
    let verdict = match answer["verdict"].as_str() {
        Some("ring") => "rings",
        _ => "blocked",
    };
    let reason = text(&answer["reason"]).unwrap_or_default();
    let mut words = format!("{verdict}: {reason}\n");
    let action = match answer["action"].as_str() {
        Some("default") => Some("the default block action".into()),
        Some("none") | None => None,
        Some(action) => Some(printable(action)),
    };
    let also = answer["also"].as_array();
    let also = also
        .into_iter()
        .flatten()
        .map(|also| ("also", text(&also["reason"])));
    let rows = [
        ("rule", text(&answer["rule"])),
        ("source", text(&answer["source"])),
        ("action", action),
    ];
    let rows = rows.into_iter().chain(also);
    words.extend(rows.filter_map(|(key, value)| Some(format!("{key:<8} {}\n", value?))));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_verdict_is_told_in_lines() {
        let answer = json!({
            "verdict": "block", "reason": "on the block list (\u{1b}[2J)", "source": "b.csv:3",
            "action": "default", "by": "block-list", "rule": "+1900*",
            "also": [{ "reason": "quiet hours" }],
        });
        assert_eq!(
            in_words(&answer),
            "blocked: on the block list (\u{FFFD}[2J)\nrule     +1900*\nsource   b.csv:3\n\
             action   the default block action\nalso     quiet hours\n"
        );
        let rings = json!({ "verdict": "ring", "reason": "no rule applies", "action": "none" });
        assert_eq!(in_words(&rings), "rings: no rule applies\n");
    }
}
