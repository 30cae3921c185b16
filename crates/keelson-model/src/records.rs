//! Records about the catalogue itself: what each scope last said, import runs, review tasks.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ci::words;
use crate::{BatchId, CiId, FindingCode, Position, ReviewTaskId, Scope, SourceKey, Symbol};

/// What is known of a source's scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeState {
    /// The source.
    pub source: Symbol,
    /// The scope.
    pub scope: Scope,
    /// When the source was read for the last complete batch. Every live claim of the scope was
    /// seen at least then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_complete: Option<DateTime<Utc>>,
    /// When the source was read for the last batch of any completeness.
    pub last_seen: DateTime<Utc>,
    /// Where the next delta starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The last batch.
    pub batch: BatchId,
    /// The digest of the last batch.
    pub digest: Arc<str>,
}

words! {
    /// How an import ended.
    ImportOutcome {
        /// Its changes are in the catalogue (there may have been none).
        Committed = "committed",
        /// The same batch had been committed before; nothing was done.
        AlreadyKnown = "already_known",
        /// Findings or the guard stopped it; nothing was written but this record.
        Refused = "refused",
    }
}

/// Rows by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RowCounts {
    /// New records.
    pub created: u64,
    /// Records with new content.
    pub updated: u64,
    /// Records that already said so.
    pub unchanged: u64,
    /// Placeholders that became described.
    pub filled_placeholder: u64,
    /// Withdrawn records seen again.
    pub revived: u64,
    /// Records no longer listed.
    pub withdrawn: u64,
    /// Rows that wait for a person.
    pub ambiguous: u64,
    /// Rows left out on purpose.
    pub skipped: u64,
    /// Rows refused.
    pub rejected: u64,
}

impl RowCounts {
    /// Rows that changed the catalogue.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.created + self.updated + self.filled_placeholder + self.revived + self.withdrawn
    }
}

/// An entry of the batch ledger: one import and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportRun {
    /// The batch.
    pub batch: BatchId,
    /// Its source.
    pub source: Symbol,
    /// Its scope.
    pub scope: Scope,
    /// Its importer, as `name version`.
    pub importer: Arc<str>,
    /// Whether it claimed to be complete.
    pub complete: bool,
    /// When the source was read.
    pub observed_at: DateTime<Utc>,
    /// Its digest.
    pub digest: Arc<str>,
    /// How it ended.
    pub outcome: ImportOutcome,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// Configuration items by outcome.
    pub configuration_items: RowCounts,
    /// Relationships by outcome.
    pub relationships: RowCounts,
    /// Needs by outcome.
    pub needs: RowCounts,
    /// Number of findings by code.
    pub findings: std::collections::BTreeMap<FindingCode, u64>,
    /// Digests of its raw payloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payloads: Vec<Arc<str>>,
}

words! {
    /// Where a review task stands.
    ReviewState {
        /// Waiting for a person.
        Open = "open",
        /// Answered; the decision is in force.
        Settled = "settled",
        /// No longer a question.
        Obsolete = "obsolete",
    }
}

/// A question only a person can settle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewTask {
    /// Its identifier.
    pub id: ReviewTaskId,
    /// What raised it.
    pub code: FindingCode,
    /// Where it stands.
    pub state: ReviewState,
    /// Number of changes, from 1.
    pub version: u32,
    /// The source whose batch raised it.
    pub source: Symbol,
    /// The scope of the batch.
    pub scope: Scope,
    /// The batch.
    pub batch: BatchId,
    /// The row concerned, by the source's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_key: Option<SourceKey>,
    /// The question, in words.
    pub question: Arc<str>,
    /// The configuration items it could be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<CiId>,
    /// What speaks for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Arc<str>>,
    /// Where the row stood.
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    pub position: Position,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// The decision: which configuration item, or `None` for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<ReviewDecision>,
}

/// A person's answer to a review task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewDecision {
    /// Who decided.
    pub by: Arc<str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Arc<str>,
    /// The configuration item it is; `None`: a new one (ambiguity) or go ahead (guard).
    pub candidate: Option<CiId>,
}
