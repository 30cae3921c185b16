//! The chance that a change fails, from what became of its like, and what may be expected to be lost.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use keelson_analysis::risk::{Estimate, Exposure, History, Kind, Level, Prior, Stake, expected_loss, window_failure};
use keelson_change::Policy;
use keelson_graph::ItemIx;
use keelson_model::{CiKey, Effect, RequestForChange, Value, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChangeQuestion;
use super::effects::ServiceEffect;
use super::lines::{CollisionLine, PointFailure};
use crate::View;
use crate::attributes::{number, unavailability};
use crate::review::{Kinds, outcome_of, work_of};
use crate::subject::ci_of;

/// The chance that it fails, and what may be expected of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RiskLine {
    /// The chance that it fails.
    pub failure: f64,
    /// The middle 90 % of what that chance may be.
    pub interval: (f64, f64),
    /// Which changes that rests on.
    pub like: String,
    /// How many of those there were.
    pub changes: u32,
    /// How many of them failed.
    pub failures: u32,
    /// What is lost on average, by currency, over the services whose value is known.
    pub expected_loss: Vec<ExpectedLine>,
    /// Services at stake whose value nobody stated.
    pub without_value: usize,
    /// New single points of failure whose own unavailability nobody stated; they count as never failing.
    pub without_unavailability: usize,
}

/// What is lost on average in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedLine {
    /// The currency.
    pub currency: String,
    /// Breaches that are part of the plan.
    pub planned: f64,
    /// Harm if it fails and is reversed.
    pub failed: f64,
    /// Failures of new single points meanwhile: the sum of their own unavailabilities, at most.
    pub exposed: f64,
}

/// What became of the requests whose work is over, and which kind the one in question is.
///
/// Counts what [`has_failed`] knows of at the time of the view's last commit. Of a request whose own
/// work is over, it is the history it could have been judged by: the requests that were over when its
/// work began.
#[must_use]
pub fn histories(view: &View, request: &RequestForChange) -> (History, Kind) {
    let mut kinds = Kinds::default();
    let own = kinds.of(view, request);
    let mut history = History::new();
    let Some(now) = view.catalogue.head().at else { return (history, own) };
    let own_work = work_of(request);
    for kept in view.catalogue.requests().filter(|kept| kept.record.id != request.id) {
        let other = &*kept.record;
        let is_before = own_work.is_none_or(|own| work_of(other).is_some_and(|work| work.is_before(own)));
        if let Some(failed) = has_failed(other, now).filter(|_| is_before) {
            history.note(kinds.of(view, other), failed);
        }
    }
    (history, own)
}

/// Whether a change failed, as far as is known at a time; absent while nobody can know.
///
/// It failed when it was backed out, or its review says so. One that is done and not reviewed has not
/// failed once 72 hours have gone by; before that nobody knows. One that was reviewed without anybody
/// having watched is unknown for good, even if it was backed out: those of its like that were not
/// backed out would be missing beside it.
#[must_use]
pub fn has_failed(request: &RequestForChange, now: DateTime<Utc>) -> Option<bool> {
    outcome_of(request, now)?.has_failed()
}

/// The chance that a request fails.
pub(crate) fn estimate(view: &View, request: &RequestForChange, policy: &Policy) -> Estimate {
    let (history, kind) = histories(view, request);
    history.estimate(Prior { mean: policy.usual_failure, strength: policy.prior_strength }, kind)
}

/// Which changes an estimate rests on, in words.
pub(crate) fn like(level: Level) -> &'static str {
    match level {
        Level::Portfolio => "all changes",
        Level::Class => "changes to the same class of items",
        Level::Team => "changes of the same team to the same class of items",
        Level::Template => "changes by the same template",
    }
}

/// The chance that a request fails, with what is lost on average: what it breaches itself, and what it breaches
/// together with others in the hours of their collisions.
pub(super) fn line(
    view: &View,
    question: &ChangeQuestion<'_>,
    effects: &[ServiceEffect],
    collisions: &[CollisionLine],
) -> RiskLine {
    let estimate = estimate(view, question.request, question.policy);
    let request = question.request;
    let exposure = Exposure {
        fails: estimate.mean,
        window: request.window.map_or(0.0, hours),
        rollback: request.rollback.as_ref().map_or(0.0, |rollback| f64::from(rollback.minutes) / 60.0),
    };
    let mut by_currency: BTreeMap<String, Vec<Stake>> = BTreeMap::new();
    let (mut without_value, mut without_unavailability) = (0, BTreeSet::new());
    let colliding = colliding_hours(collisions);
    let at_stake = |effect: &&ServiceEffect| {
        effect.at_worst > Effect::Protected || colliding.contains_key(key(view, effect).as_str())
    };
    for effect in effects.iter().filter(at_stake) {
        let Some((value_per_hour, currency)) = value(view, effect) else {
            without_value += 1;
            continue;
        };
        let is_breached = effect.at_best == Effect::Breached && effect.adds_harm();
        let together = colliding.get(key(view, effect).as_str()).copied().unwrap_or(0.0);
        let mut own = |point: &ItemIx| {
            let stated = unavailability(view, *point).map(|(_, most)| most);
            if stated.is_none() {
                without_unavailability.insert(*point);
            }
            stated.unwrap_or(0.0)
        };
        by_currency.entry(currency).or_default().push(Stake {
            value_per_hour,
            planned_breach: if is_breached { exposure.window } else { together },
            loss_if_failed: if is_breached { 1.0 } else { 0.0 },
            unavailability: 0.0,
            unavailability_during: effect.new_points.iter().map(&mut own).sum::<f64>().min(1.0),
        });
    }
    let expected = by_currency.into_iter().map(|(currency, stakes)| {
        let loss = expected_loss(exposure, &stakes);
        ExpectedLine { currency, planned: loss.planned, failed: loss.failed, exposed: loss.exposed }
    });
    RiskLine {
        failure: estimate.mean,
        interval: estimate.interval,
        like: like(estimate.level).to_owned(),
        changes: estimate.count.changes,
        failures: estimate.count.failures,
        expected_loss: expected.collect(),
        without_value,
        without_unavailability: without_unavailability.len(),
    }
}

/// How likely one of some items is to fail within a window; absent where there are none.
pub(super) fn point_failure(view: &View, points: &[ItemIx], window: Window) -> Option<PointFailure> {
    if points.is_empty() {
        return None;
    }
    let chance = |point: &ItemIx| {
        let (_, most) = unavailability(view, *point)?;
        let repair = number(view, *point, "repair_minutes")?;
        Some(window_failure(most, repair / 60.0, hours(window)))
    };
    let chances: Vec<f64> = points.iter().filter_map(chance).collect();
    let holds: f64 = chances.iter().map(|chance| 1.0 - chance).product();
    Some(PointFailure { chance: 1.0 - holds, unstated: points.len() - chances.len() })
}

fn key<'a>(view: &'a View, effect: &ServiceEffect) -> &'a CiKey {
    &view.catalogue.ci(ci_of(effect.item)).key
}

/// For how many hours each service is breached by the change and others together, if all goes to plan and needs
/// are as written; overlapping times count once.
fn colliding_hours(collisions: &[CollisionLine]) -> BTreeMap<&str, f64> {
    let planned = collisions.iter().filter(|line| line.reversed.is_none() && !line.only_in_doubt);
    let mut windows: BTreeMap<&str, Vec<Window>> = BTreeMap::new();
    for line in planned {
        windows.entry(&line.service.key).or_default().push(line.window);
    }
    let joined = |mut windows: Vec<Window>| {
        windows.sort_unstable();
        let (mut total, mut until) = (0.0, None);
        for window in windows {
            let start = until.map_or(window.start(), |until: DateTime<Utc>| until.max(window.start()));
            total += Window::new(start, window.end()).map_or(0.0, hours);
            until = until.max(Some(window.end()));
        }
        total
    };
    windows.into_iter().map(|(service, windows)| (service, joined(windows))).collect()
}

/// What an hour without a service costs, with its currency.
pub(super) fn value(view: &View, effect: &ServiceEffect) -> Option<(f64, String)> {
    match view.catalogue.ci(ci_of(effect.item)).attribute("value_per_hour")? {
        Value::Quantity(quantity) => {
            let value = Value::Decimal(quantity.value).as_f64()?;
            Some((value, quantity.unit.to_string()))
        }
        _ => None,
    }
}

/// The length of a window.
#[allow(clippy::cast_precision_loss)]
pub(super) fn hours(window: Window) -> f64 {
    window.length().num_seconds() as f64 / 3_600.0
}
