//! Whose single failure fells this, and who joins them while something else is down.
//!
//! S(v) is the set of items whose failure alone fells v (analyses 2.5): the least solution in which
//! every item is in its own set, a need for all members hands on the union of their sets, and a need
//! for *k* of *n* what is in the sets of at least n − k + 1 of them. It is not the set of dominators;
//! on a graph with redundancy those answer another question. Cycles of needs are walked until
//! nothing changes, and never fail by themselves.
//!
//! With some items down already, S(v | seeds) are the items whose failure fells v *now*; what is
//! felled by the seeds alone has every item in its set. What S(v | seeds) has beyond S(v) are the
//! points at which a change leaves no margin (analyses 2.4, [`new_single_points`]).
//!
//! # What counts as failed
//!
//! An item has failed when its loss reaches a level, usually 1. A soft need whose cap is below the
//! level cannot bring that about and is left out. A WEIGHT need gives way as its weights say, a
//! PERCENT need as the count it amounts to. A SHARE need gives way when the capacity left makes its
//! loss reach the level, each member counted wholly or not at all: at level 1, when every member has
//! failed, and the answer is exact. Below 1 it may miss points, because members that lose less than
//! the level do not add up; a need that is overloaded with every member up has then failed from the
//! start.

mod solve;

use std::sync::atomic::AtomicBool;

use keelson_graph::{ItemIx, Snapshot};

use crate::{AnalysisError, Reading, Settled};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The item asked about.
    pub item: ItemIx,
    /// The loss at which an item has failed, above 0 and at most 1; see [`breach_level`].
    pub level: f64,
    /// Which way doubts are read. Two answers, optimistic and pessimistic, bracket the truth.
    pub reading: Reading,
    /// Doubts settled for this question alone.
    pub settled: Option<&'a Settled>,
    /// Entries written to sets, at most: what bounds time and memory. A chain of needs of length *n*
    /// takes about n² / 2 of them.
    pub max_entries: usize,
    /// Raised by somebody who watches the clock, or who no longer wants the answer.
    pub stop: Option<&'a AtomicBool>,
}

impl Question<'_> {
    /// Entries allowed unless something else is said: at most 200 MB.
    pub const MAX_ENTRIES: usize = 50_000_000;

    /// Whose failure alone makes an item wholly fail, every need as written.
    #[must_use]
    pub fn about(item: ItemIx) -> Self {
        let max_entries = Self::MAX_ENTRIES;
        Self { item, level: 1.0, reading: Reading::AsWritten, settled: None, max_entries, stop: None }
    }
}

/// The level for which *failed* means that a service delivers less than it must, for services whose
/// soft needs alone may breach them.
#[must_use]
pub fn breach_level(min_delivered: f64) -> f64 {
    // Just above the largest loss that is no breach, rounding included.
    (1.0 - min_delivered + 2e-9).clamp(2e-9, 1.0)
}

/// The single points of failure of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinglePoints {
    /// The items, ascending; the item itself and the seeds left out.
    pub items: Vec<ItemIx>,
    /// Whether the item has failed already; then there are no points to name.
    pub has_failed: bool,
    /// Whether a limit was hit. Every item listed is a single point even so, but there may be more,
    /// and the item may have failed without it being known.
    pub is_cut: bool,
}

/// What a change takes from the margin of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    /// The single points that are none without the seeds, ascending.
    pub new: Vec<ItemIx>,
    /// The single points at all times.
    pub always: SinglePoints,
    /// The single points while the seeds are down.
    pub meanwhile: SinglePoints,
}

/// Returns the items whose failure alone fells an item while the seeds are down.
///
/// # Errors
/// When an item is not in the graph, or the level lies outside 0..=1 or is 0.
pub fn single_points(
    snapshot: &Snapshot,
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<SinglePoints, AnalysisError> {
    let Question { item, level, .. } = *question;
    if let Some(&item) = [item].iter().chain(seeds).find(|item| !snapshot.contains(**item)) {
        return Err(AnalysisError::UnknownItem { item });
    }
    if !(level > 0.0 && level <= 1.0) {
        return Err(AnalysisError::LossOutOfRange { item, loss: level });
    }
    let (set, is_cut) = solve::solve(snapshot, question, seeds);
    let Some(mut items) = set else { return Ok(SinglePoints { has_failed: true, is_cut, ..SinglePoints::default() }) };
    items.retain(|found| *found != item && !seeds.contains(found));
    items.sort_unstable();
    Ok(SinglePoints { items, has_failed: false, is_cut })
}

/// Returns the items that become single points of failure of an item while the seeds are down.
///
/// If a limit was hit without the seeds, an item listed as new may have been one before; `always`
/// says whether that is so.
///
/// # Errors
/// As [`single_points`].
pub fn new_single_points(
    snapshot: &Snapshot,
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<Margin, AnalysisError> {
    let always = single_points(snapshot, question, &[])?;
    let meanwhile = single_points(snapshot, question, seeds)?;
    let new = meanwhile.items.iter().copied().filter(|item| always.items.binary_search(item).is_err()).collect();
    Ok(Margin { new, always, meanwhile })
}
