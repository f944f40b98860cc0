//! WAV files, as they are played and as a crash leaves them.
//!
//! There are never more samples than the file has bytes, and as many as it says; reading takes memory
//! for a block and not for what a header claims; what is refused is refused in words that can be
//! printed. A recording that was repaired plays, has lost nothing, and needs no second repair.

use callblock::audio::wav::{WavReader, repair};
use std::io::Cursor;
use std::path::Path;

const BLOCK: usize = 800;
/// What reading a file may take at once: buffers, no more.
const MOST_MEMORY: u64 = 64 * 1024;

/// The bytes are a file.
pub(crate) fn check(bytes: &[u8]) {
    let mut read = None;
    let memory = allocation_counter::measure(|| read = read_all(bytes));
    assert!(memory.bytes_max < MOST_MEMORY, "{} bytes", memory.bytes_max);
    if bytes.starts_with(b"RIFF") {
        repairing_loses_nothing(bytes, read);
    }
}

/// How many samples can be read; `None` if the file is refused.
fn read_all(bytes: &[u8]) -> Option<u64> {
    let mut reader = match WavReader::new(Cursor::new(bytes)) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error}");
            return None;
        }
    };
    let claimed = reader.samples();
    assert!(claimed <= bytes.len() as u64);
    let mut samples = 0;
    loop {
        match reader.read_block(BLOCK) {
            Ok(block) if block.is_empty() => break,
            Ok(block) => {
                assert!(block.len() <= BLOCK);
                samples += block.len() as u64;
            }
            Err(error) => panic!("the file is there, and yet: {error}"),
        }
    }
    assert_eq!(samples, claimed);
    Some(samples)
}

fn repairing_loses_nothing(bytes: &[u8], before: Option<u64>) {
    let Ok(file) = tempfile::NamedTempFile::new() else {
        return;
    };
    let path: &Path = file.path();
    if std::fs::write(path, bytes).is_err() {
        return;
    }
    let repaired = repair(path);
    let left = std::fs::read(path).unwrap_or_default();
    let Ok(samples) = repaired else {
        assert_eq!(left, bytes, "a file that is refused is changed");
        assert_eq!(before, None);
        return;
    };
    assert!(before.is_some_and(|before| before <= samples));
    assert!(left.len() <= bytes.len() + 1, "more than a pad byte");
    assert_eq!(read_all(&left), Some(samples));
    assert_eq!(repair(path).ok(), Some(samples));
    assert_eq!(std::fs::read(path).unwrap_or_default(), left);
}
