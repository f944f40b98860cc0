//! Text lists of other call blockers, and the complaints that the FTC publishes.

use super::{Row, Sink, TOO_LONG, columns_of, decode, lines, name_pattern};
use crate::screen::caller::class_for_word;
use crate::screen::list::Complaints;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufRead};

/// A number of this many digits is a whole one; one of fewer is a part of a number.
const WHOLE_NUMBER_DIGITS: usize = 10;

/// The column in which a `.dat` file of jcblock has a date.
const JCBLOCK_DATE: std::ops::Range<usize> = 15..24;

/// Whether this is a line of jcblock: a text ended by `?`, then a date or a mark in its column.
pub(super) fn is_jcblock(line: &str) -> bool {
    jcblock_parts(line).is_some()
}

/// The tested text and the comment.
fn jcblock_parts(line: &str) -> Option<(&str, &str)> {
    let (field, rest) = line.split_once('?')?;
    let date = rest.trim_start();
    let column = line.len() - date.len();
    let (date, comment) = date.split_at_checked(6)?;
    let is_mark = |mark: u8| date.bytes().all(|byte| byte == mark);
    ((date.bytes().all(|byte| byte.is_ascii_digit()) || is_mark(b'-') || is_mark(b'+'))
        && JCBLOCK_DATE.contains(&column)
        && !field.contains(','))
    .then_some((field.trim(), comment.trim()))
}

/// jcblock looks for the text anywhere in the caller-ID lines `NMBR = …` and `NAME = …`.
pub(super) fn jcblock(text: &mut dyn BufRead, sink: &mut dyn Sink) -> io::Result<()> {
    each_line(text, sink, &mut |number, line, sink| {
        let Some((field, comment)) = jcblock_parts(line) else {
            return sink.bad(number, "this is not a line of jcblock".into());
        };
        let class = class_for_word(field);
        if let Some(class) = class {
            sink.row(number, Row::new(class, comment));
        }
        // As a part of any line a single letter would match half of all names: it is the mark that stands
        // in the place of a number.
        if class.is_some() && field.len() == 1 {
            return;
        }
        let pattern = match field
            .split_once('=')
            .map(|(key, value)| (key.trim(), value.trim()))
        {
            Some(("NMBR", digits)) if is_digits(digits) => format!("{digits}*"),
            Some(("NMBR", text)) => text.to_owned(),
            Some(("NAME", name)) => name_pattern(name, true),
            _ if is_digits(field) => part_of_number(field),
            _ => name_pattern(field, false),
        };
        sink.row(number, Row::new(pattern, comment));
    })
}

/// Whether this is a line of NCID that could not be one of ours. A file without any such line, and
/// without a word of NCID in its comments, is taken for one of ours. What stands behind a comma may be
/// a name, which callers choose: it says nothing.
pub(super) fn is_ncid(line: &str) -> bool {
    let before_name = line.split(',').next().unwrap_or_default();
    line.starts_with('^') || line.starts_with("\"^") || before_name.contains("#=")
}

/// NCID: words or quoted texts, each a part of a name or a number, `^` for its beginning; then `#` and
/// a comment, or `#=` and a name.
pub(super) fn ncid(text: &mut dyn BufRead, sink: &mut dyn Sink) -> io::Result<()> {
    each_line(text, sink, &mut |number, line, sink| {
        let mut rest = line;
        let mut expressions = Vec::new();
        let mut name = "";
        while let Some(first) = rest.chars().next() {
            if first == '#' {
                name = rest.trim_start_matches(['#', '=']).trim();
                break;
            }
            let end = if first == '"' {
                rest[1..].find('"').map(|end| (1, end + 1, end + 2))
            } else {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                Some((0, end, end))
            };
            let Some((from, to, next)) = end else {
                return sink.bad(number, "a quote has no end".into());
            };
            expressions.push(&rest[from..to]);
            rest = rest[next..].trim_start();
        }
        for expression in expressions {
            if let Some(class) = class_for_word(expression) {
                sink.row(number, Row::new(class, name));
            }
            match ncid_pattern(expression) {
                Some(pattern) => sink.row(number, Row::new(pattern, name)),
                None => sink.bad(number, "this expression of NCID has no counterpart".into()),
            }
        }
    })
}

fn ncid_pattern(expression: &str) -> Option<String> {
    let (start, text) = match expression.strip_prefix('^') {
        // `^1?` makes a leading 1 optional, and so do we.
        Some(text) => (true, text.strip_prefix("1?").unwrap_or(text)),
        None => (false, expression),
    };
    let digits: String = text.chars().filter(|c| !"-() ".contains(*c)).collect();
    if text.trim().is_empty() || text.contains(['[', ']', '|', '\\', '$', '+']) {
        return None;
    }
    Some(
        if is_digits(&digits) && (!start || digits.len() >= WHOLE_NUMBER_DIGITS) {
            part_of_number(&digits)
        } else if is_digits(&digits) {
            format!("{digits}*")
        } else {
            name_pattern(text, start)
        },
    )
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn part_of_number(digits: &str) -> String {
    if digits.len() >= WHOLE_NUMBER_DIGITS {
        digits.to_owned()
    } else {
        format!("*{digits}*")
    }
}

/// `PhoneNo,Name,Reason`: the reason is a comment.
pub(super) fn callattendant_csv(text: &mut dyn BufRead, sink: &mut dyn Sink) -> io::Result<()> {
    each_line(text, sink, &mut |number, line, sink| {
        let row = columns_of(line);
        if row.pattern.eq_ignore_ascii_case("PhoneNo") {
            return;
        }
        let reason = row.columns.into_iter().next().unwrap_or_default();
        let name = if row.name.trim().is_empty() {
            reason
        } else {
            row.name
        };
        sink.row(number, Row::new(row.pattern, name));
    })
}

/// One complaint a line. A number with too few of them that are young enough is left out: the
/// complaints are not verified, and callers put other people's numbers in their caller ID.
pub(super) fn ftc(
    text: &mut dyn BufRead,
    complaints: &Complaints,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    // The number of complaints and the line of the first one, by number.
    let mut tally: HashMap<u64, (u32, u32)> = HashMap::new();
    each_line(text, sink, &mut |number, line, sink| {
        // Daily files are often put together with their headings.
        if line.starts_with("Company_Phone_Number") {
            return;
        }
        let row = columns_of(line);
        let phone = row.pattern.trim();
        let Some(phone) = (phone.len() == 10 && is_digits(phone))
            .then(|| phone.parse().ok())
            .flatten()
        else {
            return sink.left_out();
        };
        let date = row.name.trim().get(..10).and_then(|date| date.parse().ok());
        match (date, complaints.today) {
            (None, _) => {
                return sink.bad(number, "the date of the complaint cannot be read".into());
            }
            (Some(date), Some(today)) if !complaints.counts(date, today) => return sink.left_out(),
            _ => {}
        }
        tally.entry(phone).or_insert((0, number)).0 += 1;
    })?;
    let mut numbers: Vec<_> = tally
        .into_iter()
        .map(|(phone, (count, line))| (line, phone, count))
        .collect();
    numbers.sort_unstable();
    for (line, phone, count) in numbers {
        if count < complaints.min {
            sink.left_out();
        } else {
            sink.row(
                line,
                Row::new(format!("+1{phone:010}"), format!("{count} complaints")),
            );
        }
    }
    Ok(())
}

/// Calls `each` with every line that is neither blank nor a comment.
fn each_line(
    text: &mut dyn BufRead,
    sink: &mut dyn Sink,
    each: &mut dyn FnMut(u32, &str, &mut dyn Sink),
) -> io::Result<()> {
    lines(text, &mut |number, line| match line.map(decode) {
        None => sink.bad(number, TOO_LONG),
        Some(line) => {
            let line: Cow<'_, str> = line;
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                each(number, line, sink);
            }
        }
    })
}
