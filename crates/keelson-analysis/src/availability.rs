//! How available can an item be, given what it rests on.
//!
//! U(v) is the probability that v is breached when every item of its cone may fail of itself with its
//! own unavailability, independently given the graph (analyses 3.1). Correlation is what is drawn:
//! shared sites, power, hypervisors, suppliers. Availabilities are never multiplied from the bottom up,
//! which would count what is shared several times and badly.
//!
//! The answer is exact where the decision diagrams fit into the budget. Where they do not, it is the
//! bounds from the more likely cut sets, if these lie close together; otherwise simulation. Each
//! answer names which it is, and [`Estimate`] says within what the truth lies.
//!
//! What counts as failed is said in [`single_points`](crate::single_points): losing the level or more,
//! soft needs below it left out, and members that share a load counted wholly or not at all.
//!
//! Doubts about needs are bracketed by two questions, one for each [`Reading`]; what is not known of
//! chances is given as an interval, and answers are given for both of its ends.
//!
//! Prefer ranks and differences to absolute nines: what is not drawn is not counted, and a long-run
//! mean knows no queue for repair and no sequence of events (analyses 9).

use std::sync::atomic::AtomicBool;

use keelson_graph::{ItemIx, Snapshot};

use crate::{
    AnalysisError, Reading, Settled,
    fault::{
        Module, System,
        bounds::Between,
        simulate::{Tried, simulate},
        solve::{End, Part, any_of, enclose, solve},
        system,
    },
    risk::beta_quantile,
};

/// The chance that an item fails of itself: the long-run fraction of time it is down without anything
/// it needs being down, MTTR / (MTBF + MTTR).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// It is not below this.
    pub least: f64,
    /// It is not above this. An item for which this is 0 cannot fail of itself.
    pub most: f64,
}

impl Chance {
    /// The item cannot fail of itself.
    pub const NEVER: Self = Self::exactly(0.0);

    /// A known chance.
    #[must_use]
    pub const fn exactly(chance: f64) -> Self {
        Self { least: chance, most: chance }
    }

    /// A chance known to lie between two values.
    #[must_use]
    pub const fn between(least: f64, most: f64) -> Self {
        Self { least, most }
    }

    pub(crate) fn check(self, item: ItemIx) -> Result<(), AnalysisError> {
        let Self { least, most } = self;
        let is_right = 0.0 <= least && least <= most && most <= 1.0;
        if is_right { Ok(()) } else { Err(AnalysisError::ChanceOutOfRange { item, least, most }) }
    }
}

/// How much work an answer may take, and how good it has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Nodes of decision diagrams, some 50 bytes each: so many for the exact answer, so many again for
    /// cut sets where it does not come about, and once more when cut sets are asked for.
    pub nodes: usize,
    /// Bounds are good enough when they lie no farther apart than this fraction of the upper one.
    pub tolerance: f64,
    /// Scenarios of a simulation, rounded up to a multiple of 64; 0 for none.
    pub samples: u64,
    /// Where the simulation's pseudo-random numbers start.
    pub seed: u64,
}

impl Default for Budget {
    /// A million nodes, a tenth, a hundred thousand scenarios.
    fn default() -> Self {
        Self { nodes: 1_000_000, tolerance: 0.1, samples: 100_000, seed: 1 }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The item asked about.
    pub item: ItemIx,
    /// The loss at which an item has failed, above 0 and at most 1; see
    /// [`breach_level`](crate::single_points::breach_level).
    pub level: f64,
    /// Which way doubts are read. Two answers, optimistic and pessimistic, bracket the truth.
    pub reading: Reading,
    /// Doubts settled for this question alone.
    pub settled: Option<&'a Settled>,
    /// Items that have failed already.
    pub seeds: &'a [ItemIx],
    /// How much work the answer may take.
    pub budget: Budget,
    /// Raised by somebody who watches the clock, or who no longer wants the answer.
    pub stop: Option<&'a AtomicBool>,
}

impl Question<'_> {
    /// How likely it is that an item is wholly lost, every need as written, nothing down.
    #[must_use]
    pub fn about(item: ItemIx) -> Self {
        let budget = Budget::default();
        Self { item, level: 1.0, reading: Reading::AsWritten, settled: None, seeds: &[], budget, stop: None }
    }
}

/// How failures of items combine to fail one, worked out as far as the budget goes: what answers about
/// availability, cut sets and importance are read from.
#[derive(Debug)]
pub struct Composition<'a> {
    pub(crate) question: Question<'a>,
    pub(crate) system: System,
    /// One for each module of the system.
    pub(crate) parts: Vec<Part>,
    nodes: usize,
    pub(crate) is_stopped: bool,
}

impl<'a> Composition<'a> {
    /// Works out how failures combine. `chance` is asked once for each item of the cone; an item that
    /// nobody knows the chance of has the interval of its class.
    ///
    /// # Errors
    /// When an item is not in the graph, the level lies outside 0..=1 or is 0, a chance is no
    /// probability, or a need has too many members of too different weights.
    pub fn of(
        snapshot: &Snapshot,
        question: &Question<'a>,
        chance: impl FnMut(ItemIx) -> Chance,
    ) -> Result<Self, AnalysisError> {
        let system = system(snapshot, question, chance)?;
        let (parts, nodes, is_stopped) = solve(&system, &question.budget, question.stop);
        Ok(Self { question: *question, system, parts, nodes, is_stopped })
    }

    /// Whether everything is known exactly.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Exact(_)))
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = (&Module, &Part)> {
        self.system.modules.iter().zip(&self.parts)
    }

    /// What is known for certain of the probability of each module.
    pub(crate) fn enclosed(&self, end: End) -> Vec<Between> {
        let of = |(module, part): (&Module, &Part)| match part {
            Part::Exact(bdd) => {
                let (chance, _) = bdd.probability(&self.by_level(module, &bdd.order, end));
                Between { least: chance, most: chance }
            }
            Part::Open(found) => enclose(&self.system, module, found.as_ref(), end),
        };
        self.modules().map(of).collect()
    }

    pub(crate) fn by_level(&self, module: &Module, order: &[u32], end: End) -> Vec<f64> {
        let chances = self.system.event_chances(module, end);
        order.iter().map(|event| chances[*event as usize]).collect()
    }
}

/// A probability, and within what it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The probability; of bounds the upper one, which errs on the safe side.
    pub value: f64,
    /// It is not below this.
    pub least: f64,
    /// It is not above this.
    pub most: f64,
}

impl Estimate {
    /// Hours in a year, by which an unavailability becomes hours down a year.
    pub const HOURS_PER_YEAR: f64 = 8_760.0;

    fn exactly(value: f64) -> Self {
        Self { value, least: value, most: value }
    }
}

/// How an answer was found, and with that what its bounds are worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// From decision diagrams of everything; bounds and value are the same.
    Exact,
    /// From the more likely cut sets. The bounds hold for certain.
    Bounds,
    /// What was not known exactly was tried out. The bounds hold with the confidence named (Clopper and
    /// Pearson 1934), and for certain where cut sets say more than that.
    Simulated {
        /// How many scenarios were tried.
        samples: u64,
        /// The confidence of the bounds.
        confidence: f64,
    },
}

/// How available an item can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    /// Its unavailability if every item fails as rarely as it may. Below both stand the others where
    /// all chances are known exactly: then the two are the same.
    pub with_least: Estimate,
    /// Its unavailability if every item fails as often as it may.
    pub with_most: Estimate,
    /// How that was found.
    pub method: Method,
    /// Whether the item has failed already; then its unavailability is 1.
    pub has_failed: bool,
    /// Items that were taken as failed.
    pub seeds: Vec<ItemIx>,
    /// What the answer was allowed to take.
    pub budget: Budget,
    /// Nodes of decision diagrams it took.
    pub nodes: usize,
    /// Whether the stop flag was raised before the answer was as good as it could have been.
    pub is_stopped: bool,
}

/// The confidence of simulated bounds.
const CONFIDENCE: f64 = 0.95;

/// How available is an item, given what it rests on?
#[must_use]
pub fn availability(composition: &Composition<'_>) -> Availability {
    let Composition { question, system, .. } = composition;
    let mut answer = Availability {
        with_least: Estimate::exactly(1.0),
        with_most: Estimate::exactly(1.0),
        method: Method::Exact,
        has_failed: system.has_failed,
        seeds: question.seeds.to_vec(),
        budget: question.budget,
        nodes: composition.nodes,
        is_stopped: composition.is_stopped,
    };
    if system.has_failed {
        return answer;
    }
    let (least, most) = (whole(composition, End::Least), whole(composition, End::Most));
    (answer.with_least, answer.with_most) = (certain(least), certain(most));
    let is_close = |between: Between| between.most - between.least <= question.budget.tolerance * between.most;
    if composition.is_exact() {
        return answer;
    }
    answer.method = Method::Bounds;
    if question.budget.samples == 0 || (is_close(least) && is_close(most)) {
        return answer;
    }
    let mut samples = u64::MAX;
    let is_point = system.chances.iter().all(|chance| chance.least >= chance.most);
    for (estimate, end, between) in
        [(&mut answer.with_most, End::Most, most), (&mut answer.with_least, End::Least, least)]
    {
        if is_point && end == End::Least {
            continue;
        }
        let tried = tried(composition, end);
        answer.is_stopped |= tried.is_stopped;
        samples = samples.min(tried.samples);
        *estimate = simulated(composition, tried, end, between);
    }
    if is_point {
        answer.with_least = answer.with_most;
    }
    if samples > 0 {
        answer.method = Method::Simulated { samples, confidence: CONFIDENCE };
    }
    answer
}

fn certain(Between { least, most }: Between) -> Estimate {
    Estimate { value: most, least, most }
}

/// What is known for certain of the whole.
fn whole(composition: &Composition<'_>, end: End) -> Between {
    let singles = composition.system.singles_chance(end);
    let parts = composition.enclosed(end);
    let any = |of: fn(&Between) -> f64| any_of(parts.iter().map(of).chain([singles]));
    Between { least: any(|part| part.least), most: any(|part| part.most) }
}

/// Tries out the modules that are not known exactly.
fn tried(composition: &Composition<'_>, end: End) -> Tried {
    let open = composition.modules().filter(|(_, part)| matches!(part, Part::Open(_)));
    let open: Vec<_> = open.map(|(module, _)| (module, composition.system.event_chances(module, end))).collect();
    let Budget { samples, seed, .. } = composition.question.budget;
    simulate(&open, samples, seed, composition.question.stop)
}

/// The whole, from what is known exactly, what was tried, and what is certain.
fn simulated(composition: &Composition<'_>, tried: Tried, end: End, certain: Between) -> Estimate {
    let Tried { samples, failures, .. } = tried;
    if samples == 0 {
        return Estimate { value: certain.most, least: certain.least, most: certain.most };
    }
    let singles = composition.system.singles_chance(end);
    let parts = composition.enclosed(end);
    let exact = composition.parts.iter().zip(&parts).filter(|(part, _)| matches!(part, Part::Exact(_)));
    let exact = any_of(exact.map(|(_, part)| part.most).chain([singles]));
    #[expect(clippy::cast_precision_loss, reason = "counts of samples, far below 2^53")]
    let (failures, samples) = (failures as f64, samples as f64);
    let doubt = (1.0 - CONFIDENCE) / 2.0;
    let low = if failures == 0.0 { 0.0 } else { beta_quantile(failures, samples - failures + 1.0, doubt) };
    let high = if failures < samples { beta_quantile(failures + 1.0, samples - failures, 1.0 - doubt) } else { 1.0 };
    let with = |tried: f64| any_of([exact, tried].into_iter());
    let (least, most) = (with(low).max(certain.least), with(high).min(certain.most));
    Estimate { value: with(failures / samples).clamp(least.min(most), most), least: least.min(most), most }
}
