//! The command line: what may be written on it. What it means is checked in [`flags`].
//!
//! Without a subcommand it is the daemon. Its flags are those of pycallblock, so that units and
//! habits can be carried over; abbreviations of long flags are accepted for the same reason.

mod asking;
mod call_table;
mod check;
mod convert;
mod daemon;
mod demo;
mod edit_list;
mod emulate;
pub(crate) mod flags;
mod home_country;
mod import;
mod list_flags;
mod listen;
mod lists;
mod permit;
mod status;
mod trace;
mod what_if;

use callblock::screen::Side;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand};
use flags::{DeviceChoice, Environment, Settings};
use list_flags::ListFlags;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The exit code of a wrong command line.
pub(crate) const USAGE_EXIT_CODE: u8 = 2;
/// The exit code of a question that no daemon answers.
pub(crate) const NO_DAEMON_EXIT_CODE: u8 = 3;

const EXAMPLES: &str = "\
Examples:
  callblock demo
      A few emulated calls, without any hardware.
  callblock -b block.csv
      Callers on the list are picked up and hung up on, everybody else rings.
  callblock -w friends.csv -d -s 2 -a hello.wav
      Everybody but the friends talks to the WAV files of the play folder.
  callblock check 5055550134 -b block.csv
      Says what becomes of this caller, and why.

A list has a line `number,name` for each caller; docs/lists.md tells what else. Any WAV file will do.";

/// Blocks unwanted calls on a landline, with a USB voice modem.
#[derive(Parser, Debug)]
#[command(
    name = "callblock",
    version,
    infer_long_args = true,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) daemon: DaemonFlags,
}

/// What can be done besides blocking calls.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Play a few emulated calls through the real daemon; needs no hardware and ends by itself.
    Demo {
        /// Folder for the call log and the recordings [default: a new one under the temporary folder].
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
    /// Ask the running daemon how it is.
    Status(status::StatusArgs),
    /// Make a WAV file for the line of a WAV, FLAC, MP3, Ogg Vorbis or AIFF file.
    Convert(convert::ConvertArgs),
    /// Say what becomes of a caller, by which rule, and what else matches.
    Check(check::CheckArgs),
    /// Say what would have become of the calls in the log by other lists.
    WhatIf(what_if::WhatIfArgs),
    /// Put a caller on a block list.
    Block(edit_list::AddArgs),
    /// Put a caller on an allow list.
    Allow(edit_list::AddArgs),
    /// Take a caller off the lists.
    Remove(edit_list::RemoveArgs),
    /// Let a caller, or whoever calls next, ring for a time.
    Permit(permit::PermitArgs),
    /// Show the lists, how often each rule decided, and rules that never did.
    Lists(lists::ListsArgs),
    /// Convert lists of other programs, and add them to one of ours.
    Import(import::ImportArgs),
    /// Say what is heard in a recording, as in a live call.
    Listen(listen::ListenArgs),
    /// Write down what a modem says, without ever answering a call, for a bug report.
    Trace(trace::TraceArgs),
    /// Run an emulated modem on a pseudo-terminal and print the node to open.
    Emulate(emulate::EmulateArgs),
}

/// The daemon's flags.
#[derive(Args, Debug)]
pub(crate) struct DaemonFlags {
    /// The modem: a serial port, `auto` for the first known USB modem, or `emulated[:SCENARIO]` for
    /// one in software that follows a scenario file.
    #[arg(
        long,
        value_name = "DEV",
        default_value = "/dev/ttyACM0",
        value_parser = OsStringValueParser::new().try_map(flags::parse_device)
    )]
    pub(crate) device: DeviceChoice,

    /// Folder for the call log, the recordings (rec) and the files to play (play), made at the
    /// first start [default: `$STATE_DIRECTORY`, else `~/callblock`].
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Tell the modem its country: the two digits of AT+GCI, such as B5 for the USA.
    #[arg(long, value_name = "HEX", value_parser = flags::parse_country)]
    pub(crate) gci: Option<u8>,

    /// Send this AT command too whenever the modem is set up; one that fails is passed over. May
    /// be given several times.
    #[arg(long, value_name = "CMD", value_parser = flags::parse_init_command)]
    pub(crate) init: Vec<String>,

    /// The socket on which other commands ask the daemon [default: control.sock in
    /// `$RUNTIME_DIRECTORY`, else in /run/callblock, else in `$XDG_RUNTIME_DIR/callblock`].
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) trace: TraceFlags,

    #[command(flatten)]
    pub(crate) lists: ListFlags,

    #[command(flatten)]
    pub(crate) action: ActionFlags,

    /// WAV file for -m, -t and -d, played at pick-up.
    #[arg(short, long, value_name = "FILE", help_heading = "Block actions")]
    pub(crate) audio_file: Option<PathBuf>,

    /// First send the special information tones that tell machines that the number is disconnected:
    /// before the file of -m, -t and -d, or before a mere hang-up, which then takes a voice modem.
    #[arg(long, help_heading = "Block actions")]
    pub(crate) sit: bool,

    /// With -d: play a random file of the play folder whenever the caller was silent for SEC
    /// seconds.
    #[arg(
        short,
        long,
        value_name = "SEC",
        value_parser = flags::parse_limit,
        help_heading = "Block actions"
    )]
    pub(crate) silence: Option<Duration>,

    /// With -r and -d: end the call after so many seconds of silence, once the caller has spoken; 0 for
    /// never [default: 60 with -r, never with -d].
    #[arg(
        long,
        value_name = "SEC",
        value_parser = flags::parse_silence,
        help_heading = "Block actions"
    )]
    pub(crate) end_silence: Option<Duration>,

    /// How long the line is held before hanging up, if that is all that is done, and at least after a
    /// message of -m; 0 to 60. Below one second the exchange may go on ringing.
    #[arg(
        long,
        value_name = "SEC",
        default_value = "1",
        value_parser = flags::parse_hold,
        help_heading = "Block actions"
    )]
    pub(crate) hangup_delay: Duration,

    #[command(flatten)]
    pub(crate) keep: KeepFlags,

    #[command(flatten)]
    pub(crate) log: LogFlags,
}

/// Whether what crosses the port is written down [default: no].
#[derive(Args, Debug)]
pub(crate) struct TraceFlags {
    /// Append all that the modem says and is told to this file, with times, for a bug report: see
    /// docs/trace.md. An hour of audio is 40 MB or more.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,

    /// Replace the numbers and names of callers in the trace; voices stay.
    #[arg(long, requires = "trace")]
    pub(crate) trace_mask: bool,
}

/// How much is kept [default: everything].
#[derive(Args, Debug)]
#[command(next_help_heading = "What is kept (default: everything)")]
pub(crate) struct KeepFlags {
    /// Remove recordings after N days.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep_days: Option<u32>,

    /// Remove the oldest recordings when all together have more than N megabytes (an hour is 29).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) keep_mb: Option<u64>,

    /// Keep only the last N calls in the log.
    #[arg(long, value_name = "N")]
    pub(crate) keep_calls: Option<NonZeroU32>,

    /// Do not record while the disk has less than MB megabytes free; calls are dealt with all the
    /// same.
    #[arg(long, value_name = "MB", default_value = "50")]
    pub(crate) min_free: u64,

    /// Leave the dial tone, busy tone or dead air at the end of recordings as it is.
    #[arg(long)]
    pub(crate) no_trim: bool,
}

/// What happens to a blocked call; one of them at most.
#[derive(Args, Debug)]
#[group(multiple = false)]
#[command(next_help_heading = "Block actions")]
pub(crate) struct ActionFlags {
    /// Answer as a fax machine.
    #[arg(short, long)]
    pub(crate) fax: bool,

    /// Play the file given with -a, then hang up.
    #[arg(short, long)]
    pub(crate) message: bool,

    /// Record the caller for at most SEC seconds (120 if not given).
    #[arg(
        short,
        long,
        value_name = "SEC",
        num_args = 0..=1,
        default_missing_value = "120",
        value_parser = flags::parse_limit
    )]
    pub(crate) record: Option<Duration>,

    /// Send audio for at most SEC seconds (120 if not given); keys the caller presses are logged.
    #[arg(
        short,
        long,
        value_name = "SEC",
        num_args = 0..=1,
        default_missing_value = "120",
        value_parser = flags::parse_limit
    )]
    pub(crate) transmit: Option<Duration>,

    /// Record and send audio for at most SEC seconds (120 if not given).
    #[arg(
        short,
        long,
        value_name = "SEC",
        num_args = 0..=1,
        default_missing_value = "120",
        value_parser = flags::parse_limit
    )]
    pub(crate) duplex: Option<Duration>,
}

/// Where the log goes [default: the journal if started by systemd, else standard error].
#[derive(Args, Debug)]
#[command(
    next_help_heading = "Log (default: the journal as a systemd service, else standard error)"
)]
pub(crate) struct LogFlags {
    /// Log to standard error.
    #[arg(short = 'l', long)]
    pub(crate) stderr: bool,

    /// Append the log to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) logfile: Option<PathBuf>,

    /// Log to the systemd journal. An address is accepted and not used.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "/dev/log")]
    pub(crate) syslog: Option<OsString>,

    /// Log more: -v decisions and modem events, -vv every byte too (audio summed up).
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user can put it right: exit code 2.
    Usage(String),
    /// No daemon answers: exit code 3.
    NoDaemon(String),
    /// Exit code 1.
    Other(String),
}

impl Failure {
    /// For errors of the operating system while doing `what`.
    pub(crate) fn because<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::Other(format!("{what}: {error}"))
    }
}

/// Reads the command line, runs the command, and turns its failure into text and exit code.
pub(crate) fn main() -> ExitCode {
    let cli = match read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let outcome = match cli.command {
        None => Settings::new(cli.daemon, &Environment::of_process())
            .map_err(|error| Failure::Usage(error.to_string()))
            .and_then(|settings| daemon::run(&settings).map(|()| ExitCode::SUCCESS)),
        Some(Command::Demo { data_dir }) => demo::run(data_dir).map(|()| ExitCode::SUCCESS),
        Some(Command::Trace(args)) => trace::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Emulate(args)) => emulate::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Convert(args)) => convert::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::Status(args)) => status::run(args),
        Some(Command::Check(args)) => check::run(args),
        Some(Command::WhatIf(args)) => what_if::run(args),
        Some(Command::Block(args)) => edit_list::add(args, Side::Block),
        Some(Command::Allow(args)) => edit_list::add(args, Side::Allow),
        Some(Command::Remove(args)) => edit_list::remove(args),
        Some(Command::Permit(args)) => permit::run(args),
        Some(Command::Lists(args)) => lists::run(args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Listen(args)) => listen::run(&args).map(|()| ExitCode::SUCCESS),
    };
    let (error, code) = match outcome {
        Ok(code) => return code,
        Err(Failure::Usage(error)) => (error, ExitCode::from(USAGE_EXIT_CODE)),
        Err(Failure::NoDaemon(error)) => (error, ExitCode::from(NO_DAEMON_EXIT_CODE)),
        Err(Failure::Other(error)) => (error, ExitCode::FAILURE),
    };
    eprintln!("callblock: {error}");
    code
}

/// One thread for everything that waits, a few small ones for the disk.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_stack_size(256 * 1024)
        .build()
        .map_err(Failure::because("the runtime cannot be started"))
}

/// Reads the command line, the program's name included.
///
/// `Err` is the exit code: help, version or what is wrong has been printed.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, ExitCode> {
    Cli::try_parse_from(arguments).map_err(|error| {
        if error.use_stderr() {
            eprintln!("callblock: {}", in_one_line(&error));
            ExitCode::from(USAGE_EXIT_CODE)
        } else {
            // `callblock --help | head -1` closes the pipe early; nothing is wrong then.
            error.print().ok();
            ExitCode::SUCCESS
        }
    })
}

/// The parser's report without the usage summary, in one line.
fn in_one_line(error: &clap::Error) -> String {
    let report = error.to_string();
    let paragraphs: Vec<String> = report
        .split("\n\n")
        .take_while(|paragraph| {
            !paragraph.starts_with("Usage:") && !paragraph.starts_with("For more information")
        })
        .map(|paragraph| {
            let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
            lines.join(" ")
        })
        .collect();
    let report = paragraphs.join("; ");
    let report = report.strip_prefix("error: ").unwrap_or(&report);
    format!("{report} (see callblock --help)")
}

#[cfg(test)]
mod tests;
