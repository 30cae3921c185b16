//! Why something is refused.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why, for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Something required is not there.
    Missing,
    /// Another record has the key or name.
    DuplicateKey,
    /// Somebody else changed the record meanwhile.
    VersionConflict,
    /// There is no such record.
    NotFound,
    /// A value that its field does not take.
    BadValue,
    /// A step that does not follow from where the record stands.
    IllegalTransition,
    /// The person may not take this step on this record: a requester cannot approve.
    NotAllowed,
    /// What was assessed is no longer so.
    Outdated,
    /// A freeze or maintenance window is violated.
    CalendarViolated,
}

/// One reason why something is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize, JsonSchema)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The field concerned, from the outside in; empty when it is about the whole.
    pub field: Vec<String>,
    /// Why, for machines.
    pub code: ProblemCode,
    /// Why, for people, and what to do.
    pub message: String,
    /// The version of the record now, when that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_version: Option<u32>,
}

impl Problem {
    /// A problem of a field; its parts are separated by dots.
    #[must_use]
    pub fn of(code: ProblemCode, field: &str, message: impl Into<String>) -> Self {
        let field = field.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Self { field, code, message: message.into(), current_version: None }
    }

    /// The problem that somebody else changed a record since it was read at version `seen`; `known` is its
    /// version now, absent when there is no such record.
    #[must_use]
    pub fn version_conflict(what: &str, known: Option<u32>, seen: u32) -> Self {
        let message = match known {
            Some(known) => {
                format!("{what} has changed since you read it: it is at version {known}, not {seen}; look at it again")
            }
            None => format!("{what} is new, so nobody has seen version {seen} of it"),
        };
        Self { current_version: known, ..Self::of(ProblemCode::VersionConflict, "expected_version", message) }
    }
}

/// Every reason why something is refused; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Refuses for one reason.
    #[must_use]
    pub fn one(code: ProblemCode, field: &str, message: impl Into<String>) -> Self {
        Self(vec![Problem::of(code, field, message)])
    }

    /// Passes when there is none.
    pub(crate) fn none_or(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.0.iter().map(|problem| problem.message.as_str()).collect();
        f.write_str(&lines.join("; "))
    }
}
