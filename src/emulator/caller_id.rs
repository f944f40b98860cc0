//! Caller ID as modems write it: plain blocks, shielded blocks, raw hex.

use serde::Deserialize;
use std::fmt::Write as _;

const DLE: u8 = 0x10;

/// How one caller ID is written. What is left out is as the chip does it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Format {
    /// Plain or shielded.
    pub form: Option<Form>,
    /// `KEY = value` or `KEY=value`.
    pub spaces: Option<bool>,
    /// The keys in their order; `["DATE", "TIME", "NMBR", "NAME"]` if left out. `NAME` is left out
    /// if the call has no name, `NMBR` if it has no number.
    pub order: Option<Vec<String>>,
    /// The date as sent, MMDD; `1107` if left out.
    pub date: Option<String>,
    /// The time as sent, HHMM; `1152` if left out.
    pub time: Option<String>,
    /// The key of the number, if not `NMBR`.
    pub number_key: Option<String>,
    /// A second number line, right after the first.
    pub second_number: Option<String>,
    /// Lines put after `TIME`, as they are.
    pub extra: Vec<String>,
    /// What is sent when raw caller ID was asked for (`+VCID=2`), in hex; left out: an MDMF message
    /// made from date, time, number and name.
    pub raw: Option<String>,
    /// What is put before the hex.
    pub raw_prefix: Option<String>,
}

/// Plain or shielded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Lines of text.
    Plain,
    /// `<DLE>X`, lines, `<DLE>.`, the complex event report of V.253.
    DleX,
    /// The Apple and Motorola "Jump" modem's: `<DLE>R<DLE>X` before, `<DLE>.<DLE>X` before the name.
    Jump,
}

/// What the exchange sends about the caller.
#[derive(Clone, Debug)]
pub(crate) struct CallerId {
    pub(crate) number: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) format: Format,
}

/// Characters beyond Latin-1 become `?`.
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}

impl CallerId {
    /// The bytes of the formatted block (`+VCID=1`).
    pub(crate) fn block(&self, default_form: Form, default_spaces: bool) -> Vec<u8> {
        let format = &self.format;
        let equals = if format.spaces.unwrap_or(default_spaces) {
            " = "
        } else {
            "="
        };
        let lines: Vec<String> = self
            .fields()
            .into_iter()
            .map(|(key, value)| match key {
                Some(key) => format!("{key}{equals}{value}"),
                None => value,
            })
            .collect();
        match format.form.unwrap_or(default_form) {
            Form::Plain => plain(&lines),
            Form::DleX => shielded(&lines),
            Form::Jump => jump(&lines),
        }
    }

    /// Keys and values in order; extra lines have no key.
    fn fields(&self) -> Vec<(Option<String>, String)> {
        let format = &self.format;
        let usual = ["DATE", "TIME", "NMBR", "NAME"].map(str::to_owned);
        let order = format.order.as_deref().unwrap_or(&usual);
        let mut fields = Vec::new();
        for key in order {
            let value = match key.as_str() {
                "DATE" => Some(self.date().to_owned()),
                "TIME" => Some(self.time().to_owned()),
                "NMBR" => self.number.clone(),
                "NAME" => self.name.clone(),
                _ => None,
            };
            let Some(value) = value else { continue };
            let is_number = key == "NMBR";
            let written_key = match &format.number_key {
                Some(other) if is_number => other.clone(),
                _ => key.clone(),
            };
            fields.push((Some(written_key.clone()), value));
            if let (true, Some(second)) = (is_number, &format.second_number) {
                fields.push((Some(written_key), second.clone()));
            }
            if key == "TIME" {
                fields.extend(format.extra.iter().map(|line| (None, line.clone())));
            }
        }
        fields
    }

    fn date(&self) -> &str {
        self.format.date.as_deref().unwrap_or("1107")
    }

    fn time(&self) -> &str {
        self.format.time.as_deref().unwrap_or("1152")
    }

    /// The bytes of the unformatted report (`+VCID=2`): the FSK message in upper-case hex.
    pub(crate) fn raw(&self) -> Vec<u8> {
        let hex = self
            .format
            .raw
            .clone()
            .unwrap_or_else(|| hex_of(&self.mdmf()));
        let prefix = self.format.raw_prefix.as_deref().unwrap_or("");
        plain(&[format!("{prefix}{hex}")])
    }

    /// Whether the raw message given does not add up to 0: then formatted caller ID is suppressed.
    pub(crate) fn fails_checksum(&self) -> bool {
        let Some(hex) = &self.format.raw else {
            return false;
        };
        let pairs = hex.as_bytes().chunks(2);
        let sum = pairs
            .map(|pair| {
                let pair = std::str::from_utf8(pair).ok()?;
                u8::from_str_radix(pair, 16).ok()
            })
            .try_fold(0_u8, |sum, byte| Some(sum.wrapping_add(byte?)));
        sum != Some(0)
    }

    /// The message of the exchange: type 80h, parameters, and a checksum that makes the sum 0.
    fn mdmf(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let mut parameter = |kind: u8, value: &[u8]| {
            let value = value.get(..value.len().min(60)).unwrap_or_default();
            body.push(kind);
            body.push(value.len() as u8);
            body.extend_from_slice(value);
        };
        parameter(0x01, &latin1(&format!("{}{}", self.date(), self.time())));
        match self.number.as_deref() {
            Some(absent @ ("P" | "O")) => parameter(0x04, absent.as_bytes()),
            Some(number) => parameter(0x02, &latin1(number)),
            None => {}
        }
        match self.name.as_deref() {
            Some(absent @ ("P" | "O")) => parameter(0x08, absent.as_bytes()),
            Some(name) => parameter(0x07, &latin1(name)),
            None => {}
        }
        let mut message = vec![0x80, body.len() as u8];
        message.append(&mut body);
        let sum = message.iter().fold(0_u8, |sum, b| sum.wrapping_add(*b));
        message.push(sum.wrapping_neg());
        message
    }
}

/// A message-waiting block: `MESG` holds the MDMF parameter 0Bh, `MSG_WAITING` the word.
pub(crate) fn message_waiting(count: u8, spaces: bool) -> Vec<u8> {
    let equals = if spaces { " = " } else { "=" };
    let lamp = if count > 0 { "ON" } else { "OFF" };
    let mut lines = vec![
        format!("DATE{equals}1107"),
        format!("TIME{equals}1152"),
        format!("MSG_WAITING{equals}{lamp}"),
    ];
    if count > 0 {
        // Parameter 13h: the number of messages in the mailbox.
        lines.push(format!("MESG{equals}1301{count:02X}"));
    }
    plain(&lines)
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

fn plain(lines: &[String]) -> Vec<u8> {
    let mut bytes = b"\r\n".to_vec();
    for line in lines {
        bytes.extend(latin1(line));
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn shielded(lines: &[String]) -> Vec<u8> {
    let mut bytes = vec![DLE, b'X'];
    for line in lines {
        bytes.extend(latin1(line));
        bytes.push(b'\r');
    }
    bytes.extend_from_slice(&[DLE, b'.']);
    bytes
}

fn jump(lines: &[String]) -> Vec<u8> {
    let mut bytes = vec![DLE, b'R', DLE, b'X', b'\n', b'\n'];
    for line in lines {
        if line.starts_with("NAME") {
            bytes.extend_from_slice(&[DLE, b'.', DLE, b'X']);
        }
        bytes.extend(latin1(line));
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn john() -> CallerId {
        CallerId {
            number: Some("8005551212".into()),
            name: Some("JOHN DOE".into()),
            format: Format {
                date: Some("0324".into()),
                time: Some("0902".into()),
                ..Format::default()
            },
        }
    }

    #[test]
    fn raw_message_is_the_published_vector() {
        // The published one has the name before the number; the sum does not care.
        let expected = "\r\n8020010830333234303930320\
                       20A3830303535353132313207084A4F484E20444F4584\r\n";
        assert_eq!(String::from_utf8(john().raw()).unwrap(), expected);
    }

    #[test]
    fn withheld_raw_message_is_the_published_vector() {
        let mut caller = john();
        caller.number = Some("P".into());
        caller.name = Some("P".into());
        let expected = b"\r\n80100108303332343039303204015008015025\r\n";
        assert_eq!(caller.raw(), expected);
    }

    #[test]
    fn blocks_in_both_spellings_and_forms() {
        let caller = john();
        assert_eq!(
            caller.block(Form::Plain, true),
            b"\r\nDATE = 0324\r\nTIME = 0902\r\nNMBR = 8005551212\r\nNAME = JOHN DOE\r\n"
        );
        assert_eq!(
            caller.block(Form::DleX, false),
            b"\x10XDATE=0324\rTIME=0902\rNMBR=8005551212\rNAME=JOHN DOE\r\x10."
        );
    }

    #[test]
    fn odd_blocks() {
        let mut caller = john();
        caller.name = Some("Vähälä".into());
        caller.format.order = Some(["NAME", "TIME", "NMBR"].map(str::to_owned).to_vec());
        caller.format.extra = vec!["MESG = 110101".into()];
        caller.format.number_key = Some("DDN_NMBR".into());
        caller.format.second_number = Some("O".into());
        assert_eq!(
            caller.block(Form::Plain, true),
            b"\r\nNAME = V\xe4h\xe4l\xe4\r\nTIME = 0902\r\nMESG = 110101\r\n\
              DDN_NMBR = 8005551212\r\nDDN_NMBR = O\r\n"
        );
    }
}
