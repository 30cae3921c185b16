//! The past: commits, and how one record changed.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::{HistoryEntry as Entry, RecordRef};
use keelson_catalogue::LogRef;
use keelson_model::{BatchId, CommitHeader, Revision as Number};
use serde_json::Value as Json;

use super::words::ChangeKind;
use crate::connection::{Connection, Paging};
use crate::context::{Find, list_name};
use crate::errors::Refusal;
use crate::ids::GlobalId;
use crate::moment::Moment;

/// A commit: who changed the catalogue, when and why. Of number 0, the empty catalogue, only the
/// number is known.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct Revision {
    /// Its number.
    number: u64,
    /// When it was made.
    at: Option<DateTime<Utc>>,
    /// When it was recorded, where that is not when it is dated: the past, loaded later.
    recorded_at: Option<DateTime<Utc>>,
    /// Who made it: a person's or a machine's name.
    actor: Option<String>,
    /// What made it: `import backstage`, `createConfigurationItem`.
    action: Option<String>,
    /// The source, for imports.
    source: Option<String>,
    /// Why, in the actor's words.
    reason: Option<String>,
    /// The import, for imports.
    import_run_id: Option<ID>,
}

impl From<&CommitHeader> for Revision {
    fn from(header: &CommitHeader) -> Self {
        let text = |text: &Option<std::sync::Arc<str>>| text.as_ref().map(ToString::to_string);
        Self {
            number: header.revision.0,
            at: Some(header.at),
            recorded_at: header.recorded_at,
            actor: Some(header.actor.to_string()),
            action: Some(header.action.to_string()),
            source: text(&header.source),
            reason: text(&header.reason),
            import_run_id: header.batch.map(|batch| GlobalId::Run(batch).into()),
        }
    }
}

impl From<&Entry> for Revision {
    fn from(entry: &Entry) -> Self {
        let batch = entry.batch.as_ref().and_then(|batch| batch.parse::<BatchId>().ok());
        Self {
            number: entry.revision.0,
            at: Some(entry.at),
            recorded_at: entry.recorded_at,
            actor: Some(entry.actor.clone()),
            action: Some(entry.action.clone()),
            source: entry.source.clone(),
            reason: entry.reason.clone(),
            import_run_id: batch.map(|batch| GlobalId::Run(batch).into()),
        }
    }
}

/// The commit of a number, through the loader.
pub(crate) async fn revision(ctx: &Context<'_>, number: Number) -> Result<Revision, Refusal> {
    let header = ctx.services().loaders.headers.load_one(number).await?;
    Ok(header.map_or(Revision { number: number.0, ..Revision::default() }, |header| Revision::from(&*header)))
}

/// One field that changed.
#[derive(Clone, Debug, SimpleObject)]
pub struct FieldChange {
    /// The field: `name`, `attributes.memory`, `claims.aws-prod`.
    pub(crate) field: String,
    /// Its value before; `null` when it had none. Texts as they are, other values as JSON text.
    pub(crate) before: Option<String>,
    /// Its value after; `null` when it has none any more. Texts as they are, other values as JSON
    /// text.
    pub(crate) after: Option<String>,
}

/// A JSON value as text.
pub(crate) fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A change of one record.
pub struct HistoryEntry(pub(super) Entry);

/// A change of one record.
#[Object]
impl HistoryEntry {
    /// The commit.
    async fn revision(&self) -> Revision {
        Revision::from(&self.0)
    }

    /// What happened.
    async fn what(&self) -> ChangeKind {
        self.0.what.into()
    }

    /// The fields that changed, with the values they had and got; at most one for each field and
    /// attribute of the record.
    async fn changes(&self) -> Vec<FieldChange> {
        let changes = self.0.changes.iter();
        changes
            .map(|change| FieldChange {
                field: change.field.clone(),
                before: text_of(&change.before),
                after: text_of(&change.after),
            })
            .collect()
    }
}

/// The changes of a record, newest first.
pub(crate) async fn history(
    ctx: &Context<'_>,
    at: &Moment,
    record: RecordRef,
    trail: &[LogRef],
    paging: &Paging,
) -> Result<Connection<HistoryEntry>, Refusal> {
    let services = ctx.services();
    let name = list_name("history", String::new(), at);
    // One record changes at most once in a commit, so its revisions are its entries.
    let numbers: Vec<u64> = trail.iter().rev().map(|at| at.revision().0).collect();
    let range = paging.window(&numbers, &name, &services.seal, |number, key: &u64| key.cmp(number))?;
    let before = numbers.get(range.start).map(|newest| Number(newest + 1));
    let entries = if range.is_empty() {
        Vec::new()
    } else {
        services.keelson.history(&at.view, record, before, range.len()).await?
    };
    let entries = entries.into_iter().map(|entry| (entry.revision.0, HistoryEntry(entry)));
    Ok(Connection::new(entries, range, numbers.len(), &name, &services.seal))
}

/// The commits of the catalogue, newest first.
pub(crate) async fn revisions(ctx: &Context<'_>, paging: &Paging) -> Result<Connection<Revision>, Refusal> {
    let services = ctx.services();
    let at = ctx.present();
    let name = list_name("revisions", String::new(), at);
    let head = at.view.revision().0;
    let numbers: Vec<u64> = (1..=head).rev().collect();
    let range = paging.window(&numbers, &name, &services.seal, |number, key: &u64| key.cmp(number))?;
    let wanted = numbers[range.clone()].iter().map(|number| Number(*number));
    let headers = services.loaders.headers.load_many(wanted.clone()).await?;
    let entries = wanted.filter_map(|number| headers.get(&number).map(|header| (number.0, Revision::from(&**header))));
    Ok(Connection::new(entries, range, numbers.len(), &name, &services.seal))
}
