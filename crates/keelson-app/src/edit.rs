//! People's edits: the same plan and commit as an import, under the source `manual`.

use std::sync::Arc;

use keelson_model::provenance::MANUAL_SOURCE;
use keelson_model::{BatchId, CommitHeader};
use keelson_reconcile::edit::{Edit, EditPlan, EditProblem, plan_edits};
use keelson_store::Draft;
use thiserror::Error;

use crate::committing::Made;
use crate::system::{RandomIds, now};
use crate::{Actor, Error, Keelson, View};

/// What became of edits.
pub struct Edited {
    /// The plan.
    pub plan: EditPlan,
    /// The commit; absent when the edits change nothing.
    pub committed: Option<CommitHeader>,
    /// The view that contains them.
    pub view: View,
}

/// Why edits were not made. Nothing of them is in the catalogue.
#[derive(Debug, Error)]
pub enum EditError {
    /// Something is wrong with them; every problem is listed.
    #[error("{}", .0.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; "))]
    Refused(Vec<EditProblem>),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Keelson {
    /// Makes edits, all of them or none. `action` names what is done in history and audit log:
    /// `createConfigurationItem`.
    ///
    /// # Errors
    /// [`EditError::Refused`] with every problem; otherwise as the store fails.
    pub async fn edit(&self, edits: Vec<Edit>, actor: Actor, action: &str) -> Result<Edited, EditError> {
        let keelson = self.clone();
        let action: Arc<str> = Arc::from(action);
        let work = tokio::spawn(async move { keelson.plan_and_commit_edits(&edits, &actor, &action).await });
        work.await.map_err(|error| Error::Stopped(error.to_string()))?
    }

    async fn plan_and_commit_edits(
        &self,
        edits: &[Edit],
        actor: &Actor,
        action: &Arc<str>,
    ) -> Result<Edited, EditError> {
        let mut ids = RandomIds::new();
        let batch_id = BatchId::next(&mut ids);
        let mut turn = self.turn().await;
        loop {
            let view = turn.view()?;
            let planned = plan_edits(&view.catalogue, edits, &actor.name, now(), batch_id, self.settings(), &mut ids);
            let mut plan = planned.map_err(EditError::Refused)?;
            if plan.changes.is_empty() {
                return Ok(Edited { plan, committed: None, view });
            }
            let changes = std::mem::take(&mut plan.changes);
            let source = Some(Arc::from(MANUAL_SOURCE));
            let draft = Draft { source, ..actor.draft(action, view.revision(), now(), changes) };
            if let Some(Made { committed, view }) = turn.commit(&view, draft).await? {
                plan.changes = committed.changes;
                return Ok(Edited { plan, committed: Some(committed.header), view });
            }
        }
    }
}
