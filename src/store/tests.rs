//! Rows, schema, and files that are no call log.

use super::*;
use crate::audio::listen::LineQuality;
use crate::call::{ActionKind, VerdictClass};
use tempfile::TempDir;

const START: Timestamp = Timestamp::from_nanos(1_763_000_000_123_456_789);

pub(super) fn scratch() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("callblock.db");
    (folder, file)
}

/// That of a log that keeps everything, at [`START`].
pub(super) fn place(file: &Path) -> LogPlace {
    #[derive(Debug)]
    struct Stopped;
    impl crate::clock::WallClock for Stopped {
        fn now(&self) -> Timestamp {
            START
        }
    }
    LogPlace {
        file: file.to_owned(),
        clock: std::sync::Arc::new(Stopped),
        keep_calls: None,
    }
}

pub(super) fn call(number: &str) -> CallRecord {
    CallRecord {
        started: START,
        number: Some(number.into()),
        normalised: Some(number.into()),
        name: None,
        verdict: VerdictClass::Block,
        reason: "on the block list".into(),
        source: Some("block.csv:3".into()),
        action: ActionKind::Record,
        picked_up: None,
        ended: None,
        outcome: None,
        recording: None,
        dtmf: String::new(),
        quality: None,
        trouble: None,
    }
}

/// A trigger stands in for a disk without room.
pub(super) fn fill(file: &Path) -> rusqlite::Connection {
    let disk = rusqlite::Connection::open(file).unwrap();
    disk.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON calls BEGIN SELECT raise(ABORT, 'full'); END",
    )
    .unwrap();
    disk
}

fn finished() -> CallRecord {
    CallRecord {
        name: Some("Example Solar".into()),
        picked_up: Some(Duration::from_millis(2)),
        ended: Some(Duration::from_secs(21)),
        outcome: Some(Outcome::CallerHungUp),
        recording: Some("rec/x.wav".into()),
        dtmf: "19#".into(),
        quality: Some(LineQuality {
            samples: 80_000,
            level_dbfs: Some(-21.5),
            overall_dbfs: -24.0,
            noise_floor_dbfs: -48.25,
            clipping: 0.000_25,
            dc_offset: -1.5,
        }),
        trouble: Some("the recording lost 3 s".into()),
        ..call("5550101")
    }
}

#[test]
fn a_log_is_read_while_it_is_written_and_never_made_by_reading() {
    let (_folder, file) = scratch();
    assert!(Store::open_read_only(&file).is_err());
    assert!(!file.exists());
    let writer = Store::open(&file).unwrap();
    let reader = Store::open_read_only(&file).unwrap();
    writer.insert(&call("5550101")).unwrap();
    assert_eq!(reader.recent(5).unwrap().len(), 1);
    assert!(reader.insert(&call("5550102")).is_err());
    writer
        .connection
        .pragma_update(None, "user_version", schema::VERSION + 1)
        .unwrap();
    assert!(matches!(
        Store::open_read_only(&file),
        Err(StoreError::Newer { .. })
    ));
}

#[test]
fn a_row_comes_back_as_it_was_written() {
    let (_folder, file) = scratch();
    let store = Store::open(&file).unwrap();
    let id = store.insert(&call("5550101")).unwrap();
    let row = store.recent(1).unwrap().remove(0);
    assert_eq!((row.id, row.started), (id, START));
    assert_eq!((row.picked_up, row.ended, row.outcome), (None, None, None));
    assert_eq!((row.dtmf, row.trouble, row.name), (None, None, None));

    store.update(id, &finished()).unwrap();
    assert_eq!(
        Store::open(&file).unwrap().recent(5).unwrap(),
        [LoggedCall {
            id,
            started: START,
            number: Some("5550101".into()),
            normalised: Some("5550101".into()),
            name: Some("Example Solar".into()),
            verdict: "block".into(),
            reason: "on the block list".into(),
            source: Some("block.csv:3".into()),
            action: "record".into(),
            picked_up: Some(START.after(Duration::from_millis(2))),
            ended: Some(START.after(Duration::from_secs(21))),
            outcome: Some("caller-hung-up".into()),
            recording: Some("rec/x.wav".into()),
            dtmf: Some("19#".into()),
            trouble: Some("the recording lost 3 s".into()),
            level_dbfs: Some(-21.5),
            noise_dbfs: Some(-48.25),
            clipped: Some(0.000_25),
            dc_offset: Some(-1.5),
        }]
    );
}

#[test]
fn recent_calls_are_the_last_ones_in_order() {
    let (_folder, file) = scratch();
    let store = Store::open(&file).unwrap();
    for number in ["1", "2", "3"] {
        store.insert(&call(number)).unwrap();
    }
    let numbers: Vec<_> = store
        .recent(2)
        .unwrap()
        .into_iter()
        .filter_map(|call| call.number)
        .collect();
    assert_eq!(numbers, ["2", "3"]);
}

#[test]
fn calls_without_outcome_become_interrupted_once() {
    let (_folder, file) = scratch();
    let store = Store::open(&file).unwrap();
    store.insert(&finished()).unwrap();
    store.insert(&call("5550102")).unwrap();
    store.insert(&call("5550103")).unwrap();
    let now = START.after(Duration::from_secs(90));
    assert_eq!(store.complete_interrupted(now).unwrap(), 2);
    assert_eq!(store.complete_interrupted(now).unwrap(), 0);
    let rows = store.recent(3).unwrap();
    let outcomes: Vec<_> = rows
        .iter()
        .filter_map(|row| row.outcome.as_deref())
        .collect();
    assert_eq!(outcomes, ["caller-hung-up", "interrupted", "interrupted"]);
    assert_eq!(rows[2].ended, Some(now));
    assert_eq!(rows[0].ended, Some(START.after(Duration::from_secs(21))));
}

#[test]
fn a_clock_that_ran_backwards_ends_no_call_before_its_start() {
    let (_folder, file) = scratch();
    let store = Store::open(&file).unwrap();
    store.insert(&call("5550102")).unwrap();
    store
        .complete_interrupted(Timestamp::from_nanos(0))
        .unwrap();
    assert_eq!(store.recent(1).unwrap()[0].ended, Some(START));
}

#[test]
fn columns_and_view_are_those_that_programs_rely_on() {
    let (_folder, file) = scratch();
    let store = Store::open(&file).unwrap();
    let unknown = CallRecord {
        number: None,
        normalised: None,
        verdict: VerdictClass::Ring,
        ..call("")
    };
    store.insert(&finished()).unwrap();
    store.insert(&unknown).unwrap();
    let columns: String = store
        .connection
        .query_row(
            "SELECT group_concat(name) FROM pragma_table_info('calls')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(
        columns,
        "id,started,number,normalised,name,verdict,reason,source,action,picked_up,ended,outcome,recording,dtmf,trouble,\
         level_dbfs,noise_dbfs,clipped,dc_offset"
    );
    let mut statement = store
        .connection
        .prepare("SELECT timestamp, number, name, blocked FROM call_log")
        .unwrap();
    let rows: Vec<(i64, String, Option<String>, i64)> = statement
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(
        rows,
        [
            (
                START.as_nanos(),
                "5550101".into(),
                Some("Example Solar".into()),
                1
            ),
            (START.as_nanos(), String::new(), None, 0),
        ]
    );
}

#[test]
fn the_database_is_durable_and_small_in_memory() {
    let (_folder, file) = scratch();
    let store = Store::open(&file).unwrap();
    let pragma = |name| {
        store
            .connection
            .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
    assert_eq!(pragma("synchronous"), 2.into());
    assert_eq!(pragma("cache_size"), (-128).into());
    assert_eq!(pragma("user_version"), schema::VERSION.into());
}

#[test]
fn a_file_that_is_no_database_is_an_error() {
    let (folder, file) = scratch();
    std::fs::write(&file, vec![b'x'; 5000]).unwrap();
    assert!(matches!(Store::open(&file), Err(StoreError::Open { .. })));
    assert!(matches!(
        Store::open(folder.path()),
        Err(StoreError::Open { .. })
    ));
    assert_eq!(std::fs::read(&file).unwrap(), vec![b'x'; 5000]);
}

#[test]
fn a_database_of_the_future_is_left_alone() {
    let (_folder, file) = scratch();
    drop(Store::open(&file).unwrap());
    let connection = Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&file).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("version 99"));
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_log_of_the_first_version_keeps_its_rows_and_takes_new_ones() {
    let (_folder, file) = scratch();
    let old = rusqlite::Connection::open(&file).unwrap();
    old.execute_batch(schema::STEPS[0]).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute_batch(
        "INSERT INTO calls(started, verdict, reason, action) VALUES (1, 'block', 'old', 'record')",
    )
    .unwrap();
    drop(old);
    let unchanged = Store::open_read_only(&file).unwrap();
    assert_eq!(unchanged.recent(5).unwrap()[0].noise_dbfs, None);
    let store = Store::open(&file).unwrap();
    store.insert(&finished()).unwrap();
    let rows = store.recent(5).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].reason.as_str(), rows[0].noise_dbfs), ("old", None));
    assert_eq!(rows[1].noise_dbfs, Some(-48.25));
}

#[test]
fn a_log_in_a_folder_where_nothing_may_be_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("what? 100% #1.db");
    let beside = |end: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    Store::open(&file).unwrap().insert(&call("1")).unwrap();
    // SQLite follows no links to its own files: it cannot make this one, not even as root.
    std::os::unix::fs::symlink("nowhere", beside("-shm")).unwrap();
    let store = Store::open_read_only(&file).unwrap();
    assert_eq!(store.recent(9).unwrap().len(), 1);
    assert!(store.insert(&call("2")).is_err());
    std::fs::write(beside("-wal"), "rows").unwrap();
    let refused = Store::open_read_only(&file).unwrap_err();
    assert!(refused.to_string().contains("sudo"), "{refused}");
    assert!(!refused.is_final());
}

#[test]
fn calls_that_lists_decided_are_told_newest_first() {
    let (_folder, file) = scratch();
    let store = Store::open(&file).unwrap();
    let over = |number: &str| CallRecord {
        outcome: Some(Outcome::RingsStopped),
        ..call(number)
    };
    for number in ["1", "2"] {
        store.insert(&over(number)).unwrap();
    }
    store.insert(&call("not over")).unwrap();
    let by_no_list = CallRecord {
        source: None,
        ..over("3")
    };
    store.insert(&by_no_list).unwrap();
    store.insert(&over("4")).unwrap();
    let told = |count| {
        let mut numbers = Vec::new();
        store
            .each_decided(count, |call| numbers.extend(call.number))
            .unwrap();
        numbers
    };
    assert_eq!(told(9), ["4", "2", "1"]);
    assert_eq!(told(4), ["4", "2"]);
}
