//! `callblock what-if`: the calls of the log, decided once more by other lists.

use super::Failure;
use super::asking::printable;
use super::flags::{Environment, UsageError};
use super::list_flags::{ListFlags, ListSettings};
use callblock::call::VerdictClass;
use callblock::clock::{SystemClock, Timestamp, WallClock as _};
use callblock::screen::{Caller, Policy, Source};
use callblock::store::{LoggedCall, Store};
use serde_json::{Value, json};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say what would have become of the calls in the log by other lists. Reads the log only.
#[derive(clap::Args, Debug)]
pub(crate) struct WhatIfArgs {
    /// Folder of the call log [default: `$STATE_DIRECTORY`, else `~/callblock`]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print it as JSON: `calls`, `would_block`, `would_ring`
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lists: ListFlags,
}

pub(crate) fn run(args: WhatIfArgs) -> Result<ExitCode, Failure> {
    let usage = |error: UsageError| Failure::Usage(error.to_string());
    if !args.lists.name_lists() {
        return Err(Failure::Usage(
            "name the lists to try, with -b, -w or -p".into(),
        ));
    }
    let settings = ListSettings::new(args.lists, &Environment::of_process()).map_err(usage)?;
    let calls = logged_calls(args.data_dir, u32::MAX)?;
    let loaded = settings.load(settings.time_zone.moment(SystemClock.now()).local.date);
    loaded.complain();
    let changes = Changes::new(&calls, &loaded.policy, &settings);
    if args.json {
        println!("{}", changes.json());
    } else {
        print!("{}", changes.in_words(&settings));
    }
    Ok(ExitCode::SUCCESS)
}

/// The last calls of the log, the oldest first.
pub(crate) fn logged_calls(
    data_dir: Option<PathBuf>,
    count: u32,
) -> Result<Vec<LoggedCall>, Failure> {
    let folder = data_dir
        .or_else(|| Environment::of_process().data_dir())
        .ok_or_else(|| Failure::Usage(UsageError::NoHome.to_string()))?;
    let file = folder.join("callblock.db");
    match File::open(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = file.display();
            return Err(Failure::Usage(format!(
                "there is no call log {file}; name its folder with --data-dir DIR"
            )));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let file = file.display();
            return Err(Failure::Other(format!(
                "the call log {file} is not yours to read: {error}; try again with sudo"
            )));
        }
        // What else is wrong, the store says.
        _ => {}
    }
    Store::open_read_only(&file)
        .and_then(|store| store.recent(count))
        .map_err(|error| Failure::Other(error.to_string()))
}

/// A caller whose calls would be treated otherwise, each time for the same reason.
#[derive(Debug)]
struct Change {
    number: Option<String>,
    name: Option<String>,
    reason: String,
    source: Option<String>,
    count: usize,
    last: Timestamp,
}

#[derive(Debug)]
struct Changes {
    calls: usize,
    would_block: Vec<Change>,
    would_ring: Vec<Change>,
}

impl Changes {
    fn new(calls: &[LoggedCall], policy: &Policy, settings: &ListSettings) -> Self {
        let mut changes = Self {
            calls: calls.len(),
            would_block: Vec::new(),
            would_ring: Vec::new(),
        };
        for call in calls {
            let (number, name) = (call.number.as_deref(), call.name.as_deref());
            let caller = Caller::from_line_in(&policy.numbering, number, name);
            let verdict = policy.screen(&caller, settings.time_zone.moment(call.started));
            if verdict.class.as_str() == call.verdict {
                continue;
            }
            let group = match verdict.class {
                VerdictClass::Block => &mut changes.would_block,
                VerdictClass::Ring => &mut changes.would_ring,
            };
            let source = verdict.source.as_ref().map(Source::to_string);
            let same = group.iter_mut().find(|change| {
                (&change.number, &change.name) == (&call.number, &call.name)
                    && (&change.reason, &change.source) == (&verdict.reason, &source)
            });
            if let Some(change) = same {
                change.count += 1;
                change.last = call.started;
            } else {
                group.push(Change {
                    number: call.number.clone(),
                    name: call.name.clone(),
                    reason: verdict.reason,
                    source,
                    count: 1,
                    last: call.started,
                });
            }
        }
        changes
    }

    fn json(&self) -> Value {
        let list = |changes: &[Change]| -> Vec<Value> {
            changes
                .iter()
                .map(|change| {
                    json!({
                        "number": change.number,
                        "name": change.name,
                        "reason": change.reason,
                        "source": change.source,
                        "calls": change.count,
                        "last": change.last.as_nanos(),
                    })
                })
                .collect()
        };
        json!({
            "calls": self.calls,
            "would_block": list(&self.would_block),
            "would_ring": list(&self.would_ring),
        })
    }

    fn in_words(&self, settings: &ListSettings) -> String {
        let mut words = String::new();
        for (changes, was, would) in [
            (&self.would_block, "rang", "be blocked"),
            (&self.would_ring, "were blocked", "ring"),
        ] {
            let count: usize = changes.iter().map(|change| change.count).sum();
            let one_was = if count == 1 {
                was.replace("were", "was")
            } else {
                was.into()
            };
            let end = if changes.is_empty() { "" } else { ":" };
            let calls = plural(count);
            words.extend([format!(
                "{count} {calls} that {one_was} would {would}{end}\n"
            )]);
            words.extend(changes.iter().map(|change| change.in_words(settings)));
        }
        let calls = plural(self.calls);
        words.extend([format!("{} {calls} in the log\n", self.calls)]);
        words
    }
}

impl Change {
    fn in_words(&self, settings: &ListSettings) -> String {
        let number = printable(self.number.as_deref().unwrap_or("no number"));
        let name = self
            .name
            .as_deref()
            .map(|name| format!(" ({})", printable(name)));
        let source = self
            .source
            .as_deref()
            .map(|source| format!(" ({})", printable(source)));
        format!(
            "  {number}{}: {}{}; {} {}, last {}\n",
            name.unwrap_or_default(),
            printable(&self.reason),
            source.unwrap_or_default(),
            self.count,
            plural(self.count),
            settings.time_zone.local_time(self.last)
        )
    }
}

const fn plural(count: usize) -> &'static str {
    if count == 1 { "call" } else { "calls" }
}
