//! How good predictions were, for the review after changes.

use keelson_graph::ItemIx;

/// A prediction whose outcome is known. A change whose outcome nobody watched is unknown and must
/// not become one of these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The chance of failure that was predicted, 0 to 1.
    pub predicted: f64,
    /// Whether it failed.
    pub failed: bool,
}

impl Judged {
    fn outcome(self) -> f64 {
        if self.failed { 1.0 } else { 0.0 }
    }
}

/// The Brier score: the mean squared difference between prediction and outcome, 0 (perfect) to 1.
/// `None` without predictions. Always predicting the base rate *b* scores b · (1 − b).
#[must_use]
pub fn brier(judged: &[Judged]) -> Option<f64> {
    let squares: f64 = judged.iter().map(|j| (j.predicted - j.outcome()).powi(2)).sum();
    mean(squares, judged.len())
}

/// Predictions of about the same chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The smallest chance in the bin.
    pub from: f64,
    /// The first chance above it; the last bin takes in 1.
    pub to: f64,
    /// How many predictions.
    pub count: usize,
    /// The mean chance predicted.
    pub predicted: f64,
    /// The fraction that failed.
    pub observed: f64,
}

/// Predictions sorted into bins by chance, empty bins left out. `edges` are the inner bounds between
/// bins, ascending, between 0 and 1. Well-calibrated predictions have predicted ≈ observed in every
/// bin, as far as its count allows.
#[must_use]
pub fn reliability(judged: &[Judged], edges: &[f64]) -> Vec<Bin> {
    let starts = std::iter::once(0.0).chain(edges.iter().copied());
    let ends = edges.iter().copied().chain(std::iter::once(1.0));
    let bins = starts.zip(ends).enumerate().filter_map(|(at, (from, to))| {
        let is_last = at == edges.len();
        let here = |j: &&Judged| j.predicted >= from && (j.predicted < to || is_last);
        let (mut count, mut predicted, mut observed) = (0, 0.0, 0.0);
        for judged in judged.iter().filter(here) {
            count += 1;
            predicted += judged.predicted;
            observed += judged.outcome();
        }
        Some(Bin { from, to, count, predicted: mean(predicted, count)?, observed: mean(observed, count)? })
    });
    bins.collect()
}

/// What was predicted to be harmed against what was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Predicted, and harmed.
    pub hits: usize,
    /// Predicted, and not harmed.
    pub false_alarms: usize,
    /// Harmed without being predicted.
    pub misses: usize,
}

impl Match {
    /// The fraction of the predicted that was harmed; `None` if nothing was predicted.
    #[must_use]
    pub fn precision(self) -> Option<f64> {
        ratio(self.hits, self.hits + self.false_alarms)
    }

    /// The fraction of the harmed that was predicted; `None` if nothing was harmed.
    #[must_use]
    pub fn recall(self) -> Option<f64> {
        ratio(self.hits, self.hits + self.misses)
    }

    /// Whether the prediction was right throughout.
    #[must_use]
    pub fn is_right(self) -> bool {
        self.false_alarms == 0 && self.misses == 0
    }

    /// The matches of two predictions together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            false_alarms: self.false_alarms + other.false_alarms,
            misses: self.misses + other.misses,
        }
    }
}

/// Compares the services predicted to be harmed by a change with those that were. What was not
/// watched belongs in neither list.
#[must_use]
pub fn match_up(predicted: &[ItemIx], harmed: &[ItemIx]) -> Match {
    let sorted = |items: &[ItemIx]| {
        let mut items = items.to_vec();
        items.sort_unstable();
        items.dedup();
        items
    };
    let (predicted, harmed) = (sorted(predicted), sorted(harmed));
    let hits = predicted.iter().filter(|item| harmed.binary_search(item).is_ok()).count();
    Match { hits, false_alarms: predicted.len() - hits, misses: harmed.len() - hits }
}

fn mean(sum: f64, count: usize) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    (count > 0).then(|| sum / count as f64)
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    mean(part as f64, whole)
}
