//! The special information tones that go before "this number is not in service".

use super::observation::SAMPLES_PER_SECOND;

/// One of the three tones: pitch in Hz and length in milliseconds.
type Part = (f64, u32);

/// Which announcement the tones stand for. Pitches and lengths as in Bellcore's "precise" SIT, which
/// machines that dial tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpecialInformation {
    /// As ITU-T E.180 describes it: 950, 1400, 1800 Hz, 330 ms each.
    International,
    /// "Vacant code": no such number, or disconnected.
    VacantCode,
    /// "Intercept": the number has changed or is out of service.
    Intercept,
}

impl SpecialInformation {
    const fn parts(self) -> [Part; 3] {
        match self {
            Self::International => [(950.0, 330), (1400.0, 330), (1800.0, 330)],
            Self::VacantCode => [(985.2, 380), (1370.6, 274), (1776.7, 380)],
            Self::Intercept => [(913.8, 274), (1370.6, 274), (1776.7, 380)],
        }
    }

    /// The three tones as line samples (8-bit unsigned, 8 kHz), without pauses, each tone exact in
    /// pitch to the last digit and in length to the sample, at −13 dB below full scale.
    pub fn samples(self) -> Vec<u8> {
        const AMPLITUDE: f64 = 28.0;
        let mut out = Vec::new();
        // The phase runs on from tone to tone: no clicks.
        let mut cycles = 0.0_f64;
        for (hz, milliseconds) in self.parts() {
            let samples = u64::from(milliseconds) * SAMPLES_PER_SECOND / 1000;
            for n in 0..samples {
                let at = cycles + hz * n as f64 / SAMPLES_PER_SECOND as f64;
                let value = 128.0 + AMPLITUDE * (std::f64::consts::TAU * at).sin();
                out.push(value.round() as u8);
            }
            cycles = (cycles + hz * samples as f64 / SAMPLES_PER_SECOND as f64).fract();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Listener, Tone, ToneSet};
    use super::*;

    #[test]
    fn the_triple_is_as_long_as_it_should_be_and_is_heard_as_what_it_is() {
        for (kind, samples) in [
            (SpecialInformation::International, 7920),
            (SpecialInformation::VacantCode, 8272),
            (SpecialInformation::Intercept, 7424),
        ] {
            let mut audio = kind.samples();
            assert_eq!(audio.len(), samples);
            audio.extend([128; 4000]);
            let mut heard = false;
            Listener::new(ToneSet::Any).listen(&audio, |o| {
                heard |= matches!(
                    o.event,
                    Event::Tone {
                        tone: Tone::SpecialInformation,
                        ..
                    }
                );
            });
            assert!(heard, "{kind:?}");
        }
    }
}
