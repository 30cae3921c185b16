//! What clients give, as acts on keys and names.

use async_graphql::ID;
use keelson_app::answers::View;
use keelson_app::change::{Problem, ProblemCode};
use keelson_app::{ActError, AlterationInput, ObservedInput, RequestInput, ReviewInput, Selection, Subject};
use keelson_model::{Action, Recurrence, Rollback};

use crate::errors::Refusal;
use crate::ids;
use crate::inputs::change::{
    BaselineSelection, PermittedActionInput, PutChangeTemplateInput, RequestForChangeContent,
    ReviewRequestForChangeInput, RollbackInput,
};
use crate::limits::LONGEST_LIST;
use crate::types::change::WindowInput;
use crate::types::payload::{UserError, UserErrorCode, camel, check_text};
use crate::types::scalar::Duration;

/// Most items that one input names.
const MOST_ITEMS: usize = 1_000;

/// Why something given leads to no act.
pub(super) enum Stopped {
    /// Nobody using the product correctly meets it.
    Refused(Refusal),
    /// A person can mend it.
    Errors(Vec<UserError>),
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Vec<UserError>> for Stopped {
    fn from(errors: Vec<UserError>) -> Self {
        Self::Errors(errors)
    }
}

impl From<ActError> for Stopped {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(problems) => Self::Errors(problems.0.into_iter().map(user_error).collect()),
            ActError::Question(error) => Self::Refused(error.into()),
            ActError::Failed(error) => Self::Refused(error.into()),
        }
    }
}

/// What was given, unless it leads to nothing.
pub(super) type Given<T> = Result<T, Stopped>;

/// A value that its field does not take.
pub(super) fn bad(field: &[&str], message: impl Into<String>) -> Stopped {
    Stopped::Errors(vec![UserError::of(UserErrorCode::BadValue, field, message)])
}

/// There is no such record.
pub(super) fn missing(field: &[&str], message: impl Into<String>) -> Stopped {
    Stopped::Errors(vec![UserError::of(UserErrorCode::NotFound, field, message)])
}

/// A problem, with the names that the schema has for its fields.
fn user_error(problem: Problem) -> UserError {
    let mut field: Vec<String> = problem.field.iter().map(|part| camel(part)).collect();
    for (at, part) in field.iter_mut().enumerate() {
        let name = match (at, part.as_str()) {
            (0, "item") | (2, "key") => "itemId",
            (0, "longestMinutes") => "longestWindow",
            (0, "from") => "start",
            (0, "until") => "end",
            (1, "minutes") => "duration",
            _ => continue,
        };
        name.clone_into(part);
    }
    let current_version = problem.current_version;
    UserError { field, code: problem.code.into(), message: problem.message, current_version }
}

/// The problems of a request, whose words stand in the input's `content`.
pub(super) fn in_content(mut errors: Vec<UserError>) -> Vec<UserError> {
    const INSIDE: [&str; 10] = [
        "title",
        "reason",
        "category",
        "template",
        "team",
        "alterations",
        "window",
        "rollback",
        "verification",
        "releases",
    ];
    for error in &mut errors {
        if error.field.first().is_some_and(|first| INSIDE.contains(&first.as_str())) {
            error.field.insert(0, "content".to_owned());
        }
    }
    errors
}

/// The request of an identifier.
pub(super) fn subject(view: &View, id: &ID) -> Given<Subject> {
    Ok(Subject { key: request_key(view, id, "id")? })
}

/// The key of the request of an identifier.
pub(super) fn request_key(view: &View, id: &ID, field: &str) -> Given<String> {
    let kept = view.catalogue.request(ids::change(id)?);
    let kept = kept.ok_or_else(|| missing(&[field], format!("there is no request for change '{}'", id.as_str())))?;
    Ok(kept.record.key.to_string())
}

/// The key of the item of an identifier.
pub(super) fn item_key(view: &View, id: &ID, field: &[&str]) -> Given<String> {
    let found = view.catalogue.find_id(ids::ci(id)?);
    let ix = found.ok_or_else(|| missing(field, format!("there is no configuration item '{}'", id.as_str())))?;
    Ok(view.catalogue.ci(ix).key.to_string())
}

/// The keys of the items of some identifiers.
pub(super) fn item_keys(view: &View, given: &[ID], field: &[&str]) -> Given<Vec<String>> {
    few(given.len(), MOST_ITEMS, field)?;
    let key = |(at, id): (usize, &ID)| {
        let at = at.to_string();
        let place: Vec<&str> = field.iter().copied().chain([at.as_str()]).collect();
        item_key(view, id, &place)
    };
    given.iter().enumerate().map(key).collect()
}

fn few(given: usize, most: usize, field: &[&str]) -> Given<()> {
    if given <= most { Ok(()) } else { Err(bad(field, format!("{given} are given; {most} are the most"))) }
}

/// The window given.
pub(super) fn window(given: WindowInput) -> Given<keelson_model::Window> {
    given.window().map_err(|message| bad(&["window"], message))
}

/// A recurrence given.
pub(super) fn recurrence(given: &crate::inputs::change::RecurrenceInput) -> Recurrence {
    Recurrence { rule: given.rule.as_str().into(), zone: given.zone.as_str().into() }
}

/// A duration given, in minutes.
fn minutes(given: Duration, field: &[&str]) -> Given<u32> {
    let seconds = given.0.num_seconds();
    let whole = (seconds % 60 == 0).then_some(seconds / 60).and_then(|minutes| u32::try_from(minutes).ok());
    whole.ok_or_else(|| bad(field, "give whole minutes, such as PT90M"))
}

/// The plan of a reversal.
pub(super) fn rollback(given: &RollbackInput) -> Given<Rollback> {
    let minutes = minutes(given.duration, &["rollback", "duration"])?;
    Ok(Rollback { plan: given.plan.as_str().into(), minutes })
}

/// A text that people read in a list.
pub(super) fn line(field: &str, text: &str) -> Given<()> {
    Ok(check_text(field, text)?)
}

/// What a request is to say.
pub(super) fn content(view: &View, key: Option<String>, given: &RequestForChangeContent) -> Given<RequestInput> {
    if let Some(key) = &key {
        line("key", key)?;
    }
    let lines = [("template", &given.template), ("team", &given.team)];
    line("title", &given.title)?;
    for (field, text) in lines {
        text.as_deref().map_or(Ok(()), |text| line(field, text))?;
    }
    few(given.alterations.len(), MOST_ITEMS, &["alterations"])?;
    few(given.releases.len(), LONGEST_LIST, &["releases"])?;
    let alteration = |(at, one): (usize, &crate::inputs::change::AlterationInput)| -> Given<AlterationInput> {
        let at = at.to_string();
        let key = item_key(view, &one.item_id, &["alterations", &at, "itemId"])?;
        let action = one.action.action(one.loss).map_err(|message| bad(&["alterations", &at, "loss"], message))?;
        Ok(AlterationInput { key, action })
    };
    Ok(RequestInput {
        key,
        title: given.title.clone(),
        reason: given.reason.clone(),
        category: given.category.map(Into::into),
        template: given.template.clone(),
        team: given.team.clone(),
        requester: None,
        alterations: given.alterations.iter().enumerate().map(alteration).collect::<Given<_>>()?,
        window: given.window.map(window).transpose()?,
        rollback: given.rollback.as_ref().map(rollback).transpose()?,
        verification: given.verification.clone(),
        releases: given.releases.clone(),
    })
}

/// What a reviewer says.
pub(super) fn review(view: &View, given: &ReviewRequestForChangeInput) -> Given<ReviewInput> {
    few(given.incidents.len(), LONGEST_LIST, &["incidents"])?;
    few(given.observed.len(), LONGEST_LIST, &["observed"])?;
    let observed = |(at, one): (usize, &crate::inputs::change::ObservedLossInput)| -> Given<ObservedInput> {
        let at = at.to_string();
        Ok(ObservedInput {
            key: item_key(view, &one.item_id, &["observed", &at, "itemId"])?,
            loss: one.loss,
            minutes: minutes(one.duration, &["observed", &at, "duration"])?,
            reference: one.reference.clone(),
        })
    };
    Ok(ReviewInput {
        is_monitored: given.is_monitored,
        incidents: given.incidents.clone(),
        observed: given.observed.iter().enumerate().map(observed).collect::<Given<_>>()?,
        has_failed: given.has_failed,
        lessons: given.lessons.clone(),
    })
}

/// What a template says: its classes, what it permits, its longest window in minutes.
pub(super) fn template(view: &View, given: &PutChangeTemplateInput) -> Given<(Vec<String>, Vec<Action>, u32)> {
    line("name", &given.name)?;
    line("title", &given.title)?;
    few(given.classes.len(), LONGEST_LIST, &["classes"])?;
    few(given.actions.len(), LONGEST_LIST, &["actions"])?;
    // Names are interned for the life of the process, so only known ones are let in.
    for (at, class) in given.classes.iter().enumerate() {
        if view.catalogue.schema().classes.get(class).is_none() {
            let message = format!("there is no class '{class}'");
            let error = UserError::of(UserErrorCode::UnknownClass, &["classes", &at.to_string()], message);
            return Err(Stopped::Errors(vec![error]));
        }
    }
    let action = |(at, one): (usize, &PermittedActionInput)| {
        let field = ["actions", &at.to_string(), "largestLoss"];
        one.action.action(one.largest_loss).map_err(|message| bad(&field, message))
    };
    let actions = given.actions.iter().enumerate().map(action).collect::<Given<_>>()?;
    Ok((given.classes.clone(), actions, minutes(given.longest_window, &["longestWindow"])?))
}

/// Refuses a template that somebody wrote whom the caller did not know of.
pub(super) fn unseen_template(view: &View, name: &str, expected_version: Option<u32>) -> Given<()> {
    let known = view.catalogue.template(name.trim()).map(|kept| kept.record.version);
    match (expected_version, known) {
        (None, Some(known)) => {
            let message = format!("there is a template of that name, at version {known}; say that you have seen it");
            let error = UserError::of(ProblemCode::VersionConflict.into(), &["expectedVersion"], message);
            Err(Stopped::Errors(vec![UserError { current_version: Some(known), ..error }]))
        }
        _ => Ok(()),
    }
}

/// Which items a baseline is to hold.
pub(super) fn selection(view: &View, given: &BaselineSelection) -> Given<Selection> {
    Ok(match given {
        BaselineSelection::ItemIds(all) => Selection::Items(item_keys(view, all, &["items", "itemIds"])?),
        BaselineSelection::WithDependenciesOf(all) => {
            Selection::Cone(item_keys(view, all, &["items", "withDependenciesOf"])?)
        }
        BaselineSelection::RequestForChangeId(id) => Selection::Change(request_key(view, id, "items")?),
    })
}
