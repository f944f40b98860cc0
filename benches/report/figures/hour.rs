//! How much time an hour takes when nobody has to wait for it.

use super::{highest, lowest, median};
use crate::Row;
use crate::daemon::folder_on_disk;
use crate::house::{House, ROBOCALLER, read_wav, treacherous_audio};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Ending, Scenario, Sound};
use std::time::{Duration, Instant};

const RUNS: usize = 5;
const CALLS: u64 = 40;

pub(crate) fn measure() -> Vec<Row> {
    let seconds: Vec<f64> = (0..RUNS).map(|_| an_hour()).collect();
    vec![Row {
        what: "an emulated hour with 40 calls of 20 s in duplex",
        measured: format!(
            "median {:.2} s ({:.2}–{:.2} s)",
            median(seconds.clone()),
            lowest(&seconds),
            highest(&seconds)
        ),
        how: format!(
            "{RUNS} runs on paused time over the in-memory link, all in one thread but the disk; \
             call log and recordings on the disk, each compared with what was said"
        ),
    }]
}

/// Seconds taken.
fn an_hour() -> f64 {
    let mut scenario = Scenario::default();
    for number in 0..CALLS {
        scenario = scenario.call(
            Call::from(ROBOCALLER)
                .at(Duration::from_secs(10 + 90 * number))
                .says(Sound::Speech(Duration::from_secs(8)))
                .says(Sound::Silence(Duration::from_secs(6)))
                .says(Sound::Speech(Duration::from_secs(6)))
                .ends(Ending::Stays),
        );
    }
    let mut house = House::new(scenario).watched(3600);
    house.dir = folder_on_disk();
    let file = house.wav("greeting.wav", &treacherous_audio(4));
    house.wav("play/one.wav", &treacherous_audio(2));
    house.wav("play/two.wav", &treacherous_audio(3));
    let house = house.action(BlockAction::Duplex {
        file: Some(file),
        limit: Duration::from_secs(20),
        silence: Some(Duration::from_secs(2)),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let began = Instant::now();
    let mut evening = runtime.block_on(house.live());
    let took = began.elapsed();

    evening.rows.sort_by_key(|row| row.started);
    let mut recorded = Vec::new();
    for row in &evening.rows {
        assert_eq!(row.outcome.as_deref(), Some("time-limit"), "{row:?}");
        assert_eq!(row.trouble, None, "{row:?}");
        let recording = row.recording.as_ref().expect("a recording");
        recorded.extend(read_wav(&evening.dir.path().join(recording)));
    }
    assert_eq!(evening.rows.len() as u64, CALLS);
    assert!(
        recorded == evening.said(),
        "a recording is not what was said"
    );
    took.as_secs_f64()
}
