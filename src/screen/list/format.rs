//! The formats of lists, told apart by their content, and read into one kind of row.
//!
//! After published descriptions and examples of each program's files; a reader never changes what a
//! file means without saying so in its comment.

mod contacts;
mod csv_rows;
mod database;
mod foreign;
mod json;

use super::Reading;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::path::Path;

/// The longest line that is read; the rest of a longer one is skipped.
const MAX_LINE_BYTES: u64 = 4096;
/// The largest file of a format that cannot be read line by line.
const MAX_WHOLE_BYTES: u64 = 64 << 20;

/// How a list is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `number,name` and more columns, or one number a line.
    Csv,
    /// vCard, as phones and address books export contacts.
    VCard,
    /// A black or white list of NCID.
    Ncid,
    /// A `.dat` file of jcblock.
    Jcblock,
    /// A CSV export of callattendant.
    CallattendantCsv,
    /// A database of callattendant or `CallAttendantNext`.
    CallattendantDatabase,
    /// A JSON list of callblocker (pamapa).
    CallblockerJson,
    /// The complaints that the FTC publishes.
    FtcComplaints,
    /// A JSON blocklist of `PhoneBlock`.
    PhoneBlockJson,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV list",
            Self::VCard => "vCard contacts",
            Self::Ncid => "NCID list",
            Self::Jcblock => "jcblock list",
            Self::CallattendantCsv => "callattendant export",
            Self::CallattendantDatabase => "callattendant database",
            Self::CallblockerJson => "callblocker list",
            Self::FtcComplaints => "FTC complaints",
            Self::PhoneBlockJson => "PhoneBlock list",
        })
    }
}

/// A line of a list in our own terms.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::screen::list) struct Row<'a> {
    pub(in crate::screen::list) pattern: Cow<'a, str>,
    pub(in crate::screen::list) name: Cow<'a, str>,
    /// The third column and those behind it.
    pub(in crate::screen::list) columns: Vec<Cow<'a, str>>,
}

impl<'a> Row<'a> {
    /// A row of another program's list: what is no text in a number or a name is as good as a blank.
    fn new(pattern: impl Into<Cow<'a, str>>, name: impl Into<Cow<'a, str>>) -> Self {
        Self {
            pattern: with_blanks(pattern.into()),
            name: name.into(),
            columns: Vec::new(),
        }
    }
}

/// A text with blanks for the control characters in it.
pub(in crate::screen::list) fn with_blanks(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.replace(char::is_control, " ").into()
    } else {
        text
    }
}

/// A number and its name, with nothing that CSV treats specially.
pub(super) struct PlainNumber<'a> {
    pub(super) plus: bool,
    pub(super) digits: &'a str,
    /// As written.
    text: &'a [u8],
    pub(super) name: &'a str,
}

/// Who takes what is read.
pub(super) trait Sink {
    /// A plain number, from this line: nearly every line of a long list. By default, it is taken as a
    /// row.
    fn number(&mut self, line: u32, number: PlainNumber<'_>) {
        self.row(line, Row::new(decode(number.text), number.name));
    }
    /// A row, from this line.
    fn row(&mut self, line: u32, row: Row<'_>);
    /// From here on, rows with different names may come from the same line.
    fn share_lines(&mut self) {}
    /// A line that cannot be used, and why.
    fn bad(&mut self, line: u32, what: Cow<'static, str>);
    /// An entry that is left out on purpose: too few complaints, too old.
    fn left_out(&mut self);
}

/// Reads a list in whatever format it is. `path` is opened only for a database.
pub(super) fn read(
    path: &Path,
    text: &mut dyn BufRead,
    reading: &Reading,
    sink: &mut dyn Sink,
) -> io::Result<Format> {
    let start = text.fill_buf()?;
    let format = recognise(start);
    match format {
        Format::Csv => csv_rows::read(text, sink)?,
        Format::CallattendantCsv => foreign::callattendant_csv(text, sink)?,
        Format::Ncid => foreign::ncid(text, sink)?,
        Format::Jcblock => foreign::jcblock(text, sink)?,
        Format::FtcComplaints => foreign::ftc(text, &reading.complaints, sink)?,
        Format::VCard => contacts::vcard(text, sink)?,
        Format::CallattendantDatabase => database::callattendant(path, reading.side, sink)?,
        Format::CallblockerJson | Format::PhoneBlockJson => {
            return Ok(json::read(&whole(text)?, reading, sink));
        }
    }
    Ok(format)
}

/// The format of a file, by how it begins.
pub(super) fn recognise(start: &[u8]) -> Format {
    if start.starts_with(b"SQLite format 3\0") {
        return Format::CallattendantDatabase;
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let start = &start[..start.len().min(16 * 1024)];
    let text = decode(start);
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.clone().next().unwrap_or_default();
    // Some programs put every column into quotes.
    let heading = first.replace('"', "");
    let is_heading = |word: &str| {
        let start = heading.get(..word.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let begins = |word: &str| {
        first
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if begins("BEGIN:VCARD") {
        Format::VCard
    } else if first.starts_with(['{', '[']) {
        Format::CallblockerJson
    } else if is_heading("Company_Phone_Number,") {
        Format::FtcComplaints
    } else if is_heading("PhoneNo,") {
        Format::CallattendantCsv
    } else if lines.clone().take(50).any(foreign::is_jcblock) {
        Format::Jcblock
    } else if text.lines().any(is_comment_of_ncid) || lines.take(50).any(foreign::is_ncid) {
        Format::Ncid
    } else {
        Format::Csv
    }
}

fn is_comment_of_ncid(line: &str) -> bool {
    line.trim_start().starts_with('#') && line.contains("ncidd")
}

/// Reads a line, without its end, as it will be read in a list of ours; an error if a list with it would
/// not be one.
pub(super) fn read_as_ours(line: &str, sink: &mut dyn Sink) -> Result<(), Cow<'static, str>> {
    if line.len() as u64 + 1 >= MAX_LINE_BYTES {
        return Err(TOO_LONG);
    }
    if recognise(line.as_bytes()) != Format::Csv {
        return Err("a list with this line would look like one of another program".into());
    }
    csv_rows::read(&mut line.as_bytes(), sink)
        .map_err(|error| format!("this cannot be read again: {error}").into())
}

/// Calls `each` with every line, counted from 1, without its end; a line that is too long is `None`.
fn lines(text: &mut dyn BufRead, each: &mut dyn FnMut(u32, Option<&[u8]>)) -> io::Result<()> {
    let (mut line, mut count) = (Vec::new(), 0_u32);
    loop {
        count = count.checked_add(1).ok_or_else(too_large)?;
        let buffer = text.fill_buf()?;
        // Nearly every line lies in the buffer as a whole.
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n')
            && (end as u64) < MAX_LINE_BYTES
        {
            each(count, Some(without_mark(count, &buffer[..end])));
            text.consume(end + 1);
            continue;
        }
        line.clear();
        let whole = read_line(text, &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        each(count, whole.then_some(without_mark(count, &line)));
    }
}

/// The line without a byte-order mark, which only the first one can have.
fn without_mark(count: u32, line: &[u8]) -> &[u8] {
    match count {
        1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
        _ => line,
    }
}

/// Reads one line with its line feed into `line`; false if it was too long and its end skipped.
fn read_line(text: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    text.take(MAX_LINE_BYTES).read_until(b'\n', line)?;
    if line.ends_with(b"\n") || (line.len() as u64) < MAX_LINE_BYTES {
        return Ok(true);
    }
    text.skip_until(b'\n')?;
    Ok(false)
}

const TOO_LONG: Cow<'static, str> = Cow::Borrowed("this line is longer than 4096 characters");

fn whole(text: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    text.take(MAX_WHOLE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_WHOLE_BYTES {
        return Err(too_large());
    }
    Ok(bytes)
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "it is too large")
}

/// Bytes as text. What is not UTF-8 is taken for Latin-1; Windows puts quotes and dashes where
/// Latin-1 has control characters, and these are lost.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(latin_1).collect()),
    }
}

const fn latin_1(byte: u8) -> char {
    match byte {
        0x80..=0x9f => char::REPLACEMENT_CHARACTER,
        _ => byte as char,
    }
}

pub(in crate::screen::list) use csv_rows::{columns_of, line_of};

/// A pattern for names that have this text somewhere, or at their beginning.
fn name_pattern(text: &str, at_start: bool) -> String {
    let mut pattern = String::from(if at_start { "name:" } else { "name:*" });
    for c in text.chars() {
        if matches!(c, '*' | '?' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    pattern
}
