//! What a batch would change and why: the printable, saveable result of planning.

use std::fmt;
use std::sync::Arc;

use keelson_model::{BatchId, CiId, CiKey, Finding, FindingCode, ImportRun, Position, RecordChange, Revision, Symbol};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PlanOutcome {
    /// The changes may be committed. When nothing but *last seen* moved they are the state of the
    /// scope and the ledger entry alone.
    Ready,
    /// The same delivery was committed before; there is nothing to do.
    AlreadyKnown {
        /// The batch that brought it.
        batch: BatchId,
        /// The revision that wrote its ledger entry.
        revision: Revision,
    },
    /// Nothing of the batch applies.
    Refused {
        /// Why, and what to do.
        reason: String,
        /// The finding that stopped it, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<FindingCode>,
    },
}

/// Which part of a batch a row result is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// An observation of a configuration item.
    Ci,
    /// A relationship.
    Relationship,
    /// A need.
    Need,
    /// An explicit removal.
    Removal,
    /// Something a complete batch no longer lists. No row of the batch stands for it.
    Withdrawal,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// A new record.
    Created,
    /// A record with new content.
    Updated,
    /// The record already said so.
    Unchanged,
    /// A placeholder is described now.
    FilledPlaceholder,
    /// A withdrawn record was seen again.
    Revived,
    /// A record lost the claim of this source.
    Withdrawn,
    /// The row waits for a person.
    Ambiguous,
    /// The row was left out on purpose: older news, or said before in the same batch.
    Skipped,
    /// The row was refused.
    Rejected,
}

impl RowOutcome {
    /// The outcome as it is written in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::FilledPlaceholder => "filled_placeholder",
            Self::Revived => "revived",
            Self::Withdrawn => "withdrawn",
            Self::Ambiguous => "ambiguous",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
        }
    }

    /// Whether somebody may have to do something about the row.
    #[must_use]
    pub fn is_problem(self) -> bool {
        matches!(self, Self::Ambiguous | Self::Skipped | Self::Rejected)
    }
}

impl fmt::Display for RowOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An effective value before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttributeChange {
    /// The attribute; also `name`, `class`, `lifecycle`, `criticality`, `key`.
    pub attribute: Symbol,
    /// Its value before, in the form batches use; absent when it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<serde_json::Value>,
    /// Its value after; absent when it has none any longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<serde_json::Value>,
    /// The source whose value it is now (or was last).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Symbol>,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowResult {
    /// Where it stood.
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    pub position: Position,
    /// Which part of the batch.
    pub row: RowKind,
    /// How the source names it; of a relationship `dependent -kind-> dependency`, of a need
    /// `dependent: name`.
    pub source_key: Arc<str>,
    /// The configuration item; of a relationship or need the dependent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<CiId>,
    /// Its key in the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<CiKey>,
    /// What became of it.
    pub outcome: RowOutcome,
    /// The earlier lifetime in whose place it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeds: Option<CiId>,
    /// Effective values that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<AttributeChange>,
}

/// What a batch would change and why. A dry run shows it; applying commits [`Plan::changes`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The revision it was planned at; it is stale when the catalogue has moved.
    pub base: Revision,
    /// The batch.
    pub batch: BatchId,
    /// What became of the batch.
    pub outcome: PlanOutcome,
    /// The changes, in an order in which they can be applied.
    pub changes: Vec<RecordChange>,
    /// Row results, as many as the settings ask for.
    pub rows: Vec<RowResult>,
    /// Rows whose result is only in the counts of [`Plan::run`].
    pub rows_left_out: u64,
    /// How many items are replaced by another lifetime under the same source key. They are among
    /// the created ones in the counts of [`Plan::run`], not among the withdrawn ones.
    #[serde(default)]
    pub replaced: u64,
    /// What the importer and the planning noticed.
    pub findings: Vec<Finding>,
    /// The ledger entry; part of the changes when anything is to be committed.
    pub run: ImportRun,
}

impl Plan {
    /// Whether there is something to commit. A refusal by the guard, or because it is not clear
    /// which item a row is, is committed too: its ledger entry and its review tasks.
    #[must_use]
    pub fn is_committable(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Whether configuration items, relationships or needs change.
    #[must_use]
    pub fn changes_content(&self) -> bool {
        self.changes
            .iter()
            .any(|change| matches!(change, RecordChange::Ci(_) | RecordChange::Relationship(_) | RecordChange::Need(_)))
    }
}
