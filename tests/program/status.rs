//! What `callblock status` tells, to whom, and by which exit code.

use crate::at_once;
use crate::house::{FRIEND, House, PROGRAM, until};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Output;

fn ask(house: &House, flags: &str) -> Output {
    let flags = format!("status --socket @control.sock {flags}");
    house.command(&flags).output().unwrap()
}

fn fields(house: &House) -> Value {
    serde_json::from_slice(&ask(house, "--json").stdout).unwrap()
}

fn words(house: &House) -> String {
    String::from_utf8(ask(house, "").stdout).unwrap()
}

fn no_daemon() {
    let house = House::without_modem();
    assert_eq!(ask(&house, "").status.code(), Some(3));
    assert_eq!(fields(&house)["state"], "no-daemon");
}

fn waiting() {
    let house = House::without_modem();
    let mut daemon = house.daemon("-b @block.csv --socket @control.sock");
    daemon.wait_for("waiting for the modem");
    until("it answers", || ask(&house, "").status.code() == Some(1));
    assert_eq!(fields(&house)["state"], "waiting");
    assert!(
        words(&house).starts_with("waiting for the modem: "),
        "{}",
        words(&house)
    );
    daemon.stop();
}

/// Armed; then a line that means nothing, and a call.
fn armed() {
    let house = House::new(&format!(
        r#"
        [[call]]
        at = 12
        delay = 0.5
        number = "{FRIEND}"
        rings = 2
        [[fault]]
        when = {{ at = 10 }}
        does = {{ line = "+STRANGE: 1" }}
        "#
    ));
    let flags = "-b @block.csv --socket @control.sock";
    let mut daemon = house.daemon(flags);
    daemon.wait_for("armed on");
    assert_eq!(ask(&house, "").status.code(), Some(0));
    let before = fields(&house);
    let mut names: Vec<&String> = before.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        ["device", "last_ring", "modem", "state", "unknown_lines"]
    );
    assert_eq!(
        (&before["state"], &before["last_ring"]),
        (&"armed".into(), &Value::Null)
    );
    let armed = format!(
        "armed on CX93001-EIS_V0.2002-V92 at {}",
        house.path("modem").display()
    );
    assert!(
        words(&house).starts_with(&format!("{armed}\n")),
        "{}",
        words(&house)
    );

    daemon.wait_for("call over");
    let after = fields(&house);
    assert!(after["last_ring"].as_i64() > Some(0), "{after}");
    let unknown = &after["unknown_lines"][0];
    assert_eq!(unknown["line"], "+STRANGE: 1", "{after}");
    assert!(unknown["at"].as_i64() > Some(0), "{after}");
    assert!(
        words(&house).starts_with(&format!("{armed}, last ring just now\n")),
        "{}",
        words(&house)
    );
    assert!(words(&house).contains("+STRANGE: 1"), "{}", words(&house));
    daemon.stop();

    // The next daemon remembers.
    let mut daemon = house.daemon(flags);
    daemon.wait_for("armed on");
    until("the call log was read", || {
        fields(&house)["last_ring"].is_i64()
    });
    assert!(words(&house).contains(", last ring "), "{}", words(&house));
    daemon.stop();
}

/// Needs root, who alone can become somebody else.
fn strangers_are_refused() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: not root");
    }
    let house = House::new("");
    let mut daemon = house.daemon("-b @block.csv --socket @control.sock");
    daemon.wait_for("armed on");
    // A folder and a program that everybody may use, so that only the socket can refuse.
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(house.path(""), everybody).unwrap();
    std::fs::copy(PROGRAM, house.path("callblock")).unwrap();
    let mut command = std::process::Command::new(house.path("callblock"));
    command
        .args(["status", "--socket"])
        .arg(house.path("control.sock"));
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    let refused = command.uid(65534).gid(65534).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(said.contains("ermission denied"), "{said}");
    daemon.stop();
}

#[test]
fn the_daemon_tells_how_it_is() {
    at_once([
        ("no daemon", no_daemon),
        ("waiting", waiting),
        ("armed", armed),
        ("strangers are refused", strangers_are_refused),
    ]);
}
