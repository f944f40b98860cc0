//! What callers are played: any WAV file, and never the same one twice in a row.

use crate::house::{Evening, House, ROBOCALLER, contains, read_wav};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Ending, Scenario, Sound};
use std::path::PathBuf;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn silent_call() -> Call {
    Call::from(ROBOCALLER)
        .at(5 * SECOND)
        .says(Sound::Silence(60 * SECOND))
        .ends(Ending::Stays)
}

/// A tone of 440 Hz as a recorder of our days writes it: stereo, 16 bit, 44,100 Hz.
fn stereo_wav(seconds: u32) -> Vec<u8> {
    let frames = seconds * 44_100;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + 4 * frames).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend(44_100_u32.to_le_bytes());
    bytes.extend((4 * 44_100_u32).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend((4 * frames).to_le_bytes());
    for at in 0..frames {
        let value = (std::f64::consts::TAU * 440.0 * f64::from(at) / 44_100.0).sin();
        bytes.extend(((value * 6000.0) as i16).to_le_bytes().repeat(2));
    }
    bytes
}

fn copies(evening: &Evening) -> Vec<PathBuf> {
    let entries = evening.dir.path().join("cache").read_dir();
    let entries = entries.into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_of_another_kind_is_converted_once_and_heard_whole() {
    let house = House::new(
        Scenario::default()
            .call(silent_call())
            .call(silent_call().after(SECOND)),
    );
    let file = house.wav("said/greeting.wav", &[]);
    let original = stereo_wav(3);
    std::fs::write(&file, &original).unwrap();
    let evening = house
        .action(BlockAction::Message { file: file.clone() })
        .live()
        .await;
    let outcomes: Vec<_> = evening.rows.iter().map(|row| &row.trouble).collect();
    assert_eq!(outcomes, [&None, &None], "{}", evening.story());
    let [copy] = copies(&evening).try_into().unwrap();
    let copy = read_wav(&copy);
    assert_eq!(copy.len(), 24_000);
    let heard = evening.heard();
    let first = heard
        .windows(copy.len())
        .position(|window| window == copy)
        .expect("the first caller hears it");
    let rest = &heard[first + copy.len()..];
    assert!(contains(rest, &copy), "the second one the very same");
    // The user's own folder is as it was.
    assert_eq!(std::fs::read(&file).unwrap(), original);
    let beside = file.parent().unwrap().read_dir().unwrap();
    assert_eq!(beside.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_greeting_is_not_what_is_played_next() {
    for _ in 0..6 {
        let house = House::new(Scenario::default().call(silent_call()));
        let file = house.wav("play/one.wav", &[0x30; 8000]);
        house.wav("play/two.wav", &[0xC0; 8000]);
        let evening = house
            .action(BlockAction::Duplex {
                file: Some(file),
                limit: 15 * SECOND,
                silence: Some(2 * SECOND),
            })
            .live()
            .await;
        let heard = evening.heard();
        let order: Vec<u8> = heard
            .chunk_by(|a, b| a == b)
            .map(|run| run[0])
            .filter(|sample| *sample != 0x80)
            .collect();
        assert!(order.starts_with(&[0x30, 0xC0, 0x30]), "{order:x?}");
    }
}
