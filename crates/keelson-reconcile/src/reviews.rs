//! Review tasks: questions asked once, and the answers that hold.

use std::collections::HashMap;
use std::sync::Arc;

use keelson_catalogue::Catalogue;
use keelson_model::{Change, CiId, FindingCode, IdSource, Position, ReviewState, ReviewTask, ReviewTaskId, SourceKey};

use keelson_model::records::ReviewDecision;

use crate::context::Context;

/// Begins the first evidence of a question about a class.
const CLASS_CHANGE: &str = "class change: ";
/// Begins the first evidence of a question of the guard.
pub(crate) const WITHDRAWAL_SET: &str = "withdrawal set ";

/// Begins the evidence that says what a row describes.
const CLASS_OF_ROW: &str = "the row describes a ";

/// What is asked about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matter {
    /// Which configuration item it is.
    Identity,
    /// Whether it has another class now.
    Class,
}

fn matter(task: &ReviewTask) -> Matter {
    let class = task.evidence.first().is_some_and(|first| first.starts_with(CLASS_CHANGE));
    if class { Matter::Class } else { Matter::Identity }
}

/// The evidence by which a question about a class is known again.
pub(crate) fn class_change(from: &str, to: &str) -> Arc<str> {
    format!("{CLASS_CHANGE}{from} -> {to}").into()
}

/// The evidence that says what the row of a question describes.
pub(crate) fn class_of_row(class: &str) -> Arc<str> {
    format!("{CLASS_OF_ROW}{class}").into()
}

/// The class of the row that a question is about.
pub(crate) fn row_class(task: &ReviewTask) -> Option<&str> {
    task.evidence.iter().find_map(|line| line.strip_prefix(CLASS_OF_ROW))
}

/// The classes, old and new, of which a question asks whether an item has gone from the one to the other.
#[must_use]
pub fn class_in_question(task: &ReviewTask) -> Option<(&str, &str)> {
    task.evidence.first()?.strip_prefix(CLASS_CHANGE)?.split_once(" -> ")
}

/// Whether the answer to a settled task shows in the catalogue.
pub(crate) fn in_force(catalogue: &Catalogue, task: &ReviewTask) -> bool {
    let Some(key) = &task.source_key else { return true };
    let Some(ix) = catalogue.find_source(&task.source, key) else { return false };
    let Some((_, class)) = class_in_question(task) else { return true };
    let claims = catalogue.ci(ix).claims.iter();
    let mut own = claims.filter(|claim| claim.provenance.source == task.source && claim.source_key == *key);
    own.any(|claim| claim.facts.class.as_ref().is_some_and(|stated| stated == class))
}

/// A question to be asked.
pub(crate) struct Question {
    pub(crate) source_key: SourceKey,
    pub(crate) question: String,
    pub(crate) candidates: Vec<CiId>,
    pub(crate) evidence: Vec<Arc<str>>,
    pub(crate) position: Position,
}

/// The review tasks that concern a batch, and what becomes of them.
pub(crate) struct Reviews<'a> {
    by_key: HashMap<&'a SourceKey, Vec<&'a Arc<ReviewTask>>>,
    guard: Vec<&'a Arc<ReviewTask>>,
    /// Questions asked anew, or with other candidates.
    questions: Vec<Change<ReviewTask>>,
    /// What becomes of the others.
    changes: Vec<Change<ReviewTask>>,
    /// Open questions about rows that wait.
    awaited: Vec<ReviewTaskId>,
}

impl<'a> Reviews<'a> {
    pub(crate) fn of(context: &Context<'a>) -> Self {
        let mut reviews = Self::none();
        let own = |task: &&Arc<ReviewTask>| task.source == context.source && task.state != ReviewState::Obsolete;
        for task in context.catalogue.reviews().filter(own) {
            match (&task.source_key, task.code) {
                (Some(key), FindingCode::AmbiguousIdentity) => reviews.by_key.entry(key).or_default().push(task),
                (_, FindingCode::GuardTripped) if task.scope == context.scope => reviews.guard.push(task),
                _ => {}
            }
        }
        reviews
    }

    /// No review tasks.
    pub(crate) fn none() -> Self {
        Self {
            by_key: HashMap::new(),
            guard: Vec::new(),
            questions: Vec::new(),
            changes: Vec::new(),
            awaited: Vec::new(),
        }
    }

    fn about(&self, key: &SourceKey, wanted: Matter) -> impl Iterator<Item = &'a Arc<ReviewTask>> {
        self.by_key.get(key).into_iter().flatten().copied().filter(move |task| matter(task) == wanted)
    }

    fn latest<'t>(tasks: impl Iterator<Item = &'t Arc<ReviewTask>>) -> Option<&'t ReviewDecision> {
        tasks
            .filter(|task| task.state == ReviewState::Settled)
            .filter_map(|task| task.decision.as_ref())
            .max_by_key(|decision| decision.at)
    }

    /// What a person decided a source key to mean: an item, or a new one.
    pub(crate) fn identity(&self, key: &SourceKey) -> Option<&'a ReviewDecision> {
        Self::latest(self.about(key, Matter::Identity))
    }

    /// What a person decided about a change of class.
    pub(crate) fn class(&self, key: &SourceKey, change: &Arc<str>) -> Option<&'a ReviewDecision> {
        Self::latest(self.about(key, Matter::Class).filter(|task| task.evidence.first() == Some(change)))
    }

    /// Asks, unless the same is asked already.
    pub(crate) fn ask(&mut self, question: Question, about: Matter, context: &Context<'_>, ids: &mut dyn IdSource) {
        let first = question.evidence.first();
        let same = |task: &&Arc<ReviewTask>| {
            task.state == ReviewState::Open && (about == Matter::Identity || task.evidence.first() == first)
        };
        let open = self.about(&question.source_key, about).find(same);
        let waits = about == Matter::Identity;
        if let Some(open) = open {
            self.awaited.extend(waits.then_some(open.id));
            if open.candidates != question.candidates || open.evidence != question.evidence {
                let after = ReviewTask {
                    version: open.version + 1,
                    candidates: question.candidates,
                    evidence: question.evidence,
                    question: question.question.into(),
                    ..ReviewTask::clone(open)
                };
                self.questions.push(Change::updated(Arc::clone(open), after));
            }
            return;
        }
        let source_key = Some(question.source_key);
        let task = ReviewTask {
            source_key,
            candidates: question.candidates,
            evidence: question.evidence,
            position: question.position,
            ..task(FindingCode::AmbiguousIdentity, &question.question, context, ids)
        };
        self.awaited.extend(waits.then_some(task.id));
        self.questions.push(Change::created(task));
    }

    /// Closes open questions that the batch has answered itself.
    pub(crate) fn put_aside(&mut self, key: &SourceKey, about: Matter) {
        let open: Vec<_> = self.about(key, about).filter(|task| task.state == ReviewState::Open).collect();
        for task in open {
            self.changes.push(obsolete(task));
        }
    }

    /// The guard's task about exactly this set.
    pub(crate) fn guard_task(&self, set: &str) -> Option<&'a Arc<ReviewTask>> {
        let about = |task: &&&Arc<ReviewTask>| {
            task.evidence.first().and_then(|first| first.strip_prefix(WITHDRAWAL_SET)) == Some(set)
        };
        self.guard.iter().find(about).copied()
    }

    /// Questions of the guard are about one plan only: once a complete batch of the scope applies,
    /// they are no longer asked, and answers are used up. A delta leaves them, so that it does not
    /// undo the answer to a complete batch that is yet to be delivered again.
    pub(crate) fn obsolete_guard_tasks(&mut self, context: &Context<'_>) {
        if context.complete {
            self.obsolete_other_guard_tasks(None);
        }
    }

    fn obsolete_other_guard_tasks(&mut self, kept: Option<ReviewTaskId>) {
        let others: Vec<_> = self.guard.iter().copied().filter(|task| Some(task.id) != kept).collect();
        self.changes.extend(others.into_iter().map(obsolete));
    }

    /// Everything that becomes of review tasks when the batch applies.
    pub(crate) fn finish(mut self) -> Vec<Change<ReviewTask>> {
        self.changes.append(&mut self.questions);
        self.changes
    }

    /// The open questions about rows that wait.
    pub(crate) fn awaited(&self) -> &[ReviewTaskId] {
        &self.awaited
    }

    /// What becomes of review tasks when questions stop the batch: they are asked, and no other is
    /// answered.
    pub(crate) fn questions_only(self) -> Vec<Change<ReviewTask>> {
        self.questions
    }

    /// What becomes of review tasks when the guard trips: one question, and no other.
    pub(crate) fn guard_trips(
        mut self,
        known: Option<&'a Arc<ReviewTask>>,
        new: impl FnOnce() -> ReviewTask,
    ) -> Vec<Change<ReviewTask>> {
        self.changes.clear();
        self.obsolete_other_guard_tasks(known.map(|task| task.id));
        if known.is_none() {
            self.changes.push(Change::created(new()));
        }
        self.changes
    }
}

fn obsolete(task: &Arc<ReviewTask>) -> Change<ReviewTask> {
    let after = ReviewTask { state: ReviewState::Obsolete, version: task.version + 1, ..ReviewTask::clone(task) };
    Change::updated(Arc::clone(task), after)
}

/// An open task of this batch.
pub(crate) fn task(code: FindingCode, question: &str, context: &Context<'_>, ids: &mut dyn IdSource) -> ReviewTask {
    ReviewTask {
        id: ReviewTaskId::next(ids),
        code,
        state: ReviewState::Open,
        version: 1,
        source: context.source.clone(),
        scope: context.scope.clone(),
        batch: context.batch,
        source_key: None,
        question: question.into(),
        candidates: Vec::new(),
        evidence: Vec::new(),
        position: Position::default(),
        raised_at: context.at,
        decision: None,
    }
}
