//! The caller and the exchange are heard while we play.

use super::*;

#[test]
fn our_own_echo_is_not_the_callers_voice() {
    let mut rng = Rng::with_seed(51);
    let played = to_line(&talk(20.0, &mut rng), 0.0);
    let mut line = echo(&played, 900, 10.0, &mut rng);
    add_noise(&mut line, dbfs_rms(-50.0), &mut rng);
    let line = to_line(&line, 0.0);
    let mut listener = Listener::new(ToneSet::Any);
    let mut voice = 0;
    for (n, block) in line.chunks(160).enumerate() {
        let at = n * 160;
        listener.transmitted(Position(at as u64), &played[at..at + block.len()]);
        listener.listen(block, |_| ());
        voice += u32::from(n > 150 && listener.activity() == Activity::Voice);
    }
    assert!(voice < 40, "{voice} blocks of 850");
}

/// Seconds from a tone's beginning to the end of the call, while we play a prompt that comes back.
fn end_while_playing(
    signal: &'static Signal,
    dbm0: f32,
    loss_db: f32,
    rng: &mut Rng,
) -> Option<f64> {
    let played = to_line(&talk(16.0, rng), 0.0);
    let mut line = echo(&played, rng.usize(0..2000), loss_db, rng);
    let start = samples(3.5 + rng.f32());
    add(
        &mut line[start..],
        &plan_signal(signal, 8.0, dbm0, 1.0, rng),
        1.0,
    );
    add_noise(&mut line, dbfs_rms(-56.0), rng);
    let over = end_while_we_play(&to_line(&line, 0.0), &played)?;
    Some(over.at.seconds() - start as f64 / 8000.0)
}

fn end_while_we_play(line: &[u8], played: &[u8]) -> Option<CallEnd> {
    let mut listener = Listener::new(ToneSet::Any);
    let mut end = EndOfCall::new(EndRules::default());
    for (n, block) in line.chunks(160).enumerate() {
        let at = n * 160;
        listener.transmitted(Position(at as u64), &played[at..at + block.len()]);
        listener.listen(block, |observation| {
            end.heard(&observation);
        });
        if let Some(over) = end.elapsed(listener.position()) {
            return Some(over);
        }
    }
    None
}

#[test]
fn the_far_end_that_goes_while_we_play_is_heard_in_time() {
    let mut rng = Rng::with_seed(61);
    for country in ["US", "GB"] {
        let plan = TonePlan::for_country(country).unwrap();
        for signal in plan
            .signals
            .iter()
            .filter(|s| s.meaning != Meaning::Ringback)
        {
            for (dbm0, loss_db) in [(-9.0, 20.0), (-20.0, 10.0), (-30.0, 8.0)] {
                let least = if signal.meaning == Meaning::Dial {
                    3.0
                } else {
                    4.0
                };
                let limit = (2.0 * f64::from(signal.cycle_ms()) / 1000.0 + 0.5).max(least);
                let wait = end_while_playing(signal, dbm0, loss_db, &mut rng);
                assert!(
                    wait.is_some_and(|wait| (1.0..=limit).contains(&wait)),
                    "{wait:?} s: {country} {signal:?} at {dbm0} dBm0, echo {loss_db} dB down"
                );
            }
        }
    }
}

/// What is kept of a recording (s) after the end of the caller's only words, which come this long after the
/// pick-up while our prompt plays and comes back; then the far end is gone.
fn kept_after_a_word(begins: f32, dbfs: f32, loss_db: f32, rng: &mut Rng) -> Option<f32> {
    let played = to_line(&talk(10.0, rng), 0.0);
    let mut word = talk(0.7, rng);
    level_to(&mut word, dbfs);
    let loud =
        |part: &[f32]| part.iter().map(|x| x * x).sum::<f32>() > 80.0 * dbfs_rms(-44.0).powi(2);
    let tens = word.chunks(80).rposition(loud)? + 1;
    let from = samples(begins);
    let word_ends = from + 80 * tens;
    let mut line = vec![0.0; samples(9.0)];
    add(&mut line[from..], &word[..80 * tens], 1.0);
    let dial = &PLANS[0].signals[0];
    add(
        &mut line[word_ends + samples(2.5)..],
        &plan_signal(dial, 6.0, -16.0, 1.0, rng),
        1.0,
    );
    let back = echo(&played, rng.usize(100..900), loss_db, rng);
    add(&mut line, &back[..samples(9.0)], 1.0);
    add_noise(&mut line, dbfs_rms(-50.0), rng);
    let end = end_while_we_play(&to_line(&line, 0.0), &played)?;
    let kept = samples_to_keep(end.at.0, Some(&end));
    Some(kept as f32 / 8000.0 - word_ends as f32 / 8000.0)
}

#[test]
fn a_word_beside_a_prompt_whose_echo_is_not_known_yet_is_not_trimmed_away() {
    for seed in 131..134 {
        let mut rng = Rng::with_seed(seed);
        for loss_db in [10.0, 14.0, 20.0] {
            for begins in [0.3, 0.7, 1.0] {
                for dbfs in [-18.0, -24.0] {
                    let kept = kept_after_a_word(begins, dbfs, loss_db, &mut rng);
                    assert!(
                        kept.is_some_and(|kept| kept >= 0.85),
                        "{kept:?} s after a word at {begins} s, {dbfs} dB, echo {loss_db} dB down, seed {seed}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_prompt_that_does_not_come_back_is_trimmed_away() {
    let mut rng = Rng::with_seed(151);
    let played = to_line(&talk(10.0, &mut rng), 0.0);
    let mut line = vec![0.0; samples(4.0)];
    line.extend(plan_signal(&PLANS[0].signals[0], 5.0, -16.0, 1.0, &mut rng));
    add_noise(&mut line, dbfs_rms(-50.0), &mut rng);
    let end = end_while_we_play(&to_line(&line, 0.0), &played).unwrap();
    assert_eq!(samples_to_keep(end.at.0, Some(&end)), 8000);
}

/// Keys pressed every half second, from three seconds on, while we play a prompt that comes back.
fn keys_heard_while_playing(seed: u64) -> (String, String) {
    let mut rng = Rng::with_seed(seed);
    let played = to_line(&talk(12.0, &mut rng), 0.0);
    let mut line = echo(&played, rng.usize(40..2400), 6.0, &mut rng);
    let mut pressed = String::new();
    for at in (24_000..line.len() - 2000).step_by(4000) {
        let key = rng.usize(..16);
        let tone = KeyTone {
            key,
            milliseconds: 60.0,
            dbm0: -16.0,
            twist_db: -3.0,
            error: (1.0, 1.0),
        };
        add(&mut line[at..], &key_tone(&tone, &mut rng), 1.0);
        pressed.push(char::from(KEYS[key]));
    }
    add_noise(&mut line, dbfs_rms(-50.0), &mut rng);
    let line = to_line(&line, 0.0);
    let mut listener = Listener::new(ToneSet::Any);
    let mut heard = String::new();
    for (n, block) in line.chunks(160).enumerate() {
        let at = n * 160;
        listener.transmitted(Position(at as u64), &played[at..at + block.len()]);
        listener.listen(block, |o| {
            if let Event::KeyDown { key } = o.event {
                heard.push(key.as_char());
            }
        });
    }
    (pressed, heard)
}

#[test]
fn keys_are_heard_through_our_own_prompt() {
    let (mut all, mut missed) = (0, 0);
    for seed in 91..121 {
        let (pressed, heard) = keys_heard_while_playing(seed);
        let mut rest = pressed.chars();
        assert!(
            heard.chars().all(|key| rest.any(|other| other == key)),
            "{heard} for {pressed}, seed {seed}"
        );
        all += pressed.len();
        missed += pressed.len() - heard.len();
    }
    assert!(missed * 300 <= all, "{missed} of {all}");
}
