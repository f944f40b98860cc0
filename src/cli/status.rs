//! `callblock status`: what the running daemon says of itself, for people and for monitors.

use super::asking::printable;
use super::{Failure, NO_DAEMON_EXIT_CODE, runtime};
use callblock::audio::TimeZone;
use callblock::clock::Timestamp;
use callblock::service::control::{self, Places};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

/// Ask the running daemon how it is: exit code 0 if it is armed or in a call, 1 if it is deaf or
/// waits for a modem or does not answer, 2 if this user may not ask it, 3 if there is no daemon.
#[derive(clap::Args, Debug)]
pub(crate) struct StatusArgs {
    /// Print it as JSON: `state`, `device`, `modem`, `last_ring`, `unknown_lines`
    #[arg(long)]
    json: bool,
    /// The daemon's control socket, if it is not at one of the usual places
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

pub(crate) fn run(args: StatusArgs) -> Result<ExitCode, Failure> {
    let places = Places::of_process(args.socket);
    let question = json!({ "command": "status" });
    let answer = runtime()?
        .block_on(control::ask(&places, &question))
        .map_err(|error| match error.kind() {
            // Nothing is known of the daemon then.
            ErrorKind::PermissionDenied => Failure::Usage(format!(
                "the daemon cannot be asked: {error}: its user may, and its group"
            )),
            _ => Failure::Other(format!("the daemon cannot be asked: {error}")),
        })?;
    let Some(mut status) = answer else {
        if args.json {
            println!("{}", json!({ "state": "no-daemon" }));
        } else {
            println!("no daemon is running");
        }
        return Ok(ExitCode::from(NO_DAEMON_EXIT_CODE));
    };
    if args.json {
        if let Some(fields) = status.as_object_mut() {
            // They are for people, and may change.
            fields.remove("words");
        }
        println!("{status}");
    } else {
        print!("{}", in_words(&status));
    }
    let healthy = matches!(status["state"].as_str(), Some("armed" | "in-call"));
    Ok(ExitCode::from(u8::from(!healthy)))
}

fn in_words(status: &Value) -> String {
    let text = |key: &str| printable(status[key].as_str().unwrap_or("unknown"));
    let time = |value: &Value| match value.as_i64() {
        Some(nanos) => TimeZone::UTC.local_time(Timestamp::from_nanos(nanos)),
        None => "never".into(),
    };
    let mut words: String = format!(
        "{}\n\nstate      {}\ndevice     {}\nmodem      {}\nlast ring  {}\n",
        text("words"),
        text("state"),
        text("device"),
        text("modem"),
        time(&status["last_ring"])
    );
    let unknown = status["unknown_lines"].as_array();
    let unknown = unknown.into_iter().flatten().map(|line| {
        let said = printable(line["line"].as_str().unwrap_or_default());
        format!("unknown    {}  {said}\n", time(&line["at"]))
    });
    words.extend(unknown);
    words
}
