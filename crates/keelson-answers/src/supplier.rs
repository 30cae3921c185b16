//! Suppliers: what rests on one, how much rests on few, and the register of what was bought (analyses 5).

pub mod alternatives;
pub mod chain;
pub mod concentration;
mod horizon;
pub mod loss;
pub mod promise;
pub mod register;

use keelson_catalogue::CiIx;
use keelson_graph::ItemIx;
use keelson_model::{Criticality, Standing};

use crate::subject::ci_of;
use crate::{Basis, LimitCode, View, item};

/// The class of suppliers.
pub(crate) const SUPPLIER: &str = "supplier";
/// The class of contracts.
pub(crate) const CONTRACT: &str = "contract";
/// The kind of relationship between a contract and its party.
pub(crate) const SIGNED_WITH: &str = "signed_with";
/// The kind of relationship between anything bought, a contract as well, and who provides it.
pub(crate) const SUPPLIED_BY: &str = "supplied_by";
/// The kind of relationship between a supplier and its sub-contractor.
pub(crate) const SUBCONTRACTS_TO: &str = "subcontracts_to";

/// Whether an item is of a class or below it.
pub(crate) fn is_a(view: &View, ix: CiIx, class: &str) -> bool {
    view.catalogue.schema().classes.is_a(&view.catalogue.ci(ix).class, class)
}

/// Everything of a class that is in service, in order of its numbers.
pub(crate) fn all_of<'a>(view: &'a View, class: &'a str) -> impl Iterator<Item = CiIx> + 'a {
    let live = view.catalogue.cis().map(|(ix, _)| ix).filter(|ix| view.catalogue.ci(*ix).standing == Standing::Live);
    live.filter(move |ix| is_a(view, *ix, class))
}

/// What an item points to by a kind of relationship.
pub(crate) fn targets(view: &View, ix: CiIx, kind: &str) -> Vec<CiIx> {
    let slots = view.catalogue.slot(ix).dependencies.iter().map(|at| view.catalogue.relationship(*at));
    let live = slots
        .filter(|slot| slot.relationship.standing == Standing::Live && slot.relationship.key.kind.as_str() == kind);
    let mut found: Vec<CiIx> = live.map(|slot| slot.dependency).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The parties to a contract: who signed it, and who is said to supply what it is about.
pub(crate) fn signers(view: &View, contract: CiIx) -> Vec<CiIx> {
    let mut found = targets(view, contract, SIGNED_WITH);
    found.extend(targets(view, contract, SUPPLIED_BY));
    found.sort_unstable();
    found.dedup();
    found
}

/// The contracts to which a supplier is a party.
pub(crate) fn signed(view: &View, supplier: CiIx) -> Vec<CiIx> {
    let mut found = sources(view, supplier, SIGNED_WITH);
    found.extend(sources(view, supplier, SUPPLIED_BY).into_iter().filter(|one| is_a(view, *one, CONTRACT)));
    found.sort_unstable();
    found.dedup();
    found
}

/// What points to an item by a kind of relationship.
pub(crate) fn sources(view: &View, ix: CiIx, kind: &str) -> Vec<CiIx> {
    let slots = view.catalogue.slot(ix).dependents.iter().map(|at| view.catalogue.relationship(*at));
    let live = slots
        .filter(|slot| slot.relationship.standing == Standing::Live && slot.relationship.key.kind.as_str() == kind);
    let mut found: Vec<CiIx> = live.map(|slot| slot.dependent).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The services whose loss would be serious.
pub(crate) struct Critical {
    /// The services, ascending.
    pub(crate) services: Vec<ItemIx>,
    /// Whether no service states how critical it is, so that all are taken.
    is_assumed: bool,
}

impl Critical {
    /// Says where all services are taken because none states how critical it is.
    pub(crate) fn note(&self, basis: &mut Basis) {
        if self.is_assumed {
            basis.limit(LimitCode::FigureMissing, "no service states how critical it is: all count as critical");
        }
    }
}

/// The code of a country, ISO 3166-1 alpha-2 in capitals.
///
/// # Errors
/// Gives back what is stated, without blanks around it, where that is no code of two letters.
pub(crate) fn country_code(stated: &str) -> Result<String, String> {
    let stated = stated.trim();
    let is_code = stated.len() == 2 && stated.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_code { Ok(stated.to_ascii_uppercase()) } else { Err(stated.to_owned()) }
}

/// The services whose loss would be serious: of high criticality or above. Where no service states one, all of them.
pub(crate) fn critical_services(view: &View) -> Critical {
    let services: Vec<ItemIx> = view.graph.item_numbers().filter(|one| view.is_service(ci_of(*one))).collect();
    let of = |one: &ItemIx| view.brief(ci_of(*one)).criticality;
    if services.iter().all(|one| of(one).is_none()) {
        return Critical { is_assumed: !services.is_empty(), services };
    }
    let is_high = |one: &ItemIx| of(one).is_some_and(|criticality| criticality >= Criticality::High);
    Critical { services: services.into_iter().filter(is_high).collect(), is_assumed: false }
}

/// Suppliers that take part in analyses.
pub(crate) fn suppliers(view: &View) -> Vec<ItemIx> {
    all_of(view, SUPPLIER).map(item).filter(|one| view.graph.contains(*one)).collect()
}
