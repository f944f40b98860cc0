//! Callers who choose their number and name to do harm: to files, the log, and the database.

use crate::house::{House, allow_list};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Ending, Scenario};
use std::time::Duration;

const NUMBERS: [&str; 7] = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "555'); DROP TABLE calls; --",
    "\u{1b}]0;owned\u{7}\u{1b}[2J",
    "=cmd|' /C calc'!A0",
    "%s%n$(reboot)`reboot`",
];

const NAMES: [&str; 3] = [
    "Robert'); DROP TABLE calls;--",
    "\u{1b}[2J\u{0}\u{8}\u{9b}0m",
    "\"quoted\", and, commas\t=1+1",
];

#[tokio::test(start_paused = true)]
async fn no_number_or_name_leaves_its_place() {
    let long = "9".repeat(5000);
    let numbers: Vec<&str> = NUMBERS.into_iter().chain([long.as_str()]).collect();
    let long_name = "N".repeat(5000);
    let names: Vec<&str> = NAMES.into_iter().chain([long_name.as_str()]).collect();
    let callers: Vec<(&str, &str)> = numbers
        .iter()
        .flat_map(|number| names.iter().map(|name| (*number, *name)))
        .collect();
    let scenario = callers.iter().enumerate().fold(
        Scenario::default(),
        |scenario, (index, (number, name))| {
            let call = Call::from(*number)
                .named(name)
                .at(Duration::from_secs(20 + 60 * index as u64))
                .ends(Ending::Busy);
            scenario.call(call)
        },
    );
    let evening = House::new(scenario)
        .policy(allow_list("# nobody rings\n"))
        .action(BlockAction::Record {
            limit: Duration::from_secs(2),
        })
        .watched(20 + 60 * callers.len() as u64)
        .live()
        .await;

    // The database is whole, every call has its row, and no text is long or steers a terminal.
    assert_eq!(evening.rows.len(), callers.len(), "{:#?}", evening.rows);
    for row in &evening.rows {
        assert_eq!(row.verdict, "block", "{row:?}");
        for text in [&row.number, &row.normalised, &row.name]
            .into_iter()
            .flatten()
        {
            assert!(
                text.chars().count() <= 128,
                "{} characters",
                text.chars().count()
            );
            assert!(!text.contains(char::is_control), "{text:?}");
        }
    }
    let injected = |row: &&callblock::store::LoggedCall| row.name.as_deref() == Some(NAMES[0]);
    assert_eq!(evening.rows.iter().filter(injected).count(), numbers.len());

    // No file but ours, no name but of harmless characters, none too long.
    let mut inside: Vec<_> = std::fs::read_dir(evening.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    inside.sort();
    assert_eq!(inside, ["callblock.db", "play", "rec"]);
    let mut recordings = 0;
    for entry in std::fs::read_dir(evening.dir.path().join("rec")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let harmless = |c: char| c.is_ascii_alphanumeric() || "+-_ .()".contains(c);
        assert!(name.chars().all(harmless) && !name.contains(".."), "{name}");
        assert!(name.len() < 128, "{name}");
        recordings += 1;
    }
    let with_file = evening
        .rows
        .iter()
        .filter(|row| row.recording.is_some())
        .count();
    assert_eq!(recordings, with_file);
    assert_eq!(recordings, callers.len());
}

#[tokio::test(start_paused = true)]
async fn a_megabyte_of_name_costs_that_caller_his_name_at_most() {
    let call = |at| Call::from("2125550199").at(Duration::from_secs(at));
    let scenario = Scenario::default()
        .call(call(20).named(&"N".repeat(1_000_000)).rings(3))
        .call(call(600).named("SHORT").ends(Ending::Busy));
    let evening = House::new(scenario)
        .policy(allow_list("# nobody rings\n"))
        .watched(660)
        .live()
        .await;
    let last = evening.rows.last().unwrap();
    assert_eq!(last.name.as_deref(), Some("SHORT"), "{:#?}", evening.rows);
    assert_eq!(last.verdict, "block");
    let longest = evening
        .rows
        .iter()
        .filter_map(|row| row.name.as_ref())
        .map(String::len)
        .max();
    assert!(longest <= Some(128));
}
