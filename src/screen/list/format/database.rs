//! The databases of callattendant and `CallAttendantNext`: their tables `Whitelist` and `Blacklist`,
//! read without changing them.

use super::{Row, Sink};
use crate::screen::list::Side;
use rusqlite::{Connection, OpenFlags};
use std::io;
use std::path::Path;

/// Reads the table of this side; a row's number stands for its line.
pub(super) fn callattendant(path: &Path, side: Side, sink: &mut dyn Sink) -> io::Result<()> {
    let table = match side {
        Side::Allow => "Whitelist",
        Side::Block => "Blacklist",
    };
    read_table(path, table, sink).map_err(io::Error::other)
}

fn read_table(path: &Path, table: &str, sink: &mut dyn Sink) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags)?;
    let text = |column: &str| format!("COALESCE(CAST({column} AS TEXT), '')");
    let query = format!(
        "SELECT rowid, {}, {}, {} FROM {table} ORDER BY rowid",
        text("PhoneNo"),
        text("Name"),
        text("Reason"),
    );
    let mut statement = database.prepare(&query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line = u32::try_from(row.get::<_, i64>(0)?).unwrap_or(u32::MAX);
        let (number, name, reason): (String, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let name = if name.trim().is_empty() { reason } else { name };
        sink.row(line, Row::new(number, name));
    }
    Ok(())
}
