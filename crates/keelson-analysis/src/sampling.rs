//! How many items an auditor has to look at, and what a sample proves (analyses 6.3).
//!
//! Sizes without deviations follow from `(1 − tolerable)^n ≤ 1 − confidence`; with deviations allowed, and for small
//! populations, from the binomial and the hypergeometric distribution. Results are judged by the upper limit of
//! Clopper and Pearson (1934).

mod parts;

pub use parts::{Part, confidence_of_parts, size_of_parts, upper_limit_of_parts};

use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF, Hypergeometric};
use thiserror::Error;

/// Why a sample means nothing.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SamplingError {
    /// A number that means nothing where it stands.
    #[error("{what} is {value}; it must lie between 0 and 1, both left out")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// The offending value.
        value: f64,
    },
    /// No sample of any size is large enough.
    #[error(
        "{deviations} deviations cannot be allowed: that is as much of a population of {population} as would be \
         tolerable in all of it; allow fewer, or tolerate more"
    )]
    Impossible {
        /// How many items there are.
        population: u64,
        /// How many deviations are allowed.
        deviations: u64,
    },
    /// More deviations than items looked at.
    #[error("{deviations} deviations were found among {size} items")]
    TooMany {
        /// How many deviations.
        deviations: u64,
        /// How many items were looked at.
        size: u64,
    },
}

/// Largest sample looked for.
const LARGEST: u64 = 1_000_000;

fn fraction(what: &'static str, value: f64) -> Result<f64, SamplingError> {
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err(SamplingError::OutOfRange { what, value }) }
}

/// The smallest sample that proves with a confidence that at most a tolerable share deviates, if at most so many
/// deviations are found in it; of a population of any size.
///
/// # Errors
/// When confidence or share lie outside 0..1.
pub fn size(confidence: f64, tolerable: f64, deviations: u64) -> Result<u64, SamplingError> {
    let (confidence, tolerable) =
        (fraction("the confidence", confidence)?, fraction("the tolerable share", tolerable)?);
    let risk = 1.0 - confidence;
    let fits = |n: u64| Binomial::new(tolerable, n).is_ok_and(|found| found.cdf(deviations) <= risk + ROUNDING);
    smallest(deviations + 1, LARGEST, fits).ok_or(SamplingError::Impossible { population: LARGEST, deviations })
}

/// What rounding may add to a probability.
const ROUNDING: f64 = 1e-12;

/// As [`size`], of a population of so many items.
///
/// The population is taken to hold the smallest whole number of deviations that makes up the tolerable share:
/// `⌈N · share⌉`.
///
/// # Errors
/// As [`size`]; when even looking at all of it proves nothing.
pub fn size_of(population: u64, confidence: f64, tolerable: f64, deviations: u64) -> Result<u64, SamplingError> {
    let (confidence, tolerable) =
        (fraction("the confidence", confidence)?, fraction("the tolerable share", tolerable)?);
    let risk = 1.0 - confidence;
    let deviating = deviating(population, tolerable);
    let fits = |n: u64| {
        Hypergeometric::new(population, deviating, n).is_ok_and(|found| found.cdf(deviations) <= risk + ROUNDING)
    };
    smallest(deviations + 1, population, fits).ok_or(SamplingError::Impossible { population, deviations })
}

/// How many items deviate in a population in which the tolerable share does.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "populations are far below 2^52"
)]
fn deviating(population: u64, tolerable: f64) -> u64 {
    (population as f64 * tolerable - ROUNDING).ceil().max(1.0) as u64
}

/// The smallest number of a range that fits, where all above a fitting one fit.
fn smallest(from: u64, to: u64, fits: impl Fn(u64) -> bool) -> Option<u64> {
    if from > to || !fits(to) {
        return None;
    }
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if fits(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

/// The confidence with which a sample without deviations proves that at most a tolerable share deviates.
///
/// # Errors
/// When the share lies outside 0..1.
pub fn confidence(size: u64, tolerable: f64) -> Result<f64, SamplingError> {
    let tolerable = fraction("the tolerable share", tolerable)?;
    Ok(1.0 - (1.0 - tolerable).powf(whole(size)))
}

/// The share of a population that deviates at most, with a confidence, after so many deviations were found among so
/// many items.
///
/// # Errors
/// When the confidence lies outside 0..1, or there are more deviations than items.
pub fn upper_limit(size: u64, deviations: u64, confidence: f64) -> Result<f64, SamplingError> {
    let confidence = fraction("the confidence", confidence)?;
    check(size, deviations)?;
    if deviations == size {
        return Ok(1.0);
    }
    Ok(quantile(whole(deviations) + 1.0, whole(size - deviations), confidence))
}

/// The confidence with which a sample of a population of so many items proves that less than a tolerable share
/// deviates, if at most so many deviations are found in it: 1 when all of it was looked at, 0 when as many deviations
/// are allowed as there are items in the sample, or as make up the tolerable share. It agrees with [`size_of`].
///
/// # Errors
/// When the share lies outside 0..1, or the sample is larger than the population.
pub fn confidence_of(population: u64, size: u64, tolerable: f64, deviations: u64) -> Result<f64, SamplingError> {
    let tolerable = fraction("the tolerable share", tolerable)?;
    check(population, size)?;
    let deviating = deviating(population, tolerable);
    if deviations >= size.min(deviating) {
        return Ok(0.0);
    }
    Ok(1.0 - at_most(population, deviating, size, deviations))
}

/// As [`upper_limit`], of a population of so many items: the largest share of it that may deviate without so few
/// deviations being found less often than one minus the confidence. It agrees with [`size_of`]: a sample of that size
/// with no more deviations than it allows has an upper limit below the tolerable share.
///
/// # Errors
/// As [`upper_limit`]; when the sample is larger than the population.
pub fn upper_limit_of(population: u64, size: u64, deviations: u64, confidence: f64) -> Result<f64, SamplingError> {
    let risk = 1.0 - fraction("the confidence", confidence)?;
    check(population, size)?;
    check(size, deviations)?;
    if population == 0 {
        return Ok(0.0);
    }
    // All that was not looked at may deviate beside what was found; the more deviate, the less often so few are found.
    let most = deviations + (population - size);
    let rejected =
        smallest(deviations, most, |deviating| at_most(population, deviating, size, deviations) <= risk + ROUNDING);
    Ok(whole(rejected.map_or(most, |rejected| rejected.saturating_sub(1))) / whole(population))
}

/// The chance of finding at most so many deviations in a sample of a population that holds so many.
fn at_most(population: u64, deviating: u64, size: u64, deviations: u64) -> f64 {
    Hypergeometric::new(population, deviating, size).map_or(1.0, |found| found.cdf(deviations))
}

/// Both ends of the share that is so, with a confidence, after it was so of `hits` among `size` items.
///
/// # Errors
/// As [`upper_limit`].
pub fn interval(size: u64, hits: u64, confidence: f64) -> Result<(f64, f64), SamplingError> {
    let half = (1.0 - fraction("the confidence", confidence)?) / 2.0;
    check(size, hits)?;
    let low = if hits == 0 { 0.0 } else { quantile(whole(hits), whole(size - hits) + 1.0, half) };
    let high = if hits == size { 1.0 } else { quantile(whole(hits) + 1.0, whole(size - hits), 1.0 - half) };
    Ok((low, high))
}

fn check(size: u64, deviations: u64) -> Result<(), SamplingError> {
    if deviations > size { Err(SamplingError::TooMany { deviations, size }) } else { Ok(()) }
}

fn quantile(a: f64, b: f64, level: f64) -> f64 {
    Beta::new(a, b).map_or(1.0, |beta| beta.inverse_cdf(level))
}

#[expect(clippy::cast_precision_loss, reason = "sizes of samples are far below 2^52")]
fn whole(number: u64) -> f64 {
    number as f64
}
