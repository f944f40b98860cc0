//! `callblock convert`, as a user runs it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use callblock::audio::wav::WavReader;
use callblock::audio::{ConvertError, convert_file};
use proptest::prelude::*;
use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The tone in the files, in Hz.
const TONE: f64 = 1004.0;
/// A file of each kind, and how many samples of the line it lasts at least and at most: what
/// encoders put before and after the sound is theirs.
const SOUNDS: [(&str, u64, u64); 4] = [
    ("tone.aiff", 3200, 3200),
    ("tone.flac", 2400, 2400),
    ("tone.ogg", 8000, 8000),
    ("tone.mp3", 8000, 8600),
];

fn sounds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sounds")
}

fn convert(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_callblock"))
        .arg("convert")
        .args(arguments)
        .output()
        .unwrap()
}

fn samples(path: &Path) -> Vec<u8> {
    WavReader::open(path)
        .unwrap()
        .read_block(usize::MAX)
        .unwrap()
}

/// The level of a frequency in decibels below full scale; the ends of the file are left out.
fn level(samples: &[u8], hertz: f64) -> f64 {
    let inner = &samples[400..samples.len() - 400];
    let (mut real, mut imaginary, mut weights) = (0.0, 0.0, 0.0);
    for (at, sample) in inner.iter().enumerate() {
        let value = (f64::from(*sample) - 128.0) / 128.0;
        let phase = TAU * hertz * at as f64 / 8000.0;
        let weight = 1.0 - (TAU * at as f64 / inner.len() as f64).cos();
        real += weight * value * phase.cos();
        imaginary += weight * value * phase.sin();
        weights += weight;
    }
    20.0 * (2.0 * f64::hypot(real, imaginary) / weights).log10()
}

#[test]
fn every_kind_of_file_becomes_one_for_the_line() {
    let folder = tempfile::tempdir().unwrap();
    for (name, least, most) in SOUNDS {
        let output = folder.path().join(name).with_extension("wav");
        let _ = fs::remove_file(&output);
        let run = convert(&[&sounds().join(name), &output]);
        assert!(run.status.success(), "{name}: {run:?}");
        assert!(run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
        let line = samples(&output);
        assert!(
            (least..=most).contains(&(line.len() as u64)),
            "{name}: {}",
            line.len()
        );
        let tone = level(&line, TONE);
        assert!((tone + 4.0).abs() < 0.5, "{name}: {tone} dB");
        for other in [850.0, 1150.0, 2008.0, 3012.0] {
            let rest = level(&line, other);
            assert!(rest < -40.0, "{name}: {rest} dB at {other} Hz");
        }
    }
}

#[test]
fn a_file_that_is_right_already_is_copied_and_nothing_is_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let prompt = Path::new(env!("CARGO_MANIFEST_DIR")).join("play/hello.wav");
    let output = folder.path().join("out.wav");
    assert!(convert(&[&prompt, &output]).status.success());
    assert_eq!(samples(&output), samples(&prompt));

    fs::write(&output, "mine").unwrap();
    let refused = convert(&[&prompt, &output]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(said.lines().count(), 1);
    assert!(
        said.contains("out.wav: it is there already; --force"),
        "{said}"
    );
    assert_eq!(fs::read(&output).unwrap(), b"mine");

    let failed = convert(&[Path::new("--force"), &sounds().join("README.md"), &output]);
    assert_eq!(failed.status.code(), Some(2));
    assert_eq!(
        fs::read(&output).unwrap(),
        b"mine",
        "kept if the new one fails"
    );
    assert!(
        convert(&[Path::new("--force"), &prompt, &output])
            .status
            .success()
    );
    assert_eq!(samples(&output), samples(&prompt));
    // Even in its own place.
    assert!(
        convert(&[Path::new("--force"), &output, &output])
            .status
            .success()
    );
    assert_eq!(samples(&output), samples(&prompt));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_converted_is_named_in_one_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.wav");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let flac = fs::read(sounds().join("tone.flac")).unwrap();
    let table = [
        (
            write("text", b"no sound at all"),
            "text: it is no sound that callblock can read",
        ),
        (write("empty", b""), "empty: it is no sound"),
        (
            write("a.mp4", b"\0\0\0\x20ftypisom"),
            "a.mp4: it is no sound",
        ),
        (
            write("cut.wav", b"RIFF\0\0\0\0WAVEfmt "),
            "cut.wav: it is a damaged WAV file",
        ),
        (write("head.flac", &flac[..60]), "head.flac: it is"),
        (folder.path().join("absent"), "absent: No such file"),
        (folder.path().to_path_buf(), "it is not a file"),
    ];
    for (input, expected) in &table {
        let run = convert(&[input, &output]);
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(!output.exists(), "{said}");
    }
    let nowhere = folder.path().join("absent/out.wav");
    let run = convert(&[&sounds().join("tone.flac"), &nowhere]);
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("out.wav: it cannot be written"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Files with a few changed bytes, cut anywhere: each is converted or refused, and what comes of
    /// it is no longer than the file could be.
    #[test]
    fn damaged_files_are_converted_or_refused(
        which in 0..SOUNDS.len(),
        changes in proptest::collection::vec((0_usize..2000, any::<u8>()), 0..8),
        cut in 0_usize..20_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in"), folder.path().join("out.wav"));
        let mut bytes = fs::read(sounds().join(SOUNDS[which].0)).unwrap();
        bytes.truncate(cut);
        for (at, value) in changes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        fs::write(&input, &bytes).unwrap();
        match convert_file(&input, &output, false, |_| {}) {
            Ok(_) => prop_assert!(fs::metadata(&output).unwrap().len() < 1_000_000),
            Err(ConvertError::Exists | ConvertError::Unwritten(_)) => prop_assert!(false),
            Err(_) => prop_assert!(!output.exists()),
        }
    }
}
