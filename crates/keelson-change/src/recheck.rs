//! What of an approval still holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_model::{CiId, Effect, EffectOn, FrozenAssessment, Recheck, RecheckReason, RequestForChange, Revision};

use crate::draft::said;
use crate::{Policy, Problem, ProblemCode};

/// How two assessments differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Services that are worse off in the second one, or touched in it alone.
    pub worse: Vec<EffectOn>,
    /// Services that are better off in the second one, as they are in it; those that are touched in the
    /// first alone are protected.
    pub better: Vec<EffectOn>,
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.worse.is_empty() && self.better.is_empty()
    }
}

/// How bad an effect is, for comparing: what is certain, what is possible, the loss.
fn rank(effect: &EffectOn) -> (Effect, Effect, u64) {
    // Differences below a millionth are rounding.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let loss = (effect.loss.clamp(0.0, 1.0) * 1e6).round() as u64;
    (effect.at_worst, effect.at_best, loss)
}

/// How the effects of two assessments differ.
#[must_use]
pub fn difference(before: &[EffectOn], after: &[EffectOn]) -> Difference {
    let known: BTreeMap<CiId, &EffectOn> = before.iter().map(|effect| (effect.ci, effect)).collect();
    let now: BTreeMap<CiId, &EffectOn> = after.iter().map(|effect| (effect.ci, effect)).collect();
    let mut found = Difference::default();
    for effect in now.values().copied() {
        let Some(known) = known.get(&effect.ci) else {
            found.worse.push(effect.clone());
            continue;
        };
        let new_points = effect.new_single_points.iter().any(|point| !known.new_single_points.contains(point));
        match rank(effect).cmp(&rank(known)) {
            std::cmp::Ordering::Greater => found.worse.push(effect.clone()),
            // Losing less does not make up for a failure that nobody reckoned with.
            _ if new_points && effect.at_worst >= known.at_worst => found.worse.push(effect.clone()),
            std::cmp::Ordering::Less => found.better.push(effect.clone()),
            std::cmp::Ordering::Equal if effect.new_single_points.len() < known.new_single_points.len() => {
                found.better.push(effect.clone());
            }
            std::cmp::Ordering::Equal => {}
        }
    }
    let gone = known.values().filter(|effect| !now.contains_key(&effect.ci));
    found.better.extend(gone.map(|effect| EffectOn {
        ci: effect.ci,
        at_best: Effect::Protected,
        at_worst: Effect::Protected,
        loss: 0.0,
        new_single_points: Vec::new(),
    }));
    found
}

/// The record of an assessment made again, when it differs from the one the approval rests on in another
/// way than is known already.
#[must_use]
pub fn recheck(
    request: &RequestForChange,
    fresh: &FrozenAssessment,
    cause: Revision,
    reason: RecheckReason,
    at: DateTime<Utc>,
    policy: &Policy,
) -> Option<Recheck> {
    let approved = &request.approval.as_ref()?.assessment;
    let Difference { worse, better } = difference(&approved.effects, &fresh.effects);
    let violations = joined(&approved.violations, &fresh.violations);
    let collides_with = joined(&approved.collides_with, &fresh.collides_with);
    let found = (&worse, &better, &violations, &collides_with);
    let is_known = match request.rechecks.last() {
        Some(last) => found == (&last.worse, &last.better, &last.violations, &last.collides_with),
        None => worse.is_empty() && better.is_empty() && violations.is_empty() && collides_with.is_empty(),
    };
    if is_known {
        return None;
    }
    let threshold = policy.reapproval.from();
    let is_beyond = worse.iter().any(|effect| effect.at_worst >= threshold);
    let needs_approval = is_beyond || !violations.is_empty() || !collides_with.is_empty();
    Some(Recheck { cause, reason, at, worse, better, violations, collides_with, needs_approval })
}

/// What the second list names and the first does not.
fn joined(before: &[Arc<str>], after: &[Arc<str>]) -> Vec<Arc<str>> {
    after.iter().filter(|name| !before.contains(name)).cloned().collect()
}

/// Everything that keeps a request from going ahead at `at`; empty when it may. `fresh` is its assessment
/// as of now.
#[must_use]
pub fn gate(request: &RequestForChange, fresh: &FrozenAssessment, at: DateTime<Utc>, policy: &Policy) -> Vec<Problem> {
    let mut closed = Vec::new();
    let mut close = |code, field: &str, message: String| closed.push(Problem::of(code, field, message));
    if !request.state.is_cleared() {
        let message = format!("{} is {}, not approved", request.key, said(request.state));
        close(ProblemCode::IllegalTransition, "state", message);
    }
    match request.window {
        None => close(ProblemCode::Missing, "window", format!("{} has no window", request.key)),
        Some(window) if at < window.start() => {
            close(ProblemCode::BadValue, "window", format!("its window, {window}, has not begun"));
        }
        Some(window) if window.end() <= at => {
            close(ProblemCode::BadValue, "window", format!("its window, {window}, is over"));
        }
        Some(_) => {}
    }
    if let Some(approval) = &request.approval {
        let threshold = policy.reapproval.from();
        let worse = difference(&approval.assessment.effects, &fresh.effects).worse;
        let beyond = worse.iter().filter(|effect| effect.at_worst >= threshold).count();
        if beyond > 0 {
            let noted = request.rechecks.last().filter(|recheck| !recheck.worse.is_empty());
            let cause = noted.map(|recheck| format!(", since revision {}", recheck.cause));
            let message = format!(
                "{beyond} services are worse off than when it was approved at revision {}{}; assess it and approve it \
                 again",
                approval.assessment.revision,
                cause.unwrap_or_default()
            );
            close(ProblemCode::Outdated, "approval", message);
        }
        for violation in joined(&approval.assessment.violations, &fresh.violations) {
            close(
                ProblemCode::CalendarViolated,
                "window",
                format!("{violation}, which was not so when it was approved"),
            );
        }
        let with = joined(&approval.assessment.collides_with, &fresh.collides_with);
        if !with.is_empty() {
            let message = format!("it collides with {}, which it did not when it was approved", with.join(", "));
            close(ProblemCode::Outdated, "approval", message);
        }
    } else if request.state.is_cleared() {
        close(ProblemCode::Missing, "approval", format!("{} has no approval in force", request.key));
    }
    closed
}
