//! What can be asked of a snapshot.

use std::sync::Arc;

use crate::{
    Builder, GraphError, ItemIx, NeedHead, NeedIx, NeedView,
    base::{Base, Needs, PlainNeeds},
    overlay::Overlay,
    spec::compile,
};

/// The dependency graph at one moment: immutable, cheap to clone and to share between threads.
///
/// It consists of flat arrays, shared between all snapshots since the last compaction, and an
/// overlay of what has changed since.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) base: Arc<Base>,
    pub(crate) overlay: Option<Arc<Overlay>>,
}

/// The running needs an item is a member of, seen from the item: who depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Dependents<'a> {
    pub(crate) owners: &'a [ItemIx],
    pub(crate) plain: usize,
    pub(crate) needs: &'a [NeedIx],
    pub(crate) trips: &'a [u8],
}

impl Default for Dependents<'_> {
    /// Nobody.
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a> Dependents<'a> {
    pub(crate) const EMPTY: Self = Self { owners: &[], plain: 0, needs: &[], trips: &[] };

    /// The owners of all running needs the item is a member of. An owner with several such needs is
    /// listed several times.
    #[must_use]
    #[inline]
    pub fn owners(self) -> &'a [ItemIx] {
        self.owners
    }

    /// The owners of plain needs: losing the item loses them.
    #[must_use]
    #[inline]
    pub fn plain(self) -> &'a [ItemIx] {
        &self.owners[..self.plain]
    }

    /// The counted running needs the item is a member of.
    #[must_use]
    #[inline]
    pub fn counted(self) -> &'a [NeedIx] {
        self.needs
    }

    /// The counted running needs the item is a member of, each with its owner and the number of lost
    /// members at which it gives way; that number is 0 where the need's [`head`](Snapshot::head) has
    /// to be read, because it is soft, in doubt, not decided by counting or above 255.
    #[inline]
    pub fn counted_with_trips(self) -> impl Iterator<Item = (NeedIx, ItemIx, u8)> + 'a {
        let owners = &self.owners[self.plain..];
        self.needs.iter().zip(owners).zip(self.trips).map(|((&need, &owner), &trip)| (need, owner, trip))
    }
}

/// The running needs of an item, seen from the item: what it depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dependencies<'a> {
    /// Members of all running needs, those of plain needs first.
    pub(crate) members: &'a [ItemIx],
    pub(crate) plain: usize,
    pub(crate) plain_needs: PlainNeeds<'a>,
    /// All counted needs, also those that matter only while starting, which come last.
    pub(crate) needs: Needs<'a>,
}

impl Dependencies<'_> {
    pub(crate) const EMPTY: Self =
        Self { members: &[], plain: 0, plain_needs: PlainNeeds::Positions(0), needs: Needs::Range(0, 0) };
}

impl Snapshot {
    pub(crate) fn from_base(base: Arc<Base>) -> Self {
        Self { base, overlay: None }
    }

    /// Returns the graph without items.
    #[must_use]
    pub fn empty() -> Self {
        Self::from_base(Arc::new(Base::default()))
    }

    /// The length an array needs to have one entry per item: one more than the largest item number
    /// ever in the graph since the last compaction.
    #[must_use]
    #[inline]
    pub fn slots(&self) -> usize {
        self.overlay.as_ref().map_or(self.base.slots(), |overlay| overlay.slots)
    }

    /// The length an array needs to have one entry per counted need (see [`NeedIx::index`]).
    #[must_use]
    #[inline]
    pub fn need_slots(&self) -> usize {
        self.base.need_slots() + self.overlay.as_ref().map_or(0, |overlay| overlay.next_need as usize)
    }

    /// How many items are in the graph.
    #[must_use]
    pub fn items(&self) -> usize {
        self.overlay.as_ref().map_or(self.base.items, |overlay| overlay.items)
    }

    /// How many memberships (relationships) are in the graph, counting every phase.
    #[must_use]
    pub fn memberships(&self) -> usize {
        self.overlay.as_ref().map_or(self.base.memberships(), |overlay| overlay.memberships)
    }

    /// Whether an item is in the graph.
    #[must_use]
    #[inline]
    pub fn contains(&self, item: ItemIx) -> bool {
        match self.overlay.as_ref().and_then(|overlay| overlay.present.get(item.index())) {
            Some(&present) => present,
            None => self.base.present.contains(item.index()),
        }
    }

    /// The items of the graph in ascending order.
    pub fn item_numbers(&self) -> impl Iterator<Item = ItemIx> + '_ {
        (0..self.slots()).map(ItemIx::of).filter(|&item| self.contains(item))
    }

    /// Who depends on an item. Nobody depends on an item that is not in the graph.
    #[must_use]
    #[inline]
    pub fn dependents(&self, item: ItemIx) -> Dependents<'_> {
        match self.overlay.as_ref().and_then(|overlay| overlay.ins.get(item.index())) {
            Some(list) => list.view(),
            None => self.base.dependents(item),
        }
    }

    /// The needs an item is a member of that matter only while starting.
    #[must_use]
    pub fn starting(&self, item: ItemIx) -> &[NeedIx] {
        match self.overlay.as_ref().and_then(|overlay| overlay.ins.get(item.index())) {
            Some(list) => list.starting(),
            None => self.base.starting(item),
        }
    }

    /// The owners of all running needs an item is a member of: [`Dependents::owners`], a little
    /// faster when nothing else is wanted.
    #[must_use]
    #[inline]
    pub fn owners(&self, item: ItemIx) -> &[ItemIx] {
        match self.overlay.as_ref().and_then(|overlay| overlay.ins.get(item.index())) {
            Some(list) => list.view().owners,
            None => self.base.owners(item),
        }
    }

    /// [`Dependents::plain`], and whether [`Dependents::counted`] has any: what a walk that looks at
    /// counted needs later asks of most items.
    #[must_use]
    #[inline]
    pub fn plain_owners(&self, item: ItemIx) -> (&[ItemIx], bool) {
        match self.overlay.as_ref().and_then(|overlay| overlay.ins.get(item.index())) {
            Some(list) => (list.view().plain(), !list.view().counted().is_empty()),
            None => self.base.plain_owners(item),
        }
    }

    /// Brings what [`dependents`](Self::dependents) and [`owners`](Self::owners) give for an item near
    /// the processor, so that a walk can wait for many items at once. The value means nothing and has
    /// to be used.
    #[must_use]
    #[inline]
    pub fn touch_owners(&self, item: ItemIx) -> u32 {
        self.base.touch_owners(item)
    }

    /// As [`touch_owners`](Self::touch_owners), for [`members`](Self::members).
    #[must_use]
    #[inline]
    pub fn touch_members(&self, item: ItemIx) -> u32 {
        self.base.touch_members(item)
    }

    /// The members of all running needs of an item. A member of several needs is listed several
    /// times.
    #[must_use]
    #[inline]
    pub fn members(&self, item: ItemIx) -> &[ItemIx] {
        self.dependencies(item).members
    }

    #[inline]
    pub(crate) fn dependencies(&self, item: ItemIx) -> Dependencies<'_> {
        match self.overlay.as_ref().and_then(|overlay| overlay.outs.get(item.index())) {
            Some(list) => list.view(),
            None => self.base.dependencies(item),
        }
    }

    /// The members of the plain needs of an item: each of them is needed.
    #[must_use]
    #[inline]
    pub fn plain_members(&self, item: ItemIx) -> &[ItemIx] {
        let dependencies = self.dependencies(item);
        &dependencies.members[..dependencies.plain]
    }

    /// The counted needs of an item, of every phase.
    pub fn counted_needs(&self, item: ItemIx) -> impl Iterator<Item = NeedIx> + '_ {
        let (range, listed) = match self.dependencies(item).needs {
            Needs::Range(from, to) => (from..to, &[][..]),
            Needs::Listed(needs) => (0..0, needs),
        };
        range.map(NeedIx).chain(listed.iter().copied())
    }

    /// All needs of an item, of every phase: first the plain ones, then the counted ones.
    pub fn needs(&self, item: ItemIx) -> impl Iterator<Item = NeedView<'_>> + '_ {
        let dependencies = self.dependencies(item);
        (0..dependencies.plain)
            .map(move |at| plain_need(dependencies.plain_needs, at))
            .chain(self.counted_needs(item))
            .map(|need| self.need(need))
    }

    /// The running needs of an item.
    pub fn running_needs(&self, item: ItemIx) -> impl Iterator<Item = NeedView<'_>> + '_ {
        self.needs(item).filter(|need| need.head.flags.runs())
    }

    /// The first running need through which `owner` needs `member`, if there is one.
    #[must_use]
    pub fn need_between(&self, owner: ItemIx, member: ItemIx) -> Option<NeedIx> {
        let dependencies = self.dependencies(owner);
        let plain = &dependencies.members[..dependencies.plain];
        if let Ok(at) = plain.binary_search(&member) {
            return Some(plain_need(dependencies.plain_needs, at));
        }
        self.counted_needs(owner).find(|&need| {
            let view = self.need(need);
            view.head.flags.runs() && view.members.binary_search(&member).is_ok()
        })
    }

    /// One need.
    ///
    /// # Panics
    /// When the number comes from another snapshot and does not exist here.
    #[must_use]
    pub fn need(&self, need: NeedIx) -> NeedView<'_> {
        match self.overlay_need(need) {
            Some((overlay, number)) => overlay.need(need, number),
            None => self.base.need(need),
        }
    }

    /// The owner of a counted need and how it trips; what a walk reads on every step.
    ///
    /// # Panics
    /// When the number comes from another snapshot and does not exist here.
    #[must_use]
    #[inline]
    pub fn head(&self, need: NeedIx) -> NeedHead {
        match self.overlay_need(need) {
            Some((overlay, number)) => overlay.head(number),
            None => self.base.counted_head(need),
        }
    }

    #[inline]
    fn overlay_need(&self, need: NeedIx) -> Option<(&Overlay, usize)> {
        let overlay = self.overlay.as_deref()?;
        if need.plain_position().is_some() {
            return None;
        }
        need.index().checked_sub(self.base.need_slots()).map(|number| (overlay, number))
    }

    /// The running SHARE needs that may lose something without any member losing anything, because
    /// the demand exceeds the capacity of the members that are certain.
    pub fn overloaded(&self) -> impl Iterator<Item = NeedView<'_>> + '_ {
        let changed: &[NeedIx] = self.overlay.as_ref().map_or(&[], |overlay| &overlay.overloaded);
        let live = |need: &NeedView<'_>| {
            let listed = self.overlay.as_ref().and_then(|o| o.outs.get(need.owner().index()));
            listed.is_none_or(|list| list.has(need.ix))
        };
        self.base.overloaded.iter().chain(changed).map(|&need| self.need(need)).filter(live)
    }

    /// Memory held by the arrays of this snapshot, in bytes, shared ones included.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.base.heap_bytes() + self.overlay.as_ref().map_or(0, |overlay| overlay.heap_bytes())
    }

    /// How many items have lists that are kept outside the flat arrays.
    #[must_use]
    pub fn overlay_len(&self) -> usize {
        self.overlay.as_ref().map_or(0, |overlay| overlay.len())
    }

    /// Whether so much has changed that [`compact`](Self::compact) is worth its time: when the
    /// overlay holds more than one item in sixteen, and more than a thousand.
    #[must_use]
    pub fn wants_compaction(&self) -> bool {
        self.overlay_len() > 1_000.max(self.base.slots() / 16)
    }

    /// Returns the same graph in flat arrays, without an overlay. Needs are numbered anew.
    ///
    /// # Errors
    /// When there are too many relationships to number.
    pub fn compact(&self) -> Result<Self, GraphError> {
        let mut builder = Builder::with_capacity(self.slots(), self.memberships());
        for item in self.item_numbers() {
            builder.item(item);
            let dependencies = self.dependencies(item);
            for (at, &member) in dependencies.members[..dependencies.plain].iter().enumerate() {
                let need = self.need(plain_need(dependencies.plain_needs, at));
                builder.plain(item, member, need.tag);
            }
            for need in self.counted_needs(item) {
                builder.push(compile(self.need(need).to_spec())?);
            }
        }
        builder.build()
    }
}

/// The number of the plain need at a place among an owner's plain needs.
fn plain_need(needs: PlainNeeds<'_>, at: usize) -> NeedIx {
    match needs {
        #[expect(clippy::cast_possible_truncation, reason = "positions were checked against 31 bits")]
        PlainNeeds::Positions(first) => NeedIx((first + at as u32) | NeedIx::PLAIN),
        PlainNeeds::Listed(needs) => needs[at],
    }
}
