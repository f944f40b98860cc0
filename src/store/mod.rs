//! The call log: one SQLite file, one row for each call.
//!
//! [`Store`] is synchronous and knows nothing of tokio; [`CallLog`] puts it behind a task, so that
//! a slow disk holds nobody up. Instants are UTC nanoseconds since 1970. The schema is versioned
//! (`PRAGMA user_version`) and moved forward when the file is opened. Rows are in the order of their
//! ids: the clock may jump.

mod call_log;
mod schema;
mod set_aside;
mod writer;

pub use call_log::{CallKey, CallLog};
pub use writer::LogPlace;

use crate::call::{CallRecord, Outcome};
use crate::clock::Timestamp;
use crate::screen::LoggedDecision;
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags, Row, ToSql, ffi, named_params};
use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a write waits while another program holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// 128 KiB of pages instead of 2 MiB: the daemon lives in a few megabytes.
const CACHE_SIZE: i64 = -128;

/// Why the call log could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or is no database.
    #[error("the call log {} cannot be opened: {source}", file.display())]
    Open {
        /// The database file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A newer callblock wrote it; this one would not understand all of it.
    #[error(
        "the call log {} has version {found} and this callblock knows only {}: install a newer one, \
         or move the file away",
        file.display(),
        schema::VERSION
    )]
    Newer {
        /// The database file.
        file: PathBuf,
        /// Its schema's version.
        found: i64,
    },
    /// It contradicts itself.
    #[error("the call log {} is damaged: {what}", file.display())]
    Damaged {
        /// The database file.
        file: PathBuf,
        /// The first contradiction, in SQLite's words.
        what: String,
    },
    /// It may be read, but rows that a crash left in its journal may not without writing.
    #[error(
        "the call log {} cannot be read here: after a crash, its last rows are still in its journal; \
         start the daemon once, or try again as its user or with sudo",
        file.display()
    )]
    JournalOutOfReach {
        /// The database file.
        file: PathBuf,
    },
    /// It is of no use, and cannot be moved out of the way either.
    #[error("{unusable}; it cannot be set aside: {source}")]
    InTheWay {
        /// What is wrong with it.
        unusable: Box<StoreError>,
        /// Why it cannot be renamed.
        source: io::Error,
    },
    /// A statement failed: the disk is full, for instance.
    #[error("the call log cannot be used: {0}")]
    Statement(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether this file will never do, however often it is tried: it is damaged, of another kind, or
    /// barred. A disk that is full, read-only or gone, and a file that others hold, may get better.
    pub fn is_final(&self) -> bool {
        match self {
            // SQL that fails on it: its tables are not ours.
            Self::Newer { .. }
            | Self::Damaged { .. }
            | Self::Open {
                source: rusqlite::Error::SqlInputError { .. },
                ..
            } => true,
            Self::InTheWay { .. } | Self::JournalOutOfReach { .. } => false,
            Self::Open { file, source } => match source.sqlite_error_code() {
                // The same, in `SQLite`'s plain `SQLITE_ERROR`.
                Some(ErrorCode::Unknown) => true,
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                    is_barred(file)
                }
                _ => is_damage(source),
            },
            Self::Statement(source) => is_damage(source),
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || error.sqlite_error().is_some_and(|error| {
        // Sectors that the disk cannot read any more.
        matches!(
            error.extended_code,
            ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS
        )
    })
}

/// Whether something is in the place of the file that we may not write, or that is no file. Not to
/// be asked while the database is open: closing the file lets go of SQLite's locks.
fn is_barred(file: &Path) -> bool {
    let opened = OpenOptions::new().read(true).write(true).open(file);
    opened.is_err_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory
        )
    })
}

/// A row of the call log as it was read back. The words are those of [`crate::call`], or newer ones.
#[derive(Clone, PartialEq, Debug)]
pub struct LoggedCall {
    /// The row's number, in the order of insertion.
    pub id: i64,
    /// When the call began.
    pub started: Timestamp,
    /// The number as received.
    pub number: Option<String>,
    /// The number in the form it was compared in.
    pub normalised: Option<String>,
    /// The caller's name.
    pub name: Option<String>,
    /// `ring` or `block`.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// The list and line that decided.
    pub source: Option<String>,
    /// What was done.
    pub action: String,
    /// When we went off-hook.
    pub picked_up: Option<Timestamp>,
    /// When the call was over.
    pub ended: Option<Timestamp>,
    /// How it ended; `None` while it lasts.
    pub outcome: Option<String>,
    /// The recording, relative to the data folder.
    pub recording: Option<String>,
    /// The keys the caller pressed.
    pub dtmf: Option<String>,
    /// What went wrong on our side.
    pub trouble: Option<String>,
    /// Level of what was heard, dB relative to full scale (RMS).
    pub level_dbfs: Option<f64>,
    /// Level of the line's own noise, dB relative to full scale (RMS); `None` where the caller was not
    /// listened to.
    pub noise_dbfs: Option<f64>,
    /// Share of samples at the ends of the scale, 0–1.
    pub clipped: Option<f64>,
    /// Mean of all samples, in steps of the 8 bits from the middle.
    pub dc_offset: Option<f64>,
}

/// An open call log.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    file: PathBuf,
}

impl Store {
    /// Opens the call log, creates it if it is not there, and brings its schema up to date.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open {
            file: file.to_path_buf(),
            source,
        };
        let mut connection = Connection::open(file).map_err(failed)?;
        configure(&connection).map_err(failed)?;
        let found = schema::migrate(&mut connection).map_err(failed)?;
        if found > schema::VERSION {
            return Err(StoreError::Newer {
                file: file.to_path_buf(),
                found,
            });
        }
        // Tables of the right name that are not ours are found now, not in the first call.
        connection
            .prepare_cached(schema::WRITE_CALL)
            .map_err(failed)?;
        Ok(Self {
            connection,
            file: file.to_path_buf(),
        })
    }

    /// Reads the whole file and looks for contradictions. Takes seconds where the file is big and the
    /// disk slow; [`interrupt_handle`](Self::interrupt_handle) cuts it short, which is no error.
    pub fn check(&self) -> Result<(), StoreError> {
        let found = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let what = match found {
            Ok(found) if found == "ok" => return Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                return Ok(());
            }
            Ok(found) => found,
            Err(error) if is_damage(&error) => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        Err(StoreError::Damaged {
            file: self.file.clone(),
            what,
        })
    }

    /// For other threads, to cut a statement short that is running here.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    /// Removes the oldest rows (by order, not by the clock), so that at most `keep` are left, and
    /// returns how many went. A call that is not over is never removed.
    pub fn prune(&self, keep: u32) -> Result<usize, StoreError> {
        Ok(self
            .connection
            .prepare_cached(schema::PRUNE)?
            .execute([keep])?)
    }

    /// Opens a call log that is there, to read it only: also while the daemon writes to it, and also in
    /// a folder where we may not write.
    pub fn open_read_only(file: &Path) -> Result<Self, StoreError> {
        let shared = Self::open_to_read(file.as_os_str(), file);
        match shared {
            // Whoever reads along needs the daemon's files of the journal, or must make them. Without a
            // daemon there are none, and the file does not change.
            Err(StoreError::Open { source, .. })
                if matches!(
                    source.sqlite_error_code(),
                    Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
                ) && file.exists() =>
            {
                if !journal_is_empty(file) {
                    let file = file.to_path_buf();
                    return Err(StoreError::JournalOutOfReach { file });
                }
                Self::open_to_read(&unchanging(file), file)
            }
            shared => shared,
        }
    }

    fn open_to_read(name: &OsStr, file: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open {
            file: file.to_path_buf(),
            source,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(Path::new(name), flags).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        connection
            .pragma_update(None, "cache_size", CACHE_SIZE)
            .map_err(failed)?;
        let found: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if found > schema::VERSION {
            let file = file.to_path_buf();
            return Err(StoreError::Newer { file, found });
        }
        let file = file.to_path_buf();
        Ok(Self { connection, file })
    }

    /// Adds a call and returns the number of its row.
    pub fn insert(&self, call: &CallRecord) -> Result<i64, StoreError> {
        self.write(None, call)?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Writes the row of a call again, whole. A row that somebody has deleted meanwhile comes back.
    pub fn update(&self, id: i64, call: &CallRecord) -> Result<(), StoreError> {
        self.write(Some(id), call)
    }

    fn write(&self, id: Option<i64>, call: &CallRecord) -> Result<(), StoreError> {
        let instant = |elapsed: Option<Duration>| {
            elapsed.map(|elapsed| call.started.after(elapsed).as_nanos())
        };
        let quality = call.quality.as_ref();
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.connection
            .prepare_cached(schema::WRITE_CALL)?
            .execute(named_params! {
                ":id": id,
                ":started": call.started.as_nanos(),
                ":number": call.number,
                ":normalised": call.normalised,
                ":name": call.name,
                ":verdict": call.verdict.as_str(),
                ":reason": call.reason,
                ":source": call.source,
                ":action": call.action.as_str(),
                ":picked_up": instant(call.picked_up),
                ":ended": instant(call.ended),
                ":outcome": call.outcome.map(Outcome::as_str),
                ":recording": call.recording,
                ":dtmf": text(&call.dtmf),
                ":trouble": call.trouble.as_deref().and_then(text),
                ":level_dbfs": quality.and_then(|q| q.level_dbfs).map(|level| rounded(level, 2)),
                ":noise_dbfs": quality.map(|q| rounded(q.noise_floor_dbfs, 2)),
                ":clipped": quality.map(|q| rounded(q.clipping, 5)),
                ":dc_offset": quality.map(|q| rounded(q.dc_offset, 2)),
            })?;
        Ok(())
    }

    /// Gives the calls that have no outcome, because the process died in them, the outcome
    /// `interrupted`, and returns how many there were. To be called once at start. When such a call
    /// really ended nobody knows: `ended` is `now`, the instant of the discovery.
    pub fn complete_interrupted(&self, now: Timestamp) -> Result<usize, StoreError> {
        let parameters = named_params! {
            ":outcome": Outcome::Interrupted.as_str(),
            ":now": now.as_nanos(),
        };
        Ok(self
            .connection
            .execute(schema::COMPLETE_INTERRUPTED, parameters)?)
    }

    /// Calls `each` with those of the last `count` calls that are over and were decided by a line of a
    /// list, the newest first; they are never in memory all at once.
    pub fn each_decided(
        &self,
        count: u32,
        mut each: impl FnMut(LoggedDecision),
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare(schema::DECIDED)?;
        let mut rows = statement.query([count])?;
        while let Some(row) = rows.next()? {
            each(LoggedDecision {
                started: Timestamp::from_nanos(row.get("started")?),
                number: row.get("number")?,
                name: row.get("name")?,
                reason: row.get("reason")?,
                source: row.get("source")?,
            });
        }
        Ok(())
    }

    /// When the call began that rang last, by the order of the rows.
    pub fn last_ring(&self) -> Result<Option<Timestamp>, StoreError> {
        let started = self
            .connection
            .query_row(schema::LAST_RING, [], |row| row.get(0));
        match started {
            Ok(nanos) => Ok(Some(Timestamp::from_nanos(nanos))),
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The last `count` calls, the oldest of them first.
    pub fn recent(&self, count: u32) -> Result<Vec<LoggedCall>, StoreError> {
        let mut statement = self.connection.prepare_cached(schema::RECENT)?;
        let parameters: [&dyn ToSql; 1] = [&count];
        let mut calls = statement
            .query_map(parameters, logged_call)?
            .collect::<Result<Vec<_>, _>>()?;
        calls.reverse();
        Ok(calls)
    }
}

/// Whether all rows are in the file itself. What cannot be looked at is taken for a journal with rows.
fn journal_is_empty(file: &Path) -> bool {
    let mut journal = file.as_os_str().to_owned();
    journal.push("-wal");
    match Path::new(&journal).metadata() {
        Ok(found) => found.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// The name by which SQLite reads a file without any other beside it, because it does not change.
fn unchanging(file: &Path) -> OsString {
    let mut name = b"file:".to_vec();
    // "//" would begin the name of a host, and a relative path is fine as it is.
    for byte in file.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => name.extend(format!("%{byte:02x}").into_bytes()),
            byte => name.push(*byte),
        }
    }
    name.extend(b"?immutable=1");
    OsString::from_vec(name)
}

/// With so many digits after the point: more would pretend to a precision that nobody measured.
fn rounded(value: f32, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (f64::from(value) * scale).round() / scale
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // A row that was committed survives a power cut; a call log writes only a few rows a day.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", CACHE_SIZE)?;
    connection.set_prepared_statement_cache_capacity(4);
    Ok(())
}

fn logged_call(row: &Row<'_>) -> rusqlite::Result<LoggedCall> {
    let instant = |column| {
        row.get::<_, Option<i64>>(column)
            .map(|nanos| nanos.map(Timestamp::from_nanos))
    };
    // A log of the first version that was opened to be read only does not have these.
    let number = |column| match row.get::<_, Option<f64>>(column) {
        Err(rusqlite::Error::InvalidColumnName(_)) => Ok(None),
        found => found,
    };
    Ok(LoggedCall {
        id: row.get("id")?,
        started: Timestamp::from_nanos(row.get("started")?),
        number: row.get("number")?,
        normalised: row.get("normalised")?,
        name: row.get("name")?,
        verdict: row.get("verdict")?,
        reason: row.get("reason")?,
        source: row.get("source")?,
        action: row.get("action")?,
        picked_up: instant("picked_up")?,
        ended: instant("ended")?,
        outcome: row.get("outcome")?,
        recording: row.get("recording")?,
        dtmf: row.get("dtmf")?,
        trouble: row.get("trouble")?,
        level_dbfs: number("level_dbfs")?,
        noise_dbfs: number("noise_dbfs")?,
        clipped: number("clipped")?,
        dc_offset: number("dc_offset")?,
    })
}

#[cfg(test)]
mod tests;
