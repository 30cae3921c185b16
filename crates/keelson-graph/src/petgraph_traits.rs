//! petgraph's visit traits over `&Snapshot`, so that its iterative algorithms run on it.
//!
//! Edges run from dependent to dependency over running needs. Remember that petgraph's
//! `tarjan_scc`, `is_cyclic_directed` and `depth_first_search` recurse and must not be used;
//! [`components`](crate::components) is the iterative replacement of the first.

use fixedbitset::FixedBitSet;
use petgraph::{
    Direction,
    visit::{
        GraphBase, GraphProp, IntoNeighbors, IntoNeighborsDirected, IntoNodeIdentifiers, NodeCount, NodeIndexable,
        VisitMap, Visitable,
    },
};

use crate::{ItemIx, Snapshot};

/// The items an algorithm has visited.
#[derive(Clone, Debug, Default)]
pub struct Visited(FixedBitSet);

impl VisitMap<ItemIx> for Visited {
    fn visit(&mut self, item: ItemIx) -> bool {
        !self.0.put(item.index())
    }

    fn is_visited(&self, item: &ItemIx) -> bool {
        self.0.contains(item.index())
    }

    fn unvisit(&mut self, item: ItemIx) -> bool {
        let visited = self.0.contains(item.index());
        self.0.set(item.index(), false);
        visited
    }
}

/// The neighbours of an item.
pub type ItemIter<'a> = std::iter::Copied<std::slice::Iter<'a, ItemIx>>;

impl GraphBase for Snapshot {
    type NodeId = ItemIx;
    type EdgeId = (ItemIx, ItemIx);
}

impl GraphProp for Snapshot {
    type EdgeType = petgraph::Directed;
}

impl NodeCount for Snapshot {
    fn node_count(&self) -> usize {
        self.items()
    }
}

impl NodeIndexable for Snapshot {
    fn node_bound(&self) -> usize {
        self.slots()
    }

    fn to_index(&self, item: ItemIx) -> usize {
        item.index()
    }

    fn from_index(&self, index: usize) -> ItemIx {
        ItemIx::of(index)
    }
}

impl Visitable for Snapshot {
    type Map = Visited;

    fn visit_map(&self) -> Visited {
        Visited(FixedBitSet::with_capacity(self.slots()))
    }

    fn reset_map(&self, map: &mut Visited) {
        map.0.clear();
        map.0.grow(self.slots());
    }
}

impl<'a> IntoNeighbors for &'a Snapshot {
    type Neighbors = ItemIter<'a>;

    fn neighbors(self, item: ItemIx) -> Self::Neighbors {
        self.members(item).iter().copied()
    }
}

impl<'a> IntoNeighborsDirected for &'a Snapshot {
    type NeighborsDirected = ItemIter<'a>;

    fn neighbors_directed(self, item: ItemIx, direction: Direction) -> Self::NeighborsDirected {
        match direction {
            Direction::Outgoing => self.members(item).iter().copied(),
            Direction::Incoming => self.owners(item).iter().copied(),
        }
    }
}

impl<'a> IntoNodeIdentifiers for &'a Snapshot {
    type NodeIdentifiers = Box<dyn Iterator<Item = ItemIx> + 'a>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        Box::new(self.item_numbers())
    }
}
