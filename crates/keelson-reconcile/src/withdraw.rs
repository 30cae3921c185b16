//! Withdrawal: what a complete batch no longer lists, and what a source says has gone.
//!
//! Nothing is deleted. A claim gets a tombstone; a record without a live claim is withdrawn.
//!
//! What hangs on a row that does not apply (refused, waiting, older news) is left alone: unreadable
//! never means gone. So are claims that rest on something newer than the batch.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use keelson_catalogue::{CiIx, Claimed};
use keelson_model::{
    Carries, CiRef, Claim, Finding, FindingCode, Position, Provenance, Removal, RemovalTarget, Severity, Symbol,
};

use crate::drafts::Ends;
use crate::merge;
use crate::plan::{RowKind, RowOutcome, RowResult};
use crate::planner::Planner;
use crate::relationships::{arrow, bit};
use crate::results::About;
use crate::rows::Fate;

/// What a plan takes away from the source in the scope.
#[derive(Default)]
pub(crate) struct Gone {
    /// Earlier lifetimes; they count as listed, because something stands in their place.
    pub(crate) replaced: HashSet<CiIx>,
    /// Items the source no longer describes.
    pub(crate) cis: BTreeSet<CiIx>,
    /// Placeholders the source no longer refers to.
    pub(crate) placeholders: BTreeSet<CiIx>,
    pub(crate) relationships: BTreeSet<Ends>,
    /// Those among them that went with a need.
    with_needs: HashSet<Ends>,
    pub(crate) needs: BTreeSet<(CiIx, Arc<str>)>,
}

impl Gone {
    pub(crate) fn is_gone(&self, ix: CiIx) -> bool {
        self.cis.contains(&ix) || self.placeholders.contains(&ix) || self.replaced.contains(&ix)
    }

    /// Whether a relationship goes although both of its ends stay, and not with a need.
    pub(crate) fn is_of_its_own(&self, ends: &Ends) -> bool {
        !self.is_gone(ends.0) && !self.is_gone(ends.2) && !self.with_needs.contains(ends)
    }
}

impl Planner<'_> {
    /// What the source explicitly says has gone.
    pub(crate) fn removals(&mut self) {
        let batch = self.batch;
        for removal in &batch.removals {
            let reason = removal.reason.as_deref().unwrap_or("removed by its source");
            match &removal.target {
                RemovalTarget::Ci(reference) => self.remove_ci(removal, reference, reason),
                RemovalTarget::Relationship { kind, dependent, dependency } => {
                    self.remove_relationship(removal, kind, dependent, dependency, reason);
                }
                RemovalTarget::Need { dependent, name } => self.remove_need(removal, dependent, name, reason),
            }
        }
        let replaced: Vec<CiIx> = self.gone.replaced.iter().copied().collect();
        for ix in replaced {
            self.release(ix, "its dependent is another lifetime");
        }
    }

    /// The item a reference means, without making a placeholder.
    fn find(&self, reference: &CiRef) -> Option<CiIx> {
        if let Some(at) = self.row_of(reference)
            && let Fate::Is(ix) = self.rows[at].fate
        {
            return Some(ix);
        }
        match reference {
            CiRef::Source { key, .. } => self.context.find_source(key),
            CiRef::Catalogue(key) => self.drafts.holder(key).map(|ix| self.context.follow(ix)),
        }
    }

    /// Whether a claim is one this batch may end.
    fn may_end(&self, provenance: &Provenance) -> bool {
        provenance.is_live()
            && provenance.source == self.context.source
            && (provenance.scope == self.context.scope
                || (!self.context.complete && provenance.scope.overlaps(&self.context.scope)))
            && !self.context.is_older_than(provenance)
    }

    fn remove_ci(&mut self, removal: &Removal, reference: &CiRef, reason: &str) {
        if self.is_observed_later(removal, reference) {
            let key = reference.as_str();
            let message = format!("'{key}' is said to have gone and is observed in the same batch; it stays");
            let finding = Finding::new(FindingCode::DuplicateConflict, removal.position.clone(), message);
            self.notes.add(finding.about(key).with_severity(Severity::Warning));
            return self.removal_result(removal, About::Ci, None, RowOutcome::Skipped);
        }
        let Some(ix) = self.find(reference) else {
            let key = reference.as_str();
            let message = format!("'{key}' is said to have gone, but nobody knows it");
            self.notes.add_once(FindingCode::MissingTarget, &removal.position, key, message);
            return self.removal_result(removal, About::Ci, None, RowOutcome::Skipped);
        };
        let named = |claim: &Claim| match reference {
            CiRef::Source { key, .. } => claim.source_key == *key,
            CiRef::Catalogue(_) => true,
        };
        let ended = self.end_claims(ix, |claim| named(claim), reason);
        if ended {
            self.release(ix, reason);
        }
        let outcome = if ended { RowOutcome::Withdrawn } else { RowOutcome::Unchanged };
        self.removal_result(removal, About::Ci, Some(ix), outcome);
    }

    /// Whether the batch observes what it says has gone, and not before that. Only lines and
    /// documents of one file tell before from after.
    fn is_observed_later(&self, removal: &Removal, reference: &CiRef) -> bool {
        let Some(at) = self.row_of(reference) else { return false };
        let observed = &self.rows[at].observation.position;
        let gone = &removal.position;
        let ordered = observed.file == gone.file
            && (observed.line.zip(gone.line).is_some() || observed.document.zip(gone.document).is_some());
        !(ordered && (observed.document, observed.line) < (gone.document, gone.line))
    }

    /// Ends live claims of this source on an item; whether there were any.
    fn end_claims(&mut self, ix: CiIx, which: impl Fn(&Claim) -> bool, reason: &str) -> bool {
        let ends = |claim: &Claim| self.may_end(&claim.provenance) && which(claim);
        let places: Vec<usize> =
            self.drafts.ci(ix).claims.iter().enumerate().filter(|(_, claim)| ends(claim)).map(|(at, _)| at).collect();
        if places.is_empty() {
            return false;
        }
        let tombstone = self.context.tombstone(reason);
        let ci = self.drafts.ci_mut(ix);
        for place in places {
            ci.claims[place].provenance.tombstone = Some(tombstone.clone());
        }
        let own = |claim: &&Claim| claim.provenance.source == self.context.source;
        let was_described = self.drafts.before(ix).is_some_and(|ci| ci.live_claims().filter(own).any(merge::describes));
        let ci = self.drafts.ci(ix);
        if !ci.live_claims().filter(own).any(merge::describes) && was_described {
            self.gone.cis.insert(ix);
        } else if !ci.live_claims().any(|claim| own(&claim)) {
            self.gone.placeholders.insert(ix);
        }
        true
    }

    /// Ends what this source says of the relationships and needs of a dependent.
    fn release(&mut self, dependent: CiIx, reason: &str) {
        if !self.drafts.is_known(dependent) {
            return;
        }
        let catalogue = self.context.catalogue;
        for ix in &catalogue.slot(dependent).dependencies {
            let slot = catalogue.relationship(*ix);
            let ends = (dependent, slot.relationship.key.kind.clone(), slot.dependency);
            self.end_statement(&ends, |_| true, reason);
        }
        for ix in &catalogue.slot(dependent).needs {
            let name = Arc::clone(&catalogue.need(*ix).need.name);
            self.end_need(dependent, &name, reason);
        }
    }

    /// Ends live claims of this source on a relationship; whether there were any.
    pub(crate) fn end_statement(
        &mut self,
        ends: &Ends,
        which: impl Fn(&keelson_model::RelationshipClaim) -> bool,
        reason: &str,
    ) -> bool {
        let Some(relationship) = self.drafts.relationship(ends) else { return false };
        let places: Vec<usize> = (0..relationship.claims.len())
            .filter(|at| self.may_end(&relationship.claims[*at].provenance) && which(&relationship.claims[*at]))
            .collect();
        if places.is_empty() {
            return false;
        }
        let tombstone = self.context.tombstone(reason);
        let source = self.context.source.clone();
        let relationship = self.drafts.relationship_mut(ends);
        for place in places {
            relationship.claims[place].provenance.tombstone = Some(tombstone.clone());
        }
        if !relationship.live_claims().any(|claim| claim.provenance.source == source) {
            self.gone.relationships.insert(ends.clone());
        }
        true
    }

    /// Ends this source's claim on a need, and on the membership of its members.
    fn end_need(&mut self, dependent: CiIx, name: &Arc<str>, reason: &str) -> bool {
        let Some(need) = self.drafts.need(dependent, name).cloned() else { return false };
        let Some(place) = need.claims.iter().position(|claim| self.may_end(&claim.provenance)) else { return false };
        let tombstone = self.context.tombstone(reason);
        let draft = self.drafts.need_mut(dependent, name, |_| keelson_model::Need::clone(&need));
        draft.claims[place].provenance.tombstone = Some(tombstone);
        self.gone.needs.insert((dependent, Arc::clone(name)));
        let definition = &need.claims[place].definition;
        let members: Vec<_> = definition.members.iter().map(|member| member.ci).collect();
        let given_up = self.give_up_members(dependent, &definition.kind, &members);
        self.gone.with_needs.extend(given_up);
        true
    }

    fn remove_relationship(
        &mut self,
        removal: &Removal,
        kind: &Symbol,
        dependent: &CiRef,
        dependency: &CiRef,
        reason: &str,
    ) {
        let ends = self.find(dependent).zip(self.find(dependency));
        let Some((mut from, mut to)) = ends else {
            let key = arrow(dependent, kind, dependency);
            let message = format!("'{key}' is said to have gone, but nobody knows its ends");
            self.notes.add_once(FindingCode::MissingTarget, &removal.position, &key, message);
            return self.removal_result(removal, About::Relationship, None, RowOutcome::Skipped);
        };
        let carries = self.context.catalogue.schema().kinds.get(kind).map(|kind| kind.carries);
        if carries == Some(Carries::Undirected) && self.drafts.id(to) < self.drafts.id(from) {
            std::mem::swap(&mut from, &mut to);
        }
        let plain = |claim: &keelson_model::RelationshipClaim| claim.stated == keelson_model::Stated::Plain;
        let ended = self.end_statement(&(from, kind.clone(), to), plain, reason);
        let outcome = if ended { RowOutcome::Withdrawn } else { RowOutcome::Unchanged };
        self.removal_result(removal, About::Relationship, Some(from), outcome);
    }

    fn remove_need(&mut self, removal: &Removal, dependent: &CiRef, name: &Arc<str>, reason: &str) {
        let Some(ix) = self.find(dependent) else {
            let key = dependent.as_str();
            let message = format!("the need '{name}' of '{key}' is said to have gone, but nobody knows '{key}'");
            self.notes.add_once(FindingCode::MissingTarget, &removal.position, key, message);
            return self.removal_result(removal, About::Need, None, RowOutcome::Skipped);
        };
        let ended = self.end_need(ix, name, reason);
        let outcome = if ended { RowOutcome::Withdrawn } else { RowOutcome::Unchanged };
        self.removal_result(removal, About::Need, Some(ix), outcome);
    }

    fn removal_result(&mut self, removal: &Removal, about: About, ix: Option<CiIx>, outcome: RowOutcome) {
        let drafts = &self.drafts;
        self.results.add(about, outcome, || RowResult {
            position: removal.position.clone(),
            row: RowKind::Removal,
            source_key: match &removal.target {
                RemovalTarget::Ci(reference) => reference.as_str().into(),
                RemovalTarget::Relationship { kind, dependent, dependency } => arrow(dependent, kind, dependency),
                RemovalTarget::Need { dependent, name } => format!("{}: {name}", dependent.as_str()).into(),
            },
            ci: ix.map(|ix| drafts.id(ix)),
            key: ix.map(|ix| drafts.ci(ix).key.clone()),
            outcome,
            succeeds: None,
            changed: Vec::new(),
        });
    }

    /// What a complete batch no longer lists.
    pub(crate) fn absences(&mut self) {
        if !self.context.complete {
            return;
        }
        let catalogue = self.context.catalogue;
        let Some(claimed) = catalogue.claimed(&self.context.source, &self.context.scope) else { return };
        self.absent_cis(claimed);
        // Needs first: the membership of their members goes with them.
        self.absent_needs(claimed);
        self.absent_relationships(claimed);
    }

    fn absent_cis(&mut self, claimed: &Claimed) {
        let batch = self.batch;
        // Rows the importer refused: their items were there, only unreadable.
        let refused: HashSet<&str> = batch
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .filter_map(|finding| finding.key.as_deref())
            .collect();
        for number in &claimed.cis {
            let ix = CiIx(*number);
            let ci = self.drafts.ci(ix);
            if self.candidates.contains(&ix) || refused.contains(ci.key.as_str()) {
                self.listed.insert(ix, false);
                continue;
            }
            let absent: HashSet<_> = ci
                .live_claims()
                .filter(|claim| self.context.is_own(&claim.provenance))
                .filter(|claim| !self.by_source_key.contains_key(&claim.source_key))
                .filter(|claim| !(merge::refers(claim) && self.still_referred.contains(&ix)))
                .filter(|claim| !refused.contains(claim.source_key.as_str()))
                .map(|claim| claim.source_key.clone())
                .collect();
            if absent.is_empty() {
                continue;
            }
            let scope = self.context.scope.clone();
            let ended = self.end_claims(
                ix,
                |claim| claim.provenance.scope == scope && absent.contains(&claim.source_key),
                "no longer listed",
            );
            if ended && self.gone.cis.contains(&ix) {
                let (id, key) = (self.drafts.id(ix), self.drafts.ci(ix).key.clone());
                self.results.add(About::Ci, RowOutcome::Withdrawn, || RowResult {
                    position: Position::default(),
                    row: RowKind::Withdrawal,
                    source_key: absent.iter().min().map_or_else(|| "".into(), |key| key.as_str().into()),
                    ci: Some(id),
                    key: Some(key),
                    outcome: RowOutcome::Withdrawn,
                    succeeds: None,
                    changed: Vec::new(),
                });
            }
        }
    }

    /// Whether the batch lists a dependent with everything that hangs on it, or has ended it.
    fn is_complete_for(&self, ix: CiIx) -> bool {
        self.listed.get(&ix) == Some(&true) || self.gone.is_gone(ix)
    }

    fn absent_relationships(&mut self, claimed: &Claimed) {
        let catalogue = self.context.catalogue;
        for number in &claimed.relationships {
            let slot = catalogue.relationship(keelson_catalogue::RelationshipIx(*number));
            let stated = self.stated[*number as usize];
            let kind = &slot.relationship.key.kind;
            let undirected =
                || catalogue.schema().kinds.get(kind).is_some_and(|kind| kind.carries == Carries::Undirected);
            let complete =
                self.is_complete_for(slot.dependent) || (undirected() && self.is_complete_for(slot.dependency));
            if !complete {
                continue;
            }
            let scope = self.context.scope.clone();
            let ends = (slot.dependent, kind.clone(), slot.dependency);
            let absent = |claim: &keelson_model::RelationshipClaim| {
                claim.provenance.scope == scope && stated & bit(claim.stated) == 0
            };
            if self.end_statement(&ends, absent, "no longer listed") && self.gone.relationships.contains(&ends) {
                let (from, to) = (self.drafts.ci(ends.0), self.drafts.ci(ends.2));
                let text: Arc<str> = format!("{} -{}-> {}", from.key, ends.1, to.key).into();
                let (id, key) = (from.id, from.key.clone());
                self.absence_result(About::Relationship, text, id, key);
            }
        }
    }

    fn absent_needs(&mut self, claimed: &Claimed) {
        let catalogue = self.context.catalogue;
        for number in &claimed.needs {
            let slot = catalogue.need(keelson_catalogue::NeedIx(*number));
            let name = Arc::clone(&slot.need.name);
            let stated = self.stated_needs.contains(&(slot.dependent, Arc::clone(&name)));
            if !stated
                && self.is_complete_for(slot.dependent)
                && self.end_need(slot.dependent, &name, "no longer listed")
            {
                let ci = self.drafts.ci(slot.dependent);
                let (text, id, key) = (format!("{}: {name}", ci.key).into(), ci.id, ci.key.clone());
                self.absence_result(About::Need, text, id, key);
            }
        }
    }

    fn absence_result(&mut self, about: About, text: Arc<str>, id: keelson_model::CiId, key: keelson_model::CiKey) {
        self.results.add(about, RowOutcome::Withdrawn, || RowResult {
            position: Position::default(),
            row: RowKind::Withdrawal,
            source_key: text,
            ci: Some(id),
            key: Some(key),
            outcome: RowOutcome::Withdrawn,
            succeeds: None,
            changed: Vec::new(),
        });
    }
}
