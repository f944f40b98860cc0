//! The log arrives in a real journal with its fields.
//!
//! A `systemd-journald` of its own is started in private namespaces, where it sees an empty `/run`, no
//! network and only its own processes; nothing of it outlives the test. That takes root, so the test
//! is skipped with a message where it cannot be had.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use callblock::service::log::{self, LogOptions};
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};

/// Tells this binary, started once more inside the namespaces, to log instead of to test.
const LOGGING_PART: &str = "CALLBLOCK_TEST_LOGGING_PART";

const JOURNALD: &str = "/usr/lib/systemd/systemd-journald";

/// Run as process 1 of the namespaces; the command to be logged is in its arguments. Its standard
/// error is connected to the journal and named by `$JOURNAL_STREAM`, as a service manager does it.
/// journald handles SIGTERM only after everything that was sent to it before.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log
cat > /run/systemd/journald.conf.d/test.conf <<CONFIG
[Journal]
Storage=volatile
ReadKMsg=no
Audit=
ForwardToWall=no
CONFIG
"$JOURNALD" &
# A socket file is there before anybody listens on it.
until [ -S /run/systemd/journal/socket ] && systemd-cat true 2>/dev/null; do
    kill -0 $!
    sleep 0.02
done
systemd-cat --identifier=captured sh -c '
    export JOURNAL_STREAM="$(stat --dereference --format=%d:%i /proc/self/fd/2)"
    exec "$@"' sh "$@"
kill -TERM $!
wait $!
journalctl --directory=/run/log/journal --output=export --no-pager
"#;

fn log_something() {
    log::init(&LogOptions::default()).expect("logging is set up");
    tracing::info!(
        target: "callblock::blocker",
        call = 7,
        number = "5055034455",
        name = "EVIL\x1b[2J\nPRIORITY=0\nVERDICT=ring",
        verdict = "block",
        reason = "on the block list",
        source = "block.csv:3",
        action = "hangup",
        "call blocked"
    );
    let _call = tracing::info_span!(target: "callblock::blocker", "call", call = 8).entered();
    tracing::error!(target: "callblock::blocker", "an error");
    tracing::warn!(target: "another_crate", "a warning");
    tracing::debug!(target: "callblock::blocker", "not wanted");
    tracing::info!(target: "another_crate", "not wanted");
}

#[test]
fn fields_arrive_in_the_journal() {
    if std::env::var_os(LOGGING_PART).is_some() {
        return log_something();
    }
    if let Some(obstacle) = obstacle() {
        eprintln!("skipped: {obstacle}");
        return;
    }
    let this_program = std::env::current_exe().expect("has a path");
    let output = in_namespaces(&[
        "sh",
        "-c",
        SCRIPT,
        "sh",
        this_program.to_str().expect("plain"),
        "--exact",
        "fields_arrive_in_the_journal",
    ]);
    assert!(output.status.success(), "{output:?}");
    let entries = entries(&output.stdout);

    let blocked = only_entry(&entries, "call blocked");
    for (field, value) in [
        ("CALL", "7"),
        ("NUMBER", "5055034455"),
        // Whole, with its line breaks: no field of the entry was made up by the caller.
        ("NAME", "EVIL\x1b[2J\nPRIORITY=0\nVERDICT=ring"),
        ("VERDICT", "block"),
        ("REASON", "on the block list"),
        ("SOURCE", "block.csv:3"),
        ("ACTION", "hangup"),
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "callblock"),
    ] {
        assert_eq!(
            blocked.get(field).map(Vec::as_slice),
            Some(&[value.to_owned()][..]),
            "{field}"
        );
    }
    for (message, priority) in [("an error", "3"), ("a warning", "4")] {
        let entry = only_entry(&entries, message);
        assert_eq!(entry["PRIORITY"], [priority]);
        assert_eq!(entry["CALL"], ["8"]);
    }
    assert!(with_message(&entries, "not wanted").is_empty());
}

/// What is missing here, if something is.
fn obstacle() -> Option<String> {
    if !Path::new(JOURNALD).exists() {
        return Some(format!("there is no {JOURNALD}"));
    }
    if !Path::new("/etc/machine-id").exists() {
        return Some("journald needs /etc/machine-id".to_owned());
    }
    let trial = in_namespaces(&["mount", "-t", "tmpfs", "tmpfs", "/run"]);
    (!trial.status.success()).then(|| {
        let reason = String::from_utf8_lossy(&trial.stderr);
        format!("no private namespaces (they take root): {}", reason.trim())
    })
}

/// Runs a command in namespaces of its own, and ends it with everything it started after a minute.
fn in_namespaces(command: &[&str]) -> Output {
    Command::new("timeout")
        .args([
            "60",
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "--net",
            "--ipc",
        ])
        .args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .args(command)
        .env("JOURNALD", JOURNALD)
        .env(LOGGING_PART, "1")
        .output()
        .expect("timeout(1) runs")
}

/// The fields of one journal entry; a field can occur several times.
type Entry = HashMap<String, Vec<String>>;

fn with_message<'a>(entries: &'a [Entry], message: &str) -> Vec<&'a Entry> {
    entries
        .iter()
        .filter(|entry| {
            entry
                .get("MESSAGE")
                .is_some_and(|m| m.iter().any(|m| m.contains(message)))
        })
        .collect()
}

/// Fails too if the line came twice, say captured from standard error as well.
fn only_entry<'a>(entries: &'a [Entry], message: &str) -> &'a Entry {
    let found = with_message(entries, message);
    assert_eq!(found.len(), 1, "{message}: {found:?} of {entries:?}");
    found[0]
}

/// Reads the journal export format: `FIELD=text` or `FIELD`, length as 64 bits little-endian, and
/// bytes; a blank line after each entry.
fn entries(mut export: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut entry = Entry::new();
    while let Some(end) = export.iter().position(|&byte| byte == b'\n') {
        let (line, rest) = export.split_at(end);
        export = &rest[1..];
        if line.is_empty() {
            entries.push(std::mem::take(&mut entry));
            continue;
        }
        let line = String::from_utf8_lossy(line);
        let (name, value) = if let Some((name, value)) = line.split_once('=') {
            (name, value.to_owned())
        } else {
            let (length, rest) = export.split_first_chunk().expect("a length");
            let length = usize::try_from(u64::from_le_bytes(*length)).expect("fits");
            export = &rest[length + 1..];
            (
                &*line,
                String::from_utf8_lossy(&rest[..length]).into_owned(),
            )
        };
        entry.entry(name.to_owned()).or_default().push(value);
    }
    entries
}
