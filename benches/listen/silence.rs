//! Silence and voice: is each block of 20 ms right, give or take 200 ms?

use callblock::audio::listen::{Activity, Event, Listener, Position, ToneSet};

use crate::corpus::{
    self, add_noise, between, dbfs_rms, echo, level_to, sounds::hum, speech::loud_frames,
    speech::speech, to_line,
};
use crate::{Plan, Row};
use fastrand::Rng;

const SECONDS: f32 = 60.0;
/// Blocks in 200 ms.
const TOLERANCE: usize = 10;

/// Whether a consumer took each block, when it had just been heard, for silence; in blocks of 20 ms.
fn silence_known(line: &[u8], played: Option<&[u8]>) -> Vec<bool> {
    let mut listener = Listener::new(ToneSet::Any);
    let mut silence = true;
    let mut out = Vec::new();
    for (n, block) in line.chunks(160).enumerate() {
        if let Some(played) = played {
            let until = (n * 160 + block.len()).min(played.len());
            listener.transmitted(Position(n as u64 * 160), &played[n * 160..until]);
        }
        listener.listen(block, |observation| {
            if let Event::Activity { now, .. } = observation.event {
                silence = now == Activity::Silence;
            }
        });
        out.push(silence);
    }
    out
}

/// What is heard where nobody speaks.
#[derive(Clone, Copy)]
enum FloorIs {
    White,
    WhiteAndHum,
    Tonal,
}

impl FloorIs {
    fn add_to(self, line: &mut [f32], dbfs: f32, rng: &mut Rng) {
        match self {
            Self::White => add_noise(line, dbfs_rms(dbfs), rng),
            Self::WhiteAndHum => {
                add_noise(line, dbfs_rms(dbfs), rng);
                let hz = corpus::pick(rng, &[50.0, 60.0]);
                let loud = dbfs_rms(between(rng, -40.0, -26.0));
                for (n, value) in line.iter_mut().enumerate() {
                    let at = std::f32::consts::TAU * hz * n as f32 / corpus::RATE;
                    *value += loud * (at.sin() + 0.4 * (2.0 * at).sin() + 0.3 * (3.0 * at).sin());
                }
            }
            Self::Tonal => {
                corpus::add(line, &hum(SECONDS, dbfs, rng), 1.0);
                add_noise(line, dbfs_rms(-52.0), rng);
            }
        }
    }
}

fn right(loud: &[bool], silence: &[bool]) -> usize {
    silence
        .iter()
        .enumerate()
        .filter(|&(n, silence)| {
            let from = n.saturating_sub(TOLERANCE);
            let until = (n + TOLERANCE + 1).min(loud.len());
            loud[from..until].contains(&!silence)
        })
        .count()
}

pub(crate) fn run(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, floor_is) in [
        ("white noise", FloorIs::White),
        ("noise and mains hum", FloorIs::WhiteAndHum),
        ("mains hum with overtones, or a whine", FloorIs::Tonal),
    ] {
        let (mut good, mut all, mut worst) = (0, 0, 1.0_f32);
        for n in 0..80 {
            let mut rng = plan.rng(100, n);
            let floor = between(&mut rng, -48.0, -30.0);
            let above = between(&mut rng, 10.0, 25.0).min(-10.0 - floor);
            let mut line = speech(SECONDS, &mut rng);
            level_to(&mut line, floor + above);
            let truth = loud_frames(&line, dbfs_rms(floor).powi(2));
            floor_is.add_to(&mut line, floor, &mut rng);
            let line = to_line(&line, between(&mut rng, -40.0, 40.0));
            let heard = silence_known(&line, None);
            let share = right(&truth, &heard) as f32 / heard.len() as f32;
            if plan.verbose && share < 0.99 {
                println!("silence: seed {n} floor {floor:.1} speech +{above:.1}: {share:.4}");
            }
            worst = worst.min(share);
            good += right(&truth, &heard);
            all += heard.len();
        }
        let share = 100.0 * good as f32 / all as f32;
        rows.push(Row::new(
            format!("silence right within 200 ms, {what} −48…−30 dBFS, speech 10–25 dB above, any offset"),
            "≥ 99 %",
            format!("{share:.2} % of {all} blocks; worst call {:.2} %", 100.0 * worst),
            share >= 99.0,
        ));
    }
    rows.push(own_echo(plan));
    rows
}

/// Our prompt's echo, and nobody speaks.
fn own_echo(plan: &Plan) -> Row {
    let (mut taken, mut all) = (0, 0);
    for n in 0..60 {
        let mut rng = plan.rng(110, n);
        let mut prompt = speech(30.0, &mut rng);
        level_to(&mut prompt, -18.0);
        let played = to_line(&prompt, 0.0);
        let (delay, loss) = (rng.usize(40..2400), between(&mut rng, 6.0, 20.0));
        let mut line = echo(&played, delay, loss, &mut rng);
        add_noise(&mut line, dbfs_rms(-48.0), &mut rng);
        let heard = silence_known(&to_line(&line, 0.0), Some(&played));
        if plan.verbose {
            let e = heard[..150].iter().filter(|&&silence| !silence).count();
            let l = heard[150..].iter().filter(|&&silence| !silence).count();
            println!("own echo seed {n} loss {loss:.0} delay {delay}: early {e} late {l}");
        }
        taken += heard.iter().filter(|&&silence| !silence).count();
        all += heard.len();
    }
    let share = 100.0 * taken as f32 / all as f32;
    Row::new(
        "our own echo (6–20 dB down) taken for the caller's voice",
        "–",
        format!("{share:.2} % of {all} blocks"),
        true,
    )
}
