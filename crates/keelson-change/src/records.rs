//! Templates, entries of the calendar, disruptions and baselines: what makes a good one.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_catalogue::Catalogue;
use keelson_model::{
    Action, Baseline, BaselineId, CalendarEntry, CalendarEntryId, CalendarKind, Change, ChangeId, ChangeTemplate, CiId,
    Digest, Disruption, DisruptionId, DisruptionKind, IdSource, Recurrence, Revision, Rollback, Symbol, Window,
};

use crate::workflow::is_same;
use crate::{Problem, ProblemCode, Problems, calendar};

/// Most items one freeze, maintenance window or baseline names.
pub const MOST_ITEMS: usize = 1_000_000;

/// What people say of a freeze or maintenance window.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryFields {
    /// What people call it.
    pub name: String,
    /// What it means.
    pub kind: CalendarKind,
    /// What it is about; empty means every service.
    pub items: Vec<CiId>,
    /// When; the first time.
    pub window: Window,
    /// How it repeats.
    pub recurrence: Option<Recurrence>,
    /// For a freeze: how many members a service may lose.
    pub margin: Option<u32>,
    /// Why.
    pub reason: String,
}

/// A new freeze or maintenance window.
///
/// # Errors
/// Every reason why not.
pub fn new_entry(
    catalogue: &Catalogue,
    fields: EntryFields,
    actor: &Arc<str>,
    ids: &mut impl IdSource,
) -> Result<Change<CalendarEntry>, Problems> {
    let mut problems = Vec::new();
    let name = fields.name.trim();
    required(&mut problems, "name", name, "what people call it");
    required(&mut problems, "reason", &fields.reason, "why it is");
    let in_force = |entry: &CalendarEntry| entry.lifted_at.is_none() && is_same(&entry.name, name);
    if catalogue.calendar().any(|kept| in_force(&kept.record)) {
        problems.push(Problem::of(
            ProblemCode::DuplicateKey,
            "name",
            format!("there is '{name}' in the calendar already"),
        ));
    }
    known_items(catalogue, &fields.items, &mut problems);
    if let Some(recurrence) = &fields.recurrence
        && let Err(reason) = calendar::check(fields.window, recurrence)
    {
        problems.push(Problem::of(ProblemCode::BadValue, "recurrence", reason));
    }
    if fields.kind == CalendarKind::Maintenance && fields.margin.is_some() {
        let message = "a maintenance window has no margin; a freeze has";
        problems.push(Problem::of(ProblemCode::BadValue, "margin", message));
    }
    Problems::none_or(problems)?;
    Ok(Change::created(CalendarEntry {
        id: CalendarEntryId::next(ids),
        name: Arc::from(name),
        version: 1,
        kind: fields.kind,
        items: fields.items,
        window: fields.window,
        recurrence: fields.recurrence,
        margin: fields.margin,
        reason: Arc::from(fields.reason.trim()),
        by: Arc::clone(actor),
        lifted_at: None,
    }))
}

/// Lifts a freeze, or ends a maintenance window for good.
///
/// # Errors
/// When it was lifted already.
pub fn lift(entry: &Arc<CalendarEntry>, at: DateTime<Utc>) -> Result<Change<CalendarEntry>, Problems> {
    if entry.lifted_at.is_some() {
        let message = format!("'{}' was lifted already", entry.name);
        return Err(Problems::one(ProblemCode::IllegalTransition, "state", message));
    }
    let mut after = CalendarEntry::clone(entry);
    after.version += 1;
    after.lifted_at = Some(at);
    Ok(Change::updated(Arc::clone(entry), after))
}

/// What people say of something that is down or impaired.
#[derive(Clone, Debug, PartialEq)]
pub struct DisruptionFields {
    /// The item.
    pub ci: CiId,
    /// What kind.
    pub kind: DisruptionKind,
    /// The fraction lost, above 0 and at most 1.
    pub loss: f64,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended or will end.
    pub until: Option<DateTime<Utc>>,
    /// Where it is worked on.
    pub reference: Option<String>,
    /// What happened.
    pub description: Option<String>,
}

/// Something new that is down or impaired.
///
/// # Errors
/// Every reason why not.
pub fn new_disruption(
    catalogue: &Catalogue,
    fields: &DisruptionFields,
    actor: &Arc<str>,
    ids: &mut impl IdSource,
) -> Result<Change<Disruption>, Problems> {
    let mut problems = Vec::new();
    known_items(catalogue, &[fields.ci], &mut problems);
    if !(fields.loss > 0.0 && fields.loss <= 1.0) {
        let message = format!("the loss is {}; it must lie above 0 and be at most 1", fields.loss);
        problems.push(Problem::of(ProblemCode::BadValue, "loss", message));
    }
    if fields.until.is_some_and(|until| until <= fields.from) {
        problems.push(Problem::of(ProblemCode::BadValue, "until", "it must end after it begins"));
    }
    Problems::none_or(problems)?;
    let text = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(Arc::from);
    Ok(Change::created(Disruption {
        id: DisruptionId::next(ids),
        version: 1,
        ci: fields.ci,
        kind: fields.kind,
        loss: fields.loss,
        from: fields.from,
        until: fields.until,
        reference: text(&fields.reference),
        description: text(&fields.description),
        by: Arc::clone(actor),
    }))
}

/// Ends a disruption.
///
/// # Errors
/// When it ended before, or would end before it began.
pub fn end_disruption(disruption: &Arc<Disruption>, until: DateTime<Utc>) -> Result<Change<Disruption>, Problems> {
    if until <= disruption.from {
        return Err(Problems::one(ProblemCode::BadValue, "until", "it must end after it begins"));
    }
    if let Some(ended) = disruption.until.filter(|ended| *ended <= until) {
        let message = format!("it ended already, at {}", ended.format("%Y-%m-%d %H:%M UTC"));
        return Err(Problems::one(ProblemCode::IllegalTransition, "until", message));
    }
    let mut after = Disruption::clone(disruption);
    after.version += 1;
    after.until = Some(until);
    Ok(Change::updated(Arc::clone(disruption), after))
}

/// What people say of a kind of change that is to be decided on once for all.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateFields {
    /// Its name.
    pub name: String,
    /// What, in a line.
    pub title: String,
    /// The classes of the items it may alter.
    pub classes: Vec<Symbol>,
    /// What it may do to them.
    pub actions: Vec<Action>,
    /// The longest window, in minutes.
    pub longest_minutes: u32,
    /// How it is reversed.
    pub rollback: Rollback,
    /// How it is seen that it worked.
    pub verification: String,
}

/// A new template, which somebody else must approve, or a new version of one, which must be approved
/// again.
///
/// # Errors
/// Every reason why not.
pub fn put_template(
    catalogue: &Catalogue,
    fields: TemplateFields,
    actor: &Arc<str>,
) -> Result<Change<ChangeTemplate>, Problems> {
    let mut problems = Vec::new();
    let name = fields.name.trim();
    required(&mut problems, "name", name, "what people call it");
    required(&mut problems, "title", &fields.title, "what is done");
    required(&mut problems, "rollback.plan", &fields.rollback.plan, "how it is reversed");
    required(&mut problems, "verification", &fields.verification, "how it is seen that it worked");
    if fields.classes.is_empty() {
        problems.push(Problem::of(ProblemCode::Missing, "classes", "name at least one class of items it may alter"));
    }
    for (at, class) in fields.classes.iter().enumerate() {
        if catalogue.schema().classes.get(class).is_none() {
            let message = format!("there is no class '{class}'");
            problems.push(Problem::of(ProblemCode::NotFound, &format!("classes.{at}"), message));
        }
    }
    if fields.actions.is_empty() {
        problems.push(Problem::of(ProblemCode::Missing, "actions", "name at least one thing it may do"));
    }
    for (at, action) in fields.actions.iter().enumerate() {
        let loss = action.loss();
        if !(0.0..=1.0).contains(&loss) {
            let message = format!("the largest loss is {loss}; it must lie between 0 and 1");
            problems.push(Problem::of(ProblemCode::BadValue, &format!("actions.{at}.loss"), message));
        }
    }
    if fields.longest_minutes == 0 || fields.rollback.minutes == 0 {
        problems.push(Problem::of(
            ProblemCode::BadValue,
            "longest_minutes",
            "windows and rollbacks take a minute at least",
        ));
    }
    Problems::none_or(problems)?;
    let before = catalogue.template(name).map(|kept| Arc::clone(&kept.record));
    let after = ChangeTemplate {
        name: Arc::from(name),
        version: before.as_ref().map_or(0, |before| before.version) + 1,
        title: Arc::from(fields.title.trim()),
        classes: fields.classes,
        actions: fields.actions,
        longest_minutes: fields.longest_minutes,
        rollback: fields.rollback,
        verification: Arc::from(fields.verification.trim()),
        by: Arc::clone(actor),
        approved_by: None,
        approved_at: None,
        withdrawn_at: None,
    };
    Ok(Change { before, after: Some(Arc::new(after)) })
}

/// Approves a template.
///
/// # Errors
/// When its author would, or it is approved already.
pub fn approve_template(
    template: &Arc<ChangeTemplate>,
    actor: &Arc<str>,
    at: DateTime<Utc>,
) -> Result<Change<ChangeTemplate>, Problems> {
    if is_same(&template.by, actor) {
        let message = format!("{actor} wrote this template and cannot approve it; somebody else must");
        return Err(Problems::one(ProblemCode::NotAllowed, "state", message));
    }
    if template.approved_by.is_some() || template.withdrawn_at.is_some() {
        let state = if template.withdrawn_at.is_some() { "withdrawn; write it anew" } else { "approved already" };
        let message = format!("the template '{}' is {state}", template.name);
        return Err(Problems::one(ProblemCode::IllegalTransition, "state", message));
    }
    let mut after = ChangeTemplate::clone(template);
    after.version += 1;
    after.approved_by = Some(Arc::clone(actor));
    after.approved_at = Some(at);
    Ok(Change::updated(Arc::clone(template), after))
}

/// Withdraws a template: nothing new follows it. What was approved by it stays approved.
///
/// # Errors
/// When it was withdrawn already, or nobody says why.
pub fn withdraw_template(
    template: &Arc<ChangeTemplate>,
    reason: Option<&Arc<str>>,
    at: DateTime<Utc>,
) -> Result<Change<ChangeTemplate>, Problems> {
    let mut problems = Vec::new();
    required(&mut problems, "reason", reason.map_or("", |reason| reason), "why it is withdrawn");
    if template.withdrawn_at.is_some() {
        let message = format!("the template '{}' was withdrawn already", template.name);
        problems.push(Problem::of(ProblemCode::IllegalTransition, "state", message));
    }
    Problems::none_or(problems)?;
    let mut after = ChangeTemplate::clone(template);
    after.version += 1;
    after.withdrawn_at = Some(at);
    Ok(Change::updated(Arc::clone(template), after))
}

/// What a baseline is to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineFields {
    /// What people call it.
    pub name: String,
    /// The items; in any order, doubles are dropped.
    pub items: Vec<CiId>,
    /// How they were chosen.
    pub chosen: String,
    /// Why.
    pub reason: Option<String>,
    /// The request it is taken for.
    pub change: Option<ChangeId>,
}

/// A new baseline of a revision, with the digest of the items' state then.
///
/// # Errors
/// Every reason why not.
pub fn new_baseline(
    catalogue: &Catalogue,
    fields: BaselineFields,
    revision: Revision,
    digest: Digest,
    actor: &Arc<str>,
    at: DateTime<Utc>,
    ids: &mut impl IdSource,
) -> Result<Change<Baseline>, Problems> {
    let mut problems = Vec::new();
    let name = fields.name.trim();
    required(&mut problems, "name", name, "what people call it");
    if catalogue.find_baseline(name).is_some() {
        let message =
            format!("there is a baseline '{name}' already; baselines never change, so give this one another name");
        problems.push(Problem::of(ProblemCode::DuplicateKey, "name", message));
    }
    if fields.items.is_empty() {
        problems.push(Problem::of(ProblemCode::Missing, "items", "a baseline holds at least one item"));
    }
    known_items(catalogue, &fields.items, &mut problems);
    Problems::none_or(problems)?;
    let mut items = fields.items;
    items.sort_unstable();
    items.dedup();
    Ok(Change::created(Baseline {
        id: BaselineId::next(ids),
        name: Arc::from(name),
        revision,
        items,
        chosen: Arc::from(fields.chosen.as_str()),
        digest,
        by: Arc::clone(actor),
        at,
        reason: fields.reason.as_deref().map(Arc::from),
        change: fields.change,
    }))
}

fn required(problems: &mut Vec<Problem>, field: &str, text: &str, what: &str) {
    if text.trim().is_empty() {
        problems.push(Problem::of(ProblemCode::Missing, field, format!("say {what}")));
    }
}

fn known_items(catalogue: &Catalogue, items: &[CiId], problems: &mut Vec<Problem>) {
    if items.len() > MOST_ITEMS {
        problems.push(Problem::of(ProblemCode::BadValue, "items", format!("at most {MOST_ITEMS} items")));
    }
    for (at, item) in items.iter().enumerate().filter(|(_, item)| catalogue.find_id(**item).is_none()).take(10) {
        let message = format!("there is no configuration item {item}");
        problems.push(Problem::of(ProblemCode::NotFound, &format!("items.{at}"), message));
    }
}
