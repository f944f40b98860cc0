//! Which USB device is behind a tty: the way to find a modem again under another name.

use std::fs;
use std::path::{Path, PathBuf};

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

/// The identity of a USB device, as it reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct UsbIdentity {
    vendor: u16,
    product: u16,
    /// Many sticks of one make have the same, such as `12345678`.
    serial: Option<String>,
}

/// The ttys of this machine as the kernel lists them under `/sys`.
#[derive(Clone, Debug)]
pub(super) struct Ttys {
    /// `/sys/class/tty`.
    class: PathBuf,
}

impl Default for Ttys {
    fn default() -> Self {
        Self {
            class: "/sys/class/tty".into(),
        }
    }
}

impl Ttys {
    /// The first tty with an identity of [`KNOWN_MODEMS`].
    pub(super) fn known_modem(&self) -> Option<PathBuf> {
        self.find(|usb| KNOWN_MODEMS.contains(&(usb.vendor, usb.product)))
    }

    /// The tty of the device with this identity.
    pub(super) fn with_identity(&self, identity: &UsbIdentity) -> Option<PathBuf> {
        self.find(|usb| usb == identity)
    }

    /// The identity behind a node, following links. `None` for what is no USB tty.
    pub(super) fn identity(&self, node: &Path) -> Option<UsbIdentity> {
        let node = fs::canonicalize(node).ok()?;
        self.identity_of(node.file_name()?.to_str()?)
    }

    fn find(&self, wanted: impl Fn(&UsbIdentity) -> bool) -> Option<PathBuf> {
        let mut names: Vec<String> = fs::read_dir(&self.class)
            .ok()?
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with("ttyACM") || name.starts_with("ttyUSB"))
            .collect();
        names.sort();
        let name = names
            .into_iter()
            .find(|name| self.identity_of(name).is_some_and(|usb| wanted(&usb)))?;
        Some(Path::new("/dev").join(name))
    }

    fn identity_of(&self, name: &str) -> Option<UsbIdentity> {
        // The tty's device is the USB interface; the identity is one level up.
        let usb = self.class.join(name).join("device").join("..");
        let text = |file| {
            let text = fs::read_to_string(usb.join(file)).ok()?;
            Some(text.trim().to_owned())
        };
        let id = |file| u16::from_str_radix(&text(file)?, 16).ok();
        Some(UsbIdentity {
            vendor: id("idVendor")?,
            product: id("idProduct")?,
            serial: text("serial"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A `/sys` with these ttys: name, vendor, product, serial.
    fn sys(ttys: &[(&str, &str, &str, &str)]) -> (tempfile::TempDir, Ttys) {
        let dir = tempfile::tempdir().unwrap();
        let class = dir.path().join("class");
        for (tty, vendor, product, serial) in ttys {
            let interface = dir.path().join("usb").join(tty).join("interface");
            fs::create_dir_all(&interface).unwrap();
            let usb = interface.parent().unwrap();
            fs::write(usb.join("idVendor"), format!("{vendor}\n")).unwrap();
            fs::write(usb.join("idProduct"), format!("{product}\n")).unwrap();
            fs::write(usb.join("serial"), format!("{serial}\n")).unwrap();
            let tty = class.join(tty);
            fs::create_dir_all(&tty).unwrap();
            symlink(&interface, tty.join("device")).unwrap();
        }
        (dir, Ttys { class })
    }

    #[test]
    fn a_known_modem_is_found_and_nothing_else_is_taken_for_one() {
        let (_dir, ttys) = sys(&[
            ("ttyACM0", "1234", "0001", "a"),
            ("ttyACM1", "0572", "1340", "12345678"),
        ]);
        assert_eq!(ttys.known_modem(), Some("/dev/ttyACM1".into()));
        let (_dir, ttys) = sys(&[("ttyACM0", "1234", "0001", "a")]);
        assert_eq!(ttys.known_modem(), None);
    }

    #[test]
    fn a_modem_that_came_back_under_another_name_is_found_by_its_identity() {
        let (_dir, before) = sys(&[("ttyACM0", "0572", "1340", "12345678")]);
        let identity = before.identity_of("ttyACM0").unwrap();
        let (_dir, after) = sys(&[
            ("ttyACM0", "1234", "0001", "a"),
            ("ttyACM1", "0572", "1340", "12345678"),
        ]);
        assert_eq!(after.with_identity(&identity), Some("/dev/ttyACM1".into()));
    }
}
