//! Which way a series goes, whatever its outliers do.
//!
//! The slope is the median of the slopes between all pairs of points (Theil 1950, Sen 1968): up to
//! 29 % of the values may be arbitrarily wrong. The Mann–Kendall score counts the pairs that rise
//! less those that fall.

use std::cmp::Ordering;

use crate::statistics::{median_of, real};

/// A straight line through a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Change per step.
    pub slope: f64,
    /// The value at the first step: the median value less the slope times the median time.
    pub intercept: f64,
    /// Pairs that rise less pairs that fall, among those looked at.
    pub score: i64,
    /// Whether all pairs were looked at.
    pub is_exact: bool,
}

impl Trend {
    /// The value of the line at a step, counted from the first value of the series.
    #[must_use]
    pub fn at(&self, step: f64) -> f64 {
        self.intercept + self.slope * step
    }
}

/// Pairs looked at unless something else is said: all pairs of 2 000 points.
pub const MAX_PAIRS: usize = 2_000_000;

/// Returns the trend of a series, the time index running on over gaps; `None` with fewer than two
/// values.
///
/// A series with more pairs than `max_pairs` is answered from pairs at evenly chosen distances, which
/// still weighs every point alike.
#[must_use]
pub fn theil_sen(values: &[f64], max_pairs: usize) -> Option<Trend> {
    let points: Vec<(f64, f64)> =
        values.iter().enumerate().filter(|(_, value)| !value.is_nan()).map(|(at, &value)| (real(at), value)).collect();
    let n = points.len();
    if n < 2 {
        return None;
    }
    let stride = (n * (n - 1) / 2).div_ceil(max_pairs.max(n));
    let (mut slopes, mut score) = (Vec::new(), 0);
    for distance in (1..n).step_by(stride) {
        for (from, to) in points.iter().zip(&points[distance..]) {
            slopes.push((to.1 - from.1) / (to.0 - from.0));
            score += match to.1.total_cmp(&from.1) {
                Ordering::Greater => 1,
                Ordering::Less => -1,
                Ordering::Equal => 0,
            };
        }
    }
    let slope = median_of(&mut slopes)?;
    let (mut times, mut heights): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    let intercept = median_of(&mut heights)? - slope * median_of(&mut times)?;
    Some(Trend { slope, intercept, score, is_exact: stride == 1 })
}
