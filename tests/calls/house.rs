//! A house with an emulated line and a daemon on it.

use callblock::audio::RecordingLimits;
use callblock::blocker::daemon::{Daemon, Observer, Setup};
use callblock::blocker::{BlockAction, CallHandler, ListScreen, Listening};
use callblock::clock::{Timestamp, TokioClock};
use callblock::emulator::{Chip, Happening, Journal, LinkOptions, MemoryModem, Scenario};
use callblock::modem::port::Jack;
use callblock::screen::{List, Policy};
use callblock::store::{LoggedCall, Store};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::sleep;

/// 2026-01-02 03:04:05 UTC.
pub const START: Timestamp = Timestamp::from_nanos(1_767_323_045_000_000_000);

pub const ROBOCALLER: &str = "2125550147";
pub const FRIEND: &str = "2125550123";

pub const HANG_UP: BlockAction = BlockAction::HangUp {
    hold: Duration::from_secs(1),
};

/// What is set up in the house, and for how long it is watched.
pub struct House {
    pub scenario: Scenario,
    pub action: BlockAction,
    /// Whether the special information tones go first.
    pub sit: bool,
    pub policy: Policy,
    pub handler: Option<Box<dyn CallHandler>>,
    pub link: LinkOptions,
    pub watched: Duration,
    pub limits: RecordingLimits,
    pub listening: Listening,
    pub observer: Observer,
    pub heartbeat: Option<Duration>,
    pub modem_init: Vec<String>,
    /// Wall time, if the test wants to set it.
    pub clock: Arc<TokioClock>,
    pub dir: TempDir,
}

/// What was seen.
pub struct Evening {
    pub rows: Vec<LoggedCall>,
    pub journal: Journal,
    pub dir: TempDir,
}

impl House {
    /// The robocaller is on the block list and is hung up on; a minute is watched.
    pub fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            action: HANG_UP,
            sit: false,
            policy: block_list(&format!("{ROBOCALLER},A robocaller\n")),
            handler: None,
            link: LinkOptions::default(),
            watched: Duration::from_mins(1),
            limits: RecordingLimits {
                min_free: 0,
                ..RecordingLimits::default()
            },
            listening: Listening::default(),
            observer: Box::new(|_| {}),
            heartbeat: None,
            modem_init: Vec::new(),
            clock: Arc::new(TokioClock::starting_at(START)),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn action(mut self, action: BlockAction) -> Self {
        // Voice needs a chip that can do everything; a test that wants another says so after this.
        if self.scenario.chip == Chip::default() {
            self.scenario.chip = Chip::Cx93001V2013;
        }
        self.action = action;
        self
    }

    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub fn handler(mut self, handler: impl CallHandler + 'static) -> Self {
        self.handler = Some(Box::new(handler));
        self
    }

    pub fn link(mut self, link: LinkOptions) -> Self {
        self.link = link;
        self
    }

    pub fn watched(mut self, seconds: u64) -> Self {
        self.watched = Duration::from_secs(seconds);
        self
    }

    /// A WAV file in the house.
    pub fn wav(&self, name: &str, samples: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_wav(&path, samples);
        path
    }

    pub async fn live(self) -> Evening {
        self.live_with(|jack| jack).await
    }

    /// With something put between the daemon and the modem's port.
    pub async fn live_with(self, tap: impl FnOnce(Box<dyn Jack>) -> Box<dyn Jack>) -> Evening {
        let modem = MemoryModem::new(self.scenario, self.link);
        let setup = Setup {
            action: self.action,
            sit: self.sit,
            recording_limits: self.limits,
            clock: self.clock,
            listening: self.listening,
            heartbeat: self.heartbeat,
            modem_init: self.modem_init,
            ..Setup::new(self.dir.path())
        };
        let handler = self
            .handler
            .unwrap_or_else(|| Box::new(ListScreen::new(self.policy)));
        let jack = tap(Box::new(modem.jack()));
        Daemon::run(setup, jack, handler, self.observer, sleep(self.watched))
            .await
            .unwrap();
        let store = Store::open(&self.dir.path().join("callblock.db")).unwrap();
        Evening {
            rows: store.recent(1000).unwrap(),
            journal: modem.journal(),
            dir: self.dir,
        }
    }
}

impl Evening {
    /// The one row there is.
    pub fn row(&self) -> &LoggedCall {
        match self.rows.as_slice() {
            [row] => row,
            rows => panic!("{} rows: {rows:#?}\n{}", rows.len(), self.story()),
        }
    }

    /// The samples of the one recording there is.
    pub fn recording(&self) -> Vec<u8> {
        let recording = self.row().recording.clone().expect("a recording");
        read_wav(&self.dir.path().join(recording))
    }

    /// Everything the far end heard.
    pub fn heard(&self) -> Vec<u8> {
        self.journal
            .heard()
            .into_iter()
            .flat_map(|span| span.samples)
            .collect()
    }

    /// Everything the modem said to us.
    pub fn said(&self) -> Vec<u8> {
        self.journal
            .said()
            .into_iter()
            .flat_map(|span| span.samples)
            .collect()
    }

    pub fn off_hook_count(&self) -> usize {
        self.journal.count(|h| matches!(h, Happening::OffHook))
    }

    /// How long the line was held the first time.
    pub fn off_hook_time(&self) -> Duration {
        let off = self.journal.first(|h| matches!(h, Happening::OffHook));
        let on = self
            .journal
            .entries()
            .into_iter()
            .find(|entry| Some(entry.at) > off && entry.what == Happening::OnHook);
        on.expect("on-hook").at - off.expect("off-hook")
    }

    /// Nothing may ever leave the line off-hook.
    pub fn ends_on_hook(&self) -> bool {
        let off = self.journal.last(|h| matches!(h, Happening::OffHook));
        let on = self
            .journal
            .last(|h| matches!(h, Happening::OnHook | Happening::Unplugged));
        off <= on
    }

    /// The journal, for people.
    pub fn story(&self) -> String {
        let entries = self.journal.entries();
        let lines: Vec<String> = entries.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }
}

pub fn block_list(text: &str) -> Policy {
    Policy {
        block: Some(list(text)),
        ..Policy::default()
    }
}

pub fn allow_list(text: &str) -> Policy {
    Policy {
        allow: Some(list(text)),
        ..Policy::default()
    }
}

fn list(text: &str) -> List {
    List::parse(Path::new("list.csv"), text.as_bytes()).list
}

pub fn write_wav(path: &Path, samples: &[u8]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 8,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for &sample in samples {
        writer.write_sample((sample ^ 0x80).cast_signed()).unwrap();
    }
    writer.finalize().unwrap();
}

pub fn read_wav(path: &Path) -> Vec<u8> {
    hound::WavReader::open(path)
        .unwrap()
        .samples::<i8>()
        .map(|sample| sample.unwrap().cast_unsigned() ^ 0x80)
        .collect()
}

/// All byte values, 0x10 in every company: what a careless driver stumbles over.
pub fn treacherous_audio(seconds: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seconds as u64);
    let nasty = [
        0x10, 0x10, 0x10, 0x03, 0x18, 0x21, 0x5E, 0x1A, 0x00, 0x11, 0x13,
    ];
    (0..seconds * 8000)
        .map(|_| {
            if random.u8(..4) == 0 {
                nasty[random.usize(..nasty.len())]
            } else {
                random.u8(..)
            }
        })
        .collect()
}

/// Whether `needle` stands in `haystack` without a gap.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
