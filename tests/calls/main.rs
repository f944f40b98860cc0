#![expect(unreachable_pub, reason = "modules of one test program")]
//! Whole calls through the real daemon and the emulated modem, on paused time.

mod chips;
mod faults;
mod house;
mod modes;
mod ringing;
