//! What people override to make a call blocker of their own.

use super::LivePolicy;
use crate::audio::TimeZone;
use crate::call::CallRecord;
use crate::clock::{SystemClock, WallClock};
use crate::modem::caller_id::MessageWaiting;
use crate::screen::answer::answer;
use crate::screen::{Caller, Policy, Verdict};
use serde_json::Value;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Decides about callers and takes part in calls. Every method has a sensible default but
/// [`on_call`](Self::on_call).
///
/// All are called from the daemon's loop: they must return at once. What they wish for is done by
/// the daemon after they return.
pub trait CallHandler: Send {
    /// The phone rings. `burst` counts the rings of this call from 1; double rings count once.
    fn on_ring(&mut self, burst: u32) {
        let _ = burst;
    }

    /// Reads what the line says of a caller; how numbers are written differs by country.
    fn read_caller(&self, number: Option<&str>, name: Option<&str>) -> Caller {
        Caller::from_line(number, name)
    }

    /// Somebody calls: may he ring? Also asked for calls without caller ID, and again when caller ID
    /// comes late.
    fn on_call(&mut self, caller: &Caller) -> Verdict;

    /// A call is over; this is its row.
    fn on_call_over(&mut self, call: &CallRecord) {
        let _ = call;
    }

    /// A request on the control socket that the daemon itself does not know: the answer, or `None`.
    fn on_request(&mut self, request: &Value) -> Option<Value> {
        let _ = request;
        None
    }

    /// The network's message-waiting indicator changed.
    fn on_message_waiting(&mut self, waiting: MessageWaiting) {
        let _ = waiting;
    }

    /// The caller pressed a key during a blocked call: `0`–`9`, `A`–`D`, `*`, `#`.
    fn on_dtmf(&mut self, digit: char, control: &mut CallControl) {
        let _ = (digit, control);
    }

    /// The caller of a duplex call was silent for the time asked for. By default a file of the play
    /// folder is played.
    fn on_silence(&mut self, control: &mut CallControl) {
        control.play_from_folder();
    }
}

/// What a [`CallHandler`] wishes to happen in the call going on.
#[derive(Debug, Default)]
pub struct CallControl {
    pub(super) wishes: Vec<Wish>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    Play(PathBuf),
    PlayFromFolder,
    StopPlaying,
    HangUp,
}

impl CallControl {
    /// Plays a WAV file after those already being played. Without a stream that sends, it is ignored.
    pub fn play(&mut self, file: impl AsRef<Path>) {
        self.wishes.push(Wish::Play(file.as_ref().to_owned()));
    }

    /// Plays a file of the play folder, not the one played last.
    pub fn play_from_folder(&mut self) {
        self.wishes.push(Wish::PlayFromFolder);
    }

    /// Ends what is being played, and forgets what was to be played after it.
    pub fn stop_playing(&mut self) {
        self.wishes.push(Wish::StopPlaying);
    }

    /// Ends the call.
    pub fn hang_up(&mut self) {
        self.wishes.push(Wish::HangUp);
    }
}

/// The handler of the plain daemon: it decides by lists.
#[derive(Debug)]
pub struct ListScreen {
    policy: LivePolicy,
    clock: Arc<dyn WallClock>,
    time_zone: TimeZone,
    /// Verdicts on calls that are not over, the oldest first.
    open: VecDeque<Verdict>,
}

/// Calls that can be going on at once: one in the line and those that knock.
const MOST_OPEN: usize = 8;

impl ListScreen {
    /// Decides by this policy. The hours and days of its lists are those of the system's clock, in UTC.
    pub fn new(policy: Policy) -> Self {
        Self::following(LivePolicy::new(policy))
    }

    /// The same with a policy that can be replaced through another handle.
    pub fn following(policy: LivePolicy) -> Self {
        Self {
            policy,
            clock: Arc::new(SystemClock),
            time_zone: TimeZone::UTC,
            open: VecDeque::new(),
        }
    }

    /// The same with the hours and days of this clock in this time zone.
    #[must_use]
    pub fn by_clock(mut self, clock: Arc<dyn WallClock>, time_zone: TimeZone) -> Self {
        self.clock = clock;
        self.time_zone = time_zone;
        self
    }
}

impl CallHandler for ListScreen {
    fn read_caller(&self, number: Option<&str>, name: Option<&str>) -> Caller {
        self.policy
            .read(|policy| Caller::from_line_in(&policy.numbering, number, name))
    }

    fn on_call(&mut self, caller: &Caller) -> Verdict {
        let now = self.time_zone.moment(self.clock.now());
        let verdict = self.policy.screen(caller, now);
        if self.open.len() == MOST_OPEN {
            self.open.pop_front();
        }
        self.open.push_back(verdict.clone());
        verdict
    }

    fn on_call_over(&mut self, call: &CallRecord) {
        // The newest verdict that this row was decided by: a call may be screened twice.
        let decided = |verdict: &Verdict| verdict.reason == call.reason;
        if let Some(newest) = self.open.iter().rposition(decided)
            && let Some(verdict) = self.open.remove(newest)
        {
            self.policy.call_over(&verdict, self.clock.now());
        }
    }

    fn on_request(&mut self, request: &Value) -> Option<Value> {
        let now = self.time_zone.moment(self.clock.now());
        self.policy
            .change(|policy, hits| answer(policy, hits, request, now))
    }
}
