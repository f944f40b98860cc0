//! Hours of speech, music, menus, crying and fans, with false codes: is a call ever cut short, and is a
//! key ever heard that nobody pressed?

use std::time::Duration;

use callblock::audio::listen::{
    EndOfCall, EndRules, Event, Hearing, Listener, Position, TonePlan, ToneSet,
};
use callblock::modem::line_code::LineCode;
use fastrand::Rng;

use crate::corpus::{
    add_noise, between, dbfs_rms, level_to, pick,
    song::song,
    sounds::{call, music, wailing},
    speech::speech,
    to_line,
};
use crate::{Plan, Row, espeak};

const CALL_SECONDS: f32 = 120.0;

/// The codes a modem makes of speech.
pub(crate) const FALSE_CODES: [LineCode; 8] = [
    LineCode::Busy,
    LineCode::Busy,
    LineCode::DialTone,
    LineCode::Reorder,
    LineCode::Ringback,
    LineCode::SpecialInformation,
    LineCode::Quiet,
    LineCode::LoopBreak,
];

pub(crate) fn run(plan: &Plan) -> Vec<Row> {
    let calls = (plan.hours * 3600.0 / CALL_SECONDS) as u64;
    let mut rows = Vec::new();
    let (mut cut_any, mut cut_country) = (0, 0);
    for n in 0..calls {
        let mut rng = plan.rng(2, n);
        let mut line = call(CALL_SECONDS, &mut rng);
        let noise = between(&mut rng, -52.0, -38.0);
        add_noise(&mut line, dbfs_rms(noise), &mut rng);
        let line = to_line(&line, between(&mut rng, -12.0, 12.0));
        cut_any += u32::from(cut_short(&line, ToneSet::Any, plan, n, &mut rng));
        if n % 4 == 0 {
            let country = pick(&mut rng, &["US", "DE", "GB", "FR", "IT", "ES", "SE", "AU"]);
            let set = TonePlan::for_country(country).map_or(ToneSet::Any, ToneSet::Country);
            cut_country += u32::from(cut_short(&line, set, plan, n, &mut rng));
        }
    }
    let hours = calls as f32 * CALL_SECONDS / 3600.0;
    rows.push(Row::new(
        format!("calls cut short in {hours:.1} h of speech, music, menus, crying, fans, false codes; any plan"),
        "0",
        format!("{cut_any} of {calls}"),
        cut_any == 0,
    ));
    rows.push(Row::new(
        format!("the same, {:.1} h with a plan chosen", hours / 4.0),
        "0",
        format!("{cut_country} of {}", calls.div_ceil(4)),
        cut_country == 0,
    ));
    rows
}

fn cut_short(line: &[u8], set: ToneSet, plan: &Plan, seed: u64, rng: &mut Rng) -> bool {
    let mut listener = Listener::new(set);
    let mut end = EndOfCall::new(EndRules {
        end_silence: Some(Duration::from_secs(30)),
        hearing: Hearing::Audio,
    });
    let mut next_code = 0;
    for block in line.chunks(128) {
        listener.listen(block, |observation| {
            end.heard(&observation);
        });
        let at = listener.position();
        if at.0 >= next_code {
            end.code(pick(rng, &FALSE_CODES), at);
            next_code = at.0 + rng.u64(4000..40_000);
        }
        if let Some(over) = end.elapsed(at) {
            if plan.verbose {
                println!(
                    "call {seed} cut short: {over:?} at {:.2}",
                    over.at.seconds()
                );
            }
            return true;
        }
    }
    false
}

/// Keys heard in speech.
pub(crate) fn talk_off(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    rows.push(keys_in_voice(plan, 20, "generated speech", speech));
    rows.push(keys_in_voice(plan, 22, "held and sung vowels", song));
    rows.push(keys_in_sounds(plan));
    if plan.voices {
        let mut seconds = 0.0;
        let (mut keys, mut ended, mut calls) = (0, 0, 0);
        espeak::speak(plan, |mut talk| {
            let mut rng = plan.rng(40, calls);
            level_to(&mut talk, between(&mut rng, -30.0, -12.0));
            add_noise(&mut talk, dbfs_rms(-50.0), &mut rng);
            let line = to_line(&talk, 0.0);
            seconds += line.len() as f32 / 8000.0;
            keys += keys_in(&line, plan, calls);
            ended += u32::from(cut_short(&line, ToneSet::Any, plan, calls, &mut rng));
            calls += 1;
        });
        let hours = seconds / 3600.0;
        rows.push(Row::new(
            format!("DTMF taken from {hours:.1} h of espeak-ng speech"),
            "≤ 1 in 10 h",
            keys.to_string(),
            keys as f32 <= (hours / 10.0).max(1.0),
        ));
        rows.push(Row::new(
            format!("calls cut short in {hours:.1} h of espeak-ng speech, false codes"),
            "0",
            format!("{ended} of {calls}"),
            ended == 0,
        ));
    }
    rows
}

fn keys_in_voice(plan: &Plan, part: u64, what: &str, make: fn(f32, &mut Rng) -> Vec<f32>) -> Row {
    let calls = (plan.hours * 3600.0 / CALL_SECONDS) as u64;
    let mut keys = 0;
    for n in 0..calls {
        let mut rng = plan.rng(part, n);
        let mut voice = make(CALL_SECONDS, &mut rng);
        level_to(&mut voice, between(&mut rng, -30.0, -12.0));
        add_noise(&mut voice, dbfs_rms(-50.0), &mut rng);
        keys += keys_in(&to_line(&voice, 0.0), plan, n);
    }
    let hours = calls as f32 * CALL_SECONDS / 3600.0;
    Row::new(
        format!("DTMF taken from {hours:.1} h of {what}"),
        "≤ 1 in 10 h",
        keys.to_string(),
        keys as f32 <= (plan.hours / 10.0).max(1.0),
    )
}

/// Keys heard in what passes through their pitches, or stays on them: clear wails, notes.
fn keys_in_sounds(plan: &Plan) -> Row {
    let calls = (plan.hours / 2.0 * 3600.0 / CALL_SECONDS) as u64;
    let mut keys = [0; 2];
    for n in 0..2 * calls {
        let mut rng = plan.rng(21, n);
        let kind = (n % 2) as usize;
        let make = [wailing, music][kind];
        let mut sound = make(CALL_SECONDS, &mut rng);
        level_to(&mut sound, between(&mut rng, -30.0, -10.0));
        add_noise(
            &mut sound,
            dbfs_rms(between(&mut rng, -55.0, -36.0)),
            &mut rng,
        );
        keys[kind] += keys_in(&to_line(&sound, 0.0), plan, n);
    }
    let hours = calls as f32 * CALL_SECONDS / 3600.0;
    Row::new(
        format!("DTMF taken from {hours:.1} h of swept crying, {hours:.1} h of music"),
        "–",
        format!("{}, {}", keys[0], keys[1]),
        true,
    )
}

fn keys_in(line: &[u8], plan: &Plan, seed: u64) -> u32 {
    let mut keys = 0;
    Listener::new(ToneSet::Any).listen(line, |observation| {
        if let Event::KeyDown { key } = observation.event {
            keys += 1;
            if plan.verbose {
                let Position(at) = observation.from;
                println!("talk-off in {seed}: {key} at {at}");
            }
        }
    });
    keys
}
