//! What is written is what is read: lines that the importer and the editor write.

use super::*;
use crate::screen::{Caller, LocalTime, Moment, Policy};
use serde_json::json;

fn american() -> Reading {
    Reading {
        numbering: Numbering::new("US".parse().ok()),
        ..Reading::default()
    }
}

/// Rule, name, action and time of every entry.
fn entries(list: &List) -> Vec<String> {
    let mut entries = Vec::new();
    for file in &list.files {
        entries.extend(file.rules.iter().map(|rule| {
            let name = file.names.of_line(rule.entry);
            format!(
                "{:?} {name:?} {:?} {:?}",
                rule.pattern, rule.action, rule.when
            )
        }));
        let numbers = file.exact.keys().map(Exact::Number);
        let texts = file.texts().map(|text| Exact::Text(text.into()));
        for exact in numbers.chain(texts) {
            entries.extend(file.exact_entries(&exact).map(|entry| {
                let name = file.names.of_line(entry);
                format!("{exact:?} {name:?} {:?}", file.options.of(entry))
            }));
        }
    }
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// A list of some program, of these numbers and names.
fn in_format(format: usize, rows: &[(String, String)]) -> String {
    let lines = |line: &dyn Fn(&str, &str) -> String| -> String {
        rows.iter()
            .map(|(pattern, name)| line(pattern, name))
            .collect()
    };
    let array = |key: &str, others: serde_json::Value| -> Vec<serde_json::Value> {
        let element = |(pattern, name): &(String, String)| {
            let mut element = others.clone();
            element[key] = json!(pattern);
            element["name"] = json!(name);
            element
        };
        rows.iter().map(element).collect()
    };
    match format {
        0 => lines(&|pattern, name| format!("{pattern},{name}\n")),
        1 => lines(&|pattern, name| {
            let (pattern, name) = (pattern.replace('"', "\"\""), name.replace('"', "\"\""));
            format!("\"{pattern}\",\"{name}\",record=60,\"{name}\",message={name}\n")
        }),
        2 => lines(&|pattern, name| {
            format!("BEGIN:VCARD\nFN:{name}\nTEL:{pattern}\nTEL:2125550101\nEND:VCARD\n")
        }),
        3 => json!({ "entries": array("number", json!({})) }).to_string(),
        4 => json!({ "entries": array("name", json!({ "number": "" })) }).to_string(),
        5 => {
            json!({ "numbers": array("phone", json!({ "votes": 9, "rating": "G_F" })) }).to_string()
        }
        6 => lines(&|pattern, name| format!("\"{pattern}\" #= {name}\n")) + "^999\n",
        7 => {
            lines(&|pattern, name| format!("{pattern:<15}?   010110   {name}\n"))
                + "1?                 ------\n"
        }
        _ => {
            String::from("PhoneNo,Name,Reason\n")
                + &lines(&|pattern, name| format!("{pattern},{name},x\n"))
        }
    }
}

#[test]
fn what_stands_beside_the_old_list_is_found_from_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (
        folder.path().join("old/l.csv"),
        folder.path().join("new.csv"),
    );
    std::fs::create_dir(folder.path().join("old")).unwrap();
    std::fs::write(
        &old,
        "5055550101,Ann, Message = gone.wav ,hours=22:00-07:00\n5055550102,,message=/a/b.wav\n",
    )
    .unwrap();
    let converted = convert_lists(&american(), &[&old], &new);
    let gone = folder.path().join("old/gone.wav");
    let expected = format!(
        "5055550101,Ann,message={},hours=22:00-07:00\n5055550102,,message=/a/b.wav\n",
        gone.display()
    );
    assert_eq!(converted.text, expected);
    let there = convert_lists(&american(), &[&old], &folder.path().join("old/new.csv"));
    assert!(there.text.starts_with("5055550101,Ann,Message = gone.wav,"));
}

#[test]
fn a_name_of_several_lines_is_one_line() {
    let text = r#"{"entries":[{"number":"+41449999991","name":"\tA\n\u0000B\u0085 "},{"number":"+41449999992","name":"C"}]}"#;
    let loaded = List::parse("l".as_ref(), text.as_bytes());
    assert_eq!(name_of(&loaded, "+41449999991").as_deref(), Some("1:A  B"));
    assert_eq!(name_of(&loaded, "+41449999992").as_deref(), Some("1:C"));
}

#[test]
fn a_tab_or_a_semicolon_in_a_list_of_another_program_costs_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new.csv"));
    for (text, expected) in [
        (
            "BEGIN:VCARD\nFN:A\\;B\tC\nTEL:212\t5550102;ext=4\nEND:VCARD\n",
            "212 5550102,A;B C\n",
        ),
        (
            r#"{"entries":[{"number":"2125550103;ext=5","name":"a\tb"},{"name":"a\tb;c*"}]}"#,
            "2125550103;ext=5,a b\nname:a b;c*,\n",
        ),
        ("\"a\tb;c\" #= x;y\n^9\n", "name:*a b;c*,x;y\n9*,\n"),
    ] {
        std::fs::write(&old, text).unwrap();
        let converted = convert_lists(&american(), &[&old], &new);
        assert_eq!((&*converted.text, converted.problems), (expected, vec![]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_the_importer_says_it_used_reads_again_as_the_same(
        format in 0..9_usize,
        rows in proptest::collection::vec((
            prop_oneof![
                r"\+?[0-9]{3,11}[;,\t ]?[a-z0-9;]{0,3}",
                "[0-9+ ,;\t\"#\\[{}^=?*/|a-cP\u{85}\u{feff}ü-]{0,14}",
                "(name:)?/?[a-c*;\t\",\\\\?]{1,6}/?",
                Just("+12125550100-+12125550199".to_owned()),
                Just("505555*".to_owned()),
            ],
            "[0-9 ,;\t\"#\\[{=?*/a-c\u{85}\u{feff}ü]{0,10}",
        ), 1..6),
        number in "(505|212)555010[0-9]",
        name in "[a-c]{1,3}",
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new.csv"));
        std::fs::write(&old, in_format(format, &rows)).unwrap();
        let reading = american();
        let converted = convert_lists(&reading, &[&old], &new);
        let before = List::load_as(&reading, &[&old]);
        let again = List::parse_as(&reading, &new, converted.text.as_bytes());
        prop_assert_eq!(&again.problems, &[], "{}", converted.text);
        prop_assert_eq!(converted.text.lines().count(), converted.entries);
        if converted.entries > 0 {
            prop_assert_eq!(again.list.files().next().unwrap().format, Format::Csv);
        }
        let (was, is) = (entries(&before.list), entries(&again.list));
        if converted.problems.len() > before.bad_lines {
            // What no line can say is told.
            prop_assert!(is.iter().all(|entry| was.contains(entry)), "{was:#?} {is:#?}");
            return Ok(());
        }
        prop_assert_eq!(was, is, "{}", converted.text);
        let policy = |list| Policy { numbering: reading.numbering.clone(), block: Some(list), ..Policy::default() };
        let caller = Caller::from_line_in(&reading.numbering, Some(&number), Some(&name));
        let noon = Moment {
            instant: crate::clock::Timestamp::from_nanos(0),
            local: LocalTime { date: "2026-11-20".parse().unwrap(), minute: 720 },
        };
        let verdicts = [before.list, again.list].map(|list| policy(list).screen(&caller, noon));
        let [(a, b), (c, d)] = verdicts.map(|verdict| (verdict.class, verdict.reason));
        prop_assert_eq!((a, b), (c, d));
    }
}
