//! What a request must say.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_catalogue::Catalogue;
use keelson_model::{
    Action, Alteration, Change, ChangeCategory, ChangeId, ChangeState, ChangeTemplate, IdSource, RequestForChange,
    Rollback, Step, Window,
};

use crate::workflow::is_same;
use crate::{Problem, ProblemCode, Problems};

/// Longest text of a request, in characters.
pub const MOST_TEXT: usize = 16_384;
/// Most items one request alters.
pub const MOST_ALTERATIONS: usize = 10_000;
/// Longest rollback, in minutes: 30 days.
pub const LONGEST_ROLLBACK: u32 = 43_200;

/// What people say in a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// What people call it; absent: numbered.
    pub key: Option<String>,
    /// What, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How it is decided on; absent: normal, or standard with a template.
    pub category: Option<ChangeCategory>,
    /// The template it is made from, by name.
    pub template: Option<String>,
    /// Who carries it out.
    pub team: Option<String>,
    /// Who asks for it, where that is not the one who writes it down.
    pub requester: Option<String>,
    /// The items it alters.
    pub alterations: Vec<Alteration>,
    /// When it is to be done.
    pub window: Option<Window>,
    /// How it is reversed.
    pub rollback: Option<Rollback>,
    /// How it is seen that it worked.
    pub verification: Option<String>,
    /// The releases it brings in.
    pub releases: Vec<String>,
}

/// A new request, in draft.
///
/// # Errors
/// Every reason why it cannot be one.
pub fn new(
    catalogue: &Catalogue,
    fields: &Fields,
    actor: &Arc<str>,
    at: DateTime<Utc>,
    ids: &mut impl IdSource,
) -> Result<Change<RequestForChange>, Problems> {
    let key = match fields.key.as_deref().map(str::trim).filter(|key| !key.is_empty()) {
        Some(key) => key.to_owned(),
        None => next_key(catalogue),
    };
    let mut request = RequestForChange {
        id: ChangeId::next(ids),
        key: Arc::from(key.as_str()),
        version: 1,
        title: Arc::from(""),
        reason: Arc::from(""),
        category: ChangeCategory::Normal,
        template: None,
        team: None,
        requester: Arc::clone(actor),
        edited_by: Vec::new(),
        alterations: Vec::new(),
        window: None,
        rollback: None,
        verification: None,
        releases: Vec::new(),
        state: ChangeState::Draft,
        steps: vec![Step { to: ChangeState::Draft, by: Arc::clone(actor), at, reason: None }],
        not_impacted: Vec::new(),
        assessment: None,
        approval: None,
        rechecks: Vec::new(),
        baseline: None,
        completion: None,
        review: None,
    };
    let mut problems = Vec::new();
    if catalogue.find_request(&key).is_some() {
        problems.push(Problem::of(ProblemCode::DuplicateKey, "key", format!("there is a request {key} already")));
    }
    if key.chars().count() > 100 || key.chars().any(|letter| letter.is_control() || letter == '/') {
        let message = "a key has at most 100 characters, and neither control characters nor slashes";
        problems.push(Problem::of(ProblemCode::BadValue, "key", message));
    }
    fill(catalogue, &mut request, fields, &mut problems);
    note_editor(&mut request, actor);
    Problems::none_or(problems)?;
    Ok(Change::created(request))
}

/// A request with other content. What was assessed and approved of it no longer holds: it goes back to
/// being submitted, or stays a draft.
///
/// # Errors
/// Every reason why not; also when the work has begun or is over.
pub fn altered(
    catalogue: &Catalogue,
    request: &Arc<RequestForChange>,
    fields: &Fields,
    actor: &Arc<str>,
    at: DateTime<Utc>,
) -> Result<Change<RequestForChange>, Problems> {
    use ChangeState::{Approved, Assessed, Draft, Scheduled, Submitted};
    let mut problems = Vec::new();
    if !matches!(request.state, Draft | Submitted | Assessed | Approved | Scheduled) {
        let message = format!("{} is {}; what it says can no longer be altered", request.key, said(request.state));
        problems.push(Problem::of(ProblemCode::IllegalTransition, "state", message));
    }
    let mut after = RequestForChange::clone(request);
    fill(catalogue, &mut after, fields, &mut problems);
    if after.alterations.is_empty() && request.state != Draft {
        let message = "what was handed in alters at least one item; name it, or give the request up";
        problems.push(Problem::of(ProblemCode::Missing, "alterations", message));
    }
    note_editor(&mut after, actor);
    // Who asked for it before wrote what it said, and does not come to decide on it by being replaced.
    note_editor(&mut after, &request.requester);
    Problems::none_or(problems)?;
    after.version += 1;
    after.assessment = None;
    after.approval = None;
    after.rechecks = Vec::new();
    if after.alterations != request.alterations {
        // What was judged by hand was judged of another change.
        after.not_impacted = Vec::new();
    }
    if !matches!(request.state, Draft | Submitted) {
        after.state = Submitted;
        let reason = Some(Arc::from("altered: what was assessed and decided no longer holds"));
        after.steps.push(Step { to: Submitted, by: Arc::clone(actor), at, reason });
    }
    Ok(Change::updated(Arc::clone(request), after))
}

/// Remembers who wrote what a request says, or judged it by hand, where that is not the requester.
pub(crate) fn note_editor(request: &mut RequestForChange, actor: &Arc<str>) {
    let is_known = request.edited_by.iter().any(|known| is_same(known, actor));
    if !is_known && !is_same(&request.requester, actor) {
        request.edited_by.push(Arc::clone(actor));
    }
}

/// The next number that nobody has.
fn next_key(catalogue: &Catalogue) -> String {
    let mut number = catalogue.request_count() + 1;
    loop {
        let key = format!("RFC-{number}");
        if catalogue.find_request(&key).is_none() {
            return key;
        }
        number += 1;
    }
}

/// A state as a sentence has it.
#[must_use]
pub fn said(state: ChangeState) -> &'static str {
    match state {
        ChangeState::InProgress => "in progress",
        ChangeState::BackedOut => "backed out",
        ChangeState::Draft => "a draft",
        other => other.as_str(),
    }
}

fn fill(catalogue: &Catalogue, request: &mut RequestForChange, fields: &Fields, problems: &mut Vec<Problem>) {
    let text = |field: &str, text: &str, problems: &mut Vec<Problem>| -> Arc<str> {
        if text.chars().count() > MOST_TEXT {
            problems.push(Problem::of(
                ProblemCode::BadValue,
                field,
                format!("the {field} is longer than {MOST_TEXT} characters"),
            ));
        }
        Arc::from(text.trim())
    };
    let optional = |field: &str, given: &Option<String>, problems: &mut Vec<Problem>| {
        given.as_deref().map(str::trim).filter(|given| !given.is_empty()).map(|given| text(field, given, problems))
    };
    request.title = text("title", &fields.title, problems);
    request.reason = text("reason", &fields.reason, problems);
    if request.title.is_empty() {
        problems.push(Problem::of(ProblemCode::Missing, "title", "a request needs a title: what is to be done"));
    }
    if request.reason.is_empty() {
        problems.push(Problem::of(ProblemCode::Missing, "reason", "a request needs a reason: why it is to be done"));
    }
    request.team = optional("team", &fields.team, problems);
    if let Some(requester) = optional("requester", &fields.requester, problems) {
        request.requester = requester;
    }
    request.window = fields.window;
    request.rollback = fields.rollback.clone();
    request.verification = optional("verification", &fields.verification, problems);
    request.releases = fields.releases.iter().map(|release| text("releases", release, problems)).collect();
    request.alterations.clone_from(&fields.alterations);
    request.template = optional("template", &fields.template, problems);
    let usual = if request.template.is_some() { ChangeCategory::Standard } else { ChangeCategory::Normal };
    request.category = fields.category.unwrap_or(usual);
    check_rollback(request, problems);
    check_alterations(catalogue, request, problems);
    check_template(catalogue, request, problems);
}

fn check_rollback(request: &RequestForChange, problems: &mut Vec<Problem>) {
    let Some(rollback) = &request.rollback else { return };
    if rollback.plan.trim().is_empty() {
        problems.push(Problem::of(ProblemCode::Missing, "rollback.plan", "say how the change is reversed"));
    }
    if !(1..=LONGEST_ROLLBACK).contains(&rollback.minutes) {
        let message = format!("a rollback takes 1 to {LONGEST_ROLLBACK} minutes, not {}", rollback.minutes);
        problems.push(Problem::of(ProblemCode::BadValue, "rollback.minutes", message));
    }
}

fn check_alterations(catalogue: &Catalogue, request: &RequestForChange, problems: &mut Vec<Problem>) {
    if request.alterations.len() > MOST_ALTERATIONS {
        let message = format!("a request alters at most {MOST_ALTERATIONS} items; make several of it");
        problems.push(Problem::of(ProblemCode::BadValue, "alterations", message));
    }
    let mut seen = HashSet::new();
    for (at, alteration) in request.alterations.iter().enumerate() {
        let field = format!("alterations.{at}");
        let Some(ix) = catalogue.find_id(alteration.ci) else {
            problems.push(Problem::of(ProblemCode::NotFound, &field, "there is no such configuration item"));
            continue;
        };
        let key = &catalogue.ci(ix).key;
        if !seen.insert(alteration.ci) {
            let message = format!("{key} is named twice; say once what is done to it");
            problems.push(Problem::of(ProblemCode::BadValue, &field, message));
        }
        if let Action::Degrades { loss } = alteration.action
            && !(loss > 0.0 && loss <= 1.0)
        {
            let message = format!("the loss of {key} is {loss}; it must lie above 0 and be at most 1");
            problems.push(Problem::of(ProblemCode::BadValue, &format!("{field}.loss"), message));
        }
        if !catalogue.ci(ix).is_in_service() && alteration.action.loss() > 0.0 {
            let message = format!("{key} is not in service; what is not there cannot be interrupted");
            problems.push(Problem::of(ProblemCode::BadValue, &field, message));
        }
    }
}

/// A standard change follows an approved template; other changes have none.
pub(crate) fn check_template(catalogue: &Catalogue, request: &RequestForChange, problems: &mut Vec<Problem>) {
    let is_standard = request.category == ChangeCategory::Standard;
    let Some(name) = &request.template else {
        if is_standard {
            let message = "a standard change follows a template; name one, or make it a normal change";
            problems.push(Problem::of(ProblemCode::Missing, "template", message));
        }
        return;
    };
    if !is_standard {
        let message = "only a standard change follows a template";
        problems.push(Problem::of(ProblemCode::BadValue, "category", message));
    }
    match catalogue.template(name) {
        None => problems.push(Problem::of(ProblemCode::NotFound, "template", format!("there is no template '{name}'"))),
        Some(kept) => against_template(catalogue, request, &kept.record, problems),
    }
}

fn against_template(
    catalogue: &Catalogue,
    request: &RequestForChange,
    template: &ChangeTemplate,
    problems: &mut Vec<Problem>,
) {
    let mut refuse = |field: &str, message: String| {
        problems.push(Problem::of(ProblemCode::BadValue, field, message));
    };
    if template.approved_by.is_none() || template.withdrawn_at.is_some() {
        let why = if template.withdrawn_at.is_some() { "was withdrawn" } else { "is not approved yet" };
        refuse("template", format!("the template '{}' {why}", template.name));
    }
    for (at, alteration) in request.alterations.iter().enumerate() {
        let field = format!("alterations.{at}");
        let Some(ix) = catalogue.find_id(alteration.ci) else { continue };
        let ci = catalogue.ci(ix);
        let classes = &catalogue.schema().classes;
        if !template.classes.iter().any(|class| classes.is_a(&ci.class, class)) {
            refuse(
                &field,
                format!("the template '{}' is not for {}, which is of class {}", template.name, ci.key, ci.class),
            );
        }
        let fits =
            |allowed: &Action| allowed.name() == alteration.action.name() && alteration.action.loss() <= allowed.loss();
        if !template.actions.iter().any(fits) {
            let action = alteration.action.name();
            refuse(&field, format!("the template '{}' does not allow '{action}' on {}", template.name, ci.key));
        }
    }
    let longest = i64::from(template.longest_minutes);
    if request.window.is_some_and(|window| window.length() > TimeDelta::minutes(longest)) {
        refuse("window", format!("the template '{}' allows {longest} minutes at most", template.name));
    }
}
