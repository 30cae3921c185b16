//! Questions answered over one revision: the catalogue and the graph that was drawn from it.
//!
//! A [`View`] is what a reader holds: a catalogue and its dependency graph at one revision. This
//! crate draws the graph ([`projection`]) and turns what people ask (by key, in words) into what
//! the analyses compute (by number), and back into answers with names, reasons, revision and
//! completeness. Command line, GraphQL and tests all get their answers here, for the present and
//! for any past revision alike.
//!
//! It is pure and refuses effects: no store, no clock, no runtime.

pub mod projection;
mod view;

pub use view::{View, item};
