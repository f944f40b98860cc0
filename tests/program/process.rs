//! A running program and what it prints.

use rustix::process::{Pid, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub use rustix::process::Signal;

/// What has not come within this time never will. Nothing is measured with it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Which of its outputs is read; the other is discarded.
#[derive(Clone, Copy)]
pub enum Prints {
    Stdout,
    Stderr,
}

#[derive(Default)]
struct Printed {
    lines: Vec<String>,
    ended: bool,
}

type Pages = Arc<(Mutex<Printed>, Condvar)>;

/// Killed at the latest when dropped. If the test has failed by then, what it printed is shown.
pub struct Process {
    name: &'static str,
    child: Child,
    pages: Pages,
}

impl Process {
    pub fn start(name: &'static str, command: &mut Command, prints: Prints) -> Self {
        let (stdout, stderr) = match prints {
            Prints::Stdout => (Stdio::piped(), Stdio::inherit()),
            Prints::Stderr => (Stdio::null(), Stdio::piped()),
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        let output: Box<dyn Read + Send> = match prints {
            Prints::Stdout => Box::new(child.stdout.take().unwrap()),
            Prints::Stderr => Box::new(child.stderr.take().unwrap()),
        };
        let pages = Pages::default();
        let writing = Arc::clone(&pages);
        std::thread::spawn(move || read_to_the_end(output, &writing));
        Self { name, child, pages }
    }

    /// Waits until `found` finds something in the lines printed so far.
    fn watch<T>(&self, what: &str, found: impl Fn(&[String]) -> Option<T>) -> T {
        let (pages, turned) = &*self.pages;
        let mut printed = pages.lock().unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = found(&printed.lines) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || printed.ended {
                drop(printed);
                panic!("{} never printed {what}", self.name);
            }
            printed = turned.wait_timeout(printed, left).unwrap().0;
        }
    }

    /// Waits for a line with this text in it.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_times(1, text)
    }

    /// Waits for the n-th line with this text in it.
    pub fn wait_for_times(&self, n: usize, text: &str) -> String {
        self.watch(&format!("{text:?} {n} times"), |lines| {
            let mut with_it = lines.iter().filter(|line| line.contains(text));
            with_it.nth(n - 1).cloned()
        })
    }

    /// What it has printed so far, without the line breaks.
    pub fn lines(&self) -> Vec<String> {
        self.pages.0.lock().unwrap().lines.clone()
    }

    pub fn count(&self, text: &str) -> usize {
        self.lines().iter().filter(|l| l.contains(text)).count()
    }

    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Waits until it has ended.
    pub fn exit(&mut self) -> ExitStatus {
        let (pages, turned) = &*self.pages;
        let printed = pages.lock().unwrap();
        let (printed, waited) = turned
            .wait_timeout_while(printed, PATIENCE, |printed| !printed.ended)
            .unwrap();
        drop(printed);
        assert!(!waited.timed_out(), "{} does not end", self.name);
        self.child.wait().unwrap()
    }

    /// Asks it to stop, and expects it to do so in order.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.exit().code(), Some(0), "{}", self.name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!(
                "--- {} printed:\n{}\n---",
                self.name,
                self.lines().join("\n")
            );
        }
    }
}

fn read_to_the_end(output: impl Read, pages: &Pages) {
    let (pages, turned) = &**pages;
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        pages.lock().unwrap().lines.push(line);
        turned.notify_all();
    }
    pages.lock().unwrap().ended = true;
    turned.notify_all();
}
