use super::encoding::{escape, from_base64, to_base64, unescape};
use super::*;
use proptest::prelude::*;

fn header() -> Header {
    Header {
        program: "callblock/0.1.0".into(),
        started: "2026-01-02T03:04:05Z".into(),
        baud: 115_200,
        masked: false,
        device: "/dev/serial/by-id/a modem".into(),
    }
}

fn written(records: &[Record]) -> String {
    let mut text = String::new();
    write_header(&header(), &mut text);
    for record in records {
        write_record(record, &mut text);
    }
    text
}

fn from_modem(at_ms: u64, bytes: &[u8]) -> Record {
    Record {
        at: Duration::from_millis(at_ms),
        what: What::Bytes(Direction::FromModem, bytes.into()),
    }
}

fn to_modem(at_ms: u64, bytes: &[u8]) -> Record {
    Record {
        at: Duration::from_millis(at_ms),
        what: What::Bytes(Direction::ToModem, bytes.into()),
    }
}

/// A byte, or something that happened to the port.
type Crossed = Result<(Direction, u8), PortChange>;

/// What crossed the port byte by byte: how it was cut into lines means nothing.
fn byte_by_byte(records: &[Record]) -> Vec<(Duration, Crossed)> {
    let mut flat = Vec::new();
    for record in records {
        match &record.what {
            What::Port(change) => flat.push((record.at, Err(*change))),
            What::Bytes(direction, bytes) => {
                flat.extend(bytes.iter().map(|&b| (record.at, Ok((*direction, b)))));
            }
        }
    }
    flat
}

#[test]
fn a_trace_is_to_be_read_by_people() {
    let noise: Vec<u8> = (0..40_u8).map(|n| n.wrapping_mul(37)).collect();
    let records = [
        Record {
            at: Duration::ZERO,
            what: What::Port(PortChange::Opened),
        },
        to_modem(1, b"AT+VCID=1\r"),
        from_modem(4, b"\r\nOK\r\n"),
        from_modem(5000, b"\x10R"),
        from_modem(6000, b" NAME = A\\B "),
        to_modem(7000, &[0x80; 160]),
        from_modem(7016, &noise),
        Record {
            at: Duration::from_secs(8),
            what: What::Port(PortChange::Missing(7)),
        },
    ];
    assert_eq!(
        written(&records),
        "callblock-trace 1 program=callblock/0.1.0 started=2026-01-02T03:04:05Z baud=115200 \
         masked=no device=/dev/serial/by-id/a modem\n\
         0.000000 -- opened\n\
         0.001000 >> AT+VCID=1\\r\n\
         0.004000 << \\r\\nOK\\r\\n\n\
         5.000000 << \\x10R\n\
         6.000000 << \\x20NAME = A\\\\B\\x20\n\
         7.000000 >r 160 80\n\
         7.016000 <b ACVKb5S53gMoTXKXvOEGK1B1mr/kCS5TeJ3C5wwxVnugxeoPNFl+ow==\n\
         8.000000 -- missing 7\n"
    );
    let read = parse(written(&records).as_bytes()).unwrap();
    assert_eq!(read.header, header());
    assert_eq!(read.records, records);
    assert_eq!(read.problems, []);
}

#[test]
fn a_file_that_was_appended_to_is_one_trace() {
    let mut text = written(&[from_modem(500, b"a")]);
    text.push_str("0.7000"); // the process was killed here
    text.push('\n');
    text.push_str(&written(&[from_modem(200, b"b")]));
    let read = parse(text.as_bytes()).unwrap();
    assert_eq!(read.records, [from_modem(500, b"a"), from_modem(700, b"b")]);
    assert_eq!(read.problems.len(), 1);
    assert_eq!(read.problems[0].line, 3);
}

#[test]
fn what_is_no_trace_or_too_new_is_refused() {
    for no_trace in [
        "",
        "\n",
        "0.1 >> AT",
        "callblock-trace",
        "callblock-trace x",
        "# hello",
    ] {
        assert_eq!(
            parse(no_trace.as_bytes()),
            Err(TraceError::NoTrace),
            "{no_trace}"
        );
    }
    assert_eq!(
        parse(b"callblock-trace 2 program=x"),
        Err(TraceError::TooNew(2))
    );
    assert!(parse(b"callblock-trace 1").is_ok());
}

#[test]
fn bad_lines_are_passed_over_and_told() {
    let bad = [
        ("now << a", ProblemKind::NoTime),
        ("-1.0 << a", ProblemKind::NoTime),
        ("1 << a", ProblemKind::NoTime),
        ("99999999999999999999.0 << a", ProblemKind::NoTime),
        ("1.0", ProblemKind::NoKind),
        ("1.0 <<", ProblemKind::NoKind),
        ("1.0 <z a", ProblemKind::NoKind),
        ("1.0 << \\q", ProblemKind::BadContent),
        ("1.0 << \\x1", ProblemKind::BadContent),
        ("1.0 << \u{e9}", ProblemKind::BadContent),
        ("1.0 <b A", ProblemKind::BadContent),
        ("1.0 <b ====", ProblemKind::BadContent),
        ("1.0 <b A===", ProblemKind::BadContent),
        ("1.0 <b AB==", ProblemKind::BadContent),
        ("1.0 <r 99999999999 80", ProblemKind::BadContent),
        ("1.0 <r 0 80", ProblemKind::BadContent),
        ("1.0 <r 4 8", ProblemKind::BadContent),
        ("1.0 -- exploded", ProblemKind::BadContent),
        ("1.0 -- missing", ProblemKind::BadContent),
        ("callblock-trace 7 x", ProblemKind::BadHeader),
    ];
    for (line, kind) in bad {
        let text = format!("callblock-trace 1\n\n# a comment\n{line}\r\n2.0 << good\r\n");
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!(read.problems, [Problem { line: 4, kind }], "{line}");
        assert_eq!(read.records, [from_modem(2000, b"good")], "{line}");
    }
    let long = format!("callblock-trace 1\n1.0 << {}\n", "a".repeat(LONGEST_LINE));
    let read = parse(long.as_bytes()).unwrap();
    assert_eq!(read.problems[0].kind, ProblemKind::TooLong);
    let many = format!("callblock-trace 1\n{}", "what\n".repeat(100));
    let read = parse(many.as_bytes()).unwrap();
    assert_eq!((read.problems.len(), read.more_problems), (20, 80));
}

#[test]
fn too_much_is_left_out() {
    let line = "1.0 <r 4096 80\n";
    let text = format!("callblock-trace 1\n{}", line.repeat(MOST_BYTES / 4096 + 10));
    let read = parse(text.as_bytes()).unwrap();
    assert_eq!(read.records.len(), MOST_BYTES / 4096);
    assert_eq!(read.problems.len(), 1);
    assert_eq!(read.problems[0].kind, ProblemKind::TooMuch);
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..1500),
        prop::collection::vec(b' '..=b'~', 1..600),
        (any::<u8>(), 1..9000usize).prop_map(|(byte, count)| vec![byte; count]),
        Just(b"\r\nOK\r\n".to_vec()),
    ]
}

fn any_record() -> impl Strategy<Value = (u64, What)> {
    let direction = prop::sample::select(vec![Direction::ToModem, Direction::FromModem]);
    let change = prop_oneof![
        (0..8usize).prop_map(|index| PortChange::WORDS[index].1),
        any::<u64>().prop_map(PortChange::Missing),
    ];
    let what = prop_oneof![
        4 => (direction, any_bytes()).prop_map(|(direction, bytes)| What::Bytes(direction, bytes)),
        1 => change.prop_map(What::Port),
    ];
    (0..3_000_000_u64, what)
}

proptest! {
    #[test]
    fn writing_and_reading_gives_the_same_bytes_and_times(
        steps in prop::collection::vec(any_record(), 0..20),
    ) {
        let mut at = Duration::ZERO;
        let records: Vec<Record> = steps
            .into_iter()
            .map(|(later, what)| {
                at += Duration::from_micros(later);
                Record { at, what }
            })
            .collect();
        let text = written(&records);
        prop_assert!(text.lines().all(|line| line.len() <= LONGEST_LINE));
        let read = parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&read.problems, &[]);
        prop_assert_eq!(byte_by_byte(&read.records), byte_by_byte(&records));
    }

    #[test]
    fn encodings_go_both_ways(bytes in any_bytes()) {
        let mut text = String::new();
        escape(&bytes, &mut text);
        prop_assert_eq!(unescape(&text), Some(bytes.clone()));
        let mut text = String::new();
        to_base64(&bytes, &mut text);
        prop_assert_eq!(from_base64(&text), Some(bytes));
    }

    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut text = b"callblock-trace 1\n".to_vec();
        text.extend(&bytes);
        let read = parse(&text).unwrap();
        let crossed = byte_by_byte(&read.records).len();
        prop_assert!(crossed <= bytes.len() * LONGEST_LINE);
        let _ = parse(&bytes);
    }

    #[test]
    fn lines_that_are_nearly_right_can_be_read(
        lines in prop::collection::vec("[0-9]{0,3}\\.?[0-9]{0,7} [<>br-]{0,2} ?[ -~]{0,20}", 0..20),
    ) {
        let text = format!("callblock-trace 1\n{}", lines.join("\n"));
        let read = parse(text.as_bytes()).unwrap();
        prop_assert!(read.records.is_sorted_by_key(|record| record.at));
    }
}
