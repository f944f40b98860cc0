//! A modem that is not there yet, and what the service manager is told meanwhile.

use crate::at_once;
use crate::house::{House, ROBOCALLER};
use crate::process::{PATIENCE, Prints, Process, Signal};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::termios::ioctl_tiocexcl;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

fn scenario() -> String {
    format!(
        r#"
        [[call]]
        at = 8
        delay = 0.5
        number = "{ROBOCALLER}"
        ends = "stays"
        "#
    )
}

/// The service manager's end of `$NOTIFY_SOCKET`.
struct Manager(UnixDatagram);

impl Manager {
    fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn hears(&self) -> String {
        let mut message = [0; 4096];
        let length = self.0.recv(&mut message).expect("a message");
        String::from_utf8_lossy(&message[..length]).into_owned()
    }

    fn is_told_nothing_more(&self) {
        self.0.set_nonblocking(true).unwrap();
        assert!(self.0.recv(&mut [0; 4096]).is_err());
    }
}

fn managed(house: &House, flags: &str) -> (Manager, Process) {
    let socket = house.path("notify");
    let manager = Manager::at(&socket);
    let flags = format!("--device @modem --data-dir @data {flags}");
    let mut command = house.command(&flags);
    command.env("NOTIFY_SOCKET", &socket);
    let daemon = Process::start("the daemon", &mut command, Prints::Stderr);
    (manager, daemon)
}

/// `$NOTIFY_SOCKET`: ready when armed, and once.
fn modem_is_there() {
    let house = House::new("");
    let (manager, mut daemon) = managed(&house, "-b @block.csv");
    let status = format!(
        "armed on CX93001-EIS_V0.2002-V92 at {}",
        house.path("modem").display()
    );
    assert_eq!(manager.hears(), format!("READY=1\nSTATUS={status}\n"));
    daemon.signal(Signal::TERM);
    assert_eq!(manager.hears(), "STOPPING=1\n");
    assert_eq!(daemon.exit().code(), Some(0));
    manager.is_told_nothing_more();
}

/// What the user should know stands in the status.
fn nothing_is_blocked() {
    let house = House::new("");
    let (manager, daemon) = managed(&house, "");
    let ready = manager.hears();
    assert!(ready.starts_with("READY=1\nSTATUS=armed on "), "{ready}");
    assert!(ready.contains("nothing will be blocked"), "{ready}");
    assert_eq!(daemon.count("nothing will be blocked"), 1);
}

fn modem_comes_later() {
    let mut house = House::without_modem();
    let (manager, mut daemon) = managed(&house, "-b @block.csv");
    let ready = manager.hears();
    assert!(
        ready.starts_with("READY=1\nSTATUS=waiting for the modem: "),
        "{ready}"
    );
    assert!(ready.contains("is not there"), "{ready}");
    house.plug_in(&scenario(), "");
    let armed = manager.hears();
    assert!(armed.starts_with("STATUS=armed on "), "{armed}");
    daemon.wait_for("call over");
    daemon.wait_for_times(2, "armed on");
    daemon.stop();
    assert_eq!(house.row().outcome.as_deref(), Some("finished"));
    assert_eq!(daemon.count("waiting for the modem"), 1, "said once");
}

fn another_program_has_it() {
    let house = House::new(&scenario().replace("at = 8", "at = 12"));
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let node = rustix::fs::open(house.path("modem"), flags, Mode::empty()).unwrap();
    ioctl_tiocexcl(&node).unwrap();
    flock(&node, FlockOperation::LockExclusive).unwrap();
    let mut daemon = house.daemon("-b @block.csv");
    daemon.wait_for("is in use by another program");
    assert!(house.commands().is_empty());
    drop(node);
    daemon.wait_for("armed on");
    daemon.wait_for("call over");
    daemon.stop();
    assert_eq!(house.row().outcome.as_deref(), Some("finished"));
    assert_eq!(daemon.count("waiting for the modem"), 1, "said once");
}

/// A second daemon on the same modem waits, and takes over when the first one is gone.
fn another_daemon_has_it() {
    let house = House::new("");
    let mut first = house.daemon("-b @block.csv");
    first.wait_for("armed on");
    let mut second = house.daemon("-b @block.csv");
    second.wait_for("is in use by another program");
    first.signal(Signal::KILL);
    first.exit();
    second.wait_for("armed on");
    second.stop();
}

#[test]
fn a_modem_is_waited_for() {
    at_once([
        ("the modem is there", modem_is_there),
        ("nothing is blocked", nothing_is_blocked),
        ("the modem comes later", modem_comes_later),
        ("another program has it", another_program_has_it),
        ("another daemon has it", another_daemon_has_it),
    ]);
}
