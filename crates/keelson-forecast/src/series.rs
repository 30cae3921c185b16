//! From samples to a series with a value a day.

use crate::{ForecastError, quantile};

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// A sample: when, in seconds, and how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Seconds since whatever the caller counts from.
    pub at: i64,
    /// The value; NaN says that nothing is known.
    pub value: f64,
}

/// How days are made of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Days {
    /// The fraction of a day's samples that its value is not below: 0.95 tells peaks from one-off
    /// spikes.
    pub fraction: f64,
    /// How far the place's clocks are ahead, in seconds: its days, not those of Greenwich.
    pub ahead: i64,
    /// Samples a day must have; with fewer it is a gap.
    pub least: usize,
}

impl Days {
    /// The 95th percentile of each day that has a sample, by the clocks of Greenwich.
    pub const PEAKS: Self = Self { fraction: 0.95, ahead: 0, least: 1 };
}

/// A series with a value a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Daily {
    /// Number of the first day, counted from the day that second 0 lies in, by the place's clocks.
    pub first: i64,
    /// A value a day, NaN where there were too few samples.
    pub values: Vec<f64>,
}

/// The longest series of days made: three hundred years.
const MAX_DAYS: u64 = 110_000;

/// Returns a quantile of each day's samples, which may be in any order. Days without enough samples
/// are gaps.
///
/// # Errors
/// When the fraction lies outside 0..=1, or first and last sample are more than three hundred years
/// apart.
pub fn daily(samples: &[Sample], days: Days) -> Result<Daily, ForecastError> {
    if !(0.0..=1.0).contains(&days.fraction) {
        let (what, wanted) = ("the fraction of a day's samples", "between 0 and 1");
        return Err(ForecastError::BadNumber { what, value: days.fraction, wanted });
    }
    let day = |sample: &Sample| sample.at.saturating_add(days.ahead).div_euclid(DAY);
    let mut sorted: Vec<(i64, f64)> =
        samples.iter().filter(|sample| !sample.value.is_nan()).map(|sample| (day(sample), sample.value)).collect();
    sorted.sort_unstable_by_key(|(day, _)| *day);
    let (Some(&(first, _)), Some(&(last, _))) = (sorted.first(), sorted.last()) else {
        return Ok(Daily { first: 0, values: Vec::new() });
    };
    let size = first.abs_diff(last);
    if size >= MAX_DAYS {
        return Err(ForecastError::TooLarge { what: "a series of so many days", size, limit: MAX_DAYS });
    }
    let mut values = vec![f64::NAN; usize::try_from(size).expect("checked against the limit") + 1];
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        if group.len() >= days.least {
            let day: Vec<f64> = group.iter().map(|(_, value)| *value).collect();
            let place = usize::try_from(first.abs_diff(group[0].0)).expect("checked against the limit");
            values[place] = quantile(&day, days.fraction).unwrap_or(f64::NAN);
        }
    }
    Ok(Daily { first, values })
}
