//! Which change to the estate removes most single points of failure.
//!
//! Each candidate, one or more edits to placements, members and thresholds, is applied to a snapshot
//! beside the one in use, and the single points of the services it can reach are found again (analyses
//! 2.5). The candidates come from people, or from [`shared_placements`]: redundancy whose members
//! depend on the same thing, so that it is none.
//!
//! What else a candidate changes, such as unavailability or cost, is for the caller to judge: it is
//! shown every changed snapshot, and what it says stands beside the points removed.

mod edit;
mod shared;

use std::sync::atomic::Ordering;

use keelson_graph::{ItemIx, Snapshot};

pub use edit::{Candidate, Edit, FixError};
pub use shared::{Placement, Shared, SharedPlacements, shared_placements};

use crate::{
    AnalysisError, Limits, Pool,
    closure::{Direction, walk},
    single_points::{Question, SinglePoints, Watched, single_points_of},
};

/// What a candidate does to the single points of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The service.
    pub item: ItemIx,
    /// The points it no longer has, ascending.
    pub removed: Vec<ItemIx>,
    /// The points it has now, ascending.
    pub added: Vec<ItemIx>,
    /// Whether a limit was hit, or the service has failed already, before or after; then neither list
    /// says anything.
    pub is_unknown: bool,
}

/// What a candidate does.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix<T> {
    /// Its place in the list of candidates.
    pub candidate: usize,
    /// The watched services whose points change, or may, in the order given.
    pub effects: Vec<Effect>,
    /// Points removed, over all services.
    pub removed: usize,
    /// Points added.
    pub added: usize,
    /// For each service the points removed less the points added, times its value; the sum.
    pub gain: f64,
    /// What the caller says about the changed graph.
    pub judged: T,
}

/// Candidates compared.
#[derive(Clone, Debug, PartialEq)]
pub struct BestFix<T> {
    /// What each candidate does, the largest gain first, of equal gains the fewest edits.
    pub fixes: Vec<Fix<T>>,
    /// The candidates that cannot be applied, with the reason.
    pub refused: Vec<(usize, FixError)>,
    /// The candidates left over when the question was stopped.
    pub untried: Vec<usize>,
}

/// Compares candidates by the single points of watched services that they remove.
///
/// The limits of the question hold for each candidate. `judge` is shown the place of every candidate
/// that can be applied and the graph changed by it.
///
/// # Errors
/// When a watched item or a seed is not in the graph, or the level lies outside 0..=1 or is 0.
pub fn best_fix<T>(
    snapshot: &Snapshot,
    candidates: &[Candidate],
    watched: &[Watched],
    question: &Question<'_>,
    seeds: &[ItemIx],
    mut judge: impl FnMut(usize, &Snapshot) -> T,
) -> Result<BestFix<T>, AnalysisError> {
    let reach = Reach::of(snapshot, candidates, watched);
    let items: Vec<ItemIx> = watched.iter().map(|watched| watched.item).collect();
    let any: Vec<ItemIx> =
        items.iter().enumerate().filter(|(at, _)| reach.is_reached(*at)).map(|(_, item)| *item).collect();
    let (points, _) = single_points_of(snapshot, &any, question, seeds)?;
    let mut before = vec![None; watched.len()];
    for (at, points) in (0..watched.len()).filter(|at| reach.is_reached(*at)).zip(points) {
        before[at] = Some(points);
    }

    let mut found = BestFix { fixes: Vec::new(), refused: Vec::new(), untried: Vec::new() };
    for (number, candidate) in candidates.iter().enumerate() {
        if question.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            found.untried.push(number);
            continue;
        }
        let changed = match candidate.apply(snapshot) {
            Ok(changed) => changed,
            Err(error) => {
                found.refused.push((number, error));
                continue;
            }
        };
        let reached = &reach.by_candidate[number];
        let again: Vec<ItemIx> = reached.iter().map(|at| items[*at]).collect();
        let (after, _) = single_points_of(&changed, &again, question, seeds)?;
        let mut fix = Fix {
            candidate: number,
            effects: Vec::new(),
            removed: 0,
            added: 0,
            gain: 0.0,
            judged: judge(number, &changed),
        };
        for (at, after) in reached.iter().zip(after) {
            let before = before[*at].as_ref().expect("what one candidate reaches was asked about");
            fix.add(watched[*at], before, &after);
        }
        found.fixes.push(fix);
    }
    let edits = |fix: &Fix<T>| candidates[fix.candidate].edits.len();
    found.fixes.sort_by(|a, b| b.gain.total_cmp(&a.gain).then_with(|| edits(a).cmp(&edits(b))));
    Ok(found)
}

impl<T> Fix<T> {
    fn add(&mut self, watched: Watched, before: &SinglePoints, after: &SinglePoints) {
        let item = watched.item;
        let is_known = |points: &SinglePoints| !points.is_cut && !points.has_failed;
        if !is_known(before) || !is_known(after) {
            self.effects.push(Effect { item, is_unknown: true, ..Effect::default() });
            return;
        }
        let without = |some: &SinglePoints, others: &SinglePoints| -> Vec<ItemIx> {
            some.items.iter().copied().filter(|point| others.items.binary_search(point).is_err()).collect()
        };
        let (removed, added) = (without(before, after), without(after, before));
        self.removed += removed.len();
        self.added += added.len();
        #[expect(clippy::cast_precision_loss, reason = "numbers of items are exact in both types")]
        let (less, more) = (removed.len() as f64, added.len() as f64);
        self.gain += watched.value * (less - more);
        if !removed.is_empty() || !added.is_empty() {
            self.effects.push(Effect { item, removed, added, is_unknown: false });
        }
    }
}

/// Which watched items each candidate may change anything for: the dependents of what it edits.
struct Reach {
    by_candidate: Vec<Vec<usize>>,
    reached: Vec<bool>,
}

impl Reach {
    fn of(snapshot: &Snapshot, candidates: &[Candidate], watched: &[Watched]) -> Self {
        let (pool, mut reached) = (Pool::new(), vec![false; watched.len()]);
        let mut scratch = pool.lease();
        let mut of = |candidate: &Candidate| {
            let owners: Vec<ItemIx> =
                candidate.owners(snapshot).into_iter().filter(|owner| snapshot.contains(*owner)).collect();
            walk(snapshot, &mut scratch, &owners, Direction::Dependents, &Limits::default());
            let mut is_met = fixedbitset::FixedBitSet::with_capacity(snapshot.slots());
            owners.iter().copied().chain(scratch.met()).for_each(|item| is_met.insert(item.index()));
            let is_reached = |at: &usize| is_met.contains(watched[*at].item.index());
            let places: Vec<usize> = (0..watched.len()).filter(is_reached).collect();
            places.iter().for_each(|at| reached[*at] = true);
            places
        };
        let by_candidate = candidates.iter().map(&mut of).collect();
        Self { by_candidate, reached }
    }

    fn is_reached(&self, at: usize) -> bool {
        self.reached[at]
    }
}
