//! The filter that makes the echo of what is played, by least squares over what was played so far.
//!
//! The sums are kept by blocks and each block counts by how little else was heard in it: what the
//! caller says, a key or a tone is no echo, and hardly moves a filter that knew the line before it
//! began. A filter that learns sample by sample (LMS) would bend for it.

use super::lanes::{Lanes, all, lanes, total};

/// Taps of the filter: 12 ms.
pub(super) const TAPS: usize = 96;
/// Samples of a full block (50 ms).
const BLOCK: u32 = 400;
/// The filter is made anew after each of the first blocks, and later after one of four: it changes little.
const SOON: u32 = 20;
const SELDOM: u32 = 4;
/// Share of the sums that the next block begins with: they fade within ten seconds of playback.
const KEPT: f32 = 0.995;
/// What is left of the echo is not fainter than what 8 bits make of it: −53 dB.
const QUANTISATION: f32 = 5e-6;
/// A tap is not more than about 0.1, before anything is known.
const PRIOR: f32 = 100.0;
/// Share of the diagonal that keeps the solution within what an `f32` can tell.
const LOADING: f32 = 1e-5;

/// A filter: what it takes of the playback, the latest first.
pub(super) type Taps = [Lanes; TAPS / 4];
const SILENT: Taps = [Lanes::ZERO; TAPS / 4];
type Square = Box<[[f32; TAPS]]>;

/// Sums over the block that is being heard.
#[derive(Clone, Debug)]
struct Block {
    samples: u32,
    /// The playback before its first sample, the latest first.
    before: [f32; TAPS],
    /// Of the newest sample played times those before it.
    played: Taps,
    /// Of what was heard times what was played.
    heard: Taps,
    /// Squares of what was heard, of the echo made, and their product.
    powers: (f32, f32, f32),
}

impl Block {
    const EMPTY: Self = Self {
        samples: 0,
        before: [0.0; TAPS],
        played: SILENT,
        heard: SILENT,
        powers: (0.0, 0.0, 0.0),
    };
}

/// What a block came to: power of the echo made, and what of it was found in what was heard; both as
/// shares of what was heard, or of what would be left of it if that is more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) made: f32,
    pub(super) found: f32,
}

/// The filter and the sums it is made of.
#[derive(Clone, Debug)]
pub(super) struct LeastSquares {
    taps: Taps,
    block: Block,
    /// Blocks added since nothing was known.
    blocks: u32,
    covariance: Square,
    cross: [f32; TAPS],
    factor: Square,
}

impl LeastSquares {
    pub(super) fn new() -> Self {
        Self {
            taps: SILENT,
            block: Block::EMPTY,
            blocks: 0,
            covariance: vec![[0.0; TAPS]; TAPS].into_boxed_slice(),
            cross: [0.0; TAPS],
            factor: vec![[0.0; TAPS]; TAPS].into_boxed_slice(),
        }
    }

    /// Knows nothing of the line any more.
    pub(super) fn forget(&mut self) {
        self.taps = SILENT;
        self.block = Block::EMPTY;
        self.blocks = 0;
        self.cross.fill(0.0);
        self.covariance.iter_mut().for_each(|row| row.fill(0.0));
    }

    /// What the filter makes of the playback, the latest sample first.
    #[inline]
    pub(super) fn echo(&self, played: &[f32; TAPS]) -> f32 {
        let products = lanes(played).zip(&self.taps).map(|(x, tap)| x * *tap);
        total(products.fold(Lanes::ZERO, |sum, product| sum + product))
    }

    /// The tap in the middle of the filter's power.
    pub(super) fn middle(&self) -> u64 {
        let squares = flat(&self.taps).map(|tap| tap * tap);
        let moment: f32 = squares.iter().enumerate().map(|(n, x)| n as f32 * x).sum();
        (moment / (squares.iter().sum::<f32>() + f32::MIN_POSITIVE)) as u64
    }

    /// The playback before the next block, the latest sample first.
    pub(super) fn begins(&mut self, played: &[f32; TAPS]) {
        self.block = Block::EMPTY;
        self.block.before = *played;
    }

    /// Takes a sample and the echo made of it; says how the block went if it is full.
    #[inline]
    pub(super) fn push(&mut self, played: &[f32; TAPS], heard: f32, echo: f32) -> Option<Outcome> {
        let (newest, sample) = (all(played[0]), all(heard));
        let block = &mut self.block;
        let sums = block.played.iter_mut().zip(&mut block.heard);
        for (x, (row, cross)) in lanes(played).zip(sums) {
            *row += newest * x;
            *cross += sample * x;
        }
        block.powers.0 += heard * heard;
        block.powers.1 += echo * echo;
        block.powers.2 += heard * echo;
        block.samples += 1;
        (block.samples == BLOCK).then(|| self.learn(played))
    }

    /// The block is full: it is added, and the filter made anew.
    fn learn(&mut self, played: &[f32; TAPS]) -> Outcome {
        let (heard, made, found) = self.block.powers;
        let left = (heard - 2.0 * found + made).max(0.0);
        let weight = 1.0 / (left / BLOCK as f32 + QUANTISATION);
        let whole = heard.max(left) + BLOCK as f32 * QUANTISATION;
        let outcome = Outcome {
            made: made / whole,
            found: found / whole,
        };
        self.add(played, weight);
        self.begins(played);
        self.blocks = self.blocks.wrapping_add(1);
        let due = self.blocks < SOON || self.blocks.is_multiple_of(SELDOM);
        if due && self.factorise() {
            self.solve();
        }
        outcome
    }

    /// Adds the block's sums, of the covariance those up to the diagonal. Each row of it is the one above,
    /// moved on by one place and one sample.
    fn add(&mut self, played: &[f32; TAPS], weight: f32) {
        let first = flat(&self.block.played);
        let (before, last) = (&self.block.before, played);
        let mut above = [0.0; TAPS];
        for (i, sums) in self.covariance.iter_mut().enumerate() {
            let mut row = [0.0; TAPS];
            row[0] = first[i];
            if i > 0 {
                let (came, went) = (before[i - 1], last[i - 1]);
                let moved = row[1..=i].iter_mut().zip(&above);
                for ((new, above), (b, l)) in moved.zip(before.iter().zip(last)) {
                    *new = above + came * b - went * l;
                }
            }
            fade_and_add(&mut sums[..=i], &row, weight);
            above = row;
        }
        fade_and_add(&mut self.cross, &flat(&self.block.heard), weight);
    }

    /// The Cholesky factor of the covariance; false where rounding has spoilt it.
    fn factorise(&mut self) -> bool {
        let loading = PRIOR + LOADING * self.covariance[0][0];
        for i in 0..TAPS {
            let (above, below) = self.factor.split_at_mut(i);
            let row = &mut below[0];
            row.fill(0.0);
            for j in 0..i {
                let rest = self.covariance[i][j] - dot(row, &above[j], j);
                row[j] = rest * above[j][j];
            }
            let rest = self.covariance[i][i] + loading - dot(row, row, i);
            if rest <= 0.0 {
                return false;
            }
            // The inverse, which is what is needed.
            row[i] = rest.sqrt().recip();
        }
        true
    }

    fn solve(&mut self) {
        let mut x = [0.0; TAPS];
        for i in 0..TAPS {
            let row = &self.factor[i];
            x[i] = (self.cross[i] - dot(row, &x, i)) * row[i];
        }
        for i in (0..TAPS).rev() {
            let row = &self.factor[i];
            x[i] *= row[i];
            let known = x[i];
            for (value, factor) in x[..i].iter_mut().zip(row) {
                *value -= known * factor;
            }
        }
        for (tap, four) in self.taps.iter_mut().zip(lanes(&x)) {
            *tap = four;
        }
    }
}

fn fade_and_add(sums: &mut [f32], new: &[f32; TAPS], weight: f32) {
    for (sum, new) in sums.iter_mut().zip(new) {
        *sum = KEPT * *sum + weight * new;
    }
}

/// The sum of the first `count` products. What lies behind them in one of the two is nought.
#[inline]
fn dot(one: &[f32; TAPS], other: &[f32; TAPS], count: usize) -> f32 {
    let fours = count.div_ceil(4);
    let products = lanes(one).zip(lanes(other)).take(fours).map(|(a, b)| a * b);
    total(products.fold(Lanes::ZERO, |sum, product| sum + product))
}

fn flat(taps: &Taps) -> [f32; TAPS] {
    let mut out = [0.0; TAPS];
    for (four, lane) in out.as_chunks_mut().0.iter_mut().zip(taps) {
        *four = lane.to_array();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    /// What is left of the echo, dB beside the echo, in the last of so many seconds of a playback; from the
    /// second on another sound of this amplitude (425 Hz) is heard too, which does not count.
    fn left_db(seconds: usize, tone: f32) -> f32 {
        let mut rng = Rng::with_seed(5);
        let mut filter = LeastSquares::new();
        let mut line = [0.0; TAPS];
        filter.begins(&line);
        let (mut whole, mut rest) = (0.0, 0.0);
        for n in 0..8000 * seconds {
            line.copy_within(..TAPS - 1, 1);
            // Coloured as a voice is, and with its pauses.
            let loud = if n / 3000 % 3 == 2 { 0.001 } else { 0.1 };
            line[0] = 0.8 * line[1] + loud * (rng.f32() - 0.5);
            let echo = 0.4 * line[30] - 0.2 * line[33] + 0.1 * line[41];
            let cycles = (0.053_125 * n as f64).fract() as f32;
            let other = if n < 8000 { 0.0 } else { tone };
            let beside = other * (cycles * std::f32::consts::TAU).sin();
            let made = filter.echo(&line);
            filter.push(&line, echo + beside, made);
            if n + 8000 >= 8000 * seconds {
                whole += echo * echo;
                rest += (echo - made).powi(2);
            }
        }
        10.0 * (rest / whole).log10()
    }

    #[test]
    fn it_learns_the_line_in_a_second() {
        assert!(left_db(2, 0.0) < -50.0, "{}", left_db(2, 0.0));
    }

    #[test]
    fn a_tone_much_louder_than_the_echo_does_not_bend_it() {
        let left = left_db(12, 0.5);
        assert!(left < -25.0, "{left}");
    }
}
