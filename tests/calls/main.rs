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
mod hearing;
mod house;
#[path = "../listen_corpus/mod.rs"]
mod listen_corpus;
mod log;
mod modes;
mod own_sound;
mod recovery;
mod ringing;
mod settings;
mod sound;
mod stopping;
