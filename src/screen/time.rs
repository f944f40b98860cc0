//! Local time as rules see it: a date, a weekday and a minute of the day.
//!
//! Values only: nothing here asks a clock or knows a time zone. Whoever screens a call passes the
//! [`Moment`] in.

use crate::clock::Timestamp;
use std::fmt;
use std::str::FromStr;

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

const WEEK: [(Weekday, &str); 7] = [
    (Weekday::Monday, "mon"),
    (Weekday::Tuesday, "tue"),
    (Weekday::Wednesday, "wed"),
    (Weekday::Thursday, "thu"),
    (Weekday::Friday, "fri"),
    (Weekday::Saturday, "sat"),
    (Weekday::Sunday, "sun"),
];

impl Date {
    /// The first day there is.
    pub const EARLIEST: Self = Self {
        year: 1,
        month: 1,
        day: 1,
    };

    /// A date, if there is such a day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let date = Self { year, month, day };
        (year > 0 && (1..=12).contains(&month) && day >= 1 && day <= date.days_in_month())
            .then_some(date)
    }

    const fn days_in_month(self) -> u8 {
        let leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// Days since 0000-03-01, so that differences and weekdays are plain arithmetic.
    pub(super) fn day_number(self) -> i32 {
        let (year, month) = if self.month > 2 {
            (i32::from(self.year), i32::from(self.month) - 3)
        } else {
            (i32::from(self.year) - 1, i32::from(self.month) + 9)
        };
        365 * year + year / 4 - year / 100
            + year / 400
            + (153 * month + 2) / 5
            + i32::from(self.day)
            - 1
    }

    /// Its day of the week.
    pub fn weekday(self) -> Weekday {
        // 0000-03-01 was a Wednesday.
        let day = usize::try_from((self.day_number() + 2).rem_euclid(7)).unwrap_or_default();
        WEEK[day].0
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// What is wrong with a time in words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTime {
    /// Not a date.
    #[error("a date is written as 2027-01-31")]
    Date,
    /// Not hours of a day.
    #[error("hours are written as 22:00-07:00")]
    Hours,
    /// Not days of the week.
    #[error("days are written as mon-fri or sat,sun with + or / between them: sat+sun")]
    Days,
    /// Not a time of a day.
    #[error("a time is written as 23:30 or 2027-01-31 23:30")]
    Moment,
}

impl FromStr for Date {
    type Err = BadTime;

    /// Reads `2027-01-31`.
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let mut parts = text.splitn(3, '-');
        let mut part = |digits: usize| {
            parts
                .next()
                .filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|part| part.parse::<u16>().ok())
                .ok_or(BadTime::Date)
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let small = |value: u16| u8::try_from(value).map_err(|_| BadTime::Date);
        Self::new(year, small(month)?, small(day)?).ok_or(BadTime::Date)
    }
}

/// A reading of the clock on the wall.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LocalTime {
    /// The day.
    pub date: Date,
    /// Minutes since midnight, below 1440.
    pub minute: u16,
}

/// When a call is screened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The instant, for what lasts a given time.
    pub instant: Timestamp,
    /// The same on the wall, for what is asked of the hour or the day.
    pub local: LocalTime,
}

const MINUTES_OF_DAY: u16 = 24 * 60;

/// Reads `22:00`; up to `24:00`.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| {
        (matches!(text.len(), 1..=2) && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u16>().ok())?
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && (hour < 24 || (hour == 24 && minute == 0))).then_some(hour * 60 + minute)
}

impl Moment {
    /// The moment at which the clock on the wall shows this: `23:30` of the same day, or
    /// `2027-01-31 23:30`. Its instant ignores that clocks are put forward and back.
    pub fn moved_to(self, text: &str) -> Result<Self, BadTime> {
        let text = text.trim();
        let (date, time) = match text.split_once([' ', 'T']) {
            Some((date, time)) => (date.parse().map_err(|_| BadTime::Moment)?, time),
            None => (self.local.date, text),
        };
        let minute = minute_of_day(time)
            .filter(|minute| *minute < MINUTES_OF_DAY)
            .ok_or(BadTime::Moment)?;
        let days = date.day_number() - self.local.date.day_number();
        let minutes = i64::from(days) * i64::from(MINUTES_OF_DAY) + i64::from(minute)
            - i64::from(self.local.minute);
        let nanos = minutes.saturating_mul(60_000_000_000);
        Ok(Self {
            instant: Timestamp::from_nanos(self.instant.as_nanos().saturating_add(nanos)),
            local: LocalTime { date, minute },
        })
    }
}

/// A part of each day; it may go over midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hours {
    from: u16,
    until: u16,
}

impl Hours {
    /// Whether the window is open, and whether it was opened on the day before.
    fn open(self, minute: u16) -> Option<OpenedOn> {
        if self.from < self.until {
            (self.from..self.until)
                .contains(&minute)
                .then_some(OpenedOn::ThisDay)
        } else if minute >= self.from {
            Some(OpenedOn::ThisDay)
        } else {
            (minute < self.until).then_some(OpenedOn::DayBefore)
        }
    }

    /// Whether the window is open at this time: its first minute counts, its last does not. From
    /// and until the same time is the whole day.
    pub fn contains(self, time: LocalTime) -> bool {
        self.open(time.minute).is_some()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OpenedOn {
    ThisDay,
    DayBefore,
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (self.from, self.until);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            until / 60,
            until % 60
        )
    }
}

impl FromStr for Hours {
    type Err = BadTime;

    /// Reads `22:00-07:00`; `24:00` ends a day.
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let (from, until) = text.split_once('-').ok_or(BadTime::Hours)?;
        let minute = |text: &str| minute_of_day(text).map(|minute| minute % MINUTES_OF_DAY);
        Ok(Self {
            from: minute(from).ok_or(BadTime::Hours)?,
            until: minute(until).ok_or(BadTime::Hours)?,
        })
    }
}

/// Some days of the week.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Days(u8);

impl Days {
    /// Whether this day is one of them.
    pub const fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day as u8) != 0
    }
}

impl Days {
    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = WEEK.iter().filter(|(day, _)| self.contains(*day));
        f.write_str(&names.map(|(_, name)| *name).collect::<Vec<_>>().join("+"))
    }
}

impl FromStr for Days {
    type Err = BadTime;

    /// Reads `mon-fri`, `sat+sun`, `sun-tue`, full names too.
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let day = |text: &str| {
            let text = text.trim().to_ascii_lowercase();
            let short = text.get(..3)?;
            let full = ["", "day", "sday", "nesday", "rsday", "urday"];
            let found = WEEK.iter().position(|(_, name)| *name == short)?;
            full.contains(&text.get(3..)?).then_some(found)
        };
        let mut days = 0;
        for part in text.split([',', '+', '/', ' ']) {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (mut at, to) = (
                day(from).ok_or(BadTime::Days)?,
                day(to).ok_or(BadTime::Days)?,
            );
            days |= 1 << at;
            while at != to {
                at = (at + 1) % 7;
                days |= 1 << at;
            }
        }
        Ok(Self(days))
    }
}

/// When a rule is in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct When {
    /// Its last day.
    pub until: Option<Date>,
    /// Its hours.
    pub hours: Option<Hours>,
    /// Its days. With hours that go over midnight, the day on which they begin.
    pub days: Option<Days>,
}

impl When {
    /// Whether a rule is in force at this time.
    pub fn includes(&self, time: LocalTime) -> bool {
        let opened = match self.hours {
            None => OpenedOn::ThisDay,
            Some(hours) => match hours.open(time.minute) {
                None => return false,
                Some(opened) => opened,
            },
        };
        let mut weekday = time.date.weekday() as usize;
        if opened == OpenedOn::DayBefore {
            weekday = (weekday + 6) % 7;
        }
        self.until.is_none_or(|last| time.date <= last)
            && self.days.is_none_or(|days| days.contains(WEEK[weekday].0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(date: &str, hour: u16, minute: u16) -> LocalTime {
        LocalTime {
            date: date.parse().unwrap(),
            minute: hour * 60 + minute,
        }
    }

    #[test]
    fn dates_are_checked_and_know_their_weekday() {
        for (date, weekday) in [
            ("2026-11-20", Weekday::Friday),
            ("2024-02-29", Weekday::Thursday),
            ("2000-01-01", Weekday::Saturday),
            ("2100-03-01", Weekday::Monday),
        ] {
            let parsed: Date = date.parse().unwrap();
            assert_eq!(
                (parsed.weekday(), parsed.to_string().as_str()),
                (weekday, date)
            );
        }
        for text in [
            "2023-02-29",
            "2026-13-01",
            "2026-00-10",
            "26-01-01",
            "2026-1-1",
            "",
            "+026-01-01",
        ] {
            assert_eq!(text.parse::<Date>(), Err(BadTime::Date), "{text}");
        }
    }

    #[test]
    fn hours_may_go_over_midnight() {
        let table = [
            (
                "22:00-07:00",
                [
                    (21, 59, false),
                    (22, 0, true),
                    (0, 0, true),
                    (6, 59, true),
                    (7, 0, false),
                ],
            ),
            (
                "9:00-17:30",
                [
                    (8, 59, false),
                    (9, 0, true),
                    (17, 29, true),
                    (17, 30, false),
                    (0, 0, false),
                ],
            ),
            (
                "20:00-24:00",
                [
                    (19, 59, false),
                    (20, 0, true),
                    (23, 59, true),
                    (0, 0, false),
                    (1, 0, false),
                ],
            ),
            (
                "08:00-08:00",
                [
                    (0, 0, true),
                    (7, 59, true),
                    (8, 0, true),
                    (23, 59, true),
                    (12, 0, true),
                ],
            ),
        ];
        for (text, minutes) in table {
            let hours: Hours = text.parse().unwrap();
            for (hour, minute, open) in minutes {
                assert_eq!(
                    hours.contains(at("2026-11-20", hour, minute)),
                    open,
                    "{text} {hour}:{minute}"
                );
            }
        }
        for text in [
            "22-7",
            "22:00",
            "25:00-01:00",
            "22:60-23:00",
            "24:01-1:00",
            "22:00-7:00-8:00",
            "",
        ] {
            assert_eq!(text.parse::<Hours>(), Err(BadTime::Hours), "{text}");
        }
    }

    #[test]
    fn days_are_lists_and_ranges() {
        for (text, shown) in [
            ("mon-fri", "mon+tue+wed+thu+fri"),
            ("Sat+SUN", "sat+sun"),
            ("fri-mon", "mon+fri+sat+sun"),
            ("monday,wednesday", "mon+wed"),
            ("sat-sat", "sat"),
        ] {
            assert_eq!(text.parse::<Days>().unwrap().to_string(), shown);
        }
        for text in ["", "mo", "weekday", "mon-", "mon--fri"] {
            assert_eq!(text.parse::<Days>(), Err(BadTime::Days), "{text}");
        }
    }

    #[test]
    fn the_night_of_a_day_ends_on_the_next() {
        let friday_night = When {
            hours: Some("22:00-07:00".parse().unwrap()),
            days: Some("fri".parse().unwrap()),
            until: Some("2026-11-27".parse().unwrap()),
        };
        for (time, expected) in [
            (at("2026-11-20", 21, 0), false),
            (at("2026-11-20", 23, 0), true),
            (at("2026-11-21", 6, 0), true),
            (at("2026-11-20", 6, 0), false),
            (at("2026-11-21", 23, 0), false),
            (at("2026-11-27", 23, 0), true),
            (at("2026-12-04", 23, 0), false),
        ] {
            assert_eq!(friday_night.includes(time), expected, "{time:?}");
        }
        assert!(When::default().includes(at("2026-11-20", 0, 0)));
    }

    #[test]
    fn a_moment_is_moved_by_what_the_clock_on_the_wall_shows() {
        let now = Moment {
            instant: Timestamp::from_nanos(0),
            local: at("2027-01-31", 12, 0),
        };
        let later = now.moved_to("2027-02-01 00:30").unwrap();
        assert_eq!(later.local, at("2027-02-01", 0, 30));
        assert_eq!(later.instant.as_nanos(), 750 * 60_000_000_000);
        assert_eq!(now.moved_to("2027-02-01T00:30"), Ok(later));
        let earlier = now.moved_to(" 9:05").unwrap();
        assert_eq!(earlier.local, at("2027-01-31", 9, 5));
        assert!(earlier.instant < now.instant);
        for wrong in ["", "24:00", "2027-01-31", "2027-02-30 12:00", "noon"] {
            assert_eq!(now.moved_to(wrong), Err(BadTime::Moment), "{wrong}");
        }
    }
}
