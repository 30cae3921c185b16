//! What tests of several crates are told on: an [`Estate`] read from a batch, with requests for change, freezes and
//! disruptions on it, and the questions a board asks of it.
//!
//! It is for `dev-dependencies` alone, and everything in it fails a test by panicking: what cannot be had is a
//! mistake in the test. Times count from [the midnight](minutes) of 2 November 2026, ids are numbered from the same
//! start, so that the same test builds the same estate. It refuses effects but reading the file of a batch.
//!
//! Tests of one crate alone keep their builders beside them.

#![expect(clippy::unwrap_used, reason = "what cannot be had in a test fails it")]

mod estate;
mod times;

pub use estate::{Estate, header};
pub use times::{hours, minutes};
