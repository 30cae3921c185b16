//! From a row to what it says, by the mapping.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::DateTime;
use keelson_importer::redaction;
use keelson_model::{
    CiRef, Finding, FindingCode, Observation, Position, RelationshipObservation, Scope, SourceKey, Symbol,
};
use serde_json::Value as Json;

use super::mapping::{Attribute, End, Kind, Mapping, Relation, names_nothing};
use crate::refusal::{Refusal, nearest};

/// The columns of a table.
pub(super) struct Columns {
    by_name: HashMap<String, usize>,
    /// Columns whose name says that they hold secrets.
    pub(super) secret: Vec<usize>,
}

impl Columns {
    /// Empties the fields that hold secrets; gives those that are secret by their shape.
    pub(super) fn redact(&self, fields: &mut [String]) -> Vec<usize> {
        for index in &self.secret {
            if let Some(field) = fields.get_mut(*index) {
                field.clear();
            }
        }
        let shaped = |field: &String| redaction::is_secret_value(field);
        let secret: Vec<usize> = (0..fields.len()).filter(|index| shaped(&fields[*index])).collect();
        for index in &secret {
            fields[*index].clear();
        }
        secret
    }
}

/// Reads the header of a table.
///
/// # Errors
/// Refuses a header that names a column twice or lacks one the mapping names.
pub(super) fn columns(header: &[String], mapping: &Mapping) -> Result<Columns, String> {
    let mut by_name = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        if let Some(earlier) = by_name.insert(name.clone(), index) {
            return Err(format!("the column '{name}' is there twice, as number {} and {}", earlier + 1, index + 1));
        }
    }
    let known: Vec<&str> = header.iter().map(String::as_str).collect();
    for column in mapping.columns() {
        if !by_name.contains_key(column) {
            let hint = nearest(column, &known)
                .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean '{near}'?"));
            return Err(format!("the mapping names the column '{column}', which is not in the header; {hint}"));
        }
    }
    let secret = (0..header.len()).filter(|index| redaction::is_secret_name(&header[*index])).collect();
    Ok(Columns { by_name, secret })
}

/// A row of a table, or of a file of JSON objects.
pub(super) enum Row<'a> {
    Fields(&'a Columns, &'a [String]),
    Json(&'a Json),
}

/// What rows say.
#[derive(Default)]
pub(super) struct Said {
    pub(super) observations: Vec<Observation>,
    pub(super) relationships: Vec<RelationshipObservation>,
}

impl Said {
    pub(super) fn extend(&mut self, other: Self) {
        self.observations.extend(other.observations);
        self.relationships.extend(other.relationships);
    }
}

/// A value in a row that is not nothing.
enum Cell<'a> {
    Text(&'a str),
    Json(&'a Json),
}

impl<'a> Cell<'a> {
    /// The value as text; lists and objects have none.
    fn text(&self, column: &str) -> Result<Cow<'a, str>, Refusal> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Json(scalar @ (Json::Number(_) | Json::Bool(_))) => Ok(Cow::Owned(scalar.to_string())),
            Self::Json(_) => Err(Refusal::malformed(column, "a single value is expected, not a list or an object")),
        }
    }
}

impl Row<'_> {
    fn cell(&self, column: &str, mapping: &Mapping) -> Option<Cell<'_>> {
        let text = match self {
            Self::Fields(columns, fields) => fields.get(*columns.by_name.get(column)?)?,
            Self::Json(value) => match value.pointer(column)? {
                Json::Null => return None,
                Json::String(text) => text,
                other => return Some(Cell::Json(other)),
            },
        };
        present(text, mapping).map(Cell::Text)
    }

    /// Whether a cell that stands for nothing says so by a word, and not by being empty.
    fn is_null_word(&self, column: &str) -> bool {
        let text = match self {
            Self::Fields(columns, fields) => columns.by_name.get(column).and_then(|index| fields.get(*index)),
            Self::Json(value) => match value.pointer(column) {
                Some(Json::String(text)) => Some(text),
                _ => None,
            },
        };
        text.is_some_and(|text| !text.trim().is_empty() && names_nothing(text))
    }

    fn text(&self, column: &str, mapping: &Mapping) -> Result<Option<Cow<'_, str>>, Refusal> {
        self.cell(column, mapping).map(|cell| cell.text(column)).transpose()
    }
}

/// A text as the mapping takes it; none where it stands for nothing.
fn present<'a>(text: &'a str, mapping: &Mapping) -> Option<&'a str> {
    let text = if mapping.trim { text.trim() } else { text };
    let is_nothing = match &mapping.null_tokens {
        Some(tokens) => tokens.iter().any(|token| token == text),
        None => names_nothing(text),
    };
    (!is_nothing).then_some(text)
}

/// The scope of a row; none where the mapping has none.
pub(super) fn scope(row: &Row<'_>, mapping: &Mapping) -> Result<Option<Scope>, Refusal> {
    let mut dimensions = Vec::with_capacity(mapping.scope.len());
    for (name, dimension) in &mapping.scope {
        let value = match (&dimension.column, &dimension.value) {
            (Some(column), _) => row.text(column, mapping)?.filter(|text| !text.is_empty()).ok_or_else(|| {
                let message = format!("the row does not say its {name}, so it belongs to no scope");
                Refusal::malformed(column, message).with_code(FindingCode::OutOfScope)
            })?,
            (None, value) => Cow::Borrowed(value.as_deref().unwrap_or_default()),
        };
        dimensions.push((name.as_str(), value));
    }
    let dimensions: Vec<(&str, &str)> = dimensions.iter().map(|(name, value)| (*name, &**value)).collect();
    Ok((!dimensions.is_empty()).then(|| Scope::of(&dimensions)))
}

/// Reads a row.
pub(super) fn read(row: &Row<'_>, mapping: &Mapping, position: &Position) -> Result<(Said, Vec<Finding>), Refusal> {
    let Named { key: source_key, name } = named(row, mapping, &mapping.class, &mapping.key, None)?;
    let mut observation = Observation::new(source_key.clone(), &mapping.class, position.clone());
    let text = |column: &Option<String>| match column {
        Some(column) => row.text(column, mapping),
        None => Ok(None),
    };
    observation.name = Some(text(&mapping.name)?.map_or(name, |name| name.as_ref().into()));
    observation.native_id = text(&mapping.native_id)?.map(|id| id.as_ref().into());
    observation.lifecycle = word(text(&mapping.lifecycle)?, mapping.lifecycle.as_deref())?;
    observation.criticality = word(text(&mapping.criticality)?, mapping.criticality.as_deref())?;
    let mut findings = Vec::new();
    for (name, attribute) in &mapping.attributes {
        let Some(cell) = row.cell(&attribute.column, mapping) else { continue };
        let value = value(&cell, attribute)?;
        if redaction::is_secret_name(name) {
            let finding = Finding::new(FindingCode::Redacted, position.clone(), "a secret was left out");
            findings.push(finding.in_field(&attribute.column));
            continue;
        }
        observation.attributes.insert(Symbol::new(name), value);
    }
    if let Some((field, reason)) = keelson_importer::rows::beyond_limit(&observation) {
        return Err(Refusal::malformed(&field, reason).with_code(FindingCode::LimitExceeded));
    }
    let mut said = Said::default();
    for relation in &mapping.relations {
        said.relationships.extend(relationships(row, mapping, relation, &source_key, position, &mut findings)?);
    }
    said.observations.push(observation);
    Ok((said, findings))
}

/// One of a closed list of words.
fn word<T: std::str::FromStr<Err = String>>(
    text: Option<Cow<'_, str>>,
    column: Option<&str>,
) -> Result<Option<T>, Refusal> {
    let read =
        |text: Cow<'_, str>| text.parse().map_err(|reason: String| Refusal::malformed(column.unwrap_or(""), reason));
    text.map(read).transpose()
}

/// What a row or a target is known by.
struct Named {
    /// Its class and its key columns.
    key: SourceKey,
    /// Its key columns alone, so that in the catalogue it is called `class/name`, as by others.
    name: Arc<str>,
}

/// Names a row or a target by its key columns. `split` stands for one of several values of a column.
fn named(
    row: &Row<'_>,
    mapping: &Mapping,
    class: &str,
    columns: &[String],
    split: Option<(&str, &str)>,
) -> Result<Named, Refusal> {
    let mut key = class.to_owned();
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let part = match split {
            Some((of, part)) if of == column => Some(Cow::Borrowed(part)),
            _ => row.text(column, mapping)?,
        };
        let part = part.filter(|part| !names_nothing(part)).ok_or_else(|| {
            let message = format!("'{column}' is needed to identify the {class}, but there is nothing in it");
            Refusal::malformed(column, message).with_code(FindingCode::IdentityMissing)
        })?;
        key.push('/');
        if columns.len() == 1 {
            // Who writes the whole key means the same as who writes the name.
            let part = part.strip_prefix(class).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&part);
            key.push_str(part);
            names.push(part.to_owned());
        } else {
            key.push_str(&part.replace('%', "%25").replace('/', "%2F"));
            names.push(part.into_owned());
        }
    }
    let key = SourceKey::new(&key)
        .map_err(|error| Refusal::malformed(columns.first().map_or("", String::as_str), error.to_string()))?;
    Ok(Named { key, name: Arc::from(names.join("/")) })
}

/// The targets that a row names in a column; none for one that names nothing.
fn targets<'a>(cell: &Cell<'a>, mapping: &Mapping, relation: &Relation) -> Result<Vec<Option<Cow<'a, str>>>, Refusal> {
    let mut parts: Vec<Option<Cow<'a, str>>> = Vec::new();
    match (cell, &relation.separator) {
        (Cell::Text(text), Some(separator)) => {
            parts.extend(text.split(separator.as_str()).map(|part| present(part, mapping).map(Cow::Borrowed)));
        }
        (Cell::Json(Json::Array(items)), _) => {
            for item in items {
                parts.push(match item {
                    Json::Null => None,
                    Json::String(text) => present(text, mapping).map(Cow::Borrowed),
                    other => Some(Cell::Json(other).text(&relation.column)?),
                });
            }
        }
        _ => parts.push(Some(cell.text(&relation.column)?)),
    }
    Ok(parts.into_iter().map(|part| part.filter(|part| !names_nothing(part))).collect())
}

fn relationships(
    row: &Row<'_>,
    mapping: &Mapping,
    relation: &Relation,
    this: &SourceKey,
    position: &Position,
    findings: &mut Vec<Finding>,
) -> Result<Vec<RelationshipObservation>, Refusal> {
    let parts = match row.cell(&relation.column, mapping) {
        Some(cell) => targets(&cell, mapping, relation)?,
        // A word for nothing is worth a finding, unless the mapping says that it is one.
        None if mapping.null_tokens.is_none() && row.is_null_word(&relation.column) => vec![None],
        None => Vec::new(),
    };
    let mut stated = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(part) = part else {
            let message = format!("one of the values of '{}' names nothing", relation.column);
            let finding = Finding::new(FindingCode::NullTarget, position.clone(), message);
            findings.push(finding.about(this.as_str()).in_field(&relation.column));
            continue;
        };
        let split = Some((relation.column.as_str(), &*part));
        let Named { key, name } = named(row, mapping, &relation.target.class, &relation.target.key, split)?;
        let class = Some(Symbol::new(&relation.target.class));
        let target = CiRef::Source { key, class, name: Some(name) };
        let this = CiRef::of_class(this.clone(), &mapping.class);
        let (dependent, dependency) = match relation.this_row {
            End::Dependent => (this, target),
            End::Dependency => (target, this),
        };
        let mut relationship = RelationshipObservation::new(&relation.kind, dependent, dependency, position.clone());
        relationship.source_type = Some(Symbol::new(&relation.column));
        stated.push(relationship);
    }
    Ok(stated)
}

fn value(cell: &Cell<'_>, attribute: &Attribute) -> Result<Json, Refusal> {
    let column = attribute.column.as_str();
    let Some(kind) = attribute.kind else {
        return Ok(match cell {
            Cell::Text(text) => Json::from(*text),
            Cell::Json(value) => (*value).clone(),
        });
    };
    if let (Kind::List, Cell::Json(list @ Json::Array(_))) = (kind, cell) {
        return Ok((*list).clone());
    }
    let text = cell.text(column)?;
    let trimmed = text.trim();
    let wrong = |expected: &str| {
        let shown: String = trimmed.chars().take(60).collect();
        Refusal::malformed(column, format!("'{shown}' is not {expected}"))
    };
    match kind {
        Kind::String => Ok(Json::from(&*text)),
        Kind::Integer => trimmed.parse::<i64>().map(Json::from).map_err(|_| wrong("a whole number")),
        Kind::Decimal => {
            let number: serde_json::Number =
                serde_json::from_str(trimmed).map_err(|_| wrong("a number written like 1234.5"))?;
            Ok(match &attribute.unit {
                Some(unit) => serde_json::json!({ "value": number, "unit": unit }),
                None => Json::Number(number),
            })
        }
        Kind::Boolean => {
            let is = |words: &[String], usual: &str| {
                if words.is_empty() { trimmed == usual } else { words.iter().any(|word| word == trimmed) }
            };
            match (is(&attribute.yes, "true"), is(&attribute.no, "false")) {
                (true, false) => Ok(Json::Bool(true)),
                (false, true) => Ok(Json::Bool(false)),
                _ => Err(wrong("one of the words for yes and no")),
            }
        }
        Kind::DateTime => {
            let read = DateTime::parse_from_rfc3339(trimmed);
            read.map(|_| Json::from(trimmed)).map_err(|_| wrong("a time with its zone, like 2026-11-01T00:00:00Z"))
        }
        Kind::List => {
            let separator = attribute.separator.as_deref().unwrap_or(";");
            let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
            Ok(Json::Array(parts.map(Json::from).collect()))
        }
    }
}
