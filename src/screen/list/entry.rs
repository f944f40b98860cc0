//! A line of a list as it is meant, and as it is written: each is the inverse of the other.
//!
//! Whoever keeps a line reads it here, and whoever writes one writes it here. What is written is read
//! again before anybody relies on it, so that no list of ours has a line that means something else.

use super::action::{ListAction, Options};
use super::format::{Row, Sink, line_of, read_as_ours, with_blanks};
use super::pattern::Pattern;
use crate::screen::numbering::Numbering;
use std::borrow::Cow;
use std::path::Path;

/// A line of a list as it is meant.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) pattern: Pattern,
    /// The first column, as written.
    pub(super) text: Box<str>,
    /// The second column, on one line.
    pub(super) name: String,
    pub(super) options: Options,
}

impl Entry {
    /// Reads a row of a list in this folder.
    pub(super) fn read(
        row: &Row<'_>,
        numbering: &Numbering,
        folder: &Path,
    ) -> Result<Self, Cow<'static, str>> {
        let text = row.pattern.trim();
        if text.is_empty() {
            return Err("the number is missing before the comma".into());
        }
        Ok(Self {
            pattern: Pattern::of_row(text, numbering)?,
            text: text.into(),
            name: with_blanks(Cow::Borrowed(&row.name)).trim().to_owned(),
            options: Options::read(row.columns.iter().map(AsRef::as_ref), folder)?,
        })
    }

    /// This entry, read from `row`, as a line without its end for a list of ours in the folder `to`; or
    /// why no line of ours says the same.
    pub(super) fn written(
        mut self,
        row: &Row<'_>,
        numbering: &Numbering,
        to: &Path,
    ) -> Result<String, Cow<'static, str>> {
        let mut row = row.clone();
        row.name = Cow::Borrowed(&self.name);
        let mut moved = None;
        if let Some(ListAction::Message(file)) = &mut self.options.action
            && !is_beside(file, &row, to)
        {
            *file = std::path::absolute(&*file).unwrap_or_else(|_| std::mem::take(file));
            moved = Some(format!("message={}", file.display()));
        }
        if let Some(message) = moved {
            for column in row.columns.iter_mut().filter(|column| is_message(column)) {
                *column = message.clone().into();
            }
        }
        let line = line_of(&row);
        let mut again = ReadAgain {
            numbering,
            folder: to,
            entries: Vec::new(),
        };
        read_as_ours(&line, &mut again)?;
        match &again.entries[..] {
            [again] if *again == self => Ok(line),
            _ => Err("no line of a list can say this".into()),
        }
    }
}

/// Whether the file of a message is found from the folder `to` as it is written in the row.
fn is_beside(file: &Path, row: &Row<'_>, to: &Path) -> bool {
    let columns = row.columns.iter().filter(|column| is_message(column));
    columns
        .filter_map(|column| column.split_once('='))
        .all(|(_, written)| to.join(written.trim()) == file)
}

fn is_message(column: &str) -> bool {
    let key = column.split_once('=').map(|(key, _)| key.trim());
    key.is_some_and(|key| key.eq_ignore_ascii_case("message"))
}

/// What is read from a line that was written.
struct ReadAgain<'a> {
    numbering: &'a Numbering,
    folder: &'a Path,
    entries: Vec<Entry>,
}

impl Sink for ReadAgain<'_> {
    fn row(&mut self, _line: u32, row: Row<'_>) {
        let entry = Entry::read(&row, self.numbering, self.folder);
        self.entries.extend(entry);
    }

    fn bad(&mut self, _line: u32, _what: Cow<'static, str>) {}

    fn left_out(&mut self) {}
}
