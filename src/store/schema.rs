//! The schema of the call log and its history, and the statements that depend on it.

use rusqlite::{Connection, TransactionBehavior};

/// The version that this program writes.
pub(super) const VERSION: i64 = 2;

/// Each step brings a database from its index in this list to the next version.
pub(super) const STEPS: [&str; VERSION as usize] = [
    // Plain types, no STRICT and no CHECK: the file is read by older SQLites, too, and later
    // versions may add words.
    "CREATE TABLE calls(
        id INTEGER PRIMARY KEY,
        started INTEGER NOT NULL,   -- instants are UTC nanoseconds since 1970
        number TEXT,                -- as received
        normalised TEXT,            -- as compared
        name TEXT,
        verdict TEXT NOT NULL,      -- ring, block
        reason TEXT NOT NULL,       -- in words
        source TEXT,                -- file:line of the rule
        action TEXT NOT NULL,       -- none, hangup, fax, message, record, transmit, duplex
        picked_up INTEGER,
        ended INTEGER,
        outcome TEXT,               -- NULL while the call lasts
        recording TEXT,             -- relative to the folder of this file
        dtmf TEXT,                  -- keys the caller pressed
        trouble TEXT                -- what went wrong on our side
    );
    CREATE VIEW call_log(timestamp, number, name, blocked) AS
        SELECT started, coalesce(number, ''), name, verdict = 'block' FROM calls;",
    // The line's quality; NULL where the caller was not listened to.
    "ALTER TABLE calls ADD COLUMN level_dbfs REAL;   -- of what was heard, RMS; NULL: nothing was
    ALTER TABLE calls ADD COLUMN noise_dbfs REAL;   -- of the line's own noise, RMS
    ALTER TABLE calls ADD COLUMN clipped REAL;      -- share of samples at the ends of the scale
    ALTER TABLE calls ADD COLUMN dc_offset REAL;    -- in steps of the 8 bits",
];

pub(super) const WRITE_CALL: &str = "
    INSERT INTO calls(id, started, number, normalised, name, verdict, reason, source, action,
                      picked_up, ended, outcome, recording, dtmf, trouble,
                      level_dbfs, noise_dbfs, clipped, dc_offset)
    VALUES (:id, :started, :number, :normalised, :name, :verdict, :reason, :source, :action,
            :picked_up, :ended, :outcome, :recording, :dtmf, :trouble,
            :level_dbfs, :noise_dbfs, :clipped, :dc_offset)
    ON CONFLICT(id) DO UPDATE SET
        started = excluded.started, number = excluded.number, normalised = excluded.normalised,
        name = excluded.name, verdict = excluded.verdict, reason = excluded.reason,
        source = excluded.source, action = excluded.action, picked_up = excluded.picked_up,
        ended = excluded.ended, outcome = excluded.outcome, recording = excluded.recording,
        dtmf = excluded.dtmf, trouble = excluded.trouble, level_dbfs = excluded.level_dbfs,
        noise_dbfs = excluded.noise_dbfs, clipped = excluded.clipped,
        dc_offset = excluded.dc_offset";

pub(super) const COMPLETE_INTERRUPTED: &str = "
    UPDATE calls SET outcome = :outcome, ended = max(:now, started) WHERE outcome IS NULL";

pub(super) const PRUNE: &str = "
    DELETE FROM calls WHERE outcome IS NOT NULL
        AND id <= (SELECT id FROM calls ORDER BY id DESC LIMIT 1 OFFSET ?1)";

pub(super) const DECIDED: &str = "
    SELECT started, number, name, reason, source
    FROM (SELECT * FROM calls ORDER BY id DESC LIMIT ?1)
    WHERE source IS NOT NULL AND outcome IS NOT NULL";

pub(super) const RECENT: &str = "SELECT * FROM calls ORDER BY id DESC LIMIT ?1";

/// Who knocked during a conversation did not ring.
pub(super) const LAST_RING: &str =
    "SELECT started FROM calls WHERE outcome IS NOT 'call-waiting' ORDER BY id DESC LIMIT 1";

/// Brings an older or new database to [`VERSION`], all or nothing, and returns the version it has
/// then: a newer one is left as it is.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<i64> {
    // The lock comes first: of two programs that open a new database at once, one has to wait.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in STEPS
        .iter()
        .skip(usize::try_from(found).unwrap_or_default())
    {
        transaction.execute_batch(step)?;
    }
    let version = found.max(VERSION);
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    Ok(version)
}
