//! What the service manager is told: ready, status, stopping, alive.
//!
//! Speaks the `sd_notify(3)` protocol, a datagram to the socket named in `$NOTIFY_SOCKET`. Without
//! that variable (started by hand) everything here does nothing. Starts no thread, and an error is
//! logged once and never stops the daemon.

use sd_notify::NotifyState;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the status of a service that is not watched is looked after.
const STATUS_INTERVAL: Duration = Duration::from_mins(1);

/// The way to the service manager. One for the whole process.
#[derive(Debug, Default)]
pub struct ServiceManager {
    failed: AtomicBool,
}

impl ServiceManager {
    /// Finds the service manager, if there is one, by the environment; nothing is sent yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The service is up; `status` says in which state.
    pub fn ready(&self, status: &str) {
        self.send(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        self.send(&[NotifyState::Status(&one_line(status))]);
    }

    /// The service is on its way out.
    pub fn stopping(&self) {
        self.send(&[NotifyState::Stopping]);
    }

    /// The service is alive. To be sent more often than [`Self::watchdog_interval`].
    pub fn watchdog(&self) {
        self.send(&[NotifyState::Watchdog]);
    }

    /// How long the manager waits for a [`Self::watchdog`] before it kills and restarts the
    /// service; `None` if it does not watch this process. Senders take half of it.
    pub fn watchdog_interval(&self) -> Option<Duration> {
        sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero())
    }

    /// How often the manager is to hear of the service: twice in a [`Self::watchdog_interval`], and
    /// every minute if it does not watch, so that the status stays true; `None` without a manager.
    pub fn heartbeat_interval(&self) -> Option<Duration> {
        let watched = self.watchdog_interval().map(|interval| interval / 2);
        let managed = std::env::var_os("NOTIFY_SOCKET").map(|_| STATUS_INTERVAL);
        watched.or(managed)
    }

    fn send(&self, states: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(states)
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "the service manager cannot be reached; later failures are not logged");
        }
    }
}

/// A status must not contain a line break: what follows it would be read as a message of its own.
fn one_line(status: &str) -> String {
    status.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_cannot_smuggle_in_a_message() {
        assert_eq!(one_line("armed\nSTOPPING=1"), "armed STOPPING=1");
    }
}
