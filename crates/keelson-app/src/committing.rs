//! Planning and committing, anew for as long as others commit in between.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_model::{RecordChange, Revision};
use keelson_store::{CommitError, Committed, Draft};
use tokio::sync::OwnedMutexGuard;

use crate::{Actor, Error, Keelson, View};

/// How often something is planned anew because somebody committed meanwhile.
pub(crate) const MOST_PLANS: usize = 8;

/// The turn to plan and commit: others of this process wait for theirs meanwhile. Whoever has it plans on
/// [`Turn::view`] and hands the draft to [`Turn::commit`]; when another process of the same store came
/// first, that says so and the plan is made anew, a bounded number of times.
pub(crate) struct Turn<'a> {
    keelson: &'a Keelson,
    _held: OwnedMutexGuard<()>,
    plans: usize,
}

/// A commit, and the view that contains it.
pub(crate) struct Made {
    pub(crate) committed: Committed,
    pub(crate) view: View,
}

impl Turn<'_> {
    /// The last revision, to plan on.
    ///
    /// # Errors
    /// [`Error::Contended`] when others always came first.
    pub(crate) fn view(&mut self) -> Result<View, Error> {
        if self.plans == MOST_PLANS {
            return Err(Error::Contended { attempts: MOST_PLANS });
        }
        self.plans += 1;
        Ok(self.keelson.view())
    }

    /// Commits what was planned on a view; then approved requests for change are assessed again that the
    /// commit touches. Nothing is committed, and nothing given, when the view is no longer the last.
    ///
    /// # Errors
    /// As the store fails.
    pub(crate) async fn commit(&self, planned_on: &View, draft: Draft) -> Result<Option<Made>, Error> {
        match self.keelson.commit(draft).await {
            Ok(committed) => {
                self.keelson.recheck(planned_on, &committed.header, &committed.changes).await;
                Ok(Some(Made { committed, view: self.keelson.view() }))
            }
            Err(Error::Commit(CommitError::Stale { .. })) => self.keelson.catch_up().await.map(|()| None),
            Err(error) => Err(error),
        }
    }
}

impl Actor {
    /// Changes of this actor, planned at a revision, as they are committed.
    pub(crate) fn draft(
        &self,
        action: &str,
        planned_at: Revision,
        at: DateTime<Utc>,
        changes: Vec<RecordChange>,
    ) -> Draft {
        Draft {
            planned_at,
            at,
            recorded_at: None,
            actor: Arc::clone(&self.name),
            action: Arc::from(action),
            source: None,
            reason: self.reason.clone(),
            batch: None,
            changes,
            payloads: Vec::new(),
            findings: Vec::new(),
        }
    }
}

impl Keelson {
    /// Waits for the turn to plan and commit. Waiting for it is fair.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        Turn { keelson: self, _held: self.planning_turn().await, plans: 0 }
    }
}
