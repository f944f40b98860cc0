//! WAV files as they are found in the wild and after a crash.

use super::*;
use crate::audio::SILENCE;
use proptest::prelude::*;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn scratch() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    (folder, path)
}

/// All bytes in turn, so that each sample value occurs.
fn ramp(samples: usize) -> Vec<u8> {
    (0..samples).map(|index| (index % 256) as u8).collect()
}

fn write(path: &Path, samples: &[u8]) {
    let mut writer = WavWriter::create(path).unwrap();
    writer.write(samples).unwrap();
    assert_eq!(writer.finish().unwrap(), samples.len() as u64);
}

fn read_all<R: std::io::Read + std::io::Seek>(mut reader: WavReader<R>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let block = reader.read_block(777).unwrap();
        if block.is_empty() {
            return all;
        }
        all.extend(block);
    }
}

fn read(path: &Path) -> Vec<u8> {
    read_all(WavReader::open(path).unwrap())
}

/// What plain `hound` makes of a file.
fn read_with_hound(path: &Path) -> Vec<u8> {
    let mut reader = hound::WavReader::open(path).unwrap();
    assert_eq!(reader.spec(), SPEC);
    reader
        .samples::<i8>()
        .map(|sample| to_unsigned(sample.unwrap()))
        .collect()
}

fn chunk(id: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend((content.len() as u32).to_le_bytes());
    chunk.extend(content);
    chunk.resize(chunk.len() + content.len() % 2, 0);
    chunk
}

fn fmt(coding: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut content = coding.to_le_bytes().to_vec();
    content.extend(channels.to_le_bytes());
    content.extend(rate.to_le_bytes());
    content.extend((rate * u32::from(block)).to_le_bytes());
    content.extend(block.to_le_bytes());
    content.extend(bits.to_le_bytes());
    content
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut content = b"WAVE".to_vec();
    content.extend(chunks.concat());
    chunk(*b"RIFF", &content)
}

fn line_fmt() -> Vec<u8> {
    chunk(*b"fmt ", &fmt(1, 1, 8000, 8))
}

fn open(bytes: Vec<u8>) -> Result<WavReader<Cursor<Vec<u8>>>, WavError> {
    WavReader::new(Cursor::new(bytes))
}

#[test]
fn a_finished_file_is_well_formed_for_even_and_odd_lengths() {
    let (_folder, path) = scratch();
    for samples in [0, 1, 2, 101, 8000] {
        let _ = fs::remove_file(&path);
        write(&path, &ramp(samples));
        assert_eq!(
            fs::read(&path).unwrap(),
            riff(&[line_fmt(), chunk(*b"data", &ramp(samples))])
        );
        assert_eq!(read(&path), ramp(samples));
        assert_eq!(read_with_hound(&path), ramp(samples));
    }
}

#[test]
fn a_copy_made_after_any_sync_can_be_played() {
    let (folder, path) = scratch();
    let copy = folder.path().join("copy.wav");
    let mut writer = WavWriter::create(&path).unwrap();
    let mut written = Vec::new();
    for (second, samples) in [8000, 7999, 1, 0, 3, 12_345, 1].into_iter().enumerate() {
        let block = vec![second as u8; samples];
        writer.write(&block).unwrap();
        written.extend(block);
        writer.sync_header().unwrap();
        fs::copy(&path, &copy).unwrap();
        let whole = written.len() - written.len() % 2;
        assert_eq!(read(&copy), written[..whole]);
        assert_eq!(read_with_hound(&copy), written[..whole]);
        assert_eq!(
            fs::metadata(&copy).unwrap().len(),
            HEADER_BYTES + whole as u64
        );
    }
    assert_eq!(writer.samples(), written.len() as u64);
    drop(writer);
    assert_eq!(read_with_hound(&path), written[..written.len() - 1]);
}

#[test]
fn a_new_file_is_valid_and_never_an_old_one() {
    let (_folder, path) = scratch();
    let writer = WavWriter::create(&path).unwrap();
    assert_eq!(read_with_hound(&path), [0_u8; 0]);
    assert!(matches!(
        WavWriter::create(&path),
        Err(WavError::Io(error)) if error.kind() == std::io::ErrorKind::AlreadyExists
    ));
    drop(writer);
}

#[test]
fn what_a_crash_left_is_made_whole() {
    let (_folder, path) = scratch();
    // Whatever the header says, the file has these samples.
    for samples in [0, 1, 2, 999, 1000, 9001] {
        for claimed in [0, 1, 2, 1000] {
            let mut bytes = riff(&[line_fmt(), chunk(*b"data", &ramp(claimed))]);
            bytes.truncate(HEADER_BYTES as usize);
            bytes.extend(ramp(samples));
            fs::write(&path, &bytes).unwrap();
            // One byte behind an odd number of samples is their pad byte.
            let padded = claimed % 2 == 1 && samples == claimed + 1;
            let expected = if padded { claimed } else { samples };
            assert_eq!(repair(&path).unwrap(), expected as u64);
            assert_eq!(read(&path), ramp(expected), "{samples} {claimed}");
            assert_eq!(read_with_hound(&path), ramp(expected));
            let whole = fs::read(&path).unwrap();
            assert_eq!(whole.len() % 2, 0);
            assert_eq!(repair(&path).unwrap(), expected as u64);
            assert_eq!(
                fs::read(&path).unwrap(),
                whole,
                "a second repair changes nothing"
            );
        }
    }
}

#[test]
fn repair_leaves_foreign_files_alone() {
    let (_folder, path) = scratch();
    let tagged = riff(&[
        line_fmt(),
        chunk(*b"LIST", b"12345"),
        chunk(*b"data", &ramp(8)),
        chunk(*b"LIST", b"1234"),
    ]);
    let stereo = riff(&[
        chunk(*b"fmt ", &fmt(1, 2, 8000, 8)),
        chunk(*b"data", &ramp(8)),
    ]);
    for bytes in [tagged, stereo, b"RIFF".to_vec(), Vec::new()] {
        fs::write(&path, &bytes).unwrap();
        let _ = repair(&path);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    assert!(matches!(
        repair(&path),
        Err(WavError::NotWav {
            what: "an empty file"
        })
    ));
}

#[test]
fn other_chunks_are_passed_over_with_their_pad_bytes() {
    let audio = ramp(301);
    let odd = chunk(*b"LIST", b"12345");
    let fact = chunk(*b"fact", &301_u32.to_le_bytes());
    let mut long_fmt = fmt(1, 1, 8000, 8);
    long_fmt.extend([0, 0]);
    let mut extensible = fmt(0xfffe, 1, 8000, 8);
    extensible.extend([22, 0, 8, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x10, 0]);
    extensible.extend([0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    let data = chunk(*b"data", &audio);
    for chunks in [
        vec![line_fmt(), odd.clone(), data.clone()],
        vec![
            odd.clone(),
            odd.clone(),
            line_fmt(),
            fact,
            data.clone(),
            odd.clone(),
        ],
        vec![chunk(*b"fmt ", &long_fmt), data.clone()],
        vec![chunk(*b"fmt ", &extensible), data.clone()],
    ] {
        let reader = open(riff(&chunks)).unwrap();
        assert_eq!(reader.samples(), 301);
        assert_eq!(read_all(reader), audio);
    }
}

#[test]
fn the_file_is_believed_rather_than_its_header() {
    let whole = riff(&[line_fmt(), chunk(*b"data", &ramp(100))]);
    let mut cut = whole.clone();
    cut.truncate(HEADER_BYTES as usize + 60);
    assert_eq!(read_all(open(cut).unwrap()), ramp(60));
    let mut piped = whole.clone();
    piped[40..44].fill(0xff);
    assert_eq!(read_all(open(piped).unwrap()), ramp(100));
    for riff_length in [0_u32, 36] {
        let mut crashed = whole.clone();
        crashed[4..8].copy_from_slice(&riff_length.to_le_bytes());
        crashed[40..44].fill(0);
        assert_eq!(read_all(open(crashed).unwrap()), ramp(100));
    }
    let silent = riff(&[line_fmt(), chunk(*b"data", &[]), chunk(*b"LIST", b"1234")]);
    assert_eq!(open(silent).unwrap().samples(), 0);
}

#[test]
fn what_cannot_be_used_is_named_with_a_way_out() {
    let of = |coding, channels, rate, bits| {
        let format = chunk(*b"fmt ", &fmt(coding, channels, rate, bits));
        riff(&[format, chunk(*b"data", &ramp(8))])
    };
    let table = [
        (
            of(1, 2, 44_100, 16),
            "it is 16-bit signed PCM, stereo, 44100 Hz, but",
        ),
        (of(7, 1, 8000, 8), "it is 8-bit µ-law, mono, 8000 Hz, but"),
        (
            of(3, 6, 48_000, 32),
            "it is 32-bit floating point, 6 channels, 48000 Hz, but",
        ),
        (
            of(1, 1, 11_025, 8),
            "it is 8-bit unsigned PCM, mono, 11025 Hz, but",
        ),
        (
            of(0x4321, 1, 8000, 8),
            "it is 8-bit audio of coding 0x4321, mono",
        ),
        (b"ID3\x04".to_vec(), "it is an MP3 file, not a WAV file"),
        (b"OggS\0\0\0\0\0\0\0\0\0\0".to_vec(), "it is an Ogg file"),
        (vec![SILENCE; 8000], "it is something else, not a WAV file"),
        (Vec::new(), "it is an empty file"),
        (
            riff(&[line_fmt()]),
            "it is a damaged WAV file: it has no audio",
        ),
        (
            riff(&[chunk(*b"data", &ramp(8))]),
            "its audio is not described",
        ),
        (
            riff(&[chunk(*b"fmt ", &[1, 0])]),
            "the description of its audio is cut off",
        ),
    ];
    for (bytes, expected) in table {
        let error = open(bytes).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(expected), "{said}");
        let convertible = !matches!(error, WavError::Damaged { .. });
        let hinted = said.contains("callblock convert") || said.contains("sox or ffmpeg");
        assert_eq!(hinted, convertible, "{said}");
    }
}

#[test]
fn probing_tells_the_length_and_refuses_what_has_none() {
    let (folder, path) = scratch();
    write(&path, &ramp(12_000));
    assert_eq!(
        probe(&path).unwrap(),
        std::time::Duration::from_millis(1500)
    );
    let empty = folder.path().join("empty.wav");
    write(&empty, &[]);
    assert!(matches!(probe(&empty), Err(WavError::Empty)));
    assert!(matches!(probe(folder.path()), Err(WavError::Io(_))));
    assert!(matches!(
        probe(&folder.path().join("absent.wav")),
        Err(WavError::Io(_))
    ));
}

#[test]
fn a_file_with_endless_chunks_is_given_up() {
    let mut bytes = b"RIFF\xff\xff\xff\xffWAVE".to_vec();
    bytes.resize(bytes.len() + 1_000_000, 0);
    assert!(matches!(open(bytes), Err(WavError::Damaged { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_again(samples in proptest::collection::vec(any::<u8>(), 0..3000), cuts in proptest::collection::vec(0_usize..700, 0..8), max in 1_usize..900) {
        let (_folder, path) = scratch();
        let mut writer = WavWriter::create(&path).unwrap();
        let mut rest = samples.as_slice();
        for cut in cuts {
            let (block, after) = rest.split_at(cut.min(rest.len()));
            writer.write(block).unwrap();
            if cut % 3 == 0 {
                writer.sync_header().unwrap();
            }
            rest = after;
        }
        writer.write(rest).unwrap();
        writer.finish().unwrap();
        prop_assert_eq!(&read_with_hound(&path), &samples);
        let mut reader = WavReader::open(&path).unwrap();
        prop_assert_eq!(reader.samples(), samples.len() as u64);
        let first = reader.read_block(max).unwrap();
        prop_assert_eq!(&first, &samples[..max.min(samples.len())]);
        prop_assert_eq!(fs::metadata(&path).unwrap().len() % 2, 0);
    }
}

proptest! {
    /// A well-formed file with a few bytes changed anywhere: the samples are never more than the
    /// bytes of the file, whatever its lengths say.
    #[test]
    fn damaged_files_never_panic(audio in 0_usize..200, changes in proptest::collection::vec((0_usize..260, any::<u8>()), 0..6), cut in 0_usize..300) {
        let mut bytes = riff(&[chunk(*b"LIST", b"123"), line_fmt(), chunk(*b"data", &ramp(audio))]);
        for (at, value) in changes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        bytes.truncate(cut);
        let length = bytes.len() as u64;
        if let Ok(mut reader) = open(bytes) {
            prop_assert!(reader.samples() <= length);
            let block = reader.read_block(usize::MAX).unwrap();
            prop_assert!(block.len() as u64 <= length);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut headed = b"RIFF\0\0\0\0WAVE".to_vec();
        headed.extend(&bytes);
        let _ = open(headed);
        prop_assert!(open(bytes).is_err());
    }
}

#[test]
fn a_shortened_file_keeps_its_beginning_and_never_grows() {
    for (samples, keep, left) in [
        (1000, 400, 400),
        (1000, 401, 402),
        (999, 998, 998),
        (999, 0, 0),
        (999, 999, 999),
        (1000, 5000, 1000),
    ] {
        let (_folder, path) = scratch();
        write(&path, &ramp(samples));
        assert_eq!(
            writer::shorten(&path, keep).unwrap(),
            left,
            "{samples} {keep}"
        );
        assert_eq!(read(&path), ramp(usize::try_from(left).unwrap()));
        assert_eq!(mend(&path).unwrap(), None, "it is whole");
    }
}

#[test]
fn a_crash_in_the_middle_of_shortening_leaves_a_file_that_can_be_played() {
    let (_folder, path) = scratch();
    write(&path, &ramp(1001));
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    writer::claim(&mut file, 400, 1001).unwrap();
    drop(file);
    assert_eq!(read(&path), ramp(400));
    // At the next start it is whole again, with all that was recorded.
    mend(&path).unwrap();
    assert_eq!(read(&path), ramp(1001));
}
