//! The other end of the line: what is heard from it, and what the modem detects in that.

use super::scenario::Ending;
use super::sound::{DIGIT_REPEAT, KEY, SILENCE, Sound, cadenced, time_of};
use std::time::Duration;

/// Dial tone of North America and Britain.
pub(crate) const DIAL_TONE: [u16; 2] = [350, 440];
const BUSY_TONE: [u16; 2] = [480, 620];
const RINGBACK: [u16; 2] = [440, 480];

/// Somebody (or something) who speaks from the moment the line is connected.
#[derive(Debug)]
pub(crate) struct FarEnd {
    says: Vec<Sound>,
    ending: Ending,
    length: u64,
}

/// A code that the modem repeats while a tone lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeated {
    pub(crate) code: u8,
    pub(crate) first: Duration,
    pub(crate) every: Duration,
}

/// Dial tone is reported every 3 s.
pub(crate) const DIAL_TONE_CODE: Repeated = Repeated {
    code: b'd',
    first: Duration::from_secs(3),
    every: Duration::from_secs(3),
};

impl FarEnd {
    pub(crate) fn new(says: Vec<Sound>, ending: Ending) -> Self {
        let length = says.iter().map(Sound::length).sum();
        Self {
            says,
            ending,
            length,
        }
    }

    /// When it hangs up, from the connection on; `None` if it never does.
    pub(crate) fn hangs_up(&self) -> Option<Duration> {
        (self.ending != Ending::Stays).then(|| time_of(self.length))
    }

    pub(crate) fn ending(&self) -> Ending {
        self.ending
    }

    /// So many samples, counted from the connection on.
    pub(crate) fn listen(&self, from: u64, count: u64, into: &mut Vec<u8>) {
        let end = from + count;
        let (mut at, mut begins) = (from, 0);
        for sound in &self.says {
            let ends = begins + sound.length();
            let until = ends.min(end);
            if at < until {
                sound.listen(at - begins..until - begins, into);
                at = until;
            }
            begins = ends;
        }
        into.extend((at..end).map(|index| self.afterwards(index - begins)));
    }

    /// One sample, counted from the last word on.
    fn afterwards(&self, index: u64) -> u8 {
        let quarter = Duration::from_millis(250);
        match self.ending {
            Ending::Busy | Ending::TonesOnly => {
                cadenced(&BUSY_TONE, quarter * 2, quarter * 2, index)
            }
            Ending::Reorder => cadenced(&BUSY_TONE, quarter, quarter, index),
            Ending::DialTone => dial_tone(index),
            Ending::Silence | Ending::LoopBreak | Ending::Stays => SILENCE,
        }
    }

    /// The codes of the keys it presses: `/`, the digit every 70 ms, `~`.
    pub(crate) fn key_codes(&self) -> Vec<(Duration, u8)> {
        let mut codes = Vec::new();
        let mut begins = Duration::ZERO;
        for sound in &self.says {
            if let Sound::Dtmf(keys) = sound {
                for (position, key) in keys.bytes().enumerate() {
                    let pressed = begins + KEY * 2 * position as u32;
                    codes.push((pressed, b'/'));
                    let mut held = Duration::ZERO;
                    while held < KEY {
                        codes.push((pressed + held, key));
                        held += DIGIT_REPEAT;
                    }
                    codes.push((pressed + KEY, b'~'));
                }
            }
            begins += time_of(sound.length());
        }
        codes
    }

    /// What the modem reports, again and again, once the far end has hung up.
    pub(crate) fn ending_code(&self) -> Option<Repeated> {
        let every = Duration::from_secs(4);
        match self.ending {
            // Two whole cadences are heard before a tone is believed.
            Ending::Busy => Some(Repeated {
                code: b'b',
                first: Duration::from_secs(2),
                every,
            }),
            Ending::Reorder => Some(Repeated {
                code: b'K',
                first: Duration::from_secs(1),
                every,
            }),
            Ending::DialTone => Some(DIAL_TONE_CODE),
            Ending::TonesOnly | Ending::Silence | Ending::LoopBreak | Ending::Stays => None,
        }
    }
}

/// The exchange, waiting for digits.
pub(crate) fn dial_tone(index: u64) -> u8 {
    let hour = Duration::from_hours(1);
    cadenced(&DIAL_TONE, hour, Duration::ZERO, index)
}

/// What a caller hears while it rings at the other end.
pub(crate) fn ringback(index: u64) -> u8 {
    cadenced(
        &RINGBACK,
        Duration::from_secs(2),
        Duration::from_secs(4),
        index,
    )
}
