//! What callers are played: any WAV file, never the same one twice in a row, and tones that say
//! that there is no such number.

use crate::house::{Evening, House, ROBOCALLER, block_list, contains, read_wav};
use crate::log::Log;
use callblock::audio::listen::SpecialInformation;
use callblock::blocker::BlockAction;
use callblock::blocker::daemon::Notice;
use callblock::emulator::{Call, Chip, Ending, Fault, FaultKind, Scenario, Sound};
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

fn tones() -> Vec<u8> {
    SpecialInformation::International.samples()
}

/// Where the tones begin in what was heard, bit for bit.
fn tones_in(heard: &[u8]) -> Option<usize> {
    let tones = tones();
    heard
        .windows(tones.len())
        .position(|window| window == tones)
}

#[test]
fn the_tones_are_those_of_the_standard() {
    // ITU-T E.180: 950, 1400 and 1800 Hz, 330 ms each, one after the other.
    let mut cycles = 0.0_f64;
    let pitches = [950.0, 1400.0, 1800.0];
    let steps = pitches
        .iter()
        .flat_map(|hertz| std::iter::repeat_n(hertz / 8000.0, 2640));
    let tones = tones();
    assert_eq!(tones.len(), 7920);
    for (sample, step) in tones.into_iter().zip(steps) {
        let value = 128.0 + 28.0 * (std::f64::consts::TAU * cycles).sin();
        assert!((f64::from(sample) - value).abs() < 0.501);
        cycles += step;
    }
}

fn announcing(call: Call) -> House {
    let mut house = House::new(Scenario::default().call(call));
    house.sit = true;
    house
}

/// What was heard is silence, the tones, silence.
fn assert_tones_alone(evening: &Evening) {
    let heard = evening.heard();
    let at = tones_in(&heard).expect("tones");
    let rest = [&heard[..at], &heard[at + 7920..]].concat();
    assert!(rest.iter().all(|sample| *sample == 0x80));
}

#[tokio::test(start_paused = true)]
async fn tones_go_before_the_hang_up() {
    for (hold, held) in [(1, 1..=2), (0, 1..=2), (5, 5..=5)] {
        let hold = hold * SECOND;
        let evening = announcing(silent_call())
            .action(BlockAction::HangUp { hold })
            .live()
            .await;
        assert_tones_alone(&evening);
        let row = evening.row();
        assert_eq!(row.action, "hangup");
        assert_eq!(row.outcome.as_deref(), Some("finished"));
        assert_eq!(row.trouble, None, "{}", evening.story());
        assert!(evening.ends_on_hook());
        let seconds = evening.off_hook_time().as_secs();
        assert!(held.contains(&seconds), "{hold:?}: {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn tones_go_before_what_is_sent() {
    let limit = 10 * SECOND;
    let greeting: Vec<u8> = (0..8000_u32).map(|at| (at % 251) as u8).collect();
    for kind in ["message", "transmit", "duplex"] {
        let house = announcing(silent_call());
        let file = house.wav("greeting.wav", &greeting);
        let greeted = Some(file.clone());
        let action = match kind {
            "message" => BlockAction::Message { file },
            "transmit" => BlockAction::Transmit {
                file: greeted,
                limit,
            },
            _ => BlockAction::Duplex {
                file: greeted,
                limit,
                silence: None,
            },
        };
        let evening = house.action(action).live().await;
        let row = evening.row();
        assert_eq!((row.action.as_str(), &row.trouble), (kind, &None));
        let heard = evening.heard();
        let at = tones_in(&heard).expect("tones");
        let after = &heard[at + 7920..];
        assert!(contains(after, &greeting), "{kind}");
        let gap = after.iter().take_while(|sample| **sample == 0x80).count();
        assert!(gap < 800, "{kind}: {gap} samples between");
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_tones_do_not_end_a_call() {
    let mut house = announcing(
        silent_call()
            .says(Sound::Silence(SECOND))
            .says(Sound::Speech(20 * SECOND)),
    );
    house.scenario.echo = Some(6);
    let evening = house
        .action(BlockAction::Duplex {
            file: None,
            limit: 15 * SECOND,
            silence: None,
        })
        .live()
        .await;
    assert!(tones_in(&evening.heard()).is_some());
    assert_eq!(
        evening.row().outcome.as_deref(),
        Some("time-limit"),
        "{}",
        evening.story()
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_s_own_action_has_tones_where_it_sends_anything() {
    let greeting = vec![0x30; 4000];
    for (action, sent) in [
        ("hangup", true),
        ("message=gone.wav", true),
        ("record=3", false),
        ("fax", false),
    ] {
        let house = announcing(silent_call());
        let file = house.wav("gone.wav", &greeting);
        let action = action.replace("gone.wav", &file.display().to_string());
        let list = format!("{ROBOCALLER},A robocaller,{action}\n");
        let evening = house
            .policy(block_list(&list))
            .action(BlockAction::Record { limit: 9 * SECOND })
            .live()
            .await;
        let row = evening.row();
        assert!(action.starts_with(&row.action), "{action}: {}", row.action);
        assert_eq!(tones_in(&evening.heard()).is_some(), sent, "{action}");
        assert_eq!(row.trouble, None, "{action}: {}", evening.story());
    }
}

#[tokio::test(start_paused = true)]
async fn a_modem_without_voice_hangs_up_without_tones_and_says_so() {
    let mut house = announcing(silent_call());
    house.scenario.chip = Chip::DataOnly;
    let evening = house.live().await;
    let row = evening.row();
    assert_eq!(row.action, "hangup");
    assert_eq!(row.outcome.as_deref(), Some("finished"));
    let trouble = row.trouble.as_deref().unwrap_or_default();
    assert!(trouble.contains("tones"), "{trouble}");
    assert!(evening.heard().is_empty());
    assert!(evening.ends_on_hook());
}

#[tokio::test(start_paused = true)]
async fn where_tones_are_refused_the_call_is_hung_up_on_and_the_row_says_why() {
    let mut house = announcing(silent_call());
    let refused = Fault::on("+VTX", FaultKind::Error);
    house.scenario = house.scenario.fault(refused.times(2));
    let evening = house
        .action(BlockAction::HangUp { hold: SECOND })
        .live()
        .await;
    let row = evening.row();
    assert_eq!(row.action, "hangup");
    assert_eq!(row.outcome.as_deref(), Some("finished"));
    let trouble = row.trouble.as_deref().unwrap_or_default();
    assert!(trouble.contains("+VTX"), "{trouble}");
    assert!(tones_in(&evening.heard()).is_none());
    assert!(evening.ends_on_hook());
}

#[tokio::test(start_paused = true)]
async fn a_message_next_to_nothing_holds_the_line_as_a_hang_up_does() {
    for (samples, held) in [(1600, 1..=1), (0, 1..=1), (24_000, 3..=3)] {
        let house = House::new(Scenario::default().call(silent_call()));
        let file = house.wav("message.wav", &vec![0x40; samples]);
        let evening = house.action(BlockAction::Message { file }).live().await;
        let row = evening.row();
        assert_eq!(row.action, "message");
        assert_eq!(row.outcome.as_deref(), Some("finished"));
        let seconds = evening.off_hook_time().as_secs();
        assert!(held.contains(&seconds), "{samples}: {seconds} s");
    }
}

/// The contents of the file to be played in each of some calls, `None` for no file, and what is logged
/// of it.
type Versions = [(Option<&'static [u8]>, &'static str)];

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_played_is_named_once_until_it_changes_or_works_again() {
    const GOOD: &[u8] = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\
        \x40\x1f\0\0\x01\0\x08\0data\x08\0\0\0abcdefgh";
    const WITHOUT_SOUND: &[u8] = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\
        \x40\x1f\0\0\x01\0\x08\0data\0\0\0\0";
    let versions: &'static Versions = &[
        (Some(b"no sound at all"), "something else, not a WAV file"),
        (Some(b"no sound at all"), ""),
        (None, "No such file"),
        (None, ""),
        (Some(GOOD), ""),
        (None, "No such file"),
        (Some(WITHOUT_SOUND), "without any sound"),
        (Some(WITHOUT_SOUND), ""),
    ];
    let log = Log::begin();
    let scenario = Scenario::default().call(silent_call());
    let later = versions[1..].iter().map(|_| silent_call().after(SECOND));
    let mut house = House::new(later.fold(scenario, Scenario::call)).watched(300);
    let file = house.dir.path().join("said.wav");
    let (played, mut calls) = (file.clone(), versions.iter());
    house.observer = Box::new(move |notice| {
        if matches!(notice, Notice::Playing(_)) {
            let old = std::fs::read(&played).ok();
            match calls.next().unwrap().0 {
                new if new == old.as_deref() => {}
                Some(new) => std::fs::write(&played, new).unwrap(),
                None => std::fs::remove_file(&played).unwrap(),
            }
        }
    });
    let evening = house.action(BlockAction::Message { file }).live().await;
    assert_eq!(evening.rows.len(), versions.len());
    let lines = log.lines();
    let mut named = lines.iter().filter(|line| line.contains("is not played"));
    for (nth, (_, expected)) in versions.iter().enumerate() {
        if !expected.is_empty() {
            let line = named.next().expect("a line");
            assert!(line.contains(expected), "call {nth}: {line}");
        }
    }
    assert_eq!(named.next(), None);
}
