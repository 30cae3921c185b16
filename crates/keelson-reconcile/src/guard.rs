//! The guard: stops a batch that would take too much away, until a person has looked.

use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_model::{Finding, FindingCode, ImportRun, Position, RecordChange, ReviewState, ReviewTask};
use sha2::{Digest, Sha256};

use crate::drafts::Ends;
use crate::plan::{Plan, PlanOutcome};
use crate::planner::Planner;
use crate::reviews::WITHDRAWAL_SET;
use crate::{ledger, merge, reviews};

/// Most keys a review task of the guard lists.
const KEYS_SHOWN: usize = 100;

/// A plan that the guard stops.
pub(crate) struct Tripped<'a> {
    reason: String,
    evidence: Vec<Arc<str>>,
    task: Option<&'a Arc<ReviewTask>>,
}

impl<'a> Planner<'a> {
    /// What the source holds in the scope: items it describes, and relationships.
    fn held(&self) -> (usize, usize) {
        let catalogue = self.context.catalogue;
        let scopes = catalogue.scopes().filter(|state| {
            state.source == self.context.source
                && (state.scope == self.context.scope
                    || (!self.context.complete && state.scope.overlaps(&self.context.scope)))
        });
        let (mut cis, mut relationships) = (0, 0);
        for claimed in scopes.filter_map(|state| catalogue.claimed(&state.source, &state.scope)) {
            let described = |number: &&u32| {
                let mut claims = catalogue.ci(CiIx(**number)).live_claims();
                claims.any(|claim| claim.provenance.source == self.context.source && merge::describes(claim))
            };
            cis += claimed.cis.iter().filter(described).count();
            relationships += claimed.relationships.len();
        }
        (cis, relationships)
    }

    /// Stops a plan that takes more away than the guard allows, unless a person has approved
    /// exactly this. One withdrawal is always allowed. Relationships that go together with one of
    /// their ends are its consequence and not counted again; a need counts as one relationship,
    /// however many members it has.
    pub(crate) fn guard(&mut self) -> Option<Tripped<'a>> {
        let gone = &self.gone;
        let lost_cis = gone.cis.len();
        let own = |ends: &&Ends| gone.is_of_its_own(ends);
        let lost_needs = gone.needs.iter().filter(|(dependent, _)| !gone.is_gone(*dependent)).count();
        let lost_relationships = gone.relationships.iter().filter(own).count() + lost_needs;
        let empty = self.context.complete && self.batch.observations.is_empty();
        if gone.cis.is_empty() && gone.relationships.is_empty() && gone.needs.is_empty() {
            return None;
        }
        let (held_cis, held_relationships) = self.held();
        let percent = self.context.settings.guard(&self.context.source);
        let beyond = |lost: usize, held: usize| lost > 1 && lost as f64 * 100.0 > held as f64 * percent;
        let trips = empty || beyond(lost_cis, held_cis) || beyond(lost_relationships, held_relationships);
        if !trips {
            return None;
        }
        let set = self.withdrawal_set();
        let task = self.reviews.guard_task(&set);
        if task.is_some_and(|task| task.state == ReviewState::Settled) {
            return None;
        }
        let reason = format!(
            "the batch would withdraw {lost_cis} of {held_cis} configuration items and {lost_relationships} of \
             {held_relationships} relationships that '{}' holds in scope '{}', more than the {percent} % its guard \
             allows; settle the review task to let it, or deliver a complete listing",
            self.context.source, self.context.scope
        );
        Some(Tripped { evidence: self.guard_evidence(&set), reason, task })
    }

    fn guard_evidence(&self, set: &str) -> Vec<Arc<str>> {
        let mut evidence: Vec<Arc<str>> = vec![format!("{WITHDRAWAL_SET}{set}").into()];
        let gone = &self.gone;
        evidence.push(
            format!(
                "{} configuration items, {} relationships, {} needs",
                gone.cis.len(),
                gone.relationships.len(),
                gone.needs.len()
            )
            .into(),
        );
        let mut keys: Vec<String> = gone.cis.iter().map(|ix| self.drafts.ci(*ix).key.to_string()).collect();
        keys.sort_unstable();
        let arrows = gone.relationships.iter().filter(|ends| gone.is_of_its_own(ends));
        let key = |ix: CiIx| self.drafts.ci(ix).key.as_str();
        keys.extend(arrows.take(KEYS_SHOWN).map(|ends| format!("{} -{}-> {}", key(ends.0), ends.1, key(ends.2))));
        let more = keys.len().saturating_sub(KEYS_SHOWN);
        evidence.extend(keys.into_iter().take(KEYS_SHOWN).map(Arc::from));
        if more > 0 {
            evidence.push("and more".into());
        }
        evidence
    }

    /// A digest of exactly what would go.
    fn withdrawal_set(&self) -> String {
        let id = |ix: CiIx| self.drafts.id(ix).to_string();
        let mut lines: Vec<String> = self.gone.cis.iter().map(|ix| id(*ix)).collect();
        lines.extend(self.gone.relationships.iter().map(|ends| format!("{} {} {}", id(ends.0), ends.1, id(ends.2))));
        lines.extend(self.gone.needs.iter().map(|(ix, name)| format!("{} {name}", id(*ix))));
        lines.sort_unstable();
        let digest = Sha256::digest(lines.join("\n").as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The plan of a batch that the guard stops: its ledger entry and the question.
    pub(crate) fn refuse_by_guard(mut self, mut run: ImportRun, tripped: &Tripped<'a>) -> Plan {
        let finding = Finding::new(FindingCode::GuardTripped, Position::default(), tripped.reason.clone());
        self.notes.add(finding);
        let findings = self.notes.finish();
        ledger::refused(&mut run, &tripped.reason, &findings, &self.results);
        let (context, ids) = (&self.context, &mut *self.ids);
        let tasks = self.reviews.guard_trips(tripped.task, || ReviewTask {
            evidence: tripped.evidence.clone(),
            ..reviews::task(FindingCode::GuardTripped, &tripped.reason, context, ids)
        });
        let mut changes: Vec<RecordChange> = tasks.into_iter().map(RecordChange::Review).collect();
        changes.push(ledger::run(context.catalogue, run.clone()));
        let (rows, rows_left_out) = self.results.finish();
        let outcome = PlanOutcome::Refused { reason: tripped.reason.clone(), code: Some(FindingCode::GuardTripped) };
        Plan {
            base: context.catalogue.revision(),
            batch: context.batch,
            outcome,
            changes,
            rows,
            rows_left_out,
            findings,
            run,
        }
    }
}
