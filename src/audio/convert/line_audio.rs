//! A source, converted to the line's format as it is read.

use super::level::{Level, Quantiser};
use super::rate::RateConverter;
use super::{ConvertError, Shortfall, Source};
use crate::audio::SAMPLE_RATE;

/// The most samples in a block: one second.
const BLOCK_SAMPLES: usize = SAMPLE_RATE as usize;

/// A source at the rate of the line.
#[derive(Debug)]
pub(super) struct AtLineRate<S> {
    source: S,
    rate: RateConverter,
    read: Vec<f32>,
    ready: Vec<f32>,
    ended: bool,
}

impl<S: Source> AtLineRate<S> {
    pub(super) fn new(source: S) -> Result<Self, ConvertError> {
        let rate = RateConverter::new(source.rate()).map_err(undecodable)?;
        Ok(Self {
            source,
            rate,
            read: Vec::new(),
            ready: Vec::new(),
            ended: false,
        })
    }

    pub(super) fn shortfall(&self) -> Option<Shortfall> {
        self.source.shortfall()
    }

    /// The next samples, a second of them at most; none is the end.
    pub(super) fn next_block(&mut self) -> Result<Vec<f32>, ConvertError> {
        while self.ready.len() < BLOCK_SAMPLES && !self.ended {
            self.read.clear();
            self.ended = !self.source.read(&mut self.read)?;
            let pushed = self.rate.push(&self.read, &mut self.ready);
            pushed.map_err(undecodable)?;
            if self.ended {
                self.rate.finish(&mut self.ready).map_err(undecodable)?;
            }
        }
        let rest = self.ready.split_off(self.ready.len().min(BLOCK_SAMPLES));
        Ok(std::mem::replace(&mut self.ready, rest))
    }
}

fn undecodable(why: String) -> ConvertError {
    ConvertError::Undecodable { why }
}

impl Level {
    /// Measures a source: all of it, or the first `limit` samples of the line's rate. `watch` is
    /// told after each second how many seconds there were, and may fail to end it.
    pub(in crate::audio) fn measure(
        source: impl Source,
        limit: Option<u64>,
        mut watch: impl FnMut(u64) -> Result<(), ConvertError>,
    ) -> Result<Self, ConvertError> {
        let mut audio = AtLineRate::new(source)?;
        let mut level = Self::NONE;
        for seconds in 1.. {
            let block = audio.next_block()?;
            level.add(&block);
            if block.is_empty() || limit.is_some_and(|limit| level.samples() >= limit) {
                break;
            }
            watch(seconds)?;
        }
        Ok(level)
    }
}

/// Audio as the line takes it.
#[derive(Debug)]
pub(in crate::audio) struct LineAudio<S> {
    audio: AtLineRate<S>,
    quantiser: Quantiser,
}

impl<S: Source> LineAudio<S> {
    /// Begins to convert a source of which this level was measured.
    pub(in crate::audio) fn new(source: S, level: &Level) -> Result<Self, ConvertError> {
        Ok(Self {
            audio: AtLineRate::new(source)?,
            quantiser: Quantiser::new(level),
        })
    }

    /// What is missing, by all that is known so far.
    pub(super) fn shortfall(&self) -> Option<Shortfall> {
        self.audio.shortfall()
    }

    /// The next samples, at most 8000; an empty block is the end.
    pub(in crate::audio) fn read_block(&mut self) -> Result<Vec<u8>, ConvertError> {
        let block = self.audio.next_block()?;
        Ok(self.quantiser.quantise(&block))
    }
}
