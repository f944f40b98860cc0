//! What the daemon costs while nobody calls: nearly always.

use crate::Row;
use crate::daemon::{RunningDaemon, folder_on_disk};
use crate::process::Usage;
use callblock::emulator::Scenario;
use std::time::Duration;

/// Threads that have done something at the start wait for more work for 10 s.
const AFTER_START: Duration = Duration::from_secs(12);
const WATCHED: Duration = Duration::from_secs(40);

pub(crate) fn measure() -> Vec<Row> {
    let daemon = RunningDaemon::start(folder_on_disk(), Scenario::default(), [""; 0]);
    std::thread::sleep(AFTER_START);
    let usage = Usage::of(daemon.pid(), WATCHED);
    let seconds = usage.lasted.as_secs_f64();
    vec![
        Row {
            what: "idle wake-ups per second",
            measured: format!("{:.2}", usage.waits as f64 / seconds),
            how: format!("voluntary context switches of all threads in {seconds:.0} s, armed"),
        },
        Row {
            what: "resident memory, idle",
            measured: format!("{:.1} MB", usage.resident_kb as f64 / 1024.0),
            how: "`VmRSS` at its highest in the same time".into(),
        },
    ]
}
