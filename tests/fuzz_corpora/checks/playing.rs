//! A modem without I/O, made to live fast: from one instant at which something is due to the next.

use callblock::emulator::LinkedModem;
use std::time::{Duration, Instant};

/// The most steps that are played.
const MOST_STEPS: usize = 2000;
/// The most steps at one instant: each call, fault and line of a long file.
const MOST_AT_ONCE: usize = 500;
/// So long is played.
const LONG: Duration = Duration::from_hours(2);

/// Writes one piece at each step, reads what the modem says or leaves it, and sees that time goes on.
pub(crate) fn play<'a>(
    modem: &mut impl LinkedModem,
    start: Instant,
    reads: bool,
    written: impl IntoIterator<Item = &'a [u8]>,
) {
    modem.journal().keep_audio(0);
    let mut written = written.into_iter();
    let (mut now, mut at_once) = (start, 0);
    for _ in 0..MOST_STEPS {
        let more = written.next();
        if let Some(bytes) = more {
            assert!(modem.receive(now, bytes) <= bytes.len());
        }
        if reads {
            let said = modem.output().len();
            modem.sent(said);
        }
        while modem.take_plug_change().is_some() {}
        let Some(due) = modem.next_wake() else {
            if more.is_some() {
                continue;
            }
            break;
        };
        at_once = if due <= now { at_once + 1 } else { 0 };
        assert!(at_once < MOST_AT_ONCE, "it never gets on");
        now = now.max(due);
        if now > start + LONG {
            break;
        }
        modem.advance(now);
    }
}
