//! Enumerations of change management.

use async_graphql::Enum;
use keelson_app::answers::review;
use keelson_app::change::ProblemCode;
use keelson_model as model;

use crate::types::payload::UserErrorCode;
use crate::types::words::words;

words! {
    /// How a request for change is decided on.
    RequestForChangeCategory = model::ChangeCategory {
        /// From an approved template: decided on beforehand.
        Standard,
        /// Decided on by somebody else than the requester, before it is done.
        Normal,
        /// May be approved by those named for it alone; reviewed afterwards.
        Emergency,
    }

    /// Where a request for change stands.
    RequestForChangeState = model::ChangeState {
        /// Being written.
        Draft,
        /// Handed in.
        Submitted,
        /// Its effect has been computed and looked at.
        Assessed,
        /// May be done, as assessed.
        Approved,
        /// Must not be done.
        Rejected,
        /// Has its place in the calendar.
        Scheduled,
        /// Being done.
        InProgress,
        /// Done as planned.
        Done,
        /// Reversed: everything is as it was before.
        BackedOut,
        /// Given up before it was begun.
        Cancelled,
        /// Compared with what happened.
        Reviewed,
    }

    /// What becomes of a service while a change is under way, from the mildest to the worst.
    Effect = model::Effect {
        /// Something it depends on is touched; it loses nothing and keeps its margin.
        Protected,
        /// It loses nothing, but has less redundancy than before.
        MarginLost,
        /// It loses something and still delivers what it must.
        Degraded,
        /// It delivers less than it must.
        Breached,
    }

    /// Why an assessment was made again.
    RecheckReason = model::RecheckReason {
        /// A commit changed something it rests on.
        Catalogue,
        /// The request itself was altered.
        Request,
        /// The calendar, the starting state or another request changed.
        Schedule,
    }

    /// What an entry of the calendar means for changes.
    CalendarEntryKind = model::CalendarKind {
        /// Nothing may harm what it is about.
        Freeze,
        /// Work that harms what it is about belongs here, and only here.
        Maintenance,
    }

    /// Whether the services were watched while the work was under way.
    Monitoring = review::Monitoring {
        /// They were, says the review.
        Watched,
        /// They were not, says the review: nothing is known of what happened.
        Unwatched,
        /// There is no review yet: nobody has said.
        NotReviewed,
    }

    /// What became of a prediction.
    PredictionVerdict = review::Verdict {
        /// Harmed without being predicted.
        Miss,
        /// Predicted, and not harmed.
        FalseAlarm,
        /// Predicted, and harmed.
        Hit,
        /// Neither predicted nor harmed.
        Spared,
        /// Nobody knows.
        Unknown,
    }

    /// What kind of disruption it is.
    DisruptionKind = model::DisruptionKind {
        /// Something broke.
        Incident,
        /// Somebody took it down on purpose.
        Maintenance,
    }
}

/// What is done to a configuration item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ChangeAction {
    /// It is down during the window.
    TakesDown,
    /// It delivers less during the window.
    Degrades,
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

impl From<model::Action> for ChangeAction {
    fn from(action: model::Action) -> Self {
        match action {
            model::Action::TakesDown => Self::TakesDown,
            model::Action::Degrades { .. } => Self::Degrades,
            model::Action::Restarts => Self::Restarts,
            model::Action::Replaces => Self::Replaces,
            model::Action::Retires => Self::Retires,
            model::Action::Adds => Self::Adds,
            model::Action::NoInterruption => Self::NoInterruption,
        }
    }
}

impl ChangeAction {
    /// The action meant, with the fraction that is lost where it only degrades.
    ///
    /// # Errors
    /// A sentence when a loss is missing, out of place or out of range.
    pub fn action(self, loss: Option<f64>) -> Result<model::Action, String> {
        let plain = match self {
            Self::TakesDown => model::Action::TakesDown,
            Self::Restarts => model::Action::Restarts,
            Self::Replaces => model::Action::Replaces,
            Self::Retires => model::Action::Retires,
            Self::Adds => model::Action::Adds,
            Self::NoInterruption => model::Action::NoInterruption,
            Self::Degrades => {
                let loss = loss.ok_or_else(|| "DEGRADES needs the fraction that is lost".to_owned())?;
                if !(loss > 0.0 && loss <= 1.0) {
                    return Err(format!("the loss is {loss}; it must lie above 0 and be at most 1"));
                }
                return Ok(model::Action::Degrades { loss });
            }
        };
        if loss.is_some() { Err("only DEGRADES takes a loss".to_owned()) } else { Ok(plain) }
    }
}

impl From<ProblemCode> for UserErrorCode {
    fn from(code: ProblemCode) -> Self {
        match code {
            ProblemCode::Missing => Self::Missing,
            ProblemCode::DuplicateKey => Self::DuplicateKey,
            ProblemCode::VersionConflict => Self::VersionConflict,
            ProblemCode::NotFound => Self::NotFound,
            ProblemCode::BadValue => Self::BadValue,
            ProblemCode::IllegalTransition => Self::IllegalTransition,
            ProblemCode::NotAllowed => Self::NotAllowed,
            ProblemCode::Outdated => Self::Outdated,
            ProblemCode::CalendarViolated => Self::CalendarViolated,
        }
    }
}
