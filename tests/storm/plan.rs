//! What happens in an episode, all of it made from a seed.

use callblock::blocker::{BlockAction, Listening};
use callblock::emulator::{
    Cadence, Call, CallerIdTime, Chip, Cure, Ending, FaultKind, LinkOptions, Scenario, Sound,
    StoredResults, Unplug,
};
use fastrand::Rng;
use std::path::Path;
use std::time::Duration;

/// Numbers that begin so are blocked; every other number is that of a friend.
pub const ROBOT: &str = "900";
pub const FRIEND: &str = "305";
/// Callers who come while the line is in use.
pub const KNOCK: &str = "770";

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a trait that lines and modems have or lack"
)]
pub struct Plan {
    pub seed: u64,
    pub chip: Chip,
    pub mode: Mode,
    pub trim: bool,
    pub echo: Option<u8>,
    pub call_waiting: bool,
    pub ends_voice_itself: bool,
    pub double_dle_as_sub: bool,
    pub shortest_answer: Duration,
    pub british: bool,
    /// What the modem says after a reset.
    pub stored_results: StoredResults,
    pub link: LinkOptions,
    pub bursts: Vec<Burst>,
}

/// What is done with blocked calls; files are made in the house.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    HangUp,
    Fax,
    Message,
    Record(Duration),
    Transmit(Duration),
    Duplex(Duration, Duration),
}

/// Calls soon after each other and what goes wrong about them; then there is peace.
#[derive(Debug)]
pub struct Burst {
    pub calls: Vec<Planned>,
    pub accidents: Vec<Accident>,
}

#[derive(Debug)]
pub struct Planned {
    /// From the end of the call before, or from the beginning of the burst.
    pub gap: Duration,
    pub caller: Caller,
    pub call: Call,
    /// Somebody else calls so long after this call began.
    pub knock: Option<(Duration, Call)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    Friend,
    Robot,
    /// Withholds his number, and is blocked for it.
    Withheld,
    /// Comes without caller ID, and rings.
    Unknown,
}

impl Caller {
    pub const fn is_blocked(self) -> bool {
        matches!(self, Self::Robot | Self::Withheld)
    }
}

/// Something goes wrong.
#[derive(Clone, Debug)]
pub enum Accident {
    /// With the modem, so long after the burst began.
    Modem(Duration, FaultKind),
    /// With the modem, at the next command that begins so.
    Command(&'static str, FaultKind),
    /// The process dies, and another begins so much later.
    Kill(Duration, Duration),
    /// The process ends in good order, and another begins so much later.
    Stop(Duration, Duration),
    /// With the disk; it is well again so much later.
    Disk(Duration, Sickness, Duration),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sickness {
    Full,
    ReadOnly,
    RecordingsDeleted,
    AllDeleted,
}

const SECOND: Duration = Duration::from_secs(1);
/// How long a modem without result codes takes to be set up again.
const SILENT_RESET: Duration = Duration::from_millis(2500);

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        // All chips and modes in turn, then the rest at random.
        let chip = Chip::ALL[(seed % 8) as usize];
        let mode = match (seed / 8 + seed) % 6 {
            0 => Mode::HangUp,
            1 => Mode::Fax,
            2 => Mode::Message,
            3 => Mode::Record(between(&mut random, 3.0, 12.0)),
            4 => Mode::Transmit(between(&mut random, 3.0, 12.0)),
            _ => Mode::Duplex(
                between(&mut random, 3.0, 14.0),
                between(&mut random, 0.5, 4.0),
            ),
        };
        let mut plan = Self {
            seed,
            chip,
            mode,
            trim: random.bool(),
            echo: one_in(&mut random, 3).then(|| random.u8(6..30)),
            call_waiting: random.bool(),
            ends_voice_itself: one_in(&mut random, 5),
            double_dle_as_sub: random.bool(),
            shortest_answer: SECOND * if one_in(&mut random, 6) { 2 } else { 0 } + SECOND / 2,
            british: one_in(&mut random, 4),
            link: LinkOptions {
                seed,
                longest_read: one_in(&mut random, 3).then(|| random.usize(1..300)),
                close_drops_dtr: random.bool(),
                ..LinkOptions::default()
            },
            stored_results: match random.u32(..8) {
                0 | 1 => StoredResults::Numeric,
                2 => StoredResults::None,
                _ => StoredResults::Words,
            },
            bursts: Vec::new(),
        };
        let bursts = if seed % 16 == 5 {
            100
        } else {
            random.usize(6..14)
        };
        let mut number = 0;
        for index in 0..bursts {
            // After each burst with accidents a peaceful call shows that all is well again.
            let peaceful = index % 2 == 1;
            let mut burst = burst(&mut random, peaceful, &mut number);
            if plan.stored_results == StoredResults::None {
                // After each call it is waited for in vain, and reports no caller ID meanwhile.
                for call in &mut burst.calls {
                    call.gap = call.gap.max(SILENT_RESET);
                }
            }
            plan.bursts.push(burst);
        }
        plan
    }

    pub fn calls(&self) -> usize {
        self.bursts.iter().map(|burst| burst.calls.len()).sum()
    }

    pub fn scenario(&self) -> Scenario {
        let mut scenario = Scenario::default().chip(self.chip);
        scenario.call_waiting = self.call_waiting;
        scenario.echo = self.echo;
        scenario.ends_voice_itself = self.ends_voice_itself;
        scenario.double_dle_as_sub = self.double_dle_as_sub;
        scenario.shortest_answer = self.shortest_answer;
        scenario.stored_results = self.stored_results;
        if self.british {
            scenario.cadence = Cadence::uk();
        }
        scenario
    }

    pub fn listening(&self) -> Listening {
        Listening {
            trim: self.trim,
            ..Listening::default()
        }
    }

    /// The longest that the line is held by plan.
    pub fn longest_call(&self) -> Duration {
        match self.mode {
            Mode::HangUp => SECOND,
            Mode::Fax => SECOND * 40,
            Mode::Message => MESSAGE,
            Mode::Record(limit) | Mode::Transmit(limit) | Mode::Duplex(limit, _) => limit,
        }
    }
}

/// The length of the file that is played.
pub const MESSAGE: Duration = Duration::from_millis(2300);

impl Mode {
    pub fn action(self, message: &Path) -> BlockAction {
        let file = || message.to_owned();
        match self {
            Self::HangUp => BlockAction::HangUp { hold: SECOND },
            Self::Fax => BlockAction::Fax,
            Self::Message => BlockAction::Message { file: file() },
            Self::Record(limit) => BlockAction::Record { limit },
            Self::Transmit(limit) => BlockAction::Transmit {
                file: Some(file()),
                limit,
            },
            Self::Duplex(limit, silence) => BlockAction::Duplex {
                file: Some(file()),
                limit,
                silence: Some(silence),
            },
        }
    }

    pub const fn records(self) -> bool {
        matches!(self, Self::Record(_) | Self::Duplex(..))
    }
}

fn one_in(random: &mut Rng, count: u32) -> bool {
    random.u32(..count) == 0
}

fn between(random: &mut Rng, least: f64, most: f64) -> Duration {
    // In whole milliseconds, as everything that is timed by tokio.
    Duration::from_millis(((least + random.f64() * (most - least)) * 1000.0) as u64)
}

/// Any time up to so many seconds, short ones as often as long ones.
fn any_time(random: &mut Rng, most: f64) -> Duration {
    let exponent = random.f64() * (most * 1000.0).ln();
    Duration::from_millis(exponent.exp() as u64)
}

fn burst(random: &mut Rng, peaceful: bool, number: &mut u32) -> Burst {
    let mut calls = vec![planned(random, number, peaceful)];
    let mut accidents = Vec::new();
    if peaceful {
        while calls.len() < 3 && one_in(random, 3) {
            let mut next = planned(random, number, true);
            let announced_soon = next.caller != Caller::Unknown
                && matches!(
                    next.call.caller_id,
                    CallerIdTime::BeforeFirstRing | CallerIdTime::AfterFirstRing
                )
                && next.call.delay.is_none_or(|delay| delay < SECOND * 3);
            next.gap = if announced_soon {
                between(random, 1.0, 30.0)
            } else {
                between(random, 12.0, 30.0)
            };
            calls.push(next);
        }
    } else {
        for _ in 0..=[0, 0, 0, 1, 1, 2][random.usize(..6)] {
            accidents.push(accident(random));
        }
        if one_in(random, 3) {
            let mut next = planned(random, number, false);
            next.gap = between(random, 12.0, 40.0);
            calls.push(next);
        }
    }
    Burst { calls, accidents }
}

fn planned(random: &mut Rng, number: &mut u32, peaceful: bool) -> Planned {
    *number += 1;
    let caller = match random.u32(..10) {
        0..2 => Caller::Friend,
        2 => Caller::Unknown,
        3 => Caller::Withheld,
        _ => Caller::Robot,
    };
    let digits = match caller {
        Caller::Friend => Some(format!("{FRIEND}{number:07}")),
        Caller::Robot => Some(format!("{ROBOT}{number:07}")),
        Caller::Withheld => Some(["P", "O"][random.usize(..2)].to_owned()),
        Caller::Unknown => None,
    };
    let mut call = match &digits {
        Some(digits) => Call::from(digits.as_str()),
        None => Call::without_caller_id(),
    };
    if digits.is_some() {
        if random.bool() {
            call = call.named("SOMEBODY \"X\", INC");
        }
        call.caller_id = match random.u32(..6) {
            0 => CallerIdTime::BeforeFirstRing,
            1 => CallerIdTime::AfterSecondRing,
            _ => CallerIdTime::AfterFirstRing,
        };
        if one_in(random, 3) {
            // Up to the very instant in which the caller gives up.
            call.delay = Some(between(random, 0.05, 2.5));
        }
    }
    call.rings = if one_in(random, 5) {
        random.u32(1..4)
    } else {
        random.u32(4..9)
    };
    while one_in(random, 2) || call.says.is_empty() {
        let sound = sound(random);
        call = call.says(sound);
        if call.says.len() == 4 {
            break;
        }
    }
    call.ends = [
        Ending::Busy,
        Ending::TonesOnly,
        Ending::Silence,
        Ending::LoopBreak,
        Ending::DialTone,
        Ending::Reorder,
        Ending::Stays,
    ][random.usize(..7)];
    call.fax = one_in(random, 5);
    if !caller.is_blocked() && random.bool() {
        call.person_answers = Some(between(random, 0.5, 15.0));
        call.person_talks = any_time(random, 40.0);
    }
    if caller.is_blocked() && one_in(random, 6) {
        call.handset_lifted = Some(any_time(random, 12.0));
        call.handset_back = any_time(random, 20.0);
    }
    if caller.is_blocked() && one_in(random, 10) {
        call.stray_rings = random.u32(1..3);
    }
    if caller.is_blocked() && one_in(random, 10) {
        call.rings_again = random.u32(1..6);
    }
    let knock = one_in(random, if peaceful { 8 } else { 4 }).then(|| {
        let knocking = Call::from(format!("{KNOCK}{number:07}").as_str());
        (any_time(random, 25.0), knocking)
    });
    Planned {
        gap: between(random, 0.0, 20.0),
        caller,
        call,
        knock,
    }
}

fn sound(random: &mut Rng) -> Sound {
    match random.u32(..6) {
        0..3 => Sound::Speech(any_time(random, 9.0)),
        3 => Sound::Silence(any_time(random, 9.0)),
        4 => Sound::Tone {
            hertz: vec![random.u16(200..3000)],
            seconds: any_time(random, 5.0),
        },
        _ => {
            let keys = "0123456789*#ABCD".as_bytes();
            let pressed = (0..random.usize(1..6)).map(|_| char::from(keys[random.usize(..16)]));
            Sound::Dtmf(pressed.collect())
        }
    }
}

/// Where the driver is while a command is on its way.
const COMMANDS: [&str; 19] = [
    "Z",
    "E0",
    "S0=0",
    "+VCID=1",
    "+FCLASS=",
    "+VSM",
    "+VLS=1",
    "H1",
    "A",
    "+VRX",
    "+VTX",
    "+VTR",
    "+VLS=0",
    "H0",
    "H0",
    "I0",
    "+FCLASS=?",
    "+VCID?",
    "+VGR",
];

fn accident(random: &mut Rng) -> Accident {
    // A call begins up to 20 s later, is picked up within 8 s, and lasts up to 15 s.
    let at = between(random, 0.0, 45.0);
    match random.u32(..20) {
        0..3 => Accident::Kill(at, any_time(random, 30.0)),
        3 => Accident::Stop(at, any_time(random, 30.0)),
        4..7 => {
            let sickness = match random.u32(..6) {
                0..2 => Sickness::Full,
                2..4 => Sickness::ReadOnly,
                4 => Sickness::RecordingsDeleted,
                _ => Sickness::AllDeleted,
            };
            Accident::Disk(at, sickness, between(random, 1.0, 60.0))
        }
        7..14 => {
            let command = COMMANDS[random.usize(..COMMANDS.len())];
            let kind = match random.u32(..7) {
                6 => FaultKind::Pretend,
                0 => FaultKind::NoReply,
                1 => FaultKind::Error,
                2 => FaultKind::Late(any_time(random, 8.0)),
                3 => FaultKind::RingInside,
                _ => fault(random),
            };
            Accident::Command(command, kind)
        }
        _ => Accident::Modem(at, fault(random)),
    }
}

fn fault(random: &mut Rng) -> FaultKind {
    match random.u32(..15) {
        14 => FaultKind::Reset,
        0..3 => FaultKind::Unplug(Unplug {
            back_after: (!one_in(random, 8)).then(|| any_time(random, 90.0)),
            other_node: random.bool(),
        }),
        3 => FaultKind::Wedge,
        4..7 => FaultKind::Hang(
            [Cure::SoftReset, Cure::Dtr, Cure::UsbReset, Cure::Replug][random.usize(..4)],
        ),
        7..9 => FaultKind::Garbage(random.usize(1..3000)),
        9 => FaultKind::Forget,
        10 => FaultKind::DigitalLine,
        11 => FaultKind::RingInside,
        12 => {
            let codes = "bdKsqHhPpulcet3#!XRT".as_bytes();
            let sent =
                (0..random.usize(1..8)).map(|_| char::from(codes[random.usize(..codes.len())]));
            FaultKind::Code(sent.collect())
        }
        _ => {
            let lines = [
                "NO CARRIER",
                "OK",
                "ERROR",
                "CONNECT",
                "BUSY",
                "DATE = 0101",
                "NMBR =",
                "VCON",
                "x",
            ];
            FaultKind::Line(lines[random.usize(..lines.len())].to_owned())
        }
    }
}
