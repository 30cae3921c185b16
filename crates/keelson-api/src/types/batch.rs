//! Batches: what a client delivers in Keelson's own form, and what became of it.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use keelson_app::Imported;
use keelson_app::reconcile::{PlanOutcome, RowKind, RowResult as PlannedRow};
use keelson_model::{BatchId, RecordChange};

use super::history::{FieldChange, text_of};
use super::impact::by_key;
use super::item::ConfigurationItem;
use super::payload::{UserError, UserErrorCode};
use super::provenance::Position;
use super::run::{Finding, FindingCount, FindingWhere, ImportRun, RowCounts, finding_counts, findings};
use super::words::RowResultOutcome;
use crate::connection::{Connection, Paging};
use crate::context::Find;
use crate::cursor::ListName;
use crate::errors::Refusal;
use crate::ids::GlobalId;
use crate::moment::Moment;

/// A batch to take in.
#[derive(Clone, Debug, InputObject)]
pub struct SubmitBatchInput {
    /// The batch in Keelson's own form: one JSON object on each line, the header first. What is larger
    /// than a request may be is delivered by `PUT /imports/{source}/{batchId}`.
    pub content: String,
    /// Plan only, and change nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// Refuse bad lines and take in the others; otherwise one bad line stops the batch.
    #[graphql(default)]
    pub keep_going: bool,
    /// An identifier of the caller's own, so that the same delivery sent again has no further effect.
    pub batch_id: Option<ID>,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// What became of a batch as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum BatchOutcome {
    /// Its changes are in the catalogue; there may have been none but that it was seen.
    Committed,
    /// The same delivery had been committed before; nothing was done.
    AlreadyKnown,
    /// Nothing of it applies.
    Refused,
    /// It was only planned.
    Planned,
}

/// What became of a batch.
pub struct SubmitBatchPayload {
    at: Arc<Moment>,
    imported: Option<Imported>,
    dry_run: bool,
    user_errors: Vec<UserError>,
}

impl SubmitBatchPayload {
    /// Nothing of the input could be read as a batch.
    pub(crate) fn unreadable(at: Arc<Moment>, message: String) -> Self {
        let user_errors = vec![UserError::of(UserErrorCode::BatchRefused, &["content"], message)];
        Self { at, imported: None, dry_run: false, user_errors }
    }

    /// What became of a batch that was planned.
    pub(crate) fn of(at: Arc<Moment>, imported: Imported, dry_run: bool) -> Self {
        let user_errors = match &imported.plan.outcome {
            PlanOutcome::Refused { reason, .. } => {
                vec![UserError::of(UserErrorCode::BatchRefused, &["content"], reason.clone())]
            }
            PlanOutcome::Ready | PlanOutcome::AlreadyKnown { .. } => Vec::new(),
        };
        Self { at, imported: Some(imported), dry_run, user_errors }
    }

    fn batch(&self) -> BatchId {
        self.imported.as_ref().map_or(BatchId(ulid::Ulid::nil()), |imported| imported.plan.batch)
    }
}

/// What became of a batch. A dry run answers the same, and changes nothing.
#[Object]
impl SubmitBatchPayload {
    /// What became of it as a whole; absent when it could not be read at all.
    async fn outcome(&self) -> Option<BatchOutcome> {
        Some(match &self.imported.as_ref()?.plan.outcome {
            PlanOutcome::Refused { .. } => BatchOutcome::Refused,
            PlanOutcome::AlreadyKnown { .. } => BatchOutcome::AlreadyKnown,
            PlanOutcome::Ready if self.dry_run => BatchOutcome::Planned,
            PlanOutcome::Ready => BatchOutcome::Committed,
        })
    }

    /// The entry of the ledger; absent after a dry run and when nothing was written.
    async fn import_run(&self) -> Option<ImportRun> {
        ImportRun::find(&self.at, self.batch())
    }

    /// When the source was read.
    async fn observed_at(&self) -> Option<DateTime<Utc>> {
        self.imported.as_ref().map(|imported| imported.plan.run.observed_at)
    }

    /// Configuration items by what became of them, or would become.
    async fn configuration_items(&self) -> Option<RowCounts> {
        self.imported.as_ref().map(|imported| imported.plan.run.configuration_items.into())
    }

    /// Relationships by what became of them, or would become.
    async fn relationships(&self) -> Option<RowCounts> {
        self.imported.as_ref().map(|imported| imported.plan.run.relationships.into())
    }

    /// Needs by what became of them, or would become.
    async fn needs(&self) -> Option<RowCounts> {
        self.imported.as_ref().map(|imported| imported.plan.run.needs.into())
    }

    /// How many records of the catalogue change, or would change.
    async fn change_count(&self) -> usize {
        let content = |change: &&RecordChange| {
            matches!(change, RecordChange::Ci(_) | RecordChange::Relationship(_) | RecordChange::Need(_))
        };
        self.imported.as_ref().map_or(0, |imported| imported.plan.changes.iter().filter(content).count())
    }

    /// How many findings of each code there are, by code; one entry a code at most.
    async fn finding_counts(&self) -> Vec<FindingCount> {
        self.imported.as_ref().map(|imported| finding_counts(&imported.plan.run)).unwrap_or_default()
    }

    /// What was noticed, with file, line and field.
    async fn findings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<FindingWhere>,
    ) -> Result<Connection<Finding>, Refusal> {
        let all = self.imported.as_ref().map(|imported| imported.plan.findings.as_slice()).unwrap_or_default();
        let paging = Paging::new(first, after, last, before);
        findings(&ctx.services().seal, all, self.batch(), &filter.unwrap_or_default(), &paging)
    }

    /// What became of the rows that change something or need attention, in the order of the batch.
    async fn rows(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RowResult>, Refusal> {
        let rows = self.imported.as_ref().map(|imported| imported.plan.rows.as_slice()).unwrap_or_default();
        let places: Vec<(usize, &PlannedRow)> = rows.iter().enumerate().collect();
        let name = ListName { list: "rows", order: self.batch().to_string(), as_of: None };
        let node =
            |(_, row): &(usize, &PlannedRow)| RowResult { at: Arc::clone(&self.at), row: PlannedRow::clone(row) };
        let paging = Paging::new(first, after, last, before);
        Connection::page(&places, &paging, &name, &ctx.services().seal, |(place, _)| *place, node)
    }

    /// What was wrong; empty when it was done.
    async fn user_errors(&self) -> &[UserError] {
        &self.user_errors
    }
}

/// Which part of a batch a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum RowSort {
    /// A configuration item.
    ConfigurationItem,
    /// A relationship.
    Relationship,
    /// A need.
    Need,
    /// An explicit removal.
    Removal,
    /// Something a complete batch no longer lists. No row of the batch stands for it.
    Withdrawal,
}

/// What became of a row of a batch.
pub struct RowResult {
    at: Arc<Moment>,
    row: PlannedRow,
}

/// What became of a row of a batch.
#[Object]
impl RowResult {
    /// Which part of the batch.
    async fn sort(&self) -> RowSort {
        match self.row.row {
            RowKind::Ci => RowSort::ConfigurationItem,
            RowKind::Relationship => RowSort::Relationship,
            RowKind::Need => RowSort::Need,
            RowKind::Removal => RowSort::Removal,
            RowKind::Withdrawal => RowSort::Withdrawal,
        }
    }

    /// How the source names it.
    async fn source_key(&self) -> &str {
        &self.row.source_key
    }

    /// What became of it.
    async fn outcome(&self) -> RowResultOutcome {
        self.row.outcome.into()
    }

    /// Where it stood.
    async fn position(&self) -> Option<Position> {
        Position::of(&self.row.position)
    }

    /// The identifier of the configuration item; of a relationship or need, of the dependent.
    async fn configuration_item_id(&self) -> Option<ID> {
        self.row.ci.map(|id| GlobalId::Ci(id).into())
    }

    /// The configuration item, where it is in the catalogue: not after a dry run that would create it.
    async fn configuration_item(&self) -> Option<ConfigurationItem> {
        by_key(&self.at, self.row.key.as_ref()?)
    }

    /// Effective values that change, by attribute; at most one for each attribute.
    async fn changes(&self) -> Vec<FieldChange> {
        let text = |value: &Option<serde_json::Value>| value.as_ref().and_then(text_of);
        let change = |change: &keelson_app::reconcile::AttributeChange| FieldChange {
            field: change.attribute.to_string(),
            before: text(&change.before),
            after: text(&change.after),
        };
        self.row.changed.iter().map(change).collect()
    }
}
