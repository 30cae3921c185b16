//! Freezes, maintenance windows, disruptions and templates.

use chrono::{DateTime, Utc};
use keelson_change::calendar::Timed;
use keelson_model::{CalendarEntry, CalendarKind, DisruptionKind, Recurrence, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{subject, text};
use crate::{Asked, Basis, LimitCode, Subject, View};

/// Items of an entry of the calendar that answers about changes name.
const MOST_ITEMS: usize = 100;
/// Names in a sentence.
const MOST_NAMES: usize = 3;

/// A freeze or maintenance window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryLine {
    /// What people call it.
    pub name: String,
    /// What it means.
    pub kind: CalendarKind,
    /// What it is about; empty means every service. Answers about changes name the first 100.
    pub items: Vec<Subject>,
    /// How many items it is about; 0 means every service.
    pub item_count: usize,
    /// When; the first time.
    pub window: Window,
    /// How it repeats.
    pub recurrence: Option<Recurrence>,
    /// For a freeze: how many members a service may lose.
    pub margin: Option<u32>,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub by: String,
    /// When it was lifted.
    pub lifted_at: Option<DateTime<Utc>>,
    /// Its times within what was asked for.
    pub occurrences: Vec<Window>,
}

/// Something that is down or impaired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DisruptionLine {
    /// Its id.
    pub id: String,
    /// The item.
    #[serde(flatten)]
    pub subject: Subject,
    /// What kind.
    pub kind: DisruptionKind,
    /// The fraction lost.
    pub loss: f64,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended or will end.
    pub until: Option<DateTime<Utc>>,
    /// Where it is worked on.
    pub reference: Option<String>,
    /// Who reported it.
    pub by: String,
}

/// A template of standard changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateLine {
    /// Its name.
    pub name: String,
    /// What, in a line.
    pub title: String,
    /// The classes of the items it may alter.
    pub classes: Vec<String>,
    /// What it may do to them.
    pub actions: Vec<String>,
    /// The longest window, in minutes.
    pub longest_minutes: u32,
    /// Who wrote it.
    pub by: String,
    /// Who approved it.
    pub approved_by: Option<String>,
}

/// The calendar, disruptions and templates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The times asked for.
    pub within: Window,
    /// Freezes and maintenance windows that have a time within them.
    pub entries: Vec<EntryLine>,
    /// What is down or impaired within them.
    pub disruptions: Vec<DisruptionLine>,
    /// Templates of standard changes.
    pub templates: Vec<TemplateLine>,
}

/// The calendar within some times, and what is down then.
#[must_use]
pub fn calendar(view: &View, within: Window, asked: Asked) -> CalendarAnswer {
    let mut basis = Basis::of(view, asked);
    let timed = timed(view, within, |_| true, &mut basis);
    let mut entries = entries(view, timed, usize::MAX);
    entries.sort_by_key(|entry| entry.occurrences.first().copied());
    let disruptions = view.catalogue.disruptions().map(|kept| &kept.record);
    let there =
        disruptions.filter(|one| one.from < within.end() && one.until.is_none_or(|until| within.start() < until));
    let disruptions = there.map(|one| DisruptionLine {
        id: one.id.to_string(),
        subject: subject(view, one.ci),
        kind: one.kind,
        loss: one.loss,
        from: one.from,
        until: one.until,
        reference: text(&one.reference),
        by: one.by.to_string(),
    });
    let templates = view.catalogue.templates().map(|kept| &kept.record);
    let templates = templates.filter(|template| template.withdrawn_at.is_none()).map(|template| TemplateLine {
        name: template.name.to_string(),
        title: template.title.to_string(),
        classes: template.classes.iter().map(ToString::to_string).collect(),
        actions: template.actions.iter().map(|action| action.name().to_owned()).collect(),
        longest_minutes: template.longest_minutes,
        by: template.by.to_string(),
        approved_by: text(&template.approved_by),
    });
    let (disruptions, templates) = (disruptions.collect(), templates.collect());
    CalendarAnswer { basis, within, entries, disruptions, templates }
}

/// The entries of the calendar that are in force, with their times within a window. Says of which not all times
/// were looked at.
pub(crate) fn in_force<'a>(view: &'a View, within: Window, basis: &mut Basis) -> Vec<Timed<'a>> {
    timed(view, within, |entry| entry.lifted_at.is_none(), basis)
}

/// Entries that have a time, as answers about changes list them: freezes first, then by time; at most so many.
pub(crate) fn listed(view: &View, timed: Vec<Timed<'_>>, most: usize, basis: &mut Basis) -> Vec<EntryLine> {
    let mut entries = entries(view, timed, MOST_ITEMS);
    entries.sort_by_key(|entry| (entry.kind, entry.occurrences.first().copied()));
    basis.page("entries of the calendar", entries.len().min(most), entries.len());
    entries.truncate(most);
    entries
}

fn timed<'a>(
    view: &'a View,
    within: Window,
    is_wanted: impl Fn(&CalendarEntry) -> bool,
    basis: &mut Basis,
) -> Vec<Timed<'a>> {
    let wanted = view.catalogue.calendar().map(|kept| &*kept.record).filter(|entry| is_wanted(entry));
    let timed: Vec<Timed<'_>> = wanted.map(|entry| Timed::within(entry, within)).collect();
    let cut: Vec<String> =
        timed.iter().filter(|one| one.times.is_cut).map(|one| format!("'{}'", one.entry.name)).collect();
    if !cut.is_empty() {
        let more = match cut.len().saturating_sub(MOST_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = cut[..cut.len().min(MOST_NAMES)].join(", ");
        basis.limit(LimitCode::Occurrences, format!("the times of {named}{more} were not looked at to their end"));
    }
    timed
}

/// Those entries that have a time, with at most so many of the items they are about.
fn entries(view: &View, timed: Vec<Timed<'_>>, most_items: usize) -> Vec<EntryLine> {
    let there = timed.into_iter().filter(|one| !one.times.windows.is_empty());
    let line = |Timed { entry, times }: Timed<'_>| EntryLine {
        name: entry.name.to_string(),
        kind: entry.kind,
        items: entry.items.iter().take(most_items).map(|id| subject(view, *id)).collect(),
        item_count: entry.items.len(),
        window: entry.window,
        recurrence: entry.recurrence.clone(),
        margin: entry.margin,
        reason: entry.reason.to_string(),
        by: entry.by.to_string(),
        lifted_at: entry.lifted_at,
        occurrences: times.windows,
    };
    there.map(line).collect()
}
