//! One number or name, replaced.

use crate::modem::caller_id::latin1;
use crate::screen::{Caller, CallerNumber};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

/// What numbers and names become. Two masks of different seeds have nothing in common.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    seed: u64,
}

impl Mask {
    /// One that nobody can undo by trying all numbers: its seed is random.
    pub fn random() -> Self {
        Self::with_seed(RandomState::new().hash_one(0))
    }

    /// The same seed always gives the same.
    pub const fn with_seed(seed: u64) -> Self {
        Self { seed }
    }

    /// Replaces the digits, except leading zeros and the 1 before ten digits: they say how a number is
    /// written. Text without digits stays.
    pub(super) fn number(self, text: &mut [u8]) {
        let digits: Vec<u8> = text.iter().copied().filter(u8::is_ascii_digit).collect();
        let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
        let kept = match digits.as_slice() {
            [b'1', rest @ ..] if rest.len() == 10 => 1,
            _ => zeros,
        };
        let mut random = self.random_for(&digits[kept..]);
        let places = text.iter_mut().filter(|byte| byte.is_ascii_digit());
        for (index, place) in places.skip(kept).enumerate() {
            // No zero in front, which would say something else.
            *place = random.u8(if index == 0 { b'2'..=b'9' } else { b'0'..=b'9' });
        }
    }

    /// Replaces letters and digits by others of their kind. Words that stand for a missing name stay.
    pub(super) fn name(self, text: &mut [u8]) {
        if stands_for_nothing(text) {
            return;
        }
        let mut random = self.random_for(text.trim_ascii());
        for byte in text {
            *byte = match *byte {
                b'0'..=b'9' => random.u8(b'0'..=b'9'),
                b'a'..=b'z' => random.u8(b'a'..=b'z'),
                b'A'..=b'Z' => random.u8(b'A'..=b'Z'),
                // A letter of whatever alphabet: still none of ASCII.
                0x80.. => 0xE4,
                other => other,
            };
        }
    }

    fn random_for(self, text: &[u8]) -> fastrand::Rng {
        let mut hasher = DefaultHasher::new();
        (self.seed, text).hash(&mut hasher);
        fastrand::Rng::with_seed(hasher.finish())
    }
}

/// `P`, `O`, `PRIVATE`, `OUT OF AREA` and the like.
fn stands_for_nothing(text: &[u8]) -> bool {
    let caller = Caller::from_line(Some(&latin1(text)), None);
    !matches!(caller.number, CallerNumber::Known(_))
}
