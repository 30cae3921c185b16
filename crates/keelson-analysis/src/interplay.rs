//! Which changes can do anything together at all.
//!
//! Most changes that are under way at once have nothing to do with each other even where the same
//! services depend on them: together they do what they do alone. Losses add up only at needs that
//! take more than one lost member to give way. So changes are put together where such a need has
//! members that different changes make worse, and what a group may lose jointly is followed up to
//! where it meets other changes, until no two groups meet. Then
//!
//! - the loss of every item is the largest of its losses under single groups, and
//! - every minimal set of changes lies within one group.
//!
//! Both hold for any subset of the changes, too. A need that a change makes give way wholly by itself
//! does not join that change to others: with it nothing worse can come of the need, and sets without
//! it do not concern it. (A group of several changes gets no such credit, because a part of it might
//! not do the same.)

use std::collections::{HashMap, HashSet};

use fixedbitset::FixedBitSet;
use keelson_graph::{ItemIx, NeedIx, Snapshot};

use crate::{
    Settled,
    impact::Impact,
    joint::{Joint, ROUNDING, together},
    reading::Read,
};

/// A member that is made worse, of a need that takes several to give way.
type Touch = (NeedIx, ItemIx);

/// What a group of several changes may lose that none of them loses alone.
struct Shared {
    /// The members it may make worse, ascending.
    touches: Vec<Touch>,
    /// The changes that make worse other members of the same needs.
    meets: FixedBitSet,
}

/// How changes act on each other while certain outages stand.
pub(crate) struct Interplay {
    standing: Vec<u32>,
    /// What is lost to the standing outages alone.
    before: HashMap<ItemIx, f64>,
    /// For each need, the members made worse by single changes that do not make it give way wholly.
    touched: HashMap<NeedIx, Vec<(u32, ItemIx)>>,
    /// For each change, those it shares such a need with, by different members.
    meets: Vec<FixedBitSet>,
    shared: HashMap<Vec<u32>, Shared>,
}

impl Interplay {
    /// Looks at what each of the first `changes` parts does; `None` when the budget is used up.
    pub(crate) fn new(joint: &mut Joint<'_>, changes: usize, standing: &[u32]) -> Option<Self> {
        let before = joint.impact(standing)?.affected().map(|affected| (affected.item, affected.loss)).collect();
        let mut interplay = Self {
            standing: standing.to_vec(),
            before,
            touched: HashMap::new(),
            meets: vec![FixedBitSet::with_capacity(changes); changes],
            shared: HashMap::new(),
        };
        let nothing = Settled::new();
        let (snapshot, reading) = (joint.setting.snapshot, joint.setting.reading);
        let settled = joint.setting.settled.unwrap_or(&nothing);
        for change in 0..u32::try_from(changes).expect("changes are numbered by u32") {
            let impact = joint.impact(&together(&[change], standing))?;
            let worse: Vec<ItemIx> = interplay.made_worse(impact).collect();
            let mut is_saturated: HashMap<NeedIx, bool> = HashMap::new();
            for (need, member) in touches(snapshot, &worse) {
                let saturated = || {
                    let read = Read::new(snapshot.need(need), reading, settled);
                    read.loss(|member| impact.loss(member)) >= 1.0 - ROUNDING
                };
                if !*is_saturated.entry(need).or_insert_with(saturated) {
                    interplay.touched.entry(need).or_default().push((change, member));
                }
            }
        }
        for touched in interplay.touched.values() {
            for (at, &(a, by)) in touched.iter().enumerate() {
                for &(b, _) in touched[..at].iter().filter(|(b, other)| *b != a && *other != by) {
                    interplay.meets[a as usize].insert(b as usize);
                    interplay.meets[b as usize].insert(a as usize);
                }
            }
        }
        Some(interplay)
    }

    fn made_worse(&self, impact: &Impact) -> impl Iterator<Item = ItemIx> {
        let before = |item: ItemIx| self.before.get(&item).copied().unwrap_or(0.0);
        impact.affected().filter(move |a| a.loss > before(a.item)).map(|affected| affected.item)
    }

    /// Puts active changes together that can do anything together; each group ascending.
    pub(crate) fn groups(&mut self, joint: &mut Joint<'_>, active: &[u32]) -> Option<Vec<Vec<u32>>> {
        let mut groups = self.met(active);
        // Groups that share more than their changes do may meet further ones.
        while let Some((a, b)) = self.meeting(joint, &groups)? {
            let merged = together(&groups[a], &groups[b]);
            groups.swap_remove(a.max(b));
            groups[a.min(b)] = merged;
        }
        Some(groups)
    }

    /// Changes joined by what single changes do.
    fn met(&self, active: &[u32]) -> Vec<Vec<u32>> {
        let mut rest = active.to_vec();
        let mut groups = Vec::new();
        while let Some(first) = rest.pop() {
            let (mut group, mut at) = (vec![first], 0);
            while at < group.len() {
                let meets = &self.meets[group[at] as usize];
                group.extend(rest.extract_if(.., |other| meets.contains(*other as usize)));
                at += 1;
            }
            group.sort_unstable();
            groups.push(group);
        }
        groups
    }

    /// Two groups that meet through what one of them may lose jointly.
    #[expect(clippy::option_option, reason = "no answer and the answer none are different things")]
    fn meeting(&mut self, joint: &mut Joint<'_>, groups: &[Vec<u32>]) -> Option<Option<(usize, usize)>> {
        let several: Vec<usize> = (0..groups.len()).filter(|&at| groups[at].len() > 1).collect();
        for &at in &several {
            if !self.shared.contains_key(&groups[at]) {
                let shared = self.share(joint, &groups[at])?;
                self.shared.insert(groups[at].clone(), shared);
            }
        }
        for &a in &several {
            let shared = &self.shared[&groups[a]];
            for (b, group) in groups.iter().enumerate().filter(|(b, _)| *b != a) {
                let meets_one = group.iter().any(|&change| shared.meets.contains(change as usize));
                let other = (b > a).then(|| self.shared.get(group)).flatten();
                if meets_one || other.is_some_and(|other| meet(&shared.touches, &other.touches)) {
                    return Some(Some((a, b)));
                }
            }
        }
        Some(None)
    }

    /// What a group may lose jointly: everything it makes worse that lies above a need at which its
    /// changes meet.
    fn share(&self, joint: &mut Joint<'_>, group: &[u32]) -> Option<Shared> {
        let snapshot = joint.setting.snapshot;
        let impact = joint.impact(&together(group, &self.standing))?;
        let worse: HashSet<ItemIx> = self.made_worse(impact).collect();
        let is_met = |need: NeedIx| {
            let inside = self.touched.get(&need).into_iter().flatten().filter(|(c, _)| group.binary_search(c).is_ok());
            inside.count() > 1
        };
        let mut above: Vec<ItemIx> = Vec::new();
        let mut seen: HashSet<ItemIx> = HashSet::new();
        for &item in &worse {
            for (need, owner, _) in snapshot.dependents(item).counted_with_trips() {
                if worse.contains(&owner) && !seen.contains(&owner) && is_met(need) {
                    seen.insert(owner);
                    above.push(owner);
                }
            }
        }
        let mut at = 0;
        while at < above.len() {
            let owners = snapshot.owners(above[at]);
            above.extend(owners.iter().copied().filter(|owner| worse.contains(owner) && seen.insert(*owner)));
            at += 1;
        }
        let mut touches: Vec<Touch> = touches(snapshot, &above).collect();
        touches.sort_unstable();
        let mut meets = FixedBitSet::with_capacity(self.meets.len());
        for (need, member) in &touches {
            let others = self.touched.get(need).into_iter().flatten().filter(|(_, other)| other != member);
            others.for_each(|(change, _)| meets.insert(*change as usize));
        }
        Some(Shared { touches, meets })
    }
}

/// The needs that items are members of and that take several lost members to give way.
fn touches<'a>(snapshot: &'a Snapshot, items: &'a [ItemIx]) -> impl Iterator<Item = Touch> + 'a {
    items.iter().flat_map(move |&item| {
        let counted = snapshot.dependents(item).counted().iter().copied();
        counted.filter(move |&need| takes_several(snapshot, need)).map(move |need| (need, item))
    })
}

fn takes_several(snapshot: &Snapshot, need: NeedIx) -> bool {
    let head = snapshot.head(need);
    !head.is_counted() || head.trip() > 1
}

/// Whether two groups make worse different members of one need; both lists are sorted.
fn meet(a: &[Touch], b: &[Touch]) -> bool {
    let mut rest = b;
    for needs in a.chunk_by(|x, y| x.0 == y.0) {
        let need = needs[0].0;
        rest = &rest[rest.partition_point(|touch| touch.0 < need)..];
        let same = &rest[..rest.partition_point(|touch| touch.0 == need)];
        if !same.is_empty() && (needs.len() > 1 || same.len() > 1 || needs[0].1 != same[0].1) {
            return true;
        }
    }
    false
}
