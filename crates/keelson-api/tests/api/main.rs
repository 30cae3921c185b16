//! The interface as clients meet it, over its routes and a store on disk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod analysing;
mod changing;
mod common;
mod following;
mod planning;
mod reading;
mod refusing;
mod schema;
