//! What a change of placement does to the time that services are expected to be down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use keelson_analysis::Reading;
use keelson_analysis::availability::{Budget, Chance, Composition, Question, availability};
use keelson_analysis::best_fix::{Candidate, Edit};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::HOURS_A_YEAR;
use crate::chances::Chances;
use crate::{Basis, LimitCode, QuestionError, View};

/// Nodes of decision diagrams that one service may take.
const NODES: usize = 100_000;
/// Services of one change that hours are told for.
pub(super) const MOST_WEIGHED: usize = 10;

/// How long a service is expected to be down in a year, every figure at its upper end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoursChange {
    /// As it is, in hours.
    pub before: f64,
    /// With the change, in hours. A new place is taken to be there as rarely as the one it replaces with all that rests
    /// on, and independently of everything else.
    pub after: f64,
}

/// Works out hours down.
pub(super) struct Gains<'a> {
    view: &'a View,
    chances: Chances<'a>,
    down: &'a [ItemIx],
    stop: Option<&'a AtomicBool>,
    before: BTreeMap<ItemIx, Expected>,
    /// Services that took more than their budget.
    unsettled: usize,
    /// Services beneath which somebody states nothing.
    open: usize,
}

impl<'a> Gains<'a> {
    pub(super) fn of(view: &'a View, down: &'a [ItemIx], stop: Option<&'a AtomicBool>) -> Result<Self, QuestionError> {
        Ok(Self { view, chances: Chances::of(view)?, down, stop, before: BTreeMap::new(), unsettled: 0, open: 0 })
    }

    /// What a change does to the first of some services; absent where no exact answer comes about within the budget.
    pub(super) fn by(
        &mut self,
        candidate: &Candidate,
        services: &[ItemIx],
    ) -> Result<Vec<Option<HoursChange>>, QuestionError> {
        // What was tried before can be applied.
        let Ok(changed) = candidate.apply(&self.view.graph) else { return Ok(vec![None; services.len()]) };
        let altered = self.view.altered(Arc::new(changed));
        let chances = Chances::with_places(&altered, &self.places(candidate)?)?;
        let mut found = Vec::new();
        for service in services.iter().take(MOST_WEIGHED) {
            let before = match self.before.get(service) {
                Some(known) => *known,
                None => self.expected(&self.chances, *service)?,
            };
            self.before.insert(*service, before);
            let after = self.expected(&chances, *service)?;
            found.push(self.change(before, after));
        }
        found.resize(services.len(), None);
        Ok(found)
    }

    /// Hours from chances; counts what cannot be told.
    fn change(&mut self, before: Expected, after: Expected) -> Option<HoursChange> {
        let hours = |chance: Chance| chance.most * HOURS_A_YEAR;
        match (before, after) {
            (Expected::Exactly(before), Expected::Exactly(after)) => {
                return Some(HoursChange { before: hours(before), after: hours(after) });
            }
            (Expected::Open, _) | (_, Expected::Open) => self.open += 1,
            _ => self.unsettled += 1,
        }
        None
    }

    /// How likely each new place is not there: as the one it replaces with all that rests on.
    fn places(&self, candidate: &Candidate) -> Result<BTreeMap<ItemIx, Chance>, QuestionError> {
        let mut places = BTreeMap::new();
        for edit in &candidate.edits {
            let Edit::Replace { from, to, .. } = edit else { continue };
            if !self.view.graph.contains(*to) {
                let like = match self.expected(&self.chances, *from)? {
                    Expected::Exactly(chance) => chance,
                    _ => Chance::between(0.0, 1.0),
                };
                places.insert(*to, like);
            }
        }
        Ok(places)
    }

    /// How likely an item is breached, every need as written.
    fn expected(&self, chances: &Chances<'_>, item: ItemIx) -> Result<Expected, QuestionError> {
        let level = self.view.breach_level(item);
        let budget = Budget { nodes: NODES, samples: 0, ..Budget::default() };
        let asking = Question { level, budget, seeds: self.down, stop: self.stop, ..Question::about(item) };
        let mut is_open = false;
        let composition = Composition::of(chances.graph(), &asking, |one| {
            is_open |= chances.is_open(one);
            chances.read(one, Reading::AsWritten)
        })?;
        if is_open {
            return Ok(Expected::Open);
        }
        let found = availability(&composition);
        let chance = Chance::between(found.with_least.value, found.with_most.value);
        Ok(if composition.is_exact() { Expected::Exactly(chance) } else { Expected::Unsettled })
    }

    /// Says for which services no hours are told.
    pub(super) fn note(&self, basis: &mut Basis) {
        if self.open > 0 {
            let message = format!(
                "what the changes proposed do to hours a year is not told {} times, because something beneath a service \
                 does not state how often it fails",
                self.open
            );
            basis.remark(LimitCode::FigureMissing, message);
        }
        if self.unsettled > 0 {
            let message = format!(
                "what the changes proposed do to hours a year was not found exactly within the budget {} times",
                self.unsettled
            );
            basis.remark(LimitCode::ExactBudget, message);
        }
    }
}

/// How likely something is breached.
#[derive(Clone, Copy)]
enum Expected {
    Exactly(Chance),
    /// Something beneath it states nothing.
    Open,
    /// It took more than the budget.
    Unsettled,
}
