//! Which smallest sets of failures breach a service.

use std::sync::Arc;

use super::by_subjects;
use super::single_points::ProofStep;
use super::{LISTED, answered, bounded, key_of, keys_of};
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
use keelson_app::answers::common_cause::COMMON_CAUSE;
use keelson_app::answers::cut_sets::{
    CutSetLine, CutSetsAnswer, CutSetsQuestion, ResilienceNumber as ResilienceNumberLine, cut_sets,
};

/// Most nodes of decision diagrams an answer may take.
const MOST_NODES: usize = 5_000_000;
/// Most items of a set that is listed.
const LARGEST: usize = 10;

/// Which cut sets are asked for.
#[derive(Clone, Debug, InputObject)]
pub struct CutSetsInput {
    /// The service, or another item.
    pub service: ConfigurationItemBy,
    /// What is down already; at most 100.
    #[graphql(default)]
    pub down: Vec<ConfigurationItemBy>,
    /// Most items of a set that is listed, 1 to 10.
    #[graphql(default = 3)]
    pub largest: i32,
    /// Only sets at least so probable, the most probable first, instead of those of few items.
    pub least_probability: Option<f64>,
    /// How many sets get a proof, 0 to 100.
    #[graphql(default = 0)]
    pub proofs: i32,
    /// Nodes of decision diagrams the answer may take, 0 to 5000000; 0 means a million.
    #[graphql(default = 0)]
    pub nodes: i32,
}

/// Asks it.
pub(crate) async fn find(ctx: &Context<'_>, at: Arc<Moment>, input: &CutSetsInput) -> Result<CutSets, Refusal> {
    let question = CutSetsQuestion {
        service: key_of(&at, &input.service)?,
        down: keys_of(&at, &input.down)?,
        largest: bounded("items of a set", input.largest, LARGEST)?,
        least_chance: input.least_probability,
        most: LISTED,
        proofs: bounded("proofs", input.proofs, LONGEST_LIST)?,
        nodes: bounded("nodes", input.nodes, MOST_NODES)?,
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| cut_sets(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(CutSets { at, answer })
}

/// The cut sets of a service.
pub struct CutSets {
    at: Arc<Moment>,
    answer: CutSetsAnswer,
}

/// The cut sets of a service.
#[Object]
impl CutSets {
    /// The service.
    async fn service(&self) -> Option<ConfigurationItem> {
        let at = &self.at;
        by_key(at, &self.answer.service.key)
    }

    /// What was down already, by key; the first 100.
    async fn down(&self) -> Vec<String> {
        self.answer.down.iter().take(LONGEST_LIST).cloned().collect()
    }

    /// How many failures it takes, every doubt settled badly at the lower end and well at the upper one.
    async fn resilience(&self) -> ResilienceNumber {
        let at = &self.at;
        ResilienceNumber::of(at, &self.answer.resilience)
    }

    /// How many sets there are, in digits: there may be more than a number of 64 bits holds.
    async fn count(&self) -> String {
        self.answer.count.clone()
    }

    /// Whether that is the number; otherwise there are at least so many.
    async fn is_count_exact(&self) -> bool {
        self.answer.is_count_exact
    }

    /// How many sets there are of 1 item, of 2 items and so on, in digits, as far as that is known; the first 100.
    async fn by_order(&self) -> Vec<String> {
        self.answer.by_order.iter().take(LONGEST_LIST).cloned().collect()
    }

    /// The sets; at most the first 10000.
    async fn sets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<CutSet>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("cutSets.sets", String::new());
        placed(ctx, &self.at, list, &self.answer.sets, &paging, |one| CutSet::of(&self.at, one))
    }

    /// Whether these are all that were asked for.
    async fn is_listed_whole(&self) -> bool {
        self.answer.is_listed_whole
    }

    /// The sum of the probabilities of all sets, an upper bound; absent where not all are known.
    async fn probability_sum(&self) -> Option<f64> {
        self.answer.probability_sum
    }

    /// A closer upper bound of the service's unavailability; absent where not all sets are known.
    async fn probability_bound(&self) -> Option<f64> {
        self.answer.probability_bound
    }

    /// How many items state no unavailability.
    async fn missing_count(&self) -> usize {
        self.answer.missing_count
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

/// A smallest set of failures that breaches the service.
#[derive(SimpleObject)]
pub struct CutSet {
    /// The items; none of them can be spared; the first 100.
    items: Vec<ConfigurationItem>,
    /// What members of needs have in common, by name, that is in the set as well; the first 100.
    common_causes: Vec<String>,
    /// How many they are, common causes included.
    order: usize,
    /// The probability that all of them are down, each at its upper end.
    probability: f64,
    /// Why their loss breaches the service, line by line; empty where no proof was asked for; the first 100.
    proof: Vec<ProofStep>,
}

impl CutSet {
    fn of(at: &Arc<Moment>, line: &CutSetLine) -> Self {
        Self {
            items: by_subjects(at, &line.items),
            common_causes: line
                .items
                .iter()
                .filter(|one| one.class == COMMON_CAUSE)
                .take(LONGEST_LIST)
                .map(|one| one.name.clone())
                .collect(),
            order: line.order,
            probability: line.probability,
            proof: line.proof.iter().take(LONGEST_LIST).map(ProofStep::of).collect(),
        }
    }
}

/// How many failures a service survives.
#[derive(SimpleObject)]
pub struct ResilienceNumber {
    /// It takes at least so many failures to breach the service.
    at_least: usize,
    /// So many are enough; absent where no set is known that is.
    at_most: Option<usize>,
    /// Whether nothing that may fail breaches it.
    is_unbreakable: bool,
}

impl ResilienceNumber {
    fn of(_at: &Arc<Moment>, line: &ResilienceNumberLine) -> Self {
        Self { at_least: line.at_least, at_most: line.at_most, is_unbreakable: line.is_unbreakable }
    }
}
