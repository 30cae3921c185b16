//! The questions asked of a snapshot of the dependency graph, one file each.
//!
//! | question | file |
//! | --- | --- |
//! | what is lost when these items are lost, and why | [`impact`] |
//! | is that certain, and which unknown facts decide it | [`certainty`] |
//! | what depends on this; what does this depend on | [`closure`] |
//! | why does this depend on that | [`path`] |
//! | which changes break together what none breaks alone | [`collision`] |
//! | what does a plan of changes do, hour by hour, and what to move | [`schedule`] |
//! | whose single failure fells this, and who joins them meanwhile | [`single_points`] |
//! | which edit removes most single points | [`best_fix`] |
//! | what starts again when, and what cannot start at all | [`recovery`] |
//! | how likely does a change fail, and what may it cost | [`risk`] |
//! | how available can this be, given what it rests on | [`availability`] |
//! | which smallest sets of failures fell this, and how many it takes | [`cut_sets`] |
//! | which item hurts most now, and which may never fail | [`importance`] |
//! | what of that do members of a pool share without its being drawn | [`common_cause`] |
//! | how much of everything do the services take, what runs out first | [`demand`] |
//! | when does growth take the redundancy of a pool | [`expiry`] |
//! | how much can pass, what holds it back, what does more cost least | [`throughput`] |
//!
//! All answers come from one propagation model: the loss of an item is its own loss or the largest
//! loss of its needs, whichever is larger, and the answer is the least fixpoint of that. Nothing is
//! declared lost unless a finite chain of reasons from a seed forces it; a cycle never fails by
//! itself. [`reading`] holds how one need is read; the walks are in the files of the questions.
//!
//! # Cost
//!
//! Every walk costs what it visits, not what the graph holds: working memory is kept in a [`Pool`]
//! and reused without being cleared as a whole. Every walk is bounded by [`Limits`] and says in its
//! answer which limit it hit.
//!
//! # What this crate refuses to do
//!
//! No input or output, no clock (a deadline is a flag that somebody else raises), no randomness (a
//! simulation takes its seed from the question), no recursion over data, and no names: items are
//! numbers here, and needs are found again by their tags.

pub mod availability;
pub mod best_fix;
pub mod certainty;
pub mod closure;
pub mod collision;
pub mod common_cause;
pub mod cut_sets;
pub mod demand;
pub mod expiry;
mod fault;
pub mod impact;
pub mod importance;
mod interplay;
mod joint;
mod limits;
pub mod path;
pub mod reading;
pub mod recovery;
pub mod risk;
pub mod sampling;
pub mod schedule;
mod scratch;
pub mod single_points;
pub mod throughput;

pub use limits::{Limits, Truncation, Truncations};
pub use reading::{Reading, Settled, Settlement};
pub use scratch::{Lease, Pool, Scratch};

use keelson_graph::ItemIx;
use thiserror::Error;

/// Why a question cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum AnalysisError {
    /// The question names an item that is not in the graph.
    #[error("item {} is not in the graph", item.0)]
    UnknownItem {
        /// The item.
        item: ItemIx,
    },
    /// A loss outside 0..=1.
    #[error("the loss of item {} is {loss}; it must lie between 0 and 1", item.0)]
    LossOutOfRange {
        /// The item.
        item: ItemIx,
        /// The offending loss.
        loss: f64,
    },
    /// A chance of failing that is no probability.
    #[error("the chance that item {} fails lies between {least} and {most}; both must be probabilities, the first not above the second", item.0)]
    ChanceOutOfRange {
        /// The item.
        item: ItemIx,
        /// The smallest chance given.
        least: f64,
        /// The largest chance given.
        most: f64,
    },
    /// A WEIGHT or SHARE need whose members are too many and too different.
    #[error("item {} has a need of {members} members of so many different weights or capacities that their combinations cannot be told apart; round them, or split the need", item.0)]
    TooIntricate {
        /// The item whose failure is asked about.
        item: ItemIx,
        /// How many members the need has.
        members: usize,
    },
    /// A level at which an item has failed outside 0..=1, or 0.
    #[error("an item has failed at a loss above 0 and at most 1; {level} is no such loss")]
    LevelOutOfRange {
        /// The offending level.
        level: f64,
    },
    /// A window that ends before, or when, it starts.
    #[error("a window must end after it starts; this one lasts from {start} to {end}")]
    EmptyWindow {
        /// Where it starts, in seconds.
        start: i64,
        /// Where it ends.
        end: i64,
    },
}
