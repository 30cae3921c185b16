//! Why something cannot start.

use fixedbitset::FixedBitSet;
use keelson_graph::{ItemIx, NeedIx, NeedView, Snapshot};

use super::{
    Question, Recovery,
    run::{counts, holds},
};
use crate::{Settled, reading::Read};

/// What one item that cannot start waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The item.
    pub item: ItemIx,
    /// A need of it that does not hold.
    pub need: NeedIx,
    /// A member of the need that cannot start either; `None` where the need does not hold even with
    /// every member up, because they cannot carry the load.
    pub waits_for: Option<ItemIx>,
}

/// Why an item cannot start: who waits for whom, until somebody waits for one named before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blockage {
    /// From the item asked about to the circle, then once around it.
    pub waits: Vec<Wait>,
    /// Where the circle begins in `waits`; `None` where the last need can never hold.
    pub circle: Option<usize>,
}

impl Blockage {
    /// The circle, closed: its first item, the smallest, stands at the end once more. Empty if there
    /// is none.
    #[must_use]
    pub fn cycle(&self) -> Vec<ItemIx> {
        let Some(from) = self.circle else { return Vec::new() };
        let mut cycle: Vec<ItemIx> = self.waits[from..].iter().map(|wait| wait.item).collect();
        let smallest = (0..cycle.len()).min_by_key(|at| cycle[*at]).unwrap_or(0);
        cycle.rotate_left(smallest);
        cycle.extend(cycle.first().copied());
        cycle
    }
}

/// Returns why an item cannot start; `None` when it is not stuck.
///
/// Of several needs that do not hold it names the first, of several members the one with the smallest
/// number; so that the answer is one chain that anybody can follow.
#[must_use]
pub fn blockage(snapshot: &Snapshot, question: &Question<'_>, recovery: &Recovery, item: ItemIx) -> Option<Blockage> {
    recovery.stuck.binary_search(&item).ok()?;
    let mut is_stuck = FixedBitSet::with_capacity(snapshot.slots());
    recovery.stuck.iter().for_each(|item| is_stuck.insert(item.index()));
    let nothing = Settled::new();
    let stall = Stall::new(snapshot, question, &nothing, &[], &is_stuck);
    let mut places = vec![0_usize; snapshot.slots()];
    let (mut waits, mut item): (Vec<Wait>, ItemIx) = (Vec::new(), item);
    loop {
        let (need, members) = stall.cause(item, |_| false)?;
        let waits_for = members.first().copied();
        waits.push(Wait { item, need, waits_for });
        places[item.index()] = waits.len();
        let Some(next) = waits_for else { return Some(Blockage { waits, circle: None }) };
        if let Some(circle) = places[next.index()].checked_sub(1) {
            return Some(Blockage { waits, circle: Some(circle) });
        }
        item = next;
    }
}

/// A start that has come to a standstill.
pub(super) struct Stall<'a> {
    snapshot: &'a Snapshot,
    question: &'a Question<'a>,
    settled: &'a Settled,
    /// Needs left out, ascending.
    optional: &'a [NeedIx],
    is_stuck: &'a FixedBitSet,
}

impl<'a> Stall<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        question: &'a Question<'a>,
        nothing: &'a Settled,
        optional: &'a [NeedIx],
        is_stuck: &'a FixedBitSet,
    ) -> Self {
        let settled = question.settled.unwrap_or(nothing);
        Self { snapshot, question, settled, optional, is_stuck }
    }

    /// The first need of a stuck item that does not hold, those to run before those to start, and
    /// members that together keep it from holding, preferred ones first.
    fn cause(&self, item: ItemIx, is_preferred: impl Fn(ItemIx) -> bool) -> Option<(NeedIx, Vec<ItemIx>)> {
        let is_up = |member: ItemIx| !self.is_stuck.contains(member.index());
        let blocks = |need: &NeedView<'_>| {
            counts(need, self.question.level)
                && self.optional.binary_search(&need.ix).is_err()
                && !holds(*need, self.question, self.settled, is_up)
        };
        let need = self.snapshot.needs(item).find(blocks)?;
        let down = need.members.iter().copied().filter(|member| !is_up(*member));
        let (mut members, others): (Vec<ItemIx>, Vec<ItemIx>) = down.partition(|member| is_preferred(*member));
        members.extend(others);
        members.truncate(self.enough(need, &members));
        Some((need.ix, members))
    }

    /// How many of these members, down, keep a need from holding.
    fn enough(&self, need: NeedView<'_>, down: &[ItemIx]) -> usize {
        let read = Read::new(need, self.question.reading, self.settled);
        if holds(need, self.question, self.settled, |_| true) {
            let mut trip = read.trip();
            let tripped = down.iter().position(|member| read.lose(&mut trip, *member));
            tripped.map_or(down.len(), |last| last + 1)
        } else {
            0
        }
    }

    /// The needs to start among the causes of a set of stuck items that includes `from` and that
    /// nothing outside of it can free: some of them have to be left out before any of the set starts.
    /// Empty when it never can.
    pub(super) fn start_needs(&self, from: ItemIx) -> Vec<NeedIx> {
        let mut is_met = FixedBitSet::with_capacity(self.snapshot.slots());
        is_met.insert(from.index());
        let (mut queue, mut at, mut needs) = (vec![from], 0, Vec::new());
        while let Some(&item) = queue.get(at) {
            at += 1;
            let Some((need, members)) = self.cause(item, |member| is_met.contains(member.index())) else { continue };
            if !self.snapshot.need(need).phase().runs() {
                needs.push(need);
            }
            for member in members {
                if !is_met.put(member.index()) {
                    queue.push(member);
                }
            }
        }
        needs.sort_unstable();
        needs
    }
}
