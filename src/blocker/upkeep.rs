//! Keeps the folder of recordings in order: mends at the start what a crash left, and removes what is
//! beyond the limits after each call and once a day. In jobs on the blocking pool, one at a time, off
//! the way of calls.

use crate::audio::Recordings;
use crate::clock::{Timestamp, WallClock};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout};

/// How often ages are looked at if nobody calls.
const INTERVAL: Duration = Duration::from_hours(24);
/// A wall clock that has gone so much faster or slower than time itself was set.
const JUMP: Duration = Duration::from_mins(10);

/// A handle on the task that looks after the recordings; it ends with it.
#[derive(Debug)]
pub(super) struct Upkeep {
    wanted: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Upkeep {
    pub(super) fn start(recordings: Recordings, clock: Arc<dyn WallClock>) -> Self {
        let wanted = Arc::new(Notify::new());
        let task = tokio::spawn(keep_up(recordings, clock, Arc::clone(&wanted)));
        Self { wanted, task }
    }

    /// A call is over: soon is a good time.
    pub(super) fn call_ended(&self) {
        self.wanted.notify_one();
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_up(recordings: Recordings, clock: Arc<dyn WallClock>, wanted: Arc<Notify>) {
    let mut trust = ClockTrust::default();
    {
        let recordings = recordings.clone();
        // A job that was cancelled means that the program ends.
        let _ = spawn_blocking(move || match recordings.mend() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{}: {error}", recordings.folder.display());
            }
            _ => {}
        })
        .await;
    }
    loop {
        let now = trust.judge(clock.now(), Instant::now());
        let recordings = recordings.clone();
        let _ = spawn_blocking(move || tidy(&recordings, now)).await;
        let _ = timeout(INTERVAL, wanted.notified()).await;
    }
}

fn tidy(recordings: &Recordings, now: Option<Timestamp>) {
    match recordings.tidy(now) {
        Ok(removed) if removed.files == 0 => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Ok(removed) => tracing::info!(
            recordings = removed.files,
            bytes = removed.bytes,
            "the oldest recordings were removed"
        ),
        Err(error) => tracing::warn!("old recordings cannot be removed: {error}"),
    }
}

/// Says whether the wall clock can be believed, now that files are to be removed by their age.
#[derive(Default)]
struct ClockTrust {
    last: Option<(Timestamp, Instant)>,
}

impl ClockTrust {
    /// The wall time, if since the last look it went as fast as time does. Right after a jump nobody
    /// knows which of the two was wrong.
    fn judge(&mut self, wall: Timestamp, now: Instant) -> Option<Timestamp> {
        let (last_wall, last) = self.last.replace((wall, now))?;
        let expected = last_wall.after(now.duration_since(last));
        let off = wall.as_nanos().abs_diff(expected.as_nanos());
        (u128::from(off) < JUMP.as_nanos()).then_some(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{RecordingLimits, TimeZone};
    use crate::clock::TokioClock;
    use std::path::Path;
    use tokio::time::sleep;

    const HOUR: Duration = Duration::from_hours(1);
    /// 2026-01-02 03:04:05 UTC.
    const START: Timestamp = Timestamp::from_nanos(1_767_323_045_000_000_000);

    #[test]
    fn a_clock_that_jumps_is_believed_only_when_it_has_stayed_a_while() {
        let mut trust = ClockTrust::default();
        let began = Instant::now();
        assert_eq!(trust.judge(START, began), None, "nothing is known at first");
        let hour_later = START.after(HOUR);
        assert_eq!(trust.judge(hour_later, began + HOUR), Some(hour_later));
        let years_later = START.after(HOUR * 100_000);
        assert_eq!(trust.judge(years_later, began + 2 * HOUR), None);
        let then = years_later.after(HOUR);
        assert_eq!(trust.judge(then, began + 3 * HOUR), Some(then));
        assert_eq!(trust.judge(START, began + 4 * HOUR), None);
    }

    fn count(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[tokio::test(start_paused = true)]
    async fn once_a_day_the_oldest_recordings_go() {
        let folder = tempfile::tempdir().unwrap();
        let name = "2025-12-31 03-04-05+0000 1.wav";
        std::fs::write(folder.path().join(name), "").unwrap();
        let recordings = Recordings {
            folder: folder.path().to_owned(),
            zone: TimeZone::UTC,
            limits: RecordingLimits {
                keep_days: Some(4),
                ..RecordingLimits::default()
            },
        };
        let upkeep = Upkeep::start(recordings, Arc::new(TokioClock::starting_at(START)));
        sleep(HOUR).await;
        let mended = std::fs::metadata(folder.path().join(name)).unwrap().len();
        assert_eq!(mended, 44, "made whole at the start");
        upkeep.call_ended();
        sleep(HOUR).await;
        assert_eq!(count(folder.path()), 1, "two days old");
        sleep(HOUR * 72).await;
        assert_eq!(count(folder.path()), 0);
        drop(upkeep);
    }
}
