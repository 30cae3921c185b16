//! Records as rows. Row shapes are private to this crate.
//!
//! A row holds its record whole, as the JSON text that stands in the log, and beside it the few
//! columns that SurrealQL users filter by. The text keeps every number exactly, which the engine's
//! own numbers would not; and a row of few, flat fields costs the engine a third of a nested one.

use std::collections::HashSet;

use keelson_model::{
    Baseline, CalendarEntry, ChangeTemplate, CiId, ConfigurationItem, Digest, Disruption, ImportRun, Need,
    RecordChange, Relationship, RequestForChange, ReviewTask, Revision, ScopeState, SeriesBatch,
};
use serde::Serialize;
use serde_json::Value as Json;
use surrealdb::types::{Array, Object, RecordId, RecordIdKey, Value};

use crate::StoreError;

/// The tables that hold current state, in the order in which they are written.
pub(crate) const TABLES: [&str; 12] = [
    "ci",
    "relationship",
    "need",
    "scope_state",
    "import_run",
    "review_task",
    "request_for_change",
    "change_template",
    "calendar_entry",
    "disruption",
    "baseline",
    "series_batch",
];

/// Writes rows that did not exist before. A row that is there already was written by the same
/// commit before it was cut off; `$rows` is bound.
const CREATE: [&str; 12] = [
    "INSERT IGNORE INTO ci $rows RETURN NONE",
    "INSERT RELATION IGNORE INTO relationship $rows RETURN NONE",
    "INSERT IGNORE INTO need $rows RETURN NONE",
    "INSERT IGNORE INTO scope_state $rows RETURN NONE",
    "INSERT IGNORE INTO import_run $rows RETURN NONE",
    "INSERT IGNORE INTO review_task $rows RETURN NONE",
    "INSERT IGNORE INTO request_for_change $rows RETURN NONE",
    "INSERT IGNORE INTO change_template $rows RETURN NONE",
    "INSERT IGNORE INTO calendar_entry $rows RETURN NONE",
    "INSERT IGNORE INTO disruption $rows RETURN NONE",
    "INSERT IGNORE INTO baseline $rows RETURN NONE",
    "INSERT IGNORE INTO series_batch $rows RETURN NONE",
];

/// Writes rows whether they existed or not. Costs twice what [`CREATE`] does, because the engine
/// evaluates the assignments even where it does not need them.
const REPLACE: [&str; 12] = [
    "INSERT INTO ci $rows ON DUPLICATE KEY UPDATE key = $input.key, class = $input.class, name = $input.name, \
     standing = $input.standing, lifecycle = $input.lifecycle, criticality = $input.criticality, \
     version = $input.version, revision = $input.revision, attributes = $input.attributes, record = $input.record \
     RETURN NONE",
    "INSERT RELATION INTO relationship $rows ON DUPLICATE KEY UPDATE kind = $input.kind, \
     standing = $input.standing, revision = $input.revision, record = $input.record RETURN NONE",
    "INSERT INTO need $rows ON DUPLICATE KEY UPDATE dependent = $input.dependent, name = $input.name, \
     standing = $input.standing, revision = $input.revision, record = $input.record RETURN NONE",
    "INSERT INTO scope_state $rows ON DUPLICATE KEY UPDATE revision = $input.revision, record = $input.record RETURN NONE",
    "INSERT INTO import_run $rows ON DUPLICATE KEY UPDATE outcome = $input.outcome, revision = $input.revision, \
     record = $input.record RETURN NONE",
    "INSERT INTO review_task $rows ON DUPLICATE KEY UPDATE state = $input.state, revision = $input.revision, \
     record = $input.record RETURN NONE",
    "INSERT INTO request_for_change $rows ON DUPLICATE KEY UPDATE state = $input.state, starts = $input.starts, \
     ends = $input.ends, revision = $input.revision, record = $input.record RETURN NONE",
    "INSERT INTO change_template $rows ON DUPLICATE KEY UPDATE revision = $input.revision, record = $input.record \
     RETURN NONE",
    "INSERT INTO calendar_entry $rows ON DUPLICATE KEY UPDATE kind = $input.kind, name = $input.name, \
     revision = $input.revision, record = $input.record RETURN NONE",
    "INSERT INTO disruption $rows ON DUPLICATE KEY UPDATE revision = $input.revision, record = $input.record RETURN NONE",
    "INSERT INTO baseline $rows ON DUPLICATE KEY UPDATE revision = $input.revision, record = $input.record RETURN NONE",
    "INSERT INTO series_batch $rows ON DUPLICATE KEY UPDATE revision = $input.revision, record = $input.record RETURN NONE",
];

/// One statement with the rows it writes.
pub(crate) struct Statement {
    /// A name that no other statement of the same [`Rows`] has.
    pub(crate) name: String,
    pub(crate) text: &'static str,
    pub(crate) rows: Vec<Value>,
}

/// Rows to write: for each of [`TABLES`] those that are new and those that replace others.
#[derive(Default)]
pub(crate) struct Rows([[Vec<Value>; 2]; TABLES.len()]);

impl Rows {
    /// The rows that changes of one revision lead to.
    pub(crate) fn of<'a>(
        changes: impl IntoIterator<Item = &'a RecordChange>,
        revision: Revision,
    ) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for change in changes {
            let Some(record) = Record::after(change) else { continue };
            rows.0[record.table()][usize::from(!is_new(change))].push(record.row(revision)?);
        }
        Ok(rows)
    }

    /// Rows by the places of their tables, whether or not there are others in their place.
    pub(crate) fn replacing(rows: impl IntoIterator<Item = (usize, Value)>) -> Self {
        let mut replacing = Self::default();
        for (table, row) in rows {
            replacing.0[table][1].push(row);
        }
        replacing
    }

    /// The statements that write them; all are idempotent.
    pub(crate) fn into_statements(self) -> impl Iterator<Item = Statement> {
        let tables = self.0.into_iter().enumerate();
        let statements = tables.flat_map(|(at, [new, replaced])| {
            let statement = |kind: &str, text, rows| Statement { name: format!("{kind}_{}", TABLES[at]), text, rows };
            [statement("new", CREATE[at], new), statement("replaced", REPLACE[at], replaced)]
        });
        statements.filter(|statement| !statement.rows.is_empty())
    }
}

/// Whether a change makes a record that did not exist before.
fn is_new(change: &RecordChange) -> bool {
    match change {
        RecordChange::Ci(change) => change.before.is_none(),
        RecordChange::Relationship(change) => change.before.is_none(),
        RecordChange::Need(change) => change.before.is_none(),
        RecordChange::Scope(change) => change.before.is_none(),
        RecordChange::Run(change) => change.before.is_none(),
        RecordChange::Review(change) => change.before.is_none(),
        RecordChange::Request(change) => change.before.is_none(),
        RecordChange::Template(change) => change.before.is_none(),
        RecordChange::Calendar(change) => change.before.is_none(),
        RecordChange::Disruption(change) => change.before.is_none(),
        RecordChange::Baseline(change) => change.before.is_none(),
        RecordChange::Series(change) => change.before.is_none(),
    }
}

/// Places of the changes whose row a later change of the same commit replaces, so that the rows of
/// one commit can be written in any order.
pub(crate) fn superseded(changes: &[RecordChange]) -> HashSet<usize> {
    let mut seen = HashSet::new();
    let mut superseded = HashSet::new();
    for (at, change) in changes.iter().enumerate().rev() {
        // A row that is new is never written over another, so it does not matter when it comes.
        if !is_new(change)
            && let Some(record) = Record::after(change)
            && !seen.insert((record.table(), record.key()))
        {
            superseded.insert(at);
        }
    }
    superseded
}

/// A record of any sort, borrowed.
#[derive(Clone, Copy)]
pub(crate) enum Record<'a> {
    Ci(&'a ConfigurationItem),
    Relationship(&'a Relationship),
    Need(&'a Need),
    Scope(&'a ScopeState),
    Run(&'a ImportRun),
    Review(&'a ReviewTask),
    Request(&'a RequestForChange),
    Template(&'a ChangeTemplate),
    Calendar(&'a CalendarEntry),
    Disruption(&'a Disruption),
    Baseline(&'a Baseline),
    Series(&'a SeriesBatch),
}

impl<'a> Record<'a> {
    /// The record a change leads to.
    pub(crate) fn after(change: &'a RecordChange) -> Option<Self> {
        match change {
            RecordChange::Ci(change) => change.after.as_deref().map(Self::Ci),
            RecordChange::Relationship(change) => change.after.as_deref().map(Self::Relationship),
            RecordChange::Need(change) => change.after.as_deref().map(Self::Need),
            RecordChange::Scope(change) => change.after.as_deref().map(Self::Scope),
            RecordChange::Run(change) => change.after.as_deref().map(Self::Run),
            RecordChange::Review(change) => change.after.as_deref().map(Self::Review),
            RecordChange::Request(change) => change.after.as_deref().map(Self::Request),
            RecordChange::Template(change) => change.after.as_deref().map(Self::Template),
            RecordChange::Calendar(change) => change.after.as_deref().map(Self::Calendar),
            RecordChange::Disruption(change) => change.after.as_deref().map(Self::Disruption),
            RecordChange::Baseline(change) => change.after.as_deref().map(Self::Baseline),
            RecordChange::Series(change) => change.after.as_deref().map(Self::Series),
        }
    }

    /// The place of its table in [`TABLES`].
    pub(crate) fn table(&self) -> usize {
        match self {
            Self::Ci(_) => 0,
            Self::Relationship(_) => 1,
            Self::Need(_) => 2,
            Self::Scope(_) => 3,
            Self::Run(_) => 4,
            Self::Review(_) => 5,
            Self::Request(_) => 6,
            Self::Template(_) => 7,
            Self::Calendar(_) => 8,
            Self::Disruption(_) => 9,
            Self::Baseline(_) => 10,
            Self::Series(_) => 11,
        }
    }

    /// Its id within the table, in words.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Ci(ci) => ci.id.to_string(),
            Self::Relationship(Relationship { key, .. }) => {
                format!("{} {} {}", key.dependent, key.kind, key.dependency)
            }
            Self::Need(need) => need.id.to_string(),
            Self::Scope(state) => format!("{} {}", state.source, state.scope),
            Self::Run(run) => run.batch.to_string(),
            Self::Review(task) => task.id.to_string(),
            Self::Request(request) => request.id.to_string(),
            Self::Template(template) => template.name.to_string(),
            Self::Calendar(entry) => entry.id.to_string(),
            Self::Disruption(disruption) => disruption.id.to_string(),
            Self::Baseline(baseline) => baseline.id.to_string(),
            Self::Series(batch) => batch.id.to_string(),
        }
    }

    pub(crate) fn id(&self) -> RecordId {
        let table = TABLES[self.table()];
        match self {
            Self::Relationship(Relationship { key, .. }) => {
                RecordId::new(table, texts(&[&key.dependent.to_string(), &key.kind, &key.dependency.to_string()]))
            }
            Self::Scope(state) => RecordId::new(table, texts(&[&state.source, state.scope.as_str()])),
            _ => RecordId::new(table, self.key()),
        }
    }

    /// The record as JSON text, as it stands in the log.
    pub(crate) fn text(&self) -> Result<String, StoreError> {
        fn text(what: &impl Serialize) -> serde_json::Result<String> {
            serde_json::to_string(what)
        }
        let made = match self {
            Self::Ci(record) => text(record),
            Self::Relationship(record) => text(record),
            Self::Need(record) => text(record),
            Self::Scope(record) => text(record),
            Self::Run(record) => text(record),
            Self::Review(record) => text(record),
            Self::Request(record) => text(record),
            Self::Template(record) => text(record),
            Self::Calendar(record) => text(record),
            Self::Disruption(record) => text(record),
            Self::Baseline(record) => text(record),
            Self::Series(record) => text(record),
        };
        made.map_err(|error| StoreError::Inconsistent {
            table: TABLES[self.table()],
            record: self.key(),
            reason: error.to_string(),
        })
    }

    /// The record's row after a commit.
    pub(crate) fn row(&self, revision: Revision) -> Result<Value, StoreError> {
        let mut row = Object::new();
        row.insert("id", self.id());
        row.insert("revision", i64::try_from(revision.0).unwrap_or(i64::MAX));
        row.insert("record", self.text()?);
        match self {
            Self::Ci(ci) => {
                let facts = ci.facts();
                let attributes: serde_json::Map<String, Json> =
                    facts.attributes.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
                row.insert("key", ci.key.as_str());
                row.insert("class", ci.class.as_str());
                row.insert("name", ci.name());
                row.insert("standing", ci.standing.as_str());
                row.insert("lifecycle", ci.lifecycle().as_str());
                if let Some(criticality) = facts.criticality {
                    row.insert("criticality", criticality.as_str());
                }
                row.insert("version", i64::from(ci.version));
                row.insert("attributes", Json::Object(attributes));
            }
            Self::Relationship(relationship) => {
                row.insert("in", ci_id(relationship.key.dependent));
                row.insert("out", ci_id(relationship.key.dependency));
                row.insert("kind", relationship.key.kind.as_str());
                row.insert("standing", relationship.standing.as_str());
            }
            Self::Need(need) => {
                row.insert("dependent", ci_id(need.dependent));
                row.insert("name", &*need.name);
                row.insert("standing", need.standing.as_str());
            }
            Self::Scope(_) => {}
            Self::Run(run) => {
                row.insert("outcome", run.outcome.as_str());
            }
            Self::Review(task) => {
                row.insert("state", task.state.as_str());
            }
            Self::Request(request) => {
                row.insert("key", &*request.key);
                row.insert("state", request.state.as_str());
                if let Some(window) = request.window {
                    row.insert("starts", Value::Datetime(window.start().into()));
                    row.insert("ends", Value::Datetime(window.end().into()));
                }
            }
            Self::Calendar(entry) => {
                row.insert("kind", entry.kind.as_str());
                row.insert("name", &*entry.name);
            }
            Self::Disruption(disruption) => {
                row.insert("ci", ci_id(disruption.ci));
            }
            Self::Baseline(baseline) => {
                row.insert("name", &*baseline.name);
            }
            Self::Series(batch) => {
                row.insert("source", batch.source.as_str());
            }
            Self::Template(_) => {}
        }
        Ok(Value::Object(row))
    }
}

fn texts(parts: &[&str]) -> Array {
    Array::from(parts.iter().map(|part| Value::String((*part).to_owned())).collect::<Vec<_>>())
}

fn ci_id(id: CiId) -> RecordId {
    RecordId::new("ci", id.to_string())
}

/// The id of a row in words, as [`Record::key`] has it, and the digest of the whole row.
pub(crate) fn fingerprint(table: &'static str, row: &Value) -> Result<(String, Digest), StoreError> {
    let inconsistent = |reason: &str| StoreError::Inconsistent { table, record: "?".into(), reason: reason.to_owned() };
    let Value::Object(fields) = row else { return Err(inconsistent("is not an object")) };
    let Some(Value::RecordId(id)) = fields.get("id") else { return Err(inconsistent("has no id")) };
    let key = match &id.key {
        RecordIdKey::String(key) => key.clone(),
        RecordIdKey::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part.as_string().map(String::as_str)).collect();
            texts.join(" ")
        }
        _ => return Err(inconsistent("has an id of another form")),
    };
    // The engine keeps the fields of an object in order of their names, so equal rows print alike.
    Ok((key, Digest::of(format!("{row:?}").as_bytes())))
}
