//! A house: a folder, an emulated modem on the line, and daemons to be run on it.

use crate::process::{PATIENCE, Prints, Process};
use callblock::store::{LoggedCall, Store};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_callblock");

pub const ROBOCALLER: &str = "2125550147";
pub const SECOND_ROBOCALLER: &str = "2125550148";
pub const FRIEND: &str = "2125550123";

/// Every sample value, and 0x10 in all sorts of company: what a careless driver stumbles over.
pub fn treacherous_audio(seconds: usize) -> Vec<u8> {
    let nasty = [0x10, 0x10, 0x03, 0x18, 0x21, 0x5E, 0x1A, 0x00, 0x11, 0x13];
    let mut random = fastrand::Rng::with_seed(seconds as u64);
    (0..seconds * 8000)
        .map(|_| match random.u8(..4) {
            0 => nasty[random.usize(..nasty.len())],
            _ => random.u8(..),
        })
        .collect()
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Waits until something is so that nobody tells us about.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A daemon is run with `@` standing for the folder.
pub struct House {
    folder: TempDir,
    modem: Option<Process>,
}

impl House {
    /// Nothing is on the line yet.
    pub fn without_modem() -> Self {
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
            modem: None,
        };
        let blocked = format!("{ROBOCALLER},A robocaller\n{SECOND_ROBOCALLER},Another\n");
        house.write("block.csv", blocked.as_bytes());
        house.wav("said.wav", &treacherous_audio(2));
        house
    }

    /// With a modem that follows this scenario, which can name `said.wav`.
    pub fn new(scenario: &str) -> Self {
        Self::with_modem(scenario, "")
    }

    /// The same with further flags for the emulator.
    pub fn with_modem(scenario: &str, flags: &str) -> Self {
        let mut house = Self::without_modem();
        house.plug_in(scenario, flags);
        house
    }

    pub fn plug_in(&mut self, scenario: &str, flags: &str) {
        self.write("line.toml", scenario.as_bytes());
        self.emulate(&format!("{flags} @line.toml"));
    }

    /// With the modem of this trace.
    pub fn replaying(trace: &[u8]) -> Self {
        let mut house = Self::without_modem();
        house.write("sent.trace", trace);
        house.emulate("--replay @sent.trace");
        house
    }

    fn emulate(&mut self, what: &str) {
        let flags = format!("emulate --link @modem --journal {what}");
        let modem = Process::start("the emulator", &mut self.command(&flags), Prints::Stdout);
        modem.wait_for("/dev/");
        self.modem = Some(modem);
    }

    /// A file in the house.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn wav(&self, name: &str, samples: &[u8]) {
        let size = u32::try_from(samples.len()).unwrap();
        let mut wav = Vec::from(*b"RIFF");
        wav.extend((size + 36).to_le_bytes());
        wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        wav.extend(8000_u32.to_le_bytes());
        wav.extend(8000_u32.to_le_bytes());
        wav.extend(b"\x01\0\x08\0data");
        wav.extend(size.to_le_bytes());
        wav.extend(samples);
        self.write(name, &wav);
    }

    /// The program with these flags, ready to be started.
    pub fn command(&self, flags: &str) -> Command {
        let folder = format!("{}/", self.folder.path().display());
        let mut command = Command::new(PROGRAM);
        command
            .args(
                flags
                    .split_whitespace()
                    .map(|flag| flag.replace('@', &folder)),
            )
            .env("HOME", self.path("home"))
            .env_remove("STATE_DIRECTORY")
            .env_remove("CACHE_DIRECTORY")
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM");
        command
    }

    /// Starts the daemon on the modem of this house; the data folder is `data`.
    pub fn daemon(&self, flags: &str) -> Process {
        let flags = format!("--device @modem --data-dir @data {flags}");
        Process::start("the daemon", &mut self.command(&flags), Prints::Stderr)
    }

    pub fn modem(&self) -> &Process {
        self.modem.as_ref().expect("a modem")
    }

    /// What happened on the line, without the times.
    pub fn journal(&self) -> Vec<String> {
        let entry = |line: &String| {
            let (seconds, what) = line.trim_start().split_once(' ')?;
            seconds.parse::<f64>().ok().map(|_| what.to_owned())
        };
        self.modem().lines().iter().filter_map(entry).collect()
    }

    /// The hook's movements.
    pub fn hook(&self) -> Vec<String> {
        let mut journal = self.journal();
        journal.retain(|what| what == "off-hook" || what == "on-hook");
        journal
    }

    /// The command lines the modem got.
    pub fn commands(&self) -> Vec<String> {
        let command = |what: &String| {
            let quoted = what.strip_prefix("command ")?;
            Some(quoted.trim_matches('"').to_owned())
        };
        self.journal().iter().filter_map(command).collect()
    }

    pub fn rows(&self) -> Vec<LoggedCall> {
        let store = Store::open(&self.path("data/callblock.db")).unwrap();
        store.recent(100).unwrap()
    }

    /// The one row there is.
    pub fn row(&self) -> LoggedCall {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "{rows:#?}");
        rows.remove(0)
    }

    /// The samples of a call's recording.
    pub fn recording(&self, row: &LoggedCall) -> Vec<u8> {
        let name = row.recording.as_ref().expect("a recording");
        read_wav(&self.path("data").join(name))
    }

    /// The files in `data/rec`.
    pub fn recordings(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = std::fs::read_dir(self.path("data/rec"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    }
}

/// Reads as a strict player would: the header is believed.
pub fn read_wav(path: &Path) -> Vec<u8> {
    let mut wav = hound::WavReader::open(path).unwrap();
    let spec = wav.spec();
    assert_eq!(
        (spec.channels, spec.sample_rate, spec.bits_per_sample),
        (1, 8000, 8)
    );
    wav.samples::<i8>()
        .map(|sample| sample.unwrap().cast_unsigned() ^ 0x80)
        .collect()
}

/// A recording's length in seconds.
pub fn seconds(samples: &[u8]) -> f64 {
    samples.len() as f64 / 8000.0
}
