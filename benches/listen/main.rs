//! How well the listener hears, as a table: `cargo bench --bench listen [-- OPTIONS]`.
//!
//! Every sound is generated from fixed seeds; the tuning seeds (1–1000) with `--tune`, else the judging
//! seeds (above 10 000), or those from `--first-seed N` on. `--hours H` sets the length of the long runs
//! (default 10), `--only PART` runs one part (tones, playing, calls, talk, keys, silence, daemon, cost),
//! `--voices` adds speech from espeak-ng if it is installed.

#[path = "../../tests/listen_corpus/mod.rs"]
mod corpus;

mod calls;
mod cost;
mod daemon;
mod espeak;
#[path = "../../tests/calls/house.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    reason = "shared with the tests, which use all of it"
)]
mod house;
mod keys;
mod playing;
mod silence;
mod tones;

/// What to run, and on which seeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) first_seed: u64,
    pub(crate) hours: f32,
    pub(crate) voices: bool,
    pub(crate) verbose: bool,
}

impl Plan {
    /// The `n`th source of randomness of a part: seeds 1–1000 when tuning, above 10 000 when judging.
    pub(crate) fn rng(&self, part: u64, n: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(part << 32 | (self.first_seed + n))
    }
}

/// A line of the table.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) target: String,
    pub(crate) measured: String,
    pub(crate) reached: bool,
}

impl Row {
    pub(crate) fn new(
        what: impl Into<String>,
        target: &str,
        measured: String,
        reached: bool,
    ) -> Self {
        Self {
            what: what.into(),
            target: target.to_owned(),
            measured,
            reached,
        }
    }
}

type Part = (&'static str, fn(&Plan) -> Vec<Row>);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|a| a == flag);
    let value = |flag: &str| {
        let at = arguments.iter().position(|a| a == flag)?;
        arguments.get(at + 1)
    };
    let plan = Plan {
        first_seed: value("--first-seed")
            .and_then(|seed| seed.parse().ok())
            .unwrap_or(if has("--tune") { 1 } else { 10_001 }),
        hours: value("--hours")
            .and_then(|h| h.parse().ok())
            .unwrap_or(10.0),
        voices: has("--voices"),
        verbose: has("--verbose"),
    };
    let parts: [Part; 8] = [
        ("tones", tones::run),
        ("playing", playing::run),
        ("calls", calls::run),
        ("talk", calls::talk_off),
        ("keys", keys::run),
        ("silence", silence::run),
        ("daemon", daemon::run),
        ("cost", cost::run),
    ];
    println!("| what | target | measured | |\n|---|---|---|---|");
    for (name, run) in parts {
        if value("--only").is_some_and(|only| only != name) {
            continue;
        }
        for row in run(&plan) {
            let verdict = match (row.target.as_str(), row.reached) {
                ("–", _) => "",
                (_, true) => "reached",
                (_, false) => "MISSED",
            };
            println!(
                "| {} | {} | {} | {verdict} |",
                row.what, row.target, row.measured
            );
        }
    }
}
