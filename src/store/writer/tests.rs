//! Databases that are damaged, of another kind, or in the way.

use super::super::tests::{call, fill, place, scratch};
use super::*;
use crate::call::Outcome;

fn writer(place: LogPlace) -> Writer {
    Writer::new(place, Arc::default(), Arc::default())
}

fn rows(file: &Path) -> Vec<String> {
    let rows = Store::open(file).unwrap().recent(100_000).unwrap();
    rows.into_iter().filter_map(|row| row.number).collect()
}

/// The names in the folder of the call log, companions left out.
fn databases(file: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(file.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

const ASIDE: &str = "callblock-set-aside-2025-11-13T02-13-20Z.db";

/// Whatever is in the place of the database: the call is logged, and the old file is kept.
fn assert_set_aside(file: &Path) {
    let mut writer = writer(place(file));
    writer.waiting.push(CallKey(1), call("5550101"));
    writer.work();
    assert!(!writer.has_work() && !writer.failing);
    assert_eq!(rows(file), ["5550101"]);
    assert_eq!(databases(file), [ASIDE, "callblock.db"]);
}

#[test]
fn a_file_that_is_no_database_is_set_aside() {
    let (folder, file) = scratch();
    std::fs::write(&file, vec![b'x'; 5000]).unwrap();
    assert_set_aside(&file);
    let kept = std::fs::read(folder.path().join(ASIDE)).unwrap();
    assert_eq!(kept, vec![b'x'; 5000]);
}

#[test]
fn a_folder_in_its_place_is_set_aside() {
    let (_folder, file) = scratch();
    std::fs::create_dir(&file).unwrap();
    assert_set_aside(&file);
}

#[test]
fn a_database_of_the_future_is_set_aside_with_all_its_rows() {
    let (folder, file) = scratch();
    let store = Store::open(&file).unwrap();
    store.insert(&call("5550100")).unwrap();
    store
        .connection
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(store);
    assert_set_aside(&file);
    let kept = rusqlite::Connection::open(folder.path().join(ASIDE)).unwrap();
    let number: String = kept
        .query_row("SELECT number FROM calls", [], |row| row.get(0))
        .unwrap();
    assert_eq!(number, "5550100");
}

#[test]
fn tables_of_the_same_name_that_are_not_ours_are_set_aside() {
    for tables in [
        "CREATE TABLE call_log(timestamp, number, name, blocked)",
        "CREATE TABLE calls(id INTEGER PRIMARY KEY)",
        "CREATE TABLE calls(id INTEGER PRIMARY KEY); PRAGMA user_version = 1",
    ] {
        let (_folder, file) = scratch();
        let other = rusqlite::Connection::open(&file).unwrap();
        other.execute_batch(tables).unwrap();
        drop(other);
        assert_set_aside(&file);
    }
}

/// A database with many rows, of which a page in the middle is overwritten.
fn damaged(file: &Path) {
    let store = Store::open(file).unwrap();
    store.connection.execute_batch("BEGIN").unwrap();
    for number in 0..2000 {
        store.insert(&call(&number.to_string())).unwrap();
    }
    store.connection.execute_batch("COMMIT").unwrap();
    drop(store);
    let mut bytes = std::fs::read(file).unwrap();
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 4096].fill(0xa5);
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_page_is_found_at_the_start_and_the_database_set_aside() {
    let (_folder, file) = scratch();
    damaged(&file);
    assert_set_aside(&file);
}

#[test]
fn who_must_end_soon_skips_the_check_and_still_logs() {
    let (_folder, file) = scratch();
    damaged(&file);
    let mut writer = writer(place(&file));
    writer.patience.end();
    writer.waiting.push(CallKey(1), call("5550101"));
    writer.work();
    assert!(!writer.has_work());
    assert_eq!(databases(&file), ["callblock.db"]);
}

#[test]
fn damage_that_shows_while_rows_are_written_moves_them_to_a_new_database() {
    let (_folder, file) = scratch();
    damaged(&file);
    let mut writer = writer(place(&file));
    // Nobody checked it: the damage is met when the interrupted calls are looked for, or the row.
    writer.store = Some(OpenStore {
        store: Store::open(&file).unwrap(),
        identity: identity(&file),
    });
    let broken = rusqlite::Connection::open(&file).unwrap();
    let root: i64 = broken
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'calls'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    drop(broken);
    let mut bytes = std::fs::read(&file).unwrap();
    let page = (root as usize - 1) * 4096;
    bytes[page..page + 4096].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    writer.waiting.push(CallKey(1), call("5550101"));
    writer.work();
    assert!(!writer.has_work());
    assert_eq!(rows(&file), ["5550101"]);
    assert_eq!(databases(&file), [ASIDE, "callblock.db"]);
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let (_folder, file) = scratch();
    let other = rusqlite::Connection::open(&file).unwrap();
    // The table is made before the view fails.
    other.execute_batch("CREATE TABLE call_log(x)").unwrap();
    assert!(Store::open(&file).is_err());
    let names: String = other
        .query_row("SELECT group_concat(name) FROM sqlite_schema", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(names, "call_log");
}

#[test]
fn a_row_that_failed_is_written_later_in_its_newest_form() {
    let (_folder, file) = scratch();
    drop(Store::open(&file).unwrap());
    let disk = fill(&file);
    let mut writer = writer(place(&file));
    let mut first = call("5550101");
    writer.waiting.push(CallKey(1), first.clone());
    writer.waiting.push(CallKey(2), call("5550102"));
    writer.work();
    assert!(writer.failing);
    first.trouble = Some("disk".into());
    writer.waiting.push(CallKey(1), first);
    writer.work();
    assert_eq!(writer.waiting(), 2);
    disk.execute_batch("DROP TRIGGER full").unwrap();
    writer.waiting.push(CallKey(3), call("5550103"));
    writer.work();
    assert!(!writer.failing && !writer.has_work());
    assert_eq!(rows(&file), ["5550101", "5550102", "5550103"]);
    let row = Store::open(&file).unwrap().recent(3).unwrap().remove(0);
    assert_eq!(row.trouble.as_deref(), Some("disk"));
}

#[test]
fn what_is_remembered_is_bounded() {
    let (_folder, file) = scratch();
    let mut writer = writer(place(&file));
    for key in 0..100 {
        writer.waiting.push(CallKey(key), call("5550101"));
    }
    writer.work();
    assert_eq!(writer.known.len(), MAX_KNOWN);
}

#[test]
fn only_so_many_calls_are_kept_and_the_clock_has_no_say_in_which() {
    let (_folder, file) = scratch();
    let mut writer = writer(LogPlace {
        keep_calls: NonZeroU32::new(3),
        ..place(&file)
    });
    for key in 0..10_u64 {
        let mut ended = call(&key.to_string());
        // Each call a day before the one that came before it.
        let day = 86_400_000_000_000 * i64::try_from(key).unwrap();
        ended.started = crate::clock::Timestamp::from_nanos(ended.started.as_nanos() - day);
        ended.outcome = Some(Outcome::RingsStopped).filter(|_| key != 2);
        writer.waiting.push(CallKey(key), ended);
        writer.work();
    }
    // Call 2 is not over.
    assert_eq!(rows(&file), ["2", "7", "8", "9"]);
}
