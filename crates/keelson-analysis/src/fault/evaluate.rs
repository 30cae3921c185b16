//! What a module comes to in an algebra with *either* and *both*: its least solution.

use std::collections::VecDeque;

use super::{
    Cut, Gate, Module,
    graph::Lists,
    module::{Decision, Next},
};

/// Values that failures have, and how they combine.
pub(crate) trait Algebra {
    /// A value; equal ones mean the same.
    type Value: Copy + PartialEq;

    /// The value of what never fails.
    fn never(&self) -> Self::Value;
    /// The value of what always fails.
    fn always(&self) -> Self::Value;
    /// The value of an event.
    fn event(&mut self, event: u32) -> Result<Self::Value, Cut>;
    /// The value of what fails when one of two does.
    fn either(&mut self, one: Self::Value, other: Self::Value) -> Result<Self::Value, Cut>;
    /// The value of what fails when both of two do.
    fn both(&mut self, one: Self::Value, other: Self::Value) -> Result<Self::Value, Cut>;
    /// Puts values into an order in which combining them one after the other is cheap.
    fn arrange(&self, values: &mut [Self::Value]);
}

/// The value of a module: of its last node.
///
/// Cycles start from nothing failing and are gone through until nothing changes, which ends because
/// values only grow and there are finitely many (analyses 3.1).
pub(crate) fn evaluate<A: Algebra>(module: &Module, algebra: &mut A) -> Result<A::Value, Cut> {
    let mut values = vec![algebra.never(); module.nodes.len()];
    let pairs =
        (0..).zip(&module.nodes).flat_map(|(owner, node): (u32, _)| node.members().map(move |member| (member, owner)));
    let owners = (!module.cycles.is_empty()).then(|| Lists::new(module.nodes.len(), pairs));
    let mut cycles = module.cycles.iter().peekable();
    let mut at = 0;
    while at < values.len() {
        if let (Some(cycle), Some(owners)) = (cycles.next_if(|cycle| cycle.start == at), &owners) {
            let mut queue: VecDeque<usize> = cycle.clone().rev().collect();
            let mut is_waiting = vec![true; cycle.len()];
            while let Some(node) = queue.pop_front() {
                is_waiting[node - cycle.start] = false;
                let value = node_value(module, node, &values, algebra)?;
                if std::mem::replace(&mut values[node], value) == value {
                    continue;
                }
                let node = u32::try_from(node).expect("nodes are numbered by 32 bits");
                for owner in owners.of(node).iter().map(|owner| *owner as usize).filter(|owner| cycle.contains(owner)) {
                    if !std::mem::replace(&mut is_waiting[owner - cycle.start], true) {
                        queue.push_back(owner);
                    }
                }
            }
            at = cycle.end;
        } else {
            values[at] = node_value(module, at, &values, algebra)?;
            at += 1;
        }
    }
    Ok(values.last().copied().unwrap_or(algebra.never()))
}

fn node_value<A: Algebra>(module: &Module, at: usize, values: &[A::Value], algebra: &mut A) -> Result<A::Value, Cut> {
    let node = &module.nodes[at];
    let mut reasons: Vec<A::Value> = node.any.iter().map(|member| values[*member as usize]).collect();
    for gate in &node.gates {
        reasons.push(gate_value(gate, values, algebra)?);
    }
    if let Some(event) = node.event {
        reasons.push(algebra.event(event)?);
    }
    algebra.arrange(&mut reasons);
    let mut value = algebra.never();
    for reason in reasons {
        value = algebra.either(reason, value)?;
    }
    Ok(value)
}

fn gate_value<A: Algebra>(gate: &Gate, values: &[A::Value], algebra: &mut A) -> Result<A::Value, Cut> {
    let of = |members: &[u32], algebra: &A| {
        let mut values: Vec<A::Value> = members.iter().map(|member| values[*member as usize]).collect();
        algebra.arrange(&mut values);
        values
    };
    match gate {
        Gate::Every(members) => {
            let mut value = algebra.always();
            for member in of(members, algebra) {
                value = algebra.both(member, value)?;
            }
            Ok(value)
        }
        Gate::Count(count, members) => {
            // What fails when so many of the members so far have failed, for every number up to count.
            let mut row = vec![algebra.never(); *count as usize + 1];
            row[0] = algebra.always();
            for member in of(members, algebra) {
                for at in (1..row.len()).rev() {
                    let one_more = algebra.both(member, row[at - 1])?;
                    row[at] = algebra.either(one_more, row[at])?;
                }
            }
            Ok(row[*count as usize])
        }
        Gate::Weigh(_, _, decisions) => {
            let mut known: Vec<A::Value> = Vec::with_capacity(decisions.len());
            for Decision { member, up, failed } in decisions {
                let value = |next: &Next, algebra: &A| match next {
                    Next::Holds => algebra.never(),
                    Next::GivesWay => algebra.always(),
                    Next::Decide(at) => known[*at as usize],
                };
                let (up, failed) = (value(up, algebra), value(failed, algebra));
                let failed = algebra.both(values[*member as usize], failed)?;
                known.push(algebra.either(failed, up)?);
            }
            Ok(known.last().copied().unwrap_or(algebra.never()))
        }
    }
}
