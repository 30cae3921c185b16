//! The diagram of every module within a budget, and what is known of a module that has none.

use super::{
    Cut, Fuel, Module, System,
    bdd::Bdd,
    bounds::{self, Between},
    families::{
        Order,
        likely::{Costs, Likely, likely},
    },
    order::orders,
};
use crate::availability::{Budget, Chance};

/// Nodes every module may have at first, so that one that is too large does not starve the others.
const SMALL: usize = 20_000;
/// A set costs so much for each halving of its probability.
const PER_HALVING: f64 = 4.0;
/// Sets of which pairs are looked at for a lower bound.
const PAIRED: usize = 400;

/// What is known of a module.
#[derive(Debug)]
pub(crate) enum Part {
    /// Everything.
    Exact(Bdd),
    /// Its more likely cut sets, if there was room for any.
    Open(Option<Likely>),
}

/// The end of an interval of chances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Least,
    Most,
}

impl End {
    pub(crate) fn of(self, chance: Chance) -> f64 {
        match self {
            Self::Least => chance.least,
            Self::Most => chance.most,
        }
    }
}

impl System {
    /// The probability of every event of a module: that any of its items fails.
    pub(crate) fn event_chances(&self, module: &Module, end: End) -> Vec<f64> {
        let any = |items: &Vec<u32>| any_of(items.iter().map(|&place| end.of(self.chances[place as usize])));
        module.events.iter().map(any).collect()
    }

    /// The probability that a single item fails that fells the item asked about alone.
    pub(crate) fn singles_chance(&self, end: End) -> f64 {
        any_of(self.singles.iter().map(|&place| end.of(self.chances[place as usize])))
    }
}

/// The probability that any of several independent things happens. Sums of logarithms keep small
/// chances to the last digit.
pub(crate) fn any_of(chances: impl Iterator<Item = f64>) -> f64 {
    -chances.map(|chance| (-chance).ln_1p()).sum::<f64>().exp_m1()
}

/// Works out every module as far as the budget goes; also how many nodes that took, and whether the
/// stop flag ended it.
pub(crate) fn solve(
    system: &System,
    budget: &Budget,
    stop: Option<&std::sync::atomic::AtomicBool>,
) -> (Vec<Part>, usize, bool) {
    let mut solver = Solver { system, left: budget.nodes, stop, is_stopped: false };
    let mut parts: Vec<Option<Bdd>> = system.modules.iter().map(|module| solver.exact(module, SMALL)).collect();
    let mut open = parts.iter().filter(|part| part.is_none()).count();
    for (part, module) in parts.iter_mut().zip(&system.modules).filter(|(part, _)| part.is_none()) {
        *part = solver.exact(module, solver.left / open);
        open -= 1;
    }
    let exact = budget.nodes - solver.left;
    solver.left = budget.nodes;
    let mut open = parts.iter().filter(|part| part.is_none()).count();
    let mut finish = |(part, module): (Option<Bdd>, &Module)| {
        let Some(bdd) = part else {
            let share = solver.left / open;
            open -= 1;
            return Part::Open(solver.likely(module, share, budget.tolerance));
        };
        Part::Exact(bdd)
    };
    let parts = parts.into_iter().zip(&system.modules).map(&mut finish).collect();
    (parts, exact + budget.nodes - solver.left, solver.is_stopped)
}

struct Solver<'a> {
    system: &'a System,
    /// Nodes left for the whole system.
    left: usize,
    stop: Option<&'a std::sync::atomic::AtomicBool>,
    is_stopped: bool,
}

impl Solver<'_> {
    /// Tries to make the diagram of a module with so many nodes, in several orders.
    fn exact(&mut self, module: &Module, most: usize) -> Option<Bdd> {
        let most = most.min(self.left);
        let orders = orders(module);
        let share = most / orders.len();
        for order in orders {
            let mut fuel = Fuel::new(share, self.stop);
            let made = Bdd::of(module, order, &mut fuel);
            self.left -= share - fuel.nodes;
            match made {
                Ok(bdd) => return Some(bdd),
                Err(cut) => self.is_stopped |= cut == Cut::Stopped,
            }
        }
        None
    }

    /// Collects cut sets of a module down to smaller and smaller probabilities, until what is left out
    /// does not matter or the nodes allowed are used up.
    fn likely(&mut self, module: &Module, most: usize, tolerance: f64) -> Option<Likely> {
        let chances = self.system.event_chances(module, End::Most);
        let costs: Vec<u32> = chances.iter().map(|chance| cost(*chance)).collect();
        let order = orders(module).swap_remove(0);
        let mut fuel = Fuel::new(most, self.stop);
        let mut best: Option<Likely> = None;
        for halvings in [8, 12, 16, 20, 26, 32, 40, 50] {
            let costs = Costs { of: &costs, most: halvings * 4, chances: &chances };
            match likely(module, order.clone(), costs, &mut fuel) {
                Ok(found) => {
                    let is_enough = found.is_whole || found.left_out < tolerance / 4.0 * found.family.sum(&chances);
                    best = Some(found);
                    if is_enough {
                        break;
                    }
                }
                Err(cut) => {
                    self.is_stopped |= cut == Cut::Stopped;
                    break;
                }
            }
        }
        self.left -= most - fuel.nodes;
        best
    }
}

/// What an event of a probability costs: sets of it and others cost at most as much as their
/// probability says.
pub(crate) fn cost(chance: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not below 0")]
    let cost = (-chance.log2() * PER_HALVING).floor().max(0.0) as u32;
    // Room for sums.
    cost.min(1 << 20)
}

/// Encloses the probability of a module from the cut sets that were found.
pub(crate) fn enclose(system: &System, module: &Module, found: Option<&Likely>, end: End) -> Between {
    let chances = system.event_chances(module, end);
    let quick = bounds::enclose(module, &chances);
    let Some(Likely { family, left_out, .. }) = found else { return quick };
    let events: Vec<Vec<(u32, f64)>> = (0..).zip(&chances).map(|(event, chance)| vec![(event, *chance)]).collect();
    // Lists are short; what fuel there is for one does not matter.
    let (listed, _) =
        family.list(&events, Order::Chance, PAIRED, |_, chance| chance > 0.0, &mut Fuel::new(1 << 16, None));
    let least = bounds::at_least(listed.iter().map(|set| &set.items[..]), &chances);
    let most = family.any(|power| chances.iter().map(|chance| chance.powi(power)).collect(), &chances) + left_out;
    Between { least: least.max(quick.least), most: most.min(quick.most) }
}
