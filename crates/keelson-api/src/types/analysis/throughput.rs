//! How much a service can carry.

use std::sync::Arc;

use super::{AmountOfUnit, LISTED, answered, key_of, page_of_subjects};
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
use keelson_app::answers::capacity::throughput::{
    BindingLine, Carries, SpreadLine, ThroughputAnswer, ThroughputQuestion, throughput,
};

/// Whose throughput is asked about.
#[derive(Clone, Debug, InputObject)]
pub struct ThroughputInput {
    /// The service.
    pub service: ConfigurationItemBy,
}

/// Asks it.
pub(crate) async fn find(ctx: &Context<'_>, at: Arc<Moment>, input: &ThroughputInput) -> Result<Throughput, Refusal> {
    let question = ThroughputQuestion { service: key_of(&at, &input.service)?, most: LISTED };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| throughput(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(Throughput { at, answer })
}

/// How much a service can carry.
pub struct Throughput {
    at: Arc<Moment>,
    answer: ThroughputAnswer,
}

/// How much a service can carry.
#[Object]
impl Throughput {
    /// The service.
    async fn service(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.answer.service.key)
    }

    /// The demand on it now, with what is supposed; null where nobody states or measured it.
    async fn demand(&self) -> Option<AmountOfUnit> {
        self.answer.demand.as_ref().map(AmountOfUnit::of)
    }

    /// Up to which workload its targets are promised, where stated: a promise, which holds nothing back.
    async fn promised_up_to(&self) -> Option<AmountOfUnit> {
        self.answer.promised_up_to.as_ref().map(AmountOfUnit::of)
    }

    /// As its load is spread now, the demand on all others staying as it is.
    async fn as_spread(&self) -> CarriedLoad {
        CarriedLoad::of(&self.at, &self.answer.as_spread)
    }

    /// If load may go to any member of a redundancy that takes load now, or is known to take none.
    async fn spread_freely(&self) -> CarriedLoad {
        CarriedLoad::of(&self.at, &self.answer.spread_freely)
    }

    /// How many redundancies there are among whose members load may be shifted.
    async fn pool_count(&self) -> usize {
        self.answer.pool_count
    }

    /// The redundancies among whose members load may be shifted; at most the first 10000.
    async fn pools(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SpreadLoad>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("throughput.pools", self.answer.service.key.clone());
        placed(ctx, &self.at, list, &self.answer.pools, &paging, |one| SpreadLoad::of(&self.at, one))
    }

    /// How many items that its demand reaches state no capacity: they may hold it back earlier.
    async fn without_capacity_count(&self) -> usize {
        self.answer.without_capacity_count
    }

    /// Items that its demand reaches and that state no capacity; at most the first 10000.
    async fn without_capacity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        page_of_subjects(ctx, &self.at, "throughput.withoutCapacity", &self.answer.without_capacity, &paging)
    }

    /// How many relationships that its demand reaches state no ratio of visits.
    async fn unrated_count(&self) -> usize {
        self.answer.unrated_count
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// What a service can carry in one way of spreading its load.
#[derive(SimpleObject)]
pub struct CarriedLoad {
    /// The largest demand with everything within its planning limit; null where nothing with a capacity holds it back, or
    /// where others alone take too much.
    limit: Option<f64>,
    /// Whether the demand on other services alone takes more of something than may be planned.
    is_exhausted: bool,
    /// What holds it back: as load is spread now whatever is full first; spread freely a set that holds it back together,
    /// and of which nothing can be spared. The first 100.
    binding: Vec<BindingResource>,
    /// How many resources are full then.
    full_count: usize,
}

impl CarriedLoad {
    fn of(at: &Arc<Moment>, carries: &Carries) -> Self {
        Self {
            limit: carries.limit,
            is_exhausted: carries.is_exhausted,
            binding: carries.binding.iter().take(LONGEST_LIST).map(|one| BindingResource::of(at, one)).collect(),
            full_count: carries.full_count,
        }
    }
}

/// Something that holds a service back.
#[derive(SimpleObject)]
pub struct BindingResource {
    /// What it is.
    item: Option<ConfigurationItem>,
    /// How much of it there is.
    capacity: AmountOfUnit,
    /// The utilisation to plan with.
    planning_limit: f64,
    /// How much of it one more unit of the service takes as its load is spread now.
    takes: f64,
}

impl BindingResource {
    fn of(at: &Arc<Moment>, line: &BindingLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            capacity: AmountOfUnit::of(&line.capacity),
            planning_limit: line.planning_limit,
            takes: line.takes,
        }
    }
}

/// How the load of members of redundancy is spread.
#[derive(SimpleObject)]
pub struct SpreadLoad {
    /// Whose need it is.
    item: Option<ConfigurationItem>,
    /// What it is called.
    need: String,
    /// The members among which load may be shifted; the first 100.
    members: Vec<SharedPart>,
}

/// A member's part of a load.
#[derive(SimpleObject)]
pub struct SharedPart {
    /// The member, by key.
    key: String,
    /// Its part now, as a fraction.
    now: f64,
    /// Its part where most is carried; null where that is not known.
    then: Option<f64>,
}

impl SpreadLoad {
    fn of(at: &Arc<Moment>, line: &SpreadLine) -> Self {
        let members = line.members.iter().take(LONGEST_LIST);
        Self {
            item: by_key(at, &line.subject.key),
            need: line.need.clone(),
            members: members.map(|one| SharedPart { key: one.key.clone(), now: one.now, then: one.then }).collect(),
        }
    }
}
