//! A modem used as a telephone, for programs that place calls themselves.
//!
//! [`Telephone::open`], [`dial`](Telephone::dial), [`talk`](Telephone::talk),
//! [`hang_up`](Telephone::hang_up). It knows nothing of incoming calls; those that come meanwhile
//! ring as if nobody were there.

use crate::audio::listen::{EndOfCall, EndRules, Position};
use crate::blocker::Listening;
use crate::blocker::ears::Ears;
use crate::clock::until;
use crate::modem::command::ResultCode;
use crate::modem::driver::{
    self, Driver, Modem, ModemEvent, ModemEvents, ModemOptions, RestingClass, VoiceEnd,
};
use crate::modem::port::Jack;
use crate::modem::voice::VoiceMode;
use std::time::Duration;
use tokio::time::Instant;

/// A modem that is ready to dial, or a call in progress.
#[derive(Debug)]
pub struct Telephone {
    modem: Modem,
    events: ModemEvents,
    driver: Driver,
    dialled_at: Option<Instant>,
}

/// Why a call cannot be placed or goes no further.
#[derive(Debug, thiserror::Error)]
pub enum TelephoneError {
    /// There is no modem; why.
    #[error("no modem: {0}")]
    NoModem(String),
    /// The modem is there and cannot do voice.
    #[error("the modem cannot do voice")]
    NoVoice,
    /// Nobody is reached: busy, no answer, no dial tone.
    #[error("nobody is reached: the modem says {0:?}")]
    NotReached(ResultCode),
    /// The modem did not do what was asked; what.
    #[error("{0}")]
    Refused(String),
    /// The modem was lost.
    #[error("the modem was lost: {0}")]
    Lost(String),
}

/// How a conversation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TalkEnd {
    /// Its time was up.
    TimeLimit,
    /// The far end hung up.
    FarEnd,
}

impl Telephone {
    /// Opens the modem and waits until it is ready.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn open(jack: Box<dyn Jack>) -> Result<Self, TelephoneError> {
        let options = ModemOptions {
            resting: RestingClass::Voice,
            country: None,
            init: Vec::new(),
        };
        let (modem, mut events, driver) = driver::start(jack, options);
        let outcome = loop {
            match events.next().await {
                Some(ModemEvent::Armed(armed)) if armed.class == RestingClass::Voice => {
                    return Ok(Self {
                        modem,
                        events,
                        driver,
                        dialled_at: None,
                    });
                }
                Some(ModemEvent::Armed(_)) => break TelephoneError::NoVoice,
                Some(ModemEvent::Waiting { why }) => break TelephoneError::NoModem(why),
                Some(ModemEvent::PortLost { why }) => break TelephoneError::Lost(why),
                Some(_) => {}
                None => break TelephoneError::NoModem("the driver ended".into()),
            }
        };
        driver.shut_down().await;
        Err(outcome)
    }

    /// Calls a number and waits until somebody answers.
    pub async fn dial(&mut self, number: &str) -> Result<(), TelephoneError> {
        self.modem.dial(number);
        loop {
            match self.next().await? {
                ModemEvent::Dialled(ResultCode::Ok | ResultCode::VoiceConnect) => {
                    self.dialled_at = Some(Instant::now());
                    return Ok(());
                }
                ModemEvent::Dialled(result) => return Err(TelephoneError::NotReached(result)),
                _ => {}
            }
        }
    }

    /// Opens a voice stream for at most `limit` and hands what is heard to `heard`: 8-bit unsigned
    /// samples, 8000 a second. Use [`Telephone::modem`] to play. What is heard tells when the far end is
    /// gone; where nothing is (transmit), a code that is repeated.
    pub async fn talk(
        &mut self,
        mode: VoiceMode,
        limit: Duration,
        mut heard: impl FnMut(Vec<u8>),
    ) -> Result<TalkEnd, TelephoneError> {
        self.modem.start_voice(mode);
        let mut deadline = None;
        // Who was called may let us wait in silence.
        let listening = Listening {
            end_silence: Some(Duration::ZERO),
            ..Listening::default()
        };
        let mut ears = Ears::new(&listening, mode);
        let mut codes = EndOfCall::new(EndRules::CODES_ONLY);
        let mut end = TalkEnd::FarEnd;
        let began = *self.dialled_at.get_or_insert_with(Instant::now);
        loop {
            let event = tokio::select! {
                event = self.next() => event?,
                () = until(deadline) => {
                    end = TalkEnd::TimeLimit;
                    deadline = None;
                    self.modem.stop_voice();
                    continue;
                }
            };
            let over = match event {
                ModemEvent::VoiceStarted(_) => {
                    deadline = Some(Instant::now() + limit);
                    None
                }
                ModemEvent::Playing { before, samples } => {
                    ears.playing(before, &samples);
                    None
                }
                ModemEvent::Audio(audio) => {
                    let over = ears.hear(&audio).end;
                    heard(audio);
                    over
                }
                ModemEvent::Code(code) if mode.receives() => ears.code(code),
                ModemEvent::Code(code) => codes.code(code, Position(0).after(began.elapsed())),
                ModemEvent::VoiceEnded(VoiceEnd::Asked | VoiceEnd::ByModem) => return Ok(end),
                ModemEvent::VoiceEnded(VoiceEnd::Stuck) => {
                    return Err(TelephoneError::Refused(
                        "the modem took or gave no more audio".into(),
                    ));
                }
                _ => None,
            };
            if over.is_some() {
                self.modem.stop_voice();
            }
        }
    }

    /// The handle to the driver, to play audio during [`Telephone::talk`].
    pub const fn modem(&self) -> &Modem {
        &self.modem
    }

    /// Puts the line on-hook and lets the modem go.
    pub async fn hang_up(mut self) {
        let drained = async { while self.events.next().await.is_some() {} };
        tokio::join!(self.driver.shut_down(), drained);
    }

    async fn next(&mut self) -> Result<ModemEvent, TelephoneError> {
        match self.events.next().await {
            Some(ModemEvent::PortLost { why }) => Err(TelephoneError::Lost(why)),
            Some(ModemEvent::Refused { what }) => Err(TelephoneError::Refused(what)),
            Some(event) => Ok(event),
            None => Err(TelephoneError::Lost("the driver ended".into())),
        }
    }
}
