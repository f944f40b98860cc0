//! The commands around lists, as they are run: what they print, change and exit with.

#![expect(
    clippy::unwrap_used,
    reason = "a test program: what is missing fails the test"
)]

use callblock::call::{ActionKind, CallRecord, VerdictClass};
use callblock::clock::Timestamp;
use callblock::screen::{Hits, List, Moment, Numbering, Policy, Reading, answer};
use callblock::service::control::{ControlSocket, Places};
use callblock::store::Store;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

const BLOCK: &str = "# mine\n5055550134,Example Solar\n+1900*,Premium,fax\nname:SPAM?*,Marked\n";

/// A folder with lists; `@` in a command line stands for it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("block.csv", BLOCK);
        desk.write("allow.csv", "# friends\n2125550123,Friend\n");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs a command; `_` stands for a blank inside a word.
    fn run(&self, line: &str) -> (i32, String, String) {
        self.run_in("UTC", line)
    }

    /// The same on a machine in this time zone.
    fn run_in(&self, zone: &str, line: &str) -> (i32, String, String) {
        let folder = format!("{}/", self.0.path().display());
        let words = line
            .split_whitespace()
            .map(|word| word.replace('_', " ").replace('@', &folder));
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(env!("CARGO_BIN_EXE_callblock"))
            .args(words)
            .env_remove("STATE_DIRECTORY")
            .env_remove("CACHE_DIRECTORY")
            .env("HOME", self.path("home"))
            .env("TZ", zone)
            // Whatever daemon runs on this machine is not asked.
            .env("RUNTIME_DIRECTORY", self.path("run"))
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// Runs a command that must end with this code, and returns what it printed.
    fn expect(&self, code: i32, line: &str) -> String {
        let (ended, stdout, stderr) = self.run(line);
        assert_eq!(ended, code, "{line}\n{stdout}{stderr}");
        if code >= 2 {
            assert!(stdout.is_empty(), "{line}: {stdout}");
            assert_eq!(stderr.lines().count(), 1, "{line}: {stderr}");
            return stderr;
        }
        stdout
    }

    fn json(&self, code: i32, line: &str) -> Value {
        serde_json::from_str(&self.expect(code, line)).unwrap()
    }

    /// A call log in the folder.
    fn log(&self, calls: &[(&str, Option<&str>, VerdictClass)]) {
        let store = Store::open(&self.path("callblock.db")).unwrap();
        for (number, name, verdict) in calls {
            let call = CallRecord {
                started: Timestamp::from_nanos(1_763_643_933_000_000_000),
                number: Some((*number).into()),
                normalised: None,
                name: name.map(Into::into),
                verdict: *verdict,
                reason: String::new(),
                source: None,
                action: ActionKind::None,
                picked_up: None,
                ended: None,
                outcome: None,
                recording: None,
                dtmf: String::new(),
                quality: None,
                trouble: None,
            };
            store.insert(&call).unwrap();
        }
    }

    /// Somebody who answers as the daemon does, with the block list of this folder.
    fn daemon(&self) {
        let reading = Reading {
            numbering: Numbering::new("US".parse().ok()),
            ..Reading::default()
        };
        let block = List::load_as(&reading, &[self.path("block.csv")]).list;
        let mut policy = Policy {
            numbering: reading.numbering,
            block: Some(block),
            ..Policy::default()
        };
        let places = Places {
            named: Some(self.path("run/control.sock")),
            ..Places::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut socket = runtime.block_on(ControlSocket::open(&places)).unwrap();
        std::thread::spawn(move || {
            let now = Moment {
                instant: Timestamp::from_nanos(0),
                local: callblock::screen::LocalTime {
                    date: "2027-01-31".parse().unwrap(),
                    minute: 0,
                },
            };
            runtime.block_on(async {
                while let Some(request) = socket.next().await {
                    let answer = answer::answer(&mut policy, &Hits::default(), &request.body, now);
                    // Whoever asked may have gone.
                    let _ = request.answer.send(answer.unwrap_or_default());
                }
            });
        });
    }
}

#[test]
fn check_says_why_and_exits_by_the_verdict() {
    let desk = Desk::new();
    let lists = "-b @block.csv -w @allow.csv --country US";
    let said = desk.expect(1, &format!("check +1_(505)_555-0134 {lists}"));
    assert!(
        said.starts_with("blocked: on the block list (Example Solar)\n"),
        "{said}"
    );
    assert!(
        said.contains("block.csv:2\n") && said.contains("default block action"),
        "{said}"
    );
    let said = desk.expect(0, &format!("check 12125550123 --name SPAM?_X {lists}"));
    assert!(
        said.starts_with("rings: on the allow list (Friend)\n"),
        "{said}"
    );
    assert!(
        said.contains("also     block list: name:SPAM?* (Marked)"),
        "{said}"
    );

    let told = desk.json(1, &format!("check 9005550134 --json {lists}"));
    let block = desk.path("block.csv").display().to_string();
    assert_eq!(told["verdict"], "block");
    assert_eq!(told["action"], "fax");
    assert_eq!(told["source"], format!("{block}:3"));
    assert_eq!(told["also"], json!([]));
    desk.expect(1, "check P -p");
    desk.expect(1, "check 2125550199 --at 23:00 --quiet-hours 22:00-07:00");
    desk.expect(
        0,
        "check 2125550199 --at 2027-01-31_12:00 --quiet-hours 22:00-07:00",
    );

    assert!(desk.expect(2, "check 1 -b @none.csv").contains("none.csv"));
    assert!(desk.expect(2, "check 1 -p --at noon").contains("23:30"));
    assert!(desk.expect(2, "check 1 --at noon").contains("23:30"));
    assert!(desk.expect(2, "check 1 --country US").contains("-b or -w"));
    desk.expect(2, "check");
    assert!(desk.expect(3, "check 5055550134").contains("no daemon"));
}

#[test]
fn numbers_are_read_as_in_the_country_of_the_machine_unless_a_flag_says_where() {
    let desk = Desk::new();
    desk.write("french.csv", "01 23 45 67 89\n");
    let line = "check +33123456789 -b @french.csv";
    for (zone, flags, code) in [
        ("Europe/Paris", "", 1),
        (":Europe/Paris", "", 1),
        ("UTC", "", 0),
        ("CET-1CEST", "", 0),
        ("Europe/Paris", " --timezone UTC", 0),
        ("America/New_York", " --timezone Europe/Paris", 1),
        ("America/New_York", " --country FR", 1),
        ("Europe/Paris", " --country US", 0),
    ] {
        let (ended, said, _) = desk.run_in(zone, &format!("{line}{flags}"));
        assert_eq!(ended, code, "{zone}{flags}: {said}");
    }
    let (_, said, _) = desk.run_in("Europe/Paris", "lists -b @french.csv");
    assert!(said.contains("as in FR"), "{said}");
    desk.run_in("Europe/Paris", "block +33_1_23_45_67_89 --list @french.csv");
    assert_eq!(desk.read("french.csv"), "01 23 45 67 89\n");
}

#[test]
fn what_if_counts_the_calls_that_would_change() {
    use VerdictClass::{Block, Ring};
    let desk = Desk::new();
    desk.log(&[
        ("15055550134", None, Ring),
        ("5055550134", Some("SOLAR"), Ring),
        ("5055550134", Some("SOLAR"), Ring),
        ("2125550123", None, Block),
        ("2125550199", None, Ring),
    ]);
    let line = "what-if -b @block.csv --country US --data-dir @";
    let said = desk.expect(0, line);
    assert!(
        said.starts_with("3 calls that rang would be blocked:\n  15055550134: on the"),
        "{said}"
    );
    assert!(
        said.contains("  5055550134 (SOLAR): on the block list (Example Solar)"),
        "{said}"
    );
    assert!(
        said.contains("; 2 calls, last 2025-11-20 13:05:33 UTC\n"),
        "{said}"
    );
    assert!(
        said.contains("1 call that was blocked would ring:\n  2125550123"),
        "{said}"
    );
    assert!(said.ends_with("5 calls in the log\n"), "{said}");
    let told = desk.json(0, &format!("{line} --json"));
    assert_eq!(told["would_block"][1]["calls"], 2);
    assert_eq!(told["would_ring"][0]["number"], "2125550123");
    assert_eq!(told["calls"], 5);

    desk.expect(2, "what-if --data-dir @");
    assert!(desk.expect(2, "what-if -p").contains("--data-dir"));
    assert!(!desk.path("home").exists());
}

#[test]
fn block_allow_and_remove_keep_the_rest_of_the_list() {
    let desk = Desk::new();
    let said = desk.expect(0, "block 2125550147 A,_B --list @block.csv");
    assert!(said.ends_with("block.csv:5\n"), "{said}");
    assert_eq!(
        desk.read("block.csv"),
        format!("{BLOCK}2125550147,\"A, B\"\n")
    );
    let said = desk.expect(0, "block +12125550147 --list @block.csv --country US");
    assert!(said.contains("already"), "{said}");
    desk.expect(0, "remove 212-555-0147 --list @block.csv");
    assert_eq!(desk.read("block.csv"), BLOCK);
    desk.expect(1, "remove 212-555-0147 --list @block.csv");
    desk.expect(0, "allow 2125550199 --list @new.csv");
    assert_eq!(desk.read("new.csv"), "2125550199,\n");

    desk.log(&[("2125550147", Some("A ROBOCALLER"), VerdictClass::Ring)]);
    desk.expect(0, "block --last --list @block.csv --data-dir @");
    assert_eq!(
        desk.read("block.csv"),
        format!("{BLOCK}2125550147,A ROBOCALLER\n")
    );
    desk.log(&[("P", Some("P"), VerdictClass::Ring)]);
    let said = desk.expect(2, "block --last --list @block.csv --data-dir @");
    assert!(said.contains("-p"), "{said}");
    desk.log(&[("ANONYMOUS X", None, VerdictClass::Ring)]);
    let said = desk.expect(2, "block --last --list @block.csv --data-dir @");
    assert!(
        said.contains("\"ANONYMOUS X\", which has no digits"),
        "{said}"
    );

    desk.expect(2, "block --list @block.csv");
    desk.expect(2, "block /(/ --list @block.csv");
    desk.write("contacts.vcf", "BEGIN:VCARD\nTEL:1\nEND:VCARD\n");
    desk.expect(2, "block 2125550147 --list @contacts.vcf");
    assert!(desk.expect(3, "block 2125550147").contains("--list FILE"));
    desk.expect(3, "remove 2125550147");
}

#[test]
fn a_caller_s_name_does_no_harm_to_the_list() {
    let desk = Desk::new();
    for (name, written) in [
        ("X #= ncidd", "X #= ncidd"),
        ("Who?     010110  X", "Who?     010110  X"),
        ("a\n*,all", "\"a *,all\""),
        ("A,hangup", "\"A,hangup\""),
        (" =cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("\u{1b}[2J", "[2J"),
    ] {
        desk.write("block.csv", BLOCK);
        desk.log(&[("2125550147", Some(name), VerdictClass::Ring)]);
        desk.expect(0, "block --last --list @block.csv --data-dir @");
        assert_eq!(
            desk.read("block.csv"),
            format!("{BLOCK}2125550147,{written}\n")
        );
        for (number, verdict, code) in [
            ("5055550134", "block", 1),
            ("2125550147", "block", 1),
            ("2125550123", "ring", 0),
        ] {
            let told = desk.json(code, &format!("check {number} -b @block.csv --json"));
            assert_eq!(told["verdict"], verdict, "{name:?} {number}");
        }
    }
}

#[test]
fn import_adds_what_is_new_and_says_what_it_could_not_use() {
    let desk = Desk::new();
    desk.write(
        "contacts.vcf",
        "BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nTEL:2125550101\nEND:VCARD\n",
    );
    desk.write("old.csv", "5055550134,Example Solar\n/(/,bad\n2125550102\n");
    let line = "import @contacts.vcf @old.csv --to @block.csv";
    let (code, stdout, stderr) = desk.run(line);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.starts_with("2 added to ") && stdout.contains("1 could not be used"),
        "{stdout}"
    );
    assert!(
        stderr.contains("old.csv:2: ") && stderr.contains("vCard contacts"),
        "{stderr}"
    );
    let imported = desk.read("block.csv");
    assert!(imported.starts_with(BLOCK), "{imported}");
    assert_eq!(&imported[BLOCK.len()..], "2125550101,Ann\n2125550102,\n");
    let (_, stdout, _) = desk.run(line);
    assert!(stdout.starts_with("0 added to "), "{stdout}");
    assert_eq!(desk.read("block.csv"), imported);
    desk.expect(2, "import @none.csv --to @block.csv");
    desk.expect(2, "import @old.csv --to @contacts.vcf");
}

#[test]
fn lists_named_are_counted_and_without_them_there_must_be_a_daemon() {
    let desk = Desk::new();
    let said = desk.expect(0, "lists -b @block.csv -w @allow.csv");
    assert!(said.contains("block.csv: 3 entries (CSV list)\n"), "{said}");
    let told = desk.json(0, "lists --json -b @block.csv");
    assert_eq!(told["files"][0]["entries"], 3);
    desk.expect(3, "lists");
    desk.expect(3, "permit --for 2h");
    desk.expect(2, "permit --for ever");
}

#[test]
fn a_daemon_answers_by_its_own_lists() {
    let desk = Desk::new();
    desk.daemon();
    let told = desk.json(1, "check 15055550134 --json");
    assert_eq!(told["reason"], "on the block list (Example Solar)");
    let said = desk.expect(0, "permit 505-555-0134 --for 2h");
    assert_eq!(
        said,
        "+15055550134 may ring until 1970-01-01 02:00:00 UTC\n"
    );
    let said = desk.expect(0, "check 5055550134");
    assert!(said.starts_with("rings: temporary permit"), "{said}");
    let (code, said, warned) = desk.run("block 5055550134");
    assert_eq!(code, 0, "{warned}");
    assert!(said.contains("already"), "{said}");
    assert!(
        warned.contains("rings all the same: temporary permit"),
        "{warned}"
    );
    let said = desk.expect(0, "lists");
    assert!(said.contains("never hit\n  +1900*"), "{said}");
    desk.expect(0, "block 2125550147");
    assert_eq!(desk.read("block.csv"), format!("{BLOCK}2125550147,\n"));
    desk.expect(0, "remove +12125550147");
    assert_eq!(desk.read("block.csv"), BLOCK);
    assert!(desk.expect(2, "allow 2125550147").contains("allow list"));
}
