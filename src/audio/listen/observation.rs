//! What the listener says: sounds with the place where they begin, and nothing of what to do about them.

use std::fmt;
use std::time::Duration;

/// Samples in a second of a telephone line's audio.
pub const SAMPLES_PER_SECOND: u64 = 8000;

/// A place in the call's audio: samples since the listener began (8000 a second).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position(pub u64);

impl Position {
    /// Time since the listener began.
    pub fn elapsed(self) -> Duration {
        Duration::from_nanos(self.0.saturating_mul(1_000_000_000 / SAMPLES_PER_SECOND))
    }

    /// Seconds since the listener began.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / SAMPLES_PER_SECOND as f64
    }

    /// Time from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Self(self.0.saturating_sub(earlier.0)).elapsed()
    }

    /// The place `duration` after this one.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let samples = duration.as_nanos() / u128::from(1_000_000_000 / SAMPLES_PER_SECOND);
        Self(
            self.0
                .saturating_add(u64::try_from(samples).unwrap_or(u64::MAX)),
        )
    }
}

/// A key of a telephone: `0`–`9`, `A`–`D`, `*` or `#`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(u8);

impl Key {
    /// The key of this character, if there is one.
    pub const fn new(character: u8) -> Option<Self> {
        match character {
            b'0'..=b'9' | b'A'..=b'D' | b'*' | b'#' => Some(Self(character)),
            _ => None,
        }
    }

    /// The key in this row (697, 770, 852, 941 Hz) and column (1209, 1336, 1477, 1633 Hz), each 0–3.
    pub(super) const fn at(row: usize, column: usize) -> Self {
        const KEYS: [u8; 16] = *b"123A456B789C*0#D";
        Self(KEYS[(row & 3) * 4 + (column & 3)])
    }

    /// The key as a character.
    pub const fn as_char(self) -> char {
        self.0 as char
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_char())
    }
}

/// A signal that a telephone network or a machine makes, recognised by pitch and cadence.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Tone {
    /// The exchange waits for a number: the far end is gone.
    Dial,
    /// Busy tone; also what many exchanges give when the far end has hung up.
    Busy,
    /// Reorder (congestion): as busy, faster.
    Reorder,
    /// Off-hook warning: four pitches at once, ten pulses in two seconds.
    Howler,
    /// Special information tones: three rising tones before an announcement.
    SpecialInformation,
    /// A fax machine calls (CNG, 1100 Hz for half a second).
    FaxCalling,
    /// A fax machine or modem answers (CED, 2100 Hz).
    FaxAnswer,
    /// Ringback: somebody's phone rings elsewhere. Says nothing of the end of a call.
    Ringback,
    /// Some steady tone of another kind.
    Steady {
        /// Its pitch in Hz.
        hz: f32,
    },
}

impl Tone {
    /// A word for logs and timelines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dial => "dial tone",
            Self::Busy => "busy tone",
            Self::Reorder => "reorder tone",
            Self::Howler => "howler",
            Self::SpecialInformation => "special information tones",
            Self::FaxCalling => "fax calling tone",
            Self::FaxAnswer => "fax answer tone",
            Self::Ringback => "ringback",
            Self::Steady { .. } => "steady tone",
        }
    }
}

/// What kind of sound there is at all. The three follow one another without gaps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activity {
    /// Nothing above the line's own noise.
    Silence,
    /// A sound that is no pure tone: speech, music, crying, a dog.
    Voice,
    /// A pure tone, of the network or of a machine (or whistling); what it means is said by [`Tone`].
    Tonal,
}

/// What was noticed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Event {
    /// Another kind of sound begins at [`Observation::from`].
    Activity {
        /// What begins.
        now: Activity,
        /// Level of the noise floor there, dB relative to full scale, RMS.
        floor_dbfs: f32,
    },
    /// The line's own noise is now 3 dB louder or fainter than last said.
    NoiseFloor {
        /// Its level, dB relative to full scale, RMS.
        dbfs: f32,
    },
    /// What is heard in the 20 ms from [`Observation::from`] on is louder than the line's own noise, and may be
    /// the caller or our own echo, which is not known well enough yet. Said while we play, beside what
    /// [`Event::Activity`] takes it for.
    Unclear,
    /// A tone is recognised that began at [`Observation::from`]; said again for each further pulse.
    Tone {
        /// Which one.
        tone: Tone,
        /// Pulses heard so far; 1 for a continuous tone.
        pulses: u16,
    },
    /// The tone last reported ended at [`Observation::from`].
    ToneEnd {
        /// Which one.
        tone: Tone,
    },
    /// A key went down.
    KeyDown {
        /// Which one.
        key: Key,
    },
    /// The key came up.
    KeyUp {
        /// Which one.
        key: Key,
    },
}

/// Something heard, and where.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Observation {
    /// Where it begins (or ends, for an end) in the audio; right to about 10 ms.
    pub from: Position,
    /// How far the listener had heard when it knew: never before `from`.
    pub at: Position,
    /// What it is.
    pub event: Event,
}
