//! Where what is declared and what is observed differ, and for which services that matters (analyses 6.2).
//!
//! An observed relationship to a member of a need of the same dependent confirms that need. Any other is a need of
//! unknown strength. A declared relationship that was not seen is judged by how likely it would have been seen:
//! `P(no sighting | real) = e^(−r·W·c)` with *r* sightings a day expected, a window of *W* days and a share *c* of traffic
//! that is sampled. Below 1 % it is aspirational; otherwise one cannot tell. Never is it called wrong.
//!
//! Only services whose answers change are reported: single points of failure, which say what every single loss does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use keelson_analysis::sampling::interval;
use keelson_analysis::single_points::{Question, SinglePoints, single_points_of};
use keelson_analysis::{Pool, Reading};
use keelson_catalogue::{CiIx, RelationshipIx};
use keelson_graph::{Changes, ItemIx, NeedSpec, Snapshot};
use keelson_model::{Basis as Ground, Standing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::projection::DrawnFrom;
use crate::single_points::services;
use crate::subject::{ci_of, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

/// Below this chance of not being seen, something declared is aspirational.
const UNLIKELY: f64 = 0.01;

/// What is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DriftQuestion {
    /// The services, by key; empty means every service.
    pub services: Vec<String>,
    /// Days before the time of the question in which an observation counts.
    pub window_days: f64,
    /// The share of what happens that is sampled, above 0 and at most 1.
    pub sampling: f64,
    /// Sightings a day expected of a relationship that is real.
    pub rate_per_day: f64,
    /// Most lines of each list.
    pub most: usize,
    /// Single differences tried, to find which are responsible.
    pub budget: usize,
}

impl Default for DriftQuestion {
    fn default() -> Self {
        Self { services: Vec::new(), window_days: 14.0, sampling: 1.0, rate_per_day: 0.5, most: 100, budget: 200 }
    }
}

/// How a relationship stands between what is declared and what is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// Observed, and declared by nobody.
    Missing,
    /// Declared, and so unlikely not to have been seen that it is not there any more, or not yet.
    Aspirational,
    /// Declared and not seen; one cannot tell.
    Unobserved,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftLine {
    /// How it stands.
    pub kind: DriftKind,
    /// The dependent, by key.
    pub dependent: String,
    /// The dependency, by key.
    pub dependency: String,
    /// The kind of relationship, or the name of the need.
    pub name: String,
}

/// A service whose answers change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftService {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// Its single points as declared, by key.
    pub declared_points: Vec<String>,
    /// Its single points if all that is observed is there as well.
    pub observed_points: Vec<String>,
    /// Its single points without what is aspirational.
    pub certain_points: Vec<String>,
    /// The share of its answers that stay the same, from 0 to 1.
    pub stability: f64,
    /// The differences responsible.
    pub because: Vec<DriftLine>,
}

/// Where what is declared and what is observed differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The chance that a real relationship was not seen.
    pub unseen_chance: f64,
    /// How many declared relationships belong to dependents of which anything is observed.
    pub in_sight: usize,
    /// How many of those were seen.
    pub confirmed: usize,
    /// The share of those that were seen; absent where nothing is in sight.
    pub confirmed_share: Option<f64>,
    /// Lower end of that share, with a confidence of 95 %, by Clopper and Pearson.
    pub confirmed_low: Option<f64>,
    /// Upper end.
    pub confirmed_high: Option<f64>,
    /// How many declared relationships belong to dependents of which nothing is observed.
    pub out_of_sight: usize,
    /// How many relationships are observed and declared by nobody.
    pub missing: usize,
    /// How many are aspirational.
    pub aspirational: usize,
    /// How many services were looked at.
    pub service_count: usize,
    /// The services whose answers change, the least stable first.
    pub services: Vec<DriftService>,
    /// The differences, missing ones first.
    pub differences: Vec<DriftLine>,
}

/// A difference with its place in the graph.
#[derive(Clone, Debug)]
struct Difference {
    line: DriftLine,
    owner: ItemIx,
    member: ItemIx,
    /// The plain relationship; absent for a membership of a need, which is not taken out.
    relationship: Option<RelationshipIx>,
}

/// What was found in the catalogue.
#[derive(Default)]
struct Found {
    missing: Vec<Difference>,
    unobserved: Vec<Difference>,
    in_sight: usize,
    confirmed: usize,
    out_of_sight: usize,
}

/// Compares what is declared with what is observed.
///
/// # Errors
/// When a service is unknown, or a figure of the question means nothing.
pub fn drift(
    view: &View,
    question: &DriftQuestion,
    asked: Asked,
    _pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<DriftAnswer, QuestionError> {
    let DriftQuestion { window_days, sampling, rate_per_day, .. } = *question;
    check(window_days, sampling, rate_per_day)?;
    let mut basis = Basis::of(view, asked);
    let wanted = services(view, &question.services)?;
    let unseen_chance = (-rate_per_day * window_days * sampling).exp();
    let found = compare(view, window_days, unseen_chance, asked);
    let aspirational: Vec<&Difference> =
        found.unobserved.iter().filter(|one| one.line.kind == DriftKind::Aspirational).collect();
    let graphs = Graphs::of(view, &found.missing, &aspirational)?;
    let ask = |graph: &Snapshot| points(graph, &wanted, stop);
    let (declared, observed, certain) = (ask(&graphs.declared)?, ask(&graphs.all)?, ask(&graphs.certain)?);
    let mut budget = question.budget;
    let (mut lines, mut uncompared) = (Vec::new(), Vec::new());
    for (at, service) in wanted.iter().enumerate() {
        let sets = [&declared[at], &observed[at], &certain[at]];
        if sets.iter().any(|set| set.is_cut) {
            uncompared.push(key_of(&view.catalogue, *service));
            continue;
        }
        if sets[0].items == sets[1].items && sets[0].items == sets[2].items {
            continue;
        }
        let tried = Tried { view, graphs: &graphs, service: *service, stop };
        let because = tried.responsible(&sets, &found.missing, &aspirational, &mut budget)?;
        lines.push(line(view, *service, &sets, because));
    }
    if let [first, ..] = &uncompared[..] {
        let message = format!(
            "single points of {} services were not found within the budget ('{first}' first): they are not compared",
            uncompared.len()
        );
        basis.limit(LimitCode::Items, message);
    }
    if budget == 0 && question.budget > 0 {
        basis.remark(
            LimitCode::ExactBudget,
            "the search for responsible differences ended because its budget was spent",
        );
    }
    basis.stopped(stop);
    lines.sort_by(|a, b| a.stability.total_cmp(&b.stability).then_with(|| a.subject.key.cmp(&b.subject.key)));
    let differences: Vec<DriftLine> = found
        .missing
        .iter()
        .chain(&found.unobserved)
        .map(|one| one.line.clone())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    basis.page("services", lines.len().min(question.most), lines.len());
    basis.page("differences", differences.len().min(question.most), differences.len());
    basis.rests_on(view, wanted.iter().map(|one| ci_of(*one)), asked);
    lines.truncate(question.most);
    let ends = interval(found.in_sight as u64, found.confirmed as u64, 0.95).ok().filter(|_| found.in_sight > 0);
    Ok(DriftAnswer {
        unseen_chance,
        in_sight: found.in_sight,
        confirmed: found.confirmed,
        confirmed_share: (found.in_sight > 0).then(|| share(found.confirmed, found.in_sight)),
        confirmed_low: ends.map(|(low, _)| low),
        confirmed_high: ends.map(|(_, high)| high),
        out_of_sight: found.out_of_sight,
        missing: found.missing.len(),
        aspirational: aspirational.len(),
        service_count: wanted.len(),
        services: lines,
        differences: differences.into_iter().take(question.most).collect(),
        basis,
    })
}

fn check(window: f64, sampling: f64, rate: f64) -> Result<(), QuestionError> {
    let positive = |what: &str, value: f64| {
        if value.is_finite() && value > 0.0 {
            Ok(())
        } else {
            Err(QuestionError::Figures(format!("{what} is {value}; it must be a number above 0")))
        }
    };
    positive("the window", window)?;
    positive("the rate of sightings", rate)?;
    positive("the share sampled", sampling)?;
    if sampling > 1.0 {
        return Err(QuestionError::Figures(format!("the share sampled is {sampling}; it must be 1 at most")));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of relationships are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// Compares relationship by relationship, dependent by dependent.
fn compare(view: &View, window_days: f64, unseen_chance: f64, asked: Asked) -> Found {
    let mut found = Found::default();
    #[expect(clippy::cast_possible_truncation, reason = "windows are far below what a time delta holds")]
    let since = asked.at - TimeDelta::seconds((window_days * 86_400.0).min(1e11) as i64);
    let kind = if unseen_chance < UNLIKELY { DriftKind::Aspirational } else { DriftKind::Unobserved };
    for owner in view.graph.item_numbers() {
        let seen = seen(view, ci_of(owner), since, asked);
        for need in view.graph.needs(owner).filter(|need| need.phase().runs()) {
            let relationship = match DrawnFrom::of_tag(need.tag) {
                DrawnFrom::Relationship(ix) => Some(ix),
                DrawnFrom::Need(_) => None,
            };
            let only_observed =
                relationship.is_some_and(|ix| view.catalogue.relationship(ix).relationship.basis() == Ground::Observed);
            for member in need.members {
                let difference = |kind| Difference {
                    line: DriftLine {
                        kind,
                        dependent: key_of(&view.catalogue, owner),
                        dependency: key_of(&view.catalogue, *member),
                        name: crate::needs::title(&view.catalogue, &need).0,
                    },
                    owner,
                    member: *member,
                    relationship,
                };
                if only_observed {
                    found.missing.push(difference(DriftKind::Missing));
                } else if seen.is_empty() {
                    found.out_of_sight += 1;
                } else if seen.contains(&ci_of(*member)) {
                    (found.in_sight, found.confirmed) = (found.in_sight + 1, found.confirmed + 1);
                } else {
                    found.in_sight += 1;
                    found.unobserved.push(difference(kind));
                }
            }
        }
    }
    found
}

/// What was seen to be used by an item within the window.
fn seen(view: &View, ix: CiIx, since: chrono::DateTime<chrono::Utc>, asked: Asked) -> BTreeSet<CiIx> {
    let slots = view.catalogue.slot(ix).dependencies.iter().map(|at| view.catalogue.relationship(*at));
    let live = slots.filter(|slot| slot.relationship.standing == Standing::Live);
    let within = |slot: &&keelson_catalogue::RelationshipSlot| {
        slot.relationship.live_claims().any(|claim| {
            let at = crate::basis::confirmed(&view.catalogue, &claim.provenance);
            claim.basis == Ground::Observed && at >= since && at <= asked.at
        })
    };
    live.filter(within).map(|slot| slot.dependency).collect()
}

/// The graph as it is declared, with all that is observed, and without what is aspirational.
struct Graphs {
    declared: Snapshot,
    all: Snapshot,
    certain: Snapshot,
}

impl Graphs {
    fn of(view: &View, missing: &[Difference], aspirational: &[&Difference]) -> Result<Self, QuestionError> {
        let observed: BTreeSet<RelationshipIx> = missing.iter().filter_map(|one| one.relationship).collect();
        let gone: BTreeSet<RelationshipIx> = aspirational.iter().filter_map(|one| one.relationship).collect();
        let owners: BTreeSet<ItemIx> = missing.iter().map(|one| one.owner).collect();
        let declared =
            changed(&view.graph, &owners, |drawn| if observed.contains(&drawn) { Fate::Out } else { Fate::Stays })?;
        let all =
            changed(&view.graph, &owners, |drawn| if observed.contains(&drawn) { Fate::Certain } else { Fate::Stays })?;
        let owners: BTreeSet<ItemIx> = aspirational.iter().map(|one| one.owner).collect();
        let certain = changed(&declared, &owners, |drawn| if gone.contains(&drawn) { Fate::Out } else { Fate::Stays })?;
        Ok(Self { declared, all, certain })
    }
}

/// What becomes of a plain need.
enum Fate {
    Stays,
    Out,
    Certain,
}

/// A graph in which some plain needs of some items are taken out, or taken for certain.
fn changed(
    graph: &Snapshot,
    owners: &BTreeSet<ItemIx>,
    fate: impl Fn(RelationshipIx) -> Fate,
) -> Result<Snapshot, QuestionError> {
    let mut changes = Changes::new();
    for owner in owners {
        let specs = graph.needs(*owner).filter_map(|need| {
            let mut spec: NeedSpec = need.to_spec();
            match DrawnFrom::of_tag(need.tag) {
                DrawnFrom::Relationship(ix) => match fate(ix) {
                    Fate::Stays => Some(spec),
                    Fate::Out => None,
                    Fate::Certain => {
                        spec.doubt.existence = false;
                        Some(spec)
                    }
                },
                DrawnFrom::Need(_) => Some(spec),
            }
        });
        changes.replace_needs(*owner, specs.collect());
    }
    graph.with_changes(changes).map_err(QuestionError::Graph)
}

fn points(
    graph: &Snapshot,
    services: &[ItemIx],
    stop: Option<&AtomicBool>,
) -> Result<Vec<SinglePoints>, QuestionError> {
    let question = Question { reading: Reading::AsWritten, stop, ..Question::default() };
    Ok(single_points_of(graph, services, &question, &[])?.0)
}

/// The search for what is responsible for the difference of one service.
struct Tried<'a> {
    view: &'a View,
    graphs: &'a Graphs,
    service: ItemIx,
    stop: Option<&'a AtomicBool>,
}

impl Tried<'_> {
    /// The differences each of which alone changes the answer; where none does, those among what is now needed.
    fn responsible(
        &self,
        [declared, observed, certain]: &[&SinglePoints; 3],
        missing: &[Difference],
        aspirational: &[&Difference],
        budget: &mut usize,
    ) -> Result<Vec<DriftLine>, QuestionError> {
        let mut found = Vec::new();
        let mut candidates: Vec<&Difference> = Vec::new();
        if declared.items != observed.items {
            candidates.extend(missing);
        }
        if declared.items != certain.items {
            candidates.extend(aspirational);
        }
        for one in candidates {
            if *budget == 0 || self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                break;
            }
            *budget -= 1;
            let graph = self.with(one)?;
            let points = points(&graph, &[self.service], self.stop)?;
            if points.first().is_some_and(|points| points.items != declared.items) {
                found.push(one.line.clone());
            }
        }
        Ok(found)
    }

    /// The declared graph with one difference made.
    fn with(&self, one: &Difference) -> Result<Snapshot, QuestionError> {
        if one.line.kind == DriftKind::Missing {
            let mut specs: Vec<NeedSpec> = self.graphs.declared.needs(one.owner).map(|need| need.to_spec()).collect();
            let all = self.view.graph.needs(one.owner);
            let same = |tag: u64| matches!(DrawnFrom::of_tag(tag), DrawnFrom::Relationship(ix) if Some(ix) == one.relationship);
            for need in all.filter(|need| same(need.tag) && need.members.contains(&one.member)) {
                let mut spec = need.to_spec();
                spec.doubt.existence = false;
                specs.push(spec);
            }
            let mut changes = Changes::new();
            changes.replace_needs(one.owner, specs);
            return self.graphs.declared.with_changes(changes).map_err(QuestionError::Graph);
        }
        let fate = |drawn: RelationshipIx| if Some(drawn) == one.relationship { Fate::Out } else { Fate::Stays };
        changed(&self.graphs.declared, &BTreeSet::from([one.owner]), fate)
    }
}

fn line(view: &View, service: ItemIx, sets: &[&SinglePoints; 3], because: Vec<DriftLine>) -> DriftService {
    let keys = |set: &SinglePoints| set.items.iter().map(|item| key_of(&view.catalogue, *item)).collect::<Vec<_>>();
    let of = |set: &SinglePoints| set.items.iter().copied().collect::<BTreeSet<ItemIx>>();
    let sets_of = [of(sets[0]), of(sets[1]), of(sets[2])];
    let mut counts: BTreeMap<ItemIx, usize> = BTreeMap::new();
    sets_of.iter().flatten().for_each(|item| *counts.entry(*item).or_default() += 1);
    let same = counts.values().filter(|count| **count == 3).count();
    DriftService {
        subject: Subject::of(&view.catalogue, ci_of(service)),
        declared_points: keys(sets[0]),
        observed_points: keys(sets[1]),
        certain_points: keys(sets[2]),
        stability: if counts.is_empty() { 1.0 } else { share(same, counts.len()) },
        because,
    }
}
