//! One line of text, masked: caller ID in any dialect, raw messages, dial commands, and whatever
//! else has a long number in it.

use super::Mask;
use crate::modem::caller_id::{Field, latin1};
use crate::modem::raw_caller_id::{
    DATE_TIME, DIALABLE_NUMBER, MDMF_CALL, MDMF_MESSAGE_WAITING, NAME, NUMBER, SDMF_CALL,
    SDMF_MESSAGE_WAITING, from_hex,
};

/// Fewer digits in a dialect that is not known here are a setting, such as `+VCID: 1`.
const SHORT_NUMBER: usize = 5;
/// So many digits in a row are taken for a telephone number wherever they stand.
const LONG_NUMBER: usize = 7;
/// Month, day, hour and minute before the number of a single-data message.
const SDMF_DATE: usize = 8;

/// The line with other numbers and names, just as long; `None` if there are none in it.
pub(super) fn masked_line(mask: Mask, line: &[u8]) -> Option<Vec<u8>> {
    let mut masked = line.to_vec();
    mask_line(mask, &mut masked);
    (masked != line).then_some(masked)
}

fn mask_line(mask: Mask, line: &mut [u8]) {
    if let Some((separator, kind)) = announced(line) {
        let value = &mut line[separator + 1..];
        match kind {
            Kind::Number => return mask.number(value),
            Kind::Name => return mask.name(value),
            Kind::Hex if hex(mask, value) => return,
            Kind::Hex => return long_numbers(mask, value),
            Kind::Nothing => return,
        }
    }
    if line.len() > 3 && line[..3].eq_ignore_ascii_case(b"ATD") {
        return mask.number(&mut line[3..]);
    }
    if !hex(mask, line) {
        long_numbers(mask, line);
    }
}

enum Kind {
    Number,
    Name,
    Hex,
    /// It says nothing of anybody.
    Nothing,
}

/// What a line `KEY = value` (or `KEY: value`) holds, and where its separator stands.
fn announced(line: &[u8]) -> Option<(usize, Kind)> {
    let separator = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
    let key = latin1(line[..separator].trim_ascii()).to_ascii_uppercase();
    let kind = match Field::of(&key) {
        Some(Field::Number | Field::DirectoryNumber | Field::OtherNumber) => Kind::Number,
        Some(Field::Name | Field::OtherName) => Kind::Name,
        Some(Field::Raw) => Kind::Hex,
        Some(Field::Date | Field::Time | Field::MessageWaiting | Field::Remark) => Kind::Nothing,
        // A dialect that is not known here.
        None => {
            let speaks_of = |words: &[&str]| words.iter().any(|word| key.contains(word));
            let digits = line[separator..].iter().filter(|b| b.is_ascii_digit());
            if speaks_of(&["NAME"]) {
                Kind::Name
            } else if speaks_of(&[
                "NMBR", "NUMB", "NBR", "DDN", "CLIP", "PHONE", "CALLER", "CID",
            ]) && digits.count() >= SHORT_NUMBER
            {
                Kind::Number
            } else {
                return None;
            }
        }
    };
    Some((separator, kind))
}

/// Digits in a row, groups joined by a hyphen included.
fn long_numbers(mask: Mask, text: &mut [u8]) {
    let mut start = 0;
    while start < text.len() {
        let joined = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
        let length = text[start..].iter().take_while(|byte| joined(byte)).count();
        let run = &mut text[start..start + length];
        if run.iter().filter(|byte| byte.is_ascii_digit()).count() >= LONG_NUMBER {
            mask.number(run);
        }
        start += length.max(1);
    }
}

/// Masks a raw message or parameter in hex; says whether it is one. Its bytes add up to what they did
/// before: a right checksum stays right, a wrong one wrong.
fn hex(mask: Mask, text: &mut [u8]) -> bool {
    let blanks = text.len() - text.trim_ascii_start().len();
    let length = text.trim_ascii().len();
    let text = &mut text[blanks..blanks + length];
    let Some(before) = std::str::from_utf8(text).ok().and_then(from_hex) else {
        return false;
    };
    let mut bytes = before.clone();
    let [kind, length, rest @ ..] = bytes.as_mut_slice() else {
        return false;
    };
    let is_message = is_message(*kind, rest);
    let contents_end = usize::from(*length).min(rest.len());
    // Cut short, it has no checksum.
    let (contents, check) = rest.split_at_mut(contents_end);
    mask_message(mask, *kind, contents);
    if !check.is_empty() {
        let difference = sum(&before).wrapping_sub(sum(&bytes));
        let check = &mut bytes[2 + contents_end];
        *check = check.wrapping_add(difference);
    }
    if bytes != before {
        write_hex(&bytes, text);
    }
    is_message || bytes != before
}

fn is_message(kind: u8, contents: &[u8]) -> bool {
    let known = [
        SDMF_CALL,
        SDMF_MESSAGE_WAITING,
        MDMF_CALL,
        MDMF_MESSAGE_WAITING,
    ];
    known.contains(&kind) && contents.len() >= 3
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

fn mask_message(mask: Mask, kind: u8, contents: &mut [u8]) {
    match kind {
        // As short as that, 04h is the parameter that says why there is no number.
        SDMF_CALL => {
            if let Some(number) = contents.get_mut(SDMF_DATE..) {
                mask.number(number);
            }
        }
        SDMF_MESSAGE_WAITING => {}
        MDMF_CALL | MDMF_MESSAGE_WAITING => {
            let mut rest = contents;
            while let [parameter, length, value @ ..] = rest {
                let (value, after) = value.split_at_mut(usize::from(*length).min(value.len()));
                mask_parameter(mask, *parameter, value);
                rest = after;
            }
        }
        parameter => mask_parameter(mask, parameter, contents),
    }
}

fn mask_parameter(mask: Mask, parameter: u8, value: &mut [u8]) {
    match parameter {
        NUMBER | DIALABLE_NUMBER => mask.number(value),
        NAME => mask.name(value),
        DATE_TIME => {}
        _ => long_numbers(mask, value),
    }
}

/// In the case of letters that stood there.
fn write_hex(bytes: &[u8], text: &mut [u8]) {
    let digits = if text.iter().any(u8::is_ascii_lowercase) {
        b"0123456789abcdef"
    } else {
        b"0123456789ABCDEF"
    };
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = digits[usize::from(byte >> 4)];
        pair[1] = digits[usize::from(byte & 15)];
    }
}
