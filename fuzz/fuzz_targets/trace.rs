//! Traces of the port: see `checks::trace`.

#![no_main]

#[path = "../../tests/fuzz_corpora/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::trace::check(input));
