//! The books of change management as they stand: requests, calendar, disruptions, templates, baselines.

use chrono::{DateTime, Utc};
use keelson_change::calendar::Timed;
use keelson_model::{
    Baseline, CalendarEntry, CalendarKind, ChangeCategory, ChangeState, CiId, DisruptionKind, Effect, EffectOn,
    FrozenAssessment, RecheckReason, Recurrence, RequestForChange, Revision, Rollback, Step, Window,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{ChangeLine, NotImpactedLine};
use crate::schedule::find_request;
use crate::{Asked, Basis, LimitCode, QuestionError, Subject, View};

/// Items of an entry of the calendar that answers about changes name.
const MOST_ITEMS: usize = 100;
/// Names in a sentence.
const MOST_NAMES: usize = 3;

/// The effect on one service, as a request keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptEffect {
    /// The service.
    #[serde(flatten)]
    pub subject: Subject,
    /// What becomes of it, with every doubt read as good.
    pub at_best: Effect,
    /// What becomes of it, with every doubt read as bad.
    pub at_worst: Effect,
    /// The fraction of it that is lost.
    pub loss: f64,
    /// New single points of failure, by key.
    pub new_single_points: Vec<String>,
}

/// An assessment, as a request keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptAssessment {
    /// The revision it was computed at.
    pub revision: Revision,
    /// When.
    pub at: DateTime<Utc>,
    /// Who asked for it.
    pub by: String,
    /// Digest of what went in.
    pub inputs: String,
    /// Digest of the whole answer, under which it is kept.
    pub document: String,
    /// Whether nothing was cut off, hidden or without a rule.
    pub is_complete: bool,
    /// What made it a major change.
    pub major: Vec<String>,
    /// What it violates.
    pub violations: Vec<String>,
    /// With which requests it collides.
    pub collides_with: Vec<String>,
    /// Services that are breached, degraded or lose margin.
    pub effects: Vec<KeptEffect>,
}

/// The decision in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalLine {
    /// Who decided.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// What it was decided on.
    pub assessment: KeptAssessment,
}

/// A difference from what was approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecheckLine {
    /// The commit that caused it.
    pub cause: Revision,
    /// What kind of cause it is.
    pub reason: RecheckReason,
    /// When it was noticed.
    pub at: DateTime<Utc>,
    /// Services that are worse off than when it was approved.
    pub worse: Vec<KeptEffect>,
    /// Services that are better off.
    pub better: Vec<KeptEffect>,
    /// What it violates and did not when it was approved.
    pub violations: Vec<String>,
    /// With which requests it collides and did not when it was approved.
    pub collides_with: Vec<String>,
    /// Whether it must be approved again.
    pub needs_approval: bool,
}

/// How the work ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompletionLine {
    /// `done` or `backed_out`.
    pub outcome: ChangeState,
    /// When the work began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// Altered items that differ from the baseline, by key.
    pub showing: Vec<String>,
    /// Altered items that do not.
    pub not_showing: Vec<String>,
    /// Why it was closed although not everything shows.
    pub reason: Option<String>,
}

/// What was learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewLine {
    /// Who reviewed it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the services were watched.
    pub is_monitored: bool,
    /// Whether it failed.
    pub has_failed: bool,
    /// Incidents and problems linked to it.
    pub incidents: Vec<String>,
    /// What services lost: key, fraction, minutes.
    pub observed: Vec<(String, f64, u32)>,
    /// What was learnt.
    pub lessons: String,
}

/// One request as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// The request.
    pub change: ChangeLine,
    /// The template it was made from.
    pub template: Option<String>,
    /// How it is reversed.
    pub rollback: Option<Rollback>,
    /// How it is seen that it worked.
    pub verification: Option<String>,
    /// The releases it brings in.
    pub releases: Vec<String>,
    /// How it came where it stands, oldest first.
    pub steps: Vec<Step>,
    /// What was judged by hand to be not impacted.
    pub not_impacted: Vec<NotImpactedLine>,
    /// The last assessment.
    pub assessment: Option<KeptAssessment>,
    /// The decision in force.
    pub approval: Option<ApprovalLine>,
    /// What has changed since, oldest first.
    pub rechecks: Vec<RecheckLine>,
    /// The baseline taken when the work began, by name.
    pub baseline: Option<String>,
    /// How the work ended.
    pub completion: Option<CompletionLine>,
    /// What was learnt.
    pub review: Option<ReviewLine>,
}

/// One request in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestLine {
    /// What people call it.
    pub key: String,
    /// What, in a line.
    pub title: String,
    /// How it is decided on.
    pub category: ChangeCategory,
    /// Where it stands.
    pub state: ChangeState,
    /// When it is to be done.
    pub window: Option<Window>,
    /// Who asks for it.
    pub requester: String,
    /// Who carries it out.
    pub team: Option<String>,
    /// How many items it alters.
    pub alterations: usize,
    /// The worst effect its last assessment names.
    pub worst: Option<Effect>,
    /// Whether it must be approved again.
    pub needs_approval: bool,
}

/// Requests, by start of their windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestsAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// How many there are.
    pub total: usize,
    /// The requests.
    pub requests: Vec<RequestLine>,
}

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

/// A baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaselineLine {
    /// What people call it.
    pub name: String,
    /// The revision whose state it is.
    pub revision: Revision,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Who took it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// How the items were chosen.
    pub chosen: String,
    /// How many items it holds.
    pub items: usize,
    /// The first of them, by key.
    pub keys: Vec<String>,
    /// Digest of their state.
    pub digest: String,
    /// The request it was taken for.
    pub change: Option<String>,
}

/// Baselines, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaselinesAnswer {
    /// What the answer rests on.
    #[serde(flatten)]
    pub basis: Basis,
    /// How many there are.
    pub total: usize,
    /// The baselines.
    pub baselines: Vec<BaselineLine>,
}

fn text(text: &Option<std::sync::Arc<str>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

fn texts(texts: &[std::sync::Arc<str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn subject(view: &View, id: CiId) -> Subject {
    let found = view.catalogue.find_id(id).map(|ix| Subject::of(&view.catalogue, ix));
    found.unwrap_or_else(|| Subject { key: id.to_string(), class: String::new(), name: id.to_string() })
}

fn keys(view: &View, ids: &[CiId]) -> Vec<String> {
    ids.iter().map(|id| subject(view, *id).key).collect()
}

fn effects(view: &View, effects: &[EffectOn]) -> Vec<KeptEffect> {
    let line = |effect: &EffectOn| KeptEffect {
        subject: subject(view, effect.ci),
        at_best: effect.at_best,
        at_worst: effect.at_worst,
        loss: effect.loss,
        new_single_points: keys(view, &effect.new_single_points),
    };
    let mut lines: Vec<KeptEffect> = effects.iter().map(line).collect();
    lines.sort_by(|a, b| b.at_worst.cmp(&a.at_worst).then_with(|| a.subject.key.cmp(&b.subject.key)));
    lines
}

fn assessment(view: &View, kept: &FrozenAssessment) -> KeptAssessment {
    KeptAssessment {
        revision: kept.revision,
        at: kept.at,
        by: kept.by.to_string(),
        inputs: kept.inputs.to_string(),
        document: kept.document.to_string(),
        is_complete: kept.is_complete,
        major: texts(&kept.major),
        violations: texts(&kept.violations),
        collides_with: texts(&kept.collides_with),
        effects: effects(view, &kept.effects),
    }
}

/// One request as it stands.
///
/// # Errors
/// When nobody knows it.
pub fn request(view: &View, key: &str, asked: Asked) -> Result<RequestAnswer, QuestionError> {
    let request = find_request(view, key)?;
    let baseline = request.baseline.and_then(|id| view.catalogue.baseline(id));
    let judged = request.not_impacted.iter().map(|marked| NotImpactedLine {
        subject: subject(view, marked.ci),
        by: marked.by.to_string(),
        at: marked.at,
        reason: marked.reason.to_string(),
    });
    Ok(RequestAnswer {
        basis: Basis::of(view, asked),
        change: ChangeLine::of(view, request),
        template: text(&request.template),
        rollback: request.rollback.clone(),
        verification: text(&request.verification),
        releases: texts(&request.releases),
        steps: request.steps.clone(),
        not_impacted: judged.collect(),
        assessment: request.assessment.as_ref().map(|kept| assessment(view, kept)),
        approval: request.approval.as_ref().map(|approval| ApprovalLine {
            by: approval.by.to_string(),
            at: approval.at,
            reason: text(&approval.reason),
            assessment: assessment(view, &approval.assessment),
        }),
        rechecks: rechecks(view, request),
        baseline: baseline.map(|kept| kept.record.name.to_string()),
        completion: completion(view, request),
        review: review(view, request),
    })
}

fn rechecks(view: &View, request: &RequestForChange) -> Vec<RecheckLine> {
    let line = |recheck: &keelson_model::Recheck| RecheckLine {
        cause: recheck.cause,
        reason: recheck.reason,
        at: recheck.at,
        worse: effects(view, &recheck.worse),
        better: effects(view, &recheck.better),
        violations: texts(&recheck.violations),
        collides_with: texts(&recheck.collides_with),
        needs_approval: recheck.needs_approval,
    };
    request.rechecks.iter().map(line).collect()
}

fn completion(view: &View, request: &RequestForChange) -> Option<CompletionLine> {
    let done = request.completion.as_ref()?;
    Some(CompletionLine {
        outcome: done.outcome,
        started_at: done.started_at,
        finished_at: done.finished_at,
        showing: keys(view, &done.showing),
        not_showing: keys(view, &done.not_showing),
        reason: text(&done.reason),
    })
}

fn review(view: &View, request: &RequestForChange) -> Option<ReviewLine> {
    let review = request.review.as_ref()?;
    Some(ReviewLine {
        by: review.by.to_string(),
        at: review.at,
        is_monitored: review.is_monitored,
        has_failed: review.has_failed,
        incidents: texts(&review.incidents),
        observed: review.observed.iter().map(|loss| (subject(view, loss.ci).key, loss.loss, loss.minutes)).collect(),
        lessons: review.lessons.to_string(),
    })
}

/// Which requests are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RequestFilter {
    /// Only those in these states; empty means those whose work may be ahead or under way.
    pub states: Vec<ChangeState>,
    /// Also those whose work is over, when no states are named.
    pub all: bool,
    /// Only those whose window has something in common with this.
    pub within: Option<Window>,
    /// Only those that alter this item, by key.
    pub item: Option<String>,
}

/// Requests, by start of their windows; those without one last.
///
/// # Errors
/// When nobody knows the item.
pub fn requests(
    view: &View,
    filter: &RequestFilter,
    skip: usize,
    most: usize,
    asked: Asked,
) -> Result<RequestsAnswer, QuestionError> {
    let item = filter.item.as_deref().map(|key| crate::find(&view.catalogue, key)).transpose()?;
    let item = item.map(|ix| view.catalogue.ci(ix).id);
    let is_wanted = |request: &&RequestForChange| {
        let state = if filter.states.is_empty() {
            filter.all || request.state.is_open()
        } else {
            filter.states.contains(&request.state)
        };
        let meets = |within: Window| request.window.is_some_and(|window| window.overlap(&within).is_some());
        let alters = |item: CiId| request.alterations.iter().any(|alteration| alteration.ci == item);
        state && filter.within.is_none_or(meets) && item.is_none_or(alters)
    };
    let all = view.catalogue.requests().map(|kept| &*kept.record);
    let mut found: Vec<&RequestForChange> = all.filter(is_wanted).collect();
    found.sort_by_key(|request| {
        let start = request.window.map(|window| window.start());
        (start.is_none(), start, request.id)
    });
    let lines: Vec<RequestLine> = found.iter().skip(skip).take(most).map(|request| line(request)).collect();
    let mut basis = Basis::of(view, asked);
    basis.page("requests", lines.len(), found.len());
    Ok(RequestsAnswer { basis, total: found.len(), requests: lines })
}

fn line(request: &RequestForChange) -> RequestLine {
    let assessment = request.approval.as_ref().map(|approval| &approval.assessment).or(request.assessment.as_ref());
    RequestLine {
        key: request.key.to_string(),
        title: request.title.to_string(),
        category: request.category,
        state: request.state,
        window: request.window,
        requester: request.requester.to_string(),
        team: text(&request.team),
        alterations: request.alterations.len(),
        worst: assessment
            .map(|kept| kept.effects.iter().map(|effect| effect.at_worst).max().unwrap_or(Effect::Protected)),
        needs_approval: request.needs_approval_again(),
    }
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

/// Baselines, newest first.
#[must_use]
pub fn baselines(view: &View, skip: usize, most: usize, most_keys: usize, asked: Asked) -> BaselinesAnswer {
    let total = view.catalogue.baselines().count();
    let lines: Vec<BaselineLine> = view
        .catalogue
        .baselines()
        .rev()
        .skip(skip)
        .take(most)
        .map(|kept| baseline(view, &kept.record, most_keys))
        .collect();
    let mut basis = Basis::of(view, asked);
    basis.page("baselines", lines.len(), total);
    BaselinesAnswer { basis, total, baselines: lines }
}

/// One baseline.
#[must_use]
pub fn baseline(view: &View, baseline: &Baseline, most_keys: usize) -> BaselineLine {
    let change = baseline.change.and_then(|id| view.catalogue.request(id));
    BaselineLine {
        name: baseline.name.to_string(),
        revision: baseline.revision,
        at: baseline.at,
        by: baseline.by.to_string(),
        reason: text(&baseline.reason),
        chosen: baseline.chosen.to_string(),
        items: baseline.items.len(),
        keys: keys(view, &baseline.items[..baseline.items.len().min(most_keys)]),
        digest: baseline.digest.to_string(),
        change: change.map(|kept| kept.record.key.to_string()),
    }
}
