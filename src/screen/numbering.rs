//! Telephone numbers: from what a line delivers or a person writes to one form for all.
//!
//! Table driven, without a regular expression: a number is placed in the plan of the line's country,
//! or in that of the country code it carries. What cannot be placed without guessing is left as its
//! digits: an unknown number is better than a wrong one. The tables are in [`plans`] and [`details`]; what comes out
//! for ten countries is tested against what libphonenumber publishes.

mod details;
mod dialled;
mod number;
mod plans;
mod zones;

pub(super) use number::Key;
pub use number::Number;

use details::Shape;
use dialled::Dialled;
use number::Form;
use plans::{PLANS, Plan};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// The longest number kept, in characters. The longest E.164 number has 15 digits.
const MAX_CHARS: usize = 64;
/// The most digits of a number in international form, country code included (E.164).
const MAX_E164_DIGITS: usize = 15;
/// Up to this many digits a number without prefix is a short code or a local form: it is not placed.
const MAX_LOCAL_DIGITS: usize = 7;

/// A country, by its ISO 3166 code.
#[derive(Clone, Copy)]
pub struct Country(&'static Plan);

impl Country {
    /// The country in which this time zone is, if it is in one: `Europe/Paris` is in `FR`.
    pub fn of_time_zone(name: &str) -> Option<Self> {
        zones::ZONES
            .iter()
            .find(|(_, zones)| zones.split(' ').any(|zone| zone == name))
            .and_then(|(iso, _)| iso.parse().ok())
    }

    /// Its two letters.
    pub const fn iso(self) -> &'static str {
        self.0.iso
    }
}

impl PartialEq for Country {
    fn eq(&self, other: &Self) -> bool {
        self.0.iso == other.0.iso
    }
}

impl Eq for Country {}

impl std::hash::Hash for Country {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.iso.hash(state);
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iso)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iso)
    }
}

/// There is no such country, or no plan of it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("give the country as its two letters, such as US, FR or GB")]
pub struct UnknownCountry;

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        let text = if text.eq_ignore_ascii_case("UK") {
            "GB"
        } else {
            text
        };
        PLANS
            .iter()
            .find(|plan| !text.is_empty() && plan.iso.eq_ignore_ascii_case(text))
            .map(Self)
            .ok_or(UnknownCountry)
    }
}

/// The plan that stands for each calling code, by the code as a number.
static BY_CODE: LazyLock<Box<[Option<&'static Plan>; 1000]>> = LazyLock::new(|| {
    let mut table = Box::new([None; 1000]);
    for plan in PLANS.iter().rev() {
        if let Ok(code) = plan.calling_code.parse::<usize>() {
            table[code] = Some(plan);
        }
    }
    table
});

/// How numbers are read: in the plan of the line's country, if that is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Numbering {
    country: Option<Country>,
    own: Option<Number>,
}

/// A number's place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Placed<'a> {
    /// In the plan of a country: its calling code is followed by `national`.
    International {
        plan: &'static Plan,
        national: &'a str,
    },
    /// Unknown: its digits.
    Plain(&'a str),
}

impl Numbering {
    /// Reads numbers as they are dialled in this country; without one, only numbers that carry a
    /// country code are placed.
    pub const fn new(country: Option<Country>) -> Self {
        Self { country, own: None }
    }

    /// The same, with the number of the line itself, for the patterns `self` and `neighbour`.
    #[must_use]
    pub fn with_own_number(mut self, text: &str) -> Self {
        self.own = Some(self.read(text));
        self
    }

    /// The country of the line.
    pub const fn country(&self) -> Option<Country> {
        self.country
    }

    /// The number of the line itself.
    pub const fn own_number(&self) -> Option<&Number> {
        self.own.as_ref()
    }

    /// Reads a number. Long text is cut at 64 characters, control characters become `U+FFFD`.
    pub fn read(&self, text: &str) -> Number {
        let received = bounded(text, MAX_CHARS);
        let Some(dialled) = Dialled::of(&received) else {
            return Number {
                digits: String::new(),
                form: Form::Text,
                received,
            };
        };
        let digits = self.with_mobile_prefix(&dialled.digits);
        let form = match self.place(dialled.plus, &digits) {
            Placed::International { plan, national } => Form::International {
                country: Country(plan),
                digits: [plan.calling_code, national].concat(),
                with_plus: self.country.is_some(),
            },
            Placed::Plain(digits)
                if dialled.plus || self.country.is_some() && digits.len() > MAX_LOCAL_DIGITS =>
            {
                Form::Impossible { plus: dialled.plus }
            }
            Placed::Plain(_) => Form::Plain,
        };
        Number {
            digits: dialled.digits,
            form,
            received,
        }
    }

    /// Finds the place of a number: its digits, and whether a plus was before them.
    pub(super) fn place<'a>(&self, plus: bool, digits: &'a str) -> Placed<'a> {
        let placed = if plus {
            international(digits, Trunk::MayFollowTheCode)
        } else {
            match self.country {
                Some(country) => in_country(country.0, digits),
                None => without_country(digits),
            }
        };
        placed.unwrap_or(Placed::Plain(digits))
    }

    /// The form in which these digits are compared; `None` if there are none or too many.
    pub(super) fn key_of(&self, plus: bool, digits: &str) -> Option<Key> {
        let digits = self.with_mobile_prefix(digits);
        self.key(self.place(plus, &digits))
    }

    /// Argentina dials `15` behind the area code of a mobile, and writes `9` before it abroad:
    /// `011 15 2345-6789` is `+54 9 11 2345-6789`.
    fn with_mobile_prefix<'a>(&self, digits: &'a str) -> Cow<'a, str> {
        let mobile = || {
            let number = digits.strip_prefix('0').unwrap_or(digits);
            let area = details::argentine_area(number).filter(|_| number.len() == 12)?;
            let local = number.strip_prefix(area)?.strip_prefix("15")?;
            Some(["9", area, local].concat().into())
        };
        match self.country {
            Some(country) if country.0.calling_code == "54" => mobile(),
            _ => None,
        }
        .unwrap_or(Cow::Borrowed(digits))
    }

    /// The form in which a placed number is compared; `None` if it has no digits or too many.
    fn key(&self, placed: Placed<'_>) -> Option<Key> {
        match placed {
            Placed::International { plan, national } => {
                Key::new(plan.calling_code)?.append(national)
            }
            Placed::Plain(digits) if self.country.is_some() => Key::new(digits),
            Placed::Plain(digits) if is_north_american(digits) => Key::new("1")?.append(digits),
            Placed::Plain(digits) => Key::new(without_trunk_zero(digits)),
        }
    }
}

/// A number as it is dialled without knowing where.
fn without_country(digits: &str) -> Option<Placed<'_>> {
    if let Some(rest) = digits.strip_prefix("011")
        && rest.len() >= 10
        && let Some(placed) = international(rest, Trunk::MayNotFollow)
    {
        return Some(placed);
    }
    if let Some(rest) = digits.strip_prefix("00") {
        return (rest.len() >= 8)
            .then(|| international(rest, Trunk::MayNotFollow))
            .flatten();
    }
    if let Some(rest) = digits.strip_prefix('1')
        && rest.len() == 10
    {
        return is_north_american(rest).then(|| international(digits, Trunk::MayNotFollow))?;
    }
    // Shorter ones could be national numbers of anywhere.
    (digits.len() >= 11 && !digits.starts_with('0'))
        .then(|| international(digits, Trunk::MayNotFollow))
        .flatten()
}

/// Where the country is unknown, a leading zero says no more than that the number is a national one,
/// unless what follows could be a North American number.
fn without_trunk_zero(digits: &str) -> &str {
    match digits.strip_prefix('0') {
        Some(rest)
            if (8..=11).contains(&rest.len())
                && !rest.starts_with('0')
                && !is_north_american(rest) =>
        {
            rest
        }
        _ => digits,
    }
}

/// A number as it is dialled, or delivered, in this country.
fn in_country<'a>(plan: &'static Plan, digits: &'a str) -> Option<Placed<'a>> {
    let here = |national| Placed::International { plan, national };
    for exit in [plan.exit, "00"] {
        if plan.calling_code == "1" && exit == "00" {
            continue;
        }
        if let Some(rest) = digits.strip_prefix(exit)
            && rest.len() > MAX_LOCAL_DIGITS
        {
            let direct = international(rest, Trunk::MayFollowTheCode);
            // In Brazil, two digits choose the carrier.
            return match rest.get(2..) {
                Some(after_carrier) if plan.calling_code == "55" && direct.is_none() => {
                    international(after_carrier, Trunk::MayFollowTheCode)
                }
                _ => direct,
            };
        }
    }
    let usual_max = details::usual_max(iso(plan)).unwrap_or(plan.max);
    // With a single zero, it says that it is a national one.
    let is_local =
        !(plan.trunk == "0" && digits.len() == MAX_LOCAL_DIGITS && digits.starts_with('0'));
    if digits.len() <= MAX_LOCAL_DIGITS && is_local && usual_max > MAX_LOCAL_DIGITS as u8 {
        return None;
    }
    let after_other_prefix = details::other_prefixes(iso(plan))
        .iter()
        .find_map(|prefix| digits.strip_prefix(prefix));
    if let Some(rest) = after_other_prefix
        && fits(plan, rest)
    {
        return Some(here(rest));
    }
    if !plan.trunk.is_empty()
        && let Some(rest) = digits.strip_prefix(plan.trunk)
    {
        if fits(plan, rest) {
            return Some(here(rest));
        }
        if let Some(after_carrier) = rest.get(2..)
            && plan.calling_code == "55"
            && after_carrier.len() >= 10
            && fits(plan, after_carrier)
        {
            return Some(here(after_carrier));
        }
    }
    // Where national numbers come in many lengths, what begins like the country code most likely is it:
    // a national number would have its trunk prefix.
    let with_code = digits
        .strip_prefix(plan.calling_code)
        .filter(|rest| fits(plan, rest) && !rest.starts_with('0') | plan.trunk.is_empty());
    let many_lengths = plan.max - plan.min > 3
        && !plan.trunk.is_empty()
        && digits.len() >= 10
        && details::shapes(iso(plan))
            .iter()
            .all(|shape| shape.max > 10);
    if let Some(rest) = with_code
        && (many_lengths || digits.len() > usize::from(usual_max))
    {
        return Some(here(rest));
    }
    if fits(plan, digits) && (plan.trunk != "0" || !digits.starts_with('0')) {
        return Some(here(digits));
    }
    if let Some(rest) = with_code {
        return Some(here(rest));
    }
    // Some networks deliver foreign numbers without a prefix.
    (digits.len() >= 10 && !digits.starts_with('0'))
        .then(|| international(digits, Trunk::MayNotFollow))
        .flatten()
}

/// Whether people write the trunk prefix after the country code: `+44 (0)20 …`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trunk {
    MayFollowTheCode,
    MayNotFollow,
}

/// A number that begins with a country code.
fn international(digits: &str, trunk: Trunk) -> Option<Placed<'_>> {
    if digits.len() > MAX_E164_DIGITS + 1 || digits.starts_with('0') {
        return None;
    }
    for length in 1..=3 {
        let (code, national) = digits.split_at_checked(length)?;
        let Some(plan) = BY_CODE[code.parse::<usize>().ok()?] else {
            continue;
        };
        let of_plan =
            |national: &str| fits(plan, national) && length + national.len() <= MAX_E164_DIGITS;
        let stripped = (trunk == Trunk::MayFollowTheCode && !plan.trunk.is_empty())
            .then(|| national.strip_prefix(plan.trunk))
            .flatten()
            .filter(|rest| of_plan(rest) && (plan.trunk == "0" || !of_plan(national)));
        // Mexico's mobiles had a 1 behind the country code until 2019, and still have it in address books.
        let mexican = (code == "52" && national.len() == 11)
            .then(|| national.strip_prefix('1'))
            .flatten();
        let national = match stripped.or(mexican) {
            Some(rest) => rest,
            None if of_plan(national) => national,
            None => return None,
        };
        return Some(Placed::International { plan, national });
    }
    None
}

const fn iso(plan: &Plan) -> [u8; 2] {
    match plan.iso.as_bytes() {
        [first, second] => [*first, *second],
        _ => [0, 0],
    }
}

/// Whether a national number has a place in the plan.
fn fits(plan: &Plan, national: &str) -> bool {
    let length = u8::try_from(national.len()).unwrap_or(u8::MAX);
    if plan.calling_code == "1" {
        return length == 10 && !national.starts_with(['0', '1']);
    }
    let shapes = details::shapes(iso(plan));
    if shapes.is_empty() {
        return (plan.min..=plan.max).contains(&length)
            && (plan.trunk != "0" || !national.starts_with('0'));
    }
    // Brazil's mobiles have nine digits, of which the first is a 9.
    if plan.calling_code == "55" && length == 11 && national.as_bytes().get(2) != Some(&b'9') {
        return false;
    }
    let is_of = |shape: &Shape| {
        national.starts_with(|first| shape.first.contains(first))
            && (shape.min..=shape.max).contains(&length)
    };
    shapes.iter().any(is_of)
}

/// Whether ten digits can be a North American number: area code and exchange begin with 2 to 9, an
/// area code has no 9 in the middle, and neither is a service code such as 911, but behind a toll-free
/// area code.
fn is_north_american(digits: &str) -> bool {
    let [area, exchange] = [digits.get(..3), digits.get(3..6)].map(Option::unwrap_or_default);
    let is_code = |code: &str| code.starts_with(|first| matches!(first, '2'..='9'));
    digits.len() == 10
        && is_code(area)
        && is_code(exchange)
        && !area.ends_with("11")
        && (!exchange.ends_with("11") || details::NANP_TOLL_FREE.contains(&area))
        && area.as_bytes().get(1) != Some(&b'9')
        && !area.starts_with("37")
        && !area.starts_with("96")
}

pub(super) fn bounded(text: &str, max_chars: usize) -> String {
    if text.len() <= max_chars && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars()
        .take(max_chars)
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
