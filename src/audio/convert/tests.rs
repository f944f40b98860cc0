mod unusable;

use super::level::Quantiser;
use super::rate::RateConverter;
use super::*;
use crate::audio::wav::{WavReader, WavWriter};
use crate::audio::{Player, SAMPLE_RATE};
use proptest::prelude::*;
use std::f64::consts::TAU;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::LazyLock;

/// A level of -4 dB.
const PEAK: f64 = 0.631;

/// How samples are written into a test file: the fields of its `fmt ` chunk.
#[derive(Clone, Copy, Debug)]
struct Kind {
    coding: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

const fn kind(coding: u16, channels: u16, rate: u32, bits: u16) -> Kind {
    Kind {
        coding,
        channels,
        rate,
        bits,
    }
}

/// In Hz; chosen so that its samples hit all phases, and so its peak.
const TONE: f64 = 1004.0;

const KINDS: &[Kind] = &[
    kind(1, 1, 8000, 16),
    kind(1, 2, 8000, 8),
    kind(1, 1, 11_025, 8),
    kind(1, 1, 16_000, 16),
    kind(1, 2, 44_100, 16),
    kind(1, 2, 44_100, 24),
    kind(1, 1, 48_000, 24),
    kind(1, 6, 48_000, 32),
    kind(3, 1, 48_000, 32),
    kind(3, 2, 96_000, 64),
    kind(3, 1, 192_000, 32),
    kind(1, 1, 22_050, 12),
    kind(1, 1, 6000, 16),
    kind(1, 1, 44_056, 16),
    kind(6, 1, 8000, 8),
    kind(7, 2, 16_000, 8),
];

fn encode(kind: Kind, value: f64) -> Vec<u8> {
    let whole = |scale: f64| (value * scale).round().clamp(-scale, scale - 1.0) as i64;
    match (kind.coding, kind.bits) {
        (1, 8) => vec![(whole(128.0) + 128) as u8],
        // Twelve bits sit in the upper part of two bytes.
        (1, 12) => ((whole(2048.0) as i16) << 4).to_le_bytes().to_vec(),
        (1, 16) => (whole(32_768.0) as i16).to_le_bytes().to_vec(),
        (1, 24) => whole(8_388_608.0).to_le_bytes()[..3].to_vec(),
        (1, 32) => (whole(2_147_483_648.0) as i32).to_le_bytes().to_vec(),
        (3, 32) => (value as f32).to_le_bytes().to_vec(),
        (3, 64) => value.to_le_bytes().to_vec(),
        (6 | 7, 8) => vec![companded(kind.coding, value)],
        _ => unreachable!("{kind:?}"),
    }
}

/// The code whose meaning is nearest.
fn companded(coding: u16, value: f64) -> u8 {
    static MEANINGS: LazyLock<[Vec<f32>; 2]> = LazyLock::new(|| {
        [6, 7].map(|coding| {
            let kind = kind(coding, 1, 8000, 8);
            (0..=255).map(|code| decoded(kind, code)).collect()
        })
    });
    let meanings = &MEANINGS[usize::from(coding - 6)];
    let distance = |code: u8| (f64::from(meanings[usize::from(code)]) - value).abs();
    (0..=255)
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        .unwrap()
}

fn decoded(kind: Kind, code: u8) -> f32 {
    let mut samples = Vec::new();
    let file = wav(
        Kind {
            channels: 1,
            ..kind
        },
        &[code],
    );
    let mut frames = WavFrames::new(Cursor::new(file)).unwrap();
    assert!(frames.read(&mut samples).unwrap());
    samples[0]
}

fn wav(kind: Kind, data: &[u8]) -> Vec<u8> {
    let align = kind.channels.wrapping_mul(kind.bits.div_ceil(8));
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    bytes.extend(kind.coding.to_le_bytes());
    bytes.extend(kind.channels.to_le_bytes());
    bytes.extend(kind.rate.to_le_bytes());
    bytes.extend((kind.rate.wrapping_mul(u32::from(align))).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(kind.bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

/// A WAV file of a function of time in seconds.
fn sound(kind: Kind, seconds: f64, wave: impl Fn(f64) -> f64) -> Vec<u8> {
    let frames = (f64::from(kind.rate) * seconds) as u32;
    let data: Vec<u8> = (0..frames)
        .flat_map(|at| {
            let sample = encode(kind, wave(f64::from(at) / f64::from(kind.rate)));
            sample.repeat(usize::from(kind.channels))
        })
        .collect();
    wav(kind, &data)
}

fn sine(hertz: f64, amplitude: f64) -> impl Fn(f64) -> f64 {
    move |time| amplitude * (TAU * hertz * time).sin()
}

fn convert(file: &[u8]) -> Vec<u8> {
    let open = || WavFrames::new(Cursor::new(file)).unwrap();
    let level = Level::measure(open(), None, |_| Ok(())).unwrap();
    let mut audio = LineAudio::new(open(), &level).unwrap();
    let mut samples = Vec::new();
    loop {
        let block = audio.read_block().unwrap();
        assert!(block.len() <= SAMPLE_RATE as usize);
        if block.is_empty() {
            return samples;
        }
        samples.extend(block);
    }
}

/// Amplitude of a frequency in samples of the line, full scale being 1. The ends are left out.
fn amplitude(samples: &[u8], hertz: f64) -> f64 {
    let inner = &samples[800..samples.len() - 800];
    let (mut real, mut imaginary, mut weights) = (0.0, 0.0, 0.0);
    for (at, sample) in inner.iter().enumerate() {
        let value = (f64::from(*sample) - 128.0) / 128.0;
        let phase = TAU * hertz * at as f64 / f64::from(SAMPLE_RATE);
        // A Hann window: what is next to the frequency is not taken for it.
        let weight = 1.0 - (TAU * at as f64 / inner.len() as f64).cos();
        real += weight * value * phase.cos();
        imaginary += weight * value * phase.sin();
        weights += weight;
    }
    2.0 * f64::hypot(real, imaginary) / weights
}

fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

#[test]
fn a_tone_keeps_its_frequency_and_gets_its_level() {
    for &kind in KINDS {
        let line = convert(&sound(kind, 1.0, sine(TONE, 0.2)));
        assert_eq!(line.len(), 8000, "{kind:?}");
        let level = decibels(amplitude(&line, TONE) / PEAK);
        assert!(level.abs() < 0.3, "{kind:?}: {level} dB");
        for other in [900.0, 990.0, 1010.0, 1100.0, 2000.0, 3000.0] {
            let rest = decibels(amplitude(&line, other) / PEAK);
            assert!(rest < -30.0, "{kind:?}: {rest} dB at {other} Hz");
        }
    }
}

#[test]
fn the_pass_band_is_flat_and_its_mirror_is_silent() {
    for rate in [11_025, 22_050, 44_100, 96_000] {
        // Through the converter of rates alone: a level of -4 dB would raise what must be silent.
        let gain = |hertz: f64| {
            let mut converter = RateConverter::new(rate).unwrap();
            let input: Vec<f32> = (0..rate / 5)
                .map(|at| sine(hertz, 1.0)(f64::from(at) / f64::from(rate)) as f32)
                .collect();
            let mut output = Vec::new();
            converter.push(&input, &mut output).unwrap();
            converter.finish(&mut output).unwrap();
            assert_eq!(output.len(), 1600);
            let inner = &output[200..1400];
            let power: f64 = inner.iter().map(|x| f64::from(*x).powi(2)).sum();
            decibels((2.0 * power / inner.len() as f64).sqrt())
        };
        for hertz in [50.0, 300.0, 1000.0, 2500.0, 3400.0, 3500.0] {
            assert!(
                gain(hertz).abs() < 0.5,
                "{rate}: {} at {hertz}",
                gain(hertz)
            );
        }
        let mut hertz = 4100.0;
        while hertz < f64::from(rate) / 2.0 {
            assert!(gain(hertz) < -55.0, "{rate}: {} at {hertz}", gain(hertz));
            hertz *= 1.3;
        }
    }
}

#[test]
fn what_is_beyond_the_line_does_not_come_back_as_something_else() {
    let both = |time| sine(1000.0, 0.4)(time) + sine(5300.0, 0.4)(time);
    let line = convert(&sound(kind(1, 1, 44_100, 16), 1.0, both));
    let mirror = decibels(amplitude(&line, 2700.0) / amplitude(&line, 1000.0));
    assert!(mirror < -50.0, "{mirror} dB");
}

#[test]
fn dither_has_no_offset_and_no_tune() {
    let level = {
        let mut level = Level::NONE;
        level.add(&[-0.631, 0.631]);
        level
    };
    // A quarter of a step, which rounding alone would lose or double.
    for quarter in [-3_i8, -1, 0, 1, 2] {
        let value = f32::from(quarter) / 4.0 / 128.0;
        let line = Quantiser::new(&level).quantise(&vec![value; 200_000]);
        let sum: f64 = line.iter().map(|sample| f64::from(*sample) - 128.0).sum();
        let mean = sum / line.len() as f64;
        assert!(
            (mean - f64::from(quarter) / 4.0).abs() < 0.01,
            "{quarter}: {mean}"
        );
    }
    // A tone smaller than a step keeps its frequency and has no overtones.
    let faint: Vec<f32> = (0..200_000)
        .map(|at| (sine(500.0, 0.6 / 128.0)(f64::from(at) / 8000.0)) as f32)
        .collect();
    let line = Quantiser::new(&level).quantise(&faint);
    let tone = decibels(amplitude(&line, 500.0) * 128.0 / 0.6);
    assert!(tone.abs() < 0.5, "{tone} dB");
    for overtone in [1000.0, 1500.0, 2500.0] {
        let rest = decibels(amplitude(&line, overtone) / amplitude(&line, 500.0));
        assert!(rest < -30.0, "{rest} dB at {overtone} Hz");
    }
}

#[test]
fn an_offset_is_taken_out_and_silence_stays_silence() {
    let offset = |time| 0.05 + sine(TONE, 0.2)(time);
    let line = convert(&sound(kind(1, 1, 48_000, 16), 1.0, offset));
    let sum: f64 = line[800..7200].iter().map(|x| f64::from(*x) - 128.0).sum();
    let mean = sum / 6400.0;
    assert!(mean.abs() < 0.5, "{mean} steps");
    assert!(decibels(amplitude(&line, TONE) / PEAK).abs() < 0.3);

    let silence = convert(&sound(kind(3, 1, 44_100, 32), 1.0, |_| 0.0));
    assert!(silence.iter().all(|sample| sample.abs_diff(128) <= 1));
    let faint = convert(&sound(kind(1, 1, 8000, 16), 1.0, sine(TONE, 0.001)));
    let level = decibels(amplitude(&faint, TONE) / 0.001);
    assert!((level - 30.0).abs() < 0.5, "raised by {level} dB");
}

#[test]
fn a_file_that_grows_loud_is_turned_down_and_never_clipped() {
    let file = sound(kind(1, 1, 16_000, 16), 6.0, |time| {
        sine(TONE, if time < 3.0 { 0.02 } else { 0.9 })(time)
    });
    let open = || WavFrames::new(Cursor::new(&file)).unwrap();
    let level = Level::measure(open(), Some(16_000), |_| Ok(())).unwrap();
    assert_eq!(level.samples(), 16_000);
    let mut audio = LineAudio::new(open(), &level).unwrap();
    let blocks: Vec<_> = (0..6).map(|_| audio.read_block().unwrap()).collect();
    assert!(decibels(amplitude(&blocks[0], TONE) / PEAK).abs() < 0.3);
    for block in blocks {
        assert!(block.iter().all(|sample| (1..255).contains(sample)));
    }
}

#[test]
fn stereo_is_mixed() {
    let kind = kind(1, 2, 8000, 16);
    let data: Vec<u8> = (0..8000_u32)
        .flat_map(|at| {
            let time = f64::from(at) / 8000.0;
            let left = encode(kind, sine(700.0, 0.5)(time));
            [left, encode(kind, sine(1900.0, 0.25)(time))].concat()
        })
        .collect();
    let line = convert(&wav(kind, &data));
    let ratio = decibels(amplitude(&line, 700.0) / amplitude(&line, 1900.0));
    assert!((ratio - 6.0).abs() < 0.2, "{ratio} dB");
}

#[test]
fn companded_samples_mean_what_the_standard_says() {
    // ITU-T G.711, tables 1a and 2a: the ends of the scale and its middle.
    let table = [
        (6, 0xd5, 1.0 / 4096.0),
        (6, 0x55, -1.0 / 4096.0),
        (6, 0xaa, 4032.0 / 4096.0),
        (6, 0x2a, -4032.0 / 4096.0),
        (7, 0xff, 0.0),
        (7, 0x7f, 0.0),
        (7, 0x80, 8031.0 / 8192.0),
        (7, 0x00, -8031.0 / 8192.0),
        (7, 0xef, 33.0 / 8192.0),
    ];
    for (coding, code, value) in table {
        let found = decoded(kind(coding, 1, 8000, 8), code);
        assert!((found - value).abs() < 1e-6, "{coding} {code:#x}: {found}");
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

async fn played(path: &Path, copies: Option<ConvertedCopies>) -> Vec<u8> {
    let mut player = Player::open(path, copies);
    let mut samples = Vec::new();
    while let Some(block) = player.next_block().await {
        samples.extend(block.unwrap());
    }
    samples
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_is_converted_once_and_again_when_it_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("data/cache");
    let copies = Some(ConvertedCopies::new(cache.clone()));
    let stereo = sound(kind(1, 2, 44_100, 16), 2.5, sine(TONE, 0.2));
    let path = write(folder.path(), "a.wav", &stereo);
    let first = played(&path, copies.clone()).await;
    assert_eq!(first, convert(&stereo));
    let [copy] = files_in(&cache).try_into().unwrap();
    let mut reader = WavReader::open(&copy).unwrap();
    assert_eq!(reader.read_block(usize::MAX).unwrap(), first);

    // That it is the copy that is played shows when the copy is another.
    fs::remove_file(&copy).unwrap();
    let mut writer = WavWriter::create(&copy).unwrap();
    writer.write(&[1, 2, 3]).unwrap();
    writer.finish().unwrap();
    assert_eq!(played(&path, copies.clone()).await, [1, 2, 3]);
    fs::write(&copy, "damaged").unwrap();
    assert_eq!(played(&path, copies.clone()).await, first);

    let changed = sound(kind(1, 1, 48_000, 16), 1.0, sine(TONE, 0.2));
    fs::write(&path, &changed).unwrap();
    assert_eq!(played(&path, copies).await, convert(&changed));
    assert_eq!(files_in(&cache).len(), 2);
    assert_eq!(files_in(folder.path()).len(), 2, "nothing beside the file");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_replaced_by_one_as_long_and_as_old_is_converted_again() {
    let folder = tempfile::tempdir().unwrap();
    let copies = Some(ConvertedCopies::new(folder.path().join("cache")));
    let [one, other] = [400.0, 700.0].map(|hz| sound(kind(1, 1, 16_000, 16), 1.0, sine(hz, 0.2)));
    let path = write(folder.path(), "a.wav", &one);
    let before = fs::metadata(&path).unwrap();
    assert_eq!(played(&path, copies.clone()).await, convert(&one));

    let newer = write(folder.path(), "b.wav", &other);
    let file = File::options().write(true).open(&newer).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    fs::rename(&newer, &path).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(
        (after.len(), after.modified().unwrap()),
        (before.len(), before.modified().unwrap())
    );
    assert_eq!(played(&path, copies).await, convert(&other));
}

#[test]
fn what_is_missing_of_a_recording_is_told_to_who_listens() {
    let folder = tempfile::tempdir().unwrap();
    let whole = wav(kind(1, 1, 8000, 8), &[100; 16_000]);
    let stereo = sound(kind(1, 2, 44_100, 16), 2.0, sine(TONE, 0.2));
    for whole in [whole, stereo] {
        let path = write(folder.path(), "a.wav", &whole);
        assert_eq!(as_recorded(&path).unwrap().shortfall, None);
        let path = write(folder.path(), "a.wav", &whole[..whole.len() / 2]);
        let recorded = as_recorded(&path).unwrap();
        assert!((7900..8100).contains(&recorded.samples.len()));
        let said = recorded.shortfall.unwrap().to_string();
        assert!(said.contains("only 1.0 of 2.0 seconds"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_completed_after_the_call_and_abandoned_ones_are_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let copies = Some(ConvertedCopies::new(cache.clone()));
    let long = sound(kind(1, 1, 16_000, 16), 6.0, sine(TONE, 0.2));
    let path = write(folder.path(), "a.wav", &long);
    let mut player = Player::open(&path, copies.clone());
    assert!(player.next_block().await.is_some());
    let [unfinished] = files_in(&cache).try_into().unwrap();
    drop(player);
    // Paused time moves on only when nobody has anything left to do.
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    let [copy] = files_in(&cache).try_into().unwrap();
    assert_eq!(
        WavReader::open(&copy)
            .unwrap()
            .read_block(usize::MAX)
            .unwrap(),
        convert(&long)
    );

    fs::remove_file(&copy).unwrap();
    fs::write(&unfinished, "what a crash left").unwrap();
    assert_eq!(played(&path, copies).await, convert(&long));
    assert_eq!(files_in(&cache), [copy]);
}

#[tokio::test(start_paused = true)]
async fn the_line_s_own_format_is_played_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let samples: Vec<u8> = (0..9000_u32).map(|at| (at * 7 % 256) as u8).collect();
    let path = write(folder.path(), "a.wav", &wav(kind(1, 1, 8000, 8), &samples));
    let cache = folder.path().join("cache");
    let copies = ConvertedCopies::new(cache.clone());
    assert_eq!(played(&path, Some(copies)).await, samples);
    assert!(!cache.exists());
    // Where no copy can be kept, the file is played all the same.
    let stereo = sound(kind(1, 2, 44_100, 16), 1.0, sine(TONE, 0.2));
    let other = write(folder.path(), "b.wav", &stereo);
    let nowhere = ConvertedCopies::new(path.join("cache"));
    assert_eq!(played(&other, Some(nowhere)).await, convert(&stereo));
}

#[test]
fn the_oldest_copies_go_when_there_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["c", "a", "b", "d"].map(|digit| format!("{}.wav", digit.repeat(16)));
    let abandoned = write(folder.path(), "0123456789abcdef.part", &[0; 1000]);
    let foreign = write(folder.path(), "mine.wav", &[0; 1000]);
    let paths: Vec<_> = (0..4_u64)
        .map(|age| {
            let path = write(folder.path(), &names[age as usize], &[0; 1000]);
            let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(age);
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
            path
        })
        .collect();
    copies::remove_oldest(folder.path(), &paths[3], 4000).unwrap();
    assert!(!abandoned.exists());
    assert!(foreign.exists());
    fs::remove_file(foreign).unwrap();
    assert_eq!(files_in(folder.path()).len(), 4);
    copies::remove_oldest(folder.path(), &paths[3], 2500).unwrap();
    let mut left = files_in(folder.path());
    left.sort();
    assert_eq!(left, [paths[2].clone(), paths[3].clone()]);
    copies::remove_oldest(folder.path(), &paths[3], 0).unwrap();
    assert_eq!(files_in(folder.path()), [paths[3].clone()]);
}

proptest! {
    /// Whatever a WAV file says of itself: it is refused, or it is as long as its bytes allow.
    #[test]
    fn any_wav_file_is_converted_or_refused(
        coding in prop_oneof![Just(1_u16), Just(3), Just(6), Just(7), any::<u16>()],
        channels in prop_oneof![0_u16..9, any::<u16>()],
        rate in prop_oneof![Just(8000_u32), 900_u32..400_000, any::<u32>()],
        bits in prop_oneof![0_u16..70, any::<u16>()],
        data in proptest::collection::vec(any::<u8>(), 0..3000),
        claimed in any::<u32>(),
        cut in 0_usize..3100,
    ) {
        let mut bytes = wav(kind(coding, channels, rate, bits), &data);
        bytes[40..44].copy_from_slice(&claimed.to_le_bytes());
        bytes.truncate(cut);
        if let Ok(frames) = WavFrames::new(Cursor::new(&bytes)) {
            prop_assert!(frames.samples().unwrap() <= data.len() as u64);
            prop_assert!(convert(&bytes).len() <= 1 + data.len() * 8);
        }
    }
}
