//! JSON lists: those of callblocker (pamapa), and the blocklist of `PhoneBlock`.

use super::{Format, Row, Sink};
use crate::screen::list::Reading;
use crate::screen::numbering::Numbering;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
struct Document {
    /// callblocker.
    entries: Option<Vec<Element<Entry>>>,
    /// `PhoneBlock`.
    numbers: Option<Vec<Element<Reported>>>,
}

/// One element of a list: a wrong one does not cost the others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Element<T> {
    Good(T),
    Bad(IgnoredAny),
}

const BAD_ENTRY: &str = "an entry has not the fields, or the kinds of values, that are known here";

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    number: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
struct Reported {
    phone: String,
    #[serde(default)]
    votes: i64,
    #[serde(default)]
    rating: String,
}

/// Reads either of them.
pub(super) fn read(text: &[u8], reading: &Reading, sink: &mut dyn Sink) -> Format {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let document: Document = match serde_json::from_slice(text) {
        Ok(document) => document,
        Err(error) => {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            sink.bad(
                line,
                format!("this is not JSON of a kind known here: {error}").into(),
            );
            return Format::CallblockerJson;
        }
    };
    let count = |entries: Option<usize>| entries.unwrap_or_default();
    let entries = count(document.numbers.as_ref().map(Vec::len))
        + count(document.entries.as_ref().map(Vec::len));
    let mut lines = Lines::new(text, entries);
    let Some(numbers) = document.numbers else {
        if document.entries.is_none() {
            sink.bad(1, "neither \"entries\" nor \"numbers\" is in it".into());
        }
        for entry in document.entries.into_iter().flatten() {
            lines.next_entry();
            let Element::Good(entry) = entry else {
                sink.bad(lines.last(), BAD_ENTRY.into());
                continue;
            };
            callblocker(&entry, &mut lines, &reading.numbering, sink);
        }
        return Format::CallblockerJson;
    };
    let min = i64::from(reading.complaints.min);
    for reported in numbers {
        lines.next_entry();
        let Element::Good(reported) = reported else {
            sink.bad(lines.last(), BAD_ENTRY.into());
            continue;
        };
        let line = lines.of(&reported.phone);
        // No votes: the number is to be removed from a list that is kept up to date.
        if reported.votes < min || reported.rating == "A_LEGITIMATE" {
            sink.left_out();
        } else {
            let kind = reported.rating.split_once('_').map_or("", |(_, kind)| kind);
            let name = format!("{} votes {}", reported.votes, kind.to_lowercase());
            sink.row(line, Row::new(reported.phone, name));
        }
    }
    Format::PhoneBlockJson
}

/// Its numbers match callers that begin with them; names may have wildcards.
fn callblocker(entry: &Entry, lines: &mut Lines<'_>, numbering: &Numbering, sink: &mut dyn Sink) {
    let number = entry.number.trim();
    let name = if entry.name.is_empty() {
        &entry.comment
    } else {
        &entry.name
    };
    if number.is_empty() {
        let line = lines.of(name);
        if name.is_empty() {
            sink.bad(line, "this entry has neither number nor name".into());
        } else {
            sink.row(line, Row::new(format!("name:{name}"), ""));
        }
        return;
    }
    let line = lines.of(number);
    let is_whole = numbering.read(number).e164().is_some() || number.contains('*');
    let pattern = if is_whole {
        number.to_owned()
    } else {
        format!("{number}*")
    };
    sink.row(line, Row::new(pattern, name.as_str()));
}

/// Finds the lines of texts that come one after the other. Where entries share lines, as programs
/// write them, the number of the entry stands for its line: each must have one of its own.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    entry: u32,
    by_entry: bool,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8], entries: usize) -> Self {
        let breaks = text.split(|byte| *byte == b'\n').count();
        Self {
            text,
            at: 0,
            line: 1,
            entry: 0,
            by_entry: breaks < entries,
        }
    }

    fn next_entry(&mut self) {
        self.entry = self.entry.saturating_add(1);
    }

    /// The line of the last text that was found.
    fn last(&self) -> u32 {
        if self.by_entry { self.entry } else { self.line }
    }

    /// The line on which the text comes next; the line of the last one if it does not.
    fn of(&mut self, wanted: &str) -> u32 {
        if self.by_entry {
            return self.entry;
        }
        let rest = &self.text[self.at..];
        let found = rest
            .windows(wanted.len().max(1))
            .position(|window| window == wanted.as_bytes());
        if let Some(found) = found {
            let passed = &rest[..found];
            let breaks = passed.split(|byte| *byte == b'\n').count() - 1;
            self.line = self
                .line
                .saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
            self.at += found;
        } else {
            // Written with escapes: rather a wrong line than a search without end.
            self.at = self.text.len();
        }
        self.line
    }
}
