//! The loaders behind relations: what many entries of a page ask for is fetched in one batch.
//!
//! Relations come from the view in memory; only headers of commits and findings are read from the
//! store. Headers never change, so they are kept.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::dataloader::{DataLoader, Loader, LruCache, NoCache};
use futures::future::try_join_all;
use keelson_app::Keelson;
use keelson_catalogue::{CiIx, NeedIx, RelationshipIx};
use keelson_model::{BatchId, CommitHeader, Finding, Revision, Standing};

use crate::errors::Refusal;
use crate::moment::Moment;

/// Headers of commits that are kept.
const KEPT_HEADERS: usize = 10_000;

/// Which relations of a configuration item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Relationships in which it is the dependent.
    Dependencies,
    /// Relationships in which it is the dependency.
    Dependents,
}

/// Relationships of a configuration item at a moment.
#[derive(Clone)]
pub struct RelationshipsOf {
    /// When.
    pub at: Arc<Moment>,
    /// Of which item.
    pub ix: CiIx,
    /// Which ones.
    pub side: Side,
}

/// Needs of a configuration item at a moment.
#[derive(Clone)]
pub struct NeedsOf {
    /// When.
    pub at: Arc<Moment>,
    /// Of which item.
    pub ix: CiIx,
    /// Whether those are wanted in which it is a member.
    pub as_member: bool,
}

macro_rules! by_moment {
    ($name:ident, $($field:ident),*) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.at, &other.at) $(&& self.$field == other.$field)*
            }
        }
        impl Eq for $name {}
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                Arc::as_ptr(&self.at).hash(state);
                $(self.$field.hash(state);)*
            }
        }
    };
}
by_moment!(RelationshipsOf, ix, side);
by_moment!(NeedsOf, ix, as_member);

/// Loads what stands in the view.
#[derive(Default)]
pub struct InView {
    batches: AtomicUsize,
}

impl InView {
    /// Batches loaded so far.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.batches.load(Ordering::Relaxed)
    }
}

impl Loader<RelationshipsOf> for InView {
    type Value = Arc<[RelationshipIx]>;
    type Error = Refusal;

    async fn load(&self, keys: &[RelationshipsOf]) -> Result<HashMap<RelationshipsOf, Self::Value>, Refusal> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        let of = |key: &RelationshipsOf| {
            let catalogue = key.at.catalogue();
            let slot = catalogue.slot(key.ix);
            let all = match key.side {
                Side::Dependencies => &slot.dependencies,
                Side::Dependents => &slot.dependents,
            };
            let is_live = |ix: &RelationshipIx| catalogue.relationship(*ix).relationship.standing == Standing::Live;
            all.iter().copied().filter(is_live).collect()
        };
        Ok(keys.iter().map(|key| (key.clone(), of(key))).collect())
    }
}

impl Loader<NeedsOf> for InView {
    type Value = Arc<[NeedIx]>;
    type Error = Refusal;

    async fn load(&self, keys: &[NeedsOf]) -> Result<HashMap<NeedsOf, Self::Value>, Refusal> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        let of = |key: &NeedsOf| {
            let catalogue = key.at.catalogue();
            let slot = catalogue.slot(key.ix);
            let all = if key.as_member { &slot.member_of } else { &slot.needs };
            all.iter().copied().filter(|ix| catalogue.need(*ix).need.standing == Standing::Live).collect()
        };
        Ok(keys.iter().map(|key| (key.clone(), of(key))).collect())
    }
}

/// Loads what stands in the store.
pub struct InStore {
    keelson: Keelson,
}

impl Loader<Revision> for InStore {
    type Value = Arc<CommitHeader>;
    type Error = Refusal;

    async fn load(&self, keys: &[Revision]) -> Result<HashMap<Revision, Self::Value>, Refusal> {
        let load = |revision: &Revision| {
            let revision = *revision;
            async move {
                let header = self.keelson.store().header(revision).await.map_err(Refusal::from)?;
                Ok::<_, Refusal>(header.map(|header| (revision, Arc::new(header))))
            }
        };
        Ok(try_join_all(keys.iter().map(load)).await?.into_iter().flatten().collect())
    }
}

impl Loader<BatchId> for InStore {
    type Value = Arc<[Finding]>;
    type Error = Refusal;

    async fn load(&self, keys: &[BatchId]) -> Result<HashMap<BatchId, Self::Value>, Refusal> {
        let load = |batch: &BatchId| {
            let batch = *batch;
            async move {
                let findings = self.keelson.findings(batch).await.map_err(Refusal::from)?;
                Ok::<_, Refusal>((batch, Arc::from(findings)))
            }
        };
        Ok(try_join_all(keys.iter().map(load)).await?.into_iter().collect())
    }
}

/// All loaders of a schema.
pub struct Loaders {
    /// Relations from the view.
    pub view: DataLoader<InView, NoCache>,
    /// Headers of commits, which never change.
    pub headers: DataLoader<InStore, LruCache>,
    /// Findings of imports.
    pub findings: DataLoader<InStore, NoCache>,
}

impl Loaders {
    /// Loaders over a catalogue.
    #[must_use]
    pub fn new(keelson: &Keelson) -> Self {
        let store = || InStore { keelson: keelson.clone() };
        Self {
            view: DataLoader::new(InView::default(), tokio::spawn),
            headers: DataLoader::with_cache(store(), tokio::spawn, LruCache::new(KEPT_HEADERS)),
            findings: DataLoader::new(store(), tokio::spawn),
        }
    }
}
