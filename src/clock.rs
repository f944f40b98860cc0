//! Wall time, kept apart from the logic that uses it.
//!
//! Deadlines and durations come from `tokio::time` and the monotonic [`std::time::Instant`]s passed
//! into the pure core. Wall time is only for what a person reads: rows of the log and names of
//! recordings. Nothing else in the crate asks the operating system what time it is.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An instant in UTC, as nanoseconds since 1970-01-01T00:00:00Z (leap seconds not counted).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// This instant, `elapsed` later; saturates at the ends of time.
    #[must_use]
    pub fn after(self, elapsed: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)),
        )
    }
}

/// Where wall time comes from.
pub trait WallClock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock. It may jump: a Raspberry Pi has no battery clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl WallClock for SystemClock {
    fn now(&self) -> Timestamp {
        let nanos = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
        };
        Timestamp(nanos)
    }
}

/// A wall clock that follows `tokio::time` from a given start: with paused time a call of two
/// minutes has the right time stamps although it took milliseconds. It can be set, as a real one is.
#[derive(Debug)]
pub struct TokioClock {
    start: AtomicI64,
    began: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            start: AtomicI64::new(start.as_nanos()),
            began: tokio::time::Instant::now(),
        }
    }

    /// Somebody, or a time server, sets the clock to `now`.
    pub fn set(&self, now: Timestamp) {
        let elapsed = i64::try_from(self.began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let start = now.as_nanos().saturating_sub(elapsed);
        self.start.store(start, Ordering::Relaxed);
    }
}

impl WallClock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.start.load(Ordering::Relaxed)).after(self.began.elapsed())
    }
}

/// Resolves at `deadline`, or never.
pub(crate) async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
