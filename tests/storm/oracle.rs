//! What must be true after a burst, by what was seen on the line.

use crate::follow::follow;
use crate::house::START;
use crate::line::{Call, Expected, Line, ON_THE_WAY, Who};
use crate::memory::Memory;
use crate::plan::{Accident, Burst, KNOCK, Mode, Plan, Sickness};
use crate::seen::Sight;
use callblock::clock::Timestamp;
use callblock::emulator::{Chip, FaultKind};
use callblock::modem::driver::RestingClass;
use callblock::store::LoggedCall;
use std::path::Path;
use std::time::Duration;

/// From one ring to the next.
const LONGEST_CADENCE: Duration = Duration::from_secs(6);

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
    let line = follow(burst, sights, memory)?;
    let more_bytes = line.more_bytes;
    let mut owned = Vec::new();
    for row in rows {
        owned.push((row, owner(burst, &line, row)?));
    }
    let rows_of = |who: &Who| -> Vec<&LoggedCall> {
        let own = owned.iter().filter(|(_, owner)| owner == who);
        own.map(|(row, _)| *row).collect()
    };
    let knocks = line.rows.iter().map(|row| row.who.clone());
    let calls = (0..line.calls.len()).map(Who::Call);
    for who in calls.chain(knocks).chain([Who::Nobody]) {
        count_rows(burst, &line, &who, rows_of(&who).len())?;
    }
    if burst.accidents.is_empty() {
        for (index, call) in line.calls.iter().enumerate() {
            if call.blurred {
                continue;
            }
            let rows = rows_of(&Who::Call(index));
            // Who comes next, while the modem is set up, is taken for him.
            let next = line.calls.get(index + 1);
            let may_ring_on = next.is_some_and(|next| !next.announced);
            peaceful(plan, call, &rows, class, caller_id, may_ring_on)?;
        }
    }
    let mut recordings = 0;
    for (row, who) in &owned {
        sane(row)?;
        let call = match who {
            Who::Call(index) => line.calls.get(*index),
            _ => None,
        };
        recordings += recording(plan, burst, call, more_bytes, row, folder)?;
    }
    Ok(recordings)
}

fn since_start(at: Timestamp) -> Duration {
    Duration::from_nanos((at.as_nanos() - START.as_nanos()) as u64)
}

/// Whose row it is: his whose row had to begin then, and whose number it has if it has one.
fn owner(burst: &Burst, line: &Line<'_>, row: &LoggedCall) -> Result<Who, String> {
    let at = since_start(row.started);
    let number = row.number.as_deref().filter(|number| number.len() > 1);
    let by_number = number.and_then(|number| {
        if number.starts_with(KNOCK) {
            return Some(Who::Knock(number.to_owned()));
        }
        let own = |call: &Call<'_>| call.planned.call.number.as_deref() == Some(number);
        line.calls.iter().position(own).map(Who::Call)
    });
    let doubtful = line.calls.iter().position(|call| {
        let rang = |ring: &Duration| at.abs_diff(*ring) < ON_THE_WAY;
        call.doubtful && call.rings.iter().any(rang)
    });
    let near = |row: &&Expected| row.began_near(at).is_some();
    let begun: Vec<&Expected> = line.rows.iter().filter(near).collect();
    let nearest = begun.iter().min_by_key(|row| row.began_near(at));
    let by_time = match &by_number {
        Some(who) => begun.iter().find(|row| row.who == *who).or(nearest),
        None => nearest,
    };
    let by_time = by_time.map(|row| &row.who);
    match (by_number, by_time) {
        (Some(who), Some(other)) if who == *other => Ok(who),
        (None, Some(who)) if number.is_none() => Ok(who.clone()),
        (None, None) if number.is_none() && doubtful.is_some() => {
            Ok(doubtful.map_or(Who::Nobody, Who::Call))
        }
        (Some(who), None) if doubtful.map(Who::Call).as_ref() == Some(&who) => Ok(who),
        (who, _) if is_noisy(burst) || line.calls.iter().any(|call| call.blurred) => {
            let sure = row.picked_up.map_or(at, since_start);
            let before = line.calls.iter().rposition(|call| call.began <= sure);
            Ok(who.unwrap_or(before.map_or(Who::Nobody, Who::Call)))
        }
        (_, other) => Err(format!(
            "a row that is not that of {other:?}: {row:?}\n{:#?}",
            line.rows
        )),
    }
}

/// Whether some accident can make the modem say anything: rings drown in it, and others come up.
fn is_noisy(burst: &Burst) -> bool {
    burst.accidents.iter().any(|accident| match accident {
        Accident::Modem(_, kind) | Accident::Command(_, kind) => match kind {
            FaultKind::Garbage(_) | FaultKind::Line(_) => true,
            // The beginning of a report without an end.
            FaultKind::Code(codes) => codes.contains('X'),
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

/// Everybody has exactly the rows that he must have.
fn count_rows(burst: &Burst, line: &Line<'_>, who: &Who, rows: usize) -> Result<(), String> {
    let own = || line.rows.iter().filter(|row| row.who == *who);
    let most = own().count();
    let least = own().filter(|row: &&Expected| row.certain).count();
    let (blurred, doubtful) = match who {
        Who::Call(index) => (line.calls[*index].blurred, line.calls[*index].doubtful),
        _ => (false, false),
    };
    let least = if doubtful { least.min(1) } else { least };
    let most = most + usize::from(blurred || doubtful);
    let enough = rows >= least || blurred || may_lose_rows(burst);
    if enough && rows <= most || is_noisy(burst) {
        return Ok(());
    }
    Err(format!(
        "{rows} rows of {who:?}, who must have {least} to {most}: {:#?}",
        line.rows
    ))
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
    rows: &[&LoggedCall],
    class: Option<RestingClass>,
    caller_id: bool,
    may_ring_on: bool,
) -> Result<(), String> {
    let err = |what: &str| Err(format!("{what}: {call:#?}"));
    // Their number was looked at before: who passes for another has none.
    let [row] = rows else {
        return Ok(());
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
    if may_ring_on && row.trouble.is_some() {
        // The row tells of the next call, too.
        return Ok(());
    }
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
    if row.trouble.is_some() && !rings_again && !may_ring_on {
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
    call: Option<&Call<'_>>,
    more_bytes: bool,
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
    let call = call.ok_or_else(|| format!("whose recording is {name}?"))?;
    let slack = Duration::from_millis(300);
    // Noise in the stream is sound like any other.
    let noise = Duration::from_micros(125) * 3000;
    if length > call.voice + slack + noise && !more_bytes {
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
