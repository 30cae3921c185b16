//! Freezes and agreed maintenance windows.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keelson_app::RecordRef;
use keelson_app::answers::register::EntryLine;
use keelson_app::change::calendar::occurrences;
use keelson_catalogue::Kept;
use keelson_model as model;

use super::words::CalendarEntryKind;
use super::{Window, numbers_of, window};
use crate::connection::{Connection, Paging};
use crate::context::{Find, compute, list_name};
use crate::errors::Refusal;
use crate::ids::{self, GlobalId};
use crate::limits::LONGEST_LIST;
use crate::moment::Moment;
use crate::types::history::{HistoryEntry, Revision, history, revision};
use crate::types::item::{ConfigurationItem, listed};

/// A freeze or an agreed maintenance window.
pub struct CalendarEntry {
    at: Arc<Moment>,
    kept: Kept<model::CalendarEntry>,
}

impl CalendarEntry {
    /// The entry of an identifier, if there is one.
    #[must_use]
    pub fn find(at: &Arc<Moment>, id: model::CalendarEntryId) -> Option<Self> {
        at.catalogue().calendar_entry(id).map(|kept| Self { at: Arc::clone(at), kept: kept.clone() })
    }
}

/// How a window repeats.
#[derive(Clone, Debug, SimpleObject)]
pub struct Recurrence {
    /// A recurrence rule of RFC 5545: `FREQ=WEEKLY;BYDAY=SU`.
    rule: String,
    /// The IANA name of the zone in which it repeats: `Europe/Berlin`.
    zone: String,
}

/// The times of an entry of the calendar.
#[derive(Clone, Debug, SimpleObject)]
pub struct Occurrences {
    /// Those that have something in common with what was asked for, oldest first; the first 100.
    windows: Vec<Window>,
    /// Whether there are more.
    has_more: bool,
}

/// An entry of the calendar that is in force at some time asked about.
#[derive(SimpleObject)]
pub struct InForce {
    /// The entry.
    entry: Option<CalendarEntry>,
    /// When it is in force then, oldest first; the first 100.
    windows: Vec<Window>,
    /// Whether there are more such times.
    has_more: bool,
}

impl InForce {
    pub(super) fn of(at: &Arc<Moment>, line: &EntryLine) -> Self {
        // Names are unique among entries in force; one that was lifted may have had the same.
        let same = |kept: &&Kept<model::CalendarEntry>| {
            let record = &kept.record;
            *record.name == *line.name && record.window == line.window && record.lifted_at.is_none()
        };
        let kept = at.catalogue().calendar().find(same);
        Self {
            entry: kept.map(|kept| CalendarEntry { at: Arc::clone(at), kept: kept.clone() }),
            windows: line.occurrences.iter().take(LONGEST_LIST).copied().map(Window::from).collect(),
            has_more: line.occurrences.len() > LONGEST_LIST,
        }
    }
}

/// A freeze, in which nothing may harm what it is about, or a window for the work that does.
#[Object]
impl CalendarEntry {
    /// Its identifier, for life.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Calendar(self.kept.record.id).into()
    }

    /// What people call it. Unique among those in force.
    async fn name(&self) -> &str {
        &self.kept.record.name
    }

    /// Number of its changes, for `expectedVersion`.
    async fn version(&self) -> u32 {
        self.kept.record.version
    }

    /// The commit that changed it last.
    async fn revision(&self, ctx: &Context<'_>) -> Result<Revision, Refusal> {
        let last = self.kept.trail.last().map(|at| at.revision());
        revision(ctx, last.unwrap_or_else(|| self.at.view.revision())).await
    }

    /// What it means for changes.
    async fn kind(&self) -> CalendarEntryKind {
        self.kept.record.kind.into()
    }

    /// When; of what repeats, the first time.
    async fn window(&self) -> Window {
        self.kept.record.window.into()
    }

    /// How it repeats; absent: it does not.
    async fn recurrence(&self) -> Option<Recurrence> {
        let recurrence = self.kept.record.recurrence.as_ref()?;
        Some(Recurrence { rule: recurrence.rule.to_string(), zone: recurrence.zone.to_string() })
    }

    /// Its times that have something in common with a window, whether or not it was lifted.
    async fn occurrences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first instant of the window.")] from: DateTime<Utc>,
        #[graphql(desc = "The first instant after the window.")] to: DateTime<Utc>,
    ) -> Result<Occurrences, Refusal> {
        let within = window(from, to).map_err(Refusal::input)?;
        let entry = Arc::clone(&self.kept.record);
        let found = compute(ctx.services(), move || occurrences(&entry, within)).await?;
        let has_more = found.is_cut || found.windows.len() > LONGEST_LIST;
        Ok(Occurrences { windows: found.windows.into_iter().take(LONGEST_LIST).map(Window::from).collect(), has_more })
    }

    /// For a freeze: how many members of a redundancy need a service may lose before that violates it;
    /// absent: as the policy says.
    async fn margin(&self) -> Option<u32> {
        self.kept.record.margin
    }

    /// Whether it is about every service; otherwise `items` says what it is about.
    async fn is_for_every_service(&self) -> bool {
        self.kept.record.items.is_empty()
    }

    /// The services and sites it is about, by key; none when it is about every service.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConfigurationItem>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        let found = numbers_of(&self.at, &self.kept.record.items);
        listed(&ctx.services().seal, &self.at, "calendarEntry.items", found, &paging)
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.kept.record.reason
    }

    /// Who set it.
    async fn by(&self) -> &str {
        &self.kept.record.by
    }

    /// When it was lifted, if it was.
    async fn lifted_at(&self) -> Option<DateTime<Utc>> {
        self.kept.record.lifted_at
    }

    /// Whether it was lifted.
    async fn is_lifted(&self) -> bool {
        self.kept.record.lifted_at.is_some()
    }

    /// How it came to say what it says, the newest change first.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only what comes behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<HistoryEntry>, Refusal> {
        let paging = Paging::new(first, after, last, before);
        history(ctx, &self.at, RecordRef::Calendar(self.kept.record.id), &self.kept.trail, &paging).await
    }
}

/// Which entries of the calendar. All that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CalendarEntryWhere {
    /// What they mean for changes.
    pub kind: Option<CalendarEntryKind>,
    /// Whether they were lifted.
    pub is_lifted: Option<bool>,
    /// An item they name.
    pub item_id: Option<ID>,
}

/// A page of the calendar, by the start of the first time.
pub(crate) fn calendar(
    ctx: &Context<'_>,
    at: &Arc<Moment>,
    filter: &CalendarEntryWhere,
    paging: &Paging,
) -> Result<Connection<CalendarEntry>, Refusal> {
    let item = filter.item_id.as_ref().map(ids::ci).transpose()?;
    let wanted = |kept: &&Kept<model::CalendarEntry>| {
        let entry = &kept.record;
        filter.kind.is_none_or(|kind| CalendarEntryKind::from(entry.kind) == kind)
            && filter.is_lifted.is_none_or(|wanted| entry.lifted_at.is_some() == wanted)
            && item.is_none_or(|item| entry.items.contains(&item))
    };
    let mut found: Vec<&Kept<model::CalendarEntry>> = at.catalogue().calendar().filter(wanted).collect();
    let place = |kept: &&Kept<model::CalendarEntry>| (kept.record.window.start(), kept.record.id);
    found.sort_by_key(place);
    let node = |kept: &&Kept<model::CalendarEntry>| CalendarEntry { at: Arc::clone(at), kept: (*kept).clone() };
    let name = list_name("calendar", String::new(), at);
    Connection::page(&found, paging, &name, &ctx.services().seal, place, node)
}
