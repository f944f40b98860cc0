//! The patterns of the first column, one by one: what they mean, and how special each is.

use super::action::ListAction;
use crate::screen::asked::{Asked, Exact, folded};
use crate::screen::caller::CallerNumber;
use crate::screen::numbering::{Country, Key, Number, Numbering};
use crate::screen::time::When;
use regex::bytes::{Regex, RegexBuilder};
use std::borrow::Cow;

/// The longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 512;
/// The longest exact number, in bytes.
const MAX_NUMBER_BYTES: usize = 64;
/// The most that one regular expression may take, in bytes of its program.
const MAX_REGEX_BYTES: usize = 1 << 16;

/// A line that is more than an exact number.
#[derive(Debug)]
pub(super) struct Rule {
    /// What it is known by in its file: its line, or its place among the entries.
    pub(super) entry: u32,
    /// The first column, as written.
    pub(super) text: Box<str>,
    pub(super) pattern: Pattern,
    pub(super) action: Option<ListAction>,
    pub(super) when: When,
}

/// What a caller must be for a rule to match.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Pattern {
    /// This number, or this text in its place.
    Exact(Exact),
    /// A number with wildcards.
    Digits { plus: bool, glob: Glob },
    /// Numbers of the same length, both ends included.
    Range { plus: bool, from: Key, to: Key },
    /// A regular expression on the number.
    NumberRegex(Expression),
    /// A name with or without wildcards, folded.
    Name(Glob),
    /// A regular expression on the name.
    NameRegex(Expression),
    /// A kind of caller.
    Class(Class),
}

/// A regular expression that can be built; many of them become one set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Expression {
    pub(super) source: Box<str>,
    /// What its program takes at most, in bytes.
    pub(super) size: usize,
}

/// A kind of caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Withheld,
    OutOfArea,
    NoCallerId,
    Invalid,
    Neighbour,
    Own,
    TollFree,
    Premium,
    Country(Country),
}

/// How special the line of an exact number is: more than any pattern.
pub(super) const EXACT: u16 = 1000;

impl Pattern {
    /// Reads the first column of a line.
    pub(super) fn read(text: &str, numbering: &Numbering) -> Result<Self, Cow<'static, str>> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err("the pattern is longer than 512 characters".into());
        }
        if let Some(name) = strip_prefix_without_case(text, "name:") {
            let name = name.trim();
            return match regex_in_slashes(name)? {
                Some(regex) => Ok(Self::NameRegex(regex)),
                None if name.is_empty() => Err("the name is missing after name:".into()),
                None => Ok(Self::Name(Glob::new(&folded(name)))),
            };
        }
        if let Some(regex) = regex_in_slashes(text)? {
            return Ok(Self::NumberRegex(regex));
        }
        if let Some(class) = Class::read(text)? {
            return Ok(Self::Class(class));
        }
        if text.contains(['*', '?'])
            && text.starts_with(|c: char| "+*?(".contains(c) || c.is_ascii_digit())
        {
            return wildcards(text);
        }
        if let Some(range) = range(text)? {
            return Ok(range);
        }
        Ok(Self::Exact(Exact::of(&numbering.read(text), numbering)))
    }

    /// The same for a line of a list: what nobody can have meant is refused.
    pub(super) fn of_row(text: &str, numbering: &Numbering) -> Result<Self, Cow<'static, str>> {
        if text.contains('\t') {
            return Err("the columns must be separated by a comma".into());
        }
        if text.contains(char::is_control) {
            return Err("there are control characters in it".into());
        }
        let read = Self::read(text, numbering)?;
        if let Self::Exact(_) = read {
            if text.len() > MAX_NUMBER_BYTES {
                return Err("the number is longer than 64 characters".into());
            }
            if text
                .split_once(';')
                .is_some_and(|(_, rest)| !is_extension(rest))
            {
                return Err("the columns must be separated by a comma".into());
            }
        }
        Ok(read)
    }

    /// How special it is; of the patterns that match, the most special decides. Numbers come before
    /// names, and names before classes.
    pub(super) fn specificity(&self) -> u16 {
        let count = |glob: &Glob| u16::try_from(glob.literals().min(90)).unwrap_or(90);
        match self {
            Self::Exact(_) => EXACT,
            Self::Digits { glob, .. } => 500 + 5 * count(glob),
            Self::Range { from, to, .. } => {
                let (from, to) = (from.digits(), to.digits());
                let common = from.bytes().zip(to.bytes()).take_while(|(a, b)| a == b);
                501 + 5 * u16::try_from(common.count()).unwrap_or(90)
            }
            Self::NumberRegex(_) => 490,
            Self::Name(glob) if !glob.has_wildcards() => 480,
            Self::Name(glob) => 300 + count(glob),
            Self::NameRegex(_) => 290,
            Self::Class(class) => match class {
                Class::Own => 250,
                Class::Neighbour => 240,
                Class::Invalid => 230,
                Class::TollFree | Class::Premium => 220,
                Class::Country(_) => 210,
                Class::Withheld | Class::OutOfArea | Class::NoCallerId => 200,
            },
        }
    }
}

/// Whether this is the parameter of a telephone URI (RFC 3966, 3) that names an extension: `ext=12`.
fn is_extension(parameter: &str) -> bool {
    strip_prefix_without_case(parameter.trim(), "ext=").is_some_and(|extension| {
        !extension.is_empty() && extension.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `None` if the text is not in slashes.
fn regex_in_slashes(text: &str) -> Result<Option<Expression>, Cow<'static, str>> {
    let Some(inner) = text.strip_prefix('/') else {
        return Ok(None);
    };
    let inner = inner
        .strip_suffix('/')
        .ok_or("the regular expression has no / at its end (with a comma in it, it needs quotes around it)")?;
    let size = size_of_program(inner).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".into(),
        error => Cow::Owned(format!(
            "the regular expression cannot be read: {}",
            error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
        )),
    })?;
    Ok(Some(Expression {
        source: inner.into(),
        size,
    }))
}

/// What the program of a regular expression takes, rounded up to a power of two, if it is not too much.
fn size_of_program(pattern: &str) -> Result<usize, regex::Error> {
    let mut size = 1 << 10;
    loop {
        match compile(pattern, size) {
            Ok(_) => return Ok(size),
            Err(regex::Error::CompiledTooBig(_)) if size < MAX_REGEX_BYTES => size *= 2,
            Err(error) => return Err(error),
        }
    }
}

/// Letters without case, as far as they are ASCII; a byte is a character.
fn compile(pattern: &str, size_limit: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(size_limit)
        .nest_limit(32)
        .build()
}

fn strip_prefix_without_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn wildcards(text: &str) -> Result<Pattern, Cow<'static, str>> {
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut glob = String::new();
    for c in rest.chars() {
        match c {
            '0'..='9' | '*' | '?' => glob.push(c),
            ' ' | '-' | '(' | ')' | '.' | '/' => {}
            _ => return Err("a number with wildcards has only digits, ? and *".into()),
        }
    }
    Ok(Pattern::Digits {
        plus,
        glob: Glob::new(&glob),
    })
}

/// `+33162000000-+33163999999`; without plus, both must be plain digits of the same length.
fn range(text: &str) -> Result<Option<Pattern>, Cow<'static, str>> {
    // Where both ends have dashes in them, the one between them is that before the second plus.
    let second_plus = text.get(1..).and_then(|rest| rest.find('+'));
    let between = second_plus.and_then(|at| text.get(..=at)?.rfind('-'));
    let Some((from, to)) = (match between {
        Some(at) => text.get(..at).zip(text.get(at + 1..)),
        None => text.split_once('-'),
    }) else {
        return Ok(None);
    };
    let (from, to) = (from.trim(), to.trim());
    let digits_of = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let plus = from.starts_with('+') && to.starts_with('+');
    let plain = |text: &str| text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_range = plus || (plain(from) && plain(to));
    if !is_range {
        return Ok(None);
    }
    let (from, to) = (digits_of(from), digits_of(to));
    if from.len() != to.len() {
        return Err("both ends of a range must have the same number of digits".into());
    }
    let (Some(from), Some(to)) = (Key::new(&from), Key::new(&to)) else {
        return Err("the range has no digits, or too many".into());
    };
    if from > to {
        return Err("the range ends before it begins".into());
    }
    Ok(Some(Pattern::Range { plus, from, to }))
}

impl Class {
    fn read(text: &str) -> Result<Option<Self>, Cow<'static, str>> {
        if let Some(country) = strip_prefix_without_case(text, "country:") {
            let country = country.trim().parse();
            return country
                .map(|country| Some(Self::Country(country)))
                .map_err(|_| "there is no such country; give its two letters".into());
        }
        Ok(match text.to_ascii_lowercase().as_str() {
            "withheld" => Some(Self::Withheld),
            "out-of-area" => Some(Self::OutOfArea),
            "no-caller-id" => Some(Self::NoCallerId),
            "invalid" => Some(Self::Invalid),
            "neighbour" | "neighbor" => Some(Self::Neighbour),
            "self" => Some(Self::Own),
            "tollfree" => Some(Self::TollFree),
            "premium" => Some(Self::Premium),
            _ => None,
        })
    }

    pub(super) fn includes(self, asked: &Asked<'_>) -> bool {
        let number = asked.number.as_ref();
        let own = asked.numbering.own_number();
        let is_own = || {
            number
                .zip(own)
                .is_some_and(|(number, own)| number.is_same(own))
        };
        match self {
            Self::Withheld => matches!(asked.caller.number, CallerNumber::Withheld(_)),
            Self::OutOfArea => matches!(asked.caller.number, CallerNumber::OutOfArea(_)),
            Self::NoCallerId => asked.caller.number == CallerNumber::Missing,
            Self::Invalid => number.is_some_and(Number::is_impossible),
            Self::Neighbour => {
                let pair = number.zip(own);
                pair.is_some_and(|(number, own)| number.is_neighbour_of(own)) && !is_own()
            }
            Self::Own => is_own(),
            Self::TollFree => number.is_some_and(Number::is_toll_free),
            Self::Premium => number.is_some_and(Number::is_premium),
            Self::Country(country) => number.is_some_and(|number| number.may_be_of(country)),
        }
    }
}

/// A text with wildcards: `?` is any character, `*` any characters, `\` takes the meaning away.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Glob(Box<[Token]>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Is(char),
    Any,
    Many,
}

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        let mut tokens = Vec::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            let token = match c {
                '?' => Token::Any,
                '*' => Token::Many,
                '\\' => Token::Is(characters.next().unwrap_or('\\')),
                c => Token::Is(c),
            };
            if token != Token::Many || tokens.last() != Some(&Token::Many) {
                tokens.push(token);
            }
        }
        Self(tokens.into())
    }

    /// The characters it begins with, up to the first wildcard.
    pub(super) fn head(&self) -> String {
        let literal = |token: &Token| match token {
            Token::Is(c) => Some(*c),
            Token::Any | Token::Many => None,
        };
        self.0.iter().map_while(literal).collect()
    }

    fn literals(&self) -> usize {
        self.0
            .iter()
            .filter(|token| matches!(token, Token::Is(_)))
            .count()
    }

    fn has_wildcards(&self) -> bool {
        self.literals() < self.0.len()
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (mut tokens, mut rest) = (0, text.chars());
        // Where the last `*` stands, and the text that it has not taken yet.
        let mut retry = None;
        loop {
            let mut after = rest.clone();
            let fits = match (self.0.get(tokens), after.next()) {
                (Some(Token::Many), _) => {
                    retry = Some((tokens + 1, rest.clone()));
                    tokens += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(Token::Any), Some(_)) => true,
                (Some(Token::Is(wanted)), Some(c)) => *wanted == c,
                _ => false,
            };
            if fits {
                tokens += 1;
                rest = after;
                continue;
            }
            let Some((token, text)) = &mut retry else {
                return false;
            };
            if text.next().is_none() {
                return false;
            }
            (tokens, rest) = (*token, text.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wildcards_match_whole_texts() {
        for (glob, text, expected) in [
            ("1900*", "19005550134", true),
            ("1900*", "1900", true),
            ("1900*", "2900", false),
            ("*0134", "5055550134", true),
            ("505???0134", "5055550134", true),
            ("505???0134", "50555550134", false),
            ("*55*01*", "5055550134", true),
            ("*", "", true),
            ("?", "", false),
            ("", "", true),
            ("", "a", false),
            (r"spam\?*", "spam? joe", true),
            (r"spam\?*", "spammer", false),
            ("*ab", "aab", true),
            ("é?", "éü", true),
        ] {
            assert_eq!(Glob::new(glob).matches(text), expected, "{glob} {text}");
        }
    }

    proptest! {
        #[test]
        fn wildcards_mean_what_a_regular_expression_says(glob in "[ab?*]{0,8}", text in "[ab]{0,10}") {
            let pattern = format!("^{}$", glob.replace('*', ".*").replace('?', "."));
            let expected = compile(&pattern, MAX_REGEX_BYTES).unwrap().is_match(text.as_bytes());
            prop_assert_eq!(Glob::new(&glob).matches(&text), expected);
        }

        #[test]
        fn any_text_is_a_pattern_or_an_error(text in ".{0,40}") {
            let _ = Pattern::read(&text, &Numbering::default());
        }
    }
}
