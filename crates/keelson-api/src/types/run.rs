//! Import runs: the ledger of batches, and what each noticed.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_model as model;

use super::history::{Revision, revision};
use super::provenance::Position;
use super::words::{FindingCode, ImportOutcome, Severity};
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name};
use crate::cursor::CursorKey;
use crate::errors::Refusal;
use crate::ids::GlobalId;
use crate::moment::Moment;

/// Rows of a batch by what became of them.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct RowCounts {
    /// New records.
    created: u64,
    /// Records with new content.
    updated: u64,
    /// Records that already said so.
    unchanged: u64,
    /// Placeholders that became described.
    filled_placeholder: u64,
    /// Withdrawn records seen again.
    revived: u64,
    /// Records no longer listed.
    withdrawn: u64,
    /// Rows that wait for a person.
    ambiguous: u64,
    /// Rows left out on purpose.
    skipped: u64,
    /// Rows refused.
    rejected: u64,
}

impl From<model::RowCounts> for RowCounts {
    fn from(counts: model::RowCounts) -> Self {
        let model::RowCounts {
            created,
            updated,
            unchanged,
            filled_placeholder,
            revived,
            withdrawn,
            ambiguous,
            skipped,
            rejected,
        } = counts;
        Self { created, updated, unchanged, filled_placeholder, revived, withdrawn, ambiguous, skipped, rejected }
    }
}

/// One thing an importer or the reconciliation noticed.
#[derive(Clone, Debug, SimpleObject)]
pub struct Finding {
    /// What.
    code: FindingCode,
    /// How much it matters.
    severity: Severity,
    /// In words: what is wrong and what to do.
    message: String,
    /// Where.
    position: Option<Position>,
    /// The key concerned, as the source writes it.
    key: Option<String>,
    /// The field concerned.
    field: Option<String>,
}

impl From<&model::Finding> for Finding {
    fn from(finding: &model::Finding) -> Self {
        Self {
            code: finding.code.into(),
            severity: finding.severity.into(),
            message: finding.message.clone(),
            position: Position::of(&finding.position),
            key: finding.key.clone(),
            field: finding.field.clone(),
        }
    }
}

/// How many findings of a code there were.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct FindingCount {
    /// The code.
    code: FindingCode,
    /// How many.
    count: u64,
}

/// How many findings of each code there were, by code.
pub(crate) fn finding_counts(run: &model::ImportRun) -> Vec<FindingCount> {
    run.findings.iter().map(|(code, count)| FindingCount { code: (*code).into(), count: *count }).collect()
}

/// Which findings. All that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct FindingWhere {
    /// What was noticed.
    pub code: Option<FindingCode>,
    /// How much it matters.
    pub severity: Option<Severity>,
}

/// A page of findings, in the order in which they were noticed.
pub(crate) fn findings(
    seal: &CursorKey,
    all: &[model::Finding],
    of: model::BatchId,
    filter: &FindingWhere,
    paging: &Paging,
) -> Result<Connection<Finding>, Refusal> {
    let wanted = |finding: &model::Finding| {
        filter.code.is_none_or(|code| FindingCode::from(finding.code) == code)
            && filter.severity.is_none_or(|severity| Severity::from(finding.severity) == severity)
    };
    let found: Vec<(usize, &model::Finding)> = all.iter().enumerate().filter(|(_, finding)| wanted(finding)).collect();
    // Findings of an import never change, so the place of one in the list is its sort key.
    let name = crate::cursor::ListName { list: "findings", order: of.to_string(), as_of: None };
    Connection::page(&found, paging, &name, seal, |(place, _)| *place, |(_, finding)| Finding::from(*finding))
}

/// An entry of the batch ledger.
pub struct ImportRun {
    revision: model::Revision,
    run: Arc<model::ImportRun>,
}

impl ImportRun {
    /// The entry of a batch, if there is one.
    #[must_use]
    pub fn find(at: &Moment, batch: model::BatchId) -> Option<Self> {
        at.catalogue().run(batch).map(|(revision, run)| Self { revision, run: Arc::clone(run) })
    }
}

/// An import: one batch of one source, and what became of it.
#[Object]
impl ImportRun {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Run(self.run.batch).into()
    }

    /// The source.
    async fn source(&self) -> &str {
        &self.run.source
    }

    /// The part of the world it covered.
    async fn scope(&self) -> String {
        self.run.scope.to_string()
    }

    /// What read it: name and version.
    async fn importer(&self) -> &str {
        &self.run.importer
    }

    /// Whether it claimed to list everything in its scope.
    async fn claims_completeness(&self) -> bool {
        self.run.complete
    }

    /// When the source was read.
    async fn observed_at(&self) -> DateTime<Utc> {
        self.run.observed_at
    }

    /// SHA-256 of what was delivered, in hexadecimal.
    async fn digest(&self) -> &str {
        &self.run.digest
    }

    /// How it ended.
    async fn outcome(&self) -> ImportOutcome {
        self.run.outcome.into()
    }

    /// Why it was refused.
    async fn reason(&self) -> Option<&str> {
        self.run.reason.as_deref()
    }

    /// Configuration items by what became of them.
    async fn configuration_items(&self) -> RowCounts {
        self.run.configuration_items.into()
    }

    /// Relationships by what became of them.
    async fn relationships(&self) -> RowCounts {
        self.run.relationships.into()
    }

    /// Needs by what became of them.
    async fn needs(&self) -> RowCounts {
        self.run.needs.into()
    }

    /// How many findings of each code there were, by code; one entry a code at most.
    async fn finding_counts(&self) -> Vec<FindingCount> {
        finding_counts(&self.run)
    }

    /// What was noticed, in order.
    async fn findings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.", name = "where")] filter: Option<FindingWhere>,
    ) -> Result<Connection<Finding>, Refusal> {
        let services = ctx.services();
        let all = services.loaders.findings.load_one(self.run.batch).await?.unwrap_or_else(|| Arc::from([]));
        let paging = Paging::new(first, after, last, before);
        findings(&services.seal, &all, self.run.batch, &filter.unwrap_or_default(), &paging)
    }

    /// The commit that wrote it.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        revision(ctx, self.revision).await
    }
}

/// Which import runs. All that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ImportRunWhere {
    /// The source.
    pub source: Option<String>,
    /// How they ended.
    pub outcome: Option<ImportOutcome>,
}

/// A page of import runs, the newest first.
pub(crate) fn import_runs(
    ctx: &Context<'_>,
    at: &Moment,
    filter: &ImportRunWhere,
    paging: &Paging,
) -> Result<Connection<ImportRun>, Refusal> {
    let wanted = |run: &model::ImportRun| {
        filter.source.as_deref().is_none_or(|source| run.source == source)
            && filter.outcome.is_none_or(|outcome| ImportOutcome::from(run.outcome) == outcome)
    };
    let mut found: Vec<(model::Revision, Arc<model::ImportRun>)> = at
        .catalogue()
        .runs()
        .filter(|(_, run)| wanted(run))
        .map(|(revision, run)| (revision, Arc::clone(run)))
        .collect();
    // Ids are the caller's and need not ascend.
    found.sort_unstable_by_key(|(revision, _)| std::cmp::Reverse(revision.0));
    // A commit holds one import at most, so its revision is the import's place.
    let key = |(revision, _): &(model::Revision, Arc<model::ImportRun>)| std::cmp::Reverse(revision.0);
    let node = |(revision, run): &(model::Revision, Arc<model::ImportRun>)| ImportRun {
        revision: *revision,
        run: Arc::clone(run),
    };
    let name = list_name("importRuns", String::new(), at);
    Connection::page(&found, paging, &name, &ctx.services().seal, key, node)
}
