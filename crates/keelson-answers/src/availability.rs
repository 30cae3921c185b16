//! How available services can be, given what they rest on, and what costs them most (analyses 3.1, 3.3).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::availability::{Availability, Budget, Composition, Method, Question, availability as solve};
use keelson_analysis::importance::{Importance, Weight, importance};
use keelson_analysis::{Pool, Reading};
use keelson_graph::ItemIx;
use keelson_model::Criticality;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{HOURS_A_YEAR, Money, Worth, number, value_per_hour};
use crate::chances::{Chances, INDEPENDENCE};
use crate::common_cause::{CommonCauseLine, silent};
use crate::single_points::services;
use crate::subject::{ci_of, find_item, key_of};
use crate::supplier::promise::{Level, PromiseLine, PromiseQuestion, TARGET, promise_beside};
use crate::{Asked, Basis, Limit, LimitCode, QuestionError, Subject, View};

/// Which availabilities are asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AvailabilityQuestion {
    /// The services, or other items, by key; empty means every service, those worth most first.
    pub services: Vec<String>,
    /// What is down already, by key.
    pub down: Vec<String>,
    /// Most services computed.
    pub most: usize,
    /// Most contributing items named of each service, and of all together.
    pub contributors: usize,
    /// Nodes of decision diagrams an exact answer of a service may take; 0 means a million for up to four services, and
    /// four million shared among more, but no less than a hundred thousand each.
    pub nodes: usize,
    /// Scenarios of a simulation where no exact answer comes about; 0 means a hundred thousand.
    pub samples: u64,
}

/// How an unavailability was found, and what its ends are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MethodWord {
    /// Exactly, from decision diagrams.
    Exact,
    /// From the more likely cut sets; the ends hold for certain.
    Bounds,
    /// By simulation; the ends hold with a confidence of 95 %.
    Simulated,
}

/// An item that contributes to the unavailability of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contributor {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Its own unavailability.
    pub unavailability: f64,
    /// Criticality: how much of the service's unavailability goes when it never fails (analyses 3.3).
    pub criticality: f64,
    /// Birnbaum: how much likelier the service is down when it is down than when it is up.
    pub birnbaum: f64,
}

/// How available one service can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAvailability {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// What an hour without it costs, where stated.
    pub value_per_hour: Option<Money>,
    /// What is to be expected of its unavailability: every need as it is written, and every figure as it is stated, or else
    /// the middle of the interval that it or its class states.
    pub unavailability: f64,
    /// It is not below this, whatever is missing.
    pub least: f64,
    /// It is not above this, whatever is missing.
    pub most: f64,
    /// The same in hours a year.
    pub hours_per_year: f64,
    /// What that costs in a year; absent where no hour's value is stated, or nothing is known of the unavailability.
    pub cost_per_year: Option<Money>,
    /// How it was found.
    pub method: MethodWord,
    /// Scenarios tried, where it was simulated.
    pub samples: Option<u64>,
    /// The loss at which it counts as breached.
    pub breached_at: f64,
    /// The availability promised to customers, where stated.
    pub target: Option<f64>,
    /// The availability that was measured, where stated.
    pub measured: Option<f64>,
    /// Whether what can be expected meets the target, whatever is missing; absent where there is no target or it
    /// depends on what is missing.
    pub meets_target: Option<bool>,
    /// Whether it has failed already by what is down.
    pub has_failed: bool,
    /// The items that hurt most now, the most critical first.
    pub hurts: Vec<Contributor>,
    /// The items that may never be lost, by Birnbaum importance.
    pub vital: Vec<Contributor>,
    /// How many items contribute.
    pub contributor_count: usize,
}

/// What is at stake with one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StakeLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Value at risk: over all services, the value of an hour times the item's Birnbaum importance.
    pub value_per_hour: Money,
}

/// How available services can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvailabilityAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// What was down already, by key.
    pub down: Vec<String>,
    /// Of those of the services computed that promise an availability, what contracts and measurements come to beside it,
    /// those with the largest gap first; as if nothing were down.
    pub promises: Vec<PromiseLine>,
    /// How many services were asked about.
    pub service_count: usize,
    /// The services computed, those worth most first, then the most critical.
    pub services: Vec<ServiceAvailability>,
    /// What is at stake with each item, most first.
    pub stakes: Vec<StakeLine>,
    /// How many items state no unavailability.
    pub missing_count: usize,
    /// The first of them, by key.
    pub missing: Vec<String>,
    /// What every probability here takes for granted.
    pub independence: String,
    /// Redundancy needs whose members are said to fail together now and then.
    pub common_causes: Vec<CommonCauseLine>,
    /// How many redundancy needs there are.
    pub redundancy_count: usize,
    /// How many of them do not say how much of what fails a member fails all: their members are taken to fail
    /// independently.
    pub without_common_cause: usize,
}

/// Finds how available services can be.
///
/// # Errors
/// When something asked about is unknown or takes no part in analyses.
pub fn availability(
    view: &View,
    question: &AvailabilityQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<AvailabilityAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let mut wanted = services(view, &question.services)?;
    rank(view, &mut wanted, &mut basis);
    let down = question.down.iter().map(|key| find_item(view, key)).collect::<Result<Vec<_>, _>>()?;
    let chosen = &wanted[..wanted.len().min(question.most)];
    let loaded = view.loaded_beneath(chosen);
    let view = &loaded.view;
    let (chances, expected) = Chances::with_expected(view)?;
    let budget = budget((question.nodes, question.samples), chosen.len());
    let work =
        Work { view, chances: &chances, expected: &expected, down: &down, budget, stop, most: question.contributors };
    // Services are worked out side by side, and told in their order.
    let found: Vec<Found> = chosen.par_iter().map(|service| work.of(*service)).collect::<Result<_, _>>()?;
    let (mut lines, mut weights, mut levels) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (service, found) in chosen.iter().zip(found) {
        if found.is_stopped {
            basis.stopped(stop);
        }
        weights.push((*service, found.weights));
        lines.push(found.line);
        levels.insert(*service, found.level);
    }
    if !down.is_empty() {
        // Promises are compared with nothing down.
        levels.clear();
    }
    basis.page("services", lines.len(), wanted.len());
    let rough = lines.iter().filter(|line| line.method != MethodWord::Exact).count();
    if rough > 0 {
        let message =
            format!("{rough} of {} services have no exact answer within the budget; their ends are told", lines.len());
        basis.remark(LimitCode::ExactBudget, message);
    }
    chances.note(&mut basis);
    loaded.note(&mut basis);
    let missing = chances.missing();
    let contributors = weights.iter().flat_map(|(_, found)| found.items.iter().map(|weight| weight.item));
    let rests: std::collections::BTreeSet<ItemIx> = contributors.chain(missing.iter().copied()).collect();
    basis.rests_on(view, rests.into_iter().filter(|one| chances.is_item(*one)).map(ci_of), asked);
    let mut causes = chances.causes().map(|causes| causes.lines(view)).unwrap_or_default();
    basis.page("common causes", causes.len().min(question.contributors), causes.len());
    causes.truncate(question.contributors);
    let (redundancy_count, without_common_cause) = silent(view);
    let promises = promises(view, chosen, &levels, (asked, pool, stop), &mut basis)?;
    Ok(AvailabilityAnswer {
        promises,
        down: down.iter().map(|item| key_of(&view.catalogue, *item)).collect(),
        service_count: wanted.len(),
        services: lines,
        stakes: stakes(&chances, view, &weights, question.contributors),
        missing_count: missing.len(),
        missing: missing.iter().take(question.most).map(|item| key_of(&view.catalogue, *item)).collect(),
        independence: INDEPENDENCE.to_owned(),
        common_causes: causes,
        redundancy_count,
        without_common_cause,
        basis,
    })
}

/// The promises of those services that state one, beside what they rest on.
fn promises(
    view: &View,
    services: &[ItemIx],
    known: &BTreeMap<ItemIx, Level>,
    how: (Asked, &Pool, Option<&AtomicBool>),
    basis: &mut Basis,
) -> Result<Vec<PromiseLine>, QuestionError> {
    let promising = services.iter().filter(|one| number(view, **one, TARGET).is_some());
    let services: Vec<String> = promising.map(|one| key_of(&view.catalogue, *one)).collect();
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let found = promise_beside(view, &PromiseQuestion { most: services.len(), services }, known, how)?;
    // What is not known of contracts limits what is told of them, and is no news about the rest.
    let new = |limit: &&Limit| limit.code == LimitCode::FigureMissing && !basis.limits.contains(limit);
    let told: Vec<Limit> = found.basis.limits.iter().filter(new).cloned().collect();
    for limit in told {
        basis.remark(limit.code, format!("of promises: {}", limit.message));
    }
    Ok(found.services)
}

/// Nodes that all services of one question share where nothing is said, and the least that each has.
const SHARED_NODES: usize = 4_000_000;
const LEAST_NODES: usize = 100_000;

/// What the answer of one of so many services may take, with the usual where nothing is said.
pub(crate) fn budget((nodes, samples): (usize, u64), services: usize) -> Budget {
    let usual = Budget::default();
    let share = (SHARED_NODES / services.max(1)).clamp(LEAST_NODES, usual.nodes);
    let nodes = if nodes == 0 { share } else { nodes };
    let samples = if samples == 0 { usual.samples } else { samples };
    Budget { nodes, samples, ..usual }
}

/// Those worth most first, then the most critical, then by key.
pub(crate) fn rank(view: &View, services: &mut [ItemIx], basis: &mut Basis) {
    let mut values: Vec<(ItemIx, Option<Money>)> =
        services.iter().map(|one| (*one, value_per_hour(view, *one))).collect();
    let worth = Worth::of(values.iter().filter_map(|(_, value)| value.clone()));
    worth.note(basis);
    values.sort_by(|(a, value), (b, other)| {
        let critical = |item: ItemIx| view.brief(ci_of(item)).criticality;
        let order = worth.compare(value.as_ref(), other.as_ref()).then_with(|| critical(*b).cmp(&critical(*a)));
        order.then_with(|| key_of(&view.catalogue, *a).cmp(&key_of(&view.catalogue, *b)))
    });
    services.iter_mut().zip(values).for_each(|(place, (service, _))| *place = service);
}

/// What was found of a service.
struct Found {
    line: ServiceAvailability,
    /// How important each item is for it.
    weights: Importance,
    level: Level,
    /// Whether it was cut short.
    is_stopped: bool,
}

/// How available one service is, between its ends.
pub(crate) struct Bracket {
    /// What is to be expected: needs as they are written, figures as stated or in the middle of their intervals.
    expected: Availability,
    /// Needs as they are written, with the intervals of figures.
    written: Availability,
    /// Every doubt settled well.
    best: Availability,
    /// Every doubt settled badly.
    worst: Availability,
}

impl Bracket {
    /// The unavailability to be expected.
    pub(crate) const fn value(&self) -> f64 {
        self.expected.with_most.value
    }

    /// Between what the unavailability lies, whatever is missing.
    pub(crate) fn ends(&self) -> (f64, f64) {
        let Self { expected, written, best, worst } = self;
        let all = [expected, written, best, worst];
        let least = all.iter().map(|one| one.with_least.least).fold(f64::INFINITY, f64::min);
        (least, all.iter().map(|one| one.with_most.most).fold(0.0, f64::max))
    }

    /// Whether an availability is reached, whatever is missing; absent where it depends on what is.
    pub(crate) fn meets(&self, target: f64) -> Option<bool> {
        let ((least, most), allowed) = (self.ends(), 1.0 - target);
        match () {
            () if most <= allowed => Some(true),
            () if least > allowed => Some(false),
            () => None,
        }
    }

    fn is_stopped(&self) -> bool {
        [&self.expected, &self.written, &self.best, &self.worst].iter().any(|one| one.is_stopped)
    }
}

/// How available one service of a view is, with nothing down; by its chances, and by those that are to be expected.
///
/// # Errors
/// When chances mean nothing, or a need cannot be composed.
pub(crate) fn bracket(
    view: &View,
    (chances, expected): (&Chances<'_>, &Chances<'_>),
    service: ItemIx,
    budget: Budget,
    stop: Option<&AtomicBool>,
) -> Result<Bracket, QuestionError> {
    let work = Work { view, chances, expected, down: &[], budget, stop, most: 0 };
    Ok(work.bracket(service)?.0)
}

/// What is the same for every service of one question.
struct Work<'a> {
    view: &'a View,
    chances: &'a Chances<'a>,
    /// Every chance as it is to be expected.
    expected: &'a Chances<'a>,
    down: &'a [ItemIx],
    budget: Budget,
    stop: Option<&'a AtomicBool>,
    most: usize,
}

impl Work<'_> {
    fn question(&self, service: ItemIx, reading: Reading) -> Question<'_> {
        let level = self.view.breach_level(service);
        let (seeds, budget, stop) = (self.down, self.budget, self.stop);
        Question { level, reading, seeds, budget, stop, ..Question::about(service) }
    }

    fn compose<'b>(
        &'b self,
        chances: &'b Chances<'_>,
        service: ItemIx,
        reading: Reading,
    ) -> Result<Composition<'b>, QuestionError> {
        let question = self.question(service, reading);
        Ok(Composition::of(chances.graph(), &question, |item| chances.read(item, reading))?)
    }

    /// A service between its ends, and how its failures combine as is to be expected.
    fn bracket(&self, service: ItemIx) -> Result<(Bracket, Composition<'_>), QuestionError> {
        let composed = self.compose(self.expected, service, Reading::AsWritten)?;
        let expected = solve(&composed);
        let other = |reading| -> Result<Availability, QuestionError> {
            Ok(solve(&self.compose(self.chances, service, reading)?))
        };
        // Composing asks for the chances, by which it is known what is missing, also where nothing is to be solved anew.
        let as_written = self.compose(self.chances, service, Reading::AsWritten)?;
        let is_certain = self.chances.is_certain(service);
        let is_solved = is_certain && self.chances.is_exact(service);
        let written = if is_solved { expected.clone() } else { solve(&as_written) };
        let (best, worst) = if is_certain {
            (written.clone(), written.clone())
        } else {
            (other(Reading::Optimistic)?, other(Reading::Pessimistic)?)
        };
        Ok((Bracket { expected, written, best, worst }, composed))
    }

    fn of(&self, service: ItemIx) -> Result<Found, QuestionError> {
        let (bracket, composed) = self.bracket(service)?;
        let weights = importance(&composed, &bracket.expected);
        let level = Level::of(&bracket.written, &bracket.best, &bracket.worst);
        Ok(Found { line: self.line(service, &bracket, &weights), weights, level, is_stopped: bracket.is_stopped() })
    }

    fn line(&self, service: ItemIx, bracket: &Bracket, weights: &Importance) -> ServiceAvailability {
        let view = self.view;
        let (main, value, (least, most)) = (&bracket.expected, bracket.value(), bracket.ends());
        let is_unknown = value <= 0.0 && least <= 0.0 && most >= 1.0;
        let (method, samples) = match main.method {
            Method::Exact => (MethodWord::Exact, None),
            Method::Bounds => (MethodWord::Bounds, None),
            Method::Simulated { samples, .. } => (MethodWord::Simulated, Some(samples)),
        };
        let target = number(view, service, TARGET);
        let worth = value_per_hour(view, service);
        let cost = |hour: &Money| Money { amount: hour.amount * value * HOURS_A_YEAR, ..hour.clone() };
        let named = |weights: &[Weight]| {
            weights.iter().take(self.most).map(|weight| contributor(self.chances, weight)).collect()
        };
        ServiceAvailability {
            subject: Subject::of(&view.catalogue, ci_of(service)),
            criticality: view.brief(ci_of(service)).criticality,
            cost_per_year: worth.as_ref().filter(|_| !is_unknown).map(cost),
            value_per_hour: worth,
            unavailability: value,
            least,
            most,
            hours_per_year: value * HOURS_A_YEAR,
            method,
            samples,
            breached_at: view.breach_level(service),
            target,
            measured: number(view, service, "measured_availability"),
            meets_target: target.and_then(|target| bracket.meets(target)),
            has_failed: main.has_failed,
            hurts: named(&weights.items),
            vital: named(&weights.by_birnbaum()),
            contributor_count: weights.items.len(),
        }
    }
}

fn contributor(chances: &Chances<'_>, weight: &Weight) -> Contributor {
    Contributor {
        subject: chances.subject(weight.item),
        unavailability: weight.chance,
        criticality: weight.criticality,
        birnbaum: weight.birnbaum.value,
    }
}

/// What is at stake with each item, for services whose hour has a value. Currencies are kept apart.
fn stakes(chances: &Chances<'_>, view: &View, weights: &[(ItemIx, Importance)], most: usize) -> Vec<StakeLine> {
    let worth: Vec<(Money, &Importance)> =
        weights.iter().filter_map(|(service, found)| Some((value_per_hour(view, *service)?, found))).collect();
    let currencies: std::collections::BTreeSet<&str> = worth.iter().map(|(value, _)| value.currency.as_str()).collect();
    let of = |currency: &str| {
        let valued: Vec<(f64, &Importance)> = worth
            .iter()
            .filter(|(value, _)| value.currency == currency)
            .map(|(value, found)| (value.amount, *found))
            .collect();
        let currency = currency.to_owned();
        keelson_analysis::importance::value_at_risk(&valued).into_iter().take(most).map(move |(item, amount)| {
            StakeLine { subject: chances.subject(item), value_per_hour: Money { amount, currency: currency.clone() } }
        })
    };
    currencies.into_iter().flat_map(of).collect()
}
