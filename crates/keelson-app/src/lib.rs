//! The use cases of Keelson.
//!
//! A [`Keelson`] is an open catalogue: a store, and the view of its last revision in memory. A
//! reader takes a [`View`] and keeps it for as long as its question lasts; a commit publishes the
//! next view without waiting for readers. Everything that writes goes through
//! [`Keelson::commit`].
//!
//! The crate refuses to know HTTP, GraphQL and SurrealQL.

mod board;
mod committing;
pub mod condition;
mod edit;
mod history;
mod import;
mod keelson;
mod keeping;
mod question;
mod report;
mod schema_check;
mod series;
mod stop;
mod suppose;
pub mod system;

use std::sync::Arc;

pub use board::{
    Act, ActError, Acted, AlterationInput, BaselineComparison, ItemDifference, MOST_OF_A_MEETING, ObservedInput,
    Outcome, Pack, PackFile, PackForm, PackOf, RequestInput, ReviewInput, Selection, Side, Subject,
};
pub use edit::{EditError, Edited};
pub use history::{HistoryEntry, RecordRef};
pub use import::{ImportOptions, Imported};
pub use keelson::{AsOf, AsOfSyntaxError, Error, Keelson};
pub use keelson_answers::{self as answers, Asked, View};
pub use keelson_change as change;
pub use keelson_pack::reports::Frame;
pub use keelson_reconcile as reconcile;
pub use keelson_series as series_files;
pub use keelson_store::{CommitError, Draft, Options, Problem, StoreError, Verification};
pub use question::{Answer, AskError, BaselineAnswer, GateAnswer, HistoryAnswer, Question, RecordSort, SeedInput};
pub use report::{Report, report, runs_out};
pub use schema_check::SchemaContradiction;
pub use series::{MeasuredPoints, MeasuredSeries, SeriesError, SeriesImported, SeriesOptions};
pub use stop::{Stop, StopOnDrop};
pub use suppose::{Given, Suppose, WhatIf, WhatIfError};

/// Who does something, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// A person's or a machine's name.
    pub name: Arc<str>,
    /// Why, in the actor's words.
    pub reason: Option<Arc<str>>,
}

impl Actor {
    /// An actor without a stated reason.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: Arc::from(name), reason: None }
    }
}
