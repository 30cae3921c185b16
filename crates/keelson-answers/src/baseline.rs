//! The state of chosen items, and its digest.

use keelson_analysis::closure::{Direction, Filter, closure};
use keelson_analysis::{Limits, Pool};
use keelson_catalogue::CiIx;
use keelson_model::{CiId, Digest, Standing};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::subject::ci_of;
use crate::{QuestionError, View, item};

/// The digest of the state of items: of each, in the order given, its effective facts, and the
/// relationships and needs of which it is the dependent, in the order of their keys. What was merely seen
/// again is the same state.
#[must_use]
pub fn digest(view: &View, items: &[CiId]) -> Digest {
    let mut hasher = Sha256::new();
    for id in items {
        let Some(ix) = view.catalogue.find_id(*id) else {
            hasher.update(format!("{id} unknown\n").as_bytes());
            continue;
        };
        hasher.update(state(view, ix).to_string().as_bytes());
        hasher.update(b"\n");
    }
    Digest(hasher.finalize().into())
}

/// The state of one item as a baseline has it.
#[must_use]
pub fn state(view: &View, ix: CiIx) -> serde_json::Value {
    let catalogue = &view.catalogue;
    let slot = catalogue.slot(ix);
    let ci = &slot.ci;
    let facts = ci.facts();
    let attributes: serde_json::Map<String, serde_json::Value> =
        facts.attributes.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
    let relationships = slot.dependencies.iter().map(|at| &catalogue.relationship(*at).relationship);
    let relationships = relationships.filter(|record| record.standing == Standing::Live);
    let mut relationships: Vec<serde_json::Value> = relationships
        .map(|record| json!([record.key.kind, record.key.dependency, record.strength(), record.basis()]))
        .collect();
    relationships.sort_by_cached_key(ToString::to_string);
    let needs = slot.needs.iter().map(|at| &catalogue.need(*at).need);
    let needs = needs.filter(|need| need.standing == Standing::Live);
    let mut needs: Vec<serde_json::Value> = needs.map(|need| json!([need.name, need.definition])).collect();
    needs.sort_by_cached_key(ToString::to_string);
    json!({
        "id": ci.id,
        "key": ci.key,
        "class": ci.class,
        "standing": ci.standing,
        "name": facts.name,
        "lifecycle": facts.lifecycle,
        "criticality": facts.criticality,
        "attributes": attributes,
        "relationships": relationships,
        "needs": needs,
    })
}

/// Items with everything they depend on, directly or not.
///
/// # Errors
/// When an item takes no part in analyses.
pub fn with_dependencies(view: &View, items: &[CiIx], pool: &Pool) -> Result<Vec<CiId>, QuestionError> {
    walked(view, items, Direction::Dependencies, pool)
}

/// What changes to items affect: themselves and everything that depends on them, directly or not.
///
/// # Errors
/// When an item takes no part in analyses.
pub fn with_dependents(view: &View, items: &[CiIx], pool: &Pool) -> Result<Vec<CiId>, QuestionError> {
    walked(view, items, Direction::Dependents, pool)
}

fn walked(view: &View, items: &[CiIx], way: Direction, pool: &Pool) -> Result<Vec<CiId>, QuestionError> {
    let starts: Vec<_> = items.iter().map(|ix| item(*ix)).filter(|item| view.graph.contains(*item)).collect();
    let all = Filter { through: |_| true, select: |_| true };
    let found = closure(&view.graph, &starts, way, &all, &Limits::default(), pool)?;
    let met = found.items.into_iter().map(|(item, _)| ci_of(item));
    let mut ids: Vec<CiId> = items.iter().copied().chain(met).map(|ix| view.catalogue.ci(ix).id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
