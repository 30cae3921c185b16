//! The behaviour of planning, from the outside: a catalogue, a batch, a plan, applied.

#![expect(clippy::unwrap_used, reason = "what cannot be had in a test fails it")]

mod classes;
mod common;
mod contradictions;
mod edits;
mod identity;
mod importing;
mod merging;
mod needs;
mod properties;
mod references;
mod scale;
mod withdrawal;
