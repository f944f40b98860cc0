//! Bytes from the modem, through the framing and the protocol, in whatever state the driver may be.
//!
//! Frames and events do not depend on how the bytes were cut; no frame is longer than it may be; no
//! garbage makes the protocol keep more and more; and the call after the garbage is announced.

use super::{MUCH_LATER, choice, cuts};
use callblock::modem::command::Command;
use callblock::modem::protocol::{Event, Protocol};
use callblock::modem::voice::VoiceMode;
use callblock::modem::wire::{DataState, Frame, Wire};
use std::time::Instant;

/// The longest line; longer ones are cut.
const LONGEST_LINE: usize = 1024;
/// So many bytes are sent to see whether the protocol grows, and so many it may keep of them: a line, a
/// report and a caller's texts.
const AT_REST: (usize, i64) = (32 * 1024, 16 * 1024);
/// From this first byte on it is tried: it takes its time.
const GROWING: u8 = 0x80;
/// The same while a command waits for its reply, of which 64 lines are kept.
const IN_A_REPLY: (usize, i64) = (512 * 1024, 300 * 1024);
/// From this first byte on it is tried: it takes long.
const GROWING_IN_A_REPLY: u8 = 0xF0;

/// What the driver is waiting for.
#[derive(Clone, Copy)]
enum Waiting {
    ForNothing,
    ForDone,
    ForText,
    ForAnswer,
    ForStream(VoiceMode),
    InStream(VoiceMode),
    ForStreamOver,
}

const WAITING: [Waiting; 11] = [
    Waiting::ForNothing,
    Waiting::ForDone,
    Waiting::ForText,
    Waiting::ForAnswer,
    Waiting::ForStream(VoiceMode::Receive),
    Waiting::ForStream(VoiceMode::Transmit),
    Waiting::ForStream(VoiceMode::Duplex),
    Waiting::InStream(VoiceMode::Receive),
    Waiting::InStream(VoiceMode::Transmit),
    Waiting::InStream(VoiceMode::Duplex),
    Waiting::ForStreamOver,
];

/// The first byte chooses what the driver waits for; the rest is what the modem sends.
pub(crate) fn check(mut input: &[u8]) {
    let variant = choice(&mut input);
    let waiting = WAITING[usize::from(variant) % WAITING.len()];
    frames_do_not_depend_on_cuts(input);
    events_do_not_depend_on_cuts(waiting, input);
    match waiting {
        Waiting::ForNothing | Waiting::InStream(_) if variant >= GROWING => {
            nothing_grows(waiting, input, AT_REST);
        }
        _ if variant >= GROWING_IN_A_REPLY => nothing_grows(waiting, input, IN_A_REPLY),
        _ => {}
    }
    the_next_call_is_announced(waiting, input);
}

fn frames_do_not_depend_on_cuts(bytes: &[u8]) {
    for state in [DataState::Command, DataState::Transmit, DataState::Receive] {
        let [whole, others @ ..] = cuts(bytes);
        let frames = frames(state, &whole);
        for pieces in others {
            assert_eq!(frames, self::frames(state, &pieces), "{state:?}");
        }
    }
}

/// All frames of the pieces, with neighbouring audio joined: how audio is cut means nothing.
fn frames(state: DataState, pieces: &[&[u8]]) -> Vec<Frame> {
    let mut wire = Wire::new();
    wire.enter(state);
    let mut frames: Vec<Frame> = Vec::new();
    for piece in pieces {
        let mut unread = *piece;
        while let Some(frame) = wire.next_frame(&mut unread) {
            match &frame {
                Frame::Line(line) => {
                    assert!((1..=LONGEST_LINE).contains(&line.len()));
                    assert!(!line.iter().any(|byte| b"\0\r\n".contains(byte)));
                }
                Frame::Audio(audio) => assert!(!audio.is_empty()),
                Frame::Code(_) | Frame::ReportEnd | Frame::StreamEnd => {}
            }
            match (frames.last_mut(), frame) {
                (Some(Frame::Audio(before)), Frame::Audio(more)) => before.extend(more),
                (_, frame) => frames.push(frame),
            }
        }
        assert!(unread.is_empty(), "bytes left unread");
    }
    frames
}

fn protocol(waiting: Waiting, now: Instant) -> Protocol {
    let mut protocol = Protocol::new();
    match waiting {
        Waiting::ForNothing => {}
        Waiting::ForDone => drop(protocol.begin(&Command::set("AT+VCID=1"))),
        Waiting::ForText => drop(protocol.begin(&Command::ask("ATI3"))),
        Waiting::ForAnswer => drop(protocol.begin(&Command::answer().within(MUCH_LATER))),
        Waiting::ForStream(mode) => drop(protocol.begin(&Command::stream(mode))),
        Waiting::InStream(mode) => {
            drop(protocol.begin(&Command::stream(mode)));
            protocol.receive(b"CONNECT\r\n", now);
            assert_eq!(protocol.data_state(), mode.data_state());
            while protocol.next_event().is_some() {}
        }
        Waiting::ForStreamOver => protocol.expect_stream_over(),
    }
    protocol
}

fn events_do_not_depend_on_cuts(waiting: Waiting, bytes: &[u8]) {
    let [whole, others @ ..] = cuts(bytes);
    let events = events(waiting, &whole);
    for pieces in others {
        assert_eq!(events, self::events(waiting, &pieces));
    }
}

fn events(waiting: Waiting, pieces: &[&[u8]]) -> Vec<Event> {
    let now = Instant::now();
    let mut protocol = protocol(waiting, now);
    for piece in pieces {
        protocol.receive(piece, now);
    }
    protocol.time_passed(now + MUCH_LATER);
    let mut events: Vec<Event> = Vec::new();
    while let Some(event) = protocol.next_event() {
        match (events.last_mut(), event) {
            (Some(Event::Audio(before)), Event::Audio(more)) => before.extend(more),
            (_, event) => events.push(event),
        }
    }
    events
}

fn nothing_grows(waiting: Waiting, bytes: &[u8], (sent, most_kept): (usize, i64)) {
    if bytes.is_empty() {
        return;
    }
    let now = Instant::now();
    let mut protocol = protocol(waiting, now);
    let memory = allocation_counter::measure(|| {
        for _ in 0..sent / bytes.len() {
            // In reads of a few bytes, as they come: how many events wait is the reader's affair.
            for read in bytes.chunks(64) {
                protocol.receive(read, now);
                while protocol.next_event().is_some() {}
            }
        }
    });
    assert!(
        memory.bytes_current < most_kept,
        "{} bytes kept after {sent}",
        memory.bytes_current
    );
}

fn the_next_call_is_announced(waiting: Waiting, garbage: &[u8]) {
    let now = Instant::now();
    let mut protocol = protocol(waiting, now);
    protocol.receive(garbage, now);
    // As the driver does when nothing that was waited for has come.
    protocol.abandon();
    protocol.assume_command_state();
    let later = now + MUCH_LATER;
    protocol.time_passed(later);
    while protocol.next_event().is_some() {}
    protocol.receive(b"\r\nRING\r\n", later);
    protocol.receive(
        b"\r\nNMBR = 5055550101\r\n\r\nNAME = THE NEXT CALLER\r\n",
        later,
    );
    let (mut rang, mut announced) = (false, false);
    while let Some(event) = protocol.next_event() {
        match event {
            Event::Ring(_) => rang = true,
            Event::CallerId { id, .. } => {
                announced = id.number.as_deref() == Some("5055550101")
                    && id.name.as_deref() == Some("THE NEXT CALLER");
            }
            _ => {}
        }
    }
    assert!(rang && announced, "the next call is not announced");
}
