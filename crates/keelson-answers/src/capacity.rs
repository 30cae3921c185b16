//! What runs out first, and by when to decide; which redundancy growth takes away, and when (analyses 1.5, 4.1 to
//! 4.3, 4.6).
//!
//! A resource is whatever states a capacity: servers, licences, volumes of contracts, quotas, hours of people. Its load
//! is the demand that reaches it, or else the use that it states. The
//! planning limit bounds normal operation; redundancy is judged at the survival limit, by default the whole capacity.

mod dates;
pub(crate) mod during;
mod forecasts;
mod growth;
mod hours;
mod lines;
pub(crate) mod loads;
mod pools;
mod purchases;
mod relief;
mod resources;
mod shared;
mod standing;
pub mod throughput;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use keelson_analysis::demand::Model;
use keelson_analysis::demand::plan::{Missing, Plan, Question, Row, plan, rank};
use keelson_analysis::{Limits, Pool};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::demand::{InferredLine, LoopLine, UnratedLine, loops, note, refused, unrated_line, visits};
use crate::single_points::services;
use crate::subject::ci_of;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

pub use during::{LoadLine, LoadSpan};
pub use forecasts::{BandPoint, DayPoint, DemandLimit, ExhaustionChances, ForecastLine, ForecastMethod};
pub(crate) use growth::Demand;
pub use growth::{GrowthBasis, GrowthLine};
use hours::Profiles;
pub use hours::{HourDays, HourStanding, HourWindow, ProfileBasis, RedundancyHours};
pub use lines::{GroundsLine, LimitBasis, ResourceLine};
use lines::{Telling, after};
pub use pools::RedundancyLine;
pub use purchases::{PurchaseLine, Purchases, ShortLine};
pub use relief::{RELIEF_MONTHS, ReliefLine};
use resources::Known;
pub use resources::ResourceKind;
pub use standing::LoadBasis;
use standing::Uses;

/// Days in a month, on average.
const DAYS_A_MONTH: f64 = 30.4375;
/// Months looked ahead unless something else is said: ten years.
pub const USUAL_HORIZON: f64 = 120.0;

/// Most months looked ahead: fifty years.
pub const MOST_MONTHS: f64 = 600.0;

/// What is planned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CapacityQuestion {
    /// Only resources that these services use, by key; empty means every service.
    pub services: Vec<String>,
    /// Only resources that rest on this supplier, by key.
    pub supplier: Option<String>,
    /// Months to look ahead for decisions, at most 600; 0 means ten years.
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
    /// The cheapest purchases that carry all of them for a time, and what they cost together.
    pub purchases: Purchases,
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
    /// The ratios that were inferred from measurements.
    pub inferred: Vec<InferredLine>,
}

/// Finds what runs out first.
///
/// # Errors
/// When something asked about is unknown, the supplier is none, or figures mean nothing.
pub fn capacity(
    view: &View,
    question: &CapacityQuestion,
    asked: Asked,
    _pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<CapacityAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let limits = Limits { stop, ..Limits::default() };
    let horizon = horizon(question)?;
    // Everybody's demand fills a resource, also where only one service is asked about.
    let everybody = services(view, &[])?;
    let wanted = services(view, &question.services)?;
    resources::supplier(view, question)?;
    let (visits, inferred) = visits(view, asked.at)?;
    let model = Model::new(&view.graph, &visits, &limits);
    let mut all: Vec<ItemIx> = everybody.iter().chain(&wanted).copied().collect();
    all.sort_unstable();
    all.dedup();
    let days = forecasts::days_in(horizon);
    let measured = forecasts::of(view, &all, days, asked.at);
    let uses = Uses::of(view, asked.at);
    let demand = growth::demand_of(view, &model, &all, &measured, asked.at, &limits)?;
    let amounts = model.demand(&demand.outside.sources, &limits).map_err(|error| refused(view, &error))?;
    let (mut known, other_units) = resources::of(view, &amounts, &demand.outside);
    let mut found = rows(view, &model, &demand, &known, horizon, &limits)?;
    let unforecast = standing::add(view, &demand, (&uses, days), (&mut known, &mut found), horizon, &limits)?;
    rank(&mut found.rows);
    let telling = Telling {
        view,
        services: &question.services,
        model: &model,
        demand: &demand,
        amounts: &amounts,
        known: &known,
        measured: &measured,
        uses: &uses,
        from: asked.at,
        horizon,
        limits,
    };
    let mut truncations = found.truncations;
    telling.date(&mut found.rows, &mut truncations)?;
    rank(&mut found.rows);
    let is_wanted = resources::wanted(view, &model, question, &demand.outside.sources, &limits)?;
    let mut spent = resources::spent(view, &amounts);
    let has_none = |item| is_wanted(item) && uses.share(item).is_none() && !spent.contains(&item);
    narrow(&mut found.missing, &is_wanted, has_none, question.most);
    note(&mut basis, &demand.outside, found.missing.ratio_count, found.missing.capacity_count);
    spent.retain(|item| is_wanted(*item));
    inferred.note(&mut basis);
    growth::note(&mut basis, (view, &demand), &measured, &is_wanted);
    forecasts::note(&mut basis, view, &measured, &is_wanted);
    units_note(&mut basis, &other_units);
    let chosen: Vec<&Row> = found.rows.iter().filter(|row| is_wanted(known[row.resource].resource.item)).collect();
    let told: Vec<&Known> = chosen.iter().map(|row| &known[row.resource]).collect();
    resources::note(&mut basis, view, &told, &spent);
    standing::note(&mut basis, view, (&chosen, &known), (&uses, unforecast));
    basis.page("resources", question.most.min(chosen.len()), chosen.len());
    basis.rests_on(view, chosen.iter().map(|row| ci_of(known[row.resource].resource.item)), asked);
    let lines = telling.lines(&chosen[..chosen.len().min(question.most)], &mut truncations)?;
    ended(&mut basis, &lines, asked);
    let is_asked: BTreeSet<ItemIx> = wanted.iter().copied().collect();
    let forecasts = telling.forecasts(&is_asked, &found.rows, question.most)?;
    view.note_series(&mut basis);
    let reached = amounts.items().iter().copied().filter(|one| is_wanted(*one));
    let owners: BTreeSet<ItemIx> = wanted.iter().copied().chain(reached).collect();
    let pooled = pools::find(&telling, &owners, (&mut basis, &mut truncations))?;
    basis.page("redundancy needs", question.most.min(pooled.len()), pooled.len());
    let ending = pooled.iter().filter(|one| one.ends_within(telling.relief_months())).count();
    let purchases = purchases::purchases(&telling, &chosen, (ending, question.most), &mut basis)?;
    let profiles = Profiles::of(view, &demand, &all);
    profiles.note(&mut basis);
    let redundancy = pools::lines(&telling, pooled, question.most, &profiles, &mut truncations)?;
    basis.truncated(truncations);
    basis.stopped(stop);
    Ok(CapacityAnswer {
        from: asked.at,
        horizon_months: horizon,
        services: growth::lines(view, &demand, &measured, (&all, &is_asked)),
        resource_count: chosen.len(),
        resources: lines,
        purchases,
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
        unrated: found.missing.ratios.iter().map(|pair| unrated_line(view, &inferred, *pair)).collect(),
        inferred: inferred.lines.into_iter().take(question.most).collect(),
        basis,
    })
}

/// Months to look ahead.
fn horizon(question: &CapacityQuestion) -> Result<f64, QuestionError> {
    let months = question.horizon_months;
    if !(0.0..=MOST_MONTHS).contains(&months) {
        return Err(QuestionError::Figures(format!(
            "the months to look ahead may be above 0 and at most {MOST_MONTHS}; {months} was given"
        )));
    }
    Ok(if months > 0.0 { months } else { USUAL_HORIZON })
}

/// What is missing of what is asked about, and of that the first.
fn narrow(missing: &mut Missing, is_wanted: impl Fn(ItemIx) -> bool, has_none: impl Fn(ItemIx) -> bool, most: usize) {
    missing.capacities.retain(|item| has_none(*item));
    missing.ratios.retain(|(owner, _)| is_wanted(*owner));
    (missing.capacity_count, missing.ratio_count) = (missing.capacities.len(), missing.ratios.len());
    missing.capacities.truncate(most);
    missing.ratios.truncate(most);
}

/// Says which resources rest on a contract that has ended.
fn ended(basis: &mut Basis, lines: &[ResourceLine], asked: Asked) {
    let has_ended = |line: &&ResourceLine| line.contracts_end.is_some_and(|end| end <= asked.at);
    let ended: Vec<&str> = lines.iter().filter(has_ended).map(|line| line.subject.key.as_str()).collect();
    if let [first, ..] = ended[..] {
        let message = format!(
            "{} resources rest on a contract, licence or quota that has ended, '{first}' first: how much there is of them \
             is no longer agreed",
            ended.len()
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
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
