//! Questions answered over one revision: the catalogue and the graph that was drawn from it.
//!
//! A [`View`] is what a reader holds: a catalogue and its dependency graph at one revision, with a
//! [`Brief`] of each item for answers that count thousands of them. This crate draws the graph
//! ([`projection`]) and turns what people ask (by key, in words) into what the analyses compute (by
//! number), and back into answers with names, reasons, revision and completeness. Command line,
//! GraphQL and tests all get their answers here, for the present and for any past revision alike.
//!
//! | question | file |
//! | --- | --- |
//! | what losing these costs, with proof and certainty | [`impact`] |
//! | what this needs, what depends on it, why this depends on that | [`walk`] |
//! | which items there are; everything about one | [`items`] |
//! | what one request for change does, with the others planned then | [`change`] |
//! | requests, calendar, disruptions, templates and baselines as they stand | [`register`] |
//! | what state chosen items are in, provably | [`baseline`] |
//! | what a schedule of changes does, hour by hour | [`schedule`] |
//! | what was predicted of changes against what happened, and their trends | [`review`] |
//! | whose failure alone fells a service, and which change removes most of that | [`single_points`] |
//! | how available services are; which sets of failures breach one | [`availability`], [`cut_sets`] |
//! | in which order things start, and what never does | [`recovery`] |
//! | how much of everything demand takes; what runs out first; how much a service carries | [`demand`], [`capacity`], [`capacity::throughput`] |
//! | what falls with a supplier, concentration, promises, the register of information | [`supplier`] |
//! | where what is declared and observed differ; how healthy the catalogue is; a sample to audit | [`drift`], [`health`], [`sample`] |
//! | the same under a scenario, or with an edited catalogue | [`suppose`] |
//! | what is wrong with the catalogue | [`check`] |
//! | what changed between two states of a record | [`difference`] |
//!
//! Every answer is a serialisable type with a JSON Schema, and begins with its [`Basis`]: the
//! revision it rests on and whether anything is missing from it.
//!
//! It is pure and refuses effects: no store, no clock, no runtime. The time of a question is given
//! by whoever asks.

pub mod attributes;
pub mod availability;
pub mod baseline;
pub mod basis;
mod brief;
pub mod capacity;
mod chances;
pub mod change;
pub mod check;
pub mod common_cause;
pub mod cut_sets;
pub mod demand;
pub mod difference;
pub mod drift;
mod error;
pub mod health;
pub mod impact;
pub mod items;
pub mod needs;
mod profile;
pub mod projection;
pub mod recovery;
pub mod register;
pub mod review;
pub mod sample;
pub mod schedule;
pub mod series;
pub mod single_points;
mod subject;
pub mod supplier;
pub mod suppose;
mod view;
pub mod walk;

pub use basis::{Asked, Basis, Limit, LimitCode};
pub use brief::Brief;
pub use error::QuestionError;
pub use subject::{Subject, find};
pub use view::{View, item};
