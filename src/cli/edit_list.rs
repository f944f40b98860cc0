//! `callblock block`, `allow` and `remove`: a line more or less in a list that a person keeps.
//!
//! A list is replaced whole, and the daemon that watches it reads it again by itself.

use super::Failure;
use super::asking::{ask, ask_if_there, printable};
use super::home_country;
use super::what_if::logged_calls;
use callblock::screen::answer::Check;
use callblock::screen::{
    Caller, CallerNumber, Country, EditError, Format, Numbering, Side, add_entry, remove_entry,
    write_atomically,
};
use serde_json::{Value, json};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Which list is meant, and how its numbers are read.
#[derive(clap::Args, Debug)]
pub(crate) struct TargetFlags {
    /// The list [default: one that the running daemon uses]
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// The country of the telephone line, in two letters [default: the running daemon's, else that of the
    /// system's time zone]
    #[arg(long, value_name = "CC")]
    country: Option<Country>,
    /// The daemon's control socket, if it is not at one of the usual places
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// Put a caller on a list. A running daemon that uses the list takes it up within a second.
#[derive(clap::Args, Debug)]
pub(crate) struct AddArgs {
    /// The number or pattern; with --last, the name
    #[arg(required_unless_present = "last")]
    number: Option<String>,
    /// A name or comment
    #[arg(conflicts_with = "last")]
    name: Option<String>,
    /// Take the number of the last call in the log
    #[arg(long)]
    last: bool,
    /// Folder of the call log, for --last [default: `$STATE_DIRECTORY`, else `~/callblock`]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    target: TargetFlags,
}

/// Take a caller off a list, however his number is written there. Exit code 1: he was on none.
#[derive(clap::Args, Debug)]
pub(crate) struct RemoveArgs {
    /// The number, or the pattern as written
    number: String,
    #[command(flatten)]
    target: TargetFlags,
}

pub(crate) fn add(args: AddArgs, side: Side) -> Result<ExitCode, Failure> {
    let socket = args.target.socket.clone();
    let (lists, numbering) = targets(args.target, Some(side))?;
    let (pattern, name) = if args.last {
        let (number, name) = last_caller(args.data_dir, &numbering)?;
        (number, args.number.or(name))
    } else {
        (args.number.unwrap_or_default(), args.name)
    };
    let name = name.unwrap_or_default();
    let shown = printable(&pattern);
    let Some(list) = lists.first() else {
        return Err(Failure::Usage(no_list(side)));
    };
    let mut done = String::new();
    change_file(list, |old| {
        let edited = add_entry(old, &numbering, &pattern, &name, &[]).map_err(refused(list))?;
        let line = edited.lines.first().copied().unwrap_or_default();
        let how = if edited.changed {
            "added"
        } else {
            "is there already"
        };
        done = format!("{shown} {how}: {}:{line}", list.display());
        Ok(edited.changed.then_some(edited.text))
    })?;
    println!("{done}");
    if side == Side::Block {
        warn_if_he_rings(socket, pattern);
    }
    Ok(ExitCode::SUCCESS)
}

/// Whoever blocks a friend should know that it does not help. Without a daemon nobody can tell.
fn warn_if_he_rings(socket: Option<PathBuf>, number: String) {
    let check = Check {
        number: Some(number),
        ..Check::default()
    };
    let Ok(Some(answer)) = ask_if_there(socket, &check.to_json()) else {
        return;
    };
    if let Some("allow-list" | "allow-list-unusable" | "permit") = answer["by"].as_str() {
        let reason = printable(answer["reason"].as_str().unwrap_or_default());
        let source = answer["source"]
            .as_str()
            .map(|source| format!(" ({})", printable(source)));
        eprintln!(
            "callblock: this caller rings all the same: {reason}{}",
            source.unwrap_or_default()
        );
    }
}

pub(crate) fn remove(args: RemoveArgs) -> Result<ExitCode, Failure> {
    let (lists, numbering) = targets(args.target, None)?;
    let shown = printable(&args.number);
    let mut removed = false;
    for list in &lists {
        let mut lines = Vec::new();
        change_file(list, |old| {
            let edited = remove_entry(old, &numbering, &args.number).map_err(refused(list))?;
            lines = edited.lines;
            Ok(edited.changed.then_some(edited.text))
        })?;
        for line in &lines {
            println!("{shown} removed: {}:{line}", list.display());
        }
        removed |= !lines.is_empty();
    }
    if removed {
        return Ok(ExitCode::SUCCESS);
    }
    let lists: Vec<String> = lists
        .iter()
        .map(|list| list.display().to_string())
        .collect();
    Err(Failure::Other(format!(
        "{shown} is not on {}",
        lists.join(", ")
    )))
}

/// The lists to change: the one named, or those of the running daemon that are written in our format.
fn targets(flags: TargetFlags, side: Option<Side>) -> Result<(Vec<PathBuf>, Numbering), Failure> {
    let request = json!({ "command": "lists" });
    let told = match &flags.list {
        // The country is all that the daemon would be asked for: it may be missing.
        Some(_) if flags.country.is_some() => Value::Null,
        Some(_) => ask_if_there(flags.socket, &request)
            .ok()
            .flatten()
            .unwrap_or_default(),
        None => ask(flags.socket, &request).map_err(|failure| match failure {
            Failure::NoDaemon(why) => {
                Failure::NoDaemon(format!("{why}; name the list: --list FILE"))
            }
            other => other,
        })?,
    };
    let country = match &told["country"] {
        // There is no daemon: as one started here would read them.
        Value::Null if told["files"].is_null() => home_country::of_machine(),
        country => country.as_str().and_then(|country| country.parse().ok()),
    };
    let numbering = Numbering::new(flags.country.or(country));
    let lists = match flags.list {
        Some(list) => vec![list],
        None => lists_of(&told, side),
    };
    match (lists.is_empty(), side) {
        (false, _) => Ok((lists, numbering)),
        (true, Some(side)) => Err(Failure::Usage(no_list(side))),
        (true, None) => Err(Failure::Usage(
            "the daemon has no list that could be changed; name one: --list FILE".into(),
        )),
    }
}

fn no_list(side: Side) -> String {
    let (flag, side) = match side {
        Side::Block => ("-b", "block"),
        Side::Allow => ("-w", "allow"),
    };
    format!(
        "the daemon has no {side} list that could be changed; start it with {flag} FILE, or name the \
         list: --list FILE"
    )
}

fn lists_of(told: &Value, side: Option<Side>) -> Vec<PathBuf> {
    let side = side.map(|side| match side {
        Side::Block => "block",
        Side::Allow => "allow",
    });
    let ours = Format::Csv.to_string();
    let files = told["files"].as_array().into_iter().flatten();
    files
        .filter(|file| {
            side.is_none_or(|side| file["side"] == side) && file["format"] == ours.as_str()
        })
        .filter_map(|file| file["file"].as_str().map(PathBuf::from))
        .collect()
}

/// Number and name of the last call. The number in the form it is compared in: what the line delivers
/// could look like a pattern.
fn last_caller(
    data_dir: Option<PathBuf>,
    numbering: &Numbering,
) -> Result<(String, Option<String>), Failure> {
    let Some(call) = logged_calls(data_dir, 1)?.pop() else {
        return Err(Failure::Usage("there is no call in the log".into()));
    };
    let caller = Caller::from_line_in(numbering, call.number.as_deref(), None);
    match (&caller.number, caller.number.normalised()) {
        (CallerNumber::Known(_), Some(number)) => {
            Ok((number.into_owned(), call.name.map(no_formula)))
        }
        (CallerNumber::Known(number), None) => Err(Failure::Usage(format!(
            "the last caller's number is {:?}, which has no digits: block the name, or a pattern",
            printable(number.as_received())
        ))),
        _ => Err(Failure::Usage(
            "the last call came without a number; -p blocks those who withhold it".into(),
        )),
    }
}

/// A caller's name as text also for a spreadsheet, which would take it for a formula.
fn no_formula(name: String) -> String {
    if name.trim_start().starts_with(['=', '+', '-', '@']) {
        format!("'{}", name.trim_start())
    } else {
        name
    }
}

fn refused(list: &Path) -> impl Fn(EditError) -> Failure {
    move |error| Failure::Usage(format!("{}: {error}", list.display()))
}

/// Replaces a list by what `change` makes of it; `None` leaves it as it is. A list that is not there is
/// empty. Two commands at the same time wait for each other.
pub(crate) fn change_file(
    list: &Path,
    change: impl FnOnce(&[u8]) -> Result<Option<Vec<u8>>, Failure>,
) -> Result<(), Failure> {
    let cannot = |error: io::Error| Failure::Other(format!("{}: {error}", list.display()));
    if list.is_dir() {
        let list = list.display();
        return Err(Failure::Usage(format!(
            "{list}: this is a folder; name a list in it"
        )));
    }
    let target = std::fs::canonicalize(list).unwrap_or_else(|_| list.to_path_buf());
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let lock = File::open(folder).map_err(cannot)?;
    lock.lock().map_err(cannot)?;
    let old = match std::fs::read(list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(cannot)?,
    };
    match change(&old)? {
        Some(new) => write_atomically(list, &new).map_err(cannot),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_s_lists_in_our_format_can_be_changed() {
        let file = |file: &str, side: &str, format: &str| json!({ "file": file, "side": side, "format": format });
        let told = json!({ "files": [
            file("/friends.vcf", "allow", "vCard contacts"),
            file("/friends.csv", "allow", "CSV list"),
            file("/block.csv", "block", "CSV list"),
        ] });
        let paths = |side| lists_of(&told, side);
        assert_eq!(paths(Some(Side::Allow)), [PathBuf::from("/friends.csv")]);
        assert_eq!(paths(Some(Side::Block)), [PathBuf::from("/block.csv")]);
        assert_eq!(paths(None).len(), 2);
        assert!(lists_of(&Value::Null, None).is_empty());
    }
}
