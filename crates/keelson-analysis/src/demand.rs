//! How much of everything the services' demand takes, and what runs out first (analyses 4.1).
//!
//! A unit of an item takes so many units of each of its members: the *visit ratio* of the
//! relationship ([`Visits`]). With the demand λ that comes from outside, the demand on every item is
//! `Λ = λ + RᵀΛ`. [`Model::demand`] solves that in one pass, dependents first; cycles (retries,
//! callbacks) are solved as systems of their own. A loop that calls itself more often than it is
//! called has no solution: it is named, with bounds for its gain, and nothing is iterated.
//!
//! The sensitivity `σ(s, m) = ∂Λ_m/∂λ_s` is what one more unit of a service takes of an item.
//! [`Model::taken_by`] gives it for one service and all items, [`Model::taken_from`] for one item and
//! all services. [`plan`](plan::plan) turns demand, growth and capacities into the table of what
//! runs out when, sorted by the date of the decision.
//!
//! # Missing data
//!
//! A relationship without a ratio hands on nothing, but is reported when its dependent has demand, and
//! what may lie below it is marked as understated. A ratio of 0 says that there is no demand. An item
//! with demand and without capacity is reported, and never counts as endless. Ratios inferred from
//! series ([`keelson_forecast::nnls`]) stay marked.

mod loops;
pub mod plan;
mod visits;

use fixedbitset::FixedBitSet;
use keelson_graph::{Components, ItemIx, Marks, Snapshot, components_by};
use thiserror::Error;

pub use loops::Gain;
use loops::{Loop, Way};
pub use visits::{Origin, Split, Visit, Visits};

use crate::{AnalysisError, Limits, Truncation, Truncations, closure::Direction};

/// Why demand cannot be computed.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DemandError {
    /// A question about an item that is not in the graph.
    #[error(transparent)]
    Question(#[from] AnalysisError),
    /// A ratio between items that have no such relationship.
    #[error("item {} does not need item {} to keep running, so that there is nothing to give a ratio for", owner.0, member.0)]
    NoRelationship {
        /// The dependent.
        owner: ItemIx,
        /// The dependency.
        member: ItemIx,
    },
    /// A number that means nothing where it stands.
    #[error("{what} of item {} is {value}; it must be {wanted}", item.0)]
    BadNumber {
        /// Which number.
        what: &'static str,
        /// The item it belongs to.
        item: ItemIx,
        /// The offending value.
        value: f64,
        /// What it must be.
        wanted: &'static str,
    },
    /// A loop that calls itself more often than it is called, or cannot be shown not to.
    #[error(
        "demand reaches an amplifying loop of {} items ({}): each round gives {} to {} rounds more; check its ratios",
        items.len(), first_numbers(items), gain.low, gain.high
    )]
    AmplifyingLoop {
        /// The items of the loop.
        items: Vec<ItemIx>,
        /// Its gain: the spectral radius of its ratios.
        gain: Gain,
    },
}

/// The first numbers of a list of items, for a message.
fn first_numbers(items: &[ItemIx]) -> String {
    const SHOWN: usize = 10;
    let numbers: Vec<String> = items.iter().take(SHOWN).map(|item| item.0.to_string()).collect();
    numbers.join(", ") + if items.len() > SHOWN { ", …" } else { "" }
}

/// Demand from outside on an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source {
    /// The item, usually a service.
    pub item: ItemIx,
    /// Units per unit of time, 0 or above. An item given twice has the sum.
    pub demand: f64,
}

/// A number for each item that has one.
#[derive(Clone, Debug, Default)]
pub struct Amounts {
    by_item: Vec<f64>,
    /// The items with an amount above 0, in the order in which they were computed.
    items: Vec<ItemIx>,
    /// The largest error of a loop solved step by step, as a part of the demand of that loop; 0 if all
    /// is exact but for rounding.
    pub error: f64,
    /// The limits that were hit; then amounts are missing or too small.
    pub truncations: Truncations,
}

impl Amounts {
    /// The amount of an item, 0 for one that has none.
    #[must_use]
    #[inline]
    pub fn of(&self, item: ItemIx) -> f64 {
        self.by_item.get(item.index()).copied().unwrap_or(0.0)
    }

    /// The items with an amount above 0: for demand dependents first, for what is taken from an item
    /// dependencies first.
    #[must_use]
    pub fn items(&self) -> &[ItemIx] {
        &self.items
    }
}

/// A loop of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoopView<'a> {
    /// Its items.
    pub items: &'a [ItemIx],
    /// Its gain: each round gives so many rounds more. Demand is passed on 1/(1 − gain) times.
    pub gain: Gain,
}

/// A graph with visit ratios, ready for passes of demand.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    snapshot: &'a Snapshot,
    visits: &'a Visits,
    /// Dependencies before their dependents.
    components: Components,
    /// The place of each item's component.
    blocks: Vec<u32>,
    /// The components that are loops, by place, ascending.
    loops: Vec<(u32, Loop)>,
    is_loop: FixedBitSet,
}

impl<'a> Model<'a> {
    /// Sorts the items of a graph for passes of demand, and examines its loops. Costs as much as a few
    /// passes. Once the stop flag of `limits` is up, loops are left unexamined and count as amplifying.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, visits: &'a Visits, limits: &Limits<'_>) -> Self {
        let slots = snapshot.slots();
        let components = components_by(slots, snapshot.item_numbers(), |item| visits.row(item).0, |_| true);
        let mut blocks = vec![0; slots];
        let (mut loops, mut is_loop) = (Vec::new(), FixedBitSet::with_capacity(components.len()));
        for (block, component) in (0..).zip(components.iter()) {
            for item in component {
                blocks[item.index()] = block;
            }
            if component.len() > 1 || visits.ratio(component[0], component[0]) > 0.0 {
                is_loop.insert(block as usize);
                loops.push((block, Loop::new(component, visits, limits)));
            }
        }
        Self { snapshot, visits, components, blocks, loops, is_loop }
    }

    /// The loops of the graph and their gains.
    pub fn loops(&self) -> impl ExactSizeIterator<Item = LoopView<'_>> + '_ {
        self.loops.iter().map(|(_, found)| LoopView { items: &found.items, gain: found.gain })
    }

    /// The graph.
    #[must_use]
    pub fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// The ratios.
    #[must_use]
    pub fn visits(&self) -> &'a Visits {
        self.visits
    }

    /// Computes the demand on every item.
    ///
    /// Costs what the demand reaches: one look at each relationship and item, and for loops their
    /// systems. Only the stop flag of `limits` is looked at.
    ///
    /// # Errors
    /// When a source is not in the graph, or its demand is no number or below 0; when demand reaches a
    /// loop whose gain is not below 1.
    pub fn demand(&self, sources: &[Source], limits: &Limits<'_>) -> Result<Amounts, DemandError> {
        let mut by_item = vec![0.0; self.snapshot.slots()];
        for &Source { item, demand } in sources {
            self.require(item)?;
            if !(demand >= 0.0 && demand.is_finite()) {
                let wanted = "a finite number, 0 or above";
                return Err(DemandError::BadNumber { what: "the demand", item, value: demand, wanted });
            }
            by_item[item.index()] += demand;
        }
        let starts = sources.iter().filter(|source| source.demand > 0.0).map(|source| source.item);
        let mut pass = Pass::new(self, by_item, limits);
        let blocks = self.cone(starts, Direction::Dependencies, limits, &mut pass.truncations);
        for block in blocks.ones().rev() {
            if pass.stopped() {
                break;
            }
            match self.loop_at(block) {
                Some(found) => pass.spread_loop(found)?,
                None => pass.spread(self.components.at(block)[0]),
            }
        }
        Ok(pass.done())
    }

    /// What one unit of a service takes of every item: σ(service, ·).
    ///
    /// # Errors
    /// As [`demand`](Self::demand).
    pub fn taken_by(&self, service: ItemIx, limits: &Limits<'_>) -> Result<Amounts, DemandError> {
        self.demand(&[Source { item: service, demand: 1.0 }], limits)
    }

    /// What one unit of every item takes of one: σ(·, item). Infinite for what reaches it through a loop
    /// whose gain is not below 1.
    ///
    /// # Errors
    /// When the item is not in the graph.
    pub fn taken_from(&self, item: ItemIx, limits: &Limits<'_>) -> Result<Amounts, DemandError> {
        self.taken_from_all(&[(item, 1.0)], limits)
    }

    /// What one unit of every item takes of several together, each counted so many times, 0 or above. It costs one pass,
    /// however many they are.
    ///
    /// # Errors
    /// When one of them is not in the graph.
    pub fn taken_from_all(&self, items: &[(ItemIx, f64)], limits: &Limits<'_>) -> Result<Amounts, DemandError> {
        let mut by_item = vec![0.0; self.snapshot.slots()];
        for (item, times) in items {
            self.require(*item)?;
            by_item[item.index()] += times;
        }
        let mut pass = Pass::new(self, by_item, limits);
        let starts = items.iter().map(|(item, _)| *item);
        let blocks = self.cone(starts, Direction::Dependents, limits, &mut pass.truncations);
        for block in blocks.ones() {
            if pass.stopped() {
                break;
            }
            match self.loop_at(block) {
                Some(found) => pass.gather_loop(found),
                None => pass.gather(self.components.at(block)[0]),
            }
        }
        Ok(pass.done())
    }

    /// The way by which most of the demand of an item comes, from a source down to the item; only the
    /// last `most` items of it. Within a loop the way ends where it would come round again.
    #[must_use]
    pub fn main_path(&self, sources: &[Source], demand: &Amounts, item: ItemIx, most: usize) -> Vec<ItemIx> {
        let mut seen = FixedBitSet::with_capacity(self.snapshot.slots());
        let (mut path, mut next) = (Vec::new(), Some(item));
        while let Some(at) = next.filter(|_| path.len() < most) {
            seen.grow_and_insert(at.index());
            path.push(at);
            let own: f64 = sources.iter().filter(|source| source.item == at).map(|source| source.demand).sum();
            let part = |owner: ItemIx| demand.of(owner) * self.visits.ratio(owner, at);
            let owners = self.snapshot.owners(at).iter().copied().filter(|owner| !seen.contains(owner.index()));
            let best = owners.map(|owner| (part(owner), owner)).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            next = best.filter(|(part, _)| *part > own).map(|(_, owner)| owner);
        }
        path.reverse();
        path
    }

    fn require(&self, item: ItemIx) -> Result<(), AnalysisError> {
        if self.snapshot.contains(item) { Ok(()) } else { Err(AnalysisError::UnknownItem { item }) }
    }

    #[inline]
    fn loop_at(&self, block: usize) -> Option<&Loop> {
        let is_loop = self.is_loop.contains(block);
        let found = || self.loops.binary_search_by_key(&block, |(at, _)| *at as usize).ok();
        is_loop.then(found).flatten().map(|at| &self.loops[at].1)
    }

    /// The places of the components reached over ratios, ascending.
    fn cone(
        &self,
        starts: impl IntoIterator<Item = ItemIx>,
        direction: Direction,
        limits: &Limits<'_>,
        truncations: &mut Truncations,
    ) -> FixedBitSet {
        let mut met = Marks::default();
        met.reset(self.snapshot.slots());
        for item in starts {
            met.insert(item.0);
        }
        let mut head = 0;
        while head < met.len() {
            if limits.stopped(head) {
                truncations.add(Truncation::Deadline);
                break;
            }
            let item = ItemIx(met.list()[head]);
            match direction {
                Direction::Dependencies => met.insert_all(self.visits.row(item).0),
                // Relationships without a ratio are walked too; nothing comes of them.
                Direction::Dependents => met.insert_all(self.snapshot.owners(item)),
            }
            head += 1;
        }
        let mut blocks = FixedBitSet::with_capacity(self.components.len());
        for &item in met.list() {
            blocks.insert(self.blocks[item as usize] as usize);
        }
        blocks
    }
}

/// A pass under way.
struct Pass<'a> {
    visits: &'a Visits,
    by_item: Vec<f64>,
    items: Vec<ItemIx>,
    error: f64,
    limits: &'a Limits<'a>,
    steps: usize,
    truncations: Truncations,
}

impl<'a> Pass<'a> {
    fn new(model: &'a Model<'_>, by_item: Vec<f64>, limits: &'a Limits<'a>) -> Self {
        let (visits, truncations) = (model.visits, Truncations::default());
        Self { visits, by_item, items: Vec::new(), error: 0.0, limits, steps: 0, truncations }
    }

    fn stopped(&mut self) -> bool {
        let stopped = self.limits.stopped(self.steps);
        self.steps += 1;
        if stopped {
            self.truncations.add(Truncation::Deadline);
        }
        stopped
    }

    /// Hands on the demand of an item whose own is complete.
    #[inline]
    fn spread(&mut self, item: ItemIx) {
        let demand = self.by_item[item.index()];
        if demand == 0.0 {
            return;
        }
        self.items.push(item);
        let (members, ratios) = self.visits.row(item);
        for (member, ratio) in members.iter().zip(ratios) {
            self.by_item[member.index()] += demand * ratio;
        }
    }

    /// Solves the demand within a loop, and hands it on to what lies outside.
    fn spread_loop(&mut self, found: &Loop) -> Result<(), DemandError> {
        let entering: Vec<f64> = found.items.iter().map(|item| self.by_item[item.index()]).collect();
        if entering.iter().all(|demand| *demand == 0.0) {
            return Ok(());
        }
        if found.gain.high >= 1.0 {
            return Err(DemandError::AmplifyingLoop { items: found.items.clone(), gain: found.gain });
        }
        let solved = self.solve(found, entering, Way::Down);
        for (&item, &demand) in found.items.iter().zip(&solved) {
            self.by_item[item.index()] = demand;
            self.spread(item);
        }
        // What items of the loop hand on to each other is part of the solution already.
        for (item, demand) in found.items.iter().zip(solved) {
            self.by_item[item.index()] = demand;
        }
        Ok(())
    }

    /// Adds up what an item takes through its members.
    #[inline]
    fn gather(&mut self, item: ItemIx) {
        let taken = self.by_item[item.index()] + self.through_members(item);
        self.by_item[item.index()] = taken;
        self.items.extend((taken > 0.0).then_some(item));
    }

    fn through_members(&self, item: ItemIx) -> f64 {
        let (members, ratios) = self.visits.row(item);
        members.iter().zip(ratios).map(|(member, ratio)| ratio * self.by_item[member.index()]).sum()
    }

    fn gather_loop(&mut self, found: &Loop) {
        let own: Vec<f64> = found.items.iter().map(|item| self.by_item[item.index()]).collect();
        for item in &found.items {
            self.by_item[item.index()] = 0.0;
        }
        let entering: Vec<f64> =
            found.items.iter().zip(own).map(|(&item, own)| own + self.through_members(item)).collect();
        if entering.iter().all(|taken| *taken == 0.0) {
            return;
        }
        let is_endless = found.gain.high >= 1.0 || entering.iter().any(|taken| taken.is_infinite());
        let solved =
            if is_endless { vec![f64::INFINITY; entering.len()] } else { self.solve(found, entering, Way::Up) };
        for (&item, taken) in found.items.iter().zip(solved) {
            self.by_item[item.index()] = taken;
            self.items.extend((taken > 0.0).then_some(item));
        }
    }

    fn solve(&mut self, found: &Loop, entering: Vec<f64>, way: Way) -> Vec<f64> {
        let solved = found.solve(entering, way, self.limits);
        self.error = self.error.max(solved.error);
        self.truncations.merge(solved.truncations);
        solved.amounts
    }

    fn done(self) -> Amounts {
        let Self { by_item, items, error, truncations, .. } = self;
        Amounts { by_item, items, error, truncations }
    }
}
