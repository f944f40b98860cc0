//! What the listener costs: times real time on one core, and memory taken while it listens.

use std::time::Instant;

use callblock::audio::listen::{EndOfCall, EndRules, Listener, Position, ToneSet};

use crate::corpus::{add_noise, dbfs_rms, echo, level_to, sounds::call, speech::speech, to_line};
use crate::{Plan, Row};

const SECONDS: f32 = 120.0;

pub(crate) fn run(plan: &Plan) -> Vec<Row> {
    let mut rng = plan.rng(120, 0);
    let mut line = call(SECONDS, &mut rng);
    add_noise(&mut line, dbfs_rms(-46.0), &mut rng);
    let without_echo = to_line(&line, 0.0);
    let mut prompt = speech(SECONDS, &mut rng);
    level_to(&mut prompt, -18.0);
    let played = to_line(&prompt, 0.0);
    let back = echo(&played, 900, 10.0, &mut rng);
    for (value, echo) in line.iter_mut().zip(&back) {
        *value += echo;
    }
    let with_echo = to_line(&line, 0.0);
    vec![
        row(
            "cost of the listener, one line",
            "≥ 1000 × real time",
            1000.0,
            || times(&without_echo, None),
        ),
        row(
            "the same while we play (echo canceller at work)",
            "–",
            0.0,
            || times(&with_echo, Some(&played)),
        ),
    ]
}

fn row(what: &str, target: &str, least: f64, run: impl Fn() -> f64) -> Row {
    // The best of several: other programs only ever make it slower.
    let best = (0..7).map(|_| run()).fold(0.0, f64::max);
    Row::new(
        what,
        target,
        format!("{best:.0} × real time"),
        best >= least,
    )
}

fn times(line: &[u8], played: Option<&[u8]>) -> f64 {
    let mut listener = Listener::new(ToneSet::Any);
    let mut end = EndOfCall::new(EndRules::default());
    let begin = Instant::now();
    for (n, block) in line.chunks(128).enumerate() {
        if let Some(played) = played {
            listener.transmitted(
                Position(n as u64 * 128),
                &played[n * 128..n * 128 + block.len()],
            );
        }
        listener.listen(block, |observation| {
            end.heard(&observation);
        });
        end.elapsed(listener.position());
    }
    f64::from(SECONDS) / begin.elapsed().as_secs_f64()
}
