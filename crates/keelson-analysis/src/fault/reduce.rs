//! What a graph of failures comes to once everything that is certain, alone or alike is taken out.

use keelson_graph::{Builder, ItemIx, Snapshot, components};

use super::{
    Module,
    graph::{Asked, Graph, Lists, Sums, compile},
    module::split,
};
use crate::{
    AnalysisError,
    availability::{Chance, Question},
    single_points,
};

/// Words that the search for single points may write: what it finds makes the rest smaller, and
/// nothing goes wrong where it has to give up.
const WORDS: usize = 4_000_000;

/// How single failures fell an item.
#[derive(Debug)]
pub(crate) struct System {
    /// Whether the item has failed already; then nothing else is said.
    pub(crate) has_failed: bool,
    /// The items of the cone, by place.
    pub(crate) items: Vec<ItemIx>,
    /// The chance of each that it fails of itself, by place.
    pub(crate) chances: Vec<Chance>,
    /// The places of items that may fail of themselves and whose failure alone fells the item.
    pub(crate) singles: Vec<u32>,
    /// What else may fell it, in parts that have no event in common.
    pub(crate) modules: Vec<Module>,
}

/// Works out how single failures fell an item. `chance` is asked once for every item of the cone.
pub(crate) fn system(
    snapshot: &Snapshot,
    question: &Question<'_>,
    mut chance: impl FnMut(ItemIx) -> Chance,
) -> Result<System, AnalysisError> {
    let Question { item, level, reading, seeds, .. } = *question;
    let nothing = crate::Settled::new();
    let settled = question.settled.unwrap_or(&nothing);
    let points = single_points::Question {
        max_words: WORDS,
        stop: question.stop,
        level,
        reading,
        settled: question.settled,
        ..single_points::Question::default()
    };
    let points = single_points::single_points(snapshot, item, &points, seeds)?;
    let mut chances = Vec::new();
    let may_fail = |item: ItemIx| {
        let chance = chance(item);
        chance.check(item)?;
        chances.push(chance);
        Ok(chance.most > 0.0)
    };
    let (mut graph, items) = compile(snapshot, &Asked { item, level, reading, settled }, may_fail)?;
    let mut system = System { has_failed: points.has_failed, items, chances, singles: Vec::new(), modules: Vec::new() };
    let mut places = vec![u32::MAX; snapshot.slots()];
    for (place, item) in (0..).zip(&system.items) {
        places[item.index()] = place;
    }
    let place = |item: &ItemIx| Some(places[item.index()]).filter(|place| *place != u32::MAX);
    let has_failed = graph.spread(seeds.iter().filter_map(place));
    system.has_failed |= has_failed[graph.root as usize];
    if system.has_failed {
        return Ok(system);
    }
    graph.settle(&has_failed, &vec![true; graph.len()]);
    let mut alone: Vec<u32> = points.items.iter().filter_map(place).collect();
    // Taking out single points may make others of what was left: a need of two members of which one
    // was a single point cannot give way any more, and one of two alike is a need of one.
    loop {
        let taken = graph.take_out(&alone, &mut system.singles);
        let with_events = (0..).zip(&graph.events).filter(|(_, events)| !events.is_empty()).map(|(node, _)| node);
        let able = graph.spread(with_events);
        let stays: Vec<bool> = able.iter().zip(&taken).map(|(able, taken)| *able && !*taken).collect();
        graph.settle(&vec![false; graph.len()], &stays);
        graph.forget_unreached();
        graph.merge();
        alone.clear();
        if !graph.edges.iter().any(|(owner, _)| *owner == graph.root) {
            break;
        }
    }
    system.singles.sort_unstable();
    system.modules = split(&graph, item)?;
    Ok(system)
}

impl Graph {
    /// Puts in which nodes have failed, and which may.
    fn settle(&mut self, has_failed: &[bool], able: &[bool]) {
        self.edges.retain(|(owner, member)| !has_failed[*owner as usize] && able[*member as usize]);
        for (node, _) in has_failed.iter().enumerate().filter(|(_, has_failed)| **has_failed) {
            self.events[node].clear();
        }
        for gate in std::mem::take(&mut self.gates) {
            let Sums { owner, mut members, mut trip } = gate;
            if has_failed[owner as usize] {
                continue;
            }
            members.retain(|(member, amount)| {
                if has_failed[*member as usize] {
                    trip -= amount;
                }
                // What is needed for its own loss only is never the reason for it.
                !has_failed[*member as usize] && able[*member as usize] && *member != owner && *amount > 0.0
            });
            if members.iter().map(|(_, amount)| amount).sum::<f64>() >= trip {
                self.gate(Sums { owner, members, trip });
            }
        }
    }

    /// Takes out the nodes given and what is needed by edges from them or the root: what each of them
    /// needs becomes a need of the root, its events are events that fell the root, and nothing else
    /// fails through it any more, because the root has failed by then.
    fn take_out(&mut self, alone: &[u32], singles: &mut Vec<u32>) -> Vec<bool> {
        let members = Lists::new(self.len(), self.edges.iter().copied());
        let mut taken = vec![false; self.len()];
        let mut queue = vec![self.root];
        queue.extend(alone);
        while let Some(node) = queue.pop() {
            if !std::mem::replace(&mut taken[node as usize], true) {
                queue.extend(members.of(node));
                singles.append(&mut self.events[node as usize]);
            }
        }
        self.edges.retain(|(owner, _)| !taken[*owner as usize]);
        for gate in &mut self.gates {
            if taken[gate.owner as usize] {
                gate.owner = self.root;
            }
        }
        taken
    }

    /// Drops edges and gates that the root does not come to.
    fn forget_unreached(&mut self) {
        let gated = self.gates.iter().flat_map(|gate| gate.members.iter().map(|(member, _)| (gate.owner, *member)));
        let members = Lists::new(self.len(), self.edges.iter().copied().chain(gated));
        let mut reached = vec![false; self.len()];
        let mut queue = vec![self.root];
        while let Some(node) = queue.pop() {
            if !std::mem::replace(&mut reached[node as usize], true) {
                queue.extend(members.of(node).iter().filter(|member| !reached[**member as usize]));
            }
        }
        self.edges.retain(|(owner, _)| reached[*owner as usize]);
        self.gates.retain(|gate| reached[gate.owner as usize]);
        for (events, _) in self.events.iter_mut().zip(reached).filter(|(_, reached)| !reached) {
            events.clear();
        }
    }

    /// Makes one node of nodes that need each other by edges, and of a node and the only one that
    /// needs it, if that is by an edge.
    fn merge(&mut self) {
        let mut heads: Vec<u32> = (0..).take(self.len()).collect();
        for ring in components(&plain(self.len(), self.edges.iter().copied())).cycles() {
            ring.iter().for_each(|node| heads[node.index()] = ring[0].0);
        }
        self.rename(&heads);

        // Who needs each node by an edge, if nobody else does.
        let mut owners = vec![None; self.len()];
        let mut uses = vec![0_u32; self.len()];
        for (owner, member) in &self.edges {
            uses[*member as usize] += 1;
            owners[*member as usize] = Some(*owner);
        }
        for (member, _) in self.gates.iter().flat_map(|gate| &gate.members) {
            uses[*member as usize] += 1;
        }
        let mut heads: Vec<u32> = (0..).take(self.len()).collect();
        for node in 0..self.len() {
            // Up to the first owner that stays, then down again, so that a chain is walked once.
            let mut chain = Vec::new();
            let mut at = node;
            while let (Some(owner), 1, true) = (owners[at], uses[at], heads[at] as usize == at) {
                if owner == self.root {
                    break;
                }
                chain.push(at);
                at = owner as usize;
            }
            let head = heads[at];
            chain.into_iter().for_each(|node| heads[node] = head);
        }
        self.rename(&heads);
    }

    /// Gives nodes the numbers of others, and with them all that they have.
    fn rename(&mut self, heads: &[u32]) {
        for (node, &head) in heads.iter().enumerate().filter(|(node, head)| *node != **head as usize) {
            let mut events = std::mem::take(&mut self.events[node]);
            self.events[head as usize].append(&mut events);
        }
        for (owner, member) in &mut self.edges {
            (*owner, *member) = (heads[*owner as usize], heads[*member as usize]);
        }
        for gate in std::mem::take(&mut self.gates) {
            let mut members: Vec<(u32, f64)> = Vec::with_capacity(gate.members.len());
            let owner = heads[gate.owner as usize];
            let mut renamed: Vec<_> =
                gate.members.iter().map(|(member, amount)| (heads[*member as usize], *amount)).collect();
            renamed.sort_unstable_by_key(|(member, _)| *member);
            for (member, amount) in renamed.into_iter().filter(|(member, _)| *member != owner) {
                match members.last_mut() {
                    Some(last) if last.0 == member => last.1 += amount,
                    _ => members.push((member, amount)),
                }
            }
            if members.iter().map(|(_, amount)| amount).sum::<f64>() >= gate.trip {
                self.gate(Sums { owner, members, trip: gate.trip });
            }
        }
        self.edges.retain(|(owner, member)| owner != member);
        self.edges.sort_unstable();
        self.edges.dedup();
        self.gates.sort_by(|a, b| {
            (a.owner, a.members.len()).cmp(&(b.owner, b.members.len())).then_with(|| {
                let key = |gate: &Sums| gate.members.iter().map(|(member, _)| *member).collect::<Vec<_>>();
                key(a).cmp(&key(b))
            })
        });
        self.gates.dedup();
    }
}

/// A dependency graph of plain needs, for what is asked of those.
pub(super) fn plain(nodes: usize, edges: impl Iterator<Item = (u32, u32)>) -> Snapshot {
    let mut builder = Builder::with_capacity(nodes, 0);
    for node in (0..).take(nodes) {
        builder.item(ItemIx(node));
    }
    for (owner, member) in edges {
        builder.plain(ItemIx(owner), ItemIx(member), 0);
    }
    builder.build().expect("there are no more than in the graph it comes from")
}
