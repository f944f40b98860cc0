//! DTMF: what has to be taken, with noise and with our own prompt playing, and what must not be.

use callblock::audio::listen::{Event, Listener, Position, ToneSet};
use fastrand::Rng;

use crate::corpus::{
    self, KEYS, KeyTone, add_noise, between, dbm0_power, echo, key_tone, level_to, mean_square,
    speech::speech, to_line,
};
use crate::{Plan, Row};

/// Keys on one line, with where they were pressed.
struct Pressed {
    signal: Vec<f32>,
    keys: Vec<(usize, u64)>,
}

/// Level and twist are those of a telephone and its line: the same for all keys of a call.
fn tone(rng: &mut Rng, milliseconds: f32, error: (f32, f32), phone: (f32, f32)) -> KeyTone {
    KeyTone {
        key: rng.usize(..16),
        milliseconds,
        dbm0: phone.0,
        twist_db: phone.1,
        error,
    }
}

/// Level of the louder tone in dBm0, the weaker being not below −25, and twist in dB.
fn phone(rng: &mut Rng) -> (f32, f32) {
    let twist_db = between(rng, -8.0, 4.0);
    (between(rng, -25.0 + twist_db.abs(), -9.0), twist_db)
}

fn press(
    rng: &mut Rng,
    count: usize,
    pause: (f32, f32),
    mut make: impl FnMut(&mut Rng, (f32, f32)) -> KeyTone,
) -> Pressed {
    let mut pressed = Pressed {
        signal: vec![0.0; 4000],
        keys: Vec::new(),
    };
    let phone = phone(rng);
    for _ in 0..count {
        let tone = make(rng, phone);
        pressed.keys.push((tone.key, pressed.signal.len() as u64));
        let mut sound = key_tone(&tone, rng);
        let quiet = mean_square(&sound).sqrt() * corpus::dbfs_rms(-15.0);
        let rest = corpus::samples(between(rng, pause.0, pause.1));
        sound.extend(std::iter::repeat_n(0.0, rest));
        add_noise(&mut sound, quiet, rng);
        pressed.signal.extend(sound);
    }
    pressed.signal.extend(vec![0.0; 800]);
    pressed
}

/// Keys heard: (right, taken though nobody pressed them).
fn hear(line: &[u8], keys: &[(usize, u64)], played: Option<&[u8]>) -> (usize, usize) {
    let mut listener = Listener::new(ToneSet::Any);
    let mut heard = Vec::new();
    for (n, block) in line.chunks(160).enumerate() {
        if let Some(played) = played {
            let from = n * 160;
            let until = (from + block.len()).min(played.len());
            listener.transmitted(Position(from as u64), &played[from..until]);
        }
        listener.listen(block, |observation| {
            if let Event::KeyDown { key } = observation.event {
                heard.push((key.as_char(), observation.from.0));
            }
        });
    }
    let mut right = 0;
    for &(key, at) in keys {
        let found = heard
            .iter()
            .position(|&(k, from)| k == char::from(KEYS[key]) && from.abs_diff(at) < 200);
        if let Some(found) = found {
            heard.swap_remove(found);
            right += 1;
        }
    }
    (right, heard.len())
}

pub(crate) fn run(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    let error = |rng: &mut Rng| (between(rng, 0.985, 1.015), between(rng, 0.985, 1.015));
    for (what, corner) in [("±1.5 % at random", false), ("±1.5 % at the corners", true)] {
        let (mut right, mut extra, mut all) = (0, 0, 0);
        for n in 0..400 {
            let mut rng = plan.rng(60, n);
            let pressed = press(&mut rng, 50, (0.04, 0.06), |rng, phone| {
                let error = if corner {
                    (
                        corpus::pick(rng, &[0.985, 1.015]),
                        corpus::pick(rng, &[0.985, 1.015]),
                    )
                } else {
                    error(rng)
                };
                tone(rng, 40.0, error, phone)
            });
            let (r, e) = hear(&to_line(&pressed.signal, 0.0), &pressed.keys, None);
            right += r;
            extra += e;
            all += pressed.keys.len();
        }
        let share = 100.0 * right as f32 / all as f32;
        rows.push(Row::new(
            format!("DTMF accepted: 40 ms, twist +4/−8 dB, {what}, 15 dB S/N"),
            "≥ 99.9 %",
            format!("{share:.2} % of {all}; {extra} heard twice or wrong"),
            share >= 99.9,
        ));
    }
    for (loss, least) in [(6.0, None), (10.0, Some(99.0)), (20.0, None)] {
        rows.push(while_playing(plan, loss, least));
    }
    rows.push(refused(
        plan,
        "frequency off by 3.5 %, DTMF accepted",
        |rng, phone| {
            let off = corpus::pick(rng, &[0.965, 1.035]);
            let other = between(rng, 0.985, 1.015);
            let error = if rng.bool() {
                (off, other)
            } else {
                (other, off)
            };
            let milliseconds = between(rng, 40.0, 120.0);
            tone(rng, milliseconds, error, phone)
        },
    ));
    rows.push(refused(
        plan,
        "tone shorter than 20 ms, DTMF accepted",
        |rng, phone| {
            let milliseconds = between(rng, 8.0, 19.9);
            let error = error(rng);
            tone(rng, milliseconds, error, phone)
        },
    ));
    rows
}

fn refused(plan: &Plan, what: &str, make: impl Fn(&mut Rng, (f32, f32)) -> KeyTone) -> Row {
    let (mut taken, mut all) = (0, 0);
    for n in 0..100 {
        let mut rng = plan.rng(70, n);
        let pressed = press(&mut rng, 100, (0.06, 0.08), &make);
        let (right, other) = hear(&to_line(&pressed.signal, 0.0), &pressed.keys, None);
        taken += right + other;
        all += pressed.keys.len();
    }
    Row::new(what, "0", format!("{taken} of {all}"), taken == 0)
}

/// Our prompt plays, and its echo is heard with the keys.
fn while_playing(plan: &Plan, loss_db: f32, least: Option<f32>) -> Row {
    let (mut right, mut extra, mut all) = (0, 0, 0);
    for n in 0..60 {
        let mut rng = plan.rng(80, n);
        let mut prompt = speech(30.0, &mut rng);
        level_to(&mut prompt, -18.0);
        let played = to_line(&prompt, 0.0);
        let delay = rng.usize(40..2400);
        let mut line = echo(&played, delay, loss_db, &mut rng);
        add_noise(&mut line, dbm0_power(-45.0).sqrt(), &mut rng);
        let phone = phone(&mut rng);
        let mut keys = Vec::new();
        let mut at = 24_000;
        while at + 2000 < line.len() {
            let error = (
                between(&mut rng, 0.985, 1.015),
                between(&mut rng, 0.985, 1.015),
            );
            let length = between(&mut rng, 50.0, 120.0);
            let tone = tone(&mut rng, length, error, phone);
            let sound = key_tone(&tone, &mut rng);
            keys.push((tone.key, at as u64));
            corpus::add(&mut line[at..], &sound, 1.0);
            at += sound.len() + corpus::samples(between(&mut rng, 0.08, 0.9));
        }
        let (r, e) = hear(&to_line(&line, 0.0), &keys, Some(&played));
        if plan.verbose {
            println!(
                "echo {loss_db}: seed {n}: {r} of {} ({e} wrong), delay {delay}",
                keys.len()
            );
        }
        right += r;
        extra += e;
        all += keys.len();
    }
    let share = 100.0 * right as f32 / all as f32;
    Row::new(
        format!("DTMF accepted while we play a prompt, echo {loss_db:.0} dB down, 50–120 ms"),
        if least.is_some() { "≥ 99 %" } else { "–" },
        format!("{share:.2} % of {all}; {extra} wrong"),
        least.is_none_or(|least| share >= least),
    )
}
