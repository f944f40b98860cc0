//! The block actions, once each, in real time.

use crate::at_once;
use crate::house::{House, ROBOCALLER, contains, seconds, treacherous_audio};
use callblock::audio::TimeZone;
use callblock::store::LoggedCall;

/// A robocall that says `said.wav`, which lasts 2 s, and then what is given. It begins after a moment
/// of silence: a modem cannot record yet when it has just picked up.
fn robocall(then: &str, ends: &str) -> String {
    format!(
        r#"
        chip = "cx93001-2013"
        [[call]]
        at = 3
        delay = 0.5
        number = "{ROBOCALLER}"
        name = "V4231749020"
        says = [{{ silence = 0.2 }}, {{ wav = "said.wav" }}, {then}]
        ends = "{ends}"
        "#
    )
}

/// Runs a daemon with these flags until the call is over and the modem is ready for the next one.
fn live_through(house: &House, flags: &str) -> (LoggedCall, Vec<String>) {
    let mut daemon = house.daemon(&format!("-b @block.csv {flags}"));
    daemon.wait_for("call over");
    daemon.wait_for_times(2, "armed on CX93001");
    daemon.stop();
    (house.row(), daemon.lines())
}

/// What every blocked call has in common.
fn assert_dealt_with(house: &House, row: &LoggedCall, action: &str, outcome: &str) {
    assert_eq!(row.number.as_deref(), Some(ROBOCALLER));
    assert_eq!(row.normalised.as_deref(), Some(ROBOCALLER));
    assert_eq!(row.name.as_deref(), Some("V4231749020"));
    assert_eq!(row.verdict, "block");
    assert!(row.reason.contains("A robocaller"), "{row:?}");
    assert!(
        row.source.as_ref().unwrap().ends_with("block.csv:1"),
        "{row:?}"
    );
    assert_eq!(row.action, action);
    assert_eq!(row.outcome.as_deref(), Some(outcome));
    assert!(row.picked_up > Some(row.started), "{row:?}");
    assert!(row.ended > row.picked_up, "{row:?}");
    assert_eq!(row.trouble, None);
    assert_eq!(house.hook(), ["off-hook", "on-hook"]);
    let journal = house.journal();
    let violations: Vec<_> = journal
        .iter()
        .filter(|what| what.contains("violation"))
        .collect();
    assert!(violations.is_empty(), "{violations:?}");
    // After the call: reset, and caller ID again.
    let on_hook = journal.iter().position(|what| what == "on-hook").unwrap();
    let after: Vec<_> = journal[on_hook..].iter().map(String::as_str).collect();
    let reset = after.iter().position(|what| *what == r#"command "ATZ""#);
    let caller_id = after
        .iter()
        .position(|what| *what == r#"command "AT+VCID=1""#);
    assert!(reset.is_some() && reset < caller_id, "{after:?}");
}

fn assert_recorded(house: &House, row: &LoggedCall, between: std::ops::Range<f64>) {
    let stamp = TimeZone::UTC.file_stamp(row.started);
    assert_eq!(row.recording, Some(format!("rec/{stamp} {ROBOCALLER}.wav")));
    assert_eq!(house.recordings().len(), 1);
    let recording = house.recording(row);
    assert!(
        contains(&recording, &treacherous_audio(2)),
        "not as it was said"
    );
    assert!(
        between.contains(&seconds(&recording)),
        "{} s",
        seconds(&recording)
    );
}

fn assert_not_recorded(house: &House, row: &LoggedCall) {
    assert_eq!(row.recording, None);
    assert_eq!(house.recordings().len(), 0);
}

fn hang_up() {
    let house = House::new(&robocall("", "stays"));
    let (row, _) = live_through(&house, "");
    assert_dealt_with(&house, &row, "hangup", "finished");
    assert_not_recorded(&house, &row);
    assert!(house.commands().contains(&"ATH1".to_owned()));
    assert!(house.path("data/play").is_dir());
}

fn fax_in(class: &str, house: &House) {
    let (row, _) = live_through(house, "-f");
    assert_dealt_with(house, &row, "fax", "finished");
    assert_not_recorded(house, &row);
    assert!(house.journal().contains(&"fax answer tone".to_owned()));
    assert!(house.commands().contains(&format!("AT+FCLASS={class}")));
}

fn fax_in_class_1() {
    let scenario = robocall("", "stays").replace("cx93001-2013", "cx93001-2002");
    fax_in("1", &House::new(&scenario));
}

fn fax_in_class_2() {
    fax_in(
        "2",
        &House::new(&format!("{}\nfax = true", robocall("", "stays"))),
    );
}

fn message() {
    let house = House::new(&robocall("", "stays"));
    house.wav("message.wav", &treacherous_audio(3));
    let (row, log) = live_through(&house, "-m -a @message.wav");
    assert_dealt_with(&house, &row, "message", "finished");
    assert_not_recorded(&house, &row);
    assert!(
        log.iter().any(|line| line.contains("playing file=")),
        "{log:?}"
    );
    let transmitted = time_between(&house, "voice VTX begins", "voice ends");
    assert!((2.9..4.5).contains(&transmitted), "{transmitted} s");
}

/// Stereo of 16 bit, 44,100 Hz; a square wave, which no converter can leave as it is.
fn stereo_wav(seconds: u32) -> Vec<u8> {
    let frames = seconds * 44_100;
    let mut wav = Vec::from(*b"RIFF");
    wav.extend((36 + 4 * frames).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    wav.extend(44_100_u32.to_le_bytes());
    wav.extend((4 * 44_100_u32).to_le_bytes());
    wav.extend(b"\x04\0\x10\0data");
    wav.extend((4 * frames).to_le_bytes());
    for at in 0..frames {
        let value: i16 = if at % 100 < 50 { 9000 } else { -9000 };
        wav.extend(value.to_le_bytes().repeat(2));
    }
    wav
}

fn message_of_another_kind() {
    let house = House::new(&robocall("", "stays"));
    house.write("said/message.wav", &stereo_wav(3));
    house.write("data/play/song.mp3", b"ID3");
    let (row, log) = live_through(&house, "-m -a @said/message.wav");
    assert_dealt_with(&house, &row, "message", "finished");
    let transmitted = time_between(&house, "voice VTX begins", "voice ends");
    assert!((2.9..5.0).contains(&transmitted), "{transmitted} s");
    let files = |folder: &str| -> Vec<_> {
        let entries = std::fs::read_dir(house.path(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    assert_eq!(files("said").len(), 1, "nothing beside the user's file");
    let [copy] = files("data/cache").try_into().unwrap();
    assert_eq!(crate::house::read_wav(&copy).len(), 24_000);
    assert!(!log.iter().any(|line| line.contains("WARN")), "{log:?}");
}

fn tones_before_hanging_up() {
    let house = House::new(&robocall("", "stays"));
    let (row, log) = live_through(&house, "--sit");
    assert_dealt_with(&house, &row, "hangup", "finished");
    assert_not_recorded(&house, &row);
    let said = "playing the special information tones";
    assert!(log.iter().any(|line| line.contains(said)), "{log:?}");
    let transmitted = time_between(&house, "voice VTX begins", "voice ends");
    assert!((0.9..2.5).contains(&transmitted), "{transmitted} s");
}

fn record() {
    let house = House::new(&robocall("", "stays"));
    let (row, _) = live_through(&house, "-r 3");
    assert_dealt_with(&house, &row, "record", "time-limit");
    assert_recorded(&house, &row, 2.5..4.0);
}

fn transmit() {
    let house = House::new(&robocall("{ dtmf = \"12#\" }", "stays"));
    house.wav("greeting.wav", &treacherous_audio(1));
    let (row, _) = live_through(&house, "-t 4 -a @greeting.wav");
    assert_dealt_with(&house, &row, "transmit", "time-limit");
    assert_not_recorded(&house, &row);
    assert_eq!(row.dtmf.as_deref(), Some("12#"));
    let transmitted = time_between(&house, "voice VTX begins", "voice ends");
    assert!((3.5..5.5).contains(&transmitted), "{transmitted} s");
}

fn duplex_on(house: &House) {
    house.wav("greeting.wav", &treacherous_audio(1));
    house.wav("data/play/one.wav", &[0x40; 4000]);
    house.wav("data/play/two.wav", &[0xC0; 4000]);
    let (row, log) = live_through(house, "-d 30 -s 1 -a @greeting.wav");
    assert_dealt_with(house, &row, "duplex", "caller-hung-up");
    assert_recorded(house, &row, 11.0..16.5);
    let played: Vec<_> = log
        .iter()
        .filter(|line| line.contains("playing file="))
        .map(|line| line.rsplit('/').next().unwrap())
        .collect();
    // Greeted at once; then, for 5 s of silence, one file after the other.
    assert_eq!(played[0], "greeting.wav");
    assert!(played.len() >= 3, "{played:?}");
    assert!(
        played[1..]
            .iter()
            .all(|name| ["one.wav", "two.wav"].contains(name)),
        "{played:?}"
    );
    assert!(
        played[1..].windows(2).all(|pair| pair[0] != pair[1]),
        "{played:?}"
    );
    assert!(house.journal().contains(&"voice VTR begins".to_owned()));
}

fn duplex() {
    duplex_on(&House::new(&robocall("{ silence = 5.5 }", "loop-break")));
}

fn duplex_in_small_pieces() {
    let scenario = robocall("{ silence = 5.5 }", "loop-break");
    duplex_on(&House::with_modem(&scenario, "--rx-chunk 7"));
}

fn caller_hangs_up() {
    let house = House::new(&robocall("", "busy"));
    let (row, _) = live_through(&house, "-r");
    assert_dealt_with(&house, &row, "record", "caller-hung-up");
    assert_recorded(&house, &row, 2.0..12.0);
}

fn emulated_device() {
    let house = House::without_modem();
    house.write("line.toml", robocall("", "stays").as_bytes());
    let flags = "--data-dir @data -b @block.csv --device emulated:@line.toml -r 3";
    let mut daemon = crate::process::Process::start(
        "the daemon",
        &mut house.command(flags),
        crate::process::Prints::Stderr,
    );
    daemon.wait_for("call over");
    daemon.wait_for_times(2, "armed on");
    daemon.stop();
    let row = house.row();
    assert_eq!(row.outcome.as_deref(), Some("time-limit"));
    assert_recorded(&house, &row, 2.5..4.0);
}

/// Seconds between the first happenings of two kinds.
fn time_between(house: &House, from: &str, to: &str) -> f64 {
    let lines = house.modem().lines();
    let at = |what: &str| -> f64 {
        let line = lines.iter().find(|line| line.ends_with(what)).expect(what);
        let (at, _) = line.trim_start().split_once(' ').unwrap();
        at.parse().unwrap()
    };
    at(to) - at(from)
}

#[test]
fn each_mode_deals_with_a_call() {
    at_once([
        ("hang up", hang_up),
        ("fax in class 1", fax_in_class_1),
        ("fax in class 2", fax_in_class_2),
        ("message", message),
        ("message of another kind", message_of_another_kind),
        ("tones before hanging up", tones_before_hanging_up),
        ("record", record),
        ("transmit", transmit),
        ("duplex", duplex),
        ("duplex in small pieces", duplex_in_small_pieces),
        ("the caller hangs up", caller_hangs_up),
        ("the emulated device", emulated_device),
    ]);
}
