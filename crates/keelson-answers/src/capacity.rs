//! What runs out first, and by when to decide; which redundancy growth takes away, and when (analyses 1.5, 4.1 to
//! 4.3, 4.6).
//!
//! A resource is whatever states a capacity: servers, licences, volumes of contracts, quotas, hours of people. Its load
//! is the demand that reaches it, or else the use that it states. The
//! planning limit bounds normal operation; redundancy is judged at the survival limit, by default the whole capacity.

mod forecasts;
mod growth;
mod lines;
mod pools;
mod relief;
mod resources;
mod standing;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use keelson_analysis::demand::Model;
use keelson_analysis::demand::plan::{Missing, Plan, Question, Row, plan, rank, service_limits};
use keelson_analysis::{Limits, Pool};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::demand::{LoopLine, UnratedLine, loops, note, refused, visits};
use crate::single_points::services;
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

pub use forecasts::{BandPoint, DayPoint, DemandLimit, ExhaustionChances, ForecastLine, ForecastMethod};
pub(crate) use growth::Demand;
pub use growth::{GrowthBasis, GrowthLine};
pub use lines::{GroundsLine, LimitBasis, ResourceLine};
use lines::{Telling, after, single};
pub use pools::RedundancyLine;
pub use relief::{RELIEF_MONTHS, ReliefLine};
use resources::Known;
pub use resources::ResourceKind;

/// Days in a month, on average.
const DAYS_A_MONTH: f64 = 30.4375;
/// Months looked ahead unless something else is said: ten years.
pub const USUAL_HORIZON: f64 = 120.0;
/// Limits that are told of a service with a forecast.
const MOST_LIMITS: usize = 3;
/// Resources whose days are told with their chances.
const MOST_CHANCES: usize = 200;

/// What is planned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CapacityQuestion {
    /// Only resources that these services use, by key; empty means every service.
    pub services: Vec<String>,
    /// Only resources that rest on this supplier, by key.
    pub supplier: Option<String>,
    /// Months to look ahead; 0 means ten years.
    pub horizon_months: f64,
    /// Most rows of each list.
    pub most: usize,
}

/// What runs out first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapacityAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// From when months count.
    pub from: DateTime<Utc>,
    /// Months looked ahead.
    pub horizon_months: f64,
    /// The services, and what is asked of them.
    pub services: Vec<GrowthLine>,
    /// How many resources there are.
    pub resource_count: usize,
    /// The resources, those to be decided on first.
    pub resources: Vec<ResourceLine>,
    /// Redundancy at today's load, and when growth takes it away; those that expire first.
    pub redundancy: Vec<RedundancyLine>,
    /// What measured demand will be, with history, service by service.
    pub forecasts: Vec<ForecastLine>,
    /// Loops, the amplifying ones first.
    pub loops: Vec<LoopLine>,
    /// How many items have demand and state no capacity; services left out.
    pub without_capacity_count: usize,
    /// The first of them.
    pub without_capacity: Vec<Subject>,
    /// How many relationships below an item with demand state no ratio.
    pub unrated_count: usize,
    /// The first of them.
    pub unrated: Vec<UnratedLine>,
}

/// Finds what runs out first.
///
/// # Errors
/// When something asked about is unknown, or figures mean nothing.
pub fn capacity(
    view: &View,
    question: &CapacityQuestion,
    asked: Asked,
    _pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<CapacityAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let limits = Limits { stop, ..Limits::default() };
    let horizon = if question.horizon_months > 0.0 { question.horizon_months } else { USUAL_HORIZON };
    // Everybody's demand fills a resource, also where only one service is asked about.
    let everybody = services(view, &[])?;
    let wanted = services(view, &question.services)?;
    let visits = visits(view)?;
    let model = Model::new(&view.graph, &visits, &limits);
    let mut all: Vec<ItemIx> = everybody.iter().chain(&wanted).copied().collect();
    all.sort_unstable();
    all.dedup();
    let measured = forecasts::of(view, &all, horizon, asked.at);
    let demand = growth::demand_of(view, &model, &all, &measured, asked.at, &limits)?;
    let amounts = model.demand(&demand.outside.sources, &limits).map_err(|error| refused(view, &error))?;
    let (mut known, other_units) = resources::of(view, &amounts, &demand.outside);
    let mut found = rows(view, &model, &demand, &known, horizon, &limits)?;
    let stated = standing::of(view, |one| amounts.of(one) > 0.0);
    let growths = standing::growths(view, &demand, &limits);
    for (mut resource, used) in stated {
        let growth = standing::growth(view, resource.resource.item, &growths);
        found.rows.push(standing::row((known.len(), &resource, used), growth, horizon)?);
        resource.standing_growth = Some(growth.unwrap_or(0.0));
        known.push(resource);
    }
    rank(&mut found.rows);
    let is_wanted = resources::wanted(view, &model, question, &demand.outside.sources, &limits)?;
    narrow(&mut found.missing, &is_wanted, question.most);
    basis.truncated(found.truncations);
    note(&mut basis, &demand.outside, found.missing.ratio_count, found.missing.capacity_count);
    growth::note(&mut basis, &demand);
    units_note(&mut basis, &other_units);
    let chosen: Vec<&Row> = found.rows.iter().filter(|row| is_wanted(known[row.resource].resource.item)).collect();
    standing_note(&mut basis, &chosen, &known);
    basis.page("resources", question.most.min(chosen.len()), chosen.len());
    basis.rests_on(view, chosen.iter().map(|row| ci_of(known[row.resource].resource.item)), asked);
    let single = single(view, &model, question, &demand, &known, &limits)?;
    let telling = Telling {
        view,
        model: &model,
        demand: &demand,
        amounts: &amounts,
        known: &known,
        from: asked.at,
        horizon,
        limits,
    };
    let mut lines: Vec<ResourceLine> =
        chosen.iter().take(question.most).map(|row| telling.line(row, &single)).collect::<Result<_, _>>()?;
    let mut truncations = found.truncations;
    for (line, row) in lines.iter_mut().zip(&chosen).take(MOST_CHANCES) {
        let resource = known[row.resource].resource;
        let watched = (&limits, &mut truncations);
        line.chances =
            forecasts::chances(view, &model, &demand, &measured, resource.item, resource.allowed(), watched)?;
    }
    let is_asked: BTreeSet<ItemIx> = wanted.iter().copied().collect();
    let told = measured.iter().filter(|one| is_asked.contains(&one.service)).take(question.most);
    let mut forecasts: Vec<ForecastLine> = told.map(|one| one.line(view)).collect();
    for line in &mut forecasts {
        limited(&telling, &found.rows, line)?;
    }
    if view.series_left_out() > 0 {
        let message = format!("{} measured points were not looked at: there are too many", view.series_left_out());
        basis.limit(LimitCode::Items, message);
    }
    let reached = amounts.items().iter().copied().filter(|one| is_wanted(*one));
    let owners: BTreeSet<ItemIx> = wanted.iter().copied().chain(reached).collect();
    let mut redundancy = pools::lines(view, &model, (&demand, &amounts), horizon, asked.at, &owners)?;
    basis.page("redundancy needs", question.most.min(redundancy.len()), redundancy.len());
    redundancy.truncate(question.most);
    let key = |item: ItemIx| key_of(&view.catalogue, item);
    Ok(CapacityAnswer {
        from: asked.at,
        horizon_months: horizon,
        services: growth::lines(view, &demand, &measured, (&all, &is_asked)),
        resource_count: chosen.len(),
        resources: lines,
        redundancy,
        forecasts,
        loops: loops(view, &model),
        without_capacity_count: found.missing.capacity_count,
        without_capacity: found
            .missing
            .capacities
            .iter()
            .map(|item| Subject::of(&view.catalogue, ci_of(*item)))
            .collect(),
        unrated_count: found.missing.ratio_count,
        unrated: found
            .missing
            .ratios
            .iter()
            .map(|(owner, member)| UnratedLine { dependent: key(*owner), dependency: key(*member) })
            .collect(),
        basis,
    })
}

/// What is missing of what is asked about, and of that the first.
fn narrow(missing: &mut Missing, is_wanted: impl Fn(ItemIx) -> bool, most: usize) {
    missing.capacities.retain(|item| is_wanted(*item));
    missing.ratios.retain(|(owner, _)| is_wanted(*owner));
    (missing.capacity_count, missing.ratio_count) = (missing.capacities.len(), missing.ratios.len());
    missing.capacities.truncate(most);
    missing.ratios.truncate(most);
}

fn units_note(basis: &mut Basis, other_units: &[String]) {
    if let [first, ..] = other_units {
        let message = format!(
            "{} services state demand and capacity in different units ('{first}' first): they are not compared",
            other_units.len()
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// Says of how many resources whose use is stated nobody knows how it grows.
fn standing_note(basis: &mut Basis, rows: &[&Row], known: &[Known]) {
    let unknown = rows.iter().filter(|row| known[row.resource].standing_growth.is_some() && row.grounds.understated);
    let unknown = unknown.count();
    if unknown > 0 {
        let message = format!(
            "{unknown} resources state their use, and no service that rests on them states how it grows: it counts as not \
             growing, so they may run out earlier"
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// Notes with a forecast which resources stop its service first.
fn limited(telling: &Telling<'_>, rows: &[Row], line: &mut ForecastLine) -> Result<(), QuestionError> {
    let Telling { view, model, demand, known, from, .. } = *telling;
    let service = find_item(view, &line.subject.key)?;
    let resources: Vec<_> = known.iter().map(|one| one.resource).collect();
    let found = service_limits(model, &demand.outside.sources, service, &resources, &telling.limits);
    let (found, _) = found.map_err(|error| refused(view, &error))?;
    for one in found.iter().take(MOST_LIMITS) {
        let row = rows.iter().find(|row| row.resource == one.resource);
        let day = |months: Option<f64>| months.and_then(|months| after(from, months));
        line.limits.push(DemandLimit {
            resource: key_of(&view.catalogue, known[one.resource].resource.item),
            limit: one.limit,
            decide_by: day(row.and_then(|row| row.decide_in)),
            exhausted_at: day(row.and_then(|row| row.exhaustion.months())),
        });
    }
    let Some(first) = line.limits.first() else { return Ok(()) };
    (line.limit, line.limited_by, line.decide_by) = (Some(first.limit), Some(first.resource.clone()), first.decide_by);
    Ok(())
}

fn rows(
    view: &View,
    model: &Model<'_>,
    demand: &Demand,
    known: &[Known],
    horizon: f64,
    limits: &Limits<'_>,
) -> Result<Plan, QuestionError> {
    let resources: Vec<_> = known.iter().map(|one| one.resource).collect();
    // All that is missing, as only what is asked about is told of it.
    let most = usize::MAX;
    let question = Question { services: &demand.growing, resources: &resources, horizon, most, limits: *limits };
    plan(model, &question).map_err(|error| refused(view, &error))
}
