//! Disks that are full, read-only, or lose a folder in the middle of a call; damaged databases.

use crate::house::{Evening, House, ROBOCALLER, contains, read_wav};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, CallerIdTime, Ending, Happening, Scenario, Sound};
use callblock::service::log::{self, LogOptions};
use callblock::store::Store;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::time::sleep;

const DISK: &str = "CALLBLOCK_TEST_DISK";

/// Calls at these seconds, each recorded for ten seconds.
fn house(calls: &[u64]) -> House {
    let scenario = calls.iter().fold(Scenario::default(), |scenario, at| {
        let call = Call::from(ROBOCALLER)
            .at(Duration::from_secs(*at))
            .says(Sound::Speech(Duration::from_secs(30)))
            .ends(Ending::Stays);
        scenario.call(call)
    });
    let watched = calls.last().unwrap() + 100;
    House::new(scenario)
        .watched(watched)
        .action(BlockAction::Record {
            limit: Duration::from_secs(10),
        })
}

/// All calls were dealt with to their end, whatever the disk did, and have one row each.
fn assert_all_dealt_with(evening: &Evening, calls: usize) {
    let story = format!("{:#?}\n{}", evening.rows, evening.story());
    assert_eq!(evening.rows.len(), calls, "{story}");
    for row in &evening.rows {
        assert_eq!(row.outcome.as_deref(), Some("time-limit"), "{story}");
    }
    assert_eq!(evening.off_hook_count(), calls, "{story}");
    assert!(evening.ends_on_hook(), "{story}");
}

/// The recording of this call holds ten seconds of what the modem said.
fn assert_recorded_whole(evening: &Evening, call: usize) {
    let row = &evening.rows[call];
    assert_eq!(row.trouble, None);
    let samples = read_wav(&evening.dir.path().join(row.recording.as_ref().unwrap()));
    assert!(samples.len() > 9 * 8000, "{} samples", samples.len());
    assert!(contains(&evening.said(), &samples));
}

#[tokio::test(start_paused = true)]
async fn the_data_folder_is_deleted_in_the_middle_of_a_call() {
    let house = house(&[20, 100]);
    let folder = house.dir.path().to_owned();
    tokio::spawn(async move {
        sleep(Duration::from_secs(28)).await;
        std::fs::remove_dir_all(folder).unwrap();
    });
    let evening = house.live().await;
    assert_all_dealt_with(&evening, 2);
    let trouble = evening.rows[0].trouble.as_deref().unwrap();
    assert!(trouble.contains("was deleted"), "{trouble}");
    assert_recorded_whole(&evening, 1);
}

#[tokio::test(start_paused = true)]
async fn the_folder_of_recordings_is_deleted_in_the_middle_of_a_call() {
    let house = house(&[20, 100]);
    let folder = house.dir.path().join("rec");
    tokio::spawn(async move {
        sleep(Duration::from_secs(28)).await;
        std::fs::remove_dir_all(folder).unwrap();
    });
    let evening = house.live().await;
    assert_all_dealt_with(&evening, 2);
    assert_recorded_whole(&evening, 1);
}

#[tokio::test(start_paused = true)]
async fn calls_are_screened_and_logged_whatever_is_in_the_place_of_the_database() {
    for in_its_place in ["garbage", "a folder", "damage"] {
        let house = house(&[20]);
        let file = house.dir.path().join("callblock.db");
        match in_its_place {
            "garbage" => std::fs::write(&file, vec![0x5a; 20_000]).unwrap(),
            "a folder" => std::fs::create_dir(&file).unwrap(),
            _ => {
                drop(Store::open(&file).unwrap());
                let mut bytes = std::fs::read(&file).unwrap();
                let half = bytes.len() / 2;
                bytes[half..].fill(0xa5);
                std::fs::write(&file, bytes).unwrap();
            }
        }
        let evening = house.live().await;
        assert_all_dealt_with(&evening, 1);
        assert_recorded_whole(&evening, 0);
        let aside = std::fs::read_dir(evening.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .find(|name| name.starts_with("callblock-set-aside-2026-01-02T03-04-"));
        assert!(aside.is_some(), "{in_its_place} is gone");
    }
}

/// In real time, because paused time waits for the disk.
#[test]
fn calls_are_screened_while_the_database_is_opened_and_checked() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (release, released) = std::sync::mpsc::channel::<()>();
        // The only thread that waits for the disk is stuck until the call is over.
        drop(tokio::task::spawn_blocking(move || released.recv()));
        let call = Call::from(ROBOCALLER)
            .at(Duration::from_secs(1))
            .caller_id(CallerIdTime::BeforeFirstRing)
            .ends(Ending::Stays);
        let house = House::new(Scenario::default().call(call)).watched(8);
        let file = house.dir.path().join("callblock.db");
        tokio::spawn(async move {
            sleep(Duration::from_secs(7)).await;
            assert!(!file.exists(), "the disk was not stuck");
            drop(release);
        });
        let evening = house.live().await;
        assert_eq!(evening.row().outcome.as_deref(), Some("finished"));
        let held_by = evening.journal.first(|h| *h == Happening::OnHook);
        assert!(
            held_by < Some(Duration::from_secs(7)),
            "{}",
            evening.story()
        );
        assert_eq!(evening.off_hook_count(), 1);
    });
}

#[tokio::test(start_paused = true)]
async fn the_oldest_recordings_make_room_for_new_ones_and_rows_stay() {
    let mut house = house(&[20, 100, 180]);
    house.limits.keep_bytes = Some(200_000);
    let evening = house.live().await;
    assert_all_dealt_with(&evening, 3);
    let is_there = |call: usize| {
        let recording = evening.rows[call].recording.as_ref().unwrap();
        evening.dir.path().join(recording).exists()
    };
    assert_eq!([is_there(0), is_there(1), is_there(2)], [false, true, true]);
    assert_recorded_whole(&evening, 2);
}

// ----- on a small disk of their own -----

/// Runs a part of this program where it may mount a small disk (a user namespace; nothing outside
/// sees it), and returns what it logged; `None` with a message where that is not allowed.
fn on_a_small_disk(part: &str) -> Option<String> {
    let may_mount = Command::new("unshare").args(["-rm", "true"]).output();
    if !may_mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no disk can be mounted here (unshare -rm)");
        return None;
    }
    let disk = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .arg("-rm")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", part, "--ignored", "--nocapture"])
        .env_remove("JOURNAL_STREAM")
        .env(DISK, disk.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    Some(said)
}

/// The disk of the part, mounted, with logging to standard error.
fn small_disk() -> Option<PathBuf> {
    let disk = PathBuf::from(std::env::var_os(DISK)?);
    log::init(&LogOptions {
        stderr: true,
        ..LogOptions::default()
    })
    .unwrap();
    mount(&["-t", "tmpfs", "-o", "size=600k", "none"], &disk);
    Some(disk)
}

fn mount(arguments: &[&str], disk: &Path) {
    let mounted = Command::new("mount").args(arguments).arg(disk).status();
    assert!(mounted.unwrap().success());
}

/// The lines that tell of trouble.
fn alarms(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains(" ERROR ") || line.contains(" WARN "))
        .collect()
}

fn count(lines: &[&str], what: &str) -> usize {
    lines.iter().filter(|line| line.contains(what)).count()
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_call() {
    let Some(log) = on_a_small_disk("accidents::part_with_a_full_disk") else {
        return;
    };
    let alarms = alarms(&log);
    assert_eq!(count(&alarms, "not logged for now"), 1, "{log}");
    assert_eq!(count(&alarms, "the recording"), 2, "{log}");
    assert_eq!(alarms.len(), 3, "{log}");
    assert!(log.contains("the call log can be written again"), "{log}");
}

#[tokio::test(start_paused = true)]
#[ignore = "is a part of another test, which starts it"]
async fn part_with_a_full_disk() {
    let Some(disk) = small_disk() else {
        return;
    };
    let mut house = house(&[20, 100, 250]);
    house.dir = tempfile::tempdir_in(&disk).unwrap();
    tokio::spawn(async move {
        let filler = disk.join("filler");
        sleep(Duration::from_secs(27)).await;
        // As much as there is room for.
        let written = std::fs::write(&filler, vec![0; 1_000_000]);
        assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        sleep(Duration::from_secs(150)).await;
        std::fs::remove_file(&filler).unwrap();
    });
    let evening = house.live().await;
    assert_all_dealt_with(&evening, 3);
    let kept = &evening.rows[0];
    assert!(kept.trouble.is_some(), "{kept:?}");
    let samples = read_wav(&evening.dir.path().join(kept.recording.as_ref().unwrap()));
    assert!(contains(&evening.said(), &samples));
    assert!(evening.rows[1].trouble.is_some());
    assert_recorded_whole(&evening, 2);
    // There was room for the name of the second, and for nothing in it.
    for file in std::fs::read_dir(evening.dir.path().join("rec")).unwrap() {
        read_wav(&file.unwrap().path());
    }
}

#[test]
fn a_disk_that_is_read_only_until_later() {
    let Some(log) = on_a_small_disk("accidents::part_with_a_read_only_disk") else {
        return;
    };
    let alarms = alarms(&log);
    assert_eq!(count(&alarms, "not logged for now"), 1, "{log}");
    assert_eq!(count(&alarms, "the recording"), 1, "{log}");
    assert_eq!(count(&alarms, "is missing"), 1, "{log}");
    assert_eq!(alarms.len(), 3, "{log}");
    assert!(log.contains("the call log can be written again"), "{log}");
}

#[tokio::test(start_paused = true)]
#[ignore = "is a part of another test, which starts it"]
async fn part_with_a_read_only_disk() {
    let Some(disk) = small_disk() else {
        return;
    };
    let mut house = house(&[20, 200]);
    house.dir = tempfile::tempdir_in(&disk).unwrap();
    mount(&["-o", "remount,ro"], &disk);
    tokio::spawn(async move {
        sleep(Duration::from_mins(1)).await;
        mount(&["-o", "remount,rw"], &disk);
    });
    let evening = house.live().await;
    assert_all_dealt_with(&evening, 2);
    assert!(evening.rows[0].trouble.is_some());
    assert_recorded_whole(&evening, 1);
}

#[test]
fn recordings_stop_before_the_disk_is_full() {
    let Some(log) = on_a_small_disk("accidents::part_with_little_room") else {
        return;
    };
    let alarms = alarms(&log);
    assert_eq!(count(&alarms, "MB are free"), 2, "{log}");
    assert_eq!(alarms.len(), 2, "{log}");
}

#[tokio::test(start_paused = true)]
#[ignore = "is a part of another test, which starts it"]
async fn part_with_little_room() {
    let Some(disk) = small_disk() else {
        return;
    };
    let mut house = house(&[20, 100]);
    house.dir = tempfile::tempdir_in(&disk).unwrap();
    house.limits.min_free = 500_000;
    let evening = house.live().await;
    assert_all_dealt_with(&evening, 2);
    let begun = evening
        .dir
        .path()
        .join(evening.rows[0].recording.as_ref().unwrap());
    assert!(read_wav(&begun).len() > 8000);
    assert_eq!(evening.rows[1].recording, None);
    let free = rustix::fs::statvfs(disk.as_path()).unwrap();
    assert!(free.f_bavail * free.f_frsize > 450_000);
}
