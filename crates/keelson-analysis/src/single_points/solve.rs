//! The least solution of the sets, component by component.

use std::collections::VecDeque;

use keelson_graph::{Components, ItemIx, NeedView, Snapshot, components_within};

use super::Question;
use crate::{Limits, Settled, reading::Read};

/// Losses that differ by less are equal.
const ROUNDING: f64 = 1e-9;

/// The items whose failure fells an item, as places in the cone, each once, in no order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Set {
    /// The item has failed already.
    Everything,
    Places(Vec<u32>),
}

/// The set of the item asked about, `None` if it has failed already, and whether a limit was hit.
pub(super) fn solve(snapshot: &Snapshot, question: &Question<'_>, seeds: &[ItemIx]) -> (Option<Vec<ItemIx>>, bool) {
    let components = components_within(snapshot, [question.item], |_| true);
    let cone: Vec<ItemIx> = components.iter().flatten().copied().collect();
    let nothing = Settled::new();
    let mut places = vec![u32::MAX; snapshot.slots()];
    for (place, item) in (0..).zip(&cone) {
        places[item.index()] = place;
    }
    let mut sets = vec![Set::Places(Vec::new()); cone.len()];
    for seed in seeds {
        if let Some(set) = sets.get_mut(places[seed.index()] as usize) {
            *set = Set::Everything;
        }
    }
    let settled = question.settled.unwrap_or(&nothing);
    let work = Work { stamps: vec![0; cone.len()], counts: vec![0; cone.len()], ..Work::default() };
    let mut solver = Solver { snapshot, question, settled, places, sets, entries: 0, steps: 0, work };
    let is_whole = solver.run(&components).is_some();
    let asked = solver.places[question.item.index()] as usize;
    let set = match &solver.sets[asked] {
        Set::Everything => None,
        Set::Places(places) => Some(places.iter().map(|&place| cone[place as usize]).collect()),
    };
    (set, !is_whole)
}

/// Working memory for making one set.
#[derive(Default)]
struct Work {
    /// Whether a place is in the list, by the number of the list.
    stamps: Vec<u32>,
    number: u32,
    list: Vec<u32>,
    /// How many members of a need have a place in their sets; all 0 between needs.
    counts: Vec<u32>,
}

impl Work {
    fn start(&mut self) {
        self.number += 1;
        self.list.clear();
    }

    fn add(&mut self, places: &[u32]) {
        for &place in places {
            let stamp = &mut self.stamps[place as usize];
            if *stamp != self.number {
                *stamp = self.number;
                self.list.push(place);
            }
        }
    }
}

/// The item has failed already.
struct Failed;

struct Solver<'a> {
    snapshot: &'a Snapshot,
    question: &'a Question<'a>,
    settled: &'a Settled,
    /// Places in the cone, by item.
    places: Vec<u32>,
    /// Sets, by place; they only grow.
    sets: Vec<Set>,
    /// Entries written so far.
    entries: usize,
    steps: usize,
    work: Work,
}

impl Solver<'_> {
    /// Evaluates all components; `None` when a limit was hit.
    fn run(&mut self, components: &Components) -> Option<()> {
        for component in components.iter() {
            match component {
                [item] if !self.snapshot.members(*item).contains(item) => {
                    self.evaluate(*item)?;
                }
                _ => self.settle_cycle(component)?,
            }
        }
        Some(())
    }

    /// Evaluates the items of a cycle until their sets no longer grow.
    fn settle_cycle(&mut self, component: &[ItemIx]) -> Option<()> {
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
        Some(())
    }

    /// Evaluates one item; whether its set has grown.
    fn evaluate(&mut self, item: ItemIx) -> Option<bool> {
        self.steps += 1;
        let limits = Limits { stop: self.question.stop, ..Limits::default() };
        if self.entries > self.question.max_entries || limits.stopped(self.steps) {
            return None;
        }
        let place = self.places[item.index()];
        let old = match &self.sets[place as usize] {
            Set::Everything => return Some(false),
            Set::Places(places) => places.len(),
        };
        let mut work = std::mem::take(&mut self.work);
        let new = match self.gather(item, place, &mut work) {
            Ok(()) => Set::Places(work.list.clone()),
            Err(Failed) => Set::Everything,
        };
        self.work = work;
        let len = match &new {
            Set::Everything => usize::MAX,
            Set::Places(places) => {
                self.entries += places.len();
                places.len()
            }
        };
        self.sets[place as usize] = new;
        Some(len > old)
    }

    /// Lists the set of an item from the sets of its members as they are.
    fn gather(&self, item: ItemIx, place: u32, work: &mut Work) -> Result<(), Failed> {
        work.start();
        work.add(&[place]);
        for &member in self.snapshot.plain_members(item) {
            match self.set(member) {
                Set::Everything => return Err(Failed),
                Set::Places(places) => work.add(places),
            }
        }
        for ix in self.snapshot.counted_needs(item) {
            let need = self.snapshot.need(ix);
            if !need.phase().runs() || need.cap() < self.question.level - ROUNDING {
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

    fn set(&self, item: ItemIx) -> &Set {
        &self.sets[self.places[item.index()] as usize]
    }

    /// The members that have not failed already, and how many have.
    fn standing(&self, need: NeedView<'_>) -> (Vec<(ItemIx, &[u32])>, usize) {
        let mut standing = Vec::with_capacity(need.members.len());
        for &member in need.members {
            if let Set::Places(places) = self.set(member) {
                standing.push((member, &places[..]));
            }
        }
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
        for (_, places) in &standing {
            if trip == 1 {
                work.add(places);
                continue;
            }
            for &place in *places {
                work.counts[place as usize] += 1;
                if work.counts[place as usize] as usize == trip {
                    work.add(&[place]);
                }
            }
        }
        if trip > 1 {
            standing.iter().flat_map(|(_, places)| *places).for_each(|&place| work.counts[place as usize] = 0);
        }
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
        let pairs = |(member, places): &(ItemIx, &[u32])| {
            let member = *member;
            places.iter().map(move |&place| (place, member)).collect::<Vec<_>>()
        };
        let mut all: Vec<(u32, ItemIx)> = standing.iter().flat_map(pairs).collect();
        all.sort_unstable();
        for lost in all.chunk_by(|a, b| a.0 == b.0).filter(|lost| gives_way(lost)) {
            work.add(&[lost[0].0]);
        }
        Ok(())
    }
}
