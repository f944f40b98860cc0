//! The same through the real daemon: emulated calls on paused time, judged by what the emulated modem
//! and the call log saw.

#![allow(
    clippy::expect_used,
    reason = "a figure that cannot be taken ends the report"
)]

use std::time::Duration;

use callblock::audio::listen::{HOWLER, Meaning, PLANS, Signal, TonePlan, ToneSet};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Ending, Fault, FaultKind, Scenario, Sound, Trigger};
use fastrand::Rng;

use crate::corpus::{
    self, KEYS, KeyTone, add_noise, between, dbfs_rms, dbm0_power, key_tone, level_to, pick,
    plan_signal, samples, sounds, speech::speech, to_line,
};
use crate::house::{Evening, House, ROBOCALLER};
use crate::playing::prompt;
use crate::tones::{Score, limit};
use crate::{Plan, Row};

/// Speech before a tone, and how long the tone lasts.
const SPEECH: f32 = 3.0;
const TONE: f32 = 8.0;
/// A call that is not to end by itself.
const TALK: u64 = 100;
const PROMPT: f32 = 30.0;

pub(crate) fn run(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    for country in [true, false] {
        for dial in [true, false] {
            rows.push(far_end_gone(plan, country, dial));
        }
    }
    for loss_db in [8, 16] {
        rows.push(far_end_gone_while_playing(plan, loss_db));
    }
    rows.push(cut_short(plan));
    for loss_db in [6, 10, 20] {
        rows.push(keys_while_playing(plan, loss_db));
    }
    rows
}

/// A call that is picked up and says these samples, and no more.
fn live(
    samples: Vec<u8>,
    set: impl FnOnce(House) -> House,
    prepare: impl FnOnce(&mut Scenario),
) -> Evening {
    let call = Call::from(ROBOCALLER)
        .at(Duration::from_secs(2))
        .says(Sound::Samples(samples.into()))
        .ends(Ending::Stays);
    let mut scenario = Scenario::default().call(call);
    prepare(&mut scenario);
    let house = set(House::new(scenario).watched(TALK + 30));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(house.live())
}

fn record(seconds: u64) -> BlockAction {
    BlockAction::Record {
        limit: Duration::from_secs(seconds),
    }
}

/// Only tones are left, from anywhere in their cadence on: how long until the modem is on-hook?
fn far_end_gone(plan: &Plan, country: bool, dial: bool) -> Row {
    let mut score = Score::default();
    let mut rng = plan.rng(90, u64::from(country) * 2 + u64::from(dial));
    for tones in PLANS {
        for signal in tones.signals.iter().chain([&HOWLER]) {
            if signal.meaning == Meaning::Ringback || (signal.meaning == Meaning::Dial) != dial {
                continue;
            }
            let set = if country {
                ToneSet::Country(tones)
            } else {
                ToneSet::Any
            };
            for _ in 0..3 {
                one_tone(plan, signal, tones, set, &mut score, &mut rng);
            }
        }
    }
    let mut row = score.row(country, dial);
    row.what = format!("{}, through the daemon, to on-hook", row.what);
    row
}

fn one_tone(
    plan: &Plan,
    signal: &Signal,
    tones: &TonePlan,
    set: ToneSet,
    score: &mut Score,
    rng: &mut Rng,
) {
    let level = between(rng, -30.0, -9.0);
    let error = between(rng, 0.985, 1.015);
    let mut line = speech(SPEECH, rng);
    level_to(&mut line, between(rng, -28.0, -14.0));
    line.truncate(samples(SPEECH));
    let late = rng.usize(..=signal.cycle_ms() as usize * 8);
    let tone = plan_signal(signal, TONE + 3.0, level, error, rng);
    let tone = &tone[late.min(samples(3.0))..];
    let pause = tone.iter().take_while(|x| **x == 0.0).count();
    line.extend(tone);
    add_noise(
        &mut line,
        dbm0_power(level - between(rng, 10.0, 30.0)).sqrt(),
        rng,
    );
    let line = to_line(&line, between(rng, -10.0, 10.0));
    let evening = live(
        line,
        |mut house| {
            house.listening.tones = set;
            house.action(record(30))
        },
        |_| {},
    );
    let start = SPEECH + pause as f32 / corpus::RATE;
    let wait = evening.off_hook_time().as_secs_f32() - start;
    let fault = score.take(wait, limit(signal));
    if plan.verbose && fault {
        println!(
            "{wait} s: {:?} {signal:?} {level} {error} {late}",
            tones.countries
        );
    }
}

/// The same while our prompt plays, on a line that sends it back.
fn far_end_gone_while_playing(plan: &Plan, loss_db: u8) -> Row {
    let mut score = Score::default();
    let mut rng = plan.rng(93, u64::from(loss_db));
    for tones in PLANS {
        for signal in tones.signals {
            if signal.meaning != Meaning::Ringback {
                one_tone_while_playing(plan, signal, tones, loss_db, &mut score, &mut rng);
            }
        }
    }
    let what = format!(
        "far end gone while the daemon plays, to on-hook, tone at −30…−9 dBm0, echo {loss_db} dB down"
    );
    score.row_of(what, "≤ 3 s dial, ≤ 4 s busy, or 2 cycles + 0.5 s")
}

fn one_tone_while_playing(
    plan: &Plan,
    signal: &Signal,
    tones: &'static TonePlan,
    loss_db: u8,
    score: &mut Score,
    rng: &mut Rng,
) {
    let level = between(rng, -30.0, -9.0);
    let error = between(rng, 0.985, 1.015);
    let before = between(rng, 3.0, 8.0);
    let mut line = vec![0.0; samples(before)];
    line.extend(plan_signal(signal, TONE, level, error, rng));
    let signal_to_noise = between(rng, 20.0, 30.0);
    add_noise(&mut line, dbm0_power(level - signal_to_noise).sqrt(), rng);
    let line = to_line(&line, between(rng, -10.0, 10.0));
    let played = prompt(PROMPT, rng);
    let any = rng.bool();
    let evening = live(
        line,
        |mut house| {
            if !any {
                house.listening.tones = ToneSet::Country(tones);
            }
            let file = house.wav("prompt.wav", &played);
            house.action(BlockAction::Duplex {
                file: Some(file),
                limit: Duration::from_secs(PROMPT as u64),
                silence: None,
            })
        },
        |scenario| scenario.echo = Some(loss_db),
    );
    let wait = evening.off_hook_time().as_secs_f32() - before;
    if score.take(wait, limit(signal)) && plan.verbose {
        println!(
            "{wait} s while playing: {:?} {signal:?} any {any} {level} dBm0 echo {loss_db} start {before}",
            tones.countries
        );
    }
}

/// Calls of speech, music and menus, with false codes from the modem.
fn cut_short(plan: &Plan) -> Row {
    const CODES: [&str; 8] = ["b", "b", "d", "K", "l", "l", "J", "q"];
    let calls = (plan.hours.min(1.0) * 3600.0 / TALK as f32) as u64;
    let mut cut = 0;
    for n in 0..calls {
        let mut rng = plan.rng(91, n);
        let mut line = sounds::call(TALK as f32 + 5.0, &mut rng);
        add_noise(
            &mut line,
            dbfs_rms(between(&mut rng, -52.0, -38.0)),
            &mut rng,
        );
        let line = to_line(&line, between(&mut rng, -12.0, 12.0));
        let evening = live(
            line,
            |house| house.action(record(TALK)),
            |scenario| {
                let mut at = 0.0;
                while at < TALK as f32 {
                    at += between(&mut rng, 0.5, 6.0);
                    let fault = Fault::new(
                        Trigger::AfterPickUp(Duration::from_secs_f32(at)),
                        FaultKind::Code(pick(&mut rng, &CODES).into()),
                    );
                    scenario.faults.push(fault);
                }
            },
        );
        let whole = evening.row().outcome.as_deref() == Some("time-limit");
        cut += u32::from(!whole);
        if plan.verbose && !whole {
            println!("call {n} cut short: {}", evening.story());
        }
    }
    Row::new(
        format!(
            "calls cut short through the daemon in {:.1} h, false codes (loop breaks too) injected",
            (calls * TALK) as f32 / 3600.0
        ),
        "0",
        format!("{cut} of {calls}"),
        cut == 0,
    )
}

/// Keys pressed while our prompt plays, on a line that sends it back.
fn keys_while_playing(plan: &Plan, loss_db: u8) -> Row {
    let (mut right, mut extra, mut all) = (0, 0, 0);
    for n in 0..20 {
        let mut rng = plan.rng(92, n);
        let mut prompt = speech(PROMPT, &mut rng);
        level_to(&mut prompt, -18.0);
        let twist_db = between(&mut rng, -8.0, 4.0);
        let dbm0 = between(&mut rng, -25.0 + twist_db.abs(), -9.0);
        let mut line = vec![0.0; samples(PROMPT)];
        let (mut pressed, mut at) = (Vec::new(), samples(3.0));
        while at + 2400 < line.len() {
            let error = |rng: &mut Rng| between(rng, 0.985, 1.015);
            let tone = KeyTone {
                key: rng.usize(..16),
                milliseconds: between(&mut rng, 50.0, 120.0),
                dbm0,
                twist_db,
                error: (error(&mut rng), error(&mut rng)),
            };
            let sound = key_tone(&tone, &mut rng);
            corpus::add(&mut line[at..], &sound, 1.0);
            pressed.push(KEYS[tone.key]);
            at += sound.len() + samples(between(&mut rng, 0.08, 0.9));
        }
        add_noise(&mut line, dbm0_power(-45.0).sqrt(), &mut rng);
        let evening = live(
            to_line(&line, 0.0),
            |house| {
                let file = house.wav("prompt.wav", &to_line(&prompt, 0.0));
                house.action(BlockAction::Duplex {
                    file: Some(file),
                    limit: Duration::from_secs(PROMPT as u64),
                    silence: None,
                })
            },
            |scenario| scenario.echo = Some(loss_db),
        );
        let heard = evening.row().dtmf.clone().unwrap_or_default();
        let same = longest_common(&pressed, heard.as_bytes());
        right += same;
        extra += heard.len() - same;
        all += pressed.len();
    }
    let share = 100.0 * right as f32 / all as f32;
    Row::new(
        format!("DTMF accepted by the daemon while it plays, echo {loss_db} dB down, 50–120 ms"),
        if loss_db == 10 { "≥ 99 %" } else { "–" },
        format!("{share:.2} % of {all}; {extra} wrong"),
        loss_db != 10 || share >= 99.0,
    )
}

/// How many keys of one row are found in the other, in order.
fn longest_common(one: &[u8], other: &[u8]) -> usize {
    let mut best = vec![0; other.len() + 1];
    for key in one {
        let mut diagonal = 0;
        for (place, candidate) in other.iter().enumerate() {
            let above = best[place + 1];
            best[place + 1] = if key == candidate {
                diagonal + 1
            } else {
                above.max(best[place])
            };
            diagonal = above;
        }
    }
    best.last().copied().unwrap_or(0)
}
