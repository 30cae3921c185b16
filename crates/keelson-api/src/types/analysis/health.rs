//! How healthy the catalogue is, weighted by what is at stake.

use std::sync::Arc;

use super::{LISTED, answered, bounded};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::effect::Money;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use crate::types::words::{Criticality, words};
use async_graphql::{Context, InputObject, Object, SimpleObject};
use keelson_app::answers::health::{HealthAnswer, HealthLine, HealthQuestion, HealthScore as HealthScoreLine, health};

/// Most walks the search for false redundancy may make.
const MOST_WALKS: usize = 2_000_000;

/// What is looked at.
#[derive(Clone, Debug, InputObject)]
pub struct CatalogueHealthInput {
    /// Walks the search for false redundancy may make, 0 to 2000000.
    #[graphql(default = 200000)]
    pub budget: i32,
}

crate::inputs::defaults_as_stated!(CatalogueHealthInput);

/// Asks it.
pub(crate) async fn find(
    ctx: &Context<'_>,
    at: Arc<Moment>,
    input: &CatalogueHealthInput,
) -> Result<CatalogueHealth, Refusal> {
    let question = HealthQuestion { most: LISTED, budget: bounded("the budget", input.budget, MOST_WALKS)? };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| health(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(CatalogueHealth { at, answer })
}

words! {
    /// Which side of health a finding is about.
    HealthSide = keelson_app::answers::health::HealthKind {
        /// What should be stated is not.
        Completeness,
        /// What is stated is out of date, contradicted or refers to nothing.
        Correctness,
        /// Relationships and needs that cannot be as they are stated.
        Relationships,
        /// Questions that wait for a person.
        Compliance,
    }
}

/// How healthy the catalogue is.
pub struct CatalogueHealth {
    at: Arc<Moment>,
    answer: HealthAnswer,
}

/// How healthy the catalogue is.
#[Object]
impl CatalogueHealth {
    /// How many items are in service that somebody has described.
    async fn item_count(&self) -> usize {
        self.answer.item_count
    }

    /// How many more are only referred to: nobody has described them, so that all of their data are missing.
    async fn placeholder_count(&self) -> usize {
        self.answer.placeholder_count
    }

    /// Shares of the catalogue that are as they should be; the first 100.
    async fn scores(&self) -> Vec<HealthScore> {
        let at = &self.at;
        self.answer.scores.iter().take(LONGEST_LIST).map(|one| HealthScore::of(at, one)).collect()
    }

    /// How many findings there are.
    async fn finding_count(&self) -> usize {
        self.answer.finding_count
    }

    /// The findings, those with most at stake first; at most the first 10000.
    async fn findings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<HealthFinding>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("catalogueHealth.findings", String::new());
        placed(ctx, &self.at, list, &self.answer.findings, &paging, |one| HealthFinding::of(&self.at, one))
    }

    /// What to mend next, in words: the finding with most at stake.
    async fn next(&self) -> Option<String> {
        self.answer.next.clone()
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// A finding with what is at stake.
#[derive(SimpleObject)]
pub struct HealthFinding {
    /// Which side.
    kind: HealthSide,
    /// What was found, in a word.
    code: String,
    /// The item concerned; absent where it is no item.
    item: Option<Option<ConfigurationItem>>,
    /// The key of what is concerned.
    key: String,
    /// In words, with what to do.
    message: String,
    /// Value at risk, by currency: over the services, the value of an hour times how much likelier the service is breached
    /// when the item is down than when it is up; the first 100.
    value_at_risk: Vec<Money>,
    /// What an hour without the services costs that rest on it, redundantly or not, by currency; the first 100.
    value_at_stake: Vec<Money>,
    /// How many services rest on it.
    services_at_stake: usize,
    /// The highest criticality among them.
    criticality: Option<Criticality>,
}

impl HealthFinding {
    fn of(at: &Arc<Moment>, line: &HealthLine) -> Self {
        let listed = |values: &[keelson_app::answers::attributes::Money]| {
            values.iter().take(LONGEST_LIST).map(|one| Money::of(one.amount, &one.currency)).collect()
        };
        Self {
            kind: line.kind.into(),
            code: line.code.clone(),
            item: line.item.as_ref().map(|one| by_key(at, &one.key)),
            key: line.key.clone(),
            message: line.message.clone(),
            value_at_risk: listed(&line.value_at_risk),
            value_at_stake: listed(&line.value_at_stake),
            services_at_stake: line.services_at_stake,
            criticality: line.criticality.map(Into::into),
        }
    }
}

/// A share of the catalogue that is as it should be.
#[derive(SimpleObject)]
pub struct HealthScore {
    /// What is counted.
    name: String,
    /// How many are as they should be.
    good: usize,
    /// How many there are.
    total: usize,
    /// The share, from 0 to 1; 1 where there is nothing to count.
    share: f64,
}

impl HealthScore {
    fn of(_at: &Arc<Moment>, line: &HealthScoreLine) -> Self {
        Self { name: line.name.clone(), good: line.good, total: line.total, share: line.share }
    }
}
