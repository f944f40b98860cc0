//! The voice streams.

use super::*;
use std::sync::Arc;

/// Every byte value, DLE at odd places and in pairs.
fn every_byte(count: usize) -> Vec<u8> {
    (0..count)
        .map(|i| if i % 97 < 2 { DLE } else { i as u8 })
        .collect()
}

fn answered() -> Scenario {
    Scenario::default()
}

#[test]
fn what_is_played_is_heard_bit_for_bit_at_8000_samples_a_second() {
    let mut bench = Bench::streaming(answered(), "+VTX");
    let message = every_byte(16_000);
    let begin = bench.now;
    bench.send(&shielded(&message));
    let sent = bench.now - begin;
    assert!(
        sent > ms(1800) && sent < ms(2000),
        "back-pressure: {sent:?}"
    );
    bench.send(b"\x10\x03");
    let end = bench.wait_ms(500);
    assert_eq!(end, b"\r\nOK\r\n");
    let heard = bench.modem.journal().heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].samples, message);
    assert_eq!(heard[0].at, begin - bench.start);
    let ended = bench.happened(&Happening::VoiceEnds).unwrap();
    assert_eq!(ended, heard[0].at + secs(2));
}

#[test]
fn an_empty_buffer_is_an_underrun_and_a_gap() {
    let mut bench = Bench::streaming(answered(), "+VTX");
    assert_eq!(bench.wait_ms(9), b"");
    assert_eq!(bench.wait_ms(1), b"\x10u", "nothing was written yet");
    assert_eq!(bench.wait_ms(90), b"", "said once");
    bench.send(&[1; 80]);
    assert_eq!(bench.wait_ms(9), b"");
    assert_eq!(bench.wait_ms(1), b"\x10u");
    bench.wait_ms(10);
    bench.send(&[2; 80]);
    bench.wait_ms(20);
    let heard = bench.modem.journal().heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].samples, [1; 80]);
    assert_eq!(heard[1].samples, [2; 80]);
    assert_eq!(heard[1].at, heard[0].at + ms(20));
    assert_eq!(
        bench.modem.journal().count(|h| *h == Happening::Underrun),
        3
    );
}

#[test]
fn orders_to_a_transmitting_modem() {
    // Cleared, then ended: at once.
    let mut bench = Bench::streaming(answered(), "+VTX");
    bench.send(&[1; 800]);
    bench.wait_ms(10);
    bench.send(b"\x10\x18\x10\x03");
    assert_eq!(bench.wait_ms(3), b"\r\nOK\r\n");
    assert_eq!(bench.modem.journal().heard()[0].samples.len(), 80);
    // A literal DLE, then the end: three DLEs.
    let mut bench = Bench::streaming(answered(), "+VTX");
    bench.send(b"\x10\x10\x10\x03");
    assert_eq!(bench.wait_ms(4), b"\r\nOK\r\n");
    assert_eq!(bench.modem.journal().heard()[0].samples, [DLE]);
    // Two literals at once; a sign of life; a DLE that was not doubled eats the next byte.
    let mut bench = Bench::streaming(answered(), "+VTX");
    bench.send(b"\x10\x1a\x10\x00A\x10BC\x10\x03");
    bench.wait_ms(10);
    assert_eq!(
        bench.modem.journal().heard()[0].samples,
        [DLE, DLE, b'A', b'C']
    );
    let violated = |h: &Happening| matches!(h, Happening::Violation(_));
    assert_eq!(bench.modem.journal().count(violated), 1);
    // A WAV with 0x10 0x21 in it, not shielded, is cut off there.
    let mut bench = Bench::streaming(answered(), "+VTX");
    bench.send(b"\x10!");
    assert_eq!(bench.wait_ms(3), b"\r\nOK\r\n");
    // What some programs send to get out of whatever it is.
    let mut bench = Bench::streaming(answered(), "+VTR");
    assert_eq!(bench.send(b"\x10!\x10\x03"), b"\x10\x03");
    assert_eq!(bench.wait_ms(3), b"\r\nOK\r\n");
    assert_eq!(bench.command("AT"), "\r\nOK\r\n");
    // Paused and resumed.
    let mut bench = Bench::streaming(answered(), "+VTX");
    bench.send(&[1; 160]);
    bench.send(b"\x10p");
    bench.wait_ms(500);
    assert_eq!(bench.modem.journal().heard(), []);
    bench.send(b"\x10r");
    bench.wait_ms(20);
    assert_eq!(bench.modem.journal().heard()[0].samples.len(), 160);
}

#[test]
fn commands_are_audio_while_streaming() {
    let mut bench = Bench::streaming(answered(), "+VTX");
    bench.send(b"ATZ\r");
    bench.send(b"\x10\x03");
    assert_eq!(bench.wait_ms(20), b"\r\nOK\r\n");
    assert_eq!(bench.modem.journal().heard()[0].samples, b"ATZ\r");
    let mut bench = Bench::streaming(answered(), "+VRX");
    bench.send(b"ATH0\r");
    bench.wait(secs(3600));
    assert_eq!(
        bench.happened(&Happening::OnHook),
        None,
        "it streams on and on"
    );
}

fn says(samples: &[u8]) -> Scenario {
    let mut call = Call::from("1").at(ms(100)).ends(Ending::Stays);
    call = call.says(Sound::Silence(ms(500)));
    Scenario::default().call(call.says(Sound::Samples(Arc::from(samples))))
}

#[test]
fn what_is_said_is_received_bit_for_bit() {
    let voice = every_byte(8000);
    for (command, end) in [
        ("+VRX", b"\x10!"),
        ("+VRX", b"\x10\x1b"),
        ("+VTR", b"\x10^"),
    ] {
        for double_dle_as_sub in [false, true] {
            let mut scenario = says(&voice);
            scenario.double_dle_as_sub = double_dle_as_sub;
            let mut bench = Bench::voice(scenario);
            bench.wait_ms(200);
            bench.command("AT+VLS=1");
            bench.send(format!("AT{command}\r").as_bytes());
            bench.wait_ms(3);
            let mut stream = bench.wait_ms(1700);
            stream.extend(bench.send(end));
            stream.extend(bench.wait_ms(10));
            let stream = stream.strip_suffix(b"\x10\x03\r\nOK\r\n").unwrap();
            let (samples, codes) = unshielded(stream);
            assert_eq!(samples.len(), 1700 * 8);
            let uncut = shielded(&samples).len() + 2 * codes.len();
            assert_eq!(stream.len() < uncut, double_dle_as_sub);
            let found = samples.windows(8000).any(|part| part == voice);
            assert!(found, "{command}");
            assert_eq!(samples, bench.modem.journal().said()[0].samples);
        }
    }
}

#[test]
fn the_receive_stream_comes_in_pieces() {
    let mut bench = Bench::streaming(answered(), "+VRX");
    for _ in 0..5 {
        assert_eq!(bench.wait_ms(15), b"");
        let (samples, _) = unshielded(&bench.wait_ms(1));
        assert_eq!(samples.len(), 128);
    }
}

#[test]
fn a_dte_that_does_not_read_loses_audio_and_is_told() {
    let mut bench = Bench::streaming(says(&[]), "+VRX");
    let end = bench.now + secs(10);
    while let Some(wake) = bench.modem.next_wake().filter(|wake| *wake <= end) {
        bench.modem.advance(wake);
    }
    bench.now = end;
    let kept = bench.take();
    assert!(kept.len() < 6000);
    let (_, codes) = unshielded(&bench.wait_ms(20));
    assert_eq!(codes, [(0, b'o')]);
}

#[test]
fn keys_and_tones_stand_where_they_were_heard() {
    let call = Call::from("1")
        .at(ms(100))
        .says(Sound::Silence(secs(1)))
        .says(Sound::Dtmf("5#".into()))
        .ends(Ending::Busy);
    let mut bench = Bench::voice(Scenario::default().call(call));
    bench.wait_ms(200);
    bench.command("AT+VLS=1");
    bench.send(b"AT+VRX\r");
    bench.wait_ms(3);
    let (_, codes) = unshielded(&bench.wait(secs(12)));
    let expected = [
        (0, b'/'),
        (0, b'5'),
        (70, b'5'),
        (100, b'~'),
        (200, b'/'),
        (200, b'#'),
        (270, b'#'),
        (300, b'~'),
        (2400, b'b'),
        (6400, b'b'),
        (10_400, b'b'),
    ];
    let first = codes[0].0;
    let relative: Vec<(usize, u8)> = codes.iter().map(|(at, c)| ((at - first) / 8, *c)).collect();
    assert_eq!(relative, expected);
}

#[test]
fn far_ends_hang_up_in_their_own_ways() {
    for (ending, codes) in [
        (Ending::Busy, "bb"),
        (Ending::TonesOnly, ""),
        (Ending::Silence, ""),
        (Ending::LoopBreak, "l"),
        (Ending::DialTone, "ddd"),
        (Ending::Reorder, "KKK"),
        (Ending::Stays, ""),
    ] {
        let call = Call::from("1").at(ms(100)).ends(ending);
        let call = call.says(Sound::Silence(ms(500)));
        let mut bench = Bench::voice(Scenario::default().call(call));
        bench.command("AT-STE=7");
        bench.wait_ms(200);
        bench.command("AT+VLS=1");
        bench.send(b"AT+VRX\r");
        let stream = bench.wait(secs(10));
        let (samples, found) = unshielded(&stream[b"\r\nCONNECT\r\n".len()..]);
        let found: Vec<u8> = found.into_iter().map(|(_, code)| code).collect();
        assert_eq!(text(&found), codes, "{ending:?}");
        let tones = [
            Ending::Busy,
            Ending::TonesOnly,
            Ending::DialTone,
            Ending::Reorder,
        ];
        let loud = samples.iter().any(|sample| *sample != SILENCE);
        assert_eq!(loud, tones.contains(&ending), "{ending:?}");
    }
}

#[test]
fn a_usr_that_was_not_told_otherwise_takes_16_bits() {
    let mut bench = Bench::new(Scenario::default().chip(Chip::Usr5637));
    bench.command("ATE0;+FCLASS=8;+VLS=1");
    bench.send(b"AT+VTR\r");
    bench.wait_ms(5);
    bench.send(&[0x80; 1600]);
    let stream = bench.wait_ms(120);
    assert!(stream.len() > 1800, "two bytes a sample: {}", stream.len());
    let heard = bench.modem.journal().heard();
    assert_eq!(heard[0].samples, [0; 800], "silence has become noise");
}

#[test]
fn voice_needs_the_line() {
    let mut bench = Bench::voice(answered());
    for line in ["AT+VTX", "AT+VRX", "AT+VTR"] {
        assert_eq!(bench.command(line), "\r\nERROR\r\n");
    }
}

#[test]
fn dropping_dtr_hangs_up() {
    let mut bench = Bench::streaming(answered(), "+VTR");
    bench.modem.set_dtr(false, bench.now);
    assert!(bench.happened(&Happening::OnHook).is_some());
    bench.modem.set_dtr(true, bench.now);
    bench.take();
    assert_eq!(bench.command("AT"), "\r\nOK\r\n");
}

#[test]
fn some_modems_leave_the_voice_state_by_themselves() {
    let call = Call::from("1").at(ms(100)).says(Sound::Silence(secs(1)));
    let mut scenario = Scenario::default().call(call).chip(Chip::Mt9234mu);
    scenario.ends_voice_itself = true;
    let mut bench = Bench::voice(scenario);
    bench.wait_ms(200);
    bench.command("AT+VLS=1");
    bench.send(b"AT+VRX\r");
    let stream = text(&bench.wait(secs(5)));
    assert!(stream.ends_with("\x10b\x10\x03\r\nOK\r\n"));
    assert_eq!(bench.command("AT"), "\r\nOK\r\n");
}
