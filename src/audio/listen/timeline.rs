//! What is heard in a recording, as a timeline for people (text with a level plot) or programs (JSON
//! lines). The same listener and rules as in a live call.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::front_end::{centred, dbfs};
use super::{
    Activity, CallEnd, EndOfCall, EndRules, Event, Key, LineQuality, Listener, Position,
    SAMPLES_PER_SECOND, Tone, ToneSet,
};

/// Samples per step of the level plot: a quarter of a second.
const PLOT_STEP: u64 = SAMPLES_PER_SECOND / 4;

/// What happened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Happening {
    /// Another kind of sound begins.
    Activity(Activity),
    /// A tone begins.
    Tone(Tone),
    /// It ends.
    ToneEnd(Tone),
    /// A key is pressed, for so long (`None`: still down at the end).
    Key(Key, Option<Duration>),
    /// A live call would have been ended here.
    End(CallEnd),
}

/// Something that happened, and where.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Entry {
    /// Where in the recording.
    pub from: Position,
    /// What.
    pub happening: Happening,
}

/// All that is heard in a recording.
#[derive(Clone, PartialEq, Debug)]
pub struct Timeline {
    /// In the order of their places.
    pub entries: Vec<Entry>,
    /// The recording's line quality.
    pub quality: LineQuality,
    /// Level of each quarter of a second, dB relative to full scale (RMS).
    pub levels_dbfs: Vec<f32>,
    /// Length.
    pub length: Position,
}

impl Timeline {
    /// Listens to a whole recording (8-bit unsigned, 8 kHz).
    pub fn of(samples: impl IntoIterator<Item = u8>, tones: ToneSet, rules: EndRules) -> Self {
        let mut listener = Listener::new(tones);
        let mut end = EndOfCall::new(rules);
        let mut entries = Vec::new();
        let mut levels_dbfs = Vec::new();
        let (mut sum, mut square, mut count) = (0.0_f32, 0.0_f32, 0_u64);
        for sample in samples {
            let mut over = None;
            listener.listen(&[sample], |observation| {
                let ended = end.ended().is_some();
                note(&mut entries, observation.from, observation.event);
                over = end.heard(&observation).filter(|_| !ended).or(over);
            });
            let position = listener.position();
            if position.0.is_multiple_of(160) && end.ended().is_none() {
                over = end.elapsed(position).or(over);
            }
            if let Some(over) = over {
                entries.push(Entry {
                    from: over.at,
                    happening: Happening::End(over),
                });
            }
            let value = centred(sample);
            sum += value;
            square += value * value;
            count += 1;
            if count == PLOT_STEP {
                let mean = sum / count as f32;
                levels_dbfs.push(dbfs((square / count as f32 - mean * mean).max(0.0)));
                (sum, square, count) = (0.0, 0.0, 0);
            }
        }
        entries.sort_by_key(|entry| entry.from);
        Self {
            entries,
            quality: listener.quality(),
            levels_dbfs,
            length: listener.position(),
        }
    }

    /// One JSON object per line: the entries, then the line quality.
    pub fn json_lines(&self) -> String {
        let mut out = String::new();
        for entry in &self.entries {
            let _ = writeln!(out, "{}", Json(entry));
        }
        let quality = &self.quality;
        let level = quality
            .level_dbfs
            .map_or("null".to_owned(), |level| format!("{level:.1}"));
        let advice = quality.problem().map_or("null".to_owned(), |problem| {
            format!("\"{}\"", problem.advice())
        });
        let _ = writeln!(
            out,
            "{{\"at\":{:.3},\"event\":\"quality\",\"level_dbfs\":{level},\"noise_floor_dbfs\":{:.1},\"clipping\":{:.5},\"dc_offset\":{:.2},\"advice\":{advice}}}",
            self.length.seconds(),
            quality.noise_floor_dbfs,
            quality.clipping,
            quality.dc_offset,
        );
        out
    }

    /// The levels from `from` to `until`, one character for each quarter of a second, 60 dB high.
    fn plot(&self, from: Position, until: Position) -> String {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const WIDEST: usize = 40;
        let first = usize::try_from(from.0 / PLOT_STEP).unwrap_or(usize::MAX);
        let last = usize::try_from(until.0.div_ceil(PLOT_STEP)).unwrap_or(usize::MAX);
        let levels = self
            .levels_dbfs
            .get(first..last.min(self.levels_dbfs.len()))
            .unwrap_or_default();
        let bar = |level: &f32| {
            let height = ((level + 60.0) / 7.5).clamp(0.0, 7.0);
            BARS[height as usize]
        };
        let mut plot: String = levels.iter().take(WIDEST).map(bar).collect();
        if levels.len() > WIDEST {
            plot.push('…');
        }
        plot
    }
}

fn note(entries: &mut Vec<Entry>, from: Position, event: Event) {
    let happening = match event {
        Event::Activity { now, .. } => Happening::Activity(now),
        Event::NoiseFloor { .. } | Event::Unclear => return,
        Event::Tone { tone, .. } => {
            let same =
                |e: &&Entry| matches!(e.happening, Happening::Tone(_) | Happening::ToneEnd(_));
            let going_on = entries.iter().rev().find(same);
            if going_on
                .is_some_and(|e| e.happening == Happening::Tone(tone) && tone != Tone::FaxCalling)
            {
                return;
            }
            Happening::Tone(tone)
        }
        Event::ToneEnd { tone } => Happening::ToneEnd(tone),
        Event::KeyDown { key } => Happening::Key(key, None),
        Event::KeyUp { .. } => {
            let down = entries
                .iter_mut()
                .rev()
                .find(|e| matches!(e.happening, Happening::Key(_, None)));
            if let Some(entry) = down
                && let Happening::Key(_, length) = &mut entry.happening
            {
                *length = Some(from.since(entry.from));
            }
            return;
        }
    };
    entries.push(Entry { from, happening });
}

const fn activity_name(activity: Activity) -> &'static str {
    match activity {
        Activity::Silence => "silence",
        Activity::Voice => "voice",
        Activity::Tonal => "tonal sound",
    }
}

struct Clock(Position);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.0 / (SAMPLES_PER_SECOND / 1000);
        let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000);
        write!(f, "{minutes:02}:{:02}.{:03}", rest / 1000, rest % 1000)
    }
}

struct Words(Happening);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Happening::Activity(activity) => f.write_str(activity_name(activity)),
            Happening::Tone(Tone::Steady { hz }) => write!(f, "steady tone, {hz:.0} Hz"),
            Happening::Tone(tone) => f.write_str(tone.name()),
            Happening::ToneEnd(tone) => write!(f, "{} ends", tone.name()),
            Happening::Key(key, Some(length)) => write!(f, "key {key}, {} ms", length.as_millis()),
            Happening::Key(key, None) => write!(f, "key {key}"),
            Happening::End(end) => write!(f, "END OF CALL: {}", end.reason.name()),
        }
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, entry) in self.entries.iter().enumerate() {
            let until = self
                .entries
                .get(i + 1)
                .map_or(self.length, |next| next.from);
            let plot = self.plot(entry.from, until);
            let line = format!(
                "{}  {:<27} {plot}",
                Clock(entry.from),
                Words(entry.happening).to_string()
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        let quality = &self.quality;
        write!(f, "{}  end of recording; ", Clock(self.length))?;
        match quality.level_dbfs {
            Some(level) => write!(f, "level {level:.0} dBFS, ")?,
            None => write!(f, "nothing heard, ")?,
        }
        writeln!(
            f,
            "noise {:.0} dBFS, clipped {:.2} %, offset {:.1} steps",
            quality.noise_floor_dbfs,
            100.0 * quality.clipping,
            quality.dc_offset
        )?;
        match quality.problem() {
            Some(problem) => writeln!(f, "{}", problem.advice()),
            None => Ok(()),
        }
    }
}

struct Json<'a>(&'a Entry);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{\"at\":{:.4},", self.0.from.seconds())?;
        match self.0.happening {
            Happening::Activity(activity) => {
                write!(f, "\"event\":\"{}\"", activity_name(activity))?;
            }
            Happening::Tone(tone) => {
                write!(f, "\"event\":\"tone\",\"tone\":\"{}\"", tone.name())?;
                if let Tone::Steady { hz } = tone {
                    write!(f, ",\"hz\":{hz:.1}")?;
                }
            }
            Happening::ToneEnd(tone) => {
                write!(f, "\"event\":\"tone end\",\"tone\":\"{}\"", tone.name())?;
            }
            Happening::Key(key, length) => {
                write!(f, "\"event\":\"key\",\"key\":\"{key}\"")?;
                if let Some(length) = length {
                    write!(f, ",\"seconds\":{:.4}", length.as_secs_f64())?;
                }
            }
            Happening::End(end) => {
                write!(
                    f,
                    "\"event\":\"end of call\",\"reason\":\"{}\"",
                    end.reason.name()
                )?;
                if let Some(last) = end.last_sound {
                    write!(f, ",\"last_sound\":{:.4}", last.seconds())?;
                }
            }
        }
        f.write_str("}")
    }
}
