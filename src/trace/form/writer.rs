//! Writing the text form.

use super::encoding::{escape, push_hex, to_base64};
use super::{Direction, Header, MAGIC, PortChange, Record, VERSION, What};
use std::fmt::Write as _;
use std::time::Duration;

/// The most bytes of a line of text, each of which may become four characters.
const TEXT_PIECE: usize = 128;
/// The most bytes of a device's name.
const LONGEST_DEVICE: usize = 96;
/// The most bytes of a line of base64: what a modem says in 48 ms.
const BASE64_PIECE: usize = 384;
/// The most bytes of a run; the reader takes no longer ones.
pub(super) const LONGEST_RUN: usize = 4096;
/// A shorter run is no gain.
const SHORTEST_RUN: usize = 16;
/// So few bytes are shown as text, whatever they are.
const ALWAYS_TEXT: usize = 32;

/// Appends the line that begins a trace.
pub fn write_header(header: &Header, out: &mut String) {
    let masked = if header.masked { "yes" } else { "no" };
    let word = |text: &str| text.replace(|c: char| !c.is_ascii_graphic(), "_");
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "{MAGIC} {VERSION} program={} started={} baud={} masked={masked} device=",
        word(&header.program),
        word(&header.started),
        header.baud,
    );
    escape(limited(header.device.as_bytes()), out);
    out.push('\n');
}

fn limited(text: &[u8]) -> &[u8] {
    &text[..text.len().min(LONGEST_DEVICE)]
}

/// Appends the lines of one record: several with the same time if it is long.
pub fn write_record(record: &Record, out: &mut String) {
    match &record.what {
        What::Port(change) => {
            write_time(record.at, out);
            out.push_str("-- ");
            write_change(*change, out);
            out.push('\n');
        }
        What::Bytes(direction, bytes) => {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                write_time(record.at, out);
                rest = write_piece(*direction, rest, out);
                out.push('\n');
            }
        }
    }
}

fn write_time(at: Duration, out: &mut String) {
    let _ = write!(out, "{}.{:06} ", at.as_secs(), at.subsec_micros());
}

fn write_change(change: PortChange, out: &mut String) {
    match change {
        PortChange::Missing(records) => {
            let _ = write!(out, "missing {records}");
        }
        change => {
            let word = PortChange::WORDS.iter().find(|(_, known)| *known == change);
            out.push_str(word.map_or("", |(word, _)| word));
        }
    }
}

/// Writes as much as one line holds and gives the rest.
fn write_piece<'a>(direction: Direction, bytes: &'a [u8], out: &mut String) -> &'a [u8] {
    let arrow = match direction {
        Direction::ToModem => '>',
        Direction::FromModem => '<',
    };
    out.push(arrow);
    let run = run_length(bytes);
    if run >= SHORTEST_RUN {
        let _ = write!(out, "r {run} ");
        push_hex(bytes[0], out);
        return &bytes[run..];
    }
    if bytes.len() <= ALWAYS_TEXT || is_text(bytes) {
        let (piece, rest) = bytes.split_at(bytes.len().min(TEXT_PIECE));
        out.push(arrow);
        out.push(' ');
        escape(piece, out);
        return rest;
    }
    let (piece, rest) = bytes.split_at(bytes.len().min(BASE64_PIECE));
    out.push_str("b ");
    to_base64(piece, out);
    rest
}

/// How often the first byte stands at the front.
fn run_length(bytes: &[u8]) -> usize {
    let bytes = &bytes[..bytes.len().min(LONGEST_RUN)];
    bytes.iter().take_while(|&byte| *byte == bytes[0]).count()
}

/// Whether most of it can be read by people.
fn is_text(bytes: &[u8]) -> bool {
    let readable = |byte: &&u8| matches!(byte, b'\r' | b'\n' | b' '..=b'~');
    bytes.iter().filter(readable).count() * 4 >= bytes.len() * 3
}
