//! The emulated modem against what modems are known to say, byte for byte where that is known.

mod line;
mod robust;
mod transcripts;
mod voice;

use super::modem::{DLE, EmulatedModem};
use super::scenario::Scenario;
use super::sound::{SILENCE, Sound};
use super::{Call, Chip, Ending, Fault, FaultKind, Happening};
use std::time::{Duration, Instant};

/// A modem on a test bench: time goes on only when told.
struct Bench {
    modem: EmulatedModem,
    start: Instant,
    now: Instant,
}

impl Bench {
    fn new(scenario: Scenario) -> Self {
        let start = Instant::now();
        Self {
            modem: EmulatedModem::new(scenario, start, 7),
            start,
            now: start,
        }
    }

    fn chip(chip: Chip) -> Self {
        Self::new(Scenario::default().chip(chip))
    }

    /// Lets time pass, waking the modem only when it asks for it.
    fn wait(&mut self, time: Duration) -> Vec<u8> {
        let end = self.now + time;
        let mut output = self.take();
        while let Some(wake) = self.modem.next_wake().filter(|wake| *wake <= end) {
            assert!(wake >= self.now, "a wake is never in the past");
            self.now = wake;
            self.modem.advance(wake);
            output.extend(self.take());
        }
        self.now = end;
        self.modem.advance(end);
        output.extend(self.take());
        output
    }

    fn wait_ms(&mut self, milliseconds: u64) -> Vec<u8> {
        self.wait(Duration::from_millis(milliseconds))
    }

    fn take(&mut self) -> Vec<u8> {
        let output = self.modem.output().to_vec();
        self.modem.sent(output.len());
        output
    }

    /// Sends all of this, waiting where the modem exerts back-pressure.
    fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.modem.receive(self.now, rest);
            rest = &rest[taken..];
            if taken == 0 {
                let wake = self.modem.next_wake().expect("room comes some time");
                output.extend(self.wait(wake - self.now));
            }
        }
        output.extend(self.take());
        output
    }

    /// Sends a command line and returns what comes within 30 ms.
    fn command(&mut self, line: &str) -> String {
        let mut answer = self.send(format!("{line}\r").as_bytes());
        answer.extend(self.wait_ms(30));
        text(&answer)
    }

    /// As after a driver's initialisation, echo off; in class 8 with 8-bit unsigned samples.
    fn voice(scenario: Scenario) -> Self {
        let method = match scenario.chip {
            Chip::Usr5637 | Chip::Usr5637Old | Chip::Mt9234mu => 128,
            _ => 1,
        };
        let mut bench = Self::new(scenario);
        bench.command("ATE0");
        let reply = bench.command(&format!("AT+VCID=1;+FCLASS=8;+VSM={method}"));
        assert_eq!(reply, "\r\nOK\r\n");
        bench
    }

    /// Off-hook in a voice state.
    fn streaming(scenario: Scenario, command: &str) -> Self {
        let mut bench = Self::voice(scenario);
        assert_eq!(bench.command("AT+VLS=1"), "\r\nOK\r\n");
        let answer = bench.send(format!("AT{command}\r").as_bytes());
        assert_eq!(answer, b"");
        assert_eq!(bench.wait_ms(3), b"\r\nCONNECT\r\n");
        bench
    }

    fn happened(&self, what: &Happening) -> Option<Duration> {
        self.modem.journal().first(|h| h == what)
    }
}

/// Bytes as Latin-1.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Doubles every DLE.
fn shielded(samples: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for sample in samples {
        bytes.push(*sample);
        if *sample == DLE {
            bytes.push(DLE);
        }
    }
    bytes
}

/// Takes a received stream apart: samples, and the codes with the number of samples before each.
fn unshielded(bytes: &[u8]) -> (Vec<u8>, Vec<(usize, u8)>) {
    let (mut samples, mut codes) = (Vec::new(), Vec::new());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        if *byte != DLE {
            samples.push(*byte);
            continue;
        }
        match rest.next() {
            Some(&DLE) => samples.push(DLE),
            Some(0x1a) => samples.extend([DLE, DLE]),
            Some(code) => codes.push((samples.len(), *code)),
            None => panic!("a stream does not end in the middle of a code"),
        }
    }
    (samples, codes)
}
