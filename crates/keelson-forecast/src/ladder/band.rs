//! Quantiles of what is to come, step by step.

use crate::ForecastError;

/// The levels of the quantiles of a band.
pub const LEVELS: [f64; 7] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];

/// Quantiles of what is to come, step by step; at every step they rise with the level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    steps: Vec<[f64; LEVELS.len()]>,
}

/// A chance, between two bounds: both are the same where the quantiles tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// No smaller than this.
    pub at_least: f64,
    /// No larger than this.
    pub at_most: f64,
}

/// The first steps at which a limit is passed with a chance of 10, 50 and 90 %; `None` when that does
/// not happen within the band. The first step of a band is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passing {
    /// One chance in ten: the date to be on the safe side of.
    pub chance_10: Option<usize>,
    /// As likely as not.
    pub chance_50: Option<usize>,
    /// Nine chances in ten.
    pub chance_90: Option<usize>,
}

impl Band {
    /// A band of quantiles at [`LEVELS`]; what does not rise with the level is lifted to the one below.
    #[must_use]
    pub fn new(mut steps: Vec<[f64; LEVELS.len()]>) -> Self {
        for step in &mut steps {
            for at in 1..LEVELS.len() {
                step[at] = step[at].max(step[at - 1]);
            }
        }
        Self { steps }
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The quantiles at [`LEVELS`], step by step.
    #[must_use]
    pub fn steps(&self) -> &[[f64; LEVELS.len()]] {
        &self.steps
    }

    /// The quantile at a level, step by step; between levels it is interpolated, beyond them it is that
    /// of the outermost level.
    pub fn path(&self, level: f64) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.steps.iter().map(move |step| between(&LEVELS, step, level))
    }

    /// The chance that the value at a step lies above a limit.
    ///
    /// # Panics
    /// When there is no such step.
    #[must_use]
    pub fn chance_above(&self, step: usize, limit: f64) -> Chance {
        let quantiles = &self.steps[step];
        let last = LEVELS.len() - 1;
        if limit < quantiles[0] {
            return Chance { at_least: 1.0 - LEVELS[0], at_most: 1.0 };
        }
        if limit >= quantiles[last] {
            return Chance { at_least: 0.0, at_most: 1.0 - LEVELS[last] };
        }
        let chance = 1.0 - between(quantiles, &LEVELS, limit);
        Chance { at_least: chance, at_most: chance }
    }

    /// The first steps at which a limit is passed with a chance of 10, 50 and 90 %.
    ///
    /// These are the chances at single steps. That it was passed at *some* step up to then is at least
    /// as likely, so that the dates are, if anything, late for a load that swings.
    #[must_use]
    pub fn passing(&self, limit: f64) -> Passing {
        let first = |level: f64| self.path(level).position(|value| value > limit);
        Passing { chance_10: first(0.9), chance_50: first(0.5), chance_90: first(0.1) }
    }

    /// The band of a sum: equal quantiles added, step by step, over the steps that all have.
    ///
    /// That is exact if all rise and fall together; if they do not, upper quantiles lie too high, which
    /// is the safe side for capacity, and lower ones too low.
    ///
    /// # Errors
    /// When there is nothing to add.
    pub fn sum(bands: &[&Self]) -> Result<Self, ForecastError> {
        let Some(len) = bands.iter().map(|band| band.len()).min() else {
            return Err(ForecastError::TooShort { have: 0, need: 1 });
        };
        let mut steps = vec![[0.0; LEVELS.len()]; len];
        for band in bands {
            for (sum, step) in steps.iter_mut().zip(&band.steps) {
                for (sum, quantile) in sum.iter_mut().zip(step) {
                    *sum += quantile;
                }
            }
        }
        Ok(Self { steps })
    }
}

/// The value that belongs to a place between places that rise.
fn between(places: &[f64; LEVELS.len()], values: &[f64; LEVELS.len()], place: f64) -> f64 {
    let above = places.partition_point(|known| *known <= place);
    if above == 0 {
        return values[0];
    }
    if above == LEVELS.len() {
        return values[LEVELS.len() - 1];
    }
    let part = (place - places[above - 1]) / (places[above] - places[above - 1]);
    values[above - 1] + part * (values[above] - values[above - 1])
}
