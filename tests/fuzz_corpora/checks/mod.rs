//! What must hold for any bytes at all, one module for each kind of input.
//!
//! The fuzz targets in `fuzz/fuzz_targets` and the tests over the corpora call the same functions. A
//! check panics if something does not hold. The bytes of an input are all that it depends on.

#![allow(
    dead_code,
    reason = "each fuzz target is a crate of its own and calls one check"
)]

pub(crate) mod caller_id;
pub(crate) mod control;
pub(crate) mod dle_stream;
pub(crate) mod list;
mod playing;
pub(crate) mod scenario;
pub(crate) mod trace;
pub(crate) mod wav;
pub(crate) mod wire;

use std::time::Duration;

/// Takes the first byte, which chooses between variants, off the input; 0 if there is none.
fn choice<'a>(input: &mut &'a [u8]) -> u8 {
    let whole: &'a [u8] = input;
    let Some((first, rest)) = whole.split_first() else {
        return 0;
    };
    *input = rest;
    *first
}

/// The ways in which the bytes of every check are cut: not at all, each alone, and in pieces between.
fn cuts(bytes: &[u8]) -> [Vec<&[u8]>; 3] {
    [
        vec![bytes],
        bytes.chunks(1).collect(),
        bytes.chunks(1 + bytes.len() % 61).collect(),
    ]
}

/// So long after whatever came before, the line is at rest.
const MUCH_LATER: Duration = Duration::from_secs(30);
