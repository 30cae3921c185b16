//! The course of planning a batch: envelope, identification, relationships, withdrawal, ledger.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::{
    Batch, BatchId, Change, CiKey, Finding, FindingCode, IdSource, ImportRun, Observation, OnError, RecordChange,
    ReviewTask, SourceKey, Symbol,
};

use crate::context::Context;
use crate::drafts::Drafts;
use crate::notes::Notes;
use crate::plan::{Plan, PlanOutcome};
use crate::results::Results;
use crate::reviews::Reviews;
use crate::rows::Row;
use crate::withdraw::Gone;
use crate::{Settings, ledger};

/// A batch on its way to a plan.
pub(crate) struct Planner<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) batch: &'a Batch,
    pub(crate) ids: &'a mut dyn IdSource,
    pub(crate) drafts: Drafts<'a>,
    pub(crate) notes: Notes,
    pub(crate) reviews: Reviews<'a>,
    pub(crate) results: Results,
    /// Observations, one row per source key, in order of the source keys.
    pub(crate) rows: Vec<Row<'a>>,
    pub(crate) by_source_key: HashMap<&'a SourceKey, usize>,
    pub(crate) by_stated_key: HashMap<&'a CiKey, usize>,
    /// Placeholders made or met in this batch, by the reference as written.
    pub(crate) referred: HashMap<keelson_model::CiRef, CiIx>,
    /// Items that rows of this batch are; filled when a reference has to ask for it.
    pub(crate) described_here: OnceCell<HashSet<CiIx>>,
    /// Placeholders this batch refers to.
    pub(crate) still_referred: HashSet<CiIx>,
    /// Candidates of rows that wait: nobody knows yet whether they are gone.
    pub(crate) candidates: HashSet<CiIx>,
    /// Whether a dependent's relationships are all there: listed, and none of them waits.
    pub(crate) listed: HashMap<CiIx, bool>,
    /// The class this batch gives to what it describes; filled when a need has to ask for it.
    pub(crate) described_as: HashMap<CiIx, Symbol>,
    pub(crate) self_relationships: HashMap<CiIx, Vec<Symbol>>,
    /// By number of the relationship: the forms in which this batch states it, as bits.
    pub(crate) stated: Vec<u8>,
    pub(crate) stated_needs: HashSet<(CiIx, std::sync::Arc<str>)>,
    pub(crate) gone: Gone,
}

/// Plans a batch. See [`crate::plan`].
pub(crate) fn plan(
    catalogue: &Catalogue,
    batch: &Batch,
    batch_id: BatchId,
    at: chrono::DateTime<chrono::Utc>,
    settings: &Settings,
    ids: &mut dyn IdSource,
) -> Plan {
    let speaker = (batch.source.clone(), batch.scope.clone());
    let mut context = Context::new(catalogue, settings, speaker, batch_id, batch.observed_at, at);
    let truncated = batch.findings.iter().any(|finding| finding.code == FindingCode::TruncatedSource);
    context.complete = batch.is_complete() && !truncated;
    let run = ledger::entry(batch, batch_id);
    if let Some(outcome) = ledger::known(&context, batch, &run) {
        return ledger::nothing_to_do(&context, batch, run, outcome);
    }
    let mut planner = Planner::new(context, batch, ids);
    if let Err(finding) = ledger::in_order(&planner.context, batch) {
        let reason = finding.message.clone();
        planner.notes.add(*finding);
        return planner.refuse(run, reason, FindingCode::OlderThanKnown);
    }
    planner.read_rows();
    planner.identify();
    planner.relationships();
    planner.removals();
    planner.absences();
    planner.finish(run)
}

/// What a plan tells beside its changes.
struct Told {
    results: Results,
    findings: Vec<Finding>,
    replaced: u64,
    run: ImportRun,
}

impl<'a> Planner<'a> {
    fn new(context: Context<'a>, batch: &'a Batch, ids: &'a mut dyn IdSource) -> Self {
        let catalogue = context.catalogue;
        Self {
            drafts: Drafts::new(catalogue),
            notes: Notes::of(&batch.findings),
            reviews: Reviews::of(&context),
            results: Results::new(context.settings),
            rows: Vec::new(),
            by_source_key: HashMap::new(),
            by_stated_key: HashMap::new(),
            referred: HashMap::new(),
            described_here: OnceCell::new(),
            still_referred: HashSet::new(),
            candidates: HashSet::new(),
            listed: HashMap::new(),
            described_as: HashMap::new(),
            self_relationships: HashMap::new(),
            stated: vec![0; catalogue.relationship_count()],
            stated_needs: HashSet::new(),
            gone: Gone::default(),
            context,
            batch,
            ids,
        }
    }

    /// A finding about an observation.
    pub(crate) fn finding(observation: &Observation, code: FindingCode, message: String) -> Finding {
        Finding::new(code, observation.position.clone(), message).about(observation.source_key.as_str())
    }

    /// Nothing of the batch applies, and nothing is written.
    fn refuse(self, mut run: ImportRun, reason: String, code: FindingCode) -> Plan {
        let (findings, replaced) = (self.notes.finish(), self.gone.replaced.len() as u64);
        ledger::refused(&mut run, &reason, &findings, &self.results);
        let outcome = PlanOutcome::Refused { reason, code: Some(code) };
        Self::done(&self.context, outcome, Vec::new(), Told { results: self.results, findings, replaced, run })
    }

    /// Nothing of the batch applies; its ledger entry and questions are written.
    pub(crate) fn refuse_and_ask(
        mut self,
        mut run: ImportRun,
        reason: String,
        code: FindingCode,
        questions: impl FnOnce(Reviews<'a>, &Context<'a>, &mut dyn IdSource) -> Vec<Change<ReviewTask>>,
    ) -> Plan {
        let reviews = std::mem::replace(&mut self.reviews, Reviews::none());
        let tasks = questions(reviews, &self.context, &mut *self.ids);
        let (findings, replaced) = (self.notes.finish(), self.gone.replaced.len() as u64);
        ledger::refused(&mut run, &reason, &findings, &self.results);
        let mut changes: Vec<RecordChange> = tasks.into_iter().map(RecordChange::Review).collect();
        changes.push(ledger::run(self.context.catalogue, run.clone()));
        let outcome = PlanOutcome::Refused { reason, code: Some(code) };
        Self::done(&self.context, outcome, changes, Told { results: self.results, findings, replaced, run })
    }

    fn done(context: &Context<'_>, outcome: PlanOutcome, changes: Vec<RecordChange>, told: Told) -> Plan {
        let (rows, rows_left_out) = told.results.finish();
        Plan {
            base: context.catalogue.revision(),
            batch: context.batch,
            outcome,
            changes,
            rows,
            rows_left_out,
            replaced: told.replaced,
            findings: told.findings,
            run: told.run,
        }
    }

    /// What stops a strict batch: the first error, and what to do where a person has to answer.
    fn stop(self, run: ImportRun, first: &Finding) -> Plan {
        let reason = format!("the batch was stopped by {first}");
        let awaited = self.reviews.awaited();
        let Some(task) = awaited.first() else { return self.refuse(run, reason, first.code) };
        let others = match awaited.len() - 1 {
            0 => String::new(),
            others => format!(" (and {others} other questions, see `keelson review`)"),
        };
        let reason = format!(
            "{reason}; say which one it is with `keelson review settle {task} --candidate KEY --reason …`, or without a \
             candidate that it is a new one{others}, then import again"
        );
        self.refuse_and_ask(run, reason, first.code, |reviews, _, _| reviews.questions_only())
    }

    fn finish(mut self, mut run: ImportRun) -> Plan {
        self.drafts.settle(&self.context);
        self.report_rows();
        if self.batch.on_error == OnError::Stop
            && let Some(first) = self.notes.first_error().cloned()
        {
            return self.stop(run, &first);
        }
        if let Some(tripped) = self.guard() {
            return self.refuse_by_guard(run, tripped);
        }
        self.reviews.obsolete_guard_tasks(&self.context);
        let findings = self.notes.finish();
        ledger::committed(&mut run, &findings, &self.results);
        let mut changes = self.drafts.finish(&self.context);
        changes.extend(self.reviews.finish().into_iter().map(RecordChange::Review));
        changes.push(ledger::scope(&self.context, self.batch, &run));
        changes.push(ledger::run(self.context.catalogue, run.clone()));
        let replaced = self.gone.replaced.len() as u64;
        let told = Told { results: self.results, findings, replaced, run };
        Self::done(&self.context, PlanOutcome::Ready, changes, told)
    }
}
