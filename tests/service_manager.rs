//! What is said to the service manager, over a socket as it would offer one, and the files in
//! `systemd/` as its own tools judge them.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use callblock::modem::serial::KNOWN_MODEMS;
use callblock::service::log::{self, LogOptions};
use callblock::service::notify::ServiceManager;
use std::ffi::OsStr;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// Tells this binary, started once more, to speak instead of to test. (The environment of a running
/// program cannot be changed safely, so it takes a second one.)
const SPEAKING_PART: &str = "CALLBLOCK_TEST_SPEAKING_PART";

#[test]
#[ignore = "is a part of the other tests, which start it"]
fn speak() {
    if std::env::var_os(SPEAKING_PART).is_none() {
        return;
    }
    log::init(&LogOptions::default()).expect("logging is set up");
    let manager = ServiceManager::new();
    println!("watchdog: {:?}", manager.watchdog_interval());
    manager.ready("armed on /dev/ttyACM0");
    manager.status("call from \x1b[2J\nREADY=0");
    manager.watchdog();
    manager.stopping();
}

fn speak_with(environment: &[(&str, &OsStr)]) -> Output {
    let output = Command::new(std::env::current_exe().expect("has a path"))
        .args(["--exact", "speak", "--ignored", "--nocapture"])
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("WATCHDOG_PID")
        .env_remove("JOURNAL_STREAM")
        .env(SPEAKING_PART, "1")
        .envs(environment.iter().copied())
        .output()
        .expect("runs");
    assert!(output.status.success(), "{output:?}");
    output
}

fn watchdog_interval(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = text.split_once("watchdog: ").expect("the interval");
    rest.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_service_manager_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("bound");
    let output = speak_with(&[
        ("NOTIFY_SOCKET", path.as_os_str()),
        ("WATCHDOG_USEC", OsStr::new("30000000")),
    ]);
    assert_eq!(
        watchdog_interval(&output),
        format!("{:?}", Some(Duration::from_secs(30)))
    );
    assert!(output.stderr.is_empty(), "{output:?}");

    // Everything was sent before the program ended.
    socket.set_nonblocking(true).expect("set");
    let mut buffer = [0; 4096];
    let messages: Vec<String> = std::iter::from_fn(|| {
        socket
            .recv(&mut buffer)
            .ok()
            .map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned())
    })
    .collect();
    assert_eq!(
        messages,
        [
            "READY=1\nSTATUS=armed on /dev/ttyACM0\n",
            "STATUS=call from  [2J READY=0\n",
            "WATCHDOG=1\n",
            "STOPPING=1\n",
        ]
    );
}

#[test]
fn without_a_service_manager_nothing_is_said() {
    let output = speak_with(&[]);
    assert_eq!(watchdog_interval(&output), "None");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_watchdog_of_another_process_is_not_ours() {
    let output = speak_with(&[
        ("WATCHDOG_USEC", OsStr::new("30000000")),
        ("WATCHDOG_PID", OsStr::new("1")),
    ]);
    assert_eq!(watchdog_interval(&output), "None");
}

#[test]
fn a_service_manager_that_is_gone_is_mentioned_once() {
    let output = speak_with(&[("NOTIFY_SOCKET", OsStr::new("/nonexistent/notify"))]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(
        log.contains("WARN the service manager cannot be reached"),
        "{log}"
    );
}

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("systemd")
        .join(name);
    std::fs::read_to_string(path).expect("readable")
}

/// What a tool of systemd says to a shipped unit, the program in it being the one just built; `None`
/// with a message if it cannot be asked.
fn analyze(arguments: &[&str]) -> Option<Output> {
    let folder = tempfile::tempdir().expect("a folder");
    let unit = shipped("callblock.service")
        .replace("/usr/local/bin/callblock", env!("CARGO_BIN_EXE_callblock"));
    assert!(unit.contains(env!("CARGO_BIN_EXE_callblock")));
    let path = folder.path().join("callblock.service");
    std::fs::write(&path, unit).expect("written");
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(&path)
        .output();
    let obstacle = match &output {
        Err(_) => "there is no systemd-analyze",
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("unrecognized option") => {
            "systemd-analyze is too old"
        }
        Ok(_) => return output.ok(),
    };
    eprintln!("skipped: {obstacle}");
    None
}

#[test]
fn the_unit_is_valid() {
    let Some(output) = analyze(&["verify", "--man=no"]) else {
        return;
    };
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    // An unknown setting is only a warning.
    assert!(!complaints.contains("callblock.service"), "{complaints}");
}

#[test]
fn the_unit_exposes_little() {
    // At most 1.0 of 10.
    let Some(output) = analyze(&["security", "--offline=true", "--threshold=10", "--no-pager"])
    else {
        return;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn the_service_is_restarted_whatever_happens_and_does_not_hang_on_its_modem() {
    let unit = shipped("callblock.service");
    for setting in [
        "Type=notify",
        "Restart=always",
        "RestartSec=5",
        "StartLimitIntervalSec=0",
        "StateDirectory=callblock",
        "CacheDirectory=callblock",
        "RuntimeDirectory=callblock",
        "SupplementaryGroups=dialout",
        // To reset the port of a modem that is hung.
        "DeviceAllow=char-usb_device rw",
    ] {
        assert!(unit.lines().any(|line| line == setting), "{setting}");
    }
    assert!(!unit.contains("BindsTo="));
}

#[test]
fn the_udev_rules_give_every_known_modem_and_its_usb_node_to_the_group() {
    let rules = shipped("60-callblock.rules");
    for (vendor, product) in KNOWN_MODEMS {
        let (vendor, product) = (format!("{vendor:04x}"), format!("{product:04x}"));
        let names_it = |line: &str| {
            line.contains("idVendor") && line.contains(&vendor) && line.contains(&product)
        };
        assert!(rules.lines().any(names_it), "{vendor}:{product}");
    }
    let usb_node = r#"SUBSYSTEM=="usb", GROUP="dialout", MODE="0660""#;
    assert!(rules.lines().any(|line| line == usb_node));
}

#[test]
fn the_udev_rules_are_valid() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/60-callblock.rules");
    let output = Command::new("udevadm").arg("verify").arg(&rules).output();
    match output {
        Err(_) => eprintln!("skipped: there is no udevadm"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if said.contains("Unknown command") {
                eprintln!("skipped: udevadm is too old to verify rules");
            } else {
                assert!(output.status.success(), "{said}");
            }
        }
    }
}
