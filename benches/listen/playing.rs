//! While we play a prompt whose echo comes back: is the end of a call heard in time, and never before?
//! Is speech taken for keys?

use std::time::Duration;

use callblock::audio::listen::{
    CallEnd, EndOfCall, EndRules, Event, HOWLER, Hearing, Listener, Meaning, PLANS, Position,
    Signal, TonePlan, ToneSet,
};
use fastrand::Rng;

use crate::calls::FALSE_CODES;
use crate::corpus::{
    add, add_noise, between, dbfs_rms, dbm0_power, echo, level_to, pick, plan_signal, samples,
    sounds, speech::speech, to_line,
};
use crate::tones::{Score, limit};
use crate::{Plan, Row};

/// How long a tone lasts.
const TONE: f32 = 14.0;
/// Where the loudest sample of a prompt is, as callblock converts one: −4 dB.
const PEAK: f32 = 0.631;
const CALL_SECONDS: f32 = 120.0;
/// Samples in a block of the stream.
const BLOCK: usize = 160;

/// A prompt as the daemon plays it.
pub(crate) fn prompt(seconds: f32, rng: &mut Rng) -> Vec<u8> {
    let mut prompt = speech(seconds, rng);
    let loudest = prompt.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    for value in &mut prompt {
        *value *= PEAK / loudest;
    }
    to_line(&prompt, 0.0)
}

/// What of this comes back.
fn echo_of(played: &[u8], loss_db: f32, rng: &mut Rng) -> Vec<f32> {
    // The hybrid's own delay, and that of the buffers on the way.
    let delay = rng.usize(0..=160) + rng.usize(0..2000);
    echo(played, delay, loss_db, rng)
}

/// As a call of the daemon: the listener is told what goes out, and then hears.
fn end_of(
    line: &[u8],
    played: &[u8],
    set: ToneSet,
    rules: EndRules,
    mut codes: impl FnMut(&mut EndOfCall, Position),
) -> Option<CallEnd> {
    let mut listener = Listener::new(set);
    let mut end = EndOfCall::new(rules);
    for (n, block) in line.chunks(BLOCK).enumerate() {
        let from = n * BLOCK;
        let until = (from + block.len()).min(played.len());
        if let Some(played) = played.get(from..until) {
            listener.transmitted(Position(from as u64), played);
        }
        listener.listen(block, |observation| {
            end.heard(&observation);
        });
        codes(&mut end, listener.position());
        if let Some(over) = end.elapsed(listener.position()) {
            return Some(over);
        }
    }
    None
}

const LEVELS: [f32; 4] = [-9.0, -16.0, -23.0, -30.0];
const LOSSES: [f32; 5] = [6.0, 8.0, 10.0, 16.0, 20.0];
/// When the tone comes, in seconds of playback, and when it comes early.
const BEGINS: (f32, f32) = (3.0, 8.0);
const BEGINS_EARLY: (f32, f32) = (0.5, 4.0);
/// An echo that nothing is left of in 8 bits.
const NO_ECHO: f32 = 60.0;

pub(crate) fn run(plan: &Plan) -> Vec<Row> {
    let prompts: Vec<Vec<u8>> = (0..40)
        .map(|n| prompt(30.0, &mut plan.rng(95, n)))
        .collect();
    let mut rows = Vec::new();
    for level in LEVELS {
        for losses in [&LOSSES[..3], &LOSSES[3..]] {
            let rng = plan.rng(96, level.abs() as u64 * 10 + losses.len() as u64);
            let score = every_tone(plan, &[level], losses, BEGINS, &prompts, rng);
            rows.push(row(
                score,
                &format!(
                    "far end gone while we play, tone at {level} dBm0, echo {:.0}–{:.0} dB down",
                    losses[0],
                    losses[losses.len() - 1]
                ),
            ));
        }
    }
    for (n, (loss_db, echo)) in [
        (8.0, "echo 8 dB down"),
        (20.0, "echo 20 dB down"),
        (NO_ECHO, "no echo"),
    ]
    .into_iter()
    .enumerate()
    {
        let rng = plan.rng(99, n as u64);
        let score = every_tone(plan, &LEVELS, &[loss_db], BEGINS_EARLY, &prompts, rng);
        rows.push(row(
            score,
            &format!("far end gone 0.5–4 s after we begin to play, tone at −30…−9 dBm0, {echo}"),
        ));
    }
    rows.push(cut_short(plan, &prompts));
    rows.push(talk_off(plan, &prompts));
    rows
}

fn row(score: Score, what: &str) -> Row {
    score.row_of(
        what.to_owned(),
        "≤ 3 s dial, ≤ 4 s busy, or 2 cycles + 0.5 s",
    )
}

/// Every tone that ends a call, of every plan.
fn every_tone(
    plan: &Plan,
    levels: &[f32],
    losses: &[f32],
    begins: (f32, f32),
    prompts: &[Vec<u8>],
    mut rng: Rng,
) -> Score {
    let mut score = Score::default();
    for &level in levels {
        for tones in PLANS {
            for signal in tones.signals.iter().chain([&HOWLER]) {
                if signal.meaning == Meaning::Ringback {
                    continue;
                }
                for &loss_db in losses {
                    let case = Case {
                        signal,
                        tones,
                        level,
                        loss_db,
                        begins,
                    };
                    one_tone(plan, case, prompts, &mut score, &mut rng);
                }
            }
        }
    }
    score
}

#[derive(Clone, Copy, Debug)]
struct Case {
    signal: &'static Signal,
    tones: &'static TonePlan,
    level: f32,
    loss_db: f32,
    begins: (f32, f32),
}

/// Our prompt, perhaps a few words of the caller, and the tone from anywhere in its cadence on.
fn one_tone(plan: &Plan, case: Case, prompts: &[Vec<u8>], score: &mut Score, rng: &mut Rng) {
    let Case {
        signal,
        tones,
        level,
        loss_db,
        begins,
    } = case;
    let played = &prompts[rng.usize(..prompts.len())];
    let before = between(rng, begins.0, begins.1);
    let set = if rng.bool() {
        ToneSet::Country(tones)
    } else {
        ToneSet::Any
    };
    let mut line = vec![0.0; samples(before)];
    if rng.bool() {
        let mut words = speech(before.min(2.0), rng);
        level_to(&mut words, between(rng, -28.0, -14.0));
        let from = line.len().saturating_sub(words.len());
        add(&mut line[from..], &words, 1.0);
    }
    let error = between(rng, 0.985, 1.015);
    let late = rng.usize(..=signal.cycle_ms() as usize * 8);
    let tone = plan_signal(signal, TONE + 3.0, level, error, rng);
    let tone = &tone[late.min(samples(3.0))..];
    let pause = tone.iter().take_while(|x| **x == 0.0).count();
    line.extend(&tone[..samples(TONE)]);
    let back = echo_of(played, loss_db, rng);
    add(&mut line, &back, 1.0);
    let signal_to_noise = between(rng, 20.0, 30.0);
    add_noise(&mut line, dbm0_power(level - signal_to_noise).sqrt(), rng);
    let line = to_line(&line, between(rng, -10.0, 10.0));
    let start = (samples(before) + pause) as f32 / 8000.0;
    let end = end_of(&line, played, set, EndRules::default(), |_, _| ());
    let wait = end.map_or(TONE, |end| end.at.seconds() as f32 - start);
    if score.take(wait, limit(signal)) && plan.verbose {
        println!(
            "{wait} s: {:?} {:?} {:?}+{} {:?} any {} {level} dBm0 echo {loss_db} s/n {signal_to_noise:.0} start {start:.2}",
            tones.countries[0],
            signal.meaning,
            signal.hz,
            signal.modulation_hz,
            signal.cadence,
            set == ToneSet::Any
        );
    }
}

/// One prompt after the other is played all the while, and comes back. Says what was played, and how
/// much weaker the echo is.
fn beside_prompts(line: &mut [f32], prompts: &[Vec<u8>], rng: &mut Rng) -> (Vec<u8>, f32) {
    let mut played: Vec<u8> = Vec::new();
    while played.len() < line.len() {
        played.extend(&prompts[rng.usize(..prompts.len())]);
    }
    let loss_db = between(rng, 6.0, 20.0);
    add(line, &echo_of(&played, loss_db, rng), 1.0);
    (played, loss_db)
}

/// Keys heard where a caller speaks while we play.
fn talk_off(plan: &Plan, prompts: &[Vec<u8>]) -> Row {
    let calls = (plan.hours * 3600.0 / CALL_SECONDS) as u64;
    let mut keys = 0;
    for n in 0..calls {
        let mut rng = plan.rng(98, n);
        let mut line = speech(CALL_SECONDS, &mut rng);
        level_to(&mut line, between(&mut rng, -30.0, -12.0));
        let (played, loss_db) = beside_prompts(&mut line, prompts, &mut rng);
        add_noise(&mut line, dbfs_rms(-50.0), &mut rng);
        let line = to_line(&line, 0.0);
        let mut listener = Listener::new(ToneSet::Any);
        for (n, (line, played)) in line.chunks(BLOCK).zip(played.chunks(BLOCK)).enumerate() {
            listener.transmitted(Position((n * BLOCK) as u64), played);
            listener.listen(line, |observation| {
                if let Event::KeyDown { key } = observation.event {
                    keys += 1;
                    if plan.verbose {
                        println!("talk-off: {key} at {} {loss_db:.0} dB", observation.from.0);
                    }
                }
            });
        }
    }
    let hours = calls as f32 * CALL_SECONDS / 3600.0;
    Row::new(
        format!(
            "DTMF taken from {hours:.1} h of generated speech while we play, echo 6–20 dB down"
        ),
        "≤ 1 in 10 h",
        keys.to_string(),
        keys as f32 <= (plan.hours / 10.0).max(1.0),
    )
}

/// Calls of speech, music and menus while we play, with false codes.
fn cut_short(plan: &Plan, prompts: &[Vec<u8>]) -> Row {
    let calls = (plan.hours / 2.0 * 3600.0 / CALL_SECONDS) as u64;
    let mut cut = 0;
    for n in 0..calls {
        let mut rng = plan.rng(97, n);
        let mut line = sounds::call(CALL_SECONDS, &mut rng);
        let (played, loss_db) = beside_prompts(&mut line, prompts, &mut rng);
        let noise = between(&mut rng, -52.0, -38.0);
        add_noise(&mut line, dbfs_rms(noise), &mut rng);
        let line = to_line(&line, between(&mut rng, -12.0, 12.0));
        let set = if n % 2 == 0 {
            ToneSet::Any
        } else {
            ToneSet::Country(&PLANS[rng.usize(..PLANS.len())])
        };
        let rules = EndRules {
            end_silence: Some(Duration::from_secs(30)),
            hearing: Hearing::Audio,
        };
        let mut next_code = 0;
        let over = end_of(&line, &played, set, rules, |end, at| {
            if at.0 >= next_code {
                end.code(pick(&mut rng, &FALSE_CODES), at);
                next_code = at.0 + rng.u64(4000..40_000);
            }
        });
        cut += u32::from(over.is_some());
        if plan.verbose
            && let Some(over) = over
        {
            println!("call {n} cut short while we play: {over:?} {loss_db:.0} dB");
        }
    }
    Row::new(
        format!(
            "calls cut short in {:.1} h of the same while we play, echo 6–20 dB down",
            calls as f32 * CALL_SECONDS / 3600.0
        ),
        "0",
        format!("{cut} of {calls}"),
        cut == 0,
    )
}
