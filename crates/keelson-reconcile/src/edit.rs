//! People's own edits, planned by the same merge code under the source `manual`.

mod cis;
mod editor;
mod joining;
mod needs;
mod relationships;
mod reviews;

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use keelson_catalogue::Catalogue;
use keelson_model::{
    BatchId, Cap, CiId, CiKey, Criticality, IdSource, Lifecycle, NeedId, Phase, RecordChange, RelationshipKey,
    ReviewTaskId, Revision, Rule, Strength, Symbol,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Settings;
use editor::Editor;

/// What a person sets on a configuration item. Of the outer option, absent leaves the value alone;
/// of the inner one, absent removes the person's own value, so that the next source's wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CiFields {
    /// Its class.
    pub class: Option<Option<Symbol>>,
    /// Its name.
    pub name: Option<Option<String>>,
    /// Its stage of life.
    pub lifecycle: Option<Option<Lifecycle>>,
    /// How much depends on it.
    pub criticality: Option<Option<Criticality>>,
    /// Attributes; JSON null removes the person's own value.
    pub attributes: BTreeMap<Symbol, serde_json::Value>,
}

/// A member of a need as a person states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberEdit {
    /// The dependency.
    pub ci: CiId,
    /// Whether its membership is doubtful.
    pub doubtful: bool,
}

/// What a person says of a need.
#[derive(Clone, Debug, PartialEq)]
pub struct NeedFields {
    /// How the members combine.
    pub rule: Rule,
    /// For a count nobody is sure of: the counts it could be.
    pub possible_counts: Vec<u32>,
    /// The members.
    pub members: Vec<MemberEdit>,
    /// The kind of relationship to each member.
    pub kind: Symbol,
    /// The largest loss it can cause.
    pub cap: Option<Cap>,
    /// When it matters.
    pub phase: Phase,
    /// How sure the person is, 0 to 1.
    pub confidence: Option<f64>,
    /// The fraction, 0 to 1, of what fails one member that fails all.
    pub common_cause: Option<f64>,
}

/// One edit.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A new configuration item.
    CreateCi {
        /// Its key; absent: made of class and name.
        key: Option<CiKey>,
        /// Its class.
        class: Symbol,
        /// Its name.
        name: String,
        /// Its stage of life.
        lifecycle: Option<Lifecycle>,
        /// How much depends on it.
        criticality: Option<Criticality>,
        /// Its attributes, as JSON.
        attributes: BTreeMap<Symbol, serde_json::Value>,
    },
    /// New values of a configuration item.
    UpdateCi {
        /// Which.
        id: CiId,
        /// The version the person saw.
        expected_version: u32,
        /// What to set.
        set: CiFields,
    },
    /// Ends a configuration item deliberately.
    RetireCi {
        /// Which.
        id: CiId,
        /// The version the person saw.
        expected_version: u32,
    },
    /// Takes a retirement back, or says that a withdrawn configuration item is there after all.
    ReviveCi {
        /// Which.
        id: CiId,
        /// The version the person saw.
        expected_version: u32,
    },
    /// A new relationship, or a person's confirmation of one that a source states.
    CreateRelationship {
        /// Its kind.
        kind: Symbol,
        /// What needs.
        dependent: CiId,
        /// What is needed.
        dependency: CiId,
        /// How much it can take.
        strength: Option<Strength>,
        /// How sure the person is, 0 to 1.
        confidence: Option<f64>,
    },
    /// Withdraws a person's statement of a relationship.
    RemoveRelationship {
        /// Which.
        key: RelationshipKey,
        /// The version the person saw.
        expected_version: u32,
    },
    /// A new need.
    CreateNeed {
        /// What needs.
        dependent: CiId,
        /// Its name, unique among the needs of the dependent.
        name: String,
        /// What it says.
        fields: NeedFields,
    },
    /// A new definition of a need; it wins over what sources say.
    UpdateNeed {
        /// Which.
        id: NeedId,
        /// The version the person saw.
        expected_version: u32,
        /// What it says.
        fields: NeedFields,
    },
    /// Withdraws a person's statement of a need.
    RemoveNeed {
        /// Which.
        id: NeedId,
        /// The version the person saw.
        expected_version: u32,
    },
    /// Answers a review task.
    SettleReview {
        /// Which.
        id: ReviewTaskId,
        /// The version the person saw.
        expected_version: u32,
        /// The configuration item it is; absent: a new one, or go ahead.
        candidate: Option<CiId>,
        /// Who decides.
        by: String,
        /// Why.
        reason: String,
    },
    /// Puts a review task aside without an answer.
    DismissReview {
        /// Which.
        id: ReviewTaskId,
        /// The version the person saw.
        expected_version: u32,
    },
    /// Makes two configuration items one: the second one's claims, relationships and needs become
    /// the first one's.
    MergeCis {
        /// The one that stays.
        keep: CiId,
        /// The version of it the person saw.
        keep_version: u32,
        /// The one that is withdrawn.
        absorb: CiId,
        /// The version of it the person saw.
        absorb_version: u32,
    },
    /// Takes a merge back: what the withdrawn item brought returns to it.
    UndoMerge {
        /// The item that was absorbed.
        absorbed: CiId,
        /// The version of it the person saw.
        expected_version: u32,
    },
}

/// Why an edit is refused, for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EditCode {
    /// Something required is not there.
    Missing,
    /// Another configuration item has the key, or another need the name.
    DuplicateKey,
    /// Somebody else changed the record meanwhile.
    VersionConflict,
    /// There is no such record.
    NotFound,
    /// Nobody defined the class.
    UnknownClass,
    /// Nobody defined the kind of relationship.
    UnknownKind,
    /// A value that its attribute does not take.
    BadValue,
    /// A step that does not follow from where the record stands.
    IllegalTransition,
    /// A relationship of an item to itself.
    SelfRelationship,
    /// A source states it, so that a person cannot take it away.
    NotManual,
}

/// One reason why edits are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize, JsonSchema)]
#[error("{message}")]
pub struct EditProblem {
    /// The edit, by its place in the list.
    pub edit: usize,
    /// Why, for machines.
    pub code: EditCode,
    /// The field concerned, from the outside in.
    pub field: Vec<String>,
    /// Why, for people, and what to do.
    pub message: String,
    /// The version of the record now, when that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_version: Option<u32>,
}

/// A record that an edit made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Touched {
    /// A configuration item.
    Ci(CiId),
    /// A relationship.
    Relationship(RelationshipKey),
    /// A need.
    Need(NeedId),
    /// A review task.
    Review(ReviewTaskId),
}

impl fmt::Display for EditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::DuplicateKey => "duplicate_key",
            Self::VersionConflict => "version_conflict",
            Self::NotFound => "not_found",
            Self::UnknownClass => "unknown_class",
            Self::UnknownKind => "unknown_kind",
            Self::BadValue => "bad_value",
            Self::IllegalTransition => "illegal_transition",
            Self::SelfRelationship => "self_relationship",
            Self::NotManual => "not_manual",
        })
    }
}

/// What edits would change.
#[derive(Clone, Debug, PartialEq)]
pub struct EditPlan {
    /// The revision it was planned at.
    pub base: Revision,
    /// The changes, in an order in which they can be applied; empty when the catalogue already
    /// says all of it.
    pub changes: Vec<RecordChange>,
    /// For each edit, in order, the record it is about: the one it created where it creates one.
    pub touched: Vec<Touched>,
}

/// Plans edits: all of them, or none.
///
/// # Errors
/// Returns every problem of every edit.
pub fn plan_edits(
    catalogue: &Catalogue,
    edits: &[Edit],
    actor: &str,
    at: DateTime<Utc>,
    batch: BatchId,
    settings: &Settings,
    ids: &mut dyn IdSource,
) -> Result<EditPlan, Vec<EditProblem>> {
    let mut editor = Editor::new(catalogue, actor, at, batch, settings, ids);
    let mut touched = Vec::with_capacity(edits.len());
    for (number, edit) in edits.iter().enumerate() {
        editor.number = number;
        touched.extend(editor.edit(edit));
    }
    editor.finish(touched)
}
