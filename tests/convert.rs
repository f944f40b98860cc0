//! `callblock convert`, as a user runs it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use callblock::audio::wav::WavReader;
use callblock::audio::{ConvertError, convert_file};
use proptest::prelude::*;
use std::f64::consts::TAU;
use std::fs;
use std::io::Read as _;
use std::ops::ControlFlow;
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
fn a_tag_with_a_large_picture_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out.wav"));
    let mut random = fastrand::Rng::with_seed(1);
    let picture: Vec<u8> = (0..2 << 20).map(|_| random.u8(..)).collect();
    // 2 MB, seven bits a byte.
    let header = b"ID3\x04\0\0\x01\0\0\0";
    for name in ["tone.mp3", "tone.flac"] {
        let sound = fs::read(sounds().join(name)).unwrap();
        let [plain, tagged] = [&[][..], &[&header[..], &picture].concat()].map(|tag| {
            fs::write(&input, [tag, &sound].concat()).unwrap();
            let run = convert(&[Path::new("--force"), &input, &output]);
            assert!(run.status.success(), "{name}: {run:?}");
            samples(&output)
        });
        assert!(plain == tagged, "{name}");
        // Cut off within the tag.
        fs::write(&input, [&header[..], &picture[..1000]].concat()).unwrap();
        let run = convert(&[Path::new("--force"), &input, &output]);
        assert_eq!(run.status.code(), Some(2), "{run:?}");
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
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_input_is_never_overwritten_by_whatever_name() {
    let folder = tempfile::tempdir().unwrap();
    let original = fs::read(sounds().join("tone.flac")).unwrap();
    let input = folder.path().join("in.flac");
    fs::write(&input, &original).unwrap();
    let link = folder.path().join("link.wav");
    std::os::unix::fs::symlink(&input, &link).unwrap();
    let twin = folder.path().join("twin.wav");
    fs::hard_link(&input, &twin).unwrap();
    for output in [&input, &link, &twin, &folder.path().join("./in.flac")] {
        for force in [&[Path::new("--force")][..], &[]] {
            let run = convert(&[force, &[&input, output]].concat());
            let said = String::from_utf8(run.stderr).unwrap();
            assert_eq!(run.status.code(), Some(2), "{said}");
            assert!(said.contains("name another for the result"), "{said}");
            assert_eq!(fs::read(&input).unwrap(), original);
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);

    // A link to something else stays a link, and a folder a folder.
    let elsewhere = folder.path().join("elsewhere.wav");
    fs::write(&elsewhere, "old").unwrap();
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    assert!(
        convert(&[Path::new("--force"), &input, &link])
            .status
            .success()
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(samples(&elsewhere).len(), 2400);
    let refused = convert(&[Path::new("--force"), &input, folder.path()]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("something else of that name"), "{said}");
}

/// Two hours of silence that take no room on the disk.
fn long_file(path: &Path) {
    silent_file(path, 7200);
}

fn silent_file(path: &Path, seconds: u32) {
    let rate = 48_000_u32;
    let bytes = seconds * rate * 2;
    let mut header = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    header.extend(rate.to_le_bytes());
    header.extend((2 * rate).to_le_bytes());
    header.extend(b"\x02\0\x10\0data");
    header.extend(bytes.to_le_bytes());
    fs::write(path, header).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(44 + u64::from(bytes)).unwrap();
}

#[test]
fn a_long_file_shows_a_bar_and_leaves_nothing_when_it_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.wav"), folder.path().join("out.wav"));
    long_file(&input);
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
    let master = rustix::pty::openpt(flags).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
    let terminal = fs::File::options()
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_callblock"))
        .arg("convert")
        .args([&input, &output])
        .stderr(terminal)
        .spawn()
        .unwrap();
    let mut master = fs::File::from(master);
    let mut shown = String::new();
    let mut more = || {
        let mut bytes = [0; 256];
        // The other side closed, which is an error on Linux.
        let count = master.read(&mut bytes).unwrap_or(0);
        shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        (count > 0, shown.clone())
    };
    while !more().1.contains(" %") {}
    assert!(!output.exists(), "it gets its name when it is whole");
    let id = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    while more().0 {}
    let (_, shown) = more();
    assert!(shown.contains("\r["), "{shown:?}");
    assert!(
        shown.ends_with("\rcallblock: broken off; nothing was made\r\n"),
        "{shown:?}"
    );
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Ctrl-C, a service manager, and a terminal that is closed.
#[test]
fn nothing_is_left_whatever_breaks_it_off() {
    use rustix::process::{Pid, Signal, kill_process};
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.wav"), folder.path().join("out.wav"));
    long_file(&input);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_callblock"))
            .arg("convert")
            .args([&input, &output])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let files = || fs::read_dir(folder.path()).unwrap().count();
        while files() < 2 {
            assert!(child.try_wait().unwrap().is_none(), "ended by itself");
            std::thread::yield_now();
        }
        let id = Pid::from_raw(child.id().cast_signed()).unwrap();
        kill_process(id, signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{signal:?}");
        assert_eq!(files(), 1, "{signal:?}");
    }
}

#[test]
fn nohup_keeps_it_going_when_the_terminal_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.wav"), folder.path().join("out.wav"));
    silent_file(&input, 60);
    let mut child = Command::new("sh")
        .args(["-c", r#"trap "" HUP; exec "$0" convert "$@""#])
        .arg(env!("CARGO_BIN_EXE_callblock"))
        .args([&input, &output])
        .spawn()
        .unwrap();
    while fs::read_dir(folder.path()).unwrap().count() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "ended by itself");
        std::thread::yield_now();
    }
    let id = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::HUP).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(samples(&output).len(), 60 * 8000);
}

#[test]
fn any_sound_file_can_be_listened_to_at_its_own_level() {
    let listen = |path: &Path| {
        let run = Command::new(env!("CARGO_BIN_EXE_callblock"))
            .args(["listen", "--json"])
            .arg(path)
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    };
    // A voice and a busy tone as the line has them, and as somebody's stereo recorder has it.
    let folder = tempfile::tempdir().unwrap();
    let wave = |second: f64| {
        if second < 2.0 {
            let overtones = (1..20).map(|n| (TAU * 140.0 * f64::from(n) * second).sin());
            let syllables = (TAU * 2.0 * second).sin().max(0.0);
            return 0.02 * syllables * overtones.sum::<f64>();
        }
        let on = second.rem_euclid(1.0) < 0.5;
        let wave = (TAU * 480.0 * second).sin() + (TAU * 620.0 * second).sin();
        if on { 0.1 * wave } else { 0.0 }
    };
    let line: Vec<u8> = (0..48_000)
        .map(|at| (128.0 + 128.0 * wave(f64::from(at) / 8000.0)).round() as u8)
        .collect();
    let stereo: Vec<u8> = (0..6 * 44_100)
        .flat_map(|at| {
            let value = (32_768.0 * wave(f64::from(at) / 44_100.0)).round() as i16;
            value.to_le_bytes().repeat(2)
        })
        .collect();
    let (plain, other) = (folder.path().join("a.wav"), folder.path().join("b.wav"));
    write_wav(&plain, (1, 8000, 8), &line);
    write_wav(&other, (2, 44_100, 16), &stereo);
    let (plain, other) = (listen(&plain), listen(&other));
    for heard in [&plain, &other] {
        assert!(heard.contains("busy"), "{heard}");
    }
    assert!((level_heard(&plain) - level_heard(&other)).abs() < 0.5);
    // Others, too, are no mistake.
    for (name, ..) in SOUNDS {
        assert!(!listen(&sounds().join(name)).is_empty(), "{name}");
    }
}

/// The level of a recording in dBFS, from the timeline of it.
fn level_heard(timeline: &str) -> f64 {
    timeline
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find_map(|line| line["level_dbfs"].as_f64())
        .unwrap()
}

/// A WAV file of so many channels, samples a second and bits.
fn write_wav(path: &Path, (channels, rate, bits): (u16, u32, u16), data: &[u8]) {
    let frame = channels * bits / 8;
    let length = data.len() as u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(frame)).to_le_bytes());
    bytes.extend(frame.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(data);
    fs::write(path, bytes).unwrap();
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
            "text: it is no sound file that callblock can read",
        ),
        (write("empty", b""), "empty: it is an empty file"),
        (
            write("a.mp4", b"\0\0\0\x20ftypisom"),
            "a.mp4: it is no sound",
        ),
        (
            write("cut.wav", b"RIFF\0\0\0\0WAVEfmt "),
            "cut.wav: it is a damaged WAV file",
        ),
        (
            write("head.flac", &flac[..60]),
            "head.flac: it is cut off or damaged",
        ),
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

/// What there is is converted, and one line says that it is not all.
#[test]
fn a_file_that_is_damaged_or_cut_off_is_converted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out.wav"));
    let wave = |format, bytes: usize| {
        write_wav(&input, format, &vec![0x81; 48_000]);
        let mut wave = fs::read(&input).unwrap();
        wave.truncate(44 + bytes);
        wave
    };
    let flac = fs::read(sounds().join("tone.flac")).unwrap();
    let mut holed = flac.clone();
    let (at, end) = (flac.len() / 4, flac.len() * 3 / 4);
    let mut random = fastrand::Rng::with_seed(1);
    holed[at..end].fill_with(|| random.u8(..));
    for (name, bytes) in [
        ("cut flac", flac[..flac.len() / 2].to_vec()),
        ("holed flac", holed),
        ("cut wav", wave((2, 8000, 16), 20_000)),
        ("cut wav of the line", wave((1, 8000, 8), 20_000)),
    ] {
        fs::write(&input, bytes).unwrap();
        let run = convert(&[Path::new("--force"), &input, &output]);
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(0), "{name}: {said}");
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
        let expected = format!("{}: it is cut off or damaged: only ", input.display());
        assert!(said.contains(&expected), "{name}: {said}");
        assert!(!samples(&output).is_empty(), "{name}");
    }
    // What a program left that wrote to a pipe is whole.
    for length in [0x7fff_f000_u32, 0x8000_0000, u32::MAX] {
        let mut wave = wave((1, 8000, 16), 16_000);
        wave[40..44].copy_from_slice(&length.to_le_bytes());
        fs::write(&input, wave).unwrap();
        let run = convert(&[Path::new("--force"), &input, &output]);
        assert!(run.status.success() && run.stderr.is_empty(), "{run:?}");
    }
}

/// Seven bits in two bytes: nobody can tell which of the two is meant.
#[test]
fn a_wave_that_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out.wav"));
    write_wav(&input, (1, 8000, 16), &[0; 1600]);
    let mut wave = fs::read(&input).unwrap();
    wave[34] = 7;
    fs::write(&input, wave).unwrap();
    let run = convert(&[&input, &output]);
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("contradict each other"), "{said}");
    assert!(!output.exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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
        match convert_file(&input, &output, false, |_| ControlFlow::Continue(())) {
            Ok(_) => prop_assert!(fs::metadata(&output).unwrap().len() < 1_000_000),
            Err(ConvertError::Exists | ConvertError::Unwritten(_)) => prop_assert!(false),
            Err(_) => prop_assert!(!output.exists()),
        }
    }
}
