//! Where log lines go, and how they look.
//!
//! The rest of the crate only uses `tracing`'s macros, with the parts of a line as fields (`call`,
//! `number`, `name`, `verdict`, `reason`, `action`, …). In the journal each becomes a field of its
//! own in capitals, so that `journalctl NUMBER=…` finds it; in text it becomes `number=…`.
//!
//! Nothing here starts a thread or buffers. A line that cannot be written is dropped: a full disk or
//! a closed terminal must not end the daemon.
//!
//! No field may be called `priority`, `target`, `code_file`, `code_line`, `syslog_identifier` or
//! `span_name`: in the journal it would stand beside the field of that name which every line has.

mod text;

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use text::{TextLine, TextPrefix};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// The name under which `journalctl -t` finds our lines, whatever the binary is called.
pub const SYSLOG_IDENTIFIER: &str = "callblock";

/// What the user asked for. With no destination named, it is the journal if a service manager
/// connected standard error to it, else standard error.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogOptions {
    /// Log to standard error.
    pub stderr: bool,
    /// Append to this file.
    pub file: Option<PathBuf>,
    /// Log to the journal.
    pub journal: bool,
    /// 0: what happens; 1: and why (DEBUG); 2 or more: everything, down to the bytes (TRACE).
    pub verbosity: u8,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file named by `--logfile` cannot be opened.
    #[error("cannot open the log file {}: {source}; name a file that can be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A logger is there already.
    #[error("logging was set up twice")]
    Twice(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Sets up logging for the whole process. Call once, before the first line.
///
/// If the journal is wanted and is not there, standard error takes its place, and a line says so.
pub fn init(options: &LogOptions) -> Result<(), LogError> {
    let stderr_is_journal = stderr_is_journal(std::env::var_os("JOURNAL_STREAM").as_deref());
    let destinations = Destinations::chosen(options, stderr_is_journal);

    let file = options.file.clone().map(open).transpose()?;
    let (journal, journal_error) = match destinations.journal.then(journal_layer) {
        Some(Ok(layer)) => (Some(layer), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let stderr = destinations.stderr || journal_error.is_some();
    let prefix = if stderr_is_journal {
        TextPrefix::SyslogPriority
    } else {
        TextPrefix::TimeAndLevel
    };

    let subscriber = Registry::default()
        .with(stderr.then(|| text_layer(prefix, io::stderr)))
        .with(file.map(|file| text_layer(TextPrefix::TimeAndLevel, Arc::new(file))))
        .with(journal)
        .with(levels(options.verbosity));
    tracing::subscriber::set_global_default(subscriber)?;

    if let Some(error) = journal_error {
        tracing::warn!(%error, "the journal cannot be reached; logging to standard error");
    }
    Ok(())
}

/// Standard error and the journal, after the defaults are filled in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Destinations {
    stderr: bool,
    journal: bool,
}

impl Destinations {
    fn chosen(options: &LogOptions, stderr_is_journal: bool) -> Self {
        let nothing_named = !options.stderr && !options.journal && options.file.is_none();
        Self {
            stderr: options.stderr || (nothing_named && !stderr_is_journal),
            journal: options.journal || (nothing_named && stderr_is_journal),
        }
    }
}

/// Whether our standard error ends in the journal: the service manager then sets `$JOURNAL_STREAM`
/// to its device and inode, `dev:inode` in decimal (`systemd.exec(5)`). The variable alone proves
/// nothing, a child whose output was redirected inherits it too.
fn stderr_is_journal(journal_stream: Option<&OsStr>) -> bool {
    let Some(announced) = journal_stream
        .and_then(OsStr::to_str)
        .and_then(parse_stream)
    else {
        return false;
    };
    let stderr = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    stderr
        .and_then(|stderr| stderr.metadata())
        .is_ok_and(|found| (found.dev(), found.ino()) == announced)
}

fn parse_stream(journal_stream: &str) -> Option<(u64, u64)> {
    let (device, inode) = journal_stream.split_once(':')?;
    Some((device.parse().ok()?, inode.parse().ok()?))
}

/// Our own lines as `-v` asks, those of other crates only from WARN on.
fn levels(verbosity: u8) -> Targets {
    let ours = match verbosity {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), ours)
}

fn open(path: PathBuf) -> Result<File, LogError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|source| LogError::File { path, source })
}

fn journal_layer() -> io::Result<tracing_journald::Layer> {
    Ok(tracing_journald::layer()?
        .with_field_prefix(None)
        .with_syslog_identifier(SYSLOG_IDENTIFIER.to_owned())
        // Its own default calls INFO a notice, which `journalctl -p` users do not expect.
        .with_priority_mappings(PriorityMappings {
            error: Priority::Error,
            warn: Priority::Warning,
            info: Priority::Informational,
            debug: Priority::Debug,
            trace: Priority::Debug,
        }))
}

fn text_layer<S, W>(prefix: TextPrefix, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fmt::layer()
        .fmt_fields(text::FieldText)
        .event_format(TextLine::new(prefix))
        .with_writer(writer)
        // The library would complain on standard error about a line it could not write there, and
        // panic when that fails too.
        .log_internal_errors(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Mutex;
    use tracing::subscriber::with_default;

    #[test]
    fn without_a_wish_the_log_goes_where_standard_error_goes() {
        let none = LogOptions::default();
        let to = |stderr, journal| Destinations { stderr, journal };
        assert_eq!(Destinations::chosen(&none, false), to(true, false));
        assert_eq!(Destinations::chosen(&none, true), to(false, true));
    }

    #[test]
    fn a_wish_is_followed_and_wishes_add_up() {
        let to = |stderr, journal| Destinations { stderr, journal };
        for stderr_is_journal in [false, true] {
            for (stderr, journal) in [(true, false), (false, true), (true, true)] {
                let options = LogOptions {
                    stderr,
                    journal,
                    ..LogOptions::default()
                };
                assert_eq!(
                    Destinations::chosen(&options, stderr_is_journal),
                    to(stderr, journal)
                );
            }
            let file = LogOptions {
                file: Some("callblock.log".into()),
                ..LogOptions::default()
            };
            assert_eq!(
                Destinations::chosen(&file, stderr_is_journal),
                to(false, false)
            );
        }
    }

    #[test]
    fn the_journal_stream_must_be_our_standard_error() {
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned().expect("open"));
        let found = stderr.metadata().expect("has metadata");
        let ours = format!("{}:{}", found.dev(), found.ino());
        let other = format!("{}:{}", found.dev(), found.ino() ^ 1);
        assert!(stderr_is_journal(Some(OsStr::new(&ours))));
        assert!(!stderr_is_journal(Some(OsStr::new(&other))));
        for nonsense in ["", ":", "8", "8:", "a:b", "8:-1", "1:2:3"] {
            assert!(!stderr_is_journal(Some(OsStr::new(nonsense))), "{nonsense}");
        }
        assert!(!stderr_is_journal(None));
    }

    #[test]
    fn a_log_file_is_appended_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("callblock.log");
        std::fs::write(&path, "before\n").expect("written");
        for line in ["first", "second"] {
            let file = Arc::new(open(path.clone()).expect("opens"));
            let subscriber = Registry::default().with(text_layer(TextPrefix::TimeAndLevel, file));
            with_default(subscriber, || tracing::info!("{line}"));
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        let ends: Vec<_> = text
            .lines()
            .map(|line| line.rsplit(' ').next().unwrap_or_default())
            .collect();
        assert_eq!(ends, ["before", "first", "second"]);
    }

    #[test]
    fn a_log_file_that_cannot_be_opened_is_named() {
        let error = open("/nonexistent/callblock.log".into()).expect_err("no such folder");
        assert!(error.to_string().contains("/nonexistent/callblock.log"));
    }

    #[test]
    fn verbosity_raises_our_own_level_only() {
        use tracing::Level;
        let shown = |verbosity, target: &str| {
            [Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE]
                .iter()
                .filter(|level| levels(verbosity).would_enable(target, level))
                .count()
        };
        for (verbosity, count) in [(0, 2), (1, 3), (2, 4), (255, 4)] {
            assert_eq!(shown(verbosity, "callblock::modem"), count);
            assert_eq!(shown(verbosity, "mio_serial"), 1);
        }
    }

    /// A terminal that was closed.
    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            BROKEN_WRITES.lock().map(|mut count| *count += 1).ok();
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    static BROKEN_WRITES: Mutex<u32> = Mutex::new(0);

    #[test]
    fn a_destination_that_fails_is_tried_again_with_the_next_line() {
        let layer = text_layer(TextPrefix::TimeAndLevel, || Broken);
        with_default(Registry::default().with(layer), || {
            tracing::info!("one");
            tracing::info!("two");
        });
        assert_eq!(*BROKEN_WRITES.lock().expect("not poisoned"), 2);
    }
}
