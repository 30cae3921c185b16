//! What the rules of the register find.

use std::collections::{BTreeMap, BTreeSet};

use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::templates::reference;
use super::{Bought, Material, Template};
use crate::attributes::{moment, number, text};
use crate::item;
use crate::recovery::RecoveryOutcome;
use crate::subject::{ci_of, key_of};
use crate::supplier::chain::deeper_than_known;
use crate::supplier::{SUPPLIER, all_of, country_code};

/// What a rule found, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
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

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterFinding {
    /// Which rule.
    pub kind: FindingKind,
    /// The template it is about.
    pub template: String,
    /// What it is about, by key.
    pub subject: String,
    /// Its rank in the chains concerned, where it is about a sub-contractor.
    pub rank: Option<u32>,
    /// The contracts concerned, by key.
    pub contracts: Vec<String>,
    /// The critical functions concerned, by key.
    pub functions: Vec<String>,
    /// In words, with what to do.
    pub message: String,
}

/// Everything the rules find.
pub(super) fn all(material: &Material<'_>, templates: &[Template]) -> Vec<RegisterFinding> {
    let mut found = Vec::new();
    for one in &material.bought {
        of_contract(material, one, &mut found);
    }
    shared(material, &mut found);
    providers(material, &mut found);
    functions(material, &mut found);
    late(material, &mut found);
    unnamed(material, &mut found);
    uncovered(material, &mut found);
    countries(material, &mut found);
    deeper(material, &mut found);
    references(material, &mut found);
    for template in templates.iter().filter(|template| template.code == "B_05.02") {
        ranks(template, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn key(material: &Material<'_>, ix: CiIx) -> String {
    material.view.catalogue.ci(ix).key.to_string()
}

fn keys(material: &Material<'_>, items: &[ItemIx]) -> Vec<String> {
    items.iter().map(|one| key_of(&material.view.catalogue, *one)).collect()
}

fn finding(kind: FindingKind, template: &str, subject: String, message: String) -> RegisterFinding {
    let (contracts, functions) = (Vec::new(), Vec::new());
    RegisterFinding { kind, template: template.to_owned(), subject, rank: None, contracts, functions, message }
}

fn of_contract(material: &Material<'_>, one: &Bought, found: &mut Vec<RegisterFinding>) {
    let contract = key(material, one.contract);
    let functions = keys(material, &one.functions);
    let about = |kind, template: &str, message: String| RegisterFinding {
        contracts: vec![contract.clone()],
        functions: functions.clone(),
        ..finding(kind, template, contract.clone(), message)
    };
    let end = moment(material.view, item(one.contract), "end");
    if let Some(end) = end.filter(|end| *end <= material.asked.at && !one.services.is_empty()) {
        let (day, many) = (end.format("%Y-%m-%d"), one.services.len());
        let critical = one.functions.len();
        let message = format!(
            "it ended on {day}, and {many} services still rest on it, {critical} of them critical: renew it or move them"
        );
        found.push(about(FindingKind::ContractEnded, "B_02.02", message));
    }
    if one.providers.is_empty() {
        let message = "nobody is named as a party to it: state 'signed_with' or 'supplied_by'".to_owned();
        found.push(about(FindingKind::ContractWithoutProvider, "B_03.02", message));
    }
    match text(material.view, item(one.contract), "ict_service_type") {
        None if one.functions.is_empty() => {}
        None => {
            let message = "it supports a critical function and states no ICT service type (S01 to S19)".to_owned();
            found.push(about(FindingKind::ServiceTypeMissing, "B_02.02", message));
        }
        Some(stated) if is_service_type(&stated) => {}
        Some(stated) => {
            let message = format!("it states '{stated}' as ICT service type: state one of S01 to S19");
            found.push(about(FindingKind::ServiceTypeUnknown, "B_02.02", message));
        }
    }
    let start = moment(material.view, item(one.contract), "start");
    if let Some((start, end)) = start.zip(end).filter(|(start, end)| start >= end) {
        let (start, end) = (start.format("%Y-%m-%d"), end.format("%Y-%m-%d"));
        let message = format!("it begins on {start} and ends on {end}, so it never holds: correct one of the two");
        found.push(about(FindingKind::DatesContradict, "B_02.02", message));
    }
    for (provider, recipient) in &one.chain.circles {
        let (provider, recipient) = (key(material, *provider), key(material, *recipient));
        let message = format!("{recipient} subcontracts to {provider}, which stands above it in the same chain");
        let circle = about(FindingKind::CircleOfSubcontractors, "B_05.02", message);
        found.push(RegisterFinding { subject: provider, ..circle });
    }
}

/// Whether it is a type of ICT service of the register: S01 to S19.
fn is_service_type(stated: &str) -> bool {
    let number = stated.strip_prefix('S').filter(|digits| digits.len() == 2);
    number.and_then(|digits| digits.parse::<u8>().ok()).is_some_and(|number| (1..=19).contains(&number))
}

/// Countries that are stated by something other than their codes.
fn countries(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    let view = material.view;
    let mut look = |ix: CiIx, attribute: &str, template: &str| {
        let Some(Err(stated)) = text(view, item(ix), attribute).map(|stated| country_code(&stated)) else { return };
        let message = format!("it states '{stated}' as {attribute}: state a code of two letters, ISO 3166-1 alpha-2");
        found.push(finding(FindingKind::CountryMalformed, template, key(material, ix), message));
    };
    all_of(view, SUPPLIER).for_each(|supplier| look(supplier, "country", "B_05.01"));
    for one in &material.bought {
        ["governing_law", "data_location", "processing_location"]
            .iter()
            .for_each(|attribute| look(one.contract, attribute, "B_02.02"));
    }
    material.entity.into_iter().for_each(|entity| look(entity, "country", "B_01.01"));
}

/// Providers behind which more is stated than they say is known.
fn deeper(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    for one in deeper_than_known(material.view, all_of(material.view, SUPPLIER)) {
        let message = format!(
            "it says that its chain is known down to rank {}, and sub-contractors down to rank {} are stated: correct one of \
             the two",
            one.known, one.stated
        );
        let contradiction = finding(FindingKind::ChainDeeperThanKnown, "B_05.02", key(material, one.provider), message);
        found.push(RegisterFinding { rank: Some(one.stated), ..contradiction });
    }
}

/// Sub-contractors that stand behind several contracts supporting the same critical function.
fn shared(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    let mut behind: BTreeMap<(CiIx, ItemIx), (u32, BTreeSet<CiIx>)> = BTreeMap::new();
    for one in &material.bought {
        for (provider, rank, _) in one.chain.links.iter().filter(|(_, rank, _)| *rank > 1) {
            for function in &one.functions {
                let entry = behind.entry((*provider, *function)).or_insert((*rank, BTreeSet::new()));
                entry.0 = entry.0.min(*rank);
                entry.1.insert(one.contract);
            }
        }
    }
    // The same contracts may support several functions: that is one finding.
    let mut functions: BTreeMap<(CiIx, u32, BTreeSet<CiIx>), Vec<ItemIx>> = BTreeMap::new();
    for ((provider, function), (rank, contracts)) in behind.into_iter().filter(|(_, one)| one.1.len() > 1) {
        functions.entry((provider, rank, contracts)).or_default().push(function);
    }
    for ((provider, rank, contracts), functions) in functions {
        let name = material.view.catalogue.ci(provider).name().to_owned();
        let many = if contracts.len() == 2 { "two".to_owned() } else { contracts.len().to_string() };
        let what = match functions.len() {
            1 => "the same critical function".to_owned(),
            several => format!("the same {several} critical functions"),
        };
        let message = format!(
            "{name} is rank {rank} under {many} contracts supporting {what}: the alternatives are not independent"
        );
        let subject = key(material, provider);
        found.push(RegisterFinding {
            rank: Some(rank),
            contracts: contracts.iter().map(|contract| key(material, *contract)).collect(),
            functions: keys(material, &functions),
            ..finding(FindingKind::AlternativesNotIndependent, "B_05.02", subject, message)
        });
    }
}

fn providers(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    let mut behind: BTreeMap<CiIx, BTreeSet<ItemIx>> = BTreeMap::new();
    for one in material.bought.iter().filter(|one| !one.functions.is_empty()) {
        for provider in &one.providers {
            behind.entry(*provider).or_default().extend(&one.functions);
        }
    }
    for (provider, functions) in behind {
        let functions: Vec<ItemIx> = functions.into_iter().collect();
        let about = |kind, template: &str, message: &str| RegisterFinding {
            functions: keys(material, &functions),
            ..finding(kind, template, key(material, provider), message.to_owned())
        };
        let states = |name| material.view.catalogue.ci(provider).attribute(name).is_some();
        if !states("substitutability") {
            let message = "it stands behind a critical function, and nobody assessed how hard it would be to replace";
            found.push(about(FindingKind::NotAssessed, "B_07.01", message));
        }
        if !states("lei") && !states("registration_number") {
            let message = "it has neither an LEI nor a number in a national register: state one";
            found.push(about(FindingKind::IdentifierMissing, "B_05.01", message));
        }
        if !states("chain_known_to_rank") {
            let message = "nobody says down to which rank its chain of sub-contractors is known";
            found.push(about(FindingKind::ChainUnknown, "B_05.02", message));
        }
    }
}

/// Services that rest on a party to contracts and name none of them.
fn unnamed(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    for one in &material.unnamed {
        let many = one.services.len();
        let what = format!("{many} services rest on what it supplies and name no contract with it");
        let message = match one.contracts.len() {
            1 if one.is_counted => {
                format!("{what}: they are counted under the only one signed with it; state 'underpinned_by'")
            }
            1 => format!("{what}, while others do: they are not counted under it; state 'underpinned_by'"),
            several => {
                format!(
                    "{what}: under which of its {several} contracts is not known, so they stand under none; state 'underpinned_by'"
                )
            }
        };
        let is_critical = |service: &&ItemIx| material.functions.binary_search(service).is_ok();
        let functions: Vec<ItemIx> = one.services.iter().filter(is_critical).copied().collect();
        found.push(RegisterFinding {
            contracts: one.contracts.iter().map(|contract| key(material, *contract)).collect(),
            functions: keys(material, &functions),
            ..finding(FindingKind::ContractNotNamed, "B_02.02", key(material, one.party), message)
        });
    }
}

/// Suppliers behind critical functions that no contract covers.
fn uncovered(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    for (supplier, functions) in &material.uncovered {
        let message = "a critical function rests on it, and neither with it nor with one it works for is a contract signed: \
                       it has no assessment in the register";
        found.push(RegisterFinding {
            functions: keys(material, functions),
            ..finding(FindingKind::SupplierWithoutContract, "B_07.01", key(material, *supplier), message.to_owned())
        });
    }
}

/// What is referred to and is not there.
fn references(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    let view = material.view;
    let known: BTreeSet<String> = material.bought.iter().map(|one| reference(view, one.contract)).collect();
    for one in &material.bought {
        let Some(framing) = text(view, item(one.contract), "overarching_reference") else { continue };
        if !known.contains(&framing) {
            let message = format!("it names '{framing}' as the contract that frames it, which is not in the register");
            let contract = key(material, one.contract);
            found.push(RegisterFinding {
                contracts: vec![contract.clone()],
                ..finding(FindingKind::UnknownReference, "B_02.01", contract, message)
            });
        }
    }
    for (attribute, template) in [("ultimate_owner", "B_05.01"), ("alternative_supplier", "B_07.01")] {
        for supplier in all_of(view, SUPPLIER) {
            let Some(other) = text(view, item(supplier), attribute) else { continue };
            if crate::find(&view.catalogue, &other).is_err() {
                let message = format!("it names '{other}', which is not in the catalogue");
                found.push(finding(FindingKind::UnknownReference, template, key(material, supplier), message));
            }
        }
    }
}

/// Every row of a rank above 1 has its recipient one rank above it, under the same contract and type of service.
fn ranks(chain: &Template, found: &mut Vec<RegisterFinding>) {
    let under = |row: &[String], provider: &str, rank: u32| -> Option<[String; 4]> {
        Some([row.first()?.clone(), row.get(1)?.clone(), provider.to_owned(), rank.to_string()])
    };
    let rank = |row: &[String]| row.get(4).and_then(|rank| rank.parse::<u32>().ok());
    let there: BTreeSet<[String; 4]> =
        chain.rows.iter().filter_map(|row| under(row, row.get(2)?, rank(row)?)).collect();
    for row in &chain.rows {
        let (Some(at), Some(provider), Some(recipient)) = (rank(row), row.get(2), row.get(5)) else { continue };
        let above = at.checked_sub(1).filter(|above| *above > 0);
        let is_there = above.is_none_or(|above| under(row, recipient, above).is_some_and(|key| there.contains(&key)));
        if !is_there {
            let message = format!("it has rank {at} and no recipient of rank {} under the same contract", at - 1);
            let missing = finding(FindingKind::RankWithoutRecipient, "B_05.02", provider.clone(), message);
            found.push(RegisterFinding { rank: Some(at), ..missing });
        }
    }
}

/// Objectives of recovery that are not met by the start computed over the graph.
fn late(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    for one in &material.starts {
        let message = match (one.outcome, one.late) {
            (RecoveryOutcome::Stuck, _) => "from everything off it cannot start".to_owned(),
            (RecoveryOutcome::Missed, Some(late)) => {
                format!("from everything off it is up {} min after its objective, or later", late.least)
            }
            _ => continue,
        };
        found.push(finding(FindingKind::ObjectiveMissed, "B_06.01", one.subject.key.clone(), message));
    }
}

fn functions(material: &Material<'_>, found: &mut Vec<RegisterFinding>) {
    for function in &material.functions {
        let missing: Vec<&str> = [("rto_minutes", "RTO"), ("rpo_minutes", "RPO")]
            .iter()
            .filter(|(name, _)| number(material.view, *function, name).is_none())
            .map(|(_, word)| *word)
            .collect();
        if !missing.is_empty() {
            let message = format!("it is critical and states no {}", missing.join(" and no "));
            let subject = key(material, ci_of(*function));
            found.push(finding(FindingKind::ObjectiveMissing, "B_06.01", subject, message));
        }
    }
}
