//! What is on disk after an accident: power cuts, kills, disks that are full, read-only or gone,
//! clocks that jump, callers who mean harm.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: what is missing fails the test"
)]

mod accidents;
mod calls_in_a_child;
mod hostile_callers;
#[path = "../calls/house.rs"]
#[allow(
    dead_code,
    clippy::unchecked_time_subtraction,
    reason = "shared with the tests of calls"
)]
mod house;
mod kills;
mod power_cuts;
mod wall_clock;
mod written;
