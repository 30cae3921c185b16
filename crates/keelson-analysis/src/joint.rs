//! What sets of changes do together: each set is evaluated once, and the smallest sets that do a
//! given harm to a service are found.
//!
//! A *part* is something that takes items down as a whole: a change, or a standing outage. A set of
//! parts is a sorted list of their numbers. Losses only grow with further parts, so "these parts
//! breach the service" is a monotone question, and two classic methods apply:
//!
//! - one minimal set is shrunk out of a sufficient one by halving: the shortest sufficient prefix
//!   ends in a part that is needed; keep that part, drop what comes after it, and go on. A set of
//!   *t* parts among *n* takes about t · log₂ n evaluations. The start is not the whole set but the
//!   parts that occur in the proof of the loss, usually hardly more than the minimal set itself.
//! - all of them come from a tree of hitting sets (Reiter 1987): a node stands for parts left out;
//!   it is labelled with a minimal set among the rest, and has a child for each part of the label.
//!   If a minimal set is not found, some branch leaves it whole and hits every other one, so a tree
//!   that was worked through has found all. It may be large, so it has a budget.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
};

use fixedbitset::FixedBitSet;
use keelson_graph::{ItemIx, Snapshot};

use crate::{
    AnalysisError, Limits, Pool, Reading, Settled,
    certainty::Target,
    closure::{Direction, walk},
    impact::{Impact, Question, Reason, Seed, Verdict, impact, verdict},
};

/// Nodes of one tree of hitting sets, at most.
const MOST_NODES: usize = 4_096;

/// Losses kept for sets evaluated before, at most; beyond that all are forgotten.
const MOST_KEPT: usize = 4_000_000;

/// Losses that differ by less are equal.
pub(crate) const ROUNDING: f64 = 1e-9;

/// What stays the same for all sets.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) pool: &'a Pool,
    pub(crate) services: &'a [Target],
    pub(crate) reading: Reading,
    pub(crate) settled: Option<&'a Settled>,
    pub(crate) budget: u32,
    pub(crate) stop: Option<&'a AtomicBool>,
}

/// The watched services that lose something, by their place, ascending.
#[derive(Debug, Default)]
pub(crate) struct Losses(Vec<(u32, f64)>);

impl Losses {
    pub(crate) fn of(&self, service: u32) -> f64 {
        self.0.binary_search_by_key(&service, |(known, _)| *known).map_or(0.0, |at| self.0[at].1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.0.iter().copied()
    }
}

/// The harm a set of parts is asked to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Harm {
    /// The service delivers less than it must.
    Breach,
    /// The service loses at least this much.
    Loss(f64),
}

/// Which minimal sets are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Hunt<'h> {
    /// Parts that are down in any case.
    pub(crate) standing: &'h [u32],
    /// Parts the sets are made of.
    pub(crate) among: &'h [u32],
    pub(crate) service: u32,
    pub(crate) harm: Harm,
    /// Only sets with this part are wanted.
    pub(crate) focus: Option<u32>,
}

/// Minimal sets, ascending.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) sets: Vec<Vec<u32>>,
    /// Whether there may be more.
    pub(crate) is_cut: bool,
}

/// Sets of parts and what they do.
pub(crate) struct Joint<'a> {
    pub(crate) setting: Setting<'a>,
    parts: Vec<&'a [Seed]>,
    parts_of: HashMap<ItemIx, Vec<u32>>,
    /// One more than the place in `services_of`, by item; 0 for items that nobody watches.
    places: Vec<u32>,
    services_of: Vec<Vec<u32>>,
    reach: Vec<FixedBitSet>,
    known: HashMap<Box<[u32]>, Arc<Losses>>,
    kept: usize,
    /// The run before, whose proofs are often wanted next.
    last: Option<(Vec<u32>, Impact)>,
    pub(crate) evaluations: u32,
    /// Whether the budget was used up or the stop flag raised.
    pub(crate) is_spent: bool,
}

impl<'a> Joint<'a> {
    /// Makes ready for questions about sets of `parts`.
    pub(crate) fn new(setting: Setting<'a>, parts: Vec<&'a [Seed]>) -> Result<Self, AnalysisError> {
        let snapshot = setting.snapshot;
        let mut parts_of: HashMap<ItemIx, Vec<u32>> = HashMap::new();
        for (number, seeds) in (0..).zip(&parts) {
            for &Seed { item, loss } in *seeds {
                if !snapshot.contains(item) {
                    return Err(AnalysisError::UnknownItem { item });
                }
                if !(0.0..=1.0).contains(&loss) {
                    return Err(AnalysisError::LossOutOfRange { item, loss });
                }
                parts_of.entry(item).or_default().push(number);
            }
        }
        let (mut places, mut services_of) = (vec![0_u32; snapshot.slots()], Vec::<Vec<u32>>::new());
        for (service, target) in (0..).zip(setting.services) {
            if !snapshot.contains(target.item) {
                return Err(AnalysisError::UnknownItem { item: target.item });
            }
            let place = &mut places[target.item.index()];
            if *place == 0 {
                services_of.push(Vec::new());
                *place = u32::try_from(services_of.len()).expect("items are numbered by u32");
            }
            services_of[*place as usize - 1].push(service);
        }
        let mut joint = Self {
            setting,
            parts,
            parts_of,
            places,
            services_of,
            reach: Vec::new(),
            known: HashMap::new(),
            kept: 0,
            last: None,
            evaluations: 0,
            is_spent: false,
        };
        joint.reach = joint.reaches();
        Ok(joint)
    }

    /// For each part, the services that depend on one of its items: nothing else can be harmed.
    fn reaches(&self) -> Vec<FixedBitSet> {
        let mut scratch = self.setting.pool.lease();
        let mut reach = Vec::with_capacity(self.parts.len());
        for seeds in &self.parts {
            let items: Vec<ItemIx> = seeds.iter().map(|seed| seed.item).collect();
            // A walk that is cut short would overlook services, so this one ignores the stop flag.
            let everything = Limits::default();
            walk(self.setting.snapshot, &mut scratch, &items, Direction::Dependents, &everything);
            let mut services = FixedBitSet::with_capacity(self.setting.services.len());
            for item in scratch.met() {
                for &service in self.watched(item) {
                    services.insert(service as usize);
                }
            }
            reach.push(services);
        }
        reach
    }

    fn watched(&self, item: ItemIx) -> &[u32] {
        match self.places[item.index()] {
            0 => &[],
            place => &self.services_of[place as usize - 1],
        }
    }

    /// Whether a part can harm a service at all.
    pub(crate) fn reaches_service(&self, part: u32, service: u32) -> bool {
        self.reach[part as usize].contains(service as usize)
    }

    /// Whether there is a service that both parts can harm.
    pub(crate) fn touch(&self, a: u32, b: u32) -> bool {
        !self.reach[a as usize].is_disjoint(&self.reach[b as usize])
    }

    /// What a set of parts does to the services; `None` when the budget is used up.
    pub(crate) fn losses(&mut self, set: &[u32]) -> Option<Arc<Losses>> {
        if let Some(known) = self.known.get(set) {
            return Some(Arc::clone(known));
        }
        self.impact(set)?;
        if !self.known.contains_key(set) {
            // Forgotten since, though it was the last set evaluated.
            let (last, impact) = self.last.take()?;
            self.keep(&last, &impact);
            self.last = Some((last, impact));
        }
        self.known.get(set).map(Arc::clone)
    }

    /// Everything a set of parts does; `None` when the budget is used up.
    pub(crate) fn impact(&mut self, set: &[u32]) -> Option<&Impact> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != set) {
            let impact = self.run(set)?;
            self.keep(set, &impact);
            self.last = Some((set.to_vec(), impact));
        }
        self.last.as_ref().map(|(_, impact)| impact)
    }

    /// Remembers what a set does to the services.
    fn keep(&mut self, set: &[u32], impact: &Impact) {
        let mut losses: Vec<(u32, f64)> = Vec::new();
        for affected in impact.affected() {
            losses.extend(self.watched(affected.item).iter().map(|&service| (service, affected.loss)));
        }
        losses.sort_unstable_by_key(|(service, _)| *service);
        self.kept += losses.len() + set.len();
        if self.kept > MOST_KEPT {
            self.known.clear();
            self.kept = losses.len() + set.len();
        }
        self.known.insert(set.into(), Arc::new(Losses(losses)));
    }

    fn run(&mut self, set: &[u32]) -> Option<Impact> {
        let Setting { snapshot, pool, reading, settled, stop, budget, .. } = self.setting;
        if self.evaluations >= budget || stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            self.is_spent = true;
            return None;
        }
        self.evaluations += 1;
        let seeds: Vec<Seed> = set.iter().flat_map(|&part| self.parts[part as usize]).copied().collect();
        let limits = Limits { stop, ..Limits::default() };
        let question = Question { seeds: &seeds, reading, settled, touched: false, limits };
        let impact = impact(snapshot, &question, pool).expect("the seeds of all parts were checked");
        if !impact.truncations().is_empty() {
            self.is_spent = true;
            return None;
        }
        Some(impact)
    }

    /// The verdict on a service with a loss.
    pub(crate) fn verdict(&self, service: u32, loss: f64) -> Verdict {
        verdict(loss, self.setting.services[service as usize].min_delivered)
    }

    /// Whether a loss of the service amounts to the harm.
    pub(crate) fn amounts(&self, service: u32, loss: f64, harm: Harm) -> bool {
        match harm {
            Harm::Breach => self.verdict(service, loss) == Verdict::Breached,
            Harm::Loss(level) => loss >= level - ROUNDING,
        }
    }

    fn does(&mut self, hunt: &Hunt<'_>, set: &[u32]) -> Option<bool> {
        let whole = together(set, hunt.standing);
        let loss = self.losses(&whole)?.of(hunt.service);
        Some(self.amounts(hunt.service, loss, hunt.harm))
    }

    /// The minimal sets that do the harm, beyond what the standing parts do; those do not do it by
    /// themselves.
    pub(crate) fn minimal_sets(&mut self, hunt: &Hunt<'_>) -> Found {
        let mut found = Found::default();
        let mut waiting: VecDeque<Vec<u32>> = VecDeque::from([Vec::new()]);
        let mut seen: HashSet<Vec<u32>> = HashSet::new();
        let mut harmless: Vec<Vec<u32>> = Vec::new();
        let mut nodes = 0;
        while let Some(left_out) = waiting.pop_front() {
            if harmless.iter().any(|less| is_subset(less, &left_out)) {
                continue;
            }
            nodes += 1;
            if nodes > MOST_NODES {
                found.is_cut = true;
                break;
            }
            let label = match found.sets.iter().find(|set| are_disjoint(set, &left_out)) {
                Some(set) => set.clone(),
                None => match self.first_set(hunt, &left_out) {
                    None => {
                        found.is_cut = true;
                        break;
                    }
                    Some(None) => {
                        harmless.push(left_out);
                        continue;
                    }
                    Some(Some(set)) => {
                        found.sets.push(set.clone());
                        set
                    }
                },
            };
            for &part in label.iter().filter(|part| hunt.focus != Some(**part)) {
                let child = together(&left_out, &[part]);
                if seen.insert(child.clone()) {
                    waiting.push_back(child);
                }
            }
        }
        if let Some(focus) = hunt.focus {
            found.sets.retain(|set| set.contains(&focus));
        }
        found.sets.sort();
        found
    }

    /// A minimal set without the parts left out: outer `None` when the budget is used up, inner when
    /// there is no such set.
    #[expect(clippy::option_option, reason = "no answer and the answer none are different things")]
    fn first_set(&mut self, hunt: &Hunt<'_>, left_out: &[u32]) -> Option<Option<Vec<u32>>> {
        let rest: Vec<u32> = hunt.among.iter().copied().filter(|part| !left_out.contains(part)).collect();
        if !self.does(hunt, &rest)? {
            return Some(None);
        }
        let mut start = self.in_proof(hunt, &rest)?;
        if !self.does(hunt, &start)? {
            start = rest.into_iter().filter(|&part| self.reaches_service(part, hunt.service)).collect();
        }
        self.shrink(hunt, start).map(Some)
    }

    /// Shrinks a set that does the harm to a minimal one.
    fn shrink(&mut self, hunt: &Hunt<'_>, mut rest: Vec<u32>) -> Option<Vec<u32>> {
        let mut kept: Vec<u32> = Vec::new();
        while !rest.is_empty() && !self.does(hunt, &kept)? {
            let (mut low, mut high) = (1, rest.len());
            while low < high {
                let middle = usize::midpoint(low, high);
                if self.does(hunt, &together(&kept, &rest[..middle]))? {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            kept = together(&kept, &[rest[high - 1]]);
            rest.truncate(high - 1);
        }
        Some(kept)
    }

    /// The parts of a set that occur in the proof of what it does to the service.
    fn in_proof(&mut self, hunt: &Hunt<'_>, set: &[u32]) -> Option<Vec<u32>> {
        let whole = together(set, hunt.standing);
        self.impact(&whole)?;
        let (_, impact) = self.last.as_ref()?;
        let service = self.setting.services[hunt.service as usize].item;
        let mut seeds: Vec<u32> = Vec::new();
        let (mut stack, mut seen) = (vec![service], HashSet::from([service]));
        while let Some(item) = stack.pop() {
            match impact.reason(self.setting.snapshot, item) {
                Some(Reason::Need { because, .. }) => {
                    stack.extend(because.into_iter().filter(|member| seen.insert(*member)));
                }
                Some(Reason::Seed) => seeds.extend(self.parts_of.get(&item).into_iter().flatten()),
                None => {}
            }
        }
        seeds.retain(|part| set.binary_search(part).is_ok());
        seeds.sort_unstable();
        seeds.dedup();
        Some(seeds)
    }
}

/// The union of two sets.
pub(crate) fn together(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut union = [a, b].concat();
    union.sort_unstable();
    union.dedup();
    union
}

/// Whether every part of `a`, sorted or not, is in the sorted set `b`.
fn is_subset(a: &[u32], b: &[u32]) -> bool {
    a.iter().all(|part| b.binary_search(part).is_ok())
}

fn are_disjoint(a: &[u32], b: &[u32]) -> bool {
    a.iter().all(|part| b.binary_search(part).is_err())
}
