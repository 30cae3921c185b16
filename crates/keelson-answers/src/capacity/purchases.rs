//! What to buy so that everything carries its load for a time, and what that costs together (analyses 4.5).
//!
//! A resource is relieved by steps of the size it states. It must be within its planning limit then, and, where it says
//! of how many alike servers it is made, within its survival limit with the largest of them lost, be it one just bought.
//! Nothing is guessed: what states no step is listed with what it falls short of, what states no cost is not in the sum,
//! and costs are added by currency.

use keelson_analysis::demand::plan::Row;
use keelson_analysis::throughput::relief::{Offer, Survival, Target, cheapest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lines::Telling;
use super::relief::load_in;
use super::resources::Known;
use crate::attributes::{Amount, Money, add, amount, money, number};
use crate::subject::ci_of;
use crate::{Basis, LimitCode, QuestionError, Subject};

/// Resources that are weighed, those to be decided on first.
const MOST_WEIGHED: usize = 1_000;
/// Steps of the search for each of them.
const MOST_NODES: u64 = 1_000;
/// Steps that may be bought of one resource.
const MOST_STEPS: f64 = 1e6;

/// A purchase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PurchaseLine {
    /// The resource there is to be more of.
    #[serde(flatten)]
    pub subject: Subject,
    /// How many steps of buying or building.
    pub steps: u32,
    /// How much more that gives.
    pub adds: Amount,
    /// What it costs, where stated.
    pub cost: Option<Money>,
    /// Whether some of it is needed only so that a server may be lost.
    pub is_for_redundancy: bool,
}

/// Something that falls short, and of which nobody says in which steps there could be more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShortLine {
    /// The resource.
    #[serde(flatten)]
    pub subject: Subject,
    /// How much more there has to be.
    pub short: Amount,
}

/// The cheapest purchases that carry everything asked about for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Purchases {
    /// For how many months from now: two years, or the months looked ahead if those are fewer.
    pub lasts_months: f64,
    /// How many resources there is to be more of.
    pub purchase_count: usize,
    /// The purchases, for what is to be decided first.
    pub purchases: Vec<PurchaseLine>,
    /// What all of them cost together, by currency, as far as costs are stated.
    pub cost: Vec<Money>,
    /// How many of them state no cost: the whole costs more.
    pub without_cost_count: usize,
    /// How many resources fall short and state no step.
    pub unrelieved_count: usize,
    /// The first of them.
    pub unrelieved: Vec<ShortLine>,
    /// How many needs of several members lose their redundancy by then: members of those are not in the sum, as nobody
    /// says what another one costs.
    pub ending_redundancy_count: usize,
}

/// What becomes of a resource.
enum Found {
    Enough,
    Bought(PurchaseLine),
    Short(ShortLine),
}

/// Finds the cheapest purchases for rows; so many needs lose their redundancy until then.
pub(super) fn purchases(
    telling: &Telling<'_>,
    rows: &[&Row],
    (ending, most): (usize, usize),
    basis: &mut Basis,
) -> Result<Purchases, QuestionError> {
    let months = telling.relief_months();
    let mut bought = Purchases {
        lasts_months: months,
        purchase_count: 0,
        purchases: Vec::new(),
        cost: Vec::new(),
        without_cost_count: 0,
        unrelieved_count: 0,
        unrelieved: Vec::new(),
        ending_redundancy_count: ending,
    };
    for row in rows.iter().take(MOST_WEIGHED) {
        match weigh(telling, row, months)? {
            Found::Enough => {}
            Found::Bought(line) => {
                bought.purchase_count += 1;
                match &line.cost {
                    Some(cost) => add(&mut bought.cost, cost),
                    None => bought.without_cost_count += 1,
                }
                bought.purchases.push(line);
            }
            Found::Short(line) => {
                bought.unrelieved_count += 1;
                bought.unrelieved.push(line);
            }
        }
    }
    bought.purchases.truncate(most);
    bought.unrelieved.truncate(most);
    if rows.len() > MOST_WEIGHED {
        let message =
            format!("what to buy was looked for only for the first {MOST_WEIGHED} of {} resources", rows.len());
        basis.limit(LimitCode::ExactBudget, message);
    }
    Ok(bought)
}

fn weigh(telling: &Telling<'_>, row: &Row, months: f64) -> Result<Found, QuestionError> {
    let view = telling.view;
    let known = &telling.known[row.resource];
    let item = known.resource.item;
    let survival = survival(telling, known);
    let is_out_by_then = row.exhaustion.months().is_some_and(|out| out <= months);
    if !is_out_by_then && survival.is_none() {
        return Ok(Found::Enough);
    }
    let load = load_in(telling, known, row, months)?;
    let planned = load / known.resource.planning_limit - known.resource.capacity;
    let lost = survival.map_or(0.0, |one| load / one.limit - (known.resource.capacity - one.largest));
    let short = planned.max(lost);
    // What is due on the very day is enough until then.
    if short <= 1e-9 * known.resource.capacity {
        return Ok(Found::Enough);
    }
    let subject = Subject::of(&view.catalogue, ci_of(item));
    let unrelieved = |subject| {
        let short = Amount { value: short, unit: known.capacity.unit.clone() };
        Ok(Found::Short(ShortLine { subject, short }))
    };
    let step = amount(view, item, "increment").filter(|step| step.value > 0.0 && step.unit == known.capacity.unit);
    let Some(step) = step else { return unrelieved(subject) };
    let each = money(view, item, "increment_cost");
    // One just bought may be the one that is lost.
    let most = ((short / step.value).ceil() + 2.0).min(MOST_STEPS);
    let target =
        Target { load, capacity: known.resource.capacity, planning_limit: known.resource.planning_limit, survival };
    let offer = Offer { cost: 1.0, adds: vec![(0, step.value)], most, is_whole: true };
    let Ok(found) = cheapest(&[target], &[offer], MOST_NODES) else { return unrelieved(subject) };
    let steps = found.bought.first().copied().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just here, and above 0")]
    let count = steps as u32;
    let alone = (planned.max(0.0) / step.value - 1e-9).ceil();
    Ok(Found::Bought(PurchaseLine {
        subject,
        steps: count,
        adds: Amount { value: step.value * steps, unit: step.unit },
        cost: each.map(|one| Money { amount: one.amount * steps, ..one }),
        is_for_redundancy: steps > alone,
    }))
}

/// What must hold with a server lost, where it is said of how many alike ones a resource is made.
fn survival(telling: &Telling<'_>, known: &Known) -> Option<Survival> {
    let item = known.resource.item;
    let servers = number(telling.view, item, "servers").filter(|servers| *servers >= 2.0)?;
    let stated = number(telling.view, item, "survival_limit").filter(|limit| *limit > 0.0);
    let limit = stated.unwrap_or(keelson_analysis::expiry::SURVIVAL);
    Some(Survival { largest: known.resource.capacity / servers, limit })
}
