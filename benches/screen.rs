//! How lists scale: start-up cost, memory, and the time of a decision. A report, not a test.
//!
//! ```text
//! cargo bench --bench screen              # everything; takes a minute or two
//! cargo bench --bench screen -- small     # without the lists of 10 million numbers
//! cargo bench --bench screen -- write F   # writes the list of 1 million numbers to F
//! ```
//!
//! The same file in a Python dict is measured beside it, if there is a `python3`: time and peak memory
//! above those of the bare interpreter.
//!
//! Every figure is taken in a process of its own. Memory is resident memory gained, so it counts what
//! the allocator keeps back. Times are told as time on the wall, with whatever else the machine did
//! meanwhile, and as time of the processor.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a report may stop")]

use callblock::blocker::LivePolicy;
use callblock::clock::Timestamp;
use callblock::screen::{Caller, List, LocalTime, Moment, Numbering, Policy, Reading};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MILLION: usize = 1_000_000;
const DECISIONS: usize = 100_000;

const PYTHON: &str = "
import csv, resource, sys, time
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
start, before = time.perf_counter(), peak()
with open(sys.argv[1], newline='') as file:
    numbers = dict((row + [''])[:2] for row in csv.reader(file))
print(f'  in a Python dict: {time.perf_counter() - start:.3f} s, {peak() - before:.1f} MB')";

fn main() {
    // `cargo test --all-targets` runs this too, and wants no report.
    if !std::env::args().any(|argument| argument == "--bench" || argument == "only") {
        return;
    }
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => all(&[
            "load-1m",
            "load-1m-names",
            "load-1m-actions",
            "load-10m",
            "decide",
            "decide-regex",
            "decide-worst",
            "reload",
        ]),
        ["small"] => all(&["load-1m", "load-1m-names", "load-1m-actions", "reload"]),
        ["write", file] => write_numbers(Path::new(file), MILLION, Lines::Bare),
        ["only", name, folder] => one(name, Path::new(folder)),
        _ => eprintln!("usage: cargo bench --bench screen -- [small | write FILE]"),
    }
}

fn all(names: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    for name in names {
        let status = Command::new(&program)
            .args(["only", name])
            .arg(folder.path())
            .status();
        assert!(status.unwrap().success(), "{name}");
    }
}

fn one(name: &str, folder: &Path) {
    match name {
        "load-1m" => load("1 M exact numbers", folder, MILLION, Lines::Bare),
        "load-1m-names" => load(
            "1 M exact numbers, each with its own name",
            folder,
            MILLION,
            Lines::Named,
        ),
        "load-1m-actions" => load(
            "1 M exact numbers, each with its own name in quotes and an action",
            folder,
            MILLION,
            Lines::Acting,
        ),
        "load-10m" => load("10 M exact numbers", folder, 10 * MILLION, Lines::Bare),
        "decide" => decide("decision, 10 M numbers + 10 k prefixes", folder, false),
        "decide-regex" => decide("the same with 500 regexes on number and name", folder, true),
        "decide-worst" => decide_worst(),
        "reload" => reload(folder),
        _ => eprintln!("no such figure: {name}"),
    }
}

fn reading() -> Reading {
    Reading {
        numbering: Numbering::new("US".parse().ok()),
        ..Reading::default()
    }
}

fn noon() -> Moment {
    Moment {
        instant: Timestamp::from_nanos(0),
        local: LocalTime {
            date: "2026-11-20".parse().unwrap(),
            minute: 720,
        },
    }
}

/// Numbers of North America, in no order, most of them different.
fn number(random: &mut fastrand::Rng) -> u64 {
    random.u64(2..10) * 1_000_000_000
        + random.u64(0..90) * 10_000_000
        + random.u64(2..10) * 1_000_000
        + random.u64(0..1_000_000)
}

/// What stands beside the numbers of a list.
#[derive(Clone, Copy, Debug)]
enum Lines {
    Bare,
    Named,
    Acting,
}

fn write_numbers(file: &Path, count: usize, lines: Lines) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut out = BufWriter::new(std::fs::File::create(file).unwrap());
    for index in 0..count {
        let number = number(&mut random);
        match lines {
            Lines::Bare => writeln!(out, "+1{number},"),
            Lines::Named => writeln!(out, "+1{number},Example Caller {index}"),
            Lines::Acting => writeln!(out, "+1{number},\"Caller, Example {index}\",fax"),
        }
        .unwrap();
    }
    out.flush().unwrap();
}

/// The file of so many numbers, written once.
fn numbers(folder: &Path, count: usize, lines: Lines) -> PathBuf {
    let file = folder.join(format!("{count}-{lines:?}.csv"));
    if !file.exists() {
        write_numbers(&file, count, lines);
    }
    // So that reading it back does not wait for the disk.
    black_box(std::fs::metadata(&file).unwrap());
    file
}

fn resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) * 1024.0 / 1e6
}

fn load(what: &str, folder: &Path, count: usize, lines: Lines) {
    let file = numbers(folder, count, lines);
    let before = resident_megabytes();
    let (start, own) = (Instant::now(), own_time());
    let loaded = List::load_as(&reading(), &[&file]);
    let (took, own) = (start.elapsed(), own_time().saturating_sub(own));
    let gained = resident_megabytes() - before;
    println!(
        "{what}: {:.3} s ({:.3} s of the processor), {gained:.1} MB",
        took.as_secs_f64(),
        own.as_secs_f64()
    );
    assert_eq!(loaded.bad_lines, 0);
    // Ten million would take a gigabyte.
    if count == MILLION {
        let python = Command::new("python3")
            .args(["-c", PYTHON])
            .arg(&file)
            .status();
        if !python.is_ok_and(|ended| ended.success()) {
            println!("  in a Python dict: there is no python3");
        }
    }
}

fn policy(folder: &Path, count: usize, regexes: bool) -> Policy {
    let mut random = fastrand::Rng::with_seed(2);
    let mut text = Vec::new();
    for _ in 0..10_000 {
        writeln!(text, "+1{}*,", number(&mut random) / 1000).unwrap();
    }
    if regexes {
        for index in 0..250 {
            let (area, end) = (random.u32(200..999), random.u32(10..99));
            writeln!(text, "/^\\+1{area}\\d*{end}\\d{{3}}$/,").unwrap();
            let digits = index % 9 + 4;
            writeln!(
                text,
                "\"name:/(spam|robo|promo{index})[ ?:]*v?\\d{{{digits},}}/\","
            )
            .unwrap();
        }
    }
    let rules = folder.join(format!("rules-{regexes}.csv"));
    std::fs::write(&rules, text).unwrap();
    let loaded = List::load_as(&reading(), &[numbers(folder, count, Lines::Bare), rules]);
    assert_eq!(loaded.bad_lines, 0, "{:?}", loaded.problems.first());
    Policy {
        numbering: reading().numbering,
        block: Some(loaded.list),
        ..Policy::default()
    }
}

fn callers() -> Vec<Caller> {
    let mut random = fastrand::Rng::with_seed(3);
    (0..DECISIONS)
        .map(|_| {
            let number = number(&mut random).to_string();
            let name = format!("V{}", random.u64(10_000_000..99_999_999_999));
            let names = [
                "WIRELESS CALLER",
                "Smith John",
                "SPAM? EXAMPLE",
                name.as_str(),
            ];
            Caller::from_line(Some(&number), random.choice(names))
        })
        .collect()
}

/// How long decisions took.
#[derive(Default)]
struct Times {
    on_the_wall: Vec<Duration>,
    /// The longest time of the processor.
    worst_own: Duration,
}

fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

impl Times {
    /// Decides about all callers.
    fn take(&mut self, callers: &[Caller], decide: impl Fn(&Caller)) {
        for caller in callers {
            let own = own_time();
            let start = Instant::now();
            decide(caller);
            self.on_the_wall.push(start.elapsed());
            self.worst_own = self.worst_own.max(own_time().saturating_sub(own));
        }
    }

    fn print(mut self, what: &str) {
        let times = &mut self.on_the_wall;
        times.sort_unstable();
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        println!(
            "{what}: median {:.2} us, 99 % {:.2} us, worst {:.0} us ({:.0} us of the processor)",
            micros(times[times.len() / 2]),
            micros(times[times.len() / 100 * 99]),
            micros(times[times.len() - 1]),
            micros(self.worst_own)
        );
    }
}

fn decide(what: &str, folder: &Path, regexes: bool) {
    let policy = policy(folder, 10 * MILLION, regexes);
    // As the daemon does when lists were read.
    policy.rehearse(noon());
    let mut times = Times::default();
    times.take(&callers(), |caller| {
        black_box(policy.screen(caller, noon()));
    });
    times.print(what);
}

/// As many as there is room for of the worst regular expressions, asked about the longest names.
fn decide_worst() {
    let mut text = Vec::new();
    for index in 0..100 {
        writeln!(text, "\"name:/([a-z]+[0-9]?){{1,100}}x{index}/\"").unwrap();
    }
    let loaded = List::parse_as(&reading(), Path::new("worst.csv"), &text);
    let (used, refused) = (loaded.list.len(), loaded.bad_lines);
    let policy = Policy {
        numbering: reading().numbering,
        block: Some(loaded.list),
        ..Policy::default()
    };
    policy.rehearse(noon());
    let mut random = fastrand::Rng::with_seed(4);
    let callers: Vec<Caller> = (0..1000)
        .map(|_| {
            let name: String = (0..128)
                .map(|_| {
                    random
                        .choice(['a', 'b', 'x', 'y', '0', '9', ' '])
                        .unwrap_or(' ')
                })
                .collect();
            Caller::from_line(Some("5055550134"), Some(&name))
        })
        .collect();
    let mut times = Times::default();
    times.take(&callers, |caller| {
        black_box(policy.screen(caller, noon()));
    });
    times.print(&format!(
        "{used} of the worst regexes ({refused} refused), names of 128 characters"
    ));
}

/// A list of a million numbers is read again and again by another thread, and put in force, while calls
/// are decided, as in the daemon.
fn reload(folder: &Path) {
    let file = numbers(folder, MILLION, Lines::Bare);
    let callers = callers();
    let load = || Policy {
        numbering: reading().numbering,
        block: Some(List::load_as(&reading(), &[&file]).list),
        ..Policy::default()
    };
    let live = LivePolicy::new(load());
    let stop = AtomicBool::new(false);
    let (times, reloads) = std::thread::scope(|scope| {
        let reloading = scope.spawn(|| {
            let mut reloads = 0;
            while !stop.load(Ordering::Relaxed) {
                live.replace(load());
                reloads += 1;
            }
            reloads
        });
        let started = Instant::now();
        let mut times = Times::default();
        while started.elapsed() < Duration::from_secs(2) {
            times.take(&callers, |caller| {
                black_box(live.screen(caller, noon()));
            });
        }
        stop.store(true, Ordering::Relaxed);
        (times, reloading.join().unwrap())
    });
    times.print(&format!("decision during {reloads} reloads of 1 M lines"));
}
