//! Reading the text form, from any bytes.

use super::encoding::{from_base64, from_hex, unescape};
use super::writer::LONGEST_RUN;
use super::{
    Direction, Header, LONGEST_LINE, MAGIC, MOST_BYTES, MOST_RECORDS, PortChange, Record, Trace,
    VERSION, What,
};
use std::time::Duration;

/// Problems that are kept.
const MOST_PROBLEMS: usize = 20;
/// Ten years; what is later is a mistake.
const LATEST: u64 = 315_360_000;

/// Why something is no trace.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TraceError {
    /// The first line is not the one that begins a trace.
    #[error("this is no trace: its first line does not begin with `{MAGIC}`")]
    NoTrace,
    /// A later version of the form.
    #[error("this trace has version {0}, and only {VERSION} is known here; take a newer callblock")]
    TooNew(u32),
}

/// A line that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ProblemKind,
}

/// What is wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProblemKind {
    /// Longer than any that is written.
    #[error("longer than {LONGEST_LINE} characters")]
    TooLong,
    /// It does not begin with seconds and a fraction.
    #[error("no time at its beginning")]
    NoTime,
    /// The word after the time is none of those there are.
    #[error("no word that says what follows (>> << >b <b >r <r --)")]
    NoKind,
    /// What follows cannot be decoded.
    #[error("not in the form its second word says")]
    BadContent,
    /// A header that is wrong, in the middle.
    #[error("a header that is none")]
    BadHeader,
    /// The trace is too long; this line and all after it are left out.
    #[error("this line and those after it are left out: the trace is too long")]
    TooMuch,
}

/// Reads a trace. Lines that are wrong are passed over; blank ones and comments (`#`) mean nothing.
pub fn parse(bytes: &[u8]) -> Result<Trace, TraceError> {
    let mut lines = bytes.split(|&byte| byte == b'\n').enumerate();
    let first = lines.next().map_or(&b""[..], |(_, line)| line);
    let header = text_of(first)
        .ok()
        .and_then(read_header)
        .ok_or(TraceError::NoTrace)??;
    let mut reading = Reading {
        trace: Trace {
            header,
            records: Vec::new(),
            problems: Vec::new(),
            more_problems: 0,
        },
        part_began: Duration::ZERO,
        now: Duration::ZERO,
        bytes: 0,
    };
    for (index, line) in lines {
        let Err(kind) = reading.line(line) else {
            continue;
        };
        reading.problem(index + 1, kind);
        if kind == ProblemKind::TooMuch {
            break;
        }
    }
    Ok(reading.trace)
}

struct Reading {
    trace: Trace,
    /// When the present part of a file that was appended to begins.
    part_began: Duration,
    now: Duration,
    bytes: usize,
}

impl Reading {
    fn problem(&mut self, line: usize, kind: ProblemKind) {
        if self.trace.problems.len() < MOST_PROBLEMS {
            self.trace.problems.push(Problem { line, kind });
        } else {
            self.trace.more_problems += 1;
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), ProblemKind> {
        let line = text_of(line)?;
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.starts_with(MAGIC) {
            let header = read_header(line).ok_or(ProblemKind::BadHeader)?;
            header.map_err(|_| ProblemKind::BadHeader)?;
            self.part_began = self.now;
            return Ok(());
        }
        let (time, rest) = line.split_once(' ').ok_or(ProblemKind::NoKind)?;
        let at = self.part_began + read_time(time).ok_or(ProblemKind::NoTime)?;
        let (kind, content) = rest.split_once(' ').ok_or(ProblemKind::NoKind)?;
        let what = read_what(kind, content)?;
        if let What::Bytes(_, bytes) = &what {
            self.bytes += bytes.len();
        }
        if self.trace.records.len() >= MOST_RECORDS || self.bytes > MOST_BYTES {
            return Err(ProblemKind::TooMuch);
        }
        // Somebody may have edited it: time never goes back.
        self.now = self.now.max(at).min(Duration::from_secs(LATEST));
        self.trace.records.push(Record { at: self.now, what });
        Ok(())
    }
}

fn text_of(line: &[u8]) -> Result<&str, ProblemKind> {
    if line.len() > LONGEST_LINE + 1 {
        return Err(ProblemKind::TooLong);
    }
    let line = std::str::from_utf8(line).map_err(|_| ProblemKind::BadContent)?;
    Ok(line.trim_end())
}

/// `None` if it is no header at all.
fn read_header(line: &str) -> Option<Result<Header, TraceError>> {
    let rest = line.strip_prefix(MAGIC)?.strip_prefix(' ')?;
    let (version, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let version: u32 = version.parse().ok()?;
    if version > VERSION {
        return Some(Err(TraceError::TooNew(version)));
    }
    let mut header = Header {
        program: String::new(),
        started: String::new(),
        baud: 0,
        masked: false,
        device: String::new(),
    };
    let (words, device) = rest.split_once("device=").unwrap_or((rest, ""));
    for (key, value) in words.split(' ').filter_map(|word| word.split_once('=')) {
        match key {
            "program" => value.clone_into(&mut header.program),
            "started" => value.clone_into(&mut header.started),
            "baud" => header.baud = value.parse().unwrap_or(0),
            "masked" => header.masked = value == "yes",
            // What a later program of this version says more.
            _ => {}
        }
    }
    let device = unescape(device).unwrap_or_default();
    header.device = String::from_utf8_lossy(&device).into_owned();
    Some(Ok(header))
}

/// `12.345678`, with one to six digits after the point.
fn read_time(text: &str) -> Option<Duration> {
    let (seconds, fraction) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let seconds = seconds.parse().ok().filter(|seconds| *seconds <= LATEST)?;
    let micros: u32 = format!("{fraction:0<6}").parse().ok()?;
    Some(Duration::new(seconds, micros * 1000))
}

fn read_what(kind: &str, content: &str) -> Result<What, ProblemKind> {
    let bytes = match kind {
        "--" => {
            return read_change(content)
                .map(What::Port)
                .ok_or(ProblemKind::BadContent);
        }
        ">>" | "<<" => unescape(content),
        ">b" | "<b" => from_base64(content),
        ">r" | "<r" => read_run(content),
        _ => return Err(ProblemKind::NoKind),
    };
    let direction = if kind.starts_with('>') {
        Direction::ToModem
    } else {
        Direction::FromModem
    };
    bytes
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| What::Bytes(direction, bytes))
        .ok_or(ProblemKind::BadContent)
}

fn read_change(content: &str) -> Option<PortChange> {
    if let Some(count) = content.strip_prefix("missing ") {
        return count.parse().ok().map(PortChange::Missing);
    }
    let known = PortChange::WORDS.iter().find(|(word, _)| *word == content);
    known.map(|(_, change)| *change)
}

/// `160 80`: so many times this byte, in hex.
fn read_run(content: &str) -> Option<Vec<u8>> {
    let (count, byte) = content.split_once(' ')?;
    let count: usize = count.parse().ok().filter(|count| *count <= LONGEST_RUN)?;
    let [high, low] = byte.as_bytes() else {
        return None;
    };
    Some(vec![from_hex(*high, *low)?; count])
}
