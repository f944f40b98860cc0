//! Looking after a modem that waits for calls: whether it still hears them.
//!
//! Modems stop without a word: some answer nothing any more, some forget that they are to report
//! caller ID, some answer everything and report none. Every few minutes, and after a call that looked
//! odd, the modem is asked; one that is not as it was set up is set up again.

use super::attached::Attached;
use super::connection::CommandError;
use super::{Down, RestingClass};
use crate::modem::command::Command;
use crate::modem::protocol::Event;
use std::time::Duration;
use tokio::time::Instant;

/// How often a modem is asked.
const EVERY: Duration = Duration::from_mins(5);
/// Not while the phone rings: the answer to a question must not be in the way of a call.
const AFTER_A_RING: Duration = Duration::from_secs(15);
/// Rings without caller ID, where there used to be one, before that is odd.
const RINGS_WITHOUT_CALLER_ID: u32 = 3;

/// What is known of a modem's health.
#[derive(Debug)]
pub(super) struct Health {
    next_look: Instant,
    /// Calls used to come with caller ID.
    caller_id_seen: bool,
    rings_without: u32,
}

impl Health {
    pub(super) fn starting(now: Instant) -> Self {
        Self {
            next_look: now + EVERY,
            caller_id_seen: false,
            rings_without: 0,
        }
    }

    /// When to ask.
    pub(super) const fn next_look(&self) -> Instant {
        self.next_look
    }

    /// The modem is as it should be now.
    pub(super) fn looked(&mut self, now: Instant) {
        self.next_look = now + EVERY;
        self.rings_without = 0;
    }

    pub(super) fn saw(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Ring => {
                self.rings_without += 1;
                self.next_look = if self.is_odd() {
                    now + AFTER_A_RING
                } else {
                    self.next_look.max(now + AFTER_A_RING)
                };
            }
            Event::CallerId { .. } => {
                self.caller_id_seen = true;
                self.rings_without = 0;
                self.next_look = self.next_look.max(now + AFTER_A_RING);
            }
            _ => {}
        }
    }

    /// Rings come without the caller ID that used to come with them.
    fn is_odd(&self) -> bool {
        self.caller_id_seen && self.rings_without >= RINGS_WITHOUT_CALLER_ID
    }
}

impl Attached {
    /// Asks the modem how it is, and sets it up again if it is not as it should be. One that cannot
    /// be brought to answer goes up the ladder.
    pub(super) async fn look_after(&mut self) -> Result<(), Down> {
        let odd = self.health.is_odd();
        match self.complaint().await {
            Ok(None) if !odd => {
                self.health.looked(Instant::now());
                return Ok(());
            }
            Ok(None) => {
                tracing::warn!("calls come without caller ID, which they used to have: soft reset");
            }
            Ok(Some(complaint)) => tracing::warn!("{complaint}: soft reset"),
            Err(CommandError::Down(down)) => return Err(down),
            Err(CommandError::Silent { command }) => {
                tracing::warn!("the modem does not answer {command}: resynchronising");
                match self.connection.resync().await {
                    Ok(()) => tracing::info!("it answers again"),
                    Err(CommandError::Down(down)) => return Err(down),
                    Err(CommandError::Silent { .. }) => tracing::warn!("no answer: soft reset"),
                }
            }
        }
        // `ATZ` may work where nothing else does.
        match self.connection.command(&Command::reset()).await {
            Ok(_) => self.arm().await,
            Err(error) => Err(error.into_down()),
        }
    }

    /// What is wrong with the modem's answers, in words.
    async fn complaint(&mut self) -> Result<Option<String>, CommandError> {
        let attention = self.connection.command(&Command::set("AT")).await?;
        if !attention.is_ok() {
            return Ok(Some("the modem answers AT with an error".into()));
        }
        let caller_id = self.connection.command(&Command::ask("AT+VCID?")).await?;
        // A modem that does not know the question is taken at its word.
        if self.caller_id && caller_id.is_ok() && is_number(caller_id.text(), "0") {
            return Ok(Some("the modem has switched caller ID off".into()));
        }
        let class = self.connection.command(&Command::ask("AT+FCLASS?")).await?;
        let wanted: &[&str] = match self.class {
            RestingClass::Data => &["0"],
            RestingClass::Fax => &["1", "2"],
            RestingClass::Voice => &["8"],
        };
        let is = |number: &&str| is_number(class.text(), number);
        if class.is_ok() && !class.text().is_empty() && !wanted.iter().any(is) {
            let class = class.text();
            return Ok(Some(format!("the modem is in service class {class}")));
        }
        Ok(None)
    }
}

/// Whether an answer such as `8`, `8.0` or `+FCLASS: 8` is this number.
fn is_number(answer: &str, number: &str) -> bool {
    let value = answer.rsplit(':').next().unwrap_or(answer).trim();
    value.split('.').next() == Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_all_dresses() {
        for answer in ["8", "8.0", "+FCLASS: 8", " 8 "] {
            assert!(is_number(answer, "8"), "{answer}");
        }
        for answer in ["0", "18", "", "+FCLASS: 0"] {
            assert!(!is_number(answer, "8"), "{answer}");
        }
    }

    #[test]
    fn a_ring_postpones_and_oddness_hastens() {
        let start = Instant::now();
        let mut health = Health::starting(start);
        let just_before = start + EVERY.saturating_sub(Duration::from_secs(1));
        health.saw(&Event::Ring, just_before);
        assert_eq!(health.next_look(), just_before + AFTER_A_RING);
        health.looked(just_before);
        let id = Event::CallerId {
            id: crate::modem::caller_id::CallerId::default(),
            revision: false,
        };
        health.saw(&id, just_before);
        for _ in 0..RINGS_WITHOUT_CALLER_ID {
            health.saw(&Event::Ring, just_before);
        }
        assert_eq!(health.next_look(), just_before + AFTER_A_RING);
    }
}
