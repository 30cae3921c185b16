//! What runs out first, and by when to decide; which redundancy growth takes away, and when (analyses 1.5, 4.1 to
//! 4.3, 4.6).
//!
//! A resource is whatever states a capacity: servers, licences, volumes of contracts, quotas, hours of people. Its load
//! is the demand that reaches it, or else the use that it states. The
//! planning limit bounds normal operation; redundancy is judged at the survival limit, by default the whole capacity.

mod forecasts;
mod pools;
mod relief;
mod resources;
mod standing;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::demand::plan::{Grounds, Growing, Plan, Question, Row, plan, rank, service_limits};
use keelson_analysis::demand::{Amounts, Model};
use keelson_analysis::{Limits, Pool};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{Amount, number};
use crate::change::parties::owners;
use crate::demand::{LoopLine, Outside, SourceLine, UnratedLine, loops, note, outside, refused, visits};
use crate::single_points::services;
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

pub use forecasts::{BandPoint, DayPoint, ExhaustionChances, ForecastLine, ForecastMethod};
pub use pools::RedundancyLine;
pub use relief::{RELIEF_MONTHS, ReliefLine};
use resources::Known;
pub use resources::ResourceKind;

/// Days in a month, on average.
const DAYS_A_MONTH: f64 = 30.4375;
/// Months looked ahead unless something else is said: ten years.
pub const USUAL_HORIZON: f64 = 120.0;
/// Resources whose days are told with their chances.
const MOST_CHANCES: usize = 200;
/// Items of a path that find room.
const LONGEST_PATH: usize = 20;

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

/// What a load rests on beside what was stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroundsLine {
    /// A ratio on the way was inferred from measurements.
    pub is_inferred: bool,
    /// A ratio on the way is missing, or nobody knows how its stated use grows: the load may be higher, and the date
    /// earlier.
    pub is_understated: bool,
}

/// What a planning limit rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitBasis {
    /// Service time and longest acceptable response: the knee of a queue (analyses 4.2).
    Response,
    /// What somebody stated.
    Stated,
    /// Nobody stated one: 80 % for what queues, all of it for contracts, licences and quotas.
    Assumed,
}

/// A resource, and when it runs out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLine {
    /// The resource.
    #[serde(flatten)]
    pub subject: Subject,
    /// Which kind of capacity it is.
    pub kind: ResourceKind,
    /// How much there is of it.
    pub capacity: Amount,
    /// Its load now, in the same unit, with what is supposed.
    pub load: f64,
    /// Load by capacity.
    pub utilisation: f64,
    /// The utilisation to plan with.
    pub planning_limit: f64,
    /// What that rests on.
    pub limit_basis: LimitBasis,
    /// Whether the load passes what may be planned.
    pub is_over_limit: bool,
    /// Whether the load passes the whole capacity: overloaded, or a contract broken.
    pub is_over_capacity: bool,
    /// In how many months it runs out, 0 where it has; absent where it does not within the months looked ahead.
    pub exhausted_months: Option<f64>,
    /// The day on which it runs out.
    pub exhausted_at: Option<DateTime<Utc>>,
    /// The days on which it runs out, by chance, where the demand on it is forecast from measurements.
    pub chances: Option<ExhaustionChances>,
    /// Months from a decision until there is more; absent where nobody states a lead time.
    pub lead_months: Option<f64>,
    /// In how many months to decide; below 0 where that is past. Without a lead time, when it runs out.
    pub decide_months: Option<f64>,
    /// The day by which to decide.
    pub decide_by: Option<DateTime<Utc>>,
    /// 1 for what is to be decided first; what is due together has the same rank.
    pub rank: u32,
    /// The largest demand on the service asked about, everything else staying as it is; only where one is asked about.
    pub service_limit: Option<f64>,
    /// What one more unit of that service takes of it.
    pub sensitivity: Option<f64>,
    /// What would carry the demand for two years, or for the months looked ahead if those are fewer; and what it costs.
    pub relief: Option<ReliefLine>,
    /// Contracts and licences it rests on, by key.
    pub contracts: Vec<String>,
    /// Who owns it.
    pub owners: Vec<String>,
    /// The way by which most of its demand comes, from a service down to it, by key.
    pub path: Vec<String>,
    /// What its load rests on.
    #[serde(flatten)]
    pub grounds: GroundsLine,
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

/// Demand on a service, and how it grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrowthLine {
    /// Its demand.
    #[serde(flatten)]
    pub source: SourceLine,
    /// Growth per month, as a fraction; absent where nobody states one: then it counts as not growing.
    pub growth_per_month: Option<f64>,
    /// Where the growth comes from.
    pub growth_basis: GrowthBasis,
}

/// Where the growth of demand comes from, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrowthBasis {
    /// A scenario.
    Supposed,
    /// A forecast from measurements.
    Forecast,
    /// What somebody stated.
    Stated,
    /// Nothing: it counts as not growing.
    Nothing,
}

/// Demand with its growth.
pub(crate) struct Demand {
    pub(crate) outside: Outside,
    pub(crate) growing: Vec<Growing>,
    /// Those that say nothing about growth: they count as not growing.
    pub(crate) silent: BTreeSet<ItemIx>,
}

/// How demand on a service grows: as supposed, as forecast from measurements, or as stated.
fn growth(view: &View, forecasts: &[forecasts::Known<'_>], service: ItemIx) -> (Option<f64>, GrowthBasis) {
    if let Some(growth) = view.growth().and_then(|growth| growth.per_month(CiIx(service.0))) {
        return (Some(growth), GrowthBasis::Supposed);
    }
    let known = forecasts.iter().find(|one| one.service == service);
    if let Some(growth) = known.and_then(forecasts::Known::growth_per_month) {
        return (Some(growth), GrowthBasis::Forecast);
    }
    match number(view, service, "demand_growth_per_month") {
        Some(growth) => (Some(growth), GrowthBasis::Stated),
        None => (None, GrowthBasis::Nothing),
    }
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
    let demand = demand_of(view, &model, &all, &measured, asked.at, &limits)?;
    let amounts = model.demand(&demand.outside.sources, &limits).map_err(|error| refused(view, &error))?;
    let (mut known, other_units) = resources::of(view, &amounts, &demand.outside);
    let mut found = rows(view, &model, &demand, &known, horizon, question.most, &limits)?;
    let stated = standing::of(view, |one| amounts.of(one) > 0.0);
    let growths = standing::growths(view, &demand, &limits);
    for (mut resource, used) in stated {
        let growth = standing::growth(view, resource.resource.item, &growths);
        found.rows.push(standing::row((known.len(), &resource, used), growth, horizon)?);
        resource.standing_growth = Some(growth.unwrap_or(0.0));
        known.push(resource);
    }
    rank(&mut found.rows);
    basis.truncated(found.truncations);
    note(&mut basis, &demand.outside, found.missing.ratio_count, found.missing.capacity_count);
    growth_note(&mut basis, &demand);
    units_note(&mut basis, &other_units);
    let is_wanted = resources::wanted(view, &model, question, &demand.outside.sources, &limits)?;
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
    let told = measured.iter().filter(|one| wanted.contains(&one.service)).take(question.most);
    let mut forecasts: Vec<ForecastLine> = told.map(|one| one.line(view)).collect();
    for line in &mut forecasts {
        limited(view, &model, &demand, &known, &lines, line, &limits)?;
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
    let told = |line: &&SourceLine| wanted.iter().any(|service| key(*service) == line.subject.key);
    let sources: Vec<GrowthLine> =
        demand.outside.lines.iter().filter(told).map(|line| growth_line(view, &measured, line)).collect();
    Ok(CapacityAnswer {
        from: asked.at,
        horizon_months: horizon,
        services: sources,
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

fn demand_of(
    view: &View,
    model: &Model<'_>,
    services: &[ItemIx],
    measured: &[forecasts::Known<'_>],
    now: DateTime<Utc>,
    limits: &Limits<'_>,
) -> Result<Demand, QuestionError> {
    let outside = outside(view, model, services, now, limits)?;
    let (mut growing, mut silent) = (Vec::new(), BTreeSet::new());
    for source in &outside.sources {
        let growth = growth(view, measured, source.item).0;
        if growth.is_none() {
            silent.insert(source.item);
        }
        growing.push(Growing { source: *source, growth: growth.unwrap_or(0.0) });
    }
    Ok(Demand { outside, growing, silent })
}

fn growth_line(view: &View, measured: &[forecasts::Known<'_>], line: &SourceLine) -> GrowthLine {
    let service = find_item(view, &line.subject.key).ok();
    let found = service.map_or((None, GrowthBasis::Nothing), |service| growth(view, measured, service));
    GrowthLine { source: line.clone(), growth_per_month: found.0, growth_basis: found.1 }
}

fn growth_note(basis: &mut Basis, demand: &Demand) {
    let still = demand.silent.len();
    if still > 0 {
        let message =
            format!("{still} services with demand state no growth: it counts as none, so dates may be earlier");
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

/// Notes with a forecast which resource stops its service first.
fn limited(
    view: &View,
    model: &Model<'_>,
    demand: &Demand,
    known: &[Known],
    lines: &[ResourceLine],
    line: &mut ForecastLine,
    limits: &Limits<'_>,
) -> Result<(), QuestionError> {
    let service = find_item(view, &line.subject.key)?;
    let resources: Vec<_> = known.iter().map(|one| one.resource).collect();
    let found = service_limits(model, &demand.outside.sources, service, &resources, limits);
    let (found, _) = found.map_err(|error| refused(view, &error))?;
    let Some(first) = found.first() else { return Ok(()) };
    let key = key_of(&view.catalogue, known[first.resource].resource.item);
    line.limit = Some(first.limit);
    line.decide_by = lines.iter().find(|row| row.subject.key == key).and_then(|row| row.decide_by);
    line.limited_by = Some(key);
    Ok(())
}

fn rows(
    view: &View,
    model: &Model<'_>,
    demand: &Demand,
    known: &[Known],
    horizon: f64,
    most: usize,
    limits: &Limits<'_>,
) -> Result<Plan, QuestionError> {
    let resources: Vec<_> = known.iter().map(|one| one.resource).collect();
    let question = Question { services: &demand.growing, resources: &resources, horizon, most, limits: *limits };
    plan(model, &question).map_err(|error| refused(view, &error))
}

/// What the one service asked about can grow to, by resource; empty where several are.
type Single = Vec<(usize, f64, f64)>;

fn single(
    view: &View,
    model: &Model<'_>,
    question: &CapacityQuestion,
    demand: &Demand,
    known: &[Known],
    limits: &Limits<'_>,
) -> Result<Single, QuestionError> {
    let [key] = &question.services[..] else { return Ok(Vec::new()) };
    let service = find_item(view, key)?;
    let resources: Vec<_> = known.iter().map(|one| one.resource).collect();
    let found = service_limits(model, &demand.outside.sources, service, &resources, limits);
    let (found, _) = found.map_err(|error| refused(view, &error))?;
    Ok(found.into_iter().map(|one| (one.resource, one.limit, one.sensitivity)).collect())
}

/// What every line is told from.
struct Telling<'a> {
    view: &'a View,
    model: &'a Model<'a>,
    demand: &'a Demand,
    amounts: &'a Amounts,
    known: &'a [Known],
    from: DateTime<Utc>,
    horizon: f64,
    limits: Limits<'a>,
}

impl Telling<'_> {
    fn line(&self, row: &Row, single: &Single) -> Result<ResourceLine, QuestionError> {
        let Self { view, model, demand, amounts, from, .. } = *self;
        let known = &self.known[row.resource];
        let item = known.resource.item;
        let path = model.main_path(&demand.outside.sources, amounts, item, LONGEST_PATH);
        let of_single = single.iter().find(|(resource, ..)| *resource == row.resource);
        let at = |months: f64| after(from, months);
        let exhausted = row.exhaustion.months();
        let Grounds { inferred, understated } = row.grounds;
        Ok(ResourceLine {
            subject: Subject::of(&view.catalogue, ci_of(item)),
            kind: known.kind,
            capacity: known.capacity.clone(),
            load: row.load / known.resource.per_unit,
            utilisation: row.utilisation,
            planning_limit: known.resource.planning_limit,
            limit_basis: known.limit_basis,
            is_over_limit: row.load > known.resource.allowed(),
            is_over_capacity: row.utilisation > 1.0,
            exhausted_months: exhausted,
            exhausted_at: exhausted.and_then(at),
            chances: None,
            lead_months: known.lead_months,
            decide_months: row.decide_in,
            decide_by: row.decide_in.and_then(at),
            rank: row.rank,
            service_limit: of_single.map(|(_, limit, _)| *limit),
            sensitivity: of_single.map(|(_, _, sensitivity)| *sensitivity),
            relief: relief::relief(view, (model, demand), (known, row), self.relief_months(), &self.limits)?,
            contracts: resources::contracts(view, item),
            owners: owners(view, ci_of(item)),
            path: path.into_iter().map(|item| key_of(&view.catalogue, item)).collect(),
            grounds: GroundsLine { is_inferred: inferred, is_understated: understated },
        })
    }

    /// Until when relief is to be enough.
    fn relief_months(&self) -> f64 {
        self.horizon.min(RELIEF_MONTHS)
    }
}

/// A time so many months on; absent beyond what a calendar holds.
pub(crate) fn after(from: DateTime<Utc>, months: f64) -> Option<DateTime<Utc>> {
    let seconds = months * DAYS_A_MONTH * 86_400.0;
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let delta = (seconds.abs() < 1e11).then(|| TimeDelta::seconds(seconds.round() as i64))?;
    from.checked_add_signed(delta)
}
