//! Estates to measure on, and the form in which answers are compared between tools.
//!
//! The benches ask one question each, at three sizes (`benches/`); `measure` asks a list of
//! questions about a graph in files and prints time and a signature of each answer, so that it can
//! be run beside other tools on the same graph. Figures, and how they were taken, are in
//! `README.md`.

pub mod csv;
pub mod estate;
pub mod layers;
pub mod picture;
pub mod plan;
mod signature;

pub use signature::Signature;
