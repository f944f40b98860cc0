//! One file of a list, read: what it holds, and how it answers.

use super::action::Options;
use super::exact::{ExactNumbers, Names};
use super::format::{Format, PlainNumber, Row, Sink};
use super::pattern::{Class, EXACT, Pattern, Rule};
use super::rules::Rules;
use super::{MAX_PROBLEMS, Match, Problem};
use crate::screen::asked::{Asked, Exact};
use crate::screen::numbering::{Key, Numbering};
use crate::screen::time::{LocalTime, When};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// What is in a file.
#[derive(Debug)]
pub(super) struct ListFile {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    exact: ExactNumbers,
    /// First columns without digits (upper case), or with too many for a key (digits alone). Sorted.
    texts: Vec<(Box<str>, u32)>,
    names: Names,
    rules: Rules,
    pub(super) bad_lines: usize,
}

impl ListFile {
    /// Every line that matches and is in force, or whatever the time, with how special it is.
    pub(super) fn matching<'a>(
        &'a self,
        asked: &Asked<'_>,
        now: Option<LocalTime>,
        found: &mut Vec<(u16, Match<'a>)>,
    ) {
        if let Some(exact) = &asked.exact
            && let Some(line) = self.plain_line(exact)
        {
            found.push((EXACT, self.plain_match(exact, line)));
        }
        for (specificity, rule) in self.rules.matching(asked) {
            if now.is_none_or(|now| rule.when.includes(now)) {
                found.push((specificity, self.rule_match(rule)));
            }
        }
    }

    /// The line for exactly this number or text, whatever the time.
    pub(super) fn find(&self, exact: &Exact) -> Option<Match<'_>> {
        let plain = self.plain_line(exact);
        let rule = self.rules.exact(exact).map(|(_, rule)| rule);
        match (plain, rule) {
            (Some(line), rule) if rule.is_none_or(|rule| line < rule.line) => {
                Some(self.plain_match(exact, line))
            }
            (_, rule) => rule.map(|rule| self.rule_match(rule)),
        }
    }

    fn plain_line(&self, exact: &Exact) -> Option<u32> {
        match exact {
            Exact::Number(key) => self.exact.line(*key),
            Exact::Text(text) => {
                let at = self
                    .texts
                    .binary_search_by(|entry| entry.0.cmp(text))
                    .ok()?;
                Some(self.texts[at].1)
            }
        }
    }

    fn plain_match(&self, exact: &Exact, line: u32) -> Match<'_> {
        Match {
            file: &self.path,
            line,
            name: self.names.of_line(line),
            rule: match exact {
                Exact::Number(key) => key.digits().into(),
                Exact::Text(text) => text.to_string().into(),
            },
            action: None,
        }
    }

    fn rule_match<'a>(&'a self, rule: &'a Rule) -> Match<'a> {
        Match {
            file: &self.path,
            line: rule.line,
            name: self.names.of_line(rule.line),
            rule: Cow::Borrowed(&rule.text),
            action: rule.action.as_ref(),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.exact.keys()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|entry| &*entry.0)
    }

    /// How many exact numbers and texts there are.
    pub(super) fn exact_count(&self) -> usize {
        self.exact.len() + self.texts.len()
    }

    pub(super) fn rule_matches(&self) -> impl Iterator<Item = Match<'_>> {
        self.rules.iter().map(|rule| self.rule_match(rule))
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
        self.rules.iter().any(|rule| rule.action.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.texts.is_empty() && self.rules.len() == 0
    }
}

/// A file while it is read.
pub(super) struct Filling<'a> {
    file: ListFile,
    numbering: &'a Numbering,
    pub(super) problems: Vec<Problem>,
    pub(super) left_out: usize,
}

impl<'a> Filling<'a> {
    pub(super) fn new(path: &Path, numbering: &'a Numbering) -> Self {
        Self {
            file: ListFile {
                path: path.to_path_buf(),
                format: Format::Csv,
                exact: ExactNumbers::default(),
                texts: Vec::new(),
                names: Names::default(),
                rules: Rules::default(),
                bad_lines: 0,
            },
            numbering,
            problems: Vec::new(),
            left_out: 0,
        }
    }

    pub(super) fn finish(mut self, format: Format) -> (ListFile, Vec<Problem>, usize) {
        let file = &mut self.file;
        file.format = format;
        file.exact.sort();
        file.names.shrink();
        file.rules.sort();
        file.texts.sort_unstable();
        file.texts.dedup_by(|a, b| a.0 == b.0);
        (self.file, self.problems, self.left_out)
    }

    fn take(&mut self, line: u32, row: &Row<'_>) -> Result<(), Cow<'static, str>> {
        let pattern = row.pattern.trim();
        if pattern.is_empty() {
            return Err("the number is missing before the comma".into());
        }
        let pattern_read = Pattern::of_row(pattern, self.numbering)?;
        let folder = self.file.path.parent().unwrap_or(Path::new(""));
        let options = Options::read(row.columns.iter().map(AsRef::as_ref), folder)?;
        let is_plain = options.action.is_none() && options.when == When::default();
        match pattern_read {
            Pattern::Exact(Exact::Number(key)) if is_plain => self.file.exact.push(key, line),
            Pattern::Exact(Exact::Text(text)) if is_plain => self.file.texts.push((text, line)),
            read => self.file.rules.push(Rule {
                line,
                text: pattern.into(),
                pattern: read,
                action: options.action,
                when: options.when,
            })?,
        }
        self.file.names.push(line, row.name.trim());
        Ok(())
    }
}

impl Sink for Filling<'_> {
    fn number(&mut self, line: u32, number: PlainNumber<'_>) {
        if let Some(key) = self.numbering.key_of(number.plus, number.digits) {
            self.file.exact.push(key, line);
            self.file.names.push(line, number.name);
        }
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
