//! What fuzzing has found worth keeping, run as a plain test: every file of `fuzz/corpus` and
//! `fuzz/regressions` through the check of its fuzz target. See `fuzz/README.md`.

#![expect(
    clippy::unwrap_used,
    reason = "a test program: what is missing fails the test"
)]

mod checks;

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// A test for each fuzz target, and the names of all.
macro_rules! targets {
    ($($target:ident)*) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),*];
        $(
            #[test]
            fn $target() {
                every_file(stringify!($target), checks::$target::check);
            }
        )*
    };
}

targets!(caller_id control dle_stream list scenario trace wav wire);

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn every_file(target: &str, check: fn(&[u8])) {
    let corpus = files_in(&fuzz_folder().join("corpus").join(target));
    assert!(!corpus.is_empty(), "{target} has no corpus");
    let regressions = files_in(&fuzz_folder().join("regressions").join(target));
    for file in corpus.iter().chain(&regressions) {
        let bytes = std::fs::read(file).unwrap();
        let held = catch_unwind(|| check(&bytes));
        assert!(held.is_ok(), "{} does not hold", file.display());
    }
    check(b"");
}

#[test]
fn every_fuzz_target_is_tested_here() {
    let targets: BTreeSet<String> = files_in(&fuzz_folder().join("fuzz_targets"))
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(targets.iter().eq(TARGETS), "{targets:?}");
}
