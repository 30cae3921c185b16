//! Which item hurts most now, and which may never fail.
//!
//! Birnbaum's importance of an item is how much more likely the service is breached when the item has
//! failed than when it has not: what we may never lose. Criticality is the share of the service's
//! unavailability that would vanish if the item did not fail of itself: what hurts most now. The other
//! measures follow from these two (analyses 3.3).
//!
//! All are read from the decision diagrams in one pass up and one down. Where there is no diagram they
//! come from the more likely cut sets, and [`Importance::is_exact`] says so. Chances are taken at the
//! upper end of their intervals.
//!
//! An item that cannot fail of itself has no importance, though what it stands for may: give it a small
//! chance to see it.

use std::collections::HashMap;

use keelson_graph::ItemIx;

use crate::{
    availability::{Availability, Composition, Estimate},
    fault::{
        Module,
        bounds::Between,
        solve::{End, Part},
    },
};

/// How important one item is for one service. Ratios of what is 0 in truth are 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// The item.
    pub item: ItemIx,
    /// Its own chance of failing.
    pub chance: f64,
    /// P(breached | failed) − P(breached | up).
    pub birnbaum: Estimate,
    /// chance · Birnbaum / P(breached).
    pub criticality: f64,
    /// chance · P(breached | failed) / P(breached): how likely the item has failed when the service is
    /// breached (Fussell and Vesely, in the form used for diagnosis).
    pub diagnosis: f64,
    /// P(breached | failed) / P(breached).
    pub risk_achievement: f64,
    /// P(breached) / P(breached | up); `None` where nothing breaches the service while the item is up.
    pub risk_reduction: Option<f64>,
}

/// How important every item is for one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The items that may fail of themselves and matter, the most critical first.
    pub items: Vec<Weight>,
    /// Whether values are exact; otherwise the bounds of `birnbaum` hold for certain, and everything
    /// else is an approximation by the more likely cut sets.
    pub is_exact: bool,
}

impl Importance {
    /// The items, those first that may never fail.
    #[must_use]
    pub fn by_birnbaum(&self) -> Vec<Weight> {
        let mut items = self.items.clone();
        items.sort_by(|a, b| b.birnbaum.value.total_cmp(&a.birnbaum.value).then(a.item.cmp(&b.item)));
        items
    }
}

/// How important is each item for the availability of a service? Both come from the same composition.
///
/// Nothing is said about what has failed already.
#[must_use]
pub fn importance(composition: &Composition<'_>, availability: &Availability) -> Importance {
    let Composition { system, .. } = composition;
    let mut found = Importance { items: Vec::new(), is_exact: composition.is_exact() };
    if system.has_failed {
        return found;
    }
    // How likely everything else is up, for each single item and each module.
    let chance = |place: u32| system.chances[place as usize].most;
    let parts = composition.enclosed(End::Most);
    let ups = |of: fn(&Between) -> f64| {
        others(
            system
                .singles
                .iter()
                .map(|&place| 1.0 - chance(place))
                .chain(parts.iter().map(|part| 1.0 - of(part)))
                .collect(),
        )
    };
    let (ups_most, ups_least) = (ups(|part| part.least), ups(|part| part.most));
    let unavailability = availability.with_most.value;
    let mut push = |place: u32, birnbaum: Estimate| {
        found.items.push(weight(system.items[place as usize], chance(place), birnbaum, unavailability));
    };
    for (at, &place) in system.singles.iter().enumerate() {
        push(place, Estimate { value: ups_least[at], least: ups_least[at], most: ups_most[at] });
    }
    for (at, (module, part)) in composition.modules().enumerate() {
        let at = system.singles.len() + at;
        let growths = growths(composition, module, part, parts[at - system.singles.len()]);
        for (items, growth) in module.events.iter().zip(growths) {
            let alone = others(items.iter().map(|&place| 1.0 - chance(place)).collect());
            for (&place, alone) in items.iter().zip(alone) {
                let least = growth.least * alone * ups_least[at];
                let most = growth.most * alone * ups_most[at];
                push(place, Estimate { value: (growth.value * alone * ups_least[at]).clamp(least, most), least, most });
            }
        }
    }
    found.items.sort_by(|a, b| b.criticality.total_cmp(&a.criticality).then(a.item.cmp(&b.item)));
    found
}

/// How fast the probability of a module grows with that of each of its events.
fn growths(composition: &Composition<'_>, module: &Module, part: &Part, between: Between) -> Vec<Estimate> {
    let chances = composition.system.event_chances(module, End::Most);
    match part {
        Part::Exact(bdd) => {
            let (_, growth) = bdd.probability(&composition.by_level(module, &bdd.order, End::Most));
            let mut growths = vec![Estimate { value: 0.0, least: 0.0, most: 0.0 }; growth.len()];
            for (&event, value) in bdd.order.iter().zip(growth) {
                growths[event as usize] = Estimate { value, least: value, most: value };
            }
            growths
        }
        Part::Open(None) => vec![Estimate { value: 0.0, least: 0.0, most: 1.0 }; chances.len()],
        Part::Open(Some(likely)) => {
            // An event decides where the rest of a cut set with it has failed, and no other cut set has.
            let rests = likely.family.growth(&chances, false).into_iter();
            let largest = likely.family.growth(&chances, true);
            let of = |((rests, largest), chance): ((f64, f64), &f64)| Estimate {
                value: rests.min(1.0),
                least: (largest - between.most).max(0.0),
                most: (rests + likely.left_out / chance).min(1.0),
            };
            rests.zip(largest).zip(&chances).map(of).collect()
        }
    }
}

fn weight(item: ItemIx, chance: f64, birnbaum: Estimate, unavailability: f64) -> Weight {
    let over = |value: f64| if unavailability > 0.0 { value / unavailability } else { 0.0 };
    let if_failed = unavailability + (1.0 - chance) * birnbaum.value;
    let if_up = (unavailability - chance * birnbaum.value).max(0.0);
    // Differences of nearly equal numbers say nothing below their last digits.
    let is_nothing = if_up <= unavailability * 1e-12;
    Weight {
        item,
        chance,
        birnbaum,
        criticality: over(chance * birnbaum.value),
        diagnosis: over(chance * if_failed),
        risk_achievement: over(if_failed),
        risk_reduction: (!is_nothing).then(|| unavailability / if_up),
    }
}

/// For each of several numbers the product of all others.
fn others(values: Vec<f64>) -> Vec<f64> {
    let mut after: Vec<f64> = vec![1.0; values.len()];
    for at in (1..values.len()).rev() {
        after[at - 1] = after[at] * values[at];
    }
    let mut before = 1.0;
    for (product, value) in after.iter_mut().zip(values) {
        *product *= before;
        before *= value;
    }
    after
}

/// What is at stake with each item over several services: the sum of each service's value times the
/// item's Birnbaum importance for it, most first. It weighs what is wrong with an item elsewhere.
#[must_use]
pub fn value_at_risk(services: &[(f64, &Importance)]) -> Vec<(ItemIx, f64)> {
    let mut sums: HashMap<ItemIx, f64> = HashMap::new();
    for (value, importance) in services {
        for weight in &importance.items {
            *sums.entry(weight.item).or_default() += value * weight.birnbaum.value;
        }
    }
    let mut items: Vec<(ItemIx, f64)> = sums.into_iter().collect();
    items.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    items
}
