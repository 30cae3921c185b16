//! What numbers alone say about what comes: no graph, no items, no clock.
//!
//! | question | file |
//! | --- | --- |
//! | how long does one wait at this load, and how much load can it take | [`queue`] |
//! | how much do so many users get out of stations in a row | [`closed`] |
//! | when does growth reach a limit | [`growth`] |
//! | how many units of this does one unit of that take, going by two series | [`nnls`] |
//! | which way does a series go, whatever its outliers do | [`trend`] |
//! | when did a series change its level for good | [`changes`] |
//! | what does exponential smoothing make of a series | [`smoothing`] |
//! | what will a series be, how sure is that, when does it pass a limit | [`ladder`] |
//! | how good were forecasts and their intervals | [`score`] |
//!
//! # Series
//!
//! A series is a slice of values at equal distances in time. A gap is NaN and stays one: nothing is
//! made up for it, and the time index runs on over it. What the step is (an hour, a day) is the
//! caller's to know; [`series`] makes daily values from samples.
//!
//! # What this crate refuses to do
//!
//! No input or output, no clock, no randomness: the same numbers give the same answer everywhere. No
//! recursion over data; every loop is bounded by its input or by a stated number of rounds.

pub mod changes;
pub mod closed;
pub mod growth;
pub mod ladder;
pub mod nnls;
pub mod queue;
pub mod score;
pub mod series;
pub mod smoothing;
pub mod trend;

mod search;
mod statistics;

pub use statistics::{median, quantile};

use thiserror::Error;

/// Why a question cannot be answered.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ForecastError {
    /// A number that means nothing where it stands.
    #[error("{what} is {value}; it must be {wanted}")]
    BadNumber {
        /// Which number.
        what: &'static str,
        /// The offending value.
        value: f64,
        /// What it must be.
        wanted: &'static str,
    },
    /// More load than the servers can ever work off: the queue grows without end.
    #[error(
        "{erlangs} erlangs are too many for {servers} servers: the queue grows without end; add servers or take load away"
    )]
    Overloaded {
        /// The load offered, in servers' worth of work.
        erlangs: f64,
        /// How many servers there are.
        servers: u32,
    },
    /// A series with too few values.
    #[error("the series has {have} values besides gaps; at least {need} are needed")]
    TooShort {
        /// How many there are.
        have: usize,
        /// How many are needed.
        need: usize,
    },
    /// Two lists that must be of the same length.
    #[error("{what} has {have} entries, but {need} are wanted, one for each of its counterpart")]
    WrongLength {
        /// Which list.
        what: &'static str,
        /// How long it is.
        have: usize,
        /// How long it should be.
        need: usize,
    },
    /// More than is worked on in one question.
    #[error("{what} would take {size} steps, more than the {limit} allowed; ask about less")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        size: u64,
        /// How large it may be.
        limit: u64,
    },
}

/// Returns a number that must be finite and above zero.
pub(crate) fn positive(what: &'static str, value: f64) -> Result<f64, ForecastError> {
    let wanted = "a finite number above 0";
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(ForecastError::BadNumber { what, value, wanted }) }
}

/// Returns a number that must be finite and not below zero.
pub(crate) fn not_negative(what: &'static str, value: f64) -> Result<f64, ForecastError> {
    let wanted = "a finite number, 0 or above";
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(ForecastError::BadNumber { what, value, wanted }) }
}
