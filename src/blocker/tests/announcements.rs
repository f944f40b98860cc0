//! Whose a block of caller ID is, and when his call began.

use super::{Watch, announced};
use crate::blocker::BlockAction;
use crate::blocker::machine::Event;
use crate::call::VerdictClass;
use crate::modem::driver::RestingClass;
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
                (0, RING),
                (1000, Some("1")),
                (3000, RING),
                (6000, RING),
                (7000, Some(second)),
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
    let histories: [&[(u64, Option<&str>)]; 4] = [
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
    ];
    for history in histories {
        let mut watch = ringing(history);
        watch.feed(Event::PickedUp(RestingClass::Data));
        assert_eq!((watch.picked_up, watch.rows.len()), (1, 2), "{history:?}");
        assert_eq!(watch.rows[&1].verdict, VerdictClass::Ring);
    }
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
