//! The emulated modem over its in-memory link, on paused time.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use callblock::emulator::{
    Call, Ending, Fault, FaultKind, Happening, LinkOptions, MemoryModem, Scenario, Sound, Trigger,
    Unplug,
};
use callblock::modem::port::{Jack, OpenError, Port};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Reads until what was read ends like this.
async fn read_until(port: &mut Box<dyn Port>, end: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while !all.ends_with(end) {
        let mut byte = [0];
        assert_eq!(port.read(&mut byte).await.unwrap(), 1);
        all.push(byte[0]);
    }
    all
}

async fn command(port: &mut Box<dyn Port>, line: &str) -> Vec<u8> {
    port.write_all(format!("{line}\r").as_bytes())
        .await
        .unwrap();
    read_until(port, b"OK\r\n").await
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_played_to_and_recorded() {
    let scenario = Scenario::default().call(
        Call::from("5055034455")
            .named("V4231749020000150")
            .says(Sound::Speech(Duration::from_secs(3)))
            .ends(Ending::Busy),
    );
    let modem = MemoryModem::new(scenario, LinkOptions::default());
    let mut port = modem.jack().open().unwrap();
    assert_eq!(command(&mut port, "ATE0").await, b"ATE0\r\r\nOK\r\n");
    assert_eq!(
        command(&mut port, "AT+VCID=1;+FCLASS=8;+VSM=1").await,
        b"\r\nOK\r\n"
    );
    read_until(&mut port, b"\x10R").await;
    let block = read_until(&mut port, b"150\r\n").await;
    assert_eq!(
        block,
        b"\r\nDATE = 1107\r\nTIME = 1152\r\nNMBR = 5055034455\r\nNAME = V4231749020000150\r\n"
    );
    command(&mut port, "AT+VLS=1").await;
    port.write_all(b"AT+VTR\r").await.unwrap();
    read_until(&mut port, b"\r\nCONNECT\r\n").await;
    // 2 s of audio with every byte in it; 0x10 is doubled on the way.
    let message: Vec<u8> = (0..16_000_u32).map(|i| i as u8).collect();
    let shielded: Vec<u8> = message
        .iter()
        .flat_map(|b| std::iter::repeat_n(*b, if *b == 0x10 { 2 } else { 1 }))
        .collect();
    port.write_all(&shielded).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    port.write_all(b"\x10^").await.unwrap();
    let received = read_until(&mut port, b"\x10\x03\r\nOK\r\n").await;
    command(&mut port, "AT+VLS=0").await;

    let journal = modem.journal();
    let heard = journal.heard();
    assert_eq!(heard.len(), 1, "one span, no gap");
    assert_eq!(heard[0].samples, message);
    let said = journal.said();
    assert_eq!(said.len(), 1);
    let mut recorded = Vec::new();
    let mut rest = &received[..received.len() - 8];
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == 0x10 {
            if rest[0] == 0x10 {
                recorded.push(0x10);
            }
            rest = &rest[1..];
        } else {
            recorded.push(*byte);
        }
    }
    assert_eq!(recorded, said[0].samples);
    assert!(journal.longest_queue() > 15_000);
    assert_eq!(journal.count(|h| *h == Happening::OnHook), 1);
}

/// Off-hook, echo off, in the transmit state.
async fn transmitting(modem: &MemoryModem) -> Box<dyn Port> {
    let mut port = modem.jack().open().unwrap();
    command(&mut port, "ATE0").await;
    command(&mut port, "AT+FCLASS=8;+VLS=1").await;
    port.write_all(b"AT+VTX\r").await.unwrap();
    read_until(&mut port, b"CONNECT\r\n").await;
    port
}

#[tokio::test(start_paused = true)]
async fn queued_output_can_be_discarded_and_is_measured() {
    let modem = MemoryModem::new(Scenario::default(), LinkOptions::default());
    let mut port = transmitting(&modem).await;
    // 20 kB and what the modem holds itself go in at once; the next byte has to wait.
    let begin = tokio::time::Instant::now();
    port.write_all(&vec![1; 20 * 1024 + 1024]).await.unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO);
    port.write_all(&[1]).await.unwrap();
    assert!(begin.elapsed() > Duration::ZERO);
    assert_eq!(modem.journal().longest_queue(), 20 * 1024 + 1024);
    port.discard_output().unwrap();
    port.write_all(b"\x10\x18\x10\x03").await.unwrap();
    read_until(&mut port, b"OK\r\n").await;
    assert!(begin.elapsed() < Duration::from_millis(100));
    assert!(modem.journal().heard()[0].samples.len() < 800);
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_port_is_dead_for_good_and_the_jack_tells_when_it_is_back() {
    let unplug = FaultKind::Unplug(Unplug {
        back_after: Some(Duration::from_secs(4)),
        other_node: true,
    });
    let fault = Fault::new(Trigger::AfterPickUp(Duration::from_secs(1)), unplug);
    let modem = MemoryModem::new(Scenario::default().fault(fault), LinkOptions::default());
    let mut jack = modem.jack();
    assert_eq!(jack.device(), "emulated:0");
    let mut port = jack.open().unwrap();
    assert!(matches!(jack.open(), Err(OpenError::Busy { .. })));
    command(&mut port, "ATH1").await;
    let begin = tokio::time::Instant::now();
    let mut rest = Vec::new();
    port.read_to_end(&mut rest).await.unwrap();
    assert_eq!(begin.elapsed().as_millis(), 997, "a second after off-hook");
    assert!(port.write_all(b"AT\r").await.is_err());
    assert!(port.discard_output().is_err());
    assert_eq!(port.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(matches!(jack.open(), Err(OpenError::Absent { .. })));
    jack.changed().await;
    assert_eq!(begin.elapsed().as_millis(), 4997);
    let mut port = jack.open().unwrap();
    assert_eq!(jack.device(), "emulated:1");
    command(&mut port, "AT").await;
    drop(port);
    assert!(jack.open().is_ok(), "a closed port can be opened again");
}

#[tokio::test(start_paused = true)]
async fn a_modem_left_streaming_streams_on_for_the_next_program() {
    let modem = MemoryModem::new(Scenario::default(), LinkOptions::default());
    let mut port = modem.jack().open().unwrap();
    command(&mut port, "ATE0").await;
    command(&mut port, "AT+FCLASS=8;+VLS=1").await;
    port.write_all(b"AT+VTR\r").await.unwrap();
    read_until(&mut port, b"CONNECT\r\n").await;
    drop(port);
    tokio::time::sleep(Duration::from_mins(1)).await;
    let mut port = modem.jack().open().unwrap();
    port.write_all(b"ATZ\r").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    port.write_all(b"\x10!").await.unwrap();
    read_until(&mut port, b"\x10\x03\r\nOK\r\n").await;
    assert_eq!(modem.journal().count(|h| *h == Happening::OnHook), 0);
    command(&mut port, "ATZ").await;
    assert_eq!(modem.journal().count(|h| *h == Happening::OnHook), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_drops_dtr_if_the_port_is_set_so() {
    let options = LinkOptions {
        close_drops_dtr: true,
        ..LinkOptions::default()
    };
    let modem = MemoryModem::new(Scenario::default(), options);
    drop(transmitting(&modem).await);
    assert_eq!(modem.journal().count(|h| *h == Happening::OnHook), 1);
}

#[tokio::test(start_paused = true)]
async fn reads_are_cut_anywhere_and_the_same_seed_cuts_the_same() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let options = LinkOptions {
            seed,
            longest_read: Some(5),
            ..LinkOptions::default()
        };
        let scenario = Scenario::default().call(Call::from("1").at(Duration::from_secs(1)));
        let modem = MemoryModem::new(scenario, options);
        let mut port = modem.jack().open().unwrap();
        port.write_all(b"ATI3;+VCID=1\r").await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (mut all, mut cuts) = (Vec::new(), Vec::new());
        while !all.ends_with(b"NMBR = 1\r\n") {
            let mut piece = [0; 64];
            let count = port.read(&mut piece).await.unwrap();
            all.extend_from_slice(&piece[..count]);
            cuts.push(count);
        }
        assert!(cuts.iter().all(|count| (1..=5).contains(count)));
        assert!(cuts.contains(&1) && cuts.contains(&5));
        runs.push((all, cuts));
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0].0, runs[2].0);
    assert_ne!(runs[0].1, runs[2].1);
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wake_when_nothing_is_due() {
    let call = Call::from("1").at(Duration::from_hours(1)).rings(2);
    let modem = MemoryModem::new(Scenario::default().call(call), LinkOptions::default());
    let mut port = modem.jack().open().unwrap();
    command(&mut port, "ATE0").await;
    command(&mut port, "AT+VCID=1").await;
    let before = modem.wakes();
    tokio::time::sleep(Duration::from_mins(59)).await;
    assert_eq!(modem.wakes(), before);
    modem.happened(|h| matches!(h, Happening::CallEnded)).await;
    assert!(modem.wakes() < before + 10, "{}", modem.wakes());
}
