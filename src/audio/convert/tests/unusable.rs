//! What cannot be used, and what is said of it.

use super::*;
use std::ops::ControlFlow;

#[test]
fn what_can_be_played_is_known_from_the_header() {
    let folder = tempfile::tempdir().unwrap();
    let check = |bytes: &[u8]| playable(&write(folder.path(), "a.wav", bytes));
    for &kind in KINDS {
        check(&sound(kind, 0.01, |_| 0.0)).unwrap();
    }
    let table = [
        (wav(kind(1, 1, 44_100, 16), &[]), "without any sound"),
        (
            wav(kind(2, 1, 8000, 4), &[0; 99]),
            "ADPCM, mono, 8000 Hz, which",
        ),
        (wav(kind(1, 0, 8000, 8), &[0; 99]), "no channels"),
        (wav(kind(1, 1, 0, 8), &[0; 99]), "is 0 Hz"),
        (wav(kind(1, 1, 4_000_000, 8), &[0; 99]), "is 4000000 Hz"),
        (wav(kind(3, 1, 8000, 16), &[0; 99]), "16-bit floating point"),
        (wav(kind(1, 1, 8000, 0), &[0; 99]), "0-bit"),
        (
            b"fLaC0123456789".to_vec(),
            "a FLAC file, not a WAV file; convert it with: callblock convert",
        ),
        (b"no sound at all".to_vec(), "sox or ffmpeg"),
    ];
    for (bytes, expected) in table {
        let said = check(&bytes).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn why_a_file_cannot_be_converted_or_listened_to_is_said_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.wav");
    let table: [(&[u8], &str); 8] = [
        (b"", "it is an empty file"),
        (b"no sound at all", "it is no sound file that callblock"),
        (&[0; 4000], "it is no sound file that callblock"),
        (b"\0\0\0\x20ftypM4A ", "it is no sound file that callblock"),
        (b"fLaC\0\0\0\x22\x10", "it is cut off or damaged"),
        (b"OggS\0\x02", "it is cut off or damaged"),
        (b"ID3\x04\0\0\0\0\x40\0no more", "it is cut off or damaged"),
        (b"FORM\0\0\0\x7fAIFFCOMM", "it is cut off or damaged"),
    ];
    for (bytes, expected) in table {
        let path = write(folder.path(), "a.mp3", bytes);
        let heard = as_recorded(&path).map(|_| ());
        let converted = convert_file(&path, &output, false, |_| ControlFlow::Continue(()));
        for failed in [heard, converted.map(|_| ())] {
            let said = failed.unwrap_err().to_string();
            assert!(said.starts_with(expected), "{said}");
            assert!(!said.contains(": "), "{said}");
        }
    }
}
