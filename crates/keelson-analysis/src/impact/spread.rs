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
const BLOCK: usize = 16;

/// Items that must wait in the queue for that to pay.
const WORTH_LOOKING_AHEAD: usize = 4;

/// A need that shares a load was met, which this walk cannot evaluate.
struct ShareMet;

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

/// Spreads whole losses alone and leaves the lost items in the scratch.
pub(super) fn count_lost(run: &Run<'_>, seeds: &[ItemIx], scratch: &mut Scratch) -> Option<usize> {
    scratch.reset(run.snapshot.slots(), run.snapshot.need_slots());
    let mut walk = Walk::new(run, scratch, seeds.len());
    for seed in seeds {
        walk.meet(seed.0, Cause::SEED.0, 0);
    }
    let started = walk.scratch.met.len();
    walk.finish_level(1.0).ok()?;
    Some(scratch.met.len() - started)
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
            let looked_up = BLOCK.min(waiting);
            let (items, rows) = self.look_ahead();
            for (&item, &dependents) in items.iter().zip(&rows).take(looked_up) {
                self.lose(item, dependents, loss)?;
            }
        }
        Ok(())
    }

    /// Looks up the dependents of the next items of the queue. Each lookup is far from the last one
    /// in memory; made together, the processor waits for all of them at once.
    #[inline]
    fn look_ahead(&self) -> ([u32; BLOCK], [Dependents<'a>; BLOCK]) {
        let snapshot = self.run.snapshot;
        let (mut items, mut rows) = ([0; BLOCK], [Dependents::default(); BLOCK]);
        for ((slot, row), &item) in items.iter_mut().zip(&mut rows).zip(&self.scratch.met.list()[self.head..]) {
            *slot = item;
            *row = snapshot.dependents(ItemIx(item));
        }
        let first = |row: &Dependents<'_>| {
            let owner = row.plain().first().map_or(0, |owner| owner.0);
            row.counted().first().map_or(owner, |&need| owner ^ snapshot.simple_trip(need))
        };
        black_box(rows.iter().fold(0, |touched, row| touched ^ first(row)));
        (items, rows)
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
        for (need, owner) in dependents.counted_with_owners() {
            let trip = self.run.snapshot.simple_trip(need);
            if trip == 0 {
                self.lose_read_member(need, ItemIx(item), loss, depth + 1)?;
            } else if self.count(need, trip) {
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

    /// Counts a lost member of a need that trips at `trip`; `true` when it gives way now.
    #[inline]
    fn count(&mut self, need: NeedIx, trip: u32) -> bool {
        // A need that gives way with its first member needs no counting: it meets its owner, and
        // does so again in vain with every further member.
        if trip == 1 {
            return true;
        }
        let count = &mut self.scratch.counts[need.index()];
        if *count == 0 {
            self.scratch.counted.push(need.number());
        }
        *count += 1;
        *count == trip
    }

    /// As `count` and `meet`, for a need that is soft, weighted or in doubt.
    #[cold]
    fn lose_read_member(&mut self, need: NeedIx, member: ItemIx, loss: f64, depth: u32) -> Result<(), ShareMet> {
        let head = self.run.snapshot.head(need);
        if head.is_counted() {
            if self.count(need, head.trip()) {
                self.give_way(need, loss, depth);
            }
            return Ok(());
        }
        let read = Read::new(self.run.snapshot.need(need), self.run.reading, self.run.settled);
        if read.is_share() {
            return Err(ShareMet);
        }
        let Scratch { counts, counted, trips, .. } = &mut *self.scratch;
        let place = &mut counts[need.index()];
        if *place == 0 {
            counted.push(need.number());
            trips.push(read.trip());
            *place = u32::try_from(trips.len()).expect("needs are numbered by u32");
        }
        if read.lose(&mut trips[*place as usize - 1], member) {
            self.give_way(need, loss, depth);
        }
        Ok(())
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
