//! What would carry a resource's load for a time, and what that costs (analyses 4.3).

use keelson_analysis::demand::plan::Row;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lines::Telling;
use super::resources::Known;
use crate::QuestionError;
use crate::attributes::{Amount, Money, amount, money};
use crate::demand::refused;

/// Months for which relief is to be enough, if so many are looked ahead.
pub const RELIEF_MONTHS: f64 = 24.0;

/// More of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReliefLine {
    /// How many steps of buying or building.
    pub steps: u32,
    /// How much more that gives.
    pub adds: Amount,
    /// What it costs, where stated.
    pub cost: Option<Money>,
    /// Until how many months from now that is enough.
    pub lasts_months: f64,
}

/// The fewest steps that carry the load until then; absent where nobody states the size of a step, or none is needed.
pub(super) fn relief(
    telling: &Telling<'_>,
    (known, row): (&Known, &Row),
    months: f64,
) -> Result<Option<ReliefLine>, QuestionError> {
    let (view, item) = (telling.view, known.resource.item);
    let Some(step) = amount(view, item, "increment").filter(|step| step.value > 0.0) else { return Ok(None) };
    if step.unit != known.capacity.unit {
        return Ok(None);
    }
    let load = load_in(telling, known, row, months)?;
    let short = load / (known.resource.planning_limit * known.resource.per_unit) - known.resource.capacity;
    if short <= 0.0 {
        return Ok(None);
    }
    let steps = (short / step.value).ceil().min(1e6);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just here, and above 0")]
    let count = steps as u32;
    let cost = money(view, item, "increment_cost").map(|one| Money { amount: one.amount * steps, ..one });
    let adds = Amount { value: step.value * steps, unit: step.unit };
    Ok(Some(ReliefLine { steps: count, adds, cost, lasts_months: months }))
}

/// The load of a resource in so many months: what each service takes of it, each grown by its own growth; or what is in
/// use of it, grown by its own.
pub(super) fn load_in(telling: &Telling<'_>, known: &Known, row: &Row, months: f64) -> Result<f64, QuestionError> {
    if let Some(growth) = known.standing_growth {
        return Ok(row.load * (1.0 + growth).powf(months));
    }
    let Telling { view, model, demand, limits, .. } = telling;
    let taken = model.taken_from(known.resource.item, limits).map_err(|error| refused(view, &error))?;
    let each = demand.growing.iter().map(|one| {
        let taken = taken.of(one.source.item);
        if taken > 0.0 { taken * one.source.demand * (1.0 + one.growth).powf(months) } else { 0.0 }
    });
    Ok(each.sum())
}
