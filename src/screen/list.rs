//! Lists of callers: files with a number or a pattern on each line.
//!
//! A list is read once and then answers from memory. Exact numbers are a sorted array of eight bytes
//! each; patterns are arranged by what they begin with. A bad line is named and skipped; it never costs
//! the good ones. A [`List`] does not know whether it allows or blocks.

mod action;
mod convert;
mod edit;
mod entry;
mod exact;
mod file;
mod format;
mod pattern;
mod rules;

pub use action::ListAction;
pub use convert::{Converted, convert_lists};
pub use edit::{EditError, Edited, add_entry, line_end, remove_entry, write_atomically};
pub use format::Format;

use super::asked::{Asked, Exact};
use super::numbering::Numbering;
use super::time::{Date, LocalTime};
use file::{Filled, Filling, ListFile};
use rules::RegexRoom;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most bad lines of a file that are named one by one; the rest is counted.
const MAX_PROBLEMS: usize = 100;
const BUFFER_BYTES: usize = 64 * 1024;

/// A list could not be read, or not to its end.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: {}{}", file.display(),
    match source.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        _ => format!("cannot be read: {source}"),
    },
    if *kept { "; what it held before stays in force (to do away with it, empty it)" } else { "" }
)]
pub struct ListError {
    /// The file as the user named it, or as it was found in his folder.
    pub file: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
    /// Whether its last content is still in force.
    pub kept: bool,
}

/// A bad line: it is skipped, the rest of its file is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file as the user named it.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: u32,
    /// What is wrong with it, and why that matters.
    pub what: Cow<'static, str>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// Which side a list is on, for files that hold both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Side {
    /// Callers that may ring.
    Allow,
    /// Callers that are blocked.
    #[default]
    Block,
}

/// How many complaints or votes make a number one to block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Complaints {
    /// So many at least. One report is none: they are not verified, and numbers are forged.
    pub min: u32,
    /// Complaints older than this do not count.
    pub max_age_days: u32,
    /// Today; without it, age does not count.
    pub today: Option<Date>,
}

impl Default for Complaints {
    /// Three, within 180 days.
    fn default() -> Self {
        Self {
            min: 3,
            max_age_days: 180,
            today: None,
        }
    }
}

impl Complaints {
    fn counts(&self, date: Date, today: Date) -> bool {
        let age = today.day_number() - date.day_number();
        i64::from(age) <= i64::from(self.max_age_days)
    }
}

/// How lists are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// How their numbers are read.
    pub numbering: Numbering,
    /// The side they are on.
    pub side: Side,
    /// What makes a reported number one to block.
    pub complaints: Complaints,
}

/// What came of reading a list.
#[derive(Debug)]
pub struct Loaded {
    /// Everything that could be used.
    pub list: List,
    /// The first hundred bad lines of each file.
    pub problems: Vec<Problem>,
    /// How many bad lines there are in all.
    pub bad_lines: usize,
    /// How many reported numbers were left out: too few reports, or too old.
    pub left_out: usize,
    /// The files that could not be read.
    pub errors: Vec<ListError>,
}

/// A line of a list that matches a caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match<'a> {
    /// The file as the user named it.
    pub file: &'a Path,
    /// Its line, from 1; the number of the row in a database.
    pub line: u32,
    /// The name beside the number, if there is one.
    pub name: Option<&'a str>,
    /// The pattern as written; an exact number in the form it is compared in.
    pub rule: Cow<'a, str>,
    /// What the line wants done.
    pub action: Option<&'a ListAction>,
}

/// What one file of a list holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSummary<'a> {
    /// The file.
    pub file: &'a Path,
    /// How it is written.
    pub format: Format,
    /// Exact numbers and texts, each counted once.
    pub exact: usize,
    /// Patterns.
    pub rules: usize,
    /// Lines that could not be used.
    pub bad_lines: usize,
}

/// Numbers, names and patterns from one or more files.
///
/// What its files hold is shared by all clones of it.
#[derive(Clone, Debug, Default)]
pub struct List {
    numbering: Numbering,
    files: Vec<Arc<ListFile>>,
    unreadable: bool,
}

impl List {
    /// Reads one list from one or more files without knowing the country.
    ///
    /// A line is `number,name`; name and comma may be missing, both may be quoted as in CSV. What the
    /// number may be instead, and which further columns and formats there are, is in `docs/lists.md`.
    /// Blank lines, lines that start with `#`, a byte-order mark and CRLF are fine, and what is not
    /// UTF-8 is read as Latin-1. A record is one line: an open quote ends with it.
    pub fn load<P: AsRef<Path>>(files: &[P]) -> Loaded {
        Self::load_as(&Reading::default(), files)
    }

    /// Reads one list from files, and from all files in folders.
    pub fn load_as<P: AsRef<Path>>(reading: &Reading, paths: &[P]) -> Loaded {
        Self::default().reload(reading, paths)
    }

    /// Reads the list again. A file that has vanished, or cannot be read any more, keeps what it held
    /// in `self`.
    pub fn reload<P: AsRef<Path>>(&self, reading: &Reading, paths: &[P]) -> Loaded {
        let mut loading = Loading::new(reading);
        let mut taken = HashSet::new();
        for path in paths {
            let path = path.as_ref();
            let vanished = self.files_once_at(path);
            let files = match files_at(path) {
                Ok(mut files) => {
                    files.extend(vanished);
                    files.sort();
                    files
                }
                Err(source) if vanished.is_empty() => {
                    loading.failed(path, source, None);
                    continue;
                }
                Err(_) => vanished,
            };
            for file in files {
                if taken.insert(file.clone()) {
                    loading.read_file(&file, self);
                }
            }
        }
        loading.finish()
    }

    /// The files that were at or in `path` when this list was read.
    fn files_once_at(&self, path: &Path) -> Vec<PathBuf> {
        let here = |file: &Path| file == path || file.parent() == Some(path);
        let files = self.files.iter().map(|file| file.path.clone());
        files.filter(|file| here(file)).collect()
    }

    /// Reads a list from text already in memory; `file` is what its lines are called.
    pub fn parse(file: &Path, text: &[u8]) -> Loaded {
        Self::parse_as(&Reading::default(), file, text)
    }

    /// The same, read as lists of this daemon are.
    pub fn parse_as(reading: &Reading, file: &Path, mut text: &[u8]) -> Loaded {
        let mut loading = Loading::new(reading);
        if let Err(source) = loading.read(file, &mut text) {
            loading.failed(file, source, None);
        }
        loading.finish()
    }

    /// The line that names exactly this number, if any, whatever the time: compared by the form that
    /// numbers have in the line's country, or, for a text without digits, without case and outer
    /// blanks.
    pub fn find(&self, number_as_received: &str) -> Option<Match<'_>> {
        let exact = Exact::of(&self.numbering.read(number_as_received), &self.numbering);
        self.files.iter().find_map(|file| file.find(&exact))
    }

    /// All lines that match the caller and are in force, or whatever the time: the most special first,
    /// and of equals the one in the first file, on the first line.
    pub(super) fn matching(&self, asked: &Asked<'_>, now: Option<LocalTime>) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        for file in &self.files {
            file.matching(asked, now, &mut found);
        }
        // The sort is stable: files and lines are in order already.
        found.sort_by_key(|(special, _)| Reverse(*special));
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// How many different numbers (and texts in their place) and patterns the list has.
    pub fn len(&self) -> usize {
        let texts: HashSet<&str> = self.files.iter().flat_map(|file| file.texts()).collect();
        let rules: usize = self.files.iter().map(|file| file.rule_count()).sum();
        self.count_keys() + texts.len() + rules
    }

    /// Each file's numbers are sorted: they are counted by merging them.
    fn count_keys(&self) -> usize {
        let mut sources: Vec<Peekable<_>> = self
            .files
            .iter()
            .map(|file| file.keys().peekable())
            .collect();
        let mut count = 0;
        while let Some(least) = sources
            .iter_mut()
            .filter_map(|source| source.peek().copied())
            .min()
        {
            count += 1;
            for source in &mut sources {
                source.next_if_eq(&least);
            }
        }
        count
    }

    /// What each file holds.
    pub fn files(&self) -> impl Iterator<Item = FileSummary<'_>> {
        self.files.iter().map(|file| FileSummary {
            file: &file.path,
            format: file.format,
            exact: file.exact_count(),
            rules: file.rule_count(),
            bad_lines: file.bad_lines,
        })
    }

    /// Its patterns, in the order of their lines.
    pub fn rules(&self) -> impl Iterator<Item = Match<'_>> {
        self.files.iter().flat_map(|file| file.rule_matches())
    }

    /// Its exact numbers, and texts in their place; each once, with its first line.
    pub fn exact(&self) -> impl Iterator<Item = Match<'_>> {
        self.files.iter().flat_map(|file| file.exact_matches())
    }

    /// Whether there is no usable line.
    pub fn is_empty(&self) -> bool {
        self.files.iter().all(|file| file.is_empty())
    }

    /// Whether there were lines that could not be used.
    pub fn has_bad_lines(&self) -> bool {
        self.files.iter().any(|file| file.bad_lines > 0)
    }

    /// Whether all its files could be read.
    pub const fn is_whole(&self) -> bool {
        !self.unreadable
    }

    /// Whether it has rules that only mean something if the line's own number is known.
    pub(super) fn asks_for_own_number(&self) -> bool {
        self.files.iter().any(|file| file.asks_for_own_number())
    }

    pub(super) fn has_actions(&self) -> bool {
        self.files.iter().any(|file| file.has_actions())
    }
}

/// A list while its files are read.
struct Loading<'a> {
    reading: &'a Reading,
    room: RegexRoom,
    loaded: Loaded,
}

impl<'a> Loading<'a> {
    fn new(reading: &'a Reading) -> Self {
        let list = List {
            numbering: reading.numbering.clone(),
            ..List::default()
        };
        Self {
            reading,
            room: RegexRoom::default(),
            loaded: Loaded {
                list,
                problems: Vec::new(),
                bad_lines: 0,
                left_out: 0,
                errors: Vec::new(),
            },
        }
    }

    fn read_file(&mut self, path: &Path, old: &List) {
        let read = open_regular(path).and_then(|opened| {
            self.read(path, &mut BufReader::with_capacity(BUFFER_BYTES, opened))
        });
        if let Err(source) = read {
            let old = old.files.iter().find(|file| file.path == path);
            self.failed(path, source, old.cloned());
        }
    }

    fn read(&mut self, path: &Path, text: &mut dyn BufRead) -> io::Result<()> {
        let mut filling = Filling::new(path, &self.reading.numbering, self.room);
        let format = format::read(path, text, self.reading, &mut filling)?;
        let Filled {
            file,
            problems,
            left_out,
            room,
        } = filling.finish(format);
        self.room = room;
        self.loaded.bad_lines += file.bad_lines;
        self.loaded.problems.extend(problems);
        self.loaded.left_out += left_out;
        self.loaded.list.files.push(Arc::new(file));
        Ok(())
    }

    fn failed(&mut self, path: &Path, source: io::Error, old: Option<Arc<ListFile>>) {
        let kept = old.is_some();
        self.loaded.list.unreadable |= !kept;
        if let Some(old) = &old {
            self.room.take_for(&old.rules);
        }
        self.loaded.list.files.extend(old);
        self.loaded.errors.push(ListError {
            file: path.to_path_buf(),
            source,
            kept,
        });
    }

    fn finish(self) -> Loaded {
        self.loaded
    }
}

/// A file, or the files in a folder by name, without hidden ones and what editors leave behind.
fn files_at(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        let name = file
            .file_name()
            .map(std::ffi::OsStr::to_string_lossy)
            .unwrap_or_default();
        let is_left_behind = name.starts_with(['.', '#'])
            || name.ends_with('~')
            || [
                ".bak", ".tmp", ".swp", ".orig", ".old", "-wal", "-shm", "-journal",
            ]
            .iter()
            .any(|end| name.ends_with(end));
        if !is_left_behind && std::fs::metadata(&file).is_ok_and(|found| found.is_file()) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Opens a file, but no folder, pipe or device: a list must have an end.
fn open_regular(file: &Path) -> io::Result<File> {
    if std::fs::metadata(file)?.is_file() {
        File::open(file)
    } else {
        Err(io::Error::other("it is not a file"))
    }
}

#[cfg(test)]
mod tests;
