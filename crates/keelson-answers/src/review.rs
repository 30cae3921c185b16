//! After a change: what was predicted of it against what happened, and what its like teach.
//!
//! [`scorecard`] is about one request, [`suggest_failure`] whether it should be written down as failed,
//! [`trends`] about all requests whose work is over. The same outcomes give the next request its chance
//! of failure (`change::histories`).
//!
//! A change counts as it was watched: one reviewed without anybody having watched is unknown, stated as
//! such, and counted in no figure. Of services, only changes whose review says that they were watched
//! count; nobody knows of the others whether silence means that nothing was lost.

mod compare;
mod misses;
mod outcome;
mod score;
mod trends;

use keelson_analysis::risk::Match;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use misses::unexplained;
pub use outcome::{FAILURE_HOURS, Outcome, outcome_of};
pub(crate) use outcome::{Kinds, work_of};
pub use score::{
    ElsewhereLine, FailureSuggestion, IncidentLine, Monitoring, ReviewScore, ScoreLine, ScoreQuestion, Verdict,
    scorecard, suggest_failure,
};
pub use trends::{CellLevel, MonthLine, RateLine, ReliabilityLine, ServiceTrend, TrendsAnswer, TrendsQuestion, trends};

/// How well harm to services was predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Predicted, and harmed.
    pub hits: usize,
    /// Predicted, and not harmed.
    pub false_alarms: usize,
    /// Harmed without being predicted.
    pub misses: usize,
    /// The fraction of the predicted that was harmed; `null` if nothing was predicted.
    pub precision: Option<f64>,
    /// The fraction of the harmed that was predicted; `null` if nothing was harmed.
    pub recall: Option<f64>,
}

impl From<Match> for Figures {
    fn from(counts: Match) -> Self {
        Self {
            hits: counts.hits,
            false_alarms: counts.false_alarms,
            misses: counts.misses,
            precision: counts.precision(),
            recall: counts.recall(),
        }
    }
}
