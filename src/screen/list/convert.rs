//! Lists of any format as a list of ours.

use super::entry::Entry;
use super::format::{Row, Sink, read};
use super::rules::RegexRoom;
use super::{BUFFER_BYTES, Format, ListError, Problem, Reading, files_at, open_regular};
use crate::screen::numbering::Numbering;
use std::borrow::Cow;
use std::collections::HashSet;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// What came of converting lists.
#[derive(Debug, Default)]
pub struct Converted {
    /// The lines of the new list, each with its end.
    pub text: String,
    /// How many entries it has.
    pub entries: usize,
    /// How many entries were there more than once, and are there once now.
    pub repeated: usize,
    /// The files, and what each of them was.
    pub files: Vec<(PathBuf, Format)>,
    /// What could not be used.
    pub problems: Vec<Problem>,
    /// How many reported numbers were left out: too few reports, or too old.
    pub left_out: usize,
    /// Files that could not be read, or not to their end.
    pub errors: Vec<ListError>,
}

/// Converts files, and all files in folders, into one list of ours, which is to be at `to`. An entry
/// that no line of ours could say is not in it, but among the problems.
pub fn convert_lists<P: AsRef<Path>>(reading: &Reading, paths: &[P], to: &Path) -> Converted {
    let mut writing = Writing {
        converted: Converted::default(),
        numbering: &reading.numbering,
        file: PathBuf::new(),
        folder: to.parent().unwrap_or(Path::new("")),
        room: RegexRoom::default(),
        seen: HashSet::new(),
    };
    for path in paths {
        let path = path.as_ref();
        let files = files_at(path).unwrap_or_else(|_| vec![path.to_path_buf()]);
        for file in files {
            writing.file.clone_from(&file);
            let format = open_regular(&file).and_then(|opened| {
                let mut text = BufReader::with_capacity(BUFFER_BYTES, opened);
                read(&file, &mut text, reading, &mut writing)
            });
            match format {
                Ok(format) => writing.converted.files.push((file, format)),
                Err(source) => writing.converted.errors.push(ListError {
                    file,
                    source,
                    kept: false,
                }),
            }
        }
    }
    writing.converted
}

struct Writing<'a> {
    converted: Converted,
    numbering: &'a Numbering,
    file: PathBuf,
    /// The folder of the new list.
    folder: &'a Path,
    room: RegexRoom,
    seen: HashSet<String>,
}

impl Writing<'_> {
    fn written(&mut self, row: &Row<'_>) -> Result<String, Cow<'static, str>> {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let entry = Entry::read(row, self.numbering, folder)?;
        self.room.take(&entry.pattern)?;
        entry.written(row, self.numbering, self.folder)
    }
}

impl Sink for Writing<'_> {
    fn row(&mut self, line: u32, row: Row<'_>) {
        let written = match self.written(&row) {
            Ok(written) => written,
            Err(what) => return self.bad(line, what),
        };
        if self.seen.insert(written.clone()) {
            self.converted.text.push_str(&written);
            self.converted.text.push('\n');
            self.converted.entries += 1;
        } else {
            self.converted.repeated += 1;
        }
    }

    fn bad(&mut self, line: u32, what: Cow<'static, str>) {
        self.converted.problems.push(Problem {
            file: self.file.clone(),
            line,
            what,
        });
    }

    fn left_out(&mut self) {
        self.converted.left_out += 1;
    }
}
