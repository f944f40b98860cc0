//! Caller ID in all its forms, up to the caller that lists are asked about.
//!
//! Whatever came, number and name of the caller are short and can be printed; a raw message whose sum
//! is right is never called damaged by it, and is found again within `MESG`; one with a bit wrong is
//! never believed.

use super::{MUCH_LATER, choice};
use callblock::modem::caller_id::{CallerId, CallerIdReader, Completed, LineWas};
use callblock::modem::raw_caller_id::{RawError, RawMessage, parse_line, parse_parameter};
use callblock::screen::{Caller, Numbering};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// The longest number and name of a caller, in characters.
const LONGEST_NUMBER: usize = 64;
const LONGEST_NAME: usize = 128;
/// The longest text of a raw message, which says its length in a byte.
const LONGEST_TEXT: usize = 255;

/// The first byte chooses the form: lines as they are, lines with little time between them, hex, or
/// the contents of a raw message of each type, to which length and check byte are added.
pub(crate) fn check(mut input: &[u8]) {
    match choice(&mut input) {
        kind @ (0x04 | 0x06 | 0x80 | 0x82) => raw_message(kind, input),
        b'h' => text(&hex(input)),
        b'p' => text(&format!("MESG = {}", hex(input))),
        _ => text(
            &input
                .iter()
                .map(|&byte| char::from(byte))
                .collect::<String>(),
        ),
    }
}

/// Lines, one every so often: sometimes a block is complete, sometimes it is cut in two.
fn text(text: &str) {
    let mut now = Instant::now();
    let mut reader = CallerIdReader::default();
    let read_line = |reader: &mut CallerIdReader, line: &str, now| {
        // As the wire delivers them: a byte is a character.
        let bytes: Vec<u8> = line.chars().map(|c| c as u8).collect();
        match reader.line(&bytes, now) {
            LineWas::Part(completed) => completed,
            LineWas::SomethingElse | LineWas::Damaged(_) => None,
        }
    };
    for line in text.split(['\r', '\n']) {
        // Without these two calls, what is below would be tried less.
        let _ = parse_line(line);
        let _ = parse_parameter(line);
        let (pause, line) = line.strip_prefix('~').map_or((0, line), |line| (400, line));
        now += Duration::from_millis(pause);
        if let Some(deadline) = reader.deadline().filter(|deadline| *deadline <= now) {
            holds(reader.quiet(deadline));
        }
        holds(read_line(&mut reader, line, now));
    }
    holds(reader.quiet(now + MUCH_LATER));
    assert_eq!(reader.deadline(), None, "a block is never complete");

    now += 2 * MUCH_LATER;
    let next = ["NMBR = 5055550101", "NAME = THE NEXT CALLER"]
        .map(|line| read_line(&mut reader, line, now));
    let [
        None,
        Some(Completed::Call {
            id,
            revision: false,
        }),
    ] = next
    else {
        panic!("the next call is announced as {next:?}");
    };
    assert_eq!(id.number.as_deref(), Some("5055550101"));
    assert_eq!(id.name.as_deref(), Some("THE NEXT CALLER"));
}

fn raw_message(kind: u8, contents: &[u8]) {
    let contents = &contents[..contents.len().min(LONGEST_TEXT)];
    let mut message = vec![kind, contents.len() as u8];
    message.extend(contents);
    let sum = message
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    message.push(sum.wrapping_neg());
    let line = hex(&message);
    let parsed = parse_line(&line);
    assert_ne!(parsed, Some(Err(RawError::Checksum)));
    assert_eq!(parse_line(&line.to_ascii_lowercase()), parsed);
    if let Some(Ok(RawMessage::Call(id))) = &parsed {
        holds_for_call(id);
    }
    text(&line);
    text(&format!("MESG = {line}"));

    // Not in the length: with another one, one message in 256 adds up.
    let bit = usize::from(contents.last().copied().unwrap_or(0)) % (8 * (message.len() - 2));
    message[2 + bit / 8] ^= 1 << (bit % 8);
    let damaged = parse_line(&hex(&message));
    assert!(!matches!(damaged, Some(Ok(_))), "{damaged:?} is believed");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

fn holds(completed: Option<Completed>) {
    match completed {
        Some(Completed::Call { id, .. }) => holds_for_call(&id),
        Some(Completed::MessageWaiting(_)) | None => {}
    }
}

fn holds_for_call(id: &CallerId) {
    for text in [&id.date, &id.time, &id.number, &id.name]
        .into_iter()
        .flatten()
    {
        assert!(
            (1..=LONGEST_TEXT).contains(&text.chars().count()),
            "{text:?}"
        );
    }
    for country in [None, "US".parse().ok(), "DE".parse().ok()] {
        let numbering = Numbering::new(country);
        let caller = Caller::from_line_in(&numbering, id.number.as_deref(), id.name.as_deref());
        let number = caller.number.as_received().unwrap_or_default();
        let name = caller.name.as_deref().unwrap_or_default();
        assert!(number.chars().count() <= LONGEST_NUMBER, "{number:?}");
        assert!(name.chars().count() <= LONGEST_NAME, "{name:?}");
        for text in [
            number,
            name,
            caller.number.normalised().as_deref().unwrap_or_default(),
        ] {
            assert!(!text.contains(char::is_control), "{text:?}");
        }
    }
}
