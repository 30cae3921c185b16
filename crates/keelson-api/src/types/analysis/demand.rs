//! How much of everything the demand on services takes.

use std::sync::Arc;

use super::AmountOfUnit;
use super::{LISTED, answered, keys_of};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use crate::types::lookup::ConfigurationItemBy;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use keelson_app::answers::demand::{
    DemandAnswer, DemandLine, DemandQuestion, InferredLine, LoopLine, SourceLine, UnratedLine, demand,
};

/// Whose demand is asked about.
#[derive(Clone, Debug, InputObject)]
pub struct DemandInput {
    /// The services whose demand counts; at most 100, none meaning every service.
    #[graphql(default)]
    pub services: Vec<ConfigurationItemBy>,
    /// Only these items are listed; at most 100, none meaning every item with demand.
    #[graphql(default)]
    pub items: Vec<ConfigurationItemBy>,
}

crate::inputs::defaults_as_stated!(DemandInput);

/// Asks it.
pub(crate) async fn find(ctx: &Context<'_>, at: Arc<Moment>, input: &DemandInput) -> Result<Demand, Refusal> {
    let question =
        DemandQuestion { services: keys_of(&at, &input.services)?, items: keys_of(&at, &input.items)?, most: LISTED };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| demand(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(Demand { at, answer })
}

/// How much of everything the demand on services takes.
pub struct Demand {
    at: Arc<Moment>,
    answer: DemandAnswer,
}

/// How much of everything the demand on services takes.
#[Object]
impl Demand {
    /// The services, and what is asked of them; at most the first 10000.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServiceDemand>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("demand.services", String::new());
        placed(ctx, &self.at, list, &self.answer.services, &paging, |one| ServiceDemand::of(&self.at, one))
    }

    /// How many items have demand.
    async fn item_count(&self) -> usize {
        self.answer.item_count
    }

    /// The items with demand, those most used first, then those without a capacity; at most the first 10000.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ItemDemand>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("demand.items", String::new());
        placed(ctx, &self.at, list, &self.answer.items, &paging, |one| ItemDemand::of(&self.at, one))
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
        let list = ("demand.loops", String::new());
        placed(ctx, &self.at, list, &self.answer.loops, &paging, |one| DemandLoop::of(&self.at, one))
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
        let list = ("demand.unrated", String::new());
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
        let list = ("demand.inferred", String::new());
        placed(ctx, &self.at, list, &self.answer.inferred, &paging, InferredRatio::of)
    }

    /// How many items with demand state no capacity; services left out.
    async fn without_capacity_count(&self) -> usize {
        self.answer.without_capacity_count
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// Demand on an item.
#[derive(SimpleObject)]
pub struct ItemDemand {
    /// The item.
    item: Option<ConfigurationItem>,
    /// The demand on it, in its own unit.
    demand: f64,
    /// Its capacity, where stated.
    capacity: Option<AmountOfUnit>,
    /// Demand by capacity, where a capacity is stated.
    utilisation: Option<f64>,
    /// What one more unit of the service takes of it; only where one service is asked about.
    sensitivity: Option<f64>,
    /// The way by which most of its demand comes, from a service down to it, by key; the first 100.
    path: Vec<String>,
    /// Whether a ratio on the way was inferred from measurements.
    is_inferred: bool,
}

impl ItemDemand {
    pub(super) fn of(at: &Arc<Moment>, line: &DemandLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            demand: line.demand,
            capacity: line.capacity.as_ref().map(AmountOfUnit::of),
            utilisation: line.utilisation,
            sensitivity: line.sensitivity,
            path: line.path.iter().take(LONGEST_LIST).cloned().collect(),
            is_inferred: line.is_inferred,
        }
    }
}

/// A loop that passes demand on to itself.
#[derive(SimpleObject)]
pub struct DemandLoop {
    /// Its items, by key; the first 20.
    items: Vec<String>,
    /// How many items it has.
    size: usize,
    /// Each round gives at least so many rounds more.
    gain_low: f64,
    /// Each round gives at most so many rounds more.
    gain_high: f64,
    /// Whether it calls itself more often than it is called, or cannot be shown not to.
    is_amplifying: bool,
}

impl DemandLoop {
    pub(super) fn of(_at: &Arc<Moment>, line: &LoopLine) -> Self {
        Self {
            items: line.items.iter().take(LONGEST_LIST).cloned().collect(),
            size: line.size,
            gain_low: line.gain_low,
            gain_high: line.gain_high,
            is_amplifying: line.is_amplifying,
        }
    }
}

/// Demand on a service from outside.
#[derive(SimpleObject)]
pub struct ServiceDemand {
    /// The service.
    item: Option<ConfigurationItem>,
    /// Its demand at its peak, with what is supposed; absent where nobody states one.
    demand: Option<AmountOfUnit>,
    /// Whether it was measured: the highest daily peak of the last four weeks of its series. Otherwise it is stated.
    is_measured: bool,
    /// What the demand is multiplied by; 1 where nothing is supposed.
    factor: f64,
    /// Why its demand is left out: it reaches a loop that calls itself more often than it is called.
    left_out: Option<String>,
}

impl ServiceDemand {
    pub(super) fn of(at: &Arc<Moment>, line: &SourceLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            demand: line.demand.as_ref().map(AmountOfUnit::of),
            is_measured: line.is_measured,
            factor: line.factor,
            left_out: line.left_out.clone(),
        }
    }
}

/// A relationship without a ratio, below an item that has demand.
#[derive(SimpleObject)]
pub struct UnratedRelationship {
    /// The dependent, by key.
    dependent: String,
    /// The dependency, by key.
    dependency: String,
    /// Why none was inferred; only where what is asked of the dependency was measured.
    reason: Option<String>,
}

impl UnratedRelationship {
    pub(super) fn of(_at: &Arc<Moment>, line: &UnratedLine) -> Self {
        Self { dependent: line.dependent.clone(), dependency: line.dependency.clone(), reason: line.reason.clone() }
    }
}

/// A ratio of visits that was inferred from measurements.
#[derive(SimpleObject)]
pub struct InferredRatio {
    /// The dependent, by key.
    dependent: String,
    /// The dependency, by key.
    dependency: String,
    /// How many units of the dependency one unit of the dependent takes.
    ratio: f64,
    /// How much of the variation of what is asked of the dependency the fit explains, at most 1 (R²).
    explained: f64,
    /// How many days it rests on.
    days: usize,
}

impl InferredRatio {
    pub(super) fn of(line: &InferredLine) -> Self {
        Self {
            dependent: line.dependent.clone(),
            dependency: line.dependency.clone(),
            ratio: line.ratio,
            explained: line.explained,
            days: line.days,
        }
    }
}
