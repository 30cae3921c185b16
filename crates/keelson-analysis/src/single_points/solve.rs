//! The least solution of the sets, component by component.

use std::{collections::VecDeque, ops::ControlFlow, sync::atomic::Ordering};

use fixedbitset::FixedBitSet;
use keelson_graph::{Components, ItemIx, NeedView, Snapshot, components_within};

use super::{
    Cut, Pass, Question, SinglePoints,
    set::{Set, Union},
};
use crate::{
    Settled,
    reading::{ROUNDING, Read},
};

/// Words handled between two looks at the stop flag; a fraction of a millisecond's work.
const STRIDE: usize = 1 << 16;

/// Finds the sets of some items and of everything they depend on, and shows each once it is whole.
pub(super) fn solve(
    snapshot: &Snapshot,
    items: &[ItemIx],
    question: &Question<'_>,
    seeds: &[ItemIx],
    each: impl FnMut(Found<'_>) -> ControlFlow<()>,
) -> Pass {
    let components = components_within(snapshot, items.iter().copied(), |_| true);
    let nothing = Settled::new();
    let settled = question.settled.unwrap_or(&nothing);
    let mut solver = Solver::new(snapshot, question, settled, &components);
    solver.lose(seeds);
    solver.pass.cut = solver.run(&components, each).err();
    solver.pass
}

/// Finds the set of one item alone.
///
/// Everything it needs wholly, at any depth, is in the set: that takes a walk and no sets. What else is in it fells a
/// redundancy need of those, and does so without felling any of them first; so sets are made only of what lies beyond,
/// and hold only that.
pub(super) fn solve_one(
    snapshot: &Snapshot,
    item: ItemIx,
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> (SinglePoints, Pass) {
    let core = Core::of(snapshot, item, question);
    if seeds.iter().any(|seed| core.holds(*seed)) {
        let pass = Pass { items: core.items.len(), visited: core.items.len(), ..Pass::default() };
        return (SinglePoints { has_failed: true, ..SinglePoints::default() }, pass);
    }
    let components = components_within(snapshot, core.beyond.iter().copied(), |item| !core.holds(item));
    let nothing = Settled::new();
    let settled = question.settled.unwrap_or(&nothing);
    let mut solver = Solver::new(snapshot, question, settled, &components);
    solver.pass.items += core.items.len();
    solver.pass.words += core.items.len();
    solver.lose(seeds);
    // What the core looks at is kept until it does.
    for member in &core.beyond {
        if let Some(place) = solver.place(*member) {
            solver.waiting[place] += 1;
        }
    }
    if let Err(cut) = solver.run(&components, |_| ControlFlow::Continue(())) {
        solver.pass.cut = Some(cut);
        return (SinglePoints::cut(), solver.pass);
    }
    solver.pass.visited += core.items.len();
    let mut work = solver.work.take().expect("one set is made at a time");
    work.union.start();
    if core.redundant.iter().any(|owner| solver.gather_needs(*owner, &mut work).is_err()) {
        return (SinglePoints { has_failed: true, ..SinglePoints::default() }, solver.pass);
    }
    let places = u32::try_from(solver.cone.len()).unwrap_or(u32::MAX);
    let beyond = work.union.finish(places);
    let mut items: Vec<ItemIx> = beyond.places().map(|place| solver.cone[place as usize]).collect();
    items.extend(core.items.into_iter().skip(1));
    items.sort_unstable();
    (SinglePoints { items, has_failed: false, is_cut: false }, solver.pass)
}

/// An item and everything that fells it by being needed wholly.
struct Core {
    /// The item, then the others.
    items: Vec<ItemIx>,
    is_in: FixedBitSet,
    /// Those of them with needs that stand the loss of a member.
    redundant: Vec<ItemIx>,
    /// What those needs look at outside.
    beyond: Vec<ItemIx>,
}

impl Core {
    fn of(snapshot: &Snapshot, item: ItemIx, question: &Question<'_>) -> Self {
        let is_in = FixedBitSet::with_capacity(snapshot.slots());
        let mut core = Self { items: vec![item], is_in, redundant: Vec::new(), beyond: Vec::new() };
        core.is_in.insert(item.index());
        let mut at = 0;
        while let Some(&owner) = core.items.get(at) {
            at += 1;
            snapshot.plain_members(owner).iter().for_each(|member| core.add(*member));
            let mut is_redundant = false;
            for ix in snapshot.counted_needs(owner) {
                let need = snapshot.need(ix);
                if !counts(need, question) {
                    continue;
                }
                if need.head.is_counted() && need.head.trip() == 1 {
                    need.members.iter().for_each(|member| core.add(*member));
                } else {
                    core.beyond.extend(need.members);
                    is_redundant = true;
                }
            }
            if is_redundant {
                core.redundant.push(owner);
            }
        }
        let Self { is_in, beyond, .. } = &mut core;
        beyond.retain(|member| !is_in.contains(member.index()));
        core
    }

    fn add(&mut self, item: ItemIx) {
        if !self.is_in.put(item.index()) {
            self.items.push(item);
        }
    }

    fn holds(&self, item: ItemIx) -> bool {
        self.is_in.contains(item.index())
    }
}

/// Whether the loss of a need can fell its owner.
fn counts(need: NeedView<'_>, question: &Question<'_>) -> bool {
    need.phase().runs() && need.cap() >= question.level - ROUNDING
}

/// What was found about one item.
#[derive(Clone, Copy)]
pub struct Found<'s> {
    solver: &'s Solver<'s>,
    item: ItemIx,
}

impl<'s> Found<'s> {
    /// The item.
    #[must_use]
    pub fn item(self) -> ItemIx {
        self.item
    }

    /// Whether the item has failed already.
    #[must_use]
    pub fn has_failed(self) -> bool {
        *self.solver.set(self.item) == Set::Everything
    }

    /// The items whose failure alone fells the item, in no order, the item itself and the seeds left
    /// out; none if it has failed already.
    pub fn points(self) -> impl Iterator<Item = ItemIx> + 's {
        let item = self.item;
        self.points_of(item).filter(move |point| *point != item)
    }

    /// The same as places in the walk, which visits them in this order.
    pub(super) fn places(self) -> impl Iterator<Item = usize> + 's {
        let own = self.solver.place(self.item);
        self.solver.set(self.item).places().map(|place| place as usize).filter(move |place| Some(*place) != own)
    }

    /// The items whose failure alone fells a member of one of the item's running needs, in no order;
    /// the member itself is among them, unless it has failed already.
    ///
    /// # Panics
    /// When the item does not need such a member.
    pub fn points_of(self, member: ItemIx) -> impl Iterator<Item = ItemIx> + 's {
        self.solver.set(member).places().map(|place| self.solver.cone[place as usize])
    }

    /// Whether a member of one of the item's running needs has failed already.
    ///
    /// # Panics
    /// When the item does not need such a member.
    #[must_use]
    pub fn has_lost(self, member: ItemIx) -> bool {
        *self.solver.set(member) == Set::Everything
    }

    /// How close points lie: of two points of which one depends on the other, the dependent has the
    /// larger number.
    ///
    /// # Panics
    /// When the point is none of the item's or of its members'.
    #[must_use]
    pub fn closeness(self, point: ItemIx) -> usize {
        self.solver.place(point).expect("points lie in the cone")
    }

    /// The same as a list.
    #[must_use]
    pub fn to_points(self) -> SinglePoints {
        let mut items: Vec<ItemIx> = self.points().collect();
        items.sort_unstable();
        SinglePoints { items, has_failed: self.has_failed(), is_cut: false }
    }
}

/// Working memory for making one set.
struct Work {
    union: Union,
    /// How many members of a need have a place in their sets; all 0 between needs.
    counts: Vec<u32>,
    /// Entries looked at one by one.
    singly: usize,
}

/// The item has failed already.
struct Failed;

struct Solver<'a> {
    snapshot: &'a Snapshot,
    question: &'a Question<'a>,
    settled: &'a Settled,
    /// The items walked, dependencies first.
    cone: Vec<ItemIx>,
    /// Places in the cone plus one, by item; 0 outside.
    places: Vec<u32>,
    /// Sets, by place; they only grow until they are given up.
    sets: Vec<Set>,
    /// The set of what the walk stopped at.
    nothing: Set,
    /// How many memberships of each place have owners in the cone that are not done.
    waiting: Vec<u32>,
    /// Words held now.
    live: usize,
    pass: Pass,
    /// Words handled since the last look at the stop flag.
    unlooked: usize,
    /// There except while a set is made.
    work: Option<Work>,
}

impl<'a> Solver<'a> {
    fn new(snapshot: &'a Snapshot, question: &'a Question<'a>, settled: &'a Settled, components: &Components) -> Self {
        let cone: Vec<ItemIx> = components.iter().flatten().copied().collect();
        let mut places = vec![0_u32; snapshot.slots()];
        for (place, item) in (1..).zip(&cone) {
            places[item.index()] = place;
        }
        let mut waiting = vec![0_u32; cone.len()];
        for member in cone.iter().flat_map(|&item| snapshot.members(item)) {
            // What the walk stopped at has no place.
            if let Some(place) = (places[member.index()] as usize).checked_sub(1) {
                waiting[place] += 1;
            }
        }
        let work = Some(Work { union: Union::new(cone.len()), counts: vec![0; cone.len()], singly: 0 });
        let sets = vec![Set::empty(); cone.len()];
        let pass = Pass { items: cone.len(), ..Pass::default() };
        let nothing = Set::empty();
        Self { snapshot, question, settled, cone, places, sets, nothing, waiting, live: 0, pass, unlooked: 0, work }
    }

    /// Takes seeds as failed already.
    fn lose(&mut self, seeds: &[ItemIx]) {
        for seed in seeds {
            if let Some(place) = self.place(*seed) {
                self.sets[place] = Set::Everything;
            }
        }
    }

    /// Where an item stands in the cone.
    fn place(&self, item: ItemIx) -> Option<usize> {
        (self.places[item.index()] as usize).checked_sub(1)
    }

    /// The set of an item; empty for what the walk stopped at.
    fn set(&self, item: ItemIx) -> &Set {
        self.place(item).map_or(&self.nothing, |place| &self.sets[place])
    }

    /// Evaluates all components.
    fn run(&mut self, components: &Components, mut each: impl FnMut(Found<'_>) -> ControlFlow<()>) -> Result<(), Cut> {
        for component in components.iter() {
            match component {
                [item] if !self.snapshot.members(*item).contains(item) => {
                    self.evaluate(*item)?;
                }
                _ => self.settle_cycle(component)?,
            }
            for &item in component {
                self.pass.visited += 1;
                if each(Found { solver: self, item }).is_break() {
                    return Err(Cut::Visitor);
                }
            }
            component.iter().for_each(|item| self.give_up(*item));
        }
        Ok(())
    }

    /// Gives up the sets that nobody needs any longer now that an item is done.
    fn give_up(&mut self, item: ItemIx) {
        let snapshot = self.snapshot;
        if self.waiting[self.places[item.index()] as usize - 1] == 0 {
            self.replace(item, Set::empty());
        }
        for &member in snapshot.members(item) {
            let Some(place) = self.place(member) else { continue };
            let waiting = &mut self.waiting[place];
            *waiting -= 1;
            if *waiting == 0 {
                self.replace(member, Set::empty());
            }
        }
    }

    /// Puts another set in the place of an item's.
    fn replace(&mut self, item: ItemIx, set: Set) {
        let old = &mut self.sets[self.places[item.index()] as usize - 1];
        self.live += set.words();
        self.live -= old.words();
        self.pass.most_live = self.pass.most_live.max(self.live);
        *old = set;
    }

    /// Evaluates the items of a cycle until their sets no longer grow.
    fn settle_cycle(&mut self, component: &[ItemIx]) -> Result<(), Cut> {
        let first = self.places[component[0].index()] as usize;
        // A component is listed from the item it was entered by; the other way round most items come
        // after what they need, and few have to be evaluated again.
        let mut queue: VecDeque<ItemIx> = component.iter().rev().copied().collect();
        let mut is_waiting = vec![true; component.len()];
        while let Some(item) = queue.pop_front() {
            is_waiting[self.places[item.index()] as usize - first] = false;
            if !self.evaluate(item)? {
                continue;
            }
            for &owner in self.snapshot.owners(item) {
                // Owners outside the cone have no place in it.
                let at = (self.places[owner.index()] as usize).wrapping_sub(first);
                if let Some(waits) = is_waiting.get_mut(at).filter(|waits| !**waits) {
                    *waits = true;
                    queue.push_back(owner);
                }
            }
        }
        Ok(())
    }

    /// Evaluates one item; whether its set has grown.
    fn evaluate(&mut self, item: ItemIx) -> Result<bool, Cut> {
        self.check_limits()?;
        let old = self.set(item);
        if *old == Set::Everything {
            return Ok(false);
        }
        let (old_len, old_words) = (old.len(), old.words());
        let mut work = self.work.take().expect("one set is made at a time");
        let set = match self.gather(item, &mut work) {
            Ok(()) => work.union.finish(self.places[item.index()]),
            Err(Failed) => Set::Everything,
        };
        let (words, singly) = (set.words(), std::mem::take(&mut work.singly));
        self.unlooked += std::mem::take(&mut work.union.read) + singly + 1;
        self.pass.words += words + singly;
        self.work = Some(work);
        let has_grown = set == Set::Everything || set.len() > old_len;
        if has_grown {
            if (self.live + words).saturating_sub(old_words) > self.question.max_live {
                return Err(Cut::Live);
            }
            self.replace(item, set);
        }
        Ok(has_grown)
    }

    fn check_limits(&mut self) -> Result<(), Cut> {
        if self.pass.words > self.question.max_words {
            return Err(Cut::Words);
        }
        if self.unlooked > STRIDE {
            self.unlooked = 0;
            if self.question.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                return Err(Cut::Stopped);
            }
        }
        Ok(())
    }

    /// Unites the set of an item from the sets of its members as they are.
    fn gather(&self, item: ItemIx, work: &mut Work) -> Result<(), Failed> {
        work.union.start();
        work.union.add_place(self.places[item.index()] - 1);
        for &member in self.snapshot.plain_members(item) {
            match self.set(member) {
                Set::Everything => return Err(Failed),
                set => work.union.add(set),
            }
        }
        self.gather_needs(item, work)
    }

    /// Adds the items that fell a counted need of an item.
    fn gather_needs(&self, item: ItemIx, work: &mut Work) -> Result<(), Failed> {
        for ix in self.snapshot.counted_needs(item) {
            let need = self.snapshot.need(ix);
            if !counts(need, self.question) {
                continue;
            }
            if need.head.is_counted() {
                self.count(need, work)?;
            } else {
                self.read(need, work)?;
            }
        }
        Ok(())
    }

    /// The members that have not failed already, and how many have.
    fn standing(&self, need: NeedView<'_>) -> (Vec<(ItemIx, &Set)>, usize) {
        let with_set = |&member: &ItemIx| (member, self.set(member));
        let standing: Vec<(ItemIx, &Set)> =
            need.members.iter().map(with_set).filter(|(_, set)| **set != Set::Everything).collect();
        let failed = need.members.len() - standing.len();
        (standing, failed)
    }

    /// Adds the items that fell a need for which counting lost members says everything.
    fn count(&self, need: NeedView<'_>, work: &mut Work) -> Result<(), Failed> {
        let (standing, failed) = self.standing(need);
        let trip = (need.head.trip() as usize).saturating_sub(failed);
        if trip == 0 {
            return Err(Failed);
        }
        if trip == 1 {
            standing.iter().for_each(|(_, set)| work.union.add(set));
            return Ok(());
        }
        for place in standing.iter().flat_map(|(_, set)| set.places()) {
            let count = &mut work.counts[place as usize];
            *count += 1;
            if *count as usize == trip {
                work.union.add_place(place);
            }
        }
        for place in standing.iter().flat_map(|(_, set)| set.places()) {
            work.counts[place as usize] = 0;
        }
        work.singly += standing.iter().map(|(_, set)| set.len()).sum::<usize>();
        Ok(())
    }

    /// Adds the items that fell a need that is weighted, shared or in doubt.
    fn read(&self, need: NeedView<'_>, work: &mut Work) -> Result<(), Failed> {
        let read = Read::new(need, self.question.reading, self.settled);
        let (standing, _) = self.standing(need);
        let stands = |member: ItemIx| standing.binary_search_by_key(&member, |(known, _)| *known).is_ok();
        let gives_way = |lost: &[(u32, ItemIx)]| {
            let is_lost = |member: ItemIx| !stands(member) || lost.iter().any(|(_, known)| *known == member);
            read.loss(|member| if is_lost(member) { 1.0 } else { 0.0 }) >= self.question.level - ROUNDING
        };
        if gives_way(&[]) {
            return Err(Failed);
        }
        let mut all: Vec<(u32, ItemIx)> = Vec::new();
        for (member, set) in &standing {
            all.extend(set.places().map(|place| (place, *member)));
        }
        all.sort_unstable();
        work.singly += all.len();
        for lost in all.chunk_by(|a, b| a.0 == b.0).filter(|lost| gives_way(lost)) {
            work.union.add_place(lost[0].0);
        }
        Ok(())
    }
}
