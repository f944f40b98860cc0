//! Traces: what crosses the port is written down, and played back the daemon does the same again.
//!
//! `tests/traces/*.trace` are such files, each with what the daemon makes of it today beside it
//! (`.txt`). The daemon records blocked callers if the name of the trace ends in `-record`, and hangs up
//! on them else. A trace that a user sent becomes a test by being put there: write its `.txt` with
//! `UPDATE_GOLDEN=1 cargo test --test traces` and look whether it is right. Those of this folder were
//! made over the emulated modem; `UPDATE_TRACES=1` makes them afresh.

#![expect(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    reason = "a test program: what is missing fails the test; the house has more than is used here"
)]

#[path = "calls/house.rs"]
mod house;
#[path = "golden/wiretap.rs"]
mod wiretap;

use callblock::blocker::BlockAction;
use callblock::emulator::{
    Call, Chip, Ending, Fault, FaultKind, Happening, LinkOptions, MemoryModem, Scenario, Sound,
    Trigger, Unplug,
};
use callblock::modem::port::Jack;
use callblock::store::LoggedCall;
use callblock::trace::{
    Direction, Header, Mask, PortChange, Replay, TappedJack, Trace, TraceFile, What, parse,
};
use house::{Evening, FRIEND, HANG_UP, House, ROBOCALLER};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wiretap::Wiretap;

const SECOND: Duration = Duration::from_secs(1);

fn header(masked: bool) -> Header {
    Header {
        program: "callblock/0.1.0".into(),
        started: "2026-01-02_03:04:05_UTC".into(),
        baud: 115_200,
        masked,
        device: "emulated:0".into(),
    }
}

/// Lives with a tap on the port; gives what happened, the trace, and what was said on the port.
async fn traced(house: House, mask: Option<Mask>) -> (Evening, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("modem.trace");
    let file = TraceFile::open(&path).unwrap();
    let (sink, recorder) = file.record(&header(mask.is_some()), mask);
    let (tap, transcript) = Wiretap::new();
    let evening = house
        .live_with(|jack| tap.on(Box::new(TappedJack::new(jack, sink))))
        .await;
    recorder.finish().await;
    let text = std::fs::read_to_string(&path).unwrap();
    (evening, text, transcript.text())
}

fn read(text: &str) -> Trace {
    let trace = parse(text.as_bytes()).unwrap();
    assert_eq!(trace.problems, []);
    trace
}

/// Lives with the modem of a trace.
async fn replayed(house: House, trace: Trace) -> (Evening, String) {
    let now = tokio::time::Instant::now().into_std();
    let modem = MemoryModem::linked(Replay::new(trace, now), LinkOptions::default());
    let (tap, transcript) = Wiretap::new();
    let jack: Box<dyn Jack> = Box::new(modem.jack());
    let evening = house.live_with(|_| tap.on(jack)).await;
    (evening, transcript.text())
}

/// What the log says of the calls, without what depends on milliseconds.
fn summary(evening: &Evening) -> String {
    let mut text = String::new();
    for row in &evening.rows {
        let LoggedCall {
            number,
            name,
            verdict,
            reason,
            action,
            outcome,
            dtmf,
            trouble,
            ..
        } = row;
        let plain = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let _ = writeln!(
            text,
            "{} | {} | {verdict}: {reason} | {action} | {} | keys {} | trouble {}",
            plain(number),
            plain(name),
            plain(outcome),
            plain(dtmf),
            plain(trouble),
        );
    }
    text
}

/// The call that was blocked.
fn blocked(evening: &Evening) -> &LoggedCall {
    let row = evening.rows.iter().find(|row| row.verdict == "block");
    row.expect("a blocked call")
}

/// The samples of its recording, if it has one.
fn recorded(evening: &Evening) -> Option<Vec<u8>> {
    let file = blocked(evening).recording.as_ref()?;
    Some(house::read_wav(&evening.dir.path().join(file)))
}

/// Compares what was said line by line. How much audio went does not matter: the modem of a trace takes
/// it at once, and in duplex that moves what is heard of its echo, and the pauses after it, by some
/// milliseconds.
fn assert_same(is: &str, was: &str, what: &str) {
    fn without_audio(text: &str) -> Vec<&str> {
        let lines = text.lines().filter(|line| !line.ends_with("of audio]"));
        lines.collect()
    }
    fn pause(line: &str) -> Option<f64> {
        line.strip_prefix('(')?.strip_suffix(" s)")?.parse().ok()
    }
    let alike = |is: &str, was: &str| match (pause(is), pause(was)) {
        (Some(is), Some(was)) => f64::abs(is - was) < 0.25,
        _ => is == was,
    };
    let (is, was) = (without_audio(is), without_audio(was));
    let pairs = is.iter().zip(&was);
    let same = pairs.take_while(|(is, was)| alike(is, was)).count();
    let from = same.saturating_sub(3);
    assert!(
        same == is.len() && same == was.len(),
        "{what}: is {:#?}\nwas {:#?}",
        &is[from..is.len().min(from + 8)],
        &was[from..was.len().min(from + 8)]
    );
}

/// Somebody who may ring, then a robocaller who speaks, presses a key and hangs up.
fn evening_scenario() -> Scenario {
    let friend = Call::from(FRIEND).named("A FRIEND").at(5 * SECOND).rings(2);
    let robocaller = Call::from(ROBOCALLER)
        .named("V4231749020")
        .at(40 * SECOND)
        .says(Sound::Silence(2 * SECOND))
        .says(Sound::Dtmf("1".into()))
        .says(Sound::Silence(SECOND))
        .ends(Ending::Busy);
    Scenario::default().call(friend).call(robocaller)
}

/// Made in a house, for it may need a file there.
type Action = fn(&House) -> BlockAction;

fn evening(chip: Chip, action: Action) -> House {
    let house = House::new(evening_scenario()).watched(90);
    let action = action(&house);
    let mut house = house.action(action);
    house.scenario.chip = chip;
    house
}

fn hang_up(_: &House) -> BlockAction {
    HANG_UP
}

fn record(_: &House) -> BlockAction {
    BlockAction::Record { limit: 20 * SECOND }
}

fn message(house: &House) -> BlockAction {
    BlockAction::Message {
        file: house.wav("greeting.wav", &[0x10; 8_000]),
    }
}

fn fax(_: &House) -> BlockAction {
    BlockAction::Fax
}

fn duplex(house: &House) -> BlockAction {
    BlockAction::Duplex {
        file: Some(house.wav("greeting.wav", &[0x10; 8_000])),
        limit: 20 * SECOND,
        silence: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_replayed_trace_is_handled_as_the_calls_were() {
    let actions: [(&str, Action); 5] = [
        ("hang up", hang_up),
        ("fax", fax),
        ("message", message),
        ("record", record),
        ("duplex", duplex),
    ];
    for chip in [
        Chip::Cx93001V2002,
        Chip::Cx93001V2013,
        Chip::Usr5637,
        Chip::V253,
    ] {
        for (name, action) in actions {
            let (was, text, said) = traced(evening(chip, action), None).await;
            let (is, said_again) = replayed(evening(chip, action), read(&text)).await;
            assert_eq!(was.rows.len(), 2, "{chip} {name}");
            assert_eq!(summary(&is), summary(&was), "{chip} {name}\n{text}");
            assert_same(&said_again, &said, &format!("{chip} {name}"));
            let (again, first) = (recorded(&is), recorded(&was));
            assert_eq!(again.is_some(), first.is_some(), "{chip} {name}");
            if let (Some(again), Some(first)) = (again, first) {
                assert!(again.len().abs_diff(first.len()) < 4000, "{chip} {name}");
                assert!(
                    again
                        .iter()
                        .zip(&first)
                        .all(|(again, first)| again == first)
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_crossed_the_port_is_in_the_trace() {
    let (evening, text, _) = traced(evening(Chip::Cx93001V2013, duplex), None).await;
    let trace = read(&text);
    assert_eq!(trace.header, header(false));
    assert_eq!(trace.records[0].what, What::Port(PortChange::Opened));
    assert_eq!(
        trace.records.last().map(|record| &record.what),
        Some(&What::Port(PortChange::Closed))
    );
    assert!(trace.records.is_sorted_by_key(|record| record.at));
    let crossed = |wanted| -> Vec<u8> {
        let bytes = |what: &What| match what {
            What::Bytes(direction, bytes) if *direction == wanted => bytes.clone(),
            _ => Vec::new(),
        };
        trace
            .records
            .iter()
            .flat_map(|record| bytes(&record.what))
            .collect()
    };
    // The greeting with its 0x10 doubled, and every command.
    assert!(house::contains(
        &crossed(Direction::ToModem),
        &[0x10; 16_000]
    ));
    assert!(house::contains(
        &crossed(Direction::FromModem),
        ROBOCALLER.as_bytes()
    ));
    for command in evening.journal.entries() {
        if let Happening::Command(line) = command.what {
            assert!(text.contains(&format!(">> {line}\\r")), "{line}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_masked_trace_tells_nobodys_number_and_is_handled_likewise() {
    let (was, text, _) = traced(
        evening(Chip::Cx93001V2013, hang_up),
        Some(Mask::with_seed(3)),
    )
    .await;
    for secret in [FRIEND, ROBOCALLER, "FRIEND", "4231749020"] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
    let trace = read(&text);
    assert!(trace.header.masked);
    let (is, _) = replayed(evening(Chip::Cx93001V2013, hang_up), trace).await;
    let lengths = |evening: &Evening| -> Vec<_> {
        let length = |text: &Option<String>| text.as_ref().map(String::len);
        evening
            .rows
            .iter()
            .map(|row| (length(&row.number), length(&row.name)))
            .collect()
    };
    assert_eq!(lengths(&is), lengths(&was));
    // Neither is on the block list by his other number.
    assert!(is.rows.iter().all(|row| row.verdict == "ring"));
}

#[tokio::test(start_paused = true)]
async fn other_actions_than_those_of_the_trace_are_answered_as_well_as_they_can_be() {
    let (_, text, _) = traced(evening(Chip::Cx93001V2013, record), None).await;
    // Nobody is blocked now: the modem is not picked up, and both calls come all the same.
    let quiet = evening(Chip::Cx93001V2013, record).policy(house::block_list("1,Nobody\n"));
    let (ring, _) = replayed(quiet, read(&text)).await;
    let verdicts: Vec<_> = ring.rows.iter().map(|row| row.verdict.as_str()).collect();
    assert_eq!(verdicts, ["ring", "ring"]);
    // Both are blocked: the friend gets what the trace has for the robocaller.
    let strict = format!("{ROBOCALLER},A\n{FRIEND},B\n");
    let strict = evening(Chip::Cx93001V2013, record).policy(house::block_list(&strict));
    let (both, _) = replayed(strict, read(&text)).await;
    let rows: Vec<_> = both
        .rows
        .iter()
        .map(|row| (row.verdict.as_str(), row.recording.is_some()))
        .collect();
    assert_eq!(rows, [("block", true), ("block", true)]);
    // A command that the trace has not, and another way of dealing with the caller.
    let (hung_up, _) = replayed(evening(Chip::Cx93001V2013, hang_up), read(&text)).await;
    assert_eq!(hung_up.rows.len(), 2);
    assert_eq!(blocked(&hung_up).action, "hangup");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_the_trace_ended_sooner_goes_on_in_silence() {
    fn short(_: &House) -> BlockAction {
        BlockAction::Record { limit: 3 * SECOND }
    }
    fn long(_: &House) -> BlockAction {
        BlockAction::Record { limit: 8 * SECOND }
    }
    let (_, text, _) = traced(evening(Chip::Cx93001V2013, short), None).await;
    let (is, _) = replayed(evening(Chip::Cx93001V2013, long), read(&text)).await;
    assert_eq!(blocked(&is).outcome.as_deref(), Some("time-limit"));
    let samples = recorded(&is).unwrap().len();
    assert!((60_000..=66_000).contains(&samples), "{samples}");
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_was_unplugged_is_unplugged_again() {
    fn unplugged() -> House {
        let unplug = FaultKind::Unplug(Unplug {
            back_after: Some(5 * SECOND),
            other_node: false,
        });
        let fault = Fault::new(Trigger::At(20 * SECOND), unplug);
        let call = Call::from(ROBOCALLER).at(40 * SECOND);
        House::new(Scenario::default().fault(fault).call(call)).watched(90)
    }
    let (was, text, said) = traced(unplugged(), None).await;
    assert!(text.contains("-- lost"), "{text}");
    let (is, said_again) = replayed(unplugged(), read(&text)).await;
    assert_eq!(summary(&is), summary(&was));
    assert_eq!(is.rows.len(), 1);
    assert_same(&said_again, &said, "unplugged");
}

#[tokio::test(start_paused = true)]
async fn a_trace_is_appended_to_and_other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("modem.trace");
    std::fs::write(&path, "callblock-trace 1 program=x\n1.000000 << RI").unwrap();
    let (sink, recorder) = TraceFile::open(&path).unwrap().record(&header(false), None);
    drop(sink);
    recorder.finish().await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("callblock-trace 1 program=x\n1.000000 << RI\ncallblock-trace 1 "));
    let other = folder.path().join("letter.txt");
    for content in ["short", "a letter to somebody else\n"] {
        std::fs::write(&other, content).unwrap();
        let error = TraceFile::open(&other).unwrap_err().to_string();
        assert!(
            error.contains("letter.txt is there and is no trace"),
            "{error}"
        );
        assert_eq!(std::fs::read_to_string(&other).unwrap(), content);
    }
    assert!(TraceFile::open(&folder.path().join("none/x")).is_err());
}

/// The traces that are checked in, and how they were made.
const CHECKED_IN: [(&str, Chip, Action); 2] = [
    ("cx93001-2013-record", Chip::Cx93001V2013, record),
    ("usr5637-hangup", Chip::Usr5637, hang_up),
];

fn checked_in(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/traces")
        .join(name)
}

#[tokio::test(start_paused = true)]
async fn traces_that_were_sent_are_handled_as_ever() {
    if std::env::var_os("UPDATE_TRACES").is_some() {
        for (name, chip, action) in CHECKED_IN {
            let (_, text, _) = traced(evening(chip, action), None).await;
            std::fs::write(checked_in(&format!("{name}.trace")), text).unwrap();
        }
    }
    let mut names: Vec<PathBuf> = std::fs::read_dir(checked_in(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "trace"))
        .collect();
    names.sort();
    assert!(names.len() >= CHECKED_IN.len());
    for path in names {
        let trace = read(&std::fs::read_to_string(&path).unwrap());
        let action = if path.to_string_lossy().ends_with("-record.trace") {
            record
        } else {
            hang_up
        };
        let (is, said) = replayed(evening(Chip::default(), action), trace).await;
        let now = format!("{}\n{said}", summary(&is));
        let beside = path.with_extension("txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&beside, &now).unwrap();
        }
        let golden = std::fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(now, golden, "{}", path.display());
    }
}
