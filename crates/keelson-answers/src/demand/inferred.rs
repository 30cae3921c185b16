//! Ratios that nobody states and that measurements tell (analyses 4.1).
//!
//! What is asked of a component was measured, or how much of its capacity is in use where that is a rate, and so was what
//! is asked of everything that uses it. Then the demand on
//! the component, less what the stated ratios explain, is fitted as a sum of the demands on those of its dependents that
//! state no ratio, each times a factor that is not below 0, over the daily peaks of days on which all were measured.
//!
//! Nothing is inferred where that would credit one dependent with what another takes: when a dependent of the component
//! is not measured; when days are too few; when the demands of dependents move together, so that their factors cannot be
//! told apart (the fit over every other day gives others); or when the fit explains too little. Then the relationship
//! stays without a ratio, and says why. The measured demand on a service is what comes from outside, not what other
//! services ask of it; so nothing is inferred about services, nor from those that have dependents themselves.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use keelson_analysis::demand::{Origin, Visit};
use keelson_forecast::nnls::{Fit, fit};
use keelson_graph::ItemIx;
use keelson_model::Metric;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Given;
use crate::attributes::capacity;
use crate::series::{DailySeries, demand_series, use_series};
use crate::subject::{ci_of, key_of};
use crate::{Basis, LimitCode, View, item};

/// Days that are looked at, the last ones.
const MOST_DAYS: usize = 400;
/// Days on which everything must have been measured,
const LEAST_DAYS: usize = 28;
/// and so many for each ratio that is looked for.
const DAYS_EACH: usize = 7;
/// The part of the variation that a fit must explain.
const LEAST_EXPLAINED: f64 = 0.8;
/// What a ratio accounts for may differ by this part of the load between halves of the days.
const MOST_DIFFERENCE: f64 = 0.1;
/// Dependents of one component that are fitted together.
const MOST_DEPENDENTS: usize = 20;
/// Ratios that are not taken and named.
const MOST_NAMED: usize = 5;
/// Components that are looked at.
const MOST_COMPONENTS: usize = 1_000;

/// A ratio that was inferred from measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InferredLine {
    /// The dependent, by key.
    pub dependent: String,
    /// The dependency, by key.
    pub dependency: String,
    /// How many units of the dependency one unit of the dependent takes.
    pub ratio: f64,
    /// How much of the variation of what is asked of the dependency the fit explains, at most 1 (R²).
    pub explained: f64,
    /// How many days it rests on.
    pub days: usize,
}

/// What measurements tell of ratios.
#[derive(Debug, Default)]
pub(crate) struct Inferred {
    /// The ratios found.
    pub(crate) visits: Vec<Visit>,
    /// The same in words.
    pub(crate) lines: Vec<InferredLine>,
    /// Why none was found between a dependent and a dependency that was measured.
    pub(crate) refused: BTreeMap<(ItemIx, ItemIx), String>,
    /// Stated ratios that are not taken, each with the reason.
    pub(super) set_aside: Vec<String>,
    /// Components that were not looked at.
    left_out: usize,
}

/// Infers ratios between items that state none.
pub(super) fn infer(view: &View, given: &Given, now: DateTime<Utc>) -> Inferred {
    let mut inferred = Inferred::default();
    let measured = view.measured(Metric::Demand).chain(view.measured(Metric::Utilisation));
    let components: BTreeSet<ItemIx> = measured.filter(|ix| !view.is_service(*ix)).map(item).collect();
    for (place, member) in components.into_iter().filter(|one| view.graph.contains(*one)).enumerate() {
        if place >= MOST_COMPONENTS {
            inferred.left_out += 1;
            continue;
        }
        let mut owners: Vec<ItemIx> =
            view.graph.owners(member).iter().copied().filter(|owner| *owner != member).collect();
        owners.sort_unstable();
        owners.dedup();
        owners.retain(|owner| view.graph.members(*owner).contains(&member));
        let (rated, unrated): (Vec<ItemIx>, Vec<ItemIx>) =
            owners.into_iter().partition(|owner| given.contains_key(&(*owner, member)));
        if unrated.is_empty() {
            continue;
        }
        match component(view, given, (member, &rated, &unrated), now) {
            Ok(found) => inferred.take(view, member, &unrated, &found),
            Err(reason) => {
                inferred.refused.extend(unrated.iter().map(|owner| ((*owner, member), reason.clone())));
            }
        }
    }
    inferred
}

/// The fit for one component.
fn component(
    view: &View,
    given: &Given,
    (member, rated, unrated): (ItemIx, &[ItemIx], &[ItemIx]),
    now: DateTime<Utc>,
) -> Result<Fit, String> {
    if unrated.len() > MOST_DEPENDENTS {
        return Err(format!("more than {MOST_DEPENDENTS} of its dependents state no ratio"));
    }
    let series = &*asked_of(view, member, now)?;
    let mut load = last_days(series);
    for owner in rated {
        let ratio = given.get(&(*owner, member)).map_or(0.0, |(ratio, _)| *ratio);
        if ratio > 0.0 {
            let column = aligned(whole(view, *owner, now)?, series);
            load = load.iter().zip(column).map(|(load, used)| load - ratio * used).collect();
        }
    }
    let mut columns = Vec::new();
    for owner in unrated {
        columns.push(aligned(whole(view, *owner, now)?, series));
    }
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    judged(&columns, &load)
}

/// What is asked of a component by day: the measured demand on it, or else the measured share of its capacity, if that is
/// so much in a time. What is stored or held is not asked for anew every day, so that it tells no ratio.
fn asked_of(view: &View, member: ItemIx, now: DateTime<Utc>) -> Result<Cow<'_, DailySeries>, String> {
    if let Some(series) = demand_series(view, member, now)? {
        return Ok(Cow::Borrowed(series));
    }
    let used = use_series(view, member, now)?.ok_or_else(|| "it is not measured".to_owned())?;
    let capacity = capacity(view, member)
        .ok_or_else(|| "its use is measured, and it states no capacity: how much that is, nobody knows".to_owned())?;
    if !capacity.unit.contains('/') {
        return Err(format!("its use is measured in {}, which is held rather than asked for", capacity.unit));
    }
    let values = used.series.values.iter().map(|value| value * used.scale * capacity.value).collect();
    Ok(Cow::Owned(DailySeries { unit: capacity.unit, values, ..used.series.clone() }))
}

/// The measured demand on a dependent, if that is all that is asked of it.
fn whole(view: &View, owner: ItemIx, now: DateTime<Utc>) -> Result<&DailySeries, String> {
    let key = key_of(&view.catalogue, owner);
    if view.is_service(ci_of(owner)) && !view.graph.owners(owner).is_empty() {
        return Err(format!("others need '{key}' as well, and what they ask of it is not in its measured demand"));
    }
    demand_series(view, owner, now)?.ok_or_else(|| format!("'{key}' uses it too, and is not measured"))
}

fn last_days(series: &DailySeries) -> Vec<f64> {
    series.values[series.values.len().saturating_sub(MOST_DAYS)..].to_vec()
}

/// The values of a series on the last days of another one; NaN where it has none.
fn aligned(series: &DailySeries, days: &DailySeries) -> Vec<f64> {
    let from = days.values.len().saturating_sub(MOST_DAYS);
    let ahead = (days.first - series.first).num_days();
    let value = |place: usize| {
        let at = i64::try_from(place).ok()?.checked_add(ahead)?;
        series.values.get(usize::try_from(at).ok()?).copied()
    };
    (from..days.values.len()).map(|place| value(place).unwrap_or(f64::NAN)).collect()
}

/// The fit, where it is good enough to be told.
fn judged(columns: &[&[f64]], load: &[f64]) -> Result<Fit, String> {
    let need = LEAST_DAYS.max(DAYS_EACH * columns.len());
    let complete = |day: usize| !load[day].is_nan() && columns.iter().all(|column| !column[day].is_nan());
    let days: Vec<usize> = (0..load.len()).filter(|day| complete(*day)).collect();
    if days.len() < need {
        return Err(format!("{} days on which all were measured are too few; {need} are needed", days.len()));
    }
    let found = fit(columns, load).map_err(|error| error.to_string())?;
    if !found.is_settled || !found.undetermined.is_empty() {
        return Err("the demands of its dependents move together: their ratios cannot be told apart".to_owned());
    }
    match found.determination {
        None => return Err("what is asked of it does not vary, so that nothing can be told from it".to_owned()),
        Some(explained) if explained < LEAST_EXPLAINED => {
            let percent = (explained * 100.0).max(0.0);
            return Err(format!(
                "its dependents explain {percent:.0} % of how what is asked of it varies; {:.0} % are needed",
                LEAST_EXPLAINED * 100.0
            ));
        }
        Some(_) => {}
    }
    if is_steady(&found, columns, load, &days) {
        Ok(found)
    } else {
        Err("the demands of its dependents move nearly together: halves of the days give other ratios".to_owned())
    }
}

/// Whether every other day says the same.
fn is_steady(found: &Fit, columns: &[&[f64]], load: &[f64], days: &[usize]) -> bool {
    let sum = |values: &[f64]| days.iter().map(|day| values[*day]).sum::<f64>();
    let all = sum(load);
    [0, 1].into_iter().all(|from| {
        let half: Vec<usize> = days.iter().copied().skip(from).step_by(2).collect();
        let pick = |values: &[f64]| half.iter().map(|day| values[*day]).collect::<Vec<f64>>();
        let picked: Vec<Vec<f64>> = columns.iter().map(|column| pick(column)).collect();
        let picked: Vec<&[f64]> = picked.iter().map(Vec::as_slice).collect();
        fit(&picked, &pick(load)).is_ok_and(|other| {
            let pairs = columns.iter().zip(found.factors.iter().zip(&other.factors));
            pairs.into_iter().all(|(column, (a, b))| (a - b).abs() * sum(column) <= MOST_DIFFERENCE * all)
        })
    })
}

impl Inferred {
    fn take(&mut self, view: &View, member: ItemIx, owners: &[ItemIx], found: &Fit) {
        for (owner, ratio) in owners.iter().zip(&found.factors) {
            if *ratio <= 0.0 {
                let reason = "nothing of what is asked of it follows the demand on this dependent".to_owned();
                self.refused.insert((*owner, member), reason);
                continue;
            }
            self.visits.push(Visit { owner: *owner, member, ratio: *ratio, origin: Origin::Inferred });
            self.lines.push(InferredLine {
                dependent: key_of(&view.catalogue, *owner),
                dependency: key_of(&view.catalogue, member),
                ratio: *ratio,
                explained: found.determination.unwrap_or(0.0),
                days: found.points,
            });
        }
    }

    /// Says which stated ratios are not taken, how many are inferred, and how well those explain what was measured.
    pub(crate) fn note(&self, basis: &mut Basis) {
        for reason in self.set_aside.iter().take(MOST_NAMED) {
            basis.limit(LimitCode::FigureMissing, reason.clone());
        }
        if let Some(more) = self.set_aside.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
            let message = format!("{more} more ratios of visits are not taken, for the same reasons");
            basis.limit(LimitCode::FigureMissing, message);
        }
        if let Some(worst) = self.lines.iter().min_by(|a, b| a.explained.total_cmp(&b.explained)) {
            let message = format!(
                "{} ratios of visits are inferred from measurements: each fit explains {:.0} % or more of how what is asked \
                 of the dependency varies, least that of '{}' on '{}'",
                self.lines.len(),
                (worst.explained * 100.0).floor(),
                worst.dependent,
                worst.dependency
            );
            basis.limit(LimitCode::FigureMissing, message);
        }
        if self.left_out > 0 {
            let message =
                format!("{} measured components were not searched for ratios: there are too many", self.left_out);
            basis.limit(LimitCode::Items, message);
        }
    }
}
