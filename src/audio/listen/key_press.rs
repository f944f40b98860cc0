//! One event per key press, from two witnesses: the sound and the modem's own DTMF codes.
//!
//! Either may miss a press or report it late; each press one of them reports is expected from the
//! other for a while, and the echo of it is taken as said.

use std::time::Duration;

use super::observation::{Event, Key, Observation, Position};

/// The other witness may be this much later.
const LATER: Duration = Duration::from_millis(600);
/// A code is repeated about every 70 ms while the key is down; a longer pause is another press.
const REPEATED: Duration = Duration::from_millis(120);
const PENDING: usize = 16;

/// Who noticed a key press first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Witness {
    /// The listener, from the sound.
    Sound,
    /// The modem, by a code.
    Code,
}

/// A key was pressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPress {
    /// Which one.
    pub key: Key,
    /// Where in the audio.
    pub at: Position,
    /// Who said so first.
    pub witness: Witness,
}

#[derive(Clone, Copy, Debug)]
struct Expected {
    key: Key,
    from: Witness,
    until: Position,
}

/// Merges the two.
#[derive(Clone, Debug, Default)]
pub struct KeyPresses {
    expected: [Option<Expected>; PENDING],
    sounding: Option<(Key, Position)>,
    coded: Option<(Key, Position)>,
}

impl KeyPresses {
    /// A merger that has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what the listener says; returns a press not yet known.
    pub fn heard(&mut self, observation: &Observation) -> Option<KeyPress> {
        match observation.event {
            Event::KeyDown { key } => {
                self.sounding = Some((key, observation.from));
                self.pressed(key, observation.from, observation.at, Witness::Sound)
            }
            Event::KeyUp { .. } => {
                self.sounding = None;
                None
            }
            _ => None,
        }
    }

    /// The modem reported this key at `at`: at first or again while it is down.
    pub fn code_down(&mut self, key: Key, at: Position) -> Option<KeyPress> {
        let again = self
            .coded
            .is_some_and(|(last, then)| last == key && at.since(then) < REPEATED);
        self.coded = Some((key, at));
        if again {
            return None;
        }
        // The key that sounds right now is the one, however long it has been down.
        if self.sounding.is_some_and(|(sounding, _)| sounding == key) {
            self.take_expected(key, Witness::Code, Position(0));
            return None;
        }
        self.pressed(key, at, at, Witness::Code)
    }

    /// The modem reported that the key came up.
    pub fn code_up(&mut self) {
        self.coded = None;
    }

    fn pressed(
        &mut self,
        key: Key,
        from: Position,
        at: Position,
        witness: Witness,
    ) -> Option<KeyPress> {
        if self.take_expected(key, witness, at) {
            return None;
        }
        let other = match witness {
            Witness::Sound => Witness::Code,
            Witness::Code => Witness::Sound,
        };
        let slot = self
            .expected
            .iter()
            .position(|e| e.is_none_or(|e| e.until < at))
            .unwrap_or(0);
        self.expected[slot] = Some(Expected {
            key,
            from: other,
            until: at.after(LATER),
        });
        Some(KeyPress {
            key,
            at: from,
            witness,
        })
    }

    fn take_expected(&mut self, key: Key, witness: Witness, at: Position) -> bool {
        let known = self
            .expected
            .iter_mut()
            .find(|e| e.is_some_and(|e| e.key == key && e.from == witness && e.until >= at));
        known.map(Option::take).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(character: u8) -> Key {
        Key::new(character).expect("a key")
    }

    fn sound(at: u64, event: Event) -> Observation {
        Observation {
            from: Position(at),
            at: Position(at + 300),
            event,
        }
    }

    #[test]
    fn both_witnesses_make_one_press() {
        let mut keys = KeyPresses::new();
        let down = Event::KeyDown { key: key(b'5') };
        assert!(keys.heard(&sound(8000, down)).is_some());
        for at in [8400, 8960, 9520] {
            assert_eq!(keys.code_down(key(b'5'), Position(at)), None);
        }
        keys.code_up();
        assert_eq!(
            keys.heard(&sound(9800, Event::KeyUp { key: key(b'5') })),
            None
        );
    }

    #[test]
    fn the_code_may_be_first() {
        let mut keys = KeyPresses::new();
        let press = keys.code_down(key(b'#'), Position(500)).expect("a press");
        assert_eq!(press.witness, Witness::Code);
        assert_eq!(
            keys.heard(&sound(300, Event::KeyDown { key: key(b'#') })),
            None
        );
    }

    #[test]
    fn the_same_key_twice_is_two_presses_for_each_witness() {
        let mut keys = KeyPresses::new();
        let mut presses = 0;
        for at in [1000, 2600] {
            presses += u32::from(
                keys.heard(&sound(at, Event::KeyDown { key: key(b'1') }))
                    .is_some(),
            );
            presses += u32::from(keys.code_down(key(b'1'), Position(at + 350)).is_some());
            keys.code_up();
            presses += u32::from(
                keys.heard(&sound(at + 700, Event::KeyUp { key: key(b'1') }))
                    .is_some(),
            );
        }
        assert_eq!(presses, 2);
    }

    #[test]
    fn a_press_only_one_of_them_noticed_counts() {
        let mut keys = KeyPresses::new();
        assert!(keys.code_down(key(b'7'), Position(100)).is_some());
        keys.code_up();
        assert!(keys.code_down(key(b'7'), Position(9000)).is_some());
        assert!(
            keys.heard(&sound(30_000, Event::KeyDown { key: key(b'7') }))
                .is_some()
        );
    }
}
