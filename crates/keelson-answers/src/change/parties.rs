//! Who is to be told and asked: owners and customers of services.

use keelson_catalogue::CiIx;
use keelson_model::{Standing, Value};

use crate::{Subject, View};

/// The kind of relationship to an owner.
const OWNED_BY: &str = "owned_by";
/// The kind of relationship to a customer.
const PROVIDED_TO: &str = "provided_to";
/// The kind of relationship of an offering to the service it offers.
const OFFERS: &str = "offers";

fn others(view: &View, ix: CiIx, kind: &str) -> Vec<CiIx> {
    let slots = view.catalogue.slot(ix).dependencies.iter().map(|at| view.catalogue.relationship(*at));
    let live =
        slots.filter(|slot| slot.relationship.standing == Standing::Live && &*slot.relationship.key.kind == kind);
    live.map(|slot| slot.dependency).collect()
}

/// Who owns an item: by relationship, or else the text people wrote.
pub(crate) fn owners(view: &View, ix: CiIx) -> Vec<String> {
    let owners: Vec<String> =
        others(view, ix, OWNED_BY).into_iter().map(|owner| view.catalogue.ci(owner).key.to_string()).collect();
    if owners.is_empty() {
        let contact = view.catalogue.ci(ix).attribute("contact").and_then(Value::as_text);
        return contact.map(str::to_owned).into_iter().collect();
    }
    owners
}

/// The customers a service is provided to, itself or through its offerings, by key.
pub(crate) fn customers(view: &View, ix: CiIx) -> Vec<Subject> {
    let mut customers = others(view, ix, PROVIDED_TO);
    let offerings = view.catalogue.slot(ix).dependents.iter().map(|at| view.catalogue.relationship(*at));
    let offerings = offerings
        .filter(|slot| slot.relationship.standing == Standing::Live && &*slot.relationship.key.kind == OFFERS)
        .map(|slot| slot.dependent);
    customers.extend(offerings.flat_map(|offering| others(view, offering, PROVIDED_TO)));
    customers.sort_unstable();
    customers.dedup();
    customers.into_iter().map(|customer| Subject::of(&view.catalogue, customer)).collect()
}
