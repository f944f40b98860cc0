//! Looking after a modem that waits for calls: whether it still hears them.
//!
//! Modems stop without a word: some answer nothing any more, some forget that they are to report
//! caller ID, some answer everything and report none. Every few minutes, and after a call that looked
//! odd, the modem is asked; one that is not as it was set up is set up again.

use super::arm::must;
use super::attached::Attached;
use super::connection::CommandError;
use super::{Down, RestingClass};
use crate::modem::command::Command;
use crate::modem::protocol::{Event, RingForm};
use std::time::Duration;
use tokio::time::Instant;

/// How often a modem is asked.
const EVERY: Duration = Duration::from_mins(5);
/// Not while the phone rings: the answer to a question must not be in the way of a call.
const AFTER_A_RING: Duration = Duration::from_secs(15);
/// After a ringing that was odd the modem is asked as soon as the call is over: no cadence pauses for
/// so long.
const CALL_OVER: Duration = Duration::from_secs(9);
/// Rings without caller ID, where there used to be one, before the modem is not believed any more.
const RINGS_WITHOUT_CALLER_ID: u32 = 3;
/// Where there never was any caller ID, the line may have none: a ringing without it is a reason to
/// ask only so often.
const ASKED_WHERE_NONE_IS_USUAL: Duration = Duration::from_hours(1);

/// After a strange word: what else belongs to it has come by then.
const AFTER_A_STRANGE_WORD: Duration = Duration::from_millis(500);
/// How often that is a reason to ask: a modem that doubles each result is not asked all the time.
const STRANGE_ONCE_IN: Duration = Duration::from_hours(1);

/// What is known of a modem's health.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing noticed by itself"
)]
pub(super) struct Health {
    /// When it is asked in any case.
    routine: Instant,
    /// When it is asked because of what was odd.
    odd: Option<Instant>,
    /// Calls used to come with caller ID.
    caller_id_seen: bool,
    rings_without: u32,
    /// When a ringing without caller ID last led to a look, where none was ever seen.
    asked_without: Option<Instant>,
    /// When a strange word last led to a look.
    asked_about_strange: Option<Instant>,
    /// One came since the modem was looked at last.
    strange: bool,
    last_ring: Option<Instant>,
    /// When the caller ID of this ringing came, or its last ring since.
    last_known: Option<Instant>,
    /// A ring was reported as text although the voice class shields it.
    text_ring: bool,
    /// This modem reports rings as text in the voice class, too.
    text_rings_are_usual: bool,
    /// It answers in numbers whatever it is told.
    numbers_are_usual: bool,
}

impl Health {
    pub(super) fn starting(now: Instant) -> Self {
        Self {
            routine: now + EVERY,
            odd: None,
            caller_id_seen: false,
            rings_without: 0,
            asked_without: None,
            asked_about_strange: None,
            strange: false,
            last_ring: None,
            last_known: None,
            text_ring: false,
            text_rings_are_usual: false,
            numbers_are_usual: false,
        }
    }

    /// When to ask.
    pub(super) fn next_look(&self) -> Instant {
        self.odd.unwrap_or(self.routine)
    }

    /// The modem is as it should be now: it was set up.
    pub(super) fn looked(&mut self, now: Instant) {
        if self.rings_without > 0 {
            self.asked_without = Some(now);
        }
        self.routine = now + EVERY;
        self.odd = None;
        self.strange = false;
        self.rings_without = 0;
        self.text_ring = false;
    }

    /// The modem was set up, and answers so.
    pub(super) fn set_up(&mut self, in_numbers: bool, now: Instant) {
        self.numbers_are_usual = in_numbers;
        self.looked(now);
    }

    /// The modem was asked and has nothing wrong with it: what was odd is its way.
    fn found_well(&mut self, now: Instant) {
        self.text_rings_are_usual |= self.text_ring;
        self.looked(now);
    }

    pub(super) fn saw(&mut self, event: &Event, class: RestingClass, now: Instant) {
        match event {
            Event::Ring(form) => {
                // The later rings of a call whose caller ID has come.
                let known = |at| now.duration_since(at) < CALL_OVER;
                if self.last_known.is_some_and(known) {
                    self.last_known = Some(now);
                } else {
                    self.rings_without += 1;
                }
                self.last_ring = Some(now);
                self.text_ring |= *form == RingForm::Text && class == RestingClass::Voice;
                self.routine = self.routine.max(now + AFTER_A_RING);
                self.odd = if self.has_reset_itself(*form) {
                    // While the caller ID of this very call is still to come.
                    Some(now)
                } else {
                    self.is_odd(now).then_some(now + CALL_OVER)
                };
            }
            Event::CallerId { .. } => {
                self.caller_id_seen = true;
                self.last_known = Some(now);
                self.rings_without = 0;
                self.routine = self.routine.max(now + AFTER_A_RING);
                self.odd = self.is_odd(now).then_some(now + CALL_OVER);
            }
            _ => {}
        }
    }

    /// A result code came that nothing asked for: what a command before it was taken to have been
    /// answered may never have been carried out. Or a code that only an open line has, while it should be
    /// closed.
    pub(super) fn something_is_strange(&mut self, now: Instant) {
        let lately = |asked| now.duration_since(asked) < STRANGE_ONCE_IN;
        if self.asked_about_strange.is_some_and(lately) {
            return;
        }
        self.asked_about_strange = Some(now);
        self.strange = true;
        let after_the_call = self.last_ring.map(|ring| ring + CALL_OVER);
        let soon = now + AFTER_A_STRANGE_WORD;
        self.odd = Some(after_the_call.map_or(soon, |over| over.max(soon)));
    }

    /// Whether this ringing is a reason to ask once it is over. Before its caller ID has come, every
    /// one is.
    fn is_odd(&self, now: Instant) -> bool {
        let in_the_dark = self
            .asked_without
            .is_none_or(|asked| now.duration_since(asked) >= ASKED_WHERE_NONE_IS_USUAL);
        let without = self.rings_without > 0 && (self.caller_id_seen || in_the_dark);
        without || (self.text_ring && !self.text_rings_are_usual)
    }

    /// Whether a ring in this form can only come from a modem that is not as it was set up.
    fn has_reset_itself(&self, form: RingForm) -> bool {
        (form == RingForm::Numeric && !self.numbers_are_usual)
            || (self.text_ring && !self.text_rings_are_usual)
    }

    /// So many rings came without the caller ID that used to come with them that the modem's word
    /// alone is not enough.
    fn is_doubtful(&self) -> bool {
        self.caller_id_seen && self.rings_without >= RINGS_WITHOUT_CALLER_ID
    }
}

impl Attached {
    /// Asks the modem how it is, and sets it up again if it is not as it should be. One that cannot
    /// be brought to answer, or to stay as it was set up, goes up the ladder.
    pub(super) async fn look_after(&mut self) -> Result<(), Down> {
        let doubtful = self.health.is_doubtful();
        match self.complaint().await {
            Ok(Finding::Well) if !doubtful => {
                self.health.found_well(Instant::now());
                return Ok(());
            }
            Ok(Finding::Well) => {
                tracing::warn!("calls come without caller ID, which they used to have: soft reset");
            }
            Ok(Finding::Wrong(complaint)) => tracing::warn!("{complaint}: soft reset"),
            Ok(Finding::Strange(complaint)) => {
                tracing::warn!("{complaint}; setting it up anew");
                self.identify().await?;
            }
            Err(Down::NotAnswering { .. }) => {
                tracing::warn!("no answer: soft reset");
                // `ATZ` may work where nothing else does.
                if !self.silent_after_reset {
                    must(self.connection.command(&Command::reset()).await)?;
                }
            }
            Err(down) => return Err(down),
        }
        self.arm().await
    }

    /// What is to be said of the modem's answers.
    async fn complaint(&mut self) -> Result<Finding, Down> {
        let attention = match self.connection.command(&Command::set("AT")).await {
            Ok(attention) => attention,
            Err(CommandError::Down(down)) => return Err(down),
            Err(CommandError::Silent { command }) => {
                tracing::warn!("the modem does not answer {command}: resynchronising");
                let resync = self.connection.resync().await;
                resync.map_err(CommandError::into_down)?;
                // It may have been in a stream, and off-hook, by somebody else's doing.
                return Ok(Finding::Strange("it answers again".into()));
            }
        };
        if attention.numeric && !self.health.numbers_are_usual {
            return Ok(Finding::Wrong("the modem has reset itself".into()));
        }
        if !attention.is_ok() {
            // Noise may have stood before it.
            match self.connection.resync().await {
                Ok(()) => {}
                Err(CommandError::Down(down)) => return Err(down),
                Err(CommandError::Silent { .. }) => {
                    let complaint = "the modem answers AT with an error";
                    return Ok(Finding::Wrong(complaint.into()));
                }
            }
        }
        Ok(match self.discrepancy(false).await? {
            Some(discrepancy) => Finding::Wrong(discrepancy),
            // Its name and the format of its samples, which it is not asked for here, may be answers to
            // something else.
            None if self.health.strange => {
                Finding::Strange("the modem said what it should not have".into())
            }
            None => Finding::Well,
        })
    }
}

/// How a modem is that was asked.
enum Finding {
    Well,
    /// It is to be set up again, for this reason.
    Wrong(String),
    /// Nothing that was known of it may be true, for this reason.
    Strange(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Event = Event::Ring(RingForm::Text);
    const SHIELDED: Event = Event::Ring(RingForm::Shielded);

    fn caller_id() -> Event {
        Event::CallerId {
            id: crate::modem::caller_id::CallerId::default(),
            revision: false,
        }
    }

    #[test]
    fn a_call_postpones_the_look() {
        let start = Instant::now();
        let mut health = Health::starting(start);
        let just_before = start + EVERY.saturating_sub(Duration::from_secs(1));
        health.saw(&TEXT, RestingClass::Data, just_before);
        health.saw(&caller_id(), RestingClass::Data, just_before);
        assert_eq!(health.next_look(), just_before + AFTER_A_RING);
        health.looked(just_before);
        assert_eq!(health.next_look(), just_before + EVERY);
    }

    #[test]
    fn rings_without_the_caller_id_that_used_to_come_hasten_it_and_make_the_modem_doubtful() {
        let start = Instant::now();
        let mut health = Health::starting(start);
        health.saw(&caller_id(), RestingClass::Data, start);
        let start = start + CALL_OVER;
        for rings in 1..=RINGS_WITHOUT_CALLER_ID {
            health.saw(&TEXT, RestingClass::Data, start);
            assert_eq!(health.next_look(), start + CALL_OVER);
            assert_eq!(health.is_doubtful(), rings == RINGS_WITHOUT_CALLER_ID);
        }
    }

    #[test]
    fn a_line_that_never_had_caller_id_is_looked_at_once_an_hour() {
        let start = Instant::now();
        let mut health = Health::starting(start);
        health.saw(&TEXT, RestingClass::Data, start);
        assert_eq!(health.next_look(), start + CALL_OVER);
        health.found_well(start + CALL_OVER);
        for minutes in [1, 10, 59] {
            let later = start + Duration::from_mins(minutes);
            health.saw(&TEXT, RestingClass::Data, later);
            assert_eq!(health.odd, None, "after {minutes} min");
        }
        let later = start + CALL_OVER + ASKED_WHERE_NONE_IS_USUAL;
        health.saw(&TEXT, RestingClass::Data, later);
        assert_eq!(health.next_look(), later + CALL_OVER);
    }

    #[test]
    fn text_in_the_voice_class_is_odd_until_it_is_known_to_be_the_way_of_this_modem() {
        let start = Instant::now();
        let mut health = Health::starting(start);
        health.caller_id_seen = true;
        for (ring, class, odd) in [
            (SHIELDED, RestingClass::Voice, false),
            (TEXT, RestingClass::Data, false),
            (TEXT, RestingClass::Voice, true),
        ] {
            health.saw(&ring, class, start);
            health.saw(&caller_id(), class, start);
            assert_eq!(health.odd.is_some(), odd, "{ring:?} {class:?}");
        }
        health.found_well(start);
        health.saw(&TEXT, RestingClass::Voice, start);
        health.saw(&caller_id(), RestingClass::Voice, start);
        assert_eq!(health.odd, None);
    }
}
