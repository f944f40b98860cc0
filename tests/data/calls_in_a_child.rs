//! A process of its own that lives through a few recorded calls, to be killed or watched; and what it
//! said was safely on disk. (It is this test program, started once more.)

use crate::house::{ROBOCALLER, START, block_list};
use callblock::audio::{RecordingLimits, Recordings, TimeZone};
use callblock::blocker::daemon::{Daemon, Setup};
use callblock::blocker::{BlockAction, ListScreen};
use callblock::clock::TokioClock;
use callblock::emulator::{Call, Chip, Ending, LinkOptions, MemoryModem, Scenario, Sound};
use callblock::service::log::{self, LogOptions};
use callblock::store::{LoggedCall, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const FOLDER: &str = "CALLBLOCK_TEST_DATA_DIR";
const CALLS: &str = "CALLBLOCK_TEST_CALLS";
/// How often a process has begun in this folder.
const RUN: &str = "CALLBLOCK_TEST_RUN";
const HOUR: Duration = Duration::from_hours(1);

/// The child, with so many calls of a few seconds each.
pub fn command(program: &str, arguments: &[&str], folder: &Path, run: u32, calls: u32) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args([
            "--exact",
            "calls_in_a_child::live",
            "--ignored",
            "--nocapture",
        ])
        .env_remove("JOURNAL_STREAM")
        .env(FOLDER, folder)
        .env(RUN, run.to_string())
        .env(CALLS, calls.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

pub fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

#[test]
#[ignore = "is a part of the other tests, which start it"]
fn live() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse().ok())
    };
    let (Some(folder), Some(run), Some(calls)) =
        (std::env::var_os(FOLDER), number(RUN), number(CALLS))
    else {
        return;
    };
    log::init(&LogOptions {
        stderr: true,
        verbosity: 1,
        ..LogOptions::default()
    })
    .unwrap();
    let call = |_| {
        Call::from(ROBOCALLER)
            .after(Duration::from_secs(5))
            .says(Sound::Speech(Duration::from_secs(3)))
            .ends(Ending::Busy)
    };
    let scenario = (0..calls)
        .map(call)
        .fold(Scenario::default().chip(Chip::Cx93001V2013), Scenario::call);
    let watched = Duration::from_secs(30) * calls + Duration::from_secs(10);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(async {
            let modem = MemoryModem::new(scenario, LinkOptions::default());
            let setup = Setup {
                action: BlockAction::Record {
                    limit: Duration::from_secs(20),
                },
                clock: Arc::new(TokioClock::starting_at(START.after(HOUR * run))),
                ..Setup::new(folder)
            };
            let handler = Box::new(ListScreen::new(block_list(&format!("{ROBOCALLER},\n"))));
            let stop = tokio::time::sleep(watched);
            Daemon::run(
                setup,
                Box::new(modem.jack()),
                handler,
                Box::new(|_| {}),
                stop,
            )
            .await
            .unwrap();
        });
}

/// What the child said was on disk.
#[derive(Clone, Default, Debug)]
pub struct Promised {
    /// Rows, and whether their calls are over.
    rows: BTreeMap<i64, bool>,
    /// Samples of closed recordings by their rows.
    recordings: BTreeMap<i64, u64>,
    /// The rows of the calls of this process.
    calls: BTreeMap<u64, i64>,
}

impl Promised {
    /// Of the process that comes next: its calls are counted from the start.
    pub fn new_process(&mut self) {
        self.calls.clear();
    }

    /// Reads a line of the log.
    pub fn line(&mut self, line: &str) {
        let field = |name: &str| {
            line.split(' ')
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let number = |name| field(name).and_then(|value| value.parse::<u64>().ok());
        if line.contains("the call is on disk") {
            let (call, row) = (
                number("call").unwrap(),
                number("row").unwrap().cast_signed(),
            );
            self.calls.insert(call, row);
            *self.rows.entry(row).or_default() |= field("outcome").is_some();
        } else if line.contains("the recording is on disk")
            && let Some(row) = self.calls.get(&number("call").unwrap())
        {
            self.recordings.insert(*row, number("samples").unwrap());
        }
    }

    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Looks at the folder as the next start would find it, and mends it as that would.
    pub fn assert_kept(&self, folder: &Path, story: &str) -> Vec<LoggedCall> {
        let database = folder.join("callblock.db");
        let log = Store::open(&database).unwrap_or_else(|error| panic!("{error}\n{story}"));
        log.check()
            .unwrap_or_else(|error| panic!("{error}\n{story}"));
        let logged = log.recent(u32::MAX).unwrap();
        let ids: BTreeSet<i64> = logged.iter().map(|row| row.id).collect();
        for (id, over) in &self.rows {
            assert!(ids.contains(id), "row {id} is lost\n{story}");
            let row = logged.iter().find(|row| row.id == *id).unwrap();
            assert!(!over || row.outcome.is_some(), "{row:?}\n{story}");
        }
        let recordings = Recordings {
            folder: folder.join("rec"),
            zone: TimeZone::UTC,
            limits: RecordingLimits::default(),
        };
        if recordings.folder.exists() {
            recordings.mend().unwrap();
            for entry in std::fs::read_dir(&recordings.folder).unwrap() {
                let path = entry.unwrap().path();
                assert_plays(&path, story);
            }
        }
        for (id, samples) in &self.recordings {
            let row = logged.iter().find(|row| row.id == *id).unwrap();
            // The row may not know the path yet: it is written again at the end of the call.
            if let Some(path) = &row.recording
                && let path = folder.join(path)
                && path.exists()
            {
                assert_eq!(assert_plays(&path, story), *samples, "{row:?}\n{story}");
            } else {
                assert!(row.recording.is_none(), "{row:?} has no file\n{story}");
            }
        }
        logged
    }

    /// The recordings are looked at and taken away.
    pub fn forget_recordings(&mut self) {
        self.recordings.clear();
    }
}

/// How many samples a player finds in a file.
fn assert_plays(path: &Path, story: &str) -> u64 {
    let mut reader = hound::WavReader::open(path)
        .unwrap_or_else(|error| panic!("{}: {error}\n{story}", path.display()));
    let samples = u64::from(reader.duration());
    assert!(
        reader.samples::<i8>().all(|sample| sample.is_ok()),
        "{}\n{story}",
        path.display()
    );
    assert_eq!(std::fs::metadata(path).unwrap().len() % 2, 0);
    samples
}
