//! What each combination of settings decides, and what it says of it.

use super::*;
use crate::screen::Reading;
use crate::screen::time::LocalTime;
use VerdictClass::{Block, Ring};
use proptest::prelude::*;

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
fn a_number_matches_however_it_is_written() {
    let policy = american(None, Some("(505) 503-4455,Joe\n+442079460018,London\n"));
    for (number, line) in [
        ("5055034455", Some(1)),
        ("15055034455", Some(1)),
        ("+15055034455", Some(1)),
        ("442079460018", Some(2)),
        ("011442079460018", Some(2)),
        ("5034455", None),
        ("505503445", None),
        ("+5055034455", None),
    ] {
        let verdict = screen(&policy, number, "");
        assert_eq!(verdict.source.map(|source| source.line), line, "{number}");
    }
}

#[test]
fn every_kind_of_pattern_matches_what_it_says() {
    let patterns = [
        (
            "+1900*",
            &["9005550101", "+19005550101"][..],
            &["+442079460018", "8005550101"][..],
        ),
        ("900*", &["9005550101", "+19005550101"], &["5059005501"]),
        ("*0199", &["5055550199"], &["5055550198"]),
        ("505???01??", &["5055550101"], &["5055560201"]),
        (
            "+33162000000-+33163999999",
            &["+33162123456", "01133163999999"],
            &["+33164000000", "+33161999999"],
        ),
        (
            "+1 505-555-0100 - +1 505-555-0120",
            &["+15055550110", "5055550100"],
            &["5055550121"],
        ),
        (
            "+1-505-555-0100-+1-505-555-0120",
            &["+15055550110", "5055550120"],
            &["5055550121"],
        ),
        (
            "5055550100-5055550120",
            &["+15055550110", "5055550100", "5055550120"],
            &["5055550121"],
        ),
        ("/^\\+1505555/", &["5055559999"], &["5065559999"]),
        ("/^0+1/", &["0001234"], &["5055550101"]),
        (
            "invalid",
            &["1115550101", "5050550101", "505555010"],
            &["5055550101", "911", "*67"],
        ),
        ("neighbour", &["5055550199"], &["5055550134", "5055560199"]),
        ("self", &["5055550134", "+15055550134"], &["5055550199"]),
        (
            "country:GB",
            &["+442079460018"],
            &["5055550101", "+33162123456"],
        ),
        ("country:ca", &["4165550101"], &["5055550101"]),
        ("tollfree", &["8005550101"], &["5055550101"]),
        ("premium", &["9005550101"], &["8005550101"]),
        (
            "withheld",
            &["P", "PRIVATE", "0000000000"],
            &["O", "5055550101"],
        ),
        ("out-of-area", &["O", "UNAVAILABLE"], &["P"]),
        ("user@example.com", &["USER@example.com"], &["5055550101"]),
    ];
    for (pattern, matching, others) in patterns {
        let policy = american(None, Some(&format!("{pattern},x")));
        for number in matching {
            let verdict = screen(&policy, number, "");
            assert_eq!(verdict.class, Block, "{pattern} {number}");
        }
        for number in others {
            assert_eq!(
                screen(&policy, number, "").class,
                Ring,
                "{pattern} {number}"
            );
        }
    }
    let missing = american(None, Some("no-caller-id,"));
    assert_eq!(
        missing.screen(&Caller::from_line(None, None), noon()).class,
        Block
    );
    assert_eq!(screen(&missing, "P", "").class, Ring);
}

#[test]
fn names_match_without_case_and_with_any_blanks() {
    for (pattern, name, expected) in [
        ("name:SPAM?*", "Spam? Joe", Block),
        ("name:SPAM?*", "SPAM", Ring),
        ("name:cell phone ca", "Cell Phone   CA", Block),
        ("\"name:/^V\\d{8,}/\"", "V92116185840629", Block),
        ("\"name:/^V\\d{8,}/\"", "Victor", Ring),
        ("name:/spam|scam/", "Possible SCAM", Block),
        ("name:zoë*", "ZOË", Block),
        ("name:*", "", Ring),
    ] {
        let policy = american(None, Some(pattern));
        let verdict = screen(&policy, "5055550101", name);
        assert_eq!(verdict.class, expected, "{pattern} {name}");
    }
}

#[test]
fn the_most_special_pattern_decides_and_the_others_are_told() {
    let lines = [
        "country:US,country",
        "name:SPAM*,name",
        "/555/,regex",
        "+1505*,short",
        "+1505555*,long",
        "5055550100-5055550199,range",
        "5055550101,exact,hangup,days=mon-sun",
        "5055550101,exact again",
    ];
    let policy = american(None, Some(&lines.join("\n")));
    let verdict = screen(&policy, "5055550101", "SPAM");
    let by = verdict.source.as_ref().map(|source| source.line);
    assert_eq!((by, verdict.action), (Some(7), Some(ListAction::HangUp)));
    let others: Vec<u32> = verdict
        .also
        .iter()
        .map(|also| also.source.as_ref().unwrap().line)
        .collect();
    assert_eq!(others, [8, 6, 5, 4, 3, 2, 1]);
    assert_eq!(
        verdict.also[1].to_string(),
        "block list: 5055550100-5055550199 (range) (block.csv:6)"
    );
    assert_eq!(verdict.rule.as_deref(), Some("5055550101"));
}

#[test]
fn every_line_with_the_number_is_told() {
    let mut policy = american(
        Some("5055550101,\n5055550101,friend\n"),
        Some(
            "5055550101,first\n\n505-555-0101,second\n5055550101,third,hangup\n5055550101,fourth\nP,a\np,b\n",
        ),
    );
    let told = |policy: &Policy, number: &str| -> Vec<String> {
        let also = screen(policy, number, "").also;
        also.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        told(&policy, "5055550101"),
        [
            "allow list: 15055550101 (friend) (allow.csv:2)",
            "block list: 15055550101 (first) (block.csv:1)",
            "block list: 15055550101 (second) (block.csv:3)",
            "block list: 5055550101 (third) (block.csv:4)",
            "block list: 15055550101 (fourth) (block.csv:5)",
        ]
    );
    assert_eq!(told(&policy, "P"), ["block list: P (b) (block.csv:7)"]);
    policy.block = Some(list(&"5055550101,x,fax\n5055550101\n5*,\n".repeat(5000)));
    assert_eq!(told(&policy, "5055550101").len(), 101);
}

#[test]
fn a_line_says_what_is_done_and_when() {
    let text = "5055550101,,message=gone.wav\n5055550102,,record=60\n5055550103,,Duplex=300,hours=22:00-07:00\n\
        5055550104,,ring\n5055550105,,until=2026-11-19\n5055550106,,transmit,until=2026-11-20\n5055550107,,\"days=sat,sun\"\n\
        5055550108,,days=sun,sat,hangup\n";
    let policy = american(None, Some(text));
    for (number, class, action) in [
        ("5055550101", Block, Some("message=gone.wav")),
        ("5055550102", Block, Some("record=60")),
        ("5055550103", Ring, None),
        ("5055550104", Ring, None),
        ("5055550105", Ring, None),
        ("5055550106", Block, Some("transmit")),
        ("5055550107", Ring, None),
        ("5055550108", Ring, None),
    ] {
        let verdict = screen(&policy, number, "");
        let said = verdict.action.map(|action| action.to_string());
        assert_eq!(
            (verdict.class, said.as_deref()),
            (class, action),
            "{number}"
        );
    }
    assert_eq!(
        screen(&policy, "5055550104", "").reason,
        "on the block list, only logged"
    );
    let night = policy.screen(
        &Caller::from_line(Some("5055550103"), None),
        at("2026-11-21", 60),
    );
    assert_eq!(
        night.action,
        Some(ListAction::Duplex(Some(std::time::Duration::from_mins(5))))
    );
    for number in ["5055550107", "5055550108"] {
        for date in ["2026-11-21", "2026-11-22"] {
            let weekend = policy.screen(&Caller::from_line(Some(number), None), at(date, 60));
            assert_eq!(weekend.class, Block, "{number} {date}");
        }
    }
}

#[test]
fn a_line_with_a_wrong_option_is_named() {
    for (line, what) in [
        (
            "1,,until=tomorrow",
            "until: a date is written as 2027-01-31",
        ),
        ("1,,hours=9-5", "hours: hours are written as 22:00-07:00"),
        (
            "1,,days=x",
            "days: days are written as mon-fri or sat,sun with + or / between them: sat+sun",
        ),
        (
            "1,,untill=2027-01-31",
            "untill= is not known; there are until=, hours=, days=, message=, record=, transmit= and duplex=",
        ),
        ("1,,record=0", "record takes seconds, from 1 to 86400"),
        ("1,,message", "message needs a file: message=gone.wav"),
        ("1,,hangup,fax", "there are two actions"),
        ("1,,fax=2", "fax takes no value"),
        (
            "/(/,",
            "the regular expression cannot be read: unclosed group",
        ),
        ("/(a{9}){99}{99}/", "the regular expression is too large"),
        (
            "/a{8,}/",
            "the regular expression has no / at its end (with a comma in it, it needs quotes around it)",
        ),
        ("name:,x", "the name is missing after name:"),
        (
            "country:XX,",
            "there is no such country; give its two letters",
        ),
        (
            "1-800-FLOW*,",
            "a number with wildcards has only digits, ? and *",
        ),
        (
            "+33162000000-+331639999,",
            "both ends of a range must have the same number of digits",
        ),
        (
            "+33163000000-+33162000000,",
            "the range ends before it begins",
        ),
    ] {
        let loaded = List::parse("l".as_ref(), line.as_bytes());
        let said: Vec<&str> = loaded
            .problems
            .iter()
            .map(|problem| &*problem.what)
            .collect();
        assert_eq!(said, [what], "{line}");
        assert!(loaded.list.is_empty());
    }
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

#[test]
fn the_shipped_robocall_names_match_what_carriers_write_and_no_friend() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/robocall-names.csv");
    let loaded = List::load(&[file]);
    assert!(loaded.problems.is_empty() && loaded.errors.is_empty());
    let policy = policy(None, loaded.list, false);
    for name in [
        "V4231749020000150314",
        "V92116185840629",
        "SPAM? JOHN DOE",
        "[SPAM?] DOE",
        "[FRAUD] DOE",
        "Spam? Doe",
        "Robo? Doe",
        "Fraud Call? Joh",
        "Fraudulent Call",
        "Invalid Call 5",
        "Spam Likely",
        "Scam Likely",
        "Telemarketer",
        "Fraud Likely",
        "Suspected Spam",
        "SPAM: Doe",
        "Potential Spam",
        "SPAM RISK",
    ] {
        assert_eq!(screen(&policy, "5055550101", name).class, Block, "{name}");
    }
    for name in [
        "WIRELESS CALLER",
        "VICTOR SMITH",
        "Spamer Hans",
        "ROBOTICS INC",
        "ELMHURST, IL",
        "Cell Phone   CA",
        "Valid Concepts",
        "[V] SMITH JOHN",
        "Fraudberg Ann",
        "SCAMPI BAR",
    ] {
        assert_eq!(screen(&policy, "5055550101", name).class, Ring, "{name}");
    }
}

/// Lines of lists, of every kind.
fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "505555010[0-9]",
        r"\+150555501[0-9]{2}",
        r"\+?1?505[0-9*?]{1,7}",
        "5055550100-505555010[0-9]",
        r"/50[0-9]\d\{1\}5/".prop_map(|regex| regex.replace("\\{1\\}", "")),
        "name:[a-c*?]{1,4}",
        "name:/[a-c]{1,2}/",
        Just("country:US".to_owned()),
        Just("withheld".to_owned()),
        Just("out-of-area".to_owned()),
        Just("no-caller-id".to_owned()),
        Just("neighbour".to_owned()),
        Just("self".to_owned()),
    ]
}

fn any_list() -> impl Strategy<Value = String> {
    proptest::collection::vec(any_line(), 0..8).prop_map(|lines| lines.join(",x\n"))
}

fn any_caller() -> impl Strategy<Value = Caller> {
    let number = prop_oneof![
        r"\+?1?50555501[0-9]{2}",
        Just("P".to_owned()),
        Just("O".to_owned()),
        "[0-9]{1,12}"
    ];
    (
        proptest::option::of(number),
        proptest::option::of("[a-c]{1,4}"),
    )
        .prop_map(|(number, name)| Caller::from_line(number.as_deref(), name.as_deref()))
}

proptest! {
    #[test]
    fn allow_beats_block(allow in any_list(), block in any_list(), caller in any_caller()) {
        let only = american(Some(&allow), Some("1")).screen(&caller, noon());
        let mut both = american(Some(&allow), Some(&block));
        both.block_private = true;
        both.unknown = Some(Block);
        both.quiet_hours = Some("00:00-00:00".parse().unwrap());
        let verdict = both.screen(&caller, noon());
        prop_assert_eq!(only.by == Decider::AllowList, verdict.class == Ring);
        prop_assert_eq!(only.by == Decider::AllowList, verdict.by == Decider::AllowList);
    }

    #[test]
    fn a_list_written_back_and_read_again_decides_the_same(list in any_list(), caller in any_caller()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block.csv");
        std::fs::write(&path, &list).unwrap();
        let reading = Reading { numbering: american(None, None).numbering, ..Reading::default() };
        let written = crate::screen::convert_lists(&reading, &[&path], &path).text;
        let before = american(None, Some(&list)).screen(&caller, noon());
        let after = american(None, Some(&written)).screen(&caller, noon());
        prop_assert_eq!((before.class, before.rule), (after.class, after.rule));
    }
}
