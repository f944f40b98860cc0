//! The shielded stream: see `checks::dle_stream`.

#![no_main]

#[path = "../../tests/fuzz_corpora/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::dle_stream::check(input));
