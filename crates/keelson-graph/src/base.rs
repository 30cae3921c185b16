//! The flat arrays of a snapshot, in both directions.

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

/// Where the dependents of one item lie. An item's lists end where the next item's begin.
#[derive(Clone, Copy, Debug, Default)]
struct InSpan {
    /// Owners of plain needs begin here in `in_owners` …
    owners: u32,
    /// … owners of counted running needs here …
    counted: u32,
    /// … and end here.
    end: u32,
    /// The counted needs begin here in `in_needs`: first the running ones, one for each counted
    /// owner, then the ones that matter only while starting.
    needs: u32,
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

/// The immutable arrays. Every span array ends with a sentinel, so the spans of item *i* end where
/// those of *i* + 1 begin.
#[derive(Debug, Default)]
pub(crate) struct Base {
    pub(crate) present: FixedBitSet,
    pub(crate) items: usize,
    ins: Vec<InSpan>,
    in_owners: Vec<ItemIx>,
    in_needs: Vec<NeedIx>,
    outs: Vec<OutSpan>,
    out_members: Vec<ItemIx>,
    /// The tag of a plain need at its member's position, of a counted need at its first member's.
    tags: Vec<u64>,
    needs: Vec<Record>,
    /// For each need what [`NeedHead::simple_trip`] says, in one byte: the records of a large graph
    /// do not fit into the second cache, this does.
    trips: Vec<u8>,
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
        let Some([span, next]) = self.ins.get(at..at + 2) else { return Dependents::EMPTY };
        let plain = (span.counted - span.owners) as usize;
        let counted = (span.end - span.counted) as usize;
        let needs = &self.in_needs[span.needs as usize..next.needs as usize];
        let (needs, starting) = needs.split_at(counted);
        let owners = &self.in_owners[span.owners as usize..span.end as usize];
        Dependents { owners, plain, needs, starting }
    }

    /// The owners of running needs the item is a member of, and nothing else.
    #[inline]
    pub(crate) fn owners(&self, item: ItemIx) -> &[ItemIx] {
        let Some(span) = self.ins.get(item.index()) else { return &[] };
        &self.in_owners[span.owners as usize..span.end as usize]
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
    pub(crate) fn simple_trip(&self, need: NeedIx) -> u32 {
        u32::from(self.trips[need.index()])
    }

    #[inline]
    pub(crate) fn counted_head(&self, need: NeedIx) -> NeedHead {
        self.needs[need.index()].head
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        fn bytes<T>(vec: &Vec<T>) -> usize {
            vec.capacity() * size_of::<T>()
        }
        bytes(&self.ins)
            + bytes(&self.in_owners)
            + bytes(&self.in_needs)
            + bytes(&self.outs)
            + bytes(&self.out_members)
            + bytes(&self.tags)
            + bytes(&self.needs)
            + bytes(&self.trips)
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
        self.trips.reserve_exact(counted.len());
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
        let head = NeedHead { owner: need.owner, trip: need.trip, flags: need.flags };
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
        self.trips.push(u8::try_from(head.simple_trip()).unwrap_or(0));
        self.tags.resize(self.tags.len() + need.members.len(), need.tag);
        self.out_members.extend_from_slice(&need.members);
    }

    /// Turns the dependencies round: two passes, one to measure and one to place.
    fn fill_in(&mut self) {
        let slots = self.slots();
        // While measuring, a span holds how many of each kind there are; while placing, where the
        // next of each kind goes.
        let mut at = vec![InSpan::default(); slots];
        let mut starting = vec![0_u32; slots];
        for span in self.outs.windows(2) {
            for member in &self.out_members[span[0].plain as usize..span[0].counted as usize] {
                at[member.index()].owners += 1;
            }
        }
        for record in &self.needs {
            let members = record.first as usize..(record.first + record.len) as usize;
            for member in &self.out_members[members] {
                if record.head.flags.runs() {
                    at[member.index()].counted += 1;
                } else {
                    starting[member.index()] += 1;
                }
            }
        }

        self.ins.reserve_exact(slots + 1);
        let (mut owner, mut need) = (0, 0);
        for (place, starting) in at.iter_mut().zip(&mut starting) {
            let counts = *place;
            let span = InSpan {
                owners: owner,
                counted: owner + counts.owners,
                end: owner + counts.owners + counts.counted,
                needs: need,
            };
            self.ins.push(span);
            *place = span;
            owner = span.end;
            need += counts.counted + *starting;
            *starting = span.needs + counts.counted;
        }
        self.ins.push(InSpan { owners: owner, counted: owner, end: owner, needs: need });

        self.in_owners = vec![ItemIx(0); owner as usize];
        self.in_needs = vec![NeedIx(0); need as usize];
        for (slot, span) in self.outs.windows(2).enumerate() {
            for member in &self.out_members[span[0].plain as usize..span[0].counted as usize] {
                let place = &mut at[member.index()].owners;
                self.in_owners[*place as usize] = ItemIx::of(slot);
                *place += 1;
            }
        }
        for (number, record) in (0..).zip(&self.needs) {
            let members = record.first as usize..(record.first + record.len) as usize;
            for member in &self.out_members[members] {
                if record.head.flags.runs() {
                    let place = &mut at[member.index()];
                    self.in_owners[place.counted as usize] = record.head.owner;
                    self.in_needs[place.needs as usize] = NeedIx(number);
                    place.counted += 1;
                    place.needs += 1;
                } else {
                    let place = &mut starting[member.index()];
                    self.in_needs[*place as usize] = NeedIx(number);
                    *place += 1;
                }
            }
        }
    }
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
