//! Whole calls through the real daemon and the emulated modem, on paused time.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    reason = "a test program: what is missing fails the test"
)]

mod chips;
mod faults;
mod house;
mod modes;
mod recovery;
mod ringing;
mod stopping;
