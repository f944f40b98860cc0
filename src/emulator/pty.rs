//! The emulated modem on a real pseudo-terminal, which any program can open.
//!
//! It runs in a thread of its own with a runtime of its own, so that whoever starts it cannot slow
//! it down. While nothing is due it does not wake at all, whether or not a program has the node open.
//!
//! A pseudo-terminal is not quite a modem: it has no DTR, it reports no output queue to the program
//! that writes, and it holds up to about 20 kB in flight.

use super::journal::Journal;
use super::linked::LinkedModem;
use super::modem::{EmulatedModem, PlugChange};
use super::scenario::Scenario;
use rustix::fd::OwnedFd;
use rustix::fs::inotify;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

/// How the modem is offered.
#[derive(Clone, Debug, Default)]
pub struct PtyOptions {
    /// A symbolic link to the node; it follows the modem to another node and is removed at the end.
    pub link: Option<PathBuf>,
    /// Bytes are written in pieces of one to so many, at random; as many as there are if `None`.
    pub longest_write: Option<usize>,
    /// The same seed gives the same random bytes and pieces.
    pub seed: u64,
}

type Change<M> = Box<dyn FnOnce(&mut M, Instant) + Send>;
type Node = Arc<Mutex<Option<PathBuf>>>;

/// An emulated modem on a pseudo-terminal. Dropping it pulls it out and ends its thread.
pub struct PtyModem<M = EmulatedModem> {
    journal: Journal,
    node: Node,
    changes: Option<mpsc::UnboundedSender<Change<M>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl<M: LinkedModem> PtyModem<M> {
    /// Plugs any modem in: its node exists when this returns.
    ///
    /// Fails if no pseudo-terminal is to be had, or if the link cannot be made.
    pub fn linked(modem: M, options: PtyOptions) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let journal = modem.journal();
        let (changes, orders) = mpsc::unbounded_channel();
        let guard = runtime.enter();
        let mut server = Server::new(modem, options);
        let node = Arc::clone(&server.node);
        server.plug_in(false)?;
        drop(guard);
        let thread = std::thread::Builder::new()
            .name("emulated-modem".into())
            .spawn(move || runtime.block_on(server.serve(orders)))?;
        Ok(Self {
            journal,
            node,
            changes: Some(changes),
            thread: Some(thread),
        })
    }

    /// The node to open; `None` while the modem is unplugged.
    pub fn node(&self) -> Option<PathBuf> {
        let node = self.node.lock().unwrap_or_else(PoisonError::into_inner);
        node.clone()
    }

    /// What happens on its line.
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Has its thread do something with the modem soon: pull it out, add a fault, begin a call.
    pub fn with(&self, change: impl FnOnce(&mut M, Instant) + Send + 'static) {
        if let Some(changes) = &self.changes {
            // A thread that has ended has no modem left to change.
            let _ = changes.send(Box::new(change));
        }
    }
}

impl PtyModem {
    /// Plugs an emulated modem in: its node exists when this returns. Time begins now.
    ///
    /// Fails if no pseudo-terminal is to be had, or if the link cannot be made.
    pub fn start(scenario: Scenario, options: PtyOptions) -> io::Result<Self> {
        let modem = EmulatedModem::new(scenario, Instant::now(), options.seed);
        Self::linked(modem, options)
    }
}

impl<M> Drop for PtyModem<M> {
    fn drop(&mut self) {
        self.changes = None;
        if let Some(thread) = self.thread.take() {
            // It has no result, and its panic was already printed.
            let _ = thread.join();
        }
    }
}

/// One pseudo-terminal. The slave is kept open so that the master never reads EIO when programs
/// come and go.
struct Pty {
    master: AsyncFd<OwnedFd>,
    slave: OwnedFd,
    /// Tells that a program has closed the node.
    closings: AsyncFd<OwnedFd>,
    path: PathBuf,
}

impl Pty {
    fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let path = PathBuf::from(name.to_string_lossy().into_owned());
        let flags = rustix::fs::OFlags::RDWR
            | rustix::fs::OFlags::NOCTTY
            | rustix::fs::OFlags::NONBLOCK
            | rustix::fs::OFlags::CLOEXEC;
        let slave = rustix::fs::open(name.as_c_str(), flags, rustix::fs::Mode::empty())?;
        let mut termios = tcgetattr(&slave)?;
        termios.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &termios)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let closings =
            inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
        let closed = inotify::WatchFlags::CLOSE_WRITE | inotify::WatchFlags::CLOSE_NOWRITE;
        inotify::add_watch(&closings, name.as_c_str(), closed)?;
        Ok(Self {
            master: watched(master)?,
            slave,
            closings: watched(closings)?,
            path,
        })
    }

    /// A program's exclusive lock (`TIOCEXCL`) would outlive it, because the slave is kept open.
    async fn forget_exclusive_locks(&self) -> io::Result<()> {
        let mut ready = self.closings.readable().await?;
        let mut events = [0; 1024];
        // Whatever the events are, all of them say the same.
        let _ = ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut events)?));
        ioctl_tiocnxcl(&self.slave)?;
        Ok(())
    }

    async fn read(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most.min(4096)];
        loop {
            let mut ready = self.master.readable().await?;
            match ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut bytes)?)) {
                Ok(Ok(count)) => {
                    bytes.truncate(count);
                    return Ok(bytes);
                }
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
    }

    /// What there is to be read now; nothing, too, if the terminal is broken, which waiting for more
    /// will tell.
    fn read_now(&self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most];
        // Whether or not the runtime has noticed that there is something.
        let read = rustix::io::read(self.master.get_ref(), &mut bytes);
        bytes.truncate(read.unwrap_or(0));
        bytes
    }

    /// Writes what fits now. Readiness is forgotten when nothing fits, so that waiting for it works.
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.master
            .try_io(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd, bytes)?))
    }
}

/// Registers a descriptor with the runtime.
#[expect(
    deprecated,
    reason = "its successor is unsafe, for descriptors that others could close; these are owned by \
              the AsyncFd itself"
)]
fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

struct Server<M> {
    modem: M,
    pty: Option<Pty>,
    /// Where it was plugged in last.
    last_path: Option<PathBuf>,
    node: Node,
    options: PtyOptions,
    random: fastrand::Rng,
    /// Read from the program, but not taken by the modem yet.
    unread: Vec<u8>,
}

enum Wake<M> {
    Read(io::Result<Vec<u8>>),
    Change(Option<Change<M>>),
    Other,
}

impl<M: LinkedModem> Server<M> {
    fn new(modem: M, options: PtyOptions) -> Self {
        Self {
            modem,
            pty: None,
            last_path: None,
            node: Node::default(),
            random: fastrand::Rng::with_seed(options.seed),
            options,
            unread: Vec::new(),
        }
    }

    async fn serve(mut self, mut orders: mpsc::UnboundedReceiver<Change<M>>) {
        loop {
            self.move_on();
            match self.wait(&mut orders).await {
                Wake::Read(Ok(bytes)) => self.unread = bytes,
                Wake::Read(Err(error)) => {
                    tracing::warn!(%error, "the emulated modem's terminal broke");
                    self.modem.unplug(Instant::now());
                }
                Wake::Change(Some(change)) => {
                    let now = Instant::now();
                    self.modem.advance(now);
                    change(&mut self.modem, now);
                }
                Wake::Change(None) => break,
                Wake::Other => {}
            }
        }
        self.pull_out();
    }

    /// Everything that can be done without waiting.
    fn move_on(&mut self) {
        let now = Instant::now();
        self.catch_up(now);
        self.modem.advance(now);
        self.feed(now);
        while let Some(change) = self.modem.take_plug_change() {
            match change {
                PlugChange::Unplugged => self.pull_out(),
                PlugChange::Plugged { other_node } => {
                    if let Err(error) = self.plug_in(other_node) {
                        tracing::warn!(%error, "the emulated modem cannot be plugged in");
                    }
                }
            }
        }
        let Some(pty) = &self.pty else {
            return;
        };
        if self.modem.is_transmitting() {
            let kernel = rustix::io::ioctl_fionread(pty.master.get_ref()).unwrap_or(0);
            self.modem.note_queue(kernel as usize + self.unread.len());
        }
        self.write();
    }

    /// A modem takes what waits for it without a processor of this machine, however busy that is. So
    /// one that transmits and was woken late takes its bytes at the instants it had room for them,
    /// each time just before it would find that it has none.
    fn catch_up(&mut self, now: Instant) {
        while self.modem.is_transmitting()
            && let Some(missed) = self.modem.next_wake().filter(|wake| *wake < now)
        {
            if self.unread.is_empty()
                && let Some(pty) = &self.pty
            {
                self.unread = pty.read_now(4096);
            }
            self.feed(
                missed
                    .checked_sub(Duration::from_nanos(1))
                    .unwrap_or(missed),
            );
            self.modem.advance(missed);
        }
    }

    fn feed(&mut self, now: Instant) {
        if !self.unread.is_empty() {
            let taken = self.modem.receive(now, &self.unread);
            self.unread.drain(..taken);
        }
    }

    fn write(&mut self) {
        let Some(pty) = &self.pty else {
            return;
        };
        loop {
            let output = self.modem.output();
            if output.is_empty() {
                return;
            }
            let count = match self.options.longest_write {
                Some(most) => output.len().min(self.random.usize(1..=most.max(1))),
                None => output.len(),
            };
            match pty.write(&output[..count]) {
                Ok(written) => self.modem.sent(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Full: waiting for room is the business of `wait`. Broken: so is reading.
                Err(_) => return,
            }
        }
    }

    async fn wait(&mut self, orders: &mut mpsc::UnboundedReceiver<Change<M>>) -> Wake<M> {
        let wake = self.modem.next_wake();
        let room = if self.unread.is_empty() {
            self.modem.room()
        } else {
            0
        };
        let blocked = !self.modem.output().is_empty();
        let pty = self.pty.as_ref();
        let due = async {
            match wake {
                Some(wake) => tokio::time::sleep_until(wake.into()).await,
                None => std::future::pending().await,
            }
        };
        let read = async {
            match pty {
                Some(pty) if room > 0 => pty.read(room).await,
                _ => std::future::pending().await,
            }
        };
        let write = async {
            match pty {
                Some(pty) if blocked => pty.master.writable().await.is_ok(),
                _ => std::future::pending().await,
            }
        };
        let closed = async {
            match pty {
                Some(pty) => pty.forget_exclusive_locks().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            bytes = read => Wake::Read(bytes),
            change = orders.recv() => Wake::Change(change),
            _ = write => Wake::Other,
            _ = closed => Wake::Other,
            () = due => Wake::Other,
        }
    }

    fn plug_in(&mut self, other_node: bool) -> io::Result<()> {
        let mut pty = Pty::open()?;
        if other_node && self.last_path.as_ref() == Some(&pty.path) {
            // The kernel gives the lowest free number: this one is held while another is opened.
            pty = Pty::open()?;
        }
        self.last_path = Some(pty.path.clone());
        if let Some(link) = &self.options.link {
            point(link, &pty.path)?;
        }
        self.set_node(Some(pty.path.clone()));
        self.pty = Some(pty);
        Ok(())
    }

    fn pull_out(&mut self) {
        self.unread.clear();
        if self.pty.take().is_some()
            && let Some(link) = &self.options.link
        {
            // It may have been removed by somebody else.
            let _ = std::fs::remove_file(link);
        }
        self.set_node(None);
    }

    fn set_node(&self, path: Option<PathBuf>) {
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = path;
    }
}

/// Makes `link` point to `node`, at once and without a moment in which there is none.
fn point(link: &Path, node: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(link) {
        Ok(there) if !there.file_type().is_symlink() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{} exists and is no symbolic link", link.display()),
            ));
        }
        _ => {}
    }
    let mut fresh = link.as_os_str().to_owned();
    fresh.push(".new");
    // What a killed emulator may have left behind.
    let _ = std::fs::remove_file(&fresh);
    std::os::unix::fs::symlink(node, &fresh)?;
    std::fs::rename(&fresh, link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::Happening;

    /// A program wrote while this machine had no processor for the modem: what waits for it is taken
    /// before the instant at which it would run dry, and never said to be late.
    #[tokio::test]
    async fn a_modem_that_is_woken_late_does_not_run_dry_of_what_waited_for_it() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let modem = EmulatedModem::new(Scenario::default(), start, 1);
        let journal = modem.journal();
        let mut server = Server::new(modem, PtyOptions::default());
        server.plug_in(false).unwrap();
        let commands: [&[u8]; 3] = [b"ATE0;+FCLASS=8;+VSM=1\r", b"AT+VLS=1\r", b"AT+VTX\r"];
        for (i, command) in (0..).zip(commands) {
            server.modem.receive(at(100 * i), command);
        }
        server.modem.advance(at(205));
        assert!(server.modem.is_transmitting());
        let pty = server.pty.as_ref().unwrap();
        let played = [0x40; 800];
        std::fs::write(&pty.path, played).unwrap();
        pty.master.readable().await.unwrap().retain_ready();
        server.catch_up(at(300));
        assert_eq!(journal.count(|h| *h == Happening::Underrun), 0);
        server.catch_up(at(400));
        let heard = journal.heard();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].samples, played);
        assert_eq!(journal.count(|h| *h == Happening::Underrun), 1);
    }
}
