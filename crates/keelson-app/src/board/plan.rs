//! Acts as changes of records.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_analysis::Pool;
use keelson_answers::change::{self, ChangeAnswer, ChangeQuestion};
use keelson_answers::schedule::find_request;
use keelson_answers::{Asked, baseline, find};
use keelson_catalogue::CiIx;
use keelson_change::draft::{self, Fields};
use keelson_change::recheck::gate;
use keelson_change::records::{self, BaselineFields, DisruptionFields, EntryFields, TemplateFields};
use keelson_change::workflow::{self, By};
use keelson_change::{Policy, Problem, ProblemCode, Problems, lookup};
use keelson_model::{
    Alteration, Baseline, CalendarEntry, ChangeState, ChangeTemplate, CiId, Completion, Disruption, FrozenAssessment,
    ObservedLoss, Payload, RecordChange, RequestForChange, ReviewRecord, Symbol,
};

use super::act::{Act, ActError, RequestInput, ReviewInput, Selection, Subject};
use crate::system::RandomIds;
use crate::{Actor, View};

/// Propagations the search for decisive facts may compute for an assessment that is kept.
const BUDGET: usize = 500;
/// Most services listed in an assessment that is kept.
const MOST: usize = 1_000;
/// Media type of assessments that are kept.
const DOCUMENT: &str = "application/json";

/// What an act comes to.
pub(super) struct Planned {
    pub(super) changes: Vec<RecordChange>,
    pub(super) payloads: Vec<Payload>,
}

impl Planned {
    fn of(change: RecordChange) -> Self {
        Self { changes: vec![change], payloads: Vec::new() }
    }
}

/// What acts are planned on.
pub(super) struct Stand<'a> {
    /// The last revision.
    pub(super) view: &'a View,
    /// The point in the past an act is about, when it is about one.
    pub(super) past: Option<&'a View>,
    /// Items that differ from the baseline of the request whose work ends.
    pub(super) showing: BTreeSet<CiId>,
    pub(super) policy: &'a Policy,
    pub(super) pool: &'a Pool,
}

/// Who acts on what.
struct Planning<'a> {
    view: &'a View,
    /// The view whose items are chosen and whose state is taken.
    taken: &'a View,
    showing: BTreeSet<CiId>,
    actor: &'a Actor,
    at: DateTime<Utc>,
    policy: &'a Policy,
    pool: &'a Pool,
    ids: RandomIds,
}

/// Plans an act, on the version of its record that somebody has `seen`, where they say.
pub(super) fn plan(
    stand: Stand<'_>,
    act: &Act,
    seen: Option<u32>,
    actor: &Actor,
    at: DateTime<Utc>,
) -> Result<Planned, ActError> {
    let Stand { view, past, showing, policy, pool } = stand;
    let taken = past.unwrap_or(view);
    let mut planning = Planning { view, taken, showing, actor, at, policy, pool, ids: RandomIds::new() };
    if let Some(seen) = seen {
        planning.check_seen(act, seen)?;
    }
    planning.plan(act)
}

impl Planning<'_> {
    fn plan(&mut self, act: &Act) -> Result<Planned, ActError> {
        let request = |change: keelson_model::Change<RequestForChange>| Planned::of(RecordChange::Request(change));
        Ok(match act {
            Act::NewRequest(content) => {
                let fields = self.fields(content)?;
                let (catalogue, name) = (&self.view.catalogue, &self.actor.name);
                request(draft::new(catalogue, &fields, name, self.at, &mut self.ids)?)
            }
            Act::AlterRequest { subject, content } => {
                let fields = self.fields(content)?;
                let (catalogue, name) = (&self.view.catalogue, &self.actor.name);
                let known = self.request(subject)?;
                request(draft::altered(catalogue, &known, &fields, name, self.at)?)
            }
            Act::Submit(subject) => request(workflow::submit(&self.request(subject)?, self.by())?),
            Act::Reject(subject) => request(workflow::reject(&self.request(subject)?, self.by())?),
            Act::Cancel(subject) => request(workflow::cancel(&self.request(subject)?, self.by())?),
            Act::Schedule(subject) => request(workflow::schedule(&self.request(subject)?, self.by())?),
            Act::MarkNotImpacted { subject, item } => {
                let item = self.item("item", item)?;
                request(workflow::mark_not_impacted(&self.request(subject)?, item, self.by())?)
            }
            Act::Assess(subject) => self.assess(subject)?,
            Act::Approve(subject) => self.approve(subject)?,
            Act::Start(subject) => self.start(subject)?,
            Act::Finish { subject, backed_out } => self.finish(subject, *backed_out)?,
            Act::Review { subject, review } => self.review(subject, review)?,
            other => self.plan_record(other)?,
        })
    }

    /// Refuses when the record an act is about is not at the version somebody has seen. An act that makes a
    /// record is about none.
    fn check_seen(&self, act: &Act, seen: u32) -> Result<(), ActError> {
        let (what, known) = match act {
            Act::LiftCalendar { name } => (format!("'{name}'"), Some(self.calendar_entry(name)?.version)),
            Act::EndDisruption { disruption, .. } => {
                (format!("the disruption {disruption}"), Some(self.disruption(disruption)?.version))
            }
            Act::PutTemplate { name, .. } | Act::ApproveTemplate { name } | Act::WithdrawTemplate { name } => {
                let known = lookup::template(&self.view.catalogue, name).map(|kept| kept.record.version);
                (format!("the template '{name}'"), known)
            }
            other => match other.subject() {
                Some(subject) => (subject.key.clone(), Some(self.request(subject)?.version)),
                None => return Ok(()),
            },
        };
        if known == Some(seen) {
            return Ok(());
        }
        Err(Problems(vec![Problem::version_conflict(&what, known, seen)]).into())
    }

    /// Everything that is no request.
    fn plan_record(&mut self, act: &Act) -> Result<Planned, ActError> {
        let catalogue = &self.view.catalogue;
        let name = &self.actor.name;
        Ok(Planned::of(match act {
            Act::EnterCalendar { name: called, kind, items, window, recurrence, margin } => {
                let fields = EntryFields {
                    name: called.clone(),
                    kind: *kind,
                    items: items_of(self.view, items)?,
                    window: *window,
                    recurrence: recurrence.clone(),
                    margin: *margin,
                    reason: self.actor.reason.as_deref().unwrap_or_default().to_owned(),
                };
                RecordChange::Calendar(records::new_entry(catalogue, fields, name, &mut self.ids)?)
            }
            Act::LiftCalendar { name } => RecordChange::Calendar(records::lift(&self.calendar_entry(name)?, self.at)?),
            Act::ReportDisruption { item, kind, loss, from, until, reference } => {
                let fields = DisruptionFields {
                    ci: self.item("item", item)?,
                    kind: *kind,
                    loss: *loss,
                    from: from.unwrap_or(self.at),
                    until: *until,
                    reference: reference.clone(),
                    description: self.actor.reason.as_deref().map(str::to_owned),
                };
                RecordChange::Disruption(records::new_disruption(catalogue, &fields, name, &mut self.ids)?)
            }
            Act::EndDisruption { disruption, until } => {
                let known = self.disruption(disruption)?;
                RecordChange::Disruption(records::end_disruption(&known, until.unwrap_or(self.at))?)
            }
            Act::PutTemplate { name: called, title, classes, actions, longest_minutes, rollback, verification } => {
                let fields = TemplateFields {
                    name: called.clone(),
                    title: title.clone(),
                    classes: classes.iter().map(|class| Symbol::new(class)).collect(),
                    actions: actions.clone(),
                    longest_minutes: *longest_minutes,
                    rollback: rollback.clone(),
                    verification: verification.clone(),
                };
                RecordChange::Template(records::put_template(catalogue, fields, name)?)
            }
            Act::ApproveTemplate { name: called } => {
                RecordChange::Template(records::approve_template(&self.template(called)?, name, self.at)?)
            }
            Act::WithdrawTemplate { name: called } => {
                let reason = self.actor.reason.as_ref();
                RecordChange::Template(records::withdraw_template(&self.template(called)?, reason, self.at)?)
            }
            Act::TakeBaseline { name, items, change, .. } => {
                let change = change.as_deref().map(|key| find_request(self.view, key)).transpose()?.map(|r| r.id);
                let (items, chosen) = self.selected(items)?;
                let reason = self.actor.reason.as_deref().map(str::to_owned);
                let fields = BaselineFields { name: name.clone(), items, chosen, reason, change };
                RecordChange::Baseline(self.baseline(fields)?)
            }
            _ => unreachable!("acts on requests are planned elsewhere"),
        }))
    }

    fn by(&self) -> By<'_> {
        By { actor: &self.actor.name, at: self.at, reason: self.actor.reason.as_ref() }
    }

    fn request(&self, subject: &Subject) -> Result<Arc<RequestForChange>, ActError> {
        find_request(self.view, &subject.key)?;
        let kept = self.view.catalogue.find_request(&subject.key);
        Ok(Arc::clone(&kept.unwrap_or_else(|| unreachable!("it was found")).record))
    }

    fn item(&self, field: &str, key: &str) -> Result<CiId, ActError> {
        let found = find(&self.view.catalogue, key);
        let ix = found.map_err(|error| Problems::one(ProblemCode::NotFound, field, error.to_string()))?;
        Ok(self.view.catalogue.ci(ix).id)
    }

    fn fields(&self, content: &RequestInput) -> Result<Fields, ActError> {
        let mut problems = Vec::new();
        let mut alterations = Vec::new();
        for (at, alteration) in content.alterations.iter().enumerate() {
            match find(&self.view.catalogue, &alteration.key) {
                Ok(ix) => {
                    alterations.push(Alteration { ci: self.view.catalogue.ci(ix).id, action: alteration.action });
                }
                Err(error) => {
                    let field = format!("alterations.{at}.key");
                    problems.push(Problem::of(ProblemCode::NotFound, &field, error.to_string()));
                }
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems).into());
        }
        Ok(Fields {
            key: content.key.clone(),
            title: content.title.clone(),
            reason: content.reason.clone(),
            category: content.category,
            template: content.template.clone(),
            team: content.team.clone(),
            requester: content.requester.clone(),
            alterations,
            window: content.window,
            rollback: content.rollback.clone(),
            verification: content.verification.clone(),
            releases: content.releases.clone(),
        })
    }

    fn template(&self, name: &str) -> Result<Arc<ChangeTemplate>, ActError> {
        let unknown = || Problems::one(ProblemCode::NotFound, "name", format!("there is no template '{name}'"));
        let known = lookup::template(&self.view.catalogue, name).ok_or_else(unknown)?;
        Ok(Arc::clone(&known.record))
    }

    fn calendar_entry(&self, name: &str) -> Result<Arc<CalendarEntry>, ActError> {
        let unknown = || Problems::one(ProblemCode::NotFound, "name", format!("there is no '{name}' in the calendar"));
        let known = lookup::calendar_entry(&self.view.catalogue, name).ok_or_else(unknown)?;
        Ok(Arc::clone(&known.record))
    }

    fn disruption(&self, named: &str) -> Result<Arc<Disruption>, ActError> {
        let unknown =
            || Problems::one(ProblemCode::NotFound, "disruption", format!("there is no disruption '{named}'"));
        let known = lookup::disruption(&self.view.catalogue, named).ok_or_else(unknown)?;
        Ok(Arc::clone(&known.record))
    }

    /// What a request does, as of now.
    fn answer(&self, request: &RequestForChange) -> Result<ChangeAnswer, ActError> {
        answer(self.view, request, self.at, self.policy, self.pool)
    }

    fn frozen(&self, request: &RequestForChange) -> Result<(FrozenAssessment, Payload), ActError> {
        let answer = self.answer(request)?;
        let name = format!("assessment of {} at revision {}", request.key, self.view.revision());
        Ok((answer.frozen(&self.actor.name, self.at), Payload::new(&name, DOCUMENT, answer.document())))
    }

    fn assess(&self, subject: &Subject) -> Result<Planned, ActError> {
        let request = self.request(subject)?;
        let (frozen, payload) = self.frozen(&request)?;
        let change = workflow::assess(&request, frozen, self.by())?;
        Ok(Planned { changes: vec![RecordChange::Request(change)], payloads: vec![payload] })
    }

    fn approve(&self, subject: &Subject) -> Result<Planned, ActError> {
        let request = self.request(subject)?;
        let (frozen, payload) = self.frozen(&request)?;
        let change = workflow::approve(&request, frozen, &self.view.catalogue, self.by(), self.policy)?;
        Ok(Planned { changes: vec![RecordChange::Request(change)], payloads: vec![payload] })
    }

    fn start(&mut self, subject: &Subject) -> Result<Planned, ActError> {
        let request = self.request(subject)?;
        let (frozen, payload) = self.frozen(&request)?;
        let closed = gate(&request, &frozen, self.at, self.policy);
        let (items, chosen) = self.selected(&Selection::Change(request.key.to_string()))?;
        // A request that was begun before, and cancelled or backed out, has a baseline already.
        let number = (1..).map(|number| match number {
            1 => format!("before {}", request.key),
            more => format!("before {} ({more})", request.key),
        });
        let free = |name: &String| self.view.catalogue.find_baseline(name).is_none();
        let name = number.take(1_000).find(free).unwrap_or_else(|| format!("before {}", request.key));
        let fields =
            BaselineFields { name, items, chosen, reason: Some("work begins".to_owned()), change: Some(request.id) };
        let baseline = self.baseline(fields)?;
        let id = baseline.after.as_ref().map(|baseline| baseline.id);
        let id = id.unwrap_or_else(|| unreachable!("a new record is there"));
        let change = workflow::start(&request, &closed, id, self.by())?;
        let changes = vec![RecordChange::Baseline(baseline), RecordChange::Request(change)];
        Ok(Planned { changes, payloads: vec![payload] })
    }

    fn finish(&self, subject: &Subject, backed_out: bool) -> Result<Planned, ActError> {
        let request = self.request(subject)?;
        let altered = request.alterations.iter().map(|alteration| alteration.ci);
        let (showing, not_showing) = altered.partition(|ci| self.showing.contains(ci));
        let started = request.step_to(ChangeState::InProgress).map_or(self.at, |step| step.at);
        let completion = Completion {
            outcome: if backed_out { ChangeState::BackedOut } else { ChangeState::Done },
            started_at: started,
            finished_at: self.at,
            compared_at: self.view.revision(),
            showing,
            not_showing,
            reason: None,
        };
        Ok(Planned::of(RecordChange::Request(workflow::finish(&request, completion, self.by())?)))
    }

    fn review(&self, subject: &Subject, input: &ReviewInput) -> Result<Planned, ActError> {
        let request = self.request(subject)?;
        let mut observed = Vec::new();
        for (at, loss) in input.observed.iter().enumerate() {
            observed.push(ObservedLoss {
                ci: self.item(&format!("observed.{at}.key"), &loss.key)?,
                loss: loss.loss,
                minutes: loss.minutes,
                reference: loss.reference.as_deref().map(Arc::from),
            });
        }
        let failed = request.state == ChangeState::BackedOut || !input.incidents.is_empty();
        let record = ReviewRecord {
            by: Arc::clone(&self.actor.name),
            at: self.at,
            is_monitored: input.is_monitored,
            incidents: input.incidents.iter().map(|incident| Arc::from(incident.as_str())).collect(),
            observed,
            has_failed: input.has_failed.unwrap_or(failed),
            lessons: Arc::from(input.lessons.trim()),
        };
        Ok(Planned::of(RecordChange::Request(workflow::review(&request, record, self.by())?)))
    }

    /// The items of a selection, in the state that is taken.
    fn selected(&self, selection: &Selection) -> Result<(Vec<CiId>, String), ActError> {
        let view = self.taken;
        let numbers =
            |ids: Vec<CiId>| -> Vec<CiIx> { ids.into_iter().filter_map(|id| view.catalogue.find_id(id)).collect() };
        Ok(match selection {
            Selection::Items(keys) => (items_of(view, keys)?, "chosen".to_owned()),
            Selection::Cone(keys) => {
                let starts = numbers(items_of(view, keys)?);
                let items = baseline::with_dependencies(view, &starts, self.pool)?;
                (items, format!("{} and what it depends on", keys.join(", ")))
            }
            Selection::Change(key) => {
                let request = find_request(self.view, key)?;
                let altered = numbers(request.alterations.iter().map(|alteration| alteration.ci).collect());
                let items = baseline::with_dependents(view, &altered, self.pool)?;
                (items, format!("what {} alters and what depends on it", request.key))
            }
        })
    }

    fn baseline(&mut self, mut fields: BaselineFields) -> Result<keelson_model::Change<Baseline>, ActError> {
        fields.items.sort_unstable();
        fields.items.dedup();
        let digest = baseline::digest(self.taken, &fields.items);
        let (catalogue, name) = (&self.view.catalogue, &self.actor.name);
        let revision = self.taken.revision();
        Ok(records::new_baseline(catalogue, fields, revision, digest, name, self.at, &mut self.ids)?)
    }
}

/// What a request does, on a view, as an assessment that is kept.
pub(super) fn answer(
    view: &View,
    request: &RequestForChange,
    at: DateTime<Utc>,
    policy: &Policy,
    pool: &Pool,
) -> Result<ChangeAnswer, ActError> {
    let question = ChangeQuestion { request, policy, budget: BUDGET, most: MOST, stop: None };
    Ok(change::assess(view, &question, Asked::now(at), pool)?)
}

/// Items by key; every one that nobody knows is named.
fn items_of(view: &View, keys: &[String]) -> Result<Vec<CiId>, ActError> {
    let (mut ids, mut problems) = (Vec::new(), Vec::new());
    for (at, key) in keys.iter().enumerate() {
        match find(&view.catalogue, key) {
            Ok(ix) => ids.push(view.catalogue.ci(ix).id),
            Err(error) => {
                problems.push(Problem::of(ProblemCode::NotFound, &format!("items.{at}"), error.to_string()));
            }
        }
    }
    if problems.is_empty() { Ok(ids) } else { Err(Problems(problems).into()) }
}
