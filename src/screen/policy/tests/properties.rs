//! What holds of all lists and callers.

use super::*;
use proptest::prelude::*;

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
