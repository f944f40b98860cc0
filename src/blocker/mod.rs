//! From a ring to the end of the call.
//!
//! [`machine`] is the call's state machine, pure; [`daemon`] carries out what it asks for. A
//! [`CallHandler`] decides about callers and may take part in calls.

mod action;
mod call;
pub mod daemon;
pub(crate) mod ears;
mod handler;
mod live_policy;
pub mod machine;
mod off_hook;
mod own_sound;
mod ringing;
mod rings;
mod status;
mod upkeep;

pub use action::BlockAction;
pub use ears::Listening;
pub use handler::{CallControl, CallHandler, ListScreen};
pub use live_policy::LivePolicy;

#[cfg(test)]
mod tests;
