//! Value at risk of items: over services, the value of an hour times how much likelier the service is breached when the
//! item is down than when it is up (analyses 3.3, 6.1).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::Reading;
use keelson_analysis::availability::{Budget, Chance, Composition, Question as Asking, availability};
use keelson_analysis::importance::importance;
use keelson_analysis::single_points::Question;
use keelson_graph::ItemIx;
use rayon::prelude::*;

use crate::attributes::{Money, add, value_per_hour};
use crate::chances::Chances;
use crate::single_points::points_at_levels;
use crate::{Basis, LimitCode, QuestionError, View};

/// Services worth most for which importance is worked out.
const MOST_WEIGHED: usize = 20;
/// Nodes of decision diagrams that one of them may take.
const NODES: usize = 100_000;
/// The chance given to what cannot fail of itself, so that its importance is seen: too small to change any other.
const HARDLY: f64 = 1e-12;

/// What is at risk with each of some items, by currency. The services worth most are weighed by Birnbaum importance, the
/// others by what fells them alone.
pub(super) fn at_risk(
    view: &View,
    services: &[ItemIx],
    concerned: &[bool],
    stop: Option<&AtomicBool>,
    basis: &mut Basis,
) -> Result<BTreeMap<ItemIx, Vec<Money>>, QuestionError> {
    let valued: Vec<(ItemIx, Money)> =
        services.iter().filter_map(|service| Some((*service, value_per_hour(view, *service)?))).collect();
    let (weighed, others) = valued.split_at(valued.len().min(MOST_WEIGHED));
    let mut risks: BTreeMap<ItemIx, Vec<Money>> = BTreeMap::new();
    let mut note = |item: ItemIx, value: &Money, share: f64| {
        let at_risk = Money { amount: value.amount * share, ..value.clone() };
        add(risks.entry(item).or_default(), &at_risk);
    };
    let chances = Chances::of(view)?;
    let weigh = Weigh { view, chances: &chances, concerned, stop };
    let found: Vec<Vec<(ItemIx, f64)>> =
        weighed.par_iter().map(|(service, _)| weigh.importance_for(*service)).collect::<Result<_, _>>()?;
    for ((_, value), shares) in weighed.iter().zip(found) {
        shares.into_iter().for_each(|(item, share)| note(item, value, share));
    }
    if !others.is_empty() {
        let message = format!(
            "what is at risk is weighed by importance for the {} services worth most; for the other {} only what fells \
             them alone counts",
            weighed.len(),
            others.len()
        );
        basis.remark(LimitCode::Items, message);
        let items: Vec<ItemIx> = others.iter().map(|(service, _)| *service).collect();
        let (points, _) = points_at_levels(view, &view.graph, &items, &Question { stop, ..Question::default() }, &[])?;
        for ((service, value), points) in others.iter().zip(points) {
            points.items.iter().chain([service]).for_each(|item| note(*item, value, 1.0));
        }
    }
    Ok(risks)
}

/// What is the same for every service.
struct Weigh<'a> {
    view: &'a View,
    chances: &'a Chances<'a>,
    /// The items that are to be weighed, by number.
    concerned: &'a [bool],
    stop: Option<&'a AtomicBool>,
}

impl Weigh<'_> {
    /// How important each item concerned is for a service, every need as written.
    fn importance_for(&self, service: ItemIx) -> Result<Vec<(ItemIx, f64)>, QuestionError> {
        let level = self.view.breach_level(service);
        let budget = Budget { nodes: NODES, samples: 0, ..Budget::default() };
        let asking = Asking { level, budget, stop: self.stop, ..Asking::about(service) };
        let is_concerned = |one: ItemIx| self.concerned.get(one.index()).copied().unwrap_or(false);
        let composition = Composition::of(self.chances.graph(), &asking, |one| {
            let chance = self.chances.read(one, Reading::AsWritten);
            let least = if is_concerned(one) { HARDLY } else { 0.0 };
            Chance::between(chance.least.max(least), chance.most.max(least))
        })?;
        let weights = importance(&composition, &availability(&composition));
        let of_concern = weights.items.iter().filter(|weight| is_concerned(weight.item));
        Ok(of_concern.map(|weight| (weight.item, weight.birnbaum.value)).collect())
    }
}
