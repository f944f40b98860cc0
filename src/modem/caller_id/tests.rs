//! Caller ID in the dialects of modems and networks.

use super::*;

fn read(lines: &[&str]) -> Vec<Completed> {
    let now = Instant::now();
    let mut reader = CallerIdReader::default();
    let mut completed = Vec::new();
    for line in lines {
        match reader.line(line.as_bytes(), now) {
            LineWas::Part(done) => completed.extend(done),
            other => panic!("{line}: {other:?}"),
        }
    }
    completed.extend(reader.quiet(now + QUIET));
    completed
}

fn call(number: Option<&str>, name: Option<&str>) -> (Option<String>, Option<String>) {
    (number.map(Into::into), name.map(Into::into))
}

fn one_call(lines: &[&str]) -> (Option<String>, Option<String>) {
    match read(lines).as_slice() {
        [
            Completed::Call {
                id,
                revision: false,
            },
        ] => (id.number.clone(), id.name.clone()),
        other => panic!("{lines:?}: {other:?}"),
    }
}

#[test]
fn dialects() {
    type Row = (
        &'static [&'static str],
        (Option<&'static str>, Option<&'static str>),
    );
    let table: &[Row] = &[
        (
            &[
                "DATE = 1107",
                "TIME = 1152",
                "NMBR = 2125550147",
                "NAME = SMITH JOHN",
            ],
            (Some("2125550147"), Some("SMITH JOHN")),
        ),
        (
            &[
                "DATE=0117",
                "TIME=1452",
                "NMBR=2125550147",
                "NAME=WIRELESS CALLER",
            ],
            (Some("2125550147"), Some("WIRELESS CALLER")),
        ),
        (&["NAME = A", "NMBR = 1"], (Some("1"), Some("A"))),
        (
            &["DATE = 1107", "TIME = 1152", "NMBR = 0155501234"],
            (Some("0155501234"), None),
        ),
        (&["NMBR = 2125550147"], (Some("2125550147"), None)),
        (
            &["NAME = SPRINGFIELD MO", "NMBR=12"],
            (Some("12"), Some("SPRINGFIELD MO")),
        ),
        (
            &["NMBR = 12", "NAME = TIMESHARE CO"],
            (Some("12"), Some("TIMESHARE CO")),
        ),
        (&["NMBR = 12", "NAME = OK"], (Some("12"), Some("OK"))),
        (&["NMBR = 12", "NAME = A = B"], (Some("12"), Some("A = B"))),
        (
            &["DATE =", "TIME=", "NMBR = P", "NAME = P"],
            (Some("P"), Some("P")),
        ),
        (
            &["NMBR = 2125550147", "NMBR = O", "NAME = X"],
            (Some("2125550147"), Some("X")),
        ),
        (
            &["NMBR = O", "NMBR = 2125550147", "NAME = X"],
            (Some("2125550147"), Some("X")),
        ),
        (
            &["NAME = SARASOTA,FL", "DDN_NMBR = 9415557218"],
            (Some("9415557218"), Some("SARASOTA,FL")),
        ),
        (
            &["MESG = 110101", "NMBR = 12", "NAME = X"],
            (Some("12"), Some("X")),
        ),
        (&["MESG = 030735353531323132"], (Some("5551212"), None)),
        (&["MESG = 0300"], (None, None)),
        (&["MESG = 03022020", "DDN = 12"], (Some("12"), None)),
        (&["DATE = 1107", "TIME = 12541"], (None, None)),
        (
            &["80200108303332343039303207084A4F484E20444F45020A3830303535353132313284"],
            (Some("8005551212"), Some("JOHN DOE")),
        ),
        (
            &["MESG = 80100108303332343039303204015008015025"],
            (Some("P"), Some("P")),
        ),
    ];
    for (lines, (number, name)) in table {
        assert_eq!(one_call(lines), call(*number, *name), "{lines:?}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_latin1() {
    let now = Instant::now();
    let mut reader = CallerIdReader::default();
    reader.line(b"NMBR = 12", now);
    let LineWas::Part(Some(Completed::Call { id, .. })) =
        reader.line(b"NAME = V\xE4h\xE4l\xE4", now)
    else {
        panic!("not complete");
    };
    assert_eq!(id.name.as_deref(), Some("Vähälä"));
}

#[test]
fn a_block_without_a_name_is_complete_after_quiet_or_at_a_ring() {
    let now = Instant::now();
    let mut reader = CallerIdReader::default();
    reader.line(b"NMBR = 12", now);
    assert_eq!(reader.deadline(), Some(now + QUIET));
    assert_eq!(reader.quiet(now + QUIET / 2), None);
    assert!(reader.quiet(now + QUIET).is_some());
    assert_eq!(reader.deadline(), None);
    reader.line(b"NMBR = 13", now + 2 * REVISION_WINDOW);
    assert!(reader.complete(now + 2 * REVISION_WINDOW).is_some());
}

#[test]
fn a_late_name_revises_and_a_late_mask_does_not() {
    let now = Instant::now();
    let mut reader = CallerIdReader::default();
    reader.line(b"NMBR = 12", now);
    reader.quiet(now + QUIET);
    let late = now + 2 * QUIET;
    reader.line(b"NAME = LATE", late);
    assert_eq!(
        reader.quiet(late + QUIET),
        Some(Completed::Call {
            id: CallerId {
                number: Some("12".into()),
                name: Some("LATE".into()),
                ..CallerId::default()
            },
            revision: true
        })
    );
    reader.line(b"NMBR = O", late + QUIET);
    assert_eq!(reader.quiet(late + 2 * QUIET), None);
}

#[test]
fn another_number_soon_after_is_another_call() {
    let now = Instant::now();
    let mut reader = CallerIdReader::default();
    reader.line(b"NMBR = 12", now);
    reader.quiet(now + QUIET);
    reader.line(b"NMBR = 13", now + 2 * QUIET);
    assert!(matches!(
        reader.quiet(now + 3 * QUIET),
        Some(Completed::Call {
            revision: false,
            ..
        })
    ));
}

#[test]
fn message_waiting_in_all_forms() {
    for (line, waiting) in [
        ("MESG = 060342424231", true),
        ("MESG = 06036F6F6FAA", false),
        ("82030B01FF70", true),
        ("82030B01006F", false),
        ("MSG_WAITING = ON", true),
        ("MSG_WAITING = OFF", false),
    ] {
        let completed = read(&[line]);
        assert!(
            matches!(completed.as_slice(), [Completed::MessageWaiting(m)] if m.waiting == waiting),
            "{line}: {completed:?}"
        );
    }
}

#[test]
fn a_message_waiting_block_with_date_and_count_is_no_call() {
    let completed = read(&[
        "DATE = 1107",
        "TIME = 1152",
        "MSG_WAITING = ON",
        "MESG = 130102",
    ]);
    let waiting = |count| {
        Completed::MessageWaiting(MessageWaiting {
            waiting: true,
            count,
        })
    };
    assert_eq!(completed, [waiting(None), waiting(Some(2))]);
    for message in ["MESG = 060342424231", "MESG = 0B01FF", "82030B01FF70"] {
        let completed = read(&["DATE = 1107", "TIME = 1152", message]);
        assert_eq!(completed, [waiting(None)], "{message}");
    }
}

#[test]
fn other_lines_are_left_alone() {
    let now = Instant::now();
    let mut reader = CallerIdReader::default();
    for line in [
        "OK",
        "RING",
        "+VSM: 1",
        "A=B",
        "=",
        "",
        "CX93001-EIS_V0.2002-V92",
    ] {
        assert_eq!(
            reader.line(line.as_bytes(), now),
            LineWas::SomethingElse,
            "{line}"
        );
    }
}
