//! Local time, for what a person reads. The one module that knows `chrono-tz`.

use crate::clock::Timestamp;
use crate::screen::{Date, LocalTime, Moment};
use chrono::{DateTime, Datelike as _, Timelike as _};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;

/// A time zone of the IANA database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeZone(Tz);

/// There is no such time zone.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "there is no time zone {name:?}; give an IANA name such as Europe/Paris or America/New_York"
)]
pub struct UnknownTimeZone {
    /// What was asked for.
    pub name: String,
}

impl TimeZone {
    /// Universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// An instant as a person reads it: `2026-11-20 14:05:33 CET`.
    pub fn local_time(self, instant: Timestamp) -> String {
        self.format(instant, "%Y-%m-%d %H:%M:%S %Z")
    }

    /// An instant in the name of a recording: `2026-11-20 14-05-33+0100`.
    pub fn file_stamp(self, instant: Timestamp) -> String {
        self.format(instant, "%Y-%m-%d %H-%M-%S%z")
    }

    /// An instant as the rules of lists see it.
    pub fn moment(self, instant: Timestamp) -> Moment {
        let local = DateTime::from_timestamp_nanos(instant.as_nanos()).with_timezone(&self.0);
        let part = |value: u32| u8::try_from(value).unwrap_or_default();
        let date = u16::try_from(local.year())
            .ok()
            .and_then(|year| Date::new(year, part(local.month()), part(local.day())))
            .unwrap_or(Date::EARLIEST);
        let minute = u16::from(part(local.hour())) * 60 + u16::from(part(local.minute()));
        Moment {
            instant,
            local: LocalTime { date, minute },
        }
    }

    fn format(self, instant: Timestamp, pattern: &str) -> String {
        DateTime::from_timestamp_nanos(instant.as_nanos())
            .with_timezone(&self.0)
            .format(pattern)
            .to_string()
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for TimeZone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.parse().map(Self).map_err(|_| UnknownTimeZone {
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_in_its_zone() {
        let winter = Timestamp::from_nanos(1_763_643_933_999_999_999);
        let table = [
            ("UTC", "2025-11-20 13:05:33 UTC", "2025-11-20 13-05-33+0000"),
            (
                "Europe/Paris",
                "2025-11-20 14:05:33 CET",
                "2025-11-20 14-05-33+0100",
            ),
            (
                "America/New_York",
                "2025-11-20 08:05:33 EST",
                "2025-11-20 08-05-33-0500",
            ),
            (
                "Asia/Kolkata",
                "2025-11-20 18:35:33 IST",
                "2025-11-20 18-35-33+0530",
            ),
        ];
        for (name, local, stamp) in table {
            let zone: TimeZone = name.parse().unwrap();
            assert_eq!(zone.to_string(), name);
            assert_eq!(zone.local_time(winter), local);
            assert_eq!(zone.file_stamp(winter), stamp);
            let wall = zone.moment(winter).local;
            let shown = format!(
                "{} {:02}:{:02}",
                wall.date,
                wall.minute / 60,
                wall.minute % 60
            );
            assert!(local.starts_with(&shown), "{shown}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_differs_in_its_offset() {
        let zone: TimeZone = "Europe/Paris".parse().unwrap();
        let first = Timestamp::from_nanos(1_761_438_600_000_000_000);
        let second = Timestamp::from_nanos(1_761_442_200_000_000_000);
        assert_eq!(zone.file_stamp(first), "2025-10-26 02-30-00+0200");
        assert_eq!(zone.file_stamp(second), "2025-10-26 02-30-00+0100");
    }

    #[test]
    fn an_unknown_zone_is_named_and_the_ends_of_time_do_no_harm() {
        let error = "Mars/Olympus".parse::<TimeZone>().unwrap_err();
        assert!(error.to_string().contains("\"Mars/Olympus\""));
        for nanos in [i64::MIN, 0, i64::MAX] {
            assert!(
                !TimeZone::UTC
                    .file_stamp(Timestamp::from_nanos(nanos))
                    .is_empty()
            );
        }
    }
}
