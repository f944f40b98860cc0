//! `callblock demo`: a few emulated calls through the real daemon on a real pseudo-terminal, with a
//! line for each event, and the call log at the end.

use super::{Failure, call_table, runtime};
use callblock::audio::TimeZone;
use callblock::blocker::daemon::{Daemon, Notice, Observer, Setup};
use callblock::blocker::{BlockAction, ListScreen};
use callblock::call::{CallRecord, VerdictClass};
use callblock::emulator::{PtyModem, PtyOptions, Scenario};
use callblock::modem::serial::{Device, SerialJack};
use callblock::screen::{List, Policy};
use callblock::store::Store;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const SCENARIO: &str = include_str!("../../examples/scenarios/demo.toml");
const BLOCK_LIST: &str = "# The block list of the demo.\n2125550147,A robocaller\n";
const PROMPTS: [(&str, &[u8]); 2] = [
    ("hello.wav", include_bytes!("../../play/hello.wav")),
    ("say-again.wav", include_bytes!("../../play/say-again.wav")),
];
const GREETING: &str = "hello.wav";
const CALLS: usize = 3;
/// It ends by itself when the calls are over, and at this time in any case.
const LONGEST: Duration = Duration::from_secs(58);

/// Runs the demo in `data_dir`, or in a new folder under the temporary one.
pub(crate) fn run(data_dir: Option<PathBuf>) -> Result<(), Failure> {
    let data_dir = match data_dir {
        Some(data_dir) => data_dir,
        None => std::env::temp_dir().join(format!("callblock-demo-{}", std::process::id())),
    };
    super::flags::require_folder_if_present(&data_dir)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let play = data_dir.join("play");
    let block_list = data_dir.join("blocklist.csv");
    std::fs::create_dir_all(&play)
        .and_then(|()| std::fs::write(&block_list, BLOCK_LIST))
        .map_err(Failure::because(&data_dir.display().to_string()))?;
    for (name, prompt) in PROMPTS {
        std::fs::write(play.join(name), prompt).map_err(Failure::because(name))?;
    }
    let policy = Policy {
        block: Some(List::load(&[block_list]).list),
        block_private: true,
        ..Policy::default()
    };
    let scenario = Scenario::parse(SCENARIO).map_err(Failure::because("the demo's scenario"))?;
    let modem = PtyModem::start(scenario, PtyOptions::default())
        .map_err(Failure::because("the emulated modem cannot be started"))?;
    modem.journal().keep_audio(0);
    let node = modem.node().unwrap_or_default();
    println!(
        "An emulated modem is on {}. Three calls follow; it takes about 50 seconds.\n",
        node.display()
    );
    runtime()?.block_on(watch(&data_dir, &node, policy, &play))?;
    drop(modem);
    show_log(&data_dir)
}

async fn watch(data_dir: &Path, node: &Path, policy: Policy, play: &Path) -> Result<(), Failure> {
    let setup = Setup {
        action: BlockAction::Duplex {
            file: Some(play.join(GREETING)),
            limit: Duration::from_secs(30),
            silence: Some(Duration::from_secs(2)),
        },
        ..Setup::new(data_dir)
    };
    let jack = Box::new(SerialJack::new(Device::Node(node.to_owned())));
    let (ended, mut endings) = mpsc::unbounded_channel();
    let stop = async {
        let all = async {
            for _ in 0..CALLS {
                endings.recv().await;
            }
        };
        // Too slow a machine shows fewer calls and still ends.
        let _ = tokio::time::timeout(LONGEST, all).await;
    };
    Daemon::run(
        setup,
        jack,
        Box::new(ListScreen::new(policy)),
        narrator(ended),
        stop,
    )
    .await
    .map_err(|error| Failure::Other(error.to_string()))
}

/// A line for each event, with the time since the start.
fn narrator(ended: mpsc::UnboundedSender<()>) -> Observer {
    let start = Instant::now();
    Box::new(move |notice| {
        if let Some(line) = narrate(notice) {
            let seconds = start.elapsed().as_secs();
            let line = format!("{}:{:02}  {line}\n", seconds / 60, seconds % 60);
            // Whoever reads only the head of it misses the rest.
            let _ = io::stdout().write_all(line.as_bytes());
        }
        if matches!(notice, Notice::Ended(_)) {
            let _ = ended.send(());
        }
    })
}

fn narrate(notice: &Notice<'_>) -> Option<String> {
    Some(match notice {
        Notice::Waiting(why) => format!("waiting: {why}"),
        Notice::Armed { armed, .. } if armed.identity.firmware.is_empty() => "armed".into(),
        Notice::Armed { armed, .. } => format!("waiting for calls on {}", armed.identity),
        Notice::PortLost(why) => format!("modem lost: {why}"),
        Notice::Deaf { .. } => "the modem is hung".into(),
        Notice::Ring(_) => "  ring".into(),
        Notice::Screened(record) => screened(record),
        Notice::Answered => "  picked up".into(),
        Notice::Playing(file) => {
            let name = file.file_name().unwrap_or_default();
            format!("  playing {}", name.to_string_lossy())
        }
        Notice::Recording(_) | Notice::Alive | Notice::Status(_) => return None,
        Notice::Digit(digit) => format!("  the caller pressed {digit}"),
        Notice::CallerSilent => "  the caller is silent".into(),
        Notice::Ended(record) => format!("  over: {}", record.outcome?.as_str()),
        Notice::MessageWaiting(_) => "message waiting".into(),
    })
}

fn screened(record: &CallRecord) -> String {
    let number = record.number.as_deref().unwrap_or("no number");
    let name = record.name.as_deref().unwrap_or("no name");
    let verdict = match record.verdict {
        VerdictClass::Ring => "may ring",
        VerdictClass::Block => "blocked",
    };
    format!("{number} ({name}) {verdict}: {}", record.reason)
}

fn show_log(data_dir: &Path) -> Result<(), Failure> {
    let calls = Store::open(&data_dir.join("callblock.db"))
        .and_then(|store| store.recent(CALLS as u32))
        .map_err(Failure::because("the call log cannot be read"))?;
    println!("\n{}", call_table::table(&calls, TimeZone::UTC));
    for recording in calls.iter().filter_map(|call| call.recording.as_ref()) {
        println!("aplay '{}'", data_dir.join(recording).display());
    }
    Ok(())
}
