//! What else is heard on a telephone: music, fans, crying children, menus.

use super::speech::{Resonance, speech, telephone_band};
use super::{KeyTone, RATE, add, between, key_tone, level_to, normal, pick, samples};
use fastrand::Rng;

/// An instrument: how its overtones and its loudness go.
#[derive(Clone, Copy)]
struct Instrument {
    /// Each overtone relative to the one before, as an exponent.
    slope: f32,
    overtones: usize,
    /// Seconds in which a note falls to a third; 0: it is held.
    decay: f32,
    vibrato: f32,
}

const INSTRUMENTS: [Instrument; 7] = [
    Instrument {
        slope: 0.7,
        overtones: 8,
        decay: 0.5,
        vibrato: 0.0,
    }, // piano
    Instrument {
        slope: 0.5,
        overtones: 8,
        decay: 0.0,
        vibrato: 0.0,
    }, // organ
    Instrument {
        slope: 1.8,
        overtones: 4,
        decay: 0.0,
        vibrato: 0.006,
    }, // flute
    Instrument {
        slope: 0.9,
        overtones: 8,
        decay: 0.0,
        vibrato: 0.008,
    }, // strings
    Instrument {
        slope: 1.2,
        overtones: 6,
        decay: 0.25,
        vibrato: 0.0,
    }, // plucked
    Instrument {
        slope: 2.2,
        overtones: 3,
        decay: 1.2,
        vibrato: 0.0,
    }, // music box, soft synthesiser
    Instrument {
        slope: 0.3,
        overtones: 8,
        decay: 0.0,
        vibrato: 0.004,
    }, // brass
];

/// What the line itself sounds like all the while, at this level (RMS): nine overtones of the mains, or the
/// whine of a power supply.
pub(crate) fn hum(seconds: f32, dbfs: f32, rng: &mut Rng) -> Vec<f32> {
    let mains = pick(rng, &[50.0, 60.0]);
    let pitches: Vec<(f32, f32, f32)> = if rng.u32(..3) > 0 {
        let overtone = |n: u8| {
            let fainter = 10.0_f32.powf(-between(rng, 0.0, 25.0) / 20.0);
            let n = f32::from(n);
            (
                n * mains,
                fainter / n.sqrt(),
                between(rng, 0.0, std::f32::consts::TAU),
            )
        };
        (1..=9).map(overtone).collect()
    } else {
        vec![(between(rng, 500.0, 3400.0), 1.0, 0.0)]
    };
    let mut out: Vec<f32> = (0..samples(seconds))
        .map(|n| {
            let turn = n as f32 / RATE;
            let one = |&(hz, loud, phase): &(f32, f32, f32)| {
                loud * ((hz * turn).fract() * std::f32::consts::TAU + phase).sin()
            };
            pitches.iter().map(one).sum()
        })
        .collect();
    level_to(&mut out, dbfs);
    out
}

fn note(out: &mut [f32], hz: f32, loud: f32, instrument: Instrument, rng: &mut Rng) {
    let partials = (1..=instrument.overtones)
        .filter(|&k| hz * (k as f32) < 3600.0)
        .map(|k| {
            (
                k as f32,
                (k as f32).powf(-instrument.slope) * between(rng, 0.6, 1.2),
            )
        })
        .collect::<Vec<_>>();
    let rate = between(rng, 4.5, 6.5);
    let count = out.len();
    let mut phase = rng.f32();
    for (n, value) in out.iter_mut().enumerate() {
        let at = n as f32 / RATE;
        let sway = instrument.vibrato * (std::f32::consts::TAU * rate * at).sin();
        phase = (phase + hz * (1.0 + sway) / RATE).fract();
        let ends = (at / 0.02).min((count - n) as f32 / RATE / 0.03).min(1.0);
        let fade = if instrument.decay > 0.0 {
            (-at / instrument.decay).exp()
        } else {
            1.0
        };
        // All overtones from one sine and cosine, by the Chebyshev recurrence.
        let (sine, cosine) = (std::f32::consts::TAU * phase).sin_cos();
        let (mut before, mut now, mut order) = (0.0, sine, 1.0);
        for &(k, amplitude) in &partials {
            while order < k {
                (before, now) = (now, 2.0 * cosine * now - before);
                order += 1.0;
            }
            *value += loud * fade * ends * amplitude * now;
        }
    }
}

/// A melody over chords, sometimes with drums.
pub(crate) fn music(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut out = vec![0.0; samples(seconds)];
    let lead = pick(rng, &INSTRUMENTS);
    let pad = pick(rng, &INSTRUMENTS);
    let root = 130.8 * 2_f32.powf(rng.f32() * 1.5);
    let beat = between(rng, 0.25, 0.7);
    let (with_pad, with_drums) = (rng.u8(..4) > 0, rng.bool());
    let scale = pick(rng, &[[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10]]);
    let pitch = |step: usize, octave: f32| {
        let semitone = scale[step % 7] as f32 + 12.0 * (step / 7) as f32;
        root * octave * 2_f32.powf(semitone / 12.0)
    };
    let mut at = 0.0;
    let mut step: usize = 7;
    while at < seconds {
        let length = beat * pick(rng, &[0.5, 1.0, 1.0, 1.0, 2.0, 2.0, 4.0]);
        step = (step + rng.usize(..5)).saturating_sub(2).min(14);
        let from = samples(at);
        let to = samples(at + length * between(rng, 0.7, 1.0)).min(out.len());
        if rng.u8(..8) > 0 && from < to {
            note(&mut out[from..to], pitch(step, 1.0), 0.3, lead, rng);
        }
        at += length;
    }
    let mut at = 0.0;
    while with_pad && at < seconds {
        let length = beat * 4.0;
        let (from, to) = (samples(at), samples(at + length).min(out.len()));
        let base = rng.usize(..6);
        for third in [0, 2, 4] {
            note(&mut out[from..to], pitch(base + third, 0.5), 0.12, pad, rng);
        }
        at += length;
    }
    let mut at = 0.0;
    while with_drums && at < seconds {
        let from = samples(at);
        for n in from..samples(at + 0.08).min(out.len()) {
            out[n] += 0.3 * normal(rng) * (-((n - from) as f32) / 150.0).exp();
        }
        at += beat;
    }
    telephone_band(&mut out);
    out
}

/// A fan: coloured noise that breathes, with the hum of its blades.
pub(crate) fn fan(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut colour = Resonance::default();
    colour.tune(between(rng, 150.0, 900.0), between(rng, 200.0, 900.0));
    let (blades, sway) = (between(rng, 60.0, 300.0), between(rng, 0.2, 3.0));
    let (depth, hum) = (between(rng, 0.0, 0.3), between(rng, 0.0, 0.4));
    (0..samples(seconds))
        .map(|n| {
            let at = n as f32 / RATE;
            let breath = 1.0 + depth * (std::f32::consts::TAU * sway * at).sin();
            breath * (colour.run(normal(rng)) + hum * (std::f32::consts::TAU * blades * at).sin())
        })
        .collect()
}

/// A crying child: gliding, harsh wails at regular intervals.
pub(crate) fn crying(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut out = vec![0.0; samples(seconds)];
    let pitch = between(rng, 330.0, 560.0);
    let (on, off) = (between(rng, 0.35, 1.3), between(rng, 0.2, 0.7));
    let mut at = 0.2;
    while at < seconds {
        let length = on * between(rng, 0.85, 1.15);
        let (from, to) = (samples(at), samples(at + length).min(out.len()));
        let count = to.saturating_sub(from);
        let mut phase = 0.0_f32;
        let top = pitch * between(rng, 0.95, 1.15);
        for n in 0..count {
            let part = n as f32 / count as f32;
            let hz = top * (0.85 + 0.3 * (std::f32::consts::PI * part).sin());
            phase = (phase + hz * (1.0 + 0.01 * normal(rng)) / RATE).fract();
            let ends = (part * 6.0).min((1.0 - part) * 4.0).min(1.0);
            let harsh: f32 = (1..6)
                .map(|k| (std::f32::consts::TAU * phase * k as f32).sin() / (k as f32).sqrt())
                .sum();
            out[from + n] = ends * (harsh + 0.15 * normal(rng));
        }
        at += length + off * between(rng, 0.8, 1.2);
    }
    telephone_band(&mut out);
    out
}

/// A crying child of another kind: clear wails that rise, fall or both, with few overtones of any loudness,
/// which pass through the pitches of keys.
pub(crate) fn wailing(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut out = vec![0.0; samples(seconds)];
    let (pitch, on) = (between(rng, 280.0, 620.0), between(rng, 0.4, 1.5));
    let slope = between(rng, 0.1, 1.4);
    let overtones: Vec<f32> = (1..=rng.u8(3..9))
        .map(|k| f32::from(k).powf(-slope) * 10_f32.powf(between(rng, -0.5, 0.2)))
        .collect();
    let (breath, sway) = (between(rng, 0.0, 0.1), pick(rng, &[0.0, 0.0, 0.01, 0.02]));
    let mut at = 0.1;
    while at < seconds {
        let length = on * between(rng, 0.7, 1.3);
        let (from, to) = (samples(at), samples(at + length).min(out.len()));
        let count = to.saturating_sub(from);
        let top = pitch * between(rng, 0.85, 1.3);
        let (kind, rate) = (rng.u8(..3), between(rng, 4.0, 9.0));
        let mut phase = rng.f32();
        for n in 0..count {
            let part = n as f32 / count as f32;
            let bent = match kind {
                0 => 0.8 + 0.35 * (std::f32::consts::PI * part).sin(),
                1 => 0.75 + 0.4 * part,
                _ => 1.15 - 0.4 * part,
            };
            let swaying = 1.0 + sway * (std::f32::consts::TAU * rate * n as f32 / RATE).sin();
            phase = (phase + top * bent * swaying / RATE).fract();
            let ends = (part * 10.0).min((1.0 - part) * 8.0).min(1.0);
            let tones = overtones.iter().zip(1_u8..);
            let sum: f32 = tones
                .map(|(a, k)| a * (std::f32::consts::TAU * phase * f32::from(k)).sin())
                .sum();
            out[from + n] = ends * sum + breath * normal(rng);
        }
        at += length + between(rng, 0.1, 0.8);
    }
    telephone_band(&mut out);
    out
}

/// A recorded menu: prompts, beeps, pauses, keys being pressed, music on hold.
pub(crate) fn menu(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut out: Vec<f32> = Vec::new();
    while out.len() < samples(seconds) {
        match rng.u8(..8) {
            0..=2 => {
                let mut prompt = speech(between(rng, 2.0, 9.0), rng);
                level_to(&mut prompt, -20.0);
                out.extend(prompt);
            }
            3 => beeps(&mut out, rng),
            4 => out.extend(vec![0.0; samples(between(rng, 0.5, 6.0))]),
            5 | 6 => keys(&mut out, rng),
            _ => {
                let mut hold = music(between(rng, 4.0, 15.0), rng);
                level_to(&mut hold, -22.0);
                out.extend(hold);
            }
        }
        out.extend(vec![0.0; samples(between(rng, 0.1, 0.9))]);
    }
    out.truncate(samples(seconds));
    out
}

/// One to three beeps, as before a recording or between announcements.
fn beeps(out: &mut Vec<f32>, rng: &mut Rng) {
    let hz = pick(rng, &[400.0, 425.0, 440.0, 500.0, 850.0, 1000.0, 1400.0]);
    let length = between(rng, 0.08, 0.6);
    for _ in 0..rng.usize(1..3) {
        for n in 0..samples(length) {
            out.push(0.15 * (std::f32::consts::TAU * hz * n as f32 / RATE).sin());
        }
        out.extend(vec![0.0; samples(between(rng, 0.1, 0.6))]);
    }
}

fn keys(out: &mut Vec<f32>, rng: &mut Rng) {
    let even = between(rng, 60.0, 180.0);
    for _ in 0..rng.usize(1..12) {
        let tone = KeyTone {
            key: rng.usize(..16),
            milliseconds: even,
            dbm0: -12.0,
            twist_db: between(rng, -3.0, 3.0),
            error: (1.0, 1.0),
        };
        out.extend(key_tone(&tone, rng));
        out.extend(vec![0.0; samples(even / 1000.0)]);
    }
}

/// One sound of every kind, after each other, for `seconds`; at telephone levels with a noisy line.
pub(crate) fn call(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut out = Vec::new();
    while out.len() < samples(seconds) {
        let length = between(rng, 5.0, 20.0);
        let mut part = match rng.u8(..10) {
            0..=4 => speech(length, rng),
            5 | 6 => music(length, rng),
            7 => fan(length.min(12.0), rng),
            8 => crying(length, rng),
            _ => menu(length, rng),
        };
        level_to(&mut part, between(rng, -32.0, -12.0));
        out.extend(part);
    }
    out.truncate(samples(seconds));
    if rng.u8(..4) == 0 {
        // Somebody's television behind it all.
        let mut behind = music(seconds, rng);
        level_to(&mut behind, -38.0);
        add(&mut out, &behind, 1.0);
    }
    out
}
