//! Requests in a list.

use keelson_model::{ChangeCategory, ChangeState, CiId, Effect, RequestForChange, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text;
use crate::{Asked, Basis, QuestionError, View};

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
