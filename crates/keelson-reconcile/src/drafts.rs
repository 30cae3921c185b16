//! The records a plan touches, before they become changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::{
    Change, CiId, CiKey, ConfigurationItem, IdSource, Need, NeedDefinition, NeedId, RecordChange, Relationship,
    RelationshipKey, Standing, Symbol,
};
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::merge;

/// The ends and the kind of a relationship.
pub(crate) type Ends = (CiIx, Symbol, CiIx);

/// The records a plan touches. Numbers of configuration items are those of the catalogue; items
/// that the plan creates are numbered behind them.
pub(crate) struct Drafts<'a> {
    catalogue: &'a Catalogue,
    new: Vec<CiId>,
    cis: IndexMap<CiIx, Arc<ConfigurationItem>>,
    relationships: IndexMap<Ends, Arc<Relationship>>,
    needs: IndexMap<(CiIx, Arc<str>), Arc<Need>>,
    /// Names of the needs that this plan creates.
    new_needs: HashMap<CiIx, Vec<Arc<str>>>,
    /// Keys that this plan gives away; `None` once their holder has taken another one.
    keys: HashMap<CiKey, Option<CiIx>>,
    /// Keys that new items would like to have, in order.
    wanted: Vec<(CiIx, CiKey, String)>,
    by_wanted: HashMap<CiKey, CiIx>,
    /// Items whose source key passes to another item: their changes come first, because of two
    /// items with one source key the one that changed last is found by it.
    passed_on: HashSet<CiIx>,
}

impl<'a> Drafts<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            new: Vec::new(),
            cis: IndexMap::new(),
            relationships: IndexMap::new(),
            needs: IndexMap::new(),
            new_needs: HashMap::new(),
            keys: HashMap::new(),
            wanted: Vec::new(),
            by_wanted: HashMap::new(),
            passed_on: HashSet::new(),
        }
    }

    /// Whether the catalogue has the item already.
    pub(crate) fn is_known(&self, ix: CiIx) -> bool {
        ix.index() < self.catalogue.ci_count()
    }

    /// The item as the catalogue has it.
    pub(crate) fn before(&self, ix: CiIx) -> Option<&'a Arc<ConfigurationItem>> {
        self.is_known(ix).then(|| self.catalogue.ci(ix))
    }

    /// The item as it stands.
    pub(crate) fn ci(&self, ix: CiIx) -> &ConfigurationItem {
        match self.cis.get(&ix) {
            Some(draft) => draft,
            None => self.catalogue.ci(ix),
        }
    }

    pub(crate) fn ci_mut(&mut self, ix: CiIx) -> &mut ConfigurationItem {
        let catalogue = self.catalogue;
        Arc::make_mut(self.cis.entry(ix).or_insert_with(|| Arc::clone(catalogue.ci(ix))))
    }

    pub(crate) fn is_touched(&self, ix: CiIx) -> bool {
        self.cis.contains_key(&ix)
    }

    pub(crate) fn id(&self, ix: CiIx) -> CiId {
        match ix.index().checked_sub(self.catalogue.ci_count()) {
            Some(new) => self.new[new],
            None => self.catalogue.ci(ix).id,
        }
    }

    /// The number of an item by its id, new ones included.
    pub(crate) fn find_id(&self, id: CiId) -> Option<CiIx> {
        let new = || self.new.iter().position(|other| *other == id);
        self.catalogue.find_id(id).or_else(|| new().map(|at| CiIx::at(self.catalogue.ci_count() + at)))
    }

    /// A new item with a key of its own.
    pub(crate) fn create(&mut self, key: CiKey, class: Symbol, ids: &mut dyn IdSource) -> CiIx {
        let ix = self.create_unnamed(key.clone(), class, ids);
        self.keys.insert(key, Some(ix));
        ix
    }

    /// A new item that would like to have a key; it gets it, or one that resembles it, when all
    /// keys that are stated are known.
    pub(crate) fn create_wanting(
        &mut self,
        key: CiKey,
        told_apart_by: String,
        class: Symbol,
        ids: &mut dyn IdSource,
    ) -> CiIx {
        let ix = self.create_unnamed(key.clone(), class, ids);
        self.want(ix, key, told_apart_by);
        ix
    }

    /// Lets an item have another key when all keys that are stated are known.
    pub(crate) fn want(&mut self, ix: CiIx, key: CiKey, told_apart_by: String) {
        self.by_wanted.entry(key.clone()).or_insert(ix);
        self.wanted.push((ix, key, told_apart_by));
    }

    fn create_unnamed(&mut self, key: CiKey, class: Symbol, ids: &mut dyn IdSource) -> CiIx {
        let ix = CiIx::at(self.catalogue.ci_count() + self.new.len());
        let id = CiId::next(ids);
        self.new.push(id);
        self.cis.insert(
            ix,
            Arc::new(ConfigurationItem {
                id,
                key,
                class,
                standing: Standing::Live,
                version: 0,
                claims: smallvec::SmallVec::new(),
                merged: None,
                succeeds: None,
                withdrawn_at: None,
            }),
        );
        ix
    }

    /// The item that has a key: in this plan, or in the catalogue (there it may be withdrawn).
    pub(crate) fn holder(&self, key: &CiKey) -> Option<CiIx> {
        match self.keys.get(key) {
            Some(holder) => *holder,
            None => self.catalogue.find_key(key),
        }
    }

    /// The item that has a key or is first to want it.
    pub(crate) fn holder_or_first(&self, key: &CiKey) -> Option<CiIx> {
        let holder = self.holder(key);
        match self.by_wanted.get(key) {
            Some(first) if holder.is_none_or(|ix| self.ci(ix).standing == Standing::Withdrawn) => Some(*first),
            _ => holder,
        }
    }

    /// Gives an item another key.
    pub(crate) fn rename(&mut self, ix: CiIx, key: CiKey) {
        let old = std::mem::replace(&mut self.ci_mut(ix).key, key.clone());
        if self.holder(&old) == Some(ix) {
            self.keys.insert(old, None);
        }
        self.keys.insert(key, Some(ix));
    }

    /// Says that what a source calls the item is another item from now on.
    pub(crate) fn pass_on(&mut self, ix: CiIx) {
        self.passed_on.insert(ix);
    }

    /// The relationship as it stands.
    pub(crate) fn relationship(&self, ends: &Ends) -> Option<&Arc<Relationship>> {
        self.relationships.get(ends).or_else(|| {
            let known = self.is_known(ends.0) && self.is_known(ends.2);
            let ix = known.then(|| self.catalogue.find_relationship(ends.0, &ends.1, ends.2))??;
            Some(&self.catalogue.relationship(ix).relationship)
        })
    }

    /// The relationship, created without a claim when there is none.
    pub(crate) fn relationship_mut(&mut self, ends: &Ends) -> &mut Relationship {
        if !self.relationships.contains_key(ends) {
            let new = || Relationship {
                key: RelationshipKey { dependent: self.id(ends.0), kind: ends.1.clone(), dependency: self.id(ends.2) },
                standing: Standing::Live,
                version: 0,
                claims: smallvec::SmallVec::new(),
                withdrawn_at: None,
            };
            let draft = self.relationship(ends).cloned().unwrap_or_else(|| Arc::new(new()));
            self.relationships.insert(ends.clone(), draft);
        }
        Arc::make_mut(&mut self.relationships[ends])
    }

    /// The need as it stands.
    pub(crate) fn need(&self, dependent: CiIx, name: &Arc<str>) -> Option<&Arc<Need>> {
        self.needs.get(&(dependent, Arc::clone(name))).or_else(|| {
            let ix = self.is_known(dependent).then(|| self.catalogue.find_need_of(dependent, name))??;
            Some(&self.catalogue.need(ix).need)
        })
    }

    /// The need, created by `new` when there is none.
    pub(crate) fn need_mut(&mut self, dependent: CiIx, name: &Arc<str>, new: impl FnOnce(CiId) -> Need) -> &mut Need {
        let key = (dependent, Arc::clone(name));
        if !self.needs.contains_key(&key) {
            let draft = self.need(dependent, name).cloned();
            if draft.is_none() {
                self.new_needs.entry(dependent).or_default().push(Arc::clone(name));
            }
            let draft = draft.unwrap_or_else(|| Arc::new(new(self.id(dependent))));
            self.needs.insert(key.clone(), draft);
        }
        Arc::make_mut(&mut self.needs[&key])
    }

    /// The need, created without a claim when there is none.
    pub(crate) fn need_or_new(
        &mut self,
        dependent: CiIx,
        name: &Arc<str>,
        definition: &NeedDefinition,
        ids: &mut dyn IdSource,
    ) -> &mut Need {
        let id = match self.need(dependent, name) {
            Some(need) => need.id,
            None => NeedId::next(ids),
        };
        self.need_mut(dependent, name, |dependent| Need {
            id,
            dependent,
            name: Arc::clone(name),
            standing: Standing::Live,
            version: 0,
            definition: definition.clone(),
            claims: smallvec::SmallVec::new(),
            withdrawn_at: None,
        })
    }

    /// The needs of a dependent as they stand.
    pub(crate) fn needs_of(&self, dependent: CiIx) -> Vec<Arc<Need>> {
        let slots = if self.is_known(dependent) { &self.catalogue.slot(dependent).needs[..] } else { &[] };
        let known = slots.iter().map(|ix| &self.catalogue.need(*ix).need);
        let mut needs: Vec<Arc<Need>> =
            known.map(|need| self.need(dependent, &need.name).map_or_else(|| Arc::clone(need), Arc::clone)).collect();
        let new = self.new_needs.get(&dependent).into_iter().flatten();
        needs.extend(new.filter_map(|name| self.need(dependent, name)).map(Arc::clone));
        needs
    }

    /// Whether a live need of a dependent, as a source states it, has a member.
    pub(crate) fn is_member(&self, dependent: CiIx, kind: &Symbol, member: CiId, source: &Symbol) -> bool {
        self.needs_of(dependent).iter().flat_map(|need| &need.claims).any(|claim| {
            claim.provenance.is_live()
                && claim.provenance.source == *source
                && claim.definition.kind == *kind
                && claim.definition.members.iter().any(|other| other.ci == member)
        })
    }

    /// Gives every new item the key it wants or one that resembles it, and items that came back a
    /// key of their own.
    pub(crate) fn settle(&mut self, context: &Context<'_>) {
        for ci in self.cis.values_mut() {
            merge::settle(Arc::make_mut(ci), context);
        }
        for (ix, wanted, told_apart_by) in std::mem::take(&mut self.wanted) {
            let key = self.free_key(ix, wanted, &told_apart_by);
            if self.ci(ix).key == key {
                self.keys.insert(key, Some(ix));
            } else {
                self.rename(ix, key);
            }
        }
        let revived: Vec<CiIx> =
            self.cis.iter().filter(|(_, ci)| ci.standing != Standing::Withdrawn).map(|(ix, _)| *ix).collect();
        for ix in revived {
            let was_withdrawn = self.before(ix).is_some_and(|ci| ci.standing == Standing::Withdrawn);
            let key = self.ci(ix).key.clone();
            if was_withdrawn && !self.may_have(ix, &key) {
                let free = self.free_key(ix, key, &self.id(ix).to_string());
                self.rename(ix, free);
            } else if was_withdrawn {
                self.keys.insert(key, Some(ix));
            }
        }
    }

    fn may_have(&self, ix: CiIx, key: &CiKey) -> bool {
        self.holder(key).is_none_or(|holder| holder == ix || self.ci(holder).standing == Standing::Withdrawn)
    }

    /// The key, or the key with a digest of what tells the item apart from the others of its name.
    fn free_key(&self, ix: CiIx, wanted: CiKey, told_apart_by: &str) -> CiKey {
        if self.may_have(ix, &wanted) {
            return wanted;
        }
        let digest = Sha256::digest(told_apart_by.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let (class, name) = wanted.split_once('/').unwrap_or(("configuration-item", &wanted));
        let lengths = [8, 16, 32, 64];
        let mut candidates = lengths.iter().map(|length| CiKey::of(class, &format!("{name}~{}", &hex[..*length])));
        let free = candidates.find(|key| self.may_have(ix, key));
        free.unwrap_or_else(|| CiKey::of(class, &self.id(ix).to_string()))
    }

    /// The changes, in an order in which they can be applied. Records that are as they were are
    /// left out. Call [`Drafts::settle`] first.
    pub(crate) fn finish(self, context: &Context<'_>) -> Vec<RecordChange> {
        let catalogue = self.catalogue;
        let known = |ix: CiIx| ix.index() < catalogue.ci_count();
        let mut changes = Vec::with_capacity(self.cis.len() + self.relationships.len() + self.needs.len());
        let mut others = Vec::new();
        let classes: HashMap<CiIx, Symbol> =
            self.needs.keys().filter_map(|(ix, _)| Some((*ix, self.cis.get(ix)?.class.clone()))).collect();
        for (ix, ci) in self.cis {
            let before = known(ix).then(|| catalogue.ci(ix));
            let list = if self.passed_on.contains(&ix) { &mut changes } else { &mut others };
            list.extend(change(before, ci, |ci| &mut ci.version).map(RecordChange::Ci));
        }
        changes.append(&mut others);
        for (ends, mut draft) in self.relationships {
            let relationship = Arc::make_mut(&mut draft);
            let live = relationship.live_claims().next().is_some();
            stand(live, &mut relationship.standing, &mut relationship.withdrawn_at, context);
            let ix = (known(ends.0) && known(ends.2)).then(|| catalogue.find_relationship(ends.0, &ends.1, ends.2));
            let before = ix.flatten().map(|ix| &catalogue.relationship(ix).relationship);
            changes.extend(change(before, draft, |r| &mut r.version).map(RecordChange::Relationship));
        }
        for ((dependent, name), mut draft) in self.needs {
            let need = Arc::make_mut(&mut draft);
            let class = classes.get(&dependent).or_else(|| known(dependent).then(|| &catalogue.ci(dependent).class));
            let definition = merge::definition(&need.claims, class.map_or("", Symbol::as_str), context).cloned();
            stand(definition.is_some(), &mut need.standing, &mut need.withdrawn_at, context);
            if let Some(definition) = definition {
                need.definition = definition;
            }
            let ix = known(dependent).then(|| catalogue.find_need_of(dependent, &name)).flatten();
            let before = ix.map(|ix| &catalogue.need(ix).need);
            changes.extend(change(before, draft, |need| &mut need.version).map(RecordChange::Need));
        }
        changes
    }
}

/// Live or withdrawn, with the time.
fn stand(live: bool, standing: &mut Standing, withdrawn_at: &mut Option<DateTime<Utc>>, context: &Context<'_>) {
    if live {
        *standing = Standing::Live;
        *withdrawn_at = None;
    } else {
        *standing = Standing::Withdrawn;
        *withdrawn_at = withdrawn_at.or(Some(context.at));
    }
}

/// The change of a record; `None` when it is as it was. Every change counts in its version.
fn change<T: PartialEq + Clone>(
    before: Option<&Arc<T>>,
    mut after: Arc<T>,
    version: impl Fn(&mut T) -> &mut u32,
) -> Option<Change<T>> {
    if before.is_some_and(|before| **before == *after) {
        return None;
    }
    *version(Arc::make_mut(&mut after)) += 1;
    Some(Change { before: before.map(Arc::clone), after: Some(after) })
}
