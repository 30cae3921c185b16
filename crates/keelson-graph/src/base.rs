//! The flat arrays of a snapshot, in both directions.

use std::ops::Range;

use fixedbitset::FixedBitSet;

use crate::{
    Detail, GraphError, ItemIx, NeedHead, NeedIx, NeedView,
    detail::Flags,
    snapshot::{Dependencies, Dependents},
    spec::Compiled,
};

/// A plain need on its way into the arrays.
pub(crate) struct Plain {
    pub(crate) owner: ItemIx,
    pub(crate) member: ItemIx,
    pub(crate) tag: u64,
}

/// Where the dependencies of one item lie. An item's lists end where the next item's begin.
#[derive(Clone, Copy, Debug, Default)]
struct OutSpan {
    /// Members of plain needs begin here in `out_members` …
    plain: u32,
    /// … members of counted running needs here …
    counted: u32,
    /// … and members of needs that matter only while starting here.
    starting: u32,
    /// The records of counted needs begin here in `needs`, running ones first.
    needs: u32,
}

/// The record of a counted need.
#[derive(Clone, Copy, Debug)]
struct Record {
    head: NeedHead,
    /// Where the members begin in `out_members`.
    first: u32,
    len: u32,
    /// Index into `details`, or `NO_DETAIL`.
    detail: u32,
}

const NO_DETAIL: u32 = u32::MAX;

/// Set in a row of owners that ends with owners of counted needs.
const HAS_COUNTED: u32 = 1 << 31;

impl Record {
    fn members(&self) -> Range<usize> {
        self.first as usize..(self.first + self.len) as usize
    }
}

/// The immutable arrays. Every span array ends with a sentinel, so the spans of item *i* end where
/// those of *i* + 1 begin.
#[derive(Debug, Default)]
pub(crate) struct Base {
    pub(crate) present: FixedBitSet,
    pub(crate) items: usize,
    /// Where the owners of running needs of each item begin in `in_owners`, and in the highest bit
    /// whether the item is a member of counted ones. A walk reads one entry, far from the last one,
    /// for every item it meets; so there is nothing else in it.
    in_rows: Vec<u32>,
    /// First the owners of plain needs, then, at the end, one for each counted running need.
    in_owners: Vec<ItemIx>,
    /// Where the counted running needs each item is a member of begin in `in_needs` and `in_trips`.
    in_need_rows: Vec<u32>,
    in_needs: Vec<NeedIx>,
    /// For each entry of `in_needs` what [`NeedHead::small_trip`] says, in one byte: the records of
    /// the needs lie anywhere, this lies where the walk is.
    in_trips: Vec<u8>,
    /// Where the needs of each item that matter only while starting begin in `in_starting`.
    in_starts: Vec<u32>,
    in_starting: Vec<NeedIx>,
    outs: Vec<OutSpan>,
    out_members: Vec<ItemIx>,
    /// The tag of a plain need at its member's position, of a counted need at its first member's.
    tags: Vec<u64>,
    needs: Vec<Record>,
    details: Vec<Detail>,
    /// Running SHARE needs whose members may fall short of the demand even when all are whole.
    pub(crate) overloaded: Vec<NeedIx>,
}

impl Base {
    pub(crate) fn slots(&self) -> usize {
        self.present.len()
    }

    pub(crate) fn need_slots(&self) -> usize {
        self.needs.len()
    }

    pub(crate) fn memberships(&self) -> usize {
        self.out_members.len()
    }

    #[inline]
    pub(crate) fn dependents(&self, item: ItemIx) -> Dependents<'_> {
        let at = item.index();
        let Some([start, end]) = self.in_need_rows.get(at..at + 2) else { return Dependents::EMPTY };
        let needs = &self.in_needs[*start as usize..*end as usize];
        let trips = &self.in_trips[*start as usize..*end as usize];
        let owners = self.owners(item);
        Dependents { owners, plain: owners.len() - needs.len(), needs, trips }
    }

    /// The owners of running needs the item is a member of, and nothing else.
    #[inline]
    pub(crate) fn owners(&self, item: ItemIx) -> &[ItemIx] {
        let at = item.index();
        let Some([start, end]) = self.in_rows.get(at..at + 2) else { return &[] };
        &self.in_owners[(start & !HAS_COUNTED) as usize..(end & !HAS_COUNTED) as usize]
    }

    /// The owners of plain needs of the item, and whether there are others.
    #[inline]
    pub(crate) fn plain_owners(&self, item: ItemIx) -> (&[ItemIx], bool) {
        let at = item.index();
        let Some(&[start, end]) = self.in_rows.get(at..at + 2) else { return (&[], false) };
        if start & HAS_COUNTED != 0 {
            return (self.dependents(item).plain(), true);
        }
        (&self.in_owners[start as usize..(end & !HAS_COUNTED) as usize], false)
    }

    /// The needs the item is a member of that matter only while starting.
    pub(crate) fn starting(&self, item: ItemIx) -> &[NeedIx] {
        let at = item.index();
        let Some([start, end]) = self.in_starts.get(at..at + 2) else { return &[] };
        &self.in_starting[*start as usize..*end as usize]
    }

    /// Reads the first owner of an item, or what stands in its place when there is none. There is no
    /// branch on that: no predictor wins it, and a lost one would wait for the memory that this is
    /// there not to wait for.
    #[inline]
    pub(crate) fn touch_owners(&self, item: ItemIx) -> u32 {
        let Some(&start) = self.in_rows.get(item.index()) else { return 0 };
        self.in_owners.get((start & !HAS_COUNTED) as usize).map_or(0, |owner| owner.0)
    }

    /// As [`touch_owners`](Self::touch_owners), of the members.
    #[inline]
    pub(crate) fn touch_members(&self, item: ItemIx) -> u32 {
        let Some(span) = self.outs.get(item.index()) else { return 0 };
        self.out_members.get(span.plain as usize).map_or(0, |member| member.0)
    }

    #[inline]
    pub(crate) fn dependencies(&self, item: ItemIx) -> Dependencies<'_> {
        let at = item.index();
        let Some([span, next]) = self.outs.get(at..at + 2) else { return Dependencies::EMPTY };
        Dependencies {
            members: &self.out_members[span.plain as usize..span.starting as usize],
            plain: (span.counted - span.plain) as usize,
            plain_needs: PlainNeeds::Positions(span.plain),
            needs: Needs::Range(span.needs, next.needs),
        }
    }

    pub(crate) fn head(&self, need: NeedIx) -> NeedHead {
        match need.plain_position() {
            None => self.needs[need.index()].head,
            Some(at) => {
                let owner = self.outs.partition_point(|span| span.plain as usize <= at) - 1;
                NeedHead { owner: ItemIx::of(owner), trip: 1, flags: Flags::PLAIN_NEED }
            }
        }
    }

    pub(crate) fn need(&self, ix: NeedIx) -> NeedView<'_> {
        let head = self.head(ix);
        let (first, len, detail) = match ix.plain_position() {
            Some(at) => (at, 1, None),
            None => {
                let record = &self.needs[ix.index()];
                let detail = self.details.get(record.detail as usize);
                (record.first as usize, record.len as usize, detail)
            }
        };
        let members = &self.out_members[first..first + len];
        NeedView { ix, head, members, tag: self.tags[first], detail }
    }

    #[inline]
    pub(crate) fn counted_head(&self, need: NeedIx) -> NeedHead {
        self.needs[need.index()].head
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        fn bytes<T>(vec: &Vec<T>) -> usize {
            vec.capacity() * size_of::<T>()
        }
        bytes(&self.in_rows)
            + bytes(&self.in_owners)
            + bytes(&self.in_need_rows)
            + bytes(&self.in_needs)
            + bytes(&self.in_trips)
            + bytes(&self.in_starts)
            + bytes(&self.in_starting)
            + bytes(&self.outs)
            + bytes(&self.out_members)
            + bytes(&self.tags)
            + bytes(&self.needs)
            + bytes(&self.details)
            + bytes(&self.overloaded)
            + self.present.len() / 8
    }

    /// Builds the arrays. All owners and members must be present.
    pub(crate) fn build(
        present: FixedBitSet,
        mut plain: Vec<Plain>,
        mut counted: Vec<Compiled>,
    ) -> Result<Self, GraphError> {
        check_room("item numbers", present.len())?;
        let memberships = plain.len() + counted.iter().map(|need| need.members.len()).sum::<usize>();
        check_room("relationships", memberships)?;
        check_room("needs", counted.len())?;
        if !plain.is_sorted_by_key(|need| (need.owner, need.member)) {
            plain.sort_unstable_by_key(|need| (need.owner, need.member, need.tag));
        }
        counted.sort_by_key(|need| (need.owner, !need.flags.runs()));

        let mut base = Self { items: present.count_ones(..), present, ..Self::default() };
        base.fill_out(&plain, counted, memberships);
        drop(plain);
        base.fill_in();
        Ok(base)
    }

    /// Lays out the dependencies, owner by owner.
    fn fill_out(&mut self, plain: &[Plain], counted: Vec<Compiled>, memberships: usize) {
        let slots = self.slots();
        self.outs.reserve_exact(slots + 1);
        self.out_members.reserve_exact(memberships);
        self.tags.reserve_exact(memberships);
        self.needs.reserve_exact(counted.len());
        let mut plain = plain.iter().peekable();
        let mut counted = counted.into_iter().peekable();
        for slot in 0..=slots {
            let owner = ItemIx::of(slot);
            let mut span = OutSpan { plain: len32(&self.out_members), ..OutSpan::default() };
            while let Some(need) = plain.next_if(|need| need.owner == owner) {
                self.out_members.push(need.member);
                self.tags.push(need.tag);
            }
            span.counted = len32(&self.out_members);
            span.needs = len32(&self.needs);
            while let Some(need) = counted.next_if(|need| need.owner == owner && need.flags.runs()) {
                self.push_counted(need);
            }
            span.starting = len32(&self.out_members);
            while let Some(need) = counted.next_if(|need| need.owner == owner) {
                self.push_counted(need);
            }
            self.outs.push(span);
        }
    }

    fn push_counted(&mut self, need: Compiled) {
        let head = need.head();
        if need.may_be_overloaded() {
            self.overloaded.push(NeedIx(len32(&self.needs)));
        }
        let mut detail = NO_DETAIL;
        if let Some(boxed) = need.detail {
            detail = len32(&self.details);
            self.details.push(*boxed);
        }
        let (first, len) = (len32(&self.out_members), len32(&need.members));
        self.needs.push(Record { head, first, len, detail });
        self.tags.resize(self.tags.len() + need.members.len(), need.tag);
        self.out_members.extend_from_slice(&need.members);
    }

    fn begin_rows(&mut self, row: InPlaces, has_counted: bool) {
        self.in_rows.push(if has_counted { row.plain | HAS_COUNTED } else { row.plain });
        self.in_need_rows.push(row.needs);
        self.in_starts.push(row.starting);
    }

    /// Turns the dependencies round: two passes, one to measure and one to place.
    fn fill_in(&mut self) {
        let slots = self.slots();
        // While measuring, these hold how many of each kind there are; while placing, where the next
        // of each kind goes.
        let mut at = vec![InPlaces::default(); slots];
        for span in self.outs.windows(2) {
            for member in &self.out_members[span[0].plain as usize..span[0].counted as usize] {
                at[member.index()].plain += 1;
            }
        }
        for record in &self.needs {
            for member in &self.out_members[record.members()] {
                let counts = &mut at[member.index()];
                if record.head.flags.runs() { counts.counted += 1 } else { counts.starting += 1 }
            }
        }

        for rows in [&mut self.in_rows, &mut self.in_need_rows, &mut self.in_starts] {
            rows.reserve_exact(slots + 1);
        }
        // The row that begins here and the end of the last one.
        let mut row = InPlaces::default();
        for place in &mut at {
            let counts = *place;
            self.begin_rows(row, counts.counted > 0);
            *place = InPlaces { counted: row.plain + counts.plain, ..row };
            row.plain += counts.plain + counts.counted;
            row.needs += counts.counted;
            row.starting += counts.starting;
        }
        self.begin_rows(row, false);

        self.in_owners = vec![ItemIx(0); row.plain as usize];
        self.in_needs = vec![NeedIx(0); row.needs as usize];
        self.in_trips = vec![0; row.needs as usize];
        self.in_starting = vec![NeedIx(0); row.starting as usize];
        for (slot, span) in self.outs.windows(2).enumerate() {
            for member in &self.out_members[span[0].plain as usize..span[0].counted as usize] {
                self.in_owners[next(&mut at[member.index()].plain)] = ItemIx::of(slot);
            }
        }
        for (number, record) in (0..).zip(&self.needs) {
            for member in &self.out_members[record.members()] {
                let place = &mut at[member.index()];
                if record.head.flags.runs() {
                    self.in_owners[next(&mut place.counted)] = record.head.owner;
                    let need = next(&mut place.needs);
                    self.in_needs[need] = NeedIx(number);
                    self.in_trips[need] = record.head.small_trip();
                } else {
                    self.in_starting[next(&mut place.starting)] = NeedIx(number);
                }
            }
        }
    }
}

/// How many dependents of each kind an item has, and then where the next of each kind goes.
#[derive(Clone, Copy, Debug, Default)]
struct InPlaces {
    plain: u32,
    counted: u32,
    needs: u32,
    starting: u32,
}

/// The place to fill, and the next time the one after it.
fn next(place: &mut u32) -> usize {
    *place += 1;
    *place as usize - 1
}

/// The numbers of the plain needs of one owner.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PlainNeeds<'a> {
    /// Positions in the base arrays, from here on.
    Positions(u32),
    /// Records in the overlay.
    Listed(&'a [NeedIx]),
}

/// The numbers of the counted needs of one owner, running ones first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needs<'a> {
    Range(u32, u32),
    Listed(&'a [NeedIx]),
}

pub(crate) fn check_room(what: &'static str, count: usize) -> Result<(), GraphError> {
    let limit = NeedIx::PLAIN as usize - 1;
    if count > limit { Err(GraphError::TooMany { what, count, limit }) } else { Ok(()) }
}

/// The length of an array whose room was checked before it was filled.
fn len32<T>(vec: &[T]) -> u32 {
    u32::try_from(vec.len()).expect("lengths were checked against 31 bits before building")
}
