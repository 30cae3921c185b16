//! Applying commits: the one way a catalogue changes.

use std::sync::Arc;

use keelson_model::{
    Change, CiId, CommitHeader, ConfigurationItem, ImportRun, Need, Provenance, RecordChange, Relationship, ReviewTask,
    Revision, ScopeState, Standing, Symbol,
};
use smallvec::{SmallVec, smallvec};
use thiserror::Error;

use crate::catalogue::{Claimed, Head, SourceRef};
use crate::identity::{IdentityKey, identities};
use crate::{Catalogue, CiIx, LogRef, NeedIx, NeedSlot, RelationshipIx, RelationshipSlot, Slot};

/// A commit that does not follow from the catalogue it is applied to: log and state disagree.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// The commit is not the next one.
    #[error("revision {found} cannot follow revision {head}")]
    NotNext {
        /// The catalogue's revision.
        head: Revision,
        /// The commit's revision.
        found: Revision,
    },
    /// A commit that names another one as the one before it.
    #[error("revision {revision} follows another history: it names {named} as the digest before it, not {found}")]
    BrokenChain {
        /// The commit's revision.
        revision: Revision,
        /// The digest it names.
        named: String,
        /// The digest of the commit before.
        found: String,
    },
    /// A change whose record before is not the record the catalogue has.
    #[error("revision {revision} changes {record}, which is not as the commit says it was")]
    Unexpected {
        /// The commit's revision.
        revision: Revision,
        /// The record.
        record: String,
    },
    /// A record that refers to a configuration item nobody knows.
    #[error("revision {revision} refers to the configuration item {id}, which does not exist")]
    Dangling {
        /// The commit's revision.
        revision: Revision,
        /// The missing item.
        id: CiId,
    },
}

impl Catalogue {
    /// Applies one commit. `chunked` gives its changes with the number of the chunk each stands in.
    ///
    /// # Errors
    /// Fails when the commit does not follow from this catalogue; the catalogue is then unchanged
    /// only if the caller discards it, so apply to a clone.
    pub fn apply<'a>(
        &mut self,
        header: &CommitHeader,
        chunked: impl IntoIterator<Item = (u32, &'a RecordChange)>,
    ) -> Result<(), ApplyError> {
        let head = self.head;
        if header.revision != head.revision.next() {
            return Err(ApplyError::NotNext { head: head.revision, found: header.revision });
        }
        if header.previous != head.digest {
            return Err(ApplyError::BrokenChain {
                revision: header.revision,
                named: header.previous.to_string(),
                found: head.digest.to_string(),
            });
        }
        for (chunk, change) in chunked {
            let at = LogRef::new(header.revision, chunk);
            match change {
                RecordChange::Ci(change) => self.apply_ci(change, at)?,
                RecordChange::Relationship(change) => self.apply_relationship(change, at)?,
                RecordChange::Need(change) => self.apply_need(change, at)?,
                RecordChange::Scope(change) => self.apply_scope(change),
                RecordChange::Run(change) => self.apply_run(change, at),
                RecordChange::Review(change) => self.apply_review(change),
                other => self.planning.apply(other, at)?,
            }
        }
        self.head = Head { revision: header.revision, digest: header.digest(), at: Some(header.at) };
        Ok(())
    }

    fn apply_ci(&mut self, change: &Change<ConfigurationItem>, at: LogRef) -> Result<(), ApplyError> {
        let Some(after) = &change.after else { return Ok(()) };
        let known = self.find_id(after.id);
        let before_version = change.before.as_ref().map(|ci| ci.version);
        let known_version = known.map(|ix| self.ci(ix).version);
        if before_version != known_version {
            return Err(unexpected(at, &format!("configuration item {}", after.key)));
        }
        let ix = match known {
            Some(ix) => {
                self.unindex(ix);
                let slot = self.slot_mut(ix);
                slot.ci = Arc::clone(after);
                slot.trail.push(at);
                ix
            }
            None => {
                let ix = CiIx::at(self.cis.len());
                self.cis.push_back(Arc::new(Slot {
                    ci: Arc::clone(after),
                    dependencies: Vec::new(),
                    dependents: Vec::new(),
                    needs: SmallVec::new(),
                    member_of: SmallVec::new(),
                    had_undirected: false,
                    trail: smallvec![at],
                }));
                self.by_id.insert(after.id, ix);
                ix
            }
        };
        self.index(ix);
        Ok(())
    }

    fn slot_mut(&mut self, ix: CiIx) -> &mut Slot {
        Arc::make_mut(&mut self.cis[ix.index()])
    }

    /// Takes a configuration item out of the look-ups its content put it into.
    fn unindex(&mut self, ix: CiIx) {
        let ci = Arc::clone(self.ci(ix));
        for key in self.identity_keys(ix) {
            if let Some(found) = self.by_identity.get_mut(&key) {
                found.retain(|other| *other != ix);
                if found.is_empty() {
                    self.by_identity.remove(&key);
                }
            }
        }
        if self.by_key.get(&ci.key) == Some(&ix) {
            self.by_key.remove(&ci.key);
        }
        for claim in ci.live_claims() {
            self.claimed_mut(&claim.provenance).cis.remove(&ix.0);
        }
    }

    /// Whether a configuration item has a live claim under a source's key.
    fn claims_live(&self, ix: CiIx, reference: &SourceRef) -> bool {
        let matches = |claim: &keelson_model::Claim| {
            claim.provenance.source == reference.source && claim.source_key == reference.key
        };
        self.ci(ix).live_claims().any(matches)
    }

    fn index(&mut self, ix: CiIx) {
        let ci = Arc::clone(self.ci(ix));
        for key in self.identity_keys(ix) {
            let found = self.by_identity.entry(key).or_default();
            if !found.contains(&ix) {
                found.push(ix);
            }
        }
        // A withdrawn item does not reserve its key: it keeps it only until somebody takes it.
        if ci.standing != Standing::Withdrawn || !self.by_key.contains_key(&ci.key) {
            self.by_key.insert(ci.key.clone(), ix);
        }
        for claim in &ci.claims {
            let reference = SourceRef { source: claim.provenance.source.clone(), key: claim.source_key.clone() };
            // Of several lifetimes under one source key the one that is still claimed is meant, and of
            // several that no longer are, the latest.
            let is_meant = claim.provenance.is_live()
                || self
                    .by_source
                    .get(&reference)
                    .is_none_or(|known| *known <= ix && !self.claims_live(*known, &reference));
            if is_meant {
                self.by_source.insert(reference, ix);
            }
            if claim.provenance.is_live() {
                self.claimed_mut(&claim.provenance).cis.insert(ix.0);
            }
        }
    }

    fn claimed_mut(&mut self, provenance: &Provenance) -> &mut Claimed {
        self.claimed.entry((provenance.source.clone(), provenance.scope.clone())).or_default()
    }

    /// Identity keys of an item: of its effective facts and of what each live source says.
    fn identity_keys(&self, ix: CiIx) -> Vec<IdentityKey> {
        let slot = self.slot(ix);
        let ci = &slot.ci;
        if ci.standing == Standing::Withdrawn {
            return Vec::new();
        }
        let Some(class) = self.schema.classes.get(&ci.class) else { return Vec::new() };
        if class.identities.is_empty() {
            return Vec::new();
        }
        let relatives = |kind: &Symbol| self.relatives(slot, kind);
        let facts = std::iter::once(ci.facts()).chain(ci.live_claims().map(|claim| &claim.facts));
        let mut keys: Vec<IdentityKey> = facts
            .flat_map(|facts| identities(class, facts.name.as_deref(), &facts.attributes, relatives))
            .map(|identity| identity.key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn relatives(&self, slot: &Slot, kind: &Symbol) -> Vec<CiId> {
        let live = slot.dependencies.iter().map(|ix| self.relationship(*ix));
        live.filter(|r| r.relationship.key.kind == *kind && r.relationship.standing == Standing::Live)
            .map(|r| r.relationship.key.dependency)
            .collect()
    }

    fn is_identifying(&self, ix: CiIx, kind: &Symbol) -> bool {
        let class = self.schema.classes.get(&self.ci(ix).class);
        class.is_some_and(|class| class.identities.iter().any(|rule| rule.relative.as_ref() == Some(kind)))
    }

    fn apply_relationship(&mut self, change: &Change<Relationship>, at: LogRef) -> Result<(), ApplyError> {
        let Some(after) = &change.after else { return Ok(()) };
        let dangling = |id| ApplyError::Dangling { revision: at.revision(), id };
        let dependent = self.find_id(after.key.dependent).ok_or_else(|| dangling(after.key.dependent))?;
        let dependency = self.find_id(after.key.dependency).ok_or_else(|| dangling(after.key.dependency))?;
        let known = self.find_relationship(dependent, &after.key.kind, dependency);
        let before_version = change.before.as_ref().map(|relationship| relationship.version);
        if before_version != known.map(|ix| self.relationship(ix).relationship.version) {
            return Err(unexpected(at, &format!("relationship {:?}", after.key)));
        }
        // An identity inside something else changes with the relationship to it.
        let reindex = self.is_identifying(dependent, &after.key.kind);
        if reindex {
            self.unindex(dependent);
        }
        let ix = match known {
            Some(ix) => {
                let before = Arc::clone(&self.relationship(ix).relationship);
                for claim in before.live_claims() {
                    self.claimed_mut(&claim.provenance).relationships.remove(&ix.0);
                }
                let slot = Arc::make_mut(&mut self.relationships[ix.index()]);
                slot.relationship = Arc::clone(after);
                slot.trail.push(at);
                ix
            }
            None => {
                let ix = RelationshipIx::at(self.relationships.len());
                self.relationships.push_back(Arc::new(RelationshipSlot {
                    relationship: Arc::clone(after),
                    dependent,
                    dependency,
                    trail: smallvec![at],
                }));
                self.by_ends.insert((dependent, dependency, after.key.kind.clone()), ix);
                let is_undirected = self.is_undirected(&after.key.kind);
                let slot = self.slot_mut(dependent);
                slot.dependencies.push(ix);
                slot.had_undirected |= is_undirected;
                let slot = self.slot_mut(dependency);
                slot.dependents.push(ix);
                slot.had_undirected |= is_undirected;
                ix
            }
        };
        for claim in after.live_claims() {
            self.claimed_mut(&claim.provenance).relationships.insert(ix.0);
        }
        if reindex {
            self.index(dependent);
        }
        Ok(())
    }

    fn apply_need(&mut self, change: &Change<Need>, at: LogRef) -> Result<(), ApplyError> {
        let Some(after) = &change.after else { return Ok(()) };
        let dangling = |id| ApplyError::Dangling { revision: at.revision(), id };
        let dependent = self.find_id(after.dependent).ok_or_else(|| dangling(after.dependent))?;
        let members: Result<Vec<CiIx>, ApplyError> = after
            .definition
            .members
            .iter()
            .map(|member| self.find_id(member.ci).ok_or_else(|| dangling(member.ci)))
            .collect();
        let members = members?;
        let known = self.find_need(after.id);
        let before_version = change.before.as_ref().map(|need| need.version);
        if before_version != known.map(|ix| self.need(ix).need.version) {
            return Err(unexpected(at, &format!("need {} of {}", after.name, after.dependent)));
        }
        let ix = match known {
            Some(ix) => {
                let before = Arc::clone(&self.need(ix).need);
                for claim in before.claims.iter().filter(|claim| claim.provenance.is_live()) {
                    self.claimed_mut(&claim.provenance).needs.remove(&ix.0);
                }
                for member in &before.definition.members {
                    if let Some(member) = self.find_id(member.ci) {
                        self.slot_mut(member).member_of.retain(|need| *need != ix);
                    }
                }
                let slot = Arc::make_mut(&mut self.needs[ix.index()]);
                slot.need = Arc::clone(after);
                slot.trail.push(at);
                ix
            }
            None => {
                let ix = NeedIx::at(self.needs.len());
                self.needs.push_back(Arc::new(NeedSlot { need: Arc::clone(after), dependent, trail: smallvec![at] }));
                self.by_need.insert(after.id, ix);
                self.slot_mut(dependent).needs.push(ix);
                ix
            }
        };
        for member in members {
            self.slot_mut(member).member_of.push(ix);
        }
        for claim in after.claims.iter().filter(|claim| claim.provenance.is_live()) {
            self.claimed_mut(&claim.provenance).needs.insert(ix.0);
        }
        Ok(())
    }

    fn apply_scope(&mut self, change: &Change<ScopeState>) {
        if let Some(after) = &change.after {
            self.scopes.insert((after.source.clone(), after.scope.clone()), Arc::clone(after));
        }
    }

    fn apply_run(&mut self, change: &Change<ImportRun>, at: LogRef) {
        if let Some(after) = &change.after {
            self.runs.insert(after.batch, (at.revision(), Arc::clone(after)));
        }
    }

    fn apply_review(&mut self, change: &Change<ReviewTask>) {
        if let Some(after) = &change.after {
            self.reviews.insert(after.id, Arc::clone(after));
        }
    }
}

pub(crate) fn unexpected(at: LogRef, record: &str) -> ApplyError {
    ApplyError::Unexpected { revision: at.revision(), record: record.to_owned() }
}
