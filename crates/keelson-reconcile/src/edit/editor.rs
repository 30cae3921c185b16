//! The course of planning edits: every edit is tried, every problem is told, and only if there is
//! none do they become changes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use keelson_catalogue::{Catalogue, CiIx};
use keelson_model::provenance::MANUAL_SOURCE;
use keelson_model::{
    BatchId, Carries, Change, CiId, ConfigurationItem, IdSource, Position, RecordChange, ReviewTask, ReviewTaskId,
    Scope, Standing, Symbol,
};

use super::{Edit, EditCode, EditPlan, EditProblem, Touched};
use crate::Settings;
use crate::context::Context;
use crate::drafts::Drafts;

/// Edits on their way to changes.
pub(super) struct Editor<'a> {
    pub(super) context: Context<'a>,
    pub(super) actor: &'a str,
    pub(super) ids: &'a mut dyn IdSource,
    pub(super) drafts: Drafts<'a>,
    pub(super) reviews: IndexMap<ReviewTaskId, Arc<ReviewTask>>,
    /// The edit at hand, by its place in the list.
    pub(super) number: usize,
    problems: Vec<EditProblem>,
}

impl<'a> Editor<'a> {
    pub(super) fn new(
        catalogue: &'a Catalogue,
        actor: &'a str,
        at: DateTime<Utc>,
        batch: BatchId,
        settings: &'a Settings,
        ids: &'a mut dyn IdSource,
    ) -> Self {
        let speaker = (Symbol::new(MANUAL_SOURCE), Scope::named("all"));
        Self {
            context: Context::new(catalogue, settings, speaker, batch, at, at),
            actor,
            ids,
            drafts: Drafts::new(catalogue),
            reviews: IndexMap::new(),
            number: 0,
            problems: Vec::new(),
        }
    }

    /// Tries one edit; what is wrong with it is noted.
    pub(super) fn edit(&mut self, edit: &Edit) -> Option<Touched> {
        match edit {
            Edit::CreateCi { key, class, name, lifecycle, criticality, attributes } => {
                let new = super::cis::NewCi {
                    key: key.as_ref(),
                    class,
                    name,
                    lifecycle: *lifecycle,
                    criticality: *criticality,
                    attributes,
                };
                self.create_ci(&new)
            }
            Edit::UpdateCi { id, expected_version, set } => self.update_ci(*id, *expected_version, set),
            Edit::RetireCi { id, expected_version } => self.retire_ci(*id, *expected_version),
            Edit::ReviveCi { id, expected_version } => self.revive_ci(*id, *expected_version),
            Edit::CreateRelationship { kind, dependent, dependency, strength, confidence } => {
                self.create_relationship(kind, (*dependent, *dependency), *strength, *confidence)
            }
            Edit::RemoveRelationship { key, expected_version } => self.remove_relationship(key, *expected_version),
            Edit::CreateNeed { dependent, name, fields } => self.create_need(*dependent, name, fields),
            Edit::UpdateNeed { id, expected_version, fields } => self.update_need(*id, *expected_version, fields),
            Edit::RemoveNeed { id, expected_version } => self.remove_need(*id, *expected_version),
            Edit::SettleReview { id, expected_version, candidate, by, reason } => {
                self.settle_review(*id, *expected_version, *candidate, by, reason)
            }
            Edit::DismissReview { id, expected_version } => self.dismiss_review(*id, *expected_version),
            Edit::MergeCis { keep, keep_version, absorb, absorb_version } => {
                self.merge_cis((*keep, *keep_version), (*absorb, *absorb_version))
            }
            Edit::UndoMerge { absorbed, expected_version } => self.undo_merge(*absorbed, *expected_version),
        }
    }

    /// The changes, if nothing was wrong.
    pub(super) fn finish(mut self, touched: Vec<Touched>) -> Result<EditPlan, Vec<EditProblem>> {
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        self.drafts.settle(&self.context);
        let catalogue = self.context.catalogue;
        let mut changes = self.drafts.finish(&self.context);
        for (id, after) in self.reviews {
            let before = catalogue.review(id).map(Arc::clone);
            changes.push(RecordChange::Review(Change { before, after: Some(after) }));
        }
        Ok(EditPlan { base: catalogue.revision(), changes, touched })
    }

    /// Notes a problem. Returns nothing, so that an edit can end with it.
    pub(super) fn problem<T>(&mut self, code: EditCode, field: &[&str], message: impl Into<String>) -> Option<T> {
        self.problems.push(EditProblem {
            edit: self.number,
            code,
            field: field.iter().map(|part| (*part).to_owned()).collect(),
            message: message.into(),
            current_version: None,
        });
        None
    }

    /// How many problems there are; more afterwards means that something was wrong.
    pub(super) fn problem_count(&self) -> usize {
        self.problems.len()
    }

    /// Checks that nobody changed a record since the person saw it.
    pub(super) fn check_version(&mut self, what: &str, current: u32, expected: u32) -> Option<()> {
        if current == expected {
            return Some(());
        }
        self.problems.push(EditProblem {
            edit: self.number,
            code: EditCode::VersionConflict,
            field: vec!["expected_version".to_owned()],
            message: format!(
                "{what} is at version {current} now, not {expected}; look at it again and repeat the edit"
            ),
            current_version: Some(current),
        });
        None
    }

    /// The item with an id.
    pub(super) fn find(&mut self, id: CiId, field: &[&str]) -> Option<CiIx> {
        match self.context.catalogue.find_id(id) {
            Some(ix) => Some(ix),
            None => self.problem(EditCode::NotFound, field, format!("there is no configuration item {id}")),
        }
    }

    /// The item with an id, at the version the person saw.
    pub(super) fn find_at(&mut self, id: CiId, version: u32, field: &[&str]) -> Option<CiIx> {
        let ix = self.find(id, field)?;
        let ci = self.context.catalogue.ci(ix);
        self.check_version(&ci.key, ci.version, version)?;
        Some(ix)
    }

    /// The item with an id, which something new is to hang on.
    pub(super) fn find_present(&mut self, id: CiId, field: &[&str]) -> Option<CiIx> {
        let ix = self.find(id, field)?;
        let ci = self.drafts.ci(ix);
        if ci.standing == Standing::Withdrawn {
            let message = format!("{} is withdrawn; revive it first", ci.key);
            return self.problem(EditCode::IllegalTransition, field, message);
        }
        Some(ix)
    }

    /// Whether something of a class may be an item: one of the classes refines the other, or nobody
    /// has described the item yet.
    pub(super) fn are_compatible(&self, class: &str, ci: &ConfigurationItem) -> bool {
        let classes = &self.context.catalogue.schema().classes;
        ci.standing == Standing::Placeholder || classes.is_a(class, &ci.class) || classes.is_a(&ci.class, class)
    }

    /// What a kind of relationship carries.
    pub(super) fn carries(&mut self, kind: &Symbol) -> Option<Carries> {
        match self.context.catalogue.schema().kinds.get(kind) {
            Some(kind) => Some(kind.carries),
            None => {
                let message = format!("nobody defined the kind of relationship '{kind}'");
                self.problem(EditCode::UnknownKind, &["kind"], message)
            }
        }
    }

    pub(super) fn check_confidence(&mut self, confidence: Option<f64>) -> Option<()> {
        self.check_fraction("confidence", "a confidence", confidence)
    }

    /// Checks a fraction, which `what` names in words.
    pub(super) fn check_fraction(&mut self, field: &str, what: &str, fraction: Option<f64>) -> Option<()> {
        match fraction {
            Some(value) if !(0.0..=1.0).contains(&value) => {
                self.problem(EditCode::BadValue, &[field], format!("{what} must lie between 0 and 1, not {value}"))
            }
            _ => Some(()),
        }
    }

    pub(super) fn check_cap(&mut self, cap: Option<f64>) -> Option<()> {
        match cap {
            Some(cap) if !(cap > 0.0 && cap < 1.0) => {
                let message = format!("a cap must lie above 0 and below 1, not {cap}; leave it out for all of it");
                self.problem(EditCode::BadValue, &["cap"], message)
            }
            _ => Some(()),
        }
    }

    /// Where an edit stands: nowhere in a payload.
    pub(super) fn position() -> Position {
        Position::default()
    }
}
