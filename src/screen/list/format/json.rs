//! JSON lists: those of callblocker (pamapa), and the blocklist of `PhoneBlock`.
//!
//! An entry is read by itself, from the piece of the file that it is: so it has its own name and line,
//! however many entries share that line, and a wrong one does not cost the others.

use super::{Format, Row, Sink, decode};
use crate::screen::list::Reading;
use crate::screen::numbering::Numbering;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Document<'a> {
    /// callblocker.
    #[serde(borrow)]
    entries: Option<Vec<&'a RawValue>>,
    /// `PhoneBlock`.
    #[serde(borrow)]
    numbers: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    number: Option<&'a RawValue>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
struct Reported<'a> {
    #[serde(borrow)]
    phone: &'a RawValue,
    #[serde(default)]
    votes: i64,
    #[serde(default)]
    rating: String,
}

/// The line and the row of an entry; `None` if it is left out on purpose.
type Taken = Result<Option<(u32, Row<'static>)>, &'static str>;

const BAD_ENTRY: &str = "has not the fields, or the kinds of values, that are known here";

/// Reads either of them.
pub(super) fn read(text: &[u8], reading: &Reading, sink: &mut dyn Sink) -> Format {
    let strict = decode(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
    let lenient;
    let read = serde_json::from_str(&strict).map(|document: Document<'_>| (&*strict, document));
    let read = match read {
        Ok(read) => Ok(read),
        // What is wrong with it as it stands is what counts.
        Err(error) => {
            lenient = without_idle_commas(&strict);
            let document = serde_json::from_str(&lenient);
            document.map_or(Err(error), |document| Ok((&*lenient, document)))
        }
    };
    let (text, document) = match read {
        Ok(read) => read,
        Err(error) => {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            sink.bad(
                line,
                format!("this is not JSON of a kind known here: {error}").into(),
            );
            return Format::CallblockerJson;
        }
    };
    let (format, entries) = match (document.numbers, document.entries) {
        (Some(numbers), _) => (Format::PhoneBlockJson, numbers),
        (None, Some(entries)) => (Format::CallblockerJson, entries),
        (None, None) => {
            sink.bad(1, "neither \"entries\" nor \"numbers\" is in it".into());
            return Format::CallblockerJson;
        }
    };
    sink.share_lines();
    let min = i64::from(reading.complaints.min);
    let mut lines = Lines::new(text);
    for (entry, number) in entries.into_iter().zip(1_usize..) {
        let line = lines.of(entry);
        let taken = match format {
            Format::PhoneBlockJson => phone_block(entry, min, &mut lines),
            _ => callblocker(entry, &reading.numbering, &mut lines),
        };
        match taken {
            Ok(Some((line, row))) => sink.row(line, row),
            Ok(None) => sink.left_out(),
            Err(what) => sink.bad(line, format!("entry {number} {what}").into()),
        }
    }
    format
}

fn phone_block(entry: &RawValue, min: i64, lines: &mut Lines<'_>) -> Taken {
    let reported: Reported<'_> = fields(entry)?;
    let phone: String = fields(reported.phone)?;
    // No votes: the number is to be removed from a list that is kept up to date.
    if reported.votes < min || reported.rating == "A_LEGITIMATE" {
        return Ok(None);
    }
    let kind = reported.rating.split_once('_').map_or("", |(_, kind)| kind);
    let name = format!("{} votes {}", reported.votes, kind.to_lowercase());
    Ok(Some((lines.of(reported.phone), Row::new(phone, name))))
}

/// Its numbers match callers that begin with them; names may have wildcards.
fn callblocker(entry: &RawValue, numbering: &Numbering, lines: &mut Lines<'_>) -> Taken {
    let begin = lines.of(entry);
    let entry: Entry<'_> = fields(entry)?;
    let (line, number) = match entry.number {
        Some(number) => (lines.of(number), fields::<String>(number)?),
        None => (begin, String::new()),
    };
    let number = number.trim();
    let name = if entry.name.is_empty() {
        entry.comment
    } else {
        entry.name
    };
    let is_whole = || numbering.read(number).e164().is_some() || number.contains('*');
    Ok(Some(match (number, name.as_str()) {
        ("", "") => return Err("has neither number nor name"),
        ("", name) => (begin, Row::new(format!("name:{name}"), "")),
        _ if is_whole() => (line, Row::new(number.to_owned(), name)),
        _ => (line, Row::new(format!("{number}*"), name)),
    }))
}

fn fields<'a, T: Deserialize<'a>>(value: &'a RawValue) -> Result<T, &'static str> {
    serde_json::from_str(value.get()).map_err(|_| BAD_ENTRY)
}

/// The text with a blank for each comma behind which nothing comes: callblocker and people leave one
/// behind the last entry.
fn without_idle_commas(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    // The last comma, as long as only blanks are behind it.
    let mut comma = None;
    for c in text.chars() {
        match c {
            ']' | '}' if !quoted => {
                if let Some(at) = comma {
                    result.replace_range(at..=at, " ");
                }
            }
            ',' if !quoted => comma = Some(result.len()),
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        if c != ',' && !c.is_ascii_whitespace() {
            comma = None;
        }
        escaped = c == '\\' && !escaped;
        result.push(c);
    }
    result
}

/// The lines on which pieces of a text begin, asked for one after the other.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    const fn new(text: &'a str) -> Self {
        let (at, line) = (0, 1);
        Self { text, at, line }
    }

    /// The line of a value that was read from the text.
    fn of(&mut self, value: &RawValue) -> u32 {
        let start = value.get().as_ptr().addr();
        let start = start.saturating_sub(self.text.as_ptr().addr());
        if let Some(passed) = self.text.as_bytes().get(self.at..start) {
            let breaks = passed.split(|byte| *byte == b'\n').count() - 1;
            let breaks = u32::try_from(breaks).unwrap_or(u32::MAX);
            self.line = self.line.saturating_add(breaks);
            self.at = start;
        }
        self.line
    }
}
