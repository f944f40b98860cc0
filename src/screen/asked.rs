//! A caller as patterns see him: his number in every form in which somebody may have written it down.

use super::caller::{Caller, CallerNumber};
use super::numbering::{Key, Number, Numbering};
use std::borrow::Cow;

/// What is asked of the lists about one caller.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) caller: &'a Caller,
    pub(super) numbering: &'a Numbering,
    /// The number, read in the plan of the line's country.
    pub(super) number: Option<Number>,
    /// How the exact numbers of a list are compared with it.
    pub(super) exact: Option<Exact>,
}

/// An exact number, or a text in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Exact {
    Number(Key),
    /// Upper-case text, or more digits than fit into a key.
    Text(Box<str>),
}

impl Exact {
    /// How the text is compared, as the number that it was read as.
    pub(super) fn of(number: &Number, numbering: &Numbering) -> Self {
        let key = match number.international_digits() {
            Some(digits) => Key::new(digits),
            None => numbering.key_of(number.has_idle_plus(), number.digits()),
        };
        match key {
            Some(key) => Self::Number(key),
            None if number.digits().is_empty() => {
                Self::Text(number.as_received().trim().to_uppercase().into())
            }
            None => Self::Text(number.digits().into()),
        }
    }
}

impl<'a> Asked<'a> {
    pub(super) fn new(numbering: &'a Numbering, caller: &'a Caller) -> Self {
        let read = caller.number.as_received().map(|text| numbering.read(text));
        let exact = read.as_ref().map(|number| Exact::of(number, numbering));
        let number = read.filter(|_| matches!(caller.number, CallerNumber::Known(_)));
        Self {
            caller,
            numbering,
            number,
            exact,
        }
    }

    /// The digits behind the plus, for patterns with a plus.
    pub(super) fn with_plus(&self) -> Option<Cow<'_, str>> {
        self.number.as_ref()?.assumed_international()
    }

    /// The digits as received, and within the country without and with trunk prefix: for patterns
    /// without a plus.
    pub(super) fn without_plus(&self) -> Vec<String> {
        let mut forms = Vec::new();
        if let Some(number) = &self.number
            && !number.digits().is_empty()
        {
            forms.push(number.digits().to_owned());
            let national = number.national().into_iter();
            for form in national
                .flat_map(|(national, trunk)| [national.to_owned(), format!("{trunk}{national}")])
            {
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
        }
        forms
    }

    /// What a regular expression on the number sees: `+` and digits where there is such a form, else
    /// the digits, else the text.
    pub(super) fn number_text(&self) -> Option<String> {
        let number = self.number.as_ref()?;
        Some(number.e164().unwrap_or_else(|| match number.digits() {
            "" => number.as_received().to_owned(),
            digits => digits.to_owned(),
        }))
    }
}

/// A name in lower case, with single blanks: `Cell Phone   CA` is `cell phone ca`.
pub(super) fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for word in name.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}
