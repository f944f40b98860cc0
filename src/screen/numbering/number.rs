//! A number that was read, what can be said of it, and the key by which lists find it.

use super::details::{self, Charge};
use super::{BY_CODE, Country, MAX_LOCAL_DIGITS, Numbering, is_north_american, iso};
use std::borrow::Cow;

/// The most digits that fit into a [`Key`].
const MAX_KEY_DIGITS: u32 = 18;

/// A number: as received, and in the form it is compared in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Number {
    pub(super) received: String,
    /// All its digits, in order; none for a text.
    pub(super) digits: String,
    pub(super) form: Form,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Form {
    International {
        country: Country,
        digits: String,
        with_plus: bool,
    },
    /// A short code, a local form, or a number of an unknown country.
    Plain,
    /// Too many or too few digits, or the wrong ones, for the plan it belongs to.
    Impossible { plus: bool },
    /// Words, an address, a code with stars.
    Text,
}

impl Number {
    /// A number read without knowing the country.
    pub fn new(text: &str) -> Self {
        Numbering::default().read(text)
    }

    /// The number as it came.
    pub fn as_received(&self) -> &str {
        &self.received
    }

    /// The form in which it is logged: `+` and digits where the line's country is known and the
    /// number has a place in the world's plan, else its digits alone. `None` for a text without any.
    pub fn normalised(&self) -> Option<Cow<'_, str>> {
        match &self.form {
            Form::International {
                digits, with_plus, ..
            } => Some(if *with_plus {
                format!("+{digits}").into()
            } else {
                digits.into()
            }),
            Form::Impossible { plus: true } => Some(format!("+{}", self.digits).into()),
            Form::Plain | Form::Impossible { .. } => Some(self.digits.as_str().into()),
            Form::Text => None,
        }
    }

    /// The number in international form, `+15055550134`, where it has one.
    pub fn e164(&self) -> Option<String> {
        self.international_digits()
            .map(|digits| format!("+{digits}"))
    }

    pub(in crate::screen) fn international_digits(&self) -> Option<&str> {
        match &self.form {
            Form::International { digits, .. } => Some(digits),
            _ => None,
        }
    }

    /// Its digits in order, as they were dialled; empty for a text.
    pub(in crate::screen) fn digits(&self) -> &str {
        &self.digits
    }

    /// The number within its country, without and with trunk prefix.
    pub(in crate::screen) fn national(&self) -> Option<(&str, &'static str)> {
        match &self.form {
            Form::International {
                country, digits, ..
            } => Some((digits.get(country.0.calling_code.len()..)?, country.0.trunk)),
            _ => None,
        }
    }

    /// The number as it would be written after `+`, also if only its shape says that it is North
    /// American.
    pub(in crate::screen) fn assumed_international(&self) -> Option<Cow<'_, str>> {
        match &self.form {
            Form::International { digits, .. } => Some(digits.into()),
            Form::Plain if is_north_american(&self.digits) => {
                Some(format!("1{}", self.digits).into())
            }
            _ => None,
        }
    }

    /// The country it belongs to, where that is certain.
    pub fn country(&self) -> Option<Country> {
        let Form::International {
            country, digits, ..
        } = &self.form
        else {
            return None;
        };
        let plan = country.0;
        let national = digits.get(plan.calling_code.len()..)?;
        let iso = if plan.calling_code == "1" {
            let area = national.get(..3)?;
            if is_non_geographic(area) {
                return None;
            }
            details::NANP_AREAS
                .iter()
                .find(|(_, areas)| areas.split(' ').any(|code| code == area))
                .map_or("US", |(iso, _)| iso)
        } else {
            details::ENCLAVES
                .iter()
                .find(|(code, _, starts)| {
                    *code == plan.calling_code
                        && starts.iter().any(|start| national.starts_with(start))
                })
                .map_or_else(
                    || {
                        BY_CODE
                            .iter()
                            .flatten()
                            .find(|main| main.calling_code == plan.calling_code)
                            .map_or(plan.iso, |main| main.iso)
                    },
                    |(_, iso, _)| iso,
                )
        };
        iso.parse().ok()
    }

    /// Whether it may be a number of this country: certainly, or because its calling code is shared.
    pub(in crate::screen) fn may_be_of(&self, country: Country) -> bool {
        let Form::International { country: code, .. } = &self.form else {
            return false;
        };
        if code.0.calling_code != country.0.calling_code {
            return false;
        }
        let told_apart = country.0.calling_code == "1"
            || details::ENCLAVES
                .iter()
                .any(|(code, _, _)| *code == country.0.calling_code);
        !told_apart || self.country() == Some(country)
    }

    /// Whether it has a plus for all that no number of any country is behind it.
    pub(in crate::screen) const fn has_idle_plus(&self) -> bool {
        matches!(self.form, Form::Impossible { plus: true })
    }

    /// Whether no telephone can have this number.
    pub(in crate::screen) fn is_impossible(&self) -> bool {
        match &self.form {
            Form::International {
                country, digits, ..
            } if country.0.calling_code == "1" => !digits.get(1..).is_some_and(is_north_american),
            Form::Impossible { .. } => true,
            _ => false,
        }
    }

    pub(in crate::screen) fn is_toll_free(&self) -> bool {
        self.charge() == Some(Charge::TollFree)
    }

    pub(in crate::screen) fn is_premium(&self) -> bool {
        self.charge() == Some(Charge::Premium)
    }

    fn charge(&self) -> Option<Charge> {
        let digits = self.assumed_international()?;
        let (plan, national) = match &self.form {
            Form::International { country, .. } => {
                (country.0, digits.get(country.0.calling_code.len()..)?)
            }
            _ => (BY_CODE[1]?, digits.get(1..)?),
        };
        if plan.calling_code == "1" {
            let area = national.get(..3)?;
            return if details::NANP_TOLL_FREE.contains(&area) {
                Some(Charge::TollFree)
            } else {
                (area == details::NANP_PREMIUM).then_some(Charge::Premium)
            };
        }
        match plan.calling_code {
            "800" => return Some(Charge::TollFree),
            "979" => return Some(Charge::Premium),
            _ => {}
        }
        let (free, premium) = details::charges(iso(plan));
        let begins = |starts: &[&str]| starts.iter().any(|start| national.starts_with(start));
        if begins(free) {
            Some(Charge::TollFree)
        } else {
            begins(premium).then_some(Charge::Premium)
        }
    }

    /// Whether both are the same number.
    pub(in crate::screen) fn is_same(&self, other: &Self) -> bool {
        self.digits == other.digits
            || self
                .assumed_international()
                .is_some_and(|digits| other.assumed_international() == Some(digits))
    }

    /// Whether both hang on the same exchange: the same area code and exchange in North America,
    /// elsewhere all but the last four digits.
    pub(in crate::screen) fn is_neighbour_of(&self, own: &Self) -> bool {
        let both = (self.assumed_international(), own.assumed_international());
        let (a, b): (&str, &str) = match &both {
            (Some(a), Some(b)) => (a, b),
            (None, None) => (&self.digits, &own.digits),
            _ => return false,
        };
        a.len() == b.len() && a.len() > MAX_LOCAL_DIGITS && a[..a.len() - 4] == b[..b.len() - 4]
    }
}

/// Whether numbers with this area code belong to no place.
fn is_non_geographic(area: &str) -> bool {
    details::NANP_TOLL_FREE.contains(&area) || area == details::NANP_PREMIUM
}

/// Up to 18 digits, leading zeros included: the number that they form behind a leading 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(in crate::screen) struct Key(u64);

impl Key {
    /// The key of no digits, to [append](Self::append) to.
    pub(in crate::screen) const EMPTY: Self = Self(1);

    pub(in crate::screen) fn new(digits: &str) -> Option<Self> {
        (!digits.is_empty()).then_some(Self::EMPTY)?.append(digits)
    }

    /// Keys below it have room for one more digit.
    const FULL: u64 = 10_u64.pow(MAX_KEY_DIGITS);

    /// The key of these digits and more.
    pub(in crate::screen) fn append(self, digits: &str) -> Option<Self> {
        digits.bytes().try_fold(self, |key, byte| {
            (byte.is_ascii_digit() && key.0 < Self::FULL)
                .then(|| Self(key.0 * 10 + u64::from(byte - b'0')))
        })
    }

    pub(in crate::screen) const fn get(self) -> u64 {
        self.0
    }

    pub(in crate::screen) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// Its digits.
    pub(in crate::screen) fn digits(self) -> String {
        self.0.to_string().split_off(1)
    }
}
