//! Who rings through, who is picked up, and when.

use crate::house::{FRIEND, House, ROBOCALLER, START, allow_list, block_list};
use callblock::blocker::BlockAction;
use callblock::clock::Timestamp;
use callblock::emulator::{
    Cadence, Call, CallerIdTime, Chip, Fault, FaultKind, Form, Format, Happening, Scenario, Sound,
    Trigger,
};
use std::time::Duration;

const FIVE: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn a_friend_rings_through() {
    let call = Call::from(FRIEND).named("A friend").at(FIVE).rings(3);
    let evening = House::new(Scenario::default().call(call)).live().await;
    let row = evening.row();
    assert_eq!(
        (row.verdict.as_str(), row.action.as_str()),
        ("ring", "none")
    );
    assert_eq!(row.outcome.as_deref(), Some("rings-stopped"));
    assert_eq!(row.picked_up, None);
    assert_eq!(row.reason, "no rule applies");
    assert_eq!(evening.off_hook_count(), 0);
    let since = |instant: Timestamp| instant.as_nanos() - START.as_nanos();
    assert!((5_000_000_000..8_000_000_000).contains(&since(row.started)));
}

#[tokio::test(start_paused = true)]
async fn caller_id_may_come_before_the_ring_after_two_or_in_any_form() {
    let times = [
        CallerIdTime::BeforeFirstRing,
        CallerIdTime::AfterFirstRing,
        CallerIdTime::AfterSecondRing,
    ];
    for time in times {
        for form in [Form::Plain, Form::DleX, Form::Jump] {
            let format = Format {
                form: Some(form),
                ..Format::default()
            };
            let call = Call::from(ROBOCALLER)
                .named("SPRINGFIELD MO")
                .at(FIVE)
                .caller_id(time)
                .format(format);
            let evening = House::new(Scenario::default().call(call)).live().await;
            let row = evening.row();
            assert_eq!(
                row.verdict,
                "block",
                "{time:?} {form:?}\n{}",
                evening.story()
            );
            assert_eq!(
                row.name.as_deref(),
                Some("SPRINGFIELD MO"),
                "{time:?} {form:?}\n{}",
                evening.story()
            );
            assert_eq!(evening.off_hook_count(), 1, "{time:?} {form:?}");
            let picked_up = evening.journal.first(|h| *h == Happening::OffHook);
            let first_ring = evening.journal.first(|h| *h == Happening::Ring);
            // The Jump form has a ring of its own in it, which the journal does not count.
            if form != Form::Jump {
                assert!(first_ring.is_some() && picked_up >= first_ring);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_pick_up_follows_the_last_byte_at_once() {
    let call = Call::from(ROBOCALLER).named("A robocaller").at(FIVE);
    let evening = House::new(Scenario::default().call(call)).live().await;
    let known = evening
        .journal
        .last(|h| matches!(h, Happening::CallerId(_)));
    let picked_up = evening.journal.first(|h| *h == Happening::OffHook);
    // On paused time only waiting takes time: none is allowed between the two.
    let waited = picked_up.unwrap() - known.unwrap();
    assert!(
        waited < Duration::from_millis(20),
        "{waited:?}\n{}",
        evening.story()
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_name_it_follows_after_a_short_quiet() {
    let call = Call::from(ROBOCALLER).at(FIVE);
    let evening = House::new(Scenario::default().call(call)).live().await;
    let known = evening
        .journal
        .last(|h| matches!(h, Happening::CallerId(_)));
    let picked_up = evening.journal.first(|h| *h == Happening::OffHook);
    let waited = picked_up.unwrap() - known.unwrap();
    assert!(waited < Duration::from_millis(350), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_caller_id_is_screened_at_the_second_burst() {
    for (policy, blocked) in [(allow_list(FRIEND), true), (block_list(ROBOCALLER), false)] {
        let call = Call::without_caller_id().at(FIVE).rings(4);
        let evening = House::new(Scenario::default().call(call))
            .policy(policy)
            .live()
            .await;
        let row = evening.row();
        assert_eq!(row.number, None);
        assert_eq!(row.verdict == "block", blocked, "{}", evening.story());
        assert_eq!(evening.off_hook_count(), usize::from(blocked));
        if blocked {
            assert!(row.reason.contains("no caller ID"), "{}", row.reason);
            let rings: Vec<Duration> = evening
                .journal
                .entries()
                .into_iter()
                .filter(|entry| entry.what == Happening::Ring)
                .map(|entry| entry.at)
                .collect();
            let picked_up = evening.journal.first(|h| *h == Happening::OffHook).unwrap();
            assert!(picked_up >= rings[1] && picked_up < rings[1] + FIVE / 50);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_ring_and_nothing_more_is_a_call_that_rang() {
    let call = Call::without_caller_id().at(FIVE).rings(1);
    let evening = House::new(Scenario::default().call(call))
        .policy(allow_list(FRIEND))
        .live()
        .await;
    let row = evening.row();
    assert_eq!(row.verdict, "ring");
    assert_eq!(row.outcome.as_deref(), Some("rings-stopped"));
    assert_eq!(evening.off_hook_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn double_rings_are_one_burst() {
    let call = Call::without_caller_id().at(FIVE).rings(3);
    let evening = House::new(Scenario::default().cadence(Cadence::uk()).call(call))
        .policy(allow_list(FRIEND))
        .live()
        .await;
    let picked_up = evening.journal.first(|h| *h == Happening::OffHook).unwrap();
    let first_ring = evening.journal.first(|h| *h == Happening::Ring).unwrap();
    let waited = picked_up - first_ring;
    assert!(
        waited > Duration::from_secs(2),
        "{waited:?}\n{}",
        evening.story()
    );
}

#[tokio::test(start_paused = true)]
async fn withheld_numbers_are_blocked_only_on_demand() {
    for (number, word) in [("P", "withheld"), ("O", "out of area")] {
        for private in [false, true] {
            let policy = callblock::screen::Policy {
                block_private: private,
                ..Default::default()
            };
            let call = Call::from(number).named(number).at(FIVE).rings(3);
            let evening = House::new(Scenario::default().call(call))
                .policy(policy)
                .live()
                .await;
            let row = evening.row();
            assert_eq!(row.verdict == "block", private);
            assert_eq!(row.number.as_deref(), Some(number));
            if private {
                assert!(row.reason.contains(word), "{}", row.reason);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn caller_id_during_a_conversation_is_call_waiting() {
    let mut talk = Call::from(FRIEND).named("A friend").at(FIVE);
    talk.person_answers = Some(Duration::from_secs(8));
    talk.person_talks = Duration::from_secs(40);
    let knock = Call::from(ROBOCALLER)
        .named("Knocks")
        .at(Duration::from_secs(35));
    let scenario = Scenario::default()
        .call(talk)
        .call(knock)
        .with_call_waiting();
    let evening = House::new(scenario).watched(80).live().await;
    assert_eq!(evening.off_hook_count(), 0, "{}", evening.story());
    assert_eq!(evening.rows.len(), 2, "{}", evening.story());
    let row = &evening.rows[1];
    assert_eq!(row.outcome.as_deref(), Some("call-waiting"));
    assert_eq!(row.action, "none");
}

#[tokio::test(start_paused = true)]
async fn who_knocks_without_a_name_while_we_record_is_logged_when_he_does() {
    for chip in Chip::ALL {
        let robot = Call::from(ROBOCALLER).named("A robot").at(FIVE);
        let mut robot = robot.says(Sound::Speech(Duration::from_secs(40)));
        robot.caller_id = CallerIdTime::BeforeFirstRing;
        let knock = Call::from(FRIEND).at(Duration::from_secs(12));
        let scenario = Scenario::default().chip(chip).call(robot).call(knock);
        let limit = Duration::from_secs(20);
        let evening = House::new(scenario.with_call_waiting())
            .action(BlockAction::Record { limit })
            .watched(80)
            .live()
            .await;
        if evening.rows[0].action != "record" {
            // A modem that cannot.
            continue;
        }
        let [robot, knock] = evening.rows.as_slice() else {
            panic!("{chip}: {:#?}\n{}", evening.rows, evening.story());
        };
        assert_eq!(knock.outcome.as_deref(), Some("call-waiting"), "{chip}");
        let after = knock.started.as_nanos() - robot.started.as_nanos();
        let after = Duration::from_nanos(after.try_into().unwrap());
        assert!(after < Duration::from_secs(8), "{chip}: {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rings_after_the_hang_up_are_answered_once_more_into_the_same_row() {
    let mut call = Call::from(ROBOCALLER).named("Rings on").at(FIVE);
    call.rings_again = 3;
    let evening = House::new(Scenario::default().call(call))
        .watched(80)
        .live()
        .await;
    assert_eq!(evening.off_hook_count(), 2, "{}", evening.story());
    let first = &evening.rows[0];
    assert_eq!(first.verdict, "block");
    assert!(first.trouble.as_deref().unwrap().contains("answered again"));
    assert!(evening.ends_on_hook());
}

#[tokio::test(start_paused = true)]
async fn a_friend_right_after_a_robocall_is_not_cut_off() {
    let robot = Call::from(ROBOCALLER).named("A robot").at(FIVE);
    let friend = Call::from(FRIEND)
        .named("A friend")
        .after(Duration::from_secs(2))
        .rings(4);
    let evening = House::new(Scenario::default().call(robot).call(friend))
        .watched(80)
        .live()
        .await;
    assert_eq!(evening.off_hook_count(), 1, "{}", evening.story());
    assert_eq!(evening.rows.len(), 2);
    assert_eq!(evening.rows[1].verdict, "ring");
    assert_eq!(evening.rows[1].outcome.as_deref(), Some("rings-stopped"));
}

#[tokio::test(start_paused = true)]
async fn a_friend_who_is_announced_before_a_modem_that_is_setting_itself_up_picks_up_is_not_cut_off()
 {
    let robot = Call::from(ROBOCALLER).named("A robot").at(FIVE);
    let friend = Call::from(FRIEND)
        .named("A friend")
        .at(Duration::from_millis(13_500))
        .rings(4);
    // The robot seems to ring on, and the friend's first ring to be his next.
    let at = Trigger::At(Duration::from_secs(9));
    let mut scenario = Scenario::default().call(robot).call(friend);
    scenario.faults = vec![Fault::new(at, FaultKind::Line("RING".into()))];
    // Quick when it is set up first, slow after the robot.
    for (command, before) in [("Z", 2), ("E0", 2), ("S0=0", 1), ("+VCID=1", 1)] {
        let late = |ms| Fault::on(command, FaultKind::Late(Duration::from_millis(ms)));
        let quick = (0..before).map(|_| late(1));
        scenario.faults.extend(quick.chain([late(1900)]));
    }
    let evening = House::new(scenario).watched(80).live().await;
    let story = format!("{:?}\n{}", evening.rows, evening.story());
    assert_eq!(evening.off_hook_count(), 1, "{story}");
    let [robot, friend] = evening.rows.as_slice() else {
        panic!("{story}");
    };
    assert_eq!(robot.outcome.as_deref(), Some("finished"), "{story}");
    assert_eq!(robot.trouble, None, "{story}");
    assert_eq!(friend.outcome.as_deref(), Some("rings-stopped"), "{story}");
    assert_eq!(friend.number.as_deref(), Some(FRIEND), "{story}");
}

#[tokio::test(start_paused = true)]
async fn a_row_is_there_within_a_second_of_the_first_sign() {
    // The daemon stops while the phone rings for the first time and nothing else is known.
    let call = Call::without_caller_id().at(FIVE).rings(4);
    let evening = House::new(Scenario::default().call(call))
        .watched(9)
        .live()
        .await;
    let row = evening.row();
    assert_eq!(row.outcome.as_deref(), Some("stopped"));
}

#[tokio::test(start_paused = true)]
async fn idle_only_a_look_every_five_minutes_is_taken() {
    let evening = House::new(Scenario::default()).watched(3600).live().await;
    assert!(evening.rows.is_empty());
    let asked: Vec<String> = evening
        .journal
        .entries()
        .into_iter()
        .filter(|entry| entry.at > Duration::from_secs(10) && entry.at < Duration::from_secs(3590))
        .filter_map(|entry| match entry.what {
            Happening::Command(line) => Some(line),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 11 * 3, "{asked:?}");
    let questions = ["AT", "AT+VCID?", "AT+FCLASS?"];
    assert!(asked.iter().all(|line| questions.contains(&line.as_str())));
}
