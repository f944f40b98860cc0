//! The daemon itself: settings become a running blocker, and systemd is told how it is.

use super::flags::{DeviceChoice, Settings};
use super::list_flags::{ListSettings, LoadedPolicy};
use super::trace::{OpenTrace, open_trace, tapped};
use super::{Failure, runtime};
use callblock::audio;
use callblock::blocker::daemon::{Daemon, Notice, Observer, Setup, StartError};
use callblock::blocker::{BlockAction, ListScreen, LivePolicy};
use callblock::clock::{SystemClock, WallClock as _};
use callblock::emulator::{PtyModem, PtyOptions, Scenario};
use callblock::modem::port::Jack;
use callblock::modem::serial::{Device, SerialJack};
use callblock::screen::{Date, Hits, Policy};
use callblock::service::control::Places;
use callblock::service::log;
use callblock::service::notify::ServiceManager;
use callblock::service::signals::{ReloadSignal, StopSignals};
use callblock::store::Store;
use callblock::watch::Followed;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A service without a modem is ready all the same after this time: it is waiting for one.
const READY_WITHOUT_MODEM: Duration = Duration::from_secs(10);

/// The hits of rules are counted in so many calls of the log: those of some years.
const MOST_EARLIER_CALLS: u32 = 10_000;

/// What the emulated modem does when no scenario is named.
const EVENING: &str = include_str!("../../examples/scenarios/evening.toml");

/// Runs until it is told to stop.
pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    if let Some(file) = played_file(&settings.action) {
        require_playable(file)?;
    }
    let emulated = emulated(&settings.device)?;
    let trace = open_files(settings)?;
    for remark in &settings.remarks {
        tracing::warn!("{remark}");
    }
    let mut files = settings.lists.allow_lists.clone();
    files.extend(settings.lists.block_lists.iter().cloned());
    // Before they are read, so that no change falls between the two.
    let files = Followed::new(files);
    let loaded = settings.lists.load(today(&settings.lists));
    let mut said = Said::default();
    said.in_words(&loaded);
    let live = LivePolicy::new(loaded.policy);
    rehearse(&live, &settings.lists);
    let warnings = warnings(&live);
    let setup = Setup {
        action: settings.action.clone(),
        sit: settings.sit,
        hang_up_hold: settings.hangup_hold,
        cache_dir: settings.cache_dir.clone(),
        modem_country: settings.country,
        modem_init: settings.init_commands.clone(),
        time_zone: settings.lists.time_zone,
        recording_limits: settings.recording_limits,
        listening: settings.listening,
        keep_calls: settings.keep_calls,
        control: Some(Places::of_process(settings.socket.clone())),
        heartbeat: ServiceManager::new().heartbeat_interval(),
        ..Setup::new(&settings.data_dir)
    };
    let handler = ListScreen::following(live.clone())
        .by_clock(Arc::new(SystemClock), settings.lists.time_zone);
    let handler = Box::new(handler);
    runtime()?.block_on(async {
        let jack = jack(&settings.device, emulated.as_ref().map(|(_, link)| link));
        let (jack, recorder) = tapped(jack, trace);
        let mut signals = StopSignals::new().map_err(Failure::because("signals"))?;
        let manager = Arc::new(Readiness::new(warnings));
        let observer = Arc::clone(&manager).observer();
        let overdue = {
            let manager = Arc::clone(&manager);
            tokio::spawn(async move {
                tokio::time::sleep(READY_WITHOUT_MODEM).await;
                manager.ready();
            })
        };
        let stop = async {
            let reason = signals.recv().await;
            tracing::info!("{}: stopping", reason.as_str());
            manager.manager.stopping();
        };
        tokio::task::spawn_blocking({
            let (live, log) = (live.clone(), settings.data_dir.join("callblock.db"));
            move || count_earlier_hits(&live, &log)
        });
        let reading = tokio::spawn(follow_lists(
            settings.lists.clone(),
            files,
            live,
            said,
            Arc::clone(&manager),
        ));
        let ran = Daemon::run(setup, jack, handler, observer, stop).await;
        overdue.abort();
        reading.abort();
        if let Some(recorder) = recorder {
            recorder.finish().await;
        }
        ran.map_err(|error| unusable_folder(&error))
    })
}

/// Opens the trace and the log, and makes the folders. If one of them cannot be had, none of the files
/// that were not there before is left.
fn open_files(settings: &Settings) -> Result<Option<OpenTrace>, Failure> {
    let trace = settings.trace.as_ref().map(|trace| &trace.file);
    let new: Vec<&PathBuf> = [trace, settings.log.file.as_ref()]
        .into_iter()
        .flatten()
        .filter(|file| file.symlink_metadata().is_err())
        .collect();
    let open = || {
        let trace = settings.trace.as_ref().map(open_trace).transpose()?;
        log::init(&settings.log).map_err(|error| Failure::Usage(error.to_string()))?;
        match Setup::new(&settings.data_dir).make_folders() {
            Err(error) if error.is_users_mistake() => Err(unusable_folder(&error)),
            // The daemon says what it goes on without.
            _ => Ok(trace),
        }
    };
    open().inspect_err(|_| {
        for file in new {
            // It may never have been made.
            let _ = std::fs::remove_file(file);
        }
    })
}

fn unusable_folder(error: &StartError) -> Failure {
    Failure::Usage(format!("{error}; name another with --data-dir DIR"))
}

/// The emulated modem, if one is asked for. It goes on when its scenario is over.
pub(super) fn emulated(device: &DeviceChoice) -> Result<Option<(PtyModem, PathBuf)>, Failure> {
    let DeviceChoice::Emulated(scenario) = device else {
        return Ok(None);
    };
    let scenario = match scenario {
        Some(file) => Scenario::load(file),
        None => Scenario::parse(EVENING),
    };
    let scenario = scenario.map_err(|error| Failure::Usage(error.to_string()))?;
    // A link, because the modem may come back under another name when it was unplugged.
    let link = std::env::temp_dir().join(format!("callblock-emulated-{}", std::process::id()));
    let options = PtyOptions {
        link: Some(link.clone()),
        ..PtyOptions::default()
    };
    let modem = PtyModem::start(scenario, options)
        .map_err(Failure::because("the emulated modem cannot be started"))?;
    modem.journal().keep_audio(0);
    Ok(Some((modem, link)))
}

/// Where the modem is plugged in.
pub(super) fn jack(device: &DeviceChoice, emulated: Option<&PathBuf>) -> Box<dyn Jack> {
    let device = match device {
        DeviceChoice::Node(node) => Device::Node(node.clone()),
        DeviceChoice::Auto => Device::Auto,
        DeviceChoice::Emulated(_) => Device::Node(emulated.cloned().unwrap_or_default()),
    };
    Box::new(SerialJack::new(device))
}

/// The file that the action plays at pick-up.
const fn played_file(action: &BlockAction) -> Option<&PathBuf> {
    match action {
        BlockAction::Message { file } => Some(file),
        BlockAction::Transmit { file, .. } | BlockAction::Duplex { file, .. } => file.as_ref(),
        _ => None,
    }
}

fn require_playable(file: &Path) -> Result<(), Failure> {
    audio::playable(file).map_err(|error| Failure::Usage(format!("-a {}: {error}", file.display())))
}

/// The date by which lists are read: that of the system's clock in the time zone.
fn today(lists: &ListSettings) -> Date {
    lists.time_zone.moment(SystemClock.now()).local.date
}

/// Makes the lists ready for the first call; to be done by the thread that decides calls.
fn rehearse(live: &LivePolicy, lists: &ListSettings) {
    live.read(|policy| policy.rehearse(lists.time_zone.moment(SystemClock.now())));
}

/// What was said of the lists when they were last read, as hashes of the words.
#[derive(Debug, Default)]
struct Said(HashSet<u64>);

impl Said {
    /// What is bad in the lists is logged, unless it was when they were last read, and left out.
    fn in_words(&mut self, loaded: &LoadedPolicy) {
        let before = std::mem::take(&mut self.0);
        let mut is_new = |words: &str| {
            let mut hasher = DefaultHasher::new();
            words.hash(&mut hasher);
            let hash = hasher.finish();
            self.0.insert(hash);
            !before.contains(&hash)
        };
        for error in &loaded.errors {
            let words = error.to_string();
            match (is_new(&words), error.kept) {
                (true, true) => tracing::warn!("{words}"),
                (true, false) => tracing::error!("{words}"),
                (false, _) => {}
            }
        }
        let more = format!("{} more bad lines", loaded.more_problems);
        let more = (loaded.more_problems > 0).then_some(more);
        let problems = loaded.problems.iter().map(ToString::to_string);
        for words in problems.chain(more).filter(|words| is_new(words)) {
            tracing::warn!("{words}");
        }
    }
}

/// What the user should know of the policy in force.
fn warnings(live: &LivePolicy) -> Vec<String> {
    let warnings = live.read(Policy::warnings);
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    warnings.iter().map(ToString::to_string).collect()
}

/// Counts the hits of rules in the calls of the log. A log that is not there yet, or cannot be read, has
/// none; whoever writes to it says what is wrong with it.
fn count_earlier_hits(live: &LivePolicy, log: &Path) {
    let policy = live.read(Policy::clone);
    let mut hits = Hits::default();
    let counted = Store::open_read_only(log).and_then(|store| {
        store.each_decided(MOST_EARLIER_CALLS, |call| {
            hits.record_logged(&policy, &call);
        })
    });
    match counted {
        Ok(()) => live.add_hits(&hits),
        Err(error) => tracing::debug!(%error, "earlier hits of rules are not known"),
    }
}

/// Reads the lists again whenever one was saved, or on SIGHUP, off the loop that decides calls.
async fn follow_lists(
    settings: ListSettings,
    mut files: Followed,
    live: LivePolicy,
    mut said: Said,
    manager: Arc<Readiness>,
) {
    let mut hang_up = match ReloadSignal::new() {
        Ok(signal) => signal,
        Err(error) => return tracing::warn!(%error, "lists are not read again"),
    };
    loop {
        tokio::select! {
            () = files.changed() => {}
            () = hang_up.recv() => {}
        }
        let (lists, live_there) = (settings.clone(), live.clone());
        let read = tokio::task::spawn_blocking(move || {
            let before = live_there.read(Policy::clone);
            let loaded = lists.reload(&before, today(&lists));
            said.in_words(&loaded);
            live_there.replace(loaded.policy);
            // Here, too, millions of entries are given back.
            drop(before);
            said
        });
        let Ok(back) = read.await else {
            said = Said::default();
            continue;
        };
        said = back;
        rehearse(&live, &settings);
        tracing::info!("the lists were read again");
        manager.set_warnings(warnings(&live));
    }
}

/// What systemd is told: ready once, and a status in words.
struct Readiness {
    manager: ServiceManager,
    /// What the user should know at all times.
    warnings: Mutex<Vec<String>>,
    state: Mutex<State>,
}

struct State {
    ready: bool,
    /// The status without the warnings.
    doing: String,
    status: String,
}

impl Readiness {
    fn new(warnings: Vec<String>) -> Self {
        Self {
            manager: ServiceManager::new(),
            warnings: Mutex::new(warnings),
            state: Mutex::new(State {
                ready: false,
                doing: "setting the modem up".into(),
                status: "setting the modem up".into(),
            }),
        }
    }

    fn observer(self: Arc<Self>) -> Observer {
        Box::new(move |notice: &Notice<'_>| match notice {
            Notice::Armed { device, armed } => {
                tracing::info!("armed on {} at {device}", armed.identity);
                self.ready();
            }
            Notice::Status(words) => self.status(words),
            Notice::Deaf { .. } => self.ready(),
            Notice::Alive => self.manager.watchdog(),
            _ => {}
        })
    }

    fn set_warnings(&self, warnings: Vec<String>) {
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        let doing = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.doing.clone()
        };
        self.status(&doing);
    }

    fn status(&self, status: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        status.clone_into(&mut state.doing);
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let status = [status]
            .into_iter()
            .chain(warnings.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join("; ");
        if status != state.status {
            state.status = status;
            if state.ready {
                self.manager.status(&state.status);
            }
        }
    }

    /// Says so once; later calls do nothing.
    fn ready(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut state.ready, true) {
            self.manager.ready(&state.status);
        }
    }
}
