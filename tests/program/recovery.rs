//! What a killed process and a pulled plug leave behind, and that the next call is dealt with.

use crate::at_once;
use crate::house::{House, ROBOCALLER, SECOND_ROBOCALLER, read_wav, seconds, until};
use crate::process::Signal;
use std::time::{Duration, Instant};

/// The first robocaller never hangs up; the second calls 4 s after the line is free again.
fn two_robocalls() -> String {
    format!(
        r#"
        chip = "cx93001-2013"
        [[call]]
        at = 2
        delay = 0.5
        number = "{ROBOCALLER}"
        says = [{{ speech = 60 }}]
        ends = "stays"
        [[call]]
        after = 4
        delay = 0.5
        number = "{SECOND_ROBOCALLER}"
        says = [{{ speech = 2 }}]
        ends = "busy"
        "#
    )
}

/// How long the first call lasts before the process is killed.
const TALK: Duration = Duration::from_secs(4);

fn killed_in(flag: &str, voice_state: &str) {
    let house = House::new(&two_robocalls());
    let flags = format!("-b @block.csv {flag}");
    let mut daemon = house.daemon(&flags);
    house.modem().wait_for(&format!("{voice_state} begins"));
    std::thread::sleep(TALK);
    daemon.signal(Signal::KILL);
    assert_eq!(daemon.exit().code(), None);

    assert_eq!(house.row().outcome, None);
    let records = voice_state != "VTX";
    let before_repair = house.recordings();
    assert_eq!(before_repair.len(), usize::from(records));
    for file in &before_repair {
        // At most the last second is lost. (Half a second more for a busy machine.)
        let recorded = seconds(&read_wav(file));
        assert!(recorded > TALK.as_secs_f64() - 1.5, "{recorded} s");
    }
    assert_eq!(
        house.hook(),
        ["off-hook"],
        "the modem knows nothing of all this"
    );
    let happened = house.journal().len();

    let mut next = house.daemon(&flags);
    next.wait_for("call over");
    next.wait_for_times(2, "armed on");
    next.stop();
    let rows = house.rows();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(rows[0].outcome.as_deref(), Some("interrupted"));
    assert!(rows[0].ended > rows[0].picked_up);
    assert_eq!(rows[0].recording.is_some(), records);
    assert_eq!(rows[1].number.as_deref(), Some(SECOND_ROBOCALLER));
    assert_eq!(rows[1].outcome.as_deref(), Some("caller-hung-up"));
    assert_eq!(house.hook(), ["off-hook", "on-hook", "off-hook", "on-hook"]);
    if records {
        assert!(seconds(&house.recording(&rows[0])) > TALK.as_secs_f64() - 1.5);
        assert!(seconds(&house.recording(&rows[1])) > 1.5);
    }
    // The line was free before the modem was asked anything else.
    let journal = &house.journal()[happened..];
    let on_hook = journal.iter().position(|what| what == "on-hook").unwrap();
    let identified = journal.iter().position(|what| what == r#"command "ATI0""#);
    assert!(Some(on_hook) < identified, "{journal:#?}");
}

fn killed_while_ringing() {
    let house = House::new(&format!(
        r#"
        [[call]]
        at = 2
        delay = 0.5
        number = "5055034455"
        rings = 1
        [[call]]
        after = 1
        delay = 0.5
        number = "{ROBOCALLER}"
        ends = "stays"
        "#
    ));
    let mut daemon = house.daemon("-b @block.csv");
    daemon.wait_for("verdict=ring");
    until("the row is there", || house.rows().len() == 1);
    daemon.signal(Signal::KILL);
    daemon.exit();
    let mut next = house.daemon("-b @block.csv");
    next.wait_for("call over");
    next.stop();
    let outcomes: Vec<_> = house.rows().iter().map(|row| row.outcome.clone()).collect();
    assert_eq!(
        outcomes,
        [Some("interrupted".to_owned()), Some("finished".to_owned())]
    );
}

fn unplugged() {
    let house = House::new(&format!(
        r#"
        chip = "cx93001-2013"
        [[call]]
        at = 2
        delay = 0.5
        number = "{ROBOCALLER}"
        says = [{{ speech = 60 }}]
        [[call]]
        at = 20
        delay = 0.5
        number = "{SECOND_ROBOCALLER}"
        says = [{{ speech = 2 }}]
        ends = "busy"
        [[fault]]
        when = {{ after_pick_up = 8 }}
        does = {{ unplug = {{ back_after = 2, other_node = true }} }}
        "#
    ));
    let node = std::fs::read_link(house.path("modem")).unwrap();
    let mut daemon = house.daemon("-b @block.csv -r");
    daemon.wait_for_times(2, "call over");
    daemon.wait_for_times(3, "armed on");
    daemon.stop();
    assert_ne!(std::fs::read_link(house.path("modem")).unwrap(), node);
    let rows = house.rows();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(rows[0].outcome.as_deref(), Some("port-lost"));
    assert!(rows[0].ended > rows[0].picked_up);
    let recorded = seconds(&house.recording(&rows[0]));
    assert!((7.0..9.0).contains(&recorded), "{recorded} s");
    assert_eq!(rows[1].outcome.as_deref(), Some("caller-hung-up"));
    assert!(seconds(&house.recording(&rows[1])) > 1.5);

    let log = daemon.lines();
    let at = |n: usize, text: &str| {
        let mut lines = log.iter().enumerate().filter(|(_, l)| l.contains(text));
        lines.nth(n).expect("is there").0
    };
    let incident = &log[at(0, "picked up")..at(1, " call call=")];
    assert!(incident.len() < 20, "{incident:#?}");
    assert!(
        incident
            .iter()
            .any(|line| line.contains("the modem is lost"))
    );
}

/// Pulled out while nobody calls, under the same name.
fn unplugged_when_idle() {
    let house = House::new(&format!(
        r#"
        [[call]]
        at = 11
        delay = 0.5
        number = "{ROBOCALLER}"
        ends = "stays"
        [[fault]]
        when = {{ at = 2 }}
        does = {{ unplug = {{ back_after = 2 }} }}
        "#
    ));
    let mut daemon = house.daemon("-b @block.csv");
    daemon.wait_for("call over");
    daemon.wait_for_times(3, "armed on");
    daemon.stop();
    assert_eq!(house.row().outcome.as_deref(), Some("finished"));
    let log = daemon.lines();
    assert!(log.len() < 20, "{log:#?}");
}

fn killed_off_hook() {
    let house = House::new(&two_robocalls());
    let flags = "-b @block.csv --hangup-delay 60";
    let mut daemon = house.daemon(flags);
    daemon.wait_for("picked up");
    let picked_up = Instant::now();
    daemon.signal(Signal::KILL);
    daemon.exit();
    let next = house.daemon(flags);
    house.modem().wait_for("on-hook");
    assert!(picked_up.elapsed() < Duration::from_secs(50));
    next.wait_for("armed on");
    assert_eq!(house.hook(), ["off-hook", "on-hook"]);
}

#[test]
fn nothing_keeps_the_next_call_from_being_screened() {
    at_once([
        ("killed while recording", || killed_in("-r 30", "VRX")),
        ("killed while transmitting", || killed_in("-t 30", "VTX")),
        ("killed in duplex", || killed_in("-d 30", "VTR")),
        ("killed off-hook", killed_off_hook),
        ("killed while ringing", killed_while_ringing),
        ("unplugged in a call", unplugged),
        ("unplugged when idle", unplugged_when_idle),
    ]);
}
