//! The dependency graph in memory.
//!
//! A [`Snapshot`] holds which configuration item needs which others, under which rules, in two
//! compact directions: the needs of an item (its dependencies) and the needs an item is a member of
//! (its dependents). It is immutable and cheap to share; a request holds one for its whole life and
//! therefore sees one state. [`Builder`] makes one from nothing, [`Snapshot::with_changes`] makes
//! the next one from the last at a cost that follows the change, and [`Snapshot::compact`] folds
//! accumulated changes back into flat arrays.
//!
//! # What is stored how
//!
//! Most relationships are *plain*: a hard need of exactly one member, to keep running, about which
//! nothing is in doubt. They are stored as one number in each direction and nothing else, so that
//! "what depends on this" is a scan over one array. Every other need is *counted*: it has a record
//! with the number of lost members that trips it, and, where it is soft, weighted, shared or
//! doubtful, a [`Detail`].
//!
//! Items are numbered by the caller ([`ItemIx`]); numbers may be missing. [`NeedIx`] is numbered by
//! the snapshot, and only means something together with the snapshot that gave it.
//!
//! # What this crate refuses to do
//!
//! It knows no attributes, names, classes or stores, does no input or output, and gives no verdicts:
//! what a loss *means* is in `keelson-analysis`. Nothing here recurses over data: a chain of a
//! million items is an ordinary input.
//!
//! Start reading at [`spec::NeedSpec`], then `base.rs` for the arrays and `overlay.rs` for changes.

mod base;
mod builder;
mod detail;
pub mod fixture;
mod ix;
mod marks;
mod overlay;
mod paged;
mod petgraph_traits;
mod scc;
mod snapshot;
pub mod spec;

pub use builder::Builder;
pub use detail::{Detail, NeedHead, NeedView, Units};
pub use ix::{ItemIx, NeedIx};
pub use marks::Marks;
pub use overlay::Changes;
pub use petgraph_traits::{ItemIter, Visited};
pub use scc::{Components, components, components_by, components_within};
pub use snapshot::{Dependents, Snapshot};
pub use spec::{Doubt, GraphError, NeedSpec};
