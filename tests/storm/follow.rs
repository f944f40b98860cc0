//! Follows what was seen on the line: which calls there were, and which rows the log must have.
//!
//! Rows are told from what the line reported, by what a subscriber would expect: who rings without
//! caller ID within 8 s after somebody else is taken for him, who is announced is a caller of his own,
//! and what is said twice of one call is said of one call. What the daemon did plays no part in it,
//! except that it was there, and had the line or not.

mod announced;

use crate::line::{Block, Call, Expected, Line, ON_THE_WAY, Who};
use crate::memory::Memory;
use crate::plan::{Burst, KNOCK, Planned, ROBOT};
use crate::rings::{RINGS, Ringing, Told};
use crate::seen::{KILLED, STOPPED, Sight, What, is_call_waiting, needs_arming};
use callblock::emulator::Happening;
use std::time::Duration;

/// From a decision to the line: a command and its way.
const COMMAND: Duration = Duration::from_millis(500);
/// The slowest answer of a modem.
const SLOW_ANSWER: Duration = Duration::from_secs(1);
/// A row is there within a second of the first ring.
const ROW_DUE: Duration = Duration::from_secs(1);
/// A block without a name is complete when nothing more of it comes.
const BLOCK_QUIET: Duration = Duration::from_millis(300);

/// Follows what was seen; on the way, what must never be.
pub fn follow<'a>(
    burst: &'a Burst,
    sights: &[Sight],
    memory: &mut Memory,
) -> Result<Line<'a>, String> {
    let mut follower = Follower {
        line: Line {
            calls: Vec::new(),
            rows: Vec::new(),
            more_bytes: memory.more_bytes,
        },
        planned: burst.calls.iter(),
        memory,
        alive: true,
        armed: true,
        attached: true,
        off_hook: false,
        in_call: false,
        taken: false,
        hanging_up: false,
        on_line: None,
        ringing: None,
        rang_after: None,
        next: None,
        answered: None,
        answers: 0,
        block: None,
        last_ring: None,
        ring_inside: None,
        voice: None,
        heard: None,
    };
    for sight in sights {
        follower.sight(sight)?;
    }
    let calls = follower.line.calls.len();
    if calls == burst.calls.len() {
        Ok(follower.line)
    } else {
        Err(format!("{calls} calls on the line"))
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "the process, the modem, the line and the daemon each are in a state of their own"
)]
struct Follower<'a, 'm> {
    line: Line<'a>,
    planned: std::slice::Iter<'a, Planned>,
    memory: &'m mut Memory,
    /// There is a process.
    alive: bool,
    /// It hears whatever the modem has to tell of the line.
    armed: bool,
    /// It has the modem.
    attached: bool,
    /// The modem has the line.
    off_hook: bool,
    /// The daemon takes the line for its own.
    in_call: bool,
    /// The modem said that it has the line for this.
    taken: bool,
    /// It has begun to give it back.
    hanging_up: bool,
    /// The call that is on the line.
    on_line: Option<usize>,
    ringing: Option<Ringing>,
    /// The first ring that came after the modem gave the line back and before its word on it.
    rang_after: Option<Duration>,
    /// Who was announced then.
    next: Option<Ringing>,
    /// The row of the call that was picked up last, and how often it was.
    answered: Option<usize>,
    answers: u32,
    /// A block that is not complete yet.
    block: Option<Block>,
    last_ring: Option<Duration>,
    /// The last that came in the middle of an answer.
    ring_inside: Option<Duration>,
    /// Since when sound comes in.
    voice: Option<Duration>,
    /// The call that it is recorded for.
    heard: Option<usize>,
}

impl Follower<'_, '_> {
    fn sight(&mut self, Sight { at, what }: &Sight) -> Result<(), String> {
        if self.block.as_ref().is_some_and(|block| block.due <= *at) {
            self.complete_block(*at);
        }
        self.memory.remember(what);
        self.line.more_bytes |= self.memory.more_bytes;
        match what {
            What::Begins => self.alive = true,
            What::Armed { .. } => (self.armed, self.attached) = (true, true),
            What::Lost(why) => self.lost(*at, why),
            What::Line(happening) => self.happening(*at, happening)?,
            What::Answered => self.taken = true,
            What::Ended(outcome) if !is_call_waiting(outcome) => self.ended(*at),
            _ => {}
        }
        Ok(())
    }

    fn lost(&mut self, at: Duration, why: &str) {
        if why == KILLED {
            self.block = None;
        } else {
            // It is not lost with the port.
            self.complete_block(at);
        }
        (self.armed, self.attached) = (false, false);
        self.alive &= why != KILLED && why != STOPPED;
        // Nothing of it was written yet, or it was lost on its way.
        let due = if why == KILLED { ROW_DUE } else { ON_THE_WAY };
        for row in &mut self.line.rows {
            row.certain &= row.began.iter().all(|began| at >= began.0 + due);
        }
        self.rings_on_after_loss(at, why != KILLED && why != STOPPED);
        self.in_call = false;
        self.rang_after = None;
        self.next = None;
        self.end_voice(at);
    }

    /// Whose rings those are that come soon after the modem was lost: of a blocked call that was not
    /// picked up, or was before.
    fn rings_on_after_loss(&mut self, at: Duration, same_process: bool) {
        let ringing = match self.next.take() {
            Some(next) => Some(next),
            None => self.ringing.take().filter(|_| !self.in_call),
        };
        if !same_process {
            return;
        }
        let row = match &ringing {
            Some(Ringing {
                answered_until: Some(_),
                ..
            }) => {
                self.ringing = ringing;
                return;
            }
            Some(ringing) => {
                let blocked = |told: &Told| told.is_mark() || told.number.starts_with(ROBOT);
                let told = ringing.told.as_ref();
                told.is_some_and(blocked).then_some(ringing.row)
            }
            None => self.answered.filter(|_| self.in_call && !self.taken),
        };
        self.ringing = row.map(|row| {
            self.answers = 1;
            let mut ringing = Ringing::new(row, at);
            ringing.answered_until = Some(at + RINGS);
            ringing
        });
    }

    fn end_voice(&mut self, at: Duration) {
        if let (Some(began), Some(call)) = (self.voice.take(), self.heard) {
            self.line.calls[call].voice += at.saturating_sub(began);
        }
    }

    fn happening(&mut self, at: Duration, happening: &Happening) -> Result<(), String> {
        match happening {
            Happening::CallBegins(number) if !number.starts_with(KNOCK) => {
                self.begins(at, false)?;
            }
            Happening::CallerFoundBusy(number) if !number.starts_with(KNOCK) => {
                self.begins(at, true)?;
            }
            Happening::CallEnded => self.on_line = None,
            Happening::Fault(what) if needs_arming(what) => {
                if what != "Forget" {
                    self.end_voice(at);
                }
                // It says nothing, or something else than is understood.
                self.armed = false;
                self.doubt();
            }
            // The port is opened anew, and what comes meanwhile is thrown away.
            Happening::Dtr(false) => self.armed = false,
            Happening::Ring | Happening::Code(b'R') => self.ring(at),
            // Anything may be in it.
            Happening::Fault(what) if what.starts_with("Garbage") => self.last_ring = Some(at),
            // In the middle of an answer.
            Happening::Fault(what) if what == "ring inside" => {
                self.ring(at);
                self.ring_inside = Some(at);
                let row = self.ringing.as_ref().map(|ringing| ringing.row);
                if let Some(row) = row.and_then(|row| self.line.rows.get_mut(row))
                    && let Some((began, delay)) = row.began.last_mut()
                    && *began == at
                {
                    *delay = SLOW_ANSWER;
                }
            }
            Happening::Code(b'H' | b'P') => {
                // Whoever is talked to from now on was announced before.
                self.complete_block(at);
                if !self.off_hook {
                    self.handset_lifted(at);
                }
            }
            Happening::CallerId(text) => self.block_begins(at, text),
            Happening::Command(line) => {
                // The first word on a port that was opened; that it is armed is told late.
                self.attached |= self.alive && line == "AT";
                let seizes = ["ATA", "ATH1", "AT+VLS=1"].contains(&line.as_str());
                if seizes && self.attached {
                    self.seizes();
                }
                let gives_back = ["ATH0", "AT+VLS=0"].contains(&line.as_str());
                self.hanging_up = !seizes && (self.hanging_up || gives_back);
            }
            Happening::OffHook => self.picked_up(at)?,
            Happening::OnHook => {
                self.off_hook = false;
                if let Some(call) = self.line.calls.last_mut() {
                    call.on_hook = Some(at);
                }
                self.end_voice(at);
            }
            Happening::VoiceBegins("VRX" | "VTR") if self.attached => self.voice = Some(at),
            Happening::VoiceEnds | Happening::Unplugged => {
                // Nothing is done on the line after a stream but to give it back.
                self.hanging_up |= self.in_call;
                self.end_voice(at);
            }
            _ => {}
        }
        Ok(())
    }

    fn begins(&mut self, at: Duration, busy: bool) -> Result<(), String> {
        let planned = self.planned.next().ok_or("a call that was not planned")?;
        if !busy {
            self.on_line = Some(self.line.calls.len());
        }
        self.line.calls.push(Call {
            planned,
            began: at,
            announced: false,
            blurred: false,
            doubtful: false,
            rings: Vec::new(),
            picked_up: Vec::new(),
            on_hook: None,
            voice: Duration::ZERO,
        });
        Ok(())
    }

    /// A row begins.
    fn expect(&mut self, who: Who, began: Duration, certain: bool) -> usize {
        self.line.rows.push(Expected {
            who,
            began: vec![(began, ON_THE_WAY)],
            certain,
        });
        self.line.rows.len() - 1
    }

    fn ring(&mut self, at: Duration) {
        if self.block.is_some() {
            self.complete_block(at);
        }
        self.last_ring = Some(at);
        if let Some(call) = self.on_line {
            self.line.calls[call].rings.push(at);
        }
        self.doubt();
        if !self.alive {
            return;
        }
        if self.in_call {
            if self.on_line.is_none() {
                self.expect(Who::Nobody, at, false);
            }
            if let Some(next) = &mut self.next {
                next.ring(at, &mut self.memory.beat);
            } else if self.hanging_up {
                self.rang_after.get_or_insert(at);
            }
            if let (false, Some(call)) = (self.off_hook || self.hanging_up, self.on_line) {
                self.line.calls[call].blurred = true;
            }
            return;
        }
        let who = self.on_line.map_or(Who::Nobody, Who::Call);
        let mut ringing = match self.ringing.take().filter(|ringing| !ringing.is_over(at)) {
            Some(ringing) => ringing,
            None => Ringing::new(self.expect(who.clone(), at, self.armed), at),
        };
        // Whether it came in time, and on the beat, depends on when the answer did.
        let doubtful = self
            .ring_inside
            .is_some_and(|inside| at > inside && at < inside + RINGS + SLOW_ANSWER);
        if let (true, Some(call)) = (doubtful, self.on_line) {
            self.line.calls[call].blurred = true;
        }
        ringing.ring(at, &mut self.memory.beat);
        if let Some(until) = &mut ringing.answered_until {
            *until = at + RINGS;
            if ringing.turned == Some(at) {
                // Another may ring now.
                ringing.first = Some(at);
            }
        } else {
            let row = &mut self.line.rows[ringing.row];
            if !row.certain {
                row.began.push((at, ON_THE_WAY));
            }
            row.certain |= self.armed;
            if row.who == Who::Nobody {
                row.who = who;
            }
        }
        self.ringing = Some(ringing);
    }

    /// Something of the call on the line comes now.
    fn doubt(&mut self) {
        if let (false, Some(call)) = (self.armed, self.on_line) {
            self.line.calls[call].doubtful = true;
        }
    }

    fn handset_lifted(&mut self, at: Duration) {
        if let Some(ringing) = &mut self.ringing {
            ringing.turned = Some(at);
            ringing.first = None;
        }
    }

    /// The daemon takes the line.
    fn seizes(&mut self) {
        self.taken &= self.in_call;
        if !self.in_call {
            self.heard = self.line.calls.len().checked_sub(1);
        }
        self.in_call = true;
        if let Some(ringing) = self.ringing.take() {
            let again = ringing.answered_until.is_some();
            self.answers = if again { self.answers + 1 } else { 1 };
            self.answered = Some(ringing.row);
        }
    }

    fn picked_up(&mut self, at: Duration) -> Result<(), String> {
        let last_ring = self.last_ring;
        if last_ring.is_none_or(|ring| at > ring + RINGS + COMMAND) {
            return Err(format!("picked up at {at:?}, last ring at {last_ring:?}"));
        }
        self.off_hook = true;
        let call = self.line.calls.last_mut();
        let call = call.ok_or("picked up without a call")?;
        // Who rings on without caller ID is taken for him who was answered before.
        let taken_for_another = (self.answers > 1 || call.blurred) && !call.announced;
        if !taken_for_another && (!call.planned.caller.is_blocked() || !call.announced) {
            return Err(format!("picked up at {at:?}: {:?}", call.planned));
        }
        call.picked_up.push(at);
        Ok(())
    }

    /// The daemon is done with a call.
    fn ended(&mut self, at: Duration) {
        if !std::mem::take(&mut self.in_call) {
            return;
        }
        let rang = self.rang_after.take();
        if let Some(next) = self.next.take().filter(|next| !next.is_over(at)) {
            self.ringing = Some(next);
            return;
        }
        let Some(row) = self.answered else { return };
        let mut ringing = Ringing::new(row, at);
        if let Some(rang) = rang {
            ringing.ring(rang, &mut self.memory.beat);
        }
        ringing.answered_until = Some(at + RINGS);
        self.ringing = Some(ringing);
    }
}
