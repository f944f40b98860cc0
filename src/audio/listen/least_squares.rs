//! The filter that makes the echo of what is played, by least squares over what was played so far.
//!
//! The sums are kept by blocks and each block counts by how little else was heard in it: what the
//! caller says, a key or a tone is no echo, and hardly moves a filter that knew the line before it
//! began. A filter that learns sample by sample (LMS) would bend for it.
//!
//! The sums are of what is [new](super::whitening) in a block: a tone that is heard from the beginning on
//! would else be mimicked by what of the playback has its pitch.

use super::lanes::{Lanes, all, lanes, total};
use super::whitening::{BLOCK, ORDER, Prediction};

/// Taps of the filter: 12 ms.
pub(super) const TAPS: usize = 96;
/// Samples of a block that have as many before them in it as a predictor needs.
const TOLD: usize = BLOCK - ORDER;
/// The filter is made anew after each of the first blocks, and later after one of four: it changes little.
const SOON: u32 = 20;
const SELDOM: u32 = 4;
/// Share of the sums that the next block begins with: they fade within ten seconds of playback.
const KEPT: f32 = 0.995;
/// What is left of the echo is not fainter than what 8 bits make of it: −53 dB.
const QUANTISATION: f32 = 5e-6;
/// A tap is not more than about 0.1, before anything is known.
const PRIOR: f32 = 100.0;
/// Share of the diagonal by which a filter has to be worth its taps.
const LOADING: f32 = 1e-3;

/// A filter: what it takes of the playback, the latest first.
pub(super) type Taps = [Lanes; TAPS / 4];
const SILENT: Taps = [Lanes::ZERO; TAPS / 4];
type Square = Box<[[f32; TAPS]]>;

/// The block that is being heard, and the playback before it; the latest sample first.
#[derive(Clone, Debug)]
struct Block {
    /// Samples still to come; they are in front.
    missing: usize,
    played: [f32; BLOCK + TAPS],
    heard: [f32; BLOCK],
    /// What the filter made of the playback.
    made: [f32; BLOCK],
}

impl Block {
    const EMPTY: Self = Self {
        missing: BLOCK,
        played: [0.0; BLOCK + TAPS],
        heard: [0.0; BLOCK],
        made: [0.0; BLOCK],
    };

    /// What is heard beside the echo; or all of it, where the filter adds more than it takes.
    fn beside(&self, powers: Powers) -> [f32; BLOCK] {
        if powers.left() < powers.heard {
            std::array::from_fn(|n| self.heard[n] - self.made[n])
        } else {
            self.heard
        }
    }
}

/// Squares of what was heard, of the echo made, and their product, summed over a block.
#[derive(Clone, Copy, Debug)]
struct Powers {
    heard: f32,
    made: f32,
    found: f32,
}

impl Powers {
    fn of(heard: &[f32], made: &[f32]) -> Self {
        let sum = |one, other| {
            let products = lanes(one).zip(lanes(other)).map(|(a, b)| a * b);
            total(products.sum())
        };
        Self {
            heard: sum(heard, heard),
            made: sum(made, made),
            found: sum(heard, made),
        }
    }

    /// What is left when the echo made is taken out.
    fn left(self) -> f32 {
        (self.heard - 2.0 * self.found + self.made).max(0.0)
    }

    /// What of the echo made was found in what was heard, as a share of it.
    fn share_found(self) -> f32 {
        self.found / self.made.max(f32::MIN_POSITIVE)
    }
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
    block: Box<Block>,
    /// Blocks added since nothing was known.
    blocks: u32,
    prediction: Prediction,
    covariance: Square,
    cross: [f32; TAPS],
    factor: Square,
}

impl LeastSquares {
    pub(super) fn new() -> Self {
        Self {
            taps: SILENT,
            block: Box::new(Block::EMPTY),
            blocks: 0,
            prediction: Prediction::new(QUANTISATION),
            covariance: vec![[0.0; TAPS]; TAPS].into_boxed_slice(),
            cross: [0.0; TAPS],
            factor: vec![[0.0; TAPS]; TAPS].into_boxed_slice(),
        }
    }

    /// Knows nothing of the line any more.
    pub(super) fn forget(&mut self) {
        self.taps = SILENT;
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
        self.block.missing = BLOCK;
        self.block.played[BLOCK..].copy_from_slice(played);
    }

    /// Takes a sample and the echo made of it; says how the block went if it is full. The playback is
    /// the latest sample first.
    #[inline]
    pub(super) fn push(&mut self, played: &[f32; TAPS], heard: f32, made: f32) -> Option<Outcome> {
        let block = &mut self.block;
        block.missing -= 1;
        block.played[block.missing] = played[0];
        block.heard[block.missing] = heard;
        block.made[block.missing] = made;
        (block.missing == 0).then(|| self.learn(played))
    }

    /// The block is full: it is added, and the filter made anew.
    fn learn(&mut self, played: &[f32; TAPS]) -> Outcome {
        let block = &self.block;
        let raw = Powers::of(&block.heard, &block.made);
        let predictor = self.prediction.predictor(&block.beside(raw));
        let heard: [f32; TOLD] = predictor.residual(&block.heard);
        let made: [f32; TOLD] = predictor.residual(&block.made);
        let new = Powers::of(&heard, &made);
        let floor = TOLD as f32 * QUANTISATION;
        let whole = new.heard.max(new.left()) + floor;
        let outcome = Outcome {
            made: new.made / whole,
            // A filter in the wrong place does well by what is new, and badly where the echo is loud.
            found: new.found.min(new.made * raw.share_found()) / whole,
        };
        self.add(
            &predictor.residual(&block.played),
            &heard,
            TOLD as f32 / (new.left() + floor),
        );
        self.begins(played);
        self.blocks = self.blocks.wrapping_add(1);
        let due = self.blocks < SOON || self.blocks.is_multiple_of(SELDOM);
        if due && self.factorise() {
            self.solve();
        }
        outcome
    }

    /// Adds what is new in a block to the sums, of the covariance to those up to the diagonal. Each row of
    /// it is the one above, moved on by one place and one sample.
    fn add(&mut self, played: &[f32; TOLD + TAPS], heard: &[f32; TOLD], weight: f32) {
        let (first, cross) = products(played, heard);
        let mut above = [0.0; TAPS];
        for (i, sums) in self.covariance.iter_mut().enumerate() {
            let mut row = [0.0; TAPS];
            row[0] = first[i];
            if i > 0 {
                let (before, last) = (&played[TOLD..], &played[..TAPS]);
                let (came, went) = (before[i - 1], last[i - 1]);
                let moved = row[1..=i].iter_mut().zip(&above);
                for ((new, above), (b, l)) in moved.zip(before.iter().zip(last)) {
                    *new = above + came * b - went * l;
                }
            }
            fade_and_add(&mut sums[..=i], &row, weight);
            above = row;
        }
        fade_and_add(&mut self.cross, &cross, weight);
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

/// Sums of each sample played, and of each one heard, times what was played before; the latest first.
fn products(played: &[f32; TOLD + TAPS], heard: &[f32; TOLD]) -> ([f32; TAPS], [f32; TAPS]) {
    let (mut rows, mut crosses) = (SILENT, SILENT);
    let windows = played.windows(TAPS);
    for ((window, newest), sample) in windows.zip(played).zip(heard) {
        let (newest, sample) = (all(*newest), all(*sample));
        let sums = rows.iter_mut().zip(&mut crosses);
        for (x, (row, cross)) in lanes(window).zip(sums) {
            *row += newest * x;
            *cross += sample * x;
        }
    }
    (flat(&rows), flat(&crosses))
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

    /// What is left of the echo, dB beside the echo, in the last of so many seconds of a playback; from
    /// `tone_from` (s) on another sound of this amplitude (425 Hz) is heard too, which does not count.
    fn left_db(seconds: usize, tone: f32, tone_from: usize) -> f32 {
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
            let other = if n < 8000 * tone_from { 0.0 } else { tone };
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
        let left = left_db(2, 0.0, 0);
        assert!(left < -50.0, "{left}");
    }

    #[test]
    fn a_tone_much_louder_than_the_echo_does_not_bend_it() {
        let left = left_db(12, 0.5, 1);
        assert!(left < -25.0, "{left}");
    }

    #[test]
    fn it_learns_the_line_beside_a_tone_20_db_louder_than_the_echo() {
        let left = left_db(2, 0.21, 0);
        assert!(left < -20.0, "{left}");
    }
}
