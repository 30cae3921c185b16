//! What answers about thousands of items ask of each one, in flat arrays.
//!
//! A record with its claims and relationships lies scattered over memory; reading tens of thousands
//! of them takes longer than the walk that met them. What a summary needs of an item is small, and
//! is kept here in pages that following views share.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::{Criticality, RecordChange, Scope, Standing, Symbol};

use crate::impact::SERVICE_CLASS;

/// What a summary asks of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief {
    /// What is known of its existence.
    pub standing: Standing,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// Whether it is of class `service` or one below it: a promise made to customers.
    pub is_service: bool,
    /// Whether it ever had a relationship without a direction.
    pub had_undirected: bool,
    /// When it was last seen by any source that still claims it.
    pub last_seen: Option<DateTime<Utc>>,
    /// Days after which it is stale; absent where no class says so.
    pub stale_after_days: Option<u32>,
}

impl Brief {
    /// Whether it was last seen longer ago than its class allows.
    #[must_use]
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        let days = self.stale_after_days.map(|days| TimeDelta::days(i64::from(days)));
        self.last_seen.zip(days).is_some_and(|(seen, allowed)| now - seen > allowed)
    }
}

/// What is kept of an item. When it was last seen also depends on the state of the scopes that
/// claim it, which a batch changes for all their items at once; so the scopes are kept, not the
/// outcome.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// The latest observation among its live claims.
    observed: Option<DateTime<Utc>>,
    /// The number of the set of scopes its live claims are from.
    scopes: u32,
    stale_after_days: Option<u32>,
    standing: Standing,
    criticality: Option<Criticality>,
    is_service: bool,
    had_undirected: bool,
}

impl Entry {
    /// Stands where there is no item yet.
    const NONE: Self = Self {
        observed: None,
        scopes: 0,
        stale_after_days: None,
        standing: Standing::Withdrawn,
        criticality: None,
        is_service: false,
        had_undirected: false,
    };
}

type ScopeName = (Symbol, Scope);

/// The sets of scopes from which items are claimed: few, however many items there are.
#[derive(Clone, Default)]
struct ScopeSets {
    /// Sorted names, by number of the set.
    names: Vec<Vec<ScopeName>>,
    numbers: HashMap<Vec<ScopeName>, u32>,
}

const BITS: usize = 9;
const PAGE: usize = 1 << BITS;

/// The briefs of every item of a catalogue. Copying them copies a pointer per page, and a change
/// copies the pages of the items it changes.
#[derive(Clone, Default)]
pub(crate) struct Briefs {
    pages: Vec<Arc<[Entry]>>,
    scopes: Arc<ScopeSets>,
    /// When the scopes of a set were last read as a whole, the latest of them; by number of the set.
    complete: Arc<Vec<Option<DateTime<Utc>>>>,
}

impl Briefs {
    pub(crate) fn of(catalogue: &Catalogue) -> Self {
        let mut briefs = Self::default();
        for (ix, _) in catalogue.cis() {
            briefs.note(catalogue, ix);
        }
        briefs
    }

    /// The briefs after a commit; `catalogue` is the one after it.
    pub(crate) fn after(&self, catalogue: &Catalogue, changes: &[RecordChange]) -> Self {
        let mut briefs = self.clone();
        for change in changes {
            match change {
                RecordChange::Ci(change) => {
                    let ix = change.after.as_ref().and_then(|ci| catalogue.find_id(ci.id));
                    ix.into_iter().for_each(|ix| briefs.note(catalogue, ix));
                }
                RecordChange::Relationship(change) => {
                    let created = change.after.as_ref().filter(|_| change.before.is_none());
                    if let Some(relationship) = created.filter(|r| catalogue.is_undirected(&r.key.kind)) {
                        let ends = [relationship.key.dependent, relationship.key.dependency];
                        let ends = ends.into_iter().filter_map(|id| catalogue.find_id(id));
                        ends.for_each(|ix| briefs.note(catalogue, ix));
                    }
                }
                RecordChange::Scope(change) => {
                    if let Some(state) = &change.after {
                        briefs.note_scope(catalogue, &(state.source.clone(), state.scope.clone()));
                    }
                }
                _ => {}
            }
        }
        briefs
    }

    #[inline]
    fn entry(&self, ix: CiIx) -> &Entry {
        &self.pages[ix.index() >> BITS][ix.index() & (PAGE - 1)]
    }

    /// Whether an item is a service; less work than its whole brief.
    #[inline]
    pub(crate) fn is_service(&self, ix: CiIx) -> bool {
        self.entry(ix).is_service
    }

    /// Whether an item ever had a relationship without a direction; less work than its whole brief.
    #[inline]
    pub(crate) fn had_undirected(&self, ix: CiIx) -> bool {
        self.entry(ix).had_undirected
    }

    /// The brief of an item.
    #[inline]
    pub(crate) fn get(&self, ix: CiIx) -> Brief {
        let entry = self.entry(ix);
        let complete = self.complete[entry.scopes as usize];
        Brief {
            standing: entry.standing,
            criticality: entry.criticality,
            is_service: entry.is_service,
            had_undirected: entry.had_undirected,
            last_seen: entry.observed.map(|observed| complete.map_or(observed, |complete| complete.max(observed))),
            stale_after_days: entry.stale_after_days,
        }
    }

    /// Writes down what the catalogue says of an item.
    fn note(&mut self, catalogue: &Catalogue, ix: CiIx) {
        let slot = catalogue.slot(ix);
        let ci = &slot.ci;
        let mut names: Vec<ScopeName> = Vec::new();
        let mut observed = None;
        for claim in ci.live_claims() {
            let provenance = &claim.provenance;
            observed = observed.max(Some(provenance.observed_at));
            names.push((provenance.source.clone(), provenance.scope.clone()));
        }
        names.sort_unstable();
        names.dedup();
        let classes = &catalogue.schema().classes;
        let entry = Entry {
            observed,
            scopes: self.number_of(catalogue, names),
            stale_after_days: classes.get(&ci.class).map(|class| class.stale_after_days),
            standing: ci.standing,
            criticality: ci.facts().criticality,
            is_service: classes.is_a(&ci.class, SERVICE_CLASS),
            had_undirected: slot.had_undirected,
        };
        let page = ix.index() >> BITS;
        while self.pages.len() <= page {
            self.pages.push(vec![Entry::NONE; PAGE].into());
        }
        let page = &mut self.pages[page];
        let place = ix.index() & (PAGE - 1);
        if page[place] != entry {
            Arc::make_mut(page)[place] = entry;
        }
    }

    /// The number of a set of scopes, given sorted.
    fn number_of(&mut self, catalogue: &Catalogue, names: Vec<ScopeName>) -> u32 {
        if let Some(number) = self.scopes.numbers.get(&names) {
            return *number;
        }
        let scopes = Arc::make_mut(&mut self.scopes);
        let number = u32::try_from(scopes.names.len()).expect("sets of scopes are no more than items");
        Arc::make_mut(&mut self.complete).push(last_complete(catalogue, &names));
        scopes.names.push(names.clone());
        scopes.numbers.insert(names, number);
        number
    }

    /// Takes a new state of a scope into account.
    fn note_scope(&mut self, catalogue: &Catalogue, scope: &ScopeName) {
        for (number, names) in self.scopes.names.iter().enumerate() {
            if !names.contains(scope) {
                continue;
            }
            let complete = last_complete(catalogue, names);
            if self.complete[number] != complete {
                Arc::make_mut(&mut self.complete)[number] = complete;
            }
        }
    }
}

/// When the last of some scopes was read as a whole.
fn last_complete(catalogue: &Catalogue, names: &[ScopeName]) -> Option<DateTime<Utc>> {
    names.iter().filter_map(|(source, scope)| catalogue.scope(source, scope)?.last_complete).max()
}
