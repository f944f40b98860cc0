//! Caller ID in all its forms: see `checks::caller_id`.

#![no_main]

#[path = "../../tests/fuzz_corpora/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::caller_id::check(input));
