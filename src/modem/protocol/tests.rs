//! Conversations with modems, whole and in pieces.

use super::*;
use crate::modem::voice::VoiceMode;
use proptest::prelude::*;

fn events(protocol: &mut Protocol, bytes: &[u8], now: Instant) -> Vec<Event> {
    protocol.receive(bytes, now);
    std::iter::from_fn(|| protocol.next_event()).collect()
}

fn reply(lines: &[&str], result: ResultCode) -> Event {
    Event::Reply(Reply {
        lines: lines.iter().map(|&l| l.into()).collect(),
        result,
        numeric: false,
    })
}

fn call(number: &str, name: Option<&str>) -> Event {
    Event::CallerId {
        id: CallerId {
            number: Some(number.into()),
            name: name.map(Into::into),
            ..CallerId::default()
        },
        revision: false,
    }
}

#[test]
fn replies_with_and_without_echo() {
    let now = Instant::now();
    let mut p = Protocol::new();
    assert_eq!(p.begin(&Command::ask("ATI3")), b"ATI3\r");
    let transcript = b"ATI3\r\r\nCX93001-EIS_V0.2002-V92\r\n\r\nOK\r\n";
    let answer = [reply(&["CX93001-EIS_V0.2002-V92"], ResultCode::Ok)];
    assert_eq!(events(&mut p, transcript, now), answer);
    p.begin(&Command::ask("ATI3"));
    assert_eq!(events(&mut p, &transcript[5..], now), answer);
    p.begin(&Command::ask("AT+FCLASS?"));
    assert_eq!(
        events(&mut p, b"AT+FCLASS?\r\r\n0\r\nOK\r\n", now),
        [reply(&["0"], ResultCode::Ok)]
    );
}

#[test]
fn who_calls_is_known_before_a_handset_is_lifted_for_him() {
    let now = Instant::now();
    let mut p = Protocol::new();
    let told = b"\x10XDATE=1107\rTIME=1152\rNMBR=5551212\r\x10.";
    assert_eq!(events(&mut p, told, now), []);
    let events = events(&mut p, b"\x10H", now + Duration::from_millis(100));
    let [
        Event::CallerId { .. },
        Event::Code(LineCode::LocalPhoneOffHook),
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
}

#[test]
fn a_reply_without_an_end_stays_bounded() {
    let now = Instant::now();
    for line in ["CONNECT\r\n", "more\r\n"] {
        let mut p = Protocol::new();
        p.begin(&Command::set("AT+VCID=1"));
        assert_eq!(events(&mut p, line.repeat(1000).as_bytes(), now), []);
        let last = events(&mut p, b"OK\r\n", now);
        let [Event::Reply(reply)] = &last[..] else {
            panic!("{last:?}");
        };
        assert_eq!(reply.lines.len(), LONGEST_REPLY, "{line:?}");
    }
}

#[test]
fn news_in_the_middle_of_a_reply() {
    let now = Instant::now();
    let mut p = Protocol::new();
    p.begin(&Command::ask("ATI0"));
    let transcript = b"\r\nRING\r\n\r\nDIGITAL LINE DETECTED\r\nATI0\r\r\n56000\r\n\
        \r\nNMBR = 12\r\nNAME = X\r\n\r\nNO CARRIER\r\n\r\nOK\r\n";
    assert_eq!(
        events(&mut p, transcript, now),
        [
            Event::Ring(RingForm::Text),
            Event::Unknown("DIGITAL LINE DETECTED".into()),
            call("12", Some("X")),
            Event::Code(LineCode::NoCarrier),
            reply(&["56000"], ResultCode::Ok),
        ]
    );
}

#[test]
fn names_that_look_like_something_else() {
    let now = Instant::now();
    for name in [
        "RING",
        "OK",
        "SPRINGFIELD MO",
        "TIMESHARE CO",
        "A = B",
        "NO CARRIER",
    ] {
        let mut p = Protocol::new();
        p.begin(&Command::set("AT"));
        let block = format!("\r\nNMBR = 12\r\nNAME = {name}\r\n");
        assert_eq!(
            events(&mut p, block.as_bytes(), now),
            [call("12", Some(name))]
        );
    }
}

#[test]
fn numeric_results_of_a_stored_profile() {
    let now = Instant::now();
    let mut p = Protocol::new();
    p.begin(&Command::reset());
    assert_eq!(
        events(&mut p, b"ATZ\r0\r", now),
        [Event::Reply(Reply {
            lines: Vec::new(),
            result: ResultCode::Ok,
            numeric: true,
        })]
    );
    // After that a question ends with a number, too; before it, a number may be the answer.
    let numeric = |lines: &[&str], result| {
        let Event::Reply(reply) = reply(lines, result) else {
            panic!("a reply");
        };
        [Event::Reply(Reply {
            numeric: true,
            ..reply
        })]
    };
    for (said, lines, result) in [
        (&b"1\r\n0\r"[..], &["1"][..], ResultCode::Ok),
        (b"0\r\n0\r", &["0"], ResultCode::Ok),
        (b"4\r", &[], ResultCode::Error),
    ] {
        p.begin(&Command::ask("AT+VCID?"));
        assert_eq!(events(&mut p, said, now), numeric(lines, result));
    }
    p = Protocol::new();
    // A question may be answered with the number that means RING.
    p.begin(&Command::ask("AT+FCLASS?"));
    assert_eq!(
        events(&mut p, b"2\r\nOK\r\n2\r", now),
        [
            reply(&["2"], ResultCode::Ok),
            Event::Ring(RingForm::Numeric)
        ]
    );
}

#[test]
fn connect_begins_the_stream_at_the_next_byte() {
    let now = Instant::now();
    let mut p = Protocol::new();
    p.begin(&Command::stream(VoiceMode::Receive));
    assert_eq!(
        events(
            &mut p,
            b"\r\nCONNECT\r\n\n\x80\x10b\x80\x10\x03\r\nOK\r\n",
            now
        ),
        [
            reply(&[], ResultCode::Connect),
            Event::Audio(vec![b'\n', 0x80]),
            Event::Code(LineCode::Busy),
            Event::Audio(vec![0x80]),
            Event::StreamEnd,
            Event::Unknown("OK".into()),
        ]
    );
}

#[test]
fn keys_repeated_between_shields_are_one_press() {
    let now = Instant::now();
    let mut p = Protocol::new();
    let press = |digit, pressed| Event::Digit { digit, pressed };
    assert_eq!(
        events(&mut p, b"\x10/\x105\x105\x105\x10~\x10/\x105\x10~", now),
        [
            press('5', true),
            press('5', false),
            press('5', true),
            press('5', false)
        ]
    );
    assert_eq!(
        events(&mut p, b"\x10*\x10*", now),
        [
            press('*', true),
            press('*', false),
            press('*', true),
            press('*', false)
        ]
    );
}

#[test]
fn a_modem_that_has_lost_its_settings_rings_in_numbers() {
    let now = Instant::now();
    let mut p = Protocol::new();
    let ring = [Event::Ring(RingForm::Numeric)];
    assert_eq!(events(&mut p, b"2\r", now), ring);
    p.begin(&Command::set("ATH0"));
    assert_eq!(events(&mut p, b"2\r", now), ring);
    // An answer that is late is none: it stands on a line of its own.
    let late = [Event::Unknown("2".into()), Event::Unknown("OK".into())];
    p = Protocol::new();
    assert_eq!(events(&mut p, b"\r\n2\r\n\r\nOK\r\n", now), late);
    // An answer is one.
    p.begin(&Command::ask("AT+VCID?"));
    let answer = [reply(&["2"], ResultCode::Ok)];
    assert_eq!(events(&mut p, b"2\r\nOK\r\n", now), answer);
}

#[test]
fn half_a_code_of_noise_does_not_cost_the_next_ring() {
    let now = Instant::now();
    let mut p = Protocol::new();
    let ring = [Event::Ring(RingForm::Shielded)];
    assert_eq!(events(&mut p, &[0xFE, DLE], now), []);
    assert_eq!(events(&mut p, b"R", now + LONGEST_PAUSE / 2), ring);
    assert_eq!(events(&mut p, &[0xFE, DLE], now + LONGEST_PAUSE), []);
    let later = now + LONGEST_PAUSE * 3;
    let seen = events(&mut p, &[DLE, b'R'], later);
    assert_eq!(seen.last(), ring.last(), "{seen:?}");
}

#[test]
fn a_ring_completes_caller_id() {
    let now = Instant::now();
    let mut p = Protocol::new();
    assert_eq!(events(&mut p, b"\r\nDATE = 1107\r\nNMBR", now), []);
    assert!(matches!(
        events(&mut p, b" = 12\r\n\r\nRING\r\n", now).as_slice(),
        [
            Event::CallerId {
                revision: false,
                ..
            },
            Event::Ring(RingForm::Text)
        ]
    ));
    assert_eq!(
        events(&mut p, b"\x10R", now),
        [Event::Ring(RingForm::Shielded)]
    );
}

#[test]
fn half_a_number_is_not_that_of_the_next_call() {
    for half in ["\x10XDATE=1107\rNMBR=21", "\r\nDATE = 1107\r\nNMBR = 21"] {
        let now = Instant::now();
        let mut p = Protocol::new();
        assert_eq!(events(&mut p, half.as_bytes(), now), []);
        let later = now + Duration::from_secs(8);
        p.time_passed(later);
        let call = "\x10R\r\nDATE = 1107\r\nNMBR = 2125550147\r\nNAME = X\r\n";
        let seen = events(&mut p, call.as_bytes(), later);
        let last = seen.last();
        assert!(
            matches!(last, Some(Event::CallerId { id, .. })
                if id.number.as_deref() == Some("2125550147")),
            "{half:?}: {seen:?}"
        );
    }
}

#[test]
fn the_jump_modem_s_form() {
    let now = Instant::now();
    let mut p = Protocol::new();
    let seen = events(
        &mut p,
        b"\x10R\x10X\n\nDATE=0117\nTIME=1452\nNMBR=12\n\x10.\x10XNAME=LATE\n\x10.",
        now,
    );
    assert!(matches!(
        seen.as_slice(),
        [
            Event::Ring(RingForm::Shielded),
            Event::CallerId {
                revision: false,
                id: CallerId {
                    number: Some(_),
                    name: Some(_),
                    ..
                }
            },
        ]
    ));
}

/// Replies, calls, noise and streams in one conversation.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"\r\nRING\r\n",
        b"\x10R",
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\nCONNECT\r\n",
        b"\r\nNO CARRIER\r\n",
        b"ATZ\r\r\nOK\r\n",
        b"\r\nDATE = 1107\r\nTIME = 1152\r\nNMBR = 2125550147\r\n",
        b"NAME = V\xE4h = RING\r\n",
        b"\x10XNMBR=12\rNAME=OK\r\x10.",
        b"82030B01FF70\r\n",
        b"\x10/\x105\x105\x10~",
        b"\x80\x81\x10\x10\x10\x1a\x10u",
        b"\x10\x03",
        b"DIGITAL LINE DETECTED\r\n",
    ];
    let piece = prop_oneof![
        5 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_events(
        bytes in conversation(),
        cut in prop::collection::vec(1..6usize, 1..40),
        command in prop::sample::select(vec![
            Command::reset(),
            Command::ask("ATI3"),
            Command::stream(VoiceMode::Duplex),
            Command::stream(VoiceMode::Transmit),
        ]),
    ) {
        let now = Instant::now();
        let mut whole = Protocol::new();
        whole.begin(&command);
        let mut pieces = Protocol::new();
        pieces.begin(&command);
        let mut rest = bytes.as_slice();
        let mut cut_events = Vec::new();
        for size in cut.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, after) = rest.split_at(rest.len().min(*size));
            rest = after;
            cut_events.extend(events(&mut pieces, piece, now));
        }
        prop_assert_eq!(joined(events(&mut whole, &bytes, now)), joined(cut_events));
    }
}

fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    for event in events {
        match (all.last_mut(), event) {
            (Some(Event::Audio(before)), Event::Audio(more)) => before.extend(more),
            (_, event) => all.push(event),
        }
    }
    all
}
