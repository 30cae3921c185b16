//! Intervals from the errors of forecasts made in the past.

use super::{Band, LEVELS, Miss};
use crate::{
    score::{IntervalScore, Trial, intervals},
    statistics::{predictive_quantile, real},
};

/// The place of the median among the levels.
const MIDDLE: usize = LEVELS.len() / 2;

/// Errors of neighbouring distances are pooled until there are so many.
const POOL: usize = 40;

/// How far each quantile lies from the point forecast.
pub(super) type Width = [f64; LEVELS.len()];

/// The widths at every distance tried, none narrower than the one before.
pub(super) fn widths(misses: &[Miss], ahead: usize) -> Vec<Width> {
    let mut by_distance: Vec<Vec<f64>> = vec![Vec::new(); ahead + 1];
    for miss in misses {
        by_distance[miss.ahead].push(miss.error);
    }
    let mut widest: Width = [0.0; LEVELS.len()];
    let mut widths = Vec::with_capacity(ahead);
    for distance in 1..=ahead {
        let pool = pooled(&by_distance, distance);
        for (at, level) in LEVELS.into_iter().enumerate() {
            let reach = predictive_quantile(&pool, level).unwrap_or(0.0);
            widest[at] = match at {
                _ if at < MIDDLE => widest[at].min(reach),
                MIDDLE => 0.0,
                _ => widest[at].max(reach),
            };
        }
        widths.push(widest);
    }
    widths
}

/// The errors at a distance, sorted, with those at as many distances around it as it takes.
fn pooled(by_distance: &[Vec<f64>], distance: usize) -> Vec<f64> {
    let (mut low, mut high) = (distance - distance / 8, distance + distance / 8);
    loop {
        let (from, to) = (low.max(1), high.min(by_distance.len() - 1));
        let count: usize = by_distance[from..=to].iter().map(Vec::len).sum();
        if count >= POOL || (from == 1 && to == by_distance.len() - 1) {
            let mut pool = by_distance[from..=to].concat();
            pool.sort_unstable_by(f64::total_cmp);
            return pool;
        }
        (low, high) = (low.saturating_sub(1), high + 1);
    }
}

/// The quantiles of a forecast with these points.
pub(super) fn band(points: &[f64], widths: &[Width], floor: f64) -> Band {
    let last = widths.last().copied().unwrap_or_default();
    let quantiles = points.iter().enumerate().map(|(at, point)| {
        let width = widths.get(at).copied().unwrap_or_else(|| {
            let beyond = (real(at + 1) / real(widths.len().max(1))).sqrt();
            last.map(|reach| reach * beyond)
        });
        width.map(|reach| (point + reach).max(floor))
    });
    Band::new(quantiles.collect())
}

/// Origins that must lie on either side of a trial.
const MIN_ORIGINS: usize = 4;

/// How intervals made from the first two thirds of the origins hold at the others.
pub(super) fn score(misses: &[Miss], origins: &[usize], ahead: usize, scale: Option<f64>) -> Option<IntervalScore> {
    let split = origins.len() * 2 / 3;
    if split < MIN_ORIGINS || origins.len() - split < MIN_ORIGINS {
        return None;
    }
    let (known, tried): (Vec<Miss>, Vec<Miss>) = misses.iter().partition(|miss| miss.origin < origins[split]);
    let widths = widths(&known, ahead);
    let trial = |miss: &Miss| {
        let width = widths[miss.ahead - 1];
        Trial { low: width[0], high: width[LEVELS.len() - 1], came: miss.error }
    };
    let trials: Vec<Trial> = tried.iter().map(trial).collect();
    intervals(&trials, LEVELS[LEVELS.len() - 1] - LEVELS[0], scale?)
}
