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
        let usb = self.usb_device(name)?;
        let id = |file| u16::from_str_radix(&attribute(&usb, file)?, 16).ok();
        Some(UsbIdentity {
            vendor: id("idVendor")?,
            product: id("idProduct")?,
            serial: attribute(&usb, "serial"),
        })
    }

    /// The node of the USB device behind the node of a tty: where its port can be reset.
    pub(super) fn usb_node(&self, node: &Path) -> Option<PathBuf> {
        let node = fs::canonicalize(node).ok()?;
        self.usb_node_of(node.file_name()?.to_str()?)
    }

    fn usb_node_of(&self, name: &str) -> Option<PathBuf> {
        let usb = self.usb_device(name)?;
        let number = |file| attribute(&usb, file)?.parse::<u16>().ok();
        let (bus, device) = (number("busnum")?, number("devnum")?);
        Some(format!("/dev/bus/usb/{bus:03}/{device:03}").into())
    }

    /// The folder of the USB device that a tty is part of: the nearest one above it. The tty of a modem
    /// (`ttyACM`) is an interface of it, that of a serial adapter (`ttyUSB`) a port of an interface.
    fn usb_device(&self, name: &str) -> Option<PathBuf> {
        let tty = fs::canonicalize(self.class.join(name).join("device")).ok()?;
        let is_usb_device = |folder: &&Path| folder.join("idVendor").is_file();
        tty.ancestors().find(is_usb_device).map(Path::to_owned)
    }
}

fn attribute(usb: &Path, file: &str) -> Option<String> {
    let text = fs::read_to_string(usb.join(file)).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A `/sys` with these ttys: name, vendor, product, serial. The n-th, counted from 1, is device
    /// 2 n of bus 1, behind a hub.
    fn sys(ttys: &[(&str, &str, &str, &str)]) -> (tempfile::TempDir, Ttys) {
        let dir = tempfile::tempdir().unwrap();
        let class = dir.path().join("class");
        let hub = dir.path().join("devices/pci0000:00/usb1");
        describe(&hub, "1d6b", "0002", "hub", 1);
        for (port, (tty, vendor, product, serial)) in (1..).zip(ttys) {
            let usb = hub.join(format!("1-{port}"));
            let mut part = usb.join(format!("1-{port}:1.0"));
            if tty.starts_with("ttyUSB") {
                part.push(tty);
            }
            fs::create_dir_all(&part).unwrap();
            describe(&usb, vendor, product, serial, 2 * port);
            let tty = class.join(tty);
            fs::create_dir_all(&tty).unwrap();
            symlink(&part, tty.join("device")).unwrap();
        }
        let on_board = dir.path().join("devices/platform/serial8250");
        fs::create_dir_all(&on_board).unwrap();
        fs::create_dir_all(class.join("ttyS0")).unwrap();
        symlink(&on_board, class.join("ttyS0/device")).unwrap();
        (dir, Ttys { class })
    }

    fn describe(usb: &Path, vendor: &str, product: &str, serial: &str, number: usize) {
        fs::create_dir_all(usb).unwrap();
        let number = number.to_string();
        for (file, text) in [
            ("idVendor", vendor),
            ("idProduct", product),
            ("serial", serial),
            ("busnum", "1"),
            ("devnum", &number),
        ] {
            fs::write(usb.join(file), format!("{text}\n")).unwrap();
        }
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

    #[test]
    fn the_usb_device_of_a_tty_is_the_nearest_above_it() {
        let (_dir, ttys) = sys(&[
            ("ttyACM0", "0572", "1340", "12345678"),
            ("ttyUSB0", "0403", "6001", "a"),
        ]);
        let node = |tty| ttys.usb_node_of(tty);
        assert_eq!(node("ttyACM0"), Some("/dev/bus/usb/001/002".into()));
        assert_eq!(node("ttyUSB0"), Some("/dev/bus/usb/001/004".into()));
        assert_eq!(
            ttys.identity_of("ttyUSB0").map(|usb| usb.vendor),
            Some(0x0403)
        );
        assert_eq!(node("ttyS0"), None, "a port on the board");
        assert_eq!(node("ttyACM7"), None, "one that is not there");
    }

    #[test]
    fn a_device_whose_numbers_make_no_sense_has_no_node() {
        let (dir, ttys) = sys(&[("ttyACM0", "0572", "1340", "12345678")]);
        let usb = dir.path().join("devices/pci0000:00/usb1/1-1");
        fs::write(usb.join("devnum"), "../../sda\n").unwrap();
        assert_eq!(ttys.usb_node_of("ttyACM0"), None);
    }
}
