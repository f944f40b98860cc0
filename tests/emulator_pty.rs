//! The emulated modem on a real pseudo-terminal.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use callblock::emulator::{Call, PtyModem, PtyOptions, Scenario};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

fn open(node: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(node)
        .unwrap()
}

fn command(port: &mut File, line: &str) -> String {
    port.write_all(format!("{line}\r").as_bytes()).unwrap();
    read_until(port, b"OK\r\n")
}

fn read_until(port: &mut File, end: &[u8]) -> String {
    let mut all = Vec::new();
    while !all.ends_with(end) {
        let mut byte = [0];
        assert_eq!(port.read(&mut byte).unwrap(), 1);
        all.push(byte[0]);
    }
    String::from_utf8(all).unwrap()
}

#[test]
fn programs_come_and_go_and_the_modem_stays() {
    let modem = PtyModem::start(Scenario::default(), PtyOptions::default()).unwrap();
    let node = modem.node().unwrap();
    for program in 0..3 {
        let mut port = open(&node);
        let echo = if program == 0 { "ATE0\r" } else { "" };
        assert_eq!(command(&mut port, "ATE0"), format!("{echo}\r\nOK\r\n"));
    }
    let mut port = open(&node);
    // Raw: neither XON, XOFF, ^C nor DEL mean anything to the terminal.
    command(&mut port, "AT+FCLASS=8;+VLS=1");
    port.write_all(b"AT+VTX\r").unwrap();
    read_until(&mut port, b"CONNECT\r\n");
    let message: Vec<u8> = (0..=255).filter(|byte| *byte != 0x10).collect();
    port.write_all(&message).unwrap();
    port.write_all(b"\x10\x03").unwrap();
    read_until(&mut port, b"\r\nOK\r\n");
    assert_eq!(modem.journal().heard()[0].samples, message);
    drop(modem);
    // The node is gone, whether open or not.
    assert!(!matches!(port.read(&mut [0; 8]), Ok(1..)));
    assert!(OpenOptions::new().read(true).open(&node).is_err());
}

#[test]
fn unplugged_and_back_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("modem");
    let options = PtyOptions {
        link: Some(link.clone()),
        longest_write: Some(3),
        seed: 1,
    };
    let modem = PtyModem::start(Scenario::default(), options).unwrap();
    let first = modem.node().unwrap();
    assert_eq!(std::fs::read_link(&link).unwrap(), first);
    let mut port = open(&link);
    command(&mut port, "ATE0");
    modem.with(|modem, now| {
        modem.unplug(now);
        modem.plug(now, true);
    });
    // EIO or the end of the file: gone either way.
    assert!(!matches!(port.read(&mut [0; 8]), Ok(1..)));
    let second = loop {
        match modem.node() {
            Some(node) if node != first => break node,
            _ => std::thread::yield_now(),
        }
    };
    assert_eq!(std::fs::read_link(&link).unwrap(), second);
    let mut port = open(&link);
    assert_eq!(command(&mut port, "ATE0"), "ATE0\r\r\nOK\r\n");
    modem.with(|modem, now| modem.call_now(now, Call::from("1").rings(1)));
    assert_eq!(read_until(&mut port, b"RING\r\n"), "\r\nRING\r\n");
    drop(modem);
    assert!(!link.exists());
}

#[test]
fn a_file_in_the_place_of_the_link_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("precious");
    std::fs::write(&link, "keep me").unwrap();
    let options = PtyOptions {
        link: Some(link.clone()),
        ..PtyOptions::default()
    };
    assert!(PtyModem::start(Scenario::default(), options).is_err());
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "keep me");
}

#[test]
fn every_example_scenario_can_be_loaded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/scenarios");
    let mut loaded = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let scenario = Scenario::load(&path).unwrap();
            assert!(!scenario.calls.is_empty(), "{}", path.display());
            loaded += 1;
        }
    }
    assert!(loaded >= 11);
}

#[test]
fn errors_name_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    let wav = "[[call]]\nsays = [{ wav = \"none.wav\" }]\n";
    for (text, place, word) in [
        (
            "chip = \"usr5637\"\n\n[[call]]\nrungs = 3\n",
            ":4: ",
            "rungs",
        ),
        ("[[call]]\nat = -1\n", ":2: ", "-1"),
        ("[[call]]\nat = 1\nafter = 2\n", ": ", "`at` and `after`"),
        (
            "[[fault]]\nwhen = { at = 1 }\ndoes = \"nonsense\"\n",
            ":3: ",
            "nonsense",
        ),
        (wav, ": ", "none.wav"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Scenario::load(&path).unwrap_err().to_string();
        let expected = format!("{}{place}", path.display());
        assert!(
            error.starts_with(&expected) && error.contains(word),
            "{error}"
        );
    }
    assert!(Scenario::load(&folder.path().join("absent.toml")).is_err());
    assert_eq!(
        Scenario::default().shortest_answer,
        Duration::from_millis(500)
    );
}
