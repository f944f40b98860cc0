//! Rings, caller ID, hooks, handsets.

use super::*;
use crate::emulator::{Cadence, CallerIdTime, Form, Format, Unplug};

/// What comes while it rings, with the millisecond of each piece.
fn pieces(bench: &mut Bench, time: Duration) -> Vec<(u128, String)> {
    let end = bench.now + time;
    let mut found = Vec::new();
    while let Some(wake) = bench.modem.next_wake().filter(|wake| *wake <= end) {
        let output = bench.wait(wake - bench.now);
        if !output.is_empty() {
            found.push(((bench.now - bench.start).as_millis(), text(&output)));
        }
    }
    bench.wait(end - bench.now);
    found
}

fn ringing(call: Call, setup: &str) -> Vec<(u128, String)> {
    let mut bench = Bench::new(Scenario::default().call(call.at(secs(1))));
    bench.command("ATE0");
    bench.command(setup);
    pieces(&mut bench, secs(30))
}

const RING: &str = "\r\nRING\r\n";
const BLOCK: &str = "\r\nDATE = 1107\r\nTIME = 1152\r\nNMBR = 2125550147\r\nNAME = SMITH JOHN\r\n";

fn smith() -> Call {
    Call::from("2125550147").named("SMITH JOHN").rings(3)
}

fn expect(found: &[(u128, String)], expected: &[(u128, &str)]) {
    let found: Vec<(u128, &str)> = found.iter().map(|(at, t)| (*at, t.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn caller_id_after_the_first_ring() {
    let found = ringing(smith(), "AT+VCID=1");
    expect(
        &found,
        &[(1000, RING), (2000, BLOCK), (7000, RING), (13_000, RING)],
    );
}

#[test]
fn caller_id_at_other_times() {
    let found = ringing(
        smith().caller_id(CallerIdTime::BeforeFirstRing),
        "AT+VCID=1",
    );
    expect(
        &found,
        &[(1000, BLOCK), (1300, RING), (7300, RING), (13_300, RING)],
    );
    let found = ringing(
        smith().caller_id(CallerIdTime::AfterSecondRing),
        "AT+VCID=1",
    );
    expect(
        &found,
        &[(1000, RING), (7000, RING), (8000, BLOCK), (13_000, RING)],
    );
    let found = ringing(smith().caller_id(CallerIdTime::Never), "AT+VCID=1");
    expect(&found, &[(1000, RING), (7000, RING), (13_000, RING)]);
    let found = ringing(smith(), "AT+VCID=0");
    expect(&found, &[(1000, RING), (7000, RING), (13_000, RING)]);
}

#[test]
fn class_8_rings_are_shielded_and_caller_id_by_chip() {
    let found = ringing(smith(), "AT+VCID=1;+FCLASS=8");
    assert_eq!(found[0], (1000, "\x10R".into()));
    assert_eq!(found[1], (2000, BLOCK.into()), "plain on a Conexant");
    let scenario = Scenario::default()
        .chip(Chip::Mt9234mu)
        .call(smith().at(secs(1)));
    let mut bench = Bench::voice(scenario);
    let found = pieces(&mut bench, secs(3));
    let shielded = "\x10XDATE=1107\rTIME=1152\rNMBR=2125550147\rNAME=SMITH JOHN\r\x10.";
    assert_eq!(found[0].1, "\x10R");
    assert_eq!(found[1].1, shielded);
}

#[test]
fn raw_caller_id() {
    let found = ringing(smith(), "AT+VCID=2");
    assert!(found[1].1.starts_with("\r\n80"), "{}", found[1].1);
    let format = Format {
        raw: Some("04093039333031323234500E".into()),
        raw_prefix: Some("MESG = ".into()),
        ..Format::default()
    };
    let found = ringing(smith().format(format), "AT+VCID=2");
    assert_eq!(found[1].1, "\r\nMESG = 04093039333031323234500E\r\n");
}

#[test]
fn a_checksum_that_fails_suppresses_the_formatted_block_only() {
    for (raw, formatted) in [
        ("060342424231", true),
        (
            "80200108303332343039303207084A4F484E20444F45020A3830303535353132313284",
            true,
        ),
        (
            "80200108303332343039303207084A4F484E20444F45020A383030353535313231327D",
            false,
        ),
        ("0412303332323234303539313435353132333435", false),
    ] {
        let format = Format {
            raw: Some(raw.into()),
            ..Format::default()
        };
        let found = ringing(smith().format(format.clone()), "AT+VCID=1");
        assert_eq!(
            found.iter().any(|(_, text)| text == BLOCK),
            formatted,
            "{raw}"
        );
        let found = ringing(smith().format(format), "AT+VCID=2");
        assert_eq!(found[1].1, format!("\r\n{raw}\r\n"));
    }
}

#[test]
fn other_forms() {
    let format = Format {
        form: Some(Form::Jump),
        ..Format::default()
    };
    let found = ringing(smith().format(format), "AT+VCID=1");
    assert!(found[1].1.starts_with("\x10R\x10X\n\nDATE = "));
    assert!(found[1].1.contains("\x10.\x10XNAME"));
}

#[test]
fn double_rings() {
    let call = smith().caller_id(CallerIdTime::Never).rings(2);
    let scenario = Scenario::default()
        .cadence(Cadence::uk())
        .call(call.at(secs(1)));
    let mut bench = Bench::new(scenario);
    bench.command("ATE0");
    let found = pieces(&mut bench, secs(10));
    expect(
        &found,
        &[(1000, RING), (1600, RING), (4000, RING), (4600, RING)],
    );
}

#[test]
fn pick_up_stops_the_rings_and_a_second_caller_hears_busy() {
    let other = Call::from("5055034455").at(secs(4));
    let third = Call::from("5055034456").after(secs(1));
    let call = smith().at(secs(1)).says(Sound::Silence(secs(60)));
    let scenario = Scenario::default().call(call).call(other).call(third);
    let mut bench = Bench::new(scenario);
    bench.command("ATE0;+VCID=1");
    bench.wait(secs(2));
    bench.command("ATH1");
    // Call 3 comes 1 s after the end of call 2, which was over as soon as it came.
    assert_eq!(pieces(&mut bench, secs(20)), []);
    let busy = |h: &Happening| matches!(h, Happening::CallerFoundBusy(_));
    assert_eq!(bench.modem.journal().count(busy), 2);
    bench.command("ATH0");
    assert!(bench.happened(&Happening::CallEnded).is_some());
}

#[test]
fn a_call_that_is_begun_by_hand_comes_once() {
    let mut bench = Bench::new(Scenario::default());
    let mut call = |number: &str| {
        let call = Call::from(number).rings(2);
        bench.modem.call_now(bench.now, call);
        bench.wait(secs(1));
    };
    call("2125550147");
    call("2125550123");
    bench.wait(secs(60));
    let journal = bench.modem.journal();
    let came = |what: fn(&Happening) -> bool| journal.count(what);
    assert_eq!(came(|h| matches!(h, Happening::CallBegins(_))), 1);
    assert_eq!(came(|h| matches!(h, Happening::CallerFoundBusy(_))), 1);
}

#[test]
fn too_short_an_off_hook_is_no_answer() {
    for (held, rings_on) in [(400, true), (1000, false)] {
        let call = smith().rings(9).at(secs(1)).caller_id(CallerIdTime::Never);
        let mut bench = Bench::new(Scenario::default().call(call));
        bench.command("ATE0");
        bench.wait(secs(2));
        bench.command("ATH1");
        bench.wait_ms(held - 30);
        bench.command("ATH0");
        assert_eq!(!pieces(&mut bench, secs(10)).is_empty(), rings_on);
    }
}

#[test]
fn rings_that_should_not_be() {
    let mut call = smith().at(secs(1)).says(Sound::Silence(secs(60)));
    call.stray_rings = 2;
    call.rings_again = 2;
    let mut bench = Bench::new(Scenario::default().call(call));
    bench.command("ATE0;+VCID=1");
    bench.wait(secs(2));
    bench.command("ATH1");
    let found = pieces(&mut bench, secs(20));
    assert_eq!(found.len(), 2, "while off-hook");
    bench.command("ATH0");
    let found = pieces(&mut bench, secs(20));
    assert_eq!(found.len(), 2, "after on-hook, and no caller ID");
    assert!(found.iter().all(|(_, text)| text == RING));
}

#[test]
fn handsets_by_chip() {
    for (chip, ste, expected) in [
        (Chip::Cx93001V2013, "AT-STE=7", "Pp"),
        (Chip::Cx93001V2013, "AT-STE=5", ""),
        (Chip::Usr5637, "AT", "Hh"),
    ] {
        let mut call = smith().at(ms(200)).ends(Ending::Stays);
        call.handset_lifted = Some(secs(2));
        call.handset_back = secs(3);
        let mut bench = Bench::voice(Scenario::default().chip(chip).call(call));
        assert_eq!(bench.command(ste), "\r\nOK\r\n");
        bench.wait_ms(200);
        bench.command("AT+VLS=1");
        let found = bench.wait(secs(10));
        let codes: String = text(&found).chars().filter(|c| *c != '\x10').collect();
        assert_eq!(codes, expected, "{chip} {ste}");
    }
}

#[test]
fn a_person_takes_over_the_call() {
    let mut call = smith().at(ms(200)).ends(Ending::Stays);
    call.handset_lifted = Some(secs(2));
    call.handset_back = secs(8);
    let mut bench = Bench::voice(Scenario::default().call(call));
    bench.wait_ms(300);
    bench.command("AT+VLS=1");
    bench.wait(secs(4));
    bench.command("AT+VLS=0");
    assert_eq!(bench.happened(&Happening::CallEnded), None, "they talk");
    bench.wait(secs(10));
    assert!(bench.happened(&Happening::CallEnded).is_some());
}

#[test]
fn call_waiting_comes_without_a_ring() {
    let mut first = Call::from("5055034455").at(secs(1)).ends(Ending::Stays);
    first.person_answers = Some(secs(4));
    let second = smith().at(secs(10));
    let scenario = Scenario::default()
        .with_call_waiting()
        .call(first)
        .call(second);
    let mut bench = Bench::new(scenario);
    bench.command("ATE0;+VCID=1");
    let found = pieces(&mut bench, secs(40));
    assert_eq!(found.last(), Some(&(10_000, BLOCK.into())));
    assert_eq!(found.iter().filter(|(_, text)| text == RING).count(), 1);
}

#[test]
fn message_waiting() {
    let scenario = Scenario::default()
        .message_waiting(secs(1), 3)
        .message_waiting(secs(2), 0);
    let mut bench = Bench::new(scenario);
    bench.command("ATE0;+VCID=1");
    let found = pieces(&mut bench, secs(3));
    assert!(found[0].1.contains("MSG_WAITING = ON\r\nMESG = 130103"));
    assert!(found[1].1.contains("MSG_WAITING = OFF") && !found[1].1.contains("MESG"));
}

#[test]
fn unplugged_and_wedged() {
    let unplug = FaultKind::Unplug(Unplug {
        back_after: Some(secs(5)),
        other_node: true,
    });
    let scenario = Scenario::default()
        .fault(Fault::on("H1", unplug))
        .fault(Fault::on("I3", FaultKind::Wedge));
    let mut bench = Bench::new(scenario);
    bench.command("ATE0");
    bench.command("ATH1");
    assert!(!bench.modem.is_plugged());
    assert_eq!(bench.command("AT"), "");
    bench.wait(secs(5));
    assert!(bench.modem.is_plugged());
    let changes: Vec<_> = std::iter::from_fn(|| bench.modem.take_plug_change()).collect();
    assert_eq!(changes.len(), 2);
    assert_eq!(bench.command("AT"), "AT\r\r\nOK\r\n", "powered up anew");
    assert_eq!(bench.command("ATI3"), "ATI3\r");
    assert_eq!(bench.command("AT"), "");
    assert!(bench.modem.receive(bench.now, &[0; 5000]) < 2000, "it NAKs");
    bench.modem.unplug(bench.now);
    bench.modem.plug(bench.now, false);
    assert_eq!(bench.command("AT"), "AT\r\r\nOK\r\n");
}

#[test]
fn nothing_is_due_when_nothing_happens() {
    let mut bench = Bench::chip(Chip::default());
    bench.command("ATZ");
    assert_eq!(bench.modem.next_wake(), None);
}
