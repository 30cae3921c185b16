//! What measured demand will be, and when it fills a resource, each with its chance (analyses 4.4).

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::demand::Amounts;
use keelson_catalogue::CiIx;
use keelson_forecast::ladder::{Band, Forecast, LEVELS, Method, Passing, Question, forecast};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DAYS_A_MONTH, Demand};
use crate::series::{DailySeries, demand_series};
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, Subject, View};

/// Days looked ahead at most: beyond two years a forecast of days says nothing.
const MOST_DAYS: f64 = 730.0;
/// Days in a season that daily values may have: a week, a year.
const SEASONS: [usize; 2] = [7, 365];
/// Days of history and of a band that are told; more are thinned.
const MOST_TOLD: usize = 100;
/// Median, and the levels told beside it.
const TOLD: [f64; 3] = [0.1, 0.5, 0.9];

/// How a forecast was made: the step of the ladder that did best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForecastMethod {
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

impl From<Method> for ForecastMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::SeasonalNaive => Self::SeasonalNaive,
            Method::RobustTrend => Self::RobustTrend,
            Method::Decomposition => Self::Decomposition,
            Method::HoltWinters => Self::HoltWinters,
            Method::DampedHoltWinters => Self::DampedHoltWinters,
        }
    }
}

/// A day and its peak.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DayPoint {
    /// The midnight, UTC, at which it begins.
    pub day: DateTime<Utc>,
    /// Its peak.
    pub value: f64,
}

/// A day to come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BandPoint {
    /// The midnight, UTC, at which it begins.
    pub day: DateTime<Utc>,
    /// Its peak is above this with a chance of nine in ten.
    pub low: f64,
    /// Its peak is as likely above this as below.
    pub middle: f64,
    /// Its peak is above this with a chance of one in ten.
    pub high: f64,
}

/// What the demand on a service will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastLine {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// The unit of all values.
    pub unit: String,
    /// How it was made.
    pub method: ForecastMethod,
    /// Its mean absolute error at rolling origins, in errors of the naive method (MASE); absent where it could not be tried.
    pub error: Option<f64>,
    /// How many days its history has, since the last lasting change of level.
    pub days: usize,
    /// How many of them are gaps.
    pub gaps: usize,
    /// How many lasting changes of level were found before.
    pub changes: usize,
    /// The share of what came that lay within the intervals, where that could be tried.
    pub coverage: Option<f64>,
    /// The share that should have.
    pub nominal: Option<f64>,
    /// Growth per month that the middle of the forecast comes to.
    pub growth_per_month: Option<f64>,
    /// The history: a point a day, thinned to the highest where there are many; the last stays as it is.
    pub history: Vec<DayPoint>,
    /// The forecast, with what is supposed; thinned to the highest where there are many days.
    pub band: Vec<BandPoint>,
    /// The lowest demand on the service at which a resource is at its limit, where one is.
    pub limit: Option<f64>,
    /// The resource it is, by key.
    pub limited_by: Option<String>,
    /// The day by which to decide on that resource.
    pub decide_by: Option<DateTime<Utc>>,
    /// The lowest limits, at most three; the first is that of the resource named.
    pub limits: Vec<DemandLimit>,
}

/// The demand on a service at which a resource is at its planning limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DemandLimit {
    /// The resource, by key.
    pub resource: String,
    /// The demand on the service, everything else staying as it is.
    pub limit: f64,
    /// The day by which to decide on the resource, where it runs out within the months looked ahead.
    pub decide_by: Option<DateTime<Utc>>,
    /// The day on which it runs out.
    pub exhausted_at: Option<DateTime<Utc>>,
}

/// The days on which a resource runs out, by chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExhaustionChances {
    /// One chance in ten that it has run out by then: the day to be on the safe side of.
    pub one_in_ten: Option<DateTime<Utc>>,
    /// As likely as not.
    pub even: Option<DateTime<Utc>>,
    /// Nine chances in ten.
    pub nine_in_ten: Option<DateTime<Utc>>,
}

/// A forecast of one service.
pub(super) struct Known<'a> {
    pub(super) service: ItemIx,
    series: &'a DailySeries,
    forecast: Forecast,
    /// What is supposed multiplies it.
    factor: f64,
    /// Whether it is supposed how the demand grows: then it does not go on as it did.
    is_supposed: bool,
}

/// The forecasts of those services whose demand is measured long enough, in the order of the services.
pub(super) fn of<'a>(view: &'a View, services: &[ItemIx], days: usize, now: DateTime<Utc>) -> Vec<Known<'a>> {
    let known = |service: &ItemIx| {
        let series = demand_series(view, *service, now).ok()??;
        let found = forecast_of(series, days)?;
        let factor = view.growth().map_or(1.0, |growth| growth.factor(CiIx(service.0)));
        let is_supposed = view.growth().and_then(|growth| growth.per_month(CiIx(service.0))).is_some();
        Some(Known { service: *service, series, forecast: found, factor, is_supposed })
    };
    services.iter().filter_map(known).collect()
}

/// A forecast whose intervals held less often than this part of what they were meant to was no good in its own past.
const LEAST_HELD: f64 = 0.5;

/// Says of which services the forecast did not hold when it was tried on their own past.
pub(super) fn note(basis: &mut Basis, view: &View, measured: &[Known<'_>], is_wanted: impl Fn(ItemIx) -> bool) {
    let failed = |known: &&Known<'_>| {
        let score = known.forecast.score;
        is_wanted(known.service) && score.is_some_and(|score| score.coverage < LEAST_HELD * score.nominal)
    };
    let failed: Vec<&Known<'_>> = measured.iter().filter(failed).collect();
    let Some((first, score)) = failed.first().and_then(|first| Some((first, first.forecast.score?))) else { return };
    let message = format!(
        "the forecasts of {} services did not hold in their own past, '{}' first: {:.0} % of what came lay within \
         intervals meant for {:.0} %; dates and chances that follow from them may be far off",
        failed.len(),
        key_of(&view.catalogue, first.service),
        score.coverage * 100.0,
        score.nominal * 100.0
    );
    basis.limit(LimitCode::FigureMissing, message);
}

/// Days to look ahead.
pub(super) fn days_in(horizon: f64) -> usize {
    let days = (horizon * DAYS_A_MONTH).clamp(1.0, MOST_DAYS);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just here")]
    let days = days.round() as usize;
    days
}

/// What a series of days will be, if it is long enough.
pub(super) fn forecast_of(series: &DailySeries, days: usize) -> Option<Forecast> {
    forecast(&Question::about(&series.values, &SEASONS, days)).ok()
}

/// Growth per month that the middle of a forecast comes to; of one that falls, until it has halved: what falls evenly, and
/// is taken to fall by the same part each month, would be told too low on the way otherwise.
pub(super) fn growth_of(forecast: &Forecast) -> Option<f64> {
    let middle: Vec<f64> = forecast.band.path(0.5).collect();
    // A week at each end, so that the day of the week does not matter.
    let mean = |values: &[f64]| values.iter().sum::<f64>() / whole(values.len());
    let week = middle.len().min(7);
    let first = mean(&middle[..week]);
    if first <= 0.0 || middle.len() == week {
        return None;
    }
    let lasts = middle.iter().rposition(|value| *value >= first / 2.0).map_or(0, |last| last + 1);
    if lasts <= week {
        return Some(GONE);
    }
    let months = whole(lasts - week) / DAYS_A_MONTH;
    Some((mean(&middle[lasts - week..lasts]) / first).powf(1.0 / months) - 1.0)
}

/// Growth per month of what is gone within a week.
const GONE: f64 = -0.99;

/// The days on which a band passes a limit, by chance.
pub(super) fn days_of(passing: Passing, first: DateTime<Utc>) -> ExhaustionChances {
    let Passing { chance_10, chance_50, chance_90 } = passing;
    let at = |step: Option<usize>| step.map(|step| first + TimeDelta::days(i64::try_from(step).unwrap_or(0)));
    ExhaustionChances { one_in_ten: at(chance_10), even: at(chance_50), nine_in_ten: at(chance_90) }
}

/// The forecast of a service among several, which are sorted by their services.
pub(super) fn of_service<'a, 'b>(forecasts: &'b [Known<'a>], service: ItemIx) -> Option<&'b Known<'a>> {
    forecasts.binary_search_by_key(&service, |one| one.service).ok().map(|at| &forecasts[at])
}

impl Known<'_> {
    /// The day of the first step of the forecast.
    fn begins(&self) -> DateTime<Utc> {
        self.series.day(self.series.values.len())
    }

    /// Growth per month that the middle comes to.
    pub(super) fn growth_per_month(&self) -> Option<f64> {
        growth_of(&self.forecast)
    }

    pub(super) fn line(&self, view: &View) -> ForecastLine {
        let Self { series, forecast, factor, .. } = self;
        let begins = self.begins();
        let step = forecast.ladder.iter().find(|step| step.method == forecast.method);
        let history = series.values.iter().enumerate().filter(|(_, value)| !value.is_nan());
        let history: Vec<DayPoint> =
            history.map(|(at, value)| DayPoint { day: series.day(at), value: *value }).collect();
        let levels: Vec<Vec<f64>> = TOLD.iter().map(|level| forecast.band.path(*level).collect()).collect();
        // The day with the highest middle of every few: picking every so many days would show a wave that is none.
        let every = forecast.band.len().div_ceil(MOST_TOLD).max(1);
        let days: Vec<usize> = (0..forecast.band.len()).collect();
        let highest = |few: &[usize]| few.iter().copied().max_by(|a, b| levels[1][*a].total_cmp(&levels[1][*b]));
        let point = |at: usize| BandPoint {
            day: begins + TimeDelta::days(i64::try_from(at).unwrap_or(0)),
            low: levels[0][at] * factor,
            middle: levels[1][at] * factor,
            high: levels[2][at] * factor,
        };
        ForecastLine {
            subject: Subject::of(&view.catalogue, ci_of(self.service)),
            unit: series.unit.clone(),
            method: forecast.method.into(),
            error: step.and_then(|step| step.error),
            days: forecast.history.len(),
            gaps: forecast.gaps,
            changes: forecast.changes.len(),
            coverage: forecast.score.map(|score| score.coverage),
            nominal: forecast.score.map(|score| score.nominal),
            growth_per_month: self.growth_per_month(),
            history: thinned(&history),
            band: days.chunks(every).filter_map(highest).map(point).collect(),
            limit: None,
            limited_by: None,
            decide_by: None,
            limits: Vec::new(),
        }
    }
}

/// The highest of every few points, and the last as it is.
fn thinned(points: &[DayPoint]) -> Vec<DayPoint> {
    let Some((last, before)) = points.split_last() else { return Vec::new() };
    let every = before.len().div_ceil(MOST_TOLD - 1).max(1);
    let highest = |few: &[DayPoint]| few.iter().copied().max_by(|a, b| a.value.total_cmp(&b.value));
    before.chunks(every).filter_map(highest).chain([*last]).collect()
}

/// The load to come of an item of which services take so much, and the day it begins; absent where no demand on it is
/// forecast. Demand of services without a forecast grows as stated, or as supposed.
pub(super) fn load_of(demand: &Demand, forecasts: &[Known<'_>], taken: &Amounts) -> Option<(Band, DateTime<Utc>)> {
    let using = forecasts.iter().filter(|one| !one.is_supposed && taken.of(one.service) > 0.0);
    let using: Vec<&Known<'_>> = using.collect();
    let first = using.iter().map(|one| one.begins()).max()?;
    let mut bands: Vec<Band> = Vec::new();
    for one in &using {
        let scale = taken.of(one.service) * one.factor;
        let late = usize::try_from((first - one.begins()).num_days()).unwrap_or(0);
        let steps = one.forecast.band.steps().iter().skip(late).map(|step| step.map(|value| value * scale));
        bands.push(Band::new(steps.collect()));
    }
    let days = bands.iter().map(Band::len).min().unwrap_or(0);
    let is_forecast = |service| of_service(forecasts, service).is_some_and(|one| !one.is_supposed);
    let others = demand.growing.iter().filter(|one| !is_forecast(one.source.item));
    let others: Vec<(f64, f64)> = others
        .map(|one| (one.source.demand * taken.of(one.source.item), one.growth))
        .filter(|(load, _)| *load > 0.0)
        .collect();
    if !others.is_empty() {
        let load = |day: usize| -> f64 {
            let months = whole(day) / DAYS_A_MONTH;
            others.iter().map(|(load, growth)| load * (1.0 + growth).powf(months)).sum()
        };
        bands.push(Band::new((0..days).map(|day| [load(day); LEVELS.len()]).collect()));
    }
    let all: Vec<&Band> = bands.iter().collect();
    Band::sum(&all).ok().map(|sum| (sum, first))
}

#[expect(clippy::cast_precision_loss, reason = "counts of days are far below 2^52")]
fn whole(number: usize) -> f64 {
    number as f64
}
