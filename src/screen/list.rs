//! Lists of callers: CSV files with a number and a name on each line.
//!
//! A list is read once and then answers from memory: a sorted array of numbers, 16 bytes each, and
//! their names in one string. A bad line is named and skipped; it never costs the good ones. A
//! [`List`] does not know whether it allows or blocks.

use super::caller::{Number, digits_of};
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest line that is read; the rest of a longer one is skipped.
const MAX_LINE_BYTES: u64 = 4096;
/// The longest first column.
const MAX_NUMBER_BYTES: usize = 64;
/// The most bad lines that are named one by one; the rest is counted.
const MAX_PROBLEMS: usize = 100;
/// The most digits that fit into a [`Key`].
const MAX_KEY_DIGITS: usize = 18;
const NO_NAME: u32 = u32::MAX;

/// A list could not be read, or not to its end.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be read: {source}", file.display())]
pub struct ListError {
    /// The file as the user named it.
    pub file: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

/// A bad line: it is skipped, the rest of its file is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file as the user named it.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: u32,
    /// What is wrong with it, and why that matters.
    pub what: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// What came of reading a list.
#[derive(Debug)]
pub struct Loaded {
    /// Everything that could be used.
    pub list: List,
    /// The first hundred bad lines.
    pub problems: Vec<Problem>,
    /// How many bad lines there are in all.
    pub bad_lines: usize,
    /// The files that could not be read.
    pub errors: Vec<ListError>,
}

/// The line of a list that names a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Match<'a> {
    /// The file as the user named it.
    pub file: &'a Path,
    /// Its line, from 1.
    pub line: u32,
    /// The name beside the number, if there is one.
    pub name: Option<&'a str>,
}

/// Up to 18 digits, leading zeros included: the number that they form behind a leading 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key(u64);

impl Key {
    fn new(digits: &str) -> Option<Self> {
        if digits.is_empty() || digits.len() > MAX_KEY_DIGITS {
            return None;
        }
        digits
            .bytes()
            .try_fold(1_u64, |key, byte| {
                byte.is_ascii_digit()
                    .then(|| key * 10 + u64::from(byte - b'0'))
            })
            .map(Self)
    }
}

/// Where an entry was written: its line, counted through all files, and the offset of its name.
#[derive(Clone, Copy, Debug)]
struct Place {
    line: u32,
    name: u32,
}

/// Numbers and names from one or more files, compared exactly.
#[derive(Debug, Default)]
pub struct List {
    /// Sorted, each key once: where a number is written twice, the first line counts.
    numbers: Vec<(Key, Place)>,
    /// First columns without digits (upper case), or with too many for a key (digits alone). Sorted.
    texts: Vec<(Box<str>, Place)>,
    /// All names, each ended by a line feed.
    names: String,
    /// Each file with the count of lines in the files before it.
    files: Vec<(PathBuf, u32)>,
    bad_lines: usize,
    unreadable: bool,
}

impl List {
    /// Reads one list from one or more files.
    ///
    /// A line is `number,name`; name and comma may be missing, both may be quoted as in CSV,
    /// further columns are ignored. Blank lines, lines that start with `#`, a byte-order mark and
    /// CRLF are fine, and what is not UTF-8 is read as Latin-1. A record is one line: an open quote
    /// ends with it.
    pub fn load<P: AsRef<Path>>(files: &[P]) -> Loaded {
        let mut loading = Loading::default();
        for file in files {
            let file = file.as_ref();
            let read = open_regular(file)
                .and_then(|opened| loading.read(file, &mut BufReader::new(opened)));
            if let Err(source) = read {
                loading.failed(file, source);
            }
        }
        loading.finish()
    }

    /// Reads a list from text already in memory; `file` is what its lines are called.
    pub fn parse(file: &Path, mut text: &[u8]) -> Loaded {
        let mut loading = Loading::default();
        if let Err(source) = loading.read(file, &mut text) {
            loading.failed(file, source);
        }
        loading.finish()
    }

    /// The line that names this number, if any: compared by digits, or, for a text without digits,
    /// as text without case and outer blanks.
    pub fn find(&self, number_as_received: &str) -> Option<Match<'_>> {
        let digits = digits_of(number_as_received);
        let place = if let Some(key) = Key::new(&digits) {
            let found = self.numbers.binary_search_by_key(&key, |entry| entry.0);
            self.numbers.get(found.ok()?)?.1
        } else {
            let text = text_form(number_as_received, digits);
            let found = self
                .texts
                .binary_search_by(|entry| (*entry.0).cmp(text.as_str()));
            self.texts.get(found.ok()?)?.1
        };
        let file = self.files.partition_point(|file| file.1 < place.line);
        let (file, lines_before) = self.files.get(file.checked_sub(1)?)?;
        Some(Match {
            file,
            line: place.line - lines_before,
            name: self.name(place.name),
        })
    }

    /// How many different numbers (and texts in their place) the list has.
    pub fn len(&self) -> usize {
        self.numbers.len() + self.texts.len()
    }

    /// Whether there is no usable line.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there were lines that could not be used.
    pub const fn has_bad_lines(&self) -> bool {
        self.bad_lines > 0
    }

    /// Whether all its files could be read.
    pub const fn is_whole(&self) -> bool {
        !self.unreadable
    }

    fn name(&self, offset: u32) -> Option<&str> {
        let rest = self.names.get(usize::try_from(offset).ok()?..)?;
        rest.split('\n').next()
    }
}

/// A list while its files are read.
#[derive(Default)]
struct Loading {
    list: List,
    problems: Vec<Problem>,
    errors: Vec<ListError>,
    /// Lines read so far, in all files.
    lines: u32,
}

impl Loading {
    fn read(&mut self, file: &Path, text: &mut dyn BufRead) -> io::Result<()> {
        let lines_before = self.lines;
        self.list.files.push((file.to_path_buf(), lines_before));
        let mut line = Vec::new();
        loop {
            line.clear();
            let whole = read_line(text, &mut line)?;
            if line.is_empty() {
                return Ok(());
            }
            self.lines = self.lines.checked_add(1).ok_or_else(too_large)?;
            if self.lines == lines_before + 1 && line.starts_with(b"\xef\xbb\xbf") {
                line.drain(..3);
            }
            let outcome = if whole {
                self.take(&decode(&line))
            } else {
                Err("this line is longer than 4096 characters")
            };
            if let Err(what) = outcome {
                self.list.bad_lines += 1;
                if self.problems.len() < MAX_PROBLEMS {
                    self.problems.push(Problem {
                        file: file.to_path_buf(),
                        line: self.lines - lines_before,
                        what,
                    });
                }
            }
        }
    }

    /// Takes one line in, or says what is wrong with it.
    fn take(&mut self, line: &str) -> Result<(), &'static str> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains(|c: char| c.is_control() && c != '\t') {
            return Err("control characters: this is not a line of text");
        }
        let (number, name) = columns(line)?;
        let number = number.trim();
        if number.is_empty() {
            return Err("the number is missing before the comma");
        }
        if number.len() > MAX_NUMBER_BYTES {
            return Err("the number is longer than 64 characters");
        }
        if number.contains([';', '\t']) {
            return Err("the columns must be separated by a comma");
        }
        let place = Place {
            line: self.lines,
            name: self.keep_name(name.trim()),
        };
        let digits = digits_of(number);
        match Key::new(&digits) {
            Some(key) => self.list.numbers.push((key, place)),
            None => self
                .list
                .texts
                .push((text_form(number, digits).into(), place)),
        }
        Ok(())
    }

    /// Where the name was put; a list with more than 4 GB of names goes on without them.
    fn keep_name(&mut self, name: &str) -> u32 {
        let offset = u32::try_from(self.list.names.len()).unwrap_or(NO_NAME);
        if name.is_empty() || offset == NO_NAME {
            return NO_NAME;
        }
        self.list.names.push_str(name);
        self.list.names.push('\n');
        offset
    }

    fn failed(&mut self, file: &Path, source: io::Error) {
        self.list.unreadable = true;
        self.errors.push(ListError {
            file: file.to_path_buf(),
            source,
        });
    }

    fn finish(mut self) -> Loaded {
        let list = &mut self.list;
        list.numbers
            .sort_unstable_by_key(|(key, place)| (*key, place.line));
        list.numbers.dedup_by_key(|(key, _)| *key);
        list.numbers.shrink_to_fit();
        list.texts
            .sort_unstable_by(|a, b| (&a.0, a.1.line).cmp(&(&b.0, b.1.line)));
        list.texts.dedup_by(|a, b| a.0 == b.0);
        list.names.shrink_to_fit();
        Loaded {
            bad_lines: self.list.bad_lines,
            list: self.list,
            problems: self.problems,
            errors: self.errors,
        }
    }
}

/// Opens a file, but no folder, pipe or device: a list must have an end.
fn open_regular(file: &Path) -> io::Result<File> {
    if std::fs::metadata(file)?.is_file() {
        File::open(file)
    } else {
        Err(io::Error::other("it is not a file"))
    }
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "it has too many lines")
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

/// A line as text. What is not UTF-8 is taken for Latin-1; Windows puts quotes and dashes where
/// Latin-1 has control characters, and these are lost.
fn decode(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(line.iter().copied().map(latin_1).collect()),
    }
}

const fn latin_1(byte: u8) -> char {
    match byte {
        0x80..=0x9f => char::REPLACEMENT_CHARACTER,
        _ => byte as char,
    }
}

/// The first two columns of a line.
fn columns(line: &str) -> Result<(Cow<'_, str>, Cow<'_, str>), &'static str> {
    if !line.contains('"') {
        // Without a quote, CSV is a plain split; this is nearly every line of a long list.
        let mut columns = line.splitn(3, ',');
        let number = columns.next().unwrap_or_default();
        let name = columns.next().unwrap_or_default();
        return Ok((number.into(), name.into()));
    }
    let mut record = csv::StringRecord::new();
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes())
        .read_record(&mut record)
        .map_err(|_| "this is not a CSV record")?;
    let column = |index| Cow::Owned(record.get(index).unwrap_or_default().to_owned());
    Ok((column(0), column(1)))
}

/// The form in which what has no [`Key`] is compared.
fn text_form(text: &str, digits: String) -> String {
    if digits.is_empty() {
        Number::new(text.trim()).as_received().to_uppercase()
    } else {
        digits
    }
}

#[cfg(test)]
mod tests;
