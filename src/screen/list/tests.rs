//! Lists as people and programs write them.

use super::*;
mod formats;
mod written;

use proptest::prelude::*;

fn parse(text: impl AsRef<[u8]>) -> Loaded {
    List::parse("l.csv".as_ref(), text.as_ref())
}

fn name_of(loaded: &Loaded, number: &str) -> Option<String> {
    let found = loaded.list.find(number)?;
    Some(format!("{}:{}", found.line, found.name.unwrap_or("-")))
}

#[test]
fn what_people_write_is_understood() {
    let loaded = parse(
        "\u{feff}01234,\r\n56789,Ben\r\n\r\n  # a comment\r\n5055550134,\"Look, there's a comma\"\r\n\
         5550101\r\n \"+1 (505) 555-0102\" , Example Solar , more, columns\r\nAnonymous,Nobody\r\n5550103,  \r\n",
    );
    assert_eq!(loaded.problems, []);
    assert!(loaded.list.is_whole() && loaded.errors.is_empty());
    assert_eq!(loaded.list.len(), 7);
    for (number, expected) in [
        ("01234", Some("1:-")),
        ("1234", None),
        ("001234", None),
        ("56789", Some("2:Ben")),
        ("505 555 0134", Some("5:Look, there's a comma")),
        ("5550101", Some("6:-")),
        ("15055550102", Some("7:Example Solar")),
        ("5055550102", Some("7:Example Solar")),
        (" ANONYMOUS ", Some("8:Nobody")),
        ("anonym", None),
        ("5550103", Some("9:-")),
        ("", None),
    ] {
        assert_eq!(name_of(&loaded, number).as_deref(), expected, "{number}");
    }
}

#[test]
fn a_bad_line_is_named_and_the_rest_is_used() {
    let long = format!("1{}\n", "x".repeat(9000));
    let text = format!(
        "5550101,good\n,no number\n\"\",none either\n  ,blank\n{long}{}\n5550102;semicolon\nx\0y\n5550103,good",
        "7".repeat(65)
    );
    let loaded = parse(text);
    let said: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "l.csv:2: the number is missing before the comma",
            "l.csv:3: the number is missing before the comma",
            "l.csv:4: the number is missing before the comma",
            "l.csv:5: this line is longer than 4096 characters",
            "l.csv:6: the number is longer than 64 characters",
            "l.csv:7: the columns must be separated by a comma",
            "l.csv:8: control characters: this is not a line of text",
        ]
    );
    assert_eq!(loaded.bad_lines, 7);
    assert_eq!(name_of(&loaded, "5550103").as_deref(), Some("9:good"));
    assert_eq!(loaded.list.len(), 2);
}

#[test]
fn an_extension_behind_a_semicolon_does_not_count() {
    let loaded =
        parse("\"+12015550870;ext=12\",A\n+12015550871;EXT=7,B\n5550102;ext=\n5550103;text=1\n");
    assert_eq!(loaded.bad_lines, 2);
    for (number, expected) in [("+12015550870", "1:A"), ("+12015550871", "2:B")] {
        assert_eq!(name_of(&loaded, number).as_deref(), Some(expected));
    }
}

#[test]
fn an_open_quote_ends_with_its_line() {
    let loaded = parse("5550101,\"open\n5550102,\"closed\"\n\"5550103\n5550104,\n");
    assert_eq!(loaded.bad_lines, 0);
    assert_eq!(name_of(&loaded, "5550101").as_deref(), Some("1:open"));
    assert_eq!(name_of(&loaded, "5550102").as_deref(), Some("2:closed"));
    assert_eq!(name_of(&loaded, "5550103").as_deref(), Some("3:-"));
    assert_eq!(name_of(&loaded, "5550104").as_deref(), Some("4:-"));
}

#[test]
fn latin_1_names_are_read() {
    let loaded = parse(b"5550101,V\xe4h\xe4l\xe4\n5550102,Zo\xc3\xab\n5550103,It\x92s me\n");
    assert_eq!(
        name_of(&loaded, "5550103").as_deref(),
        Some("3:It\u{fffd}s me")
    );
    assert_eq!(name_of(&loaded, "5550101").as_deref(), Some("1:Vähälä"));
    assert_eq!(name_of(&loaded, "5550102").as_deref(), Some("2:Zoë"));
}

#[test]
fn the_first_of_two_lines_counts_and_several_files_are_one_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let first = path("a.csv", "5550101,first\n\nprivate,text\n");
    let empty = path("b.csv", "");
    let second = path(
        "c.csv",
        "\u{feff}5550101,second\n5550102,other\n,bad\nPRIVATE,\n",
    );
    let loaded = List::load(&[&first, &empty, &second]);
    let found = loaded.list.find("5550101").unwrap();
    assert_eq!(
        (found.file, found.line, found.name),
        (first.as_path(), 1, Some("first"))
    );
    let found = loaded.list.find("5550102").unwrap();
    assert_eq!(
        (found.file, found.line, found.name),
        (second.as_path(), 2, Some("other"))
    );
    let found = loaded.list.find("private").unwrap();
    assert_eq!((found.file, found.line), (first.as_path(), 3));
    assert_eq!(
        (loaded.problems[0].file.as_path(), loaded.problems[0].line),
        (second.as_path(), 3)
    );
    assert_eq!(loaded.list.len(), 3);
}

#[test]
fn a_list_with_a_number_on_many_lines_counts_it_once() {
    let text = "5550101,a\nprivate,t\n".repeat(300) + "5550102\n5550101,b\n";
    let loaded = parse(&text);
    assert_eq!(loaded.list.len(), 3);
    assert_eq!(loaded.list.files().next().unwrap().exact, 3);
    assert_eq!(name_of(&loaded, "5550101").as_deref(), Some("1:a"));
    assert_eq!(name_of(&loaded, "PRIVATE").as_deref(), Some("2:t"));
    assert_eq!(name_of(&loaded, "5550102").as_deref(), Some("601:-"));
}

#[test]
fn regular_expressions_have_room_for_so_many_in_all_files_of_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    // Each takes 64 kB at most: 32 have room.
    let large = |from: usize, to: usize| -> String {
        let lines = (from..to).map(|index| format!("/([0-9]+[a-z]?){{190}}x{index}/,large\n"));
        lines.collect()
    };
    file("a.csv", &large(0, 20));
    file("b.csv", &(large(20, 40) + "5550101,\nname:/ok/,\n"));
    let paths = [folder.path()];
    let loaded = List::load(&paths);
    assert_eq!((loaded.list.len(), loaded.bad_lines), (33, 9));
    assert!(loaded.problems[0].to_string().ends_with(
        "b.csv:13: the regular expressions of the list take more than 2 MB together; this one is left out"
    ));
    // A file that has vanished keeps its room; one that is read again has not taken it twice.
    std::fs::remove_file(folder.path().join("a.csv")).unwrap();
    let again = loaded.list.reload(&Reading::default(), &paths);
    assert_eq!((again.list.len(), again.bad_lines), (33, 9));
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_the_others_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.csv");
    std::fs::write(&good, "5550101,\n").unwrap();
    let loaded = List::load(&[
        Path::new("/dev/null"),
        &folder.path().join("absent.csv"),
        &good,
    ]);
    assert_eq!(loaded.errors.len(), 2);
    assert!(loaded.errors[0].to_string().contains("it is not a file"));
    assert!(!loaded.list.is_whole());
    assert!(loaded.list.find("5550101").is_some());
}

#[test]
fn the_lists_we_ship_are_good() {
    for (name, count) in [("blocklist", 6), ("allowlist", 4)] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let loaded = List::load(&[root.join(format!("examples/{name}.csv"))]);
        assert_eq!((loaded.problems, loaded.list.len()), (vec![], count));
        assert!(loaded.errors.is_empty());
    }
}

#[test]
fn problems_are_bounded_but_counted() {
    let loaded = parse(",x\n".repeat(5000));
    assert_eq!(
        (loaded.problems.len(), loaded.bad_lines),
        (MAX_PROBLEMS, 5000)
    );
    assert!(loaded.list.is_empty() && loaded.list.has_bad_lines());
}

#[test]
fn numbers_of_any_length_are_exact() {
    let texts: Vec<String> = (1..=64).map(|length| "0".repeat(length)).collect();
    for (index, text) in texts.iter().enumerate() {
        let loaded = parse(format!("{text},"));
        for (other, number) in texts.iter().enumerate() {
            assert_eq!(loaded.list.find(number).is_some(), index == other);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_list(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let loaded = parse(&bytes);
        let _ = loaded.list.find(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn what_looks_like_a_list_never_panics(text in "([0-9a-zP+,;\"# \t\r]{0,12}\n?){0,12}") {
        let loaded = parse(&text);
        for line in text.split('\n') {
            let _ = loaded.list.find(line);
        }
        prop_assert!(loaded.list.len() + loaded.bad_lines <= text.split('\n').count());
    }

    #[test]
    fn a_line_means_the_same_to_us_as_to_csv(line in "[0-9a-z+, .\"]{1,40}") {
        let mut record = csv::StringRecord::new();
        csv::ReaderBuilder::new().has_headers(false).flexible(true)
            .from_reader(line.as_bytes()).read_record(&mut record).unwrap();
        let row = format::columns_of(&line);
        let columns = [row.pattern, row.name].into_iter().chain(row.columns);
        let theirs = record.iter().chain(record.get(1).is_none().then_some(""));
        prop_assert_eq!(columns.collect::<Vec<_>>(), theirs.collect::<Vec<_>>());
    }

    #[test]
    fn every_number_is_found_and_no_other(numbers in proptest::collection::vec("[0-9]{1,22}", 1..40), other in "[0-9]{1,22}") {
        let loaded = parse(numbers.join(",x\n"));
        for number in &numbers {
            prop_assert!(loaded.list.find(number).is_some());
        }
        prop_assert_eq!(loaded.list.find(&other).is_some(), numbers.contains(&other));
    }
}
