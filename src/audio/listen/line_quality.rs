//! How good the line's audio was over a call, as numbers, and what to do when it was bad.

/// Line quality of a call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LineQuality {
    /// Samples looked at.
    pub samples: u64,
    /// Level while a voice was heard (anything but tones), dB relative to full scale (RMS); `None` if
    /// none was.
    pub level_dbfs: Option<f32>,
    /// Level of all that came, dB relative to full scale (RMS), without the DC offset.
    pub overall_dbfs: f32,
    /// Noise floor at the end of the call, dB relative to full scale (RMS).
    pub noise_floor_dbfs: f32,
    /// Share of samples at the ends of the scale, 0–1.
    pub clipping: f32,
    /// Mean of all samples, in steps of the 8 bits from the middle (128).
    pub dc_offset: f32,
}

/// What is wrong with a recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QualityProblem {
    /// More than one sample in a thousand is at the end of the scale.
    Clipped,
    /// What was heard is barely louder than the steps of 8 bits.
    NextToSilent,
    /// In call after call nothing was heard at all.
    NothingHeard,
    /// The noise is nearly as loud as what was heard.
    Noisy,
    /// The samples do not lie around the middle of the scale, as 8-bit unsigned ones do.
    WrongFormat,
}

impl QualityProblem {
    /// What to do about it, for a person.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Clipped => {
                "recordings are clipped: lower the receive gain, for instance with --init AT+VGR=120"
            }
            Self::NextToSilent => {
                "recordings are next to silent: raise the receive gain, for instance with --init AT+VGR=136, and check the line cord"
            }
            Self::NothingHeard => {
                "nothing was heard in three recordings in a row; if the callers did speak, raise the receive gain, for instance with --init AT+VGR=136, and check the line cord"
            }
            Self::Noisy => {
                "the line's noise is nearly as loud as the caller: try another line filter, or a cable away from power supplies"
            }
            Self::WrongFormat => {
                "the audio does not look like 8-bit unsigned samples: check what the modem was set to (AT+VSM?)"
            }
        }
    }
}

/// A voice fainter than this is little more than one step of the 8 bits. It is measured where it is heard,
/// and of so faint a voice only the loudest is, so it is fainter still on the whole.
const FAINT_DBFS: f32 = -40.0;
/// No speech with its pauses is louder, however much it is clipped.
const LOUDEST_DBFS: f32 = -1.5;

impl LineQuality {
    /// The worst thing to be said of the call, if there is anything.
    pub fn problem(&self) -> Option<QualityProblem> {
        const ENOUGH: u64 = 8000;
        if self.samples < ENOUGH {
            return None;
        }
        // Of µ-law the middle lies elsewhere; of signed samples it lies at the ends of the scale, so that
        // silence is as loud as can be.
        if self.dc_offset.abs() > 32.0 || self.overall_dbfs > LOUDEST_DBFS {
            return Some(QualityProblem::WrongFormat);
        }
        if self.clipping > 0.001 {
            return Some(QualityProblem::Clipped);
        }
        let level = self.level_dbfs?;
        if level < FAINT_DBFS {
            Some(QualityProblem::NextToSilent)
        } else if level - self.noise_floor_dbfs < 8.0 {
            Some(QualityProblem::Noisy)
        } else {
            None
        }
    }
}

/// Judges a line's calls one after the other. That nothing was heard in one says nothing, for many
/// callers do not speak; that nothing was heard in several says that nothing can be heard.
#[derive(Clone, Copy, Debug, Default)]
pub struct QualityWatch {
    unheard: u32,
}

impl QualityWatch {
    /// What is to be said after this call, if there is anything.
    pub fn problem(&mut self, call: &LineQuality) -> Option<QualityProblem> {
        const LONG_ENOUGH: u64 = 3 * 8000;
        const IN_A_ROW: u32 = 3;
        if call.overall_dbfs >= FAINT_DBFS {
            self.unheard = 0;
        } else if call.samples >= LONG_ENOUGH {
            self.unheard += 1;
            if self.unheard.is_multiple_of(IN_A_ROW) {
                return Some(QualityProblem::NothingHeard);
            }
        }
        call.problem()
    }
}

/// Steps from the middle to the end of the scale.
const FULL_SCALE: f64 = 128.0;

/// Frames that a tone has sounded, at most, before it is known to be one.
const EDGE: usize = 4;

/// Gathers the numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct QualityMeter {
    samples: u64,
    sum: i64,
    sum_of_squares: u64,
    at_the_ends: u64,
    heard_frames: u64,
    heard_power: f64,
    /// The last frames heard: what follows may show that a tone had begun.
    doubtful: [Option<f32>; EDGE],
}

impl QualityMeter {
    pub(super) fn samples(&mut self, samples: &[u8]) {
        self.samples += samples.len() as u64;
        for &sample in samples {
            let step = i64::from(sample) - 128;
            self.sum += step;
            self.sum_of_squares += step.unsigned_abs().pow(2);
            self.at_the_ends += u64::from(matches!(sample, 0 | 255));
        }
    }

    /// A frame in which something was heard.
    pub(super) fn heard(&mut self, power: f32) {
        self.doubtful.rotate_right(1);
        let certain = self.doubtful[0].replace(power);
        self.count(certain);
    }

    /// A frame of silence: what was heard before it was no tone's beginning.
    pub(super) fn silence(&mut self) {
        for n in 0..EDGE {
            let certain = self.doubtful[n].take();
            self.count(certain);
        }
    }

    fn count(&mut self, frame: Option<f32>) {
        if let Some(power) = frame {
            self.heard_frames += 1;
            self.heard_power += f64::from(power);
        }
    }

    /// A frame of pure tone: an exchange's is loud even on a line where the caller is next to silent.
    pub(super) fn tone(&mut self) {
        self.doubtful = [None; EDGE];
    }

    pub(super) fn quality(&self, floor_dbfs: f32) -> LineQuality {
        let samples = self.samples.max(1) as f64;
        let mean = self.sum as f64 / samples;
        let power = (self.sum_of_squares as f64 / samples - mean * mean) / FULL_SCALE.powi(2);
        LineQuality {
            samples: self.samples,
            level_dbfs: (self.heard_frames > 0).then(|| {
                super::front_end::dbfs((self.heard_power / self.heard_frames as f64) as f32)
            }),
            overall_dbfs: super::front_end::dbfs(power.max(0.0) as f32),
            noise_floor_dbfs: floor_dbfs,
            clipping: (self.at_the_ends as f64 / samples) as f32,
            dc_offset: mean as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> LineQuality {
        LineQuality {
            samples: 80_000,
            level_dbfs: Some(-22.0),
            overall_dbfs: -24.0,
            noise_floor_dbfs: -48.0,
            clipping: 0.0,
            dc_offset: 0.4,
        }
    }

    #[test]
    fn calls_in_which_nothing_is_heard_are_a_problem_from_the_third_in_a_row() {
        let mut watch = QualityWatch::default();
        let call = |samples, overall_dbfs| LineQuality {
            samples,
            level_dbfs: None,
            overall_dbfs,
            noise_floor_dbfs: -49.0,
            clipping: 0.0,
            dc_offset: 0.0,
        };
        let silent = call(80_000, -48.0);
        for (call, warned) in [
            (silent, false),
            (silent, false),
            (call(80_000, -20.0), false),
            (silent, false),
            // Too short to say anything.
            (call(8000, -48.0), false),
            (silent, false),
            (silent, true),
            (silent, false),
        ] {
            let problem = watch.problem(&call);
            assert_eq!(problem == Some(QualityProblem::NothingHeard), warned);
        }
    }

    #[test]
    fn a_good_line_has_no_problem_and_a_bad_one_is_named() {
        assert_eq!(good().problem(), None);
        let clipped = LineQuality {
            clipping: 0.02,
            ..good()
        };
        assert_eq!(clipped.problem(), Some(QualityProblem::Clipped));
        let faint = LineQuality {
            level_dbfs: Some(-41.0),
            ..good()
        };
        assert_eq!(faint.problem(), Some(QualityProblem::NextToSilent));
        let noisy = LineQuality {
            noise_floor_dbfs: -26.0,
            ..good()
        };
        assert_eq!(noisy.problem(), Some(QualityProblem::Noisy));
        let off = LineQuality {
            dc_offset: -50.0,
            ..good()
        };
        assert_eq!(off.problem(), Some(QualityProblem::WrongFormat));
        let signed = LineQuality {
            overall_dbfs: -0.9,
            clipping: 0.6,
            ..good()
        };
        assert_eq!(signed.problem(), Some(QualityProblem::WrongFormat));
    }

    #[test]
    fn a_call_of_less_than_a_second_is_not_judged() {
        let short = LineQuality {
            samples: 7000,
            clipping: 1.0,
            ..good()
        };
        assert_eq!(short.problem(), None);
    }
}
