//! When a call is over: one set of rules over what is heard and what the modem says.
//!
//! Sound decides. A line code alone is a hint: it makes the rules quicker when the sound agrees, and
//! has to be repeated where there is no sound (while we only transmit). Music, fans, crying, menus, keys
//! and codes in the middle of speech end nothing.

use std::time::Duration;

use crate::modem::line_code::LineCode;

use super::observation::{Activity, Event, Observation, Position, Tone};

/// A continuous dial tone ends the call after this long.
const DIAL: Duration = Duration::from_millis(2300);
/// Busy and reorder tone: at least three pulses, and at least this long.
const CADENCE: Duration = Duration::from_millis(2100);
/// The same, when a code said so too.
const CADENCE_CONFIRMED: Duration = Duration::from_millis(1200);
/// How long a code counts as a hint.
const HINT: Duration = Duration::from_secs(6);
/// A code that is all there is has to come again within this time, with no other between. Rockwell's and
/// other chips repeat a true one every 4 s (busy) or 3 s (dial tone), so that the host can ignore the
/// first.
const AGAIN: Duration = Duration::from_secs(6);
/// Two reports closer together than this are one.
const SAME_REPORT: Duration = Duration::from_secs(1);
/// After a break of the loop nothing is heard for so long when the far end is gone: longer than a menu
/// waits for a key, and than its pauses that follow one another.
const LOOP_SILENCE: Duration = Duration::from_secs(16);
/// The same where the line is silent to the last of the 8 bits, as few lines with somebody on them are.
const LOOP_SILENCE_TO_THE_BIT: Duration = Duration::from_secs(7);
const TO_THE_BIT_DBFS: f32 = -49.9;
/// A break so soon after the pick-up is our own going off-hook.
const PICKED_UP: Duration = Duration::from_secs(1);
/// A sound may end this much after the break: it was already on its way.
const LOOP_GRACE: Duration = Duration::from_millis(500);
/// A line is dead below this level, or when it has become so much quieter by the break; a steady noise
/// may as well be the far end's fan.
const DEAD_LINE_DBFS: f32 = -42.0;
const FELL_DEAD_DB: f32 = 6.0;
/// A steady noise this much above the quietest the line was is somebody's fan, not dead air.
const DEAD_AIR_DB: f32 = 10.0;
/// No dial tone is higher.
const HIGHEST_DIAL_HZ: f32 = 700.0;
/// What is said to be unclear at once.
const UNCLEAR: Duration = Duration::from_millis(20);
/// Unclear sounds with no longer pause between them are one.
const PAUSE: Duration = Duration::from_millis(300);
/// Unclear stretches remembered, to find the last before the tone that ended the call: ten seconds of them.
const STRETCHES: usize = 32;
/// A tone's edges are known to about a spectrum.
const EDGE: Duration = Duration::from_millis(40);
/// Tonal sounds remembered, to find the last before the tone that ended the call.
const TONAL_ENDS: usize = 32;

/// Kinds of tones that end a call.
const KINDS: usize = 4;

/// Which of the kinds a tone is, or may be taken for where it is heard less well.
const fn kind(tone: Tone) -> Option<usize> {
    match tone {
        Tone::Dial => Some(0),
        Tone::Steady { hz } if hz < HIGHEST_DIAL_HZ => Some(0),
        Tone::Busy | Tone::Reorder => Some(1),
        Tone::Howler => Some(2),
        Tone::SpecialInformation => Some(3),
        Tone::Steady { .. } | Tone::FaxCalling | Tone::FaxAnswer | Tone::Ringback => None,
    }
}

/// Why a call is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// Dial tone.
    DialTone,
    /// Busy tone.
    Busy,
    /// Reorder (congestion) tone.
    Reorder,
    /// Off-hook warning.
    Howler,
    /// Special information tones: the exchange is about to say why.
    SpecialInformation,
    /// The loop was broken and nothing was heard after it.
    LoopBreak,
    /// Far too long a silence after speech.
    Silence,
    /// The modem itself left the line.
    NoCarrier,
    /// The modem said it twice, and there was no audio to ask.
    RepeatedCode,
}

impl EndReason {
    /// A word for the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DialTone => "dial tone",
            Self::Busy => "busy tone",
            Self::Reorder => "reorder tone",
            Self::Howler => "howler",
            Self::SpecialInformation => "special information tones",
            Self::LoopBreak => "loop break",
            Self::Silence => "silence",
            Self::NoCarrier => "no carrier",
            Self::RepeatedCode => "repeated line code",
        }
    }
}

/// The call is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallEnd {
    /// Why.
    pub reason: EndReason,
    /// Where this became certain.
    pub at: Position,
    /// End of the last sound that was no tone of the exchange, or may have been none; `None` if there was
    /// no such sound.
    pub last_sound: Option<Position>,
}

/// Whether there is audio to judge by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Hearing {
    /// The modem sends what it hears (receive, duplex).
    #[default]
    Audio,
    /// Only codes come (transmit).
    CodesOnly,
}

/// What may end a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EndRules {
    /// Silence after speech that ends the call; `None`: none does.
    pub end_silence: Option<Duration>,
    /// Whether there is audio to judge by.
    pub hearing: Hearing,
}

impl EndRules {
    /// Where there is no audio.
    pub const CODES_ONLY: Self = Self {
        end_silence: None,
        hearing: Hearing::CodesOnly,
    };
}

/// The modem says that the loop was broken, and nothing was heard since that refutes it.
#[derive(Clone, Copy, Debug)]
struct LoopBreak {
    at: Position,
    floor_dbfs: f32,
}

/// From the first to the last of what was unclear, with no long pause between.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Position,
    until: Position,
}

/// Watches one call.
#[derive(Clone, Debug)]
pub struct EndOfCall {
    rules: EndRules,
    activity: Activity,
    since: Position,
    last_voice: Option<Position>,
    last_key: Option<Position>,
    /// What may have been the caller; it counts only where a recording is cut.
    unclear: [Option<Stretch>; STRETCHES],
    tonal_ends: [Option<Position>; TONAL_ENDS],
    dial: Option<Position>,
    /// Up to where tones of each kind are, or may be, the echo of what we play.
    own: [Position; KINDS],
    codes: [Option<(LineCode, Position)>; 4],
    loop_break: Option<LoopBreak>,
    floor_dbfs: f32,
    quietest_dbfs: f32,
    ended: Option<CallEnd>,
}

impl EndOfCall {
    /// For a call that begins now.
    pub fn new(rules: EndRules) -> Self {
        Self {
            rules,
            activity: Activity::Silence,
            since: Position(0),
            last_voice: None,
            last_key: None,
            unclear: [None; STRETCHES],
            tonal_ends: [None; TONAL_ENDS],
            dial: None,
            own: [Position(0); KINDS],
            codes: [None; 4],
            loop_break: None,
            floor_dbfs: 0.0,
            quietest_dbfs: 0.0,
            ended: None,
        }
    }

    /// The verdict, once there is one; it stays.
    pub fn ended(&self) -> Option<CallEnd> {
        self.ended
    }

    /// We play such a tone ourselves: what is heard of it up to `until` is our own echo, and tells
    /// nothing of the far end. To be told before that is heard.
    pub fn own_tone(&mut self, tone: Tone, until: Position) {
        if let Some(kind) = kind(tone) {
            self.own[kind] = self.own[kind].max(until);
        }
    }

    /// From where on a tone that was heard from `from` on is the far end's.
    fn not_our_own(&self, tone: Tone, from: Position) -> Position {
        kind(tone).map_or(from, |kind| from.max(self.own[kind]))
    }

    /// Takes something heard.
    pub fn heard(&mut self, observation: &Observation) -> Option<CallEnd> {
        let (from, at) = (observation.from, observation.at);
        match observation.event {
            Event::Activity { now, floor_dbfs } => self.activity(now, floor_dbfs, from),
            Event::Tone { tone, pulses } => return self.tone(tone, pulses, from, at),
            Event::NoiseFloor { dbfs } => self.floor(dbfs),
            Event::Unclear => self.unclear(from),
            Event::ToneEnd { .. } => self.dial = None,
            Event::KeyDown { .. } | Event::KeyUp { .. } => {
                self.last_key = Some(from);
                self.loop_break = None;
            }
        }
        None
    }

    fn activity(&mut self, now: Activity, floor_dbfs: f32, from: Position) {
        match self.activity {
            Activity::Voice => self.last_voice = Some(from),
            Activity::Tonal => {
                self.tonal_ends.rotate_right(1);
                self.tonal_ends[0] = Some(from);
            }
            Activity::Silence => {}
        }
        self.activity = now;
        self.since = from;
        self.floor(floor_dbfs);
        // A sound that begins after the break, or goes on after it.
        if self
            .loop_break
            .is_some_and(|broken| from > broken.at.after(LOOP_GRACE))
        {
            self.loop_break = None;
        }
    }

    fn unclear(&mut self, from: Position) {
        let until = from.after(UNCLEAR);
        match &mut self.unclear[0] {
            Some(last) if from.since(last.until) <= PAUSE => last.until = until,
            _ => {
                self.unclear.rotate_right(1);
                self.unclear[0] = Some(Stretch { from, until });
            }
        }
    }

    /// The end of what was unclear before a tone, or before now.
    fn last_unclear(&self, limit: Position) -> Option<Position> {
        let mut stretches = self.unclear.iter().flatten();
        // What begins at a tone's edge belongs to it.
        let last = stretches.find(|stretch| stretch.from.after(EDGE) < limit);
        last.map(|stretch| stretch.until)
    }

    fn floor(&mut self, dbfs: f32) {
        self.floor_dbfs = dbfs;
        self.quietest_dbfs = self.quietest_dbfs.min(dbfs);
    }

    fn tone(&mut self, tone: Tone, pulses: u16, from: Position, at: Position) -> Option<CallEnd> {
        let (reason, code) = match tone {
            Tone::Dial if pulses == 1 => {
                self.dial = Some(from);
                return self.elapsed(at);
            }
            Tone::Dial => (EndReason::DialTone, LineCode::DialTone),
            Tone::Busy => (EndReason::Busy, LineCode::Busy),
            Tone::Reorder => (EndReason::Reorder, LineCode::Reorder),
            Tone::Howler => (EndReason::Howler, LineCode::Busy),
            Tone::SpecialInformation if from < self.not_our_own(tone, from) => return None,
            Tone::SpecialInformation => {
                return self.end(EndReason::SpecialInformation, at, Some(from));
            }
            Tone::FaxCalling | Tone::FaxAnswer | Tone::Ringback | Tone::Steady { .. } => {
                return None;
            }
        };
        // Four pitches ten times in two seconds are not to be mistaken.
        let needed = if tone == Tone::Howler || self.hinted(code, at) {
            CADENCE_CONFIRMED
        } else {
            CADENCE
        };
        if at.since(self.not_our_own(tone, from)) >= needed {
            self.end(reason, at, Some(from))
        } else {
            None
        }
    }

    /// A recent code agrees. Busy and reorder are the same to most modems.
    fn hinted(&self, code: LineCode, at: Position) -> bool {
        let kin = |other: LineCode| {
            other == code
                || matches!(
                    (other, code),
                    (LineCode::Busy, LineCode::Reorder) | (LineCode::Reorder, LineCode::Busy)
                )
        };
        self.codes
            .iter()
            .flatten()
            .any(|&(other, then)| kin(other) && at.since(then) <= HINT)
    }

    /// Takes a line code that came at `at`.
    pub fn code(&mut self, code: LineCode, at: Position) -> Option<CallEnd> {
        match code {
            LineCode::NoCarrier => return self.end(EndReason::NoCarrier, at, None),
            LineCode::LoopBreak if at.elapsed() < PICKED_UP => return None,
            LineCode::LoopBreak
            | LineCode::Busy
            | LineCode::Reorder
            | LineCode::DialTone
            | LineCode::SpecialInformation => {}
            _ => return None,
        }
        if code == LineCode::LoopBreak {
            self.loop_break = Some(LoopBreak {
                at,
                floor_dbfs: self.floor_dbfs,
            });
        }
        let again = match self.codes[0] {
            Some((last, then)) if last == code => Some(at.since(then)),
            _ => None,
        };
        if again.is_some_and(|since| since < SAME_REPORT) {
            return None;
        }
        self.codes.rotate_right(1);
        self.codes[0] = Some((code, at));
        if self.rules.hearing == Hearing::CodesOnly && again.is_some_and(|since| since <= AGAIN) {
            return self.end(EndReason::RepeatedCode, at, None);
        }
        None
    }

    /// The audio has come to `at`; to be called with every block.
    pub fn elapsed(&mut self, at: Position) -> Option<CallEnd> {
        let dial = self.dial.map(|from| self.not_our_own(Tone::Dial, from));
        if let Some(from) = dial.filter(|from| at.since(*from) >= DIAL) {
            return self.end(EndReason::DialTone, at, Some(from));
        }
        if self.activity != Activity::Silence {
            return self.ended;
        }
        if let Some(broken) = self.loop_break {
            let dead = self.floor_dbfs <= DEAD_LINE_DBFS.max(broken.floor_dbfs - FELL_DEAD_DB);
            let needed = if self.floor_dbfs <= TO_THE_BIT_DBFS {
                LOOP_SILENCE_TO_THE_BIT
            } else {
                LOOP_SILENCE
            };
            if dead && at.since(broken.at) >= needed {
                return self.end(EndReason::LoopBreak, at, None);
            }
        }
        if let (Some(limit), Some(voice)) = (self.rules.end_silence, self.last_voice) {
            let last = voice.max(self.since).max(self.last_key.unwrap_or_default());
            let dead = self.floor_dbfs <= self.quietest_dbfs + DEAD_AIR_DB;
            if dead && at.since(last) >= limit {
                return self.end(EndReason::Silence, at, None);
            }
        }
        self.ended
    }

    fn end(
        &mut self,
        reason: EndReason,
        at: Position,
        tone_from: Option<Position>,
    ) -> Option<CallEnd> {
        if self.ended.is_none() {
            self.ended = Some(CallEnd {
                reason,
                at,
                last_sound: self.last_sound(at, tone_from),
            });
        }
        self.ended
    }

    fn last_sound(&self, at: Position, tone_from: Option<Position>) -> Option<Position> {
        let limit = tone_from.unwrap_or(at);
        let sounding = match self.activity {
            Activity::Voice => Some(limit),
            Activity::Tonal if tone_from.is_none() => Some(limit),
            _ => None,
        };
        // What ends at a tone's edge belongs to it.
        let own = limit.after(EDGE);
        self.tonal_ends
            .iter()
            .flatten()
            .copied()
            .filter(|&end| end <= own)
            .chain(self.last_voice)
            .chain(self.last_key)
            .chain(self.last_unclear(limit))
            .chain(sounding)
            .map(|end| end.min(limit))
            .max()
    }
}
