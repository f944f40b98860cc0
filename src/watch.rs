//! Being told when files appear, change or vanish, without looking all the time.
//!
//! The kernel tells of changes to folders. [`changed_near`] waits for a device that is not there or not
//! free; [`Followed`] tells when any of some files was saved. What goes unnoticed, such as a mount over
//! a folder, is found by a look every half minute.

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep, timeout};

/// A look without any sign.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);
/// After a sign: udev first makes a node and then says who may open it, an editor writes, renames and
/// deletes.
const SETTLE: Duration = Duration::from_millis(250);
/// A file that never settles, because somebody writes to it all the time, is told after so long: what is
/// saved is to be in force within a second.
const LONGEST_SETTLE: Duration = Duration::from_millis(500);
/// Between two looks, so that a folder in which much happens is not looked at all the time.
const BREATH: Duration = Duration::from_millis(50);
/// So many links to links are followed.
const MOST_LINKS: usize = 8;

/// Names that come or go in a folder, who may open them, and the folder itself.
const NAMES_IN_FOLDER: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// The same, and files that were written. Not for `/dev`, where every program that is done with
/// `/dev/null` would wake us.
const FILES_IN_FOLDER: WatchFlags = NAMES_IN_FOLDER.union(WatchFlags::CLOSE_WRITE);

/// Resolves when something changed near `path`, or after half a minute; never at once. Watched are the
/// folder of the path, that of what it points to, or the nearest ones above that exist
/// (`/dev/serial/by-id` vanishes with the last device in it), and whether a program lets go of it.
pub(crate) async fn changed_near(path: &Path) {
    let signs = Signs::of(|| folders_near(path), NAMES_IN_FOLDER);
    if let Ok(signs) = &signs {
        // It need not exist.
        let freed = WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE;
        let _ = inotify::add_watch(&signs.0, path, freed);
    }
    wait_for(signs).await;
    sleep(SETTLE).await;
}

async fn wait_for(signs: io::Result<Signs>) {
    match signs {
        Ok(signs) => {
            // An error of the watch itself is a reason to look, too.
            let _ = timeout(LOOK_ANYWAY, signs.0.readable()).await;
        }
        Err(error) => {
            tracing::debug!(%error, "folders cannot be watched");
            sleep(LOOK_ANYWAY).await;
        }
    }
}

struct Signs(AsyncFd<OwnedFd>);

impl Signs {
    fn of(folders: impl Fn() -> Vec<PathBuf>, what: WatchFlags) -> io::Result<Self> {
        let signs = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        // One that vanishes meanwhile leaves the one above to be watched.
        for _ in 0..MOST_LINKS {
            let mut all = true;
            for folder in folders() {
                all &= inotify::add_watch(&signs, folder, what).is_ok();
            }
            if all {
                break;
            }
        }
        watched(signs).map(Self)
    }

    /// Also when a program that keeps this file open writes to it.
    fn written_to(&self, file: &Path) {
        // It need not exist.
        let _ = inotify::add_watch(&self.0, file, WatchFlags::MODIFY);
    }
}

/// The folders in which a path can appear: for it and for what it points to, the nearest folder that
/// exists. That it goes itself is one of the signs.
fn folders_near(path: &Path) -> Vec<PathBuf> {
    let target = |path: &PathBuf| {
        let target = fs::read_link(path).ok()?;
        Some(path.parent().unwrap_or(Path::new("/")).join(target))
    };
    let links = std::iter::successors(Some(path.to_owned()), target).take(MOST_LINKS);
    let mut folders = Vec::new();
    for path in links {
        let mut above = path.ancestors().skip(1);
        let existing = above.find(|above| {
            // The parent of a bare name is the current folder.
            above.as_os_str().is_empty() || above.is_dir()
        });
        folders.extend(existing.map(|folder| {
            if folder.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                folder.to_owned()
            }
        }));
    }
    folders.sort();
    folders.dedup();
    folders
}

/// Files, and folders with all files in them, whose changes are told.
#[derive(Debug)]
pub struct Followed {
    paths: Vec<PathBuf>,
    seen: Vec<Seen>,
}

/// What tells one state of a file from another.
type Seen = Option<(PathBuf, u64, u64, i64, i64)>;

impl Followed {
    /// As they are now.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let seen = look(&paths);
        Self { paths, seen }
    }

    /// Resolves when a file is not as it was when this was last told, and has stayed so for a moment, or
    /// will not come to rest. Cancelled, it has told nothing.
    pub async fn changed(&mut self) {
        loop {
            // Watched before the look, so that nothing falls between them.
            let signs = self.signs();
            let now = look(&self.paths);
            if now != self.seen {
                let now = self.settled(now).await;
                if now != self.seen {
                    self.seen = now;
                    return;
                }
            }
            wait_for(signs).await;
            sleep(BREATH).await;
        }
    }

    fn signs(&self) -> io::Result<Signs> {
        let files: Vec<PathBuf> = self.paths.iter().flat_map(|path| files_at(path)).collect();
        let folders = || {
            let near = self.paths.iter().chain(&files);
            let mut folders: Vec<PathBuf> = near.flat_map(|path| folders_near(path)).collect();
            folders.extend(self.paths.iter().filter(|path| path.is_dir()).cloned());
            folders.sort();
            folders.dedup();
            folders
        };
        let signs = Signs::of(folders, FILES_IN_FOLDER)?;
        for file in &files {
            signs.written_to(file);
        }
        Ok(signs)
    }

    /// How the files are once they have stayed so for a moment, or after the longest time to wait.
    async fn settled(&self, mut now: Vec<Seen>) -> Vec<Seen> {
        let latest = Instant::now() + LONGEST_SETTLE;
        loop {
            sleep(SETTLE).await;
            let before = std::mem::replace(&mut now, look(&self.paths));
            if before == now || Instant::now() >= latest {
                return now;
            }
        }
    }
}

/// The file itself, or the files in a folder.
fn files_at(path: &Path) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => vec![path.to_owned()],
    }
}

fn look(paths: &[PathBuf]) -> Vec<Seen> {
    let state = |path: PathBuf| {
        let found = fs::metadata(&path).ok()?;
        Some((
            path,
            found.ino(),
            found.size(),
            found.mtime(),
            found.mtime_nsec(),
        ))
    };
    let files = paths.iter().flat_map(|path| files_at(path));
    let mut seen: Vec<Seen> = files.map(state).collect();
    seen.sort();
    seen
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
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    /// Whether a change is noticed before the look that comes anyway.
    async fn is_noticed(path: &Path, change: impl FnOnce()) -> bool {
        let begin = Instant::now();
        let noticed = changed_near(path);
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

    /// Whether a change of the followed files is told within a moment.
    async fn is_told(followed: &mut Followed, change: impl FnOnce()) -> bool {
        let mut told = std::pin::pin!(followed.changed());
        let early = timeout(Duration::from_millis(50), &mut told).await;
        assert!(early.is_err(), "told before anything changed");
        change();
        timeout(LOOK_ANYWAY / 2, told).await.is_ok()
    }

    #[tokio::test]
    async fn a_saved_file_is_told_however_the_editor_saves() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("block.csv");
        fs::write(&list, "1\n").unwrap();
        let mut followed = Followed::new(vec![list.clone()]);
        assert!(is_told(&mut followed, || fs::write(&list, "1\n2\n").unwrap()).await);
        let new = dir.path().join("new");
        assert!(
            is_told(&mut followed, || {
                fs::write(&new, "3\n").unwrap();
                fs::rename(&new, &list).unwrap();
            })
            .await
        );
        assert!(is_told(&mut followed, || fs::remove_file(&list).unwrap()).await);
        assert!(is_told(&mut followed, || fs::write(&list, "4\n").unwrap()).await);
    }

    #[tokio::test]
    async fn a_file_is_told_although_the_writing_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("block.csv");
        fs::write(&list, "1\n").unwrap();
        let links = [dir.path().join("a/link"), dir.path().join("b/link")];
        for (link, target) in links.iter().zip(["../b/link", "../block.csv"]) {
            fs::create_dir(link.parent().unwrap()).unwrap();
            symlink(target, link).unwrap();
        }
        for path in [list.clone(), links[0].clone(), dir.path().join("a")] {
            let mut followed = Followed::new(vec![path.clone()]);
            let mut told = std::pin::pin!(followed.changed());
            // Never closed, never quiet for as long as a save takes to settle.
            let mut writer = fs::OpenOptions::new().append(true).open(&list).unwrap();
            let mut tick = tokio::time::interval(SETTLE / 5);
            let writing = async {
                loop {
                    tick.tick().await;
                    writer.write_all(b"2\n").unwrap();
                }
            };
            tokio::select! {
                told = timeout(LOOK_ANYWAY / 2, &mut told) => {
                    assert!(told.is_ok(), "{} is never told", path.display());
                }
                () = writing => unreachable!(),
            }
        }
    }

    #[tokio::test]
    async fn a_file_put_into_a_followed_folder_is_told_and_its_neighbours_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let lists = dir.path().join("lists");
        fs::create_dir(&lists).unwrap();
        let mut followed = Followed::new(vec![lists.clone()]);
        assert!(
            is_told(&mut followed, || fs::write(lists.join("a.csv"), "1\n")
                .unwrap())
            .await
        );
        let neighbour = dir.path().join("callblock.db");
        fs::write(neighbour, "x").unwrap();
        let told = timeout(Duration::from_secs(1), followed.changed()).await;
        assert!(told.is_err(), "a neighbour was taken for a list");
    }
}
