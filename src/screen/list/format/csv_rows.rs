//! Our own format: `number,name,action,key=value…`, and one number a line, which is the same without
//! commas.

use super::{PlainNumber, Row, Sink, TOO_LONG, decode, lines, with_blanks};
use std::borrow::Cow;
use std::io::{self, BufRead};

/// Reads line by line: a record is one line, an open quote ends with it.
pub(super) fn read(text: &mut dyn BufRead, sink: &mut dyn Sink) -> io::Result<()> {
    lines(text, &mut |number, line| {
        let Some(line) = line else {
            return sink.bad(number, TOO_LONG);
        };
        let mut digits = [0; MAX_DIGITS];
        if let Some(plain) = plain_number(line, &mut digits) {
            return sink.number(number, plain);
        }
        match row(&decode(line)) {
            Ok(Some(row)) => sink.row(number, row),
            Ok(None) => {}
            Err(what) => sink.bad(number, what.into()),
        }
    })
}

/// More digits than any number has; one with more is read as a row.
const MAX_DIGITS: usize = 18;

/// The line as a plain number with or without a name, if it is nothing else, in one pass over it.
fn plain_number<'a>(line: &'a [u8], buffer: &'a mut [u8; MAX_DIGITS]) -> Option<PlainNumber<'a>> {
    let (mut length, mut plus, mut dashes, mut end) = (0, false, false, line.len());
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                *buffer.get_mut(length)? = *byte;
                length += 1;
            }
            b'+' if length == 0 && !plus => plus = true,
            b'-' => dashes = true,
            b' ' | b'(' | b')' | b'.' => {}
            b'/' if length > 0 => {}
            b',' => {
                end = at;
                break;
            }
            b'\r' if at + 1 == line.len() => {}
            _ => return None,
        }
    }
    let name = line.get(end + 1..).unwrap_or_default();
    let plain_text = name
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\r') && !matches!(byte, b'"' | b','));
    // With dashes and this many digits, it could be a range.
    if length == 0 || !plain_text || (dashes && length >= 14) {
        return None;
    }
    Some(PlainNumber {
        plus,
        digits: std::str::from_utf8(buffer.get(..length)?).ok()?,
        text: line.get(..end)?,
        name: match name {
            [] => "",
            name => std::str::from_utf8(name).ok()?.trim(),
        },
    })
}

/// The row of a line, if it is neither blank nor a comment.
fn row(line: &str) -> Result<Option<Row<'_>>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.bytes().any(|byte| byte < b' ' && byte != b'\t')
        || !line.is_ascii() && line.contains(|c: char| c.is_control() && c != '\t')
    {
        return Err("control characters: this is not a line of text");
    }
    Ok(Some(columns_of(line)))
}

/// The columns of a line.
pub(in crate::screen::list) fn columns_of(line: &str) -> Row<'_> {
    let mut columns = Columns(Some(line));
    Row {
        pattern: columns.next().unwrap_or_default(),
        name: columns.next().unwrap_or_default(),
        columns: columns.collect(),
    }
}

/// The columns that are left of a line, as CSV has them (RFC 4180, 2): a comma ends a column, unless it
/// is in quotes; in these, two quotes are one. What stands behind the closing quote belongs to the
/// column, and a quote that is never closed ends with the line.
struct Columns<'a>(Option<&'a str>);

impl<'a> Iterator for Columns<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let line = self.0.take()?;
        let Some(quoted) = line.strip_prefix('"') else {
            return Some(self.up_to_comma(line).into());
        };
        let mut column = Cow::Borrowed("");
        let mut rest = quoted;
        loop {
            let Some((inside, behind)) = rest.split_once('"') else {
                column += rest;
                return Some(column);
            };
            column += inside;
            let Some(more) = behind.strip_prefix('"') else {
                column += self.up_to_comma(behind);
                return Some(column);
            };
            column += "\"";
            rest = more;
        }
    }
}

impl<'a> Columns<'a> {
    /// What comes before the next comma; what comes behind it is left.
    fn up_to_comma(&mut self, text: &'a str) -> &'a str {
        match text.split_once(',') {
            Some((column, rest)) => {
                self.0 = Some(rest);
                column
            }
            None => text,
        }
    }
}

/// A row as a line of a list, without its end.
pub(in crate::screen::list) fn line_of(row: &Row<'_>) -> String {
    let columns: Vec<String> = [&row.pattern, &row.name]
        .into_iter()
        .chain(&row.columns)
        .map(|column| with_blanks(Cow::Borrowed(column)).trim().to_owned())
        .collect();
    // What would be taken for a comment, for JSON, or for the mark at the beginning of a file.
    let is_special = |c| matches!(c, '#' | '[' | '{' | '\u{feff}');
    let style = if row.pattern.trim_start().starts_with(is_special) {
        csv::QuoteStyle::Always
    } else {
        csv::QuoteStyle::Necessary
    };
    let mut line = csv::WriterBuilder::new()
        .quote_style(style)
        .from_writer(Vec::new());
    // Neither fails: there is always room in memory, and what is made of text is text.
    let written = line.write_record(&columns);
    let bytes = written.ok().and_then(|()| line.into_inner().ok());
    let line = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
    line.trim_end_matches('\n').to_owned()
}
