//! SIGTERM and SIGINT, at any moment.

use crate::at_once;
use crate::house::{FRIEND, House, ROBOCALLER, read_wav, seconds, until};
use crate::process::{Process, Signal};
use std::time::Instant;

fn call_from(number: &str, more: &str) -> String {
    format!(
        r#"
        chip = "cx93001-2013"
        [[call]]
        at = 2
        delay = 0.5
        number = "{number}"
        says = [{{ speech = 60 }}]
        {more}
        "#
    )
}

/// It must take 2 s at most; a machine that is busy with other tests gets some more.
fn expect_exit_soon(daemon: &mut Process, signal: Signal) {
    let told = Instant::now();
    daemon.signal(signal);
    assert_eq!(daemon.exit().code(), Some(0));
    let took = told.elapsed().as_secs_f64();
    assert!(took < 5.0, "took {took} s");
    assert_eq!(daemon.count(": stopping"), 1);
}

fn stopped_when_idle(signal: Signal) {
    let house = House::new(r#"chip = "cx93001-2013""#);
    let mut daemon = house.daemon("-b @block.csv -r");
    daemon.wait_for("armed on");
    expect_exit_soon(&mut daemon, signal);
    assert!(house.rows().is_empty());
    assert!(house.hook().is_empty());
    assert_eq!(house.commands().last().unwrap(), "ATH0");
}

fn stopped_when_ringing(signal: Signal) {
    let house = House::new(&call_from(FRIEND, ""));
    let mut daemon = house.daemon("-b @block.csv -r");
    daemon.wait_for("verdict=ring");
    expect_exit_soon(&mut daemon, signal);
    let row = house.row();
    assert_eq!(row.outcome.as_deref(), Some("stopped"));
    assert_eq!(
        (row.verdict.as_str(), row.action.as_str()),
        ("ring", "none")
    );
    assert!(row.ended > Some(row.started));
    assert!(house.hook().is_empty());
}

fn stopped_in(flags: &str, voice_state: &str, signal: Signal) {
    let house = House::new(&call_from(ROBOCALLER, ""));
    let mut daemon = house.daemon(&format!("-b @block.csv {flags}"));
    house.modem().wait_for(&format!("{voice_state} begins"));
    let records = voice_state != "VTX";
    if records {
        // The file of about the first second is there.
        until("something is recorded", || {
            let files = std::fs::read_dir(house.path("data/rec"));
            files.is_ok_and(|mut files| {
                files.any(|file| file.unwrap().metadata().unwrap().len() > 4000)
            })
        });
    }
    expect_exit_soon(&mut daemon, signal);
    let row = house.row();
    assert_eq!(row.outcome.as_deref(), Some("stopped"));
    assert!(row.ended > row.picked_up && row.picked_up > Some(row.started));
    assert_eq!(row.trouble, None);
    assert_eq!(house.hook(), ["off-hook", "on-hook"]);
    assert_eq!(row.recording.is_some(), records);
    for file in house.recordings() {
        let samples = read_wav(&file);
        assert!(seconds(&samples) > 0.4, "{}", seconds(&samples));
        // Closed: the header counts all there is.
        let length = file.metadata().unwrap().len();
        assert!(length - samples.len() as u64 <= 45, "{length} bytes");
    }
}

/// The modem has stopped answering in the middle of a call: the process still ends in time.
fn stopped_although_the_modem_is_wedged() {
    let wedge = r#"
        [[fault]]
        when = { after_pick_up = 1 }
        does = "wedge"
    "#;
    let house = House::new(&(call_from(ROBOCALLER, "") + wedge));
    let mut daemon = house.daemon("-b @block.csv -d");
    house.modem().wait_for("fault: ");
    expect_exit_soon(&mut daemon, Signal::TERM);
    assert_eq!(house.row().outcome.as_deref(), Some("stopped"));
    read_wav(&house.recordings()[0]);
}

fn stopped_without_a_modem() {
    let house = House::without_modem();
    let mut daemon = house.daemon("-b @block.csv");
    daemon.wait_for("waiting for the modem");
    expect_exit_soon(&mut daemon, Signal::TERM);
    assert!(house.rows().is_empty());
}

/// The modem does not answer while it is being set up.
fn stopped_while_setting_up() {
    let house = House::new(
        r#"
        [[fault]]
        when = { command = "E0" }
        does = "wedge"
        "#,
    );
    let mut daemon = house.daemon("-b @block.csv");
    house.modem().wait_for("fault: ");
    expect_exit_soon(&mut daemon, Signal::INT);
}

#[test]
fn a_signal_ends_everything_in_order() {
    at_once([
        ("SIGTERM when idle", || stopped_when_idle(Signal::TERM)),
        ("SIGINT when idle", || stopped_when_idle(Signal::INT)),
        ("SIGTERM when ringing", || {
            stopped_when_ringing(Signal::TERM);
        }),
        ("SIGINT when ringing", || stopped_when_ringing(Signal::INT)),
        ("SIGTERM when recording", || {
            stopped_in("-r", "VRX", Signal::TERM);
        }),
        ("SIGINT when recording", || {
            stopped_in("-r", "VRX", Signal::INT);
        }),
        ("SIGTERM when transmitting", || {
            stopped_in("-t", "VTX", Signal::TERM);
        }),
        ("SIGINT in duplex", || stopped_in("-d", "VTR", Signal::INT)),
        ("wedged modem", stopped_although_the_modem_is_wedged),
        ("without a modem", stopped_without_a_modem),
        ("while setting up", stopped_while_setting_up),
    ]);
}
