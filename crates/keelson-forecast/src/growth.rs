//! When growth reaches a limit (analyses 4.1).
//!
//! A load is a sum of parts, each growing at a rate of its own, compounded monthly:
//! `Σ load·(1 + growth)^months`. Such a sum is convex in time, so that a load below its limit passes
//! it once at most, and for good.

use crate::{ForecastError, not_negative, search::last_where};

/// A part of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The load today, 0 or above.
    pub load: f64,
    /// Growth per month: 0.02 is 2 %. Above −1.
    pub growth: f64,
}

/// When a limit is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exhaustion {
    /// The load is above the limit today.
    Already,
    /// In so many months.
    In(f64),
    /// Not within the months looked ahead; the load shrinks, or grows too slowly.
    NotWithin(f64),
}

impl Exhaustion {
    /// In how many months, 0 when already; `None` when not within the months looked ahead.
    #[must_use]
    pub fn months(self) -> Option<f64> {
        match self {
            Self::Already => Some(0.0),
            Self::In(months) => Some(months),
            Self::NotWithin(_) => None,
        }
    }
}

/// The load in so many months.
#[must_use]
pub fn load_in(parts: &[Part], months: f64) -> f64 {
    parts.iter().map(|part| part.load * (1.0 + part.growth).powf(months)).sum()
}

/// Returns when a load passes a limit, looking so many months ahead. A load at its limit has not
/// passed it.
///
/// # Errors
/// When a load or the horizon is no number, or below 0; when a growth is not above −1; or when the
/// limit is no number.
pub fn exhaustion(parts: &[Part], limit: f64, horizon: f64) -> Result<Exhaustion, ForecastError> {
    for part in parts {
        not_negative("a load", part.load)?;
        if !(part.growth > -1.0 && part.growth.is_finite()) {
            let wanted = "a finite number above -1";
            return Err(ForecastError::BadNumber { what: "the growth per month", value: part.growth, wanted });
        }
    }
    not_negative("the months to look ahead", horizon)?;
    if !limit.is_finite() {
        return Err(ForecastError::BadNumber { what: "the limit", value: limit, wanted: "a finite number" });
    }
    Ok(match parts {
        _ if load_in(parts, 0.0) > limit => Exhaustion::Already,
        _ if load_in(parts, horizon) <= limit => Exhaustion::NotWithin(horizon),
        [one] => Exhaustion::In((limit / one.load).ln() / one.growth.ln_1p()),
        _ => Exhaustion::In(last_where(0.0, horizon, |months| load_in(parts, months) <= limit)),
    })
}
