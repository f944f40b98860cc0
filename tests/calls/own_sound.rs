//! What we play comes back from the line: its tones are not the exchange's, and its keys not the
//! caller's.

use crate::house::{Evening, House, ROBOCALLER};
use crate::listen_corpus::{KeyTone, key_tone, plan_signal, to_line};
use callblock::audio::listen::{Meaning, Signal, TonePlan};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Ending, Scenario, Sound};
use fastrand::Rng;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// So many seconds of a tone of North America.
fn exchange(meaning: Meaning, seconds: f32) -> Vec<u8> {
    let plan = TonePlan::for_country("US").unwrap();
    let signal = plan.signals.iter().find(|s| s.meaning == meaning).unwrap();
    sound(signal, seconds)
}

fn sound(signal: &Signal, seconds: f32) -> Vec<u8> {
    let mut rng = Rng::with_seed(11_200);
    to_line(&plan_signal(signal, seconds, -12.0, 1.0, &mut rng), 0.0)
}

/// Each of the keys, for 150 ms and with a pause of 100 ms.
fn keys() -> Vec<u8> {
    let mut rng = Rng::with_seed(11_201);
    let mut line = Vec::new();
    for key in 0..16 {
        let tone = KeyTone {
            key,
            milliseconds: 150.0,
            dbm0: -15.0,
            twist_db: 0.0,
            error: (1.0, 1.0),
        };
        line.extend(key_tone(&tone, &mut rng));
        line.extend([0.0; 800]);
    }
    to_line(&line, 0.0)
}

/// A quarter of a minute in duplex, in which this is played, with a caller who says a word.
async fn played(file: &[u8], loss_db: u8, ending: Ending) -> Evening {
    let call = Call::from(ROBOCALLER)
        .at(5 * SECOND)
        .says(Sound::Silence(2 * SECOND))
        .says(Sound::Speech(SECOND))
        .says(Sound::Silence(5 * SECOND))
        .ends(ending);
    let mut scenario = Scenario::default().call(call);
    scenario.echo = Some(loss_db);
    let house = House::new(scenario);
    let file = Some(house.wav("own.wav", file));
    house
        .action(BlockAction::Duplex {
            file,
            limit: 15 * SECOND,
            silence: None,
        })
        .live()
        .await
}

fn assert_ended(evening: &Evening, outcome: &str) {
    assert_eq!(
        evening.row().outcome.as_deref(),
        Some(outcome),
        "{}",
        evening.story()
    );
}

#[tokio::test(start_paused = true)]
async fn the_exchange_s_tones_in_a_file_do_not_end_the_call() {
    let held = Signal {
        meaning: Meaning::Dial,
        hz: &[440.0],
        modulation_hz: 0.0,
        cadence: &[],
    };
    for file in [
        exchange(Meaning::Busy, 12.0),
        exchange(Meaning::Dial, 12.0),
        exchange(Meaning::Reorder, 12.0),
        exchange(Meaning::Ringback, 12.0),
        sound(&held, 6.0),
    ] {
        for loss_db in [6, 20] {
            let evening = played(&file, loss_db, Ending::Stays).await;
            assert_ended(&evening, "time-limit");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_in_a_file_are_not_the_caller_s() {
    for loss_db in [6, 20] {
        let evening = played(&keys(), loss_db, Ending::Stays).await;
        assert_eq!(evening.row().dtmf, None, "{}", evening.story());
        assert_ended(&evening, "time-limit");
    }
}

#[tokio::test(start_paused = true)]
async fn the_exchange_s_own_tone_after_the_file_s_ends_the_call() {
    for loss_db in [6, 20] {
        // The caller goes after eight seconds; the file goes on for another.
        let file = exchange(Meaning::Busy, 9.0);
        let evening = played(&file, loss_db, Ending::TonesOnly).await;
        assert_ended(&evening, "caller-hung-up");
        let held = evening.off_hook_time();
        assert!(held > 9 * SECOND && held < 14 * SECOND, "{held:?}");
    }
}
