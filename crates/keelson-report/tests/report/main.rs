//! Documents and drawings as a caller sees them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod drawing;
mod golden;
mod hostile;
mod ics;
mod sample;
mod timeline;
