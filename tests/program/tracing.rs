//! Traces: written by the daemon and by `callblock trace`, and played back on a pseudo-terminal.

use crate::at_once;
use crate::house::{FRIEND, House, ROBOCALLER, until};
use crate::process::{Prints, Process, Signal};
use callblock::store::LoggedCall;
use callblock::trace::parse;
use std::os::unix::fs::PermissionsExt as _;

const RECORDED: &str = "-b @block.csv -r 20";

fn robocall() -> String {
    format!(
        r#"
        chip = "cx93001-2013"
        [[call]]
        at = 3
        delay = 0.5
        number = "{ROBOCALLER}"
        name = "V4231749020"
        says = [{{ silence = 0.2 }}, {{ wav = "said.wav" }}]
        ends = "busy"
        "#
    )
}

/// Lives through the one call.
fn live_through(house: &House, flags: &str) -> LoggedCall {
    let mut daemon = house.daemon(flags);
    daemon.wait_for("call over");
    daemon.wait_for_times(2, "armed on CX93001");
    daemon.stop();
    house.row()
}

fn traced_and_replayed() {
    let house = House::new(&robocall());
    let was = live_through(&house, &format!("{RECORDED} --trace @modem.trace"));
    let trace = std::fs::read(house.path("modem.trace")).unwrap();
    let mode = house.path("modem.trace").metadata().unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert_eq!(parse(&trace).unwrap().problems, []);
    let again = House::replaying(&trace);
    let is = live_through(&again, RECORDED);
    let told = |row: &LoggedCall| {
        [
            row.number.clone(),
            row.name.clone(),
            Some(row.verdict.clone()),
            Some(row.reason.clone()),
            Some(row.action.clone()),
            row.outcome.clone(),
            row.trouble.clone(),
        ]
    };
    assert_eq!(told(&is), told(&was));
    assert_eq!(is.outcome.as_deref(), Some("caller-hung-up"));
    // What the caller said is in the trace to the last sample.
    assert!(crate::house::contains(
        &again.recording(&is),
        &crate::house::treacherous_audio(2)
    ));
    assert!(again.commands().contains(&"AT+VRX".to_owned()));
}

fn traced_without_a_daemon() {
    let scenario =
        format!("[[call]]\nat = 2\nnumber = \"{FRIEND}\"\nname = \"A FRIEND\"\nrings = 2\n");
    let house = House::new(&scenario);
    let flags = "trace --out @modem.trace --device @modem --mask-numbers";
    let mut trace = Process::start("the trace", &mut house.command(flags), Prints::Stderr);
    trace.wait_for("armed on CX93001");
    let caller = trace.wait_for("caller ID");
    assert!(
        caller.contains(FRIEND) && caller.contains("A FRIEND"),
        "{caller}"
    );
    trace.wait_for_times(2, "ring");
    trace.signal(Signal::INT);
    assert_eq!(trace.exit().code(), Some(0));
    trace.wait_for("callblock emulate --replay");
    assert!(house.hook().is_empty(), "{:?}", house.hook());
    let text = std::fs::read_to_string(house.path("modem.trace")).unwrap();
    assert!(text.contains("NMBR = ") && !text.contains(FRIEND), "{text}");
    let read = parse(text.as_bytes()).unwrap();
    assert!(read.header.masked && read.problems.is_empty(), "{read:?}");
}

fn refused_while_the_daemon_has_the_port() {
    let house = House::new("");
    let mut daemon = house.daemon("-b @block.csv");
    daemon.wait_for("armed on");
    let mut trace = house.command("trace --out @modem.trace --device @modem");
    let output = trace.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("systemctl stop callblock"), "{stderr}");
    assert!(!house.path("modem.trace").exists());
    daemon.stop();
}

fn killed_and_readable() {
    let house = House::new(&robocall());
    let mut daemon = house.daemon(&format!("{RECORDED} --trace @modem.trace --trace-mask"));
    let written = || std::fs::read_to_string(house.path("modem.trace")).unwrap_or_default();
    until("the pick-up in the trace", || {
        written().contains(">> AT+VLS=1\\r")
    });
    daemon.signal(Signal::KILL);
    daemon.exit();
    let text = std::fs::read_to_string(house.path("modem.trace")).unwrap();
    let read = parse(text.as_bytes()).unwrap();
    assert!(read.problems.len() <= 1, "{:?}", read.problems);
    assert!(
        text.contains("\\x10R") && text.contains(">> AT+VLS=1\\r"),
        "{text}"
    );
    assert!(!text.contains(ROBOCALLER), "{text}");
}

#[test]
fn what_crosses_the_port_is_written_down_and_played_back() {
    at_once([
        ("traced and replayed", traced_and_replayed),
        ("traced without a daemon", traced_without_a_daemon),
        ("refused while busy", refused_while_the_daemon_has_the_port),
        ("killed", killed_and_readable),
    ]);
}
