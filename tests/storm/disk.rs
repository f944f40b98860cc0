//! The disk under an episode, and what can befall it.

use crate::plan::Sickness;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Room on a disk of its own: some minutes of recordings.
const SIZE: &str = "size=6m";

pub struct Disk {
    /// A small disk; `None`: only what the machine has, which is never full.
    own: Option<PathBuf>,
}

impl Disk {
    pub fn of_the_machine() -> Self {
        Self { own: None }
    }

    pub fn mounted(folder: PathBuf) -> Self {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "none"])
            .arg(&folder)
            .status();
        assert!(mounted.unwrap().success());
        // What root may write anyway would never be read-only.
        let mut sets = capabilities(None).unwrap();
        sets.effective
            .remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
        set_capabilities(None, sets).unwrap();
        Self { own: Some(folder) }
    }

    pub fn data_folder(&self) -> TempDir {
        match &self.own {
            Some(disk) => tempfile::tempdir_in(disk).unwrap(),
            None => tempfile::tempdir().unwrap(),
        }
    }

    fn filler(&self) -> Option<PathBuf> {
        self.own.as_ref().map(|disk| disk.join("filler"))
    }

    pub fn falls_ill(&self, sickness: Sickness, folder: &Path) {
        match sickness {
            Sickness::Full => {
                if let Some(filler) = self.filler() {
                    // As much as there is room for.
                    let written = std::fs::write(filler, vec![0; 8_000_000]);
                    assert!(written.is_err());
                }
            }
            Sickness::ReadOnly => allow_writing(folder, false),
            Sickness::RecordingsDeleted => {
                let _ = std::fs::remove_dir_all(folder.join("rec"));
            }
            Sickness::AllDeleted => {
                let _ = std::fs::remove_dir_all(folder);
            }
        }
    }

    pub fn recovers(&self, folder: &Path) {
        if let Some(filler) = self.filler() {
            let _ = std::fs::remove_file(filler);
        }
        allow_writing(folder, true);
    }
}

fn allow_writing(folder: &Path, allowed: bool) {
    let mode = if allowed { 0o755 } else { 0o555 };
    for path in [folder.to_owned(), folder.join("rec")] {
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    }
}
