//! What became of a batch, as the command line prints it and as an import over HTTP answers.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use keelson_app::Imported;
use keelson_app::reconcile::{Plan, PlanOutcome, RowResult};
use keelson_model::{Finding, FindingCode, Revision, RowCounts, Severity};
use serde::{Deserialize, Serialize};

/// What became of a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The batch.
    pub batch: String,
    /// Its source.
    pub source: String,
    /// Its scope.
    pub scope: String,
    /// Its importer.
    pub importer: String,
    /// Whether it claims to be complete.
    pub complete: bool,
    /// When the source was read.
    pub observed_at: DateTime<Utc>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The revision it led to.
    pub revision: Option<Revision>,
    /// Configuration items by outcome.
    pub configuration_items: RowCounts,
    /// Relationships by outcome.
    pub relationships: RowCounts,
    /// Needs by outcome.
    pub needs: RowCounts,
    /// Findings by code.
    pub finding_counts: BTreeMap<FindingCode, u64>,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The rows, when asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowResult>,
}

/// What became of a batch, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It changed the catalogue.
    Committed,
    /// It said what was known.
    Unchanged,
    /// The same delivery was committed before.
    AlreadyKnown,
    /// Nothing of it applies.
    Refused,
    /// It was planned only.
    Planned,
}

impl Outcome {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Unchanged => "unchanged",
            Self::AlreadyKnown => "already_known",
            Self::Refused => "refused",
            Self::Planned => "planned",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an import over HTTP answers, and what the command line prints as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportAnswer {
    /// Whether it was planned only.
    pub dry_run: bool,
    /// The batches, in order.
    pub batches: Vec<Summary>,
}

impl Summary {
    /// The summary of an import, with its rows or without.
    #[must_use]
    pub fn of(imported: &Imported, rows: bool, dry_run: bool) -> Self {
        let Imported { plan, committed } = imported;
        let (outcome, refused) = outcome(plan, dry_run);
        Self {
            batch: plan.batch.to_string(),
            source: plan.run.source.to_string(),
            scope: plan.run.scope.to_string(),
            importer: plan.run.importer.to_string(),
            complete: plan.run.complete,
            observed_at: plan.run.observed_at,
            outcome,
            refused,
            revision: committed.as_ref().map(|header| header.revision),
            configuration_items: plan.run.configuration_items,
            relationships: plan.run.relationships,
            needs: plan.run.needs,
            finding_counts: plan.run.findings.clone(),
            findings: plan.findings.clone(),
            rows: if rows { plan.rows.clone() } else { Vec::new() },
        }
    }

    /// The severity of its worst finding.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

fn outcome(plan: &Plan, dry_run: bool) -> (Outcome, Option<String>) {
    match &plan.outcome {
        PlanOutcome::Refused { reason, .. } => (Outcome::Refused, Some(reason.clone())),
        PlanOutcome::AlreadyKnown { .. } => (Outcome::AlreadyKnown, None),
        PlanOutcome::Ready if dry_run => (Outcome::Planned, None),
        PlanOutcome::Ready if plan.changes_content() => (Outcome::Committed, None),
        PlanOutcome::Ready => (Outcome::Unchanged, None),
    }
}
