//! How much rests on few suppliers.

use std::sync::Arc;

use super::{LISTED, answered, bounded};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::effect::Money;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use keelson_app::answers::supplier::concentration::{
    ConcentrationAnswer, ConcentrationQuestion, PaidShare, PairLine, ShareLine, SpendLine, concentration,
};

/// Most pairs of suppliers that are tried.
const MOST_PAIRS: usize = 20_000;

/// What is asked of concentration.
#[derive(Clone, Debug, InputObject)]
pub struct SupplierConcentrationInput {
    /// Most pairs of suppliers that are tried, 0 to 20000.
    #[graphql(default = 2000)]
    pub pairs: i32,
}

crate::inputs::defaults_as_stated!(SupplierConcentrationInput);

/// Asks it.
pub(crate) async fn find(
    ctx: &Context<'_>,
    at: Arc<Moment>,
    input: &SupplierConcentrationInput,
) -> Result<SupplierConcentration, Refusal> {
    let question = ConcentrationQuestion { most: LISTED, pairs: bounded("pairs", input.pairs, MOST_PAIRS)? };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| concentration(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(SupplierConcentration { at, answer })
}

/// How much rests on few suppliers.
pub struct SupplierConcentration {
    at: Arc<Moment>,
    answer: ConcentrationAnswer,
}

/// How much rests on few suppliers.
#[Object]
impl SupplierConcentration {
    /// How many critical services there are.
    async fn critical_count(&self) -> usize {
        self.answer.critical_count
    }

    /// How many suppliers there are.
    async fn supplier_count(&self) -> usize {
        self.answer.supplier_count
    }

    /// By supplier, those that take most first; at most the first 10000.
    async fn suppliers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SupplierShare>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierConcentration.suppliers", String::new());
        placed(ctx, &self.at, list, &self.answer.suppliers, &paging, |one| SupplierShare::of(&self.at, one))
    }

    /// By ultimate owner; at most the first 10000.
    async fn owners(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SupplierShare>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierConcentration.owners", String::new());
        placed(ctx, &self.at, list, &self.answer.owners, &paging, |one| SupplierShare::of(&self.at, one))
    }

    /// By country of the head office; at most the first 10000.
    async fn countries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SupplierShare>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierConcentration.countries", String::new());
        placed(ctx, &self.at, list, &self.answer.countries, &paging, |one| SupplierShare::of(&self.at, one))
    }

    /// By region, where suppliers state one; at most the first 10000.
    async fn regions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SupplierShare>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierConcentration.regions", String::new());
        placed(ctx, &self.at, list, &self.answer.regions, &paging, |one| SupplierShare::of(&self.at, one))
    }

    /// Pairs that fell together what neither fells alone; at most the first 10000.
    async fn pairs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SupplierPair>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierConcentration.pairs", String::new());
        placed(ctx, &self.at, list, &self.answer.pairs, &paging, |one| SupplierPair::of(&self.at, one))
    }

    /// Spend, by currency; at most the first 10000.
    async fn spend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SupplierSpend>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("supplierConcentration.spend", String::new());
        placed(ctx, &self.at, list, &self.answer.spend, &paging, |one| SupplierSpend::of(&self.at, one))
    }

    /// How many suppliers state no spend.
    async fn without_spend(&self) -> usize {
        self.answer.without_spend
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// Two suppliers neither of which fells a service alone, and both together do.
#[derive(SimpleObject)]
pub struct SupplierPair {
    /// The suppliers, by key.
    suppliers: Vec<String>,
    /// The services that only both together fell, by key; the first 100.
    felled: Vec<String>,
}

impl SupplierPair {
    fn of(_at: &Arc<Moment>, line: &PairLine) -> Self {
        Self { suppliers: line.suppliers.to_vec(), felled: line.felled.iter().take(LONGEST_LIST).cloned().collect() }
    }
}

/// What falls with a supplier, or with all of a group.
#[derive(SimpleObject)]
pub struct SupplierShare {
    /// Who: the key of a supplier or of an ultimate owner, or the code of a country or region.
    name: String,
    /// The suppliers lost together, by key; the first 100.
    suppliers: Vec<String>,
    /// How many critical services fall over.
    felled_count: usize,
    /// The share of the critical services that fall over.
    share: f64,
    /// The share of their value that falls, in the currency most of them state it in; absent where none is.
    value_share: Option<f64>,
    /// The services that fall over, by key; the first 100.
    felled: Vec<String>,
    /// How many critical services are touched.
    touched_count: usize,
    /// What is paid in a year, where stated; where it is paid in several currencies, in the one that most suppliers are.
    spend: Option<Money>,
    /// The share of all that is paid in that currency.
    spend_share: Option<f64>,
    /// What is paid in other currencies; the first 100.
    other_spend: Vec<SupplierPaidShare>,
    /// Months it would take to replace it, where stated; of a group the longest, where all of it state theirs.
    substitution_months: Option<f64>,
    /// Months until the first of its contracts ends, or something that rests on one runs out; below 0 where that is past.
    months_left: Option<f64>,
    /// Whether it can be replaced by then; absent where one of the two is not known.
    is_replaceable_in_time: Option<bool>,
}

impl SupplierShare {
    pub(super) fn of(_at: &Arc<Moment>, line: &ShareLine) -> Self {
        Self {
            name: line.name.clone(),
            suppliers: line.suppliers.iter().take(LONGEST_LIST).cloned().collect(),
            felled_count: line.felled_count,
            share: line.share,
            value_share: line.value_share,
            felled: line.felled.iter().take(LONGEST_LIST).cloned().collect(),
            touched_count: line.touched_count,
            spend: line.spend.as_ref().map(|one| Money::of(one.amount, &one.currency)),
            spend_share: line.spend_share,
            other_spend: line.other_spend.iter().take(LONGEST_LIST).map(SupplierPaidShare::of).collect(),
            substitution_months: line.substitution_months,
            months_left: line.months_left,
            is_replaceable_in_time: line.is_replaceable_in_time,
        }
    }
}

/// What is paid in a currency.
#[derive(SimpleObject)]
pub struct SupplierPaidShare {
    /// What is paid in a year.
    paid: Money,
    /// The share of all that is paid in that currency; absent where that is nothing.
    share: Option<f64>,
}

impl SupplierPaidShare {
    fn of(line: &PaidShare) -> Self {
        Self { paid: Money::of(line.paid.amount, &line.paid.currency), share: line.share }
    }
}

/// The concentration of spend in one currency.
#[derive(SimpleObject)]
pub struct SupplierSpend {
    /// All that is paid in a year.
    total: Money,
    /// To how many suppliers.
    suppliers: usize,
    /// The Herfindahl–Hirschman index: the sum of the squared shares in percent, up to 10 000.
    hhi: f64,
}

impl SupplierSpend {
    fn of(_at: &Arc<Moment>, line: &SpendLine) -> Self {
        Self { total: Money::of(line.total.amount, &line.total.currency), suppliers: line.suppliers, hhi: line.hhi }
    }
}
