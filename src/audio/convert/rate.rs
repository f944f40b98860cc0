//! From any sampling rate to that of the line.

use crate::audio::SAMPLE_RATE;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};
use std::fmt;

/// Samples that are converted at a time.
const CHUNK: usize = 1024;
/// Length of the filter, in periods of the lower of the two rates. It falls from the pass band to
/// less than -60 dB within 6 / 128 of that rate, for a line within 375 Hz.
const FILTER_PERIODS: f64 = 128.0;
/// Points of the filter between two samples. Between these it is interpolated linearly, which leaves
/// errors below -80 dB: 8 bits reach -50 dB.
const OVERSAMPLING: usize = 64;
/// Where the filter is 6 dB down, relative to half the lower rate: 3750 Hz, so that it has fallen
/// where the mirror begins.
const CUTOFF: f32 = 0.9375;

/// Changes the rate of a stream of samples.
pub(super) struct RateConverter {
    /// `None` if the rate is right already.
    resampler: Option<Async<f32>>,
    ratio: f64,
    waiting: Vec<f32>,
    converted: Vec<f32>,
    taken: u64,
    given: u64,
    /// Samples still to come before the first one of the input: the delay of the filter.
    to_skip: usize,
}

impl fmt::Debug for RateConverter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateConverter")
            .field("ratio", &self.ratio)
            .finish_non_exhaustive()
    }
}

impl RateConverter {
    /// From `rate`, in Hz. `Err` says what the resampler has against it.
    pub(super) fn new(rate: u32) -> Result<Self, String> {
        let ratio = f64::from(SAMPLE_RATE) / f64::from(rate);
        let resampler = if rate == SAMPLE_RATE {
            None
        } else {
            let parameters = SincInterpolationParameters {
                sinc_len: (FILTER_PERIODS / ratio.min(1.0)).ceil() as usize,
                f_cutoff: Some(CUTOFF),
                oversampling_factor: OVERSAMPLING,
                interpolation: SincInterpolationType::Linear,
                window: WindowFunction::Blackman,
            };
            let made = Async::new_sinc(ratio, 1.0, &parameters, CHUNK, 1, FixedAsync::Input);
            Some(made.map_err(|error| error.to_string())?)
        };
        Ok(Self {
            ratio,
            waiting: Vec::with_capacity(2 * CHUNK),
            converted: vec![0.0; resampler.as_ref().map_or(0, Resampler::output_frames_max)],
            taken: 0,
            given: 0,
            to_skip: resampler.as_ref().map_or(0, Resampler::output_delay),
            resampler,
        })
    }

    /// Takes samples, and appends those that are ready to `output`.
    pub(super) fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) -> Result<(), String> {
        self.taken += samples.len() as u64;
        if self.resampler.is_none() {
            self.given += samples.len() as u64;
            output.extend_from_slice(samples);
            return Ok(());
        }
        self.waiting.extend_from_slice(samples);
        let mut done = 0;
        while self.waiting.len() - done >= CHUNK {
            self.convert(done, output)?;
            done += CHUNK;
        }
        self.waiting.drain(..done);
        Ok(())
    }

    /// Appends what is still in the filter. In all, as long is given as was taken.
    pub(super) fn finish(&mut self, output: &mut Vec<f32>) -> Result<(), String> {
        let wanted = (self.taken as f64 * self.ratio).round() as u64;
        let start = output.len();
        let before = self.given;
        while self.given < wanted {
            self.waiting.resize(CHUNK, 0.0);
            self.convert(0, output)?;
            self.waiting.clear();
        }
        output.truncate(start + (wanted - before.min(wanted)) as usize);
        self.given = wanted;
        Ok(())
    }

    /// Converts a chunk of those that wait.
    fn convert(&mut self, from: usize, output: &mut Vec<f32>) -> Result<(), String> {
        let Some(resampler) = &mut self.resampler else {
            return Ok(());
        };
        let room = self.converted.len();
        let chunk = InterleavedSlice::new(&self.waiting[from..from + CHUNK], 1, CHUNK)
            .map_err(|error| error.to_string())?;
        let mut converted = InterleavedSlice::new_mut(&mut self.converted, 1, room)
            .map_err(|error| error.to_string())?;
        let (_, count) = resampler
            .process_into_buffer(&chunk, &mut converted, None)
            .map_err(|error| error.to_string())?;
        let skipped = self.to_skip.min(count);
        self.to_skip -= skipped;
        self.given += (count - skipped) as u64;
        output.extend_from_slice(&self.converted[skipped..count]);
        Ok(())
    }
}
