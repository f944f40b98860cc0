//! Lives through an episode, burst by burst, and looks at everything whenever there is peace.

use crate::HEAP;
use crate::disk::Disk;
use crate::house::{House, START};
use crate::memory::Memory;
use crate::oracle::check;
use crate::plan::{Accident, Burst, Plan, Planned, Sickness};
use crate::seen::What;
use callblock::emulator::{Cure, EmulatedModem, Fault, FaultKind, Trigger, Unplug};
use callblock::store::{LoggedCall, Store};
use std::fmt;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// There is peace when nothing has happened for so long: a call that nobody answered is over 8 s
/// after its last ring.
const PEACE: Duration = Duration::from_secs(12);
/// What was not written because of a sick disk is tried again once a minute.
const RETRIED: Duration = Duration::from_secs(62);
/// A modem that something but pulling it out can cure is cured within this time.
const CURED: Duration = Duration::from_hours(3);

/// What came of it.
#[derive(Default)]
pub struct Tally {
    pub episodes: u64,
    pub calls: u64,
    rows: u64,
    interrupted: u64,
    recordings: u64,
    /// What was seen, if it is asked for.
    pub story: Option<Vec<String>>,
    /// Bytes on the heap, and in memory, after each episode.
    memory: Vec<(usize, usize)>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls in {} episodes: {} rows ({} of them interrupted), {} recordings",
            self.calls, self.episodes, self.rows, self.interrupted, self.recordings
        )?;
        if let (Some(first), Some(last)) = (self.memory.first(), self.memory.last()) {
            write!(
                f,
                "\nheap {} -> {} kB, resident {} -> {} kB",
                first.0 / 1000,
                last.0 / 1000,
                first.1 / 1000,
                last.1 / 1000
            )?;
        }
        Ok(())
    }
}

impl Tally {
    /// To be called after an episode, when nothing is left of it.
    pub fn weigh(&mut self) {
        self.memory.push((HEAP.current_usage(), resident()));
    }

    /// The last third of the episodes needed no more memory than the first.
    pub fn assert_memory_flat(&self) {
        let third = self.memory.len() / 3;
        if third == 0 {
            return;
        }
        let most = |part: &[(usize, usize)]| {
            let heap = part.iter().map(|memory| memory.0).max();
            let resident = part.iter().map(|memory| memory.1).max();
            (heap.unwrap(), resident.unwrap())
        };
        let early = most(&self.memory[..third]);
        let late = most(&self.memory[self.memory.len() - third..]);
        assert!(late.0 <= early.0 + 100_000, "heap: {early:?} {late:?}");
        assert!(
            late.1 <= early.1 + 8_000_000,
            "resident: {early:?} {late:?}"
        );
    }
}

/// An episode from its beginning to its end.
pub fn live(plan: &Plan, disk: &Disk, tally: &mut Tally) -> Result<(), String> {
    let descriptors = open_descriptors();
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, Box::pin(episode(plan, disk, tally)))?;
    drop(runtime);
    tally.episodes += 1;
    tally.calls += plan.calls() as u64;
    if open_descriptors() != descriptors {
        return Err(format!(
            "{} open files instead of {descriptors}",
            open_descriptors()
        ));
    }
    Ok(())
}

async fn episode(plan: &Plan, disk: &Disk, tally: &mut Tally) -> Result<(), String> {
    let house = House::new(plan, disk.data_folder());
    house.begin();
    let mut memory = Memory::default();
    let mut flat = Flat::default();
    for burst in &plan.bursts {
        peace(&house, PEACE).await?;
        for sight in house.seen.take() {
            memory.remember(&sight.what);
        }
        house
            .seen
            .note(What::Storm(format!("{:?}", burst.accidents)));
        let began = house.seen.now();
        storm(&house, burst, disk).await?;
        let rows = rows_since(&house, began)?;
        let sights = house.seen.take();
        if let Some(story) = &mut tally.story {
            story.extend(sights.iter().map(ToString::to_string));
        }
        let story = || {
            let lines: Vec<String> = sights.iter().map(ToString::to_string).collect();
            format!("{}\n{rows:#?}\n{:#?}", lines.join("\n"), burst)
        };
        tally.recordings += check(plan, burst, &sights, &rows, &mut memory, &house.folder)
            .map_err(|what| format!("{what}\n{}\n{what}", story()))?;
        tally.rows += rows.len() as u64;
        tally.interrupted += rows
            .iter()
            .filter(|row| row.outcome.as_deref() == Some("interrupted"))
            .count() as u64;
        empty(&house.folder.join("rec"));
        flat.look().map_err(|what| format!("{what}\n{}", story()))?;
    }
    house.stop().await?;
    // A story that is kept grows.
    if tally.story.is_none() {
        flat.judge()?;
    }
    Ok(())
}

/// The calls of a burst and what goes wrong meanwhile, until there is peace again.
async fn storm(house: &House<'_>, burst: &Burst, disk: &Disk) -> Result<(), String> {
    let accidents = befall(house, &burst.accidents, disk);
    let calls = async {
        for planned in &burst.calls {
            ring(house, planned).await;
        }
    };
    let ((), befallen) = tokio::join!(calls, accidents);
    befallen?;
    house.modem.with(|modem, _| modem.clear_faults());
    let for_good = burst.accidents.iter().any(stops_for_good);
    if for_good || !house.modem.with(|modem, _| modem.is_plugged()) {
        house
            .seen
            .note(What::Storm("pulled out and plugged in".into()));
        house.modem.with(EmulatedModem::unplug);
        sleep(Duration::from_secs(3)).await;
        house.modem.with(|modem, now| modem.plug(now, false));
    }
    house.begin_if_ended().await?;
    peace(house, PEACE).await?;
    let sick = |accident: &Accident| matches!(accident, Accident::Disk(..));
    if burst.accidents.iter().any(sick) {
        sleep(RETRIED).await;
        peace(house, PEACE).await?;
    }
    Ok(())
}

fn stops_for_good(accident: &Accident) -> bool {
    let (Accident::Modem(_, kind) | Accident::Command(_, kind)) = accident else {
        return false;
    };
    matches!(
        kind,
        FaultKind::Wedge
            | FaultKind::Hang(Cure::Replug)
            | FaultKind::Unplug(Unplug {
                back_after: None,
                ..
            })
    )
}

async fn peace(house: &House<'_>, since: Duration) -> Result<(), String> {
    let limit = Instant::now() + CURED;
    while !house.seen.is_quiet(since) {
        if Instant::now() > limit {
            let story: Vec<String> = house.seen.take().iter().map(ToString::to_string).collect();
            return Err(format!("no peace\n{}\nno peace", story.join("\n")));
        }
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// One call, until it is over.
async fn ring(house: &House<'_>, planned: &Planned) {
    sleep(planned.gap).await;
    let begin = |call| house.modem.with(|modem, now| modem.call_now(now, call));
    begin(planned.call.clone());
    let over = || {
        house
            .modem
            .until(|_| (!house.seen.call_is_on()).then_some(()))
    };
    if let Some((after, knocking)) = &planned.knock
        && timeout(*after, over()).await.is_err()
    {
        begin(knocking.clone());
    }
    // A modem that is stuck off-hook holds the line until it is cured or pulled out.
    let _ = timeout(Duration::from_mins(2), over()).await;
}

enum Step<'a> {
    Fault(&'a FaultKind),
    Kill,
    Stop,
    Begin,
    FallsIll(Sickness),
    Recovers,
}

/// What goes wrong, each at its time.
async fn befall(house: &House<'_>, accidents: &[Accident], disk: &Disk) -> Result<(), String> {
    let now = Instant::now();
    let mut steps = Vec::new();
    for accident in accidents {
        match accident {
            Accident::Command(command, kind) => {
                let fault = Fault::on(command, kind.clone());
                house.modem.with(|modem, _| modem.add_fault(fault));
            }
            Accident::Modem(at, kind) => steps.push((*at, Step::Fault(kind))),
            Accident::Kill(at, down) => {
                steps.push((*at, Step::Kill));
                steps.push((*at + *down, Step::Begin));
            }
            Accident::Stop(at, down) => {
                steps.push((*at, Step::Stop));
                steps.push((*at + *down, Step::Begin));
            }
            Accident::Disk(at, sickness, lasts) => {
                steps.push((*at, Step::FallsIll(*sickness)));
                steps.push((*at + *lasts, Step::Recovers));
            }
        }
    }
    steps.sort_by_key(|step| step.0);
    for (at, step) in steps {
        sleep_until(now + at).await;
        match step {
            Step::Fault(kind) => {
                let at = Trigger::At(house.seen.now());
                let fault = Fault::new(at, kind.clone());
                house.modem.with(|modem, _| modem.add_fault(fault));
            }
            Step::Kill => house.kill().await,
            Step::Stop => house.stop().await?,
            Step::Begin => house.begin_if_ended().await?,
            Step::FallsIll(sickness) => {
                house.seen.note(What::Storm(format!("{sickness:?}")));
                disk.falls_ill(sickness, &house.folder);
            }
            Step::Recovers => {
                house.seen.note(What::Storm("the disk is well".into()));
                disk.recovers(&house.folder);
            }
        }
    }
    Ok(())
}

/// The rows of calls that began since then.
fn rows_since(house: &House<'_>, began: Duration) -> Result<Vec<LoggedCall>, String> {
    let database = house.folder.join("callblock.db");
    if !database.exists() {
        // It was deleted, and nothing was to be written since.
        return Ok(Vec::new());
    }
    let store = Store::open_read_only(&database).map_err(|error| error.to_string())?;
    let mut rows = store.recent(100).map_err(|error| error.to_string())?;
    rows.retain(|row| row.started >= START.after(began));
    Ok(rows)
}

fn empty(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Tasks, open files and memory of one process over many calls.
#[derive(Default)]
struct Flat {
    tasks: Option<usize>,
    descriptors: Option<usize>,
    heap: Vec<usize>,
}

impl Flat {
    /// To be called when there is peace.
    fn look(&mut self) -> Result<(), String> {
        let tasks = Handle::current().metrics().num_alive_tasks();
        let tasks_at_first = *self.tasks.get_or_insert(tasks);
        if tasks != tasks_at_first {
            return Err(format!("{tasks} tasks instead of {tasks_at_first}"));
        }
        let descriptors = open_descriptors();
        let at_first = *self.descriptors.get_or_insert(descriptors);
        // SQLite keeps the file of our own reader until the daemon's connection closes.
        if descriptors > at_first + 1 {
            let names: Vec<_> = std::fs::read_dir("/proc/self/fd")
                .unwrap()
                .flatten()
                .map(|entry| std::fs::read_link(entry.path()))
                .collect();
            return Err(format!(
                "{descriptors} open files instead of {at_first}: {names:#?}"
            ));
        }
        self.heap.push(HEAP.current_usage());
        Ok(())
    }

    fn judge(&self) -> Result<(), String> {
        // Bounded buffers that double on their way to the bound.
        const SLACK: usize = 150_000;
        if self.heap.len() < 40 {
            return Ok(());
        }
        let quarter = self.heap.len() / 4;
        let early = self.heap[quarter..2 * quarter].iter().min().unwrap();
        let late = self.heap[3 * quarter..].iter().min().unwrap();
        if *late > early + SLACK {
            return Err(format!("memory grows from {early} to {late} bytes"));
        }
        Ok(())
    }
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Resident memory, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}
