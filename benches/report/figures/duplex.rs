//! What a conversation costs.

use super::{highest, lowest, median};
use crate::Row;
use crate::daemon::{RunningDaemon, folder_on_disk};
use crate::process::Usage;
use callblock::emulator::{Call, Chip, Ending, Happening, Scenario, Sound};
use std::path::Path;
use std::time::Duration;

const CALLS: usize = 5;
const WATCHED: Duration = Duration::from_secs(20);
/// A caller whose ID comes within 8 s of the call before is told from it only by that.
const BETWEEN_CALLS: Duration = Duration::from_secs(3);

pub(crate) fn measure() -> Vec<Row> {
    let folder = folder_on_disk();
    let play = folder.path().join("data/play");
    std::fs::create_dir_all(&play).expect("the play folder");
    let prompts = Path::new(env!("CARGO_MANIFEST_DIR")).join("play");
    for prompt in ["hello.wav", "go-on.wav", "say-again.wav"] {
        std::fs::copy(prompts.join(prompt), play.join(prompt)).expect("copied");
    }
    let scenario = Scenario::default().chip(Chip::Cx93001V2013);
    let daemon = RunningDaemon::start(folder, scenario, ["-d", "24", "-s", "2"]);
    let usages: Vec<Usage> = (0..CALLS).map(|call| converse(&daemon, call)).collect();
    let percents: Vec<f64> = usages.iter().map(Usage::percent).collect();
    let by_ticks: Vec<f64> = usages.iter().map(Usage::percent_by_ticks).collect();
    let resident = usages.iter().map(|usage| usage.resident_kb).max();
    let waits = usages
        .iter()
        .map(|usage| usage.waits as f64 / usage.lasted.as_secs_f64())
        .collect();
    let seconds = WATCHED.as_secs();
    vec![
        Row {
            what: "resident memory, in duplex",
            measured: format!("{:.1} MB", resident.unwrap_or(0) as f64 / 1024.0),
            how: format!("`VmRSS` at its highest in {CALLS} calls (`-d -s 2`, play folder)"),
        },
        Row {
            what: "CPU of one core, in duplex",
            measured: format!(
                "median {:.2} % ({:.2}–{:.2} %)",
                median(percents.clone()),
                lowest(&percents),
                highest(&percents)
            ),
            how: format!(
                "scheduler's run time of all threads over {seconds} s, in {CALLS} calls; by ticks \
                 {:.2} %; woken {:.0} times a second",
                median(by_ticks),
                median(waits)
            ),
        },
    ]
}

fn converse(daemon: &RunningDaemon, number: usize) -> Usage {
    std::thread::sleep(BETWEEN_CALLS);
    daemon.call(
        Call::from(format!("21255502{number:02}").as_str())
            .says(Sound::Speech(Duration::from_secs(8)))
            .says(Sound::Silence(Duration::from_secs(10)))
            .says(Sound::Speech(Duration::from_mins(1)))
            .ends(Ending::Stays),
    );
    daemon.wait_for(|what| matches!(what, Happening::VoiceBegins(_)));
    std::thread::sleep(Duration::from_secs(1));
    let usage = Usage::of(daemon.pid(), WATCHED);
    daemon.wait_for(|what| *what == Happening::CallEnded);
    daemon.settle();
    usage
}
