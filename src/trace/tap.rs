//! A jack that tells what crosses the ports of another. The driver does not know of it.

use super::form::{Direction, PortChange, What};
use super::recorder::Entry;
use crate::modem::port::{Changed, Jack, OpenError, Port, Reset};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

/// Where it is told. Never waits: what finds no room is counted and left out.
#[derive(Clone, Debug)]
pub struct Sink {
    pub(super) entries: mpsc::Sender<Entry>,
    pub(super) start: Instant,
    pub(super) missed: Arc<AtomicU64>,
}

impl Sink {
    fn tell(&self, what: What) {
        let missed_before = self.missed.swap(0, Ordering::Relaxed);
        let entry = Entry {
            missed_before,
            at: self.start.elapsed(),
            what,
        };
        if let Err(TrySendError::Full(_)) = self.entries.try_send(entry) {
            self.missed.fetch_add(missed_before + 1, Ordering::Relaxed);
        }
    }

    fn crossed(&self, direction: Direction, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.tell(What::Bytes(direction, bytes.into()));
        }
    }

    fn changed(&self, change: PortChange) {
        self.tell(What::Port(change));
    }
}

/// A jack under a tap.
pub struct TappedJack {
    jack: Box<dyn Jack>,
    sink: Sink,
}

impl TappedJack {
    /// What crosses the ports of `jack` is told to `sink`.
    pub fn new(jack: Box<dyn Jack>, sink: Sink) -> Self {
        Self { jack, sink }
    }
}

impl Jack for TappedJack {
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError> {
        let port = self.jack.open()?;
        self.sink.changed(PortChange::Opened);
        Ok(Box::new(TappedPort {
            port,
            sink: self.sink.clone(),
        }))
    }

    fn changed(&mut self) -> Changed<'_> {
        self.jack.changed()
    }

    fn reset(&mut self) -> Reset<'_> {
        self.sink.changed(PortChange::BusReset);
        self.jack.reset()
    }

    fn device(&self) -> String {
        self.jack.device()
    }
}

struct TappedPort {
    port: Box<dyn Port>,
    sink: Sink,
}

impl Drop for TappedPort {
    fn drop(&mut self) {
        self.sink.changed(PortChange::Closed);
    }
}

impl TappedPort {
    /// An error, other than those that go by, is the end of the port.
    fn seen<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done
            && !matches!(
                error.kind(),
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
            )
        {
            self.sink.changed(PortChange::Lost);
        }
        done
    }
}

impl Port for TappedPort {
    fn discard_output(&mut self) -> io::Result<()> {
        self.sink.changed(PortChange::OutputDiscarded);
        self.port.discard_output()
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.sink.changed(PortChange::InputDiscarded);
        self.port.discard_input()
    }

    fn watch(&mut self, watched: bool) -> io::Result<()> {
        self.port.watch(watched)
    }

    fn set_dtr(&mut self, raised: bool) -> io::Result<()> {
        self.sink.changed(if raised {
            PortChange::DtrUp
        } else {
            PortChange::DtrDown
        });
        self.port.set_dtr(raised)
    }
}

impl AsyncRead for TappedPort {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let room = buffer.remaining();
        let read = ready!(Pin::new(&mut self.port).poll_read(cx, buffer));
        self.seen(read)?;
        let bytes = &buffer.filled()[before..];
        if bytes.is_empty() && room > 0 {
            self.sink.changed(PortChange::Lost);
        }
        self.sink.crossed(Direction::FromModem, bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TappedPort {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.port).poll_write(cx, bytes));
        let count = self.seen(written)?;
        self.sink.crossed(Direction::ToModem, &bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_shutdown(cx)
    }
}
