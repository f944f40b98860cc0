use super::*;
use crate::modem::caller_id::CallerId;
use crate::modem::protocol::{Event, Protocol};
use crate::modem::raw_caller_id::{RawMessage, parse_line};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const MASK: Mask = Mask::with_seed(7);

fn masked(line: &str) -> String {
    let masked = masked_line(MASK, line.as_bytes()).unwrap_or_else(|| line.into());
    assert_eq!(masked.len(), line.len());
    String::from_utf8(masked).unwrap()
}

fn said(pieces: &[&[u8]]) -> Vec<Record> {
    let record = |(at, bytes): (usize, &&[u8])| Record {
        at: Duration::from_millis(at as u64),
        what: What::Bytes(Direction::FromModem, bytes.to_vec()),
    };
    pieces.iter().enumerate().map(record).collect()
}

fn mask_all(records: Vec<Record>) -> Vec<Record> {
    let mut masker = Masker::new(MASK);
    let mut finished = Vec::new();
    for record in records {
        masker.mask(record, &mut finished);
    }
    masker.finish(&mut finished);
    finished
}

fn bytes(records: &[Record]) -> Vec<u8> {
    let bytes = |record: &Record| match &record.what {
        What::Bytes(_, bytes) => bytes.clone(),
        What::Port(_) => Vec::new(),
    };
    records.iter().flat_map(bytes).collect()
}

#[test]
fn numbers_and_names_of_callers_are_replaced_consistently() {
    let number = masked("NMBR = 2125550147");
    assert!(number.starts_with("NMBR = ") && !number.contains("2125550147"));
    let digits = &number[7..];
    assert!(digits.bytes().all(|byte| byte.is_ascii_digit()));
    for (line, becomes) in [
        ("NMBR=2125550147", format!("NMBR={digits}")),
        ("NMBR = 12125550147", format!("NMBR = 1{digits}")),
        ("DDN_NMBR= 02125550147", format!("DDN_NMBR= 0{digits}")),
        (
            "CALLER NUMBER = 2125550147",
            format!("CALLER NUMBER = {digits}"),
        ),
        ("CID: 2125550147", format!("CID: {digits}")),
        ("ATDT2125550147", format!("ATDT{digits}")),
        ("2125550147", digits.to_owned()),
    ] {
        assert_eq!(masked(line), becomes);
    }
    let name = masked("NAME = Smith J-4");
    let kinds = |text: &str| -> Vec<bool> { text.chars().map(char::is_alphabetic).collect() };
    assert_eq!(kinds(&name), kinds("NAME = Smith J-4"));
    assert!(name != "NAME = Smith J-4" && name == masked("NAME = Smith J-4"));
    assert_ne!(
        masked_line(Mask::with_seed(8), b"NMBR = 2125550147"),
        Some(number.into_bytes())
    );
}

#[test]
fn what_says_nothing_of_anybody_stays() {
    for line in [
        "OK",
        "RING",
        "DATE = 1107",
        "TIME = 1152",
        "NMBR = P",
        "NMBR = OUT OF AREA",
        "NAME = UNAVAILABLE",
        "NAME =",
        "MESG = 110101",
        "MSG_WAITING = ON",
        "82030B01FF70",
        "060342424231",
        "04093039333031323234500E",
        "80100108303332343039303204015008015025",
        "AT+VCID=1",
        "+VCID: 1",
        "+VCID: (0,1,2)",
        "AT+VSM=1,8000,0,0",
        "0,\"8-BIT LINEAR\",8,0,(8000,11025),0,0",
        "CX93001-EIS_V0.2013-V92",
        "56000",
        "+FCLASS: 0,1,1.0,2,8",
    ] {
        assert_eq!(masked(line), line);
    }
}

#[test]
fn raw_messages_stay_right_or_wrong() {
    let number = &masked("NMBR = 2125550147")[7..];
    let hex =
        "802701083132323530383330020A32313235353530313437070F5631323334353637383930313233346C";
    let other = masked(hex);
    let Some(Ok(RawMessage::Call(CallerId {
        date,
        number: n,
        name,
        ..
    }))) = parse_line(&other)
    else {
        panic!("{other}");
    };
    assert_eq!(
        (date.as_deref(), n.as_deref()),
        (Some("1225"), Some(number))
    );
    assert_ne!(name.as_deref(), Some("V12345678901234"));
    for hex in [
        "041230393330313232343630393535353132313251",
        "80200108303332343039303207084A4F484E20444F45020A3830303535353132313284",
        // Checksums that are wrong, cut short, and without one.
        "80200108303332343039303207084A4F484E20444F45020A383030353535313231327D",
        "80200108303332343039303207084A4F",
        "0412303332323234303539313435353132333435",
    ] {
        let other = masked(hex);
        assert_ne!(other, hex);
        let kind = |hex: &str| parse_line(hex).map(|parsed| parsed.map(drop));
        assert_eq!(kind(&other), kind(hex), "{hex} {other}");
        assert_ne!(masked(&format!("MESG = {hex}")), format!("MESG = {hex}"));
    }
    let lower = masked("041230393330313232343630393535353132313a51");
    assert!(!lower.bytes().any(|byte| byte.is_ascii_uppercase()));
    assert_eq!(masked("MESG = 030735353531323132").len(), 25);
    assert_ne!(
        masked("MESG = 030735353531323132"),
        "MESG = 030735353531323132"
    );
}

#[test]
fn a_number_in_pieces_is_masked_and_keeps_its_times() {
    let pieces: [&[u8]; 6] = [
        b"\r\nNM",
        b"BR = 212\x10",
        b"R555",
        b"0147",
        b"\r",
        b"\nNAME",
    ];
    let records = mask_all(said(&pieces));
    let lengths = |records: &[Record]| -> Vec<(Duration, usize)> {
        let length = |r: &Record| (r.at, bytes(std::slice::from_ref(r)).len());
        records.iter().map(length).collect()
    };
    assert_eq!(lengths(&records), lengths(&said(&pieces)));
    let number = &masked("NMBR = 2125550147")[7..];
    let text: Vec<u8> = bytes(&records)
        .into_iter()
        .filter(|b| !matches!(b, 0x10 | b'R'))
        .collect();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text, format!("\r\nNMB = {number}\r\nNAME"));
}

#[test]
fn what_is_held_back_is_bounded() {
    let mut masker = Masker::new(MASK);
    let mut finished = Vec::new();
    for record in said(&vec![&b"x"[..]; 5000]) {
        masker.mask(record, &mut finished);
        assert!(masker.held.len() <= MOST_HELD);
    }
    masker.finish(&mut finished);
    assert_eq!(finished.len(), 5000);
}

/// What the protocol makes of it, numbers and names by their lengths alone.
fn parsed(bytes: &[u8]) -> Vec<String> {
    let now = Instant::now();
    let mut protocol = Protocol::new();
    protocol.receive(bytes, now);
    protocol.time_passed(now + Duration::from_secs(1));
    let length = |text: Option<String>| text.map(|text| text.chars().count());
    std::iter::from_fn(|| protocol.next_event())
        .map(|event| match event {
            Event::CallerId { id, .. } => {
                format!(
                    "{:?} {:?} {:?} {:?}",
                    id.date,
                    id.time,
                    length(id.number),
                    length(id.name)
                )
            }
            Event::Unknown(text) => format!("unknown {}", text.chars().count()),
            other => format!("{other:?}"),
        })
        .collect()
}

proptest! {
    #[test]
    fn a_masked_call_parses_as_the_real_one(
        number in "[0-9]{3,15}",
        name in "[A-Z][A-Z0-9 ,.&-]{0,18}[A-Z]",
        report in any::<bool>(),
        cuts in prop::collection::vec(0..100usize, 0..6),
    ) {
        let mut said_bytes = if report {
            format!("\x10R\x10XDATE=0117\rTIME=1452\rNMBR={number}\rNAME={name}\r\x10.\r\nOK\r\n")
        } else {
            format!("\r\nRING\r\n\r\nDATE = 0117\r\nNMBR = {number}\r\nNAME = {name}\r\n")
        }
        .into_bytes();
        let real = said_bytes.clone();
        let mut pieces = Vec::new();
        for cut in cuts {
            let rest = said_bytes.split_off(cut.min(said_bytes.len()));
            pieces.push(std::mem::replace(&mut said_bytes, rest));
        }
        pieces.push(said_bytes);
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).filter(|p| !p.is_empty()).collect();
        let masked = bytes(&mask_all(said(&pieces)));
        prop_assert_eq!(masked.len(), real.len());
        prop_assert_eq!(parsed(&masked), parsed(&real));
        if number.len() >= 7 && number.bytes().any(|digit| digit != b'0') {
            let text = String::from_utf8(masked).unwrap();
            prop_assert!(!text.contains(number.trim_start_matches('0')) || number.len() < 9);
        }
    }

    #[test]
    fn any_bytes_keep_their_lengths_times_and_shielding(
        pieces in prop::collection::vec(
            prop::collection::vec(
                prop::sample::select(b"\x10\x10X.\x03R\r\n0123456789ABCDEFnmbrNMBAE= \x80".to_vec()),
                1..60,
            ),
            0..40,
        ),
    ) {
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let real = said(&pieces);
        let masked = mask_all(real.clone());
        prop_assert_eq!(masked.len(), real.len());
        for (masked, real) in masked.iter().zip(&real) {
            prop_assert_eq!(masked.at, real.at);
        }
        let framing = |records: &[Record]| -> Vec<bool> {
            bytes(records).iter().map(|byte| matches!(byte, 0x10 | b'\r' | b'\n')).collect()
        };
        prop_assert_eq!(framing(&masked), framing(&real));
    }
}
