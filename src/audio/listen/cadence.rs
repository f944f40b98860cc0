//! From pulses to tones: the cadence is held against the table of tone plans.

use super::close_look::CloseLook;
use super::observation::{Event, Observation, Position, SAMPLES_PER_SECOND, Tone};
use super::pulse::{Pulse, PulseFinder};
use super::spectrum::Component;
use super::tone_plan::{Meaning, Signal, ToneSet};

const MILLISECOND: u64 = SAMPLES_PER_SECOND / 1000;
/// Pulses remembered: more than two cycles of the longest cadence, and two seconds of howler.
const MEMORY: usize = 24;
/// A tone this long without a pause is no ringback any more (the longest, in North America, is 2 s).
const CONTINUOUS: u64 = 2100 * MILLISECOND;
/// A tone that sounds on and is no dial tone so far is looked at again after this time.
const LOOKED_AT_AGAIN: u64 = 300 * MILLISECOND;
/// A steady tone that is no network's is reported from here on.
const STEADY: u64 = 1000 * MILLISECOND;
/// A fax machine's answer tone is at least 2.6 s long; this much of it is enough to know it.
const FAX_ANSWER: u64 = 800 * MILLISECOND;

/// From this length of a cycle on, in milliseconds, as many whole pulses as are asked for and what may
/// come before them take longer than a call is to last.
const SLOW: u32 = 1400;

/// So much of a slow tone's pulse shows that it has begun.
const BEGUN: u64 = 40 * MILLISECOND;

#[derive(Clone, Debug)]
pub(super) struct CadenceReader {
    set: ToneSet,
    pulses: [Pulse; MEMORY],
    count: usize,
    reported: Option<Reported>,
}

#[derive(Clone, Copy, Debug)]
struct Reported {
    tone: Tone,
    last: u64,
    /// No later than this the next pulse must have ended; of a continuous tone, where it is looked at
    /// again.
    patience: u64,
    continuous: bool,
}

/// A tone whose cadence is kept.
#[derive(Clone, Copy, Debug)]
struct Recognised {
    tone: Tone,
    /// Pulses counted.
    pulses: u16,
    /// Where it began.
    from: u64,
    /// Its longest pause.
    off: u64,
}

/// Pulses, from the latest backwards, that keep a cadence.
#[derive(Clone, Copy, Debug)]
struct Kept {
    pulses: usize,
    /// Where the first of them began.
    from: u64,
    /// Which of the cadence's pulses the first of them is.
    phase: usize,
}

impl CadenceReader {
    pub(super) fn new(set: ToneSet) -> Self {
        Self {
            set,
            pulses: [Pulse::default(); MEMORY],
            count: 0,
            reported: None,
        }
    }

    /// The tone being heard, if it is recognised.
    pub(super) fn tone(&self) -> Option<Tone> {
        self.reported.map(|reported| reported.tone)
    }

    /// A pulse has ended.
    pub(super) fn pulse(&mut self, pulse: Pulse, at: u64, out: &mut impl FnMut(Observation)) {
        if self.reported.is_some_and(|r| r.continuous) {
            self.end(pulse.to, at, out);
        }
        if pulse.to.saturating_sub(pulse.from) < 60 * MILLISECOND {
            return;
        }
        self.pulses.rotate_right(1);
        self.pulses[0] = pulse;
        self.count = (self.count + 1).min(MEMORY);
        let Some(recognised) = self.recognise() else {
            return;
        };
        if self.reported.is_some_and(|r| r.tone != recognised.tone) {
            self.end(pulse.from, at, out);
        }
        self.say(recognised, pulse.to, at, out);
    }

    fn say(
        &mut self,
        recognised: Recognised,
        last: u64,
        at: u64,
        out: &mut impl FnMut(Observation),
    ) {
        let Recognised {
            tone,
            pulses,
            from,
            off,
        } = recognised;
        self.reported = Some(Reported {
            tone,
            last,
            patience: at + off + off / 5 + 2200 * MILLISECOND,
            continuous: false,
        });
        out(Observation {
            from: Position(from),
            at: Position(at),
            event: Event::Tone { tone, pulses },
        });
    }

    /// Once per spectrum: what sounds on, and what has stopped.
    pub(super) fn passing(
        &mut self,
        pulses: &PulseFinder,
        close: &CloseLook,
        at: u64,
        out: &mut impl FnMut(Observation),
    ) {
        if let Some(reported) = self.reported
            && !reported.continuous
            && at > reported.patience
        {
            self.end(reported.last, at, out);
        }
        let Some(pulse) = pulses.current() else {
            return;
        };
        let told = self.reported.filter(|reported| reported.continuous);
        if told.is_some_and(|told| at <= told.patience) {
            return;
        }
        let long = pulse.to.saturating_sub(pulse.from);
        if self.reported.is_none()
            && let Some(recognised) = self.third_begins(&pulse, long)
        {
            self.say(recognised, pulse.to, at, out);
            return;
        }
        let Some(tone) = self.continuous(&pulse, long, pulses, close) else {
            return;
        };
        if let Some(told) = &mut self.reported
            && told.continuous
            && tone != Tone::Dial
        {
            told.patience = at + LOOKED_AT_AGAIN;
            return;
        }
        if let Some(reported) = self.reported {
            self.end(reported.last, at, out);
        }
        self.reported = Some(Reported {
            tone,
            last: pulse.to,
            // What is no dial tone at first, because of a click or a word, may be one all the same.
            patience: match tone {
                Tone::Steady { .. } => at + LOOKED_AT_AGAIN,
                _ => u64::MAX,
            },
            continuous: true,
        });
        out(Observation {
            from: Position(pulse.from),
            at: Position(at),
            event: Event::Tone { tone, pulses: 1 },
        });
    }

    fn end(&mut self, from: u64, at: u64, out: &mut impl FnMut(Observation)) {
        if let Some(reported) = self.reported.take() {
            out(Observation {
                from: Position(from.min(at)),
                at: Position(at),
                event: Event::ToneEnd {
                    tone: reported.tone,
                },
            });
        }
    }

    /// What a pulse is that has sounded for `long` samples and sounds on.
    fn continuous(
        &self,
        pulse: &Pulse,
        long: u64,
        pulses: &PulseFinder,
        close: &CloseLook,
    ) -> Option<Tone> {
        if long >= FAX_ANSWER && (pulse.hz - 2100.0).abs() < 35.0 && pulse.spread_hz < 40.0 {
            return Some(Tone::FaxAnswer);
        }
        if pulse.hz > 700.0 {
            return (long >= STEADY).then_some(Tone::Steady { hz: pulse.hz });
        }
        if long < CONTINUOUS {
            return None;
        }
        let dial = pulse.clean && self.is_dial(pulse, pulses, close);
        Some(if dial {
            Tone::Dial
        } else {
            Tone::Steady { hz: pulse.hz }
        })
    }

    /// Whether a long tone is a dial tone: at first sight, and when looked at closely.
    fn is_dial(&self, pulse: &Pulse, pulses: &PulseFinder, close: &CloseLook) -> bool {
        let pulse = &Pulse {
            components: pulses.components(),
            ..*pulse
        };
        let alike = |signal: &&Signal| signal.cadence.is_empty() && sounds_like(signal, pulse);
        let mut alike = self.set.signals().filter(alike).peekable();
        let known = matches!(self.set, ToneSet::Country(_));
        alike.peek().is_some() && {
            let seen = close.look();
            alike.any(|signal| seen.is(signal, known))
        }
    }

    /// The tone whose cadence the latest pulses keep.
    fn recognise(&self) -> Option<Recognised> {
        if let Some(from) = self.special_information() {
            return Some(Recognised {
                tone: Tone::SpecialInformation,
                pulses: 3,
                from,
                off: 0,
            });
        }
        let mut best: Option<Recognised> = None;
        for signal in self.set.signals().filter(|s| !s.cadence.is_empty()) {
            let Some(kept) = self.keeps(signal) else {
                continue;
            };
            let needed = match (signal.meaning, signal.cadence.len()) {
                (Meaning::Ringback, 1) => 2,
                (Meaning::Howler, _) => 6,
                (_, 1) => 3,
                (_, cadence) => 2 * cadence,
            };
            let cut = kept.pulses + 1 == needed && self.began_before(signal, &kept);
            let count = kept.pulses + usize::from(cut);
            if count >= needed && best.is_none_or(|best| count > usize::from(best.pulses)) {
                best = Some(self.recognised(signal, &kept, count));
            }
        }
        best.or_else(|| {
            self.fax_calling().map(|from| Recognised {
                tone: Tone::FaxCalling,
                pulses: 1,
                from,
                off: 3000 * MILLISECOND,
            })
        })
    }

    fn recognised(&self, signal: &Signal, kept: &Kept, count: usize) -> Recognised {
        let off = signal.cadence.iter().map(|c| c.1).max().unwrap_or(0);
        let off = u64::from(off) * MILLISECOND;
        Recognised {
            tone: signal.meaning.tone(),
            pulses: count.min(MEMORY) as u16,
            from: self.beginning(kept, off),
            off,
        }
    }

    /// A slow tone whose third pulse begins, after `long` samples of it. Where the very first was cut so
    /// short that nobody could hear it, to wait for the end of this one would take too long.
    fn third_begins(&self, now: &Pulse, long: u64) -> Option<Recognised> {
        let latest = self.pulses[..self.count].first()?;
        if long < BEGUN || !now.quiet_before || !same_pitch(now, latest) {
            return None;
        }
        let pause = now.from.saturating_sub(latest.to);
        self.set.signals().find_map(|signal| {
            let &[(_, off)] = signal.cadence else {
                return None;
            };
            if signal.meaning == Meaning::Ringback
                || signal.cycle_ms() < SLOW
                || !self.close(pause, off, signal)
            {
                return None;
            }
            let kept = self.keeps(signal).filter(|kept| kept.pulses >= 2)?;
            Some(self.recognised(signal, &kept, kept.pulses + 1))
        })
    }

    /// The first pulse may be cut short, or run into the last word: it belongs to the tone all the same,
    /// if there is nothing between.
    fn beginning(&self, kept: &Kept, off: u64) -> u64 {
        let pulses = &self.pulses[..self.count];
        match (self.first_of(kept), pulses.get(kept.pulses)) {
            (Some(first), Some(earlier))
                if first.quiet_before
                    && same_pitch(earlier, first)
                    && kept.from.saturating_sub(earlier.to) <= off + off / 8 =>
            {
                earlier.from
            }
            _ => kept.from,
        }
    }

    /// The first of the pulses that keep a cadence.
    fn first_of(&self, kept: &Kept) -> Option<&Pulse> {
        let first = kept.pulses.checked_sub(1)?;
        self.pulses[..self.count].get(first)
    }

    /// Whether a slow tone has one more pulse, of which only the end is known: it began in the last word,
    /// or the exchange sent it in the middle of its cycle. To wait for another would take too long.
    fn began_before(&self, signal: &Signal, kept: &Kept) -> bool {
        let pulses = &self.pulses[..self.count];
        let (Some(first), Some(earlier)) = (self.first_of(kept), pulses.get(kept.pulses)) else {
            return false;
        };
        let size = signal.cadence.len();
        let (on, off) = signal.cadence[(kept.phase + size - 1) % size];
        let heard = earlier.to.saturating_sub(earlier.from);
        signal.meaning != Meaning::Ringback
            && signal.cycle_ms() >= SLOW
            && first.quiet_before
            && same_pitch(earlier, first)
            && heard <= u64::from(on + on / 4) * MILLISECOND
            && self.close(kept.from.saturating_sub(earlier.to), off, signal)
    }

    /// The latest pulses that keep this cadence; `None` if the latest has another sound.
    fn keeps(&self, signal: &Signal) -> Option<Kept> {
        let latest = self.pulses[..self.count].first()?;
        if !sounds_like(signal, latest) {
            return None;
        }
        (0..signal.cadence.len())
            .map(|phase| self.keeps_from(signal, phase, latest))
            .max_by_key(|kept| kept.pulses)
    }

    fn keeps_from(&self, signal: &Signal, mut phase: usize, latest: &Pulse) -> Kept {
        let size = signal.cadence.len();
        let mut kept = Kept {
            pulses: 0,
            from: latest.from,
            phase,
        };
        let mut later: Option<&Pulse> = None;
        for pulse in &self.pulses[..self.count] {
            if let Some(later) = later {
                let previous = (phase + size - 1) % size;
                let off = later.from.saturating_sub(pulse.to);
                if !self.close(off, signal.cadence[previous].1, signal)
                    || !later.quiet_before
                    || !alike(pulse, latest)
                {
                    break;
                }
                phase = previous;
            }
            let on = pulse.to.saturating_sub(pulse.from);
            if !pulse.clean || !self.close(on, signal.cadence[phase].0, signal) {
                break;
            }
            kept = Kept {
                pulses: kept.pulses + 1,
                from: pulse.from,
                phase,
            };
            later = Some(pulse);
        }
        kept
    }

    /// Whether a measured length is the one in the table.
    fn close(&self, samples: u64, milliseconds: u16, signal: &Signal) -> bool {
        let table = f32::from(milliseconds);
        let measured = samples as f32 / MILLISECOND as f32;
        let tolerance = match self.set {
            // Pulses not much longer than a window are not measured better; four pitches tell enough.
            _ if signal.meaning == Meaning::Howler => 40.0,
            ToneSet::Any => (0.06 * table).max(25.0),
            ToneSet::Country(_) => (0.10 * table).max(30.0),
        };
        (measured - table).abs() <= tolerance
    }

    /// The three rising tones (950, 1400, 1800 Hz and national variants), ending with the latest pulse.
    fn special_information(&self) -> Option<u64> {
        let [third, second, first, ..] = &self.pulses;
        if self.count < 3 {
            return None;
        }
        let is = |pulse: &Pulse, low: f32, high: f32| {
            (low..high).contains(&pulse.hz)
                && (200 * MILLISECOND..500 * MILLISECOND)
                    .contains(&pulse.to.saturating_sub(pulse.from))
        };
        let close = |a: &Pulse, b: &Pulse| b.from.saturating_sub(a.to) < 80 * MILLISECOND;
        (is(first, 875.0, 1015.0)
            && is(second, 1340.0, 1480.0)
            && is(third, 1740.0, 1880.0)
            && close(first, second)
            && close(second, third))
        .then_some(first.from)
    }

    fn fax_calling(&self) -> Option<u64> {
        let pulse = self.pulses.first()?;
        let on = pulse.to.saturating_sub(pulse.from);
        (pulse.clean
            && (pulse.hz - 1100.0).abs() <= 38.0
            && (400 * MILLISECOND..600 * MILLISECOND).contains(&on))
        .then_some(pulse.from)
    }
}

/// The same pitch and loudness.
fn alike(a: &Pulse, b: &Pulse) -> bool {
    same_pitch(a, b) && (0.4..2.5).contains(&(a.power / b.power))
}

fn same_pitch(a: &Pulse, b: &Pulse) -> bool {
    (a.hz - b.hz).abs() < 0.012 * b.hz + 3.0 + 0.1 * b.spread_hz
}

/// Pitches less than this apart are one peak of the spectrum.
const ONE_PEAK_HZ: f32 = 80.0;

/// The signal's pitches, as their mean and their spread, and next to nothing beside them.
fn sounds_like(signal: &Signal, pulse: &Pulse) -> bool {
    /// The window's own spread, measured on a pure sine with some noise.
    const WINDOW_SPREAD: f32 = 14.0;
    /// A single pitch is measured as 9 to 11 Hz, two that are a semitone apart as 17 Hz.
    const ONE_PITCH: f32 = 15.0;
    let count = signal.hz.len() as f32;
    let mean = signal.hz.iter().sum::<f32>() / count;
    let variance = signal.hz.iter().map(|hz| (hz - mean).powi(2)).sum::<f32>() / count;
    // Sidebands of a modulation 90 % deep hold 0.29 of the power, `modulation_hz` away.
    let modulation = 0.29 * signal.modulation_hz.powi(2);
    let spread = (variance + modulation + WINDOW_SPREAD * WINDOW_SPREAD).sqrt();
    let pure = variance + modulation == 0.0;
    // One of two pitches may be louder, which moves the mean.
    let twist = 0.4 * variance.sqrt();
    (pulse.hz - mean).abs() < 0.02 * mean + 1.0 + twist
        && if pure {
            pulse.spread_hz < ONE_PITCH
        } else {
            (pulse.spread_hz - spread).abs() < 10.0 + 0.12 * spread
        }
        && (signal.meaning == Meaning::Howler
            || pulse.components.iter().all(|&c| belongs_to(signal, c)))
}

/// Whether a pitch is one of the signal's, an overtone of it, or the mains' hum.
fn belongs_to(signal: &Signal, component: Component) -> bool {
    /// Hum is that much fainter than a tone; what is louder is another sound of that pitch.
    const HUM: f32 = 0.1;
    let hz = component.hz;
    let near = |pitch: f32| (hz - pitch).abs() < 0.02 * pitch + 3.0;
    let overtone = |pitch: &f32| (1..=3_u8).any(|times| near(f32::from(times) * pitch));
    let between = |pair: &[f32]| {
        let [low, high] = [pair[0], pair[1]];
        high - low < ONE_PEAK_HZ && (0.98 * low..1.02 * high).contains(&hz)
    };
    let hum = |mains: f32| (hz - (hz / mains).round() * mains).abs() < 5.0;
    component.share == 0.0
        || signal.hz.iter().any(overtone)
        || signal.hz.windows(2).any(between)
        || component.share <= HUM && hz < 310.0 && (hum(50.0) || hum(60.0))
}
