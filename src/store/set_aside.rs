//! A database that cannot be used is put aside under a name with the time in it, so that a new one can
//! take its place and nothing is lost to whoever wants to look into it.

use crate::clock::Timestamp;
use chrono::DateTime;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a database, by what is added to its name.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];
/// The most databases put aside in one second (or by a clock that stands still).
const MAX_SAME_NAME: u32 = 1000;

/// Renames a database and its companions, and returns its new name:
/// `callblock.db` becomes `callblock-set-aside-2026-01-02T03-04-05Z.db`.
pub(super) fn set_aside(file: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let aside = free_name(file, now)?;
    // The database first: a write-ahead log without one is thrown away by SQLite, while a database
    // without its log would look sound and lack its latest rows.
    std::fs::rename(file, &aside)?;
    for companion in COMPANIONS {
        match std::fs::rename(with_suffix(file, companion), with_suffix(&aside, companion)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

fn free_name(file: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    let time = DateTime::from_timestamp_nanos(now.as_nanos()).format("%Y-%m-%dT%H-%M-%SZ");
    for copy in 1..=MAX_SAME_NAME {
        let more = if copy == 1 {
            String::new()
        } else {
            format!(" ({copy})")
        };
        let name = format!("{stem}-set-aside-{time}{more}.{extension}");
        let aside = file.with_file_name(name);
        match aside.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(aside),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_database_stay_together_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("callblock.db");
        let now = Timestamp::from_nanos(1_767_323_045_000_000_000);
        let mut asides = Vec::new();
        for content in ["first", "second"] {
            std::fs::write(&file, content).unwrap();
            std::fs::write(with_suffix(&file, "-wal"), content).unwrap();
            asides.push(set_aside(&file, now).unwrap());
        }
        let names: Vec<_> = asides
            .iter()
            .map(|aside| aside.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "callblock-set-aside-2026-01-02T03-04-05Z.db",
                "callblock-set-aside-2026-01-02T03-04-05Z (2).db"
            ]
        );
        for (aside, content) in asides.iter().zip(["first", "second"]) {
            assert_eq!(std::fs::read_to_string(aside).unwrap(), content);
            let wal = std::fs::read_to_string(with_suffix(aside, "-wal")).unwrap();
            assert_eq!(wal, content);
        }
        assert!(!file.exists() && !with_suffix(&file, "-wal").exists());
    }
}
