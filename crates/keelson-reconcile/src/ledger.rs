//! The ledger of batches and the state of scopes: what was delivered before, and in which order.

use std::sync::Arc;

use keelson_catalogue::Catalogue;
use keelson_model::provenance::MANUAL_SOURCE;
use keelson_model::{
    Batch, BatchId, Change, Finding, FindingCode, ImportOutcome, ImportRun, Position, RecordChange, ReviewState,
    RowCounts, ScopeState,
};

use crate::context::Context;
use crate::plan::{Plan, PlanOutcome};
use crate::results::Results;
use crate::reviews;

/// The ledger entry of a batch, before anything is known of its outcome.
pub(crate) fn entry(batch: &Batch, id: BatchId) -> ImportRun {
    ImportRun {
        batch: id,
        source: batch.source.clone(),
        scope: batch.scope.clone(),
        importer: format!("{} {}", batch.importer.name, batch.importer.version).into(),
        complete: batch.is_complete(),
        observed_at: batch.observed_at,
        digest: batch.digest().into(),
        outcome: ImportOutcome::Committed,
        reason: None,
        configuration_items: RowCounts::default(),
        relationships: RowCounts::default(),
        needs: RowCounts::default(),
        findings: std::collections::BTreeMap::new(),
        payloads: batch.payloads.iter().map(|payload| Arc::from(payload.digest.as_str())).collect(),
    }
}

/// Whether the ledger knows the delivery, or another one under its id.
pub(crate) fn known(context: &Context<'_>, batch: &Batch, run: &ImportRun) -> Option<PlanOutcome> {
    if let Some((_, other)) = context.catalogue.run(run.batch)
        && (other.digest != run.digest || other.source != run.source || other.observed_at != run.observed_at)
    {
        let reason = format!(
            "the batch id {} was used before for another delivery (of {} on {}); give this one an id of its own",
            run.batch, other.source, other.observed_at
        );
        return Some(PlanOutcome::Refused { reason, code: None });
    }
    if batch.source == MANUAL_SOURCE {
        let reason = format!("the source '{MANUAL_SOURCE}' stands for people's own edits; name the source otherwise");
        return Some(PlanOutcome::Refused { reason, code: None });
    }
    let same = |other: &ImportRun| {
        other.outcome == ImportOutcome::Committed
            && other.observed_at == batch.observed_at
            && other.digest == run.digest
            && other.source == run.source
            && other.scope == run.scope
    };
    let (revision, other) = context.catalogue.runs().rev().find(|(_, other)| same(other))?;
    // The same delivery again is how the answer to a review task takes effect.
    if decided_since(context, other) {
        return None;
    }
    Some(PlanOutcome::AlreadyKnown { batch: other.batch, revision })
}

/// Whether a person has settled a question of the run that is not in force yet.
fn decided_since(context: &Context<'_>, run: &ImportRun) -> bool {
    context.catalogue.reviews().any(|task| {
        task.state == ReviewState::Settled
            && task.code == FindingCode::AmbiguousIdentity
            && task.source == run.source
            && task.scope == run.scope
            && !reviews::in_force(context.catalogue, task)
    })
}

/// Refuses a complete batch older than the last one of its scope.
pub(crate) fn in_order(context: &Context<'_>, batch: &Batch) -> Result<(), Box<Finding>> {
    let last = context.completed(&context.source, &context.scope);
    match last {
        Some(last) if context.complete && last > batch.observed_at => {
            let message = format!(
                "the source was read at {}, but scope '{}' of '{}' was already read completely at {last}; deliver a newer listing",
                batch.observed_at, batch.scope, batch.source
            );
            Err(Box::new(Finding::new(FindingCode::OlderThanKnown, Position::default(), message)))
        }
        _ => Ok(()),
    }
}

/// The plan of a batch about which nothing is to be done.
pub(crate) fn nothing_to_do(context: &Context<'_>, batch: &Batch, mut run: ImportRun, outcome: PlanOutcome) -> Plan {
    match &outcome {
        PlanOutcome::AlreadyKnown { batch, .. } => {
            if let Some((_, known)) = context.catalogue.run(*batch) {
                run = ImportRun { outcome: ImportOutcome::AlreadyKnown, batch: run.batch, ..ImportRun::clone(known) };
            }
        }
        PlanOutcome::Refused { reason, .. } => {
            run.outcome = ImportOutcome::Refused;
            run.reason = Some(Arc::from(reason.as_str()));
        }
        PlanOutcome::Ready => {}
    }
    Plan {
        base: context.catalogue.revision(),
        batch: context.batch,
        outcome,
        changes: Vec::new(),
        rows: Vec::new(),
        rows_left_out: 0,
        replaced: 0,
        findings: batch.findings.clone(),
        run,
    }
}

fn count(run: &mut ImportRun, findings: &[Finding], results: &Results) {
    run.configuration_items = results.configuration_items;
    run.relationships = results.relationships;
    run.needs = results.needs;
    run.findings.clear();
    for finding in findings {
        *run.findings.entry(finding.code).or_default() += 1;
    }
}

/// Completes the entry of a batch that applies.
pub(crate) fn committed(run: &mut ImportRun, findings: &[Finding], results: &Results) {
    count(run, findings, results);
    run.outcome = ImportOutcome::Committed;
}

/// Completes the entry of a batch that does not apply.
pub(crate) fn refused(run: &mut ImportRun, reason: &str, findings: &[Finding], results: &Results) {
    count(run, findings, results);
    run.outcome = ImportOutcome::Refused;
    run.reason = Some(Arc::from(reason));
}

/// The change of the ledger. A batch that was refused under the same id before is entered anew.
pub(crate) fn run(catalogue: &Catalogue, run: ImportRun) -> RecordChange {
    RecordChange::Run(match catalogue.run(run.batch) {
        Some((_, before)) => Change::updated(Arc::clone(before), run),
        None => Change::created(run),
    })
}

/// The change of the scope's state. Times never go back: a late delta moves neither.
pub(crate) fn scope(context: &Context<'_>, batch: &Batch, run: &ImportRun) -> RecordChange {
    let before = context.catalogue.scope(&batch.source, &batch.scope);
    let read_completely = context.complete.then_some(batch.observed_at);
    let newest = before.is_none_or(|before| before.last_seen <= batch.observed_at);
    let after = ScopeState {
        source: batch.source.clone(),
        scope: batch.scope.clone(),
        last_complete: before.and_then(|before| before.last_complete).max(read_completely),
        last_seen: before.map_or(batch.observed_at, |before| before.last_seen.max(batch.observed_at)),
        cursor: match before {
            Some(before) if !newest => before.cursor.clone(),
            _ => batch.cursor.clone(),
        },
        batch: run.batch,
        digest: Arc::clone(&run.digest),
    };
    RecordChange::Scope(match before {
        Some(before) => Change::updated(Arc::clone(before), after),
        None => Change::created(after),
    })
}
