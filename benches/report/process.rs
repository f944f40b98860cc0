//! What the kernel says a process uses: `/proc/PID`.

use std::collections::BTreeMap;
use std::fs::{read_dir, read_to_string};
use std::time::{Duration, Instant};

/// How often a process is looked at. A thread that ends takes its figures with it: what it did since
/// the last look is lost.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A tick of the kernel's own accounting; 100 Hz on every Linux that people run.
const TICK: Duration = Duration::from_millis(10);

/// What a process used in a stretch of time.
pub(crate) struct Usage {
    pub(crate) lasted: Duration,
    /// Time on a CPU by the scheduler's own account, of all threads.
    pub(crate) on_cpu: Duration,
    /// The same in ticks (user and system): coarse, but nothing is lost with a thread.
    pub(crate) ticks: Duration,
    /// Times that any thread gave up the CPU to wait, and so was woken.
    pub(crate) waits: u64,
    /// The most resident memory seen, in kB.
    pub(crate) resident_kb: u64,
}

impl Usage {
    /// Watches a process for so long.
    pub(crate) fn of(pid: u32, time: Duration) -> Self {
        let began = Instant::now();
        let first = threads(pid);
        let first_ticks = ticks(pid);
        let mut last = first.clone();
        let mut resident_kb = resident_kb(pid);
        while began.elapsed() < time {
            std::thread::sleep(LOOK_EVERY.min(time.saturating_sub(began.elapsed())));
            last.extend(threads(pid));
            resident_kb = resident_kb.max(self::resident_kb(pid));
        }
        let since_first = |figure: fn(&Thread) -> u64| -> u64 {
            let of_thread = |(id, thread): (&u32, &Thread)| {
                figure(thread).saturating_sub(first.get(id).map_or(0, figure))
            };
            last.iter().map(of_thread).sum()
        };
        Self {
            lasted: began.elapsed(),
            on_cpu: Duration::from_nanos(since_first(|thread| thread.on_cpu)),
            ticks: TICK * (ticks(pid) - first_ticks) as u32,
            waits: since_first(|thread| thread.waits),
            resident_kb,
        }
    }

    /// Time on a CPU, in per cent of one core.
    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.on_cpu.as_secs_f64() / self.lasted.as_secs_f64()
    }

    /// The same by ticks.
    pub(crate) fn percent_by_ticks(&self) -> f64 {
        100.0 * self.ticks.as_secs_f64() / self.lasted.as_secs_f64()
    }
}

#[derive(Clone)]
struct Thread {
    /// Nanoseconds.
    on_cpu: u64,
    waits: u64,
}

fn threads(pid: u32) -> BTreeMap<u32, Thread> {
    let mut threads = BTreeMap::new();
    for task in read_dir(format!("/proc/{pid}/task")).expect("the process runs") {
        let path = task.expect("an entry").path();
        // A thread may end between the listing and the reading.
        let (Ok(times), Ok(status)) = (
            read_to_string(path.join("schedstat")),
            read_to_string(path.join("status")),
        ) else {
            continue;
        };
        let id = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        let on_cpu = times.split(' ').next().and_then(|time| time.parse().ok());
        let thread = Thread {
            on_cpu: on_cpu.expect("a kernel with schedstat"),
            waits: field(&status, "voluntary_ctxt_switches:"),
        };
        threads.insert(id.expect("a thread's id"), thread);
    }
    threads
}

fn resident_kb(pid: u32) -> u64 {
    let status = read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    field(&status, "VmRSS:")
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    value.expect("a field of /proc/PID/status")
}

/// `utime` and `stime`, counted after the program's name, which may hold anything but `)`.
fn ticks(pid: u32) -> u64 {
    let stat = read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let (_, after_name) = stat.rsplit_once(')').expect("a name");
    let times = after_name.split_whitespace().skip(11).take(2);
    times.map(|time| time.parse::<u64>().expect("ticks")).sum()
}
