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

fn decode(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(line.iter().copied().map(char::from).collect()),
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: impl AsRef<[u8]>) -> Loaded {
        List::parse("l.csv".as_ref(), text.as_ref())
    }

    fn name_of(loaded: &Loaded, number: &str) -> Option<String> {
        let found = loaded.list.find(number)?;
        Some(format!("{}:{}", found.line, found.name.unwrap_or("-")))
    }

    #[test]
    fn what_people_write_is_understood() {
        let loaded = parse(
            "\u{feff}01234,\r\n56789,Ben\r\n\r\n  # a comment\r\n5055550134,\"Look, there's a comma\"\r\n\
             5550101\r\n \"+1 (505) 555-0102\" , Example Solar , more, columns\r\nAnonymous,Nobody\r\n5550103,  \r\n",
        );
        assert_eq!(loaded.problems, []);
        assert!(loaded.list.is_whole() && loaded.errors.is_empty());
        assert_eq!(loaded.list.len(), 7);
        for (number, expected) in [
            ("01234", Some("1:-")),
            ("1234", None),
            ("001234", None),
            ("56789", Some("2:Ben")),
            ("505 555 0134", Some("5:Look, there's a comma")),
            ("5550101", Some("6:-")),
            ("15055550102", Some("7:Example Solar")),
            ("5055550102", None),
            (" ANONYMOUS ", Some("8:Nobody")),
            ("anonym", None),
            ("5550103", Some("9:-")),
            ("", None),
        ] {
            assert_eq!(name_of(&loaded, number).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_is_used() {
        let long = format!("1{}\n", "x".repeat(9000));
        let text = format!(
            "5550101,good\n,no number\n\"\",none either\n  ,blank\n{long}{}\n5550102;semicolon\nx\0y\n5550103,good",
            "7".repeat(65)
        );
        let loaded = parse(text);
        let said: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "l.csv:2: the number is missing before the comma",
                "l.csv:3: the number is missing before the comma",
                "l.csv:4: the number is missing before the comma",
                "l.csv:5: this line is longer than 4096 characters",
                "l.csv:6: the number is longer than 64 characters",
                "l.csv:7: the columns must be separated by a comma",
                "l.csv:8: control characters: this is not a line of text",
            ]
        );
        assert_eq!(loaded.bad_lines, 7);
        assert_eq!(name_of(&loaded, "5550103").as_deref(), Some("9:good"));
        assert_eq!(loaded.list.len(), 2);
    }

    #[test]
    fn an_open_quote_ends_with_its_line() {
        let loaded = parse("5550101,\"open\n5550102,\"closed\"\n\"5550103\n5550104,\n");
        assert_eq!(loaded.bad_lines, 0);
        assert_eq!(name_of(&loaded, "5550101").as_deref(), Some("1:open"));
        assert_eq!(name_of(&loaded, "5550102").as_deref(), Some("2:closed"));
        assert_eq!(name_of(&loaded, "5550103").as_deref(), Some("3:-"));
        assert_eq!(name_of(&loaded, "5550104").as_deref(), Some("4:-"));
    }

    #[test]
    fn latin_1_names_are_read() {
        let loaded = parse(b"5550101,V\xe4h\xe4l\xe4\n5550102,Zo\xc3\xab\n");
        assert_eq!(name_of(&loaded, "5550101").as_deref(), Some("1:Vähälä"));
        assert_eq!(name_of(&loaded, "5550102").as_deref(), Some("2:Zoë"));
    }

    #[test]
    fn the_first_of_two_lines_counts_and_several_files_are_one_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let first = path("a.csv", "5550101,first\n\nprivate,text\n");
        let empty = path("b.csv", "");
        let second = path(
            "c.csv",
            "\u{feff}5550101,second\n5550102,other\n,bad\nPRIVATE,\n",
        );
        let loaded = List::load(&[&first, &empty, &second]);
        let found = loaded.list.find("5550101").unwrap();
        assert_eq!(
            (found.file, found.line, found.name),
            (first.as_path(), 1, Some("first"))
        );
        let found = loaded.list.find("5550102").unwrap();
        assert_eq!(
            (found.file, found.line, found.name),
            (second.as_path(), 2, Some("other"))
        );
        let found = loaded.list.find("private").unwrap();
        assert_eq!((found.file, found.line), (first.as_path(), 3));
        assert_eq!(
            (loaded.problems[0].file.as_path(), loaded.problems[0].line),
            (second.as_path(), 3)
        );
        assert_eq!(loaded.list.len(), 3);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_the_others_are_used() {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good.csv");
        std::fs::write(&good, "5550101,\n").unwrap();
        let loaded = List::load(&[folder.path(), &folder.path().join("absent.csv"), &good]);
        assert_eq!(loaded.errors.len(), 2);
        assert!(loaded.errors[0].to_string().contains("it is not a file"));
        assert!(!loaded.list.is_whole());
        assert!(loaded.list.find("5550101").is_some());
    }

    #[test]
    fn the_lists_we_ship_are_good() {
        for (name, count) in [("blocklist", 6), ("allowlist", 4)] {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let loaded = List::load(&[root.join(format!("examples/{name}.csv"))]);
            assert_eq!((loaded.problems, loaded.list.len()), (vec![], count));
            assert!(loaded.errors.is_empty());
        }
    }

    #[test]
    fn problems_are_bounded_but_counted() {
        let loaded = parse(",x\n".repeat(5000));
        assert_eq!(
            (loaded.problems.len(), loaded.bad_lines),
            (MAX_PROBLEMS, 5000)
        );
        assert!(loaded.list.is_empty() && loaded.list.has_bad_lines());
    }

    #[test]
    fn numbers_of_any_length_are_exact() {
        let texts: Vec<String> = (1..=64).map(|length| "0".repeat(length)).collect();
        for (index, text) in texts.iter().enumerate() {
            let loaded = parse(format!("{text},"));
            for (other, number) in texts.iter().enumerate() {
                assert_eq!(loaded.list.find(number).is_some(), index == other);
            }
        }
        assert_eq!(
            Key::new("999999999999999999"),
            Some(Key(1_999_999_999_999_999_999))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let loaded = parse(&bytes);
            let _ = loaded.list.find(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn what_looks_like_a_list_never_panics(text in "([0-9a-zP+,;\"# \t\r]{0,12}\n?){0,12}") {
            let loaded = parse(&text);
            for line in text.split('\n') {
                let _ = loaded.list.find(line);
            }
            prop_assert!(loaded.list.len() + loaded.bad_lines <= text.split('\n').count());
        }

        #[test]
        fn a_plain_line_means_the_same_to_us_as_to_csv(line in "[0-9a-z+, .]{1,40}") {
            let mut record = csv::StringRecord::new();
            csv::ReaderBuilder::new().has_headers(false).flexible(true)
                .from_reader(line.as_bytes()).read_record(&mut record).unwrap();
            let (number, name) = columns(&line).unwrap();
            prop_assert_eq!(&*number, record.get(0).unwrap_or_default());
            prop_assert_eq!(&*name, record.get(1).unwrap_or_default());
        }

        #[test]
        fn every_number_is_found_and_no_other(numbers in proptest::collection::vec("[0-9]{1,22}", 1..40), other in "[0-9]{1,22}") {
            let loaded = parse(numbers.join(",x\n"));
            for number in &numbers {
                prop_assert!(loaded.list.find(number).is_some());
            }
            prop_assert_eq!(loaded.list.find(&other).is_some(), numbers.contains(&other));
        }
    }
}
