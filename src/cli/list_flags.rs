//! The flags that say who may ring, for the daemon and for the commands that decide like it, and the
//! policy that comes of them.

use super::flags::{Environment, UsageError};
use callblock::audio::TimeZone;
use callblock::call::VerdictClass;
use callblock::screen::{
    Complaints, Country, Date, Hours, List, ListError, Loaded, Numbering, Policy, Problem, Reading,
    Side,
};
use clap::Args;
use std::io;
use std::path::{Path, PathBuf};

/// Who may ring.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Who may ring (docs/lists.md)")]
pub(crate) struct ListFlags {
    /// Block the callers on this list, or on all lists in this folder. May be given several times.
    #[arg(short, long, visible_alias = "blacklist", value_name = "FILE")]
    block_list: Vec<PathBuf>,

    /// Let the callers on this list ring, whatever else says no. Without a block list, block
    /// everybody else. May be given several times, and may be a folder.
    #[arg(short = 'w', long, visible_alias = "whitelist", value_name = "FILE")]
    allow_list: Vec<PathBuf>,

    /// Block callers who withhold their number, or whose number the network does not know.
    #[arg(short = 'p', long)]
    block_private: bool,

    /// The country of the telephone line, in two letters, so that numbers match however they are
    /// written [default: that of --timezone, else of the system's time zone, if it is in one].
    #[arg(long, value_name = "CC")]
    country: Option<Country>,

    /// The number of the telephone line, for the patterns `self` and `neighbour`.
    #[arg(long, value_name = "NUMBER")]
    my_number: Option<String>,

    /// What becomes of callers that nothing else is said of [default: ring, unless only an allow
    /// list is given].
    #[arg(long, value_name = "ring|block", value_parser = parse_class)]
    unknown: Option<VerdictClass>,

    /// At this time of each day, only the allow list rings: 22:00-07:00.
    #[arg(long, value_name = "HH:MM-HH:MM")]
    quiet_hours: Option<Hours>,

    #[command(flatten)]
    complaints: ComplaintFlags,

    /// Time zone of the hours and days of rules, and in the names of recordings, such as Europe/Paris
    /// [default: UTC].
    #[arg(long, value_name = "TIMEZONE")]
    timezone: Option<TimeZone>,
}

/// When a number in a list of complaints or votes counts.
#[derive(Args, Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ComplaintFlags {
    /// In lists of complaints or votes, numbers need at least so many [default: 3].
    #[arg(long, visible_alias = "min", value_name = "N")]
    min_complaints: Option<u32>,

    /// Complaints older than so many days do not count [default: 180].
    #[arg(long, value_name = "DAYS")]
    max_complaint_age: Option<u32>,
}

impl ComplaintFlags {
    /// What they ask for, on this day.
    pub(crate) fn on(&self, today: Date) -> Complaints {
        let default = Complaints::default();
        Complaints {
            min: self.min_complaints.unwrap_or(default.min),
            max_age_days: self.max_complaint_age.unwrap_or(default.max_age_days),
            today: Some(today),
        }
    }
}

impl ListFlags {
    /// The country of the line, if it was named.
    pub(crate) const fn country(&self) -> Option<Country> {
        self.country
    }

    /// Whether they say anything of who may ring.
    pub(crate) fn name_lists(&self) -> bool {
        !self.block_list.is_empty()
            || !self.allow_list.is_empty()
            || self.block_private
            || self.unknown.is_some()
            || self.quiet_hours.is_some()
    }

    /// A flag that is given and says nothing by itself.
    pub(crate) fn idle_flag(&self) -> Option<&'static str> {
        [
            (self.country.is_some(), "--country"),
            (self.my_number.is_some(), "--my-number"),
            (self.complaints.min_complaints.is_some(), "--min-complaints"),
            (
                self.complaints.max_complaint_age.is_some(),
                "--max-complaint-age",
            ),
            (self.timezone.is_some(), "--timezone"),
        ]
        .into_iter()
        .find_map(|(given, flag)| given.then_some(flag))
    }
}

fn parse_class(text: &str) -> Result<VerdictClass, &'static str> {
    match text {
        "ring" => Ok(VerdictClass::Ring),
        "block" => Ok(VerdictClass::Block),
        _ => Err("say ring or block"),
    }
}

/// Who may ring, checked as far as that is possible without reading the lists.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ListSettings {
    pub(crate) block_lists: Vec<PathBuf>,
    pub(crate) allow_lists: Vec<PathBuf>,
    /// Whether withheld and unknown numbers are blocked.
    pub(crate) block_private: bool,
    pub(crate) numbering: Numbering,
    pub(crate) unknown: Option<VerdictClass>,
    pub(crate) quiet_hours: Option<Hours>,
    pub(crate) complaints: ComplaintFlags,
    /// For rules with times, and for people.
    pub(crate) time_zone: TimeZone,
}

/// A policy, and what was wrong with its lists.
#[derive(Debug, Default)]
pub(crate) struct LoadedPolicy {
    pub(crate) policy: Policy,
    /// The first bad lines of each file.
    pub(crate) problems: Vec<Problem>,
    /// How many more there are.
    pub(crate) more_problems: usize,
    /// The files that could not be read.
    pub(crate) errors: Vec<ListError>,
}

impl ListSettings {
    /// Checks that the lists are there.
    pub(crate) fn new(flags: ListFlags, environment: &Environment) -> Result<Self, UsageError> {
        for list in &flags.block_list {
            require_list("--block-list", list)?;
        }
        for list in &flags.allow_list {
            require_list("--allow-list", list)?;
        }
        let country = match (flags.country, flags.timezone) {
            (Some(country), _) => Some(country),
            (None, Some(zone)) => Country::of_time_zone(&zone.to_string()),
            (None, None) => environment.country,
        };
        let numbering = Numbering::new(country);
        Ok(Self {
            block_lists: flags.block_list,
            allow_lists: flags.allow_list,
            block_private: flags.block_private,
            numbering: match &flags.my_number {
                Some(own) => numbering.with_own_number(own),
                None => numbering,
            },
            unknown: flags.unknown,
            quiet_hours: flags.quiet_hours,
            complaints: flags.complaints,
            time_zone: flags.timezone.unwrap_or(TimeZone::UTC),
        })
    }

    /// Reads the lists.
    pub(crate) fn load(&self, today: Date) -> LoadedPolicy {
        self.reload(&Policy::default(), today)
    }

    /// Reads the lists again. Files that have vanished keep what they held `before`, and permits
    /// stay.
    pub(crate) fn reload(&self, before: &Policy, today: Date) -> LoadedPolicy {
        let mut loaded = LoadedPolicy::default();
        let mut read = |files: &[PathBuf], before: &Option<List>, side| {
            if files.is_empty() {
                return None;
            }
            let reading = Reading {
                numbering: self.numbering.clone(),
                side,
                complaints: self.complaints.on(today),
            };
            let read = match before {
                Some(before) => before.reload(&reading, files),
                None => List::load_as(&reading, files),
            };
            Some(loaded.take(read))
        };
        let allow = read(&self.allow_lists, &before.allow, Side::Allow);
        let block = read(&self.block_lists, &before.block, Side::Block);
        loaded.policy = Policy {
            numbering: self.numbering.clone(),
            allow,
            block,
            block_private: self.block_private,
            quiet_hours: self.quiet_hours,
            unknown: self.unknown,
            permits: before.permits.clone(),
        };
        loaded
    }
}

impl LoadedPolicy {
    fn take(&mut self, loaded: Loaded) -> List {
        self.more_problems += loaded.bad_lines.saturating_sub(loaded.problems.len());
        self.problems.extend(loaded.problems);
        self.errors.extend(loaded.errors);
        loaded.list
    }

    /// Says on standard error what is wrong.
    pub(crate) fn complain(&self) {
        for error in &self.errors {
            eprintln!("callblock: {error}");
        }
        for problem in &self.problems {
            eprintln!("callblock: {problem}");
        }
        if self.more_problems > 0 {
            eprintln!("callblock: {} more bad lines", self.more_problems);
        }
        for warning in self.policy.warnings() {
            eprintln!("callblock: {warning}");
        }
    }
}

/// A list that is there, or a folder. One that cannot be reached is let through: it is for its reader
/// to warn, and calls then ring.
fn require_list(flag: &'static str, path: &Path) -> Result<(), UsageError> {
    match path.metadata() {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            let path = path.to_owned();
            Err(UsageError::NoSuchFile { flag, path })
        }
        _ => Ok(()),
    }
}
