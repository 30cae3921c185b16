//! Needs that say too little, that their sources define differently, or that too few members are
//! left for.

use keelson_catalogue::{Catalogue, NeedSlot};
use keelson_model::{ConfigurationItem, Lifecycle, NeedDefinition, Rule, Standing};

use super::{CheckCode, Found};
use crate::needs::{rule_in_words, sources_of};
use crate::projection::remaining;

/// Examines every live need of what is in service.
pub(super) fn check(catalogue: &Catalogue, found: &mut Found) {
    for (_, slot) in catalogue.needs() {
        if slot.need.standing == Standing::Live && catalogue.ci(slot.dependent).is_in_service() {
            rule_missing(catalogue, slot, found);
            disagreement(catalogue, slot, found);
            too_few_left(catalogue, slot, found);
        }
    }
}

fn rule_missing(catalogue: &Catalogue, slot: &NeedSlot, found: &mut Found) {
    let definition = &slot.need.definition;
    if definition.assumed && definition.members.len() > 1 {
        let message = format!(
            "nobody states how many of the {} members of '{}' it needs; all are taken to be needed",
            definition.members.len(),
            slot.need.name
        );
        found.add(CheckCode::RuleMissing, catalogue.ci(slot.dependent).key.to_string(), message, Vec::new());
    }
}

fn disagreement(catalogue: &Catalogue, slot: &NeedSlot, found: &mut Found) {
    let (sources, others) = sources_of(catalogue, &slot.need);
    if others.is_empty() {
        return;
    }
    let others: Vec<String> = others.iter().map(|(source, said)| format!("{source} says: {said}")).collect();
    let message = format!(
        "need '{}': '{}' from {} is in force, {}",
        slot.need.name,
        words(&slot.need.definition),
        sources.join(" and "),
        others.join("; ")
    );
    found.add(CheckCode::Disagreement, catalogue.ci(slot.dependent).key.to_string(), message, Vec::new());
}

fn too_few_left(catalogue: &Catalogue, slot: &NeedSlot, found: &mut Found) {
    let definition = &slot.need.definition;
    let is_left = |ci: &ConfigurationItem| ci.lifecycle() != Lifecycle::Retired;
    let (stated, left) = (definition.members.len(), remaining(catalogue, definition, is_left));
    if left.as_ref().is_some_and(|left| left.members.len() == stated || can_hold(definition, left)) {
        return;
    }
    let left = left.map_or(0, |left| left.members.len());
    let members = definition.members.iter().filter_map(|member| catalogue.find_id(member.ci));
    let retired = members.map(|ix| catalogue.ci(ix)).filter(|ci| !is_left(ci)).map(|ci| ci.key.to_string());
    let message = format!(
        "need '{}' {}, and only {left} are left, the others are retired; state it anew",
        slot.need.name,
        words(definition)
    );
    found.add(CheckCode::NeedCannotHold, catalogue.ci(slot.dependent).key.to_string(), message, retired.collect());
}

/// Whether the members left can satisfy a definition as it is stated.
fn can_hold(stated: &NeedDefinition, left: &NeedDefinition) -> bool {
    let members = u32::try_from(left.members.len()).unwrap_or(u32::MAX);
    match (&stated.rule, &left.rule) {
        (Rule::AtLeast { k }, _) => stated.possible_counts.iter().min().unwrap_or(k) <= &members,
        (Rule::Weight { threshold, .. }, Rule::Weight { weights, .. }) => weights.iter().sum::<f64>() >= *threshold,
        (Rule::Share { demand, .. }, Rule::Share { capacities, .. }) => {
            demand.is_none_or(|demand| capacities.iter().sum::<f64>() >= demand)
        }
        _ => true,
    }
}

fn words(definition: &NeedDefinition) -> String {
    let of = definition.members.len();
    rule_in_words(&definition.rule, definition.rule.required(of), u32::try_from(of).unwrap_or(u32::MAX))
}
