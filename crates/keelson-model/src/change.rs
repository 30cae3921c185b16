//! Requests for change: what is to be altered, when, why, and what was decided about it.
//!
//! A request is a record like any other: every step is a commit, and what a board decided on is
//! frozen in it with the revision it was computed at.

mod assessed;
mod calendar;
mod evidence;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use assessed::{Approval, Effect, EffectOn, FrozenAssessment, KnownCollision, Recheck, RecheckReason};
pub use calendar::{CalendarEntry, CalendarKind, Disruption, DisruptionKind, Recurrence};
pub use evidence::{Baseline, ChangeTemplate, Completion, ObservedLoss, ReviewRecord};

use crate::ci::words;
use crate::{BaselineId, ChangeId, CiId, Window};

words! {
    /// How a request is decided on.
    ChangeCategory {
        /// From an approved template: decided on beforehand.
        Standard = "standard",
        /// Decided on by somebody else than the requester, before it is done.
        Normal = "normal",
        /// May be approved by a role named for it alone; reviewed afterwards.
        Emergency = "emergency",
    }
}

words! {
    /// Where a request stands.
    ChangeState {
        /// Being written.
        Draft = "draft",
        /// Handed in.
        Submitted = "submitted",
        /// Its effect has been computed and looked at.
        Assessed = "assessed",
        /// May be done, as assessed.
        Approved = "approved",
        /// Must not be done.
        Rejected = "rejected",
        /// Has its place in the calendar.
        Scheduled = "scheduled",
        /// Being done.
        InProgress = "in_progress",
        /// Done as planned.
        Done = "done",
        /// Reversed: everything is as it was before.
        BackedOut = "backed_out",
        /// Given up before it was begun.
        Cancelled = "cancelled",
        /// Compared with what happened.
        Reviewed = "reviewed",
    }
}

impl ChangeState {
    /// Whether the work may still be ahead or under way: what is planned takes part in schedules.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Rejected | Self::Done | Self::BackedOut | Self::Cancelled | Self::Reviewed)
    }

    /// Whether somebody decided that it may be done, and it is not over: its assessment is watched.
    #[must_use]
    pub fn is_cleared(self) -> bool {
        matches!(self, Self::Approved | Self::Scheduled | Self::InProgress)
    }
}

/// What is done to a configuration item.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// It is down during the window.
    TakesDown,
    /// It delivers less during the window.
    Degrades {
        /// The fraction that is lost, above 0 and at most 1.
        loss: f64,
    },
    /// It is restarted; within the window nobody knows when, so it counts as down for all of it.
    Restarts,
    /// Another one takes its place; down during the window.
    Replaces,
    /// It goes, and does not come back after the window.
    Retires,
    /// It is new, or gets something new; nothing is interrupted.
    Adds,
    /// It is altered without an interruption.
    NoInterruption,
}

impl Action {
    /// Its names, as written in commands and answers.
    pub const NAMES: [&'static str; 7] =
        ["takes_down", "degrades", "restarts", "replaces", "retires", "adds", "no_interruption"];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TakesDown => "takes_down",
            Self::Degrades { .. } => "degrades",
            Self::Restarts => "restarts",
            Self::Replaces => "replaces",
            Self::Retires => "retires",
            Self::Adds => "adds",
            Self::NoInterruption => "no_interruption",
        }
    }

    /// The fraction of the item that is lost during the window.
    #[must_use]
    pub fn loss(self) -> f64 {
        match self {
            Self::TakesDown | Self::Restarts | Self::Replaces | Self::Retires => 1.0,
            Self::Degrades { loss } => loss,
            Self::Adds | Self::NoInterruption => 0.0,
        }
    }

    /// Whether the loss stays when the window is over.
    #[must_use]
    pub fn is_permanent(self) -> bool {
        matches!(self, Self::Retires)
    }

    /// Reads a name; `loss` is the fraction lost, for what is only degraded.
    ///
    /// # Errors
    /// Fails with a sentence when there is no such action, or when a loss is missing, out of place or
    /// out of range.
    pub fn read(name: &str, loss: Option<f64>) -> Result<Self, String> {
        let plain = match name {
            "takes_down" => Self::TakesDown,
            "restarts" => Self::Restarts,
            "replaces" => Self::Replaces,
            "retires" => Self::Retires,
            "adds" => Self::Adds,
            "no_interruption" => Self::NoInterruption,
            "degrades" => {
                return match loss {
                    Some(loss) if loss > 0.0 && loss <= 1.0 => Ok(Self::Degrades { loss }),
                    Some(loss) => Err(format!("the loss is {loss}; it must lie above 0 and be at most 1")),
                    None => Err("'degrades' needs the fraction that is lost, above 0 and at most 1".to_owned()),
                };
            }
            other => return Err(format!("'{other}' is not one of {}", Self::NAMES.join(", "))),
        };
        match loss {
            None => Ok(plain),
            Some(_) => Err(format!("'{name}' takes no fraction; only 'degrades' does")),
        }
    }
}

/// A configuration item with what is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alteration {
    /// The item.
    pub ci: CiId,
    /// What is done to it.
    #[serde(flatten)]
    pub action: Action,
}

/// How everything is brought back to where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rollback {
    /// What is done, in words.
    pub plan: Arc<str>,
    /// How long it takes, in minutes, at least 1: the back-out shadow behind the window.
    pub minutes: u32,
}

/// One step of a request through its states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The state it led to.
    pub to: ChangeState,
    /// Who took it.
    pub by: Arc<str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
}

/// A person's word that an item is not impacted: the loss does not spread through it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotImpacted {
    /// The item.
    pub ci: CiId,
    /// Who says so.
    pub by: Arc<str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Arc<str>,
}

/// A request for change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestForChange {
    /// Its identifier, for life.
    pub id: ChangeId,
    /// What people call it: `RFC-12`, or the number of the ticket it came from. Unique.
    pub key: Arc<str>,
    /// Number of changes, from 1.
    pub version: u32,
    /// What, in a line.
    pub title: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// How it is decided on.
    pub category: ChangeCategory,
    /// The template it was made from, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Arc<str>>,
    /// Who carries it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Arc<str>>,
    /// Who asks for it.
    pub requester: Arc<str>,
    /// Who else altered what it says; like the requester, they do not decide on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited_by: Vec<Arc<str>>,
    /// The items it alters, each once.
    pub alterations: Vec<Alteration>,
    /// When it is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// How it is reversed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// How it is seen that it worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Arc<str>>,
    /// The releases it brings in, by name or address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Arc<str>>,
    /// Where it stands.
    pub state: ChangeState,
    /// How it came there, oldest first.
    pub steps: Vec<Step>,
    /// What people said is not impacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_impacted: Vec<NotImpacted>,
    /// The last assessment somebody asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<FrozenAssessment>,
    /// The decision in force, with the assessment it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Assessments since the approval that differed from it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rechecks: Vec<Recheck>,
    /// The baseline of what it affects, taken when the work started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineId>,
    /// How the work ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
    /// What was learnt afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewRecord>,
}

impl RequestForChange {
    /// The time behind its window in which it may still be in the middle of being reversed.
    #[must_use]
    pub fn shadow(&self) -> Option<Window> {
        let minutes = self.rollback.as_ref().map(|rollback| i64::from(rollback.minutes))?;
        self.window?.followed_by(chrono::TimeDelta::minutes(minutes))
    }

    /// The last step into a state.
    #[must_use]
    pub fn step_to(&self, state: ChangeState) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.to == state)
    }

    /// Whether what happened since the approval takes it back until somebody approves it again.
    #[must_use]
    pub fn needs_approval_again(&self) -> bool {
        self.rechecks.last().is_some_and(|recheck| recheck.needs_approval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_by_their_names() {
        for name in Action::NAMES {
            let loss = (name == "degrades").then_some(0.3);
            assert_eq!(Action::read(name, loss).unwrap().name(), name);
        }
        assert!(Action::read("degrades", None).unwrap_err().contains("needs the fraction"));
        assert!(Action::read("degrades", Some(1.5)).unwrap_err().contains("1.5"));
        assert!(Action::read("restarts", Some(0.5)).unwrap_err().contains("takes no fraction"));
        assert!(Action::read("explodes", None).unwrap_err().contains("takes_down"));
    }

    #[test]
    fn an_alteration_reads_back_from_one_flat_object() {
        let alteration = Alteration { ci: CiId(ulid::Ulid(7)), action: Action::Degrades { loss: 0.5 } };
        let text = serde_json::to_string(&alteration).unwrap();
        assert_eq!(text, r#"{"ci":"00000000000000000000000007","action":"degrades","loss":0.5}"#);
        assert_eq!(serde_json::from_str::<Alteration>(&text).unwrap(), alteration);
    }
}
