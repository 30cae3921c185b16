//! The steps of the ladder.

use crate::{
    changes::{phase_medians, without_season},
    smoothing::{Fitted, Shape, fit},
    statistics::{count_observed, real},
    trend::theil_sen,
};

/// A way to forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// As a season ago; without a season: as last. Needs a value.
    SeasonalNaive,
    /// A straight line that outliers do not bend (Theil–Sen), and the median of each phase about it.
    /// Needs five values; any number of gaps.
    RobustTrend,
    /// Seasons taken off by locally weighted regression (MSTL, Bandara, Hyndman, Bergmeir 2021), the
    /// rest smoothed exponentially, the last season repeated. Needs two full seasons and four values in
    /// five.
    Decomposition,
    /// Level, slope and season smoothed exponentially, all additive (Holt 1957, Winters 1960). Needs two
    /// full seasons.
    HoltWinters,
    /// The same with a slope that fades.
    DampedHoltWinters,
}

/// Seasons longer than this are not smoothed exponentially: each phase would learn too rarely.
const MAX_SMOOTHED_SEASON: usize = 1_000;

/// Pairs of points a line is put through.
const PAIRS: usize = 100_000;

impl Method {
    /// All methods, the plainest first.
    pub const LADDER: [Self; 5] =
        [Self::SeasonalNaive, Self::RobustTrend, Self::Decomposition, Self::HoltWinters, Self::DampedHoltWinters];

    /// Forecasts so many steps; `None` if the history is too short or has too many gaps for it.
    #[must_use]
    pub fn forecast(self, history: &[f64], seasons: &[usize], horizon: usize) -> Option<Vec<f64>> {
        let season = fitting_season(history, seasons);
        match self {
            Self::SeasonalNaive => seasonal_naive(history, season, horizon),
            Self::RobustTrend => robust_trend(history, season, horizon),
            Self::Decomposition => decomposition(history, seasons, horizon),
            Self::HoltWinters => holt_winters(history, season, false, horizon),
            Self::DampedHoltWinters => holt_winters(history, season, true, horizon),
        }
    }
}

/// The longest season that the history holds twice; 1 if there is none.
pub(super) fn fitting_season(history: &[f64], seasons: &[usize]) -> usize {
    seasons.iter().copied().filter(|season| *season > 1 && 2 * season <= history.len()).max().unwrap_or(1)
}

fn seasonal_naive(history: &[f64], season: usize, horizon: usize) -> Option<Vec<f64>> {
    let last = history.iter().rev().copied().find(|value| !value.is_nan())?;
    let n = history.len();
    let known = |phase: usize| {
        let end = n.checked_sub(season)? + phase;
        history[..=end].iter().rev().step_by(season).copied().find(|value| !value.is_nan())
    };
    let phases: Vec<f64> = (0..season).map(|phase| known(phase).unwrap_or(last)).collect();
    Some(phases.into_iter().cycle().take(horizon).collect())
}

fn robust_trend(history: &[f64], season: usize, horizon: usize) -> Option<Vec<f64>> {
    if count_observed(history) < 5 {
        return None;
    }
    let n = history.len();
    let line = theil_sen(&without_season(history, season), PAIRS)?;
    let about: Vec<f64> = history.iter().enumerate().map(|(at, value)| value - line.at(real(at))).collect();
    let added = if season > 1 { phase_medians(&about, season) } else { vec![0.0] };
    Some((n..n + horizon).map(|at| line.at(real(at)) + added[at % season]).collect())
}

fn holt_winters(history: &[f64], season: usize, is_damped: bool, horizon: usize) -> Option<Vec<f64>> {
    if season > MAX_SMOOTHED_SEASON {
        return None;
    }
    fit(history, Shape { season, is_damped }).map(|fitted| fitted.forecast(horizon))
}

fn decomposition(history: &[f64], seasons: &[usize], horizon: usize) -> Option<Vec<f64>> {
    let n = history.len();
    let mut periods: Vec<usize> = seasons.iter().copied().filter(|season| *season > 1 && 2 * season <= n).collect();
    periods.sort_unstable();
    periods.dedup();
    if periods.is_empty() || count_observed(history) * 5 < n * 4 {
        return None;
    }
    let parts = stlrs::Mstl::fit(&bridged(history)?, &periods).ok()?;
    let mut rest: Vec<f64> = parts.trend().iter().zip(parts.remainder()).map(|(trend, rest)| trend + rest).collect();
    // What was only bridged for the decomposition is a gap again.
    for (rest, value) in rest.iter_mut().zip(history) {
        *rest += if value.is_nan() { f64::NAN } else { 0.0 };
    }
    let mut points = smoothed(&rest)?.forecast(horizon);
    for (period, component) in periods.iter().zip(parts.seasonal()) {
        let last = component[n - period..].iter().cycle();
        for (point, added) in points.iter_mut().zip(last) {
            *point += added;
        }
    }
    Some(points)
}

/// Exponential smoothing without a season, damped or not, whichever pays (Akaike's criterion; the
/// damped one has a parameter more).
fn smoothed(values: &[f64]) -> Option<Fitted> {
    let plain = fit(values, Shape { season: 1, is_damped: false })?;
    let damped = fit(values, Shape { season: 1, is_damped: true })?;
    let gain = real(count_observed(values)) * (plain.squared_errors / damped.squared_errors).ln();
    Some(if gain > 2.0 { damped } else { plain })
}

/// The values with gaps bridged by straight lines, and by the nearest value at the ends.
fn bridged(values: &[f64]) -> Option<Vec<f64>> {
    let mut filled = values.to_vec();
    let mut last: Option<(usize, f64)> = None;
    for (at, &value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
        // Before the first value the line is level.
        let (first, from, height) = last.map_or((0, 0, value), |(from, height)| (from + 1, from, height));
        let rise = (value - height) / real(at - from).max(1.0);
        for (step, filled) in (first - from..).zip(&mut filled[first..at]) {
            *filled = height + rise * real(step);
        }
        last = Some((at, value));
    }
    let (end, height) = last?;
    filled[end..].fill(height);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f64 = f64::NAN;

    #[test]
    fn gaps_are_bridged_by_straight_lines() {
        assert_eq!(bridged(&[GAP, 2.0, GAP, GAP, 8.0, GAP]), Some(vec![2.0, 2.0, 4.0, 6.0, 8.0, 8.0]));
        assert_eq!(bridged(&[GAP, GAP]), None);
    }

    #[test]
    fn the_naive_forecast_goes_back_whole_seasons_for_a_value() {
        let history = [1.0, 2.0, 3.0, 10.0, GAP, 30.0];
        assert_eq!(seasonal_naive(&history, 3, 4), Some(vec![10.0, 2.0, 30.0, 10.0]));
        assert_eq!(seasonal_naive(&[GAP, 5.0, GAP], 1, 2), Some(vec![5.0, 5.0]));
        assert_eq!(seasonal_naive(&[GAP], 1, 2), None);
    }

    #[test]
    fn methods_that_need_seasons_refuse_short_histories() {
        let history: Vec<f64> = (0..13).map(real).collect();
        assert_eq!(Method::Decomposition.forecast(&history, &[7], 3), None);
        assert_eq!(fitting_season(&history, &[7]), 1);
        assert_eq!(fitting_season(&history, &[3, 6]), 6);
    }
}
