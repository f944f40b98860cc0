//! The serial port as the driver sees it.
//!
//! A [`Port`] is one opened port; a [`Jack`] is the place where a modem may be plugged in, and
//! opens ports. There are two kinds: a tty ([`SerialJack`](super::serial::SerialJack)) and the in-memory link of the
//! [emulated modem](crate::emulator). Neither knows what the bytes mean.

use std::future::Future;
use std::io;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// An open port. A read of 0 bytes means that the port is gone for good (on a hung-up tty it would
/// be repeated for ever), as does any error but `Interrupted` and `WouldBlock`.
///
/// `poll_flush` and `poll_shutdown` are never called by the driver: on a tty they block the thread.
pub trait Port: AsyncRead + AsyncWrite + Send + Unpin {
    /// Throws away what was written but has not reached the modem yet (`TCOFLUSH`): the kernel's
    /// queue may hold 2.5 s of audio.
    fn discard_output(&mut self) -> io::Result<()>;

    /// Throws away what the modem has said but nobody has read yet (`TCIFLUSH`).
    fn discard_input(&mut self) -> io::Result<()>;

    /// Whether reads and writes that cannot be done at once wake the task when they can. While they do
    /// not, the port is there to be looked at, and what arrives costs nothing until then.
    ///
    /// A port is watched when it is opened. One that wakes nobody anyway has nothing to do here.
    fn watch(&mut self, _watched: bool) -> io::Result<()> {
        Ok(())
    }

    /// Raises or drops Data Terminal Ready. With `&D2` in the modem, dropping it hangs up.
    fn set_dtr(&mut self, raised: bool) -> io::Result<()>;
}

/// Why a port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No such device: nothing is plugged in.
    #[error("{device} is not there")]
    Absent {
        /// The device as the user named it.
        device: String,
    },
    /// Another program has it.
    #[error("{device} is in use by another program")]
    Busy {
        /// The device as the user named it.
        device: String,
    },
    /// This user may not.
    #[error(
        "{device} may not be opened by this user; add the user to the device's group (dialout)"
    )]
    Denied {
        /// The device as the user named it.
        device: String,
    },
    /// Any other reason.
    #[error("{device} cannot be opened: {source}")]
    Failed {
        /// The device as the user named it.
        device: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The future of [`Jack::changed`].
pub type Changed<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Why a bus port could not be reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// There is no bus, or none whose ports can be reset.
    #[error("{device} is not on USB")]
    NotOnUsb {
        /// The device as the user named it.
        device: String,
    },
    /// It has left the bus, before or because of the reset.
    #[error("{device} has left the USB")]
    Gone {
        /// The device as the user named it.
        device: String,
    },
    /// This user may not.
    #[error(
        "{usb_node} may not be written to by this user; install the udev rules of callblock \
         (60-callblock.rules), which give it to the group dialout, and plug the modem in again"
    )]
    Denied {
        /// The node of the USB device.
        usb_node: String,
    },
    /// Any other reason.
    #[error("{usb_node}: {source}")]
    Failed {
        /// The node of the USB device.
        usb_node: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The future of [`Jack::reset`].
pub type Reset<'a> = Pin<Box<dyn Future<Output = Result<(), ResetError>> + Send + 'a>>;

/// A place where a modem may be plugged in.
pub trait Jack: Send {
    /// Opens the port, exclusively, with DTR raised.
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError>;

    /// Resolves when, after a failed `open` or a lost port, it is worth trying again. It may resolve
    /// without anything having changed, but never at once: it must not be possible to spin on it.
    fn changed(&mut self) -> Changed<'_>;

    /// Resets the bus port that the modem is on, where that is possible and permitted. It takes no
    /// power away: a modem that needs that has to be unplugged by hand.
    fn reset(&mut self) -> Reset<'_> {
        let device = self.device();
        Box::pin(std::future::ready(Err(ResetError::NotOnUsb { device })))
    }

    /// The device, as a person would name it.
    fn device(&self) -> String;
}
