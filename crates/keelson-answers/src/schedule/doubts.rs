//! What changes do only if what nobody knows turns out badly.
//!
//! A schedule is assessed with its needs as they are written. Where a need in reach is in doubt (its rule was not
//! stated, a member may be none), it is assessed once more with every doubt read as bad (analyses 1.6), and what
//! that adds is told as possible.

use keelson_analysis::schedule::{Finding, Plan, Planner, Schedule};
use keelson_analysis::{Pool, Reading};
use keelson_graph::ItemIx;

use crate::{QuestionError, View};

/// What is only possible.
#[derive(Debug, Default)]
pub(crate) struct Doubtful {
    /// What is not found with needs as they are written, or not at all of that time.
    pub(crate) findings: Vec<Finding>,
    /// Whether there may be more.
    pub(crate) is_cut: bool,
}

/// What a plan does only if doubts turn out badly, beyond what was found. `touched` are the items it can reach.
///
/// # Errors
/// As the analyses refuse.
pub(crate) fn findings(
    view: &View,
    plan: Plan<'_>,
    found: &Schedule,
    touched: impl Iterator<Item = ItemIx>,
    pool: &Pool,
) -> Result<Doubtful, QuestionError> {
    let mut needs = touched.flat_map(|item| view.graph.dependents(item).counted().iter().copied());
    if !needs.any(|need| view.graph.head(need).is_doubtful()) {
        return Ok(Doubtful::default());
    }
    let pessimistic = Plan { reading: Reading::Pessimistic, ..plan };
    let possible = Planner::new(&view.graph, pessimistic, pool)?.schedule();
    let is_cut = possible.is_truncated || !possible.cut.is_empty();
    let mut findings = possible.findings;
    findings.retain(|finding| !found.findings.iter().any(|known| says(known, finding)));
    Ok(Doubtful { findings, is_cut })
}

/// Whether a finding says all that another one says.
fn says(known: &Finding, other: &Finding) -> bool {
    known.service == other.service
        && known.changes == other.changes
        && known.scenario == other.scenario
        && known.verdict >= other.verdict
        && known.window.covers(other.window)
}
