//! How long a blocked caller waits for us.

use super::{highest, median};
use crate::Row;
use crate::daemon::{RunningDaemon, folder_on_disk};
use callblock::emulator::{Call, CallerIdTime, Ending, Happening, Scenario};
use std::time::Duration;

const CALLS: usize = 31;
/// Caller ID that follows sooner on another belongs to the same call.
const BETWEEN_CALLS: Duration = Duration::from_millis(2100);

pub(crate) fn measure() -> Vec<Row> {
    vec![
        row(
            "last byte of the caller ID → pick-up command",
            CallerIdTime::AfterFirstRing,
        ),
        row(
            "first RING, after the caller ID → pick-up command",
            CallerIdTime::BeforeFirstRing,
        ),
    ]
}

fn row(what: &'static str, caller_id: CallerIdTime) -> Row {
    let times = pick_ups(caller_id);
    Row {
        what,
        measured: format!(
            "median {:.2} ms, worst {:.2} ms",
            median(times.clone()),
            highest(&times)
        ),
        how: format!(
            "{CALLS} calls, default action; from the emulated modem's writing to its reading, both \
             processes' scheduling and the pseudo-terminal included"
        ),
    }
}

/// Milliseconds.
fn pick_ups(caller_id: CallerIdTime) -> Vec<f64> {
    let scenario = Scenario {
        shortest_answer: Duration::ZERO,
        ..Scenario::default()
    };
    let daemon = RunningDaemon::start(folder_on_disk(), scenario, ["--hangup-delay", "0"]);
    let call = |number: usize| {
        let mut call = Call::from(format!("21255502{number:02}").as_str())
            .named("V4231749020")
            .caller_id(caller_id)
            .ends(Ending::Stays);
        call.delay = Some(Duration::from_millis(100));
        call
    };
    let times = (0..CALLS).map(|number| {
        std::thread::sleep(BETWEEN_CALLS);
        daemon.call(call(number));
        let mut told = None;
        let picked_up = loop {
            match daemon.next() {
                (at, Happening::Ring | Happening::CallerId(_)) => told = Some(at),
                (at, Happening::Command(command)) if command == "ATH1" => break at,
                _ => {}
            }
        };
        daemon.wait_for(|what| *what == Happening::CallEnded);
        daemon.settle();
        let told = told.expect("nothing is picked up that has not rung");
        (picked_up - told).as_secs_f64() * 1000.0
    });
    times.collect()
}
