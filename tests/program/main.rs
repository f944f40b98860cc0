//! The program as its user runs it: the real binary against an emulated modem in a process of its
//! own, over a real pseudo-terminal, in real time.
//!
//! Most of the time here is spent waiting for telephones, so the stories of a test are played all at
//! once. What can be shown on paused time is shown in `tests/calls`, in more detail.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: what is missing fails the test"
)]

mod demo;
mod house;
mod lists;
mod logging;
mod modes;
mod process;
mod recovery;
mod status;
mod stopping;
mod tracing;
mod usage;
mod waiting;

/// Plays stories at once and fails with the names of those that failed. The test runner alone would
/// only start as many as there are processors.
fn at_once<const N: usize>(stories: [(&str, fn()); N]) {
    let running = stories.map(|(name, story)| {
        let thread = std::thread::Builder::new().name(name.to_owned());
        (name, thread.spawn(story).unwrap())
    });
    let failed: Vec<&str> = running
        .into_iter()
        .filter_map(|(name, story)| story.join().is_err().then_some(name))
        .collect();
    assert!(failed.is_empty(), "failed: {failed:?}");
}
