//! Waiting for a device that is not there, or not free, without looking all the time.
//!
//! The kernel tells of changes to the folders in which the device's name can appear: the folder of
//! the path given, that of what it points to, or the nearest one above that exists
//! (`/dev/serial/by-id` vanishes with the last device in it). What goes unnoticed, such as a mount
//! over a folder, is found by a look every half minute.

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::{sleep, timeout};

/// A look without any sign.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);
/// After a sign: udev first makes a node and then says who may open it. Also keeps a folder in which
/// much happens from being looked at all the time.
const SETTLE: Duration = Duration::from_millis(250);

/// Resolves when something changed near `path`, or after half a minute; never at once.
pub(super) async fn changed(path: &Path) {
    match watch(path) {
        Ok(signs) => {
            // An error of the watch itself is a reason to look, too.
            let _ = timeout(LOOK_ANYWAY, signs.readable()).await;
            sleep(SETTLE).await;
        }
        Err(error) => {
            tracing::debug!(%error, "folders cannot be watched");
            sleep(LOOK_ANYWAY).await;
        }
    }
}

fn watch(path: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let signs = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    let in_folder = WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::ATTRIB
        | WatchFlags::DELETE
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF;
    for folder in folders(path) {
        // One that has just vanished makes itself felt in the one above.
        let _ = inotify::add_watch(&signs, &folder, in_folder | WatchFlags::ONLYDIR);
    }
    // Another program may let go of it.
    let freed = WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE;
    let _ = inotify::add_watch(&signs, path, freed);
    watched(signs)
}

/// The folders in which the device can appear: for the path and for what it points to, the nearest
/// folder that exists and the one above it.
fn folders(path: &Path) -> Vec<PathBuf> {
    let target = std::fs::read_link(path)
        .ok()
        .map(|target| path.parent().unwrap_or(Path::new("/")).join(target));
    let mut folders = Vec::new();
    for path in [Some(path.to_owned()), target].into_iter().flatten() {
        let existing = path.ancestors().skip(1).filter(|above| above.is_dir());
        folders.extend(existing.take(2).map(Path::to_owned));
    }
    folders.sort();
    folders.dedup();
    folders
}

#[expect(
    deprecated,
    reason = "its successor is unsafe, for descriptors that others could close; this one is owned by \
              the AsyncFd itself"
)]
fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use tokio::time::Instant;

    /// Whether a change is noticed before the look that comes anyway.
    async fn is_noticed(path: &Path, change: impl FnOnce()) -> bool {
        let begin = Instant::now();
        let noticed = changed(path);
        let mut noticed = std::pin::pin!(noticed);
        assert!(
            timeout(Duration::from_millis(50), &mut noticed)
                .await
                .is_err(),
            "noticed before anything changed"
        );
        change();
        noticed.await;
        begin.elapsed() < LOOK_ANYWAY / 2
    }

    #[tokio::test]
    async fn a_device_that_appears_vanishes_or_is_freed_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let node = dir.path().join("ttyACM0");
        assert!(is_noticed(&node, || fs::write(&node, "").unwrap()).await);
        let held = fs::File::open(&node).unwrap();
        assert!(is_noticed(&node, || drop(held)).await);
        assert!(is_noticed(&node, || fs::remove_file(&node).unwrap()).await);
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_yet_and_a_link_s_target_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let by_id = dir.path().join("serial").join("by-id");
        let link = by_id.join("usb-modem");
        assert!(is_noticed(&link, || fs::create_dir_all(&by_id).unwrap()).await);
        let nodes = dir.path().join("nodes");
        fs::create_dir(&nodes).unwrap();
        symlink("../../nodes/ttyACM1", &link).unwrap();
        let node = nodes.join("ttyACM1");
        assert!(is_noticed(&link, || fs::write(&node, "").unwrap()).await);
    }
}
