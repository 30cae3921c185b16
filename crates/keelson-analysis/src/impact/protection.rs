//! What protects an item that was touched and holds.

use std::collections::HashSet;

use keelson_graph::{ItemIx, NeedIx, NeedView, Snapshot};

use super::Impact;

/// A need that lost members and held.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// The item the need belongs to.
    pub owner: ItemIx,
    /// The need.
    pub need: NeedIx,
    /// Its members that lost something.
    pub lost: Vec<ItemIx>,
    /// Its members that lost nothing.
    pub up: u32,
    /// The members that must be up, for a counting rule.
    pub required: Option<u32>,
}

impl Guard {
    /// How many further members may fail before the need gives way; `None` where members do not
    /// count alike (WEIGHT, SHARE).
    #[must_use]
    pub fn margin(&self) -> Option<u32> {
        self.required.map(|required| self.up.saturating_sub(required))
    }
}

/// Finds what protects items that were touched and hold.
#[derive(Debug)]
pub struct Protection<'a> {
    snapshot: &'a Snapshot,
    impact: &'a Impact,
    /// By item number.
    touched: Vec<bool>,
}

/// Items looked at to find what protects one item.
const MOST: usize = 10_000;

impl<'a> Protection<'a> {
    /// Prepares for questions about one impact. Knows only what the impact lists as touched.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, impact: &'a Impact) -> Self {
        let items = impact.touched().unwrap_or_default();
        let mut touched = vec![false; items.iter().map(|item| item.index() + 1).max().unwrap_or(0)];
        for item in items {
            touched[item.index()] = true;
        }
        Self { snapshot, impact, touched }
    }

    /// Whether an item depends on a seed and yet loses nothing.
    #[must_use]
    pub fn holds(&self, item: ItemIx) -> bool {
        self.touched.get(item.index()).is_some_and(|touched| *touched) && !self.impact.loses(item)
    }

    /// The needs that keep an item from losing anything: its own needs that lost members and held,
    /// or, if the loss was stopped before it came so near, those nearest to it among its
    /// dependencies. Sorted by margin, smallest first. Empty for an item that does not hold.
    #[must_use]
    pub fn of(&self, item: ItemIx) -> Vec<Guard> {
        let mut guards = Vec::new();
        let mut met = HashSet::from([item]);
        let mut level = if self.holds(item) { vec![item] } else { Vec::new() };
        while guards.is_empty() && !level.is_empty() && met.len() < MOST {
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
        guards.sort_by_key(|guard| (guard.margin(), guard.owner, guard.need));
        guards
    }

    fn guard(&self, need: NeedView<'_>) -> Option<Guard> {
        let lost: Vec<ItemIx> =
            need.members.iter().copied().filter(|&member| self.impact.place(member).is_some()).collect();
        if lost.is_empty() {
            return None;
        }
        let up = u32::try_from(need.members.len() - lost.len()).unwrap_or(u32::MAX);
        Some(Guard { owner: need.owner(), need: need.ix, lost, up, required: need.required() })
    }
}
