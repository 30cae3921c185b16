//! Answers to review tasks.

use std::sync::Arc;

use keelson_model::records::ReviewDecision;
use keelson_model::{CiId, FindingCode, ReviewState, ReviewTask, ReviewTaskId};

use super::editor::Editor;
use super::{EditCode, Touched};

impl Editor<'_> {
    pub(super) fn settle_review(
        &mut self,
        id: ReviewTaskId,
        version: u32,
        candidate: Option<CiId>,
        by: &str,
        reason: &str,
    ) -> Option<Touched> {
        let task = self.open_review(id, version)?;
        let problems = self.problem_count();
        for (field, text) in [("by", by), ("reason", reason)] {
            if text.trim().is_empty() {
                self.problem::<()>(EditCode::Missing, &[field], format!("a decision must say its {field}"));
            }
        }
        if let Some(candidate) = candidate {
            if task.code == FindingCode::GuardTripped {
                let message = "a withdrawal is approved as a whole; leave the candidate out";
                self.problem::<()>(EditCode::BadValue, &["candidate"], message);
            }
            self.find(candidate, &["candidate"]);
        }
        if self.problem_count() > problems {
            return None;
        }
        let decision = ReviewDecision { by: by.into(), at: self.context.at, reason: reason.into(), candidate };
        self.replace(&task, ReviewState::Settled, Some(decision));
        Some(Touched::Review(id))
    }

    pub(super) fn dismiss_review(&mut self, id: ReviewTaskId, version: u32) -> Option<Touched> {
        let task = self.open_review(id, version)?;
        self.replace(&task, ReviewState::Obsolete, None);
        Some(Touched::Review(id))
    }

    fn open_review(&mut self, id: ReviewTaskId, version: u32) -> Option<Arc<ReviewTask>> {
        let Some(task) = self.context.catalogue.review(id) else {
            return self.problem(EditCode::NotFound, &["id"], format!("there is no review task {id}"));
        };
        self.check_version("the review task", task.version, version)?;
        if task.state != ReviewState::Open || self.reviews.contains_key(&id) {
            let state = self.reviews.get(&id).unwrap_or(task).state;
            let message = format!("the review task is {state} already");
            return self.problem(EditCode::IllegalTransition, &["id"], message);
        }
        Some(Arc::clone(task))
    }

    fn replace(&mut self, task: &Arc<ReviewTask>, state: ReviewState, decision: Option<ReviewDecision>) {
        let after = ReviewTask { state, decision, version: task.version + 1, ..ReviewTask::clone(task) };
        self.reviews.insert(task.id, Arc::new(after));
    }
}
