//! Whether contracts are as strong as the promises that rest on them (analyses 5.3).
//!
//! The same service is composed three times: as *promised* to customers, as *contracted* (what has a contract is as
//! available as the contract says, the rest as measured), and as *observed* (everything as measured).

mod hours;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use keelson_analysis::availability::{Budget, Chance, Composition, Question, availability as solve};
use keelson_analysis::importance::importance;
use keelson_analysis::single_points::{Question as PointsQuestion, breach_level, single_points_of};
use keelson_analysis::{Limits, Pool, Reading, Scratch, closure};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CONTRACT, SIGNED_WITH, SUPPLIER, is_a, targets};
use crate::attributes::{is_agreement, number, text, unavailability};
use crate::availability::rank;
use crate::chances::{Chances, INDEPENDENCE};
use crate::single_points::services;
use crate::subject::{ci_of, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View, item};

/// Kinds of relationship between something and the contract it rests on.
const UNDERPINNED_BY: &str = "underpinned_by";
/// Minutes of the period gaps are told for: 30 days.
pub const PERIOD_MINUTES: f64 = 43_200.0;

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
    /// The target that would close the gap, everything else staying as it is and contracts that state no target never
    /// failing; absent where none would.
    pub needed: Option<f64>,
}

/// A promise compared with the terms of a contract without which the service is breached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermLine {
    /// The contract.
    #[serde(flatten)]
    pub contract: Subject,
    /// What is compared: `support hours`, `response`, `resolution`, `recovery time`, `recovery point`, `notice`.
    pub term: String,
    /// What the service promises, or what replacing takes.
    pub promised: String,
    /// What the contract says.
    pub contracted: String,
    /// Whether the contract is as strong as the promise; absent where it cannot be told.
    pub holds: Option<bool>,
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
    /// Minutes in 30 days by which what is contracted allows more than is promised; 0 or below: no gap.
    pub gap_minutes: f64,
    /// Whether there is a gap, whatever is missing; absent where that depends on it.
    pub has_gap: Option<bool>,
    /// The contracts, the weakest first.
    pub contracts: Vec<WeakContract>,
    /// Terms beside availability.
    pub terms: Vec<TermLine>,
    /// Contracts that state no target, by key.
    pub without_target: Vec<String>,
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
    _pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<PromiseAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let mut wanted = services(view, &question.services)?;
    let promising = |one: &ItemIx| number(view, *one, "target_availability").is_some();
    let silent = wanted.iter().filter(|one| !promising(one)).count();
    wanted.retain(promising);
    rank(view, &mut wanted);
    if silent > 0 {
        basis.remark(
            LimitCode::FigureMissing,
            format!("{silent} services promise no availability, and are not compared"),
        );
    }
    let (chances, behind) = (Chances::of(view), behind_targets(view, stop));
    let mut lines = Vec::new();
    for service in wanted.iter().take(question.most) {
        lines.push(
            Compared { view, service: *service, chances: &chances, behind: &behind, stop, most: question.most }
                .line()?,
        );
    }
    basis.stopped(stop);
    basis.page("services", lines.len(), wanted.len());
    let without: usize = lines.iter().map(|line| line.without_target.len()).sum();
    if without > 0 {
        basis.limit(
            LimitCode::FigureMissing,
            format!("{without} contracts state no target; they are bracketed from 0 to 1"),
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

/// The target a contract, or something bought, states.
fn target(view: &View, one: ItemIx) -> Option<f64> {
    number(view, one, "target_availability")
}

/// Whether something is bought: a contract, or what a supplier provides.
fn is_bought(view: &View, one: ItemIx) -> bool {
    [CONTRACT, "supplier-service"].iter().any(|class| is_a(view, ci_of(one), class))
}

/// Whether its availability is covered by a contract that states a target.
fn is_covered(view: &View, one: ItemIx) -> bool {
    targets(view, ci_of(one), UNDERPINNED_BY).into_iter().any(|contract| target(view, item(contract)).is_some())
}

/// The suppliers that stand behind a target, at any depth: what they do is in that target.
fn behind_targets(view: &View, stop: Option<&AtomicBool>) -> BTreeSet<ItemIx> {
    let bought = view.graph.item_numbers().filter(|one| is_bought(view, *one) && target(view, *one).is_some());
    let bought: Vec<ItemIx> = bought.collect();
    let mut scratch = Scratch::default();
    let limits = Limits { stop, ..Limits::default() };
    closure::walk(&view.graph, &mut scratch, &bought, closure::Direction::Dependencies, &limits);
    scratch.met().filter(|one| is_a(view, ci_of(*one), SUPPLIER)).collect()
}

/// One service, compared.
struct Compared<'a> {
    view: &'a View,
    service: ItemIx,
    chances: &'a Chances<'a>,
    behind: &'a BTreeSet<ItemIx>,
    stop: Option<&'a AtomicBool>,
    most: usize,
}

/// Which figures are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Figures {
    Contracted,
    /// As contracted, but contracts that state no target never fail.
    Stated,
    Observed,
}

impl Compared<'_> {
    /// How likely something fails of itself under some figures.
    fn chance(&self, figures: Figures, reading: Reading, one: ItemIx) -> Chance {
        let view = self.view;
        if figures != Figures::Observed {
            let is_contract = is_a(view, ci_of(one), CONTRACT);
            // What a contract with a target covers is in that target, whatever its own is.
            if !is_contract && is_covered(view, one) {
                return Chance::NEVER;
            }
            if let Some(target) = target(view, one).filter(|_| is_bought(view, one)) {
                return Chance::exactly(1.0 - target);
            }
            if is_contract {
                return if figures == Figures::Stated { Chance::NEVER } else { Chance::between(0.0, 1.0) };
            }
            // Whoever stands behind a contract with a target is in that target.
            if self.behind.contains(&one) {
                return Chance::NEVER;
            }
        }
        if one == self.service {
            return Chance::NEVER;
        }
        if let Some(measured) = number(view, one, "measured_availability") {
            return Chance::exactly(1.0 - measured);
        }
        self.chances.read(one, reading)
    }

    fn compose(&self, figures: Figures, reading: Reading) -> Result<Composition<'_>, QuestionError> {
        let level = breach_level(self.view.target(self.service).min_delivered);
        let question =
            Question { level, reading, stop: self.stop, budget: Budget::default(), ..Question::about(self.service) };
        Ok(Composition::of(&self.view.graph, &question, |one| self.chance(figures, reading, one))?)
    }

    fn level(&self, figures: Figures) -> Result<Level, QuestionError> {
        let written = solve(&self.compose(figures, Reading::AsWritten)?);
        let best = solve(&self.compose(figures, Reading::Optimistic)?);
        let worst = solve(&self.compose(figures, Reading::Pessimistic)?);
        let down = written.with_least.value;
        let least = 1.0 - worst.with_most.most.max(written.with_most.most);
        let most = 1.0 - best.with_least.least.min(written.with_least.least);
        Ok(Level { availability: 1.0 - down, least, most, minutes: down * PERIOD_MINUTES })
    }

    fn line(&self) -> Result<PromiseLine, QuestionError> {
        let view = self.view;
        let promised = target(view, self.service).unwrap_or(0.0);
        let (contracted, observed) = (self.level(Figures::Contracted)?, self.level(Figures::Observed)?);
        let promised_minutes = (1.0 - promised) * PERIOD_MINUTES;
        let has_gap = match promised {
            promised if contracted.most < promised => Some(true),
            promised if contracted.least >= promised => Some(false),
            _ => None,
        };
        let cone = self.cone();
        let contracts = self.contracts(promised)?;
        let without_target =
            cone.iter().filter(|one| is_a(view, ci_of(**one), CONTRACT) && target(view, **one).is_none());
        let has_none = |one: &&ItemIx| {
            let is_party = self.behind.contains(*one) || is_agreement(view, **one);
            let stated =
                number(view, **one, "measured_availability").is_some() || unavailability(view, **one).is_some();
            !is_party
                && !stated
                && !view.is_service(ci_of(**one))
                && !is_covered(view, **one)
                && !is_bought(view, **one)
        };
        Ok(PromiseLine {
            subject: Subject::of(&view.catalogue, ci_of(self.service)),
            promised,
            promised_minutes,
            contracted,
            observed,
            measured: number(view, self.service, "measured_availability"),
            gap_minutes: contracted.minutes - promised_minutes,
            has_gap,
            contracts,
            terms: self.terms(&cone)?,
            without_target: without_target.map(|one| key_of(&view.catalogue, *one)).collect(),
            without_figure: cone.iter().filter(has_none).count(),
        })
    }

    /// Everything the service rests on, ascending.
    fn cone(&self) -> Vec<ItemIx> {
        let mut scratch = Scratch::default();
        let limits = Limits { stop: self.stop, ..Limits::default() };
        closure::walk(&self.view.graph, &mut scratch, &[self.service], closure::Direction::Dependencies, &limits);
        let mut cone: Vec<ItemIx> = scratch.met().filter(|one| *one != self.service).collect();
        cone.sort_unstable();
        cone
    }

    /// The contracts by how much of the unavailability they are, and what each would need to promise. The unavailability
    /// is linear in the chance of one item, so the target needed is exact where the composition is.
    fn contracts(&self, promised: f64) -> Result<Vec<WeakContract>, QuestionError> {
        let composition = self.compose(Figures::Stated, Reading::AsWritten)?;
        let found = solve(&composition);
        let weights = importance(&composition, &found);
        let (down, allowed) = (found.with_most.value, 1.0 - promised);
        let bought = weights.items.iter().filter(|weight| is_bought(self.view, weight.item));
        let line = |weight: &keelson_analysis::importance::Weight| {
            let birnbaum = weight.birnbaum.value;
            let without = down - weight.chance * birnbaum;
            let needed =
                (birnbaum > 0.0 && without <= allowed).then(|| 1.0 - ((allowed - without) / birnbaum).min(1.0));
            WeakContract {
                subject: Subject::of(&self.view.catalogue, ci_of(weight.item)),
                target: 1.0 - weight.chance,
                criticality: weight.criticality,
                needed,
            }
        };
        Ok(bought.take(self.most).map(line).collect())
    }

    /// The terms of contracts whose loss alone breaches the service.
    fn terms(&self, cone: &[ItemIx]) -> Result<Vec<TermLine>, QuestionError> {
        let view = self.view;
        let contracts: Vec<ItemIx> = cone.iter().copied().filter(|one| is_a(view, ci_of(*one), CONTRACT)).collect();
        if contracts.is_empty() {
            return Ok(Vec::new());
        }
        let level = breach_level(view.target(self.service).min_delivered);
        let question = PointsQuestion { level, stop: self.stop, ..PointsQuestion::default() };
        let (points, _) = single_points_of(&view.graph, &[self.service], &question, &[])?;
        let points = points.into_iter().next().unwrap_or_default();
        let alone = contracts.into_iter().filter(|one| points.items.binary_search(one).is_ok());
        Ok(alone.flat_map(|contract| self.terms_of(contract)).take(self.most.saturating_mul(6)).collect())
    }

    fn terms_of(&self, contract: ItemIx) -> Vec<TermLine> {
        let view = self.view;
        let subject = Subject::of(&view.catalogue, ci_of(contract));
        let said = |value: Option<String>| value.unwrap_or_else(|| "not stated".to_owned());
        let mut lines = Vec::new();
        if let Some(promised) = text(view, self.service, "support_hours") {
            let contracted = text(view, contract, "support_hours");
            let holds = contracted.as_deref().and_then(|contracted| hours::covers(contracted, &promised));
            let (term, contracted) = ("support hours".to_owned(), said(contracted));
            lines.push(TermLine { contract: subject.clone(), term, promised, contracted, holds });
        }
        for (name, term) in [
            ("response_minutes", "response"),
            ("resolution_minutes", "resolution"),
            ("rto_minutes", "recovery time"),
            ("rpo_minutes", "recovery point"),
        ] {
            let Some(promised) = number(view, self.service, name) else { continue };
            let contracted = number(view, contract, name);
            lines.push(TermLine {
                contract: subject.clone(),
                term: term.to_owned(),
                promised: format!("{promised} min"),
                contracted: said(contracted.map(|minutes| format!("{minutes} min"))),
                holds: contracted.map(|contracted| contracted <= promised),
            });
        }
        lines.extend(self.notice(contract, &subject));
        lines
    }

    /// Whether the supplier's notice leaves time enough to replace it.
    fn notice(&self, contract: ItemIx, subject: &Subject) -> Option<TermLine> {
        let view = self.view;
        let signed: Vec<CiIx> = targets(view, ci_of(contract), SIGNED_WITH);
        let months =
            signed.iter().filter_map(|one| number(view, item(*one), "substitution_months")).reduce(f64::max)?;
        let notice = number(view, contract, "supplier_notice_days");
        Some(TermLine {
            contract: subject.clone(),
            term: "notice".to_owned(),
            promised: format!("{months} months to replace"),
            contracted: notice.map_or_else(|| "not stated".to_owned(), |days| format!("{days} days")),
            holds: notice.map(|days| days >= months * 30.0),
        })
    }
}
