//! What protects an item that was touched and holds.

use std::collections::HashSet;

use keelson_graph::{ItemIx, NeedIx, NeedView, Snapshot};

use super::Impact;
use crate::reading::{Read, Reading, Settled, Settlement};

/// How many further members of a need may fail, whichever they are, before it gives way.
///
/// Doubts bracket it (analyses 1.6): a doubtful member is no redundancy to rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// So many for certain: however the doubts are settled.
    pub least: u32,
    /// So many at best.
    pub most: u32,
    /// Whether the need holds however the doubts are settled. If not, `least` is 0.
    pub is_certain: bool,
}

/// A need that lost members and held.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// The item the need belongs to.
    pub owner: ItemIx,
    /// The need.
    pub need: NeedIx,
    /// Its members that lost something.
    pub lost: Vec<ItemIx>,
    /// Its members that lost nothing, doubtful ones among them.
    pub up: u32,
    /// Those of them of which it is in doubt whether they are members.
    pub doubtful: Vec<ItemIx>,
    /// The members that must be up, for a counting rule.
    pub required: Option<u32>,
    /// How many further members may fail before the need gives way; `None` where members do not
    /// count alike (WEIGHT, SHARE).
    pub margin: Option<Margin>,
}

/// Finds what protects items that were touched and hold.
#[derive(Debug)]
pub struct Protection<'a> {
    snapshot: &'a Snapshot,
    impact: &'a Impact,
    /// The same question with the doubts settled so that least and so that most is lost.
    bracket: (&'a Impact, &'a Impact),
    /// By item number.
    touched: Vec<bool>,
}

/// The needs that protect an item, at any depth.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guards {
    /// The needs that lost members and held, in the order of their numbers.
    pub guards: Vec<Guard>,
    /// Whether there were more items to look at than [`MOST_BENEATH`].
    pub is_cut: bool,
}

/// Items looked at to find what protects one item.
pub const MOST_BENEATH: usize = 10_000;

impl<'a> Protection<'a> {
    /// Prepares for questions about one impact. Knows only what the impact lists as touched.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, impact: &'a Impact) -> Self {
        let items = impact.touched().unwrap_or_default();
        let mut touched = vec![false; items.iter().map(|item| item.index() + 1).max().unwrap_or(0)];
        for item in items {
            touched[item.index()] = true;
        }
        Self { snapshot, impact, bracket: (impact, impact), touched }
    }

    /// Reckons margins with what is lost in these two readings of the same question, rather than
    /// with what is lost as the needs are written.
    #[must_use]
    pub fn between(self, optimistic: &'a Impact, pessimistic: &'a Impact) -> Self {
        Self { bracket: (optimistic, pessimistic), ..self }
    }

    /// Whether an item depends on a seed and yet loses nothing.
    #[must_use]
    pub fn holds(&self, item: ItemIx) -> bool {
        self.touched.get(item.index()).is_some_and(|touched| *touched) && !self.impact.loses(item)
    }

    /// The needs that keep an item from losing anything: its own needs that lost members and held,
    /// or, if the loss was stopped before it came so near, those nearest to it among its
    /// dependencies. Sorted by margin, least certain and smallest first. Empty for an item that does not hold.
    #[must_use]
    pub fn of(&self, item: ItemIx) -> Vec<Guard> {
        let mut guards = Vec::new();
        let mut met = HashSet::from([item]);
        let mut level = if self.holds(item) { vec![item] } else { Vec::new() };
        while guards.is_empty() && !level.is_empty() && met.len() < MOST_BENEATH {
            let mut next = Vec::new();
            for &item in &level {
                guards.extend(self.snapshot.running_needs(item).filter_map(|need| self.guard(need)));
                for &member in self.snapshot.members(item) {
                    if self.holds(member) && met.insert(member) {
                        next.push(member);
                    }
                }
            }
            level = next;
        }
        guards.sort_by_key(|guard| {
            let margin = guard.margin.map(|margin| (margin.is_certain, margin.least, margin.most));
            (margin, guard.owner, guard.need)
        });
        guards
    }

    /// All needs that lost members and held, of an item and of everything it depends on that was touched and holds: not
    /// only the nearest. A change takes margin from an item wherever it takes a member of one of them.
    #[must_use]
    pub fn beneath(&self, item: ItemIx) -> Guards {
        let mut found = Guards::default();
        let mut met = HashSet::from([item]);
        let mut waiting = if self.holds(item) { vec![item] } else { Vec::new() };
        while let Some(item) = waiting.pop() {
            found.guards.extend(self.snapshot.running_needs(item).filter_map(|need| self.guard(need)));
            for &member in self.snapshot.members(item) {
                if !self.holds(member) || met.contains(&member) {
                    continue;
                }
                if met.len() >= MOST_BENEATH {
                    found.is_cut = true;
                    continue;
                }
                met.insert(member);
                waiting.push(member);
            }
        }
        found.guards.sort_by_key(|guard| guard.need);
        found
    }

    fn guard(&self, need: NeedView<'_>) -> Option<Guard> {
        let lost: Vec<ItemIx> =
            need.members.iter().copied().filter(|&member| self.impact.place(member).is_some()).collect();
        if lost.is_empty() {
            return None;
        }
        let up = u32::try_from(need.members.len() - lost.len()).unwrap_or(u32::MAX);
        let is_in_doubt = |member: &ItemIx| need.detail.is_some_and(|detail| detail.doubt.members.contains(member));
        let doubtful = need.members.iter().copied().filter(|member| !lost.contains(member) && is_in_doubt(member));
        Some(Guard {
            owner: need.owner(),
            need: need.ix,
            doubtful: doubtful.collect(),
            lost,
            up,
            required: need.required(),
            margin: self.margin(need),
        })
    }

    fn margin(&self, need: NeedView<'_>) -> Option<Margin> {
        need.required()?;
        // What a need stands is asked of the need as if there were one.
        let mut settled = Settled::new();
        let settlement = self.impact.settled.get(&need.ix).cloned().unwrap_or_default();
        settled.insert(need.ix, Settlement { exists: Some(true), ..settlement });
        let spare = |reading, impact: &Impact| {
            Read::new(need, reading, &settled).spare(|member| impact.place(member).is_some())
        };
        let (optimistic, pessimistic) = self.bracket;
        let least = spare(Reading::Pessimistic, pessimistic)?;
        let most = spare(Reading::Optimistic, optimistic)?;
        let members = |spare: i64| u32::try_from(spare.max(0)).unwrap_or(u32::MAX);
        Some(Margin { least: members(least), most: members(most), is_certain: least >= 0 })
    }
}
