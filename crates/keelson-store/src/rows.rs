//! Records as rows and back. Row shapes are private to this crate.

use keelson_model::{CiId, ConfigurationItem, Need, RecordChange, Relationship, RelationshipKey, Revision};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use surrealdb::types::{Array, Object, RecordId, RecordIdKey, SurrealValue, Value};

use crate::StoreError;

/// The tables that hold current state, in the order in which they are written.
pub(crate) const TABLES: [&str; 6] = ["ci", "relationship", "need", "scope_state", "import_run", "review_task"];

/// Rows to write, by table in the order of [`TABLES`].
#[derive(Default)]
pub(crate) struct Rows([Vec<Value>; 6]);

impl Rows {
    /// Adds the row a change leads to.
    pub(crate) fn add(&mut self, change: &RecordChange, revision: Revision) -> Result<(), StoreError> {
        if let Some((table, row)) = row(change, revision)? {
            self.0[table].push(row);
        }
        Ok(())
    }

    /// The rows with the name of their table and the statement that writes them.
    pub(crate) fn into_tables(self) -> impl Iterator<Item = (&'static str, &'static str, Vec<Value>)> {
        TABLES.into_iter().zip(STATEMENTS).zip(self.0).map(|((table, statement), rows)| (table, statement, rows))
    }
}

/// Idempotent writes of rows, one statement a table; `$rows` is bound.
const STATEMENTS: [&str; 6] = [
    "INSERT INTO ci $rows ON DUPLICATE KEY UPDATE key = $input.key, class = $input.class, name = $input.name, \
     standing = $input.standing, lifecycle = $input.lifecycle, criticality = $input.criticality, \
     version = $input.version, revision = $input.revision, attributes = $input.attributes, claims = $input.claims, \
     merged = $input.merged, succeeds = $input.succeeds, withdrawn_at = $input.withdrawn_at RETURN NONE",
    "INSERT RELATION INTO relationship $rows ON DUPLICATE KEY UPDATE kind = $input.kind, \
     standing = $input.standing, version = $input.version, revision = $input.revision, claims = $input.claims, \
     withdrawn_at = $input.withdrawn_at RETURN NONE",
    "INSERT INTO need $rows ON DUPLICATE KEY UPDATE dependent = $input.dependent, name = $input.name, \
     standing = $input.standing, version = $input.version, revision = $input.revision, \
     definition = $input.definition, claims = $input.claims, withdrawn_at = $input.withdrawn_at RETURN NONE",
    "INSERT INTO scope_state $rows ON DUPLICATE KEY UPDATE record = $input.record, revision = $input.revision RETURN NONE",
    "INSERT INTO import_run $rows ON DUPLICATE KEY UPDATE record = $input.record, revision = $input.revision RETURN NONE",
    "INSERT INTO review_task $rows ON DUPLICATE KEY UPDATE record = $input.record, revision = $input.revision RETURN NONE",
];

/// Table (its place in [`TABLES`]) and row of the record a change leads to.
fn row(change: &RecordChange, revision: Revision) -> Result<Option<(usize, Value)>, StoreError> {
    let made = match change {
        RecordChange::Ci(change) => change.after.as_ref().map(|ci| Ok((0, ci_row(ci, revision)?))),
        RecordChange::Relationship(change) => {
            change.after.as_ref().map(|relationship| Ok((1, relationship_row(relationship, revision)?)))
        }
        RecordChange::Need(change) => change.after.as_ref().map(|need| Ok((2, need_row(need, revision)?))),
        RecordChange::Scope(change) => change.after.as_ref().map(|state| {
            let key = texts(&[&state.source, state.scope.as_str()]);
            Ok((3, record_row(RecordId::new("scope_state", key), &**state, revision)?))
        }),
        RecordChange::Run(change) => change
            .after
            .as_ref()
            .map(|run| Ok((4, record_row(RecordId::new("import_run", run.batch.to_string()), &**run, revision)?))),
        RecordChange::Review(change) => change
            .after
            .as_ref()
            .map(|task| Ok((5, record_row(RecordId::new("review_task", task.id.to_string()), &**task, revision)?))),
    };
    made.transpose()
}

fn texts(parts: &[&str]) -> Array {
    Array::from(parts.iter().map(|part| Value::String((*part).to_owned())).collect::<Vec<_>>())
}

fn to_json(what: &impl Serialize) -> Result<Json, StoreError> {
    serde_json::to_value(what).map_err(|error| StoreError::Inconsistent {
        table: "row",
        record: String::new(),
        reason: error.to_string(),
    })
}

/// An object of the present fields, with typed record ids put in afterwards.
fn object(fields: Json) -> Object {
    let mut object = Object::new();
    if let Json::Object(fields) = fields {
        for (name, value) in fields {
            if !value.is_null() {
                object.insert(name, value);
            }
        }
    }
    object
}

fn ci_id(id: CiId) -> RecordId {
    RecordId::new("ci", id.to_string())
}

fn ci_row(ci: &ConfigurationItem, revision: Revision) -> Result<Value, StoreError> {
    let facts = ci.facts();
    let attributes: serde_json::Map<String, Json> =
        facts.attributes.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
    let mut row = object(json!({
        "key": ci.key,
        "class": ci.class,
        "name": ci.name(),
        "standing": ci.standing,
        "lifecycle": ci.lifecycle(),
        "criticality": facts.criticality,
        "version": ci.version,
        "revision": revision,
        "attributes": attributes,
        "claims": to_json(&ci.claims)?,
        "merged": to_json(&ci.merged)?,
        "succeeds": ci.succeeds,
        "withdrawn_at": ci.withdrawn_at,
    }));
    row.insert("id", ci_id(ci.id));
    Ok(Value::Object(row))
}

fn relationship_row(relationship: &Relationship, revision: Revision) -> Result<Value, StoreError> {
    let RelationshipKey { dependent, kind, dependency } = &relationship.key;
    let mut row = object(json!({
        "kind": kind,
        "standing": relationship.standing,
        "version": relationship.version,
        "revision": revision,
        "claims": to_json(&relationship.claims)?,
        "withdrawn_at": relationship.withdrawn_at,
    }));
    let key = texts(&[&dependent.to_string(), kind, &dependency.to_string()]);
    row.insert("id", RecordId::new("relationship", key));
    row.insert("in", ci_id(*dependent));
    row.insert("out", ci_id(*dependency));
    Ok(Value::Object(row))
}

fn need_row(need: &Need, revision: Revision) -> Result<Value, StoreError> {
    let mut row = object(json!({
        "name": need.name,
        "standing": need.standing,
        "version": need.version,
        "revision": revision,
        "definition": to_json(&need.definition)?,
        "claims": to_json(&need.claims)?,
        "withdrawn_at": need.withdrawn_at,
    }));
    row.insert("id", RecordId::new("need", need.id.to_string()));
    row.insert("dependent", ci_id(need.dependent));
    Ok(Value::Object(row))
}

fn record_row(id: RecordId, record: &impl Serialize, revision: Revision) -> Result<Value, StoreError> {
    let mut row = object(json!({ "record": to_json(record)?, "revision": revision }));
    row.insert("id", id);
    Ok(Value::Object(row))
}

/// A row read back as the record it was written from, in JSON, with the id it has in the store.
pub(crate) fn record_of(table: &'static str, row: Value) -> Result<(String, Json), StoreError> {
    let inconsistent = |record: &str, reason: &str| StoreError::Inconsistent {
        table,
        record: record.to_owned(),
        reason: reason.to_owned(),
    };
    let Value::Object(row) = row else { return Err(inconsistent("?", "is not an object")) };
    let mut row = row.into_inner();
    let Some(Value::RecordId(id)) = row.remove("id") else { return Err(inconsistent("?", "has no id")) };
    let key = match &id.key {
        RecordIdKey::String(key) => key.clone(),
        RecordIdKey::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part.as_string().map(String::as_str)).collect();
            texts.join(" ")
        }
        _ => return Err(inconsistent("?", "has an id of another form")),
    };
    let ends = key.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for left_out in ["revision", "in", "out"] {
        row.remove(left_out);
    }
    let dependent = match row.remove("dependent") {
        Some(Value::RecordId(id)) => match id.key {
            RecordIdKey::String(key) => Some(key),
            _ => None,
        },
        _ => None,
    };
    let plain = Value::Object(Object::from(row));
    let mut record = Json::from_value(plain).map_err(|error| inconsistent(&key, &error.to_string()))?;
    let Json::Object(fields) = &mut record else { return Err(inconsistent(&key, "is not an object")) };
    match table {
        "ci" => {
            for derived in ["name", "lifecycle", "criticality", "attributes"] {
                fields.remove(derived);
            }
            fields.insert("id".into(), json!(key));
        }
        "relationship" => {
            let [dependent, kind, dependency] = ends.as_slice() else {
                return Err(inconsistent(&key, "has an id that is not dependent, kind, dependency"));
            };
            fields.remove("kind");
            fields.insert("key".into(), json!({"dependent": dependent, "kind": kind, "dependency": dependency}));
        }
        "need" => {
            fields.insert("id".into(), json!(key));
            fields.insert("dependent".into(), json!(dependent));
        }
        _ => record = fields.remove("record").unwrap_or(Json::Null),
    }
    Ok((key, record))
}

/// Reads a record of a row.
pub(crate) fn parse<T: DeserializeOwned>(table: &'static str, key: &str, record: Json) -> Result<T, StoreError> {
    serde_json::from_value(record).map_err(|error| StoreError::Inconsistent {
        table,
        record: key.to_owned(),
        reason: error.to_string(),
    })
}
