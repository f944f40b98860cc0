//! A clock that is set while calls come: a Raspberry Pi has no battery for it.

use crate::house::{House, ROBOCALLER, START};
use callblock::blocker::BlockAction;
use callblock::clock::{Timestamp, WallClock};
use callblock::emulator::{Call, Ending, Scenario, Sound};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const YEAR: i64 = 365 * 86_400_000_000_000;

#[tokio::test(start_paused = true)]
async fn durations_and_order_survive_a_clock_that_jumps() {
    let call = |at| {
        Call::from(ROBOCALLER)
            .at(Duration::from_secs(at))
            .says(Sound::Speech(Duration::from_secs(30)))
            .ends(Ending::Stays)
    };
    let scenario = [20, 80, 140, 200]
        .into_iter()
        .fold(Scenario::default(), |scenario, at| scenario.call(call(at)));
    let house = House::new(scenario)
        .watched(260)
        .action(BlockAction::Record {
            limit: Duration::from_secs(10),
        });
    let clock = Arc::clone(&house.clock);
    tokio::spawn(async move {
        let jump = |years: i64| {
            clock.set(Timestamp::from_nanos(clock.now().as_nanos() + years * YEAR));
        };
        sleep(Duration::from_secs(50)).await;
        jump(-10);
        // In the middle of the second call, and back where it was before the third.
        sleep(Duration::from_secs(36)).await;
        jump(20);
        sleep(Duration::from_secs(34)).await;
        clock.set(Timestamp::from_nanos(0));
        sleep(Duration::from_secs(70)).await;
        // The fourth begins at the same second as the first.
        clock.set(START);
    });
    let evening = house.live().await;
    let story = format!("{:#?}", evening.rows);
    assert_eq!(evening.rows.len(), 4, "{story}");
    let starts: Vec<_> = evening.rows.iter().map(|row| row.started).collect();
    assert!(
        starts[1] < starts[0] && starts[2] < starts[1] && starts[3] > starts[2],
        "{story}"
    );
    for row in &evening.rows {
        let lasted = row.ended.unwrap().as_nanos() - row.started.as_nanos();
        let lasted = Duration::from_nanos(u64::try_from(lasted).unwrap());
        assert!((10..25).contains(&lasted.as_secs()), "{lasted:?} {story}");
        let recording = row.recording.as_ref().unwrap();
        assert!(evening.dir.path().join(recording).exists(), "{story}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_that_comes_twice_overwrites_nothing() {
    let call = |at| {
        Call::from(ROBOCALLER)
            .at(Duration::from_secs(at))
            .ends(Ending::Stays)
    };
    let scenario = Scenario::default().call(call(20)).call(call(80));
    let house = House::new(scenario)
        .watched(140)
        .action(BlockAction::Record {
            limit: Duration::from_secs(5),
        });
    let clock = Arc::clone(&house.clock);
    tokio::spawn(async move {
        sleep(Duration::from_mins(1)).await;
        clock.set(START);
    });
    let evening = house.live().await;
    let names: Vec<_> = evening
        .rows
        .iter()
        .filter_map(|row| row.recording.as_deref())
        .collect();
    assert_eq!(names.len(), 2);
    let first = names[0].strip_suffix(".wav").unwrap();
    assert_eq!(names[1], format!("{first} (2).wav"));
}
