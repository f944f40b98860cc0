//! The listener: line samples in, observations out.

use super::activity::{ABOVE_FLOOR, ActivityTracker, Frame};
use super::cadence::CadenceReader;
use super::close_look::CloseLook;
use super::dtmf::{self, DtmfDetector};
use super::echo::EchoCanceller;
use super::front_end::{FrontEnd, dbfs};
use super::hum::Hum;
use super::lanes::sum_of_squares;
use super::line_quality::{LineQuality, QualityMeter};
use super::observation::{Activity, Observation, Position, Tone};
use super::pulse::{HOP, PulseFinder};
use super::spectrum::{Shape, Transform, WINDOW};
use super::tone_plan::ToneSet;

/// −44 dB: the faintest tone, 8 dB below what an exchange sends over the longest line.
const FAINTEST_TONE: f32 = 4e-5;

/// Hears one call. Holds about 200 kB, and takes no memory after it is made.
#[derive(Clone, Debug)]
pub struct Listener {
    position: u64,
    front: FrontEnd,
    echo: EchoCanceller,
    dtmf: DtmfDetector,
    /// The last samples, cleaned and without our echo; those from `filled` on are still to come.
    heard: Box<[f32; WINDOW]>,
    filled: usize,
    transform: Box<Transform>,
    hum: Box<Hum>,
    /// What is heard is a line, which hums: not a playback, in which a long tone is meant.
    is_line: bool,
    pulses: Box<PulseFinder>,
    close: Box<CloseLook>,
    cadence: CadenceReader,
    activity: ActivityTracker,
    meter: QualityMeter,
    frame_before: f32,
}

impl Listener {
    /// A listener for one call, with the tones to listen for.
    pub fn new(tones: ToneSet) -> Self {
        Self {
            position: 0,
            front: FrontEnd::new(),
            echo: EchoCanceller::new(),
            dtmf: DtmfDetector::new(),
            heard: Box::new([0.0; WINDOW]),
            filled: WINDOW - HOP as usize,
            transform: Box::new(Transform::new()),
            hum: Box::new(Hum::new()),
            is_line: true,
            pulses: Box::new(PulseFinder::new()),
            close: Box::new(CloseLook::new()),
            cadence: CadenceReader::new(tones),
            activity: ActivityTracker::new(),
            meter: QualityMeter::default(),
            frame_before: 0.0,
        }
    }

    /// The same for what we play ourselves: a tone in it is one, however long it lasts.
    pub fn of_playback(tones: ToneSet) -> Self {
        Self {
            is_line: false,
            ..Self::new(tones)
        }
    }

    /// Samples heard so far.
    pub fn position(&self) -> Position {
        Position(self.position)
    }

    /// What is heard now.
    pub fn activity(&self) -> Activity {
        self.activity.now()
    }

    /// The tone that is heard now, if it is a known one.
    pub fn tone(&self) -> Option<Tone> {
        self.cadence.tone()
    }

    /// The call's line quality so far.
    pub fn quality(&self) -> LineQuality {
        self.meter.quality(dbfs(self.activity.floor()))
    }

    /// What we play ourselves, from `at` on (as near as is known: the echo is searched up to 0.5 s
    /// later). To be told before the echo is heard, and not more than 0.5 s ahead.
    pub fn transmitted(&mut self, at: Position, samples: &[u8]) {
        self.echo.transmitted(at, samples);
    }

    /// Takes the next samples from the line (8-bit unsigned, 8 kHz), a block of any size, and hands
    /// each observation to `out`. How the samples are cut into blocks makes no difference.
    pub fn listen(&mut self, mut samples: &[u8], mut out: impl FnMut(Observation)) {
        self.meter.samples(samples);
        while !samples.is_empty() {
            let step = dtmf::STEP - self.position as usize % dtmf::STEP;
            let now;
            (now, samples) = samples.split_at(step.min(samples.len()));
            let fresh = &mut self.heard[self.filled..self.filled + now.len()];
            self.front.clean(now, fresh);
            self.echo.cancel(self.position, fresh);
            self.position += now.len() as u64;
            self.filled += now.len();
            if now.len() == step {
                self.stepped(&mut out);
            }
        }
    }

    /// Another 40 samples are complete.
    fn stepped(&mut self, out: &mut impl FnMut(Observation)) {
        if let Some(window) = self.heard[..self.filled].last_chunk() {
            let playing = self.echo.left_over() > 0.0;
            self.dtmf.push(window, self.position, playing, out);
        }
        if self.filled == WINDOW {
            self.frame(out);
            self.heard.copy_within(HOP as usize.., 0);
            self.filled -= HOP as usize;
        }
    }

    fn frame(&mut self, out: &mut impl FnMut(Observation)) {
        let at = self.position;
        let power = sum_of_squares(&self.heard[WINDOW - HOP as usize..]) / HOP as f32;
        let spectrum = self.transform.power(&self.heard);
        let echo = self.echo.left_over();
        if self.is_line && echo == 0.0 {
            self.hum.learn(&spectrum);
        }
        let spectrum = self.hum.taken_out_of(&spectrum);
        let total = spectrum.total();
        let shape = if total > FAINTEST_TONE || self.pulses.following() {
            spectrum.shape(total)
        } else {
            Shape::faint(total)
        };
        let audible = shape.power > FAINTEST_TONE;
        if let Some(pulse) = self.pulses.push(at, &spectrum, &shape, audible) {
            self.cadence.pulse(pulse, at, out);
        }
        if self.pulses.following() {
            self.close.push(&self.heard);
        }
        self.cadence.passing(&self.pulses, &self.close, at, out);
        // The frame before this one lies in the middle of the spectrum's window.
        let tone = audible && shape.is_tone() || self.pulses.sounding() || self.dtmf.down();
        let frame = Frame {
            from: at.saturating_sub(2 * HOP),
            power: self.frame_before,
            echo,
            echo_known: self.echo.is_known(),
            // What is no louder than it has been for long is the line's own.
            tonal: tone
                && (!self.is_line || self.frame_before > ABOVE_FLOOR * self.activity.floor()),
        };
        self.frame_before = power;
        self.activity.push(&frame, at, out);
        match self.activity.now() {
            _ if frame.tonal => self.meter.tone(),
            Activity::Silence => self.meter.silence(),
            Activity::Voice if frame.power > self.activity.floor() => self.meter.heard(frame.power),
            _ => {}
        }
    }
}
