//! The types of the schema: one file per thing a client reads.

pub mod analysis;
pub mod attribute;
pub mod batch;
pub mod certainty;
pub mod change;
pub mod check;
pub mod completeness;
pub mod history;
pub mod impact;
pub mod item;
pub mod lookup;
pub mod need;
pub mod node;
pub mod payload;
pub mod provenance;
pub mod relationship;
pub mod review;
pub mod run;
pub mod scalar;
pub mod walk;
pub mod words;
