//! Lists of callers, in any format and of any bytes.
//!
//! A list that was converted into one of ours and read again decides the same about the same callers.
//! A number that is added to a list is found on it, one that is removed is not, and the rest of the list
//! stays as it was. What is said about bad lines is bounded and can be printed.

use super::choice;
use callblock::call::VerdictClass;
use callblock::clock::Timestamp;
use callblock::screen::{
    Caller, Complaints, Date, EditError, List, ListAction, LocalTime, Moment, Numbering, Policy,
    Reading, Side, add_entry, convert_lists, remove_entry,
};
use std::collections::BTreeSet;

/// Callers that are asked about besides those that the list names.
const STRANGERS: [(&str, &str); 5] = [
    ("5055550134", "A STRANGER"),
    ("P", "P"),
    ("O", "UNAVAILABLE"),
    ("+442079460123", "V123"),
    ("", ""),
];
/// The most numbers and names of the list that are asked about.
const MOST_CALLERS: usize = 24;
/// The most bad lines that are named.
const MOST_PROBLEMS: usize = 100;
/// What a list may take beside a multiple of its own size: the tables of one set of expressions.
const MOST_MEMORY: u64 = 64 << 20;

/// The first byte chooses the country and the side; the rest is a file.
pub(crate) fn check(mut input: &[u8]) {
    let variant = choice(&mut input);
    let countries = [
        None,
        "US".parse().ok(),
        "DE".parse().ok(),
        "IT".parse().ok(),
    ];
    let reading = Reading {
        numbering: Numbering::new(countries[usize::from(variant & 3)]),
        side: if variant & 4 == 0 {
            Side::Block
        } else {
            Side::Allow
        },
        complaints: Complaints {
            today: noon().map(|noon| noon.local.date),
            ..Complaints::default()
        },
    };
    let Some((folder, file)) = on_disk(input) else {
        return;
    };
    let mut loaded = None;
    let memory = allocation_counter::measure(|| {
        loaded = Some(List::load_as(&reading, &[&file]));
    });
    assert!(memory.bytes_max < MOST_MEMORY, "{} bytes", memory.bytes_max);
    let Some(loaded) = loaded else { return };
    assert!(loaded.problems.len() <= MOST_PROBLEMS.min(loaded.bad_lines));
    for problem in &loaded.problems {
        let what = &problem.what;
        assert!(
            what.len() < 2000 && !what.contains(char::is_control),
            "{what:?}"
        );
    }
    let converted = convert_lists(&reading, &[&file], &folder.path().join("again.csv"));
    // What could not be converted is told, and is not in the new list.
    let told = converted.problems.len() > loaded.bad_lines;
    if loaded.errors.is_empty() && converted.errors.is_empty() && !told {
        let again = List::parse_as(
            &reading,
            &folder.path().join("again.csv"),
            converted.text.as_bytes(),
        );
        assert!(again.problems.is_empty(), "{:?}", again.problems);
        same_decisions(&reading, input, loaded.list, again.list);
    }
    edits(&reading, input);
}

/// The list in a file, in a folder of its own.
fn on_disk(list: &[u8]) -> Option<(tempfile::TempDir, std::path::PathBuf)> {
    let folder = tempfile::tempdir().ok()?;
    let file = folder.path().join("list.csv");
    std::fs::write(&file, list).ok()?;
    Some((folder, file))
}

fn noon() -> Option<Moment> {
    Some(Moment {
        instant: Timestamp::from_nanos(0),
        local: LocalTime {
            date: Date::new(2026, 11, 20)?,
            minute: 720,
        },
    })
}

fn same_decisions(reading: &Reading, text: &[u8], list: List, again: List) {
    let policy = |list| Policy {
        numbering: reading.numbering.clone(),
        block: Some(list),
        ..Policy::default()
    };
    let (before, after) = (policy(list), policy(again));
    for (number, name) in callers(text) {
        let decided = decision(&before, &number, &name);
        assert_eq!(
            decided,
            decision(&after, &number, &name),
            "{number:?} {name:?}"
        );
    }
}

fn decision(
    policy: &Policy,
    number: &str,
    name: &str,
) -> Option<(VerdictClass, Option<ListAction>)> {
    let caller = Caller::from_line_in(&policy.numbering, Some(number), Some(name));
    let verdict = policy.screen(&caller, noon()?);
    Some((verdict.class, verdict.action))
}

/// Numbers and names that stand in the list, each with the other, and some that may not.
fn callers(text: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(text);
    let numbers: BTreeSet<&str> = text
        .split(|c: char| !c.is_ascii_digit() && !"+-() ".contains(c))
        .filter(|number| !number.trim().is_empty())
        .take(MOST_CALLERS)
        .collect();
    let names: BTreeSet<&str> = text
        .split([',', '\n', '"', ':', '*', '/', '=', ';'])
        .filter(|name| !name.trim().is_empty())
        .take(MOST_CALLERS)
        .collect();
    let listed = numbers
        .iter()
        .map(|number| (*number, "A NAME"))
        .chain(names.iter().map(|name| ("5055550134", *name)))
        .chain(names.iter().map(|name| (*name, *name)));
    listed
        .chain(STRANGERS)
        .map(|(number, name)| (number.to_owned(), name.to_owned()))
        .collect()
}

/// The first line as a pattern and the second as a name, put on the rest and taken off again.
fn edits(reading: &Reading, input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (pattern, name, list) = (part(), part(), part());
    let pattern = String::from_utf8_lossy(pattern);
    let name = String::from_utf8_lossy(name);
    let numbering = &reading.numbering;
    let added = match add_entry(list, numbering, &pattern, &name, &[]) {
        Ok(added) => added,
        Err(error @ (EditError::NotOurs(_) | EditError::BadPattern(_))) => {
            assert!(!error.to_string().contains(char::is_control), "{error}");
            return;
        }
    };
    assert!(added.text.starts_with(list), "what was there is changed");
    assert_eq!(added.changed, added.text != list);
    assert_eq!(added.lines.len(), 1);
    let lines = |text: &[u8]| text.split(|byte| *byte == b'\n').count();
    assert!(
        lines(&added.text) <= lines(list) + 2,
        "more than one line is added"
    );

    let bad_lines = |text: &[u8]| List::parse_as(reading, "list.csv".as_ref(), text).bad_lines;
    assert_eq!(
        bad_lines(&added.text),
        bad_lines(list),
        "the new line is a bad one"
    );

    let removed = remove_entry(&added.text, numbering, &pattern);
    let Ok(removed) = removed else {
        panic!("the list became one of another kind: {removed:?}");
    };
    assert!(
        removed.lines.contains(&added.lines[0]),
        "what was added is not found"
    );
    let again = remove_entry(&removed.text, numbering, &pattern);
    assert!(
        again.is_ok_and(|again| !again.changed),
        "what was removed is still there"
    );
}
