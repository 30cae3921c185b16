//! Approved requests, assessed again after every commit that touches what they rest on.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_analysis::Pool;
use keelson_answers::baseline;
use keelson_answers::schedule::reach;
use keelson_catalogue::CiIx;
use keelson_change::recheck::{gate, recheck};
use keelson_change::{Policy, Problem};
use keelson_model::{Change, CiId, CommitHeader, RecheckReason, RecordChange, RequestForChange, Revision};
use keelson_store::CommitError;

use super::act::ActError;
use super::plan::answer;
use crate::committing::MOST_PLANS;
use crate::keelson::blocking;
use crate::system::now;
use crate::{Actor, Error, Keelson, View};

/// Who makes these commits.
const ACTOR: &str = "keelson";
/// What they are called.
const ACTION: &str = "recheckRequestForChange";

impl Keelson {
    /// Everything that keeps a request from going ahead now; empty when it may. It is assessed afresh for
    /// that.
    ///
    /// # Errors
    /// When nobody knows the request, or it cannot be assessed.
    pub async fn gate(&self, key: &str) -> Result<Vec<Problem>, ActError> {
        self.gate_on(self.view(), key, now()).await
    }

    /// Everything that keeps a request, as a view has it, from going ahead at a time.
    ///
    /// # Errors
    /// As [`Keelson::gate`].
    pub(crate) async fn gate_on(&self, view: View, key: &str, at: DateTime<Utc>) -> Result<Vec<Problem>, ActError> {
        let (keelson, key) = (self.clone(), key.to_owned());
        let closed = blocking(move || {
            let request = keelson_answers::schedule::find_request(&view, &key)?;
            let fresh = answer(&view, request, at, keelson.policy(), keelson.pool())?.frozen(&Arc::from(ACTOR), at);
            Ok::<_, ActError>(gate(&view.catalogue, request, &fresh, at, keelson.policy()))
        });
        closed.await?
    }

    /// Assesses approved requests again that a commit touches, and writes down what differs. The caller
    /// holds the turn to plan. A failure is logged: the gate assesses afresh anyway.
    pub(crate) async fn recheck(&self, before: &View, cause: &CommitHeader, changes: &[RecordChange]) {
        if let Err(error) = self.try_recheck(before, cause, changes).await {
            tracing::warn!(%error, revision = cause.revision.0, "approved requests could not be assessed again");
        }
    }

    async fn try_recheck(&self, before: &View, cause: &CommitHeader, changes: &[RecordChange]) -> Result<(), Error> {
        let view = self.view();
        if !view.catalogue.open_requests().any(|kept| is_watched(&kept.record)) {
            return Ok(());
        }
        let touched = Arc::new(Touched::by(&view, changes, now()));
        if touched.is_nothing() {
            return Ok(());
        }
        let cause = cause.revision;
        for _ in 0..MOST_PLANS {
            let (keelson, before, touched) = (self.clone(), before.clone(), Arc::clone(&touched));
            let at = now();
            let (planned_at, changes) = blocking(move || keelson.plan_recheck(&before, &touched, cause, at)).await?;
            if changes.is_empty() {
                return Ok(());
            }
            let reason = Some(Arc::from(format!("revision {cause} changed what they rest on")));
            let actor = Actor { name: Arc::from(ACTOR), reason };
            match self.commit(actor.draft(ACTION, planned_at, at, changes)).await {
                Ok(_) => return Ok(()),
                // Another process of the same store came first.
                Err(Error::Commit(CommitError::Stale { .. })) => self.catch_up().await?,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { attempts: MOST_PLANS })
    }

    /// The requests that a commit touches with what differs from their approvals, and the revision that was
    /// looked at.
    fn plan_recheck(
        &self,
        before: &View,
        touched: &Touched,
        cause: Revision,
        at: DateTime<Utc>,
    ) -> (Revision, Vec<RecordChange>) {
        let view = self.view();
        let watched = view.catalogue.open_requests().map(|kept| &kept.record).filter(|request| is_watched(request));
        let mut planned = Vec::new();
        for request in watched {
            let Some(reason) = touched.reason(before, &view, request, at, self.pool()) else { continue };
            planned.extend(again(&view, request, cause, reason, at, self.policy(), self.pool()));
        }
        (view.revision(), planned)
    }
}

fn is_watched(request: &RequestForChange) -> bool {
    request.state.is_cleared() && request.approval.is_some()
}

/// The request with what differs from its approval, when anything new does.
fn again(
    view: &View,
    request: &Arc<RequestForChange>,
    cause: Revision,
    reason: RecheckReason,
    at: DateTime<Utc>,
    policy: &Policy,
    pool: &Pool,
) -> Option<RecordChange> {
    let fresh = match answer(view, request, at, policy, pool) {
        Ok(answer) => answer.frozen(&Arc::from(ACTOR), at),
        Err(error) => {
            tracing::warn!(%error, request = %request.key, "an approved request could not be assessed again");
            return None;
        }
    };
    let noted = recheck(request, &fresh, cause, reason, at, policy)?;
    let mut after = RequestForChange::clone(request);
    after.version += 1;
    after.rechecks.push(noted);
    Some(RecordChange::Request(Change::updated(Arc::clone(request), after)))
}

/// What a commit touched.
struct Touched {
    /// Items whose own record, relationships or needs changed.
    items: HashSet<CiIx>,
    /// Times at which the calendar, what is down, or another request changed; absent ends mean always.
    times: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// Requests that changed.
    requests: HashSet<keelson_model::ChangeId>,
}

impl Touched {
    fn by(view: &View, changes: &[RecordChange], at: DateTime<Utc>) -> Self {
        let mut touched = Self { items: HashSet::new(), times: Vec::new(), requests: HashSet::new() };
        let mut item = |id: CiId| touched.items.extend(view.catalogue.find_id(id));
        for change in changes {
            match change {
                RecordChange::Ci(change) => change.after.iter().for_each(|ci| item(ci.id)),
                RecordChange::Relationship(change) => {
                    change.before.iter().chain(&change.after).for_each(|record| item(record.key.dependent));
                }
                RecordChange::Need(change) => {
                    change.before.iter().chain(&change.after).for_each(|need| item(need.dependent));
                }
                RecordChange::Calendar(change) => {
                    for entry in change.before.iter().chain(&change.after) {
                        // Of what repeats, the first time is only the beginning.
                        let end = Some(entry.window.end()).filter(|_| entry.recurrence.is_none());
                        touched.times.push((entry.window.start(), end));
                    }
                }
                RecordChange::Disruption(change) => {
                    for one in change.before.iter().chain(&change.after) {
                        touched.times.push((one.from, one.until));
                    }
                }
                RecordChange::Request(change) => {
                    for request in change.before.iter().chain(&change.after) {
                        touched.requests.insert(request.id);
                        touched.times.extend(reach(request, at).map(|reach| (reach.start(), Some(reach.end()))));
                    }
                }
                RecordChange::Scope(_)
                | RecordChange::Run(_)
                | RecordChange::Review(_)
                | RecordChange::Template(_)
                | RecordChange::Baseline(_)
                | RecordChange::Series(_) => {}
            }
        }
        touched
    }

    fn is_nothing(&self) -> bool {
        self.items.is_empty() && self.times.is_empty()
    }

    /// Why a request has to be assessed again, if it has to.
    fn reason(
        &self,
        before: &View,
        after: &View,
        request: &RequestForChange,
        at: DateTime<Utc>,
        pool: &Pool,
    ) -> Option<RecheckReason> {
        let touches = |view: &View| cone(view, request, pool).is_none_or(|cone| !cone.is_disjoint(&self.items));
        if !self.items.is_empty() && (touches(after) || touches(before)) {
            return Some(RecheckReason::Catalogue);
        }
        // What retires something, or overran its window, meets everything that comes after.
        let whole = reach(request, at);
        let meets = |(from, until): &(DateTime<Utc>, Option<DateTime<Utc>>)| {
            whole.is_none_or(|whole| *from < whole.end() && until.is_none_or(|until| whole.start() < until))
        };
        let is_own = self.requests.len() == 1 && self.requests.contains(&request.id);
        (!is_own && self.times.iter().any(meets)).then_some(RecheckReason::Schedule)
    }
}

/// What an assessment of a request rests on: the services it can reach, and everything they depend on.
/// `None` when that cannot be told.
fn cone(view: &View, request: &RequestForChange, pool: &Pool) -> Option<HashSet<CiIx>> {
    let altered: Vec<CiIx> =
        request.alterations.iter().filter_map(|alteration| view.catalogue.find_id(alteration.ci)).collect();
    let numbers = |ids: Vec<CiId>| ids.into_iter().filter_map(|id| view.catalogue.find_id(id));
    let reached: Vec<CiIx> = numbers(baseline::with_dependents(view, &altered, pool).ok()?).collect();
    let services: Vec<CiIx> =
        reached.iter().copied().filter(|ix| view.is_service(*ix)).chain(altered.iter().copied()).collect();
    let below = numbers(baseline::with_dependencies(view, &services, pool).ok()?);
    Some(below.collect())
}
