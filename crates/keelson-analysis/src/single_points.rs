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
//! # One walk for many
//!
//! [`visit`] walks everything that some items depend on once, dependencies first, and shows the set of
//! each item as soon as it is known; the sets of its members are still there then, and are given up
//! when the last of their owners is done. What is held at once is therefore what is still needed, not
//! the sets of the whole estate. Every other question is a use of it: one item ([`single_points`]),
//! some items ([`single_points_of`]), what each item takes down alone ([`survey`]).
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

mod set;
mod solve;
mod survey;

use std::{ops::ControlFlow, sync::atomic::AtomicBool};

use keelson_graph::{ItemIx, Snapshot};

pub use solve::Found;
pub use survey::{Felling, Keep, Survey, Watched, survey};

use crate::{AnalysisError, Reading, Settled};

/// How single points are looked for; the items they are wanted for are given beside it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The loss at which an item has failed, above 0 and at most 1; see [`breach_level`].
    pub level: f64,
    /// Which way doubts are read. Two answers, optimistic and pessimistic, bracket the truth.
    pub reading: Reading,
    /// Doubts settled for this question alone.
    pub settled: Option<&'a Settled>,
    /// Words of four bytes written to sets, at most: what bounds time. An entry takes one, or less in
    /// a large set; a chain of needs of length *n* takes up to n² / 2 of them. Entries that have to be
    /// counted one by one, for redundancy needs, take one more each.
    pub max_words: usize,
    /// Words of sets held at once, at most: what bounds memory.
    pub max_live: usize,
    /// Raised by somebody who watches the clock, or who no longer wants the answer.
    pub stop: Option<&'a AtomicBool>,
}

impl Default for Question<'_> {
    /// Whose failure makes an item wholly fail, every need as written.
    fn default() -> Self {
        Self {
            level: 1.0,
            reading: Reading::AsWritten,
            settled: None,
            max_words: Self::MAX_WORDS,
            max_live: Self::MAX_LIVE,
            stop: None,
        }
    }
}

impl Question<'_> {
    /// Words written unless something else is said: some ten seconds' work.
    pub const MAX_WORDS: usize = 500_000_000;

    /// Words held at once unless something else is said: 400 MB.
    pub const MAX_LIVE: usize = 100_000_000;
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
    /// Whether a limit was hit before the item's turn came. Then nothing is known about it.
    pub is_cut: bool,
}

impl SinglePoints {
    fn cut() -> Self {
        Self { is_cut: true, ..Self::default() }
    }
}

/// Why a walk ended before everything was visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// [`Question::max_words`] were written.
    Words,
    /// More than [`Question::max_live`] would have been held at once.
    Live,
    /// The stop flag was raised.
    Stopped,
    /// There were more answers than wanted.
    Answers,
    /// The visitor had enough.
    Visitor,
}

/// What a walk did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Items there were to visit: those asked about and everything they depend on.
    pub items: usize,
    /// Items visited; their sets are whole.
    pub visited: usize,
    /// Words of four bytes written to sets, and entries counted.
    pub words: usize,
    /// Words held at once, at most.
    pub most_live: usize,
    /// Why it ended early, if it did; items not visited are unknown then.
    pub cut: Option<Cut>,
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

/// Finds the single points of some items and of everything they depend on, in one walk, and shows
/// those of each item once, dependencies before their dependents.
///
/// `each` sees every item met, also those not asked about, and may end the walk.
///
/// # Errors
/// When an item is not in the graph, or the level lies outside 0..=1 or is 0.
pub fn visit(
    snapshot: &Snapshot,
    items: impl IntoIterator<Item = ItemIx>,
    question: &Question<'_>,
    seeds: &[ItemIx],
    each: impl FnMut(Found<'_>) -> ControlFlow<()>,
) -> Result<Pass, AnalysisError> {
    let items: Vec<ItemIx> = items.into_iter().collect();
    check(snapshot, &items, question, seeds)?;
    Ok(solve::solve(snapshot, &items, question, seeds, each))
}

fn check(
    snapshot: &Snapshot,
    items: &[ItemIx],
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<(), AnalysisError> {
    if let Some(&item) = items.iter().chain(seeds).find(|item| !snapshot.contains(**item)) {
        return Err(AnalysisError::UnknownItem { item });
    }
    let level = question.level;
    if !(level > 0.0 && level <= 1.0) {
        return Err(AnalysisError::LevelOutOfRange { level });
    }
    Ok(())
}

/// Returns the items whose failure alone fells an item while the seeds are down.
///
/// # Errors
/// As [`visit`].
pub fn single_points(
    snapshot: &Snapshot,
    item: ItemIx,
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<SinglePoints, AnalysisError> {
    let (mut points, _) = single_points_of(snapshot, &[item], question, seeds)?;
    Ok(points.pop().unwrap_or_else(SinglePoints::cut))
}

/// Returns the items whose failure alone fells each of some items while the seeds are down, in the
/// order of the items, from one walk over everything that any of them depends on.
///
/// # Errors
/// As [`visit`].
pub fn single_points_of(
    snapshot: &Snapshot,
    items: &[ItemIx],
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<(Vec<SinglePoints>, Pass), AnalysisError> {
    if let [item] = items {
        check(snapshot, items, question, seeds)?;
        let (points, pass) = solve::solve_one(snapshot, *item, question, seeds);
        return Ok((vec![points], pass));
    }
    let asked = Asked::new(items);
    let mut points = vec![SinglePoints::cut(); items.len()];
    let pass = visit(snapshot, items.iter().copied(), question, seeds, |found| {
        for place in asked.places(found.item()) {
            points[place] = found.to_points();
        }
        ControlFlow::Continue(())
    })?;
    Ok((points, pass))
}

/// Returns the items that become single points of failure of an item while the seeds are down.
///
/// # Errors
/// As [`visit`].
pub fn new_single_points(
    snapshot: &Snapshot,
    item: ItemIx,
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<Margin, AnalysisError> {
    let mut margins = new_single_points_of(snapshot, &[item], question, seeds)?;
    Ok(margins.pop().unwrap_or_default())
}

/// Returns the items that become single points of failure of each of some items while the seeds are
/// down, in the order of the items, from two walks.
///
/// If a limit was hit without the seeds, an item listed as new may have been one before; `always`
/// says whether that is so.
///
/// # Errors
/// As [`visit`].
pub fn new_single_points_of(
    snapshot: &Snapshot,
    items: &[ItemIx],
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<Vec<Margin>, AnalysisError> {
    let (always, _) = single_points_of(snapshot, items, question, &[])?;
    let (meanwhile, _) = single_points_of(snapshot, items, question, seeds)?;
    let margin = |(always, meanwhile): (SinglePoints, SinglePoints)| {
        let is_new = |item: &ItemIx| always.items.binary_search(item).is_err();
        Margin { new: meanwhile.items.iter().copied().filter(is_new).collect(), always, meanwhile }
    };
    Ok(always.into_iter().zip(meanwhile).map(margin).collect())
}

/// Where items stand in a list that may name one twice.
struct Asked {
    /// Items with their places, ascending.
    sorted: Vec<(ItemIx, usize)>,
}

impl Asked {
    fn new(items: &[ItemIx]) -> Self {
        let mut sorted: Vec<(ItemIx, usize)> = items.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    fn places(&self, item: ItemIx) -> impl Iterator<Item = usize> + '_ {
        let first = self.sorted.partition_point(|(known, _)| *known < item);
        self.sorted[first..].iter().take_while(move |(known, _)| *known == item).map(|(_, place)| *place)
    }
}
