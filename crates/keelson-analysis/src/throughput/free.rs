//! How much a service can carry if members of pools take over from each other freely.
//!
//! With fixed routing a pool is held back by whichever of its members fills up first. If load may go to any of them, the
//! largest demand is that of a linear programme: loads follow from demand by visit ratios, those of a pool's members may
//! be shifted as long as their sum stays, and no resource is beyond its planning limit. With ratios of one this is the
//! largest flow of one commodity ([`flow`](super::flow)); with others, and with several needs of one item, it is not,
//! as a unit of an item takes of all of its needs at once.
//!
//! What holds it back there is a set of resources as small as can be that does so by itself: of those that are full, each
//! is let go in turn unless more passes without it (the deletion filter of Chinneck and Dravnieks, 1991).

use std::collections::HashMap;

use keelson_graph::ItemIx;
use microlp::{ComparisonOp, Error, OptimizationDirection, Problem, Variable};
use thiserror::Error as ThisError;

use crate::demand::plan::{Resource, Uses};
use crate::demand::{Amounts, DemandError, Model, Source};
use crate::{Limits, Truncation, Truncations};

/// Items one question may reach.
pub const MOST_ITEMS: usize = 2_000;
/// Full resources that are sorted out.
const MOST_FULL: usize = 64;
/// Utilisations and demands that differ by a smaller part are taken for the same.
const SAME: f64 = 1e-7;

/// Members of which any may take what an item hands on to all of them together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The item.
    pub owner: ItemIx,
    /// The members, each in one pool of the owner.
    pub members: Vec<ItemIx>,
}

/// What a service can carry with free routing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Free {
    /// The largest demand on the service with every resource within its planning limit; `None` if nothing holds it back,
    /// or if others alone take too much already.
    pub limit: Option<f64>,
    /// Whether the demand on other services alone takes more than may be planned of a resource, however it is spread.
    pub is_exhausted: bool,
    /// The places of resources that together hold it back, none of which can be spared.
    pub binding: Vec<usize>,
    /// The places of resources that are full then.
    pub full: Vec<usize>,
    /// What each member of a pool takes then of what all of it take, by the place of the pool, with as little shifted as
    /// possible; empty for pools without demand.
    pub spread: Vec<Vec<f64>>,
    /// The limits that were hit; then nothing is told.
    pub truncations: Truncations,
}

/// Why it cannot be told.
#[derive(Debug, ThisError)]
pub enum FreeError {
    /// The demand means nothing.
    #[error(transparent)]
    Demand(#[from] DemandError),
    /// The solver failed.
    #[error("failed to find how much can pass: {0}")]
    Undecided(String),
}

/// Returns what a service can carry if the load of pools is spread freely, the demand on all others staying as it is.
/// Of several pools over the same member of an owner the first counts. What reaches the items beneath the service from
/// elsewhere is spread with the rest there, and not before.
///
/// # Errors
/// As [`service_limits`](crate::demand::plan::service_limits); when the solver fails.
pub fn free(
    model: &Model<'_>,
    services: &[Source],
    service: ItemIx,
    (pools, resources): (&[Pool], &[Resource]),
    limits: &Limits<'_>,
) -> Result<Free, FreeError> {
    let uses = Uses::of(model, services, service, resources, limits)?;
    let (fixed, mut truncations) = (uses.limits(resources), uses.truncations());
    let Uses { others, from_others: elsewhere, taken: unit } = uses;
    let Some(network) = Network::beneath(model, service, pools) else {
        truncations.add(Truncation::Items);
        return Ok(Free { truncations, ..Free::default() });
    };
    if !truncations.is_empty() {
        return Ok(Free { truncations, ..Free::default() });
    }
    // Every number near one: demand by the limit of fixed routing, loads by what they are there.
    let size = fixed.iter().map(|found| found.limit).find(|limit| *limit > 0.0).unwrap_or(1.0);
    let handed = network.handed(&unit);
    let scale = |item: ItemIx| match unit.of(item) {
        taken if taken > 0.0 => taken * size,
        _ => handed.get(&item).copied().unwrap_or(1.0) * size,
    };
    let base = |item: ItemIx| {
        let own: f64 = others.iter().filter(|source| source.item == item).map(|source| source.demand).sum();
        let owners = model.snapshot().owners(item).iter().filter(|owner| !network.places.contains_key(*owner));
        own + owners.map(|owner| elsewhere.of(*owner) * model.visits().ratio(*owner, item)).sum::<f64>()
    };
    let programme = Programme {
        model,
        network: &network,
        resources,
        service,
        size,
        scales: network.items.iter().map(|item| scale(*item)).collect(),
        bases: network.items.iter().map(|item| base(*item)).collect(),
    };
    programme.answer(limits)
}

/// The items a service's demand can reach.
struct Network<'a> {
    items: Vec<ItemIx>,
    places: HashMap<ItemIx, usize>,
    pools: &'a [Pool],
    /// What a unit of the owner hands on to each pool as a whole; 0 where it hands on nothing, or is not reached.
    ratios: Vec<f64>,
    /// The pools of each member, by its owner.
    pool_of: HashMap<(ItemIx, ItemIx), usize>,
}

impl<'a> Network<'a> {
    /// Absent where there are more items than one question may reach.
    fn beneath(model: &Model<'_>, service: ItemIx, pools: &'a [Pool]) -> Option<Self> {
        let visits = model.visits();
        let (mut pool_of, mut ratios) = (HashMap::new(), vec![0.0; pools.len()]);
        let mut by_owner: HashMap<ItemIx, Vec<usize>> = HashMap::new();
        for (place, pool) in pools.iter().enumerate() {
            by_owner.entry(pool.owner).or_default().push(place);
            for member in &pool.members {
                if pool_of.contains_key(&(pool.owner, *member)) {
                    continue;
                }
                pool_of.insert((pool.owner, *member), place);
                ratios[place] += visits.ratio(pool.owner, *member);
            }
        }
        let mut network = Self { items: vec![service], places: HashMap::from([(service, 0)]), pools, ratios, pool_of };
        let mut head = 0;
        while let Some(&owner) = network.items.get(head) {
            head += 1;
            let shared = by_owner.get(&owner).into_iter().flatten().filter(|place| network.ratios[**place] > 0.0);
            let shared: Vec<ItemIx> = shared.flat_map(|place| pools[*place].members.iter().copied()).collect();
            for member in visits.row(owner).0.iter().copied().chain(shared) {
                if !network.places.contains_key(&member) {
                    network.places.insert(member, network.items.len());
                    network.items.push(member);
                }
            }
            if network.items.len() > MOST_ITEMS {
                return None;
            }
        }
        Some(network)
    }

    /// What pools hand on to each member at most, for one unit of the service.
    fn handed(&self, unit: &Amounts) -> HashMap<ItemIx, f64> {
        let mut handed: HashMap<ItemIx, f64> = HashMap::new();
        for (place, pool) in self.pools.iter().enumerate() {
            let most = self.ratios[place] * unit.of(pool.owner);
            for member in pool.members.iter().filter(|_| most > 0.0) {
                let known = handed.entry(*member).or_default();
                *known = known.max(most);
            }
        }
        handed
    }
}

/// The linear programme.
struct Programme<'a> {
    model: &'a Model<'a>,
    network: &'a Network<'a>,
    resources: &'a [Resource],
    service: ItemIx,
    size: f64,
    scales: Vec<f64>,
    bases: Vec<f64>,
}

/// A largest demand, in the size of the programme.
struct Solved {
    demand: f64,
    loads: Vec<f64>,
    /// What members take of pools, by pool and place of the member.
    flows: Vec<Vec<f64>>,
}

/// What a member takes of a pool, as a variable of so much a unit.
#[derive(Clone)]
struct Flow {
    variable: Variable,
    /// The place of the member in its pool.
    member: usize,
    scale: f64,
}

/// A programme that was built.
struct Built {
    problem: Problem,
    demand: Variable,
    loads: Vec<Variable>,
    /// By pool.
    flows: Vec<Vec<Flow>>,
}

enum Outcome {
    Solved(Solved),
    Unbounded,
    Infeasible,
}

impl Programme<'_> {
    fn answer(&self, limits: &Limits<'_>) -> Result<Free, FreeError> {
        // Something to hold it back, and be it one thing.
        let mut counted: Vec<usize> = (0..self.resources.len()).filter(|at| self.bound(*at).is_some()).collect();
        let solved = match self.solve(&counted)? {
            Outcome::Unbounded => return Ok(Free::default()),
            Outcome::Infeasible => return Ok(Free { is_exhausted: true, ..Free::default() }),
            Outcome::Solved(solved) => solved,
        };
        let is_full = |at: &usize| {
            self.bound(*at).is_some_and(|(place, most)| solved.loads[place] >= most * (1.0 - SAME) - f64::EPSILON)
        };
        counted.retain(is_full);
        let full = counted;
        let (binding, truncations) = self.binding(solved.demand, full.clone(), limits)?;
        let all: Vec<usize> = (0..self.resources.len()).collect();
        // The solver may miss by its tolerance what it found before; then that is as good.
        let spread = match self.nearest(solved.demand, &all)? {
            Outcome::Solved(nearest) => nearest.flows,
            Outcome::Unbounded | Outcome::Infeasible => solved.flows,
        };
        let share = |flows: &Vec<f64>| {
            let all: f64 = flows.iter().sum();
            if all > 0.0 { flows.iter().map(|flow| (flow / all).max(0.0)).collect() } else { Vec::new() }
        };
        Ok(Free {
            limit: Some(solved.demand * self.size),
            is_exhausted: false,
            binding,
            full,
            spread: spread.iter().map(share).collect(),
            truncations,
        })
    }

    /// Of full resources as few as hold a demand back by themselves.
    fn binding(
        &self,
        demand: f64,
        mut counted: Vec<usize>,
        limits: &Limits<'_>,
    ) -> Result<(Vec<usize>, Truncations), FreeError> {
        let mut truncations = Truncations::default();
        if counted.len() > MOST_FULL {
            return Ok((counted, truncations));
        }
        for at in counted.clone() {
            if limits.stopped(0) {
                truncations.add(Truncation::Deadline);
                break;
            }
            let without: Vec<usize> = counted.iter().copied().filter(|other| *other != at).collect();
            let more = match self.solve(&without)? {
                Outcome::Solved(more) => more.demand > demand * (1.0 + SAME) + f64::EPSILON,
                Outcome::Unbounded | Outcome::Infeasible => true,
            };
            if !more {
                counted = without;
            }
        }
        Ok((counted, truncations))
    }

    /// The item of a resource by its place, and the largest load on it; absent where no demand reaches it.
    fn bound(&self, resource: usize) -> Option<(usize, f64)> {
        let resource = &self.resources[resource];
        let place = *self.network.places.get(&resource.item)?;
        Some((place, resource.allowed() / resource.per_unit / self.scales[place]))
    }

    /// The largest demand that these resources allow.
    fn solve(&self, counted: &[usize]) -> Result<Outcome, FreeError> {
        let built = self.build(OptimizationDirection::Maximize, 1.0, counted);
        self.solved(&built.problem, &built)
    }

    /// How pools may be spread so that so much is carried, with as little as possible shifted.
    fn nearest(&self, demand: f64, counted: &[usize]) -> Result<Outcome, FreeError> {
        let mut built = self.build(OptimizationDirection::Minimize, 0.0, counted);
        // A little less, as the solver's own tolerance may have let a little too much pass.
        built.problem.add_constraint([(built.demand, 1.0)], ComparisonOp::Ge, demand * (1.0 - SAME));
        for (place, pool) in self.network.pools.iter().enumerate() {
            let Some(&owner) = self.network.places.get(&pool.owner) else { continue };
            let handed = self.network.ratios[place] * self.scales[owner];
            for flow in &built.flows[place] {
                let now = self.model.visits().ratio(pool.owner, pool.members[flow.member]);
                let kept = now / self.network.ratios[place];
                let shifted = built.problem.add_var(1.0, (0.0, f64::INFINITY));
                for sign in [1.0, -1.0] {
                    let terms = [
                        (flow.variable, sign * flow.scale / handed),
                        (built.loads[owner], -sign * kept),
                        (shifted, -1.0),
                    ];
                    built.problem.add_constraint(terms, ComparisonOp::Le, 0.0);
                }
            }
        }
        self.solved(&built.problem, &built)
    }

    /// The programme with these resources; the demand counts so much.
    fn build(&self, direction: OptimizationDirection, counts: f64, counted: &[usize]) -> Built {
        let network = self.network;
        let mut most = vec![f64::INFINITY; network.items.len()];
        for (place, bound) in counted.iter().filter_map(|at| self.bound(*at)) {
            most[place] = most[place].min(bound);
        }
        let mut problem = Problem::new(direction);
        let demand = problem.add_var(counts, (0.0, f64::INFINITY));
        let loads: Vec<Variable> = most.iter().map(|most| problem.add_var(0.0, (0.0, *most))).collect();
        let mut rows: Vec<Vec<(Variable, f64)>> = loads.iter().map(|load| vec![(*load, 1.0)]).collect();
        let service = network.places[&self.service];
        rows[service].push((demand, -self.size / self.scales[service]));
        let flows = self.share(&mut problem, &loads, &mut rows);
        self.hand_on(&loads, &mut rows);
        for (place, row) in rows.into_iter().enumerate() {
            problem.add_constraint(row, ComparisonOp::Eq, self.bases[place] / self.scales[place]);
        }
        Built { problem, demand, loads, flows }
    }

    /// What pools hand on, to whichever member.
    fn share(&self, problem: &mut Problem, loads: &[Variable], rows: &mut [Vec<(Variable, f64)>]) -> Vec<Vec<Flow>> {
        let network = self.network;
        let mut flows = vec![Vec::new(); network.pools.len()];
        for (place, pool) in network.pools.iter().enumerate() {
            let Some(&owner) = network.places.get(&pool.owner) else { continue };
            let handed = network.ratios[place] * self.scales[owner];
            if handed <= 0.0 {
                continue;
            }
            let mut sum = vec![(loads[owner], -1.0)];
            for (member, key) in pool.members.iter().enumerate() {
                let own = network.pool_of.get(&(pool.owner, *key)) == Some(&place);
                let (true, Some(&at)) = (own, network.places.get(key)) else { continue };
                let variable = problem.add_var(0.0, (0.0, f64::INFINITY));
                rows[at].push((variable, -1.0));
                sum.push((variable, self.scales[at] / handed));
                flows[place].push(Flow { variable, member, scale: self.scales[at] });
            }
            problem.add_constraint(sum, ComparisonOp::Eq, 0.0);
        }
        flows
    }

    /// What items hand on by ratios that stay.
    fn hand_on(&self, loads: &[Variable], rows: &mut [Vec<(Variable, f64)>]) {
        let network = self.network;
        for (place, owner) in network.items.iter().enumerate() {
            let (members, ratios) = self.model.visits().row(*owner);
            for (member, ratio) in members.iter().zip(ratios) {
                if network.pool_of.contains_key(&(*owner, *member)) {
                    continue;
                }
                let at = network.places[member];
                let part = -ratio * self.scales[place] / self.scales[at];
                match rows[at].iter_mut().find(|(variable, _)| *variable == loads[place]) {
                    Some((_, known)) => *known += part,
                    None => rows[at].push((loads[place], part)),
                }
            }
        }
    }

    fn solved(&self, problem: &Problem, built: &Built) -> Result<Outcome, FreeError> {
        let undecided = |reason: String| FreeError::Undecided(reason);
        let outcome = match problem.solve() {
            Ok(outcome) => outcome,
            Err(Error::Infeasible) => return Ok(Outcome::Infeasible),
            Err(Error::Unbounded) => return Ok(Outcome::Unbounded),
            Err(error) => return Err(undecided(error.to_string())),
        };
        let Some(solution) = outcome.solution() else {
            return Err(undecided("the search was cut short".to_owned()));
        };
        let value = |variable: Variable| solution.var_value(variable);
        let taken = |(flows, pool): (&Vec<Flow>, &Pool)| {
            let mut taken = vec![0.0; pool.members.len()];
            flows.iter().for_each(|flow| taken[flow.member] = value(flow.variable) * flow.scale);
            taken
        };
        Ok(Outcome::Solved(Solved {
            demand: value(built.demand),
            loads: built.loads.iter().map(|load| value(*load)).collect(),
            flows: built.flows.iter().zip(self.network.pools).map(taken).collect(),
        }))
    }
}
