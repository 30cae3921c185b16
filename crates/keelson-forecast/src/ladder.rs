//! What a series will be, how sure that is, and when it passes a limit (analyses 4.4).
//!
//! Methods form a ladder, from the plainest to the most demanding ([`Method`]). Each is asked to
//! forecast what is known already, from several points of the past (rolling origins); its mean
//! absolute scaled error (MASE) decides. A step needs as much history as it needs, or the ladder ends
//! one step lower; a step that does not beat the one below by a per cent is not taken, and one that
//! does not beat the plainest never. A lasting change of level ends the history that is used.
//!
//! Intervals are quantiles of the errors made at those origins, by how far ahead they were made, not
//! what a model thinks of itself. They never narrow with distance; beyond the farthest distance that
//! could be tried they widen with the square root of it. [`Forecast::score`] says how such intervals,
//! made from the earlier origins, held at the later ones.

mod band;
mod intervals;
mod methods;

use std::ops::Range;

pub use band::{Band, Chance, LEVELS, Passing};
pub use methods::Method;

use crate::{
    ForecastError,
    changes::{Change, changes},
    score::{IntervalScore, naive_error},
    statistics::{count_observed, real},
};

/// Values, gaps left out, that a series must have.
pub const MIN_VALUES: usize = 8;

/// Values at the end of a series that are looked at; what lies further back is left out.
pub const MAX_HISTORY: usize = 20_000;

/// Steps a forecast may go ahead.
pub const MAX_HORIZON: usize = 20_000;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The series, earliest first; NaN is a gap.
    pub values: &'a [f64],
    /// Steps in each season, for instance 7 and 365 for daily values. Empty when there is none.
    pub seasons: &'a [usize],
    /// Steps to look ahead.
    pub horizon: usize,
    /// No forecast lies below this: 0 for what cannot be negative.
    pub floor: f64,
    /// Whether a lasting change of level ends the history.
    pub resets: bool,
}

impl<'a> Question<'a> {
    /// What a series that cannot be negative will be.
    #[must_use]
    pub fn about(values: &'a [f64], seasons: &'a [usize], horizon: usize) -> Self {
        Self { values, seasons, horizon, floor: 0.0, resets: true }
    }
}

/// A step of the ladder and how it did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The method.
    pub method: Method,
    /// Its mean absolute error at the rolling origins in naive errors (MASE); `None` if the history
    /// is too short, or has too many gaps, for it to be tried.
    pub error: Option<f64>,
}

/// A forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The method used.
    pub method: Method,
    /// The season it was used with, in steps; 1 when none was.
    pub season: usize,
    /// All methods and how they did.
    pub ladder: Vec<Step>,
    /// The quantiles, a step each; the first is the one after the last value of the series.
    pub band: Band,
    /// The places of the series that were used: those since the last change, at most
    /// [`MAX_HISTORY`].
    pub history: Range<usize>,
    /// Gaps among them.
    pub gaps: usize,
    /// The lasting changes of level found, earliest first.
    pub changes: Vec<Change>,
    /// From how many points of the past the methods were tried.
    pub origins: usize,
    /// How many steps ahead they were tried; intervals beyond are an extrapolation.
    pub tried_ahead: usize,
    /// How the intervals held; `None` when there are too few origins, or the series is constant.
    pub score: Option<IntervalScore>,
}

/// Forecasts a series.
///
/// # Errors
/// When the series has fewer than [`MIN_VALUES`] values, a value is infinite, or the horizon is 0 or
/// above [`MAX_HORIZON`].
pub fn forecast(question: &Question<'_>) -> Result<Forecast, ForecastError> {
    check(question)?;
    let values = question.values;
    let from = values.len().saturating_sub(MAX_HISTORY);
    let longest = methods::fitting_season(&values[from..], question.seasons);
    let mut found = if question.resets { changes(&values[from..], longest) } else { Vec::new() };
    for change in &mut found {
        change.at += from;
    }
    let enough = |start: &usize| count_observed(&values[*start..]) >= MIN_VALUES;
    let start = found.iter().map(|change| change.at).rfind(enough).unwrap_or(from);
    let history = &values[start..];

    let trials = Trials::of(history, question);
    let (method, ladder) = trials.choose();
    let errors = trials.errors(method);
    let points = method.forecast(history, question.seasons, question.horizon).unwrap_or_default();
    let widths = intervals::widths(&errors, trials.ahead);
    let season = methods::fitting_season(history, question.seasons);
    Ok(Forecast {
        method,
        season,
        ladder,
        band: intervals::band(&points, &widths, question.floor),
        history: start..values.len(),
        gaps: history.len() - count_observed(history),
        changes: found,
        origins: trials.origins.len(),
        tried_ahead: trials.ahead,
        score: intervals::score(&errors, &trials.origins, trials.ahead, trials.scale),
    })
}

fn check(question: &Question<'_>) -> Result<(), ForecastError> {
    if let Some(&value) = question.values.iter().find(|value| value.is_infinite()) {
        return Err(ForecastError::BadNumber {
            what: "a value of the series",
            value,
            wanted: "finite, or NaN for a gap",
        });
    }
    let have = count_observed(question.values);
    if have < MIN_VALUES {
        return Err(ForecastError::TooShort { have, need: MIN_VALUES });
    }
    if question.horizon == 0 {
        return Err(ForecastError::BadNumber { what: "the horizon", value: 0.0, wanted: "1 step or more" });
    }
    if question.horizon > MAX_HORIZON {
        let (size, limit) = (question.horizon as u64, MAX_HORIZON as u64);
        return Err(ForecastError::TooLarge { what: "a forecast of so many steps", size, limit });
    }
    Ok(())
}

/// An error of a forecast made in the past.
#[derive(Clone, Copy, Debug)]
struct Miss {
    /// From where it was made.
    origin: usize,
    /// How many steps ahead, from 1.
    ahead: usize,
    /// What came less what was forecast.
    error: f64,
}

/// Forecasts made in the past, by every method that could.
struct Trials {
    origins: Vec<usize>,
    ahead: usize,
    /// The naive error of the history; `None` if there is none to scale by.
    scale: Option<f64>,
    tried: Vec<(Method, Option<Vec<Miss>>)>,
}

impl Trials {
    /// Origins tried in a short series; a long one is tried from fewer.
    const ORIGINS: usize = 24;

    fn of(history: &[f64], question: &Question<'_>) -> Self {
        let n = history.len();
        let season = methods::fitting_season(history, question.seasons);
        let ahead = question.horizon.min(n / 4).max(1);
        let last = n - ahead;
        // Half of the history, and two seasons so that every method can be tried, come before the first.
        let first = (n / 2).max(if season > 1 { 2 * season } else { 4 }).min(last);
        let count = (200_000 / n).clamp(8, Self::ORIGINS).min(last - first + 1);
        let origins: Vec<usize> = (0..count).map(|at| first + (last - first) * at / (count - 1).max(1)).collect();
        let naive = naive_error(history, season).filter(|error| *error > 0.0);
        let tried =
            Method::LADDER.map(|method| (method, misses(method, history, question.seasons, &origins, ahead))).to_vec();
        Self { origins, ahead, scale: naive, tried }
    }

    /// The method to use, and how all did.
    fn choose(&self) -> (Method, Vec<Step>) {
        let error = |misses: &Option<Vec<Miss>>| {
            let misses = misses.as_ref().filter(|misses| !misses.is_empty())?;
            let sum: f64 = misses.iter().map(|miss| miss.error.abs()).sum();
            Some(sum / real(misses.len()) / self.scale.unwrap_or(1.0))
        };
        let ladder: Vec<Step> =
            self.tried.iter().map(|(method, misses)| Step { method: *method, error: error(misses) }).collect();
        let mut best = (Method::SeasonalNaive, ladder[0].error.unwrap_or(f64::INFINITY));
        for step in &ladder[1..] {
            if let Some(error) = step.error.filter(|error| *error < 0.99 * best.1) {
                best = (step.method, error);
            }
        }
        (best.0, ladder)
    }

    fn errors(&self, method: Method) -> Vec<Miss> {
        let found = self.tried.iter().find(|(known, _)| *known == method);
        found.and_then(|(_, misses)| misses.clone()).unwrap_or_default()
    }
}

/// The errors of a method at the origins; `None` if it cannot forecast from all of them, as methods
/// are compared over the same ones.
fn misses(method: Method, history: &[f64], seasons: &[usize], origins: &[usize], ahead: usize) -> Option<Vec<Miss>> {
    // Whoever cannot forecast from the end need not be tried.
    method.forecast(history, seasons, 1)?;
    let mut misses = Vec::with_capacity(origins.len() * ahead);
    for &origin in origins {
        let points = method.forecast(&history[..origin], seasons, ahead)?;
        for (ahead, (point, came)) in (1..).zip(points.iter().zip(&history[origin..])) {
            if !came.is_nan() {
                misses.push(Miss { origin, ahead, error: came - point });
            }
        }
    }
    Some(misses)
}
