//! What the daemon says of itself: in a line for people, in fields for programs. Pure.

use super::machine::Moment;
use crate::clock::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Lines that mean nothing here are kept for a bug report: the newest so many.
const UNKNOWN_LINES: usize = 50;
/// The longest part of such a line kept, in characters.
const LONGEST_LINE: usize = 200;

/// In which state the daemon is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// The modem is being set up.
    Starting,
    /// It waits for rings.
    Armed,
    /// There is no modem; why.
    Waiting(String),
    /// The modem was there a moment ago; what happened.
    Lost(String),
    /// The modem answers nothing; when it is tried again.
    Deaf(Duration),
}

/// The daemon's state, for other programs.
#[derive(Debug)]
pub(super) struct Status {
    state: State,
    device: String,
    modem: Option<String>,
    last_ring: Option<LastRing>,
    unknown_lines: VecDeque<(Timestamp, String)>,
}

#[derive(Debug)]
struct LastRing {
    wall: Timestamp,
    /// In the time of this process, if it rang in it: the wall clock may have been set since.
    here: Option<Instant>,
}

impl LastRing {
    /// `None` if the clock says that it is still to come.
    fn age(&self, now: Moment) -> Option<Duration> {
        if let Some(here) = self.here {
            return Some(now.now.saturating_duration_since(here));
        }
        let nanos = now.wall.as_nanos().checked_sub(self.wall.as_nanos())?;
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    }
}

/// How long ago, in one unit.
fn ago(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (hours, days) = (minutes / 60, minutes / (24 * 60));
    match (days, hours, minutes) {
        (0, 0, 0) => "just now".into(),
        (0, 0, _) => format!("{minutes} min ago"),
        (0 | 1, _, _) => format!("{hours} h ago"),
        _ => format!("{days} days ago"),
    }
}

impl Status {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Starting,
            device: String::new(),
            modem: None,
            last_ring: None,
            unknown_lines: VecDeque::new(),
        }
    }

    pub(super) fn device(&self) -> &str {
        &self.device
    }

    pub(super) const fn is_deaf(&self) -> bool {
        matches!(self.state, State::Deaf(_))
    }

    /// The port is open. A modem that is hung remains so until it answers.
    pub(super) fn opened(&mut self, device: String) {
        self.device = device;
        if !self.is_deaf() {
            self.state = State::Starting;
        }
    }

    pub(super) fn armed(&mut self, modem: String) {
        self.modem = Some(modem);
        self.state = State::Armed;
    }

    pub(super) fn is(&mut self, state: State) {
        self.state = state;
    }

    pub(super) const fn rang(&mut self, at: Moment) {
        self.last_ring = Some(LastRing {
            wall: at.wall,
            here: Some(at.now),
        });
    }

    /// The line rang for an earlier process.
    pub(super) const fn rang_before(&mut self, wall: Timestamp) {
        if self.last_ring.is_none() {
            self.last_ring = Some(LastRing { wall, here: None });
        }
    }

    /// What the daemon does, in a line.
    pub(super) fn words(&self, in_call: bool, now: Moment) -> String {
        let modem = self.modem.as_deref().unwrap_or("the modem");
        let device = &self.device;
        let mut words = match &self.state {
            State::Starting if device.is_empty() => "setting the modem up".into(),
            State::Starting => format!("setting the modem up at {device}"),
            State::Armed if in_call => format!("in a call on {modem} at {device}"),
            State::Armed => format!("armed on {modem} at {device}"),
            State::Waiting(why) => format!("waiting for the modem: {why}"),
            State::Lost(why) => format!("modem lost: {why}"),
            State::Deaf(again_in) => format!(
                "DEAF: the modem is hung and tried again after {} min; unplug it and plug it in again",
                again_in.as_secs() / 60
            ),
        };
        if let Some(age) = self.last_ring.as_ref().and_then(|ring| ring.age(now)) {
            words.push_str(", last ring ");
            words.push_str(&ago(age));
        }
        words
    }

    pub(super) fn unknown(&mut self, at: Timestamp, line: &str) {
        if self.unknown_lines.len() == UNKNOWN_LINES {
            self.unknown_lines.pop_front();
        }
        // Whoever prints it must not steer his terminal; what came can still be read.
        let printable = line.chars().flat_map(|c| {
            let escape = c.is_control().then(|| c.escape_default());
            let plain = escape.is_none().then_some(c);
            escape.into_iter().flatten().chain(plain)
        });
        let line = printable.take(LONGEST_LINE).collect();
        self.unknown_lines.push_back((at, line));
    }

    /// `state,device,modem,last_ring,unknown_lines`, times as UTC nanoseconds, and `words`.
    pub(super) fn json(&self, in_call: bool, now: Moment) -> Value {
        let state = match self.state {
            State::Armed if in_call => "in-call",
            State::Armed => "armed",
            State::Starting => "starting",
            State::Waiting(_) | State::Lost(_) => "waiting",
            State::Deaf(_) => "deaf",
        };
        let unknown_lines: Vec<Value> = self
            .unknown_lines
            .iter()
            .map(|(at, line)| json!({ "at": at.as_nanos(), "line": line }))
            .collect();
        json!({
            "state": state,
            "words": self.words(in_call, now),
            "device": self.device,
            "modem": self.modem,
            "last_ring": self.last_ring.as_ref().map(|ring| ring.wall.as_nanos()),
            "unknown_lines": unknown_lines,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_nanos(1_767_268_800_000_000_000);

    fn moment(now: Instant, wall: Timestamp) -> Moment {
        Moment { now, wall }
    }

    #[test]
    fn noise_does_not_grow_it() {
        let mut status = Status::new();
        for n in 0..1000 {
            status.unknown(Timestamp::from_nanos(n), &"x".repeat(5000));
        }
        let json = status.json(false, moment(Instant::now(), NOON));
        let lines = json["unknown_lines"].as_array().unwrap();
        assert_eq!(lines.len(), UNKNOWN_LINES);
        assert_eq!(lines[0]["at"], 950);
        assert!(lines[0]["line"].as_str().unwrap().len() <= LONGEST_LINE);
    }

    #[test]
    fn what_the_line_sent_steers_no_terminal() {
        let mut status = Status::new();
        status.unknown(Timestamp::from_nanos(1), "A\u{9b}2J\u{1b}é\t");
        let json = status.json(false, moment(Instant::now(), NOON));
        assert_eq!(json["unknown_lines"][0]["line"], "A\\u{9b}2J\\u{1b}é\\t");
    }

    #[test]
    fn words_tell_modem_device_and_last_ring() {
        let start = Instant::now();
        let mut status = Status::new();
        status.opened("/dev/ttyACM0".into());
        status.armed("CX93001".into());
        let armed = "armed on CX93001 at /dev/ttyACM0";
        assert_eq!(status.words(false, moment(start, NOON)), armed);
        status.rang(moment(start, NOON));
        for (seconds, ago) in [
            (0, "just now"),
            (59, "just now"),
            (300, "5 min ago"),
            (3599, "59 min ago"),
            (3 * 3600, "3 h ago"),
            (47 * 3600, "47 h ago"),
            (48 * 3600, "2 days ago"),
        ] {
            // The wall clock was set in between: what lasts is told by the other one.
            let now = moment(
                start + Duration::from_secs(seconds),
                Timestamp::from_nanos(0),
            );
            assert_eq!(
                status.words(false, now),
                format!("{armed}, last ring {ago}")
            );
        }
        let in_call = status.words(true, moment(start, NOON));
        assert_eq!(
            in_call,
            "in a call on CX93001 at /dev/ttyACM0, last ring just now"
        );
    }

    #[test]
    fn a_ring_of_an_earlier_process_counts_unless_the_clock_denies_it() {
        let now = Instant::now();
        let mut status = Status::new();
        status.is(State::Waiting("/dev/ttyACM0 is not there".into()));
        status.rang_before(NOON);
        let waiting = "waiting for the modem: /dev/ttyACM0 is not there";
        let later = moment(now, NOON.after(Duration::from_hours(3)));
        assert_eq!(
            status.words(false, later),
            format!("{waiting}, last ring 3 h ago")
        );
        assert_eq!(
            status.words(false, moment(now, Timestamp::from_nanos(0))),
            waiting
        );
        status.rang(later);
        status.rang_before(NOON);
        assert!(status.words(false, later).ends_with("just now"));
    }
}
