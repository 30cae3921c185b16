//! Measured series as answers see them: a value a day, its peak.
//!
//! The peak of a day is its 95th percentile, which one-off spikes do not move (analyses 4.4), or the median of its busiest
//! hour where that is more: what lasts an hour every day is no spike. Days without a point are
//! gaps. Whoever loads a view for a question about the future lays the series beside it ([`View::with_series`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_catalogue::CiIx;
use keelson_forecast::series::{DAY, Days, Sample, daily};
use keelson_model::Metric;

use keelson_graph::ItemIx;

use crate::attributes::{amount, capacity};
pub use crate::profile::Profile;
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, View};

/// A series that ended longer ago than this many days does not tell what is asked now.
const STALE_DAYS: i64 = 62;
/// Series with points that are not taken, and named.
const MOST_NAMED: usize = 5;
/// Days of a series that tell its peak now.
const RECENT_DAYS: usize = 28;

/// A series with a value a day.
#[derive(Clone, Debug, PartialEq)]
pub struct DailySeries {
    /// The unit of its values.
    pub unit: String,
    /// The midnight, UTC, at which the first day begins.
    pub first: DateTime<Utc>,
    /// A value a day; NaN where nothing was measured.
    pub values: Vec<f64>,
    /// How many points it is made of.
    pub points: u64,
    /// Who measured.
    pub sources: Vec<String>,
    /// How its values go through the day; absent where it was not measured by hour.
    pub profile: Option<Profile>,
}

impl DailySeries {
    /// The series of points in milliseconds since 1970; absent where there is none, or the first and the last lie three
    /// hundred years apart.
    #[must_use]
    pub fn of(unit: &str, points: &[(i64, f64)], sources: Vec<String>) -> Option<Self> {
        let samples: Vec<Sample> =
            points.iter().map(|(at, value)| Sample { at: at.div_euclid(1_000), value: *value }).collect();
        let found = daily(&samples, Days::PEAKS).ok().filter(|found| !found.values.is_empty())?;
        let first = DateTime::from_timestamp(found.first.checked_mul(DAY)?, 0)?;
        Some(Self {
            unit: unit.to_owned(),
            first,
            values: found.values,
            points: points.len() as u64,
            sources,
            profile: Profile::of(points),
        })
    }

    /// The day of a place in the series.
    #[must_use]
    pub fn day(&self, place: usize) -> DateTime<Utc> {
        self.first + TimeDelta::days(i64::try_from(place).unwrap_or(i64::MAX / DAY))
    }

    /// The highest daily peak of the last four weeks that were measured.
    #[must_use]
    pub fn recent_peak(&self) -> Option<f64> {
        self.values.iter().rev().filter(|value| !value.is_nan()).take(RECENT_DAYS).copied().reduce(f64::max)
    }

    /// The last value that was measured.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.values.iter().rev().copied().find(|value| !value.is_nan())
    }
}

/// The series of a view, by item and metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesBook {
    series: BTreeMap<(u32, Metric), DailySeries>,
    /// Points that were not looked at because there are too many.
    pub left_out: u64,
    /// Points that are not taken, in words, each with the reason.
    pub set_aside: Vec<String>,
}

impl SeriesBook {
    /// Adds a series.
    pub fn add(&mut self, ix: CiIx, metric: Metric, series: DailySeries) {
        self.series.insert((ix.0, metric), series);
    }

    /// The series of an item.
    #[must_use]
    pub fn get(&self, ix: CiIx, metric: Metric) -> Option<&DailySeries> {
        self.series.get(&(ix.0, metric))
    }

    /// The items with a series of a metric, ascending.
    pub fn items(&self, metric: Metric) -> impl Iterator<Item = CiIx> + '_ {
        self.series.keys().filter(move |(_, known)| *known == metric).map(|(ix, _)| CiIx(*ix))
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

/// The measured demand on a service, where it tells what is asked of it now.
///
/// # Errors
/// When there is one that does not, with the reason in words: it ended long ago, or its unit is another than that of the
/// demand that is stated, so that one of both would be taken for something else.
pub(crate) fn demand_series(view: &View, service: ItemIx, now: DateTime<Utc>) -> Result<Option<&DailySeries>, String> {
    let Some(series) = view.series(ci_of(service), Metric::Demand) else { return Ok(None) };
    let key = key_of(&view.catalogue, service);
    let stated = amount(view, service, "peak_demand");
    if let Some(stated) = stated.filter(|stated| stated.unit != series.unit) {
        return Err(format!(
            "the measured demand on '{key}' is in {}, and its stated peak_demand in {}: the stated one is taken",
            series.unit, stated.unit
        ));
    }
    match stale(series, now) {
        Some(ended) => Err(format!("the measured demand on '{key}' {ended}")),
        None => Ok(Some(series)),
    }
}

/// The unit in which demand on an item is stated, or else measured.
pub(crate) fn demand_unit(view: &View, service: ItemIx) -> Option<String> {
    let stated = amount(view, service, "peak_demand").map(|stated| stated.unit);
    stated.or_else(|| view.series(ci_of(service), Metric::Demand).map(|series| series.unit.clone()))
}

/// When a series ended, in words, if that is too long ago for it to tell what is asked now.
fn stale(series: &DailySeries, now: DateTime<Utc>) -> Option<String> {
    let ended = series.day(series.values.len());
    (now - ended > TimeDelta::days(STALE_DAYS)).then(|| {
        format!("ended on {}, more than {STALE_DAYS} days ago: it is not taken for today's", ended.format("%Y-%m-%d"))
    })
}

/// The measured use of an item, and what turns its values into shares of the capacity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UseSeries<'a> {
    pub(crate) series: &'a DailySeries,
    pub(crate) scale: f64,
}

/// The measured use of an item, where it tells how much of it is in use now. It may be a share (unit `1`), per cent, or
/// an amount in the unit of its capacity.
///
/// # Errors
/// When it does not, with the reason in words: it ended long ago, or is in a unit that says nothing about the capacity.
pub(crate) fn use_series(view: &View, item: ItemIx, now: DateTime<Utc>) -> Result<Option<UseSeries<'_>>, String> {
    let Some(series) = view.series(ci_of(item), Metric::Utilisation) else { return Ok(None) };
    let key = key_of(&view.catalogue, item);
    let stated = capacity(view, item).filter(|capacity| capacity.unit == series.unit);
    let scale = match (series.unit.as_str(), stated) {
        (_, Some(capacity)) => 1.0 / capacity.value,
        ("1", None) => 1.0,
        ("%" | "percent", None) => 0.01,
        (unit, None) => {
            return Err(format!(
                "the measured use of '{key}' is in {unit}, which is neither a share nor the unit of its capacity: it is \
                 not taken"
            ));
        }
    };
    match stale(series, now) {
        Some(ended) => Err(format!("the measured use of '{key}' {ended}")),
        None => Ok(Some(UseSeries { series, scale })),
    }
}

impl View {
    /// The view with series beside it.
    #[must_use]
    pub fn with_series(&self, book: Arc<SeriesBook>) -> Self {
        Self { series: Some(book), ..self.clone() }
    }

    /// The series of an item, where one was laid beside the view.
    #[must_use]
    pub fn series(&self, ix: CiIx, metric: Metric) -> Option<&DailySeries> {
        self.series.as_deref()?.get(ix, metric)
    }

    /// The items with a series of a metric, ascending.
    pub fn measured(&self, metric: Metric) -> impl Iterator<Item = CiIx> + '_ {
        self.series.as_deref().into_iter().flat_map(move |book| book.items(metric))
    }

    /// Says which measured points are not looked at, and why.
    pub(crate) fn note_series(&self, basis: &mut Basis) {
        let Some(book) = self.series.as_deref() else { return };
        if book.left_out > 0 {
            let message = format!("{} measured points were not looked at: there are too many", book.left_out);
            basis.limit(LimitCode::Items, message);
        }
        for reason in book.set_aside.iter().take(MOST_NAMED) {
            basis.limit(LimitCode::FigureMissing, reason.clone());
        }
        if let Some(more) = book.set_aside.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
            let message = format!("points of {more} more series are not taken, for reasons alike");
            basis.limit(LimitCode::FigureMissing, message);
        }
    }
}
