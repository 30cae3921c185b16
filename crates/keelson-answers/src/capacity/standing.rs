//! Resources of which the use is measured or stated, and no demand is known: storage, licences, people.
//!
//! Their load is the measured use of their capacity, at its highest daily peak of the last four weeks, or else the stated
//! one. What is measured grows by its own forecast. Otherwise it is taken to grow as the fastest growing service does that
//! rests on it, or that it owns; that is the safe side, and told as inferred. Where no such service states its growth,
//! no date is told, and the answer says that it may run out all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use keelson_analysis::demand::plan::{Grounds, Plan, Row, exhaustion};
use keelson_analysis::{Limits, Scratch, closure};
use keelson_forecast::growth::{Exhaustion, Part, load_in};
use keelson_forecast::ladder::Band;
use keelson_graph::ItemIx;
use keelson_model::Metric;
use keelson_model::unit::factor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resources::{self, Known};
use super::{Demand, forecasts};
use crate::attributes::{Amount, amount, number};
use crate::series::{UseSeries, use_series};
use crate::subject::{ci_of, key_of};
use crate::supplier::sources;
use crate::{Basis, LimitCode, QuestionError, View, item};

/// Measured uses that are forecast; those most used first.
const MOST_FORECASTS: usize = 200;
/// Measured and modelled use may differ by this part of the larger one,
const TOLERANCE: f64 = 0.2;
/// and in any case by this share of the capacity.
const LEAST_TOLERANCE: f64 = 0.05;

/// What the load of a resource is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadBasis {
    /// The demand of services that reaches it.
    Demand,
    /// The use that was measured: the highest daily peak of the last four weeks.
    Measured,
    /// The use that somebody stated.
    Stated,
}

/// What was measured of the use of items.
pub(super) struct Uses<'a> {
    by_item: BTreeMap<ItemIx, (UseSeries<'a>, f64)>,
    /// Series that were not taken for what is asked now, each with the reason.
    set_aside: Vec<String>,
}

/// The forecast of the load of one resource.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// In the unit of its capacity.
    pub(super) band: Band,
    /// The day of its first step.
    pub(super) begins: DateTime<Utc>,
}

impl<'a> Uses<'a> {
    pub(super) fn of(view: &'a View, now: DateTime<Utc>) -> Self {
        let mut uses = Self { by_item: BTreeMap::new(), set_aside: Vec::new() };
        for one in view.measured(Metric::Utilisation).map(item).filter(|one| view.graph.contains(*one)) {
            match use_series(view, one, now) {
                Ok(Some(found)) => {
                    let peak = found.series.recent_peak().map(|peak| (found, peak * found.scale));
                    uses.by_item.extend(peak.filter(|(_, share)| *share >= 0.0).map(|found| (one, found)));
                }
                Ok(None) => {}
                Err(reason) => uses.set_aside.push(reason),
            }
        }
        uses
    }

    /// The share of its capacity that is in use at the peak, as measured.
    pub(super) fn share(&self, one: ItemIx) -> Option<f64> {
        self.by_item.get(&one).map(|(_, share)| *share)
    }

    /// The largest use, those first.
    fn largest(&self) -> Vec<ItemIx> {
        let mut items: Vec<(ItemIx, f64)> = self.by_item.iter().map(|(one, (_, share))| (*one, *share)).collect();
        items.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        items.into_iter().map(|(one, _)| one).collect()
    }

    fn forecast(&self, one: ItemIx, capacity: f64, days: usize) -> Option<(Own, Option<f64>)> {
        let (found, _) = self.by_item.get(&one)?;
        let forecast = forecasts::forecast_of(found.series, days)?;
        let growth = forecasts::growth_of(&forecast);
        let scale = found.scale * capacity;
        let band = Band::new(forecast.band.steps().iter().map(|step| step.map(|value| value * scale)).collect());
        Some((Own { band, begins: found.series.day(found.series.values.len()) }, growth))
    }

    /// Says which series were not taken.
    pub(super) fn note(&self, basis: &mut Basis) {
        if let [first, others @ ..] = &self.set_aside[..] {
            let more = if others.is_empty() { String::new() } else { format!(", and so for {} more", others.len()) };
            basis.limit(LimitCode::FigureMissing, format!("{first}{more}"));
        }
    }
}

/// Whether measured and modelled use, as shares of the capacity, differ by more than may be put down to measuring.
pub(super) fn disagree(measured: f64, modelled: f64) -> bool {
    are_apart(measured, modelled) && (measured - modelled).abs() > LEAST_TOLERANCE
}

/// Whether two figures of the same thing differ by more than a fifth of the larger one.
pub(super) fn are_apart(a: f64, b: f64) -> bool {
    (a - b).abs() > TOLERANCE * a.max(b)
}

/// Everything in service that has capacity and a known use, and no demand, in order of its number. What was measured of
/// something that states no capacity is a share of all there is of it.
fn standing(view: &View, uses: &Uses<'_>, one: ItemIx) -> Option<(Known, f64)> {
    let share = uses.share(one);
    let whole = || share.map(|_| Amount { value: 100.0, unit: "%".to_owned() });
    let mut known = resources::known(view, one).or_else(|| Some(resources::with(view, one, whole()?)))?;
    let capacity = known.capacity.value;
    if let Some(share) = share {
        known.load_basis = LoadBasis::Measured;
        return Some((known, share * capacity));
    }
    known.load_basis = LoadBasis::Stated;
    stated_use(view, one, &known.capacity).map(|used| (known, used))
}

/// How much of a capacity somebody states to be in use, in its unit.
fn stated_use(view: &View, one: ItemIx, capacity: &Amount) -> Option<f64> {
    let used = || {
        let used = amount(view, one, "used")?;
        Some(used.value * factor(&used.unit, &capacity.unit)?)
    };
    number(view, one, "utilisation").map(|used| used * capacity.value).or_else(used)
}

/// Adds the rows of everything whose use is known, and that has no demand or does not say how much there is of it.
pub(super) fn add(
    view: &View,
    demand: &Demand,
    (uses, days): (&Uses<'_>, usize),
    (known, found): (&mut Vec<Known>, &mut Plan),
    horizon: f64,
    limits: &Limits<'_>,
) -> Result<usize, QuestionError> {
    let has_row: BTreeSet<ItemIx> = known.iter().map(|one| one.resource.item).collect();
    let growths = growths(view, demand, limits);
    let is_left = |one: &ItemIx| !has_row.contains(one);
    let mut own: BTreeMap<ItemIx, (Own, Option<f64>)> = BTreeMap::new();
    let largest: Vec<ItemIx> = uses.largest().into_iter().filter(is_left).collect();
    for one in largest.iter().take(MOST_FORECASTS) {
        if limits.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            break;
        }
        let capacity = resources::known(view, *one).map_or(100.0, |known| known.capacity.value);
        own.extend(uses.forecast(*one, capacity, days).map(|forecast| (*one, forecast)));
    }
    for one in view.graph.item_numbers().filter(is_left) {
        let Some((mut resource, used)) = standing(view, uses, one) else { continue };
        let (forecast, itself) = own.remove(&one).map_or((None, None), |(own, growth)| (Some(own), growth));
        let growth = itself.or_else(|| growth(view, one, &growths));
        let grounds = Grounds { inferred: itself.is_none() && growth.is_some(), understated: growth.is_none() };
        found.rows.push(row((known.len(), &resource, used), growth, grounds, horizon)?);
        (resource.standing_growth, resource.own) = (Some(growth.unwrap_or(0.0)), forecast);
        known.push(resource);
    }
    Ok(largest.len().saturating_sub(MOST_FORECASTS))
}

/// Says what is not known of uses: how they grow, what a scenario makes of them, and where they contradict what demand
/// makes.
pub(super) fn note(
    basis: &mut Basis,
    view: &View,
    (rows, known): (&[&Row], &[Known]),
    (uses, unforecast): (&Uses<'_>, usize),
) {
    let standing: Vec<&Row> =
        rows.iter().copied().filter(|row| known[row.resource].standing_growth.is_some()).collect();
    let unknown = standing.iter().filter(|row| row.grounds.understated).count();
    if unknown > 0 {
        let message = format!(
            "{unknown} resources state their use, and no service that rests on them states how it grows: it counts as not \
             growing, so they may run out earlier"
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
    if unforecast > 0 {
        let message = format!(
            "{unforecast} measured uses are not forecast, those least used: they are taken to grow as services do"
        );
        basis.limit(LimitCode::ExactBudget, message);
    }
    uses.note(basis);
    contradicted(basis, view, &standing, known, uses);
    if is_supposing(view) {
        if !standing.is_empty() {
            let message = format!(
                "the use of {} resources is measured or stated as a whole: what is supposed of demand does not raise it",
                standing.len()
            );
            basis.limit(LimitCode::FigureMissing, message);
        }
        return;
    }
    let other = |row: &Row| {
        let known = &known[row.resource];
        let other = told_otherwise(view, uses, known).filter(|_| known.load_basis == LoadBasis::Demand);
        other.filter(|(share, _)| disagree(*share, row.utilisation))
    };
    let doubtful = rows.iter().filter_map(|row| Some((known[row.resource].resource.item, *row, other(row)?)));
    let doubtful: Vec<(ItemIx, &Row, (f64, &str))> = doubtful.collect();
    if let Some((item, first, (share, words))) = doubtful.first() {
        let (told, modelled) = (share * 100.0, first.utilisation * 100.0);
        let doubt = if told > modelled { "demand on it may be missing" } else { "ratios may be too high" };
        let message = format!(
            "the use of {} resources differs by more than a fifth from what demand makes of it: '{}' first, {told:.0} % {words} \
             and {modelled:.0} % computed, so {doubt}",
            doubtful.len(),
            key_of(&view.catalogue, *item),
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// Which share of its capacity is in use by something else than the demand on services: by its measured use, the demand
/// measured on it, or what is stated; and in words which of them.
fn told_otherwise(view: &View, uses: &Uses<'_>, known: &Known) -> Option<(f64, &'static str)> {
    let one = known.resource.item;
    if let Some(share) = uses.share(one) {
        return Some((share, "measured"));
    }
    let Amount { value: capacity, unit } = &known.capacity;
    let asked = view.series(ci_of(one), Metric::Demand).filter(|_| !view.is_service(ci_of(one)));
    let asked = asked.and_then(|series| Some(series.recent_peak()? * factor(&series.unit, unit)? / capacity));
    if let Some(share) = asked {
        return Some((share, "by the demand measured on it"));
    }
    stated_use(view, one, &known.capacity).map(|used| (used / capacity, "stated"))
}

/// Says which measured uses are far from what somebody states.
fn contradicted(basis: &mut Basis, view: &View, standing: &[&Row], known: &[Known], uses: &Uses<'_>) {
    let differing: Vec<(ItemIx, f64, f64)> = standing
        .iter()
        .filter_map(|row| {
            let item = known[row.resource].resource.item;
            let (measured, stated) = (uses.share(item)?, number(view, item, "utilisation")?);
            disagree(measured, stated).then_some((item, measured, stated))
        })
        .collect();
    if let Some((item, measured, stated)) = differing.first() {
        let message = format!(
            "the measured use of {} resources is another than is stated, '{}' first: {:.0} % measured, {:.0} % stated; what \
             was measured counts",
            differing.len(),
            key_of(&view.catalogue, *item),
            measured * 100.0,
            stated * 100.0
        );
        basis.remark(LimitCode::FigureMissing, message);
    }
}

/// Whether demand is supposed to be another than it is.
pub(super) fn is_supposing(view: &View) -> bool {
    view.growth().is_some_and(|growth| !growth.is_nothing())
}

/// Growth of demand by item: that of the fastest growing service resting on it.
pub(super) fn growths(view: &View, demand: &Demand, limits: &Limits<'_>) -> BTreeMap<ItemIx, f64> {
    let mut by_growth: BTreeMap<u64, (f64, Vec<ItemIx>)> = BTreeMap::new();
    for one in demand.growing.iter().filter(|one| !demand.silent.contains(&one.source.item)) {
        by_growth.entry(one.growth.to_bits()).or_insert_with(|| (one.growth, Vec::new())).1.push(one.source.item);
    }
    let mut levels: Vec<(f64, Vec<ItemIx>)> = by_growth.into_values().collect();
    levels.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut scratch = Scratch::default();
    let mut growths: BTreeMap<ItemIx, f64> = BTreeMap::new();
    for (growth, services) in levels {
        closure::walk(&view.graph, &mut scratch, &services, closure::Direction::Dependencies, limits);
        for met in scratch.met() {
            growths.entry(met).or_insert(growth);
        }
    }
    growths
}

/// How the stated use of something grows; absent where no service says so.
pub(super) fn growth(view: &View, one: ItemIx, growths: &BTreeMap<ItemIx, f64>) -> Option<f64> {
    growths.get(&one).copied().or_else(|| owned(view, one, growths))
}

/// The row of a resource, at a place among the resources.
fn row(
    (at, known, used): (usize, &Known, f64),
    growth: Option<f64>,
    grounds: Grounds,
    horizon: f64,
) -> Result<Row, QuestionError> {
    let parts = [Part { load: used, growth: growth.unwrap_or(0.0) }];
    let found = exhaustion(&parts, &known.resource, horizon);
    let exhaustion: Exhaustion = found.map_err(|error| QuestionError::Figures(error.to_string()))?;
    Ok(Row {
        resource: at,
        load: load_in(&parts, 0.0),
        utilisation: used / known.resource.capacity,
        exhaustion,
        decide_in: exhaustion.months().map(|months| months - known.resource.lead_months),
        rank: 0,
        grounds,
    })
}

/// The fastest growth of what a team owns.
fn owned(view: &View, owner: ItemIx, growths: &BTreeMap<ItemIx, f64>) -> Option<f64> {
    let owned = sources(view, ci_of(owner), "owned_by").into_iter().map(item);
    owned.filter_map(|one| growths.get(&one).copied()).reduce(f64::max)
}
