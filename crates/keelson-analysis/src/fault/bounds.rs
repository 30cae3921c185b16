//! Bounds of a probability that cost little and always hold.

use super::{Gate, Module, module::Node};

/// Rounds through a cycle before the worst is assumed of it.
const ROUNDS: usize = 64;

/// An upper and a lower bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Between {
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// Encloses the probability of a module from the probabilities of its events, node by node.
///
/// Failures of nodes are increasing functions of independent events, hence associated (Harris 1960;
/// Esary, Proschan and Walkup 1967): all of several fail at least as often as if they were independent,
/// and one of several at most as often. For the other directions: all fail at most as often as the one
/// that fails least, and amounts come to a trip at most as often as their mean over the trip (Markov).
pub(crate) fn enclose(module: &Module, chances: &[f64]) -> Between {
    let mut known = vec![Between { least: 0.0, most: 0.0 }; module.nodes.len()];
    let mut cycles = module.cycles.iter().peekable();
    let mut at = 0;
    while at < known.len() {
        let Some(cycle) = cycles.next_if(|cycle| cycle.start == at) else {
            known[at] = of_node(&module.nodes[at], chances, &known);
            at += 1;
            continue;
        };
        let is_settled = (0..ROUNDS).any(|_| {
            cycle.clone().rev().fold(true, |is_settled, node| {
                let new = of_node(&module.nodes[node], chances, &known);
                is_settled & (std::mem::replace(&mut known[node], new) == new)
            })
        });
        if !is_settled {
            known[cycle.clone()].iter_mut().for_each(|between| between.most = 1.0);
        }
        at = cycle.end;
    }
    known.last().copied().unwrap_or(Between { least: 0.0, most: 0.0 })
}

fn of_node(node: &Node, chances: &[f64], known: &[Between]) -> Between {
    let event = node.event.map(|event| Between { least: chances[event as usize], most: chances[event as usize] });
    let members = node.any.iter().map(|member| known[*member as usize]);
    let gates = node.gates.iter().map(|gate| of_gate(gate, known));
    let (mut least, mut none) = (0.0_f64, 1.0);
    for reason in event.into_iter().chain(members).chain(gates) {
        least = least.max(reason.least);
        none *= 1.0 - reason.most;
    }
    Between { least, most: 1.0 - none }
}

fn of_gate(gate: &Gate, known: &[Between]) -> Between {
    let of = |members: &[u32]| members.iter().map(|member| known[*member as usize]).collect::<Vec<_>>();
    match gate {
        Gate::Every(members) => {
            let members = of(members);
            let most = members.iter().map(|member| member.most).fold(1.0, f64::min);
            Between { least: members.iter().map(|member| member.least).product(), most }
        }
        Gate::Count(count, members) => {
            let mut members = of(members);
            members.sort_by(|a, b| b.least.total_cmp(&a.least));
            let least = members.iter().take(*count as usize).map(|member| member.least).product();
            let mean: f64 = members.iter().map(|member| member.most).sum();
            Between { least, most: (mean / f64::from(*count)).min(1.0) }
        }
        Gate::Weigh(members, trip, _) => {
            let mean: f64 = members.iter().map(|(member, amount)| amount * known[*member as usize].most).sum();
            Between { least: 0.0, most: (mean / trip).min(1.0) }
        }
    }
}

/// Bounds from below the probability that one of several sets happens, given as places of events with
/// their probabilities: the sum of those of some sets, less that of every two of them together
/// (Bonferroni). A set that would lower the sum is not one of them.
pub(crate) fn at_least<'s>(sets: impl Iterator<Item = &'s [u32]>, chances: &[f64]) -> f64 {
    let product = |set: &[u32]| set.iter().map(|event| chances[*event as usize]).product::<f64>();
    let mut taken: Vec<&[u32]> = Vec::new();
    let mut sum = 0.0;
    for set in sets {
        let mut gain = product(set);
        for other in &taken {
            let more: f64 = other
                .iter()
                .filter(|event| set.binary_search(event).is_err())
                .map(|event| chances[*event as usize])
                .product();
            gain -= product(set) * more;
            if gain <= 0.0 {
                break;
            }
        }
        if gain > 0.0 {
            sum += gain;
            taken.push(set);
        }
    }
    sum
}
