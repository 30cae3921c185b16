//! The steps of a request, who may take them, and on what conditions.
//!
//! ```text
//! draft ─▶ submitted ─▶ assessed ─▶ approved ─▶ scheduled ─▶ in progress ─▶ done ───────▶ reviewed
//!                           │           └────────────────────▲    └───────▶ backed out ──▶ reviewed
//!                           └─▶ rejected       before the work begins: ─▶ cancelled
//! ```
//!
//! An approved request is assessed again by [`assess`] when something changed that it rests on; that
//! takes it back to being assessed, until somebody approves it again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_catalogue::Catalogue;
use keelson_model::{
    Approval, BaselineId, Change, ChangeCategory, ChangeState, CiId, Completion, FrozenAssessment, NotImpacted,
    RequestForChange, ReviewRecord, Step,
};

use crate::draft::{self, said};
use crate::recheck::{Difference, difference};
use crate::{Policy, Problem, ProblemCode, Problems};

/// Who takes a step, and when.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// Who.
    pub actor: &'a Arc<str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, in their words.
    pub reason: Option<&'a Arc<str>>,
}

/// A step in the making.
struct Stepping<'a> {
    request: &'a Arc<RequestForChange>,
    by: By<'a>,
    problems: Vec<Problem>,
}

impl<'a> Stepping<'a> {
    fn new(request: &'a Arc<RequestForChange>, by: By<'a>, verb: &str, from: &[ChangeState]) -> Self {
        let mut stepping = Self { request, by, problems: Vec::new() };
        if !from.contains(&request.state) {
            let allowed: Vec<&str> = from.iter().map(|state| said(*state)).collect();
            let message = format!(
                "{} is {}; it can be {verb} when it is {}",
                request.key,
                said(request.state),
                allowed.join(" or ")
            );
            stepping.refuse(ProblemCode::IllegalTransition, "state", message);
        }
        stepping
    }

    fn refuse(&mut self, code: ProblemCode, field: &str, message: impl Into<String>) {
        self.problems.push(Problem::of(code, field, message));
    }

    fn need_reason(&mut self, what: &str) {
        if self.by.reason.is_none_or(|reason| reason.trim().is_empty()) {
            self.refuse(ProblemCode::Missing, "reason", format!("say why {what}"));
        }
    }

    /// The request after the step, unless something speaks against it.
    fn done(
        self,
        to: ChangeState,
        change: impl FnOnce(&mut RequestForChange),
    ) -> Result<Change<RequestForChange>, Problems> {
        Problems::none_or(self.problems)?;
        let mut after = RequestForChange::clone(self.request);
        after.version += 1;
        after.state = to;
        let By { actor, at, reason } = self.by;
        after.steps.push(Step { to, by: Arc::clone(actor), at, reason: reason.cloned() });
        change(&mut after);
        Ok(Change::updated(Arc::clone(self.request), after))
    }
}

/// Hands a draft in.
///
/// # Errors
/// Every reason why not.
pub fn submit(request: &Arc<RequestForChange>, by: By<'_>) -> Result<Change<RequestForChange>, Problems> {
    let mut step = Stepping::new(request, by, "submitted", &[ChangeState::Draft]);
    if request.alterations.is_empty() {
        let message = "name at least one item the change alters, and what is done to it";
        step.refuse(ProblemCode::Missing, "alterations", message);
    }
    step.done(ChangeState::Submitted, |_| {})
}

/// Keeps an assessment with the request; one that was approved has to be approved again.
///
/// # Errors
/// Every reason why not.
pub fn assess(
    request: &Arc<RequestForChange>,
    assessment: FrozenAssessment,
    by: By<'_>,
) -> Result<Change<RequestForChange>, Problems> {
    use ChangeState::{Approved, Assessed, Scheduled, Submitted};
    let step = Stepping::new(request, by, "assessed", &[Submitted, Assessed, Approved, Scheduled]);
    step.done(Assessed, |after| {
        after.assessment = Some(assessment);
        after.approval = None;
        after.rechecks = Vec::new();
    })
}

/// Marks an item as not impacted. What was assessed without that no longer holds.
///
/// # Errors
/// Every reason why not: in particular when the request itself alters the item.
pub fn mark_not_impacted(
    request: &Arc<RequestForChange>,
    ci: CiId,
    by: By<'_>,
) -> Result<Change<RequestForChange>, Problems> {
    use ChangeState::{Assessed, Draft, Submitted};
    let mut step = Stepping::new(request, by, "judged by hand", &[Draft, Submitted, Assessed]);
    step.need_reason("the item is not impacted");
    if request.alterations.iter().any(|alteration| alteration.ci == ci) {
        let message = "the request itself alters this item; change what is done to it instead";
        step.refuse(ProblemCode::BadValue, "item", message);
    }
    if request.not_impacted.iter().any(|known| known.ci == ci) {
        step.refuse(ProblemCode::BadValue, "item", "the item is marked already");
    }
    let reason = by.reason.cloned().unwrap_or_default();
    let to = if request.state == Assessed { Submitted } else { request.state };
    step.done(to, |after| {
        after.not_impacted.push(NotImpacted { ci, by: Arc::clone(by.actor), at: by.at, reason });
        after.assessment = None;
        // Whoever makes it look harmless does not decide on it as well.
        draft::note_editor(after, by.actor);
    })
}

/// Approves a request. `fresh` is its assessment as of now: the decision rests on it, and it must say
/// what the assessment says that people have looked at. A standard change
/// must still follow its template, and that must still be approved.
///
/// # Errors
/// Every reason why not.
pub fn approve(
    request: &Arc<RequestForChange>,
    fresh: FrozenAssessment,
    catalogue: &Catalogue,
    by: By<'_>,
    policy: &Policy,
) -> Result<Change<RequestForChange>, Problems> {
    let mut step = Stepping::new(request, by, "approved", &[ChangeState::Assessed]);
    if request.window.is_none() {
        step.refuse(ProblemCode::Missing, "window", "without a window nothing can be approved: say when it is done");
    }
    if request.rollback.is_none() {
        let message = "without a rollback plan nothing can be approved: say how it is reversed and how long that takes";
        step.refuse(ProblemCode::Missing, "rollback", message);
    }
    match &request.assessment {
        None => {
            let message = "without an assessed impact nothing can be approved: assess it first";
            step.refuse(ProblemCode::Missing, "assessment", message);
        }
        Some(seen) => {
            if let Some(changed) = outdated(seen, &fresh) {
                step.refuse(ProblemCode::Outdated, "assessment", changed);
            }
        }
    }
    // The template as it is now: it may have been withdrawn or written anew since.
    draft::check_template(catalogue, request, &mut step.problems);
    may_approve(&mut step, policy);
    heeds_calendar(&mut step, &fresh);
    let template = request.template.as_deref().and_then(|name| catalogue.template(name));
    let decided_by = template.and_then(|kept| kept.record.approved_by.clone()).unwrap_or_else(|| Arc::clone(by.actor));
    step.done(ChangeState::Approved, |after| {
        let reason = by.reason.cloned();
        after.approval = Some(Approval { by: decided_by, at: by.at, reason, assessment: fresh });
        after.rechecks = Vec::new();
    })
}

/// What an assessment people have seen no longer says.
fn outdated(seen: &FrozenAssessment, fresh: &FrozenAssessment) -> Option<String> {
    let Difference { worse, better } = difference(&seen.effects, &fresh.effects);
    let same = worse.is_empty()
        && better.is_empty()
        && seen.violations == fresh.violations
        && seen.collides_with == fresh.collides_with;
    (!same).then(|| {
        format!(
            "what was assessed at revision {} is no longer so at revision {}: {} services are worse off, {} better; \
             assess it again and look at it",
            seen.revision,
            fresh.revision,
            worse.len(),
            better.len()
        )
    })
}

fn may_approve(step: &mut Stepping<'_>, policy: &Policy) {
    let (request, actor) = (step.request, step.by.actor);
    match request.category {
        // Its template was approved by somebody else than its author.
        ChangeCategory::Standard => {}
        ChangeCategory::Normal | ChangeCategory::Emergency if is_same(&request.requester, actor) => {
            let message = format!("{actor} asks for this change and cannot approve it; somebody else must");
            step.refuse(ProblemCode::NotAllowed, "state", message);
        }
        ChangeCategory::Normal | ChangeCategory::Emergency
            if request.edited_by.iter().any(|editor| is_same(editor, actor)) =>
        {
            let message =
                format!("{actor} wrote or judged what this request says and cannot approve it; somebody else must");
            step.refuse(ProblemCode::NotAllowed, "state", message);
        }
        ChangeCategory::Normal => {}
        ChangeCategory::Emergency => {
            if !policy.emergency_approvers.iter().any(|named| is_same(named, actor)) {
                let message = if policy.emergency_approvers.is_empty() {
                    "nobody is named in the policy (emergency_approvers) who may approve emergency changes".to_owned()
                } else {
                    format!("{actor} may not approve emergency changes; {} may", policy.emergency_approvers.join(", "))
                };
                step.refuse(ProblemCode::NotAllowed, "state", message);
            }
        }
    }
}

/// What violates the calendar is not done, unless it is an emergency, and then not without a word.
fn heeds_calendar(step: &mut Stepping<'_>, fresh: &FrozenAssessment) {
    let emergency = step.request.category == ChangeCategory::Emergency;
    if !fresh.violations.is_empty() && !emergency {
        let message = format!("{}; move the change, or make it an emergency change", fresh.violations.join("; "));
        step.refuse(ProblemCode::CalendarViolated, "window", message);
    } else if !fresh.violations.is_empty() {
        step.need_reason("an emergency change violates the calendar");
    }
    if !fresh.collides_with.is_empty() {
        step.need_reason(&format!("it is approved although it collides with {}", fresh.collides_with.join(", ")));
    }
}

/// Whether two names mean the same person.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Rejects a request.
///
/// # Errors
/// Every reason why not.
pub fn reject(request: &Arc<RequestForChange>, by: By<'_>) -> Result<Change<RequestForChange>, Problems> {
    let mut step = Stepping::new(request, by, "rejected", &[ChangeState::Submitted, ChangeState::Assessed]);
    step.need_reason("it is rejected");
    step.done(ChangeState::Rejected, |_| {})
}

/// Gives a request up before its work has begun.
///
/// # Errors
/// Every reason why not.
pub fn cancel(request: &Arc<RequestForChange>, by: By<'_>) -> Result<Change<RequestForChange>, Problems> {
    use ChangeState::{Approved, Assessed, Draft, Scheduled, Submitted};
    let mut step = Stepping::new(request, by, "cancelled", &[Draft, Submitted, Assessed, Approved, Scheduled]);
    step.need_reason("it is given up");
    step.done(ChangeState::Cancelled, |_| {})
}

/// Gives an approved request its place in the calendar.
///
/// # Errors
/// Every reason why not.
pub fn schedule(request: &Arc<RequestForChange>, by: By<'_>) -> Result<Change<RequestForChange>, Problems> {
    let mut step = Stepping::new(request, by, "scheduled", &[ChangeState::Approved]);
    if request.needs_approval_again() {
        let message = "what it rests on has changed since it was approved; assess it and approve it again";
        step.refuse(ProblemCode::Outdated, "approval", message);
    }
    if request.window.is_some_and(|window| window.end() <= by.at) {
        step.refuse(ProblemCode::BadValue, "window", "its window is over; give it another one");
    }
    step.done(ChangeState::Scheduled, |_| {})
}

/// Begins the work. `closed` says everything that keeps the gate closed; `baseline` is the state of what
/// the change affects, taken now.
///
/// # Errors
/// Every reason why not.
pub fn start(
    request: &Arc<RequestForChange>,
    closed: &[Problem],
    baseline: BaselineId,
    by: By<'_>,
) -> Result<Change<RequestForChange>, Problems> {
    let mut step = Stepping::new(request, by, "started", &[ChangeState::Approved, ChangeState::Scheduled]);
    step.problems.extend(closed.iter().filter(|problem| problem.code != ProblemCode::IllegalTransition).cloned());
    step.done(ChangeState::InProgress, |after| after.baseline = Some(baseline))
}

/// Ends the work.
///
/// # Errors
/// Every reason why not: in particular when it is said to be done, does not show in the catalogue, and
/// no reason is given.
pub fn finish(
    request: &Arc<RequestForChange>,
    mut completion: Completion,
    by: By<'_>,
) -> Result<Change<RequestForChange>, Problems> {
    let mut step = Stepping::new(request, by, "finished", &[ChangeState::InProgress]);
    let to = completion.outcome;
    if to == ChangeState::Done && !completion.not_showing.is_empty() {
        let message = format!(
            "the change does not show in the catalogue for {} of its items; import what has changed first, or say why \
             it does not show",
            completion.not_showing.len()
        );
        if by.reason.is_none_or(|reason| reason.trim().is_empty()) {
            step.refuse(ProblemCode::Missing, "reason", message);
        }
    }
    if to == ChangeState::BackedOut {
        step.need_reason("it was backed out");
    }
    completion.reason = by.reason.cloned();
    step.done(to, |after| after.completion = Some(completion))
}

/// Writes down what was learnt.
///
/// # Errors
/// Every reason why not.
pub fn review(
    request: &Arc<RequestForChange>,
    record: ReviewRecord,
    by: By<'_>,
) -> Result<Change<RequestForChange>, Problems> {
    let mut step = Stepping::new(request, by, "reviewed", &[ChangeState::Done, ChangeState::BackedOut]);
    if record.lessons.trim().is_empty() {
        step.refuse(ProblemCode::Missing, "lessons", "say what was learnt, if only that all went as predicted");
    }
    for (at, observed) in record.observed.iter().enumerate() {
        if !(observed.loss > 0.0 && observed.loss <= 1.0) {
            let message = format!("the loss is {}; it must lie above 0 and be at most 1", observed.loss);
            step.refuse(ProblemCode::BadValue, &format!("observed.{at}.loss"), message);
        }
    }
    if !record.is_monitored && !record.observed.is_empty() {
        let message = "losses were observed, so the services were watched; say that they were";
        step.refuse(ProblemCode::BadValue, "is_monitored", message);
    }
    step.done(ChangeState::Reviewed, |after| after.review = Some(record))
}
