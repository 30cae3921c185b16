//! Whether contracts are as strong as the promises that rest on them.

use std::sync::Arc;

use super::{answered, bounded, keys_of};
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
use keelson_app::answers::supplier::promise::{
    ComposedTerm, Level, PromiseAnswer, PromiseLine, PromiseQuestion, TermLine, WeakContract, promise,
};

/// Whose promises are asked about.
#[derive(Clone, Debug, InputObject)]
pub struct PromiseGapInput {
    /// The services; at most 100, none meaning every service that promises an availability.
    #[graphql(default)]
    pub services: Vec<ConfigurationItemBy>,
    /// How many services are computed, those worth most first, 0 to 100.
    #[graphql(default = 20)]
    pub most_services: i32,
}

crate::inputs::defaults_as_stated!(PromiseGapInput);

/// Asks it.
pub(crate) async fn find(ctx: &Context<'_>, at: Arc<Moment>, input: &PromiseGapInput) -> Result<PromiseGap, Refusal> {
    let question = PromiseQuestion {
        services: keys_of(&at, &input.services)?,
        most: bounded("services", input.most_services, LONGEST_LIST)?,
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| promise(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(PromiseGap { at, answer })
}

/// Promises and what they rest on.
pub struct PromiseGap {
    at: Arc<Moment>,
    answer: PromiseAnswer,
}

/// Promises and what they rest on.
#[Object]
impl PromiseGap {
    /// Length of the period that minutes are told for, in days.
    async fn period_days(&self) -> u32 {
        self.answer.period_days
    }

    /// How many services promise an availability.
    async fn service_count(&self) -> usize {
        self.answer.service_count
    }

    /// How many have a gap for certain.
    async fn gap_count(&self) -> usize {
        self.answer.gap_count
    }

    /// The services, those with the largest gap first; at most the first 10000.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServicePromise>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("promiseGap.services", String::new());
        placed(ctx, &self.at, list, &self.answer.services, &paging, |one| ServicePromise::of(&self.at, one))
    }

    /// What every probability here takes for granted.
    async fn independence(&self) -> String {
        self.answer.independence.clone()
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// The promise of one service.
#[derive(SimpleObject)]
pub struct ServicePromise {
    /// The service.
    item: Option<ConfigurationItem>,
    /// What is promised to customers.
    promised: f64,
    /// Minutes down in 30 days that this allows.
    promised_minutes: f64,
    /// What contracts and own measurements compose to.
    contracted: AvailabilityLevel,
    /// What measurements compose to.
    observed: AvailabilityLevel,
    /// What was measured of the service itself, where stated.
    measured: Option<f64>,
    /// Minutes in 30 days by which what is contracted allows more than is promised, every need as it is written and every
    /// chance at its lower end; 0 or below: no gap.
    gap_minutes: f64,
    /// The gap is not smaller, whatever is missing.
    gap_least: f64,
    /// The gap is not larger, whatever is missing.
    gap_most: f64,
    /// Whether there is a gap, whatever is missing; absent where that depends on it.
    has_gap: Option<bool>,
    /// The contracts, the weakest first.
    contracts: Vec<ContractTarget>,
    /// Terms beside availability, composed over everything beneath the service.
    composed: Vec<ComposedContractTerm>,
    /// Terms of single contracts; the first 100.
    terms: Vec<ContractTerm>,
    /// Contracts that state no target, by key; the first 100.
    without_target: Vec<String>,
    /// Contracts that have ended or not begun, by key: they promise nothing; the first 100.
    not_in_force: Vec<String>,
    /// Own items that state neither a measurement nor an unavailability; how many.
    without_figure: usize,
}

impl ServicePromise {
    pub(super) fn of(at: &Arc<Moment>, line: &PromiseLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            promised: line.promised,
            promised_minutes: line.promised_minutes,
            contracted: AvailabilityLevel::of(at, &line.contracted),
            observed: AvailabilityLevel::of(at, &line.observed),
            measured: line.measured,
            gap_minutes: line.gap_minutes,
            gap_least: line.gap_least,
            gap_most: line.gap_most,
            has_gap: line.has_gap,
            contracts: line.contracts.iter().take(LONGEST_LIST).map(|one| ContractTarget::of(at, one)).collect(),
            composed: line.composed.iter().map(|one| ComposedContractTerm::of(at, one)).collect(),
            terms: line.terms.iter().take(LONGEST_LIST).map(|one| ContractTerm::of(at, one)).collect(),
            without_target: line.without_target.iter().take(LONGEST_LIST).cloned().collect(),
            not_in_force: line.not_in_force.iter().take(LONGEST_LIST).cloned().collect(),
            without_figure: line.without_figure,
        }
    }
}

/// An availability, and what it comes to in 30 days.
#[derive(SimpleObject)]
pub struct AvailabilityLevel {
    /// The availability.
    availability: f64,
    /// It is not below this, whatever is missing.
    least: f64,
    /// It is not above this, whatever is missing.
    most: f64,
    /// Minutes down in 30 days.
    minutes: f64,
}

impl AvailabilityLevel {
    fn of(_at: &Arc<Moment>, line: &Level) -> Self {
        Self { availability: line.availability, least: line.least, most: line.most, minutes: line.minutes }
    }
}

/// A promise compared with what everything beneath the service comes to.
#[derive(SimpleObject)]
pub struct ComposedContractTerm {
    /// What is compared: `support hours`, `response`, `resolution`, `recovery time`, `recovery point` as contracts
    /// promise them; `start from nothing` against the recovery time objective of the service itself.
    term: String,
    /// What the service promises.
    promised: String,
    /// What it comes to, in words.
    contracted: String,
    /// At least so many minutes, whatever is missing; of support hours the minutes of a week that are promised and not
    /// covered. Absent where the service cannot start at all.
    least: Option<f64>,
    /// So many with every need as it is written, contracts that do not state the term left aside; absent where the
    /// service cannot start at all, or what it promises cannot be read.
    stated: Option<f64>,
    /// At most so many, whatever is missing; absent where there is no such limit.
    most: Option<f64>,
    /// Whether it is as strong as the promise; absent where that depends on what is missing.
    holds: Option<bool>,
    /// What decides it: the contracts whose term it is, or what takes longest on the way to a start; the first 100.
    decided_by: Vec<ConfigurationItem>,
    /// Contracts beneath the service that do not state the term, or not so that it can be read, by key; the first 100.
    unstated: Vec<String>,
}

impl ComposedContractTerm {
    fn of(at: &Arc<Moment>, line: &ComposedTerm) -> Self {
        let deciding = line.decided_by.iter().filter_map(|one| by_key(at, &one.key));
        Self {
            term: line.term.clone(),
            promised: line.promised.clone(),
            contracted: line.contracted.clone(),
            least: line.least,
            stated: line.stated,
            most: line.most,
            holds: line.holds,
            decided_by: deciding.take(LONGEST_LIST).collect(),
            unstated: line.unstated.iter().take(LONGEST_LIST).cloned().collect(),
        }
    }
}

/// A promise compared with the terms of a contract.
#[derive(SimpleObject)]
pub struct ContractTerm {
    /// The contract.
    contract: Option<ConfigurationItem>,
    /// Whether its loss alone breaches the service.
    is_alone: bool,
    /// What is compared: `support hours`, `response`, `resolution`, `recovery time`, `recovery point`, `notice`,
    /// `credits`, `measurement period`, `exclusions`.
    term: String,
    /// What the service promises, or what replacing takes.
    promised: String,
    /// What the contract says.
    contracted: String,
    /// Whether the contract is as strong as the promise; absent where it cannot be told.
    holds: Option<bool>,
}

impl ContractTerm {
    fn of(at: &Arc<Moment>, line: &TermLine) -> Self {
        Self {
            contract: by_key(at, &line.contract.key),
            is_alone: line.is_alone,
            term: line.term.clone(),
            promised: line.promised.clone(),
            contracted: line.contracted.clone(),
            holds: line.holds,
        }
    }
}

/// What a contract would need to promise.
#[derive(SimpleObject)]
pub struct ContractTarget {
    /// The contract, or what is bought under its own target.
    item: Option<ConfigurationItem>,
    /// What it promises.
    target: f64,
    /// How much of the service's composed unavailability goes if it never failed.
    criticality: f64,
    /// The target that would close the gap as it is told in minutes: everything else at the lower end of its chance, and
    /// contracts that state no target never failing; absent where none would.
    needed: Option<f64>,
    /// The target that would still close it with everything else at the upper end; absent where none would.
    needed_at_worst: Option<f64>,
}

impl ContractTarget {
    fn of(at: &Arc<Moment>, line: &WeakContract) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            target: line.target,
            criticality: line.criticality,
            needed: line.needed,
            needed_at_worst: line.needed_at_worst,
        }
    }
}
