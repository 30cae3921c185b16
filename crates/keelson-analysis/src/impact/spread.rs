//! The least fixpoint of loss over threshold rules, in one pass.
//!
//! Losses are taken in descending order. The items of one loss form a plain breadth-first queue, so
//! the reason recorded for an item is one that reached it in the fewest steps. An item met at a
//! level is final: nothing later can raise it. Only what a soft need passes on, and seeds of lesser
//! loss, wait on the heap.

use std::hint::black_box;

use keelson_graph::{Dependents, ItemIx, NeedIx, Snapshot};

use super::{Cause, Outcome, Pending, Seed};
use crate::{Limits, Reading, Scratch, Settled, Truncation, Truncations, reading::Read};

/// What stays the same during one run.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) reading: Reading,
    pub(super) settled: &'a Settled,
    pub(super) limits: Limits<'a>,
}

/// Items whose dependents are looked up together.
pub(super) const BLOCK: usize = 16;

/// Items that must wait in the queue for that to pay.
pub(super) const WORTH_LOOKING_AHEAD: usize = 4;

/// A need that shares a load was met, which this walk cannot evaluate.
pub(super) struct ShareMet;

/// Spreads the losses of seeds. `None` when a need that shares a load lies in the way.
pub(super) fn spread(run: &Run<'_>, seeds: &[Seed], scratch: &mut Scratch) -> Option<Outcome> {
    scratch.reset(run.snapshot.slots(), run.snapshot.need_slots());
    let mut walk = Walk::new(run, scratch, seeds.len());
    for seed in seeds {
        walk.wait(seed.item.0, seed.loss, Cause::SEED.0, 0);
    }
    let mut outcome = Outcome::default();
    while let Some(loss) = walk.start_level() {
        outcome.level(walk.head, loss);
        if walk.finish_level(loss).is_err() {
            return None;
        }
        if !walk.is_going {
            break;
        }
    }
    outcome.truncations = walk.truncations;
    // The last hub walked may have brought in more than was asked for.
    let kept = scratch.met.len().min(run.limits.max_items.saturating_add(seeds.len()));
    outcome.items = scratch.met().take(kept).collect();
    outcome.causes = scratch.from[..kept].iter().map(|&cause| Cause(cause)).collect();
    outcome.levels.retain(|(start, _)| (*start as usize) < kept);
    Some(outcome)
}

struct Walk<'a> {
    run: &'a Run<'a>,
    scratch: &'a mut Scratch,
    /// The next item of the queue.
    head: usize,
    most: usize,
    waiting: u32,
    blocks: usize,
    is_going: bool,
    truncations: Truncations,
}

impl<'a> Walk<'a> {
    fn new(run: &'a Run<'a>, scratch: &'a mut Scratch, seeds: usize) -> Self {
        let most = run.limits.max_items.saturating_add(seeds);
        Self { run, scratch, head: 0, most, waiting: 0, blocks: 0, is_going: true, truncations: Truncations::default() }
    }

    fn wait(&mut self, item: u32, loss: f64, cause: u32, depth: u32) {
        self.scratch.pending.push(Pending { loss, depth, number: self.waiting, item, cause });
        self.waiting += 1;
    }

    #[inline]
    fn meet(&mut self, item: u32, cause: u32, depth: u32) {
        if self.scratch.met.insert(item) {
            self.scratch.from.push(cause);
            self.scratch.depths.push(depth);
        }
    }

    /// Puts everything that waits with the largest loss into the queue and returns that loss.
    fn start_level(&mut self) -> Option<f64> {
        loop {
            let loss = self.scratch.pending.peek()?.loss;
            while let Some(next) = self.scratch.pending.peek().copied().filter(|p| p.loss.total_cmp(&loss).is_eq()) {
                self.scratch.pending.pop();
                self.meet(next.item, next.cause, next.depth);
            }
            if self.head < self.scratch.met.len() {
                return Some(loss);
            }
        }
    }

    /// Walks the queue until it is empty.
    fn finish_level(&mut self, loss: f64) -> Result<(), ShareMet> {
        while self.head < self.scratch.met.len() {
            if self.must_stop() {
                self.is_going = false;
                return Ok(());
            }
            let waiting = self.scratch.met.len() - self.head;
            if waiting < WORTH_LOOKING_AHEAD {
                let item = self.scratch.met.list()[self.head];
                self.lose(item, self.run.snapshot.dependents(ItemIx(item)), loss)?;
                continue;
            }
            let block = self.head + BLOCK.min(waiting);
            look_ahead(self.run.snapshot, &self.scratch.met.list()[self.head..block]);
            while self.head < block {
                let item = self.scratch.met.list()[self.head];
                self.lose(item, self.run.snapshot.dependents(ItemIx(item)), loss)?;
            }
        }
        Ok(())
    }

    /// Takes one item as lost.
    #[inline]
    fn lose(&mut self, item: u32, dependents: Dependents<'_>, loss: f64) -> Result<(), ShareMet> {
        let depth = self.scratch.depths[self.head];
        self.head += 1;
        if depth >= self.run.limits.max_depth {
            if dependents.owners().iter().any(|owner| !self.scratch.met.contains(owner.0)) {
                self.truncations.add(Truncation::Depth);
            }
            return Ok(());
        }
        let Scratch { met, from, depths, .. } = &mut *self.scratch;
        met.insert_all(dependents.plain());
        from.resize(met.len(), Cause::plain(item));
        depths.resize(met.len(), depth + 1);
        for (need, owner, trip) in dependents.counted_with_trips() {
            if trip == 0 {
                if read_member(self.run, self.scratch, need, ItemIx(item))? {
                    self.give_way(need, loss, depth + 1);
                }
            } else if trip == 1 || self.scratch.tallies.add(need) == trip {
                // A need that gives way with its first member needs no counting: it meets its owner,
                // and does so again in vain with every further member.
                self.meet(owner.0, need.number(), depth + 1);
            }
        }
        Ok(())
    }

    fn must_stop(&mut self) -> bool {
        self.blocks += 1;
        if self.scratch.met.len() > self.most {
            self.truncations.add(Truncation::Items);
            return true;
        }
        if self.run.limits.stopped(self.blocks) {
            self.truncations.add(Truncation::Deadline);
            return true;
        }
        false
    }

    /// Passes a loss on through a need that may be soft.
    fn give_way(&mut self, need: NeedIx, loss: f64, depth: u32) {
        let view = self.run.snapshot.need(need);
        let cap = view.cap();
        if cap >= loss {
            self.meet(view.owner().0, need.number(), depth);
        } else if !self.scratch.met.contains(view.owner().0) {
            self.wait(view.owner().0, cap, need.number(), depth);
        }
    }
}

/// Touches the dependents of items that are next in the queue. Each lookup is far from the last one
/// in memory; made together, the processor waits for all of them at once. What was looked up is not
/// carried over: looking it up again, now near, costs less than copying it.
#[inline]
pub(super) fn look_ahead(snapshot: &Snapshot, items: &[u32]) {
    black_box(items.iter().fold(0, |touched, &item| touched ^ snapshot.touch_owners(ItemIx(item))));
}

/// Takes a member of a need as lost that is soft, weighted or in doubt, or has more members than a
/// tally counts; `true` when the need gives way now.
#[cold]
pub(super) fn read_member(
    run: &Run<'_>,
    scratch: &mut Scratch,
    need: NeedIx,
    member: ItemIx,
) -> Result<bool, ShareMet> {
    let Scratch { counts, counted, trips, .. } = scratch;
    let place = &mut counts[need.index()];
    let head = run.snapshot.head(need);
    if head.is_counted() {
        if *place == 0 {
            counted.push(need.number());
        }
        *place += 1;
        return Ok(*place == head.trip());
    }
    let read = Read::new(run.snapshot.need(need), run.reading, run.settled);
    if read.is_share() {
        return Err(ShareMet);
    }
    if *place == 0 {
        counted.push(need.number());
        trips.push(read.trip());
        *place = u32::try_from(trips.len()).expect("needs are numbered by u32");
    }
    Ok(read.lose(&mut trips[*place as usize - 1], member))
}
