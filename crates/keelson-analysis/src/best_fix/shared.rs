//! Redundancy that is none, because its members depend on the same thing.

use std::{cmp::Reverse, collections::BTreeMap, ops::ControlFlow};

use keelson_graph::{ItemIx, NeedIx, NeedView, Snapshot};

use super::{Candidate, Edit};
use crate::{
    AnalysisError,
    single_points::{Cut, Found, Pass, Question, visit},
};

/// An item that stands on what members of a redundancy need share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The member that falls with it: the item itself, or something that needs it.
    pub member: ItemIx,
    /// The item.
    pub item: ItemIx,
    /// The need through which it stands there.
    pub need: NeedIx,
}

/// Members of a redundancy need that fall together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The item that needs.
    pub owner: ItemIx,
    /// The redundancy need.
    pub need: NeedIx,
    /// The members that fall together, ascending; enough for the need to give way.
    pub members: Vec<ItemIx>,
    /// What fells exactly these members, the nearest first: of two points of which one depends on the
    /// other, the dependent.
    pub points: Vec<ItemIx>,
    /// How many of the members have to be placed elsewhere, at least, for the need to hold.
    pub surplus: usize,
    /// What stands on the nearest point, member by member.
    pub placements: Vec<Placement>,
}

impl Shared {
    /// Proposes to move what stands on the nearest point to other places, such as hosts: each move that
    /// takes enough members along, or, where no single one does, as many moves as it takes, to
    /// different places.
    ///
    /// Nothing is proposed where members cannot be moved apart from each other, or where there are
    /// too few places.
    #[must_use]
    pub fn candidates(&self, places: &[ItemIx]) -> Vec<Candidate> {
        let Some(&from) = self.points.first() else { return Vec::new() };
        // A place cannot be moved onto itself.
        let fits = |item: ItemIx, to: ItemIx| to != from && to != item;
        let step = |need: NeedIx, to: ItemIx| Edit::Replace { need, from, to };
        let mut moved: BTreeMap<NeedIx, (ItemIx, usize)> = BTreeMap::new();
        for placement in &self.placements {
            moved.entry(placement.need).or_insert((placement.item, 0)).1 += 1;
        }
        let enough = moved.iter().filter(|(_, (_, members))| *members >= self.surplus);
        let single: Vec<Candidate> = enough
            .flat_map(|(need, (item, _))| {
                let fitting = places.iter().filter(|to| fits(*item, **to));
                fitting.map(|to| Candidate::of(step(*need, *to)))
            })
            .collect();
        if !single.is_empty() {
            return single;
        }
        let places: Vec<ItemIx> =
            places.iter().copied().filter(|to| moved.values().all(|(item, _)| fits(*item, *to))).collect();
        if moved.len() < self.surplus || places.len() < self.surplus {
            return Vec::new();
        }
        let around = |first: usize| places.iter().cycle().skip(first);
        let moves =
            |first: usize| moved.keys().zip(around(first)).take(self.surplus).map(|(need, to)| step(*need, *to));
        (0..places.len()).map(|first| Candidate { edits: moves(first).collect() }).collect()
    }
}

/// Redundancy with hidden faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedPlacements {
    /// Members that fall together, dependencies before their dependents; for one need the fewest
    /// members first.
    pub found: Vec<Shared>,
    /// What the walk did; if it was cut, there may be more.
    pub pass: Pass,
}

/// Finds the redundancy needs, among everything some items depend on, whose members share something
/// that fells enough of them; `most` of them at most.
///
/// Only needs that count their members are looked at, and only those of which no single member fells
/// the owner.
///
/// # Errors
/// As [`visit`].
pub fn shared_placements(
    snapshot: &Snapshot,
    items: &[ItemIx],
    most: usize,
    question: &Question<'_>,
    seeds: &[ItemIx],
) -> Result<SharedPlacements, AnalysisError> {
    let mut found = Vec::new();
    let mut pass = visit(snapshot, items.iter().copied(), question, seeds, |owner| {
        for ix in snapshot.counted_needs(owner.item()) {
            let need = snapshot.need(ix);
            if need.head.is_counted() && need.phase().runs() && need.cap() >= question.level {
                shared_in(snapshot, owner, need, &mut found);
            }
        }
        if found.len() > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    found.truncate(most);
    if pass.cut == Some(Cut::Visitor) {
        pass.cut = Some(Cut::Answers);
    }
    Ok(SharedPlacements { found, pass })
}

fn shared_in(snapshot: &Snapshot, owner: Found<'_>, need: NeedView<'_>, found: &mut Vec<Shared>) {
    let failed = need.members.iter().filter(|member| owner.has_lost(**member)).count();
    let trip = (need.head.trip() as usize).saturating_sub(failed);
    if trip < 2 {
        return;
    }
    let mut pairs: Vec<(ItemIx, ItemIx)> = Vec::new();
    for &member in need.members {
        pairs.extend(owner.points_of(member).map(|point| (point, member)));
    }
    pairs.sort_unstable();
    let mut groups: BTreeMap<Vec<ItemIx>, Vec<ItemIx>> = BTreeMap::new();
    for shared in pairs.chunk_by(|a, b| a.0 == b.0).filter(|shared| shared.len() >= trip) {
        groups.entry(shared.iter().map(|(_, member)| *member).collect()).or_default().push(shared[0].0);
    }
    let first = found.len();
    for (members, mut points) in groups {
        points.sort_by_key(|point| Reverse(owner.closeness(*point)));
        let placements = placements(snapshot, owner, &members, points[0]);
        let surplus = members.len() - trip + 1;
        found.push(Shared { owner: owner.item(), need: need.ix, members, points, surplus, placements });
    }
    found[first..].sort_by_key(|shared| shared.members.len());
}

/// What stands on a point and fells a member.
fn placements(snapshot: &Snapshot, owner: Found<'_>, members: &[ItemIx], point: ItemIx) -> Vec<Placement> {
    let of = |&member: &ItemIx| {
        let mut standing: Vec<ItemIx> =
            owner.points_of(member).filter(|item| snapshot.members(*item).contains(&point)).collect();
        standing.sort_unstable();
        let placed = move |item: ItemIx| Some(Placement { member, item, need: snapshot.need_between(item, point)? });
        standing.into_iter().filter_map(placed)
    };
    members.iter().flat_map(of).collect()
}
