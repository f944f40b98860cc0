//! What is heard in what we play ourselves.
//!
//! The line sends some of it back, and a tone of ours is like the exchange's, a key in our file like
//! the caller's. Where an echo canceller is at a loss, as with anything periodic, the same listener
//! tells what they are: what it hears in what we play is our own when it comes back.

use crate::audio::SILENCE;
use crate::audio::listen::{
    EndOfCall, Event, Key, Listener, Position, SAMPLES_PER_SECOND, Tone, ToneSet,
};
use std::time::Duration;

/// An echo comes within half a second; what is measured of it errs a little.
const ECHO: Duration = Duration::from_millis(600);
/// The modem may name a key so much later than it is heard.
const NAMED_LATER: Duration = Duration::from_millis(600);
/// So long after the last that was played, nothing of it is waited for.
const OVER: u64 = 5 * SAMPLES_PER_SECOND;

/// Hears what we play in one call. Without playback it holds nothing and does nothing.
#[derive(Debug)]
pub(super) struct OwnSound {
    tones: ToneSet,
    hearing: Option<Box<Hearing>>,
    /// Keys that we played, and up to where their echo may be heard.
    keys: Vec<(Key, Position)>,
}

/// While something is played, and a while after it.
#[derive(Debug)]
struct Hearing {
    listener: Listener,
    /// Place in the call's sound where this listener began.
    began: u64,
    /// One past the last that was played.
    played: u64,
    down: Option<Key>,
}

impl Hearing {
    fn new(tones: ToneSet, began: u64) -> Self {
        Self {
            listener: Listener::new(tones),
            began,
            played: began,
            down: None,
        }
    }

    fn position(&self) -> u64 {
        self.began + self.listener.position().0
    }
}

impl OwnSound {
    pub(super) fn new(tones: ToneSet) -> Self {
        Self {
            tones,
            hearing: None,
            keys: Vec::new(),
        }
    }

    /// These samples go to the line, and are heard from `at` on if their echo takes no time.
    pub(super) fn played(&mut self, at: Position, samples: &[u8], end: &mut EndOfCall) {
        if samples.is_empty() {
            return;
        }
        self.silence(at, end);
        let tones = self.tones;
        let hearing = self
            .hearing
            .get_or_insert_with(|| Box::new(Hearing::new(tones, at.0)));
        hearing.played = hearing.position() + samples.len() as u64;
        self.listen(samples, end);
    }

    /// Up to here no more is played than was told.
    pub(super) fn silence(&mut self, upto: Position, end: &mut EndOfCall) {
        while let Some(hearing) = &self.hearing {
            let position = hearing.position();
            if position > hearing.played + OVER {
                self.hearing = None;
                return;
            }
            let missing = upto.0.saturating_sub(position).min(SAMPLES_PER_SECOND);
            if missing == 0 {
                return;
            }
            self.listen(
                &[SILENCE; SAMPLES_PER_SECOND as usize][..missing as usize],
                end,
            );
        }
    }

    fn listen(&mut self, samples: &[u8], end: &mut EndOfCall) {
        let Self { hearing, keys, .. } = self;
        let Some(hearing) = hearing else {
            return;
        };
        let Hearing {
            listener,
            began,
            down,
            ..
        } = &mut **hearing;
        let echoed = |position: Position| Position(*began + position.0).after(ECHO);
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
            Event::Activity { .. } | Event::NoiseFloor { .. } => {}
        });
        // What sounds on is said once.
        let now = echoed(listener.position());
        if let Some(tone @ (Tone::Dial | Tone::Steady { .. })) = listener.tone() {
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
