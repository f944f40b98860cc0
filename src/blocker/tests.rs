//! The state machine, driven as the daemon does.

mod announcements;
mod any_events;

use super::BlockAction;
use super::machine::{Blocker, Effect, Event, Moment};
use crate::call::{ActionKind, CallRecord, Outcome, VerdictClass};
use crate::clock::Timestamp;
use crate::modem::driver::{RestingClass, VoiceEnd};
use crate::modem::line_code::LineCode;
use crate::screen::{Caller, Verdict};
use crate::store::CallKey;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const RING_WINDOW: Duration = Duration::from_secs(8);

/// Drives a machine as the daemon does, and watches over the two rules.
struct Watch {
    blocker: Blocker,
    start: Instant,
    now: Instant,
    last_ring: Option<Instant>,
    off_hook: bool,
    rows: BTreeMap<u64, CallRecord>,
    picked_up: usize,
    hung_up: bool,
    other_ways: usize,
    warnings: Vec<String>,
}

impl Watch {
    fn new(action: BlockAction, sit: bool) -> Self {
        let start = Instant::now();
        Self {
            blocker: Blocker::new(action, Duration::from_secs(1)).with_special_information(sit),
            start,
            now: start,
            last_ring: None,
            off_hook: false,
            rows: BTreeMap::new(),
            picked_up: 0,
            hung_up: false,
            other_ways: 0,
            warnings: Vec::new(),
        }
    }

    fn feed(&mut self, event: Event) {
        match event {
            Event::Ring => self.last_ring = Some(self.now),
            Event::OnHook | Event::PortLost | Event::Stop => self.off_hook = false,
            _ => {}
        }
        let nanos = self.now.duration_since(self.start).as_nanos();
        let at = Moment {
            now: self.now,
            wall: Timestamp::from_nanos(i64::try_from(nanos).unwrap()),
        };
        let mut decide = |caller: &Caller| match caller.number.as_received() {
            None | Some("1") => Verdict::new(VerdictClass::Ring, "a friend"),
            _ => Verdict::new(VerdictClass::Block, "anybody else"),
        };
        for effect in self.blocker.handle(event, at, &mut decide) {
            match effect {
                Effect::PickUp(_) | Effect::PickUpAgain(_) => {
                    assert!(!self.off_hook, "picked up twice");
                    let rang = self.last_ring.expect("picked up without a ring");
                    assert!(self.now.duration_since(rang) < RING_WINDOW, "an old ring");
                    self.off_hook = true;
                    self.picked_up += 1;
                }
                Effect::HangUp => self.hung_up = true,
                Effect::PickUpOtherWay => self.other_ways += 1,
                Effect::Warn(what) => self.warnings.push(what),
                Effect::Save(CallKey(key), record) => {
                    self.rows.insert(key, record);
                }
                _ => {}
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(deadline) = self.blocker.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(deadline);
            self.feed(Event::TimePassed);
            assert!(
                self.blocker.deadline().is_none_or(|next| next > self.now),
                "a deadline that stays in the past spins"
            );
        }
        self.now = until;
    }
}

fn announced(number: &str) -> Event {
    Event::CallerId {
        caller: Caller::from_line(Some(number), Some(number)),
        revision: false,
    }
}

#[test]
fn a_call_that_rings_on_is_answered_again_whenever_the_next_ring_comes() {
    for pause in [100, 2000, 4400, 4600, 7900] {
        let mut watch = Watch::new(BlockAction::Fax, false);
        watch.feed(Event::Ring);
        watch.feed(Event::CallerId {
            caller: Caller::from_line(Some("2"), None),
            revision: false,
        });
        watch.feed(Event::FaxEnded);
        watch.feed(Event::OnHook);
        watch.wait(Duration::from_millis(pause));
        watch.feed(Event::Ring);
        watch.wait(Duration::from_secs(6));
        assert_eq!(watch.picked_up, 1, "a friend may have been answered");
        watch.feed(Event::Ring);
        assert_eq!(watch.picked_up, 2, "the next ring came after {pause} ms");
        assert_eq!(watch.rows.len(), 1);
    }
}

#[test]
fn a_friend_right_after_a_robot_is_not_answered_before_his_caller_id_can_come() {
    let caller_id = |number| Event::CallerId {
        caller: Caller::from_line(Some(number), None),
        revision: false,
    };
    let mut watch = Watch::new(BlockAction::Fax, false);
    watch.feed(Event::Ring);
    watch.feed(caller_id("2"));
    watch.feed(Event::FaxEnded);
    watch.feed(Event::OnHook);
    watch.wait(Duration::from_secs(5));
    // A British line rings every 3 s.
    watch.feed(Event::Ring);
    watch.wait(Duration::from_secs(3));
    watch.feed(Event::Ring);
    watch.wait(Duration::from_millis(300));
    watch.feed(caller_id("1"));
    watch.wait(Duration::from_mins(1));
    assert_eq!(watch.picked_up, 1);
    assert_eq!(watch.rows.len(), 2);
    assert_eq!(watch.rows[&2].started.as_nanos(), 5_000_000_000);
}

#[test]
fn a_friend_who_was_answered_right_after_a_robot_is_not_cut_off() {
    let handset = Event::Code(LineCode::LocalPhoneOffHook);
    for lifted in [None, Some(handset)] {
        let mut watch = Watch::new(BlockAction::Fax, false);
        watch.feed(Event::Ring);
        watch.feed(announced("2"));
        watch.feed(Event::FaxEnded);
        watch.feed(Event::OnHook);
        watch.wait(Duration::from_secs(7));
        watch.feed(Event::Ring);
        watch.wait(Duration::from_millis(600));
        if let Some(handset) = lifted {
            watch.feed(handset);
            // It is put back, and somebody else calls.
            watch.wait(Duration::from_secs(4));
            watch.feed(Event::Ring);
        }
        watch.wait(Duration::from_mins(1));
        assert_eq!(watch.picked_up, 1);
    }
}

#[test]
fn a_friend_who_rings_off_the_beat_of_a_robot_that_rang_on_is_not_answered() {
    let mut watch = Watch::new(BlockAction::Fax, false);
    watch.feed(Event::Ring);
    watch.feed(announced("2"));
    watch.feed(Event::FaxEnded);
    watch.feed(Event::OnHook);
    watch.wait(Duration::from_secs(2));
    // Once more it is the robot; then a friend.
    watch.feed(Event::Ring);
    watch.wait(Duration::from_millis(7900));
    watch.feed(Event::Ring);
    watch.wait(Duration::from_secs(1));
    watch.feed(announced("1"));
    assert_eq!((watch.picked_up, watch.rows.len()), (1, 2));
    assert_eq!(watch.rows[&2].started.as_nanos(), 9_900_000_000);
}

#[test]
fn a_ring_while_the_line_is_given_up_counts() {
    for (answered_at, answers) in [(2000, 1), (6000, 2)] {
        let mut watch = Watch::new(BlockAction::Fax, false);
        watch.feed(Event::Ring);
        watch.feed(announced("2"));
        watch.feed(Event::PickedUp(RestingClass::Fax));
        watch.wait(Duration::from_secs(3));
        watch.feed(Event::FaxEnded);
        watch.feed(Event::Ring);
        watch.feed(Event::OnHook);
        watch.wait(Duration::from_millis(answered_at));
        watch.feed(Event::Ring);
        assert_eq!(watch.picked_up, answers);
        assert_eq!(watch.rows.len(), 1);
    }
}

#[test]
fn somebody_who_rings_while_a_fax_answer_never_happened_is_not_picked_up() {
    let mut watch = Watch::new(BlockAction::Fax, false);
    watch.feed(Event::Ring);
    watch.feed(announced("2"));
    watch.feed(Event::PickedUp(RestingClass::Fax));
    watch.wait(Duration::from_secs(1));
    watch.feed(Event::Ring);
    watch.wait(Duration::from_secs(15));
    watch.feed(Event::Ring);
    assert_eq!((watch.other_ways, watch.hung_up), (0, true));
    watch.feed(Event::OnHook);
    watch.feed(announced("1"));
    watch.wait(Duration::from_mins(1));
    assert_eq!((watch.picked_up, watch.rows.len()), (1, 2));
    assert_eq!(watch.rows[&1].action, ActionKind::None);
    assert_eq!(watch.rows[&2].number.as_deref(), Some("1"));
    assert_eq!(watch.rows[&2].started.as_nanos(), 16_000_000_000);
}

#[test]
fn a_ring_before_the_modem_has_picked_up_is_no_sign_that_it_did_not() {
    let mut watch = Watch::new(BlockAction::Fax, false);
    watch.feed(Event::Ring);
    watch.feed(announced("2"));
    watch.wait(Duration::from_secs(3));
    watch.feed(Event::Ring);
    assert_eq!(watch.other_ways, 0);
    watch.feed(Event::PickedUp(RestingClass::Fax));
    watch.feed(Event::FaxEnded);
    assert!(watch.hung_up);
    watch.feed(Event::OnHook);
    assert_eq!(watch.rows[&1].action, ActionKind::Fax);
}

#[test]
fn a_call_that_rings_on_and_was_not_answered_again_when_the_port_was_lost_keeps_its_row() {
    let mut watch = Watch::new(BlockAction::Fax, false);
    watch.feed(Event::Ring);
    watch.feed(announced("2"));
    watch.feed(Event::PickedUp(RestingClass::Fax));
    watch.feed(Event::FaxEnded);
    watch.feed(Event::OnHook);
    for _ in 0..2 {
        watch.wait(Duration::from_secs(5));
        watch.feed(Event::Ring);
    }
    assert_eq!(watch.picked_up, 2);
    watch.feed(Event::PortLost);
    for _ in 0..2 {
        watch.wait(Duration::from_secs(5));
        watch.feed(Event::Ring);
    }
    assert_eq!((watch.picked_up, watch.rows.len()), (3, 1));
}

#[test]
fn a_friend_who_rings_while_the_modem_only_says_it_is_off_hook_is_not_picked_up() {
    for (next, other_ways) in [("1", 0), ("3", 1)] {
        let limit = Duration::from_mins(1);
        let mut watch = Watch::new(BlockAction::Record { limit }, false);
        watch.feed(Event::Ring);
        watch.feed(announced("2"));
        watch.feed(Event::PickedUp(RestingClass::Voice));
        watch.feed(Event::VoiceStarted);
        // The robot gives up; the modem never had the line.
        watch.wait(Duration::from_secs(6));
        watch.feed(announced(next));
        watch.wait(Duration::from_millis(500));
        watch.feed(Event::Ring);
        assert_eq!(watch.other_ways, other_ways, "{next}");
    }
}

#[test]
fn a_friend_who_knocked_while_the_line_was_ours_is_not_picked_up_when_he_rings_after_it() {
    for (knocks, picked_up) in [("1", 1), ("3", 2)] {
        let mut watch = Watch::new(BlockAction::Fax, false);
        watch.feed(Event::Ring);
        watch.feed(announced("2"));
        watch.feed(Event::PickedUp(RestingClass::Fax));
        watch.feed(announced(knocks));
        watch.feed(Event::FaxEnded);
        watch.feed(Event::OnHook);
        for _ in 0..3 {
            watch.wait(Duration::from_secs(5));
            watch.feed(Event::Ring);
        }
        assert_eq!(watch.picked_up, picked_up, "{knocks}");
    }
}

#[test]
fn where_the_modem_refuses_to_pick_up_nothing_was_done() {
    let mut watch = Watch::new(BlockAction::Fax, false);
    watch.feed(Event::Ring);
    watch.feed(announced("2"));
    watch.feed(Event::PickedUp(RestingClass::Fax));
    watch.wait(Duration::from_secs(1));
    watch.feed(Event::Refused { what: "no".into() });
    watch.feed(Event::Refused { what: "no".into() });
    watch.feed(Event::OnHook);
    let row = &watch.rows[&1];
    assert_eq!((row.action, row.picked_up), (ActionKind::None, None));
    assert_eq!(row.outcome, Some(Outcome::Finished));
}

#[test]
fn a_call_that_rings_on_after_it_was_answered_twice_is_still_one_call() {
    let hang_up = BlockAction::HangUp {
        hold: Duration::from_secs(1),
    };
    let mut watch = Watch::new(hang_up, false);
    let robot = Event::CallerId {
        caller: Caller::from_line(Some("2"), None),
        revision: false,
    };
    watch.feed(Event::Ring);
    watch.feed(robot);
    for answers in 1..=2 {
        assert_eq!(watch.picked_up, answers);
        watch.feed(Event::PickedUp(RestingClass::Data));
        watch.wait(Duration::from_secs(1));
        watch.feed(Event::OnHook);
        // The exchange does not notice and rings on.
        watch.wait(Duration::from_secs(2));
        watch.feed(Event::Ring);
        watch.wait(Duration::from_secs(6));
        watch.feed(Event::Ring);
    }
    for _ in 0..5 {
        watch.feed(Event::Ring);
        watch.wait(Duration::from_secs(6));
    }
    watch.wait(Duration::from_mins(1));
    assert_eq!(watch.picked_up, 2);
    assert_eq!(watch.rows.len(), 1, "{:#?}", watch.rows);
    assert!(!watch.blocker.in_call());
}

#[test]
fn the_time_limit_runs_from_the_real_pick_up() {
    let limit = Duration::from_secs(6);
    let mut watch = Watch::new(BlockAction::Record { limit }, false);
    watch.feed(Event::Ring);
    watch.feed(announced("2"));
    watch.feed(Event::PickedUp(RestingClass::Voice));
    watch.feed(Event::VoiceStarted);
    // The modem has only said that it is off-hook. Told the other way, it is.
    watch.wait(Duration::from_secs(5));
    watch.feed(Event::Ring);
    watch.feed(Event::PickedUp(RestingClass::Voice));
    watch.wait(Duration::from_millis(5900));
    watch.feed(Event::Digit('1'));
    assert!(!watch.hung_up);
    watch.wait(Duration::from_millis(200));
    assert!(watch.hung_up);
    watch.feed(Event::OnHook);
    let row = &watch.rows[&1];
    assert_eq!(row.picked_up, Some(Duration::from_secs(5)));
    assert_eq!(row.outcome, Some(Outcome::TimeLimit));
}

#[test]
fn a_modem_that_hangs_while_it_hangs_up_does_not_make_the_call_longer() {
    let hold = Duration::from_secs(1);
    let mut watch = Watch::new(BlockAction::HangUp { hold }, false);
    watch.feed(Event::Ring);
    watch.feed(announced("2"));
    watch.feed(Event::PickedUp(RestingClass::Data));
    watch.wait(Duration::from_secs(18));
    watch.feed(Event::PortLost);
    let row = &watch.rows[&1];
    assert_eq!(row.outcome, Some(Outcome::PortLost));
    assert_eq!(row.ended, Some(hold));
}

/// A call that is to be answered as a fax, up to `ATA`.
fn fax_call() -> Watch {
    let mut watch = Watch::new(BlockAction::Fax, false);
    watch.feed(Event::Ring);
    watch.feed(announced("2"));
    watch.feed(Event::PickedUp(RestingClass::Fax));
    watch
}

#[test]
fn a_fax_answer_that_is_refused_late_is_noted_and_nothing_is_picked_up_any_more() {
    let mut watch = fax_call();
    watch.wait(Duration::from_secs(8));
    watch.feed(Event::Refused {
        what: "the modem answers ATA with Error".into(),
    });
    assert!(watch.hung_up);
    watch.feed(Event::OnHook);
    let row = &watch.rows[&1];
    assert_eq!(row.action, ActionKind::HangUp);
    let trouble = row.trouble.as_deref().unwrap();
    assert!(
        trouble.contains("ATA with Error; hung up instead"),
        "{trouble}"
    );
    assert_eq!((watch.picked_up, watch.other_ways), (1, 0));
    assert_eq!(watch.warnings.len(), 1, "{:?}", watch.warnings);
}

#[test]
fn a_call_that_rings_on_while_it_is_answered_as_a_fax_is_hung_up_on() {
    let mut watch = fax_call();
    for _ in 0..2 {
        watch.wait(Duration::from_secs(6));
        watch.feed(Event::Ring);
        assert_eq!(watch.other_ways, 1);
    }
    watch.feed(Event::PickedUp(RestingClass::Fax));
    watch.wait(Duration::from_secs(1));
    assert!(watch.hung_up);
    watch.feed(Event::OnHook);
    let row = &watch.rows[&1];
    assert_eq!(row.action, ActionKind::HangUp);
    assert_eq!(row.picked_up, Some(Duration::from_secs(12)));
    let trouble = row.trouble.as_deref().unwrap();
    assert!(
        trouble.contains("does not answer as a fax; hung up instead"),
        "{trouble}"
    );
    assert_eq!(watch.warnings.len(), 1, "{:?}", watch.warnings);
}
