//! The demonstration's week of changes.

use anyhow::anyhow;
use chrono::{DateTime, Datelike, Days, TimeDelta, Utc};
use keelson_app::{Act, Actor, AlterationInput, Keelson, RequestInput, Subject};
use keelson_model::{Action, CalendarKind, Recurrence, Rollback, Window};
use serde::Deserialize;

use crate::failure::Failure;

const WEEK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/demo/week.toml"));
/// How long a week is, in hours.
const HOURS: i64 = 7 * 24;

/// What people plan, agree and forbid in a week.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Week {
    #[serde(rename = "template")]
    templates: Vec<Template>,
    #[serde(rename = "calendar")]
    entries: Vec<Entry>,
    #[serde(rename = "change")]
    changes: Vec<Change>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    name: String,
    title: String,
    classes: Vec<String>,
    actions: Vec<String>,
    longest_minutes: u32,
    rollback: String,
    rollback_minutes: u32,
    verification: String,
    by: String,
    approved_by: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    kind: CalendarKind,
    items: Vec<String>,
    from: i64,
    to: i64,
    rule: Option<String>,
    zone: Option<String>,
    reason: String,
    by: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    key: String,
    title: String,
    reason: String,
    template: Option<String>,
    team: String,
    by: String,
    alterations: Vec<AlterationInput>,
    from: i64,
    to: i64,
    rollback: String,
    rollback_minutes: u32,
    approved_by: Option<String>,
}

/// The first moment of the Monday after a time.
pub(crate) fn monday_after(time: DateTime<Utc>) -> DateTime<Utc> {
    let day = time.date_naive();
    let ahead = 7 - u64::from(day.weekday().num_days_from_monday());
    let monday = day.checked_add_days(Days::new(ahead)).unwrap_or(day);
    monday.and_time(chrono::NaiveTime::MIN).and_utc()
}

fn window(monday: DateTime<Utc>, from: i64, to: i64) -> Result<Window, Failure> {
    Window::new(monday + TimeDelta::hours(from), monday + TimeDelta::hours(to)).map_err(Failure::trouble)
}

/// The week that begins then.
pub(crate) fn whole(monday: DateTime<Utc>) -> Result<Window, Failure> {
    window(monday, 0, HOURS)
}

impl Week {
    /// Reads the built-in week.
    pub(crate) fn built_in() -> anyhow::Result<Self> {
        Ok(toml::from_str(WEEK)?)
    }

    /// Plans it, as the people in it would.
    pub(crate) async fn plan(self, keelson: &Keelson, monday: DateTime<Utc>) -> Result<(), Failure> {
        for template in self.templates {
            let (by, approver, name) = (template.by.clone(), template.approved_by.clone(), template.name.clone());
            act(keelson, &by, None, put(template)?).await?;
            act(keelson, &approver, None, Act::ApproveTemplate { name }).await?;
        }
        for entry in self.entries {
            let doing = Act::EnterCalendar {
                name: entry.name,
                kind: entry.kind,
                items: entry.items,
                window: window(monday, entry.from, entry.to)?,
                recurrence: entry
                    .rule
                    .zip(entry.zone)
                    .map(|(rule, zone)| Recurrence { rule: rule.into(), zone: zone.into() }),
                margin: None,
            };
            act(keelson, &entry.by, Some(&entry.reason), doing).await?;
        }
        for change in self.changes {
            propose(keelson, change, monday).await?;
        }
        Ok(())
    }
}

fn put(template: Template) -> Result<Act, Failure> {
    let actions: Result<Vec<Action>, String> = template.actions.iter().map(|name| Action::read(name, None)).collect();
    Ok(Act::PutTemplate {
        name: template.name,
        title: template.title,
        classes: template.classes,
        actions: actions.map_err(|error| Failure::trouble(anyhow!(error)))?,
        longest_minutes: template.longest_minutes,
        rollback: Rollback { plan: template.rollback.into(), minutes: template.rollback_minutes },
        verification: template.verification,
    })
}

async fn propose(keelson: &Keelson, change: Change, monday: DateTime<Utc>) -> Result<(), Failure> {
    let Change { key, by, approved_by, .. } = change;
    let content = RequestInput {
        key: Some(key.clone()),
        title: change.title,
        reason: change.reason,
        template: change.template,
        team: Some(change.team),
        alterations: change.alterations,
        window: Some(window(monday, change.from, change.to)?),
        rollback: Some(Rollback { plan: change.rollback.into(), minutes: change.rollback_minutes }),
        ..RequestInput::default()
    };
    let subject = Subject { key };
    act(keelson, &by, None, Act::NewRequest(Box::new(content))).await?;
    act(keelson, &by, None, Act::Submit(subject.clone())).await?;
    act(keelson, "change manager", None, Act::Assess(subject.clone())).await?;
    if let Some(approver) = approved_by {
        act(keelson, &approver, None, Act::Approve(subject.clone())).await?;
        act(keelson, "change manager", None, Act::Schedule(subject)).await?;
    }
    Ok(())
}

async fn act(keelson: &Keelson, who: &str, why: Option<&str>, act: Act) -> Result<(), Failure> {
    let actor = Actor { name: who.into(), reason: why.map(Into::into) };
    keelson.act(act, actor).await?;
    Ok(())
}
