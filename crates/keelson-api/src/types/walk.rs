//! Walks: what an item needs, what depends on it, and why one depends on another.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use keelson_app::answers::needs::NeedLine;
use keelson_app::answers::walk::{Met, PathAnswer as PathFound, PathStep as Step, WalkAnswer};

use super::completeness::Completeness;
use super::impact::by_key;
use super::item::ConfigurationItem;
use super::lookup::ConfigurationItemBy;
use super::need::RuleKind;
use super::words::Direction;
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name};
use crate::errors::Refusal;
use crate::moment::Moment;

/// Where a walk starts, and how far it goes.
#[derive(Clone, Debug, InputObject)]
pub struct ClosureInput {
    /// Where it starts.
    pub item: ConfigurationItemBy,
    /// Which way.
    pub direction: Direction,
    /// Only items of this class or below it are listed; the walk passes through all.
    pub class: Option<String>,
    /// Most steps from the start, 1 to 50; 50 by default.
    pub depth: Option<i32>,
}

/// The two ends of a chain of needs.
#[derive(Clone, Debug, InputObject)]
pub struct PathInput {
    /// The dependent.
    pub dependent: ConfigurationItemBy,
    /// The dependency.
    pub dependency: ConfigurationItemBy,
}

/// What an item needs, or what depends on it, directly or not.
pub struct Closure {
    at: Arc<Moment>,
    answer: WalkAnswer,
}

impl Closure {
    pub(crate) fn of(at: Arc<Moment>, mut answer: WalkAnswer) -> Self {
        answer.items.sort_by(|a, b| (a.distance, &a.subject.key).cmp(&(b.distance, &b.subject.key)));
        Self { at, answer }
    }
}

/// What an item needs, or what depends on it, directly or not.
#[Object]
impl Closure {
    /// Where the walk started.
    async fn start(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.answer.start.key)
    }

    /// Which way it went.
    async fn direction(&self) -> Direction {
        self.answer.way.into()
    }

    /// The items met, nearest first, then by key.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<MetItem>, Refusal> {
        let (name, paging) =
            (list_name("closure.items", String::new(), &self.at), Paging::new(first, after, last, before));
        let place = |met: &Met| (met.distance, met.subject.key.clone());
        let node =
            |met: &Met| MetItem { at: Arc::clone(&self.at), key: met.subject.key.clone(), distance: met.distance };
        Connection::page(&self.answer.items, &paging, &name, &ctx.services().seal, place, node)
    }

    /// How many of the items met are of each class, by class; one entry for each class at most.
    async fn classes(&self) -> Vec<ClassCount> {
        let count = |(class, count): (&String, &usize)| ClassCount { class: class.clone(), count: *count };
        self.answer.classes.iter().map(count).collect()
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// An item met on a walk.
pub struct MetItem {
    at: Arc<Moment>,
    key: String,
    distance: u32,
}

/// An item met on a walk.
#[Object]
impl MetItem {
    /// The item.
    async fn item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.key)
    }

    /// Steps from the start.
    async fn distance(&self) -> u32 {
        self.distance
    }
}

/// How many items are of a class.
#[derive(Clone, Debug, SimpleObject)]
pub struct ClassCount {
    /// The class.
    class: String,
    /// How many.
    count: usize,
}

/// Why one item depends on another.
pub struct Explanation {
    at: Arc<Moment>,
    found: PathFound,
}

impl Explanation {
    pub(crate) fn of(at: Arc<Moment>, found: PathFound) -> Self {
        Self { at, found }
    }
}

/// Why one item depends on another: a shortest chain of needs.
#[Object]
impl Explanation {
    /// Whether the dependent depends on the dependency at all. When the answer is not complete, "no"
    /// means "not found".
    async fn depends(&self) -> bool {
        self.found.depends
    }

    /// The chain, from the dependent to the dependency; empty when there is none.
    async fn steps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<PathStep>, Refusal> {
        let (name, paging) =
            (list_name("path.steps", String::new(), &self.at), Paging::new(first, after, last, before));
        let places: Vec<(usize, &Step)> = self.found.steps.iter().enumerate().collect();
        let node = |(_, step): &(usize, &Step)| PathStep { at: Arc::clone(&self.at), step: Step::clone(step) };
        Connection::page(&places, &paging, &name, &ctx.services().seal, |(place, _)| *place, node)
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.found.basis)
    }
}

/// One step of a chain of needs.
pub struct PathStep {
    at: Arc<Moment>,
    step: Step,
}

/// One step of a chain of needs.
#[Object]
impl PathStep {
    /// The item.
    async fn item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, &self.step.subject.key)
    }

    /// The need through which it needs the next item; absent on the last step.
    async fn need(&self) -> Option<StepNeed> {
        self.step.need.as_ref().map(StepNeed::from)
    }
}

/// The need through which an item needs the next one of a chain.
#[derive(Clone, Debug, SimpleObject)]
pub struct StepNeed {
    /// Its name; of a plain relationship, how its kind reads.
    name: String,
    /// The kind of relationship to its members.
    kind: String,
    /// How its members combine.
    rule: RuleKind,
    /// Members that must be up, for a rule that counts.
    required: Option<u32>,
    /// Number of members.
    member_count: u32,
    /// The largest loss it can cause, above 0 and below 1; absent where it is hard.
    largest_loss: Option<f64>,
}

impl From<&NeedLine> for StepNeed {
    fn from(line: &NeedLine) -> Self {
        Self {
            name: line.need.name.clone(),
            kind: line.kind.clone(),
            rule: RuleKind::named(&line.need.rule),
            required: line.need.k,
            member_count: line.need.of,
            largest_loss: line.need.cap,
        }
    }
}
