//! What changed between two states of a record, field by field.

use std::collections::{BTreeMap, BTreeSet};

use keelson_model::{CiId, ConfigurationItem, Need, RecordChange, Relationship};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::View;

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// The field: `name`, `attributes.memory`, `claims.aws-prod`.
    pub field: String,
    /// Its value before; `null` when it had none.
    pub before: Json,
    /// Its value after; `null` when it has none any more.
    pub after: Json,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was new.
    Created,
    /// It got new content.
    Updated,
    /// It was withdrawn.
    Withdrawn,
    /// It was seen again.
    Revived,
    /// A placeholder was described.
    Described,
}

/// What happened to a configuration item.
#[must_use]
pub fn of_ci(before: Option<&ConfigurationItem>, after: Option<&ConfigurationItem>) -> (What, Vec<FieldChange>) {
    use keelson_model::Standing::{Live, Placeholder, Withdrawn};
    let what = match (before.map(|ci| ci.standing), after.map(|ci| ci.standing)) {
        (None, _) => What::Created,
        (Some(Live | Placeholder), Some(Withdrawn)) => What::Withdrawn,
        (Some(Withdrawn), Some(Live | Placeholder)) => What::Revived,
        (Some(Placeholder), Some(Live)) => What::Described,
        _ => What::Updated,
    };
    (what, differences(&before.map(ci_fields).unwrap_or_default(), &after.map(ci_fields).unwrap_or_default()))
}

/// What happened to a relationship.
#[must_use]
pub fn of_relationship(before: Option<&Relationship>, after: Option<&Relationship>) -> (What, Vec<FieldChange>) {
    let what = what(before.map(|record| record.standing), after.map(|record| record.standing));
    let fields = |record: &Relationship| {
        let mut fields = BTreeMap::from([
            ("standing".to_owned(), json(&record.standing)),
            ("basis".to_owned(), json(&record.basis())),
            ("strength".to_owned(), json(&record.strength())),
        ]);
        let live = record.live_claims().map(|claim| (format!("claims.{}", claim.provenance.source), Json::Bool(true)));
        fields.extend(live);
        fields
    };
    (what, differences(&before.map(fields).unwrap_or_default(), &after.map(fields).unwrap_or_default()))
}

/// What happened to a need.
#[must_use]
pub fn of_need(before: Option<&Need>, after: Option<&Need>) -> (What, Vec<FieldChange>) {
    let what = what(before.map(|record| record.standing), after.map(|record| record.standing));
    let fields = |record: &Need| {
        let mut fields = BTreeMap::from([("standing".to_owned(), json(&record.standing))]);
        if let Json::Object(definition) = json(&record.definition) {
            fields.extend(definition);
        }
        fields
    };
    (what, differences(&before.map(fields).unwrap_or_default(), &after.map(fields).unwrap_or_default()))
}

/// What happened to a record of change management. Items are named by their keys; of an assessment only the
/// revision, the digest and what it says against the change are told.
#[must_use]
pub fn of_record<T: Serialize>(view: &View, before: Option<&T>, after: Option<&T>) -> (What, Vec<FieldChange>) {
    let what = if before.is_none() { What::Created } else { What::Updated };
    let fields = |record: Option<&T>| -> BTreeMap<String, Json> {
        let Some(Json::Object(fields)) = record.map(json) else { return BTreeMap::new() };
        // The id never changes, the version always does, and a step is told by the commit that took it.
        let told = fields.into_iter().filter(|(name, _)| !["id", "version", "steps"].contains(&name.as_str()));
        told.map(|(name, value)| (name, shortened(view, value))).filter(|(_, value)| !is_nothing(value)).collect()
    };
    (what, differences(&fields(before), &fields(after)))
}

/// A value with keys in the place of the ids of items, and without the long lists of an assessment.
fn shortened(view: &View, value: Json) -> Json {
    match value {
        Json::String(text) => {
            let found = text.parse::<CiId>().ok().and_then(|id| view.catalogue.find_id(id));
            found.map_or(Json::String(text), |ix| Json::from(view.catalogue.ci(ix).key.as_str()))
        }
        Json::Array(values) => values.into_iter().map(|value| shortened(view, value)).collect(),
        Json::Object(mut fields) => {
            if fields.contains_key("document") {
                fields.retain(|name, _| !["effects", "inputs"].contains(&name.as_str()));
            }
            Json::Object(fields.into_iter().map(|(name, value)| (name, shortened(view, value))).collect())
        }
        other => other,
    }
}

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// What sort of record a change is about, for summaries.
#[must_use]
pub fn sort_of(change: &RecordChange) -> &'static str {
    match change {
        RecordChange::Ci(_) => "configuration item",
        RecordChange::Relationship(_) => "relationship",
        RecordChange::Need(_) => "need",
        RecordChange::Scope(_) => "scope",
        RecordChange::Run(_) => "import run",
        RecordChange::Review(_) => "review task",
        RecordChange::Request(_) => "request for change",
        RecordChange::Template(_) => "change template",
        RecordChange::Calendar(_) => "calendar entry",
        RecordChange::Disruption(_) => "disruption",
        RecordChange::Baseline(_) => "baseline",
        RecordChange::Series(_) => "series",
    }
}

fn what(before: Option<keelson_model::Standing>, after: Option<keelson_model::Standing>) -> What {
    use keelson_model::Standing::Withdrawn;
    match (before, after) {
        (None, _) => What::Created,
        (Some(Withdrawn), Some(after)) if after != Withdrawn => What::Revived,
        (Some(before), Some(Withdrawn)) if before != Withdrawn => What::Withdrawn,
        _ => What::Updated,
    }
}

fn json(value: &impl Serialize) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

fn ci_fields(ci: &ConfigurationItem) -> BTreeMap<String, Json> {
    let facts = ci.facts();
    let mut fields = BTreeMap::from([
        ("key".to_owned(), Json::from(ci.key.as_str())),
        ("class".to_owned(), Json::from(ci.class.as_str())),
        ("standing".to_owned(), json(&ci.standing)),
        ("name".to_owned(), json(&facts.name)),
        ("lifecycle".to_owned(), json(&facts.lifecycle)),
        ("criticality".to_owned(), json(&facts.criticality)),
    ]);
    fields.extend(facts.attributes.iter().map(|(name, value)| (format!("attributes.{name}"), value.to_json())));
    fields.extend(
        facts
            .unmodelled
            .iter()
            .map(|(name, text)| (format!("unmodelled.{name}"), serde_json::from_str(text).unwrap_or(Json::Null))),
    );
    fields.extend(
        ci.live_claims()
            .map(|claim| (format!("claims.{}", claim.provenance.source), Json::from(claim.source_key.as_str()))),
    );
    fields
}

fn differences(before: &BTreeMap<String, Json>, after: &BTreeMap<String, Json>) -> Vec<FieldChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |fields: &BTreeMap<String, Json>, name: &str| fields.get(name).cloned().unwrap_or(Json::Null);
    names
        .into_iter()
        .map(|name| FieldChange { field: name.clone(), before: value(before, name), after: value(after, name) })
        .filter(|change| change.before != change.after)
        .collect()
}
