//! What to buy together.

use std::sync::Arc;

use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::analysis::AmountOfUnit;
use crate::types::change::effect::Money;
use crate::types::impact::by_key;
use crate::types::item::ConfigurationItem;
use async_graphql::SimpleObject;
use keelson_app::answers::capacity::{PurchaseLine, Purchases, ShortLine};

/// The cheapest purchases that carry everything asked about for a time.
#[derive(SimpleObject)]
pub struct CapacityPurchases {
    /// For how many months from now: two years, or the months looked ahead if those are fewer.
    lasts_months: f64,
    /// How many resources there is to be more of.
    purchase_count: usize,
    /// The purchases, for what is to be decided first; the first 100.
    purchases: Vec<CapacityPurchase>,
    /// What all of them cost together, by currency, as far as costs are stated.
    cost: Vec<Money>,
    /// How many of them state no cost: the whole costs more.
    without_cost_count: usize,
    /// How many resources fall short and state no step.
    unrelieved_count: usize,
    /// The first of them, at most 100.
    unrelieved: Vec<CapacityShort>,
    /// How many needs of several members lose their redundancy by then: members of those are not in the sum, as nobody
    /// says what another one costs.
    ending_redundancy_count: usize,
}

impl CapacityPurchases {
    pub(super) fn of(at: &Arc<Moment>, line: &Purchases) -> Self {
        Self {
            lasts_months: line.lasts_months,
            purchase_count: line.purchase_count,
            purchases: line.purchases.iter().take(LONGEST_LIST).map(|one| CapacityPurchase::of(at, one)).collect(),
            cost: line.cost.iter().map(|one| Money::of(one.amount, &one.currency)).collect(),
            without_cost_count: line.without_cost_count,
            unrelieved_count: line.unrelieved_count,
            unrelieved: line.unrelieved.iter().take(LONGEST_LIST).map(|one| CapacityShort::of(at, one)).collect(),
            ending_redundancy_count: line.ending_redundancy_count,
        }
    }
}

/// A purchase.
#[derive(SimpleObject)]
pub struct CapacityPurchase {
    /// The resource there is to be more of.
    item: Option<ConfigurationItem>,
    /// How many steps of buying or building.
    steps: u32,
    /// How much more that gives.
    adds: AmountOfUnit,
    /// What it costs, where stated.
    cost: Option<Money>,
    /// Whether some of it is needed only so that a server may be lost.
    is_for_redundancy: bool,
}

impl CapacityPurchase {
    pub(super) fn of(at: &Arc<Moment>, line: &PurchaseLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            steps: line.steps,
            adds: AmountOfUnit::of(&line.adds),
            cost: line.cost.as_ref().map(|one| Money::of(one.amount, &one.currency)),
            is_for_redundancy: line.is_for_redundancy,
        }
    }
}

/// Something that falls short, and of which nobody says in which steps there could be more.
#[derive(SimpleObject)]
pub struct CapacityShort {
    /// The resource.
    item: Option<ConfigurationItem>,
    /// How much more there has to be.
    short: AmountOfUnit,
}

impl CapacityShort {
    pub(super) fn of(at: &Arc<Moment>, line: &ShortLine) -> Self {
        Self { item: by_key(at, &line.subject.key), short: AmountOfUnit::of(&line.short) }
    }
}
