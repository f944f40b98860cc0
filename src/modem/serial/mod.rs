//! A modem on a tty: opening it exclusively, finding it by its USB identity.
//!
//! The only module that knows `tokio-serial`, and its traps: flushing blocks the thread, a hung-up
//! tty reads 0 bytes for ever, and a lock held by somebody else is reported as "no device".

mod reset;
mod usb;

pub use usb::KNOWN_MODEMS;

use super::port::{Changed, Jack, OpenError, Port, Reset, ResetError};
use crate::watch::changed_near;
use serialport::TTYPort;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_serial::{ClearBuffer, ErrorKind, SerialPort, SerialStream};
use usb::{Ttys, UsbIdentity};

/// The rate of the port. Any will do: on USB the line coding does not matter.
pub const BAUD: u32 = 115_200;

/// Which tty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Device {
    /// This one.
    Node(PathBuf),
    /// The first with a USB identity of [`KNOWN_MODEMS`].
    Auto,
}

/// The place where a tty is, or will be.
#[derive(Debug)]
pub struct SerialJack {
    device: Device,
    ttys: Ttys,
    /// What was opened last: the modem may come back under another name.
    last: Option<UsbIdentity>,
}

impl SerialJack {
    /// Nothing is opened yet.
    pub fn new(device: Device) -> Self {
        Self {
            device,
            ttys: Ttys::default(),
            last: None,
        }
    }

    /// The node to open: where the modem that was here last is now, else what was asked for.
    fn node(&self) -> Option<PathBuf> {
        let asked = match &self.device {
            Device::Node(node) => Some(node.clone()),
            Device::Auto => self.ttys.known_modem(),
        };
        let Some(last) = &self.last else {
            return asked;
        };
        let is_there = |node: &PathBuf| self.ttys.identity(node).as_ref() == Some(last);
        asked
            .clone()
            .filter(is_there)
            .or_else(|| self.ttys.with_identity(last))
            .or(asked)
    }
}

impl Jack for SerialJack {
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError> {
        let device = self.device();
        let node = self.node().ok_or(OpenError::Absent {
            device: device.clone(),
        })?;
        let port = tokio_serial::new(node.to_string_lossy(), BAUD)
            .dtr_on_open(true)
            // It is never waited for.
            .timeout(Duration::ZERO)
            .open_native()
            .and_then(SerialModem::watched)
            .map_err(|error| open_error(device, error))?;
        self.last = self.ttys.identity(&node);
        Ok(Box::new(port))
    }

    fn changed(&mut self) -> Changed<'_> {
        let near = match &self.device {
            Device::Node(node) => node,
            Device::Auto => Path::new("/dev/ttyACM0"),
        };
        Box::pin(changed_near(near))
    }

    fn reset(&mut self) -> Reset<'_> {
        let device = self.device();
        let usb_node = self.node().and_then(|node| self.ttys.usb_node(&node));
        Box::pin(async move {
            match usb_node {
                Some(usb_node) => reset::reset(usb_node, device).await,
                None => Err(ResetError::NotOnUsb { device }),
            }
        })
    }

    fn device(&self) -> String {
        match &self.device {
            Device::Node(node) => node.display().to_string(),
            Device::Auto => "a known USB voice modem".into(),
        }
    }
}

fn open_error(device: String, error: tokio_serial::Error) -> OpenError {
    let text = error.to_string();
    match error.kind() {
        _ if text.contains("exclusive lock") || text.contains("busy") => OpenError::Busy { device },
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::NotFound) => {
            OpenError::Absent { device }
        }
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => OpenError::Denied { device },
        _ => OpenError::Failed {
            device,
            source: error.into(),
        },
    }
}

/// One open port under two handles. A handle that the runtime watches costs a wake-up for each piece
/// that arrives, whether a task waits for it or not: so it is given up while nobody does.
struct SerialModem {
    port: TTYPort,
    watched: Option<SerialStream>,
}

impl SerialModem {
    fn watched(port: TTYPort) -> Result<Self, tokio_serial::Error> {
        let watched = Some(watch(&port)?);
        Ok(Self { port, watched })
    }
}

/// Another handle of the same port, registered with the runtime; neither ever blocks from now on.
fn watch(port: &TTYPort) -> Result<SerialStream, tokio_serial::Error> {
    SerialStream::try_from(port.try_clone_native()?)
}

/// What a handle that is not watched answers.
fn at_once(done: io::Result<usize>) -> Poll<io::Result<usize>> {
    match done {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
            ) =>
        {
            Poll::Pending
        }
        done => Poll::Ready(done),
    }
}

impl Port for SerialModem {
    fn watch(&mut self, watched: bool) -> io::Result<()> {
        if !watched {
            self.watched = None;
        } else if self.watched.is_none() {
            self.watched = Some(watch(&self.port)?);
        }
        Ok(())
    }

    fn discard_output(&mut self) -> io::Result<()> {
        Ok(self.port.clear(ClearBuffer::Output)?)
    }

    fn discard_input(&mut self) -> io::Result<()> {
        Ok(self.port.clear(ClearBuffer::Input)?)
    }

    fn set_dtr(&mut self, raised: bool) -> io::Result<()> {
        Ok(self.port.write_data_terminal_ready(raised)?)
    }
}

impl AsyncRead for SerialModem {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let modem = self.get_mut();
        if let Some(stream) = &mut modem.watched {
            return Pin::new(stream).poll_read(cx, buffer);
        }
        let read = ready!(at_once(modem.port.read(buffer.initialize_unfilled())))?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SerialModem {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let modem = self.get_mut();
        match &mut modem.watched {
            Some(stream) => Pin::new(stream).poll_write(cx, bytes),
            None => at_once(modem.port.write(bytes)),
        }
    }

    /// Does nothing: draining a tty would block the thread.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing; the port closes when it is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
