//! Bytes as text: escaped, or in base64 (RFC 4648, with padding).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Printable ASCII as it is; the rest, a backslash, and blanks at the ends as escapes.
pub(super) fn escape(bytes: &[u8], out: &mut String) {
    let last = bytes.len().saturating_sub(1);
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'\\' => out.push_str("\\\\"),
            b' ' if index == 0 || index == last => out.push_str("\\x20"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                out.push_str("\\x");
                push_hex(byte, out);
            }
        }
    }
}

/// `None` for an escape that is none, or a character that would have been escaped.
pub(super) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match (byte, after) {
            (b'\\', [b'r', ..]) => b'\r',
            (b'\\', [b'n', ..]) => b'\n',
            (b'\\', [b'\\', ..]) => b'\\',
            (b'\\', [b'x', high, low, ..]) => {
                rest = &after[2..];
                from_hex(*high, *low)?
            }
            (b'\\', _) => return None,
            (b' '..=b'~', _) => byte,
            _ => return None,
        });
        if byte == b'\\' {
            rest = &rest[1..];
        }
    }
    Some(bytes)
}

pub(super) fn push_hex(byte: u8, out: &mut String) {
    for nibble in [byte >> 4, byte & 15] {
        out.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
    }
}

pub(super) fn from_hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

pub(super) fn to_base64(bytes: &[u8], out: &mut String) {
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            out.push(if position <= group.len() {
                char::from(ALPHABET[(bits >> (18 - 6 * position)) as usize & 63])
            } else {
                '='
            });
        }
    }
}

/// `None` for anything that [`to_base64`] would not have written.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if text.is_empty() || !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|&&c| c == b'=').count();
    let (digits, _) = text.split_at(text.len() - padding.min(2));
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in digits.chunks(4) {
        let mut bits = 0;
        for position in 0..4 {
            let digit = match group.get(position) {
                Some(&c) => sextet(c)?,
                None => 0,
            };
            bits = bits << 6 | digit;
        }
        let [_, decoded @ ..] = bits.to_be_bytes();
        let count = group.len() - 1;
        if decoded[count..].iter().any(|&rest| rest != 0) {
            return None;
        }
        bytes.extend_from_slice(&decoded[..count]);
    }
    Some(bytes)
}

fn sextet(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}
