//! What measured demand will be.

use std::sync::Arc;

use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use crate::types::words::words;
use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use keelson_app::answers::capacity::{BandPoint, DayPoint, DemandLimit, ForecastLine};

words! {
    /// How a forecast was made: the step of the ladder that did best.
    ForecastMethod = keelson_app::answers::capacity::ForecastMethod {
        /// As a season ago, or as last.
        SeasonalNaive,
        /// A straight line that outliers do not bend, and the median of each day of the season.
        RobustTrend,
        /// Seasons taken off by locally weighted regression, the rest smoothed exponentially.
        Decomposition,
        /// Level, slope and season smoothed exponentially.
        HoltWinters,
        /// The same with a slope that fades.
        DampedHoltWinters,
    }
}

/// What the demand on a service will be.
#[derive(SimpleObject)]
pub struct DemandForecast {
    /// The service.
    item: Option<ConfigurationItem>,
    /// The unit of all values.
    unit: String,
    /// How it was made.
    method: ForecastMethod,
    /// Its mean absolute error at rolling origins, in errors of the naive method (MASE); absent where it could not be tried.
    error: Option<f64>,
    /// How many days its history has, since the last lasting change of level.
    days: usize,
    /// How many of them are gaps.
    gaps: usize,
    /// How many lasting changes of level were found before.
    changes: usize,
    /// The share of what came that lay within the intervals, where that could be tried.
    coverage: Option<f64>,
    /// The share that should have.
    nominal: Option<f64>,
    /// Growth per month that the middle of the forecast comes to.
    growth_per_month: Option<f64>,
    /// The history: a point a day, thinned to the highest where there are many, the last as it is; the first 100.
    history: Vec<MeasuredDay>,
    /// The forecast, with what is supposed; thinned to the highest where there are many days; the first 100.
    band: Vec<ForecastDay>,
    /// The lowest demand on the service at which a resource is at its limit, where one is.
    limit: Option<f64>,
    /// The resource it is, by key.
    limited_by: Option<String>,
    /// The day by which to decide on that resource.
    decide_by: Option<DateTime<Utc>>,
    /// The lowest limits, at most three; the first is that of the resource named.
    limits: Vec<ServiceDemandLimit>,
}

/// The demand on a service at which a resource is at its planning limit.
#[derive(SimpleObject)]
pub struct ServiceDemandLimit {
    /// The resource.
    item: Option<ConfigurationItem>,
    /// The demand on the service, everything else staying as it is.
    limit: f64,
    /// The day by which to decide on the resource, where it runs out within the months looked ahead.
    decide_by: Option<DateTime<Utc>>,
    /// The day on which it runs out.
    exhausted_at: Option<DateTime<Utc>>,
}

impl ServiceDemandLimit {
    pub(super) fn of(at: &Arc<Moment>, line: &DemandLimit) -> Self {
        Self {
            item: by_key(at, &line.resource),
            limit: line.limit,
            decide_by: line.decide_by,
            exhausted_at: line.exhausted_at,
        }
    }
}

impl DemandForecast {
    pub(super) fn of(at: &Arc<Moment>, line: &ForecastLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            unit: line.unit.clone(),
            method: line.method.into(),
            error: line.error,
            days: line.days,
            gaps: line.gaps,
            changes: line.changes,
            coverage: line.coverage,
            nominal: line.nominal,
            growth_per_month: line.growth_per_month,
            history: line.history.iter().take(LONGEST_LIST).map(|one| MeasuredDay::of(at, one)).collect(),
            band: line.band.iter().take(LONGEST_LIST).map(|one| ForecastDay::of(at, one)).collect(),
            limit: line.limit,
            limited_by: line.limited_by.clone(),
            decide_by: line.decide_by,
            limits: line.limits.iter().take(LONGEST_LIST).map(|one| ServiceDemandLimit::of(at, one)).collect(),
        }
    }
}

/// A day to come.
#[derive(SimpleObject)]
pub struct ForecastDay {
    /// The midnight, UTC, at which it begins.
    day: DateTime<Utc>,
    /// Its peak is above this with a chance of nine in ten.
    low: f64,
    /// Its peak is as likely above this as below.
    middle: f64,
    /// Its peak is above this with a chance of one in ten.
    high: f64,
}

impl ForecastDay {
    pub(super) fn of(_at: &Arc<Moment>, line: &BandPoint) -> Self {
        Self { day: line.day, low: line.low, middle: line.middle, high: line.high }
    }
}

/// A day and its peak.
#[derive(SimpleObject)]
pub struct MeasuredDay {
    /// The midnight, UTC, at which it begins.
    day: DateTime<Utc>,
    /// Its peak.
    value: f64,
}

impl MeasuredDay {
    pub(super) fn of(_at: &Arc<Moment>, line: &DayPoint) -> Self {
        Self { day: line.day, value: line.value }
    }
}
