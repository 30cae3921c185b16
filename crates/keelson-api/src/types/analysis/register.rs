//! The register of information on contracts for ICT services.

use std::sync::Arc;

use super::{LISTED, answered, key_of};
use crate::connection::{Connection, Paging};
use crate::errors::Refusal;
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::change::placed;
use crate::types::completeness::Completeness;
use crate::types::lookup::ConfigurationItemBy;
use crate::types::words::words;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use keelson_app::answers::supplier::register::{
    RegisterAnswer, RegisterFinding as RegisterFindingLine, RegisterQuestion, Template, register,
};

/// What is asked of the register of information.
#[derive(Clone, Debug, InputObject)]
pub struct InformationRegisterInput {
    /// The organisation that keeps the register; without it, its own templates stay empty.
    pub entity: Option<ConfigurationItemBy>,
}

crate::inputs::defaults_as_stated!(InformationRegisterInput);

/// Asks it.
pub(crate) async fn find(
    ctx: &Context<'_>,
    at: Arc<Moment>,
    input: &InformationRegisterInput,
) -> Result<InformationRegister, Refusal> {
    let question =
        RegisterQuestion { entity: input.entity.as_ref().map(|by| key_of(&at, by)).transpose()?, most: LISTED };
    let find = move |view: &_, asked, pool: &_, stop: Option<&_>| register(view, &question, asked, pool, stop);
    let answer = answered(ctx, &at, find).await?;
    Ok(InformationRegister { at, answer })
}

words! {
    /// What a rule found, the gravest first.
    RegisterFindingKind = keelson_app::answers::supplier::register::FindingKind {
        /// A contract has ended, and a running service still rests on it.
        ContractEnded,
        /// Two contracts support the same critical function, and one sub-contractor stands behind both.
        AlternativesNotIndependent,
        /// Somebody is a sub-contractor of itself, directly or not.
        CircleOfSubcontractors,
        /// A critical function rests on a supplier with whom no contract is signed, so it has no row in B_07.01.
        SupplierWithoutContract,
        /// Something is referred to that is not in the register.
        UnknownReference,
        /// A critical function starts later than its recovery time objective, or cannot start.
        ObjectiveMissed,
        /// A contract ends before it begins, or as it does.
        DatesContradict,
        /// Behind a provider more ranks of sub-contractors are stated than it says are known.
        ChainDeeperThanKnown,
        /// A contract names nobody it is signed with.
        ContractWithoutProvider,
        /// Services rest on what a party to contracts supplies, and name none of its contracts.
        ContractNotNamed,
        /// A sub-contractor has no recipient one rank above it under the same contract and type of service.
        RankWithoutRecipient,
        /// A provider behind a critical function has no assessment of substitutability.
        NotAssessed,
        /// A contract behind a critical function states no ICT service type.
        ServiceTypeMissing,
        /// A contract states an ICT service type that is none of S01 to S19.
        ServiceTypeUnknown,
        /// A country is stated by something other than a code of two letters.
        CountryMalformed,
        /// A provider has no identifier but the catalogue's key.
        IdentifierMissing,
        /// A critical function states no recovery time or recovery point objective.
        ObjectiveMissing,
        /// The chain behind a provider is known no further than itself, or nobody says how far.
        ChainUnknown,
    }
}

/// The register.
pub struct InformationRegister {
    at: Arc<Moment>,
    answer: RegisterAnswer,
}

/// The register.
#[Object]
impl InformationRegister {
    /// The templates, in order of their codes; at most the first 10000.
    async fn templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RegisterTemplate>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("informationRegister.templates", String::new());
        placed(ctx, &self.at, list, &self.answer.templates, &paging, |one| RegisterTemplate::of(&self.at, one))
    }

    /// What its rules find, the gravest first; at most the first 10000.
    async fn findings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RegisterFinding>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let list = ("informationRegister.findings", String::new());
        placed(ctx, &self.at, list, &self.answer.findings, &paging, |one| RegisterFinding::of(&self.at, one))
    }

    /// What is to be known before it is filed.
    async fn caveat(&self) -> String {
        self.answer.caveat.clone()
    }

    /// How complete the answer is, and what it rests on.
    async fn completeness(&self) -> Completeness {
        Completeness::of(&self.answer.basis)
    }
}

/// A finding.
#[derive(SimpleObject)]
pub struct RegisterFinding {
    /// Which rule.
    kind: RegisterFindingKind,
    /// The template it is about.
    template: String,
    /// What it is about, by key.
    item: String,
    /// Its rank in the chains concerned, where it is about a sub-contractor.
    rank: Option<u32>,
    /// The contracts concerned, by key; the first 100.
    contracts: Vec<String>,
    /// The critical functions concerned, by key; the first 100.
    functions: Vec<String>,
    /// In words, with what to do.
    message: String,
}

impl RegisterFinding {
    fn of(_at: &Arc<Moment>, line: &RegisterFindingLine) -> Self {
        Self {
            kind: line.kind.into(),
            template: line.template.clone(),
            item: line.subject.clone(),
            rank: line.rank,
            contracts: line.contracts.iter().take(LONGEST_LIST).cloned().collect(),
            functions: line.functions.iter().take(LONGEST_LIST).cloned().collect(),
            message: line.message.clone(),
        }
    }
}

/// A template, filled.
#[derive(SimpleObject)]
pub struct RegisterTemplate {
    /// Its code: `B_05.02`.
    code: String,
    /// What it holds.
    title: String,
    /// Its columns; the first 100.
    columns: Vec<String>,
    /// Its rows, as wide as the columns; an empty cell is not known; the first 100.
    rows: Vec<Vec<String>>,
    /// How many rows there are in all.
    row_count: usize,
}

impl RegisterTemplate {
    fn of(_at: &Arc<Moment>, line: &Template) -> Self {
        Self {
            code: line.code.clone(),
            title: line.title.clone(),
            columns: line.columns.iter().take(LONGEST_LIST).cloned().collect(),
            rows: line.rows.iter().take(LONGEST_LIST).cloned().collect(),
            row_count: line.row_count,
        }
    }
}
