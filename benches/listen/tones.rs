//! The far end is gone and only the exchange's tones are left: how long until the call is ended?

use callblock::audio::listen::{
    CallEnd, EndOfCall, EndReason, EndRules, HOWLER, Listener, Meaning, PLANS, Position, Signal,
    SpecialInformation, TonePlan, ToneSet,
};
use fastrand::Rng;

use crate::corpus::{
    self, add, add_noise, between, dbfs_rms, dbm0_power, level_to, pick, plan_signal,
    sounds::hum,
    speech::{loud_frames, speech},
    to_line,
};
use crate::{Plan, Row};

/// Seconds of speech before the tone.
const BEFORE: f32 = 2.0;

/// Feeds line samples to listener and rules by blocks, as a call does.
pub(crate) fn end_of(line: &[u8], tones: ToneSet, rules: EndRules) -> Option<CallEnd> {
    let mut listener = Listener::new(tones);
    let mut end = EndOfCall::new(rules);
    for block in line.chunks(128) {
        listener.listen(block, |observation| {
            end.heard(&observation);
        });
        if let Some(over) = end.elapsed(listener.position()) {
            return Some(over);
        }
    }
    None
}

/// Speech and a pause before the tone.
type Talk = Vec<f32>;

/// Where speech was last louder than the noise, in seconds.
fn last_audible(talk: &Talk, noise: f32) -> f32 {
    let loud = loud_frames(talk, noise * noise + 1e-5);
    loud.iter()
        .rposition(|&l| l)
        .map_or(0.0, |n| n as f32 * 0.02)
}

#[derive(Default)]
pub(crate) struct Score {
    runs: u32,
    missed: u32,
    late: u32,
    early: u32,
    waits: Vec<f32>,
    /// `None` where nobody looked.
    wrong_last_sound: Option<u32>,
}

/// Seconds that a call may go on after the tone began.
pub(crate) fn limit(signal: &Signal) -> f32 {
    let least = if signal.meaning == Meaning::Dial {
        3.0
    } else {
        4.0
    };
    (2.0 * signal.cycle_ms() as f32 / 1000.0 + 0.5).max(least)
}

pub(crate) fn run(plan: &Plan) -> Vec<Row> {
    let mut rng = plan.rng(0, 0);
    let talk: Vec<Talk> = (0..40)
        .map(|n| {
            let mut rng = plan.rng(1, n);
            let mut talk = speech(BEFORE, &mut rng);
            level_to(&mut talk, between(&mut rng, -28.0, -14.0));
            talk.extend(vec![0.0; corpus::samples(between(&mut rng, 0.0, 0.8))]);
            talk
        })
        .collect();
    let mut rows = Vec::new();
    for country in [true, false] {
        for dial in [true, false] {
            let mut score = Score::default();
            for tones in PLANS {
                for signal in tones.signals.iter().chain([&HOWLER]) {
                    if signal.meaning != Meaning::Ringback
                        && (signal.meaning == Meaning::Dial) == dial
                    {
                        let set = if country {
                            ToneSet::Country(tones)
                        } else {
                            ToneSet::Any
                        };
                        judge(signal, tones, set, &talk, &mut score, plan, &mut rng);
                    }
                }
            }
            rows.push(score.row(country, dial));
        }
    }
    rows.push(beside_hum(plan, &talk));
    rows.push(ringback(plan, &mut rng));
    rows.push(special_information(plan, &mut rng));
    rows
}

fn judge(
    signal: &Signal,
    tones: &TonePlan,
    set: ToneSet,
    talk: &[Talk],
    score: &mut Score,
    plan: &Plan,
    rng: &mut Rng,
) {
    for level in [-9.0, -16.0, -23.0, -30.0] {
        for signal_to_noise in [30.0, 20.0, 10.0] {
            for error in [0.985, 1.0, 1.015] {
                let before = &talk[rng.usize(..talk.len())];
                let start = before.len() as f32 / corpus::RATE;
                let mut line = before.clone();
                line.extend(plan_signal(signal, 6.0, level, error, rng));
                let noise = dbm0_power(level - signal_to_noise).sqrt();
                add_noise(&mut line, noise, rng);
                let line = to_line(&line, between(rng, -10.0, 10.0));
                score.runs += 1;
                let wrong_last_sound = score.wrong_last_sound.get_or_insert(0);
                let Some(end) = end_of(&line, set, EndRules::default()) else {
                    score.missed += 1;
                    if plan.verbose {
                        println!(
                            "missed {:?} {signal:?} {level} {signal_to_noise} {error}",
                            tones.countries
                        );
                    }
                    continue;
                };
                let wait = end.at.seconds() as f32 - start;
                if wait < 0.5 {
                    score.early += 1;
                } else if wait > limit(signal) {
                    score.late += 1;
                    if plan.verbose {
                        println!(
                            "late {wait} {:?} {signal:?} {level} {signal_to_noise} {error}",
                            tones.countries
                        );
                    }
                }
                let kept = end.last_sound.map_or(0.0, Position::seconds) as f32;
                if kept > start + 0.06 || kept + 1.0 < last_audible(before, noise) {
                    *wrong_last_sound += 1;
                    if plan.verbose {
                        println!(
                            "last sound {kept} for {start} {:?} {signal:?} {level} {signal_to_noise}",
                            tones.countries
                        );
                    }
                }
                score.waits.push(wait);
            }
        }
    }
}

impl Score {
    /// Takes the seconds that a call went on; tells whether that was wrong.
    pub(crate) fn take(&mut self, wait: f32, limit: f32) -> bool {
        self.runs += 1;
        self.waits.push(wait);
        // A call that is not ended at all ends with the last tone, or later.
        self.missed += u32::from(wait > 8.0);
        self.early += u32::from(wait < 0.5);
        self.late += u32::from((limit..=8.0).contains(&wait));
        !(0.5..limit).contains(&wait)
    }

    pub(crate) fn row(self, country: bool, dial: bool) -> Row {
        let (tone, target) = if dial {
            ("dial tone", "≤ 3 s, or 2 cycles + 0.5 s")
        } else {
            ("busy, reorder, howler", "≤ 4 s, or 2 cycles + 0.5 s")
        };
        let set = if country {
            "its plan chosen"
        } else {
            "any plan"
        };
        let what = format!("{tone} → end of call, {} plans, {set}", PLANS.len());
        self.row_of(what, target)
    }

    /// The same in a row of this name.
    pub(crate) fn row_of(mut self, what: String, target: &str) -> Row {
        self.waits.sort_by(f32::total_cmp);
        let at = |part: f32| {
            let last = self.waits.len().saturating_sub(1);
            self.waits
                .get((part * last as f32) as usize)
                .copied()
                .unwrap_or(0.0)
        };
        let trimming = self
            .wrong_last_sound
            .map_or_else(String::new, |wrong| format!("; trimming wrong in {wrong}"));
        Row::new(
            what,
            target,
            format!(
                "{} of {} in time ({} never, {} early); median {:.2} s, worst {:.2} s{trimming}",
                self.runs - self.missed - self.late - self.early,
                self.runs,
                self.missed,
                self.early,
                at(0.5),
                at(1.0),
            ),
            self.missed + self.late + self.early == 0,
        )
    }
}

/// Every tone beside what the line itself sounds like, which is 12 dB fainter at least.
fn beside_hum(plan: &Plan, talk: &[Talk]) -> Row {
    let mut rng = plan.rng(2, 0);
    let mut score = Score::default();
    for tones in PLANS {
        for signal in tones.signals.iter().chain([&HOWLER]) {
            for level in [-9.0, -14.0, -19.0] {
                if signal.meaning == Meaning::Ringback {
                    continue;
                }
                let set = pick(&mut rng, &[ToneSet::Any, ToneSet::Country(tones)]);
                let before = &talk[rng.usize(..talk.len())];
                let mut line = vec![0.0; corpus::samples(1.0)];
                line.extend(before);
                let start = line.len() as f32 / corpus::RATE;
                let error = between(&mut rng, 0.985, 1.015);
                line.extend(plan_signal(signal, 9.0, level, error, &mut rng));
                let loud = between(&mut rng, -48.0, (level - 6.2 - 12.0).min(-30.0));
                let hum = hum(line.len() as f32 / corpus::RATE, loud, &mut rng);
                add(&mut line, &hum, 1.0);
                add_noise(&mut line, dbfs_rms(-52.0), &mut rng);
                let end = end_of(&to_line(&line, 0.0), set, EndRules::default());
                let wait = end.map_or(9.0, |end| end.at.seconds() as f32 - start);
                if score.take(wait, limit(signal)) && plan.verbose {
                    let countries = tones.countries;
                    println!("beside hum {wait} {countries:?} {signal:?} {level} hum {loud}");
                }
            }
        }
    }
    score.row_of(
        format!(
            "tones of {} plans beside hum and whines of −48…−30 dBFS, 12 dB fainter at least → end of call",
            PLANS.len()
        ),
        "≤ 3 s dial, ≤ 4 s busy, or 2 cycles + 0.5 s",
    )
}

/// Ringback is not the end of a call.
fn ringback(plan: &Plan, rng: &mut Rng) -> Row {
    let (mut runs, mut ended) = (0, 0);
    for tones in PLANS {
        for signal in tones
            .signals
            .iter()
            .filter(|s| s.meaning == Meaning::Ringback)
        {
            for set in [ToneSet::Any, ToneSet::Country(tones)] {
                for level in [-9.0, -20.0, -30.0] {
                    let mut line = plan_signal(signal, 30.0, level, 1.0, rng);
                    add_noise(&mut line, dbm0_power(level - 15.0).sqrt(), rng);
                    runs += 1;
                    let end = end_of(&to_line(&line, 0.0), set, EndRules::default());
                    ended += u32::from(end.is_some());
                    if plan.verbose && end.is_some() {
                        println!("ringback of {:?} ended {end:?}", tones.countries);
                    }
                }
            }
        }
    }
    Row::new(
        "30 s of ringback taken for the end of a call",
        "0",
        format!("{ended} of {runs}"),
        ended == 0,
    )
}

fn special_information(plan: &Plan, rng: &mut Rng) -> Row {
    let (mut runs, mut right) = (0, 0);
    for kind in [
        SpecialInformation::International,
        SpecialInformation::VacantCode,
        SpecialInformation::Intercept,
    ] {
        for signal_to_noise in [30.0, 20.0, 10.0] {
            for gain in [1.0, 0.4, 0.15] {
                let mut talk = speech(3.0, rng);
                level_to(&mut talk, -22.0);
                let mut line: Vec<f32> = kind
                    .samples()
                    .iter()
                    .map(|&s| gain * (f32::from(s) - 128.0) / 128.0)
                    .collect();
                let noise = corpus::mean_square(&line).sqrt() * corpus::dbfs_rms(-signal_to_noise);
                line.extend(talk);
                add_noise(&mut line, noise, rng);
                runs += 1;
                let end = end_of(&to_line(&line, 0.0), ToneSet::Any, EndRules::default());
                let heard = end.is_some_and(|e| e.reason == EndReason::SpecialInformation);
                right += u32::from(heard);
                if plan.verbose && !heard {
                    println!("SIT missed {kind:?} {signal_to_noise} {gain}");
                }
            }
        }
    }
    Row::new(
        "special information tones heard",
        "all",
        format!("{right} of {runs}"),
        right == runs,
    )
}
