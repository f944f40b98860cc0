//! What must be true after a burst, by what was seen on the line.

use crate::house::START;
use crate::plan::{Accident, Burst, KNOCK, Mode, Plan, Planned, Sickness};
use crate::seen::{KILLED, Sight, What, needs_arming};
use callblock::emulator::{Chip, FaultKind, Happening};
use callblock::modem::driver::RestingClass;
use callblock::store::LoggedCall;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// A line may only be picked up if it rang within this time.
const RINGS: Duration = Duration::from_secs(8);
/// From a decision to the line: a command and its way.
const COMMAND: Duration = Duration::from_millis(500);

/// From one ring to the next.
const LONGEST_CADENCE: Duration = Duration::from_secs(6);

/// A row is there within a second of the first ring.
const ROW_DUE: Duration = Duration::from_secs(1);

/// What is known when a burst begins.
#[derive(Default)]
pub struct Memory {
    class: Option<RestingClass>,
    caller_id: bool,
}

impl Memory {
    pub fn remember(&mut self, what: &What) {
        if let What::Armed { class, caller_id } = what {
            self.class = Some(*class);
            self.caller_id = *caller_id;
        }
    }
}

/// One call as the line saw it.
#[derive(Debug)]
struct Call<'a> {
    planned: &'a Planned,
    began: Duration,
    /// It was busy; he never rang.
    busy: bool,
    /// Rings that were heard, by the stretch of time in which the daemon was there.
    heard: BTreeMap<usize, u32>,
    /// The first of the last stretch.
    first_heard: Option<(usize, Duration)>,
    /// The same for all rings.
    rang: BTreeMap<usize, u32>,
    announced: bool,
    /// The stretches of time in which the daemon was there and was told who calls.
    told: BTreeSet<usize>,
    picked_up: Vec<Duration>,
    on_hook: Option<Duration>,
    voice: Duration,
    rows: Vec<&'a LoggedCall>,
}

impl Call<'_> {
    /// Somebody in the house may have answered before it was known who rings: who knocks then is
    /// taken for him.
    fn is_mistaken_for_another(&self) -> bool {
        self.planned.knock.is_some() && self.planned.call.person_answers.is_some()
    }
}

struct Burstwise<'a> {
    calls: Vec<Call<'a>>,
    knocks_announced: Vec<String>,
    /// When the daemon began, or lost the modem: what comes after is another life.
    stretches: Vec<Duration>,
}

/// Compares rows with the line. Returns the number of recordings found.
pub fn check(
    plan: &Plan,
    burst: &Burst,
    sights: &[Sight],
    rows: &[LoggedCall],
    memory: &mut Memory,
    folder: &Path,
) -> Result<u64, String> {
    let (class, caller_id) = (memory.class, memory.caller_id);
    let mut seen = read(burst, sights, memory)?;
    let mut knocks: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        attribute(burst, &mut seen, row, &mut knocks)?;
    }
    for knock in &seen.knocks_announced {
        let rows = knocks.get(knock).copied().unwrap_or(0);
        if rows != 1 && !may_lose_rows(burst) {
            return Err(format!("{rows} rows of {knock}, who knocked"));
        }
    }
    for call in &seen.calls {
        count_rows(burst, call, &seen.stretches)?;
        if burst.accidents.is_empty() {
            peaceful(plan, call, class, caller_id)?;
        }
    }
    let mut recordings = 0;
    for row in rows {
        sane(row)?;
        recordings += recording(plan, burst, &seen.calls, row, folder)?;
    }
    Ok(recordings)
}

/// Follows what was seen; on the way, what must never be.
fn read<'a>(
    burst: &'a Burst,
    sights: &[Sight],
    memory: &mut Memory,
) -> Result<Burstwise<'a>, String> {
    let mut reader = Reader {
        seen: Burstwise {
            calls: Vec::new(),
            knocks_announced: Vec::new(),
            stretches: vec![Duration::ZERO],
        },
        planned: burst.calls.iter(),
        armed: true,
        hung: false,
        last_ring: None,
        voice: None,
    };
    for Sight { at, what } in sights {
        memory.remember(what);
        match what {
            What::Armed { .. } => (reader.armed, reader.hung) = (true, false),
            What::Lost(why) => reader.lost(*at, why),
            What::Line(happening) => reader.happening(*at, happening)?,
            What::Daemon(_) | What::Storm(_) => {}
        }
    }
    let calls = reader.seen.calls.len();
    if calls == burst.calls.len() {
        Ok(reader.seen)
    } else {
        Err(format!("{calls} calls on the line"))
    }
}

struct Reader<'a> {
    seen: Burstwise<'a>,
    planned: std::slice::Iter<'a, Planned>,
    armed: bool,
    /// The modem hears nothing, and the daemon may not know it yet.
    hung: bool,
    last_ring: Option<Duration>,
    /// Since when sound comes in.
    voice: Option<Duration>,
}

impl Reader<'_> {
    fn stretch(&self) -> usize {
        self.seen.stretches.len() - 1
    }

    fn lost(&mut self, at: Duration, why: &str) {
        self.armed = false;
        let stretch = self.stretch();
        if why == KILLED
            && let Some(call) = self.seen.calls.last_mut()
            && call
                .first_heard
                .is_some_and(|(heard, ring)| heard == stretch && at < ring + ROW_DUE)
        {
            // Nothing of it was written yet.
            call.heard.remove(&stretch);
        }
        self.seen.stretches.push(at);
        self.end_voice(at);
    }

    fn end_voice(&mut self, at: Duration) {
        if let (Some(began), Some(call)) = (self.voice.take(), self.seen.calls.last_mut()) {
            call.voice += at.saturating_sub(began);
        }
    }

    fn happening(&mut self, at: Duration, happening: &Happening) -> Result<(), String> {
        match happening {
            Happening::CallBegins(number) if !number.starts_with(KNOCK) => {
                self.begins(at, false)?;
            }
            Happening::CallerFoundBusy(number) if !number.starts_with(KNOCK) => {
                self.begins(at, true)?;
            }
            // A ring in the middle of an answer.
            Happening::Fault(what) if what == "ring inside" => self.last_ring = Some(at),
            Happening::Fault(what) if needs_arming(what) => {
                self.hung = true;
                if !what.starts_with("Forget") {
                    self.end_voice(at);
                }
            }
            Happening::Ring => self.ring(at),
            Happening::CallerId(text) => self.announced(text),
            Happening::OffHook => self.picked_up(at)?,
            Happening::OnHook => {
                if let Some(call) = self.seen.calls.last_mut() {
                    call.on_hook = Some(at);
                }
                self.end_voice(at);
            }
            Happening::VoiceBegins("VRX" | "VTR") => self.voice = Some(at),
            Happening::VoiceEnds | Happening::Unplugged => self.end_voice(at),
            _ => {}
        }
        Ok(())
    }

    fn begins(&mut self, at: Duration, busy: bool) -> Result<(), String> {
        let planned = self.planned.next().ok_or("a call that was not planned")?;
        self.seen.calls.push(Call {
            planned,
            began: at,
            busy,
            heard: BTreeMap::new(),
            first_heard: None,
            rang: BTreeMap::new(),
            announced: false,
            told: BTreeSet::new(),
            picked_up: Vec::new(),
            on_hook: None,
            voice: Duration::ZERO,
            rows: Vec::new(),
        });
        Ok(())
    }

    fn ring(&mut self, at: Duration) {
        self.last_ring = Some(at);
        let (stretch, is_heard) = (self.stretch(), self.armed && !self.hung);
        let Some(call) = self.seen.calls.last_mut() else {
            return;
        };
        *call.rang.entry(stretch).or_default() += 1;
        if is_heard {
            let heard = call.heard.entry(stretch).or_default();
            *heard += 1;
            if *heard == 1 {
                call.first_heard = Some((stretch, at));
            }
        }
    }

    fn announced(&mut self, text: &str) {
        let (stretch, listens) = (self.stretch(), self.armed && !self.hung);
        let knock = text.find(KNOCK).and_then(|at| text.get(at..at + 10));
        if let Some(number) = knock {
            if listens {
                self.seen.knocks_announced.push(number.to_owned());
            }
        } else if let Some(call) = self.seen.calls.last_mut() {
            call.announced = true;
            if listens {
                call.told.insert(stretch);
            }
        }
    }

    fn picked_up(&mut self, at: Duration) -> Result<(), String> {
        let last_ring = self.last_ring;
        if last_ring.is_none_or(|ring| at > ring + RINGS + COMMAND) {
            return Err(format!("picked up at {at:?}, last ring at {last_ring:?}"));
        }
        let call = self.seen.calls.last_mut();
        let call = call.ok_or("picked up without a call")?;
        if !call.planned.caller.is_blocked() || !call.announced {
            return Err(format!("picked up at {at:?}: {:?}", call.planned));
        }
        call.picked_up.push(at);
        Ok(())
    }
}

fn started(row: &LoggedCall) -> Duration {
    Duration::from_nanos((row.started.as_nanos() - START.as_nanos()) as u64)
}

/// Whose row it is.
fn attribute<'a>(
    burst: &Burst,
    seen: &mut Burstwise<'a>,
    row: &'a LoggedCall,
    knocks: &mut BTreeMap<String, usize>,
) -> Result<(), String> {
    if let Some(number) = row
        .number
        .as_deref()
        .filter(|number| number.starts_with(KNOCK))
    {
        *knocks.entry(number.to_owned()).or_default() += 1;
        return Ok(());
    }
    let at = started(row);
    let by_number = |call: &&mut Call<'a>| {
        let number = &call.planned.call.number;
        row.number.as_deref().is_some_and(|digits| digits.len() > 1) && row.number == *number
    };
    let call = if row.number.as_deref().is_some_and(|digits| digits.len() > 1) {
        seen.calls.iter_mut().find(by_number)
    } else {
        seen.calls.iter_mut().rev().find(|call| call.began <= at)
    };
    match call {
        Some(call) => call.rows.push(row),
        None if invents(burst) => {}
        None => return Err(format!("a row of nobody: {row:?}")),
    }
    Ok(())
}

/// Whether some accident makes the modem say that somebody calls who does not.
fn invents(burst: &Burst) -> bool {
    burst.accidents.iter().any(|accident| match accident {
        Accident::Modem(_, kind) | Accident::Command(_, kind) => match kind {
            FaultKind::RingInside | FaultKind::Garbage(_) | FaultKind::Line(_) => true,
            FaultKind::Code(codes) => codes.contains(['R', 'X']),
            _ => false,
        },
        _ => false,
    })
}

/// Whether rows can be gone for good reasons: with their folder, or with a process that could not
/// write them.
fn may_lose_rows(burst: &Burst) -> bool {
    let any = |what: fn(&Accident) -> bool| burst.accidents.iter().any(what);
    any(|accident| matches!(accident, Accident::Disk(_, Sickness::AllDeleted, _)))
        || any(|accident| matches!(accident, Accident::Disk(..)))
            && any(|accident| matches!(accident, Accident::Kill(..) | Accident::Stop(..)))
}

/// Each call that rang on an armed modem has exactly one row; one that rang on when the daemon was
/// there again has another.
fn count_rows(burst: &Burst, call: &Call<'_>, stretches: &[Duration]) -> Result<(), String> {
    let stretch_of = |row: &&LoggedCall| {
        let at = started(row);
        stretches
            .iter()
            .rposition(|began| *began <= at)
            .unwrap_or(0)
    };
    let mut found: BTreeMap<usize, u32> = BTreeMap::new();
    for row in &call.rows {
        *found.entry(stretch_of(row)).or_default() += 1;
    }
    for (stretch, heard) in &call.heard {
        let rows = found.get(stretch).copied().unwrap_or(0);
        let lost = rows == 0 && may_lose_rows(burst);
        // A RING may be drowned in noise, or one that nobody caused may have begun the row before.
        let mistaken =
            rows == 0 && call.planned.knock.is_some() && call.planned.call.person_answers.is_some();
        if rows != 1 && !lost && !mistaken && !invents(burst) {
            return Err(format!(
                "{rows} rows in stretch {stretch} of a call that rang {heard} times: {:?}",
                call.planned
            ));
        }
    }
    for (stretch, rows) in found {
        // A daemon that came after the ring takes the caller ID for that of a call that waits.
        let rang = call.rang.get(&stretch).is_some_and(|rings| *rings > 0);
        let one = rows == 1 && (rang || call.told.contains(&stretch));
        if !(call.heard.contains_key(&stretch) || one || invents(burst)) {
            return Err(format!("{rows} rows in stretch {stretch} without a ring"));
        }
    }
    Ok(())
}

/// What holds for every row.
fn sane(row: &LoggedCall) -> Result<(), String> {
    let number = row.number.as_deref().unwrap_or_default();
    let blocked = number.starts_with(crate::plan::ROBOT) || number == "P" || number == "O";
    let verdict = if blocked { "block" } else { "ring" };
    if row.verdict != verdict {
        return Err(format!("{number:?} {}: {row:?}", row.verdict));
    }
    if row.outcome.is_none() || row.ended.is_none() {
        return Err(format!("a row without an end: {row:?}"));
    }
    if row.picked_up.is_some() != (row.action != "none")
        && row.outcome.as_deref() == Some("finished")
    {
        return Err(format!("picked up or not: {row:?}"));
    }
    Ok(())
}

/// What holds for a call about which nothing went wrong.
fn peaceful(
    plan: &Plan,
    call: &Call<'_>,
    class: Option<RestingClass>,
    caller_id: bool,
) -> Result<(), String> {
    let err = |what: &str| Err(format!("{what}: {call:#?}"));
    if call.busy || call.rows.is_empty() && call.is_mistaken_for_another() {
        return Ok(());
    }
    let [row] = call.rows.as_slice() else {
        return err("not one row");
    };
    if !caller_id {
        return err("a modem that was set up without caller ID");
    }
    let announced = call.announced;
    if announced && row.number != call.planned.call.number {
        return err("the number is wrong");
    }
    let blocked = call.planned.caller.is_blocked() && announced;
    // That one says OK and stays on-hook; told otherwise at the next ring, if there is one.
    let gave_up_before = plan.chip == Chip::Usr5637Old && call.picked_up.is_empty();
    if blocked == call.picked_up.is_empty() && !gave_up_before {
        return err("picked up, or not");
    }
    if !blocked {
        let outcome = row.outcome.as_deref();
        return if outcome == Some("rings-stopped") && row.recording.is_none() {
            Ok(())
        } else {
            err("a call that was to ring through")
        };
    }
    let wanted = match plan.mode {
        Mode::HangUp => RestingClass::Data,
        Mode::Fax => RestingClass::Fax,
        _ => RestingClass::Voice,
    };
    if class != Some(wanted) && plan.chip != Chip::DataOnly {
        return err("a modem that was set up in the wrong class");
    }
    let action = match plan.mode {
        _ if class != Some(wanted) => "hangup",
        Mode::HangUp => "hangup",
        Mode::Fax => "fax",
        Mode::Message => "message",
        Mode::Record(_) => "record",
        Mode::Transmit(_) => "transmit",
        Mode::Duplex(..) => "duplex",
    };
    if row.action != action {
        return err("the wrong action");
    }
    let times_out = matches!(action, "record" | "transmit" | "duplex");
    let good = match row.outcome.as_deref() {
        Some("finished") => !times_out,
        Some("time-limit") => times_out,
        Some("caller-hung-up") => true,
        Some("handset") => call.planned.call.handset_lifted.is_some(),
        _ => false,
    };
    if !good {
        return err("a strange outcome");
    }
    let rings_again = plan.shortest_answer > Duration::from_millis(500)
        || call.planned.call.rings_again > 0
        || call.planned.call.stray_rings > 0
        // The line is given back sooner than the exchange notices that it was taken.
        || call.planned.call.handset_lifted.is_some()
        || plan.chip == Chip::Usr5637Old
        || plan.chip == Chip::DataOnly;
    if row.trouble.is_some() && !rings_again {
        return err("trouble");
    }
    let most = if rings_again { 2 } else { 1 };
    if call.picked_up.len() > most {
        return err("picked up too often");
    }
    if let ([picked_up], Some(on_hook)) = (call.picked_up.as_slice(), call.on_hook) {
        let held = on_hook.saturating_sub(*picked_up);
        // A RING after the pick-up says that the line was not taken before; time runs from there.
        let stray = match call.planned.call.stray_rings {
            0 => Duration::ZERO,
            _ => LONGEST_CADENCE,
        };
        if held > plan.longest_call() + stray + Duration::from_secs(5) {
            return err("the line was held too long");
        }
    }
    let streamed = call.voice > Duration::from_millis(200);
    if plan.mode.records() && streamed && row.recording.is_none() {
        return err("no recording");
    }
    Ok(())
}

/// A recording that is named is there, and is as long as the stream was.
fn recording(
    plan: &Plan,
    burst: &Burst,
    calls: &[Call<'_>],
    row: &LoggedCall,
    folder: &Path,
) -> Result<u64, String> {
    let Some(name) = &row.recording else {
        return Ok(0);
    };
    let sick = |accident: &Accident| matches!(accident, Accident::Disk(..));
    let path = folder.join(name);
    if !path.exists() {
        let deleted = |accident: &Accident| {
            matches!(
                accident,
                Accident::Disk(_, Sickness::AllDeleted | Sickness::RecordingsDeleted, _)
            )
        };
        return if burst.accidents.iter().any(deleted) {
            Ok(0)
        } else {
            Err(format!("there is no {name}: {row:?}"))
        };
    }
    let mut reader = hound::WavReader::open(&path).map_err(|error| format!("{name}: {error}"))?;
    let samples = reader.duration();
    if !reader.samples::<i8>().all(|sample| sample.is_ok()) {
        return Err(format!("{name} does not play"));
    }
    let length = Duration::from_micros(u64::from(samples) * 125);
    let call = calls
        .iter()
        .find(|call| call.rows.iter().any(|own| own.id == row.id))
        .ok_or_else(|| format!("whose recording is {name}?"))?;
    let slack = Duration::from_millis(300);
    // Noise in the stream is sound like any other.
    let noise = Duration::from_micros(125) * 3000;
    if length > call.voice + slack + noise {
        return Err(format!("{name}: {length:?} of {:?}", call.voice));
    }
    let unheard = burst.accidents.iter().any(|accident| {
        sick(accident)
            || match accident {
                Accident::Modem(_, kind) | Accident::Command(_, kind) => {
                    !matches!(kind, FaultKind::Unplug(_))
                }
                _ => false,
            }
    });
    let second = row
        .trouble
        .as_deref()
        .is_some_and(|trouble| trouble.contains("second recording"));
    if !unheard && !plan.trim && !second && length + slack < call.voice {
        return Err(format!("{name}: only {length:?} of {:?}", call.voice));
    }
    Ok(1)
}
