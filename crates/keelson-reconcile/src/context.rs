//! What holds throughout one planning: who speaks, about what, when, and how fresh claims are.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::provenance::MANUAL_SOURCE;
use keelson_model::{BatchId, Claim, Class, Position, Provenance, Scope, SourceKey, Standing, Symbol, Tombstone};

use crate::{Settings, merge};

/// What holds throughout one planning.
pub(crate) struct Context<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) settings: &'a Settings,
    /// Who speaks.
    pub(crate) source: Symbol,
    /// About what.
    pub(crate) scope: Scope,
    pub(crate) batch: BatchId,
    /// When the source was read.
    pub(crate) observed_at: DateTime<Utc>,
    /// Now.
    pub(crate) at: DateTime<Utc>,
    /// Whether absence means withdrawal.
    pub(crate) complete: bool,
    /// When each scope was last read completely.
    last_complete: BTreeMap<(Symbol, Scope), DateTime<Utc>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        catalogue: &'a Catalogue,
        settings: &'a Settings,
        speaker: (Symbol, Scope),
        batch: BatchId,
        observed_at: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Self {
        let last_complete = catalogue
            .scopes()
            .filter_map(|state| Some(((state.source.clone(), state.scope.clone()), state.last_complete?)))
            .collect();
        let (source, scope) = speaker;
        Self { catalogue, settings, source, scope, batch, observed_at, at, complete: false, last_complete }
    }

    /// The item a source calls by a key. Items that were merged into another one lead there.
    pub(crate) fn find_source(&self, key: &SourceKey) -> Option<CiIx> {
        let ix = self.catalogue.find_source(&self.source, key)?;
        let into = |ix: CiIx| {
            let own = |claim: &&Claim| claim.provenance.source == self.source && claim.source_key == *key;
            let claim = self.catalogue.ci(ix).claims.iter().find(own)?;
            self.catalogue.find_id(merge::merged_into(&claim.provenance)?)
        };
        Some(self.last(ix, into))
    }

    /// The item that stands in an item's place: itself, unless it was merged into another one.
    pub(crate) fn follow(&self, ix: CiIx) -> CiIx {
        self.last(ix, |ix| {
            let ci = self.catalogue.get(ix).map(|slot| &slot.ci)?;
            let merged = || ci.claims.iter().find_map(|claim| merge::merged_into(&claim.provenance));
            if ci.standing == Standing::Withdrawn { self.catalogue.find_id(merged()?) } else { None }
        })
    }

    /// Follows merges to their end. There are as many steps as merges one after the other; the
    /// bound only guards against a circle in damaged data.
    fn last(&self, mut ix: CiIx, into: impl Fn(CiIx) -> Option<CiIx>) -> CiIx {
        for _ in 0..1_000 {
            match into(ix) {
                Some(next) => ix = next,
                None => break,
            }
        }
        ix
    }

    /// The provenance of a claim made now for the first time.
    pub(crate) fn provenance(&self, position: &Position) -> Provenance {
        Provenance {
            source: self.source.clone(),
            scope: self.scope.clone(),
            batch: self.batch,
            first_observed: self.observed_at,
            observed_at: self.observed_at,
            position: position.clone(),
            tombstone: None,
        }
    }

    /// Lets a claim say that it was made again, with other content or after its end.
    pub(crate) fn renew(&self, provenance: &mut Provenance, position: &Position) {
        provenance.batch = self.batch;
        provenance.observed_at = self.observed_at;
        provenance.position = position.clone();
        provenance.tombstone = None;
    }

    /// The end of a claim.
    pub(crate) fn tombstone(&self, reason: &str) -> Tombstone {
        Tombstone { batch: self.batch, at: self.observed_at, reason: Some(reason.into()) }
    }

    /// Whether a claim is one of the speaker about this scope.
    pub(crate) fn is_own(&self, provenance: &Provenance) -> bool {
        provenance.source == self.source && provenance.scope == self.scope
    }

    /// When the scope of a claim was last read completely, before this batch.
    pub(crate) fn completed(&self, source: &Symbol, scope: &Scope) -> Option<DateTime<Utc>> {
        self.last_complete.get(&(source.clone(), scope.clone())).copied()
    }

    /// When a live claim was last seen: by the batch that gave it its content, or by a later
    /// complete batch of its scope, this one included.
    pub(crate) fn last_seen(&self, provenance: &Provenance) -> DateTime<Utc> {
        let completed = if self.complete && self.is_own(provenance) {
            Some(self.observed_at)
        } else {
            self.completed(&provenance.source, &provenance.scope)
        };
        completed.map_or(provenance.observed_at, |completed| completed.max(provenance.observed_at))
    }

    /// Whether what this batch says is older than what a claim rests on.
    pub(crate) fn is_older_than(&self, provenance: &Provenance) -> bool {
        let ended = provenance.tombstone.as_ref().map(|tombstone| tombstone.at);
        let completed = self.completed(&provenance.source, &provenance.scope);
        [Some(provenance.observed_at), ended, completed].into_iter().flatten().any(|known| known > self.observed_at)
    }

    /// Whether this batch is older than the last complete one of its scope, so that something it
    /// brings for the first time is something that had gone by then.
    pub(crate) fn is_before_listing(&self) -> bool {
        self.completed(&self.source, &self.scope).is_some_and(|completed| completed > self.observed_at)
    }

    /// Whether a claim is fresh. What a person says does not grow stale: nobody is expected to
    /// say it again.
    pub(crate) fn is_fresh(&self, provenance: &Provenance, class: Option<&Class>) -> bool {
        provenance.source == MANUAL_SOURCE
            || self.at - self.last_seen(provenance) <= self.settings.fresh_for(&provenance.source, class)
    }

    /// Whether a delta that repeats a claim should move its time. Complete batches move the time
    /// of their scope; a source that only ever sends deltas has nothing else to stay fresh by, so
    /// that its claims are dated anew once per interval and no more often.
    pub(crate) fn is_due(&self, provenance: &Provenance, class: Option<&Class>) -> bool {
        !self.complete
            && self.observed_at - self.last_seen(provenance)
                > self.settings.fresh_for(&provenance.source, class).checked_div(3).unwrap_or_default()
    }
}
