//! The register of information on contracts for ICT services: the templates of Commission Implementing Regulation (EU)
//! 2024/2956 as far as a catalogue can fill them, and what its rules find (analyses 5.4).
//!
//! The names of templates are those of the regulation; columns are named by what they hold. Both are to be confirmed
//! against the official text before anything is filed, and the answer says so.

mod findings;
mod resting;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use keelson_analysis::{Limits, Pool, Scratch, closure};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chain::{Chain, chain_of_contract};
use super::{CONTRACT, SUPPLIER, all_of, critical_services, is_a, signers};
use crate::attributes::{add, number, value_per_hour};
use crate::recovery::{RecoveryQuestion, ServiceRecovery, recovery};
use crate::subject::{ci_of, find_item, key_of};
use crate::{Asked, Basis, LimitCode, QuestionError, View};

pub use findings::{FindingKind, RegisterFinding};
pub(crate) use resting::Unnamed;
use resting::{Resting, resting};

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RegisterQuestion {
    /// The organisation that keeps the register, by key; absent: its templates stay empty.
    pub entity: Option<String>,
    /// Most rows of each template.
    pub most: usize,
}

/// A template, filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Its code: `B_05.02`.
    pub code: String,
    /// What it holds.
    pub title: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows, as wide as the columns; an empty cell is not known.
    pub rows: Vec<Vec<String>>,
    /// How many rows there are in all.
    pub row_count: usize,
}

/// The register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The templates, in order of their codes.
    pub templates: Vec<Template>,
    /// What its rules find, the gravest first.
    pub findings: Vec<RegisterFinding>,
    /// What is to be known before it is filed.
    pub caveat: String,
}

/// What stands beside every register.
const CAVEAT: &str = "Codes, columns and lists of values are to be confirmed against the official text of Commission \
Implementing Regulation (EU) 2024/2956 before the register is filed; empty cells are not known to the catalogue.";

/// A contract with what stands behind it.
pub(crate) struct Bought {
    /// The contract.
    pub(crate) contract: CiIx,
    /// Who signed it.
    pub(crate) providers: Vec<CiIx>,
    /// The chain behind them.
    pub(crate) chain: Chain,
    /// The critical services that rest on it.
    pub(crate) functions: Vec<ItemIx>,
    /// All services that do.
    pub(crate) services: Vec<ItemIx>,
}

/// What templates and findings are made of.
pub(crate) struct Material<'a> {
    pub(crate) view: &'a View,
    pub(crate) asked: Asked,
    pub(crate) entity: Option<CiIx>,
    pub(crate) bought: Vec<Bought>,
    pub(crate) functions: Vec<ItemIx>,
    /// Value felled with each provider, by provider; filled when first asked for.
    pub(crate) impact: BTreeMap<CiIx, String>,
    /// Services that rest on a party to contracts and name none of them.
    pub(crate) unnamed: Vec<Unnamed>,
    /// Suppliers behind critical functions that stand in no chain of a contract, with those functions.
    pub(crate) uncovered: BTreeMap<CiIx, Vec<ItemIx>>,
    /// How critical functions that state a recovery time objective start when everything was off.
    pub(crate) starts: Vec<ServiceRecovery>,
}

/// Writes the register.
///
/// # Errors
/// When the entity is unknown.
pub fn register(
    view: &View,
    question: &RegisterQuestion,
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<RegisterAnswer, QuestionError> {
    let mut basis = Basis::of(view, asked);
    let entity = question.entity.as_deref().map(|key| crate::find(&view.catalogue, key)).transpose()?;
    let material = material(view, asked, entity, (pool, stop), &mut basis)?;
    let mut templates = templates::all(&material);
    let findings = findings::all(&material, &templates);
    for template in &mut templates {
        basis.page(&format!("rows of {}", template.code), template.row_count.min(question.most), template.row_count);
        template.rows.truncate(question.most);
    }
    if entity.is_none() {
        let message = "nobody said which organisation keeps the register: its own templates are empty";
        basis.limit(LimitCode::FigureMissing, message);
    }
    basis.stopped(stop);
    let parts = material.bought.iter().flat_map(|one| one.providers.iter().copied().chain([one.contract]));
    let parts: BTreeSet<CiIx> = parts.collect();
    basis.rests_on(view, parts.into_iter(), asked);
    Ok(RegisterAnswer { templates, findings, caveat: CAVEAT.to_owned(), basis })
}

fn material<'a>(
    view: &'a View,
    asked: Asked,
    entity: Option<CiIx>,
    (pool, stop): (&Pool, Option<&AtomicBool>),
    basis: &mut Basis,
) -> Result<Material<'a>, QuestionError> {
    let critical = critical_services(view);
    critical.note(basis);
    let functions = critical.services;
    let limits = Limits { stop, ..Limits::default() };
    let signed: Vec<(CiIx, Vec<CiIx>)> = all_of(view, CONTRACT).map(|one| (one, signers(view, one))).collect();
    let Resting { mut services, unnamed } = resting(view, &signed, &limits);
    let mut bought = Vec::new();
    let mut impact = BTreeMap::new();
    for (contract, providers) in signed {
        for provider in &providers {
            if !impact.contains_key(provider) {
                impact.insert(*provider, felled(view, *provider, asked, pool, &limits)?);
            }
        }
        let services: Vec<ItemIx> = services.remove(&contract).unwrap_or_default().into_iter().collect();
        let resting = services.iter().copied().filter(|one| functions.binary_search(one).is_ok()).collect();
        let chain = chain_of_contract(view, contract, &providers);
        bought.push(Bought { contract, providers, chain, functions: resting, services });
    }
    let uncovered = uncovered(view, &functions, &bought, stop);
    let starts = starts(view, &functions, asked, pool, stop)?;
    Ok(Material { view, asked, entity, bought, functions, impact, unnamed, uncovered, starts })
}

/// Suppliers behind critical functions with whom, or with whose recipient, no contract is signed.
fn uncovered(
    view: &View,
    functions: &[ItemIx],
    bought: &[Bought],
    stop: Option<&AtomicBool>,
) -> BTreeMap<CiIx, Vec<ItemIx>> {
    let covered: BTreeSet<CiIx> =
        bought.iter().flat_map(|one| one.chain.links.iter().map(|(provider, _, _)| *provider)).collect();
    let limits = Limits { stop, ..Limits::default() };
    let mut scratch = Scratch::default();
    let mut found: BTreeMap<CiIx, Vec<ItemIx>> = BTreeMap::new();
    for function in functions {
        closure::walk(&view.graph, &mut scratch, &[*function], closure::Direction::Dependencies, &limits);
        let behind = scratch.met().map(ci_of).filter(|ix| is_a(view, *ix, SUPPLIER) && !covered.contains(ix));
        behind.for_each(|ix| found.entry(ix).or_default().push(*function));
    }
    found
}

/// How critical functions that state a recovery time objective start when everything was off.
fn starts(
    view: &View,
    functions: &[ItemIx],
    asked: Asked,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<Vec<ServiceRecovery>, QuestionError> {
    let with = functions.iter().filter(|one| number(view, **one, "rto_minutes").is_some());
    let services: Vec<String> = with.map(|one| key_of(&view.catalogue, *one)).collect();
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let question = RecoveryQuestion { most: services.len(), services, ..RecoveryQuestion::default() };
    Ok(recovery(view, &question, asked, pool, stop)?.services)
}

/// What falls when a provider is discontinued, in words.
fn felled(
    view: &View,
    provider: CiIx,
    asked: Asked,
    pool: &Pool,
    limits: &Limits<'_>,
) -> Result<String, QuestionError> {
    let key = view.catalogue.ci(provider).key.to_string();
    if find_item(view, &key).is_err() {
        return Ok(String::new());
    }
    let question =
        crate::impact::ImpactQuestion { seeds: vec![(key, 1.0)], interval: None, budget: 0, limits: *limits };
    let found = crate::impact::assess(view, &question, asked, pool)?;
    let breached = |one: &&ItemIx| found.verdict(**one) == keelson_analysis::impact::Verdict::Breached;
    let fallen: Vec<ItemIx> = found.affected_services().iter().filter(breached).copied().collect();
    let mut value = Vec::new();
    fallen.iter().filter_map(|one| value_per_hour(view, *one)).for_each(|more| add(&mut value, &more));
    let value: Vec<String> = value.iter().map(|one| format!("{} {} an hour", one.amount, one.currency)).collect();
    let names: Vec<&str> = fallen.iter().map(|one| view.catalogue.ci(ci_of(*one)).name()).collect();
    Ok(match (&names[..], &value[..]) {
        ([], _) => "no service falls over".to_owned(),
        (_, []) => format!("falls over: {}", names.join(", ")),
        _ => format!("falls over: {} ({})", names.join(", "), value.join(", ")),
    })
}
