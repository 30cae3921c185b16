//! When a series changed its level for good: migrations, new customers, a tenant moved away.
//!
//! At each point the median of the values just before is compared with the median of those just
//! after, what the local trend explains taken off. A point counts when its jump is far beyond the
//! jumps between windows elsewhere in the series and beyond what the noise makes of a median, when
//! most of it happens within a few steps, and when it is the largest in its neighbourhood. Both
//! scales are robust: an outlier, or even a window's quarter of them, moves no median far.
//!
//! A level that drifts without end has no such points. A change less than a window from either end
//! is not seen: a few last values may as well be outliers.

use crate::statistics::{count_observed, median, real, spread};

/// A lasting change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The first step of the new level.
    pub at: usize,
    /// The median of the window before it.
    pub before: f64,
    /// The median of the window from it on.
    pub after: f64,
}

/// Steps of the smallest window.
pub const WINDOW: usize = 8;

/// How many times the usual jump a change must be.
const BEYOND: f64 = 6.0;

/// The least part of the level a change must be; smaller ones do not mislead a forecast.
const WORTH: f64 = 0.05;

/// Returns the lasting changes of level of a series with a season of so many steps (0 or 1: none),
/// earliest first. Costs O(n · window · log window).
#[must_use]
pub fn changes(values: &[f64], season: usize) -> Vec<Change> {
    let window = (values.len() / 10).clamp(WINDOW, 60);
    if values.len() < 2 * window + 1 || count_observed(values) < 2 * window {
        return Vec::new();
    }
    let flat = without_season(values, season);
    let steps: Vec<f64> = flat.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let noise = spread(&steps).unwrap_or(0.0) / std::f64::consts::SQRT_2;
    let jumps: Vec<f64> = (0..=flat.len()).map(|at| jump(&flat, at, window).unwrap_or(0.0)).collect();
    let inner = &jumps[window..=flat.len() - window];
    // The standard deviation of a jump between two medians less a slope of half-window medians.
    let by_noise = 4.0 * noise / real(window).sqrt();
    let usual = spread(inner).unwrap_or(0.0).max(by_noise);
    let level = median(&flat.iter().map(|value| value.abs()).collect::<Vec<f64>>()).unwrap_or(0.0);
    let least = (BEYOND * usual).max(WORTH * level).max(f64::MIN_POSITIVE);

    let mut found: Vec<Change> = Vec::new();
    let mut at = window;
    while at + window <= flat.len() {
        let end = (at + window).min(flat.len() - window + 1);
        let best = (at..end).max_by(|a, b| jumps[*a].abs().total_cmp(&jumps[*b].abs()).then(b.cmp(a)));
        let Some(best) = best.filter(|&best| jumps[best].abs() > least) else {
            at = end;
            continue;
        };
        let around = best.saturating_sub(window)..=(best + window).min(flat.len());
        let is_largest = jumps[around].iter().all(|jump| jump.abs() <= jumps[best].abs());
        if is_largest && is_sudden(&flat, best, jumps[best]) {
            let place = located(&flat, best, window);
            let (before, after) = (&values[place - window..place], &values[place..place + window]);
            if let (Some(before), Some(after)) = (median(before), median(after)) {
                found.push(Change { at: place, before, after });
            }
        }
        at = end;
    }
    found
}

/// The jump at a step, what the trend of the windows explains taken off.
fn jump(flat: &[f64], at: usize, window: usize) -> Option<f64> {
    let before = flat.get(at.checked_sub(window)?..at)?;
    let after = flat.get(at..at + window)?;
    let rise = |part: &[f64]| Some(median(&part[window / 2..])? - median(&part[..window / 2])?);
    // Half a window's rise each, twice, is what a trend adds between the middles of the windows.
    let drift = rise(before)? + rise(after)?;
    Some(median(after)? - median(before)? - drift)
}

/// The step near a jump at which two levels leave least of the values unexplained. Medians alone
/// place a jump to within a quarter of a window.
fn located(flat: &[f64], at: usize, window: usize) -> usize {
    let around = &flat[at - window..at + window];
    let unexplained = |part: &[f64]| {
        let level = median(part).unwrap_or(0.0);
        part.iter().map(|value| (value - level).abs()).filter(|value| !value.is_nan()).sum::<f64>()
    };
    let cost = |split: usize| unexplained(&around[..split]) + unexplained(&around[split..]);
    let places = (window / 2..=window + window / 2).filter(|&split| {
        let place = at - window + split;
        place >= window && place + window <= flat.len()
    });
    let best = places.map(|split| (cost(split), split)).min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(at, |(_, split)| at - window + split)
}

/// Whether most of a jump happens between the last steps before and the first ones after.
fn is_sudden(flat: &[f64], at: usize, jump: f64) -> bool {
    let near = WINDOW / 2;
    let (before, after) = (median(&flat[at - near..at]), median(&flat[at..at + near]));
    before.zip(after).is_some_and(|(before, after)| (after - before) / jump > 0.6)
}

/// The values less what is usual at their phase; as they are when there are not two full seasons.
pub(crate) fn without_season(values: &[f64], season: usize) -> Vec<f64> {
    if season <= 1 || values.len() < 2 * season {
        return values.to_vec();
    }
    // Against the median of the season around it a value shows its phase, whatever the level is.
    let around = |at: usize| {
        let from = at.saturating_sub(season / 2).min(values.len() - season);
        median(&values[from..from + season])
    };
    let centred: Vec<f64> =
        values.iter().enumerate().map(|(at, value)| around(at).map_or(f64::NAN, |middle| value - middle)).collect();
    let usual = phase_medians(&centred, season);
    values.iter().enumerate().map(|(at, value)| value - usual[at % season]).collect()
}

/// The median of the values at each phase of a season, 0 where there is none.
pub(crate) fn phase_medians(values: &[f64], season: usize) -> Vec<f64> {
    let at = |phase: usize| -> Vec<f64> { values.iter().skip(phase).step_by(season).copied().collect() };
    (0..season).map(|phase| median(&at(phase)).unwrap_or(0.0)).collect()
}
