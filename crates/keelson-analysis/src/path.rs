//! Why does this depend on that: a shortest chain of needs between two items.

use keelson_graph::{ItemIx, Marks, NeedIx, Snapshot};

use crate::{AnalysisError, Limits, Truncation, Truncations, closure::steps};

/// One step of a chain of needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The item.
    pub item: ItemIx,
    /// The need through which it needs the item of the next step; `None` on the last step.
    pub need: Option<NeedIx>,
}

/// A shortest chain of needs, if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The chain from the dependent to the dependency; empty when none was found.
    pub steps: Vec<Step>,
    /// The limits that were hit: when there are some and no chain, there may still be one.
    pub truncations: Truncations,
}

/// One of the two walks that look for each other.
#[derive(Debug, Default)]
struct Side {
    met: Marks,
    /// For each item met, the place in the list of the item it was met from.
    origins: Vec<u32>,
    /// Where the outermost wave begins.
    wave: usize,
    depth: u32,
}

/// Working memory for explanations.
#[derive(Debug, Default)]
pub struct PathScratch {
    dependent: Side,
    dependency: Side,
}

/// Returns a shortest chain of running needs through which `dependent` needs `dependency`.
///
/// Two breadth-first walks, from both ends, always advancing the one with less to look at; they meet
/// after looking at about the square root of what one walk would.
///
/// # Errors
/// When one of the items is not in the graph.
pub fn explain(
    snapshot: &Snapshot,
    dependent: ItemIx,
    dependency: ItemIx,
    limits: &Limits<'_>,
    scratch: &mut PathScratch,
) -> Result<Explanation, AnalysisError> {
    for item in [dependent, dependency] {
        if !snapshot.contains(item) {
            return Err(AnalysisError::UnknownItem { item });
        }
    }
    let PathScratch { dependent: down, dependency: up } = scratch;
    down.start(snapshot, dependent);
    up.start(snapshot, dependency);
    if dependent == dependency {
        return Ok(Explanation { steps: steps(snapshot, &[dependent]), truncations: Truncations::default() });
    }
    let mut truncations = Truncations::default();
    loop {
        if down.is_done() || up.is_done() {
            return Ok(Explanation { steps: Vec::new(), truncations });
        }
        if down.depth.saturating_add(up.depth) >= limits.max_depth {
            truncations.add(Truncation::Depth);
            return Ok(Explanation { steps: Vec::new(), truncations });
        }
        // Advancing a whole wave and stopping at the first meeting gives a shortest chain: before
        // it, everything within the two distances was known not to meet.
        let advance_down = down.cost(snapshot, Snapshot::members) <= up.cost(snapshot, Snapshot::owners);
        let found = if advance_down {
            down.advance(snapshot, Snapshot::members, up, limits)
        } else {
            up.advance(snapshot, Snapshot::owners, down, limits)
        };
        match found {
            Ok(None) => {}
            Ok(Some(meeting)) => {
                let mut chain = down.back_from(meeting);
                chain.reverse();
                chain.extend(up.back_from(meeting).into_iter().skip(1));
                return Ok(Explanation { steps: steps(snapshot, &chain), truncations });
            }
            Err(truncation) => {
                truncations.add(truncation);
                return Ok(Explanation { steps: Vec::new(), truncations });
            }
        }
    }
}

impl Side {
    fn start(&mut self, snapshot: &Snapshot, item: ItemIx) {
        self.met.reset(snapshot.slots());
        self.met.insert(item.0);
        self.origins.clear();
        self.origins.push(0);
        self.wave = 0;
        self.depth = 0;
    }

    fn is_done(&self) -> bool {
        self.wave == self.met.len()
    }

    /// How many relationships the next wave looks at. A wave too long to add up is simply dear.
    fn cost<'s>(&self, snapshot: &'s Snapshot, next: impl Fn(&'s Snapshot, ItemIx) -> &'s [ItemIx]) -> usize {
        let wave = &self.met.list()[self.wave..];
        if wave.len() > 4_096 {
            return wave.len() * 4;
        }
        wave.iter().map(|&item| next(snapshot, ItemIx(item)).len()).sum()
    }

    /// Walks one wave further; returns an item that the other side has met, if there is one.
    fn advance<'s>(
        &mut self,
        snapshot: &'s Snapshot,
        next: impl Fn(&'s Snapshot, ItemIx) -> &'s [ItemIx],
        other: &Self,
        limits: &Limits<'_>,
    ) -> Result<Option<u32>, Truncation> {
        let end = self.met.len();
        for place in self.wave..end {
            if limits.stopped(place) {
                return Err(Truncation::Deadline);
            }
            if self.met.len() + other.met.len() > limits.max_items.saturating_add(2) {
                return Err(Truncation::Items);
            }
            let item = self.met.list()[place];
            let origin = u32::try_from(place).expect("items are numbered by u32");
            for found in next(snapshot, ItemIx(item)) {
                if self.met.insert(found.0) {
                    self.origins.push(origin);
                    if other.met.contains(found.0) {
                        return Ok(Some(found.0));
                    }
                }
            }
        }
        self.wave = end;
        self.depth += 1;
        Ok(None)
    }

    /// The items from `item` back to where this side started.
    fn back_from(&self, item: u32) -> Vec<ItemIx> {
        let mut place = self.met.list().iter().position(|&met| met == item).unwrap_or(0);
        let mut chain = vec![ItemIx(item)];
        while place != 0 {
            place = self.origins[place] as usize;
            chain.push(ItemIx(self.met.list()[place]));
        }
        chain
    }
}
