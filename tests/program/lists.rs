//! Who is blocked and who rings, by the lists on the command line; the view of the Python tool.

use crate::at_once;
use crate::house::{FRIEND, House, ROBOCALLER};
use crate::process::Signal;
use rusqlite::Connection;

/// Gives up after a ring.
const FIRST_CALL: &str = r#"
    cadence = [1, 2]
    [[call]]
    at = 2
    delay = 0.5
    number = "2125550123"
    name = "SMITH JOHN"
    rings = 1
"#;

/// One after the other.
const THREE_MORE: &str = r#"
    [[call]]
    after = 1
    delay = 0.5
    number = "5055034455"
    rings = 1
    [[call]]
    after = 1
    delay = 0.5
    number = "2125550147"
    name = "V4231749020"
    rings = 1
    [[call]]
    after = 3
    delay = 0.5
    number = "P"
    name = "P"
    rings = 1
"#;

/// What the daemon thinks of so many callers, and what is in the log's view.
fn screened(house: &House, calls: usize, flags: &str) -> (Vec<String>, Vec<(String, String, i64)>) {
    let mut daemon = house.daemon(flags);
    daemon.wait_for_times(calls, "call over");
    daemon.stop();
    let rows = house.rows();
    let verdicts = rows.iter().map(|row| row.verdict.clone()).collect();
    for row in &rows {
        let (action, outcome) = match row.verdict.as_str() {
            "block" => ("hangup", "finished"),
            _ => ("none", "rings-stopped"),
        };
        assert_eq!(row.action, action, "{row:?}");
        assert_eq!(row.outcome.as_deref(), Some(outcome), "{row:?}");
        assert_eq!(row.picked_up.is_some(), row.verdict == "block", "{row:?}");
    }
    let log = Connection::open(house.path("data/callblock.db")).unwrap();
    let mut view = log
        .prepare("SELECT timestamp, number, name, blocked FROM call_log")
        .unwrap();
    let mut started = Vec::new();
    let view = view
        .query_map((), |row| {
            started.push(row.get::<_, i64>(0)?);
            let name: Option<String> = row.get(2)?;
            Ok((row.get(1)?, name.unwrap_or_default(), row.get(3)?))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let nanoseconds: Vec<i64> = rows.iter().map(|row| row.started.as_nanos()).collect();
    assert_eq!(started, nanoseconds);
    (verdicts, view)
}

fn both_lists_and_private() {
    let house = House::new(&(FIRST_CALL.to_owned() + THREE_MORE));
    let friends = format!("{FRIEND},\"Smith, John\"\r\n");
    house.write("allow.csv", friends.as_bytes());
    let everybody = format!("{FRIEND},\n{ROBOCALLER},\n");
    house.write("block.csv", everybody.as_bytes());
    let (verdicts, view) = screened(&house, 4, "-w @allow.csv -b @block.csv -p");
    assert_eq!(verdicts, ["ring", "ring", "block", "block"]);
    let entry = |number: &str, name: &str, blocked| (number.into(), name.into(), blocked);
    assert_eq!(
        view,
        [
            entry(FRIEND, "SMITH JOHN", 0),
            entry("5055034455", "", 0),
            entry(ROBOCALLER, "V4231749020", 1),
            entry("P", "P", 1),
        ]
    );
    assert_eq!(house.hook().len(), 4);
}

fn only_an_allow_list() {
    let house = House::new(&(FIRST_CALL.to_owned() + THREE_MORE));
    house.write("allow.csv", format!("{FRIEND},\n").as_bytes());
    let (verdicts, _) = screened(&house, 4, "--whitelist @allow.csv");
    assert_eq!(verdicts, ["ring", "block", "block", "block"]);
}

fn an_allow_list_of_bad_lines_only() {
    let house = House::new(FIRST_CALL);
    house.write("allow.csv", b",nobody\n");
    let (verdicts, _) = screened(&house, 1, "-w @allow.csv -p");
    assert_eq!(verdicts, ["ring"]);
}

/// A call without caller ID: `number` is NULL in the table and empty in the view.
fn no_caller_id() {
    let house = House::new("[[call]]\nat = 2\ncaller_id = \"never\"\nrings = 2\n");
    house.write("allow.csv", format!("{FRIEND},\n").as_bytes());
    let mut daemon = house.daemon("-w @allow.csv -p");
    daemon.wait_for("call over");
    daemon.stop();
    let row = house.row();
    assert_eq!((row.number, row.verdict.as_str()), (None, "block"));
    let log = Connection::open(house.path("data/callblock.db")).unwrap();
    let number: String = log
        .query_row("SELECT number FROM call_log", (), |row| row.get(0))
        .unwrap();
    assert_eq!(number, "");
}

/// Bad lines are named once, not at every reading of their file.
fn bad_lines_of_a_list_that_is_read_again() {
    let house = House::new("");
    house.write("block.csv", b",first\n5550101,\n");
    let mut daemon = house.daemon("-b @block.csv");
    daemon.wait_for("armed on");
    daemon.signal(Signal::HUP);
    daemon.wait_for_times(1, "the lists were read again");
    house.write("block.csv", b",first\n5550101,\n,second\n");
    daemon.signal(Signal::HUP);
    daemon.wait_for("block.csv:3: ");
    daemon.signal(Signal::HUP);
    daemon.wait_for_times(3, "the lists were read again");
    daemon.stop();
    assert_eq!(daemon.count("block.csv:1: "), 1, "{:?}", daemon.lines());
    assert_eq!(daemon.count("block.csv:3: "), 1, "{:?}", daemon.lines());
}

#[test]
fn callers_are_screened_by_the_lists() {
    at_once([
        ("both lists and -p", both_lists_and_private),
        ("only an allow list", only_an_allow_list),
        (
            "an allow list of bad lines only",
            an_allow_list_of_bad_lines_only,
        ),
        ("no caller ID", no_caller_id),
        ("bad lines", bad_lines_of_a_list_that_is_read_again),
    ]);
}
