//! How complete an answer is, and what it rests on.

use async_graphql::{Context, Enum, Object};
use chrono::{DateTime, Utc};
use keelson_app::answers::{Basis, LimitCode};

use super::history::{Revision, revision};
use crate::errors::Refusal;

/// Why a part of the graph was not walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TruncationReason {
    /// There was more beyond the largest depth.
    Depth,
    /// There were more items than one answer may hold.
    Nodes,
    /// The time for the answer was up.
    Deadline,
    /// What the question may cost was spent.
    Cost,
}

/// How complete an answer is, and what it rests on.
pub struct Completeness(Basis);

impl Completeness {
    /// Of the basis of an answer.
    #[must_use]
    pub fn of(basis: &Basis) -> Self {
        Self(basis.clone())
    }

    fn reasons(&self) -> Vec<TruncationReason> {
        let reason = |code: LimitCode| match code {
            LimitCode::Depth => Some(TruncationReason::Depth),
            LimitCode::Items => Some(TruncationReason::Nodes),
            LimitCode::Deadline => Some(TruncationReason::Deadline),
            LimitCode::DecisiveBudget
            | LimitCode::CheckBudget
            | LimitCode::MarginBudget
            | LimitCode::CollisionBudget
            | LimitCode::Occurrences
            | LimitCode::ExactBudget => Some(TruncationReason::Cost),
            LimitCode::Page
            | LimitCode::NotInService
            | LimitCode::RuleMissing
            | LimitCode::KindWithoutRule
            | LimitCode::Placeholder
            | LimitCode::Withdrawn
            | LimitCode::ReversedTogether
            | LimitCode::FigureMissing => None,
        };
        self.0.limits.iter().filter_map(|limit| reason(limit.code)).collect()
    }
}

/// How complete an answer is, and what it rests on.
#[Object]
impl Completeness {
    /// Whether nothing was cut off, hidden or assumed.
    async fn is_complete(&self) -> bool {
        self.0.complete
    }

    /// Whether a part of the graph was not walked.
    async fn truncated(&self) -> bool {
        !self.reasons().is_empty()
    }

    /// Why; each reason at most once.
    async fn truncated_by(&self) -> Vec<TruncationReason> {
        self.reasons()
    }

    /// Items walked but not named to this caller. Nothing is hidden from anybody yet.
    async fn hidden_count(&self) -> usize {
        0
    }

    /// Items the answer rests on that were last seen longer ago than their class allows.
    async fn stale_count(&self) -> usize {
        self.0.stale
    }

    /// The oldest observation the answer rests on.
    async fn oldest_observation(&self) -> Option<DateTime<Utc>> {
        self.0.oldest_observation
    }

    /// Kinds of relationship on the way of which nobody has said whether loss travels along them; at
    /// most one entry for each kind.
    async fn relationship_types_without_rule(&self) -> Vec<&str> {
        let kinds = self.0.limits.iter().filter(|limit| limit.code == LimitCode::KindWithoutRule);
        kinds.filter_map(|limit| limit.subject.as_deref()).collect()
    }

    /// What limits the answer, in words; a handful.
    async fn limits(&self) -> Vec<&str> {
        let limits = self.0.limits.iter().filter(|limit| limit.code != LimitCode::Page);
        limits.map(|limit| limit.message.as_str()).collect()
    }

    /// What the answer supposes beside what is known, in words; a handful, empty where nothing is supposed.
    async fn supposing(&self) -> &[String] {
        &self.0.supposing
    }

    /// The state the answer was computed on.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        revision(ctx, self.0.revision).await
    }
}
