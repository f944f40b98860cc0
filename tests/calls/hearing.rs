//! The daemon hears the line for itself.

use crate::house::{Evening, House, ROBOCALLER};
use crate::listen_corpus::speech::speech;
use crate::listen_corpus::{add_noise, level_to, samples, to_line};
use callblock::blocker::{BlockAction, Listening};
use callblock::emulator::{Call, Ending, Fault, FaultKind, Scenario, Sound, Trigger};
use fastrand::Rng;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const RECORD: BlockAction = BlockAction::Record {
    limit: Duration::from_mins(1),
};
const DUPLEX: BlockAction = BlockAction::Duplex {
    file: None,
    limit: Duration::from_mins(1),
    silence: None,
};

/// So many seconds of speech on a line with some noise.
fn voice(seconds: f32) -> Vec<u8> {
    let mut rng = Rng::with_seed(11_000);
    let mut line = speech(seconds, &mut rng);
    level_to(&mut line, -20.0);
    add_noise(&mut line, 0.004, &mut rng);
    line.truncate(samples(seconds));
    to_line(&line, 0.0)
}

fn call(seconds: f32, ending: Ending) -> Call {
    Call::from(ROBOCALLER)
        .at(5 * SECOND)
        .says(Sound::Samples(voice(seconds).into()))
        .ends(ending)
}

fn house(call: Call) -> House {
    House::new(Scenario::default().call(call)).watched(90)
}

fn assert_ended(evening: &Evening, outcome: &str) {
    assert_eq!(
        evening.row().outcome.as_deref(),
        Some(outcome),
        "{}",
        evening.story()
    );
    assert!(evening.ends_on_hook(), "{}", evening.story());
}

#[tokio::test(start_paused = true)]
async fn tones_without_a_code_end_a_call_in_time() {
    for action in [RECORD, DUPLEX] {
        let evening = house(call(12.0, Ending::TonesOnly))
            .action(action)
            .live()
            .await;
        assert_ended(&evening, "caller-hung-up");
        let held = evening.off_hook_time();
        assert!(
            held > 13 * SECOND && held <= 16 * SECOND + SECOND / 2,
            "{held:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn false_codes_in_speech_end_nothing() {
    let mut scenario = Scenario::default().call(call(50.0, Ending::Stays));
    for (at, code) in [
        (3, "b"),
        (7, "b"),
        (11, "b"),
        (15, "d"),
        (18, "d"),
        (22, "K"),
        (26, "K"),
        (30, "l"),
    ] {
        scenario = scenario.fault(Fault::new(
            Trigger::AfterPickUp(at * SECOND),
            FaultKind::Code(code.into()),
        ));
    }
    let evening = House::new(scenario).action(RECORD).watched(90).live().await;
    assert_ended(&evening, "time-limit");
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_call_only_if_that_was_asked_for() {
    for (end_silence, outcome, longest) in [
        (None, "time-limit", 61 * SECOND),
        (Some(10 * SECOND), "caller-hung-up", 24 * SECOND),
    ] {
        let mut house = house(call(12.0, Ending::Silence)).action(RECORD);
        house.listening.end_silence = end_silence;
        let evening = house.live().await;
        assert_ended(&evening, outcome);
        let held = evening.off_hook_time();
        assert!(held <= longest && held > longest - 3 * SECOND, "{held:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_one_event_with_codes_and_sound() {
    for action in [RECORD, DUPLEX] {
        let call = call(4.0, Ending::Stays)
            .says(Sound::Silence(SECOND / 2))
            .says(Sound::Dtmf("1199*#".into()));
        let evening = house(call).action(action).live().await;
        assert_eq!(
            evening.row().dtmf.as_deref(),
            Some("1199*#"),
            "{}",
            evening.story()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_recording_is_cut_a_second_after_the_last_word_unless_told_not_to() {
    for trim in [true, false] {
        let mut house = house(call(12.0, Ending::TonesOnly)).action(RECORD);
        house.listening = Listening {
            trim,
            ..Listening::default()
        };
        let evening = house.live().await;
        assert_ended(&evening, "caller-hung-up");
        let (recording, said) = (evening.recording(), evening.said());
        assert!(said.starts_with(&recording));
        if trim {
            let seconds = recording.len() as f64 / 8000.0;
            assert!((12.5..13.5).contains(&seconds), "{seconds} s");
        } else {
            assert_eq!(recording, said);
        }
        // The row keeps the real times.
        let row = evening.row();
        let lasted = row.ended.unwrap().as_nanos() - row.picked_up.unwrap().as_nanos();
        assert!(lasted > 14_000_000_000, "{lasted}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_row_tells_the_quality_of_the_line() {
    let evening = house(call(12.0, Ending::Busy)).action(RECORD).live().await;
    let row = evening.row();
    let level = row.level_dbfs.expect("a level");
    assert!((-30.0..-5.0).contains(&level), "{level}");
    assert!(row.noise_dbfs.expect("a floor") < -40.0);
    assert_eq!(row.clipped, Some(0.0));
    assert!(row.dc_offset.expect("an offset").abs() < 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_sound_has_no_quality() {
    let evening = house(call(3.0, Ending::Busy))
        .action(BlockAction::Transmit {
            file: None,
            limit: 20 * SECOND,
        })
        .live()
        .await;
    assert_ended(&evening, "caller-hung-up");
    assert_eq!(evening.row().noise_dbfs, None);
}
