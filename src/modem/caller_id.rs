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
mod tests;
