//! The whole program where it is hard: every core busy, an address space of 64 MB, and a disk whose
//! every write takes 2 s. A duplex call over a real pseudo-terminal; the line is in this process, the
//! daemon in one of its own.
//!
//! `CALLBLOCK_LOAD_SECONDS=600 cargo test --test load -- --nocapture` makes the call ten minutes long.

#![expect(
    clippy::unwrap_used,
    reason = "a test program: what is missing fails the test"
)]

use callblock::emulator::{
    Call, Chip, Ending, Entry, Happening, PtyModem, PtyOptions, Scenario, Sound,
};
use callblock::store::{LoggedCall, Store};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};

const ROBOCALLER: &str = "2125550147";
/// How long the call is.
const SECONDS: &str = "CALLBLOCK_LOAD_SECONDS";
/// The address space the daemon may use, in KiB.
const ADDRESS_SPACE: u32 = 65536;
/// What every write to a file takes. In a recording each is followed by a seek or a sync, which the
/// terminal has not; so those are made slow.
const TRACED: &str = "trace=lseek,pwrite64,fsync,fdatasync";
const SLOW: &str = "inject=lseek,pwrite64,fsync,fdatasync:delay_exit=2000000";
const SAMPLE: Duration = Duration::from_micros(125);
/// What has not come so long after the call never will: on such a disk a row takes half a minute.
const PATIENCE: Duration = Duration::from_mins(4);

/// Processes that end with the test.
struct Children(Vec<Child>);

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn busy_loops() -> Children {
    let cores = available_parallelism().unwrap().get();
    let busy = |_| {
        Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap()
    };
    Children((0..cores).map(busy).collect())
}

fn noise(seconds: u64, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    // Never quite silent, so that where it begins can be told.
    (0..seconds * 8000).map(|_| random.u8(0..0x80)).collect()
}

fn write_wav(path: &Path, samples: &[u8]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 8,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for &sample in samples {
        writer.write_sample((sample ^ 0x80).cast_signed()).unwrap();
    }
    writer.finalize().unwrap();
}

fn read_wav(path: &Path) -> Vec<u8> {
    hound::WavReader::open(path)
        .unwrap()
        .samples::<i8>()
        .map(|sample| sample.unwrap().cast_unsigned() ^ 0x80)
        .collect()
}

/// The one row, once its call is over and its recording closed.
fn row(folder: &Path) -> Option<LoggedCall> {
    let store = Store::open_read_only(&folder.join("data/callblock.db")).ok()?;
    let row = store.recent(10).ok()?.pop()?;
    row.outcome.is_some().then_some(row)
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

fn until<T>(patience: Duration, folder: &Path, what: &str, found: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = found() {
            return found;
        }
        let log = || log(folder);
        assert!(Instant::now() < deadline, "never: {what}\n{}", log());
        sleep(Duration::from_millis(100));
    }
}

/// The daemon, with little memory; if a tool is there for it, on a slow disk.
fn daemon(folder: &Path, node: &Path, seconds: u64) -> (Children, bool) {
    let may_trace = Command::new("strace")
        .args(["-e", "trace=none", "true"])
        .output();
    let slow = may_trace.is_ok_and(|output| output.status.success());
    // As its unit does; who may not, runs it as it is.
    let first = "renice -n -10 -p $$; exec \"$@\"";
    let limited = format!("ulimit -v {ADDRESS_SPACE} && exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", first, "sh"]);
    if slow {
        command.args([
            "strace",
            "-f",
            "--seccomp-bpf",
            "-o",
            "/dev/null",
            "-e",
            TRACED,
            "-e",
            SLOW,
        ]);
    } else {
        eprintln!("no strace may be used here: the disk is as fast as it is");
    }
    command
        .args([
            "sh",
            "-c",
            &limited,
            "sh",
            env!("CARGO_BIN_EXE_callblock"),
            "-v",
        ])
        .args(["--end-silence", "3600", "--device"])
        .arg(node)
        .arg("--data-dir")
        .arg(folder.join("data"))
        .arg("--socket")
        .arg(folder.join("control.sock"))
        .arg("-b")
        .arg(folder.join("block.csv"))
        .args(["-d", &seconds.to_string(), "-a"])
        .arg(folder.join("played.wav"))
        .env("HOME", folder)
        .env_remove("STATE_DIRECTORY")
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("log")).unwrap());
    (Children(vec![command.spawn().unwrap()]), slow)
}

/// The daemon itself: what the tool around it runs.
fn pid(folder: &Path) -> Option<(Pid, String)> {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .find_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
            let arguments = String::from_utf8_lossy(&arguments).into_owned();
            let ours = arguments.starts_with(env!("CARGO_BIN_EXE_callblock"))
                && arguments.contains(folder.to_str()?);
            let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
            ours.then_some((Pid::from_raw(id)?, status))
        })
}

#[test]
fn nothing_is_lost_on_a_busy_machine_with_little_memory_and_a_slow_disk() {
    let seconds = std::env::var(SECONDS).map_or(20, |value| value.parse().expect("a number"));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir_all(folder.join("data")).unwrap();
    std::fs::write(
        folder.join("block.csv"),
        format!("{ROBOCALLER},A robocaller\n"),
    )
    .unwrap();
    let played = noise(seconds, 1);
    write_wav(&folder.join("played.wav"), &played);

    let modem = PtyModem::start(
        Scenario::default().chip(Chip::Cx93001V2013),
        PtyOptions::default(),
    )
    .unwrap();
    let journal = modem.journal();
    let (mut daemon, slow) = daemon(folder, &modem.node().unwrap(), seconds);
    until(PATIENCE, folder, "armed", || {
        log(folder).contains("armed on").then_some(())
    });

    let busy = busy_loops();
    modem.with(move |modem, now| {
        let says = Sound::Samples(noise(seconds + 30, 2).into());
        let call = Call::from(ROBOCALLER).says(says).ends(Ending::Stays);
        modem.call_now(now, call);
    });
    let patience = PATIENCE + Duration::from_secs(seconds);
    let row = until(patience, folder, "a complete row", || row(folder));
    let closed = || {
        log(folder)
            .contains("the recording is on disk")
            .then_some(())
    };
    until(PATIENCE, folder, "a closed recording", closed);
    drop(busy);
    let (pid, status) = pid(folder).expect("the daemon lives");
    let peak = status.lines().find(|line| line.starts_with("VmPeak"));
    kill_process(pid, Signal::TERM).unwrap();
    daemon.0[0].wait().unwrap();

    let on_the_line: Vec<String> = journal.entries().iter().map(Entry::to_string).collect();
    let story = format!("{row:?}\n{}\n{}", on_the_line.join("\n"), log(folder));
    assert_eq!(row.outcome.as_deref(), Some("time-limit"), "{story}");
    assert_eq!(row.trouble, None, "{story}");
    assert_eq!(journal.count(|h| *h == Happening::Overrun), 0, "{story}");

    let recording = read_wav(&folder.join("data").join(row.recording.as_ref().unwrap()));
    let said: Vec<u8> = journal
        .said()
        .into_iter()
        .flat_map(|span| span.samples)
        .collect();
    assert!(
        recording.len() as u64 + 8000 >= seconds * 8000,
        "{}",
        recording.len()
    );
    // What was on its way when we hung up is not ours any more.
    assert!(said.starts_with(&recording), "samples were lost: {story}");

    // Before the first sample the modem may say that it has none; after it, never. Samples have
    // instants to the sample, reports to the nanosecond.
    let spans = journal.heard();
    let [heard] = spans.as_slice() else {
        panic!("{} gaps were heard: {story}", spans.len() - 1);
    };
    let dry = journal.last(|h| *h == Happening::Underrun);
    let end = heard.at + SAMPLE * u32::try_from(heard.samples.len()).unwrap();
    // ... until we hang up, and throw away what is still to be heard.
    assert!(
        dry < Some(heard.at + SAMPLE) || dry >= Some(end),
        "a gap was heard at {dry:?}: {story}"
    );
    let heard = &heard.samples;
    let begins = heard
        .windows(800)
        .position(|window| window == &played[..800]);
    let begins = begins.unwrap_or_else(|| panic!("what was played is not heard: {story}"));
    let both = heard[begins..].iter().zip(&played);
    let whole = both.take_while(|(one, other)| one == other).count();
    // It is played until the line is taken away from it.
    assert!(
        begins + whole >= heard.len().min(begins + played.len()) - 4000,
        "{whole} of {} samples, from {begins} on\n{story}",
        played.len()
    );
    eprintln!(
        "{} s recorded, {} s heard without a gap, {} s late; slow disk: {slow}; {}",
        recording.len() / 8000,
        whole / 8000,
        begins as f64 / 8000.0,
        peak.unwrap_or_default()
    );
}
