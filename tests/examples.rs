//! The shipped examples, run on the emulated modem on paused time.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a test program that includes whole example programs"
)]

#[path = "../examples/custom_blocker.rs"]
mod custom_blocker;
#[path = "../examples/place_call.rs"]
mod place_call;

use callblock::clock::{Timestamp, TokioClock};
use callblock::emulator::{Happening, LinkOptions, MemoryModem, Scenario};
use std::path::Path;
use std::time::Duration;

fn modem(scenario: &str) -> MemoryModem {
    MemoryModem::new(Scenario::parse(scenario).unwrap(), LinkOptions::default())
}

#[tokio::test(start_paused = true)]
async fn custom_blocker_plays_its_file_when_a_key_is_pressed() {
    let dir = tempfile::tempdir().unwrap();
    let modem = modem(custom_blocker::SCENARIO);
    let file = Path::new("play/hold-on.wav");
    let stop = tokio::time::sleep(Duration::from_secs(40));
    custom_blocker::block_calls(Box::new(modem.jack()), dir.path(), file, stop)
        .await
        .unwrap();
    let heard: usize = modem
        .journal()
        .heard()
        .iter()
        .flat_map(|span| &span.samples)
        .filter(|&&sample| sample != 0x80)
        .count();
    assert!(heard > 20_000, "{heard}");
    assert_eq!(modem.journal().count(|h| *h == Happening::OffHook), 1);
}

#[tokio::test(start_paused = true)]
async fn place_call_records_the_other_end() {
    let dir = tempfile::tempdir().unwrap();
    let modem = modem(place_call::SCENARIO);
    let clock = TokioClock::starting_at(Timestamp::from_nanos(0));
    let jack = Box::new(modem.jack());
    let summary = place_call::record_call(jack, "2125550100", dir.path(), &clock)
        .await
        .unwrap();
    assert!(summary.error.is_none() && summary.lost == 0);
    assert!(
        (5 * 8000..7 * 8000).contains(&summary.samples),
        "{}",
        summary.samples
    );
    let journal = modem.journal();
    assert!(journal.commands().contains(&"ATDT2125550100".to_owned()));
    assert!(journal.last(|h| *h == Happening::OnHook) > journal.last(|h| *h == Happening::OffHook));
}

/// The modem says nothing when the other end hangs up; the tones are heard.
#[tokio::test(start_paused = true)]
async fn a_placed_call_ends_when_only_tones_are_left() {
    let dir = tempfile::tempdir().unwrap();
    let modem = modem(&place_call::SCENARIO.replace("busy", "tones-only"));
    let clock = TokioClock::starting_at(Timestamp::from_nanos(0));
    let jack = Box::new(modem.jack());
    let summary = place_call::record_call(jack, "2125550100", dir.path(), &clock)
        .await
        .unwrap();
    let samples = summary.samples;
    assert!((5 * 8000..7 * 8000).contains(&samples), "{samples}");
}
