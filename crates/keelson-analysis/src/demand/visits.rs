//! Visit ratios beside a snapshot, in compact arrays.

use fixedbitset::FixedBitSet;
use keelson_graph::{ItemIx, Snapshot};

use super::DemandError;

/// Where a ratio comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Somebody said so, or it was measured.
    Given,
    /// It was inferred from series.
    Inferred,
}

/// How many units of a member one unit of its dependent takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// The dependent.
    pub owner: ItemIx,
    /// The dependency.
    pub member: ItemIx,
    /// Units of the member per unit of the owner, 0 or above.
    pub ratio: f64,
    /// Where that comes from.
    pub origin: Origin,
}

/// How members of a need share the visits to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Split<'a> {
    /// All alike.
    Even,
    /// In proportion to these numbers, one per member: capacities, or what a balancer is told. 0 for a
    /// member that stands by.
    Weighted(&'a [f64]),
}

impl Visit {
    /// The visits of an owner to a need of several members that share them. Weights that are missing,
    /// or add up to nothing, share nothing.
    pub fn shared<'a>(
        owner: ItemIx,
        members: &'a [ItemIx],
        ratio: f64,
        split: Split<'a>,
        origin: Origin,
    ) -> impl Iterator<Item = Self> + 'a {
        let weight = move |at: usize| match split {
            Split::Even => 1.0,
            Split::Weighted(weights) => weights.get(at).copied().unwrap_or(0.0),
        };
        let total: f64 = (0..members.len()).map(weight).sum();
        let part = move |at: usize| if total > 0.0 { weight(at) / total } else { 0.0 };
        members.iter().enumerate().map(move |(at, &member)| Self { owner, member, ratio: ratio * part(at), origin })
    }
}

/// The visit ratios of a graph.
///
/// A row per owner: first the members with a ratio above 0, ascending, then those of which it is known
/// that they get nothing. About 13 bytes a ratio and 8 an item.
#[derive(Clone, Debug, Default)]
pub struct Visits {
    starts: Vec<u32>,
    /// Where the members with a ratio above 0 end, by owner.
    ends: Vec<u32>,
    members: Vec<ItemIx>,
    ratios: Vec<f64>,
    inferred: FixedBitSet,
}

impl Visits {
    /// Arranges ratios, given in any order. Several between the same two items, from several needs, add
    /// up; their sum is inferred if one of them is.
    ///
    /// # Errors
    /// When an owner does not need a member to keep running, or a ratio is no number or below 0.
    pub fn new(snapshot: &Snapshot, mut given: Vec<Visit>) -> Result<Self, DemandError> {
        given.sort_unstable_by_key(|visit| (visit.owner, visit.member, visit.origin == Origin::Inferred));
        check(snapshot, &given)?;
        let mut visits = Self {
            starts: Vec::with_capacity(snapshot.slots() + 1),
            ends: Vec::with_capacity(snapshot.slots()),
            members: Vec::with_capacity(given.len()),
            ratios: Vec::with_capacity(given.len()),
            inferred: FixedBitSet::with_capacity(given.len()),
        };
        let mut rest = &given[..];
        for owner in (0..snapshot.slots()).map(ItemIx::of) {
            let len = rest.iter().take_while(|visit| visit.owner == owner).count();
            let (row, others) = rest.split_at(len);
            rest = others;
            visits.starts.push(visits.len());
            visits.push_row(row, |ratio| ratio > 0.0);
            visits.ends.push(visits.len());
            visits.push_row(row, |ratio| ratio == 0.0);
        }
        visits.starts.push(visits.len());
        Ok(visits)
    }

    fn len(&self) -> u32 {
        u32::try_from(self.members.len()).expect("no more ratios than relationships, which are numbered by 31 bits")
    }

    /// Adds those of an owner's visits whose sum per member is as wanted.
    fn push_row(&mut self, row: &[Visit], wanted: impl Fn(f64) -> bool) {
        for same in row.chunk_by(|a, b| a.member == b.member) {
            let ratio = same.iter().map(|visit| visit.ratio).sum();
            if wanted(ratio) {
                if same.iter().any(|visit| visit.origin == Origin::Inferred) {
                    self.inferred.grow_and_insert(self.members.len());
                }
                self.members.push(same[0].member);
                self.ratios.push(ratio);
            }
        }
    }

    /// The members an item hands demand on to, ascending, and how much per unit of its own.
    #[must_use]
    #[inline]
    pub fn row(&self, owner: ItemIx) -> (&[ItemIx], &[f64]) {
        let Some(&end) = self.ends.get(owner.index()) else { return (&[], &[]) };
        let range = self.starts[owner.index()] as usize..end as usize;
        (&self.members[range.clone()], &self.ratios[range])
    }

    /// The ratio between two items; 0 if there is none.
    #[must_use]
    pub fn ratio(&self, owner: ItemIx, member: ItemIx) -> f64 {
        let (members, ratios) = self.row(owner);
        members.binary_search(&member).map_or(0.0, |at| ratios[at])
    }

    /// Whether the ratio between two items is known, be it 0.
    #[must_use]
    pub fn is_known(&self, owner: ItemIx, member: ItemIx) -> bool {
        self.ratio(owner, member) > 0.0 || self.is_known_zero(owner, member)
    }

    /// Whether it is known that an item hands no demand on to another.
    #[must_use]
    pub fn is_known_zero(&self, owner: ItemIx, member: ItemIx) -> bool {
        let Some(&end) = self.ends.get(owner.index()) else { return false };
        let zero = &self.members[end as usize..self.starts[owner.index() + 1] as usize];
        zero.binary_search(&member).is_ok()
    }

    /// The members an item hands demand on to by a ratio that was inferred.
    pub fn inferred(&self, owner: ItemIx) -> impl Iterator<Item = ItemIx> + '_ {
        let range = self.ends.get(owner.index()).map_or(0..0, |&end| self.starts[owner.index()] as usize..end as usize);
        range.filter(|at| self.inferred.contains(*at)).map(|at| self.members[at])
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        4 * (self.starts.capacity() + self.ends.capacity() + self.members.capacity())
            + 8 * self.ratios.capacity()
            + self.inferred.len() / 8
    }
}

/// Checks visits sorted by owner and member.
fn check(snapshot: &Snapshot, given: &[Visit]) -> Result<(), DemandError> {
    let mut needed: Vec<ItemIx> = Vec::new();
    for row in given.chunk_by(|a, b| a.owner == b.owner) {
        let owner = row[0].owner;
        needed.clear();
        if snapshot.contains(owner) {
            needed.extend_from_slice(snapshot.members(owner));
            needed.sort_unstable();
        }
        for &Visit { member, ratio, .. } in row {
            if needed.binary_search(&member).is_err() {
                return Err(DemandError::NoRelationship { owner, member });
            }
            if !(ratio >= 0.0 && ratio.is_finite()) {
                let wanted = "a finite number, 0 or above";
                return Err(DemandError::BadNumber { what: "a visit ratio", item: owner, value: ratio, wanted });
            }
        }
    }
    Ok(())
}
