//! What each combination of settings decides, and what it says of it.

use super::*;
use crate::screen::Reading;
use crate::screen::time::LocalTime;
use VerdictClass::{Block, Ring};

mod patterns;
mod properties;

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

/// A policy for a line in the United States whose own number is 505 555 0134.
fn american(allow: Option<&str>, block: Option<&str>) -> Policy {
    let numbering = Numbering::new("US".parse().ok()).with_own_number("5055550134");
    let reading = Reading {
        numbering: numbering.clone(),
        ..Reading::default()
    };
    let read = |name: &str, text: &str| {
        let loaded = List::parse_as(&reading, name.as_ref(), text.as_bytes());
        assert_eq!(loaded.problems, []);
        loaded.list
    };
    Policy {
        numbering,
        allow: allow.map(|text| read("allow.csv", text)),
        block: block.map(|text| read("block.csv", text)),
        ..Policy::default()
    }
}

fn screen(policy: &Policy, number: &str, name: &str) -> Verdict {
    let caller = Caller::from_line(Some(number), Some(name));
    policy.screen(&caller, noon())
}

#[test]
fn permits_come_first_and_end() {
    let mut policy = american(None, Some("5055550101,\n5055550102,\n"));
    let until = Timestamp::from_nanos(2_000_000_000);
    policy.permits = vec![
        Permit::next_call(until),
        Permit::number(&policy.numbering, "+1 505 555 0101", until),
    ];
    let verdict = screen(&policy, "5055550101", "");
    assert_eq!((verdict.class, verdict.by), (Ring, Decider::Permit));
    assert_eq!(verdict.also.len(), 2);
    policy.spend_permits(&verdict, noon().instant);
    assert_eq!(policy.permits.len(), 2);
    let verdict = screen(&policy, "5055550102", "");
    assert_eq!((verdict.class, verdict.by), (Ring, Decider::NextPermit));
    policy.spend_permits(&verdict, noon().instant);
    assert_eq!(
        policy.permits.iter().map(Permit::who).collect::<Vec<_>>(),
        ["+15055550101"]
    );
    assert_eq!(screen(&policy, "5055550102", "").class, Block);
    let later = Moment {
        instant: until,
        ..noon()
    };
    let caller = Caller::from_line(Some("5055550101"), None);
    assert_eq!(policy.screen(&caller, later).class, Block);
    policy.spend_permits(&verdict, until);
    assert!(policy.permits.is_empty());
}

#[test]
fn in_quiet_hours_only_the_allow_list_rings() {
    let mut policy = american(
        Some("5055550101,\n"),
        Some("5055550102,Solar,fax\n5055550103,,ring\n"),
    );
    policy.quiet_hours = Some("22:00-07:00".parse().unwrap());
    let night = at("2026-11-20", 23 * 60);
    for (number, class, reason) in [
        ("5055550101", Ring, "on the allow list"),
        ("5055550102", Block, "on the block list (Solar)"),
        ("5055550103", Block, "quiet hours"),
        ("5055550104", Block, "quiet hours"),
        ("P", Block, "quiet hours"),
    ] {
        let verdict = policy.screen(&Caller::from_line(Some(number), None), night);
        assert_eq!(
            (verdict.class, verdict.reason.as_str()),
            (class, reason),
            "{number}"
        );
    }
    assert_eq!(screen(&policy, "5055550104", "").class, Ring);
    assert!(policy.warnings().is_empty());
}

#[test]
fn unknown_callers_are_treated_as_asked() {
    let policy = |allow, block, unknown| Policy {
        unknown,
        ..american(allow, block)
    };
    for (policy, class, reason) in [
        (
            policy(None, None, Some(Block)),
            Block,
            "unknown callers are blocked",
        ),
        (policy(Some("1"), None, Some(Ring)), Ring, "no rule applies"),
        (
            policy(Some("1"), None, None),
            Block,
            "not on the allow list",
        ),
        (
            policy(Some("1"), Some("2"), Some(Block)),
            Block,
            "not on the allow list",
        ),
        (policy(Some("1"), Some("2"), None), Ring, "no rule applies"),
    ] {
        let verdict = screen(&policy, "5055550104", "");
        assert_eq!((verdict.class, verdict.reason.as_str()), (class, reason));
    }
}

#[test]
fn rules_on_a_number_of_ones_own_that_nobody_told_are_warned_of() {
    for rule in [
        "self\n",
        "5550101,x\nneighbour,,,hours=08:00-12:00\n",
        "NEIGHBOR\n",
    ] {
        for policy in [
            policy(None, list(rule), false),
            policy(list(rule), list("1"), false),
        ] {
            assert_eq!(policy.warnings(), [Warning::OwnNumberUnknown], "{rule}");
        }
        assert_eq!(american(None, Some(rule)).warnings(), []);
    }
}

#[test]
fn an_action_on_the_allow_list_is_warned_of() {
    let policy = american(Some("5055550101,,fax\n"), Some("2"));
    assert_eq!(policy.warnings(), [Warning::AllowListWithActions]);
    let verdict = screen(&policy, "5055550101", "");
    assert_eq!((verdict.class, verdict.action), (Ring, None));
}
