//! How available services can be.

use std::sync::Arc;

use super::promise::ServicePromise;
use super::{answered, bounded, keys_of};
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
use crate::types::words::{Criticality, words};
use async_graphql::{Context, InputObject, Object, SimpleObject};
use keelson_app::answers::availability::{
    AvailabilityAnswer, AvailabilityQuestion, Contributor, ServiceAvailability as ServiceAvailabilityLine, StakeLine,
    availability,
};
use keelson_app::answers::common_cause::CommonCauseLine;

/// Most nodes of decision diagrams an answer may take.
const MOST_NODES: usize = 5_000_000;
/// Most scenarios of a simulation.
const MOST_SAMPLES: usize = 1_000_000;
/// Most services computed by one answer.
const MOST_SERVICES: usize = 100;

/// Which availabilities are asked for.
#[derive(Clone, Debug, InputObject)]
pub struct AvailabilityInput {
    /// The services, or other items; at most 100, none meaning every service.
    #[graphql(default)]
    pub services: Vec<ConfigurationItemBy>,
    /// What is down already; at most 100.
    #[graphql(default)]
    pub down: Vec<ConfigurationItemBy>,
    /// How many services are computed, those worth most first, 0 to 100.
    #[graphql(default = 20)]
    pub most_services: i32,
    /// How many contributing items are named of each service, 0 to 100.
    #[graphql(default = 10)]
    pub contributors: i32,
    /// Nodes of decision diagrams an exact answer of a service may take, 0 to 5000000; 0 means a million for up to four
    /// services, and four million shared among more, but no less than a hundred thousand each.
    #[graphql(default = 0)]
    pub nodes: i32,
    /// Scenarios of a simulation where no exact answer comes about, 0 to 1000000; 0 means a hundred thousand.
    #[graphql(default = 0)]
    pub samples: i32,
}

crate::inputs::defaults_as_stated!(AvailabilityInput);

/// Asks it.
pub(crate) async fn find(
    ctx: &Context<'_>,
    at: Arc<Moment>,
    input: &AvailabilityInput,
) -> Result<Availability, Refusal> {
    let question = AvailabilityQuestion {
        services: keys_of(&at, &input.services)?,
        down: keys_of(&at, &input.down)?,
        most: bounded("services", input.most_services, MOST_SERVICES)?,
        contributors: bounded("contributors", input.contributors, LONGEST_LIST)?,
        nodes: bounded("nodes", input.nodes, MOST_NODES)?,
        samples: bounded("samples", input.samples, MOST_SAMPLES)? as u64,
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| availability(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(Availability { at, answer })
}

words! {
    /// How an unavailability was found, and what its ends are worth.
    AvailabilityMethod = keelson_app::answers::availability::MethodWord {
        /// Exactly, from decision diagrams.
        Exact,
        /// From the more likely cut sets; the ends hold for certain.
        Bounds,
        /// By simulation; the ends hold with a confidence of 95 %.
        Simulated,
    }
}

/// How available services can be.
pub struct Availability {
    at: Arc<Moment>,
    answer: AvailabilityAnswer,
}

/// How available services can be.
#[Object]
impl Availability {
    /// What was down already, by key; the first 100.
    async fn down(&self) -> Vec<String> {
        self.answer.down.iter().take(LONGEST_LIST).cloned().collect()
    }

    /// Of those of the services computed that promise an availability, what contracts and measurements come to beside it,
    /// those with the largest gap first; as if nothing were down.
    async fn promises(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServicePromise>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("availability.promises", String::new());
        placed(ctx, &self.at, list, &self.answer.promises, &paging, |one| ServicePromise::of(&self.at, one))
    }

    /// How many services were asked about.
    async fn service_count(&self) -> usize {
        self.answer.service_count
    }

    /// The services computed, those worth most first, then the most critical; at most the first 10000.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServiceAvailability>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("availability.services", String::new());
        placed(ctx, &self.at, list, &self.answer.services, &paging, |one| ServiceAvailability::of(&self.at, one))
    }

    /// What is at stake with each item, most first; at most the first 10000.
    async fn stakes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ValueAtRisk>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("availability.stakes", String::new());
        placed(ctx, &self.at, list, &self.answer.stakes, &paging, |one| ValueAtRisk::of(&self.at, one))
    }

    /// How many items state no unavailability.
    async fn missing_count(&self) -> usize {
        self.answer.missing_count
    }

    /// The first of them, by key.
    async fn missing(&self) -> Vec<String> {
        self.answer.missing.iter().take(LONGEST_LIST).cloned().collect()
    }

    /// What every probability here takes for granted.
    async fn independence(&self) -> String {
        self.answer.independence.clone()
    }

    /// Redundancy needs whose members are said to fail together now and then; the first 100.
    async fn common_causes(&self) -> Vec<CommonCause> {
        self.answer.common_causes.iter().take(LONGEST_LIST).map(|one| CommonCause::of(&self.at, one)).collect()
    }

    /// How many redundancy needs there are.
    async fn redundancy_count(&self) -> usize {
        self.answer.redundancy_count
    }

    /// How many of them do not say how much of what fails a member fails all: their members are taken to fail
    /// independently.
    async fn without_common_cause(&self) -> usize {
        self.answer.without_common_cause
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// A redundancy need whose members now and then fail together.
#[derive(SimpleObject)]
pub struct CommonCause {
    /// Whose need it is.
    item: Option<ConfigurationItem>,
    /// What the need is called.
    need: String,
    /// Which fraction of what fails a member fails all, 0 to 1.
    fraction: f64,
    /// How likely all fail together: at least.
    least: f64,
    /// At most.
    most: f64,
}

impl CommonCause {
    fn of(at: &Arc<Moment>, line: &CommonCauseLine) -> Self {
        let CommonCauseLine { subject, need, fraction, least, most } = line;
        let item = by_key(at, &subject.key);
        Self { item, need: need.clone(), fraction: *fraction, least: *least, most: *most }
    }
}

/// How available one service can be.
#[derive(SimpleObject)]
pub struct ServiceAvailability {
    /// The service.
    item: Option<ConfigurationItem>,
    /// How much depends on it, where stated.
    criticality: Option<Criticality>,
    /// What an hour without it costs, where stated.
    value_per_hour: Option<Money>,
    /// What is to be expected of its unavailability: every need as it is written, and every figure as it is stated, or else
    /// the middle of the interval that it or its class states.
    unavailability: f64,
    /// It is not below this, whatever is missing.
    least: f64,
    /// It is not above this, whatever is missing.
    most: f64,
    /// The same in hours a year.
    hours_per_year: f64,
    /// What that costs in a year; absent where no hour's value is stated, or nothing is known of the unavailability.
    cost_per_year: Option<Money>,
    /// How it was found.
    method: AvailabilityMethod,
    /// Scenarios tried, where it was simulated.
    samples: Option<u64>,
    /// The loss at which it counts as breached.
    breached_at: f64,
    /// The availability promised to customers, where stated.
    target: Option<f64>,
    /// The availability that was measured, where stated.
    measured: Option<f64>,
    /// Whether what can be expected meets the target, whatever is missing; absent where there is no target or it
    /// depends on what is missing.
    meets_target: Option<bool>,
    /// Whether it has failed already by what is down.
    has_failed: bool,
    /// The items that hurt most now, the most critical first.
    hurts: Vec<AvailabilityContributor>,
    /// The items that may never be lost, by Birnbaum importance; the first 100.
    vital: Vec<AvailabilityContributor>,
    /// How many items contribute.
    contributor_count: usize,
}

impl ServiceAvailability {
    fn of(at: &Arc<Moment>, line: &ServiceAvailabilityLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            criticality: line.criticality.map(Into::into),
            value_per_hour: line.value_per_hour.as_ref().map(|one| Money::of(one.amount, &one.currency)),
            unavailability: line.unavailability,
            least: line.least,
            most: line.most,
            hours_per_year: line.hours_per_year,
            cost_per_year: line.cost_per_year.as_ref().map(|one| Money::of(one.amount, &one.currency)),
            method: line.method.into(),
            samples: line.samples,
            breached_at: line.breached_at,
            target: line.target,
            measured: line.measured,
            meets_target: line.meets_target,
            has_failed: line.has_failed,
            hurts: line.hurts.iter().take(LONGEST_LIST).map(|one| AvailabilityContributor::of(at, one)).collect(),
            vital: line.vital.iter().take(LONGEST_LIST).map(|one| AvailabilityContributor::of(at, one)).collect(),
            contributor_count: line.contributor_count,
        }
    }
}

/// An item that contributes to the unavailability of a service.
#[derive(SimpleObject)]
pub struct AvailabilityContributor {
    /// The item; absent where it is what members of a need have in common.
    item: Option<ConfigurationItem>,
    /// Its name.
    name: String,
    /// Its own unavailability.
    unavailability: f64,
    /// Criticality: how much of the service's unavailability goes when it never fails (analyses 3.3).
    criticality: f64,
    /// Birnbaum: how much likelier the service is down when it is down than when it is up.
    birnbaum: f64,
}

impl AvailabilityContributor {
    fn of(at: &Arc<Moment>, line: &Contributor) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            name: line.subject.name.clone(),
            unavailability: line.unavailability,
            criticality: line.criticality,
            birnbaum: line.birnbaum,
        }
    }
}

/// What is at stake with one item.
#[derive(SimpleObject)]
pub struct ValueAtRisk {
    /// The item; absent where it is what members of a need have in common.
    item: Option<ConfigurationItem>,
    /// Its name.
    name: String,
    /// Value at risk: over all services, the value of an hour times the item's Birnbaum importance.
    value_per_hour: Money,
}

impl ValueAtRisk {
    fn of(at: &Arc<Moment>, line: &StakeLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            name: line.subject.name.clone(),
            value_per_hour: Money::of(line.value_per_hour.amount, &line.value_per_hour.currency),
        }
    }
}
