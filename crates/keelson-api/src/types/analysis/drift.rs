//! Where what is declared and what is observed differ, and for which services that matters.

use std::sync::Arc;

use super::{LISTED, answered, bounded, keys_of};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use crate::types::lookup::ConfigurationItemBy;
use crate::types::words::words;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::answers::drift::{
    DriftAnswer, DriftFigures, DriftLine, DriftQuestion, DriftService, RedundancyFinding, drift,
};

/// Most single differences tried.
const MOST_TRIED: usize = 2_000;

/// What is compared.
#[derive(Clone, Debug, InputObject)]
pub struct DriftInput {
    /// The services, or other items; at most 100, none meaning every service.
    #[graphql(default)]
    pub services: Vec<ConfigurationItemBy>,
    /// Days before the time of the question in which an observation counts.
    #[graphql(default = 14.0)]
    pub window_days: f64,
    /// The share of what happens that is sampled, above 0 and at most 1.
    #[graphql(default = 1.0)]
    pub sampling: f64,
    /// Sightings a day expected of a relationship that is real.
    #[graphql(default = 0.5)]
    pub rate_per_day: f64,
    /// Single differences tried to find which are responsible, 0 to 2000.
    #[graphql(default = 200)]
    pub budget: i32,
}

/// Asks it.
pub(crate) async fn find(ctx: &Context<'_>, at: Arc<Moment>, input: &DriftInput) -> Result<Drift, Refusal> {
    let question = DriftQuestion {
        services: keys_of(&at, &input.services)?,
        window_days: input.window_days,
        sampling: input.sampling,
        rate_per_day: input.rate_per_day,
        most: LISTED,
        budget: bounded("the budget", input.budget, MOST_TRIED)?,
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| drift(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(Drift { at, answer })
}

words! {
    /// How a relationship stands between what is declared and what is observed.
    DriftState = keelson_app::answers::drift::DriftKind {
        /// Observed, and declared by nobody.
        Missing,
        /// Observed, although one of both ends is retired or withdrawn.
        Ended,
        /// Declared, and so unlikely not to have been seen that it is not there any more, or not yet.
        Aspirational,
        /// Declared and not seen; one cannot tell.
        Unobserved,
    }
}

words! {
    /// An answer about a service that depends on whether declaration or observation is right.
    DriftingAnswer = keelson_app::answers::drift::Change {
        /// Its single points of failure.
        SinglePoints,
        /// How many failures it takes to breach it.
        Resilience,
        /// Whether its promised availability is met.
        Target,
        /// By when to decide on more capacity.
        DecisionDate,
    }
}

words! {
    /// What is wrong with a redundancy need.
    RedundancyFault = keelson_app::answers::drift::RedundancyFault {
        /// More members must be up at today's load than are declared to be needed: the redundancy is not there.
        NeedsMore,
        /// Enough members to breach it were observed on something that as declared they do not share.
        SharedAsObserved,
        /// Fewer members must be up at today's load than are declared to be needed.
        NeedsFewer,
    }
}

/// Where what is declared and what is observed differ.
pub struct Drift {
    at: Arc<Moment>,
    answer: DriftAnswer,
}

/// Where what is declared and what is observed differ.
#[Object]
impl Drift {
    /// The chance that a real relationship was not seen.
    async fn unseen_chance(&self) -> f64 {
        self.answer.unseen_chance
    }

    /// How many declared relationships belong to dependents of which anything is observed.
    async fn in_sight(&self) -> usize {
        self.answer.in_sight
    }

    /// How many of those were seen.
    async fn confirmed(&self) -> usize {
        self.answer.confirmed
    }

    /// The share of those that were seen; absent where nothing is in sight.
    async fn confirmed_share(&self) -> Option<f64> {
        self.answer.confirmed_share
    }

    /// Lower end of that share, with a confidence of 95 %, by Clopper and Pearson.
    async fn confirmed_low(&self) -> Option<f64> {
        self.answer.confirmed_low
    }

    /// Upper end.
    async fn confirmed_high(&self) -> Option<f64> {
        self.answer.confirmed_high
    }

    /// How many declared relationships belong to dependents of which nothing is observed, or are of a kind of which nothing
    /// is: whoever watches the network sees no licence.
    async fn out_of_sight(&self) -> usize {
        self.answer.out_of_sight
    }

    /// How many relationships are observed and declared by nobody.
    async fn missing(&self) -> usize {
        self.answer.missing
    }

    /// How many relationships are observed although one of both ends is retired or withdrawn.
    async fn ended(&self) -> usize {
        self.answer.ended
    }

    /// How many are aspirational.
    async fn aspirational(&self) -> usize {
        self.answer.aspirational
    }

    /// How many relationships are observed only, and were not within the window: they count neither as missing nor as
    /// confirmed.
    async fn old(&self) -> usize {
        self.answer.old
    }

    /// How many services rest on something that differs.
    async fn affected_count(&self) -> usize {
        self.answer.affected_count
    }

    /// How many services were looked at.
    async fn service_count(&self) -> usize {
        self.answer.service_count
    }

    /// The services whose answers change, the least stable first; at most the first 10000.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<DriftingService>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("drift.services", String::new());
        placed(ctx, &self.at, list, &self.answer.services, &paging, |one| DriftingService::of(&self.at, one))
    }

    /// The differences, missing ones first; at most the first 10000.
    async fn differences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<DriftDifference>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("drift.differences", String::new());
        placed(ctx, &self.at, list, &self.answer.differences, &paging, |one| DriftDifference::of(&self.at, one))
    }

    /// Redundancy that is declared and not there: by what the load takes, or by what is observed; at most the first 10000.
    async fn redundancy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<DriftingRedundancy>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("drift.redundancy", String::new());
        placed(ctx, &self.at, list, &self.answer.redundancy, &paging, |one| DriftingRedundancy::of(&self.at, one))
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// A difference.
#[derive(SimpleObject)]
pub struct DriftDifference {
    /// How it stands.
    kind: DriftState,
    /// The dependent, by key.
    dependent: String,
    /// The dependency, by key.
    dependency: String,
    /// The kind of relationship, or the name of the need.
    name: String,
}

impl DriftDifference {
    fn of(_at: &Arc<Moment>, line: &DriftLine) -> Self {
        Self {
            kind: line.kind.into(),
            dependent: line.dependent.clone(),
            dependency: line.dependency.clone(),
            name: line.name.clone(),
        }
    }
}

/// A service whose answers change.
#[derive(SimpleObject)]
pub struct DriftingService {
    /// The service.
    item: Option<ConfigurationItem>,
    /// Its single points as declared, by key; the first 100.
    declared_points: Vec<String>,
    /// Its single points if all that is observed is there as well; the first 100.
    observed_points: Vec<String>,
    /// Its single points without what is aspirational; the first 100.
    certain_points: Vec<String>,
    /// The other answers as declared.
    declared: DriftAnswers,
    /// If all that is observed is there as well.
    observed: DriftAnswers,
    /// Without what is aspirational.
    certain: DriftAnswers,
    /// Which answers change.
    changes: Vec<DriftingAnswer>,
    /// The share of its answers that stay the same, from 0 to 1: each single point is an answer, and so are how many
    /// failures it takes, whether its target is met, and by when to decide, where these are known.
    stability: f64,
    /// The differences responsible; the first 100.
    because: Vec<DriftDifference>,
}

impl DriftingService {
    fn of(at: &Arc<Moment>, line: &DriftService) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            declared_points: line.declared_points.iter().take(LONGEST_LIST).cloned().collect(),
            observed_points: line.observed_points.iter().take(LONGEST_LIST).cloned().collect(),
            certain_points: line.certain_points.iter().take(LONGEST_LIST).cloned().collect(),
            declared: DriftAnswers::of(&line.declared),
            observed: DriftAnswers::of(&line.observed),
            certain: DriftAnswers::of(&line.certain),
            changes: line.changes.iter().map(|change| (*change).into()).collect(),
            stability: line.stability,
            because: line.because.iter().take(LONGEST_LIST).map(|one| DriftDifference::of(at, one)).collect(),
        }
    }
}

/// Answers about a service on one graph, every need as it is written.
#[derive(SimpleObject)]
pub struct DriftAnswers {
    /// It takes at least so many failures to breach it.
    failures_at_least: usize,
    /// So many are enough; absent where no number is known that is.
    failures_at_most: Option<usize>,
    /// Whether nothing that may fail breaches it.
    is_unbreakable: bool,
    /// Its unavailability as a fraction, as is to be expected; the same as the answer about availability gives.
    unavailability: f64,
    /// It is not below this, whatever is missing.
    least: f64,
    /// It is not above this, whatever is missing.
    most: f64,
    /// Whether the availability it promises is met; absent where none is promised, or it cannot be told.
    meets_target: Option<bool>,
    /// The first day by which to decide on more of something it uses; absent where none is known.
    decide_by: Option<DateTime<Utc>>,
}

impl DriftAnswers {
    fn of(figures: &DriftFigures) -> Self {
        Self {
            failures_at_least: figures.resilience.at_least,
            failures_at_most: figures.resilience.at_most,
            is_unbreakable: figures.resilience.is_unbreakable,
            unavailability: figures.unavailability,
            least: figures.least,
            most: figures.most,
            meets_target: figures.meets_target,
            decide_by: figures.decide_by,
        }
    }
}

/// A redundancy need that is not what it is declared to be.
#[derive(SimpleObject)]
pub struct DriftingRedundancy {
    /// What is wrong.
    fault: RedundancyFault,
    /// Whose need it is.
    item: Option<ConfigurationItem>,
    /// What it is called.
    need: String,
    /// How many members are declared to be needed; absent where nobody says.
    declared: Option<u32>,
    /// How many the load takes; absent where it is not about a load.
    derived: Option<u32>,
    /// What the members share as observed, by key; the first 20.
    shared: Vec<String>,
    /// In words.
    message: String,
}

impl DriftingRedundancy {
    fn of(at: &Arc<Moment>, line: &RedundancyFinding) -> Self {
        Self {
            fault: line.fault.into(),
            item: by_key(at, &line.subject.key),
            need: line.need.clone(),
            declared: line.declared,
            derived: line.derived,
            shared: line.shared.clone(),
            message: line.message.clone(),
        }
    }
}
