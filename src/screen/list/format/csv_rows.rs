//! Our own format: `number,name,action,key=value…`, and one number a line, which is the same without
//! commas.

use super::{Row, Sink, TOO_LONG, decode, lines};
use std::borrow::Cow;
use std::io::{self, BufRead};

/// Reads line by line: a record is one line, an open quote ends with it.
pub(super) fn read(text: &mut dyn BufRead, sink: &mut dyn Sink) -> io::Result<()> {
    lines(text, &mut |number, line| {
        let Some(line) = line else {
            return sink.bad(number, TOO_LONG);
        };
        match row(&decode(line)) {
            Ok(Some(row)) => sink.row(number, row),
            Ok(None) => {}
            Err(what) => sink.bad(number, what.into()),
        }
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
    columns_of(line).map(Some)
}

/// The columns of a line.
pub(in crate::screen::list) fn columns_of(line: &str) -> Result<Row<'_>, &'static str> {
    if !line.contains('"') {
        // Without a quote, CSV is a plain split; this is nearly every line of a long list.
        let mut columns = line.split(',').map(Cow::Borrowed);
        return Ok(Row {
            pattern: columns.next().unwrap_or_default(),
            name: columns.next().unwrap_or_default(),
            columns: columns.collect(),
        });
    }
    let mut record = csv::StringRecord::new();
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes())
        .read_record(&mut record)
        .map_err(|_| "this is not a CSV record")?;
    let mut columns = record.iter().map(|column| Cow::Owned(column.to_owned()));
    Ok(Row {
        pattern: columns.next().unwrap_or_default(),
        name: columns.next().unwrap_or_default(),
        columns: columns.collect(),
    })
}

/// A row as a line of a list, without its end.
pub(in crate::screen::list) fn line_of(row: &Row<'_>) -> String {
    let mut line = String::new();
    for (index, column) in [&row.pattern, &row.name]
        .into_iter()
        .chain(&row.columns)
        .enumerate()
    {
        if index > 0 {
            line.push(',');
        }
        let column: String = column
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let column = column.trim();
        if column.contains([',', '"']) || (index == 0 && column.starts_with('#')) {
            line.push('"');
            line.push_str(&column.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(column);
        }
    }
    line
}
