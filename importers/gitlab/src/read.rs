//! The rows of one version: services, teams and what they state.

use std::collections::{HashMap, HashSet};

use keelson_importer::yaml::Document;
use keelson_importer::{redaction, rows};
use keelson_model::{
    Batch, CiRef, Finding, FindingCode, Observation, Position, RelationshipObservation, SourceKey, Symbol,
};
use serde_json::Value as Json;

use crate::files::Part;
use crate::table::{self, Field, Relation, Take, Target};

/// Takes everything a document lists into the batch; gives the document without its secrets.
pub(crate) fn take(batch: &mut Batch, part: &mut Part, row_bytes: usize) -> Json {
    let mut value = std::mem::take(&mut part.document.value);
    for pointer in redaction::redact(&mut value, &[]) {
        let position = part.document.position(&part.file, &pointer);
        batch.findings.push(Finding::new(FindingCode::Redacted, position, "a secret was left out"));
    }
    for (list, of, fields) in
        [("services", Target::Service, table::SERVICE_FIELDS), ("teams", Target::Team, table::TEAM_FIELDS)]
    {
        for (index, row) in value.get(list).and_then(Json::as_array).into_iter().flatten().enumerate() {
            let base = format!("/{list}/{index}");
            let place = Place { file: &part.file, document: &part.document, base: &base };
            take_row(batch, row, of, fields, &place, row_bytes);
        }
    }
    value
}

/// Where a service or team stands.
struct Place<'a> {
    file: &'a str,
    document: &'a Document,
    base: &'a str,
}

impl Place<'_> {
    fn at(&self, pointer: &str) -> Position {
        self.document.position(self.file, &format!("{}{pointer}", self.base))
    }

    /// A scalar as the text that was written; nothing where there is none.
    fn text(&self, value: &Json, pointer: &str) -> Option<String> {
        let text = match value {
            Json::String(text) => text.trim().to_owned(),
            Json::Number(number) => {
                let spelled = self.document.text_of(&format!("{}{pointer}", self.base));
                spelled.map_or_else(|| number.to_string(), str::to_owned)
            }
            Json::Bool(flag) => flag.to_string(),
            Json::Null | Json::Array(_) | Json::Object(_) => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// The text that a name is; nothing where it stands for nothing.
    fn name(&self, value: &Json, pointer: &str) -> Option<String> {
        let nothing = |name: &str| ["null", "none", "nil", "undefined"].iter().any(|n| name.eq_ignore_ascii_case(n));
        self.text(value, pointer).filter(|name| !nothing(name))
    }
}

fn take_row(batch: &mut Batch, row: &Json, of: Target, fields: &[Field], place: &Place<'_>, row_bytes: usize) {
    let mut refuse = |code, pointer: &str, message: String| {
        batch.findings.push(Finding::new(code, place.at(pointer), format!("{message}; it is left out")));
    };
    let what = of.class();
    if !row.is_object() {
        return refuse(FindingCode::MalformedRow, "", format!("this is no {what}; it must be a mapping with a name"));
    }
    let bytes = row.to_string().len();
    if bytes > row_bytes {
        let message = format!("the {what} has {bytes} bytes, but at most {row_bytes} are read");
        return refuse(FindingCode::LimitExceeded, "", message);
    }
    let Some(name) = row.get("name").and_then(|name| place.name(name, "/name")) else {
        return refuse(FindingCode::IdentityMissing, "/name", format!("the {what} has no name"));
    };
    let Some(key) = rows::source_key(&of.key(&name), &place.at("/name"), &mut batch.findings) else { return };
    let mut observation = Observation::new(key.clone(), of.class(), place.at(""));
    let friendly = row.get("friendly_name").and_then(|friendly| place.text(friendly, "/friendly_name"));
    observation.name = Some(friendly.unwrap_or(name).into());
    attributes(&mut observation, row, fields, place);
    batch.observations.push(observation);
    if of == Target::Service {
        for relation in table::RELATIONS {
            relate(batch, row, relation, &key, place);
        }
    }
}

/// Reads the fields that attributes of the class stand for, and keeps all others under where they
/// stood: `technical.logging`.
fn attributes(observation: &mut Observation, row: &Json, fields: &[Field], place: &Place<'_>) {
    let mut put = |name: &str, value: Json| {
        observation.attributes.entry(Symbol::new(name)).or_insert(value);
    };
    let mut read: HashSet<&str> = HashSet::from(["/name", "/friendly_name"]);
    read.extend(table::RELATIONS.iter().map(|relation| relation.pointer));
    for field in fields {
        let Some(value) = row.pointer(field.pointer) else { continue };
        let texts: Vec<String> = match value {
            Json::Array(items) => {
                let items = items.iter().enumerate();
                items.filter_map(|(index, item)| place.text(item, &format!("{}/{index}", field.pointer))).collect()
            }
            scalar => place.text(scalar, field.pointer).into_iter().collect(),
        };
        if texts.is_empty() {
            continue;
        }
        let whole = field.take == Take::Text || texts.len() == 1;
        put(field.attribute, Json::from(if whole { texts.join("\n") } else { texts[0].clone() }));
        if whole {
            read.insert(field.pointer);
        }
    }
    for (name, value) in row.as_object().into_iter().flatten() {
        match value {
            Json::Object(below) => {
                for (inner, value) in below {
                    if !read.contains(format!("/{name}/{inner}").as_str()) && says_something(value) {
                        put(&format!("{name}.{inner}"), value.clone());
                    }
                }
            }
            value if !read.contains(format!("/{name}").as_str()) && says_something(value) => put(name, value.clone()),
            _ => {}
        }
    }
}

/// Whether there is anything but nothing in a value: the catalogue is full of empty forms.
fn says_something(value: &Json) -> bool {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Json::Null => {}
            Json::Array(items) => open.extend(items),
            Json::Object(fields) => open.extend(fields.values()),
            Json::Bool(_) | Json::Number(_) | Json::String(_) => return true,
        }
    }
    false
}

/// Reads one relation of a service.
fn relate(batch: &mut Batch, row: &Json, relation: &'static Relation, key: &SourceKey, place: &Place<'_>) {
    match row.pointer(relation.pointer) {
        // The field is part of the form and was not filled in.
        None | Some(Json::Null) => {}
        Some(Json::Array(targets)) => {
            for (index, target) in targets.iter().enumerate() {
                relate_one(batch, target, relation, key, place, &format!("{}/{index}", relation.pointer));
            }
        }
        Some(target) => relate_one(batch, target, relation, key, place, relation.pointer),
    }
}

fn relate_one(
    batch: &mut Batch,
    row: &Json,
    relation: &'static Relation,
    key: &SourceKey,
    place: &Place<'_>,
    pointer: &str,
) {
    let position = place.at(pointer);
    let mut refuse = |code, message: String| {
        let finding = Finding::new(code, position.clone(), message);
        batch.findings.push(finding.about(key.as_str()).in_field(relation.stated_as));
    };
    let (named, pointer) = match (relation.field, row) {
        (Some(field), Json::Object(fields)) => {
            let other = |name: &&String| *name != field && !table::QUALIFIERS.contains(&name.as_str());
            if let Some(other) = fields.keys().find(other) {
                let message =
                    format!("a dependency on a '{}' has no direction here; it is left out", other.escape_debug());
                return refuse(FindingCode::UnknownRelationType, message);
            }
            (fields.get(field).unwrap_or(&Json::Null), format!("{pointer}/{field}"))
        }
        (Some(field), Json::Null) => return refuse(FindingCode::NullTarget, format!("the row names no {field}")),
        (Some(field), _) => {
            let message = format!("a row must be a mapping such as '{field}: name'; it is left out");
            return refuse(FindingCode::MalformedRow, message);
        }
        (None, row) => (row, pointer.to_owned()),
    };
    if named.is_array() || named.is_object() {
        let message = format!("'{}' must name its target by a text; the row is left out", relation.stated_as);
        return refuse(FindingCode::MalformedRow, message);
    }
    let Some(name) = place.name(named, &pointer) else {
        return refuse(FindingCode::NullTarget, format!("'{}' names nothing in this row", relation.stated_as));
    };
    let Some(target) = rows::source_key(&relation.target.key(&name), &position, &mut batch.findings) else { return };
    let class = Some(Symbol::new(relation.target.class()));
    let dependency = CiRef::Source { key: target, class, name: Some(name.into()) };
    let dependent = CiRef::of_class(key.clone(), Target::Service.class());
    let mut observed = RelationshipObservation::new(relation.kind, dependent, dependency, position);
    observed.evidence = Some(Symbol::new("stated_by_dependent"));
    observed.source_type = Some(Symbol::new(relation.stated_as));
    let qualifiers = table::QUALIFIERS.iter().filter_map(|name| Some((*name, row.get(*name)?)));
    for (name, value) in qualifiers.filter(|(_, value)| says_something(value)) {
        observed.attributes.insert(Symbol::new(name), value.clone());
    }
    batch.relationships.push(observed);
}

/// Reports names that differ from the name of something listed in case only: the catalogue
/// compares exactly, so that they name something else, which was hardly meant.
pub(crate) fn report_case_differences(batch: &mut Batch) {
    let mut listed: HashMap<String, &str> = HashMap::new();
    let mut reported: HashSet<&str> = HashSet::new();
    let described = batch.observations.iter().map(|o| (o.source_key.as_str(), &o.position));
    let named = batch.relationships.iter().map(|r| (r.dependency.as_str(), &r.position));
    let mut findings = Vec::new();
    for (key, position) in described.chain(named) {
        let first = *listed.entry(key.to_ascii_lowercase()).or_insert(key);
        if first != key && reported.insert(key) {
            let message = format!("'{key}' and '{first}' differ in case only; the catalogue takes them for two");
            let finding = Finding::new(FindingCode::CaseOnlyDifference, position.clone(), message);
            findings.push(finding.about(key));
        }
    }
    batch.findings.append(&mut findings);
}
