//! A modem on a tty: opening it exclusively, finding it by its USB identity.
//!
//! The only module that knows `tokio-serial`, and its traps: flushing blocks the thread, a hung-up
//! tty reads 0 bytes for ever, and a lock held by somebody else is reported as "no device".

mod usb;
mod watch;

pub use usb::KNOWN_MODEMS;

use super::port::{Changed, Jack, OpenError, Port};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_serial::{ClearBuffer, ErrorKind, SerialPort, SerialPortBuilderExt, SerialStream};
use usb::{Ttys, UsbIdentity};

/// Any rate will do: on USB the line coding does not matter.
const BAUD: u32 = 115_200;

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
        let stream = tokio_serial::new(node.to_string_lossy(), BAUD)
            .dtr_on_open(true)
            .open_native_async()
            .map_err(|error| open_error(device, error))?;
        self.last = self.ttys.identity(&node);
        Ok(Box::new(SerialModem { stream }))
    }

    fn changed(&mut self) -> Changed<'_> {
        let near = match &self.device {
            Device::Node(node) => node,
            Device::Auto => Path::new("/dev/ttyACM0"),
        };
        Box::pin(watch::changed(near))
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

struct SerialModem {
    stream: SerialStream,
}

impl Port for SerialModem {
    fn discard_output(&mut self) -> io::Result<()> {
        Ok(self.stream.clear(ClearBuffer::Output)?)
    }

    fn discard_input(&mut self) -> io::Result<()> {
        Ok(self.stream.clear(ClearBuffer::Input)?)
    }

    fn set_dtr(&mut self, raised: bool) -> io::Result<()> {
        Ok(self.stream.write_data_terminal_ready(raised)?)
    }
}

impl AsyncRead for SerialModem {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for SerialModem {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
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
