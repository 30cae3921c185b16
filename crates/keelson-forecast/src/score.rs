//! How good forecasts and their intervals were.

use crate::statistics::{count_observed, real};

/// The mean absolute error of saying "as a season ago" (without a season: "as before") over a series:
/// the scale of the mean absolute scaled error (Hyndman and Koehler 2006). `None` if no two values
/// are a season apart.
#[must_use]
pub fn naive_error(values: &[f64], season: usize) -> Option<f64> {
    let season = season.max(1);
    let errors: Vec<f64> = values.iter().skip(season).zip(values).map(|(now, then)| (now - then).abs()).collect();
    let count = count_observed(&errors);
    (count > 0).then(|| errors.iter().filter(|error| !error.is_nan()).sum::<f64>() / real(count))
}

/// An interval and what came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// What came.
    pub came: f64,
}

/// How good intervals were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntervalScore {
    /// The part of what came that should lie within.
    pub nominal: f64,
    /// The part that did.
    pub coverage: f64,
    /// The mean scaled interval score (Gneiting and Raftery 2007): the width, plus what lies outside
    /// times 2 / (1 − nominal), in naive errors. Smaller is better.
    pub msis: f64,
    /// How many intervals were tried.
    pub trials: usize,
}

impl IntervalScore {
    /// How far the coverage is from what it should be.
    #[must_use]
    pub fn miscoverage(&self) -> f64 {
        (self.coverage - self.nominal).abs()
    }
}

/// Scores intervals against what came; `None` without trials, or with a scale of 0.
#[must_use]
pub fn intervals(trials: &[Trial], nominal: f64, naive_error: f64) -> Option<IntervalScore> {
    if trials.is_empty() || naive_error <= 0.0 {
        return None;
    }
    let penalty = 2.0 / (1.0 - nominal);
    let (mut within, mut sum) = (0, 0.0);
    for trial in trials {
        let outside = (trial.low - trial.came).max(trial.came - trial.high).max(0.0);
        within += usize::from(outside == 0.0);
        sum += trial.high - trial.low + penalty * outside;
    }
    let count = real(trials.len());
    Some(IntervalScore {
        nominal,
        coverage: real(within) / count,
        msis: sum / count / naive_error,
        trials: trials.len(),
    })
}
