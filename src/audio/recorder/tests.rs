//! Recordings on disks that are well, slow, stuck, full and gone.

use super::*;
use crate::audio::wav::WavReader;
use crate::audio::{RecordingLimits, TimeZone};
use std::sync::mpsc as std_mpsc;
use tempfile::TempDir;
use tokio::time::{advance, sleep};

/// 2025-11-20 13:05:33 UTC.
const START: Timestamp = Timestamp::from_nanos(1_763_643_933_000_000_000);

fn scratch() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn recordings(folder: &Path, min_free: u64) -> Recordings {
    Recordings {
        folder: folder.to_owned(),
        zone: TimeZone::UTC,
        limits: RecordingLimits {
            min_free,
            ..RecordingLimits::default()
        },
    }
}

fn start(folder: &Path, number: Option<&str>) -> Recorder {
    Recorder::start(&recordings(folder, 0), START, number)
}

fn read(path: &Path) -> Vec<u8> {
    let mut reader = WavReader::open(path).unwrap();
    reader.read_block(usize::MAX).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn what_is_pushed_is_in_the_file() {
    let folder = scratch();
    let recorder = start(folder.path(), Some("5550101"));
    let path = recorder.created().await.unwrap();
    assert_eq!(
        path,
        folder.path().join("2025-11-20 13-05-33+0000 5550101.wav")
    );
    let mut said: Vec<u8> = Vec::new();
    for block in 0..100_u8 {
        let samples = vec![block; 163];
        said.extend(&samples);
        recorder.push(samples);
        sleep(Duration::from_millis(20)).await;
    }
    let summary = recorder.finish().await;
    assert_eq!(summary.path.as_deref(), Some(path.as_path()));
    assert_eq!((summary.samples, summary.lost), (said.len() as u64, 0));
    assert!(summary.error.is_none() && summary.trouble().is_none());
    assert_eq!(read(&path), said);
    assert_eq!(std::fs::metadata(&path).unwrap().len() % 2, 0);
}

#[tokio::test(start_paused = true)]
async fn the_file_can_be_played_in_every_second_of_the_call() {
    let folder = scratch();
    let recorder = start(folder.path(), Some("5550101"));
    let path = recorder.created().await.unwrap();
    for second in 0..10_usize {
        // A copy is what would be left if the program were killed now.
        let copy = folder.path().join("copy.wav");
        std::fs::copy(&path, &copy).unwrap();
        let kept = read(&copy);
        assert!(
            kept.len() >= (second * 8000).saturating_sub(8000),
            "{second}: {}",
            kept.len()
        );
        assert!(
            hound::WavReader::open(&copy)
                .unwrap()
                .samples::<i8>()
                .all(|sample| sample.is_ok())
        );
        for _ in 0..10 {
            recorder.push(vec![7; 800]);
            sleep(Duration::from_millis(100)).await;
        }
    }
    assert_eq!(recorder.finish().await.samples, 80_000);
}

#[tokio::test(start_paused = true)]
async fn an_empty_recording_is_a_file_too() {
    let folder = scratch();
    let summary = start(folder.path(), None).finish().await;
    let path = summary.path.unwrap();
    assert_eq!(read(&path), [0_u8; 0]);
    assert_eq!(
        names(folder.path()),
        ["2025-11-20 13-05-33+0000 unknown.wav"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_is_dropped_ends_its_file() {
    let folder = scratch();
    let recorder = start(folder.path(), Some("1"));
    recorder.push(vec![1; 101]);
    let path = recorder.created().await.unwrap();
    drop(recorder);
    // Nothing tells when: the file has its pad byte when it is done.
    while std::fs::metadata(&path).unwrap().len() != 44 + 102 {
        advance(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&path), [1; 101]);
}

#[tokio::test(start_paused = true)]
async fn names_are_never_overwritten_and_never_leave_the_folder() {
    let folder = scratch();
    let inner = folder.path().join("rec");
    std::fs::create_dir(&inner).unwrap();
    for number in [
        Some("../../etc/passwd"),
        Some("/etc/passwd"),
        Some("555 01/01"),
        Some("555\u{0}01é01"),
        Some("+1-555_0101"),
        Some(".."),
        Some(""),
        None,
        Some("5550101"),
        Some("5550101"),
        Some("5550101"),
    ] {
        let recorder = start(&inner, number);
        recorder.push(vec![1; 2]);
        assert!(recorder.finish().await.error.is_none());
    }
    assert_eq!(names(folder.path()), ["rec"]);
    let suffixes: Vec<String> = names(&inner)
        .iter()
        .map(|name| {
            name.strip_prefix("2025-11-20 13-05-33+0000 ")
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        suffixes,
        [
            "+1-555_0101.wav",
            "5550101 (2).wav",
            "5550101 (3).wav",
            "5550101.wav",
            "555_01_01 (2).wav",
            "555_01_01.wav",
            "__.wav",
            "______etc_passwd.wav",
            "_etc_passwd.wav",
            "unknown (2).wav",
            "unknown.wav",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_very_long_number_gives_a_name_that_fits() {
    let folder = scratch();
    let summary = start(folder.path(), Some(&"7".repeat(5000))).finish().await;
    assert!(summary.error.is_none());
    assert!(names(folder.path())[0].len() < 120);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_gone_comes_back_but_not_a_whole_disk() {
    let folder = scratch();
    let gone = folder.path().join("rec");
    assert!(start(&gone, Some("1")).finish().await.error.is_none());

    let disk = folder.path().join("disk/rec");
    let recorder = start(&disk, Some("1"));
    assert_eq!(recorder.created().await, None);
    recorder.push(vec![1; 8000]);
    let summary = recorder.finish().await;
    assert!(matches!(summary.error, Some(RecordError::Create { .. })));
    assert_eq!(
        (summary.path.as_deref(), summary.samples, summary.lost),
        (None, 0, 8000)
    );
    assert!(summary.trouble().unwrap().ends_with("(1.0 s lost)"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_deleted_is_reported() {
    let folder = scratch();
    let recorder = start(folder.path(), Some("1"));
    recorder.push(vec![1; 8000]);
    std::fs::remove_file(recorder.created().await.unwrap()).unwrap();
    recorder.push(vec![1; 8000]);
    let summary = recorder.finish().await;
    assert!(matches!(summary.error, Some(RecordError::Deleted { .. })));
    assert_eq!(
        (summary.path, summary.samples, summary.lost),
        (None, 0, 16_000)
    );
}

#[test]
fn what_the_disk_has_taken_before_it_fails_is_kept() {
    let folder = scratch();
    let mut recording = Recording::create(recordings(folder.path(), 0), "x").write(&[1; 8000]);
    let full = std::io::Error::other("the disk is full").into();
    recording.fail(recording.write_error(full), 10_000);
    let summary = recording.write(&[1; 500]).finish(7);
    assert_eq!((summary.samples, summary.lost), (8000, 2507));
    assert_eq!(read(summary.path.as_deref().unwrap()), [1; 8000]);
    assert!(
        summary
            .trouble()
            .unwrap()
            .contains("is not whole: the disk is full (0.3 s lost)")
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_recorded_when_room_is_scarce() {
    let folder = scratch();
    let scarce = recordings(folder.path(), u64::MAX);
    let recorder = Recorder::start(&scarce, START, Some("1"));
    assert_eq!(recorder.created().await, None);
    recorder.push(vec![1; 8000]);
    let summary = recorder.finish().await;
    assert!(matches!(summary.error, Some(RecordError::NoRoom { .. })));
    assert_eq!(summary.lost, 8000);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_recording_ends_when_room_gets_scarce_and_keeps_what_it_has() {
    let folder = scratch();
    let mut recording = Recording::create(recordings(folder.path(), 0), "x").write(&[1; 8000]);
    recording.recordings.limits.min_free = u64::MAX;
    let summary = recording.write(&[2; 8000]).write(&[3; 8000]).finish(0);
    assert!(matches!(summary.error, Some(RecordError::NoRoom { .. })));
    assert_eq!((summary.samples, summary.lost), (8000, 16_000));
    assert_eq!(read(summary.path.as_deref().unwrap()), [1; 8000]);
}

/// A runtime whose only blocking thread, the "disk", is busy until the sender says otherwise.
fn with_a_stuck_disk<F: Future>(test: impl FnOnce(std_mpsc::Sender<()>) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (release, released) = std_mpsc::channel();
        drop(spawn_blocking(move || released.recv()));
        test(release).await
    })
}

#[test]
fn a_slow_disk_gets_it_all_later() {
    let folder = scratch();
    let (path, samples) = with_a_stuck_disk(|release| async move {
        let recorder = start(folder.path(), Some("1"));
        for second in 0..59_u8 {
            recorder.push(vec![second; 8000]);
        }
        assert!(names(folder.path()).is_empty());
        release.send(()).unwrap();
        let summary = recorder.finish().await;
        assert_eq!((summary.samples, summary.lost), (59 * 8000, 0));
        assert!(summary.error.is_none());
        let samples = read(summary.path.as_deref().unwrap());
        (folder, samples)
    });
    drop(path);
    let expected: Vec<u8> = (0..59_u8).flat_map(|second| vec![second; 8000]).collect();
    assert_eq!(samples, expected);
}

#[test]
fn what_a_stuck_disk_cannot_take_in_a_minute_is_lost_and_counted() {
    let folder = scratch();
    with_a_stuck_disk(|release| async move {
        let recorder = start(folder.path(), Some("1"));
        for _ in 0..75 {
            recorder.push(vec![1; 8000]);
        }
        release.send(()).unwrap();
        let summary = recorder.finish().await;
        assert_eq!((summary.samples, summary.lost), (60 * 8000, 15 * 8000));
        assert!(summary.trouble().unwrap().contains("lost 15.0 s"));
    });
}
