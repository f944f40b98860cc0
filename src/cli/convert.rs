//! `callblock convert`: a sound file of another kind made into one for the line.

use super::{Failure, runtime};
use callblock::audio::{ConvertError, convert_file};
use callblock::service::signals::{ReloadSignal as HangUpSignal, StopSignals};
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Work that takes less than this is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);
/// Columns of the progress bar between its brackets.
const BAR: usize = 40;

/// Make a WAV file for the line of a WAV, FLAC, MP3, Ogg Vorbis or AIFF file.
#[derive(Debug, clap::Args)]
pub(crate) struct ConvertArgs {
    /// Overwrite OUT.wav if it is there.
    #[arg(long)]
    force: bool,
    /// The file to convert; it is never changed.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to make: mono, unsigned 8 bit, 8000 Hz.
    #[arg(value_name = "OUT.wav")]
    output: PathBuf,
}

/// Converts, and shows on standard error how far it is, if that is a terminal.
pub(crate) fn run(args: &ConvertArgs) -> Result<(), Failure> {
    let stopped = stopped_by_signal()?;
    let mut bar = ProgressBar::new();
    let converted = convert_file(&args.input, &args.output, args.force, |share| {
        bar.show(share);
        if stopped.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    bar.wipe();
    let error = match converted {
        Ok(converted) => {
            if let Some(shortfall) = converted.shortfall {
                eprintln!("callblock: {}: {shortfall}", args.input.display());
            }
            return Ok(());
        }
        Err(error @ ConvertError::BrokenOff) => return Err(Failure::Other(error.to_string())),
        Err(error) => error,
    };
    let file = match error {
        ConvertError::Exists | ConvertError::Itself | ConvertError::Unwritten(_) => &args.output,
        _ => &args.input,
    };
    Err(Failure::Usage(format!("{}: {error}", file.display())))
}

/// Becomes true on Ctrl-C, on SIGTERM, and when the terminal is closed, none of which kills the process
/// any more: half a file would stay.
fn stopped_by_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stopped = Arc::new(AtomicBool::new(false));
    let runtime = runtime()?;
    let detached = ignores_hang_up();
    let signals = runtime.block_on(async { Ok((StopSignals::new()?, HangUpSignal::new()?)) });
    let (mut stop, mut hang_up) =
        signals.map_err(|error: io::Error| Failure::because("signals")(error))?;
    let told = Arc::clone(&stopped);
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = stop.recv() => {}
                () = hang_up.recv(), if !detached => {}
            }
        });
        told.store(true, Ordering::Relaxed);
    });
    Ok(stopped)
}

/// Whether SIGHUP was to be ignored when the program was started: nohup(1) does that.
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first of the signals.
    ignored.is_some_and(|mask| mask & 1 != 0)
}

/// A line on a terminal that grows with the work done.
struct ProgressBar {
    begun: Instant,
    /// Whether anybody can see it.
    watched: bool,
    shown: Option<u32>,
}

impl ProgressBar {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            watched: io::stderr().is_terminal(),
            shown: None,
        }
    }

    fn show(&mut self, share: Option<f32>) {
        let Some(percent) = share.map(|share| (share * 100.0) as u32) else {
            return;
        };
        if self.watched && self.shown != Some(percent) && self.begun.elapsed() > PATIENCE {
            // Who cannot see it can do without.
            let _ = write!(io::stderr(), "\r{}", line(percent));
            self.shown = Some(percent);
        }
    }

    fn wipe(&self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r{:1$}\r", "", line(100).len());
        }
    }
}

fn line(percent: u32) -> String {
    let done = BAR * percent as usize / 100;
    format!("[{:<BAR$}] {percent:3} %", "#".repeat(done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_the_work() {
        assert_eq!(line(0), format!("[{}]   0 %", " ".repeat(40)));
        assert_eq!(
            line(25),
            format!("[{}{}]  25 %", "#".repeat(10), " ".repeat(30))
        );
        assert_eq!(line(100), format!("[{}] 100 %", "#".repeat(40)));
    }
}
