//! The past of one record, and of the catalogue as a whole, newest first.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use keelson_answers::difference::{self, FieldChange, What};
use keelson_catalogue::{CiIx, LogRef, NeedIx, RelationshipIx};
use keelson_model::{BatchId, CommitHeader, Finding, RecordChange, Revision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Keelson, View};

/// A record whose past is asked for, by its number in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRef {
    /// A configuration item.
    Ci(CiIx),
    /// A relationship.
    Relationship(RelationshipIx),
    /// A need.
    Need(NeedIx),
}

/// A change of one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The commit.
    pub revision: Revision,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// When it was recorded, where that is not when it is dated: the past, loaded later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub actor: String,
    /// What made it.
    pub action: String,
    /// The source, for imports.
    pub source: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// The batch, for imports.
    pub batch: Option<String>,
    /// What happened to the record.
    pub what: What,
    /// The fields that changed.
    pub changes: Vec<FieldChange>,
}

impl Keelson {
    /// The changes of a record in a view, newest first, at most `most`, those before a revision if
    /// one is given. Reads the log; costs what the record has changed, not what the log is long.
    ///
    /// # Errors
    /// Fails as the store does.
    pub async fn history(
        &self,
        view: &View,
        subject: RecordRef,
        before: Option<Revision>,
        most: usize,
    ) -> Result<Vec<HistoryEntry>, Error> {
        let trail = trail(view, subject);
        let wanted = trail.into_iter().rev().filter(|at| before.is_none_or(|before| at.revision() < before));
        let mut headers: HashMap<Revision, CommitHeader> = HashMap::new();
        let mut entries = Vec::new();
        for at in wanted.take(most) {
            let revision = at.revision();
            let header = match headers.get(&revision) {
                Some(header) => header.clone(),
                None => {
                    let Some(header) = self.store().header(revision).await? else { continue };
                    headers.entry(revision).or_insert(header).clone()
                }
            };
            let changes = self.store().chunk(&header, at.chunk()).await?;
            let of_record = changes.iter().filter_map(|change| described(view, subject, change));
            entries.extend(of_record.map(|(what, changes)| entry(&header, what, changes)));
        }
        Ok(entries)
    }

    /// Commits, newest first, at most `most`, those before a revision if one is given.
    ///
    /// # Errors
    /// Fails as the store does.
    pub async fn commits(&self, before: Option<Revision>, most: usize) -> Result<Vec<CommitHeader>, Error> {
        let head = self.view().revision();
        let newest = before.map_or(head.0, |before| before.0.saturating_sub(1).min(head.0));
        let mut commits = Vec::new();
        for revision in (1..=newest).rev().take(most) {
            commits.extend(self.store().header(Revision(revision)).await?);
        }
        Ok(commits)
    }

    /// What an import noticed.
    ///
    /// # Errors
    /// Fails as the store does.
    pub async fn findings(&self, batch: BatchId) -> Result<Vec<Finding>, Error> {
        Ok(self.store().findings(batch).await?)
    }
}

fn trail(view: &View, subject: RecordRef) -> Vec<LogRef> {
    let catalogue = &view.catalogue;
    match subject {
        RecordRef::Ci(ix) => catalogue.slot(ix).trail.to_vec(),
        RecordRef::Relationship(ix) => catalogue.relationship(ix).trail.to_vec(),
        RecordRef::Need(ix) => catalogue.need(ix).trail.to_vec(),
    }
}

/// What a change did to the record, if it is about that record.
fn described(view: &View, subject: RecordRef, change: &RecordChange) -> Option<(What, Vec<FieldChange>)> {
    let catalogue = &view.catalogue;
    match (subject, change) {
        (RecordRef::Ci(ix), RecordChange::Ci(change)) => {
            let id = change.after.as_ref().or(change.before.as_ref())?.id;
            (catalogue.ci(ix).id == id).then(|| difference::of_ci(change.before.as_deref(), change.after.as_deref()))
        }
        (RecordRef::Relationship(ix), RecordChange::Relationship(change)) => {
            let record = change.after.as_ref().or(change.before.as_ref())?;
            (catalogue.relationship(ix).relationship.key == record.key)
                .then(|| difference::of_relationship(change.before.as_deref(), change.after.as_deref()))
        }
        (RecordRef::Need(ix), RecordChange::Need(change)) => {
            let record = change.after.as_ref().or(change.before.as_ref())?;
            (catalogue.need(ix).need.id == record.id)
                .then(|| difference::of_need(change.before.as_deref(), change.after.as_deref()))
        }
        _ => None,
    }
}

fn entry(header: &CommitHeader, what: What, changes: Vec<FieldChange>) -> HistoryEntry {
    let text = |text: &Option<std::sync::Arc<str>>| text.as_ref().map(ToString::to_string);
    HistoryEntry {
        revision: header.revision,
        at: header.at,
        recorded_at: header.recorded_at,
        actor: header.actor.to_string(),
        action: header.action.to_string(),
        source: text(&header.source),
        reason: text(&header.reason),
        batch: header.batch.map(|batch| batch.to_string()),
        what,
        changes,
    }
}
