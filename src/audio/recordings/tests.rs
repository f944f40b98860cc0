//! Names, ages and amounts; what a crash left.

use super::super::wav::WavWriter;
use super::*;
use proptest::prelude::*;
use tempfile::TempDir;

/// 2025-11-20 13:05:33 UTC.
const NOW: Timestamp = Timestamp::from_nanos(1_763_643_933_000_000_000);

fn recordings(limits: RecordingLimits) -> (TempDir, Recordings) {
    let folder = tempfile::tempdir().unwrap();
    let recordings = Recordings {
        folder: folder.path().to_owned(),
        zone: TimeZone::UTC,
        limits,
    };
    (folder, recordings)
}

fn days_ago(days: u32) -> Timestamp {
    let ago = i64::from(days) * 86_400_000_000_000;
    Timestamp::from_nanos(NOW.as_nanos() - ago)
}

impl Recordings {
    /// Puts a recording of 1000 bytes there that was begun so many days ago.
    fn put(&self, days: u32, number: &str) -> PathBuf {
        let stem = self.stem(days_ago(days), Some(number));
        let path = self.folder.join(format!("{stem}.wav"));
        std::fs::write(&path, [0x80; 1000]).unwrap();
        path
    }

    /// The numbers that are left, oldest first.
    fn left(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
            .iter()
            .map(|name| name[STAMP_CHARS + 1..].trim_end_matches(".wav").to_owned())
            .collect()
    }
}

#[test]
fn nothing_is_removed_where_no_limit_is_set() {
    let (_folder, recordings) = recordings(RecordingLimits::default());
    recordings.put(9999, "1");
    assert_eq!(recordings.tidy(Some(NOW)).unwrap(), Removed::default());
    assert_eq!(recordings.left(), ["1"]);
}

#[test]
fn recordings_go_after_their_days() {
    let (_folder, recordings) = recordings(RecordingLimits {
        keep_days: Some(30),
        ..RecordingLimits::default()
    });
    for days in [0, 29, 30, 31, 400] {
        recordings.put(days, &days.to_string());
    }
    let removed = recordings.tidy(Some(NOW)).unwrap();
    assert_eq!((removed.files, removed.bytes), (2, 2000));
    assert_eq!(recordings.left(), ["30", "29", "0"]);
}

#[test]
fn a_clock_that_was_not_set_or_is_not_trusted_removes_nothing_by_age() {
    let (_folder, recordings) = recordings(RecordingLimits {
        keep_days: Some(30),
        ..RecordingLimits::default()
    });
    recordings.put(20_000, "1971");
    recordings.put(400, "400");
    assert_eq!(recordings.tidy(None).unwrap().files, 0);
    let before_all = Timestamp::from_nanos(0);
    assert_eq!(recordings.tidy(Some(before_all)).unwrap().files, 0);
    assert_eq!(recordings.tidy(Some(NOW)).unwrap().files, 1);
    assert_eq!(recordings.left(), ["1971"]);
}

#[test]
fn the_oldest_go_when_there_are_too_many_bytes_but_never_the_running_one() {
    let (folder, recordings) = recordings(RecordingLimits {
        keep_bytes: Some(2500),
        ..RecordingLimits::default()
    });
    for days in [5, 4, 3, 2] {
        recordings.put(days, &days.to_string());
    }
    // The oldest of all by its name is being written.
    let stem = recordings.stem(days_ago(9), Some("running"));
    let path = folder.path().join(format!("{stem}.wav"));
    let mut running = WavWriter::create(&path).unwrap();
    running.write(&[1; 456]).unwrap();
    running.sync_header().unwrap();
    let removed = recordings.tidy(Some(NOW)).unwrap();
    assert_eq!(removed.files, 2);
    assert_eq!(recordings.left(), ["running", "3", "2"]);
    running.finish().unwrap();
    recordings.put(1, "1");
    recordings.tidy(Some(NOW)).unwrap();
    assert_eq!(recordings.left(), ["2", "1"]);
}

#[test]
fn what_is_not_named_as_a_recording_is_never_touched() {
    let (folder, recordings) = recordings(RecordingLimits {
        keep_days: Some(1),
        keep_bytes: Some(0),
        min_free: 0,
    });
    let names = [
        "notes.txt",
        "holiday.wav",
        "2020-01-01 00-00-00+0000 .wav",
        "2020-01-01 00-00-00+0000 555.WAV",
        "2020-01-01 00-00-00+0000 5 5.wav",
        "2020-01-01 00-00-00+0000 555 (x).wav",
        "2020-13-01 00-00-00+0000 555.wav",
        "2020-01-01 00-00-00 555.wav",
        "copy of 2020-01-01 00-00-00+0000 555.wav",
        "2020-01-01 00-00-00+000é 555.wav",
    ];
    for name in names {
        std::fs::write(folder.path().join(name), "mine").unwrap();
    }
    std::fs::create_dir(folder.path().join("2020-01-01 00-00-00+0000 1.wav")).unwrap();
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    let link = folder.path().join("2020-01-01 00-00-00+0000 2.wav");
    std::os::unix::fs::symlink(elsewhere.path(), link).unwrap();
    assert_eq!(recordings.tidy(Some(NOW)).unwrap().files, 0);
    assert_eq!(recordings.mend().unwrap(), 0);
    for name in names {
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), b"mine");
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        names.len() + 2
    );
}

#[test]
fn whatever_a_power_cut_left_can_be_played_and_has_its_samples() {
    let (folder, recordings) = recordings(RecordingLimits::default());
    let path = folder.path().join("2025-11-20 13-05-33+0000 555.wav");
    let mut whole = Vec::new();
    {
        let mut writer = WavWriter::create(&path).unwrap();
        writer.write(&[7; 1001]).unwrap();
        writer.finish().unwrap();
        whole.extend(std::fs::read(&path).unwrap());
    }
    assert_eq!(recordings.mend().unwrap(), 0);
    let mut no_header = whole.clone();
    no_header[..44].fill(0);
    let mut no_lengths = whole.clone();
    no_lengths[40..44].fill(0);
    let mut old_riff_length = whole.clone();
    old_riff_length[4..8].copy_from_slice(&36_u32.to_le_bytes());
    let cut = |bytes: &[u8], length: usize| bytes[..length].to_vec();
    for (left, samples) in [
        (Vec::new(), 0),
        (cut(&whole, 1), 0),
        (cut(&whole, 43), 0),
        (cut(&whole, 500), 456),
        (cut(&whole, 501), 457),
        (cut(&no_header, 44), 0),
        (cut(&no_header, 1044), 1000),
        (cut(&no_lengths, 1044), 1000),
        (old_riff_length, 1001),
    ] {
        std::fs::write(&path, &left).unwrap();
        assert_eq!(recordings.mend().unwrap(), 1, "{}", left.len());
        let mut reader = hound::WavReader::open(&path).unwrap();
        assert!(reader.samples::<i8>().all(|sample| sample.is_ok()));
        let kept = reader.duration();
        assert_eq!(kept, samples, "{}", left.len());
        assert_eq!(
            recordings.mend().unwrap(),
            0,
            "a second time changes nothing"
        );
    }
}

#[test]
fn a_recording_that_runs_is_not_mended() {
    let (folder, recordings) = recordings(RecordingLimits::default());
    let path = folder.path().join("2025-11-20 13-05-33+0000 555.wav");
    let running = WavWriter::create(&path).unwrap();
    std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"more"))
        .unwrap();
    assert_eq!(recordings.mend().unwrap(), 0);
    drop(running);
    assert_eq!(recordings.mend().unwrap(), 1);
}

#[test]
fn a_folder_that_is_missing_is_an_error_and_no_more() {
    let (folder, mut recordings) = recordings(RecordingLimits {
        keep_bytes: Some(1),
        ..RecordingLimits::default()
    });
    recordings.folder = folder.path().join("gone");
    assert!(recordings.mend().is_err());
    assert!(recordings.tidy(Some(NOW)).is_err());
    assert_eq!(recordings.scarce_room(), None);
}

proptest! {
    /// Whatever a caller sends as his number, the file is recognised by its name, and the name is one
    /// component.
    #[test]
    fn every_name_we_give_is_known_again(number: Option<String>, seconds in 0_i64..4_000_000_000, copy in 1_u32..9) {
        let (_folder, recordings) = recordings(RecordingLimits::default());
        let started = Timestamp::from_nanos(seconds * 1_000_000_000);
        let stem = recordings.stem(started, number.as_deref());
        let name = if copy == 1 { format!("{stem}.wav") } else { format!("{stem} ({copy}).wav") };
        prop_assert_eq!(recorded_at(&name), Some(started));
        prop_assert_eq!(Path::new(&name).components().count(), 1);
        prop_assert!(name.len() < 128);
    }

    #[test]
    fn no_name_is_too_strange(name: String) {
        let _ = recorded_at(&name);
    }
}

#[test]
fn what_only_has_the_name_of_a_recording_is_not_mended() {
    let (folder, recordings) = recordings(RecordingLimits::default());
    let path = folder.path().join("2025-11-20 13-05-33+0000 555.wav");
    for content in [&b"precious"[..], b"RIFF of my own", &[0x80; 1000]] {
        std::fs::write(&path, content).unwrap();
        recordings.mend().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}
