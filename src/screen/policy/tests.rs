//! What each combination of settings decides, and what it says of it.

use super::*;
use crate::screen::time::LocalTime;
use VerdictClass::{Block, Ring};

fn list(text: &str) -> List {
    List::parse("list.csv".as_ref(), text.as_bytes()).list
}

fn unreadable() -> List {
    List::load(&["/nonexistent/list.csv"]).list
}

fn policy(
    allow: impl Into<Option<List>>,
    block: impl Into<Option<List>>,
    block_private: bool,
) -> Policy {
    Policy {
        allow: allow.into(),
        block: block.into(),
        block_private,
        ..Policy::default()
    }
}

/// Friday, 20 November 2026, 12:00.
fn noon() -> Moment {
    at("2026-11-20", 12 * 60)
}

fn at(date: &str, minute: u16) -> Moment {
    Moment {
        instant: Timestamp::from_nanos(1_000_000_000),
        local: LocalTime {
            date: date.parse().unwrap(),
            minute,
        },
    }
}

const NUMBERS: [Option<&str>; 6] = [
    Some("5055550101"), // on the allow list
    Some("5055550102"), // on the block list
    Some("5055550103"), // on both
    Some("P"),
    Some("O"),
    None,
];
const ALLOW: &str = "5055550101,Example Friend\n5055550103,\n";
const BLOCK: &str = "# spam\n5055550102,Example Solar\n5055550103,\n";

fn classes(policy: &Policy) -> [VerdictClass; 6] {
    NUMBERS.map(|number| {
        policy
            .screen(&Caller::from_line(number, None), noon())
            .class
    })
}

#[test]
fn each_combination_of_lists_decides_as_documented() {
    let table = [
        (
            policy(None, None, false),
            [Ring, Ring, Ring, Ring, Ring, Ring],
        ),
        (
            policy(None, None, true),
            [Ring, Ring, Ring, Block, Block, Ring],
        ),
        (
            policy(None, list(BLOCK), false),
            [Ring, Block, Block, Ring, Ring, Ring],
        ),
        (
            policy(None, list(BLOCK), true),
            [Ring, Block, Block, Block, Block, Ring],
        ),
        (
            policy(list(ALLOW), None, false),
            [Ring, Block, Ring, Block, Block, Block],
        ),
        (
            policy(list(ALLOW), None, true),
            [Ring, Block, Ring, Block, Block, Block],
        ),
        (
            policy(list(ALLOW), list(BLOCK), false),
            [Ring, Block, Ring, Ring, Ring, Ring],
        ),
        (
            policy(list(ALLOW), list(BLOCK), true),
            [Ring, Block, Ring, Block, Block, Ring],
        ),
        (policy(list(""), None, false), [Block; 6]),
        (policy(list("# nobody yet\n\n"), None, false), [Block; 6]),
        (policy(None, list(""), false), [Ring; 6]),
        (policy(list(",nobody\n"), None, false), [Ring; 6]),
        (policy(unreadable(), None, false), [Ring; 6]),
        (policy(unreadable(), list(BLOCK), true), [Ring; 6]),
        (policy(None, unreadable(), false), [Ring; 6]),
        (
            policy(list("P,\n0000000000,\n"), None, true),
            [Block, Block, Block, Ring, Block, Block],
        ),
    ];
    for (policy, expected) in table {
        assert_eq!(classes(&policy), expected, "{policy:?}");
    }
}

#[test]
fn a_verdict_names_its_rule() {
    let both = policy(list(ALLOW), list(BLOCK), true);
    let verdict = |policy: &Policy, number| policy.screen(&Caller::from_line(number, None), noon());
    let blocked = verdict(&both, Some("505-555-0102"));
    assert_eq!(blocked.reason, "on the block list (Example Solar)");
    assert_eq!(blocked.source.unwrap().to_string(), "list.csv:2");
    let allowed = verdict(&both, Some("5055550103"));
    assert_eq!(allowed.reason, "on the allow list");
    assert_eq!(allowed.source.unwrap().to_string(), "list.csv:2");
    assert_eq!(verdict(&both, Some("O")).reason, "number out of area");
    assert_eq!(verdict(&both, None).reason, "no rule applies");
    let broken = policy(unreadable(), list(BLOCK), false);
    assert_eq!(
        verdict(&broken, Some("5055550102")).reason,
        "the allow list cannot be used: everybody rings"
    );
    let only = policy(list(ALLOW), None, false);
    assert_eq!(verdict(&only, Some("1")).reason, "not on the allow list");
    assert_eq!(
        verdict(&only, Some("Restricted")).reason,
        "number withheld, not on the allow list"
    );
    assert_eq!(
        verdict(&only, None).reason,
        "no caller ID, not on the allow list"
    );
}

#[test]
fn the_user_is_warned_of_what_will_surprise_him() {
    let table = [
        (policy(None, None, false), vec![Warning::NothingIsBlocked]),
        (policy(None, None, true), vec![]),
        (policy(list(""), list(""), false), vec![]),
        (
            policy(unreadable(), None, false),
            vec![Warning::AllowListUnreadable],
        ),
        (
            policy(list(",x"), None, false),
            vec![Warning::AllowListWithoutGoodLine],
        ),
        (policy(list(",x\n1,"), None, false), vec![]),
        (
            policy(None, unreadable(), false),
            vec![Warning::BlockListUnreadable],
        ),
    ];
    for (policy, expected) in table {
        assert_eq!(policy.warnings(), expected, "{policy:?}");
    }
}
