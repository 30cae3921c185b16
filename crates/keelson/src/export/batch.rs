//! Keelson's own form. Importing it into an empty store gives a catalogue with the same effective
//! items, relationships and needs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use keelson_app::answers::projection::remaining;
use keelson_import_batch::line::{CiLine, FORMAT, Header, Line, NeedLine, RelationshipLine, StrengthName};
use keelson_import_batch::write::{self, WriteError};
use keelson_model::{Basis, ConfigurationItem, Lifecycle, Member, Need, Relationship, Standing, Strength, Symbol};

use super::Extract;

/// Writes header, items, relationships, needs.
pub(super) fn write(out: &mut dyn Write, extract: &Extract, source: &str, at: DateTime<Utc>) -> io::Result<()> {
    let catalogue = &extract.view.catalogue;
    let mut line = |line: &Line| {
        write::line(&mut *out, line).map_err(|error| match error {
            WriteError::Io(error) => error,
            error @ WriteError::NoKey { .. } => io::Error::other(error),
        })
    };
    line(&Line::Batch(Header {
        format: FORMAT.to_owned(),
        source: Symbol::new(source),
        scope: Some("all".to_owned()),
        complete: Some(true),
        observed_at: Some(at),
        cursor: None,
    }))?;
    for ix in &extract.items {
        let ci = catalogue.ci(*ix);
        // A placeholder is not inventory: what refers to it brings it back. So does what still needs
        // something that is withdrawn; it comes back as a placeholder.
        if ci.standing == Standing::Live {
            line(&Line::Ci(item(ci)))?;
        }
    }
    for ix in extract.relationships() {
        let slot = catalogue.relationship(ix);
        if slot.relationship.is_plain() {
            line(&Line::Relationship(relationship(extract, &slot.relationship, slot.dependent, slot.dependency)))?;
        }
    }
    for ix in extract.needs() {
        let slot = catalogue.need(ix);
        if let Some(need) = need(extract, &slot.need, slot.dependent) {
            line(&Line::Need(need))?;
        }
    }
    Ok(())
}

fn item(ci: &ConfigurationItem) -> CiLine {
    let facts = ci.facts();
    let mut attributes: BTreeMap<Symbol, serde_json::Value> =
        facts.attributes.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
    for (name, text) in &facts.unmodelled {
        let value = serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_string()));
        attributes.entry(name.clone()).or_insert(value);
    }
    CiLine {
        key: ci.key.clone(),
        class: ci.class.clone(),
        name: facts.name.clone(),
        external_id: None,
        native_id: None,
        native_version: None,
        lifecycle: facts.lifecycle,
        criticality: facts.criticality,
        owner: None,
        attributes,
    }
}

fn relationship(
    extract: &Extract,
    record: &Relationship,
    dependent: keelson_catalogue::CiIx,
    dependency: keelson_catalogue::CiIx,
) -> RelationshipLine {
    let catalogue = &extract.view.catalogue;
    let (strength, cap) = match record.strength() {
        None => (None, None),
        Some(Strength::Hard) => (Some(StrengthName::Hard), None),
        Some(Strength::Soft { cap }) => (Some(StrengthName::Soft), Some(cap)),
    };
    // What people declared comes before what was observed; of alike claims the first that says something.
    let of = |basis: Basis| record.live_claims().filter(move |claim| claim.basis == basis);
    let claims = || of(Basis::Declared).chain(of(Basis::Observed));
    let mut attributes = BTreeMap::new();
    for (name, value) in claims().flat_map(|claim| &claim.attributes) {
        attributes.entry(name.clone()).or_insert_with(|| value.to_json());
    }
    RelationshipLine {
        kind: record.key.kind.clone(),
        dependent: catalogue.ci(dependent).key.clone(),
        dependency: catalogue.ci(dependency).key.clone(),
        strength,
        cap,
        basis: (record.basis() == Basis::Observed).then_some(Basis::Observed),
        confidence: Some(record.confidence()).filter(|confidence| *confidence < 1.0),
        evidence: claims().find_map(|claim| claim.evidence.clone()),
        source_type: claims().find_map(|claim| claim.source_type.clone()),
        attributes,
    }
}

/// A need over the members that can come back; `None` when there are none. What is withdrawn comes
/// back as a placeholder, so its membership is written as doubtful; what was retired before it was
/// withdrawn is left out, as the analyses leave it out.
fn need(extract: &Extract, record: &Need, dependent: keelson_catalogue::CiIx) -> Option<NeedLine> {
    let catalogue = &extract.view.catalogue;
    let comes_back =
        |ci: &ConfigurationItem| ci.standing != Standing::Withdrawn || ci.lifecycle() != Lifecycle::Retired;
    let definition = remaining(catalogue, &record.definition, comes_back)?;
    let key = |member: &Member| Some(catalogue.ci(catalogue.find_id(member.ci)?).key.clone());
    let members = definition.members.iter().filter_map(key).collect();
    // A rule that nobody stated is not written: it would come back as a stated one.
    let rule = (!definition.assumed).then_some(&definition.rule);
    Some(NeedLine {
        assumed: definition.assumed,
        possible_counts: definition.possible_counts.clone(),
        doubtful: definition.members.iter().filter(|member| member.doubtful).filter_map(key).collect(),
        kind: Some(definition.kind.clone()),
        cap: definition.cap.as_ref().map(|cap| cap.limit),
        judged_by: definition.cap.as_ref().and_then(|cap| cap.judged_by.clone()),
        judged_at: definition.cap.as_ref().and_then(|cap| cap.judged_at),
        phase: Some(definition.phase),
        confidence: definition.confidence,
        common_cause: definition.common_cause,
        ..NeedLine::new(catalogue.ci(dependent).key.clone(), &record.name, rule, members)
    })
}
