//! What a request for change does, as of now.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, TimeDelta, Utc};
use keelson_app::answers::change::{
    ChangeAnswer, CollisionLine, EffectLine, RiskLine, ShiftLine, StandingLine, Summary, ViolationLine,
};

use super::calendar::InForce;
use super::effect::{Money, Party, ServiceEffect};
use super::load::LoadMeanwhile;
use super::request::RequestForChange;
use super::words::DisruptionKind;
use super::{Window, placed};
use crate::connection::{Connection, Paging};
use crate::context::Find;
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::certainty::Certainty;
use crate::types::completeness::Completeness;
use crate::types::impact::{by_key, numbers};
use crate::types::item::{ConfigurationItem, listed};
use crate::types::scalar::{Decimal, Duration};

/// Something that is down or impaired anyway.
#[derive(SimpleObject)]
pub struct StandingDisruption {
    /// The item.
    item: Option<ConfigurationItem>,
    /// What kind of disruption it is.
    kind: DisruptionKind,
    /// The fraction of it that is lost, above 0 and at most 1.
    loss: f64,
    /// When it began.
    start: DateTime<Utc>,
    /// When it is known to end.
    end: Option<DateTime<Utc>>,
    /// Where it is worked on.
    reference: Option<String>,
}

impl StandingDisruption {
    pub(super) fn of(at: &Arc<Moment>, line: &StandingLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            kind: line.kind.into(),
            loss: line.loss,
            start: line.from,
            end: line.until,
            reference: line.reference.clone(),
        }
    }
}

/// Changes that breach together what none of them breaches alone.
#[derive(SimpleObject)]
pub struct Collision {
    /// The service.
    service: Option<ConfigurationItem>,
    /// When.
    window: Window,
    /// The smallest set of changes at fault; the first 100 of them.
    changes: Vec<RequestForChange>,
    /// The fraction of the service that is lost then.
    loss: f64,
    /// The change that is being reversed, when it is only so then.
    reversed: Option<RequestForChange>,
    /// Whether it is only so if what nobody knows turns out badly.
    only_in_doubt: bool,
}

impl Collision {
    pub(super) fn of(at: &Arc<Moment>, line: &CollisionLine) -> Self {
        Self {
            service: by_key(at, &line.service.key),
            window: line.window.into(),
            changes: line
                .changes
                .iter()
                .take(LONGEST_LIST)
                .filter_map(|key| RequestForChange::named(at, key))
                .collect(),
            loss: line.loss,
            reversed: line.reversed.as_deref().and_then(|key| RequestForChange::named(at, key)),
            only_in_doubt: line.only_in_doubt,
        }
    }
}

/// The smallest move of a change that resolves collisions.
#[derive(SimpleObject)]
pub struct Shift {
    /// The change to move.
    change: Option<RequestForChange>,
    /// By how much; below zero means earlier.
    by: Duration,
    /// Its new window.
    window: Window,
    /// Whether it would leave the window agreed for it.
    leaves_agreed: bool,
    /// How many collisions of others are left.
    left_count: usize,
    /// Freezes in force then that are about everything, or about something the change touches, by name: to be
    /// looked at before it is moved there. The first 100.
    meets: Vec<String>,
}

impl Shift {
    pub(super) fn of(at: &Arc<Moment>, line: &ShiftLine) -> Self {
        Self {
            change: RequestForChange::named(at, &line.change),
            by: Duration(TimeDelta::try_seconds(line.seconds).unwrap_or_default()),
            window: line.window.into(),
            leaves_agreed: line.leaves_agreed,
            left_count: line.left,
            meets: line.meets.iter().take(LONGEST_LIST).cloned().collect(),
        }
    }
}

/// How many services there are of each effect.
#[derive(SimpleObject)]
pub struct EffectCounts {
    /// Services that deliver less than they must, at worst.
    breached: usize,
    /// Of those, the ones that are breached however the unknown facts turn out.
    certainly_breached: usize,
    /// Services that lose something and still deliver what they must, at worst.
    degraded: usize,
    /// Services that stay up with less redundancy: one failure from a breach that they were not before.
    margin_lost: usize,
    /// Services that are touched and keep what protects them.
    protected: usize,
}

impl From<Summary> for EffectCounts {
    fn from(summary: Summary) -> Self {
        let Summary { breached, certainly_breached, degraded, margin_lost, protected } = summary;
        Self { breached, certainly_breached, degraded, margin_lost, protected }
    }
}

/// A freeze or maintenance window that a change violates.
#[derive(SimpleObject)]
pub struct CalendarViolation {
    /// The freeze or maintenance window, by name.
    entry: String,
    /// What it is about; absent when it is about every service.
    item: Option<ConfigurationItem>,
    /// When.
    during: Window,
    /// Whether it is only so if the change has to be reversed.
    is_only_if_reversed: bool,
    /// Why, in a sentence.
    message: String,
}

impl CalendarViolation {
    fn of(at: &Arc<Moment>, line: &ViolationLine) -> Self {
        Self {
            entry: line.entry.clone(),
            item: line.item.as_ref().and_then(|item| by_key(at, &item.key)),
            during: line.during.into(),
            is_only_if_reversed: line.only_if_reversed,
            message: line.text.clone(),
        }
    }
}

/// What is lost on average in one currency.
#[derive(SimpleObject)]
pub struct ExpectedLoss {
    /// The currency: `EUR`.
    currency: String,
    /// Breaches that are part of the plan.
    planned: Decimal,
    /// Harm if it fails and is reversed.
    failed: Decimal,
    /// Failures of new single points meanwhile, at most.
    exposed: Decimal,
}

/// The chance that a change fails, and what may be expected of it.
#[derive(SimpleObject)]
pub struct ChangeRisk {
    /// The chance that it fails, from 0 to 1.
    failure: f64,
    /// The lower end of the middle 90 % of what that chance may be.
    lowest: f64,
    /// The upper end of it.
    highest: f64,
    /// Which changes that rests on, in words.
    like: String,
    /// How many of those there were.
    change_count: u32,
    /// How many of them failed.
    failure_count: u32,
    /// What is lost on average, over the services whose value is known; one entry for each currency, the
    /// first 100.
    expected_loss: Vec<ExpectedLoss>,
    /// Services at stake whose value nobody stated.
    without_value_count: usize,
    /// New single points of failure whose own unavailability nobody stated; they count as never failing.
    without_unavailability_count: usize,
}

impl From<&RiskLine> for ChangeRisk {
    fn from(line: &RiskLine) -> Self {
        let expected = line.expected_loss.iter().take(LONGEST_LIST).map(|one| ExpectedLoss {
            currency: one.currency.clone(),
            planned: Money::rounded(one.planned),
            failed: Money::rounded(one.failed),
            exposed: Money::rounded(one.exposed),
        });
        Self {
            failure: line.failure,
            lowest: line.interval.0,
            highest: line.interval.1,
            like: line.like.clone(),
            change_count: line.changes,
            failure_count: line.failures,
            expected_loss: expected.collect(),
            without_value_count: line.without_value,
            without_unavailability_count: line.without_unavailability,
        }
    }
}

/// What a request for change does.
pub struct ChangeImpact {
    at: Arc<Moment>,
    answer: Arc<ChangeAnswer>,
}

impl ChangeImpact {
    pub(super) fn of(at: &Arc<Moment>, answer: Arc<ChangeAnswer>) -> Self {
        Self { at: Arc::clone(at), answer }
    }

    /// Tells its lists from those of other requests.
    fn of_it(&self) -> String {
        self.answer.change.key.clone()
    }
}

/// What a request for change does to services, alone and with the others planned then.
#[Object]
impl ChangeImpact {
    /// The time the answer is about: the request's window, or the hour it was asked in.
    async fn during(&self) -> Window {
        self.answer.during.into()
    }

    /// When it may still be in the middle of being reversed.
    async fn shadow(&self) -> Option<Window> {
        self.answer.shadow.map(Window::from)
    }

    /// How many services there are of each effect.
    async fn summary(&self) -> EffectCounts {
        self.answer.summary.into()
    }

    /// The services it touches, the worst off first; the first 1000, while `summary` counts all of them.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServiceEffect>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let node = |line: &EffectLine| ServiceEffect { at: Arc::clone(&self.at), line: line.clone() };
        placed(ctx, &self.at, ("changeImpact.services", self.of_it()), &self.answer.services, &paging, node)
    }

    /// What is down anyway meanwhile.
    async fn starting_state(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<StandingDisruption>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(
            ctx,
            &self.at,
            ("changeImpact.startingState", self.of_it()),
            &self.answer.starting_state,
            &paging,
            |line| StandingDisruption::of(&self.at, line),
        )
    }

    /// Whether it is a major change.
    async fn is_major(&self) -> bool {
        !self.answer.major.is_empty()
    }

    /// What makes it a major change, in words; the first 100 reasons.
    async fn major(&self) -> Vec<&str> {
        self.answer.major.iter().take(LONGEST_LIST).map(String::as_str).collect()
    }

    /// Freezes and maintenance windows it violates.
    async fn violations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<CalendarViolation>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("changeImpact.violations", self.of_it()), &self.answer.violations, &paging, |line| {
            CalendarViolation::of(&self.at, line)
        })
    }

    /// How redundancy that loses members stands against its load, hour by hour; that worst off first.
    async fn loads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<LoadMeanwhile>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("changeImpact.loads", self.of_it()), &self.answer.loads, &paging, |line| {
            LoadMeanwhile::of(&self.at, line)
        })
    }

    /// Freezes and maintenance windows in force while it is under way or being reversed, freezes first.
    async fn calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<InForce>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("changeImpact.calendar", self.of_it()), &self.answer.calendar, &paging, |line| {
            InForce::of(&self.at, line)
        })
    }

    /// The other requests it was assessed with.
    async fn assessed_with(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RequestForChange>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found: Vec<_> =
            self.answer.assessed_with.iter().filter_map(|key| RequestForChange::named(&self.at, key)).collect();
        placed(ctx, &self.at, ("changeImpact.assessedWith", self.of_it()), &found, &paging, Clone::clone)
    }

    /// Collisions with them.
    async fn collisions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Collision>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("changeImpact.collisions", self.of_it()), &self.answer.collisions, &paging, |line| {
            Collision::of(&self.at, line)
        })
    }

    /// How it would have to be moved to collide with nothing; absent when it collides with nothing, or no
    /// move within the policy helps.
    async fn smallest_shift(&self) -> Option<Shift> {
        self.answer.smallest_shift.as_ref().map(|shift| Shift::of(&self.at, shift))
    }

    /// How certain it is, and which unknown facts decide.
    async fn certainty(&self) -> Option<Certainty> {
        let answer = self.answer.certainty.clone()?;
        Some(Certainty { at: Arc::clone(&self.at), answer })
    }

    /// The chance that it fails, and what may be expected of it.
    async fn risk(&self) -> ChangeRisk {
        ChangeRisk::from(&self.answer.risk)
    }

    /// Owners of services that are breached, degraded or lose margin: to be asked.
    async fn approvers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Party>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        placed(ctx, &self.at, ("changeImpact.approvers", self.of_it()), &self.answer.approvers, &paging, |owner| {
            Party::of(&self.at, owner)
        })
    }

    /// Customers of services that are breached or degraded, by key: to be told.
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = numbers(&self.at, self.answer.customers.iter().map(|customer| customer.key.as_str()));
        listed(&ctx.services().seal, &self.at, "changeImpact.customers", found, &paging)
    }

    /// SHA-256 of what went in besides the catalogue, in hexadecimal.
    async fn inputs_digest(&self) -> &str {
        &self.answer.inputs
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}
