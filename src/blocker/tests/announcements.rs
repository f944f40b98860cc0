//! Whose a block of caller ID is, and when his call began.

use super::{Watch, announced};
use crate::blocker::BlockAction;
use crate::blocker::machine::Event;
use crate::call::{Outcome, VerdictClass};
use crate::modem::driver::RestingClass;
use crate::modem::line_code::LineCode;
use std::time::Duration;

/// Feeds rings and caller ID, each at its time in milliseconds, to a machine for which `1` and `3` are
/// friends and everybody else is not.
fn ringing(events: &[(u64, Option<&str>)]) -> Watch {
    let hold = Duration::from_secs(1);
    let mut watch = Watch::new(BlockAction::HangUp { hold }, false);
    for &(at, number) in events {
        let at = watch.start + Duration::from_millis(at);
        watch.wait(at - watch.now);
        watch.feed(number.map_or(Event::Ring, announced));
    }
    watch
}

const RING: Option<&str> = None;

#[test]
fn caller_id_said_twice_never_hangs_up_on_a_friend() {
    let again = ["O", "P", "PRIVATE", "1"];
    for second in again {
        let histories: [&[(u64, Option<&str>)]; 6] = [
            &[(0, RING), (500, Some("1")), (1200, Some(second))],
            &[(0, RING), (500, Some("1")), (5000, Some(second))],
            &[
                (0, Some("1")),
                (300, RING),
                (1200, Some(second)),
                (6300, RING),
            ],
            &[
                (0, Some("1")),
                (200, Some(second)),
                (500, RING),
                (6500, RING),
            ],
            &[
                (0, RING),
                (1000, Some("1")),
                (6000, RING),
                (7000, Some(second)),
            ],
            &[
                (0, Some("1")),
                (500, RING),
                (3500, RING),
                (3800, RING),
                (6500, RING),
                (9500, RING),
            ],
        ];
        for history in histories {
            let watch = ringing(history);
            assert_eq!(watch.picked_up, 0, "{history:?}");
            assert_eq!(watch.rows.len(), 1, "{history:?}");
            assert_eq!(watch.rows[&1].number.as_deref(), Some("1"), "{history:?}");
        }
    }
}

#[test]
fn a_number_after_a_mark_is_screened_into_the_same_row() {
    // A mark does not ring for this machine, so it comes before any RING.
    let friend = ringing(&[(0, Some("P")), (700, Some("1")), (1000, RING), (7000, RING)]);
    assert_eq!((friend.picked_up, friend.rows.len()), (0, 1));
    assert_eq!(friend.rows[&1].number.as_deref(), Some("1"));
    let robot = ringing(&[(0, Some("P")), (700, Some("2")), (1000, RING)]);
    assert_eq!((robot.picked_up, robot.rows.len()), (1, 1));
}

#[test]
fn of_two_numbers_in_one_announcement_the_first_counts() {
    let watch = ringing(&[(0, RING), (500, Some("1")), (1200, Some("2")), (6000, RING)]);
    assert_eq!((watch.picked_up, watch.rows.len()), (0, 1));
}

#[test]
fn a_robot_right_after_a_friend_is_another_call() {
    let histories: [&[(u64, Option<&str>)]; 8] = [
        // With a number of his own; after the ring, and before it.
        &[
            (0, RING),
            (1000, Some("1")),
            (4000, RING),
            (5000, Some("2")),
        ],
        &[
            (0, RING),
            (1000, Some("1")),
            (6000, RING),
            (10_000, Some("2")),
            (10_300, RING),
        ],
        &[(0, Some("1")), (5000, Some("2")), (5300, RING)],
        // Masked, with rings that do not go on in the friend's beat.
        &[
            (0, RING),
            (1000, Some("1")),
            (6000, RING),
            (10_000, RING),
            (11_000, Some("O")),
        ],
        // Masked and in his beat, later than any network masks a number.
        &[
            (0, RING),
            (1000, Some("1")),
            (6000, RING),
            (12_000, RING),
            (13_000, Some("O")),
        ],
        // Masked, with a first gap that is no exchange's.
        &[(0, RING), (500, Some("1")), (7500, RING), (8000, Some("O"))],
        // Masked, announced before the ring, when the friend's next one is overdue.
        &[
            (0, RING),
            (500, Some("1")),
            (3000, RING),
            (10_500, Some("O")),
            (10_800, RING),
        ],
        // In time, but nobody else was announced.
        &[(0, RING), (6000, RING), (12_000, RING), (13_000, Some("2"))],
    ];
    for history in histories {
        let mut watch = ringing(history);
        watch.feed(Event::PickedUp(RestingClass::Data));
        assert_eq!((watch.picked_up, watch.rows.len()), (1, 2), "{history:?}");
        assert_eq!(watch.rows[&1].verdict, VerdictClass::Ring);
    }
}

#[test]
fn a_line_that_is_known_to_ring_every_3_s_tells_callers_apart_who_ring_6_s_apart() {
    let known = [(0, RING), (3000, RING), (6000, RING)];
    let short = [
        (30_000, RING),
        (30_300, Some("1")),
        (36_300, RING),
        (37_000, Some("O")),
    ];
    // It may be the friend's second ring and a mask of his number.
    let line_unknown = ringing(&short);
    assert_eq!((line_unknown.picked_up, line_unknown.rows.len()), (0, 1));
    let history: Vec<_> = known.into_iter().chain(short).collect();
    let mut line_known = ringing(&history);
    line_known.feed(Event::PickedUp(RestingClass::Data));
    assert_eq!((line_known.picked_up, line_known.rows.len()), (1, 3));
}

#[test]
fn after_a_lifted_handset_another_is_announced() {
    let mut watch = ringing(&[(0, RING), (1000, Some("1")), (6000, RING)]);
    watch.feed(Event::Code(LineCode::LocalPhoneOffHook));
    watch.wait(Duration::from_secs(6));
    watch.feed(Event::Ring);
    watch.wait(Duration::from_secs(1));
    watch.feed(announced("O"));
    watch.feed(Event::PickedUp(RestingClass::Data));
    assert_eq!((watch.picked_up, watch.rows.len()), (1, 2));
}

#[test]
fn a_knock_on_a_conversation_that_just_began_is_not_answered() {
    // The friend was answered after his second ring.
    let mut watch = ringing(&[
        (0, RING),
        (1000, Some("1")),
        (6000, RING),
        (11_000, Some("2")),
    ]);
    watch.wait(Duration::from_mins(1));
    assert_eq!((watch.picked_up, watch.rows.len()), (0, 2));
}

#[test]
fn a_call_right_after_another_began_with_its_ring() {
    for answers in 1..=2 {
        let mut watch = ringing(&[(0, RING), (1000, Some("2"))]);
        for answered in 1..=answers {
            watch.feed(Event::PickedUp(RestingClass::Data));
            watch.wait(Duration::from_secs(1));
            watch.feed(Event::OnHook);
            watch.wait(Duration::from_secs(1));
            if answered < answers {
                // It rings on and is answered again.
                watch.feed(Event::Ring);
                watch.wait(Duration::from_secs(4));
                watch.feed(Event::Ring);
            }
        }
        if answers == 2 {
            // A ring of the call before does not count for the next one.
            watch.feed(Event::Ring);
        }
        watch.wait(Duration::from_secs(4));
        let rang = watch.now;
        watch.feed(Event::Ring);
        watch.wait(Duration::from_secs(1));
        watch.feed(announced("3"));
        watch.feed(Event::PickedUp(RestingClass::Data));
        let row = &watch.rows[&2];
        let started = rang.duration_since(watch.start).as_nanos();
        assert_eq!(u128::try_from(row.started.as_nanos()).unwrap(), started);
        assert_eq!(row.picked_up, Some(Duration::from_secs(1)));
    }
}

/// A machine that has answered a robot and is hanging up on him: the modem has the line back already,
/// and its word on it is late.
fn hanging_up() -> Watch {
    let mut watch = ringing(&[(0, RING), (1000, Some("2"))]);
    watch.feed(Event::PickedUp(RestingClass::Data));
    watch.wait(Duration::from_secs(1));
    assert!(watch.hung_up);
    watch
}

#[test]
fn who_is_announced_while_the_modem_hangs_up_is_the_next_caller() {
    let seconds = Duration::from_secs;
    for number in ["1", "3"] {
        // Rings after his announcement, before it, and only once the modem has said that it is on-hook.
        for (rings_first, rings_soon) in [(false, true), (true, true), (false, false)] {
            let mut watch = hanging_up();
            if rings_first {
                watch.feed(Event::Ring);
            }
            watch.wait(seconds(1));
            let began = watch.now.duration_since(watch.start).as_nanos();
            let began = began - if rings_first { 1_000_000_000 } else { 0 };
            watch.feed(announced(number));
            watch.wait(seconds(1));
            if rings_soon {
                watch.feed(Event::Ring);
            }
            assert_eq!(watch.picked_up, 1, "the line is not on-hook yet");
            watch.wait(seconds(2));
            watch.feed(Event::OnHook);
            if !rings_soon {
                watch.wait(seconds(1));
                watch.feed(Event::Ring);
            }
            let blocked = number == "3";
            assert_eq!(watch.picked_up, if blocked { 2 } else { 1 }, "{number}");
            // A friend's second ring is not the robot's.
            watch.wait(seconds(4));
            if !blocked {
                watch.feed(Event::Ring);
                watch.wait(seconds(9));
            }
            assert_eq!((watch.picked_up == 2, watch.rows.len()), (blocked, 2));
            let row = &watch.rows[&2];
            assert_eq!(row.number.as_deref(), Some(number));
            assert_eq!(u128::try_from(row.started.as_nanos()).unwrap(), began);
            let outcome = (!blocked).then_some(Outcome::RingsStopped);
            assert_eq!(row.outcome, outcome);
        }
    }
}

#[test]
fn who_is_announced_while_the_modem_hangs_up_keeps_his_row_whatever_becomes_of_it() {
    let seconds = Duration::from_secs;
    // He gives up, or only knocked.
    let mut watch = hanging_up();
    watch.feed(announced("3"));
    watch.wait(seconds(10));
    watch.feed(Event::OnHook);
    assert_eq!(watch.rows[&2].outcome, Some(Outcome::CallWaiting));
    // Then the rings are those of the call before.
    watch.feed(Event::Ring);
    watch.wait(seconds(9));
    assert_eq!(watch.rows.len(), 2);
    // Another is announced after him.
    let mut watch = hanging_up();
    watch.feed(announced("3"));
    watch.wait(seconds(5));
    watch.feed(announced("1"));
    watch.feed(Event::Ring);
    watch.feed(Event::OnHook);
    watch.wait(seconds(9));
    assert_eq!(watch.rows[&2].outcome, Some(Outcome::CallWaiting));
    assert_eq!(watch.rows[&3].outcome, Some(Outcome::RingsStopped));
    assert_eq!((watch.picked_up, watch.rows.len()), (1, 3));
    // The modem is lost, and he rings on when it is back.
    for (end, outcome) in [
        (Event::PortLost, Outcome::PortLost),
        (Event::Stop, Outcome::Stopped),
    ] {
        let mut watch = hanging_up();
        watch.feed(announced("3"));
        watch.wait(seconds(1));
        watch.feed(Event::Ring);
        watch.feed(end);
        assert_eq!(watch.rows[&1].outcome, Some(outcome));
        assert_eq!(watch.rows[&2].outcome, Some(outcome));
        if outcome == Outcome::PortLost {
            watch.wait(seconds(3));
            watch.feed(Event::Ring);
            watch.wait(seconds(4));
            watch.feed(Event::Ring);
            assert_eq!((watch.picked_up, watch.rows.len()), (2, 2));
        }
    }
}

#[test]
fn a_call_that_seemed_to_ring_on_is_not_answered_again_once_another_is_announced() {
    let seconds = Duration::from_secs;
    for number in ["1", "3"] {
        let mut watch = hanging_up();
        watch.feed(Event::OnHook);
        watch.feed(Event::Ring);
        watch.wait(seconds(4));
        watch.feed(Event::Ring);
        // The modem is still busy with itself.
        assert_eq!(watch.picked_up, 2);
        watch.hung_up = false;
        watch.wait(seconds(1));
        watch.feed(announced(number));
        assert!(watch.hung_up, "the pick-up is called off");
        watch.feed(Event::OnHook);
        let blocked = number == "3";
        assert_eq!(watch.picked_up, if blocked { 3 } else { 2 });
        watch.feed(if blocked {
            Event::PickedUp(RestingClass::Data)
        } else {
            Event::Ring
        });
        watch.wait(seconds(9));
        watch.feed(Event::OnHook);
        assert_eq!(watch.rows.len(), 2);
        assert_eq!(watch.rows[&1].trouble, None);
        assert_eq!(watch.rows[&1].outcome, Some(Outcome::Finished));
        let own = &watch.rows[&2];
        assert_eq!(own.number.as_deref(), Some(number));
        assert_eq!(own.picked_up.is_some(), blocked);
    }
}
