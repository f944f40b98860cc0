//! Command lines, what they mean, and what is said about wrong ones.

mod paths;

use super::flags::{DeviceChoice, Environment, Settings, TraceSettings, UsageError};
use super::list_flags::ListSettings;
use super::{Cli, Command, in_one_line};
use callblock::audio::RecordingLimits;
use callblock::blocker::{BlockAction, Listening};
use callblock::call::VerdictClass;
use callblock::screen::{Complaints, Country, Numbering, Permit};
use callblock::service::log::LogOptions;
use clap::{CommandFactory, Parser};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const TWO_MINUTES: Duration = Duration::from_mins(2);

/// A folder with what flags can name: `block.csv`, `allow.csv`, `hello.wav`, `calls.toml`, `folder/`.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["block.csv", "allow.csv", "hello.wav", "calls.toml"] {
            std::fs::write(folder.path().join(file), "").expect("written");
        }
        std::fs::create_dir(folder.path().join("folder")).expect("made");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The settings of a command line in which `@name` stands for that file of the folder.
    fn settings(&self, line: &str) -> Result<Settings, UsageError> {
        let folder = format!("{}/", self.0.path().display());
        let cli = parse(&line.replace('@', &folder)).expect("parses");
        Settings::new(cli.daemon, &self.environment())
    }

    fn environment(&self) -> Environment {
        Environment {
            state_directory: None,
            cache_directory: None,
            home: Some(self.0.path().into()),
            country: None,
        }
    }

    /// What is there, to show that nothing was created.
    fn listing(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.0.path())
            .expect("readable")
            .map(|entry| {
                let name = entry.expect("readable").file_name();
                name.to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("callblock").chain(line.split_whitespace()))
}

/// The one line that a wrong command line is answered with.
fn complaint(line: &str) -> String {
    let error = parse(line).expect_err(line);
    assert!(error.use_stderr());
    in_one_line(&error)
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn without_flags_there_are_sensible_defaults() {
    let machine = Machine::new();
    let settings = machine.settings("").expect("good");
    let hold = Duration::from_secs(1);
    assert_eq!(
        settings,
        Settings {
            device: DeviceChoice::Node("/dev/ttyACM0".into()),
            lists: ListSettings::default(),
            action: BlockAction::HangUp { hold },
            hangup_hold: hold,
            data_dir: machine.path("callblock"),
            cache_dir: None,
            sit: false,
            country: None,
            init_commands: vec![],
            recording_limits: RecordingLimits::default(),
            listening: Listening::default(),
            keep_calls: None,
            socket: None,
            trace: None,
            log: LogOptions::default(),
            remarks: vec![],
        }
    );
}

#[test]
fn every_flag_reaches_the_settings() {
    let machine = Machine::new();
    let settings = machine
        .settings(
            "--device emulated:@calls.toml -b @block.csv --block-list @folder -w @allow.csv -p \
             --my-number 0162345678 --unknown block --quiet-hours 22:00-07:00 \
             --min-complaints 5 --max-complaint-age 30 \
             --duplex 90 -a @hello.wav -s 2.5 --hangup-delay 0.5 --data-dir @data \
             --timezone Europe/Paris --gci b5 --init AT+VGR=128 --init s0=0 \
             --keep-days 30 --keep-mb 2000 --keep-calls 10000 --min-free 0 --end-silence 45 --no-trim \
             --trace @modem.trace --trace-mask \
             -l --logfile @log --syslog -vv",
        )
        .expect("good");
    assert_eq!(
        settings,
        Settings {
            device: DeviceChoice::Emulated(Some(machine.path("calls.toml"))),
            lists: ListSettings {
                block_lists: vec![machine.path("block.csv"), machine.path("folder")],
                allow_lists: vec![machine.path("allow.csv")],
                block_private: true,
                numbering: Numbering::new("FR".parse().ok()).with_own_number("0162345678"),
                unknown: Some(VerdictClass::Block),
                quiet_hours: Some("22:00-07:00".parse().unwrap()),
                complaints: settings.lists.complaints.clone(),
                time_zone: "Europe/Paris".parse().unwrap(),
            },
            action: BlockAction::Duplex {
                file: Some(machine.path("hello.wav")),
                limit: Duration::from_secs(90),
                silence: Some(Duration::from_millis(2500)),
            },
            hangup_hold: Duration::from_millis(500),
            data_dir: machine.path("data"),
            cache_dir: None,
            sit: false,
            country: Some(0xB5),
            init_commands: vec!["AT+VGR=128".into(), "ATs0=0".into()],
            recording_limits: RecordingLimits {
                keep_days: Some(30),
                keep_bytes: Some(2_000_000_000),
                min_free: 0,
            },
            listening: Listening {
                end_silence: Some(Duration::from_secs(45)),
                trim: false,
                ..Listening::default()
            },
            keep_calls: NonZeroU32::new(10_000),
            socket: None,
            trace: Some(TraceSettings {
                file: machine.path("modem.trace"),
                masked: true,
            }),
            log: LogOptions {
                stderr: true,
                file: Some(machine.path("log")),
                journal: true,
                verbosity: 2,
            },
            remarks: vec![],
        }
    );
    let today = "2027-01-31".parse().ok();
    assert_eq!(
        settings.lists.complaints.on(today.unwrap()),
        Complaints {
            min: 5,
            max_age_days: 30,
            today
        }
    );
}

#[test]
fn the_country_is_named_or_that_of_the_time_zone() {
    let machine = Machine::new();
    for (line, nowhere, in_spain) in [
        ("", None, Some("ES")),
        ("--timezone UTC", None, None),
        ("--timezone Europe/Paris", Some("FR"), Some("FR")),
        (
            "--timezone Europe/Paris --country de",
            Some("DE"),
            Some("DE"),
        ),
        ("--country de", Some("DE"), Some("DE")),
        ("--gci B5", None, Some("ES")),
    ] {
        for (system, expected) in [(None, nowhere), (Some("ES"), in_spain)] {
            let environment = Environment {
                country: system.and_then(|country| country.parse().ok()),
                ..machine.environment()
            };
            let settings = Settings::new(parse(line).expect(line).daemon, &environment);
            let lists = settings.expect(line).lists;
            let found = lists.numbering.country().map(Country::iso);
            assert_eq!(found, expected, "{line} {system:?}");
            assert!(line.contains("Paris") || lists.time_zone.to_string() == "UTC");
        }
    }
}

#[test]
fn lists_that_are_read_again_keep_what_vanished_and_the_permits() {
    let machine = Machine::new();
    let today = "2027-01-31".parse().expect("a date");
    std::fs::write(machine.path("block.csv"), "5055550134,\n,bad\n").expect("written");
    let lists = machine
        .settings("-b @block.csv -p --quiet-hours 22:00-07:00 --unknown ring --country US")
        .expect("good")
        .lists;
    let mut first = lists.load(today);
    assert_eq!((first.problems.len(), first.errors.len()), (1, 0));
    let policy = &mut first.policy;
    assert!(policy.block_private && policy.quiet_hours.is_some() && policy.allow.is_none());
    let until = callblock::clock::Timestamp::from_nanos(1);
    policy.permits.push(Permit::next_call(until));
    std::fs::remove_file(machine.path("block.csv")).expect("removed");
    let second = lists.reload(&first.policy, today);
    assert_eq!(second.errors.len(), 1);
    assert_eq!(second.policy.permits, first.policy.permits);
    let block = second.policy.block.expect("kept");
    assert!(block.find("+1 505 555 0134").is_some());
}

#[test]
fn each_action_has_its_flag() {
    let machine = Machine::new();
    let file = || Some(machine.path("hello.wav"));
    let limit = TWO_MINUTES;
    let minute = Duration::from_mins(1);
    let table = [
        ("-f", BlockAction::Fax),
        ("--fax", BlockAction::Fax),
        (
            "-m -a @hello.wav",
            BlockAction::Message {
                file: machine.path("hello.wav"),
            },
        ),
        ("-r", BlockAction::Record { limit }),
        ("-r 60", BlockAction::Record { limit: minute }),
        ("-r60", BlockAction::Record { limit: minute }),
        ("--record=60", BlockAction::Record { limit: minute }),
        ("--record -p", BlockAction::Record { limit }),
        ("-t", BlockAction::Transmit { file: None, limit }),
        (
            "-t 60 -a @hello.wav",
            BlockAction::Transmit {
                file: file(),
                limit: minute,
            },
        ),
        (
            "-d",
            BlockAction::Duplex {
                file: None,
                limit,
                silence: None,
            },
        ),
        (
            "--hangup-delay 0",
            BlockAction::HangUp {
                hold: Duration::ZERO,
            },
        ),
    ];
    for (line, action) in table {
        assert_eq!(machine.settings(line).expect(line).action, action, "{line}");
    }
}

#[test]
fn the_flags_of_the_python_tool_are_understood() {
    let machine = Machine::new();
    for line in [
        "--device /dev/ttyACM0 --blacklist @block.csv --syslog -d -s 2 -p",
        "--whitelist @allow.csv --syslog /dev/log --record 30",
        "-w @allow.csv -l -v -m -a @hello.wav --timezone America/New_York",
        "-b @block.csv --transmit --audio @hello.wav --verbose",
    ] {
        machine.settings(line).expect(line);
    }
}

#[test]
fn flags_that_need_each_other_say_so() {
    let machine = Machine::new();
    let error = |line: &str| machine.settings(line).expect_err(line);
    assert!(matches!(error("-m"), UsageError::MessageWithoutFile));
    for line in ["-a @hello.wav", "-r -a @hello.wav", "-f -a @hello.wav"] {
        let settings = machine.settings(line).expect("carried over from a unit");
        assert_eq!(settings.remarks.len(), 1, "{line}");
    }
    for line in ["-s 2", "-t -s 2", "-m -s 2 -a @hello.wav"] {
        let settings = machine.settings(line).expect("carried over from a unit");
        assert_eq!(settings.remarks.len(), 1, "{line}");
    }
    for (line, remarks) in [("--country TH", 1), ("--country US", 0), ("", 0)] {
        let settings = machine.settings(line).expect("a country");
        assert_eq!(settings.remarks.len(), remarks, "{line}");
    }
}

#[test]
fn checking_creates_nothing() {
    let machine = Machine::new();
    let before = machine.listing();
    machine
        .settings("--data-dir @data --logfile @log")
        .expect("good");
    machine.settings("").expect("good");
    machine
        .settings("-b @none --logfile @log")
        .expect_err("missing");
    assert_eq!(machine.listing(), before);
}

#[test]
fn a_wrong_setting_is_one_line_that_names_flag_and_value() {
    let machine = Machine::new();
    for (line, parts) in [
        ("-b @none", ["--block-list", "none: there is no such file"]),
        ("-m -a @folder", ["-a", "folder: this is a folder"]),
        ("--device /dev/null", ["--device /dev/null", "/dev/ttyACM0"]),
        (
            "--data-dir @block.csv",
            ["--data-dir", "block.csv: this is no folder"],
        ),
    ] {
        let text = machine.settings(line).expect_err(line).to_string();
        assert!(!text.contains('\n'), "{text}");
        for part in parts {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[test]
fn a_wrong_word_is_one_line_that_says_what_to_give_instead() {
    for (line, parts) in [
        ("--fix", ["'--fix'", "'--fax'"]),
        ("demo --fax", ["'--fax'", "--help"]),
        ("nonsense", ["'nonsense'", "--help"]),
        ("-f -r", ["'--fax'", "'--record [<SEC>]'"]),
        ("-d -t -m", ["'--duplex [<SEC>]'", "--transmit [<SEC>]"]),
        ("-b", ["'--block-list <FILE>'", "value is required"]),
        ("-r 0", ["'0'", "above 0 and up to 86400"]),
        ("-r 86401", ["'86401'", "above 0 and up to 86400"]),
        ("-t soon", ["'soon'", "above 0 and up to 86400"]),
        ("-d inf", ["'inf'", "above 0 and up to 86400"]),
        ("-d -s 0", ["'0'", "above 0 and up to 86400"]),
        ("-d -s nan", ["'nan'", "above 0 and up to 86400"]),
        ("--silence=-1", ["'-1'", "above 0 and up to 86400"]),
        ("--hangup-delay 60.1", ["'60.1'", "from 0 to 60"]),
        ("--hangup-delay=-1", ["'-1'", "from 0 to 60"]),
        (
            "--timezone Mars/Olympus",
            ["'Mars/Olympus'", "Europe/Paris"],
        ),
        ("--country Mars", ["'Mars'", "two letters"]),
        ("--unknown maybe", ["'maybe'", "ring or block"]),
        ("--quiet-hours 22-7", ["'22-7'", "22:00-07:00"]),
        ("--gci USA", ["'USA'", "two hexadecimal digits"]),
        ("--gci +5", ["'+5'", "two hexadecimal digits"]),
        ("--gci B", ["'B'", "two hexadecimal digits"]),
        ("--init é", ["'é'", "plain characters"]),
        ("--device emulated:", ["'emulated:'", "scenario file"]),
    ] {
        let text = complaint(line);
        assert!(!text.contains('\n') && !text.starts_with("error"), "{text}");
        for part in parts {
            assert!(text.contains(part), "{line}: {text}");
        }
    }
    let two_commands = Cli::try_parse_from(["callblock", "--init", "AT\r\nATH"]);
    assert!(two_commands.is_err());
}

#[test]
fn a_subcommand_has_its_own_flags() {
    let cli = parse("demo --data-dir here").expect("good");
    let Some(Command::Demo { data_dir }) = cli.command else {
        panic!("{:?}", cli.command);
    };
    assert_eq!(data_dir, Some("here".into()));
    assert!(parse("-p demo").is_err());
}

#[test]
fn help_and_version_are_no_errors() {
    for flag in ["-h", "--help", "-V", "--version"] {
        assert!(!parse(flag).expect_err(flag).use_stderr(), "{flag}");
    }
}
