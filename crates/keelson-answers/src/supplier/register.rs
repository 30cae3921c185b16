//! The register of information on contracts for ICT services: the templates of Commission Implementing Regulation (EU)
//! 2024/2956 as far as a catalogue can fill them, and what its rules find (analyses 5.4).
//!
//! The names of templates are those of the regulation; columns are named by what they hold. Both are to be confirmed
//! against the official text before anything is filed, and the answer says so.

mod findings;
mod templates;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use keelson_analysis::{Limits, Pool, Scratch, closure};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chain::{Chain, chain};
use super::{CONTRACT, SIGNED_WITH, all_of, critical_services, targets};
use crate::subject::{ci_of, find_item};
use crate::{Asked, Basis, LimitCode, QuestionError, View, item};

pub use findings::{FindingKind, RegisterFinding};

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
    /// The chain behind each of them.
    pub(crate) chains: Vec<Chain>,
    /// The critical services that rest on it or on one of those who signed it.
    pub(crate) functions: Vec<ItemIx>,
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
    let material = material(view, asked, entity, pool, stop)?;
    let mut templates = templates::all(&material);
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
    let parts: std::collections::BTreeSet<CiIx> = parts.collect();
    basis.rests_on(view, parts.into_iter(), asked);
    Ok(RegisterAnswer { templates, findings: findings::all(&material), caveat: CAVEAT.to_owned(), basis })
}

fn material<'a>(
    view: &'a View,
    asked: Asked,
    entity: Option<CiIx>,
    pool: &Pool,
    stop: Option<&AtomicBool>,
) -> Result<Material<'a>, QuestionError> {
    let functions = critical_services(view);
    let limits = Limits { stop, ..Limits::default() };
    let mut scratch = Scratch::default();
    let mut bought = Vec::new();
    let mut impact = BTreeMap::new();
    for contract in all_of(view, CONTRACT) {
        let providers = targets(view, contract, SIGNED_WITH);
        let starts = providers.iter().copied().chain([contract]).map(item);
        let starts: Vec<ItemIx> = starts.filter(|one| view.graph.contains(*one)).collect();
        closure::walk(&view.graph, &mut scratch, &starts, closure::Direction::Dependents, &limits);
        let mut resting: Vec<ItemIx> = scratch.met().filter(|one| functions.binary_search(one).is_ok()).collect();
        resting.sort_unstable();
        for provider in &providers {
            if !impact.contains_key(provider) {
                impact.insert(*provider, felled(view, *provider, asked, pool, &limits)?);
            }
        }
        let chains = providers.iter().map(|provider| chain(view, *provider)).collect();
        bought.push(Bought { contract, providers, chains, functions: resting });
    }
    Ok(Material { view, asked, entity, bought, functions, impact })
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
    let fallen: Vec<String> = found
        .affected_services()
        .iter()
        .filter(breached)
        .map(|one| view.catalogue.ci(ci_of(*one)).name().to_owned())
        .collect();
    Ok(if fallen.is_empty() {
        "no service falls over".to_owned()
    } else {
        format!("falls over: {}", fallen.join(", "))
    })
}
