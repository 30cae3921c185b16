//! Whose failure alone fells a service, what each item can take down alone, and which change removes
//! most of that (analyses 2.5).
//!
//! A service has failed when it delivers less than it must; where nobody says how much that is, when it delivers nothing.
//! A soft need takes part only where it alone brings that about. Where facts are missing, points that are there
//! however the doubts are settled are certain, those that are there for some way of settling them are
//! possible; they are told apart.

mod fixes;
mod gains;
mod levels;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::single_points::{Cut, Question, SinglePoints, single_points_of};
use keelson_analysis::{Limits, Pool, Reading};
use keelson_graph::ItemIx;
use keelson_model::Criticality;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{Money, Worth, value_per_hour};
use crate::impact::{ImpactQuestion, ProofText, assess, proof_lines};
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View, item};

pub use fixes::{FixEffect, FixLine};
pub use gains::HoursChange;
pub(crate) use levels::{Level, levels, points_at_levels};

/// Lines of a proof.
const MOST_LINES: usize = 60;

/// Which single points of failure are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SinglePointsQuestion {
    /// The services, or other items, by key; empty means every service.
    pub services: Vec<String>,
    /// What is down already, by key.
    pub down: Vec<String>,
    /// Whether what is known to be down now counts as down.
    pub with_disruptions: bool,
    /// Most services, points of a service, and items listed.
    pub most: usize,
    /// Most points that a proof is written for.
    pub proofs: usize,
    /// Most changes proposed; 0 leaves the search for them out.
    pub fixes: usize,
}

/// A single point of failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// Why its failure fells the service, line by line; empty where no proof was asked for or the facts
    /// are in doubt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<ProofText>,
}

/// The single points of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServicePoints {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// What an hour without it costs, where stated.
    pub value_per_hour: Option<Money>,
    /// Whether it has failed by what is down already; then there are no points to name.
    pub has_failed: bool,
    /// Whether a limit was hit before its turn came; then nothing is known about it.
    pub is_unknown: bool,
    /// How many points are certain.
    pub certain_count: usize,
    /// How many more are possible.
    pub possible_count: usize,
    /// Points that are there however doubts are settled.
    pub certain: Vec<PointLine>,
    /// Points that are there if doubts are settled badly.
    pub possible: Vec<PointLine>,
}

/// What one item takes down alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FellingLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// How many of the services it fells for certain.
    pub service_count: usize,
    /// The first of them, by key.
    pub services: Vec<String>,
    /// What an hour without them costs, by currency, where stated.
    pub value_per_hour: Vec<Money>,
    /// How many more of them it may fell.
    pub possible_count: usize,
}

/// Single points of failure, by service and by item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SinglePointsAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// What was down already, by key.
    pub down: Vec<String>,
    /// How many services were looked at.
    pub service_count: usize,
    /// How many of them have a certain single point.
    pub exposed_count: usize,
    /// The services, those worth most first, then the most critical.
    pub services: Vec<ServicePoints>,
    /// How many items take a service down alone.
    pub item_count: usize,
    /// The items, those whose services are worth most first, then those that take most down.
    pub items: Vec<FellingLine>,
    /// Changes that remove points, the best first.
    pub fixes: Vec<FixLine>,
}

/// Services that are looked at alone where all at once take too much.
const MOST_ALONE: usize = 20;

/// What is looked at, in order.
struct Watched {
    item: ItemIx,
    value: Option<Money>,
    certain: SinglePoints,
    /// The points beyond the certain ones.
    possible: Vec<ItemIx>,
    /// Whether a limit was hit before its turn came, in one reading or the other.
    is_unknown: bool,
    /// Whether it has failed already where doubts are settled badly, and only there: then nothing more fells it.
    may_have_failed: bool,
}

impl Watched {
    /// A service with its points, doubts read well and badly.
    fn of(view: &View, item: ItemIx, (certain, at_worst): (SinglePoints, SinglePoints)) -> Self {
        let is_unknown = certain.is_cut || at_worst.is_cut;
        let may_have_failed = at_worst.has_failed && !certain.has_failed;
        let is_new = |point: &ItemIx| certain.items.binary_search(point).is_err();
        let possible = at_worst.items.into_iter().filter(is_new).collect();
        Self { item, value: value_per_hour(view, item), certain, possible, is_unknown, may_have_failed }
    }
}

/// Finds the single points of failure of services.
///
/// # Errors
/// When something asked about is unknown or takes no part in analyses.
pub fn single_points(
    view: &View,
    question: &SinglePointsQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<SinglePointsAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let services = services(view, &question.services)?;
    let down = down(view, question, asked)?;
    let loaded = view.loaded_beneath(&services);
    let view = &loaded.view;
    loaded.note(&mut basis);
    let read = |reading| {
        let walk = Question { reading, stop, ..Question::default() };
        points_at_levels(view, &view.graph, &services, &walk, &down)
    };
    let (certain, pass) = read(Reading::Optimistic)?;
    // With nothing in doubt anywhere, both readings are the same.
    let is_doubtful = in_doubt(view);
    let (at_worst, second) = if is_doubtful { read(Reading::Pessimistic)? } else { (certain.clone(), pass) };
    let both = certain.into_iter().zip(at_worst);
    let mut watched: Vec<Watched> =
        services.iter().zip(both).map(|(item, points)| Watched::of(view, *item, points)).collect();
    let worth = Worth::of(watched.iter().filter_map(|one| one.value.clone()));
    worth.note(&mut basis);
    rank(view, &worth, &mut watched);
    if pass.cut.or(second.cut).is_some_and(|cut| cut != Cut::Stopped) {
        one_by_one(view, (&mut watched, question.most), is_doubtful, &down, stop)?;
        rank(view, &worth, &mut watched);
    }
    note(&mut basis, pass.cut.or(second.cut), &watched);
    note_failed(&mut basis, view, &watched);
    let (item_count, items) = felling(view, &watched, question.most);
    basis.page("services", question.most.min(watched.len()), watched.len());
    basis.page("items", items.len(), item_count);
    let mut rests = vec![false; view.graph.slots()];
    services.iter().copied().chain(all_points(&watched)).for_each(|one| rests[one.index()] = true);
    basis.rests_on(view, view.graph.item_numbers().filter(|one| rests[one.index()]).map(ci_of), asked);
    let fixes = fixes::propose(view, question, &watched, &down, stop, &mut basis)?;
    let proofs = Proofs { view, asked, pool, left: question.proofs, by_point: HashMap::new() };
    let services = lines(view, &watched, question.most, proofs)?;
    Ok(SinglePointsAnswer {
        basis,
        down: down.iter().map(|item| key_of(&view.catalogue, *item)).collect(),
        service_count: watched.len(),
        exposed_count: watched.iter().filter(|one| !one.certain.items.is_empty()).count(),
        services,
        item_count,
        items,
        fixes,
    })
}

/// Whether anything of any need is in doubt.
fn in_doubt(view: &View) -> bool {
    let doubted = |need| view.graph.need(need).detail.is_some_and(|detail| !detail.doubt.is_none());
    view.graph.item_numbers().any(|item| view.graph.counted_needs(item).any(doubted))
}

fn all_points(watched: &[Watched]) -> impl Iterator<Item = ItemIx> + '_ {
    watched.iter().flat_map(|one| one.certain.items.iter().chain(&one.possible)).copied()
}

/// The items asked about, each once: those named, or every service in service.
pub(crate) fn services(view: &View, keys: &[String]) -> Result<Vec<ItemIx>, QuestionError> {
    let mut found: Vec<ItemIx> = if keys.is_empty() {
        view.graph.item_numbers().filter(|item| view.is_service(ci_of(*item))).collect()
    } else {
        keys.iter().map(|key| find_item(view, key)).collect::<Result<_, _>>()?
    };
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What counts as down: what is named, and what is known to be wholly down at the time asked about.
fn down(view: &View, question: &SinglePointsQuestion, asked: Asked) -> Result<Vec<ItemIx>, QuestionError> {
    let mut down = question.down.iter().map(|key| find_item(view, key)).collect::<Result<Vec<_>, _>>()?;
    if question.with_disruptions {
        let now = |from, until: Option<_>| from <= asked.at && until.is_none_or(|until| asked.at < until);
        let there = view.catalogue.disruptions().map(|kept| &kept.record);
        let there = there.filter(|one| one.loss >= 1.0 && now(one.from, one.until));
        let found = there.filter_map(|one| view.catalogue.find_id(one.ci)).map(item);
        down.extend(found.filter(|item| view.graph.contains(*item)));
    }
    down.sort_unstable();
    down.dedup();
    Ok(down)
}

/// Where all at once take too much, the services worth most are looked at alone, within as much work again.
fn one_by_one(
    view: &View,
    (watched, most): (&mut [Watched], usize),
    is_doubtful: bool,
    down: &[ItemIx],
    stop: Option<&AtomicBool>,
) -> Result<(), QuestionError> {
    let mut left = Question::MAX_WORDS;
    for one in watched.iter_mut().filter(|one| one.is_unknown).take(most.min(MOST_ALONE)) {
        let level = view.breach_level(one.item);
        let mut read = |reading| -> Result<SinglePoints, QuestionError> {
            let walk = Question { level, reading, stop, max_words: left, ..Question::default() };
            let (mut found, pass) = single_points_of(&view.graph, &[one.item], &walk, down)?;
            left = left.saturating_sub(pass.words);
            Ok(found.remove(0))
        };
        let certain = read(Reading::Optimistic)?;
        let at_worst = if is_doubtful { read(Reading::Pessimistic)? } else { certain.clone() };
        *one = Watched::of(view, one.item, (certain, at_worst));
        if left == 0 || stop.is_some_and(|stop| stop.load(std::sync::atomic::Ordering::Relaxed)) {
            break;
        }
    }
    Ok(())
}

fn note(basis: &mut Basis, cut: Option<Cut>, watched: &[Watched]) {
    let unknown = watched.iter().filter(|one| one.is_unknown).count();
    let Some(cut) = cut.filter(|_| unknown > 0) else { return };
    let message = format!("single points of {unknown} of {} services are unknown: ask for them by name", watched.len());
    match cut {
        Cut::Stopped => basis.limit(LimitCode::Deadline, format!("the time for the answer was up: {message}")),
        _ => basis.limit(LimitCode::Items, format!("all at once take more work than is allowed: {message}")),
    }
}

/// Says which services may be breached already.
fn note_failed(basis: &mut Basis, view: &View, watched: &[Watched]) {
    let failed: Vec<&Watched> = watched.iter().filter(|one| one.may_have_failed).collect();
    if let [first, ..] = failed[..] {
        let message = format!(
            "{} services are breached with nothing more down if doubts turn out badly, '{}' first: what else may fell them is \
             not told",
            failed.len(),
            key_of(&view.catalogue, first.item)
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// Those worth most first, then the most critical, those with most points, and by key.
fn rank(view: &View, worth: &Worth, watched: &mut [Watched]) {
    watched.sort_by(|a, b| {
        let critical = |one: &Watched| view.brief(ci_of(one.item)).criticality;
        worth
            .compare(a.value.as_ref(), b.value.as_ref())
            .then_with(|| critical(b).cmp(&critical(a)))
            .then_with(|| b.certain.items.len().cmp(&a.certain.items.len()))
            .then_with(|| key_of(&view.catalogue, a.item).cmp(&key_of(&view.catalogue, b.item)))
    });
}

/// Writes proofs; what a point's loss costs is computed once.
struct Proofs<'a> {
    view: &'a View,
    asked: Asked,
    pool: &'a Pool,
    left: usize,
    by_point: HashMap<ItemIx, crate::impact::Assessment>,
}

impl Proofs<'_> {
    fn of(&mut self, service: ItemIx, point: ItemIx) -> Result<Vec<ProofText>, QuestionError> {
        if self.left == 0 {
            return Ok(Vec::new());
        }
        self.left -= 1;
        if !self.by_point.contains_key(&point) {
            let seeds = vec![(key_of(&self.view.catalogue, point), 1.0)];
            let question = ImpactQuestion { seeds, interval: None, budget: 0, limits: Limits::default() };
            self.by_point.insert(point, assess(self.view, &question, self.asked, self.pool)?);
        }
        Ok(proof_lines(&self.by_point[&point], service, MOST_LINES).0)
    }
}

fn lines(
    view: &View,
    watched: &[Watched],
    most: usize,
    mut proofs: Proofs<'_>,
) -> Result<Vec<ServicePoints>, QuestionError> {
    let catalogue = &view.catalogue;
    let mut lines = Vec::new();
    for one in watched.iter().take(most) {
        let mut certain = Vec::new();
        for point in one.certain.items.iter().take(most) {
            let subject = Subject::of(catalogue, ci_of(*point));
            certain.push(PointLine { subject, proof: proofs.of(one.item, *point)? });
        }
        let doubtful = |point: &ItemIx| PointLine { subject: Subject::of(catalogue, ci_of(*point)), proof: Vec::new() };
        certain.sort_by(|a, b| a.subject.cmp(&b.subject));
        let mut possible: Vec<PointLine> = one.possible.iter().take(most).map(doubtful).collect();
        possible.sort_by(|a, b| a.subject.cmp(&b.subject));
        lines.push(ServicePoints {
            subject: Subject::of(catalogue, ci_of(one.item)),
            criticality: view.brief(ci_of(one.item)).criticality,
            value_per_hour: one.value.clone(),
            has_failed: one.certain.has_failed,
            is_unknown: one.is_unknown,
            certain_count: one.certain.items.len(),
            possible_count: one.possible.len(),
            certain,
            possible,
        });
    }
    Ok(lines)
}

/// What each item fells.
#[derive(Default)]
struct Felled {
    service_count: usize,
    /// The first of them.
    services: Vec<ItemIx>,
    /// What an hour without them costs, by the number of the currency.
    value: Vec<Option<f64>>,
    possible: usize,
}

/// What every item fells, those first that a service was seen to rest on first.
struct Fellings<'a> {
    currencies: Vec<&'a str>,
    /// The row of each item, by its number.
    rows: Vec<Option<usize>>,
    felled: Vec<(ItemIx, Felled)>,
}

impl<'a> Fellings<'a> {
    /// Counts what services rest on, of whose names the first are kept.
    fn of(view: &View, watched: &'a [Watched], most: usize) -> Self {
        let mut all = Self { currencies: Vec::new(), rows: vec![None; view.graph.slots()], felled: Vec::new() };
        for one in watched {
            let value = one.value.as_ref().map(|value| (all.currency(&value.currency), value.amount));
            for point in &one.certain.items {
                let felled = all.row(*point);
                felled.service_count += 1;
                if felled.services.len() < most {
                    felled.services.push(one.item);
                }
                if let Some((currency, amount)) = value {
                    felled.value.resize(felled.value.len().max(currency + 1), None);
                    *felled.value[currency].get_or_insert_default() += amount;
                }
            }
            for point in &one.possible {
                all.row(*point).possible += 1;
            }
        }
        all
    }

    /// The number of a currency.
    fn currency(&mut self, name: &'a str) -> usize {
        self.currencies.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.currencies.push(name);
            self.currencies.len() - 1
        })
    }

    fn row(&mut self, item: ItemIx) -> &mut Felled {
        let row = *self.rows[item.index()].get_or_insert_with(|| {
            self.felled.push((item, Felled::default()));
            self.felled.len() - 1
        });
        &mut self.felled[row].1
    }
}

/// What each item takes down alone: how many items do, and the first of them.
fn felling(view: &View, watched: &[Watched], most: usize) -> (usize, Vec<FellingLine>) {
    let Fellings { currencies, felled, .. } = Fellings::of(view, watched, most);
    let key = |item: ItemIx| view.catalogue.ci(ci_of(item)).key.as_str();
    let worth = |felled: &Felled| felled.value.iter().flatten().copied().fold(0.0, f64::max);
    let mut ranked: Vec<(ItemIx, Felled)> = felled.into_iter().filter(|(_, felled)| felled.service_count > 0).collect();
    let count = ranked.len();
    ranked.sort_by(|(a, left), (b, right)| {
        worth(right)
            .total_cmp(&worth(left))
            .then_with(|| right.service_count.cmp(&left.service_count))
            .then_with(|| key(*a).cmp(key(*b)))
    });
    let money = |value: &[Option<f64>]| -> Vec<Money> {
        let stated = currencies.iter().zip(value);
        let stated =
            stated.filter_map(|(name, value)| value.map(|amount| Money { amount, currency: (*name).to_owned() }));
        let mut money: Vec<Money> = stated.collect();
        money.sort_by(|a, b| a.currency.cmp(&b.currency));
        money
    };
    let line = |(point, felled): (ItemIx, Felled)| FellingLine {
        subject: Subject::of(&view.catalogue, ci_of(point)),
        service_count: felled.service_count,
        services: felled.services.iter().map(|item| key_of(&view.catalogue, *item)).collect(),
        value_per_hour: money(&felled.value),
        possible_count: felled.possible,
    };
    (count, ranked.into_iter().take(most).map(line).collect())
}
