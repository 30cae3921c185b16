//! How demand goes through the day: a share of its peak by hour, on weekdays and at weekends, in UTC.

use chrono::{DateTime, Datelike, Utc, Weekday};
use keelson_forecast::quantile;
use keelson_forecast::series::DAY;
use keelson_graph::ItemIx;
use keelson_model::{Metric, Value};

use crate::View;
use crate::subject::{ci_of, key_of};

/// Hours in a day.
pub(crate) const HOURS: usize = 24;
/// The attribute that states a profile: 24 shares of the peak, by hour, UTC.
const STATED: &str = "demand_profile";
/// Days before the last point that tell a profile.
const RECENT_DAYS: i64 = 28;
/// Points that every hour must have.
const LEAST_POINTS: usize = 2;
/// The part of the points of an hour that its share is not below, as with the peak of a day.
const FRACTION: f64 = 0.95;
/// Seconds in an hour.
const HOUR: i64 = 3_600;

/// The days an hour belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Days {
    /// Monday to Friday.
    Weekdays,
    /// Saturday and Sunday.
    Weekend,
}

impl Days {
    pub(crate) const ALL: [Self; 2] = [Self::Weekdays, Self::Weekend];

    /// Those that a moment belongs to, in UTC.
    pub(crate) fn of(at: DateTime<Utc>) -> Self {
        match at.weekday() {
            Weekday::Sat | Weekday::Sun => Self::Weekend,
            _ => Self::Weekdays,
        }
    }
}

/// Shares of the peak by hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    weekdays: [f64; HOURS],
    weekend: [f64; HOURS],
}

impl Profile {
    /// The profile of points in milliseconds since 1970: the 95th percentile of each hour over the last four weeks, as a
    /// share of the highest. Absent unless every hour of weekdays and weekends was measured twice, and something is asked
    /// at all.
    #[must_use]
    pub fn of(points: &[(i64, f64)]) -> Option<Self> {
        let last = points.iter().map(|(at, _)| at.div_euclid(1_000)).max()?;
        let mut hours: Vec<Vec<f64>> = vec![Vec::new(); 2 * HOURS];
        for (at, value) in points.iter().filter(|(_, value)| value.is_finite()) {
            let at = at.div_euclid(1_000);
            if last - at >= RECENT_DAYS * DAY {
                continue;
            }
            // The first of January 1970 was a Thursday; 0 is a Sunday.
            let weekday = (at.div_euclid(DAY) + 4).rem_euclid(7);
            let hour = usize::try_from(at.rem_euclid(DAY) / HOUR).ok()?;
            let from = if weekday == 0 || weekday == 6 { HOURS } else { 0 };
            hours[from + hour].push(*value);
        }
        if hours.iter().any(|values| values.len() < LEAST_POINTS) {
            return None;
        }
        let highs: Vec<f64> = hours.iter().filter_map(|values| quantile(values, FRACTION)).collect();
        let peak = highs.iter().copied().fold(0.0, f64::max);
        let share = |at: usize| highs.get(at).map_or(1.0, |high| high.max(0.0) / peak);
        (peak > 0.0).then(|| Self {
            weekdays: std::array::from_fn(share),
            weekend: std::array::from_fn(|hour| share(HOURS + hour)),
        })
    }

    /// The share of the peak in an hour.
    pub(crate) fn share(&self, days: Days, hour: usize) -> f64 {
        let hours = match days {
            Days::Weekdays => &self.weekdays,
            Days::Weekend => &self.weekend,
        };
        hours.get(hour).copied().unwrap_or(1.0)
    }
}

/// Where a profile comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Measured,
    Stated,
}

/// The profile of the demand on a service: as measured, where its demand is; or else as stated.
///
/// # Errors
/// When one is stated that is none, with the reason in words.
pub(crate) fn profile(view: &View, service: ItemIx, is_measured: bool) -> Result<Option<(Profile, Origin)>, String> {
    let series = view.series(ci_of(service), Metric::Demand).filter(|_| is_measured);
    if let Some(found) = series.and_then(|series| series.profile.clone()) {
        return Ok(Some((found, Origin::Measured)));
    }
    let Some(value) = view.catalogue.ci(ci_of(service)).attribute(STATED) else { return Ok(None) };
    let Value::List(values) = value else { return Ok(None) };
    let shares: Vec<f64> =
        values.iter().filter_map(Value::as_f64).filter(|share| (0.0..=1.0).contains(share)).collect();
    match <[f64; HOURS]>::try_from(shares) {
        Ok(hours) if values.len() == HOURS => Ok(Some((Profile { weekdays: hours, weekend: hours }, Origin::Stated))),
        _ => Err(format!(
            "the '{STATED}' of '{}' is not 24 shares between 0 and 1, one for each hour: it is not taken",
            key_of(&view.catalogue, service)
        )),
    }
}
