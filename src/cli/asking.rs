//! Commands that ask the running daemon, and how its words are shown.

use super::{Failure, runtime};
use callblock::service::control::{self, Places};
use serde_json::Value;
use std::path::PathBuf;

/// The daemon's answer to a request. No daemon, one that may not be asked, or one that does not know
/// an answer, is a failure of its own kind.
pub(crate) fn ask(socket: Option<PathBuf>, request: &Value) -> Result<Value, Failure> {
    ask_if_there(socket, request)?.ok_or_else(|| Failure::NoDaemon("no daemon is running".into()))
}

/// The same; `None` if there is no daemon.
pub(crate) fn ask_if_there(
    socket: Option<PathBuf>,
    request: &Value,
) -> Result<Option<Value>, Failure> {
    let cannot = |why: &dyn std::fmt::Display| {
        Failure::NoDaemon(format!("the daemon cannot be asked: {why}"))
    };
    let answer = runtime()?
        .block_on(control::ask(&Places::of_process(socket), request))
        .map_err(|error| cannot(&error))?;
    match answer.as_ref().and_then(|answer| answer["error"].as_str()) {
        Some(error) => Err(cannot(&printable(error))),
        None => Ok(answer),
    }
}

/// What callers chose, or lists hold, must not steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{FFFD}")
}
