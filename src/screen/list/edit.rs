//! Changing a list that a person keeps: his comments, order and spelling stay as they are.
//!
//! Text in, text out; only [`write_atomically`] touches the disk.

use super::Format;
use super::entry::Entry;
use super::format::{Row, columns_of, decode, recognise};
use super::pattern::Pattern;
use crate::screen::asked::Exact;
use crate::screen::numbering::Numbering;
use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

/// A list could not be changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EditError {
    /// It is not written in our format.
    #[error("this is a list of another kind ({0}); convert it first")]
    NotOurs(Format),
    /// The number or pattern is none.
    #[error("{0}")]
    BadPattern(Cow<'static, str>),
}

/// A list with a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edited {
    /// The whole list. Bytes, since a list need not be UTF-8.
    pub text: Vec<u8>,
    /// Whether it differs from what it was.
    pub changed: bool,
    /// The lines, from 1, that were added, were there already, or were removed.
    pub lines: Vec<u32>,
}

/// Adds a number or a pattern at the end; nothing if it is there already. `columns` are what stands
/// behind the name: an action, a time.
pub fn add_entry(
    list: &[u8],
    numbering: &Numbering,
    pattern: &str,
    name: &str,
    columns: &[&str],
) -> Result<Edited, EditError> {
    let wanted = Wanted::new(list, numbering, pattern)?;
    let row = Row {
        pattern: pattern.trim().into(),
        name: name.into(),
        columns: columns
            .iter()
            .map(|column| Cow::Borrowed(*column))
            .collect(),
    };
    let folder = Path::new("");
    let new = Entry::read(&row, numbering, folder)
        .and_then(|entry| entry.written(&row, numbering, folder))
        .map_err(EditError::BadPattern)?;
    let same = |line: &[u8]| match columns {
        [] => wanted.is_on(line),
        _ => decode(line).trim() == new,
    };
    let there = numbered(list).find(|(_, line)| same(line));
    if let Some((line, _)) = there {
        return Ok(Edited {
            text: list.to_vec(),
            changed: false,
            lines: vec![line],
        });
    }
    let end = line_end(list);
    let mut text = list.to_vec();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.extend(end);
    }
    text.extend(new.as_bytes());
    text.extend(end);
    let line = numbered(&text).last().map_or(1, |(line, _)| line);
    Ok(Edited {
        text,
        changed: true,
        lines: vec![line],
    })
}

/// Removes every line with this number, however it is written there, or with this pattern.
pub fn remove_entry(
    list: &[u8],
    numbering: &Numbering,
    pattern: &str,
) -> Result<Edited, EditError> {
    let wanted = Wanted::new(list, numbering, pattern)?;
    let mut edited = Edited {
        text: Vec::with_capacity(list.len()),
        changed: false,
        lines: Vec::new(),
    };
    for (number, line) in numbered(list) {
        if wanted.is_on(line) {
            edited.lines.push(number);
            edited.changed = true;
        } else {
            edited.text.extend(line);
        }
    }
    Ok(edited)
}

/// How lines end in this list.
pub fn line_end(list: &[u8]) -> &'static [u8] {
    let first = list.split_inclusive(|byte| *byte == b'\n').next();
    if first.is_some_and(|line| line.ends_with(b"\r\n")) {
        b"\r\n"
    } else {
        b"\n"
    }
}

/// Lines with their numbers and ends.
fn numbered(list: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    (1..).zip(list.split_inclusive(|byte| *byte == b'\n'))
}

/// What is looked for in a list.
struct Wanted<'a> {
    numbering: &'a Numbering,
    exact: Option<Exact>,
    text: &'a str,
}

impl<'a> Wanted<'a> {
    fn new(list: &[u8], numbering: &'a Numbering, pattern: &'a str) -> Result<Self, EditError> {
        let text = pattern.trim();
        match recognise(list) {
            Format::Csv => {}
            other => return Err(EditError::NotOurs(other)),
        }
        if text.is_empty() {
            return Err(EditError::BadPattern("there is no number".into()));
        }
        let exact = match Pattern::of_row(text, numbering).map_err(EditError::BadPattern)? {
            Pattern::Exact(exact) => Some(exact),
            _ => None,
        };
        Ok(Self {
            numbering,
            exact,
            text,
        })
    }

    fn is_on(&self, line: &[u8]) -> bool {
        let line = decode(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line));
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return false;
        }
        let row = columns_of(line);
        let pattern = row.pattern.trim();
        match &self.exact {
            None => pattern.eq_ignore_ascii_case(self.text),
            Some(exact) => {
                matches!(Pattern::read(pattern, self.numbering), Ok(Pattern::Exact(found)) if found == *exact)
            }
        }
    }
}

/// Replaces a file as a whole: whoever reads it sees the old one or the new one, also after a power
/// cut. Its permissions stay, and its owner and group as far as we may give files away; a link stays a
/// link.
pub fn write_atomically(path: &Path, text: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    // Hidden, so that a folder of lists does not show it.
    let new = folder.join(format!(
        ".{}.{}.tmp",
        name.to_string_lossy(),
        std::process::id()
    ));
    let written = write_new(&new, text, &target).and_then(|()| fs::rename(&new, &target));
    if written.is_err() {
        // What was the matter is what counts, not that the rest of it is left.
        let _ = fs::remove_file(&new);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_new(new: &Path, text: &[u8], old: &Path) -> io::Result<()> {
    // One of this name can only be what a process of our number left when it was killed.
    let _ = fs::remove_file(new);
    let mut file = OpenOptions::new().write(true).create_new(true).open(new)?;
    if let Ok(old) = fs::metadata(old) {
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
            // The daemon may be of another user than the one who edits. Who is not root can still keep
            // one of his groups; that he cannot keep the rest is no reason to refuse.
            let _ = fchown(&file, Some(old.uid()), Some(old.gid()))
                .or_else(|_| fchown(&file, None, Some(old.gid())));
        }
        file.set_permissions(old.permissions())?;
    }
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::{List, Policy};
    use proptest::prelude::*;

    const LIST: &str = "\u{feff}# my list\r\n\r\n5055550101,Family\r\n  (505) 555-0102 ,\"A, B\" # x\r\n+1900*,Dear\r\n# end";

    fn edit(result: Result<Edited, EditError>) -> (String, bool, Vec<u32>) {
        let edited = result.unwrap();
        (
            String::from_utf8(edited.text).unwrap(),
            edited.changed,
            edited.lines,
        )
    }

    #[test]
    fn a_line_is_added_at_the_end_in_the_manner_of_the_file() {
        let us = Numbering::new("US".parse().ok());
        let (text, changed, lines) = edit(add_entry(
            LIST.as_bytes(),
            &us,
            "5055550177",
            "Joe, \"J\"",
            &["until=2027-01-31"],
        ));
        assert_eq!(
            text,
            format!("{LIST}\r\n5055550177,\"Joe, \"\"J\"\"\",until=2027-01-31\r\n")
        );
        assert_eq!((changed, lines), (true, vec![7]));
        let crlf = "5055550101,a\r\n";
        assert_eq!(
            edit(add_entry(crlf.as_bytes(), &us, "1,", "", &[])).0,
            "5055550101,a\r\n\"1,\",\r\n"
        );
        let without_end = "# mine\r\n5055550101,a";
        assert_eq!(
            edit(add_entry(
                without_end.as_bytes(),
                &us,
                "5055550102",
                "b",
                &[]
            ))
            .0,
            "# mine\r\n5055550101,a\r\n5055550102,b\r\n"
        );
        assert_eq!(
            edit(add_entry(b"", &us, "5055550101", "", &[])).0,
            "5055550101,\n"
        );
    }

    #[test]
    fn what_is_there_is_not_added_again() {
        let us = Numbering::new("US".parse().ok());
        for (pattern, line) in [("+15055550101", 3), ("505-555-0102", 4), ("+1900*", 5)] {
            let edited = edit(add_entry(LIST.as_bytes(), &us, pattern, "x", &[]));
            assert_eq!(edited, (LIST.into(), false, vec![line]), "{pattern}");
        }
    }

    #[test]
    fn a_number_is_removed_however_it_is_written_and_the_rest_stays() {
        let us = Numbering::new("US".parse().ok());
        let (text, changed, lines) = edit(remove_entry(LIST.as_bytes(), &us, "+1 505 555 0102"));
        assert_eq!(text, LIST.replace("  (505) 555-0102 ,\"A, B\" # x\r\n", ""));
        assert_eq!((changed, lines), (true, vec![4]));
        assert_eq!(edit(remove_entry(LIST.as_bytes(), &us, "+1900*")).2, [5]);
        assert_eq!(
            edit(remove_entry(LIST.as_bytes(), &us, "5055550199")),
            (LIST.into(), false, vec![])
        );
        let latin_1 = b"5055550101,V\xe4h\n5055550102,\n";
        assert_eq!(
            remove_entry(latin_1, &us, "5055550102").unwrap().text,
            b"5055550101,V\xe4h\n"
        );
    }

    #[test]
    fn a_foreign_list_and_a_bad_pattern_are_refused() {
        let us = Numbering::new("US".parse().ok());
        let vcard = b"BEGIN:VCARD\nTEL:5055550101\nEND:VCARD\n";
        assert_eq!(
            add_entry(vcard, &us, "1", "", &[]),
            Err(EditError::NotOurs(Format::VCard))
        );
        assert!(matches!(
            add_entry(b"", &us, "/(/", "", &[]),
            Err(EditError::BadPattern(_))
        ));
        assert!(matches!(
            add_entry(b"", &us, " ", "", &[]),
            Err(EditError::BadPattern(_))
        ));
        assert!(matches!(
            add_entry(b"", &us, "5055550101;Ann", "", &[]),
            Err(EditError::BadPattern(_))
        ));
        assert!(matches!(
            add_entry(b"", &us, "1\n2", "", &[]),
            Err(EditError::BadPattern(_))
        ));
        assert!(matches!(
            add_entry(b"", &us, "1", "", &["until=never"]),
            Err(EditError::BadPattern(_))
        ));
    }

    #[test]
    fn no_name_makes_the_list_look_like_one_of_another_kind() {
        let us = Numbering::new("US".parse().ok());
        let list = "5055550101,Family\n";
        for name in [
            "A #= B",
            "#= ncidd",
            "ncidd",
            "Who?          010110  X",
            "^1",
            "[{",
        ] {
            let (text, ..) = edit(add_entry(list.as_bytes(), &us, "5055550177", name, &[]));
            let loaded = List::parse("l".as_ref(), text.as_bytes());
            let formats: Vec<Format> = loaded.list.files().map(|file| file.format).collect();
            assert_eq!(formats, [Format::Csv], "{name}");
            assert!(loaded.list.find("5055550101").is_some(), "{name}");
            assert!(loaded.list.find("5055550177").is_some(), "{name}");
        }
        for pattern in ["^1", "PhoneNo", "BEGIN:VCARD", "a #= b"] {
            let refused = add_entry(list.as_bytes(), &us, pattern, "", &[]);
            assert!(
                matches!(refused, Err(EditError::BadPattern(_))),
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (
            folder.path().join("list.csv"),
            folder.path().join("link.csv"),
        );
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        // Only root can give a file away; others see here that failing to do so is no failure.
        let given_away = std::os::unix::fs::chown(&file, Some(1), Some(1)).is_ok();
        write_atomically(&file, b"newer").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"newer");
        assert_eq!(fs::metadata(&file).unwrap().uid() == 1, given_away);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(write_atomically(&folder.path().join("absent/list.csv"), b"").is_err());
    }

    proptest! {
        #[test]
        fn what_was_added_is_found_and_what_was_removed_is_not(
            list in "([0-9]{3,12},[a-z]{0,3}\n){0,6}", number in "[0-9]{3,12}", name in "[a-z,\" ]{0,8}",
        ) {
            let numbering = Policy::default().numbering;
            let added = add_entry(list.as_bytes(), &numbering, &number, &name, &[]).unwrap();
            prop_assert!(added.text.starts_with(list.as_bytes()));
            let find = |text: &[u8]| List::parse("l".as_ref(), text).list.find(&number).map(|found| found.line);
            prop_assert_eq!(find(&added.text), added.lines.first().copied());
            let removed = remove_entry(&added.text, &numbering, &number).unwrap();
            prop_assert_eq!(find(&removed.text), None);
        }
    }
}
