//! The minimal sets that cost little, and how likely what is left out is.
//!
//! Every event has a cost, a whole number: 1 each to collect sets up to an order, or by how unlikely
//! it is to collect sets down to a probability. Sets that cost more than a given sum are left out as
//! soon as they appear. What is left out is written down with its probability, so that the truth is
//! enclosed: the function is true when a set that was kept happens, and if it is true otherwise, then
//! something happened that was left out.

use std::collections::HashSet;

use super::Family;
use crate::fault::{
    Cut, Fuel, Module,
    diagram::{ALL, Arena, Cache, NONE, Node},
    evaluate::{Algebra, evaluate},
};

/// What may be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs<'a> {
    /// The cost of each event.
    pub(crate) of: &'a [u32],
    /// What a set may cost at most.
    pub(crate) most: u32,
    /// The probability of each event.
    pub(crate) chances: &'a [f64],
}

/// The sets that were kept.
#[derive(Debug)]
pub(crate) struct Likely {
    pub(crate) family: Family,
    /// Bounds from above the probability that anything happens that was left out; 0 if nothing was.
    pub(crate) left_out: f64,
    /// Whether nothing was left out.
    pub(crate) is_whole: bool,
}

/// Collects the minimal sets of a module that cost little, in diagrams that decide events in `order`.
pub(crate) fn likely(module: &Module, order: Vec<u32>, costs: Costs<'_>, fuel: &mut Fuel<'_>) -> Result<Likely, Cut> {
    let mut levels = vec![0; order.len()];
    for (level, &event) in (0..).zip(&order) {
        levels[event as usize] = level;
    }
    let ends = [Worth { sum: 0.0, least: u32::MAX, most: 0 }, Worth { sum: 1.0, least: 0, most: 0 }];
    let mut maker = Maker {
        sets: Arena::new(),
        worths: ends.to_vec(),
        cache: Cache::new(Value { at: NONE, lost: 0.0 }),
        levels,
        order,
        costs,
        fuel,
        seen: HashSet::new(),
        left_out: 0.0,
        is_whole: true,
        tasks: Vec::new(),
        results: Vec::new(),
    };
    let root = evaluate(module, &mut maker)?;
    let Maker { sets, order, left_out, is_whole, .. } = maker;
    Ok(Likely { family: Family { arena: sets, root, order }, left_out, is_whole })
}

/// What is known about a family.
#[derive(Clone, Copy, Debug)]
struct Worth {
    /// The sum of the probabilities of its sets.
    sum: f64,
    /// What its cheapest set costs.
    least: u32,
    /// What its dearest set costs.
    most: u32,
}

/// A family, and the probability of what an operation left out to make it.
#[derive(Clone, Copy, Debug)]
struct Value {
    at: u32,
    lost: f64,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    /// The minimal ones of all sets of two families.
    Unite,
    /// The sets of one family that contain none of another.
    Without,
    /// The minimal ones of all unions of a set of one family with a set of another, up to a cost.
    Cross(u32),
}

impl Operation {
    fn key(self, one: u32, other: u32) -> [u32; 3] {
        let of_two = [one.min(other), one.max(other)];
        match self {
            Self::Unite => [of_two[0], of_two[1], u32::MAX - 1],
            Self::Without => [one, other, u32::MAX - 2],
            Self::Cross(room) => [of_two[0], of_two[1], room],
        }
    }
}

/// What is still to do; operands come from the results of tasks before.
#[derive(Clone, Copy, Debug)]
enum Task {
    Do(Operation, u32, u32),
    /// With the last result for the second operand.
    DoWithLast(Operation, u32),
    /// With the last result for the first operand.
    DoLastWith(Operation, u32),
    /// Unites the last two results.
    UniteLast,
    /// Takes the result before the last one out of the last one, and leaves both.
    ThinOut,
    /// Counts something as left out for the last result.
    Lose(f64),
    /// Makes a node of the last result (high) and the one before it (low).
    Make([u32; 3], u32),
}

struct Maker<'f, 'a> {
    sets: Arena,
    /// By node.
    worths: Vec<Worth>,
    cache: Cache<Value>,
    levels: Vec<u32>,
    order: Vec<u32>,
    costs: Costs<'f>,
    fuel: &'f mut Fuel<'a>,
    /// Products, and events, whose loss has been counted.
    seen: HashSet<[u32; 2]>,
    left_out: f64,
    is_whole: bool,
    tasks: Vec<Task>,
    results: Vec<Value>,
}

impl Maker<'_, '_> {
    fn worth(&self, at: u32) -> Worth {
        self.worths[at as usize]
    }

    fn cost(&self, level: u32) -> u32 {
        self.costs.of[self.order[level as usize] as usize]
    }

    fn chance(&self, level: u32) -> f64 {
        self.costs.chances[self.order[level as usize] as usize]
    }

    fn make(&mut self, level: u32, low: u32, high: u32) -> Result<u32, Cut> {
        if high == NONE {
            return Ok(low);
        }
        let at = self.sets.make(Node { level, low, high }, self.fuel)?;
        if at as usize == self.worths.len() {
            let (cost, chance) = (self.cost(level), self.chance(level));
            let (low, high) = (self.worth(low), self.worth(high));
            self.worths.push(Worth {
                sum: low.sum + chance * high.sum,
                least: low.least.min(high.least.saturating_add(cost)),
                most: low.most.max(high.most.saturating_add(cost)),
            });
        }
        Ok(at)
    }

    fn run(&mut self, operation: Operation, one: u32, other: u32) -> Result<Value, Cut> {
        self.tasks.clear();
        self.results.clear();
        self.tasks.push(Task::Do(operation, one, other));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Do(operation, one, other) => self.begin(operation, one, other)?,
                Task::DoWithLast(operation, one) => {
                    let last = self.pop();
                    self.tasks.push(Task::Do(operation, one, last.at));
                }
                Task::DoLastWith(operation, other) => {
                    let last = self.pop();
                    self.tasks.push(Task::Do(operation, last.at, other));
                }
                Task::UniteLast => {
                    let (one, other) = (self.pop(), self.pop());
                    let lost = one.lost + other.lost;
                    self.tasks.extend([Task::Lose(lost), Task::Do(Operation::Unite, one.at, other.at)]);
                }
                Task::ThinOut => {
                    let last = self.pop();
                    let low = self.results.last().expect("the low branch was worked out first").at;
                    self.tasks.extend([Task::Lose(last.lost), Task::Do(Operation::Without, last.at, low)]);
                }
                Task::Lose(lost) => self.results.last_mut().expect("there is a last result").lost += lost,
                Task::Make(key, level) => {
                    let (high, low) = (self.pop(), self.pop());
                    let at = self.make(level, low.at, high.at)?;
                    let value = Value { at, lost: low.lost + self.chance(level) * high.lost };
                    self.cache.put(key, value);
                    self.results.push(value);
                }
            }
        }
        Ok(self.pop())
    }

    fn pop(&mut self) -> Value {
        self.results.pop().expect("tasks before have left their results")
    }

    /// Answers an operation, or says what has to be done for it.
    fn begin(&mut self, operation: Operation, one: u32, other: u32) -> Result<(), Cut> {
        self.fuel.step()?;
        if let Some(value) = self.at_once(operation, one, other) {
            self.is_whole &= !matches!(operation, Operation::Cross(_)) || value.at != NONE || one.min(other) == NONE;
            self.results.push(value);
            return Ok(());
        }
        let (mine, others) = (self.sets.level(one), self.sets.level(other));
        if matches!(operation, Operation::Without) && others < mine {
            // No set of the first family has that event, so none contains a set that has it.
            self.tasks.push(Task::Do(operation, one, self.sets.node(other).low));
            return Ok(());
        }
        let key = operation.key(one, other);
        if let Some(value) = self.cache.get(key) {
            self.results.push(value);
            return Ok(());
        }
        let level = mine.min(others);
        let (low, high) = self.sets.branches(one, level, NONE);
        let (other_low, other_high) = self.sets.branches(other, level, NONE);
        self.tasks.push(Task::Make(key, level));
        match operation {
            Operation::Unite => self.tasks.extend([
                Task::ThinOut,
                Task::Do(Operation::Unite, high, other_high),
                Task::Do(Operation::Unite, low, other_low),
            ]),
            Operation::Without => self.tasks.extend([
                Task::DoLastWith(Operation::Without, other_low),
                Task::Do(Operation::Without, high, other_high),
                Task::Do(Operation::Without, low, other_low),
            ]),
            Operation::Cross(room) => {
                let Some(left) = room.checked_sub(self.cost(level)) else {
                    // Nothing with this event is kept.
                    self.is_whole = false;
                    let bound = |low: u32, high: u32| self.worth(low).sum + self.worth(high).sum;
                    let lost = bound(low, high).min(bound(other_low, other_high)).min(1.0);
                    self.tasks.extend([
                        Task::Lose(lost),
                        Task::Do(Operation::Unite, NONE, NONE),
                        Task::Do(operation, low, other_low),
                    ]);
                    return Ok(());
                };
                self.tasks.extend([
                    Task::ThinOut,
                    Task::UniteLast,
                    Task::Do(Operation::Cross(left), low, other_high),
                    Task::DoWithLast(Operation::Cross(left), high),
                    Task::Do(Operation::Unite, other_low, other_high),
                    Task::Do(operation, low, other_low),
                ]);
            }
        }
        Ok(())
    }

    fn at_once(&self, operation: Operation, one: u32, other: u32) -> Option<Value> {
        let of = |at: u32| Some(Value { at, lost: 0.0 });
        match operation {
            Operation::Unite if one == other || other == NONE => of(one),
            Operation::Unite if one == NONE => of(other),
            Operation::Unite if one == ALL || other == ALL => of(ALL),
            Operation::Without if one == NONE || other == ALL || one == other => of(NONE),
            // Families are of minimal sets: only ALL has the empty one.
            Operation::Without if other == NONE || one == ALL => of(one),
            Operation::Cross(_) if one == NONE || other == NONE => of(NONE),
            Operation::Cross(room) => {
                let (first, second) = (self.worth(one), self.worth(other));
                if first.least > room || second.least > room {
                    return Some(Value { at: NONE, lost: first.sum.min(second.sum).min(1.0) });
                }
                match (one, other) {
                    (ALL, rest) if second.most <= room => of(rest),
                    (rest, ALL) if first.most <= room => of(rest),
                    _ if one == other && first.most <= room => of(one),
                    _ => None,
                }
            }
            Operation::Unite | Operation::Without => None,
        }
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
        if self.costs.of[event as usize] <= self.costs.most {
            return self.make(self.levels[event as usize], NONE, ALL);
        }
        self.is_whole = false;
        if self.seen.insert([event, u32::MAX]) {
            self.left_out += self.costs.chances[event as usize];
        }
        Ok(NONE)
    }

    fn either(&mut self, one: u32, other: u32) -> Result<u32, Cut> {
        Ok(self.run(Operation::Unite, one, other)?.at)
    }

    fn both(&mut self, one: u32, other: u32) -> Result<u32, Cut> {
        let Value { at, lost } = self.run(Operation::Cross(self.costs.most), one, other)?;
        if self.seen.insert([one, other]) {
            self.left_out += lost;
        }
        Ok(at)
    }

    fn arrange(&self, values: &mut [u32]) {
        values.sort_by_key(|value| std::cmp::Reverse(self.sets.level(*value)));
    }
}
