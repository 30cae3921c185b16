//! Strongly connected components, without recursion.

use crate::{ItemIx, Snapshot};

/// The strongly connected components of a graph: the largest sets of items that all need each other.
///
/// Components are in order of dependency: every component comes after all components it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Components {
    items: Vec<ItemIx>,
    starts: Vec<u32>,
}

impl Components {
    /// How many components there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The components, each as a list of its items; dependencies before their dependents.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[ItemIx]> + ExactSizeIterator + '_ {
        self.starts.windows(2).map(|pair| &self.items[pair[0] as usize..pair[1] as usize])
    }

    /// The component at a place in the order of [`iter`](Self::iter).
    ///
    /// # Panics
    /// When there is no such place.
    #[must_use]
    #[inline]
    pub fn at(&self, place: usize) -> &[ItemIx] {
        &self.items[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    /// The components of more than one item: the cycles of the graph.
    pub fn cycles(&self) -> impl Iterator<Item = &[ItemIx]> + '_ {
        self.iter().filter(|component| component.len() > 1)
    }
}

/// Returns the strongly connected components of the whole graph over running needs.
#[must_use]
pub fn components(snapshot: &Snapshot) -> Components {
    components_within(snapshot, snapshot.item_numbers(), |_| true)
}

/// Returns the strongly connected components of the part of the graph for which `within` holds, as
/// far as it is reached from `roots` through dependencies.
pub fn components_within(
    snapshot: &Snapshot,
    roots: impl IntoIterator<Item = ItemIx>,
    within: impl Fn(ItemIx) -> bool,
) -> Components {
    components_by(snapshot.slots(), roots, |item| snapshot.members(item), within)
}

/// Returns the strongly connected components over some of the dependencies: those that `members`
/// gives for an item. Items are numbered below `slots`.
///
/// Tarjan's algorithm (1972) with its own stack of open items, in O(items + relationships).
pub fn components_by<'g>(
    slots: usize,
    roots: impl IntoIterator<Item = ItemIx>,
    members: impl Fn(ItemIx) -> &'g [ItemIx],
    within: impl Fn(ItemIx) -> bool,
) -> Components {
    const CLOSED: u32 = u32::MAX;
    // `low` is 0 for an item not met yet, the smallest visiting number reachable from it while its
    // component is open, and CLOSED afterwards.
    let mut low = vec![0_u32; slots];
    let mut result = Components { items: Vec::new(), starts: vec![0] };
    let mut open: Vec<ItemIx> = Vec::new();
    let mut walk: Vec<Frame<'_>> = Vec::new();
    let mut visited = 0;
    for root in roots {
        if low[root.index()] != 0 || !within(root) {
            continue;
        }
        visited += 1;
        low[root.index()] = visited;
        walk.push(Frame { item: root, number: visited, rest: members(root), opened: open.len() });
        open.push(root);
        while let Some(frame) = walk.last_mut() {
            if let Some((&next, rest)) = frame.rest.split_first() {
                frame.rest = rest;
                let seen = low[next.index()];
                if seen == 0 {
                    if within(next) {
                        visited += 1;
                        low[next.index()] = visited;
                        walk.push(Frame { item: next, number: visited, rest: members(next), opened: open.len() });
                        open.push(next);
                    }
                } else if seen != CLOSED {
                    let mine = &mut low[frame.item.index()];
                    *mine = seen.min(*mine);
                }
                continue;
            }
            let Frame { item, number, opened, .. } = *frame;
            walk.pop();
            let lowest = low[item.index()];
            if lowest == number {
                for &member in &open[opened..] {
                    low[member.index()] = CLOSED;
                }
                result.items.extend(open.drain(opened..));
                result.starts.push(u32::try_from(result.items.len()).expect("items are numbered by u32"));
            }
            if let Some(dependent) = walk.last() {
                // A closed component says nothing about its dependents, and CLOSED is the largest.
                let mine = &mut low[dependent.item.index()];
                *mine = low_of_open(lowest, number).min(*mine);
            }
        }
    }
    result
}

/// An item whose dependencies are being walked.
struct Frame<'a> {
    item: ItemIx,
    /// Its visiting number, from 1.
    number: u32,
    /// Dependencies not looked at yet.
    rest: &'a [ItemIx],
    /// How many items were open before it.
    opened: usize,
}

/// What an item that has been walked tells its dependent: nothing if its component just closed.
fn low_of_open(lowest: u32, number: u32) -> u32 {
    if lowest == number { u32::MAX } else { lowest }
}
