//! SIGKILL at random moments.

use crate::calls_in_a_child::{Promised, command, this_program};
use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::time::Instant;

/// How many kills there are; 200 on request.
const KILLS: &str = "CALLBLOCK_TEST_KILLS";
/// The seed of their moments.
const SEED: &str = "CALLBLOCK_TEST_SEED";

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(value) => value.parse().expect("a number"),
        Err(_) => default,
    }
}

/// Begins the calls in this folder once more.
fn begin(folder: &Path, run: u32) -> Child {
    let program = this_program();
    command(program.to_str().unwrap(), &[], folder, run, 4)
        .spawn()
        .unwrap()
}

/// Waits for its end and reads what it promised.
fn end(mut child: Child, promised: &mut Promised) -> String {
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    child.wait().unwrap();
    promised.new_process();
    // A line that the kill cut off is no promise.
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    whole.lines().for_each(|line| promised.line(line));
    said
}

#[test]
fn whenever_it_is_killed_nothing_is_lost_that_was_promised() {
    let folder = tempfile::tempdir().unwrap();
    let (kills, seed) = (number(KILLS, 20), number(SEED, 1));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut promised = Promised::default();

    let began = Instant::now();
    end(begin(folder.path(), 0), &mut promised);
    let life = began.elapsed();
    assert_eq!(promised.rows(), 4, "nothing was promised: {promised:?}");

    for kill in 1..=kills as u32 {
        let mut child = begin(folder.path(), kill);
        // The moment itself is what is tried here, so nothing is waited for but time.
        std::thread::sleep(life.mul_f64(random.f64()));
        child.kill().unwrap();
        let said = end(child, &mut promised);
        // Every other time the next process finds it as it was left.
        if kill % 2 == 0 || u64::from(kill) == kills {
            let story = format!("kill {kill} of {kills}, {SEED}={seed}\n{said}");
            promised.assert_kept(folder.path(), &story);
            promised.forget_recordings();
            std::fs::remove_dir_all(folder.path().join("rec")).unwrap();
        }
    }

    let said = end(begin(folder.path(), kills as u32 + 1), &mut promised);
    let rows = promised.assert_kept(folder.path(), &said);
    assert!(rows.iter().all(|row| row.outcome.is_some()), "{said}");
    assert!(rows.is_sorted_by_key(|row| row.id));
    let interrupted =
        |row: &&callblock::store::LoggedCall| row.outcome.as_deref() == Some("interrupted");
    eprintln!(
        "{kills} kills within {:.1} s each: {} rows, {} of them interrupted",
        life.as_secs_f64(),
        rows.len(),
        rows.iter().filter(interrupted).count()
    );
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains("set-aside"), "{name}");
    }
}
