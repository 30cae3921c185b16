//! The cone of an item as edges and gates.

use keelson_graph::{ItemIx, Snapshot, components_within};

use crate::{
    AnalysisError, Reading, Settled,
    reading::{ROUNDING, Read, Sum},
};

/// The nodes of a graph of failures: the items of a cone, and helpers for needs in doubt.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The events of each node, as places in the cone: items any of which, failing of itself, fails it.
    pub(super) events: Vec<Vec<u32>>,
    /// An owner and a member whose failure alone fails the owner.
    pub(super) edges: Vec<(u32, u32)>,
    /// Failures of several that together fail an owner.
    pub(super) gates: Vec<Sums>,
    /// The node of the item asked about.
    pub(super) root: u32,
}

/// A need that gives way when the amounts of its failed members reach `trip`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sums {
    pub(super) owner: u32,
    /// Ascending.
    pub(super) members: Vec<(u32, f64)>,
    pub(super) trip: f64,
}

/// What is asked of the needs of a cone.
pub(super) struct Asked<'a> {
    pub(super) item: ItemIx,
    pub(super) level: f64,
    pub(super) reading: Reading,
    pub(super) settled: &'a Settled,
}

/// The graph of failures of an item's cone, and the items in the order of their nodes.
///
/// `may_fail` says for every item of the cone whether it may fail of itself.
pub(super) fn compile(
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    mut may_fail: impl FnMut(ItemIx) -> Result<bool, AnalysisError>,
) -> Result<(Graph, Vec<ItemIx>), AnalysisError> {
    let components = components_within(snapshot, [asked.item], |_| true);
    let cone: Vec<ItemIx> = components.iter().flatten().copied().collect();
    let mut places = vec![u32::MAX; snapshot.slots()];
    let mut graph = Graph { events: Vec::with_capacity(cone.len()), ..Graph::default() };
    for (place, &item) in (0..).zip(&cone) {
        places[item.index()] = place;
        graph.events.push(if may_fail(item)? { vec![place] } else { Vec::new() });
    }
    graph.root = places[asked.item.index()];
    for (owner, &item) in (0..).zip(&cone) {
        let plain = snapshot.plain_members(item).iter().map(|member| (owner, places[member.index()]));
        graph.edges.extend(plain);
        for ix in snapshot.counted_needs(item) {
            let need = snapshot.need(ix);
            if !need.phase().runs() || need.cap() < asked.level - ROUNDING {
                continue;
            }
            if need.head.is_counted() {
                let members = need.members.iter().map(|member| (places[member.index()], 1.0)).collect();
                graph.gate(Sums::new(owner, members, f64::from(need.head.trip())));
                continue;
            }
            for list in Read::new(need, asked.reading, asked.settled).sums(asked.level) {
                graph.all_of(owner, list, &places);
            }
        }
    }
    Ok((graph, cone))
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Adds a gate, as edges if one member is enough.
    pub(super) fn gate(&mut self, gate: Sums) {
        if gate.trip > 0.0 && gate.members.iter().all(|(_, amount)| *amount >= gate.trip) {
            self.edges.extend(gate.members.iter().map(|(member, _)| (gate.owner, *member)));
        } else {
            self.gates.push(gate);
        }
    }

    /// Adds a need that gives way when all sums of a list are reached.
    fn all_of(&mut self, owner: u32, mut list: Vec<Sum>, places: &[u32]) {
        list.retain(|sum| sum.trip > 0.0);
        let mut sums: Vec<Sums> = Vec::with_capacity(list.len());
        for sum in list {
            let members = sum.members.iter().map(|(member, amount)| (places[member.index()], *amount)).collect();
            sums.push(Sums::new(owner, members, sum.trip));
        }
        match &mut sums[..] {
            // Nothing has to be lost for it: it has given way from the start.
            [] => self.gates.push(Sums { owner, members: Vec::new(), trip: 0.0 }),
            [_] => sums.into_iter().for_each(|sum| self.gate(sum)),
            _ => {
                let count = f64::from(u32::try_from(sums.len()).unwrap_or(u32::MAX));
                let mut helpers = Vec::with_capacity(sums.len());
                for sum in sums {
                    let helper = u32::try_from(self.events.len()).expect("items are numbered by 32 bits");
                    self.events.push(Vec::new());
                    helpers.push((helper, 1.0));
                    self.gate(Sums { owner: helper, ..sum });
                }
                self.gate(Sums::new(owner, helpers, count));
            }
        }
    }

    /// Which nodes fail when those given do: the least solution, in one pass over what fails.
    pub(super) fn spread(&self, from: impl IntoIterator<Item = u32>) -> Vec<bool> {
        let owners = Lists::new(self.len(), self.edges.iter().map(|(owner, member)| (*member, *owner)));
        let members = (0..).zip(&self.gates).flat_map(|(at, gate): (u32, _)| {
            let at_gate = move |(member, _): &(u32, f64)| (*member, at);
            gate.members.iter().map(at_gate)
        });
        let memberships = Lists::new(self.len(), members);
        let mut lost = vec![0.0; self.gates.len()];
        let mut has_failed = vec![false; self.len()];
        let mut queue: Vec<u32> = from.into_iter().collect();
        queue.extend(self.gates.iter().filter(|gate| gate.trip <= 0.0).map(|gate| gate.owner));
        while let Some(node) = queue.pop() {
            if std::mem::replace(&mut has_failed[node as usize], true) {
                continue;
            }
            queue.extend(owners.of(node).iter().filter(|owner| !has_failed[**owner as usize]));
            for &at in memberships.of(node) {
                let gate = &self.gates[at as usize];
                lost[at as usize] += gate.amount(node);
                if lost[at as usize] >= gate.trip && !has_failed[gate.owner as usize] {
                    queue.push(gate.owner);
                }
            }
        }
        has_failed
    }
}

impl Sums {
    pub(super) fn new(owner: u32, mut members: Vec<(u32, f64)>, trip: f64) -> Self {
        members.sort_unstable_by_key(|(member, _)| *member);
        Self { owner, members, trip }
    }

    fn amount(&self, member: u32) -> f64 {
        let found = self.members.binary_search_by_key(&member, |(known, _)| *known);
        found.map_or(0.0, |at| self.members[at].1)
    }
}

/// Lists of numbers, one for every node, in one array.
pub(super) struct Lists {
    starts: Vec<u32>,
    values: Vec<u32>,
}

impl Lists {
    /// Files values under nodes numbered below `nodes`.
    pub(super) fn new(nodes: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0_u32; nodes + 2];
        for (node, _) in pairs.clone() {
            starts[node as usize + 2] += 1;
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut values = vec![0; starts[nodes + 1] as usize];
        for (node, value) in pairs {
            let at = &mut starts[node as usize + 1];
            values[*at as usize] = value;
            *at += 1;
        }
        Self { starts, values }
    }

    pub(super) fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.values[self.starts[node] as usize..self.starts[node + 1] as usize]
    }
}
