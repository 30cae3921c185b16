//! How single failures combine to fell an item: the common ground of availability, cut sets and
//! importance.
//!
//! An item has failed when it fails of itself, which is its *event*, or when one of its needs gives
//! way. With events for variables this is one monotone Boolean function; its meaning over a cycle of
//! needs is the least solution, so that a cycle never fails by itself. The way from the dependency
//! graph to numbers:
//!
//! 1. [`graph`]: the needs of the cone become edges (the loss of one is enough) and gates (the loss of
//!    several is needed), as the reading and the level say.
//! 2. [`reduce`]: what is certain is put in. Everything whose failure alone fells the item is taken
//!    out, its needs become needs of the item itself, and what hangs together by edges alone becomes
//!    one. What is left falls into *modules* that have no event in common.
//! 3. [`bdd`]: each module becomes a binary decision diagram, from which probability and importance
//!    are read exactly in one pass, and [`families`] its minimal cut sets.
//! 4. Where a diagram outgrows its budget, [`families`] collects the more likely cut sets and keeps
//!    count of what it leaves out, [`bounds`] encloses the rest, and [`simulate`] tries.
//!
//! # Why the diagrams are our own
//!
//! `oxidd` recurses on the call stack as deep as there are variables (its stack is set by an
//! environment variable), cannot be stopped within an operation, brings a thread pool, and has no
//! minimal solutions of monotone functions; they would have to be written against its inner
//! interface. `biodivine-lib-bdd` has limits and no recursion, but numbers variables by 16 bits, copies
//! shared parts from function to function, and knows no families of sets. What is needed here is
//! little: two operations without negation, one arena, no collection of garbage.

pub(crate) mod bdd;
pub(crate) mod bounds;
mod diagram;
mod evaluate;
pub(crate) mod families;
mod graph;
mod module;
pub(crate) mod order;
mod reduce;
pub(crate) mod simulate;
pub(crate) mod solve;

pub(crate) use diagram::{Cut, Fuel};
pub(crate) use module::{Gate, Module};
pub(crate) use reduce::{System, system};
