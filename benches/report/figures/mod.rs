//! The figures, one file for each.

pub(crate) mod crash;
pub(crate) mod duplex;
pub(crate) mod fidelity;
pub(crate) mod hour;
pub(crate) mod idle;
pub(crate) mod latency;

/// Half of the values are not above it.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MIN, f64::max)
}

fn lowest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MAX, f64::min)
}
