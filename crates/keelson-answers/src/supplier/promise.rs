//! Whether contracts are as strong as the promises that rest on them (analyses 5.3).
//!
//! The same service is composed three times: as *promised* to customers, as *contracted* (what has a contract is as
//! available as the contract says, the rest as measured), and as *observed* (everything as measured).

mod compared;
mod composed;
mod force;
mod hours;
mod starts;
mod terms;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use keelson_analysis::Pool;
use keelson_analysis::availability::Availability;
use keelson_graph::ItemIx;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CONTRACT, is_a};
use crate::attributes::number;
use crate::availability::{budget, rank};
use crate::chances::{Chances, INDEPENDENCE};
use crate::single_points::services;
use crate::subject::ci_of;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

use compared::Compared;
pub use composed::{ComposedTerm, MOST_COMPOSED};
use force::Agreed;
use starts::Starts;
pub use terms::TermLine;

/// Kinds of relationship between something and the contract it rests on.
const UNDERPINNED_BY: &str = "underpinned_by";
/// The attribute that states which availability is promised.
pub(crate) const TARGET: &str = "target_availability";
/// Minutes of the period gaps are told for: 30 days.
pub const PERIOD_MINUTES: f64 = 43_200.0;
/// Terms listed for each line that is asked for.
const TERMS_OF_EACH: usize = 9;

/// Whose promises are asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PromiseQuestion {
    /// The services, by key; empty means every service that promises an availability.
    pub services: Vec<String>,
    /// Most services computed, and most lines of each.
    pub most: usize,
}

/// An availability, and what it comes to in 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Level {
    /// The availability.
    pub availability: f64,
    /// It is not below this, whatever is missing.
    pub least: f64,
    /// It is not above this, whatever is missing.
    pub most: f64,
    /// Minutes down in 30 days.
    pub minutes: f64,
}

impl Level {
    /// Of a composition with every need as it is written, at best and at worst.
    pub(crate) fn of(written: &Availability, best: &Availability, worst: &Availability) -> Self {
        let down = written.with_least.value;
        let least = 1.0 - worst.with_most.most.max(written.with_most.most);
        let most = 1.0 - best.with_least.least.min(written.with_least.least);
        Self { availability: 1.0 - down, least, most, minutes: down * PERIOD_MINUTES }
    }
}

/// What a contract would need to promise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeakContract {
    /// The contract, or what is bought under its own target.
    #[serde(flatten)]
    pub subject: Subject,
    /// What it promises.
    pub target: f64,
    /// How much of the service's composed unavailability goes if it never failed.
    pub criticality: f64,
    /// The target that would close the gap as it is told in minutes: everything else at the lower end of its chance, and
    /// contracts that state no target never failing; absent where none would.
    pub needed: Option<f64>,
    /// The target that would still close it with everything else at the upper end; absent where none would.
    pub needed_at_worst: Option<f64>,
}

/// The promise of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromiseLine {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// What is promised to customers.
    pub promised: f64,
    /// Minutes down in 30 days that this allows.
    pub promised_minutes: f64,
    /// What contracts and own measurements compose to.
    pub contracted: Level,
    /// What measurements compose to.
    pub observed: Level,
    /// What was measured of the service itself, where stated.
    pub measured: Option<f64>,
    /// Minutes in 30 days by which what is contracted allows more than is promised, every need as it is written and every
    /// chance at its lower end; 0 or below: no gap.
    pub gap_minutes: f64,
    /// The gap is not smaller, whatever is missing.
    pub gap_least: f64,
    /// The gap is not larger, whatever is missing.
    pub gap_most: f64,
    /// Whether there is a gap, whatever is missing; absent where that depends on it.
    pub has_gap: Option<bool>,
    /// The contracts, the weakest first.
    pub contracts: Vec<WeakContract>,
    /// Terms beside availability, composed over everything beneath the service.
    pub composed: Vec<ComposedTerm>,
    /// Terms of single contracts: of those whose loss alone breaches the service what is composed too, of all of them
    /// credits, measurement period, exclusions and notice.
    pub terms: Vec<TermLine>,
    /// Contracts that state no target, by key.
    pub without_target: Vec<String>,
    /// Contracts that have ended or not begun, by key: they promise nothing, and what rests on them counts as without them.
    pub not_in_force: Vec<String>,
    /// Own items that state neither a measurement nor an unavailability; how many.
    pub without_figure: usize,
}

/// Promises and what they rest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromiseAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// Length of the period that minutes are told for, in days.
    pub period_days: u32,
    /// How many services promise an availability.
    pub service_count: usize,
    /// How many have a gap for certain.
    pub gap_count: usize,
    /// The services, those with the largest gap first.
    pub services: Vec<PromiseLine>,
    /// What every probability here takes for granted.
    pub independence: String,
}

/// Compares promises with what they rest on.
///
/// # Errors
/// When a service is unknown or takes no part in analyses.
pub fn promise(
    view: &View,
    question: &PromiseQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<PromiseAnswer, QuestionError> {
    promise_beside(view, question, &BTreeMap::new(), (asked, pool, stop))
}

/// As [`promise`], beside what is known already of services with every figure as it is stated.
pub(crate) fn promise_beside(
    view: &View,
    question: &PromiseQuestion,
    known: &BTreeMap<ItemIx, Level>,
    (asked, pool, stop): (Asked, &Pool, Option<&AtomicBool>),
) -> Result<PromiseAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let mut wanted = services(view, &question.services)?;
    let promising = |one: &ItemIx| number(view, *one, TARGET).is_some();
    let silent = wanted.iter().filter(|one| !promising(one)).count();
    wanted.retain(promising);
    rank(view, &mut wanted, &mut basis);
    if silent > 0 {
        basis.remark(
            LimitCode::FigureMissing,
            format!("{silent} services promise no availability, and are not compared"),
        );
    }
    let loaded = view.loaded_beneath(&wanted);
    let (chances, agreed) = (Chances::of(&loaded.view)?, Agreed::of(view, asked, stop));
    let starts = Starts::of(view, &wanted[..question.most.min(wanted.len())], asked, pool, stop)?;
    let chosen = &wanted[..question.most.min(wanted.len())];
    let (most, budget) = (question.most, budget((0, 0), chosen.len()));
    // Services are worked out side by side, and told in their order.
    let compared = |service: &ItemIx| -> Result<(PromiseLine, Cut), QuestionError> {
        let (chances, agreed) = (&chances, &agreed);
        let mut cut = Cut::default();
        let (service, known) = (*service, known.get(service).copied());
        let compared = Compared { view, asked, service, chances, agreed, pool, stop, most, budget, known };
        let mut line = compared.line(&mut cut)?;
        line.composed.extend(starts.of_service(&line.subject.key));
        Ok((line, cut))
    };
    let found: Vec<(PromiseLine, Cut)> = chosen.par_iter().map(compared).collect::<Result<_, _>>()?;
    let (mut lines, cuts): (Vec<PromiseLine>, Vec<Cut>) = found.into_iter().unzip();
    let cut = cuts.into_iter().fold(Cut::default(), Cut::and);
    basis.stopped(stop);
    basis.page("services", lines.len(), wanted.len());
    cut.note(&mut basis, question.most);
    note(&mut basis, &lines);
    loaded.note(&mut basis);
    basis.rests_on(view, wanted.iter().map(|one| ci_of(*one)), asked);
    lines.sort_by(|a, b| b.gap_minutes.total_cmp(&a.gap_minutes).then_with(|| a.subject.key.cmp(&b.subject.key)));
    Ok(PromiseAnswer {
        period_days: 30,
        service_count: wanted.len(),
        gap_count: lines.iter().filter(|line| line.has_gap == Some(true)).count(),
        services: lines,
        independence: INDEPENDENCE.to_owned(),
        basis,
    })
}

/// Says what is missing.
fn note(basis: &mut Basis, lines: &[PromiseLine]) {
    let over: BTreeSet<&String> = lines.iter().flat_map(|line| &line.not_in_force).collect();
    if let Some(first) = over.first() {
        let message = format!(
            "{} contracts are not in force ('{first}' first): they promise nothing, and what rests on them is bracketed by \
             what its class states, or else others of it",
            over.len()
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
    let without: usize = lines.iter().map(|line| line.without_target.len()).sum();
    if without > 0 {
        basis.limit(
            LimitCode::FigureMissing,
            format!("{without} contracts state no target; they are bracketed by what their class states, or else from 0 to 1"),
        );
    }
    let figures: usize = lines.iter().map(|line| line.without_figure).sum();
    if figures > 0 {
        let message = format!(
            "{figures} items state no measurement and no unavailability; what others of their class state is taken, and where \
             they state none the gap may be larger"
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
    let open = lines.iter().flat_map(|line| &line.composed).filter(|term| term.holds.is_none()).count();
    if open > 0 {
        let message = format!("{open} terms of services cannot be told from what contracts and recovery times state");
        basis.limit(LimitCode::FigureMissing, message);
    }
}

/// What found no room.
#[derive(Default)]
struct Cut {
    /// Services with more contracts beneath them than are composed.
    uncomposed: Vec<String>,
    /// Terms of contracts that are not listed.
    terms: usize,
}

impl Cut {
    fn and(mut self, other: Self) -> Self {
        self.uncomposed.extend(other.uncomposed);
        self.terms += other.terms;
        self
    }

    fn note(self, basis: &mut Basis, most: usize) {
        if let [first, ..] = &self.uncomposed[..] {
            let message = format!(
                "{} services rest on more than {MOST_COMPOSED} contracts ('{first}' first): their terms are not composed",
                self.uncomposed.len()
            );
            basis.limit(LimitCode::Items, message);
        }
        if self.terms > 0 {
            let message = format!("{} terms of contracts find no room among the {most} of a service", self.terms);
            basis.remark(LimitCode::Page, message);
        }
    }
}

/// The target a contract, or something bought, states.
fn target(view: &View, one: ItemIx) -> Option<f64> {
    number(view, one, TARGET)
}

/// Whether something is bought: a contract, or what a supplier provides.
fn is_bought(view: &View, one: ItemIx) -> bool {
    [CONTRACT, "supplier-service"].iter().any(|class| is_a(view, ci_of(one), class))
}
