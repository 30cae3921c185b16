//! The least fixpoint of loss where needs share a load.
//!
//! What members of a SHARE need still carry adds up, so a loss is not simply handed on and the
//! descending pass of `spread.rs` does not hold. Here the cone is taken apart into strongly
//! connected components, dependencies first. An item that is a component of its own is evaluated
//! once. Within a cycle losses rise from below until nothing changes; if a SHARE need lies inside
//! the cycle they are rounded up to 1/10 000, which bounds the steps (analyses 1.8).

use std::collections::BinaryHeap;

use keelson_graph::{ItemIx, Marks, components_within};

use super::{Cause, Outcome, Pending, Seed, spread::Run};
use crate::{
    Limits, Scratch, Truncation, Truncations,
    closure::{Direction, walk},
    reading::Read,
};

/// Losses inside a cycle with a SHARE need are multiples of one part in this many.
const STEPS: f64 = 10_000.0;

/// Spreads the losses of seeds.
pub(super) fn spread(run: &Run<'_>, seeds: &[Seed], scratch: &mut Scratch) -> Outcome {
    let snapshot = run.snapshot;
    let mut reached = Marks::default();
    reached.reset(snapshot.slots());
    let starts: Vec<ItemIx> = seeds.iter().map(|seed| seed.item).collect();
    let walked = walk(snapshot, scratch, &starts, Direction::Dependents, &run.limits);
    for item in scratch.met() {
        reached.insert(item.0);
    }

    // A need that is overloaded with every member whole takes part like a seed, but its owner is
    // shown only where the seeds reach it.
    let overloaded = snapshot.overloaded().map(|need| need.owner());
    let starts: Vec<ItemIx> = starts.into_iter().chain(overloaded).collect();
    let unlimited = Limits { stop: run.limits.stop, ..Limits::default() };
    let cone_walked = walk(snapshot, scratch, &starts, Direction::Dependents, &unlimited);
    let cone: Vec<ItemIx> = scratch.met().collect();
    let mut cycle = Marks::default();
    let components = components_within(snapshot, cone, |item| scratch.met.contains(item.0));

    let mut rise = Rise {
        run,
        own: seeds,
        loss: vec![0.0; snapshot.slots()],
        last: vec![(Cause::SEED, 0); snapshot.slots()],
        raised: 0,
        truncations: walked.truncations,
    };
    rise.truncations.merge(cone_walked.truncations);
    for (number, component) in components.iter().enumerate() {
        if run.limits.stopped(number) {
            rise.truncations.add(Truncation::Deadline);
            break;
        }
        match component {
            [item] if !snapshot.members(*item).contains(item) => {
                let (loss, cause) = rise.evaluate(*item);
                rise.raise(*item, loss, cause);
            }
            _ => rise.settle_cycle(component, &mut cycle),
        }
    }
    rise.outcome(&reached)
}

struct Rise<'a> {
    run: &'a Run<'a>,
    own: &'a [Seed],
    loss: Vec<f64>,
    /// Why an item was last raised, and when.
    last: Vec<(Cause, u32)>,
    raised: u32,
    truncations: Truncations,
}

impl Rise<'_> {
    /// The loss of an item for the losses its members have now, and what causes it.
    fn evaluate(&self, item: ItemIx) -> (f64, Cause) {
        let snapshot = self.run.snapshot;
        let own = self.own.binary_search_by_key(&item, |seed| seed.item).map_or(0.0, |at| self.own[at].loss);
        let mut worst = (own, Cause::SEED);
        for &member in snapshot.plain_members(item) {
            let loss = self.loss[member.index()];
            if loss > worst.0 {
                worst = (loss, Cause(Cause::plain(member.0)));
            }
        }
        for ix in snapshot.counted_needs(item) {
            let view = snapshot.need(ix);
            if !view.phase().runs() {
                continue;
            }
            let read = Read::new(view, self.run.reading, self.run.settled);
            let loss = read.loss(|member| self.loss[member.index()]).min(view.cap());
            if loss > worst.0 {
                worst = (loss, Cause(ix.number()));
            }
        }
        worst
    }

    fn raise(&mut self, item: ItemIx, loss: f64, cause: Cause) -> bool {
        if loss <= self.loss[item.index()] {
            return false;
        }
        self.raised = self.raised.saturating_add(1);
        self.loss[item.index()] = loss;
        self.last[item.index()] = (cause, self.raised);
        true
    }

    /// Raises the losses within a cycle until they are a fixpoint, the largest first.
    fn settle_cycle(&mut self, component: &[ItemIx], cycle: &mut Marks) {
        let snapshot = self.run.snapshot;
        cycle.reset(snapshot.slots());
        for item in component {
            cycle.insert(item.0);
        }
        let shares_inside = |item: &ItemIx| {
            snapshot.counted_needs(*item).map(|ix| snapshot.need(ix)).any(|view| {
                view.head.is_share() && view.phase().runs() && view.members.iter().any(|m| cycle.contains(m.0))
            })
        };
        let round = component.iter().any(shares_inside);
        let mut heap = BinaryHeap::new();
        for &item in component {
            self.reconsider(item, round, &mut heap);
        }
        let mut steps = 0;
        while let Some(next) = heap.pop() {
            steps += 1;
            if self.run.limits.stopped(steps) {
                self.truncations.add(Truncation::Deadline);
                return;
            }
            if next.loss < self.loss[next.item as usize] {
                continue;
            }
            for &owner in snapshot.owners(ItemIx(next.item)) {
                if cycle.contains(owner.0) {
                    self.reconsider(owner, round, &mut heap);
                }
            }
        }
    }

    fn reconsider(&mut self, item: ItemIx, round: bool, heap: &mut BinaryHeap<Pending>) {
        let (mut loss, cause) = self.evaluate(item);
        if round {
            // A loss that is a multiple already must not climb because of its binary form.
            loss = ((loss * STEPS - 1e-6).ceil().max(0.0) / STEPS).min(1.0);
        }
        if self.raise(item, loss, cause) {
            heap.push(Pending { loss, depth: 0, number: self.raised, item: item.0, cause: cause.0 });
        }
    }

    /// The items that lose something and are reached from the seeds, largest loss first.
    fn outcome(mut self, reached: &Marks) -> Outcome {
        let mut items: Vec<ItemIx> =
            reached.list().iter().map(|&item| ItemIx(item)).filter(|item| self.loss[item.index()] > 0.0).collect();
        items.sort_by(|a, b| {
            let when = |item: &ItemIx| self.last[item.index()].1;
            self.loss[b.index()].total_cmp(&self.loss[a.index()]).then(when(a).cmp(&when(b)))
        });
        let most = self.run.limits.max_items.saturating_add(self.own.len());
        if items.len() > most {
            items.truncate(most);
            self.truncations.add(Truncation::Items);
        }
        let mut outcome = Outcome { truncations: self.truncations, ..Outcome::default() };
        for (place, item) in items.iter().enumerate() {
            outcome.level(place, self.loss[item.index()]);
        }
        outcome.causes = items.iter().map(|item| self.last[item.index()].0).collect();
        outcome.items = items;
        outcome
    }
}
