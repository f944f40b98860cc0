//! Sound files that cannot be used, each named in the log once until it changes or works again.

use super::convert::ConvertError;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::task::spawn_blocking;

/// The most files that are remembered as named.
const MOST: usize = 1000;

/// A version of a file: one that was replaced is looked at with new eyes. `None`: there is no such file.
type Version = Option<(SystemTime, u64)>;

/// Which files were named; clones share it.
#[derive(Clone, Debug, Default)]
pub struct UnusableFiles {
    named: Arc<Mutex<HashMap<PathBuf, Version>>>,
}

impl UnusableFiles {
    /// Names a file that cannot be played as it is now, if that was not done yet.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn name(&self, file: &Path, error: &ConvertError) {
        let (named, path) = (self.clone(), file.to_path_buf());
        let is_news = spawn_blocking(move || named.is_news(&path));
        if is_news.await.unwrap_or(true) {
            tracing::warn!("{} is not played: {error}", file.display());
        }
    }

    /// The file was played to its end.
    pub fn works(&self, file: &Path) {
        self.named().remove(file);
    }

    /// Whether this version of the file has not been named; from now on it has. Asks the disk.
    pub(super) fn is_news(&self, file: &Path) -> bool {
        let version = std::fs::metadata(file)
            .and_then(|metadata| Ok((metadata.modified()?, metadata.len())))
            .ok();
        let mut named = self.named();
        if named.get(file) == Some(&version) {
            return false;
        }
        if named.len() >= MOST {
            named.clear();
        }
        named.insert(file.to_path_buf(), version);
        true
    }

    /// A panic leaves nothing half-done here.
    fn named(&self) -> MutexGuard<'_, HashMap<PathBuf, Version>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
