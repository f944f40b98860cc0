//! The caller as the line announced him.
//!
//! Turns the texts of a caller-ID message into a typed caller. It never changes what was received
//! beyond bounding its length and replacing control characters: what is logged is what came.

use super::numbering::{Number, Numbering, bounded};
use std::borrow::Cow;

/// The longest name kept, in characters. Caller-ID names have 15, rarely 21.
const MAX_NAME_CHARS: usize = 128;

/// What lines and modems say in place of a number that the caller withheld. Compared without case,
/// blanks and punctuation. From `NMBR` and `NAME` values seen on Conexant, US Robotics and other
/// modems in the call logs that users of call blockers have published.
const WITHHELD_WORDS: [&str; 13] = [
    "P",
    "PRIVATE",
    "PRIVATENUMBER",
    "PRIVATECALLER",
    "PRIVATECALL",
    "PRIVATENAME",
    "PRIVDIROFF",
    "RESTRICTED",
    "RESTRICTEDNUMBER",
    "WITHHELD",
    "NUMBERWITHHELD",
    "ANONYMOUS",
    "BLOCKED",
];

/// The same for a number that the network could not deliver.
const OUT_OF_AREA_WORDS: [&str; 9] = [
    "O",
    "OUTOFAREA",
    "UNAVAILABLE",
    "NUMBERUNAVAILABLE",
    "NOTAVAILABLE",
    "UNKNOWN",
    "UNKNOWNNUMBER",
    "UNKNOWNCALLER",
    "UNKNOWNNAME",
];

/// Who is calling, as far as the line says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum CallerNumber {
    /// A number was received.
    Known(Number),
    /// The caller keeps the number to himself; with the text that said so.
    Withheld(String),
    /// The network could not deliver the number; with the text that said so.
    OutOfArea(String),
    /// There was no caller ID, or it had no number.
    Missing,
}

impl CallerNumber {
    /// The text received in the place of the number, if any.
    pub fn as_received(&self) -> Option<&str> {
        match self {
            Self::Known(number) => Some(number.as_received()),
            Self::Withheld(text) | Self::OutOfArea(text) => Some(text),
            Self::Missing => None,
        }
    }

    /// The form in which a known number is compared; `None` for all others.
    pub fn normalised(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Known(number) => number.normalised(),
            Self::Withheld(_) | Self::OutOfArea(_) | Self::Missing => None,
        }
    }
}

/// A caller: number and name as the line announced them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Caller {
    /// The number, or why there is none.
    pub number: CallerNumber,
    /// The name, if one came.
    pub name: Option<String>,
}

impl Caller {
    /// A caller from the raw texts of a caller-ID message. `None` and blank text mean that the
    /// field did not come.
    ///
    /// All zeros stand for a withheld number and a single `0` for one that is out of area, unless
    /// the name says which of the two it is.
    pub fn from_line(number: Option<&str>, name: Option<&str>) -> Self {
        Self::from_line_in(&Numbering::default(), number, name)
    }

    /// The same on a line whose country is known.
    pub fn from_line_in(numbering: &Numbering, number: Option<&str>, name: Option<&str>) -> Self {
        let name = name
            .filter(|text| !text.trim().is_empty())
            .map(|text| bounded(text, MAX_NAME_CHARS));
        let number = match number.filter(|text| !text.trim().is_empty()) {
            None => CallerNumber::Missing,
            Some(text) => classify(numbering, text, name.as_deref()),
        };
        Self { number, name }
    }
}

/// The reason for which a line delivers no number.
#[derive(Clone, Copy)]
enum Absence {
    Withheld,
    OutOfArea,
}

fn classify(numbering: &Numbering, text: &str, name: Option<&str>) -> CallerNumber {
    let number = numbering.read(text);
    match absence(&number, name) {
        Some(Absence::Withheld) => CallerNumber::Withheld(number.as_received().to_owned()),
        Some(Absence::OutOfArea) => CallerNumber::OutOfArea(number.as_received().to_owned()),
        None => CallerNumber::Known(number),
    }
}

fn absence(number: &Number, name: Option<&str>) -> Option<Absence> {
    let digits = number.digits();
    if digits.is_empty() || digits.bytes().any(|digit| digit != b'0') {
        return absence_word(number.as_received());
    }
    name.and_then(absence_word).or(Some(if digits.len() == 1 {
        Absence::OutOfArea
    } else {
        Absence::Withheld
    }))
}

/// The class of callers, as a list names it, for whom lines and modems send this text in the place of a
/// number.
pub(super) fn class_for_word(text: &str) -> Option<&'static str> {
    Some(match absence_word(text)? {
        Absence::Withheld => "withheld",
        Absence::OutOfArea => "out-of-area",
    })
}

fn absence_word(text: &str) -> Option<Absence> {
    let word: String = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if WITHHELD_WORDS.contains(&word.as_str()) {
        Some(Absence::Withheld)
    } else if OUT_OF_AREA_WORDS.contains(&word.as_str()) {
        Some(Absence::OutOfArea)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(PartialEq, Debug)]
    enum Kind {
        Known,
        Withheld,
        OutOfArea,
        Missing,
    }

    fn kind(number: Option<&str>, name: Option<&str>) -> Kind {
        match Caller::from_line(number, name).number {
            CallerNumber::Known(_) => Kind::Known,
            CallerNumber::Withheld(_) => Kind::Withheld,
            CallerNumber::OutOfArea(_) => Kind::OutOfArea,
            CallerNumber::Missing => Kind::Missing,
        }
    }

    #[test]
    fn every_form_that_lines_deliver_has_its_class() {
        let table = [
            (Some("5055550134"), None, Kind::Known),
            (Some("+1 (505) 555-0134"), None, Kind::Known),
            (Some("5550134"), None, Kind::Known),
            (Some("911"), None, Kind::Known),
            (Some("1000000000"), None, Kind::Known),
            (Some("user@example.com"), None, Kind::Known),
            (Some("PETER"), None, Kind::Known),
            (Some("P"), None, Kind::Withheld),
            (Some("p"), Some("p"), Kind::Withheld),
            (Some(" P "), Some("WITHHELD"), Kind::Withheld),
            (Some("PRIVATE"), None, Kind::Withheld),
            (Some("Private Number"), None, Kind::Withheld),
            (Some("Restricted"), Some("Unavailable"), Kind::Withheld),
            (Some("WITHHELD"), None, Kind::Withheld),
            (Some("Anonymous"), None, Kind::Withheld),
            (Some("0000000000"), Some("PrivDirOff"), Kind::Withheld),
            (Some("0000000000"), None, Kind::Withheld),
            (Some("000-000-0000"), None, Kind::Withheld),
            (Some("0000000000"), Some("Unknown"), Kind::OutOfArea),
            (Some("0"), Some("PRIVATE"), Kind::Withheld),
            (Some("0"), Some("Unknown"), Kind::OutOfArea),
            (Some("0"), None, Kind::OutOfArea),
            (Some("O"), Some("O"), Kind::OutOfArea),
            (Some("o"), None, Kind::OutOfArea),
            (Some("OUT OF AREA"), None, Kind::OutOfArea),
            (Some("Out-of-Area"), None, Kind::OutOfArea),
            (Some("UNAVAILABLE"), None, Kind::OutOfArea),
            (Some("unknown"), None, Kind::OutOfArea),
            (None, None, Kind::Missing),
            (Some(""), None, Kind::Missing),
            (Some("  \t"), Some("P"), Kind::Missing),
            (None, Some("EXAMPLE SOLAR"), Kind::Missing),
        ];
        for (number, name, expected) in table {
            assert_eq!(kind(number, name), expected, "{number:?} {name:?}");
        }
    }

    #[test]
    fn text_is_kept_as_received_and_compared_by_digits() {
        let caller = Caller::from_line(Some("+1 (505) 555-0134"), Some(" A  B "));
        assert_eq!(caller.number.as_received(), Some("+1 (505) 555-0134"));
        assert_eq!(caller.number.normalised().as_deref(), Some("15055550134"));
        assert_eq!(caller.name.as_deref(), Some(" A  B "));
        let withheld = Caller::from_line(Some("Restricted"), None);
        assert_eq!(withheld.number.as_received(), Some("Restricted"));
        assert_eq!(withheld.number.normalised(), None);
        assert_eq!(Number::new("PETER").normalised(), None);
    }

    #[test]
    fn length_and_control_characters_are_bounded() {
        let caller = Caller::from_line(
            Some(&"7".repeat(1000)),
            Some("A\u{1b}[2JB\u{0}\n\u{85}é\u{1F600}"),
        );
        assert_eq!(caller.number.as_received().unwrap().len(), 64);
        assert_eq!(
            caller.name.as_deref(),
            Some("A\u{fffd}[2JB\u{fffd}\u{fffd}\u{fffd}é\u{1F600}")
        );
        let long = Caller::from_line(None, Some(&"é".repeat(1000)));
        assert_eq!(long.name.unwrap().chars().count(), 128);
    }

    proptest! {
        #[test]
        fn any_text_gives_a_caller(number in proptest::option::of(".{0,90}"), name in proptest::option::of(".{0,200}")) {
            let caller = Caller::from_line(number.as_deref(), name.as_deref());
            let blank = number.as_deref().is_none_or(|text| text.trim().is_empty());
            prop_assert_eq!(caller.number == CallerNumber::Missing, blank);
            prop_assert!(caller.number.as_received().is_none_or(|text| !text.contains(char::is_control)));
        }
    }
}
