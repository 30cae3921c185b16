//! Which smallest sets of failures fell an item, how many there are, and how few failures it takes.
//!
//! A *cut set* is a set of items, each of which may fail of itself, whose failures together breach the
//! item asked about; it is *minimal* when none of them can be spared (analyses 3.2). The *resilience
//! number* is the size of the smallest, given what is down already.
//!
//! Sets are not enumerated to be counted: they are kept as a zero-suppressed diagram of the minimal
//! solutions of the binary one, and counts above 10¹⁰ are ordinary. Where either diagram outgrows the
//! budget, sets are collected from the smallest size up (and, where asked for, down to a probability),
//! and the answer says up to which size it is complete: the problem is NP-hard, and "at least three,
//! not fully enumerated" is an answer.

use crate::{
    availability::{Composition, Question},
    fault::{
        Cut, Fuel, Module,
        families::{
            Family, Listed, Order,
            likely::{Costs, Likely, likely},
            minimal::minimal,
        },
        order::orders,
        solve::{End, Part, any_of, cost},
    },
};
use keelson_graph::ItemIx;

/// Sizes that sets are counted by, and collected up to where not all are known.
const SIZES: usize = 16;

/// Which sets are listed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Select {
    /// Those of up to so many items, the smallest first, of one size the most probable first.
    Size(usize),
    /// Those at least so probable, the most probable first.
    Chance(f64),
}

/// What is to be listed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listing {
    /// Which sets.
    pub select: Select,
    /// How many of them at most.
    pub most: usize,
}

impl Default for Listing {
    /// A thousand sets of up to three items.
    fn default() -> Self {
        Self { select: Select::Size(3), most: 1_000 }
    }
}

/// Items whose failures together breach the item asked about, and none of which can be spared.
#[derive(Clone, Debug, PartialEq)]
pub struct CutSet {
    /// The items, ascending.
    pub items: Vec<ItemIx>,
    /// The product of their chances, at the upper ends.
    pub chance: f64,
}

/// How many sets there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// There are at least so many.
    pub at_least: u128,
    /// Whether that is the number.
    pub is_exact: bool,
}

/// How many failures it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resilience {
    /// So many; 0 where it has failed already.
    Exactly(usize),
    /// At least so many, and, if any set is known, at most so many; not fully enumerated.
    Between(usize, Option<usize>),
    /// No failures of items that may fail bring it down.
    Unbreakable,
}

/// What the probabilities of all sets say about that of a breach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetBounds {
    /// The sum over all sets: an upper bound, close where chances are small.
    pub sum: f64,
    /// One less the product of 1 − p over all sets: a closer upper bound.
    pub upper: f64,
}

/// The minimal cut sets of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct CutSets {
    /// The sets selected, best first.
    pub sets: Vec<CutSet>,
    /// Whether these are all that were selected.
    pub is_complete: bool,
    /// How many sets there are in all.
    pub count: Count,
    /// How many sets there are of each size, from 0 up, as far as that is known exactly.
    pub by_size: Vec<u128>,
    /// How many failures it takes.
    pub resilience: Resilience,
    /// Upper bounds by the sets, if all are known.
    pub bounds: Option<SetBounds>,
    /// Items that were taken as failed.
    pub seeds: Vec<ItemIx>,
    /// Whether the stop flag was raised before the answer was as good as it could have been.
    pub is_stopped: bool,
}

/// Which smallest sets of failures fell an item?
#[must_use]
pub fn cut_sets(composition: &Composition<'_>, listing: &Listing) -> CutSets {
    let Question { budget, stop, seeds, .. } = composition.question;
    let mut search = Search { composition, listing: *listing, fuel: Fuel::new(budget.nodes, stop), is_stopped: false };
    let modules = composition.system.modules.len();
    let found: Vec<Found> = composition
        .modules()
        .enumerate()
        .map(|(at, (module, part))| search.module(module, part, modules - at))
        .collect();
    let mut answer = CutSets {
        sets: Vec::new(),
        is_complete: true,
        count: Count { at_least: 0, is_exact: true },
        by_size: Vec::new(),
        resilience: Resilience::Exactly(0),
        bounds: None,
        seeds: seeds.to_vec(),
        is_stopped: composition.is_stopped,
    };
    if composition.system.has_failed {
        return answer;
    }
    search.count(&found, &mut answer);
    answer.resilience = search.resilience(&found);
    answer.bounds = search.bounds(&found);
    search.list(&found, &mut answer);
    answer.is_stopped |= search.is_stopped;
    answer
}

/// The sets of a module.
enum Found<'c> {
    /// All of them.
    All(&'c Module, Family),
    /// All up to a size, and all down to the probability asked for, as far as there was room.
    Some { module: &'c Module, sized: Option<(usize, Likely)>, probable: Option<Likely> },
}

struct Search<'c, 'q> {
    composition: &'c Composition<'q>,
    listing: Listing,
    fuel: Fuel<'q>,
    is_stopped: bool,
}

impl<'c> Search<'c, '_> {
    /// Runs something with a share of the fuel.
    fn with<T>(&mut self, nodes: usize, run: impl FnOnce(&mut Fuel<'_>) -> Result<T, Cut>) -> Option<T> {
        let share = nodes.min(self.fuel.nodes);
        let mut fuel = Fuel::new(share, self.fuel.stop);
        let result = run(&mut fuel);
        self.fuel.nodes -= share - fuel.nodes;
        self.is_stopped |= matches!(result, Err(Cut::Stopped));
        result.ok()
    }

    fn module(&mut self, module: &'c Module, part: &Part, left: usize) -> Found<'c> {
        let share = self.fuel.nodes / left;
        if let Part::Exact(bdd) = part
            && let Some(family) = self.with(share, |fuel| minimal(bdd, fuel))
        {
            return Found::All(module, family);
        }
        let chances = self.composition.system.event_chances(module, End::Most);
        let order = orders(module).swap_remove(0);
        let mut probable = None;
        if let Select::Chance(least) = self.listing.select {
            let costs: Vec<u32> = chances.iter().map(|chance| cost(*chance)).collect();
            let costs = Costs { of: &costs, most: cost(least) + 1, chances: &chances };
            probable = self.with(share / 2, |fuel| likely(module, order.clone(), costs, fuel));
        }
        let ones = vec![1; chances.len()];
        let mut sized: Option<(usize, Likely)> = None;
        for (most, size) in (1..).zip(1..=SIZES) {
            let costs = Costs { of: &ones, most, chances: &chances };
            let share = self.fuel.nodes / left;
            match self.with(share, |fuel| likely(module, order.clone(), costs, fuel)) {
                Some(found) if found.is_whole => return Found::All(module, found.family),
                Some(found) => sized = Some((size, found)),
                None => break,
            }
        }
        Found::Some { module, sized, probable }
    }

    /// For every event of a module the items it stands for with their chances, most probable first.
    fn items(&self, module: &Module) -> Vec<Vec<(u32, f64)>> {
        let of = |items: &Vec<u32>| {
            let mut items: Vec<(u32, f64)> =
                items.iter().map(|&place| (place, self.composition.system.chances[place as usize].most)).collect();
            items.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            items
        };
        module.events.iter().map(of).collect()
    }

    fn count(&self, found: &[Found<'_>], answer: &mut CutSets) {
        let singles = self.composition.system.singles.len() as u128;
        let mut known = SIZES;
        answer.by_size = vec![0; SIZES + 1];
        answer.by_size[1] = singles;
        answer.count.at_least = singles;
        let numbers = |module: &Module| module.events.iter().map(|items| items.len() as u128).collect::<Vec<_>>();
        for found in found {
            let (by_size, total) = match found {
                Found::All(module, family) => family.counts(&numbers(module), SIZES),
                Found::Some { module, sized, probable } => {
                    answer.count.is_exact = false;
                    known = known.min(sized.as_ref().map_or(0, |(size, _)| *size));
                    let counts = |found: &Likely| found.family.counts(&numbers(module), SIZES);
                    let probable = probable.as_ref().map_or(0, |found| counts(found).1);
                    let (by_size, total) = sized.as_ref().map_or((vec![0; SIZES + 1], 0), |(_, found)| counts(found));
                    (by_size, total.max(probable))
                }
            };
            answer.count.at_least = answer.count.at_least.saturating_add(total);
            for (sum, count) in answer.by_size.iter_mut().zip(by_size) {
                *sum = sum.saturating_add(count);
            }
        }
        answer.count.is_exact &= answer.count.at_least < u128::MAX;
        answer.by_size.truncate(known + 1);
        if answer.count.is_exact {
            while answer.by_size.last() == Some(&0) {
                answer.by_size.pop();
            }
        }
    }

    fn resilience(&self, found: &[Found<'_>]) -> Resilience {
        let alone = (!self.composition.system.singles.is_empty()).then_some(1);
        let (mut at_least, mut at_most) = (alone, alone);
        let smaller = |one: Option<usize>, other: Option<usize>| one.into_iter().chain(other).min();
        for found in found {
            let (least, most) = match found {
                Found::All(_, family) => {
                    let size = family.smallest().map(|size| size as usize);
                    (size, size)
                }
                Found::Some { sized, probable, .. } => {
                    let smallest = |found: &Likely| found.family.smallest().map(|size| size as usize);
                    let by_size = sized.as_ref().and_then(|(_, found)| smallest(found));
                    let beyond = sized.as_ref().map_or(0, |(size, _)| *size) + 1;
                    let most = smaller(by_size, probable.as_ref().and_then(smallest));
                    (Some(by_size.unwrap_or(beyond)), most)
                }
            };
            (at_least, at_most) = (smaller(at_least, least), smaller(at_most, most));
        }
        match (at_least, at_most) {
            (None, _) => Resilience::Unbreakable,
            (Some(least), Some(most)) if least == most => Resilience::Exactly(least),
            (Some(least), most) => Resilience::Between(least, most),
        }
    }

    fn bounds(&self, found: &[Found<'_>]) -> Option<SetBounds> {
        let chances = &self.composition.system.chances;
        let singles = || self.composition.system.singles.iter().map(|&place| chances[place as usize].most);
        let mut bounds = SetBounds { sum: singles().sum(), upper: any_of(singles()) };
        for found in found {
            let Found::All(module, family) = found else { return None };
            let powers = |power: i32| -> Vec<f64> {
                let of = |items: &Vec<u32>| items.iter().map(|&place| chances[place as usize].most.powi(power)).sum();
                module.events.iter().map(of).collect()
            };
            let largest: Vec<f64> = self.items(module).iter().map(|items| items[0].1).collect();
            bounds.sum += family.sum(&powers(1));
            bounds.upper = any_of([bounds.upper, family.any(powers, &largest)].into_iter());
        }
        Some(bounds)
    }

    fn list(&mut self, found: &[Found<'_>], answer: &mut CutSets) {
        let Listing { select, most } = self.listing;
        let order = if matches!(select, Select::Size(_)) { Order::Size } else { Order::Chance };
        let is_wanted = |size: usize, chance: f64| match select {
            Select::Size(largest) => size <= largest,
            Select::Chance(least) => chance >= least,
        };
        let system = &self.composition.system;
        let single = |&place: &u32| Listed { items: vec![place], chance: system.chances[place as usize].most };
        let mut sets: Vec<Listed> = system.singles.iter().map(single).filter(|set| is_wanted(1, set.chance)).collect();
        for found in found {
            let (module, family) = match (found, select) {
                (Found::All(module, family), _) => (module, Some(family)),
                (Found::Some { module, sized, .. }, Select::Size(largest)) => {
                    answer.is_complete &= sized.as_ref().is_some_and(|(size, _)| *size >= largest);
                    (module, sized.as_ref().map(|(_, found)| &found.family))
                }
                (Found::Some { module, sized, probable }, Select::Chance(_)) => {
                    answer.is_complete &= probable.is_some();
                    let sized = sized.as_ref().map(|(_, found)| &found.family);
                    (module, probable.as_ref().map(|found| &found.family).or(sized))
                }
            };
            let Some(family) = family else { continue };
            let items = self.items(module);
            // As much as it takes to follow every set listed through a deep diagram.
            let mut fuel = Fuel::new(1 << 20, self.fuel.stop);
            let (listed, is_whole) = family.list(&items, order, most, is_wanted, &mut fuel);
            answer.is_complete &= is_whole;
            sets.extend(listed);
        }
        let by_chance = |a: &Listed, b: &Listed| b.chance.total_cmp(&a.chance);
        let by_size = |a: &Listed, b: &Listed| a.items.len().cmp(&b.items.len());
        sets.sort_by(|a, b| {
            let better = match order {
                Order::Size => by_size(a, b).then(by_chance(a, b)),
                Order::Chance => by_chance(a, b).then(by_size(a, b)),
            };
            better.then_with(|| a.items.cmp(&b.items))
        });
        answer.is_complete &= sets.len() <= most;
        sets.truncate(most);
        let item = |place: u32| system.items[place as usize];
        let set = |Listed { items, chance }: Listed| {
            let mut items: Vec<ItemIx> = items.into_iter().map(item).collect();
            items.sort_unstable();
            CutSet { items, chance }
        };
        answer.sets = sets.into_iter().map(set).collect();
    }
}
