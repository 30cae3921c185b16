//! What a schedule of changes does to services, hour by hour.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::answers::schedule::{
    HarmLine, IntervalLine, ScheduleAnswer as Answer, ScheduleCollision as CollisionLine, ScheduleQuestion, assess,
};
use keelson_model as model;

use super::calendar::InForce;
use super::impact::{Collision, Shift, StandingDisruption};
use super::request::RequestForChange;
use super::{Window, placed, window};
use crate::connection::{Connection, Paging};
use crate::context::{Services, analyse};
use crate::errors::{Code, Refusal};
use crate::ids;
use crate::limits::{LISTED_FINDINGS, LONGEST_LIST, MOST_VALUES};
use crate::moment::Moment;
use crate::types::completeness::Completeness;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use crate::types::words::Verdict;

/// The times of interest, and which changes.
#[derive(Clone, Debug, InputObject)]
pub struct ChangeScheduleInput {
    /// The first instant of interest.
    pub from: DateTime<Utc>,
    /// The first instant that is no longer of interest.
    pub to: DateTime<Utc>,
    /// Only these requests, at most 100; absent: all that are open and no longer drafts.
    pub only: Option<Vec<ID>>,
}

/// Assesses a schedule.
pub(crate) async fn change_schedule(
    services: &Services,
    at: Arc<Moment>,
    input: &ChangeScheduleInput,
) -> Result<ScheduleAnswer, Refusal> {
    let within = window(input.from, input.to).map_err(Refusal::input)?;
    let only = input.only.as_deref().unwrap_or_default();
    if only.len() > MOST_VALUES || input.only.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("name 1 to {MOST_VALUES} requests, or leave them out; {} were given", only.len());
        return Err(Refusal::input(message));
    }
    let key = |id: &ID| {
        let missing = || Refusal::new(Code::NotFound, format!("there is no request for change '{}'", id.as_str()));
        let kept = at.catalogue().request(ids::change(id)?).ok_or_else(missing)?;
        Ok::<_, Refusal>(kept.record.key.to_string())
    };
    let only = only.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    assessed(services, at, within, only).await
}

/// Assesses a schedule of requests, by key; none means all that are open and no longer drafts.
pub(crate) async fn assessed(
    services: &Services,
    at: Arc<Moment>,
    within: model::Window,
    only: Vec<String>,
) -> Result<ScheduleAnswer, Refusal> {
    let (asked, keelson) = (Arc::clone(&at), services.keelson.clone());
    let answer = analyse(services, move |stop| {
        let (policy, most) = (keelson.policy(), LISTED_FINDINGS);
        let question = ScheduleQuestion { within, only: &only, policy, most, stop: Some(stop) };
        assess(&asked.view, &question, asked.asked, keelson.pool())
    })
    .await??;
    Ok(ScheduleAnswer { at, answer: Arc::new(answer) })
}

/// What a schedule of changes does.
#[derive(Clone)]
pub struct ScheduleAnswer {
    at: Arc<Moment>,
    answer: Arc<Answer>,
}

impl ScheduleAnswer {
    /// Whether it says the same as another one, of whatever revision.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let (a, b) = (&*self.answer, &*other.answer);
        a.changes == b.changes
            && a.without_interruption == b.without_interruption
            && a.starting_state == b.starting_state
            && a.collisions == b.collisions
            && a.harm == b.harm
            && a.intervals == b.intervals
            && a.calendar == b.calendar
            && a.basis.limits == b.basis.limits
    }

    /// Tells its lists from those of other times.
    fn of_it(&self) -> String {
        self.answer.within.to_string()
    }

    fn requests<'a>(&self, keys: impl Iterator<Item = &'a str>) -> Vec<RequestForChange> {
        keys.filter_map(|key| RequestForChange::named(&self.at, key)).collect()
    }
}

/// What a schedule of changes does to services, hour by hour. Each list holds at most its first 10000
/// entries.
#[Object]
impl ScheduleAnswer {
    /// The times of interest.
    async fn within(&self) -> Window {
        self.answer.within.into()
    }

    /// The changes that interrupt something then, by start.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RequestForChange>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = self.requests(self.answer.changes.iter().map(|change| change.key.as_str()));
        placed(ctx, &self.at, ("schedule.changes", self.of_it()), &found, &paging, Clone::clone)
    }

    /// Requests of that time that interrupt nothing, or have no window.
    async fn without_interruption(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RequestForChange>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = self.requests(self.answer.without_interruption.iter().map(String::as_str));
        placed(ctx, &self.at, ("schedule.withoutInterruption", self.of_it()), &found, &paging, Clone::clone)
    }

    /// What is down anyway.
    async fn starting_state(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<StandingDisruption>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("schedule.startingState", self.of_it()), &self.answer.starting_state, &paging, |line| {
            StandingDisruption::of(&self.at, line)
        })
    }

    /// Changes that breach together what none of them breaches alone, by time.
    async fn collisions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ScheduleCollision>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("schedule.collisions", self.of_it()), &self.answer.collisions, &paging, |line| {
            ScheduleCollision::of(&self.at, line)
        })
    }

    /// What single changes do by themselves, by time.
    async fn harm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ScheduleHarm>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("schedule.harm", self.of_it()), &self.answer.harm, &paging, |line| {
            ScheduleHarm::of(&self.at, line)
        })
    }

    /// Freezes and maintenance windows in force then, freezes first.
    async fn calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<InForce>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("schedule.calendar", self.of_it()), &self.answer.calendar, &paging, |line| {
            InForce::of(&self.at, line)
        })
    }

    /// The times between two boundaries, in which nothing changes.
    async fn intervals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ScheduleInterval>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("schedule.intervals", self.of_it()), &self.answer.intervals, &paging, |line| {
            ScheduleInterval::of(&self.at, line)
        })
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// A collision, with what to do about it.
#[derive(SimpleObject)]
pub struct ScheduleCollision {
    /// The collision.
    collision: Collision,
    /// The smallest move of one of the changes that resolves it and makes no other; absent when there is none
    /// within the policy, or it was not looked for.
    smallest_shift: Option<Shift>,
    /// The same in words.
    advice: String,
}

impl ScheduleCollision {
    fn of(at: &Arc<Moment>, line: &CollisionLine) -> Self {
        Self {
            collision: Collision::of(at, &line.collision),
            smallest_shift: line.smallest_shift.as_ref().map(|shift| Shift::of(at, shift)),
            advice: line.advice.clone(),
        }
    }
}

/// Harm that is no collision: what one change does by itself, and what several degrade together.
#[derive(SimpleObject)]
pub struct ScheduleHarm {
    /// The service.
    service: Option<ConfigurationItem>,
    /// When.
    window: Window,
    /// The changes at fault; none when what is down anyway does it. At most 100.
    changes: Vec<RequestForChange>,
    /// The fraction of the service that is lost.
    loss: f64,
    /// The verdict on it.
    verdict: Verdict,
    /// The change that is being reversed, when it is only so then.
    reversed: Option<RequestForChange>,
    /// Whether it is only so if what nobody knows turns out badly.
    only_in_doubt: bool,
}

impl ScheduleHarm {
    fn of(at: &Arc<Moment>, line: &HarmLine) -> Self {
        Self {
            service: by_key(at, &line.service.key),
            window: line.window.into(),
            changes: line.changes.iter().take(100).filter_map(|key| RequestForChange::named(at, key)).collect(),
            loss: line.loss,
            verdict: line.verdict.into(),
            reversed: line.reversed.as_deref().and_then(|key| RequestForChange::named(at, key)),
            only_in_doubt: line.only_in_doubt,
        }
    }
}

/// A time between two boundaries, in which nothing changes.
#[derive(SimpleObject)]
pub struct ScheduleInterval {
    /// When.
    window: Window,
    /// The changes under way; the first 100.
    changes: Vec<RequestForChange>,
    /// How many changes are under way.
    change_count: usize,
    /// How many services are breached then.
    breached_count: usize,
    /// How many services are degraded then.
    degraded_count: usize,
}

impl ScheduleInterval {
    fn of(at: &Arc<Moment>, line: &IntervalLine) -> Self {
        let changes = line.changes.iter().take(LONGEST_LIST);
        Self {
            window: line.window.into(),
            changes: changes.filter_map(|key| RequestForChange::named(at, key)).collect(),
            change_count: line.changes.len(),
            breached_count: line.breached,
            degraded_count: line.degraded,
        }
    }
}
