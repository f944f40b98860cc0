//! What is heard in one call while its sound comes in: the listener and the rules that follow it.
//!
//! Pure: samples and codes in, what they mean for the call out. Places are counted in samples from
//! the opening of the voice stream, as in the recording.

use super::own_sound::OwnSound;
use crate::audio::SILENCE;
use crate::audio::listen::{
    Activity, CallEnd, EndOfCall, EndRules, Event, Hearing, Key, KeyPresses, LineQuality, Listener,
    Observation, Position, SAMPLES_PER_SECOND, ToneSet,
};
use crate::modem::line_code::LineCode;
use crate::modem::voice::VoiceMode;
use std::time::Duration;

/// What we play may be told so much before its echo can come, and so much too late.
const TOLD_EARLY: u64 = SAMPLES_PER_SECOND / 2;
const TOLD_LATE: u64 = SAMPLES_PER_SECOND / 8;

/// Far too long a silence for somebody who leaves a message: the line may be one that says nothing when
/// the far end hangs up.
const END_SILENCE: Duration = Duration::from_mins(1);

/// How calls are listened to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Listening {
    /// The tones of which exchange.
    pub tones: ToneSet,
    /// Silence after speech that ends a call, zero if none does. `None`: a minute while we only record,
    /// and none while we play as well.
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
pub(crate) struct Heard {
    /// Keys pressed that were not known yet.
    pub(crate) keys: Vec<Key>,
    /// The call is over; said once.
    pub(crate) end: Option<CallEnd>,
}

/// Listens to one call.
#[derive(Debug)]
pub(crate) struct Ears {
    listener: Listener,
    end: EndOfCall,
    keys: KeyPresses,
    /// Where the silence began that lasts; `None` while something is heard.
    silent_since: Option<Position>,
    /// Silence counts from here on.
    counted_from: Position,
    /// Place in the call's sound of the first sample we sent.
    sent_from: u64,
    own: OwnSound,
    /// The line's quality was told.
    judged: bool,
}

impl Ears {
    /// For a voice stream of this mode that opens now.
    pub(crate) fn new(how: &Listening, mode: VoiceMode) -> Self {
        let only_records = mode == VoiceMode::Receive;
        let end_silence = how
            .end_silence
            .or(only_records.then_some(END_SILENCE))
            .filter(|silence| !silence.is_zero());
        Self {
            listener: Listener::new(how.tones),
            end: EndOfCall::new(EndRules {
                end_silence,
                hearing: Hearing::Audio,
            }),
            keys: KeyPresses::new(),
            silent_since: Some(Position(0)),
            counted_from: Position(0),
            sent_from: 0,
            own: OwnSound::new(how.tones),
            judged: false,
        }
    }

    /// The next samples from the line.
    pub(crate) fn hear(&mut self, samples: &[u8]) -> Heard {
        let mut heard = Heard::default();
        let known = self.end.ended().is_some();
        let Self {
            listener,
            end,
            keys,
            silent_since,
            own,
            ..
        } = self;
        listener.listen(samples, |observation| {
            note_silence(silent_since, &observation);
            match observation.event {
                Event::KeyDown { key } if own.pressed(key, observation.from) => return,
                Event::KeyUp { key } if own.pressed(key, observation.from) => {}
                _ => {
                    end.heard(&observation);
                }
            }
            let press = keys.heard(&observation);
            heard.keys.extend(press.map(|press| press.key));
        });
        let over = end.elapsed(listener.position());
        heard.end = over.filter(|_| !known);
        heard
    }

    /// A code about the line: a hint.
    pub(crate) fn code(&mut self, code: LineCode) -> Option<CallEnd> {
        let known = self.end.ended().is_some();
        self.end
            .code(code, self.listener.position())
            .filter(|_| !known)
    }

    /// The modem says that a key went down or came up. Says which key was pressed, if that was not
    /// known yet.
    pub(crate) fn key_code(&mut self, digit: char, pressed: bool) -> Option<Key> {
        if !pressed {
            self.keys.code_up();
            return None;
        }
        let key = Key::new(u8::try_from(digit).ok()?)?;
        let now = self.listener.position();
        if self.own.reported(key, now) {
            return None;
        }
        self.keys.code_down(key, now).map(|press| press.key)
    }

    /// These samples are on their way to the line, after `before` others of this stream. From the first
    /// that is played on all are told, silence included.
    ///
    /// Both directions begin together and run by the modem's own clock, so the count alone places
    /// what we play in what we hear, up to a delay that stays the same; that is found by the
    /// listener. Only where the modem ran dry or the stream was opened anew the two are laid side by
    /// side again.
    pub(crate) fn playing(&mut self, before: u64, samples: &[u8]) {
        let now = self.listener.position().0;
        let within = now.saturating_sub(TOLD_LATE)..=now + TOLD_EARLY;
        if !within.contains(&(self.sent_from.wrapping_add(before))) {
            self.sent_from = now.wrapping_sub(before);
        }
        let at = Position(self.sent_from.wrapping_add(before));
        if samples.iter().any(|sample| *sample != SILENCE) {
            self.listener.transmitted(at, samples);
        }
        self.own.played(at, samples, &mut self.end);
    }

    /// Silence is counted anew from here.
    pub(crate) fn count_silence_anew(&mut self) {
        self.counted_from = self.listener.position();
    }

    /// How long the caller has been silent.
    pub(crate) fn silent_for(&self) -> Duration {
        self.silent_since.map_or(Duration::ZERO, |since| {
            self.listener.position().since(since.max(self.counted_from))
        })
    }

    /// The verdict, once there is one.
    pub(crate) fn ended(&self) -> Option<CallEnd> {
        self.end.ended()
    }

    /// The line's quality, once; `None` if nothing came.
    pub(crate) fn take_quality(&mut self) -> Option<LineQuality> {
        let quality = self.listener.quality();
        let first = !std::mem::replace(&mut self.judged, true);
        (first && quality.samples > 0).then_some(quality)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::listen::{EndReason, SpecialInformation};

    /// So many samples are told at a time.
    const STEP: usize = 960;
    /// No fewer are told ahead, where the modem never ran dry.
    const LEAD: usize = 1920;

    /// These pitches together, on and off for so many milliseconds, for so long.
    fn tone(hz: &[f32], cadence: (usize, usize), seconds: usize) -> Vec<u8> {
        (0..seconds * 8000)
            .map(|n| {
                let on = n % (8 * (cadence.0 + cadence.1).max(1)) < 8 * cadence.0;
                let wave = |hz: &f32| (std::f32::consts::TAU * hz * n as f32 / 8000.0).sin();
                let sum: f32 = hz.iter().map(wave).sum();
                let value = if on {
                    30.0 * sum / hz.len() as f32
                } else {
                    0.0
                };
                (128.0 + value).round() as u8
            })
            .collect()
    }

    fn busy(seconds: usize) -> Vec<u8> {
        tone(&[425.0], (480, 480), seconds)
    }

    fn dial(seconds: usize) -> Vec<u8> {
        tone(&[350.0, 440.0], (1, 0), seconds)
    }

    fn key(row: f32, column: f32) -> Vec<u8> {
        tone(&[row, column], (150, 1850), 2)
    }

    fn silence(seconds: usize) -> Vec<u8> {
        vec![SILENCE; seconds * 8000]
    }

    /// A call in which we play from its beginning on.
    struct Conversation {
        played: Vec<u8>,
        far: Vec<u8>,
        /// Samples until the echo comes, and how much weaker it is.
        echo: Echo,
        /// Samples by which what is played is told later, because the modem ran dry.
        late: usize,
    }

    type Echo = (usize, f32);

    impl Conversation {
        /// What is heard, and where in seconds the call was over.
        fn held(&self) -> (Heard, Option<f64>) {
            let (delay, loss_db) = self.echo;
            let gain = 10_f32.powf(-loss_db / 20.0);
            let mut ears = Ears::new(&Listening::default(), VoiceMode::Duplex);
            let mut all = Heard::default();
            let mut told = 0;
            let mut rng = fastrand::Rng::with_seed(31);
            for (n, far) in self.far.chunks(160).enumerate() {
                while told < (n * 160 + LEAD).saturating_sub(self.late) {
                    let mut piece = self.played.get(told..).unwrap_or_default().to_vec();
                    piece.resize(STEP, SILENCE);
                    ears.playing(told as u64, &piece);
                    told += STEP;
                }
                let line: Vec<u8> = (n * 160..)
                    .zip(far)
                    .map(|(at, far)| {
                        let ours = at.checked_sub(delay).and_then(|at| self.played.get(at));
                        let ours = f32::from(*ours.unwrap_or(&SILENCE)) - 128.0;
                        let sum = f32::from(*far) + gain * ours + rng.f32() - 0.5;
                        sum.round() as u8
                    })
                    .collect();
                let heard = ears.hear(&line);
                all.keys.extend(heard.keys);
                all.end = all.end.or(heard.end);
            }
            let end = all.end.map(|end| end.at.seconds());
            (all, end)
        }
    }

    const ECHOES: [(usize, f32); 3] = [(24, 6.0), (800, 20.0), (3900, 10.0)];

    #[test]
    fn a_tone_that_we_play_ends_no_call() {
        let tones = [
            busy(6),
            dial(6),
            tone(&[480.0, 620.0], (250, 250), 4),
            tone(&[440.0], (1, 0), 6),
            tone(&[1400.0, 2060.0, 2450.0, 2600.0], (100, 100), 4),
            // As many pulses as are asked for, to the last sample.
            tone(&[480.0, 620.0], (500, 500), 3)[..20_000].to_vec(),
            SpecialInformation::International.samples(),
        ];
        for (nth, played) in tones.into_iter().enumerate() {
            for echo in ECHOES {
                let (heard, _) = Conversation {
                    played: played.clone(),
                    far: silence(8),
                    echo,
                    late: 0,
                }
                .held();
                assert_eq!(heard, Heard::default(), "tone {nth}, {echo:?}");
            }
        }
    }

    #[test]
    fn a_tone_that_we_play_ends_no_call_where_the_modem_ran_dry() {
        for late in [1000, 2000, 2800] {
            let (heard, _) = Conversation {
                played: busy(8),
                far: silence(8),
                echo: (late, 10.0),
                late,
            }
            .held();
            assert_eq!(heard, Heard::default(), "{late}");
        }
    }

    #[test]
    fn the_exchange_s_tone_after_ours_ends_the_call_by_its_own_length() {
        for (ours, theirs) in [(busy(5), busy(6)), (dial(5), dial(6))] {
            for echo in ECHOES {
                // It begins in the middle of ours.
                let (_, end) = Conversation {
                    played: ours.clone(),
                    far: [silence(4), theirs.clone()].concat(),
                    echo,
                    late: 0,
                }
                .held();
                let end = end.expect("an end");
                assert!((7.0..9.0).contains(&end), "{end} s, {echo:?}");
            }
        }
    }

    #[test]
    fn the_exchange_s_tone_of_another_kind_ends_the_call_while_we_play_ours() {
        let keys = [key(697.0, 1209.0), key(770.0, 1336.0)].concat();
        for (ours, theirs, reason) in [
            (busy(12), dial(10), EndReason::DialTone),
            (keys.repeat(3), dial(10), EndReason::DialTone),
            (keys.repeat(3), busy(10), EndReason::Busy),
            (silence(12), dial(10), EndReason::DialTone),
            (
                SpecialInformation::International.samples(),
                busy(10),
                EndReason::Busy,
            ),
        ] {
            let (heard, end) = Conversation {
                played: ours,
                far: [silence(2), theirs].concat(),
                echo: (200, 34.0),
                late: 0,
            }
            .held();
            assert_eq!(heard.end.map(|end| end.reason), Some(reason));
            let end = end.expect("an end");
            assert!((4.0..7.0).contains(&end), "{end} s, {reason:?}");
        }
    }

    #[test]
    fn special_information_tones_are_the_exchange_s_but_for_the_echo_of_ours() {
        let tones = SpecialInformation::International.samples();
        let (heard, _) = Conversation {
            played: tones.clone(),
            far: [silence(3), tones, silence(1)].concat(),
            echo: (200, 10.0),
            late: 0,
        }
        .held();
        let reason = heard.end.map(|end| end.reason);
        assert_eq!(reason, Some(EndReason::SpecialInformation));
    }

    #[test]
    fn a_key_that_we_play_is_not_the_caller_s() {
        for echo in ECHOES {
            let (heard, _) = Conversation {
                played: key(697.0, 1209.0).repeat(3),
                far: [
                    silence(1),
                    key(770.0, 1336.0),
                    silence(5),
                    key(697.0, 1209.0),
                ]
                .concat(),
                echo,
                late: 0,
            }
            .held();
            let keys: String = heard.keys.iter().map(|key| key.as_char()).collect();
            assert_eq!(keys, "51", "{echo:?}");
        }
    }

    #[test]
    fn a_key_that_we_play_is_not_the_caller_s_by_the_modem_s_word_either() {
        let mut ears = Ears::new(&Listening::default(), VoiceMode::Duplex);
        ears.playing(0, &key(697.0, 1209.0)[..STEP]);
        ears.playing(960, &key(697.0, 1209.0)[STEP..3 * STEP]);
        ears.hear(&silence(1)[..STEP]);
        assert_eq!(ears.key_code('1', true), None);
        assert_eq!(ears.key_code('1', true), None);
        assert_eq!(ears.key_code('1', false), None);
        assert_eq!(ears.key_code('2', true), Key::new(b'2'));
        assert_eq!(ears.key_code('2', false), None);
        ears.hear(&silence(2));
        assert_eq!(ears.key_code('1', true), Key::new(b'1'));
    }
}
