//! vCard 3 and 4 (RFC 2426, RFC 6350), and 2.1 as telephones still write it: the telephone numbers of
//! contacts, each with the contact's name.

use super::{Row, Sink, TOO_LONG, decode, lines};
use std::borrow::Cow;
use std::io::{self, BufRead};

/// What is longer is cut: no name or number is.
const MAX_PROPERTY_BYTES: usize = 1024;

/// The contact being read.
#[derive(Default)]
struct Card {
    name: String,
    /// Line and number.
    numbers: Vec<(u32, String)>,
}

/// Reads all contacts of a file.
pub(super) fn vcard(text: &mut dyn BufRead, sink: &mut dyn Sink) -> io::Result<()> {
    let mut card = Card::default();
    // A long line goes on behind the blank of the next one.
    let mut pending: Option<(u32, String)> = None;
    lines(text, &mut |number, line| {
        let Some(line) = line else {
            return sink.bad(number, TOO_LONG);
        };
        let line = decode(line);
        let line = line.trim_end_matches(['\r', '\n']);
        if let Some((_, pending)) = &mut pending
            && goes_on(pending)
        {
            pending.pop();
            if pending.len() < MAX_PROPERTY_BYTES {
                pending.push_str(line);
            } else if line.ends_with('=') {
                pending.push('=');
            }
            return;
        }
        if let Some(more) = line.strip_prefix([' ', '\t'])
            && let Some((_, pending)) = &mut pending
        {
            // A photograph is of no use here.
            if pending.len() < MAX_PROPERTY_BYTES {
                pending.push_str(more);
            }
            return;
        }
        if let Some((number, line)) = pending.replace((number, line.to_owned())) {
            card.property(number, &line, sink);
        }
    })?;
    if let Some((number, line)) = pending {
        card.property(number, &line, sink);
    }
    card.end(sink);
    Ok(())
}

impl Card {
    fn property(&mut self, number: u32, line: &str, sink: &mut dyn Sink) {
        let Some((property, value)) = split_property(line) else {
            return;
        };
        let value = if is_quoted_printable(property) {
            Cow::Owned(decode(&from_quoted_printable(value)).into_owned())
        } else {
            Cow::Borrowed(value)
        };
        let value = &*value;
        let property = property.split(';').next().unwrap_or_default();
        // Some programs put properties into groups: item1.TEL
        let property = property
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match property.as_str() {
            "BEGIN" => *self = Self::default(),
            "END" => self.end(sink),
            "FN" => self.name = unescaped(value),
            "N" if self.name.is_empty() => {
                // Family name, given name, and more.
                let mut parts = value.split(';').take(2).map(unescaped);
                let (family, given) = (parts.next(), parts.next());
                let both = [given, family].into_iter().flatten();
                let parts: Vec<_> = both.filter(|part| !part.is_empty()).collect();
                self.name = parts.join(" ");
            }
            "TEL" => {
                let value = unescaped(value);
                let value = value.trim();
                let scheme = value
                    .get(..4)
                    .is_some_and(|start| start.eq_ignore_ascii_case("tel:"));
                let value = if scheme { &value[4..] } else { value };
                // An extension, or a pause and what is dialled after it.
                let value = value.split([';', ',']).next().unwrap_or_default().trim();
                if value.contains(|c: char| c.is_ascii_digit()) && !value.contains(['*', '#', '?'])
                {
                    self.numbers.push((number, value.to_owned()));
                } else {
                    sink.bad(
                        number,
                        "this contact's number is not a telephone number".into(),
                    );
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, sink: &mut dyn Sink) {
        for (line, number) in self.numbers.drain(..) {
            sink.row(line, Row::new(number, self.name.as_str()));
        }
        self.name.clear();
    }
}

/// A property with its parameters, and its value. Parameters in quotes may have colons.
fn split_property(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let colon = line.find(|c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    })?;
    Some((line.get(..colon)?, line.get(colon + 1..)?))
}

/// Whether the value is written so (RFC 2045), as in vCard 2.1.
fn is_quoted_printable(property: &str) -> bool {
    let mut parameters = property.split(';').skip(1);
    parameters.any(|parameter| {
        let value = parameter.rsplit('=').next().unwrap_or_default();
        value.trim().eq_ignore_ascii_case("QUOTED-PRINTABLE")
    })
}

/// Whether the next line belongs to this one, for all that it begins with no blank.
fn goes_on(line: &str) -> bool {
    line.ends_with('=')
        && split_property(line).is_some_and(|(property, _)| is_quoted_printable(property))
}

/// The bytes; what is no `=` and two hexadecimal digits stands for itself. Whatever character set is
/// named, the text is taken for UTF-8 or else for Latin-1.
fn from_quoted_printable(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match after {
            [high, low, ..] if *first == b'=' => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        if let Some((high, low)) = code {
            bytes.push(16 * high + low);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| value.try_into().ok())
}

fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        text.push(match (c, c == '\\') {
            (_, true) => match characters.next() {
                Some('n' | 'N') | None => ' ',
                Some(other) => other,
            },
            (c, false) => c,
        });
    }
    text
}
