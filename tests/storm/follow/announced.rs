//! Whose a block of caller ID is, and when his row begins.

use super::{BLOCK_QUIET, Follower, SLOW_ANSWER};
use crate::line::{Block, ON_THE_WAY, Who};
use crate::plan::KNOCK;
use crate::rings::{RINGS, Ringing, Told};
use std::time::Duration;

impl Follower<'_, '_> {
    pub(super) fn block_begins(&mut self, at: Duration, text: &str) {
        let number = text
            .split_once("NMBR")
            .and_then(|(_, rest)| rest.split_once('='))
            .and_then(|(_, value)| value.trim_start().split(['\r', '\u{10}']).next())
            .unwrap_or_default()
            .to_owned();
        let who = if number.starts_with(KNOCK) {
            Who::Knock(number.clone())
        } else {
            let last = self.line.calls.len().checked_sub(1);
            if let Some(call) = self.line.calls.last_mut() {
                call.announced = true;
            }
            last.map_or(Who::Nobody, Who::Call)
        };
        self.doubt();
        let complete = text.contains("NAME");
        let due = if complete { at } else { at + BLOCK_QUIET };
        let armed = self.armed;
        self.block = Some(Block {
            due,
            who,
            number,
            armed,
        });
        if !self.alive {
            self.block = None;
        } else if complete {
            self.complete_block(at);
        }
    }

    pub(super) fn complete_block(&mut self, now: Duration) {
        let Some(Block {
            due,
            who,
            number,
            armed,
        }) = self.block.take()
        else {
            return;
        };
        let at = due.min(now);
        if self.in_call {
            return self.announced_in_call(at, who, number, armed);
        }
        let mut told = Told {
            number,
            at,
            bursts: 0,
        };
        let ringing = self.ringing.take().filter(|ringing| !ringing.is_over(at));
        let (began, next) = match ringing {
            Some(ringing) if ringing.answered_until.is_some() => {
                let own = ringing.first.filter(|_| self.answers == 1);
                (own.or_else(|| ringing.burst_of(&told)), ringing)
            }
            Some(ringing) if ringing.is_anothers(&told, self.memory.beat) => {
                (ringing.burst_of(&told), ringing)
            }
            Some(mut ringing) => {
                told.bursts = ringing.bursts;
                let row = &mut self.line.rows[ringing.row];
                if ringing.told.is_none() {
                    row.who = who;
                    ringing.told = Some(told);
                }
                if !row.certain {
                    row.began.push((at, ON_THE_WAY));
                }
                row.certain |= armed;
                self.ringing = Some(ringing);
                return;
            }
            None => (None, Ringing::new(0, at)),
        };
        let row = self.expect(who, began.unwrap_or(at), armed);
        let mut own = Ringing::new(row, began.unwrap_or(at));
        if began.is_some() {
            // His are the rings since.
            own.last = next.last;
            own.burst = next.burst;
            own.bursts = if next.answered_until.is_some() {
                next.bursts
            } else {
                1
            };
            own.gap = next.gap.filter(|_| next.answered_until.is_some());
        }
        // It rang before the modem's word that it was on-hook.
        let rang = self
            .last_ring
            .filter(|ring| next.answered_until.is_some() && began.is_none() && at < *ring + RINGS);
        let rows = &mut self.line.rows[row].began;
        rows.extend(rang.map(|ring| (ring, ON_THE_WAY)));
        told.bursts = own.bursts;
        own.told = Some(told);
        self.ringing = Some(own);
    }

    /// Somebody knocks, or is the next caller already.
    fn announced_in_call(&mut self, at: Duration, who: Who, number: String, armed: bool) {
        let mut told = Told {
            number,
            at,
            bursts: 0,
        };
        if let Some(next) = &mut self.next
            && !next.is_over(at)
            && !next.is_anothers(&told, self.memory.beat)
        {
            return;
        }
        let rang = match &self.next {
            Some(next) => next.burst_of(&told),
            None => self.rang_after,
        };
        let row = self.expect(who, rang.unwrap_or(at), armed);
        // It may come in the middle of an answer.
        self.line.rows[row].began.push((at, SLOW_ANSWER));
        if self.hanging_up {
            let mut next = Ringing::new(row, rang.unwrap_or(at));
            if let Some(rang) = rang {
                next.ring(rang, &mut self.memory.beat);
            }
            told.bursts = next.bursts;
            next.told = Some(told);
            self.next = Some(next);
        }
    }
}
