//! The emulated modem on an in-memory link, for tests on paused tokio time.
//!
//! Between the driver and the modem lies what an operating system puts there: an output queue of
//! 20 kB that a driver can discard, with back-pressure behind it, and an input queue. One task moves
//! the modem on; it sleeps until something is due and never otherwise wakes.

use super::journal::{Happening, Journal};
use super::linked::LinkedModem;
use super::modem::{EmulatedModem, PlugChange};
use super::scenario::Scenario;
use crate::modem::port::{Changed, Jack, OpenError, Port, Reset};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// How the link behaves.
#[derive(Clone, Copy, Debug)]
pub struct LinkOptions {
    /// The same seed gives the same random bytes and the same cuts.
    pub seed: u64,
    /// Reads return between one byte and so many, at random; as much as there is if `None`.
    pub longest_read: Option<usize>,
    /// Bytes the operating system queues towards the modem.
    pub output_queue: usize,
    /// Whether closing the port drops Data Terminal Ready (`HUPCL`).
    pub close_drops_dtr: bool,
}

impl Default for LinkOptions {
    /// Seed 1, uncut reads, the 20 kB of `cdc_acm`, DTR left alone.
    fn default() -> Self {
        Self {
            seed: 1,
            longest_read: None,
            output_queue: 20 * 1024,
            close_drops_dtr: false,
        }
    }
}

/// Bytes the operating system holds for a program that does not read.
const INPUT_QUEUE: usize = 4096;

struct Link<M> {
    modem: M,
    options: LinkOptions,
    random: fastrand::Rng,
    to_modem: VecDeque<u8>,
    to_dte: VecDeque<u8>,
    /// Counts unpluggings: a port of an earlier generation is dead.
    generation: u64,
    /// Counts the times when opening became possible.
    openings: u64,
    open: bool,
    node: u32,
    reader: Option<Waker>,
    writer: Option<Waker>,
    wakes: u64,
}

struct Shared<M> {
    link: Mutex<Link<M>>,
    /// Tells the task that what is due may have changed.
    task: Arc<Notify>,
    /// Tells those who wait for something to happen.
    happened: Notify,
}

impl<M> Drop for Shared<M> {
    fn drop(&mut self) {
        self.task.notify_one();
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl<M: LinkedModem> Shared<M> {
    fn link(&self) -> MutexGuard<'_, Link<M>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the link, moves everything that can move, and has the task look again.
    fn change<T>(&self, change: impl FnOnce(&mut Link<M>, Instant) -> T) -> T {
        let result = {
            let mut link = self.link();
            let now = now();
            link.pump(now);
            let result = change(&mut link, now);
            link.pump(now);
            result
        };
        self.task.notify_one();
        self.happened.notify_waiters();
        result
    }
}

impl<M: LinkedModem> Link<M> {
    /// Moves bytes both ways until nothing moves.
    fn pump(&mut self, now: Instant) {
        self.modem.advance(now);
        loop {
            while let Some(change) = self.modem.take_plug_change() {
                self.plug_changed(change);
            }
            let to_modem = self.feed_modem(now);
            let to_dte = self.feed_dte();
            if to_modem + to_dte == 0 {
                break;
            }
        }
        if self.modem.is_transmitting() {
            self.modem.note_queue(self.to_modem.len());
        }
    }

    fn feed_modem(&mut self, now: Instant) -> usize {
        if self.to_modem.is_empty() {
            return 0;
        }
        let taken = self.modem.receive(now, self.to_modem.make_contiguous());
        self.to_modem.drain(..taken);
        if taken > 0
            && let Some(writer) = self.writer.take()
        {
            writer.wake();
        }
        taken
    }

    /// While no program has the port open, the modem keeps what it says.
    fn feed_dte(&mut self) -> usize {
        if !self.open {
            return 0;
        }
        let room = INPUT_QUEUE.saturating_sub(self.to_dte.len());
        let output = self.modem.output();
        let count = room.min(output.len());
        self.to_dte.extend(&output[..count]);
        self.modem.sent(count);
        if count > 0
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
        count
    }

    fn plug_changed(&mut self, change: PlugChange) {
        match change {
            PlugChange::Unplugged => {
                self.generation += 1;
                self.open = false;
                self.to_modem.clear();
                self.to_dte.clear();
                for waker in [self.reader.take(), self.writer.take()] {
                    waker.into_iter().for_each(Waker::wake);
                }
            }
            PlugChange::Plugged { other_node } => {
                self.openings += 1;
                self.node += u32::from(other_node);
            }
        }
    }
}

async fn run<M: LinkedModem>(link: Weak<Shared<M>>, changed: Arc<Notify>) {
    loop {
        let Some(shared) = link.upgrade() else {
            return;
        };
        let wake = {
            let mut link = shared.link();
            link.wakes += 1;
            link.pump(now());
            link.modem.next_wake()
        };
        shared.happened.notify_waiters();
        drop(shared);
        match wake {
            Some(wake) => {
                tokio::select! {
                    () = changed.notified() => {}
                    () = tokio::time::sleep_until(wake.into()) => {}
                }
            }
            None => changed.notified().await,
        }
    }
}

/// An emulated modem in this process. It lives as long as this handle, a jack or a port of it does.
pub struct MemoryModem<M = EmulatedModem> {
    shared: Arc<Shared<M>>,
}

impl<M> Clone for MemoryModem<M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<M: LinkedModem> MemoryModem<M> {
    /// Plugs any modem in. Must be called inside a tokio runtime, whose time it follows.
    pub fn linked(modem: M, options: LinkOptions) -> Self {
        let task = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            link: Mutex::new(Link {
                modem,
                random: fastrand::Rng::with_seed(options.seed),
                options,
                to_modem: VecDeque::new(),
                to_dte: VecDeque::new(),
                generation: 0,
                openings: 0,
                open: false,
                node: 0,
                reader: None,
                writer: None,
                wakes: 0,
            }),
            task: Arc::clone(&task),
            happened: Notify::new(),
        });
        tokio::spawn(run(Arc::downgrade(&shared), task));
        Self { shared }
    }

    /// The place where it is plugged in.
    pub fn jack(&self) -> MemoryJack<M> {
        MemoryJack {
            shared: Arc::clone(&self.shared),
            seen: 0,
        }
    }

    /// What happens on its line.
    pub fn journal(&self) -> Journal {
        self.shared.link().modem.journal()
    }

    /// Waits until something like this has happened (or returns at once if it has) and tells when it
    /// first did, since the modem was made.
    pub async fn happened(&self, like: impl Fn(&Happening) -> bool) -> Duration {
        self.until(|journal| journal.first(&like)).await
    }

    /// Waits until this can be told from the journal.
    pub async fn until<T>(&self, told: impl Fn(&Journal) -> Option<T>) -> T {
        let journal = self.journal();
        loop {
            let more = self.shared.happened.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            if let Some(answer) = told(&journal) {
                return answer;
            }
            more.await;
        }
    }

    /// Does something with the modem at the present instant: pulls it out, adds a fault, begins a
    /// call.
    pub fn with<T>(&self, change: impl FnOnce(&mut M, Instant) -> T) -> T {
        self.shared.change(|link, now| change(&mut link.modem, now))
    }

    /// How often the task that moves the modem has run.
    pub fn wakes(&self) -> u64 {
        self.shared.link().wakes
    }
}

impl MemoryModem {
    /// Plugs an emulated modem in. Must be called inside a tokio runtime, whose time it follows.
    pub fn new(scenario: Scenario, options: LinkOptions) -> Self {
        Self::linked(EmulatedModem::new(scenario, now(), options.seed), options)
    }
}

/// The place where an emulated modem is plugged in. It follows the modem to another node, as
/// `/dev/serial/by-id` does.
pub struct MemoryJack<M = EmulatedModem> {
    shared: Arc<Shared<M>>,
    seen: u64,
}

impl<M: LinkedModem> Jack for MemoryJack<M> {
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError> {
        let device = self.device();
        let opened = self.shared.change(|link, now| {
            self.seen = link.openings;
            if !link.modem.is_plugged() {
                return Err(OpenError::Absent { device });
            }
            if link.open {
                return Err(OpenError::Busy { device });
            }
            link.open = true;
            link.modem.set_dtr(true, now);
            Ok(link.generation)
        });
        opened.map(|generation| {
            Box::new(MemoryPort {
                shared: Arc::clone(&self.shared),
                generation,
            }) as Box<dyn Port>
        })
    }

    fn changed(&mut self) -> Changed<'_> {
        Box::pin(async move {
            loop {
                let more = self.shared.happened.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                let openings = self.shared.link().openings;
                if openings != self.seen {
                    self.seen = openings;
                    return;
                }
                more.await;
            }
        })
    }

    fn reset(&mut self) -> Reset<'_> {
        self.shared.change(|link, now| link.modem.usb_reset(now));
        Box::pin(std::future::ready(Ok(())))
    }

    fn device(&self) -> String {
        format!("emulated:{}", self.shared.link().node)
    }
}

struct MemoryPort<M: LinkedModem> {
    shared: Arc<Shared<M>>,
    generation: u64,
}

impl<M: LinkedModem> MemoryPort<M> {
    /// Does something with the link if this port is not dead.
    fn alive<T>(&self, change: impl FnOnce(&mut Link<M>, Instant) -> T) -> io::Result<T> {
        self.shared
            .change(|link, now| (link.generation == self.generation).then(|| change(link, now)))
            .ok_or_else(hung_up)
    }
}

/// What the operating system answers on a tty that has hung up (`EIO`).
fn hung_up() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl<M: LinkedModem> Drop for MemoryPort<M> {
    fn drop(&mut self) {
        let closed = self.alive(|link, now| {
            link.open = false;
            link.openings += 1;
            // The driver of the operating system kills what is still queued.
            link.to_modem.clear();
            link.to_dte.clear();
            if link.options.close_drops_dtr {
                link.modem.set_dtr(false, now);
            }
        });
        // An unplugged port has nothing to close.
        drop(closed);
    }
}

impl<M: LinkedModem> AsyncRead for MemoryPort<M> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut link = self.shared.link();
        if link.generation != self.generation || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if link.to_dte.is_empty() {
            link.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let longest = match link.options.longest_read {
            Some(most) => link.random.usize(1..=most.max(1)),
            None => usize::MAX,
        };
        let count = longest.min(buffer.remaining()).min(link.to_dte.len());
        for byte in link.to_dte.drain(..count) {
            buffer.put_slice(&[byte]);
        }
        let more = !link.modem.output().is_empty();
        drop(link);
        if more {
            self.shared.task.notify_one();
        }
        Poll::Ready(Ok(()))
    }
}

impl<M: LinkedModem> AsyncWrite for MemoryPort<M> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.alive(|link, _| {
            let room = link
                .options
                .output_queue
                .saturating_sub(link.to_modem.len());
            if room == 0 {
                link.writer = Some(context.waker().clone());
                return None;
            }
            let count = room.min(bytes.len());
            link.to_modem.extend(&bytes[..count]);
            Some(count)
        });
        match written {
            Ok(Some(count)) => Poll::Ready(Ok(count)),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// A real tty would block the thread here; the driver must not call it.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// A real tty would block the thread here; the driver must not call it.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl<M: LinkedModem> Port for MemoryPort<M> {
    fn discard_output(&mut self) -> io::Result<()> {
        self.alive(|link, _| {
            link.to_modem.clear();
            if let Some(writer) = link.writer.take() {
                writer.wake();
            }
        })
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.alive(|link, _| link.to_dte.clear())
    }

    fn set_dtr(&mut self, raised: bool) -> io::Result<()> {
        self.alive(|link, now| link.modem.set_dtr(raised, now))
    }
}
