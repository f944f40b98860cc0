//! Setting the modem up: who it is, caller ID on, the class it rests in.

use super::attached::Attached;
use super::candour::Candour;
use super::connection::{CommandError, Connection};
use super::{Armed, Down, ModemEvent, RestingClass};
use crate::modem::chip::{Chip, Identity};
use crate::modem::command::{Command, PLAIN_WORDS, Reply};
use tokio::time::Instant;

impl Attached {
    /// Whatever a process before us left behind is ended, and the modem is asked who it is.
    pub(super) async fn identify(&mut self) -> Result<(), Down> {
        let connection = &mut self.connection;
        // It may be off-hook, and even streaming, for a process that was killed: a modem that does
        // not answer is told to leave whatever it is in.
        let attention = connection.insist(&Command::set("AT")).await;
        if !attention.map_err(CommandError::into_down)?.is_ok() {
            connection.resync().await.map_err(CommandError::into_down)?;
        }
        must(connection.insist(&Command::set("ATH0")).await)?;
        self.reset().await?;
        let connection = &mut self.connection;
        let identity = Identity {
            product: ask(connection, "ATI0").await?.unwrap_or_default(),
            firmware: ask(connection, "ATI3").await?.unwrap_or_default(),
            maker: value_of(ask(connection, "AT+GMI").await?),
            classes: classes_in(&value_of(ask(connection, "AT+FCLASS=?").await?)),
        };
        connection.chip = Chip::of(identity.family());
        tracing::debug!(?identity, family = ?identity.family(), "modem identified");
        if self.identity != identity {
            self.candour = Candour::default();
        }
        self.identity = identity;
        Ok(())
    }

    /// Sets the modem up and makes sure that it is: after opening the port and after every call.
    pub(super) async fn arm(&mut self) -> Result<(), Down> {
        self.set_up().await?;
        if let Some(what) = self.discrepancy(false).await? {
            let what = format!("{what}, right after it was set up; once more");
            self.connection.silence.tell(&what);
            self.set_up().await?;
            if let Some(what) = self.discrepancy(true).await? {
                return Err(Down::Unfit { what });
            }
        }
        let armed = Armed {
            identity: self.identity.clone(),
            class: self.class,
            caller_id: self.caller_id,
        };
        self.armed = true;
        let in_numbers = self.connection.protocol.answers_in_numbers();
        self.health.set_up(in_numbers, Instant::now());
        self.connection.tell(ModemEvent::Armed(armed)).await;
        Ok(())
    }

    /// Soft reset, caller ID, class, and the settings that `ATZ` undoes.
    async fn set_up(&mut self) -> Result<(), Down> {
        self.reset().await?;
        let connection = &mut self.connection;
        // Automatic answer would pick up every call.
        obliging(connection, "ATS0=0").await?;
        // Asked once more before it is taken for one that reports none: every call would ring through.
        self.caller_id = accepted(connection, "AT+VCID=1").await?
            || accepted(connection, "AT#CID=1").await?
            || accepted(connection, "AT+VCID=1").await?;
        // Where `ATZ` has put it.
        self.class = RestingClass::Data;
        if self.options.resting != self.class {
            self.class = self.enter_class(self.options.resting).await?;
        }
        let connection = &mut self.connection;
        for setting in connection.chip.settings {
            obliging(connection, setting).await?;
        }
        if let Some(country) = self.options.country {
            obliging(connection, &format!("AT+GCI={country:02X}")).await?;
        }
        for command in &self.options.init {
            obliging(connection, command).await?;
        }
        Ok(())
    }

    /// Soft reset. It brings the stored profile back, which may have echo, numeric result codes or
    /// none at all.
    async fn reset(&mut self) -> Result<(), Down> {
        let connection = &mut self.connection;
        let reply = if self.silent_after_reset {
            connection.command(&Command::unanswered_reset()).await
        } else {
            connection.insist(&Command::reset()).await
        };
        match reply {
            Ok(_) => {}
            Err(CommandError::Down(down)) => return Err(down),
            // It may have been obeyed without a word; a modem that is hung fails the resync.
            Err(CommandError::Silent { .. }) if self.silent_after_reset => {}
            Err(CommandError::Silent { .. }) => {
                connection.resync().await.map_err(CommandError::into_down)?;
                self.silent_after_reset = true;
            }
        }
        if obliging(connection, PLAIN_WORDS).await? {
            return Ok(());
        }
        // Firmware that wants one at a time.
        let mut obeyed = false;
        for one in ["ATE0", "ATQ0", "ATV1"] {
            obeyed |= obliging(connection, one).await?;
        }
        if !obeyed {
            connection.resync().await.map_err(CommandError::into_down)?;
        }
        Ok(())
    }

    /// Changes to a class, or to the data class if the modem cannot. One that says it can, and refuses,
    /// is asked twice: it stays in the class until it is set up again, which may be days.
    pub(super) async fn enter_class(&mut self, class: RestingClass) -> Result<RestingClass, Down> {
        let offered = match class {
            RestingClass::Data => false,
            RestingClass::Fax => self.identity.offers("2") || self.identity.offers("1"),
            RestingClass::Voice => self.identity.offers("8"),
        };
        let entered = self.try_class(class).await?;
        if entered == class || !offered {
            return Ok(entered);
        }
        tracing::warn!(
            ?class,
            "the modem refuses a class that it offers; trying again"
        );
        self.try_class(class).await
    }

    async fn try_class(&mut self, class: RestingClass) -> Result<RestingClass, Down> {
        match class {
            RestingClass::Data => back_to_data(&mut self.connection).await,
            RestingClass::Fax => fax_class(&mut self.connection, &self.identity).await,
            RestingClass::Voice => voice_class(&mut self.connection, &self.identity).await,
        }
    }
}

/// Class 2 where it is offered, else class 1.
async fn fax_class(connection: &mut Connection, identity: &Identity) -> Result<RestingClass, Down> {
    for class in ["2", "1"] {
        if identity.offers(class) && accepted(connection, &format!("AT+FCLASS={class}")).await? {
            return Ok(RestingClass::Fax);
        }
    }
    back_to_data(connection).await
}

/// Class 8 with 8-bit unsigned samples; without either, the modem cannot do voice.
async fn voice_class(
    connection: &mut Connection,
    identity: &Identity,
) -> Result<RestingClass, Down> {
    if !identity.offers("8") || !accepted(connection, "AT+FCLASS=8").await? {
        return back_to_data(connection).await;
    }
    let mut format_set = false;
    for format in connection.chip.sample_formats {
        if accepted(connection, &format!("AT+VSM={format}")).await? {
            format_set = true;
            break;
        }
    }
    if !format_set {
        return back_to_data(connection).await;
    }
    for setting in connection.chip.voice_settings {
        obliging(connection, setting).await?;
    }
    Ok(RestingClass::Voice)
}

async fn back_to_data(connection: &mut Connection) -> Result<RestingClass, Down> {
    obliging(connection, "AT+FCLASS=0").await?;
    Ok(RestingClass::Data)
}

/// A modem that does not answer these is hung; what it answers is its own affair.
pub(super) fn must(reply: Result<Reply, CommandError>) -> Result<(), Down> {
    reply.map(drop).map_err(CommandError::into_down)
}

/// The text of the answer: empty if the modem does not know the question, `None` if it says nothing at
/// all to it. Nothing depends on the answer, so one that has none does well without, provided it
/// answers `AT`.
pub(super) async fn ask(
    connection: &mut Connection,
    question: &str,
) -> Result<Option<String>, Down> {
    match connection.insist(&Command::ask(question)).await {
        Ok(reply) if reply.is_ok() => Ok(Some(reply.text().to_owned())),
        Ok(_) => Ok(Some(String::new())),
        Err(CommandError::Silent { .. }) => {
            connection.resync().await.map_err(CommandError::into_down)?;
            Ok(None)
        }
        Err(CommandError::Down(down)) => Err(down),
    }
}

/// `+GMI: CONEXANT` and `CONEXANT` are the same answer.
fn value_of(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    let value = match text.strip_prefix('+') {
        Some(named) => named
            .split_once(':')
            .map_or(text.as_str(), |(_, value)| value),
        None => &text,
    };
    value.trim().to_owned()
}

/// The service classes of an answer. Every modem has the data class: what does not name it is no
/// answer, but noise or another's line, and must not cost the classes that are there.
fn classes_in(answer: &str) -> Vec<String> {
    let classes: Vec<String> = answer
        .split(',')
        .map(|class| class.trim_matches(['(', ')', ' ']).to_owned())
        .filter(|class| !class.is_empty())
        .collect();
    let is_answer = classes.iter().any(|class| class == "0");
    if is_answer { classes } else { Vec::new() }
}

async fn accepted(connection: &mut Connection, setting: &str) -> Result<bool, Down> {
    connection
        .insist(&Command::set(setting))
        .await
        .map(|reply| reply.is_ok())
        .map_err(CommandError::into_down)
}

/// A setting that is welcome and not needed: `ERROR` is noted, and a command that some firmware never
/// answers (`AT+VTS=9` on USR) does not hold up the rest. Says whether it was obeyed.
async fn obliging(connection: &mut Connection, setting: &str) -> Result<bool, Down> {
    match connection.command(&Command::set(setting)).await {
        Ok(reply) if reply.is_ok() => Ok(true),
        Ok(reply) => {
            tracing::debug!(setting, result = ?reply.result, "the modem declines a setting");
            Ok(false)
        }
        Err(CommandError::Silent { .. }) => {
            tracing::warn!(setting, "the modem does not answer a setting");
            connection.resync().await.map_err(CommandError::into_down)?;
            Ok(false)
        }
        Err(CommandError::Down(down)) => Err(down),
    }
}

#[cfg(test)]
mod tests {
    use super::{classes_in, value_of};

    #[test]
    fn only_an_answer_with_the_data_class_lists_classes() {
        assert_eq!(classes_in("(0,1,8)"), ["0", "1", "8"]);
        for noise in ["", "x", "NMBR =", "8"] {
            assert!(classes_in(noise).is_empty(), "{noise}");
        }
    }

    #[test]
    fn answers_with_and_without_their_question() {
        assert_eq!(value_of(Some("+GMI: CONEXANT".into())), "CONEXANT");
        assert_eq!(value_of(Some("CONEXANT".into())), "CONEXANT");
        assert_eq!(value_of(Some("+FCLASS: (0,1,8)".into())), "(0,1,8)");
        assert_eq!(value_of(Some("0,1,1.0,8".into())), "0,1,1.0,8");
    }
}
