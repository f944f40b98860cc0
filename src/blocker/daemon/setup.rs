//! What a daemon needs to know before it begins, and the folders it begins with.

use super::super::{BlockAction, Listening};
use crate::audio::{ConvertedCopies, RecordingLimits, TimeZone};
use crate::clock::{SystemClock, WallClock};
use crate::service::control::Places;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The shortest time off-hook that every exchange takes for an answer.
const USUAL_HOLD: Duration = Duration::from_secs(1);

/// Everything a daemon needs to know: [`Setup::new`], with whatever is to be otherwise set.
#[derive(Debug)]
pub struct Setup {
    /// What is done with blocked calls.
    pub action: BlockAction,
    /// Whether the special information tones ("no such number") go before whatever is sent, and
    /// before a mere hang-up, which then takes a voice modem.
    pub sit: bool,
    /// How long the line is held where a call is merely hung up on, and at least where a message is
    /// played.
    pub hang_up_hold: Duration,
    /// T.35 country code for the modem, if it is to be set.
    pub modem_country: Option<u8>,
    /// The user's own modem commands.
    pub modem_init: Vec<String>,
    /// Where the log, the recordings and the play folder are.
    pub data_dir: PathBuf,
    /// Where copies of converted files are kept; `None`: in `cache` in the data folder.
    pub cache_dir: Option<PathBuf>,
    /// The zone of the recordings' names.
    pub time_zone: TimeZone,
    /// How much is recorded and kept.
    pub recording_limits: RecordingLimits,
    /// How callers are listened to.
    pub listening: Listening,
    /// The most calls kept in the log; all of them if `None`.
    pub keep_calls: Option<NonZeroU32>,
    /// Wall time.
    pub clock: Arc<dyn WallClock>,
    /// Where other commands can ask the daemon; `None`: nowhere.
    pub control: Option<Places>,
    /// How often [`Notice::Alive`](super::Notice::Alive) is wanted.
    pub heartbeat: Option<Duration>,
}

/// Why a daemon cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder, or one in it, cannot be made.
    #[error("the folder {} cannot be created: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Setup {
    /// What a daemon does when nobody says otherwise, in this folder: blocked calls are hung up on
    /// after a second, names are in UTC, everything is kept, and nobody can ask.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            action: BlockAction::HangUp { hold: USUAL_HOLD },
            sit: false,
            hang_up_hold: USUAL_HOLD,
            modem_country: None,
            modem_init: Vec::new(),
            data_dir: data_dir.into(),
            cache_dir: None,
            time_zone: TimeZone::UTC,
            recording_limits: RecordingLimits::default(),
            listening: Listening::default(),
            keep_calls: None,
            clock: Arc::new(SystemClock),
            control: None,
            heartbeat: None,
        }
    }

    /// Makes the data folder and those in it, as far as they are not there.
    pub fn make_folders(&self) -> Result<(), StartError> {
        for path in [self.data_dir.clone(), self.play_dir(), self.rec_dir()] {
            if let Err(source) = std::fs::create_dir_all(&path) {
                return Err(StartError::Folder { path, source });
            }
        }
        Ok(())
    }

    pub(super) fn play_dir(&self) -> PathBuf {
        self.data_dir.join("play")
    }

    pub(super) fn rec_dir(&self) -> PathBuf {
        self.data_dir.join("rec")
    }

    pub(super) fn converted_copies(&self) -> ConvertedCopies {
        let own = self.cache_dir.clone();
        ConvertedCopies::new(own.unwrap_or_else(|| self.data_dir.join("cache")))
    }
}

impl StartError {
    /// Whether the path can never be a folder, which is the user's to put right. A disk that is full,
    /// read-only or failing must not keep calls from being screened.
    pub fn is_users_mistake(&self) -> bool {
        let Self::Folder { source, .. } = self;
        matches!(
            source.kind(),
            io::ErrorKind::PermissionDenied
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::AlreadyExists
                | io::ErrorKind::NotFound
        )
    }
}

/// Makes the folders, or goes on without them.
pub(super) fn make_folders(setup: &Setup) -> Result<(), StartError> {
    match setup.make_folders() {
        Err(error) if error.is_users_mistake() => return Err(error),
        Err(StartError::Folder { path, source }) => tracing::error!(
            "calls are screened, but {} is missing: {source}",
            path.display()
        ),
        Ok(()) => {}
    }
    Ok(())
}
