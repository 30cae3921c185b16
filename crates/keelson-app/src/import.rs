//! Taking in a batch: plan, and commit the plan, on one path for dry runs and real ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use keelson_catalogue::Catalogue;
use keelson_model::{Batch, BatchId, CommitHeader, Scope, Symbol};
use keelson_reconcile::{Plan, plan};
use keelson_store::Draft;

use crate::committing::Made;
use crate::keelson::blocking;
use crate::system::{RandomIds, now};
use crate::{Actor, Error, Keelson, View};

/// How far ahead the clock of a source may be.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(5);

/// How a batch is taken in.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Who imports, and why.
    pub actor: Actor,
    /// The batch's id, where the caller gives one; the same id with other content is refused.
    pub batch_id: Option<BatchId>,
    /// Plan only, and change nothing.
    pub dry_run: bool,
    /// Dates the commit at the time the source was read instead of now. For loading the past: in
    /// order, and before anything newer is committed. When it was recorded stays known.
    pub backdated: bool,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Imported {
    /// The plan: what was done, or, after a dry run, what would be done.
    pub plan: Plan,
    /// The commit; absent after a dry run, and when there was nothing to write.
    pub committed: Option<CommitHeader>,
}

/// The imports under way, by source.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<HashMap<u64, Import>>>);

#[derive(Clone, Debug)]
struct Import {
    source: Symbol,
    scope: Scope,
    actor: Arc<str>,
}

/// Held while an import runs; ends with it, however it ends.
struct Lease {
    running: Running,
    number: u64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

impl Running {
    /// Claims a scope of a source; scopes of which one contains the other exclude each other.
    fn claim(&self, batch: &Batch, actor: &Arc<str>) -> Result<Lease, Error> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |import: &&Import| import.source == batch.source && import.scope.overlaps(&batch.scope);
        if let Some(holder) = running.values().find(holds) {
            return Err(Error::ImportRunning {
                source_name: holder.source.to_string(),
                scope: holder.scope.to_string(),
                holder: holder.actor.to_string(),
            });
        }
        let number = running.keys().max().map_or(0, |last| last + 1);
        let import = Import { source: batch.source.clone(), scope: batch.scope.clone(), actor: Arc::clone(actor) };
        running.insert(number, import);
        Ok(Lease { running: self.clone(), number })
    }
}

impl Keelson {
    /// Plans a batch against the last revision and commits the plan. When somebody commits in
    /// between, it is planned again, a bounded number of times. A refused batch is not an error:
    /// the plan says so, and why.
    ///
    /// # Errors
    /// [`Error::ImportRunning`] when another import of the same source and scope is under way,
    /// [`Error::ReadInTheFuture`] when the batch is from later than now; otherwise as the store
    /// fails.
    pub async fn import(&self, batch: Batch, options: ImportOptions) -> Result<Imported, Error> {
        refuse_future(&batch)?;
        let lease = self.running().claim(&batch, &options.actor.name)?;
        let batch = Arc::new(batch);
        // The work goes on when the caller stops waiting, and holds the scope as long as it does.
        let keelson = self.clone();
        let work = tokio::spawn(async move {
            let _lease = lease;
            keelson.plan_and_commit_batch(batch, options).await
        });
        work.await.map_err(|error| Error::Stopped(error.to_string()))?
    }

    /// Plans batches one after the other, each on what the ones before would leave, and changes
    /// nothing.
    ///
    /// # Errors
    /// [`Error::ReadInTheFuture`] when a batch is from later than now. Otherwise when a plan does
    /// not follow from the catalogue, which is a fault of the program.
    pub async fn dry_run(&self, batches: Vec<Batch>) -> Result<Vec<Imported>, Error> {
        batches.iter().try_for_each(refuse_future)?;
        let (view, settings) = (self.view(), Arc::clone(self.settings()));
        blocking(move || {
            let mut catalogue = Catalogue::clone(&view.catalogue);
            let mut ids = RandomIds::new();
            let mut planned = Vec::with_capacity(batches.len());
            for batch in &batches {
                let plan = plan(&catalogue, batch, BatchId::next(&mut ids), now(), &settings, &mut ids);
                if !plan.changes.is_empty() {
                    let header = imagined(&catalogue, batch, &plan);
                    catalogue.apply(&header, plan.changes.iter().map(|change| (0, change)))?;
                }
                planned.push(Imported { plan, committed: None });
            }
            Ok(planned)
        })
        .await?
    }

    async fn plan_and_commit_batch(&self, batch: Arc<Batch>, options: ImportOptions) -> Result<Imported, Error> {
        let mut ids = RandomIds::new();
        let batch_id = options.batch_id.unwrap_or_else(|| BatchId::next(&mut ids));
        // The first plan is made while others may edit; they wait only when it is overtaken.
        let at = self.date(&batch, &options)?;
        let mut early = Some((at, self.plan(self.view(), &batch, batch_id, at).await?));
        if let Some((_, plan)) = early.take_if(|(_, plan)| options.dry_run || plan.changes.is_empty()) {
            return Ok(Imported { plan, committed: None });
        }
        let mut batch = Some(batch);
        let mut turn = self.turn().await;
        loop {
            let view = turn.view()?;
            // Only another process of the same store comes in between, and then the rows are still there.
            let rows = batch.take().ok_or(Error::Contended { attempts: 1 })?;
            let (at, mut plan) = match early.take().filter(|(_, plan)| plan.base == view.revision()) {
                Some(early) => early,
                None => {
                    let at = self.date(&rows, &options)?;
                    (at, self.plan(view.clone(), &rows, batch_id, at).await?)
                }
            };
            if plan.changes.is_empty() {
                return Ok(Imported { plan, committed: None });
            }
            let draft = draft(&mut plan, &rows, &options, at);
            // Where nobody else writes it is not planned again, and its rows are large.
            batch = Some(rows).filter(|_| self.store().is_shared());
            if let Some(Made { committed, .. }) = turn.commit(&view, draft).await? {
                plan.changes = committed.changes;
                return Ok(Imported { plan, committed: Some(committed.header) });
            }
        }
    }

    /// The time an import is dated.
    fn date(&self, batch: &Batch, options: &ImportOptions) -> Result<DateTime<Utc>, Error> {
        if !options.backdated {
            return Ok(now());
        }
        match self.view().catalogue.head().at {
            Some(head) if head > batch.observed_at => {
                Err(Error::TooLateToBackdate { observed_at: batch.observed_at, head })
            }
            _ => Ok(batch.observed_at.min(now())),
        }
    }

    async fn plan(&self, view: View, batch: &Arc<Batch>, batch_id: BatchId, at: DateTime<Utc>) -> Result<Plan, Error> {
        let (batch, settings) = (Arc::clone(batch), Arc::clone(self.settings()));
        blocking(move || plan(&view.catalogue, &batch, batch_id, at, &settings, &mut RandomIds::new())).await
    }
}

/// What is committed of a plan; the changes are taken out of it.
fn draft(plan: &mut Plan, batch: &Batch, options: &ImportOptions, at: DateTime<Utc>) -> Draft {
    let changes = std::mem::take(&mut plan.changes);
    Draft {
        recorded_at: options.backdated.then(now),
        source: Some(Arc::from(batch.source.as_str())),
        batch: Some(plan.batch),
        payloads: batch.payloads.clone(),
        findings: plan.findings.clone(),
        ..options.actor.draft(&format!("import {}", batch.importer.name), plan.base, at, changes)
    }
}

/// Refuses a batch that was read later than now, beyond what clocks differ by: every true batch
/// until then would count as older than it.
fn refuse_future(batch: &Batch) -> Result<(), Error> {
    let now = now();
    if batch.observed_at <= now + CLOCKS_APART {
        return Ok(());
    }
    Err(Error::ReadInTheFuture { source_name: batch.source.to_string(), observed_at: batch.observed_at, now })
}

/// The header a plan's commit would have, for planning what comes after it.
pub(crate) fn imagined(catalogue: &Catalogue, batch: &Batch, plan: &Plan) -> CommitHeader {
    let head = catalogue.head();
    CommitHeader {
        revision: head.revision.next(),
        at: now(),
        recorded_at: None,
        actor: Arc::from("dry run"),
        action: Arc::from(format!("import {}", batch.importer.name)),
        source: Some(Arc::from(batch.source.as_str())),
        reason: None,
        batch: Some(plan.batch),
        previous: head.digest,
        changes: plan.changes.len() as u64,
        chunks: Vec::new(),
    }
}
