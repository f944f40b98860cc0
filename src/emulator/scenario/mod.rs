//! What happens on the emulated line: who calls when, what is said, how it ends, what goes wrong.
//!
//! A scenario is a small TOML file, or is built in Rust:
//!
//! ```
//! use callblock::emulator::{Call, Chip, Ending, Scenario, Sound};
//! use std::time::Duration;
//!
//! let scenario = Scenario::default().chip(Chip::Usr5637).call(
//!     Call::from("5055034455")
//!         .named("V4231749020000150")
//!         .at(Duration::from_secs(2))
//!         .says(Sound::Speech(Duration::from_secs(15)))
//!         .ends(Ending::Busy),
//! );
//! # let _ = scenario;
//! ```
//!
//! # The file
//!
//! Times are seconds, whole or with a fraction. Every key may be left out; an unknown one is an error.
//!
//! ```toml
//! chip = "cx93001-2002"     # cx93001-2013, usr5637, usr5637-old, zoom3095, mt9234mu, v253, data-only
//! cadence = "us"            # ring: us, uk (double ring), fr, de, jp; or seconds on, off, on, off, ...
//! call_waiting = false      # true: a second caller's ID is sent into a call; false: he hears "busy"
//! shortest_answer = 0.5     # off-hook for less is no answer: the exchange goes on ringing
//! deaf_under_vls1 = false   # USR: only silence is received unless +VLS=5 is sent before +VRX
//! ends_voice_itself = false # on busy, dial or reorder tone the modem leaves the voice state by itself
//! double_dle_as_sub = false # two 0x10 in a row are sent to the DTE as <DLE><SUB>
//! echo = 10                 # dB by which the modem's own audio comes back weaker; left out: not at all
//! stored_results = "words"  # result codes of the stored profile: words, numeric (V0), numeric-for-good, none (Q1)
//! latency = 0.003           # from a command to its result; left out: as the chip has it
//! deaf_after_result = 0     # what comes so soon after a result code is swallowed
//! fax_result = "ok"         # what ends a class 1 fax answer: ok, error, no-carrier
//!
//! [[call]]
//! at = 2                    # after the start; or `after = 5`: after the end of the call before
//! number = "5055034455"     # "P" withheld, "O" out of area; leave out for a block without NMBR
//! name = "V4231749020000150"
//! caller_id = "after-first-ring"  # before-first-ring, after-second-ring, never; see `delay`
//! delay = 1                 # from that ring to the caller ID (or from the caller ID to the ring)
//! rings = 10                # the caller gives up after so many
//! says = [                  # from pick-up on, one after the other
//!     { speech = 15 },
//!     { silence = 1.5 },
//!     { tone = { hertz = [440, 480], seconds = 2 } },
//!     { dtmf = "12#" },
//!     { wav = "hello.wav" },  # relative to the scenario file; 8-bit unsigned mono 8000 Hz
//! ]
//! ends = "busy"             # when all is said: busy, tones-only, silence, loop-break, dial-tone,
//!                           # reorder; "stays": the caller never hangs up
//! fax = false               # the caller is a fax machine
//! person_answers = 4        # somebody in the house answers so long after the first ring ...
//! person_talks = 20         # ... and puts the handset back after so long
//! handset_lifted = 3        # somebody lifts the handset so long after the modem picked up ...
//! handset_back = 5          # ... and puts it back after so long
//! stray_rings = 0           # RINGs still reported after the modem went off-hook
//! rings_again = 0           # RINGs that come again, without caller ID, after the modem hung up
//!
//! [call.format]             # how this modem and this exchange write the caller ID
//! form = "plain"            # dle-x, jump; left out: as the chip does
//! spaces = true             # "NMBR = 1"; false: "NMBR=1"; left out: as the chip does
//! order = ["DATE", "TIME", "NMBR", "NAME"]  # leave out a key to leave out its line
//! date = "1107"
//! time = "1152"
//! number_key = "NMBR"       # DDN_NMBR and the like
//! second_number = "O"       # a second NMBR line after the first
//! extra = ["MESG = 110101"] # lines put after TIME, as they are
//! raw = "8020..."           # sent when +VCID=2; left out: made from number and name; if it does
//!                           # not add up to 0, the formatted block is not sent at all
//! raw_prefix = "MESG = "    # put before the hex
//!
//! [[message_waiting]]
//! at = 3
//! count = 2                 # 0: none any more
//!
//! [dial]                    # what happens to calls the modem makes; without this nobody answers
//! answers = 5               # the far end picks up so long after dialling; left out: never
//! busy = false
//! no_dial_tone = false
//! says = []                 # as for a call
//! ends = "busy"
//!
//! [[fault]]
//! when = { command = "+VLS=1" }  # a command that begins so; or { at = 5 }, { after_pick_up = 2 }
//! times = 1                 # for commands: how often; 0 for always
//! does = "no-reply"         # error, no-carrier, pretend, ring-inside, digital-line, wedge, recover,
//!                           # forget, reset, stream, { late = 3 }, { hang = "dtr" },
//!                           # { confuse = "soft-reset" },
//!                           # { unplug = { back_after = 4, other_node = true } }, { garbage = 40 },
//!                           # { code = "b" }, { line = "NO CARRIER" }
//! ```

mod build;
mod time;

use super::caller_id::{CallerId, Format};
use super::chip::Chip;
use super::fault::{Fault, FaultKind, Trigger};
use super::sound::{Sound, dtmf};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub(crate) use time::{seconds, some_seconds};

pub use time::Cadence;

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The scenario file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not TOML, or not the keys and values of a scenario.
    #[error("{origin}:{line}: {message}")]
    Malformed {
        /// The scenario file, or `scenario` if it was not a file.
        origin: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, with the key's name.
        message: String,
    },
    /// Well-formed, but it makes no sense or names a WAV file that cannot be used.
    #[error("{origin}: {message}")]
    Unusable {
        /// The scenario file, or `scenario` if it was not a file.
        origin: String,
        /// What is wrong.
        message: String,
    },
}

/// What happens on the line; see the [module](self) for the file's keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
pub struct Scenario {
    /// The modem.
    pub chip: Chip,
    /// How the telephone rings.
    pub cadence: Cadence,
    /// Whether a caller who comes during a call is announced (with his caller ID) or hears "busy".
    pub call_waiting: bool,
    /// An off-hook shorter than this is not taken for an answer: the exchange goes on ringing.
    #[serde(deserialize_with = "seconds")]
    pub shortest_answer: Duration,
    /// USR: the receive state hears nothing under `+VLS=1`, only under `+VLS=5`.
    pub deaf_under_vls1: bool,
    /// Whether the modem itself ends a voice stream when it reports busy, dial or reorder tone, as
    /// some Multi-Tech do.
    pub ends_voice_itself: bool,
    /// Whether two 0x10 in a row are shielded as `<DLE><SUB>`, as V.253 allows.
    pub double_dle_as_sub: bool,
    /// By how many dB the modem's own audio comes back weaker in what it receives; `None`: not at all.
    pub echo: Option<u8>,
    /// How long a command takes; `None`: as the chip has it.
    #[serde(deserialize_with = "some_seconds")]
    pub latency: Option<Duration>,
    /// Bytes that come so soon after a result code are swallowed (V.250 lets a modem ask for 0.1 s).
    #[serde(deserialize_with = "seconds")]
    pub deaf_after_result: Duration,
    /// What ends a class 1 fax answer that nobody continues.
    pub fax_result: FaxResult,
    /// How the stored profile has result codes given, after power-up and `ATZ`.
    pub stored_results: StoredResults,
    /// The calls that come in.
    #[serde(rename = "call")]
    pub calls: Vec<Call>,
    /// Message-waiting indications, sent while on-hook.
    pub message_waiting: Vec<MessageWaiting>,
    /// What happens when the modem dials; without it nobody answers.
    pub dial: Option<Dial>,
    /// What goes wrong.
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
}

impl Default for Scenario {
    /// No call, no fault, and a modem of the first kind there is.
    fn default() -> Self {
        Self {
            chip: Chip::default(),
            cadence: Cadence::default(),
            call_waiting: false,
            shortest_answer: Duration::from_millis(500),
            deaf_under_vls1: false,
            ends_voice_itself: false,
            double_dle_as_sub: false,
            echo: None,
            latency: None,
            deaf_after_result: Duration::ZERO,
            fax_result: FaxResult::default(),
            stored_results: StoredResults::default(),
            calls: Vec::new(),
            message_waiting: Vec::new(),
            dial: None,
            faults: Vec::new(),
        }
    }
}

/// A call that comes in.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Call {
    /// When it begins, after the modem was made.
    #[serde(deserialize_with = "some_seconds")]
    pub at: Option<Duration>,
    /// When it begins, after the end of the call before; 2 s if `at` is not given either.
    #[serde(deserialize_with = "some_seconds")]
    pub after: Option<Duration>,
    /// The number as the exchange sends it; `P` and `O` are sent as such.
    pub number: Option<String>,
    /// The name as the exchange sends it; characters beyond Latin-1 become `?`.
    pub name: Option<String>,
    /// When the caller ID comes.
    pub caller_id: CallerIdTime,
    /// From the ring to the caller ID; if the caller ID comes first, from it to the ring. Left out:
    /// 1 s and 0.3 s.
    #[serde(deserialize_with = "some_seconds")]
    pub delay: Option<Duration>,
    /// How the caller ID is written.
    pub format: Format,
    /// How many times it rings before the caller gives up; a double ring counts as one.
    pub rings: u32,
    /// What the caller says from pick-up on.
    pub says: Vec<Sound>,
    /// What the line does when all is said.
    pub ends: Ending,
    /// Whether the caller is a fax machine.
    pub fax: bool,
    /// Somebody in the house answers, so long after the first ring.
    #[serde(deserialize_with = "some_seconds")]
    pub person_answers: Option<Duration>,
    /// How long that person talks.
    #[serde(deserialize_with = "seconds")]
    pub person_talks: Duration,
    /// Somebody in the house lifts the handset, so long after the modem picked up.
    #[serde(deserialize_with = "some_seconds")]
    pub handset_lifted: Option<Duration>,
    /// How long until the handset is put back.
    #[serde(deserialize_with = "seconds")]
    pub handset_back: Duration,
    /// Rings that are still reported after the modem went off-hook.
    pub stray_rings: u32,
    /// Rings without caller ID that follow when the modem has hung up.
    pub rings_again: u32,
}

impl Default for Call {
    fn default() -> Self {
        Self {
            at: None,
            after: None,
            number: None,
            name: None,
            caller_id: CallerIdTime::default(),
            delay: None,
            format: Format::default(),
            rings: 10,
            says: Vec::new(),
            ends: Ending::default(),
            fax: false,
            person_answers: None,
            person_talks: Duration::from_secs(20),
            handset_lifted: None,
            handset_back: Duration::from_secs(5),
            stray_rings: 0,
            rings_again: 0,
        }
    }
}

/// When the caller ID comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerIdTime {
    /// Between the first and the second ring, as in North America.
    #[default]
    AfterFirstRing,
    /// Before it rings, as in Britain.
    BeforeFirstRing,
    /// Between the second and the third ring.
    AfterSecondRing,
    /// No caller ID at all.
    Never,
}

/// What the line does when the far end has said everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The far end hangs up; busy tone, and the modem reports it every 4 s.
    #[default]
    Busy,
    /// The far end hangs up; busy tone, but the modem does not recognise it.
    TonesOnly,
    /// The far end hangs up and nothing is heard.
    Silence,
    /// The far end hangs up; the exchange interrupts the loop current.
    LoopBreak,
    /// The far end hangs up; dial tone, reported every 3 s.
    DialTone,
    /// The far end hangs up; reorder tone, reported every 4 s.
    Reorder,
    /// The far end stays on the line, silent.
    Stays,
}

/// The result code that ends a class 1 fax answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaxResult {
    /// `OK`
    #[default]
    Ok,
    /// `ERROR`
    Error,
    /// `NO CARRIER`, and the modem goes on-hook.
    NoCarrier,
}

/// How a stored profile has result codes given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoredResults {
    /// `V1 Q0`
    #[default]
    Words,
    /// `V0`
    Numeric,
    /// `V0`, and `ATV1` has no effect.
    NumericForGood,
    /// `Q1`
    None,
}

/// A message-waiting indication.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageWaiting {
    /// When, after the modem was made.
    #[serde(deserialize_with = "seconds")]
    pub at: Duration,
    /// How many messages wait; 0 puts the lamp out.
    pub count: u8,
}

/// What happens when the modem dials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dial {
    /// The far end picks up so long after the last digit; never if left out.
    #[serde(deserialize_with = "some_seconds")]
    pub answers: Option<Duration>,
    /// The far end is busy.
    pub busy: bool,
    /// The line is dead.
    pub no_dial_tone: bool,
    /// What the far end says once it has picked up.
    pub says: Vec<Sound>,
    /// What the line does when all is said.
    pub ends: Ending,
}

impl Scenario {
    /// Reads the text of a scenario file. WAV files are sought relative to the current directory.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        Self::read(text, "scenario", Path::new(""))
    }

    /// Loads a scenario file with the WAV files it names, which are sought relative to it.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::read(&text, &path.display().to_string(), folder)
    }

    fn read(text: &str, origin: &str, folder: &Path) -> Result<Self, ScenarioError> {
        let mut scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError::Malformed {
                origin: origin.to_owned(),
                line: error
                    .span()
                    .and_then(|span| text.get(..span.start))
                    .map_or(1, |before| before.matches('\n').count() + 1),
                message: error.message().to_owned(),
            })?;
        let unusable = |message| ScenarioError::Unusable {
            origin: origin.to_owned(),
            message,
        };
        scenario.read_wavs(folder).map_err(unusable)?;
        scenario.check().map_err(unusable)?;
        Ok(scenario)
    }

    fn read_wavs(&mut self, folder: &Path) -> Result<(), String> {
        let calls = self.calls.iter_mut().map(|call| &mut call.says);
        let dial = self.dial.iter_mut().map(|dial| &mut dial.says);
        for sound in calls.chain(dial).flatten() {
            if let Sound::Wav(path) = sound {
                *sound = Sound::from_wav(&folder.join(path))?;
            }
        }
        Ok(())
    }

    /// What the types cannot rule out.
    fn check(&self) -> Result<(), String> {
        for (index, call) in self.calls.iter().enumerate() {
            let call_number = index + 1;
            if call.at.is_some() && call.after.is_some() {
                return Err(format!(
                    "call {call_number}: `at` and `after` exclude each other"
                ));
            }
            let texts = [&call.number, &call.name];
            if texts
                .iter()
                .any(|t| t.as_ref().is_some_and(|t| t.len() > 200))
            {
                return Err(format!("call {call_number}: number or name is too long"));
            }
        }
        for fault in &self.faults {
            let needs_command = matches!(
                fault.does,
                FaultKind::NoReply | FaultKind::Error | FaultKind::Pretend | FaultKind::Late(_)
            );
            if needs_command && !matches!(fault.when, Trigger::Command(_)) {
                let does = &fault.does;
                return Err(format!("fault {does:?} needs `when = {{ command = ... }}`"));
            }
        }
        let dial = self.dial.iter().flat_map(|dial| &dial.says);
        for sound in self.calls.iter().flat_map(|call| &call.says).chain(dial) {
            if let Sound::Dtmf(keys) = sound
                && (keys.len() > 64 || !keys.bytes().all(|key| dtmf(key).is_some()))
            {
                return Err(format!("`dtmf = {keys:?}`: at most 64 of 0-9 A-D * #"));
            }
        }
        Ok(())
    }
}

impl Call {
    /// The caller ID as the exchange sends it; `None` if it sends none.
    pub(crate) fn announcement(&self) -> Option<CallerId> {
        (self.caller_id != CallerIdTime::Never).then(|| CallerId {
            number: self.number.clone(),
            name: self.name.clone(),
            format: self.format.clone(),
        })
    }
}
