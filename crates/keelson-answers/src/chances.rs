//! How likely items fail of themselves, as catalogues state it; what is missing is bracketed or named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelson_analysis::Reading;
use keelson_analysis::availability::Chance;
use keelson_graph::ItemIx;

use crate::attributes::{is_agreement, rests_on_needs, unavailability};
use crate::subject::ci_of;
use crate::{Basis, LimitCode, View};

/// The sentence that stands beside every probability (analyses 9).
pub(crate) const INDEPENDENCE: &str = "Items are taken to fail independently of each other, given the graph: only what is drawn \
as a shared item counts as correlated. Ranks and differences are surer than absolute figures. Figures are long-run \
means without repair queues.";

/// Own unavailabilities as they are stated.
pub(crate) struct Chances<'a> {
    view: &'a View,
    /// What items of a class state: the least and the most.
    by_class: BTreeMap<&'a str, (f64, f64)>,
    /// Items that were asked about and state none.
    missing: Mutex<BTreeSet<ItemIx>>,
    /// Those of them for which nothing of their class states any.
    nowhere: Mutex<BTreeSet<ItemIx>>,
}

impl<'a> Chances<'a> {
    pub(crate) fn of(view: &'a View) -> Self {
        let mut by_class: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for item in view.graph.item_numbers() {
            let Some((low, high)) = unavailability(view, item) else { continue };
            let span = by_class.entry(view.catalogue.ci(ci_of(item)).class.as_str()).or_insert((low, high));
            *span = (span.0.min(low), span.1.max(high));
        }
        Self { view, by_class, missing: Mutex::default(), nowhere: Mutex::default() }
    }

    /// The chance of an item: as stated, or as others of its class state it. A service that has
    /// needs fails through them, and an agreement does not fail; where they state nothing, they do not fail of themselves.
    pub(crate) fn chance(&self, item: ItemIx) -> Chance {
        if let Some((low, high)) = unavailability(self.view, item) {
            return Chance::between(low, high);
        }
        if rests_on_needs(self.view, item) || is_agreement(self.view, item) {
            return Chance::NEVER;
        }
        held(&self.missing).insert(item);
        match self.by_class.get(self.view.catalogue.ci(ci_of(item)).class.as_str()) {
            Some((low, high)) => Chance::between(*low, *high),
            None => {
                held(&self.nowhere).insert(item);
                Chance::NEVER
            }
        }
    }

    /// The chance of an item under a reading. What neither it nor anything of its class states may be anything, and is so
    /// in the pessimistic one.
    pub(crate) fn read(&self, item: ItemIx, reading: Reading) -> Chance {
        let chance = self.chance(item);
        let is_open = reading == Reading::Pessimistic && held(&self.nowhere).contains(&item);
        if is_open { Chance::between(0.0, 1.0) } else { chance }
    }

    /// The items that were asked about and state none, ascending.
    pub(crate) fn missing(&self) -> Vec<ItemIx> {
        held(&self.missing).iter().copied().collect()
    }

    /// Says what is missing.
    pub(crate) fn note(&self, basis: &mut Basis) {
        let (missing, nowhere) = (held(&self.missing).len(), held(&self.nowhere).len());
        let bracketed = missing - nowhere;
        if bracketed > 0 {
            let message = format!(
                "{bracketed} items state no unavailability; the range stated by others of their class is taken"
            );
            basis.limit(LimitCode::FigureMissing, message);
        }
        if nowhere > 0 {
            let message = format!(
                "{nowhere} items state no unavailability, nor does anything of their class; they count as never failing \
                 of themselves, so the true unavailability is higher"
            );
            basis.limit(LimitCode::FigureMissing, message);
        }
    }
}

/// A set for a moment; whoever failed while holding it left it whole.
fn held(set: &Mutex<BTreeSet<ItemIx>>) -> MutexGuard<'_, BTreeSet<ItemIx>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}
