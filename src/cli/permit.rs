//! `callblock permit`: somebody may ring for a time, whatever the lists say.

use super::Failure;
use super::asking::{ask, printable};
use callblock::audio::TimeZone;
use callblock::clock::Timestamp;
use callblock::screen::answer::PermitWish;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Let a caller, or whoever calls next, ring for a time. The running daemon keeps the permit until it
/// ends. Exit code 3: no daemon is running.
#[derive(clap::Args, Debug)]
pub(crate) struct PermitArgs {
    /// The number, or `next` for one call of whoever calls next
    #[arg(default_value = "next")]
    number: String,
    /// How long: 30m, 2h, 3d
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = parse_lasting)]
    lasting: Duration,
    /// The daemon's control socket, if it is not at one of the usual places
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Time zone in which the end is shown, such as Europe/Paris
    #[arg(long, value_name = "TIMEZONE", default_value = "UTC")]
    timezone: TimeZone,
}

pub(crate) fn run(args: PermitArgs) -> Result<ExitCode, Failure> {
    let number = match args.number.trim() {
        "" => return Err(Failure::Usage("name a number, or say next".into())),
        "next" => None,
        number => Some(number.to_owned()),
    };
    let wish = PermitWish {
        number,
        lasting: args.lasting,
    };
    let answer = ask(args.socket, &wish.to_json())?;
    let (Some(who), Some(until)) = (answer["who"].as_str(), answer["until"].as_i64()) else {
        return Err(Failure::NoDaemon("the daemon's answer is no permit".into()));
    };
    let who = match who {
        "next" => "whoever calls next".into(),
        number => printable(number),
    };
    let until = args.timezone.local_time(Timestamp::from_nanos(until));
    println!("{who} may ring until {until}");
    Ok(ExitCode::SUCCESS)
}

fn parse_lasting(text: &str) -> Result<Duration, &'static str> {
    let complaint = "give a time up to a year, such as 30m, 2h or 3d";
    let text = text.trim();
    let seconds = match text.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 60 * 60,
        Some(b'd') => 24 * 60 * 60,
        _ => return Err(complaint),
    };
    text.get(..text.len() - 1)
        .and_then(|count| count.parse::<u64>().ok())
        .and_then(|count| count.checked_mul(seconds))
        .filter(|lasting| (1..=366 * 24 * 60 * 60).contains(lasting))
        .map(Duration::from_secs)
        .ok_or(complaint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_count_and_a_unit() {
        for (text, seconds) in [("30m", 1800), ("2h", 7200), ("3d", 259_200), ("1s", 1)] {
            assert_eq!(parse_lasting(text), Ok(Duration::from_secs(seconds)));
        }
        for wrong in [
            "",
            "h",
            "2",
            "0m",
            "-1h",
            "367d",
            "99999999999999999999d",
            "2 ħ",
            "é",
        ] {
            assert!(parse_lasting(wrong).is_err(), "{wrong}");
        }
    }
}
