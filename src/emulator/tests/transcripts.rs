//! Commands and their answers.

use super::*;

#[test]
fn initialisation_of_a_cx93001_with_echo() {
    let mut bench = Bench::chip(Chip::Cx93001V2002);
    for (line, answer) in [
        ("ATZ", "ATZ\r\r\nOK\r\n"),
        ("AT+FCLASS?", "AT+FCLASS?\r\r\n0\r\nOK\r\n"),
        ("ATI3", "ATI3\r\r\nCX93001-EIS_V0.2002-V92\r\n\r\nOK\r\n"),
        ("AT+GMI", "AT+GMI\r\r\n+GMI: CONEXANT\r\n\r\nOK\r\n"),
        ("AT+FCLASS=?", "AT+FCLASS=?\r\r\n0,1,1.0,8\r\n\r\nOK\r\n"),
        ("AT+VCID=1", "AT+VCID=1\r\r\nOK\r\n"),
        ("AT+FCLASS=8", "AT+FCLASS=8\r\r\nOK\r\n"),
        ("AT+VSM=1", "AT+VSM=1\r\r\nOK\r\n"),
    ] {
        assert_eq!(bench.command(line), answer);
    }
}

#[test]
fn echo_comes_at_once_and_the_reply_a_little_later() {
    let mut bench = Bench::chip(Chip::Cx93001V2002);
    assert_eq!(bench.send(b"ATZ\r"), b"ATZ\r");
    assert_eq!(bench.wait_ms(17), b"");
    assert_eq!(bench.wait_ms(1), b"\r\nOK\r\n");
    assert_eq!(bench.send(b"AT\r"), b"AT\r");
    assert_eq!(bench.wait_ms(3), b"\r\nOK\r\n");
}

#[test]
fn without_echo_as_a_line_reader_sees_it() {
    let mut bench = Bench::chip(Chip::Zoom3095);
    assert_eq!(bench.command("ATI0"), "\r\n56000\r\n\r\nOK\r\n");
    assert_eq!(
        bench.command("ATZ"),
        "\r\nOK\r\n",
        "the stored profile has it off"
    );
    let mut bench = Bench::chip(Chip::Usr5637);
    assert_eq!(bench.command("ATE0"), "ATE0\r\r\nOK\r\n");
    assert_eq!(bench.command("ATI0"), "\r\n5601\r\n\r\nOK\r\n");
    bench.send(b"ATZ\r");
    bench.wait_ms(200);
    assert_eq!(
        bench.command("ATV1"),
        "ATV1\r\r\nOK\r\n",
        "the echo is back"
    );
}

#[test]
fn a_stored_profile_keeps_the_echo_off_but_not_the_caller_id() {
    let mut bench = Bench::chip(Chip::Cx93001V2013);
    bench.command("ATE0");
    bench.command("AT+VCID=1;+FCLASS=8");
    bench.command("AT&W0");
    assert_eq!(bench.command("ATZ"), "\r\nOK\r\n");
    assert_eq!(bench.command("AT+VCID?"), "\r\n0\r\n\r\nOK\r\n");
    assert_eq!(bench.command("AT+FCLASS?"), "\r\n0\r\nOK\r\n");
    bench.modem.unplug(bench.now);
    bench.modem.plug(bench.now, false);
    assert_eq!(bench.command("AT"), "\r\nOK\r\n");
}

#[test]
fn voice_commands_are_refused_outside_class_8_but_for_caller_id() {
    for chip in Chip::ALL {
        let mut bench = Bench::chip(chip);
        bench.command("ATE0");
        assert_eq!(bench.command("AT+VCID=1"), "\r\nOK\r\n", "{chip}");
        for line in ["AT+VLS=1", "AT+VSM=1", "AT+VSD?", "AT+VTX", "AT+VGR=128"] {
            assert_eq!(bench.command(line), "\r\nERROR\r\n", "{chip}: {line}");
        }
    }
}

#[test]
fn classes_and_compressions_by_chip() {
    for (chip, identity, classes, first_method) in [
        (
            Chip::Cx93001V2013,
            "56000",
            "0,1,1.0,2,8",
            "0,\"SIGNED PCM\",8,0,8000,0,0",
        ),
        (
            Chip::Usr5637,
            "5601",
            "0,1,1.0,2,2.0,2.1,8",
            "128,\"8-BIT LINEAR\",(7200,8000,11025)",
        ),
        (
            Chip::Zoom3095,
            "56000",
            "0,1,1.0,2,8",
            "1,\"UNSIGNED PCM\",8,0,8000,0,0",
        ),
    ] {
        let mut bench = Bench::chip(chip);
        bench.command("ATE0");
        assert_eq!(
            bench.command("ATI0"),
            format!("\r\n{identity}\r\n\r\nOK\r\n")
        );
        assert_eq!(
            bench.command("AT+FCLASS=?"),
            format!("\r\n{classes}\r\n\r\nOK\r\n")
        );
        bench.command("AT+FCLASS=8");
        let methods = bench.command("AT+VSM=?");
        assert!(
            methods.starts_with(&format!("\r\n{first_method}\r\n")),
            "{methods}"
        );
        assert!(methods.ends_with("\r\n\r\nOK\r\n"));
    }
    let mut bench = Bench::chip(Chip::DataOnly);
    bench.command("ATE0");
    assert_eq!(bench.command("AT+FCLASS=8"), "\r\nERROR\r\n");
}

#[test]
fn several_commands_on_a_line_and_several_lines_at_once() {
    let mut bench = Bench::chip(Chip::Cx93001V2002);
    bench.command("ATE0");
    assert_eq!(bench.command("AT-SCID=1;+VCID=1;-STE=3"), "\r\nOK\r\n");
    assert_eq!(bench.command("AT-STE?"), "\r\n-STE: 3\r\n\r\nOK\r\n");
    assert_eq!(bench.command("AT Z S0=0 E0 V1 Q0"), "\r\nOK\r\n");
    bench.command("AT+FCLASS=8");
    // A stray semicolon before AT, typed ahead of the first reply.
    let answer = bench.command("AT+VGR=128\r;AT+VGT=128");
    assert_eq!(answer, "\r\nOK\r\n\r\nOK\r\n");
    assert_eq!(bench.command("at+vls?"), "\r\n0\r\n\r\nOK\r\n");
    assert_eq!(bench.command("AT+NONSENSE=1;+VGR=1"), "\r\nERROR\r\n");
    assert_eq!(bench.command("garbage without the two letters"), "");
    assert_eq!(bench.command("AT\n"), "\r\nOK\r\n");
}

#[test]
fn numeric_results() {
    let mut bench = Bench::new(Scenario::default().call(Call::from("1").at(secs(1))));
    bench.command("ATE0");
    assert_eq!(bench.command("ATV0"), "0\r");
    assert_eq!(bench.command("AT+NONSENSE"), "4\r");
    assert_eq!(text(&bench.wait(secs(1))), "2\r");
}

#[test]
fn message_box_of_the_usr_manual() {
    // Example 7 of the manual: 132 is ADPCM there, 8-bit linear here.
    let scenario = Scenario::default().chip(Chip::Usr5637).call(
        Call::from("5055034455")
            .at(secs(1))
            .says(Sound::Silence(secs(30))),
    );
    let mut bench = Bench::new(scenario);
    bench.command("ATE0");
    assert_eq!(bench.wait_ms(970), b"\r\nRING\r\n");
    for line in [
        "AT+FCLASS=8",
        "AT+VGT=128",
        "AT+VSM=128,8000",
        "AT+VSD=128,0",
    ] {
        assert_eq!(bench.command(line), "\r\nOK\r\n", "{line}");
    }
    assert_eq!(bench.wait(secs(6)), b"\x10R");
    assert_eq!(bench.command("AT+VLS=1"), "\r\nOK\r\n");
    bench.send(b"AT+VTX\r");
    assert_eq!(bench.wait_ms(5), b"\r\nCONNECT\r\n");
    bench.send(&[0x90; 800]);
    assert_eq!(bench.send(b"\x10\x03"), b"");
    assert_eq!(bench.wait_ms(99), b"", "the buffer plays out first");
    assert_eq!(bench.wait_ms(10), b"\r\nOK\r\n");
    bench.send(b"AT+VTS=[933,0,120]\r");
    assert_eq!(bench.wait_ms(1199), b"");
    assert_eq!(bench.wait_ms(10), b"\r\nOK\r\n");
    assert_eq!(bench.command("AT+VSD=128,50"), "\r\nOK\r\n");
    assert_eq!(bench.command("AT+VLS=5"), "\r\nOK\r\n");
    bench.send(b"AT+VRX\r");
    assert_eq!(bench.wait_ms(5), b"\r\nCONNECT\r\n");
    let (samples, codes) = unshielded(&bench.wait(secs(6)));
    assert_eq!(codes, [(40_000, b's')]);
    assert!(samples.iter().all(|sample| *sample == SILENCE));
    let mut end = bench.send(b"\x10!");
    end.extend(bench.wait_ms(5));
    assert!(text(&end).ends_with("\x10\x03\r\nOK\r\n"));
    assert_eq!(bench.command("ATH"), "\r\nOK\r\n");
    assert_eq!(bench.command("AT+FCLASS?"), "\r\n0\r\n\r\nOK\r\n");
}

#[test]
fn quirks_of_single_chips() {
    let mut usr = Bench::voice(Scenario::default().chip(Chip::Usr5637));
    usr.command("AT+VLS=1");
    assert_eq!(usr.command("AT+VTS=9"), "", "never answered");
    assert_eq!(usr.command("AT+VTS=[900,900,1]"), "\r\nOK\r\n");
    usr.command("ATH");
    let pager = usr.command("AT&V");
    assert!(pager.ends_with("ESC to quit.\r\n"), "{pager}");
    usr.send(b" ");
    assert_eq!(usr.wait_ms(10), b"\r\nOK\r\n");

    let mut old = Bench::voice(Scenario::default().chip(Chip::Usr5637Old));
    assert_eq!(old.command("AT+VLS=1"), "\r\nOK\r\n");
    assert_eq!(old.happened(&Happening::OffHook), None);
    assert_eq!(old.command("ATH1"), "\r\nOK\r\n");
    assert!(old.happened(&Happening::OffHook).is_some());

    let mut conexant = Bench::voice(Scenario::default());
    assert_eq!(conexant.command("AT+VSD=128,50"), "\r\nOK\r\n");
    assert_eq!(conexant.command("AT+VSD?"), "\r\n128,0\r\n\r\nOK\r\n");
}

#[test]
fn faults_of_commands() {
    let scenario = Scenario::default()
        .fault(Fault::on("Z", FaultKind::NoReply))
        .fault(Fault::on("+vcid = 1", FaultKind::Error).times(2))
        .fault(Fault::on("I3", FaultKind::Late(secs(2))))
        .fault(Fault::on("I0", FaultKind::RingInside))
        .fault(Fault::on("H1", FaultKind::DigitalLine).times(0));
    let mut bench = Bench::new(scenario);
    bench.command("ATE0");
    assert_eq!(bench.command("ATZ"), "");
    assert_eq!(bench.command("AT"), "\r\nOK\r\n");
    for answer in ["ERROR", "ERROR", "OK"] {
        assert_eq!(bench.command("AT+VCID=1"), format!("\r\n{answer}\r\n"));
    }
    assert_eq!(bench.command("ATI3"), "");
    let late = text(&bench.wait(secs(2)));
    assert_eq!(late, "\r\nCX93001-EIS_V0.2002-V92\r\n\r\nOK\r\n");
    assert_eq!(bench.command("ATI0"), "\r\n56000\r\n\r\nRING\r\n\r\nOK\r\n");
    for _ in 0..3 {
        assert_eq!(bench.command("ATH1"), "\r\nDIGITAL LINE DETECTED\r\n");
    }
    assert_eq!(bench.happened(&Happening::OffHook), None);
}

#[test]
fn fax_class_1() {
    let mut bench = Bench::new(Scenario::default().call(Call::from("1").at(secs(1))));
    bench.command("ATE0;+FCLASS=1");
    assert_eq!(bench.wait(secs(1)), b"\r\nRING\r\n");
    bench.send(b"ATA\r\n");
    assert_eq!(bench.wait_ms(4299), b"", "the answer tone runs");
    assert_eq!(bench.wait_ms(10), b"\r\nCONNECT\r\n");
    assert_eq!(bench.send(b"ATH\r"), b"", "these are data");
    assert_eq!(bench.wait(secs(6)), b"\r\nOK\r\n");
    assert_eq!(bench.command("ATH0"), "\r\nOK\r\n");
    assert!(bench.happened(&Happening::CallEnded).is_some());
    // Any byte before CONNECT aborts.
    bench.send(b"ATA\r");
    bench.wait(secs(1));
    bench.send(b"A");
    assert_eq!(bench.wait_ms(10), b"\r\nNO CARRIER\r\n");
    assert_eq!(bench.modem.journal().count(|h| *h == Happening::OnHook), 2);
}

#[test]
fn fax_class_2() {
    for (is_fax, expected) in [
        (
            true,
            "\r\n+FCON\r\n\r\n+FTSI: \"+1 505 503 4455\"\r\n\r\n+FDCS: 0,5,0,2,0,0,0,0\r\n\r\nOK\r\n",
        ),
        (false, "\r\n+FHNG:11\r\n\r\nOK\r\n"),
    ] {
        let mut call = Call::from("1").at(secs(1)).ends(Ending::Stays);
        call.fax = is_fax;
        let mut bench = Bench::new(Scenario::default().chip(Chip::Cx93001V2013).call(call));
        bench.command("ATE0;+FCLASS=2");
        bench.wait(secs(1));
        bench.send(b"ATA\r");
        assert_eq!(text(&bench.wait(secs(40))), expected);
    }
}

#[test]
fn dialling() {
    use crate::emulator::Dial;
    let outcome = |dial: Option<Dial>, line: &str| {
        let mut bench = Bench::voice(Scenario {
            dial,
            ..Scenario::default()
        });
        bench.send(format!("{line}\r").as_bytes());
        text(&bench.wait(secs(70)))
    };
    let answers = Dial {
        answers: Some(secs(6)),
        ends: Ending::Stays,
        ..Dial::default()
    };
    assert_eq!(outcome(Some(answers.clone()), "ATDT5551234"), "\r\nOK\r\n");
    let busy = Dial {
        busy: true,
        ..Dial::default()
    };
    assert_eq!(outcome(Some(busy), "ATDT5551234"), "\r\nBUSY\r\n");
    assert_eq!(outcome(None, "ATDT5551234"), "\r\nNO ANSWER\r\n");
    let dead = Dial {
        no_dial_tone: true,
        ..Dial::default()
    };
    assert_eq!(outcome(Some(dead), "ATDT5551234"), "\r\nNO DIAL TONE\r\n");
    // In class 0 it is a data call, which finds no carrier.
    let mut bench = Bench::new(Scenario::default().dial(answers));
    bench.command("ATE0");
    bench.send(b"ATDT5551234\r");
    assert_eq!(text(&bench.wait(secs(70))), "\r\nNO CARRIER\r\n");
}
