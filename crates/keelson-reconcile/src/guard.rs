//! The guard: stops a batch that would take too much away, until a person has looked.

use std::sync::Arc;

use keelson_catalogue::CiIx;
use keelson_model::{Finding, FindingCode, ImportRun, Position, ReviewState, ReviewTask};
use sha2::{Digest, Sha256};

use crate::plan::Plan;
use crate::planner::Planner;
use crate::reviews::WITHDRAWAL_SET;
use crate::{merge, reviews};

/// Most keys a review task of the guard lists.
const KEYS_SHOWN: usize = 100;

/// Fewest replaced items that the guard looks at.
const REPLACED_AT_LEAST: usize = 10;

/// What a plan takes away, as the guard counts it.
struct Lost {
    cis: usize,
    relationships: usize,
    /// Relationships that go with an end or a need.
    with_others: usize,
    replaced: usize,
}

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
    /// however many members it has. Items in whose place another lifetime stands are counted apart.
    pub(crate) fn guard(&mut self) -> Option<Tripped<'a>> {
        let gone = &self.gone;
        if gone.cis.is_empty() && gone.relationships.is_empty() && gone.needs.is_empty() && gone.replaced.is_empty() {
            return None;
        }
        let lost = self.lost();
        let empty = self.context.complete && self.batch.observations.is_empty();
        let (held_cis, held_relationships) = self.held();
        let (settings, source) = (self.context.settings, &self.context.source);
        let (percent, replaced_percent) = (settings.guard(source), settings.replacement_guard(source));
        let beyond = |lost: usize, held: usize, percent: f64| lost as f64 * 100.0 > held as f64 * percent;
        let over = |lost: usize, held: usize| lost > 1 && beyond(lost, held, percent);
        let takes_too_much = empty || over(lost.cis, held_cis) || over(lost.relationships, held_relationships);
        let replaces_too_much = lost.replaced >= REPLACED_AT_LEAST && beyond(lost.replaced, held_cis, replaced_percent);
        if !takes_too_much && !replaces_too_much {
            return None;
        }
        let set = self.withdrawal_set(replaces_too_much);
        let task = self.reviews.guard_task(&set);
        if task.is_some_and(|task| task.state == ReviewState::Settled) {
            return None;
        }
        let reason = self.guard_reason(&lost, (held_cis, held_relationships), (takes_too_much, replaces_too_much));
        Some(Tripped { evidence: self.guard_evidence(&set, replaces_too_much), reason, task })
    }

    /// What the plan takes away, as the guard counts it.
    fn lost(&self) -> Lost {
        let gone = &self.gone;
        let own = gone.relationships.iter().filter(|ends| gone.is_of_its_own(ends)).count();
        let needs = gone.needs.iter().filter(|(dependent, _)| !gone.is_gone(*dependent)).count();
        Lost {
            cis: gone.cis.len(),
            relationships: own + needs,
            with_others: gone.relationships.len() - own,
            replaced: gone.replaced.iter().filter(|ix| self.is_held(**ix)).count(),
        }
    }

    /// Whether the source describes an item in the scope, before this batch.
    fn is_held(&self, ix: CiIx) -> bool {
        let Some(ci) = self.drafts.before(ix) else { return false };
        ci.live_claims().any(|claim| {
            let scope = &claim.provenance.scope;
            claim.provenance.source == self.context.source
                && merge::describes(claim)
                && (*scope == self.context.scope || (!self.context.complete && scope.overlaps(&self.context.scope)))
        })
    }

    fn guard_reason(&self, lost: &Lost, held: (usize, usize), trips: (bool, bool)) -> String {
        let settings = self.context.settings;
        let (source, scope) = (&self.context.source, &self.context.scope);
        let mut parts = Vec::new();
        if trips.0 {
            let uncounted = match lost.with_others {
                0 => String::new(),
                more => format!(" ({more} more relationships go with an item or a need and are not counted)"),
            };
            parts.push(format!(
                "withdraw {} of {} configuration items and {} of {} relationships{uncounted} that '{source}' holds in \
                 scope '{scope}', more than the {} % its guard allows",
                lost.cis,
                held.0,
                lost.relationships,
                held.1,
                settings.guard(source)
            ));
        }
        if lost.replaced > 0 {
            let more = if trips.1 { "more than" } else { "within" };
            parts.push(format!(
                "replace {} of {} configuration items by another lifetime under the same source key, {more} the {} % \
                 allowed",
                lost.replaced,
                held.0,
                settings.replacement_guard(source)
            ));
        }
        let would = parts.join(", and ");
        format!("the batch would {would}; settle the review task to let it, or deliver a complete listing")
    }

    fn guard_evidence(&self, set: &str, replaces: bool) -> Vec<Arc<str>> {
        let mut evidence: Vec<Arc<str>> = vec![format!("{WITHDRAWAL_SET}{set}").into()];
        let gone = &self.gone;
        let replaced = match gone.replaced.len() {
            0 => String::new(),
            replaced => format!(", {replaced} replaced by another lifetime"),
        };
        evidence.push(
            format!(
                "{} configuration items, {} relationships, {} needs{replaced}",
                gone.cis.len(),
                gone.relationships.len(),
                gone.needs.len()
            )
            .into(),
        );
        let mut keys: Vec<String> = gone.cis.iter().map(|ix| self.drafts.ci(*ix).key.to_string()).collect();
        if replaces {
            keys.extend(gone.replaced.iter().map(|ix| format!("{} (replaced)", self.drafts.ci(*ix).key)));
        }
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
    fn withdrawal_set(&self, replaces: bool) -> String {
        let id = |ix: CiIx| self.drafts.id(ix).to_string();
        let mut lines: Vec<String> = self.gone.cis.iter().map(|ix| id(*ix)).collect();
        lines.extend(self.gone.relationships.iter().map(|ends| format!("{} {} {}", id(ends.0), ends.1, id(ends.2))));
        lines.extend(self.gone.needs.iter().map(|(ix, name)| format!("{} {name}", id(*ix))));
        if replaces {
            lines.extend(self.gone.replaced.iter().map(|ix| format!("{} replaced", id(*ix))));
        }
        lines.sort_unstable();
        let digest = Sha256::digest(lines.join("\n").as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The plan of a batch that the guard stops: its ledger entry and the question.
    pub(crate) fn refuse_by_guard(mut self, run: ImportRun, tripped: Tripped<'a>) -> Plan {
        let Tripped { reason, evidence, task } = tripped;
        self.notes.add(Finding::new(FindingCode::GuardTripped, Position::default(), reason.clone()));
        let question = reason.clone();
        self.refuse_and_ask(run, reason, FindingCode::GuardTripped, |reviews, context, ids| {
            reviews.guard_trips(task, || ReviewTask {
                evidence,
                ..reviews::task(FindingCode::GuardTripped, &question, context, ids)
            })
        })
    }
}
