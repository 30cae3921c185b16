//! What to buy so that a load is carried, at the least cost.
//!
//! Each offer adds to one or several resources, in whole units (a host, a licence pack) or in any
//! amount (the volume of a contract). Every resource must then be within its planning limit, and, where
//! that is asked, within its survival limit with its largest member lost, be it one just bought. That
//! is a linear programme with whole numbers, solved by microlp: pure Rust, deterministic under a limit
//! of nodes. (good_lp, which was thought of to stand between, takes microlp only at 0.6, and lets no
//! limit of nodes through.)

use microlp::{ComparisonOp, Error, OptimizationDirection, Problem, SolutionStatus, SolveOptions, Variable};
use thiserror::Error;

/// What a resource must do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The load to carry, in the unit of the capacity, 0 or above.
    pub load: f64,
    /// What there is now, 0 or above.
    pub capacity: f64,
    /// The highest utilisation to plan with, above 0.
    pub planning_limit: f64,
    /// What must still hold with a member lost, if anything.
    pub survival: Option<Survival>,
}

/// What must hold with the largest member lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Survival {
    /// The capacity of the largest member now, 0 or above.
    pub largest: f64,
    /// The highest utilisation of what is left, above 0.
    pub limit: f64,
}

/// Something that can be bought.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// What a unit costs, 0 or above.
    pub cost: f64,
    /// What a unit adds, above 0: resources by their places, each at most once.
    pub adds: Vec<(usize, f64)>,
    /// How many units can be had, 0 or above.
    pub most: f64,
    /// Whether only whole units can be had; each is then a member that can be lost.
    pub is_whole: bool,
}

/// The cheapest purchase.
#[derive(Clone, Debug, PartialEq)]
pub struct Relief {
    /// Units of each offer.
    pub bought: Vec<f64>,
    /// What they cost together.
    pub cost: f64,
    /// Whether it is proven that nothing is cheaper; `false` when the search was cut short.
    pub is_cheapest: bool,
}

/// Why there is no purchase to recommend.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ReliefError {
    /// A number that means nothing where it stands.
    #[error("{what} is {value}; it must be {wanted}")]
    BadNumber {
        /// Which number.
        what: &'static str,
        /// The offending value.
        value: f64,
        /// What it must be.
        wanted: &'static str,
    },
    /// An offer that adds to a resource that is not there, or twice to the same.
    #[error(
        "offer {offer} adds to resource {resource}, which is not one of the {resources} asked about, or named twice"
    )]
    NoSuchResource {
        /// The place of the offer.
        offer: usize,
        /// The place it names.
        resource: usize,
        /// How many resources there are.
        resources: usize,
    },
    /// More than is worked on in one question.
    #[error("{offers} offers for {resources} resources are more than can be weighed in one question; ask about fewer")]
    TooMany {
        /// How many offers.
        offers: usize,
        /// How many resources.
        resources: usize,
    },
    /// Even everything on offer is too little.
    #[error("everything on offer together is too little for the resources at places {resources:?}")]
    NotEnough {
        /// The places of the resources.
        resources: Vec<usize>,
    },
    /// The search ended without an answer.
    #[error("failed to find a purchase: {reason}")]
    Undecided {
        /// What the solver said.
        reason: String,
    },
}

/// Offers times resources, at most.
const MAX_SIZE: usize = 1_000_000;

/// A condition: a sum of bought units (or of "any bought at all") is at least so much.
struct Row {
    terms: Vec<(Term, f64)>,
    least: f64,
}

#[derive(Clone, Copy)]
enum Term {
    Units(usize),
    Any(usize),
}

/// Finds the cheapest purchase, looking at no more than so many nodes of the search.
///
/// # Errors
/// When a number means nothing, an offer names no resource, everything on offer is too little, or the
/// search ends without an answer.
pub fn cheapest(targets: &[Target], offers: &[Offer], max_nodes: u64) -> Result<Relief, ReliefError> {
    check(targets, offers)?;
    let rows = rows(targets, offers);
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let units: Vec<Variable> = offers.iter().map(|offer| add_units(&mut problem, offer)).collect();
    let any: Vec<Option<Variable>> = (0..offers.len())
        .map(|offer| {
            let is_used =
                rows.iter().flat_map(|row| &row.terms).any(|(term, _)| matches!(term, Term::Any(at) if *at == offer));
            is_used.then(|| {
                let any = problem.add_binary_var(0.0);
                // Without it there are no units.
                problem.add_constraint([(units[offer], 1.0), (any, -offers[offer].most)], ComparisonOp::Le, 0.0);
                any
            })
        })
        .collect();
    for row in &rows {
        // Rows of about the same size suit the solver's tolerances.
        let largest = row.terms.iter().map(|(_, value)| value.abs()).fold(0.0, f64::max);
        let variable = |term: Term| match term {
            Term::Units(at) => Some(units[at]),
            Term::Any(at) => any[at],
        };
        let terms = row.terms.iter().filter_map(|&(term, value)| Some((variable(term)?, value / largest)));
        problem.add_constraint(terms.collect::<Vec<_>>(), ComparisonOp::Ge, row.least / largest);
    }
    let mut options = SolveOptions::default();
    options.node_limit = Some(max_nodes);
    let undecided = |reason: String| ReliefError::Undecided { reason };
    let outcome = match problem.solve_with(options) {
        Ok(outcome) => outcome,
        Err(Error::Infeasible) => return Err(ReliefError::NotEnough { resources: (0..targets.len()).collect() }),
        Err(error) => return Err(undecided(error.to_string())),
    };
    let Some(solution) = outcome.solution() else {
        return Err(undecided(format!("nothing was found within {max_nodes} nodes; allow more")));
    };
    let round = |offer: &Offer, value: f64| if offer.is_whole { value.round() } else { value.max(0.0) };
    let bought: Vec<f64> =
        offers.iter().zip(&units).map(|(offer, &unit)| round(offer, solution.var_value(unit))).collect();
    if !rows.iter().all(|row| row.holds(&bought)) {
        return Err(undecided("the purchase found misses a condition by more than rounding".to_owned()));
    }
    let cost = offers.iter().zip(&bought).map(|(offer, bought)| offer.cost * bought).sum();
    Ok(Relief { bought, cost, is_cheapest: solution.status() == SolutionStatus::Optimal })
}

impl Row {
    fn holds(&self, bought: &[f64]) -> bool {
        let value = |term: Term| match term {
            Term::Units(at) => bought[at],
            Term::Any(at) => f64::from(u8::from(bought[at] > 0.0)),
        };
        let sum: f64 = self.terms.iter().map(|&(term, each)| each * value(term)).sum();
        let size = self.terms.iter().map(|(_, each)| each.abs()).fold(self.least.abs(), f64::max);
        sum >= self.least - 1e-6 * size
    }
}

fn add_units(problem: &mut Problem, offer: &Offer) -> Variable {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
    let whole = offer.most.floor().clamp(0.0, f64::from(i32::MAX)) as i32;
    if offer.is_whole {
        problem.add_integer_var(offer.cost, (0, whole))
    } else {
        problem.add_var(offer.cost, (0.0, offer.most))
    }
}

/// The conditions that are not met without buying anything.
fn rows(targets: &[Target], offers: &[Offer]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let adding = |offer: &Offer| offer.adds.iter().find(|(resource, _)| *resource == at).map(|(_, adds)| *adds);
        let terms: Vec<(Term, f64)> = offers
            .iter()
            .enumerate()
            .filter_map(|(offer, offered)| Some((Term::Units(offer), adding(offered)?)))
            .collect();
        let planned = target.load / target.planning_limit - target.capacity;
        if planned > 0.0 {
            rows.push(Row { terms: terms.clone(), least: planned });
        }
        let Some(Survival { largest, limit }) = target.survival else { continue };
        let least = target.load / limit - (target.capacity - largest);
        if least > 0.0 {
            rows.push(Row { terms: terms.clone(), least });
        }
        for (offer, offered) in offers.iter().enumerate().filter(|(_, offered)| offered.is_whole) {
            // A larger member, once bought, is the one to lose.
            if let Some(beyond) = adding(offered).map(|unit| unit - largest).filter(|beyond| *beyond > 0.0) {
                let terms = terms.iter().copied().chain([(Term::Any(offer), -beyond)]).collect();
                rows.push(Row { terms, least });
            }
        }
    }
    rows
}

fn check(targets: &[Target], offers: &[Offer]) -> Result<(), ReliefError> {
    let (resources, offered) = (targets.len(), offers.len());
    if resources.saturating_mul(offered) > MAX_SIZE {
        return Err(ReliefError::TooMany { offers: offered, resources });
    }
    let number = |what, value: f64, is_positive: bool| {
        let is_fit = value.is_finite() && if is_positive { value > 0.0 } else { value >= 0.0 };
        let wanted = if is_positive { "a finite number above 0" } else { "a finite number, 0 or above" };
        if is_fit { Ok(()) } else { Err(ReliefError::BadNumber { what, value, wanted }) }
    };
    for target in targets {
        number("a load", target.load, false)?;
        number("a capacity", target.capacity, false)?;
        number("a planning limit", target.planning_limit, true)?;
        if let Some(survival) = target.survival {
            number("the capacity of the largest member", survival.largest, false)?;
            number("a survival limit", survival.limit, true)?;
        }
    }
    for (at, offer) in offers.iter().enumerate() {
        number("the cost of an offer", offer.cost, false)?;
        number("how many units can be had", offer.most, false)?;
        for (place, &(resource, adds)) in offer.adds.iter().enumerate() {
            number("what a unit adds", adds, true)?;
            if resource >= resources || offer.adds[..place].iter().any(|(other, _)| *other == resource) {
                return Err(ReliefError::NoSuchResource { offer: at, resource, resources });
            }
        }
    }
    let all = |offer: &Offer| if offer.is_whole { offer.most.floor() } else { offer.most };
    let short = |(at, target): (usize, &Target)| {
        let adds = |offer: &Offer| {
            offer.adds.iter().filter(|(resource, _)| *resource == at).map(|(_, adds)| adds).sum::<f64>()
        };
        let reach = target.capacity + offers.iter().map(|offer| adds(offer) * all(offer)).sum::<f64>();
        let lost = target.survival.is_none_or(|s| (reach - s.largest) * s.limit >= target.load * (1.0 - 1e-9));
        (reach * target.planning_limit < target.load * (1.0 - 1e-9) || !lost).then_some(at)
    };
    let resources: Vec<usize> = targets.iter().enumerate().filter_map(short).collect();
    if resources.is_empty() { Ok(()) } else { Err(ReliefError::NotEnough { resources }) }
}
