//! The chance that a change fails, from what became of its like.

use std::collections::HashMap;

use keelson_analysis::risk::{Estimate, History, Kind, Level, Prior};
use keelson_change::Policy;
use keelson_model::{ChangeState, RequestForChange};

use crate::View;

/// Numbers for names, in order of their first use.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn of(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

/// What became of the requests whose work is over, and which kind the one in question is.
///
/// A reviewed request failed when its review says so; one that is not reviewed yet failed when it was
/// backed out. A request reviewed without anybody having watched counts in neither.
#[must_use]
pub fn histories(view: &View, request: &RequestForChange) -> (History, Kind) {
    let (mut classes, mut teams, mut templates) = (Numbers::default(), Numbers::default(), Numbers::default());
    let mut kind = |request: &RequestForChange| Kind {
        class: class_of(view, request).map(|class| classes.of(&class)),
        team: request.team.as_ref().map(|team| teams.of(team)),
        template: request.template.as_ref().map(|template| templates.of(template)),
    };
    let mut history = History::new();
    for kept in view.catalogue.requests().filter(|kept| kept.record.id != request.id) {
        if let Some(failed) = has_failed(&kept.record) {
            history.note(kind(&kept.record), failed);
        }
    }
    let own = kind(request);
    (history, own)
}

/// Whether a change whose work is over failed; absent while nobody can know.
#[must_use]
pub fn has_failed(request: &RequestForChange) -> Option<bool> {
    match (&request.review, request.state) {
        (Some(review), _) if review.is_monitored => Some(review.has_failed),
        (Some(_), _) => request.completion.as_ref().filter(|done| done.outcome == ChangeState::BackedOut).map(|_| true),
        (None, ChangeState::BackedOut) => Some(true),
        (None, ChangeState::Done) => Some(false),
        (None, _) => None,
    }
}

/// The class most of the altered items have; of two as frequent, the first by name.
fn class_of(view: &View, request: &RequestForChange) -> Option<String> {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for alteration in &request.alterations {
        if let Some(ix) = view.catalogue.find_id(alteration.ci) {
            *counts.entry(view.catalogue.ci(ix).class.as_str()).or_default() += 1;
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(class, _)| class.to_owned())
}

/// The chance that a request fails.
pub(crate) fn estimate(view: &View, request: &RequestForChange, policy: &Policy) -> Estimate {
    let (history, kind) = histories(view, request);
    history.estimate(Prior { mean: policy.usual_failure, strength: policy.prior_strength }, kind)
}

/// Which changes an estimate rests on, in words.
pub(crate) fn like(level: Level) -> &'static str {
    match level {
        Level::Portfolio => "all changes",
        Level::Class => "changes to the same class of items",
        Level::Team => "changes of the same team to the same class of items",
        Level::Template => "changes by the same template",
    }
}
