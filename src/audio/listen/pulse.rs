//! Cuts the sound into pulses of pure tone: where each begins and ends, its pitch, and whether what
//! lies between two pulses is quiet.

use super::spectrum::{Components, Power, Shape, WINDOW};

/// Samples between two spectra.
pub(super) const HOP: u64 = 160;
/// Spectra looked back on to find where a pulse began.
const LOOK_BACK: usize = 4;
/// Spectra that settle the pulse's level, counted from the first looked back on.
const SETTLED: usize = 8;
/// A dip of up to this many spectra belongs to the pulse (noise, slow modulation).
const DIP: u8 = 2;
/// Spectra with other sound in them that end a pulse.
const SPOILT: u8 = 4;
/// A tone is louder than its edge alone by this factor.
const EDGE: f32 = 4.0;
/// Spectra averaged for the test of steadiness: 0.2 s.
const STRETCH: u32 = 10;
/// Added to places while a pulse is measured, so that looking back from the first spectrum stays
/// above zero.
const SHIFT: u64 = LOOK_BACK as u64 * HOP;
/// The edge of a tone is where half a window lies in it.
const MIDDLE: u64 = WINDOW as u64 / 2;

/// A stretch of pure tone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulse {
    pub(super) from: u64,
    pub(super) to: u64,
    /// Pitch (centre of gravity of several).
    pub(super) hz: f32,
    pub(super) spread_hz: f32,
    /// The pitches one by one; none while it still sounds.
    pub(super) components: Components,
    /// Mean square of the tone.
    pub(super) power: f32,
    /// Nothing but the line's noise was heard between the pulse before and this one.
    pub(super) quiet_before: bool,
    /// Neither level nor pitch moved, no overtones, and it was not another sound that ended it.
    pub(super) clean: bool,
}

#[derive(Clone, Debug)]
struct Run {
    first_center: u64,
    early: [f32; SETTLED],
    early_count: usize,
    on: f32,
    hz: f32,
    spread_hz: f32,
    /// All spectra of it from the fourth on.
    sum: Power,
    frames: f32,
    overtone_frames: f32,
    band: (f32, f32),
    below: u8,
    spoilt: u8,
    before: f32,
    end: u64,
    steady: bool,
    stretch: (u32, f32, f32),
    first_stretch: Option<(f32, f32)>,
    quiet_before: bool,
}

/// Follows the spectra and finds the pulses.
#[derive(Clone, Debug)]
pub(super) struct PulseFinder {
    recent: [(Power, f32); LOOK_BACK + 1],
    run: Option<Run>,
    last: Option<(u64, f32)>,
    gap_peak: f32,
}

impl PulseFinder {
    pub(super) fn new() -> Self {
        Self {
            recent: [(Power::NONE, 0.0); LOOK_BACK + 1],
            run: None,
            last: None,
            gap_peak: 0.0,
        }
    }

    /// The pulse that sounds now, as far as it has come.
    pub(super) fn current(&self) -> Option<Pulse> {
        self.run.as_ref().map(|run| run.pulse(run.end))
    }

    /// The pitches of the pulse that sounds now, one by one.
    pub(super) fn components(&self) -> Components {
        self.run
            .as_ref()
            .map_or_else(Components::default, |run| run.sum.components())
    }

    /// There is a pulse that is not over yet.
    pub(super) fn following(&self) -> bool {
        self.run.is_some()
    }

    /// A pure tone sounds, alone.
    pub(super) fn sounding(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.spoilt == 0)
    }

    /// Takes the spectrum whose window ends at `at`; returns a pulse that has ended.
    pub(super) fn push(
        &mut self,
        at: u64,
        power: &Power,
        shape: &Shape,
        audible: bool,
    ) -> Option<Pulse> {
        let center = at + SHIFT;
        self.recent.rotate_right(1);
        self.recent[0] = (*power, shape.total);
        if audible && self.run.as_ref().is_some_and(|run| run.was_an_edge(shape)) {
            self.begin(center, shape);
            return None;
        }
        if let Some(run) = &mut self.run {
            let (over, spoilt) = run.push(center, power, shape);
            // It was no steady tone so far, but what sounds now may be one: a tone that began in the
            // last word.
            let anew = !over && !run.steady && run.spoilt == 0;
            if !over && !anew {
                return None;
            }
            let mut pulse = run.pulse(run.end);
            pulse.clean &= !spoilt;
            pulse.components = run.sum.components();
            self.run = None;
            self.last = Some((pulse.to, pulse.power));
            self.gap_peak = 0.0;
            if anew && audible && shape.is_tone() {
                self.begin(center, shape);
            }
            return Some(pulse);
        }
        // What lies in the gap, without the edges of the pulses on both sides.
        let (_, earlier) = self.recent[LOOK_BACK];
        if self
            .last
            .is_some_and(|(end, _)| at > end + MIDDLE + SHIFT + 2 * HOP)
        {
            self.gap_peak = self.gap_peak.max(earlier);
        }
        if audible && shape.is_tone() {
            self.begin(center, shape);
        }
        None
    }

    fn begin(&mut self, center: u64, shape: &Shape) {
        let width = 1.2 * shape.spread_hz + 40.0;
        let mut early = [0.0; SETTLED];
        for (value, (power, _)) in early.iter_mut().zip(self.recent.iter().rev()) {
            *value = power.band(shape.hz, width);
        }
        let quiet_before = self
            .last
            .is_none_or(|(_, power)| self.gap_peak <= 0.35 * power.max(shape.power));
        self.run = Some(Run {
            first_center: center - SHIFT,
            early,
            early_count: LOOK_BACK + 1,
            on: early[LOOK_BACK],
            hz: shape.hz,
            spread_hz: shape.spread_hz,
            sum: Power::NONE,
            frames: 1.0,
            overtone_frames: 0.0,
            band: (shape.hz, width),
            below: 0,
            spoilt: 0,
            before: early[LOOK_BACK],
            end: center,
            steady: true,
            stretch: (0, 0.0, 0.0),
            first_stretch: None,
            quiet_before,
        });
    }
}

impl Run {
    /// Takes the next spectrum; says whether the pulse is over, and whether another sound ended it.
    fn push(&mut self, center: u64, power: &Power, shape: &Shape) -> (bool, bool) {
        let level = power.band(self.band.0, self.band.1);
        if self.early_count < SETTLED {
            self.early[self.early_count] = level;
            self.early_count += 1;
        }
        if level < 0.25 * self.on {
            if self.below == 0 {
                self.end = crossing(center - HOP, self.before, level, 0.25 * self.on);
            }
            self.below += 1;
            self.before = level;
            return (self.below > DIP, false);
        }
        self.below = 0;
        self.before = level;
        self.end = center;
        if !(shape.is_tone() && self.same_pitch(shape)) {
            self.spoilt += 1;
            return (self.spoilt > SPOILT, true);
        }
        self.spoilt = 0;
        self.average(level, shape, power);
        (false, false)
    }

    fn same_pitch(&self, shape: &Shape) -> bool {
        (shape.hz - self.hz).abs() < 0.03 * self.hz + 6.0
    }

    /// All that was seen so far was a pulse's edge, whose pitch is not the pulse's.
    fn was_an_edge(&self, shape: &Shape) -> bool {
        self.frames < 3.0
            && shape.is_tone()
            && !self.same_pitch(shape)
            && shape.power > EDGE * self.on
    }

    fn average(&mut self, level: f32, shape: &Shape, power: &Power) {
        self.frames += 1.0;
        // The first spectra see the pulse only in part: the mean begins with the fourth.
        let weight = 1.0 / (self.frames - 2.0).max(1.0);
        self.on = (self.on + (level - self.on) * weight).max(0.5 * level);
        self.hz += (shape.hz - self.hz) * weight;
        self.spread_hz += (shape.spread_hz - self.spread_hz) * weight;
        if self.spread_hz < 25.0 {
            let overtones = power.band(2.0 * self.hz, 50.0) + power.band(3.0 * self.hz, 50.0);
            if overtones > 0.02 * level {
                self.overtone_frames += 1.0;
            }
        }
        if self.frames < 4.0 {
            return;
        }
        self.sum.add(power);
        let (count, levels, pitches) = &mut self.stretch;
        *count += 1;
        *levels += level;
        *pitches += shape.hz;
        if *count == STRETCH {
            let mean = (*levels / STRETCH as f32, *pitches / STRETCH as f32);
            self.stretch = (0, 0.0, 0.0);
            let first = *self.first_stretch.get_or_insert(mean);
            let ratio = mean.0 / first.0;
            // The mean of several pitches moves with the noise, as far as they are apart.
            let drift = 0.008 * first.1 + 1.5 + 0.04 * self.spread_hz;
            self.steady &= (0.65..1.54).contains(&ratio) && (mean.1 - first.1).abs() < drift;
        }
    }

    fn pulse(&self, to: u64) -> Pulse {
        Pulse {
            from: self.onset().saturating_sub(SHIFT + MIDDLE),
            to: to.saturating_sub(SHIFT + MIDDLE),
            hz: self.hz,
            spread_hz: self.spread_hz,
            components: Components::default(),
            power: self.on,
            quiet_before: self.quiet_before,
            clean: self.steady && self.overtone_frames * 2.0 <= self.frames,
        }
    }

    fn onset(&self) -> u64 {
        let early = &self.early[..self.early_count];
        let threshold = 0.25 * self.on;
        let rise = (1..early.len())
            .rev()
            .filter(|&i| i <= LOOK_BACK + 1)
            .find(|&i| early[i] >= threshold && early[i - 1] < threshold);
        match rise {
            Some(i) => crossing(
                self.first_center + (i as u64 - 1) * HOP,
                early[i - 1],
                early[i],
                threshold,
            ),
            None if early[0] >= threshold => self.first_center,
            None => self.first_center + LOOK_BACK as u64 * HOP,
        }
    }
}

/// Where the amplitude passes the threshold between two spectra, the earlier one around `center`.
/// Half a window in a tone and half outside gives half the amplitude, so this is the tone's edge.
fn crossing(center: u64, before: f32, after: f32, threshold: f32) -> u64 {
    let (before, after, threshold) = (before.sqrt(), after.sqrt(), threshold.sqrt());
    let span = after - before;
    let part = if span.abs() < 1e-9 {
        0.5
    } else {
        ((threshold - before) / span).clamp(0.0, 1.0)
    };
    center + (part * HOP as f32) as u64
}
