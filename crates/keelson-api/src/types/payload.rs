//! What mutations answer: the changed record, and what a person can mend.

use async_graphql::{Enum, InputObject, SimpleObject};
use keelson_app::EditError;
use keelson_app::reconcile::edit::{EditCode, EditProblem};

use super::item::ConfigurationItem;
use super::need::Need;
use super::relationship::Relationship;
use super::review::ReviewTask;
use crate::errors::Refusal;

/// Why something was not done, for programs. The list may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// Something required is not there.
    Missing,
    /// Another record has the key or name.
    DuplicateKey,
    /// Somebody else changed the record meanwhile; `currentVersion` says what it is now.
    VersionConflict,
    /// There is no such record.
    NotFound,
    /// Nobody defined the class.
    UnknownClass,
    /// Nobody defined the kind of relationship.
    UnknownKind,
    /// A value that its field does not take.
    BadValue,
    /// A step that does not follow from where the record stands.
    IllegalTransition,
    /// A relationship of an item to itself.
    SelfRelationship,
    /// A source states it, so that a person cannot take it away.
    NotManual,
    /// The batch was refused as a whole; findings say where and why.
    BatchRefused,
    /// The person may not take this step on this record: a requester cannot approve.
    NotAllowed,
    /// What was assessed is no longer so.
    Outdated,
    /// A freeze or maintenance window is violated.
    CalendarViolated,
}

impl From<EditCode> for UserErrorCode {
    fn from(code: EditCode) -> Self {
        match code {
            EditCode::Missing => Self::Missing,
            EditCode::DuplicateKey => Self::DuplicateKey,
            EditCode::VersionConflict => Self::VersionConflict,
            EditCode::NotFound => Self::NotFound,
            EditCode::UnknownClass => Self::UnknownClass,
            EditCode::UnknownKind => Self::UnknownKind,
            EditCode::BadValue => Self::BadValue,
            EditCode::IllegalTransition => Self::IllegalTransition,
            EditCode::SelfRelationship => Self::SelfRelationship,
            EditCode::NotManual => Self::NotManual,
        }
    }
}

/// Something a person using the product correctly can meet, and mend.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// The field of the input concerned, or of the record where a step depends on it, from the outside in;
    /// empty when it is about the whole.
    pub field: Vec<String>,
    /// Why, for programs.
    pub code: UserErrorCode,
    /// Why, for people, and what to do.
    pub message: String,
    /// The version of the record now, where that is the reason.
    pub current_version: Option<u32>,
}

impl UserError {
    /// A problem of one field of the input.
    pub(crate) fn of(code: UserErrorCode, field: &[&str], message: impl Into<String>) -> Self {
        let field = field.iter().map(|part| (*part).to_owned()).collect();
        Self { field, code, message: message.into(), current_version: None }
    }
}

/// A name of the model as the schema writes it: `expectedVersion`.
pub(crate) fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let mut letters = part.chars();
        let head = letters.next().map(|letter| letter.to_ascii_uppercase());
        name + &head.into_iter().chain(letters).collect::<String>()
    })
}

impl From<EditProblem> for UserError {
    fn from(problem: EditProblem) -> Self {
        let mut field: Vec<String> = problem.field;
        // What the edit calls a field, the input calls by a name of its own; names of attributes stay
        // as they are.
        if let Some(first) = field.first_mut() {
            *first = match first.as_str() {
                "cap" => "largestLoss".to_owned(),
                "dependent" => "dependentId".to_owned(),
                "dependency" => "dependencyId".to_owned(),
                "candidate" => "candidateId".to_owned(),
                name => camel(name),
            };
        }
        Self { field, code: problem.code.into(), message: problem.message, current_version: problem.current_version }
    }
}

/// The problems of an edit of a need, whose definition stands in the input's `content`.
pub(crate) fn in_content(mut errors: Vec<UserError>) -> Vec<UserError> {
    const INSIDE: [&str; 7] = ["rule", "members", "kind", "largestLoss", "phase", "confidence", "commonCause"];
    for error in &mut errors {
        let Some(first) = error.field.first().cloned() else { continue };
        if first == "possibleCounts" {
            error.field = ["content", "rule", "atLeast", "possibleCounts"].map(str::to_owned).to_vec();
        } else if INSIDE.contains(&first.as_str()) {
            error.field.insert(0, "content".to_owned());
        }
    }
    errors
}

/// Longest reason for a change, in characters.
const MOST_REASON: usize = 4_096;

/// Refuses texts that nobody could read in a list: control characters, and reasons that are too long.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), Vec<UserError>> {
    if text.chars().any(|c| c.is_control() && !(field == "reason" && c == '\n')) {
        let message = format!("the {field} must not contain control characters");
        return Err(vec![UserError::of(UserErrorCode::BadValue, &[field], message)]);
    }
    let length = text.chars().count();
    if length > MOST_REASON {
        let message = format!("the {field} has {length} characters; {MOST_REASON} are the most");
        return Err(vec![UserError::of(UserErrorCode::BadValue, &[field], message)]);
    }
    Ok(())
}

/// The problems of edits as user errors; any other failure stays one.
pub(crate) fn user_errors(error: EditError) -> Result<Vec<UserError>, Refusal> {
    match error {
        EditError::Refused(problems) => Ok(problems.into_iter().map(UserError::from).collect()),
        EditError::Failed(error) => Err(error.into()),
    }
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $ty:ty })*) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: Option<$ty>,
            /// What was wrong; empty when it was done.
            pub user_errors: Vec<UserError>,
        }

        impl From<Result<Option<$ty>, Vec<UserError>>> for $name {
            fn from(done: Result<Option<$ty>, Vec<UserError>>) -> Self {
                match done {
                    Ok($field) => Self { $field, user_errors: Vec::new() },
                    Err(user_errors) => Self { $field: None, user_errors },
                }
            }
        }
    )*};
}

pub(crate) use payloads;

payloads! {
    /// What became of making a configuration item.
    CreateConfigurationItemPayload {
        /// The new configuration item; `null` when it was not done.
        configuration_item: ConfigurationItem
    }
    /// What became of setting values of a configuration item.
    UpdateConfigurationItemPayload {
        /// The configuration item; `null` when it was not done.
        configuration_item: ConfigurationItem
    }
    /// What became of ending a configuration item.
    RetireConfigurationItemPayload {
        /// The configuration item; `null` when it was not done.
        configuration_item: ConfigurationItem
    }
    /// What became of bringing a configuration item back.
    ReviveConfigurationItemPayload {
        /// The configuration item; `null` when it was not done.
        configuration_item: ConfigurationItem
    }
    /// What became of making two configuration items one.
    MergeConfigurationItemsPayload {
        /// The one that stays; `null` when it was not done.
        configuration_item: ConfigurationItem
    }
    /// What became of taking a merge back.
    UndoConfigurationItemMergePayload {
        /// The item that had been absorbed; `null` when it was not done.
        configuration_item: ConfigurationItem
    }
    /// What became of making a relationship.
    CreateRelationshipPayload {
        /// The new relationship; `null` when it was not done.
        relationship: Relationship
    }
    /// What became of withdrawing a statement of a relationship.
    RemoveRelationshipPayload {
        /// The relationship; `null` when it was not done.
        relationship: Relationship
    }
    /// What became of making a need.
    CreateNeedPayload {
        /// The new need; `null` when it was not done.
        need: Need
    }
    /// What became of a new definition of a need.
    UpdateNeedPayload {
        /// The need; `null` when it was not done.
        need: Need
    }
    /// What became of withdrawing a statement of a need.
    RemoveNeedPayload {
        /// The need; `null` when it was not done.
        need: Need
    }
    /// What became of answering a review task.
    SettleReviewTaskPayload {
        /// The review task; `null` when it was not done.
        review_task: ReviewTask
    }
    /// What became of putting a review task aside.
    DismissReviewTaskPayload {
        /// The review task; `null` when it was not done.
        review_task: ReviewTask
    }
}

/// Says which state of a record a change is meant for.
#[derive(Clone, Debug, InputObject)]
pub struct Target {
    /// The record.
    pub id: async_graphql::ID,
    /// The version the caller saw; another one is a conflict.
    pub expected_version: u32,
}
