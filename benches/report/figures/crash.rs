//! What a crash costs: the daemon is killed in the middle of recordings.

use super::{highest, median};
use crate::Row;
use crate::daemon::{RunningDaemon, folder_on_disk};
use crate::house::read_wav;
use callblock::emulator::{Call, Chip, Ending, Happening, Scenario, Sound};
use std::time::{Duration, Instant};

const CRASHES: u64 = 12;

pub(crate) fn measure() -> Vec<Row> {
    let lost: Vec<f64> = std::thread::scope(|scope| {
        let crashes: Vec<_> = (0..CRASHES)
            .map(|crash| scope.spawn(move || seconds_lost(crash)))
            .collect();
        let lost = crashes.into_iter().map(std::thread::ScopedJoinHandle::join);
        lost.map(|seconds| seconds.expect("measured")).collect()
    });
    vec![Row {
        what: "`kill -9` in the middle of a recording: lost",
        measured: format!(
            "worst {:.2} s, median {:.2} s",
            highest(&lost),
            median(lost.clone())
        ),
        how: format!(
            "{CRASHES} recordings killed after 3 to 6 s; line time since `CONNECT` less what the \
             WAV, as it lies there, plays"
        ),
    }]
}

fn seconds_lost(seed: u64) -> f64 {
    let scenario = Scenario::default().chip(Chip::Cx93001V2013);
    let mut daemon = RunningDaemon::start(folder_on_disk(), scenario, ["-r", "60"]);
    daemon.call(
        Call::from("2125550147")
            .says(Sound::Speech(Duration::from_mins(1)))
            .ends(Ending::Stays),
    );
    let began = daemon.wait_for(|what| matches!(what, Happening::VoiceBegins(_)));
    let after = Duration::from_millis(fastrand::Rng::with_seed(seed).u64(3000..6000));
    std::thread::sleep((began + after).saturating_duration_since(Instant::now()));
    let killed = daemon.kill();
    let played = read_wav(&daemon.recording()).len();
    (killed - began).as_secs_f64() - played as f64 / 8000.0
}
