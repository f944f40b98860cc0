//! One file of a list, read: what it holds, and how it answers.

use super::action::OptionsByEntry;
use super::entry::Entry;
use super::exact::{ExactNumbers, Names};
use super::format::{Format, PlainNumber, Row, Sink};
use super::pattern::{Class, EXACT, Pattern, Rule};
use super::rules::{RegexRoom, Rules};
use super::{MAX_PROBLEMS, Match, Problem};
use crate::screen::asked::{Asked, Exact};
use crate::screen::numbering::{Key, Numbering};
use crate::screen::time::LocalTime;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Of the lines with one and the same number, so many are told.
const MOST_OF_A_NUMBER: usize = 100;

/// What is in a file. Its entries are known by their lines; where several may share a line, by their
/// place among all entries.
#[derive(Debug)]
pub(super) struct ListFile {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) exact: ExactNumbers,
    /// First columns without digits (upper case), or with too many for a key (digits alone). Sorted.
    texts: Vec<(Box<str>, u32)>,
    pub(super) names: Names,
    /// What the exact entries want done, and when.
    pub(super) options: OptionsByEntry,
    pub(super) rules: Rules,
    /// The lines of the entries, if these are known by their places.
    lines: Option<Vec<u32>>,
    pub(super) bad_lines: usize,
}

impl ListFile {
    /// Every line that matches and is in force, or whatever the time, with how special it is; in their
    /// order.
    pub(super) fn matching<'a>(
        &'a self,
        asked: &Asked<'_>,
        now: Option<LocalTime>,
        found: &mut Vec<(u16, Match<'a>)>,
    ) {
        let mut here: Vec<(u32, u16, Match<'a>)> = Vec::new();
        if let Some(exact) = &asked.exact {
            let is_in_force = |entry: &u32| {
                let when = now.zip(self.options.of(*entry));
                when.is_none_or(|(now, options)| options.when.includes(now))
            };
            let entries = self.exact_entries(exact).filter(is_in_force);
            let entries = entries.take(MOST_OF_A_NUMBER);
            here.extend(entries.map(|entry| (entry, EXACT, self.exact_match(exact, entry))));
        }
        let rules = self.rules.matching(asked).into_iter();
        let rules = rules.filter(|(_, rule)| now.is_none_or(|now| rule.when.includes(now)));
        here.extend(rules.map(|(special, rule)| (rule.entry, special, self.rule_match(rule))));
        here.sort_by_key(|(entry, ..)| *entry);
        found.extend(here.into_iter().map(|(_, special, found)| (special, found)));
    }

    /// The line for exactly this number or text, whatever the time.
    pub(super) fn find(&self, exact: &Exact) -> Option<Match<'_>> {
        let entry = self.exact_entries(exact).next()?;
        Some(self.exact_match(exact, entry))
    }

    /// The entries with exactly this number or text, in their order.
    pub(super) fn exact_entries(&self, exact: &Exact) -> impl Iterator<Item = u32> {
        let (number, text) = match exact {
            Exact::Number(key) => (Some(*key), None),
            Exact::Text(text) => (None, Some(text)),
        };
        let numbers = number.into_iter().flat_map(|key| self.exact.lines(key));
        let texts = text.into_iter().flat_map(|text| {
            let from = self.texts.partition_point(|(other, _)| other < text);
            let same = self.texts[from..].iter();
            same.take_while(move |(other, _)| other == text)
        });
        numbers.chain(texts.map(|(_, entry)| *entry))
    }

    fn line(&self, entry: u32) -> u32 {
        match &self.lines {
            None => entry,
            Some(lines) => {
                let place = entry.saturating_sub(1) as usize;
                lines.get(place).copied().unwrap_or_default()
            }
        }
    }

    fn exact_match(&self, exact: &Exact, entry: u32) -> Match<'_> {
        Match {
            file: &self.path,
            line: self.line(entry),
            name: self.names.of_line(entry),
            rule: match exact {
                Exact::Number(key) => key.digits().into(),
                Exact::Text(text) => text.to_string().into(),
            },
            action: self
                .options
                .of(entry)
                .and_then(|options| options.action.as_ref()),
        }
    }

    fn rule_match<'a>(&'a self, rule: &'a Rule) -> Match<'a> {
        Match {
            file: &self.path,
            line: self.line(rule.entry),
            name: self.names.of_line(rule.entry),
            rule: Cow::Borrowed(&rule.text),
            action: rule.action.as_ref(),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.exact.keys()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let different = self.texts.chunk_by(|(a, _), (b, _)| a == b);
        different.filter_map(|same| Some(&*same.first()?.0))
    }

    /// How many exact numbers and texts there are.
    pub(super) fn exact_count(&self) -> usize {
        self.exact.len() + self.texts().count()
    }

    pub(super) fn rule_matches(&self) -> impl Iterator<Item = Match<'_>> {
        self.rules.iter().map(|rule| self.rule_match(rule))
    }

    pub(super) fn exact_matches(&self) -> impl Iterator<Item = Match<'_>> {
        let numbers = self.keys().map(Exact::Number);
        let texts = self.texts().map(|text| Exact::Text(text.into()));
        numbers.chain(texts).filter_map(|exact| {
            let first = self.exact_entries(&exact).next()?;
            Some(self.exact_match(&exact, first))
        })
    }

    pub(super) const fn rule_count(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn asks_for_own_number(&self) -> bool {
        let own =
            |rule: &Rule| matches!(rule.pattern, Pattern::Class(Class::Own | Class::Neighbour));
        self.rules.iter().any(own)
    }

    pub(super) fn has_actions(&self) -> bool {
        let of_rules = self.rules.iter().map(|rule| &rule.action);
        let of_numbers = self.options.kinds().map(|options| &options.action);
        of_rules.chain(of_numbers).any(Option::is_some)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.texts.is_empty() && self.rules.len() == 0
    }
}

/// A file while it is read.
pub(super) struct Filling<'a> {
    file: ListFile,
    numbering: &'a Numbering,
    room: RegexRoom,
    problems: Vec<Problem>,
    left_out: usize,
}

/// What came of reading a file.
pub(super) struct Filled {
    pub(super) file: ListFile,
    pub(super) problems: Vec<Problem>,
    pub(super) left_out: usize,
    /// The room for regular expressions that is left.
    pub(super) room: RegexRoom,
}

impl<'a> Filling<'a> {
    pub(super) fn new(path: &Path, numbering: &'a Numbering, room: RegexRoom) -> Self {
        Self {
            file: ListFile {
                path: path.to_path_buf(),
                format: Format::Csv,
                exact: ExactNumbers::default(),
                texts: Vec::new(),
                names: Names::default(),
                options: OptionsByEntry::default(),
                rules: Rules::default(),
                lines: None,
                bad_lines: 0,
            },
            numbering,
            room,
            problems: Vec::new(),
            left_out: 0,
        }
    }

    pub(super) fn finish(mut self, format: Format) -> Filled {
        let file = &mut self.file;
        file.format = format;
        file.exact.sort();
        file.names.shrink();
        file.options.shrink();
        file.rules.sort();
        file.texts.sort_unstable();
        file.texts.shrink_to_fit();
        Filled {
            file: self.file,
            problems: self.problems,
            left_out: self.left_out,
            room: self.room,
        }
    }

    fn take(&mut self, line: u32, row: &Row<'_>) -> Result<(), Cow<'static, str>> {
        let folder = self.file.path.parent().unwrap_or(Path::new(""));
        let Entry {
            pattern,
            text,
            name,
            options,
        } = Entry::read(row, self.numbering, folder)?;
        self.room.take(&pattern)?;
        let entry = self.entry_on(line)?;
        match pattern {
            Pattern::Exact(exact) => {
                self.file.options.push(entry, options)?;
                match exact {
                    Exact::Number(key) => self.file.exact.push(key, entry),
                    Exact::Text(text) => self.file.texts.push((text, entry)),
                }
            }
            pattern => self.file.rules.push(Rule {
                entry,
                text,
                pattern,
                action: options.action,
                when: options.when,
            })?,
        }
        self.file.names.push(entry, &name);
        Ok(())
    }

    /// What an entry on this line is known by.
    fn entry_on(&mut self, line: u32) -> Result<u32, &'static str> {
        let Some(lines) = &mut self.file.lines else {
            return Ok(line);
        };
        lines.push(line);
        u32::try_from(lines.len()).map_err(|_| "there are too many entries")
    }
}

impl Sink for Filling<'_> {
    fn number(&mut self, line: u32, number: PlainNumber<'_>) {
        if let Some(key) = self.numbering.key_of(number.plus, number.digits) {
            self.file.exact.push(key, line);
            self.file.names.push(line, number.name);
        }
    }

    fn share_lines(&mut self) {
        self.file.lines = Some(Vec::new());
    }

    fn row(&mut self, line: u32, row: Row<'_>) {
        if let Err(what) = self.take(line, &row) {
            self.bad(line, what);
        }
    }

    fn bad(&mut self, line: u32, what: Cow<'static, str>) {
        self.file.bad_lines += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                file: self.file.path.clone(),
                line,
                what,
            });
        }
    }

    fn left_out(&mut self) {
        self.left_out += 1;
    }
}
