//! The driver: one task owns the port and everybody else talks to it through a handle.
//!
//! [`start`] gives a [`Modem`] to ask things of, and [`ModemEvents`] that tell what happens. The task
//! opens the port, brings the modem into the class it rests in, and waits for rings; it does not
//! decide anything about calls. A port that is lost is opened again when it is back.

mod arm;
mod attached;
mod candour;
mod connection;
mod health;
mod pace;
mod recovery;
mod session;
mod task;
mod transcript;

use super::caller_id::{CallerId, MessageWaiting};
use super::chip::Identity;
use super::command::ResultCode;
use super::line_code::LineCode;
use super::port::Jack;
use super::voice::VoiceMode;
use std::time::Duration;
use task::Task;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The service class that the modem rests in between calls, given by what is done with blocked ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestingClass {
    /// `+FCLASS=0`: to pick up and hang up.
    Data,
    /// `+FCLASS=2` or, where that is not offered, `1`: to answer as a fax.
    Fax,
    /// `+FCLASS=8`: to play and record.
    Voice,
}

/// How the modem is set up.
#[derive(Clone, Debug)]
pub struct ModemOptions {
    /// The class it rests in.
    pub resting: RestingClass,
    /// T.35 country code for `+GCI`, if it is to be set.
    pub country: Option<u8>,
    /// The user's own commands, sent last; an `ERROR` to one is tolerated.
    pub init: Vec<String>,
}

/// What happens at the modem.
#[derive(Clone, PartialEq, Debug)]
pub enum ModemEvent {
    /// There is no port to open; told once, until that changes.
    Waiting {
        /// Why, in words.
        why: String,
    },
    /// The port is open (again).
    PortBack {
        /// The device.
        device: String,
    },
    /// The modem is set up and waits for rings.
    Armed(Armed),
    /// The modem is there and answers nothing, whatever was tried: no call is screened.
    Deaf {
        /// When it is tried again.
        again_in: Duration,
        /// It used to work for this process, so a fresh one may do better: let the service manager
        /// restart it.
        give_up: bool,
    },
    /// The port is gone or the modem does not answer: whatever was going on is over.
    PortLost {
        /// Why, in words.
        why: String,
    },
    /// The line rings.
    Ring,
    /// Caller ID.
    CallerId {
        /// The block.
        id: CallerId,
        /// It adds to the block before and is not another call's.
        revision: bool,
    },
    /// The message-waiting indicator changed.
    MessageWaiting(MessageWaiting),
    /// A code about the line that this chip can be believed.
    Code(LineCode),
    /// A DTMF key went down or came up.
    Digit {
        /// The key.
        digit: char,
        /// Down, not up.
        pressed: bool,
    },
    /// Audio from the line: 8-bit unsigned samples, 8000 a second.
    Audio(Vec<u8>),
    /// The modem is off-hook, in this class. For a fax: it is answering.
    PickedUp(RestingClass),
    /// The modem did not do what was asked last.
    Refused {
        /// What, in words.
        what: String,
    },
    /// A voice stream is open.
    VoiceStarted(VoiceMode),
    /// Audio went to the modem, which also sends what it hears: so its echo can be told from the caller.
    /// From the first that is played on, with the silence after it.
    Playing {
        /// Samples of this stream that went before it, silence included.
        before: u64,
        /// 8-bit unsigned samples.
        samples: Vec<u8>,
    },
    /// All that was to be played has been taken by the line.
    PlaybackFinished,
    /// The voice stream is over.
    VoiceEnded(VoiceEnd),
    /// The fax answer is over: a fax was there (`CONNECT`), or not.
    FaxEnded {
        /// Whether the far end answered as a fax.
        connected: bool,
    },
    /// The outcome of dialling.
    Dialled(ResultCode),
    /// The line is free again.
    OnHook,
    /// The modem said something that means nothing here.
    Unknown(String),
}

/// What the modem turned out to be able to do.
#[derive(Clone, PartialEq, Debug)]
pub struct Armed {
    /// Who it is.
    pub identity: Identity,
    /// The class it rests in now; [`RestingClass::Data`] if it refused the one asked for.
    pub class: RestingClass,
    /// Whether it accepted to report caller ID.
    pub caller_id: bool,
}

/// A ring that is older than this says nothing of the line now: cadences repeat every 3 to 6 s.
pub const RING_WINDOW: Duration = Duration::from_secs(8);

/// Why a voice stream ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VoiceEnd {
    /// We asked for it.
    Asked,
    /// The modem ended it: the call is over.
    ByModem,
    /// The modem takes or gives no more audio.
    Stuck,
}

/// Audio to be played, in blocks; it ends when the sender is dropped.
pub type Playback = mpsc::Receiver<Vec<u8>>;

#[derive(Debug)]
enum Request {
    PickUp {
        class: RestingClass,
        /// The call was answered before and rang on.
        again: bool,
    },
    PickUpOtherWay,
    Voice(VoiceMode),
    Play(Playback),
    StopPlaying,
    FinishVoice,
    StopVoice,
    HangUp,
    Dial(String),
    /// The listener knows that the port was lost: what it asks from now on is meant for the new one.
    LossSeen,
}

/// The handle to the driver. Requests are carried out in order; their outcome comes as events.
#[derive(Clone, Debug)]
pub struct Modem {
    requests: mpsc::UnboundedSender<Request>,
}

impl Modem {
    /// Off-hook, in the class that is needed if the modem can, else in the one that it can:
    /// [`ModemEvent::PickedUp`] or [`ModemEvent::Refused`]. In the fax class this answers as a fax, and
    /// [`ModemEvent::FaxEnded`] follows, or [`ModemEvent::Refused`]. A modem that was busy with itself
    /// meanwhile does not pick up a line that has not rung for [`RING_WINDOW`], nor one that is given up
    /// already ([`Modem::hang_up`]).
    pub fn pick_up(&self, class: RestingClass) {
        self.ask(Request::PickUp {
            class,
            again: false,
        });
    }

    /// The same for a call that rang on after it was answered. What was done may have been over before
    /// a ring could tell that the modem never was off-hook: here the other command is tried first.
    pub fn pick_up_again(&self, class: RestingClass) {
        self.ask(Request::PickUp { class, again: true });
    }

    /// Off-hook by another command, for firmware that answered `OK` to the first and did nothing:
    /// [`ModemEvent::PickedUp`] once more. A voice stream goes on after it, a fax answer ends.
    pub fn pick_up_other_way(&self) {
        self.ask(Request::PickUpOtherWay);
    }

    /// Opens a voice stream: [`ModemEvent::VoiceStarted`] or [`ModemEvent::Refused`]. Silence is sent
    /// while nothing is played.
    pub fn start_voice(&self, mode: VoiceMode) {
        self.ask(Request::Voice(mode));
    }

    /// Plays audio after what is being played: [`ModemEvent::PlaybackFinished`] when all is done.
    pub fn play(&self, audio: Playback) {
        self.ask(Request::Play(audio));
    }

    /// Ends what is being played, and forgets what was to be played after it.
    pub fn stop_playing(&self) {
        self.ask(Request::StopPlaying);
    }

    /// Ends the voice stream after what was sent has been heard: [`ModemEvent::VoiceEnded`].
    pub fn finish_voice(&self) {
        self.ask(Request::FinishVoice);
    }

    /// Ends the voice stream at once; the line stays off-hook: [`ModemEvent::VoiceEnded`].
    pub fn stop_voice(&self) {
        self.ask(Request::StopVoice);
    }

    /// On-hook, whatever is going on, then reset and set up again: [`ModemEvent::OnHook`], then
    /// [`ModemEvent::Armed`].
    pub fn hang_up(&self) {
        self.ask(Request::HangUp);
    }

    /// Calls a number: [`ModemEvent::Dialled`].
    pub fn dial(&self, number: &str) {
        self.ask(Request::Dial(number.to_owned()));
    }

    fn ask(&self, request: Request) {
        // The task only ends when it was told to; then nobody cares for the answer.
        let _ = self.requests.send(request);
    }
}

/// What happens at the modem, in order.
#[derive(Debug)]
pub struct ModemEvents {
    events: mpsc::Receiver<ModemEvent>,
    requests: mpsc::UnboundedSender<Request>,
}

impl ModemEvents {
    /// The next event; `None` after the driver has ended. Safe to cancel.
    pub async fn next(&mut self) -> Option<ModemEvent> {
        let event = self.events.recv().await?;
        if matches!(event, ModemEvent::PortLost { .. }) {
            let _ = self.requests.send(Request::LossSeen);
        }
        Some(event)
    }
}

/// The running driver.
#[derive(Debug)]
pub struct Driver {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Driver {
    /// Puts the line on-hook, drops DTR and ends the task: at most 500 ms for each of the last
    /// commands, whatever the modem was doing.
    pub async fn shut_down(self) {
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the modem's driver ended badly");
        }
    }
}

/// Starts the driver's task on the current runtime.
pub fn start(jack: Box<dyn Jack>, options: ModemOptions) -> (Modem, ModemEvents, Driver) {
    let (requests, for_task) = mpsc::unbounded_channel();
    let (for_listener, events) = mpsc::channel(256);
    let (stop, stopped) = watch::channel(false);
    let task = Task::new(jack, options, for_task, for_listener);
    let task = tokio::spawn(task.run(stopped));
    (
        Modem {
            requests: requests.clone(),
        },
        ModemEvents { events, requests },
        Driver { stop, task },
    )
}

/// Why a port is no longer used.
#[derive(Debug)]
enum Down {
    /// Unplugged or failed.
    PortGone { why: String },
    /// The modem is there and says nothing.
    NotAnswering { command: String },
    /// The modem answers and does not stay as it is set up.
    Unfit { what: String },
}

impl Down {
    fn port_gone(why: &std::io::Error) -> Self {
        Self::PortGone {
            why: why.to_string(),
        }
    }
}

impl std::fmt::Display for Down {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PortGone { why } => write!(f, "the port is gone: {why}"),
            Self::NotAnswering { command } => write!(f, "the modem does not answer {command}"),
            Self::Unfit { what } => f.write_str(what),
        }
    }
}
