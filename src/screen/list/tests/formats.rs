//! Lists of other programs, as those programs write them.

use super::*;
use crate::screen::Caller;
use crate::screen::time::LocalTime;

fn american() -> Reading {
    Reading {
        numbering: Numbering::new("US".parse().ok()),
        ..Reading::default()
    }
}

fn read(reading: &Reading, text: &str) -> Loaded {
    List::parse_as(reading, "l".as_ref(), text.as_bytes())
}

/// Line and name of the first line that matches a caller.
fn first(loaded: &Loaded, number: &str, name: &str) -> Option<(u32, String)> {
    let caller = Caller::from_line(Some(number), Some(name));
    let asked = Asked::new(&loaded.list.numbering, &caller);
    let now = LocalTime {
        date: "2026-11-20".parse().unwrap(),
        minute: 0,
    };
    let found = loaded.list.matching(&asked, Some(now));
    let found = found.first()?;
    Some((found.line, found.name.unwrap_or_default().to_owned()))
}

fn format_of(loaded: &Loaded) -> Format {
    loaded.list.files().next().unwrap().format
}

#[test]
fn contacts_of_a_telephone_are_numbers_with_names() {
    let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Example;Ann;;;\r\nFN:Ann \r\n Example\r\n\
        item1.TEL;type=CELL:(505) 555-0101\r\nTEL;TYPE=home,voice:+1 505 555 0102\r\nEND:VCARD\r\n\
        begin:vcard\nVERSION:4.0\nN:Last;First;;;\nTEL;VALUE=uri;TYPE=cell:tel:+33-6-12-34-56-78;ext=4\n\
        PHOTO:data:image/jpeg;base64,AAAA\n AAAA\nTEL:*21#\nEND:VCARD\n";
    let loaded = read(&american(), text);
    assert_eq!(format_of(&loaded), Format::VCard);
    assert_eq!(
        first(&loaded, "5055550101", ""),
        Some((6, "Ann Example".into()))
    );
    assert_eq!(
        first(&loaded, "15055550102", ""),
        Some((7, "Ann Example".into()))
    );
    assert_eq!(
        first(&loaded, "01133612345678", ""),
        Some((12, "First Last".into()))
    );
    let said: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["l:15: this contact's number is not a telephone number"]
    );
    assert_eq!(loaded.list.len(), 3);
}

#[test]
fn contacts_of_older_telephones_are_quoted_printable() {
    let text = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;\r\n\
        FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg=20=\r\nM=C3=BC=\r\nller\r\nTEL;CELL:505-555-0101\r\n\
        TEL;WORK;PREF;QUOTED-PRINTABLE:+1=20505=2D555=2D0102\r\nNOTE;ENCODING=QUOTED-PRINTABLE:a=\r\n\
        TEL:5055550199\r\nEND:VCARD\r\n\
        BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Caf=E9 =3D 1=;;;;\n\
        TEL;HOME:5055550103\nEND:VCARD\n\
        BEGIN:VCARD\nVERSION:4.0\nFN:Bob\\, Jr.\nTEL;VALUE=uri;TYPE=\"x;y:z\":tel:+15055550104;ext=5\n\
        TEL:5055550105,,22\nEND:VCARD\n";
    let loaded = read(&american(), text);
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.list.len(), 5);
    for (number, line, name) in [
        ("5055550101", 7, "Jörg Müller"),
        ("5055550102", 8, "Jörg Müller"),
        ("5055550103", 15, "Café = 1="),
        ("5055550104", 20, "Bob, Jr."),
        ("5055550105", 21, "Bob, Jr."),
    ] {
        assert_eq!(first(&loaded, number, ""), Some((line, name.into())));
    }
}

#[test]
fn an_ncid_list_matches_parts_of_names_and_numbers() {
    let text = "# ncidd.blacklist\n\n\"BAD MARKETING\" 407-555-5670 #= Unwanted\n^999 ^1?998\n^TOLL\n\"[AB]x\"\n\
        PRIVATE\nOUT-OF-AREA #= Far\n";
    let loaded = read(&american(), text);
    assert_eq!(format_of(&loaded), Format::Ncid);
    for (number, name, line) in [
        ("5055550101", "THE BAD MARKETING CO", Some(3)),
        ("4075555670", "", Some(3)),
        ("9995550101", "", Some(4)),
        ("9985550101", "", Some(4)),
        ("5059990101", "", None),
        ("5055550101", "TOLL FREE", Some(5)),
        ("5055550101", "NO TOLL", None),
        ("P", "", Some(7)),
        ("5055550101", "PRIVATE", Some(7)),
        ("O", "O", Some(8)),
    ] {
        assert_eq!(
            first(&loaded, number, name).map(|found| found.0),
            line,
            "{number} {name}"
        );
    }
    assert_eq!(first(&loaded, "4075555670", "").unwrap().1, "Unwanted");
    assert_eq!((loaded.bad_lines, loaded.problems[0].line), (1, 6));
}

#[test]
fn a_jcblock_list_matches_parts_of_caller_id_lines() {
    let text = "# Tested field:    Date field:\n8005551212?        ------         JUNK CALL\n\
        Cell Phone   CA?   010110        ALL CA CELL PHONES\nNMBR = 809?        032510        BAD AREA CODE\n\
        91313?             ++++++        BAD NUMBER\nno mark\n\
        P?                 ------         PRIVATE\nUNAVAILABLE?       010110        POLITICAL CALLS\n";
    let loaded = read(&american(), text);
    assert_eq!(format_of(&loaded), Format::Jcblock);
    for (number, name, line) in [
        ("18005551212", "", Some(2)),
        ("5055550101", "Cell Phone   CA", Some(3)),
        ("8095550101", "", Some(4)),
        ("5058095501", "", None),
        ("5059131301", "", Some(5)),
        ("P", "P", Some(7)),
        ("5055550101", "PETER PAN", None),
        ("O", "O", Some(8)),
        ("5055550101", "UNAVAILABLE", Some(8)),
    ] {
        assert_eq!(
            first(&loaded, number, name).map(|found| found.0),
            line,
            "{number} {name}"
        );
    }
    assert_eq!(first(&loaded, "8005551212", "").unwrap().1, "JUNK CALL");
    assert_eq!(loaded.problems.len(), 1);
}

#[test]
fn callattendant_exports_and_databases_are_read() {
    let quoted = read(
        &american(),
        "\"PhoneNo\",\"Name\",\"Reason\"\n\"5055550101\",\"Ann\",\"x\"\n",
    );
    assert_eq!(
        (format_of(&quoted), quoted.list.len()),
        (Format::CallattendantCsv, 1)
    );
    let text = "PhoneNo,Name,Reason\n505-555-0101,\"Solar, Inc\",hangup\n5055550102,,Nomorobo\n";
    let loaded = read(&american(), text);
    assert_eq!(format_of(&loaded), Format::CallattendantCsv);
    assert_eq!(
        first(&loaded, "5055550101", ""),
        Some((2, "Solar, Inc".into()))
    );
    assert_eq!(
        first(&loaded, "5055550102", ""),
        Some((3, "Nomorobo".into()))
    );
    assert!(!loaded.list.has_actions());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("callattendant.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch(
            "CREATE TABLE Whitelist(PhoneNo TEXT PRIMARY KEY, Name TEXT, Reason TEXT, SystemDateTime TEXT);
             CREATE TABLE Blacklist(PhoneNo TEXT PRIMARY KEY, Name TEXT, Reason TEXT, SystemDateTime TEXT);
             INSERT INTO Whitelist VALUES('5055550101', 'Friend', '', '');
             INSERT INTO Blacklist VALUES('5055550102', NULL, 'spam', ''), ('800*', 'Free', '', '');",
        )
        .unwrap();
    drop(database);
    let block = List::load_as(&american(), &[&path]);
    assert_eq!(format_of(&block), Format::CallattendantDatabase);
    assert_eq!(first(&block, "5055550102", ""), Some((1, "spam".into())));
    assert_eq!(first(&block, "8005550102", ""), Some((2, "Free".into())));
    assert_eq!(first(&block, "5055550101", ""), None);
    let allow = List::load_as(
        &Reading {
            side: Side::Allow,
            ..american()
        },
        &[&path],
    );
    assert_eq!(first(&allow, "5055550101", ""), Some((1, "Friend".into())));
    let torn = List::parse(folder.path(), b"SQLite format 3\0 and nothing more");
    assert!(!torn.list.is_whole());
}

#[test]
fn json_lists_are_read() {
    let text = "{\n \"name\": \"main\",\n \"entries\": [\n  {\"name\": \"One\", \"number\": \"+41449999999\"},\n\
        \n  {\"comment\": \"Range\", \"number\": \"+4144888\"},\n  {\"name\": \"SPAM*\"}, {}\n ]\n}\n";
    let loaded = read(&Reading::default(), text);
    assert_eq!(format_of(&loaded), Format::CallblockerJson);
    assert_eq!(first(&loaded, "+41449999999", ""), Some((4, "One".into())));
    assert_eq!(
        first(&loaded, "+41448881234", ""),
        Some((6, "Range".into()))
    );
    assert_eq!(first(&loaded, "+41441111111", "Spam caller").unwrap().0, 7);
    assert_eq!(loaded.bad_lines, 1);

    let text = r#"{"numbers":[{"phone":"+4915112345678","rating":"E_ADVERTISING","votes":12},
        {"phone":"+4930123456","rating":"C_PING","votes":2},
        {"phone":"+4930123457","rating":"A_LEGITIMATE","votes":50},
        {"phone":"+4930123458","rating":"Z_NEW","votes":0}],"version":42}"#;
    let loaded = read(&Reading::default(), text);
    assert_eq!(format_of(&loaded), Format::PhoneBlockJson);
    assert_eq!(
        (loaded.list.len(), loaded.left_out, loaded.bad_lines),
        (1, 3, 0)
    );
    assert_eq!(
        first(&loaded, "+4915112345678", ""),
        Some((1, "12 votes advertising".into()))
    );

    for text in ["{\n\"entries\": [\n}", "{}", "[1, 2]"] {
        let loaded = read(&Reading::default(), text);
        assert_eq!((loaded.bad_lines, loaded.list.len()), (1, 0), "{text}");
    }
}

#[test]
fn entries_of_a_json_list_on_one_line_keep_their_names() {
    let text = r#"{"entries":[{"number":"+41449999991","name":"Foo"},{"number":"+41449999992","name":"Bar"},{},{"number":"+41449999993","name":"Baz"}]}"#;
    let loaded = read(&Reading::default(), text);
    for (number, name) in [
        ("+41449999991", "Foo"),
        ("+41449999992", "Bar"),
        ("+41449999993", "Baz"),
    ] {
        assert_eq!(first(&loaded, number, ""), Some((1, name.into())));
    }
    assert_eq!(
        loaded.problems[0].to_string(),
        "l:1: entry 3 has neither number nor name"
    );
}

#[test]
fn entries_of_a_json_list_have_their_own_name_and_line_however_they_are_laid_out() {
    // Some share a line, one is on several, and one repeats what another has in another place; escapes.
    let text = "{\"entries\":[{\"name\":\"+4144111\",\"number\":\"+41449999991\"}, {\"number\":\"+41449999992\",\"name\":\"Bar\"},\n\
        {\n\"name\": \"Baz\",\n\"number\": \"\\u002b41449999993\"\n}, {\"number\":\"+4144111\"}, {\"name\":\"SPAM*\"},\n\n\
        {\"name\":\"a\\nb\",\"number\":\"+41449999994\"},{\"number\":\"+41449999994\",\"name\":\"twice\"}]}";
    let loaded = read(&Reading::default(), text);
    for (number, line, name) in [
        ("+41449999991", 1, "+4144111"),
        ("+41449999992", 1, "Bar"),
        ("+41449999993", 4, "Baz"),
        ("+41441111111", 5, ""),
        ("+41449999994", 7, "a b"),
    ] {
        assert_eq!(first(&loaded, number, ""), Some((line, name.into())));
    }
    assert_eq!(first(&loaded, "+4930123456", "SPAM X").unwrap().0, 5);
    assert_eq!((loaded.bad_lines, loaded.list.len()), (0, 6));
}

#[test]
fn a_comma_behind_the_last_entry_of_a_json_list_does_no_harm() {
    let text = "{\n \"entries\": [\n  {\"name\": \"a,]\\\",}\", \"number\": \"+41449999991\",},\n\
        {\"number\": \"+41449999992\"} , \n ]\n,}";
    let loaded = read(&Reading::default(), text);
    assert_eq!(loaded.problems, []);
    assert_eq!(
        first(&loaded, "+41449999991", ""),
        Some((3, "a,]\",}".into()))
    );
    assert_eq!(first(&loaded, "+41449999992", ""), Some((4, String::new())));
    let loaded = read(&Reading::default(), "{\n\"entries\": [{},,\n{}]}");
    assert_eq!((loaded.bad_lines, loaded.problems[0].line), (1, 2));
}

#[test]
fn a_wrong_entry_of_a_json_list_does_not_cost_the_others() {
    for text in [
        r#"{"numbers":[{"phone":"+4917650642602","votes":5},{"phone":"+4917650642603","rating":7},
            {"votes":9}, 3, null, {"phone":"+4917650642605","votes":5}]}"#,
        r#"{"entries":[{"number":"+4917650642602"},{"number":7},{"name":[]},"x",{"comment":null},
            {"number":"+4917650642605"}]}"#,
    ] {
        let loaded = read(&Reading::default(), text);
        assert_eq!((loaded.list.len(), loaded.bad_lines), (2, 4), "{text}");
        for number in ["+4917650642602", "+4917650642605"] {
            assert!(first(&loaded, number, "").is_some(), "{number}");
        }
    }
}

#[test]
fn complaints_count_from_the_third_on_while_they_are_young() {
    let mut text = String::from(
        "Company_Phone_Number,Created_Date,Violation_Date,Consumer_City,Consumer_State,Consumer_Area_Code,Subject,Recorded_Message_Or_Robocall\n",
    );
    for (number, date) in [
        ("5055550101", "2026-11-01 10:00:00"),
        ("5055550102", "2026-11-01 10:00:00"),
        ("5055550101", "2026-11-02 10:00:00"),
        ("5055550101", "2026-11-03 10:00:00"),
        ("5055550102", "2025-11-01 10:00:00"),
        ("5055550102", "2026-11-02 10:00:00"),
        ("", "2026-11-02 10:00:00"),
        ("5055550103", "soon"),
    ] {
        text += number;
        text += ",";
        text += date;
        text += ",2026-11-01 00:00:00,,New Mexico,505,Other,Y\n";
    }
    let mut reading = american();
    reading.complaints.today = Some("2026-11-20".parse().unwrap());
    let loaded = read(&reading, &text);
    assert_eq!(format_of(&loaded), Format::FtcComplaints);
    assert_eq!(
        first(&loaded, "5055550101", ""),
        Some((2, "3 complaints".into()))
    );
    assert_eq!(first(&loaded, "5055550102", ""), None);
    assert_eq!((loaded.bad_lines, loaded.left_out), (1, 3));
    reading.complaints.min = 2;
    assert!(first(&read(&reading, &text), "5055550102", "").is_some());
}

#[test]
fn any_list_is_converted_and_decides_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "a.csv",
        "5055550101,\"A, B\",hangup,until=2027-01-31\n\"/^\\+1900\\d{7}$/\",Dear\n,bad\n# no\n",
    );
    write(
        "b.vcf",
        "BEGIN:VCARD\nFN:Ann\nTEL:5055550102\nTEL:5055550102\nEND:VCARD\n",
    );
    write("c.dat", "Cell Phone   CA?   010110        CELL\n");
    write(".hidden", "5055550199\n");
    let converted = convert_lists(
        &american(),
        &[folder.path(), Path::new("/nonexistent/x")],
        &folder.path().join("new.csv"),
    );
    assert_eq!(
        converted.text,
        "5055550101,\"A, B\",hangup,until=2027-01-31\n/^\\+1900\\d{7}$/,Dear\n5055550102,Ann\nname:*Cell Phone   CA*,CELL\n"
    );
    assert_eq!((converted.entries, converted.repeated), (4, 1));
    assert_eq!((converted.problems.len(), converted.errors.len()), (1, 1));
    let kinds: Vec<Format> = converted.files.iter().map(|file| file.1).collect();
    assert_eq!(kinds, [Format::Csv, Format::VCard, Format::Jcblock]);
    let again = read(&american(), &converted.text);
    assert_eq!(again.bad_lines, 0);
    let before = List::load_as(&american(), &[folder.path()]);
    for (number, name) in [
        ("5055550101", ""),
        ("9005550101", ""),
        ("5055550102", ""),
        ("5055550199", "CELL PHONE CA"),
        ("5055550199", ""),
    ] {
        let (old, new) = (first(&before, number, name), first(&again, number, name));
        assert_eq!(
            old.map(|found| found.1),
            new.map(|found| found.1),
            "{number} {name}"
        );
    }
}

#[test]
fn what_cannot_be_read_again_is_not_converted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("l.csv");
    let long = "9".repeat(65);
    std::fs::write(&file, format!("5055550101;Ann\n{long}\n5055550102\tBob\n")).unwrap();
    let converted = convert_lists(&american(), &[&file], &file);
    assert_eq!(converted.text, "");
    assert_eq!(converted.problems.len(), 3);
    // Nor what would make the new list look like one of another program.
    std::fs::write(&file, "\"[AB]x\",\"A\"\n\"PhoneNo\",B\n").unwrap();
    let converted = convert_lists(&american(), &[&file], &file);
    assert_eq!(converted.text, "\"[AB]x\",\"A\"\n");
    assert_eq!(converted.problems.len(), 1);
}

#[test]
fn a_file_that_vanished_keeps_its_last_content() {
    let folder = tempfile::tempdir().unwrap();
    let (lists, alone) = (folder.path().join("lists"), folder.path().join("alone.csv"));
    std::fs::create_dir(&lists).unwrap();
    let (a, b) = (lists.join("a.csv"), lists.join("b.csv"));
    std::fs::write(&a, "5055550101,\n").unwrap();
    std::fs::write(&b, "5055550101,\n5055550102,\n").unwrap();
    std::fs::write(&alone, "5055550103,\n").unwrap();
    let paths = [lists.as_path(), alone.as_path()];
    let reading = american();
    let old = List::load_as(&reading, &paths).list;
    assert_eq!((old.len(), old.is_whole()), (3, true));

    std::fs::write(&a, "5055550104,\n,bad\n").unwrap();
    std::fs::remove_file(&b).unwrap();
    std::fs::remove_file(&alone).unwrap();
    let loaded = old.reload(&reading, &paths);
    for (number, there) in [
        ("5055550101", true),
        ("5055550102", true),
        ("5055550103", true),
        ("5055550104", true),
    ] {
        assert_eq!(loaded.list.find(number).is_some(), there, "{number}");
    }
    assert!(loaded.list.is_whole());
    assert_eq!((loaded.errors.len(), loaded.bad_lines), (2, 1));
    assert!(loaded.errors.iter().all(|error| error.kept));
    assert!(
        loaded.errors[0]
            .to_string()
            .contains("; what it held before stays in force")
    );

    // Still kept when it is read once more, also if the folder has gone; then the file comes back.
    std::fs::remove_dir_all(&lists).unwrap();
    std::fs::write(&alone, "5055550105,\n").unwrap();
    let loaded = loaded.list.reload(&reading, &paths);
    assert_eq!(loaded.errors.len(), 2);
    assert!(loaded.list.find("5055550104").is_some() && loaded.list.find("5055550102").is_some());
    assert!(loaded.list.find("5055550105").is_some() && loaded.list.find("5055550103").is_none());
}

proptest! {
    #[test]
    fn no_file_makes_a_reader_stumble(start in 0..9_usize, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let starts: [&[u8]; 9] = [
            b"", b"BEGIN:VCARD\nTEL:1", b"{\"entries\":[", b"{\"numbers\":[", b"^1\n", b"PhoneNo,Name\n",
            b"Company_Phone_Number,\n5055550101,2026-", b"8005551212?        ------ x\n", b"# ncidd\n\"",
        ];
        let loaded = List::parse("l".as_ref(), &[starts[start], &bytes].concat());
        let _ = loaded.list.len();
    }

    #[test]
    fn a_line_in_the_fast_way_is_the_same_as_in_the_slow_one(
        country in proptest::option::of(0..3_usize), number in r"[+0-9(. -]{0,6}[0-9) ./-]{1,14}", name in "[a-z ]{0,5}",
    ) {
        let numbering = Numbering::new(country.and_then(|index| ["US", "DE", "GB"][index].parse().ok()));
        let reading = Reading { numbering, ..Reading::default() };
        let fast = read(&reading, &format!("{number},{name}"));
        let slow = read(&reading, &format!("\"{number}\",{name}"));
        let (fast_found, slow_found) = (fast.list.find(&number), slow.list.find(&number));
        prop_assert_eq!(fast_found, slow_found);
        prop_assert_eq!(fast.bad_lines, slow.bad_lines);
    }
}
