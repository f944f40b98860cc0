//! The digits in what a line delivers, a person writes or a telephone stores.

/// What is dialled, out of a text.
pub(super) struct Dialled {
    pub(super) plus: bool,
    pub(super) digits: String,
}

impl Dialled {
    /// `None` if the text is more than a number.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        // Nearly every line delivers nothing else.
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let (plus, digits) = (false, text.to_owned());
            return Some(Self { plus, digits });
        }
        let text = ["tel:", "sip:", "sips:"]
            .iter()
            .find_map(|scheme| {
                text.get(..scheme.len())
                    .filter(|start| start.eq_ignore_ascii_case(scheme))
                    .and(text.get(scheme.len()..))
            })
            .unwrap_or(text);
        // The user part of an address is a number of the public network only if it says so.
        let text = match text.split_once('@') {
            Some((user, _)) if user.starts_with('+') => user,
            Some(_) => return None,
            None => text,
        };
        let text = without_extension(text);
        let (mut plus, mut digits) = (false, String::new());
        for c in text.chars() {
            if let Some(digit) = decimal_digit(c) {
                digits.push(digit);
            } else if (c == '+' || c == '\u{ff0b}') && digits.is_empty() {
                plus = true;
            } else if c.eq_ignore_ascii_case(&'x') && digits == "0" {
                // Brazil writes the place of the carrier's digits so: (0xx11).
            } else if c.is_alphanumeric() || matches!(c, '*' | '#' | '@' | '+' | '%' | '=') {
                return None;
            }
        }
        (!digits.is_empty()).then_some(Self { plus, digits })
    }
}

/// A decimal digit, also one of the full-width and Arabic ones that phone books hold.
fn decimal_digit(c: char) -> Option<char> {
    if c.is_ascii_digit() {
        return Some(c);
    }
    [0xff10, 0x0660, 0x06f0].into_iter().find_map(|zero| {
        char::from_digit(
            (c as u32).checked_sub(zero).filter(|value| *value < 10)?,
            10,
        )
    })
}

/// The words and marks between a number and what is dialled behind it.
const EXTENSION_MARKS: [&str; 7] = ["extension", "extn", "ext", "x", "#", "p", "w"];
/// A number with an extension has so many digits at least: `0xx11` in Brazil is none, nor is `*67#1`.
const MIN_DIGITS_BEFORE_EXTENSION: usize = 4;

/// The text before `;ext=12`, `ext. 12`, `x12`, `#12`, or a pause.
fn without_extension(text: &str) -> &str {
    let text = text.split([';', ',']).next().unwrap_or_default();
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    if head.len() == text.len() {
        return text;
    }
    let marked = head.trim_end_matches(['.', ' ', ':']);
    EXTENSION_MARKS
        .iter()
        .find_map(|mark| {
            let at = marked.len().checked_sub(mark.len())?;
            let before = marked.get(..at)?;
            let digits = before.chars().filter(|c| decimal_digit(*c).is_some());
            (marked.get(at..)?.eq_ignore_ascii_case(mark)
                && digits.count() >= MIN_DIGITS_BEFORE_EXTENSION)
                .then_some(before)
        })
        .unwrap_or(text)
}
