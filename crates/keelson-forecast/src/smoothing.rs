//! Exponential smoothing with additive errors, trend and season.
//!
//! The recursion is that of the state-space form (Hyndman, Koehler, Ord, Snyder 2008, chapter 2):
//! with the one-step error *e*, `level ← level + φ·slope + α·e`, `slope ← φ·slope + β·e`,
//! `season ← season + γ·e`. A model with multiplicative errors has the same recursion and the same
//! point forecasts. Gaps move the states on without correcting them.

use crate::{
    search::golden,
    statistics::{count_observed, median, real},
};

/// The parameters of the recursion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// How much of an error goes into the level.
    pub alpha: f64,
    /// How much of an error goes into the slope.
    pub beta: f64,
    /// How much of an error goes into the season.
    pub gamma: f64,
    /// How much of the slope is left after a step; 1 when it is not damped.
    pub phi: f64,
}

/// Where a series stands.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    level: f64,
    slope: f64,
    /// What the season adds at each phase; empty without a season.
    season: Vec<f64>,
    /// The phase of the next step.
    phase: usize,
}

impl State {
    /// A state with a level, a slope (0 without trend) and what the season adds at the next steps, in
    /// their order (empty without a season).
    #[must_use]
    pub fn new(level: f64, slope: f64, season: Vec<f64>) -> Self {
        Self { level, slope, season, phase: 0 }
    }

    fn next(&self, parameters: &Parameters) -> f64 {
        self.level + parameters.phi * self.slope + self.season.get(self.phase).copied().unwrap_or(0.0)
    }

    fn step(&mut self, parameters: &Parameters, error: f64) {
        let slope = parameters.phi * self.slope;
        self.level += slope + parameters.alpha * error;
        self.slope = slope + parameters.beta * error;
        if let Some(season) = self.season.get_mut(self.phase) {
            *season += parameters.gamma * error;
            self.phase = (self.phase + 1) % self.season.len();
        }
    }

    /// Takes in the next value, or a gap, and returns what was expected in its place.
    pub fn take(&mut self, parameters: &Parameters, value: f64) -> f64 {
        let expected = self.next(parameters);
        self.step(parameters, if value.is_nan() { 0.0 } else { value - expected });
        expected
    }

    /// What the next steps will be if there are no errors.
    #[must_use]
    pub fn forecast(&self, parameters: &Parameters, horizon: usize) -> Vec<f64> {
        let (mut state, mut values) = (self.clone(), Vec::with_capacity(horizon));
        for _ in 0..horizon {
            values.push(state.next(parameters));
            state.step(parameters, 0.0);
        }
        values
    }
}

/// What kind of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Steps in a season; 0 and 1 say that there is none.
    pub season: usize,
    /// Whether the slope fades.
    pub is_damped: bool,
}

/// A model fitted to a series, standing at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The parameters found.
    pub parameters: Parameters,
    /// Where the series stands.
    pub state: State,
    /// The sum of squared one-step errors.
    pub squared_errors: f64,
}

impl Fitted {
    /// What the next steps will be.
    #[must_use]
    pub fn forecast(&self, horizon: usize) -> Vec<f64> {
        self.state.forecast(&self.parameters, horizon)
    }
}

/// Fits a model by least squares of the one-step errors; `None` if there are fewer than two full
/// seasons, fewer than four values, or a phase without a value in the first two seasons.
///
/// The states begin as the first two seasons say (without a season: as the first values say). The
/// parameters are searched one after the other, three times over, by golden section, within 0 < β <
/// α < 1, 0 < γ < 1 − α and 0.8 ≤ φ ≤ 0.98 if damped.
#[must_use]
pub fn fit(values: &[f64], shape: Shape) -> Option<Fitted> {
    let start = start(values, shape.season)?;
    // Fractions of the ranges, so that every combination is admissible.
    let mut fractions = [0.3, 0.1, 0.2, 0.9];
    let parameters = |fractions: [f64; 4]| Parameters {
        alpha: fractions[0],
        beta: fractions[0] * fractions[1],
        gamma: if shape.season > 1 { (1.0 - fractions[0]) * fractions[2] } else { 0.0 },
        phi: if shape.is_damped { 0.8 + 0.18 * fractions[3] } else { 1.0 },
    };
    let cost = |fractions: [f64; 4]| {
        let (parameters, mut state) = (parameters(fractions), start.clone());
        squared_errors(values, &parameters, &mut state)
    };
    let searched = [true, true, shape.season > 1, shape.is_damped];
    for _ in 0..3 {
        for at in (0..4).filter(|&at| searched[at]) {
            let best = golden(1e-4, 1.0 - 1e-4, 12, |value| {
                let mut tried = fractions;
                tried[at] = value;
                cost(tried)
            });
            let mut tried = fractions;
            tried[at] = best;
            // The valley may have a second one beside it; never leave a better place.
            if cost(tried) < cost(fractions) {
                fractions = tried;
            }
        }
    }
    let (parameters, mut state) = (parameters(fractions), start.clone());
    let squared_errors = squared_errors(values, &parameters, &mut state);
    Some(Fitted { parameters, state, squared_errors })
}

fn squared_errors(values: &[f64], parameters: &Parameters, state: &mut State) -> f64 {
    let mut sum = 0.0;
    for &value in values {
        let expected = state.take(parameters, value);
        if !value.is_nan() {
            sum += (value - expected).powi(2);
        }
    }
    sum
}

/// Where a series starts, going by its first two seasons.
fn start(values: &[f64], season: usize) -> Option<State> {
    if season <= 1 {
        let first: Vec<f64> = values.iter().copied().take(10).collect();
        if count_observed(values) < 4 {
            return None;
        }
        let slope = crate::trend::theil_sen(&first, usize::MAX).map_or(0.0, |trend| trend.slope);
        let level = first.iter().enumerate().map(|(at, value)| value - slope * real(at + 1)).collect::<Vec<f64>>();
        return Some(State::new(median(&level)?, slope, Vec::new()));
    }
    let (first, second) = (values.get(..season)?, values.get(season..2 * season)?);
    let (low, high) = (mean(first)?, mean(second)?);
    let slope = (high - low) / real(season);
    let middle = real(season - 1) / 2.0;
    let mut added = Vec::with_capacity(season);
    for phase in 0..season {
        let drift = slope * (real(phase) - middle);
        added.push(mean(&[first[phase] - low - drift, second[phase] - high - drift])?);
    }
    Some(State::new(low - slope * (middle + 1.0), slope, added))
}

fn mean(values: &[f64]) -> Option<f64> {
    let count = count_observed(values);
    (count > 0).then(|| crate::statistics::observed(values).sum::<f64>() / real(count))
}
