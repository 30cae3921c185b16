//! How likely a change fails, what it may cost, and how good the predictions were.
//!
//! The chance that a change fails is estimated from its like: its standard-change template, the
//! changes of its team to this class of items, all changes to this class, all changes (analyses
//! 2.7). Each of these cells is a beta-binomial shrunk to the one above it: with the mean *m* of the
//! cell above and the strength *s*, *k* failures of *n* give the posterior Beta(s·m + k, s·(1 − m) +
//! n − k). Little history leaves an estimate near that of its kind; much history speaks for itself.
//! What a *failure* is, and over which changes, is the caller's to say.
//!
//! Chances are fractions between 0 and 1, times are hours, values are in whatever currency they are
//! given in. The posterior mean of a cell above enters as if it were known exactly; its own
//! uncertainty is not passed down, which makes intervals of cells without history a little too
//! narrow. All chances rest on changes being alike within a cell, and on no two failures having a
//! common cause.

mod expected;
mod scorecard;

use std::collections::BTreeMap;

use statrs::function::{beta::beta_reg, gamma::ln_gamma};

pub use expected::{ExpectedLoss, Exposure, Stake, expected_loss, window_failure};
pub use scorecard::{Bin, Judged, Match, brier, match_up, reliability};

/// What is assumed before any history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// The chance that a change fails, above 0 and below 1.
    pub mean: f64,
    /// How many changes' worth of history that is, above 0.
    pub strength: f64,
}

impl Prior {
    /// The strength unless it is fitted.
    pub const STRENGTH: f64 = 50.0;
}

impl Default for Prior {
    /// Three in a hundred changes fail.
    fn default() -> Self {
        Self { mean: 0.03, strength: Self::STRENGTH }
    }
}

/// What kind of change: each part a number of the caller's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// The class of the items changed.
    pub class: Option<u32>,
    /// The team that makes the change.
    pub team: Option<u32>,
    /// The template of a standard change.
    pub template: Option<u32>,
}

/// How closely a cell describes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// All changes.
    Portfolio,
    /// Changes to one class of items.
    Class,
    /// Changes of one team to one class.
    Team,
    /// Changes by one template, of one team to one class.
    Template,
}

/// Outcomes counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Changes that failed.
    pub failures: u32,
    /// All changes.
    pub changes: u32,
}

/// The chance that a change fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The posterior mean.
    pub mean: f64,
    /// The middle 90 % of the posterior.
    pub interval: (f64, f64),
    /// The history of the cell used.
    pub count: Count,
    /// Which cell that is: the closest one known for the change.
    pub level: Level,
    /// The posterior's first parameter, failures and the like.
    pub alpha: f64,
    /// The posterior's second parameter.
    pub beta: f64,
}

impl Estimate {
    fn new(mean: f64, strength: f64, count: Count, level: Level) -> Self {
        let (failures, changes) = (f64::from(count.failures), f64::from(count.changes));
        let (alpha, beta) = (strength * mean + failures, strength * (1.0 - mean) + changes - failures);
        let interval = (beta_quantile(alpha, beta, 0.05), beta_quantile(alpha, beta, 0.95));
        Self { mean: alpha / (alpha + beta), interval, count, level, alpha, beta }
    }
}

/// The mean after so many outcomes.
fn posterior_mean(mean: f64, strength: f64, count: Count) -> f64 {
    (strength * mean + f64::from(count.failures)) / (strength + f64::from(count.changes))
}

/// The path of cells a change belongs to, closest last.
type Cell = (Level, Kind);

/// What became of earlier changes.
#[derive(Clone, Debug, Default)]
pub struct History {
    cells: BTreeMap<Cell, Count>,
}

impl History {
    /// No history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes the outcome of a change, in every cell it belongs to.
    pub fn note(&mut self, kind: Kind, failed: bool) {
        for cell in path(kind) {
            let count = self.cells.entry(cell).or_default();
            count.changes += 1;
            count.failures += u32::from(failed);
        }
    }

    /// The chance that a change of a kind fails.
    ///
    /// The closest cell is the last of class, team and template that the kind names without a gap. Each
    /// cell is shrunk to the one above, of which only the other changes count: no change is evidence
    /// twice. A cell without history has the mean of the one above.
    #[must_use]
    pub fn estimate(&self, prior: Prior, kind: Kind) -> Estimate {
        let (mean, level, count) = self.shrunk(prior, kind);
        Estimate::new(mean, prior.strength, count, level)
    }

    /// The mean of [`estimate`](Self::estimate) alone, which costs far less than its interval.
    #[must_use]
    pub fn mean(&self, prior: Prior, kind: Kind) -> f64 {
        let (mean, _, count) = self.shrunk(prior, kind);
        posterior_mean(mean, prior.strength, count)
    }

    /// The mean of the cell above the closest one, of the others in it, and the closest one itself.
    fn shrunk(&self, prior: Prior, kind: Kind) -> (f64, Level, Count) {
        let (mut mean, mut last) = (prior.mean, None);
        for cell in path(kind) {
            let count = self.cells.get(&cell).copied().unwrap_or_default();
            if let Some((_, above)) = last.replace((cell.0, count)) {
                let Count { failures, changes } = above;
                let others = Count { failures: failures - count.failures, changes: changes - count.changes };
                mean = posterior_mean(mean, prior.strength, others);
            }
        }
        let (level, count) = last.unwrap_or((Level::Portfolio, Count::default()));
        (mean, level, count)
    }

    /// The prior's mean, and the strength under which this history is most likely; `None` if there
    /// is no cell below the portfolio with two changes or more, and thus nothing to learn from.
    ///
    /// Maximum marginal likelihood over all cells below the portfolio, one strength for all levels,
    /// by golden section over the logarithm of the strength between 1 and 10 000. Changes count in
    /// every cell they belong to, so this is a pseudo-likelihood. A fit at either end of the range
    /// says that cells differ wildly, or not at all.
    #[must_use]
    pub fn fitted(&self, mean: f64) -> Option<Prior> {
        let informative = |(cell, count): (&Cell, &Count)| cell.0 > Level::Portfolio && count.changes > 1;
        if !self.cells.iter().any(informative) {
            return None;
        }
        let best = golden(0.0, 10_000_f64.ln(), |log| self.likelihood(Prior { mean, strength: log.exp() }));
        Some(Prior { mean, strength: best.exp() })
    }

    /// The logarithm of the marginal likelihood of all cells below the portfolio.
    #[must_use]
    pub fn likelihood(&self, prior: Prior) -> f64 {
        let mut means: BTreeMap<Cell, f64> = BTreeMap::new();
        let mut sum = 0.0;
        // Cells are ordered by level, so that the cell above was met before.
        for (&cell, count) in &self.cells {
            let above = above(cell).and_then(|above| means.get(&above)).copied().unwrap_or(prior.mean);
            let (alpha, beta) = (prior.strength * above, prior.strength * (1.0 - above));
            let (failures, changes) = (f64::from(count.failures), f64::from(count.changes));
            means.insert(cell, (alpha + failures) / (prior.strength + changes));
            if cell.0 > Level::Portfolio {
                sum += ln_beta(alpha + failures, beta + changes - failures) - ln_beta(alpha, beta);
            }
        }
        sum
    }
}

/// The cells a change belongs to, from the portfolio down.
fn path(kind: Kind) -> impl Iterator<Item = Cell> {
    let Kind { class, team, template } = kind;
    let cells = [
        Some((Level::Portfolio, Kind::default())),
        class.map(|_| (Level::Class, Kind { class, ..Kind::default() })),
        class.and(team).map(|_| (Level::Team, Kind { class, team, template: None })),
        class.and(team).and(template).map(|_| (Level::Template, kind)),
    ];
    cells.into_iter().flatten()
}

/// The cell above a cell.
fn above((level, kind): Cell) -> Option<Cell> {
    match level {
        Level::Portfolio => None,
        Level::Class => Some((Level::Portfolio, Kind::default())),
        Level::Team => Some((Level::Class, Kind { class: kind.class, ..Kind::default() })),
        Level::Template => Some((Level::Team, Kind { template: None, ..kind })),
    }
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The value below which a Beta(alpha, beta) lies with a probability between 0 and 1; both
/// parameters must be above 0.
///
/// By bisection over the distribution function, which is accurate everywhere; quicker methods fail
/// for parameters far below 1. Positive numbers are ordered like their bits, so that 64 halvings
/// give the last bit whatever the magnitude.
#[must_use]
pub fn beta_quantile(alpha: f64, beta: f64, probability: f64) -> f64 {
    let (mut low, mut high) = (0_u64, 1.0_f64.to_bits());
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if beta_reg(alpha, beta, f64::from_bits(middle)) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::from_bits(high)
}

/// Where a function with one peak has it, between two bounds, to 1e-6.
fn golden(mut low: f64, mut high: f64, value: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (value(left), value(right));
    while high - low > 1e-6 {
        if at_left >= at_right {
            high = right;
            (right, at_right) = (left, at_left);
            left = high - ratio * (high - low);
            at_left = value(left);
        } else {
            low = left;
            (left, at_left) = (right, at_right);
            right = low + ratio * (high - low);
            at_right = value(right);
        }
    }
    f64::midpoint(low, high)
}
