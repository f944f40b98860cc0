//! Scenarios and the emulated modem: see `checks::scenario`.

#![no_main]

#[path = "../../tests/fuzz_corpora/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::scenario::check(input));
