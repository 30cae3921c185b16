//! How much of everything the demand on services takes (analyses 4.1).
//!
//! A relationship states by its attribute `visits` how many units of the dependency one unit of the dependent takes. Times
//! in which each side is counted are converted: with a ratio of 1, 100 messages a second are 8 640 000 messages a day.
//! Demand comes from outside on services, by their attribute `peak_demand`; what is supposed multiplies it. A
//! relationship without a ratio takes one that measurements tell, where they do ([`InferredLine`]); otherwise it hands on
//! nothing, and is listed.

mod inferred;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use keelson_analysis::demand::{Amounts, DemandError, Gain, Model, Origin, Source, Visit, Visits};
use keelson_analysis::{Limits, Pool};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use keelson_model::unit::time_base;
use keelson_model::{Standing, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use inferred::Inferred;
pub use inferred::InferredLine;

use crate::attributes::{Amount, amount, capacity};
use crate::series::{DailySeries, demand_series, demand_unit};
use crate::single_points::services;
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View, item};

/// The attribute of a relationship that states how many units of the dependency a unit of the dependent takes.
pub const VISITS: &str = "visits";
/// Items of a path that find room.
const LONGEST_PATH: usize = 20;
/// Items of a loop that find room.
const MOST_OF_A_LOOP: usize = 20;

/// Whose demand is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DemandQuestion {
    /// The services whose demand counts, by key; empty means every service.
    pub services: Vec<String>,
    /// Only these items are listed, by key; empty means every item with demand.
    pub items: Vec<String>,
    /// Most items listed.
    pub most: usize,
}

/// Demand on a service from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceLine {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// Its demand at its peak, with what is supposed; absent where nobody states one.
    pub demand: Option<Amount>,
    /// Whether it was measured: the highest daily peak of the last four weeks of its series. Otherwise it is stated.
    pub is_measured: bool,
    /// What the demand is multiplied by; 1 where nothing is supposed.
    pub factor: f64,
    /// Why its demand is left out: it reaches a loop that calls itself more often than it is called.
    pub left_out: Option<String>,
}

/// Demand on an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DemandLine {
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// The demand on it, in its own unit.
    pub demand: f64,
    /// Its capacity, where stated.
    pub capacity: Option<Amount>,
    /// Demand by capacity, where a capacity is stated.
    pub utilisation: Option<f64>,
    /// What one more unit of the service takes of it; only where one service is asked about.
    pub sensitivity: Option<f64>,
    /// The way by which most of its demand comes, from a service down to it, by key.
    pub path: Vec<String>,
    /// Whether a ratio on the way was inferred from measurements.
    pub is_inferred: bool,
}

/// A loop that passes demand on to itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoopLine {
    /// Its items, by key; the first 20.
    pub items: Vec<String>,
    /// How many items it has.
    pub size: usize,
    /// Each round gives at least so many rounds more.
    pub gain_low: f64,
    /// Each round gives at most so many rounds more.
    pub gain_high: f64,
    /// Whether it calls itself more often than it is called, or cannot be shown not to.
    pub is_amplifying: bool,
}

/// A relationship without a ratio, below an item that has demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnratedLine {
    /// The dependent, by key.
    pub dependent: String,
    /// The dependency, by key.
    pub dependency: String,
    /// Why none was inferred; only where what is asked of the dependency was measured.
    pub reason: Option<String>,
}

/// How much of everything the demand on services takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DemandAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The services, and what is asked of them.
    pub services: Vec<SourceLine>,
    /// How many items have demand.
    pub item_count: usize,
    /// The items with demand, those most used first, then those without a capacity.
    pub items: Vec<DemandLine>,
    /// Loops, the amplifying ones first.
    pub loops: Vec<LoopLine>,
    /// How many relationships below an item with demand state no ratio.
    pub unrated_count: usize,
    /// The first of them.
    pub unrated: Vec<UnratedLine>,
    /// The ratios that were inferred from measurements.
    pub inferred: Vec<InferredLine>,
    /// How many items with demand state no capacity; services left out.
    pub without_capacity_count: usize,
}

/// Demand from outside, as catalogues state it and suppositions change it.
pub(crate) struct Outside {
    /// The services asked about with their stated demand.
    pub(crate) lines: Vec<SourceLine>,
    /// Those that have one and reach no amplifying loop.
    pub(crate) sources: Vec<Source>,
    /// Series that were not taken for what is asked now, each with the reason.
    pub(crate) set_aside: Vec<String>,
}

/// Ratios that are stated, by dependent and dependency.
type Given = BTreeMap<(ItemIx, ItemIx), (f64, Origin)>;

/// The ratios that live relationships state, and those that measurements tell where they state none.
///
/// A ratio that means nothing, or between items that do not need each other, counts as not stated, and is named.
///
/// # Errors
/// When a number means nothing that was inferred.
pub(crate) fn visits(view: &View, now: DateTime<Utc>) -> Result<(Visits, Inferred), QuestionError> {
    let (given, set_aside) = stated(view);
    let mut inferred = inferred::infer(view, &given, now);
    inferred.set_aside = set_aside;
    let given = given.into_iter().map(|((owner, member), (ratio, origin))| Visit { owner, member, ratio, origin });
    let all = given.chain(std::mem::take(&mut inferred.visits)).collect();
    let visits = Visits::new(&view.graph, all).map_err(|error| refused(view, &error))?;
    Ok((visits, inferred))
}

/// The ratios that are stated; and in words those that are set aside.
fn stated(view: &View) -> (Given, Vec<String>) {
    let (mut given, mut set_aside, mut times) = (Given::new(), Vec::new(), BTreeMap::new());
    for (_, slot) in view.catalogue.relationships() {
        if slot.relationship.standing != Standing::Live {
            continue;
        }
        let (owner, member) = (item(slot.dependent), item(slot.dependency));
        if !view.graph.contains(owner) || !view.graph.contains(member) {
            continue;
        }
        let (mut is_needed, mut known) = (None, None::<(f64, Origin)>);
        for claim in slot.relationship.live_claims() {
            let Some(stated) = claim.attributes.get(VISITS) else { continue };
            if !*is_needed.get_or_insert_with(|| view.graph.members(owner).contains(&member)) {
                // A supposition may have taken the need away.
                if !view.is_altered {
                    set_aside.push(unneeded(view, owner, member));
                }
                break;
            }
            let Some(ratio) = stated.as_f64().filter(|ratio| *ratio >= 0.0 && ratio.is_finite()) else {
                set_aside.push(no_ratio(view, (owner, member), stated));
                continue;
            };
            let origin = match claim.basis {
                keelson_model::Basis::Declared => Origin::Given,
                keelson_model::Basis::Observed => Origin::Inferred,
            };
            match known {
                None => known = Some((ratio, origin)),
                // What somebody says is taken before what was inferred.
                Some((_, Origin::Inferred)) if origin == Origin::Given => known = Some((ratio, origin)),
                Some((taken, Origin::Given)) if origin == Origin::Given && taken.to_bits() != ratio.to_bits() => {
                    set_aside.push(differing(view, (owner, member), (taken, ratio)));
                    // The larger one is the safe side.
                    known = Some((taken.max(ratio), origin));
                }
                Some(_) => {}
            }
        }
        // Relationships of several kinds between the same two are several uses: they add up.
        if let Some((ratio, origin)) = known {
            let [from, to] = [owner, member].map(|one| *times.entry(one).or_insert_with(|| seconds(view, one)));
            // A ratio says how many units are taken for a unit, whatever the time in which each is counted.
            let ratio = ratio * from.zip(to).map_or(1.0, |(from, to)| to / from);
            let sum = given.entry((owner, member)).or_insert((0.0, Origin::Given));
            let is_given = sum.1 == Origin::Given && origin == Origin::Given;
            *sum = (sum.0 + ratio, if is_given { Origin::Given } else { Origin::Inferred });
        }
    }
    (given, set_aside)
}

/// The seconds in which amounts of an item are counted; absent where they are no rate. What states no unit counts in those
/// of its own kind of rate: one.
fn seconds(view: &View, one: ItemIx) -> Option<f64> {
    let unit = demand_unit(view, one).or_else(|| capacity(view, one).map(|capacity| capacity.unit));
    unit.map_or(Some(1.0), |unit| time_base(&unit))
}

fn differing(view: &View, (owner, member): (ItemIx, ItemIx), (a, b): (f64, f64)) -> String {
    format!(
        "sources state 'visits' of '{}' by '{}' as {a} and as {b}: the larger one is taken; let one of them state it",
        key_of(&view.catalogue, member),
        key_of(&view.catalogue, owner)
    )
}

fn unneeded(view: &View, owner: ItemIx, member: ItemIx) -> String {
    format!(
        "'{}' states 'visits' of '{}', but does not need it to keep running: the ratio is not taken; state what it needs, \
         or leave the ratio out",
        key_of(&view.catalogue, owner),
        key_of(&view.catalogue, member)
    )
}

fn no_ratio(view: &View, (owner, member): (ItemIx, ItemIx), stated: &Value) -> String {
    format!(
        "'{}' states 'visits' of '{}' as {stated}, which is no number of 0 or above: the ratio counts as not stated",
        key_of(&view.catalogue, owner),
        key_of(&view.catalogue, member)
    )
}

/// A question that cannot be answered, with keys instead of numbers.
pub(crate) fn refused(view: &View, error: &DemandError) -> QuestionError {
    let key = |item: ItemIx| key_of(&view.catalogue, item);
    match error {
        DemandError::Question(error) => QuestionError::Analysis(*error),
        DemandError::NoRelationship { owner, member } => QuestionError::Figures(format!(
            "'{}' states 'visits' of '{}', but does not need it to keep running: state what it needs, or leave the ratio out",
            key(*owner),
            key(*member)
        )),
        DemandError::BadNumber { what, item, value, wanted } => {
            QuestionError::Figures(format!("{what} of '{}' is {value}; it must be {wanted}", key(*item)))
        }
        DemandError::AmplifyingLoop { items, gain } => QuestionError::Figures(in_words(view, items, *gain)),
    }
}

fn in_words(view: &View, items: &[ItemIx], gain: Gain) -> String {
    let shown: Vec<String> = items.iter().take(MOST_OF_A_LOOP).map(|item| key_of(&view.catalogue, *item)).collect();
    format!(
        "it reaches an amplifying loop of {} items ({}): each round gives {:.3} to {:.3} rounds more; check its ratios",
        items.len(),
        shown.join(", "),
        gain.low,
        gain.high
    )
}

/// What a series says is asked at the peak now.
fn peak(series: &DailySeries) -> Option<Amount> {
    Some(Amount { value: series.recent_peak()?, unit: series.unit.clone() })
}

/// What is asked of services from outside. Those whose demand reaches an amplifying loop are left out and say so.
pub(crate) fn outside(
    view: &View,
    model: &Model<'_>,
    wanted: &[ItemIx],
    now: DateTime<Utc>,
    limits: &Limits<'_>,
) -> Result<Outside, QuestionError> {
    let amplifies = model.loops().any(|found| found.gain.high >= 1.0);
    let mut outside = Outside { lines: Vec::new(), sources: Vec::new(), set_aside: Vec::new() };
    for service in wanted {
        let factor = view.growth().map_or(1.0, |growth| growth.factor(CiIx(service.0)));
        let measured = demand_series(view, *service, now).unwrap_or_else(|reason| {
            outside.set_aside.push(reason);
            None
        });
        let measured = measured.and_then(peak);
        let is_measured = measured.is_some();
        let known = measured.or_else(|| amount(view, *service, "peak_demand"));
        let demand = known.map(|known| Amount { value: known.value * factor, ..known });
        let mut line = SourceLine {
            subject: Subject::of(&view.catalogue, ci_of(*service)),
            demand: demand.clone(),
            is_measured,
            factor,
            left_out: None,
        };
        if let Some(demand) = demand {
            let fails = if amplifies { model.taken_by(*service, limits).err() } else { None };
            match fails {
                Some(DemandError::AmplifyingLoop { items, gain }) => line.left_out = Some(in_words(view, &items, gain)),
                Some(error) => return Err(refused(view, &error)),
                None => outside.sources.push(Source { item: *service, demand: demand.value }),
            }
        }
        outside.lines.push(line);
    }
    Ok(outside)
}

/// The loops of a model, the amplifying ones first.
pub(crate) fn loops(view: &View, model: &Model<'_>) -> Vec<LoopLine> {
    let line = |items: &[ItemIx], gain: Gain| LoopLine {
        items: items.iter().take(MOST_OF_A_LOOP).map(|item| key_of(&view.catalogue, *item)).collect(),
        size: items.len(),
        gain_low: gain.low,
        gain_high: gain.high,
        is_amplifying: gain.high >= 1.0,
    };
    let mut found: Vec<LoopLine> = model.loops().map(|found| line(found.items, found.gain)).collect();
    found.sort_by(|a, b| b.gain_high.total_cmp(&a.gain_high).then_with(|| a.items.cmp(&b.items)));
    found
}

/// Says what of the demand is not known.
pub(crate) fn note(basis: &mut Basis, outside: &Outside, unrated: usize, without_capacity: usize) {
    let left_out = outside.lines.iter().filter(|line| line.left_out.is_some()).count();
    if left_out > 0 {
        let message = format!(
            "the demand on {left_out} services is left out: it reaches a loop that calls itself more often than it is called"
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
    if let [first, others @ ..] = &outside.set_aside[..] {
        let more = if others.is_empty() { String::new() } else { format!(", and so for {} more", others.len()) };
        basis.limit(LimitCode::FigureMissing, format!("{first}{more}"));
    }
    let unstated = outside.lines.iter().filter(|line| line.demand.is_none()).count();
    if unstated > 0 {
        basis.limit(
            LimitCode::FigureMissing,
            format!("{unstated} services state no demand: what they take is not counted"),
        );
    }
    if unrated > 0 {
        let message =
            format!("{unrated} relationships below an item with demand state no ratio of visits: loads may be higher");
        basis.limit(LimitCode::FigureMissing, message);
    }
    if without_capacity > 0 {
        basis.limit(LimitCode::FigureMissing, format!("{without_capacity} items with demand state no capacity"));
    }
}

/// Computes what the demand on services takes of everything.
///
/// # Errors
/// When something asked about is unknown, or a ratio means nothing.
pub fn demand(
    view: &View,
    question: &DemandQuestion,
    asked: Asked,
    _pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<DemandAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let limits = Limits { stop, ..Limits::default() };
    let wanted = services(view, &question.services)?;
    let only = question.items.iter().map(|key| find_item(view, key)).collect::<Result<Vec<_>, _>>()?;
    let (visits, inferred) = visits(view, asked.at)?;
    let model = Model::new(&view.graph, &visits, &limits);
    let outside = outside(view, &model, &wanted, asked.at, &limits)?;
    let amounts = model.demand(&outside.sources, &limits).map_err(|error| refused(view, &error))?;
    let taken = match (&question.services[..], &outside.sources[..]) {
        ([_], [one]) => Some(model.taken_by(one.item, &limits).map_err(|error| refused(view, &error))?),
        _ => None,
    };
    basis.truncated(amounts.truncations);
    let (unrated, without) = missing(view, &model, &amounts);
    note(&mut basis, &outside, unrated.len(), without);
    inferred.note(&mut basis);
    view.note_series(&mut basis);
    basis.rests_on(view, amounts.items().iter().copied().map(ci_of), asked);
    let listed = amounts.items().iter().copied().filter(|one| only.is_empty() || only.contains(one));
    let mut found: Vec<ItemIx> = listed.collect();
    let used = |one: ItemIx| capacity(view, one).map_or(-1.0, |capacity| amounts.of(one) / capacity.value);
    found.sort_by(|a, b| {
        used(*b).total_cmp(&used(*a)).then_with(|| key_of(&view.catalogue, *a).cmp(&key_of(&view.catalogue, *b)))
    });
    basis.page("items", question.most.min(found.len()), found.len());
    let line = |one: &ItemIx| demand_line(view, &model, &outside.sources, &amounts, taken.as_ref(), *one);
    Ok(DemandAnswer {
        services: outside.lines,
        item_count: found.len(),
        items: found.iter().take(question.most).map(line).collect(),
        loops: loops(view, &model),
        unrated_count: unrated.len(),
        unrated: unrated.iter().take(question.most).map(|pair| unrated_line(view, &inferred, *pair)).collect(),
        inferred: inferred.lines.into_iter().take(question.most).collect(),
        without_capacity_count: without,
        basis,
    })
}

/// A relationship without a ratio, and why none was inferred.
pub(crate) fn unrated_line(view: &View, inferred: &Inferred, (owner, member): (ItemIx, ItemIx)) -> UnratedLine {
    let key = |one: ItemIx| key_of(&view.catalogue, one);
    let reason = inferred.refused.get(&(owner, member)).cloned();
    UnratedLine { dependent: key(owner), dependency: key(member), reason }
}

/// Relationships without a ratio below an item with demand, and how many items with demand state no capacity.
fn missing(view: &View, model: &Model<'_>, amounts: &Amounts) -> (Vec<(ItemIx, ItemIx)>, usize) {
    let (mut unrated, mut without) = (Vec::new(), 0);
    for owner in amounts.items().iter().copied() {
        let is_known = |member: &ItemIx| model.visits().is_known(owner, *member);
        let mut members: Vec<ItemIx> =
            view.graph.members(owner).iter().copied().filter(|member| !is_known(member)).collect();
        members.sort_unstable();
        members.dedup();
        unrated.extend(members.into_iter().map(|member| (owner, member)));
        without += usize::from(!view.is_service(ci_of(owner)) && capacity(view, owner).is_none());
    }
    (unrated, without)
}

fn demand_line(
    view: &View,
    model: &Model<'_>,
    sources: &[Source],
    amounts: &Amounts,
    taken: Option<&Amounts>,
    one: ItemIx,
) -> DemandLine {
    let capacity = capacity(view, one);
    let path = model.main_path(sources, amounts, one, LONGEST_PATH);
    DemandLine {
        subject: Subject::of(&view.catalogue, ci_of(one)),
        demand: amounts.of(one),
        utilisation: capacity.as_ref().map(|capacity| amounts.of(one) / capacity.value),
        capacity,
        sensitivity: taken.map(|taken| taken.of(one)),
        is_inferred: path.windows(2).any(|step| model.visits().inferred(step[0]).any(|member| member == step[1])),
        path: path.into_iter().map(|item| key_of(&view.catalogue, item)).collect(),
    }
}
