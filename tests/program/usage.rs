//! Wrong command lines: one line that says what is wrong, exit code 2, and nothing created.

use crate::house::House;
use std::process::Output;

/// What is wrong, the command line, and a word that the complaint must contain.
const WRONG: &[(&str, &str, &str)] = &[
    ("missing block list", "-b @none.csv", "none.csv"),
    ("missing allow list", "-w @none.csv", "none.csv"),
    ("country that is none", "--country Mars", "two letters"),
    ("missing WAV", "-m -a @none.wav", "none.wav"),
    ("ADPCM WAV", "-m -a @adpcm.wav", "ADPCM"),
    ("no WAV at all", "-d -a @block.csv", "sox"),
    ("WAV without sound", "-t -a @empty.wav", "empty.wav"),
    ("WAV that is cut off", "-t -a @cut.wav", "cut.wav"),
    ("file as device", "--device @block.csv", "serial port"),
    ("device that is no tty", "--device /dev/null", "serial port"),
    ("folder as device", "--device @folder", "serial port"),
    ("seconds that are none", "-r soon", "seconds"),
    ("no seconds", "-d 0", "seconds"),
    ("negative seconds", "-t=-5", "seconds"),
    ("seconds beyond number", "-r nan", "seconds"),
    ("infinite silence", "-d -s inf", "seconds"),
    ("very long hold", "--hangup-delay 61", "seconds"),
    ("-m without -a", "-m", "-a"),
    ("two actions", "-f -m -a @said.wav", "cannot be used with"),
    ("two other actions", "-r 5 -d 5", "cannot be used with"),
    (
        "unknown time zone",
        "--timezone Mars/Olympus",
        "Mars/Olympus",
    ),
    ("unknown flag", "--no-such-flag", "--no-such-flag"),
    ("unknown command", "observe", "observe"),
    ("flag without value", "--device", "--device"),
    ("bad country", "--gci XYZ", "hexadecimal"),
    ("bad command", "--init AT\u{7}", "--init"),
    (
        "missing scenario",
        "--device emulated:@none.toml",
        "none.toml",
    ),
    (
        "malformed scenario",
        "--device emulated:@bad.toml",
        "bad.toml:2",
    ),
    ("no scenario", "--device emulated:", "scenario"),
    ("trace in no folder", "--trace @none/x", "none/x"),
    ("trace over a list", "--trace @block.csv", "is no trace"),
    ("trace in a folder", "--trace @folder", "folder"),
    ("mask without a trace", "--trace-mask", "--trace"),
    (
        "log file in no folder",
        "--logfile @none/x.log",
        "none/x.log",
    ),
];

/// The same for the subcommands, and for `--data-dir` itself.
const WRONG_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("emulate without scenario", "emulate", "SCENARIO.toml"),
    (
        "emulate missing scenario",
        "emulate @none.toml",
        "none.toml",
    ),
    (
        "emulate malformed scenario",
        "emulate @bad.toml",
        "bad.toml:2",
    ),
    ("emulate garbage", "emulate @stereo.wav", "stereo.wav"),
    (
        "emulate unknown chip",
        "emulate --chip zx81 @good.toml",
        "zx81",
    ),
    ("replay nothing", "emulate --replay @none", "none"),
    (
        "replay a list",
        "emulate --replay @block.csv",
        "is no trace",
    ),
    (
        "replay a scenario, too",
        "emulate --replay @block.csv @good.toml",
        "cannot be used with",
    ),
    ("trace to nowhere", "trace", "--out"),
    (
        "trace over a list",
        "trace --out @block.csv --device @none",
        "is no trace",
    ),
    (
        "trace of a file",
        "trace --out @new --device @block.csv",
        "serial port",
    ),
    ("file as data folder", "--data-dir @block.csv", "block.csv"),
    (
        "data folder in a file",
        "--data-dir @block.csv/data",
        "block.csv",
    ),
    (
        "file as data folder of the demo",
        "demo --data-dir @block.csv",
        "block.csv",
    ),
    (
        "data folder that cannot be made",
        "-b @block.csv --data-dir /proc/callblock",
        "--data-dir DIR",
    ),
    (
        "a trace without a data folder",
        "-b @block.csv --trace @new.trace --logfile @new.log --data-dir /proc/callblock",
        "--data-dir DIR",
    ),
    (
        "a data folder that cannot be made, and no list",
        "--data-dir /proc/callblock",
        "--data-dir DIR",
    ),
    (
        "a trace without a log",
        "--data-dir @data --trace @new.trace --logfile @none/x.log",
        "none/x.log",
    ),
    ("listen to nothing", "listen @none.wav", "none.wav"),
    ("listen to a list", "listen @block.csv", "block.csv"),
    (
        "listen in no country",
        "listen --country Mars @said.wav",
        "two letters",
    ),
    ("demo with daemon flags", "demo -b @block.csv", "-b"),
];

fn machine() -> House {
    let house = House::without_modem();
    house.wav("empty.wav", &[]);
    let mut stereo = std::fs::read(house.path("said.wav")).unwrap();
    stereo[22] = 2;
    house.write("stereo.wav", &stereo);
    let mut adpcm = std::fs::read(house.path("said.wav")).unwrap();
    adpcm[20] = 2;
    house.write("adpcm.wav", &adpcm);
    house.write("cut.wav", b"RIFF\x10\0\0\0WAVEfmt ");
    house.write("bad.toml", b"[[call]]\nringings = 3\n");
    house.write("good.toml", b"");
    std::fs::create_dir(house.path("folder")).unwrap();
    house
}

fn listing(house: &House) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(house.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn complaint(name: &str, output: &Output, about: &str) -> Option<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let is_right = output.status.code() == Some(2)
        && output.stdout.is_empty()
        && stderr.lines().count() == 1
        && stderr.ends_with('\n')
        && stderr.starts_with("callblock: ")
        && stderr.contains(about);
    (!is_right).then(|| format!("{name}: {:?} {stderr}", output.status.code()))
}

#[test]
fn a_wrong_command_line_is_refused_in_one_line() {
    let house = machine();
    let before = listing(&house);
    let daemon = WRONG
        .iter()
        .map(|(name, flags, about)| (name, format!("--data-dir @data {flags}"), about));
    let elsewhere = WRONG_ELSEWHERE
        .iter()
        .map(|(name, flags, about)| (name, (*flags).to_owned(), about));
    let mut wrong = Vec::new();
    for (name, flags, about) in daemon.chain(elsewhere) {
        let output = house.command(&flags).output().unwrap();
        wrong.extend(complaint(name, &output, about));
        if listing(&house) != before {
            wrong.push(format!("{name}: created {:?}", listing(&house)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn help_and_version_are_printed() {
    let house = House::without_modem();
    for flag in [
        "-h",
        "--help",
        "-V",
        "--version",
        "demo --help",
        "emulate -h",
        "trace --help",
    ] {
        let output = house.command(flag).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{flag}");
        assert!(output.stderr.is_empty(), "{flag}");
        assert!(output.stdout.len() > 10, "{flag}");
    }
    assert!(!house.path("home").exists());
}

/// Nobody reads what is printed: no panic, no complaint.
#[test]
fn a_closed_pipe_is_no_error() {
    let house = House::without_modem();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = house.command("--help").stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_recording_is_listened_to() {
    let house = House::without_modem();
    // Two seconds that are no tone, then the North American busy tone.
    let mut line = crate::house::treacherous_audio(2);
    line.extend((0..48_000_u32).map(|index| {
        let tone = |hertz: f64| (std::f64::consts::TAU * hertz * f64::from(index) / 8000.0).sin();
        let on = index % 8000 < 4000;
        let value = if on {
            20.0 * (tone(480.0) + tone(620.0))
        } else {
            0.0
        };
        (128.0 + value).round() as u8
    }));
    house.wav("busy.wav", &line);
    for flags in [
        "listen @busy.wav --json",
        "listen --country us --json @busy.wav",
    ] {
        let output = house.command(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{flags}");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let end = lines.iter().find(|line| line["event"] == "end of call");
        assert_eq!(end.unwrap()["reason"], "busy tone", "{text}");
        assert_eq!(lines.last().unwrap()["event"], "quality");
    }
    let output = house.command("listen @busy.wav").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("END OF CALL: busy tone"), "{text}");
}
