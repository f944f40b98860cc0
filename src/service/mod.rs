//! The daemon as a guest of the operating system: log, service manager, signals.
//!
//! Knows nothing of calls, modems or lists.

pub mod control;
pub mod log;
pub mod notify;
pub mod signals;
