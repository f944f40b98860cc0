//! A voice modem and the telephone line behind it, in software.
//!
//! Without hardware the whole daemon runs against this: it speaks what modems are known to say, byte
//! for byte, and behind it hang a line that rings, a caller who speaks and hangs up, and a person in
//! the house with a handset. It can also go wrong in every way modems are known to go wrong.
//!
//! [`EmulatedModem`] is the core: bytes, instants and scenarios in, bytes out; it has no clock, no
//! file and no task. Two shells put it to work: [`memory`], a link inside one process that runs on
//! paused tokio time, and [`pty`], a real pseudo-terminal that any program can open. A [`Journal`]
//! tells what happened on the line, whichever shell is used.
//!
//! It emulates modems, not the needs of a driver: nothing here knows what the driver of this crate
//! does. Replies and timings come from manuals of the chips and from logs of real units; where those
//! are silent it does what a patient driver should survive.

mod agenda;
mod caller_id;
mod chip;
mod command;
mod far_end;
mod fault;
mod hybrid;
mod interpreter;
mod journal;
mod line;
mod linked;
pub mod memory;
mod modem;
mod operations;
pub mod pty;
mod reports;
pub mod scenario;
mod settings;
mod sound;
mod stream;
#[cfg(test)]
mod tests;
mod voice;

pub use caller_id::{Form, Format};
pub use chip::Chip;
pub use fault::{Cure, Fault, FaultKind, Trigger, Unplug};
pub use journal::{AudioSpan, Entry, Happening, Journal};
pub use linked::LinkedModem;
pub use memory::{LinkOptions, MemoryJack, MemoryModem};
pub use modem::{EmulatedModem, PlugChange};
pub use pty::{PtyModem, PtyOptions};
pub use scenario::{
    Cadence, Call, CallerIdTime, Dial, Ending, FaxResult, MessageWaiting, Scenario, ScenarioError,
    StoredResults,
};
pub use sound::Sound;
