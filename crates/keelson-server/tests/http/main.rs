//! The server over real HTTP on the local machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;
mod health;
mod imports;
mod questions;
mod refusals;
mod stopping;
mod support;
