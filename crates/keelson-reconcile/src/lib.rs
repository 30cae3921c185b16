//! A batch and a catalogue to a plan: what would change, and why.
//!
//! [`plan`] takes what a source delivered and the catalogue as it is, and says what would become of
//! the catalogue: which configuration item each row is, whose value of each attribute wins, what a
//! complete batch no longer lists, and whether that is too much to believe. A dry run shows the
//! plan; applying it commits the very same changes. [`edit::plan_edits`] does the same for what
//! people change by hand, under the source `manual` and through the same merging.
//!
//! # What holds
//!
//! - The plan is a function of catalogue, batch, time, settings and ids. The order of rows in a
//!   batch plays no part, nor does the order in which sources are imported: effective facts are
//!   computed from the claims of all sources, losing ones included (see `merge`).
//! - Repeating a batch changes nothing but *last seen*: the state of the scope and the ledger.
//! - Only a complete batch withdraws by absence, only claims of its own source and scope, and only
//!   within the guard. What could not be read, or waits for a person, is not gone. Nothing is ever
//!   deleted: a claim gets a tombstone, and a record without a live claim is withdrawn.
//! - A record changes in one step: its version rises by one, and the record before is the very one
//!   the catalogue has, so that [`keelson_catalogue::Catalogue::apply`] accepts the changes.
//!
//! # What it decides where its sources are silent
//!
//! - A claim is made per source, *scope* and source key (of a relationship: source, scope and form;
//!   of a need: source and scope), because the scope is the unit of withdrawal. A delta speaks
//!   within the scope it finds a claim in.
//! - Stating a class is what claims existence. A source that only refers to an item keeps a
//!   placeholder alive and nothing else; a person's annotation keeps nothing alive.
//! - Two rows of one batch that fit one identity rule are one item with two claims, unless a better
//!   rule, ids of the source or stated keys differ: then they are two, and a finding names both.
//! - A key that a batch states is an identity like any other: it must mean the same item as the
//!   rules do, or a person is asked; so it is when something that identifies by itself differs from
//!   what the holder of the key has. A key made of class and name identifies nothing, except that
//!   it fills a placeholder somebody refers to by exactly that key.
//! - What a claim says counts as far as the effective class of the item defines it; the rest is kept
//!   uninterpreted. Only classes of which one refines the other can be one item.
//! - Without a rank, sources rank by name, after people and after those the settings name.
//! - The guard counts what the plan takes away by absence and by removal alike. Relationships that
//!   go with one of their ends are not counted again, and a need counts as one relationship. Items
//!   in whose place another lifetime stands have a guard of their own, because pods are replaced in
//!   everyday life.
//!
//! This crate refuses to read, to write, to look at the clock and to make ids up. Start reading at
//! `planner` (the course of a batch), then `identify`, `merge` and `withdraw`.

mod context;
mod contradictions;
mod describe;
mod drafts;
pub mod edit;
mod guard;
mod identify;
mod ledger;
mod merge;
mod needs;
mod notes;
mod plan;
mod planner;
mod relationships;
mod resolve;
mod results;
mod reviews;
mod rows;
mod settings;
mod typing;
mod withdraw;
mod words;

use chrono::{DateTime, Utc};
use keelson_catalogue::Catalogue;
use keelson_model::{Batch, BatchId, IdSource};

pub use plan::{AttributeChange, Plan, PlanOutcome, RowKind, RowOutcome, RowResult};
pub use reviews::class_in_question;
pub use settings::{Detail, Limits, Precedence, PrecedenceRule, Settings, SourceSettings, Strategy};

/// Plans a batch: what would change in the catalogue, and why.
///
/// The plan is committed as [`Plan::changes`], at the revision it names; when the catalogue has
/// moved meanwhile, plan again. Nothing is to be committed of a batch that is known already, that
/// came out of order, or that an error stopped: its changes are empty. Of a batch that the guard
/// stopped, or that was to stop at errors and has rows of which it is not clear what they are, the
/// ledger entry and the review tasks are.
///
/// A person's answer to a review task takes effect when the batch (the very same delivery will do)
/// is planned again.
#[must_use]
pub fn plan(
    catalogue: &Catalogue,
    batch: &Batch,
    batch_id: BatchId,
    at: DateTime<Utc>,
    settings: &Settings,
    ids: &mut dyn IdSource,
) -> Plan {
    planner::plan(catalogue, batch, batch_id, at, settings, ids)
}
