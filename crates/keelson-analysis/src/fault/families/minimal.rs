//! All minimal sets of a monotone function, from its binary decision diagram (Rauzy 1993).

use super::Family;
use crate::fault::{
    Cut, Fuel,
    bdd::Bdd,
    diagram::{ALL, Arena, Cache, NONE, Node},
};

/// The minimal sets of events that make a function true.
pub(crate) fn minimal(bdd: &Bdd, fuel: &mut Fuel<'_>) -> Result<Family, Cut> {
    let mut maker = Maker { sets: Arena::new(), functions: &bdd.arena, cache: Cache::new(NONE), fuel };
    let mut known = vec![NONE; bdd.root.max(ALL) as usize + 1];
    known[ALL as usize] = ALL;
    for at in bdd.arena.nodes_of(bdd.root) {
        let Node { level, low, high } = bdd.arena.node(at);
        // With the variable: what is minimal then, unless it is enough without the variable.
        let high = maker.without(known[high as usize], low)?;
        known[at as usize] = maker.make(level, known[low as usize], high)?;
    }
    Ok(Family { arena: maker.sets, root: known[bdd.root as usize], order: bdd.order.clone() })
}

enum Task {
    Without(u32, u32),
    Make([u32; 3], u32),
}

struct Maker<'f, 'a> {
    sets: Arena,
    functions: &'f Arena,
    cache: Cache<u32>,
    fuel: &'f mut Fuel<'a>,
}

impl Maker<'_, '_> {
    fn make(&mut self, level: u32, low: u32, high: u32) -> Result<u32, Cut> {
        if high == NONE { Ok(low) } else { self.sets.make(Node { level, low, high }, self.fuel) }
    }

    /// The sets of a family that do not make a function true.
    fn without(&mut self, family: u32, function: u32) -> Result<u32, Cut> {
        let mut tasks = vec![Task::Without(family, function)];
        let mut results: Vec<u32> = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Without(family, function) => {
                    self.fuel.step()?;
                    // The empty set makes no function true but the one that always is.
                    if family == NONE || function == ALL {
                        results.push(NONE);
                        continue;
                    }
                    if function == NONE || family == ALL {
                        results.push(family);
                        continue;
                    }
                    let (level, decided) = (self.sets.level(family), self.functions.level(function));
                    if decided < level {
                        tasks.push(Task::Without(family, self.functions.node(function).low));
                        continue;
                    }
                    let key = [family, function, 0];
                    if let Some(known) = self.cache.get(key) {
                        results.push(known);
                        continue;
                    }
                    let (low, high) = self.sets.branches(family, level, NONE);
                    let (function_low, function_high) = self.functions.branches(function, level, function);
                    tasks.extend([
                        Task::Make(key, level),
                        Task::Without(high, function_high),
                        Task::Without(low, function_low),
                    ]);
                }
                Task::Make(key, level) => {
                    let (high, low) = results.pop().zip(results.pop()).expect("two results were pushed before");
                    let made = self.make(level, low, high)?;
                    self.cache.put(key, made);
                    results.push(made);
                }
            }
        }
        Ok(results.pop().expect("the last task leaves its result"))
    }
}
