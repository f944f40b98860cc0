//! Keys are heard, and none is taken from voices.

use super::*;

#[test]
fn keys_are_heard_with_their_places() {
    let heard: Vec<(char, u64)> = observations(&mixed(7), &mut || 128)
        .iter()
        .filter_map(|o| match o.event {
            Event::KeyDown { key } => Some((key.as_char(), o.from.0)),
            _ => None,
        })
        .collect();
    let keys: String = heard.iter().map(|h| h.0).collect();
    assert_eq!(keys, "159");
    for ((_, at), expected) in heard.iter().zip([16_000, 17_080, 18_160]) {
        assert!(at.abs_diff(expected) <= 80, "{at} for {expected}");
    }
}

#[test]
fn a_child_that_cries_presses_no_key() {
    // Of these the earlier rules, which let a glide pass, made keys.
    for seed in [97, 193, 265, 289] {
        let voice = sounds::wailing(60.0, &mut Rng::with_seed(21 << 32 | seed));
        assert_eq!(keys_taken_from(voice, seed), 0, "seed {seed}");
    }
}

fn keys_taken_from(mut voice: Vec<f32>, seed: u64) -> usize {
    level_to(&mut voice, -20.0);
    add_noise(&mut voice, dbfs_rms(-50.0), &mut Rng::with_seed(seed));
    observations(&to_line(&voice, 0.0), &mut || 128)
        .iter()
        .filter(|o| matches!(o.event, Event::KeyDown { .. }))
        .count()
}

/// The third and fourth overtone of such a voice, lifted by its formants, pass by the pitches of `*`.
#[test]
fn a_vowel_that_glides_past_a_key_presses_none() {
    for hz in [305.0, 307.0, 309.0] {
        for glide in [0.99, 0.995, 1.0, 1.005, 1.01] {
            for seconds in [0.06, 0.075, 0.1, 0.125] {
                let mut voice = vec![0.0; 2000];
                let vowel = Vowel {
                    seconds,
                    hz: (hz, hz * glide),
                    vibrato: (0.0, 5.0),
                    formants: [930.0, 1230.0, 2900.0],
                    width: 1.0,
                };
                vowel.sound(&mut voice);
                voice.extend([0.0; 2000]);
                telephone_band(&mut voice);
                let keys = keys_taken_from(voice, 1);
                assert_eq!(keys, 0, "{hz} Hz times {glide} in {seconds} s");
            }
        }
    }
}

#[test]
fn a_singer_presses_no_key() {
    // Of these the earlier rules, which judged each window by itself, made keys.
    for seed in [2, 83, 202, 224] {
        let voice = song(20.0, &mut Rng::with_seed(seed));
        assert_eq!(keys_taken_from(voice, seed), 0, "seed {seed}");
    }
}
