//! The state of the catalogue at one revision, in memory.
//!
//! A [`Catalogue`] is what the log of commits adds up to: every configuration item, relationship,
//! need and record as of one revision, with the look-ups that planning and reading need. It is a
//! persistent value: cloning it costs nothing to speak of, and a clone never changes, so that a
//! reader holds one revision for as long as it likes while a writer applies the next commit.
//!
//! The same value serves the present and the past: the catalogue *as of* a time is the same log
//! applied up to that time, and every reading of the product works on either.
//!
//! This crate refuses to decide what changes (that is keelson-reconcile), to keep anything (that is
//! keelson-store) and to walk (that is keelson-graph). Start reading at [`Catalogue`] and
//! [`Catalogue::apply`].

mod apply;
mod catalogue;
pub mod identity;
mod ix;
mod planning;
pub mod query;
#[cfg(test)]
mod tests;

pub use apply::ApplyError;
pub use catalogue::{Catalogue, Claimed, Head, NeedSlot, RelationshipSlot, Slot, SourceRef};
pub use ix::{CiIx, LogRef, NeedIx, RelationshipIx};
pub use planning::Kept;
