//! Ranks and averages that several files need.

/// A count as a number to calculate with; exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts of things in memory lie far below 2^53")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}

/// The values that are no gaps.
pub(crate) fn observed(values: &[f64]) -> impl Iterator<Item = f64> + '_ {
    values.iter().copied().filter(|value| !value.is_nan())
}

/// How many values are no gaps.
pub(crate) fn count_observed(values: &[f64]) -> usize {
    observed(values).count()
}

/// The median of the values that are no gaps; `None` if there are none.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut kept: Vec<f64> = observed(values).collect();
    median_of(&mut kept)
}

/// The median of values among which there are no gaps; their order is lost.
pub(crate) fn median_of(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_odd {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(f64::midpoint(lower, upper))
}

/// 1.4826 times the median distance from the median: the standard deviation, for values that are
/// normal but for some outliers. `None` if there are no values.
pub(crate) fn spread(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let mut distances: Vec<f64> = observed(values).map(|value| (value - middle).abs()).collect();
    median_of(&mut distances).map(|distance| 1.4826 * distance)
}

/// The value below which a fraction of the values lies, gaps left out; `None` if there are none.
///
/// Between two values it is interpolated, as in most tools (the seventh of Hyndman and Fan 1996).
#[must_use]
pub fn quantile(values: &[f64], fraction: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = observed(values).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    interpolated(&sorted, fraction.clamp(0.0, 1.0) * real(sorted.len().saturating_sub(1)))
}

/// The quantile of a *further* value like the given ones, which must be sorted: the sixth of Hyndman
/// and Fan, which for few values lies farther out than [`quantile`].
pub(crate) fn predictive_quantile(sorted: &[f64], fraction: f64) -> Option<f64> {
    interpolated(sorted, fraction * real(sorted.len() + 1) - 1.0)
}

/// The value at a place between the places of a sorted list; the ends go on for ever.
fn interpolated(sorted: &[f64], place: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = place.clamp(0.0, real(last));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place within the list")]
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let part = place - real(below);
    // Written so that equal neighbours give exactly their value.
    Some(sorted[below] + part * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_leave_gaps_out() {
        let values = [4.0, f64::NAN, 1.0, 3.0, 2.0];
        assert_eq!(median(&values), Some(2.5));
        assert_eq!(quantile(&values, 0.5), Some(2.5));
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 0.75), Some(3.25));
        assert_eq!(quantile(&[f64::NAN], 0.5), None);
        assert_eq!(predictive_quantile(&[1.0, 2.0, 3.0, 4.0], 0.8), Some(4.0));
        assert_eq!(predictive_quantile(&[1.0, 2.0, 3.0, 4.0], 0.4), Some(2.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn one_outlier_does_not_spread() {
        let values = [1.0, 2.0, 3.0, 4.0, 1_000.0];
        assert_eq!(spread(&values), Some(1.4826));
    }
}
