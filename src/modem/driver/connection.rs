//! One opened port with the protocol on it: the only place where bytes are read and written.
//!
//! It never waits for output to drain (a tty would block the thread) and never sleeps in place of an
//! event.

use super::pace::Pace;
use super::recovery::Silence;
use super::transcript::Transcript;
use super::{Down, ModemEvent, RING_WINDOW};
use crate::clock::until;
use crate::modem::chip::{Chip, Family};
use crate::modem::command::{Command, PLAIN_WORDS, Reply, ResultCode};
use crate::modem::port::Port;
use crate::modem::protocol::{Event, LEAVE_ANY_STREAM, Protocol};
use crate::modem::wire::DataState;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

/// The line is quiet when the modem has said nothing for this long. A modem that streams sends a
/// piece every 16 ms.
const QUIET: Duration = Duration::from_millis(200);
/// The longest wait for quiet.
const QUIET_PATIENCE: Duration = Duration::from_secs(1);

/// How often audio is looked for. A modem sends a piece every 16 ms, and to wake for each costs three
/// times as much as to take three at once.
const LOOK_EVERY: Duration = Duration::from_millis(48);

/// A reply that must come is waited for so long at least.
const LATE: Duration = Duration::from_millis(2500);

/// Why a command has no reply.
#[derive(Debug)]
pub(super) enum CommandError {
    /// The port is gone.
    Down(Down),
    /// The modem did not answer in time.
    Silent {
        /// What it was asked.
        command: String,
    },
}

impl From<Down> for CommandError {
    fn from(down: Down) -> Self {
        Self::Down(down)
    }
}

impl CommandError {
    /// For when silence means that the modem is hung.
    pub(super) fn into_down(self) -> Down {
        match self {
            Self::Down(down) => down,
            Self::Silent { command } => Down::NotAnswering { command },
        }
    }
}

/// An opened port and what has been said on it.
pub(super) struct Connection {
    port: Box<dyn Port>,
    /// Whether the port wakes us up.
    watched: bool,
    pub(super) protocol: Protocol,
    /// Bytes to write, from `written` on.
    outgoing: Vec<u8>,
    written: usize,
    buffer: Box<[u8]>,
    events: mpsc::Sender<ModemEvent>,
    transcript: Transcript,
    /// How the modem is driven; a generic one until it has said who it is.
    pub(super) chip: &'static Chip,
    /// A final result came that no command asked for: replies may be one behind their commands.
    pub(super) stray_result: bool,
    /// What it means if the modem does not answer.
    pub(super) silence: Silence,
    pace: Pace,
    /// Since when the line is off-hook by our doing.
    pub(super) off_hook: Option<Instant>,
    /// When the line rang last.
    rang: Option<Instant>,
}

impl Connection {
    pub(super) fn new(port: Box<dyn Port>, events: mpsc::Sender<ModemEvent>) -> Self {
        Self {
            port,
            watched: true,
            protocol: Protocol::new(),
            outgoing: Vec::new(),
            written: 0,
            buffer: vec![0; 2048].into_boxed_slice(),
            events,
            transcript: Transcript::default(),
            chip: Chip::of(Family::Generic),
            stray_result: false,
            silence: Silence::News,
            pace: Pace::default(),
            off_hook: None,
            rang: None,
        }
    }

    /// Whether the line rings, or may between two rings: only then may it be picked up.
    pub(super) fn rings(&self) -> bool {
        self.rang.is_some_and(|rang| rang.elapsed() < RING_WINDOW)
    }

    /// Queues bytes; [`Connection::next`] writes them as the port takes them.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.outgoing.extend_from_slice(bytes);
    }

    /// Whether everything queued has been taken by the port.
    pub(super) fn all_written(&self) -> bool {
        self.written == self.outgoing.len()
    }

    /// Throws away what is queued, here and in the kernel.
    pub(super) fn discard_output(&mut self) {
        self.outgoing.clear();
        self.written = 0;
        if let Err(error) = self.port.discard_output() {
            tracing::debug!(%error, "the port's output cannot be discarded");
        }
    }

    /// Raises or drops Data Terminal Ready; a pseudo-terminal has none.
    pub(super) fn set_dtr(&mut self, raised: bool) {
        if let Err(error) = self.port.set_dtr(raised) {
            tracing::debug!(%error, raised, "DTR cannot be set");
        }
    }

    /// The next thing the modem says. Writes what is queued meanwhile. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<Event, Down> {
        self.watch(true)?;
        loop {
            if let Some(event) = self.next_event() {
                return Ok(event);
            }
            let deadline = self.protocol.deadline();
            tokio::select! {
                biased;
                read = poll_fn(|cx| self.poll_io(cx)) => self.take_in(read)?,
                () = until(deadline.map(Instant::from_std)) => {
                    self.protocol.time_passed(Instant::now().into_std());
                }
            }
        }
    }

    fn next_event(&mut self) -> Option<Event> {
        let event = self.protocol.next_event();
        if let Some(Event::Reply(_)) = event {
            self.pace.answers(Instant::now());
        }
        event
    }

    /// Like [`Connection::next`] while audio comes in: the port is looked at now and then, not woken
    /// up for at every piece.
    pub(super) async fn next_of_stream(&mut self) -> Result<Event, Down> {
        if self.protocol.data_state() != DataState::Receive {
            return self.next().await;
        }
        self.watch(false)?;
        loop {
            if let Some(event) = self.next_event() {
                return Ok(event);
            }
            let looked = self.poll_io(&mut Context::from_waker(Waker::noop()));
            match looked {
                Poll::Ready(read) => self.take_in(read)?,
                Poll::Pending => sleep(LOOK_EVERY).await,
            }
            // Audio never pauses for a caller ID that is complete by that.
            self.protocol.time_passed(Instant::now().into_std());
        }
    }

    /// Has the port wake us up, or only be looked at.
    fn watch(&mut self, watched: bool) -> Result<(), Down> {
        if std::mem::replace(&mut self.watched, watched) != watched {
            self.port
                .watch(watched)
                .map_err(|error| Down::port_gone(&error))?;
        }
        Ok(())
    }

    fn take_in(&mut self, read: io::Result<usize>) -> Result<(), Down> {
        let read = match (read, self.protocol.deadline()) {
            (Ok(read), _) => read,
            // Nothing can follow a caller ID that was on its way, so it is whole; then the port is gone.
            (Err(_), Some(deadline)) => {
                self.protocol.time_passed(deadline);
                return Ok(());
            }
            (Err(error), None) => return Err(Down::port_gone(&error)),
        };
        let bytes = &self.buffer[..read];
        self.transcript.received(bytes, self.protocol.data_state());
        self.protocol.receive(bytes, Instant::now().into_std());
        Ok(())
    }

    /// Writes what can be written, then reads.
    fn poll_io(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while self.written < self.outgoing.len() {
            let pending = &self.outgoing[self.written..];
            match Pin::new(&mut self.port).poll_write(cx, pending) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    self.transcript
                        .sent(&pending[..count], self.protocol.data_state());
                    self.written += count;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        if self.written == self.outgoing.len() {
            self.outgoing.clear();
            self.written = 0;
        }
        let mut buffer = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(&mut self.port).poll_read(cx, &mut buffer))?;
        match buffer.filled().len() {
            0 => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the port was hung up",
            ))),
            count => Poll::Ready(Ok(count)),
        }
    }

    /// Sends a command and waits for its reply; what else the modem says is passed on.
    pub(super) async fn command(&mut self, command: &Command) -> Result<Reply, CommandError> {
        self.issue(command).await?;
        self.reply_within(self.pace.patience(command.patience))
            .await?
            .ok_or_else(|| CommandError::Silent {
                command: command.text.clone(),
            })
    }

    /// Passes on what the modem says, until then.
    pub(super) async fn listen_until(&mut self, end: Instant) -> Result<(), Down> {
        while let Ok(event) = timeout_at(end, self.next()).await {
            self.pass_on(event?).await;
        }
        Ok(())
    }

    /// Leaves the modem alone for as long as it needs after a result.
    pub(super) async fn await_turn(&mut self) -> Result<(), Down> {
        match self.pace.next_turn() {
            Some(turn) => self.listen_until(turn).await,
            None => Ok(()),
        }
    }

    /// Sends a command as soon as the modem can take one; its reply is pending then.
    pub(super) async fn issue(&mut self, command: &Command) -> Result<(), Down> {
        self.await_turn().await?;
        self.pace.asks(Instant::now());
        let bytes = self.protocol.begin(command);
        self.send(&bytes);
        Ok(())
    }

    /// Waits for the pending reply; after `patience` it is given up.
    pub(super) async fn reply_within(&mut self, patience: Duration) -> Result<Option<Reply>, Down> {
        let deadline = Instant::now() + patience;
        loop {
            match timeout_at(deadline, self.next()).await {
                Err(_) => {
                    self.protocol.abandon();
                    return Ok(None);
                }
                Ok(Err(down)) => return Err(down),
                Ok(Ok(Event::Reply(reply))) => return Ok(Some(reply)),
                Ok(Ok(event)) => self.pass_on(event).await,
            }
        }
    }

    /// Like [`Connection::command`], but waits longer, and up to three times more after a resync: each attempt
    /// may have taught what the modem's pace is. A late answer that were thrown away would be taken
    /// for that of the next command.
    pub(super) async fn insist(&mut self, command: &Command) -> Result<Reply, CommandError> {
        const ATTEMPTS: usize = 4;
        let command = command.clone().within(command.patience.max(LATE));
        let mut attempt = 1;
        loop {
            let sent = Instant::now();
            match self.command(&command).await {
                Err(CommandError::Silent { command: text }) if attempt < ATTEMPTS => {
                    let what = format!("the modem does not answer {text}: resynchronising");
                    self.silence.tell(&what);
                    self.resync().await?;
                    tracing::info!("it answers again");
                    attempt += 1;
                }
                Ok(reply) => {
                    self.pace.took(sent.elapsed());
                    return Ok(reply);
                }
                error => return error,
            }
        }
    }

    /// Brings modem and driver back to the command state: out of any stream, past any late reply. What
    /// is learnt by it of the modem's pace holds from then on.
    pub(super) async fn resync(&mut self) -> Result<(), CommandError> {
        const ATTEMPTS: u32 = 3;
        let asked_closely = self.pace.asked_closely();
        let probe = Command::set("AT");
        // A modem that reset itself to a profile without result codes says nothing to `AT`.
        let plain_words = Command::set(PLAIN_WORDS);
        for attempt in 1..=ATTEMPTS {
            self.leave_any_stream().await?;
            let probe = if attempt == 2 { &plain_words } else { &probe };
            let probe = probe.clone().within(probe.patience * attempt);
            let sent = Instant::now();
            match self.command(&probe).await {
                Ok(reply) if reply.result == ResultCode::Ok => {
                    self.pace.took(sent.elapsed());
                    if asked_closely {
                        self.pace.swallowed();
                    }
                    return Ok(());
                }
                Ok(_) => {}
                Err(CommandError::Silent { .. }) if attempt < ATTEMPTS => {}
                Err(error) => return Err(error),
            }
        }
        Err(CommandError::Silent {
            command: probe.text,
        })
    }

    /// Tells the modem to leave whatever stream it may be in and waits until it has nothing more to
    /// say. Rings and caller ID are still passed on; the rest is thrown away.
    pub(super) async fn leave_any_stream(&mut self) -> Result<(), Down> {
        self.discard_output();
        self.protocol.abandon();
        self.protocol.assume_command_state();
        self.send(LEAVE_ANY_STREAM);
        let limit = Instant::now() + QUIET_PATIENCE;
        loop {
            let quiet = Instant::now() + QUIET;
            match timeout_at(quiet.min(limit), self.next()).await {
                Err(_) => break,
                Ok(Err(down)) => return Err(down),
                Ok(Ok(event @ (Event::Ring(_) | Event::CallerId { .. }))) => {
                    self.pass_on(event).await;
                }
                Ok(Ok(_)) => {}
            }
        }
        self.protocol.assume_command_state();
        Ok(())
    }

    /// Throws away what the modem said before we were listening.
    pub(super) async fn discard_stale_input(&mut self) -> Result<(), Down> {
        if let Err(error) = self.port.discard_input() {
            tracing::debug!(%error, "the port's input cannot be discarded");
        }
        let limit = Instant::now() + QUIET;
        while let Ok(event) = timeout_at(limit, self.next()).await {
            event?;
        }
        self.protocol = Protocol::new();
        Ok(())
    }

    /// Hands an event on to whoever listens.
    pub(super) async fn pass_on(&mut self, event: Event) {
        let event = match event {
            Event::Ring(_) => {
                self.rang = Some(Instant::now());
                ModemEvent::Ring
            }
            Event::CallerId { id, revision } => ModemEvent::CallerId { id, revision },
            Event::MessageWaiting(waiting) => ModemEvent::MessageWaiting(waiting),
            Event::Code(code) => {
                let off_hook_for = self.off_hook.map_or(Duration::MAX, |since| since.elapsed());
                if !self.chip.believes(code, off_hook_for) {
                    tracing::debug!(?code, "line code not believed");
                    return;
                }
                ModemEvent::Code(code)
            }
            Event::Digit { digit, pressed } => ModemEvent::Digit { digit, pressed },
            Event::Audio(audio) => ModemEvent::Audio(audio),
            Event::Unknown(text) => {
                self.stray_result |= text == "OK" || text == "ERROR";
                ModemEvent::Unknown(text)
            }
            // Framing of a stream, and an answer that nobody waits for any more.
            Event::StreamEnd | Event::Reply(_) => return,
        };
        self.tell(event).await;
    }

    /// Tells whoever listens. Nobody listening is no error: the process is ending.
    pub(super) async fn tell(&mut self, event: ModemEvent) {
        let _ = self.events.send(event).await;
    }

    /// Whether the modem's bytes are a stream now.
    pub(super) fn in_stream(&self) -> bool {
        self.protocol.data_state() != DataState::Command
    }
}
