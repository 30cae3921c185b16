//! Single points of failure.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use keelson_app::answers::impact::ProofText;
use keelson_app::answers::single_points::{
    FellingLine, FixEffect, FixLine, PointLine, ServicePoints, SinglePointsAnswer, SinglePointsQuestion, single_points,
};

use super::{LISTED, answered, bounded, keys_of};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::effect::Money;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use crate::types::impact::{by_key, by_keys, numbers};
use crate::types::item::ConfigurationItem;
use crate::types::lookup::ConfigurationItemBy;
use crate::types::words::Criticality;

/// Most proofs of one answer.
const MOST_PROOFS: usize = 100;
/// Most changes proposed by one answer.
const MOST_FIXES: usize = 100;

/// Which single points of failure are asked for.
#[derive(Clone, Debug, InputObject)]
pub struct SinglePointsInput {
    /// The services, or other items; at most 100, none meaning every service.
    #[graphql(default)]
    pub services: Vec<ConfigurationItemBy>,
    /// What is down already; at most 100.
    #[graphql(default)]
    pub down: Vec<ConfigurationItemBy>,
    /// Whether what is known to be down now counts as down.
    #[graphql(default)]
    pub with_disruptions: bool,
    /// How many points get a proof, 0 to 100.
    #[graphql(default = 0)]
    pub proofs: i32,
    /// How many changes are proposed, 0 to 100; 0 leaves the search for them out.
    #[graphql(default = 0)]
    pub fixes: i32,
}

crate::inputs::defaults_as_stated!(SinglePointsInput);

/// Finds single points of failure.
pub(crate) async fn find(
    ctx: &Context<'_>,
    at: Arc<Moment>,
    input: &SinglePointsInput,
) -> Result<SinglePoints, Refusal> {
    let question = SinglePointsQuestion {
        services: keys_of(&at, &input.services)?,
        down: keys_of(&at, &input.down)?,
        with_disruptions: input.with_disruptions,
        most: LISTED,
        proofs: bounded("proofs", input.proofs, MOST_PROOFS)?,
        fixes: bounded("fixes", input.fixes, MOST_FIXES)?,
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| single_points(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(SinglePoints { at, answer })
}

/// Single points of failure, by service and by item.
pub struct SinglePoints {
    at: Arc<Moment>,
    answer: SinglePointsAnswer,
}

/// Single points of failure, by service and by item.
#[Object]
impl SinglePoints {
    /// How many services were looked at.
    async fn service_count(&self) -> usize {
        self.answer.service_count
    }

    /// How many of them have a certain single point.
    async fn exposed_count(&self) -> usize {
        self.answer.exposed_count
    }

    /// How many items take a service down alone.
    async fn item_count(&self) -> usize {
        self.answer.item_count
    }

    /// What was down already; the first 100.
    async fn down(&self) -> Vec<ConfigurationItem> {
        by_keys(&self.at, &self.answer.down[..self.answer.down.len().min(LONGEST_LIST)])
    }

    /// The services, those worth most first, then the most critical; at most the first 10000.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServiceSinglePoints>, Refusal> {
        let node = |line: &ServicePoints| ServiceSinglePoints { at: Arc::clone(&self.at), line: line.clone() };
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("singlePoints.services", String::new()), &self.answer.services, &paging, node)
    }

    /// The items that take a service down alone, those whose services are worth most first; at most the first 10000.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<FellingItem>, Refusal> {
        let node = |line: &FellingLine| FellingItem { at: Arc::clone(&self.at), line: line.clone() };
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("singlePoints.items", String::new()), &self.answer.items, &paging, node)
    }

    /// Changes that remove points, the best first; as many as were asked for, at most 100.
    async fn fixes(&self) -> Vec<PlacementFix> {
        self.answer.fixes.iter().map(|fix| PlacementFix::of(&self.at, fix)).collect()
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// The single points of one service.
pub struct ServiceSinglePoints {
    at: Arc<Moment>,
    line: ServicePoints,
}

/// The single points of one service.
#[Object]
impl ServiceSinglePoints {
    /// The service.
    async fn item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.line.subject.key)
    }

    /// How much depends on it, where stated.
    async fn criticality(&self) -> Option<Criticality> {
        self.line.criticality.map(Into::into)
    }

    /// What an hour without it costs, where stated.
    async fn value_per_hour(&self) -> Option<Money> {
        self.line.value_per_hour.as_ref().map(|value| Money::of(value.amount, &value.currency))
    }

    /// Whether it has failed by what is down already; then there are no points to name.
    async fn has_failed(&self) -> bool {
        self.line.has_failed
    }

    /// Whether a limit was hit before its turn came; then nothing is known about it.
    async fn is_unknown(&self) -> bool {
        self.line.is_unknown
    }

    /// Points that are there however doubts are settled.
    async fn certain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SinglePoint>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(
            ctx,
            &self.at,
            ("singlePoints.certain", self.line.subject.key.clone()),
            &self.line.certain,
            &paging,
            |point| self.point(point),
        )
    }

    /// Points that are there if doubts are settled badly.
    async fn possible(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SinglePoint>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(
            ctx,
            &self.at,
            ("singlePoints.possible", self.line.subject.key.clone()),
            &self.line.possible,
            &paging,
            |point| self.point(point),
        )
    }
}

impl ServiceSinglePoints {
    fn point(&self, point: &PointLine) -> SinglePoint {
        SinglePoint {
            item: by_key(&self.at, &point.subject.key),
            proof: point.proof.iter().map(ProofStep::of).collect(),
        }
    }
}

/// A single point of failure.
#[derive(SimpleObject)]
pub struct SinglePoint {
    /// The item.
    item: Option<ConfigurationItem>,
    /// Why its failure fells the service, line by line, at most 60; empty where no proof was asked for or the facts
    /// are in doubt.
    proof: Vec<ProofStep>,
}

/// A line of a proof; the deeper lines behind it explain it.
#[derive(SimpleObject)]
pub struct ProofStep {
    /// How far it is indented.
    depth: u32,
    /// The key of the item it is about.
    key: String,
    /// The item's loss, above 0 and at most 1.
    loss: f64,
    /// Why, in words.
    why: String,
    /// Whether its own reasons were shown further up.
    is_shown_above: bool,
}

impl ProofStep {
    pub(crate) fn of(line: &ProofText) -> Self {
        Self {
            depth: line.depth,
            key: line.key.clone(),
            loss: line.loss,
            why: line.why.clone(),
            is_shown_above: line.shown_above,
        }
    }
}

/// What one item takes down alone.
pub struct FellingItem {
    at: Arc<Moment>,
    line: FellingLine,
}

/// What one item takes down alone.
#[Object]
impl FellingItem {
    /// The item.
    async fn item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.line.subject.key)
    }

    /// How many of the services it fells for certain.
    async fn service_count(&self) -> usize {
        self.line.service_count
    }

    /// How many more it may fell.
    async fn possible_count(&self) -> usize {
        self.line.possible_count
    }

    /// What an hour without them costs, where stated; one amount for each currency.
    async fn value_per_hour(&self) -> Vec<Money> {
        self.line.value_per_hour.iter().map(|value| Money::of(value.amount, &value.currency)).collect()
    }

    /// The services it fells for certain.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let there = numbers(&self.at, self.line.services.iter().map(String::as_str));
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("singlePoints.felled", self.line.subject.key.clone()), &there, &paging, |ix| {
            ConfigurationItem::at(&self.at, *ix)
        })
    }
}

/// A change of placement that removes single points.
#[derive(SimpleObject)]
pub struct PlacementFix {
    /// What to do, in words.
    action: String,
    /// Why: which redundancy is none as it stands.
    because: String,
    /// Points removed, over all services.
    removed_count: usize,
    /// Points added.
    added_count: usize,
    /// How many services it changes anything for.
    effect_count: usize,
    /// What it does to each of them, those worth most first; the first 100.
    effects: Vec<PlacementEffect>,
}

/// What a change of placement does to the single points of one service.
#[derive(SimpleObject)]
pub struct PlacementEffect {
    /// The service.
    service: Option<ConfigurationItem>,
    /// The points it no longer has; the first 100.
    removed: Vec<ConfigurationItem>,
    /// The points it has instead; the first 100.
    added: Vec<ConfigurationItem>,
    /// Hours the service is expected to be down in a year as it is; told of the ten services worth most, where it can be
    /// found exactly.
    hours_per_year_before: Option<f64>,
    /// The same with the change. A new place is taken to be there as rarely as the one it replaces with all that rests
    /// on, and independently of everything else.
    hours_per_year_after: Option<f64>,
}

impl PlacementFix {
    fn of(at: &Arc<Moment>, fix: &FixLine) -> Self {
        let listed = |keys: &[String]| by_keys(at, &keys[..keys.len().min(LONGEST_LIST)]);
        let effect = |effect: &FixEffect| PlacementEffect {
            service: by_key(at, &effect.service),
            removed: listed(&effect.removed),
            added: listed(&effect.added),
            hours_per_year_before: effect.hours_per_year.map(|hours| hours.before),
            hours_per_year_after: effect.hours_per_year.map(|hours| hours.after),
        };
        Self {
            action: fix.action.clone(),
            because: fix.because.clone(),
            removed_count: fix.removed,
            added_count: fix.added,
            effect_count: fix.effect_count,
            effects: fix.effects.iter().take(LONGEST_LIST).map(effect).collect(),
        }
    }
}
