//! How the work on a request ended, and what was learnt of it.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_model as model;

use super::words::RequestForChangeState;
use super::{item_of, minutes, numbers_of, placed, texts};
use crate::connection::{Connection, Paging};
use crate::context::Find;
use crate::errors::Refusal;
use crate::moment::Moment;
use crate::types::history::{Revision, revision};
use crate::types::item::{ConfigurationItem, listed};
use crate::types::scalar::Duration;

/// How the work on a request ended.
pub struct Completion {
    pub(super) at: Arc<Moment>,
    pub(super) kept: model::Completion,
}

/// How the work on a request ended.
#[Object]
impl Completion {
    /// `DONE` or `BACKED_OUT`.
    async fn outcome(&self) -> RequestForChangeState {
        self.kept.outcome.into()
    }

    /// When the work began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.kept.started_at
    }

    /// When it ended.
    async fn finished_at(&self) -> DateTime<Utc> {
        self.kept.finished_at
    }

    /// The state that was compared with the baseline.
    async fn compared_at(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        revision(ctx, self.kept.compared_at).await
    }

    /// Altered items that differ from the baseline, by key: the change shows in the catalogue.
    async fn showing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = numbers_of(&self.at, &self.kept.showing);
        listed(&ctx.services().seal, &self.at, "completion.showing", found, &paging)
    }

    /// Altered items that do not differ from the baseline, by key.
    async fn not_showing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = numbers_of(&self.at, &self.kept.not_showing);
        listed(&ctx.services().seal, &self.at, "completion.notShowing", found, &paging)
    }

    /// Why it is closed although not everything shows.
    async fn reason(&self) -> Option<&str> {
        self.kept.reason.as_deref()
    }
}

/// What a service really lost while the work was under way.
#[derive(SimpleObject)]
pub struct ObservedLoss {
    /// The service.
    item: Option<ConfigurationItem>,
    /// The largest fraction lost, above 0 and at most 1.
    loss: f64,
    /// For how long.
    duration: Duration,
    /// Where it is written down: the number of an incident.
    reference: Option<String>,
}

/// What was predicted against what happened.
pub struct ChangeReview {
    pub(super) at: Arc<Moment>,
    pub(super) kept: model::ReviewRecord,
}

/// What was predicted against what happened.
#[Object]
impl ChangeReview {
    /// Who reviewed it.
    async fn by(&self) -> &str {
        &self.kept.by
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.kept.at
    }

    /// Whether the services were watched while the work was under way; if not, it counts in no figure.
    async fn is_monitored(&self) -> bool {
        self.kept.is_monitored
    }

    /// Incidents and problems linked to it, by number; the first 100.
    async fn incidents(&self) -> Vec<String> {
        texts(&self.kept.incidents)
    }

    /// What services lost.
    async fn observed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ObservedLoss>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let node = |one: &model::ObservedLoss| ObservedLoss {
            item: item_of(&self.at, one.ci),
            loss: one.loss,
            duration: minutes(one.minutes),
            reference: one.reference.as_ref().map(ToString::to_string),
        };
        placed(ctx, &self.at, ("changeReview.observed", String::new()), &self.kept.observed, &paging, node)
    }

    /// Whether the change failed: it was backed out, or harm was linked to it.
    async fn has_failed(&self) -> bool {
        self.kept.has_failed
    }

    /// What was learnt.
    async fn lessons(&self) -> &str {
        &self.kept.lessons
    }
}
