//! Packs for a board, on the worked estate with owners, customers and values.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contents;
mod golden;
mod hostile;
mod large;
mod sample;
mod suppliers;
