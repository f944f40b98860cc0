//! Four numbers at a time: the sums that all of the listener is made of.
//!
//! Where the processor has such registers (SSE2, NEON) four cost what one would; elsewhere they are
//! four plain numbers. The compiler does not find this by itself: it may not reorder sums.

pub(super) use wide::f32x4 as Lanes;

/// The same number four times.
///
/// Written out, here and below: the library's own go through memory in a loop when the compiler
/// optimises for size.
#[inline]
pub(super) fn all(value: f32) -> Lanes {
    Lanes::new([value, value, value, value])
}

/// The sum of the four.
#[inline]
pub(super) fn total(four: Lanes) -> f32 {
    let [a, b, c, d] = four.to_array();
    (a + b) + (c + d)
}

/// The numbers four by four; what is left over beyond a multiple of four is not seen.
pub(super) fn lanes(values: &[f32]) -> impl Iterator<Item = Lanes> {
    values.as_chunks().0.iter().map(|four| Lanes::new(*four))
}

/// The sum of the squares of a multiple of four numbers.
pub(super) fn sum_of_squares(values: &[f32]) -> f32 {
    let squares = lanes(values).map(|four| four * four);
    total(squares.fold(Lanes::ZERO, |sum, square| sum + square))
}
