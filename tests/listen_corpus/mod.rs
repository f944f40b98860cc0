//! Sounds of a telephone line, generated from seeds: what the listener is tuned and judged on.
//!
//! All signals are `f32` from −1 to 1 at 8 kHz until [`to_line`] makes line samples of them. Levels in
//! dBm0 count from a sine 3.17 dB below full scale, and are those of the whole signal unless a name says
//! per tone. Seeds 1–1000 are for tuning, seeds above 10 000 for judging.

#![allow(dead_code)] // Shared by a test and a report; neither uses all of it.

pub(crate) mod song;
pub(crate) mod sounds;
pub(crate) mod speech;

use callblock::audio::listen::Signal;
use fastrand::Rng;

pub(crate) const RATE: f32 = 8000.0;

/// Samples in so many seconds.
pub(crate) fn samples(seconds: f32) -> usize {
    (seconds * RATE) as usize
}

/// Mean square of a signal at this level.
pub(crate) fn dbm0_power(dbm0: f32) -> f32 {
    0.5 * 10_f32.powf((dbm0 - 3.17) / 10.0)
}

pub(crate) fn mean_square(signal: &[f32]) -> f32 {
    signal.iter().map(|x| x * x).sum::<f32>() / signal.len().max(1) as f32
}

/// Root mean square of a level in dB relative to full scale.
pub(crate) fn dbfs_rms(dbfs: f32) -> f32 {
    10_f32.powf(dbfs / 20.0)
}

/// A random number, evenly from `low` to `high`.
pub(crate) fn between(rng: &mut Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.f32()
}

/// One of these.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(..choices.len())]
}

/// A normally distributed number, near enough: the sum of four even ones, scaled to variance one.
pub(crate) fn normal(rng: &mut Rng) -> f32 {
    let sum = rng.f32() + rng.f32() + rng.f32() + rng.f32();
    (sum - 2.0) * 1.732
}

pub(crate) fn add_noise(signal: &mut [f32], rms: f32, rng: &mut Rng) {
    for value in signal {
        *value += rms * normal(rng);
    }
}

pub(crate) fn add(signal: &mut [f32], other: &[f32], gain: f32) {
    for (value, more) in signal.iter_mut().zip(other) {
        *value += gain * more;
    }
}

/// Scales a signal to a level in dB relative to full scale (RMS of its audible part).
pub(crate) fn level_to(signal: &mut [f32], dbfs: f32) {
    let frames = signal.chunks(160).map(mean_square);
    let loudest = frames.clone().fold(0.0_f32, f32::max);
    let (mut sum, mut count) = (0.0, 0.0);
    for power in frames.filter(|&power| power > 0.01 * loudest) {
        sum += power;
        count += 1.0;
    }
    if sum > 0.0 {
        let gain = dbfs_rms(dbfs) / (sum / count as f32).sqrt();
        for value in signal {
            *value *= gain;
        }
    }
}

/// 8-bit unsigned line samples; `offset` is the line's DC offset in steps of the 8 bits.
pub(crate) fn to_line(signal: &[f32], offset: f32) -> Vec<u8> {
    signal
        .iter()
        .map(|x| (x * 128.0 + 128.0 + offset).round().clamp(0.0, 255.0) as u8)
        .collect()
}

/// A signal of a tone plan, from the beginning of its cadence; `error` scales its pitch.
pub(crate) fn plan_signal(
    signal: &Signal,
    seconds: f32,
    dbm0: f32,
    error: f32,
    rng: &mut Rng,
) -> Vec<f32> {
    let parts = signal.hz.len() as f32;
    // A modulation 90 % deep adds 0.405 to the power of its carrier.
    let modulated = if signal.modulation_hz > 0.0 {
        1.405
    } else {
        1.0
    };
    let amplitude = (2.0 * dbm0_power(dbm0) / parts / modulated).sqrt();
    let phases: Vec<f32> = signal.hz.iter().map(|_| rng.f32()).collect();
    (0..samples(seconds))
        .map(|n| {
            if !is_on(signal, n) {
                return 0.0;
            }
            let at = n as f64 / 8000.0;
            let depth = 1.0
                + 0.9
                    * if signal.modulation_hz > 0.0 {
                        turn(f64::from(signal.modulation_hz) * at)
                    } else {
                        0.0
                    };
            let sum: f32 = signal
                .hz
                .iter()
                .zip(&phases)
                .map(|(hz, phase)| turn(f64::from(hz * error) * at + f64::from(*phase)))
                .sum();
            amplitude * depth * sum
        })
        .collect()
}

fn turn(cycles: f64) -> f32 {
    (cycles.fract() as f32 * std::f32::consts::TAU).sin()
}

fn is_on(signal: &Signal, n: usize) -> bool {
    if signal.cadence.is_empty() {
        return true;
    }
    let mut at = n as u32 / 8 % signal.cycle_ms();
    for &(on, off) in signal.cadence {
        if at < u32::from(on) {
            return true;
        }
        at -= u32::from(on);
        if at < u32::from(off) {
            return false;
        }
        at -= u32::from(off);
    }
    false
}

/// How a key is pressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyTone {
    pub(crate) key: usize,
    pub(crate) milliseconds: f32,
    /// Level of the louder of row and column.
    pub dbm0: f32,
    /// Column over row, dB.
    pub(crate) twist_db: f32,
    /// Pitch of row and column, as a factor.
    pub(crate) error: (f32, f32),
}

pub(crate) const KEYS: [u8; 16] = *b"123A456B789C*0#D";

pub(crate) fn key_tone(tone: &KeyTone, rng: &mut Rng) -> Vec<f32> {
    const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
    let loud = (2.0 * dbm0_power(tone.dbm0)).sqrt();
    let (row_db, column_db) = (-tone.twist_db.max(0.0), tone.twist_db.min(0.0));
    let row = (
        loud * dbfs_rms(row_db),
        ROWS[tone.key / 4] * tone.error.0,
        rng.f32(),
    );
    let column = (
        loud * dbfs_rms(column_db),
        COLUMNS[tone.key % 4] * tone.error.1,
        rng.f32(),
    );
    (0..(tone.milliseconds * 8.0) as usize)
        .map(|n| {
            let at = n as f64 / 8000.0;
            [row, column]
                .iter()
                .map(|&(a, hz, phase)| a * turn(f64::from(hz) * at + f64::from(phase)))
                .sum()
        })
        .collect()
}

/// What comes back of our own playback: a delay and a short, random hybrid response, `loss_db` down.
pub(crate) fn echo(played: &[u8], delay: usize, loss_db: f32, rng: &mut Rng) -> Vec<f32> {
    let played: Vec<f32> = played
        .iter()
        .map(|&s| (f32::from(s) - 128.0) / 128.0)
        .collect();
    let mut response: Vec<f32> = (0..24)
        .map(|n| normal(rng) * (-(n as f32) / 6.0).exp())
        .collect();
    response[3] += 2.0;
    let energy: f32 = response.iter().map(|x| x * x).sum();
    let gain = dbfs_rms(-loss_db) / energy.sqrt();
    let mut out = vec![0.0; played.len()];
    for (n, value) in out.iter_mut().enumerate().skip(delay) {
        let at = n - delay;
        *value = response
            .iter()
            .enumerate()
            .take(at + 1)
            .map(|(k, tap)| gain * tap * played[at - k])
            .sum();
    }
    out
}
