//! What is heard in what we play ourselves.
//!
//! The line sends some of it back, and a tone of ours is like the exchange's, a key in our file like
//! the caller's. Where an echo canceller is at a loss, as with anything periodic, the same listener
//! tells what they are: what it hears in what we play is our own when it comes back.

use crate::audio::listen::{Activity, EndOfCall, Event, Key, Listener, Position, ToneSet};
use std::time::Duration;

/// An echo comes within half a second; what is measured of it errs a little.
const ECHO: Duration = Duration::from_millis(600);
/// The modem may name a key so much later than it is heard.
const NAMED_LATER: Duration = Duration::from_millis(600);

/// Hears what we play in one call. Without playback it holds nothing and does nothing.
#[derive(Debug)]
pub(super) struct OwnSound {
    tones: ToneSet,
    hearing: Option<Box<Hearing>>,
    /// Keys that we played, and up to where their echo may be heard.
    keys: Vec<(Key, Position)>,
}

/// From the first sample played on.
#[derive(Debug)]
struct Hearing {
    listener: Listener,
    down: Option<Key>,
}

impl OwnSound {
    pub(super) fn new(tones: ToneSet) -> Self {
        Self {
            tones,
            hearing: None,
            keys: Vec::new(),
        }
    }

    /// These samples go to the line, the next after those before, and are heard from `at` on if their
    /// echo takes no time. What it is when that is heard is known then, for that is later.
    pub(super) fn played(&mut self, at: Position, samples: &[u8], end: &mut EndOfCall) {
        let hearing = self.hearing.get_or_insert_with(|| {
            Box::new(Hearing {
                listener: Listener::of_playback(self.tones),
                down: None,
            })
        });
        let Hearing { listener, down } = &mut **hearing;
        let keys = &mut self.keys;
        let began = at.0.saturating_sub(listener.position().0);
        let echoed = |position: Position| Position(began + position.0).after(ECHO);
        listener.listen(samples, |observation| match observation.event {
            Event::Tone { tone, .. } => end.own_tone(tone, echoed(observation.at)),
            Event::ToneEnd { tone } => end.own_tone(tone, echoed(observation.from)),
            Event::KeyDown { key } => {
                *down = Some(key);
                note(keys, key, echoed(observation.at));
            }
            Event::KeyUp { key } => {
                *down = None;
                note(keys, key, echoed(observation.from));
            }
            Event::Activity { .. } | Event::NoiseFloor { .. } | Event::Unclear => {}
        });
        // What sounds on is said once, or again when it has been for a while.
        let now = echoed(listener.position());
        if let Some(tone) = listener.tone()
            && listener.activity() != Activity::Silence
        {
            end.own_tone(tone, now);
        }
        if let Some(key) = *down {
            note(keys, key, now);
        }
    }

    /// Whether this key, heard at `at`, may be the echo of one that we played.
    pub(super) fn pressed(&self, key: Key, at: Position) -> bool {
        let mut keys = self.keys.iter();
        keys.any(|(own, until)| *own == key && at <= *until)
    }

    /// The same of a key that the modem names at `at`.
    pub(super) fn reported(&self, key: Key, at: Position) -> bool {
        let mut keys = self.keys.iter();
        keys.any(|(own, until)| *own == key && at <= until.after(NAMED_LATER))
    }
}

fn note(keys: &mut Vec<(Key, Position)>, key: Key, until: Position) {
    match keys.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = until.max(*known),
        None => keys.push((key, until)),
    }
}
