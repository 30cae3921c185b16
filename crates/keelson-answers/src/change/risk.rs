//! The chance that a change fails, from what became of its like.

use chrono::{DateTime, Utc};
use keelson_analysis::risk::{Estimate, History, Kind, Level, Prior};
use keelson_change::Policy;
use keelson_model::RequestForChange;

use crate::View;
use crate::review::{Kinds, outcome_of, work_of};

/// What became of the requests whose work is over, and which kind the one in question is.
///
/// Counts what [`has_failed`] knows of at the time of the view's last commit. Of a request whose own
/// work is over, it is the history it could have been judged by: the requests that were over when its
/// work began.
#[must_use]
pub fn histories(view: &View, request: &RequestForChange) -> (History, Kind) {
    let mut kinds = Kinds::default();
    let own = kinds.of(view, request);
    let mut history = History::new();
    let Some(now) = view.catalogue.head().at else { return (history, own) };
    let own_work = work_of(request);
    for kept in view.catalogue.requests().filter(|kept| kept.record.id != request.id) {
        let other = &*kept.record;
        let is_before = own_work.is_none_or(|own| work_of(other).is_some_and(|work| work.is_before(own)));
        if let Some(failed) = has_failed(other, now).filter(|_| is_before) {
            history.note(kinds.of(view, other), failed);
        }
    }
    (history, own)
}

/// Whether a change failed, as far as is known at a time; absent while nobody can know.
///
/// It failed when it was backed out, or its review says so. One that is done and not reviewed has not
/// failed once 72 hours have gone by; before that nobody knows. One that was reviewed without anybody
/// having watched is unknown for good, even if it was backed out: those of its like that were not
/// backed out would be missing beside it.
#[must_use]
pub fn has_failed(request: &RequestForChange, now: DateTime<Utc>) -> Option<bool> {
    outcome_of(request, now)?.has_failed()
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
