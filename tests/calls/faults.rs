//! What goes wrong, and that the line is on-hook and the next call screened all the same.

use crate::house::{Evening, HANG_UP, House, ROBOCALLER, read_wav};
use crate::log::Log;
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Cure, Ending, Fault, FaultKind, Scenario, Sound, Trigger, Unplug};
use std::path::Path;
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
async fn a_call_that_rang_long_ago_when_the_modem_answers_at_last_is_not_picked_up() {
    let unanswered = ["+VCID?", "+VCID?", "+FCLASS?", "+FCLASS?"];
    let faults = unanswered.map(|command| Fault::on(command, FaultKind::NoReply));
    let call = Call::from(ROBOCALLER)
        .named("Gives up")
        .at(Duration::from_millis(700))
        .rings(1);
    let mut scenario = Scenario::default().call(call);
    scenario.faults = faults.into();
    let evening = House::new(scenario).live().await;
    let row = evening.row();
    assert_eq!(evening.off_hook_count(), 0, "{}", evening.story());
    assert_eq!(
        (row.verdict.as_str(), row.action.as_str()),
        ("block", "none")
    );
    assert_eq!(row.picked_up, None);
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
async fn a_caller_id_that_came_just_before_the_plug_was_pulled_is_logged() {
    let unplug = FaultKind::Unplug(Unplug {
        back_after: Some(Duration::from_secs(30)),
        other_node: false,
    });
    let scenario = Scenario::default()
        .call(Call::from(ROBOCALLER).at(Duration::from_secs(20)))
        .fault(Fault::new(
            Trigger::At(Duration::from_millis(21_150)),
            unplug,
        ));
    let evening = House::new(scenario).watched(40).live().await;
    let [row] = evening.rows.as_slice() else {
        panic!("{:#?}\n{}", evening.rows, evening.story());
    };
    assert_eq!(row.number.as_deref(), Some(ROBOCALLER));
    assert_eq!(row.outcome.as_deref(), Some("port-lost"));
    assert!(evening.ends_on_hook(), "{}", evening.story());
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
async fn a_code_that_comes_once_ends_nothing_where_only_codes_come() {
    for code in ["b", "d", "K", "l"] {
        for (times, held, outcome) in [(1, 18, "time-limit"), (2, 6, "caller-hung-up")] {
            let scenario = Scenario::default().call(call().at(Duration::from_secs(20)));
            let told = (0..times).map(|n| Trigger::AfterPickUp(Duration::from_secs(2 + 4 * n)));
            let faults = told.map(|at| Fault::new(at, FaultKind::Code(code.into())));
            let scenario = faults.fold(scenario, Scenario::fault);
            let transmit = BlockAction::Transmit {
                file: None,
                limit: Duration::from_secs(18),
            };
            let evening = House::new(scenario).action(transmit).live().await;
            let row = evening.row();
            let story = format!("{code} {times} times\n{row:?}\n{}", evening.story());
            assert_eq!(row.outcome.as_deref(), Some(outcome), "{story}");
            assert_eq!(evening.off_hook_time().as_secs(), held, "{story}");
        }
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
async fn one_error_while_it_is_set_up_costs_no_call() {
    for command in ["+VCID=1", "+FCLASS=8", "+VSM"] {
        let evening = with_fault(Some(record()), Fault::on(command, FaultKind::Error)).await;
        for row in &evening.rows {
            let story = format!("{command}\n{row:#?}\n{}", evening.story());
            assert_eq!(row.verdict, "block", "{story}");
            assert_eq!(row.action, "record", "{story}");
            assert_eq!(row.outcome.as_deref(), Some("time-limit"), "{story}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fax_answer_that_fails_becomes_a_hang_up_and_the_next_call_gets_its_own() {
    let refused = FaultKind::Error;
    for (fails, said) in [
        (refused, "ATA with Error"),
        (FaultKind::NoCarrier, "ATA with NoCarrier"),
        (FaultKind::NoReply, "as a fax"),
    ] {
        let evening = with_fault(Some(BlockAction::Fax), Fault::on("A", fails)).await;
        let first = &evening.rows[0];
        let story = format!("{:?}\n{}", evening.rows, evening.story());
        assert_eq!(evening.rows.len(), 2, "{story}");
        let trouble = first.trouble.as_deref().expect(&story);
        assert!(trouble.contains(said), "{story}");
        assert!(trouble.contains("hung up instead"), "{story}");
        assert_eq!(first.action, "hangup", "{story}");
        assert_eq!(evening.rows[1].action, "fax", "{story}");
        assert_eq!(evening.off_hook_count(), 2, "{story}");
        assert_second_call_is_dealt_with(&evening, said);
    }
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
async fn a_caller_who_seems_gone_at_the_pick_up_and_rings_on_is_answered_again() {
    let mut rings_on = call().at(Duration::from_secs(20));
    rings_on.rings_again = 3;
    let no_carrier = Fault::on("+VLS=1", FaultKind::Line("NO CARRIER".into()));
    let scenario = Scenario::default().call(rings_on).fault(no_carrier);
    let evening = House::new(scenario).action(record()).live().await;
    let row = evening.row();
    let story = format!("{row:?}\n{}", evening.story());
    assert_eq!(evening.off_hook_count(), 2, "{story}");
    assert_eq!(row.outcome.as_deref(), Some("time-limit"), "{story}");
    let picked_up = row.picked_up.expect(&story).as_nanos() - row.started.as_nanos();
    assert!(picked_up < 2_000_000_000, "{story}");
    assert!(row.recording.is_some(), "{story}");
    assert!(evening.ends_on_hook(), "{story}");
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

fn every_action(greeting: &Path) -> [BlockAction; 6] {
    let limit = Duration::from_secs(10);
    let file = greeting.to_owned();
    [
        HANG_UP,
        BlockAction::Fax,
        BlockAction::Message { file: file.clone() },
        BlockAction::Record { limit },
        BlockAction::Transmit {
            file: Some(file.clone()),
            limit,
        },
        BlockAction::Duplex {
            file: Some(file),
            limit,
            silence: None,
        },
    ]
}

/// Two calls, the first with a fault; how many lines were logged from the one to the other.
async fn two_calls_in_every_action(fault: &Fault) -> Vec<(Evening, usize)> {
    let mut evenings = Vec::new();
    for n in 0..6 {
        let log = Log::begin();
        let scenario = Scenario::default()
            .call(call().at(Duration::from_secs(20)))
            .call(call().at(Duration::from_secs(150)))
            .fault(fault.clone());
        let house = House::new(scenario).watched(220);
        let greeting = house.wav("greeting.wav", &vec![0x90; 5 * 8000]);
        let [action, ..] = {
            let mut actions = every_action(&greeting);
            actions.rotate_left(n);
            actions
        };
        let evening = house.action(action).live().await;
        let lines = log.lines();
        let call_lines = |line: &&String| line.contains(" call ");
        let from = lines.iter().position(|line| call_lines(&line));
        let to = lines.iter().rposition(|line| call_lines(&line));
        evenings.push((evening, to.unwrap_or_default() - from.unwrap_or_default()));
    }
    evenings
}

fn unplugged_for_20_s(other_node: bool) -> FaultKind {
    FaultKind::Unplug(Unplug {
        back_after: Some(Duration::from_secs(20)),
        other_node,
    })
}

fn assert_let_go_and_taken_back(evening: &Evening, log_lines: usize, what: &str) {
    let story = evening.story();
    assert_second_call_is_dealt_with(evening, what);
    for recording in evening.rows.iter().filter_map(|row| row.recording.as_ref()) {
        // It can be read to its end.
        read_wav(&evening.dir.path().join(recording));
    }
    assert!(log_lines < 20, "{what}: {log_lines} lines\n{story}");
}

#[tokio::test(start_paused = true)]
async fn unplugged_at_any_moment_of_every_mode() {
    for after in [0, 150, 700, 1500, 4000] {
        // A millisecond or two after the pick-up, and later.
        let trigger = Trigger::At(Duration::from_millis(21_001 + after));
        let fault = Fault::new(trigger, unplugged_for_20_s(after % 100 == 50));
        for (evening, log_lines) in two_calls_in_every_action(&fault).await {
            let first = &evening.rows[0];
            let what = format!("{} unplugged after {after} ms", first.action);
            if after < 1000 {
                assert_eq!(first.outcome.as_deref(), Some("port-lost"), "{what}");
            }
            assert_let_go_and_taken_back(&evening, log_lines, &what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unplugged_between_a_command_and_its_reply() {
    let commands = [
        "Z",
        "I3",
        "+FCLASS=?",
        "+VCID=1",
        "H1",
        "A",
        "+VSM",
        "+VLS=1",
        "+VRX",
        "+VTX",
        "+VTR",
        "+VLS=0",
        "H0",
    ];
    for command in commands {
        let fault = Fault::on(command, unplugged_for_20_s(command.len() == 2));
        for (evening, log_lines) in two_calls_in_every_action(&fault).await {
            let what = format!("{} unplugged in {command}", evening.rows[0].action);
            assert_let_go_and_taken_back(&evening, log_lines, &what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn started_without_a_modem_the_one_plugged_in_later_is_taken() {
    let log = Log::begin();
    let absent = Fault::new(Trigger::At(Duration::ZERO), unplugged_for_20_s(true));
    let scenario = Scenario::default()
        .call(call().at(Duration::from_secs(40)))
        .fault(absent);
    let evening = House::new(scenario).live().await;
    assert_eq!(
        evening.row().outcome.as_deref(),
        Some("finished"),
        "{}",
        evening.story()
    );
    assert_eq!(log.count("ERROR"), 0, "{:#?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_stops_in_the_middle_of_a_stream_does_not_hold_the_call_to_its_limit() {
    let stops = Fault::new(
        Trigger::AfterPickUp(Duration::from_secs(3)),
        FaultKind::Hang(Cure::Dtr),
    );
    let limit = Duration::from_mins(2);
    for action in [
        BlockAction::Record { limit },
        BlockAction::Duplex {
            file: None,
            limit,
            silence: None,
        },
    ] {
        let call = Call::from(ROBOCALLER)
            .at(Duration::from_secs(5))
            .says(Sound::Speech(2 * limit))
            .ends(Ending::Stays);
        let next = Call::from(ROBOCALLER).at(Duration::from_mins(1));
        let scenario = Scenario::default().call(call).call(next);
        let evening = House::new(scenario.fault(stops.clone()))
            .action(action)
            .watched(250)
            .live()
            .await;
        let story = format!("{:#?}\n{}", evening.rows, evening.story());
        let [first, second] = evening.rows.as_slice() else {
            panic!("{story}");
        };
        assert_eq!(first.outcome.as_deref(), Some("port-lost"), "{story}");
        let recording = evening.dir.path().join(first.recording.as_ref().unwrap());
        let samples = read_wav(&recording).len();
        assert!((19_000..25_000).contains(&samples), "{samples}\n{story}");
        assert_eq!(second.action, first.action, "{story}");
    }
}
