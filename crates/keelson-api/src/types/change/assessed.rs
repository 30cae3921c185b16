//! What an assessment said, as a request keeps it: what it was approved on, and what differed since.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use keelson_model as model;

use super::request::RequestForChange;
use super::words::{Effect, RecheckReason};
use super::{item_of, numbers_of, placed, texts};
use crate::connection::{Connection, Paging};
use crate::context::Find;
use crate::errors::Refusal;
use crate::moment::Moment;
use crate::types::history::{Revision, revision};
use crate::types::item::{ConfigurationItem, listed};

/// The effect on one service, as it is kept.
pub struct KeptEffect {
    at: Arc<Moment>,
    effect: model::EffectOn,
}

/// A page of effects.
fn effects(
    ctx: &Context<'_>,
    at: &Arc<Moment>,
    list: &'static str,
    all: &[model::EffectOn],
    paging: &Paging,
) -> Result<Connection<KeptEffect>, Refusal> {
    let node = |effect: &model::EffectOn| KeptEffect { at: Arc::clone(at), effect: effect.clone() };
    placed(ctx, at, (list, String::new()), all, paging, node)
}

/// The effect on one service, as it was when it was assessed.
#[Object]
impl KeptEffect {
    /// The service.
    async fn item(&self) -> Option<ConfigurationItem> {
        item_of(&self.at, self.effect.ci)
    }

    /// What becomes of it, with every doubt read as good.
    async fn at_best(&self) -> Effect {
        self.effect.at_best.into()
    }

    /// What becomes of it, with every doubt read as bad.
    async fn at_worst(&self) -> Effect {
        self.effect.at_worst.into()
    }

    /// The fraction of it that is lost, needs as written.
    async fn loss(&self) -> f64 {
        self.effect.loss
    }

    /// Single failures that would then breach it and would not otherwise, by key.
    async fn new_single_points(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = numbers_of(&self.at, &self.effect.new_single_points);
        listed(&ctx.services().seal, &self.at, "keptEffect.newSinglePoints", found, &paging)
    }
}

/// An assessment as a request keeps it.
pub struct FrozenAssessment {
    pub(super) at: Arc<Moment>,
    pub(super) kept: model::FrozenAssessment,
}

/// An assessment as a request keeps it: what it said in short, and the digests that prove the rest.
#[Object]
impl FrozenAssessment {
    /// The state it was computed on.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        revision(ctx, self.kept.revision).await
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.kept.at
    }

    /// Who asked for it.
    async fn by(&self) -> &str {
        &self.kept.by
    }

    /// SHA-256 of what went in besides the catalogue, in hexadecimal.
    async fn inputs_digest(&self) -> String {
        self.kept.inputs.to_string()
    }

    /// SHA-256 of the whole answer, which is kept, in hexadecimal.
    async fn document_digest(&self) -> String {
        self.kept.document.to_string()
    }

    /// Whether nothing was cut off, hidden or assumed.
    async fn is_complete(&self) -> bool {
        self.kept.is_complete
    }

    /// Whether it is a major change.
    async fn is_major(&self) -> bool {
        !self.kept.major.is_empty()
    }

    /// What makes it a major change, in words; the first 100 reasons.
    async fn major(&self) -> Vec<String> {
        texts(&self.kept.major)
    }

    /// Searches that were ended before they had looked at everything, in words: what they did not find may be
    /// there all the same. The first 100.
    async fn unsearched(&self) -> Vec<String> {
        texts(&self.kept.unsearched)
    }

    /// Freezes and maintenance windows it violates, in words; the first 100.
    async fn violations(&self) -> Vec<String> {
        texts(&self.kept.violations)
    }

    /// The other requests it collides with.
    async fn collides_with(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RequestForChange>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found: Vec<_> =
            self.kept.collides_with().iter().filter_map(|key| RequestForChange::named(&self.at, key)).collect();
        placed(ctx, &self.at, ("frozenAssessment.collidesWith", String::new()), &found, &paging, Clone::clone)
    }

    /// The services that are worse off by it, in order of their identifiers.
    async fn effects(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<KeptEffect>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        effects(ctx, &self.at, "frozenAssessment.effects", &self.kept.effects, &paging)
    }
}

/// The decision that a request may be done.
pub struct Approval {
    pub(super) at: Arc<Moment>,
    pub(super) kept: model::Approval,
}

/// The decision that a request may be done.
#[Object]
impl Approval {
    /// Who decided; for a standard change, who approved its template.
    async fn by(&self) -> &str {
        &self.kept.by
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.kept.at
    }

    /// Why.
    async fn reason(&self) -> Option<&str> {
        self.kept.reason.as_deref()
    }

    /// What it was decided on.
    async fn assessment(&self) -> FrozenAssessment {
        FrozenAssessment { at: Arc::clone(&self.at), kept: self.kept.assessment.clone() }
    }
}

/// An assessment made again after the approval that differed from it.
pub struct Recheck {
    pub(super) at: Arc<Moment>,
    pub(super) kept: model::Recheck,
}

/// An assessment made again after the approval that differed from it.
#[Object]
impl Recheck {
    /// The commit that caused it.
    async fn cause(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        revision(ctx, self.kept.cause).await
    }

    /// What kind of cause it is.
    async fn reason(&self) -> RecheckReason {
        self.kept.reason.into()
    }

    /// When it was noticed.
    async fn at(&self) -> DateTime<Utc> {
        self.kept.at
    }

    /// Services that are worse off than when it was approved, or were not touched then.
    async fn worse(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<KeptEffect>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        effects(ctx, &self.at, "recheck.worse", &self.kept.worse, &paging)
    }

    /// Services that are better off than when it was approved, or are no longer touched.
    async fn better(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<KeptEffect>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        effects(ctx, &self.at, "recheck.better", &self.kept.better, &paging)
    }

    /// Whether the difference is beyond what the policy lets pass, so that it must be approved again.
    async fn is_approval_needed(&self) -> bool {
        self.kept.needs_approval
    }
}
