//! What runs out first, and by when to decide (analyses 4.1).
//!
//! A resource has run out when its load passes what may be planned of its capacity. Loads grow with the
//! services that cause them, each at its own rate, compounded monthly. The decision is due a lead time
//! (notice, procurement, building) before: [`plan`] sorts by that date. The date is in months from now,
//! and below 0 where it has passed.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;
use keelson_forecast::ForecastError;
use keelson_forecast::growth::{self, Exhaustion, Part};
use keelson_graph::{ItemIx, Marks};

use super::{Amounts, DemandError, Model, Source};
use crate::{Limits, Truncation, Truncations};

/// Something that can run out: servers, a licence, the volume of a contract, hours of people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resource {
    /// The item whose demand uses it. An item may have several resources.
    pub item: ItemIx,
    /// How much of the resource one unit of the item's demand uses, above 0: service time where capacity
    /// is in servers, 1 where it is in units of the item.
    pub per_unit: f64,
    /// How much there is of it now, above 0: what all members deliver together.
    pub capacity: f64,
    /// The highest utilisation to plan with, above 0 (not what it may reach for a short while).
    pub planning_limit: f64,
    /// Months between a decision and more capacity, 0 or above.
    pub lead_months: f64,
}

impl Resource {
    /// Servers of which each works on one unit for a service time, in the time unit of the demand.
    #[must_use]
    pub fn servers(item: ItemIx, servers: f64, service_time: f64, planning_limit: f64, lead_months: f64) -> Self {
        Self { item, per_unit: service_time, capacity: servers, planning_limit, lead_months }
    }

    /// The largest load to plan with.
    #[must_use]
    pub fn allowed(&self) -> f64 {
        self.capacity * self.planning_limit
    }

    fn check(&self) -> Result<(), DemandError> {
        let Self { item, per_unit, capacity, planning_limit, lead_months } = *self;
        let number = |what, value: f64, is_fit: bool, wanted| {
            let is_fit = is_fit && value.is_finite();
            if is_fit { Ok(()) } else { Err(DemandError::BadNumber { what, item, value, wanted }) }
        };
        let positive = "a finite number above 0";
        number("the use per unit", per_unit, per_unit > 0.0, positive)?;
        number("the capacity", capacity, capacity > 0.0, positive)?;
        number("the planning limit", planning_limit, planning_limit > 0.0, positive)?;
        number("the lead time", lead_months, lead_months >= 0.0, "a finite number, 0 or above")
    }
}

/// Demand on a service and how it grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growing {
    /// The service and its demand now, at its peak.
    pub source: Source,
    /// Growth per month, compounded: 0.02 is 2 %. Above −1.
    pub growth: f64,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The services.
    pub services: &'a [Growing],
    /// What may run out.
    pub resources: &'a [Resource],
    /// Months to look ahead for decisions: what runs out later counts as well where its lead time makes the decision due
    /// within them.
    pub horizon: f64,
    /// Entries in each list of what is missing, at most.
    pub most: usize,
    /// Only the stop flag is looked at.
    pub limits: Limits<'a>,
}

/// What a load rests on besides what was measured or said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// A ratio on the way was inferred from series.
    pub inferred: bool,
    /// A ratio on the way is missing: the load may be higher, and the date earlier.
    pub understated: bool,
}

/// A resource in the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Its place among the resources asked about.
    pub resource: usize,
    /// Its load now.
    pub load: f64,
    /// Load by capacity: above the planning limit action is due, above 1 a contract is broken or a
    /// resource overloaded.
    pub utilisation: f64,
    /// When it runs out.
    pub exhaustion: Exhaustion,
    /// In how many months to decide; `None` when it does not run out within the months looked ahead.
    pub decide_in: Option<f64>,
    /// 1 for what is to be decided first; what is due together has the same rank.
    pub rank: u32,
    /// What the load rests on.
    pub grounds: Grounds,
}

/// What is not known, and should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Relationships without a ratio below an item with demand, as dependent and dependency, nearest the
    /// services first.
    pub ratios: Vec<(ItemIx, ItemIx)>,
    /// How many there are, listed or not.
    pub ratio_count: usize,
    /// Items with demand and without a resource, nearest the services first; services left out.
    pub capacities: Vec<ItemIx>,
    /// How many there are, listed or not.
    pub capacity_count: usize,
}

/// What runs out first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// A row per resource, earliest decision first; among what is due together, and among what does not
    /// run out, in the order asked about.
    pub rows: Vec<Row>,
    /// What is not known.
    pub missing: Missing,
    /// See [`Amounts::error`].
    pub error: f64,
    /// The limits that were hit.
    pub truncations: Truncations,
}

/// Dates that differ by less are taken for the same.
const SAME: f64 = 1e-6;

/// Makes the table of what runs out first. Costs a pass of demand for each rate of growth that differs,
/// and one look at the relationships of every item with demand.
///
/// # Errors
/// When a service or resource is not in the graph, a number means nothing, or demand reaches a loop
/// whose gain is not below 1.
pub fn plan(model: &Model<'_>, question: &Question<'_>) -> Result<Plan, DemandError> {
    for resource in question.resources {
        model.require(resource.item)?;
        resource.check()?;
    }
    let by_growth = by_growth(question.services)?;
    let mut parts: Vec<Vec<Part>> = vec![Vec::new(); question.resources.len()];
    let mut plan = Plan::default();
    let mut loaded = Marks::default();
    loaded.reset(model.snapshot.slots());
    for (growth, sources) in by_growth.values() {
        let demand = model.demand(sources, &question.limits)?;
        for (parts, resource) in parts.iter_mut().zip(question.resources) {
            let load = demand.of(resource.item) * resource.per_unit;
            parts.extend((load > 0.0).then_some(Part { load, growth: *growth }));
        }
        loaded.insert_all(demand.items());
        plan.error = plan.error.max(demand.error);
        plan.truncations.merge(demand.truncations);
    }
    let loaded: Vec<ItemIx> = loaded.list().iter().map(|&item| ItemIx(item)).collect();
    plan.missing = missing(model, question, &loaded);
    let grounds = Tracing::of(model, &loaded, &question.limits, &mut plan.truncations);
    for (at, (resource, parts)) in question.resources.iter().zip(&parts).enumerate() {
        plan.rows.push(row(at, resource, parts, question.horizon, grounds.at(resource.item))?);
    }
    rank(&mut plan.rows);
    Ok(plan)
}

/// Services by their rate of growth.
fn by_growth(services: &[Growing]) -> Result<BTreeMap<u64, (f64, Vec<Source>)>, DemandError> {
    let mut by_growth: BTreeMap<u64, (f64, Vec<Source>)> = BTreeMap::new();
    for service in services {
        check_growth(service)?;
        // Adding 0 turns −0 into 0.
        let growth = service.growth + 0.0;
        by_growth.entry(growth.to_bits()).or_insert_with(|| (growth, Vec::new())).1.push(service.source);
    }
    Ok(by_growth)
}

/// The demand on items in parts that grow alike: each grows as the services do that cause it. Costs a pass of demand for
/// each rate of growth that differs.
///
/// # Errors
/// As [`plan`].
pub fn parts_of(
    model: &Model<'_>,
    services: &[Growing],
    items: &[ItemIx],
    limits: &Limits<'_>,
) -> Result<(Vec<Vec<Part>>, Truncations), DemandError> {
    let mut parts: Vec<Vec<Part>> = vec![Vec::new(); items.len()];
    let mut truncations = Truncations::default();
    if items.is_empty() {
        return Ok((parts, truncations));
    }
    for (growth, sources) in by_growth(services)?.values() {
        let demand = model.demand(sources, limits)?;
        for (parts, item) in parts.iter_mut().zip(items) {
            let load = demand.of(*item);
            parts.extend((load > 0.0).then_some(Part { load, growth: *growth }));
        }
        truncations.merge(demand.truncations);
    }
    Ok((parts, truncations))
}

fn check_growth(service: &Growing) -> Result<(), DemandError> {
    let (item, value) = (service.source.item, service.growth);
    let is_fit = value > -1.0 && value.is_finite();
    let wanted = "a finite number above -1";
    if is_fit { Ok(()) } else { Err(DemandError::BadNumber { what: "the growth per month", item, value, wanted }) }
}

fn row(at: usize, resource: &Resource, parts: &[Part], horizon: f64, grounds: Grounds) -> Result<Row, DemandError> {
    let load = growth::load_in(parts, 0.0);
    let exhaustion = exhaustion(parts, resource, horizon).map_err(|_| DemandError::BadNumber {
        what: "the months to look ahead",
        item: resource.item,
        value: horizon,
        wanted: "a finite number, 0 or above",
    })?;
    let decide_in = exhaustion.months().map(|months| months - resource.lead_months);
    Ok(Row { resource: at, load, utilisation: load / resource.capacity, exhaustion, decide_in, rank: 0, grounds })
}

/// When a resource runs out, where the decision on it is due within so many months.
///
/// # Errors
/// When a load, a growth or the months mean nothing.
pub fn exhaustion(parts: &[Part], resource: &Resource, horizon: f64) -> Result<Exhaustion, ForecastError> {
    Ok(match growth::exhaustion(parts, resource.allowed(), horizon + resource.lead_months)? {
        Exhaustion::NotWithin(_) => Exhaustion::NotWithin(horizon),
        found => found,
    })
}

/// Sorts rows by the date of the decision and numbers the dates; what is due together has the same number.
pub fn rank(rows: &mut [Row]) {
    let date = |row: &Row| row.decide_in.unwrap_or(f64::INFINITY);
    rows.sort_by(|a, b| date(a).total_cmp(&date(b)));
    let mut begins = 0;
    for at in 0..rows.len() {
        let is_same =
            at > 0 && (date(&rows[at]) - date(&rows[begins]) < SAME || date(&rows[at]) == date(&rows[begins]));
        if !is_same {
            begins = at;
        }
        rows[at].rank = if at == 0 { 1 } else { rows[at - 1].rank + u32::from(!is_same) };
    }
    for same in rows.chunk_by_mut(|a, b| a.rank == b.rank) {
        same.sort_by_key(|row| row.resource);
    }
}

fn missing(model: &Model<'_>, question: &Question<'_>, loaded: &[ItemIx]) -> Missing {
    let mut missing = Missing::default();
    let mut known = FixedBitSet::with_capacity(model.snapshot.slots());
    known.extend(question.resources.iter().map(|resource| resource.item.index()));
    known.extend(question.services.iter().map(|service| service.source.item.index()));
    for &item in loaded {
        if !known.contains(item.index()) {
            missing.capacity_count += 1;
            missing.capacities.extend((missing.capacity_count <= question.most).then_some(item));
        }
        for member in unrated(model, item) {
            missing.ratio_count += 1;
            missing.ratios.extend((missing.ratio_count <= question.most).then_some((item, member)));
        }
    }
    missing
}

/// The members of an item's running needs to which no ratio is known; one of several needs is listed
/// several times.
fn unrated<'a>(model: &Model<'a>, item: ItemIx) -> impl Iterator<Item = ItemIx> + 'a {
    let (snapshot, visits) = (model.snapshot, model.visits);
    snapshot.members(item).iter().copied().filter(move |member| !visits.is_known(item, *member))
}

/// Which items lie below a ratio that is inferred, or missing, and has demand above it.
struct Tracing {
    inferred: Marks,
    understated: Marks,
}

impl Tracing {
    fn of(model: &Model<'_>, loaded: &[ItemIx], limits: &Limits<'_>, truncations: &mut Truncations) -> Self {
        let mut tracing = Self { inferred: Marks::default(), understated: Marks::default() };
        tracing.inferred.reset(model.snapshot.slots());
        tracing.understated.reset(model.snapshot.slots());
        for &item in loaded {
            for member in model.visits.inferred(item) {
                tracing.inferred.insert(member.0);
            }
            for member in unrated(model, item) {
                tracing.understated.insert(member.0);
            }
        }
        let known = |item: ItemIx| model.visits.row(item).0.iter().copied();
        spread(&mut tracing.inferred, known, limits, truncations);
        // What may get demand may hand it on by any relationship not known to carry none.
        let possible = |item: ItemIx| {
            let members = model.snapshot.members(item).iter().copied();
            members.filter(move |member| !model.visits.is_known_zero(item, *member))
        };
        spread(&mut tracing.understated, possible, limits, truncations);
        tracing
    }

    fn at(&self, item: ItemIx) -> Grounds {
        Grounds { inferred: self.inferred.contains(item.0), understated: self.understated.contains(item.0) }
    }
}

/// Adds all that is reached from the items in a set.
fn spread<I: Iterator<Item = ItemIx>>(
    met: &mut Marks,
    next: impl Fn(ItemIx) -> I,
    limits: &Limits<'_>,
    truncations: &mut Truncations,
) {
    let mut head = 0;
    while head < met.len() {
        if limits.stopped(head) {
            truncations.add(Truncation::Deadline);
            return;
        }
        for member in next(ItemIx(met.list()[head])) {
            met.insert(member.0);
        }
        head += 1;
    }
}

/// How far one service can grow before a resource is at its limit, everything else staying as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceLimit {
    /// The place of the resource among those asked about.
    pub resource: usize,
    /// How much of the resource one more unit of the service uses.
    pub sensitivity: f64,
    /// The demand on the service at which the resource is at its planning limit; below 0 where others
    /// alone pass it.
    pub limit: f64,
}

/// The limits of a service, lowest first: `(allowed load − load from others) / sensitivity` over the
/// resources it uses. The first is what the service can carry under fixed routing (analyses 4.5).
///
/// # Errors
/// As [`plan`].
pub fn service_limits(
    model: &Model<'_>,
    services: &[Source],
    service: ItemIx,
    resources: &[Resource],
    limits: &Limits<'_>,
) -> Result<(Vec<ServiceLimit>, Truncations), DemandError> {
    let uses = Uses::of(model, services, service, resources, limits)?;
    Ok((uses.limits(resources), uses.truncations()))
}

/// What one service uses, and all others.
pub(crate) struct Uses {
    /// The demand on all other services.
    pub(crate) others: Vec<Source>,
    /// What they take of every item.
    pub(crate) from_others: Amounts,
    /// What one unit of the service takes.
    pub(crate) taken: Amounts,
}

impl Uses {
    /// Checks the resources, and makes a pass for the one and for the others.
    pub(crate) fn of(
        model: &Model<'_>,
        services: &[Source],
        service: ItemIx,
        resources: &[Resource],
        limits: &Limits<'_>,
    ) -> Result<Self, DemandError> {
        for resource in resources {
            model.require(resource.item)?;
            resource.check()?;
        }
        let others: Vec<Source> = services.iter().copied().filter(|source| source.item != service).collect();
        let (from_others, taken) = (model.demand(&others, limits)?, model.taken_by(service, limits)?);
        Ok(Self { others, from_others, taken })
    }

    pub(crate) fn truncations(&self) -> Truncations {
        let mut truncations = self.from_others.truncations;
        truncations.merge(self.taken.truncations);
        truncations
    }

    /// The limits of the service, lowest first.
    pub(crate) fn limits(&self, resources: &[Resource]) -> Vec<ServiceLimit> {
        let limit = |(at, resource): (usize, &Resource)| {
            let use_of = |amounts: &Amounts| amounts.of(resource.item) * resource.per_unit;
            let sensitivity = use_of(&self.taken);
            let limit = (resource.allowed() - use_of(&self.from_others)) / sensitivity;
            (sensitivity > 0.0).then_some(ServiceLimit { resource: at, sensitivity, limit })
        };
        let mut found: Vec<ServiceLimit> = resources.iter().enumerate().filter_map(limit).collect();
        found.sort_by(|a, b| a.limit.total_cmp(&b.limit));
        found
    }
}

/// Whose demand fills an item: each service with its part of the load, largest first; the basis of
/// charging.
///
/// # Errors
/// When the item or a service is not in the graph.
pub fn charges(
    model: &Model<'_>,
    services: &[Source],
    item: ItemIx,
    limits: &Limits<'_>,
) -> Result<(Vec<Source>, Truncations), DemandError> {
    let taken = model.taken_from(item, limits)?;
    let mut parts = Vec::new();
    for source in services {
        model.require(source.item)?;
        let demand = if source.demand > 0.0 { taken.of(source.item) * source.demand } else { 0.0 };
        parts.extend((demand > 0.0).then_some(Source { item: source.item, demand }));
    }
    parts.sort_by(|a, b| b.demand.total_cmp(&a.demand).then(a.item.cmp(&b.item)));
    Ok((parts, taken.truncations))
}
