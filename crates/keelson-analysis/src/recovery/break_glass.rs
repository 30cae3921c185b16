//! The fewest needs to start that have to be made optional, so that everything can start.
//!
//! A set of items that wait for each other starts only if one of the needs they wait through is left
//! out; needs to keep running cannot be. The search goes from such a set to the needs to start in it,
//! leaves one out, looks for the next such set, and so on, one need more at a time. Every smallest
//! answer is met that way, because each has to leave out one of those needs at every step.
//! Beyond three needs, or when the budget is spent, it goes on with the need that frees most, which
//! need not lead to a smallest answer.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;
use keelson_graph::{ItemIx, NeedIx, Snapshot};

use super::{
    Off, Question,
    blocked::Stall,
    run::{Run, run},
};
use crate::{AnalysisError, Settled};

/// Up to so many needs, the answer is a smallest one.
const EXACT: usize = 3;

/// How hard to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Starts tried; each costs what the stuck items and their needs do.
    pub evaluations: u32,
    /// Ways of the smallest size to name, at most.
    pub ways: usize,
    /// Needs in a way, at most.
    pub needs: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { evaluations: 2_000, ways: 20, needs: 200 }
    }
}

/// One way out: needs to start to be made optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The needs, ascending.
    pub needs: Vec<NeedIx>,
    /// When the last of the goals is up then, in seconds.
    pub up: u64,
}

/// How to get out of a standstill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BreakGlass {
    /// The ways found, those of the fewest needs only, the one that is done first first. Empty when
    /// nothing is stuck, or no way was found within the budget.
    pub ways: Vec<Way>,
    /// Whether there is none of fewer needs.
    pub is_smallest: bool,
    /// The goals that cannot start even when every need to start is optional: they need each other to
    /// run. Ascending; no way frees them.
    pub hopeless: Vec<ItemIx>,
    /// Starts tried.
    pub evaluations: u32,
    /// Whether the budget was spent, or the question stopped, before the search ended.
    pub is_cut: bool,
}

/// Finds the fewest needs to start to be made optional, so that the goals can start; with `None`,
/// everything that is off.
///
/// # Errors
/// As [`recovery`](super::recovery).
pub fn break_glass(
    snapshot: &Snapshot,
    question: &Question<'_>,
    goals: Option<&[ItemIx]>,
    budget: &Budget,
    own: impl Fn(ItemIx) -> u64,
) -> Result<BreakGlass, AnalysisError> {
    question.check(snapshot)?;
    if let Some(&item) = goals.unwrap_or_default().iter().find(|item| !snapshot.contains(**item)) {
        return Err(AnalysisError::UnknownItem { item });
    }
    let whole = run(snapshot, question, &[], &own);
    if whole.is_cut {
        return Ok(BreakGlass { is_cut: true, ..BreakGlass::default() });
    }
    let stuck = whole.stuck(snapshot, question.off);
    let nothing = Settled::new();
    let within = Question { off: Off::Items(&stuck), ..*question };
    let mut search = Search {
        snapshot,
        question: &within,
        nothing: &nothing,
        stuck: &stuck,
        goals: Vec::new(),
        left: budget.evaluations,
        is_cut: false,
    };
    let hopeless = search.choose_goals(goals);
    let (found, is_smallest) = search.find(budget);
    let is_goal = |item: &ItemIx| search.goals.binary_search(item).is_ok();
    let mut ways: Vec<Way> = Vec::with_capacity(found.len());
    for needs in found {
        let run = run(snapshot, question, &needs, &own);
        let last = run.order.iter().filter(|step| is_goal(&step.item)).map(|step| step.up).max();
        ways.push(Way { needs, up: last.unwrap_or(0) });
        search.is_cut |= run.is_cut;
    }
    ways.sort_by(|a, b| (a.up, &a.needs).cmp(&(b.up, &b.needs)));
    Ok(BreakGlass { ways, is_smallest, hopeless, evaluations: budget.evaluations - search.left, is_cut: search.is_cut })
}

struct Search<'a> {
    snapshot: &'a Snapshot,
    /// A start of what is stuck, with everything else up.
    question: &'a Question<'a>,
    nothing: &'a Settled,
    stuck: &'a [ItemIx],
    /// Ascending.
    goals: Vec<ItemIx>,
    left: u32,
    is_cut: bool,
}

impl Search<'_> {
    /// Tries a start without some needs; `None` when no more may be tried.
    fn attempt(&mut self, optional: &[NeedIx]) -> Option<Run> {
        if self.left == 0 {
            self.is_cut = true;
            return None;
        }
        self.left -= 1;
        let run = run(self.snapshot, self.question, optional, |_| 0);
        self.is_cut |= run.is_cut;
        (!run.is_cut).then_some(run)
    }

    fn still_stuck(&self, run: &Run) -> FixedBitSet {
        let mut is_stuck = FixedBitSet::with_capacity(self.snapshot.slots());
        run.stuck(self.snapshot, Off::Items(self.stuck)).iter().for_each(|item| is_stuck.insert(item.index()));
        is_stuck
    }

    /// Sets the goals that some needs left out may free, and returns the others.
    fn choose_goals(&mut self, wanted: Option<&[ItemIx]>) -> Vec<ItemIx> {
        let mut goals = wanted.unwrap_or(self.stuck).to_vec();
        goals.retain(|goal| self.stuck.binary_search(goal).is_ok());
        goals.sort_unstable();
        goals.dedup();
        let starts = self.stuck.iter().flat_map(|&item| self.snapshot.counted_needs(item));
        let mut starts: Vec<NeedIx> = starts.filter(|need| !self.snapshot.need(*need).phase().runs()).collect();
        starts.sort_unstable();
        let Some(run) = self.attempt(&starts) else { return Vec::new() };
        let is_stuck = self.still_stuck(&run);
        let hopeless = goals.extract_if(.., |goal| is_stuck.contains(goal.index())).collect();
        self.goals = goals;
        hopeless
    }

    /// The ways of the smallest size found, and whether there are none of fewer needs.
    fn find(&mut self, budget: &Budget) -> (Vec<Vec<NeedIx>>, bool) {
        if self.goals.is_empty() {
            return (Vec::new(), !self.is_cut);
        }
        // Half of the budget is kept for the greedy search.
        let kept = self.left / 2;
        let mut level = BTreeSet::from([Vec::new()]);
        for size in 0..=EXACT.min(budget.needs) {
            let (mut ways, mut next) = (Vec::new(), BTreeSet::new());
            for optional in level {
                if self.left <= kept {
                    // What was found is of the smallest size all the same.
                    return if ways.is_empty() { (self.greedy(budget), false) } else { (ways, true) };
                }
                let Some(run) = self.attempt(&optional) else { return (ways, false) };
                let is_stuck = self.still_stuck(&run);
                match self.goals.iter().find(|goal| is_stuck.contains(goal.index())) {
                    None => ways.push(optional),
                    Some(_) if !ways.is_empty() || size == EXACT => {}
                    Some(&goal) => next.extend(self.branches(&optional, &is_stuck, goal)),
                }
                if ways.len() >= budget.ways.max(1) {
                    break;
                }
            }
            if !ways.is_empty() {
                return (ways, true);
            }
            level = next;
        }
        (self.greedy(budget), false)
    }

    /// The sets of one need more, one of which has to be left out for a goal to start.
    fn branches(&self, optional: &[NeedIx], is_stuck: &FixedBitSet, goal: ItemIx) -> Vec<Vec<NeedIx>> {
        let stall = Stall::new(self.snapshot, self.question, self.nothing, optional, is_stuck);
        let with = |need: NeedIx| {
            let mut more = optional.to_vec();
            more.push(need);
            more.sort_unstable();
            more
        };
        stall.start_needs(goal).into_iter().map(with).collect()
    }

    /// Leaves out the need that frees most goals until all are free, then takes back what was not
    /// necessary.
    fn greedy(&mut self, budget: &Budget) -> Vec<Vec<NeedIx>> {
        let mut optional: Vec<NeedIx> = Vec::new();
        let Some(mut run) = self.attempt(&optional) else { return Vec::new() };
        loop {
            let is_stuck = self.still_stuck(&run);
            let Some(&goal) = self.goals.iter().find(|goal| is_stuck.contains(goal.index())) else { break };
            if optional.len() >= budget.needs {
                self.is_cut = true;
                return Vec::new();
            }
            let mut best: Option<(usize, Vec<NeedIx>, Run)> = None;
            for more in self.branches(&optional, &is_stuck, goal) {
                // Something is kept to finish with.
                if best.is_some() && self.left as usize <= budget.needs {
                    break;
                }
                let Some(tried) = self.attempt(&more) else { break };
                let freed = tried.order.len();
                if best.as_ref().is_none_or(|(most, ..)| freed > *most) {
                    best = Some((freed, more, tried));
                }
            }
            let Some((_, more, tried)) = best else { return Vec::new() };
            (optional, run) = (more, tried);
        }
        for need in optional.clone() {
            let without: Vec<NeedIx> = optional.iter().copied().filter(|other| *other != need).collect();
            let Some(run) = self.attempt(&without) else { break };
            let is_stuck = self.still_stuck(&run);
            if !self.goals.iter().any(|goal| is_stuck.contains(goal.index())) {
                optional = without;
            }
        }
        vec![optional]
    }
}
