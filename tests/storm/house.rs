//! The house of an episode: a daemon that can be killed, on an emulated line.

use crate::plan::{MESSAGE, Plan};
use crate::seen::{KILLED, STOPPED, Seen, What};
use callblock::audio::RecordingLimits;
use callblock::blocker::ListScreen;
use callblock::blocker::daemon::{Daemon, Setup};
use callblock::clock::{Timestamp, TokioClock};
use callblock::emulator::{MemoryJack, MemoryModem};
use callblock::modem::port::{Changed, Jack, OpenError, Port, Reset};
use callblock::screen::{List, Policy};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// 2026-01-02 03:04:05 UTC.
pub const START: Timestamp = Timestamp::from_nanos(1_767_323_045_000_000_000);

/// What a daemon may take to end, by design.
const TO_STOP: Duration = Duration::from_secs(2);

pub struct House<'a> {
    plan: &'a Plan,
    pub modem: MemoryModem,
    pub seen: Seen,
    pub folder: PathBuf,
    message: PathBuf,
    clock: Arc<TokioClock>,
    process: Mutex<Option<Process>>,
    /// Tasks that run without a daemon.
    tasks: usize,
    _folders: [TempDir; 2],
}

struct Process {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    port: OpenPort,
}

impl<'a> House<'a> {
    pub fn new(plan: &'a Plan, data: TempDir) -> Self {
        let files = tempfile::tempdir().unwrap();
        let message = files.path().join("message.wav");
        write_message(&message);
        let folder = data.path().join("data");
        std::fs::create_dir_all(folder.join("play")).unwrap();
        // The only one: which is played next must not be left to chance.
        std::fs::copy(&message, folder.join("play/again.wav")).unwrap();
        let modem = MemoryModem::new(plan.scenario(), plan.link);
        let journal = modem.journal();
        journal.keep_audio(0);
        journal.keep_entries(0);
        let seen = Seen::new();
        seen.watch_line(&journal);
        Self {
            plan,
            modem,
            seen,
            folder,
            message,
            clock: Arc::new(TokioClock::starting_at(START)),
            process: Mutex::new(None),
            tasks: Handle::current().metrics().num_alive_tasks(),
            _folders: [data, files],
        }
    }

    /// A process begins.
    pub fn begin(&self) {
        let port = OpenPort::default();
        let jack = MortalJack {
            jack: self.modem.jack(),
            port: port.clone(),
        };
        let setup = Setup {
            action: self.plan.mode.action(&self.message),
            recording_limits: RecordingLimits {
                min_free: 0,
                ..RecordingLimits::default()
            },
            listening: self.plan.listening(),
            clock: self.clock.clone(),
            ..Setup::new(&self.folder)
        };
        let blocked = format!("{}*,Robots\n", crate::plan::ROBOT);
        let policy = Policy {
            block: Some(List::parse(Path::new("list.csv"), blocked.as_bytes()).list),
            block_private: true,
            ..Policy::default()
        };
        let handler = Box::new(ListScreen::new(policy));
        let (stop, stopped) = oneshot::channel();
        let observer = self.seen.observer();
        let seen = self.seen.clone();
        let folder = self.folder.display().to_string();
        let task = tokio::task::spawn_local(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            let ran = Daemon::run(setup, Box::new(jack), handler, observer, stopped).await;
            if let Err(error) = ran {
                // The same story in another folder is the same story.
                let error = error.to_string().replace(&folder, "data");
                seen.note(What::Daemon(format!("cannot begin: {error}")));
            }
        });
        self.seen.note(What::Begins);
        let process = Process { task, stop, port };
        *self.process.lock().unwrap() = Some(process);
    }

    /// The process dies: its port is closed, nothing more is said to the modem. What was on its way
    /// to the disk gets there; that this need not be so is tried by the tests with SIGKILL.
    pub async fn kill(&self) {
        let Some(process) = self.process.lock().unwrap().take() else {
            return;
        };
        self.seen.note(What::Lost(KILLED.into()));
        process.port.close();
        process.task.abort();
        self.wait_for_tasks().await;
    }

    /// The process is told to end, and does.
    pub async fn stop(&self) -> Result<(), String> {
        let Some(process) = self.process.lock().unwrap().take() else {
            return Ok(());
        };
        self.seen.note(What::Lost(STOPPED.into()));
        let told = self.seen.now();
        let _ = process.stop.send(());
        process.task.await.map_err(|error| error.to_string())?;
        let took = self.seen.now().saturating_sub(told);
        self.seen.note(What::Daemon("the process has ended".into()));
        if took > TO_STOP {
            return Err(format!("it took {took:?} to stop"));
        }
        self.wait_for_tasks().await;
        Ok(())
    }

    /// Another process, if there is none: it ended, or could not begin while the disk was sick.
    pub async fn begin_if_ended(&self) -> Result<(), String> {
        let ended = {
            let mut process = self.process.lock().unwrap();
            process.take_if(|process| process.task.is_finished())
        };
        if let Some(Process { task, .. }) = ended {
            task.await.map_err(|error| error.to_string())?;
        }
        if self.process.lock().unwrap().is_none() {
            self.begin();
        }
        Ok(())
    }

    /// Tasks that belong to a process end with it.
    async fn wait_for_tasks(&self) {
        let metrics = Handle::current().metrics();
        for _ in 0..5000 {
            if metrics.num_alive_tasks() <= self.tasks {
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
        let left = metrics.num_alive_tasks();
        self.seen.note(What::Storm(format!(
            "{left} tasks instead of {}",
            self.tasks
        )));
        panic!(
            "{left} tasks are left of a process that has ended, seed {}",
            self.plan.seed
        );
    }
}

fn write_message(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 8,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in 0..MESSAGE.as_millis() * 8 {
        writer.write_sample((sample * 7 % 100) as i8).unwrap();
    }
    writer.finalize().unwrap();
}

// ----- a port that its process takes with it -----

#[derive(Clone, Default)]
struct OpenPort(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    #[default]
    Closed,
    Open(Box<dyn Port>),
    /// The process is dead and opens nothing any more.
    Dead,
}

impl OpenPort {
    fn close(&self) {
        let state = std::mem::replace(&mut *self.0.lock().unwrap(), State::Dead);
        drop(state);
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Box<dyn Port>) -> T) -> io::Result<T> {
        match &mut *self.0.lock().unwrap() {
            State::Open(port) => Ok(use_it(port)),
            _ => Err(io::Error::from_raw_os_error(5)),
        }
    }
}

struct MortalJack {
    jack: MemoryJack,
    port: OpenPort,
}

impl Jack for MortalJack {
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError> {
        let device = self.jack.device();
        if matches!(*self.port.0.lock().unwrap(), State::Dead) {
            return Err(OpenError::Absent { device });
        }
        let port = self.jack.open()?;
        *self.port.0.lock().unwrap() = State::Open(port);
        Ok(Box::new(MortalPort(self.port.clone())))
    }

    fn changed(&mut self) -> Changed<'_> {
        self.jack.changed()
    }

    fn reset(&mut self) -> Reset<'_> {
        self.jack.reset()
    }

    fn device(&self) -> String {
        self.jack.device()
    }
}

struct MortalPort(OpenPort);

impl Drop for MortalPort {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap();
        if matches!(*state, State::Open(_)) {
            *state = State::Closed;
        }
    }
}

impl AsyncRead for MortalPort {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self
            .0
            .with(|port| Pin::new(port).poll_read(context, buffer))
        {
            Ok(read) => read,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for MortalPort {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self
            .0
            .with(|port| Pin::new(port).poll_write(context, bytes))
        {
            Ok(written) => written,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl Port for MortalPort {
    fn discard_output(&mut self) -> io::Result<()> {
        self.0.with(|port| port.discard_output())?
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.0.with(|port| port.discard_input())?
    }

    fn set_dtr(&mut self, raised: bool) -> io::Result<()> {
        self.0.with(|port| port.set_dtr(raised))?
    }
}
