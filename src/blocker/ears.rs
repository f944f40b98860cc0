//! What is heard in one call while its sound comes in: the listener and the rules that follow it.
//!
//! Pure: samples and codes in, what they mean for the call out. Places are counted in samples from
//! the opening of the voice stream, as in the recording.

use crate::audio::listen::{
    Activity, CallEnd, EndOfCall, EndRules, Event, Hearing, Key, KeyPresses, LineQuality, Listener,
    Observation, Position, SAMPLES_PER_SECOND, Tone, ToneSet,
};
use crate::modem::line_code::LineCode;
use std::time::Duration;

/// What we play may be told so much before its echo can come, and so much too late.
const TOLD_EARLY: u64 = SAMPLES_PER_SECOND / 2;
const TOLD_LATE: u64 = SAMPLES_PER_SECOND / 8;
/// The longest from handing special information tones over until their echo has been recognised:
/// their own second, and two for the modem and the line.
const OWN_TONES: u64 = 3 * SAMPLES_PER_SECOND;

/// How calls are listened to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Listening {
    /// The tones of which exchange.
    pub tones: ToneSet,
    /// Silence after speech that ends a call; `None`: none does.
    pub end_silence: Option<Duration>,
    /// Whether the tones or the dead air at the end of a recording are cut off.
    pub trim: bool,
}

impl Default for Listening {
    fn default() -> Self {
        Self {
            tones: ToneSet::Any,
            end_silence: None,
            trim: true,
        }
    }
}

/// What a piece of sound, or a code, brought to light.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Heard {
    /// Keys pressed that were not known yet.
    pub(super) keys: Vec<Key>,
    /// The call is over; said once.
    pub(super) end: Option<CallEnd>,
}

/// Listens to one call.
#[derive(Debug)]
pub(super) struct Ears {
    listener: Listener,
    end: EndOfCall,
    keys: KeyPresses,
    /// Where the silence began that lasts; `None` while something is heard.
    silent_since: Option<Position>,
    /// Silence counts from here on.
    counted_from: Position,
    /// Place in the call's sound of the first sample we sent.
    sent_from: u64,
    /// Special information tones that are heard up to here are our own.
    own_tones_until: Position,
    /// The line's quality was told.
    judged: bool,
}

impl Ears {
    /// For a voice stream that opens now.
    pub(super) fn new(how: &Listening) -> Self {
        Self {
            listener: Listener::new(how.tones),
            end: EndOfCall::new(EndRules {
                end_silence: how.end_silence,
                hearing: Hearing::Audio,
            }),
            keys: KeyPresses::new(),
            silent_since: Some(Position(0)),
            counted_from: Position(0),
            sent_from: 0,
            own_tones_until: Position(0),
            judged: false,
        }
    }

    /// The next samples from the line.
    pub(super) fn hear(&mut self, samples: &[u8]) -> Heard {
        let mut heard = Heard::default();
        let known = self.end.ended().is_some();
        let Self {
            listener,
            end,
            keys,
            silent_since,
            own_tones_until,
            ..
        } = self;
        listener.listen(samples, |observation| {
            if !(is_special_information(&observation) && observation.from < *own_tones_until) {
                end.heard(&observation);
            }
            heard
                .keys
                .extend(keys.heard(&observation).map(|press| press.key));
            note_silence(silent_since, &observation);
        });
        let over = end.elapsed(listener.position());
        heard.end = over.filter(|_| !known);
        heard
    }

    /// A code about the line: a hint.
    pub(super) fn code(&mut self, code: LineCode) -> Option<CallEnd> {
        let known = self.end.ended().is_some();
        self.end
            .code(code, self.listener.position())
            .filter(|_| !known)
    }

    /// The modem says that a key went down or came up. Says which key was pressed, if that was not
    /// known yet.
    pub(super) fn key_code(&mut self, digit: char, pressed: bool) -> Option<Key> {
        if !pressed {
            self.keys.code_up();
            return None;
        }
        let key = Key::new(u8::try_from(digit).ok()?)?;
        self.keys
            .code_down(key, self.listener.position())
            .map(|press| press.key)
    }

    /// These samples are on their way to the line, after `before` others of this stream, silence
    /// included.
    ///
    /// Both directions begin together and run by the modem's own clock, so the count alone places
    /// what we play in what we hear, up to a delay that stays the same; that is found by the
    /// listener. Only where the modem ran dry or the stream was opened anew the two are laid side by
    /// side again.
    pub(super) fn playing(&mut self, before: u64, samples: &[u8]) {
        let now = self.listener.position().0;
        let within = now.saturating_sub(TOLD_LATE)..=now + TOLD_EARLY;
        if !within.contains(&(self.sent_from.wrapping_add(before))) {
            self.sent_from = now.wrapping_sub(before);
        }
        let at = Position(self.sent_from.wrapping_add(before));
        self.listener.transmitted(at, samples);
    }

    /// Special information tones go to the line now: their echo, which may come before anything is
    /// known of the echo's path, does not mean that the call is over.
    pub(super) fn sending_special_information(&mut self) {
        self.own_tones_until = Position(self.listener.position().0 + OWN_TONES);
    }

    /// Silence is counted anew from here.
    pub(super) fn count_silence_anew(&mut self) {
        self.counted_from = self.listener.position();
    }

    /// How long the caller has been silent.
    pub(super) fn silent_for(&self) -> Duration {
        self.silent_since.map_or(Duration::ZERO, |since| {
            self.listener.position().since(since.max(self.counted_from))
        })
    }

    /// The verdict, once there is one.
    pub(super) fn ended(&self) -> Option<CallEnd> {
        self.end.ended()
    }

    /// The line's quality, once; `None` if nothing came.
    pub(super) fn take_quality(&mut self) -> Option<LineQuality> {
        let quality = self.listener.quality();
        let first = !std::mem::replace(&mut self.judged, true);
        (first && quality.samples > 0).then_some(quality)
    }
}

fn is_special_information(observation: &Observation) -> bool {
    matches!(
        observation.event,
        Event::Tone {
            tone: Tone::SpecialInformation,
            ..
        }
    )
}

fn note_silence(since: &mut Option<Position>, observation: &Observation) {
    match observation.event {
        Event::Activity {
            now: Activity::Silence,
            ..
        } => *since = Some(observation.from),
        Event::Activity { .. } => *since = None,
        _ => {}
    }
}
