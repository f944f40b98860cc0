//! What goes wrong, and that the line is on-hook and the next call screened all the same.

use crate::house::{Evening, House, ROBOCALLER};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Ending, Fault, FaultKind, Scenario, Sound, Trigger, Unplug};
use std::time::Duration;

fn call() -> Call {
    Call::from(ROBOCALLER)
        .named("A robocaller")
        .says(Sound::Speech(Duration::from_secs(30)))
        .ends(Ending::Stays)
}

/// Two calls, the first of them (or the time around it) with a fault.
fn house_with(fault: Fault) -> House {
    let scenario = Scenario::default()
        .call(call().at(Duration::from_secs(20)))
        .call(call().at(Duration::from_secs(150)))
        .fault(fault);
    House::new(scenario).watched(220)
}

async fn with_fault(action: Option<BlockAction>, fault: Fault) -> Evening {
    let house = house_with(fault);
    match action {
        Some(action) => house.action(action),
        None => house,
    }
    .live()
    .await
}

fn record() -> BlockAction {
    BlockAction::Record {
        limit: Duration::from_secs(10),
    }
}

fn assert_second_call_is_dealt_with(evening: &Evening, what: &str) {
    let story = format!("{what}\n{:#?}\n{}", evening.rows, evening.story());
    let last = evening
        .rows
        .last()
        .unwrap_or_else(|| panic!("no row: {story}"));
    assert_eq!(last.verdict, "block", "{story}");
    assert!(last.picked_up.is_some(), "{story}");
    assert!(
        matches!(last.outcome.as_deref(), Some("finished" | "time-limit")),
        "{story}"
    );
    assert!(evening.ends_on_hook(), "{story}");
    assert!(
        evening.rows.iter().all(|row| row.outcome.is_some()),
        "{story}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_that_fails_is_survived_wherever_it_stands() {
    let kinds = [
        FaultKind::NoReply,
        FaultKind::Late(Duration::from_millis(700)),
        FaultKind::Late(Duration::from_secs(3)),
        FaultKind::RingInside,
    ];
    let commands = [
        "Z",
        "E0",
        "I0",
        "I3",
        "+GMI",
        "+FCLASS=?",
        "S0=0",
        "+VCID=1",
        "+FCLASS=8",
        "+VSM",
        "-STE=7",
        "+VLS=1",
        "+VRX",
        "+VLS=0",
        "H0",
    ];
    for command in commands {
        for kind in &kinds {
            let evening = with_fault(Some(record()), Fault::on(command, kind.clone())).await;
            assert_second_call_is_dealt_with(&evening, &format!("{command} {kind:?}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_modem_is_taken_back() {
    for after in [0, 300, 2500] {
        for other_node in [false, true] {
            let unplug = FaultKind::Unplug(Unplug {
                back_after: Some(Duration::from_secs(20)),
                other_node,
            });
            let fault = Fault::new(Trigger::At(Duration::from_millis(21_001 + after)), unplug);
            let evening = with_fault(Some(record()), fault).await;
            assert_eq!(
                evening.rows[0].outcome.as_deref(),
                Some("port-lost"),
                "{}",
                evening.story()
            );
            assert_second_call_is_dealt_with(&evening, "unplug");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unplugged_while_idle_or_ringing() {
    for at in [2000, 10_000, 20_500, 21_500] {
        let unplug = FaultKind::Unplug(Unplug {
            back_after: Some(Duration::from_secs(30)),
            other_node: false,
        });
        let evening = with_fault(
            None,
            Fault::new(Trigger::At(Duration::from_millis(at)), unplug),
        )
        .await;
        assert_second_call_is_dealt_with(&evening, &format!("unplugged at {at} ms"));
    }
}

#[tokio::test(start_paused = true)]
async fn noise_and_false_codes_do_not_end_a_call() {
    for kind in [
        FaultKind::Code("b".into()),
        FaultKind::Code("dsqHh".into()),
        FaultKind::Line("DIGITAL LINE DETECTED".into()),
    ] {
        let fault = Fault::new(Trigger::AfterPickUp(Duration::from_secs(1)), kind.clone());
        let evening = with_fault(Some(record()), fault).await;
        let first = &evening.rows[0];
        assert_eq!(
            first.outcome.as_deref(),
            Some("time-limit"),
            "{kind:?}\n{}",
            evening.story()
        );
        assert_second_call_is_dealt_with(&evening, &format!("{kind:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_at_any_time() {
    for (seed, bytes) in [(1, 300), (2, 40), (3, 8000)] {
        for at in [1000, 10_000, 20_200, 21_100, 24_000, 40_000] {
            let fault = Fault::new(
                Trigger::At(Duration::from_millis(at)),
                FaultKind::Garbage(bytes),
            );
            let mut house = house_with(fault).action(record());
            house.link.seed = seed;
            let evening = house.live().await;
            let what = format!("{bytes} bytes of garbage at {at} ms, seed {seed}");
            assert_second_call_is_dealt_with(&evening, &what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_voice_command_becomes_a_hang_up() {
    let always = Fault::on("+VRX", FaultKind::Error).times(2);
    let evening = with_fault(Some(record()), always).await;
    let first = &evening.rows[0];
    assert_eq!(first.action, "hangup", "{}", evening.story());
    assert!(first.trouble.is_some(), "{}", evening.story());
    assert_second_call_is_dealt_with(&evening, "+VRX");
    let evening = with_fault(
        Some(record()),
        Fault::on("+FCLASS=8", FaultKind::Error).times(0),
    )
    .await;
    assert_eq!(evening.rows[0].action, "hangup");
    assert_second_call_is_dealt_with(&evening, "+FCLASS=8");
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_refuses_one_way_off_hook_is_told_the_other() {
    let evening = with_fault(Some(record()), Fault::on("+VLS=1", FaultKind::Error)).await;
    assert_eq!(
        evening.rows[0].outcome.as_deref(),
        Some("time-limit"),
        "{}",
        evening.story()
    );
    assert_second_call_is_dealt_with(&evening, "+VLS=1");
}

#[tokio::test(start_paused = true)]
async fn a_wedged_modem_is_taken_back_when_it_is_plugged_in_again() {
    let scenario = Scenario::default()
        .call(call().at(Duration::from_secs(20)))
        .call(call().at(Duration::from_secs(250)))
        .fault(Fault::new(
            Trigger::At(Duration::from_secs(24)),
            FaultKind::Wedge,
        ))
        .fault(Fault::new(
            Trigger::At(Duration::from_secs(100)),
            FaultKind::Unplug(Unplug {
                back_after: Some(Duration::from_secs(5)),
                other_node: false,
            }),
        ));
    let evening = House::new(scenario)
        .action(record())
        .watched(320)
        .live()
        .await;
    assert_second_call_is_dealt_with(&evening, "wedge");
}
