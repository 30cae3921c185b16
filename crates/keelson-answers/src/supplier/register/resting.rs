//! What rests on a contract, and what its party supplies without naming it.
//!
//! Something rests on a contract when it depends on the contract itself, directly or not. What depends on the party alone
//! may be under any of the contracts with it: that is told, and spread over none of them. Only where a single contract is
//! signed with the party, and nothing at all depends on it, can it be no other; it is counted there, and told as well.

use std::collections::{BTreeMap, BTreeSet};

use keelson_analysis::{Limits, Scratch, closure};
use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;

use super::super::{CONTRACT, SUPPLIER, is_a};
use crate::subject::ci_of;
use crate::{View, item};

/// The services that rest on contracts, and those that name none.
pub(super) struct Resting {
    /// By contract, ascending.
    pub(super) services: BTreeMap<CiIx, BTreeSet<ItemIx>>,
    /// By party, ascending.
    pub(super) unnamed: Vec<Unnamed>,
}

/// Services that rest on what a party to contracts supplies, and on none of those contracts.
pub(crate) struct Unnamed {
    /// The party.
    pub(crate) party: CiIx,
    /// The contracts signed with it.
    pub(crate) contracts: Vec<CiIx>,
    /// The services, ascending.
    pub(crate) services: Vec<ItemIx>,
    /// Whether they are counted under its only contract, as it can be no other.
    pub(crate) is_counted: bool,
}

/// Looks at contracts, each with its parties.
pub(super) fn resting(view: &View, signed: &[(CiIx, Vec<CiIx>)], limits: &Limits<'_>) -> Resting {
    let mut scratch = Scratch::default();
    let mut above = |starts: &[ItemIx]| -> BTreeSet<ItemIx> {
        closure::walk(&view.graph, &mut scratch, starts, closure::Direction::Dependents, limits);
        scratch.met().filter(|one| view.is_service(ci_of(*one))).collect()
    };
    let of_graph = |ix: CiIx| Some(item(ix)).filter(|one| view.graph.contains(*one));
    let mut services: BTreeMap<CiIx, BTreeSet<ItemIx>> =
        signed.iter().map(|(contract, _)| (*contract, above(of_graph(*contract).as_slice()))).collect();
    let mut by_party: BTreeMap<CiIx, Vec<CiIx>> = BTreeMap::new();
    for (contract, parties) in signed {
        parties.iter().for_each(|party| by_party.entry(*party).or_default().push(*contract));
    }
    let mut unnamed = Vec::new();
    for (party, contracts) in by_party {
        let Some(of_party) = of_graph(party) else { continue };
        // What whoever it works for supplies is under the contracts with them.
        let is_supplied = |one: &ItemIx| ![CONTRACT, SUPPLIER].iter().any(|class| is_a(view, ci_of(*one), class));
        let supplied: BTreeSet<ItemIx> = view.graph.owners(of_party).iter().copied().filter(is_supplied).collect();
        let supplied: Vec<ItemIx> = supplied.into_iter().collect();
        let mut open = above(&supplied);
        open.retain(|service| contracts.iter().all(|contract| !services[contract].contains(service)));
        if open.is_empty() {
            continue;
        }
        let is_counted = match contracts[..] {
            [only] => of_graph(only).is_none_or(|one| view.graph.owners(one).is_empty()),
            _ => false,
        };
        unnamed.push(Unnamed { party, contracts, services: open.into_iter().collect(), is_counted });
    }
    for one in unnamed.iter().filter(|one| one.is_counted) {
        one.contracts.iter().for_each(|contract| services.entry(*contract).or_default().extend(&one.services));
    }
    Resting { services, unnamed }
}
