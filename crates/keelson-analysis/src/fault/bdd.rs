//! Binary decision diagrams of monotone functions (Bryant 1986), and what is read from them.

use super::{
    Cut, Fuel, Module,
    diagram::{ALL, Arena, Cache, NONE, Node},
    evaluate::{Algebra, evaluate},
};

/// The diagram of a module.
#[derive(Debug)]
pub(crate) struct Bdd {
    pub(crate) arena: Arena,
    pub(crate) root: u32,
    /// The event decided at each level.
    pub(crate) order: Vec<u32>,
}

impl Bdd {
    /// Makes the diagram of a module, its events decided in the order given.
    pub(crate) fn of(module: &Module, order: Vec<u32>, fuel: &mut Fuel<'_>) -> Result<Self, Cut> {
        let mut levels = vec![0; order.len()];
        for (level, &event) in (0..).zip(&order) {
            levels[event as usize] = level;
        }
        let mut maker = Maker { arena: Arena::new(), cache: Cache::new(NONE), levels, fuel, work: Work::default() };
        let root = evaluate(module, &mut maker)?;
        Ok(Self { arena: maker.arena, root, order })
    }

    /// The probability of the function when the event of each level has a probability, and how fast it
    /// grows with each of those: Birnbaum's importance of the event.
    ///
    /// One pass up the diagram gives the probability of every node, one pass down how likely each is
    /// reached (Rauzy 1993; Dutuit and Rauzy 2001).
    pub(crate) fn probability(&self, chances: &[f64]) -> (f64, Vec<f64>) {
        let nodes = self.arena.nodes_of(self.root);
        let mut known = vec![0.0; self.root.max(ALL) as usize + 1];
        known[ALL as usize] = 1.0;
        for &at in &nodes {
            let Node { level, low, high } = self.arena.node(at);
            let chance = chances[level as usize];
            known[at as usize] = (1.0 - chance) * known[low as usize] + chance * known[high as usize];
        }
        let mut reached = vec![0.0; known.len()];
        reached[self.root as usize] = 1.0;
        let mut growth = vec![0.0; self.order.len()];
        for &at in nodes.iter().rev() {
            let Node { level, low, high } = self.arena.node(at);
            let (chance, here) = (chances[level as usize], reached[at as usize]);
            growth[level as usize] += here * (known[high as usize] - known[low as usize]);
            reached[low as usize] += here * (1.0 - chance);
            reached[high as usize] += here * chance;
        }
        (known[self.root as usize], growth)
    }
}

#[derive(Clone, Copy, Debug)]
enum Task {
    Apply(u32, u32),
    /// Takes the high branch and then the low one from the results.
    Make([u32; 3], u32),
}

#[derive(Debug, Default)]
struct Work {
    tasks: Vec<Task>,
    results: Vec<u32>,
}

#[derive(Debug)]
struct Maker<'f, 'a> {
    arena: Arena,
    cache: Cache<u32>,
    levels: Vec<u32>,
    fuel: &'f mut Fuel<'a>,
    work: Work,
}

impl Maker<'_, '_> {
    /// Combines two diagrams. `strong` is the end that decides the result alone, `weak` the one that
    /// leaves it to the other: ALL and NONE for *either*, the other way round for *both*.
    fn apply(&mut self, one: u32, other: u32, strong: u32, weak: u32) -> Result<u32, Cut> {
        let mut work = std::mem::take(&mut self.work);
        work.tasks.clear();
        work.results.clear();
        work.tasks.push(Task::Apply(one, other));
        while let Some(task) = work.tasks.pop() {
            match task {
                Task::Apply(one, other) => {
                    self.fuel.step()?;
                    if one == strong || other == strong {
                        work.results.push(strong);
                        continue;
                    }
                    if one == other || other == weak {
                        work.results.push(one);
                        continue;
                    }
                    if one == weak {
                        work.results.push(other);
                        continue;
                    }
                    let key = [one.min(other), one.max(other), strong];
                    if let Some(known) = self.cache.get(key) {
                        work.results.push(known);
                        continue;
                    }
                    let level = self.arena.level(one).min(self.arena.level(other));
                    let (one_low, one_high) = self.arena.branches(one, level, one);
                    let (other_low, other_high) = self.arena.branches(other, level, other);
                    work.tasks.extend([
                        Task::Make(key, level),
                        Task::Apply(one_high, other_high),
                        Task::Apply(one_low, other_low),
                    ]);
                }
                Task::Make(key, level) => {
                    let (high, low) = (work.results.pop(), work.results.pop());
                    let (high, low) = high.zip(low).expect("two results were pushed before");
                    let made = if low == high { low } else { self.arena.make(Node { level, low, high }, self.fuel)? };
                    self.cache.put(key, made);
                    work.results.push(made);
                }
            }
        }
        let result = work.results.pop().expect("the last task leaves its result");
        self.work = work;
        Ok(result)
    }
}

impl Algebra for Maker<'_, '_> {
    type Value = u32;

    fn never(&self) -> u32 {
        NONE
    }

    fn always(&self) -> u32 {
        ALL
    }

    fn event(&mut self, event: u32) -> Result<u32, Cut> {
        self.arena.make(Node { level: self.levels[event as usize], low: NONE, high: ALL }, self.fuel)
    }

    fn either(&mut self, one: u32, other: u32) -> Result<u32, Cut> {
        self.apply(one, other, ALL, NONE)
    }

    fn both(&mut self, one: u32, other: u32) -> Result<u32, Cut> {
        self.apply(one, other, NONE, ALL)
    }

    /// Those decided last come first, so that what is added goes on top of what is there.
    fn arrange(&self, values: &mut [u32]) {
        values.sort_by_key(|value| std::cmp::Reverse(self.arena.level(*value)));
    }
}
