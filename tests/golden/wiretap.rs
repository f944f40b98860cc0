//! Listens in on the port between driver and modem, and writes down what is said.
//!
//! Knows the protocol only as far as it takes to tell audio from the rest.

use callblock::modem::port::{Changed, Jack, OpenError, Port};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

const DLE: u8 = 0x10;
const ETX: u8 = 0x03;
const SUB: u8 = 0x1A;

/// A pause that is worth a line.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToModem,
    FromModem,
}

impl Direction {
    const fn arrow(self) -> &'static str {
        match self {
            Self::ToModem => ">>",
            Self::FromModem => "<<",
        }
    }
}

/// What the bytes of one direction are.
#[derive(Default)]
struct Stream {
    is_audio: bool,
    escaped: bool,
    samples: usize,
}

/// What was said up to now.
#[derive(Clone)]
pub struct Transcript(Arc<Mutex<Pages>>);

struct Pages {
    lines: Vec<String>,
    /// Said at this instant, in this direction, and not a line yet.
    said: Vec<u8>,
    direction: Direction,
    at: Instant,
    to_modem: Stream,
    from_modem: Stream,
    /// The command line being sent.
    command: Vec<u8>,
    /// The stream that a `CONNECT` would open: to the modem, from the modem.
    opening: (bool, bool),
}

impl Transcript {
    pub fn text(&self) -> String {
        let mut pages = self.0.lock().unwrap();
        pages.sum_up();
        pages.lines.join("\n") + "\n"
    }
}

impl Pages {
    fn hear(&mut self, direction: Direction, bytes: &[u8]) {
        let now = Instant::now();
        if direction != self.direction || now != self.at {
            self.end_line();
        }
        for &byte in bytes {
            self.take(direction, byte, now);
        }
    }

    fn take(&mut self, direction: Direction, byte: u8, now: Instant) {
        let stream = match direction {
            Direction::ToModem => &mut self.to_modem,
            Direction::FromModem => &mut self.from_modem,
        };
        if !stream.is_audio {
            self.write(direction, &[byte], now);
            self.understand(direction, byte);
            return;
        }
        if std::mem::take(&mut stream.escaped) {
            match byte {
                DLE => stream.samples += 1,
                SUB => stream.samples += 2,
                code => self.write_code(direction, code, now),
            }
        } else if byte == DLE {
            stream.escaped = true;
        } else {
            stream.samples += 1;
        }
    }

    /// A code in the middle of audio, and the end of the audio if it says so.
    fn write_code(&mut self, direction: Direction, code: u8, now: Instant) {
        let ends = match direction {
            Direction::FromModem => code == ETX,
            Direction::ToModem => [ETX, b'!', b'^', 0x1B].contains(&code),
        };
        if ends || direction == Direction::ToModem {
            self.sum_up();
        }
        if ends {
            self.to_modem.is_audio = false;
            self.from_modem.is_audio = direction == Direction::ToModem && self.from_modem.is_audio;
        }
        self.end_line();
        self.write(direction, &[DLE, code], now);
    }

    fn write(&mut self, direction: Direction, bytes: &[u8], now: Instant) {
        if self.said.is_empty() {
            let pause = now.duration_since(self.at);
            if pause >= PAUSE {
                self.sum_up();
                self.lines.push(format!("({:.1} s)", pause.as_secs_f64()));
            }
        }
        (self.direction, self.at) = (direction, now);
        self.said.extend(bytes);
    }

    /// Command lines tell which stream is next, `CONNECT` that it has begun.
    fn understand(&mut self, direction: Direction, byte: u8) {
        match direction {
            Direction::ToModem if byte == b'\r' => {
                let command = std::mem::take(&mut self.command);
                self.opening = match command.as_slice() {
                    b"AT+VTX" => (true, false),
                    b"AT+VRX" => (false, true),
                    b"AT+VTR" => (true, true),
                    _ => (false, false),
                };
            }
            Direction::ToModem => self.command.push(byte),
            Direction::FromModem if self.said.ends_with(b"\r\nCONNECT\r\n") => {
                let (to_modem, from_modem) = std::mem::take(&mut self.opening);
                self.to_modem.is_audio = to_modem;
                self.from_modem.is_audio = from_modem;
            }
            Direction::FromModem => {}
        }
    }

    fn end_line(&mut self) {
        if !self.said.is_empty() {
            let said = std::mem::take(&mut self.said);
            let arrow = self.direction.arrow();
            self.lines.push(format!("{arrow} {}", said.escape_ascii()));
        }
    }

    /// The audio up to now, in tenths of a second; a few samples are counted.
    fn sum_up(&mut self) {
        self.end_line();
        for (direction, stream) in [
            (Direction::ToModem, &mut self.to_modem),
            (Direction::FromModem, &mut self.from_modem),
        ] {
            let samples = std::mem::take(&mut stream.samples);
            let arrow = direction.arrow();
            let seconds = samples as f64 / 8000.0;
            self.lines.extend(match samples {
                0 => None,
                1..400 => Some(format!("{arrow} [{samples} bytes of audio]")),
                _ => Some(format!("{arrow} [{seconds:.1} s of audio]")),
            });
        }
    }
}

/// To be put on a jack.
pub struct Wiretap(Transcript);

impl Wiretap {
    pub fn new() -> (Self, Transcript) {
        let transcript = Transcript(Arc::new(Mutex::new(Pages {
            lines: Vec::new(),
            said: Vec::new(),
            direction: Direction::ToModem,
            at: Instant::now(),
            to_modem: Stream::default(),
            from_modem: Stream::default(),
            command: Vec::new(),
            opening: (false, false),
        })));
        (Self(transcript.clone()), transcript)
    }

    pub fn on(self, jack: Box<dyn Jack>) -> Box<dyn Jack> {
        Box::new(TappedJack {
            jack,
            transcript: self.0,
        })
    }
}

struct TappedJack {
    jack: Box<dyn Jack>,
    transcript: Transcript,
}

impl Jack for TappedJack {
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError> {
        let port = self.jack.open()?;
        let transcript = self.transcript.clone();
        Ok(Box::new(TappedPort { port, transcript }))
    }

    fn changed(&mut self) -> Changed<'_> {
        self.jack.changed()
    }

    fn device(&self) -> String {
        self.jack.device()
    }
}

struct TappedPort {
    port: Box<dyn Port>,
    transcript: Transcript,
}

impl TappedPort {
    fn hear(&self, direction: Direction, bytes: &[u8]) {
        self.transcript.0.lock().unwrap().hear(direction, bytes);
    }
}

impl Port for TappedPort {
    fn discard_output(&mut self) -> io::Result<()> {
        self.port.discard_output()
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.port.discard_input()
    }

    fn set_dtr(&mut self, raised: bool) -> io::Result<()> {
        self.port.set_dtr(raised)
    }
}

impl AsyncRead for TappedPort {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.port).poll_read(cx, buffer))?;
        self.hear(Direction::FromModem, &buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TappedPort {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.port).poll_write(cx, bytes))?;
        self.hear(Direction::ToModem, &bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_shutdown(cx)
    }
}
