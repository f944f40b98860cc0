//! Caller ID: from the modem's lines to one block per call.
//!
//! Every dialect arrives as lines `KEY = value` or `KEY=value`, in any order, some missing, cut up in
//! time; or as one line of hex, the raw FSK message ([`raw`](super::raw_caller_id)). Nothing here
//! decides what a number means: it is passed on as the modem gave it.
//!
//! A block is complete when it has a number and a name, at the next RING, or after [`QUIET`]. What belongs to a block but comes after it was completed (a late name)
//! completes it again, marked as a revision.

use super::raw_caller_id::{self, RawError, RawMessage};
use std::time::{Duration, Instant};

/// A block that has begun is complete when nothing more of it came for this long.
pub const QUIET: Duration = Duration::from_millis(300);

/// What comes within this time after a complete block and adds to it belongs to it.
const REVISION_WINDOW: Duration = Duration::from_secs(2);

/// The longest number and name kept; the network sends at most 21 characters of name.
const LONGEST_VALUE: usize = 128;

/// The caller ID of one call, as the modem gave it: decoded as Latin-1, trimmed, not interpreted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallerId {
    /// `DATE`, usually MMDD. For the transcript only: the host's clock is better.
    pub date: Option<String>,
    /// `TIME`, usually HHMM.
    pub time: Option<String>,
    /// `NMBR`: digits, or a word such as `P` or `O`.
    pub number: Option<String>,
    /// `NAME`.
    pub name: Option<String>,
}

/// What a line or the passing of time completed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Completed {
    /// The caller ID of a call.
    Call {
        /// The block.
        id: CallerId,
        /// It is the block given before, with something added, not another call.
        revision: bool,
    },
    /// The message-waiting indicator.
    MessageWaiting(MessageWaiting),
}

/// The network's message-waiting indicator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageWaiting {
    /// Whether there are unheard messages.
    pub waiting: bool,
    /// How many, where the network says so.
    pub count: Option<u8>,
}

/// What the key of a line `KEY = value` announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// MMDD.
    Date,
    /// HHMM.
    Time,
    /// The caller's number.
    Number,
    /// His name.
    Name,
    /// A second number; used where there is no other.
    DirectoryNumber,
    /// A parameter, or a whole raw message, in hex.
    Raw,
    /// The message-waiting indicator.
    MessageWaiting,
    /// Somebody's number that is not the caller's.
    OtherNumber,
    /// Somebody's name.
    OtherName,
    /// Anything else that comes with caller ID.
    Remark,
}

impl Field {
    /// `None` if no modem's caller ID is known to have this key, which is given in capitals and trimmed.
    pub fn of(key: &str) -> Option<Self> {
        Some(match key {
            "DATE" => Self::Date,
            "TIME" => Self::Time,
            "NMBR" | "NBR" | "CALLER NUMBER" | "NDID" => Self::Number,
            "NAME" | "CALLER NAME" => Self::Name,
            "DDN" | "DDN_NMBR" => Self::DirectoryNumber,
            "MESG" => Self::Raw,
            "MSG_WAITING" => Self::MessageWaiting,
            "REDIRECT" | "CALLBACK NMBR" => Self::OtherNumber,
            "LOOKUP NAME" => Self::OtherName,
            "REASON NO NAME" | "REASON NO NMBR" | "QUAL" => Self::Remark,
            _ => return None,
        })
    }
}

/// What a line was to the caller-ID reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LineWas {
    /// Not of caller ID at all.
    SomethingElse,
    /// Part of a block; `Some` if that is complete now.
    Part(Option<Completed>),
    /// A raw message that cannot be trusted.
    Damaged(RawError),
}

/// Gathers the lines of caller ID into blocks.
#[derive(Debug, Default)]
pub struct CallerIdReader {
    gathering: Block,
    last_line: Option<Instant>,
    /// The block completed last, and when: what adds to it is a revision.
    completed: Option<(CallerId, Instant)>,
}

#[derive(Debug, Default)]
struct Block {
    id: CallerId,
    /// `DDN`, `DDN_NMBR`: a second number; used where there is no other.
    directory_number: Option<String>,
    begun: bool,
}

impl CallerIdReader {
    /// Reads one line.
    pub fn line(&mut self, line: &[u8], now: Instant) -> LineWas {
        let text = latin1(line);
        if let Some((key, value)) = text.split_once('=') {
            let key = key.trim().to_ascii_uppercase();
            if let Some(was) = self.field(&key, value.trim(), now) {
                return was;
            }
        }
        match raw_caller_id::parse_line(text.trim()) {
            None => LineWas::SomethingElse,
            Some(Err(damage)) => LineWas::Damaged(damage),
            Some(Ok(RawMessage::MessageWaiting(waiting))) => self.indicator(waiting),
            Some(Ok(RawMessage::Call(id))) => {
                self.gathering = Block {
                    id,
                    directory_number: None,
                    begun: true,
                };
                LineWas::Part(self.complete(now))
            }
        }
    }

    /// When [`CallerIdReader::quiet`] is due, if a block is being gathered.
    pub fn deadline(&self) -> Option<Instant> {
        self.last_line
            .filter(|_| self.gathering.begun)
            .map(|last| last + QUIET)
    }

    /// Nothing came for a while: a block that has begun is complete.
    pub fn quiet(&mut self, now: Instant) -> Option<Completed> {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.complete(now)
        } else {
            None
        }
    }

    /// A RING: a block that has begun is complete.
    pub fn complete(&mut self, now: Instant) -> Option<Completed> {
        if !std::mem::take(&mut self.gathering.begun) {
            return None;
        }
        let block = std::mem::take(&mut self.gathering);
        let mut id = block.id;
        if id.number.is_none() {
            id.number = block.directory_number;
        }
        let revised = match &self.completed {
            Some((before, at)) if now.duration_since(*at) < REVISION_WINDOW => revise(before, &id),
            _ => None,
        };
        match revised {
            Some(Revision::NothingNew) => None,
            Some(Revision::Revised(id)) => {
                self.completed = Some((id.clone(), now));
                Some(Completed::Call { id, revision: true })
            }
            None => {
                self.completed = Some((id.clone(), now));
                Some(Completed::Call {
                    id,
                    revision: false,
                })
            }
        }
    }

    /// `None` if `key` is not one of caller ID.
    fn field(&mut self, key: &str, value: &str, now: Instant) -> Option<LineWas> {
        let value: String = value.chars().take(LONGEST_VALUE).collect();
        let value = Some(value).filter(|v| !v.is_empty());
        match Field::of(key)? {
            Field::Date => first_wins(&mut self.gathering.id.date, value),
            Field::Time => first_wins(&mut self.gathering.id.time, value),
            Field::Number => number_wins(&mut self.gathering.id.number, value),
            Field::Name => first_wins(&mut self.gathering.id.name, value),
            Field::DirectoryNumber => first_wins(&mut self.gathering.directory_number, value),
            Field::Raw => return Some(self.message(value.as_deref().unwrap_or(""), now)),
            Field::MessageWaiting => {
                let count = value.as_deref().and_then(|v| v.parse().ok());
                let waiting = count.map_or_else(
                    || !matches!(value.as_deref(), Some("OFF" | "off" | "NO" | "no")),
                    |count: u8| count > 0,
                );
                return Some(self.indicator(MessageWaiting { waiting, count }));
            }
            Field::OtherNumber | Field::OtherName | Field::Remark => {}
        }
        self.gathering.begun = true;
        self.last_line = Some(now);
        let full = self.gathering.id.number.is_some() && self.gathering.id.name.is_some();
        Some(LineWas::Part(if full { self.complete(now) } else { None }))
    }

    /// A date and time before it are the message's and begin no call.
    fn indicator(&mut self, waiting: MessageWaiting) -> LineWas {
        let block = &self.gathering;
        let names_a_caller = block.id.number.is_some()
            || block.id.name.is_some()
            || block.directory_number.is_some();
        if !names_a_caller {
            self.gathering = Block::default();
        }
        LineWas::Part(Some(Completed::MessageWaiting(waiting)))
    }

    /// `MESG = …`: a parameter the modem's formatter does not know, as hex; or a whole raw message.
    fn message(&mut self, hex: &str, now: Instant) -> LineWas {
        match raw_caller_id::parse_line(hex) {
            Some(Ok(RawMessage::MessageWaiting(waiting))) => return self.indicator(waiting),
            Some(Ok(RawMessage::Call(id))) => {
                self.gathering.id = id;
                self.gathering.begun = true;
                return LineWas::Part(self.complete(now));
            }
            Some(Err(_)) | None => {}
        }
        match raw_caller_id::parse_parameter(hex) {
            Some((0x03, number)) => {
                first_wins(
                    &mut self.gathering.directory_number,
                    raw_caller_id::text(&number),
                );
            }
            Some((0x0B, state)) => {
                return self.indicator(MessageWaiting {
                    waiting: state.first().is_some_and(|&s| s != 0),
                    count: None,
                });
            }
            Some((0x13, count)) => {
                let count = count.first().copied();
                return self.indicator(MessageWaiting {
                    waiting: count.is_none_or(|count| count > 0),
                    count,
                });
            }
            // Call type (0x11) and everything else says nothing about who calls.
            Some(_) | None => {}
        }
        self.gathering.begun = true;
        self.last_line = Some(now);
        LineWas::Part(None)
    }
}

enum Revision {
    NothingNew,
    Revised(CallerId),
}

/// `later` as an addition to `before`; `None` if it contradicts it, so that it is another call's.
fn revise(before: &CallerId, later: &CallerId) -> Option<Revision> {
    let adds =
        |old: &Option<String>, new: &Option<String>| new.is_none() || old.is_none() || old == new;
    let number_stands =
        later.number.as_deref().is_none_or(is_absent_mark) || adds(&before.number, &later.number);
    let consistent = number_stands
        && adds(&before.name, &later.name)
        && adds(&before.date, &later.date)
        && adds(&before.time, &later.time);
    if !consistent {
        return None;
    }
    let merged = CallerId {
        date: before.date.clone().or_else(|| later.date.clone()),
        time: before.time.clone().or_else(|| later.time.clone()),
        number: before.number.clone().or_else(|| later.number.clone()),
        name: before.name.clone().or_else(|| later.name.clone()),
    };
    let news = merged.number != before.number || merged.name != before.name;
    Some(if news {
        Revision::Revised(merged)
    } else {
        Revision::NothingNew
    })
}

fn first_wins(field: &mut Option<String>, value: Option<String>) {
    if field.is_none() {
        *field = value;
    }
}

/// Some networks send the number and then `O` to mask it; the number stays. A number after a mark
/// replaces it.
fn number_wins(field: &mut Option<String>, value: Option<String>) {
    if field.as_deref().is_none_or(is_absent_mark) && value.is_some() {
        *field = value;
    }
}

/// A mark in place of a number: a single letter such as `O` or `P`.
fn is_absent_mark(value: &str) -> bool {
    !value.bytes().any(|b| b.is_ascii_digit())
}

/// Latin-1, so that no byte can fail to decode; what ITU-T and Bellcore call 8-bit characters.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<Completed> {
        let now = Instant::now();
        let mut reader = CallerIdReader::default();
        let mut completed = Vec::new();
        for line in lines {
            match reader.line(line.as_bytes(), now) {
                LineWas::Part(done) => completed.extend(done),
                other => panic!("{line}: {other:?}"),
            }
        }
        completed.extend(reader.quiet(now + QUIET));
        completed
    }

    fn call(number: Option<&str>, name: Option<&str>) -> (Option<String>, Option<String>) {
        (number.map(Into::into), name.map(Into::into))
    }

    fn one_call(lines: &[&str]) -> (Option<String>, Option<String>) {
        match read(lines).as_slice() {
            [
                Completed::Call {
                    id,
                    revision: false,
                },
            ] => (id.number.clone(), id.name.clone()),
            other => panic!("{lines:?}: {other:?}"),
        }
    }

    #[test]
    fn dialects() {
        type Row = (
            &'static [&'static str],
            (Option<&'static str>, Option<&'static str>),
        );
        let table: &[Row] = &[
            (
                &[
                    "DATE = 1107",
                    "TIME = 1152",
                    "NMBR = 2125550147",
                    "NAME = SMITH JOHN",
                ],
                (Some("2125550147"), Some("SMITH JOHN")),
            ),
            (
                &[
                    "DATE=0117",
                    "TIME=1452",
                    "NMBR=2125550147",
                    "NAME=WIRELESS CALLER",
                ],
                (Some("2125550147"), Some("WIRELESS CALLER")),
            ),
            (&["NAME = A", "NMBR = 1"], (Some("1"), Some("A"))),
            (
                &["DATE = 1107", "TIME = 1152", "NMBR = 0155501234"],
                (Some("0155501234"), None),
            ),
            (&["NMBR = 2125550147"], (Some("2125550147"), None)),
            (
                &["NAME = SPRINGFIELD MO", "NMBR=12"],
                (Some("12"), Some("SPRINGFIELD MO")),
            ),
            (
                &["NMBR = 12", "NAME = TIMESHARE CO"],
                (Some("12"), Some("TIMESHARE CO")),
            ),
            (&["NMBR = 12", "NAME = OK"], (Some("12"), Some("OK"))),
            (&["NMBR = 12", "NAME = A = B"], (Some("12"), Some("A = B"))),
            (
                &["DATE =", "TIME=", "NMBR = P", "NAME = P"],
                (Some("P"), Some("P")),
            ),
            (
                &["NMBR = 2125550147", "NMBR = O", "NAME = X"],
                (Some("2125550147"), Some("X")),
            ),
            (
                &["NMBR = O", "NMBR = 2125550147", "NAME = X"],
                (Some("2125550147"), Some("X")),
            ),
            (
                &["NAME = SARASOTA,FL", "DDN_NMBR = 9415557218"],
                (Some("9415557218"), Some("SARASOTA,FL")),
            ),
            (
                &["MESG = 110101", "NMBR = 12", "NAME = X"],
                (Some("12"), Some("X")),
            ),
            (&["MESG = 030735353531323132"], (Some("5551212"), None)),
            (&["MESG = 0300"], (None, None)),
            (&["MESG = 03022020", "DDN = 12"], (Some("12"), None)),
            (&["DATE = 1107", "TIME = 12541"], (None, None)),
            (
                &["80200108303332343039303207084A4F484E20444F45020A3830303535353132313284"],
                (Some("8005551212"), Some("JOHN DOE")),
            ),
            (
                &["MESG = 80100108303332343039303204015008015025"],
                (Some("P"), Some("P")),
            ),
        ];
        for (lines, (number, name)) in table {
            assert_eq!(one_call(lines), call(*number, *name), "{lines:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_latin1() {
        let now = Instant::now();
        let mut reader = CallerIdReader::default();
        reader.line(b"NMBR = 12", now);
        let LineWas::Part(Some(Completed::Call { id, .. })) =
            reader.line(b"NAME = V\xE4h\xE4l\xE4", now)
        else {
            panic!("not complete");
        };
        assert_eq!(id.name.as_deref(), Some("Vähälä"));
    }

    #[test]
    fn a_block_without_a_name_is_complete_after_quiet_or_at_a_ring() {
        let now = Instant::now();
        let mut reader = CallerIdReader::default();
        reader.line(b"NMBR = 12", now);
        assert_eq!(reader.deadline(), Some(now + QUIET));
        assert_eq!(reader.quiet(now + QUIET / 2), None);
        assert!(reader.quiet(now + QUIET).is_some());
        assert_eq!(reader.deadline(), None);
        reader.line(b"NMBR = 13", now + 2 * REVISION_WINDOW);
        assert!(reader.complete(now + 2 * REVISION_WINDOW).is_some());
    }

    #[test]
    fn a_late_name_revises_and_a_late_mask_does_not() {
        let now = Instant::now();
        let mut reader = CallerIdReader::default();
        reader.line(b"NMBR = 12", now);
        reader.quiet(now + QUIET);
        let late = now + 2 * QUIET;
        reader.line(b"NAME = LATE", late);
        assert_eq!(
            reader.quiet(late + QUIET),
            Some(Completed::Call {
                id: CallerId {
                    number: Some("12".into()),
                    name: Some("LATE".into()),
                    ..CallerId::default()
                },
                revision: true
            })
        );
        reader.line(b"NMBR = O", late + QUIET);
        assert_eq!(reader.quiet(late + 2 * QUIET), None);
    }

    #[test]
    fn another_number_soon_after_is_another_call() {
        let now = Instant::now();
        let mut reader = CallerIdReader::default();
        reader.line(b"NMBR = 12", now);
        reader.quiet(now + QUIET);
        reader.line(b"NMBR = 13", now + 2 * QUIET);
        assert!(matches!(
            reader.quiet(now + 3 * QUIET),
            Some(Completed::Call {
                revision: false,
                ..
            })
        ));
    }

    #[test]
    fn message_waiting_in_all_forms() {
        for (line, waiting) in [
            ("MESG = 060342424231", true),
            ("MESG = 06036F6F6FAA", false),
            ("82030B01FF70", true),
            ("82030B01006F", false),
            ("MSG_WAITING = ON", true),
            ("MSG_WAITING = OFF", false),
        ] {
            let completed = read(&[line]);
            assert!(
                matches!(completed.as_slice(), [Completed::MessageWaiting(m)] if m.waiting == waiting),
                "{line}: {completed:?}"
            );
        }
    }

    #[test]
    fn a_message_waiting_block_with_date_and_count_is_no_call() {
        let completed = read(&[
            "DATE = 1107",
            "TIME = 1152",
            "MSG_WAITING = ON",
            "MESG = 130102",
        ]);
        let waiting = |count| {
            Completed::MessageWaiting(MessageWaiting {
                waiting: true,
                count,
            })
        };
        assert_eq!(completed, [waiting(None), waiting(Some(2))]);
        for message in ["MESG = 060342424231", "MESG = 0B01FF", "82030B01FF70"] {
            let completed = read(&["DATE = 1107", "TIME = 1152", message]);
            assert_eq!(completed, [waiting(None)], "{message}");
        }
    }

    #[test]
    fn other_lines_are_left_alone() {
        let now = Instant::now();
        let mut reader = CallerIdReader::default();
        for line in [
            "OK",
            "RING",
            "+VSM: 1",
            "A=B",
            "=",
            "",
            "CX93001-EIS_V0.2002-V92",
        ] {
            assert_eq!(
                reader.line(line.as_bytes(), now),
                LineWas::SomethingElse,
                "{line}"
            );
        }
    }
}
