//! How much a service can carry: as its load is spread now, and if members of redundancy take over from each other freely
//! (analyses 4.5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use keelson_analysis::demand::plan::Question as Asking;
use keelson_analysis::demand::plan::{Growing, Missing, Resource, plan};
use keelson_analysis::demand::{Model, Source, Visits};
use keelson_analysis::throughput::free::{Free, FreeError, MOST_ITEMS, Pool as Shared, free};
use keelson_analysis::throughput::{Fixed, fixed};
use keelson_analysis::{Limits, Pool, Scratch, Truncation, closure};
use keelson_graph::{ItemIx, NeedView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resources::{self, Known};
use super::{LimitBasis, growth, units_note};
use crate::attributes::{Amount, WORKLOAD_LIMIT, amount, stated_capacity};
use crate::demand::{note, refused, visits};
use crate::needs::title;
use crate::single_points::services;
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ThroughputQuestion {
    /// The service.
    pub service: String,
    /// Lines of each list.
    pub most: usize,
}

/// Something that holds a service back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BindingLine {
    /// What it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// How much of it there is.
    pub capacity: Amount,
    /// The utilisation to plan with.
    pub planning_limit: f64,
    /// How much of it one more unit of the service takes as its load is spread now.
    pub takes: f64,
}

/// What a service can carry in one way of spreading its load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Carries {
    /// The largest demand with everything within its planning limit; absent where nothing with a capacity holds it back, or
    /// where others alone take too much.
    pub limit: Option<f64>,
    /// Whether the demand on other services alone takes more of something than may be planned.
    pub is_exhausted: bool,
    /// What holds it back: as load is spread now whatever is full first; spread freely a set that holds it back together,
    /// and of which nothing can be spared.
    pub binding: Vec<BindingLine>,
    /// How many resources are full then.
    pub full_count: usize,
}

/// How the load of members of redundancy is spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpreadLine {
    /// Whose need it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// What it is called.
    pub need: String,
    /// The members among which load may be shifted.
    pub members: Vec<SharedBy>,
}

/// A member's part of a load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SharedBy {
    /// The member, by key.
    pub key: String,
    /// Its part now, as a fraction.
    pub now: f64,
    /// Its part where most is carried and as little as possible is shifted; absent where that is not known.
    pub then: Option<f64>,
}

/// How much a service can carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThroughputAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The service.
    pub service: Subject,
    /// The demand on it now, with what is supposed; absent where nobody states or measured it.
    pub demand: Option<Amount>,
    /// Up to which workload its targets are promised, where stated: a promise, which holds nothing back.
    pub promised_up_to: Option<Amount>,
    /// As its load is spread now, the demand on all others staying as it is.
    pub as_spread: Carries,
    /// If load may go to any member of a redundancy that takes load now, or is known to take none.
    pub spread_freely: Carries,
    /// How many redundancies there are among whose members load may be shifted.
    pub pool_count: usize,
    /// The first of them, by key.
    pub pools: Vec<SpreadLine>,
    /// How many items that its demand reaches state no capacity: they may hold it back earlier.
    pub without_capacity_count: usize,
    /// The first of them.
    pub without_capacity: Vec<Subject>,
    /// How many relationships that its demand reaches state no ratio of visits.
    pub unrated_count: usize,
}

/// Finds how much a service can carry.
///
/// # Errors
/// When the service is unknown, or figures mean nothing.
pub fn throughput(
    view: &View,
    question: &ThroughputQuestion,
    asked: Asked,
    _pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<ThroughputAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let limits = Limits { stop, ..Limits::default() };
    let service = find_item(view, &question.service)?;
    let (visits, inferred) = visits(view, asked.at)?;
    let model = Model::new(&view.graph, &visits, &limits);
    let mut all = services(view, &[])?;
    all.push(service);
    all.sort_unstable();
    all.dedup();
    let demand = growth::demand_of(view, &model, &all, &[], asked.at, &limits)?;
    let sources = &demand.outside.sources;
    let mut pools = pools(view, &visits, service, &limits);
    let reaches = reaches(&visits, service, &pools);
    pools.retain(|one| reaches.binary_search(&one.shared.owner).is_ok());
    let missing = missing(view, &model, service, &reaches, &limits)?;
    note(&mut basis, &demand.outside, missing.ratio_count, missing.capacity_count);
    inferred.note(&mut basis);
    let (known, other_units, spent) = reached(view, &reaches, &demand.outside);
    units_note(&mut basis, &other_units);
    resources::note(&mut basis, view, &known.iter().collect::<Vec<_>>(), &spent);
    let counted: Vec<Resource> = known.iter().map(|one| one.resource).collect();
    let failed = |error| refused(view, &error);
    let now = fixed(&model, sources, service, &counted, &limits).map_err(failed)?;
    let shared: Vec<Shared> = pools.iter().map(|one| one.shared.clone()).collect();
    let then = match free(&model, sources, service, (&shared, &counted), &limits) {
        Ok(then) => then,
        Err(FreeError::Demand(error)) => return Err(refused(view, &error)),
        Err(FreeError::Undecided(reason)) => {
            let message = format!("how much it carries spread freely could not be found: {reason}");
            basis.limit(LimitCode::FigureMissing, message);
            Free::default()
        }
    };
    let unit = model.taken_by(service, &limits).map_err(failed)?;
    let line = |place: usize| BindingLine {
        subject: Subject::of(&view.catalogue, ci_of(known[place].resource.item)),
        capacity: known[place].capacity.clone(),
        planning_limit: known[place].resource.planning_limit,
        takes: unit.of(known[place].resource.item) * known[place].resource.per_unit,
    };
    note_free(&mut basis, &then, pools.len());
    basis.page("redundancies", question.most.min(pools.len()), pools.len());
    view.note_series(&mut basis);
    basis.stopped(stop);
    let held = now.binding.iter().map(|one| one.resource).chain(then.binding.iter().copied());
    basis.rests_on(view, held.map(|place| ci_of(known[place].resource.item)).chain([ci_of(service)]), asked);
    let places = all.binary_search(&service).ok();
    Ok(ThroughputAnswer {
        service: Subject::of(&view.catalogue, ci_of(service)),
        demand: places.and_then(|place| demand.outside.lines[place].demand.clone()),
        promised_up_to: amount(view, service, WORKLOAD_LIMIT),
        as_spread: as_spread(&now, &line, question.most, &mut basis),
        spread_freely: freely(&then, &line, question.most, &mut basis),
        pool_count: pools.len(),
        pools: pools
            .iter()
            .enumerate()
            .take(question.most)
            .map(|(place, one)| one.line(view, &visits, then.spread.get(place).map_or(&[][..], Vec::as_slice)))
            .collect(),
        without_capacity_count: missing.capacity_count,
        without_capacity: missing
            .capacities
            .iter()
            .take(question.most)
            .map(|one| Subject::of(&view.catalogue, ci_of(*one)))
            .collect(),
        unrated_count: missing.ratio_count,
        basis,
    })
}

fn as_spread(now: &Fixed, line: &impl Fn(usize) -> BindingLine, most: usize, basis: &mut Basis) -> Carries {
    basis.truncated(now.truncations);
    basis.page("resources that hold it back", now.binding.len().min(most), now.binding.len());
    let is_exhausted = now.limit.is_some_and(|limit| limit < 0.0);
    Carries {
        limit: now.limit.filter(|_| !is_exhausted),
        is_exhausted,
        binding: now.binding.iter().take(most).map(|one| line(one.resource)).collect(),
        full_count: now.binding.len(),
    }
}

fn freely(then: &Free, line: &impl Fn(usize) -> BindingLine, most: usize, basis: &mut Basis) -> Carries {
    basis.page("resources that hold it back together", then.binding.len().min(most), then.binding.len());
    Carries {
        limit: then.limit,
        is_exhausted: then.is_exhausted,
        binding: then.binding.iter().take(most).map(|place| line(*place)).collect(),
        full_count: then.full.len(),
    }
}

/// Says what spreading freely takes for granted, and what was not found.
fn note_free(basis: &mut Basis, then: &Free, pools: usize) {
    if pools > 0 {
        let message = "spread freely, whatever an item hands on to members of a redundancy may go to any of them that takes \
                       load now or is known to take none";
        basis.remark(LimitCode::FigureMissing, message);
    }
    if then.truncations.contains(Truncation::Items) {
        let message = format!(
            "its demand reaches more than {MOST_ITEMS} items: how much it carries spread freely was not looked for"
        );
        basis.limit(LimitCode::Items, message);
    }
    basis.truncated(then.truncations);
}

/// A redundancy among whose members load may be shifted.
struct Opened<'a> {
    need: NeedView<'a>,
    shared: Shared,
}

impl Opened<'_> {
    fn line(&self, view: &View, visits: &Visits, then: &[f64]) -> SpreadLine {
        let ratio = |member: &ItemIx| visits.ratio(self.shared.owner, *member);
        let all: f64 = self.shared.members.iter().map(ratio).sum();
        let member = |(place, member): (usize, &ItemIx)| SharedBy {
            key: key_of(&view.catalogue, *member),
            now: if all > 0.0 { ratio(member) / all } else { 0.0 },
            then: then.get(place).copied(),
        };
        SpreadLine {
            subject: Subject::of(&view.catalogue, ci_of(self.shared.owner)),
            need: title(&view.catalogue, &self.need).0,
            members: self.shared.members.iter().enumerate().map(member).collect(),
        }
    }
}

/// The redundancies beneath a service: several members of which not all are needed, and to which load is handed on.
fn pools<'a>(view: &'a View, visits: &Visits, service: ItemIx, limits: &Limits<'_>) -> Vec<Opened<'a>> {
    let mut scratch = Scratch::default();
    closure::walk(&view.graph, &mut scratch, &[service], closure::Direction::Dependencies, limits);
    let mut owners: Vec<ItemIx> = scratch.met().chain([service]).filter(|one| !visits.row(*one).0.is_empty()).collect();
    owners.sort_by_key(|one| (*one != service, key_of(&view.catalogue, *one)));
    owners.dedup();
    let mut found = Vec::new();
    for owner in owners {
        let mut met = BTreeSet::new();
        let is_redundant = |need: &NeedView<'_>| {
            need.members.len() > 1 && need.required().is_none_or(|required| (required as usize) < need.members.len())
        };
        for need in view.graph.running_needs(owner).filter(is_redundant) {
            let takes = |member: &ItemIx| visits.is_known(owner, *member) && !met.contains(member);
            let members: Vec<ItemIx> = need.members.iter().copied().filter(takes).collect();
            if members.len() > 1 && members.iter().any(|member| visits.ratio(owner, *member) > 0.0) {
                met.extend(members.iter().copied());
                found.push(Opened { need, shared: Shared { owner, members } });
            }
        }
    }
    found
}

/// What the demand on a service can reach however it is spread, ascending.
fn reaches(visits: &Visits, service: ItemIx, pools: &[Opened<'_>]) -> Vec<ItemIx> {
    let mut members: BTreeMap<ItemIx, Vec<ItemIx>> = BTreeMap::new();
    for one in pools {
        members.entry(one.shared.owner).or_default().extend(&one.shared.members);
    }
    let (mut met, mut next) = (BTreeSet::from([service]), vec![service]);
    while let Some(owner) = next.pop() {
        let shared = members.get(&owner).into_iter().flatten();
        next.extend(visits.row(owner).0.iter().chain(shared).filter(|member| met.insert(**member)));
    }
    met.into_iter().collect()
}

/// What is missing beneath a service.
fn missing(
    view: &View,
    model: &Model<'_>,
    service: ItemIx,
    reaches: &[ItemIx],
    limits: &Limits<'_>,
) -> Result<Missing, QuestionError> {
    let failed = |error| refused(view, &error);
    let known: Vec<Known> = reaches.iter().filter_map(|one| resources::known(view, *one)).collect();
    let resources: Vec<Resource> = known.iter().map(|one| one.resource).collect();
    let growing = [Growing { source: Source { item: service, demand: 1.0 }, growth: 0.0 }];
    let question =
        Asking { services: &growing, resources: &resources, horizon: 0.0, most: usize::MAX, limits: *limits };
    let mut missing = plan(model, &question).map_err(failed)?.missing;
    let met: BTreeSet<ItemIx> = missing.capacities.iter().copied().chain([service]).collect();
    missing.capacities.extend(reaches.iter().filter(|one| !met.contains(one)));
    // What states a capacity of nothing is told by itself.
    missing.capacities.retain(|one| stated_capacity(view, *one).is_none());
    missing.capacity_count = missing.capacities.len();
    Ok(missing)
}

/// What can hold a service back, the keys of what is counted in another unit than asked, and what has a capacity of nothing.
fn reached(view: &View, items: &[ItemIx], outside: &crate::demand::Outside) -> (Vec<Known>, Vec<String>, Vec<ItemIx>) {
    let is_spent = |one: &ItemIx| stated_capacity(view, *one).is_some_and(|capacity| capacity.value <= 0.0);
    let spent = items.iter().copied().filter(is_spent).collect();
    let unit = |one: &Known| {
        let key = key_of(&view.catalogue, one.resource.item);
        let line = outside.lines.iter().find(|line| line.subject.key == key);
        line.and_then(|line| line.demand.as_ref()).map(|demand| demand.unit.clone())
    };
    let known = items.iter().filter_map(|one| resources::known(view, *one));
    // The workload up to which targets are promised is no capacity.
    let known: Vec<Known> = known.filter(|one| one.limit_basis != LimitBasis::Promised).collect();
    let (comparable, other): (Vec<Known>, Vec<Known>) =
        known.into_iter().partition(|one| unit(one).is_none_or(|unit| unit == one.capacity.unit));
    let other = other.iter().map(|one| key_of(&view.catalogue, one.resource.item)).collect();
    (comparable, other, spent)
}
