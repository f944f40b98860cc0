//! What is heard on the line: speech, silence, tones and keys, sample by sample.
//!
//! Everything is a function of the sample's index, so that a listener may come late, skip, or hear
//! the same second twice. No floating point per sample: a day of calls is emulated in seconds.

use super::scenario::seconds;
use crate::audio::wav::WavReader;
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Samples a second, everywhere.
pub(crate) const RATE: u64 = 8000;
/// The time one sample takes: 125 µs exactly.
pub(crate) const SAMPLE: Duration = Duration::from_micros(125);
/// Silence in 8-bit unsigned PCM.
pub(crate) const SILENCE: u8 = 0x80;
/// A digit held on the far end's keypad is reported again and again, at this distance.
pub(crate) const DIGIT_REPEAT: Duration = Duration::from_millis(70);
/// Length of a key press and of the pause after it.
pub(crate) const KEY: Duration = Duration::from_millis(100);

/// The whole samples in a stretch of time.
pub(crate) fn samples_in(time: Duration) -> u64 {
    let of_a_second = time.subsec_nanos() / SAMPLE.subsec_nanos();
    time.as_secs().saturating_mul(RATE) + u64::from(of_a_second)
}

/// The time that many samples take.
pub(crate) fn time_of(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}

/// Something the far end says.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sound {
    /// Something like a voice: syllables of changing pitch with short pauses.
    #[serde(deserialize_with = "seconds")]
    Speech(Duration),
    /// Nothing at all: every sample is 0x80.
    #[serde(deserialize_with = "seconds")]
    Silence(Duration),
    /// A steady tone.
    Tone {
        /// Its frequencies, all at once.
        hertz: Vec<u16>,
        /// How long it lasts.
        #[serde(deserialize_with = "seconds")]
        seconds: Duration,
    },
    /// Keys pressed on the far end's telephone: `0`-`9`, `A`-`D`, `*`, `#`, 100 ms each with 100 ms
    /// between them.
    Dtmf(String),
    /// These samples, 8-bit unsigned, 8000 a second.
    #[serde(skip)]
    Samples(Arc<[u8]>),
    /// The samples of a WAV file; read when the scenario is loaded, silent until then.
    Wav(PathBuf),
}

impl Sound {
    /// The samples of a WAV file, or what is wrong with it, in words.
    pub(crate) fn from_wav(path: &Path) -> Result<Self, String> {
        let read = || {
            let mut file = WavReader::open(path)?;
            let samples = file.samples() as usize;
            file.read_block(samples)
        };
        let samples = read().map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self::Samples(samples.into()))
    }

    /// How many samples long it is.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Speech(time) | Self::Silence(time) | Self::Tone { seconds: time, .. } => {
                samples_in(*time)
            }
            Self::Dtmf(keys) => samples_in(KEY * 2) * keys.len() as u64,
            Self::Samples(samples) => samples.len() as u64,
            Self::Wav(_) => 0,
        }
    }

    /// A stretch of its samples.
    pub(crate) fn listen(&self, stretch: Range<u64>, into: &mut Vec<u8>) {
        match self {
            Self::Speech(time) if stretch.end <= samples_in(*time) => {
                into.extend(stretch.map(speech));
            }
            _ => into.extend(stretch.map(|index| self.sample(index))),
        }
    }

    /// One sample of it; silence beyond its end.
    pub(crate) fn sample(&self, index: u64) -> u8 {
        if index >= self.length() {
            return SILENCE;
        }
        match self {
            Self::Speech(_) => speech(index),
            Self::Silence(_) | Self::Wav(_) => SILENCE,
            Self::Tone { hertz, .. } => tone(hertz, index),
            Self::Dtmf(keys) => {
                let cycle = samples_in(KEY * 2);
                let key = keys.as_bytes().get((index / cycle) as usize);
                match key.and_then(|key| dtmf(*key)) {
                    Some(pair) if index % cycle < cycle / 2 => tone(&pair, index),
                    _ => SILENCE,
                }
            }
            Self::Samples(samples) => samples.get(index as usize).copied().unwrap_or(SILENCE),
        }
    }
}

/// A tone that is switched on and off for ever.
pub(crate) fn cadenced(hertz: &[u16], on: Duration, off: Duration, index: u64) -> u8 {
    let cycle = samples_in(on + off).max(1);
    if index % cycle < samples_in(on) {
        tone(hertz, index)
    } else {
        SILENCE
    }
}

/// The two frequencies of a key.
pub(crate) fn dtmf(key: u8) -> Option<[u16; 2]> {
    const KEYS: &[u8; 16] = b"123A456B789C*0#D";
    const ROWS: [u16; 4] = [697, 770, 852, 941];
    const COLUMNS: [u16; 4] = [1209, 1336, 1477, 1633];
    let at = KEYS.iter().position(|k| *k == key)?;
    Some([ROWS[at / 4], COLUMNS[at % 4]])
}

/// One turn of a sine wave in 1024 steps, amplitude 1000.
static SINE: LazyLock<[i32; 1024]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let turn = i as f64 / 1024.0 * std::f64::consts::TAU;
        (turn.sin() * 1000.0).round() as i32
    })
});

fn sine(hertz: u64, index: u64) -> i32 {
    let turns_of_1024 = hertz.wrapping_mul(index).wrapping_mul(1024) / RATE;
    SINE[(turns_of_1024 % 1024) as usize]
}

fn from_thousandths(value: i32) -> u8 {
    (128 + value * 127 / 1000).clamp(0, 255) as u8
}

fn tone(hertz: &[u16], index: u64) -> u8 {
    let sum: i32 = hertz.iter().map(|hz| sine(u64::from(*hz), index)).sum();
    from_thousandths(sum * 3 / 10)
}

/// A syllable each quarter of a second, every eighth one a pause; pitch and vowel change with each.
fn speech(index: u64) -> u8 {
    const SYLLABLE: u64 = RATE / 4;
    let (syllable, within) = (index / SYLLABLE, index % SYLLABLE);
    if syllable % 8 == 7 {
        return SILENCE;
    }
    let dice = syllable.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let pitch = 105 + dice % 50;
    let formant = 4 + (dice >> 8) % 4;
    let ramp = within.min(SYLLABLE - within).min(400) as i32;
    let wave = sine(pitch, within) * 3
        + sine(pitch * 2, within) * 2
        + sine(pitch * formant, within) * 4
        + sine(pitch * (formant + 9), within);
    from_thousandths(wave / 10 * ramp / 400 * 7 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_ends_in_silence_and_keeps_its_length() {
        let sound = Sound::Tone {
            hertz: vec![440],
            seconds: Duration::from_millis(10),
        };
        assert_eq!(sound.length(), 80);
        assert!((0..80).any(|i| sound.sample(i) != SILENCE));
        assert_eq!(sound.sample(80), SILENCE);
    }

    #[test]
    fn speech_is_loud_and_pauses() {
        let sound = Sound::Speech(Duration::from_secs(4));
        let second: Vec<u8> = (0..RATE).map(|i| sound.sample(i)).collect();
        assert!(second.iter().any(|s| *s > 180) && second.iter().any(|s| *s < 76));
        assert!((7 * 2000..8 * 2000).all(|i| sound.sample(i) == SILENCE));
    }

    #[test]
    fn keys_have_their_frequencies() {
        assert_eq!(dtmf(b'#'), Some([941, 1477]));
        assert_eq!(dtmf(b'5'), Some([770, 1336]));
        assert_eq!(dtmf(b'x'), None);
    }
}
