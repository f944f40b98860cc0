//! What happened on the emulated line, for tests, for the demo and for people who watch.
//!
//! The modem writes, everybody else reads. Memory is bounded: the oldest entries and the oldest
//! audio are forgotten first.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Entries kept unless [`Journal::keep_entries`] says otherwise; an emulated hour with 40 calls makes about 3000.
const MOST_ENTRIES: usize = 50_000;
/// Samples kept in each direction unless [`Journal::keep_audio`] says otherwise: two hours.
const MOST_SAMPLES: usize = 2 * 3600 * 8000;

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Happening {
    /// A command line arrived, without its carriage return; bytes read as Latin-1.
    Command(String),
    /// The final result given to a command, such as `OK`, `ERROR` or `CONNECT`.
    Reply(String),
    /// The modem seized the line.
    OffHook,
    /// The modem released the line.
    OnHook,
    /// A call comes in, from this number.
    CallBegins(String),
    /// A call came while the line was in use: the caller hears the busy tone.
    CallerFoundBusy(String),
    /// A ring burst was reported to the DTE.
    Ring,
    /// Caller ID was reported to the DTE.
    CallerId(String),
    /// The call is connected: somebody in the house, or the modem, has picked up.
    Connected,
    /// The far end picked up a call that the modem dialled.
    FarEndAnswered,
    /// The far end put the receiver down.
    FarEndHungUp,
    /// The caller gave up, or the connection is over at both ends.
    CallEnded,
    /// Somebody in the house lifted the handset.
    HandsetLifted,
    /// The handset was put back.
    HandsetReplaced,
    /// A DLE-shielded code was sent to the DTE: its second byte.
    Code(u8),
    /// The modem entered the voice transmit, receive or duplex state (`VTX`, `VRX`, `VTR`).
    VoiceBegins(&'static str),
    /// The modem left its voice state.
    VoiceEnds,
    /// The transmit buffer ran dry.
    Underrun,
    /// The DTE did not read fast enough and audio was lost.
    Overrun,
    /// Tones asked for with `+VTS`, as asked for.
    Tones(String),
    /// The modem answers with its fax answer tone.
    FaxAnswer,
    /// The DTE did something that no manual allows; the modem copes as real ones do.
    Violation(String),
    /// A fault of the scenario strikes.
    Fault(String),
    /// Data Terminal Ready went up or down.
    Dtr(bool),
    /// The modem was pulled out of its socket.
    Unplugged,
    /// The modem is plugged in (again).
    Plugged,
    /// A modem that is played from a trace said this of its own accord; bytes read as Latin-1.
    Said(String),
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(line) => write!(f, "command {line:?}"),
            Self::Reply(result) => write!(f, "reply {result}"),
            Self::OffHook => f.write_str("off-hook"),
            Self::OnHook => f.write_str("on-hook"),
            Self::CallBegins(number) => write!(f, "call from {number}"),
            Self::CallerFoundBusy(number) => write!(f, "busy for {number}"),
            Self::Ring => f.write_str("ring"),
            Self::CallerId(text) => write!(f, "caller ID {text:?}"),
            Self::Connected => f.write_str("connected"),
            Self::FarEndAnswered => f.write_str("far end answered"),
            Self::FarEndHungUp => f.write_str("far end hung up"),
            Self::CallEnded => f.write_str("call ended"),
            Self::HandsetLifted => f.write_str("handset lifted"),
            Self::HandsetReplaced => f.write_str("handset replaced"),
            Self::Code(code) => write!(f, "code <DLE>{}", char::from(*code).escape_default()),
            Self::VoiceBegins(state) => write!(f, "voice {state} begins"),
            Self::VoiceEnds => f.write_str("voice ends"),
            Self::Underrun => f.write_str("underrun"),
            Self::Overrun => f.write_str("overrun"),
            Self::Tones(what) => write!(f, "tones {what}"),
            Self::FaxAnswer => f.write_str("fax answer tone"),
            Self::Violation(what) => write!(f, "violation: {what}"),
            Self::Fault(what) => write!(f, "fault: {what}"),
            Self::Dtr(raised) => write!(f, "DTR {}", if *raised { "up" } else { "down" }),
            Self::Unplugged => f.write_str("unplugged"),
            Self::Plugged => f.write_str("plugged in"),
            Self::Said(text) => write!(f, "said {text:?}"),
        }
    }
}

/// One line of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When, since the modem was made.
    pub at: Duration,
    /// What.
    pub what: Happening,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:10.3} {}", self.at.as_secs_f64(), self.what)
    }
}

/// Audio without a gap in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudioSpan {
    /// When its first sample was on the line, since the modem was made.
    pub at: Duration,
    /// 8-bit unsigned samples, 8000 a second.
    pub samples: Vec<u8>,
}

type Listener = Box<dyn FnMut(&Entry) + Send>;

struct Inner {
    start: Instant,
    entries: VecDeque<Entry>,
    most_entries: usize,
    forgotten: usize,
    heard: SpanStore,
    said: SpanStore,
    longest_queue: usize,
    listener: Option<Listener>,
}

struct SpanStore {
    spans: VecDeque<AudioSpan>,
    total: usize,
    most: usize,
}

impl SpanStore {
    fn new() -> Self {
        Self {
            spans: VecDeque::new(),
            total: 0,
            most: MOST_SAMPLES,
        }
    }

    fn add(&mut self, at: Duration, samples: &[u8], continues: bool) {
        while self.total + samples.len() > self.most && self.spans.len() > 1 {
            self.total -= self.spans.pop_front().map_or(0, |span| span.samples.len());
        }
        let fits = samples.len().min(self.most.saturating_sub(self.total));
        let samples = samples.get(..fits).unwrap_or_default();
        match self.spans.back_mut() {
            Some(last) if continues => last.samples.extend_from_slice(samples),
            _ if samples.is_empty() => return,
            _ => self.spans.push_back(AudioSpan {
                at,
                samples: samples.to_vec(),
            }),
        }
        self.total += fits;
    }
}

/// A handle to the journal of one emulated modem. Clones share the journal.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Mutex<Inner>>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

impl Journal {
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                start,
                entries: VecDeque::new(),
                most_entries: MOST_ENTRIES,
                forgotten: 0,
                heard: SpanStore::new(),
                said: SpanStore::new(),
                longest_queue: 0,
                listener: None,
            })),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that happened, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.inner().entries.iter().cloned().collect()
    }

    /// How many entries were ever written, those forgotten included.
    pub fn len(&self) -> usize {
        let inner = self.inner();
        inner.forgotten + inner.entries.len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When, since the modem was made, something like this first happened.
    pub fn first(&self, like: impl Fn(&Happening) -> bool) -> Option<Duration> {
        let inner = self.inner();
        inner
            .entries
            .iter()
            .find(|entry| like(&entry.what))
            .map(|entry| entry.at)
    }

    /// When, since the modem was made, something like this last happened.
    pub fn last(&self, like: impl Fn(&Happening) -> bool) -> Option<Duration> {
        let inner = self.inner();
        inner
            .entries
            .iter()
            .rev()
            .find(|entry| like(&entry.what))
            .map(|entry| entry.at)
    }

    /// How many things like this happened.
    pub fn count(&self, like: impl Fn(&Happening) -> bool) -> usize {
        let inner = self.inner();
        inner
            .entries
            .iter()
            .filter(|entry| like(&entry.what))
            .count()
    }

    /// The command lines received, in order.
    pub fn commands(&self) -> Vec<String> {
        let inner = self.inner();
        let command = |entry: &Entry| match &entry.what {
            Happening::Command(line) => Some(line.clone()),
            _ => None,
        };
        inner.entries.iter().filter_map(command).collect()
    }

    /// What the modem put on the line: one span per stretch without a gap, so an underrun or a new
    /// voice session begins a new one. Samples are as the far end heard them, un-shielded.
    pub fn heard(&self) -> Vec<AudioSpan> {
        self.inner().heard.spans.iter().cloned().collect()
    }

    /// What was on the line and was handed to the DTE: one span per voice session, before shielding.
    /// Audio lost in an overrun is not in it.
    pub fn said(&self) -> Vec<AudioSpan> {
        self.inner().said.spans.iter().cloned().collect()
    }

    /// The most audio that was ever queued ahead of the line, in samples: what the operating system
    /// holds (as far as the shell can tell) and what is in the modem's own buffer.
    pub fn longest_queue(&self) -> usize {
        self.inner().longest_queue
    }

    /// How many samples are kept in each direction from now on. 0 keeps none.
    pub fn keep_audio(&self, most_samples: usize) {
        let mut inner = self.inner();
        inner.heard.most = most_samples;
        inner.said.most = most_samples;
    }

    /// How many entries are kept from now on. 0 keeps none.
    pub fn keep_entries(&self, most: usize) {
        self.inner().most_entries = most;
    }

    /// Calls `listener` with every entry from now on, in the thread or task that runs the modem; it
    /// must return quickly and must not use this journal.
    pub fn listen(&self, listener: impl FnMut(&Entry) + Send + 'static) {
        self.inner().listener = Some(Box::new(listener));
    }

    pub(crate) fn note(&self, at: Instant, what: Happening) {
        let mut inner = self.inner();
        let entry = Entry {
            at: at.saturating_duration_since(inner.start),
            what,
        };
        if let Some(listener) = &mut inner.listener {
            listener(&entry);
        }
        inner.entries.push_back(entry);
        let surplus = inner.entries.len().saturating_sub(inner.most_entries);
        inner.entries.drain(..surplus);
        inner.forgotten += surplus;
    }

    pub(crate) fn note_heard(&self, at: Instant, samples: &[u8], continues: bool) {
        let mut inner = self.inner();
        let at = at.saturating_duration_since(inner.start);
        inner.heard.add(at, samples, continues);
    }

    pub(crate) fn note_said(&self, at: Instant, samples: &[u8], continues: bool) {
        let mut inner = self.inner();
        let at = at.saturating_duration_since(inner.start);
        inner.said.add(at, samples, continues);
    }

    pub(crate) fn note_queue(&self, samples: usize) {
        let mut inner = self.inner();
        inner.longest_queue = inner.longest_queue.max(samples);
    }
}
