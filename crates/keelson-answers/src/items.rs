//! Which items there are, and everything about one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use keelson_catalogue::query::Query;
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::{Basis as Knowledge, Criticality, Lifecycle, Position, Standing, Stated, Strength};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::basis::{confirmed, is_stale, last_seen};
use crate::subject::find;
use crate::{Asked, Basis, QuestionError, Subject, View};

/// A configuration item in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemLine {
    /// Its identifier.
    pub id: String,
    /// Key, class and name.
    #[serde(flatten)]
    pub subject: Subject,
    /// What is known of its existence.
    pub standing: Standing,
    /// Its stage of life.
    pub lifecycle: Lifecycle,
    /// How much depends on it, where stated.
    pub criticality: Option<Criticality>,
    /// The sources that claim it.
    pub sources: Vec<String>,
    /// When a source last saw it.
    pub last_seen: Option<DateTime<Utc>>,
}

/// A page of configuration items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// How many there are.
    pub total: usize,
    /// How many come before this page.
    pub skipped: usize,
    /// This page.
    pub items: Vec<ItemLine>,
}

/// Lists configuration items: those from place `skip` on, at most `most`.
///
/// # Errors
/// When the condition is beyond its limits.
pub fn list(view: &View, query: &Query, skip: usize, most: usize, asked: Asked) -> Result<ListAnswer, QuestionError> {
    let found = query.run(&view.catalogue)?;
    let mut basis = Basis::of(view, asked);
    let items: Vec<ItemLine> = found.iter().skip(skip).take(most).map(|ix| item_line(&view.catalogue, *ix)).collect();
    basis.page("configuration items", items.len(), found.len());
    Ok(ListAnswer { basis, total: found.len(), skipped: skip.min(found.len()), items })
}

/// One configuration item as lists show it.
#[must_use]
pub fn item_line(catalogue: &Catalogue, ix: CiIx) -> ItemLine {
    let ci = catalogue.ci(ix);
    let mut sources: Vec<String> = ci.live_claims().map(|claim| claim.provenance.source.to_string()).collect();
    sources.sort();
    sources.dedup();
    ItemLine {
        id: ci.id.to_string(),
        subject: Subject::of(catalogue, ix),
        standing: ci.standing,
        lifecycle: ci.lifecycle(),
        criticality: ci.facts().criticality,
        sources,
        last_seen: last_seen(catalogue, ix),
    }
}

/// Checks that a class exists.
///
/// # Errors
/// When it does not; names up to three that look like it.
pub fn known_class(catalogue: &Catalogue, class: &str) -> Result<(), QuestionError> {
    let classes = &catalogue.schema().classes;
    if classes.get(class).is_some() {
        return Ok(());
    }
    let wanted = class.to_lowercase().replace('_', "-");
    let names = classes.iter().map(|class| class.definition.name.to_string());
    let mut similar: Vec<String> =
        names.filter(|name| name.contains(&wanted) || wanted.contains(name.as_str())).collect();
    similar.sort_by_key(|name| (name.len().abs_diff(wanted.len()), name.clone()));
    similar.truncate(3);
    Err(QuestionError::UnknownClass { class: class.to_owned(), similar })
}

/// One attribute of a configuration item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttributeLine {
    /// Its effective value.
    pub value: serde_json::Value,
    /// The source it comes from; several joined by `+` for a union.
    pub source: Option<String>,
    /// What other sources say instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, serde_json::Value>,
}

/// One source's claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimLine {
    /// The source.
    pub source: String,
    /// The part of the world its batch covered.
    pub scope: String,
    /// What the source calls it.
    pub source_key: String,
    /// The source's id for this lifetime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// Whether the source still says so.
    pub live: bool,
    /// When the source first said so.
    pub first_observed: DateTime<Utc>,
    /// When the source last said so.
    pub last_seen: DateTime<Utc>,
    /// The batch that said it last with this content.
    pub batch: String,
    /// Where it stood.
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    pub position: Position,
}

/// A relationship, seen from one of its ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RelationLine {
    /// Its kind.
    pub kind: String,
    /// How it reads from this end: `uses`, `is used by`.
    pub reads: String,
    /// The other end.
    #[serde(flatten)]
    pub other: Subject,
    /// The sources that state it.
    pub sources: Vec<String>,
    /// Declared or observed.
    pub basis: Knowledge,
    /// Whether it is stated only as a member of a need.
    pub member_only: bool,
    /// How much of the dependent it can take, where stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// How sure the sources are, 0 to 1, where below 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

/// Everything about one configuration item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// What lists show of it.
    #[serde(flatten)]
    pub line: ItemLine,
    /// Number of its changes.
    pub version: u32,
    /// Its class and those above it, nearest first.
    pub lineage: Vec<String>,
    /// Its effective attributes.
    pub attributes: BTreeMap<String, AttributeLine>,
    /// What its sources say beyond the attributes of its class; kept, not interpreted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unmodelled: BTreeMap<String, serde_json::Value>,
    /// Who says that it exists.
    pub claims: Vec<ClaimLine>,
    /// Kinds of relationship by which a source says that it depends on itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub self_relationships: Vec<String>,
    /// Its needs.
    pub needs: Vec<crate::needs::NeedLine>,
    /// What it relates to as the dependent.
    pub dependencies: Vec<RelationLine>,
    /// What relates to it as the dependency.
    pub dependents: Vec<RelationLine>,
    /// The earlier lifetime this one follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub succeeds: Option<String>,
    /// When it was withdrawn, while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// Everything about one configuration item, with at most `most` relationships each way.
///
/// # Errors
/// When no configuration item has the key.
pub fn item_answer(view: &View, key: &str, most: usize, asked: Asked) -> Result<ItemAnswer, QuestionError> {
    let catalogue = &view.catalogue;
    let ix = find(catalogue, key)?;
    let ci = catalogue.ci(ix);
    let mut basis = Basis::of(view, asked);
    basis.oldest_observation = last_seen(catalogue, ix);
    basis.stale =
        usize::from(basis.oldest_observation.is_some_and(|seen| is_stale(catalogue, &ci.class, seen, asked.at)));
    let relations = |dependents: bool, basis: &mut Basis| {
        let mut lines = relations(catalogue, ix, dependents);
        basis.page(if dependents { "dependents" } else { "dependencies" }, most.min(lines.len()), lines.len());
        lines.truncate(most);
        lines
    };
    let dependencies = relations(false, &mut basis);
    let dependents = relations(true, &mut basis);
    let graph_item = crate::item(ix);
    let needs = if view.graph.contains(graph_item) {
        crate::needs::lines_of(catalogue, &view.graph, graph_item)
    } else {
        Vec::new()
    };
    let lineage = catalogue.schema().classes.get(&ci.class).map(|class| class.lineage.clone()).unwrap_or_default();
    let text = |text: &std::sync::Arc<str>| {
        serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_string()))
    };
    Ok(ItemAnswer {
        basis,
        line: item_line(catalogue, ix),
        version: ci.version,
        lineage: lineage.iter().map(ToString::to_string).collect(),
        attributes: attributes(catalogue, ix),
        unmodelled: ci.facts().unmodelled.iter().map(|(name, json)| (name.to_string(), text(json))).collect(),
        claims: ci.claims.iter().map(|claim| claim_line(catalogue, claim)).collect(),
        self_relationships: ci
            .live_claims()
            .flat_map(|claim| &claim.self_relationships)
            .map(ToString::to_string)
            .collect(),
        needs,
        dependencies,
        dependents,
        succeeds: ci.succeeds.and_then(|id| catalogue.find_id(id)).map(|ix| catalogue.ci(ix).key.to_string()),
        withdrawn_at: ci.withdrawn_at,
    })
}

/// The effective attributes with their sources and what other sources say instead.
#[must_use]
pub fn attributes(catalogue: &Catalogue, ix: CiIx) -> BTreeMap<String, AttributeLine> {
    let ci = catalogue.ci(ix);
    let line = |(name, value): (&keelson_model::Symbol, &keelson_model::Value)| {
        let others = ci
            .live_claims()
            .filter_map(|claim| Some((claim, claim.facts.attributes.get(name)?)))
            .filter(|(_, said)| *said != value)
            .map(|(claim, said)| (claim.provenance.source.to_string(), said.to_json()))
            .collect();
        let source = ci.source_of(name).map(ToString::to_string);
        (name.to_string(), AttributeLine { value: value.to_json(), source, others })
    };
    ci.facts().attributes.iter().map(line).collect()
}

fn claim_line(catalogue: &Catalogue, claim: &keelson_model::Claim) -> ClaimLine {
    let provenance = &claim.provenance;
    ClaimLine {
        source: provenance.source.to_string(),
        scope: provenance.scope.to_string(),
        source_key: claim.source_key.to_string(),
        native_id: claim.native_id.as_ref().map(ToString::to_string),
        live: provenance.is_live(),
        first_observed: provenance.first_observed,
        last_seen: if provenance.is_live() { confirmed(catalogue, provenance) } else { provenance.observed_at },
        batch: provenance.batch.to_string(),
        position: provenance.position.clone(),
    }
}

fn relations(catalogue: &Catalogue, ix: CiIx, dependents: bool) -> Vec<RelationLine> {
    let slot = catalogue.slot(ix);
    let list = if dependents { &slot.dependents } else { &slot.dependencies };
    let mut lines: Vec<RelationLine> = list
        .iter()
        .map(|relationship| catalogue.relationship(*relationship))
        .filter(|slot| slot.relationship.standing == Standing::Live)
        .map(|slot| {
            let record = &slot.relationship;
            let kind = catalogue.schema().kinds.get(&record.key.kind);
            let reads = kind.map(|kind| if dependents { kind.backward.clone() } else { kind.forward.clone() });
            let mut sources: Vec<String> =
                record.live_claims().map(|claim| claim.provenance.source.to_string()).collect();
            sources.sort();
            sources.dedup();
            RelationLine {
                kind: record.key.kind.to_string(),
                reads: reads.unwrap_or_else(|| record.key.kind.to_string()),
                other: Subject::of(catalogue, if dependents { slot.dependent } else { slot.dependency }),
                sources,
                basis: record.basis(),
                member_only: record.live_claims().all(|claim| claim.stated == Stated::Member),
                strength: record.strength(),
                confidence: Some(record.confidence()).filter(|confidence| *confidence < 1.0),
            }
        })
        .collect();
    lines.sort_by(|a, b| (&a.kind, &a.other).cmp(&(&b.kind, &b.other)));
    lines
}
