//! Resources of which the use is stated, and no demand is known: storage, licences, people.
//!
//! Their load is the stated utilisation of their capacity. It is taken to grow as the fastest growing service does that
//! rests on them, or that they own; that is the safe side, and told as inferred. Where no such service states its growth,
//! no date is told, and the answer says that it may run out all the same.

use std::collections::BTreeMap;

use keelson_analysis::demand::plan::{Grounds, Row};
use keelson_analysis::{Limits, Scratch, closure};
use keelson_forecast::growth::{Exhaustion, Part, exhaustion, load_in};
use keelson_graph::ItemIx;

use super::Demand;
use super::resources::{self, Known};
use crate::attributes::{amount, number};
use crate::subject::ci_of;
use crate::supplier::sources;
use crate::{QuestionError, View, item};

/// Everything in service that states capacity and use and has no demand, in order of its number.
pub(super) fn of(view: &View, has_demand: impl Fn(ItemIx) -> bool) -> Vec<(Known, f64)> {
    let standing = |one: ItemIx| {
        let known = resources::known(view, one)?;
        let used = number(view, one, "utilisation").map(|used| used * known.capacity.value);
        let used = used.or_else(|| {
            let used = amount(view, one, "used").filter(|used| used.unit == known.capacity.unit);
            used.map(|used| used.value)
        });
        used.map(|used| (known, used))
    };
    view.graph.item_numbers().filter(|one| !has_demand(*one)).filter_map(standing).collect()
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
pub(super) fn row(
    (at, known, used): (usize, &Known, f64),
    growth: Option<f64>,
    horizon: f64,
) -> Result<Row, QuestionError> {
    let parts = [Part { load: used, growth: growth.unwrap_or(0.0) }];
    let found = exhaustion(&parts, known.resource.allowed(), horizon);
    let exhaustion: Exhaustion = found.map_err(|error| QuestionError::Figures(error.to_string()))?;
    Ok(Row {
        resource: at,
        load: load_in(&parts, 0.0),
        utilisation: used / known.resource.capacity,
        exhaustion,
        decide_in: exhaustion.months().map(|months| months - known.resource.lead_months),
        rank: 0,
        grounds: Grounds { inferred: growth.is_some(), understated: growth.is_none() },
    })
}

/// The fastest growth of what a team owns.
fn owned(view: &View, owner: ItemIx, growths: &BTreeMap<ItemIx, f64>) -> Option<f64> {
    let owned = sources(view, ci_of(owner), "owned_by").into_iter().map(item);
    owned.filter_map(|one| growths.get(&one).copied()).reduce(f64::max)
}
