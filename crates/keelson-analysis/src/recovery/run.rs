//! One run: what starts when, by times that are known.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use keelson_graph::{ItemIx, NeedIx, NeedView, Snapshot};

use super::{Off, Question};
use crate::{
    Limits, Settled,
    reading::{Read, Trip},
};

/// Losses that differ by less are equal.
const ROUNDING: f64 = 1e-9;

/// An item that is up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) item: ItemIx,
    /// When, in seconds from the beginning.
    pub(super) up: u64,
    pub(super) after: Option<ItemIx>,
}

/// What starts, in the order of times.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) order: Vec<Step>,
    states: Vec<State>,
    pub(super) is_cut: bool,
}

impl Run {
    /// What was to start and never does, ascending.
    pub(super) fn stuck(&self, snapshot: &Snapshot, off: Off<'_>) -> Vec<ItemIx> {
        let is_off = |item: &ItemIx| self.states[item.index()] == State::Off;
        match off {
            Off::Everything => snapshot.item_numbers().filter(is_off).collect(),
            Off::Items(items) => {
                let mut stuck: Vec<ItemIx> = items.iter().copied().filter(is_off).collect();
                stuck.sort_unstable();
                stuck.dedup();
                stuck
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Up,
    Off,
}

/// Whether a need takes part in a start at all.
pub(super) fn counts(need: &NeedView<'_>, level: f64) -> bool {
    need.cap() >= level - ROUNDING
}

/// Whether a need holds when just these members are up.
pub(super) fn holds(
    need: NeedView<'_>,
    question: &Question<'_>,
    settled: &Settled,
    is_up: impl Fn(ItemIx) -> bool,
) -> bool {
    let loss = Read::new(need, question.reading, settled).loss(|member| if is_up(member) { 0.0 } else { 1.0 });
    loss < question.level - ROUNDING
}

/// Runs a start in which the needs in `optional`, ascending, are left out.
pub(super) fn run(
    snapshot: &Snapshot,
    question: &Question<'_>,
    optional: &[NeedIx],
    own: impl Fn(ItemIx) -> u64,
) -> Run {
    let nothing = Settled::new();
    let settled = question.settled.unwrap_or(&nothing);
    let off: Vec<ItemIx> = match question.off {
        Off::Everything => snapshot.item_numbers().collect(),
        Off::Items(items) => items.to_vec(),
    };
    let mut runner = Runner {
        snapshot,
        question,
        settled,
        optional,
        own,
        states: vec![State::Up; snapshot.slots()],
        open: vec![0; snapshot.slots()],
        missing: vec![0; snapshot.need_slots()],
        trips: HashMap::new(),
        heap: BinaryHeap::new(),
    };
    off.iter().for_each(|item| runner.states[item.index()] = State::Off);
    for &item in &off {
        runner.prepare(item);
    }
    let (order, is_cut) = runner.start();
    Run { order, states: runner.states, is_cut }
}

/// Something about to be up: when, which item, after which.
type Pending = Reverse<(u64, ItemIx, Option<ItemIx>)>;

struct Runner<'a, F> {
    snapshot: &'a Snapshot,
    question: &'a Question<'a>,
    settled: &'a Settled,
    optional: &'a [NeedIx],
    own: F,
    states: Vec<State>,
    /// How many needs of each item that is off do not hold yet; then one more, so that an item is
    /// made ready once.
    open: Vec<u32>,
    /// How many members each counted need still waits for; 0 once it holds. `READ` for those that
    /// have to be read.
    missing: Vec<u32>,
    trips: HashMap<NeedIx, Trip>,
    heap: BinaryHeap<Pending>,
}

/// Marks a need that has to be read and does not hold yet.
const READ: u32 = u32::MAX;

impl<F: Fn(ItemIx) -> u64> Runner<'_, F> {
    /// Finds out what an item that is off waits for.
    fn prepare(&mut self, item: ItemIx) {
        if self.open[item.index()] != 0 {
            return;
        }
        let snapshot = self.snapshot;
        let is_off = |member: &&ItemIx| self.states[member.index()] == State::Off;
        let plain = snapshot.plain_members(item).iter().filter(is_off).count();
        let mut open = u32::try_from(plain).expect("relationships are numbered by 31 bits");
        for ix in snapshot.counted_needs(item) {
            let need = snapshot.need(ix);
            if !counts(&need, self.question.level) || self.optional.binary_search(&ix).is_ok() {
                continue;
            }
            if self.wait(need) {
                open += 1;
            }
        }
        self.open[item.index()] = open + 1;
        if open == 0 {
            let up = (self.own)(item);
            self.heap.push(Reverse((up, item, None)));
        }
    }

    /// Whether a need does not hold yet, and what it waits for.
    fn wait(&mut self, need: NeedView<'_>) -> bool {
        let up = need.members.iter().filter(|member| self.states[member.index()] == State::Up).count();
        if need.head.is_counted() {
            let required = need.members.len() + 1 - need.head.trip() as usize;
            self.missing[need.ix.index()] = u32::try_from(required.saturating_sub(up)).unwrap_or(READ - 1);
            return up < required;
        }
        let is_up = |member: ItemIx| self.states[member.index()] == State::Up;
        if holds(need, self.question, self.settled, is_up) {
            return false;
        }
        let read = Read::new(need, self.question.reading, self.settled);
        if !read.is_share() {
            let mut trip = read.trip();
            for &member in need.members.iter().filter(|member| !is_up(**member)) {
                read.lose(&mut trip, member);
            }
            self.trips.insert(need.ix, trip);
        }
        self.missing[need.ix.index()] = READ;
        true
    }

    /// Takes items in the order of their times; whether it was stopped.
    fn start(&mut self) -> (Vec<Step>, bool) {
        let limits = Limits { stop: self.question.stop, ..Limits::default() };
        let snapshot = self.snapshot;
        let mut order = Vec::new();
        while let Some(Reverse((up, item, after))) = self.heap.pop() {
            if limits.stopped(order.len() + 1) {
                return (order, true);
            }
            order.push(Step { item, up, after });
            self.states[item.index()] = State::Up;
            let dependents = snapshot.dependents(item);
            for &owner in dependents.plain() {
                self.settle(owner, up, item);
            }
            for &need in dependents.counted().iter().chain(snapshot.starting(item)) {
                if self.regain(need, item) {
                    self.settle(snapshot.head(need).owner(), up, item);
                }
            }
        }
        (order, false)
    }

    /// Takes a member of a need as up; whether that makes the need hold.
    fn regain(&mut self, need: NeedIx, member: ItemIx) -> bool {
        let missing = &mut self.missing[need.index()];
        match *missing {
            0 => return false,
            READ => {}
            _ => {
                *missing -= 1;
                return *missing == 0;
            }
        }
        let view = self.snapshot.need(need);
        let holds_now = match self.trips.get_mut(&need) {
            Some(trip) => Read::new(view, self.question.reading, self.settled).regain(trip, member),
            None => holds(view, self.question, self.settled, |member| self.states[member.index()] == State::Up),
        };
        if holds_now {
            self.missing[need.index()] = 0;
            self.trips.remove(&need);
        }
        holds_now
    }

    /// One more need of an owner holds.
    fn settle(&mut self, owner: ItemIx, now: u64, after: ItemIx) {
        let open = &mut self.open[owner.index()];
        // Owners that were never off wait for nothing.
        if *open > 1 {
            *open -= 1;
            if *open == 1 {
                let up = now.saturating_add((self.own)(owner));
                self.heap.push(Reverse((up, owner, Some(after))));
            }
        }
    }
}
