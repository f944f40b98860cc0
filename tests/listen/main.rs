//! The listener over generated lines: what it hears does not depend on how the samples are cut, and
//! calls end when the far end is gone and not before. Figures are for `cargo bench --bench listen`.

mod end_of_call;
mod hum;
mod keys;
#[path = "../listen_corpus/mod.rs"]
mod listen_corpus;
mod playing;

use std::time::Duration;

use callblock::audio::listen::{
    Activity, CallEnd, EndOfCall, EndReason, EndRules, Event, HOWLER, Happening, Listener, Meaning,
    Observation, PLANS, Position, Signal, Timeline, Tone, TonePlan, ToneSet, samples_to_keep,
};
use callblock::modem::line_code::LineCode;
use fastrand::Rng;
use listen_corpus::{
    KEYS, KeyTone, add, add_noise, dbfs_rms, echo, key_tone, level_to, plan_signal, samples,
    song::{Vowel, song},
    sounds,
    speech::{speech, telephone_band},
    to_line,
};
use proptest::prelude::*;

fn observations(line: &[u8], cuts: &mut dyn FnMut() -> usize) -> Vec<Observation> {
    let mut listener = Listener::new(ToneSet::Any);
    let mut heard = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (block, after) = rest.split_at(cuts().clamp(1, rest.len()));
        listener.listen(block, |observation| heard.push(observation));
        rest = after;
    }
    heard
}

fn end_of(
    line: &[u8],
    rules: EndRules,
    mut codes: impl FnMut(Position) -> Option<LineCode>,
) -> Option<CallEnd> {
    let mut listener = Listener::new(ToneSet::Any);
    let mut end = EndOfCall::new(rules);
    for block in line.chunks(128) {
        listener.listen(block, |observation| {
            end.heard(&observation);
        });
        if let Some(code) = codes(listener.position()) {
            end.code(code, listener.position());
        }
        if let Some(over) = end.elapsed(listener.position()) {
            return Some(over);
        }
    }
    None
}

fn talk(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut out = speech(seconds, rng);
    level_to(&mut out, -20.0);
    out
}

/// A little of everything: speech, keys, a busy tone.
fn mixed(seed: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    let mut line = talk(2.0, &mut rng);
    for key in [0, 5, 10] {
        let tone = KeyTone {
            key,
            milliseconds: 60.0,
            dbm0: -12.0,
            twist_db: 0.0,
            error: (1.0, 1.0),
        };
        line.extend(key_tone(&tone, &mut rng));
        line.extend(vec![0.0; 600]);
    }
    line.extend(plan_signal(&PLANS[2].signals[1], 3.0, -15.0, 1.0, &mut rng));
    add_noise(&mut line, dbfs_rms(-50.0), &mut rng);
    to_line(&line, 3.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn how_the_samples_are_cut_makes_no_difference(seed in 1_u64..1000, cut_seed in any::<u64>()) {
        let line = mixed(seed);
        let mut rng = Rng::with_seed(cut_seed);
        let whole = observations(&line, &mut || usize::MAX);
        let cut = observations(&line, &mut || rng.usize(1..400));
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn any_bytes_are_fine(line in proptest::collection::vec(any::<u8>(), 0..10_000)) {
        let mut before = Position(0);
        let mut listener = Listener::new(ToneSet::Any);
        listener.transmitted(Position(0), &line);
        listener.listen(&line, |o| {
            assert!(o.from <= o.at && o.at >= before);
            before = o.at;
        });
        prop_assert_eq!(listener.position(), Position(line.len() as u64));
    }
}

#[test]
fn a_country_can_be_chosen() {
    let plan = TonePlan::for_country("US").expect("a plan");
    let mut rng = Rng::with_seed(61);
    let line = to_line(
        &plan_signal(&plan.signals[1], 3.0, -16.0, 1.0, &mut rng),
        0.0,
    );
    let mut tones = Vec::new();
    Listener::new(ToneSet::Country(plan)).listen(&line, |o| {
        if let Event::Tone { tone, .. } = o.event {
            tones.push(tone);
        }
    });
    assert_eq!(tones.first(), Some(&Tone::Busy));
}

#[test]
fn a_timeline_tells_the_story_of_a_recording() {
    let timeline = Timeline::of(mixed(3), ToneSet::Any, EndRules::default());
    let text = timeline.to_string();
    for part in [
        "voice",
        "key 1",
        "key 5",
        "key 9",
        "busy tone",
        "END OF CALL: busy tone",
        "offset",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let json = timeline.json_lines();
    assert!(
        json.lines()
            .all(|line| line.starts_with("{\"at\":") && line.ends_with('}'))
    );
    assert!(json.contains("\"event\":\"end of call\",\"reason\":\"busy tone\",\"last_sound\":"));
}
