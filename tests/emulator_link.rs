//! The emulated modem over its in-memory link, on paused time.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use callblock::emulator::{Call, Ending, Happening, LinkOptions, MemoryModem, Scenario, Sound};
use callblock::modem::port::{Jack, Port};
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
