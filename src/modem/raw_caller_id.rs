//! The raw form of caller ID (`AT+VCID=2`): the FSK message as upper-case hex.
//!
//! Message: type, length, contents, checksum; the sum of all bytes is 0 modulo 256. A message of the
//! single-data format (SDMF, 04h) holds date, time and number; one of the multiple-data format
//! (MDMF, 80h) holds parameters of type, length, contents. Sources: Bellcore GR-30 and ETSI
//! EN 300 659-3 as restated by spandsp's `adsi.h`; the check values in the tests were recomputed.

use super::caller_id::{CallerId, MessageWaiting, latin1};

/// A message whose checksum is right (or that was printed without one).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RawMessage {
    /// A call: SDMF 04h or MDMF 80h.
    Call(CallerId),
    /// SDMF 06h or MDMF 82h.
    MessageWaiting(MessageWaiting),
}

/// Why a raw message is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RawError {
    /// The bytes do not add up.
    #[error("raw caller ID with a wrong checksum")]
    Checksum,
    /// It ends before its own length says, or a parameter runs over the end.
    #[error("raw caller ID cut short")]
    Truncated,
}

pub(crate) const SDMF_CALL: u8 = 0x04;
pub(crate) const SDMF_MESSAGE_WAITING: u8 = 0x06;
pub(crate) const MDMF_CALL: u8 = 0x80;
pub(crate) const MDMF_MESSAGE_WAITING: u8 = 0x82;

pub(crate) const DATE_TIME: u8 = 0x01;
pub(crate) const NUMBER: u8 = 0x02;
pub(crate) const DIALABLE_NUMBER: u8 = 0x03;
const NUMBER_ABSENT: u8 = 0x04;
pub(crate) const NAME: u8 = 0x07;
const NAME_ABSENT: u8 = 0x08;
const VISUAL_INDICATOR: u8 = 0x0B;
const MESSAGE_COUNT: u8 = 0x13;

/// Reads a line of hex. `None` if it is not a raw caller-ID message at all.
pub fn parse_line(line: &str) -> Option<Result<RawMessage, RawError>> {
    let bytes = from_hex(line)?;
    let (&kind, rest) = bytes.split_first()?;
    let (&length, contents) = rest.split_first()?;
    let known = [
        SDMF_CALL,
        SDMF_MESSAGE_WAITING,
        MDMF_CALL,
        MDMF_MESSAGE_WAITING,
    ];
    if !known.contains(&kind) || contents.len() < 3 {
        return None;
    }
    Some(parse(kind, usize::from(length), &bytes, contents))
}

fn parse(kind: u8, length: usize, bytes: &[u8], contents: &[u8]) -> Result<RawMessage, RawError> {
    let contents = match contents.len().checked_sub(length) {
        None => return Err(RawError::Truncated),
        // One modem's manual shows SDMF without the check byte; a wrong length must not look like it.
        Some(0) if kind == SDMF_CALL && contents.iter().all(u8::is_ascii_digit) => contents,
        Some(0) => return Err(RawError::Checksum),
        Some(_) => {
            if bytes[..length + 3]
                .iter()
                .fold(0u8, |sum, b| sum.wrapping_add(*b))
                != 0
            {
                return Err(RawError::Checksum);
            }
            &contents[..length]
        }
    };
    match kind {
        SDMF_CALL => single_data_call(contents),
        SDMF_MESSAGE_WAITING => Ok(RawMessage::MessageWaiting(MessageWaiting {
            // 42h 42h 42h turns the indicator on, 6Fh 6Fh 6Fh off.
            waiting: contents.first() == Some(&0x42),
            count: None,
        })),
        _ => multiple_data(kind, contents),
    }
}

fn single_data_call(contents: &[u8]) -> Result<RawMessage, RawError> {
    let (date_time, number) = contents.split_at_checked(8).ok_or(RawError::Truncated)?;
    let mut id = CallerId {
        number: text(number),
        ..CallerId::default()
    };
    set_date_time(&mut id, date_time);
    Ok(RawMessage::Call(id))
}

fn multiple_data(kind: u8, mut contents: &[u8]) -> Result<RawMessage, RawError> {
    let mut id = CallerId::default();
    let mut dialable = None;
    let mut waiting = MessageWaiting {
        waiting: false,
        count: None,
    };
    while let [parameter, length, rest @ ..] = contents {
        let (value, after) = rest
            .split_at_checked(usize::from(*length))
            .ok_or(RawError::Truncated)?;
        contents = after;
        match *parameter {
            DATE_TIME => set_date_time(&mut id, value),
            NUMBER | NUMBER_ABSENT => id.number = id.number.or_else(|| text(value)),
            DIALABLE_NUMBER => dialable = text(value),
            NAME | NAME_ABSENT => id.name = id.name.or_else(|| text(value)),
            VISUAL_INDICATOR => waiting.waiting = value.first().is_some_and(|&v| v != 0),
            MESSAGE_COUNT => waiting.count = value.first().copied(),
            _ => {}
        }
    }
    if kind == MDMF_MESSAGE_WAITING {
        return Ok(RawMessage::MessageWaiting(waiting));
    }
    id.number = id.number.or(dialable);
    Ok(RawMessage::Call(id))
}

/// One parameter on its own, as Rockwell modems print those that they do not format themselves:
/// type, length, contents, perhaps a checksum. Returns type and contents.
pub fn parse_parameter(hex: &str) -> Option<(u8, Vec<u8>)> {
    let bytes = from_hex(hex)?;
    let [kind, length, rest @ ..] = bytes.as_slice() else {
        return None;
    };
    Some((*kind, rest.get(..usize::from(*length))?.to_vec()))
}

/// MMDDHHMM.
fn set_date_time(id: &mut CallerId, value: &[u8]) {
    if let Some((date, time)) = value.split_at_checked(4) {
        id.date = text(date);
        id.time = text(time);
    }
}

/// A value as text, trimmed; `None` if nothing is left.
pub(super) fn text(value: &[u8]) -> Option<String> {
    let text = latin1(value).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() < 4 || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            u8::try_from(high << 4 | low).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(date: &str, time: &str, number: Option<&str>, name: Option<&str>) -> RawMessage {
        RawMessage::Call(CallerId {
            date: Some(date.into()),
            time: Some(time.into()),
            number: number.map(Into::into),
            name: name.map(Into::into),
        })
    }

    fn waiting(waiting: bool) -> RawMessage {
        RawMessage::MessageWaiting(MessageWaiting {
            waiting,
            count: None,
        })
    }

    #[test]
    fn vectors() {
        let good = [
            (
                "041230393330313232343630393535353132313251",
                call("0930", "1224", Some("6095551212"), None),
            ),
            (
                "04093039333031323234500E",
                call("0930", "1224", Some("P"), None),
            ),
            (
                "040930393330313232344F0F",
                call("0930", "1224", Some("O"), None),
            ),
            (
                "80200108303332343039303207084A4F484E20444F45020A3830303535353132313284",
                call("0324", "0902", Some("8005551212"), Some("JOHN DOE")),
            ),
            (
                "80100108303332343039303204015008015025",
                call("0324", "0902", Some("P"), Some("P")),
            ),
            (
                "80100108303332343039303204014F08014F27",
                call("0324", "0902", Some("O"), Some("O")),
            ),
            (
                "802701083132323530383330020A32313235353530313437070F5631323334353637383930313233346C",
                call("1225", "0830", Some("2125550147"), Some("V12345678901234")),
            ),
            (
                "801911010101083132313332313533020A30363132333435363738A3",
                call("1213", "2153", Some("0612345678"), None),
            ),
            ("82030B01FF70", waiting(true)),
            ("82030B01006F", waiting(false)),
            ("060342424231", waiting(true)),
            ("06036F6F6FAA", waiting(false)),
            // No checksum byte at all.
            (
                "0412303332323234303539313435353132333435",
                call("0322", "2405", Some("9145512345"), None),
            ),
        ];
        for (hex, message) in good {
            assert_eq!(parse_line(hex), Some(Ok(message)), "{hex}");
        }
    }

    #[test]
    fn damage() {
        for (hex, error) in [
            // As published, with wrong check bytes.
            ("040930393330313232345012", RawError::Checksum),
            (
                "80200108303332343039303207084A4F484E20444F45020A383030353535313231327D",
                RawError::Checksum,
            ),
            (
                "801E01083130313532303338020A37303835353530303031070C552E532E524F424F5449435322",
                RawError::Checksum,
            ),
            ("80200108303332343039303207084A4F", RawError::Truncated),
        ] {
            assert_eq!(parse_line(hex), Some(Err(error)), "{hex}");
        }
        for not_one in [
            "",
            "OK",
            "RING",
            "0",
            "80",
            "8020",
            "5601",
            "56000",
            "a007040284C6002F",
            "é",
        ] {
            assert_eq!(parse_line(not_one), None, "{not_one}");
        }
    }

    #[test]
    fn every_single_bit_error_is_found() {
        let hex = "80200108303332343039303207084A4F484E20444F45020A3830303535353132313284";
        let good = from_hex(hex).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let hex = bad
                .iter()
                .fold(String::new(), |hex, b| hex + &format!("{b:02X}"));
            assert!(!matches!(parse_line(&hex), Some(Ok(_))), "{hex}");
        }
    }
}
