//! From samples to a series with a value a day.

use crate::{ForecastError, quantile};

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// Seconds in an hour, and hours in a day.
const HOUR: i64 = 3_600;
const HOURS: i64 = 24;

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
    /// Whether a day's value is not below the median of its busiest hour either: the busy hour that telephone networks are
    /// built for (ITU-T E.600), which is but one of 24. Load that lasts most of an hour is no spike.
    pub is_busy_hour: bool,
}

impl Days {
    /// The 95th percentile of each day that has a sample, or its busiest hour where that is more, by the clocks of
    /// Greenwich.
    pub const PEAKS: Self = Self { fraction: 0.95, ahead: 0, least: 1, is_busy_hour: true };
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

/// Returns a quantile of each day's samples, which may be in any order, or its busiest hour if asked for and more. Days
/// without enough samples are gaps.
///
/// # Errors
/// When the fraction lies outside 0..=1, or first and last sample are more than three hundred years
/// apart.
pub fn daily(samples: &[Sample], days: Days) -> Result<Daily, ForecastError> {
    if !(0.0..=1.0).contains(&days.fraction) {
        let (what, wanted) = ("the fraction of a day's samples", "between 0 and 1");
        return Err(ForecastError::BadNumber { what, value: days.fraction, wanted });
    }
    let hour = |sample: &Sample| sample.at.saturating_add(days.ahead).div_euclid(HOUR);
    let known = samples.iter().filter(|sample| !sample.value.is_nan());
    let mut sorted: Vec<(i64, i64, f64)> =
        known.map(|sample| (hour(sample).div_euclid(HOURS), hour(sample), sample.value)).collect();
    sorted.sort_unstable_by_key(|(day, hour, _)| (*day, *hour));
    let (Some(&(first, ..)), Some(&(last, ..))) = (sorted.first(), sorted.last()) else {
        return Ok(Daily { first: 0, values: Vec::new() });
    };
    let size = first.abs_diff(last);
    if size >= MAX_DAYS {
        return Err(ForecastError::TooLarge { what: "a series of so many days", size, limit: MAX_DAYS });
    }
    let mut values = vec![f64::NAN; usize::try_from(size).expect("checked against the limit") + 1];
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        if group.len() >= days.least {
            let all = |group: &[(i64, i64, f64)]| group.iter().map(|(.., value)| *value).collect::<Vec<f64>>();
            let place = usize::try_from(first.abs_diff(group[0].0)).expect("checked against the limit");
            let high = quantile(&all(group), days.fraction);
            let hours = group.chunk_by(|a, b| a.1 == b.1).filter(|_| days.is_busy_hour);
            let busiest = hours.filter_map(|hour| quantile(&all(hour), 0.5)).reduce(f64::max);
            values[place] = high.into_iter().chain(busiest).reduce(f64::max).unwrap_or(f64::NAN);
        }
    }
    Ok(Daily { first, values })
}
