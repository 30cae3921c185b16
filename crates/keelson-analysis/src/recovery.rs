//! In which order things start again, how long that takes, and what cannot start at all.
//!
//! T(v) = r_v + the largest, over the needs of v to run and to start, of the time at which enough of
//! the need's members are up (analyses 2.6): from everything off, or with everything outside a lost
//! set up at time 0. It is the *least* solution of "up": what is never reached cannot start, and the
//! difference to what keeps running once it runs are exactly the circles of needs. Items are taken in
//! the order of their times (Dijkstra 1959), which is exact because every step adds time.
//!
//! # What counts as up
//!
//! A need holds when its loss, with every member not up yet wholly lost, stays below a level, usually
//! that of a whole loss. A soft need whose cap is below the level always does and is left out. At the
//! level of a whole loss a SHARE need holds as soon as anything carries any of its load; at the level
//! at which a service is breached ([`breach_level`](crate::single_points::breach_level)), when enough
//! do.
//!
//! # What is not known
//!
//! A recovery time that nobody stated is an interval, usually that of the class. Two runs, with the
//! shortest and the longest times, bracket the truth; the order and the critical path are those of
//! the longest. Doubts about needs are read as the question says.

mod blocked;
mod break_glass;
mod objective;
mod run;

use std::sync::atomic::AtomicBool;

use keelson_graph::{ItemIx, Snapshot};

pub use blocked::{Blockage, Wait, blockage};
pub use break_glass::{BreakGlass, Budget, Way, break_glass};
pub use objective::{Objective, Outcome};

use crate::{AnalysisError, Reading, Settled};

/// How long something takes, in seconds: between these two, which are equal where it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// At least so long.
    pub least: u64,
    /// At most so long.
    pub most: u64,
}

impl Span {
    /// A length of time that is known.
    #[must_use]
    pub fn known(seconds: u64) -> Self {
        Self { least: seconds, most: seconds }
    }
}

/// How long an item takes to start once everything it needs is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnTime {
    /// Somebody stated it, in seconds.
    Stated(u64),
    /// Nobody did; the interval is that of its class, or whatever else is assumed.
    Assumed(Span),
}

impl OwnTime {
    fn span(self) -> Span {
        match self {
            Self::Stated(seconds) => Span::known(seconds),
            Self::Assumed(Span { least, most }) => Span { least, most: most.max(least) },
        }
    }
}

/// What has to start.
#[derive(Clone, Copy, Debug)]
pub enum Off<'a> {
    /// Every item of the graph.
    Everything,
    /// These items; everything else is up at time 0. Usually what is lost with a site.
    Items(&'a [ItemIx]),
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What has to start.
    pub off: Off<'a>,
    /// The loss at which a need no longer holds, above 0 and at most 1.
    pub level: f64,
    /// Which way doubts about needs are read.
    pub reading: Reading,
    /// Doubts settled for this question alone.
    pub settled: Option<&'a Settled>,
    /// Raised by somebody who watches the clock, or who no longer wants the answer.
    pub stop: Option<&'a AtomicBool>,
}

impl<'a> Question<'a> {
    /// A start of some items, every need as written.
    #[must_use]
    pub fn of(off: Off<'a>) -> Self {
        Self { off, level: 1.0, reading: Reading::AsWritten, settled: None, stop: None }
    }

    fn check(&self, snapshot: &Snapshot) -> Result<(), AnalysisError> {
        let items = if let Off::Items(items) = self.off { items } else { &[] };
        if let Some(&item) = items.iter().find(|item| !snapshot.contains(**item)) {
            return Err(AnalysisError::UnknownItem { item });
        }
        if !(self.level > 0.0 && self.level <= 1.0) {
            return Err(AnalysisError::LevelOutOfRange { level: self.level });
        }
        Ok(())
    }
}

/// An item that starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The item.
    pub item: ItemIx,
    /// How long it takes by itself.
    pub own: Span,
    /// When it is up, in seconds from the beginning.
    pub up: Span,
    /// The item it waited for longest; `None` when it waited for nothing that was off.
    pub after: Option<ItemIx>,
}

/// How a start goes.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// What starts, in the order in which it is up; of those up at the same time, what is needed by
    /// the others first.
    pub order: Vec<Started>,
    /// What cannot start, ascending. Empty when the question was stopped.
    pub stuck: Vec<ItemIx>,
    /// The items that start with a time that nobody stated, ascending.
    pub assumed: Vec<ItemIx>,
    /// Whether the question was stopped; then items are missing at the end of the order.
    pub is_cut: bool,
    /// Where each item stands in the order, plus one.
    places: Vec<u32>,
}

impl Recovery {
    /// How one item starts; `None` for items that were up, are stuck, or are not known about.
    #[must_use]
    pub fn of(&self, item: ItemIx) -> Option<&Started> {
        let place = (*self.places.get(item.index())? as usize).checked_sub(1)?;
        self.order.get(place)
    }

    /// The chain of items that decides when an item is up, from the first to start to the item itself:
    /// their own times add up to its time, at most. Empty unless the item starts.
    #[must_use]
    pub fn critical_path(&self, item: ItemIx) -> Vec<Started> {
        let mut path = Vec::new();
        let mut next = self.of(item);
        while let Some(started) = next {
            path.push(*started);
            next = started.after.and_then(|after| self.of(after));
        }
        path.reverse();
        path
    }
}

/// Returns in which order items start, and when each is up.
///
/// `own` says how long an item takes by itself once everything it needs is up.
///
/// # Errors
/// When an item is not in the graph, or the level lies outside 0..=1 or is 0.
pub fn recovery(
    snapshot: &Snapshot,
    question: &Question<'_>,
    own: impl Fn(ItemIx) -> OwnTime,
) -> Result<Recovery, AnalysisError> {
    question.check(snapshot)?;
    let longest = run::run(snapshot, question, &[], |item| own(item).span().most);
    let is_assumed = |item: &ItemIx| matches!(own(*item), OwnTime::Assumed(_));
    let mut assumed: Vec<ItemIx> = longest.order.iter().map(|step| step.item).filter(is_assumed).collect();
    assumed.sort_unstable();
    let is_open = longest.order.iter().any(|step| own(step.item).span().least < own(step.item).span().most);
    let shortest = is_open.then(|| run::run(snapshot, question, &[], |item| own(item).span().least));
    let is_cut = longest.is_cut || shortest.as_ref().is_some_and(|run| run.is_cut);

    let mut least = vec![0; if shortest.is_some() { snapshot.slots() } else { 0 }];
    for step in shortest.iter().flat_map(|run| &run.order) {
        least[step.item.index()] = step.up;
    }
    let mut places = vec![0; snapshot.slots()];
    for (place, step) in (1..).zip(&longest.order) {
        places[step.item.index()] = place;
    }
    let started = |step: &run::Step| Started {
        item: step.item,
        own: own(step.item).span(),
        up: Span { least: least.get(step.item.index()).copied().unwrap_or(step.up), most: step.up },
        after: step.after,
    };
    let order = longest.order.iter().map(started).collect();
    let stuck = if is_cut { Vec::new() } else { longest.stuck(snapshot, question.off) };
    Ok(Recovery { order, stuck, assumed, is_cut, places })
}
