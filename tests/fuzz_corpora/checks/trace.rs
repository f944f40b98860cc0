//! Traces: read, written again, masked, and played back as a modem.
//!
//! What was read of a file is written and read again as the same; masking changes no length, time or
//! direction, and does the same each time; and the modem made of it answers while time goes on and memory
//! is bounded.

use super::playing::play;
use callblock::trace::form::{LONGEST_LINE, write_header, write_record};
use callblock::trace::mask::Masker;
use callblock::trace::{Direction, Header, Mask, PortChange, Record, Replay, Trace, What, parse};
use std::time::{Duration, Instant};

/// The seed of the mask; any other would do.
const SEED: u64 = 0x5EED;
/// The longest name of a device that is written whole, in bytes.
const LONGEST_DEVICE: usize = 96;
/// What reading and playing may take: a line of 15 characters stands for up to 4 kB, and is kept twice.
const MOST_MEMORY: u64 = 32 << 20;
/// What is sent besides what the trace has.
const OTHERS: [&[u8]; 4] = [b"AT+VLS=1\r", b"AT+VTR\r", b"\x10^", b"ATH0\r"];

/// The bytes are a file.
pub(crate) fn check(bytes: &[u8]) {
    let trace = match parse(bytes) {
        Ok(trace) => trace,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control));
            return;
        }
    };
    for problem in &trace.problems {
        assert!(!problem.to_string().contains(char::is_control));
    }
    assert!(trace.records.is_sorted_by_key(|record| record.at));
    written_it_is_the_same(&trace);
    masked_it_has_the_same_form(&trace.records);
    let memory = allocation_counter::measure(|| play_back(trace));
    assert!(memory.bytes_max < MOST_MEMORY, "{} bytes", memory.bytes_max);
}

fn written(header: &Header, records: &[Record]) -> String {
    let mut text = String::new();
    write_header(header, &mut text);
    for record in records {
        write_record(record, &mut text);
    }
    text
}

fn written_it_is_the_same(trace: &Trace) {
    let text = written(&trace.header, &trace.records);
    // A header holds what our own program writes; others may have longer words.
    if text
        .lines()
        .next()
        .is_none_or(|header| header.len() > LONGEST_LINE)
    {
        return;
    }
    assert!(
        text.lines()
            .all(|line| line.len() <= LONGEST_LINE && line.is_ascii())
    );
    let Ok(again) = parse(text.as_bytes()) else {
        panic!("what was written is no trace: {text:?}");
    };
    assert!(again.problems.is_empty(), "{:?}", again.problems);
    assert_eq!(byte_by_byte(&again.records), byte_by_byte(&trace.records));
    if trace.header.device.len() <= LONGEST_DEVICE {
        assert_eq!(again.header.device, trace.header.device);
        assert_eq!(written(&again.header, &again.records), text);
    }
}

/// A byte, or something that happened to the port.
type Crossed = Result<(Direction, u8), PortChange>;

/// What crossed the port byte by byte: how it was cut into lines means nothing.
fn byte_by_byte(records: &[Record]) -> Vec<(Duration, Crossed)> {
    let mut flat = Vec::new();
    for record in records {
        match &record.what {
            What::Port(change) => flat.push((record.at, Err(*change))),
            What::Bytes(direction, bytes) => {
                flat.extend(
                    bytes
                        .iter()
                        .map(|&byte| (record.at, Ok((*direction, byte)))),
                );
            }
        }
    }
    flat
}

fn masked_it_has_the_same_form(records: &[Record]) {
    let masked = masked(records);
    let form = |records: &[Record]| -> Vec<_> {
        let form = |crossed: Crossed| crossed.map(|(direction, _)| direction);
        byte_by_byte(records)
            .into_iter()
            .map(|(at, crossed)| (at, form(crossed)))
            .collect()
    };
    assert_eq!(form(&masked), form(records));
    assert_eq!(masked, self::masked(records), "the mask changes");
}

fn masked(records: &[Record]) -> Vec<Record> {
    let mut masker = Masker::new(Mask::with_seed(SEED));
    let mut finished = Vec::new();
    for record in records {
        masker.mask(record.clone(), &mut finished);
    }
    masker.finish(&mut finished);
    finished
}

/// The host says what it said in the trace, and then something else.
fn play_back(trace: Trace) {
    let said: Vec<Vec<u8>> = trace
        .records
        .iter()
        .filter_map(|record| match &record.what {
            What::Bytes(Direction::ToModem, bytes) => Some(bytes.clone()),
            _ => None,
        })
        .collect();
    let start = Instant::now();
    let said = said.iter().map(Vec::as_slice).chain(OTHERS);
    play(&mut Replay::new(trace, start), start, true, said);
}
