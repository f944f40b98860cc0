//! Signals as events: SIGINT and SIGTERM end the daemon, SIGHUP asks it to read its files again.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why the daemon was told to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopReason {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: the service manager.
    Terminate,
}

impl StopReason {
    /// The signal's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// SIGINT and SIGTERM. From its creation on they no longer kill the process.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Takes the two signals over. Needs a running tokio runtime with its I/O driver.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next of them. May be dropped and called again: no signal is lost.
    pub async fn recv(&mut self) -> StopReason {
        // A stream of signals never ends, so `None` needs no case of its own.
        tokio::select! {
            _ = self.interrupt.recv() => StopReason::Interrupt,
            _ = self.terminate.recv() => StopReason::Terminate,
        }
    }
}

/// SIGHUP. From its creation on it no longer kills the process.
#[derive(Debug)]
pub struct ReloadSignal(Signal);

impl ReloadSignal {
    /// Takes the signal over. Needs a running tokio runtime with its I/O driver.
    pub fn new() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next one; several that come while nobody waits count as one. May be dropped
    /// and called again.
    pub async fn recv(&mut self) {
        self.0.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn send(signal: &str) {
        let sent = tokio::process::Command::new("kill")
            .args([signal, &std::process::id().to_string()])
            .status()
            .await
            .expect("kill(1) runs");
        assert!(sent.success());
    }

    /// One test, not three: the signals are the whole process's.
    #[tokio::test]
    async fn each_signal_arrives_as_itself() {
        let mut stop = StopSignals::new().expect("signals are to be had");
        let mut reload = ReloadSignal::new().expect("signals are to be had");
        send("-TERM").await;
        assert_eq!(stop.recv().await, StopReason::Terminate);
        send("-HUP").await;
        reload.recv().await;
        send("-INT").await;
        assert_eq!(stop.recv().await, StopReason::Interrupt);
    }
}
