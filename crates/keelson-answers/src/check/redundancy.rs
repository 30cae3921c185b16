//! Redundancy that is not: a need that survives the loss of a member by its rule, and yet one
//! single loss beneath several members takes it down.

use std::collections::HashMap;

use keelson_analysis::closure::{Direction, Filter, closure};
use keelson_analysis::impact::{Question, Seed, impact};
use keelson_analysis::{Limits, Pool};
use keelson_graph::{ItemIx, NeedView};

use super::{CheckCode, Found};
use crate::View;
use crate::needs::{line, rule_in_words};
use crate::subject::key_of;

/// Items looked at beneath one member; what is farther away is named by a nearer one, mostly.
const MOST_BENEATH: usize = 2_000;
/// Shared items tried for one need, nearest first.
const MOST_TRIED: usize = 16;

/// Examines every redundant need, within `budget` walks; returns whether that was enough.
pub(super) fn check(view: &View, budget: usize, found: &mut Found, pool: &Pool) -> bool {
    let graph = &view.graph;
    let mut left = budget;
    for owner in graph.item_numbers() {
        for need in graph.running_needs(owner) {
            let n = need.members.len();
            let Some(k) = need.required().filter(|k| (*k as usize) < n) else { continue };
            let tolerated = n - k as usize;
            if left < n + MOST_TRIED {
                return false;
            }
            left -= n + MOST_TRIED;
            report(view, &need, tolerated, found, pool);
        }
    }
    true
}

fn report(view: &View, need: &NeedView<'_>, tolerated: usize, found: &mut Found, pool: &Pool) {
    let culprits: Vec<ItemIx> = shared(view, need, tolerated, pool)
        .into_iter()
        .filter(|item| trips(view, need, tolerated, *item, pool))
        .collect();
    let Some(first) = culprits.first() else { return };
    let catalogue = &view.catalogue;
    let words = line(catalogue, need);
    let message = format!(
        "'{}' {}, but the loss of {} alone takes it down",
        words.need.name,
        rule_in_words(&need.rule(), need.required(), words.need.of),
        key_of(catalogue, *first)
    );
    let related = culprits.iter().map(|item| key_of(catalogue, *item)).collect();
    found.add(CheckCode::RedundancyThatIsNot, key_of(catalogue, need.owner()), message, related);
}

/// Items beneath more members than may be lost, nearest first.
fn shared(view: &View, need: &NeedView<'_>, tolerated: usize, pool: &Pool) -> Vec<ItemIx> {
    let limits = Limits { max_items: MOST_BENEATH, ..Limits::default() };
    let filter = Filter { through: |_| true, select: |_| true };
    let mut beneath: HashMap<ItemIx, (usize, u32)> = HashMap::new();
    for member in need.members {
        let Ok(walked) = closure(&view.graph, &[*member], Direction::Dependencies, &filter, &limits, pool) else {
            continue;
        };
        for (item, distance) in walked.items {
            let entry = beneath.entry(item).or_default();
            *entry = (entry.0 + 1, entry.1.max(distance));
        }
    }
    let mut shared: Vec<(u32, ItemIx)> = beneath
        .into_iter()
        .filter(|(item, (members, _))| *members > tolerated && *item != need.owner())
        .map(|(item, (_, distance))| (distance, item))
        .collect();
    shared.sort_unstable();
    shared.truncate(MOST_TRIED);
    shared.into_iter().map(|(_, item)| item).collect()
}

/// Whether the loss of one item takes more members than the need tolerates, and nothing else takes
/// the owner down with it: what brings the owner down anyway says nothing about this need.
fn trips(view: &View, need: &NeedView<'_>, tolerated: usize, item: ItemIx, pool: &Pool) -> bool {
    let seeds = [Seed::gone(item)];
    let question = Question { touched: false, ..Question::about(&seeds) };
    let Ok(lost) = impact(&view.graph, &question, pool) else { return false };
    if need.members.iter().filter(|member| lost.loss(**member) >= 1.0).count() <= tolerated {
        return false;
    }
    let holds_otherwise = |other: NeedView<'_>| {
        let gone = other.members.iter().filter(|member| lost.loss(**member) >= 1.0).count();
        let required = other.required().map_or(0, |required| required as usize);
        other.members.len() - gone >= required
    };
    view.graph.running_needs(need.owner()).filter(|other| other.ix != need.ix).all(holds_otherwise)
}
