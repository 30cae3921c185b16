//! What runs out first, and by when to decide.

use std::sync::Arc;

use super::demand::{DemandLoop, InferredRatio, ServiceDemand, UnratedRelationship};
use super::{AmountOfUnit, by_subjects};
use super::{LISTED, answered, key_of, keys_of};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::effect::Money;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use crate::types::lookup::ConfigurationItemBy;
use crate::types::words::words;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::answers::capacity::{
    BandPoint, CapacityAnswer, CapacityQuestion, DayPoint, DemandLimit, ExhaustionChances, ForecastLine, GroundsLine,
    GrowthLine, HourStanding, HourWindow, PurchaseLine, Purchases, RedundancyHours, RedundancyLine, ReliefLine,
    ResourceLine, ShortLine, capacity,
};

/// Most months looked ahead.
const MOST_MONTHS: f64 = 600.0;

/// What is planned.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CapacityPlanInput {
    /// Only resources that these services use; at most 100, none meaning every service.
    #[graphql(default)]
    pub services: Vec<ConfigurationItemBy>,
    /// Only resources that rest on this supplier.
    pub supplier: Option<ConfigurationItemBy>,
    /// Months to look ahead, up to 600; ten years by default.
    #[graphql(default = 120.0)]
    pub horizon_months: f64,
}

/// Asks it.
pub(crate) async fn find(
    ctx: &Context<'_>,
    at: Arc<Moment>,
    input: &CapacityPlanInput,
) -> Result<CapacityPlan, Refusal> {
    let months = input.horizon_months;
    if !(0.0..=MOST_MONTHS).contains(&months) {
        return Err(Refusal::input(format!("the months looked ahead may be 0 to {MOST_MONTHS}; {months} was given")));
    }
    let question = CapacityQuestion {
        services: keys_of(&at, &input.services)?,
        supplier: input.supplier.as_ref().map(|by| key_of(&at, by)).transpose()?,
        horizon_months: months,
        most: LISTED,
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| capacity(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(CapacityPlan { at, answer })
}

words! {
    /// What a planning limit rests on.
    PlanningLimitBasis = keelson_app::answers::capacity::LimitBasis {
        /// Service time and longest acceptable response: the knee of a queue (analyses 4.2).
        Response,
        /// What somebody stated.
        Stated,
        /// Nobody stated one: 80 % for what queues, all of it for contracts, licences and quotas.
        Assumed,
    }

    /// Days of the week that hours belong to.
    HourDays = keelson_app::answers::capacity::HourDays {
        /// All days.
        EveryDay,
        /// Monday to Friday.
        Weekdays,
        /// Saturday and Sunday.
        Weekend,
    }

    /// Where profiles of demand come from.
    DemandProfileBasis = keelson_app::answers::capacity::ProfileBasis {
        /// All were measured.
        Measured,
        /// All were stated.
        Stated,
        /// Some were measured, others stated.
        Mixed,
    }

    /// What the load of a resource is known from.
    LoadBasis = keelson_app::answers::capacity::LoadBasis {
        /// The demand of services that reaches it.
        Demand,
        /// The use that was measured: the highest daily peak of the last four weeks.
        Measured,
        /// The use that somebody stated.
        Stated,
    }

    /// Where the growth of demand comes from, the strongest first.
    GrowthBasis = keelson_app::answers::capacity::GrowthBasis {
        /// A scenario.
        Supposed,
        /// A forecast from measurements.
        Forecast,
        /// What somebody stated.
        Stated,
        /// Nothing: it counts as not growing.
        Nothing,
    }

    /// How a forecast was made: the step of the ladder that did best.
    ForecastMethod = keelson_app::answers::capacity::ForecastMethod {
        /// As a season ago, or as last.
        SeasonalNaive,
        /// A straight line that outliers do not bend, and the median of each day of the season.
        RobustTrend,
        /// Seasons taken off by locally weighted regression, the rest smoothed exponentially.
        Decomposition,
        /// Level, slope and season smoothed exponentially.
        HoltWinters,
        /// The same with a slope that fades.
        DampedHoltWinters,
    }

    /// Which kind of capacity something is (ISO/IEC 20000-1, 8.4.3).
    ResourceKind = keelson_app::answers::capacity::ResourceKind {
        /// People and their hours.
        Human,
        /// Machines, links, software.
        Technical,
        /// Data and where they are kept.
        Information,
        /// Money, and what was bought with it: contracts, licences, quotas, budgets.
        Financial,
    }
}

/// What runs out first.
pub struct CapacityPlan {
    at: Arc<Moment>,
    answer: CapacityAnswer,
}

/// What runs out first.
#[Object]
impl CapacityPlan {
    /// From when months count.
    async fn from(&self) -> DateTime<Utc> {
        self.answer.from
    }

    /// Months looked ahead.
    async fn horizon_months(&self) -> f64 {
        self.answer.horizon_months
    }

    /// The services, and what is asked of them; at most the first 10000.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServiceGrowth>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("capacityPlan.services", String::new());
        placed(ctx, &self.at, list, &self.answer.services, &paging, |one| ServiceGrowth::of(&self.at, one))
    }

    /// How many resources there are.
    async fn resource_count(&self) -> usize {
        self.answer.resource_count
    }

    /// The resources, those to be decided on first; at most the first 10000.
    async fn resources(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<CapacityResource>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("capacityPlan.resources", String::new());
        placed(ctx, &self.at, list, &self.answer.resources, &paging, |one| CapacityResource::of(&self.at, one))
    }

    /// The cheapest purchases that carry all of them for a time, and what they cost together.
    async fn purchases(&self) -> CapacityPurchases {
        CapacityPurchases::of(&self.at, &self.answer.purchases)
    }

    /// Redundancy at today's load, and when growth takes it away; those that expire first; at most the first 10000.
    async fn redundancy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RedundancyUnderLoad>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("capacityPlan.redundancy", String::new());
        placed(ctx, &self.at, list, &self.answer.redundancy, &paging, |one| RedundancyUnderLoad::of(&self.at, one))
    }

    /// What measured demand will be, with history, service by service; at most the first 10000.
    async fn forecasts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<DemandForecast>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("capacityPlan.forecasts", String::new());
        placed(ctx, &self.at, list, &self.answer.forecasts, &paging, |one| DemandForecast::of(&self.at, one))
    }

    /// Loops, the amplifying ones first; at most the first 10000.
    async fn loops(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<DemandLoop>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("capacityPlan.loops", String::new());
        placed(ctx, &self.at, list, &self.answer.loops, &paging, |one| DemandLoop::of(&self.at, one))
    }

    /// How many items have demand and state no capacity; services left out.
    async fn without_capacity_count(&self) -> usize {
        self.answer.without_capacity_count
    }

    /// The first of them.
    async fn without_capacity(&self) -> Vec<ConfigurationItem> {
        let at = &self.at;
        by_subjects(at, &self.answer.without_capacity)
    }

    /// How many relationships below an item with demand state no ratio.
    async fn unrated_count(&self) -> usize {
        self.answer.unrated_count
    }

    /// The first of them; at most the first 10000.
    async fn unrated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<UnratedRelationship>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("capacityPlan.unrated", String::new());
        placed(ctx, &self.at, list, &self.answer.unrated, &paging, |one| UnratedRelationship::of(&self.at, one))
    }

    /// The ratios that were inferred from measurements; the first 100.
    async fn inferred(&self) -> Vec<InferredRatio> {
        self.answer.inferred.iter().take(LONGEST_LIST).map(InferredRatio::of).collect()
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// What the demand on a service will be.
#[derive(SimpleObject)]
pub struct DemandForecast {
    /// The service.
    item: Option<ConfigurationItem>,
    /// The unit of all values.
    unit: String,
    /// How it was made.
    method: ForecastMethod,
    /// Its mean absolute error at rolling origins, in errors of the naive method (MASE); absent where it could not be tried.
    error: Option<f64>,
    /// How many days its history has, since the last lasting change of level.
    days: usize,
    /// How many of them are gaps.
    gaps: usize,
    /// How many lasting changes of level were found before.
    changes: usize,
    /// The share of what came that lay within the intervals, where that could be tried.
    coverage: Option<f64>,
    /// The share that should have.
    nominal: Option<f64>,
    /// Growth per month that the middle of the forecast comes to.
    growth_per_month: Option<f64>,
    /// The history: a point a day, thinned to the highest where there are many, the last as it is; the first 100.
    history: Vec<MeasuredDay>,
    /// The forecast, with what is supposed; thinned to the highest where there are many days; the first 100.
    band: Vec<ForecastDay>,
    /// The lowest demand on the service at which a resource is at its limit, where one is.
    limit: Option<f64>,
    /// The resource it is, by key.
    limited_by: Option<String>,
    /// The day by which to decide on that resource.
    decide_by: Option<DateTime<Utc>>,
    /// The lowest limits, at most three; the first is that of the resource named.
    limits: Vec<ServiceDemandLimit>,
}

/// The demand on a service at which a resource is at its planning limit.
#[derive(SimpleObject)]
pub struct ServiceDemandLimit {
    /// The resource.
    item: Option<ConfigurationItem>,
    /// The demand on the service, everything else staying as it is.
    limit: f64,
    /// The day by which to decide on the resource, where it runs out within the months looked ahead.
    decide_by: Option<DateTime<Utc>>,
    /// The day on which it runs out.
    exhausted_at: Option<DateTime<Utc>>,
}

impl ServiceDemandLimit {
    fn of(at: &Arc<Moment>, line: &DemandLimit) -> Self {
        Self {
            item: by_key(at, &line.resource),
            limit: line.limit,
            decide_by: line.decide_by,
            exhausted_at: line.exhausted_at,
        }
    }
}

impl DemandForecast {
    fn of(at: &Arc<Moment>, line: &ForecastLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            unit: line.unit.clone(),
            method: line.method.into(),
            error: line.error,
            days: line.days,
            gaps: line.gaps,
            changes: line.changes,
            coverage: line.coverage,
            nominal: line.nominal,
            growth_per_month: line.growth_per_month,
            history: line.history.iter().take(LONGEST_LIST).map(|one| MeasuredDay::of(at, one)).collect(),
            band: line.band.iter().take(LONGEST_LIST).map(|one| ForecastDay::of(at, one)).collect(),
            limit: line.limit,
            limited_by: line.limited_by.clone(),
            decide_by: line.decide_by,
            limits: line.limits.iter().take(LONGEST_LIST).map(|one| ServiceDemandLimit::of(at, one)).collect(),
        }
    }
}

/// A day to come.
#[derive(SimpleObject)]
pub struct ForecastDay {
    /// The midnight, UTC, at which it begins.
    day: DateTime<Utc>,
    /// Its peak is above this with a chance of nine in ten.
    low: f64,
    /// Its peak is as likely above this as below.
    middle: f64,
    /// Its peak is above this with a chance of one in ten.
    high: f64,
}

impl ForecastDay {
    fn of(_at: &Arc<Moment>, line: &BandPoint) -> Self {
        Self { day: line.day, low: line.low, middle: line.middle, high: line.high }
    }
}

/// A day and its peak.
#[derive(SimpleObject)]
pub struct MeasuredDay {
    /// The midnight, UTC, at which it begins.
    day: DateTime<Utc>,
    /// Its peak.
    value: f64,
}

impl MeasuredDay {
    fn of(_at: &Arc<Moment>, line: &DayPoint) -> Self {
        Self { day: line.day, value: line.value }
    }
}

/// Demand on a service, and how it grows.
#[derive(SimpleObject)]
pub struct ServiceGrowth {
    /// Its demand.
    source: ServiceDemand,
    /// Growth per month, as a fraction; absent where nobody states one: then it counts as not growing.
    growth_per_month: Option<f64>,
    /// Where the growth comes from.
    growth_basis: GrowthBasis,
}

impl ServiceGrowth {
    fn of(at: &Arc<Moment>, line: &GrowthLine) -> Self {
        Self {
            source: ServiceDemand::of(at, &line.source),
            growth_per_month: line.growth_per_month,
            growth_basis: line.growth_basis.into(),
        }
    }
}

/// How a need of several members stands against its load.
#[derive(SimpleObject)]
pub struct RedundancyUnderLoad {
    /// Whose need it is.
    item: Option<ConfigurationItem>,
    /// What it is called.
    need: String,
    /// Its members, by key; the first 100.
    members: Vec<String>,
    /// The load on it now, with what is supposed; absent where it is not known.
    load: Option<AmountOfUnit>,
    /// How many members must be up at that load; absent where not even all carry it, or it is not known.
    required: Option<u32>,
    /// How many are declared to be needed; absent where nobody says.
    declared: Option<u32>,
    /// Whether fewer are declared than the load takes: redundancy that is not there.
    is_redundancy_false: bool,
    /// How many members may be lost; absent where not even all carry the load.
    margin: Option<u32>,
    /// What is delivered with the largest member lost, as a fraction; absent where it is not known.
    delivered_without_one: Option<f64>,
    /// The largest load at which one member may be lost.
    carries_without_one: Option<f64>,
    /// In how many months that load is passed, 0 where it is; absent where it is not within the months looked ahead.
    expires_months: Option<f64>,
    /// The day on which it is passed.
    expires_at: Option<DateTime<Utc>>,
    /// The days on which it is passed, by chance, where the demand on it is forecast from measurements.
    expires_chances: Option<ExhaustionDays>,
    /// How it stands hour by hour; absent where nobody knows how its load goes through the day.
    hours: Option<HourlyRedundancy>,
    /// Why nothing is known about it; absent where something is.
    unknown: Option<String>,
}

/// How a need of several members stands hour by hour, now, with what is supposed.
#[derive(SimpleObject)]
pub struct HourlyRedundancy {
    /// Where the profiles come from.
    basis: DemandProfileBasis,
    /// Whether part of the load has no profile and counts with its peak all day.
    is_partial: bool,
    /// The hours with the lowest load: when to take a member out.
    quietest: HourlyStanding,
    /// The hours with the highest load.
    busiest: HourlyStanding,
    /// The hours in which the others do not carry the load while the largest member is out; at most 48.
    short_without_one: Vec<HoursOfDay>,
}

impl HourlyRedundancy {
    fn of(line: &RedundancyHours) -> Self {
        Self {
            basis: line.basis.into(),
            is_partial: line.is_partial,
            quietest: HourlyStanding::of(&line.quietest),
            busiest: HourlyStanding::of(&line.busiest),
            short_without_one: line.short_without_one.iter().take(LONGEST_LIST).map(HoursOfDay::of).collect(),
        }
    }
}

/// How a need stands in some hours of the day.
#[derive(SimpleObject)]
pub struct HourlyStanding {
    /// The hours: those beside each other in which as many members are required.
    window: HoursOfDay,
    /// The highest load in them.
    load: f64,
    /// How many members must be up; absent where not even all carry it.
    required: Option<u32>,
    /// How many members may be lost.
    margin: Option<u32>,
    /// How many more may be lost while the largest member is out; absent where the others do not carry the load.
    margin_without_one: Option<u32>,
    /// What is delivered while the largest member is out, as a fraction.
    delivered_without_one: Option<f64>,
}

impl HourlyStanding {
    fn of(line: &HourStanding) -> Self {
        Self {
            window: HoursOfDay::of(&line.window),
            load: line.load,
            required: line.required,
            margin: line.margin,
            margin_without_one: line.margin_without_one,
            delivered_without_one: line.delivered_without_one,
        }
    }
}

/// Hours of the day, UTC.
#[derive(SimpleObject)]
pub struct HoursOfDay {
    /// On which days.
    days: HourDays,
    /// The hour at which it begins, 0 to 23.
    from: u8,
    /// The hour at which it ends, 1 to 24; not part of it.
    to: u8,
}

impl HoursOfDay {
    fn of(line: &HourWindow) -> Self {
        Self { days: line.days.into(), from: line.from, to: line.to }
    }
}

impl RedundancyUnderLoad {
    fn of(at: &Arc<Moment>, line: &RedundancyLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            need: line.need.clone(),
            members: line.members.iter().take(LONGEST_LIST).cloned().collect(),
            load: line.load.as_ref().map(AmountOfUnit::of),
            required: line.required,
            declared: line.declared,
            is_redundancy_false: line.is_redundancy_false,
            margin: line.margin,
            delivered_without_one: line.delivered_without_one,
            carries_without_one: line.carries_without_one,
            expires_months: line.expires_months,
            expires_at: line.expires_at,
            expires_chances: line.expires_chances.as_ref().map(|one| ExhaustionDays::of(at, one)),
            hours: line.hours.as_ref().map(HourlyRedundancy::of),
            unknown: line.unknown.clone(),
        }
    }
}

/// A resource, and when it runs out.
#[derive(SimpleObject)]
pub struct CapacityResource {
    /// The resource.
    item: Option<ConfigurationItem>,
    /// Which kind of capacity it is.
    kind: ResourceKind,
    /// How much there is of it.
    capacity: AmountOfUnit,
    /// Its load now, in the same unit, with what is supposed.
    load: f64,
    /// Load by capacity.
    utilisation: f64,
    /// What the load is known from.
    load_basis: LoadBasis,
    /// The use that was measured lately at its peak, as a fraction of the capacity, whatever the load is known from.
    measured_utilisation: Option<f64>,
    /// Whether that differs by more than a fifth (and more than 5 % of the capacity) from what demand makes of it: the
    /// model of its load may be wrong. Never where demand is supposed.
    is_model_doubtful: bool,
    /// The utilisation to plan with.
    planning_limit: f64,
    /// What that rests on.
    limit_basis: PlanningLimitBasis,
    /// Whether the load passes what may be planned.
    is_over_limit: bool,
    /// Whether the load passes the whole capacity: overloaded, or a contract broken.
    is_over_capacity: bool,
    /// In how many months it runs out, 0 where it has; absent where it does not within the months looked ahead.
    exhausted_months: Option<f64>,
    /// The day on which it runs out.
    exhausted_at: Option<DateTime<Utc>>,
    /// The days on which it runs out, by chance, where the demand on it is forecast from measurements.
    chances: Option<ExhaustionDays>,
    /// Months from a decision until there is more; absent where nobody states a lead time.
    lead_months: Option<f64>,
    /// In how many months to decide; below 0 where that is past. Without a lead time, when it runs out.
    decide_months: Option<f64>,
    /// The day by which to decide.
    decide_by: Option<DateTime<Utc>>,
    /// 1 for what is to be decided first; what is due together has the same rank.
    rank: u32,
    /// The largest demand on the service asked about, everything else staying as it is; only where one is asked about.
    service_limit: Option<f64>,
    /// What one more unit of that service takes of it.
    sensitivity: Option<f64>,
    /// What would carry the demand for two years, or for the months looked ahead if those are fewer; and what it costs.
    relief: Option<CapacityRelief>,
    /// Contracts and licences it rests on, by key; the first 100.
    contracts: Vec<String>,
    /// Who owns it; the first 100.
    owners: Vec<String>,
    /// The way by which most of its demand comes, from a service down to it, by key; the first 100.
    path: Vec<String>,
    /// What its load rests on.
    grounds: CapacityGrounds,
}

impl CapacityResource {
    fn of(at: &Arc<Moment>, line: &ResourceLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            kind: line.kind.into(),
            capacity: AmountOfUnit::of(&line.capacity),
            load: line.load,
            utilisation: line.utilisation,
            load_basis: line.load_basis.into(),
            measured_utilisation: line.measured_utilisation,
            is_model_doubtful: line.is_model_doubtful,
            planning_limit: line.planning_limit,
            limit_basis: line.limit_basis.into(),
            is_over_limit: line.is_over_limit,
            is_over_capacity: line.is_over_capacity,
            exhausted_months: line.exhausted_months,
            exhausted_at: line.exhausted_at,
            chances: line.chances.as_ref().map(|one| ExhaustionDays::of(at, one)),
            lead_months: line.lead_months,
            decide_months: line.decide_months,
            decide_by: line.decide_by,
            rank: line.rank,
            service_limit: line.service_limit,
            sensitivity: line.sensitivity,
            relief: line.relief.as_ref().map(|one| CapacityRelief::of(at, one)),
            contracts: line.contracts.iter().take(LONGEST_LIST).cloned().collect(),
            owners: line.owners.iter().take(LONGEST_LIST).cloned().collect(),
            path: line.path.iter().take(LONGEST_LIST).cloned().collect(),
            grounds: CapacityGrounds::of(at, &line.grounds),
        }
    }
}

/// The days on which a resource runs out, by chance.
#[derive(SimpleObject)]
pub struct ExhaustionDays {
    /// One chance in ten that it has run out by then: the day to be on the safe side of.
    one_in_ten: Option<DateTime<Utc>>,
    /// As likely as not.
    even: Option<DateTime<Utc>>,
    /// Nine chances in ten.
    nine_in_ten: Option<DateTime<Utc>>,
}

impl ExhaustionDays {
    fn of(_at: &Arc<Moment>, line: &ExhaustionChances) -> Self {
        Self { one_in_ten: line.one_in_ten, even: line.even, nine_in_ten: line.nine_in_ten }
    }
}

/// What a load rests on beside what was stated.
#[derive(SimpleObject)]
pub struct CapacityGrounds {
    /// A ratio on the way was inferred from measurements.
    is_inferred: bool,
    /// A ratio on the way is missing: the load may be higher, and the date earlier.
    is_understated: bool,
}

impl CapacityGrounds {
    fn of(_at: &Arc<Moment>, line: &GroundsLine) -> Self {
        Self { is_inferred: line.is_inferred, is_understated: line.is_understated }
    }
}

/// More of a resource.
#[derive(SimpleObject)]
pub struct CapacityRelief {
    /// How many steps of buying or building.
    steps: u32,
    /// How much more that gives.
    adds: AmountOfUnit,
    /// What it costs, where stated.
    cost: Option<Money>,
    /// Until how many months from now that is enough.
    lasts_months: f64,
}

impl CapacityRelief {
    fn of(_at: &Arc<Moment>, line: &ReliefLine) -> Self {
        Self {
            steps: line.steps,
            adds: AmountOfUnit::of(&line.adds),
            cost: line.cost.as_ref().map(|one| Money::of(one.amount, &one.currency)),
            lasts_months: line.lasts_months,
        }
    }
}

/// The cheapest purchases that carry everything asked about for a time.
#[derive(SimpleObject)]
pub struct CapacityPurchases {
    /// For how many months from now: two years, or the months looked ahead if those are fewer.
    lasts_months: f64,
    /// How many resources there is to be more of.
    purchase_count: usize,
    /// The purchases, for what is to be decided first; the first 100.
    purchases: Vec<CapacityPurchase>,
    /// What all of them cost together, by currency, as far as costs are stated.
    cost: Vec<Money>,
    /// How many of them state no cost: the whole costs more.
    without_cost_count: usize,
    /// How many resources fall short and state no step.
    unrelieved_count: usize,
    /// The first of them, at most 100.
    unrelieved: Vec<CapacityShort>,
    /// How many needs of several members lose their redundancy by then: members of those are not in the sum, as nobody
    /// says what another one costs.
    ending_redundancy_count: usize,
}

impl CapacityPurchases {
    fn of(at: &Arc<Moment>, line: &Purchases) -> Self {
        Self {
            lasts_months: line.lasts_months,
            purchase_count: line.purchase_count,
            purchases: line.purchases.iter().take(LONGEST_LIST).map(|one| CapacityPurchase::of(at, one)).collect(),
            cost: line.cost.iter().map(|one| Money::of(one.amount, &one.currency)).collect(),
            without_cost_count: line.without_cost_count,
            unrelieved_count: line.unrelieved_count,
            unrelieved: line.unrelieved.iter().take(LONGEST_LIST).map(|one| CapacityShort::of(at, one)).collect(),
            ending_redundancy_count: line.ending_redundancy_count,
        }
    }
}

/// A purchase.
#[derive(SimpleObject)]
pub struct CapacityPurchase {
    /// The resource there is to be more of.
    item: Option<ConfigurationItem>,
    /// How many steps of buying or building.
    steps: u32,
    /// How much more that gives.
    adds: AmountOfUnit,
    /// What it costs, where stated.
    cost: Option<Money>,
    /// Whether some of it is needed only so that a server may be lost.
    is_for_redundancy: bool,
}

impl CapacityPurchase {
    fn of(at: &Arc<Moment>, line: &PurchaseLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            steps: line.steps,
            adds: AmountOfUnit::of(&line.adds),
            cost: line.cost.as_ref().map(|one| Money::of(one.amount, &one.currency)),
            is_for_redundancy: line.is_for_redundancy,
        }
    }
}

/// Something that falls short, and of which nobody says in which steps there could be more.
#[derive(SimpleObject)]
pub struct CapacityShort {
    /// The resource.
    item: Option<ConfigurationItem>,
    /// How much more there has to be.
    short: AmountOfUnit,
}

impl CapacityShort {
    fn of(at: &Arc<Moment>, line: &ShortLine) -> Self {
        Self { item: by_key(at, &line.subject.key), short: AmountOfUnit::of(&line.short) }
    }
}
