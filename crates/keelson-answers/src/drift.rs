//! Where what is declared and what is observed differ, and for which services that matters (analyses 6.2).
//!
//! An observed relationship to a member of a need of the same dependent confirms that need. Any other is a need of
//! unknown strength. A declared relationship that was not seen is judged by how likely it would have been seen:
//! `P(no sighting | real) = e^(−r·W·c)` with *r* sightings a day expected, a window of *W* days and a share *c* of traffic
//! that is sampled. Below 1 % it is aspirational; otherwise one cannot tell. Never is it called wrong. Of dependents and of
//! kinds of which nothing at all was seen, nothing is said: they are out of sight.
//!
//! Only services whose answers change are reported: single points of failure, which say what every single loss does; how
//! many failures it takes; whether the promised availability is met; and by when to decide on more capacity.

mod compare;
mod figures;
mod graphs;
mod redundancy;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use keelson_analysis::sampling::interval;
use keelson_analysis::{Limits, Pool, Scratch, closure};
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::availability::rank;
use crate::single_points::services;
use crate::subject::ci_of;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

use compare::{Difference, compare};
use figures::Work;
pub use figures::{Change, DriftFigures};
use graphs::Graphs;
pub use redundancy::{RedundancyFault, RedundancyFinding};

/// Most affected services whose answers are compared, those worth most first.
const MOST_COMPARED: usize = 200;
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
    /// Observed, although one of both ends is retired or withdrawn.
    Ended,
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
    /// The other answers as declared.
    pub declared: DriftFigures,
    /// If all that is observed is there as well.
    pub observed: DriftFigures,
    /// Without what is aspirational.
    pub certain: DriftFigures,
    /// Which answers change.
    pub changes: Vec<Change>,
    /// The share of its answers that stay the same, from 0 to 1: each single point is an answer, and so are how many
    /// failures it takes, whether its target is met, and by when to decide, where these are known.
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
    /// How many declared relationships belong to dependents of which nothing is observed, or are of a kind of which nothing
    /// is: whoever watches the network sees no licence.
    pub out_of_sight: usize,
    /// How many relationships are observed and declared by nobody.
    pub missing: usize,
    /// How many relationships are observed although one of both ends is retired or withdrawn.
    pub ended: usize,
    /// How many are aspirational.
    pub aspirational: usize,
    /// How many relationships are observed only, and were not within the window: they count neither as missing nor as
    /// confirmed.
    pub old: usize,
    /// How many services were looked at.
    pub service_count: usize,
    /// How many of them rest on something that differs.
    pub affected_count: usize,
    /// The services whose answers change, the least stable first.
    pub services: Vec<DriftService>,
    /// The differences, missing ones first.
    pub differences: Vec<DriftLine>,
    /// Redundancy that is declared and not there: by what the load takes, or by what is observed.
    pub redundancy: Vec<RedundancyFinding>,
}

/// Compares what is declared with what is observed.
///
/// # Errors
/// When a service is unknown, or a figure of the question means nothing.
pub fn drift(
    view: &View,
    question: &DriftQuestion,
    asked: Asked,
    pool: &Pool,
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
    let graphs = Graphs::of(view, &found, &aspirational)?;
    let owners: Vec<ItemIx> = found.missing.iter().chain(aspirational.iter().copied()).map(|one| one.owner).collect();
    let (affected, all_affected) = affected(view, &wanted, owners, stop, &mut basis);
    let work = Work { view, graphs: &graphs, asked, pool, stop };
    let compared = work.compare(&affected, &mut basis)?;
    let mut budget = question.budget;
    let mut lines = Vec::new();
    for one in compared.iter().filter(|one| !one.changes().is_empty()) {
        let because = work.responsible(one, &found.missing, &aspirational, &mut budget)?;
        lines.push(one.line(view, because));
    }
    if budget == 0 && question.budget > 0 {
        basis.remark(
            LimitCode::ExactBudget,
            "the search for responsible differences ended because its budget was spent",
        );
    }
    let mut redundancy = redundancy::findings(&work, &wanted, &affected, question.most, &mut basis)?;
    basis.stopped(stop);
    lines.sort_by(|a, b| a.stability.total_cmp(&b.stability).then_with(|| a.subject.key.cmp(&b.subject.key)));
    let differences: BTreeSet<DriftLine> =
        found.missing.iter().chain(&found.unobserved).map(|one| &one.line).chain(&found.ended).cloned().collect();
    if let [first, ..] = &found.ended[..] {
        let message = format!(
            "{} relationships were observed although one end is retired or withdrawn ('{}' to '{}' first): analyses leave such \
             ends out, so no answer is compared with them; correct the life cycle, or what still talks",
            found.ended.len(),
            first.dependent,
            first.dependency
        );
        basis.limit(LimitCode::NotInService, message);
    }
    for (what, count) in
        [("services", lines.len()), ("differences", differences.len()), ("findings of redundancy", redundancy.len())]
    {
        basis.page(what, count.min(question.most), count);
    }
    basis.rests_on(view, wanted.iter().map(|one| ci_of(*one)), asked);
    lines.truncate(question.most);
    redundancy.truncate(question.most);
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
        ended: found.ended.len(),
        aspirational: aspirational.len(),
        old: found.old.len(),
        service_count: wanted.len(),
        affected_count: all_affected,
        services: lines,
        differences: differences.into_iter().take(question.most).collect(),
        redundancy,
        basis,
    })
}

/// The services that rest on a dependent of which something differs, those worth most first, and how many there are.
fn affected(
    view: &View,
    wanted: &[ItemIx],
    owners: Vec<ItemIx>,
    stop: Option<&AtomicBool>,
    basis: &mut Basis,
) -> (Vec<ItemIx>, usize) {
    let mut scratch = Scratch::default();
    let limits = Limits { stop, ..Limits::default() };
    closure::walk(&view.graph, &mut scratch, &owners, closure::Direction::Dependents, &limits);
    let met: BTreeSet<ItemIx> = scratch.met().chain(owners).collect();
    let mut affected: Vec<ItemIx> = wanted.iter().copied().filter(|one| met.contains(one)).collect();
    rank(view, &mut affected, basis);
    let all = affected.len();
    if all > MOST_COMPARED {
        let message = format!("{all} services rest on what differs: the {MOST_COMPARED} worth most are compared");
        basis.limit(LimitCode::Items, message);
        affected.truncate(MOST_COMPARED);
    }
    (affected, all)
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
