//! What falls over with a supplier, at any depth.

use std::sync::Arc;

use super::by_subjects;
use super::concentration::SupplierShare;
use super::single_points::ProofStep;
use super::{LISTED, answered, bounded, key_of};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::effect::Money;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use crate::types::impact::{ProtectingNeed, by_key, by_keys};
use crate::types::item::ConfigurationItem;
use crate::types::lookup::ConfigurationItemBy;
use crate::types::need::RuleKind;
use crate::types::words::Criticality;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::answers::supplier::alternatives::{AlternativeSupplier, StandingIn};
use keelson_app::answers::supplier::chain::{ChainLine, CircleLine};
use keelson_app::answers::supplier::concentration::Place;
use keelson_app::answers::supplier::loss::{
    ContractLine, SupplierLossAnswer, SupplierLossQuestion, TouchedService as TouchedServiceLine, supplier_loss,
};

/// Most evaluations the search for decisive facts may take.
const MOST_EVALUATIONS: usize = 1_000;

/// The loss of which supplier is asked about.
#[derive(Clone, Debug, InputObject)]
pub struct SupplierLossInput {
    /// The supplier, or another item such as a contract.
    pub supplier: ConfigurationItemBy,
    /// How many services get a proof, 0 to 100.
    #[graphql(default = 0)]
    pub proofs: i32,
    /// Evaluations the search for decisive unknown facts may take, 0 to 1000; 0 leaves certainty out.
    #[graphql(default = 200)]
    pub certainty_budget: i32,
}

/// Asks it.
pub(crate) async fn find(
    ctx: &Context<'_>,
    at: Arc<Moment>,
    input: &SupplierLossInput,
) -> Result<SupplierLoss, Refusal> {
    let question = SupplierLossQuestion {
        supplier: key_of(&at, &input.supplier)?,
        most: LISTED,
        proofs: bounded("proofs", input.proofs, LONGEST_LIST)?,
        budget: bounded("the certainty budget", input.certainty_budget, MOST_EVALUATIONS)?,
    };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| supplier_loss(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(SupplierLoss { at, answer })
}

/// What falls over with a supplier.
pub struct SupplierLoss {
    at: Arc<Moment>,
    answer: SupplierLossAnswer,
}

/// What falls over with a supplier.
#[Object]
impl SupplierLoss {
    /// The supplier.
    async fn supplier(&self) -> Option<ConfigurationItem> {
        let at = &self.at;
        by_key(at, &self.answer.supplier.key)
    }

    /// Its country, where stated.
    async fn country(&self) -> Option<String> {
        self.answer.country.clone()
    }

    /// Months it would take to replace it, where stated.
    async fn substitution_months(&self) -> Option<f64> {
        self.answer.substitution_months
    }

    /// How hard it would be to replace, where stated: `easy`, `difficult` or `impossible`.
    async fn substitutability(&self) -> Option<String> {
        self.answer.substitutability.clone()
    }

    /// The supplier identified to take its place, where stated.
    async fn alternative(&self) -> Option<SupplierAlternative> {
        self.answer.alternative.as_ref().map(|one| SupplierAlternative::of(&self.at, one))
    }

    /// Whether there is a plan for leaving it.
    async fn exit_plan(&self) -> Option<bool> {
        self.answer.exit_plan
    }

    /// When that plan was last exercised.
    async fn exit_plan_tested(&self) -> Option<DateTime<Utc>> {
        self.answer.exit_plan_tested
    }

    /// Who works for it, nearest first; itself at rank 1; at most the first 10000.
    async fn chain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SupplyChainLink>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierLoss.chain", String::new());
        placed(ctx, &self.at, list, &self.answer.chain, &paging, |one| SupplyChainLink::of(&self.at, one))
    }

    /// Sub-contracts of the chain that close a circle; the first 100.
    async fn circles(&self) -> Vec<SubcontractCircle> {
        self.answer.circles.iter().take(LONGEST_LIST).map(SubcontractCircle::of).collect()
    }

    /// Down to which rank the chain is known, where stated.
    async fn chain_known_to_rank(&self) -> Option<f64> {
        self.answer.chain_known_to_rank
    }

    /// Whom it works for, by key: those who subcontract to it; the first 100.
    async fn works_for(&self) -> Vec<String> {
        self.answer.works_for.iter().take(LONGEST_LIST).cloned().collect()
    }

    /// Contracts with it; at most the first 10000.
    async fn contracts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SupplierContract>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierLoss.contracts", String::new());
        placed(ctx, &self.at, list, &self.answer.contracts, &paging, |one| SupplierContract::of(&self.at, one))
    }

    /// How many services it touches: those that reach it, directly or not.
    async fn touched_count(&self) -> usize {
        self.answer.touched_count
    }

    /// The services that fall over: breached with every need as it is written; at most the first 10000.
    async fn falls_over(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<TouchedService>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierLoss.fallsOver", String::new());
        placed(ctx, &self.at, list, &self.answer.falls_over, &paging, |one| TouchedService::of(&self.at, one))
    }

    /// The services that may fall over, if unknown facts turn out badly, by key; the first 100.
    async fn may_fall_over(&self) -> Vec<ConfigurationItem> {
        let at = &self.at;
        by_subjects(at, &self.answer.may_fall_over)
    }

    /// The services that are degraded; at most the first 10000.
    async fn degraded(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<TouchedService>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierLoss.degraded", String::new());
        placed(ctx, &self.at, list, &self.answer.degraded, &paging, |one| TouchedService::of(&self.at, one))
    }

    /// The services that are touched and hold, with what holds them; at most the first 10000.
    async fn holds(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<TouchedService>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierLoss.holds", String::new());
        placed(ctx, &self.at, list, &self.answer.holds, &paging, |one| TouchedService::of(&self.at, one))
    }

    /// Needs that lose members with it and of which others stand: the items that could replace what is lost; at most the
    /// first 10000.
    async fn standing_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<StandingInNeed>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierLoss.standingIn", String::new());
        placed(ctx, &self.at, list, &self.answer.standing_in, &paging, |one| StandingInNeed::of(&self.at, one))
    }

    /// Its place in the concentration of suppliers; absent where it is no supplier.
    async fn place(&self) -> Option<SupplierPlace> {
        self.answer.place.as_ref().map(|one| SupplierPlace::of(&self.at, one))
    }

    /// What an hour without what falls over costs, by currency, where stated; the first 100.
    async fn value_per_hour(&self) -> Vec<Money> {
        self.answer.value_per_hour.iter().take(LONGEST_LIST).map(|one| Money::of(one.amount, &one.currency)).collect()
    }

    /// Other items that are lost wholly with it.
    async fn lost_items(&self) -> usize {
        self.answer.lost_items
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// A link of a chain.
#[derive(SimpleObject)]
pub struct SupplyChainLink {
    /// Who provides.
    provider: Option<ConfigurationItem>,
    /// Its rank; 1 is direct.
    rank: u32,
    /// To whom, by key; absent for the direct provider.
    recipient: Option<String>,
}

impl SupplyChainLink {
    fn of(at: &Arc<Moment>, line: &ChainLine) -> Self {
        Self { provider: by_key(at, &line.provider.key), rank: line.rank, recipient: line.recipient.clone() }
    }
}

/// A sub-contract that closes a circle.
#[derive(SimpleObject)]
pub struct SubcontractCircle {
    /// Who passes work on, by key.
    recipient: String,
    /// To whom, by key; it stands no deeper in the same chain, and works for the other, directly or not, as well.
    provider: String,
}

impl SubcontractCircle {
    fn of(line: &CircleLine) -> Self {
        Self { recipient: line.recipient.clone(), provider: line.provider.clone() }
    }
}

/// The supplier that was identified to take the place of another.
#[derive(SimpleObject)]
pub struct SupplierAlternative {
    /// Its key, as it is stated.
    key: String,
    /// The supplier; absent where the catalogue does not know it.
    item: Option<ConfigurationItem>,
    /// How much of it is lost with the other, from 0 (whole) to 1 (gone); absent where it takes no part in analyses.
    loss: Option<f64>,
    /// Who stands in the chains of both, by key; the first 100.
    shared: Vec<String>,
}

impl SupplierAlternative {
    fn of(at: &Arc<Moment>, line: &AlternativeSupplier) -> Self {
        Self {
            key: line.key.clone(),
            item: by_key(at, &line.key),
            loss: line.loss,
            shared: line.shared.iter().take(LONGEST_LIST).cloned().collect(),
        }
    }
}

/// A need that lost members and has others that stand.
#[derive(SimpleObject)]
pub struct StandingInNeed {
    /// What has the need.
    of_item: Option<ConfigurationItem>,
    /// The need's name.
    need: String,
    /// How its members combine.
    rule: RuleKind,
    /// Members that must be up, for a rule that counts.
    required: Option<u32>,
    /// Number of members.
    member_count: u32,
    /// The members that lost something; at most 100.
    lost: Vec<ConfigurationItem>,
    /// The members that lost nothing; at most 100.
    standing: Vec<ConfigurationItem>,
    /// Whether so many are enough; absent where members do not count alike.
    holds: Option<bool>,
}

impl StandingInNeed {
    fn of(at: &Arc<Moment>, line: &StandingIn) -> Self {
        let items = |keys: &[String]| by_keys(at, &keys[..keys.len().min(LONGEST_LIST)]);
        Self {
            of_item: by_key(at, &line.of_item.key),
            need: line.need.name.clone(),
            rule: RuleKind::named(&line.need.rule),
            required: line.need.k,
            member_count: line.need.of,
            lost: items(&line.lost),
            standing: items(&line.standing),
            holds: line.holds,
        }
    }
}

/// Where a supplier stands among all of them, by what falls with each.
#[derive(SimpleObject)]
pub struct SupplierPlace {
    /// Its rank; with the first one most falls. Absent where not all of the others could be compared.
    rank: Option<usize>,
    /// Of how many suppliers.
    supplier_count: usize,
    /// How many critical services there are.
    critical_count: usize,
    /// What falls with it, and what is paid to it.
    share: SupplierShare,
}

impl SupplierPlace {
    fn of(at: &Arc<Moment>, line: &Place) -> Self {
        Self {
            rank: line.rank,
            supplier_count: line.supplier_count,
            critical_count: line.critical_count,
            share: SupplierShare::of(at, &line.line),
        }
    }
}

/// A contract with the supplier.
#[derive(SimpleObject)]
pub struct SupplierContract {
    /// The contract.
    item: Option<ConfigurationItem>,
    /// First moment it no longer holds, where stated.
    end: Option<DateTime<Utc>>,
    /// Whether it has ended.
    has_ended: bool,
    /// Notice we have to give, in days.
    notice_days: Option<f64>,
    /// Notice the supplier has to give, in days.
    supplier_notice_days: Option<f64>,
    /// Availability it promises.
    target: Option<f64>,
    /// The first day on which something that rests on it runs out, within ten years; absent where none is known.
    runs_out_at: Option<DateTime<Utc>>,
    /// What runs out then, by key.
    runs_out: Option<String>,
    /// Whether that is before the contract ends; absent where one of the days is not known.
    runs_out_first: Option<bool>,
}

impl SupplierContract {
    fn of(at: &Arc<Moment>, line: &ContractLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            end: line.end,
            has_ended: line.has_ended,
            notice_days: line.notice_days,
            supplier_notice_days: line.supplier_notice_days,
            target: line.target,
            runs_out_at: line.runs_out_at,
            runs_out: line.runs_out.clone(),
            runs_out_first: line.runs_out_first,
        }
    }
}

/// A service that the loss touches.
#[derive(SimpleObject)]
pub struct TouchedService {
    /// The service.
    item: Option<ConfigurationItem>,
    /// How much depends on it, where stated.
    criticality: Option<Criticality>,
    /// What an hour without it costs, where stated.
    value_per_hour: Option<Money>,
    /// Its loss, from 0 (whole) to 1 (gone).
    loss: f64,
    /// Why, line by line; empty where no proof was asked for, or it holds; the first 100.
    proof: Vec<ProofStep>,
    /// What holds it, where it holds: the alternative; the first 100.
    held_by: Vec<ProtectingNeed>,
}

impl TouchedService {
    fn of(at: &Arc<Moment>, line: &TouchedServiceLine) -> Self {
        Self {
            item: by_key(at, &line.subject.key),
            criticality: line.criticality.map(Into::into),
            value_per_hour: line.value_per_hour.as_ref().map(|one| Money::of(one.amount, &one.currency)),
            loss: line.loss,
            proof: line.proof.iter().take(LONGEST_LIST).map(ProofStep::of).collect(),
            held_by: line.held_by.iter().take(LONGEST_LIST).map(|one| ProtectingNeed::of(at, one)).collect(),
        }
    }
}
