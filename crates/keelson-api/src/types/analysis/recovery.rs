//! In which order things start, and what can never start.

use std::sync::Arc;

use super::{LISTED, MinuteSpan, answered, bounded, keys_of, page_of_subjects};
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
use keelson_app::answers::recovery::{
    DispensableNeed as DispensableNeedLine, RecoveryAnswer, RecoveryQuestion, ServiceRecovery as ServiceRecoveryLine,
    StartLine, WaitLine, WayLine, recovery,
};

/// Most starts that the search for ways around a circle may try.
const MOST_STARTS: usize = 20_000;

/// What is off, and what is to be up again.
#[derive(Clone, Debug, InputObject)]
pub struct RecoveryInput {
    /// What is to be up again; at most 100, none meaning every service.
    #[graphql(default)]
    pub services: Vec<ConfigurationItemBy>,
    /// What was lost, with all that depends on it; at most 100, none meaning that everything is off.
    #[graphql(default)]
    pub lost: Vec<ConfigurationItemBy>,
    /// Starts that the search for ways around a circle may try, 0 to 20000; 0 leaves it out.
    #[graphql(default = 2000)]
    pub budget: i32,
}

crate::inputs::defaults_as_stated!(RecoveryInput);

/// Asks it.
pub(crate) async fn find(ctx: &Context<'_>, at: Arc<Moment>, input: &RecoveryInput) -> Result<Recovery, Refusal> {
    let question = RecoveryQuestion {
        services: keys_of(&at, &input.services)?,
        lost: keys_of(&at, &input.lost)?,
        most: LISTED,
        budget: u32::try_from(bounded("the budget", input.budget, MOST_STARTS)?).unwrap_or(0),
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| recovery(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(Recovery { at, answer })
}

words! {
    /// How a service fares against its recovery time objective.
    RecoveryOutcome = keelson_app::answers::recovery::RecoveryOutcome {
        /// It cannot start.
        Stuck,
        /// It cannot start if doubts are settled badly.
        PossiblyStuck,
        /// It is up too late.
        Missed,
        /// It may be up too late.
        MayMiss,
        /// It is up in time by what is known; how long something on its way takes, nobody states.
        Open,
        /// Nobody stated an objective.
        NoObjective,
        /// It is up in time.
        Met,
        /// It never went off.
        Unaffected,
        /// The search was cut short.
        Unknown,
    }
}

/// The order of recovery, or why there is none.
pub struct Recovery {
    at: Arc<Moment>,
    answer: RecoveryAnswer,
}

/// The order of recovery, or why there is none.
#[Object]
impl Recovery {
    /// What was lost, by key; empty means that everything was off; the first 100.
    async fn lost(&self) -> Vec<String> {
        self.answer.lost.iter().take(LONGEST_LIST).cloned().collect()
    }

    /// The services, those that cannot start first, then those that are too late, then those worth most; at most the first 10000.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServiceRecovery>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("recovery.services", String::new());
        placed(ctx, &self.at, list, &self.answer.services, &paging, |one| ServiceRecovery::of(&self.at, one))
    }

    /// How many services were looked at.
    async fn service_count(&self) -> usize {
        self.answer.service_count
    }

    /// How many items start again.
    async fn started_count(&self) -> usize {
        self.answer.started_count
    }

    /// How many of them are up at once: they wait for nothing and are known to take no time.
    async fn at_once_count(&self) -> usize {
        self.answer.at_once_count
    }

    /// How many count as 0 minutes because neither they nor anything of their class state a time: times are at least so
    /// long.
    async fn unknown_count(&self) -> usize {
        self.answer.unknown_count
    }

    /// The order of recovery of the others; at most the first 10000.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RecoveryStep>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("recovery.order", String::new());
        placed(ctx, &self.at, list, &self.answer.order, &paging, |one| RecoveryStep::of(&self.at, one))
    }

    /// How many items cannot start.
    async fn stuck_count(&self) -> usize {
        self.answer.stuck_count
    }

    /// Those items; at most the first 10000.
    async fn stuck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        page_of_subjects(ctx, &self.at, "recovery.stuck", &self.answer.stuck, &paging)
    }

    /// Who waits for whom, closed: the circle that keeps the first of them from starting.
    async fn circle(&self) -> Vec<RecoveryWait> {
        let at = &self.at;
        self.answer.circle.iter().take(LONGEST_LIST).map(|one| RecoveryWait::of(at, one)).collect()
    }

    /// Ways around the circles, the fastest first.
    async fn ways(&self) -> Vec<RecoveryWay> {
        let at = &self.at;
        self.answer.ways.iter().take(LONGEST_LIST).map(|one| RecoveryWay::of(at, one)).collect()
    }

    /// Whether no smaller set of needs would do.
    async fn is_smallest(&self) -> bool {
        self.answer.is_smallest
    }

    /// What cannot start even without any need that matters at a start alone, by key; the first 100.
    async fn hopeless(&self) -> Vec<String> {
        self.answer.hopeless.iter().take(LONGEST_LIST).cloned().collect()
    }

    /// How many of the items that start state no recovery time.
    async fn assumed_count(&self) -> usize {
        self.answer.assumed_count
    }

    /// The first of them, by key.
    async fn assumed(&self) -> Vec<String> {
        self.answer.assumed.iter().take(LONGEST_LIST).cloned().collect()
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// How one service recovers.
#[derive(SimpleObject)]
pub struct ServiceRecovery {
    /// The service.
    item: Option<ConfigurationItem>,
    /// What an hour without it costs, where stated.
    value_per_hour: Option<Money>,
    /// How it fares.
    outcome: RecoveryOutcome,
    /// Its recovery time objective, where stated.
    objective_minutes: Option<f64>,
    /// When it is up; absent when it cannot start or never went off.
    up: Option<MinuteSpan>,
    /// How much too late it is; absent when it is not.
    late: Option<MinuteSpan>,
    /// What its time is made of: from the first start to its own.
    critical_path: Vec<RecoveryStep>,
    /// What it waits for of which nobody states how long it takes, nor does anything of the same class, by key; the first
    /// 100.
    unknown: Vec<String>,
}

impl ServiceRecovery {
    fn of(at: &Arc<Moment>, line: &ServiceRecoveryLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            value_per_hour: line.value_per_hour.as_ref().map(|one| Money::of(one.amount, &one.currency)),
            outcome: line.outcome.into(),
            objective_minutes: line.objective_minutes,
            up: line.up.map(MinuteSpan::of),
            late: line.late.map(MinuteSpan::of),
            critical_path: line.critical_path.iter().take(LONGEST_LIST).map(|one| RecoveryStep::of(at, one)).collect(),
            unknown: line.unknown.iter().take(LONGEST_LIST).cloned().collect(),
        }
    }
}

/// A step of the order of recovery.
#[derive(SimpleObject)]
pub struct RecoveryStep {
    /// What starts.
    item: Option<ConfigurationItem>,
    /// How long it takes itself.
    own: MinuteSpan,
    /// When it is up, counted from the beginning.
    up: MinuteSpan,
    /// What it waited for last, by key; absent where it waits for nothing.
    after: Option<String>,
    /// Whether its own time is stated by nobody, and taken from its class.
    is_assumed: bool,
}

impl RecoveryStep {
    fn of(at: &Arc<Moment>, line: &StartLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            own: MinuteSpan::of(line.own),
            up: MinuteSpan::of(line.up),
            after: line.after.clone(),
            is_assumed: line.is_assumed,
        }
    }
}

/// One who waits.
#[derive(SimpleObject)]
pub struct RecoveryWait {
    /// Who, by key.
    item: String,
    /// Which need of it does not hold.
    need: String,
    /// For whom, by key; absent where the need cannot hold even with every member up.
    waits_for: Option<String>,
}

impl RecoveryWait {
    fn of(_at: &Arc<Moment>, line: &WaitLine) -> Self {
        Self { item: line.item.clone(), need: line.need.clone(), waits_for: line.waits_for.clone() }
    }
}

/// Needs without which everything asked about can start.
#[derive(SimpleObject)]
pub struct RecoveryWay {
    /// What to make dispensable at a start; the first 100.
    needs: Vec<DispensableNeed>,
    /// When everything asked about is up then.
    up_minutes: f64,
}

impl RecoveryWay {
    fn of(at: &Arc<Moment>, line: &WayLine) -> Self {
        Self {
            needs: line.needs.iter().take(LONGEST_LIST).map(|one| DispensableNeed::of(at, one)).collect(),
            up_minutes: line.up_minutes,
        }
    }
}

/// A need that is dispensable at a start.
#[derive(SimpleObject)]
pub struct DispensableNeed {
    /// Whose, by key.
    item: String,
    /// What it is called.
    need: String,
    /// Its members, by key; the first 100.
    members: Vec<String>,
}

impl DispensableNeed {
    fn of(_at: &Arc<Moment>, line: &DispensableNeedLine) -> Self {
        Self {
            item: line.item.clone(),
            need: line.need.clone(),
            members: line.members.iter().take(LONGEST_LIST).cloned().collect(),
        }
    }
}
