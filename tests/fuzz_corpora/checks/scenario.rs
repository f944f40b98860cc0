//! Scenario files, and the emulated modem that plays one while any bytes are written to it.
//!
//! A text is refused in words that can be printed, or it is a scenario that runs: time goes on, nothing
//! is due forever at the same instant, and what the modem keeps is bounded, whatever the program on its
//! port writes and whether it reads or not.

use super::choice;
use super::playing::play;
use callblock::emulator::{EmulatedModem, Scenario};
use std::time::Instant;

/// What a modem may take beside its scenario: a stream each way and a journal of so many steps.
const MOST_MEMORY: u64 = 16 << 20;
/// What is sent on its first steps, so that calls are announced.
const SET_UP: [&[u8]; 3] = [b"ATE0\r", b"AT+VCID=1\r", b"AT+FCLASS=8\r"];

/// The first byte chooses whether the program reads; then the scenario up to a byte 0, and what the
/// program writes behind it, a piece ending with each byte 0.
pub(crate) fn check(mut input: &[u8]) {
    let reads = choice(&mut input) & 1 == 0;
    let mut parts = input.split(|byte| *byte == 0);
    let Ok(text) = std::str::from_utf8(parts.next().unwrap_or_default()) else {
        return;
    };
    // A file that is named is sought on this machine: that says nothing about the reader.
    if text.contains("wav") {
        return;
    }
    match Scenario::parse(text) {
        Ok(scenario) => {
            let memory = allocation_counter::measure(|| {
                let start = Instant::now();
                let mut modem = EmulatedModem::new(scenario, start, 1);
                play(&mut modem, start, reads, SET_UP.into_iter().chain(parts));
            });
            assert!(memory.bytes_max < MOST_MEMORY, "{} bytes", memory.bytes_max);
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.len() < 1000 + text.len(), "{said}");
        }
    }
}
