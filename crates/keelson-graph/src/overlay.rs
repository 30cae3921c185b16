//! Changes to a snapshot, kept beside the flat arrays.
//!
//! The lists of every item that a change touches are rewritten and kept in sparse maps; all others
//! are still read from the base. A change therefore costs what it touches: the needs of the owners
//! named, and the dependents lists of the items that those owners begin or cease to need.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    Detail, GraphError, ItemIx, NeedHead, NeedIx, NeedSpec, NeedView, Snapshot,
    base::{Needs, PlainNeeds, check_room},
    paged::Paged,
    snapshot::{Dependencies, Dependents},
    spec::{Compiled, compile},
};

/// What is different in the next snapshot.
///
/// Items are added first, then needs replaced, then items removed, whatever the order of calls.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    add: Vec<ItemIx>,
    remove: Vec<ItemIx>,
    needs: Vec<(ItemIx, Vec<NeedSpec>)>,
}

impl Changes {
    /// Returns no changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an item. Adding one that is there already changes nothing.
    pub fn add(&mut self, item: ItemIx) -> &mut Self {
        self.add.push(item);
        self
    }

    /// Removes an item and its own needs. No other item may need it any longer.
    pub fn remove(&mut self, item: ItemIx) -> &mut Self {
        self.remove.push(item);
        self
    }

    /// Replaces all needs of an owner, of every phase, by the ones given.
    pub fn replace_needs(&mut self, owner: ItemIx, needs: Vec<NeedSpec>) -> &mut Self {
        self.needs.push((owner, needs));
        self
    }
}

/// The dependents of one item, kept outside the base.
#[derive(Clone, Debug, Default)]
pub(crate) struct InList {
    owners: Vec<ItemIx>,
    plain: usize,
    /// One running need for each owner after the plain ones.
    needs: Vec<NeedIx>,
    trips: Vec<u8>,
    starting: Vec<NeedIx>,
}

impl InList {
    #[inline]
    pub(crate) fn view(&self) -> Dependents<'_> {
        Dependents { owners: &self.owners, plain: self.plain, needs: &self.needs, trips: &self.trips }
    }

    pub(crate) fn starting(&self) -> &[NeedIx] {
        &self.starting
    }
}

/// The dependencies of one item, kept outside the base.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutList {
    members: Vec<ItemIx>,
    plain_needs: Vec<NeedIx>,
    needs: Vec<NeedIx>,
}

impl OutList {
    #[inline]
    pub(crate) fn view(&self) -> Dependencies<'_> {
        Dependencies {
            members: &self.members,
            plain: self.plain_needs.len(),
            plain_needs: PlainNeeds::Listed(&self.plain_needs),
            needs: Needs::Listed(&self.needs),
        }
    }

    pub(crate) fn has(&self, need: NeedIx) -> bool {
        self.needs.contains(&need)
    }
}

/// A need kept outside the base.
#[derive(Clone, Debug)]
struct Kept {
    head: NeedHead,
    body: Arc<Body>,
}

#[derive(Debug)]
struct Body {
    members: Vec<ItemIx>,
    tag: u64,
    detail: Option<Box<Detail>>,
}

/// Everything that differs from the base.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) slots: usize,
    pub(crate) items: usize,
    pub(crate) memberships: usize,
    pub(crate) present: Paged<bool>,
    pub(crate) ins: Paged<Arc<InList>>,
    pub(crate) outs: Paged<Arc<OutList>>,
    needs: Paged<Kept>,
    pub(crate) next_need: u32,
    pub(crate) overloaded: Vec<NeedIx>,
}

impl Overlay {
    pub(crate) fn need(&self, ix: NeedIx, number: usize) -> NeedView<'_> {
        let Kept { head, body } = self.kept(number);
        NeedView { ix, head: *head, members: &body.members, tag: body.tag, detail: body.detail.as_deref() }
    }

    #[inline]
    pub(crate) fn head(&self, number: usize) -> NeedHead {
        self.kept(number).head
    }

    #[inline]
    fn kept(&self, number: usize) -> &Kept {
        self.needs.get(number).expect("need numbers are given out by the snapshot that holds them")
    }

    pub(crate) fn len(&self) -> usize {
        self.ins.len() + self.outs.len()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        // Lists are counted by a typical size: walking all of them would cost more than the figure
        // is worth.
        self.present.heap_bytes()
            + self.ins.heap_bytes()
            + self.outs.heap_bytes()
            + self.needs.heap_bytes()
            + self.len() * 160
    }
}

impl Snapshot {
    /// Returns the next snapshot; this one stays as it is. Both share everything that did not change.
    ///
    /// The cost follows the change: the needs of the owners named, plus one copy of the dependents
    /// list of every item they begin or cease to need.
    ///
    /// # Errors
    /// When a need is not meaningful or refers to an item that is not in the graph, or when an item
    /// is removed that others still need. Nothing changes then.
    pub fn with_changes(&self, changes: Changes) -> Result<Self, GraphError> {
        let Changes { add, remove, mut needs } = changes;
        let overlay = match &self.overlay {
            Some(overlay) => Overlay::clone(overlay),
            None => Overlay {
                slots: self.slots(),
                items: self.items(),
                memberships: self.memberships(),
                ..Overlay::default()
            },
        };
        let mut edit = Edit { old: self, overlay, touched: HashMap::new(), owners: HashSet::new() };
        for item in add {
            check_room("item numbers", item.index() + 1)?;
            edit.add(item);
        }
        let cleared = remove.iter().filter(|item| !needs.iter().any(|(owner, _)| owner == *item));
        needs.extend(cleared.map(|&item| (item, Vec::new())).collect::<HashMap<_, _>>());
        for (owner, specs) in needs {
            edit.replace(owner, specs)?;
        }
        edit.relist();
        for item in remove {
            edit.remove(item)?;
        }
        Ok(Self { base: Arc::clone(&self.base), overlay: Some(Arc::new(edit.overlay)) })
    }
}

/// One change in the making.
struct Edit<'a> {
    old: &'a Snapshot,
    overlay: Overlay,
    /// Items whose dependents change, with the needs they become members of.
    touched: HashMap<ItemIx, Vec<NewDependent>>,
    /// Owners whose needs are replaced.
    owners: HashSet<ItemIx>,
}

enum NewDependent {
    Plain(ItemIx),
    Counted(ItemIx, NeedIx, u8),
    Starting(NeedIx),
}

impl Edit<'_> {
    fn contains(&self, item: ItemIx) -> bool {
        match self.overlay.present.get(item.index()) {
            Some(&present) => present,
            None => self.old.contains(item),
        }
    }

    fn add(&mut self, item: ItemIx) {
        if !self.contains(item) {
            self.overlay.present.set(item.index(), true);
            self.overlay.items += 1;
            self.overlay.slots = self.overlay.slots.max(item.index() + 1);
        }
    }

    fn remove(&mut self, item: ItemIx) -> Result<(), GraphError> {
        if !self.contains(item) {
            return Err(GraphError::NotInGraph { item });
        }
        let (owners, starting) = match self.overlay.ins.get(item.index()) {
            Some(list) => (list.view().owners, list.starting()),
            None => (self.old.owners(item), self.old.starting(item)),
        };
        let starting = starting.iter().map(|&need| match self.old.overlay_need_owner(need) {
            Some(owner) => owner,
            None => self.overlay.head(need.index() - self.old.base.need_slots()).owner,
        });
        if let Some(owner) = owners.iter().copied().chain(starting).next() {
            return Err(GraphError::StillNeeded { item, owner });
        }
        self.overlay.present.set(item.index(), false);
        self.overlay.items -= 1;
        Ok(())
    }

    /// Replaces the needs of one owner. The dependents lists follow in [`relist`](Self::relist).
    fn replace(&mut self, owner: ItemIx, specs: Vec<NeedSpec>) -> Result<(), GraphError> {
        if !self.contains(owner) {
            return Err(GraphError::NotInGraph { item: owner });
        }
        if !self.owners.insert(owner) {
            return Err(GraphError::OwnerTwice { owner });
        }
        let (plain, counted) = self.compile_all(owner, specs)?;
        for need in self.old.needs(owner) {
            self.overlay.memberships -= need.members.len();
            for &member in need.members {
                self.touched.entry(member).or_default();
            }
        }
        let mut list = OutList::default();
        for need in plain {
            let member = need.members[0];
            self.touched.entry(member).or_default().push(NewDependent::Plain(owner));
            list.members.push(member);
            list.plain_needs.push(self.keep(need));
        }
        for need in counted {
            let (members, head) = (need.members.clone(), need.head());
            let ix = self.keep(need);
            list.needs.push(ix);
            let runs = head.flags.runs();
            for &member in &members {
                let dependent = match runs {
                    true => NewDependent::Counted(owner, ix, head.small_trip()),
                    false => NewDependent::Starting(ix),
                };
                self.touched.entry(member).or_default().push(dependent);
            }
            if runs {
                list.members.extend(members);
            }
        }
        self.overlay.outs.set(owner.index(), Arc::new(list));
        Ok(())
    }

    /// Checks and sorts needs the way the base does: plain ones by member, running before starting.
    fn compile_all(&self, owner: ItemIx, specs: Vec<NeedSpec>) -> Result<(Vec<Compiled>, Vec<Compiled>), GraphError> {
        let (mut plain, mut counted) = (Vec::new(), Vec::new());
        for spec in specs {
            if spec.owner != owner {
                return Err(GraphError::WrongOwner { owner: spec.owner, filed: owner, tag: spec.tag });
            }
            let need = compile(spec)?;
            if let Some(&item) = need.members.iter().find(|&&member| !self.contains(member)) {
                return Err(GraphError::UnknownItem { owner, tag: need.tag, item });
            }
            if need.is_plain() { plain.push(need) } else { counted.push(need) }
        }
        plain.sort_by_key(|need| (need.members[0], need.tag));
        counted.sort_by_key(|need| !need.flags.runs());
        Ok((plain, counted))
    }

    fn keep(&mut self, need: Compiled) -> NeedIx {
        let number = self.overlay.next_need;
        self.overlay.next_need += 1;
        let base = u32::try_from(self.old.base.need_slots()).expect("base needs fit in 31 bits");
        let ix = NeedIx(base + number);
        let head = need.head();
        if need.may_be_overloaded() {
            self.overlay.overloaded.push(ix);
        }
        self.overlay.memberships += need.members.len();
        let body = Arc::new(Body { members: need.members, tag: need.tag, detail: need.detail });
        self.overlay.needs.set(number as usize, Kept { head, body });
        ix
    }

    /// Rewrites the dependents list of every item whose dependents changed.
    fn relist(&mut self) {
        for (item, new) in std::mem::take(&mut self.touched) {
            let old = self.old.dependents(item);
            let starting = self.old.starting(item);
            if starting.is_empty() && self.only_plain_and_unchanged(old, &new) {
                continue;
            }
            let kept = |owner: &&ItemIx| !self.owners.contains(owner);
            let mut list = InList { owners: old.plain().iter().filter(kept).copied().collect(), ..InList::default() };
            let mut counted: Vec<ItemIx> = Vec::new();
            for (need, owner, trip) in old.counted_with_trips() {
                if !self.owners.contains(&owner) {
                    counted.push(owner);
                    list.needs.push(need);
                    list.trips.push(trip);
                }
            }
            list.starting = starting.to_vec();
            list.starting.retain(|&need| {
                let owner = self.old.need(need).owner();
                !self.owners.contains(&owner)
            });
            for dependent in new {
                match dependent {
                    NewDependent::Plain(owner) => list.owners.push(owner),
                    NewDependent::Counted(owner, need, trip) => {
                        counted.push(owner);
                        list.needs.push(need);
                        list.trips.push(trip);
                    }
                    NewDependent::Starting(need) => list.starting.push(need),
                }
            }
            list.plain = list.owners.len();
            list.owners.extend(counted);
            self.overlay.ins.set(item.index(), Arc::new(list));
        }
    }

    /// Whether the item keeps exactly the dependents it has: a hub's long list is not copied because
    /// one of its dependents changed something else.
    fn only_plain_and_unchanged(&self, old: Dependents<'_>, new: &[NewDependent]) -> bool {
        let changed = |owner: &&ItemIx| self.owners.contains(owner);
        let counted = old.owners[old.plain..].iter().any(|owner| self.owners.contains(owner));
        if counted {
            return false;
        }
        let mut before: Vec<ItemIx> = old.plain().iter().filter(changed).copied().collect();
        let mut after = Vec::with_capacity(new.len());
        for dependent in new {
            let NewDependent::Plain(owner) = dependent else { return false };
            after.push(*owner);
        }
        before.sort_unstable();
        after.sort_unstable();
        before == after
    }
}

impl Snapshot {
    /// The owner of a counted need if this snapshot knows it.
    fn overlay_need_owner(&self, need: NeedIx) -> Option<ItemIx> {
        (need.index() < self.need_slots()).then(|| self.need(need).owner())
    }
}
