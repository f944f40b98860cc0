//! The patterns of a file, arranged so that a call need not look at each of them.
//!
//! Patterns on numbers are found by the digits they begin with, regular expressions run as one set in
//! time linear in the text. Only wildcard names and classes are looked at one by one.

use super::pattern::{Class, Expression, Pattern, Rule};
use crate::screen::asked::{Asked, folded};
use crate::screen::numbering::Key;
use regex::bytes::{RegexSet, RegexSetBuilder};
use std::borrow::Cow;

/// The most that the programs of all regular expressions of a list may take, in bytes. It bounds the
/// time of a decision: the worst ones, asked about the longest name, look at all of a program for each
/// character.
const MAX_REGEXES_BYTES: usize = 2 << 20;

/// How much room there still is for the regular expressions of a list, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegexRoom(usize);

impl Default for RegexRoom {
    fn default() -> Self {
        Self(MAX_REGEXES_BYTES)
    }
}

impl RegexRoom {
    /// Takes the room of rules that are kept as they are.
    pub(super) const fn take_for(&mut self, rules: &Rules) {
        self.0 = self.0.saturating_sub(rules.regex_bytes);
    }

    /// Takes the room that this pattern needs, if there is so much.
    pub(super) fn take(&mut self, pattern: &Pattern) -> Result<(), Cow<'static, str>> {
        if let Pattern::NumberRegex(regex) | Pattern::NameRegex(regex) = pattern {
            self.0 = self.0.checked_sub(regex.size).ok_or(
                "the regular expressions of the list take more than 2 MB together; this one is left out",
            )?;
        }
        Ok(())
    }
}

/// The rules of a file.
#[derive(Debug, Default)]
pub(super) struct Rules {
    all: Vec<Rule>,
    /// Patterns with a plus, and without.
    with_plus: Digits,
    without_plus: Digits,
    names: Vec<u32>,
    classes: Vec<(Class, u32)>,
    number_regexes: Regexes,
    name_regexes: Regexes,
    /// What the programs of all regular expressions take at most.
    regex_bytes: usize,
}

/// Patterns on digits.
#[derive(Debug, Default)]
struct Digits {
    /// The digits that a pattern begins with, and its rule. Sorted.
    heads: Vec<(Key, u32)>,
    /// Which numbers of digits are in `heads`, as bits.
    lengths: u32,
    /// From, to, rule, and the greatest `to` so far. Sorted.
    ranges: Vec<(Key, Key, u32, Key)>,
}

impl Digits {
    fn push_head(&mut self, head: &str, rule: u32) {
        // What is cut off here is looked at when the whole pattern is.
        let length = head.len().min(18);
        if let Some(key) = Key::EMPTY.append(&head[..length]) {
            self.heads.push((key, rule));
            self.lengths |= 1 << length;
        }
    }

    const fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.ranges.is_empty()
    }

    fn sort(&mut self) {
        self.heads.sort_unstable();
        self.ranges.sort_unstable();
        let mut greatest = Key::EMPTY;
        for range in &mut self.ranges {
            greatest = greatest.max(range.1);
            range.3 = greatest;
        }
    }

    /// The rules whose head is a beginning of these digits.
    fn with_head_of<'a>(&'a self, digits: &'a str) -> impl Iterator<Item = u32> + 'a {
        (0..=digits.len().min(18))
            .filter(|length| self.lengths & (1 << length) != 0)
            .filter_map(|length| Key::EMPTY.append(digits.get(..length)?))
            .flat_map(|head| {
                let start = self.heads.partition_point(|entry| entry.0 < head);
                let rest = self.heads[start..].iter();
                rest.take_while(move |entry| entry.0 == head)
                    .map(|entry| entry.1)
            })
    }

    /// The rules whose range holds this number.
    fn with_range_around(&self, number: Key) -> impl Iterator<Item = u32> {
        let end = self.ranges.partition_point(|range| range.0 <= number);
        self.ranges[..end]
            .iter()
            .rev()
            .take_while(move |range| range.3 >= number)
            .filter(move |range| range.1 >= number)
            .map(|range| range.2)
    }
}

/// Regular expressions that are asked together.
#[derive(Debug, Default)]
struct Regexes {
    /// Each with its rule.
    expressions: Vec<(Expression, u32)>,
    set: RegexSet,
}

impl Regexes {
    fn push(&mut self, expression: Expression, rule: u32) {
        self.expressions.push((expression, rule));
    }

    /// Builds the set. Each expression was built before by itself, within its size, so that a set within
    /// twice the sum of the sizes cannot fail; if it did, its expressions would match nothing.
    fn build(&mut self) {
        if self.is_empty() {
            return;
        }
        let sizes = self
            .expressions
            .iter()
            .map(|(expression, _)| expression.size);
        let limit = 2 * sizes.sum::<usize>();
        let sources = self
            .expressions
            .iter()
            .map(|(expression, _)| &*expression.source);
        self.set = RegexSetBuilder::new(sources)
            .unicode(false)
            .case_insensitive(true)
            .size_limit(limit)
            .nest_limit(40)
            .build()
            .unwrap_or_default();
    }

    const fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }

    fn matching<'a>(&'a self, text: &str) -> impl Iterator<Item = u32> + use<'a> {
        let matches = self.set.matches(text.as_bytes()).into_iter();
        matches.filter_map(|index| self.expressions.get(index).map(|found| found.1))
    }
}

impl Rules {
    pub(super) fn push(&mut self, rule: Rule) -> Result<(), Cow<'static, str>> {
        let index = u32::try_from(self.all.len()).map_err(|_| "there are too many patterns")?;
        match &rule.pattern {
            // They are kept beside the rules: there may be millions.
            Pattern::Exact(_) => {}
            Pattern::Digits { plus, glob } => self.digits(*plus).push_head(&glob.head(), index),
            Pattern::Range { plus, from, to } => {
                self.digits(*plus).ranges.push((*from, *to, index, *to));
            }
            Pattern::Name(_) => self.names.push(index),
            Pattern::Class(class) => self.classes.push((*class, index)),
            Pattern::NumberRegex(regex) => {
                self.regex_bytes += regex.size;
                self.number_regexes.push(regex.clone(), index);
            }
            Pattern::NameRegex(regex) => {
                self.regex_bytes += regex.size;
                self.name_regexes.push(regex.clone(), index);
            }
        }
        self.all.push(rule);
        Ok(())
    }

    const fn digits(&mut self, plus: bool) -> &mut Digits {
        if plus {
            &mut self.with_plus
        } else {
            &mut self.without_plus
        }
    }

    /// Makes them ready to be asked.
    pub(super) fn sort(&mut self) {
        self.with_plus.sort();
        self.without_plus.sort();
        self.number_regexes.build();
        self.name_regexes.build();
        self.all.shrink_to_fit();
    }

    pub(super) const fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.all.iter()
    }

    /// The rules that match, whatever the time, with how special each is.
    pub(super) fn matching(&self, asked: &Asked<'_>) -> Vec<(u16, &Rule)> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        if !self.with_plus.is_empty()
            && let Some(form) = asked.with_plus()
        {
            self.matching_digits(&self.with_plus, &form, &mut found);
        }
        if !self.without_plus.is_empty() {
            for form in asked.without_plus() {
                self.matching_digits(&self.without_plus, &form, &mut found);
            }
        }
        if !self.number_regexes.is_empty()
            && let Some(text) = asked.number_text()
        {
            found.extend(self.number_regexes.matching(&text));
        }
        if let Some(name) = asked.caller.name.as_deref() {
            if !self.names.is_empty() {
                let name = folded(name);
                let names = self.names.iter();
                found.extend(names.filter(|index| self.glob_matches(**index, &name)));
            }
            if !self.name_regexes.is_empty() {
                found.extend(self.name_regexes.matching(name.trim()));
            }
        }
        let classes = self
            .classes
            .iter()
            .filter(|(class, _)| class.includes(asked));
        found.extend(classes.map(|(_, index)| index));
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .filter_map(|index| self.all.get(index as usize))
            .map(|rule| (rule.pattern.specificity(), rule))
            .collect()
    }

    fn matching_digits(&self, patterns: &Digits, form: &str, found: &mut Vec<u32>) {
        let candidates = patterns.with_head_of(form);
        found.extend(candidates.filter(|index| self.glob_matches(*index, form)));
        if let Some(number) = Key::new(form) {
            found.extend(patterns.with_range_around(number));
        }
    }

    fn glob_matches(&self, rule: u32, text: &str) -> bool {
        match self.all.get(rule as usize).map(|rule| &rule.pattern) {
            Some(Pattern::Digits { glob, .. } | Pattern::Name(glob)) => glob.matches(text),
            _ => false,
        }
    }
}
