//! A storm: thousands of calls in a row on paused time, with random faults at random instants, through
//! the whole daemon. Whatever happens, each call has its row, the line is on-hook after it, nothing
//! is picked up that should ring, and the next call is screened; nothing leaks.
//!
//! `cargo test --test storm` runs 300 calls. More, and others:
//!
//! ```sh
//! CALLBLOCK_STORM_CALLS=10000 CALLBLOCK_STORM_SEED=7 cargo test --release --test storm -- --nocapture
//! ```
//!
//! The storm is made of episodes of 12 to 200 calls: a data folder, a modem, a block mode. An episode
//! is given by its seed alone; one that fails says which, and the command that repeats it. Disk jobs
//! run in a thread of their own, and paused time waits for them; within the instant in which one ends
//! nothing in the daemon depends on the order. (`the_same_seed_is_the_same_storm` shows it.)

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: what is missing fails the test"
)]

mod disk;
mod episode;
mod follow;
mod house;
mod line;
mod memory;
mod oracle;
mod plan;
mod rings;
mod seen;

use crate::disk::Disk;
use crate::episode::{Tally, live};
use crate::plan::Plan;
use peak_alloc::PeakAlloc;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// How many calls there are at least.
const CALLS: &str = "CALLBLOCK_STORM_CALLS";
/// The seed of the first episode; each next one has the next.
const SEED: &str = "CALLBLOCK_STORM_SEED";
/// Where a small disk may be mounted.
const DISK: &str = "CALLBLOCK_STORM_DISK";

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(value) => value.parse().expect("a number"),
        Err(_) => default,
    }
}

/// Runs a part of this program with a small disk of its own (in a user namespace; nothing outside
/// sees it), or, where none may be mounted, in a folder that is never full nor read-only.
fn in_the_weather(part: &str) {
    let folder = tempfile::tempdir().unwrap();
    let may_mount = Command::new("unshare").args(["-rm", "true"]).output();
    let program = std::env::current_exe().unwrap();
    let mut command = if may_mount.is_ok_and(|output| output.status.success()) {
        let mut command = Command::new("unshare");
        command.arg("-rm").arg(program).env(DISK, folder.path());
        command
    } else {
        eprintln!("no disk can be mounted here (unshare -rm): it is never full nor read-only");
        Command::new(program)
    };
    let passed = command
        .args(["--exact", part, "--ignored", "--nocapture"])
        .status()
        .unwrap();
    assert!(passed.success(), "see above");
}

fn disk() -> Disk {
    match std::env::var_os(DISK) {
        Some(folder) => Disk::mounted(folder.into()),
        None => Disk::of_the_machine(),
    }
}

#[test]
fn every_call_of_a_storm_is_dealt_with() {
    in_the_weather("part_storm");
}

#[test]
#[ignore = "is a part of another test, which starts it"]
fn part_storm() {
    let (calls, seed) = (number(CALLS, 300), number(SEED, 1));
    let disk = disk();
    let mut tally = Tally::default();
    let mut episode = seed;
    while tally.calls < calls {
        let plan = Plan::new(episode);
        let lived = catch_unwind(AssertUnwindSafe(|| live(&plan, &disk, &mut tally)));
        let failure = match lived {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(failure),
            Err(_) => Some("a panic, told above".to_owned()),
        };
        if let Some(failure) = failure {
            let (chip, mode) = (plan.chip, plan.mode);
            panic!(
                "{failure}\n\n{chip} {mode:?}; to repeat it:\n\
                 {SEED}={episode} {CALLS}=1 cargo test --test storm every_call -- --nocapture"
            );
        }
        // A long plan is heavy.
        drop(plan);
        tally.weigh();
        episode += 1;
    }
    eprintln!("{tally}\nseeds {seed} to {}", episode - 1);
    tally.assert_memory_flat();
}

#[test]
fn the_same_seed_is_the_same_storm() {
    in_the_weather("part_twice");
}

#[test]
#[ignore = "is a part of another test, which starts it"]
fn part_twice() {
    let seed = number(SEED, 1);
    let disk = disk();
    for episode in seed..seed + number(CALLS, 2) {
        let plan = Plan::new(episode);
        let mut stories = (0..2).map(|_| {
            let mut tally = Tally::default();
            tally.story = Some(Vec::new());
            live(&plan, &disk, &mut tally).unwrap_or_else(|failure| panic!("{failure}"));
            tally.story.unwrap()
        });
        let (first, second) = (stories.next().unwrap(), stories.next().unwrap());
        for (line, (one, other)) in first.iter().zip(&second).enumerate() {
            let before = first[line.saturating_sub(20)..line].join("\n");
            assert_eq!(one, other, "{SEED}={episode}, line {line}, after\n{before}");
        }
        assert_eq!(first.len(), second.len(), "{SEED}={episode}");
    }
}
