//! What the daemon costs and how fast it is, measured and printed as one table.
//!
//! `cargo bench --bench report` takes all figures; `cargo bench --bench report -- idle hour` only
//! some. Nothing is asserted about time: a figure is for people to judge, on their own machine. What
//! cannot be run at all ends the report with an error.
//!
//! Where a process is measured it is the real daemon, started as a service would start it, on a
//! pseudo-terminal; the emulated modem and its line are in this process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    reason = "a figure that cannot be taken ends the report"
)]

mod daemon;
mod figures;
#[path = "../../tests/calls/house.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "shared with the tests, which use all of it"
)]
mod house;
mod machine;
mod process;

use figures::{crash, duplex, fidelity, hour, idle, latency};

/// One line of the table.
struct Row {
    what: &'static str,
    measured: String,
    how: String,
}

type Measure = fn() -> Vec<Row>;

const MEASURES: [(&str, Measure); 6] = [
    ("latency", latency::measure),
    ("idle", idle::measure),
    ("duplex", duplex::measure),
    ("fidelity", fidelity::measure),
    ("crash", crash::measure),
    ("hour", hour::measure),
];

fn main() {
    // Cargo itself passes `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    println!("{}\n", machine::description());
    println!("| what | measured | how |\n|---|---|---|");
    for (name, measure) in MEASURES {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            for row in measure() {
                println!("| {} | {} | {} |", row.what, row.measured, row.how);
            }
        }
    }
}
