//! A modem on a tty: opening it exclusively, finding it by its USB identity.
//!
//! The only module that knows `tokio-serial`, and its traps: flushing blocks the thread, a hung-up
//! tty reads 0 bytes for ever, and a lock held by somebody else is reported as "no device".

use super::port::{Changed, Jack, OpenError, Port};
use serialport::TTYPort;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_serial::{ClearBuffer, ErrorKind, SerialPort, SerialStream};

/// Any rate will do: on USB the line coding does not matter.
const BAUD: u32 = 115_200;

/// How often a missing device is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// USB identities of hardware voice modems that appear as `ttyACM`, as vendor and product. Sources:
/// usb.ids and the Linux cdc-acm driver.
pub const KNOWN_MODEMS: &[(u16, u16)] = &[
    (0x0572, 0x1340),
    (0x0572, 0x1349),
    (0x0572, 0x1329),
    (0x0572, 0x1328),
    (0x0572, 0x1324),
    (0x0572, 0x1321),
    (0x0572, 0x1280),
    (0x0803, 0x3095),
    (0x0803, 0x1300),
    (0x0803, 0x9700),
    (0x0baf, 0x0303),
    (0x0baf, 0x00ec),
    (0x0baf, 0x6112),
    (0x06e0, 0xf101),
    (0x06e0, 0xf104),
    (0x06e0, 0xf107),
    (0x06e0, 0x0319),
    (0x06e0, 0xf120),
    (0x0ace, 0x1602),
    (0x0ace, 0x1608),
    (0x0ace, 0x1611),
    (0x17ef, 0x7000),
    (0x0506, 0x3021),
    (0x04c1, 0x3021),
];

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
}

impl SerialJack {
    /// Nothing is opened yet.
    pub const fn new(device: Device) -> Self {
        Self { device }
    }
}

impl Jack for SerialJack {
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError> {
        let device = self.device();
        let node = match &self.device {
            Device::Node(node) => node.clone(),
            Device::Auto => find_modem(Path::new("/sys/class/tty")).ok_or(OpenError::Absent {
                device: device.clone(),
            })?,
        };
        let port = tokio_serial::new(node.to_string_lossy(), BAUD)
            .dtr_on_open(true)
            // It is never waited for.
            .timeout(Duration::ZERO)
            .open_native()
            .and_then(SerialModem::watched);
        let port = port.map_err(|error| open_error(device, error))?;
        Ok(Box::new(port))
    }

    fn changed(&mut self) -> Changed<'_> {
        Box::pin(tokio::time::sleep(LOOK_AGAIN))
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
        _ => OpenError::Failed {
            device,
            source: error.into(),
        },
    }
}

/// The node of the first known modem under `class` (`/sys/class/tty`).
fn find_modem(class: &Path) -> Option<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(class)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with("ttyACM"))
        .collect();
    names.sort();
    let name = names.into_iter().find(|name| {
        // The tty's device is the USB interface; the identity is one level up.
        let usb = class.join(name).join("device").join("..");
        let id = |file| {
            let text = fs::read_to_string(usb.join(file)).ok()?;
            u16::from_str_radix(text.trim(), 16).ok()
        };
        match (id("idVendor"), id("idProduct")) {
            (Some(vendor), Some(product)) => KNOWN_MODEMS.contains(&(vendor, product)),
            _ => false,
        }
    })?;
    Some(Path::new("/dev").join(name))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_modem_is_found_by_its_usb_identity() {
        let dir = tempfile::tempdir().unwrap();
        for (tty, vendor, product) in [("ttyACM0", "1234", "0001"), ("ttyACM1", "0572", "1340")] {
            let interface = dir.path().join("usb").join(tty).join("interface");
            fs::create_dir_all(&interface).unwrap();
            let usb = interface.parent().unwrap();
            fs::write(usb.join("idVendor"), format!("{vendor}\n")).unwrap();
            fs::write(usb.join("idProduct"), format!("{product}\n")).unwrap();
            let class = dir.path().join("class").join(tty);
            fs::create_dir_all(&class).unwrap();
            std::os::unix::fs::symlink(&interface, class.join("device")).unwrap();
        }
        assert_eq!(
            find_modem(&dir.path().join("class")),
            Some(PathBuf::from("/dev/ttyACM1"))
        );
        assert_eq!(find_modem(&dir.path().join("nothing")), None);
    }
}
