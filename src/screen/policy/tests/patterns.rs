//! Whom each kind of line matches, which of them decides, and what else a line says.

use super::*;

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
    assert_eq!(verdict.rule.as_deref(), Some("15055550101"));
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
            "block list: 15055550101 (third) (block.csv:4)",
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
