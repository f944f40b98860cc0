//! The real daemon as a process, on a pseudo-terminal with an emulated modem behind it.

use callblock::emulator::{Call, Happening, Journal, PtyModem, PtyOptions, Scenario};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A modem that has had nothing to do for so long has been armed.
const SETTLED: Duration = Duration::from_millis(500);
/// Everything awaited here comes within seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running daemon that blocks everybody, and its line. Dropped, it is killed.
pub(crate) struct RunningDaemon {
    process: Child,
    modem: PtyModem,
    /// What happened, and when it did by this process' clock: the journal's own stamps say when it
    /// was due.
    happenings: Receiver<(Instant, Happening)>,
    folder: TempDir,
}

/// A folder on the disk on which the program is built: not a file system in memory.
pub(crate) fn folder_on_disk() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

impl RunningDaemon {
    /// Starts both, and waits until the modem is armed. The files are put into the play folder.
    pub(crate) fn start<S: AsRef<OsStr>>(
        folder: TempDir,
        scenario: Scenario,
        flags: impl IntoIterator<Item = S>,
    ) -> Self {
        let node = folder.path().join("modem");
        let options = PtyOptions {
            link: Some(node.clone()),
            ..PtyOptions::default()
        };
        let modem = PtyModem::start(scenario, options).expect("a pseudo-terminal");
        let (happened, happenings) = channel();
        modem.journal().listen(move |entry| {
            // Nobody may be interested any more.
            let _ = happened.send((Instant::now(), entry.what.clone()));
        });
        let friends = folder.path().join("friends.csv");
        std::fs::write(&friends, "2125550100,A friend\n").expect("written");
        let process = Command::new(env!("CARGO_BIN_EXE_callblock"))
            .arg("--device")
            .arg(node)
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .arg("-w")
            .arg(friends)
            .args(flags)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stderr(Stdio::null())
            .spawn()
            .expect("the daemon starts");
        let daemon = Self {
            process,
            modem,
            happenings,
            folder,
        };
        daemon.wait_for(|what| *what == Happening::Command("AT+VCID=1".into()));
        daemon.settle();
        daemon
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn journal(&self) -> Journal {
        self.modem.journal()
    }

    pub(crate) fn call(&self, call: Call) {
        self.modem.with(move |modem, now| modem.call_now(now, call));
    }

    /// The next thing that happens on the line, and when.
    pub(crate) fn next(&self) -> (Instant, Happening) {
        let next = self.happenings.recv_timeout(PATIENCE);
        next.unwrap_or_else(|_| panic!("nothing happens: {:#?}", self.journal()))
    }

    /// When something like this happens, from what was seen last on.
    pub(crate) fn wait_for(&self, like: impl Fn(&Happening) -> bool) -> Instant {
        loop {
            let (at, what) = self.next();
            if like(&what) {
                return at;
            }
        }
    }

    /// Waits until nothing happens any more.
    pub(crate) fn settle(&self) {
        while self.happenings.recv_timeout(SETTLED).is_ok() {}
    }

    /// `kill -9`; the time at which the process was gone.
    pub(crate) fn kill(&mut self) -> Instant {
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
        Instant::now()
    }

    /// The only recording there is.
    pub(crate) fn recording(&self) -> PathBuf {
        let folder = self.folder.path().join("data/rec");
        let mut files = Path::read_dir(&folder).expect("the folder");
        files.next().expect("a recording").expect("an entry").path()
    }
}

impl Drop for RunningDaemon {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
