//! What runs out first, and by when to decide.

pub mod forecasts;
pub mod purchases;
pub mod redundancy;

use std::sync::Arc;

use super::demand::{DemandLoop, InferredRatio, ServiceDemand, UnratedRelationship};
use super::{AmountOfUnit, LISTED, answered, key_of, keys_of, page_of_subjects};
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
use forecasts::DemandForecast;
use keelson_app::answers::capacity::{
    CapacityAnswer, CapacityQuestion, ExhaustionChances, GroundsLine, GrowthLine, MOST_MONTHS, ReliefLine,
    ResourceLine, capacity,
};
use purchases::CapacityPurchases;
use redundancy::RedundancyUnderLoad;

/// What is planned.
#[derive(Clone, Debug, InputObject)]
pub struct CapacityPlanInput {
    /// Only resources that these services use; at most 100, none meaning every service.
    #[graphql(default)]
    pub services: Vec<ConfigurationItemBy>,
    /// Only resources that rest on this supplier.
    pub supplier: Option<ConfigurationItemBy>,
    /// Months to look ahead for decisions, up to 600; ten years by default.
    #[graphql(default = 120.0)]
    pub horizon_months: f64,
}

crate::inputs::defaults_as_stated!(CapacityPlanInput);

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
        /// The workload up to which a service's targets are promised.
        Promised,
        /// What somebody stated.
        Stated,
        /// Nobody stated one: 80 % for what queues, all of it for contracts, licences and quotas.
        Assumed,
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

    /// The first of them; at most the first 10000.
    async fn without_capacity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        page_of_subjects(ctx, &self.at, "capacityPlan.withoutCapacity", &self.answer.without_capacity, &paging)
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

    /// The ratios that were inferred from measurements; at most the first 10000.
    async fn inferred(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<InferredRatio>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("capacityPlan.inferred", String::new());
        placed(ctx, &self.at, list, &self.answer.inferred, &paging, InferredRatio::of)
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
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
    /// In how many months it runs out, 0 where it has; absent where the decision on it is not due within the months looked
    /// ahead.
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
    /// The first moment at which one of them no longer holds, where stated: past it nobody says how much there is.
    contracts_end: Option<DateTime<Utc>>,
    /// Whether that is past, or comes before it runs out; absent where no end is stated.
    ends_before_it_runs_out: Option<bool>,
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
            contracts_end: line.contracts_end,
            ends_before_it_runs_out: line.ends_before_it_runs_out,
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
