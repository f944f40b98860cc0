//! What the figures were taken on, and when.

use std::fs::read_to_string;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let build = if cfg!(debug_assertions) {
        "debug build: these figures mean little"
    } else {
        "release build"
    };
    format!(
        "{}, {cores} cores, Linux {}, {}; {build}; load average before: {load}",
        processor(),
        kernel.trim(),
        today(),
    )
}

/// `model name` on x86; on ARM the board's `Model` says more.
fn processor() -> String {
    let cpus = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        cpus.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim() == key)
            .map(|(_, value)| value.trim().to_owned())
    };
    value("Model")
        .or_else(|| value("model name"))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn today() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    chrono::DateTime::from_timestamp(now.as_secs().cast_signed(), 0)
        .map(|now| now.format("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}
