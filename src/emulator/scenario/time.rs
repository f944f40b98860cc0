//! Times in scenario files: seconds, and the cadence of the ring.

use serde::{Deserialize, Deserializer, de::Error};
use std::time::Duration;

/// Times beyond this are mistakes, and would overflow instants.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0;

fn duration<E: Error>(seconds: f64) -> Result<Duration, E> {
    if (0.0..=LONGEST).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(E::custom(format!("{seconds} is not a time in seconds")))
    }
}

/// Reads a time given in seconds.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration(f64::deserialize(deserializer)?)
}

/// Reads a time given in seconds, for a field that may be left out.
pub(crate) fn some_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    seconds(deserializer).map(Some)
}

/// How the telephone rings: bursts, each with the pause after it. One turn through them is one ring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cadence {
    bursts: Vec<(Duration, Duration)>,
}

impl Default for Cadence {
    /// North America: 2 s on, 4 s off.
    fn default() -> Self {
        Self::us()
    }
}

impl Cadence {
    /// From milliseconds on, off, on, off and so on.
    fn of(milliseconds: &[u64]) -> Self {
        let time = |ms: Option<&u64>| Duration::from_millis(ms.copied().unwrap_or(0));
        Self {
            bursts: milliseconds
                .chunks(2)
                .map(|pair| (time(pair.first()), time(pair.get(1))))
                .collect(),
        }
    }

    /// North America: 2 s on, 4 s off.
    pub fn us() -> Self {
        Self::of(&[2000, 4000])
    }

    /// Britain, Australia, New Zealand: a double ring every 3 s.
    pub fn uk() -> Self {
        Self::of(&[400, 200, 400, 2000])
    }

    /// The bursts of one ring: when each is reported, from the ring's beginning. A modem reports a
    /// burst near its end.
    pub(crate) fn reports(&self) -> impl Iterator<Item = Duration> + '_ {
        let mut before = Duration::ZERO;
        let first = self.bursts.first().map_or(Duration::ZERO, |burst| burst.0);
        self.bursts.iter().map(move |(on, off)| {
            let reported = (before + *on).saturating_sub(first);
            before += *on + *off;
            reported
        })
    }

    /// From the beginning of one ring to the beginning of the next.
    pub(crate) fn cycle(&self) -> Duration {
        let whole: Duration = self.bursts.iter().map(|(on, off)| *on + *off).sum();
        whole.max(Duration::from_millis(200))
    }
}

impl<'de> Deserialize<'de> for Cadence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Name(String),
            Seconds(Vec<f64>),
        }
        match Given::deserialize(deserializer)? {
            Given::Name(name) => match name.as_str() {
                "us" => Ok(Self::us()),
                "uk" => Ok(Self::uk()),
                "fr" => Ok(Self::of(&[1500, 3500])),
                "de" => Ok(Self::of(&[1000, 4000])),
                "jp" => Ok(Self::of(&[1000, 2000])),
                other => Err(D::Error::custom(format!(
                    "unknown cadence `{other}`: us, uk, fr, de, jp, or seconds on and off"
                ))),
            },
            Given::Seconds(list) if (1..=16).contains(&list.len()) => {
                let times = list.into_iter().map(duration::<D::Error>);
                let times: Vec<Duration> = times.collect::<Result<_, _>>()?;
                let milliseconds: Vec<u64> = times.iter().map(|t| t.as_millis() as u64).collect();
                Ok(Self::of(&milliseconds))
            }
            Given::Seconds(_) => Err(D::Error::custom("a cadence has 1 to 16 times")),
        }
    }
}
