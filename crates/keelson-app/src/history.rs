//! The past of one record, and of the catalogue as a whole, newest first.

use std::cmp::Reverse;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_answers::difference::{self, FieldChange, What};
use keelson_catalogue::{CiIx, LogRef, NeedIx, RelationshipIx};
use keelson_model::{
    BatchId, CalendarEntryId, Change, ChangeId, CommitHeader, DisruptionId, Finding, RecordChange, Revision, Standing,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Keelson, View};

/// A record whose past is asked for, by its number in the catalogue or its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordRef {
    /// A configuration item.
    Ci(CiIx),
    /// A relationship.
    Relationship(RelationshipIx),
    /// A need.
    Need(NeedIx),
    /// A request for change.
    Request(ChangeId),
    /// A template of standard changes, by name.
    Template(Arc<str>),
    /// A freeze or maintenance window.
    Calendar(CalendarEntryId),
    /// Something that is or was down.
    Disruption(DisruptionId),
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
    /// Which record changed: `item`, or as the item sees it `relationship uses -> database/dbA`,
    /// `relationship uses <- service/payments`, `need web pool`, `need web pool of service/payments`.
    pub record: String,
    /// What happened to the record.
    pub what: What,
    /// The fields that changed.
    pub changes: Vec<FieldChange>,
}

/// What hangs on a configuration item: itself, its relationships and needs, and the needs it is a
/// member of, withdrawn ones included.
fn records_of(view: &View, ix: CiIx) -> Vec<RecordRef> {
    let slot = view.catalogue.slot(ix);
    let relationships = slot.dependencies.iter().chain(&slot.dependents).map(|ix| RecordRef::Relationship(*ix));
    let needs = slot.needs.iter().chain(&slot.member_of).map(|ix| RecordRef::Need(*ix));
    std::iter::once(RecordRef::Ci(ix)).chain(relationships).chain(needs).collect()
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
        Ok(self.record_history(view, subject, before, most).await?.1)
    }

    /// As [`Keelson::history`], and how many changes there are in all.
    ///
    /// # Errors
    /// Fails as the store does.
    pub async fn record_history(
        &self,
        view: &View,
        subject: RecordRef,
        before: Option<Revision>,
        most: usize,
    ) -> Result<(usize, Vec<HistoryEntry>), Error> {
        let item = match &subject {
            RecordRef::Ci(ix) => Some(*ix),
            RecordRef::Relationship(ix) => Some(view.catalogue.relationship(*ix).dependent),
            RecordRef::Need(ix) => Some(view.catalogue.need(*ix).dependent),
            _ => None,
        };
        self.changes(view, item, &[subject], before, most).await
    }

    /// The changes of a configuration item and of what hangs on it (its relationships, its needs, and
    /// the needs it is a member of), newest first, at most `most`, those before a revision if one is
    /// given; and how many there are in all. Costs what hangs on the item and the changes listed, not
    /// what the log is long.
    ///
    /// # Errors
    /// Fails as the store does.
    pub async fn item_history(
        &self,
        view: &View,
        ix: CiIx,
        before: Option<Revision>,
        most: usize,
    ) -> Result<(usize, Vec<HistoryEntry>), Error> {
        self.changes(view, Some(ix), &records_of(view, ix), before, most).await
    }

    async fn changes(
        &self,
        view: &View,
        item: Option<CiIx>,
        subjects: &[RecordRef],
        before: Option<Revision>,
        most: usize,
    ) -> Result<(usize, Vec<HistoryEntry>), Error> {
        let mut trails: Vec<(Reverse<LogRef>, &RecordRef)> = Vec::new();
        for subject in subjects {
            trails.extend(trail(view, subject).iter().map(|at| (Reverse(*at), subject)));
        }
        trails.sort_unstable();
        trails.dedup();
        let total = trails.len();
        trails.retain(|(at, _)| before.is_none_or(|before| at.0.revision() < before));
        trails.truncate(most);
        let mut header: Option<CommitHeader> = None;
        let mut entries = Vec::new();
        for of_chunk in trails.chunk_by(|a, b| a.0 == b.0) {
            let at = of_chunk[0].0.0;
            if header.as_ref().is_none_or(|header| header.revision != at.revision()) {
                header = self.store().header(at.revision()).await?;
            }
            let Some(header) = &header else { continue };
            let changes = self.store().chunk(header, at.chunk()).await?;
            for (_, subject) in of_chunk {
                let of_record = changes.iter().filter_map(|change| described(view, subject, change));
                let name = || name(view, item, subject);
                entries.extend(of_record.map(|(what, changes)| entry(header, name(), what, changes)));
            }
        }
        Ok((total, entries))
    }

    /// The change of a record in a chunk of the log, with its commit: the first of that chunk, or the last.
    pub(crate) async fn change_at(
        &self,
        view: &View,
        subject: &RecordRef,
        at: LogRef,
        first: bool,
    ) -> Result<Option<(CommitHeader, RecordChange)>, Error> {
        let Some(header) = self.store().header(at.revision()).await? else { return Ok(None) };
        let changes = self.store().chunk(&header, at.chunk()).await?;
        let mut own = changes.into_iter().filter(|change| described(view, subject, change).is_some());
        let found = if first { own.next() } else { own.next_back() };
        Ok(found.map(|change| (header, change)))
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

/// Where in the log a record changed, oldest first; nowhere when the view has no such record.
pub(crate) fn trail<'a>(view: &'a View, subject: &RecordRef) -> &'a [LogRef] {
    let catalogue = &view.catalogue;
    match subject {
        RecordRef::Ci(ix) => &catalogue.slot(*ix).trail,
        RecordRef::Relationship(ix) => &catalogue.relationship(*ix).trail,
        RecordRef::Need(ix) => &catalogue.need(*ix).trail,
        RecordRef::Request(id) => catalogue.request(*id).map_or(&[], |kept| &kept.trail),
        RecordRef::Template(name) => catalogue.template(name).map_or(&[], |kept| &kept.trail),
        RecordRef::Calendar(id) => catalogue.calendar_entry(*id).map_or(&[], |kept| &kept.trail),
        RecordRef::Disruption(id) => catalogue.disruption(*id).map_or(&[], |kept| &kept.trail),
    }
}

/// A record as an item names it that it hangs on, if it hangs on one.
fn name(view: &View, item: Option<CiIx>, subject: &RecordRef) -> String {
    let catalogue = &view.catalogue;
    match subject {
        RecordRef::Request(_) => "request for change".to_owned(),
        RecordRef::Template(_) => "change template".to_owned(),
        RecordRef::Calendar(_) => "calendar entry".to_owned(),
        RecordRef::Disruption(_) => "disruption".to_owned(),
        RecordRef::Ci(_) => "item".to_owned(),
        RecordRef::Relationship(ix) => {
            let slot = catalogue.relationship(*ix);
            let kind = &slot.relationship.key.kind;
            if Some(slot.dependent) == item {
                format!("relationship {kind} -> {}", catalogue.ci(slot.dependency).key)
            } else {
                format!("relationship {kind} <- {}", catalogue.ci(slot.dependent).key)
            }
        }
        RecordRef::Need(ix) => {
            let slot = catalogue.need(*ix);
            if Some(slot.dependent) == item {
                format!("need {}", slot.need.name)
            } else {
                format!("need {} of {}", slot.need.name, catalogue.ci(slot.dependent).key)
            }
        }
    }
}

/// What a change did to the record, if it is about that record.
fn described(view: &View, subject: &RecordRef, change: &RecordChange) -> Option<(What, Vec<FieldChange>)> {
    let catalogue = &view.catalogue;
    match (subject, change) {
        (RecordRef::Ci(ix), RecordChange::Ci(change)) => {
            let id = change.after.as_ref().or(change.before.as_ref())?.id;
            (catalogue.ci(*ix).id == id).then(|| difference::of_ci(change.before.as_deref(), change.after.as_deref()))
        }
        (RecordRef::Relationship(ix), RecordChange::Relationship(change)) => {
            let record = change.after.as_ref().or(change.before.as_ref())?;
            (catalogue.relationship(*ix).relationship.key == record.key)
                .then(|| difference::of_relationship(change.before.as_deref(), change.after.as_deref()))
        }
        (RecordRef::Need(ix), RecordChange::Need(change)) => {
            let record = change.after.as_ref().or(change.before.as_ref())?;
            (catalogue.need(*ix).need.id == record.id)
                .then(|| difference::of_need(change.before.as_deref(), change.after.as_deref()))
        }
        (RecordRef::Request(id), RecordChange::Request(change)) => of_record(view, change, |record| record.id == *id),
        (RecordRef::Template(name), RecordChange::Template(change)) => {
            of_record(view, change, |record| record.name == *name)
        }
        (RecordRef::Calendar(id), RecordChange::Calendar(change)) => of_record(view, change, |record| record.id == *id),
        (RecordRef::Disruption(id), RecordChange::Disruption(change)) => {
            of_record(view, change, |record| record.id == *id)
        }
        _ => None,
    }
}

/// What a change did to a record of change management, if it is the one.
fn of_record<T: Serialize>(
    view: &View,
    change: &Change<T>,
    is_it: impl Fn(&T) -> bool,
) -> Option<(What, Vec<FieldChange>)> {
    let record = change.after.as_deref().or(change.before.as_deref())?;
    is_it(record).then(|| difference::of_record(view, change.before.as_deref(), change.after.as_deref()))
}

/// What two changes of one record come to, from before the first to after the second, under the commit of
/// the second; absent when that is nothing.
pub(crate) fn difference_between(
    view: &View,
    item: CiIx,
    subject: &RecordRef,
    header: &CommitHeader,
    first: &RecordChange,
    second: &RecordChange,
) -> Option<HistoryEntry> {
    let (is_gone, (what, fields)) = match (first, second) {
        (RecordChange::Ci(first), RecordChange::Ci(second)) => (
            came_and_went(first, second, |ci| ci.standing),
            difference::of_ci(first.before.as_deref(), second.after.as_deref()),
        ),
        (RecordChange::Relationship(first), RecordChange::Relationship(second)) => (
            came_and_went(first, second, |relationship| relationship.standing),
            difference::of_relationship(first.before.as_deref(), second.after.as_deref()),
        ),
        (RecordChange::Need(first), RecordChange::Need(second)) => (
            came_and_went(first, second, |need| need.standing),
            difference::of_need(first.before.as_deref(), second.after.as_deref()),
        ),
        _ => return None,
    };
    (!is_gone && !fields.is_empty()).then(|| entry(header, name(view, Some(item), subject), what, fields))
}

/// Whether a record was made by the first change and is withdrawn after the second: that comes to nothing.
fn came_and_went<T>(first: &Change<T>, second: &Change<T>, standing: impl Fn(&T) -> Standing) -> bool {
    first.before.is_none() && second.after.as_deref().map(standing) == Some(Standing::Withdrawn)
}

fn entry(header: &CommitHeader, record: String, what: What, changes: Vec<FieldChange>) -> HistoryEntry {
    let text = |text: &Option<Arc<str>>| text.as_ref().map(ToString::to_string);
    HistoryEntry {
        revision: header.revision,
        at: header.at,
        recorded_at: header.recorded_at,
        actor: header.actor.to_string(),
        action: header.action.to_string(),
        source: text(&header.source),
        reason: text(&header.reason),
        batch: header.batch.map(|batch| batch.to_string()),
        record,
        what,
        changes,
    }
}
