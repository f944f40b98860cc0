//! What the log says, and the names of recordings.

use crate::at_once;
use crate::house::{House, ROBOCALLER, read_wav};
use callblock::audio::TimeZone;
use callblock::clock::{SystemClock, Timestamp, WallClock};
use std::time::Duration;

fn robocall(name: &str) -> String {
    format!(
        r#"
        chip = "cx93001-2013"
        [[call]]
        at = 2
        delay = 0.5
        number = "{ROBOCALLER}"
        name = "{name}"
        says = [{{ speech = 10 }}]
        ends = "stays"
        "#
    )
}

fn transcript() {
    let house = House::new(&robocall("V4231749020"));
    let mut daemon = house.daemon("-b @block.csv -d 3.5 -vv");
    daemon.wait_for("call over");
    daemon.stop();
    let log = daemon.lines();
    let position = |text: &str| {
        log.iter()
            .position(|line| line.contains(text))
            .unwrap_or_else(|| panic!("no {text} in {log:#?}"))
    };
    // As they were sent and said, in order.
    let order = [
        r"TRACE >> AT+VCID=1\r",
        r"TRACE << \x10R",
        r"TRACE << \r\nDATE = ",
        r"TRACE >> AT+VLS=1\r",
        r"TRACE >> AT+VTR\r",
        r"TRACE << \r\nCONNECT\r\n",
        "bytes of audio",
        r"TRACE >> AT+VLS=0\r",
    ];
    let positions: Vec<_> = order.into_iter().map(position).collect();
    assert!(positions.is_sorted(), "{positions:?} in {log:#?}");
    // Three and a half seconds of audio each way take a few lines, not hundreds, and none is missing.
    for direction in ["TRACE << ", "TRACE >> "] {
        let audio: Vec<usize> = log
            .iter()
            .filter_map(|line| {
                line.split_once(direction)?
                    .1
                    .strip_suffix(" bytes of audio")
            })
            .map(|bytes| bytes.parse().unwrap())
            .collect();
        assert!(audio.len() < 10, "{log:#?}");
        let seconds = audio.iter().sum::<usize>() as f64 / 8000.0;
        assert!((3.3..5.0).contains(&seconds), "{direction} {seconds} s");
    }
    assert!(log.len() < 150, "{} lines", log.len());
}

/// A caller chooses his name: it must neither steer a terminal nor forge a line.
fn hostile_name() {
    let name = r"X\u001b[2J\u0007\u009b31m\u0085\u007f=\\x1b";
    let house = House::new(&robocall(name));
    let mut daemon = house.daemon("-b @block.csv -vv --logfile @daemon.log --stderr");
    daemon.wait_for("call over");
    daemon.stop();
    let row = house.row();
    assert_eq!(row.verdict, "block");
    let file = std::fs::read_to_string(house.path("daemon.log")).unwrap();
    let stderr = daemon.lines().join("\n");
    for log in [&file, &stderr] {
        assert!(log.contains("name="), "{log:?}");
        let raw = log.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(raw, None, "{log:?}");
        // Every line begins as ours do.
        for line in log.lines() {
            assert!(
                line.starts_with("20") && line.get(23..24) == Some("Z"),
                "{line:?}"
            );
        }
    }
}

fn list_problems() {
    let house = House::new("");
    house.write(
        "block.csv",
        b"2125550147,ok\n,nobody\n# fine\n2125550148,\n \n,x\n",
    );
    let mut daemon = house.daemon("-b @block.csv");
    daemon.wait_for("armed on");
    daemon.stop();
    for line in [2, 6] {
        let place = format!("{}:{line}", house.path("block.csv").display());
        assert_eq!(daemon.count(&place), 1, "{place} in {:#?}", daemon.lines());
    }
    assert_eq!(daemon.count("block.csv:"), 2, "{:#?}", daemon.lines());
}

/// Flags that do nothing here are said to.
fn idle_flags() {
    let house = House::new("");
    let mut daemon = house.daemon("-b @block.csv -a @said.wav -s 2 -r --sit");
    daemon.wait_for("armed on");
    daemon.stop();
    for remark in ["-a does nothing", "-s does nothing", "--sit does nothing"] {
        assert_eq!(daemon.count(remark), 1);
    }
}

fn recording_names() {
    const PARIS: &str = "Europe/Paris";
    let zone: TimeZone = PARIS.parse().unwrap();
    let house = House::new(&robocall("V4231749020"));
    // Whatever second the call begins in: there is a recording of that name already.
    let now = SystemClock.now();
    let name =
        |at: Timestamp, copy: &str| format!("rec/{} {ROBOCALLER}{copy}.wav", zone.file_stamp(at));
    let taken: Vec<String> = (0..60)
        .map(|second| name(now.after(Duration::from_secs(second)), ""))
        .collect();
    for name in &taken {
        house.write(&format!("data/{name}"), b"precious");
    }
    let mut daemon = house.daemon(&format!("-b @block.csv -r 2 --timezone {PARIS}"));
    daemon.wait_for("call over");
    daemon.stop();
    let row = house.row();
    assert_eq!(row.recording, Some(name(row.started, " (2)")));
    assert!(read_wav(&house.path("data").join(row.recording.unwrap())).len() > 8000);
    for name in &taken {
        let content = std::fs::read(house.path("data").join(name)).unwrap();
        assert_eq!(content, b"precious", "{name}");
    }
    assert_eq!(house.recordings().len(), taken.len() + 1);
}

#[test]
fn log_and_files_say_what_happened() {
    at_once([
        ("transcript", transcript),
        ("hostile name", hostile_name),
        ("list problems", list_problems),
        ("idle flags", idle_flags),
        ("recording names", recording_names),
    ]);
}
