//! A modem on an open port: requests become AT commands.

use super::candour::Candour;
use super::connection::{CommandError, Connection};
use super::health::Health;
use super::{Down, ModemEvent, ModemOptions, Request, RestingClass};
use crate::modem::chip::Identity;
use crate::modem::command::{Command, ResultCode};
use crate::modem::line_code::LineCode;
use crate::modem::protocol::Event;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until, timeout};

/// Patience with each of the last commands before the process ends.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Patience with a stream that is left before the process ends; twice this and twice the above is
/// less than the 2 s in which the process must be gone.
const LAST_LEAVE: Duration = Duration::from_millis(300);
/// A modem that cannot answer in the data class says so within this time.
const ANSWER_REFUSED: Duration = Duration::from_millis(500);
/// A fax answer that is over sooner, its CED tone alone being 2.6 s long, was none.
const SHORTEST_FAX: Duration = Duration::from_millis(1500);
/// The longest wait for the end of a fax answer: CED, preamble, and the modem's own time-out.
const FAX_PATIENCE: Duration = Duration::from_secs(20);

/// The modem on the port that is open now.
pub(super) struct Attached {
    pub(super) connection: Connection,
    pub(super) options: ModemOptions,
    pub(super) identity: Identity,
    /// What the word of the modem of this identity is worth.
    pub(super) candour: Candour,
    /// The class it rests in.
    pub(super) class: RestingClass,
    /// It was set up: it has answered everything it had to.
    pub(super) armed: bool,
    /// Whether it reports caller ID.
    pub(super) caller_id: bool,
    /// Its stored profile has no result codes (`Q1`): `ATZ` is never answered.
    pub(super) silent_after_reset: bool,
    pub(super) health: Health,
    /// How the line was seized last.
    seized_by: Seizure,
    /// A way that did not stop this call's ringing.
    doubted: Option<Seizure>,
}

/// A command that takes the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seizure {
    /// `ATH1`
    Hook,
    /// `+VLS=1`, which takes the voice class.
    VoiceLine,
    /// `ATA` in the data class, for a modem without a voice class: it answers as a modem until it is
    /// told something else.
    Answer,
}

impl Seizure {
    const fn command(self) -> &'static str {
        match self {
            Self::Hook => "ATH1",
            Self::VoiceLine => "AT+VLS=1",
            Self::Answer => "ATA",
        }
    }

    /// What is tried if this does not work.
    fn other(self, identity: &Identity) -> Self {
        match self {
            Self::Hook if identity.offers("8") => Self::VoiceLine,
            Self::Hook => Self::Answer,
            Self::VoiceLine | Self::Answer => Self::Hook,
        }
    }
}

/// What ends a fax answer before the modem has said how it went.
#[derive(Clone, Copy)]
enum Interruption {
    HangUp,
    OtherWay,
}

/// Whether a modem that answers so is off-hook, if it can be believed.
const fn is_seized(result: Option<ResultCode>) -> bool {
    matches!(result, Some(ResultCode::Ok | ResultCode::VoiceConnect))
}

/// Whether only a modem that is off-hook, or in a stream, says so.
const fn tells_of_an_open_line(event: &Event) -> bool {
    matches!(
        event,
        Event::Code(
            LineCode::Busy
                | LineCode::DialTone
                | LineCode::Reorder
                | LineCode::Quiet
                | LineCode::Silence
                | LineCode::ReceiveOverrun
                | LineCode::TransmitUnderrun
        )
    )
}

impl Attached {
    /// What was known of the modem on this port before holds if it is still the same.
    pub(super) fn new(
        connection: Connection,
        options: ModemOptions,
        (identity, candour): (Identity, Candour),
    ) -> Self {
        Self {
            connection,
            options,
            identity,
            candour,
            class: RestingClass::Data,
            armed: false,
            caller_id: false,
            silent_after_reset: false,
            health: Health::starting(Instant::now()),
            seized_by: Seizure::Hook,
            doubted: None,
        }
    }

    /// Sets the modem up, then carries out requests and passes on events until the port is lost;
    /// `Ok` when nobody asks any more.
    pub(super) async fn serve(
        &mut self,
        requests: &mut UnboundedReceiver<Request>,
    ) -> Result<(), Down> {
        self.connection.discard_stale_input().await?;
        self.identify().await?;
        self.arm().await?;
        loop {
            if std::mem::take(&mut self.connection.stray_result) {
                self.health.something_is_strange(Instant::now());
            }
            tokio::select! {
                event = self.connection.next() => {
                    let event = event?;
                    self.health.saw(&event, self.class, Instant::now());
                    if self.connection.off_hook.is_none() && tells_of_an_open_line(&event) {
                        self.health.something_is_strange(Instant::now());
                    }
                    self.connection.pass_on(event).await;
                }
                () = sleep_until(self.health.next_look()), if self.connection.off_hook.is_none() => {
                    self.look_after().await?;
                    // What its own questions brought says nothing new.
                    self.connection.stray_result = false;
                }
                request = requests.recv() => match request {
                    None => return Ok(()),
                    Some(request) => self.carry_out(request, requests).await?,
                }
            }
        }
    }

    async fn carry_out(
        &mut self,
        request: Request,
        requests: &mut UnboundedReceiver<Request>,
    ) -> Result<(), Down> {
        match request {
            Request::PickUp { class, again } => self.pick_up(class, again, requests).await,
            Request::PickUpOtherWay => self.pick_up_other_way().await,
            Request::Voice(mode) => self.voice(mode, requests).await,
            Request::Dial(number) => {
                self.mark_off_hook();
                let reply = self.attempt(&Command::dial(&number)).await?;
                let result = reply.unwrap_or(ResultCode::NoAnswer);
                self.connection.tell(ModemEvent::Dialled(result)).await;
                Ok(())
            }
            Request::HangUp => {
                self.hang_up().await?;
                self.arm().await
            }
            // Without a stream there is nothing to play on or to end.
            Request::Play(_)
            | Request::StopPlaying
            | Request::FinishVoice
            | Request::StopVoice
            | Request::LossSeen => Ok(()),
        }
    }

    async fn pick_up(
        &mut self,
        wanted: RestingClass,
        again: bool,
        requests: &mut UnboundedReceiver<Request>,
    ) -> Result<(), Down> {
        // What it could not do when it was set up, it cannot do now.
        if wanted != self.class && wanted != self.options.resting {
            self.class = self.enter_class(wanted).await?;
        }
        self.connection.await_turn().await?;
        if !self.connection.rings() {
            let what = "the line rang no more when the modem was ready to pick up".into();
            self.connection.tell(ModemEvent::Refused { what }).await;
            return Ok(());
        }
        // Nothing else is asked for before the modem's word on it.
        if matches!(requests.try_recv(), Ok(Request::HangUp)) {
            self.connection.tell(ModemEvent::OnHook).await;
            return Ok(());
        }
        self.mark_off_hook();
        if again {
            self.doubted.get_or_insert(self.seized_by);
        } else {
            self.doubted = None;
        }
        let mut usual = match self.class {
            RestingClass::Fax => return self.answer_as_fax(requests).await,
            RestingClass::Voice => Seizure::VoiceLine,
            RestingClass::Data => Seizure::Hook,
        };
        if self.doubted == Some(usual) {
            usual = usual.other(&self.identity);
        }
        // A modem that refuses the one way may know the other; then at least it can hang up on him.
        let mut result = self.seize(usual).await?;
        if !is_seized(result) && self.connection.rings() {
            result = self.seize(usual.other(&self.identity)).await?;
        }
        self.tell_if_refused(result).await;
        Ok(())
    }

    async fn pick_up_other_way(&mut self) -> Result<(), Down> {
        let result = self.seize_other_way().await?;
        self.tell_if_refused(result).await;
        Ok(())
    }

    /// Some firmware says `OK` to `+VLS=1` and stays on-hook (USR5637 before 1.2.23).
    pub(super) async fn seize_other_way(&mut self) -> Result<Option<ResultCode>, Down> {
        let other = match self.class {
            RestingClass::Fax => Seizure::Hook,
            _ => self.seized_by.other(&self.identity),
        };
        self.doubted = Some(self.seized_by);
        let other_command = other.command();
        tracing::warn!("the modem is not off-hook although it said so; trying {other_command}");
        self.seize(other).await
    }

    /// Takes the line by this command: [`ModemEvent::PickedUp`], unless the result is another.
    async fn seize(&mut self, by: Seizure) -> Result<Option<ResultCode>, Down> {
        self.seized_by = by;
        if by == Seizure::VoiceLine && self.class != RestingClass::Voice {
            self.class = self.enter_class(RestingClass::Voice).await?;
        }
        let result = match by {
            Seizure::Hook | Seizure::VoiceLine => self.attempt(&Command::set(by.command())).await?,
            Seizure::Answer => {
                self.connection.issue(&Command::answer()).await?;
                // Anything but an error at once is a modem that waits for a carrier.
                let reply = self.connection.reply_within(ANSWER_REFUSED).await?;
                Some(reply.map_or(ResultCode::Ok, |reply| reply.result))
            }
        };
        if is_seized(result) {
            self.connection.tell(ModemEvent::PickedUp(self.class)).await;
        } else {
            tracing::warn!(?result, "the modem declines {}", by.command());
        }
        Ok(result)
    }

    async fn tell_if_refused(&mut self, result: Option<ResultCode>) {
        if !is_seized(result) {
            self.refuse(self.seized_by.command(), result).await;
        }
    }

    /// `ATA`: the modem goes off-hook, sounds CED and waits for a fax. Anything sent before it is
    /// done makes it hang up, so this ends by the modem's word, by a request, or in good time.
    async fn answer_as_fax(
        &mut self,
        requests: &mut UnboundedReceiver<Request>,
    ) -> Result<(), Down> {
        let answer = Command::answer().within(FAX_PATIENCE);
        self.connection.issue(&answer).await?;
        let begun = Instant::now();
        self.connection.tell(ModemEvent::PickedUp(self.class)).await;
        let interrupted = async {
            loop {
                match requests.recv().await {
                    Some(Request::PickUpOtherWay) => return Interruption::OtherWay,
                    Some(Request::HangUp) | None => return Interruption::HangUp,
                    Some(_) => {}
                }
            }
        };
        let reply = tokio::select! {
            reply = self.connection.reply_within(answer.patience) => reply?,
            interruption = interrupted => return self.break_off_answer(interruption).await,
        };
        if reply.is_none() {
            self.connection.leave_any_stream().await?;
        }
        // `CONNECT` (class 1) and `+FCON` (class 2) come before the final result.
        let connected = reply.as_ref().is_some_and(|reply| {
            let said = |word: &str| reply.lines.iter().any(|line| line.starts_with(word));
            said("CONNECT") || said("+FCO")
        });
        let result = reply.map(|reply| reply.result);
        let never_began = result == Some(ResultCode::Error) || begun.elapsed() < SHORTEST_FAX;
        if !connected && never_began {
            self.refuse(&answer.text, result).await;
        } else {
            let ended = ModemEvent::FaxEnded { connected };
            self.connection.tell(ended).await;
        }
        Ok(())
    }

    async fn break_off_answer(&mut self, interruption: Interruption) -> Result<(), Down> {
        // The handshake ends at the first byte and swallows it: that must not be one of a command.
        self.connection.leave_any_stream().await?;
        match interruption {
            Interruption::HangUp => {
                self.hang_up().await?;
                self.arm().await
            }
            Interruption::OtherWay => self.pick_up_other_way().await,
        }
    }

    /// On-hook by every means there is; only a modem that ignores them all is given up.
    pub(super) async fn hang_up(&mut self) -> Result<(), Down> {
        if self.connection.off_hook.is_some() && self.seized_by == Seizure::Answer {
            // It is still waiting for a carrier: the first byte ends that and is swallowed.
            self.connection.leave_any_stream().await?;
        }
        if self.class == RestingClass::Voice {
            // Some chips know only +VLS in the voice class, some only ATH: both, and one may fail.
            self.obeys(&Command::set("AT+VLS=0")).await?;
        }
        let on_hook = Command::set("ATH0");
        if !self.obeys(&on_hook).await? {
            tracing::warn!("the modem does not hang up; dropping DTR");
            self.connection.set_dtr(false);
            let raised = Instant::now() + LAST_WORDS;
            self.connection.listen_until(raised).await?;
            self.connection.set_dtr(true);
            if !self.obeys(&on_hook).await? && !self.obeys(&Command::reset()).await? {
                return Err(Down::NotAnswering {
                    command: on_hook.text,
                });
            }
        }
        self.connection.off_hook = None;
        self.connection.tell(ModemEvent::OnHook).await;
        Ok(())
    }

    /// The end of the process: the line goes on-hook, whatever the modem was doing.
    pub(super) async fn last_words(mut self) {
        let off_hook = self.connection.off_hook.is_some() || self.connection.in_stream();
        let commands: &[&str] = match self.class {
            RestingClass::Voice if off_hook => &["AT+VLS=0", "ATH0"],
            // The first may be swallowed by what is left of the fax answer.
            RestingClass::Fax if off_hook => &["ATH0", "ATH0"],
            _ => &["ATH0"],
        };
        let may_stream = off_hook && self.class != RestingClass::Data;
        let mut answered = false;
        for command in commands {
            if may_stream && !answered {
                // Not only in a stream: one may be opening, and the modem's word on it on its way.
                let _ = timeout(LAST_LEAVE, self.connection.leave_any_stream()).await;
                self.connection.protocol.assume_command_state();
            }
            let command = Command::set(*command).within(LAST_WORDS);
            let reply = timeout(LAST_WORDS, self.connection.command(&command)).await;
            answered = matches!(reply, Ok(Ok(_)));
        }
        if off_hook && !answered {
            tracing::warn!("the modem did not confirm that it hung up");
        }
        self.connection.set_dtr(false);
    }

    /// Whether a command, insisted upon, was obeyed.
    async fn obeys(&mut self, command: &Command) -> Result<bool, Down> {
        match self.connection.insist(command).await {
            Ok(reply) => Ok(reply.is_ok()),
            Err(CommandError::Down(down)) => Err(down),
            Err(CommandError::Silent { .. }) => Ok(false),
        }
    }

    /// A command whose failure is an outcome, not the end: `None` if the modem did not answer but is
    /// there.
    pub(super) async fn attempt(&mut self, command: &Command) -> Result<Option<ResultCode>, Down> {
        match self.connection.command(command).await {
            Ok(reply) => Ok(Some(reply.result)),
            Err(CommandError::Down(down)) => Err(down),
            Err(CommandError::Silent { .. }) => {
                self.connection
                    .resync()
                    .await
                    .map_err(CommandError::into_down)?;
                Ok(None)
            }
        }
    }

    /// Before the command is sent: a modem that took it may be off-hook without ever saying so.
    fn mark_off_hook(&mut self) {
        self.connection.off_hook = Some(Instant::now());
    }

    pub(super) async fn refuse(&mut self, command: &str, result: Option<ResultCode>) {
        let what = match result {
            Some(result) => format!("the modem answers {command} with {result:?}"),
            None => format!("the modem does not answer {command}"),
        };
        self.connection.tell(ModemEvent::Refused { what }).await;
    }
}
