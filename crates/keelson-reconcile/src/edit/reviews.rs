//! Answers to review tasks.

use std::sync::Arc;

use keelson_model::records::ReviewDecision;
use keelson_model::{CiId, FindingCode, ReviewState, ReviewTask, ReviewTaskId};

use super::editor::Editor;
use super::{EditCode, Touched};
use crate::reviews;
use crate::words::a;

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
            if self.find(candidate, &["candidate"]).is_some() && task.code == FindingCode::AmbiguousIdentity {
                self.check_candidate(&task, candidate);
            }
        }
        if self.problem_count() > problems {
            return None;
        }
        let decision = ReviewDecision { by: by.into(), at: self.context.at, reason: reason.into(), candidate };
        self.replace(&task, ReviewState::Settled, Some(decision));
        Some(Touched::Review(id))
    }

    /// Checks that a candidate is one of the task's and may be what the row is about.
    fn check_candidate(&mut self, task: &ReviewTask, candidate: CiId) -> Option<()> {
        let ix = self.find(candidate, &["candidate"])?;
        let ci = self.drafts.ci(ix);
        if let Some(class) = reviews::row_class(task)
            && !self.are_compatible(class, ci)
        {
            let message = format!(
                "{} is {} and the row describes {}; it is something else: leave the candidate out, or correct the class in \
                 the source",
                ci.key,
                a(&ci.class),
                a(class)
            );
            return self.problem(EditCode::BadValue, &["candidate"], message);
        }
        if !task.candidates.contains(&candidate) {
            let known = task.candidates.iter().filter_map(|id| self.context.catalogue.find_id(*id));
            let keys: Vec<&str> = known.map(|ix| self.drafts.ci(ix).key.as_str()).collect();
            let choice = match keys.as_slice() {
                [] => "it has none: leave the candidate out, which makes a new item".to_owned(),
                keys => format!("choose {}, or leave the candidate out for a new item", keys.join(" or ")),
            };
            let message = format!("{} is no candidate of the review task; {choice}", ci.key);
            return self.problem(EditCode::BadValue, &["candidate"], message);
        }
        Some(())
    }

    pub(super) fn dismiss_review(&mut self, id: ReviewTaskId, version: u32) -> Option<Touched> {
        let task = self.open_review(id, version)?;
        let question = format!("(dismissed by {}) {}", self.actor, task.question);
        let dismissed = Arc::new(ReviewTask { question: question.into(), ..ReviewTask::clone(&task) });
        self.replace(&dismissed, ReviewState::Obsolete, None);
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
