//! The discrete Fourier transform of 256 complex numbers, four at a time.
//!
//! Radix 4 and self-sorting (Stockham's arrangement): four passes, each reading its four inputs a
//! quarter of the whole apart.

use super::lanes::Lanes;
use std::ops::{Add, Mul, Sub};

/// Complex numbers in a transform.
pub(super) const POINTS: usize = 256;
/// The same, counted by fours.
pub(super) const QUARTER: usize = POINTS / 4;

/// `n` steps of a circle cut into `of`.
pub(super) fn angle(n: f32, of: usize) -> f32 {
    std::f32::consts::TAU * n / of as f32
}

/// A table by its places.
pub(super) fn by_fours<const FOURS: usize>(value: impl Fn(usize) -> f32) -> [Lanes; FOURS] {
    std::array::from_fn(|n| Lanes::new([0, 1, 2, 3].map(|lane| value(4 * n + lane))))
}

/// Four complex numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quad {
    pub(super) re: Lanes,
    pub(super) im: Lanes,
}

impl Quad {
    pub(super) const ZERO: Self = Self::new(Lanes::ZERO, Lanes::ZERO);

    pub(super) const fn new(re: Lanes, im: Lanes) -> Self {
        Self { re, im }
    }

    /// A table of numbers on the unit circle, by their angles.
    pub(super) fn by_fours<const FOURS: usize>(angle: impl Fn(usize) -> f32) -> [Self; FOURS] {
        let re: [Lanes; FOURS] = by_fours(|n| angle(n).cos());
        let im: [Lanes; FOURS] = by_fours(|n| angle(n).sin());
        std::array::from_fn(|n| Self::new(re[n], im[n]))
    }

    /// The first of `from`, then the last three of `before`, the last one first.
    pub(super) fn backwards(from: &Self, before: &Self) -> Self {
        let of = |from: Lanes, before: Lanes| {
            let (from, before) = (from.to_array(), before.to_array());
            Lanes::new([from[0], before[3], before[2], before[1]])
        };
        Self::new(of(from.re, before.re), of(from.im, before.im))
    }

    /// Times the imaginary unit.
    fn quarter_turn(self) -> Self {
        Self::new(-self.im, self.re)
    }
}

impl Add for Quad {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl Sub for Quad {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
}

impl Mul for Quad {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        Self::new(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
        )
    }
}

/// exp(−2πi kn / 256) for k of 1, 2, 3.
type Twiddles = [Quad; 3];

/// Holds the tables.
#[derive(Clone, Debug)]
pub(super) struct Fourier {
    /// For the first pass: n runs along the lanes.
    along: [Twiddles; QUARTER / 4],
    /// For the later ones: n is four times the place, in all lanes.
    across: [Twiddles; QUARTER / 4],
}

impl Fourier {
    pub(super) fn new() -> Self {
        let twiddles = |n: &dyn Fn(usize) -> usize| {
            let [a, b, c]: [[Quad; QUARTER / 4]; 3] =
                [1, 2, 3].map(|k| Quad::by_fours(|at| angle(-((k * n(at)) as f32), POINTS)));
            std::array::from_fn(|n| [a[n], b[n], c[n]])
        };
        Self {
            along: twiddles(&|at| at),
            across: twiddles(&|at| at / 4 * 4),
        }
    }

    /// The transform, without any factor.
    pub(super) fn transform(&self, points: &[Quad; QUARTER]) -> [Quad; QUARTER] {
        let mut one = [Quad::ZERO; QUARTER];
        let mut other = one;
        // The first pass goes along the points, so its four outputs lie across the lanes.
        for (n, twiddles) in self.along.iter().enumerate() {
            let [a, b, c, d] = butterfly(points, n, twiddles);
            let re = Lanes::transpose([a.re, b.re, c.re, d.re]);
            let im = Lanes::transpose([a.im, b.im, c.im, d.im]);
            for lane in 0..4 {
                one[4 * n + lane] = Quad::new(re[lane], im[lane]);
            }
        }
        self.pass(1, &one, &mut other);
        self.pass(4, &other, &mut one);
        self.pass(16, &one, &mut other);
        other
    }

    /// A later pass: `fours` quads one after the other share their twiddles.
    fn pass(&self, fours: usize, from: &[Quad; QUARTER], to: &mut [Quad; QUARTER]) {
        for n in 0..QUARTER / 4 {
            let (group, within) = (n / fours, n % fours);
            let outputs = butterfly(from, n, &self.across[group * fours]);
            let first = within + 4 * group * fours;
            to[first] = outputs[0];
            to[first + fours] = outputs[1];
            to[first + 2 * fours] = outputs[2];
            to[first + 3 * fours] = outputs[3];
        }
    }
}

#[inline]
fn butterfly(from: &[Quad; QUARTER], n: usize, twiddles: &Twiddles) -> [Quad; 4] {
    let even = (from[n], from[n + QUARTER / 2]);
    let odd = (from[n + QUARTER / 4], from[n + 3 * QUARTER / 4]);
    let (even_sum, even_difference) = (even.0 + even.1, even.0 - even.1);
    let (odd_sum, odd_difference) = (odd.0 + odd.1, (odd.0 - odd.1).quarter_turn());
    [
        even_sum + odd_sum,
        (even_difference - odd_difference) * twiddles[0],
        (even_sum - odd_sum) * twiddles[1],
        (even_difference + odd_difference) * twiddles[2],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_that_defines_it() {
        let value = |n: usize| {
            (
                (n * n % 97) as f32 / 48.0 - 1.0,
                (n * 31 % 89) as f32 / 44.0,
            )
        };
        let re: [Lanes; QUARTER] = by_fours(|n| value(n).0);
        let im: [Lanes; QUARTER] = by_fours(|n| value(n).1);
        let points = std::array::from_fn(|n| Quad::new(re[n], im[n]));
        let transformed = Fourier::new().transform(&points);
        for k in 0..POINTS {
            let (mut re, mut im) = (0.0_f64, 0.0_f64);
            for n in 0..POINTS {
                let (x, y) = (f64::from(value(n).0), f64::from(value(n).1));
                let turn = -std::f64::consts::TAU * (k * n % POINTS) as f64 / POINTS as f64;
                re += x * turn.cos() - y * turn.sin();
                im += x * turn.sin() + y * turn.cos();
            }
            let got = transformed[k / 4];
            assert!(
                (f64::from(got.re.to_array()[k % 4]) - re).abs() < 1e-3,
                "{k}"
            );
            assert!(
                (f64::from(got.im.to_array()[k % 4]) - im).abs() < 1e-3,
                "{k}"
            );
        }
    }
}
