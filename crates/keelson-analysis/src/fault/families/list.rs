//! The sets of a family one by one, best first.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use super::Family;
use crate::fault::{
    Cut, Fuel,
    diagram::{ALL, NONE, Node},
};

/// Which sets come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The smallest; of those of one size the most probable.
    Size,
    /// The most probable.
    Chance,
}

/// One set: items, and the product of their chances.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listed {
    pub(crate) items: Vec<u32>,
    pub(crate) chance: f64,
}

/// How good a set, or the best one that may still come of a beginning, is.
#[derive(Clone, Copy, Debug)]
struct Merit {
    size: u32,
    chance: f64,
    order: Order,
}

impl Merit {
    fn with(self, size: u32, chance: f64) -> Self {
        Self { size: self.size.saturating_add(size), chance: self.chance * chance, ..self }
    }
}

impl PartialEq for Merit {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Merit {}

impl PartialOrd for Merit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Merit {
    fn cmp(&self, other: &Self) -> Ordering {
        let (size, chance) = (other.size.cmp(&self.size), self.chance.total_cmp(&other.chance));
        match self.order {
            Order::Size => size.then(chance),
            Order::Chance => chance.then(size),
        }
    }
}

/// A beginning of sets: what has been taken, and where in the diagram the rest lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Beginning {
    /// The merit of the best set that comes of it.
    best: Merit,
    /// The merit of what has been taken. Of two that lead to the same, the longer goes on.
    so_far: Reverse<Merit>,
    at: u32,
    /// Of the event decided there, the items from this one on are to be taken; with 0 it may also be
    /// left out.
    from: u32,
    /// The last item taken, in the list of all that were, from 1; 0 for none.
    last: u32,
}

impl Family {
    /// Lists sets, best first, until `is_wanted` says of the size and chance of one that neither it nor
    /// any after it is wanted; `items` has for every event the items it stands for, each with its
    /// chance, the most probable first. Whether the list has all that are wanted comes with it: it ends
    /// at `most` sets, and when the fuel is spent.
    pub(crate) fn list(
        &self,
        items: &[Vec<(u32, f64)>],
        order: Order,
        most: usize,
        is_wanted: impl Fn(usize, f64) -> bool,
        fuel: &mut Fuel<'_>,
    ) -> (Vec<Listed>, bool) {
        let nothing = Merit { size: 0, chance: 1.0, order };
        let never = Merit { size: u32::MAX, chance: 0.0, order };
        let bests = self.fold(never, nothing, |event, low, high| {
            let most = items[event as usize].first().map_or(0.0, |(_, chance)| *chance);
            high.with(1, most).max(*low)
        });
        let best = |at: u32, so_far: Merit| so_far.with(bests[at as usize].size, bests[at as usize].chance);
        let mut taken: Vec<(u32, u32)> = Vec::new();
        let mut heap = BinaryHeap::new();
        if self.root != NONE {
            let best = best(self.root, nothing);
            heap.push(Beginning { best, so_far: Reverse(nothing), at: self.root, from: 0, last: 0 });
        }
        let mut listed = Vec::new();
        while let Some(Beginning { best: merit, so_far: Reverse(so_far), at, from, last }) = heap.pop() {
            if !is_wanted(merit.size as usize, merit.chance) {
                break;
            }
            if listed.len() == most || matches!(fuel.step(), Err(Cut::Budget | Cut::Stopped)) {
                return (listed, false);
            }
            if at == ALL {
                let mut set = Vec::with_capacity(so_far.size as usize);
                let mut link = last;
                while let Some((item, before)) = (link as usize).checked_sub(1).map(|link| taken[link]) {
                    set.push(item);
                    link = before;
                }
                set.sort_unstable();
                listed.push(Listed { items: set, chance: so_far.chance });
                continue;
            }
            let Node { level, low, high } = self.arena.node(at);
            if from == 0 && low != NONE {
                heap.push(Beginning { best: best(low, so_far), so_far: Reverse(so_far), at: low, from: 0, last });
            }
            let choices = &items[self.order[level as usize] as usize];
            if let Some((item, chance)) = choices.get(from as usize) {
                taken.push((*item, last));
                let last = u32::try_from(taken.len()).expect("the fuel is spent before");
                let so_far = so_far.with(1, *chance);
                heap.push(Beginning { best: best(high, so_far), so_far: Reverse(so_far), at: high, from: 0, last });
            }
            if let Some((_, chance)) = choices.get(from as usize + 1) {
                let best = best(high, so_far.with(1, *chance));
                heap.push(Beginning { best, so_far: Reverse(so_far), at, from: from + 1, last });
            }
        }
        (listed, true)
    }
}
