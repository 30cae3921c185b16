//! Demand on services, and how it grows.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use keelson_analysis::Limits;
use keelson_analysis::demand::plan::Growing;
use keelson_analysis::demand::{Amounts, Model};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forecasts;
use super::standing::are_apart;
use crate::attributes::{amount, number};
use crate::demand::{Outside, SourceLine, outside, refused};
use crate::single_points::services;
use crate::subject::key_of;
use crate::{Basis, LimitCode, QuestionError, View, item};

/// Demand on a service, and how it grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrowthLine {
    /// Its demand.
    #[serde(flatten)]
    pub source: SourceLine,
    /// Growth per month, as a fraction; absent where nobody states one: then it counts as not growing.
    pub growth_per_month: Option<f64>,
    /// Where the growth comes from.
    pub growth_basis: GrowthBasis,
}

/// Where the growth of demand comes from, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrowthBasis {
    /// A scenario.
    Supposed,
    /// A forecast from measurements.
    Forecast,
    /// What somebody stated.
    Stated,
    /// Nothing: it counts as not growing.
    Nothing,
}

/// Demand with its growth.
pub(crate) struct Demand {
    pub(crate) outside: Outside,
    pub(crate) growing: Vec<Growing>,
    /// Those that say nothing about growth: they count as not growing.
    pub(crate) silent: BTreeSet<ItemIx>,
}

/// How demand on a service grows: as supposed, as forecast from measurements, or as stated.
fn growth(view: &View, forecasts: &[forecasts::Known<'_>], service: ItemIx) -> (Option<f64>, GrowthBasis) {
    if let Some(growth) = view.growth().and_then(|growth| growth.per_month(CiIx(service.0))) {
        return (Some(growth), GrowthBasis::Supposed);
    }
    if let Some(growth) = forecasts::of_service(forecasts, service).and_then(forecasts::Known::growth_per_month) {
        return (Some(growth), GrowthBasis::Forecast);
    }
    match number(view, service, "demand_growth_per_month") {
        Some(growth) => (Some(growth), GrowthBasis::Stated),
        None => (None, GrowthBasis::Nothing),
    }
}

/// The demand on services, in the order in which they are given, and how it grows.
pub(super) fn demand_of(
    view: &View,
    model: &Model<'_>,
    services: &[ItemIx],
    measured: &[forecasts::Known<'_>],
    now: DateTime<Utc>,
    limits: &Limits<'_>,
) -> Result<Demand, QuestionError> {
    let outside = outside(view, model, services, now, limits)?;
    let (mut growing, mut silent) = (Vec::new(), BTreeSet::new());
    for source in &outside.sources {
        let growth = growth(view, measured, source.item).0;
        if growth.is_none() {
            silent.insert(source.item);
        }
        growing.push(Growing { source: *source, growth: growth.unwrap_or(0.0) });
    }
    Ok(Demand { outside, growing, silent })
}

/// The demand on every service, none of it forecast, and what it takes of everything; the services in its order.
pub(super) fn of_everybody(
    view: &View,
    model: &Model<'_>,
    now: DateTime<Utc>,
    limits: &Limits<'_>,
) -> Result<(Vec<ItemIx>, Demand, Amounts), QuestionError> {
    let all = services(view, &[])?;
    let demand = demand_of(view, model, &all, &[], now, limits)?;
    let amounts = model.demand(&demand.outside.sources, limits).map_err(|error| refused(view, &error))?;
    Ok((all, demand, amounts))
}

/// What is asked of those services that are asked about; demand is known of all, in their order.
pub(super) fn lines(
    view: &View,
    demand: &Demand,
    measured: &[forecasts::Known<'_>],
    (all, asked): (&[ItemIx], &BTreeSet<ItemIx>),
) -> Vec<GrowthLine> {
    let told = all.iter().zip(&demand.outside.lines).filter(|(service, _)| asked.contains(*service));
    told.map(|(service, source)| {
        let (growth_per_month, growth_basis) = growth(view, measured, *service);
        GrowthLine { source: source.clone(), growth_per_month, growth_basis }
    })
    .collect()
}

/// Growth per month that is stated and growth that is forecast may differ by so much.
const TOLERANCE: f64 = 0.01;

/// Says of how many services nobody knows how their demand grows, and of which it grows otherwise than somebody states.
pub(super) fn note(
    basis: &mut Basis,
    (view, demand): (&View, &Demand),
    measured: &[forecasts::Known<'_>],
    is_wanted: impl Fn(ItemIx) -> bool,
) {
    let still = demand.silent.len();
    if still > 0 {
        let message =
            format!("{still} services with demand state no growth: it counts as none, so dates may be earlier");
        basis.limit(LimitCode::FigureMissing, message);
    }
    note_peaks(basis, (view, demand), &is_wanted);
    let doubtful = demand.growing.iter().map(|one| one.source.item).filter(|service| is_wanted(*service));
    let doubtful: Vec<(ItemIx, f64, f64)> = doubtful
        .filter_map(|service| {
            let (grows, GrowthBasis::Forecast) = growth(view, measured, service) else { return None };
            let (grows, stated) = (grows?, number(view, service, "demand_growth_per_month")?);
            ((grows - stated).abs() > TOLERANCE).then_some((service, stated, grows))
        })
        .collect();
    if let Some((service, stated, grows)) = doubtful.first() {
        let message = format!(
            "the demand on {} services grows otherwise than is stated, '{}' first: {:.1} % a month is stated, {:.1} % \
             forecast from measurements; the forecast counts",
            doubtful.len(),
            key_of(&view.catalogue, *service),
            stated * 100.0,
            grows * 100.0
        );
        basis.remark(LimitCode::FigureMissing, message);
    }
}

/// Says of which services another peak was measured than is stated.
fn note_peaks(basis: &mut Basis, (view, demand): (&View, &Demand), is_wanted: &impl Fn(ItemIx) -> bool) {
    let measured = demand.outside.lines.iter().filter(|line| line.is_measured && line.factor > 0.0);
    let differing = measured.filter_map(|line| {
        let service = item(view.catalogue.find_key(&line.subject.key)?);
        let (found, stated) = (line.demand.as_ref()?, amount(view, service, "peak_demand")?);
        let measured = found.value / line.factor;
        (are_apart(measured, stated.value) && is_wanted(service)).then_some((&line.subject.key, measured, stated))
    });
    let differing: Vec<_> = differing.collect();
    if let Some((key, measured, stated)) = differing.first() {
        let message = format!(
            "the peak of demand on {} services is another than is stated, '{key}' first: {measured:.4} {} measured, {} \
             stated; what was measured counts, so that dates are later than by what is stated where that is more",
            differing.len(),
            stated.unit,
            stated.value
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
}
