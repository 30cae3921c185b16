//! A part of a system that has no event in common with the rest, in the order it is worked out.

use std::{collections::HashMap, ops::Range};

use keelson_graph::{ItemIx, components};

use super::{
    graph::{Graph, Lists, Sums},
    reduce::plain,
};
use crate::AnalysisError;

/// A part of a system. It has failed when its last node has.
#[derive(Debug)]
pub(crate) struct Module {
    /// Members before owners, except within the components that are cycles.
    pub(crate) nodes: Vec<Node>,
    /// The cycles among the nodes.
    pub(crate) cycles: Vec<Range<usize>>,
    /// The events: places of items of which any, failing, lets the event happen. No item occurs twice.
    pub(crate) events: Vec<Vec<u32>>,
}

/// A node fails when its event happens, a member of `any` fails, or a gate gives way.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) event: Option<u32>,
    pub(crate) any: Vec<u32>,
    pub(crate) gates: Vec<Gate>,
}

/// Nodes whose failures together fail another.
#[derive(Debug)]
pub(crate) enum Gate {
    /// When all have failed.
    Every(Vec<u32>),
    /// When so many have failed.
    Count(u32, Vec<u32>),
    /// When the amounts of those that have failed come to so much: the members, and the decisions it
    /// takes, those first that others refer to; the last one is taken first.
    Weigh(Vec<(u32, f64)>, f64, Vec<Decision>),
}

/// What to look at next when a member is up, and when it has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) member: u32,
    pub(crate) up: Next,
    pub(crate) failed: Next,
}

/// Where a decision leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Holds,
    GivesWay,
    Decide(u32),
}

impl Node {
    /// All members, those of several gates several times.
    pub(crate) fn members(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.any.iter().copied().chain(self.gates.iter().flat_map(Gate::members))
    }
}

impl Gate {
    pub(crate) fn members(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        let (members, weighed) = match self {
            Self::Every(members) | Self::Count(_, members) => (&members[..], &[][..]),
            Self::Weigh(members, ..) => (&[][..], &members[..]),
        };
        members.iter().copied().chain(weighed.iter().map(|(member, _)| *member))
    }

    fn of(gate: &Sums, number: impl Fn(u32) -> u32) -> Option<Self> {
        let members: Vec<u32> = gate.members.iter().map(|(member, _)| number(*member)).collect();
        let amounts = || gate.members.iter().map(|(_, amount)| *amount);
        let (least, most) = (amounts().fold(f64::INFINITY, f64::min), amounts().fold(0.0, f64::max));
        if amounts().sum::<f64>() - least < gate.trip {
            return Some(Self::Every(members));
        }
        #[expect(clippy::float_cmp, reason = "amounts that are written alike are equal to the last bit")]
        if least == most {
            let count = (1..).find(|count| f64::from(*count) * least >= gate.trip).unwrap_or(u32::MAX);
            return Some(Self::Count(count, members));
        }
        let mut weighed: Vec<(u32, f64)> = members.into_iter().zip(amounts()).collect();
        weighed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let decisions = decide(&weighed, gate.trip)?;
        Some(Self::Weigh(weighed, gate.trip, decisions))
    }
}

/// Most decisions a gate may take.
const DECISIONS: usize = 1 << 18;

/// The decisions that tell whether amounts of failed members come to `trip`; `None` when it takes too
/// many.
///
/// What is missing to the trip matters only by which sums of later members it lies between; for every
/// decision the range of missing amounts that it serves is kept (Abío and others, "A new look at BDDs
/// for pseudo-Boolean constraints", 2012).
fn decide(members: &[(u32, f64)], trip: f64) -> Option<Vec<Decision>> {
    struct Known {
        above: f64,
        up_to: f64,
        next: Next,
    }
    let mut rests = vec![0.0; members.len() + 1];
    for at in (0..members.len()).rev() {
        rests[at] = rests[at + 1] + members[at].1;
    }
    let mut known: Vec<Vec<Known>> = (0..=members.len()).map(|_| Vec::new()).collect();
    let mut decisions: Vec<Decision> = Vec::new();
    let mut same: HashMap<(u32, [u32; 2]), Next> = HashMap::new();
    let find = |known: &[Vec<Known>], at: usize, missing: f64| -> Option<(f64, f64, Next)> {
        if missing <= 0.0 {
            return Some((f64::NEG_INFINITY, 0.0, Next::GivesWay));
        }
        if missing > rests[at] {
            return Some((rests[at], f64::INFINITY, Next::Holds));
        }
        let place = known[at].partition_point(|range| range.up_to < missing);
        known[at].get(place).filter(|range| range.above < missing).map(|range| (range.above, range.up_to, range.next))
    };
    let mut open = vec![(0, trip)];
    while let Some(&(at, missing)) = open.last() {
        if find(&known, at, missing).is_some() {
            open.pop();
            continue;
        }
        let (member, amount) = members[at];
        let Some(up) = find(&known, at + 1, missing) else {
            open.push((at + 1, missing));
            continue;
        };
        let Some(failed) = find(&known, at + 1, missing - amount) else {
            open.push((at + 1, missing - amount));
            continue;
        };
        let next = if up.2 == failed.2 {
            up.2
        } else {
            let code = |next| match next {
                Next::Holds => 0,
                Next::GivesWay => 1,
                Next::Decide(at) => at + 2,
            };
            *same.entry((member, [code(up.2), code(failed.2)])).or_insert_with(|| {
                decisions.push(Decision { member, up: up.2, failed: failed.2 });
                Next::Decide(u32::try_from(decisions.len() - 1).expect("fewer than DECISIONS"))
            })
        };
        if decisions.len() > DECISIONS {
            return None;
        }
        let range = Known { above: up.0.max(failed.0 + amount), up_to: up.1.min(failed.1 + amount), next };
        let place = known[at].partition_point(|other| other.up_to < range.up_to);
        known[at].insert(place, range);
        open.pop();
    }
    Some(decisions)
}

/// Splits a graph into parts that share no node but the root.
pub(super) fn split(graph: &Graph, item: ItemIx) -> Result<Vec<Module>, AnalysisError> {
    let gated = graph.gates.iter().flat_map(|gate| gate.members.iter().map(|(member, _)| (gate.owner, *member)));
    let pairs = graph.edges.iter().copied().chain(gated);
    let parts = parts(graph, pairs.clone());
    let order = components(&plain(graph.len(), pairs.clone()));
    let any = Lists::new(graph.len(), graph.edges.iter().copied());
    let gates = Lists::new(graph.len(), (0..).zip(&graph.gates).map(|(at, gate)| (gate.owner, at)));

    // Parts are numbered by the order in which their first nodes come.
    let mut modules: Vec<Module> = Vec::new();
    let mut module_of: HashMap<u32, usize> = HashMap::new();
    let mut numbers = vec![u32::MAX; graph.len()];
    let mut used = vec![false; graph.len()];
    pairs.for_each(|(_, member)| used[member as usize] = true);
    let mut members_of: Vec<Vec<u32>> = Vec::new();
    for component in order.iter().filter(|component| component.iter().any(|node| used[node.index()])) {
        let at = *module_of.entry(parts[component[0].index()]).or_insert_with(|| {
            modules.push(Module { nodes: Vec::new(), cycles: Vec::new(), events: Vec::new() });
            members_of.push(Vec::new());
            modules.len() - 1
        });
        let start = members_of[at].len();
        for node in component {
            numbers[node.index()] = u32::try_from(members_of[at].len()).expect("nodes are numbered by 32 bits");
            members_of[at].push(node.0);
        }
        if component.len() > 1 {
            modules[at].cycles.push(start..start + component.len());
        }
    }
    let number = |node: u32| numbers[node as usize];
    let make = |gate: &u32| {
        let gate = &graph.gates[*gate as usize];
        Gate::of(gate, number).ok_or(AnalysisError::TooIntricate { item, members: gate.members.len() })
    };
    for (module, members) in modules.iter_mut().zip(&members_of) {
        for &node in members {
            let events = &graph.events[node as usize];
            let event = (!events.is_empty()).then(|| {
                module.events.push(events.clone());
                u32::try_from(module.events.len() - 1).expect("nodes are numbered by 32 bits")
            });
            let any = any.of(node).iter().map(|member| number(*member)).collect();
            let gates = gates.of(node).iter().map(make).collect::<Result<_, _>>()?;
            module.nodes.push(Node { event, any, gates });
        }
        module.nodes.push(Node::default());
    }
    for gate in gates.of(graph.root) {
        let first = graph.gates[*gate as usize].members[0].0;
        let root = modules[module_of[&parts[first as usize]]].nodes.last_mut().expect("it was just added");
        root.gates.push(make(gate)?);
    }
    Ok(modules)
}

/// For every node one that stands for all it hangs together with, the root left out.
fn parts(graph: &Graph, pairs: impl Iterator<Item = (u32, u32)>) -> Vec<u32> {
    fn find(heads: &mut [u32], mut node: u32) -> u32 {
        while heads[node as usize] != node {
            let above = heads[heads[node as usize] as usize];
            heads[node as usize] = above;
            node = above;
        }
        node
    }
    let mut heads: Vec<u32> = (0..).take(graph.len()).collect();
    let root_gates = graph.gates.iter().filter(|gate| gate.owner == graph.root);
    let together = root_gates.flat_map(|gate| gate.members.windows(2).map(|pair| (pair[0].0, pair[1].0)));
    for (one, other) in pairs.filter(|(owner, _)| *owner != graph.root).chain(together) {
        let (one, other) = (find(&mut heads, one), find(&mut heads, other));
        heads[one as usize] = other;
    }
    (0..).take(graph.len()).map(|node| find(&mut heads, node)).collect()
}
