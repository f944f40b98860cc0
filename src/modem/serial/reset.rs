//! Resetting the USB port that a modem is on (`USBDEVFS_RESET`).
//!
//! The only module that knows `nusb`. To the device a reset is like being plugged in anew, but power
//! stays on: firmware that has lost its way for good does not find back by it. The kernel wants write
//! access to the device's node for it. Source: Linux, `drivers/usb/core/devio.c` and `hub.c`.

use super::super::port::ResetError;
use nusb::MaybeFuture as _;
use rustix::io::Errno;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use tokio::sync::oneshot;

/// Resets the port of the USB device with this node. `device` is what the user calls it.
///
/// A device that does not answer keeps the kernel busy for seconds. That happens on a thread that
/// nothing waits for when the runtime ends.
pub(super) async fn reset(usb_node: PathBuf, device: String) -> Result<(), ResetError> {
    let (done, outcome) = oneshot::channel();
    let node = usb_node.clone();
    let spawned = thread::Builder::new()
        .name("usb-reset".into())
        .spawn(move || done.send(reset_now(&node)));
    let outcome = match spawned {
        Ok(_) => outcome
            .await
            .unwrap_or_else(|ended| Err(io::Error::other(ended))),
        Err(error) => Err(error),
    };
    outcome.map_err(|error| in_words(error, &usb_node, device))
}

fn reset_now(usb_node: &Path) -> io::Result<()> {
    let node = OpenOptions::new().read(true).write(true).open(usb_node)?;
    let device = nusb::Device::from_fd(node.into())
        .wait()
        .map_err(os_error)?;
    device.reset().wait().map_err(os_error)
}

fn os_error(error: nusb::Error) -> io::Error {
    match error.os_error().and_then(|code| i32::try_from(code).ok()) {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::other(error),
    }
}

fn in_words(error: io::Error, usb_node: &Path, device: String) -> ResetError {
    let usb_node = usb_node.display().to_string();
    match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::NODEV | Errno::NXIO) => ResetError::Gone { device },
        Some(Errno::ACCESS | Errno::PERM) => ResetError::Denied { usb_node },
        _ => ResetError::Failed {
            usb_node,
            source: error,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: Errno) -> ResetError {
        in_words(
            code.into(),
            Path::new("/dev/bus/usb/001/005"),
            "/dev/ttyACM0".into(),
        )
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let denied = error(Errno::ACCESS).to_string();
        assert!(denied.contains("/dev/bus/usb/001/005"), "{denied}");
        assert!(denied.contains("60-callblock.rules"), "{denied}");
        assert!(matches!(error(Errno::PERM), ResetError::Denied { .. }));
        assert_eq!(
            error(Errno::NODEV).to_string(),
            "/dev/ttyACM0 has left the USB"
        );
        let failed = error(Errno::IO).to_string();
        assert!(failed.starts_with("/dev/bus/usb/001/005: "), "{failed}");
    }

    #[tokio::test]
    async fn a_node_that_is_not_there_or_no_usb_device_is_an_error_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let node = dir.path().join("005");
        let gone = reset(node.clone(), "/dev/ttyACM0".into()).await;
        assert!(matches!(gone, Err(ResetError::Gone { .. })), "{gone:?}");
        std::fs::write(&node, "no descriptors").unwrap();
        let failed = reset(node, "/dev/ttyACM0".into()).await;
        assert!(
            matches!(failed, Err(ResetError::Failed { .. })),
            "{failed:?}"
        );
    }
}
