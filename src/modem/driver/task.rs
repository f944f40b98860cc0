//! The life of the port: opened, used until it is lost, and brought back by the steps of the
//! [recovery](super::recovery). It does not know what is said over it.

use super::attached::Attached;
use super::candour::Candour;
use super::connection::Connection;
use super::recovery::{Recovery, Step};
use super::{Down, ModemEvent, ModemOptions, Request};
use crate::modem::chip::Identity;
use crate::modem::port::Jack;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};

/// How long DTR stays down before the port of a modem that does not answer is opened again.
const DTR_DROPPED: Duration = Duration::from_secs(1);
/// A hung modem that says something is tried again, but not before so long after the last attempt, and
/// not more often than once in so long.
const SHORTEST_REST: Duration = Duration::from_secs(5);
const ROUSED_ONCE_IN: Duration = Duration::from_mins(1);
/// Before a lost port is opened again: a node that is about to vanish can still be opened.
const AFTER_LOSS: Duration = Duration::from_millis(500);

/// The driver's task.
pub(super) struct Task {
    jack: Box<dyn Jack>,
    options: ModemOptions,
    requests: mpsc::UnboundedReceiver<Request>,
    events: mpsc::Sender<ModemEvent>,
    attached: Option<Attached>,
    recovery: Recovery,
    /// When a hung modem was tried last because it said something.
    roused: Option<Instant>,
}

impl Task {
    pub(super) fn new(
        jack: Box<dyn Jack>,
        options: ModemOptions,
        requests: mpsc::UnboundedReceiver<Request>,
        events: mpsc::Sender<ModemEvent>,
    ) -> Self {
        Self {
            jack,
            options,
            requests,
            events,
            attached: None,
            recovery: Recovery::default(),
            roused: None,
        }
    }

    /// Ends when it is told to, with the line on-hook.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => {}
            () = self.live() => {}
        }
        if let Some(attached) = self.attached {
            attached.last_words().await;
        }
    }

    /// Opens the port, uses it until it is lost, and begins again; ends when nobody asks any more.
    async fn live(&mut self) {
        let mut known = <(Identity, Candour)>::default();
        loop {
            let mut connection = self.open().await;
            connection.silence = self.recovery.silence();
            let attached =
                self.attached
                    .insert(Attached::new(connection, self.options.clone(), known));
            let Err(down) = attached.serve(&mut self.requests).await else {
                return;
            };
            known = (attached.identity.clone(), attached.candour);
            if attached.armed {
                self.recovery.modem_answered();
            }
            let next = match down {
                Down::PortGone { .. } => Step::WaitForPort,
                Down::NotAnswering { .. } | Down::Unfit { .. } => self.recovery.next_step(),
            };
            if let Step::Reopen = next {
                self.recovery
                    .silence()
                    .tell(&format!("{down}: reopening the port with DTR dropped"));
                attached.connection.set_dtr(false);
                sleep(DTR_DROPPED).await;
            }
            if !matches!(next, Step::Rest { .. }) {
                self.attached = None;
            }
            let why = down.to_string();
            let _ = self.events.send(ModemEvent::PortLost { why }).await;
            // What was asked of the old life must not be done in the new one.
            loop {
                match self.requests.recv().await {
                    Some(Request::LossSeen) => break,
                    Some(_) => {}
                    None => return,
                }
            }
            self.climb(next).await;
            self.attached = None;
        }
    }

    /// What is done between closing the port and opening it again.
    async fn climb(&mut self, step: Step) {
        match step {
            Step::WaitForPort => sleep(AFTER_LOSS).await,
            Step::Reopen => {}
            Step::ResetBus => match self.jack.reset().await {
                Ok(()) => {
                    let device = self.jack.device();
                    self.recovery.silence().tell(&format!(
                        "still no answer: the USB port of {device} was reset"
                    ));
                    sleep(AFTER_LOSS).await;
                }
                Err(error) => self.recovery.silence().tell(&format!(
                    "still no answer, and its USB port cannot be reset: {error}"
                )),
            },
            Step::Rest { time, give_up } => {
                tracing::error!(
                    "the modem is hung: no call is screened until it answers. Nothing here takes its \
                     power away: unplug it and plug it in again. Trying again in {} min",
                    time.as_secs() / 60
                );
                let deaf = ModemEvent::Deaf {
                    again_in: time,
                    give_up,
                };
                let _ = self.events.send(deaf).await;
                self.rest(time).await;
            }
        }
    }

    /// Waits, but no longer than until the modem is unplugged, which is the surest cure, or says
    /// something, which is the surest sign of life: the port stays open so that either is noticed.
    async fn rest(&mut self, time: Duration) {
        let start = Instant::now();
        let mut end = start + time;
        let Some(attached) = &mut self.attached else {
            return;
        };
        loop {
            match timeout_at(end, attached.connection.next()).await {
                Ok(Ok(_)) => {
                    let again = self.roused.map(|roused| roused + ROUSED_ONCE_IN);
                    let soon = Instant::now().max(start + SHORTEST_REST);
                    end = end.min(again.map_or(soon, |again| again.max(soon)));
                }
                Ok(Err(_)) => return self.recovery.unplugged(),
                Err(_) => break,
            }
        }
        if Instant::now() < start + time {
            self.roused = Some(Instant::now());
            self.recovery.roused();
        }
    }

    async fn open(&mut self) -> Connection {
        let mut told = None;
        loop {
            match self.jack.open() {
                Ok(port) => {
                    let device = self.jack.device();
                    let _ = self.events.send(ModemEvent::PortBack { device }).await;
                    return Connection::new(port, self.events.clone());
                }
                Err(error) => {
                    let why = error.to_string();
                    if told.as_ref() != Some(&why) {
                        told = Some(why.clone());
                        let _ = self.events.send(ModemEvent::Waiting { why }).await;
                    }
                    self.jack.changed().await;
                }
            }
        }
    }
}
