//! The answers about a service that are compared, on each of the graphs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use keelson_analysis::availability::{Budget, Composition, Question as Asking};
use keelson_analysis::cut_sets::{Listing, Resilience, Select, cut_sets};
use keelson_analysis::single_points::{Question, SinglePoints};
use keelson_analysis::{Pool, Reading};
use keelson_graph::{ItemIx, Snapshot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compare::Difference;
use super::graphs::Graphs;
use super::{DriftLine, DriftService, share};
use crate::attributes::number;
use crate::availability::bracket;
use crate::capacity::{CapacityQuestion, capacity};
use crate::chances::Chances;
use crate::cut_sets::ResilienceNumber;
use crate::single_points::points_at_levels;
use crate::subject::{ci_of, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

/// Most services for which the day of a decision is compared.
const MOST_DATES: usize = 50;
/// Resources that are looked at for the day of a decision.
const MOST_RESOURCES: usize = 10_000;
/// Nodes of decision diagrams that one service may take on one graph.
const NODES: usize = 200_000;

/// An answer about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Its single points of failure.
    SinglePoints,
    /// How many failures it takes to breach it.
    Resilience,
    /// Whether its promised availability is met.
    Target,
    /// By when to decide on more capacity.
    DecisionDate,
}

/// Answers about a service on one graph, every need as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftFigures {
    /// How many failures it takes to breach it.
    pub resilience: ResilienceNumber,
    /// Its unavailability as a fraction, as is to be expected; the same as the answer about availability gives.
    pub unavailability: f64,
    /// It is not below this, whatever is missing.
    pub least: f64,
    /// It is not above this, whatever is missing.
    pub most: f64,
    /// Whether the availability it promises is met; absent where none is promised, or it cannot be told.
    pub meets_target: Option<bool>,
    /// The first day by which to decide on more of something it uses; absent where none is known.
    pub decide_by: Option<DateTime<Utc>>,
}

/// One service on the graph as declared, with all that is observed, and without what is aspirational.
pub(super) struct Compared {
    pub(super) service: ItemIx,
    points: [SinglePoints; 3],
    figures: [DriftFigures; 3],
    has_target: bool,
}

impl Compared {
    fn points_of(&self) -> [BTreeSet<ItemIx>; 3] {
        [0, 1, 2].map(|at| self.points[at].items.iter().copied().collect())
    }

    /// Whether one of two graphs gives another answer than the declared one.
    fn differs(&self, change: Change, other: usize) -> bool {
        let (declared, other_figures) = (&self.figures[0], &self.figures[other]);
        match change {
            Change::SinglePoints => self.points[0].items != self.points[other].items,
            // A number that is not settled is compared with nothing.
            Change::Resilience => {
                settled(declared).zip(settled(other_figures)).is_some_and(|(declared, observed)| declared != observed)
            }
            Change::Target => declared.meets_target != other_figures.meets_target,
            Change::DecisionDate => declared.decide_by != other_figures.decide_by,
        }
    }

    /// The answers that are not the same on every graph.
    pub(super) fn changes(&self) -> Vec<Change> {
        let all = [Change::SinglePoints, Change::Resilience, Change::Target, Change::DecisionDate];
        all.into_iter().filter(|change| self.differs(*change, 1) || self.differs(*change, 2)).collect()
    }

    fn stability(&self) -> f64 {
        let changes = self.changes();
        let mut counts: BTreeMap<ItemIx, usize> = BTreeMap::new();
        self.points_of().iter().flatten().for_each(|item| *counts.entry(*item).or_default() += 1);
        let mut same = counts.values().filter(|count| **count == 3).count();
        let mut all = counts.len();
        let answered = [
            (Change::Resilience, self.figures.iter().all(|one| settled(one).is_some())),
            (Change::Target, self.has_target),
            (Change::DecisionDate, self.figures.iter().any(|one| one.decide_by.is_some())),
        ];
        for (change, _) in answered.into_iter().filter(|(_, is_known)| *is_known) {
            all += 1;
            same += usize::from(!changes.contains(&change));
        }
        if all == 0 { 1.0 } else { share(same, all) }
    }

    pub(super) fn line(&self, view: &View, because: Vec<DriftLine>) -> DriftService {
        let keys = |at: usize| self.points[at].items.iter().map(|item| key_of(&view.catalogue, *item)).collect();
        let [declared, observed, certain] = self.figures.clone();
        DriftService {
            subject: Subject::of(&view.catalogue, ci_of(self.service)),
            declared_points: keys(0),
            observed_points: keys(1),
            certain_points: keys(2),
            declared,
            observed,
            certain,
            changes: self.changes(),
            stability: self.stability(),
            because,
        }
    }
}

/// How many failures it takes, where that is settled; `None` inside stands for any number.
fn settled(figures: &DriftFigures) -> Option<Option<usize>> {
    let ResilienceNumber { at_least, at_most, is_unbreakable } = figures.resilience;
    match at_most {
        _ if is_unbreakable => Some(None),
        Some(most) if most == at_least => Some(Some(most)),
        _ => None,
    }
}

/// What is the same for every service.
pub(super) struct Work<'a> {
    pub(super) view: &'a View,
    pub(super) graphs: &'a Graphs,
    pub(super) asked: Asked,
    pub(super) pool: &'a Pool,
    pub(super) stop: Option<&'a AtomicBool>,
}

impl Work<'_> {
    /// Compares the answers about some services.
    pub(super) fn compare(&self, services: &[ItemIx], basis: &mut Basis) -> Result<Vec<Compared>, QuestionError> {
        let Graphs { declared, all, certain } = self.graphs;
        let views = [declared, all, certain].map(|graph| self.view.altered(Arc::clone(graph)));
        let mut points = Vec::new();
        for view in &views {
            points.push(self.points(&view.graph, services)?);
        }
        let dates = self.dates(&views, services, basis);
        let (mut found, mut uncompared) = (Vec::new(), Vec::new());
        let chances = views.iter().map(Chances::with_expected);
        let chances = chances.collect::<Result<Vec<_>, QuestionError>>()?;
        for (at, service) in services.iter().enumerate() {
            let sets = [0, 1, 2].map(|graph| points[graph][at].clone());
            if sets.iter().any(|set| set.is_cut) {
                uncompared.push(key_of(&self.view.catalogue, *service));
                continue;
            }
            let mut figures = [DriftFigures::default(), DriftFigures::default(), DriftFigures::default()];
            for (graph, (view, (chances, expected))) in views.iter().zip(&chances).enumerate() {
                figures[graph] = self.figures(view, (chances, expected), *service)?;
                figures[graph].decide_by = dates.get(at).and_then(|dates| dates[graph]);
            }
            let has_target = number(self.view, *service, "target_availability").is_some();
            found.push(Compared { service: *service, points: sets, figures, has_target });
        }
        if let [first, ..] = &uncompared[..] {
            let message = format!(
                "single points of {} services were not found within the budget ('{first}' first): they are not compared",
                uncompared.len()
            );
            basis.limit(LimitCode::Items, message);
        }
        let open = found.iter().filter(|one| one.figures.iter().any(|figures| settled(figures).is_none())).count();
        if open > 0 {
            let message =
                format!("how many failures it takes was not settled for {open} services, and is not compared");
            basis.limit(LimitCode::ExactBudget, message);
        }
        Ok(found)
    }

    fn points(&self, graph: &Snapshot, services: &[ItemIx]) -> Result<Vec<SinglePoints>, QuestionError> {
        let question = Question { reading: Reading::AsWritten, stop: self.stop, ..Question::default() };
        Ok(points_at_levels(self.view, graph, services, &question, &[])?.0)
    }

    /// How many failures it takes, and how available it is.
    fn figures(
        &self,
        view: &View,
        (chances, expected): (&Chances<'_>, &Chances<'_>),
        service: ItemIx,
    ) -> Result<DriftFigures, QuestionError> {
        let level = view.breach_level(service);
        let budget = Budget { nodes: NODES, samples: 0, ..Budget::default() };
        let asking = Asking { level, budget, stop: self.stop, ..Asking::about(service) };
        let composition = Composition::of(chances.graph(), &asking, |one| chances.read(one, Reading::AsWritten))?;
        let resilience = cut_sets(&composition, &Listing { select: Select::Size(1), most: 1 }).resilience;
        let found = bracket(view, (chances, expected), service, budget, self.stop)?;
        let (least, most) = found.ends();
        let meets_target = number(view, service, "target_availability").and_then(|target| found.meets(target));
        Ok(DriftFigures {
            resilience: numbered(resilience),
            unavailability: found.value(),
            least,
            most,
            meets_target,
            decide_by: None,
        })
    }

    /// The first day to decide by, service by service and graph by graph. Where capacity cannot be computed on one of the
    /// graphs no day is compared, and the answer says so.
    fn dates(&self, views: &[View; 3], services: &[ItemIx], basis: &mut Basis) -> Vec<[Option<DateTime<Utc>>; 3]> {
        let first = |view: &View, service: ItemIx| -> Result<Option<DateTime<Utc>>, QuestionError> {
            let services = vec![key_of(&view.catalogue, service)];
            let question = CapacityQuestion { services, most: MOST_RESOURCES, ..CapacityQuestion::default() };
            let found = capacity(view, &question, self.asked, self.pool, self.stop)?;
            Ok(found.resources.iter().filter_map(|one| one.decide_by).min())
        };
        let mut dates = Vec::new();
        for service in services.iter().take(MOST_DATES) {
            match [first(&views[0], *service), first(&views[1], *service), first(&views[2], *service)] {
                [Ok(declared), Ok(observed), Ok(certain)] => dates.push([declared, observed, certain]),
                [Err(error), ..] | [_, Err(error), _] | [.., Err(error)] => {
                    let message = format!("no day of a decision is compared: {error}");
                    basis.limit(LimitCode::FigureMissing, message);
                    return Vec::new();
                }
            }
        }
        if services.len() > MOST_DATES {
            let message = format!(
                "the day of a decision is compared for the {MOST_DATES} services worth most, of {}",
                services.len()
            );
            basis.limit(LimitCode::Items, message);
        }
        dates
    }

    /// The differences each of which alone changes one of the answers that change.
    pub(super) fn responsible(
        &self,
        one: &Compared,
        missing: &[Difference],
        aspirational: &[&Difference],
        budget: &mut usize,
    ) -> Result<Vec<DriftLine>, QuestionError> {
        let changed = |other: usize| one.changes().into_iter().any(|change| one.differs(change, other));
        let mut candidates: Vec<&Difference> = Vec::new();
        if changed(1) {
            candidates.extend(missing);
        }
        if changed(2) {
            candidates.extend(aspirational);
        }
        let mut found = Vec::new();
        for difference in candidates {
            if *budget == 0 || self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                break;
            }
            *budget -= 1;
            if self.changes_alone(one, difference)? {
                found.push(difference.line.clone());
            }
        }
        Ok(found)
    }

    /// Whether one difference alone gives another answer; what costs least is tried first.
    fn changes_alone(&self, one: &Compared, difference: &Difference) -> Result<bool, QuestionError> {
        let view = self.view.altered(Arc::new(self.graphs.with(self.view, difference)?));
        let points = self.points(&view.graph, &[one.service])?;
        if points.first().is_some_and(|points| points.items != one.points[0].items) {
            return Ok(true);
        }
        let changes = one.changes();
        let mut figures = one.figures[0].clone();
        if changes.iter().any(|change| matches!(change, Change::Resilience | Change::Target)) {
            let (chances, expected) = Chances::with_expected(&view)?;
            figures = self.figures(&view, (&chances, &expected), one.service)?;
        }
        figures.decide_by = one.figures[0].decide_by;
        if changes.contains(&Change::DecisionDate) {
            let views = [view.clone(), view.clone(), view];
            let dates = self.dates(&views, &[one.service], &mut Basis::of(self.view, self.asked));
            figures.decide_by = dates.first().and_then(|dates| dates[0]);
        }
        let points = one.points.clone();
        let figures = [one.figures[0].clone(), figures, one.figures[0].clone()];
        let alone = Compared { service: one.service, points, figures, has_target: one.has_target };
        Ok([Change::Resilience, Change::Target, Change::DecisionDate]
            .into_iter()
            .any(|change| alone.differs(change, 1)))
    }
}

fn numbered(found: Resilience) -> ResilienceNumber {
    match found {
        Resilience::Exactly(number) => {
            ResilienceNumber { at_least: number, at_most: Some(number), is_unbreakable: false }
        }
        Resilience::Between(least, most) => ResilienceNumber { at_least: least, at_most: most, is_unbreakable: false },
        Resilience::Unbreakable => ResilienceNumber { at_least: 0, at_most: None, is_unbreakable: true },
    }
}
