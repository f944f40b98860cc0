//! The third and further columns: what is done instead of the default block action, and when.

use crate::screen::time::When;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest call that a line may ask for.
const LONGEST: u64 = 24 * 60 * 60;

/// What a line of a list wants done with the call, instead of the daemon's default block action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListAction {
    /// Pick up and hang up.
    HangUp,
    /// Answer as a fax machine.
    Fax,
    /// Play this file once, then hang up. A relative path is one beside the list.
    Message(PathBuf),
    /// Record the caller, so long at most; without a time, as long as the daemon does by default.
    Record(Option<Duration>),
    /// Send audio, so long at most.
    Transmit(Option<Duration>),
    /// Record and send, so long at most.
    Duplex(Option<Duration>),
    /// Let it ring; only the log says that the caller is listed.
    Ring,
}

impl fmt::Display for ListAction {
    /// As written in a list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, limit) = match self {
            Self::HangUp => ("hangup", &None),
            Self::Fax => ("fax", &None),
            Self::Message(file) => return write!(f, "message={}", file.display()),
            Self::Record(limit) => ("record", limit),
            Self::Transmit(limit) => ("transmit", limit),
            Self::Duplex(limit) => ("duplex", limit),
            Self::Ring => ("ring", &None),
        };
        match limit {
            Some(limit) => write!(f, "{word}={}", limit.as_secs()),
            None => f.write_str(word),
        }
    }
}

/// What the columns behind the name say.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct Options {
    pub(super) action: Option<ListAction>,
    pub(super) when: When,
}

impl Options {
    /// Reads the columns. What is neither an action nor a key with a value is a comment: older lists have
    /// further columns of any kind.
    pub(super) fn read<'a>(
        columns: impl IntoIterator<Item = &'a str>,
        folder: &Path,
    ) -> Result<Self, Cow<'static, str>> {
        let mut options = Self::default();
        let mut last_is_days = false;
        for column in columns {
            let column = column.trim();
            // `days=sat,sun` without quotes is two columns.
            if last_is_days && let (Some(days), Ok(more)) = (options.when.days, column.parse()) {
                options.when.days = Some(days.and(more));
                continue;
            }
            last_is_days = column
                .get(..5)
                .is_some_and(|start| start.eq_ignore_ascii_case("days="));
            let (key, value) = match column.split_once('=') {
                Some((key, value)) => (key.trim(), Some(value.trim())),
                None => (column, None),
            };
            options.take(&key.to_ascii_lowercase(), value, folder)?;
        }
        Ok(options)
    }

    fn take(
        &mut self,
        key: &str,
        value: Option<&str>,
        folder: &Path,
    ) -> Result<(), Cow<'static, str>> {
        let action = match (key, value) {
            ("until", Some(date)) => {
                self.when.until = Some(date.parse().map_err(|error| describe(key, error))?);
                return Ok(());
            }
            ("hours", Some(hours)) => {
                self.when.hours = Some(hours.parse().map_err(|error| describe(key, error))?);
                return Ok(());
            }
            ("days", Some(days)) => {
                self.when.days = Some(days.parse().map_err(|error| describe(key, error))?);
                return Ok(());
            }
            ("hangup", None) => ListAction::HangUp,
            ("fax", None) => ListAction::Fax,
            ("ring", None) => ListAction::Ring,
            ("message", Some("") | None) => {
                return Err("message needs a file: message=gone.wav".into());
            }
            ("message", Some(file)) => ListAction::Message(folder.join(file)),
            ("record", limit) => ListAction::Record(seconds(key, limit)?),
            ("transmit", limit) => ListAction::Transmit(seconds(key, limit)?),
            ("duplex", limit) => ListAction::Duplex(seconds(key, limit)?),
            ("hangup" | "fax" | "ring", Some(_)) => {
                return Err(format!("{key} takes no value").into());
            }
            (_, Some(_)) if key.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                return Err(format!(
                    "{key}= is not known; there are until=, hours=, days=, message=, record=, transmit= \
                     and duplex="
                )
                .into());
            }
            _ => return Ok(()),
        };
        if self.action.replace(action).is_some() {
            return Err("there are two actions".into());
        }
        Ok(())
    }
}

/// The options of the entries of a file. Most entries have none, and those of many others are the same.
#[derive(Debug, Default)]
pub(super) struct OptionsByEntry {
    /// Entry and index into `kinds`, by ascending entry.
    places: Vec<(u32, u32)>,
    kinds: Vec<Options>,
}

impl OptionsByEntry {
    /// So many kinds are compared with the options of a new entry.
    const RECENT: usize = 32;

    /// Keeps the options of an entry; entries come in ascending order.
    pub(super) fn push(&mut self, entry: u32, options: Options) -> Result<(), &'static str> {
        if options == Options::default() {
            return Ok(());
        }
        let older = self.kinds.len().saturating_sub(Self::RECENT);
        let known = self.kinds[older..].iter().position(|kind| *kind == options);
        let index = known.map_or(self.kinds.len(), |at| older + at);
        if known.is_none() {
            self.kinds.push(options);
        }
        let index = u32::try_from(index).map_err(|_| "there are too many options")?;
        self.places.push((entry, index));
        Ok(())
    }

    /// The options of an entry, if it has any.
    pub(super) fn of(&self, entry: u32) -> Option<&Options> {
        let at = self
            .places
            .binary_search_by_key(&entry, |place| place.0)
            .ok()?;
        self.kinds.get(self.places[at].1 as usize)
    }

    /// All that there are, each once or a few times.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &Options> {
        self.kinds.iter()
    }

    pub(super) fn shrink(&mut self) {
        self.places.shrink_to_fit();
        self.kinds.shrink_to_fit();
    }
}

fn describe(key: &str, error: crate::screen::time::BadTime) -> Cow<'static, str> {
    format!("{key}: {error}").into()
}

fn seconds(key: &str, value: Option<&str>) -> Result<Option<Duration>, Cow<'static, str>> {
    value
        .map(|value| {
            value
                .parse()
                .ok()
                .filter(|seconds| (1..=LONGEST).contains(seconds))
                .map(Duration::from_secs)
                .ok_or_else(|| format!("{key} takes seconds, from 1 to {LONGEST}").into())
        })
        .transpose()
}
