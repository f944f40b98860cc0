//! From flags to settings: what the words of the command line mean, and whether it can be done.
//!
//! A wrong setting is found here, before anything is opened for good or created. Words that are
//! wrong in themselves are refused while they are parsed (`parse_…`); combinations, and what depends
//! on the files of this machine, by [`Settings::new`]. Contents (lists, WAV files, scenarios) are
//! left to those who read them.

use super::list_flags::ListSettings;
use super::{ActionFlags, DaemonFlags, KeepFlags, home_country, listen};
use callblock::audio::RecordingLimits;
use callblock::blocker::{BlockAction, Listening};
use callblock::screen::Country;
use callblock::service::log::LogOptions;
use rustix::fs::{Mode, OFlags};
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::num::NonZeroU32;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest a call or a silence can be set to.
const LONGEST: Duration = Duration::from_hours(24);
/// The longest a line is held before it is hung up.
const LONGEST_HOLD: Duration = Duration::from_mins(1);

/// Which modem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum DeviceChoice {
    /// The one behind this node, which need not be there yet.
    Node(PathBuf),
    /// The first one with a known USB identity.
    Auto,
    /// The emulated one, with a scenario to follow or the one built in.
    Emulated(Option<PathBuf>),
}

/// Everything the daemon needs to know, checked as far as that is possible without creating
/// anything.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Settings {
    pub(crate) device: DeviceChoice,
    /// Who may ring.
    pub(crate) lists: ListSettings,
    pub(crate) action: BlockAction,
    /// Off-hook time of a plain hang-up, also of one that stands in for an action the modem refuses, and
    /// the least of a message.
    pub(crate) hangup_hold: Duration,
    /// Whether the special information tones go first.
    pub(crate) sit: bool,
    /// May not exist yet.
    pub(crate) data_dir: PathBuf,
    /// For converted copies of what is played, if not in the data folder.
    pub(crate) cache_dir: Option<PathBuf>,
    /// Country for AT+GCI, a T.35 number.
    pub(crate) country: Option<u8>,
    /// Whole command lines, each beginning with AT, in the order given.
    pub(crate) init_commands: Vec<String>,
    pub(crate) recording_limits: RecordingLimits,
    pub(crate) listening: Listening,
    /// The most calls in the log.
    pub(crate) keep_calls: Option<NonZeroU32>,
    /// Where the control socket is to be, if not at the usual place.
    pub(crate) socket: Option<PathBuf>,
    /// Where the trace goes, if one is wanted.
    pub(crate) trace: Option<TraceSettings>,
    pub(crate) log: LogOptions,
    /// Flags that do nothing here. The Python tool says nothing of them, so units carried over from
    /// it may have them.
    pub(crate) remarks: Vec<&'static str>,
}

/// A trace of what crosses the port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TraceSettings {
    pub(crate) file: PathBuf,
    /// Numbers and names of callers are replaced.
    pub(crate) masked: bool,
}

/// What the environment has to say, read once.
#[derive(Clone, Default, Debug)]
pub(crate) struct Environment {
    /// `$STATE_DIRECTORY`, by which the service manager names the folder it made for us.
    pub(crate) state_directory: Option<OsString>,
    /// `$CACHE_DIRECTORY`, the same for what may be lost.
    pub(crate) cache_directory: Option<OsString>,
    /// `$HOME`.
    pub(crate) home: Option<OsString>,
    /// The country of the system's time zone.
    pub(crate) country: Option<Country>,
}

impl Environment {
    /// That of this process.
    pub(crate) fn of_process() -> Self {
        Self {
            state_directory: std::env::var_os("STATE_DIRECTORY"),
            cache_directory: std::env::var_os("CACHE_DIRECTORY"),
            home: std::env::var_os("HOME"),
            country: home_country::of_machine(),
        }
    }

    /// The data folder if no flag names one.
    pub(crate) fn data_dir(&self) -> Option<PathBuf> {
        present(self.state_directory.as_ref())
            .or_else(|| present(self.home.as_ref()).map(|home| home.join("callblock")))
    }
}

/// The path in a variable, unless that is unset or empty.
fn present(value: Option<&OsString>) -> Option<PathBuf> {
    value.filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// What is wrong with the command line, and what to do about it.
#[derive(thiserror::Error, Debug)]
pub(crate) enum UsageError {
    #[error("{flag} {}: there is no such file; check the path", path.display())]
    NoSuchFile { flag: &'static str, path: PathBuf },
    #[error("{flag} {}: this is a folder; name a file in it", path.display())]
    Folder { flag: &'static str, path: PathBuf },
    #[error("{flag} {}: the file cannot be reached: {source}", path.display())]
    Unreachable {
        flag: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "--device {}: this is no serial port; name one such as /dev/ttyACM0, or say auto or emulated",
        path.display()
    )]
    NoTerminal { path: PathBuf },
    #[error("--data-dir {}: this is no folder; name another path", path.display())]
    NoFolder { path: PathBuf },
    #[error("there is no home folder to keep the call log in; name a folder with --data-dir DIR")]
    NoHome,
    #[error("-m needs a file to play; name it with -a FILE")]
    MessageWithoutFile,
}

impl Settings {
    /// Checks the flags against each other and against the files of this machine.
    pub(crate) fn new(flags: DaemonFlags, environment: &Environment) -> Result<Self, UsageError> {
        let remarks = remarks(&flags);
        let action = action(
            &flags.action,
            flags.audio_file,
            flags.silence,
            flags.hangup_delay,
        )?;
        if let BlockAction::Message { file }
        | BlockAction::Transmit {
            file: Some(file), ..
        }
        | BlockAction::Duplex {
            file: Some(file), ..
        } = &action
        {
            require_file("-a", file)?;
        }
        let tones = listen::tones(flags.lists.country());
        let lists = ListSettings::new(flags.lists, environment)?;
        require_device(&flags.device)?;
        let data_dir = flags
            .data_dir
            .or_else(|| environment.data_dir())
            .ok_or(UsageError::NoHome)?;
        require_folder_if_present(&data_dir)?;

        Ok(Self {
            device: flags.device,
            lists,
            action,
            hangup_hold: flags.hangup_delay,
            sit: flags.sit,
            data_dir,
            cache_dir: present(environment.cache_directory.as_ref()),
            country: flags.gci,
            init_commands: flags.init,
            recording_limits: recording_limits(&flags.keep),
            listening: Listening {
                tones,
                end_silence: flags.end_silence,
                trim: !flags.keep.no_trim,
            },
            keep_calls: flags.keep.keep_calls,
            socket: flags.socket,
            trace: flags.trace.trace.map(|file| TraceSettings {
                file,
                masked: flags.trace.trace_mask,
            }),
            log: LogOptions {
                stderr: flags.log.stderr,
                file: flags.log.logfile,
                journal: flags.log.syslog.is_some(),
                verbosity: flags.log.verbose,
            },
            remarks,
        })
    }
}

fn recording_limits(flags: &KeepFlags) -> RecordingLimits {
    let bytes = |megabytes: u64| megabytes.saturating_mul(1_000_000);
    RecordingLimits {
        keep_days: flags.keep_days,
        keep_bytes: flags.keep_mb.map(bytes),
        min_free: bytes(flags.min_free),
    }
}

/// The flags that the block action makes no use of, and what would.
fn remarks(flags: &DaemonFlags) -> Vec<&'static str> {
    let action = &flags.action;
    let plays = action.message || action.transmit.is_some() || action.duplex.is_some();
    let remarks = [
        (
            flags.audio_file.is_some() && !plays,
            "-a does nothing without -m, -t or -d",
        ),
        (
            flags.silence.is_some() && action.duplex.is_none(),
            "-s does nothing without -d",
        ),
        (
            flags.sit && (action.fax || action.record.is_some()),
            "--sit does nothing with -f and -r",
        ),
        (
            listen::without_plan(flags.lists.country()),
            listen::WITHOUT_PLAN,
        ),
    ];
    remarks
        .into_iter()
        .filter_map(|(applies, remark)| applies.then_some(remark))
        .collect()
}

fn action(
    flags: &ActionFlags,
    file: Option<PathBuf>,
    silence: Option<Duration>,
    hold: Duration,
) -> Result<BlockAction, UsageError> {
    if flags.message {
        return Ok(BlockAction::Message {
            file: file.ok_or(UsageError::MessageWithoutFile)?,
        });
    }
    if let Some(limit) = flags.transmit {
        return Ok(BlockAction::Transmit { file, limit });
    }
    if let Some(limit) = flags.duplex {
        return Ok(BlockAction::Duplex {
            file,
            limit,
            silence,
        });
    }
    Ok(if flags.fax {
        BlockAction::Fax
    } else if let Some(limit) = flags.record {
        BlockAction::Record { limit }
    } else {
        BlockAction::HangUp { hold }
    })
}

/// A file that is there, as far as one may look.
fn require_file(flag: &'static str, path: &Path) -> Result<(), UsageError> {
    match look_at(flag, path)? {
        Ok(_) => Ok(()),
        Err(source) => Err(UsageError::Unreachable {
            flag,
            path: path.to_owned(),
            source,
        }),
    }
}

fn look_at(flag: &'static str, path: &Path) -> Result<io::Result<Metadata>, UsageError> {
    let found = path.metadata();
    let path = path.to_owned();
    match found {
        Ok(found) if found.is_dir() => Err(UsageError::Folder { flag, path }),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Err(UsageError::NoSuchFile { flag, path })
        }
        other => Ok(other),
    }
}

/// A device that may become one, if it is none yet.
pub(crate) fn require_device(device: &DeviceChoice) -> Result<(), UsageError> {
    match device {
        DeviceChoice::Node(path) => require_terminal_if_present(path),
        DeviceChoice::Emulated(Some(scenario)) => require_file("--device emulated:", scenario),
        DeviceChoice::Auto | DeviceChoice::Emulated(None) => Ok(()),
    }
}

/// A node that is missing, busy or forbidden may get better and is waited for; one that is something
/// else than a terminal will not.
fn require_terminal_if_present(path: &Path) -> Result<(), UsageError> {
    let wrong = match path.metadata() {
        Ok(found) if found.file_type().is_char_device() => {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            rustix::fs::open(path, flags, Mode::empty())
                .is_ok_and(|node| !rustix::termios::isatty(node))
        }
        Ok(_) => true,
        Err(_) => false,
    };
    if wrong {
        let path = path.to_owned();
        return Err(UsageError::NoTerminal { path });
    }
    Ok(())
}

/// Whether a data folder is one, or can become one.
pub(crate) fn require_folder_if_present(path: &Path) -> Result<(), UsageError> {
    let wrong = match path.metadata() {
        Ok(found) => !found.is_dir(),
        Err(error) => error.kind() == io::ErrorKind::NotADirectory,
    };
    if wrong {
        let path = path.to_owned();
        return Err(UsageError::NoFolder { path });
    }
    Ok(())
}

/// `auto`, `emulated`, `emulated:SCENARIO`, or a path.
pub(crate) fn parse_device(text: OsString) -> Result<DeviceChoice, &'static str> {
    match text.to_str() {
        Some("") => Err("name a serial port such as /dev/ttyACM0, or say auto or emulated"),
        Some("auto") => Ok(DeviceChoice::Auto),
        Some("emulated") => Ok(DeviceChoice::Emulated(None)),
        Some("emulated:") => Err("name a scenario file after the colon, or leave the colon out"),
        other => Ok(
            match other.and_then(|text| text.strip_prefix("emulated:")) {
                Some(scenario) => DeviceChoice::Emulated(Some(scenario.into())),
                None => DeviceChoice::Node(text.into()),
            },
        ),
    }
}

/// Seconds that a call or a silence may last.
pub(crate) fn parse_limit(text: &str) -> Result<Duration, &'static str> {
    parse_seconds(text)
        .filter(|limit| !limit.is_zero() && *limit <= LONGEST)
        .ok_or("give a number of seconds above 0 and up to 86400")
}

/// Seconds of silence after which a call ends; 0 is never.
pub(crate) fn parse_silence(text: &str) -> Result<Duration, &'static str> {
    parse_seconds(text)
        .filter(|silence| *silence <= LONGEST)
        .ok_or("give a number of seconds from 0 (never) to 86400")
}

/// Seconds that a line is held.
pub(crate) fn parse_hold(text: &str) -> Result<Duration, &'static str> {
    parse_seconds(text)
        .filter(|hold| *hold <= LONGEST_HOLD)
        .ok_or("give a number of seconds from 0 to 60")
}

fn parse_seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// A T.35 country number, two hexadecimal digits.
pub(crate) fn parse_country(text: &str) -> Result<u8, &'static str> {
    Some(text)
        .filter(|text| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .and_then(|text| u8::from_str_radix(text, 16).ok())
        .ok_or("give the country as two hexadecimal digits, such as B5 for the USA")
}

/// A command line for the modem, with or without AT before it.
pub(crate) fn parse_init_command(text: &str) -> Result<String, &'static str> {
    let command = text.trim();
    if command.is_empty() || !command.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err("give one modem command in plain characters, such as AT+VGR=128");
    }
    let begins_with_at = command
        .get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case("AT"));
    Ok(if begins_with_at {
        command.to_owned()
    } else {
        format!("AT{command}")
    })
}
