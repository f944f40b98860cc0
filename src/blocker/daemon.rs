//! The daemon: carries out what the state machine asks for.
//!
//! One loop over the modem's events, the machine's deadline, and word from recordings. No logic about
//! calls is here, and nothing here waits for a disk: rows and recordings are written by tasks of
//! their own.

mod notice;
mod setup;
mod sound;

pub use notice::{Notice, Observer};
pub use setup::{Setup, StartError};

use super::ears::Ears;
use super::machine::{Blocker, Effect, Event, Moment};
use super::status::{State, Status};
use super::upkeep::Upkeep;
use super::{BlockAction, CallHandler};
use crate::audio::listen::QualityWatch;
use crate::audio::{PlayFolder, Recorder, Recordings, UnusableFiles};
use crate::clock::until;
use crate::modem::driver::{self, Armed, Modem, ModemEvent, ModemEvents, ModemOptions};
use crate::modem::port::Jack;
use crate::screen::Caller;
use crate::service::control::{ControlSocket, Request};
use crate::store::{CallKey, CallLog, LogPlace};
use serde_json::json;
use setup::make_folders;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// Recordings must be closed within this time when the daemon stops.
const CLOSING_PATIENCE: Duration = Duration::from_millis(1500);

/// Word from the daemon's own tasks.
enum Report {
    Machine(Event),
    /// A file of the play folder was picked, or none is there.
    Picked(Option<PathBuf>),
}

/// A daemon, ready to run.
pub struct Daemon {
    setup: Setup,
    handler: Box<dyn CallHandler>,
    observer: Observer,
    control: Option<ControlSocket>,
    blocker: Blocker,
    modem: Modem,
    log: Option<CallLog>,
    recordings: Recordings,
    upkeep: Upkeep,
    folder: PlayFolder,
    unusable: UnusableFiles,
    reports: mpsc::UnboundedSender<Report>,
    recorder: Option<(CallKey, Recorder)>,
    /// Recordings being closed.
    closing: usize,
    /// While a voice stream is open: the files that were handed to the modem and not heard to their
    /// end, or are being picked.
    playing: Option<usize>,
    /// While sound comes in, and until it is known what to do with the recording.
    ears: Option<Ears>,
    quality_watch: QualityWatch,
    status: Status,
    /// The status in words as it was told last.
    told: String,
    incapable_told: bool,
    /// The modem hung while it was ours: a fresh process may do better.
    given_up: bool,
}

impl Daemon {
    /// Makes the data folder and its contents, completes what a crash left, starts the modem's
    /// driver, and runs until `stop` resolves; then the line is on-hook, the recording closed, and
    /// the row complete.
    pub async fn run(
        setup: Setup,
        jack: Box<dyn Jack>,
        handler: Box<dyn CallHandler>,
        observer: Observer,
        stop: impl Future<Output = ()>,
    ) -> Result<(), StartError> {
        make_folders(&setup)?;
        let log = CallLog::start(LogPlace {
            file: setup.data_dir.join("callblock.db"),
            clock: Arc::clone(&setup.clock),
            keep_calls: setup.keep_calls,
        });
        let recordings = Recordings {
            folder: setup.rec_dir(),
            zone: setup.time_zone,
            limits: setup.recording_limits,
        };
        let options = ModemOptions {
            resting: setup.action.class(setup.sit),
            country: setup.modem_country,
            init: setup.modem_init.clone(),
        };
        let (modem, mut events, driver) = driver::start(jack, options);
        let (reports, mut inbox) = mpsc::unbounded_channel();
        let mut daemon = Self {
            blocker: Blocker::new(setup.action.clone(), setup.hang_up_hold)
                .with_special_information(setup.sit),
            folder: PlayFolder::new(&setup.play_dir()),
            unusable: UnusableFiles::default(),
            upkeep: Upkeep::start(recordings.clone(), Arc::clone(&setup.clock)),
            recordings,
            setup,
            handler,
            observer,
            control: None,
            modem,
            log: Some(log),
            reports,
            recorder: None,
            closing: 0,
            playing: None,
            ears: None,
            quality_watch: QualityWatch::default(),
            status: Status::new(),
            told: String::new(),
            incapable_told: false,
            given_up: false,
        };
        daemon.control = daemon.open_control().await;
        daemon.serve(&mut events, &mut inbox, stop).await;
        // The driver may be waiting for its events to be taken.
        let drained = async { while events.next().await.is_some() {} };
        tokio::join!(driver.shut_down(), drained, daemon.finish(&mut inbox));
        Ok(())
    }

    async fn serve(
        &mut self,
        events: &mut ModemEvents,
        inbox: &mut mpsc::UnboundedReceiver<Report>,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = std::pin::pin!(stop);
        let mut beat = self.setup.heartbeat.map(|every| Instant::now() + every);
        loop {
            let deadline = self.blocker.deadline().map(Instant::from_std);
            tokio::select! {
                biased;
                () = &mut stop => {
                    self.judge_line().await;
                    self.machine(Event::Stop).await;
                    return;
                }
                event = events.next() => match event {
                    Some(event) => self.modem_event(event).await,
                    None => return,
                },
                request = next_request(&mut self.control) => self.request(request),
                Some(report) = inbox.recv() => self.report(report).await,
                () = until(deadline) => self.machine(Event::TimePassed).await,
                () = until(beat) => {
                    beat = self.setup.heartbeat.map(|every| Instant::now() + every);
                    self.tell_status();
                    if !self.given_up {
                        (self.observer)(&Notice::Alive);
                    }
                }
            }
        }
    }

    /// Without a control socket everything else works.
    async fn open_control(&self) -> Option<ControlSocket> {
        match ControlSocket::open(self.setup.control.as_ref()?).await {
            Ok(control) => {
                tracing::debug!(path = %control.path().display(), "control socket open");
                Some(control)
            }
            Err(error) => {
                tracing::info!(
                    "no control socket, so `callblock status` has nobody to ask: {error}"
                );
                None
            }
        }
    }

    /// Somebody asks on the control socket.
    fn request(&mut self, request: Request) {
        let answer = match request.body["command"].as_str() {
            Some("status") => {
                self.recall_last_ring();
                self.status.json(self.blocker.in_call(), self.moment())
            }
            _ => self
                .handler
                .on_request(&request.body)
                .unwrap_or_else(|| json!({ "error": "unknown command" })),
        };
        // Whoever asked may have gone.
        let _ = request.answer.send(answer);
    }

    /// After the last event: recordings and rows reach the disk.
    async fn finish(&mut self, inbox: &mut mpsc::UnboundedReceiver<Report>) {
        let closed = async {
            while self.closing > 0 {
                match inbox.recv().await {
                    Some(report) => self.report(report).await,
                    None => break,
                }
            }
        };
        if timeout(CLOSING_PATIENCE, closed).await.is_err() {
            tracing::error!("the disk is too slow to close the recording in time");
        }
        if let Some(log) = self.log.take() {
            log.close().await;
        }
    }

    async fn report(&mut self, report: Report) {
        match report {
            Report::Machine(event) => {
                if matches!(event, Event::RecordingClosed { .. }) {
                    self.closing -= 1;
                    self.upkeep.call_ended();
                }
                self.machine(event).await;
            }
            Report::Picked(file) => {
                if let Some(playing) = &mut self.playing {
                    *playing = playing.saturating_sub(1);
                }
                if let Some(file) = file {
                    self.play(&file);
                }
            }
        }
    }

    async fn modem_event(&mut self, event: ModemEvent) {
        match event {
            ModemEvent::Waiting { why } => {
                tracing::warn!("waiting for the modem: {why}");
                self.given_up = false;
                self.status.is(State::Waiting(why.clone()));
                self.tell_status();
                (self.observer)(&Notice::Waiting(&why));
            }
            ModemEvent::Deaf { again_in, give_up } => {
                self.given_up = give_up;
                self.status.is(State::Deaf(again_in));
                self.tell_status();
                (self.observer)(&Notice::Deaf { again_in, give_up });
            }
            ModemEvent::PortBack { device } => self.status.opened(device),
            ModemEvent::Armed(armed) => self.armed(&armed),
            ModemEvent::PortLost { why } => self.port_lost(why).await,
            ModemEvent::Ring => {
                self.status.rang(self.moment());
                self.machine(Event::Ring).await;
            }
            ModemEvent::CallerId { id, revision } => {
                tracing::debug!(?id, revision, "caller ID");
                let caller = self
                    .handler
                    .read_caller(id.number.as_deref(), id.name.as_deref());
                self.machine(Event::CallerId { caller, revision }).await;
            }
            ModemEvent::MessageWaiting(waiting) => {
                tracing::info!(
                    waiting = waiting.waiting,
                    count = waiting.count,
                    "message waiting"
                );
                (self.observer)(&Notice::MessageWaiting(waiting));
                self.handler.on_message_waiting(waiting);
            }
            ModemEvent::Code(code) => {
                tracing::debug!(?code, "line code");
                self.machine(Event::Code(code)).await;
                let end = self.ears.as_mut().and_then(|ears| ears.code(code));
                self.far_end(end).await;
            }
            ModemEvent::Digit { digit, pressed } => self.digit_code(digit, pressed).await,
            ModemEvent::Audio(audio) => self.audio(audio).await,
            ModemEvent::Playing { before, samples } => {
                if let Some(ears) = &mut self.ears {
                    ears.playing(before, &samples);
                }
            }
            ModemEvent::PickedUp(class) => self.machine(Event::PickedUp(class)).await,
            ModemEvent::Refused { what } => self.machine(Event::Refused { what }).await,
            ModemEvent::VoiceStarted(mode) => {
                self.ears = mode
                    .receives()
                    .then(|| Ears::new(&self.setup.listening, mode));
                self.playing = Some(0);
                self.machine(Event::VoiceStarted).await;
            }
            ModemEvent::PlaybackFinished => {
                self.playing = Some(0);
                if let Some(ears) = &mut self.ears {
                    ears.count_silence_anew();
                }
                self.machine(Event::PlaybackFinished).await;
            }
            ModemEvent::VoiceEnded(end) => {
                self.playing = None;
                self.judge_line().await;
                self.machine(Event::VoiceEnded(end)).await;
            }
            ModemEvent::FaxEnded { connected } => {
                tracing::info!(connected, "fax answer over");
                self.machine(Event::FaxEnded).await;
            }
            ModemEvent::OnHook => self.line_is_free(Event::OnHook).await,
            ModemEvent::Dialled(_) => {}
            ModemEvent::Unknown(text) => {
                self.status.unknown(self.setup.clock.now(), &text);
                tracing::debug!(text, "the modem says something unknown");
            }
        }
    }

    /// Nothing of the call is heard any more, and what was heard says nothing of the next.
    async fn line_is_free(&mut self, event: Event) {
        self.machine(event).await;
        self.ears = None;
    }

    async fn port_lost(&mut self, why: String) {
        // Between two attempts at a modem that is hung there is nothing new to say.
        if self.status.is_deaf() {
            tracing::debug!("the modem is still hung: {why}");
        } else {
            tracing::warn!("the modem is lost: {why}");
            (self.observer)(&Notice::PortLost(&why));
            self.status.is(State::Lost(why));
            self.tell_status();
        }
        self.playing = None;
        self.judge_line().await;
        self.line_is_free(Event::PortLost).await;
    }

    fn armed(&mut self, armed: &Armed) {
        tracing::debug!(modem = %armed.identity, class = ?armed.class, "armed");
        let wanted = self.setup.action.class(self.setup.sit);
        if armed.class != wanted && !std::mem::replace(&mut self.incapable_told, true) {
            let action = self.setup.action.kind().as_str();
            let told = match self.setup.action {
                BlockAction::HangUp { .. } => "send tones; blocked calls are hung up on without",
                _ => "do this; blocked calls are hung up on instead",
            };
            tracing::warn!(action, "{} cannot {told}", armed.identity);
        }
        if !armed.caller_id {
            tracing::warn!(
                "{} refuses to report caller ID; all callers are unknown",
                armed.identity
            );
        }
        self.given_up = false;
        self.status.armed(armed.identity.to_string());
        self.tell_status();
        (self.observer)(&Notice::Armed {
            device: self.status.device(),
            armed,
        });
    }

    /// Gives an event to the machine and does what it asks for.
    async fn machine(&mut self, event: Event) {
        let (at, in_call) = (self.moment(), self.blocker.in_call());
        let handler = &mut self.handler;
        let mut decide = |caller: &Caller| handler.on_call(caller);
        let effects = self.blocker.handle(event, at, &mut decide);
        for effect in effects {
            self.carry_out(effect).await;
        }
        if self.blocker.in_call() != in_call {
            self.tell_status();
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            now: Instant::now().into_std(),
            wall: self.setup.clock.now(),
        }
    }

    /// The call log is opened beside everything else: what it knows comes later.
    fn recall_last_ring(&mut self) {
        if let Some(wall) = self.log.as_ref().and_then(CallLog::last_ring_before) {
            self.status.rang_before(wall);
        }
    }

    /// Tells what the daemon is doing, if that is not what was told last.
    fn tell_status(&mut self) {
        self.recall_last_ring();
        let words = self.status.words(self.blocker.in_call(), self.moment());
        if words != self.told {
            (self.observer)(&Notice::Status(&words));
            self.told = words;
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::PickUp(class) | Effect::PickUpAgain(class) => {
                match effect {
                    Effect::PickUp(_) => self.modem.pick_up(class),
                    _ => self.modem.pick_up_again(class),
                }
                // The driver writes the command before anything is logged or saved.
                tokio::task::yield_now().await;
            }
            Effect::Rang(burst) => {
                tracing::debug!(burst, "ring");
                (self.observer)(&Notice::Ring(burst));
                self.handler.on_ring(burst);
            }
            Effect::PickUpOtherWay => self.modem.pick_up_other_way(),
            Effect::StartVoice(mode) => self.modem.start_voice(mode),
            Effect::PlaySpecialInformation => self.play_special_information(),
            Effect::Play(file) => self.play(&file),
            Effect::FinishVoice => self.modem.finish_voice(),
            Effect::HangUp => self.modem.hang_up(),
            Effect::StartRecording {
                call,
                started,
                number,
            } => {
                let recorder = Recorder::start(&self.recordings, started, number.as_deref());
                self.announce_recording(call, &recorder);
                self.recorder = Some((call, recorder));
            }
            Effect::StopRecording => self.stop_recording(),
            Effect::Save(key, record) => {
                if let Some(log) = &self.log {
                    log.save(key, record);
                }
            }
            Effect::Screened(key, record) => {
                tracing::info!(
                    call = key.0,
                    number = record.number,
                    name = record.name,
                    verdict = record.verdict.as_str(),
                    reason = record.reason,
                    source = record.source,
                    "call"
                );
                (self.observer)(&Notice::Screened(&record));
            }
            Effect::Answered(key, action) => {
                tracing::info!(call = key.0, action = action.as_str(), "picked up");
                (self.observer)(&Notice::Answered);
            }
            Effect::Ended(key, record) => {
                tracing::info!(
                    call = key.0,
                    number = record.number,
                    action = record.action.as_str(),
                    outcome = record.outcome.map(crate::call::Outcome::as_str),
                    seconds = record.ended.map(|ended| ended.as_secs_f64()),
                    recording = record.recording,
                    dtmf = Some(&record.dtmf).filter(|keys| !keys.is_empty()),
                    trouble = record.trouble,
                    "call over"
                );
                (self.observer)(&Notice::Ended(&record));
                self.handler.on_call_over(&record);
            }
            Effect::Warn(what) => tracing::warn!("{what}"),
        }
    }
}

/// The next request, or never.
async fn next_request(control: &mut Option<ControlSocket>) -> Request {
    if let Some(control) = control
        && let Some(request) = control.next().await
    {
        return request;
    }
    std::future::pending().await
}
