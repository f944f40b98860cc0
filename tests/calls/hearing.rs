//! The daemon hears the line for itself.

use crate::house::{Evening, House, ROBOCALLER};
use crate::listen_corpus::speech::speech;
use crate::listen_corpus::{add_noise, level_to, samples, to_line};
use callblock::blocker::{BlockAction, Listening};
use callblock::emulator::{Call, Ending, Fault, FaultKind, Scenario, Sound, Trigger};
use fastrand::Rng;
use std::io;
use std::sync::{Arc, Mutex};
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

/// A call of twelve seconds of speech, then of silence, ends after so many seconds of it.
#[tokio::test(start_paused = true)]
async fn silence_ends_a_call_as_asked_for_or_a_recording_after_a_minute() {
    let limit = 2 * 60 * SECOND;
    let record = BlockAction::Record { limit };
    let duplex = BlockAction::Duplex {
        file: None,
        limit,
        silence: None,
    };
    for (action, end_silence, outcome, longest) in [
        (&record, None, "caller-hung-up", 74),
        (&record, Some(0), "time-limit", 121),
        (&record, Some(10), "caller-hung-up", 24),
        (&duplex, None, "time-limit", 121),
        (&duplex, Some(10), "caller-hung-up", 24),
    ] {
        let mut house = house(call(12.0, Ending::Silence))
            .action(action.clone())
            .watched(180);
        house.listening.end_silence = end_silence.map(|seconds| seconds * SECOND);
        let evening = house.live().await;
        assert_ended(&evening, outcome);
        let held = evening.off_hook_time();
        let longest = longest * SECOND;
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

/// A line that sends back what we play, 6 dB weaker.
fn echoing(call: Call) -> House {
    let mut scenario = Scenario::default().call(call);
    scenario.echo = Some(6);
    House::new(scenario).watched(90)
}

#[tokio::test(start_paused = true)]
async fn keys_are_heard_through_our_own_voice() {
    // As samples they come without the modem's codes.
    let mut keys = Vec::new();
    for key in 0..24 {
        let (row, column) = [
            (697.0, 1209.0),
            (770.0, 1336.0),
            (852.0, 1477.0),
            (941.0, 1336.0),
        ][key % 4];
        keys.extend((0..3000_u32).map(|index| {
            let wave =
                |hertz: f64| (std::f64::consts::TAU * hertz * f64::from(index) / 8000.0).sin();
            let value = if index < 640 {
                9.0 * (wave(row) + wave(column))
            } else {
                0.0
            };
            (128.0 + value).round() as u8
        }));
    }
    let call = Call::from(ROBOCALLER)
        .at(5 * SECOND)
        .says(Sound::Silence(6 * SECOND))
        .says(Sound::Samples(keys.into()))
        .ends(Ending::Stays);
    let house = echoing(call);
    let file = house.wav("prompt.wav", &voice(20.0));
    let limit = 20 * SECOND;
    let evening = house
        .action(BlockAction::Duplex {
            file: Some(file),
            limit,
            silence: None,
        })
        .live()
        .await;
    // No key is made up, and faint as they are beside the echo most are heard: without the canceller
    // it would be half of them.
    let heard = evening.row().dtmf.clone().unwrap_or_default();
    let mut pressed = "1590".repeat(6).into_bytes().into_iter();
    assert!(
        heard
            .bytes()
            .all(|key| pressed.any(|pressed| pressed == key)),
        "{heard}"
    );
    assert!(heard.len() >= 19, "{heard}");
    assert_ended(&evening, "time-limit");
}

#[tokio::test(start_paused = true)]
async fn tones_end_a_call_while_we_play() {
    let house = echoing(call(5.0, Ending::TonesOnly));
    let file = house.wav("prompt.wav", &voice(40.0));
    let evening = house
        .action(BlockAction::Duplex {
            file: Some(file),
            limit: 40 * SECOND,
            silence: None,
        })
        .live()
        .await;
    assert_ended(&evening, "caller-hung-up");
    let held = evening.off_hook_time();
    assert!(held <= 10 * SECOND, "{held:?}");
}

/// Where a line begins with a whole prompt, counted in what the far end heard.
fn prompts(evening: &Evening, prompt: &[u8]) -> usize {
    let heard = evening.heard();
    let mut rest = heard.as_slice();
    let mut count = 0;
    while let Some(at) = rest.windows(prompt.len()).position(|part| part == prompt) {
        count += 1;
        rest = &rest[at + prompt.len()..];
    }
    count
}

/// A minute with a caller who says this and no more, `-s 3` and a prompt of four seconds.
async fn held_in_duplex(says: Vec<u8>, echo: Option<u8>) -> (Evening, usize) {
    let call = Call::from(ROBOCALLER)
        .at(5 * SECOND)
        .says(Sound::Samples(says.into()))
        .ends(Ending::Stays);
    let mut scenario = Scenario::default().call(call);
    scenario.echo = echo;
    let house = House::new(scenario).watched(90);
    let prompt = voice(4.0);
    house.wav("play/prompt.wav", &prompt);
    let evening = house
        .action(BlockAction::Duplex {
            file: None,
            limit: 60 * SECOND,
            silence: Some(3 * SECOND),
        })
        .live()
        .await;
    let prompts = prompts(&evening, &prompt);
    (evening, prompts)
}

#[tokio::test(start_paused = true)]
async fn our_own_echo_is_not_the_callers_voice() {
    // Three seconds of silence and four of the prompt, eight times: an echo taken for a voice would
    // put each prompt off, one that was missing would bring it forward.
    let quiet = || silent_line(60.0, -52.0, 0.0);
    let (evening, without) = held_in_duplex(quiet(), None).await;
    assert_eq!(without, 8, "{}", evening.story());
    for echo in [6, 20] {
        let (evening, prompts) = held_in_duplex(quiet(), Some(echo)).await;
        assert_eq!(prompts, without, "{echo} dB: {}", evening.story());
        assert_ended(&evening, "time-limit");
    }
}

/// Nothing but noise, and the hum of the mains at a level of its own.
fn silent_line(seconds: f32, noise_dbfs: f32, hum: f32) -> Vec<u8> {
    let mut rng = Rng::with_seed(11_100);
    let mut line: Vec<f32> = (0..samples(seconds))
        .map(|n| {
            let turns = n as f32 / 8000.0 * std::f32::consts::TAU;
            hum * ((50.0 * turns).sin() + 0.3 * (150.0 * turns).sin())
        })
        .collect();
    add_noise(&mut line, 10_f32.powf(noise_dbfs / 20.0), &mut rng);
    to_line(&line, 3.0)
}

#[tokio::test(start_paused = true)]
async fn silence_is_found_on_a_humming_line_at_any_gain() {
    for (noise_dbfs, hum) in [(-60.0, 0.0), (-48.0, 0.02), (-40.0, 0.1), (-31.0, 0.25)] {
        let (evening, prompts) = held_in_duplex(silent_line(60.0, noise_dbfs, hum), None).await;
        assert_eq!(prompts, 8, "{noise_dbfs} dB, {hum}: {}", evening.story());
    }
}

/// What is logged goes here.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The warnings of a call in which this is heard.
async fn warnings(says: Vec<u8>) -> String {
    warnings_of_calls(1, says, Ending::Busy).await
}

/// The warnings of so many calls in a row.
async fn warnings_of_calls(calls: u32, says: Vec<u8>, ends: Ending) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let call = |at| {
        Call::from(ROBOCALLER)
            .at(at)
            .says(Sound::Samples(says.clone().into()))
            .ends(ends)
    };
    let mut house = house(call(5 * SECOND)).action(RECORD);
    for later in 1..calls {
        house.scenario = house.scenario.call(call(5 * SECOND + later * 90 * SECOND));
    }
    let watched = u64::from(calls) * 90;
    house.watched(watched).live().await;
    let logged = log.0.lock().unwrap().clone();
    String::from_utf8(logged).unwrap()
}

/// The same voice through a receive gain that is wrong.
fn voice_scaled(gain: f32) -> Vec<u8> {
    let scale = |sample: u8| (f32::from(sample) - 128.0) * gain + 128.0;
    let voice = voice(10.0).into_iter();
    voice.map(|sample| scale(sample).round() as u8).collect()
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_is_clipped_is_warned_of_with_what_to_set() {
    for fine in [1.0, 0.2] {
        let fine = warnings(voice_scaled(fine)).await;
        assert!(!fine.contains("recordings are"), "{fine}");
    }
    let clipped = warnings(voice_scaled(8.0)).await;
    assert!(clipped.contains("lower the receive gain"), "{clipped}");
    assert!(clipped.contains("--init AT+VGR="), "{clipped}");
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_is_next_to_silent_is_warned_of_with_what_to_set() {
    for gain in [0.05, 0.02] {
        let faint = warnings(voice_scaled(gain)).await;
        assert!(faint.contains("raise the receive gain"), "{gain}: {faint}");
        assert!(faint.contains("--init AT+VGR="), "{gain}: {faint}");
    }
}

#[tokio::test(start_paused = true)]
async fn three_recordings_in_which_nothing_is_heard_are_warned_of() {
    let silence = vec![128; 10 * 8000];
    let said = "nothing was heard in three recordings in a row";
    for (calls, warned) in [(2, 0), (3, 1), (4, 1)] {
        let log = warnings_of_calls(calls, silence.clone(), Ending::Silence).await;
        assert_eq!(log.matches(said).count(), warned, "{calls}: {log}");
    }
    let log = warnings_of_calls(3, voice_scaled(1.0), Ending::Silence).await;
    assert!(!log.contains(said), "{log}");
}
