//! The power goes at any write of a recorded call.

use crate::calls_in_a_child::{Promised, command, this_program};
use crate::written::{Fate, SYSTEM_CALLS, Step, after_power_cut, steps};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How many random outcomes are tried at each step, besides all and nothing.
const OUTCOMES: &str = "CALLBLOCK_TEST_OUTCOMES";

/// What two calls wrote, in a folder that is not there any more; `None` with a message where it
/// cannot be watched.
fn watched() -> Option<(PathBuf, Vec<Step>)> {
    let place = tempfile::tempdir().unwrap();
    // What strace prints is the name without links.
    let folder = place.path().canonicalize().unwrap().join("data");
    let trace = place.path().join("trace");
    let calls = format!("trace={SYSTEM_CALLS}");
    let program = this_program();
    let arguments = [
        "-f",
        "-xx",
        "-s",
        "1000000",
        "-e",
        &calls,
        "-o",
        trace.to_str().unwrap(),
        program.to_str().unwrap(),
    ];
    let Ok(output) = command("strace", &arguments, &folder, 0, 2).output() else {
        eprintln!("skipped: there is no strace");
        return None;
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("ptrace") || said.contains("PTRACE"), "{said}");
        eprintln!("skipped: strace may not watch here");
        return None;
    }
    let steps = steps(&std::fs::read_to_string(trace).unwrap(), &folder);
    Some((folder, steps))
}

/// A folder in memory, if there is one: thousands of databases are opened in it.
fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn write_out(files: &BTreeMap<PathBuf, Vec<u8>>, origin: &Path) -> TempDir {
    let place = scratch();
    for (path, content) in files {
        let name = path.strip_prefix(origin).unwrap();
        // Nothing durable is in it: SQLite makes a new one.
        if name.to_string_lossy().ends_with("-shm") {
            continue;
        }
        let path = place.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    place
}

#[test]
fn at_every_write_nothing_is_lost_that_was_promised() {
    let Some((folder, steps)) = watched() else {
        return;
    };
    let outcomes: usize = match std::env::var(OUTCOMES) {
        Ok(value) => value.parse().expect("a number"),
        Err(_) => 3,
    };
    let mut promised = Promised::default();
    let mut seen = HashSet::new();
    let mut recordings = 0;
    for cut in 0..=steps.len() {
        if let Some(Step::Said(line)) = cut.checked_sub(1).map(|last| &steps[last]) {
            promised.line(line);
        }
        let mut fates = vec![
            (Fate::All, "all".to_owned()),
            (Fate::None, "none".to_owned()),
        ];
        let mut random: Vec<_> = (0..outcomes)
            .map(|outcome| fastrand::Rng::with_seed((cut * 1000 + outcome) as u64))
            .collect();
        for (outcome, random) in random.iter_mut().enumerate() {
            fates.push((Fate::Random(random), format!("random {outcome}")));
        }
        for (fate, name) in fates {
            let files = after_power_cut(&steps[..cut], fate);
            let mut hasher = DefaultHasher::new();
            (&files, format!("{promised:?}")).hash(&mut hasher);
            if !seen.insert(hasher.finish()) {
                continue;
            }
            let place = write_out(&files, &folder);
            let story = format!("power cut after step {cut} of {}, fate {name}", steps.len());
            promised.assert_kept(place.path(), &story);
            recordings += files
                .keys()
                .filter(|path| path.extension().is_some_and(|e| e == "wav"))
                .count();
        }
    }
    assert_eq!(promised.rows(), 2, "{promised:?}");
    assert!(recordings > 0);
    eprintln!("{} power cuts at {} steps", seen.len(), steps.len());
}
