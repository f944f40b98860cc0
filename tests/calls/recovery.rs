//! A modem that stops answering, and how it is brought back.

use crate::house::{Evening, House, ROBOCALLER};
use callblock::emulator::{
    Call, Chip, Cure, Ending, Fault, FaultKind, Happening, Scenario, Trigger, Unplug,
};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

/// The modem stops soon after it was set up; a robocaller comes much later.
fn house(faults: &[Fault], call_at: Duration) -> House {
    let call = Call::from(ROBOCALLER).named("A robocaller").at(call_at);
    let mut scenario = Scenario::default().call(call);
    for fault in faults {
        scenario = scenario.fault(fault.clone());
    }
    House::new(scenario).watched((call_at + MINUTE).as_secs())
}

fn assert_blocked(evening: &Evening, what: &str) {
    let story = format!("{what}\n{}", evening.story());
    let row = evening
        .rows
        .last()
        .unwrap_or_else(|| panic!("no row: {story}"));
    assert_eq!(row.verdict, "block", "{story}");
    assert_eq!(row.outcome.as_deref(), Some("finished"), "{story}");
    assert!(evening.ends_on_hook(), "{story}");
}

#[tokio::test(start_paused = true)]
async fn each_step_of_the_ladder_cures_what_the_one_before_did_not() {
    for cure in [Cure::SoftReset, Cure::Dtr, Cure::UsbReset] {
        let stops = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Hang(cure));
        let evening = house(&[stops], 8 * MINUTE).live().await;
        assert_blocked(&evening, &format!("{cure:?}"));
        let dtr_dropped = evening
            .journal
            .entries()
            .iter()
            .filter(|entry| entry.at < 8 * MINUTE)
            .any(|entry| entry.what == Happening::Dtr(false));
        assert_eq!(
            dtr_dropped,
            cure > Cure::SoftReset,
            "{cure:?}\n{}",
            evening.story()
        );
        let reset = evening.journal.count(|h| *h == Happening::Unplugged);
        assert_eq!(reset, usize::from(cure == Cure::UsbReset), "{cure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_nothing_helps_is_taken_back_as_soon_as_it_is_replugged() {
    let stops = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Wedge);
    let replug = Fault::new(
        Trigger::At(20 * MINUTE),
        FaultKind::Unplug(Unplug {
            back_after: Some(Duration::from_secs(5)),
            other_node: false,
        }),
    );
    let evening = house(&[stops, replug], 21 * MINUTE).live().await;
    assert_blocked(&evening, "wedged");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_hung_from_the_start_is_tried_again_more_and_more_rarely() {
    let hung = Fault::new(Trigger::At(Duration::ZERO), FaultKind::Wedge);
    let evening = house(&[hung], 180 * MINUTE).live().await;
    let tries = evening.journal.count(|h| *h == Happening::Dtr(false));
    assert!(
        (4..10).contains(&tries),
        "{tries} tries\n{}",
        evening.story()
    );
}

#[tokio::test(start_paused = true)]
async fn caller_id_that_was_switched_off_is_switched_on_again() {
    // The modem loses its settings without a word, as after a brown-out: it goes and comes back so
    // quickly that the port survives.
    let forgets = Fault::new(Trigger::At(2 * MINUTE), FaultKind::Forget);
    let evening = house(&[forgets], 8 * MINUTE).live().await;
    assert_blocked(&evening, "settings lost");
}

#[tokio::test(start_paused = true)]
async fn firmware_that_says_ok_and_stays_on_hook_is_told_the_other_way() {
    let call = Call::from(ROBOCALLER)
        .named("A robocaller")
        .at(Duration::from_secs(10))
        .ends(Ending::Stays);
    let scenario = Scenario::default().chip(Chip::Usr5637Old).call(call);
    let evening = House::new(scenario)
        .action(callblock::blocker::BlockAction::Record {
            limit: Duration::from_secs(20),
        })
        .live()
        .await;
    assert_eq!(evening.off_hook_count(), 1, "{}", evening.story());
    let row = evening.row();
    assert!(row.trouble.is_some(), "{row:?}");
    assert_eq!(
        row.outcome.as_deref(),
        Some("time-limit"),
        "{row:?}\n{}",
        evening.story()
    );
}
