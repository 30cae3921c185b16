//! What falls over with a supplier, at any depth (analyses 5.1).

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use keelson_analysis::impact::Protection;
use keelson_analysis::{Limits, Pool};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use keelson_model::Criticality;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alternatives::{AlternativeSupplier, StandingIn, alternative, standing_in};
use super::chain::{
    Chain, ChainLine, CircleLine, chain, chain_of_contract, circles, deeper_than_known, known_to_rank,
    lines as chain_lines,
};
use super::concentration::{Place, place};
use super::horizon::Horizon;
use super::{CONTRACT, SUPPLIER, is_a, signed, signers, sources};
use crate::attributes::{Money, add, moment, number, text, value_per_hour};
use crate::impact::{Assessment, ImpactQuestion, ProofText, ProtectedBy, assess, proof_lines};
use crate::subject::{ci_of, find_item};
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View, item};

/// Lines of a proof.
const MOST_LINES: usize = 40;
/// Needs told that hold one service.
const MOST_HOLDING: usize = 5;

/// The loss of which supplier is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SupplierLossQuestion {
    /// The supplier, or another item such as a country or a contract, by key.
    pub supplier: String,
    /// Most services and contracts listed.
    pub most: usize,
    /// Most services that a proof is written for.
    pub proofs: usize,
    /// Propagations the search for decisive facts may compute; 0 leaves certainty out.
    pub budget: usize,
}

/// A service that the loss touches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TouchedService {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// What an hour without it costs, where stated.
    pub value_per_hour: Option<Money>,
    /// Its loss, from 0 (whole) to 1 (gone).
    pub loss: f64,
    /// Why, line by line; empty where no proof was asked for, or it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<ProofText>,
    /// What holds it, where it holds: the alternative.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<ProtectedBy>,
}

/// A contract with the supplier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContractLine {
    /// The contract.
    #[serde(flatten)]
    pub subject: Subject,
    /// First moment it no longer holds, where stated.
    pub end: Option<DateTime<Utc>>,
    /// Whether it has ended.
    pub has_ended: bool,
    /// Notice we have to give, in days.
    pub notice_days: Option<f64>,
    /// Notice the supplier has to give, in days.
    pub supplier_notice_days: Option<f64>,
    /// Availability it promises.
    pub target: Option<f64>,
    /// The first day on which something that rests on it runs out, within ten years; absent where none is known.
    pub runs_out_at: Option<DateTime<Utc>>,
    /// What runs out then, by key.
    pub runs_out: Option<String>,
    /// Whether that is before the contract ends; absent where one of the days is not known.
    pub runs_out_first: Option<bool>,
}

/// What falls over with a supplier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupplierLossAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The supplier.
    pub supplier: Subject,
    /// Its country, where stated.
    pub country: Option<String>,
    /// Months it would take to replace it, where stated.
    pub substitution_months: Option<f64>,
    /// How hard it would be to replace, where stated: `easy`, `difficult` or `impossible`.
    pub substitutability: Option<String>,
    /// The supplier identified to take its place, where stated.
    pub alternative: Option<AlternativeSupplier>,
    /// Whether there is a plan for leaving it.
    pub exit_plan: Option<bool>,
    /// When that plan was last exercised.
    pub exit_plan_tested: Option<DateTime<Utc>>,
    /// Who works for it, nearest first; itself at rank 1.
    pub chain: Vec<ChainLine>,
    /// Sub-contracts of the chain that close a circle.
    pub circles: Vec<CircleLine>,
    /// Down to which rank the chain is known, as far as those in it say that theirs is; absent where the first do not say.
    pub chain_known_to_rank: Option<f64>,
    /// Whom it works for, by key: those who subcontract to it.
    pub works_for: Vec<String>,
    /// Contracts with it.
    pub contracts: Vec<ContractLine>,
    /// How many services it touches: those that reach it, directly or not.
    pub touched_count: usize,
    /// How many services fall over, whatever finds room.
    pub falls_over_count: usize,
    /// How many services are degraded, whatever finds room.
    pub degraded_count: usize,
    /// The services that fall over: breached with every need as it is written.
    pub falls_over: Vec<TouchedService>,
    /// The services that may fall over, if unknown facts turn out badly, by key.
    pub may_fall_over: Vec<Subject>,
    /// The services that are degraded.
    pub degraded: Vec<TouchedService>,
    /// The services that are touched and hold, with what holds them.
    pub holds: Vec<TouchedService>,
    /// Needs that lose members with it and of which others stand, by what has them: the items that could replace what is
    /// lost.
    pub standing_in: Vec<StandingIn>,
    /// Its place in the concentration of suppliers; absent where it is no supplier.
    pub place: Option<Place>,
    /// What an hour without what falls over costs, by currency, where stated.
    pub value_per_hour: Vec<Money>,
    /// Other items that are lost wholly with it.
    pub lost_items: usize,
}

/// Finds what falls over with a supplier.
///
/// # Errors
/// When the supplier is unknown or takes no part in analyses.
pub fn supplier_loss(
    view: &View,
    question: &SupplierLossQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<SupplierLossAnswer, QuestionError> {
    let supplier = find_item(view, &question.supplier)?;
    let limits = Limits { stop, ..Limits::default() };
    let seeds = vec![(question.supplier.clone(), 1.0)];
    let assessment =
        assess(view, &ImpactQuestion { seeds, interval: None, budget: question.budget, limits }, asked, pool)?;
    let mut basis = assessment.basis().clone();
    let ix = ci_of(supplier);
    let chain = chain_behind(view, ix, &mut basis);
    let touched = Touched { assessment: &assessment, proofs: std::cell::Cell::new(question.proofs) };
    let breached = |one: &&ItemIx| assessment.verdict(**one) == keelson_analysis::impact::Verdict::Breached;
    let losing = assessment.affected_services();
    let (fallen, degraded): (Vec<ItemIx>, Vec<ItemIx>) = losing.iter().partition(|one| breached(one));
    let most = question.most;
    for (what, count) in [
        ("services that fall over", fallen.len()),
        ("degraded services", degraded.len()),
        ("services that hold", assessment.protected().len()),
    ] {
        basis.page(what, count.min(most), count);
    }
    let protection = assessment.protection();
    let horizon = Horizon::of(view, asked, pool, stop, &mut basis);
    let is_supplier = is_a(view, ix, SUPPLIER);
    let place = is_supplier.then(|| place(view, supplier, asked, (pool, stop), &horizon, &mut basis)).transpose()?;
    let alternative = alternative(&assessment, supplier, &chain, &mut basis);
    let stand_in = stand_in(&assessment, most, &mut basis);
    basis.stopped(stop);
    Ok(SupplierLossAnswer {
        supplier: Subject::of(&view.catalogue, ix),
        country: text(view, supplier, "country"),
        substitution_months: number(view, supplier, "substitution_months"),
        substitutability: text(view, supplier, "substitutability"),
        alternative,
        exit_plan: crate::attributes::flag(view, supplier, "exit_plan"),
        exit_plan_tested: moment(view, supplier, "exit_plan_tested"),
        chain: chain_lines(view, &chain),
        circles: circles(view, &chain),
        chain_known_to_rank: known_to_rank(view, &chain),
        works_for: keys(view, &sources(view, ix, super::SUBCONTRACTS_TO)),
        contracts: contracts(view, supplier, asked, most, &horizon),
        touched_count: losing.len() + assessment.protected().len(),
        falls_over_count: fallen.len(),
        degraded_count: degraded.len(),
        falls_over: fallen.iter().take(most).map(|one| touched.losing(*one)).collect(),
        may_fall_over: assessment.certainty_answer().map(|certainty| certainty.possible).unwrap_or_default(),
        degraded: degraded.iter().take(most).map(|one| touched.losing(*one)).collect(),
        holds: assessment.protected().iter().take(most).map(|one| touched.holding(&protection, *one)).collect(),
        standing_in: stand_in,
        place,
        value_per_hour: value_of(view, &fallen),
        lost_items: assessment.lost(),
        basis,
    })
}

/// The needs of which members stand in, as many as are listed.
fn stand_in(assessment: &Assessment, most: usize, basis: &mut Basis) -> Vec<StandingIn> {
    let mut found = standing_in(assessment);
    basis.page("needs of which members stand in", found.len().min(most), found.len());
    found.truncate(most);
    found
}

/// What an hour without some services costs, by currency.
fn value_of(view: &View, services: &[ItemIx]) -> Vec<Money> {
    let mut value = Vec::new();
    services.iter().filter_map(|one| value_per_hour(view, *one)).for_each(|more| add(&mut value, &more));
    value
}

fn keys(view: &View, items: &[CiIx]) -> Vec<String> {
    items.iter().map(|one| view.catalogue.ci(*one).key.to_string()).collect()
}

/// The chain behind a supplier, or behind a contract; says what is not known of it, and what contradicts itself.
fn chain_behind(view: &View, ix: CiIx, basis: &mut Basis) -> Chain {
    let chain =
        if is_a(view, ix, CONTRACT) { chain_of_contract(view, ix, &signers(view, ix)) } else { chain(view, &[ix]) };
    if known_to_rank(view, &chain).is_none() && is_a(view, ix, SUPPLIER) {
        let message = "nobody states down to which rank its chain of sub-contractors is known";
        basis.limit(LimitCode::FigureMissing, message);
    }
    for one in deeper_than_known(view, chain.links.iter().map(|(provider, _, _)| *provider)) {
        let message = format!(
            "'{}' says that its chain is known down to rank {}, and sub-contractors down to rank {} are stated: one of the two \
             is wrong",
            view.catalogue.ci(one.provider).key,
            one.known,
            one.stated
        );
        basis.limit(LimitCode::FigureMissing, message);
    }
    chain
}

struct Touched<'a> {
    assessment: &'a Assessment,
    proofs: std::cell::Cell<usize>,
}

impl Touched<'_> {
    fn plain(&self, service: ItemIx) -> TouchedService {
        let view = self.assessment.view();
        TouchedService {
            subject: Subject::of(&view.catalogue, ci_of(service)),
            criticality: view.brief(ci_of(service)).criticality,
            value_per_hour: value_per_hour(view, service),
            loss: self.assessment.impact().loss(service),
            proof: Vec::new(),
            held_by: Vec::new(),
        }
    }

    fn holding(&self, protection: &Protection<'_>, service: ItemIx) -> TouchedService {
        let line = self.assessment.protected_line(protection, service);
        TouchedService {
            held_by: line.by.into_iter().chain(line.also_by).take(MOST_HOLDING).collect(),
            ..self.plain(service)
        }
    }

    fn losing(&self, service: ItemIx) -> TouchedService {
        let mut line = self.plain(service);
        if let Some(left) = self.proofs.get().checked_sub(1) {
            self.proofs.set(left);
            line.proof = proof_lines(self.assessment, service, MOST_LINES).0;
        }
        line
    }
}

/// The contracts signed with a supplier; of a contract itself.
fn contracts(view: &View, supplier: ItemIx, asked: Asked, most: usize, horizon: &Horizon) -> Vec<ContractLine> {
    let ix = ci_of(supplier);
    let signed = if is_a(view, ix, CONTRACT) { vec![ix] } else { signed(view, ix) };
    let line = |ix: &CiIx| {
        let one = item(*ix);
        let end = moment(view, one, "end");
        let runs_out = horizon.runs_out(view, *ix);
        ContractLine {
            subject: Subject::of(&view.catalogue, *ix),
            end,
            has_ended: end.is_some_and(|end| end <= asked.at),
            notice_days: number(view, one, "notice_days"),
            supplier_notice_days: number(view, one, "supplier_notice_days"),
            target: number(view, one, "target_availability"),
            runs_out_at: runs_out.map(|(at, _)| *at),
            runs_out: runs_out.map(|(_, what)| what.clone()),
            runs_out_first: runs_out.zip(end).map(|((at, _), end)| *at < end),
        }
    };
    signed.iter().filter(|ix| is_a(view, **ix, CONTRACT)).take(most).map(line).collect()
}
