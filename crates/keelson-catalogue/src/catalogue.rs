//! The catalogue and its look-ups.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use imbl::{HashMap, OrdMap, OrdSet, Vector};
use keelson_model::{
    BatchId, Carries, CiId, CiKey, ConfigurationItem, Digest, ImportRun, Need, NeedId, Relationship, RelationshipKey,
    ReviewTask, ReviewTaskId, Revision, Schema, Scope, ScopeState, SourceKey, Symbol,
};
use smallvec::SmallVec;

use crate::identity::IdentityKey;
use crate::planning::Planning;
use crate::{CiIx, LogRef, NeedIx, RelationshipIx};

/// The last commit a catalogue contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 before the first.
    pub revision: Revision,
    /// Its digest; all zeros before the first.
    pub digest: Digest,
    /// When it was made.
    pub at: Option<DateTime<Utc>>,
}

/// A configuration item with what hangs on it.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The record.
    pub ci: Arc<ConfigurationItem>,
    /// Relationships in which it is the dependent, withdrawn ones included.
    pub dependencies: Vec<RelationshipIx>,
    /// Relationships in which it is the dependency, withdrawn ones included.
    pub dependents: Vec<RelationshipIx>,
    /// Its needs, withdrawn ones included.
    pub needs: SmallVec<[NeedIx; 2]>,
    /// Needs in which it is a member.
    pub member_of: SmallVec<[NeedIx; 2]>,
    /// Whether it ever had a relationship without a direction ([`Catalogue::is_undirected`]): whoever
    /// looks for them need not search the others.
    pub had_undirected: bool,
    /// Where in the log it changed, oldest first.
    pub trail: SmallVec<[LogRef; 1]>,
}

/// A relationship with its ends.
#[derive(Clone, Debug)]
pub struct RelationshipSlot {
    /// The record.
    pub relationship: Arc<Relationship>,
    /// The dependent.
    pub dependent: CiIx,
    /// The dependency.
    pub dependency: CiIx,
    /// Where in the log it changed, oldest first.
    pub trail: SmallVec<[LogRef; 1]>,
}

/// A need with its dependent.
#[derive(Clone, Debug)]
pub struct NeedSlot {
    /// The record.
    pub need: Arc<Need>,
    /// The dependent.
    pub dependent: CiIx,
    /// Where in the log it changed, oldest first.
    pub trail: SmallVec<[LogRef; 1]>,
}

/// What a source calls a configuration item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceRef {
    /// The source.
    pub source: Symbol,
    /// Its key there.
    pub key: SourceKey,
}

/// What a source holds in a scope: records with a live claim of it.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// Configuration items.
    pub cis: OrdSet<u32>,
    /// Relationships.
    pub relationships: OrdSet<u32>,
    /// Needs.
    pub needs: OrdSet<u32>,
}

/// Everything known at one revision. See the crate's documentation.
#[derive(Clone, Debug)]
pub struct Catalogue {
    pub(crate) schema: Arc<Schema>,
    pub(crate) head: Head,
    pub(crate) cis: Vector<Arc<Slot>>,
    pub(crate) relationships: Vector<Arc<RelationshipSlot>>,
    pub(crate) needs: Vector<Arc<NeedSlot>>,
    pub(crate) by_id: HashMap<CiId, CiIx>,
    pub(crate) by_key: HashMap<CiKey, CiIx>,
    pub(crate) by_source: HashMap<SourceRef, CiIx>,
    pub(crate) by_identity: HashMap<IdentityKey, SmallVec<[CiIx; 1]>>,
    pub(crate) by_ends: HashMap<(CiIx, CiIx, Symbol), RelationshipIx>,
    pub(crate) by_need: HashMap<NeedId, NeedIx>,
    pub(crate) claimed: HashMap<(Symbol, Scope), Claimed>,
    pub(crate) scopes: OrdMap<(Symbol, Scope), Arc<ScopeState>>,
    pub(crate) runs: OrdMap<BatchId, (Revision, Arc<ImportRun>)>,
    pub(crate) reviews: OrdMap<ReviewTaskId, Arc<ReviewTask>>,
    pub(crate) planning: Planning,
}

impl Catalogue {
    /// The empty catalogue, revision 0.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        Self {
            schema,
            head: Head::default(),
            cis: Vector::new(),
            relationships: Vector::new(),
            needs: Vector::new(),
            by_id: HashMap::new(),
            by_key: HashMap::new(),
            by_source: HashMap::new(),
            by_identity: HashMap::new(),
            by_ends: HashMap::new(),
            by_need: HashMap::new(),
            claimed: HashMap::new(),
            scopes: OrdMap::new(),
            runs: OrdMap::new(),
            reviews: OrdMap::new(),
            planning: Planning::default(),
        }
    }

    /// The last commit it contains.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The revision it shows.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.head.revision
    }

    /// Classes and kinds of relationship.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Whether relationships of a kind have no direction, or none that anybody has stated: the kind
    /// says so, or no registry knows it.
    #[must_use]
    pub fn is_undirected(&self, kind: &str) -> bool {
        self.schema.kinds.get(kind).is_none_or(|kind| kind.carries == Carries::Undirected)
    }

    /// Number of configuration items ever known, withdrawn ones included.
    #[must_use]
    pub fn ci_count(&self) -> usize {
        self.cis.len()
    }

    /// Number of relationships ever known, withdrawn ones included.
    #[must_use]
    pub fn relationship_count(&self) -> usize {
        self.relationships.len()
    }

    /// Number of needs ever known, withdrawn ones included.
    #[must_use]
    pub fn need_count(&self) -> usize {
        self.needs.len()
    }

    /// The configuration item of a number.
    ///
    /// # Panics
    /// When the number is not one of this catalogue.
    #[must_use]
    pub fn slot(&self, ix: CiIx) -> &Slot {
        &self.cis[ix.index()]
    }

    /// The record of the configuration item of a number.
    ///
    /// # Panics
    /// When the number is not one of this catalogue.
    #[must_use]
    pub fn ci(&self, ix: CiIx) -> &Arc<ConfigurationItem> {
        &self.slot(ix).ci
    }

    /// Returns the configuration item of a number, if there is one.
    #[must_use]
    pub fn get(&self, ix: CiIx) -> Option<&Slot> {
        self.cis.get(ix.index()).map(|slot| &**slot)
    }

    /// Returns the number of the configuration item with an id.
    #[must_use]
    pub fn find_id(&self, id: CiId) -> Option<CiIx> {
        self.by_id.get(&id).copied()
    }

    /// Returns the configuration item that has a key now (or had it last, if withdrawn).
    #[must_use]
    pub fn find_key(&self, key: &str) -> Option<CiIx> {
        self.by_key.get(key).copied()
    }

    /// Returns the configuration item a source calls by a key.
    #[must_use]
    pub fn find_source(&self, source: &Symbol, key: &SourceKey) -> Option<CiIx> {
        self.by_source.get(&SourceRef { source: source.clone(), key: key.clone() }).copied()
    }

    /// The configuration items, not withdrawn, that an identity key fits.
    #[must_use]
    pub fn find_identity(&self, key: &IdentityKey) -> &[CiIx] {
        self.by_identity.get(key).map_or(&[], |found| found.as_slice())
    }

    /// Every configuration item, in order of creation.
    pub fn cis(&self) -> impl ExactSizeIterator<Item = (CiIx, &Slot)> {
        self.cis.iter().enumerate().map(|(at, slot)| (CiIx::at(at), &**slot))
    }

    /// The relationship of a number.
    ///
    /// # Panics
    /// When the number is not one of this catalogue.
    #[must_use]
    pub fn relationship(&self, ix: RelationshipIx) -> &RelationshipSlot {
        &self.relationships[ix.index()]
    }

    /// Returns the relationship of a kind between two configuration items.
    #[must_use]
    pub fn find_relationship(&self, dependent: CiIx, kind: &Symbol, dependency: CiIx) -> Option<RelationshipIx> {
        self.by_ends.get(&(dependent, dependency, kind.clone())).copied()
    }

    /// Returns the relationship with an identity.
    #[must_use]
    pub fn find_relationship_key(&self, key: &RelationshipKey) -> Option<RelationshipIx> {
        let dependent = self.find_id(key.dependent)?;
        let dependency = self.find_id(key.dependency)?;
        self.find_relationship(dependent, &key.kind, dependency)
    }

    /// Every relationship, in order of creation.
    pub fn relationships(&self) -> impl ExactSizeIterator<Item = (RelationshipIx, &RelationshipSlot)> {
        self.relationships.iter().enumerate().map(|(at, slot)| (RelationshipIx::at(at), &**slot))
    }

    /// The need of a number.
    ///
    /// # Panics
    /// When the number is not one of this catalogue.
    #[must_use]
    pub fn need(&self, ix: NeedIx) -> &NeedSlot {
        &self.needs[ix.index()]
    }

    /// Returns the need with an id.
    #[must_use]
    pub fn find_need(&self, id: NeedId) -> Option<NeedIx> {
        self.by_need.get(&id).copied()
    }

    /// Returns the need of a configuration item by name, withdrawn or not.
    #[must_use]
    pub fn find_need_of(&self, dependent: CiIx, name: &str) -> Option<NeedIx> {
        self.slot(dependent).needs.iter().copied().find(|ix| &*self.need(*ix).need.name == name)
    }

    /// Every need, in order of creation.
    pub fn needs(&self) -> impl ExactSizeIterator<Item = (NeedIx, &NeedSlot)> {
        self.needs.iter().enumerate().map(|(at, slot)| (NeedIx::at(at), &**slot))
    }

    /// What a source holds in a scope; `None` when it never held anything there.
    #[must_use]
    pub fn claimed(&self, source: &Symbol, scope: &Scope) -> Option<&Claimed> {
        self.claimed.get(&(source.clone(), scope.clone()))
    }

    /// What is known of a source's scope.
    #[must_use]
    pub fn scope(&self, source: &Symbol, scope: &Scope) -> Option<&Arc<ScopeState>> {
        self.scopes.get(&(source.clone(), scope.clone()))
    }

    /// Every scope, by source and scope.
    pub fn scopes(&self) -> impl Iterator<Item = &Arc<ScopeState>> {
        self.scopes.values()
    }

    /// The ledger entry of a batch, with the revision that wrote it.
    #[must_use]
    pub fn run(&self, batch: BatchId) -> Option<(Revision, &Arc<ImportRun>)> {
        self.runs.get(&batch).map(|(revision, run)| (*revision, run))
    }

    /// The batch ledger, oldest batch first.
    pub fn runs(&self) -> impl DoubleEndedIterator<Item = (Revision, &Arc<ImportRun>)> {
        self.runs.values().map(|(revision, run)| (*revision, run))
    }

    /// Returns a review task.
    #[must_use]
    pub fn review(&self, id: ReviewTaskId) -> Option<&Arc<ReviewTask>> {
        self.reviews.get(&id)
    }

    /// Every review task, oldest first.
    pub fn reviews(&self) -> impl DoubleEndedIterator<Item = &Arc<ReviewTask>> {
        self.reviews.values()
    }
}
